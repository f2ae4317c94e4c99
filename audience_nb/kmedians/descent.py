"""From seeds to a local optimum: exact medians and exact assignment in turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.assignment import Assignment
from audience_nb.kmedians.compiling import loaded
from audience_nb.kmedians.rows import SMALL, Rows
from audience_nb.kmedians.threads import sizes_of

__all__ = ["Descent", "Task", "seeds"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]

# A start is the best of so many seedings, after so many rounds of averages.
SEEDINGS, SMOOTH = 3, 5
# A centre that was moved gets so many rounds of averages to prove itself: it is given up if even
# the lower bound on the cost is then higher than before by this factor.
ROUNDS, HOPE = 4, 1.01


@dataclass(frozen=True)
class Descent:
    """Where a descent stands.

    Parameters
    ----------
    centers : ndarray of float64, shape (n_clusters, n_features)
        Canonical.
    labels : ndarray of int32, shape (n_records,)
        Optimal for these centres.
    prices : ndarray of float64, shape (n_clusters,)
        That prove it.
    history : tuple of float
        Cost after each assignment; it never rises.
    medians : tuple of ndarray of float64, shape (n_clusters, n_features), or None
        Lower and upper medians, in the units that the rows are held in, halfway between which the
        centres are; None if the centres come from elsewhere.
    rough : bool
        Whether sizes are only about right so far.
    """

    centers: Floats
    labels: Labels
    prices: Floats
    history: tuple[float, ...]
    medians: tuple[Floats, Floats] | None = None
    rough: bool = False

    @property
    def cost(self) -> float:
        """Cost of the labels."""
        return self.history[-1]


def seeds(rows: Rows, n_clusters: int, rng: np.random.Generator) -> Floats:
    """Choose starting centres among the rows by greedy k-medians++.

    Each next centre is the best of 2 + ln k rows drawn with probability proportional to their
    weighted L1 distance to the centres so far (Arthur and Vassilvitskii, 2007, with D instead of
    D²). A row of weight 2 is drawn as two rows would be.

    Parameters
    ----------
    rows : Rows
        Data, in canonical order.
    n_clusters : int
        How many.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray of float64, shape (n_clusters, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> seeds(Rows(np.array([[0.0], [9.0]])), 2, np.random.default_rng(0)).ravel().tolist()
    [9.0, 0.0]
    """
    from scipy.spatial.distance import cdist

    values = rows.values
    n = len(values)
    weights = np.ones(n) if rows.weights is None else rows.weights
    trials = 2 + int(math.log(n_clusters))
    centers = np.empty((n_clusters, values.shape[1]))
    centers[0] = values[_drawn(weights, rng, 1)[0]]
    nearest = cdist(values, centers[:1], "cityblock")[:, 0] * weights
    for j in range(1, n_clusters):
        if not nearest.any():
            centers[j] = values[_drawn(weights, rng, 1)[0]]
            continue
        drawn = _drawn(nearest, rng, trials)
        distances = np.minimum(nearest, cdist(values[drawn], values, "cityblock") * weights)
        best = int(distances.sum(axis=1).argmin())
        centers[j] = values[drawn[best]]
        nearest = distances[best]
    return centers


def _drawn(shares: Floats, rng: np.random.Generator, size: int) -> npt.NDArray[np.intp]:
    """Draw places with probabilities proportional to shares, all places if they are all 0."""
    reach = np.cumsum(shares if shares.any() else np.ones(len(shares)))
    drawn = np.searchsorted(reach, rng.random(size) * reach[-1], side="right")
    places: npt.NDArray[np.intp] = np.minimum(drawn, len(reach) - 1)
    return places


class Task:
    """Rows to cut into clusters of allowed sizes, whatever the number of clusters.

    Parameters
    ----------
    rows : Rows
        A sample of the records, or all of them.
    n_records, smallest, largest : int
        All records, and the sizes allowed among them.
    seed : int
        Of the starts.

    Examples
    --------
    >>> import numpy as np
    >>> task = Task(Rows(np.array([[0.0], [1.0], [8.0], [9.0]])), 4, 2, 2, seed=0)
    >>> task.descend(task.begin(2, 0), max_iter=10, tol=0.0).cost
    2.0
    """

    def __init__(self, rows: Rows, n_records: int, smallest: int, largest: int, seed: int) -> None:
        m = len(rows)
        self.rows, self.seed = rows, seed
        self.smallest = max(1, smallest * m // n_records)
        self.largest = -(-largest * m // n_records)
        self.compiled = n_records > SMALL or loaded()
        self._assignments: dict[int, Assignment] = {}
        self._drawn_in: Floats | None = None

    def assignment(self, n_clusters: int) -> Assignment:
        """Give the assignment of the rows to so many clusters."""
        if n_clusters not in self._assignments:
            self._assignments[n_clusters] = Assignment(
                self.rows, self.smallest, self.largest, n_clusters, self.compiled
            )
        return self._assignments[n_clusters]

    def begin(self, n_clusters: int, start: int) -> Descent:
        """Assign the rows to the seeds of one start, and let these find their places roughly.

        Medians of columns with few values hardly move; means do, and end in better optima. Rare
        values are drawn in, so that outliers do not move them.
        """
        rng = np.random.default_rng([self.seed, n_clusters, start])
        assignment = self.assignment(n_clusters)
        best: tuple[float, Floats, Floats | None] | None = None
        for _ in range(SEEDINGS):
            centers = seeds(self.rows, n_clusters, rng)
            prices: Floats | None = None
            bound = 0.0
            for _ in range(SMOOTH):
                labels, prices, bound = assignment.roughly(centers, prices)
                centers = self._means(labels, centers)
            if best is None or bound < best[0]:
                best = bound, centers, prices
        assert best is not None
        return self.assigned(*best[1:])

    def relocate(self, found: Descent, trials: int, max_iter: int, tol: float) -> Descent:
        """Move a centre that is hardly missed to where the cost is, if that pays in the end.

        As random swap clustering does (Fränti, 2018): what no descent can do, and for less work
        than as many further starts.
        """
        k, n = len(found.centers), len(self.rows)
        rng = np.random.default_rng([self.seed, k, n])
        place = np.arange(n)
        for _ in range(trials if k > 1 else 0):
            costs = self.rows.costs(found.centers)
            own = costs[place, found.labels]
            costs[place, found.labels] = np.inf
            missed = np.bincount(found.labels, costs.min(axis=1) - own, minlength=k)
            missed = np.maximum(missed, 0.02 * missed.mean())
            if not own.any():
                break
            rarely = 1 / missed if missed.all() else np.ones(k)
            leaves = _drawn(rarely, rng, 1)[0]
            goes = _drawn(np.where(found.labels == leaves, 0.0, own), rng, 1)[0]
            centers = found.centers.copy()
            centers[leaves] = self.rows.values[goes]
            prices, bound = found.prices, 0.0
            for _ in range(ROUNDS):
                labels, prices, bound = self.assignment(k).roughly(centers, prices)
                centers = self._means(labels, centers)
            if bound >= found.cost * HOPE:
                continue
            tried = self.descend(self.assigned(centers, prices), 1, tol)
            if tried.cost < found.cost:
                found = self.descend(replace(tried, history=(tried.cost,)), max_iter, tol)
        return found

    def _means(self, labels: Labels, centers: Floats) -> Floats:
        """Average clusters, with the outer twentieths of each column drawn in."""
        k = len(centers)
        if self._drawn_in is None:
            ends = np.quantile(self.rows.values, [0.05, 0.95], axis=0, method="lower")
            self._drawn_in = np.clip(self.rows.values, *ends).T.copy()
        weights = self.rows.weights
        total = np.bincount(labels, weights, minlength=k).astype(np.float64)
        columns = self._drawn_in if weights is None else self._drawn_in * weights
        sums = np.array([np.bincount(labels, column, minlength=k) for column in columns])
        heavy = total > 0
        return np.where(heavy[:, None], sums.T / np.where(heavy, total, 1.0)[:, None], centers)

    def assigned(self, centers: Floats, prices: Floats | None = None) -> Descent:
        """Assign the rows to centres found elsewhere."""
        found = self.assignment(len(centers))(centers, prices)
        return Descent(centers, found.labels, found.prices, (found.cost,))

    def resumed(self, centers: Floats, prices: Floats) -> Descent:
        """Assign the rows to centres found on a sample; of many rows roughly will do to go on."""
        if len(self.rows) <= SMALL:
            return self.assigned(centers, prices)
        found = self.assignment(len(centers)).glance(centers, prices)
        if not sizes_of(found.labels, len(centers)).all():
            return self.assigned(centers, prices)
        return Descent(centers, found.labels, found.prices, (found.cost,), rough=True)

    def descend(
        self,
        begun: Descent,
        max_iter: int,
        tol: float,
        tell: Callable[[int], None] = lambda step: None,
    ) -> Descent:
        """Alternate exact medians and exact assignment while the cost falls by more than `tol`."""
        centers, labels, prices = begun.centers, begun.labels, begun.prices
        medians, rough = begun.medians, begun.rough
        history = list(begun.history)
        stalled = False
        while len(history) <= max_iter:
            tell(len(history))
            middles = self.rows.medians(labels, len(centers))
            settled = self.rows.centers(*middles)
            if stalled and self._between(centers, *middles):
                break
            medians = middles
            if np.array_equal(settled, centers) and not rough:
                break
            centers = settled
            found = self.assignment(len(centers))(centers, prices)
            labels, prices = found.labels, found.prices
            if rough:
                history[-1], rough = max(history[-1], found.cost), False
            falls = history[-1] - found.cost
            # Never rises but for the rounding of sums.
            history.append(min(found.cost, history[-1]))
            if falls <= tol * found.cost:
                # Other labels of the same cost may have other medians, and these a lower cost.
                stalled = True
                if tol:
                    break
        return Descent(centers, labels, prices, tuple(history), medians)

    def _between(self, centers: Floats, low: Floats, high: Floats) -> bool:
        """Tell whether every centre is a median, on the canonical scale."""
        if self.rows.scale is not None:
            low, high = self.rows.scale(low), self.rows.scale(high)
        return bool(((low <= centers) & (centers <= high)).all())
