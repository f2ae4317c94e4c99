"""Where clusters begin and where they settle: seeds and medians."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["medians", "seeds"]

Floats = npt.NDArray[np.float64]


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
        drawn = np.searchsorted(reach, rng.random(trials) * reach[-1]).clip(0, n - 1)
        distances = np.minimum(nearest[:, None], cdist(rows, rows[drawn], "cityblock"))
        best = int(distances.sum(axis=0).argmin())
        centers[j] = rows[drawn[best]]
        nearest = distances[:, best]
    return centers


def medians(rows: Floats, labels: npt.NDArray[np.int32], n_clusters: int) -> Floats:
    """Give the coordinate-wise median of every cluster, which minimises its L1 cost.

    Parameters
    ----------
    rows : ndarray of float64, shape (n_records, n_features)
        Data.
    labels : ndarray of int32, shape (n_records,)
        Clusters, none of them empty.
    n_clusters : int
        How many.

    Returns
    -------
    ndarray of float64, shape (n_clusters, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> medians(np.array([[1.0], [2.0], [9.0]]), np.zeros(3, np.int32), 1).tolist()
    [[2.0]]
    """
    from audience_nb.kmedians.assignment import in_chunks
    from audience_nb.kmedians.kernels import column_medians

    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(n_clusters + 1))
    out = np.empty((n_clusters, rows.shape[1]))
    # One thread takes a run of clusters; few rows are not worth a second thread.
    run = n_clusters if len(rows) < 20_000 else max(1, n_clusters // 8)
    in_chunks(lambda a, b: column_medians(rows, order, edges, a, b, out), n_clusters, run)
    return out
