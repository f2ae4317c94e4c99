"""Size-constrained K-medians: bounds always met, assignment optimal, labels free of accidents."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from audience_nb.errors import Cancelled, Infeasible, InvalidInput
from audience_nb.kmedians import ConstrainedKMedians, feasible_n_clusters, kernels, size_bounds
from audience_nb.kmedians import assignment as assignment_module
from audience_nb.kmedians import estimator as estimator_module
from audience_nb.kmedians.assignment import Assignment

# -- sizes -----------------------------------------------------------------------------------------


def test_no_number_of_segments_holds_these_numbers_of_records() -> None:
    infeasible = []
    for n in range(1, 200):
        try:
            size_bounds(n, min_share=0.05, max_share=0.10)
        except Infeasible:
            infeasible.append(n)
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


# -- assignment ------------------------------------------------------------------------------------


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


problems = st.tuples(
    st.integers(0, 2**31 - 1),
    st.integers(4, 40),
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from(["spread", "ties", "identical"]),
)


@settings(max_examples=120, deadline=None)
@given(problems)
def test_the_assignment_is_as_cheap_as_the_linear_program(
    problem: tuple[int, int, int, int, str],
) -> None:
    seed, n, k, d, sort = problem
    rng = np.random.default_rng(seed)
    rows = {
        "spread": rng.normal(size=(n, d)),
        "ties": rng.integers(0, 3, (n, d)).astype(float),
        "identical": np.ones((n, d)),
    }[sort]
    centers = rows[rng.integers(0, n, k)]
    smallest = int(rng.integers(0, n // k + 1))
    largest = int(rng.integers(-(-n // k), n + 1))
    labels, prices = Assignment(rows, smallest, largest, k)(centers)
    sizes = np.bincount(labels, minlength=k)
    assert sizes.sum() == n
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    costs = cdist(rows, centers, "cityblock")
    total = costs[np.arange(n), labels].sum()
    assert total == pytest.approx(linear_program(costs, smallest, largest), rel=1e-9, abs=1e-9)
    assert total == pytest.approx(dual(costs, smallest, largest, prices), rel=1e-9, abs=1e-9)


def dual(costs: np.ndarray, smallest: int, largest: int, prices: np.ndarray) -> float:
    """Lower bound that the prices prove: no assignment within the bounds is cheaper."""
    return float(
        (costs + prices).min(axis=1).sum()
        - (np.maximum(prices, 0) * largest + np.minimum(prices, 0) * smallest).sum()
    )


@pytest.mark.parametrize("sort", ["spread", "skew", "ties"])
def test_many_rows_are_assigned_optimally_too(sort: str) -> None:
    rng = np.random.default_rng(5)
    n, k = 20_000, 12
    rows = {
        "spread": rng.uniform(size=(n, 6)),
        "skew": rng.lognormal(sigma=1.5, size=(n, 6)),
        "ties": rng.integers(0, 4, (n, 6)).astype(float),
    }[sort]
    smallest, largest = size_bounds(n, k, min_share=0.05, max_share=0.10)
    assign = Assignment(rows, smallest, largest, k, random_state=1)
    assert n > assignment_module.SMALL
    centers, prices = rows[rng.choice(n, k, replace=False)], None
    for _ in range(3):
        labels, prices = assign(centers, prices)
        sizes = np.bincount(labels, minlength=k)
        assert sizes.min() >= smallest
        assert sizes.max() <= largest
        costs = cdist(rows, centers, "cityblock")
        total = costs[np.arange(n), labels].sum()
        assert total == pytest.approx(dual(costs, smallest, largest, prices), rel=1e-9)
        centers = np.stack([np.median(rows[labels == j], axis=0) for j in range(k)])


# -- the estimator ---------------------------------------------------------------------------------


def greedy(rows: np.ndarray, k: int, smallest: int, largest: int, seed: int) -> float:
    """Cost of the usual repair: nearest centres, then single moves until the sizes fit."""
    rng = np.random.default_rng(seed)
    centers = rows[rng.choice(len(rows), k, replace=False)]
    for _ in range(10):
        costs = cdist(rows, centers, "cityblock")
        labels = costs.argmin(axis=1)
        while True:
            sizes = np.bincount(labels, minlength=k)
            over, under = np.flatnonzero(sizes > largest), np.flatnonzero(sizes < smallest)
            if not len(over) and not len(under):
                break
            give = over if len(over) else np.flatnonzero(sizes > smallest)
            take = under if len(under) else np.flatnonzero(sizes < largest)
            movable = np.flatnonzero(np.isin(labels, give))
            extra = costs[np.ix_(movable, take)] - costs[movable, labels[movable]][:, None]
            i, j = np.unravel_index(extra.argmin(), extra.shape)
            labels[movable[i]] = take[j]
        centers = np.stack([np.median(rows[labels == j], axis=0) for j in range(k)])
    return float(cdist(rows, centers, "cityblock")[np.arange(len(rows)), labels].sum())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.integers(1, 150),
    st.integers(1, 5),
    st.sampled_from([(0.05, 0.10), (0.0, 1.0), (0.1, 0.4), (0.25, 0.25), (0.02, 0.3)]),
    st.booleans(),
)
def test_every_record_gets_one_cluster_within_bounds_or_a_clear_no(
    seed: int, n: int, d: int, shares: tuple[float, float], rounded: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d))
    if rounded:
        rows = rows.round()
    model = ConstrainedKMedians(
        min_share=shares[0], max_share=shares[1], n_init=1, random_state=seed
    )
    try:
        smallest, largest = size_bounds(n, min_share=shares[0], max_share=shares[1])
    except Infeasible:
        with pytest.raises(Infeasible):
            model.fit(rows)
        return
    model.fit(rows)
    sizes = np.bincount(model.labels_, minlength=model.n_clusters_)
    assert model.labels_.shape == (n,)
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    assert all(b <= a * (1 + 1e-12) for a, b in itertools.pairwise(model.cost_history_))
    own = np.abs(rows - model.cluster_centers_[model.labels_]).sum()
    assert model.cost_ == pytest.approx(own, rel=1e-9, abs=1e-9)
    for j in range(model.n_clusters_):
        # A fixed point: each centre is a median of its cluster. Between the two middle values
        # of an even number every point is one.
        members = np.sort(rows[model.labels_ == j], axis=0)
        low, high = members[(len(members) - 1) // 2], members[len(members) // 2]
        assert (model.cluster_centers_[j] >= low - 1e-9).all()
        assert (model.cluster_centers_[j] <= high + 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
def test_cheaper_than_greedy_repair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.vstack([rng.normal(c, 0.4, size=(m, 3)) for c, m in ((0, 300), (3, 60), (6, 40))])
    model = ConstrainedKMedians(12, random_state=seed).fit(rows)
    assert model.cost_ <= min(greedy(rows, 12, 20, 40, s) for s in range(4)) * (1 + 1e-9)


@pytest.mark.parametrize("power", [-12, -6, 3, 12])
def test_labels_do_not_depend_on_units(power: int) -> None:
    rows = np.random.default_rng(2).normal(size=(300, 4))
    base = ConstrainedKMedians(12, random_state=0).fit(rows)
    scaled = ConstrainedKMedians(12, random_state=0).fit(rows * 2.0 ** (3 * power))
    assert (base.labels_ == scaled.labels_).all()
    decimal = ConstrainedKMedians(12, random_state=0).fit(rows * 10.0**power)
    assert (base.labels_ == decimal.labels_).all()
    assert decimal.cost_ == pytest.approx(base.cost_ * 10.0**power, rel=1e-9)


def test_labels_do_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(300, 3)).round(1)
    order = rng.permutation(300)
    base = ConstrainedKMedians(random_state=0).fit(rows)
    moved = ConstrainedKMedians(random_state=0).fit(rows[order])
    assert base.n_clusters_ == moved.n_clusters_
    np.testing.assert_allclose(base.cluster_centers_, moved.cluster_centers_)
    # Equal rows may be told apart only by their place.
    unique, counts = np.unique(rows, axis=0, return_counts=True)
    alone = {tuple(row) for row in unique[counts == 1]}
    single = np.array([tuple(row) in alone for row in rows[order]])
    assert single.sum() > 200
    assert (base.labels_[order] == moved.labels_)[single].all()


def test_labels_do_not_depend_on_the_float_type() -> None:
    rows = np.random.default_rng(4).normal(size=(400, 3)).astype(np.float32)
    narrow = ConstrainedKMedians(12, random_state=0).fit(rows)
    wide = ConstrainedKMedians(12, random_state=0).fit(rows.astype(np.float64))
    assert (narrow.labels_ == wide.labels_).all()
    assert narrow.cluster_centers_.dtype == np.float32


def test_the_same_seed_gives_the_same_clusters() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 3))
    first = ConstrainedKMedians(random_state=7).fit(rows)
    again = clone(first).fit(rows)
    assert (first.labels_ == again.labels_).all()
    assert first.k_curve_ == again.k_curve_


def planted(k: int, seed: int, n: int = 1300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % k
    return rng.normal(0, 6, size=(k, 6))[truth] + rng.laplace(size=(n, 6)) * 0.6, truth


@pytest.mark.parametrize(("k", "seed"), [(11, 0), (13, 1), (16, 2)])
def test_planted_clusters_are_found_and_counted(k: int, seed: int) -> None:
    rows, truth = planted(k, seed)
    model = ConstrainedKMedians(random_state=0, n_init=8).fit(rows)
    assert model.n_clusters_ == k
    # Each found cluster is one of the planted ones, but for a few rows.
    together = np.zeros((k, k), int)
    np.add.at(together, (truth, model.labels_), 1)
    assert together.max(axis=0).sum() > 0.99 * len(rows)


def test_the_k_curve_shows_what_was_weighed() -> None:
    model = ConstrainedKMedians(random_state=0).fit(planted(12, 0, 600)[0])
    curve = model.k_curve_
    assert curve["n_clusters"] == list(range(10, 21))
    assert sum(curve["chosen"]) == 1
    assert curve["n_clusters"][int(np.argmax(curve["score"]))] == model.n_clusters_
    assert {len(column) for column in curve.values()} == {11}


def test_prices_tell_what_a_place_is_worth() -> None:
    # Nine rows at 0 and one at 10 in halves: four rows of 0 must go to the far cluster.
    rows = np.array([[0.0]] * 9 + [[10.0]])
    labels, prices = Assignment(rows, 5, 5, 2)(np.array([[0.0], [10.0]]))
    assert np.bincount(labels).tolist() == [5, 5]
    assert prices[0] - prices[1] == pytest.approx(10.0)


def test_outliers_move_medians_less_than_means() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    spoiled = rows.copy()
    spoiled[:6] = 1e6
    model = ConstrainedKMedians(1, max_share=1.0).fit(spoiled)
    assert np.abs(model.cluster_centers_ - np.median(rows, axis=0)).max() < 0.2
    assert np.abs(spoiled.mean(axis=0)).max() > 1e4


def test_identical_rows_and_constant_columns_are_cut_all_the_same() -> None:
    model = ConstrainedKMedians(random_state=0).fit(np.ones((100, 3)))
    sizes = np.bincount(model.labels_)
    assert (sizes.min(), sizes.max()) >= (5, 5)
    assert sizes.max() <= 10
    assert model.cost_ == 0.0


def test_predict_takes_the_nearest_centre_without_the_size_rule() -> None:
    model = ConstrainedKMedians(12, random_state=0).fit(planted(12, 0, 600)[0])
    new = np.repeat(model.cluster_centers_[:1], 50, axis=0)
    assert (model.predict(new) == 0).all()
    np.testing.assert_allclose(model.transform(new)[:, 0], 0.0)
    assert model.get_feature_names_out().tolist()[:2] == [
        "constrainedkmedians0",
        "constrainedkmedians1",
    ]


def test_progress_is_told_and_cancelling_leaves_it_unfitted() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    told: list[tuple[str, float]] = []
    ConstrainedKMedians(random_state=0, callback=lambda *t: told.append(t)).fit(rows)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert told[-1] == ("done", 1.0)

    def stop(stage: str, fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled("Stopped by you.", "")

    model = ConstrainedKMedians(random_state=0, callback=stop)
    with pytest.raises(Cancelled):
        model.fit(rows)
    assert not hasattr(model, "labels_")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_clusters": "many"}, "n_clusters is 'many'"),
        ({"n_clusters": 0}, "n_clusters is 0"),
        ({"n_clusters": 2.5}, "n_clusters is 2.5"),
        ({"n_init": 0}, "n_init is 0"),
        ({"max_share": 2}, "max_share 2"),
    ],
)
def test_bad_parameters_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        ConstrainedKMedians(**options).fit(np.zeros((100, 2)))


# scikit-learn's own checks, with bounds that its tiny data sets can meet: at 5–10 % its sets of
# 1 to 30 rows have no feasible number of clusters.
@parametrize_with_checks([ConstrainedKMedians(n_clusters=3, min_share=0.0, max_share=1.0)])
def test_scikit_learn_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


# -- engines and scales ----------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(problems, st.booleans())
def test_compiled_and_plain_code_agree_to_the_last_bit(
    problem: tuple[int, int, int, int, str], priced: bool
) -> None:
    seed, n, k, d, sort = problem
    rng = np.random.default_rng(seed)
    n *= 5
    rows = {
        "spread": rng.normal(size=(n, d)),
        "ties": rng.integers(0, 3, (n, d)).astype(float),
        "identical": np.ones((n, d)),
    }[sort]
    centers = rows[rng.integers(0, n, k)]
    smallest, largest = int(rng.integers(0, n // k + 1)), int(rng.integers(-(-n // k), n + 1))
    prices = rng.normal(size=k) if priced else None
    plain = Assignment(rows, smallest, largest, k)
    compiled = Assignment(rows, smallest, largest, k, compiled=True)
    labels, final = plain(centers, prices)
    other_labels, other_final = compiled(centers, prices)
    assert (labels == other_labels).all()
    assert (final == other_final).all()
    assert plain.n_augmentations == compiled.n_augmentations


def test_a_whole_fit_is_the_same_with_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(400, 2)), rng.integers(0, 2, (400, 3))])
    plain = ConstrainedKMedians(random_state=0).fit(rows)
    used: list[int] = []
    transfer = kernels.transfer

    def counted(*arguments: Any) -> Any:
        used.append(1)
        return transfer(*arguments)

    monkeypatch.setattr(kernels, "transfer", counted)
    monkeypatch.setattr(estimator_module, "FEW", 0)
    compiled = ConstrainedKMedians(random_state=0, tol=0.0).fit(rows)
    assert used
    assert (plain.labels_ == compiled.labels_).all()
    assert plain.cost_history_ == compiled.cost_history_


def test_a_thousand_records_need_no_compiler() -> None:
    code = (
        "import sys, numpy as np\n"
        "from audience_nb.kmedians import ConstrainedKMedians\n"
        "rows = np.random.default_rng(0).normal(size=(300, 4))\n"
        "ConstrainedKMedians(12, random_state=0).fit(rows)\n"
        "print('numba' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 0.1, 7.0, 1e6, 1e12])
def test_ties_are_broken_alike_in_every_unit(factor: float) -> None:
    rng = np.random.default_rng(6)
    rows = np.column_stack([rng.integers(1, 8, (300, 3)), rng.integers(0, 2, (300, 4)) * 0.5])
    base = ConstrainedKMedians(random_state=0).fit(rows)
    scaled = ConstrainedKMedians(random_state=0).fit(rows * factor)
    assert (base.labels_ == scaled.labels_).all()
    assert scaled.cost_ == pytest.approx(base.cost_ * factor, rel=1e-9)
    np.testing.assert_allclose(scaled.prices_, base.prices_ * factor, atol=1e-9 * factor)


def test_centres_are_medians_to_the_last_digit() -> None:
    rows = np.random.default_rng(1).normal(40.1, 11.3, size=(255, 2)).round(1)
    model = ConstrainedKMedians(3, max_share=0.4, random_state=0).fit(rows)
    for j, centre in enumerate(model.cluster_centers_):
        assert (centre == np.median(rows[model.labels_ == j], axis=0)).all()
    assert model.cost_history_[-1] == model.cost_


@pytest.mark.parametrize("sort", ["Cauchy", "one far row", "one-hot", "hardly any"])
def test_fits_are_optimal_for_their_centres_at_any_spread(sort: str) -> None:
    rng = np.random.default_rng(8)
    n = 9000
    rows = {
        "Cauchy": rng.standard_cauchy((n, 4)),
        "one far row": np.vstack([rng.normal(size=(n - 1, 4)), np.full((1, 4), 1e9)]),
        "one-hot": np.eye(6)[rng.integers(0, 6, n)],
        "hardly any": (rng.random((n, 4)) < 0.01) * 1.0,
    }[sort]
    model = ConstrainedKMedians(13, n_init=1, random_state=0).fit(rows)
    smallest, largest = model.size_bounds_
    sizes = np.bincount(model.labels_, minlength=13)
    assert (smallest, largest) == (450, 900)
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    assert all(b <= a for a, b in itertools.pairwise(model.cost_history_))
    costs = cdist(rows, model.cluster_centers_, "cityblock")
    total = costs[np.arange(n), model.labels_].sum()
    assert total == pytest.approx(model.cost_, rel=1e-12)
    assert total == pytest.approx(dual(costs, smallest, largest, model.prices_), rel=1e-9)


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_extreme_numbers_neither_overflow_nor_vanish(scale: float) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2))
    base = ConstrainedKMedians(12, random_state=0).fit(rows)
    extreme = ConstrainedKMedians(12, random_state=0).fit(rows * scale)
    assert (base.labels_ == extreme.labels_).all()
    assert extreme.cost_ == pytest.approx(base.cost_ * scale, rel=1e-9)


def test_automatic_choice_gives_what_asking_for_that_number_gives() -> None:
    rows = np.random.default_rng(9).normal(size=(400, 3))
    automatic = ConstrainedKMedians(random_state=0).fit(rows)
    asked = ConstrainedKMedians(automatic.n_clusters_, random_state=0).fit(rows)
    assert (automatic.labels_ == asked.labels_).all()
    assert asked.k_curve_["n_clusters"] == [automatic.n_clusters_]
    assert asked.k_curve_["cost"] == [asked.cost_]


def test_any_number_allowed_does_not_try_absurd_ones() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    model = ConstrainedKMedians(min_share=0.0, max_share=1.0, n_init=1, random_state=0).fit(rows)
    tried = model.k_curve_["n_clusters"]
    assert (tried[0], tried[-1], len(tried)) == (1, 40, 11)


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


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros(50), "2D array"),
        (np.full((50, 2), np.nan), "NaN"),
        (np.full((50, 2), np.inf), "infinity"),
        (np.zeros((0, 2)), "0 sample"),
        (np.zeros((50, 0)), "0 feature"),
    ],
)
def test_unusable_rows_are_refused(rows: np.ndarray, words: str) -> None:
    model = ConstrainedKMedians(random_state=0)
    with pytest.raises(ValueError, match=words):
        model.fit(rows)
    assert not hasattr(model, "labels_")


def test_fewer_rows_than_clusters_are_refused() -> None:
    with pytest.raises(Infeasible, match="9 segments need a record each, there are 5"):
        ConstrainedKMedians(9, min_share=0.0, max_share=1.0).fit(np.zeros((5, 2)))


def test_many_records_go_through_samples_and_all_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator_module, "SAMPLE", 64)
    monkeypatch.setattr(estimator_module, "SAMPLE_EACH", 10)
    sizes: list[int] = []
    resume = estimator_module._Task.resume

    def noted(task: Any, found: Any) -> Any:
        sizes.append(len(task.rows))
        return resume(task, found)

    monkeypatch.setattr(estimator_module._Task, "resume", noted)
    rows = np.random.default_rng(3).normal(size=(9000, 2))
    told: list[float] = []
    model = ConstrainedKMedians(
        12, random_state=0, callback=lambda stage, fraction: told.append(fraction)
    ).fit(rows)
    assert sizes == [16 * 120, 9000]
    assert told == sorted(told)
    assert told[-1] == 1.0
    counts = np.bincount(model.labels_, minlength=12)
    assert counts.min() >= 450
    assert counts.max() <= 900
    assert all(b <= a for a, b in itertools.pairwise(model.cost_history_))
    costs = cdist(rows, model.cluster_centers_, "cityblock")
    total = costs[np.arange(9000), model.labels_].sum()
    assert total == pytest.approx(dual(costs, 450, 900, model.prices_), rel=1e-9)
