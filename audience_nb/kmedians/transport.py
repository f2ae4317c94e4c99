"""The exact assignment of a few thousand rows without compiled code.

The same algorithm, step by step and tie by tie, as `flow.transfer`: whichever runs, prices and
labels have the same bits. It exists because compiling the kernels takes seconds, once a machine,
which nobody should wait for on a thousand records.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["INFEASIBLE", "OPTIMAL", "UNCERTIFIED", "transfer"]

Floats = npt.NDArray[np.float64]

# How a transfer ended.
OPTIMAL, INFEASIBLE, UNCERTIFIED = 0, 1, 3

_NONE = np.empty(0, np.intp)


def transfer(
    costs: Floats,
    labels: npt.NDArray[np.int32],
    smallest: npt.NDArray[np.int64],
    largest: npt.NDArray[np.int64],
    prices: Floats,
) -> tuple[Floats, int, int]:
    """Move rows between clusters until all sizes are allowed, at least cost.

    Successive shortest paths on a graph of k clusters and one sink. The arc j → l costs the
    cheapest move of a row from j to l; the arc between j and the sink lets the size of j vary
    within its bounds. Every reduced cost stays non-negative, so the end is optimal. Rows that tie
    for an arc all move in one step.

    Parameters
    ----------
    costs : ndarray of float64, shape (n_records, n_clusters)
        Distances.
    labels : ndarray of int32, shape (n_records,)
        Where distance plus price is least; rewritten.
    smallest, largest : ndarray of int64, shape (n_clusters,)
        Sizes allowed, both inclusive.
    prices : ndarray of float64, shape (n_clusters,)
        Any start; the nearer to the answer, the fewer steps.

    Returns
    -------
    prices : ndarray of float64, shape (n_clusters,)
        Positive only where a cluster is full, negative only where it is at its smallest.
    ended : int
        `OPTIMAL` or `INFEASIBLE`.
    n_augmentations : int
        Steps taken.

    References
    ----------
    Ahuja, Magnanti and Orlin, Network Flows, 1993, section 9.7.

    Examples
    --------
    >>> import numpy as np
    >>> costs, labels = np.array([[0.0, 3.0], [0.0, 2.0]]), np.zeros(2, np.int32)
    >>> one, zero = np.ones(2, np.int64), np.zeros(2)
    >>> transfer(costs, labels, one, one, zero)[1:], labels.tolist()
    ((0, 1), [0, 1])
    """
    k = costs.shape[1]
    sink = k
    inf = math.inf
    price = prices.tolist()
    low, high = smallest.tolist(), largest.tolist()
    sizes = np.bincount(labels, minlength=k).tolist()
    flow = [
        high[j] if price[j] > 0 else low[j] if price[j] < 0 else min(max(sizes[j], low[j]), high[j])
        for j in range(k)
    ]
    excess = [sizes[j] - flow[j] for j in range(k)]
    excess.append(-sum(excess))
    if max(excess) <= 0:
        return prices.copy(), OPTIMAL, 0
    held = [_Members(costs, labels, j) for j in range(k)]
    arc = [members.cheapest() for members in held]
    n_augmentations = 0
    nodes = range(k)
    while max(excess) > 0:
        parent = [-1] * (k + 1)
        dist = [0.0 if e > 0 else inf for e in excess]
        waiting = list(nodes)
        sunk = False
        target = -1
        u, least = -1, inf
        for v, d in enumerate(dist):
            if d < least:
                least, u = d, v
        while True:
            if u < 0:
                return np.array(price), INFEASIBLE, n_augmentations
            if u != sink:
                waiting.remove(u)
            else:
                sunk = True
            if excess[u] < 0:
                target = u
                break
            # The node to go on from is looked for while those next to this one are reached.
            after, soonest = -1, inf
            if u == sink:
                for v in waiting:
                    d = dist[v]
                    if flow[v] > low[v]:
                        reach = least + max(price[v], 0.0)
                        if reach < d:
                            dist[v], parent[v] = reach, sink
                            d = reach
                    if d < soonest:
                        soonest, after = d, v
            else:
                row, own = arc[u], price[u]
                for v in waiting:
                    d = dist[v]
                    step = row[v] + price[v] - own
                    reach = least + step if step > 0.0 else least
                    if reach < d:
                        dist[v], parent[v] = reach, u
                        d = reach
                    if d < soonest:
                        soonest, after = d, v
                if not sunk and flow[u] < high[u]:
                    reach = least + max(-own, 0.0)
                    if reach < dist[sink]:
                        dist[sink], parent[sink] = reach, u
            if not sunk and dist[sink] < soonest:
                soonest, after = dist[sink], sink
            u, least = after, soonest
        path = [target]
        while parent[path[-1]] >= 0:
            path.append(parent[path[-1]])
        path.reverse()
        amount = min(excess[path[0]], -excess[target])
        hops = list(pairwise(path))
        for u, v in hops:
            if u == sink:
                amount = min(amount, flow[v] - low[v])
            elif v == sink:
                amount = min(amount, high[u] - flow[u])
        movers: list[npt.NDArray[np.intp]] = []
        for u, v in hops:
            if u == sink or v == sink:
                movers.append(_NONE)
            else:
                movers.append(held[u].tied(v, arc[u][v], amount))
                amount = len(movers[-1])
        n_augmentations += 1
        far = dist[target]
        shift = far if not sunk or dist[sink] > far else dist[sink]
        for v in nodes:
            by = far if v in waiting or dist[v] > far else dist[v]
            price[v] = price[v] - by + shift
        excess[path[0]] -= amount
        excess[target] += amount
        for (u, v), rows in zip(hops, movers, strict=True):
            if u == sink:
                flow[v] -= amount
            elif v == sink:
                flow[u] += amount
            else:
                labels[rows[:amount]] = v
                held[u].lose(rows[:amount])
                held[v].gain(rows[:amount])
        for u in path:
            if u != sink:
                arc[u] = held[u].cheapest()
    return np.array(price), OPTIMAL, n_augmentations


class _Members:
    """The rows of one cluster, and what the move of each to every other costs."""

    def __init__(self, costs: Floats, labels: npt.NDArray[np.int32], cluster: int) -> None:
        self._costs, self._cluster = costs, cluster
        self._rows = (labels == cluster).nonzero()[0]
        self._n = len(self._rows)
        self._gaps = np.ascontiguousarray(self._of(self._rows))

    def _of(self, rows: npt.NDArray[np.intp]) -> Floats:
        theirs = self._costs[rows]
        gaps: Floats = (theirs - theirs[:, self._cluster, None]).T
        return gaps

    def cheapest(self) -> list[float]:
        """Give the cost of the cheapest move to each cluster; none leads to the own."""
        if not self._n:
            return [math.inf] * len(self._gaps)
        least: list[float] = self._gaps[:, : self._n].min(axis=1).tolist()
        least[self._cluster] = math.inf
        return least

    def tied(self, other: int, gap: float, most: int) -> npt.NDArray[np.intp]:
        """Give the first of the rows whose move costs just so much."""
        rows = self._rows[: self._n][self._gaps[other, : self._n] == gap]
        return rows if len(rows) == 1 else np.sort(rows)[:most]

    def lose(self, rows: npt.NDArray[np.intp]) -> None:
        """Fill the places of rows that go with the last ones."""
        for row in rows.tolist():
            place = int((self._rows[: self._n] == row).argmax())
            self._n -= 1
            self._rows[place] = self._rows[self._n]
            self._gaps[:, place] = self._gaps[:, self._n]

    def gain(self, rows: npt.NDArray[np.intp]) -> None:
        """Add rows."""
        n = self._n + len(rows)
        if n > len(self._rows):
            more = max(16, n // 4)
            self._rows = np.concatenate([self._rows[: self._n], rows, np.zeros(more, np.intp)])
            room = np.zeros((len(self._gaps), more))
            self._gaps = np.concatenate([self._gaps[:, : self._n], self._of(rows), room], axis=1)
        else:
            self._rows[self._n : n] = rows
            self._gaps[:, self._n : n] = self._of(rows)
        self._n = n
