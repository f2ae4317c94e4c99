"""Candidates of every channel, scored against the whole query and against its ideas."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Kind
from audience_nb.embedding import Encoder
from audience_nb.errors import AudienceError, Cancelled, EncoderFailed
from audience_nb.search.fusion import Evidence, Wanted, Weights, fuse
from audience_nb.search.grams import GramIndex, Likeness
from audience_nb.search.latent import LatentEncoder, with_latent
from audience_nb.search.postings import Postings
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.vectors import VectorStore, unit_rows

__all__ = ["Ranker", "Ranking", "Scored"]

logger = logging.getLogger(__name__)

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

# An encoder that fails after more than so many seconds is left alone for so many times as long:
# a server that is gone must not make every query wait for it.
PATIENT_S, RESTS = 1.0, 10.0
# Candidates that each channel sends to the exact rescoring.
CANDIDATES = 100
MAX_FACETS = 5
# Where no word of a query is known, less than this is what any two texts have in common: the
# spread of cosines of unrelated texts, of which the largest of n is √(2 ln n) times as large.
NOISE_MEANING, NOISE_SPELLING = 0.06, 0.3
# A part of a query that the catalogue answers this much worse than the others is no idea.
IDEA_PEAK = 0.6
# A variable that covers this much of a query leaves no part of it to others.
ANSWERS_ALL = 0.85
# A catalogue that knows the whole query so much better than its parts, on average, knows one idea.
KNOWS_WHOLE = 1.1
# Where one variable serves every idea this well, beside the best for each, the query is one idea.
SERVES_ALL = 0.45
# The one idea that a small catalogue knows leads the list if a variable says just that.
MET_IN_FULL = 0.95


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
    vector : ndarray of shape (n_dimensions,) or None
        Of the reading.
    """

    reading: Reading
    score: npt.NDArray[np.float64]
    parts: dict[str, npt.NDArray[np.float64]]
    evidence: Evidence
    meaning: npt.NDArray[np.float64] | None
    vector: npt.NDArray[np.float32] | None = None


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
    words : Postings
        Of terms.
    grams : GramIndex
        Of character n-grams.
    encoder : Encoder or None
        Encodes queries.
    store : VectorStore or None
        The documents' vectors.
    offered : mapping of str to ndarray of int32
        Terms that choose among the variants of a document, and the documents that have one.
    weights : Weights
        Of the channels.
    burden : ndarray of shape (n_documents, 2), optional
        As `Documents.burden` gives it.
    kinds : ndarray of shape (n_documents,), optional
        As `Documents.kinds` gives them.
    """

    def __init__(
        self,
        reader: Reader,
        words: Postings,
        grams: GramIndex,
        encoder: Encoder | None,
        store: VectorStore | None,
        offered: Mapping[str, npt.NDArray[np.int32]],
        weights: Weights,
        burden: npt.NDArray[np.float32] | None = None,
        kinds: npt.NDArray[np.int8] | None = None,
    ) -> None:
        self.burden, self.kinds = burden, kinds
        self.reader, self.words, self.grams = reader, words, grams
        self.encoder, self.store = encoder, store
        # Why the last query went without meaning, if it did.
        self.failure: Exception | None = None
        self._asked_again_at = 0.0
        self.offered, self.weights = offered, weights

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
        if reading.is_empty:
            # Signs or pictures alone: whatever came would be noise.
            return _nothing(reading, self.weights)
        readings, likeness = [reading], [self.grams.like(reading.words)]
        wanted = [Wanted(reading.slots, self.words, self.offered)]
        found = list(self._candidates(reading, likeness[0], open_documents))
        if len(reading.facets) > 1 and not _one_serves(wanted[0], found[0]):
            for facet in reading.facets[:MAX_FACETS]:
                part = self.reader.read(facet)
                readings.append(part)
                wanted.append(Wanted(part.slots, self.words, self.offered))
                likeness.append(self.grams.like(part.words))
                found += self._candidates(part, likeness[-1], open_documents)
        vectors = self.encode(readings)
        documents = np.unique(np.concatenate(found + self._nearest(vectors, open_documents)))
        meanings: list[npt.NDArray[np.float64] | None] = [None] * len(readings)
        if vectors is not None and self.store is not None:
            meanings = list(self.store.scores_all(vectors, documents).astype(np.float64))
        burden = None if self.burden is None else self.burden[documents].astype(np.float64)
        scored: list[Scored] = []
        # Latent directions know no word that the catalogue does not: they settle only what words
        # leave open, and decide nothing else.
        latent = isinstance(self.encoder, LatentEncoder)
        for one, words, like, near in zip(readings, wanted, likeness, meanings, strict=True):
            meaning = None if latent else near
            evidence = words.among(documents)
            spelling = like.at(documents).astype(np.float64)
            if one is reading and self._is_noise(evidence, spelling, meaning):
                return _nothing(reading, self.weights)
            intent = self._intent(one, documents)
            score, parts = fuse(meaning, evidence, spelling, self.weights, burden, intent)
            if latent and near is not None:
                score, parts = with_latent(score, parts, near)
            vector = None if vectors is None else vectors[len(scored)]
            scored.append(Scored(one, score, parts, evidence, meaning, vector))
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
            None without an encoder, or where it fails: an answer by words is better than none,
            and `failure` says why. Of each reading the mean over its text, its plain meaning,
            and, of the first, its words without those that all sentences have.
        """
        if self.encoder is None or self.store is None:
            return None
        # One call for all, each text once: a call costs more than a text.
        said = [[r.text, r.meant] for r in readings]
        said[0].append(" ".join(readings[0].words) or readings[0].text)
        place = {text: i for i, text in enumerate(dict.fromkeys(t for ts in said for t in ts))}
        began = time.monotonic()
        if self.failure is not None and began < self._asked_again_at:
            return None
        try:
            vectors = self._encoded(self.encoder, list(place), self.store.n_dimensions)
        except Cancelled:
            raise
        # Whatever an encoder raises: an answer by words is better than none.
        except Exception as error:
            self.failure = error
            took = time.monotonic() - began
            self._asked_again_at = began + (1 + RESTS) * took if took > PATIENT_S else 0.0
            # What others raise may hold what was sent.
            told = str(error) if isinstance(error, AudienceError) else type(error).__name__
            logger.warning("A query goes without meaning: %s", told)
            return None
        self.failure = None
        return unit_rows(np.stack([vectors[[place[t] for t in texts]].sum(0) for texts in said]))

    @staticmethod
    def _encoded(encoder: Encoder, texts: list[str], n_dimensions: int) -> npt.NDArray[np.float32]:
        vectors = np.asarray(encoder.encode(texts), np.float32)
        if vectors.shape != (len(texts), n_dimensions) or not np.isfinite(vectors).all():
            raise EncoderFailed(
                f"{encoder.name} gave no {len(texts)} finite vectors of {n_dimensions} dimensions.",
                "Use another encoder.",
            )
        return vectors

    def _is_noise(
        self,
        evidence: Evidence,
        spelling: npt.NDArray[np.float64],
        meaning: npt.NDArray[np.float64] | None,
    ) -> bool:
        """Tell whether the best of all candidates is no better than chance."""
        chance = NOISE_MEANING * np.sqrt(2 * np.log(1 + self.words.n_documents))
        return bool(
            evidence.covered.max(initial=0) == 0
            and spelling.max(initial=0) < NOISE_SPELLING
            and (0.0 if meaning is None else meaning.max(initial=0)) < chance
        )

    def _intent(
        self, reading: Reading, documents: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64] | None:
        """Give how much the kind of each document is what is meant, the likeliest as 1."""
        if not reading.intents or self.kinds is None:
            return None
        if self.weights.formula == "adaptive" and any(i.because for i in reading.intents):
            # Read from the words, which have been counted: counted twice they do harm.
            return None
        shares = np.zeros(len(get_args(Kind)) + 1)
        for intent in reading.intents:
            shares[get_args(Kind).index(intent.kind)] = intent.share
        fit: npt.NDArray[np.float64] = (shares / shares.max())[self.kinds[documents]]
        return fit

    def _nearest(
        self, vectors: npt.NDArray[np.float32] | None, open_documents: Mask | None
    ) -> list[npt.NDArray[np.int64]]:
        """Give the documents nearest in meaning to each reading."""
        if vectors is None or self.store is None:
            return []
        return [rows for rows, _ in self.store.search_all(vectors, CANDIDATES, open_documents)]

    def _candidates(
        self, reading: Reading, like: Likeness, open_documents: Mask | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give the best documents by words, and by spelling."""
        terms: dict[str, float] = {}
        for slot in reading.slots:
            terms[slot.term] = max(1.0, terms.get(slot.term, 0))
            for term, weight, _ in slot.alternatives:
                terms[term] = max(weight, terms.get(term, 0))
        words, _ = self.words.sums(terms).top(CANDIDATES, open_documents)
        spelling, _ = like.top(CANDIDATES, open_documents)
        return words, spelling


def _one_serves(wanted: Wanted, documents: npt.NDArray[np.int64]) -> bool:
    """Tell whether some variable answers all that is said, so that no part is looked at."""
    return bool(wanted.among(documents).covered.max(initial=0) > ANSWERS_ALL)


def _nothing(reading: Reading, weights: Weights) -> Ranking:
    nothing = np.zeros(0)
    none = np.zeros((0, 0))
    evidence = Evidence(none, none, nothing, nothing)
    score, parts = fuse(nothing, evidence, nothing, weights)
    return Ranking(np.zeros(0, np.int64), Scored(reading, score, parts, evidence, None), [])


def ideas(ranking: Ranking) -> list[Scored]:
    """Give the ideas of a compound query.

    Parameters
    ----------
    ranking : Ranking
        Of the query and its parts.

    Returns
    -------
    list of Scored
        None if the parts are no ideas, or one variable serves them all; one if it is met in full
        and the catalogue knows little of the others.
    """
    peaks = [f.score.max(initial=0) for f in ranking.facets]
    kept = [f for f, p in zip(ranking.facets, peaks, strict=True) if p > IDEA_PEAK * max(peaks)]
    if len(kept) == 1 and max(peaks) >= MET_IN_FULL:
        return kept
    if len(kept) < 2:
        return []
    whole = ranking.whole.meaning
    near = [f.meaning.max(initial=0) for f in kept if f.meaning is not None]
    if whole is not None and whole.max(initial=0) > KNOWS_WHOLE * np.mean(near):
        # The catalogue knows the query as a whole better than its parts.
        return []
    served = np.min([f.score / f.score.max() for f in kept], axis=0)
    return kept if served.max() < SERVES_ALL else []
