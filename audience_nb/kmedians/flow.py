"""The exact solver of the assignment, compiled: moves of few rows between many clusters.

Importing this module imports numba. `transport.transfer` is the same, step by step and tie by tie,
without compiled code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from audience_nb.kmedians.transport import INFEASIBLE, OPTIMAL, UNCERTIFIED

__all__ = ["best_two", "transfer"]


@njit(nogil=True, cache=True)
def best_two(costs: Any, prices: Any, labels: Any, margins: Any) -> None:
    """Write each row's cheapest cluster and by how much the second is dearer."""
    m, k = costs.shape
    for i in range(m):
        best = np.inf
        second = np.inf
        nearest = 0
        for j in range(k):
            value = costs[i, j] + prices[j]
            if value < best:
                second = best
                best = value
                nearest = j
            elif value < second:
                second = value
        labels[i] = nearest
        margins[i] = second - best


@njit(nogil=True, cache=True)
def _sink(keys: Any, items: Any, start: int, n: int, place: int) -> None:
    """Restore a binary heap below `place`; equal keys are ordered by item."""
    key = keys[start + place]
    item = items[start + place]
    while True:
        child = 2 * place + 1
        if child >= n:
            break
        left = start + child
        if child + 1 < n and (
            keys[left + 1] < keys[left]
            or (keys[left + 1] == keys[left] and items[left + 1] < items[left])
        ):
            child += 1
        at = start + child
        if keys[at] < key or (keys[at] == key and items[at] < item):
            keys[start + place] = keys[at]
            items[start + place] = items[at]
            place = child
        else:
            break
    keys[start + place] = key
    items[start + place] = item


@njit(nogil=True, cache=True)
def _rise(keys: Any, items: Any, start: int, n: int, key: float, item: int) -> None:
    """Add an entry to a heap of n."""
    place = n
    while place > 0:
        parent = (place - 1) >> 1
        at = start + parent
        if keys[at] > key or (keys[at] == key and items[at] > item):
            keys[start + place] = keys[at]
            items[start + place] = items[at]
            place = parent
        else:
            break
    keys[start + place] = key
    items[start + place] = item


@njit(nogil=True, cache=True)
def transfer(
    costs: Any,
    labels: Any,
    fixed: Any,
    smallest: Any,
    largest: Any,
    prices: Any,
    certain: Any,
    stuck: Any,
) -> Any:
    """Move candidate rows between clusters until all sizes are allowed, at least cost.

    Successive shortest paths on a graph of k clusters and one sink: the arc j → l costs the
    cheapest move of a candidate row of j to l (kept in heaps), the arc j → sink takes the size of
    j within its bounds. With prices that make every reduced cost non-negative, each augmentation
    keeps that so; the end is optimal among the candidates and, as no other row's move j → l costs
    less than certain[j, l], among all rows as long as no path uses a dearer arc.
    (Ahuja, Magnanti, Orlin, Network Flows, 1993, section 9.7; arcs contracted as in Bertsekas'
    transportation codes.)

    Parameters: costs (m, k) float64 of the candidates; labels (m,) their clusters, rewritten;
    fixed (k,) rows of each cluster that are no candidates; smallest, largest (k,); prices (k,),
    positive where a cluster is full, negative where it is at its smallest; certain (k, k).
    Returns the prices, how it ended, and the number of augmentations. If that is UNCERTIFIED, the
    arcs of too few candidates are marked in stuck (k, k), and it can go on from its labels and
    prices with more candidates.
    """
    m, k = costs.shape
    sink = k
    inf = np.inf
    sizes = fixed.copy()
    for i in range(m):
        sizes[labels[i]] += 1
    prices = prices.copy()
    flow = np.empty(k, np.int64)
    excess = np.zeros(k + 1, np.int64)
    for j in range(k):
        if prices[j] > 0:
            flow[j] = largest[j]
        elif prices[j] < 0:
            flow[j] = smallest[j]
        else:
            flow[j] = min(max(sizes[j], smallest[j]), largest[j])
        excess[j] = sizes[j] - flow[j]
        excess[sink] -= excess[j]
    count = np.zeros((k, k), np.int64)
    for i in range(m):
        j = labels[i]
        for other in range(k):
            if other != j and costs[i, other] - costs[i, j] < certain[j, other]:
                count[j, other] += 1
    room = np.zeros((k, k), np.int64)
    begin = np.zeros((k, k), np.int64)
    length = 0
    for j in range(k):
        for other in range(k):
            begin[j, other] = length
            if j != other:
                room[j, other] = count[j, other] + count[j, other] // 2 + 8
            length += room[j, other]
            count[j, other] = 0
    keys = np.empty(length, np.float64)
    items = np.empty(length, np.int32)
    for i in range(m):
        j = labels[i]
        for other in range(k):
            gap = costs[i, other] - costs[i, j]
            if other != j and gap < certain[j, other]:
                at = begin[j, other] + count[j, other]
                keys[at] = gap
                items[at] = i
                count[j, other] += 1
    arc = np.full((k, k), inf)
    for j in range(k):
        for other in range(k):
            n = count[j, other]
            for place in range(n // 2 - 1, -1, -1):
                _sink(keys, items, begin[j, other], n, place)
            if n > 0:
                arc[j, other] = keys[begin[j, other]]
    dist = np.empty(k + 1)
    done = np.empty(k + 1, np.bool_)
    parent = np.empty(k + 1, np.int64)
    path = np.empty(k + 2, np.int64)
    # Rows that take each step of the path: those of step q are taken[reach[q] : reach[q - 1]].
    taken = np.empty(64, np.int32)
    reach = np.empty(k + 3, np.int64)
    n_augmentations = 0
    ended = OPTIMAL
    while True:
        waiting = False
        for v in range(k + 1):
            parent[v] = -1
            done[v] = False
            dist[v] = inf
            if excess[v] > 0:
                dist[v] = 0.0
                waiting = True
        if not waiting:
            break
        target = -1
        while True:
            u = -1
            least = inf
            for v in range(k + 1):
                if not done[v] and dist[v] < least:
                    least = dist[v]
                    u = v
            if u < 0:
                break
            done[u] = True
            if excess[u] < 0:
                target = u
                break
            if u == sink:
                for v in range(k):
                    if not done[v] and flow[v] > smallest[v]:
                        step = max(prices[v], 0.0)
                        if least + step < dist[v]:
                            dist[v] = least + step
                            parent[v] = sink
            else:
                for v in range(k):
                    if not done[v]:
                        # An arc whose cheapest row is not known costs at least `certain`.
                        step = min(arc[u, v], certain[u, v]) + prices[v] - prices[u]
                        step = max(step, 0.0)
                        if least + step < dist[v]:
                            dist[v] = least + step
                            parent[v] = u
                if not done[sink] and flow[u] < largest[u]:
                    step = max(-prices[u], 0.0)
                    if least + step < dist[sink]:
                        dist[sink] = least + step
                        parent[sink] = u
        if target < 0:
            ended = INFEASIBLE
            break
        steps = 0
        v = target
        while v >= 0:
            path[steps] = v
            steps += 1
            v = parent[v]
        source = path[steps - 1]
        amount = min(excess[source], -excess[target])
        for q in range(steps - 1, 0, -1):
            u = path[q]
            v = path[q - 1]
            if u == sink:
                amount = min(amount, flow[v] - smallest[v])
            elif v == sink:
                amount = min(amount, largest[u] - flow[u])
            elif arc[u, v] > certain[u, v]:
                ended = UNCERTIFIED
        if ended == UNCERTIFIED:
            # Other paths would stop there next.
            for v in range(k):
                u = parent[v]
                if done[v] and u >= 0 and u != sink and arc[u, v] > certain[u, v]:
                    stuck[u, v] = True
            break
        # Rows that tie for a step all go; note them before the heaps' tops change.
        n_taken = 0
        for q in range(steps - 1, 0, -1):
            u = path[q]
            v = path[q - 1]
            reach[q] = n_taken
            if u == sink or v == sink:
                continue
            start = begin[u, v]
            n = count[u, v]
            least = arc[u, v]
            last = -1
            while n > 0 and keys[start] == least and n_taken - reach[q] < amount:
                i = items[start]
                n -= 1
                keys[start] = keys[start + n]
                items[start] = items[start + n]
                if n > 1:
                    _sink(keys, items, start, n, 0)
                # A row that left and came back is in the heap twice, next to itself.
                if labels[i] == u and i != last:
                    if n_taken == len(taken):
                        more = np.empty(2 * n_taken, np.int32)
                        more[:n_taken] = taken
                        taken = more
                    taken[n_taken] = i
                    n_taken += 1
                    last = i
            count[u, v] = n
            amount = n_taken - reach[q]
        reach[0] = n_taken
        n_augmentations += 1
        far = dist[target]
        shift = far
        for v in range(k + 1):
            by = dist[v] if (done[v] and dist[v] < far) else far
            if v == sink:
                shift = by
            else:
                prices[v] -= by
        for v in range(k):
            prices[v] += shift
        excess[source] -= amount
        excess[target] += amount
        for q in range(steps - 1, 0, -1):
            u = path[q]
            v = path[q - 1]
            if u == sink:
                flow[v] -= amount
            elif v == sink:
                flow[u] += amount
            else:
                stop = reach[q] + amount
                for p in range(reach[q], stop):
                    labels[taken[p]] = v
                # Those found to tie beyond what could move on go back.
                extra = reach[q - 1] - stop
                if count[u, v] + extra > room[u, v]:
                    keys, items = _roomier(keys, items, begin, room, count, u, extra)
                for p in range(stop, reach[q - 1]):
                    i = taken[p]
                    gap = costs[i, v] - costs[i, u]
                    _rise(keys, items, begin[u, v], count[u, v], gap, i)
                    count[u, v] += 1
                for other in range(k):
                    if other == v:
                        continue
                    if count[v, other] + amount > room[v, other]:
                        keys, items = _roomier(keys, items, begin, room, count, v, amount)
                    for p in range(reach[q], stop):
                        i = taken[p]
                        gap = costs[i, other] - costs[i, v]
                        _rise(keys, items, begin[v, other], count[v, other], gap, i)
                        count[v, other] += 1
        for q in range(steps):
            u = path[q]
            if u == sink:
                continue
            for other in range(k):
                if other == u:
                    continue
                start = begin[u, other]
                n = count[u, other]
                while n > 0 and labels[items[start]] != u:
                    n -= 1
                    keys[start] = keys[start + n]
                    items[start] = items[start + n]
                    if n > 1:
                        _sink(keys, items, start, n, 0)
                count[u, other] = n
                arc[u, other] = keys[start] if n > 0 else inf
    return prices, ended, n_augmentations


@njit(nogil=True, cache=True)
def _roomier(
    keys: Any, items: Any, begin: Any, room: Any, count: Any, fuller: int, extra: int
) -> Any:
    """Move all heaps to a larger pool; those of cluster `fuller` gain `extra` places at least."""
    k = room.shape[0]
    length = 0
    for j in range(k):
        for other in range(k):
            if j != other:
                wanted = 2 * count[j, other] + 8
                if j == fuller:
                    wanted += 2 * extra
                room[j, other] = max(room[j, other], wanted)
                length += room[j, other]
    more_keys = np.empty(length, np.float64)
    more_items = np.empty(length, np.int32)
    at = 0
    for j in range(k):
        for other in range(k):
            if j == other:
                continue
            start = begin[j, other]
            for place in range(count[j, other]):
                more_keys[at + place] = keys[start + place]
                more_items[at + place] = items[start + place]
            begin[j, other] = at
            at += room[j, other]
    return more_keys, more_items
