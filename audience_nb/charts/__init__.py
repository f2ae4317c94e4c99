"""Artefact to chart: pure functions from suggestions or segments to Altair.

Whatever comes from a catalogue or a table (labels, names) is data of a chart, never part of an
expression, so nothing written in a label is evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audience_nb.charts.insights import (
    drift_chart,
    lift_chart,
    overlap_chart,
    performance_chart,
    upset_chart,
)
from audience_nb.charts.segments import SEGMENT_COLORS, k_curve_chart, map_chart, size_chart
from audience_nb.charts.suggestions import PART_COLORS, relevance_chart, type_chart

if TYPE_CHECKING:
    from audience_nb.charts.marks import AnyChart as AnyChart

__all__ = [
    "PART_COLORS",
    "SEGMENT_COLORS",
    "drift_chart",
    "k_curve_chart",
    "lift_chart",
    "map_chart",
    "overlap_chart",
    "performance_chart",
    "relevance_chart",
    "size_chart",
    "type_chart",
    "upset_chart",
]
