"""ConstrainedKMedians: a scikit-learn estimator with guaranteed cluster sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from audience_nb.errors import InvalidInput
from audience_nb.kmedians.bounds import feasible_n_clusters, require_feasible, size_bounds
from audience_nb.kmedians.centers import medians, seeds

__all__ = ["ConstrainedKMedians"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

# Starts are tried on so many rows; the best goes on over all of them.
SAMPLE = 30_000
# Numbers of clusters that "auto" tries at most, spread over the feasible range.
MOST_TRIED = 11
# Up to so many rows, iterate to a fixed point whatever `tol` says.
EXACT_FIXED_POINT = 8192


@dataclass(frozen=True)
class _Fit:
    centers: Floats
    labels: Labels
    prices: Floats
    history: list[float]

    @property
    def cost(self) -> float:
        return self.history[-1]


class ConstrainedKMedians(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClusterMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """L1 clusters, each holding between two shares of the records, always.

    Alternates two steps that are each optimal, so the cost never rises: the cheapest assignment
    of records to clusters within the bounds (an exact transportation problem), and the median of
    each cluster in every coordinate.

    Parameters
    ----------
    n_clusters : int or "auto", default "auto"
        How many. "auto" takes, among the numbers that the bounds allow, the one with the highest
        z(simplified silhouette) − z(share of records not with their nearest centre), z standing
        for the standard score over the numbers tried.
    min_share, max_share : float, default 0.05 and 0.10
        Smallest and largest cluster, as fractions of the records in [0, 1].
    n_init : int, default 4
        Starts; the cheapest result is kept.
    max_iter : int, default 100
        Iterations at most.
    tol : float, default 1e-5
        Stop when the cost falls by less than this fraction. Up to 8,192 records iterations go on
        to a fixed point.
    random_state : int, RandomState instance or None
        Seed of the starts.
    callback : callable, optional
        Called with a stage in words and the fraction done in [0, 1]; may raise
        `audience_nb.errors.Cancelled`, which leaves the estimator as it was.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Medians, in the units of the data.
    labels_ : ndarray of int32, shape (n_records,)
        Cluster of each record; no other assignment within the bounds is cheaper for these
        centres.
    cost_ : float
        Sum of L1 distances of records to the centres of their clusters.
    n_clusters_, n_iter_ : int
        Clusters formed; iterations of the start that was kept.
    size_bounds_ : tuple of int
        Smallest and largest size allowed, in records.
    prices_ : ndarray of shape (n_clusters,)
        What one more place in each cluster would save, in units of the data: positive where a
        cluster is full, negative where it is kept from shrinking.
    cost_history_ : list of float
        Cost after each assignment; it never rises.
    k_curve_ : dict of str to list
        For each number of clusters tried: n_clusters, cost, silhouette, displaced, score, chosen.

    Raises
    ------
    audience_nb.errors.Infeasible
        From `fit`: no assignment meets the bounds.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> model = ConstrainedKMedians(2, min_share=0.5, max_share=0.5, random_state=0).fit(rows)
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.cost_
    ([1.0, 11.0], 4.0)
    """

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = "auto",
        *,
        min_share: float = 0.05,
        max_share: float = 0.10,
        n_init: int = 4,
        max_iter: int = 100,
        tol: float = 1e-5,
        random_state: Any = None,
        callback: Callable[[str, float], None] | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.min_share = min_share
        self.max_share = max_share
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.callback = callback

    def fit(self, X: Any, y: Any = None) -> ConstrainedKMedians:
        """Form the clusters.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features)
            Finite numbers.
        y : None
            Ignored.

        Returns
        -------
        ConstrainedKMedians
            This estimator, fitted.

        Raises
        ------
        audience_nb.errors.Infeasible
            If no assignment meets the bounds.
        ValueError
            If X holds no finite numbers, or a parameter is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> rows = np.random.default_rng(0).normal(size=(100, 2))
        >>> sizes = np.bincount(ConstrainedKMedians(random_state=0).fit(rows).labels_)
        >>> bool(sizes.min() >= 5 and sizes.max() <= 10)
        True
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        n = len(X)
        smallest, largest = size_bounds(n, min_share=self.min_share, max_share=self.max_share)
        tried = self._tried(n, smallest, largest)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rows, middle, scale, order = _canonical(X)
        results: dict[int, _Fit] = {}
        curve: list[tuple[float, float]] = []
        sampled = _sampled(rows, seed)
        for i, k in enumerate(tried):
            self._tell(f"trying {k} clusters", i / len(tried))
            results[k] = self._starts(sampled, k, smallest, largest, n, seed)
            curve.append(_quality(sampled, results[k]) if len(tried) > 1 else (0.0, 0.0))
        scores = _standard([a for a, _ in curve]) - _standard([b for _, b in curve])
        best = int(np.argmax(scores))
        k = tried[best]
        found = results[k]
        if len(sampled) < n:
            self._tell("settling all records", 0.9)
            found = self._descend(rows, found.centers, found.prices, smallest, largest, seed)
        labels = np.empty(n, np.int32)
        labels[order] = found.labels
        self._tell("done", 1.0)
        self.labels_ = labels
        self.cluster_centers_ = (found.centers * scale + middle).astype(X.dtype)
        self.prices_ = found.prices * scale
        self.cost_history_ = [cost * scale for cost in found.history]
        self.cost_ = found.cost * scale
        self.n_iter_ = len(found.history)
        self.n_clusters_ = k
        self.size_bounds_ = (smallest, largest)
        self._n_features_out = k
        per_record = scale * n / len(sampled)
        self.k_curve_ = {
            "n_clusters": list(tried),
            "cost": [results[k].cost * per_record for k in tried],
            "silhouette": [a for a, _ in curve],
            "displaced": [b for _, b in curve],
            "score": scores.tolist(),
            "chosen": [other == k for other in tried],
        }
        return self

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> Labels:
        """Form the clusters and give each record's.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features)
            Finite numbers.
        y : None
            Ignored.
        **kwargs
            Ignored.

        Returns
        -------
        ndarray of int32, shape (n_records,)
            Sizes are within the bounds.

        Examples
        --------
        >>> ConstrainedKMedians(2, max_share=0.5).fit_predict([[0.0], [1.0], [8.0], [9.0]]).shape
        (4,)
        """
        return self.fit(X).labels_

    def predict(self, X: Any) -> Labels:
        """Give the nearest centre of each record, without the size rule.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features)
            Records, new or not.

        Returns
        -------
        ndarray of int32, shape (n_records,)

        Examples
        --------
        >>> model = ConstrainedKMedians(2, max_share=0.5, random_state=0)
        >>> model = model.fit([[0.0], [1.0], [8.0], [9.0]])
        >>> bool(model.predict([[-5.0]])[0] == model.labels_[0])
        True
        """
        nearest: Labels = self.transform(X).argmin(axis=1).astype(np.int32)
        return nearest

    def transform(self, X: Any) -> Any:
        """Give the L1 distance of each record to every centre.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features)
            Records.

        Returns
        -------
        ndarray of shape (n_records, n_clusters)

        Examples
        --------
        >>> model = ConstrainedKMedians(1, max_share=1.0).fit([[1.0, 1.0], [1.0, 1.0]])
        >>> model.transform([[2.0, 3.0]]).tolist()
        [[3.0]]
        """
        from scipy.spatial.distance import cdist

        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)
        return cdist(X, self.cluster_centers_, "cityblock").astype(X.dtype)

    # -- inside --------------------------------------------------------------------------------

    def _tell(self, stage: str, fraction: float) -> None:
        if self.callback is not None:
            self.callback(stage, fraction)

    def _tried(self, n: int, smallest: int, largest: int) -> list[int]:
        for name, least in (("n_init", 1), ("max_iter", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise InvalidInput(f"{name} is {value!r}.", f"Give a whole number from {least}.")
        if isinstance(self.n_clusters, str):
            if self.n_clusters != "auto":
                raise InvalidInput(
                    f"n_clusters is {self.n_clusters!r}.", 'Give a whole number or "auto".'
                )
            feasible = feasible_n_clusters(n, smallest, largest)
            spread = np.linspace(feasible[0], feasible[-1], min(len(feasible), MOST_TRIED))
            return sorted({int(k) for k in spread.round()})
        if not isinstance(self.n_clusters, Integral) or self.n_clusters < 1:
            raise InvalidInput(
                f"n_clusters is {self.n_clusters!r}.", 'Give a whole number from 1, or "auto".'
            )
        require_feasible(n, smallest, largest, int(self.n_clusters))
        return [int(self.n_clusters)]

    def _starts(self, rows: Floats, k: int, smallest: int, largest: int, n: int, seed: int) -> _Fit:
        """Descend from several starts and keep the cheapest end."""
        m = len(rows)
        if m < n:
            smallest, largest = smallest * m // n, -(-largest * m // n)
        best: _Fit | None = None
        for start in range(self.n_init):
            rng = np.random.default_rng([seed, k, start])
            centers = seeds(rows[:10_000], k, rng)
            found = self._descend(rows, centers, None, smallest, largest, seed)
            if best is None or found.cost < best.cost:
                best = found
        assert best is not None
        return best

    def _descend(
        self,
        rows: Floats,
        centers: Floats,
        prices: Floats | None,
        smallest: int,
        largest: int,
        seed: int,
    ) -> _Fit:
        """Alternate exact assignment and exact medians while the cost falls."""
        from audience_nb.kmedians.assignment import Assignment

        k = len(centers)
        assignment = Assignment(rows, smallest, largest, k, seed)
        tol = 0.0 if len(rows) <= EXACT_FIXED_POINT else self.tol
        labels, prices = assignment(centers, prices)
        history = [_cost(rows, centers, labels)]
        while len(history) < self.max_iter:
            settled = medians(rows, labels, k)
            if np.array_equal(settled, centers):
                break
            again, new_prices = assignment(settled, prices)
            cost = _cost(rows, settled, again)
            centers, prices = settled, new_prices
            if cost >= history[-1]:
                # The earlier labels are as cheap for their own medians: a fixed point.
                history.append(min(_cost(rows, centers, labels), history[-1]))
                break
            falls = history[-1] - cost
            labels = again
            history.append(cost)
            if falls <= tol * cost:
                break
        return _Fit(centers, labels, prices, history)


def _canonical(X: Any) -> tuple[Floats, Floats, float, npt.NDArray[np.int64]]:
    """Bring rows to an order and scale that do not depend on how the caller keeps them.

    Centred at the medians and scaled by a power of two, which changes no digit; sorted, so that
    ties are broken alike whatever the order of the rows.
    """
    rows = np.asarray(X, dtype=np.float64)
    middle = np.median(rows, axis=0)
    rows = rows - middle
    largest = float(np.abs(rows).max(initial=0.0))
    scale = math.ldexp(1.0, math.frexp(largest)[1]) if largest > 0 else 1.0
    rows = rows / scale
    order = np.lexsort(rows.T[::-1]) if len(rows) <= 200_000 else _hashed_order(rows)
    return np.ascontiguousarray(rows[order]), middle, scale, order.astype(np.int64)


def _hashed_order(rows: Floats) -> npt.NDArray[np.int64]:
    """Sort many rows by one random projection: equal rows meet, others almost never tie."""
    return np.argsort(rows @ np.random.default_rng(0).random(rows.shape[1]), kind="stable")


def _sampled(rows: Floats, seed: int) -> Floats:
    if len(rows) <= 1.5 * SAMPLE:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), SAMPLE, replace=False)
    return np.ascontiguousarray(rows[np.sort(chosen)])


def _cost(rows: Floats, centers: Floats, labels: Labels) -> float:
    """Sum L1 distances, in runs of rows so that memory stays bounded."""
    return math.fsum(
        float(np.abs(rows[a : a + 65_536] - centers[labels[a : a + 65_536]]).sum())
        for a in range(0, len(rows), 65_536)
    )


def _quality(rows: Floats, found: _Fit) -> tuple[float, float]:
    """Give the simplified silhouette and the share of rows not with their nearest centre.

    The simplified silhouette compares distances to centres instead of to all rows (Hruschka,
    de Castro and Campello, 2004).
    """
    from scipy.spatial.distance import cdist

    if len(found.centers) < 2:
        return 0.0, 0.0
    distances = cdist(rows, found.centers, "cityblock")
    place = np.arange(len(rows))
    own = distances[place, found.labels]
    displaced = float((own > distances.min(axis=1)).mean())
    distances[place, found.labels] = np.inf
    other = distances.min(axis=1)
    wider = np.maximum(np.maximum(own, other), np.finfo(np.float64).tiny)
    return float(((other - own) / wider).mean()), displaced


def _standard(values: list[float]) -> Floats:
    array = np.asarray(values)
    spread = float(array.std())
    return (array - array.mean()) / spread if spread > 0 else np.zeros(len(array))
