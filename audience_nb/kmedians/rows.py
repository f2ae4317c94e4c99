"""Rows in an order and on a scale that do not depend on how the caller keeps them.

`Rows` holds a few, or a sample, ready for use. `ScaledRows` is a view of many in the caller's own
array, which is read in runs and never copied whole but for one float32 copy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.medians import Medians
from audience_nb.kmedians.scale import DIGITS, Scale, scale_of
from audience_nb.kmedians.threads import SMALL, in_chunks

__all__ = ["DIGITS", "SMALL", "Rows", "Scale", "ScaledRows", "Unrounded", "canonical"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

GRID = 2.0**-DIGITS


class Rows:
    """Canonical rows in canonical order.

    Parameters
    ----------
    values : ndarray of float64, shape (n_records, n_features)
        C-contiguous.
    weights : ndarray of float64, shape (n_records,), optional
        What each row's distances count for.
    n_threads : int, optional
        Threads to work on.
    held, scale : ndarray and Scale, optional
        The same rows in the caller's units, and what made them canonical.

    Examples
    --------
    >>> import numpy as np
    >>> rows = Rows(np.arange(10.0)[:, None])
    >>> rows.even_sample(2).tolist()
    [2, 7]
    """

    def __init__(
        self,
        values: Floats,
        weights: Floats | None = None,
        n_threads: int | None = None,
        held: Any = None,
        scale: Scale | None = None,
    ) -> None:
        self.values = values
        self.held = values if held is None else held
        self.scale = scale
        self.weights = weights
        self.n_threads = n_threads
        self.n_records: int = len(values)
        self.n_features: int = values.shape[1]
        self._narrow: npt.NDArray[np.float32] | None = None
        self._medians: Medians | None = None

    def __len__(self) -> int:
        return self.n_records

    def narrow(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Give a run of rows as float32."""
        if self._narrow is None:
            self._narrow = self.values.astype(np.float32)
        return self._narrow[first:last]

    def narrow_of(self, wanted: Indices) -> npt.NDArray[np.float32]:
        """Give some rows as float32."""
        return self.values[wanted].astype(np.float32)

    def take(self, wanted: Indices) -> Floats:
        """Give some rows."""
        return self.values[wanted]

    def ranks(self, wanted: Indices) -> npt.NDArray[np.int32]:
        """Give the places of some rows in canonical order."""
        return wanted.astype(np.int32)

    def at(self, places: Indices) -> Indices:
        """Give the rows at some places in canonical order."""
        return places

    def weights_of(self, wanted: Indices) -> Floats:
        """Give the weights of some rows; empty if they have none."""
        return np.empty(0) if self.weights is None else self.weights[wanted]

    def even_sample(self, size: int) -> Indices:
        """Choose rows at even steps in canonical order."""
        steps = np.floor((np.arange(size) + 0.5) * (self.n_records / size))
        return self.at(steps.astype(np.int64))

    def sampled(self, size: int, seed: int = 0) -> Rows:
        """Copy rows drawn at random."""
        drawn = np.random.default_rng(seed).choice(self.n_records, size, replace=False)
        return self._copied(np.sort(drawn))

    def _copied(self, chosen: Indices) -> Rows:
        weights = None if self.weights is None else self.weights[chosen]
        return Rows(self.take(chosen), weights, self.n_threads)

    def medians(self, labels: npt.NDArray[np.int32], n_clusters: int) -> tuple[Floats, Floats]:
        """Give the lower and upper medians of clusters, in the caller's units if these are held."""
        if self._medians is None:
            self._medians = Medians(
                self.held, self.weights, self.n_threads, compiled=self.n_records > SMALL
            )
        return self._medians(labels, n_clusters)

    def centers(self, low: Floats, high: Floats) -> Floats:
        """Put centres halfway between lower and upper medians, in canonical units."""
        if self.scale is not None:
            low, high = self.scale(low), self.scale(high)
        return 0.5 * low + 0.5 * high

    def costs(self, centers: Floats, wanted: Indices | None = None) -> Floats:
        """Give weighted distances to all centres, exactly.

        Where there are many rows each distance carries a tie-breaker too small to matter (below
        2⁻³⁶ typical deviations), without which exact ties, which can be most rows, would all stand
        at the same border.

        Parameters
        ----------
        centers : ndarray of float64, shape (n_clusters, n_features)
            Canonical.
        wanted : ndarray of int64, optional
            Which rows; by default all.

        Returns
        -------
        ndarray of float64, shape (n_wanted, n_clusters)
        """
        if self.n_records <= SMALL:
            return self._few_costs(centers, wanted)
        some = np.arange(self.n_records) if wanted is None else wanted
        parts = in_chunks(
            lambda a, b: self.run_costs(centers, some[a:b]), len(some), 4096, self.n_threads
        )
        return np.concatenate([np.empty((0, len(centers))), *parts])

    def run_costs(self, centers: Floats, wanted: Indices) -> Floats:
        """Do as `costs` of many rows does, on the thread that calls."""
        from audience_nb.kmedians.kernels import l1

        out = np.empty((len(wanted), len(centers)))
        across = np.ascontiguousarray(centers.T)
        l1(self.take(wanted), self.weights_of(wanted), self.ranks(wanted), across, out)
        return out

    def _few_costs(self, centers: Floats, wanted: Indices | None) -> Floats:
        from scipy.spatial.distance import cdist

        values = self.values if wanted is None else self.values[wanted]
        out: Floats = cdist(values, centers, "cityblock")
        if self.weights is not None:
            out *= (self.weights if wanted is None else self.weights[wanted])[:, None]
        return out


class ScaledRows(Rows):
    """Many rows, left where the caller has them.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        C-contiguous.
    scale : Scale
        What makes them canonical.
    seed : int
        Of the order, which is random, but the same wherever the caller keeps a row.
    weights, n_threads
        As in `Rows`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[3.0], [1.0], [2.0]])
    >>> rows = ScaledRows(X, Scale(0, np.array([2.0]), 1.0), seed=0)
    >>> rows.take(np.array([0, 1])).ravel().tolist()
    [1.0, -1.0]
    """

    def __init__(
        self,
        X: Any,
        scale: Scale,
        seed: int,
        weights: Floats | None = None,
        n_threads: int | None = None,
    ) -> None:
        from audience_nb.kmedians.kernels import digest

        self.held, self.scale, self._scale = X, scale, scale
        self.weights = weights
        self.n_threads = n_threads
        self.n_records, self.n_features = X.shape
        self._medians = None
        # Of float32 a float32 copy would be as large as they are: it is made run by run, each time.
        self._narrow = None if X.dtype == np.float32 else np.empty(X.shape, np.float32)
        keys = np.empty(self.n_records, np.uint64)
        seeded = np.uint64(seed)

        def part(a: int, b: int) -> None:
            rows, factor = self._factored(X[a:b])
            narrow = np.empty(rows.shape, np.float32) if self._narrow is None else self._narrow[a:b]
            digest(rows, factor, scale.middle, scale.finer, GRID, seeded, narrow, keys[a:b])

        in_chunks(part, self.n_records, 4096, n_threads)
        order = _order(keys)
        self.order = order
        self.rank = np.empty_like(order)
        self.rank[order] = np.arange(self.n_records, dtype=np.int32)

    def narrow(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Give a run of rows as float32."""
        if self._narrow is not None:
            return self._narrow[first:last]
        return self._narrowed(self.held[first:last])

    def narrow_of(self, wanted: Indices) -> npt.NDArray[np.float32]:
        """Give some rows as float32."""
        if self._narrow is not None:
            return self._narrow[wanted]
        return self._narrowed(self.held[wanted])

    def _narrowed(self, rows: Any) -> npt.NDArray[np.float32]:
        from audience_nb.kmedians.sums import narrowed

        rows, factor = self._factored(rows)
        out = np.empty(rows.shape, np.float32)
        narrowed(rows, factor, self._scale.middle, self._scale.typical, out)
        return out

    def _factored(self, rows: Any) -> tuple[Any, float]:
        """Give rows and what to multiply them by, to divide them by the scale's power of two."""
        if self._scale.power > -1000:
            return rows, math.ldexp(1.0, -self._scale.power)
        # Of numbers too small for that factor to be one.
        return np.ldexp(rows.astype(np.float64), -self._scale.power), 1.0

    def take(self, wanted: Indices) -> Floats:
        """Give some rows."""
        return self._scale(self.held[wanted])

    def ranks(self, wanted: Indices) -> npt.NDArray[np.int32]:
        """Give the places of some rows in canonical order."""
        return self.rank[wanted]

    def at(self, places: Indices) -> Indices:
        """Give the rows at some places in canonical order."""
        return self.order[places].astype(np.int64)

    def sampled(self, size: int, seed: int = 0) -> Rows:
        """Copy rows at even steps in canonical order, which is random already."""
        return self._copied(self.even_sample(size))


def canonical(
    X: Any, seed: int = 0, weights: Floats | None = None, n_threads: int | None = None
) -> tuple[Rows, Scale, Indices | None]:
    """Make rows canonical.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        Finite, C-contiguous.
    seed : int, optional
        Of the order of many rows.
    weights : ndarray of float64, shape (n_records,), optional
        What each row's distances count for.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    rows : Rows
        Few are held in ascending order, many are left where they are.
    scale : Scale
        From the caller's units.
    order : ndarray of int64 or None
        Where each of `rows` is in X; None if they are in its order.

    Examples
    --------
    >>> import numpy as np
    >>> rows, scale, order = canonical(np.array([[30.0], [10.0], [20.0]]))
    >>> rows.values.ravel().tolist(), scale.unit, order.tolist()
    ([-1.0, 0.0, 1.0], 10.0, [1, 2, 0])
    """
    scale = scale_of(X, n_threads)
    if len(X) > SMALL:
        return ScaledRows(X, scale, seed, weights, n_threads), scale, None
    values = scale(X)
    order = _ascending(values)
    kept = None if weights is None else weights[order]
    ordered = np.ascontiguousarray(values[order])
    return Rows(ordered, kept, n_threads, np.ascontiguousarray(X[order]), scale), scale, order


def _order(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Sort keys; equal ones keep their order."""
    n = len(keys)
    # A key's upper bits with its place below: sorting that is quicker than sorting places.
    mask = np.uint64((1 << n.bit_length()) - 1)
    packed = keys & ~mask
    order = np.arange(n, dtype=np.int32)
    packed |= order.view(np.uint32)
    packed.sort()
    alike = np.zeros(n, np.bool_)
    for a in range(0, n - 1, 1 << 16):
        b = min(n - 1, a + (1 << 16))
        np.less_equal(packed[a:b] ^ packed[a + 1 : b + 1], mask, out=alike[a:b])
    packed &= mask
    order[:] = packed
    del packed
    n_alike = int(np.count_nonzero(alike))
    if n_alike > n // 64:
        return np.argsort(keys, kind="stable").astype(np.int32)
    if n_alike:
        # Upper bits that agree by chance, or the whole row.
        alike[1:] |= alike[:-1].copy()
        places = alike.nonzero()[0]
        some = order[places]
        # Runs are in ascending order of their upper bits, as the whole keys are.
        order[places] = some[np.lexsort((some, keys[some]))]
    return order


def _ascending(rows: Floats) -> Indices:
    """Sort by the first columns that tell the rows apart."""
    d = rows.shape[1]
    columns = 1
    while True:
        columns = min(columns, d)
        order = np.lexsort(rows[:, :columns].T[::-1])
        first = rows[order, :columns]
        if columns == d or not (first[1:] == first[:-1]).all(axis=1).any():
            return order.astype(np.int64)
        columns *= 3


class Unrounded(Rows):
    """Rows whose distances to given centres are computed from the caller's own numbers.

    Where clusters are so tight and so far apart that the grid matters, only this is exact; what
    ties then depends on rounding, that is, on units.

    Parameters
    ----------
    rows : Rows
        The same rows, on the grid.
    X, scale, order
        What they were made from, as `canonical` takes and gives them.
    centers : ndarray of float64, shape (n_clusters, n_features)
        In the caller's units. The only ones.
    """

    def __init__(
        self, rows: Rows, X: Any, scale: Scale, order: Indices | None, centers: Floats
    ) -> None:
        self._base, self._X, self._scale = rows, X, scale
        self._order = order
        self._true_centers = np.ldexp(centers, -scale.power)
        self.weights, self.n_threads = rows.weights, rows.n_threads
        self.n_records, self.n_features = rows.n_records, rows.n_features

    def narrow(self, first: int, last: int) -> npt.NDArray[np.float32]:
        """Give a run of rows as float32."""
        return self._base.narrow(first, last)

    def narrow_of(self, wanted: Indices) -> npt.NDArray[np.float32]:
        """Give some rows as float32."""
        return self._base.narrow_of(wanted)

    def take(self, wanted: Indices) -> Floats:
        """Give some rows."""
        return self._base.take(wanted)

    def ranks(self, wanted: Indices) -> npt.NDArray[np.int32]:
        """Give the places of some rows in canonical order."""
        return self._base.ranks(wanted)

    def at(self, places: Indices) -> Indices:
        """Give the rows at some places in canonical order."""
        return self._base.at(places)

    def run_costs(self, centers: Floats, wanted: Indices) -> Floats:
        """Give weighted distances to the centres, whichever are asked for."""
        from scipy.spatial.distance import cdist

        places = wanted if self._order is None else self._order[wanted]
        rows = np.ldexp(np.asarray(self._X[places], dtype=np.float64), -self._scale.power)
        out: Floats = cdist(rows, self._true_centers, "cityblock")
        out /= self._scale.typical
        if self.weights is not None:
            out *= self.weights[wanted][:, None]
        return out

    def _few_costs(self, centers: Floats, wanted: Indices | None) -> Floats:
        return self.run_costs(centers, np.arange(self.n_records) if wanted is None else wanted)
