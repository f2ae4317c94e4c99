"""Nearest meanings: exact cosines, by FAISS or by NumPy, and cells where there are very many."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput
from audience_nb.search.postinglists import best_rows

__all__ = [
    "Engine",
    "Found",
    "InvertedFile",
    "VectorStore",
    "clusters",
    "quantized",
    "unit_rows",
]

Engine = Literal["auto", "faiss", "numpy"]
FloatArray: TypeAlias = npt.NDArray[np.float32]
Vectors: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.int8]
Rows: TypeAlias = npt.NDArray[np.integer[Any]]
Mask: TypeAlias = npt.NDArray[np.bool_]
Found: TypeAlias = tuple[npt.NDArray[np.int64], FloatArray]

# Rows turned to floats at a time: they and the queries stay in the nearest memory.
_AT_ONCE = 128
_CHOSEN_AT_ONCE = 1024
# The largest value of a row of 8-bit integers.
_LARGEST = 127
# How many more are fetched by rounded products than are asked for, at first.
_SURPLUS = 2
# Rounds of k-means: more of them move the middles by little.
_ROUNDS = 8


@cache
def _faiss() -> ModuleType | None:
    try:
        import faiss
    except ImportError:
        return None
    # On two cores a second thread makes one query slower, not faster.
    faiss.omp_set_num_threads(1)
    return faiss


def _installed() -> bool:
    # To look is quick; to import is not, and a catalogue may be opened without being searched.
    return find_spec("faiss") is not None


class VectorStore:
    """Directions in space, searched exactly.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), float32 or int8
        C-contiguous, may be memory-mapped; not copied. float32 is of unit length (`unit_rows`);
        of int8 (`quantized`) only the direction counts.
    engine : {"auto", "faiss", "numpy"}, optional
        "auto" takes FAISS where it is installed. Both give the same scores to 1e-6 and the same
        order: equal scores rank by row.

    Raises
    ------
    InvalidInput
        If the array is not two-dimensional, or FAISS is asked for and not installed.

    Examples
    --------
    >>> store = VectorStore(np.eye(3, dtype=np.float32), engine="numpy")
    >>> rows, scores = store.search(np.array([0.6, 0.8, 0.0], np.float32), 2)
    >>> rows.tolist(), [round(float(s), 2) for s in scores]
    ([1, 0], [0.8, 0.6])
    """

    def __init__(self, vectors: Vectors, *, engine: Engine = "auto") -> None:
        if vectors.ndim != 2:
            raise InvalidInput(
                f"The vectors are an array of {vectors.ndim} dimension(s), not 2.",
                "Give one row a vector.",
            )
        if engine == "faiss" and not _installed():
            raise InvalidInput("FAISS is not installed.", "Run: pip install faiss-cpu")
        self.vectors = vectors
        self.engine: Literal["faiss", "numpy"] = (
            "faiss" if engine != "numpy" and _installed() else "numpy"
        )

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    @property
    def description(self) -> str:
        """How the nearest are found."""
        return f"{self.engine}, exact"

    def search(self, query: FloatArray, n: int) -> Found:
        """Find the rows nearest to one query vector.

        Parameters
        ----------
        query : ndarray of shape (n_dimensions,), float32
            Of any length above 0.
        n : int
            How many at most.

        Returns
        -------
        rows : ndarray of shape (n_found,), int64
            Nearest first; equal scores rank by row.
        scores : ndarray of shape (n_found,), float32
            Cosines in [-1, 1].
        """
        return self.search_all(query[None], n)[0]

    def search_all(self, queries: FloatArray, n: int, allowed: Mask | None = None) -> list[Found]:
        """Find the rows nearest to each of several query vectors, in one pass.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_dimensions), float32
            Of any length above 0.
        n : int
            How many at most for each.
        allowed : ndarray of shape (n_vectors,), bool, optional
            Only these.

        Returns
        -------
        list of (rows, scores)
            As `search` gives them.
        """
        queries = unit_rows(queries)
        n = min(n, len(self))
        if n < 1:
            return [(np.zeros(0, np.int64), np.zeros(0, np.float32)) for _ in queries]
        found = self._candidates(queries, n) if allowed is None else self._of(allowed, queries, n)
        return [_ranked(rows, exact, n) for rows, exact in found]

    def _of(self, allowed: Mask, queries: FloatArray, n: int) -> list[Found]:
        """Give candidates among chosen rows, for each query, with exact scores."""
        rows = np.flatnonzero(allowed)
        scores = np.zeros((len(queries), len(rows)), np.float32)
        for first in range(0, len(rows), _CHOSEN_AT_ONCE):
            part = slice(first, first + _CHOSEN_AT_ONCE)
            scores[:, part] = self.scores_all(queries, rows[part])
        best = [best_rows(one, n) for one in scores]
        return [(rows[b], one[b]) for b, one in zip(best, scores, strict=True)]

    def _candidates(self, queries: FloatArray, n: int) -> list[Found]:
        """Give for each query rows among which the nearest are, with exact scores."""
        if self.engine == "faiss" and self.vectors.dtype == np.int8:
            return self._rounded(queries, n)
        if self.engine == "faiss":
            # Brute force over the mapped array itself: no copy inside an index object.
            faiss: Any = _faiss()
            _, near = faiss.knn(queries, self.vectors, n, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            blocks = self._blocks(slice(0, len(self)))
            products = np.concatenate([block @ queries.T for block in blocks])
            if self.vectors.dtype == np.int8:
                products /= self._lengths[:, None]
            near = [best_rows(column, n) for column in products.T]
        return [(rows, self.scores(q, rows)) for q, rows in zip(queries, near, strict=True)]

    def _rounded(self, queries: FloatArray, n: int) -> list[Found]:
        """Find candidates by integer products, until none can be missing.

        A rounded query differs from itself by ``e``, a vector `e'` long: no cosine differs by
        more than ``|e|`` from the one by the rounded query (Cauchy–Schwarz).
        """
        whole, scales = _whole(queries)
        errors = np.linalg.norm(whole / scales - queries, axis=1) + 1e-6
        low, high = self._shortest_longest
        fetched = min(len(self), _SURPLUS * n + 16)
        products, rows = self._integer_index.search(whole, fetched)
        found: list[Found] = []
        for query, scale, error, one, sums, near in zip(
            queries, scales[:, 0], errors, whole, products, rows, strict=True
        ):
            n_fetched = fetched
            exact = self.scores(query, near)
            # Of a row that was left out the product is no larger than the last, nor its cosine
            # than this.
            while n_fetched < len(self):
                last = float(sums[-1]) / float(scale)
                most = last / (low if last > 0 else high) + float(error)
                if np.partition(exact, n_fetched - n)[n_fetched - n] >= most:
                    break
                n_fetched = min(len(self), 4 * n_fetched)
                products, rows = self._integer_index.search(one[None], n_fetched)
                sums, near = products[0], rows[0]
                exact = self.scores(query, near)
            found.append((near, exact))
        return found

    @cached_property
    def _integer_index(self) -> Any:
        faiss: Any = _faiss()
        index = faiss.IndexScalarQuantizer(
            self.vectors.shape[1],
            faiss.ScalarQuantizer.QT_8bit_direct_signed,
            faiss.METRIC_INNER_PRODUCT,
        )
        # Its codes are the integers themselves, raised to be positive.
        index.add_sa_codes(self.vectors.view(np.uint8) ^ np.uint8(128))
        return index

    @cached_property
    def _lengths(self) -> FloatArray:
        """Lengths of 8-bit rows."""
        squares = [
            np.einsum("ij,ij->i", block, block) for block in self._blocks(slice(0, len(self)))
        ]
        lengths: FloatArray = np.sqrt(np.concatenate(squares))
        # A row of zeros has a product of 0 with anything, so any length will do.
        filled: FloatArray = np.where(lengths > 0, lengths, lengths.max(initial=1))
        return filled

    @cached_property
    def _shortest_longest(self) -> tuple[float, float]:
        return float(self._lengths.min()), float(self._lengths.max())

    def _lengths_of(self, rows: Rows, chosen: FloatArray) -> FloatArray:
        """Give the lengths of chosen 8-bit rows."""
        lengths: FloatArray = self._lengths[rows]
        return lengths

    def _blocks(self, rows: slice, at_once: int = _AT_ONCE) -> Iterator[FloatArray]:
        for first in range(rows.start, rows.stop, at_once):
            yield self.vectors[first : min(first + at_once, rows.stop)].astype(
                np.float32, copy=False
            )

    def scores(self, query: FloatArray, rows: Rows) -> FloatArray:
        """Give the exact cosines of chosen rows with a query.

        Parameters
        ----------
        query : ndarray of shape (n_dimensions,), float32
            Of unit length.
        rows : ndarray of shape (n_rows,), int64
            Which vectors.

        Returns
        -------
        ndarray of shape (n_rows,), float32
        """
        cosines: FloatArray = self.scores_all(query[None], rows)[0]
        return cosines

    def scores_all(self, queries: FloatArray, rows: Rows) -> FloatArray:
        """Give the exact cosines of chosen rows with several queries.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_dimensions), float32
            Of unit length.
        rows : ndarray of shape (n_rows,), int64
            Which vectors.

        Returns
        -------
        ndarray of shape (n_queries, n_rows), float32
        """
        chosen = self.vectors[rows].astype(np.float32, copy=False)
        # Row by row, so that a score depends on no other row that is asked for.
        products = np.stack([np.einsum("ij,j->i", chosen, query) for query in queries])
        if self.vectors.dtype == np.int8:
            products = products / self._lengths_of(rows, chosen)
        cosines: FloatArray = np.clip(products, -1.0, 1.0)
        return cosines


class InvertedFile:
    """8-bit rows sorted into cells, searched by FAISS.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), int8
        Cell by cell; copied.
    middles : ndarray of shape (n_cells, n_dimensions), float32
        Of the cells.
    starts : ndarray of shape (n_cells + 1,), int64
        Where each cell starts.
    order : ndarray of shape (n_vectors,), int32
        Row of each vector.
    """

    def __init__(
        self,
        vectors: npt.NDArray[np.int8],
        middles: FloatArray,
        starts: npt.NDArray[np.int64],
        order: npt.NDArray[np.int32],
    ) -> None:
        self._faiss = cast(Any, _faiss())
        n_cells, n_dimensions = middles.shape
        # Kept, as the index does not own it.
        self._middles = self._faiss.IndexFlatIP(n_dimensions)
        self._middles.add(np.ascontiguousarray(middles))
        self._index = self._faiss.IndexIVFScalarQuantizer(
            self._middles,
            n_dimensions,
            n_cells,
            self._faiss.ScalarQuantizer.QT_8bit_direct_signed,
            self._faiss.METRIC_INNER_PRODUCT,
            False,
        )
        self._index.is_trained = True
        for cell in range(n_cells):
            span = slice(int(starts[cell]), int(starts[cell + 1]))
            if span.stop > span.start:
                ids = np.ascontiguousarray(order[span], np.int64)
                # Codes are the integers themselves, raised to be positive.
                codes = vectors[span].view(np.uint8) ^ np.uint8(128)
                self._index.invlists.add_entries(
                    cell, len(ids), self._faiss.swig_ptr(ids), self._faiss.swig_ptr(codes)
                )
        self._index.ntotal = len(vectors)

    def search(
        self, queries: FloatArray, n: int, probes: int, allowed: Mask | None = None
    ) -> list[npt.NDArray[np.int64]]:
        """Find rows with large rounded products in the nearest cells.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_dimensions), float32
            Of unit length.
        n : int
            How many at most for each.
        probes : int
            How many cells are searched.
        allowed : ndarray of shape (n_vectors,), bool, optional
            Only these rows.

        Returns
        -------
        list of ndarray of shape (n_found,), int64
        """
        options = {"nprobe": min(probes, self._index.nlist)}
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            options["sel"] = self._faiss.IDSelectorBitmap(bits)
        whole, _ = _whole(queries)
        _, found = self._index.search(whole, n, params=self._faiss.SearchParametersIVF(**options))
        return [rows[rows >= 0] for rows in found]


def _whole(queries: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Round queries to whole numbers, each by its own scale."""
    scales = _LARGEST / np.maximum(np.abs(queries).max(axis=1, keepdims=True), 1e-30)
    return np.rint(queries * scales).astype(np.float32), scales.astype(np.float32)


def _ranked(rows: Rows, exact: FloatArray, n: int) -> Found:
    order = np.lexsort((rows, -exact))[:n]
    return rows[order].astype(np.int64), exact[order]


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Scale vectors to length one.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions)
        A row of zeros stays one.

    Returns
    -------
    ndarray of shape (n_vectors, n_dimensions), float32
        C-contiguous.

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    length = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    scaled = vectors / np.where(length > 0, length, 1.0)
    return np.ascontiguousarray(scaled, dtype=np.float32)


def quantized(vectors: FloatArray, largest: float | None = None) -> npt.NDArray[np.int8]:
    """Round unit vectors to 8-bit integers by one scale: the directions are what is kept.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), float32
        Of length one, or zeros.
    largest : float, optional
        The value that becomes 127; larger ones are cut. By default the largest there is.

    Returns
    -------
    ndarray of shape (n_vectors, n_dimensions), int8
        With 512 dimensions the cosine of a row with itself before rounding is about .9999.

    Examples
    --------
    >>> quantized(np.array([[0.8, -0.6]], np.float32)).tolist()
    [[127, -95]]
    """
    if largest is None:
        largest = float(np.abs(vectors).max(initial=0))
    scale = np.float32(_LARGEST / largest if largest > 0 else 0)
    rounded: npt.NDArray[np.int8] = np.clip(np.rint(vectors * scale), -_LARGEST, _LARGEST).astype(
        np.int8
    )
    return rounded


def clusters(
    vectors: FloatArray, n_clusters: int, *, engine: Engine = "auto", random_state: int = 0
) -> FloatArray:
    """Give the middles of groups of directions: spherical k-means (Dhillon & Modha 2001).

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), float32
        Of unit length, at least as many as clusters.
    n_clusters : int
        How many groups.
    engine : {"auto", "faiss", "numpy"}, optional
        What computes it.
    random_state : int, optional
        Seed of the first middles.

    Returns
    -------
    ndarray of shape (n_clusters, n_dimensions), float32
        Of unit length.

    Examples
    --------
    >>> middles = clusters(np.eye(4, dtype=np.float32), 4, engine="numpy")
    >>> sorted(middles.argmax(1).tolist())
    [0, 1, 2, 3]
    """
    if engine != "numpy" and _installed():
        faiss: Any = _faiss()
        kmeans = faiss.Kmeans(
            vectors.shape[1],
            n_clusters,
            niter=_ROUNDS,
            seed=random_state,
            spherical=True,
            min_points_per_centroid=1,
            max_points_per_centroid=len(vectors),
        )
        kmeans.train(vectors)
        return unit_rows(kmeans.centroids)
    rng = np.random.default_rng(random_state)
    middles = vectors[np.sort(rng.choice(len(vectors), n_clusters, replace=False))]
    for _ in range(_ROUNDS):
        nearest = np.concatenate(
            [
                (vectors[first : first + 4096] @ middles.T).argmax(1)
                for first in range(0, len(vectors), 4096)
            ]
        )
        sums = np.zeros_like(middles)
        np.add.at(sums, nearest, vectors)
        # A group that lost all its members stays where it was.
        empty = np.bincount(nearest, minlength=n_clusters) == 0
        sums[empty] = middles[empty]
        middles = unit_rows(sums)
    return middles
