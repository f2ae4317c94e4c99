"""Proof that an assignment is optimal: prices, and the lower bound that they give."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput
from audience_nb.kmedians.threads import SMALL, in_chunks, sizes_of

__all__ = ["Certificate", "certify"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Certificate:
    """What an assignment costs, and what no assignment within the bounds can cost less than.

    Parameters
    ----------
    cost : float
        Weighted sum of the L1 distances of records to the centres of their clusters.
    bound : float
        Lower bound on it over all assignments whose sizes are allowed (the Lagrangian dual).
    gap : float
        (cost − bound) / cost; 0 where the cost is 0.
    prices : ndarray of float64, shape (n_clusters,)
        Of a place in each cluster, in units of the data; what the bound is computed from.
    sizes : ndarray of int64, shape (n_clusters,)
        Records in each cluster.
    smallest, largest : int
        Sizes allowed, both inclusive.

    Notes
    -----
    For any prices p, Σᵢ minⱼ (wᵢ d(xᵢ, cⱼ) + pⱼ) − Σⱼ (max(pⱼ, 0) · largest + min(pⱼ, 0) ·
    smallest) is such a bound (weak duality of the transportation problem: Ahuja, Magnanti and
    Orlin, Network Flows, 1993, section 9.4), so that anybody can check the result without trusting
    how it was found.

    Examples
    --------
    >>> import numpy as np
    >>> rows, centers = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [9.0]])
    >>> certify(rows, centers, np.array([0, 0, 1]), np.zeros(2), 1, 2).gap
    0.0
    """

    cost: float
    bound: float
    gap: float
    prices: Floats = field(repr=False)
    sizes: npt.NDArray[np.int64] = field(repr=False)
    smallest: int
    largest: int

    @property
    def within_bounds(self) -> bool:
        """Whether every cluster's size is allowed."""
        return bool(self.sizes.min() >= self.smallest and self.sizes.max() <= self.largest)


def certify(
    X: Any,
    centers: Floats,
    labels: Any,
    prices: Floats,
    smallest: int,
    largest: int,
    sample_weight: Floats | None = None,
    n_threads: int | None = None,
) -> Certificate:
    """Check an assignment in float64, from nothing but the data and the prices.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_records, n_features)
        Data.
    centers : ndarray of float64, shape (n_clusters, n_features)
        Centres.
    labels : ndarray of int, shape (n_records,)
        Cluster of each record.
    prices : ndarray of float64, shape (n_clusters,)
        One for each cluster.
    smallest, largest : int
        Sizes allowed, both inclusive.
    sample_weight : ndarray of float64, shape (n_records,), optional
        What each record's distances count for.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    Certificate

    Raises
    ------
    InvalidInput
        If there is not one label for each record.

    Examples
    --------
    >>> import numpy as np
    >>> rows, centers = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [9.0]])
    >>> found = certify(rows, centers, np.array([0, 1, 1]), np.zeros(2), 1, 2)
    >>> found.cost, found.bound
    (8.0, 1.0)
    """
    n, k = len(X), len(centers)
    if len(labels) != n:
        raise InvalidInput(f"There are {len(labels)} labels for {n} records.", "Give one each.")
    owned = np.ascontiguousarray(labels, dtype=np.int32)
    none = np.empty(0)

    def part(a: int, b: int) -> tuple[float, float]:
        rows = np.asarray(X[a:b], dtype=np.float64)
        if power:
            rows = np.ldexp(rows, -power)
        weights = none if sample_weight is None else sample_weight[a:b]
        if n > SMALL:
            from audience_nb.kmedians.kernels import value

            cost, saving = value(rows, weights, across, price, owned[a:b])
            return float(cost), float(saving)
        return _value(rows, weights, middle, price, owned[a:b])

    # Divided by a power of two, where sums of very large numbers would overflow.
    for power in (0, 128, 512, 1024 + 64):
        middle, price = np.ldexp(centers, -power), np.ldexp(prices, -power)
        across = np.ascontiguousarray(middle.T)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = in_chunks(part, n, 4096, n_threads)
            sums = [sum(p[i] for p in parts) for i in (0, 1)]
        if np.isfinite(sums).all():
            break
    cost = math.fsum(p[0] for p in parts)
    sizes = sizes_of(owned, k)
    # The bound as a difference from the cost: large prices would cancel out.
    at = np.where(price > 0, largest, smallest)
    saving = math.fsum(p[1] for p in parts) + float((price * (at - sizes)).sum())
    gap = max(saving, 0.0) / cost if cost > 0 else 0.0
    with np.errstate(over="ignore"):
        paid, bound = np.ldexp(cost, power), np.ldexp(cost - saving, power)
    return Certificate(
        cost=float(paid),
        bound=float(bound),
        gap=gap,
        prices=prices,
        sizes=sizes,
        smallest=smallest,
        largest=largest,
    )


def _value(
    rows: Floats, weights: Floats, centers: Floats, prices: Floats, labels: Any
) -> tuple[float, float]:
    """Do as `kernels.value` does, without compiled code."""
    from scipy.spatial.distance import cdist

    costs = cdist(rows, centers, "cityblock")
    if len(weights):
        costs *= weights[:, None]
    place = np.arange(len(rows))
    paid = costs[place, labels]
    costs += prices
    saved = costs[place, labels] - costs.min(axis=1)
    return float(paid.sum()), float(saved.sum())
