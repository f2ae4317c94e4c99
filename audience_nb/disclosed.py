"""Segments as a clean room shows them: figures about enough people, through the gate, no rows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audience_nb.policy.disclosure import Disclosure

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segment, Segmentation, Trait

__all__ = ["digest_of", "disclosed"]

# Indexes are rounded to it, and figures to so many digits.
_INDEX_STEP, _DIGITS = 10, 2


def digest_of(frame: pd.DataFrame) -> str:
    """Give a digest of records: the key of the noise, which nobody knows without the records.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Any.

    Returns
    -------
    str
        The same for the same records in any order, in any process.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [31, 46]})
    >>> digest_of(frame) == digest_of(frame[::-1])
    True
    """
    import numpy as np
    import pandas as pd

    rows = np.sort(pd.util.hash_pandas_object(frame, index=True).to_numpy())
    return hashlib.sha256(rows.tobytes()).hexdigest()


def disclosed(segmentation: Segmentation, gate: Disclosure, digest: str) -> Segmentation:
    """Give what may be shown of segments.

    Parameters
    ----------
    segmentation : Segmentation
        As it was cut.
    gate : Disclosure
        Decides on counts, and is paid for them.
    digest : str
        Of the records, see `digest_of`.

    Returns
    -------
    Segmentation
        With noisy sizes, rounded medians, traits in words and rounded indexes; without labels, map
        and costs. Names are those that were given.

    Raises
    ------
    NotAllowed
        If the privacy budget is spent.
    """
    question = ("segments", digest, repr(segmentation.parameters))
    sizes = {
        segment.id: gate.count((question, segment.id), segment.size) or gate.minimum_count
        for segment in segmentation.segments
    }
    whole = sum(sizes.values())
    scale = whole / len(segmentation.labels)
    curve = segmentation.k_curve.copy()
    for name in ("cost", "silhouette", "displaced"):
        if name in curve:
            curve[name] = float("nan")
    for name in ("score", "stability"):
        if name in curve:
            curve[name] = curve[name].round(1)
    return replace(
        segmentation,
        segments=tuple(_segment(s, sizes[s.id], whole) for s in segmentation.segments),
        labels=segmentation.labels.head(0),
        # Medians and spreads of the fit are exact.
        rule=None,
        # The limits follow from the number of records: they are told of the noisy one.
        bounds=(
            _INDEX_STEP * round(segmentation.bounds[0] * scale / _INDEX_STEP),
            _INDEX_STEP * round(segmentation.bounds[1] * scale / _INDEX_STEP),
        ),
        cost=float(_rounded(segmentation.cost)),
        k_curve=curve,
        map=segmentation.map.head(0),
        map_centers=segmentation.map_centers.head(0),
        notes=(),
    )


def _segment(segment: Segment, size: int, whole: int) -> Segment:
    traits = tuple(_trait(trait) for trait in segment.traits)
    told = "; ".join(trait.text for trait in traits[:3])
    return replace(
        segment,
        size=size,
        share=size / whole,
        description=f"About {size:,} people." + (f" {told}." if told else ""),
        medians={code: _rounded(value) for code, value in segment.medians.items()},
        traits=traits,
        profile=tuple(_trait(trait) for trait in segment.profile),
    )


def _trait(trait: Trait) -> Trait:
    level = f": {trait.level}" if trait.level else ""
    more = "more" if trait.effect > 0 else "less"
    how = f"{more} often than all" if trait.level else f"{more} than all"
    index = trait.index
    return replace(
        trait,
        text=f"{trait.label}{level}: {how}",
        value=None,
        base=None,
        index=None if index is None else float(_INDEX_STEP * round(index / _INDEX_STEP)),
        effect=round(trait.effect, 1),
    )


def _rounded(value: Any) -> Any:
    """Round a number to two digits; words stay."""
    if isinstance(value, bool | str) or value is None:
        return value
    try:
        return float(f"{float(value):.{_DIGITS}g}")
    except (TypeError, ValueError):
        # A date: to the year.
        return str(value)[:4]
