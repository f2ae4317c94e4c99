"""The road from a question to a file, on a small table and a real encoder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audience_nb.errors import (
    DamagedFile,
    Infeasible,
    InvalidInput,
    NotAllowed,
    NotFound,
    WrongStep,
)
from audience_nb.export import Audience
from audience_nb.session import Session
from audience_nb.sources.synthetic import SyntheticSource

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


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    age = rng.integers(18, 85, n)
    income = np.round(20_000 + 900 * age + rng.gamma(2.0, 15_000, n), -2)
    return pd.DataFrame(
        {
            "who": [f"P{i:05d}" for i in range(n)],
            "age": age,
            "income": income,
            "organic": rng.integers(1, 6, n),
            "bicycle": np.where(rng.random(n) < 0.3, "yes", "no"),
            "car": np.where(age > 40, "yes", "no"),
            "train": rng.integers(1, 6, n),
            "rent": rng.choice(["rent", "own", "other"], n),
            "gardening": rng.integers(1, 6, n),
            "email": [f"p{i}@example.com" for i in range(n)],
        }
    )


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def session() -> Session:
    return Session(table(), LABELS, id="who")


def codes(session: Session) -> list[str]:
    return [s.variable.code for s in session.suggestions]


def test_the_whole_road(session: Session, tmp_path: Path) -> None:
    found = session.ask("people who cycle instead of driving", limit=3)
    assert len(found) == 3
    assert {"bicycle", "car"} <= set(codes(session))
    assert [s.rank for s in found] == [1, 2, 3]
    variables = session.confirm(top=3)
    assert [v.code for v in variables] == codes(session)
    frame = session.load()
    assert frame.shape == (400, 3)
    assert frame.index.name == "who"
    segmentation = session.segment()
    sizes = [s.size for s in segmentation.segments]
    assert sum(sizes) == 400
    assert all(20 <= size <= 40 for size in sizes)
    assert session.enrich() is None
    picked = session.pick([1, 3])
    assert picked is not None
    assert picked.size == sizes[0] + sizes[2]
    path = session.export(tmp_path / "out.csv")
    read = Audience.read_csv(path)
    assert set(read["segment"]) == {1, 3}
    header = read.attrs.pop("audience")
    assert header["query"] == "people who cycle instead of driving"
    assert header["seed"] == 0
    pd.testing.assert_frame_equal(read, session.audience.frame)  # type: ignore[union-attr]


def test_verbs_may_be_skipped_where_nothing_is_to_decide(session: Session) -> None:
    session.confirm(["age", "income"])
    assert session.segment(n_segments=12).n_segments == 12


def test_a_verb_too_early_says_what_comes_first(session: Session, tmp_path: Path) -> None:
    for verb in (session.enrich, lambda: session.export(tmp_path / "x.csv"), session.distribute):
        with pytest.raises(WrongStep, match="no segments yet"):
            verb()
    with pytest.raises(WrongStep, match="nothing to refine"):
        session.refine("add cycling")
    with pytest.raises(InvalidInput, match="0 variables are selected"):
        session.load()
    with pytest.raises(WrongStep, match="nothing to undo"):
        session.undo()


def test_bad_choices_leave_the_work_as_it_was(session: Session) -> None:
    session.ask("cycling", limit=4)
    session.confirm(["age", "income", "organic"])
    session.load()
    before = session.snapshot().to_dict()
    with pytest.raises(NotFound, match="no-such"):
        session.confirm(["age", "no-such"])
    with pytest.raises(Infeasible):
        session.segment(n_segments=3)
    with pytest.raises(InvalidInput, match="empty"):
        session.ask("   ")
    with pytest.raises(InvalidInput, match="limit is 0"):
        session.ask("cycling", limit=0)
    assert session.snapshot().to_dict() == before


def test_repeating_a_verb_discards_and_says_so(session: Session) -> None:
    session.confirm(["age", "income"])
    n = session.segment(n_segments=11).n_segments
    session.rename(1, "Mine")
    session.confirm(["age", "organic"])
    assert session.segmentation is None
    assert session.frame is None
    assert f"replaces the earlier {n} segments and 1 names of yours" in session.messages[-1].text


def test_undo_goes_back_step_by_step(session: Session) -> None:
    session.ask("cycling", limit=3)
    asked = session.snapshot().to_dict()
    session.build(12)
    assert session.undoable == "the segments"
    session.rename(2, "Mine")
    assert session.segmentation.segments[1].name == "Mine"  # type: ignore[union-attr]
    session.undo()
    assert session.segmentation.segments[1].name != "Mine"  # type: ignore[union-attr]
    session.undo()
    after = session.snapshot().to_dict()
    changing = {"revision", "messages", "redo"}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in asked.items() if k not in changing
    }
    session.undo()
    assert session.suggestions == []


def test_refine_edits_instead_of_overwriting(session: Session) -> None:
    session.ask("income and cycling", limit=4)
    first = codes(session)
    assert {"income", "bicycle"} <= set(first)
    session.refine("drop income, add gardening")
    assert "income" not in codes(session)
    assert "gardening" in codes(session)
    assert [c for c in first if c != "income"] == codes(session)[: len(first) - 1]
    assert [s.rank for s in session.suggestions] == list(range(1, len(codes(session)) + 1))
    assert "Dropped Household income before tax." in session.messages[-1].text
    session.ask("age and cycling", limit=4)
    session.refine("only demographic")
    assert "age" in codes(session)
    assert {s.variable.kind for s in session.suggestions} == {"demographic"}


def test_the_conversation_sets_sizes_and_undoes(session: Session) -> None:
    session.say("people who cycle")
    assert session.state.query == "people who cycle"
    session.say("8 segments, none above 15 %")
    assert (session.state.n_segments, session.state.max_share) == (8, 0.15)
    session.confirm(["age", "income", "organic"])
    session.build()
    assert session.segmentation.n_segments == 8  # type: ignore[union-attr]
    assert max(s.share for s in session.segmentation.segments) <= 0.15  # type: ignore[union-attr]
    session.say("undo")
    assert session.segmentation is None
    assert [m.role for m in session.messages if m.text == "undo"] == ["user"]


def test_views_call_one_function_with_checked_arguments(session: Session) -> None:
    told: list[tuple[str, float]] = []
    snapshot = session.perform("ask", {"text": "cycling", "limit": 3}).to_dict()
    assert [s["code"] for s in snapshot["suggestions"]] == codes(session)
    assert [s["state"] for s in snapshot["steps"]] == ["done", "current", "waiting", "waiting"]
    session.perform("select", {"codes": ["age", "income", "bicycle"]})
    built = session.perform("build", {"n_segments": 12}, lambda *t: told.append(t)).to_dict()
    assert built["segmentation"]["n_segments"] == 12
    assert built["segmentation"]["bounds"] == {
        "smallest": 20,
        "largest": 40,
        "min_share": 0.05,
        "max_share": 0.1,
    }
    assert sum(s["size"] for s in built["segmentation"]["segments"]) == 400
    assert told
    assert all(0 <= fraction <= 1 for _, fraction in told)
    for verb, arguments, words in [
        ("__init__", {}, "no verb"),
        ("save", {"path": "x"}, "no verb"),
        ("ask", {}, "lacks 'text'"),
        ("ask", {"text": 5}, "'text'"),
        ("ask", {"text": "x", "encoder": "y"}, "no argument 'encoder'"),
        ("pick", {"segments": [True]}, "'segments'"),
        ("segment", {"min_share": 5}, "'min_share'"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            session.perform(verb, arguments)


def test_a_view_names_a_file_never_a_path(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session.confirm(["age", "income"])
    session.segment()
    shown = session.perform("export", {"name": "../../etc/my plan.csv"}).to_dict()
    assert Path(shown["export"]["path"]) == Path("exports/etcmy plan.csv")
    assert (tmp_path / "exports" / "etcmy plan.csv").is_file()
    assert shown["export"]["rows"] == 400


def test_no_record_or_identifier_is_in_what_views_and_files_show(
    session: Session, tmp_path: Path
) -> None:
    session.ask("income and cycling", limit=4)
    session.build(12)
    session.choose("first_party", "customer_id")
    session.build(12)
    path = session.save(tmp_path / "saved.json")
    shown = json.dumps(session.snapshot().to_dict()) + path.read_text() + repr(session)
    shown += repr(session.audience) + repr(session.segmentation) + repr(session.source)
    assert not any(who in shown for who in table()["who"])
    assert "@example.com" not in shown


def test_a_saved_session_reopens_to_the_same_snapshot(session: Session, tmp_path: Path) -> None:
    session.ask("income and cycling", limit=4)
    session.refine("add gardening")
    session.build(13, 0.05, 0.10)
    session.rename(2, "Mine")
    session.pick([2, 5])
    session.export(tmp_path / "out.csv")
    session.distribute("file", path=tmp_path / "sent.csv", confirm=True)
    (tmp_path / "sent.csv").unlink()
    path = session.save(tmp_path / "saved.json")
    again = Session.open(path, table(), dictionary=LABELS)
    shown, before = again.snapshot().to_dict(), session.snapshot().to_dict()
    assert before.pop("undo") == "the receipt"
    assert shown.pop("undo") is None
    assert shown == before
    pd.testing.assert_series_equal(again.segmentation.labels, session.segmentation.labels)  # type: ignore[union-attr]
    # Reopening never distributes again.
    assert not (tmp_path / "sent.csv").exists()


def test_other_data_is_not_taken_for_the_saved(session: Session, tmp_path: Path) -> None:
    path = session.save(tmp_path / "saved.json")
    with pytest.raises(InvalidInput, match="another fingerprint"):
        Session.open(path, table().drop(columns="train"), dictionary=LABELS)
    with pytest.raises(InvalidInput, match="a table of your own"):
        Session.open(path)
    (tmp_path / "torn.json").write_text(path.read_text()[:50])
    with pytest.raises(DamagedFile):
        Session.open(tmp_path / "torn.json")
    lacking = json.loads(path.read_text())
    del lacking["selected"]
    with pytest.raises(DamagedFile, match="'selected'"):
        Session.from_json(lacking, table(), dictionary=LABELS)


def test_code_leads_to_the_same_audience(tmp_path: Path) -> None:
    data = tmp_path / "people.csv"
    table().to_csv(data, index=False)
    book = tmp_path / "book.csv"
    pd.DataFrame({"column": list(LABELS), "label": list(LABELS.values())}).to_csv(book, index=False)
    session = Session(data, book, id="who")
    session.ask("income and cycling", limit=4)
    session.build("auto")
    session.rename(1, "It's “mine”")
    session.pick([1, 4])
    session.export(tmp_path / "a.csv")
    first = (tmp_path / "a.csv").read_bytes()
    (tmp_path / "a.csv").unlink()
    exec(compile(session.to_code(), "cell", "exec"), {})
    assert (tmp_path / "a.csv").read_bytes() == first


def test_code_names_what_must_be_at_hand(session: Session) -> None:
    session.confirm(["age", "income"])
    code = session.to_code()
    assert "# At hand: frame, dictionary" in code
    assert "Session(frame, dictionary=dictionary, id='who', random_state=0)" in code
    space = {"frame": table(), "dictionary": LABELS}
    exec(compile(code, "cell", "exec"), space)
    assert space["session"].state.confirmed == ("age", "income")  # type: ignore[attr-defined]


def test_a_long_paste_is_cut_and_says_so(session: Session) -> None:
    session.ask("cycling to work " * 100_000, limit=3)
    assert len(session.state.query or "") <= 500
    assert any("characters were searched" in m.text for m in session.messages)


def test_watchers_hear_each_change_once(session: Session) -> None:
    heard: list[int] = []
    end = session.subscribe(lambda: heard.append(session.revision))
    session.ask("cycling", limit=3)
    session.build(12)
    session.undo()
    assert heard == [1, 2, 3]
    end()
    session.ask("cycling", limit=3)
    assert len(heard) == 3


def test_identifiers_leave_as_the_subtype_says(session: Session, tmp_path: Path) -> None:
    session.choose("first_party", "hashed_email")
    session.confirm(["age", "income"])
    session.segment()
    text = session.export(tmp_path / "a.csv").read_text()
    assert "@example.com" not in text
    assert Audience.read_csv(tmp_path / "a.csv").index.name == "email_sha256"
    with pytest.raises(NotFound, match="no column 'uid2'"):
        session.choose("first_party", "uid2")


def test_addresses_and_numbers_never_leave_in_plain(tmp_path: Path) -> None:
    ages = {"age": np.random.default_rng(0).integers(18, 80, 60)}
    plain = [f"Person{i}@Example.com" for i in range(59)] + ["+1 (416) 555-0100"]
    session = Session(pd.DataFrame({**ages, "who": plain}), id="who")
    session.ask("age")
    session.build()
    exported = session.export(tmp_path / "a.csv").read_text()
    assert "@" not in exported
    assert "555" not in exported.split("who_sha256")[1]
    frame = Audience.read_csv(tmp_path / "a.csv")
    known = [hashlib.sha256(text).hexdigest() for text in (b"person7@example.com", b"+14165550100")]
    assert set(known) <= set(frame.index)
    assert session.state.exported is not None
    assert "hold" in session.state.exported["notes"][0]


def test_what_is_hashed_is_not_hashed_again(tmp_path: Path) -> None:
    ages = {"age": np.random.default_rng(0).integers(18, 80, 60)}
    hashed = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(60)]
    session = Session(pd.DataFrame({**ages, "email": hashed}))
    session.choose("first_party", "hashed_email")
    session.ask("age")
    session.build()
    session.export(tmp_path / "a.csv")
    assert set(Audience.read_csv(tmp_path / "a.csv").index) == set(hashed)


def small_population(n: int = 600) -> Session:
    from audience_nb.catalog import Catalog

    catalog = Catalog.from_records(
        [
            {"code": "A", "label": "Rides a bicycle", "subcategory": "Cycling", "unit": "percent"},
            {"code": "B", "label": "Owns a car", "subcategory": "Cars", "unit": "percent"},
            {
                "code": "S",
                "label": "Goes to church",
                "subcategory": "Religion",
                "unit": "percent",
                "availability": ["third_party"],
            },
        ]
    )
    return Session(catalog=catalog, source=SyntheticSource(catalog, n, random_state=3))


def test_a_clean_room_suggests_and_shows_only_what_it_may(tmp_path: Path) -> None:
    session = small_population()
    session.choose("clean_room", "rampid")
    session.ask("church, bicycle, car")
    assert "S" not in codes(session)
    with pytest.raises(InvalidInput, match="may not be used"):
        session.confirm(["S"])
    session.confirm(["A", "B"])
    with pytest.raises(InvalidInput, match="shows none below 50"):
        session.segment()
    session.build(6, 0.10, 0.20)
    assert min(s.size for s in session.segmentation.segments) >= 50  # type: ignore[union-attr]
    for verb in (lambda: session.export(tmp_path / "x.csv"), session.distribute, session.enrich):
        with pytest.raises(NotAllowed):
            verb()
    # No door of the session hands out a record, nor who is in which segment.
    assert session.load().shape == (0, 2)
    cut = session.segment(6, 0.10, 0.20)
    renamed = session.rename(1, "Mine")
    for shown in (cut, renamed, session.segmentation):
        assert shown is not None
        assert len(shown.labels) == 0
        assert abs(shown.n_records - 600) <= 200
    assert session.frame is not None
    assert session.frame.shape == (0, 2)
    assert session.pick([1]) is None
    assert session.audience is None
    assert session.snapshot().to_dict()["audience"]["size"] == cut.segments[0].size
    assert list(tmp_path.iterdir()) == []


def test_a_clean_room_shows_no_exact_figure_about_a_group() -> None:
    def cut() -> tuple[Session, Session]:
        inside, outside = small_population(), small_population()
        inside.choose("clean_room", "rampid")
        for session in (inside, outside):
            session.confirm(["A", "B"])
            session.build(6, 0.10, 0.20)
        return inside, outside

    inside, outside = cut()
    shown, exact = inside.segmentation, outside.segmentation
    assert shown is not None and exact is not None
    sizes = [s.size for s in shown.segments]
    assert all(size % 10 == 0 for size in sizes)
    assert sizes != [s.size for s in exact.segments]
    assert [s.name for s in shown.segments] == [s.name for s in exact.segments]
    for segment in shown.segments:
        for trait in (*segment.traits, *segment.profile):
            assert (trait.value, trait.base) == (None, None)
            assert trait.index is None or trait.index % 10 == 0
    leaves = "".join(
        (
            json.dumps(inside.snapshot().to_dict()),
            json.dumps(inside.to_json()),
            inside.to_code(),
            repr(shown.segments),
            shown.map.to_json(),
            shown.map_centers.to_json(),
        )
    )
    for segment in exact.segments:
        assert segment.description not in leaves
        assert not any(trait.text in leaves for trait in segment.traits)
    # Opened again over the same records, it draws the same noise: there is nothing to average.
    assert [s.size for s in cut()[0].segmentation.segments] == sizes  # type: ignore[union-attr]


def test_a_clean_room_ends_when_its_privacy_budget_is_spent() -> None:
    session = small_population()
    session.choose("clean_room", "rampid")
    session.confirm(["A", "B"])
    with pytest.raises(NotAllowed, match="spent the privacy budget of 10"):
        for i in range(40):
            session.segment(6, 0.10, 0.20 + i / 1000)
    # The last segments that were paid for are still there, and may be looked at again.
    assert session.segmentation is not None
    assert session.snapshot().to_dict()["segmentation"]["n_segments"] == 6


def test_lifestyles_come_with_the_synthetic_population() -> None:
    session = small_population()
    session.confirm(["A", "B"])
    session.build(12)
    shown = session.snapshot().to_dict()["segmentation"]["segments"]
    assert all(0 < s["diversity"] <= 1 for s in shown)
    assert all(row["index"] > 0 for s in shown for row in s["lifestyles"])


def test_distribution_is_a_dry_run_until_confirmed(tmp_path: Path) -> None:
    session = small_population()
    session.confirm(["A", "B"])
    session.build(12)
    path = tmp_path / "sent.csv"
    dry = session.distribute("file", path=path)
    assert dry.dry_run
    assert not path.exists()
    sent = session.distribute("file", path=path, confirm=True)
    assert sent.rows_sent == dry.rows_sent
    assert sent.rows_sent + sum(sent.rows_dropped.values()) >= 600
    assert len(path.read_text().splitlines()) == sent.rows_sent + 1
