"""A model's names and descriptions: over real HTTP, taken only where they tell the facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chat_server import KEY, ChatServer

from audience_nb.conversation.model import LanguageModel
from audience_nb.conversation.prose import facts_of, reworded
from audience_nb.segments import Segment, Trait

WINE = Trait("W", "Spending on wine", "Spending on wine: median 1,200 against 174", 1200, 174,
             690.0, 1.4)  # fmt: skip
KIDS = Trait("K", "Number of small children at home",
             "Number of small children at home: more than 0 2% against 41%", 0.02, 0.41, 5.0, -1.1,
             "share", "more than 0")  # fmt: skip
NET = Trait("N", "Internet service", "Internet service: No internet service 88% against 22%", 0.88,
            0.22, 400.0, 1.5, "share", "No internet service")  # fmt: skip
SEGMENTS = [
    Segment(1, "Big spenders on wine", "112 records (5.0%) set apart by…", 112, 0.05, {},
            (WINE, KIDS)),
    Segment(2, "No internet service", "90 records (4.0%) set apart by…", 90, 0.04, {}, (NET,)),
]  # fmt: skip
GOOD = [
    {
        "id": 1,
        "name": [{"trait": 0, "text": "heavy wine spenders"}, {"trait": 1, "text": "few children"}],
        "description": [
            {"trait": 0, "text": "spend far more on wine (median 1200 against 174)"},
            {"trait": 1, "text": "rarely have small children at home (2%)"},
        ],
    },
    {
        "id": 2,
        "name": [{"trait": 0, "text": "People with no internet"}],
        "description": [{"trait": 0, "text": "mostly no internet service: 88% against 22%"}],
    },
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], tuple[LanguageModel, Any]]]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    running: list[ChatServer] = []

    def start(answer: Any) -> tuple[LanguageModel, ChatServer]:
        said = answer if isinstance(answer, str) else json.dumps({"segments": answer})
        server = ChatServer(lambda message, state: said)
        running.append(server)
        return LanguageModel("a-model", KEY, server.url, timeout=2, max_retries=0), server

    yield start
    for server in running:
        server.close()


def test_better_prose_over_the_same_facts(asked: Any) -> None:
    good = json.loads(json.dumps(GOOD))
    good[0]["description"][0]["text"] = "spend more on wine (median 1200 against 174)"
    model, server = asked(good)
    prose, note = reworded(model, SEGMENTS)
    assert note == ""
    assert [p.refused for p in prose] == ["", ""]
    assert prose[0].name == "Heavy wine spenders, few children"
    assert prose[0].description == (
        "112 records (5.0%): spend more on wine (median 1200 against 174) and rarely have small "
        "children at home (2%)."
    )
    assert prose[1].name == "People with no internet"
    # The server checks that the schema is strict and the key is where it belongs.
    assert server.wrong == []
    shown = json.loads(server.requests[0]["messages"][1]["content"])["state"]
    assert shown["segments"][0] == facts_of(SEGMENTS[0])
    assert "112" not in server.bodies[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("big spenders on wine, 65 years", "a number that is not in the facts: 65"),
        ("wine for 12%", "a number that is not in the facts: 12%"),
        ("wealthy wine buyers", "'wealthy', which is not in the facts"),
        ("women who like wine", "'women', which is not in the facts"),
        ("low spending on wine", "it tells less ('low') where the facts tell more"),
        ("hardly any wine", "'any', which is not in the facts"),
        ("twice the wine", "'twice', which is not in the facts"),
        ("", "a clause has 0 letters"),
        ("wine " * 40, "letters"),
    ],
)
def test_what_is_not_in_the_facts_is_refused(asked: Any, text: str, reason: str) -> None:
    rows = [{**GOOD[0], "name": [{"trait": 0, "text": text}]}]
    prose, note = reworded(asked(rows)[0], SEGMENTS[:1])
    assert (note, prose[0].name, prose[0].description) == ("", "", "")
    assert reason in prose[0].refused


def test_less_is_never_told_as_plain_fact(asked: Any) -> None:
    rows = [{**GOOD[0], "name": [{"trait": 1, "text": "small children at home"}]}]
    # "small" is of the label, so nothing here says that they have fewer.
    rows[0]["name"][0]["text"] = "children at home"
    prose, _ = reworded(asked(rows)[0], SEGMENTS[:1])
    assert "without saying that there is less" in prose[0].refused
    rows[0]["name"][0]["text"] = "many children at home"
    prose, _ = reworded(asked(rows)[0], SEGMENTS[:1])
    assert "it tells more ('many') where the facts tell less" in prose[0].refused


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"id": 1}],
        [{**GOOD[0], "name": []}],
        [{**GOOD[0], "name": [{"trait": 9, "text": "wine"}]}],
        [{**GOOD[0], "name": [{"trait": True, "text": "wine"}]}],
        [{**GOOD[0], "name": ["wine"]}],
        [{**GOOD[0], "name": "wine"}],
    ],
)
def test_answers_of_another_shape_change_nothing(asked: Any, rows: Any) -> None:
    prose, note = reworded(asked(rows)[0], SEGMENTS[:1])
    assert note == ""
    assert prose[0].refused and not prose[0].name


def test_two_segments_never_get_one_name(asked: Any) -> None:
    same = [GOOD[1], {**GOOD[1], "id": 3}]
    third = Segment(3, "Another", "90 records", 90, 0.04, {}, (NET,))
    prose, _ = reworded(asked(same)[0], [SEGMENTS[1], third])
    assert prose[0].refused == ""
    assert prose[1].refused == "its name is that of another segment"


@pytest.mark.parametrize("fault", ["500", "html", "cut", "empty", "refusal", "slow", "endless"])
def test_a_server_that_fails_leaves_all_as_it_was(asked: Any, fault: str) -> None:
    model, _ = asked(fault)
    if fault == "slow":
        model = LanguageModel("a-model", KEY, model.base_url, timeout=0.4, max_retries=0)
    prose, note = reworded(model, SEGMENTS)
    assert prose == []
    assert note.startswith("The language model gave no usable answer")
    assert KEY not in note
