"""Charts of suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audience_nb.charts.marks import ACCENT, BAR, QUIET, ROW, data, names_above, sentence, written

if TYPE_CHECKING:
    import altair as alt

    from audience_nb.search import Suggestion

__all__ = ["PART_COLORS", "relevance_chart", "type_chart"]

PART_COLORS = {
    "meaning": ACCENT,
    "words": "#b47825",
    "concepts": "#8766bb",
    "spelling": QUIET,
    "use": "#b9579c",
}
PART_TITLES = {"use": "Earlier picks"}
KIND_TITLES = {
    "demographic": "Demographic",
    "behavioral": "Behavioural",
    "psychographic": "Psychographic",
    "lifestyle": "Lifestyle",
}


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
    labels = written([s.variable.label for s in best])
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
            data(rows),
            title="Best suggestions by score",
            description=sentence(
                f"Score of the best {len(best)} suggestions, stacked from part-scores",
                (f"{label} {s.score:.2f}" for label, s in zip(labels, best, strict=True)),
            ),
            width="container",
            height=alt.Step(ROW),
        )
        .mark_bar(size=BAR, yOffset=5)
        .encode(
            x=alt.X("length:Q")
            .stack("zero")
            .scale(domain=[0, 1])
            .axis(title="Score", values=[0, 0.5, 1], grid=False),
            y=names_above("label"),
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
            data(rows),
            title="Suggestions by kind",
            description=sentence(
                f"{len(kinds)} suggestions by kind", (f"{r['kind']} {r['count']}" for r in rows)
            ),
            width="container",
            height=alt.Step(ROW),
        )
        .mark_bar(size=BAR, yOffset=5, color=ACCENT)
        .encode(
            x=alt.X("count:Q").axis(
                title="Variables", tickMinStep=1, format="d", tickCount=5, grid=False
            ),
            y=names_above("kind"),
            tooltip=[
                alt.Tooltip("kind:N", title="Kind"),
                alt.Tooltip("count:Q", title="Variables"),
            ],
        )
    )
    return chart
