"""What a query says: words, what they stand for, ranges, concepts, misspellings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from audience_nb.search.concepts import CONCEPT_WEIGHT, RELATION_WEIGHTS, Concept, Concepts
from audience_nb.search.intents import Intent
from audience_nb.search.lexical import Analyzer
from audience_nb.search.postings import Postings
from audience_nb.search.ranges import RANGE, range_words
from audience_nb.search.sentence import Sentence, is_phrasal, mend, parse, without_wrapping
from audience_nb.search.vocabulary import Alternative, Vocabulary

__all__ = ["Reader", "Reading", "Slot", "range_words"]

# Words that are one in the catalogue and two in the query, or the other way round.
_JOINED = 0.9
# A concept in words that the catalogue has itself.
_SAID_SO = 0.5
# A verb without the word that makes it another: "eat" for "eat out".
_BARE_VERB = 0.3
# Whom every catalogue is about, though it may not say so.
_SUBJECT_WORDS = (
    "customer customers client clients cliente clientes clientele consumer consumers consommateur "
    "consommateurs audience audiences segment segments prospect prospects individual individuals"
)
_SUBJECTS = frozenset(_SUBJECT_WORDS.split())
# How much or how often somebody does a thing says nothing of which thing.
_HOW_MUCH_WORDS = (
    "often lot lots regularly frequently usually really always sometimes occasionally soon "
    "souvent regulierement frequemment beaucoup toujours parfois vraiment bientot"
)
_HOW_MUCH = frozenset(_HOW_MUCH_WORDS.split())
# Readings that are remembered.
_REMEMBERED = 1024


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

    Examples
    --------
    >>> postings = Postings.build([["renter", "household"]])
    >>> concepts = Concepts()
    >>> reader = Reader(Analyzer(), postings, lambda: ["households", "renter"], concepts)
    >>> [slot.term for slot in reader.read("show me renters").slots]
    ['renter']
    """

    def __init__(
        self,
        analyzer: Analyzer,
        postings: Postings,
        vocabulary: Callable[[], Sequence[str]],
        concepts: Concepts,
    ) -> None:
        self.analyzer, self.postings, self.concepts = analyzer, postings, concepts
        self._vocabulary = Vocabulary(analyzer, postings, vocabulary, concepts)
        self._revision = -1
        self._remembered: dict[str, Reading] = {}

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
        if self._revision != self.concepts.revision:
            # Something was registered since the last query.
            self._revision = self.concepts.revision
            self._remembered = {}
            self._vocabulary.forget()
        known = self._remembered.get(text)
        if known is None:
            known = self._read(text)
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[text] = known
        return known

    def _read(self, text: str) -> Reading:
        vocabulary = self._vocabulary
        plain, mended = mend(without_wrapping(text, vocabulary), vocabulary)
        sentence = parse(plain, vocabulary)
        slots, spelt = self._slots(sentence)
        return Reading(
            text=text,
            slots=slots,
            words=spelt,
            concepts=tuple(dict.fromkeys(f.concept for f in sentence.found)),
            mended=mended,
            meant=sentence.meant(vocabulary) or text,
            facets=sentence.facets(vocabulary),
            intents=sentence.intents(),
        )

    def _slots(self, sentence: Sentence) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
        """Give the slots of a query, and its words as the catalogue would spell them."""
        vocabulary, language = self._vocabulary, sentence.language
        words = list(dict.fromkeys(vocabulary.words(sentence.text, language)))
        telling = [w for w in words if w not in _HOW_MUCH]
        words = telling or words
        implied: dict[str, list[Alternative]] = {w: [] for w in words}
        in_full = {w: vocabulary.in_full(w, language) for w in words if not RANGE.match(w)}
        optional = {w for w in words if w in _SUBJECTS}
        if len(optional) == len(words):
            optional = set()
        phrased: set[str] = set()
        phrasal: dict[str, str] = {}
        for key, start, stop in sentence.phrases:
            spoken = self._spoken(sentence, start, stop, implied)
            if not spoken:
                continue
            meanings = self.concepts.words[key]
            if meanings[0][1] == "french":
                # The first word of the phrase stands for the first of the meaning, and so on.
                full = vocabulary.content(meanings[0][0])
                for i, word in enumerate(spoken):
                    in_full[word] = full[i:] if i == len(spoken) - 1 else full[i : i + 1]
                optional.update(spoken[len(full) :])
                phrased.update(spoken)
                meanings = meanings[1:]
            for means, relation in meanings:
                weight, why = RELATION_WEIGHTS[relation], f"{key} → {means}"
                for i, term in enumerate(vocabulary.terms(means)):
                    implied[spoken[min(i, len(spoken) - 1)]].append((term, weight, why))
        for match in sentence.found:
            spoken = self._spoken(sentence, match.start, match.stop, implied)
            if spoken:
                optional.update(spoken[1:])
                # What the catalogue says in these very words needs others less; "eat out" is a
                # thing of its own, and to eat is little of it.
                scale = _SAID_SO if vocabulary.says(spoken, language) else 1.0
                said = sentence.spoken(match.start, match.stop).casefold()
                if is_phrasal(said):
                    scale = 1 / CONCEPT_WEIGHT
                    phrasal[spoken[-1]] = said
                implied[spoken[0]] += [
                    (t, scale * weight, why)
                    for t, weight, why in vocabulary.concept_terms(match.concept)
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
                slots.append(
                    Slot(word, word, _best(word, [*vocabulary.within(word), *implied[word]]))
                )
                continue
            if word in phrasal:
                bare = (self.analyzer.stem(word), _BARE_VERB, f"{phrasal[word]} → {word}")
                spelt.append(word)
                slots.append(Slot(word, phrasal[word], _best("", [*implied[word], bare])))
                continue
            # What was written in full is not said twice.
            known = {self.analyzer.stem(written) for written in in_full[word]}
            related = [] if word in phrased else vocabulary.related(word, language)
            more = [*(r for r in related if r[0] not in known), *implied[word]]
            for place, written in enumerate(in_full[word] or [word]):
                spelt.append(written)
                term = self.analyzer.stem(written)
                own = vocabulary.related(written, "english") if written != word else []
                alternatives = [*own, *(more if place == 0 else ())]
                slots.append(Slot(word, term, _best(term, alternatives), word in optional))
        return tuple(slots), tuple(dict.fromkeys(spelt))

    def _spoken(
        self, sentence: Sentence, start: int, stop: int, known: dict[str, list[Alternative]]
    ) -> list[str]:
        spoken = self._vocabulary.words(sentence.spoken(start, stop), sentence.language)
        return [w for w in dict.fromkeys(spoken) if w in known]


def _best(term: str, alternatives: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """Keep each alternative once, with its largest weight."""
    best: dict[str, tuple[float, str]] = {}
    for other, weight, why in alternatives:
        if other != term and weight > best.get(other, (0.0, ""))[0]:
            best[other] = (weight, why)
    return tuple((t, w, y) for t, (w, y) in best.items())
