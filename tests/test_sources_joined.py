"""People from several sources, each in their own row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import source_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.catalog import Catalog
from audience_nb.errors import InvalidInput
from audience_nb.session import Session
from audience_nb.sources import Condition, Source, open_source
from audience_nb.sources.frame import FrameSource
from audience_nb.sources.joined import JoinedSource
from audience_nb.sources.synthetic import SyntheticSource
from audience_nb.sources.tabular import Fetched

PEOPLE = source_tables.people()
EXPECTED = PEOPLE.set_index("who")


def counts(fetched: Fetched) -> dict[str, int]:
    return {d.reason: d.count for d in fetched.dropped}


def by_position(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The source document's way: columns side by side, whoever stands in the row."""
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)


@given(
    seeds=st.lists(st.integers(0, 999), min_size=3, max_size=3),
    keep=st.sampled_from(["first", "all"]),
)
@settings(max_examples=20, deadline=None)
def test_shuffled_rows_stay_with_their_person(seeds: list[int], keep: Any) -> None:
    parts = [
        PEOPLE[["who", column]].sample(frac=1, random_state=seed)
        for column, seed in zip(["age", "city", "spend"], seeds, strict=True)
    ]
    frame = JoinedSource.opened(parts, id="who", keep=keep).fetch(["age", "city", "spend"])  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(frame, EXPECTED[["age", "city", "spend"]])


def test_putting_columns_side_by_side_misplaces_people() -> None:
    # What the test above would not let through.
    parts = [PEOPLE[["age"]], PEOPLE[["spend"]].sample(frac=1, random_state=2)]
    wrong = by_position(parts).set_axis(PEOPLE["who"])
    assert not wrong["spend"].equals(EXPECTED["spend"])
    assert wrong["spend"].sort_values().tolist()[:5] == EXPECTED["spend"].sort_values().tolist()[:5]


def sources() -> list[Source]:
    ages = pd.DataFrame({"who": ["c", "a", "b", None, "d"], "age": [3, 1, 2, 9, 4]})
    spend = pd.DataFrame(
        {"who": ["b", "z", "a", "b", "", "y"], "spend": [2.5, 9.0, 1.5, None, 7.0, 8.0]}
    )
    likes = pd.DataFrame({"who": ["a", "b", "c", "d"], "likes": ["tea", "jazz", None, "art"]})
    return [FrameSource(f, id="who", name=n) for f, n in ((ages, "A"), (spend, "S"), (likes, "L"))]


def test_the_report_counts_who_matched_and_who_was_dropped() -> None:
    fetched = JoinedSource(sources()).fetch_report(["age", "spend", "likes", "nope"])
    assert fetched.frame.index.tolist() == ["a", "b", "c", "d"]
    assert fetched.frame["spend"].fillna(-1).tolist() == [1.5, 2.5, -1, -1]
    assert fetched.matched == 2
    assert fetched.without_source == ("nope",)
    assert counts(fetched) == {
        "no id": 2,
        "repeated id, the fullest row was kept": 1,
        "an id that A does not have": 2,
    }


def test_only_those_whom_all_know() -> None:
    joined = JoinedSource(sources(), keep="all")
    for columns in (["age"], ["likes"], ["spend", "age"], []):
        assert joined.fetch(columns).index.tolist() == ["a", "b"]
    assert counts(joined.fetch_report(["age"]))["not known to S"] == 2


def test_who_is_a_record_does_not_depend_on_the_columns() -> None:
    joined = JoinedSource(sources())
    for columns in (["age"], ["likes"], ["spend"], []):
        assert joined.fetch(columns).index.tolist() == ["a", "b", "c", "d"]


def test_conditions_reach_the_source_of_their_column() -> None:
    joined = JoinedSource(sources())
    assert joined.fetch(["age"], where=[Condition("spend", ">", 2)]).index.tolist() == ["b"]
    both = [Condition("age", ">", 1), Condition("likes", "!=", "art")]
    assert joined.fetch(["spend"], where=both).index.tolist() == ["b"]
    # Whom a source does not know, to them its columns are missing.
    assert joined.fetch([], where=[Condition("spend", "is missing")]).index.tolist() == ["c", "d"]


@given(order=st.permutations(range(8)))
@settings(max_examples=25, deadline=None)
def test_repeats_give_the_same_whatever_the_order(order: list[int]) -> None:
    rows = pd.DataFrame(
        {
            "who": ["a", "a", "b", "c", "c", "c", "d", "e"],
            "age": [1.0, None, 2, 5, 4, None, 7, 8],
            "city": ["x", "x", "y", "z", "w", "v", None, "u"],
        }
    )
    frame = open_source(rows.iloc[list(order)], id="who").fetch(["age", "city"]).sort_index()
    assert frame["age"].tolist() == [1, 2, 4, 7, 8]
    assert frame["city"].fillna("-").tolist() == ["x", "y", "w", "-", "u"]


def test_ids_as_numbers_and_as_text_meet(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,age\n3,33\n1,11\n2,22\n")
    spend = pd.DataFrame({"id": ["2", "3", "1"], "spend": [2.5, 3.5, 1.5]})
    joined = open_source([tmp_path / "a.csv", spend], id="id")
    assert joined.fetch(["age", "spend"]).to_numpy().tolist() == [[11, 1.5], [22, 2.5], [33, 3.5]]
    assert joined.sample(3)["spend"].tolist() == [1.5, 2.5, 3.5]


def test_files_with_the_same_columns_are_parts_and_others_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,age\n1,11\n2,22\n")
    (tmp_path / "b.csv").write_text("id,age\n3,33\n")
    (tmp_path / "c.csv").write_text("id,spend\n3,3.5\n1,1.5\n")
    parts = open_source([tmp_path / "a.csv", tmp_path / "b.csv"], id="id")
    assert parts.fetch(["age"])["age"].tolist() == [11, 22, 33]
    joined = open_source([tmp_path / "a.csv", str(tmp_path / "c.csv")], id="id")
    assert joined.fetch(["spend"])["spend"].fillna(0).tolist() == [1.5, 0]


def test_a_source_without_an_id_cannot_be_joined() -> None:
    with pytest.raises(InvalidInput, match="has no id"):
        JoinedSource([FrameSource(pd.DataFrame({"a": [1]})), *sources()])
    with pytest.raises(InvalidInput, match="0 sources"):
        open_source([], id="who")


def test_the_synthetic_population_can_be_joined() -> None:
    catalog = Catalog.from_records([{"code": "AGE", "label": "Age of the person"}])
    synthetic = SyntheticSource(catalog, 50)
    extra = pd.DataFrame({"customer_id": ["C0000007", "C0000003"], "spend": [7.5, 3.5]})
    joined = open_source([synthetic, extra], id="customer_id")
    frame = joined.fetch(["AGE", "spend"])
    assert frame["AGE"].tolist() == synthetic.fetch(["AGE"])["AGE"].tolist()
    assert frame["spend"].dropna().to_dict() == {"C0000003": 3.5, "C0000007": 7.5}


def test_a_session_on_several_sources_keeps_the_report() -> None:
    parts = [PEOPLE[["who", "age"]], PEOPLE[["who", "spend", "city"]].sample(40, random_state=1)]
    session = Session(parts, id="who")
    session.confirm(["age", "spend"])
    session.load()
    assert session.state.fetched is not None
    assert session.state.fetched.matched == 40
    assert len(session.state.fetched.frame) == 0
    session.segment(n_segments=12)
    assert session.segmentation is not None
    assert session.segmentation.labels.size == 60
    session.confirm(["age"])
    assert session.state.fetched is None
