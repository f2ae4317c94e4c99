"""The assignment is optimal: against a linear program, against flows, and by its own proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist

from audience_nb.errors import Infeasible, InvalidInput
from audience_nb.kmedians import assignment, certify, fitting, flow, size_bounds, transport
from audience_nb.kmedians import rows as rows_module
from audience_nb.kmedians.assignment import Assignment
from audience_nb.kmedians.rows import SMALL, Rows, Unrounded, canonical
from audience_nb.kmedians.transport import OPTIMAL


def linear_program(costs: np.ndarray, smallest: int, largest: int) -> float:
    """Cost of the cheapest assignment, by HiGHS: an independent solver."""
    n, k = costs.shape
    each_row_once = np.kron(np.eye(n), np.ones(k))
    sizes = np.kron(np.ones(n), np.eye(k))
    found = linprog(
        costs.ravel(),
        A_ub=np.vstack([sizes, -sizes]),
        b_ub=np.r_[np.full(k, largest), np.full(k, -smallest)],
        A_eq=each_row_once,
        b_eq=np.ones(n),
        method="highs",
    )
    assert found.status == 0
    return float(found.fun)


def cheapest_flow(costs: np.ndarray, smallest: int, largest: int) -> float:
    """The same as a flow of one unit a row through places, by the Hungarian method.

    Each cluster offers `smallest` places that must be taken and as many more that may be; rows that
    do not exist fill those at no cost, and the first at more than everything together.
    """
    n, k = costs.shape
    must, may = k * smallest, k * (largest - smallest)
    dearest = 1 + 2 * np.abs(costs).sum()
    places = np.hstack([np.repeat(costs, smallest, axis=1), np.repeat(costs, may // k, axis=1)])
    nobody = np.hstack([np.full((must + may - n, must), dearest), np.zeros((must + may - n, may))])
    table = np.vstack([places, nobody])
    i, j = linear_sum_assignment(table)
    return float(table[i, j].sum())


def dual(costs: np.ndarray, smallest: int, largest: int, prices: np.ndarray) -> float:
    """Lower bound that the prices prove: no assignment within the bounds is cheaper."""
    return float(
        (costs + prices).min(axis=1).sum()
        - (np.maximum(prices, 0) * largest + np.minimum(prices, 0) * smallest).sum()
    )


def some_rows(sort: str, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    return {
        "spread": lambda: rng.normal(size=(n, d)),
        "skew": lambda: rng.lognormal(sigma=1.5, size=(n, d)),
        "ties": lambda: rng.integers(0, 3, (n, d)).astype(float),
        "one-hot": lambda: np.eye(max(d, 2))[rng.integers(0, max(d, 2), n)],
        "identical": lambda: np.ones((n, d)),
    }[sort]()


sorts = st.sampled_from(["spread", "skew", "ties", "one-hot", "identical"])
problems = st.tuples(
    st.integers(0, 2**31 - 1), st.integers(4, 36), st.integers(1, 6), st.integers(1, 4), sorts
)


def posed(problem: tuple[int, int, int, int, str]) -> tuple[Any, ...]:
    seed, n, k, d, sort = problem
    rng = np.random.default_rng(seed)
    values = some_rows(sort, n, d, rng)
    k = min(k, n)
    centers = values[rng.integers(0, n, k)]
    smallest = int(rng.integers(0, n // k + 1))
    largest = int(rng.integers(-(-n // k), n + 1))
    return values, centers, smallest, largest, rng


@settings(max_examples=100, deadline=None)
@given(problems, st.booleans())
def test_as_cheap_as_the_linear_program_and_the_flow(
    problem: tuple[int, int, int, int, str], weighted: bool
) -> None:
    values, centers, smallest, largest, rng = posed(problem)
    n, k = len(values), len(centers)
    weights = rng.integers(0, 5, n) * 0.5 if weighted else None
    found = Assignment(Rows(values, weights), smallest, largest, k)(centers)
    sizes = np.bincount(found.labels, minlength=k)
    assert sizes.sum() == n
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    costs = cdist(values, centers, "cityblock") * (1 if weights is None else weights[:, None])
    total = costs[np.arange(n), found.labels].sum()
    assert total == pytest.approx(found.cost, rel=1e-12, abs=1e-12)
    assert total == pytest.approx(linear_program(costs, smallest, largest), rel=1e-9, abs=1e-9)
    assert total == pytest.approx(cheapest_flow(costs, smallest, largest), rel=1e-9, abs=1e-9)
    assert total == pytest.approx(dual(costs, smallest, largest, found.prices), rel=1e-9, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(problems, st.booleans())
def test_compiled_and_plain_code_agree_to_the_last_bit(
    problem: tuple[int, int, int, int, str], priced: bool
) -> None:
    seed, n, k, d, sort = problem
    values, centers, smallest, largest, rng = posed((seed, 5 * n, k, d, sort))
    prices = rng.normal(size=len(centers)) if priced else None
    plain = Assignment(Rows(values), smallest, largest, len(centers))
    compiled = Assignment(Rows(values), smallest, largest, len(centers), compiled=True)
    found, other = plain(centers, prices), compiled(centers, prices)
    assert (found.labels == other.labels).all()
    assert (found.prices == other.prices).all()
    assert plain.n_augmentations == compiled.n_augmentations


def many_from_the_first(patch: pytest.MonkeyPatch) -> None:
    """Treat few rows as many: samples, passes and borders, small enough to check."""
    patch.setattr(rows_module, "SMALL", 20)
    patch.setattr("audience_nb.kmedians.assignment.SMALL", 20)
    patch.setattr("audience_nb.kmedians.assignment.LEAST_SAMPLE", 16)
    patch.setattr("audience_nb.kmedians.assignment.LEAST_NEAR", 8)


@settings(max_examples=150, deadline=None)
@given(problems, st.booleans(), st.integers(1, 12))
def test_what_many_rows_go_through_is_exact_on_few(
    problem: tuple[int, int, int, int, str], weighted: bool, times: int
) -> None:
    seed, n, k, d, sort = problem
    with pytest.MonkeyPatch.context() as patch:
        many_from_the_first(patch)
        values, centers, smallest, largest, rng = posed((seed, 30 + times * n, k, d, sort))
        n, k = len(values), len(centers)
        weights = rng.integers(1, 5, n) * 0.5 if weighted else None
        rows, scale, order = canonical(values, 0, weights)
        assert order is None
        assign = Assignment(rows, smallest, largest, k)
        prices = None
        for _ in range(2):
            found = assign(scale(centers), prices)
            prices = found.prices
            proof = certify(
                values, centers, found.labels, prices * scale.unit, smallest, largest, weights
            )
            assert proof.within_bounds
            assert proof.gap <= 1e-9
            costs = cdist(values, centers, "cityblock") * (
                1 if weights is None else weights[:, None]
            )
            wanted = dual(costs, smallest, largest, proof.prices)
            assert proof.bound == pytest.approx(wanted, rel=1e-9, abs=1e-9)
            centers = centers + rng.normal(scale=0.2, size=centers.shape).round(1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sort", ["spread", "skew", "ties", "one-hot", "identical"])
def test_many_rows_are_assigned_optimally_too(sort: str, weighted: bool) -> None:
    rng = np.random.default_rng(5)
    n, k = 20_000, 12
    values = some_rows(sort, n, 6, rng)
    weights = rng.integers(1, 4, n).astype(float) if weighted else None
    smallest, largest = size_bounds(n, k, min_share=0.05, max_share=0.10)
    rows, scale, _ = canonical(values, 1, weights)
    assign = Assignment(rows, smallest, largest, k)
    assert n > SMALL
    centers, prices = values[rng.choice(n, k, replace=False)], None
    for _ in range(3):
        found = assign(scale(centers), prices)
        prices = found.prices
        proof = certify(
            values, centers, found.labels, prices * scale.unit, smallest, largest, weights
        )
        assert proof.within_bounds
        assert proof.gap <= 1e-10
        assert found.cost * scale.unit == pytest.approx(proof.cost, rel=1e-5, abs=1e-6)
        low, high = rows.medians(found.labels, k)
        centers = 0.5 * low + 0.5 * high


def test_prices_tell_what_a_place_is_worth() -> None:
    # Nine rows at 0 and one at 10 in halves: four rows of 0 must go to the far cluster.
    values = np.array([[0.0]] * 9 + [[10.0]])
    found = Assignment(Rows(values), 5, 5, 2)(np.array([[0.0], [10.0]]))
    assert np.bincount(found.labels).tolist() == [5, 5]
    assert found.prices[0] - found.prices[1] == pytest.approx(10.0)


@pytest.mark.parametrize("seed", range(6))
def test_one_more_place_saves_its_price(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 2))
    centers = values[:4]
    costs = cdist(values, centers, "cityblock")
    smallest, largest = 8, 18
    found = Assignment(Rows(values), smallest, largest, 4)(centers)
    sizes = np.bincount(found.labels, minlength=4)
    assert (sizes[found.prices > 0] == largest).all()
    assert (sizes[found.prices < 0] == smallest).all()
    for j in (found.prices > 0).nonzero()[0]:
        # The same with a cluster that may hold one more, as a linear program.
        tops = np.full(4, largest)
        tops[j] += 1
        roomier = linprog(
            costs.ravel(),
            A_ub=np.vstack([np.kron(np.ones(60), np.eye(4)), -np.kron(np.ones(60), np.eye(4))]),
            b_ub=np.r_[tops, np.full(4, -smallest)],
            A_eq=np.kron(np.eye(60), np.ones(4)),
            b_eq=np.ones(60),
            method="highs",
        )
        saved = found.cost - roomier.fun
        assert 0 <= saved <= found.prices[j] + 1e-9
    assert (found.prices != 0).any()


def test_impossible_sizes_are_refused() -> None:
    rows = Rows(np.zeros((10, 1)))
    with pytest.raises(Infeasible, match="2 clusters of 1 to 4 cannot hold 10 rows"):
        Assignment(rows, 1, 4, 2)(np.zeros((2, 1)))


def test_clusters_tight_and_far_apart_are_told_apart() -> None:
    # Within clusters rows differ by less than the grid on which canonical rows are.
    rng = np.random.default_rng(0)
    values = np.repeat([[0.0], [1.0], [5.0]], 40, axis=0) + rng.integers(0, 99, (120, 1)) * 1e-14
    rows, scale, order = canonical(values)
    centers = np.array([[2e-13], [6e-13], [1.0 + 4e-13], [5.0 + 4e-13]])
    rough = Assignment(rows, 20, 40, 4)(scale(centers))
    exact = Assignment(Unrounded(rows, values, scale, order, centers), 20, 40, 4)(scale(centers))
    costs = cdist(values[order], centers, "cityblock")
    paid = costs[np.arange(120), exact.labels].sum()
    assert paid == pytest.approx(linear_program(costs * 1e12, 20, 40) * 1e-12, rel=1e-6)
    assert paid <= costs[np.arange(120), rough.labels].sum()


def test_the_certificate_is_worth_what_it_says() -> None:
    values, centers = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [9.0]])
    good = certify(values, centers, np.array([0, 0, 1]), np.zeros(2), 1, 2)
    assert (good.cost, good.bound, good.gap, good.within_bounds) == (1.0, 1.0, 0.0, True)
    worse = certify(values, centers, np.array([0, 1, 1]), np.zeros(2), 1, 2)
    assert (worse.cost, worse.bound, worse.gap) == (8.0, 1.0, 7 / 8)
    assert not certify(values, centers, np.array([0, 0, 0]), np.zeros(2), 1, 2).within_bounds
    # Useless prices prove less.
    assert certify(values, centers, np.array([0, 0, 1]), np.array([0.0, 5.0]), 1, 2).bound == -4.0
    weighted = certify(
        values, centers, np.array([0, 0, 1]), np.zeros(2), 1, 2, np.array([1, 3, 1.0])
    )
    assert weighted.cost == 3.0
    with pytest.raises(InvalidInput, match="2 labels for 3 records"):
        certify(values, centers, np.array([0, 0]), np.zeros(2), 1, 2)


@pytest.mark.parametrize("scale", [1e305, 1e-305])
def test_certificates_of_extreme_numbers(scale: float) -> None:
    rng = np.random.default_rng(0)
    values, centers = rng.normal(size=(900, 2)), rng.normal(size=(2, 2))
    labels = cdist(values, centers, "cityblock").argmin(axis=1)
    plain = certify(values, centers, labels, np.zeros(2), 0, 900)
    extreme = certify(values * scale, centers * scale, labels, np.zeros(2), 0, 900)
    assert extreme.gap == plain.gap == 0.0
    assert extreme.cost == pytest.approx(plain.cost * scale, rel=1e-12)


def test_the_solver_asks_for_more_candidates_and_goes_on() -> None:
    # Rows of one cluster that must move: with too few candidates it stops, then ends optimal.
    costs = np.array([[0.0, float(i)] for i in range(10)])
    certain = np.array([[np.inf, 3.0], [np.inf, np.inf]])
    some = costs[:3]
    labels, stuck = np.zeros(3, np.int32), np.zeros((2, 2), np.bool_)
    size = np.array([5, 5]), np.array([5, 5])
    fixed = np.array([7, 0])
    prices, ended, steps = flow.transfer(some, labels, fixed, *size, np.zeros(2), certain, stuck)
    assert (ended, steps, labels.tolist()) == (flow.UNCERTIFIED, 3, [1, 1, 1])
    assert stuck.tolist() == [[False, True], [False, False]]
    labels = np.r_[labels, np.zeros(7, np.int32)]
    prices, ended, _ = flow.transfer(
        costs,
        labels,
        np.zeros(2, np.int64),
        *size,
        prices,
        np.full((2, 2), np.inf),
        np.zeros((2, 2), np.bool_),
    )
    assert (ended, labels.tolist()) == (flow.OPTIMAL, [1] * 5 + [0] * 5)
    assert 4.0 <= prices[0] - prices[1] <= 5.0


def test_bridges_reach_as_far_as_the_dearest_move_on_the_cheapest_way() -> None:
    far = np.inf
    moves = np.array([[0.0, 1.0, 9.0], [far, 0.0, 4.0], [7.0, far, 0.0]])
    # Every cluster is full: no size can grow, and none shrinks for less than its price.
    found = assignment._bridges(moves, np.array([8.0, 8.0, 8.0]))
    assert found.tolist() == [[0.0, 1.0, 4.0], [7.0, 0.0, 4.0], [7.0, 7.0, 0.0]]
    # The last may shrink for nothing, the second grow for 2: as good as a move for 2.
    found = assignment._bridges(moves, np.array([8.0, -2.0, 0.0]))
    assert found.tolist() == [[0.0, 1.0, 2.0], [7.0, 0.0, 2.0], [7.0, 7.0, 0.0]]


def test_clusters_far_apart_do_not_run_out_of_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two clouds of eight centres each, one of them too small for eight clusters: rows must go over.
    rng = np.random.default_rng(0)
    n = 60_000
    X = rng.normal(size=(n, 3)) + 40.0 * (rng.random(n) < 0.4)[:, None]
    centers = np.vstack([rng.normal(size=(8, 3)), 40 + rng.normal(size=(8, 3))])
    rows, scale, _ = canonical(X)
    solver = Assignment(rows, 3562, 3937, 16)
    found = solver(scale(centers))
    ended: list[int] = []
    transfer = flow.transfer

    def noted(costs: np.ndarray, *rest: Any) -> Any:
        out = transfer(costs, *rest)
        ended.append(out[1])
        return out

    noted.signatures = transfer.signatures  # type: ignore[attr-defined]
    monkeypatch.setattr(flow, "transfer", noted)
    for _ in range(3):
        centers += 0.02 * rng.normal(size=centers.shape)
        found = solver(scale(centers), found.prices)
        sizes = np.bincount(found.labels, minlength=16)
        assert (sizes.min(), sizes.max()) == (3562, 3937)
        # The last is over all records; those before, on the sample, may have asked for more.
        assert ended[-2:] == [OPTIMAL, OPTIMAL]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [600, SMALL + 500])
@pytest.mark.parametrize("weighted", [False, True])
def test_certificates_of_sums_that_overflow(n: int, weighted: bool) -> None:
    rng = np.random.default_rng(n)
    values, centers = rng.normal(size=(n, 3)), rng.normal(size=(4, 3))
    labels, prices = rng.integers(0, 4, n), rng.normal(size=4)
    weights = rng.integers(1, 4, n).astype(float) if weighted else None
    bounds = n // 8, n // 2
    plain = certify(values, centers, labels, prices, *bounds, weights)
    # A power of two, so that every digit is the same; the sums are infinite.
    unit = 2.0**1020
    huge = certify(values * unit, centers * unit, labels, prices * unit, *bounds, weights)
    assert huge.gap == plain.gap > 0
    with np.errstate(over="ignore"):
        assert (huge.cost, huge.bound) == (np.inf, np.float64(plain.bound) * unit)
    tiny = 2.0**-1000
    small = certify(values * tiny, centers * tiny, labels, prices * tiny, *bounds, weights)
    assert (small.gap, small.cost, small.bound) == (
        plain.gap,
        plain.cost * tiny,
        plain.bound * tiny,
    )
    assert small.prices.tolist() == (prices * tiny).tolist()


def test_labels_come_back_in_the_order_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: Any) -> None:
        raise AssertionError("the grid is fine enough")

    monkeypatch.setattr(fitting, "Unrounded", never)
    rng = np.random.default_rng(0)
    X, centers = rng.normal(size=(300, 2)), rng.normal(size=(3, 2))
    weights = rng.integers(1, 5, 300).astype(float)
    labels, proof = fitting.assign(X, weights, centers, 80, 120)
    costs = cdist(X, centers, "cityblock") * weights[:, None]
    assert proof.cost == pytest.approx(costs[np.arange(300), labels].sum(), rel=1e-12)
    assert proof.cost == pytest.approx(linear_program(costs, 80, 120), rel=1e-9)
    assert proof.gap <= 1e-12


def test_sizes_that_cannot_be_met_leave_prices() -> None:
    costs, labels = np.array([[0.0, 3.0], [0.0, 2.0]]), np.zeros(2, np.int32)
    one = np.ones(2, np.int64)
    prices, ended, steps = transport.transfer(costs, labels, 0 * one, 0 * one, np.zeros(2))
    assert (prices.shape, ended, steps) == ((2,), transport.INFEASIBLE, 0)


def test_a_certificate_needs_a_label_for_each_record() -> None:
    with pytest.raises(InvalidInput, match="There are 2 labels for 3 records"):
        certify(np.zeros((3, 1)), np.zeros((1, 1)), np.zeros(2, int), np.zeros(1), 1, 3)
