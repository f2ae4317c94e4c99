"""The choice of the number of clusters: signals, scores, alternatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from audience_nb.kmedians import ConstrainedKMedians, selection
from audience_nb.kmedians.descent import Task
from audience_nb.kmedians.rows import Rows, canonical
from audience_nb.kmedians.selection import Choice, Trial
from audience_nb.kmedians.unbounded import drawn, fenced, shrunk

COLUMNS = [
    "n_clusters",
    "cost",
    "silhouette",
    "displaced",
    "stability",
    "score",
    "chosen",
    "alternative",
]


def planted(k: int, seed: int = 0, n: int = 1000, d: int = 5, width: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 4, size=(k, d))
    return middles[np.arange(n) % k] + rng.laplace(size=(n, d)) * width


def chosen(rows: np.ndarray, seed: int = 0, weights: np.ndarray | None = None) -> Choice:
    kept, _, _ = canonical(rows, seed, weights, 1)
    n = len(rows)
    task = Task(kept, n, -(-n // 20), n // 10, seed)
    return selection.choose(task, list(range(10, 21)))


def trial(k: int, **signals: float) -> Trial:
    known = {"cost": 1.0, "silhouette": 0.5, "displaced": 0.0}
    known |= {"elbow": 0.0, "spare": 0.0, "stability": 0.5}
    return Trial(n_clusters=k, **{**known, **signals})


# -- the choice ------------------------------------------------------------------------------


@pytest.mark.parametrize("k", range(10, 21))
def test_planted_numbers_are_found_to_both_ends_of_the_range(k: int) -> None:
    found = chosen(planted(k, seed=k))
    assert found.n_clusters == k
    assert found.stability > 0.95


@pytest.mark.parametrize("kind", ["numbers of few values", "outliers", "weights"])
def test_planted_numbers_are_found_in_data_that_are_not_clean(kind: str) -> None:
    rng = np.random.default_rng(3)
    rows = planted(13, seed=4)
    weights = None
    if kind == "numbers of few values":
        levels = rng.integers(3, size=(13, 4))[np.arange(1000) % 13]
        rows = np.hstack([rows.round(), np.eye(3)[levels].reshape(1000, -1)])
    elif kind == "outliers":
        rows[rng.choice(1000, 20, replace=False)] += rng.standard_t(1, size=(20, 5)) * 30
    else:
        weights = rng.integers(1, 4, size=1000).astype(float)
    assert chosen(rows, weights=weights).n_clusters == 13


def test_what_has_no_clusters_leaves_many_alternatives() -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 5))
    vague, clear = chosen(rows), chosen(planted(14))
    assert len(vague.alternatives) >= 2 and vague.stability < 0.6
    assert clear.alternatives == () and max(clear.scores) > 0.8


def test_scores_are_shares_and_the_alternatives_hold_what_they_say() -> None:
    found = chosen(planted(15, width=1.6))
    scores = np.array(found.scores)
    assert scores.sum() == pytest.approx(1, abs=1e-9) and (scores >= 0).all()
    numbers = [t.n_clusters for t in found.trials]
    assert numbers == list(range(10, 21))
    assert found.n_clusters == numbers[int(scores.argmax())]
    held = [scores[numbers.index(k)] for k in (found.n_clusters, *found.alternatives)]
    assert held == sorted(held, reverse=True)
    assert sum(held) >= selection.HELD > sum(held[:-1])


def test_curve_has_one_entry_for_each_number() -> None:
    found = chosen(planted(12))
    curve = found.curve()
    assert list(curve) == COLUMNS
    assert {len(column) for column in curve.values()} == {11}
    assert [k for k, c in zip(curve["n_clusters"], curve["chosen"], strict=True) if c] == [12]
    marked = [k for k, a in zip(curve["n_clusters"], curve["alternative"], strict=True) if a]
    assert marked == sorted(found.alternatives)


# -- what it must not depend on --------------------------------------------------------------


def test_the_same_seed_gives_the_same_choice() -> None:
    rows = planted(14, width=1.5)
    assert chosen(rows, 3) == chosen(rows, 3)
    assert chosen(rows, 3).trials != chosen(rows, 4).trials


@pytest.mark.parametrize("scale", [1e-9, 1 / 3, 2.54, 1e12])
def test_units_do_not_matter(scale: float) -> None:
    rows = planted(16, width=1.2, n=600)
    base, other = chosen(rows), chosen(rows * scale)
    assert other.n_clusters == base.n_clusters and other.alternatives == base.alternatives
    np.testing.assert_allclose(other.scores, base.scores, atol=1e-6)


def test_the_order_of_rows_does_not_matter() -> None:
    rows = planted(16, width=1.2, n=600)
    shuffled = np.random.default_rng(0).permutation(rows)
    assert chosen(shuffled) == chosen(rows)


def test_threads_do_not_matter_where_rows_are_many() -> None:
    rows = planted(12, n=30_000, d=3).astype(np.float32)
    one, three = (
        ConstrainedKMedians(n_init=1, random_state=0, n_threads=t).fit(rows) for t in (1, 3)
    )
    assert one.n_clusters_ == 12
    assert one.k_curve_ == three.k_curve_
    # Costs are of the sample, brought to all rows.
    assert one.k_curve_["cost"][2] == pytest.approx(one.cost_, rel=0.03)


# -- awkward data ----------------------------------------------------------------------------


def test_constant_data_take_the_smallest_number() -> None:
    found = chosen(np.ones((200, 3)))
    assert found.n_clusters == 10
    assert np.isfinite(found.scores).all()
    assert [t.cost for t in found.trials] == [0.0] * 11


def test_as_many_distinct_rows_as_clusters() -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(13, 2)), 20, axis=0)
    found = chosen(rows)
    assert found.n_clusters == 13
    assert found.alternatives == ()


def test_one_possible_number_is_not_weighed() -> None:
    model = ConstrainedKMedians(min_share=0.08, max_share=0.085, random_state=0)
    model.fit(np.random.default_rng(0).normal(size=(600, 2)))
    assert model.n_clusters_ == 12
    assert list(model.k_curve_) == COLUMNS
    assert model.k_curve_["n_clusters"] == [12] and model.k_curve_["chosen"] == [True]
    assert model.k_curve_["cost"] == [model.cost_]
    assert math.isnan(model.k_curve_["stability"][0])


@settings(max_examples=25, deadline=None)
@given(n=st.integers(10, 60), d=st.integers(1, 3), seed=st.integers(0, 99), steps=st.booleans())
def test_few_rows_give_an_answer(n: int, d: int, seed: int, steps: bool) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    rows = rows.round() if steps else rows
    model = ConstrainedKMedians(max_share=0.2, n_init=1, random_state=seed).fit(rows)
    curve = model.k_curve_
    assert curve["n_clusters"][curve["chosen"].index(True)] == model.n_clusters_
    if len(curve["score"]) > 1:
        assert sum(curve["score"]) == pytest.approx(1, abs=1e-9)
        assert curve["score"][curve["chosen"].index(True)] == max(curve["score"])


def test_without_a_size_rule_few_clear_clusters_are_counted() -> None:
    rows = np.random.default_rng(0).normal(size=(600, 3)) * 0.3
    rows += np.array([[0, 0, 0], [5, 0, 0], [0, 5, 0]])[np.arange(600) % 3]
    kept, _, _ = canonical(rows, 0, None, 1)
    found = selection.choose(Task(kept, 600, 1, 600, 0), [1, 2, 3, 4, 5, 6])
    assert found.n_clusters == 3


# -- the parts -------------------------------------------------------------------------------


def test_each_signal_speaks_for_a_number() -> None:
    for name in ("elbow", "silhouette", "spare", "stability"):
        trials = tuple(trial(k, **({name: 0.9} if k == 12 else {})) for k in (11, 12, 13))
        assert selection.judge(trials).n_clusters == 12, name


def test_signals_are_the_measures_but_for_the_silhouettes_level() -> None:
    trials = (trial(10, silhouette=0.2, elbow=1.0), trial(11, silhouette=0.4, spare=2.0))
    expected = [[1.0, -1.0, 0.0, 0.5], [0.0, 1.0, 2.0, 0.5]]
    np.testing.assert_allclose(selection.signals(trials), expected)
    same = selection.signals((trial(10), trial(11)))
    assert same[:, 1].tolist() == [0.0, 0.0]


def test_equal_evidence_takes_the_smallest_number() -> None:
    found = selection.judge((trial(10), trial(11), trial(12)))
    assert found.n_clusters == 10
    assert found.scores == pytest.approx([1 / 3] * 3)
    assert found.alternatives == (11, 12)


def test_measures_of_three_points() -> None:
    rows = Rows(np.repeat([[0.0], [1.0], [9.0]], 10, axis=0))
    two, three = selection.try_out(Task(rows, 30, 5, 20, seed=0), [2, 3])
    # 1 cluster costs 90 (median 1), 2 cost 10 and 3 none, which counts as a millionth.
    assert (two.cost, three.cost) == (10.0, 0.0)
    assert two.elbow == pytest.approx(math.log(math.log(9) / math.log(1e6)))
    assert three.elbow == pytest.approx(math.log(math.log(1e6) / 1e-4))
    assert (two.spare, three.spare) == (pytest.approx(-math.log(1e-4)),) * 2
    assert three.stability == 1.0 and three.silhouette == 1.0 and three.displaced == 0.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=40))
def test_agreement_is_the_adjusted_rand_index(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    assert selection._agreement(one, other) == pytest.approx(
        adjusted_rand_score(one, other), abs=1e-12
    )


def test_shrinking_is_as_good_as_many_starts() -> None:
    rows, _, _ = canonical(planted(14, width=1.5), 0, None, 1)
    found = shrunk(rows, 9, 21, tiny=0.0, seed=[0])
    assert sorted(found) == list(range(9, 22))
    costs = [found[k].cost for k in range(9, 22)]
    assert costs == sorted(costs, reverse=True)
    free = Task(rows, 1000, 1, 1000, seed=0)
    for k in (10, 14, 20):
        best = min(free.descend(free.begin(k, i), 50, 1e-4).cost for i in range(4))
        assert found[k].cost < 1.02 * best


def test_loss_is_what_removing_the_least_needed_costs() -> None:
    rows = Rows(np.random.default_rng(0).normal(size=(80, 2)))
    found = shrunk(rows, 4, 6, tiny=0.0, seed=[1])[5]
    least = min(
        math.fsum(rows.costs(np.delete(found.centers, j, axis=0)).min(axis=1)) for j in range(5)
    )
    assert found.loss == pytest.approx(least - found.cost)


def test_fences_draw_outliers_in_and_leave_rare_values() -> None:
    values = np.column_stack([np.arange(101.0), np.zeros(101)])
    values[-1] = 1e6, 1.0
    inside = fenced(Rows(values)).values
    # 5 to 95, and half of the 90 between them beyond.
    assert inside[-1].tolist() == [140.0, 1.0]
    assert (inside[:-1] == values[:-1]).all()


def test_drawn_rows_keep_their_weights() -> None:
    rows = Rows(np.arange(4.0)[:, None], np.array([1.0, 2.0, 3.0, 4.0]))
    some = drawn(rows, np.array([1, 3]))
    assert some.values.ravel().tolist() == [1.0, 3.0]
    assert some.weights is not None and some.weights.tolist() == [2.0, 4.0]
