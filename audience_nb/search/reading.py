"""What a query says: words, what they stand for, ranges, concepts, misspellings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from audience_nb.search.concepts import (
    CONCEPT_WEIGHT,
    RELATION_WEIGHTS,
    Concept,
    Concepts,
)
from audience_nb.search.lexical import Analyzer, fold, guess_language
from audience_nb.search.postings import Postings

__all__ = ["Reader", "Reading", "Slot", "range_words"]

# A range that lies inside the one asked for counts almost as that one.
_INSIDE_RANGE = 0.7
# The first terms of a concept say it best, and a range says it most exactly.
_FADING = 0.03
_CONCEPT_RANGE = 0.75
# A word that begins as the one typed.
_PREFIX = 0.7
_MAX_COMPLETIONS = 5
_RANGE_TERM = re.compile(r"^(\d+(?:\.\d+)?)_(up|\d+(?:\.\d+)?)$")
# Words of fewer letters are not mended: too many others are one letter away.
_MENDED_LETTERS = 5
_MENDED_SIMILARITY = 84.0
_BREAKS = re.compile(
    r"\s*(?:[,;:/&+\n]|\.\s|\b(?:and|with|who|that|but|plus|having|living|in|from|et|avec|qui|"
    r"ayant|dont|mais|vivant|as well as|ainsi que)\b)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Slot:
    """One thing a query asks for: a word, and the terms that satisfy it.

    Parameters
    ----------
    word : str
        As written, folded.
    term : str
        Its index term.
    alternatives : tuple of (str, float, str)
        Terms that stand for it, their weight in (0, 1], and why.
    optional : bool
        Whether it is only part of a phrase that another slot stands for: where the catalogue
        does not know the word, nothing is missing.
    """

    word: str
    term: str
    alternatives: tuple[tuple[str, float, str], ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Reading:
    """A query as understood.

    Parameters
    ----------
    text : str
        As given, without surplus space.
    slots : tuple of Slot
        In order of appearance, each word once.
    words : tuple of str
        Folded words for the comparison of spelling.
    concepts : tuple of Concept
        In order of appearance.
    mended : tuple of (str, str)
        Words read as others: as written, as read.
    meant : str
        The text with concepts and mended words written plainly, for the encoder.
    facets : tuple of str
        The ideas of a compound query; fewer than two if it has one idea.
    """

    text: str
    slots: tuple[Slot, ...]
    words: tuple[str, ...]
    concepts: tuple[Concept, ...]
    mended: tuple[tuple[str, str], ...]
    meant: str
    facets: tuple[str, ...]


class Reader:
    """Reads queries against the vocabulary of one index.

    Parameters
    ----------
    analyzer : Analyzer
        As the documents were analysed.
    postings : Postings
        Of the documents' terms.
    vocabulary : callable
        Gives all distinct unstemmed words of the documents; called when first needed.
    concepts : Concepts
        What words stand for.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        postings: Postings,
        vocabulary: Callable[[], Sequence[str]],
        concepts: Concepts,
    ) -> None:
        self.analyzer, self.postings, self.concepts = analyzer, postings, concepts
        self._vocabulary = vocabulary
        self._revision = -1
        self._known: frozenset[str] = frozenset()
        self._known_stems: frozenset[str] = frozenset()
        self._spellings: list[str] = []

    @cached_property
    def _written(self) -> list[str]:
        """Every word of the documents, sorted."""
        return sorted(self._vocabulary())

    def _look_again(self) -> None:
        """Take up what was registered since the last query."""
        if self._revision == self.concepts.revision:
            return
        known = self.concepts.vocabulary()
        self._known = frozenset(known)
        self._known_stems = frozenset(self.analyzer.stem(word) for word in known)
        written = {w for w in self._written if len(w) >= _MENDED_LETTERS - 1 and w.isalpha()}
        self._spellings = sorted(written | {w for w in known if len(w) >= _MENDED_LETTERS})
        self._revision = self.concepts.revision

    @cached_property
    def _ranges(self) -> list[tuple[float, float, str]]:
        """Every numeric range that stands in the documents, as low, high, term."""
        found = []
        for raw in self.postings.terms:
            match = _RANGE_TERM.match(raw.decode("utf-8"))
            if match:
                high = float("inf") if match[2] == "up" else float(match[2])
                found.append((float(match[1]), high, match[0]))
        return found

    def read(self, text: str) -> Reading:
        """Read a query.

        Parameters
        ----------
        text : str
            Not empty.

        Returns
        -------
        Reading
        """
        self._look_again()
        raw = re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*[%+]?", text)
        mended = {w: m for w in dict.fromkeys(raw) if (m := self._mend(w)) is not None}
        raw = [mended.get(w, w) for w in raw]
        plain = re.sub(r"[^\W_]+(?:[-'’][^\W_]+)*", lambda m: mended.get(m[0], m[0]), text)
        found = self.concepts.find(raw)
        words = list(dict.fromkeys(self._words(plain)))
        by_word: dict[str, list[tuple[str, float, str]]] = {w: [] for w in words}
        optional: set[str] = set()
        for match in found:
            spoken = self._words(" ".join(raw[match.start : match.stop]))
            holder = next((w for w in spoken if w in by_word), None)
            if holder is None:
                continue
            optional.update(w for w in spoken if w != holder)
            why = f"{match.concept.name} → {match.concept.meaning}"
            seen: set[str] = set()
            # A catalogue may use the concept's own name, whichever way it was said here.
            for place, phrase in enumerate((match.concept.name, *match.concept.terms)):
                weight = CONCEPT_WEIGHT * (1 - _FADING * min(place, 10))
                terms, is_range = self._phrase_terms(phrase)
                if is_range:
                    weight = max(weight, _CONCEPT_RANGE)
                for term in terms:
                    if term not in seen:
                        seen.add(term)
                        by_word[holder].append((term, weight, why))
        slots = []
        for word in words:
            alternatives = [*self._related(word), *by_word[word]]
            term = word if _RANGE_TERM.match(word) else self.analyzer.stem(word)
            best: dict[str, tuple[float, str]] = {}
            for other, weight, why in alternatives:
                if other != term and weight > best.get(other, (0.0, ""))[0]:
                    best[other] = (weight, why)
            listed = tuple((t, w, y) for t, (w, y) in best.items())
            slots.append(Slot(word, term, listed, word in optional))
        meant = plain
        for match in found:
            spoken_text = " ".join(raw[match.start : match.stop])
            meant = meant.replace(spoken_text, match.concept.meaning)
        return Reading(
            text=text,
            slots=tuple(slots),
            words=tuple(w for w in words if not _RANGE_TERM.match(w)),
            concepts=tuple(dict.fromkeys(m.concept for m in found)),
            mended=tuple(mended.items()),
            meant=meant if found or mended else text,
            facets=self._facets(plain),
        )

    def _words(self, text: str) -> list[str]:
        """Give the words of a query, without the stop words of its own language either."""
        words = self.analyzer.words(text)
        other = guess_language([text])
        if other != self.analyzer.language:
            kept = set(Analyzer(other).words(text))
            words = [w for w in words if w in kept] or words
        return words

    def _phrase_terms(self, phrase: str) -> tuple[list[str], bool]:
        """Give the terms of a concept's phrase: its range alone where it names one."""
        words = self.analyzer.words(phrase)
        ranges = [w for w in words if _RANGE_TERM.match(w)]
        if ranges:
            inside = [t for r in ranges for t, _ in self._inside(r)]
            return [*ranges, *inside], True
        return [self.analyzer.stem(w) for w in words if not w.isdigit()], False

    def _related(self, word: str) -> list[tuple[str, float, str]]:
        if _RANGE_TERM.match(word):
            return [
                (t, _INSIDE_RANGE, f"{range_words(word)} ⊇ {range_words(t)}")
                for t, _ in self._inside(word)
            ]
        related = []
        here = self.analyzer.stem(word) in self.postings
        if not here:
            related += [
                (self.analyzer.stem(other), _PREFIX, f"{word}… → {other}")
                for other in self._completions(word)
            ]
        for means, relation in self.concepts.words.get(word, ()):
            # A French word that the catalogue itself uses needs no translation.
            if relation == "french" and here and self.analyzer.language == "french":
                continue
            weight = RELATION_WEIGHTS[relation]
            if relation == "french" and here:
                weight *= 0.5
            for other in self.analyzer.words(means):
                related.append((self.analyzer.stem(other), weight, f"{word} → {means}"))
        return related

    def _completions(self, word: str) -> list[str]:
        """Give the first words of the catalogue that begin with a partial word."""
        if len(word) < _MENDED_LETTERS - 1 or word in self._known:
            return []
        first = bisect_left(self._written, word)
        nearby = self._written[first : first + _MAX_COMPLETIONS]
        return [other for other in nearby if other.startswith(word)]

    def _inside(self, term: str) -> list[tuple[str, float]]:
        match = _RANGE_TERM.match(term)
        if match is None:
            return []
        low, high = float(match[1]), float("inf") if match[2] == "up" else float(match[2])
        return [
            (other, 1.0) for a, b, other in self._ranges if low <= a and b <= high and other != term
        ]

    def _mend(self, word: str) -> str | None:
        """Give the known word that a misspelt one stands for."""
        folded = fold(word)
        if len(folded) < _MENDED_LETTERS or not folded.isalpha():
            return None
        if (
            folded in self._known
            or self.analyzer.stem(folded) in self._known_stems
            or folded.rstrip("s") in self._known
            or self.analyzer.stem(folded) in self.postings
            or not self.analyzer.words(folded)
        ):
            return None
        from rapidfuzz import fuzz, process

        close = process.extract(
            folded,
            self._spellings,
            scorer=fuzz.ratio,
            score_cutoff=_MENDED_SIMILARITY,
            limit=5,
        )
        # First letters are rarely mistyped; among equals the alphabet decides.
        best = min(
            (m for m in close if m[0][0] == folded[0]), key=lambda m: (-m[1], m[0]), default=None
        )
        return best[0] if best else None

    def _facets(self, text: str) -> tuple[str, ...]:
        """Split a query into ideas: at breaks, and around concepts."""
        pieces = []
        # "20 and 24" is one range.
        joined = re.sub(r"(?<=\d)\s+(?:and|et)\s+(?=\d)", " - ", text)
        for piece in _BREAKS.split(joined):
            raw = re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*[%+]?", piece)
            found = self.concepts.find(raw)
            at = 0
            for match in found:
                pieces.append(" ".join(raw[at : match.start]))
                pieces.append(" ".join(raw[match.start : match.stop]))
                at = match.stop
            pieces.append(" ".join(raw[at:]))
        kept = [p for p in pieces if self._words(p) and not _only_fillers(p)]
        return tuple(dict.fromkeys(kept))


_FILLER_TEXT = (
    "find show want looking need target audience audiences segment segments consumers customers "
    "households household adults enjoy love like interested high low want wants buy use uses "
    "people person who to the a of their veut veulent gens personnes les des qui un une"
)
_FILLERS = frozenset(_FILLER_TEXT.split())


def _only_fillers(piece: str) -> bool:
    return all(word in _FILLERS for word in fold(piece).split())


def range_words(term: str) -> str:
    """Write a range term as people say it.

    Parameters
    ----------
    term : str
        Such as "25_34", or any word.

    Returns
    -------
    str

    Examples
    --------
    >>> range_words("25_34"), range_words("65_up"), range_words("0_5"), range_words("dog")
    ('25 to 34', '65 and over', 'under 5', 'dog')
    """
    low, _, high = term.partition("_")
    if not high:
        return term
    if high == "up":
        return f"{low} and over"
    return f"under {high}" if low == "0" else f"{low} to {high}"
