"""How segments performed: an outcome by segment, against everyone else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["performance"]

Correction = Literal["holm", "benjamini-hochberg", "none"]
FEWEST = 2


def performance(
    outcome: pd.Series,
    labels: pd.Series,
    *,
    confidence: float = 0.95,
    correction: Correction = "holm",
) -> pd.DataFrame:
    """Compare an outcome of each segment with that of everyone else.

    Parameters
    ----------
    outcome : pandas.Series
        Conversion (two values: 0 and 1, or False and True) or an amount, on the records' index.
        Records without one are left out of both sides.
    labels : pandas.Series
        Segment of each record, such as `segmentation.labels`; joined on the index.
    confidence : float, default 0.95
        Of each interval, in (0, 1).
    correction : {"holm", "benjamini-hochberg", "none"}, default "holm"
        How p-values allow for there being several segments: Holm (1979) bounds the chance of any
        false finding, Benjamini and Hochberg (1995) the share of false ones among the findings.

    Returns
    -------
    pandas.DataFrame
        By segment: count (records with an outcome), mean (rate or amount), rest (that of everyone
        else), lift (mean over rest, as an index: 100 = the same), difference, low and high (its
        interval), p_value, adjusted (for several segments), significant (adjusted below
        1 - confidence).

    Raises
    ------
    InvalidInput
        If no record has both, the outcome is no number, or there is one segment only.

    Notes
    -----
    Of rates, the interval is Newcombe's (1998, method 10, from Wilson's score intervals) and the
    p-value Fisher's exact one; of amounts, both are Welch's (1947).

    Examples
    --------
    >>> import pandas as pd
    >>> bought = pd.Series([1, 1, 1, 0, 0, 0, 0, 0])
    >>> performance(bought, pd.Series([1, 1, 1, 1, 2, 2, 2, 2])).loc[1, "mean"]
    np.float64(0.75)
    """
    import pandas as pd

    if correction not in ("holm", "benjamini-hochberg", "none"):
        raise InvalidInput(
            f"There is no correction {correction!r}.",
            "Use 'holm', 'benjamini-hochberg' or 'none'.",
        )
    if not 0 < confidence < 1:
        raise InvalidInput(f"A confidence of {confidence} is out of range.", "Use 0.95, say.")
    both = pd.DataFrame({"label": labels, "outcome": outcome.reindex(labels.index)}).dropna()
    if both["label"].nunique() < FEWEST:
        raise InvalidInput(
            f"{len(both):,} records in {both['label'].nunique()} segments have an outcome.",
            "Give outcomes for at least 2 segments, on the records' index.",
        )
    try:
        values = both["outcome"].astype(float).to_numpy()
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "The outcome is no number.", "Give 0 and 1 for a conversion, or an amount."
        ) from error
    rate = set(np.unique(values)) <= {0.0, 1.0}
    segment = both["label"].to_numpy()
    rows = []
    for label in sorted(both["label"].unique()):
        mine = values[segment == label]
        others = values[segment != label]
        compared = _rates if rate else _amounts
        low, high, p_value = compared(mine, others, confidence)
        rest = float(others.mean())
        rows.append(
            {
                "segment": label,
                "count": len(mine),
                "mean": float(mine.mean()),
                "rest": rest,
                "lift": 100 * float(mine.mean()) / rest if rest else np.nan,
                "difference": float(mine.mean()) - rest,
                "low": low,
                "high": high,
                "p_value": p_value,
            }
        )
    table = pd.DataFrame(rows).set_index("segment")
    table["adjusted"] = _adjusted(table["p_value"].to_numpy(), correction)
    table["significant"] = table["adjusted"] < 1 - confidence
    return table


def _rates(mine: np.ndarray, others: np.ndarray, confidence: float) -> tuple[float, float, float]:
    from scipy.stats import fisher_exact

    hits, rest = int(mine.sum()), int(others.sum())
    p, q = hits / len(mine), rest / len(others)
    low_p, high_p = _wilson(hits, len(mine), confidence)
    low_q, high_q = _wilson(rest, len(others), confidence)
    low = p - q - np.hypot(p - low_p, high_q - q)
    high = p - q + np.hypot(high_p - p, q - low_q)
    table = [[hits, len(mine) - hits], [rest, len(others) - rest]]
    return float(low), float(high), float(fisher_exact(table).pvalue)


def _wilson(hits: int, n: int, confidence: float) -> tuple[float, float]:
    """Give the score interval of a rate (Wilson, 1927)."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    rate = hits / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _amounts(mine: np.ndarray, others: np.ndarray, confidence: float) -> tuple[float, float, float]:
    from scipy.stats import ttest_ind

    if len(mine) < FEWEST or len(others) < FEWEST or (np.ptp(mine) == 0 and np.ptp(others) == 0):
        # Without spread there is nothing to judge a difference by.
        return np.nan, np.nan, np.nan
    test = ttest_ind(mine, others, equal_var=False)
    interval = test.confidence_interval(confidence)
    return float(interval.low), float(interval.high), float(test.pvalue)


def _adjusted(p_values: np.ndarray, correction: Correction) -> np.ndarray:
    known = ~np.isnan(p_values)
    adjusted = np.full(len(p_values), np.nan)
    p = p_values[known]
    if correction == "none" or not len(p):
        adjusted[known] = p
        return adjusted
    order = np.argsort(p, kind="stable")
    n = len(p)
    if correction == "holm":
        steps = np.maximum.accumulate(p[order] * (n - np.arange(n)))
    else:
        falling = p[order][::-1] * n / np.arange(n, 0, -1)
        steps = np.minimum.accumulate(falling)[::-1]
    found = np.empty(n)
    found[order] = np.minimum(steps, 1.0)
    adjusted[known] = found
    return adjusted
