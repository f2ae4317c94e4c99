"""K-medians whose cluster sizes are guaranteed: arrays in, arrays out."""

from __future__ import annotations

from audience_nb.kmedians.bounds import feasible_n_clusters, size_bounds
from audience_nb.kmedians.estimator import ConstrainedKMedians

__all__ = ["ConstrainedKMedians", "feasible_n_clusters", "size_bounds"]
