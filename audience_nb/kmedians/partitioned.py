"""Clusters of rows that are read block by block: the bounds hold over all of them.

The fit is made on a sample that is held in memory. Two passes over all rows then move each centre
to the exact median of the rows that the sample's prices give it, and one or two more assign every
row to the final centres at least cost, exactly (`assignment.Assignment`, whose passes over the
rows are made here block by block). What leaves a block is small: labels, counts, the rows near a
border. Nothing depends on how the rows are cut into blocks, on how many workers read them, or on
which of them die.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.kmedians.assignment import ROUNDING, Assignment, Passed
from audience_nb.kmedians.blocks import Blocks
from audience_nb.kmedians.certificate import Certificate
from audience_nb.kmedians.fitting import Formed, Plan, assign, form
from audience_nb.kmedians.medians import Medians, count, select
from audience_nb.kmedians.rows import Rows, Scale, canonical
from audience_nb.kmedians.threads import CHUNK, sizes_of

__all__ = ["assign_blocks", "form_blocks", "nearest_blocks"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int32]
Indices = npt.NDArray[np.int64]

# Up to so many rows they are all read into memory.
FEW = 50_000
# Rows held of more.
SAMPLE = 200_000
# Times that the centres are moved over all rows.
POLISHED = 2
# Half the width of a bracket in standard errors of a sample's median.
WIDTH = 3.0
# Rows per cluster and √n that the solver moves at most before another pass is worth its time.
ACCEPT = 2.0


class BlockRows(Rows):
    """Rows of which a sample is held.

    Parameters
    ----------
    blocks : Blocks
        All rows.
    places : ndarray of int64, shape (n_sampled,)
        Which are held, ascending.
    held : ndarray of float32 or float64, shape (n_sampled, n_features)
        They.
    scale : Scale
        What makes them canonical.
    """

    def __init__(self, blocks: Blocks, places: Indices, held: Any, scale: Scale) -> None:
        super().__init__(scale(held), held=held, scale=scale)
        self.blocks, self.places, self.scaling = blocks, places, scale
        self.n_records = sum(blocks.lengths)
        self.first = np.concatenate([[0], np.cumsum(blocks.lengths)]).astype(np.int64)

    def even_sample(self, size: int) -> Indices:
        """Give all rows that are held, whatever the size asked for."""
        return self.places

    def take(self, wanted: Indices) -> Floats:
        """Give some of the rows that are held."""
        return self.values[np.searchsorted(self.places, wanted)]

    def ranks(self, wanted: Indices) -> npt.NDArray[np.int32]:
        """Give the places of some rows."""
        return _ranks(wanted)


@dataclass(frozen=True)
class _Scan:
    """What a pass of the assignment does with a block."""

    scale: Scale
    first: Indices
    centers: Floats
    prices: Floats
    margins: Floats
    slack: float

    def __call__(self, number: int, rows: Any) -> tuple[Any, int, list[float], Passed]:
        from audience_nb.kmedians.kernels import HUGE, l1, settle

        k, first = len(self.prices), int(self.first[number])
        wide = np.minimum(self.margins, HUGE).astype(np.float32)
        np.fill_diagonal(wide, -1)
        labels, sizes, doubtful = _labelled(
            self.scale, rows, self.centers, self.prices, wide, self.slack
        )
        exact = np.empty((len(doubtful), k))
        places = doubtful + first
        across = np.ascontiguousarray(self.centers.T)
        l1(self.scale(rows[doubtful]), np.empty(0), _ranks(places), across, exact)
        settled = np.empty(len(doubtful), np.int32)
        near = np.empty(len(doubtful), np.int64)
        near = near[: settle(exact, self.prices, self.margins, settled, near)]
        sizes += np.bincount(settled, minlength=k)
        sizes -= np.bincount(labels[doubtful], minlength=k)
        labels[doubtful] = settled
        whole, large = _own(self.scale, rows, self.centers, labels)
        passed = Passed(sizes, 0.0, places[near], exact[near], settled[near])
        return labels.astype(np.min_scalar_type(k)), whole, large, passed


@dataclass(frozen=True)
class _Reach:
    """Lists the rows of one cluster in a block with a move that costs less than its limit."""

    scale: Scale
    first: Indices
    centers: Floats
    limits: Floats
    cluster: int
    members: Indices

    def __call__(self, number: int, rows: Any) -> tuple[Indices, Floats]:
        from audience_nb.kmedians.kernels import l1

        places = self.members + int(self.first[number])
        costs = np.empty((len(places), len(self.limits)))
        across = np.ascontiguousarray(self.centers.T)
        l1(self.scale(rows[self.members]), np.empty(0), _ranks(places), across, costs)
        gaps = costs - costs[:, self.cluster : self.cluster + 1]
        chosen = (gaps < self.limits).any(axis=1)
        return places[chosen], costs[chosen]


@dataclass(frozen=True)
class _Tally:
    """What a median needs of a block: counts at the ends of brackets, and what lies within."""

    scale: Scale
    centers: Floats
    prices: Floats
    low: Any
    high: Any
    slack: float

    def __call__(self, number: int, rows: Any) -> tuple[Any, Any, Any, Any]:
        k = len(self.centers)
        never = np.full((k, k), -np.float32(3e38))
        labels, sizes, _ = _labelled(self.scale, rows, self.centers, self.prices, never, self.slack)
        low, high = self.low.astype(rows.dtype), self.high.astype(rows.dtype)
        below, upto, under, _, cells, values = count(rows, labels, np.empty(0), low, high, 0)
        return sizes, np.stack([below, upto, under]), cells, values


class BlockAssignment(Assignment):
    """Exact assignment of rows that are read block by block.

    Parameters
    ----------
    rows : BlockRows
        All rows.
    smallest, largest, n_clusters : int
        As in `Assignment`.
    """

    accept = ACCEPT
    rows: BlockRows

    def __init__(self, rows: BlockRows, smallest: int, largest: int, n_clusters: int) -> None:
        super().__init__(rows, smallest, largest, n_clusters, compiled=True)
        self.costs = 0.0

    def polished(self, centers: Floats, prices: Floats) -> tuple[Floats, Floats]:
        """Move centres to the medians of the rows that prices found on the sample give them.

        Parameters
        ----------
        centers : ndarray of float64, shape (n_clusters, n_features)
            Canonical.
        prices : ndarray of float64, shape (n_clusters,)
            Those of similar centres.

        Returns
        -------
        low, high : ndarray of float64, shape (n_clusters, n_features)
            Lower and upper medians in the caller's units.
        """
        rows, k = self.rows, self.n_clusters
        costs = rows.costs(centers, rows.places)
        prices = self._sample_prices(costs, prices)
        mine = (costs + prices).argmin(axis=1).astype(np.int32)
        least = np.bincount(mine, minlength=k).min()
        width = min(0.5, WIDTH * 0.5 / math.sqrt(max(1, least)))
        statistics = Medians(rows.held, compiled=True)
        low = statistics(mine, k, 0.5 - width)[0] if least else np.full(centers.shape, -np.inf)
        high = statistics(mine, k, 0.5 + width)[1] if least else np.full(centers.shape, np.inf)
        work = _Tally(rows.scaling, centers, prices, low, high, self._slack)
        low, high, missed, sizes = self._selected(work)
        if missed.any():
            # Every value of what was missed, and nothing of the rest.
            again = replace(
                work, low=np.where(missed, -np.inf, low), high=np.where(missed, np.inf, low)
            )
            found_low, found_high, _, _ = self._selected(again)
            low, high = np.where(missed, found_low, low), np.where(missed, found_high, high)
        self._bias = np.bincount(mine, minlength=k) - sizes * (len(mine) / rows.n_records)
        return low, high

    def _selected(self, work: _Tally) -> tuple[Floats, Floats, npt.NDArray[np.bool_], Indices]:
        self.n_passes += 1
        found = list(self.rows.blocks.map(work))
        sizes = np.sum([f[0] for f in found], axis=0)
        counts = np.sum([f[1] for f in found], axis=0)
        cells = np.concatenate([f[2] for f in found])
        values = np.concatenate([f[3] for f in found])
        low, high, missed = select(0.5 * sizes, work.low, work.high, counts, cells, values)
        return low, high, missed, sizes

    def _pass(self, centers: Floats, prices: Floats, margins: Floats, labels: Labels) -> Passed:
        self.n_passes += 1
        rows, k = self.rows, self.n_clusters
        work = _Scan(rows.scaling, rows.first, centers, prices, margins, self._slack)
        sizes, whole, large = np.zeros(k, np.int64), 0, []
        parts: list[Passed] = []
        for number, (mine, part, more, passed) in enumerate(rows.blocks.map(work)):
            first = rows.first[number]
            labels[first : first + len(mine)] = mine
            sizes += passed.sizes
            whole += part
            large += more
            parts.append(passed)
        return Passed(
            sizes,
            _total(whole, large),
            np.concatenate([p.near for p in parts]),
            np.concatenate([p.costs for p in parts]),
            np.concatenate([p.moving for p in parts]),
        )

    def _nearest(
        self, centers: Floats, labels: Labels, j: int, limits: Floats
    ) -> tuple[Indices, Floats]:
        rows = self.rows
        limits = limits.copy()
        limits[j] = -math.inf
        works = [
            _Reach(
                rows.scaling,
                rows.first,
                centers,
                limits,
                j,
                (labels[rows.first[i] : rows.first[i + 1]] == j).nonzero()[0],
            )
            for i in range(len(rows.blocks.lengths))
        ]
        found = list(rows.blocks.map(works))
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


@dataclass(frozen=True)
class _Pick:
    """Takes rows from a block."""

    places: Indices

    def __call__(self, number: int, rows: Any) -> Any:
        return rows[self.places]


def form_blocks(blocks: Blocks, plan: Plan) -> Formed:
    """Form clusters of allowed sizes of rows that are read block by block.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    plan : Plan
        What to form.

    Returns
    -------
    Formed
        Up to 50,000 rows as `fitting.form` gives it. Beyond, the cost is exact to 2⁻³⁰ of a
        typical deviation a row, and the certificate's bound rests on what the last pass has shown
        of each row: that no move of it is worth its price.

    Raises
    ------
    audience_nb.errors.Infeasible
        If no assignment meets the bounds.
    """
    n, tell = sum(blocks.lengths), plan.tell
    tell("reading a sample", 0.0)
    places, held = _sampled(blocks, plan.seed)
    size = len(held)
    if size == n:
        return form(held, None, plan)

    def told(stage: str, fraction: float) -> None:
        tell(stage if fraction < 1 else "settling all records", 0.3 * fraction)

    # The sample's clusters may be a little larger or smaller than all rows' may be.
    part = replace(
        plan,
        smallest=plan.smallest * size // n,
        largest=-(-plan.largest * size // n),
        tell=told,
    )
    begun = form(held, None, part)
    _, scale, _ = canonical(held, plan.seed, None, plan.n_threads)
    rows = BlockRows(blocks, places, held, scale)
    task = BlockAssignment(rows, plan.smallest, plan.largest, begun.n_clusters)
    centers, prices = begun.centers, begun.certificate.prices / scale.unit
    for turn in range(POLISHED):
        tell("settling all records", 0.4 + 0.2 * turn)
        low, high = task.polished(scale(centers), prices)
        centers = np.where(low == high, low, low * 0.5 + high * 0.5)
    tell("assigning all records", 0.8)
    found = task(scale(centers), prices)
    sizes = sizes_of(found.labels, len(centers))
    cost = found.cost * scale.unit
    # The solver ended optimal: prices make up for what the bounds cost, row by row.
    at = np.where(found.prices > 0, plan.largest, plan.smallest)
    slack = abs(float((found.prices * (at - sizes)).sum())) * scale.unit
    proof = Certificate(
        cost=cost,
        bound=cost - slack,
        gap=slack / cost if cost > 0 else 0.0,
        prices=found.prices * scale.unit,
        sizes=sizes,
        smallest=plan.smallest,
        largest=plan.largest,
    )
    k_curve = {
        name: [c * n / size for c in column] if name == "cost" else column
        for name, column in begun.k_curve.items()
    }
    tell("done", 1.0)
    return Formed(found.labels, centers, proof, [cost], k_curve)


def assign_blocks(
    blocks: Blocks, centers: Floats, smallest: int, largest: int, n_threads: int | None = None
) -> Labels:
    """Assign rows that are read block by block to given centres, at least cost within the bounds.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    centers : ndarray of float64, shape (n_clusters, n_features)
        In their units.
    smallest, largest : int
        Sizes allowed, both inclusive; some assignment must meet them.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    ndarray of int32, shape (n_records,)
    """
    places, held = _sampled(blocks, 0)
    if len(held) == sum(blocks.lengths):
        return assign(held, None, centers, smallest, largest, n_threads)[0]
    _, scale, _ = canonical(held, 0, None, n_threads)
    rows = BlockRows(blocks, places, held, scale)
    return BlockAssignment(rows, smallest, largest, len(centers))(scale(centers)).labels


def nearest_blocks(blocks: Blocks, centers: Floats) -> Labels:
    """Give the nearest centre of rows that are read block by block.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    centers : ndarray of float64, shape (n_clusters, n_features)
        In their units.

    Returns
    -------
    ndarray of int32, shape (n_records,)
    """
    parts = blocks.map(_Nearest(centers))
    return np.concatenate([np.empty(0, np.int32), *parts])


@dataclass(frozen=True)
class _Nearest:
    """Gives the nearest centre of each row of a block."""

    centers: Floats

    def __call__(self, number: int, rows: Any) -> Labels:
        from scipy.spatial.distance import cdist

        labels = np.empty(len(rows), np.int32)
        for a in range(0, len(rows), CHUNK):
            some = slice(a, a + CHUNK)
            labels[some] = cdist(rows[some], self.centers, "cityblock").argmin(axis=1)
        return labels


def _sampled(blocks: Blocks, seed: int) -> tuple[Indices, Any]:
    """Read all of few rows, and a sample of many; give where they stand, too."""
    n = sum(blocks.lengths)
    size = n if n <= FEW else min(n, SAMPLE)
    rng = np.random.default_rng(seed)
    places = np.arange(n) if size == n else np.sort(rng.choice(n, size, replace=False))
    first = np.concatenate([[0], np.cumsum(blocks.lengths)])
    edges = np.searchsorted(places, first)
    mine = [places[a:b] - f for a, b, f in zip(edges, edges[1:], first, strict=False)]
    return places, np.concatenate(list(blocks.map([_Pick(picked) for picked in mine])))


def _labelled(
    scale: Scale, rows: Any, centers: Floats, prices: Floats, margins: Any, slack: float
) -> tuple[Labels, Indices, Indices]:
    """Label a block in float32; give the sizes and the rows in doubt."""
    from audience_nb.kmedians.kernels import scan
    from audience_nb.kmedians.sums import narrowed

    n, d = rows.shape
    narrow = np.empty((n, d), np.float32)
    narrowed(rows, math.ldexp(1.0, -scale.power), scale.middle, scale.typical, narrow)
    labels, sizes = np.empty(n, np.int32), np.zeros(len(prices), np.int64)
    doubtful = np.empty(n, np.int64)
    m, _ = scan(
        narrow,
        np.empty(0, np.float32),
        centers.astype(np.float32),
        prices.astype(np.float32),
        margins,
        np.float32(ROUNDING * (d + 4)),
        np.float32(slack),
        labels,
        sizes,
        doubtful,
    )
    return labels, sizes, doubtful[:m]


def _own(scale: Scale, rows: Any, centers: Floats, labels: Labels) -> tuple[int, list[float]]:
    from audience_nb.kmedians.sums import own_costs

    large = np.empty(len(rows))
    factor = math.ldexp(1.0, -scale.power)
    whole, m = own_costs(rows, factor, scale.middle, scale.typical, centers, labels, large)
    return int(whole), large[:m].tolist()


def _total(whole: int, large: list[float]) -> float:
    """Add up in a way that does not depend on the order."""
    from audience_nb.kmedians.sums import UNIT

    return math.fsum([whole * UNIT, *large])


def _ranks(places: Indices) -> npt.NDArray[np.int32]:
    return places.astype(np.uint32).view(np.int32)
