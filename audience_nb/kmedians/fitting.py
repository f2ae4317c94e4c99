"""From a caller's array to clusters: starts on a sample, larger samples, all records, proof."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians import selection
from audience_nb.kmedians.assignment import Assignment
from audience_nb.kmedians.certificate import Certificate, certify
from audience_nb.kmedians.compiling import loaded
from audience_nb.kmedians.descent import Descent, Task
from audience_nb.kmedians.rows import SMALL, Rows, Scale, Unrounded, canonical

__all__ = ["Formed", "Plan", "assign", "form"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Tell = Callable[[str, float], None]

# Starts are tried on so many rows (or so many for each cluster); the best goes on over larger
# samples, each so many times the one before, and in the end over all of them.
SAMPLE, SAMPLE_EACH, GROWTH = 2048, 100, 6
# Starts at least of records that need no compiled code: one alone ends in a poor optimum now and
# then, and they cost little.
LEAST_STARTS = 2
# Moves of a centre to elsewhere that are tried on the best start.
RELOCATIONS = 10
# A proof that leaves more open than this is made again on the caller's own numbers.
LOOSE = 1e-11


@dataclass(frozen=True)
class Plan:
    """What to form.

    Parameters
    ----------
    tried : list of int
        Numbers of clusters to compare; one if it is given.
    smallest, largest : int
        Sizes allowed, both inclusive.
    n_init, max_iter : int
        Starts, and iterations of each at most.
    tol : float
        Stop when the cost falls by less than this fraction; few records go on to a fixed point.
    seed : int
        Of everything random.
    n_threads : int, optional
        Threads to work on.
    centers, prices : ndarray of float64, optional
        The only start, in the caller's units.
    tell : callable
        Told a stage and the fraction done.
    """

    tried: list[int]
    smallest: int
    largest: int
    n_init: int
    max_iter: int
    tol: float
    seed: int
    tell: Tell
    n_threads: int | None = None
    centers: Floats | None = None
    prices: Floats | None = None


@dataclass(frozen=True)
class Formed:
    """Clusters in the caller's units and order."""

    labels: Labels
    centers: Floats
    certificate: Certificate
    history: list[float]
    k_curve: dict[str, list[Any]]

    @property
    def n_clusters(self) -> int:
        """How many."""
        return len(self.centers)


def form(X: Any, weights: Floats | None, plan: Plan) -> Formed:
    """Form clusters of allowed sizes.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        Finite, C-contiguous.
    weights : ndarray of float64, shape (n_records,), optional
        What each record's distances count for.
    plan : Plan
        The rest.

    Returns
    -------
    Formed

    Raises
    ------
    audience_nb.errors.Infeasible
        If no assignment meets the bounds.
    """
    n, tell = len(X), plan.tell
    tell("preparing", 0.0)
    rows, scale, order = canonical(X, plan.seed, weights, plan.n_threads)
    found, k_curve, sampled = _started(rows, scale, plan)
    if sampled is not rows:
        found = _settled(rows, found, sampled, plan)
    tell("checking", 0.97)
    assert found.medians is not None
    low, high = found.medians
    centers = np.where(low == high, low, low * 0.5 + high * 0.5)
    labels, proof = _proved(
        X,
        weights,
        rows,
        scale,
        order,
        centers,
        found.labels,
        found.prices,
        plan.smallest,
        plan.largest,
    )
    # In the caller's units, with the last exactly what the labels cost.
    unit = proof.cost / found.cost if found.cost > 0 else scale.unit
    history = [cost * unit for cost in found.history[:-1]] + [proof.cost]
    if k_curve["cost"]:
        per_record = scale.unit * n / len(sampled)
        k_curve["cost"] = [cost * per_record for cost in k_curve["cost"]]
    else:
        k_curve["cost"] = [proof.cost]
    tell("done", 1.0)
    return Formed(labels, centers, proof, history, k_curve)


def assign(
    X: Any,
    weights: Floats | None,
    centers: Floats,
    smallest: int,
    largest: int,
    n_threads: int | None = None,
) -> tuple[Labels, Certificate]:
    """Assign records to given centres, at least cost within the bounds.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        Finite, C-contiguous.
    weights : ndarray of float64, shape (n_records,), optional
        What each record's distances count for.
    centers : ndarray of float64, shape (n_clusters, n_features)
        In the same units.
    smallest, largest : int
        Sizes allowed, both inclusive; some assignment must meet them.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    labels : ndarray of int32, shape (n_records,)
    certificate : Certificate
        Proof that they are optimal.

    Examples
    --------
    >>> rows, centers = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [9.0]])
    >>> labels, proof = assign(rows, None, centers, 0, 1 + 1)
    >>> labels.tolist(), proof.gap
    ([0, 0, 1], 0.0)
    """
    rows, scale, order = canonical(X, 0, weights, n_threads)
    found = Assignment(rows, smallest, largest, len(centers), loaded())(scale(centers))
    return _proved(
        X, weights, rows, scale, order, centers, found.labels, found.prices, smallest, largest
    )


def _proved(
    X: Any,
    weights: Floats | None,
    rows: Rows,
    scale: Scale,
    order: npt.NDArray[np.int64] | None,
    centers: Floats,
    labels: Labels,
    prices: Floats,
    smallest: int,
    largest: int,
) -> tuple[Labels, Certificate]:
    """Put labels into the caller's order and check them on the caller's numbers."""

    def placed(labels: Labels) -> Labels:
        if order is None:
            return labels
        out = np.empty(len(labels), np.int32)
        out[order] = labels
        return out

    def proof(labels: Labels, prices: Floats) -> Certificate:
        return certify(
            X, centers, labels, prices * scale.unit, smallest, largest, weights, rows.n_threads
        )

    theirs = placed(labels)
    found = proof(theirs, prices)
    if found.gap > LOOSE:
        # Clusters so tight and so far apart that the grid shows.
        exact = Unrounded(rows, X, scale, order, centers)
        again = Assignment(exact, smallest, largest, len(centers))(scale(centers), prices)
        closer = placed(again.labels)
        better = proof(closer, again.prices)
        if better.gap < found.gap:
            return closer, better
    return theirs, found


def _started(rows: Rows, scale: Scale, plan: Plan) -> tuple[Descent, dict[str, list[Any]], Rows]:
    """Choose the number of clusters and the best start, on a sample where there are many rows."""
    n, tell = len(rows), plan.tell
    tried = plan.tried
    sampled = _sampled(rows, tried[-1], 1 if plan.centers is None else GROWTH, plan.seed)
    task = Task(sampled, n, plan.smallest, plan.largest, plan.seed)
    tol = 0.0 if n <= SMALL else plan.tol
    k_curve: dict[str, list[Any]] = {
        "n_clusters": list(tried),
        "cost": [],
        "silhouette": [math.nan],
        "displaced": [math.nan],
        "stability": [math.nan],
        "score": [math.nan],
        "chosen": [True],
        "alternative": [False],
    }
    if plan.centers is not None:
        tell(f"forming {len(plan.centers)} clusters", 0.1)
        prices = None if plan.prices is None else plan.prices / scale.unit
        begun = task.assigned(scale(plan.centers), prices)
        return task.descend(begun, plan.max_iter, tol), k_curve, sampled
    k = tried[0]
    choosing = len(tried) > 1
    if choosing:
        taken = selection.choose(task, tried, lambda stage, done: tell(stage, 0.7 * done))
        k, k_curve = taken.n_clusters, taken.curve()
    ended: list[Descent] = []
    starts = plan.n_init if n > SMALL else max(plan.n_init, LEAST_STARTS)
    for start in range(starts):
        tell(f"forming {k} clusters", 0.7 * choosing + 0.2 * start / starts)
        ended.append(task.descend(task.begin(k, start), plan.max_iter, plan.tol))
    # Only the best start is worth its last steps.
    best = task.descend(min(ended, key=_by_cost), plan.max_iter, tol)
    best = task.relocate(best, RELOCATIONS, plan.max_iter, tol)
    return best, k_curve, sampled


def _settled(rows: Rows, found: Descent, sampled: Rows, plan: Plan) -> Descent:
    """Go on over larger samples, which take most of the way, and in the end over all rows."""
    n = len(rows)
    sizes = []
    size = GROWTH * len(sampled)
    while 4 * size < n:
        sizes.append(size)
        size *= GROWTH
    for i, size in enumerate([*sizes, n]):
        some = rows if size == n else rows.sampled(size, plan.seed)
        task = Task(some, n, plan.smallest, plan.largest, plan.seed)
        first, room = 0.9 + 0.05 * i / (len(sizes) + 1), 0.05 / (len(sizes) + 1)

        def told(step: int, first: float = first, room: float = room) -> None:
            plan.tell("settling all records", first + room * (1 - 0.8**step))

        tol = 0.0 if n <= SMALL else plan.tol
        found = task.descend(task.resumed(found.centers, found.prices), plan.max_iter, tol, told)
    return found


def _sampled(rows: Rows, n_clusters: int, times: int, seed: int) -> Rows:
    size = times * max(SAMPLE, SAMPLE_EACH * n_clusters)
    return rows if len(rows) <= 1.5 * size else rows.sampled(size, seed)


def _by_cost(found: Descent) -> float:
    return found.cost
