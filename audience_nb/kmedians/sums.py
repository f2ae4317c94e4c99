"""Compiled passes over a block in the caller's units. Importing this module imports numba.

Sums are kept as whole numbers, which add up to the same whatever the order and the blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["UNIT", "narrowed", "own_costs"]

# What costs are counted in, in typical deviations, and from where on they no longer are.
UNIT = 2.0**-30
LARGE = 2.0**12


@njit(nogil=True, cache=True)
def narrowed(rows: Any, factor: float, middle: Any, typical: float, out: Any) -> None:
    """Write rows on the canonical scale, in float32."""
    n, d = rows.shape
    for i in range(n):
        for t in range(d):
            out[i, t] = np.float32((np.float64(rows[i, t]) * factor - middle[t]) / typical)


@njit(nogil=True, cache=True)
def own_costs(
    rows: Any, factor: float, middle: Any, typical: float, centers: Any, labels: Any, large: Any
) -> Any:
    """Add up distances of rows to their own centres, in whole multiples of `UNIT`.

    Distances of more than `LARGE` typical deviations are written to `large`. Returns the sum of
    the others and how many were large.
    """
    n, d = rows.shape
    whole = np.int64(0)
    n_large = 0
    for i in range(n):
        j = labels[i]
        total = 0.0
        for t in range(d):
            total += abs((np.float64(rows[i, t]) * factor - middle[t]) / typical - centers[j, t])
        if total < LARGE:
            whole += np.int64(np.rint(total / UNIT))
        else:
            large[n_large] = total
            n_large += 1
    return whole, n_large
