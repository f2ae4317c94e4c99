"""Channels to one score: candidates of every channel, in parts that add up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput
from audience_nb.search.postings import Postings
from audience_nb.search.reading import Slot

__all__ = ["Evidence", "Preset", "Wanted", "Weights", "fuse", "slot_evidence"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
Preset: TypeAlias = Literal["adaptive", "40/30/30", "60/40"]

# Power of an alternative's weight in the coverage: a synonym at .65 answers for .81 of its word.
_DOUBT = 0.5


@dataclass(frozen=True)
class Weights:
    """How much each channel counts, and how they are put together.

    The default, "adaptive", weighs words by how well the query is covered:

    ``(meaning · m + t · (coverage · c ** sharpness + words · w) + spelling · s · C)
    · exp(-t · (root · b0 + path · b1))``

    with m, w and s the cosines of vectors, terms and character n-grams, divided by the largest
    among the candidates, c the share of the query that a candidate answers, C the share that the
    best one answers, ``t = C ** trust``, and b0, b1 how much stands above the variable's own label
    (`Documents.burden`): a query that names no qualifier means the variable without. The constants
    were learned by `benchmarks/learn_weights.py` on judged queries over census columns, an audience
    taxonomy and survey statements, in English and French, by ascending a smooth nDCG@10 (Qin, Liu
    & Li 2010, ApproxNDCG); learned on some of these sorts they do about as well on the others.

    Parameters
    ----------
    meaning, coverage, words, spelling : float
        Of the channels, not negative. Concepts have no weight of their own: what a word stands
        for counts as that word, less sure.
    sharpness : float
        Power of a candidate's coverage: half an answer is worth less than half.
    trust : float
        Power of the best coverage that scales words: a query whose words the catalogue does not
        know is answered by meaning.
    root, path : float
        Of the burden, not negative.
    intent : float
        What a variable loses of its score, in [0, 1], whose kind is not what is meant: only where
        the intents are given, as those read from the words lowered nDCG@10 on the taxonomy.
    formula : {"adaptive", "40/30/30", "60/40"}
        See `named`.
    """

    meaning: float = 0.28
    coverage: float = 0.40
    words: float = 0.19
    spelling: float = 0.13
    sharpness: float = 1.55
    trust: float = 0.65
    root: float = 0.25
    path: float = 0.10
    intent: float = 0.3
    formula: Preset = "adaptive"

    @classmethod
    def named(cls, name: str) -> Weights:
        """Give weights by name.

        Parameters
        ----------
        name : {"adaptive", "40/30/30", "60/40"}
            Our default, or the formulas of the document this package follows: "40/30/30" is
            .4 TF-IDF cosine + .3 keywords with synonyms + .3 intent, "60/40" is .6 cosine of
            embeddings + .4 TF-IDF cosine; neither is normalised.

        Returns
        -------
        Weights

        Raises
        ------
        InvalidInput
            If there are none of that name.

        Examples
        --------
        >>> Weights.named("60/40").meaning
        0.6
        """
        presets: dict[str, Weights] = {
            "adaptive": cls(),
            "40/30/30": cls(0.0, 0.3, 0.4, 0.0, 1.0, 0.0, 0.0, 0.0, 0.3, "40/30/30"),
            "60/40": cls(0.6, 0.0, 0.4, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, "60/40"),
        }
        if name not in presets:
            raise InvalidInput(
                f"There are no weights named {name!r}.",
                f"Use one of: {', '.join(get_args(Preset))}.",
            )
        return presets[name]


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
    said : ndarray of shape (n_candidates,), float64
        The part of `covered` that it answers in the query's own words.
    literal_share : float
        Length of the query by its own words alone, over its length with alternatives.
    """

    literal: FloatArray
    implied: FloatArray
    covered: FloatArray
    said: FloatArray
    literal_share: float = 1.0


def slot_evidence(
    slots: tuple[Slot, ...],
    postings: Postings,
    documents: IntArray,
    offered: Mapping[str, IntArray] | None = None,
) -> Evidence:
    """Weigh the words of a query in chosen documents.

    Parameters
    ----------
    slots : tuple of Slot
        The query.
    postings : Postings
        Of the documents.
    documents : ndarray of shape (n_candidates,), int
        Rows of the postings, each once.
    offered : mapping of str to ndarray of int, optional
        Terms that choose among the variants of a document, and the rows, ascending, of those that
        have such a variant: it answers them as well as the document itself.

    Returns
    -------
    Evidence
    """
    return Wanted(slots, postings, offered).among(documents)


class Wanted:
    """The words of a query, looked up once for all the documents that are weighed for them.

    Parameters
    ----------
    slots, postings, offered
        As for `slot_evidence`.

    Examples
    --------
    >>> postings = Postings.build([["cat", "dog"], ["eel"]])
    >>> Wanted((Slot("dogs", "dog"),), postings).among(np.array([0, 1])).covered.tolist()
    [1.0, 0.0]
    """

    def __init__(
        self,
        slots: tuple[Slot, ...],
        postings: Postings,
        offered: Mapping[str, IntArray] | None = None,
    ) -> None:
        n_slots = len(slots)
        places: dict[int, int] = {}
        own = np.full(n_slots, -1)
        others: list[tuple[int, int, float]] = []
        for i, slot in enumerate(slots):
            row = postings.position(slot.term)
            if row >= 0:
                own[i] = places.setdefault(row, len(places))
            for term, weight, _ in slot.alternatives:
                row = postings.position(term)
                if row >= 0:
                    others.append((i, places.setdefault(row, len(places)), weight))
        self._postings, self._rows, self._n_slots = postings, list(places), n_slots
        self._idf: FloatArray = postings.idf[self._rows].astype(np.float64)
        self._known = np.flatnonzero(own >= 0)
        self._own = own[self._known]
        own_idf = np.zeros(n_slots)
        own_idf[self._known] = self._idf[self._own]
        strongest, rarest = own_idf.copy(), np.zeros(n_slots)
        # In order of their slots, so that each slot's alternatives are neighbours.
        table = np.array(others, np.float64).reshape(-1, 3)
        of_slot, self._place = table[:, 0].astype(np.intp), table[:, 1].astype(np.intp)
        self._sureness = table[:, 2]
        self._firsts = np.flatnonzero(np.diff(of_slot, prepend=-1))
        self._with_others = of_slot[self._firsts]
        if others:
            idf = self._idf[self._place]
            best = np.maximum.reduceat(self._sureness * idf, self._firsts)
            strongest[self._with_others] = np.maximum(strongest[self._with_others], best)
            rarest[self._with_others] = np.maximum.reduceat(idf, self._firsts)
        importance = own_idf.copy()
        unknown = own < 0
        importance[unknown] = rarest[unknown]
        # Slot, the documents that offer a variant for it, and how surely.
        self._offered: list[tuple[int, IntArray, float]] = []
        offered = offered or {}
        for i, slot in enumerate(slots):
            for term, weight in ((slot.term, 1.0), *((t, w) for t, w, _ in slot.alternatives)):
                rows = offered.get(term)
                if rows is None or not len(rows) or not importance[i]:
                    continue
                self._offered.append((i, rows, weight))
                if weight == 1.0:
                    # As common as the variants make it.
                    common = 1 + len(rows) + postings.frequency(term)
                    importance[i] = min(
                        importance[i], math.log((1 + postings.n_documents) / common) + 1
                    )
        dispensable = np.array([s.optional or s.term in offered for s in slots], bool)
        importance[(importance == 0) & ~dispensable] = postings.rarest
        self._importance: FloatArray = importance / (importance.sum() or 1.0)
        self._length = math.sqrt(float(strongest @ strongest)) or 1.0
        self._literal_share = math.sqrt(float(own_idf @ own_idf)) / self._length

    def among(self, documents: IntArray) -> Evidence:
        """Weigh the words in chosen documents.

        Parameters
        ----------
        documents : ndarray of shape (n_candidates,), int
            Rows of the postings, each once.

        Returns
        -------
        Evidence
        """
        # All terms at once: a list read once serves every slot.
        held = self._idf[:, None] * self._postings.weights_at(self._rows, documents)
        literal = np.zeros((self._n_slots, len(documents)))
        literal[self._known] = held[self._own]
        said = (literal > 0).astype(np.float64)
        implied = np.zeros_like(literal)
        fulfilled = said.copy()
        if len(self._firsts):
            there = held[self._place]
            sure = there > 0
            gain = np.maximum.reduceat(self._sureness[:, None] * there, self._firsts, axis=0)
            implied[self._with_others] = np.maximum(gain - literal[self._with_others], 0)
            surest = np.maximum.reduceat(
                (self._sureness**_DOUBT)[:, None] * sure, self._firsts, axis=0
            )
            fulfilled[self._with_others] = np.maximum(fulfilled[self._with_others], surest)
        for i, rows, weight in self._offered:
            # Of one type: numpy would copy all rows to compare them.
            keys = documents.astype(rows.dtype)
            has = (rows[np.minimum(rows.searchsorted(keys), len(rows) - 1)] == keys) * (
                weight**_DOUBT
            )
            np.maximum(fulfilled[i], has, out=fulfilled[i])
            if weight == 1.0:
                np.maximum(said[i], has, out=said[i])
        return Evidence(
            literal / self._length,
            implied / self._length,
            self._importance @ fulfilled,
            self._importance @ said,
            self._literal_share,
        )


def fuse(
    meaning: FloatArray | None,
    evidence: Evidence,
    spelling: FloatArray,
    weights: Weights,
    burden: FloatArray | None = None,
    intent: FloatArray | None = None,
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Add up channels so that the parts are the score.

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
    burden : ndarray of shape (n_candidates, 2), optional
        As `Documents.burden` gives it.
    intent : ndarray of shape (n_candidates,), optional
        How much the kind of each candidate is what is meant, in [0, 1].

    Returns
    -------
    score : ndarray of shape (n_candidates,)
        In [0, 1].
    parts : dict of str to ndarray
        "meaning", "words", "concepts", "spelling", and "intent" where the formula has it; they
        add up to the score.
    """
    if weights.formula != "adaptive":
        parts = _as_documented(meaning, evidence, weights, intent)
        return np.clip(np.sum(list(parts.values()), axis=0), 0.0, 1.0), parts
    near = None if meaning is None else np.maximum(meaning, 0)
    literal, implied = evidence.literal.sum(0), evidence.implied.sum(0)
    closest = float((literal + implied).max(initial=0))
    spelt = float(spelling.max(initial=0))
    covered = evidence.covered
    coverage = float(covered.max(initial=0))
    trust = coverage**weights.trust if near is not None else float(coverage > 0)
    answered = trust * weights.coverage * covered**weights.sharpness
    said = evidence.said / np.where(covered > 0, covered, 1.0)
    cosine = trust * weights.words / (closest or 1.0)
    likeness = weights.spelling * (coverage if near is not None else 1.0) / (spelt or 1.0)
    parts = {
        "words": answered * said + cosine * literal,
        "concepts": answered * (1 - said) + cosine * implied,
        "spelling": likeness * spelling,
    }
    strength = max(closest, spelt) * coverage
    if near is not None:
        top = float(near.max(initial=0))
        parts = {"meaning": weights.meaning * near / (top or 1.0), **parts}
        strength = max(strength, top)
    factor: FloatArray = np.ones(len(covered))
    if burden is not None:
        factor *= np.exp(-trust * (weights.root * burden[:, 0] + weights.path * burden[:, 1]))
    if intent is not None:
        factor *= 1 - weights.intent * (1 - intent)
    total = np.sum(list(parts.values()), axis=0) * factor
    # Scaled to the strongest evidence there is, so that a score compares across queries.
    factor *= min(strength, 1.0) / (float(total.max(initial=0)) or 1.0)
    parts = {name: part * factor for name, part in parts.items()}
    return np.clip(np.sum(list(parts.values()), axis=0), 0.0, 1.0), parts


def _as_documented(
    meaning: FloatArray | None, evidence: Evidence, weights: Weights, intent: FloatArray | None
) -> dict[str, FloatArray]:
    """Add up the channels as the source document does, as they are."""
    tf_idf = evidence.literal.sum(0) / (evidence.literal_share or 1.0)
    parts = {"words": weights.words * np.minimum(tf_idf, 1.0)}
    if weights.formula == "60/40":
        near = np.zeros_like(tf_idf) if meaning is None else np.clip(meaning, 0, 1)
        return {"meaning": weights.meaning * near, **parts}
    parts["concepts"] = weights.coverage * evidence.covered
    parts["intent"] = weights.intent * (np.zeros_like(tf_idf) if intent is None else intent)
    return parts
