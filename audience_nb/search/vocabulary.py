"""What words mean in one catalogue: which stand in it, and what stands for the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.concepts import (
    CONCEPT_WEIGHT,
    RELATION_WEIGHTS,
    Concept,
    Concepts,
    Relation,
)
from audience_nb.search.lexical import Analyzer, Language, fold, split_words, stop_words
from audience_nb.search.postings import Postings
from audience_nb.search.ranges import RANGE, bounds, range_words, shared
from audience_nb.search.spelling import Speller, right_words

__all__ = ["Alternative", "Vocabulary"]

# A term that stands for a word, its weight in (0, 1], and why.
Alternative: TypeAlias = tuple[str, float, str]

# A range that lies inside the one asked for counts almost as that one.
_INSIDE_RANGE = 0.7
# The first terms of a concept say it best, and a range says it most exactly.
_FADING = 0.03
_CONCEPT_RANGE = 0.75
# A name of one word is what a concept is called: "millennials" for "milléniaux".
_CONCEPT_NAME = 0.85
# A word that begins as the one typed.
_PREFIX = 0.7
# Phrases whose terms are remembered.
_REMEMBERED = 4096
# An abbreviation that is a word of the catalogue, too.
_ALSO_A_WORD = 0.7

_FRENCH_WORDS = (
    "le la les des du de une un et aux dans avec sans qui que au ou ans leur leurs est sont ont "
    "mes notre nos votre vos ayant dont chez l d n qu moins entre vivant par ne pas ces cette "
    "tres beaucoup"
)
_ENGLISH_WORDS = (
    "the of and in to with for who by from is are without less years that than or more have has "
    "people their not no at under over aged living between"
)
_FRENCH_SIGNS = frozenset(_FRENCH_WORDS.split())
_ENGLISH_SIGNS = frozenset(_ENGLISH_WORDS.split())
_ACCENTED = re.compile(r"[éèêëàâîïôûùçœÉÈÊÀÂÎÔÛÇŒ]")

_AROUND_RANGES = frozenset({"year", "years", "over", "under", "aged"})


class Vocabulary:
    """The words of one catalogue and what stands for them.

    Parameters
    ----------
    analyzer : Analyzer
        As the documents were analysed.
    postings : Postings
        Of the documents' terms.
    give : callable
        Gives all distinct unstemmed words of the documents; called when first needed.
    concepts : Concepts
        What words stand for.

    Examples
    --------
    >>> from audience_nb.search.concepts import default_concepts
    >>> words = ["household", "median", "income"]
    >>> postings = Postings.build([["household"], ["median", "incom"]])
    >>> vocabulary = Vocabulary(Analyzer(), postings, lambda: words, default_concepts())
    >>> vocabulary.in_full("hhinc", "english"), vocabulary.in_full("revenu", "french")
    (['household', 'income'], ['income'])
    """

    def __init__(
        self,
        analyzer: Analyzer,
        postings: Postings,
        give: Callable[[], Sequence[str]],
        concepts: Concepts,
    ) -> None:
        self.analyzer, self.postings, self.concepts = analyzer, postings, concepts
        self._give = give
        self._taught: frozenset[str] | None = None
        self._kept_speller: Speller | None = None
        self._terms: dict[str, list[str]] = {}
        self._concept_terms: dict[str, list[Alternative]] = {}

    def forget(self) -> None:
        """Take up, with the next question, what was registered since the last."""
        self._taught, self._kept_speller = None, None
        self._concept_terms = {}

    @cached_property
    def _written(self) -> list[str]:
        """Every word of the documents, sorted."""
        return sorted(self._give())

    @cached_property
    def _ranges(self) -> tuple[list[str], npt.NDArray[np.float64]]:
        """Every numeric range that stands in the documents: its term, and its two ends."""
        terms = self.postings.terms
        first, last = np.searchsorted(terms, np.array([b"0", b":"], dtype=terms.dtype))
        decoded = [raw.decode("utf-8", "replace") for raw in terms[first:last]]
        found = {term: ends for term in decoded if (ends := bounds(term)) is not None}
        return list(found), np.array(list(found.values()), np.float64).reshape(-1, 2)

    @property
    def speller(self) -> Speller:
        """Reads unknown words as known ones."""
        if self._kept_speller is None:
            self._kept_speller = Speller(
                self._written,
                self._known_words(),
                self.concepts.french_words,
                self.is_known,
                self.frequency,
            )
        return self._kept_speller

    def frequency(self, word: str) -> int:
        """Give the number of documents in which a word stands, in any form."""
        return self.postings.frequency(self.analyzer.stem(word))

    def stands(self, word: str) -> bool:
        """Tell whether a folded word stands in the catalogue, in any form."""
        return self.analyzer.stem(word) in self.postings

    def says(self, words: Sequence[str], language: Language) -> bool:
        """Tell whether a document has all of some words, in its own language."""
        if language != self.analyzer.language:
            return False
        rows = [self.postings.position(self.analyzer.stem(word)) for word in words]
        if not rows or min(rows) < 0:
            return False
        starts, listed = self.postings.starts, self.postings.documents
        lists = sorted((listed[starts[row] : starts[row + 1]] for row in rows), key=len)
        common = lists[0]
        for other in lists[1:]:
            common = np.intersect1d(common, other, assume_unique=True)
        return len(common) > 0

    def is_known(self, word: str) -> bool:
        """Tell whether a folded word needs no mending."""
        if self.stands(word) or word in stop_words("english") or word in stop_words("french"):
            return True
        taught = self._known_words()
        return (
            word in taught
            or word.rstrip("s") in taught
            or bool(self.concepts.meanings(word, "english"))
            or bool(self.concepts.meanings(word, "french"))
        )

    def _known_words(self) -> frozenset[str]:
        if self._taught is None:
            self._taught = frozenset(self.concepts.vocabulary())
        return self._taught

    def language_of(self, plain: str, raw: Sequence[str]) -> Language:
        """Tell the language of a query: by its small words, its accents and its vocabulary."""
        words = [(w, bool(_ACCENTED.search(chunk))) for chunk in raw for w in split_words(chunk)]
        french = sum(w in _FRENCH_SIGNS for w, _ in words) + len(_ACCENTED.findall(plain))
        english = sum(w in _ENGLISH_SIGNS for w, _ in words)
        for word, is_accented in words:
            relations = {relation for _, relation in self.concepts.words.get(word, ())}
            if word in stop_words("english") or word in stop_words("french"):
                continue
            if relations == {"french"}:
                french += not self.stands(word) and word not in right_words()
            elif self.analyzer.language == "english" and not is_accented:
                english += self.stands(word)
        return "french" if french > english else "english"

    def words(self, text: str, language: Language) -> list[str]:
        """Give the words of a query, without the stop words of its own language either."""
        words = self.analyzer.words(text, pieces=False)
        if language != self.analyzer.language:
            words = [w for w in words if w not in stop_words(language)]
        return words

    def meanings(self, word: str, language: Language) -> list[tuple[str, Relation]]:
        """Give what a word stands for here: French words of a French text, and so on."""
        here = self.stands(word)
        kept = []
        for means, relation in self.concepts.meanings(word, language):
            # A word of the catalogue, or an English one, is French only in French company.
            if relation == "french":
                if self.analyzer.language == "french":
                    continue
                if language != "french" and (here or word in right_words()):
                    continue
            elif language == "french" and word in stop_words("french"):
                continue
            kept.append((means, relation))
        return kept

    def in_full(self, word: str, language: Language) -> list[str]:
        """Give the words that one stands for: an abbreviation in full, French in English."""
        for means, relation in self.meanings(word, language):
            if relation == "french" or (relation == "abbreviation" and not self.stands(word)):
                return self.content(means)
        return []

    def content(self, means: str) -> list[str]:
        """Give the words of a meaning, without stop words and ranges."""
        return list(dict.fromkeys(w for w in self.analyzer.words(means) if not RANGE.match(w)))

    def terms(self, phrase: str) -> list[str]:
        """Give the terms of an English phrase as the catalogue's language has them."""
        known = self._terms.get(phrase)
        if known is None:
            if len(self._terms) >= _REMEMBERED:
                self._terms.clear()
            known = self._terms[phrase] = self._terms_of(phrase)
        return known

    def _terms_of(self, phrase: str) -> list[str]:
        words = [w for w in self.analyzer.words(phrase) if not w.isdigit() or w == phrase]
        if any(RANGE.match(w) for w in words):
            # "Per year" is no age.
            words = [w for w in words if w not in _AROUND_RANGES]
        if self.analyzer.language == "french":
            return [self.analyzer.stem(w) for word in words for w in (word, *self._french(word))]
        return [self.analyzer.stem(w) for w in words]

    def _french(self, word: str) -> list[str]:
        """Give the French words that mean an English one."""
        return self._to_french.get(Analyzer("english").stem(word), [])

    @cached_property
    def _to_french(self) -> dict[str, list[str]]:
        stem = Analyzer("english").stem
        found: dict[str, list[str]] = {}
        for french, entries in self.concepts.words.items():
            for means, relation in entries:
                if relation == "french" and " " not in means and " " not in french:
                    found.setdefault(stem(fold(means)), []).append(french)
        return found

    def related(self, word: str, language: Language) -> list[Alternative]:
        """Give what else stands for a word."""
        here = self.stands(word)
        found: list[Alternative] = []
        if not here:
            found += [
                (self.analyzer.stem(other), _PREFIX, f"{word}… → {other}")
                for other in self._completions(word)
            ]
        if self.analyzer.language == "french":
            found += [
                (self.analyzer.stem(f), RELATION_WEIGHTS["french"], f"{word} → {f}")
                for f in self._french(word)
            ]
        for means, relation in self.meanings(word, language):
            weight, why = RELATION_WEIGHTS[relation], f"{word} → {means}"
            if relation == "abbreviation" and here:
                # "pop" may be short for something, or itself.
                weight *= _ALSO_A_WORD
            found += [(term, weight, why) for term in self.terms(means)]
        return found

    def _completions(self, word: str) -> list[str]:
        if word in self.concepts.words:
            return []
        return self.speller.complete(word)

    def concept_terms(self, concept: Concept) -> list[Alternative]:
        """Give the terms of a concept: of a phrase with a range, that alone."""
        known = self._concept_terms.get(concept.name)
        if known is None:
            known = self._concept_terms[concept.name] = self._terms_of_concept(concept)
        return known

    def _terms_of_concept(self, concept: Concept) -> list[Alternative]:
        why = f"{concept.name} → {concept.meaning}"
        found: list[Alternative] = []
        # A catalogue may use the concept's own name, whichever way it was said here.
        for place, phrase in enumerate((concept.name, *concept.terms)):
            weight = CONCEPT_WEIGHT * (1 - _FADING * min(place, 10))
            if place == 0 and " " not in phrase:
                weight = _CONCEPT_NAME
            ranges = [w for w in self.analyzer.words(phrase) if RANGE.match(w)]
            if ranges:
                weight = max(weight, _CONCEPT_RANGE)
                found += [(r, weight, why) for r in ranges]
                found += [(t, weight * s, why) for r in ranges for t, s in self._inside(r)]
            else:
                found += [(t, weight, why) for t in self.terms(phrase)]
        return found

    def within(self, term: str) -> list[Alternative]:
        """Give the ranges of the catalogue inside one that is asked for."""
        asked = range_words(term)
        return [
            (other, _INSIDE_RANGE * part, f"{asked} ⊇ {range_words(other)}")
            for other, part in self._inside(term)
        ]

    def _inside(self, term: str) -> list[tuple[str, float]]:
        """Give the ranges of the catalogue inside another, and how much of them is."""
        asked = bounds(term)
        if asked is None:
            return []
        others, ends = self._ranges
        parts = shared(asked, ends)
        inside = np.flatnonzero(parts == 1).tolist()
        whole = [(others[i], 1.0) for i in inside if others[i] != term]
        # Bands that straddle an end will do where the catalogue has no better.
        if whole or term in self.postings:
            return whole
        return [(others[i], float(parts[i])) for i in np.flatnonzero(parts > 0).tolist()]
