"""The cheapest assignment of rows to clusters of allowed sizes, for given centres.

A transportation problem with k sinks. Its dual has one price a cluster: at the optimum each row is
in the cluster where distance plus price is least, a cluster with a positive price is full and one
with a negative price is at its smallest. Few rows lie near the border between two clusters once
the prices are nearly right, so the prices are found on a sample, one pass labels all rows, and only
the rows near a border go into an exact solver (`flow.transfer`).

Few rows all go into the solver, which then needs no compiled code (`transport.transfer`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from audience_nb.errors import Infeasible
from audience_nb.kmedians import transport
from audience_nb.kmedians.rows import DIGITS, SMALL, Rows
from audience_nb.kmedians.threads import CHUNK, in_chunks

__all__ = ["Assignment", "Fitted", "Passed"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int64]

# Largest sample on which prices are found.
SAMPLE, LEAST_SAMPLE = 32_768, 2048
# Candidates at least, of all clusters together.
LEAST_NEAR = 2000
# Relative error of one float32 operation, doubled.
ROUNDING = 1.2e-7
# Distances on the grid are wrong by so much in each column, with what breaks their ties.
GRID_ERROR = 2.0**-DIGITS


@dataclass(frozen=True)
class Fitted:
    """Labels of all rows, the prices that prove them, and what they cost.

    Parameters
    ----------
    labels : ndarray of int32, shape (n_records,)
        No other assignment with allowed sizes has a smaller sum of distances.
    prices : ndarray of float64, shape (n_clusters,)
        What one more place in each cluster would save.
    cost : float
        Sum of weighted distances; of many rows to float32.
    """

    labels: Labels
    prices: Floats
    cost: float


@dataclass(frozen=True)
class Passed:
    """What one pass over the rows has found.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_clusters,)
        Rows labelled so.
    cost : float
        Sum of their distances.
    near : ndarray of int64, shape (n_near,)
        Rows near a border, in canonical order.
    costs : ndarray of float64, shape (n_near, n_clusters)
        Their distances, exactly.
    moving : ndarray of int32, shape (n_near,)
        Their labels.
    """

    sizes: Sizes
    cost: float
    near: npt.NDArray[np.int64]
    costs: Floats
    moving: Labels


class Assignment:
    """Exact assignment of the same rows to changing centres.

    Prices, and how far they were off, are carried from one call to the next.

    Parameters
    ----------
    rows : Rows
        What to assign.
    smallest, largest : int
        Sizes allowed, both inclusive.
    n_clusters : int
        Clusters; together they can hold the rows.
    compiled : bool, optional
        Whether few rows are assigned by compiled code too: quicker once it is compiled, the same
        answer to the last bit.

    Examples
    --------
    >>> import numpy as np
    >>> from audience_nb.kmedians.rows import Rows
    >>> rows, centers = Rows(np.array([[0.0], [1.0], [2.0], [9.0]])), np.array([[0.0], [9.0]])
    >>> found = Assignment(rows, 2, 2, 2)(centers)
    >>> found.labels.tolist(), float(found.prices[0] - found.prices[1]), found.cost
    ([0, 0, 1, 1], 5.0, 8.0)
    """

    # Rows that the solver may have to move before another pass is made, for each cluster and √n.
    accept = 0.2

    def __init__(
        self, rows: Rows, smallest: int, largest: int, n_clusters: int, compiled: bool = False
    ) -> None:
        n = len(rows)
        self.rows = rows
        self.n_clusters = n_clusters
        self.smallest = np.full(n_clusters, smallest, np.int64)
        self.largest = np.full(n_clusters, largest, np.int64)
        self.n_augmentations = self.n_passes = 0
        self._many = n > SMALL
        self._compiled = compiled or self._many
        if self._many:
            self._sample = rows.even_sample(min(n, SAMPLE, max(LEAST_SAMPLE, n // 8)))
        # What the grid and the breaking of ties make distances differ by at most.
        self._slack = 2 * GRID_ERROR * (rows.n_features + 2)
        if rows.weights is not None:
            self._slack *= max(1.0, float(rows.weights.max()))
        self._bias: Floats = np.zeros(n_clusters)
        self._drift: Floats | None = None
        self._expected = int(0.25 * n_clusters * math.sqrt(n))

    def __call__(self, centers: Floats, prices: Floats | None = None) -> Fitted:
        """Assign all rows.

        Parameters
        ----------
        centers : ndarray of float64, shape (n_clusters, n_features)
            Centres.
        prices : ndarray of float64, shape (n_clusters,), optional
            Those of similar centres.

        Returns
        -------
        Fitted

        Raises
        ------
        Infeasible
            If the clusters cannot hold the rows.
        """
        if self._many:
            return self._assign_many(centers, prices)
        costs = self.rows.costs(centers)
        prices = self._better_prices(costs, prices)
        labels, prices = self._solve(costs, self.smallest, self.largest, prices)
        cost = math.fsum(np.take_along_axis(costs, labels[:, None], axis=1)[:, 0].tolist())
        return Fitted(labels, prices, cost)

    def roughly(
        self, centers: Floats, prices: Floats | None = None
    ) -> tuple[Labels, Floats, float]:
        """Assign few rows by prices that are right for every eighth: sizes are about right.

        Parameters
        ----------
        centers, prices
            As for a call.

        Returns
        -------
        labels : ndarray of int32, shape (n_records,)
        prices : ndarray of float64, shape (n_clusters,)
        bound : float
            Less than which no exact assignment costs.
        """
        costs = self.rows.costs(centers)
        prices = np.zeros(self.n_clusters) if prices is None else prices
        part = np.ascontiguousarray(costs[::8])
        m, n = len(part), len(self.rows)
        if m < 4 * self.n_clusters:
            labels, prices = self._solve(costs, self.smallest, self.largest, prices)
        else:
            low, high = self.smallest * m // n, -(-self.largest * m // n)
            prices = self._solve(part, low, high, prices)[1]
            labels = (costs + prices).argmin(axis=1).astype(np.int32)
        places = np.where(prices > 0, self.largest, self.smallest)
        paid = (costs + prices)[np.arange(n), labels].sum()
        return labels, prices, float(paid - (prices * places).sum())

    def _better_prices(self, costs: Floats, given: Floats | None) -> Floats:
        """Guess prices from every eighth row, unless those given are better than a guess."""
        k = self.n_clusters
        prices = np.zeros(k) if given is None else given
        part = np.ascontiguousarray(costs[::8])
        m, n = len(part), len(self.rows)
        if m < 4 * k:
            return prices
        if given is not None and len(costs) == n:
            sizes = np.bincount((costs + prices).argmin(axis=1), minlength=k)
            if self._violation(sizes, prices) < 0.2 * k * math.sqrt(n):
                return prices
        low = self.smallest * m // n
        high = -(-self.largest * m // n)
        return self._solve(part, low, high, self._better_prices(part, given))[1]

    def _solve(
        self, costs: Floats, smallest: Sizes, largest: Sizes, prices: Floats
    ) -> tuple[Labels, Floats]:
        """Assign with every row a candidate."""
        k = self.n_clusters
        labels = (costs + prices).argmin(axis=1).astype(np.int32)
        if self._compiled:
            from audience_nb.kmedians.flow import transfer

            fixed, certain = np.zeros(k, np.int64), np.full((k, k), np.inf)
            prices, ended, n = transfer(
                costs, labels, fixed, smallest, largest, prices, certain, np.zeros((k, k), np.bool_)
            )
        else:
            prices, ended, n = transport.transfer(costs, labels, smallest, largest, prices)
        self.n_augmentations += n
        if ended != transport.OPTIMAL:
            raise Infeasible(
                f"{k} clusters of {smallest.min()} to {largest.max()} cannot hold "
                f"{len(costs):,} rows.",
                "Change the sizes.",
            )
        return labels, prices

    def _sample_prices(self, costs: Floats, prices: Floats) -> Floats:
        """Find prices on the sample, its capacities scaled and corrected for its bias."""
        from audience_nb.kmedians.flow import best_two, transfer

        m, n, k = len(self._sample), len(self.rows), self.n_clusters
        largest = np.maximum(np.round(self.largest * (m / n) + self._bias), 0).astype(np.int64)
        smallest = np.round(self.smallest * (m / n) + self._bias).astype(np.int64)
        smallest = np.minimum(np.maximum(smallest, 0), largest)
        while largest.sum() < m:
            largest += 1
        while smallest.sum() > m:
            smallest = np.maximum(smallest - 1, 0)
        labels, lead = np.empty(m, np.int32), np.empty(m)
        widening = 1.0
        while True:
            best_two(costs, prices, labels, lead)
            sizes = np.bincount(labels, minlength=k)
            violation = self._violation(sizes, prices, smallest, largest)
            if not violation:
                return prices
            wanted = int((LEAST_NEAR // 8 + 6 * violation) * widening)
            if wanted >= m // 2:
                return self._solve(costs, smallest, largest, prices)[1]
            margin = float(np.partition(lead, wanted)[wanted])
            near = (lead <= margin).nonzero()[0]
            if len(near) >= m // 2:
                return self._solve(costs, smallest, largest, prices)[1]
            moving = labels[near]
            fixed = sizes - np.bincount(moving, minlength=k)
            certain = margin + prices[:, None] - prices[None, :]
            stuck = np.zeros((k, k), np.bool_)
            prices, ended, steps = transfer(
                costs[near], moving, fixed, smallest, largest, prices, certain, stuck
            )
            self.n_augmentations += steps
            if ended == transport.OPTIMAL:
                return prices
            widening *= 4

    def _assign_many(self, centers: Floats, given: Floats | None) -> Fitted:
        from audience_nb.kmedians.flow import best_two

        n, k = len(self.rows), self.n_clusters
        m = len(self._sample)
        labels = np.empty(n, np.int32)
        if self.smallest[0] <= 1 and self.largest[0] >= n:
            # Without a size rule the nearest centres do, unless a cluster is left empty.
            free = self._pass(centers, np.zeros(k), np.zeros((k, k)), labels)
            if free.sizes.min() >= self.smallest[0]:
                return Fitted(labels, np.zeros(k), free.cost)
        costs = self.rows.costs(centers, self._sample)
        if given is None:
            given = self._better_prices(costs, None)
        prices = self._sample_prices(costs, given)
        drift = prices - given if self._drift is None else self._drift
        acceptable = 64 + int(self.accept * k * math.sqrt(n))
        expected, last = self._expected, math.inf
        predicted = prices
        sample_labels = np.empty(m, np.int32)
        lead = np.empty(m)
        while True:
            best_two(costs, prices, sample_labels, lead)
            place = min(int((LEAST_NEAR + 8 * expected) * m / n) + 1, m - 1)
            margins = float(np.partition(lead, place)[place]) + 2.5 * np.abs(
                drift[:, None] - drift[None, :]
            )
            each = LEAST_NEAR // 32 + 4 * expected // k
            margins = np.minimum(margins, self._margins(costs, prices, sample_labels, each * m / n))
            seen = self._pass(centers, prices, margins, labels)
            violation = self._violation(seen.sizes, prices)
            if violation <= acceptable or violation >= 0.5 * last:
                break
            # The sample misjudged the sizes: correct it by what the pass has counted.
            last, expected = violation, violation // 4
            self._bias = np.bincount(sample_labels, minlength=k) - seen.sizes * (m / n)
            before = prices
            prices = predicted = self._sample_prices(costs, before)
            drift = prices - before
        certain = margins + prices[:, None] - prices[None, :]
        prices, cost = self._transfer(centers, prices, certain, labels, seen, costs)
        self._drift = prices - predicted
        self._expected = max(violation, self._expected // 2)
        ours = np.bincount(labels[self._sample], minlength=k)
        self._bias = ours - np.bincount(labels, minlength=k) * (m / n)
        return Fitted(labels, prices, cost)

    def _transfer(
        self,
        centers: Floats,
        prices: Floats,
        certain: Floats,
        labels: Labels,
        seen: Passed,
        sampled: Floats,
    ) -> tuple[Floats, float]:
        """Move rows near a border until the sizes are allowed; fetch more where they run out.

        `sampled` are the costs of the sample, which tells how far to reach for so many.
        """
        from audience_nb.kmedians.flow import transfer

        k = self.n_clusters
        near, costs, moving = seen.near, seen.costs, seen.moving
        fixed = seen.sizes - np.bincount(moving, minlength=k)
        before = np.take_along_axis(costs, moving[:, None], axis=1).sum()
        wanted = np.full(k, LEAST_NEAR // 8 + 2 * self._expected // k)
        # Not candidates for a second time.
        labels[near] = -1
        while True:
            stuck = np.zeros((k, k), np.bool_)
            prices, ended, steps = transfer(
                costs, moving, fixed, self.smallest, self.largest, prices, certain, stuck
            )
            self.n_augmentations += steps
            if ended == transport.OPTIMAL:
                labels[near] = moving
                after = np.take_along_axis(costs, moving[:, None], axis=1).sum()
                return prices, seen.cost + float(after - before)
            if ended == transport.INFEASIBLE:
                n = len(self.rows)
                raise Infeasible(f"{k} clusters cannot hold {n:,} rows.", "Change the sizes.")
            for j in np.flatnonzero(stuck.any(axis=1)).tolist():
                own = sampled[labels[self._sample] == j]
                place = math.ceil(wanted[j] * len(self._sample) / len(self.rows)) + 2
                wanted[j] *= 4
                certain[j] = math.inf
                if place < len(own):
                    gaps = (own - own[:, j : j + 1]).T.copy()
                    gaps.partition(place, axis=1)
                    certain[j] = gaps[:, place]
                more, their_costs = self._nearest(centers, labels, j, certain[j])
                labels[more] = -1
                near = np.concatenate([near, more])
                costs = np.concatenate([costs, their_costs])
                moving = np.concatenate([moving, np.full(len(more), j, np.int32)])
                fixed[j] -= len(more)
                before += their_costs[:, j].sum()

    def _nearest(
        self, centers: Floats, labels: Labels, j: int, limits: Floats
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Give the rows of a cluster that have a move which costs less than its limit."""
        rows, k = self.rows, self.n_clusters
        members = (labels == j).nonzero()[0]
        limits = limits.copy()
        limits[j] = -math.inf
        # Such a row is nearer to another centre once that is as much cheaper.
        prices = np.where(np.arange(k) == j, 0.0, -limits)

        def part(a: int, b: int) -> npt.NDArray[np.int64]:
            some = members[a:b]
            nearest = np.empty(b - a, np.int32)
            narrow, weights = rows.narrow_of(some), rows.weights_of(some)
            _, doubtful, _ = self._scan(narrow, weights, centers, prices, np.zeros((k, k)), nearest)
            chosen = nearest != j
            chosen[doubtful] = True
            found: npt.NDArray[np.int64] = some[chosen]
            return found

        parts = in_chunks(part, len(members), CHUNK, rows.n_threads)
        found = np.concatenate([np.empty(0, np.int64), *parts])
        found = found[np.argsort(rows.ranks(found), kind="stable")]
        costs = rows.costs(centers, found)
        chosen = (costs - costs[:, j : j + 1] < limits).any(axis=1)
        return found[chosen], costs[chosen]

    def _margins(self, costs: Floats, prices: Floats, labels: Labels, wanted: float) -> Floats:
        """Say up to which reduced cost each move has so many candidates in the sample."""
        k = self.n_clusters
        reduced = costs + prices
        margins = np.full((k, k), np.inf)
        order = np.argsort(labels, kind="stable")
        edges = np.searchsorted(labels[order], np.arange(k + 1))
        place = math.ceil(wanted) + 2
        for j in range(k):
            if edges[j + 1] - edges[j] > place:
                block = reduced[order[edges[j] : edges[j + 1]]].T.copy()
                block -= block[j].copy()
                block.partition(place, axis=1)
                margins[j] = block[:, place]
        return margins

    def _pass(self, centers: Floats, prices: Floats, margins: Floats, labels: Labels) -> Passed:
        """Label all rows; give the sizes, the cost and the rows near a border.

        In float32, then exactly where that leaves a doubt.
        """
        from audience_nb.kmedians.kernels import settle

        self.n_passes += 1
        rows, k = self.rows, self.n_clusters

        def part(a: int, b: int) -> Passed:
            some = labels[a:b]
            weights = np.empty(0) if rows.weights is None else rows.weights[a:b]
            sizes, doubtful, total = self._scan(
                rows.narrow(a, b), weights, centers, prices, margins, some
            )
            m = len(doubtful)
            exact = rows.run_costs(centers, doubtful + a)
            settled, near = np.empty(m, np.int32), np.empty(m, np.int64)
            near = near[: settle(exact, prices, margins, settled, near)]
            before = some[doubtful]
            sizes += np.bincount(settled, minlength=k) - np.bincount(before, minlength=k)
            place = np.arange(m)
            total += float((exact[place, settled] - exact[place, before]).sum())
            some[doubtful] = settled
            return Passed(sizes, total, doubtful[near] + a, exact[near], settled[near])

        parts = in_chunks(part, len(rows), CHUNK, rows.n_threads)
        near = np.concatenate([p.near for p in parts])
        # The solver takes tied rows in their order, which must not be the caller's.
        order = np.argsort(rows.ranks(near), kind="stable")
        return Passed(
            np.sum([p.sizes for p in parts], axis=0),
            math.fsum(p.cost for p in parts),
            near[order],
            np.concatenate([p.costs for p in parts])[order],
            np.concatenate([p.moving for p in parts])[order],
        )

    def _scan(
        self,
        narrow: npt.NDArray[np.float32],
        weights: Floats,
        centers: Floats,
        prices: Floats,
        margins: Floats,
        labels: Labels,
    ) -> tuple[Sizes, npt.NDArray[np.int64], float]:
        """Label a run of rows in float32; give the sizes, the rows in doubt and the cost."""
        from audience_nb.kmedians.kernels import HUGE, scan

        k = len(prices)
        wide = np.minimum(margins, HUGE).astype(np.float32)
        np.fill_diagonal(wide, -1)
        sizes, doubtful = np.zeros(k, np.int64), np.empty(len(narrow), np.int64)
        n, total = scan(
            narrow,
            weights.astype(np.float32),
            centers.astype(np.float32),
            np.maximum(prices, -HUGE).astype(np.float32),
            wide,
            np.float32(ROUNDING * (narrow.shape[1] + 4)),
            np.float32(self._slack),
            labels,
            sizes,
            doubtful,
        )
        return sizes, doubtful[:n], total

    def _violation(
        self,
        sizes: Sizes,
        prices: Floats,
        smallest: Sizes | None = None,
        largest: Sizes | None = None,
    ) -> int:
        """Count the rows that must move."""
        low = self.smallest if smallest is None else smallest
        high = self.largest if largest is None else largest
        wanted = np.where(prices > 0, high, np.where(prices < 0, low, np.clip(sizes, low, high)))
        excess = sizes - wanted
        return int(np.maximum(excess, 0).sum() + max(-int(excess.sum()), 0))
