"""Cluster sizes that some assignment can meet, and what to change where none can."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Integral

from audience_nb.errors import Infeasible, InvalidInput

__all__ = [
    "allowed_sizes",
    "feasible_n_clusters",
    "nearest_shares",
    "require_feasible",
    "size_bounds",
]


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
    smallest, largest = allowed_sizes(n_records, min_share=min_share, max_share=max_share)
    require_feasible(n_records, smallest, largest, n_segments)
    return smallest, largest


def allowed_sizes(
    n_records: int,
    *,
    min_share: float,
    max_share: float,
    size_min: int | None = None,
    size_max: int | None = None,
    least: int = 1,
) -> tuple[int, int]:
    """Turn shares, or counts instead, into sizes, whether or not any assignment can meet them.

    Parameters
    ----------
    n_records : int
        Rows, at least 1.
    min_share, max_share : float
        Smallest and largest cluster, as fractions of `n_records` in [0, 1].
    size_min, size_max : int, optional
        The same in records; each wins over its share.
    least : int, optional
        What a cluster holds at least, whatever the shares.

    Returns
    -------
    smallest, largest : int
        In records, both inclusive.

    Raises
    ------
    InvalidInput
        If the shares are no fractions in order, the counts are no whole numbers in order, a count
        contradicts the share at the other end, or there are no records.

    Examples
    --------
    >>> allowed_sizes(1000, min_share=0.05, max_share=0.10, size_max=80)
    (50, 80)
    """
    if n_records < 1:
        raise InvalidInput(f"There are {n_records} records.", "Give at least 1.")
    if not 0 <= min_share <= max_share <= 1:
        raise InvalidInput(
            f"min_share is {min_share} and max_share {max_share}.",
            "Give fractions with 0 <= min_share <= max_share <= 1.",
        )
    for name, count in (("size_min", size_min), ("size_max", size_max)):
        if count is not None and (not isinstance(count, Integral) or count < 0):
            raise InvalidInput(f"{name} is {count!r}.", "Give a whole number of records, or None.")
    smallest = max(least, math.ceil(Fraction(repr(float(min_share))) * n_records))
    largest = math.floor(Fraction(repr(float(max_share))) * n_records)
    if size_min is not None:
        smallest = max(least, int(size_min))
    if size_max is not None:
        largest = int(size_max)
    if smallest > largest and (size_min is not None or size_max is not None):
        low = f"size_min={size_min}" if size_min is not None else f"min_share={min_share:g}"
        high = f"size_max={size_max}" if size_max is not None else f"max_share={max_share:g}"
        raise InvalidInput(
            f"Of {n_records:,} records {low} asks for at least {smallest:,} in each cluster, "
            f"{high} allows {largest:,}.",
            "Lower the first or raise the second; give both size_min and size_max to replace "
            "both shares.",
        )
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
    n_records: int,
    smallest: int,
    largest: int,
    n_segments: int | None = None,
    names: tuple[str, str] = ("min_share", "max_share"),
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
    names : tuple of str, optional
        What the caller set the sizes by.

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
    if n_segments > n_records and largest > 0:
        fact = f"{n_segments:,} segments need a record each, there are {n_records:,}."
        raise Infeasible(fact, f"Form {n_records:,} segments or fewer.")
    if n_segments * largest < n_records:
        needed = -(-n_records // n_segments)
        fact = (
            f"{n_segments} segments of at most {largest:,} records hold "
            f"{n_segments * largest:,} of {n_records:,}."
        )
        move = f"Raise {names[1]} to allow {needed:,} records each"
    else:
        fact = (
            f"{n_segments} segments of at least {smallest:,} records need "
            f"{n_segments * smallest:,}, there are {n_records:,}."
        )
        move = f"Lower {names[0]} to allow {n_records // n_segments:,} records each"
    if feasible:
        nearest = min(feasible, key=lambda k: (abs(k - n_segments), k))
        move += f", or form {nearest} segment{'s' * (nearest > 1)}"
        if len(feasible) > 1:
            move += f" ({feasible[0]} to {feasible[-1]} would do)"
    raise Infeasible(fact, f"{move}.")


def _no_number(n_records: int, smallest: int, largest: int) -> tuple[str, str]:
    """Say why no number of segments will do, and which shares would."""
    if largest < smallest:
        fact = (
            f"A segment of {n_records} record{'s' * (n_records > 1)} must hold at least {smallest} "
            f"and at most {largest}."
        )
    elif n_records < smallest:
        fact = f"A segment must hold at least {smallest} records, there are {n_records}."
    else:
        k = n_records // smallest
        fact = (
            f"{k} segments of at most {largest} records hold {k * largest} of {n_records}, and "
            f"{k + 1} of at least {smallest} need {(k + 1) * smallest}."
        )
    k, least, most = nearest_shares(n_records, smallest, largest)
    low, high = n_records // k, -(-n_records // k)
    sizes = f"{low}" if low == high else f"{low} to {high}"
    return fact, (
        f"With min_share={least:g} and max_share={most:g}, {k} segment{'s' * (k > 1)} of {sizes} "
        f"record{'s' * (high > 1)} would do."
    )


def nearest_shares(
    n_records: int, smallest: int, largest: int, n_segments: int | None = None
) -> tuple[int, float, float]:
    """Give shares that some assignment can meet, near to sizes that none can.

    Parameters
    ----------
    n_records, smallest, largest : int
        Records, and the sizes wanted.
    n_segments : int, optional
        How many segments; by default the number for which the sizes are about right.

    Returns
    -------
    n_segments : int
    min_share, max_share : float
        Three decimals, rounded outward.

    Examples
    --------
    >>> nearest_shares(29, 2, 2)
    (14, 0.068, 0.104)
    """
    k = n_segments or round(2 * n_records / max(smallest + largest, 1))
    k = max(1, min(n_records, k))
    low, high = n_records // k, -(-n_records // k)
    digits = 1000 * 10 ** max(0, math.ceil(math.log10(k / 100)))
    least = math.floor(digits * min(smallest / n_records, low / n_records)) / digits
    most = math.ceil(digits * max(largest / n_records, high / n_records)) / digits
    return k, least, min(most, 1.0)
