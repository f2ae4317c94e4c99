"""A still of the view: what a saved notebook shows where no kernel and no widget is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["pictures", "still_of"]

logger = logging.getLogger(__name__)

_MOST_TRAITS = 3


def pictures(specs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Draw charts without a browser, where the library for it is installed.

    Parameters
    ----------
    specs : mapping of str to Vega-Lite specification
        Charts by name.

    Returns
    -------
    list of str
        SVG of each; none where vl-convert (extra `lab`) is not installed.

    Examples
    --------
    >>> pictures({})
    []
    """
    try:
        import vl_convert
    except ModuleNotFoundError:
        return []
    drawn = []
    for name, spec in specs.items():
        try:
            # No chart of ours loads anything; this holds should one ever try.
            svg = vl_convert.vegalite_to_svg({**spec, "width": 420}, allowed_base_urls=[])
        except ValueError:
            # The tables say the same: a still is shown without the chart.
            logger.exception("The chart %r could not be drawn as a picture.", name)
            continue
        drawn.append(svg)
    return drawn


def still_of(snapshot: Mapping[str, Any], drawn: Sequence[str] = ()) -> str:
    """Write what a snapshot says as HTML that needs neither script nor style sheet.

    Parameters
    ----------
    snapshot : mapping
        As `Session.snapshot().to_dict()` gives it: decisions and aggregates, never a record.
    drawn : sequence of str, default ()
        SVG of its charts, as `pictures` gives it.

    Returns
    -------
    str
        HTML; whatever comes from a catalogue or a person is text in it.

    Examples
    --------
    >>> from audience_nb import Session
    >>> import pandas as pd
    >>> session = Session(pd.DataFrame({"age": range(20, 80)}))
    >>> _ = session.confirm(["age"])
    >>> "<h4>Audience builder</h4>" in still_of(session.snapshot().to_dict())
    True
    """
    parts = ["<h4>Audience builder</h4>", _where(snapshot)]
    if snapshot["query"] is not None:
        parts.append(f"<p><strong>{escape(snapshot['query'])}</strong></p>")
    if snapshot["selected"]:
        rows = [(v["label"], v["kind"]) for v in snapshot["selected"]]
        parts.append(
            _table(f"{_plural(len(rows), 'variable')} selected", ["Variable", "Kind"], rows)
        )
    elif snapshot["suggestions"]:
        found = [(s["label"], s["kind"], f"{s['score']:.2f}") for s in snapshot["suggestions"]]
        parts.append(_table("Suggestions", ["Variable", "Kind", "Score"], found))
    if snapshot["segmentation"]:
        parts.append(_segments(snapshot["segmentation"]))
    if snapshot["audience"]:
        parts.append(_audience(snapshot))
    parts += [f"<div>{svg}</div>" for svg in drawn]
    parts.append("<p><em>A still: run the cell for the view itself.</em></p>")
    return f'<div class="audience-nb-still">{"".join(parts)}</div>'


def _where(snapshot: Mapping[str, Any]) -> str:
    data = snapshot["data"]
    current = next((s["title"] for s in snapshot["steps"] if s["state"] == "current"), None)
    step = f" Next: {current.lower()}." if current else ""
    return (
        f"<p>{escape(data['name'])}: {_plural(data['records'], 'record')}, "
        f"{_plural(data['variables'], 'variable')}.{escape(step)}</p>"
    )


def _segments(segmentation: Mapping[str, Any]) -> str:
    bounds = segmentation["bounds"]
    rows = [
        (
            segment["name"],
            f"{segment['size']:,}",
            f"{segment['share']:.1%}",
            "; ".join(trait["text"] for trait in segment["traits"][:_MOST_TRAITS]),
        )
        for segment in segmentation["segments"]
    ]
    return _table(
        f"{segmentation['n_segments']} segments of {segmentation['n_records']:,} records, each "
        f"between {bounds['smallest']:,} and {bounds['largest']:,}",
        ["Segment", "Records", "Share", "Set apart by"],
        rows,
    )


def _audience(snapshot: Mapping[str, Any]) -> str:
    audience = snapshot["audience"]
    n_segments = len(snapshot["segmentation"]["segments"])
    return (
        f"<p>In the audience: {_plural(audience['size'], 'record')} of "
        f"{len(audience['segments'])} of {n_segments} segments.</p>"
    )


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    # Notebooks set tables to the right, which words do not bear.
    left = 'style="text-align:left;vertical-align:top"'
    head = "".join(f'<th scope="col" {left}>{escape(h)}</th>' for h in heads)
    body = "".join(
        f"<tr>{''.join(f'<td {left}>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
