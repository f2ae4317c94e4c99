"""Cluster sizes, the words that say why there are none, and the estimator's parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audience_nb.errors import Infeasible, InvalidInput
from audience_nb.kmedians.bounds import (
    allowed_sizes,
    feasible_n_clusters,
    nearest_shares,
    require_feasible,
)
from audience_nb.kmedians.parameters import (
    given_centers,
    given_weights,
    numbers_tried,
    require_numbers,
)


@pytest.mark.parametrize(
    ("sizes", "fact", "move"),
    [
        (
            (29, 2, 2),
            "14 segments of at most 2 records hold 28 of 29, and 15 of at least 2 need 30.",
            "With min_share=0.068 and max_share=0.104, 14 segments of 2 to 3 records would do.",
        ),
        (
            (1013, 400, 450),
            "2 segments of at most 450 records hold 900 of 1013, and 3 of at least 400 need 1200.",
            "With min_share=0.394 and max_share=0.501, 2 segments of 506 to 507 records would do.",
        ),
        (
            (5, 1, 0),
            "A segment of 5 records must hold at least 1 and at most 0.",
            "With min_share=0.2 and max_share=0.2, 5 segments of 1 record would do.",
        ),
        (
            (1, 1, 0),
            "A segment of 1 record must hold at least 1 and at most 0.",
            "With min_share=1 and max_share=1, 1 segment of 1 record would do.",
        ),
        (
            (3, 2, 1),
            "A segment of 3 records must hold at least 2 and at most 1.",
            "With min_share=0.333 and max_share=0.667, 2 segments of 1 to 2 records would do.",
        ),
        (
            (20_000, 3, 3),
            "6666 segments of at most 3 records hold 19998 of 20000, and 6667 of at least 3 need "
            "20001.",
            "With min_share=0.0001 and max_share=0.00015, 6667 segments of 2 to 3 records would "
            "do.",
        ),
        (
            (10, 20, 30),
            "A segment must hold at least 20 records, there are 10.",
            "With min_share=1 and max_share=1, 1 segment of 10 records would do.",
        ),
    ],
)
def test_where_no_number_will_do_the_nearest_shares_are_named(
    sizes: tuple[int, int, int], fact: str, move: str
) -> None:
    with pytest.raises(Infeasible) as caught:
        require_feasible(*sizes)
    assert str(caught.value) == f"{fact} {move}"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            (1000, 50, 100, 3),
            "3 segments of at most 100 records hold 300 of 1,000. Raise max_share to allow 334 "
            "records each, or form 10 segments (10 to 20 would do).",
        ),
        (
            (1000, 50, 100, 30),
            "30 segments of at least 50 records need 1,500, there are 1,000. Lower min_share to "
            "allow 33 records each, or form 20 segments (10 to 20 would do).",
        ),
        (
            (29, 2, 2, 14),
            "14 segments of at most 2 records hold 28 of 29. Raise max_share to allow 3 records "
            "each.",
        ),
        ((4, 1, 2, 5), "5 segments need a record each, there are 4. Form 4 segments or fewer."),
        (
            (1500, 1, 0, 2000),
            "2000 segments of at most 0 records hold 0 of 1,500. Raise max_share to allow 1 "
            "records each.",
        ),
    ],
)
def test_where_this_number_will_not_do_another_is_named(
    asked: tuple[int, int, int, int], words: str
) -> None:
    with pytest.raises(Infeasible) as caught:
        require_feasible(*asked)
    assert str(caught.value) == words


def test_the_error_names_what_the_sizes_were_set_by() -> None:
    for k, name in ((3, "size_max"), (30, "size_min")):
        with pytest.raises(Infeasible, match=name):
            require_feasible(1000, 50, 100, k, names=("size_min", "size_max"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((29, 2, 2), (14, 0.068, 0.104)),
        ((1000, 0, 0), (1000, 0.0, 0.001)),
        ((1000, 0, 1), (1000, 0.0, 0.001)),
        ((1000, 0, 3), (667, 0.0, 0.003)),
        ((100, 50, 50, 3), (3, 0.33, 0.5)),
        ((3000, 2, 2), (1500, 0.00066, 0.00067)),
        ((10_100, 1, 1, 101), (101, 0.0, 0.01)),
        ((10_100, 100, 100, 101), (101, 0.0099, 0.01)),
        ((10_000, 150, 150, 100), (100, 0.01, 0.015)),
        ((5, 4, 4), (1, 0.8, 1.0)),
        ((2, 1, 5), (1, 0.5, 1.0)),
        ((3, 1, 1, 9), (3, 0.333, 0.334)),
    ],
)
def test_nearest_shares_are_rounded_outward(
    asked: tuple[int, ...], expected: tuple[int, float, float]
) -> None:
    assert nearest_shares(*asked) == expected


def test_feasible_numbers_are_those_that_hold_everything() -> None:
    for n in (1, 7, 29, 100):
        for smallest in range(1, 9):
            for largest in range(9):
                found = feasible_n_clusters(n, smallest, largest)
                held = [k for k in range(1, n + 2) if k * smallest <= n <= k * largest]
                assert list(found) == held


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, (50, 100)),
        ({"size_max": 80}, (50, 80)),
        ({"size_min": 90}, (90, 100)),
        ({"size_min": 0, "size_max": 0, "least": 0}, (0, 0)),
        ({"size_min": 0}, (1, 100)),
        ({"least": 60}, (60, 100)),
        ({"least": 60, "size_min": 20}, (60, 100)),
    ],
)
def test_counts_take_the_place_of_shares(counts: dict[str, int], expected: tuple[int, int]) -> None:
    assert allowed_sizes(1000, min_share=0.05, max_share=0.10, **counts) == expected


@pytest.mark.parametrize(
    ("n", "arguments", "words"),
    [
        (0, {}, "There are 0 records. Give at least 1."),
        (
            9,
            {"min_share": 0.2, "max_share": 0.1},
            "min_share is 0.2 and max_share 0.1. Give fractions with 0 <= min_share <= max_share "
            "<= 1.",
        ),
        (9, {"size_min": -1}, "size_min is -1. Give a whole number of records, or None."),
        (9, {"size_max": 2.5}, "size_max is 2.5. Give a whole number of records, or None."),
        (
            2000,
            {"size_min": 1500},
            "Of 2,000 records size_min=1500 asks for at least 1,500 in each cluster, max_share=0.1 "
            "allows 200. Lower the first or raise the second; give both size_min and size_max to "
            "replace both shares.",
        ),
        (
            2000,
            {"size_max": 99},
            "Of 2,000 records min_share=0.05 asks for at least 100 in each cluster, size_max=99 "
            "allows 99. Lower the first or raise the second; give both size_min and size_max to "
            "replace both shares.",
        ),
    ],
)
def test_sizes_that_make_no_sense_are_refused(
    n: int, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed_sizes(n, **{"min_share": 0.05, "max_share": 0.10, **arguments})
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_init": 0}, "n_init is 0. Give a whole number from 1."),
        ({"max_iter": 1.5}, "max_iter is 1.5. Give a whole number from 1."),
        ({"n_threads": 0}, "n_threads is 0. Give a whole number from 1."),
        ({"tol": -1e-9}, "tol is -1e-09. Give a number from 0."),
        ({"tol": float("nan")}, "tol is nan. Give a number from 0."),
        ({"tol": "1"}, "tol is '1'. Give a number from 0."),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        require_numbers(**{"tol": 0, "n_init": 1, "n_threads": None, **arguments})
    assert str(caught.value) == words


def test_a_tolerance_of_0_is_one() -> None:
    require_numbers(0, n_init=1)
    require_numbers(0.0, n_threads=1, max_iter=1)


def test_weights_of_one_are_none() -> None:
    rows = np.zeros((3, 2))
    assert given_weights(None, rows) is None
    assert given_weights(np.ones(3, np.float32), rows) is None
    weights = given_weights(np.array([1.0, 1.0, 0.0], np.float32), rows)
    assert weights is not None
    assert weights.dtype == np.float64
    assert weights.tolist() == [1.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="egative"):
        given_weights([1.0, -1.0, 1.0], rows)


@pytest.mark.parametrize(
    ("init", "k", "words"),
    [
        ("random", 2, "init is 'random'. Give \"k-medians++\" or centres."),
        (
            [[1.0]],
            1,
            "init has shape (1, 1), the records 2 columns. Give an array of shape (n_clusters, 2).",
        ),
        (
            [1.0, 2.0],
            1,
            "init has shape (2,), the records 2 columns. Give an array of shape (n_clusters, 2).",
        ),
        (
            [[1.0, np.inf]],
            1,
            "init holds missing or infinite values. Give finite numbers.",
        ),
        (
            [[1.0, 2.0]],
            2,
            "init holds 1 centres, n_clusters is 2. Give as many centres as clusters.",
        ),
    ],
)
def test_starts_that_cannot_be_are_refused(init: Any, k: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        given_centers(init, k, 2)
    assert str(caught.value) == words


def test_starts_are_floats_in_rows() -> None:
    init = np.asfortranarray([[1, 2], [3, 4], [5, 6]])
    for k in ("auto", 3):
        centers = given_centers(init, k, 2)
        assert centers is not None
        assert centers.dtype == np.float64
        assert centers.flags.c_contiguous
        assert (centers == init).all()
    assert given_centers("k-medians++", 3, 2) is None


def test_the_numbers_tried_are_those_asked_for() -> None:
    assert numbers_tried("auto", 1000, 50, 100) == list(range(10, 21))
    assert numbers_tried("auto", 1000, 50, 100, given=3) == [3]
    assert numbers_tried(np.int64(12), 1000, 50, 100) == [12]
    assert numbers_tried(1, 5, 1, 5) == [1]
    for wrong, words in (
        ("some", "n_clusters is 'some'. Give a whole number or \"auto\"."),
        (0, 'n_clusters is 0. Give a whole number from 1, or "auto".'),
        (2.0, 'n_clusters is 2.0. Give a whole number from 1, or "auto".'),
    ):
        with pytest.raises(InvalidInput) as caught:
            numbers_tried(wrong, 1000, 50, 100)
        assert str(caught.value) == words
    for k, words in (("auto", "29, and 15"), (14, "Raise size_max")):
        with pytest.raises(Infeasible, match=words):
            numbers_tried(k, 29, 2, 2, names=("size_min", "size_max"))
