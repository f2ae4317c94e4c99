"""The cheapest assignment of rows to clusters of allowed sizes, for given centres.

A transportation problem with k sinks. Its dual has one price a cluster: at the optimum each row is
in the cluster where distance plus price is least, a cluster with a positive price is full and one
with a negative price is at its smallest. Few rows lie near the border between two clusters once
the prices are nearly right, so the prices are found on a sample, one pass labels all rows, and only
the rows near a border go into an exact solver (`kernels.transfer`).

Few rows all go into the solver, which then needs no compiled code (`transport.transfer`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.errors import Infeasible
from audience_nb.kmedians import transport

__all__ = ["Assignment", "in_chunks", "l1_costs"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int64]

# Up to so many rows all of them go into the exact solver.
SMALL = 8192
# Largest sample on which prices are found.
SAMPLE = 32_768
CHUNK = 1 << 15
THREADS = min(8, os.cpu_count() or 1)
# Relative error of one float32 operation, doubled.
ROUNDING = 1.2e-7


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Give the threads, started once: thousands of short runs share them."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix="kmedians")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork; waiting for them would never end.
    os.register_at_fork(after_in_child=_threads.cache_clear)


def in_chunks(work: Callable[[int, int], Any], n: int, size: int = CHUNK) -> list[Any]:
    """Call `work(start, stop)` over consecutive runs of rows, on several threads.

    Parameters
    ----------
    work : callable
        Releases the GIL.
    n : int
        Rows.
    size : int, optional
        Rows in a run; it does not depend on the number of threads, nor does the result.

    Returns
    -------
    list
        What `work` gave, in order.

    Examples
    --------
    >>> in_chunks(lambda start, stop: stop - start, 10, 4)
    [4, 4, 2]
    """
    spans = [(start, min(n, start + size)) for start in range(0, n, size)]
    if len(spans) <= 1 or THREADS == 1:
        return [work(*span) for span in spans]
    return list(_threads().map(lambda span: work(*span), spans))


def l1_costs(rows: Floats, centers: Floats, wanted: npt.NDArray[np.int64] | None = None) -> Floats:
    """Give the L1 distance of rows to all centres.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        Data.
    centers : ndarray of float64, shape (n_clusters, n_features)
        Centres.
    wanted : ndarray of int64, optional
        Which rows; by default all.

    Returns
    -------
    ndarray of float64, shape (n_wanted, n_clusters)

    Examples
    --------
    >>> import numpy as np
    >>> l1_costs(np.array([[0.0, 1.0]]), np.array([[2.0, 2.0]])).tolist()
    [[3.0]]
    """
    from scipy.spatial.distance import cdist

    if wanted is None and len(rows) <= SMALL:
        few: Floats = cdist(rows, centers, "cityblock")
        return few
    from audience_nb.kmedians.kernels import l1_rows

    if wanted is None:
        wanted = np.arange(len(rows), dtype=np.int64)
    out = np.empty((len(wanted), len(centers)))
    in_chunks(lambda a, b: l1_rows(rows, wanted[a:b], centers, out[a:b]), len(wanted), 4096)
    return out


class Assignment:
    """Exact assignment of the same rows to changing centres.

    Prices, and how far they were off, are carried from one call to the next.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        C-contiguous, finite, of moderate scale.
    smallest, largest : int
        Sizes allowed, both inclusive.
    n_clusters : int
        Clusters; together they can hold the rows.
    random_state : int, optional
        Seed of the sample of rows.
    compiled : bool, optional
        Whether few rows are assigned by compiled code too: quicker once it is compiled, the same
        answer to the last bit.

    Examples
    --------
    >>> import numpy as np
    >>> rows, centers = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([[0.0], [9.0]])
    >>> labels, prices = Assignment(rows, 2, 2, 2)(centers)
    >>> labels.tolist(), float(prices[0] - prices[1])
    ([0, 0, 1, 1], 5.0)
    """

    def __init__(
        self,
        rows: Floats,
        smallest: int,
        largest: int,
        n_clusters: int,
        random_state: int = 0,
        compiled: bool = False,
    ) -> None:
        n = len(rows)
        self.rows = rows
        self.n_clusters = n_clusters
        self.smallest = np.full(n_clusters, smallest, np.int64)
        self.largest = np.full(n_clusters, largest, np.int64)
        self.n_augmentations = 0
        self._sample = np.empty(0, np.int64)
        self._narrow: npt.NDArray[np.float32] | None = None
        self._compiled = compiled or n > SMALL
        if n > SMALL:
            size = min(SAMPLE, max(2048, n // 8))
            rng = np.random.default_rng(random_state)
            self._sample = np.sort(rng.choice(n, size, replace=False)).astype(np.int64)
            self._narrow = rows.astype(np.float32)
        self._bias: Floats = np.zeros(n_clusters)
        self._drift: Floats | None = None
        self._expected = int(0.25 * n_clusters * math.sqrt(n))

    def __call__(self, centers: Floats, prices: Floats | None = None) -> tuple[Labels, Floats]:
        """Assign all rows.

        Parameters
        ----------
        centers : ndarray of float64, shape (n_clusters, n_features)
            Centres.
        prices : ndarray of float64, shape (n_clusters,), optional
            Those of similar centres.

        Returns
        -------
        labels : ndarray of int32, shape (n_records,)
            No other assignment with allowed sizes has a smaller sum of distances.
        prices : ndarray of float64, shape (n_clusters,)
            What one more place in each cluster would save.

        Raises
        ------
        Infeasible
            If the clusters cannot hold the rows.
        """
        if self._narrow is None:
            costs = l1_costs(self.rows, centers)
            prices = self._better_prices(costs, prices)
            return self._solve(costs, self.smallest, self.largest, prices)
        return self._assign_many(self._narrow, centers, prices)

    def _better_prices(self, costs: Floats, given: Floats | None) -> Floats:
        """Guess prices from every eighth row, unless those given are better than a guess."""
        k = self.n_clusters
        prices = np.zeros(k) if given is None else given
        part = np.ascontiguousarray(costs[::8])
        m, n = len(part), len(self.rows)
        if m < 4 * k:
            return prices
        if given is not None and len(costs) == n:
            sizes = np.bincount((costs + prices).argmin(axis=1), minlength=k)
            if self._violation(sizes, prices) < 0.2 * k * math.sqrt(n):
                return prices
        low = self.smallest * m // n
        high = -(-self.largest * m // n)
        return self._solve(part, low, high, self._better_prices(part, given))[1]

    def _solve(
        self, costs: Floats, smallest: Sizes, largest: Sizes, prices: Floats
    ) -> tuple[Labels, Floats]:
        """Assign with every row a candidate."""
        k = self.n_clusters
        labels = (costs + prices).argmin(axis=1).astype(np.int32)
        if self._compiled:
            from audience_nb.kmedians import kernels

            fixed, margins = np.zeros(k, np.int64), np.full((k, k), np.inf)
            prices, ended, n = kernels.transfer(
                costs, labels, fixed, smallest, largest, prices, margins
            )
        else:
            prices, ended, n = transport.transfer(costs, labels, smallest, largest, prices)
        self.n_augmentations += n
        if ended != transport.OPTIMAL:
            raise Infeasible(
                f"{k} clusters of {smallest.min()} to {largest.max()} cannot hold "
                f"{len(costs):,} rows.",
                "Change the sizes.",
            )
        return labels, prices

    def _sample_prices(self, costs: Floats, prices: Floats) -> Floats:
        """Find prices on the sample, its capacities scaled and corrected for its bias."""
        m, n = len(self._sample), len(self.rows)
        largest = np.maximum(np.round(self.largest * (m / n) + self._bias), 0).astype(np.int64)
        smallest = np.round(self.smallest * (m / n) + self._bias).astype(np.int64)
        smallest = np.minimum(np.maximum(smallest, 0), largest)
        while largest.sum() < m:
            largest += 1
        while smallest.sum() > m:
            smallest = np.maximum(smallest - 1, 0)
        return self._solve(costs, smallest, largest, prices)[1]

    def _assign_many(
        self, narrow: npt.NDArray[np.float32], centers: Floats, given: Floats | None
    ) -> tuple[Labels, Floats]:
        from audience_nb.kmedians.kernels import best_two, transfer

        n, k = len(self.rows), self.n_clusters
        m = len(self._sample)
        costs = l1_costs(self.rows, centers, self._sample)
        if given is None:
            given = self._better_prices(costs, None)
        prices = self._sample_prices(costs, given)
        drift = prices - given if self._drift is None else self._drift
        acceptable = 64 + int(0.5 * k * math.sqrt(n))
        widening, expected, last = 1.0, self._expected, math.inf
        predicted = prices
        labels = np.empty(n, np.int32)
        sample_labels = np.empty(m, np.int32)
        sample_margins = np.empty(m)
        while True:
            best_two(costs, prices, sample_labels, sample_margins)
            portion = min(1.0, (2000 + 8 * expected) * widening / n)
            if portion >= 1:
                base = math.inf
            else:
                place = min(int(portion * m) + 1, m - 1)
                base = float(np.partition(sample_margins, place)[place])
            margins = (base + 2.5 * np.abs(drift[:, None] - drift[None, :])).astype(np.float32)
            sizes, flagged = self._scan(narrow, centers, prices, margins, labels)
            violation = self._violation(sizes, prices)
            if violation > acceptable and violation < 0.5 * last:
                # The sample misjudged the sizes: correct it by what the pass has counted.
                last, expected = violation, violation // 4
                self._bias = np.bincount(sample_labels, minlength=k) - sizes * (m / n)
                before = prices
                prices = predicted = self._sample_prices(costs, before)
                drift = prices - before
                continue
            near = l1_costs(self.rows, centers, flagged)
            moving = np.empty(len(flagged), np.int32)
            best_two(near, prices, moving, np.empty(len(flagged)))
            fixed = sizes - np.bincount(labels[flagged], minlength=k)
            after, ended, steps = transfer(
                near, moving, fixed, self.smallest, self.largest, prices, margins.astype(np.float64)
            )
            self.n_augmentations += steps
            if ended == transport.OPTIMAL:
                labels[flagged] = moving
                self._drift = after - predicted
                self._expected = max(violation, self._expected // 2)
                counted = np.bincount(labels, minlength=k)
                ours = np.bincount(labels[self._sample], minlength=k)
                self._bias = ours - counted * (m / n)
                return labels, after
            if ended == transport.INFEASIBLE and portion >= 1:
                raise Infeasible(f"{k} clusters cannot hold {n:,} rows.", "Change the sizes.")
            widening *= 4
            expected = violation
            drift = after - prices + 0.5 * drift
            prices = after

    def _scan(
        self,
        narrow: npt.NDArray[np.float32],
        centers: Floats,
        prices: Floats,
        margins: npt.NDArray[np.float32],
        labels: Labels,
    ) -> tuple[Sizes, npt.NDArray[np.int64]]:
        """Label all rows in float32; give the sizes and the rows near a border."""
        from audience_nb.kmedians.kernels import scan

        k = self.n_clusters
        middle, cost = centers.astype(np.float32), prices.astype(np.float32)
        wide = margins.copy()
        np.fill_diagonal(wide, -1)
        rounding = np.float32(ROUNDING * (self.rows.shape[1] + 4))

        def part(a: int, b: int) -> tuple[Sizes, npt.NDArray[np.int64]]:
            sizes, flagged = np.zeros(k, np.int64), np.empty(b - a, np.int64)
            n = scan(narrow[a:b], middle, cost, wide, rounding, labels[a:b], sizes, flagged)
            return sizes, flagged[:n] + a

        parts = in_chunks(part, len(narrow))
        sizes: Sizes = np.sum([p[0] for p in parts], axis=0)
        return sizes, np.concatenate([p[1] for p in parts])

    def _violation(self, sizes: Sizes, prices: Floats) -> int:
        """Count the rows that must move."""
        wanted = np.where(
            prices > 0,
            self.largest,
            np.where(prices < 0, self.smallest, np.clip(sizes, self.smallest, self.largest)),
        )
        excess = sizes - wanted
        return int(np.maximum(excess, 0).sum() + max(-int(excess.sum()), 0))
