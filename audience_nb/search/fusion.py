"""Channels to one score: a union of candidates, rescored exactly, in parts that add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.postings import Postings
from audience_nb.search.reading import Slot

__all__ = ["Evidence", "Weights", "fuse", "slot_evidence"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Weights:
    """How much each channel counts where it says all it can.

    Parameters
    ----------
    meaning, words, spelling : float
        Not negative. Concepts share the weight of words: they are terms of the same kind.
    trust : float
        Power of the coverage that scales words and spelling: a query whose words the catalogue
        does not know is answered by meaning.
    """

    meaning: float = 0.35
    words: float = 0.5
    spelling: float = 0.15
    trust: float = 2.0


@dataclass(frozen=True)
class Evidence:
    """What each slot of a query finds in each candidate.

    Parameters
    ----------
    literal, implied : ndarray of shape (n_slots, n_candidates), float64
        Contribution of the word itself, and what its alternatives add to it; their sum over all
        slots is a cosine.
    covered : ndarray of shape (n_candidates,), float64
        Share of the query's weight that the candidate answers, in [0, 1].
    """

    literal: FloatArray
    implied: FloatArray
    covered: FloatArray


def slot_evidence(
    slots: tuple[Slot, ...],
    postings: Postings,
    documents: IntArray,
    ignored: Collection[str] = (),
) -> Evidence:
    """Weigh the words of a query in chosen documents.

    Parameters
    ----------
    slots : tuple of Slot
        The query.
    postings : Postings
        Of the documents.
    documents : ndarray of shape (n_candidates,), int
        Rows of the postings.
    ignored : collection of str, optional
        Terms that no document needs to have: they choose among a document's variants.

    Returns
    -------
    Evidence
    """
    literal = np.zeros((len(slots), len(documents)))
    implied = np.zeros_like(literal)
    importance = np.zeros(len(slots))
    fulfilled = np.zeros_like(literal)
    most_rare = float(postings.idf.max()) if len(postings.idf) else 1.0
    squares = 0.0
    for i, slot in enumerate(slots):
        strongest = 0.0
        row = postings.position(slot.term)
        if row >= 0:
            idf = float(postings.idf[row])
            strongest = idf
            literal[i] = idf * postings.weights_of(row, documents)
            fulfilled[i] = literal[i] > 0
        other = np.zeros(len(documents))
        for term, weight, _ in slot.alternatives:
            at = postings.position(term)
            if at < 0:
                continue
            idf = float(postings.idf[at])
            gain = weight * idf * postings.weights_of(at, documents)
            np.maximum(other, gain, out=other)
            np.maximum(fulfilled[i], np.where(gain > 0, weight, 0.0), out=fulfilled[i])
            strongest = max(strongest, weight * idf)
        implied[i] = np.maximum(other - literal[i], 0)
        squares += strongest**2
        dispensable = slot.optional or slot.term in ignored
        importance[i] = strongest or (0.0 if dispensable else most_rare)
    length = np.sqrt(squares) or 1.0
    covered = importance @ fulfilled / (importance.sum() or 1.0)
    return Evidence(literal / length, implied / length, covered)


def fuse(
    meaning: FloatArray | None,
    evidence: Evidence,
    spelling: FloatArray,
    weights: Weights,
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Add up channels so that the parts are the score.

    Each channel is divided by its largest value among the candidates. Words and spelling are
    scaled by ``coverage ** trust``, the coverage being that of the best candidate, and the sum is
    scaled to the strongest evidence there is, so that a score compares across queries.

    Parameters
    ----------
    meaning : ndarray of shape (n_candidates,) or None
        Cosines of vectors; None without an encoder.
    evidence : Evidence
        Of the words.
    spelling : ndarray of shape (n_candidates,)
        Cosines of character n-grams.
    weights : Weights
        Of the channels.

    Returns
    -------
    score : ndarray of shape (n_candidates,)
        In [0, 1].
    parts : dict of str to ndarray
        "meaning", "words", "concepts", "spelling"; they add up to the score.
    """
    words = evidence.literal.sum(0) + evidence.implied.sum(0)
    coverage = float(evidence.covered.max(initial=0.0))
    trust = coverage**weights.trust if meaning is not None else 1.0
    channels: dict[str, tuple[FloatArray, float]] = {
        "words": (evidence.literal.sum(0), weights.words * trust / (words.max(initial=0) or 1)),
        "concepts": (evidence.implied.sum(0), weights.words * trust / (words.max(initial=0) or 1)),
        "spelling": (spelling, weights.spelling * trust / (spelling.max(initial=0) or 1)),
    }
    strength = max(
        float(words.max(initial=0)) * coverage, float(spelling.max(initial=0)) * coverage
    )
    if meaning is not None:
        meaning = np.maximum(meaning, 0)
        top = float(meaning.max(initial=0))
        channels = {"meaning": (meaning, weights.meaning / (top or 1)), **channels}
        strength = max(strength, top)
    parts: Mapping[str, FloatArray] = {k: channel * w for k, (channel, w) in channels.items()}
    total = np.sum(list(parts.values()), axis=0)
    scale = min(strength, 1.0) / (float(total.max(initial=0)) or 1.0)
    scaled = {name: part * scale for name, part in parts.items()}
    return np.clip(total * scale, 0.0, 1.0), scaled
