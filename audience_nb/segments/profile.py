"""What sets a segment apart: its values against the base, with effect sizes on one scale.

Effects are on Cohen's scale (0.2 small, 0.5 medium, 0.8 large) for every type of variable, so
that they can be ranked together; the sign is the direction.

- Numbers, dates, ordinal ratings: ``sqrt(2) * probit(mean ridit)``. A record's ridit is the share
  of the base below it plus half the share equal to it [1]_, so the segment's mean ridit is the
  chance that one of its records exceeds one of the base. The probit turns it into the
  standardised mean difference that two normal distributions with that chance would have [2]_.
  Ranks make it indifferent to units, tails and outliers.
- Shares (boolean, one level of nominal): Cohen's ``h = 2 asin(sqrt(p)) - 2 asin(sqrt(p_base))``
  [3]_.

The index is 100 times the segment's share over the base's; for numbers that are never negative,
100 times mean over mean; for dates and calendar years there is none.

References
----------
.. [1] I. D. J. Bross (1958), How to use ridit analysis, Biometrics 14, 18-38.
.. [2] K. O. McGraw, S. P. Wong (1992), A common language effect size statistic,
   Psychological Bulletin 111, 361-365.
.. [3] J. Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., ch. 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.encoding import Column

__all__ = ["Finding", "Trait", "medians", "profile"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Measure = Literal["median", "share"]

# Ratings with at least this many levels count their two top levels as the top.
_TWO_TOP = 5


@dataclass(frozen=True, slots=True)
class Trait:
    """One variable, or one level of it, in a segment against the base.

    Parameters
    ----------
    code, label : str
        The variable.
    text : str
        The comparison in words, such as "Monthly charges: median 95 against 70".
    value, base : float or str or None
        The segment's and the base's median or share (in [0, 1]); dates and worded ratings as text.
        None where the segment knows no value.
    index : float or None
        100 times segment over base; None where a ratio means nothing.
    effect : float
        Standardised difference on Cohen's scale, with its sign.
    measure : {"median", "share"}
        What `value` and `base` are.
    level : str
        Of which values `value` is the share, "" for medians.

    Examples
    --------
    >>> Trait("PAY", "Income", "Income: median 70 against 50", 70, 50, 140.0, 0.9).measure
    'median'
    """

    code: str
    label: str
    text: str
    value: Any
    base: Any
    index: float | None
    effect: float
    measure: Measure = "median"
    level: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A trait with what naming needs to know of it.

    Parameters
    ----------
    trait : Trait
        The comparison.
    column : Column
        How the variable was read.
    standing : float
        Mean ridit of ordered variables, share of the segment for the others, in [0, 1].
    """

    trait: Trait
    column: Column
    standing: float = field(default=0.5)


def profile(
    columns: Sequence[Column], read: Mapping[str, FloatArray], places: IntArray, n_segments: int
) -> list[list[Finding]]:
    """Compare every segment with the base on every variable.

    Parameters
    ----------
    columns : sequence of Column
        The variables.
    read : mapping of code to ndarray of shape (n_records,)
        Values in original units, NaN where missing.
    places : ndarray of shape (n_records,), intp
        Segment of each record, from 0.
    n_segments : int
        How many segments there are.

    Returns
    -------
    list of list of Finding
        One list a segment: variables in the order given, nominal ones with a row for each level.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> age = Column(Variable("AGE", "Age"), "numeric")
    >>> values = np.array([20.0, 22.0, 60.0, 64.0])
    >>> rows = profile([age], {"AGE": values}, np.array([0, 0, 1, 1]), 2)
    >>> rows[1][0].trait.text
    'Age: median 62 against 41'
    """
    table: list[list[Finding]] = [[] for _ in range(n_segments)]
    for column in columns:
        values = read[column.code]
        if column.value_type in ("boolean", "nominal"):
            found = _shares(column, values, places, n_segments)
        else:
            found = _ordered(column, values, places, n_segments)
        for rows, new in zip(table, found, strict=True):
            rows.extend(new)
    return table


def medians(
    columns: Sequence[Column], read: Mapping[str, FloatArray], places: IntArray, n_segments: int
) -> list[dict[str, Any]]:
    """Give the middle of every segment in original units.

    Parameters
    ----------
    columns, read, places, n_segments
        As for `profile`.

    Returns
    -------
    list of dict of code to value
        Numbers, ISO dates, booleans, levels: the median over known values; of nominal variables
        the most common level; None where nothing is known.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> home = Column(Variable("HOME", "Home"), "nominal", levels=("own", "rent"))
    >>> medians([home], {"HOME": np.array([0.0, 1.0, 1.0])}, np.array([0, 0, 0]), 1)
    [{'HOME': 'rent'}]
    """
    members = _members(places, n_segments)
    return [{c.code: c.value(_middle(c, read[c.code][rows])) for c in columns} for rows in members]


def _members(places: IntArray, n_segments: int) -> list[IntArray]:
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(np.bincount(places, minlength=n_segments))[:-1]
    return list(np.split(order, ends))


def _middle(column: Column, values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan
    if column.value_type == "nominal":
        return float(np.bincount(known.astype(np.intp)).argmax())
    if column.levels:
        # The lower of two middle levels: between them there is none.
        return float(np.quantile(known, 0.5, method="lower"))
    return float(np.median(known))


def _shares(
    column: Column, values: FloatArray, places: IntArray, n_segments: int
) -> list[list[Finding]]:
    known = ~np.isnan(values)
    n_levels = len(column.levels)
    cells = places[known] * n_levels + values[known].astype(np.intp)
    counts = np.bincount(cells, minlength=n_segments * n_levels).reshape(n_segments, n_levels)
    sizes = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(sizes, 1)
    base = counts.sum(axis=0) / counts.sum()
    effects = 2 * np.arcsin(np.sqrt(shares)) - 2 * np.arcsin(np.sqrt(base))
    levels = range(1, 2) if column.value_type == "boolean" else range(n_levels)
    found: list[list[Finding]] = []
    for segment in range(n_segments):
        rows = []
        for level in levels:
            name = "" if column.value_type == "boolean" else column.levels[level]
            share, common = float(shares[segment, level]), float(base[level])
            if sizes[segment, 0]:
                effect = float(effects[segment, level])
                text = f"{_title(column)}: {name} {_against(share, common)}".replace(":  ", ": ")
                value: float | None = share
            else:
                effect, text, value = 0.0, f"{_title(column)}: unknown", None
            trait = Trait(
                column.code,
                column.label,
                text,
                value,
                common,
                _ratio(share, common),
                effect,
                "share",
                name or column.levels[level],
            )
            rows.append(Finding(trait, column, share))
        found.append(rows)
    return found


def _ordered(
    column: Column, values: FloatArray, places: IntArray, n_segments: int
) -> list[list[Finding]]:
    from scipy.special import ndtri
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    x, home = values[known], places[known]
    sizes = np.bincount(home, minlength=n_segments)
    ridits = (rankdata(x) - 0.5) / len(x)
    standing = np.bincount(home, weights=ridits, minlength=n_segments) / np.maximum(sizes, 1)
    effects = math.sqrt(2) * ndtri(np.clip(standing, 1e-9, 1 - 1e-9))
    base = _middle(column, x)
    found = []
    for segment, rows in enumerate(_members(home, n_segments)):
        if not len(rows):
            empty = Trait(
                column.code, column.label, f"{_title(column)}: unknown", None, None, None, 0.0
            )
            found.append([Finding(empty, column)])
            continue
        trait = _compared(column, x[rows], x, base, float(effects[segment]))
        found.append([Finding(trait, column, float(standing[segment]))])
    return found


def _compared(
    column: Column, own: FloatArray, everyone: FloatArray, base: float, effect: float
) -> Trait:
    middle = _middle(column, own)
    if column.text(middle) != column.text(base):
        unit, sign = _units(column)
        told = f"{column.text(middle)}{sign}{unit} against {column.text(base)}{sign}"
        return Trait(
            column.code,
            column.label,
            f"{_title(column)}: median {told}",
            column.value(middle),
            column.value(base),
            _index(column, own, everyone),
            effect,
        )
    # Equal medians hide a difference, as where most people spend 0: compare shares beyond it.
    above = float((own > base).mean()), float((everyone > base).mean())
    below = float((own < base).mean()), float((everyone < base).mean())
    upward = abs(above[0] - above[1]) >= abs(below[0] - below[1])
    share, common = above if upward else below
    word = {True: "after", False: "before"} if column.value_type == "date" else _THAN
    if column.levels:
        word = {True: "above", False: "below"}
    level = f"{word[upward]} {column.text(base)}"
    return Trait(
        column.code,
        column.label,
        f"{_title(column)}: {level} {_against(share, common)}",
        share,
        common,
        _ratio(share, common),
        effect,
        "share",
        level,
    )


_THAN = {True: "more than", False: "less than"}


def _index(column: Column, own: FloatArray, everyone: FloatArray) -> float | None:
    if column.value_type == "ordinal":
        top = len(column.levels) - (2 if len(column.levels) >= _TWO_TOP else 1)
        return _ratio(float((own >= top).mean()), float((everyone >= top).mean()))
    if column.value_type == "date" or column.is_year or everyone.min() < 0:
        return None
    # Scaled first, so that sums of very large numbers stay finite.
    largest = float(everyone.max())
    return _ratio(float((own / largest).mean()), float((everyone / largest).mean()))


def _ratio(value: float, base: float) -> float | None:
    return 100 * value / base if base > 0 else None


def _against(share: float, base: float) -> str:
    if f"{share:.0%}" == f"{base:.0%}" and share != base:
        return f"{share:.1%} against {base:.1%}"
    return f"{share:.0%} against {base:.0%}"


def _units(column: Column) -> tuple[str, str]:
    """Give the word that follows the first number and the sign that follows both."""
    unit = column.variable.unit
    if unit.casefold() in ("percent", "%"):
        return "", "%"
    silent = column.levels or len(unit) > 12 or unit.casefold() in ("", "count", "number", "index")
    return ("" if silent else f" {unit}"), ""


def _title(column: Column) -> str:
    return column.label.rstrip(" .?!:")
