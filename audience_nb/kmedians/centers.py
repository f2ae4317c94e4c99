"""Where clusters begin and where they settle: seeds and medians."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.assignment import in_chunks

__all__ = ["Medians", "seeds"]

Floats = npt.NDArray[np.float64]

# Up to so many rows, ranks are kept and medians read off a sort of small integers.
RANKED = 60_000


def seeds(rows: Floats, n_clusters: int, rng: np.random.Generator) -> Floats:
    """Choose starting centres among the rows by greedy k-medians++.

    Each next centre is the best of 2 + ln k rows drawn with probability proportional to their L1
    distance to the centres so far (Arthur and Vassilvitskii, 2007, with D instead of D²).

    Parameters
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        Data.
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
    >>> seeds(np.array([[0.0], [9.0]]), 2, np.random.default_rng(0)).ravel().tolist()
    [9.0, 0.0]
    """
    from scipy.spatial.distance import cdist

    n = len(rows)
    trials = 2 + int(math.log(n_clusters))
    centers = np.empty((n_clusters, rows.shape[1]))
    centers[0] = rows[rng.integers(n)]
    nearest = cdist(rows, centers[:1], "cityblock")[:, 0]
    for j in range(1, n_clusters):
        reach = np.cumsum(nearest)
        if reach[-1] <= 0:
            centers[j] = rows[rng.integers(n)]
            continue
        drawn = np.searchsorted(reach, rng.random(trials) * reach[-1], side="right")
        drawn = drawn.clip(0, n - 1)
        distances = np.minimum(nearest, cdist(rows[drawn], rows, "cityblock"))
        best = int(distances.sum(axis=1).argmin())
        centers[j] = rows[drawn[best]]
        nearest = distances[best]
    return centers


class Medians:
    """Coordinate-wise medians of clusters of the same rows, which minimise their L1 cost.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        Data.

    Examples
    --------
    >>> import numpy as np
    >>> Medians(np.array([[1.0], [2.0], [9.0]]))(np.zeros(3, np.int32), 1).tolist()
    [[2.0]]
    """

    def __init__(self, rows: Floats) -> None:
        self.rows = rows
        n, d = rows.shape
        self._sorted: Floats | None = None
        if n <= RANKED:
            order = np.argsort(rows, axis=0, kind="stable").T
            self._sorted = np.take_along_axis(rows.T, order, axis=1)
            self._ranks = np.empty((d, n), np.int64)
            np.put_along_axis(self._ranks, order, np.arange(n)[None, :], axis=1)

    def __call__(self, labels: npt.NDArray[np.int32], n_clusters: int) -> Floats:
        """Give the medians.

        Parameters
        ----------
        labels : ndarray of int32, shape (n_records,)
            Clusters, none of them empty.
        n_clusters : int
            How many.

        Returns
        -------
        ndarray of float64, shape (n_clusters, n_features)
            Halfway between the two middle values where a cluster's size is even.
        """
        sizes = np.bincount(labels, minlength=n_clusters)
        edges = np.concatenate([[0], np.cumsum(sizes)])
        if self._sorted is not None:
            n = len(labels)
            keys = np.sort(self._ranks + labels.astype(np.int64) * n, axis=1)
            below = keys[:, edges[:-1] + (sizes - 1) // 2] % n
            above = keys[:, edges[:-1] + sizes // 2] % n
            low = np.take_along_axis(self._sorted, below, axis=1)
            high = np.take_along_axis(self._sorted, above, axis=1)
            return np.ascontiguousarray(_halfway(low, high).T)
        narrow = labels.astype(np.uint16) if n_clusters <= 65_536 else labels
        order = np.argsort(narrow, kind="stable")
        out = np.empty((n_clusters, self.rows.shape[1]))

        def settle(start: int, stop: int) -> None:
            for j in range(start, stop):
                block = self.rows[order[edges[j] : edges[j + 1]]].T.copy()
                low, high = (len(block[0]) - 1) // 2, len(block[0]) // 2
                block.partition((low, high), axis=1)
                out[j] = _halfway(block[:, low], block[:, high])

        in_chunks(settle, n_clusters, 1)
        return out


def _halfway(low: Floats, high: Floats) -> Floats:
    """Give the middle of two values, without overflow and exactly where they are equal."""
    return np.where(low == high, low, low * 0.5 + high * 0.5)
