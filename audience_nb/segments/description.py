"""One sentence about a segment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from audience_nb.segments.profile import Finding
from audience_nb.segments.terms import short_name

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segmentation

__all__ = ["demographics", "describe", "sized"]


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


def demographics(segmentation: Segmentation, codes: Collection[str]) -> pd.DataFrame:
    """Summarise segments by demographic variables.

    Parameters
    ----------
    segmentation : Segmentation
        Any.
    codes : collection of str
        Of the variables that are demographic.

    Returns
    -------
    pandas.DataFrame
        One row for each segment and variable, of nominal ones the most common level: segment,
        name, code, label, level, value, base, index (100 = base), text, and reading, a sentence
        on how to read it.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> demographics(found, ["age"])["reading"][0]
    'Younger people: the middle of age is 20.5, against 45.5 in the base.'
    """
    import pandas as pd

    rows = []
    for segment in segmentation.segments:
        for code in codes:
            traits = [t for t in segment.profile if t.code == code and t.value is not None]
            if not traits:
                continue
            shares = [t for t in traits if t.measure == "share"]
            trait = max(shares, key=lambda t: float(t.value)) if shares else traits[0]
            label = trait.label.rstrip(" .?!:").lower()
            if trait.measure == "share":
                told = (
                    f"{trait.value:.0%} have {label} {trait.level}, against {trait.base:.0%} of "
                    "the base"
                )
            else:
                told = f"the middle of {label} is {trait.value}, against {trait.base} in the base"
            rows.append(
                {
                    "segment": segment.id,
                    "name": segment.name,
                    "code": code,
                    "label": trait.label,
                    "level": trait.level,
                    "value": trait.value,
                    "base": trait.base,
                    "index": trait.index,
                    "text": trait.text,
                    "reading": f"{segment.name}: {told}.",
                }
            )
    return pd.DataFrame(rows)
