"""Who goes where: one audience for each person, and who is held out to measure by."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_priority", "hold_out"]


def by_priority(audiences: Mapping[str, Collection[Hashable]]) -> pd.Series[str]:
    """Put each person into the first audience that has them.

    Parameters
    ----------
    audiences : mapping of str to collection of identifiers
        In order of priority, highest first.

    Returns
    -------
    pandas.Series of str
        Name of the audience, indexed by identifier, named "audience"; every person once.

    Raises
    ------
    InvalidInput
        If there is no audience.

    Examples
    --------
    >>> by_priority({"loyal": [1, 2], "new": [2, 3]}).to_dict()
    {1: 'loyal', 2: 'loyal', 3: 'new'}
    """
    import pandas as pd

    if not audiences:
        raise InvalidInput("0 audiences are given.", "Give at least one, by priority.")
    parts = [
        pd.Series(name, index=pd.Index(members).unique(), dtype="object")
        for name, members in audiences.items()
    ]
    everyone = pd.concat(parts)
    return everyone[~everyone.index.duplicated()].rename("audience")


def hold_out(
    people: pd.Index | Collection[Hashable],
    share: float,
    *,
    by: pd.Series | None = None,
    random_state: int = 0,
) -> pd.Series[bool]:
    """Choose who is left out of a campaign, so that its effect can be measured.

    Parameters
    ----------
    people : collection of identifiers
        Everyone, each once.
    share : float
        To be held out, in (0, 1).
    by : pandas.Series, optional
        A stratum for each person, such as `segmentation.labels`: each stratum gives its share, to
        the nearest record; by largest remainder all strata together give theirs.
    random_state : int, default 0
        Seed. Same people in any order, same seed, same choice.

    Returns
    -------
    pandas.Series of bool
        True for those held out, on the people's index, named "held_out".

    Raises
    ------
    InvalidInput
        If the share is out of range, someone is there twice, or has no stratum.

    Examples
    --------
    >>> held = hold_out(range(1000), 0.1)
    >>> int(held.sum())
    100
    """
    import pandas as pd

    index = pd.Index(people)
    if not 0 < share < 1:
        raise InvalidInput(f"A share of {share} cannot be held out.", "Give one between 0 and 1.")
    if index.has_duplicates:
        raise InvalidInput(
            f"{int(index.duplicated().sum()):,} of {len(index):,} people are there twice.",
            "Drop them first.",
        )
    if by is None:
        strata = np.zeros(len(index), dtype=np.intp)
    else:
        missing = int((~index.isin(by.dropna().index)).sum())
        if missing:
            raise InvalidInput(
                f"{missing:,} of {len(index):,} people have no stratum.", "Give each of them one."
            )
        strata = pd.factorize(by.loc[index], sort=True)[0]
    # An order of their own for people, whatever order they came in; then the draw.
    order = np.argsort(_order(index), kind="stable")
    rank = np.random.default_rng(random_state).random(len(index))
    held = np.zeros(len(index), dtype=bool)
    wanted = _apportioned(np.bincount(strata), share)
    for stratum, number in enumerate(wanted):
        mine = order[strata[order] == stratum]
        held[mine[np.argsort(rank[: len(mine)], kind="stable")[:number]]] = True
        rank = rank[len(mine) :]
    return pd.Series(held, index=index, name="held_out")


def _order(index: pd.Index) -> np.ndarray:
    from pandas.util import hash_array

    hashed: np.ndarray = hash_array(np.asarray(index.astype(str), dtype=object))
    return hashed


def _apportioned(sizes: np.ndarray, share: float) -> np.ndarray:
    """Split the number to hold out over strata by largest remainder."""
    exact = sizes * share
    numbers = np.floor(exact).astype(np.int64)
    missing = round(float(exact.sum())) - int(numbers.sum())
    order = np.lexsort((np.arange(len(sizes)), -(exact - numbers)))
    numbers[order[:missing]] += 1
    return numbers
