"""Variables that need more care: what they tell of people that must not be inferred or sold."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audience_nb.catalog import Variable

__all__ = ["CATEGORIES", "categories_of", "category_of", "mentions"]

# Special categories of personal data (GDPR article 9), and what platforms and the US national
# privacy section add: precise location and minors.
CATEGORIES = (
    "race",
    "religion",
    "health",
    "sex life",
    "union",
    "politics",
    "biometrics",
    "precise location",
    "minors",
)


def category_of(variable: Variable) -> str | None:
    """Tell what is sensitive about a variable.

    Parameters
    ----------
    variable : Variable
        Its label, description and category are read, in English and French.

    Returns
    -------
    str or None
        "race", "religion", "health", "sex life", "union", "politics", "biometrics", "precise
        location" or "minors"; None where nothing is. A word list errs on both sides: it is a
        first look, to be corrected by who knows the data.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> category_of(Variable("A", "Attended a place of worship"))
    'religion'
    >>> category_of(Variable("B", "Watch race cars")) is None
    True
    """
    return _category(f"{variable.label} . {variable.description} . {variable.category}")


def categories_of(variables: Iterable[Variable]) -> dict[str, str]:
    """Tell which variables are sensitive.

    Parameters
    ----------
    variables : iterable of Variable
        Any number.

    Returns
    -------
    dict of code to category
        Of the sensitive ones alone.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> categories_of([Variable("A", "Voted in the last election"), Variable("B", "Cycles")])
    {'A': 'politics'}
    """
    found = {v.code: category_of(v) for v in variables}
    return {code: category for code, category in found.items() if category is not None}


def mentions(text: str) -> list[tuple[str, str]]:
    """List every sensitive word of a text.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    list of tuple
        Category and word, in plain letters.

    Examples
    --------
    >>> mentions("Catholic voters")
    [('religion', 'catholic'), ('politics', 'voters')]
    """
    padded = _padded(text)
    found = []
    for category, terms, others in _rules():
        rest = others.sub(" ", padded) if others is not None else padded
        found += [(category, match[0]) for match in terms.finditer(rest)]
    return found


def _padded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = " ".join(re.findall(r"[a-z0-9]+", "".join(c for c in plain if ord(c) < 128)))
    return f" {plain} "


@lru_cache(maxsize=100_000)
def _category(text: str) -> str | None:
    padded = _padded(text)
    for category, terms, others in _rules():
        # What only sounds alike is taken out first: "credit union", "race cars".
        rest = others.sub(" ", padded) if others is not None else padded
        if terms.search(rest):
            return category
    return None


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str] | None], ...]:
    table = resources.files("audience_nb.policy").joinpath("sensitive.csv")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    return tuple(
        (row["category"], _any(row["term"]), _any(row["but"]) if row["but"] else None)
        for row in rows
    )


def _any(terms: str) -> re.Pattern[str]:
    longest = sorted(terms.split("|"), key=len, reverse=True)
    return re.compile(rf"(?<= )(?:{'|'.join(map(re.escape, longest))})(?= )")
