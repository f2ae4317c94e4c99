"""What sort of variable a query is after: who people are, what they do, what they value."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from audience_nb.catalog import Kind
from audience_nb.search.concepts import Found, default_concepts
from audience_nb.search.lexical import split_words

if TYPE_CHECKING:
    from audience_nb.search.reading import Reading

__all__ = ["Intent", "detect", "detect_in"]

# A concept says what is meant more surely than a verb.
_CONCEPT = 1.5
# A kind that holds less of the evidence is not meant.
_LEAST_SHARE = 0.15
_MOST_REASONS = 5

Cue = tuple[Kind, float]


@dataclass(frozen=True)
class Intent:
    """A kind of variable that a query asks for.

    Parameters
    ----------
    kind : {"demographic", "behavioral", "psychographic", "lifestyle"}
        Which.
    share : float
        How much of what the query says points to it, in (0, 1]; the shares add up to 1.
    because : tuple of str
        Concepts and words that say so, the concepts first.

    Examples
    --------
    >>> Intent("behavioral", 1.0, ("buy",)).kind
    'behavioral'
    """

    kind: Kind
    share: float
    because: tuple[str, ...]


def detect(query: str | Reading) -> tuple[Intent, ...]:
    """Tell what sort of variables a query asks for.

    Parameters
    ----------
    query : str or Reading
        A description of an audience, in English or French.

    Returns
    -------
    tuple of Intent
        The largest share first; empty where nothing points anywhere.

    Examples
    --------
    >>> [(i.kind, i.because) for i in detect("women aged 25 to 34")]
    [('demographic', ('women', 'aged'))]
    >>> [i.kind for i in detect("millennials who buy organic food")]
    ['behavioral', 'demographic']
    >>> detect("zebra")
    ()
    """
    if not isinstance(query, str):
        return query.intents
    words = split_words(query)
    return detect_in(words, default_concepts().find(words))


def detect_in(words: Sequence[str], found: Sequence[Found]) -> tuple[Intent, ...]:
    """Weigh the concepts and cues of a query that was read.

    Parameters
    ----------
    words : sequence of str
        All words of the query, folded, stop words included.
    found : sequence of Found
        Its concepts, with their places among the words; a word within a concept is no cue.

    Returns
    -------
    tuple of Intent
        The largest share first.
    """
    weights: dict[Kind, float] = {}
    because: dict[Kind, list[str]] = {}

    def count(kind: Kind, weight: float, reason: str) -> None:
        if reason not in because.setdefault(kind, []):
            because[kind].append(reason)
            weights[kind] = weights.get(kind, 0.0) + weight

    taken = {i for match in found for i in range(match.start, match.stop)}
    for match in found:
        if match.concept.kind:
            count(match.concept.kind, _CONCEPT, match.concept.name)
    for phrase, kind, weight, start in _cues_in(words):
        if start not in taken:
            count(kind, weight, phrase)
    total = sum(weights.values())
    kept = {kind: w for kind, w in weights.items() if w >= _LEAST_SHARE * total}
    total = sum(kept.values())
    # The order of the evidence decides between equals.
    order = sorted(kept, key=lambda kind: -kept[kind])
    return tuple(Intent(k, kept[k] / total, tuple(because[k][:_MOST_REASONS])) for k in order)


def _cues_in(words: Sequence[str]) -> list[tuple[str, Kind, float, int]]:
    """Find the cues in a list of words, the longest at each place."""
    table = _cues()
    found: list[tuple[str, Kind, float, int]] = []
    at = 0
    while at < len(words):
        for phrase in table.get(words[at], ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                found += [(" ".join(phrase), *cue, at) for cue in table[words[at]][phrase]]
                at += len(phrase)
                break
        else:
            at += 1
    return found


@cache
def _cues() -> dict[str, dict[tuple[str, ...], list[Cue]]]:
    """Read the cues by their first words, the longest phrases first."""
    table: dict[str, dict[tuple[str, ...], list[Cue]]] = {}
    text = (files("audience_nb.search") / "intents.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        phrase = tuple(split_words(row["cue"]))
        cue: Cue = (row["kind"], float(row["weight"]))  # type: ignore[assignment]
        table.setdefault(phrase[0], {}).setdefault(phrase, []).append(cue)
    return {
        first: dict(sorted(phrases.items(), key=lambda item: -len(item[0])))
        for first, phrases in table.items()
    }
