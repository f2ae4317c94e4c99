"""Rows in an order and on a scale that do not depend on how the caller keeps them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Canonical"]

Floats = npt.NDArray[np.float64]

# Binary digits kept after the point, with the typical deviation as unit. Sums of distances on this
# grid are exact, so that what ties in one unit of measurement ties in every other.
DIGITS = 38
# Largest value in typical deviations, as a power of two: more would overflow a float32.
WIDEST = 60


class Canonical:
    """Rows centred, scaled, put on a grid and sorted.

    Parameters
    ----------
    X : ndarray of shape (n_records, n_features)
        Finite numbers.

    Attributes
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        In ascending order, deviations from the columns' medians in units of their typical size.
    unit : float
        That size in the units of the data.
    order : ndarray of int64, shape (n_records,)
        Where each row was.

    Examples
    --------
    >>> import numpy as np
    >>> kept = Canonical(np.array([[30.0], [10.0], [20.0]]))
    >>> kept.rows.ravel().tolist(), kept.unit, kept.order.tolist()
    ([-1.0, 0.0, 1.0], 10.0, [1, 2, 0])
    """

    rows: Floats
    unit: float
    order: npt.NDArray[np.int64]

    def __init__(self, X: Any) -> None:
        rows = np.array(X, dtype=np.float64)
        # A power of two first: it changes no digit, and nothing overflows from here on.
        largest = float(np.abs(rows).max(initial=0.0))
        power = math.frexp(largest)[1] if largest > 0 else 0
        rows = np.ldexp(rows, -power)
        rows -= np.median(rows, axis=0)
        deviations = np.abs(rows)
        some = deviations[deviations > 0]
        typical = 1.0
        if len(some):
            # A deviation of the data and no mean: multiples of it stay multiples in any unit.
            middle = float(np.partition(some, len(some) // 2)[len(some) // 2])
            typical = max(middle, float(some.max()) * 2.0**-WIDEST)
        grid = 2.0**DIGITS
        rows /= typical
        np.multiply(rows, grid, out=rows)
        np.rint(rows, out=rows)
        rows /= grid
        self.order = _ascending(rows)
        self.rows = np.ascontiguousarray(rows[self.order])
        self.unit = math.ldexp(typical, power)


def _ascending(rows: Floats) -> npt.NDArray[np.int64]:
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
