"""Nearest meanings among very many: cells of like vectors, of which the nearest are searched."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.postinglists import best_rows
from audience_nb.search.vectors import (
    Engine,
    Found,
    InvertedFile,
    VectorStore,
    clusters,
    unit_rows,
)

__all__ = ["CELLS_FROM", "CellStore", "build_cells"]

FloatArray: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.bool_]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

# From so many vectors on a look at all of them takes too long.
CELLS_FROM = 250_000
_PER_CELL = 500
_MOST_CELLS = 2048
# Vectors from which a cell's middle is learnt.
_LEARNT_FROM = 40
# So many cells are searched that of the nearest 20 at least this share is found.
_RECALL, _DEPTH, _TRIALS = 0.985, 20, 200
_MIXED = 8
_AT_ONCE = 8192
# Rows that pass a filter: up to so many are all compared, among more than these so many times
# the cells are searched.
_FEW, _WIDER = 50_000, 2


def build_cells(
    vectors: npt.NDArray[np.int8], *, engine: Engine = "auto", random_state: int = 0
) -> Arrays:
    """Sort vectors into cells and measure how many must be searched.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), int8
        Directions; may be memory-mapped, and is read in parts.
    engine : {"auto", "faiss", "numpy"}, optional
        What learns the cells.
    random_state : int, optional
        Seed of what is drawn.

    Returns
    -------
    dict of str to ndarray
        "middles" (n_cells, n_dimensions), "starts" (n_cells + 1,), "order" (n_vectors,): row of
        each place, cell by cell; "probes" (1,) and "recall" (1,): cells to be searched, and the
        share of the nearest 20 that was found in 200 trials between the catalogue's own vectors.
    """
    n = len(vectors)
    rng = np.random.default_rng(random_state)
    n_cells = int(np.clip(n // _PER_CELL, 1, _MOST_CELLS))
    sample = np.sort(rng.choice(n, min(n, _LEARNT_FROM * n_cells), replace=False))
    learnt_from = unit_rows(vectors[sample].astype(np.float32))
    middles = clusters(learnt_from, n_cells, engine=engine, random_state=random_state)
    cell_of = np.empty(n, np.int32)
    for first in range(0, n, _AT_ONCE):
        part = vectors[first : first + _AT_ONCE].astype(np.float32)
        cell_of[first : first + len(part)] = (part @ middles.T).argmax(1)
    order = np.argsort(cell_of, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(cell_of, minlength=n_cells))])
    mixed = _trials(vectors, rng)
    probes, recall = _needed_probes(vectors, mixed, middles, cell_of)
    return {
        "middles": middles,
        "starts": starts.astype(np.int64),
        "order": order,
        "probes": np.array([probes], np.int32),
        "recall": np.array([recall], np.float32),
    }


def _trials(vectors: npt.NDArray[np.int8], rng: np.random.Generator) -> FloatArray:
    """Make up queries: some beside a variable, some among several.

    Of the mixtures that were tried these two need as many cells as questions in words do.
    """
    rows = rng.integers(0, len(vectors), (_MIXED, _TRIALS))
    weights = np.ones((_MIXED, _TRIALS, 1), np.float32)
    weights[1, ::2], weights[2:, ::2] = 0.5, 0.0
    drawn = unit_rows(vectors[rows.ravel()].astype(np.float32)).reshape(_MIXED, _TRIALS, -1)
    return unit_rows((weights * drawn).sum(axis=0))


def _needed_probes(
    vectors: npt.NDArray[np.int8],
    queries: FloatArray,
    middles: FloatArray,
    cell_of: npt.NDArray[np.int32],
) -> tuple[int, float]:
    """Find out among how many cells enough of the nearest lie."""
    depth = min(_DEPTH, len(vectors))
    best = np.full((len(queries), depth), -np.inf, np.float32)
    rows = np.zeros((len(queries), depth), np.int64)
    for first in range(0, len(vectors), _AT_ONCE):
        part = unit_rows(vectors[first : first + _AT_ONCE].astype(np.float32))
        scores = np.hstack([best, queries @ part.T])
        numbers = np.hstack(
            [rows, np.broadcast_to(np.arange(first, first + len(part)), (len(rows), len(part)))]
        )
        top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
        best = np.take_along_axis(scores, top, 1)
        rows = np.take_along_axis(numbers, top, 1)
    # At which place, by nearness of its middle, the cell of each true neighbour comes.
    rank = np.argsort(np.argsort(-(queries @ middles.T), axis=1), axis=1)
    places = np.sort(np.take_along_axis(rank, cell_of[rows], 1).ravel())
    enough = int(np.ceil(_RECALL * len(places))) - 1
    probes = int(places[enough]) + 1
    return probes, float(np.mean(places < probes))


class CellStore(VectorStore):
    """Directions sorted into cells; only the cells nearest to a query are searched.

    An inverted file (Jégou, Douze & Schmid 2011, "Product quantization for nearest neighbor
    search") over 8-bit vectors, whose scores are exact.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), int8
        Cell by cell.
    cells : mapping of str to ndarray
        As `build_cells` gives them.
    engine : {"auto", "faiss", "numpy"}, optional
        As for `VectorStore`; what searches a cell is the same.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.int8],
        cells: Mapping[str, npt.NDArray[Any]],
        *,
        engine: Engine = "auto",
    ) -> None:
        super().__init__(vectors, engine=engine)
        self._integers = vectors
        self._middles, self._starts, self._order = (
            cells["middles"],
            cells["starts"],
            cells["order"],
        )
        self._probes, self._recall = int(cells["probes"][0]), float(cells["recall"][0])
        self._place = np.empty(len(vectors), np.int32)
        self._place[self._order] = np.arange(len(vectors), dtype=np.int32)

    @property
    def description(self) -> str:
        """How the nearest are found."""
        return (
            f"IVF by {self.engine}, {self._probes} of {len(self._middles):,} cells searched, "
            f"recall@20 {self._recall:.3f}".replace("0.", ".")
        )

    @cached_property
    def _inverted_file(self) -> InvertedFile:
        return InvertedFile(self._integers, self._middles, self._starts, self._order)

    def _candidates(
        self, queries: FloatArray, n: int, allowed: Mask | None = None, wider: int = 1
    ) -> list[Found]:
        # Rounded products order almost as cosines do: of twice as many the exact score decides.
        probes = wider * self._probes
        if self.engine == "faiss":
            near = self._inverted_file.search(queries, 2 * n, probes, allowed)
        else:
            near = [self._scanned(query, 2 * n, probes, allowed) for query in queries]
        return [(rows, self.scores(q, rows)) for q, rows in zip(queries, near, strict=True)]

    def _scanned(
        self, query: FloatArray, n: int, probes: int, allowed: Mask | None
    ) -> npt.NDArray[np.int64]:
        """Look through the cells nearest to a query."""
        rows, products = [], []
        for cell in best_rows(self._middles @ query, probes).tolist():
            span = slice(int(self._starts[cell]), int(self._starts[cell + 1]))
            rows.append(self._order[span])
            products.append(self.vectors[span].astype(np.float32) @ query)
        listed, scores = np.concatenate(rows), np.concatenate(products)
        if allowed is not None:
            passing = allowed[listed]
            listed, scores = listed[passing], scores[passing]
        return listed[best_rows(scores, n)].astype(np.int64)

    def _of(self, allowed: Mask, queries: FloatArray, n: int) -> list[Found]:
        # Few rows are looked at one by one; of many there are some in the nearest cells.
        if np.count_nonzero(allowed) <= _FEW:
            return super()._of(allowed, queries, n)
        return self._candidates(queries, n, allowed, _WIDER)

    def _lengths_of(self, rows: npt.NDArray[np.integer[Any]], chosen: FloatArray) -> FloatArray:
        # To know all lengths every vector would have to be read.
        squares = np.einsum("ij,ij->i", chosen, chosen)
        lengths: FloatArray = np.sqrt(np.maximum(squares, 1))
        return lengths

    def scores_all(self, queries: FloatArray, rows: npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Give the exact cosines of chosen rows with several queries; see `VectorStore`."""
        return super().scores_all(queries, self._place[rows])
