"""How many people of the base an audience has, from a sample of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from audience_nb.errors import InvalidInput

__all__ = ["Reach", "predicted_size"]


@dataclass(frozen=True, slots=True)
class Reach:
    """A predicted size with its interval.

    Parameters
    ----------
    size : int
        People of the base, as the sample suggests.
    low, high : int
        Ends of the interval, both inclusive.
    confidence : float
        In at least this share of samples the interval holds the true size.
    share : float
        Of the base, in [0, 1].

    Examples
    --------
    >>> predicted_size(50, 1000, 20_000)
    Reach(size=1000, low=753, high=1300, confidence=0.95, share=0.05)
    """

    size: int
    low: int
    high: int
    confidence: float
    share: float


def predicted_size(count: int, n_sample: int, n_base: int, *, confidence: float = 0.95) -> Reach:
    """Predict how many people of the base belong to an audience.

    Parameters
    ----------
    count : int
        People of the audience in the sample.
    n_sample : int
        People in the sample, drawn at random without repeating anyone.
    n_base : int
        People in the base, the sample among them.
    confidence : float, default 0.95
        Share of samples whose interval is to hold the true size, in (0, 1).

    Returns
    -------
    Reach
        The interval is exact: it holds every size of which a sample as extreme as this one,
        on either side, has a chance of more than (1 - confidence) / 2. It shrinks to one number
        as the sample becomes the base.

    Raises
    ------
    InvalidInput
        If the counts do not fit each other, or the confidence is out of range.

    Notes
    -----
    The count in a sample without replacement is hypergeometric; its distribution is turned round
    as Clopper and Pearson (1934) did for the binomial one (Wang, 2015, for the finite base).

    Examples
    --------
    >>> predicted_size(0, 100, 1000).high
    34
    >>> predicted_size(30, 200, 200)
    Reach(size=30, low=30, high=30, confidence=0.95, share=0.15)
    """
    from scipy.stats import hypergeom

    if not 0 <= count <= n_sample <= n_base or n_sample < 1:
        raise InvalidInput(
            f"{count:,} of a sample of {n_sample:,} from a base of {n_base:,} cannot be.",
            "Give 0 <= count <= n_sample <= n_base, and at least 1 in the sample.",
        )
    if not 0 < confidence < 1:
        raise InvalidInput(f"A confidence of {confidence} is out of range.", "Use 0.95, say.")
    tail = (1 - confidence) / 2
    # Sizes that the sample itself allows; the chance of a count this high grows with the size.
    least, most = count, n_base - (n_sample - count)
    low = _first(least, most, lambda size: hypergeom.sf(count - 1, n_base, size, n_sample) > tail)
    high = most - (
        _first(0, most - least, lambda i: hypergeom.cdf(count, n_base, most - i, n_sample) > tail)
    )
    size = count / n_sample * n_base
    rounded = floor(size) if size - floor(size) < 0.5 else ceil(size)
    return Reach(rounded, low, high, confidence, count / n_sample)


def _first(start: int, stop: int, holds: Callable[[int], bool]) -> int:
    """Find the smallest number from start to stop from which on a condition holds."""
    while start < stop:
        middle = (start + stop) // 2
        if holds(middle):
            stop = middle
        else:
            start = middle + 1
    return start
