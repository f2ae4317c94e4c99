"""What all charts share: colours, heights, names beside bars, words for those who do not see it.

Colours have a contrast of at least 3:1 on white and on #212121; ink and lines are left to the
theme of the view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import altair as alt

    AnyChart: TypeAlias = alt.Chart | alt.LayerChart

ACCENT = "#14938d"
LIMIT = "#c45e39"
QUIET = "#727c86"
LONGEST = 80
# A line of text over its bar.
ROW = 34
BAR = 10


def data(rows: list[dict[str, Any]]) -> alt.InlineData:
    """Hold rows inside the chart, whatever data transformer the user has set in Altair."""
    import altair as alt

    return alt.InlineData(values=rows)


def names_above(field: str) -> alt.Y:
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
            labelOffset=1 - BAR / 2,
            labelLimit=340,
        )
    )


def short(text: str) -> str:
    """Put a label on one line of at most 80 characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def written(labels: Iterable[str]) -> list[str]:
    """Shorten labels to one line each and keep them apart: equal ones would share a bar."""
    written: list[str] = []
    for label in labels:
        line = name = short(label) or "(no label)"
        number = 1
        while name in written:
            number += 1
            name = f"{line} ({number})"
        written.append(name)
    return written


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{share * 100:.4g}%"


def sentence(what: str, items: Iterable[str]) -> str:
    """Say what a chart shows to those who do not see it."""
    listed = list(items)
    more = f"; and {len(listed) - 20} more" if len(listed) > 20 else ""
    return f"{what}: {'; '.join(listed[:20])}{more}." if listed else f"{what}."


def listed(items: Sequence[str]) -> str:
    """Join items as a sentence does: "1, 2 and 3"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
