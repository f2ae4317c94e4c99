"""Cluster sizes that some assignment can meet, and what to change where none can."""

from __future__ import annotations

import math
from fractions import Fraction

from audience_nb.errors import Infeasible, InvalidInput

__all__ = ["feasible_n_clusters", "require_feasible", "size_bounds"]


def size_bounds(
    n_records: int, n_segments: int | None = None, *, min_share: float, max_share: float
) -> tuple[int, int]:
    """Turn segment shares into record counts that some assignment can meet.

    Parameters
    ----------
    n_records : int
        Rows, at least 1.
    n_segments : int, optional
        Segments to form; by default any number.
    min_share, max_share : float
        Smallest and largest segment, as fractions of `n_records` in [0, 1]. They are read as the
        decimals that they print as: 0.07 of 100 records is 7, not 8.

    Returns
    -------
    smallest, largest : int
        Segment sizes in records, both inclusive; a segment holds at least one.

    Raises
    ------
    InvalidInput
        If the shares are no fractions in order, or there are no records.
    Infeasible
        If the segments cannot hold every record exactly once.

    Examples
    --------
    >>> size_bounds(1000, 12, min_share=0.05, max_share=0.10)
    (50, 100)
    >>> size_bounds(100, min_share=0.07, max_share=0.29)
    (7, 29)
    """
    if n_records < 1:
        raise InvalidInput(f"There are {n_records} records.", "Give at least 1.")
    if not 0 <= min_share <= max_share <= 1:
        raise InvalidInput(
            f"min_share is {min_share} and max_share {max_share}.",
            "Give fractions with 0 <= min_share <= max_share <= 1.",
        )
    smallest = max(1, math.ceil(Fraction(repr(float(min_share))) * n_records))
    largest = math.floor(Fraction(repr(float(max_share))) * n_records)
    require_feasible(n_records, smallest, largest, n_segments)
    return smallest, largest


def feasible_n_clusters(n_records: int, smallest: int, largest: int) -> range:
    """Give the numbers of clusters that can hold all records.

    Parameters
    ----------
    n_records : int
        Rows.
    smallest, largest : int
        Sizes allowed, both inclusive.

    Returns
    -------
    range
        Empty if there is none.

    Examples
    --------
    >>> feasible_n_clusters(1013, 51, 101)
    range(11, 20)
    """
    if largest < 1 or largest < smallest:
        return range(0)
    return range(-(-n_records // largest), n_records // smallest + 1)


def require_feasible(
    n_records: int, smallest: int, largest: int, n_segments: int | None = None
) -> None:
    """Refuse sizes that no assignment can meet, and say what would do.

    Parameters
    ----------
    n_records : int
        Rows.
    smallest, largest : int
        Sizes allowed, both inclusive.
    n_segments : int, optional
        Segments to form; by default any number.

    Raises
    ------
    Infeasible
        If no number of segments, or not this one, can hold every record exactly once.

    Examples
    --------
    >>> require_feasible(1000, 50, 100, 12)
    """
    feasible = feasible_n_clusters(n_records, smallest, largest)
    if n_segments is None:
        if not feasible:
            raise Infeasible(*_no_number(n_records, smallest, largest))
        return
    if n_segments in feasible:
        return
    if n_segments > n_records:
        fact = f"{n_segments:,} segments need a record each, there are {n_records:,}."
        raise Infeasible(fact, f"Form {n_records:,} segments or fewer.")
    if n_segments * largest < n_records:
        needed = -(-n_records // n_segments)
        fact = (
            f"{n_segments} segments of at most {largest:,} records hold "
            f"{n_segments * largest:,} of {n_records:,}."
        )
        move = f"Raise max_share to allow {needed:,} records each"
    else:
        fact = (
            f"{n_segments} segments of at least {smallest:,} records need "
            f"{n_segments * smallest:,}, there are {n_records:,}."
        )
        move = f"Lower min_share to allow {n_records // n_segments:,} records each"
    if feasible:
        nearest = min(feasible, key=lambda k: (abs(k - n_segments), k))
        move += f", or form {nearest} segments ({feasible[0]} to {feasible[-1]} would do)"
    raise Infeasible(fact, f"{move}.")


def _no_number(n_records: int, smallest: int, largest: int) -> tuple[str, str]:
    """Say why no number of segments will do, and which shares would."""
    if largest < smallest:
        fact = (
            f"A segment of {n_records} records must hold at least {smallest} and at most {largest}."
        )
    else:
        k = max(1, n_records // smallest)
        fact = (
            f"{k} segments of at most {largest} records hold {k * largest} of {n_records}, and "
            f"{k + 1} of at least {smallest} need {(k + 1) * smallest}."
        )
    k = max(1, min(n_records, round(2 * n_records / max(smallest + largest, 1))))
    low, high = n_records // k, -(-n_records // k)
    sizes = f"{low}" if low == high else f"{low} to {high}"
    least = math.floor(1000 * low / n_records) / 1000
    most = math.ceil(1000 * high / n_records) / 1000
    return fact, (
        f"With min_share={least:g} and max_share={most:g}, {k} segments of {sizes} "
        f"record{'s' * (high > 1)} would do."
    )
