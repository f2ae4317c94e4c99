"""Passes over many rows: in float32, then exactly where that leaves a doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.rows import Rows
from audience_nb.kmedians.threads import CHUNK, in_chunks

__all__ = ["ROUNDING", "Passed", "movable", "passed"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int64]

# Relative error of one float32 operation, doubled.
ROUNDING = 1.2e-7


@dataclass(frozen=True)
class Passed:
    """What one pass over the rows has found.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_clusters,)
        Rows labelled so.
    cost : float
        Sum of their distances.
    near : ndarray of int64, shape (n_near,)
        Rows near a border, in canonical order.
    costs : ndarray of float64, shape (n_near, n_clusters)
        Their distances, exactly.
    moving : ndarray of int32, shape (n_near,)
        Their labels.
    """

    sizes: Sizes
    cost: float
    near: Indices
    costs: Floats
    moving: Labels


def passed(
    rows: Rows, centers: Floats, prices: Floats, margins: Floats, labels: Labels, slack: float
) -> Passed:
    """Label all rows by distance plus price.

    Parameters
    ----------
    rows : Rows
        Many.
    centers : ndarray of float64, shape (n_clusters, n_features)
        Canonical.
    prices : ndarray of float64, shape (n_clusters,)
        One for each cluster.
    margins : ndarray of float64, shape (n_clusters, n_clusters)
        A row is near a border if a move from its cluster to another costs less than this, distance
        and price.
    labels : ndarray of int32, shape (n_records,)
        Rewritten.
    slack : float
        By how much exact distances may differ from those of the rows as they are.

    Returns
    -------
    Passed
    """
    from audience_nb.kmedians.kernels import settle

    k = len(prices)

    def part(a: int, b: int) -> Passed:
        some = labels[a:b]
        weights = np.empty(0) if rows.weights is None else rows.weights[a:b]
        sizes, doubtful, total = _scanned(
            rows.narrow(a, b), weights, centers, prices, margins, some, slack
        )
        m = len(doubtful)
        exact = rows.run_costs(centers, doubtful + a)
        settled, near = np.empty(m, np.int32), np.empty(m, np.int64)
        near = near[: settle(exact, prices, margins, settled, near)]
        before = some[doubtful]
        sizes += np.bincount(settled, minlength=k) - np.bincount(before, minlength=k)
        place = np.arange(m)
        total += float((exact[place, settled] - exact[place, before]).sum())
        some[doubtful] = settled
        return Passed(sizes, total, doubtful[near] + a, exact[near], settled[near])

    parts = in_chunks(part, len(rows), CHUNK, rows.n_threads)
    near = np.concatenate([p.near for p in parts])
    # The solver takes tied rows in their order, which must not be the caller's.
    order = np.argsort(rows.ranks(near), kind="stable")
    return Passed(
        np.sum([p.sizes for p in parts], axis=0),
        math.fsum(p.cost for p in parts),
        near[order],
        np.concatenate([p.costs for p in parts])[order],
        np.concatenate([p.moving for p in parts])[order],
    )


def movable(
    rows: Rows, centers: Floats, labels: Labels, cluster: int, limits: Floats, slack: float
) -> tuple[Indices, Floats]:
    """Find the rows of a cluster that have a move which costs less than its limit.

    Parameters
    ----------
    rows, centers, slack
        As for `passed`.
    labels : ndarray of int32, shape (n_records,)
        Clusters; others than the one asked for are passed over.
    cluster : int
        Which.
    limits : ndarray of float64, shape (n_clusters,)
        One for the move to each cluster, in distance alone.

    Returns
    -------
    found : ndarray of int64, shape (n_found,)
        Rows, in canonical order.
    costs : ndarray of float64, shape (n_found, n_clusters)
        Their distances, exactly.
    """
    k = len(limits)
    members = (labels == cluster).nonzero()[0]
    limits = np.where(np.arange(k) == cluster, -math.inf, limits)
    # Such a row is nearer to another centre once that is as much cheaper.
    prices = np.where(np.arange(k) == cluster, 0.0, -limits)

    def part(a: int, b: int) -> Indices:
        some = members[a:b]
        nearest = np.empty(b - a, np.int32)
        narrow, weights = rows.narrow_of(some), rows.weights_of(some)
        _, doubtful, _ = _scanned(
            narrow, weights, centers, prices, np.zeros((k, k)), nearest, slack
        )
        chosen = nearest != cluster
        chosen[doubtful] = True
        some_found: Indices = some[chosen]
        return some_found

    parts = in_chunks(part, len(members), CHUNK, rows.n_threads)
    found = np.concatenate([np.empty(0, np.int64), *parts])
    found = found[np.argsort(rows.ranks(found), kind="stable")]
    costs = rows.costs(centers, found)
    chosen = (costs - costs[:, cluster : cluster + 1] < limits).any(axis=1)
    return found[chosen], costs[chosen]


def _scanned(
    narrow: npt.NDArray[np.float32],
    weights: Floats,
    centers: Floats,
    prices: Floats,
    margins: Floats,
    labels: Labels,
    slack: float,
) -> tuple[Sizes, Indices, float]:
    """Label a run of rows in float32; give the sizes, the rows in doubt and the cost."""
    from audience_nb.kmedians.kernels import HUGE, scan

    wide = np.clip(margins, -HUGE, HUGE).astype(np.float32)
    np.fill_diagonal(wide, -HUGE)
    sizes, doubtful = np.zeros(len(prices), np.int64), np.empty(len(narrow), np.int64)
    n, total = scan(
        narrow,
        weights.astype(np.float32),
        centers.astype(np.float32),
        np.maximum(prices, -HUGE).astype(np.float32),
        wide,
        np.float32(ROUNDING * (narrow.shape[1] + 4)),
        np.float32(slack),
        labels,
        sizes,
        doubtful,
    )
    return sizes, doubtful[:n], total
