"""Whether further records are still like those that the segments were formed of.

The population stability index of a variable compares the shares of two sets of records over the
same bins: ``PSI = sum((b - a) * ln(b / a))``, *a* the share at the fit, *b* that of the batch. It
is 0 for equal shares and has no upper end. Below 0.10 is taken as no change, from 0.25 as a shift
that calls for a new model [1]_ [2]_.

Both limits are rules of thumb that know nothing of sample sizes: without any change PSI is about
``(1/n + 1/m)`` times a chi-squared variable with one degree of freedom less than there are bins
[3]_. A shift is therefore only told where PSI is beyond both its limit and what chance gives in
one batch of twenty, all variables together (Bonferroni).

References
----------
.. [1] N. Siddiqi (2006), Credit Risk Scorecards, Wiley, ch. 9.
.. [2] J. du Pisanie et al. (2023), A critical review of existing and new population stability
   testing procedures in credit risk scoring, arXiv:2303.01227.
.. [3] B. Yurdakul (2018), Statistical properties of population stability index, Western Michigan
   University, dissertation 3208.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.encoding import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOVED", "SHIFTED", "Spread", "drift_table", "psi"]

FloatArray = npt.NDArray[np.float64]
Finding = Literal["steady", "moved", "shifted"]

MOVED, SHIFTED = 0.10, 0.25
# Tenths, as PSI is computed nearly everywhere.
_BINS = 10
_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """How many records of the fit fell into each bin of a variable.

    Parameters
    ----------
    column : Column
        How the variable is read.
    edges : tuple of float
        Upper ends of all bins but the last; empty where each level is a bin.
    counts : tuple of int
        Records of each bin; the last is for values that are missing or unknown.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> age = Column(Variable("AGE", "Age"), "numeric")
    >>> found = Spread.of(age, np.array([20.0, 30.0, 40.0, np.nan]))
    >>> found.edges, found.counts
    ((20.0, 30.0), (1, 1, 1, 1))
    """

    column: Column
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, column: Column, values: FloatArray) -> Spread:
        """Count the records of the fit in tenths of their own, or by level.

        Parameters
        ----------
        column : Column
            How the variable is read.
        values : ndarray of shape (n_records,)
            As read, NaN where missing.

        Returns
        -------
        Spread
        """
        edges: tuple[float, ...] = ()
        known = values[~np.isnan(values)]
        if not column.levels and len(known):
            cuts = np.arange(1, _BINS) / _BINS
            found = np.unique(np.quantile(known, cuts, method="inverted_cdf"))
            edges = tuple(float(edge) for edge in found if edge < known.max())
        empty = cls(column, edges, ())
        return cls(column, edges, tuple(empty.count(values).tolist()))

    def count(self, values: FloatArray) -> npt.NDArray[np.int64]:
        """Count records by the bins of the fit.

        Parameters
        ----------
        values : ndarray of shape (n_records,)
            As read, NaN where missing or unknown.

        Returns
        -------
        ndarray of int64, shape (n_bins,)
        """
        missing = np.isnan(values)
        known = values[~missing]
        if self.column.levels:
            n_bins = len(self.column.levels)
            places = known.astype(np.intp)
        else:
            n_bins = len(self.edges) + 1
            places = np.searchsorted(np.asarray(self.edges), known, side="left")
        counts = np.bincount(places, minlength=n_bins)
        return np.append(counts, int(missing.sum())).astype(np.int64)


def psi(before: Sequence[int], after: Sequence[int]) -> float:
    """Compute the population stability index of two sets of counts.

    Parameters
    ----------
    before, after : sequence of int
        Records by bin, in the same order.

    Returns
    -------
    float
        0 or more; NaN if either holds nobody. A bin that is empty on one side only counts there
        as half a record, so that the logarithm is finite.

    Examples
    --------
    >>> round(psi([50, 50], [80, 20]), 4), psi([1, 2], [10, 20])
    (0.4159, 0.0)
    """
    a, b = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if not a.sum() or not b.sum():
        return float("nan")
    a, b = a[(there := (a + b) > 0)], b[there]
    share, now = np.maximum(a, 0.5) / a.sum(), np.maximum(b, 0.5) / b.sum()
    return float(np.sum((now - share) * np.log(now / share)))


def drift_table(spreads: Sequence[Spread], counts: Sequence[npt.NDArray[np.int64]]) -> pd.DataFrame:
    """Compare a batch with the fit, variable by variable.

    Parameters
    ----------
    spreads : sequence of Spread
        Of the fit.
    counts : sequence of ndarray
        Of the batch, by the same bins.

    Returns
    -------
    pandas.DataFrame
        Largest first: code, label, psi, chance (what PSI stays below in 19 of 20 batches where
        nothing changed) and finding ("steady", "moved" or "shifted").

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> age = Column(Variable("AGE", "Age"), "numeric")
    >>> fit = Spread.of(age, np.arange(1000.0))
    >>> drift_table([fit], [fit.count(np.arange(300.0))])["finding"].tolist()
    ['shifted']
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for spread, now in zip(spreads, counts, strict=True):
        value = psi(spread.counts, now.tolist())
        limit = chance(spread.counts, now.tolist(), len(spreads))
        rows.append(
            {
                "code": spread.column.code,
                "label": spread.column.label,
                "psi": value,
                "chance": limit,
                "finding": finding(value, limit),
            }
        )
    rows.sort(key=lambda row: (-(row["psi"] if row["psi"] == row["psi"] else -1), row["code"]))
    return pd.DataFrame(rows, columns=["code", "label", "psi", "chance", "finding"])


def chance(before: Sequence[int], after: Sequence[int], n_looks: int = 1) -> float:
    """Give what PSI stays below in 19 of 20 cases where nothing changed.

    Parameters
    ----------
    before, after : sequence of int
        Records by bin.
    n_looks : int, default 1
        How many are judged together.

    Returns
    -------
    float

    Examples
    --------
    >>> round(chance([50, 50], [50, 50]), 4)
    0.0768
    """
    from scipy.stats import chi2

    n, m = sum(before), sum(after)
    n_bins = sum(x + y > 0 for x, y in zip(before, after, strict=True))
    if not n or not m or n_bins < 2:
        return 0.0
    return float(chi2.ppf(1 - _CHANCE / n_looks, n_bins - 1) * (1 / n + 1 / m))


def finding(value: float, limit: float) -> Finding:
    """Judge a PSI by its rule of thumb and by chance.

    Parameters
    ----------
    value, limit : float
        From `psi` and `chance`.

    Returns
    -------
    {"steady", "moved", "shifted"}

    Examples
    --------
    >>> finding(0.3, 0.05), finding(0.3, 0.4), finding(0.12, 0.05)
    ('shifted', 'steady', 'moved')
    """
    if not value > limit or value < MOVED:
        return "steady"
    return "shifted" if value >= SHIFTED else "moved"
