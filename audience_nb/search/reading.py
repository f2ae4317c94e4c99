"""What a query says: words, what they stand for, ranges, concepts, misspellings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from audience_nb.search.concepts import (
    CONCEPT_WEIGHT,
    RELATION_WEIGHTS,
    Concept,
    Concepts,
    Found,
    Relation,
)
from audience_nb.search.intents import Intent, detect_in
from audience_nb.search.lexical import (
    Analyzer,
    Language,
    fold,
    split_words,
    stop_words,
    unglue,
)
from audience_nb.search.postings import Postings
from audience_nb.search.ranges import RANGE, bounds, range_words, shared
from audience_nb.search.spelling import Speller, right_words

__all__ = ["Reader", "Reading", "Slot", "range_words"]

# A range that lies inside the one asked for counts almost as that one.
_INSIDE_RANGE = 0.7
# The first terms of a concept say it best, and a range says it most exactly.
_FADING = 0.03
_CONCEPT_RANGE = 0.75
# A name of one word is what a concept is called: "millennials" for "milléniaux".
_CONCEPT_NAME = 0.85
# A word that begins as the one typed.
_PREFIX = 0.7
# Words that are one in the catalogue and two in the query, or the other way round.
_JOINED = 0.9
# A concept in words that the catalogue has itself.
_SAID_SO = 0.5
# An abbreviation that is a word of the catalogue, too.
_ALSO_A_WORD = 0.7
# A meaning of a meaning: "voiture", car, vehicle.
_SECOND_HAND = 0.8
# Readings that are remembered.
_REMEMBERED = 1024

Alternative = tuple[str, float, str]

_CHUNK = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*[%+]?")
_LETTERS = re.compile(r"[^\W\d_]+")
_GLUED = re.compile(r"\w*(?:[a-zà-ÿ][A-Z]|[^\W_]_|[^\W\d_]{3}\d)\w*")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_BREAK_WORDS = "and with who that but plus having living in from et avec qui ayant dont mais vivant"
_BREAKS = frozenset(_BREAK_WORDS.split())
_BREAK = re.compile(r"[,;:/&+\n|]|\.\s|\bas well as\b|\bainsi que\b")
# What stands before a concept that is not meant.
_DENIAL_WORDS = "not non no without never isn't aren't don't sans jamais pas aucun aucune"
_DENIALS = frozenset(_DENIAL_WORDS.split())
_WHO = "people who"
# How a request begins that says nothing about the audience.
_REQUEST = re.compile(
    r"^\s*(?:please\s+|hi\s+|hello\s+)?(?:(?:can|could|would) you (?:please )?)?"
    r"(?:i(?:'m| am| would|'d)? (?:want(?: to)?|need(?: to)?|like(?: to)?|looking)|we (?:want|need)"
    r"(?: to)?|find|show|give|get|list|search|look(?:ing)?|target|reach|build|create|"
    r"je (?:cherche|veux|voudrais|souhaite)|nous (?:cherchons|voulons)|trouve[rz]?|"
    r"montre[rz]?(?:-moi)?|cherche[rz]?|cible[rz]?|donne[rz]?(?:-moi)?)\s+"
    r"(?:(?:find|target|reach|see|cibler|trouver|rejoindre)\s+)?(?:me\s+|us\s+|for\s+|at\s+|all\s+|"
    r"an?\s+|the\s+|un\s+|une\s+|des\s+|les\s+)*"
    r"(?:(?:audiences?|segments?|groups?|lists?|variables?|data|publics?|groupes?|donnees|données)"
    r"\s+(?:of|on|about|for|with|who|that|de|des|sur|qui|avec)\s+)?(?=\S)",
    re.IGNORECASE,
)
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
    alternatives: tuple[Alternative, ...] = ()
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
        Folded words for the comparison of spelling: in full, and in the catalogue's language.
    concepts : tuple of Concept
        In order of appearance.
    mended : tuple of (str, str)
        Words read as others: as written, as read.
    meant : str
        The text with concepts and mended words written plainly, for the encoder.
    facets : tuple of str
        The ideas of a compound query; fewer than two if it has one idea.
    intents : tuple of Intent
        What sort of variables is meant, the largest share first.
    """

    text: str
    slots: tuple[Slot, ...]
    words: tuple[str, ...]
    concepts: tuple[Concept, ...]
    mended: tuple[tuple[str, str], ...]
    meant: str
    facets: tuple[str, ...]
    intents: tuple[Intent, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no word says what to find."""
        return not self.slots


@dataclass(frozen=True)
class _Sentence:
    """A query cut into chunks, with what is known of it."""

    text: str
    chunks: list[re.Match[str]]
    language: Language
    found: list[Found]
    told: list[Found]
    phrases: list[tuple[str, int, int]]
    glossed: dict[int, str]

    def spoken(self, start: int, stop: int) -> str:
        return self.text[self.chunks[start].start() : self.chunks[stop - 1].end()]


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
        self._remembered: dict[str, Reading] = {}
        self._taught: tuple[frozenset[str], frozenset[str]] | None = None
        self._kept_speller: Speller | None = None

    @cached_property
    def _written(self) -> list[str]:
        """Every word of the documents, sorted."""
        return sorted(self._vocabulary())

    @cached_property
    def _ranges(self) -> list[tuple[tuple[float, float], str]]:
        """Every numeric range that stands in the documents, as its ends and its term."""
        terms = self.postings.terms
        first, last = np.searchsorted(terms, np.array([b"0", b":"], dtype=terms.dtype))
        decoded = [raw.decode("utf-8", "replace") for raw in terms[first:last]]
        return [(ends, term) for term in decoded if (ends := bounds(term)) is not None]

    def _look_again(self) -> None:
        """Take up what was registered since the last query."""
        if self._revision != self.concepts.revision:
            self._revision = self.concepts.revision
            self._remembered, self._taught, self._kept_speller = {}, None, None

    @property
    def _speller(self) -> Speller:
        if self._kept_speller is None:
            taught = self.concepts.vocabulary()
            self._taught = (
                frozenset(taught),
                frozenset(self.analyzer.stems(list(taught))),
            )
            self._kept_speller = Speller(
                self._written,
                taught,
                self.concepts.french_words(),
                self._is_known,
                self._frequency,
            )
        return self._kept_speller

    def _frequency(self, word: str) -> int:
        return self.postings.frequency(self.analyzer.stem(word))

    def _stands(self, word: str) -> bool:
        return self.analyzer.stem(word) in self.postings

    def _is_known(self, word: str) -> bool:
        if self._stands(word) or word in stop_words("english") or word in stop_words("french"):
            return True
        words, stems = self._taught or (frozenset(), frozenset())
        return (
            word in words
            or word.rstrip("s") in words
            or self.analyzer.stem(word) in stems
            or bool(self.concepts.meanings(word, "french"))
        )

    def read(self, text: str) -> Reading:
        """Read a query.

        Parameters
        ----------
        text : str
            Not empty.

        Returns
        -------
        Reading
            Without slots where no word says what to find.
        """
        self._look_again()
        known = self._remembered.get(text)
        if known is None:
            known = self._read(text)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[text] = known
        return known

    def _read(self, text: str) -> Reading:
        plain, mended = self._mended(self._plain(text))
        sentence = self._sentence(plain)
        words = list(dict.fromkeys(self._words(plain, sentence.language)))
        slots, spelt = self._slots(words, sentence)
        meant = self._meant(sentence)
        concepts = tuple(dict.fromkeys(f.concept for f in sentence.found))
        return Reading(
            text=text,
            slots=slots,
            words=spelt,
            concepts=concepts,
            mended=mended,
            meant=meant or text,
            facets=self._facets(sentence),
            intents=self._intents(sentence),
        )

    # -- the text ------------------------------------------------------------------------------

    def _plain(self, text: str) -> str:
        """Leave out mark-up and request, and take apart what is glued by case or underscores."""
        plain = _TAG.sub(" ", text) if "<" in text else text
        plain = _REQUEST.sub("", plain, count=1)
        if not _CHUNK.search(plain):
            plain = text
        if _GLUED.search(plain):
            plain = _GLUED.sub(
                lambda m: m[0].lower() if self._stands(fold(m[0])) else unglue(m[0]) or m[0], plain
            )
        return plain

    def _mended(self, plain: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Write misspelt words as those that they stand for."""
        mended: dict[str, str] = {}
        # A capital inside a sentence begins a name.
        language = self._language(plain, [m[0] for m in _CHUNK.finditer(plain)])
        is_sentence = any(m[0].islower() and len(m[0]) > 2 for m in _LETTERS.finditer(plain))

        def mend(match: re.Match[str]) -> str:
            word = match[0]
            if len(word) < 4 or (is_sentence and word[0].isupper() and match.start() > 0):
                return word
            if word not in mended:
                folded = fold(word)
                if self._stands(folded) or not folded.isalpha():
                    return word
                read = self._speller.mend(folded, language)
                if read is None and not self._is_known(folded):
                    halves = self._speller.split(folded)
                    read = " ".join(halves) if halves else None
                if read is None:
                    return word
                mended[word] = read
            return mended[word]

        return _LETTERS.sub(mend, plain), tuple(mended.items())

    def _sentence(self, plain: str) -> _Sentence:
        chunks = list(_CHUNK.finditer(plain))
        raw = [m[0] for m in chunks]
        language = self._language(plain, raw)
        found = [
            match
            for match in self.concepts.find(raw)
            if not match.start or fold(raw[match.start - 1]) not in _DENIALS
        ]
        told = list(found)
        phrases = [
            found
            for found in self.concepts.find_phrases(raw)
            if self.analyzer.language == "english"
            or self.concepts.words[found[0]][0][1] != "french"
        ]
        glossed: dict[int, str] = {}
        for key, start, stop in phrases:
            glossed[start] = self.concepts.words[key][0][0]
            glossed.update(dict.fromkeys(range(start + 1, stop), ""))
        for i, chunk in enumerate(raw):
            if i not in glossed:
                gloss = self._gloss(chunk, language)
                if gloss is not None:
                    glossed[i] = gloss
        if glossed:
            # What was said in French or in short may name a concept in plain English.
            said: list[str] = []
            owner: list[int] = []
            for i, chunk in enumerate(raw):
                for part in split_words(glossed.get(i, chunk)):
                    said.append(part)
                    owner.append(i)
            taken = {i for f in found for i in range(f.start, f.stop)}
            for match in self.concepts.find(said):
                start, stop = owner[match.start], owner[match.stop - 1] + 1
                denied = match.start and said[match.start - 1] in _DENIALS
                if not denied and taken.isdisjoint(range(start, stop)):
                    found.append(Found(match.concept, start, stop))
            found.sort(key=lambda f: f.start)
        return _Sentence(plain, chunks, language, found, told, phrases, glossed)

    def _gloss(self, chunk: str, language: Language) -> str | None:
        """Write one chunk with abbreviations in full and French in English; None if it is so."""
        parts = split_words(chunk)
        full = [self._in_full(part, language) for part in parts]
        if not any(full):
            return None
        return " ".join(w for part, ws in zip(parts, full, strict=True) for w in ws or [part])

    def _language(self, plain: str, raw: Sequence[str]) -> Language:
        """Tell the language of a query: by its small words, its accents and its vocabulary."""
        words = [w for chunk in raw for w in split_words(chunk)]
        french = sum(w in _FRENCH_SIGNS for w in words) + len(_ACCENTED.findall(plain))
        english = sum(w in _ENGLISH_SIGNS for w in words)
        for word in words:
            relations = {relation for _, relation in self.concepts.words.get(word, ())}
            if word in stop_words("english") or word in stop_words("french"):
                continue
            if relations == {"french"}:
                french += not self._stands(word) and word not in right_words()
            elif self.analyzer.language == "english":
                english += self._stands(word)
        return "french" if french > english else "english"

    def _words(self, text: str, language: Language) -> list[str]:
        """Give the words of a query, without the stop words of its own language either."""
        words = self.analyzer.words(text, pieces=False)
        if language != self.analyzer.language:
            words = [w for w in words if w not in stop_words(language)]
        return words

    # -- slots ---------------------------------------------------------------------------------

    def _slots(
        self, words: Sequence[str], sentence: _Sentence
    ) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
        """Give the slots of a query, and its words as the catalogue would spell them."""
        language = sentence.language
        implied: dict[str, list[Alternative]] = {w: [] for w in words}
        in_full = {w: self._in_full(w, language) for w in words if not RANGE.match(w)}
        optional: set[str] = set()
        phrased: set[str] = set()
        for key, start, stop in sentence.phrases:
            spoken = self._spoken(sentence, start, stop, implied)
            if not spoken:
                continue
            meanings = self.concepts.words[key]
            if meanings[0][1] == "french":
                # The first word of the phrase stands for the first of the meaning, and so on.
                full = self._content(meanings[0][0])
                for i, word in enumerate(spoken):
                    in_full[word] = full[i:] if i == len(spoken) - 1 else full[i : i + 1]
                optional.update(spoken[len(full) :])
                phrased.update(spoken)
                meanings = meanings[1:]
            for means, relation in meanings:
                weight, why = RELATION_WEIGHTS[relation], f"{key} → {means}"
                for i, term in enumerate(self._terms(means)):
                    implied[spoken[min(i, len(spoken) - 1)]].append((term, weight, why))
        for match in sentence.found:
            spoken = self._spoken(sentence, match.start, match.stop, implied)
            if spoken:
                optional.update(spoken[1:])
                # What the catalogue says in these very words needs others less.
                scale = _SAID_SO if self._says(spoken, language) else 1.0
                implied[spoken[0]] += [
                    (t, scale * weight, why)
                    for t, weight, why in self._concept_terms(match.concept)
                ]
        for first, second in pairwise(words):
            joined = self.analyzer.stem(first + second)
            if joined in self.postings:
                why = f"{first} {second} → {first}{second}"
                implied[first].append((joined, _JOINED, why))
                implied[second].append((joined, _JOINED, why))
        slots: list[Slot] = []
        spelt: list[str] = []
        for word in words:
            if RANGE.match(word):
                slots.append(Slot(word, word, _best(word, [*self._within(word), *implied[word]])))
                continue
            # What was written in full is not said twice.
            said = {self.analyzer.stem(written) for written in in_full[word]}
            related = [] if word in phrased else self._related(word, language)
            more = [*(r for r in related if r[0] not in said), *implied[word]]
            for place, written in enumerate(in_full[word] or [word]):
                spelt.append(written)
                term = self.analyzer.stem(written)
                own = self._related(written, "english") if written != word else []
                alternatives = [*own, *(more if place == 0 else ())]
                slots.append(Slot(word, term, _best(term, alternatives), word in optional))
        return tuple(slots), tuple(dict.fromkeys(spelt))

    def _in_full(self, word: str, language: Language) -> list[str]:
        """Give the words that one stands for: an abbreviation in full, French in English."""
        for means, relation in self._meanings(word, language):
            if relation == "french" or (relation == "abbreviation" and not self._stands(word)):
                return self._content(means)
        return []

    def _content(self, means: str) -> list[str]:
        return list(dict.fromkeys(w for w in self.analyzer.words(means) if not RANGE.match(w)))

    def _spoken(
        self, sentence: _Sentence, start: int, stop: int, known: dict[str, list[Alternative]]
    ) -> list[str]:
        spoken = self._words(sentence.spoken(start, stop), sentence.language)
        return [w for w in dict.fromkeys(spoken) if w in known]

    def _says(self, words: Sequence[str], language: Language) -> bool:
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

    def _concept_terms(self, concept: Concept) -> list[Alternative]:
        """Give the terms of a concept: of a phrase with a range, that alone."""
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
                found += [(t, weight, why) for t in self._terms(phrase)]
        return found

    def _terms(self, phrase: str) -> list[str]:
        """Give the terms of an English phrase as the catalogue's language has them."""
        words = [w for w in self.analyzer.words(phrase) if not w.isdigit() or w == phrase]
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

    def _meanings(self, word: str, language: Language) -> list[tuple[str, Relation]]:
        """Give what a word stands for here: French words of a French text, and so on."""
        here = self._stands(word)
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

    def _within(self, term: str) -> list[Alternative]:
        """Give the ranges of the catalogue inside one that is asked for."""
        asked = range_words(term)
        return [
            (other, _INSIDE_RANGE * part, f"{asked} ⊇ {range_words(other)}")
            for other, part in self._inside(term)
        ]

    def _related(self, word: str, language: Language) -> list[Alternative]:
        """Give what else stands for a word."""
        here = self._stands(word)
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
        for means, relation in self._meanings(word, language):
            weight, why = RELATION_WEIGHTS[relation], f"{word} → {means}"
            if relation == "abbreviation" and here:
                # "pop" may be short for something, or itself.
                weight *= _ALSO_A_WORD
            found += [(term, weight, why) for term in self._terms(means)]
        return found

    def _completions(self, word: str) -> list[str]:
        if word in self.concepts.words:
            return []
        return self._speller.complete(word)

    def _inside(self, term: str) -> list[tuple[str, float]]:
        """Give the ranges of the catalogue inside another, and how much of them is."""
        asked = bounds(term)
        if asked is None:
            return []
        parts = [(other, shared(asked, ends)) for ends, other in self._ranges if other != term]
        whole = [(other, part) for other, part in parts if part == 1]
        # Bands that straddle an end will do where the catalogue has no better.
        if whole or term in self.postings:
            return whole
        return [(other, part) for other, part in parts if part > 0]

    def _intents(self, sentence: _Sentence) -> tuple[Intent, ...]:
        words: list[str] = []
        starts = []
        for chunk in sentence.chunks:
            starts.append(len(words))
            words += split_words(chunk[0])
        starts.append(len(words))
        found = [Found(f.concept, starts[f.start], starts[f.stop]) for f in sentence.found]
        return detect_in(words, found)

    # -- meaning and ideas ---------------------------------------------------------------------

    def _meant(self, sentence: _Sentence) -> str:
        """Write a query with its concepts and abbreviations in plain words."""
        written = dict(sentence.glossed)
        for match in sentence.told:
            spoken = sentence.spoken(match.start, match.stop)
            if self._says(self._words(spoken, sentence.language), sentence.language):
                # What the catalogue says in these words needs no others.
                continue
            meaning = match.concept.meaning
            said = sentence.text[: sentence.chunks[match.start].start()].rstrip().lower()
            if meaning.startswith(_WHO) and said.endswith((_WHO, "those who", "folks who", "qui")):
                meaning = meaning.removeprefix(_WHO).lstrip()
            written[match.start] = meaning
            written.update(dict.fromkeys(range(match.start + 1, match.stop), ""))
        result, at = "", 0
        for i, chunk in enumerate(sentence.chunks):
            if i in written:
                result += sentence.text[at : chunk.start()] + written[i]
                at = chunk.end()
        return " ".join((result + sentence.text[at:]).split())

    def _facets(self, sentence: _Sentence) -> tuple[str, ...]:
        """Split a query into ideas: at breaks, and around concepts."""
        chunks, language = sentence.chunks, sentence.language
        concept_at = {f.start: f.stop for f in sentence.found}
        ends = set(concept_at.values())
        # What the catalogue says itself belongs with the words beside it: "Korean veterans".
        apart = {
            f.start
            for f in sentence.found
            if not self._says(self._words(sentence.spoken(f.start, f.stop), language), language)
        }
        pieces: list[tuple[int, int]] = []
        start = at = 0
        while at < len(chunks):
            stop = concept_at.get(at)
            if stop is not None:
                if at in apart or at in ends:
                    pieces.append((start, at))
                    start = at
                if at in apart or stop in concept_at:
                    pieces.append((start, stop))
                    start = stop
                at = stop
                continue
            word = fold(chunks[at][0])
            between = sentence.text[chunks[at - 1].end() : chunks[at].start()] if at else ""
            if at > start and _BREAK.search(between):
                pieces.append((start, at))
                start = at
            # "20 and 24" is one range.
            is_range = 0 < at < len(chunks) - 1 and all(
                chunks[i][0][:1].isdigit() for i in (at - 1, at + 1)
            )
            if word in _BREAKS and not is_range:
                pieces.append((start, at))
                start = at + 1
            at += 1
        pieces.append((start, len(chunks)))
        spoken = [sentence.spoken(a, b) for a, b in pieces if b > a]
        kept = [p for p in spoken if not _only_fillers(p) and self._words(p, sentence.language)]
        return tuple(dict.fromkeys(kept))


def _best(term: str, alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """Keep each alternative once, with its largest weight."""
    best: dict[str, tuple[float, str]] = {}
    for other, weight, why in alternatives:
        if other != term and weight > best.get(other, (0.0, ""))[0]:
            best[other] = (weight, why)
    return tuple((t, w, y) for t, (w, y) in best.items())


_FILLER_WORDS = (
    "find show want looking need target audience audiences segment segments consumers customers "
    "households household adults enjoy love like interested high low want wants buy use uses "
    "people person who to the a of their veut veulent gens personnes les des qui un une"
)
_FILLERS = frozenset(_FILLER_WORDS.split())


def _only_fillers(piece: str) -> bool:
    return all(word in _FILLERS for word in split_words(piece))
