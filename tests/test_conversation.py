"""Messages to actions: the grammar, and actions as JSON."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.conversation import (
    ACTIONS,
    Action,
    Add,
    Ask,
    Bound,
    Clarify,
    Context,
    Drop,
    Explain,
    Filter,
    Nothing,
    Pick,
    Rename,
    from_dict,
    from_list,
    message_schema,
    parse,
    plain_text,
    to_dict,
)
from audience_nb.conversation.line import Line
from audience_nb.conversation.numbers import spelt
from audience_nb.errors import InvalidInput

DATA = Path(__file__).parent / "data"
# Of messages by somebody who knew the actions and not the grammar, never used to mend it.
FLOOR_HELD = 0.8


def labelled(name: str) -> list[dict[str, Any]]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


MESSAGES = labelled("messages.jsonl")
HELD = labelled("messages_held.jsonl")


@pytest.mark.parametrize("row", MESSAGES, ids=lambda row: row["message"][:60])
def test_messages_mean_these_actions(row: dict[str, Any]) -> None:
    read = parse(row["message"], Context.from_dict(row["state"]))
    assert [to_dict(a) for a in read] == row["actions"]


def test_the_labelled_messages_are_many_and_varied() -> None:
    assert len(MESSAGES) >= 150
    assert len(HELD) >= 80
    asks = [r for r in MESSAGES if r["actions"] == [{"action": "ask", "text": r["message"]}]]
    assert len(asks) >= 40
    used = Counter(a["action"] for r in MESSAGES for a in r["actions"])
    assert set(used) == set(ACTIONS)
    assert Counter(r["language"] for r in MESSAGES)["fr"] >= 50
    told = [r["message"] for r in MESSAGES]
    assert not {r["message"] for r in HELD} & set(told)


def test_messages_it_was_not_written_for_are_read_too() -> None:
    right = [
        [to_dict(a) for a in parse(r["message"], Context.from_dict(r["state"]))] == r["actions"]
        for r in HELD
    ]
    assert sum(right) / len(right) >= FLOOR_HELD
    asks = [ok for ok, r in zip(right, HELD, strict=True) if r["actions"][0]["action"] == "ask"
            and len(r["actions"]) == 1]  # fmt: skip
    # A question that is taken for an order loses work.
    assert sum(asks) / len(asks) >= 0.95


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_every_text_means_something(text: str) -> None:
    try:
        message = plain_text(text)
    except InvalidInput:
        return
    actions = parse(message)
    assert actions
    assert [from_dict(to_dict(a)) for a in actions] == actions


_WORDS = sorted({w for r in MESSAGES for w in r["message"].split()})


@given(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=14).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_its_words_is_read_and_valid(message: str) -> None:
    context = Context.from_dict(MESSAGES[-1]["state"])
    for action in parse(message, context):
        assert from_dict(json.loads(json.dumps(to_dict(action)))) == action


@pytest.mark.parametrize(
    "message",
    [
        "drop a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t and people who undo",
        "and, " * 160,
        "drop " * 130,
        "8 segments, " * 50 + "people",
        "please " * 90 + "x",
        "(" * 600,
        "rename segment 1 to " + "and " * 150,
        "between 1 and " * 45,
    ],
)
def test_no_message_takes_long(message: str) -> None:
    parse("undo")
    before = time.process_time()
    assert parse(message[:690])
    assert time.process_time() - before < 5


def test_a_long_paste_is_a_question() -> None:
    paste = "drop income, add cycling. " * 400
    assert parse(paste) == [Ask(paste)]


def test_text_is_cleaned_and_checked() -> None:
    assert plain_text(" caf\u0065\u0301\t\u0007<b>bold</b> ") == "café <b>bold</b>"
    for nothing in ("", "  \n", "\u200b\u0000"):
        with pytest.raises(InvalidInput, match="The text is empty"):
            plain_text(nothing)
    with pytest.raises(InvalidInput, match="The text is a int"):
        plain_text(5)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("twelve", (12, 1)),
        ("twenty five", (25, 2)),
        ("half a dozen", (6, 3)),
        ("a hundred", (100, 2)),
        ("two hundred fifty", (250, 3)),
        ("vingt et un", (21, 3)),
        ("soixante dix", (70, 2)),
        ("soixante et onze", (71, 3)),
        ("quatre vingt dix sept", (97, 4)),
        ("cent vingt", (120, 2)),
        ("one", None),
        ("neuf", None),
        ("second", None),
    ],
)
def test_numbers_in_words(words: str, number: tuple[int, int] | None) -> None:
    assert spelt(words.split()) == number


def test_slips_of_the_pen_are_mended_but_words_of_their_own_are_not() -> None:
    assert Line("udno teh segmets").words.split()[::2] == ["undo", "segments"]
    for word in ("renters", "import", "bride", "selection", "add-on", "drip", "cars"):
        assert Line(word).words == word
    assert Line("Entre quarante et quatre-vingts personnes").words == "entre 40 et 80 personnes"
    assert Line("4,5 pour cent de 1 000").words == "4.5 % de 1000"


def test_what_was_written_is_kept_as_written() -> None:
    assert parse("Add “Rock & Roll”, drop l'Été") == [Add("Rock & Roll"), Drop("Été")]
    assert parse("rename segment 2 to Été à Rome") == [Rename(2, "Été à Rome")]


# -- actions as JSON ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "no action"),
        ([], "no action"),
        ({"action": "eval", "text": "1"}, "no action 'eval'"),
        ({"action": "add", "topic": "x", "code": "y"}, "no field 'code'"),
        ({"action": "ask"}, "lacks 'text'"),
        ({"action": "ask", "text": 5}, "'text'"),
        ({"action": "ask", "text": "a\x00b"}, "'text'"),
        ({"action": "ask", "text": "a\u202eb"}, "'text'"),
        ({"action": "add", "topic": "x" * 121}, "'topic'"),
        ({"action": "bound", "n_segments": True}, "'n_segments'"),
        ({"action": "bound", "n_segments": "many"}, "'n_segments'"),
        ({"action": "bound", "max_share": 1.5}, "'max_share'"),
        ({"action": "bound", "min_size": 2.5}, "'min_size'"),
        ({"action": "filter", "kinds": ["odd"]}, "'kinds'"),
        ({"action": "filter", "mode": "never"}, "'mode'"),
        ({"action": "pick", "segments": [0]}, "'segments'"),
        ({"action": "rename", "segment": "1", "name": "x"}, "'segment'"),
        ({"action": "choose", "data_type": "mine"}, "'data_type'"),
        ({"action": "undo", "steps": 10**6}, "'steps'"),
    ],
)
def test_what_is_no_action_is_refused(values: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        from_dict(values)


def test_lists_of_actions_are_bounded() -> None:
    undo = {"action": "undo", "steps": None}
    assert len(from_list({"actions": [undo] * 12})) == 12
    for values in ([undo], {"actions": []}, {"actions": [undo] * 13}, {"actions": [undo], "x": 1}):
        with pytest.raises(InvalidInput, match="no list of actions"):
            from_list(values)


def test_the_schema_is_strict_and_fits_every_action() -> None:
    schema = message_schema()
    options = schema["properties"]["actions"]["items"]["anyOf"]
    named = {o["properties"]["action"]["enum"][0]: o for o in options}
    # Only the grammar asks back.
    assert set(named) == set(ACTIONS) - {"clarify"}
    for option in options:
        assert option["additionalProperties"] is False
        assert option["required"] == list(option["properties"])
    seen = [a for r in MESSAGES for a in r["actions"] if a["action"] != "clarify"]
    for action in seen:
        assert set(action) <= set(named[action["action"]]["properties"])


def test_a_question_asked_back_is_answered_by_place_or_name() -> None:
    context = Context(choices=("10 segments", "8 segments, none above 12.5 %"))
    answers: dict[str, list[Action]] = {
        "yes": [Bound(10)],
        "2": [Bound(8, max_share=0.125)],
        "the last one please": [Bound(8, max_share=0.125)],
        "no": [Nothing()],
        "people who ski": [Ask("people who ski")],
    }
    for message, actions in answers.items():
        assert parse(message, context) == actions


def test_names_in_the_context_decide() -> None:
    context = Context.from_dict(
        {"suggestions": [["INC", "Income"]], "segments": [[1, "Wine lovers", 9]],
         "sources": ["Opine"], "categories": ["Media"]}
    )  # fmt: skip
    assert parse("only Opine", context) == [Filter(sources=("Opine",))]
    assert parse("only Opine") == [Ask("only Opine")]
    assert parse("explain the wine lovers", context) == [Explain(segment=1)]
    assert parse("pick the wine lovers segment", context) == [Pick((1,))]
    assert parse("explain cheese", context) == [Clarify("suggestion", "explain", "cheese")]
    assert parse("drop income", Context(asked=False)) == [Ask("drop income")]
