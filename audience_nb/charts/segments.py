"""Charts of segments: their sizes, where they lie, how many there could be."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audience_nb.charts.marks import (
    ACCENT,
    BAR,
    LIMIT,
    QUIET,
    ROW,
    data,
    listed,
    names_above,
    percent,
    sentence,
    short,
    written,
)

if TYPE_CHECKING:
    import altair as alt

    from audience_nb.charts.marks import AnyChart
    from audience_nb.segments import Segmentation

__all__ = ["SEGMENT_COLORS", "k_curve_chart", "map_chart", "size_chart"]

# A number on the map takes so much of its width and height.
_NUMBER_WIDTH, _NUMBER_HEIGHT = 0.06, 0.05
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
_MAP_HEIGHT = 320
_STABILITY = "#b47825"
_STANDINGS = {"taken": ACCENT, "about as good": LIMIT, "tried": QUIET}


def size_chart(segmentation: Segmentation, picked: Collection[int] = ()) -> alt.Chart:
    """Draw the share of each segment against the smallest and the largest that is allowed.

    Parameters
    ----------
    segmentation : Segmentation
        Of any number of segments.
    picked : collection of int, default ()
        Ids of the segments to stand out; none for all.

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
    names = written([s.name for s in segments])
    low, high = segmentation.min_share, segmentation.max_share
    rows: list[dict[str, Any]] = [
        {
            "id": s.id,
            "segment": f"{s.id}  {name}",
            "name": name,
            "records": s.size,
            "share": round(s.share, 6),
            "emphasis": _emphasis(s.id, picked),
        }
        for s, name in zip(segments, names, strict=True)
    ]
    widest = max([high, *(s.share for s in segments)])
    limits = f"{percent(low)} and {percent(high)}"
    chart: alt.Chart = (
        alt.Chart(
            data(rows),
            title=f"Segment sizes, limits at {limits}",
            description=sentence(
                f"Share of {len(segments)} segments between the limits {limits}",
                (f"{r['segment']} {percent(s.share)}" for r, s in zip(rows, segments, strict=True)),
            ),
            width="container",
            height=alt.Step(ROW),
        )
        .mark_bar(size=BAR, yOffset=5, color=ACCENT)
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
            y=names_above("segment"),
            opacity=alt.Opacity("emphasis:Q").scale(None).legend(None),
            tooltip=[
                alt.Tooltip("name:N", title="Segment"),
                alt.Tooltip("records:Q", title="Records", format=","),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    return chart


def _part(middles: list[dict[str, Any]], cells: Sequence[Mapping[str, Any]]) -> None:
    """Move numbers that would be written over each other until they stand side by side."""
    spans = {}
    for name in ("x", "y"):
        values = [float(row[name]) for row in [*middles, *cells]]
        spans[name] = (max(values) - min(values)) or 1.0
    places = [[row[name] / spans[name] for name in ("x", "y")] for row in middles]
    for _ in range(60):
        moved = False
        for i, one in enumerate(places):
            for other in places[:i]:
                across, up = one[0] - other[0], one[1] - other[1]
                # Digits are as high as wide, and numbers of two digits lie on their side.
                far = math.hypot(across / _NUMBER_WIDTH, up / _NUMBER_HEIGHT)
                if far >= 1:
                    continue
                moved = True
                angle = math.atan2(up, across) if far else 2.4 * i
                push = (1 - far) / 2 + 0.01
                for place, sign in ((one, 1), (other, -1)):
                    place[0] += sign * push * _NUMBER_WIDTH * math.cos(angle)
                    place[1] += sign * push * _NUMBER_HEIGHT * math.sin(angle)
        if not moved:
            break
    for row, place in zip(middles, places, strict=True):
        row["x"] = round(place[0] * spans["x"], 4)
        row["y"] = round(place[1] * spans["y"], 4)


def map_chart(segmentation: Segmentation, picked: Collection[int] = ()) -> AnyChart:
    """Draw where the segments lie on the two directions in which the records differ most.

    Parameters
    ----------
    segmentation : Segmentation
        Its `map` holds cells of a grid, which are counts, never records.
    picked : collection of int, default ()
        Ids of the segments to stand out; none for all.

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
            written([s.name for s in segmentation.segments]),
            strict=True,
        )
    )
    cells = [
        {
            "x": round(float(row["x"]), 4),
            "y": round(float(row["y"]), 4),
            "id": int(row["segment"]),
            "hue": (int(row["segment"]) - 1) % len(SEGMENT_COLORS),
            "emphasis": 0.7 * _emphasis(int(row["segment"]), picked),
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
            "id": int(row["segment"]),
            "number": str(int(row["segment"])),
            "segment": f"{int(row['segment'])}  {names[int(row['segment'])]}",
            "records": int(row["size"]),
        }
        for row in segmentation.map_centers.to_dict("records")
    ]
    _part(middles, cells)
    across, upward = (short(axis) for axis in segmentation.map_axes)
    axis: dict[str, Any] = {"labels": False, "ticks": False, "grid": False}
    x = alt.X("x:Q").scale(zero=False, padding=12)
    x = x.axis(title=f"{across} →", titleLimit=380, **axis)
    # A title longer than the plot is high would be cut at both ends.
    y = alt.Y("y:Q").scale(zero=False, padding=12)
    y = y.axis(title=f"{upward} →", titleLimit=_MAP_HEIGHT - 40, **axis)
    discs = (
        alt.Chart(data(cells))
        .mark_circle()
        .encode(
            x=x,
            y=y,
            opacity=alt.Opacity("emphasis:Q").scale(None).legend(None),
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
        alt.Chart(data(middles))
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
        description=sentence(
            f"{len(middles)} segments on a plane, across by {across}, upward by {upward}",
            (f"{m['segment']} at {m['x']:.1f}, {m['y']:.1f}" for m in middles),
        ),
        width="container",
        height=_MAP_HEIGHT,
    )


def _emphasis(segment: int, picked: Collection[int]) -> float:
    """Full, unless others are picked."""
    return 1.0 if not picked or segment in picked else 0.3


def k_curve_chart(segmentation: Segmentation) -> AnyChart:
    """Draw how likely each number of segments is, which was taken, and how stable each is.

    Parameters
    ----------
    segmentation : Segmentation
        With `n_segments="auto"` there is more than one point.

    Returns
    -------
    altair.LayerChart
        A line with a point for each number, and a dashed one for the stability: the adjusted Rand
        index of segments learnt on two halves of the records. Numbers about as good as the one
        taken are marked.

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
            "stability": round(float(row["stability"]), 6),
            "line": "stability",
            "standing": "taken"
            if int(row["n_clusters"]) == taken
            else "about as good"
            if row["alternative"]
            else "tried",
        }
        for row in segmentation.k_curve.to_dict("records")
        # A number that could not be scored has no point.
        if row["score"] is not None and row["score"] == row["score"]
    ]
    present = [s for s in _STANDINGS if any(r["standing"] == s for r in rows)]
    close = [f"{r['number']}" for r in rows if r["standing"] == "about as good"]
    x = alt.X("number:Q").scale(zero=False, nice=False, padding=12)
    x = x.axis(title="Segments", format="d", tickMinStep=1, grid=False)

    def y(field: str) -> alt.Y:
        return alt.Y(field).scale(domain=[0, 1]).axis(title="Score", tickCount=4)

    base = alt.Chart(data(rows))
    stable = base.mark_line(color=_STABILITY, strokeWidth=1.5).encode(
        x=x,
        y=y("stability:Q"),
        strokeDash=alt.StrokeDash("line:N")
        .scale(domain=["stability"], range=[[4, 3]])
        .legend(orient="top", title=None, symbolStrokeColor=_STABILITY),
    )
    line = base.mark_line(color=QUIET, strokeWidth=1.5).encode(x=x, y=y("score:Q"))
    points = base.mark_point(filled=True, size=64, opacity=1).encode(
        x=x,
        y=y("score:Q"),
        color=alt.Color("standing:N")
        .scale(domain=present, range=[_STANDINGS[standing] for standing in present])
        .legend(orient="top", title=None),
        tooltip=[
            alt.Tooltip("number:Q", title="Segments"),
            alt.Tooltip("standing:N", title="Standing"),
            alt.Tooltip("score:Q", title="Score", format=".3f"),
            alt.Tooltip("stability:Q", title="Stability (dashed)", format=".3f"),
        ],
    )
    title = f"Score of each number of segments; {taken} taken"
    if close:
        title += f", {listed(close)} about as good"
    return alt.LayerChart(
        layer=[stable, line, points],
        title=title,
        description=sentence(
            f"Score and stability by number of segments, {taken} taken",
            (
                f"{r['number']} segments {r['score']:.2f}, stability {r['stability']:.2f}"
                for r in rows
            ),
        ),
        width="container",
        height=140,
    )
