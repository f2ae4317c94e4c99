"""How many clusters: what speaks for each number, which is taken, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians import choice
from audience_nb.kmedians.descent import Descent, Task
from audience_nb.kmedians.rows import Rows
from audience_nb.kmedians.unbounded import LEAST, Unbounded, drawn, fenced, shrunk

__all__ = ["WEIGHTS", "Choice", "Trial", "choose", "judge", "shares", "signals", "try_out"]

Floats = npt.NDArray[np.float64]

# What each signal counts for: elbow, silhouette (standard score), spare, stability. Learnt as a
# conditional logit on planted sets of one half of the kinds in benchmarks/choice_of_k.py, which
# prints the figures for the other half and learns them again with --learn.
WEIGHTS = (2.6, 1.5, 4.0, 11.2)
# Numbers that together hold so much of the score are about as good as the best.
HELD = 0.8
# Free clusters below this share of the smallest size go first: outliers, not clusters.
TINY = 0.4
# Iterations within the bounds at most, and the fall of cost that ends them.
ITERATIONS, ROUGH = 6, 1e-3


@dataclass(frozen=True)
class Trial:
    """What is known of one number of clusters.

    Parameters
    ----------
    n_clusters : int
        The number.
    cost, silhouette, displaced : float
        Of clusters within the bounds, not quite settled: sum of distances, simplified silhouette,
        and share of rows that are not with their nearest centre.
    elbow : float
        Logarithm of the fall in cost that this number brings over that of the next, of clusters
        of any size; 0 for one cluster.
    spare : float
        Minus the logarithm of the fraction by which the cost rises if the least needed of one
        cluster more goes.
    stability : float
        Adjusted Rand index, over all rows, of clusters of any size learnt on two halves; 0 where
        a half has too few rows.
    """

    n_clusters: int
    cost: float
    silhouette: float
    displaced: float
    elbow: float
    spare: float
    stability: float


@dataclass(frozen=True)
class Choice:
    """The number of clusters taken, and what there is to say for the others.

    Parameters
    ----------
    n_clusters : int
        The one with the highest score.
    trials : tuple of Trial
        Of each number, ascending.
    scores : tuple of float
        Share of each; they add up to 1. On sets with a known number of clusters, how often that
        number is the true one.
    alternatives : tuple of int
        Other numbers about as good, best first: with the one taken the fewest that together hold
        0.8 of the score.

    Examples
    --------
    >>> trials = tuple(Trial(k, 9.0 / k, 0.5, 0.0, e, 0.0, 0.9) for k, e in ((2, 0.1), (3, 0.0)))
    >>> found = judge(trials)
    >>> found.n_clusters, found.alternatives, [round(s, 1) for s in found.scores]
    (2, (3,), [0.6, 0.4])
    """

    n_clusters: int
    trials: tuple[Trial, ...]
    scores: tuple[float, ...]
    alternatives: tuple[int, ...]

    @property
    def stability(self) -> float:
        """That of the number taken."""
        return next(t.stability for t in self.trials if t.n_clusters == self.n_clusters)

    def curve(self) -> dict[str, list[Any]]:
        """Give one list for each column, one entry for each number tried."""
        numbers = [t.n_clusters for t in self.trials]
        return {
            "n_clusters": numbers,
            "cost": [t.cost for t in self.trials],
            "silhouette": [t.silhouette for t in self.trials],
            "displaced": [t.displaced for t in self.trials],
            "stability": [t.stability for t in self.trials],
            "score": list(self.scores),
            "chosen": [k == self.n_clusters for k in numbers],
            "alternative": [k in self.alternatives for k in numbers],
        }


def choose(
    task: Task, tried: list[int], tell: Callable[[str, float], None] = lambda stage, fraction: None
) -> Choice:
    """Choose the number of clusters.

    Parameters
    ----------
    task : Task
        A sample of the records, or all of few, and the sizes allowed.
    tried : list of int
        Numbers to compare, ascending; each feasible.
    tell : callable
        Told a stage and the fraction done.

    Returns
    -------
    Choice
        The same for the same rows and seed.

    Examples
    --------
    >>> from audience_nb.kmedians.rows import Rows
    >>> rows = Rows(np.repeat([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0]], 10, axis=0))
    >>> found = choose(Task(rows, 30, 5, 15, seed=0), [2, 3, 4, 5])
    >>> found.n_clusters, found.stability
    (3, 1.0)
    """
    return judge(try_out(task, tried, tell))


def judge(trials: tuple[Trial, ...]) -> Choice:
    """Take the number that most speaks for; the smallest where that is equal."""
    held = shares(signals(trials))
    order = np.argsort(-held, kind="stable")
    enough = int(np.searchsorted(np.cumsum(held[order]), HELD)) + 1
    return Choice(
        n_clusters=trials[order[0]].n_clusters,
        trials=trials,
        scores=tuple(held.tolist()),
        alternatives=tuple(trials[i].n_clusters for i in order[1:enough]),
    )


def signals(trials: tuple[Trial, ...]) -> Floats:
    """Give what is weighed, of shape (n_trials, 4): elbow, silhouette, spare, stability.

    The silhouette as its standard score over the numbers tried: its level says more about the
    data than about the number.
    """
    silhouettes = np.array([t.silhouette for t in trials])
    spread = float(silhouettes.std())
    # Less is rounding.
    standard = (silhouettes - silhouettes.mean()) / spread if spread > 1e-9 else 0 * silhouettes
    rest = np.array([(t.elbow, t.spare, t.stability) for t in trials])
    return np.column_stack([rest[:, 0], standard, rest[:, 1:]])


def shares(signals: Floats, weights: Any = WEIGHTS) -> Floats:
    """Give the share of each number: the softmax of the weighted sum of its signals.

    A conditional logit (McFadden, 1974).

    Parameters
    ----------
    signals : ndarray of float64, shape (n_trials, n_signals)
        As `signals` gives them.
    weights : array-like of float, shape (n_signals,)
        What each counts for.

    Returns
    -------
    ndarray of float64, shape (n_trials,)
        They add up to 1.

    Examples
    --------
    >>> shares(np.array([[0.0], [math.log(3)]]), [1.0]).round(6).tolist()
    [0.25, 0.75]
    """
    total = (signals * np.asarray(weights, dtype=np.float64)).sum(axis=1)
    odds = np.exp(total - total.max())
    # Rounded, so that what only differs by the last bit of a logarithm ties on every machine.
    held: Floats = np.round(odds / odds.sum(), 12)
    return held


def try_out(
    task: Task, tried: list[int], tell: Callable[[str, float], None] = lambda stage, fraction: None
) -> tuple[Trial, ...]:
    """Form clusters of every number, roughly, and measure them.

    Clusters of any size come first, all numbers in one go; from the cheapest of each number set
    out those within the bounds.

    Parameters
    ----------
    task, tried, tell
        As for `choose`.

    Returns
    -------
    tuple of Trial
    """
    rows = fenced(task.rows)
    first, last = max(1, tried[0] - 1), tried[-1] + 1
    tiny = TINY * task.smallest
    order = np.random.default_rng(task.seed).permutation(len(rows))
    tell("comparing numbers of clusters", 0.0)
    free = shrunk(rows, first, last, tiny, [task.seed, 0])
    halves = []
    for i in (1, 2):
        tell("comparing numbers of clusters", 0.2 * i)
        half = drawn(rows, np.sort(order[i - 1 :: 2]))
        halves.append(shrunk(half, first, last, tiny / 2, [task.seed, i]))
    out = []
    for i, k in enumerate(tried):
        tell(f"trying {k} clusters", 0.6 + 0.4 * i / len(tried))
        found = task.descend(task.assigned(free[k].centers), ITERATIONS, ROUGH)
        out.append(_trial(task.rows, rows, found, free, halves))
    return tuple(out)


def _trial(
    rows: Rows,
    fenced: Rows,
    found: Descent,
    free: dict[int, Unbounded],
    halves: list[dict[int, Unbounded]],
) -> Trial:
    k = len(found.centers)
    silhouette, displaced = choice.quality(rows, found)
    stability = 0.0
    if all(k in half for half in halves):
        stability = _agreement(*(fenced.costs(half[k].centers).argmin(axis=1) for half in halves))
    more = free.get(k + 1)
    loss = more.loss / more.cost if more is not None and more.cost else 0.0
    return Trial(
        n_clusters=k,
        cost=found.cost,
        silhouette=silhouette,
        displaced=displaced,
        elbow=math.log(_fall(free, k) / _fall(free, k + 1)) if k > 1 else 0.0,
        spare=-math.log(max(LEAST, loss)),
        stability=stability,
    )


def _fall(free: dict[int, Unbounded], k: int) -> float:
    """Give the logarithm of the cost of one cluster less over that of so many."""
    if k - 1 not in free or k not in free or not free[k - 1].cost:
        return LEAST
    # A cost of nothing is as good as one of a millionth.
    return max(LEAST, -math.log(max(1e-6, free[k].cost / free[k - 1].cost)))


def _agreement(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Give the adjusted Rand index (Hubert and Arabie, 1985)."""
    width = int(other.max()) + 1
    table = np.bincount(one * width + other, minlength=(int(one.max()) + 1) * width)
    table = table.reshape(-1, width)

    def pairs(counts: npt.NDArray[np.int64]) -> int:
        return int((counts * (counts - 1) // 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    n = len(one)
    expected = rows * columns / max(1, n * (n - 1) // 2)
    most = (rows + columns) / 2
    return (both - expected) / (most - expected) if most > expected else 1.0
