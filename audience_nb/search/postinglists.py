"""Posting lists: which documents hold what, added up without a look at any other document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["PostingLists", "Sums", "best_rows", "row_type"]

FloatArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Weights in [0, 1] are kept as 16-bit fractions of this.
FULL = 65_535
# Postings added up for one query: longer lists are looked up for what the shorter ones found.
MOST_TOUCHED = 400_000
# Of the best by the lists added up, so many times what is asked for is scored by all lists.
_SURPLUS = 4
# A search in a list costs about as much as reading so many of its postings.
_SEARCH_COST = 3_000
# Lists that are this long on average are copied one by one.
_COPIED_AT_ONCE = 200
# From so many wanted, and so many scores, on a sample tells which are worth a look.
_SAMPLED, _LONG = 20, 20_000


def row_type(n_rows: int) -> type[np.uint16] | type[np.uint32]:
    """Give the smallest type that numbers so many rows.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    Returns
    -------
    type
        uint16 or uint32.
    """
    return np.uint16 if n_rows <= 1 << 16 else np.uint32


class PostingLists:
    """Lists of documents with a weight each, of all terms one after the other.

    Parameters
    ----------
    starts : ndarray of shape (n_lists + 1,), int64
        Where each list starts.
    documents : ndarray of shape (n_postings,), uint16 or uint32
        Rising within a list.
    weights : ndarray of shape (n_postings,), uint16, or None
        Fractions of 65,535; None where every weight is 1.
    n_documents : int
        Documents are numbered below it.

    Examples
    --------
    >>> lists = PostingLists(
    ...     np.array([0, 2, 3]), np.array([0, 2, 2], np.uint16), None, n_documents=3
    ... )
    >>> rows, sums = lists.sums([0, 1], [1.0, 0.5]).top(2)
    >>> rows.tolist(), sums.tolist()
    ([0, 2], [1.0, 1.5])
    """

    def __init__(
        self,
        starts: npt.NDArray[np.int64],
        documents: IntArray,
        weights: npt.NDArray[np.uint16] | None,
        n_documents: int,
    ) -> None:
        self.starts, self.documents, self.weights = starts, documents, weights
        self.n_documents = n_documents

    def length(self, row: int) -> int:
        """Give the number of documents in one list."""
        return int(self.starts[row + 1] - self.starts[row])

    def sums(self, rows: Sequence[int], factors: Sequence[float]) -> Sums:
        """Add up weighted lists.

        Parameters
        ----------
        rows : sequence of int
            Which lists, each once.
        factors : sequence of float
            What each counts, more than 0.

        Returns
        -------
        Sums
            Of every document in any of them.
        """
        return Sums(self, rows, factors)

    def weights_at(self, rows: Sequence[int], documents: IntArray) -> FloatArray:
        """Give the weights of chosen documents in chosen lists.

        Parameters
        ----------
        rows : sequence of int
            Which lists.
        documents : ndarray of shape (n_chosen,), int
            Which documents, each once.

        Returns
        -------
        ndarray of shape (n_rows, n_chosen), float32
            0 where a document is not in a list.
        """
        found = np.zeros((len(rows), len(documents)), np.float32)
        if not len(documents) or not len(rows):
            return found
        lengths = self._lengths(rows)
        # Short lists are read through at once, with a table of who is wanted.
        short = np.flatnonzero(lengths <= _SEARCH_COST)
        if len(short) and self.n_documents <= int(lengths[short].sum()) + 1000 * len(short):
            place = np.full(self.n_documents, -1, np.int32)
            place[documents] = np.arange(len(documents), dtype=np.int32)
            listed, weights = self._joined([rows[i] for i in short.tolist()])
            at = place[listed]
            wanted = np.flatnonzero(at >= 0)
            owner = np.repeat(short, lengths[short])[wanted]
            found[owner, at[wanted]] = 1 if weights is None else weights[wanted]
            others = np.flatnonzero(lengths > _SEARCH_COST)
        else:
            others = np.arange(len(rows))
        # Of one type with the lists: numpy would copy a whole list to compare it.
        keys = documents.astype(self.documents.dtype)
        for i in others.tolist():
            first, last = self.starts[rows[i]], self.starts[rows[i] + 1]
            listed = self.documents[first:last]
            at = np.minimum(listed.searchsorted(keys), last - first - 1)
            held = listed[at] == keys
            found[i] = held if self.weights is None else held * self.weights[first:last][at]
        if self.weights is not None:
            found *= np.float32(1 / FULL)
        return found

    def _lengths(self, rows: Sequence[int]) -> npt.NDArray[np.int64]:
        chosen = np.asarray(rows, np.int64)
        lengths: npt.NDArray[np.int64] = self.starts[chosen + 1] - self.starts[chosen]
        return lengths

    def _joined(self, rows: Sequence[int]) -> tuple[IntArray, npt.NDArray[np.uint16] | None]:
        chosen = np.asarray(rows, np.int64)
        starts = self.starts[chosen]
        lengths = self.starts[chosen + 1] - starts
        n_postings = int(lengths.sum())
        if n_postings > _COPIED_AT_ONCE * len(rows):
            spans = [
                slice(a, a + n) for a, n in zip(starts.tolist(), lengths.tolist(), strict=True)
            ]
            documents = np.concatenate([self.documents[s] for s in spans])
            if self.weights is None:
                return documents, None
            return documents, np.concatenate([self.weights[s] for s in spans])
        # Many short lists: where their postings lie, list after list.
        places = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        places += np.arange(n_postings)
        return self.documents[places], None if self.weights is None else self.weights[places]


class Sums:
    """Weighted lists added up.

    The shortest lists are added up, as long as they hold at most 400,000 postings together; what
    longer ones add is looked up for the documents that are asked for (the "continue" strategy of
    Moffat & Zobel 1996, "Self-indexing inverted files for fast text retrieval").

    Parameters
    ----------
    lists : PostingLists
        Where they are.
    rows : sequence of int
        Which.
    factors : sequence of float
        What each counts, more than 0.
    """

    def __init__(self, lists: PostingLists, rows: Sequence[int], factors: Sequence[float]) -> None:
        self.lists = lists
        self._later: tuple[list[int], FloatArray] = ([], np.zeros(0, np.float32))
        # Calloc'ed: only the pages that are written to cost anything.
        self._added = np.zeros(lists.n_documents, np.float32)
        if not len(rows):
            return
        counts = np.asarray(factors, np.float32)
        lengths = lists._lengths(rows)
        if int(lengths.sum()) > MOST_TOUCHED:
            order = np.lexsort((np.asarray(rows), lengths))
            n_now = max(1, int(np.searchsorted(np.cumsum(lengths[order]), MOST_TOUCHED, "right")))
            now, later = np.sort(order[:n_now]), np.sort(order[n_now:])
            self._later = ([rows[i] for i in later], counts[later])
            rows, counts, lengths = [rows[i] for i in now], counts[now], lengths[now]
        documents, weights = lists._joined(rows)
        added = np.repeat(counts, lengths)
        if weights is not None:
            added *= weights
            added *= np.float32(1 / FULL)
        np.add.at(self._added, documents, added)

    def at(self, documents: IntArray) -> FloatArray:
        """Give the sums of chosen documents.

        Parameters
        ----------
        documents : ndarray of shape (n_chosen,), int
            Which, each once.

        Returns
        -------
        ndarray of shape (n_chosen,), float32
        """
        found: FloatArray = self._added[documents]
        rows, factors = self._later
        if rows:
            found = found + factors @ self.lists.weights_at(rows, documents)
        return found

    def top(
        self,
        n: int,
        allowed: Mask | None = None,
        divisors: npt.NDArray[np.floating[Any]] | None = None,
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Give the documents with the largest sums.

        Parameters
        ----------
        n : int
            How many at most.
        allowed : ndarray of shape (n_documents,), bool, optional
            Only these.
        divisors : ndarray of shape (n_documents,), optional
            What each sum is divided by first.

        Returns
        -------
        documents : ndarray of shape (n_found,), int64
            Rising; of equal sums the first. Only those whose sum is above 0.
        sums : ndarray of shape (n_found,), float32
        """
        rows = np.flatnonzero(self._added > 0)
        if allowed is not None:
            rows = rows[allowed[rows]]
        sums = self._added[rows]
        if divisors is not None:
            sums = sums / divisors[rows]
        if self._later[0]:
            rows = rows[best_rows(sums, _SURPLUS * n)]
            sums = self.at(rows)
            if divisors is not None:
                sums = sums / divisors[rows]
        best = best_rows(sums, n)
        return rows[best], sums[best].astype(np.float32)


def best_rows(scores: npt.NDArray[np.floating[Any]], n: int) -> npt.NDArray[np.int64]:
    """Give the places of the n largest scores; of equal ones the first.

    Parameters
    ----------
    scores : ndarray of shape (n_scores,)
        Any.
    n : int
        How many at most.

    Returns
    -------
    ndarray of shape (min(n, n_scores),), int64
        Rising.

    Examples
    --------
    >>> best_rows(np.array([0.1, 0.5, 0.5, 0.9, 0.5]), 3).tolist()
    [1, 2, 3]
    """
    if len(scores) <= n:
        return np.arange(len(scores))
    if n >= _SAMPLED and len(scores) > _LONG:
        # What is above the eighth of every (n / 2)-th score is about four times what is wanted.
        few = np.flatnonzero(scores > np.partition(scores[:: n // 2], -8)[-8])
        if len(few) >= n:
            return few[best_rows(scores[few], n)]
    # The n-th largest decides; ties at the edge are settled by row, so that runs agree.
    edge = np.partition(scores, len(scores) - n)[len(scores) - n]
    above = np.flatnonzero(scores > edge)
    return np.sort(np.concatenate([above, np.flatnonzero(scores == edge)[: n - len(above)]]))
