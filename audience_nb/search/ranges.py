"""Numeric ranges in texts: "25-34", "$100k+", "moins de 6 ans" become terms that meet."""

from __future__ import annotations

import re

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


def shared(asked: tuple[float, float], other: tuple[float, float]) -> float:
    """Tell how much of another range lies inside the one asked for.

    Parameters
    ----------
    asked, other : (float, float)
        Low and high.

    Returns
    -------
    float
        In [0, 1]; 0 for less than 0.4, and for ranges of another order of magnitude, which
        count something else.

    Examples
    --------
    >>> shared((25, 44), (25, 34)), shared((30, 39), (35, 44)), shared((18, 24), (50, 54))
    (1.0, 0.5, 0.0)
    >>> shared((65, float("inf")), (75, float("inf"))), shared((2, float("inf")), (65, 74))
    (1.0, 0.0)
    """
    (low, high), (a, b) = asked, other
    if (_end(asked) >= _LARGE) != (_end(other) >= _LARGE):
        return 0.0
    if high == float("inf"):
        # "over 64" is "65 and over", but "2 or more" is not about those aged 65 to 74.
        if a > _SAME_ORDER * low or low == 0 or low < _MOST_YEARS <= a:
            return 0.0
        return 1.0 if a >= low else _part((b - low) / (b - a)) if b > low else 0.0
    if b == float("inf"):
        return 0.0
    # "under 5" is "0 to 4".
    slack = 1.0 if low == a == 0 and _end(asked) < _LARGE else 0.0
    if a >= low and b <= high + slack:
        return 1.0
    common = min(high, b) - max(low, a) + 1
    return _part(common / (b - a + 1)) if common > 0 else 0.0


def _end(ends: tuple[float, float]) -> float:
    low, high = ends
    return low if high == float("inf") else high


def _part(share: float) -> float:
    return share if share >= _LEAST_SHARED else 0.0


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
