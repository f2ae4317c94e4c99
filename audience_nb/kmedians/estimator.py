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
from audience_nb.kmedians.assignment import Assignment
from audience_nb.kmedians.bounds import feasible_n_clusters, require_feasible, size_bounds
from audience_nb.kmedians.centers import Medians, seeds
from audience_nb.kmedians.scaling import Canonical

__all__ = ["ConstrainedKMedians"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

# Starts are tried on so many rows (or so many for each cluster); the best goes on over all of them.
SAMPLE, SAMPLE_EACH = 2048, 100
# Numbers of clusters that "auto" tries at most, spread over the feasible range, and the largest of
# them unless the bounds ask for more.
MOST_TRIED, MOST_CLUSTERS = 11, 40
# Up to so many rows, iterate to a fixed point whatever `tol` says, and without compiled code: it
# would be quicker, but only after seconds of compiling.
FEW = 8192


# While numbers of clusters are compared, a start ends when its cost falls by less than this.
ROUGH = 2e-3


@dataclass(frozen=True)
class _Fit:
    centers: Floats
    labels: Labels
    # Labels whose medians the centres are: the labels themselves at a fixed point.
    sources: Labels
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
        to a fixed point, where every centre is its cluster's median.
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
        Clusters formed; times that the centres were moved in the run that was kept (over all
        records, where starts were tried on a sample).
    size_bounds_ : tuple of int
        Smallest and largest size allowed, in records.
    prices_ : ndarray of shape (n_clusters,)
        What one more place in each cluster would save, in units of the data: positive where a
        cluster is full, negative where it is kept from shrinking.
    cost_history_ : list of float
        Cost after each assignment; it never rises.
    k_curve_ : dict of str to list
        For each number of clusters tried: n_clusters, cost, silhouette, displaced, score, chosen.
        Cost and scores are those of short runs, on a sample where there are many records; with
        a given number of clusters there is its cost alone, the rest is NaN.

    Notes
    -----
    Rows are centred, scaled by a typical deviation, rounded to a grid of 2⁻³⁸ of it and sorted
    before anything else, so that labels depend neither on units nor on the order of the rows
    (identical rows apart, which may be told apart only by their place).

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
        self._tell("preparing", 0.0)
        canonical = Canonical(X)
        rows = canonical.rows
        sampled = _sampled(rows, seed, tried[-1])
        task = _Task(sampled, n, smallest, largest, seed)
        trials: dict[int, list[_Fit]] = {}
        curve: list[tuple[float, float]] = []
        # With one number of clusters every start runs to its end; to compare several, it is
        # enough to run each until it falls slowly, and only the chosen number's to the end.
        choosing = len(tried) > 1
        for i, k in enumerate(tried if choosing else []):
            trials[k] = []
            for start in range(self.n_init):
                self._tell(f"trying {k} clusters", 0.7 * (i + start / self.n_init) / len(tried))
                trials[k].append(task.descend(task.begin(k, start), self.max_iter, ROUGH))
            curve.append(_quality(sampled, min(trials[k], key=_by_cost)))
        scores = _standard([a for a, _ in curve]) - _standard([b for _, b in curve])
        k = tried[int(np.argmax(scores))] if choosing else tried[0]
        tol = 0.0 if len(sampled) <= FEW else self.tol
        ended: list[_Fit] = []
        for start in range(self.n_init):
            self._tell(f"forming {k} clusters", 0.7 * choosing + 0.2 * start / self.n_init)
            begun = trials[k][start] if choosing else task.begin(k, start)
            ended.append(task.descend(begun, self.max_iter, tol))
        found = min(ended, key=_by_cost)
        if len(sampled) < n:
            # A larger sample takes most of the way that many records would take at great cost.
            larger = _sampled(rows, seed, tried[-1], 16)

            def told(portion: float) -> Callable[[int], None]:
                start, room = (0.95, 0.05) if portion == 1 else (0.9, 0.05)
                return lambda step: self._tell(
                    "settling all records", start + room * (1 - 0.8**step)
                )

            for some in (larger, rows) if 4 * len(larger) < n else (rows,):
                task = _Task(some, n, smallest, largest, seed)
                found = task.descend(
                    task.resume(found),
                    self.max_iter,
                    0.0 if n <= FEW else self.tol,
                    told(len(some) / n),
                )
        labels, sources = np.empty(n, np.int32), np.empty(n, np.int32)
        labels[canonical.order] = found.labels
        sources[canonical.order] = found.sources
        self._tell("done", 1.0)
        # Medians of the caller's own numbers, not of what they were scaled to.
        centers = Medians(np.asarray(X, dtype=np.float64))(sources, k)
        self.labels_ = labels
        self.cluster_centers_ = centers.astype(X.dtype)
        self.prices_ = found.prices * canonical.unit
        self.cost_ = _cost(X, centers, labels)
        # In the caller's units, with the last exactly `cost_`.
        unit = self.cost_ / found.cost if found.cost > 0 else canonical.unit
        self.cost_history_ = [cost * unit for cost in found.history[:-1]] + [self.cost_]
        self.n_iter_ = max(1, len(found.history) - 1)
        self.n_clusters_ = k
        self.size_bounds_ = (smallest, largest)
        self._n_features_out = k
        self.k_curve_ = {
            "n_clusters": list(tried),
            "cost": [self.cost_],
            "silhouette": [math.nan],
            "displaced": [math.nan],
            "score": [math.nan],
            "chosen": [other == k for other in tried],
        }
        if choosing:
            per_record = canonical.unit * n / len(sampled)
            self.k_curve_["cost"] = [min(f.cost for f in trials[k]) * per_record for k in tried]
            self.k_curve_["silhouette"] = [a for a, _ in curve]
            self.k_curve_["displaced"] = [b for _, b in curve]
            self.k_curve_["score"] = scores.tolist()
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
            most = min(feasible[-1], max(MOST_CLUSTERS, feasible[0]))
            width = min(most - feasible[0] + 1, MOST_TRIED)
            spread = np.linspace(feasible[0], most, width)
            return sorted({int(k) for k in spread.round()})
        if not isinstance(self.n_clusters, Integral) or self.n_clusters < 1:
            raise InvalidInput(
                f"n_clusters is {self.n_clusters!r}.", 'Give a whole number from 1, or "auto".'
            )
        require_feasible(n, smallest, largest, int(self.n_clusters))
        return [int(self.n_clusters)]


class _Task:
    """Rows to cut into clusters of allowed sizes, whatever the number of clusters.

    `rows` are a sample of `n_records`, or all of them.
    """

    def __init__(
        self, rows: Floats, n_records: int, smallest: int, largest: int, seed: int
    ) -> None:
        m = len(rows)
        self.rows, self.seed = rows, seed
        self.smallest = max(1, smallest * m // n_records)
        self.largest = -(-largest * m // n_records)
        self.compiled = n_records > FEW
        self.medians = Medians(rows)
        self._assignments: dict[int, Assignment] = {}

    def assign(self, centers: Floats, prices: Floats | None) -> tuple[Labels, Floats]:
        k = len(centers)
        if k not in self._assignments:
            self._assignments[k] = Assignment(
                self.rows, self.smallest, self.largest, k, self.seed, self.compiled
            )
        return self._assignments[k](centers, prices)

    def begin(self, k: int, start: int) -> _Fit:
        """Assign the rows to the seeds of one start."""
        centers = seeds(self.rows, k, np.random.default_rng([self.seed, k, start]))
        labels, prices = self.assign(centers, None)
        return _Fit(centers, labels, labels, prices, [_cost(self.rows, centers, labels)])

    def resume(self, found: _Fit) -> _Fit:
        """Assign the rows to centres found on others."""
        labels, prices = self.assign(found.centers, found.prices)
        cost = _cost(self.rows, found.centers, labels)
        return _Fit(found.centers, labels, labels, prices, [cost])

    def descend(
        self,
        found: _Fit,
        max_iter: int,
        tol: float,
        tell: Callable[[int], None] = lambda step: None,
    ) -> _Fit:
        """Alternate exact medians and exact assignment while the cost falls by more than `tol`."""
        centers, labels, prices = found.centers, found.labels, found.prices
        sources = found.sources
        history = list(found.history)
        while len(history) <= max_iter:
            tell(len(history))
            settled = self.medians(labels, len(centers))
            sources = labels
            if np.array_equal(settled, centers):
                break
            centers = settled
            labels, prices = self.assign(centers, prices)
            cost = _cost(self.rows, centers, labels)
            falls = history[-1] - cost
            # Never rises but for the rounding of sums.
            history.append(min(cost, history[-1]))
            if falls <= tol * cost:
                break
        return _Fit(centers, labels, sources, prices, history)


def _by_cost(found: _Fit) -> float:
    return found.cost


def _sampled(rows: Floats, seed: int, k: int, times: int = 1) -> Floats:
    size = times * max(SAMPLE, SAMPLE_EACH * k)
    if len(rows) <= 1.5 * size:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size, replace=False)
    return np.ascontiguousarray(rows[np.sort(chosen)])


def _cost(rows: Floats, centers: Floats, labels: Labels) -> float:
    """Sum L1 distances, in runs of rows so that memory stays bounded."""
    return math.fsum(
        float(np.abs(rows[a : a + 65_536] - centers[labels[a : a + 65_536]]).sum(dtype=np.float64))
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
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        return array
    spread = float(array.std())
    return (array - array.mean()) / spread if spread > 0 else np.zeros(len(array))
