"""Both engines answer alike, exactly, at any length of vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.errors import InvalidInput
from audience_nb.search.vectors import VectorStore, unit_rows

ENGINES = ["faiss", "numpy"]


def some_vectors(n: int, n_dimensions: int, seed: int = 0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, n_dimensions)).astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 300),
    st.sampled_from([1, 2, 7, 64, 384, 1536]),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_engines_agree(n: int, n_dimensions: int, top: int, seed: int) -> None:
    vectors = some_vectors(n, n_dimensions, seed)
    query = np.random.default_rng(seed + 99).normal(size=n_dimensions).astype(np.float32)
    faiss_rows, faiss_scores = VectorStore(vectors, engine="faiss").search(query, top)
    numpy_rows, numpy_scores = VectorStore(vectors, engine="numpy").search(query, top)
    assert len(faiss_rows) == len(numpy_rows) == min(n, top)
    np.testing.assert_allclose(faiss_scores, numpy_scores, atol=1e-6)
    # Where scores differ by more than rounding, the rows are the same too.
    exact = np.sort(vectors @ unit_rows(query[None])[0])[::-1]
    if len(exact) < 2 or np.abs(np.diff(exact[: top + 1])).min() > 1e-5:
        assert faiss_rows.tolist() == numpy_rows.tolist()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_dimensions", [2, 64, 512, 1536])
def test_a_vector_is_its_own_best_match(engine: str, n_dimensions: int) -> None:
    vectors = some_vectors(50, n_dimensions)
    store = VectorStore(vectors, engine=engine)
    for row in (0, 17, 49):
        rows, scores = store.search(vectors[row], 3)
        assert rows[0] == row
        assert scores[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_length_of_a_query_does_not_matter(engine: str, scale: float) -> None:
    store = VectorStore(some_vectors(40, 16), engine=engine)
    query = np.random.default_rng(3).normal(size=16).astype(np.float32)
    rows, scores = store.search(query, 5)
    scaled_rows, scaled_scores = store.search((query * scale).astype(np.float32), 5)
    assert rows.tolist() == scaled_rows.tolist()
    np.testing.assert_allclose(scores, scaled_scores, atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_equal_scores_rank_by_row(engine: str) -> None:
    same = np.tile(some_vectors(1, 8), (6, 1))
    rows, _ = VectorStore(np.ascontiguousarray(same), engine=engine).search(same[0], 6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_vectors_and_more_than_there_are(engine: str) -> None:
    empty = VectorStore(np.zeros((0, 4), np.float32), engine=engine)
    assert empty.search(np.ones(4, np.float32), 5)[0].tolist() == []
    three = VectorStore(some_vectors(3, 4), engine=engine)
    assert len(three.search(np.ones(4, np.float32), 50)[0]) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_mapped_file_is_searched_in_place(engine: str, tmp_path) -> None:
    vectors = some_vectors(30, 16)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    store = VectorStore(mapped, engine=engine)
    assert np.shares_memory(store.vectors, mapped)
    assert store.search(vectors[7], 1)[0].tolist() == [7]


def test_a_flat_array_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1 dimension"):
        VectorStore(np.ones(4, np.float32))


def test_unit_rows_keep_zeros() -> None:
    rows = unit_rows(np.array([[0.0, 0.0], [3.0, 4.0]], np.float32))
    np.testing.assert_allclose(rows, [[0, 0], [0.6, 0.8]], atol=1e-7)
