"""K-medians whose cluster sizes are guaranteed: arrays in, arrays out."""

from __future__ import annotations

from audience_nb.kmedians.bounds import feasible_n_clusters, size_bounds
from audience_nb.kmedians.certificate import Certificate, certify
from audience_nb.kmedians.compiling import prepare
from audience_nb.kmedians.estimator import ConstrainedKMedians
from audience_nb.kmedians.feasible import Feasibility, feasibility

__all__ = [
    "Certificate",
    "ConstrainedKMedians",
    "Feasibility",
    "certify",
    "feasibility",
    "feasible_n_clusters",
    "prepare",
    "size_bounds",
]
