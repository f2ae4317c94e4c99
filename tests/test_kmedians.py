"""Size-constrained K-medians: bounds always met, labels free of accidents, scikit-learn's ways."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from audience_nb.errors import Cancelled, Infeasible, InvalidInput
from audience_nb.kmedians import ConstrainedKMedians, certify, fitting, flow, size_bounds
from audience_nb.kmedians.rows import SMALL

# -- the estimator ---------------------------------------------------------------------------------


def assert_proved(model: ConstrainedKMedians, rows: np.ndarray, weights: Any = None) -> None:
    """Check bounds, cost and the proof, from the data and the attributes alone."""
    smallest, largest = model.size_bounds_
    sizes = np.bincount(model.labels_, minlength=model.n_clusters_)
    assert model.labels_.shape == (len(rows),)
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    weights = np.ones(len(rows)) if weights is None else weights
    costs = cdist(rows, model.cluster_centers_, "cityblock") * weights[:, None]
    total = costs[np.arange(len(rows)), model.labels_].sum()
    assert model.cost_ == model.certificate_.cost == pytest.approx(total, rel=1e-12, abs=1e-300)
    prices = model.prices_
    bound = (costs + prices).min(axis=1).sum() - (
        np.maximum(prices, 0) * largest + np.minimum(prices, 0) * smallest
    ).sum()
    assert total == pytest.approx(bound, rel=1e-9, abs=1e-9 * np.abs(rows).max())
    assert model.certificate_.gap <= 1e-9
    assert model.certificate_.within_bounds
    assert (sizes[prices > 0] == largest).all()
    assert (sizes[prices < 0] == smallest).all()


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
# Other labels of the same cost, whose medians are better.
@example(144, 142, 4, (0.05, 0.10), True)
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
    # Halfway between two float32 is no float32.
    assert (narrow.cluster_centers_ == wide.cluster_centers_).all()
    assert narrow.transform(rows).dtype == np.float32


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
    model = ConstrainedKMedians(random_state=0).fit(rows)
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


# scikit-learn's own checks, with bounds that its tiny data sets can meet.
@parametrize_with_checks([ConstrainedKMedians(n_clusters=3, min_share=0.0, max_share=1.0)])
def test_scikit_learn_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


TOO_FEW = "at 5–10 % no number of clusters, or not the one it sets, holds its 1 to 50 records"
# What the defaults cannot pass, since these checks expect clusters of sizes that the bounds forbid.
EXPECTED = {
    "check_clustering": TOO_FEW,
    "check_dont_overwrite_parameters": TOO_FEW,
    "check_estimators_fit_returns_self": TOO_FEW,
    "check_estimators_overwrite_params": TOO_FEW,
    "check_fit2d_1feature": "one column is enough, and the error is about sizes",
    "check_fit2d_1sample": "the error is about sizes",
    "check_fit2d_predict1d": TOO_FEW,
    "check_methods_sample_order_invariance": TOO_FEW,
    "check_methods_subset_invariance": TOO_FEW,
    "check_readonly_memmap_input": TOO_FEW,
    "check_sample_weight_equivalence_on_dense_data": TOO_FEW,
}


@parametrize_with_checks(
    [ConstrainedKMedians()], expected_failed_checks=lambda _: EXPECTED, xfail_strict=True
)
def test_scikit_learn_conventions_with_the_defaults(estimator: Any, check: Any) -> None:
    check(estimator)


# -- engines and scales ----------------------------------------------------------------------------


def test_a_whole_fit_is_the_same_with_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=(400, 2)), rng.integers(0, 2, (400, 3))])
    used: list[int] = []
    transfer = flow.transfer

    def counted(*arguments: Any) -> Any:
        used.append(1)
        return transfer(*arguments)

    counted.signatures = []  # type: ignore[attr-defined]
    monkeypatch.setattr(flow, "transfer", counted)
    plain = ConstrainedKMedians(random_state=0).fit(rows)
    assert not used
    # Once the compiled code is at hand, few records use it too.
    counted.signatures = ["one"]  # type: ignore[attr-defined]
    compiled = ConstrainedKMedians(random_state=0).fit(rows)
    assert used
    assert (plain.labels_ == compiled.labels_).all()
    assert plain.cost_history_ == compiled.cost_history_


def test_ten_thousand_records_need_no_compiler() -> None:
    code = (
        "import sys, numpy as np\n"
        "from audience_nb.kmedians import ConstrainedKMedians\n"
        "rows = np.random.default_rng(0).normal(size=(10_000, 4))\n"
        "model = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rows)\n"
        "model.assign(rows), model.predict(rows), model.feasibility(rows)\n"
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
    n = 11_000
    assert n > SMALL
    rows = {
        "Cauchy": rng.standard_cauchy((n, 4)),
        "one far row": np.vstack([rng.normal(size=(n - 1, 4)), np.full((1, 4), 1e9)]),
        "one-hot": np.eye(6)[rng.integers(0, 6, n)],
        "hardly any": (rng.random((n, 4)) < 0.01) * 1.0,
    }[sort]
    model = ConstrainedKMedians(13, n_init=1, random_state=0).fit(rows)
    smallest, largest = model.size_bounds_
    sizes = np.bincount(model.labels_, minlength=13)
    assert (smallest, largest) == (550, 1100)
    assert sizes.min() >= smallest
    assert sizes.max() <= largest
    assert all(b <= a for a, b in itertools.pairwise(model.cost_history_))
    assert_proved(model, rows)


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
    monkeypatch.setattr(fitting, "SAMPLE", 64)
    monkeypatch.setattr(fitting, "SAMPLE_EACH", 10)
    sizes: list[int] = []
    descend = fitting.Task.descend

    def noted(task: Any, *arguments: Any) -> Any:
        sizes.append(len(task.rows))
        return descend(task, *arguments)

    monkeypatch.setattr(fitting.Task, "descend", noted)
    rows = np.random.default_rng(3).normal(size=(12_000, 2))
    told: list[float] = []
    model = ConstrainedKMedians(
        12, random_state=0, callback=lambda stage, fraction: told.append(fraction)
    ).fit(rows)
    # The starts and what is moved elsewhere, then ever more rows.
    assert sizes[:4] == [120] * 4
    assert [size for size in sizes if size != 120] == [6 * 120, 12_000]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert all(b <= a for a, b in itertools.pairwise(model.cost_history_))
    assert_proved(model, rows)


# -- as an estimator -------------------------------------------------------------------------------


def test_new_records_are_assigned_within_the_bounds() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 3))
    model = ConstrainedKMedians(12, random_state=0).fit(rows)
    assert (model.assign(rows) == model.labels_).all()
    # All the new ones are nearest to one centre.
    new = model.cluster_centers_[0] + rng.normal(scale=0.01, size=(240, 3))
    assert np.bincount(model.predict(new)).tolist() == [240]
    labels = model.predict(new, respect_sizes=True)
    sizes = np.bincount(labels, minlength=12)
    assert sizes.min() >= 12
    assert sizes.max() <= 24
    costs = cdist(new, model.cluster_centers_, "cityblock")
    paid = costs[np.arange(240), labels].sum()
    assert certify(new, model.cluster_centers_, labels, np.zeros(12), 0, 240).cost == paid
    with pytest.raises(Infeasible, match="12 segments of at most 0 records hold 0 of 5"):
        model.assign(new[:5])
    # Without a least share a few can be assigned too.
    free = ConstrainedKMedians(12, min_share=0.0, max_share=0.5, random_state=0).fit(rows)
    assert np.bincount(free.assign(new[:4])).max() <= 2


def test_many_new_records_are_assigned_optimally() -> None:
    rng = np.random.default_rng(1)
    model = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rng.normal(size=(600, 3)))
    new = rng.normal(size=(SMALL + 2000, 3)) + 0.5
    labels, proof = fitting.assign(new, None, model.cluster_centers_, 600, 1200)
    assert (labels == model.assign(new)).all()
    assert proof.within_bounds
    assert proof.gap <= 1e-12
    order = rng.permutation(len(new))
    assert (model.assign(new[order]) == labels[order]).all()
    assert (model.assign(new, sample_weight=np.full(len(new), 2.0)) == labels).mean() > 0.999


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.integers(20, 120),
    st.sampled_from([(0.05, 0.10), (0.0, 1.0), (0.1, 0.4), (0.02, 0.3)]),
)
def test_weights_scale_costs_and_medians(seed: int, n: int, shares: tuple[float, float]) -> None:
    rng = np.random.default_rng(seed)
    rows, weights = rng.normal(size=(n, 2)).round(1), rng.integers(0, 6, n) * 0.25
    model = ConstrainedKMedians(
        min_share=shares[0], max_share=shares[1], n_init=1, random_state=seed
    )
    try:
        model.fit(rows, sample_weight=weights)
    except Infeasible:
        return
    assert_proved(model, rows, weights)
    for j, centre in enumerate(model.cluster_centers_):
        # No point costs less than the centre: it is a weighted median.
        own, its = rows[model.labels_ == j], weights[model.labels_ == j]
        paid = (its[:, None] * np.abs(own - centre)).sum(axis=0)
        for point in own:
            assert (paid <= (its[:, None] * np.abs(own - point)).sum(axis=0) + 1e-9).all()


def test_weights_of_one_and_equal_weights_change_no_label() -> None:
    rows = np.random.default_rng(0).normal(size=(400, 3))
    plain = ConstrainedKMedians(12, random_state=0).fit(rows)
    ones = ConstrainedKMedians(12, random_state=0).fit(rows, sample_weight=np.ones(400))
    eights = ConstrainedKMedians(12, random_state=0).fit(rows, sample_weight=np.full(400, 8.0))
    assert (plain.labels_ == ones.labels_).all()
    assert (plain.labels_ == eights.labels_).all()
    assert eights.cost_ == 8 * plain.cost_
    assert (eights.prices_ == 8 * plain.prices_).all()


def test_many_weighted_records() -> None:
    rng = np.random.default_rng(0)
    rows, weights = rng.normal(size=(11_000, 3)), rng.exponential(size=11_000)
    model = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rows, sample_weight=weights)
    assert_proved(model, rows, weights)


@pytest.mark.parametrize("weights", [[-1.0] * 100, [np.nan] * 100, [1.0] * 99])
def test_unusable_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weight"):
        ConstrainedKMedians().fit(np.zeros((100, 2)), sample_weight=weights)


def test_given_centres_are_the_only_start() -> None:
    rows, _ = planted(12, 0, 600)
    best = ConstrainedKMedians(12, random_state=0).fit(rows)
    again = ConstrainedKMedians(init=best.cluster_centers_, random_state=5).fit(rows)
    assert again.n_clusters_ == 12
    assert (again.labels_ == best.labels_).all()
    assert again.n_iter_ == 1
    for init, words in (
        (best.cluster_centers_[:, :2], "init has shape"),
        (np.full((12, 6), np.nan), "init holds missing"),
        ("random", "init is 'random'"),
    ):
        with pytest.raises(InvalidInput, match=words):
            ConstrainedKMedians(12, init=init).fit(rows)
    with pytest.raises(InvalidInput, match="init holds 12 centres, n_clusters is 11"):
        ConstrainedKMedians(11, init=best.cluster_centers_).fit(rows)


@pytest.mark.parametrize("n", [500, SMALL + 1000])
def test_a_warm_start_goes_on_from_the_fit_before(n: int) -> None:
    rows = np.random.default_rng(0).normal(size=(n, 3))
    model = ConstrainedKMedians(12, n_init=1, random_state=0, warm_start=True, max_iter=2).fit(rows)
    costs = [model.cost_]
    for _ in range(4):
        costs.append(model.fit(rows).cost_)
    assert all(b <= a * (1 + 1e-4) for a, b in itertools.pairwise(costs))
    assert costs[-1] < costs[0]
    # Another number of clusters cannot go on from there.
    assert model.set_params(n_clusters=13).fit(rows).n_clusters_ == 13


def test_what_a_cancelled_or_refused_fit_leaves() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))

    def stop(stage: str, fraction: float) -> None:
        raise Cancelled("Stopped by you.")

    for warm in (False, True):
        model = ConstrainedKMedians(12, random_state=0, warm_start=warm).fit(rows)
        labels = model.labels_
        with pytest.raises(Cancelled):
            model.set_params(callback=stop).fit(rows[:, :1])
        if warm:
            assert (model.labels_ == labels).all()
            assert model.predict(rows).shape == (200,)
        else:
            assert [name for name in vars(model) if name.endswith("_")] == []
    with pytest.raises(Infeasible):
        model.set_params(callback=None, n_clusters=3, warm_start=False).fit(rows)
    assert not hasattr(model, "labels_")


def test_it_pickles() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    model = ConstrainedKMedians(12, random_state=0).fit(rows)
    again = pickle.loads(pickle.dumps(model))
    assert (again.labels_ == model.labels_).all()
    assert (again.assign(rows) == model.labels_).all()
    assert again.certificate_.gap == model.certificate_.gap


def test_frames_go_in_and_come_out() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["age", "pay"])
    model = make_pipeline(StandardScaler(), ConstrainedKMedians(12, random_state=0))
    out = model.set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == [f"constrainedkmedians{j}" for j in range(12)]
    assert (out.index == frame.index).all()
    last = model[-1]
    assert last.feature_names_in_.tolist() == ["age", "pay"]
    assert (last.predict(model[:-1].transform(frame)) == out.to_numpy().argmin(axis=1)).all()
    assert last.inertia_ == last.cost_


def test_the_median_is_halfway_between_the_middle_two() -> None:
    rows = np.array([[0.0], [1.0], [4.0], [9.0], [100.0], [100.0], [104.0], [110.0]])
    model = ConstrainedKMedians(2, min_share=0.5, max_share=0.5, random_state=0).fit(rows)
    assert sorted(model.cluster_centers_.ravel().tolist()) == [2.5, 102.0]


# -- many records ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> tuple[np.ndarray, ConstrainedKMedians]:
    rng = np.random.default_rng(7)
    n = 40_000
    rows = np.column_stack([rng.normal(size=(n, 3)).round(1), np.eye(4)[rng.integers(0, 4, n)]])
    return rows, ConstrainedKMedians(12, n_init=2, random_state=0).fit(rows)


def test_ties_among_many_records_are_settled_exactly(many: Any) -> None:
    rows, model = many
    assert_proved(model, rows)
    assert all(b <= a for a, b in itertools.pairwise(model.cost_history_))


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_threads_change_no_bit(many: Any, n_threads: int) -> None:
    rows, model = many
    other = ConstrainedKMedians(12, n_init=2, random_state=0, n_threads=n_threads).fit(rows)
    assert (other.labels_ == model.labels_).all()
    assert (other.cluster_centers_ == model.cluster_centers_).all()
    assert (other.prices_ == model.prices_).all()
    assert other.cost_history_ == model.cost_history_


@pytest.mark.parametrize("factor", [1e-9, 0.1, 7.0])
def test_units_change_no_label_of_many(many: Any, factor: float) -> None:
    rows, model = many
    other = ConstrainedKMedians(12, n_init=2, random_state=0).fit(rows * factor)
    assert (other.labels_ == model.labels_).all()
    assert other.cost_ == pytest.approx(model.cost_ * factor, rel=1e-12)


def test_the_order_of_many_rows_changes_no_label(many: Any) -> None:
    rows, model = many
    order = np.random.default_rng(0).permutation(len(rows))
    other = ConstrainedKMedians(12, n_init=2, random_state=0).fit(rows[order])
    assert (other.cluster_centers_ == model.cluster_centers_).all()
    assert other.cost_ == pytest.approx(model.cost_, rel=1e-12)
    # Equal rows are told apart by their place alone: each kind is cut into the same numbers.
    kinds, kind = np.unique(rows, axis=0, return_inverse=True)
    for labels, rank in ((model.labels_, kind), (other.labels_, kind[order])):
        table = np.zeros((len(kinds), 12), int)
        np.add.at(table, (rank, labels), 1)
        if rank is kind:
            wanted = table
    assert (table == wanted).all()
    assert (table > 0).sum(axis=1).max() > 1


def test_the_float_type_of_many_changes_no_label(many: Any) -> None:
    rows = many[0].astype(np.float32)
    narrow = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rows)
    wide = ConstrainedKMedians(12, n_init=1, random_state=0).fit(rows.astype(np.float64))
    assert (narrow.labels_ == wide.labels_).all()
    assert (narrow.cluster_centers_ == wide.cluster_centers_).all()


def test_a_grid_too_coarse_for_the_data_is_left() -> None:
    # Two clumps, each narrower than the grid on which ties are exact.
    rng = np.random.default_rng(0)
    for n in (400, SMALL + 1000):
        rows = np.repeat([[0.0], [1.0]], n // 2, axis=0) + rng.normal(size=(n, 1)) * 1e-13
        model = ConstrainedKMedians(4, max_share=0.3, n_init=1, random_state=0).fit(rows)
        assert model.certificate_.gap <= 1e-9
        assert model.certificate_.within_bounds
        assert model.certificate_.cost > 0
