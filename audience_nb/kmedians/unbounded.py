"""Clusters of any size, of every number in a range, quickly and well: iterative shrinking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.descent import seeds
from audience_nb.kmedians.rows import Rows

__all__ = ["Unbounded", "drawn", "fenced", "shrunk"]

Floats = npt.NDArray[np.float64]

# Seeds for each cluster of the largest number; rounds of medians at each number.
OVER, ROUNDS = 2, 3
# Relative falls in cost below this are none.
LEAST = 1e-4


@dataclass(frozen=True)
class Unbounded:
    """Clusters of any size.

    Parameters
    ----------
    centers : ndarray of float64, shape (n_clusters, n_features)
        Canonical.
    cost : float
        Sum of the weighted distances of rows to the nearest of them.
    loss : float
        By how much it rises if the least needed centre goes and no other moves.
    """

    centers: Floats
    cost: float
    loss: float


def shrunk(rows: Rows, first: int, last: int, tiny: float, seed: list[int]) -> dict[int, Unbounded]:
    """Form clusters of any size, from the largest number down to the first.

    From twice as many seeds as wanted the least needed goes, again and again, and the others settle
    (Virmajoki and Fränti, 2006): good optima, and neighbouring numbers belong together.

    Parameters
    ----------
    rows : Rows
        Few, in canonical order.
    first, last : int
        Numbers of clusters, both inclusive.
    tiny : float
        Clusters of fewer rows go first: they are outliers.
    seed : list of int
        Of the draws.

    Returns
    -------
    dict of int to Unbounded
        By number of clusters; without those above the number of rows.

    Examples
    --------
    >>> rows = Rows(np.repeat([[0.0], [1.0], [9.0]], 4, axis=0))
    >>> found = shrunk(rows, 2, 3, tiny=0.0, seed=[0])
    >>> found[2].cost, found[2].loss, found[3].cost, found[3].loss
    (4.0, 34.0, 0.0, 4.0)
    """
    n = len(rows)
    start = min(n, max(last + 1, min(OVER * last, n // 6)))
    columns = _drawn_in(rows)
    centers = seeds(rows, start, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        centers = _averaged(rows, columns, centers, rows.costs(centers))
    costs = rows.costs(centers)
    out: dict[int, Unbounded] = {}
    for k in range(start, first - 1, -1):
        if k <= last:
            centers, costs = _settled(rows, centers, costs)
        else:
            # On the way averages do, which are quicker.
            centers = _averaged(rows, columns, centers, costs)
            costs = rows.costs(centers)
        labels, own, other = _two_nearest(costs)
        missed = np.bincount(labels, other - own, minlength=k) if k > 1 else np.zeros(1)
        if k <= last:
            out[k] = Unbounded(centers, math.fsum(own.tolist()), float(missed.min()))
        sizes = np.bincount(labels, minlength=k)
        goes = sizes.argmin() if sizes.min() < tiny else missed.argmin()
        centers, costs = np.delete(centers, goes, axis=0), np.delete(costs, goes, axis=1)
    return out


def _settled(rows: Rows, centers: Floats, costs: Floats) -> tuple[Floats, Floats]:
    """Alternate medians and nearest centres; a centre that is nearest to none goes elsewhere."""
    last = math.inf
    for _ in range(ROUNDS):
        labels = costs.argmin(axis=1).astype(np.int32)
        own = costs.min(axis=1)
        total = float(own.sum())
        if total >= last * (1 - LEAST):
            break
        last = total
        empty = np.bincount(labels, minlength=len(centers)) == 0
        if empty.any():
            centers = centers.copy()
            centers[empty] = rows.values[np.argsort(-own, kind="stable")[: int(empty.sum())]]
        else:
            centers = rows.centers(*rows.medians(labels, len(centers)))
        costs = rows.costs(centers)
    return centers, costs


def _averaged(rows: Rows, columns: Floats, centers: Floats, costs: Floats) -> Floats:
    """Put centres at averages, which move where medians of few values do not."""
    labels = costs.argmin(axis=1)
    k = len(centers)
    total = np.bincount(labels, rows.weights, minlength=k).astype(np.float64)
    weighted = columns if rows.weights is None else columns * rows.weights
    sums = np.array([np.bincount(labels, column, minlength=k) for column in weighted]).T
    kept = total > 0
    centers = centers.copy()
    centers[kept] = sums[kept] / total[kept, None]
    return centers


def _two_nearest(costs: Floats) -> tuple[npt.NDArray[np.int32], Floats, Floats]:
    """Give the nearest centre of each row, and the costs of it and of the next."""
    labels = costs.argmin(axis=1).astype(np.int32)
    if costs.shape[1] == 1:
        return labels, costs[:, 0], costs[:, 0]
    two = np.partition(costs, 1, axis=1)
    return labels, two[:, 0], two[:, 1]


def _drawn_in(rows: Rows) -> Floats:
    """Give columns with their outer twentieths drawn in, of shape (n_features, n_records)."""
    ends = np.quantile(rows.values, [0.05, 0.95], axis=0, method="lower")
    return np.clip(rows.values, *ends).T.copy()


def fenced(rows: Rows) -> Rows:
    """Draw outliers in to half a range beyond the inner nine tenths of each column.

    Clusters without bounds would be spent on them. A column most of which is one value is left
    as it is.
    """
    low, high = np.quantile(rows.values, [0.05, 0.95], axis=0, method="lower")
    reach = np.where(high > low, 0.5 * (high - low), math.inf)
    return Rows(np.clip(rows.values, low - reach, high + reach), rows.weights)


def drawn(rows: Rows, places: npt.NDArray[np.int64]) -> Rows:
    """Copy the rows at some places, with their weights."""
    weights = None if rows.weights is None else rows.weights[places]
    return Rows(rows.values[places], weights)
