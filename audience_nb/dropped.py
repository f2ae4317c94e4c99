"""Rows that were left out, counted by reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Dropped", "merged", "total"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many rows one reason left out.

    Parameters
    ----------
    reason : str
        In words, without anyone's values.
    count : int
        Rows, each counted under one reason only.

    Examples
    --------
    >>> Dropped("no consent to ads", 12).count
    12
    """

    reason: str
    count: int


def merged(*groups: Iterable[Dropped]) -> tuple[Dropped, ...]:
    """Add up reports, one entry for each reason.

    Parameters
    ----------
    *groups : iterable of Dropped
        Reports of steps that follow each other.

    Returns
    -------
    tuple of Dropped
        In the order the reasons first came up; reasons without a row are left out.

    Examples
    --------
    >>> merged([Dropped("repeated id", 2)], [Dropped("repeated id", 1), Dropped("no id", 0)])
    (Dropped(reason='repeated id', count=3),)
    """
    counts: dict[str, int] = {}
    for group in groups:
        for part in group:
            counts[part.reason] = counts.get(part.reason, 0) + part.count
    return tuple(Dropped(reason, count) for reason, count in counts.items() if count)


def total(dropped: Iterable[Dropped]) -> int:
    """Count all rows that were left out.

    Parameters
    ----------
    dropped : iterable of Dropped
        A report.

    Returns
    -------
    int

    Examples
    --------
    >>> total([Dropped("no id", 1), Dropped("repeated id", 2)])
    3
    """
    return sum(part.count for part in dropped)
