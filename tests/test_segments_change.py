"""Further records: assigned as at the fit, counted, judged by drift; bad batches refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.charts import drift_chart
from audience_nb.disclosed import disclosed
from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.policy.disclosure import Disclosure
from audience_nb.segments import Change, Segmentation
from audience_nb.segments.drift import chance, psi


def people(n: int, seed: int = 0, older: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, n) + older,
            "spend": rng.gamma(2.0, 50.0, n).round(2),
            "home": rng.choice(["own", "rent", "shared"], n, p=[0.6, 0.3, 0.1]),
        },
        index=[f"p{seed}-{i}" for i in range(n)],
    )


@pytest.fixture(scope="module")
def cut() -> Segmentation:
    return Segmentation.fit(people(1200), ["age", "spend", "home"], n_segments=12)


# -- values by hand ------------------------------------------------------------------------------


def test_psi_and_its_chance_by_hand() -> None:
    assert psi([50, 50], [80, 20]) == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    assert psi([1, 2, 3], [10, 20, 30]) == 0
    # An empty bin counts as half a record; one that is empty on both sides not at all.
    assert psi([10, 0, 0], [5, 5, 0]) == pytest.approx(
        (0.5 - 1) * np.log(0.5 / 1) + (0.5 - 0.05) * np.log(0.5 / 0.05)
    )
    assert np.isnan(psi([1, 2], [0, 0]))
    assert chance([500, 500], [50, 50]) == pytest.approx(3.841459 * (1 / 1000 + 1 / 100))


def test_a_batch_by_hand() -> None:
    frame = pd.DataFrame({"age": [20, 21, 22, 70, 71, 72]}, index=list("abcdef"))
    cut = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.2, max_share=0.8)
    assert cut.labels.to_dict() == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 2}
    batch = pd.DataFrame({"age": [71, 20, 24, 69]}, index=["a", "b", "x", "y"])
    change = cut.update(batch, gone=["f", "nobody"])
    # a grew old, b stays, x and y are new, f is gone.
    assert change.segmentation.labels.to_dict() == {
        "c": 1, "d": 2, "e": 2, "a": 2, "b": 1, "x": 1, "y": 2,
    }  # fmt: skip
    assert change.flows.to_numpy().tolist() == [[0, 1, 1], [0, 2, 1], [1, 2, 1], [2, 0, 1]]
    columns = ["before", "entered", "arrived", "left", "gone", "size"]
    assert change.sizes[columns].to_numpy().tolist() == [[3, 1, 0, 1, 0, 3], [3, 1, 1, 0, 1, 4]]
    assert (change.n_batch, change.n_new, change.n_changed, change.n_gone) == (4, 2, 2, 1)
    assert change.records()["before"].tolist() == [1, 1, pd.NA, pd.NA, 2]
    assert change.records()["after"].tolist() == [2, 1, 1, 2, pd.NA]
    assert change.segmentation.bounds == (2, 5)
    # Ages are 20 to 72: distances over 52, from the medians 21 and 71.
    assert change.segmentation.cost == pytest.approx((1 + 1 + 0 + 0 + 1 + 3 + 2) / 52)
    assert change.notes == ("1 of 2 records that are gone were not known.",)
    assert change.segmentation.segments[1].description.startswith("4 records (57.1%)")
    assert change.segmentation.segment(1).name == cut.segment(1).name
    assert cut.labels["a"] == 1


# -- the rule is that of the fit -------------------------------------------------------------------


def test_the_records_of_the_fit_go_where_they_were(cut: Segmentation) -> None:
    change = cut.update(people(1200).sample(frac=1, random_state=1))
    assert (change.n_changed, len(change.flows), change.verdict) == (1200, 0, "keep")
    assert change.share_psi == 0
    assert change.drift["psi"].tolist() == [0, 0, 0]
    assert change.cost_ratio == pytest.approx(1)
    assert change.segmentation.cost == pytest.approx(cut.cost)
    pd.testing.assert_series_equal(change.segmentation.labels.sort_index(), cut.labels.sort_index())


def test_like_records_are_kept_and_unlike_ones_call_for_a_refit(cut: Segmentation) -> None:
    like = cut.update(people(300, seed=1))
    assert like.verdict == "keep"
    assert like.reasons == ()
    unlike = cut.update(people(300, seed=2, older=25.0))
    assert unlike.verdict == "refit"
    assert unlike.drift.loc[0, ["code", "finding"]].tolist() == ["age", "shifted"]
    assert "Age has shifted" in unlike.summary()
    assert "Form the segments anew" in unlike.summary()
    chart = drift_chart(unlike).to_dict()
    assert chart["title"] == "Drift of the batch against the fit (PSI)"
    assert "Age" in chart["description"]
    assert "p2-" not in str(chart)


def test_nobody_is_named_but_in_the_frame_the_caller_gets(cut: Segmentation) -> None:
    change = cut.update(people(40, seed=3))
    shown = repr(change) + change.summary() + str(change.notes) + str(change.flows)
    assert "p3-" not in shown
    assert repr(change).startswith("Change(40 new, 0 changed, 0 gone, 12 segments of 1,240")
    assert set(change.records().index) == set(people(40, seed=3).index)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 400), max_size=30, unique=True),
    st.lists(st.integers(0, 300), max_size=30, unique=True),
    st.integers(0, 40),
)
def test_nobody_is_lost_and_counts_add_up(
    cut: Segmentation, known: list[int], gone: list[int], n_new: int
) -> None:
    base = people(1200)
    batch = pd.concat([base.iloc[known].assign(age=30), people(n_new, seed=5)])
    leaving = [f"p0-{i}" for i in gone if i not in known]
    change = cut.update(batch, gone=leaving)
    now = change.segmentation
    assert now.n_records == len(now.labels) == 1200 + n_new - len(leaving)
    assert now.labels.index.is_unique
    assert not set(leaving) & set(now.labels.index)
    assert change.sizes["size"].tolist() == now.labels.value_counts().sort_index().tolist()
    assert change.sizes["arrived"].sum() == change.sizes["left"].sum()
    for segment, row in change.sizes.iterrows():
        came = change.flows.loc[change.flows["after"] == segment, "count"].sum()
        went = change.flows.loc[change.flows["before"] == segment, "count"].sum()
        assert row["size"] - row["before"] == came - went
    assert [s.id for s in now.segments] == [s.id for s in cut.segments]
    assert now.rule is not None
    assert now.cost == pytest.approx(float(now.rule.distances.sum()))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12).filter(
        lambda pairs: sum(a for a, _ in pairs) > 0 and sum(b for _, b in pairs) > 0
    )
)
def test_psi_is_symmetric_and_never_negative(pairs: list[tuple[int, int]]) -> None:
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    assert psi(before, after) >= 0
    assert psi(before, after) == pytest.approx(psi(after, before))


def test_chance_is_what_it_says() -> None:
    rng = np.random.default_rng(0)
    fit = [1000] * 10
    beyond = [
        psi(fit, now.tolist()) > chance(fit, now.tolist())
        for now in rng.multinomial(200, [0.1] * 10, size=2000)
    ]
    # The fit is taken as known here, hence a little below 1 in 20.
    assert 0.02 < np.mean(beyond) < 0.06


# -- sizes ----------------------------------------------------------------------------------------


def crowded() -> tuple[Segmentation, pd.DataFrame]:
    frame = pd.DataFrame({"age": [20.0 + i / 100 for i in range(50)] + [70.0] * 50})
    cut = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.4, max_share=0.6)
    return cut, pd.DataFrame({"age": np.linspace(20, 40, 60)}, index=range(100, 160))


def test_sizes_are_kept_where_they_can_be() -> None:
    cut, batch = crowded()
    told = cut.update(batch, sizes="check")
    assert told.sizes["size"].tolist() == [110, 50]
    assert told.segmentation.bounds == (64, 96)
    assert told.verdict == "refit"
    assert "of 64 to 96 records allowed, segment 1 with 110, 2 with 50" in told.reasons[0]
    kept = cut.update(batch)
    assert kept.sizes["size"].tolist() == [96, 64]
    # The oldest of the batch are the cheapest to move.
    moved = kept.segmentation.labels.loc[100:] == 2
    assert moved.tolist() == [False] * 46 + [True] * 14


def test_sizes_that_cannot_be_kept_are_told() -> None:
    cut, batch = crowded()
    change = cut.update(batch.head(1), gone=list(range(50, 100)))
    assert change.verdict == "refit"
    assert change.sizes["allowed"].tolist() == [False, False]


# -- bad batches ----------------------------------------------------------------------------------


def test_columns_that_are_missing_renamed_or_new(cut: Segmentation) -> None:
    batch = people(20, seed=7)
    with pytest.raises(NotFound) as caught:
        cut.update(batch.rename(columns={"age": "Age ", "home": "dwelling"}))
    assert caught.value.fact == "The batch lacks 2 of 3 columns: 'age', 'home'."
    assert "batch.rename(columns={'Age ': 'age'})" in caught.value.next_move
    with pytest.raises(InvalidInput, match="1 column more than once: 'age'"):
        cut.update(pd.concat([batch, batch[["age"]]], axis=1))
    change = cut.update(batch.assign(shoe=42, hat=7))
    assert change.notes == (
        "2 columns that segments are not cut by are passed over: 'shoe', 'hat'.",
    )


def test_unknown_levels_missing_values_and_texts_are_counted(cut: Segmentation) -> None:
    batch = people(4, seed=8).astype({"age": object})
    batch["home"] = ["tent", "boat", "own", None]
    batch["age"] = ["31", "many", None, "40"]
    change = cut.update(batch)
    assert change.notes == (
        "Age: 1 of 4 values are no numbers.",
        "Home: 2 of 4 values are levels the fit did not have.",
    )
    assert change.n_new == 4


def test_empty_twice_and_gone(cut: Segmentation) -> None:
    empty = cut.update(people(0))
    assert empty.notes == ("The batch has 0 records.",)
    assert (empty.verdict, empty.segmentation.n_records) == ("keep", 1200)
    assert np.isnan(empty.cost_ratio)
    assert empty.drift["finding"].tolist() == ["steady"] * 3
    twice = pd.concat([people(3, seed=9), people(3, seed=9)])
    with pytest.raises(InvalidInput, match="3 of 6 records are in the batch twice"):
        cut.update(twice)
    with pytest.raises(InvalidInput, match="1 records are both in the batch and gone"):
        cut.update(people(3, seed=9), gone=["p9-0"])
    with pytest.raises(InvalidInput, match="All 1,200 records are gone"):
        cut.update(people(0), gone=people(1200).index)
    with pytest.raises(InvalidInput, match="sizes is 'drop'"):
        cut.update(people(1), sizes="drop")  # type: ignore[arg-type]


def test_a_table_without_identifiers_is_pointed_out() -> None:
    frame = people(200).reset_index(drop=True)
    cut = Segmentation.fit(frame, ["age", "spend"], n_segments=4, min_share=0.1, max_share=0.4)
    change = cut.update(people(50, seed=1).reset_index(drop=True))
    assert any("counts its rows from 0" in note for note in change.notes)


def test_segments_without_a_rule_take_nobody(cut: Segmentation) -> None:
    shown = disclosed(cut, Disclosure(50, secret=b"x"), "digest")
    with pytest.raises(WrongStep, match="without the rule"):
        shown.update(people(3, seed=1))
    with pytest.raises(WrongStep, match="without the rule"):
        shown.assign(people(3, seed=1))


# -- batch after batch -----------------------------------------------------------------------------


def test_a_folder_is_followed_by_name(cut: Segmentation, tmp_path: Path) -> None:
    first, second = people(30, seed=11), people(30, seed=12)
    second.index = [*first.index[:10], *second.index[10:]]
    first.rename_axis("who").reset_index().to_csv(tmp_path / "2024-01.csv", index=False)
    second.rename_axis("who").reset_index().to_parquet(tmp_path / "2024-02.parquet")
    (tmp_path / "readme.md").write_text("not a batch")
    changes = list(cut.follow(tmp_path, id="who"))
    assert [(c.n_new, c.n_changed) for c in changes] == [(30, 0), (20, 10)]
    assert changes[-1].segmentation.n_records == 1250
    frames = list(cut.follow([first, second]))
    pd.testing.assert_series_equal(
        frames[-1].segmentation.labels, changes[-1].segmentation.labels, check_names=False
    )


def test_folders_that_cannot_be_followed(cut: Segmentation, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder 'nowhere'"):
        list(cut.follow(tmp_path / "nowhere", id="who"))
    with pytest.raises(NotFound, match="has no CSV or Parquet file"):
        list(cut.follow(tmp_path, id="who"))
    people(3, seed=1).drop(columns="age").to_csv(tmp_path / "a.csv", index_label="who")
    with pytest.raises(InvalidInput, match="do not say what identifies a record"):
        list(cut.follow(tmp_path))
    with pytest.raises(NotFound, match=r"a\.csv: The batch lacks 1 of 3 columns: 'age'"):
        list(cut.follow(tmp_path, id="who"))
    with pytest.raises(NotFound, match=r"a\.csv: There is no column 'name'"):
        list(cut.follow(tmp_path, id="name"))
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match=r"a\.csv cannot be read as CSV"):
        list(cut.follow(tmp_path, id="who"))


def test_assign_tells_and_changes_nothing(cut: Segmentation) -> None:
    labels = cut.assign(people(1200))
    # Whoever is as near to two segments may be told the other one.
    assert (labels == cut.labels).mean() > 0.995
    assert labels.index.equals(cut.labels.index)
    assert isinstance(cut.update(people(1, seed=1)), Change)
    assert cut.assign(people(0)).empty
