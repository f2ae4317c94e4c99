"""Artefact to chart: pure functions from suggestions or segments to Altair.

Whatever comes from a catalogue or a table (labels, names) is data of a chart, never part of an
expression, so nothing written in a label is evaluated. Colours have a contrast of at least 3:1 on
white and on #212121; ink and lines are left to the theme of the view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import altair as alt

    from audience_nb.search import Suggestion
    from audience_nb.segments import Segmentation

    AnyChart: TypeAlias = alt.Chart | alt.LayerChart

__all__ = ["k_curve_chart", "map_chart", "relevance_chart", "size_chart", "type_chart"]

ACCENT = "#14938d"
LIMIT = "#c45e39"
PART_COLORS = {
    "meaning": ACCENT,
    "words": "#b47825",
    "concepts": "#8766bb",
    "spelling": "#727c86",
    "use": "#b9579c",
}
PART_TITLES = {"use": "Earlier picks"}
# The view's segment cards carry the same ten; numbers tell segments apart beyond them.
SEGMENT_COLORS = (
    "#14938d",
    "#c45e39",
    "#347ec4",
    "#b47825",
    "#b9579c",
    "#539344",
    "#8766bb",
    "#898335",
    "#cc4f6a",
    "#727c86",
)
KIND_TITLES = {
    "demographic": "Demographic",
    "behavioral": "Behavioural",
    "psychographic": "Psychographic",
    "lifestyle": "Lifestyle",
}
_LONGEST = 80
# A line of text over its bar.
_ROW = 34
_BAR = 10


def relevance_chart(suggestions: Sequence[Suggestion], top: int = 8) -> alt.Chart:
    """Draw the best suggestions as bars stacked from their part-scores.

    A bar is as long as the score, also where one part takes something away again: such a part is
    not drawn, and the others are shortened alike.

    Parameters
    ----------
    suggestions : sequence of Suggestion
        Best first.
    top : int, default 8
        At most so many bars.

    Returns
    -------
    altair.Chart
        As wide as what it stands in.

    Examples
    --------
    >>> relevance_chart([]).to_dict()["title"]
    'Best suggestions by score'
    """
    import altair as alt

    best = list(suggestions)[:top]
    labels = _written([s.variable.label for s in best])
    drawn = {part for s in best for part, value in s.parts.items() if value > 0}
    order = [p for p in PART_COLORS if p in drawn]
    order += sorted(drawn - set(order))
    rows = [
        {
            "label": label,
            "part": _part_title(part),
            "place": order.index(part),
            "value": round(float(value), 4),
            "length": round(float(length), 4),
            "score": round(float(s.score), 4),
            "kind": KIND_TITLES.get(s.variable.kind, s.variable.kind),
        }
        for s, label in zip(best, labels, strict=True)
        for part, value, length in _lengths(s)
    ]
    chart: alt.Chart = (
        alt.Chart(
            _data(rows),
            title="Best suggestions by score",
            description=_sentence(
                f"Score of the best {len(best)} suggestions, stacked from part-scores",
                (f"{label} {s.score:.2f}" for label, s in zip(labels, best, strict=True)),
            ),
            width="container",
            height=alt.Step(_ROW),
        )
        .mark_bar(size=_BAR, yOffset=5)
        .encode(
            x=alt.X("length:Q")
            .stack("zero")
            .scale(domain=[0, 1])
            .axis(title="Score", values=[0, 0.5, 1], grid=False),
            y=_names("label"),
            color=alt.Color("part:N")
            .scale(
                domain=[_part_title(p) for p in order],
                range=[PART_COLORS.get(p, PART_COLORS["spelling"]) for p in order],
            )
            .legend(orient="top", title=None, symbolType="square"),
            order=alt.Order("place:O"),
            tooltip=[
                alt.Tooltip("label:N", title="Variable"),
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("value:Q", title="Part-score", format=".2f"),
                alt.Tooltip("score:Q", title="Score", format=".2f"),
            ],
        )
    )
    return chart


def _part_title(part: str) -> str:
    return PART_TITLES.get(part, part.capitalize())


def _lengths(suggestion: Suggestion) -> list[tuple[str, float, float]]:
    """Give each part that adds to a score, what it adds, and how long it is drawn."""
    positive = {part: value for part, value in suggestion.parts.items() if value > 0}
    total = sum(positive.values())
    return [(p, v, v / total * suggestion.score) for p, v in positive.items()]


def type_chart(suggestions: Sequence[Suggestion]) -> alt.Chart:
    """Count the suggestions of each kind.

    Parameters
    ----------
    suggestions : sequence of Suggestion
        In any order.

    Returns
    -------
    altair.Chart
        As wide as what it stands in.

    Examples
    --------
    >>> type_chart([]).to_dict()["title"]
    'Suggestions by kind'
    """
    import altair as alt

    kinds = [s.variable.kind for s in suggestions]
    present = [k for k in KIND_TITLES if k in kinds]
    rows = [{"kind": KIND_TITLES[k], "count": kinds.count(k)} for k in present]
    chart: alt.Chart = (
        alt.Chart(
            _data(rows),
            title="Suggestions by kind",
            description=_sentence(
                f"{len(kinds)} suggestions by kind", (f"{r['kind']} {r['count']}" for r in rows)
            ),
            width="container",
            height=alt.Step(_ROW),
        )
        .mark_bar(size=_BAR, yOffset=5, color=ACCENT)
        .encode(
            x=alt.X("count:Q").axis(
                title="Variables", tickMinStep=1, format="d", tickCount=5, grid=False
            ),
            y=_names("kind"),
            tooltip=[
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("count:Q", title="Variables"),
            ],
        )
    )
    return chart


def size_chart(segmentation: Segmentation) -> alt.Chart:
    """Draw the share of each segment against the smallest and the largest that is allowed.

    Parameters
    ----------
    segmentation : Segmentation
        Of any number of segments.

    Returns
    -------
    altair.Chart
        Its only vertical lines are the two limits.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 22, 70, 71, 72]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> size_chart(found).to_dict()["encoding"]["x"]["axis"]["values"]
    [0.3, 0.7]
    """
    import altair as alt

    segments = segmentation.segments
    names = _written([s.name for s in segments])
    low, high = segmentation.min_share, segmentation.max_share
    rows: list[dict[str, Any]] = [
        {
            "segment": f"{s.id}  {name}",
            "name": name,
            "records": s.size,
            "share": round(s.share, 6),
        }
        for s, name in zip(segments, names, strict=True)
    ]
    widest = max([high, *(s.share for s in segments)])
    limits = f"{_percent(low)} and {_percent(high)}"
    chart: alt.Chart = (
        alt.Chart(
            _data(rows),
            title=f"Segment sizes, limits at {limits}",
            description=_sentence(
                f"Share of {len(segments)} segments between the limits {limits}",
                (
                    f"{r['segment']} {_percent(s.share)}"
                    for r, s in zip(rows, segments, strict=True)
                ),
            ),
            width="container",
            height=alt.Step(_ROW),
        )
        .mark_bar(size=_BAR, yOffset=5, color=ACCENT)
        .encode(
            x=alt.X("share:Q")
            .scale(domain=[0, widest * 1.04], nice=False)
            .axis(
                title="Share of the records",
                # Nothing but the smallest and the largest is worth a line here.
                values=sorted({low, high}),
                format=".3~%",
                grid=True,
                gridColor=LIMIT,
                gridDash=[4, 3],
                gridWidth=1.5,
                labelOverlap=False,
                zindex=1,
            ),
            y=_names("segment"),
            tooltip=[
                alt.Tooltip("name:N", title="Segment"),
                alt.Tooltip("records:Q", title="Records", format=","),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    return chart


def map_chart(segmentation: Segmentation) -> AnyChart:
    """Draw where the segments lie on the two directions in which the records differ most.

    Parameters
    ----------
    segmentation : Segmentation
        Its `map` holds cells of a grid, which are counts, never records.

    Returns
    -------
    altair.LayerChart
        A disc a cell, coloured by the cell's most common segment; each segment's number at its
        middle.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 22, 70, 71, 72]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> len(map_chart(found).to_dict()["layer"])
    2
    """
    import altair as alt

    names = dict(
        zip(
            [s.id for s in segmentation.segments],
            _written([s.name for s in segmentation.segments]),
            strict=True,
        )
    )
    cells = [
        {
            "x": round(float(row["x"]), 4),
            "y": round(float(row["y"]), 4),
            "hue": (int(row["segment"]) - 1) % len(SEGMENT_COLORS),
            "segment": f"{int(row['segment'])}  {names[int(row['segment'])]}",
            "records": int(row["count"]),
            "share": round(float(row["share"]), 4),
        }
        for row in segmentation.map.to_dict("records")
    ]
    middles = [
        {
            "x": round(float(row["x"]), 4),
            "y": round(float(row["y"]), 4),
            "number": str(int(row["segment"])),
            "segment": f"{int(row['segment'])}  {names[int(row['segment'])]}",
            "records": int(row["size"]),
        }
        for row in segmentation.map_centers.to_dict("records")
    ]
    across, upward = (_short(axis) for axis in segmentation.map_axes)
    axis: dict[str, Any] = {"labels": False, "ticks": False, "grid": False, "titleLimit": 420}
    x = alt.X("x:Q").scale(zero=False, padding=12).axis(title=f"{across} →", **axis)
    y = alt.Y("y:Q").scale(zero=False, padding=12).axis(title=f"{upward} →", **axis)
    discs = (
        alt.Chart(_data(cells))
        .mark_circle(opacity=0.7)
        .encode(
            x=x,
            y=y,
            size=alt.Size("records:Q").scale(range=[16, 260]).legend(None),
            color=alt.Color("hue:N")
            .scale(domain=list(range(len(SEGMENT_COLORS))), range=list(SEGMENT_COLORS))
            .legend(None),
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("records:Q", title="Records here", format=","),
                alt.Tooltip("share:Q", title="Of this segment", format=".0%"),
            ],
        )
    )
    numbers = (
        alt.Chart(_data(middles))
        .mark_text(fontSize=14, fontWeight=700)
        .encode(
            x=x,
            y=y,
            text="number:N",
            tooltip=[
                alt.Tooltip("segment:N", title="Segment"),
                alt.Tooltip("records:Q", title="Records", format=","),
            ],
        )
    )
    return alt.LayerChart(
        layer=[discs, numbers],
        title="Segments on the plane where records differ most",
        description=_sentence(
            f"{len(middles)} segments on a plane, across by {across}, upward by {upward}",
            (f"{m['segment']} at {m['x']:.1f}, {m['y']:.1f}" for m in middles),
        ),
        width="container",
        height=320,
    )


def k_curve_chart(segmentation: Segmentation) -> AnyChart:
    """Draw the score of each number of segments that was tried, and the one that was taken.

    Parameters
    ----------
    segmentation : Segmentation
        With `n_segments="auto"` there is more than one point.

    Returns
    -------
    altair.LayerChart
        A line with a point for each number.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 22, 70, 71, 72]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> k_curve_chart(found).to_dict()["title"]
    'Score of each number of segments; 2 taken'
    """
    import altair as alt

    taken = segmentation.n_segments
    rows = [
        {
            "number": int(row["n_clusters"]),
            "score": round(float(row["score"]), 6),
            "taken": "taken" if int(row["n_clusters"]) == taken else "tried",
        }
        for row in segmentation.k_curve.to_dict("records")
        # A number that could not be scored has no point.
        if row["score"] is not None and row["score"] == row["score"]
    ]
    x = alt.X("number:Q").scale(zero=False, nice=False, padding=12)
    x = x.axis(title="Segments", format="d", tickMinStep=1, grid=False)
    y = alt.Y("score:Q").scale(zero=False).axis(title="Score", tickCount=4)
    base = alt.Chart(_data(rows))
    line = base.mark_line(color=PART_COLORS["spelling"], strokeWidth=1.5).encode(x=x, y=y)
    points = base.mark_point(filled=True, size=64, opacity=1).encode(
        x=x,
        y=y,
        color=alt.Color("taken:N")
        .scale(domain=["taken", "tried"], range=[ACCENT, PART_COLORS["spelling"]])
        .legend(None),
        tooltip=[
            alt.Tooltip("number:Q", title="Segments"),
            alt.Tooltip("score:Q", title="Score", format=".3f"),
        ],
    )
    return alt.LayerChart(
        layer=[line, points],
        title=f"Score of each number of segments; {taken} taken",
        description=_sentence(
            f"Score by number of segments, {taken} taken",
            (f"{r['number']} segments {r['score']:.2f}" for r in rows),
        ),
        width="container",
        height=140,
    )


def _data(rows: list[dict[str, Any]]) -> alt.InlineData:
    """Hold rows inside the chart, whatever data transformer the user has set in Altair."""
    import altair as alt

    return alt.InlineData(values=rows)


def _names(field: str) -> alt.Y:
    """Put names above their bars, where there is room for them, in the order of the data."""
    import altair as alt

    return (
        alt.Y(f"{field}:N")
        .sort(None)
        .axis(
            title=None,
            ticks=False,
            domain=False,
            zindex=1,
            labelAlign="left",
            labelBaseline="bottom",
            labelPadding=0,
            labelOffset=1 - _BAR / 2,
            labelLimit=340,
        )
    )


def _short(text: str) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _written(labels: Iterable[str]) -> list[str]:
    """Shorten labels to one line each and keep them apart: equal ones would share a bar."""
    written: list[str] = []
    for label in labels:
        short = name = _short(label) or "(no label)"
        number = 1
        while name in written:
            number += 1
            name = f"{short} ({number})"
        written.append(name)
    return written


def _percent(share: float) -> str:
    return f"{share * 100:.4g}%"


def _sentence(what: str, items: Iterable[str]) -> str:
    """Say what a chart shows to those who do not see it."""
    listed = list(items)
    more = f"; and {len(listed) - 20} more" if len(listed) > 20 else ""
    return f"{what}: {'; '.join(listed[:20])}{more}." if listed else f"{what}."
