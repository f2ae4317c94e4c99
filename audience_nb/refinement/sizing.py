"""Setting the number and the sizes of segments, and what is nearest where none can be met."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from audience_nb.conversation import Bound
from audience_nb.errors import Infeasible, InvalidInput
from audience_nb.refinement.words import bound_in_words, percent

if TYPE_CHECKING:
    from audience_nb.timeline import State
    from audience_nb.verbs import Verbs

__all__ = ["OutOfReach", "bound", "share_of", "shares_of"]


class OutOfReach(Infeasible):
    """Sizes that no segments can have, with the nearest that some can.

    Parameters
    ----------
    fact, next_move : str
        As for every error.
    options : list of str
        What to say for the nearest rules that work.

    Examples
    --------
    >>> OutOfReach("8 hold 800 of 1,000.", "Take one of these.", ["10 segments"]).options
    ['10 segments']
    """

    def __init__(self, fact: str, next_move: str, options: list[str]) -> None:
        super().__init__(fact, next_move)
        self.options = options


def share_of(size: int, n_records: int, end: Literal["least", "most"]) -> float:
    """Give the shortest decimal that means a size in records, when it is read as a share.

    A smallest size is read as the share rounded up to whole records, a largest as rounded down.

    Parameters
    ----------
    size : int
        Records, at least 1.
    n_records : int
        Of all.
    end : {"least", "most"}
        Which bound it is.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> share_of(40, 999, "least"), share_of(80, 999, "most")
    (0.04, 0.081)
    """
    if size >= n_records:
        return 1.0
    for digits in range(2, 17):
        scale = 10**digits
        if end == "least":
            share = float(math.floor(Fraction(size, n_records) * scale) / scale)
            exact = math.ceil(Fraction(repr(share)) * n_records)
        else:
            share = float(math.ceil(Fraction(size, n_records) * scale) / scale)
            exact = math.floor(Fraction(repr(share)) * n_records)
        if exact == size:
            return share
    return size / n_records


def shares_of(state: State, n_records: int) -> tuple[float, float]:
    """Give the bounds in force as shares, also where they were set in records.

    Parameters
    ----------
    state : State
        With the size rule.
    n_records : int
        Records to be cut.

    Returns
    -------
    min_share, max_share : float
    """
    least, most = state.min_share, state.max_share
    if state.min_size is not None:
        least = share_of(state.min_size, n_records, "least")
    if state.max_size is not None:
        most = share_of(state.max_size, n_records, "most")
    return least, most


def bound(session: Verbs, action: Bound) -> None:
    """Set the size rule; bounds that were not spoken of give way to those that were.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Bound
        What was said.

    Raises
    ------
    OutOfReach
        If no segments of such sizes can hold the records; says what is nearest.
    """
    from audience_nb.kmedians.feasible import feasibility

    state = session.state
    n = session.source.n_records
    if state.frame is not None:
        n = session.counted("records", len(state.frame)) or n
    number = state.n_segments if action.n_segments is None else action.n_segments
    least, most = shares_of(state, n)
    min_size, max_size = action.min_size, action.max_size
    low_said = action.min_share is not None or min_size is not None
    high_said = action.max_share is not None or max_size is not None
    if action.min_share is not None:
        least = action.min_share
    elif min_size is not None:
        least = share_of(min_size, n, "least")
    if action.max_share is not None:
        most = action.max_share
    elif max_size is not None:
        most = share_of(max_size, n, "most")
    if low_said and high_said and least > most:
        raise InvalidInput(
            f"The smallest segment would hold {percent(least)}, the largest {percent(most)}.",
            "Say the smaller first.",
        )
    if not high_said and least > most:
        most = min(1.0, round(2 * least, 3))
    if not low_said and least > most:
        least = round(most / 2, 4)
    if isinstance(number, int) and action.n_segments is not None:
        if not high_said and number * most < 1:
            most = min(1.0, math.ceil(150 / number) / 100)
        if not low_said and number * least > 1:
            least = math.floor(500 / number) / 1000
    report = feasibility(n, number, min_share=least, max_share=most)
    if not report.possible:
        check = next(c for c in report.checks if c.verdict == "impossible")
        raise OutOfReach(
            f"{check.value.replace('clusters', 'segments')}.",
            "Nothing was changed; the nearest that work are below.",
            _nearest(
                n,
                number,
                report.n_clusters,
                report.nearest,
                least,
                most,
                people=min_size is not None or max_size is not None,
            ),
        )
    session.change(
        "the size rule",
        n_segments=number,
        min_share=least,
        max_share=most,
        min_size=min_size
        if low_said
        else state.min_size
        if least == shares_of(state, n)[0]
        else None,
        max_size=max_size
        if high_said
        else state.max_size
        if most == shares_of(state, n)[1]
        else None,
    )
    told = "a number of segments that fits" if number == "auto" else f"{number} segments"
    session.reply(
        f"The next build makes {told}, each of {percent(least)} to {percent(most)} "
        f"({report.smallest:,} to {report.largest:,} of {n:,} records)."
        if state.segmentation is None
        else ""
    )


def _nearest(
    n: int,
    number: int | Literal["auto"],
    possible: range,
    nearest: tuple[int, float, float],
    least: float,
    most: float,
    *,
    people: bool,
) -> list[str]:
    """Say the nearest rules that work: another number, or other bounds."""

    def rule(k: int | Literal["auto"], low: float, high: float) -> str:
        if not people:
            return bound_in_words(Bound(k, low, high))
        small, large = allowed_sizes(n, min_share=low, max_share=high)
        return bound_in_words(Bound(k, min_size=small, max_size=large))

    from audience_nb.kmedians.bounds import allowed_sizes

    options = []
    if possible and isinstance(number, int):
        other = min(possible, key=lambda k: (abs(k - number), k))
        options.append(rule(other, least, most))
    k, low, high = nearest
    options.append(rule(k, low, high))
    if possible:
        options.append(rule("auto", least, most))
    return list(dict.fromkeys(options))
