"""What advertising platforms would flag of segments, and what to call them instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audience_nb.policy.wording import Finding, lint

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segment, Segmentation

__all__ = ["flagged", "name_findings"]

_COLUMNS = ("segment", "part", "level", "rule", "source", "what", "alternative")


def name_findings(segment: Segment, name: str | None = None) -> tuple[Finding, ...]:
    """Look at a segment's name, or at another one for it.

    Parameters
    ----------
    segment : Segment
        Whose name it is.
    name : str, optional
        By default the one it has.

    Returns
    -------
    tuple of Finding
        With the name from the segment's other traits as the alternative, where there is one.

    Examples
    --------
    >>> from audience_nb.segments import Segment
    >>> poor = Segment(3, "Low-income people", "", 50, 0.05, {}, plain_name="Urban people")
    >>> name_findings(poor)[0].alternative
    'Urban people'
    """
    from dataclasses import replace

    found = lint(segment.name if name is None else name)
    if not segment.plain_name:
        return found
    return tuple(replace(f, alternative=segment.plain_name) for f in found)


def flagged(segmentation: Segmentation) -> pd.DataFrame:
    """Tabulate what platforms would flag of names, descriptions and variables.

    Parameters
    ----------
    segmentation : Segmentation
        Any.

    Returns
    -------
    pandas.DataFrame
        One row for each finding: segment (0 for variables), part ("name", "description" or the
        variable's label), level, rule, source, what, alternative.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"income": [20, 21, 70, 71]})
    >>> found = Segmentation.fit(frame, ["income"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> flagged(found)["part"].tolist()
    ['name', 'description', 'name', 'description', 'Income']
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []

    def add(segment: int, part: str, findings: tuple[Finding, ...]) -> None:
        for f in findings:
            values = (segment, part, f.level, f.rule, f.source, f.what, f.alternative)
            rows.append(dict(zip(_COLUMNS, values, strict=True)))

    for segment in segmentation.segments:
        add(segment.id, "name", name_findings(segment))
        add(segment.id, "description", lint(segment.description))
    labels = {t.code: t.label for s in segmentation.segments for t in s.profile}
    for label in labels.values():
        add(0, label, lint(label))
    return pd.DataFrame(rows, columns=list(_COLUMNS))
