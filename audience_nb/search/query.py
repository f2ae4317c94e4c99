"""What is asked for, and what is answered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import get_args

from audience_nb.catalog import DataType, Kind, Variable
from audience_nb.errors import InvalidInput
from audience_nb.search.lexical import says_something

__all__ = ["MAX_QUERY", "Query", "Suggestion"]

# Longer texts are cut: nobody describes an audience in a novel.
MAX_QUERY = 500
_SHOWN = 40
_EXAMPLE = "Describe the audience, such as “families who cycle and buy organic food”."
# Invisible marks that letters of some scripts and composed emoji need.
_JOINERS = "\u200c\u200d"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Query:
    r"""What is searched for.

    Parameters
    ----------
    text : str
        As it is searched: without surplus space, at most 500 characters.
    limit : int
        At most so many suggestions.
    kinds, sources, categories : tuple of str
        Only variables of these; empty for all.
    data_type : {"first_party", "third_party", "clean_room"} or None
        Only variables that this data type may use.
    availability : tuple of {"first_party", "third_party", "clean_room"}
        Only variables that each of these data types may use too.
    note : str
        What was done to the text, or why nothing can be found by it; or "".
    intents : tuple of {"demographic", "behavioral", "psychographic", "lifestyle"}, or None
        What sort of variables is meant: None as detected in the text, () none in particular.

    Examples
    --------
    >>> Query.of("  high \n income ").text
    'high income'
    """

    text: str
    limit: int = 15
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    data_type: DataType | None = None
    availability: tuple[DataType, ...] = ()
    note: str = ""
    intents: tuple[Kind, ...] | None = None

    @classmethod
    def of(
        cls,
        text: str,
        limit: int = 15,
        *,
        kinds: Collection[Kind] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        data_type: DataType | None = None,
        availability: Collection[DataType] | None = None,
        intents: Collection[Kind] | None = None,
    ) -> Query:
        """Check and clean what a person typed.

        Parameters
        ----------
        text : str
            Anything; longer text is cut at a word and says so in `note`.
        limit : int, optional
            At least 1.
        kinds, sources, categories : collection of str, optional
            Filters; a single string counts as one value.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Filter.
        availability : collection of the same, optional
            Filter: all of these data types may use the variable too.
        intents : collection of str, optional
            What sort of variables is meant, in place of what the text says; empty for none.

        Returns
        -------
        Query

        Raises
        ------
        InvalidInput
            If the text is empty, the limit is below 1 or an intent is unknown.

        Examples
        --------
        >>> Query.of("of the").note
        '“of the” has no word that says what to find. Describe the audience, such as “families who \
cycle and buy organic food”.'
        """
        if not isinstance(text, str):
            raise InvalidInput(f"The query is a {type(text).__name__}.", "Give it as text.")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InvalidInput(f"The limit is {limit!r}.", "Ask for at least 1 suggestion.")
        cleaned, note = _clean(text)
        return cls(
            cleaned,
            limit,
            _tuple(kinds),  # type: ignore[arg-type]
            _tuple(sources),
            _tuple(categories),
            data_type,
            _tuple(availability),  # type: ignore[arg-type]
            note,
            None if intents is None else _kinds(intents),
        )


def _clean(text: str) -> tuple[str, str]:
    """Give a pasted text as it is searched, and what to say about it."""
    # Look only at as much of a paste as can matter.
    head = text[: 8 * MAX_QUERY]
    if not head.strip():
        head = text.lstrip()[: 8 * MAX_QUERY]
    # Half of a character pair cannot be encoded by anybody, and marks that turn the direction of
    # writing would also turn the page on which the query is shown.
    head = _CONTROL.sub(" ", head.encode("utf-8", "replace").decode())
    if not head.isascii():
        head = "".join(c for c in head if c in _JOINERS or unicodedata.category(c) != "Cf")
    cleaned = " ".join(head.split())
    note = ""
    if len(cleaned) > MAX_QUERY or len(text) > 8 * MAX_QUERY:
        cleaned = cleaned[:MAX_QUERY].rsplit(" ", 1)[0]
        note = f"Only the first {len(cleaned)} of {len(text):,} characters were searched."
    if not cleaned:
        raise InvalidInput("The query is empty.", _EXAMPLE)
    if not says_something(cleaned):
        shown = cleaned if len(cleaned) <= _SHOWN else cleaned[:_SHOWN] + "…"
        note = f"“{shown}” has no word that says what to find. {_EXAMPLE}"
    return cleaned, note


def _kinds(values: Collection[str]) -> tuple[Kind, ...]:
    found = tuple(dict.fromkeys(_tuple(values)))
    known = get_args(Kind)
    unknown = [v for v in found if v not in known]
    if unknown:
        raise InvalidInput(f"{unknown[0]!r} is no intent.", f"Use any of: {', '.join(known)}.")
    return found  # type: ignore[return-value]


def _tuple(values: Collection[str] | None) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values or ())


@dataclass(frozen=True)
class Suggestion:
    """A variable that fits a query.

    Parameters
    ----------
    variable : Variable
        What was found.
    score : float
        In [0, 1]; 1 is the variable's own label or code.
    rank : int
        From 1.
    parts : dict of str to float
        "meaning", "words", "concepts", "spelling": they add up to the score.
    why : str
        The words, concepts and meaning that earned it.
    variants : tuple of str
        Codes of all variants of its measure that may be used, the preferred first and its own
        among them; none where there is no other.
    """

    variable: Variable
    score: float
    rank: int
    parts: dict[str, float]
    why: str
    variants: tuple[str, ...] = ()
