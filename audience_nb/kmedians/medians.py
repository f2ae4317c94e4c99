"""Exact medians of clusters in every coordinate, by counting instead of sorting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.threads import in_chunks, sizes_of

__all__ = ["Medians", "count", "select"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

# Rows of each cluster from which brackets around its medians are guessed: at least so many, and so
# many times what grows as the sizes to the power of 2/3.
LEAST_SAMPLED, WORTH = 200, 2.0
# Half the width of a bracket in standard errors of a sample's median.
WIDTH = 3.0
# Rows counted at a time, and values between the ends of brackets that they may have, as a share.
RUN, ROOM = 1 << 14, 0.25


class Medians:
    """Coordinate-wise medians of clusters of the same rows, which minimise their L1 cost.

    Parameters
    ----------
    rows : ndarray of float32 or float64, shape (n_records, n_features)
        C-contiguous.
    weights : ndarray of float64, shape (n_records,), optional
        A row of weight 2 counts as two.
    n_threads : int, optional
        Threads to work on.
    compiled : bool, optional
        Whether to count in compiled code, which only pays from some ten thousand rows.

    Notes
    -----
    A sample of the rows gives a bracket around each median. One pass counts what lies below it and
    lists what lies within, among which the median is then selected; where it was missed, it is
    selected among all values (Floyd and Rivest, 1975, for k clusters and d columns at once).

    Examples
    --------
    >>> import numpy as np
    >>> low, high = Medians(np.array([[1.0], [2.0], [4.0], [9.0]]))(np.zeros(4, np.int32), 1)
    >>> low.tolist(), high.tolist()
    ([[2.0]], [[4.0]])
    """

    def __init__(
        self,
        rows: Any,
        weights: Floats | None = None,
        n_threads: int | None = None,
        compiled: bool = False,
    ) -> None:
        self.rows, self.n_threads, self.compiled = rows, n_threads, compiled
        self.weights = weights
        self._sorted: Floats | None = None
        self._order: npt.NDArray[np.intp] = np.empty((0, 0), np.intp)

    def __call__(
        self, labels: Labels, n_clusters: int, fraction: float = 0.5
    ) -> tuple[Floats, Floats]:
        """Give the lower and the upper median: everything between them is one.

        Parameters
        ----------
        labels : ndarray of int32, shape (n_records,)
            Clusters, none of them empty.
        n_clusters : int
            How many.
        fraction : float, optional
            Another share of the weight than half to have below.

        Returns
        -------
        low, high : ndarray of float64, shape (n_clusters, n_features)
            The least value with half the weight at or below it, and with more than half. They
            differ only where exactly half is reached.
        """
        if self.compiled:
            return self._counted(labels, n_clusters, fraction)
        if self.weights is None:
            return self._ranked(labels, n_clusters, fraction)
        sizes = np.bincount(labels, minlength=n_clusters)
        by_cluster = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
        found = [
            _weighted(self.rows[m].astype(np.float64), self.weights[m], fraction)
            for m in by_cluster
        ]
        return np.array([f[0] for f in found]), np.array([f[1] for f in found])

    def _ranked(self, labels: Labels, k: int, fraction: float) -> tuple[Floats, Floats]:
        """Read medians off columns that were sorted once, by where each cluster's rows stand."""
        if self._sorted is None:
            self._order = np.ascontiguousarray(np.argsort(self.rows, axis=0, kind="stable").T)
            across = np.asarray(self.rows, dtype=np.float64).T
            self._sorted = np.take_along_axis(across, self._order, axis=1)
        # Small integers are sorted by counting, which is several times as quick.
        small = labels.astype(np.uint8 if k <= 256 else np.uint16 if k <= 65_536 else np.uint32)
        grouped = np.argsort(small[self._order], axis=1, kind="stable")
        sizes = np.bincount(labels, minlength=k)
        edges = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        first, second = _places(sizes.astype(np.float64), fraction)
        low = np.take_along_axis(self._sorted, grouped[:, edges + first], axis=1)
        high = np.take_along_axis(self._sorted, grouped[:, edges + second], axis=1)
        return np.ascontiguousarray(low.T), np.ascontiguousarray(high.T)

    def _counted(self, labels: Labels, k: int, fraction: float) -> tuple[Floats, Floats]:
        rows, n_threads = self.rows, self.n_threads
        n = len(rows)
        low_end, high_end = self._brackets(labels, k, fraction)
        weights = np.empty(0) if self.weights is None else self.weights
        parts = in_chunks(
            lambda a, b: count(rows[a:b], labels[a:b], weights[a:b], low_end, high_end, a),
            n,
            RUN,
            n_threads,
        )
        below, upto, under = (np.sum([p[i] for p in parts], axis=0) for i in range(3))
        cells = np.concatenate([p[4] for p in parts])
        if self.weights is None:
            total: Floats = sizes_of(labels, k, n_threads).astype(np.float64)
        else:
            total = np.bincount(labels, self.weights, minlength=k).astype(np.float64)
        low, high, missed = select(
            fraction * total,
            low_end,
            high_end,
            np.stack([below, upto, under]),
            cells,
            np.concatenate([p[5] for p in parts]),
            None if self.weights is None else self.weights[np.concatenate([p[3] for p in parts])],
            n_threads,
        )
        for j in np.flatnonzero(missed.any(axis=1)):
            columns = np.flatnonzero(missed[j])
            members = (labels == j).nonzero()[0]
            block = np.asarray(rows[members][:, columns], dtype=np.float64)
            own = None if self.weights is None else self.weights[members]
            low[j, columns], high[j, columns] = _weighted(block, own, fraction)
        return low, high

    def _brackets(self, labels: Labels, k: int, fraction: float) -> tuple[Any, Any]:
        """Guess where each median lies, from some rows at even steps."""
        n, d = self.rows.shape
        # Work on the sample grows with its size, on what brackets hold with one over its root.
        each = max(LEAST_SAMPLED, int(WORTH * (n / k) ** (2 / 3)))
        step = max(1, n // (k * each))
        some, theirs = self.rows[step // 2 :: step].copy(), labels[step // 2 :: step]
        weights = None if self.weights is None else self.weights[step // 2 :: step]
        order = np.argsort(theirs.astype(np.uint16) if k <= 65_536 else theirs, kind="stable")
        sizes = np.bincount(theirs, minlength=k)
        edges = np.concatenate([[0], np.cumsum(sizes)])
        low = np.full((k, d), -np.inf, some.dtype)
        high = np.full((k, d), np.inf, some.dtype)

        def part(first: int, last: int) -> None:
            for j in range(first, last):
                members = order[edges[j] : edges[j + 1]]
                if len(members) >= 8:
                    own = None if weights is None else weights[members]
                    low[j], high[j] = _bracket(some.take(members, axis=0), own, fraction)

        in_chunks(part, k, max(1, k // 8), self.n_threads)
        return low, high


def _bracket(rows: Any, weights: Floats | None, fraction: float) -> tuple[Any, Any]:
    """Guess between which values of each column a median lies, from rows of one cluster."""
    m, d = rows.shape
    reach = WIDTH * math.sqrt(m * fraction * (1 - fraction)) + 1
    if weights is None:
        middle = fraction * (m - 1)
        ends = max(math.floor(middle - reach), 0), min(math.ceil(middle + reach), m - 1)
        columns = rows.T.copy()
        columns.partition(ends, axis=1)
        return columns[:, ends[0]], columns[:, ends[1]]
    reach *= 1.5
    by = np.argsort(rows, axis=0, kind="stable")
    heights = np.cumsum(weights[by], axis=0)
    at = [int(np.searchsorted(h, fraction * h[-1])) for h in heights.T]
    first = [by[max(int(a - reach), 0), t] for t, a in enumerate(at)]
    last = [by[min(int(a + reach) + 1, m - 1), t] for t, a in enumerate(at)]
    return rows[first, np.arange(d)], rows[last, np.arange(d)]


def count(rows: Any, labels: Labels, weights: Floats, low: Any, high: Any, start: int) -> Any:
    """Count what lies below and in brackets, of one run of rows.

    Parameters
    ----------
    rows : ndarray of float32 or float64, shape (n_records, n_features)
        The run.
    labels : ndarray of int32, shape (n_records,)
        Clusters.
    weights : ndarray of float64, shape (n_records,) or (0,)
        Weights, if any.
    low, high : ndarray of the dtype of rows, shape (n_clusters, n_features)
        Ends of the brackets.
    start : int
        Number of the run's first row.

    Returns
    -------
    below, upto, under : ndarray of float64, shape (n_clusters, n_features)
        Weight below `low`, up to it, and up to `high`.
    places, cells : ndarray of int32
        Row, and cluster · n_features + column, of each value strictly between.
    values : ndarray of the dtype of rows
        They.
    """
    from audience_nb.kmedians.kernels import order_counts

    n, d = rows.shape
    room = int(ROOM * n * d) + 2 * d
    while True:
        counts = [np.zeros(low.shape) for _ in range(3)]
        below, upto, under = counts
        places, cells = np.empty(room, np.int32), np.empty(room, np.int32)
        values = np.empty(room, rows.dtype)
        m = order_counts(
            rows, labels, weights, low, high, below, upto, under, places, cells, values
        )
        if m >= 0:
            return *counts, places[:m] + np.int32(start), cells[:m].copy(), values[:m].copy()
        room = (n + 2) * d


def select(
    goals: Floats,
    low_end: Any,
    high_end: Any,
    counts: Floats,
    cells: npt.NDArray[np.int32],
    values: Any,
    weights: Floats | None = None,
    n_threads: int | None = None,
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Find medians from what `count` has found in all runs.

    Parameters
    ----------
    goals : ndarray of float64, shape (n_clusters,)
        Weight to have below.
    low_end, high_end : ndarray, shape (n_clusters, n_features)
        Ends of the brackets.
    counts : ndarray of float64, shape (3, n_clusters, n_features)
        Weight below the lower end, up to it, and up to the upper end.
    cells : ndarray of int32, shape (n_values,)
        Cluster · n_features + column of each value strictly between.
    values, weights : ndarray of shape (n_values,)
        They, and their weights, if any.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    low, high : ndarray of float64, shape (n_clusters, n_features)
        Lower and upper medians.
    missed : ndarray of bool, shape (n_clusters, n_features)
        Where they lie outside the bracket and were not found.

    Examples
    --------
    >>> ends, cells = np.array([[0.0]]), np.zeros(2, np.int32)
    >>> counts = np.array([[[1.0]], [[1.0]], [[3.0]]])
    >>> low, high, _ = select(np.array([1.5]), ends, ends + 9, counts, cells, np.array([5.0, 4.0]))
    >>> low.tolist(), high.tolist()
    ([[4.0]], [[4.0]])
    """
    from audience_nb.kmedians.kernels import grouped, middles

    k, d = low_end.shape
    below, upto, under = counts
    low, high = low_end.astype(np.float64), high_end.astype(np.float64)
    missed = (below >= goals[:, None]) | (under <= goals[:, None]) | (goals[:, None] <= 0)
    if weights is None:
        starts, inside = np.empty(k * d + 1, np.int64), np.empty(len(cells))
        grouped(cells, values, starts, inside)

        def part(a: int, b: int) -> None:
            own = slice(a, b)
            edges = starts[a * d : b * d + 1]
            middles(goals[own], upto[own], missed[own], edges, inside, low[own], high[own])

        in_chunks(part, k, max(1, k // 8), n_threads)
        return low, high, missed
    order = np.argsort(cells.astype(np.uint16) if k * d <= 65_536 else cells, kind="stable")
    values = values[order]
    weights = weights[order]
    edges = np.searchsorted(cells[order], np.arange(k * d + 1))
    for j, t in np.argwhere(~missed).tolist():
        goal = goals[j]
        if upto[j, t] > goal:
            high[j, t] = low[j, t]
            continue
        cell = j * d + t
        own = slice(edges[cell], edges[cell + 1])
        low[j, t], high[j, t] = _select(
            values[own].astype(np.float64),
            weights[own],
            goal - upto[j, t],
            low[j, t],
            high[j, t],
        )
    return low, high, missed


def _places(sizes: Floats, fraction: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Say which of so many sorted values are the lower and the upper median."""
    goal = fraction * sizes
    first = np.maximum(np.ceil(goal).astype(np.int64) - 1, 0)
    second = np.minimum(np.floor(goal).astype(np.int64), sizes.astype(np.int64) - 1)
    return first, second


def _select(
    values: Floats, weights: Floats, goal: float, low: float, high: float
) -> tuple[float, float]:
    """Find where so much of the weight strictly between two ends is reached, and is exceeded."""
    order = np.argsort(values, kind="stable")
    values, heights = values[order], np.cumsum(weights[order])
    n = len(values)
    first = int(np.searchsorted(heights, goal, side="left"))
    second = int(np.searchsorted(heights, goal, side="right"))
    lower = low if goal <= 0 else float(values[first]) if first < n else high
    return lower, float(values[second]) if second < n else high


def _weighted(values: Floats, weights: Floats | None, fraction: float) -> tuple[Floats, Floats]:
    """Give lower and upper medians of columns by sorting them."""
    n, d = values.shape
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    # Rows that all weigh nothing have a median too.
    if weights is None or not weights.any():
        first, second = _places(np.array([float(n)]), fraction)
        return ordered[first[0]], ordered[second[0]]
    heights = np.cumsum(weights[order], axis=0)
    low, high = np.empty(d), np.empty(d)
    for t in range(d):
        goal = fraction * heights[-1, t]
        low[t] = ordered[min(int(np.searchsorted(heights[:, t], goal, side="left")), n - 1), t]
        high[t] = ordered[min(int(np.searchsorted(heights[:, t], goal, side="right")), n - 1), t]
    return low, high
