"""Rows in an order and on a scale that do not depend on how the caller keeps them.

`Rows` holds a few, or a sample, ready for use. `ScaledRows` is a view of many in the caller's own
array, which is read in runs and never copied whole but for one float32 copy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.medians import Medians
from audience_nb.kmedians.threads import in_chunks

__all__ = ["SMALL", "Rows", "Scale", "ScaledRows", "Unrounded", "canonical"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Up to so many rows nothing needs compiled code, which would be quicker, but only after seconds of
# compiling.
SMALL = 10_000
# Binary digits kept after the point, with the typical deviation as unit. Sums of distances on this
# grid are exact, so that what ties in one unit of measurement ties in every other.
DIGITS = 38
# Largest value in typical deviations, as a power of two: more would overflow a float32.
WIDEST = 60


@dataclass(frozen=True)
class Scale:
    """How numbers of the caller become canonical: centred, in typical deviations, on a grid.

    Parameters
    ----------
    power : int
        Everything is divided by 2 to this power first, so that nothing overflows.
    middle : ndarray of float64, shape (n_features,)
        What becomes 0, after that.
    typical : float
        What becomes 1 after that.

    Examples
    --------
    >>> import numpy as np
    >>> scale = Scale(6, np.array([0.5]), 0.25)
    >>> scale(np.array([[48.0]])).tolist(), scale.unit
    ([[1.0]], 16.0)
    """

    power: int
    middle: Floats
    typical: float

    @property
    def unit(self) -> float:
        """The typical deviation in the caller's units."""
        return math.ldexp(self.typical, self.power)

    @property
    def finer(self) -> float:
        """Grid points in a typical deviation, after the division."""
        return 2.0**DIGITS / self.typical

    def __call__(self, values: Any) -> Floats:
        """Bring values of shape (…, n_features) onto the scale and the grid."""
        out = np.ldexp(np.asarray(values, dtype=np.float64), -self.power)
        out -= self.middle
        out *= self.finer
        np.rint(out, out=out)
        out *= 2.0**-DIGITS
        return out


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

    @property
    def narrow(self) -> npt.NDArray[np.float32]:
        """All rows as float32."""
        if self._narrow is None:
            self._narrow = self.values.astype(np.float32)
        return self._narrow

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
        narrow = np.empty(X.shape, np.float32)
        keys = np.empty(self.n_records, np.uint64)

        # Powers of two of numbers too small for the factor to be one.
        factor = math.ldexp(1.0, -scale.power) if scale.power > -1000 else 0.0
        finer, grid = scale.finer, 2.0**-DIGITS

        def part(a: int, b: int) -> None:
            rows = X[a:b] if factor else np.ldexp(X[a:b].astype(np.float64), -scale.power)
            digest(
                rows,
                factor or 1.0,
                scale.middle,
                finer,
                grid,
                np.uint64(seed),
                narrow[a:b],
                keys[a:b],
            )

        in_chunks(part, self.n_records, 4096, n_threads)
        self._narrow = narrow
        order = _order(keys)
        self.order = order
        self.rank = np.empty_like(order)
        self.rank[order] = np.arange(self.n_records, dtype=np.int32)

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
    scale = _scale(X, n_threads)
    if len(X) > SMALL:
        return ScaledRows(X, scale, seed, weights, n_threads), scale, None
    values = scale(X)
    order = _ascending(values)
    kept = None if weights is None else weights[order]
    ordered = np.ascontiguousarray(values[order])
    return Rows(ordered, kept, n_threads, np.ascontiguousarray(X[order]), scale), scale, order


def _scale(X: Any, n_threads: int | None) -> Scale:
    """Find the middle and a typical deviation, from order statistics alone.

    A deviation of the data and no mean: multiples of it stay multiples in any unit.
    """
    n = len(X)
    lowest, highest = _extent(X, n_threads)
    largest = float(max(np.abs(lowest).max(), np.abs(highest).max()))
    power = math.frexp(largest)[1] if largest > 0 else 0
    statistics = Medians(X, None, n_threads, compiled=n > SMALL)
    alike = np.zeros(n, np.int32)
    low, high = (np.ldexp(x[0], -power) for x in statistics(alike, 1))
    middle = 0.5 * low + 0.5 * high
    upper = np.ldexp(statistics(alike, 1, 0.75)[0][0], -power)
    lowest, highest = np.ldexp(lowest, -power), np.ldexp(highest, -power)
    # Half the spread of the middle half; where that is nothing, how far any row is.
    farthest = np.maximum(highest - middle, middle - lowest)
    spread = np.where(upper > middle, upper - middle, farthest)
    varied = np.sort(spread[spread > 0])
    typical = 1.0
    if len(varied):
        typical = max(float(varied[(len(varied) - 1) // 2]), float(farthest.max()) * 2.0**-WIDEST)
    return Scale(power, middle, typical)


def _extent(X: Any, n_threads: int | None) -> tuple[Floats, Floats]:
    """Give the least and the greatest value of each column."""
    if len(X) <= SMALL:
        return X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
    from audience_nb.kmedians.kernels import extent

    def part(a: int, b: int) -> tuple[Any, Any]:
        lowest, highest = X[a].copy(), X[a].copy()
        extent(X[a:b], lowest, highest)
        return lowest, highest

    spans = in_chunks(part, len(X), n_threads=n_threads)
    lowest = np.min([s[0] for s in spans], axis=0)
    highest = np.max([s[1] for s in spans], axis=0)
    return lowest.astype(np.float64), highest.astype(np.float64)


def _order(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Sort keys; equal ones keep their order."""
    n = len(keys)
    # A key's upper bits with its place below: sorting that is quicker than sorting places.
    mask = np.uint64((1 << n.bit_length()) - 1)
    packed = (keys & ~mask) | np.arange(n, dtype=np.uint64)
    packed.sort()
    alike = (packed[1:] ^ packed[:-1]) <= mask
    order = (packed & mask).astype(np.int32)
    n_alike = int(np.count_nonzero(alike))
    if n_alike > n // 64:
        return np.argsort(keys, kind="stable").astype(np.int32)
    if n_alike:
        # Upper bits that agree by chance, or the whole row.
        runs = np.zeros(n, np.bool_)
        runs[1:] |= alike
        runs[:-1] |= alike
        places = runs.nonzero()[0]
        some = order[places]
        by_key = np.lexsort((some, keys[some]))
        # Runs are in ascending order of their upper bits, as the whole keys are.
        order[places] = some[by_key]
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

    @property
    def narrow(self) -> npt.NDArray[np.float32]:
        """All rows as float32."""
        return self._base.narrow

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
