"""Lists worth reading: every idea of a compound query gets its seats."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["choose_by_facets"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


def choose_by_facets(
    score: FloatArray, facets: FloatArray, limit: int, *, balance: float = 0.7
) -> list[int]:
    """Choose candidates so that each idea is represented in proportion.

    PM-2 (Dang & Croft 2012, "Diversity by proportionality"): seats go, one after the other, to
    the idea that is furthest behind, by the quotients of Sainte-Laguë; its best candidate takes
    the seat, and every idea that candidate serves is credited with its part.

    Parameters
    ----------
    score : ndarray of shape (n_candidates,)
        Fit to the whole query, in [0, 1].
    facets : ndarray of shape (n_facets, n_candidates)
        Fit to each idea, in [0, 1].
    limit : int
        At most so many.
    balance : float, optional
        In [0, 1]: how much the idea whose seat it is counts against the others and the whole.

    Returns
    -------
    list of int
        Chosen candidates, in order of choice; among equals the first.

    Examples
    --------
    >>> fit = np.array([[0.9, 0.8, 0.7, 0.1], [0.1, 0.1, 0.1, 0.8]])
    >>> choose_by_facets(fit.max(0), fit, 2)
    [0, 3]
    """
    n_facets, n_candidates = facets.shape
    seats = np.zeros(n_facets)
    free = np.ones(n_candidates, bool)
    chosen: list[int] = []
    while len(chosen) < min(limit, n_candidates):
        # Relative to the idea that is furthest behind, whose quotient is the largest.
        need = (2 * seats.min() + 1) / (2 * seats + 1)
        seat = int(np.argmax(need))
        others = (need @ facets - facets[seat]) / max(n_facets - 1, 1)
        gain = balance * facets[seat] + (1 - balance) * (others + score) / 2
        best = int(np.argmax(np.where(free, gain, -np.inf)))
        chosen.append(best)
        free[best] = False
        total = facets[:, best].sum()
        seats += facets[:, best] / total if total > 0 else 1.0 / n_facets
    return chosen
