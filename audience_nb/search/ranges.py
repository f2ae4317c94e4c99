"""Numeric ranges in texts: "25-34", "$100k+", "moins de 6 ans" become terms that meet."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["RANGE", "bounds", "find_ranges", "range_words", "shared"]

# A range as a term: "25_34", "65_up", "0_5".
RANGE = re.compile(r"^(\d+(?:\.\d+)?)_(up|\d+(?:\.\d+)?)$")

_NUMBER = r"\$?\s?(\d+(?:\.\d+)?)\s?[$%]?"
_UNIT = (
    r"(?:years?|yrs?|yo|ans|minutes?|mins?|hours?|heures?|percent|pour cent|dollars?|persons?|"
    r"personnes?|people|units?|weeks?|semaines?)?"
)
# Most specific first; what one has read, the next does not see.
_BETWEEN = re.compile(rf"\b(?:between|entre)\s+{_NUMBER}\s*{_UNIT}\s*(?:and|et)\s+{_NUMBER}")
_SPAN = re.compile(
    rf"(?<![\d.-]){_NUMBER}\s*{_UNIT}\s*(?:-|to|a|au|through|thru|until|jusqu'a)\s*{_NUMBER}"
    r"(?![\d-])"
)
_FROM_ON = re.compile(
    rf"{_NUMBER}\s*{_UNIT}\s*(?:\+|plus\b|(?:of age\s+)?(?:and|or|et|ou|&)\s+"
    r"(?:over|older|more|above|plus|up|upwards|mieux|longer|greater|better)\b(?!\s*\$?\d)|et \+)"
)
_AND_LESS = re.compile(
    rf"{_NUMBER}\s*{_UNIT}\s*(?:of age\s+)?(?:and|or|et|ou|&)\s+"
    r"(?:under|younger|less|fewer|below|moins|plus jeunes?)\b(?!\s*\$?\d)"
)
_OVER = re.compile(
    r"(?:(?<!no )\b(?:over|above|more than|at least|older than|greater than|exceeding|in excess of|"
    r"plus de|au moins|a partir de|minimum|min|from age)\s+|(?<![\w>])>\s?=?\s?|≥\s?)"
    rf"{_NUMBER}"
)
_UNDER = re.compile(
    r"(?:\b(?:under|below|less than|fewer than|younger than|up to|at most|no more than|"
    r"moins de|au plus|jusqu'a|maximum|max|inferieure?s? a)\s+|(?<![\w<])<\s?=?\s?|≤\s?)"
    rf"{_NUMBER}"
)
# Amounts from here on are no ages, minutes or percentages.
_LARGE = 1000.0
# "65 and over" says something about "75 and over", and little about "500 and over".
_SAME_ORDER = 4.0
# Nor are amounts from here on ages or minutes, if the one asked for may be.
_MOST_YEARS = 100.0
# Ranges that share less than this much with the one asked for are another range.
_LEAST_SHARED = 0.4


def find_ranges(folded: str) -> list[str]:
    """Give a term for each numeric range named in folded text.

    Parameters
    ----------
    folded : str
        As `audience_nb.search.lexical.fold` gives it.

    Returns
    -------
    list of str
        In order of the patterns, each once: "25_34", "65_up", "0_5".

    Examples
    --------
    >>> find_ranges("women 25-34 with incomes over $50000 or under 5 children")
    ['25_34', '50000_up', '0_5']
    """
    if not any(c.isdigit() for c in folded):
        return []
    found: list[str] = []

    def take(pattern: re.Pattern[str], low: str | None, high: str | None) -> None:
        nonlocal folded

        def replace(match: re.Match[str]) -> str:
            first = match[1] if low is None else low
            last = high or (match[2] if low is None else match[1])
            if last == "up" or float(first) < float(last):
                found.append(f"{first}_{last}")
            # What was read leaves a mark, so that its neighbours don't join.
            return " | "

        folded = pattern.sub(replace, folded)

    take(_BETWEEN, None, None)
    take(_SPAN, None, None)
    take(_FROM_ON, None, "up")
    take(_AND_LESS, "0", None)
    take(_OVER, None, "up")
    take(_UNDER, "0", None)
    return list(dict.fromkeys(found))


def bounds(term: str) -> tuple[float, float] | None:
    """Give the ends of a range term.

    Parameters
    ----------
    term : str
        Any term.

    Returns
    -------
    (float, float) or None
        Low and high, which may be infinite; None for a term that is no range.

    Examples
    --------
    >>> bounds("25_34"), bounds("65_up"), bounds("dog")
    ((25.0, 34.0), (65.0, inf), None)
    """
    match = RANGE.match(term)
    if match is None:
        return None
    return float(match[1]), float("inf") if match[2] == "up" else float(match[2])


def shared(
    asked: tuple[float, float], others: Sequence[tuple[float, float]] | npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Tell how much of other ranges lies inside the one asked for.

    Parameters
    ----------
    asked : (float, float)
        Low and high.
    others : array-like of shape (n_ranges, 2)
        Low and high of each.

    Returns
    -------
    ndarray of shape (n_ranges,), float64
        In [0, 1]; 0 for less than 0.4, and for ranges of another order of magnitude, which
        count something else.

    Examples
    --------
    >>> shared((25, 44), [(25, 34), (40, 49), (50, 54)]).tolist()
    [1.0, 0.5, 0.0]
    >>> shared((65, float("inf")), [(75, float("inf"))]).tolist()
    [1.0]
    >>> shared((2, float("inf")), [(65, 74)]).tolist()
    [0.0]
    """
    low, high = asked
    a, b = np.asarray(others, np.float64).reshape(-1, 2).T
    is_large = (low if high == float("inf") else high) >= _LARGE
    like = np.equal(is_large, np.where(np.isinf(b), a, b) >= _LARGE)
    if high == float("inf"):
        # "over 64" is "65 and over", but "2 or more" is not about those aged 65 to 74.
        like &= (a <= _SAME_ORDER * low) & (low > 0)
        if low < _MOST_YEARS:
            like &= a < _MOST_YEARS
        whole = a >= low
        common, length = b - low, b - a
    else:
        like &= np.isfinite(b)
        # "under 5" is "0 to 4".
        slack = (a == 0) if low == 0 and not is_large else 0.0
        whole = (a >= low) & (b <= high + slack)
        common, length = np.minimum(high, b) - np.maximum(low, a) + 1, b - a + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        part = common / length
    part = np.where(part >= _LEAST_SHARED, part, 0.0)
    found: npt.NDArray[np.float64] = np.where(like, np.where(whole, 1.0, part), 0.0)
    return found


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
    match = RANGE.match(term)
    if match is None:
        return term
    low, high = match[1], match[2]
    if high == "up":
        return f"{low} and over"
    return f"under {high}" if low == "0" else f"{low} to {high}"
