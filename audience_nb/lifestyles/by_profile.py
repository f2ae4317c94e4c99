"""Lifestyle of a record by what it is like: the type whose profile is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audience_nb.encoding import FrameEncoder
from audience_nb.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.catalog import Variable
    from audience_nb.lifestyles import LifestyleSystem

__all__ = ["by_profile"]

_CHUNK = 65_536


def by_profile(
    frame: pd.DataFrame,
    profiles: pd.DataFrame,
    system: LifestyleSystem,
    variables: Sequence[Variable | str] | None = None,
) -> pd.Series[Any]:
    """Give each record the type whose profile is nearest.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        The records.
    profiles : pandas.DataFrame of shape (n_types, n_columns)
        Indexed by lifestyle code: what a typical member of each type is, in the units and levels
        of the records. Types without a profile are given to nobody.
    system : LifestyleSystem
        What the codes mean.
    variables : sequence of Variable or str, optional
        Columns to compare by; by default all that both have.

    Returns
    -------
    pandas.Series of object
        Lifestyle code of each record, on the frame's index; of equally near types the first of
        the profiles. `attrs["notes"]` says what was compared, `attrs["distance"]` holds the mean
        distance as a share of the largest possible one.

    Raises
    ------
    NotFound
        If the two have no column in common, or a named one is absent.
    InvalidInput
        If a code is unknown or there twice, or there is no profile.

    Notes
    -----
    The distance is Gower's (1971), as for segments: of numbers the difference over the range of
    the records, of levels 0 or 1. A blank cell of a profile counts as the middle of the records.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.lifestyles import Lifestyle, LifestyleSystem
    >>> system = LifestyleSystem([Lifestyle("A", "Settled"), Lifestyle("B", "On the move")])
    >>> profiles = pd.DataFrame({"age": [60, 25], "home": ["own", "rent"]}, index=["A", "B"])
    >>> frame = pd.DataFrame({"age": [22, 55, 40], "home": ["rent", "own", "own"]})
    >>> by_profile(frame, profiles, system).tolist()
    ['B', 'A', 'A']
    """
    import pandas as pd
    from scipy.spatial.distance import cdist

    known = [system.resolved(code) for code in profiles.index]
    foreign = [str(c) for c, k in zip(profiles.index, known, strict=True) if k is None]
    if foreign or not known:
        raise InvalidInput(
            f"{len(foreign)} of {len(known)} profiles are of types that {system.name} lacks"
            + (f", the first is {foreign[0]!r}." if foreign else "."),
            f"Index them by codes such as {system.codes[0]!r}.",
        )
    if len(set(known)) < len(known):
        raise InvalidInput(
            f"{len(known) - len(set(known))} of {len(known)} profiles repeat a type.",
            "Give each type one.",
        )
    if variables is None:
        variables = [str(c) for c in frame.columns if c in profiles.columns]
    codes = [v if isinstance(v, str) else v.code for v in variables]
    absent = [code for code in codes if code not in profiles.columns]
    if absent or not codes:
        raise NotFound(
            f"The profiles have {len(codes) - len(absent)} of {len(codes)} columns to compare by"
            + (f", not {absent[0]!r}." if absent else "."),
            "Name the profiles' columns as those of the records.",
        )
    encoder = FrameEncoder(scaling="range")
    matrix = encoder.fit_transform(frame, variables)
    centres = encoder.transform(profiles)
    places = np.empty(len(frame), dtype=np.intp)
    total = 0.0
    for start in range(0, len(frame), _CHUNK):
        rows = slice(start, start + _CHUNK)
        distances = cdist(matrix[rows], centres, "cityblock")
        places[rows] = distances.argmin(axis=1)
        total += float(distances.min(axis=1).sum())
    types = pd.Series(
        np.array(known, dtype=object)[places], index=frame.index, dtype="object", name="lifestyle"
    )
    distance = total / len(frame) / encoder.total_weight
    types.attrs["distance"] = distance
    types.attrs["notes"] = [
        f"Compared by {len(encoder.columns_)} variables with {len(known)} profiles; a record is "
        f"{distance:.2f} away from its type on average (0 the same, 1 as far as can be).",
        *encoder.notes,
    ]
    return types
