"""TF-IDF on inverted postings: arrays that can be memory-mapped."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.lexical import MAX_TERM_BYTES
from audience_nb.search.postinglists import FULL, PostingLists, Sums, row_type

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["Postings", "Terms", "counts_matrix"]

FloatArray: TypeAlias = npt.NDArray[np.float32]

# Terms of which it is remembered that there are none.
_MOST_UNKNOWN = 4096


class Terms:
    """Names of the rows of posting lists.

    Parameters
    ----------
    names : ndarray of shape (n_terms,), bytes
        UTF-8, sorted.

    Examples
    --------
    >>> terms = Terms(np.array([b"cat", b"dog"]))
    >>> terms.position("dog"), terms.position("eel")
    (1, -1)
    """

    def __init__(self, names: npt.NDArray[np.bytes_]) -> None:
        self.names = names
        # Those that exist are remembered, and of the others a few, so that it cannot grow without
        # bound.
        self._positions: dict[str, int] = {}
        self._unknown: set[str] = set()

    def __len__(self) -> int:
        return len(self.names)

    def position(self, term: str) -> int:
        """Give the row of a term, or -1.

        Parameters
        ----------
        term : str
            A term as it was indexed.

        Returns
        -------
        int
        """
        known = self._positions.get(term)
        if known is not None:
            return known
        if term in self._unknown:
            return -1
        key = _encoded(term)
        found = int(self.names.searchsorted(np.array(key, dtype=self.names.dtype.char)))
        if found >= len(self.names) or self.names[found] != key:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown.add(term)
            return -1
        self._positions[term] = found
        return found


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
    documents : ndarray of shape (n_postings,), uint16 or uint32
        Rows in which the term stands, rising within a term.
    weights : ndarray of shape (n_postings,), uint16
        Its share of the document's unit vector, as fractions of 65,535.
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
        documents: npt.NDArray[np.integer[Any]],
        weights: npt.NDArray[np.uint16],
        idf: FloatArray,
        n_documents: int,
    ) -> None:
        self.terms, self.starts, self.idf = terms, starts, idf
        self.documents, self.weights = documents, weights
        self.n_documents = n_documents
        self.lists = PostingLists(starts, documents, weights, n_documents)
        self._names = Terms(terms)

    @cached_property
    def rarest(self) -> float:
        """Inverse document frequency of the rarest term."""
        return float(self.idf.max(initial=1.0))

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
        matrix = counts_matrix([b if isinstance(b, Mapping) else Counter(b) for b in bags], ids)
        return cls.from_counts(matrix, list(ids))

    @classmethod
    def from_counts(cls, counts: sp.csr_matrix, terms: Sequence[str]) -> Postings:
        """Index a matrix of weighted counts.

        Parameters
        ----------
        counts : scipy.sparse.csr_matrix of shape (n_documents, n_terms), float32
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
        # In place: of a large catalogue there is one copy of the weights, not five.
        weights = by_term.data
        many = weights > 1
        weights[many] = 1 + np.log(weights[many])
        weights *= np.repeat(idf, frequency)
        squares = np.bincount(by_term.indices, np.square(weights), minlength=n_documents)
        weights /= np.sqrt(np.maximum(squares, 1e-24)).astype(np.float32)[by_term.indices]
        # A term that stands in a document weighs something.
        shares = np.clip(np.rint(weights * FULL), 1, FULL).astype(np.uint16)
        return cls(
            encoded[order],
            by_term.indptr.astype(np.int64),
            by_term.indices.astype(row_type(n_documents)),
            shares,
            idf,
            n_documents,
        )

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
        found = self._names.position(term)
        # Without any document there is one empty name, and no list.
        return found if found < len(self.idf) else -1

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
        return self.lists.length(row) if row >= 0 else 0

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
        found: FloatArray = self.lists.weights_at([row], documents)[0]
        return found

    def weights_at(
        self, rows: Sequence[int], documents: npt.NDArray[np.integer[Any]]
    ) -> FloatArray:
        """Give the weights of several terms in chosen documents, which is quicker than one by one.

        Parameters
        ----------
        rows : sequence of int
            The terms, as `position` gives them.
        documents : ndarray of shape (n_chosen,), int
            Which documents, each once.

        Returns
        -------
        ndarray of shape (n_rows, n_chosen), float32
            0 where a term does not stand.
        """
        return self.lists.weights_at(rows, documents)

    def sums(self, query: Mapping[str, float]) -> Sums:
        """Give the cosines of documents with a weighted query, looking only at its terms.

        Parameters
        ----------
        query : mapping of str to float
            Terms with their counts or weights. Terms that no document has are left out, also of
            the query's length.

        Returns
        -------
        Sums
        """
        rows, factors = [], []
        for term, count in query.items():
            row = self.position(term) if count > 0 else -1
            if row >= 0:
                rows.append(row)
                factors.append(_sublinear(count) * float(self.idf[row]))
        length = math.sqrt(sum(factor * factor for factor in factors)) or 1.0
        return self.lists.sums(rows, [factor / length for factor in factors])

    def scores(self, query: Mapping[str, float]) -> FloatArray:
        """Give the cosine of every document with a weighted query.

        Parameters
        ----------
        query : mapping of str to float
            As for `sums`.

        Returns
        -------
        ndarray of shape (n_documents,), float32
            In [0, 1].
        """
        return self.sums(query).at(np.arange(self.n_documents))


def _sublinear(count: float) -> float:
    return 1 + math.log(count) if count > 1 else count


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "replace")[:MAX_TERM_BYTES]


def counts_matrix(bags: Sequence[Mapping[str, float]], ids: dict[str, int]) -> sp.csr_matrix:
    """Write bags as a matrix; new terms are added to `ids` in order of appearance.

    Parameters
    ----------
    bags : sequence of mapping of str to float
        Terms with their weighted counts.
    ids : dict of str to int
        Column of each term.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n_bags, n_terms), float32
    """
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
