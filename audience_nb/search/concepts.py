"""What people say and what catalogues call it: synonyms and intents, in files that users extend."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar, get_args

from audience_nb.catalog import Kind
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.search.lexical import Analyzer, Language, split_words

__all__ = ["Concept", "Concepts", "Found", "Relation", "default_concepts", "register"]

Relation = Literal["equivalent", "abbreviation", "synonym", "french"]

# How much a term counts that stands for what was said, beside a term that was said itself.
RELATION_WEIGHTS: Mapping[str, float] = {
    "equivalent": 1.0,
    "abbreviation": 1.0,
    "french": 0.9,
    "synonym": 0.85,
}
CONCEPT_WEIGHT = 0.6
_SEPARATOR = "|"

_FRENCH_SIGNS = frozenset(["aux", "d", "dan", "de", "du", "en", "et", "l", "la", "les", "san"])

T = TypeVar("T")


@dataclass(frozen=True)
class Concept:
    """A group of expressions that mean one thing about an audience.

    Parameters
    ----------
    name : str
        What to call it, such as "millennials".
    phrases : tuple of str
        How people say it, in any language.
    terms : tuple of str
        What catalogues call it: words, or ranges such as "25 to 44 years".
    meaning : str
        One phrase that says it plainly; shown, and given to the encoder.
    kind : {"demographic", "behavioral", "psychographic", "lifestyle", ""}
        The kind of variable that is meant, if any in particular.

    Examples
    --------
    >>> Concept("retirees", ("retired people",), ("65 years and over",), "ages 65 and over").kind
    ''
    """

    name: str
    phrases: tuple[str, ...]
    terms: tuple[str, ...]
    meaning: str
    kind: Kind | Literal[""] = ""


@dataclass(frozen=True)
class Found:
    """A concept in a text.

    Parameters
    ----------
    concept : Concept
        Which.
    start, stop : int
        Its words in the list that was searched, `stop` not included.
    """

    concept: Concept
    start: int
    stop: int


@dataclass
class Concepts:
    """Concepts and relations between words, by what people say.

    Parameters
    ----------
    concepts : iterable of Concept
        Later ones win where two have a phrase in common.
    words : mapping of str to list of (str, str)
        Folded word or phrase to what it means and the relation: "equivalent", "abbreviation",
        "synonym" or "french".
    revision : int
        Rises with every concept entered, so that a reader knows when to look again.

    Examples
    --------
    >>> found = default_concepts().find("eco-friendly millennials".split())
    >>> [match.concept.name for match in found]
    ['environmentally conscious', 'millennials']
    """

    concepts: list[Concept] = field(default_factory=list)
    words: dict[str, list[tuple[str, Relation]]] = field(default_factory=dict)
    _by_first: dict[str, list[tuple[tuple[str, ...], Concept]]] = field(
        default_factory=dict, repr=False
    )
    _phrases: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict, repr=False)
    _by_stem: dict[Language, dict[str, str]] = field(default_factory=dict, repr=False)

    revision: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        for concept in self.concepts:
            self._enter(concept)

    @classmethod
    def read(cls, concepts: str | Path | None = None, words: str | Path | None = None) -> Concepts:
        """Read concept and word files.

        Parameters
        ----------
        concepts : str or pathlib.Path, optional
            CSV with the columns name, phrases, terms, meaning, kind; lists joined by "|".
        words : str or pathlib.Path, optional
            CSV with the columns word, means, relation; a word may be a phrase, and several
            meanings are joined by "|".

        Returns
        -------
        Concepts

        Raises
        ------
        NotFound
            If a file is missing.
        DamagedFile
            If a column is missing or a line says nothing; names the line.

        Examples
        --------
        >>> len(Concepts.read().concepts)
        0
        """
        result = cls()
        for row, where in _rows(concepts, ("name", "phrases", "terms", "meaning", "kind")):
            name, phrases, terms, meaning, kind = row
            try:
                result.register(
                    name,
                    phrases.split(_SEPARATOR),
                    terms.split(_SEPARATOR),
                    meaning=meaning,
                    kind=kind,
                )
            except InvalidInput as error:
                raise DamagedFile(f"{where()}: {error.fact}", error.next_move) from error
        for row, where in _rows(words, ("word", "means", "relation")):
            word, means, relation = row
            if relation not in RELATION_WEIGHTS or not word or not means:
                raise DamagedFile(
                    f"{where()} has no word, no meaning or the relation {relation!r}.",
                    f"Use one of: {', '.join(RELATION_WEIGHTS)}.",
                )
            result._relate(word, means.split(_SEPARATOR), relation)  # type: ignore[arg-type]
        return result

    def _relate(self, word: str, means: Sequence[str], relation: Relation) -> None:
        # Nearly all keys are single words, already folded.
        plain = word.isascii() and word.isalpha() and word.islower()
        parts = [word] if plain else split_words(word)
        if not parts:
            return
        key = " ".join(parts)
        self.words.setdefault(key, []).extend((m.strip(), relation) for m in means if m.strip())
        if len(parts) > 1:
            phrase = tuple(map(_singular, parts))
            same_start = self._phrases.setdefault(phrase[0], [])
            if (phrase, key) not in same_start:
                same_start.append((phrase, key))
                same_start.sort(key=lambda entry: -len(entry[0]))
        self._by_stem.clear()

    def register(
        self,
        name: str,
        phrases: Sequence[str],
        terms: Sequence[str],
        *,
        meaning: str = "",
        kind: str = "",
    ) -> Concept:
        """Add a concept; it takes effect with the next query.

        Parameters
        ----------
        name : str
            What to call it.
        phrases, terms : sequence of str
            How people say it, and what catalogues call it. At least one each.
        meaning : str, optional
            By default the terms.
        kind : {"", "demographic", "behavioral", "psychographic", "lifestyle"}, optional
            What sort of variable is meant.

        Returns
        -------
        Concept

        Raises
        ------
        InvalidInput
            If the name, the phrases or the terms are empty, or the kind is unknown.

        Examples
        --------
        >>> Concepts().register("snowbirds", ["snow birds"], ["winter travel", "65 and over"]).name
        'snowbirds'
        """
        said = tuple(p.strip() for p in phrases if _words(p))
        meant = tuple(t.strip() for t in terms if t.strip())
        if not name.strip() or not said or not meant:
            raise InvalidInput(
                f"Concept {name!r} has {len(said)} phrases and {len(meant)} terms.",
                "Give it a name, at least one phrase and at least one term.",
            )
        if kind and kind not in get_args(Kind):
            raise InvalidInput(
                f"Concept {name!r} has kind {kind!r}.", f"Use one of: {', '.join(get_args(Kind))}."
            )
        concept = Concept(name.strip(), said, meant, meaning or ", ".join(meant), kind)  # type: ignore[arg-type]
        self.concepts.append(concept)
        self._enter(concept)
        return concept

    def _enter(self, concept: Concept) -> None:
        self.revision += 1
        for phrase in (concept.name, *concept.phrases):
            words = tuple(_words(phrase))
            if words:
                same_start = self._by_first.setdefault(words[0], [])
                same_start[:] = [entry for entry in same_start if entry[0] != words]
                same_start.append((words, concept))
                same_start.sort(key=lambda entry: -len(entry[0]))

    def find(self, words: Sequence[str]) -> list[Found]:
        """Find concepts in a list of words, the longest phrase first at each place.

        Parameters
        ----------
        words : sequence of str
            In order, stop words included.

        Returns
        -------
        list of Found
            They do not overlap; in order of appearance.
        """
        return [Found(c, start, stop) for c, start, stop in _matches(words, self._by_first)]

    def find_phrases(self, words: Sequence[str]) -> list[tuple[str, int, int]]:
        """Find the phrases of several words that `words` knows, the longest first.

        Parameters
        ----------
        words : sequence of str
            In order, stop words included.

        Returns
        -------
        list of (str, int, int)
            Key in `words`, and its place in the list: start, and stop, which is not included.

        Examples
        --------
        >>> default_concepts().find_phrases("les transports en commun".split())
        [('transport en commun', 1, 4)]
        """
        return _matches(words, self._phrases)

    def meanings(self, word: str, language: Language | None = None) -> list[tuple[str, Relation]]:
        """Give what a single word stands for.

        Parameters
        ----------
        word : str
            Folded.
        language : {"english", "french"}, optional
            Of the text in which it stands: then another form of a known word is known, too.

        Returns
        -------
        list of (str, str)
            Meanings and relations; empty for an unknown word.

        Examples
        --------
        >>> default_concepts().meanings("locataire")
        [('renter', 'french')]
        >>> default_concepts().meanings("travailleuses", "french")[0]
        ('workers', 'french')
        """
        found = self.words.get(word)
        if found is None and language is not None:
            key = self._stems(language).get(Analyzer(language).stem(word))
            found = [] if key is None else self.words[key]
        if found and language is not None:
            # A form found by its stem in one language is no word of the other.
            exact = word in self.words
            found = [f for f in found if exact or (f[1] == "french") == (language == "french")]
        return found or []

    def _stems(self, language: Language) -> dict[str, str]:
        """Give for each stem the shortest known word that has it."""
        if language not in self._by_stem:
            wanted = language == "french"
            # Short forms have no endings, and stems of them meet by chance.
            words = sorted(
                (
                    word
                    for word, entries in self.words.items()
                    if len(word) > 3
                    and " " not in word
                    and any((relation == "french") == wanted for _, relation in entries)
                ),
                key=lambda word: (len(word), word),
                reverse=True,
            )
            self._by_stem[language] = dict(zip(Analyzer(language).stems(words), words, strict=True))
        return self._by_stem[language]

    def french_words(self) -> set[str]:
        """Give the single words known that only a French text has.

        Returns
        -------
        set of str
            Folded.
        """
        french: set[str] = set()
        other: set[str] = set()
        for word, entries in self.words.items():
            only = all(relation == "french" for _, relation in entries)
            (french if only else other).update(word.split())
        for concept in self.concepts:
            for phrase in (concept.name, *concept.phrases):
                words = _words(phrase)
                is_french = not phrase.isascii() or not _FRENCH_SIGNS.isdisjoint(words)
                (french if is_french else other).update(words)
        return french - other

    def vocabulary(self) -> set[str]:
        """Give every single word that a concept or a relation knows."""
        known = {part for word in self.words for part in word.split()}
        for phrases in self._by_first.values():
            for phrase, _ in phrases:
                known.update(phrase)
        return known


def _matches(
    words: Sequence[str], table: Mapping[str, Sequence[tuple[tuple[str, ...], T]]]
) -> list[tuple[T, int, int]]:
    """Find the phrases of a table in a list of words: the longest at each place, none twice."""
    folded: list[str] = []
    owner: list[int] = []
    for i, word in enumerate(words):
        for part in _words(word):
            folded.append(part)
            owner.append(i)
    found: list[tuple[T, int, int]] = []
    at = 0
    while at < len(folded):
        for phrase, meant in table.get(folded[at], ()):
            if tuple(folded[at : at + len(phrase)]) == phrase:
                end = at + len(phrase)
                found.append((meant, owner[at], owner[end - 1] + 1))
                at = end
                break
        else:
            at += 1
    return found


def _singular(word: str) -> str:
    """Leave out a plural "s"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=16384)
def _words(phrase: str) -> tuple[str, ...]:
    """Fold and split a phrase; a plural "s" is not told from a singular."""
    return tuple(map(_singular, split_words(phrase)))


def _rows(
    path: str | Path | None, columns: tuple[str, ...]
) -> Iterable[tuple[list[str], Callable[[], str]]]:
    """Give the chosen columns of each row, and what says where it stands."""
    if path is None:
        return
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        missing = [c for c in columns if c not in header]
        if missing:
            raise DamagedFile(
                f"{path.name} lacks the columns {', '.join(missing)}.",
                f"Its header must be: {','.join(columns)}.",
            )
        places = [header.index(c) for c in columns]
        for row in reader:
            if row:
                cells = [row[i].strip() if i < len(row) else "" for i in places]
                yield cells, lambda: f"Line {reader.line_num}"


@cache
def default_concepts() -> Concepts:
    """Give the concepts that every index uses unless it is given others.

    Returns
    -------
    Concepts
        One object for the process: `register` adds to it.

    Examples
    --------
    >>> len(default_concepts().concepts) >= 40
    True
    """
    folder = files("audience_nb.search")
    return Concepts.read(str(folder / "concepts.csv"), str(folder / "words.csv"))


def register(
    name: str, phrases: Sequence[str], terms: Sequence[str], *, meaning: str = "", kind: str = ""
) -> Concept:
    """Add a concept to the default ones; see `Concepts.register`.

    Parameters
    ----------
    name : str
        What to call it.
    phrases, terms : sequence of str
        How people say it, and what catalogues call it.
    meaning, kind : str, optional
        See `Concepts.register`.

    Returns
    -------
    Concept
    """
    return default_concepts().register(name, phrases, terms, meaning=meaning, kind=kind)
