"""Canonical rows and medians: the same whoever keeps them, however many there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.kmedians import medians as medians_module
from audience_nb.kmedians.medians import Medians
from audience_nb.kmedians.rows import SMALL, ScaledRows, canonical
from audience_nb.kmedians.threads import available_threads, in_chunks


def repeated(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.repeat(values, weights, axis=0)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.integers(1, 300),
    st.integers(1, 4),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
)
def test_medians_are_numpys(
    seed: int, n: int, d: int, k: int, rounded: bool, compiled: bool
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, d))
    if rounded:
        values = values.round()
    k = min(k, n)
    labels = np.r_[np.arange(k), rng.integers(0, k, n - k)].astype(np.int32)
    low, high = Medians(values, compiled=compiled)(labels, k)
    wanted = np.array([np.median(values[labels == j], axis=0) for j in range(k)])
    np.testing.assert_array_equal(0.5 * low + 0.5 * high, wanted)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 200), st.integers(1, 4), st.booleans())
def test_weights_count_as_repetition(seed: int, n: int, k: int, compiled: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3)).round(1)
    k = min(k, n)
    labels = np.r_[np.arange(k), rng.integers(0, k, n - k)].astype(np.int32)
    weights = rng.integers(0, 4, n)
    weights[:k] += 1
    found = Medians(values, weights.astype(float), compiled=compiled)(labels, k)
    wanted = Medians(repeated(values, weights))(np.repeat(labels, weights), k)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


def test_rows_that_weigh_nothing_have_a_median_too() -> None:
    values, labels = np.array([[1.0], [2.0], [4.0], [8.0]]), np.array([0, 0, 0, 1], np.int32)
    for compiled in (False, True):
        low, high = Medians(values, np.array([0.0, 0, 0, 1]), compiled=compiled)(labels, 2)
        assert low.tolist() == high.tolist() == [[2.0], [8.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sort", ["spread", "ties", "skew", "one-hot", "two values", "trend"])
def test_medians_of_many_rows_are_counted_exactly(sort: str, dtype: type) -> None:
    rng = np.random.default_rng(1)
    n, k = 150_000, 5
    values = {
        "spread": rng.normal(size=(n, 3)),
        "ties": rng.integers(0, 9, (n, 3)) * 1.0,
        "skew": rng.standard_cauchy((n, 3)),
        "one-hot": np.eye(3)[rng.integers(0, 3, n)],
        "two values": np.where(np.arange(n)[:, None] % 2, 1.0, [0.0, -1.0, 1.0]),
        # The sample at even steps is as good as any, even where rows are sorted.
        "trend": np.arange(3.0 * n).reshape(n, 3),
    }[sort].astype(dtype)
    labels = rng.integers(0, k, n).astype(np.int32)
    low, high = Medians(values, compiled=True)(labels, k)
    wanted = np.array([np.median(values[labels == j].astype(float), axis=0) for j in range(k)])
    np.testing.assert_array_equal(0.5 * low + 0.5 * high, wanted)
    lower, upper = Medians(values, compiled=True)(labels, k, 0.75)
    for j in range(k):
        own = np.sort(values[labels == j], axis=0)
        np.testing.assert_array_equal(lower[j], own[int(np.ceil(0.75 * len(own))) - 1])
        np.testing.assert_array_equal(upper[j], own[int(np.floor(0.75 * len(own)))])


def test_missed_brackets_and_short_lists_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(40_000, 2))
    labels = (np.arange(40_000) % 7).astype(np.int32)
    wanted = Medians(values, compiled=True)(labels, 7)
    for width, room in ((0.01, 0.25), (30.0, 0.0)):
        monkeypatch.setattr(medians_module, "WIDTH", width)
        monkeypatch.setattr(medians_module, "ROOM", room)
        found = Medians(values, compiled=True)(labels, 7)
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])


def test_heavy_rows_pull_the_median_of_many() -> None:
    rng = np.random.default_rng(3)
    n, k = 60_000, 3
    values = rng.normal(size=(n, 2))
    weights = rng.integers(0, 5, n)
    labels = rng.integers(0, k, n).astype(np.int32)
    found = Medians(values, weights.astype(float), compiled=True)(labels, k)
    low, high = Medians(repeated(values, weights), compiled=True)(np.repeat(labels, weights), k)
    np.testing.assert_array_equal(found[0], low)
    np.testing.assert_array_equal(found[1], high)


def test_few_rows_are_held_in_ascending_order() -> None:
    rows, scale, order = canonical(np.array([[30.0, 1.0], [10.0, 5.0], [30.0, 0.0]]))
    assert order is not None
    assert order.tolist() == [1, 2, 0]
    assert (np.diff(rows.values[:, 0]) >= 0).all()
    np.testing.assert_array_equal(scale(np.array([[30.0, 1.0]])), rows.values[2:])


@pytest.mark.parametrize("sort", ["spread", "ties"])
def test_the_order_of_many_rows_depends_on_their_content(sort: str) -> None:
    rng = np.random.default_rng(0)
    n = SMALL + 500
    X = rng.normal(size=(n, 3))
    if sort == "ties":
        X = X.round(1)
    moved = rng.permutation(n)
    rows, other = canonical(X, 5)[0], canonical(X[moved], 5)[0]
    assert isinstance(rows, ScaledRows)
    assert isinstance(other, ScaledRows)
    np.testing.assert_array_equal(X[rows.order], X[moved][other.order])
    # In another unit and float type too, and differently with another seed.
    scaled = canonical(X * 1000 / 7, 5)[0]
    assert isinstance(scaled, ScaledRows)
    np.testing.assert_array_equal(X[rows.order], X[scaled.order])
    seeded = canonical(X, 6)[0]
    assert isinstance(seeded, ScaledRows)
    assert (seeded.order != rows.order).mean() > 0.9
    # Identical rows keep the order of their places.
    same = (np.diff(X[rows.order], axis=0) == 0).all(axis=1)
    assert (np.diff(rows.order)[same] > 0).all()


def test_samples_hold_each_kind_of_row_in_proportion() -> None:
    X = np.repeat([[0.0, 1.0], [5.0, 2.0], [9.0, 9.0]], [9000, 5000, 1000], axis=0)
    rows, _, _ = canonical(X, 0)
    sample = rows.sampled(150)
    _, counts = np.unique(sample.values, axis=0, return_counts=True)
    assert sorted(counts.tolist()) == [10, 50, 90]


@pytest.mark.parametrize("power", [-300, -30, 0, 30, 300])
def test_the_scale_takes_units_away(power: int) -> None:
    X = np.random.default_rng(2).normal(size=(500, 3)) + 4
    rows, scale, _ = canonical(X)
    other, its, _ = canonical(X * 10.0**power)
    np.testing.assert_array_equal(rows.values, other.values)
    assert its.unit == pytest.approx(scale.unit * 10.0**power, rel=1e-12)


def test_ties_are_broken_alike_for_few_and_negligibly_for_many() -> None:
    X = np.random.default_rng(0).integers(0, 3, (SMALL + 1, 4)).astype(float)
    centers = np.array([[0.0] * 4, [1.0] * 4])
    many, scale, _ = canonical(X)
    few, _, order = canonical(X[:500])
    assert order is not None
    costs = many.costs(scale(centers))
    exact = np.abs(scale(X)[:, None] - scale(centers)[None]).sum(axis=2)
    assert (costs >= exact).all()
    assert 0 < (costs - exact).max() < 2.0**-36
    assert len(np.unique(costs)) > 10 * len(np.unique(exact))
    assert (few.costs(scale(centers)) % 2.0**-10 == 0).all()


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_runs_come_back_in_order_whatever_the_threads(n_threads: int) -> None:
    spans = in_chunks(lambda a, b: (a, b), 1000, 64, n_threads)
    assert spans[0] == (0, 64)
    assert spans[-1] == (960, 1000)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert 1 <= available_threads() <= 8
