"""What audiences tell: overlap, predicted size, who else is like them, who performed."""

from __future__ import annotations

from audience_nb.insights.allocation import by_priority, hold_out
from audience_nb.insights.lookalike import Lookalike
from audience_nb.insights.overlap import Overlap, overlap
from audience_nb.insights.performance import performance
from audience_nb.insights.reach import Reach, predicted_size

__all__ = [
    "Lookalike",
    "Overlap",
    "Reach",
    "by_priority",
    "hold_out",
    "overlap",
    "performance",
    "predicted_size",
]
