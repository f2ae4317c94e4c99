"""How many clusters: which numbers are tried, and how well rows fit into so many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.bounds import feasible_n_clusters
from audience_nb.kmedians.descent import Descent
from audience_nb.kmedians.rows import Rows

__all__ = ["quality", "tried"]

Floats = npt.NDArray[np.float64]

# Numbers of clusters that are tried at most, spread over the feasible range, and the largest of
# them unless the bounds ask for more.
MOST_TRIED, MOST_CLUSTERS = 11, 40


def tried(n_records: int, smallest: int, largest: int) -> list[int]:
    """Say which numbers of clusters to compare.

    Parameters
    ----------
    n_records, smallest, largest : int
        Records, and the sizes allowed, both inclusive.

    Returns
    -------
    list of int
        At most 11, ascending.

    Examples
    --------
    >>> tried(1000, 50, 100)
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
    """
    feasible = feasible_n_clusters(n_records, smallest, largest)
    most = min(feasible[-1], max(MOST_CLUSTERS, feasible[0]))
    width = min(most - feasible[0] + 1, MOST_TRIED)
    return sorted({int(k) for k in np.linspace(feasible[0], most, width).round()})


def quality(rows: Rows, found: Descent) -> tuple[float, float]:
    """Give the simplified silhouette and the share of rows not with their nearest centre.

    The simplified silhouette compares distances to centres instead of to all rows (Hruschka,
    de Castro and Campello, 2004).

    Parameters
    ----------
    rows : Rows
        Data in canonical order.
    found : Descent
        Their clusters.

    Returns
    -------
    silhouette, displaced : float

    Examples
    --------
    >>> import numpy as np
    >>> from audience_nb.kmedians.descent import Task
    >>> rows = Rows(np.array([[0.0], [0.0], [8.0], [8.0]]))
    >>> quality(rows, Task(rows, 4, 2, 2, seed=0).begin(2, 0))
    (1.0, 0.0)
    """
    from scipy.spatial.distance import cdist

    if len(found.centers) < 2:
        return 0.0, 0.0
    distances = cdist(rows.values, found.centers, "cityblock")
    place = np.arange(len(rows))
    own = distances[place, found.labels]
    displaced = float((own > distances.min(axis=1)).mean())
    distances[place, found.labels] = np.inf
    other = distances.min(axis=1)
    wider = np.maximum(np.maximum(own, other), np.finfo(np.float64).tiny)
    return float(((other - own) / wider).mean()), displaced
