"""Messages to actions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.conversation import (
    Add,
    Ask,
    Bound,
    Drop,
    Only,
    Undo,
    parse,
    plain_text,
)
from audience_nb.errors import InvalidInput

MESSAGES = [
    ("environmentally conscious millennials with high income", None),
    ("people who love hiking, camping and fishing", None),
    ("people with 3 segments of land", None),
    ("people who drop table tennis", None),
    ("drop income, add cycling", [Drop("income"), Add("cycling")]),
    ("less about cars, more about trains", [Drop("cars"), Add("trains")]),
    ("remove income and age but add hiking", [Drop("income"), Drop("age"), Add("hiking")]),
    ("please remove the income variables", [Drop("income")]),
    ("could you add some travel and drop the car stuff", [Add("travel"), Drop("car")]),
    ("without children", [Drop("children")]),
    ("ajoute le vélo, enlève le revenu", [Add("vélo"), Drop("revenu")]),
    ("only social values", [Only("psychographic")]),
    ("just the demographic ones", [Only("demographic")]),
    ("8 segments", [Bound(n_segments=8)]),
    ("8 segments, none above 15 %", [Bound(8, None, 0.15)]),
    ("make 12 segments, at least 6 % and at most 9 %", [Bound(12, 0.06, 0.09)]),
    ("au moins 4,5 %", [Bound(min_share=0.045)]),
    ("undo", [Undo()]),
    ("Annuler.", [Undo()]),
]


@pytest.mark.parametrize(("message", "actions"), MESSAGES)
def test_messages_mean_these_actions(message: str, actions: list[object] | None) -> None:
    assert parse(message) == (actions or [Ask(message)])


@given(st.text(max_size=60))
def test_every_message_means_something(message: str) -> None:
    actions = parse(message)
    assert actions
    assert all(isinstance(a, Ask | Add | Drop | Only | Bound | Undo) for a in actions)


def test_text_is_cleaned_and_checked() -> None:
    assert plain_text(" caf\u0065\u0301\t\u0007<b>bold</b> ") == "café <b>bold</b>"
    for nothing in ("", "  \n", "\u200b\u0000"):
        with pytest.raises(InvalidInput, match="The text is empty"):
            plain_text(nothing)
    with pytest.raises(InvalidInput, match="The text is a int"):
        plain_text(5)
