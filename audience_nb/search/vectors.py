"""Nearest meanings: exact inner products, by FAISS or by NumPy."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput

__all__ = ["Engine", "VectorStore"]

Engine = Literal["auto", "faiss", "numpy"]
FloatArray: TypeAlias = npt.NDArray[np.float32]


@cache
def _faiss() -> ModuleType | None:
    try:
        import faiss
    except ImportError:
        return None
    return faiss


class VectorStore:
    """Unit vectors, searched exactly.

    Parameters
    ----------
    vectors : ndarray of shape (n_vectors, n_dimensions), float32
        C-contiguous, may be memory-mapped; they are scaled to unit length by `unit_rows`, and
        not copied.
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

    def __init__(self, vectors: FloatArray, *, engine: Engine = "auto") -> None:
        if vectors.ndim != 2:
            raise InvalidInput(
                f"The vectors are an array of {vectors.ndim} dimension(s), not 2.",
                "Give one row a vector.",
            )
        if engine == "faiss" and _faiss() is None:
            raise InvalidInput("FAISS is not installed.", "Run: pip install faiss-cpu")
        self.vectors = vectors
        self.engine: Literal["faiss", "numpy"] = (
            "faiss" if engine != "numpy" and _faiss() is not None else "numpy"
        )

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    def search(
        self, query: FloatArray, n: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Find the rows nearest to one query vector.

        Parameters
        ----------
        query : ndarray of shape (n_dimensions,), float32
            Any length but 0; only its direction matters.
        n : int
            At most so many rows.

        Returns
        -------
        rows : ndarray of shape (n_found,), int64
            Best first; equal scores by row.
        scores : ndarray of shape (n_found,), float32
            Cosines.
        """
        n = min(n, len(self))
        if n < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = unit_rows(query[None, :])
        faiss = _faiss() if self.engine == "faiss" else None
        if faiss is not None:
            # On two cores a second thread makes one query slower, not faster.
            faiss.omp_set_num_threads(1)
            # Brute force over the mapped array itself: no copy inside an index object.
            _, found = faiss.knn(query, self.vectors, n, metric=faiss.METRIC_INNER_PRODUCT)
            rows = found[0]
        else:
            scores = self.vectors @ query[0]
            rows = np.argpartition(-scores, n - 1)[:n]
        exact = self.scores(query[0], rows)
        order = np.lexsort((rows, -exact))
        return rows[order].astype(np.int64), exact[order]

    def scores(self, query: FloatArray, rows: npt.NDArray[np.integer[Any]]) -> FloatArray:
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
        # Row by row, so that a score depends on no other row that is asked for.
        products: FloatArray = np.einsum("ij,j->i", self.vectors[rows], query)
        return np.clip(products, -1.0, 1.0)


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
