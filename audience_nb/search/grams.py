"""Spelling: character n-grams of the catalogue's words, and the documents that hold the words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.lexical import MAX_TERM_BYTES, char_grams
from audience_nb.search.postinglists import PostingLists, Sums, row_type
from audience_nb.search.postings import Terms, counts_matrix

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["GramIndex", "Likeness"]

FloatArray: TypeAlias = npt.NDArray[np.float32]

# Words that are less like the query than this share of the likest are like it by chance.
LIKE_ENOUGH = 0.15


class GramIndex:
    """How much documents are spelt like a query.

    TF-IDF cosine on character n-grams, where a document is the set of its words: n-grams never
    span words, so that its n-grams are those of its words, and what a query shares with a word is
    reckoned once for all documents that hold the word.

    Parameters
    ----------
    words : ndarray of shape (n_words,), bytes
        Distinct words of all documents, UTF-8, sorted.
    starts, documents : ndarray
        Posting lists of words: `PostingLists` without weights.
    grams : ndarray of shape (n_grams,), bytes
        UTF-8, sorted.
    gram_starts, gram_words, gram_counts : ndarray
        Posting lists of n-grams over words; a count says how often one stands in the word.
    idf : ndarray of shape (n_grams,), float32
        Inverse document frequency.
    lengths : ndarray of shape (n_documents,), float32
        Of the documents' vectors.

    Examples
    --------
    >>> index = GramIndex.build([["millennials"], ["boomers"]])
    >>> index.like(["milenials"]).top(1)[0].tolist()
    [0]
    """

    ARRAYS = (
        "words",
        "starts",
        "documents",
        "grams",
        "gram_starts",
        "gram_words",
        "gram_counts",
        "idf",
        "lengths",
    )

    def __init__(
        self,
        words: npt.NDArray[np.bytes_],
        starts: npt.NDArray[np.int64],
        documents: npt.NDArray[np.integer[Any]],
        grams: npt.NDArray[np.bytes_],
        gram_starts: npt.NDArray[np.int64],
        gram_words: npt.NDArray[np.integer[Any]],
        gram_counts: npt.NDArray[np.uint8],
        idf: FloatArray,
        lengths: FloatArray,
    ) -> None:
        self.words, self.starts, self.documents = words, starts, documents
        self.grams, self.gram_starts = grams, gram_starts
        self.gram_words, self.gram_counts = gram_words, gram_counts
        self.idf, self.lengths = idf, lengths
        self.lists = PostingLists(starts, documents, None, len(lengths))
        self._names = Terms(grams)

    @classmethod
    def build(cls, bags: Sequence[Iterable[str]]) -> GramIndex:
        """Index the words of documents.

        Parameters
        ----------
        bags : sequence of iterable of str
            Unstemmed words of each document.

        Returns
        -------
        GramIndex
        """
        ids: dict[str, int] = {}
        matrix = counts_matrix([dict.fromkeys(bag, 1.0) for bag in bags], ids)
        return cls.from_counts(matrix, list(ids))

    @classmethod
    def from_counts(cls, counts: sp.csr_matrix, words: Sequence[str]) -> GramIndex:
        """Index a matrix of words.

        Parameters
        ----------
        counts : scipy.sparse.csr_matrix of shape (n_documents, n_words)
            Above 0 where a word stands.
        words : sequence of str
            Name of each column.

        Returns
        -------
        GramIndex
        """
        import scipy.sparse as sp

        n_documents = counts.shape[0]
        encoded = np.array(
            [w.encode("utf-8", "replace")[:MAX_TERM_BYTES] for w in words] or [b""], dtype=bytes
        )
        order = np.argsort(encoded, kind="stable")
        held = sp.csr_matrix(
            (np.ones(len(counts.indices), np.float32), counts.indices, counts.indptr),
            shape=counts.shape,
        )
        if len(words):
            held = held[:, order]
        gram_ids: dict[str, int] = {}
        by_word = counts_matrix(
            [Counter(char_grams(words[i])) for i in order[: len(words)]], gram_ids
        )
        names = np.array([g.encode("utf-8", "replace") for g in gram_ids] or [b""], dtype=bytes)
        gram_order = np.argsort(names, kind="stable")
        if len(gram_ids):
            by_word = by_word[:, gram_order]
        idf, lengths = _document_vectors(held, by_word)
        by_gram, by_column = by_word.tocsc(), held.tocsc()
        by_gram.sort_indices()
        by_column.sort_indices()
        return cls(
            encoded[order],
            by_column.indptr.astype(np.int64),
            by_column.indices.astype(row_type(n_documents)),
            names[gram_order],
            by_gram.indptr.astype(np.int64),
            by_gram.indices.astype(row_type(len(words))),
            np.minimum(by_gram.data, 255).astype(np.uint8),
            idf,
            lengths,
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays to be stored, by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def like(self, words: Iterable[str]) -> Likeness:
        """Compare documents with the words of a query.

        Parameters
        ----------
        words : iterable of str
            Folded and unstemmed.

        Returns
        -------
        Likeness
        """
        counts = Counter(gram for word in words for gram in char_grams(word))
        rows, factors = [], []
        for gram, count in counts.items():
            row = self._names.position(gram)
            if 0 <= row < len(self.idf):
                rows.append(row)
                factors.append(1 + math.log(count))
        if not rows:
            return Likeness(self, [], [])
        chosen = np.array(rows)
        idf = self.idf[chosen]
        weights = np.array(factors) * idf
        # The n-gram counts on the side of the documents, too.
        weights *= idf / np.sqrt(weights @ weights)
        starts = self.gram_starts[chosen]
        lengths = self.gram_starts[chosen + 1] - starts
        # Where the postings lie, list after list.
        places = np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        places += np.arange(len(places))
        holders = self.gram_words[places]
        shares = np.repeat(weights, lengths)
        shares *= self.gram_counts[places]
        scores = np.bincount(holders, shares, minlength=len(self.words))
        kept = np.flatnonzero(scores > LIKE_ENOUGH * scores.max())
        return Likeness(self, kept.tolist(), scores[kept].tolist())


class Likeness:
    """Documents compared with the words of one query.

    Parameters
    ----------
    index : GramIndex
        Of the documents.
    words : sequence of int
        Its words that are spelt like the query.
    scores : sequence of float
        How much each adds to a document that holds it.
    """

    def __init__(self, index: GramIndex, words: Sequence[int], scores: Sequence[float]) -> None:
        self._lengths = index.lengths
        self._sums: Sums = index.lists.sums(words, scores)

    def top(
        self, n: int, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Give the documents that are spelt most like the query.

        Parameters
        ----------
        n : int
            How many at most.
        allowed : ndarray of shape (n_documents,), bool, optional
            Only these.

        Returns
        -------
        documents : ndarray of shape (n_found,), int64
            Rising; of equals the first.
        cosines : ndarray of shape (n_found,), float32
        """
        return self._sums.top(n, allowed, self._lengths)

    def at(self, documents: npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Give the cosines of chosen documents.

        Parameters
        ----------
        documents : ndarray of shape (n_chosen,), int
            Which, each once.

        Returns
        -------
        ndarray of shape (n_chosen,), float32
            In [0, 1].
        """
        cosines: FloatArray = self._sums.at(documents) / self._lengths[documents]
        return cosines


def _document_vectors(
    held: sp.csr_matrix, by_word: sp.csr_matrix, at_once: int = 20_000
) -> tuple[FloatArray, FloatArray]:
    """Give each n-gram's inverse document frequency, and the length of each document's vector.

    The product of documents and n-grams is large, so it is made and forgotten in parts.
    """
    n_documents, n_grams = held.shape[0], by_word.shape[1]
    frequency = np.zeros(n_grams, np.int64)
    starts = range(0, n_documents, at_once)
    part = None
    for first in starts:
        part = held[first : first + at_once] @ by_word
        frequency += np.bincount(part.indices, minlength=n_grams)
    idf = (np.log((1 + n_documents) / (1 + frequency)) + 1).astype(np.float32)
    lengths = np.ones(n_documents, np.float32)
    for first in starts:
        if part is None or len(starts) > 1:
            part = held[first : first + at_once] @ by_word
        squares = np.bincount(
            np.repeat(np.arange(part.shape[0]), np.diff(part.indptr)),
            np.square(part.data * idf[part.indices]),
            minlength=part.shape[0],
        )
        lengths[first : first + at_once] = np.where(squares > 0, np.sqrt(squares), 1.0)
    return idf, lengths
