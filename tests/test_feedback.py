"""Learning from use: what moves, what never does, and the file it is kept in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import Catalog, Variable
from audience_nb.errors import DamagedFile
from audience_nb.search.decisions import Decision, Decisions
from audience_nb.search.feedback import PART, STRENGTH, Feedback
from audience_nb.search.query import Query, Suggestion

LABELS = {
    "RENT1": "Rent as a share of income > Total > 15 to 19 percent",
    "RENT2": "Rent as a share of income > Total > 30 to 34 percent",
    "ISLE1": "Rent on islands > Total > 15 to 19 percent",
    "ISLE2": "Rent on islands > Total > 30 to 34 percent",
    "DOG": "Households with a dog",
    "CAT": "Households with a cat",
}
CATALOG = Catalog.from_records(
    [
        {"code": code, "label": label, "category": "Pets" if len(code) == 3 else "Housing"}
        for code, label in LABELS.items()
    ]
)


def shown(*codes: str, best: float = 0.8) -> list[Suggestion]:
    """Give suggestions in this order, each a little below the one before."""
    return [
        Suggestion(
            CATALOG[code],
            best - 0.05 * n,
            n + 1,
            {"words": (best - 0.05 * n) / 2, "meaning": (best - 0.05 * n) / 2},
            "words",
        )
        for n, code in enumerate(codes)
    ]


def codes(suggestions: list[Suggestion]) -> list[str]:
    return [s.variable.code for s in suggestions]


def test_without_decisions_nothing_changes() -> None:
    given_ = shown("DOG", "CAT")
    assert Feedback().rerank("pets", given_, CATALOG) == given_
    assert all(PART not in s.parts for s in Feedback().rerank("pets", given_))
    assert Feedback().rerank("pets", []) == []


def test_what_was_taken_rises_and_what_was_left_falls() -> None:
    feedback = Feedback()
    feedback.accept("pets at home", ["CAT"])
    feedback.reject(Query.of("pets at home"), ["RENT1"])
    moved = feedback.rerank("Pets at home!", shown("RENT1", "DOG", "CAT"))
    assert codes(moved) == ["CAT", "DOG", "RENT1"]
    assert [s.rank for s in moved] == [1, 2, 3]
    assert [s.why for s in moved] == [
        "words; you chose it for “pets at home”",
        "words",
        "words; you passed it over for “pets at home”",
    ]
    # 0.8 · 0.4 · 1 / 1.3 and −0.8 · 0.4 · 0.3 / 0.6: balances shrunk by 0.3.
    assert [round(s.parts[PART], 6) for s in moved] == [round(0.32 / 1.3, 6), 0.0, -0.16]
    assert all(sum(s.parts.values()) == pytest.approx(s.score, abs=1e-12) for s in moved)


def test_what_was_taken_comes_up_from_far_below() -> None:
    feedback = Feedback()
    feedback.accept("pets", ["CAT"])
    # 0.25 + 0.4 · 0.4 / 1.3 = 0.373: past the 0.35 of the second, by the best score, not its own.
    far = Suggestion(CATALOG["CAT"], 0.25, 3, {"words": 0.25}, "")
    moved = feedback.rerank("pets", [*shown("DOG", "RENT1", best=0.4), far])
    assert codes(moved) == ["DOG", "CAT", "RENT1"]
    assert moved[1].score == pytest.approx(0.25 + 0.16 / 1.3)


def test_the_last_verdict_on_a_query_counts() -> None:
    feedback = Feedback()
    feedback.accept("pets", "CAT")
    feedback.reject("Pets", ["CAT"])
    (moved,) = feedback.rerank("pets", shown("CAT"))
    assert moved.parts[PART] < 0
    feedback.accept("PETS", ["CAT"])
    (moved,) = feedback.rerank("pets", shown("CAT"))
    assert moved.parts[PART] > 0


def test_fewer_words_say_the_same_and_other_words_another_thing() -> None:
    feedback = Feedback()
    feedback.accept("affordable rent share of income", ["RENT2"])
    assert codes(feedback.rerank("rent share income", shown("RENT1", "RENT2"))) == [
        "RENT2",
        "RENT1",
    ]
    feedback.forget()
    feedback.accept("rent 30 to 34 percent", ["RENT2"])
    given_ = shown("RENT1", "RENT2")
    # Each has a number that the other lacks.
    assert feedback.rerank("rent 15 to 19 percent", given_) == given_


def test_habits_need_enough_questions_and_the_catalogue() -> None:
    feedback = Feedback()
    given_ = shown("ISLE1", "RENT1")
    for n in range(30):
        feedback.accept(f"question {n}", ["RENT2"])
        feedback.reject(f"question {n}", ["ISLE2"])
        if n == 5:
            assert feedback.rerank("cost of a flat", given_, CATALOG) == given_
    assert feedback.rerank("cost of a flat", given_) == given_
    moved = feedback.rerank("cost of a flat", given_, CATALOG)
    assert codes(moved) == ["RENT1", "ISLE1"]
    assert moved[0].why.startswith("words; you often choose")
    assert moved[1].why in (
        "words; you seldom choose the table “Rent on islands”",
        "words; you seldom choose what says “islands”",
    )
    # What is asked for is no habit: a person who never took islands may want them now.
    asked = feedback.rerank("islands", given_, CATALOG)
    assert asked[-1].parts[PART] > moved[-1].parts[PART]


def test_an_exact_match_stays_first_and_effects_are_bounded() -> None:
    feedback = Feedback()
    exact = Suggestion(CATALOG["DOG"], 1.0, 1, {"words": 1.0}, "its own label or code")
    for _ in range(20):
        feedback.reject("dog", ["DOG"])
        feedback.accept("dog", ["CAT"])
    moved = feedback.rerank("dog", [exact, *shown("CAT", best=0.99)], CATALOG)
    assert codes(moved) == ["DOG", "CAT"]
    assert (moved[0].score, moved[0].parts[PART]) == (1.0, 0.0)
    assert moved[1].score == pytest.approx(0.999, abs=1e-12)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pets", "rent", "rent share", "a dog at home", "islands 15"]),
            st.sets(st.sampled_from(sorted(LABELS))),
            st.booleans(),
        ),
        max_size=25,
    ),
    st.permutations(sorted(LABELS)),
    st.sampled_from(["pets", "rent of a share", "home dog", "Q"]),
)
def test_whatever_was_decided_the_list_stays_sound(
    decisions: list[tuple[str, set[str], bool]], order: list[str], query: str
) -> None:
    feedback = Feedback()
    for text, chosen, accepted in decisions:
        (feedback.accept if accepted else feedback.reject)(text, sorted(chosen))
    exact = Suggestion(Variable("Q", "Q"), 1.0, 1, {"words": 1.0}, "")
    given_ = [exact, *(replace(s, rank=s.rank + 1) for s in shown(*order, best=0.95))]
    moved = feedback.rerank(query, given_, CATALOG)
    assert moved == feedback.rerank(query, given_, CATALOG)
    assert sorted(codes(moved)) == sorted(codes(given_))
    assert moved[0].variable.code == "Q"
    before = {s.variable.code: s.score for s in given_}
    for rank, suggestion in enumerate(moved, start=1):
        was = before[suggestion.variable.code]
        assert suggestion.rank == rank
        assert 0 <= suggestion.score <= 1
        assert -STRENGTH * was <= suggestion.score - was + 1e-12
        assert suggestion.score - was <= STRENGTH * 0.95 + 1e-12
        assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score, abs=1e-9)


def test_a_spread_list_keeps_its_order_where_nothing_was_learnt() -> None:
    # The last serves another idea and stands there in spite of its score.
    spread = [*shown("DOG", "CAT", best=0.5), *shown("RENT1", "RENT2", best=0.9)]
    feedback = Feedback()
    feedback.accept("homes", ["RENT2"])
    assert codes(feedback.rerank("homes", spread)) == ["RENT2", "DOG", "CAT", "RENT1"]


# -- the file ------------------------------------------------------------------------------------


def test_decisions_outlive_the_process_and_hold_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "feedback.jsonl"
    Feedback(path).accept("  pets \n at home ", ["CAT", "DOG"])
    Feedback(path).reject("pets at home", ["RENT1"])
    Feedback(path).reject("pets at home", [])
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == [
        {"query": "pets at home", "accepted": ["CAT", "DOG"]},
        {"query": "pets at home", "rejected": ["RENT1"]},
    ]
    assert codes(Feedback(path).rerank("pets at home", shown("RENT1", "CAT"))) == ["CAT", "RENT1"]
    assert len(Feedback(path)) == 2


def test_what_another_process_learns_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    here = Feedback(path)
    given_ = shown("DOG", "CAT")
    assert here.rerank("pets", given_) == given_
    code = (
        "import sys; from audience_nb.search.feedback import Feedback; "
        "Feedback(sys.argv[1]).accept('pets', ['CAT'])"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    # Asking how much there is must not hide the news from the next search.
    assert len(here) == 1
    assert codes(here.rerank("pets", given_)) == ["CAT", "DOG"]
    assert Feedback(path).forget() == 1
    assert here.rerank("pets", given_) == given_


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    feedbacks = [Feedback(path) for _ in range(4)]

    def write(n: int) -> None:
        for i in range(25):
            feedbacks[n].accept(f"question {n} {i}", ["CAT"])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = Decisions(path).read()
    assert {d.query for d in read} == {f"question {n} {i}" for n in range(4) for i in range(25)}
    assert Feedback(path).problems == ()


def test_damaged_lines_are_named_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    good = b'{"query": "pets", "accepted": ["CAT"]}\n'
    bad = [
        b"\xff\xfe\n",
        b"[]\n",
        b'{"query": 7, "accepted": []}\n',
        b'{"query": "x"}\n',
        b"[" * 9999,
    ]
    path.write_bytes(good + b"".join(bad))
    feedback = Feedback(path)
    assert [p.line for p in feedback.problems] == [2, 3, 4, 5, 6]
    assert codes(feedback.rerank("pets", shown("DOG", "CAT"))) == ["CAT", "DOG"]
    # The last line was torn: the next decision does not continue it.
    feedback.accept("pets", ["DOG"])
    assert [p.line for p in feedback.problems] == [2, 3, 4, 5, 6]
    assert Decisions(path).read()[-1] == Decision("pets", ("DOG",), True)


def test_the_file_stays_small_and_keeps_the_newest(tmp_path: Path) -> None:
    for path in (tmp_path / "feedback.jsonl", None):
        decisions = Decisions(path, max_bytes=2_000)
        for n in range(200):
            decisions.add(f"question {n}", ["CAT"], accepted=True)
            if path is not None:
                assert path.stat().st_size <= 2_000
        kept = [d.query for d in decisions.read()]
        assert kept == [f"question {n}" for n in range(200 - len(kept), 200)]
        assert 15 < len(kept) < 50


def test_one_question_can_be_forgotten(tmp_path: Path) -> None:
    for feedback in (Feedback(), Feedback(tmp_path / "feedback.jsonl")):
        feedback.accept("pets", ["CAT"])
        feedback.accept("rent", ["RENT1"])
        assert feedback.forget("Pets ") == 1
        assert len(feedback) == 1
        given_ = shown("DOG", "CAT")
        assert feedback.rerank("pets", given_) == given_
        assert feedback.forget() == 1
        assert feedback.forget() == 0
    assert not (tmp_path / "feedback.jsonl").exists()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="is a folder"):
        Feedback(tmp_path).accept("pets", ["CAT"])


def test_the_repr_names_no_path(tmp_path: Path) -> None:
    assert repr(Feedback(tmp_path / "feedback.jsonl")) == "Feedback('feedback.jsonl', 0 decisions)"
    assert repr(Feedback()) == "Feedback('memory', 0 decisions)"
