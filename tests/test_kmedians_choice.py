"""Numbers of clusters that are tried, and how well rows fit into so many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from audience_nb.kmedians import choice
from audience_nb.kmedians.descent import Task
from audience_nb.kmedians.rows import Rows


@pytest.mark.parametrize(
    ("sizes", "tried"),
    [
        ((1000, 50, 100), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]),
        ((1000, 450, 600), [2]),
        ((1000, 300, 600), [2, 3]),
        # Eleven at most, spread over the range, and none above 40 without need.
        ((1000, 10, 500), [2, 6, 10, 13, 17, 21, 25, 29, 32, 36, 40]),
        # The bounds ask for more than 40: the fewest that will do.
        ((1000, 1, 20), [50]),
    ],
)
def test_numbers_tried_span_what_the_bounds_allow(
    sizes: tuple[int, int, int], tried: list[int]
) -> None:
    assert choice.tried(*sizes) == tried


@pytest.mark.parametrize("k", [2, 3, 5])
def test_quality_is_the_simplified_silhouette_and_the_share_displaced(k: int) -> None:
    values = np.random.default_rng(k).normal(size=(60, 3)) ** 3
    rows = Rows(values)
    found = Task(rows, 60, 60 // k, -(-60 // k), seed=0).begin(k, 0)
    apart = cdist(values, found.centers, "cityblock")
    scores, displaced = [], 0
    for i, own in enumerate(found.labels):
        a = apart[i, own]
        b = min(apart[i, j] for j in range(k) if j != own)
        scores.append((b - a) / max(a, b))
        displaced += b < a
    assert displaced
    assert choice.quality(rows, found) == pytest.approx((np.mean(scores), displaced / 60))


def test_one_cluster_has_no_silhouette() -> None:
    rows = Rows(np.arange(4.0)[:, None])
    assert choice.quality(rows, Task(rows, 4, 4, 4, seed=0).begin(1, 0)) == (0.0, 0.0)


def test_rows_that_are_all_alike_have_a_silhouette_of_0() -> None:
    rows = Rows(np.zeros((6, 2)))
    assert choice.quality(rows, Task(rows, 6, 3, 3, seed=0).begin(2, 0)) == (0.0, 0.0)
