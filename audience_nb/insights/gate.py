"""Insights as a clean room shows them: from noisy counts alone, about people enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audience_nb.errors import NotAllowed
from audience_nb.insights.performance import performance

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.insights.overlap import Overlap

__all__ = ["released_overlap", "released_performance"]

# What is counted, and how many there are, to what may be shown: None for nothing.
Counted = Callable[[str, int], int | None]


def released_overlap(found: Overlap, counted: Counted) -> Overlap:
    """Show counts through the gate; what follows is computed from the shown ones.

    Parameters
    ----------
    found : Overlap
        Exact, without counts that are too small.
    counted : callable
        The gate.

    Returns
    -------
    Overlap
        Without combinations, each of which would be a figure of its own.

    Examples
    --------
    >>> from audience_nb.insights import overlap
    >>> exact = overlap({"a": range(100), "b": range(40, 200)})
    >>> released_overlap(exact, lambda what, n: 10 * round(n / 10)).pairs["both"].tolist()
    [60.0]
    """
    import pandas as pd

    def shown(what: tuple[str, ...], exact: float) -> float:
        if exact != exact:
            return float("nan")
        count = counted(repr(("overlap", what)), int(exact))
        return float("nan") if count is None else float(count)

    rows = []
    for row in found.pairs.to_dict("records"):
        first, second = str(row["first"]), str(row["second"])
        n, m = shown((first,), row["size_first"]), shown((second,), row["size_second"])
        both = min(shown((first, second), row["both"]), n, m)
        either = n + m - both
        rows.append(
            {
                "first": first,
                "second": second,
                "size_first": n,
                "size_second": m,
                "both": both,
                "jaccard": _ratio(both, either),
                "first_in_second": _ratio(both, n),
                "second_in_first": _ratio(both, m),
            }
        )
    return replace(found, pairs=pd.DataFrame(rows), combinations=found.combinations.head(0))


def released_performance(
    outcome: str, values: pd.Series[Any], labels: pd.Series[Any], counted: Counted
) -> pd.DataFrame:
    """Compare rates that follow from noisy counts alone.

    Parameters
    ----------
    outcome : str
        What it is, as the gate is asked.
    values : pandas.Series
        1 and 0 by record.
    labels : pandas.Series
        Segment of each record.
    counted : callable
        The gate.

    Returns
    -------
    pandas.DataFrame
        As `performance` gives it, of segments whose two counts may be shown, to three digits.

    Raises
    ------
    NotAllowed
        If the outcome is an amount, or fewer than two segments may be shown.

    Examples
    --------
    >>> import pandas as pd
    >>> bought = pd.Series([1] * 60 + [0] * 60 + [1] * 70 + [0] * 90)
    >>> table = released_performance("bought", bought, pd.Series([1] * 120 + [2] * 160),
    ...                              lambda what, n: n if n >= 50 else None)
    >>> table["mean"].tolist()
    [0.5, 0.438]
    """
    import pandas as pd

    if not set(values.dropna().unique()) <= {0.0, 1.0}:
        raise NotAllowed(
            "A clean room shows no amounts by segment.", "Use an outcome of yes and no."
        )
    segments: list[Any] = []
    results: list[float] = []
    for segment in sorted(labels.unique()):
        mine = values[labels == segment].dropna()
        said = int(mine.sum())
        yes = counted(repr(("performance", outcome, segment, 1)), said)
        no = counted(repr(("performance", outcome, segment, 0)), len(mine) - said)
        if yes is not None and no is not None:
            segments += [segment] * (yes + no)
            results += [1.0] * yes + [0.0] * no
    if len(set(segments)) < 2:
        raise NotAllowed(
            "Fewer than two segments have enough people with this outcome and without it.",
            "Use fewer segments, or another outcome.",
        )
    return performance(pd.Series(results), pd.Series(segments)).round(3)


def _ratio(part: float, whole: float) -> float:
    return round(min(part / whole, 1.0), 2) if whole > 0 else float(np.nan)
