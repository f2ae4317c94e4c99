"""Charts of insights: overlap, lookalikes against chance, how segments performed, drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audience_nb.charts.marks import (
    ACCENT,
    BAR,
    LIMIT,
    QUIET,
    ROW,
    data,
    names_above,
    sentence,
    short,
    written,
)

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from audience_nb.charts.marks import AnyChart
    from audience_nb.insights import Lookalike, Overlap
    from audience_nb.segments import Change

__all__ = ["drift_chart", "lift_chart", "overlap_chart", "performance_chart", "upset_chart"]

_MOST_COMBINATIONS = 20


def overlap_chart(overlap: Overlap) -> alt.LayerChart:
    """Draw how alike audiences are, each pair a cell.

    Parameters
    ----------
    overlap : Overlap
        Of any number of audiences.

    Returns
    -------
    altair.LayerChart
        Darker is more alike (Jaccard's index); a cell that may not be shown is empty.

    Examples
    --------
    >>> from audience_nb.insights import overlap
    >>> overlap_chart(overlap({"a": [1, 2], "b": [2, 3]})).to_dict()["title"]
    'Overlap of audiences (Jaccard index)'
    """
    import altair as alt

    alike, both = overlap.matrix("jaccard"), overlap.matrix("both")
    names = written(alike.index)
    rows = [
        {
            "row": names[i],
            "column": names[j],
            "jaccard": round(float(alike.iat[i, j]), 4),
            "both": int(both.iat[i, j]),
            "text": f"{alike.iat[i, j]:.2f}",
        }
        for i in range(len(names))
        for j in range(len(names))
        if i != j and alike.iat[i, j] == alike.iat[i, j]
    ]
    x = alt.X("column:N").sort(names).scale(domain=names).axis(title=None, labelLimit=120)
    y = alt.Y("row:N").sort(names).scale(domain=names).axis(title=None, labelLimit=160)
    base = alt.Chart(data(rows))
    cells = base.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color("jaccard:Q").scale(domain=[0, 1], range=["#e6f2f1", ACCENT]).legend(None),
        tooltip=[
            alt.Tooltip("row:N", title="Audience"),
            alt.Tooltip("column:N", title="And"),
            alt.Tooltip("both:Q", title="In both", format=","),
            alt.Tooltip("jaccard:Q", title="Jaccard index", format=".2f"),
        ],
    )
    figures = base.mark_text(fontSize=12, color="black").encode(x=x, y=y, text="text:N")
    return alt.LayerChart(
        layer=[cells, figures],
        title="Overlap of audiences (Jaccard index)",
        description=sentence(
            f"Overlap of {len(names)} audiences",
            (
                f"{r['row']} and {r['column']} {r['text']}"
                for r in rows
                if names.index(str(r["row"])) < names.index(str(r["column"]))
            ),
        ),
        width="container",
        height=alt.Step(ROW),
    )


def upset_chart(overlap: Overlap) -> alt.Chart:
    """Draw how many people are in exactly which audiences (Lex et al., 2014, UpSet).

    Parameters
    ----------
    overlap : Overlap
        Of any number of audiences.

    Returns
    -------
    altair.Chart
        A bar for each of the 20 largest combinations.

    Examples
    --------
    >>> from audience_nb.insights import overlap
    >>> upset_chart(overlap({"a": [1, 2], "b": [2, 3]})).to_dict()["title"]
    'People by combination of audiences'
    """
    import altair as alt

    table = overlap.combinations.head(_MOST_COMBINATIONS)
    labels = written(
        f"{' and '.join(short(name) for name in names)}{' only' if len(names) == 1 else ''}"
        for names in table["audiences"]
    )
    rows = [
        {"combination": label, "count": int(count), "degree": int(degree)}
        for label, count, degree in zip(labels, table["count"], table["degree"], strict=True)
    ]
    chart: alt.Chart = (
        alt.Chart(
            data(rows),
            title="People by combination of audiences",
            description=sentence(
                "People in exactly these audiences",
                (f"{r['combination']} {r['count']:,}" for r in rows),
            ),
            width="container",
            height=alt.Step(ROW),
        )
        .mark_bar(size=BAR, yOffset=5)
        .encode(
            x=alt.X("count:Q").axis(title="People", format=",d", tickCount=4, grid=False),
            y=names_above("combination"),
            color=alt.condition(alt.datum.degree > 1, alt.value(ACCENT), alt.value(QUIET)),
            tooltip=[
                alt.Tooltip("combination:N", title="In exactly"),
                alt.Tooltip("count:Q", title="People", format=","),
            ],
        )
    )
    return chart


def lift_chart(lookalike: Lookalike) -> alt.LayerChart:
    """Draw what share of a seed its best lookalikes would have found.

    Parameters
    ----------
    lookalike : Lookalike
        Fitted.

    Returns
    -------
    altair.LayerChart
        Share of the seed found by share of people, on held-out folds, beside chance.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from audience_nb.insights import Lookalike
    >>> frame = pd.DataFrame({"age": np.arange(400) % 60 + 20})
    >>> found = Lookalike.fit(frame, ["age"], frame.index[frame["age"] < 30])
    >>> "AUC" in lift_chart(found).to_dict()["title"]
    True
    """
    import altair as alt

    rows: list[dict[str, Any]] = [{"share": 0.0, "captured": 0.0, "lift": None}]
    rows += [
        {"share": float(r["share"]), "captured": round(float(r["captured"]), 4),
         "lift": round(float(r["lift"]), 3)}
        for r in lookalike.lift.to_dict("records")
    ]  # fmt: skip
    x = alt.X("share:Q").axis(
        title="Share of people, most alike first", format="%", grid=False, tickCount=5
    )
    y = alt.Y("captured:Q").axis(title="Share of the seed found", format="%")
    found = (
        alt.Chart(data(rows))
        .mark_line(point=True, color=ACCENT)
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("share:Q", title="Of people", format=".0%"),
                alt.Tooltip("captured:Q", title="Of the seed", format=".0%"),
                alt.Tooltip("lift:Q", title="Times chance", format=".2f"),
            ],
        )
    )
    ends = [{"share": 0.0, "captured": 0.0}, {"share": 1.0, "captured": 1.0}]
    chance = alt.Chart(data(ends)).mark_line(color=QUIET, strokeDash=[4, 3]).encode(x=x, y=y)
    return alt.LayerChart(
        layer=[chance, found],
        title=f"Seed found by its lookalikes, AUC {lookalike.auc:.2f} (dashed: chance)",
        description=sentence(
            "Share of the seed found by share of people",
            (f"{r['share']:.0%} finds {r['captured']:.0%}" for r in rows[1:]),
        ),
        width="container",
        height=200,
    )


def performance_chart(table: pd.DataFrame, names: Mapping[Any, str] | None = None) -> AnyChart:
    """Draw how far each segment's outcome is from everyone else's, with intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        As `performance` gives it.
    names : mapping, optional
        Of the segments, by id.

    Returns
    -------
    altair.LayerChart
        A point with its interval for each segment, coloured where it is more than chance.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.insights import performance
    >>> table = performance(pd.Series([1, 1, 0, 0]), pd.Series([1, 1, 2, 2]))
    >>> performance_chart(table).to_dict()["title"]
    'Difference from everyone else, by segment'
    """
    import altair as alt

    labels = written(
        f"{segment}  {names[segment]}" if names else str(segment) for segment in table.index
    )
    rows = [
        {
            "segment": label,
            "difference": round(float(r["difference"]), 6),
            "low": None if r["low"] != r["low"] else round(float(r["low"]), 6),
            "high": None if r["high"] != r["high"] else round(float(r["high"]), 6),
            "mean": round(float(r["mean"]), 6),
            "finding": "more than chance" if r["significant"] else "may be chance",
        }
        for label, r in zip(labels, table.to_dict("records"), strict=True)
    ]
    base = alt.Chart(data(rows))
    y = names_above("segment")
    color = (
        alt.Color("finding:N")
        .scale(domain=["more than chance", "may be chance"], range=[ACCENT, QUIET])
        .legend(orient="top", title=None)
    )
    zero = (
        alt.Chart(data([{"at": 0}]))
        .mark_rule(color=LIMIT, strokeDash=[4, 3])
        .encode(x=alt.X("at:Q").axis(title="Difference"))
    )
    bars = base.mark_rule(strokeWidth=2, yOffset=5).encode(
        x=alt.X("low:Q").axis(title="Difference", grid=False), x2="high:Q", y=y, color=color
    )
    points = base.mark_point(filled=True, size=70, opacity=1, yOffset=5).encode(
        x="difference:Q",
        y=y,
        color=color,
        tooltip=[
            alt.Tooltip("segment:N", title="Segment"),
            alt.Tooltip("mean:Q", title="Outcome", format=".3~r"),
            alt.Tooltip("difference:Q", title="Difference", format="+.3~r"),
            alt.Tooltip("low:Q", title="From", format="+.3~r"),
            alt.Tooltip("high:Q", title="To", format="+.3~r"),
            alt.Tooltip("finding:N", title="Finding"),
        ],
    )
    return alt.LayerChart(
        layer=[zero, bars, points],
        title="Difference from everyone else, by segment",
        description=sentence(
            "Difference of each segment's outcome from everyone else's",
            (f"{r['segment']} {r['difference']:+.3g}, {r['finding']}" for r in rows),
        ),
        width="container",
        height=alt.Step(ROW),
    )


def drift_chart(change: Change) -> alt.LayerChart:
    """Draw how far a batch's variables have moved from those of the fit.

    Parameters
    ----------
    change : Change
        From `Segmentation.update`.

    Returns
    -------
    altair.LayerChart
        A bar for each variable and one for the shares of the segments, at most 20; lines where a
        move (0.10) and a shift (0.25) begin.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.segments import Segmentation
    >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> drift_chart(found.update(frame)).to_dict()["title"]
    'Drift of the batch against the fit (PSI)'
    """
    import altair as alt

    from audience_nb.segments.drift import MOVED, SHIFTED, finding

    told = [
        ("Shares of the segments", change.share_psi, finding(change.share_psi, change.share_chance))
    ]
    told += list(
        zip(change.drift["label"], change.drift["psi"], change.drift["finding"], strict=True)
    )
    told = [row for row in told if row[1] == row[1]][:_MOST_COMBINATIONS]
    names = written(str(label) for label, _, _ in told)
    rows = [
        {"variable": name, "psi": round(float(value), 4), "finding": found}
        for name, (_, value, found) in zip(names, told, strict=True)
    ]
    bars = (
        alt.Chart(data(rows))
        .mark_bar(size=BAR, yOffset=5)
        .encode(
            x=alt.X("psi:Q").axis(title="Population stability index", grid=False, tickCount=4),
            y=names_above("variable"),
            color=alt.Color("finding:N")
            .scale(domain=["steady", "moved", "shifted"], range=[QUIET, ACCENT, LIMIT])
            .legend(orient="top", title=None),
            tooltip=[
                alt.Tooltip("variable:N", title="Variable"),
                alt.Tooltip("psi:Q", title="PSI", format=".3f"),
                alt.Tooltip("finding:N", title="Finding"),
            ],
        )
    )
    limits = (
        alt.Chart(data([{"at": MOVED}, {"at": SHIFTED}]))
        .mark_rule(color=LIMIT, strokeDash=[4, 3])
        .encode(x="at:Q")
    )
    return alt.LayerChart(
        layer=[bars, limits],
        title="Drift of the batch against the fit (PSI)",
        description=sentence(
            "How far the batch has moved from the fit",
            (f"{r['variable']} {r['psi']:.2f}, {r['finding']}" for r in rows),
        ),
        width="container",
        height=alt.Step(ROW),
    )
