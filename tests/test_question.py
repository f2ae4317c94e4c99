"""What goes with a question's words: filters, intents, variants, edits, and learning from use."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audience_nb.catalog import Catalog
from audience_nb.embedding.encoder import FloatArray
from audience_nb.errors import EncoderFailed, InvalidInput, NotFound
from audience_nb.question import Edits, Filters, Understanding, checked_kinds, options_of
from audience_nb.search.feedback import Feedback
from audience_nb.session import Session
from audience_nb.sources.synthetic import SyntheticSource

PERIODS = {"R26": "2026 estimate", "R21": "2021 census", "R31": "2031 projection"}
OPINE = {"source": "Opine", "unit": "percent"}
RECORDS = [
    *(
        {
            "code": code,
            "label": f"Median rent of the home, {period}",
            "measure": "Median rent of the home",
            "category": "Housing",
            "source": "Census",
        }
        for code, period in PERIODS.items()
    ),
    {"code": "INC", "label": "Household income", "category": "Income", "source": "Census"},
    {"code": "AGE", "label": "Adults aged 25 to 44", "category": "Age", "source": "Census"},
    {"code": "BIKE", "label": "Rides a bicycle to work", "kind": "behavioral", "category": "Travel",
     "availability": ["first_party"], **OPINE},
    {"code": "TRAIN", "label": "Takes the train to work", "kind": "behavioral",
     "category": "Travel", **OPINE},
    {"code": "RECYCLE", "label": "Recycles packaging every week", "kind": "behavioral",
     "category": "Environment", **OPINE},
    {"code": "GREEN", "label": "Cares about the environment", "kind": "psychographic",
     "category": "Environment", **OPINE},
    {"code": "GARDEN", "label": "Enjoys gardening at home", "kind": "psychographic",
     "category": "Hobbies", **OPINE},
]  # fmt: skip
QUERY = "people who cycle to work, pay rent and care about the environment"


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.from_records(RECORDS, name="test")


@pytest.fixture
def session(catalog: Catalog) -> Session:
    return opened(catalog)


def opened(catalog: Catalog, **options: object) -> Session:
    source = SyntheticSource(catalog, 200, random_state=1)
    return Session(catalog=catalog, source=source, **options)  # type: ignore[arg-type]


def codes(session: Session) -> list[str]:
    return [s.variable.code for s in session.suggestions]


def reopened(session: Session) -> Session:
    saved = json.loads(json.dumps(session.to_json()))
    return Session.from_json(saved, catalog=session.catalog, source=session.source)


def run(code: str, session: Session) -> Session:
    space = {"catalog": session.catalog, "source": session.source}
    exec(compile(code, "cell", "exec"), space)
    made = space["session"]
    assert isinstance(made, Session)
    return made


# -- filters -----------------------------------------------------------------------------------


def test_filters_narrow_an_answer_and_stay_with_it(session: Session) -> None:
    session.ask(QUERY, limit=6)
    assert {"BIKE", "GREEN"} <= set(codes(session))
    session.ask(QUERY, limit=6, kinds=["behavioral"], sources="Opine")
    assert set(codes(session)) == {"BIKE", "TRAIN", "RECYCLE"}
    shown = session.snapshot().to_dict()
    assert shown["filters"] == {
        "kinds": ["behavioral"], "sources": ["Opine"], "categories": [], "availability": [],
    }  # fmt: skip
    assert shown["options"]["sources"] == ["Census", "Opine"]
    assert shown["options"]["kinds"] == ["demographic", "behavioral", "psychographic"]
    assert "within the filters (behavioral, Opine)" in session.messages[-1].text
    assert session.undoable == "the filters"
    # Another data type asks the same question again.
    session.choose("third_party")
    assert set(codes(session)) == {"TRAIN", "RECYCLE"}
    assert session.undoable == "the choice of third party data"
    session.undo()
    again = reopened(session)
    assert again.snapshot().to_dict() == {
        **session.snapshot().to_dict(),
        "undo": None,
        "redo": None,
    }
    made = run(session.to_code(), session)
    assert codes(made) == codes(session)
    assert made.state.filters == session.state.filters
    session.undo()
    assert not session.state.filters
    session.ask("gardening", limit=2, categories=["Hobbies"])
    session.ask("train", limit=2)
    assert "The filters of the question before are off." in session.messages[-1].text


def test_availability_asks_for_more_than_the_data_type_chosen(session: Session) -> None:
    session.ask(QUERY, limit=9, availability=["clean_room"])
    assert "BIKE" not in codes(session)
    assert "TRAIN" in codes(session)
    session.ask(QUERY, limit=9)
    assert "BIKE" in codes(session)


def test_a_filter_that_nothing_can_pass_is_refused(session: Session) -> None:
    session.ask(QUERY, limit=3)
    before = session.snapshot().to_dict()
    for options, words in [
        ({"sources": ["Nobody"]}, "No variable has the source 'Nobody'. Use one of: Census, Opine"),
        ({"kinds": ["odd"]}, "No variable has the kind 'odd'. Use one of: behavioral, demographic"),
        ({"categories": ["<b>x</b>"]}, "category '<b>x</b>'"),
        ({"availability": ["mine"]}, "data type 'mine'"),
        ({"intents": ["odd"]}, "kind 'odd'"),
        ({"variants": ["odd"]}, "code 'odd'"),
    ]:
        with pytest.raises((InvalidInput, NotFound), match=words):
            session.ask(QUERY, **options)  # type: ignore[arg-type]
    assert session.snapshot().to_dict() == before


def test_an_empty_answer_names_the_next_move(session: Session) -> None:
    session.ask(QUERY, limit=3)
    session.perform("ask", {"text": QUERY, "kinds": ["lifestyle"]})
    assert codes(session) == []
    assert session.messages[-1].text == (
        "No variable matches within the filters (lifestyle). Clear them, or choose others."
    )
    session.undo()
    assert len(codes(session)) == 3


@pytest.mark.parametrize("text", ["🎉🎉", "of the and", "???", "<>", "\u202e\u200b"])
def test_what_is_no_question_is_said_and_takes_nothing_away(session: Session, text: str) -> None:
    session.ask(QUERY, limit=3)
    before = session.snapshot().to_dict()
    with pytest.raises(InvalidInput) as failed:
        session.perform("ask", {"text": text})
    assert failed.value.next_move.startswith("Describe the audience")
    assert session.snapshot().to_dict() == before
    with pytest.raises(InvalidInput):
        session.perform("say", {"text": text})
    after = session.snapshot().to_dict()
    assert after["messages"][-1]["role"] in ("user", "assistant")
    assert {k: v for k, v in after.items() if k != "messages"} == {
        k: v for k, v in before.items() if k != "messages"
    }


def test_options_are_the_most_frequent_values() -> None:
    records = [
        {"code": f"V{i}", "label": f"Variable {i}", "category": f"C{i // 2 if i < 400 else 7}"}
        for i in range(450)
    ]
    options = options_of(Catalog.from_records(records))
    assert options["categories"][0] == "C7"
    assert len(options["categories"]) == 200
    assert options["sources"] == []
    assert options["availability"] == ["first_party", "third_party", "clean_room"]


# -- what was understood -----------------------------------------------------------------------


def test_what_was_understood_is_told_and_kept(session: Session) -> None:
    session.ask("millennials who care about the enviroment", limit=4)
    understood = session.snapshot().to_dict()["understood"]
    assert "millennials" in [c["name"] for c in understood["concepts"]]
    assert {"written": "enviroment", "read": "environment"} in understood["mended"]
    kinds = {i["kind"]: i["because"] for i in understood["intents"]}
    assert "demographic" in kinds
    assert "millennial" in kinds["demographic"]
    assert understood["by_words"] is False
    assert understood["note"] == ""
    assert reopened(session).state.understood == session.state.understood
    session.ask("rent " * 1000, limit=2)
    assert "characters were searched" in session.snapshot().to_dict()["understood"]["note"]


def test_intents_are_overridden_and_taken_back(session: Session) -> None:
    session.ask(QUERY, limit=4)
    assert session.state.intents is None
    session.perform("ask", {"text": QUERY, "limit": 4, "intents": ["psychographic"]})
    assert session.state.intents == ("psychographic",)
    assert session.undoable == "what was meant"
    assert session.messages[-1].text.startswith("Looking first for psychographic: 4 variables")
    assert reopened(session).state.intents == ("psychographic",)
    assert "intents=['psychographic']" in session.to_code()
    session.perform("ask", {"text": QUERY, "limit": 4, "intents": []})
    assert session.state.intents == ()
    assert "no kind in particular" in session.messages[-1].text
    session.perform("ask", {"text": QUERY, "limit": 4, "intents": None})
    assert session.state.intents is None
    session.undo()
    session.undo()
    assert session.state.intents == ("psychographic",)


# -- variants ----------------------------------------------------------------------------------


def test_a_variant_is_swapped_in_suggestions_and_ticks(session: Session) -> None:
    found = session.ask("rent and income", limit=3)
    rent = next(s for s in found if s.variable.code == "R26")
    assert set(rent.variants) == set(PERIODS)
    shown = next(s for s in session.snapshot().to_dict()["suggestions"] if s["code"] == "R26")
    assert shown["measure"] == "Median rent of the home"
    assert shown["variant"] == "2026 estimate"
    assert {v["code"]: v["text"] for v in shown["variants"]} == PERIODS
    income = next(s for s in session.snapshot().to_dict()["suggestions"] if s["code"] == "INC")
    assert (income["variant"], income["variants"]) == ("", [])
    ticked = session.selected
    order = codes(session)

    new = session.perform("swap", {"code": "R26", "with": "R21"}).to_dict()
    assert codes(session) == [{"R26": "R21"}.get(c, c) for c in order]
    assert session.selected == [{"R26": "R21"}.get(c, c) for c in ticked]
    swapped = next(s for s in new["suggestions"] if s["code"] == "R21")
    assert (swapped["variant"], swapped["selected"]) == ("2021 census", True)
    assert swapped["score"] == shown["score"]
    assert new["undo"] == "the choice of a variant"

    again = reopened(session)
    assert again.snapshot().to_dict() == {
        **session.snapshot().to_dict(),
        "undo": None,
        "redo": None,
    }
    assert codes(run(session.to_code(), session)) == codes(session)
    session.confirm()
    assert run(session.to_code(), session).state.confirmed == session.state.confirmed
    session.undo()
    session.undo()
    assert codes(session) == order
    assert session.selected == ticked


def test_only_a_variant_of_a_suggestion_can_be_swapped_in(session: Session) -> None:
    session.ask("rent and income", limit=2)
    before = session.snapshot().to_dict()
    with pytest.raises(NotFound, match="'GARDEN' is not among the 2 suggestions"):
        session.swap("GARDEN", "GREEN")
    with pytest.raises(InvalidInput, match="'AGE' is none of the 3 variants of 'R26'"):
        session.swap("R26", "AGE")
    with pytest.raises(InvalidInput, match="none of the 0 variants"):
        session.swap("INC", "INC2")
    with pytest.raises(InvalidInput, match="swap lacks 'with'"):
        session.perform("swap", {"code": "R26"})
    assert session.snapshot().to_dict() == before


def test_variants_that_would_read_alike_are_told_by_their_labels() -> None:
    records = [
        {"code": "A", "label": "Rent", "measure": "Rent", "category": "Housing"},
        {"code": "B", "label": "Rent, 2021", "measure": "Rent", "category": "Housing"},
        {"code": "C", "label": "Books [Weekly] - Reads", "measure": "Books - Reads"},
        {"code": "D", "label": "Books [<b>Daily</b>] - Reads", "measure": "Books - Reads"},
    ]
    session = opened(Catalog.from_records(records))
    session.ask("rent and reading books", limit=4)
    shown = session.snapshot().to_dict()["suggestions"]
    texts = {v["code"]: v["text"] for s in shown for v in s["variants"]}
    assert texts == {"A": "Rent", "B": "Rent, 2021", "C": "Weekly", "D": "<b>Daily</b>"}


# -- asking again ------------------------------------------------------------------------------


def test_asking_again_keeps_what_was_done_to_the_answer(session: Session) -> None:
    session.ask(QUERY, limit=6)
    session.swap("R26", "R31")
    session.refine("add gardening")
    session.refine("drop train")
    session.select([*(c for c in session.selected if c != "RECYCLE"), "AGE"])
    assert "AGE" not in codes(session)
    kept, ticked = codes(session), session.selected
    assert {"R31", "GARDEN", "RECYCLE"} <= set(kept)
    assert "TRAIN" not in kept

    session.ask(QUERY, limit=6, kinds=["psychographic"])
    assert "GARDEN" in codes(session)
    assert "R31" not in [*codes(session), *session.selected]
    # What was ticked without being suggested stays as well.
    assert "AGE" in session.selected
    session.ask(QUERY, limit=6)
    assert set(kept) <= set(codes(session))
    assert "TRAIN" not in codes(session)
    assert "RECYCLE" not in session.selected
    assert {"R31", "GARDEN", "AGE"} <= set(session.selected)
    assert set(ticked) <= set(session.selected)

    session.ask("people who cycle to work", limit=2)
    assert session.state.edits == Edits()
    assert session.selected == codes(session)


def test_what_is_ticked_again_is_no_longer_unwanted(session: Session) -> None:
    session.ask(QUERY, limit=6)
    session.select([c for c in session.selected if c != "GREEN"])
    session.ask(QUERY, limit=6, kinds=["behavioral"])
    session.ask(QUERY, limit=6)
    assert "GREEN" not in session.selected
    session.select([*session.selected, "GREEN"])
    session.ask(QUERY, limit=6, kinds=["psychographic"])
    assert "GREEN" in session.selected


def test_ticks_that_are_not_confirmed_are_in_the_code(session: Session) -> None:
    session.ask(QUERY, limit=4)
    session.select(["INC", "AGE"])
    assert run(session.to_code(), session).selected == ["INC", "AGE"]


# -- learning from use -------------------------------------------------------------------------


def test_nothing_is_learnt_unless_asked_for(catalog: Catalog) -> None:
    assert opened(catalog).feedback is None
    assert opened(catalog, feedback=False).feedback is None


def test_what_is_confirmed_is_learnt_once(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "use.jsonl"
    session = opened(catalog, feedback=path)
    session.ask(QUERY, limit=5)
    first = session.suggestions
    session.select([*(c for c in session.selected if c != first[0].variable.code), "GARDEN"])
    session.build(10, 0.05, 0.15)
    session.build(11, 0.05, 0.15)
    learnt = Feedback(path)
    assert len(learnt) == 2
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert entries[0]["query"] == QUERY
    assert "GARDEN" in entries[0]["accepted"]
    assert entries[1]["rejected"] == [first[0].variable.code]
    # Replaying decisions is no second opinion.
    saved = session.to_json()
    again = Session.from_json(saved, catalog=catalog, source=session.source, feedback=path)
    assert len(learnt) == 2
    assert again.feedback is not None
    # The next answer has learnt: what was left is no longer first, and says why.
    asked = again.ask(QUERY + ".", limit=5)
    assert asked[0].variable.code != first[0].variable.code
    assert any(s.parts.get("use", 0) > 0 for s in asked)
    for s in asked:
        assert sum(s.parts.values()) == pytest.approx(s.score, abs=1e-9)


def test_a_memory_of_this_process_only(catalog: Catalog) -> None:
    session = opened(catalog, feedback=True)
    session.ask(QUERY, limit=5)
    session.confirm(top=2)
    assert len(session.feedback) == 2  # type: ignore[arg-type]


def test_a_choice_that_cannot_be_remembered_stops_nobody(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(catalog, feedback=True)
    session.ask(QUERY, limit=5)

    def fail(query: str, codes: Sequence[str]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session.feedback, "accept", fail)
    session.confirm(top=2)
    assert len(session.state.confirmed) == 2
    assert "could not be remembered: No space left" in session.messages[-1].text


# -- learning in the background ----------------------------------------------------------------


class Gated:
    """An encoder that waits for a gate; each word gives its own direction."""

    name = "gated"
    n_dimensions = 32

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began = threading.Event()

    def encode(self, texts: Sequence[str]) -> FloatArray:
        self.began.set()
        assert self.gate.wait(60)
        vectors = np.full((len(texts), self.n_dimensions), 0.01, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, sum(word.encode()) % self.n_dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_view_is_answered_by_words_while_code_waits(catalog: Catalog) -> None:
    encoder = Gated()
    session = opened(catalog, encoder=encoder, background=True)
    shown = session.perform("ask", {"text": QUERY, "limit": 4}).to_dict()
    assert shown["understood"]["by_words"] is True
    assert shown["index"]["ready"] is False
    assert 0 <= shown["index"]["fraction"] < 1
    assert "learn" in shown["index"]["description"]
    assert len(shown["suggestions"]) == 4
    answered = threading.Event()
    heard: list[bool] = []

    def ask() -> None:
        session.ask(QUERY, limit=4)
        heard.append(session.state.understood.by_words)  # type: ignore[union-attr]
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert encoder.began.wait(60)
    assert not answered.wait(0.2)
    encoder.gate.set()
    assert answered.wait(60)
    thread.join()
    assert heard == [False]
    after = session.snapshot().to_dict()
    assert (after["index"]["ready"], after["index"]["fraction"]) == (True, 1.0)
    assert after["index"]["by_meaning"] is True


def test_meanings_that_cannot_be_learnt_leave_answers_by_words(catalog: Catalog) -> None:
    class Broken(Gated):
        name = "broken"

        def encode(self, texts: Sequence[str]) -> FloatArray:
            raise EncoderFailed("The server said 401.", "Give another key.")

    session = opened(catalog, encoder=Broken(), background=True)
    assert len(session.ask(QUERY, limit=4)) == 4
    shown = session.snapshot().to_dict()
    assert shown["understood"]["by_words"] is True
    assert (shown["index"]["ready"], shown["index"]["by_meaning"]) == (True, False)
    assert "could not be learnt: The server said 401." in shown["index"]["description"]


# -- plain values ------------------------------------------------------------------------------


def test_plain_values_and_back() -> None:
    understood = Understanding(
        (("millennials", "adults"),), (("incme", "income"),), (("lifestyle", "“x”"),), "cut", True
    )
    assert Understanding.from_dict(json.loads(json.dumps(understood.to_dict()))) == understood
    edits = Edits(("A",), ("B",), ("C",), ("D",))
    assert Edits.from_dict(json.loads(json.dumps(edits.to_dict()))) == edits
    filters = Filters(kinds=("lifestyle",), availability=("clean_room",))
    assert str(filters) == "lifestyle, clean room"
    assert filters.given == {"kinds": ["lifestyle"], "availability": ["clean_room"]}
    assert checked_kinds(["lifestyle", "lifestyle"]) == ("lifestyle",)


def test_sessions_saved_before_there_were_filters_can_be_read(session: Session) -> None:
    session.ask(QUERY, limit=3)
    saved = session.to_json()
    for name in ("filters", "intents", "understood", "edits"):
        del saved[name]
    for suggestion in saved["suggestions"]:
        del suggestion["variants"]
    again = Session.from_json(saved, catalog=session.catalog, source=session.source)
    assert codes(again) == codes(session)
    assert again.state.filters == Filters()
