"""What can be done with so many records, before any work: sizes, numbers of clusters, warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.errors import Infeasible, InvalidInput
from audience_nb.kmedians.bounds import (
    allowed_sizes,
    feasible_n_clusters,
    nearest_shares,
    require_feasible,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Check", "Feasibility", "feasibility"]

# Segments of fewer records say little about people outside the data.
FEW_RECORDS = 100
# Share of rows that repeat another, from which cuts between equals deserve a word.
MANY_IDENTICAL = 0.2
# Share of all distances that one column may make up, and below which it hardly counts.
DOMINANT, NEGLIGIBLE = 0.5, 0.01
# Rows from which columns' shares of the distances are estimated.
SAMPLE = 100_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    name : str
        What.
    value : str
        What was found, in words.
    verdict : "fine", "warning" or "impossible"
        What to make of it.
    advice : str
        The next move, where there is one.

    Examples
    --------
    >>> Check("records", "1,000", "fine").verdict
    'fine'
    """

    name: str
    value: str
    verdict: Literal["fine", "warning", "impossible"]
    advice: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Feasibility:
    """Whether clusters of the sizes wanted can be formed, and what to look out for.

    Parameters
    ----------
    n_records : int
        Records.
    smallest, largest : int
        Sizes allowed, both inclusive.
    n_clusters : range
        Numbers of clusters that can hold all records; empty if none can.
    asked : int or None
        The number that is wanted; None for any.
    nearest : tuple of (int, float, float)
        A number of clusters (the one asked for, if any) with the nearest min_share and max_share
        that it can meet.
    checks : tuple of Check
        Everything that was looked at.

    Examples
    --------
    >>> report = feasibility(1013, 10, min_share=0.05, max_share=0.10)
    >>> report.possible, report.n_clusters, report.nearest
    (False, range(11, 20), (10, 0.05, 0.101))
    """

    n_records: int
    smallest: int
    largest: int
    n_clusters: range
    asked: int | None
    nearest: tuple[int, float, float]
    checks: tuple[Check, ...]

    @property
    def possible(self) -> bool:
        """Whether there is an assignment within the bounds."""
        return all(check.verdict != "impossible" for check in self.checks)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to look out for, in sentences."""
        return tuple(
            f"{check.name.capitalize()}: {check.value}. {check.advice}".strip()
            for check in self.checks
            if check.verdict == "warning"
        )

    def to_frame(self) -> pd.DataFrame:
        """Tabulate the checks.

        Returns
        -------
        pandas.DataFrame
            Columns check, value, verdict and advice.

        Examples
        --------
        >>> feasibility(1000).to_frame()["verdict"].tolist()
        ['fine', 'fine', 'fine', 'fine']
        """
        import pandas as pd

        return pd.DataFrame(
            [(c.name, c.value, c.verdict, c.advice) for c in self.checks],
            columns=["check", "value", "verdict", "advice"],
        )

    def __repr__(self) -> str:
        word = "possible" if self.possible else "impossible"
        lines = [f"Feasibility: {word}"]
        marks = {"fine": " ", "warning": "!", "impossible": "x"}
        width = max(len(check.name) for check in self.checks)
        for check in self.checks:
            tail = f". {check.advice}" if check.advice else ""
            lines.append(f"{marks[check.verdict]} {check.name:<{width}}  {check.value}{tail}")
        return "\n".join(lines)


def feasibility(
    records: Any,
    n_clusters: int | Literal["auto"] = "auto",
    *,
    min_share: float = 0.05,
    max_share: float = 0.10,
    size_min: int | None = None,
    size_max: int | None = None,
) -> Feasibility:
    """Say what can be done with records, before any work.

    Parameters
    ----------
    records : int, or array-like of shape (n_records, n_features)
        How many there are, or the data themselves: then repeated rows, constant columns and columns
        that drown the others are looked at too.
    n_clusters : int or "auto", default "auto"
        How many clusters are wanted.
    min_share, max_share : float, default 0.05 and 0.10
        Smallest and largest cluster, as fractions of the records in [0, 1].
    size_min, size_max : int, optional
        The same in records; each wins over its share.

    Returns
    -------
    Feasibility

    Raises
    ------
    InvalidInput
        If a parameter is out of range, or there are no records.

    Examples
    --------
    >>> feasibility(29).checks[2].advice
    'With 14 clusters, min_share=0.068 and max_share=0.104 would do.'
    """
    counted = isinstance(records, int | np.integer)
    n = int(records) if counted else len(records)
    asked = None if n_clusters == "auto" else n_clusters
    if asked is not None and (not isinstance(asked, int | np.integer) or asked < 1):
        raise InvalidInput(
            f"n_clusters is {n_clusters!r}.", 'Give a whole number from 1, or "auto".'
        )
    smallest, largest = allowed_sizes(
        n, min_share=min_share, max_share=max_share, size_min=size_min, size_max=size_max
    )
    possible = feasible_n_clusters(n, smallest, largest)
    nearest = nearest_shares(n, smallest, largest, asked)
    names = (
        "min_share" if size_min is None else "size_min",
        "max_share" if size_max is None else "size_max",
    )
    checks = [
        Check("records", f"{n:,}", "fine"),
        Check("sizes allowed", f"{smallest:,} to {largest:,} records each", "fine"),
        _number(n, smallest, largest, possible, asked, nearest, names),
    ]
    k = int(asked) if asked is not None else possible[0] if possible else nearest[0]
    checks.append(_per_cluster(n, k, asked is None))
    if not counted:
        checks.extend(_look(records))
    chosen = None if asked is None else int(asked)
    return Feasibility(n, smallest, largest, possible, chosen, nearest, tuple(checks))


def _number(
    n: int,
    smallest: int,
    largest: int,
    possible: range,
    asked: int | None,
    nearest: tuple[int, float, float],
    names: tuple[str, str],
) -> Check:
    """Say which numbers of clusters can hold the records."""
    would = (
        f"With {nearest[0]} cluster{'s' * (nearest[0] > 1)}, min_share={nearest[1]:g} and "
        f"max_share={nearest[2]:g} would do."
    )
    try:
        require_feasible(n, smallest, largest, asked, names)
    except Infeasible as error:
        advice = would if asked is None else f"{error.next_move} {would}"
        return Check("number of clusters", error.fact.rstrip("."), "impossible", advice)
    span = f"{possible[0]:,}" if len(possible) == 1 else f"{possible[0]:,} to {possible[-1]:,}"
    value = f"{span} possible" if asked is None else f"{asked:,} of {span} possible"
    return Check("number of clusters", value, "fine")


def _per_cluster(n: int, k: int, free: bool) -> Check:
    each = n // k
    value = f"{each:,} on average" + (f" with {k} clusters, the fewest possible" * free)
    if each >= FEW_RECORDS:
        return Check("records in a cluster", value, "fine")
    return Check(
        "records in a cluster",
        value,
        "warning",
        f"Fewer than {FEW_RECORDS} say little about people outside the data: gather more records "
        "or form fewer, larger clusters.",
    )


def _look(records: Any) -> list[Check]:
    """Look at the numbers themselves."""
    names = [str(c) for c in records.columns] if hasattr(records, "columns") else None
    X = np.asarray(records)
    if X.ndim != 2 or not X.shape[1]:
        raise InvalidInput(f"The records have shape {X.shape}.", "Give rows and columns.")
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    if not np.isfinite(X).all():
        bad = int((~np.isfinite(X)).any(axis=1).sum())
        check = Check(
            "missing values",
            f"{bad:,} of {len(X):,} rows hold missing or infinite values",
            "impossible",
            "Fill or drop them first.",
        )
        return [check]
    names = names or [f"column {i}" for i in range(X.shape[1])]
    return [_identical(X), _constant(X, names), *_dominated(X, names)]


def _identical(X: Any) -> Check:
    share = 1 - len(np.unique(_contents(X))) / len(X)
    value = f"{share:.0%} of rows repeat another"
    if share <= MANY_IDENTICAL:
        return Check("identical rows", value, "fine")
    return Check(
        "identical rows",
        value,
        "warning",
        "Where equal records are cut apart, which of them goes where is arbitrary: add variables "
        "or widen the bounds.",
    )


def _contents(X: Any) -> npt.NDArray[np.uint64]:
    """Give each row a number that depends on its content alone."""
    odd = np.random.default_rng(0).integers(0, 2**63, X.shape[1]).astype(np.uint64) * 2 + 1
    out = np.empty(len(X), np.uint64)
    for a in range(0, len(X), 1 << 15):
        # Adding 0 turns −0 into 0.
        bits = (X[a : a + (1 << 15)].astype(np.float64) + 0.0).view(np.uint64)
        mixed = (bits ^ (bits >> np.uint64(32))) * odd
        out[a : a + (1 << 15)] = mixed.sum(axis=1, dtype=np.uint64)
    return out


def _constant(X: Any, names: list[str]) -> Check:
    constant = [names[i] for i in (X.min(axis=0) == X.max(axis=0)).nonzero()[0]]
    if not constant:
        return Check("constant columns", "none", "fine")
    return Check(
        "constant columns",
        f"{len(constant)} of {X.shape[1]} ({_some(constant)})",
        "warning",
        "They tell no records apart: leave them out.",
    )


def _dominated(X: Any, names: list[str]) -> list[Check]:
    """Look for a column that makes up most of the distances, and for such that hardly count."""
    some = X[:: max(1, len(X) // SAMPLE)].astype(np.float64)
    # Nothing overflows where no value is above 1.
    some = np.ldexp(some, -math.frexp(float(np.abs(some).max()))[1])
    spread = np.abs(some - np.median(some, axis=0)).mean(axis=0)
    total = float(spread.sum())
    if X.shape[1] < 2 or not total > 0:
        return []
    shares = spread / total
    top = int(shares.argmax())
    value = f"{names[top]} makes up {shares[top]:.0%} of all distances"
    moving = X.min(axis=0) != X.max(axis=0)
    small = [names[i] for i in ((shares < NEGLIGIBLE / X.shape[1]) & moving).nonzero()[0]]
    checks = []
    if shares[top] > max(DOMINANT, 1.5 / X.shape[1]):
        advice = "The others hardly count: bring the columns to one scale."
        checks.append(Check("largest column", value, "warning", advice))
    else:
        checks.append(Check("largest column", value, "fine"))
    if small:
        checks.append(
            Check(
                "dominated columns",
                f"{len(small)} of {X.shape[1]} ({_some(small)}) make up less than "
                f"{NEGLIGIBLE / X.shape[1]:.2%} of all distances each",
                "warning",
                "They play no part: rescale them or leave them out.",
            )
        )
    return checks


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
