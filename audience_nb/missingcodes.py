"""Numbers that stand for no answer, such as -9, 99 and 999, judged by the values around them.

A number is taken for a missing code only where it is one that people use as such *and* it stands
apart from all other values of its column:

- negative codes (-7, -8, -9, -97 … -999999; -1 and -2 beside values above 4): no other value is
  negative;
- 7, 8, 9 and 77, 88, 96 … 99: on a scale 1, 2, … k that is otherwise complete, with at least one
  step missing in between;
- 99, 999, 9999 …: above all other values by at least a quarter of their span, and met oftener than
  any of the five largest of them.

Whatever is taken so is said, with its count and the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MissingCode", "missing_codes"]

FloatArray = npt.NDArray[np.float64]

_NEGATIVE = frozenset(
    [-1.0, -2.0, -7.0, -8.0, -9.0]
    + [float(-n) for n in (66, 77, 88, 95, 96, 97, 98, 99, 777, 888, 996, 997, 998, 999)]
    + [float(-n) for n in (7777, 8888, 9997, 9998, 9999, 99999, 999999)]
)
_NINES = tuple(float("9" * n) for n in range(2, 8))
_ON_SCALES = frozenset(
    float(code) for code in (7, 8, 9, 66, 77, 88, 95, 96, 97, 98, 99, 777, 888, 997, 998, 999, 9999)
)
# Above a scale of at most so many steps a lone 9 is a code; below this many records it may be
# chance that the steps between are missing.
_LONGEST_SCALE = 7
_FEWEST_RECORDS = 20
# So far above the others, in spans of theirs, stands a code of nines.
_APART = 0.25


@dataclass(frozen=True, slots=True)
class MissingCode:
    """A number read as missing, and why.

    Parameters
    ----------
    value : float
        The number.
    count : int
        Records with it.
    reason : str
        What sets it apart, in words.

    Examples
    --------
    >>> MissingCode(-9.0, 12, "no other value is negative").count
    12
    """

    value: float
    count: int
    reason: str


def missing_codes(values: FloatArray, counts: npt.NDArray[Any]) -> list[MissingCode]:
    """Find the numbers that stand for no answer.

    Parameters
    ----------
    values : ndarray of shape (n_levels,), float64
        The different values of a column, ascending, without NaN.
    counts : ndarray of shape (n_levels,), integers
        Records with each.

    Returns
    -------
    list of MissingCode
        Ascending; empty where nothing stands apart.

    Examples
    --------
    >>> import numpy as np
    >>> ages = np.array([-9.0, 18, 30, 46, 71])
    >>> [code.value for code in missing_codes(ages, np.array([12, 3, 5, 4, 2]))]
    [-9.0]
    >>> missing_codes(np.array([-9.0, -3, 0, 4]), np.array([1, 1, 1, 1]))
    []
    """
    found: list[MissingCode] = []
    negative = values < 0
    n_negative = int(negative.sum())
    if 0 < n_negative <= 5 and n_negative < len(values) and set(values[negative]) <= _NEGATIVE:
        rest = values[~negative]
        whole = bool((rest % 1 == 0).all())
        # A lone -1 among amounts may be a small debt; among whole numbers met twice it is none.
        deep = bool(values[0] <= -6)
        enough = int(counts[negative].sum()) >= 2 or (deep and len(rest) <= 11)
        # From -2 to 2 people rate; -1 beside 0 to 30 nobody does.
        if (deep or (whole and rest[-1] > 4)) and enough and len(rest) >= 2:
            found += [
                MissingCode(float(v), int(n), "no other value is negative")
                for v, n in zip(values[negative], counts[negative], strict=True)
            ]
            values, counts = rest, counts[~negative]
    return found + (_above_a_scale(values, counts) or _above_all(values, counts))


def _above_a_scale(values: FloatArray, counts: npt.NDArray[Any]) -> list[MissingCode]:
    """Find codes above answers 1, 2, … k."""
    if len(values) < 3 or values[0] != 1 or len(values) > _LONGEST_SCALE + 5:
        return []
    steps = 1
    while steps < len(values) and values[steps] == steps + 1:
        steps += 1
    above = values[steps:]
    if not len(above) or not 2 <= steps <= _LONGEST_SCALE or not set(above) <= _ON_SCALES:
        return []
    if above[0] < steps + 2 or counts.sum() < _FEWEST_RECORDS:
        return []
    # Without a 9 or 99 at the end, 7 and 8 are rather two steps that few people chose.
    if above[-1] < 9 or (above[-1] < 66 and counts[steps:].max() < 2):
        return []
    reason = f"the other values are 1 to {steps}"
    return [
        MissingCode(float(v), int(n), reason) for v, n in zip(above, counts[steps:], strict=True)
    ]


def _above_all(values: FloatArray, counts: npt.NDArray[Any]) -> list[MissingCode]:
    """Find codes of nines, and their neighbours 97 and 98, above every other value."""
    for nines in _NINES:
        if len(values) < 4 or values[-1] != nines:
            continue
        top = len(values) - 1
        while top > 1 and values[top - 1] in (nines - 1, nines - 2, nines - 3):
            top -= 1
        rest = values[:top]
        span = float(rest[-1] - rest[0])
        if span <= 0 or values[top] - rest[-1] < _APART * span:
            # 99 alone may stand apart where 98 is a value like any other.
            top, rest = len(values) - 1, values[:-1]
            span = float(rest[-1] - rest[0])
            if span <= 0 or nines - rest[-1] < _APART * span:
                return []
        usual = int(counts[max(0, top - 5) : top].max())
        if int(counts[-1]) >= max(2, usual):
            reason = f"the largest other value is {rest[-1]:,.15g}"
            return [
                MissingCode(float(v), int(n), reason)
                for v, n in zip(values[top:], counts[top:], strict=True)
            ]
    return []
