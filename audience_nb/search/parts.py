"""Which of a document's texts a query is near to: its path, its own part, its description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.documents import Documents
from audience_nb.search.vectors import unit_rows

__all__ = ["TextParts"]

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]

# A description is quoted up to here.
_QUOTED = 60


class TextParts:
    """Directions of the texts that a document has beside its label.

    Parameters
    ----------
    documents : Documents
        Where the texts are.
    vectors : ndarray of shape (n_texts, n_dimensions), int8
        Directions of distinct texts.
    of_document : ndarray of shape (n_documents, 2), int32
        Texts of each document, -1 for none; may be empty, where there are too many to keep.

    Examples
    --------
    >>> from audience_nb.catalog import Catalog
    >>> rows = [{"code": "A", "label": "Car", "description": "What one drives"}]
    >>> documents = Documents.build(Catalog.from_records(rows))
    >>> parts = TextParts(documents, np.array([[0, 127]], np.int8), np.array([[0, -1]]))
    >>> parts.nearest(np.array([0.0, 1.0]), [0], [0.7])
    ['its description “What one drives”']
    >>> parts.nearest(np.array([1.0, 0.0]), [0], [0.7])
    ['its label']
    """

    def __init__(
        self,
        documents: Documents,
        vectors: npt.NDArray[np.int8],
        of_document: npt.NDArray[np.int32],
    ) -> None:
        self._documents, self._vectors, self._of = documents, vectors, of_document

    def nearest(
        self, query: FloatArray, documents: Sequence[int], cosines: Sequence[float]
    ) -> list[str]:
        """Say which text of each document is nearest to a query.

        Parameters
        ----------
        query : ndarray of shape (n_dimensions,)
            Of unit length.
        documents : sequence of int
            Which.
        cosines : sequence of float
            Of their vectors, in which the label has most of the weight, with the query.

        Returns
        -------
        list of str
            Such as "its label", "its path", "“Walked” in its path".
        """
        if not len(self._of) or not len(documents):
            return ["its label"] * len(documents)
        rows = self._of[np.asarray(documents, np.int64)]
        best = np.full(len(rows), -1)
        of, place = np.nonzero(rows >= 0)
        if len(of):
            near = np.full(rows.shape, -np.inf)
            near[of, place] = unit_rows(self._vectors[rows[of, place]].astype(np.float32)) @ query
            closer = near.max(axis=1) > np.asarray(cosines)
            best[closer] = near.argmax(axis=1)[closer]
        return [
            self._words(document, one) if several else "its label"
            for document, one, several in zip(
                documents, best.tolist(), (rows[:, 0] >= 0).tolist(), strict=True
            )
        ]

    def _words(self, document: int, best: int) -> str:
        (texts,) = self._documents.texts(document, document + 1)
        is_path = self._documents.has_path(document)
        if best < 0:
            return "its path" if is_path else "its label"
        text = texts[best + 1][0]
        short = text if len(text) <= _QUOTED else text[: _QUOTED - 1].rstrip() + "…"
        return f"“{short}” in its path" if is_path and best == 0 else f"its description “{short}”"
