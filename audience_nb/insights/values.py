"""Insights as plain values, as a view shows them: aggregates, never a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.insights.lookalike import Lookalike
    from audience_nb.insights.overlap import Overlap
    from audience_nb.insights.reach import Reach
    from audience_nb.segments import Change

__all__ = [
    "change_values",
    "insight_values",
    "lookalike_values",
    "overlap_values",
    "performance_values",
    "reach_values",
]


def insight_values(insights: Iterable[Any], names: Mapping[int, str]) -> dict[str, Any]:
    """Give all findings of a session.

    Parameters
    ----------
    insights : iterable
        Each with `verb`, `arguments` and `result`.
    names : mapping of int to str
        Of the segments.

    Returns
    -------
    dict
        "overlap", "lookalike", "size", "performance" and "change"; None where there is none.

    Examples
    --------
    >>> insight_values([], {})["overlap"] is None
    True
    """
    told: dict[str, Any] = dict.fromkeys(("overlap", "lookalike", "size", "performance", "change"))
    for found in insights:
        match found.verb:
            case "overlap":
                told["overlap"] = overlap_values(found.result)
            case "lookalike":
                told["lookalike"] = lookalike_values(found.result, found.arguments)
            case "predict_size":
                told["size"] = reach_values(found.result, found.arguments)
            case "performance":
                told["performance"] = performance_values(found.result, found.arguments, names)
            case "update":
                told["change"] = change_values(found.result)
    return told


def overlap_values(found: Overlap) -> dict[str, Any]:
    """Give an overlap: names, and a square of Jaccard indexes and of counts.

    Parameters
    ----------
    found : Overlap
        From `overlap`.

    Returns
    -------
    dict
        `names`, `jaccard` and `both` (lists of rows; None where nothing may be shown).

    Examples
    --------
    >>> from audience_nb.insights import overlap
    >>> overlap_values(overlap({"a": [1, 2], "b": [2, 3]}))["both"]
    [[2, 1], [1, 2]]
    """
    alike, both = found.matrix("jaccard"), found.matrix("both")
    return {
        "names": [str(name) for name in alike.index],
        "jaccard": [[_rounded(v, 3) for v in row] for row in alike.to_numpy().tolist()],
        "both": [[_whole(v) for v in row] for row in both.to_numpy().tolist()],
    }


def lookalike_values(found: Lookalike, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give a lookalike: its seed, how good it is, and how many people each share has.

    Parameters
    ----------
    found : Lookalike
        Fitted.
    arguments : mapping
        What the session was asked with.

    Returns
    -------
    dict
        `seed` (segment ids, or a column), `n_seed`, `auc`, `method`, `left_out` (how many
        variables), `shares` (of 1 to 10 %: share, people, captured, lift).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from audience_nb.insights import Lookalike
    >>> frame = pd.DataFrame({"age": np.arange(400) % 60 + 20})
    >>> found = Lookalike.fit(frame, ["age"], frame.index[frame["age"] < 30])
    >>> lookalike_values(found, {"segments": [1]})["shares"][4]["people"]
    20
    """
    rows = found.lift[found.lift["share"] <= 0.10 + 1e-9].to_dict("records")
    return {
        "segments": list(arguments.get("segments", ())),
        "seed": arguments.get("seed"),
        "n_seed": found.n_seed,
        "auc": round(found.auc, 3),
        "method": found.method,
        "left_out": len(found.left_out),
        "shares": [
            {
                "share": float(row["share"]),
                "people": len(found.audience(float(row["share"]))),
                "captured": _rounded(row["captured"], 4),
                "lift": _rounded(row["lift"], 2),
            }
            for row in rows
        ],
    }


def reach_values(found: Reach, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Give a predicted size with its interval.

    Parameters
    ----------
    found : Reach
        From `predicted_size`.
    arguments : mapping
        With the `base`.

    Returns
    -------
    dict
        `base`, `size`, `low`, `high`, `confidence`, `share`.

    Examples
    --------
    >>> from audience_nb.insights import predicted_size
    >>> reach_values(predicted_size(50, 1000, 20_000), {"base": 20_000})["low"]
    753
    """
    return {
        "base": int(arguments["base"]),
        "size": found.size,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "share": round(found.share, 4),
    }


def performance_values(
    table: pd.DataFrame, arguments: Mapping[str, Any], names: Mapping[int, str]
) -> dict[str, Any]:
    """Give how segments performed.

    Parameters
    ----------
    table : pandas.DataFrame
        From `performance`.
    arguments : mapping
        With the `outcome`, where it is a column.
    names : mapping of int to str
        Of the segments.

    Returns
    -------
    dict
        `outcome`, `rate` (whether it is one) and `rows`: segment, name, count, mean, lift,
        difference, low, high, significant.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.insights import performance
    >>> table = performance(pd.Series([1, 1, 0, 0]), pd.Series([1, 1, 2, 2]))
    >>> performance_values(table, {"outcome": "bought"}, {1: "A", 2: "B"})["rows"][0]["mean"]
    1.0
    """
    within = bool(table["mean"].between(0, 1).all() and table["rest"].between(0, 1).all())
    return {
        "outcome": arguments.get("outcome", "your own values"),
        "rate": within,
        "rows": [
            {
                "segment": int(segment),
                "name": names.get(int(segment), str(segment)),
                "count": int(row["count"]),
                **{
                    what: _rounded(row[what], 4)
                    for what in ("mean", "lift", "difference", "low", "high")
                },
                "significant": bool(row["significant"]),
            }
            for segment, row in table.iterrows()
        ],
    }


def change_values(found: Change) -> dict[str, Any]:
    """Give what a batch changed.

    Parameters
    ----------
    found : Change
        From `Segmentation.update`.

    Returns
    -------
    dict
        `new`, `changed`, `gone`, `moved`, `verdict`, `reasons`, `drift` (the ten largest: label,
        psi, finding).

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
    >>> cut = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> change_values(cut.update(frame))["verdict"]
    'keep'
    """
    return {
        "new": found.n_new,
        "changed": found.n_changed,
        "gone": found.n_gone,
        "moved": int(found.sizes["arrived"].sum()),
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "drift": [
            {
                "label": str(row["label"]),
                "psi": _rounded(row["psi"], 3),
                "finding": str(row["finding"]),
            }
            for row in found.drift.head(10).to_dict("records")
        ],
    }


def _rounded(value: float, digits: int) -> float | None:
    return None if value != value else round(float(value), digits)


def _whole(value: float) -> int | None:
    return None if value != value else int(value)
