"""Which records may be used: consent that is written down, and lists of people to leave out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audience_nb.dropped import Dropped
from audience_nb.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.policy.suppression import SuppressionList
    from audience_nb.sources import Source

__all__ = ["permitted"]


def permitted(
    frame: pd.DataFrame,
    source: Source,
    *,
    consent: bool = False,
    suppression: Sequence[SuppressionList] = (),
) -> tuple[pd.DataFrame, tuple[Dropped, ...]]:
    """Leave out the records of people who did not agree, or are on a list.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Indexed by record.
    source : Source
        Where consent and identifiers are written down.
    consent : bool, default False
        Whether consent is needed.
    suppression : sequence of SuppressionList, default ()
        People to leave out.

    Returns
    -------
    frame : pandas.DataFrame
        Without their rows.
    dropped : tuple of Dropped
        How many are left out, each under its first reason.

    Raises
    ------
    NotFound
        If there is no column of consent, or none of a list's name.
    NotAllowed
        If nobody is left.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.sources.frame import FrameSource
    >>> table = pd.DataFrame({"age": [31, 46], "consent": ["yes", "no"]})
    >>> permitted(table[["age"]], FrameSource(table, ["age"]), consent=True)[1]
    (Dropped(reason='no consent: consent', count=1),)
    """
    from audience_nb.policy.consent import GRANTS, REFUSALS, STRINGS, agreed

    if not consent and not suppression:
        return frame, ()
    columns = [*source.attributes, *source.codes]
    wanted = [c for c in (*GRANTS, *REFUSALS, *STRINGS) if c in set(columns)] if consent else []
    if consent and not wanted:
        raise NotFound(
            f"None of the {len(columns)} columns says who consented.",
            f"Name one of them {GRANTS[0]!r}, {GRANTS[1]!r} or {REFUSALS[0]!r}, or leave out "
            "consent=True.",
        )
    for listed in suppression:
        if listed.column is not None and listed.column not in set(columns):
            raise NotFound(
                f"The {listed.name} is about {listed.column!r}, which the data has not.",
                "Name the column that holds the identifiers.",
            )
    of_lists = [listed.column for listed in suppression if listed.column is not None]
    # One fetch: of a repeated identifier all columns come from the same row.
    records = source.fetch(list(dict.fromkeys([*wanted, *of_lists]))).loc[frame.index]
    keep, dropped = agreed(records[wanted])
    reasons = list(dropped)
    for listed in suppression:
        values = frame.index if listed.column is None else records[listed.column]
        on_it = listed.lists(values) & keep
        if on_it.any():
            reasons.append(Dropped(f"on the {listed.name}", int(on_it.sum())))
            keep = keep & ~on_it
    if not np.any(keep):
        raise NotAllowed(
            f"None of {len(frame):,} records may be used: "
            f"{', '.join(f'{d.count:,} {d.reason}' for d in reasons)}.",
            "Look at the columns of consent and at the lists.",
        )
    return frame[keep], tuple(reasons)
