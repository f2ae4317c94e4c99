"""TF-IDF on inverted postings: arrays that can be memory-mapped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.lexical import MAX_TERM_BYTES, char_grams

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["Postings"]

FloatArray: TypeAlias = npt.NDArray[np.float32]


class Postings:
    """TF-IDF cosine of texts with a query, on inverted postings.

    Weights follow the usual sublinear scheme (Manning, Raghavan & Schütze 2008, ch. 6):
    ``(1 + ln tf) · (ln((1 + n) / (1 + df)) + 1)``, documents scaled to length one. A term that
    only stands in a field of weight below one counts with that weight.

    Parameters
    ----------
    terms : ndarray of shape (n_terms,), bytes
        UTF-8, sorted.
    starts : ndarray of shape (n_terms + 1,), int64
        Where each term's postings start.
    documents : ndarray of shape (n_postings,), int32
        Rows in which the term stands, rising within a term.
    weights : ndarray of shape (n_postings,), float32
        Its share of the document's unit vector.
    idf : ndarray of shape (n_terms,), float32
        Inverse document frequency.
    n_documents : int
        Number of rows.

    Examples
    --------
    >>> postings = Postings.build([["cat", "food"], ["dog", "food"]])
    >>> [round(float(s), 2) for s in postings.scores({"cat": 1.0})]
    [0.81, 0.0]
    """

    ARRAYS = ("terms", "starts", "documents", "weights", "idf")

    def __init__(
        self,
        terms: npt.NDArray[np.bytes_],
        starts: npt.NDArray[np.int64],
        documents: npt.NDArray[np.int32],
        weights: FloatArray,
        idf: FloatArray,
        n_documents: int,
    ) -> None:
        self.terms, self.starts, self.idf = terms, starts, idf
        self.documents, self.weights = documents, weights
        self.n_documents = n_documents
        # Only terms that exist are remembered, so that it cannot outgrow the vocabulary.
        self._positions: dict[str, int] = {}

    @classmethod
    def build(cls, bags: Sequence[Sequence[str] | Mapping[str, float]]) -> Postings:
        """Index bags of terms.

        Parameters
        ----------
        bags : sequence of (sequence of str or mapping of str to float)
            One bag a document: its terms, or terms with their weighted counts.

        Returns
        -------
        Postings
        """
        ids: dict[str, int] = {}
        matrix = _counts([b if isinstance(b, Mapping) else Counter(b) for b in bags], ids)
        return cls.from_counts(matrix, list(ids))

    @classmethod
    def from_counts(cls, counts: sp.csr_matrix, terms: Sequence[str]) -> Postings:
        """Index a matrix of weighted counts.

        Parameters
        ----------
        counts : scipy.sparse.csr_matrix of shape (n_documents, n_terms)
            Weighted counts, not negative.
        terms : sequence of str
            Name of each column.

        Returns
        -------
        Postings
        """
        n_documents = counts.shape[0]
        encoded = np.array([_encoded(t) for t in terms] or [b""], dtype=bytes)
        order = np.argsort(encoded, kind="stable")
        by_term = counts.tocsc()[:, order] if len(terms) else counts.tocsc()
        by_term.sort_indices()
        frequency = np.diff(by_term.indptr)
        idf = (np.log((1 + n_documents) / (1 + frequency)) + 1).astype(np.float32)
        tf = by_term.data.astype(np.float32)
        weights = np.where(tf > 1, 1 + np.log(np.maximum(tf, 1)), tf) * np.repeat(idf, frequency)
        squares = np.bincount(by_term.indices, weights**2, minlength=n_documents)
        length = np.sqrt(squares, dtype=np.float64)
        weights = weights / np.maximum(length, 1e-12)[by_term.indices]
        return cls(
            encoded[order],
            by_term.indptr.astype(np.int64),
            by_term.indices.astype(np.int32),
            weights.astype(np.float32),
            idf,
            n_documents,
        )

    @classmethod
    def build_grams(cls, bags: Sequence[Mapping[str, float]]) -> Postings:
        """Index the character n-grams of bags of words.

        Parameters
        ----------
        bags : sequence of mapping of str to float
            Unstemmed words of each document with their weighted counts.

        Returns
        -------
        Postings
            Over n-grams. Each distinct word is cut up once, as n-grams never span words.

        Examples
        --------
        >>> postings = Postings.build_grams([{"millennials": 1.0}, {"boomers": 1.0}])
        >>> postings.scores(Counter(char_grams("milenials"))).argmax()
        np.int64(0)
        """
        import scipy.sparse as sp

        word_ids: dict[str, int] = {}
        by_document = _counts(bags, word_ids)
        gram_ids: dict[str, int] = {}
        by_word = _counts([Counter(char_grams(word)) for word in word_ids], gram_ids)
        if not word_ids:
            by_word = sp.csr_matrix((0, 0), dtype=np.float32)
        return cls.from_counts((by_document @ by_word).tocsr(), list(gram_ids))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays to be stored, by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def position(self, term: str) -> int:
        """Give the row of a term, or -1.

        Parameters
        ----------
        term : str
            A term as it was indexed.

        Returns
        -------
        int

        Examples
        --------
        >>> Postings.build([["cat"], ["dog"]]).position("eel")
        -1
        """
        known = self._positions.get(term)
        if known is not None:
            return known
        key = _encoded(term)
        found = int(np.searchsorted(self.terms, np.array(key, dtype=self.terms.dtype.char)))
        if found >= len(self.idf) or self.terms[found] != key:
            return -1
        self._positions[term] = found
        return found

    def frequency(self, term: str) -> int:
        """Give the number of documents in which a term stands.

        Parameters
        ----------
        term : str
            A term as it was indexed.

        Returns
        -------
        int

        Examples
        --------
        >>> Postings.build([["cat", "dog"], ["dog"]]).frequency("dog")
        2
        """
        row = self.position(term)
        return int(self.starts[row + 1] - self.starts[row]) if row >= 0 else 0

    def __contains__(self, term: object) -> bool:
        return isinstance(term, str) and self.position(term) >= 0

    def weights_of(self, row: int, documents: npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Give the weight of one term in chosen documents.

        Parameters
        ----------
        row : int
            The term, as `position` gives it.
        documents : ndarray of shape (n_chosen,), int
            Which documents.

        Returns
        -------
        ndarray of shape (n_chosen,), float32
            0 where the term does not stand.
        """
        first, last = self.starts[row], self.starts[row + 1]
        listed, weights = self.documents[first:last], self.weights[first:last]
        places = np.minimum(np.searchsorted(listed, documents), len(listed) - 1)
        found: FloatArray = np.where(listed[places] == documents, weights[places], np.float32(0))
        return found

    def scores(self, query: Mapping[str, float]) -> FloatArray:
        """Give the cosine of every document with a weighted query.

        Parameters
        ----------
        query : mapping of str to float
            Terms with their counts or weights. Terms that no document has are left out, also of
            the query's length.

        Returns
        -------
        ndarray of shape (n_documents,), float32
            In [0, 1].
        """
        result = np.zeros(self.n_documents, np.float32)
        found = [(row, w) for t, w in query.items() if w > 0 and (row := self.position(t)) >= 0]
        if not found:
            return result
        weights = np.array([_sublinear(w) * self.idf[row] for row, w in found], np.float64)
        weights /= np.sqrt(np.sum(weights**2))
        for (row, _), weight in zip(found, weights, strict=True):
            first, last = self.starts[row], self.starts[row + 1]
            # A document stands once among a term's postings, so that += adds each of them.
            result[self.documents[first:last]] += np.float32(weight) * self.weights[first:last]
        return result


def _sublinear(count: float) -> float:
    return 1 + float(np.log(count)) if count > 1 else count


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "replace")[:MAX_TERM_BYTES]


def _counts(bags: Sequence[Mapping[str, float]], ids: dict[str, int]) -> sp.csr_matrix:
    """Write bags as a matrix; new terms are added to `ids` in order of appearance."""
    import scipy.sparse as sp

    starts, columns, values = [0], [], []
    for bag in bags:
        for term, count in bag.items():
            columns.append(ids.setdefault(term, len(ids)))
            values.append(count)
        starts.append(len(columns))
    return sp.csr_matrix(
        (np.asarray(values, np.float32), np.asarray(columns, np.int32), np.asarray(starts)),
        shape=(len(bags), len(ids)),
    )
