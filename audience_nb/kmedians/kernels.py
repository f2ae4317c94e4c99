"""Compiled passes over rows. Importing this module imports numba.

Arrays come in checked: C-contiguous, of the dtypes named, within bounds; an array of length 0
stands for weights or ranks that are not given. Each kernel releases the GIL, is cached on disk
after its first compilation, and works on a run of rows: what it writes or returns for several runs
adds up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "digest",
    "extent",
    "grouped",
    "l1",
    "middles",
    "order_counts",
    "scan",
    "settle",
    "value",
]

# Rows handled together, so that the inner loops run over contiguous lanes.
LANES = 256
# Larger than any reduced cost of rows on the canonical scale.
HUGE = np.float32(3e38)
# Unit of the costs that tell tied rows apart, and how many of them there are at most.
TIE = 2.0**-44
TIE_BITS = 8
# Digits after the point that the first half of a digest sees.
COARSE = 2.0**16


@njit(nogil=True, cache=True)
def extent(rows: Any, lowest: Any, highest: Any) -> None:
    """Widen the range of each column to what is found."""
    n, d = rows.shape
    width = np.uint32(d)
    for i in range(n):
        for t in range(width):
            x = rows[i, t]
            lowest[t] = min(lowest[t], x)
            highest[t] = max(highest[t], x)


@njit(nogil=True, cache=True)
def digest(
    rows: Any,
    factor: float,
    middle: Any,
    finer: float,
    grid: float,
    seed: Any,
    narrow: Any,
    keys: Any,
) -> None:
    """Write rows as float32 and a key of their content, whose order is an accident of the seed.

    Rows are put on the canonical scale as `rows.Scale` does, to the last bit: multiplied by
    `factor`, less `middle`, times `finer`, rounded, times `grid`.

    The upper half of a key depends on the rows to 16 binary digits, so that what changes in the
    last place when units are changed does not change the order; the lower half tells apart what
    that leaves equal.
    """
    n, d = rows.shape
    odd = np.empty(d, np.uint64)
    state = np.uint64(seed)
    for t in range(d):
        # The splitmix64 generator (Steele, Lea and Flood, 2014).
        state += np.uint64(0x9E3779B97F4A7C15)
        h = state
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        odd[t] = (h ^ (h >> np.uint64(31))) | np.uint64(1)
    rough = np.empty(d, np.float64)
    fine = np.empty(d, np.float64)
    rough_bits = rough.view(np.uint64)
    fine_bits = fine.view(np.uint64)
    for i in range(n):
        for t in range(d):
            x = np.rint((np.float64(rows[i, t]) * factor - middle[t]) * finer) * grid
            narrow[i, t] = x
            # Adding 0 turns −0 into 0.
            rough[t] = np.rint(x * COARSE) + 0.0
            fine[t] = x + 0.0
        h = np.uint64(0)
        g = np.uint64(0)
        for t in range(d):
            a = rough_bits[t]
            b = fine_bits[t]
            h += (a ^ (a >> np.uint64(32))) * odd[t]
            g += (b ^ (b >> np.uint64(32))) * odd[t]
        h = (h ^ (h >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
        g = (g ^ (g >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
        keys[i] = (h & np.uint64(0xFFFFFFFF00000000)) | (g >> np.uint64(32))


@njit(nogil=True, fastmath={"nnan", "nsz"}, cache=True)
def scan(
    rows: Any,
    weights: Any,
    centers: Any,
    prices: Any,
    margins: Any,
    rounding: Any,
    slack: Any,
    labels: Any,
    sizes: Any,
    doubtful: Any,
) -> Any:
    """Label rows by weighted distance plus price in float32; list those that are in doubt.

    A row i labelled j is in doubt if for some l its reduced cost, w·d(i, l) + price(l) − w·d(i, j)
    − price(j), is below margins[j, l], give or take what sums of float32 get wrong: `slack`, and
    `rounding` times the row's distance from the origin and the farthest centre's. Adds to sizes,
    writes labels and the first of `doubtful`; returns how many are in doubt and the sum of weighted
    distances.
    """
    n, d = rows.shape
    k = centers.shape[0]
    weighted = len(weights) > 0
    widest = np.empty(k, np.float32)
    farthest = np.float32(0)
    dearest = np.float32(0)
    for j in range(k):
        widest[j] = margins[j].max()
        farthest = max(farthest, np.abs(centers[j]).sum())
        dearest = max(dearest, abs(prices[j]))
    origin = np.empty(LANES, np.float32)
    weight = np.ones(LANES, np.float32)
    block = np.zeros((d, LANES), np.float32)
    reduced = np.empty((k, LANES), np.float32)
    best = np.empty(LANES, np.float32)
    second = np.empty(LANES, np.float32)
    nearest = np.empty(LANES, np.int32)
    n_doubtful = 0
    total = 0.0
    for start in range(0, n, LANES):
        m = min(LANES, n - start)
        for r in range(m):
            for t in range(d):
                block[t, r] = rows[start + r, t]
        if weighted:
            for r in range(m):
                weight[r] = weights[start + r]
        for r in range(LANES):
            best[r] = HUGE
            second[r] = HUGE
            nearest[r] = 0
            origin[r] = farthest
        for t in range(d):
            for r in range(LANES):
                origin[r] += abs(block[t, r])
        for j in range(k):
            lane = reduced[j]
            for r in range(LANES):
                lane[r] = np.float32(0)
            for t in range(d):
                c = centers[j, t]
                for r in range(LANES):
                    lane[r] += abs(block[t, r] - c)
            price = prices[j]
            for r in range(LANES):
                a = lane[r] * weight[r] + price
                lane[r] = a
                b = best[r]
                second[r] = min(second[r], max(a, b))
                nearest[r] = j if a < b else nearest[r]
                best[r] = min(a, b)
        for r in range(m):
            j = nearest[r]
            labels[start + r] = j
            sizes[j] += 1
            b = best[r]
            total += b - prices[j]
            wrong = slack + rounding * (weight[r] * origin[r] + dearest)
            if second[r] - b < widest[j] + wrong:
                for other in range(k):
                    if other != j and reduced[other, r] - b < margins[j, other] + wrong:
                        doubtful[n_doubtful] = start + r
                        n_doubtful += 1
                        break
    return n_doubtful, total


@njit(nogil=True, cache=True)
def l1(rows: Any, weights: Any, ranks: Any, across: Any, out: Any) -> None:
    """Write out[i, j] = weight i · (|row i − column j of across|₁ + a tie-breaker), in float64.

    Distances are summed in column order. Tie-breakers, given with ranks, are small multiples of
    `TIE` that look random.
    """
    n, d = rows.shape
    k = across.shape[1]
    for i in range(n):
        lane = out[i]
        if len(ranks) > 0:
            rank = np.uint32(ranks[i])
            for j in range(k):
                h = (rank + np.uint32(j) * np.uint32(0x9E3779B1)) * np.uint32(0x85EBCA6B)
                h = (h ^ (h >> np.uint32(15))) * np.uint32(0xC2B2AE35)
                h = (h ^ (h >> np.uint32(13))) * np.uint32(0x27D4EB2F)
                lane[j] = np.float64(np.uint32(h) >> np.uint32(32 - TIE_BITS)) * TIE
        else:
            for j in range(k):
                lane[j] = 0.0
        for t in range(d):
            x = rows[i, t]
            for j in range(k):
                lane[j] += abs(x - across[t, j])
        if len(weights) > 0:
            w = weights[i]
            for j in range(k):
                lane[j] *= w


@njit(nogil=True, cache=True)
def settle(costs: Any, prices: Any, margins: Any, labels: Any, near: Any) -> Any:
    """Write each row's cheapest cluster; list the rows with a move that costs below its margin."""
    m, k = costs.shape
    n_near = 0
    for i in range(m):
        nearest = 0
        best = costs[i, 0] + prices[0]
        for j in range(1, k):
            value = costs[i, j] + prices[j]
            if value < best:
                best = value
                nearest = j
        labels[i] = nearest
        for j in range(k):
            if j != nearest and costs[i, j] + prices[j] - best < margins[nearest, j]:
                near[n_near] = i
                n_near += 1
                break
    return n_near


@njit(nogil=True, cache=True)
def order_counts(
    rows: Any,
    labels: Any,
    weights: Any,
    low: Any,
    high: Any,
    below: Any,
    upto: Any,
    under: Any,
    places: Any,
    cells: Any,
    values: Any,
) -> Any:
    """Add up, for each cluster and column, the weight below, up to and over a bracket's ends.

    below counts values < low, upto values <= low, under values <= high; values strictly between are
    listed by row (`places`) and cluster · n_features + column (`cells`), with the `values`. Returns
    how many are, or −1 if the lists are too short: then nothing else is to be used.
    """
    n, d = rows.shape
    k = low.shape[0]
    weighted = len(weights) > 0
    room = len(places) - d
    m = 0
    # Unsigned, or every access would ask whether it counts from the end.
    width = np.uint32(d)
    # Which of a row's values lie between, eight in a word: most words are 0.
    n_words = (d + 7) // 8
    between = np.zeros(8 * n_words, np.uint8)
    words = between.view(np.uint64)
    less = np.zeros((k, d), np.int32)
    most = np.zeros((k, d), np.int32)
    all_but = np.zeros((k, d), np.int32)
    for i in range(n):
        j = np.uint32(labels[i])
        if m > room:
            return -1
        if weighted:
            w = weights[i]
            for t in range(width):
                x = rows[i, t]
                below[j, t] += w * (x < low[j, t])
                upto[j, t] += w * (x <= low[j, t])
                under[j, t] += w * (x <= high[j, t])
        else:
            for t in range(width):
                x = rows[i, t]
                less[j, t] += x < low[j, t]
                most[j, t] += x <= low[j, t]
                all_but[j, t] += x <= high[j, t]
        for t in range(width):
            x = rows[i, t]
            between[t] = (x > low[j, t]) & (x < high[j, t])
        for q in range(n_words):
            word = words[q]
            at: Any = np.uint32(8 * q)
            while word:
                if word & np.uint64(255):
                    places[m] = i
                    cells[m] = j * width + at
                    values[m] = rows[i, at]
                    m += 1
                word >>= np.uint64(8)
                at += np.uint32(1)
    for cluster in range(k):
        for column in range(d):
            below[cluster, column] += less[cluster, column]
            upto[cluster, column] += most[cluster, column]
            under[cluster, column] += all_but[cluster, column]
    return m


@njit(nogil=True, cache=True)
def grouped(cells: Any, values: Any, starts: Any, out: Any) -> None:
    """Write values by cell, in float64, and where each cell's start; starts has one more entry."""
    n_cells = len(starts) - 1
    starts[:] = 0
    for c in cells:
        starts[c + 1] += 1
    for c in range(n_cells):
        starts[c + 1] += starts[c]
    at = starts[:-1].copy()
    for i in range(len(cells)):
        c = cells[i]
        out[at[c]] = values[i]
        at[c] += 1


@njit(nogil=True, cache=True)
def nth(values: Any, first: int, last: int, place: int) -> float:
    """Give what would be at a place if values[first:last] were sorted, and partition them there."""
    last -= 1
    while first < last:
        # The middle of three, so that sorted values are no worst case (Hoare, 1961).
        a, b, c = values[first], values[(first + last) // 2], values[last]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if place <= j:
            last = j
        elif place >= i:
            first = i
        else:
            break
    return float(values[place])


@njit(nogil=True, cache=True)
def middles(
    goals: Any, upto: Any, missed: Any, starts: Any, values: Any, low: Any, high: Any
) -> None:
    """Turn ends of brackets into lower and upper medians, by what lies strictly between them."""
    k, d = low.shape
    for j in range(k):
        for t in range(d):
            if missed[j, t]:
                continue
            rest = goals[j] - upto[j, t]
            if rest < 0:
                high[j, t] = low[j, t]
                continue
            first = starts[j * d + t]
            last = starts[j * d + t + 1]
            n = last - first
            lower = math.ceil(rest) - 1
            upper = math.floor(rest)
            above = high[j, t]
            if upper < n:
                high[j, t] = nth(values, first, last, first + upper)
            if rest > 0:
                low[j, t] = nth(values, first, last, first + lower) if lower < n else above


@njit(nogil=True, cache=True)
def value(rows: Any, weights: Any, across: Any, prices: Any, labels: Any) -> Any:
    """Sum up weighted distances to the own centre, and what each row could save at these prices."""
    n, d = rows.shape
    k = across.shape[1]
    lane = np.empty(k)
    primal = 0.0
    saving = 0.0
    for i in range(n):
        for j in range(k):
            lane[j] = 0.0
        for t in range(d):
            x = rows[i, t]
            for j in range(k):
                lane[j] += abs(x - across[t, j])
        w = weights[i] if len(weights) > 0 else 1.0
        own = labels[i]
        paid = w * lane[own]
        least = paid + prices[own]
        for j in range(k):
            least = min(least, w * lane[j] + prices[j])
        primal += paid
        saving += paid + prices[own] - least
    return primal, saving
