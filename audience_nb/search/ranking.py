"""Candidates of every channel, scored against the whole query and against its ideas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.embedding import Encoder
from audience_nb.search.fusion import Evidence, Weights, fuse, slot_evidence
from audience_nb.search.lexical import char_grams
from audience_nb.search.postings import Postings
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.vectors import VectorStore, unit_rows

__all__ = ["Ranker", "Ranking", "Scored"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Candidates that each channel sends to the exact rescoring.
CANDIDATES = 100
MAX_FACETS = 5
# A part of a query that the catalogue answers this much worse than the others is no idea.
IDEA_PEAK = 0.6
# Where one variable serves every idea this well, beside the best for each, the query is one idea.
SERVES_ALL = 0.25


@dataclass(frozen=True)
class Scored:
    """One reading against all candidates.

    Parameters
    ----------
    reading : Reading
        What was asked.
    score : ndarray of shape (n_candidates,), float64
        In [0, 1].
    parts : dict of str to ndarray of shape (n_candidates,)
        They add up to the score.
    evidence : Evidence
        Of the words.
    meaning : ndarray of shape (n_candidates,) or None
        Cosines.
    """

    reading: Reading
    score: npt.NDArray[np.float64]
    parts: dict[str, npt.NDArray[np.float64]]
    evidence: Evidence
    meaning: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class Ranking:
    """Candidates and their scores.

    Parameters
    ----------
    documents : ndarray of shape (n_candidates,), int64
        Rising.
    whole : Scored
        Against the whole query.
    facets : list of Scored
        Against each part of it; empty if it has but one.
    """

    documents: npt.NDArray[np.int64]
    whole: Scored
    facets: list[Scored]


class Ranker:
    """Scores documents for a reading.

    Parameters
    ----------
    reader : Reader
        Reads the parts of a compound query.
    words, grams : Postings
        Of terms and of character n-grams.
    encoder : Encoder or None
        Encodes queries.
    store : VectorStore or None
        The documents' vectors.
    variant_terms : frozenset of str
        Terms that only choose among the variants of a document.
    weights : Weights
        Of the channels.
    """

    def __init__(
        self,
        reader: Reader,
        words: Postings,
        grams: Postings,
        encoder: Encoder | None,
        store: VectorStore | None,
        variant_terms: frozenset[str],
        weights: Weights,
    ) -> None:
        self.reader, self.words, self.grams = reader, words, grams
        self.encoder, self.store = encoder, store
        self.variant_terms, self.weights = variant_terms, weights

    def rank(self, reading: Reading, open_documents: Mask | None) -> Ranking:
        """Score candidates against the whole query and its parts.

        Parameters
        ----------
        reading : Reading
            Of the query.
        open_documents : ndarray of shape (n_documents,), bool, or None
            Those that may be found; None for all.

        Returns
        -------
        Ranking
        """
        readings = [reading]
        if len(reading.facets) > 1:
            readings += [self.reader.read(facet) for facet in reading.facets[:MAX_FACETS]]
        vectors = self.encode(readings)
        candidates = [
            self._candidates(r, None if vectors is None else vectors[i], open_documents)
            for i, r in enumerate(readings)
        ]
        documents = np.unique(np.concatenate([c for c, _ in candidates]))
        scored = []
        for i, (one, (_, spelling)) in enumerate(zip(readings, candidates, strict=True)):
            evidence = slot_evidence(one.slots, self.words, documents, self.variant_terms)
            meaning = None
            if vectors is not None and self.store is not None:
                meaning = self.store.scores(vectors[i], documents).astype(np.float64)
            near = spelling[documents].astype(np.float64)
            score, parts = fuse(meaning, evidence, near, self.weights)
            scored.append(Scored(one, score, parts, evidence, meaning))
        return Ranking(documents, scored[0], scored[1:])

    def encode(self, readings: Sequence[Reading]) -> npt.NDArray[np.float32] | None:
        """Give a vector for each reading: between what was said and what was meant by it.

        Parameters
        ----------
        readings : sequence of Reading
            Queries or parts of one.

        Returns
        -------
        ndarray of shape (n_readings, n_dimensions), float32, or None
            None without an encoder.
        """
        if self.encoder is None or self.store is None:
            return None
        texts = list(dict.fromkeys(t for r in readings for t in (r.text, r.meant)))
        place = {text: i for i, text in enumerate(texts)}
        vectors = self.encoder.encode(texts)
        return unit_rows(
            np.stack([vectors[place[r.text]] + vectors[place[r.meant]] for r in readings])
        )

    def _candidates(
        self,
        reading: Reading,
        vector: npt.NDArray[np.float32] | None,
        open_documents: Mask | None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Give the union of each channel's best documents, and all spelling scores."""
        terms: dict[str, float] = {}
        for slot in reading.slots:
            terms[slot.term] = max(1.0, terms.get(slot.term, 0))
            for term, weight, _ in slot.alternatives:
                terms[term] = max(weight, terms.get(term, 0))
        words = self.words.scores(terms)
        spelling = self.grams.scores(Counter(g for w in reading.words for g in char_grams(w)))
        nearest: list[npt.NDArray[np.int64]] = []
        if vector is not None and self.store is not None:
            if open_documents is None:
                nearest.append(self.store.search(vector, CANDIDATES)[0])
            else:
                rows = np.flatnonzero(open_documents)
                nearest.append(rows[_top(self.store.scores(vector, rows), CANDIDATES)])
        if open_documents is not None:
            words, spelling = words * open_documents, spelling * open_documents
        nearest += [_top(channel, CANDIDATES) for channel in (words, spelling)]
        found = np.unique(np.concatenate(nearest))
        if open_documents is not None:
            found = found[open_documents[found]]
        return found, spelling


def ideas(ranking: Ranking) -> list[Scored]:
    """Give the ideas of a compound query.

    Parameters
    ----------
    ranking : Ranking
        Of the query and its parts.

    Returns
    -------
    list of Scored
        At least two, or none: if the parts are no ideas, or one variable serves them all.
    """
    peaks = [f.score.max(initial=0) for f in ranking.facets]
    kept = [f for f, p in zip(ranking.facets, peaks, strict=True) if p > IDEA_PEAK * max(peaks)]
    if len(kept) < 2:
        return []
    whole = ranking.whole.meaning
    near = [f.meaning.max(initial=0) for f in kept if f.meaning is not None]
    if whole is not None and whole.max(initial=0) >= np.mean(near):
        # The catalogue knows the query as a whole better than its parts.
        return []
    served = np.min([f.score / f.score.max() for f in kept], axis=0)
    return kept if served.max() < SERVES_ALL else []


def _top(scores: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.int64]:
    """Give the rows of the n largest positive scores; of equal ones the first."""
    rows = np.flatnonzero(scores > 0)
    if len(rows) <= n:
        return rows
    # The n-th largest decides; ties at the edge are settled by row, so that runs agree.
    values = scores[rows]
    edge = np.partition(values, len(values) - n)[len(values) - n]
    above = rows[values > edge]
    return np.concatenate([above, rows[values == edge][: n - len(above)]])
