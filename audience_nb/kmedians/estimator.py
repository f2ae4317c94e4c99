"""ConstrainedKMedians: a scikit-learn estimator with guaranteed cluster sizes."""

from __future__ import annotations

from collections.abc import Callable
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
from audience_nb.kmedians.blocks import Blocks, blocks_of, require_columns, takes
from audience_nb.kmedians.bounds import allowed_sizes, require_feasible
from audience_nb.kmedians.certificate import Certificate
from audience_nb.kmedians.feasible import Feasibility, feasibility
from audience_nb.kmedians.fitting import Plan, assign, form
from audience_nb.kmedians.parameters import (
    given_centers,
    given_weights,
    numbers_tried,
    require_numbers,
)
from audience_nb.kmedians.partitioned import assign_blocks, form_blocks, nearest_blocks
from audience_nb.kmedians.threads import in_chunks

__all__ = ["ConstrainedKMedians"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]


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
        How many. "auto" takes, among the numbers that the bounds allow, the one that most speaks
        for: the elbow of the cost, the silhouette, how little one cluster more would be missed,
        and agreement between two halves of the records. Where there is no clear answer,
        `k_curve_` says which others are about as good.
    min_share, max_share : float, default 0.05 and 0.10
        Smallest and largest cluster, as fractions of the records in [0, 1].
    size_min, size_max : int, optional
        The same in records; each wins over its share.
    n_init : int, default 4
        Starts, of up to 10,000 records 2 at least; the cheapest result is kept.
    init : "k-medians++" or array-like of shape (n_clusters, n_features)
        How to start. An array is the only start, whatever `n_init` says.
    max_iter : int, default 100
        Iterations at most.
    tol : float, default 1e-4
        Stop when the cost falls by less than this fraction. Up to 10,000 records iterations go on
        to a fixed point, where every centre is its cluster's median.
    random_state : int, RandomState instance or None
        Seed of the starts.
    warm_start : bool, default False
        Whether `fit` starts from the centres of the fit before, if it formed as many clusters as
        are wanted now. Only then does a fit that fails or is cancelled leave the one before intact.
    n_threads : int, optional
        Threads to work on; by default as many as there are processors, 8 at most. The result
        does not depend on it, to the last bit.
    callback : callable, optional
        Called with a stage in words and the fraction done in [0, 1]; may raise
        `audience_nb.errors.Cancelled`, which leaves the estimator unfitted (see `warm_start`).

    Attributes
    ----------
    cluster_centers_ : ndarray of float64, shape (n_clusters, n_features)
        Medians, in the units of the data: halfway between the two middle values where there are
        two, as NumPy's median. Where weights are given, halfway between the least value that half
        the weight does not exceed and the least that more than half does not exceed.
    labels_ : ndarray of int32, shape (n_records,)
        Cluster of each record; no other assignment within the bounds is cheaper for these
        centres.
    cost_ : float
        Weighted sum of L1 distances of records to the centres of their clusters.
    inertia_ : float
        The same, by the name that scikit-learn gives it.
    n_clusters_ : int
        Clusters formed.
    n_iter_ : int
        Times that the centres were moved in the run that was kept (over all records, where
        starts were tried on a sample).
    size_bounds_ : tuple of int
        Smallest and largest size allowed, in records.
    prices_ : ndarray of float64, shape (n_clusters,)
        What one more place in each cluster would save, in units of the data: positive where a
        cluster is full, negative where it is kept from shrinking (what one place less to fill
        would save, with a minus), 0 where a bound does not bind. Exactly that unless several
        prices prove the same optimum; then it saves at most as much.
    certificate_ : Certificate
        Proof that the assignment is optimal: prices, cost, lower bound, and the gap between them.
    cost_history_ : list of float
        Cost after each assignment; it never rises.
    k_curve_ : dict of str to list
        For each number of clusters tried: n_clusters, cost, silhouette (simplified), displaced
        (share of records not with their nearest centre), stability (adjusted Rand index of
        clusters learnt on two halves), score (in [0, 1], adding up to 1: how often that number is
        the true one where one is known), chosen, alternative (about as good: with the one chosen
        the fewest that together have 0.8 of the score). All of short runs, on a sample where there
        are many records; with a given number of clusters there is its cost alone, the rest is
        NaN.

    Notes
    -----
    Weights scale distances: in the cost, in the assignment and in the medians. Sizes count records,
    not weights: with unequal weights that cannot be split no assignment meets weight bounds exactly
    in general, and to find out whether one does is NP-hard.

    Rows are centred, scaled by a typical deviation, rounded to a grid of 2⁻³⁸ of it and put in an
    order that depends on their content before anything else, so that labels depend neither on
    units, float type, nor on the order of the rows. Identical rows may have to be cut apart; which
    of them goes where then depends on their place alone, among them.

    Raises
    ------
    audience_nb.errors.Infeasible
        From `fit`: no assignment meets the bounds.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> model = ConstrainedKMedians(2, min_share=0.5, max_share=0.5, random_state=0).fit(rows)
    >>> sorted(model.cluster_centers_.ravel().tolist()), model.cost_, model.certificate_.gap
    ([1.0, 11.0], 4.0, 0.0)
    """

    cluster_centers_: Floats
    labels_: Labels
    prices_: Floats
    certificate_: Certificate
    cost_: float
    inertia_: float
    cost_history_: list[float]
    n_iter_: int
    n_clusters_: int
    size_bounds_: tuple[int, int]
    k_curve_: dict[str, list[Any]]
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int | Literal["auto"] = "auto",
        *,
        min_share: float = 0.05,
        max_share: float = 0.10,
        size_min: int | None = None,
        size_max: int | None = None,
        n_init: int = 4,
        init: Any = "k-medians++",
        max_iter: int = 100,
        tol: float = 1e-4,
        random_state: Any = None,
        warm_start: bool = False,
        n_threads: int | None = None,
        callback: Callable[[str, float], None] | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.min_share = min_share
        self.max_share = max_share
        self.size_min = size_min
        self.size_max = size_max
        self.n_init = n_init
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.warm_start = warm_start
        self.n_threads = n_threads
        self.callback = callback

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> ConstrainedKMedians:
        """Form the clusters.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features), path, or Dask collection
            Finite numbers. Parquet files (a path, a directory, a pattern such as
            `"people/*.parquet"`, or a list) and Dask arrays and data frames are read block by
            block, by the workers of a `dask.distributed.Client` where one is at work; the bounds
            hold over all records and the result is the same however they are cut.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_records,), optional
            What each record's distances count for, from 0. Sizes count records all the same. Not
            for records that are read in blocks.

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
        before = {name: value for name, value in vars(self).items() if name.endswith(("_", "_out"))}
        if not self.warm_start:
            self._forget()
        try:
            self._fit(X, sample_weight, before)
        except BaseException:
            # Cancelled or refused: what was begun must not be taken for a result.
            self._forget()
            if self.warm_start:
                for name, value in before.items():
                    setattr(self, name, value)
            raise
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Labels:
        """Form the clusters and give each record's.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features)
            Finite numbers.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_records,), optional
            As for `fit`.

        Returns
        -------
        ndarray of int32, shape (n_records,)
            Sizes are within the bounds.

        Examples
        --------
        >>> ConstrainedKMedians(2, max_share=0.5).fit_predict([[0.0], [1.0], [8.0], [9.0]]).shape
        (4,)
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X: Any, *, respect_sizes: bool = False) -> Labels:
        """Give the nearest centre of each record, or the cheapest assignment within the bounds.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features), path, or Dask collection
            Records, new or not.
        respect_sizes : bool, default False
            Whether sizes are bounded too: see `assign`.

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
        if respect_sizes:
            return self.assign(X)
        if takes(X):
            return nearest_blocks(self._blocks(X, reset=False), self.cluster_centers_)
        from scipy.spatial.distance import cdist

        X = self._checked(X)
        centers = self.cluster_centers_
        labels = np.empty(len(X), np.int32)

        def part(a: int, b: int) -> None:
            labels[a:b] = cdist(X[a:b], centers, "cityblock").argmin(axis=1)

        in_chunks(part, len(X), n_threads=self.n_threads)
        return labels

    def assign(self, X: Any, sample_weight: Any = None) -> Labels:
        """Assign records to the centres at least cost, with sizes within the bounds.

        Parameters
        ----------
        X : array-like of shape (n_records, n_features), path, or Dask collection
            Records, new or not, all at once: where one goes depends on the others.
        sample_weight : array-like of shape (n_records,), optional
            As for `fit`.

        Returns
        -------
        ndarray of int32, shape (n_records,)
            Sizes are within `min_share` and `max_share` of the number of these records, or
            `size_min` and `size_max`.

        Raises
        ------
        audience_nb.errors.Infeasible
            If so many records cannot be assigned within the bounds.

        Examples
        --------
        >>> model = ConstrainedKMedians(2, max_share=0.5, random_state=0)
        >>> model = model.fit([[0.0], [1.0], [8.0], [9.0]])
        >>> labels = model.assign([[0.0], [1.0], [2.0], [2.0]])
        >>> labels.tolist() == model.labels_.tolist()
        True
        """
        in_blocks, weights = takes(X), None
        if in_blocks:
            X = self._blocks(X, sample_weight, reset=False)
            n = sum(X.lengths)
        else:
            X = self._checked(X)
            weights = given_weights(sample_weight, X)
            n = len(X)
        k, centers = self.n_clusters_, self.cluster_centers_
        smallest, largest = self._sizes(n, least=0)
        if not k * smallest <= n <= k * largest:
            require_feasible(n, max(1, smallest), largest, k, self._names())
        if in_blocks:
            return assign_blocks(X, centers, smallest, largest, self.n_threads)
        return assign(X, weights, centers, smallest, largest, self.n_threads)[0]

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

        X = self._checked(X)
        return cdist(X, self.cluster_centers_, "cityblock").astype(X.dtype, copy=False)

    def feasibility(self, X: Any) -> Feasibility:
        """Say what can be done with records, before any work.

        Parameters
        ----------
        X : int, or array-like of shape (n_records, n_features)
            How many records there are, or the records.

        Returns
        -------
        Feasibility
            Numbers of clusters that are possible, the nearest shares that are, warnings.

        Examples
        --------
        >>> ConstrainedKMedians().feasibility(29).possible
        False
        """
        return feasibility(
            X,
            self.n_clusters,
            min_share=self.min_share,
            max_share=self.max_share,
            size_min=self.size_min,
            size_max=self.size_max,
        )

    # -- inside --------------------------------------------------------------------------------

    def _fit(self, X: Any, sample_weight: Any, before: dict[str, Any]) -> None:
        in_blocks = takes(X)
        weights = None
        if in_blocks:
            X = self._blocks(X, sample_weight)
            n = sum(X.lengths)
        else:
            X = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
            weights = given_weights(sample_weight, X)
            n = len(X)
        require_numbers(
            self.tol, n_threads=self.n_threads, n_init=self.n_init, max_iter=self.max_iter
        )
        smallest, largest = self._sizes(n)
        centers, prices = self._start(before)
        tried = numbers_tried(
            self.n_clusters,
            n,
            smallest,
            largest,
            given=None if centers is None else len(centers),
            names=self._names(),
        )
        if centers is not None and len(centers) != tried[0]:
            centers = prices = None
        plan = Plan(
            tried=tried,
            smallest=smallest,
            largest=largest,
            n_init=int(self.n_init),
            max_iter=int(self.max_iter),
            tol=float(self.tol),
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            tell=self.callback or (lambda stage, fraction: None),
            n_threads=self.n_threads,
            centers=centers,
            prices=prices,
        )
        formed = form_blocks(X, plan) if in_blocks else form(X, weights, plan)
        self.labels_ = formed.labels
        self.cluster_centers_ = formed.centers
        self.certificate_ = formed.certificate
        self.prices_ = formed.certificate.prices
        self.cost_ = self.inertia_ = formed.certificate.cost
        self.cost_history_ = formed.history
        self.n_iter_ = max(1, len(formed.history) - 1)
        self.n_clusters_ = self._n_features_out = formed.n_clusters
        self.size_bounds_ = (smallest, largest)
        self.k_curve_ = formed.k_curve

    def _blocks(self, X: Any, sample_weight: Any = None, reset: bool = True) -> Blocks:
        """Open rows that are read block by block."""
        if sample_weight is not None:
            raise InvalidInput(
                "Rows that are read in blocks have no weights.", "Leave sample_weight out."
            )
        if not reset:
            check_is_fitted(self)
            blocks = blocks_of(X)
            require_columns(blocks, self.n_features_in_, getattr(self, "feature_names_in_", None))
            return blocks
        blocks = blocks_of(X)
        self.n_features_in_ = blocks.n_features
        if blocks.names is not None:
            self.feature_names_in_ = np.array(blocks.names, dtype=object)
        return blocks

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith(("_", "_out"))]:
            delattr(self, name)

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        return validate_data(self, X, dtype=[np.float64, np.float32], order="C", reset=False)

    def _names(self) -> tuple[str, str]:
        return (
            "min_share" if self.size_min is None else "size_min",
            "max_share" if self.size_max is None else "size_max",
        )

    def _sizes(self, n: int, least: int = 1) -> tuple[int, int]:
        return allowed_sizes(
            n,
            min_share=self.min_share,
            max_share=self.max_share,
            size_min=self.size_min,
            size_max=self.size_max,
            least=least,
        )

    def _start(self, before: dict[str, Any]) -> tuple[Floats | None, Floats | None]:
        """Give the centres to start from, if there are any, and their prices if known."""
        centers = given_centers(self.init, self.n_clusters, self.n_features_in_)
        if centers is not None:
            return centers, None
        if self.warm_start and "cluster_centers_" in before:
            centers = before["cluster_centers_"]
            wanted = self.n_clusters in ("auto", len(centers))
            if wanted and centers.shape[1] == self.n_features_in_:
                return centers, before["prices_"]
        return None, None
