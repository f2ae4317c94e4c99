"""The scale on which units of measurement no longer show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.medians import Medians
from audience_nb.kmedians.threads import SMALL, in_chunks

__all__ = ["DIGITS", "Scale", "scale_of"]

Floats = npt.NDArray[np.float64]

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


def scale_of(X: Any, n_threads: int | None = None) -> Scale:
    """Find the middle and a typical deviation, from order statistics alone.

    A deviation of the data and no mean: multiples of it stay multiples in any unit.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        Finite.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    Scale

    Examples
    --------
    >>> scale_of(np.array([[30.0], [10.0], [20.0]])).unit
    10.0
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
