"""Posting lists add up to what a dense matrix gives, however long they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import audience_nb.search.postinglists as postinglists
from audience_nb.search.grams import GramIndex
from audience_nb.search.postinglists import FULL, PostingLists, best_rows, row_type


def lists_of(matrix: np.ndarray) -> PostingLists:
    """Lists of a dense matrix of shape (n_lists, n_documents) of 16-bit weights."""
    rows, documents = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix)))])
    kind = row_type(matrix.shape[1])
    weights = matrix[rows, documents].astype(np.uint16)
    return PostingLists(starts.astype(np.int64), documents.astype(kind), weights, matrix.shape[1])


def drawn(seed: int, n_lists: int, n_documents: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    share = rng.random((n_lists, 1))
    present = rng.random((n_lists, n_documents)) < share
    return present * rng.integers(1, FULL + 1, (n_lists, n_documents))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 99),
    n_lists=st.integers(1, 12),
    n_documents=st.integers(1, 300),
    n=st.integers(1, 40),
    most=st.sampled_from([1, 50, 400_000]),
    cost=st.sampled_from([1, 3_000]),
)
def test_sums_are_those_of_the_matrix(
    seed: int, n_lists: int, n_documents: int, n: int, most: int, cost: int
) -> None:
    matrix = drawn(seed, n_lists, n_documents)
    rng = np.random.default_rng(seed + 1)
    rows = rng.permutation(n_lists)[: rng.integers(1, n_lists + 1)].tolist()
    factors = (rng.random(len(rows)) + 0.01).tolist()
    expected = np.asarray(factors) @ (matrix[rows] / FULL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postinglists, "MOST_TOUCHED", most)
        patch.setattr(postinglists, "_SEARCH_COST", cost)
        lists = lists_of(matrix)
        sums = lists.sums(rows, factors)
        chosen = rng.permutation(n_documents)[: rng.integers(0, n_documents + 1)]
        np.testing.assert_allclose(sums.at(chosen), expected[chosen], atol=2e-6)
        found, scores = sums.top(n)
        weights = lists.weights_at(rows, chosen)
    np.testing.assert_allclose(weights, matrix[rows][:, chosen] / FULL, atol=1e-6)
    assert len(found) <= n
    assert found.tolist() == sorted(set(found.tolist()))
    np.testing.assert_allclose(scores, expected[found], atol=2e-6)
    assert (scores > 0).all()
    if most == 400_000:
        # Nothing was put off, so these are the best there are.
        assert len(found) == min(n, np.count_nonzero(expected))
        left = np.delete(expected, found)
        assert left.max(initial=0) <= scores.min(initial=np.inf) + 2e-6


def test_long_lists_are_looked_up_for_what_short_ones_found() -> None:
    matrix = np.zeros((2, 100), np.int64)
    matrix[0, 7], matrix[1] = FULL, FULL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postinglists, "MOST_TOUCHED", 10)
        found, scores = lists_of(matrix).sums([0, 1], [1.0, 0.5]).top(5)
    assert found.tolist() == [7]
    assert scores.tolist() == [1.5]


def test_only_allowed_documents_are_given_and_divided() -> None:
    lists = lists_of(np.array([[FULL, FULL, FULL]]))
    allowed = np.array([True, False, True])
    rows, scores = lists.sums([0], [1.0]).top(5, allowed, np.array([1.0, 1.0, 4.0]))
    assert rows.tolist() == [0, 2]
    assert scores.tolist() == [1.0, 0.25]


def test_nothing_adds_up_to_nothing() -> None:
    lists = lists_of(np.array([[FULL, 0]]))
    assert lists.sums([], []).top(3)[0].tolist() == []
    assert lists.weights_at([], np.array([0])).shape == (0, 1)
    assert lists.weights_at([0], np.array([], int)).shape == (1, 0)


@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), max_size=40), st.integers(1, 50))
def test_best_rows_break_ties_by_row(scores: list[float], n: int) -> None:
    best = best_rows(np.array(scores), n)
    order = sorted(range(len(scores)), key=lambda row: (-scores[row], row))[:n]
    assert best.tolist() == sorted(order)


@pytest.mark.parametrize("n", [19, 20, 100, 5_000])
@pytest.mark.parametrize("distinct", [3, 1_000, 10**9])
def test_the_best_of_very_many_are_the_same(n: int, distinct: int) -> None:
    scores = np.random.default_rng(n).integers(0, distinct, 60_000).astype(np.float32)
    order = np.lexsort((np.arange(60_000), -scores))[:n]
    assert best_rows(scores, n).tolist() == sorted(order.tolist())
    few = np.zeros(60_000, np.float32)
    few[[7, 70, 59_999]] = 1
    assert {7, 70, 59_999} <= set(best_rows(few, n).tolist())


def test_rows_are_numbered_in_the_smallest_type() -> None:
    assert row_type(1 << 16) is np.uint16
    assert row_type((1 << 16) + 1) is np.uint32


# -- character n-grams ---------------------------------------------------------------------------

BAGS = [
    ["environment", "protection"],
    ["environmental", "worries"],
    ["income", "of", "households"],
    ["households", "households", "with", "dogs"],
    [],
]


def test_misspelt_words_find_their_documents() -> None:
    index = GramIndex.build(BAGS)
    assert set(index.like(["enviroment"]).top(2)[0].tolist()) == {0, 1}
    assert index.like(["incomme"]).top(1)[0].tolist() == [2]
    assert index.like(["zzz"]).top(5)[0].tolist() == []
    assert index.like([]).top(5)[0].tolist() == []


def test_a_document_is_the_set_of_its_words() -> None:
    index = GramIndex.build(BAGS)
    for row, words in enumerate(BAGS[:-1]):
        distinct = list(dict.fromkeys(words))
        assert index.like(distinct).at(np.array([row]))[0] == pytest.approx(1, abs=1e-5)
    repeated, once = GramIndex.build([["a", "dogs", "dogs"]]), GramIndex.build([["a", "dogs"]])
    for name, array in repeated.arrays().items():
        np.testing.assert_array_equal(array, once.arrays()[name])


def test_vectors_made_in_parts_are_those_made_at_once() -> None:
    from audience_nb.search.grams import _document_vectors
    from audience_nb.search.postings import counts_matrix

    held = counts_matrix([dict.fromkeys(bag, 1.0) for bag in BAGS], {})
    rng = np.random.default_rng(0)
    grams = counts_matrix(
        [{f"g{g}": 1.0 for g in rng.integers(0, 9, 4)} for _ in range(held.shape[1])], {}
    )
    for one, other in zip(
        _document_vectors(held, grams), _document_vectors(held, grams, at_once=2), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6)
