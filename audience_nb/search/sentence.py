"""A query as a sentence: its language, phrases and concepts, its ideas, and what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from audience_nb.search.concepts import Found
from audience_nb.search.intents import Intent, detect_in
from audience_nb.search.lexical import Language, fold, split_words, unglue
from audience_nb.search.vocabulary import Vocabulary

__all__ = ["Sentence", "is_phrasal", "mend", "parse", "without_wrapping"]

_CHUNK = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*[%+]?")
_LETTERS = re.compile(r"[^\W\d_]+")
_GLUED = re.compile(r"\w*(?:[a-zà-ÿ][A-Z]|[^\W_]_|[^\W\d_]{3}\d)\w*")
# Shorter words are too like others to be mended.
_MENDED_LETTERS = 4
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_BREAK_WORDS = "and with who that but plus having living in from et avec qui ayant dont mais vivant"
_BREAKS = frozenset(_BREAK_WORDS.split())
_BREAK = re.compile(r"[,;:/&+\n|]|\.\s|\bas well as\b|\bainsi que\b")
# What stands before a concept that is not meant.
_DENIAL_WORDS = "not non no without never isn't aren't don't sans jamais pas aucun aucune"
_DENIALS = frozenset(_DENIAL_WORDS.split())
# With one of these a verb means something else.
_PARTICLES = frozenset({"out", "up", "off", "away", "down"})
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
# What is no idea by itself.
_FILLER_WORDS = (
    "soon bientot find show want looking need target audience audiences segment segments consumers "
    "customers "
    "households household adults enjoy love like interested high low want wants buy use uses "
    "people person who to the a of their veut veulent gens personnes les des qui un une"
)
_FILLERS = frozenset(_FILLER_WORDS.split())


def is_phrasal(text: str) -> bool:
    """Tell whether a text is a verb that means something else for the word behind it.

    Parameters
    ----------
    text : str
        Such as "work out".

    Returns
    -------
    bool

    Examples
    --------
    >>> is_phrasal("work out"), is_phrasal("work from home")
    (True, False)
    """
    words = split_words(text)
    return len(words) > 1 and words[-1] in _PARTICLES


@dataclass(frozen=True)
class Sentence:
    """A query cut into chunks, with what is known of it.

    Parameters
    ----------
    text : str
        Mended, without what wraps it.
    chunks : list of re.Match
        Its words, with their places.
    language : {"english", "french"}
        Of the query, whatever the catalogue's.
    found : list of Found
        All concepts, by the chunks that name them.
    told : list of Found
        Those that are named in so many words, not only once French or short words are in full.
    phrases : list of (str, int, int)
        Phrases that have a meaning of their own: key, first chunk, and last but one.
    glossed : dict of int to str
        Chunks that stand for others: French ones in English, abbreviations in full.
    """

    text: str
    chunks: list[re.Match[str]]
    language: Language
    found: list[Found]
    told: list[Found]
    phrases: list[tuple[str, int, int]]
    glossed: dict[int, str]

    def spoken(self, start: int, stop: int) -> str:
        """Give the text of some chunks, `stop` not included."""
        return self.text[self.chunks[start].start() : self.chunks[stop - 1].end()]

    def intents(self) -> tuple[Intent, ...]:
        """Tell what sort of variables is meant."""
        words: list[str] = []
        starts = []
        for chunk in self.chunks:
            starts.append(len(words))
            words += split_words(chunk[0])
        starts.append(len(words))
        return detect_in(
            words, [Found(f.concept, starts[f.start], starts[f.stop]) for f in self.found]
        )

    def meant(self, vocabulary: Vocabulary) -> str:
        """Write the query with its concepts and abbreviations in plain words.

        Parameters
        ----------
        vocabulary : Vocabulary
            Of the catalogue: what that says in the same words is left as it is.

        Returns
        -------
        str
        """
        written = dict(self.glossed)
        for match in self.told:
            spoken = vocabulary.words(self.spoken(match.start, match.stop), self.language)
            if vocabulary.says(spoken, self.language) and not is_phrasal(
                self.spoken(match.start, match.stop)
            ):
                continue
            meaning = match.concept.meaning
            said = self.text[: self.chunks[match.start].start()].rstrip().lower()
            # "people who" and "customers" are said once.
            first = meaning.split()[0]
            if meaning.startswith(_WHO) and said.endswith((_WHO, "those who", "folks who", "qui")):
                meaning = meaning.removeprefix(_WHO).lstrip()
            elif said.split()[-1:] == [first]:
                meaning = meaning.removeprefix(first).lstrip()
            written[match.start] = meaning
            written.update(dict.fromkeys(range(match.start + 1, match.stop), ""))
        result, at = "", 0
        for i, chunk in enumerate(self.chunks):
            if i in written:
                result += self.text[at : chunk.start()] + written[i]
                at = chunk.end()
        return " ".join((result + self.text[at:]).split())

    def facets(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """Split the query into ideas: at breaks, and around concepts.

        Parameters
        ----------
        vocabulary : Vocabulary
            Of the catalogue: what that says itself belongs with the words beside it, such as
            "Korean veterans".

        Returns
        -------
        tuple of str
            In order, each once.
        """
        chunks, language = self.chunks, self.language
        concept_at = {f.start: f.stop for f in self.found}
        ends = set(concept_at.values())
        apart = {
            start
            for start, stop in concept_at.items()
            if not vocabulary.says(vocabulary.words(self.spoken(start, stop), language), language)
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
            between = self.text[chunks[at - 1].end() : chunks[at].start()] if at else ""
            if at > start and _BREAK.search(between):
                pieces.append((start, at))
                start = at
            if fold(chunks[at][0]) in _BREAKS and not self._joins_numbers(at):
                pieces.append((start, at))
                start = at + 1
            at += 1
        pieces.append((start, len(chunks)))
        spoken = [self.spoken(a, b) for a, b in pieces if b > a]
        kept = [p for p in spoken if not _only_fillers(p) and vocabulary.words(p, language)]
        return tuple(dict.fromkeys(kept))

    def _joins_numbers(self, at: int) -> bool:
        """Tell whether a word stands between two numbers: "20 and 24" is one range."""
        beside = self.chunks[max(at - 1, 0) : at + 2 : 2]
        return len(beside) == 2 and all(chunk[0][0].isdigit() for chunk in beside)


def _only_fillers(piece: str) -> bool:
    return all(word in _FILLERS for word in split_words(piece))


def without_wrapping(text: str, vocabulary: Vocabulary) -> str:
    """Leave out mark-up and request, and take apart what is glued by case or underscores.

    Parameters
    ----------
    text : str
        A query.
    vocabulary : Vocabulary
        Of the catalogue: its own words are not taken apart.

    Returns
    -------
    str
        The text itself, if nothing would be left.
    """
    plain = _TAG.sub(" ", text) if "<" in text else text
    plain = _REQUEST.sub("", plain, count=1)
    if not _CHUNK.search(plain):
        plain = text

    def apart(match: re.Match[str]) -> str:
        word = match[0]
        return word.lower() if vocabulary.stands(fold(word)) else unglue(word) or word

    return _GLUED.sub(apart, plain) if _GLUED.search(plain) else plain


def mend(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Write misspelt words as those that they stand for.

    Parameters
    ----------
    text : str
        A query.
    vocabulary : Vocabulary
        Of the catalogue.

    Returns
    -------
    text : str
        With known words.
    mended : tuple of (str, str)
        As written, as read.
    """
    mended: dict[str, str] = {}
    right: set[str] = set()
    language = vocabulary.language_of(text, [m[0] for m in _CHUNK.finditer(text)])
    # A capital inside a sentence begins a name.
    is_sentence = any(m[0].islower() and len(m[0]) > 2 for m in _LETTERS.finditer(text))

    def read(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) < _MENDED_LETTERS or (is_sentence and word[0].isupper() and match.start()):
            return word
        folded = fold(word)
        looked_up = word in mended or word in right
        if not looked_up and folded.isalpha() and not vocabulary.stands(folded):
            other = vocabulary.speller.mend(folded, language)
            if other is None and not vocabulary.is_known(folded):
                other = " ".join(vocabulary.speller.split(folded) or ())
            if other:
                mended[word] = other
            else:
                right.add(word)
        return mended.get(word, word)

    return _LETTERS.sub(read, text), tuple(mended.items())


def parse(text: str, vocabulary: Vocabulary) -> Sentence:
    """Find language, phrases and concepts of a text.

    Parameters
    ----------
    text : str
        A query, mended.
    vocabulary : Vocabulary
        Of the catalogue.

    Returns
    -------
    Sentence
    """
    concepts = vocabulary.concepts
    chunks = list(_CHUNK.finditer(text))
    raw = [m[0] for m in chunks]
    language = vocabulary.language_of(text, raw)
    told = [
        match
        for match in concepts.find(raw)
        if not match.start or fold(raw[match.start - 1]) not in _DENIALS
    ]
    # A French catalogue says French phrases itself.
    phrases = [
        found
        for found in concepts.find_phrases(raw)
        if vocabulary.analyzer.language == "english" or concepts.words[found[0]][0][1] != "french"
    ]
    glossed: dict[int, str] = {}
    for key, start, stop in phrases:
        glossed[start] = concepts.words[key][0][0]
        glossed.update(dict.fromkeys(range(start + 1, stop), ""))
    for i, chunk in enumerate(raw):
        if i not in glossed:
            parts = split_words(chunk)
            full = [vocabulary.in_full(part, language) for part in parts]
            if any(full):
                pairs = zip(parts, full, strict=True)
                glossed[i] = " ".join(w for part, words in pairs for w in words or [part])
    found = list(told)
    if glossed:
        # What was said in French or in short may name a concept in plain English.
        said: list[str] = []
        owner: list[int] = []
        for i, chunk in enumerate(raw):
            for part in split_words(glossed.get(i, chunk)):
                said.append(part)
                owner.append(i)
        taken = {i for f in told for i in range(f.start, f.stop)}
        for match in concepts.find(said):
            start, stop = owner[match.start], owner[match.stop - 1] + 1
            denied = match.start and said[match.start - 1] in _DENIALS
            if not denied and taken.isdisjoint(range(start, stop)):
                found.append(Found(match.concept, start, stop))
        found.sort(key=lambda f: f.start)
    return Sentence(text, chunks, language, found, told, phrases, glossed)
