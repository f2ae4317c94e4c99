"""One group of records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.encoding import Column
from audience_nb.policy.wording import lint
from audience_nb.segments.description import describe
from audience_nb.segments.naming import standouts, unique_names
from audience_nb.segments.profile import Finding, Trait, medians, profile

__all__ = ["Segment", "profiled"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of records.

    Parameters
    ----------
    id : int
        From 1; 1 is the largest.
    name : str
        From the traits that set it apart; unique in its segmentation.
    description : str
        One sentence with its size and three strongest comparisons.
    size : int
        Records.
    share : float
        Of all records, in [0, 1].
    medians : dict of code to value
        Median of each variable in original units; most common level of nominal ones.
    traits : tuple of Trait
        At most 8 that set it apart, strongest first, each with an effect of at least 0.2.
    profile : tuple of Trait
        Every variable against the base, nominal ones with a row for each level.
    plain_name : str
        From its other traits, where platforms would flag the name that the fit gave; else "".

    Examples
    --------
    >>> Segment(1, "Renters", "50 records.", 50, 0.05, {"HOME": "renter"}).share
    0.05
    """

    id: int
    name: str
    description: str
    size: int
    share: float
    medians: dict[str, Any]
    traits: tuple[Trait, ...] = ()
    profile: tuple[Trait, ...] = field(default=(), repr=False)
    plain_name: str = field(default="", repr=False)


def profiled(
    columns: Sequence[Column],
    read: Mapping[str, npt.NDArray[np.float64]],
    places: npt.NDArray[np.intp],
    n_segments: int,
    unnamed: Collection[str] = (),
) -> tuple[Segment, ...]:
    """Profile, name and describe segments.

    Parameters
    ----------
    columns : sequence of Column
        The variables.
    read : mapping of code to ndarray of shape (n_records,)
        Values in original units, NaN where missing.
    places : ndarray of shape (n_records,), intp
        Segment of each record, from 0.
    n_segments : int
        How many there are.
    unnamed : collection of str, default ()
        Codes that names, descriptions and traits leave out.

    Returns
    -------
    tuple of Segment
        By id, which is place plus 1.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> age = Column(Variable("AGE", "Age"), "numeric")
    >>> values = {"AGE": np.array([20.0, 22.0, 60.0, 64.0])}
    >>> [s.name for s in profiled([age], values, np.array([0, 0, 1, 1]), 2)]
    ['Younger people', 'Older people']
    """
    findings = profile(columns, read, places, n_segments)
    middles = medians(columns, read, places, n_segments)
    chosen = [standouts([f for f in rows if f.column.code not in unnamed]) for rows in findings]
    sizes = np.bincount(places, minlength=n_segments).tolist()
    names = unique_names(chosen)
    plain = _plain_names(names, chosen)
    return tuple(
        Segment(
            i + 1,
            name,
            describe(sizes[i], sizes[i] / len(places), chosen[i]),
            sizes[i],
            sizes[i] / len(places),
            middles[i],
            tuple(f.trait for f in chosen[i]),
            tuple(f.trait for f in findings[i]),
            plain.get(i, ""),
        )
        for i, name in enumerate(names)
    )


def _plain_names(names: Sequence[str], chosen: Sequence[Sequence[Finding]]) -> dict[int, str]:
    """Name segments whose name platforms would flag by their other traits."""
    flagged = [i for i, name in enumerate(names) if lint(name)]
    others = [
        [f for f in chosen[i] if not lint(f"{f.trait.label}, {f.trait.level}")] for i in flagged
    ]
    renamed = unique_names(others, taken=names)
    return {
        i: name if rows else f"Segment {i + 1}"
        for i, name, rows in zip(flagged, renamed, others, strict=True)
    }
