"""Sizes that can be met, and what is said before any work."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.errors import Infeasible, InvalidInput
from audience_nb.kmedians import (
    ConstrainedKMedians,
    feasibility,
    feasible_n_clusters,
    size_bounds,
)
from audience_nb.kmedians.bounds import allowed_sizes


def test_no_number_of_segments_holds_these_numbers_of_records() -> None:
    infeasible = []
    for n in range(1, 200):
        try:
            size_bounds(n, min_share=0.05, max_share=0.10)
        except Infeasible:
            infeasible.append(n)
        assert feasibility(n).possible == (not infeasible or infeasible[-1] != n)
    assert infeasible == [1, 2, 3, 4, 5, 6, 7, 8, 9, 21, 23, 25, 27, 29]


@pytest.mark.parametrize(
    ("n", "k", "words"),
    [
        (1013, 10, "10 segments of at most 101 records hold 1,010 of 1,013"),
        (1000, 3, "Raise max_share to allow 334 records each, or form 10 segments"),
        (1000, 30, "30 segments of at least 50 records need 1,500, there are 1,000"),
        (5, None, "With min_share=0.2 and max_share=0.2, 5 segments"),
        (29, None, "14 segments of at most 2 records hold 28 of 29"),
    ],
)
def test_infeasible_sizes_say_which_bound_fails_and_what_would_do(
    n: int, k: int | None, words: str
) -> None:
    with pytest.raises(Infeasible) as caught:
        size_bounds(n, k, min_share=0.05, max_share=0.10)
    assert words in str(caught.value)


@given(st.integers(1, 5000), st.integers(0, 100), st.integers(0, 100))
def test_shares_are_read_as_the_decimals_they_print_as(n: int, a: int, b: int) -> None:
    low, high = sorted((a, b))
    try:
        smallest, largest = size_bounds(n, min_share=low / 100, max_share=high / 100)
    except Infeasible:
        exact_low, exact_high = max(1, -(-low * n // 100)), high * n // 100
        assert not feasible_n_clusters(n, exact_low, exact_high)
        return
    assert smallest == max(1, -(-low * n // 100))
    assert largest == high * n // 100
    assert any(k * smallest <= n <= k * largest for k in feasible_n_clusters(n, smallest, largest))


@pytest.mark.parametrize("shares", [(-0.1, 0.5), (0.2, 0.1), (0.5, 1.1), (float("nan"), 1.0)])
def test_shares_out_of_order_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="min_share is"):
        size_bounds(100, min_share=shares[0], max_share=shares[1])


@given(st.integers(1, 400), st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_shares_proposed_do(n: int, a: float, b: float) -> None:
    low, high = sorted((a, b))
    try:
        size_bounds(n, min_share=low, max_share=high)
    except Infeasible as error:
        found = re.search(r"min_share=([\d.e-]+) and max_share=([\d.e-]+), (\d+) ", str(error))
        assert found is not None
        smallest, largest = size_bounds(
            n, int(found[3]), min_share=float(found[1]), max_share=float(found[2])
        )
        assert smallest * int(found[3]) <= n <= largest * int(found[3])


@given(st.integers(1, 3000), st.integers(1, 60), st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_nearest_shares_of_the_number_asked_for_do(n: int, k: int, a: float, b: float) -> None:
    low, high = sorted((a, b))
    report = feasibility(n, k, min_share=low, max_share=high)
    nearest, least, most = report.nearest
    assert nearest == min(k, n)
    again = feasibility(n, nearest, min_share=least, max_share=most)
    assert again.possible
    assert nearest in again.n_clusters


def test_counts_win_over_shares() -> None:
    model = ConstrainedKMedians(4, size_min=10, size_max=40, n_init=1, random_state=0)
    model.fit(np.random.default_rng(0).normal(size=(100, 2)))
    assert model.size_bounds_ == (10, 40)
    sizes = np.bincount(model.labels_)
    assert sizes.min() >= 10
    assert sizes.max() <= 40
    assert allowed_sizes(1000, min_share=0.05, max_share=0.1, size_min=7) == (7, 100)
    assert allowed_sizes(1000, min_share=0.05, max_share=0.1, size_max=70) == (50, 70)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size_max": 30}, "min_share=0.05 asks for at least 50 in each cluster, size_max=30"),
        ({"size_min": 200}, "size_min=200 asks for at least 200 in each cluster, max_share=0.1"),
        ({"size_min": 9, "size_max": 8}, "size_min=9 asks for at least 9"),
        ({"size_min": 1.5}, "size_min is 1.5"),
        ({"size_max": -1}, "size_max is -1"),
    ],
)
def test_counts_that_contradict_are_refused(options: dict[str, float], words: str) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    with pytest.raises(InvalidInput) as caught:
        ConstrainedKMedians(**options).fit(rows)
    assert words in str(caught.value)
    with pytest.raises(InvalidInput):
        feasibility(1000, **options)


def test_errors_name_what_the_caller_set() -> None:
    with pytest.raises(Infeasible, match="Raise size_max to allow 500 records each"):
        ConstrainedKMedians(2, size_min=1, size_max=300).fit(np.zeros((1000, 1)))


def test_a_report_reads_well() -> None:
    report = feasibility(1013, 10)
    assert not report.possible
    assert repr(report) == (
        "Feasibility: impossible\n"
        "  records               1,013\n"
        "  sizes allowed         51 to 101 records each\n"
        "x number of clusters    10 segments of at most 101 records hold 1,010 of 1,013. Raise "
        "max_share to allow 102 records each, or form 11 segments (11 to 19 would do). With 10 "
        "clusters, min_share=0.05 and max_share=0.101 would do.\n"
        "  records in a cluster  101 on average"
    )
    frame = report.to_frame()
    assert frame.columns.tolist() == ["check", "value", "verdict", "advice"]
    assert frame["verdict"].tolist() == ["fine", "fine", "impossible", "fine"]


def test_few_records_in_a_cluster_are_pointed_out() -> None:
    assert feasibility(1000).warnings == ()
    assert "83 on average" in feasibility(1000, 12).warnings[0]
    assert "99 on average with 10 clusters" in feasibility(990).warnings[0]


def test_the_data_are_looked_at() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(size=4000),
            "income": rng.normal(size=4000) * 1e4,
            "country": np.ones(4000),
        }
    )
    report = ConstrainedKMedians().feasibility(frame)
    assert report.possible
    table = report.to_frame().set_index("check")
    assert table["verdict"].to_dict() == {
        "records": "fine",
        "sizes allowed": "fine",
        "number of clusters": "fine",
        "records in a cluster": "fine",
        "identical rows": "fine",
        "constant columns": "warning",
        "largest column": "warning",
        "dominated columns": "warning",
    }
    assert table["value"]["constant columns"] == "1 of 3 (country)"
    assert table["value"]["largest column"] == "income makes up 100% of all distances"
    assert table["value"]["dominated columns"].startswith("1 of 3 (age)")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_repeated_rows_are_counted(dtype: type) -> None:
    rows = np.random.default_rng(1).integers(-2, 3, (5000, 3)).astype(dtype)
    unique = len(np.unique(rows, axis=0))
    (warning,) = (w for w in feasibility(rows).warnings if w.startswith("Identical"))
    assert f"{1 - unique / 5000:.0%} of rows repeat another" in warning
    rows = np.vstack([rows[:1] * 0, rows[:1] * -0.0])
    checks = feasibility(rows, 1, max_share=1.0).checks
    assert "50% of rows repeat another" in [c.value for c in checks]


def test_what_cannot_be_looked_at_is_said() -> None:
    rows = np.zeros((300, 2))
    rows[5] = np.nan
    report = feasibility(rows)
    assert not report.possible
    assert report.checks[-1].value == "1 of 300 rows hold missing or infinite values"
    with pytest.raises(InvalidInput, match="shape \\(300,\\)"):
        feasibility(rows[:, 0])
    with pytest.raises(InvalidInput, match="There are 0 records"):
        feasibility(0)
    with pytest.raises(InvalidInput, match="n_clusters is 0"):
        feasibility(100, 0)


def test_extreme_numbers_are_looked_at_without_overflow() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3)) * 1e307
    shares = [c.value for c in feasibility(rows).checks if c.name == "largest column"]
    assert re.fullmatch(r"column \d makes up 3\d% of all distances", shares[0])


@pytest.mark.parametrize(
    ("asked", "bounds", "value"),
    [
        ("auto", (0.05, 0.10), "10 to 20 possible"),
        (12, (0.05, 0.10), "12 of 10 to 20 possible"),
        ("auto", (0.6, 1.0), "1 possible"),
        (1, (0.6, 1.0), "1 of 1 possible"),
        ("auto", (0.0, 1.0), "1 to 1,000 possible"),
    ],
)
def test_the_numbers_that_are_possible_are_named(
    asked: int | Literal["auto"], bounds: tuple[float, float], value: str
) -> None:
    check = feasibility(1000, asked, min_share=bounds[0], max_share=bounds[1]).checks[2]
    assert (check.value, check.verdict, check.advice) == (value, "fine", "")


def test_without_a_number_asked_for_only_the_shares_are_advised() -> None:
    check = feasibility(29).checks[2]
    assert check.advice == "With 14 clusters, min_share=0.068 and max_share=0.104 would do."
    one = feasibility(1, min_share=0.0, max_share=0.5).checks[2]
    assert one.advice == "With 1 cluster, min_share=1 and max_share=1 would do."


def test_every_warning_says_what_to_do() -> None:
    rows = np.zeros((3000, 7))
    rows[:, 0] = np.repeat(np.arange(1500.0), 2) * 1e6
    rows[:, 1] = rows[:, 0] / 1e9
    report = feasibility(rows)
    assert report.warnings == (
        "Identical rows: 50% of rows repeat another. Where equal records are cut apart, which of "
        "them goes where is arbitrary: add variables or widen the bounds.",
        "Constant columns: 5 of 7 (column 2, column 3, column 4, column 5, column 6). They tell "
        "no records apart: leave them out.",
        "Largest column: column 0 makes up 100% of all distances. The others hardly count: bring "
        "the columns to one scale.",
        "Dominated columns: 1 of 7 (column 1) make up less than 0.14% of all distances each. They "
        "play no part: rescale them or leave them out.",
    )
    with pytest.raises(InvalidInput, match="Give rows and columns"):
        feasibility(rows[:, :0])
    rows[7:9] = np.inf
    (check,) = (c for c in feasibility(rows).checks if c.name == "missing values")
    assert check.value == "2 of 3,000 rows hold missing or infinite values"
    assert (check.verdict, check.advice) == ("impossible", "Fill or drop them first.")


def test_two_columns_are_compared_and_one_is_not() -> None:
    rows = np.random.default_rng(0).random((400, 2))
    names = [c.name for c in feasibility(rows).checks]
    assert names[-3:] == ["identical rows", "constant columns", "largest column"]
    assert feasibility(rows[:, :1]).checks[-1].name == "constant columns"
    assert feasibility(0 * rows).checks[-1].name == "constant columns"
