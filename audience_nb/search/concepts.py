"""What people say and what catalogues call it: synonyms and intents, in files that users extend."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from audience_nb.catalog import Kind
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.search.lexical import fold

__all__ = ["Concept", "Concepts", "Found", "default_concepts", "register"]

Relation = Literal["equivalent", "abbreviation", "synonym", "french"]

# How much a term counts that stands for what was said, beside a term that was said itself.
RELATION_WEIGHTS: Mapping[str, float] = {
    "equivalent": 1.0,
    "abbreviation": 1.0,
    "french": 0.9,
    "synonym": 0.65,
}
CONCEPT_WEIGHT = 0.6
_SEPARATOR = "|"


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
    """Concepts and single-word relations, by what people say.

    Parameters
    ----------
    concepts : iterable of Concept
        Later ones win where two have a phrase in common.
    words : mapping of str to list of (str, str)
        Folded word to what it means and the relation: "equivalent", "abbreviation", "synonym" or
        "french".
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
            CSV with the columns word, means, relation.

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
            try:
                result.register(
                    row["name"],
                    row["phrases"].split(_SEPARATOR),
                    row["terms"].split(_SEPARATOR),
                    meaning=row["meaning"],
                    kind=row["kind"],
                )
            except InvalidInput as error:
                raise DamagedFile(f"{where}: {error.fact}", error.next_move) from error
        for row, where in _rows(words, ("word", "means", "relation")):
            if row["relation"] not in RELATION_WEIGHTS or not row["word"] or not row["means"]:
                raise DamagedFile(
                    f"{where} has no word, no meaning or the relation {row['relation']!r}.",
                    f"Use one of: {', '.join(RELATION_WEIGHTS)}.",
                )
            entry = (row["means"], row["relation"])
            result.words.setdefault(fold(row["word"]), []).append(entry)  # type: ignore[arg-type]
        return result

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
        folded: list[str] = []
        owner: list[int] = []
        for i, word in enumerate(words):
            for part in _words(word):
                folded.append(part)
                owner.append(i)
        found: list[Found] = []
        at = 0
        while at < len(folded):
            for phrase, concept in self._by_first.get(folded[at], ()):
                if tuple(folded[at : at + len(phrase)]) == phrase:
                    end = at + len(phrase)
                    found.append(Found(concept, owner[at], owner[end - 1] + 1))
                    at = end
                    break
            else:
                at += 1
        return found

    def vocabulary(self) -> set[str]:
        """Give every single word that a concept or a relation knows."""
        known = set(self.words)
        for phrases in self._by_first.values():
            for phrase, _ in phrases:
                known.update(phrase)
        return known


def _words(phrase: str) -> list[str]:
    """Fold and split a phrase; a plural "s" is not told from a singular."""
    parts = fold(phrase).replace("-", " ").replace("'", " ").replace("/", " ").split()
    stripped = (p.strip('.,;:!?()[]"«»“”') for p in parts)
    return [
        w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w
        for w in stripped
        if w
    ]


def _rows(
    path: str | Path | None, columns: tuple[str, ...]
) -> Iterable[tuple[dict[str, str], str]]:
    if path is None:
        return
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [c for c in columns if c not in (reader.fieldnames or ())]
        if missing:
            raise DamagedFile(
                f"{path.name} lacks the columns {', '.join(missing)}.",
                f"Its header must be: {','.join(columns)}.",
            )
        for row in reader:
            yield {c: (row[c] or "").strip() for c in columns}, f"Line {reader.line_num}"


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
