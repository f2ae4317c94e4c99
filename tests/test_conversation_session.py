"""What messages do to a session, and what it replies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.session import Session

LABELS = {
    "age": "Age of the customer in years",
    "income": "Household income before tax",
    "organic": "Buys organic food",
    "bicycle": "Rides a bicycle to work",
    "car": "Drives a car every day",
    "train": "Takes the train",
    "rent": "Rents the home instead of owning it",
    "gardening": "Enjoys gardening",
}
QUESTION = "people who cycle, care about organic food and income"


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    age = rng.integers(18, 85, n)
    return pd.DataFrame(
        {
            "who": [f"P{i:05d}" for i in range(n)],
            "age": age,
            "postal_code": ["M5V 2T6"] * n,
            "income": np.round(20_000 + 900 * age + rng.gamma(2.0, 15_000, n), -2),
            "organic": rng.integers(1, 6, n),
            "bicycle": np.where(rng.random(n) < 0.3, "yes", "no"),
            "car": np.where(age > 40, "yes", "no"),
            "train": rng.integers(1, 6, n),
            "rent": rng.choice(["rent", "own", "other"], n),
            "gardening": rng.integers(1, 6, n),
        }
    )


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def session() -> Session:
    return Session(table(), LABELS, id="who")


@pytest.fixture
def asked(session: Session) -> Session:
    return session.say(QUESTION)


@pytest.fixture
def built(asked: Session) -> Session:
    return asked.say("build 10 segments")


def codes(session: Session) -> list[str]:
    return [s.variable.code for s in session.suggestions]


def reply(session: Session, text: str) -> Any:
    """The answer to one message: exactly one, whatever is said."""
    before = len(session.messages)
    session.say(text)
    said = session.messages[before:]
    assert said[0].role == "user"
    assert len(said) == 2, said
    return said[1]


def decisions(session: Session) -> dict[str, Any]:
    shown = session.snapshot().to_dict()
    return {k: v for k, v in shown.items() if k not in ("messages", "revision", "redo", "undo")}


def test_a_reply_says_what_was_understood_what_changed_and_how_to_go_back(asked: Session) -> None:
    said = reply(asked, "drop income and cars, keep out religion, add gardening")
    assert said.text.startswith("Understood: ")
    asked.undo()
    said = reply(asked, "drop income")
    assert said.text == (
        "Understood: drop “income”. Dropped Household income before tax. “undo” takes back the "
        "refinement."
    )
    assert said.actions == [{"action": "drop", "topic": "income"}]
    assert said.changes["dropped"] == [{"code": "income", "label": LABELS["income"]}]
    n = said.changes["suggestions"]
    assert n["after"] == n["before"] - 1
    assert said.read_by == "grammar"
    assert "income" not in asked.selected
    said = reply(asked, "add the income variables")
    assert said.changes["added"] == [{"code": "income", "label": LABELS["income"]}]
    assert "income" in asked.selected


def test_undo_redo_and_their_limits(asked: Session) -> None:
    before = decisions(asked)
    asked.say("drop income")
    dropped = decisions(asked)
    said = reply(asked, "undo")
    assert decisions(asked) == before
    assert "Took back the refinement" in said.text
    assert "“redo” brings it back" in said.text
    assert asked.snapshot().to_dict()["redo"] == "the refinement"
    said = reply(asked, "redo")
    assert decisions(asked) == dropped
    assert asked.redoable is None
    said = reply(asked, "redo")
    assert (said.role, said.text) == ("error", "There is nothing to redo.")
    asked.say("undo")
    # Whatever is done after an undo, there is nothing to redo any more.
    asked.say("drop organic food")
    assert asked.redoable is None
    with pytest.raises(WrongStep, match="nothing to redo"):
        asked.redo()
    asked.say("undo everything")
    assert asked.state.query is None
    assert asked.undoable is None
    asked.say("redo 2 times")
    assert codes(asked)
    assert "organic" not in codes(asked)


def test_one_message_is_one_step(asked: Session) -> None:
    before = decisions(asked)
    said = reply(asked, "drop income and age, add gardening, then 8 segments, none above 15 %")
    assert [a["action"] for a in said.actions] == ["drop", "drop", "add", "bound"]
    assert asked.state.max_share == 0.15
    assert asked.undoable == "what you said last"
    asked.say("undo")
    assert decisions(asked) == before
    # An undo within a message takes back the message before; the rest is a step of its own.
    asked.say("drop income")
    asked.say("undo and drop organic food")
    assert "income" in codes(asked)
    assert "organic" not in codes(asked)
    asked.say("undo")
    assert decisions(asked) == before


def test_looking_is_no_change(built: Session) -> None:
    built.say("undo")
    assert built.redoable == "what you said last"
    built.say("redo")
    label = built.undoable
    said = reply(built, "compare segments 1 and 2")
    assert said.changes == {}
    assert "undo" not in said.text
    assert built.undoable == label
    built.say("explain segment 3")
    assert built.undoable == label
    assert built.snapshot().to_dict()["comparison"]["segments"][0]["id"] == 1


def test_what_was_excluded_stays_out_until_it_is_asked_for(asked: Session) -> None:
    asked.say("exclude income")
    asked.say("fewer suggestions")
    asked.say("more suggestions")
    assert "income" not in codes(asked)
    asked.ask(QUESTION, limit=8)
    assert "income" not in codes(asked)
    asked.say("add income")
    asked.say("show 8 suggestions")
    assert "income" in codes(asked)
    asked.say("drop income")
    # Another question starts afresh.
    asked.say("income of people")
    assert "income" in codes(asked)


def test_filters_by_words(asked: Session) -> None:
    kinds = {v.variable.kind for v in asked.suggestions}
    assert len(kinds) > 1
    before = codes(asked)
    said = reply(asked, "only demographics")
    assert {v.variable.kind for v in asked.suggestions} == {"demographic"}
    assert said.changes["filters"] == {"before": {}, "after": {"kinds": ["demographic"]}}
    assert "age" in codes(asked) or "income" in codes(asked)
    said = reply(asked, "only lifestyles")
    # Nothing in this table is one: the list stays, and the reply says so.
    assert said.role == "error"
    assert {v.variable.kind for v in asked.suggestions} == {"demographic"}
    asked.say("clear the filters")
    assert codes(asked) == before
    said = reply(asked, "clear the filters")
    assert "There are no filters." in said.text


def test_filters_before_a_question_hold_for_it(session: Session) -> None:
    session.say("only demographics")
    session.say(QUESTION)
    assert {v.variable.kind for v in session.suggestions} == {"demographic"}


def test_longer_and_shorter(asked: Session) -> None:
    n = len(codes(asked))
    asked.say("2 fewer suggestions")
    assert len(codes(asked)) == n - 2
    assert set(asked.selected) == set(codes(asked))
    asked.say("3 suggestions")
    assert len(codes(asked)) == 3
    said = reply(asked, "more suggestions")
    assert len(codes(asked)) == n
    assert said.changes["limit"] == {"before": 3, "after": 13}
    asked.say("keep only the cycling variables")
    assert codes(asked) == ["bicycle"]
    said = reply(asked, "keep only the wine variables")
    assert said.role == "error"
    assert said.options[0] == "add wine"


def test_sizes_that_cannot_be_met_are_explained_with_the_nearest_that_can(asked: Session) -> None:
    before = decisions(asked)
    said = reply(asked, "8 segments, none above 10 %")
    assert said.role == "error"
    assert said.text == "8 segments of at most 40 records hold 320 of 400."
    assert said.options == [
        "10 segments, between 5 % and 10 % each",
        "8 segments, between 5 % and 12.5 % each",
        "automatic number of segments, between 5 % and 10 % each",
    ]
    assert decisions(asked) == before
    # What is offered can be said, and works.
    for option in said.options:
        assert reply(asked, option).role == "assistant"
        asked.say("build")
        assert asked.segmentation is not None
        asked.undo()
        asked.undo()
    reply(asked, "8 segments, none above 10 %")
    reply(asked, "the second one")
    assert (asked.state.n_segments, asked.state.max_share) == (8, 0.125)


def test_sizes_in_people_are_met_exactly(asked: Session) -> None:
    reply(asked, "between 37 and 58 people each")
    asked.say("build")
    cut = asked.segmentation
    assert cut is not None
    assert cut.bounds == (37, 58)
    assert all(37 <= s.size <= 58 for s in cut.segments)
    assert asked.snapshot().to_dict()["size_rule"]["max_size"] == 58
    said = reply(asked, "9 segments of at most 47 people")
    assert said.role == "assistant"
    assert asked.segmentation.n_segments == 9  # type: ignore[union-attr]
    # Shares given by hand replace them.
    asked.build(10, 0.05, 0.2)
    assert asked.state.max_size is None
    said = reply(asked, "between 1 and 5 people each")
    assert said.options[0].endswith("people each")


def test_unspoken_bounds_give_way(asked: Session) -> None:
    reply(asked, "4 segments")
    assert asked.state.max_share >= 0.25
    reply(asked, "40 segments")
    assert asked.state.min_share * 40 <= 1
    reply(asked, "automatic number of segments, none above 4 %")
    assert asked.state.min_share <= 0.04
    asked.say("build")
    assert asked.segmentation is not None
    assert max(s.share for s in asked.segmentation.segments) <= 0.04


def test_a_number_mends_the_one_before(asked: Session) -> None:
    reply(asked, "12 segments")
    reply(asked, "no, make it 14")
    assert asked.state.n_segments == 14
    reply(asked, "show 5 suggestions")
    reply(asked, "actually make it 4")
    assert len(codes(asked)) == 4
    assert asked.state.n_segments == 14


def test_segments_are_named_merged_compared_and_explained(built: Session) -> None:
    reply(built, "rename segment 2 to Cyclists")
    said = reply(built, "call the cyclists Riders")
    assert said.changes["names"] == {"before": {"2": "Cyclists"}, "after": {"2": "Riders"}}
    assert "segments" not in said.changes
    said = reply(built, "merge 1 and 2 into an audience called Green")
    assert built.state.picked == (1, 2)
    assert built.audience is not None
    assert built.audience.name == "Green"
    assert built.snapshot().to_dict()["audience"]["name"] == "Green"
    reply(built, "add segment 4 to the audience")
    assert built.state.picked == (1, 2, 4)
    reply(built, "leave segment 1 out of the audience")
    assert built.state.picked == (2, 4)
    said = reply(built, "compare the riders and segment 5")
    shown = built.snapshot().to_dict()["comparison"]
    assert [s["id"] for s in shown["segments"]] == [2, 5]
    differences = [abs(row["difference"]) for row in shown["rows"]]
    assert differences == sorted(differences, reverse=True)
    top = shown["rows"][0]
    assert top["label"] in said.text
    profile = {(t.code, t.level): t for t in built.segmentation.segment(2).profile}  # type: ignore[union-attr]
    trait = profile[top["code"], top["level"]]
    assert top["values"][0] == pytest.approx(trait.value)
    assert top["effects"][0] == pytest.approx(trait.effect, abs=1e-3)
    said = reply(built, "explain segment 2")
    assert said.text.startswith("Understood: explain segment 2. “Riders”: ")
    assert built.explanation["of"] == "segment"  # type: ignore[index]
    said = reply(built, "why is organic food here?")
    explained = built.snapshot().to_dict()["explanation"]
    assert (explained["of"], explained["code"]) == ("suggestion", "organic")
    assert sum(explained["parts"].values()) == pytest.approx(explained["score"], abs=1e-3)
    assert reply(built, "why these?").text.count(QUESTION) == 1
    json.dumps(built.snapshot().to_dict())


def test_a_saved_session_keeps_what_was_said_and_looked_at(built: Session, tmp_path: Path) -> None:
    for text in ("rename segment 2 to Riders", "merge 2 and 3 into an audience called Green",
                 "compare 2 and 3", "explain segment 3", "compare 1 and 99"):  # fmt: skip
        built.say(text)
    path = built.save(tmp_path / "saved.json")
    again = Session.open(path, table(), dictionary=LABELS)
    shown, before = again.snapshot().to_dict(), built.snapshot().to_dict()
    assert shown.pop("undo") is None
    assert before.pop("undo") == "the choice of segments"
    assert shown == before
    assert reply(again, "the first one").role == "assistant"
    assert again.state.compared == (1, 2)
    space = {"frame": table(), "dictionary": LABELS}
    exec(compile(built.to_code(), "cell", "exec"), space)
    made: Any = space["session"]
    assert made.audience.name == "Green"
    assert made.state.picked == (2, 3)


@pytest.mark.parametrize(
    ("text", "role", "words", "options"),
    [
        ("rename segment 99 to X", "error", "no segment 99", 6),
        ("compare 1 and 99", "error", "no segment 99", 6),
        ("compare segments", "assistant", "Which two segments", 6),
        ("rename it to Fish", "assistant", "Which segment", 6),
        ("rename segment 2", "assistant", "What shall segment 2 be called", 0),
        ("none above 15", "assistant", "percent of the records, or people", 2),
        ("make it 300", "assistant", "", 0),
        ("drop everything", "assistant", "What shall be dropped", 1),
        ("explain cheese", "assistant", "Nothing in the list is about “cheese”", 4),
        ("send it to my agency", "assistant", "Nothing is sent from here", 1),
        ("no segments above 400 %", "assistant", "no size that segments can have", 2),
        ("help", "assistant", "undo", 0),
        ("thanks!", "assistant", "All stays as it is.", 0),
        ("don't export yet", "assistant", "All stays as it is.", 0),
    ],
)
def test_what_is_unclear_or_impossible_is_asked_back(
    built: Session, text: str, role: str, words: str, options: int
) -> None:
    before = decisions(built)
    said = reply(built, text)
    assert words in said.text
    if options:
        assert said.role == role
        assert len(said.options) == options
        assert decisions(built) == before


def test_what_comes_too_early_is_said_with_what_comes_first(session: Session) -> None:
    for text in ("export", "compare segments 1 and 2", "rename segment 1 to X", "more suggestions",
                 "explain segment 1", "build", "undo", "why these?"):  # fmt: skip
        said = reply(session, text)
        assert said.role == "error" or said.options, text
        assert said.next_move or said.options, text
    session.say(QUESTION)
    assert reply(session, "export").options == ["build"]
    reply(session, "yes")
    assert session.segmentation is not None


def test_what_fails_leaves_the_rest_done(asked: Session) -> None:
    before = len(asked.messages)
    asked.say("drop income, then rename segment 3 to Fish")
    said = asked.messages[before + 1 :]
    assert [m.role for m in said] == ["assistant", "error"]
    assert "income" not in codes(asked)
    assert said[1].text == "There are no segments yet."


def test_only_a_question_without_words_is_an_error(asked: Session) -> None:
    before = decisions(asked)
    with pytest.raises(InvalidInput, match="no word that says what to find"):
        asked.say("of the and")
    with pytest.raises(InvalidInput, match="empty"):
        asked.say("  ")
    assert decisions(asked) == before


def test_export_names_a_file_never_a_path(
    built: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = reply(built, "export as “../../etc/my plan.csv”")
    assert said.changes["exported"]["after"] == "exports/etcmy plan.csv"
    assert [p.name for p in (tmp_path / "exports").iterdir()] == ["etcmy plan.csv"]


def test_starting_over_keeps_the_data_and_can_be_undone(built: Session) -> None:
    built.say("use third party data")
    before = decisions(built)
    said = reply(built, "start over: people who take the train")
    assert built.state.query == "people who take the train"
    assert built.state.data_type == "third_party"
    assert built.segmentation is None
    assert [a["action"] for a in said.actions] == ["start_over", "ask"]
    built.say("undo")
    assert decisions(built) == before


def test_views_say_the_new_verbs_too(built: Session) -> None:
    shown = built.perform("compare", {"segments": [1, 3]}).to_dict()
    assert [s["id"] for s in shown["comparison"]["segments"]] == [1, 3]
    assert built.perform("explain", {"segment": 2}).to_dict()["explanation"]["id"] == 2
    assert built.perform("explain", {}).to_dict()["explanation"]["of"] == "answer"
    built.perform("restart")
    assert built.perform("undo").to_dict()["redo"] == "the new start"
    assert built.perform("redo").to_dict()["query"] is None
    with pytest.raises(InvalidInput, match="'segments'"):
        built.perform("compare", {"segments": "1"})
    with pytest.raises(WrongStep):
        built.compare([1, 2])
    built.undo()
    with pytest.raises(NotFound):
        built.explain(code="nowhere")
    with pytest.raises(InvalidInput, match="1 segments are named"):
        built.compare([1])


def test_planted_markup_comes_back_as_text(built: Session) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    said = reply(built, f"rename segment 1 to “{hostile}”")
    assert built.segmentation.segments[0].name == hostile  # type: ignore[union-attr]
    assert hostile in said.text
    assert reply(built, f"add “{hostile}”").actions[0]["topic"] == hostile
