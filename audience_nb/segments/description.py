"""One sentence about a segment."""

from __future__ import annotations

from collections.abc import Sequence

from audience_nb.segments.naming import short_name
from audience_nb.segments.profile import Finding

__all__ = ["describe", "sized"]


def describe(size: int, share: float, findings: Sequence[Finding]) -> str:
    """Write one sentence about a segment.

    Parameters
    ----------
    size : int
        Records in it.
    share : float
        Of all records, in [0, 1].
    findings : sequence of Finding
        Its `standouts`.

    Returns
    -------
    str
        Size, share and the three strongest comparisons.

    Examples
    --------
    >>> describe(50, 0.05, [])
    '50 records (5.0%) close to the base on every variable.'
    """
    head = sized(size, share)
    if not findings:
        return f"{head} close to the base on every variable."
    clauses = []
    for finding in findings[:3]:
        told = finding.trait.text.rsplit(": ", 1)[-1]
        clauses.append(f"{short_name(finding.column)} ({told})")
    listed = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return f"{head} set apart by {listed}."


def sized(size: int, share: float) -> str:
    """Write how many records a segment holds.

    Parameters
    ----------
    size : int
        Records in it.
    share : float
        Of all records, in [0, 1].

    Returns
    -------
    str

    Examples
    --------
    >>> sized(50, 0.05)
    '50 records (5.0%)'
    """
    return f"{size:,} record{'s' if size != 1 else ''} ({share:.1%})"
