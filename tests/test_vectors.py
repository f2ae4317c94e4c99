"""Both engines answer alike, exactly, at any length of vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.errors import InvalidInput
from audience_nb.search.cells import CellStore, build_cells
from audience_nb.search.vectors import VectorStore, clusters, quantized, unit_rows

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


# -- 8-bit integers ------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 400),
    st.sampled_from([1, 2, 7, 64, 512]),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_engines_agree_on_integers(n: int, n_dimensions: int, top: int, seed: int) -> None:
    vectors = quantized(some_vectors(n, n_dimensions, seed))
    query = np.random.default_rng(seed + 99).normal(size=n_dimensions).astype(np.float32)
    # What the integers say, in full precision.
    exact = vectors.astype(np.float64) @ (query / np.linalg.norm(query.astype(np.float64)))
    exact /= np.maximum(np.linalg.norm(vectors.astype(np.float64), axis=1), 1e-9)
    best = np.sort(exact)[::-1][:top]
    for engine in ENGINES:
        rows, scores = VectorStore(vectors, engine=engine).search(query, top)
        np.testing.assert_allclose(scores, best, atol=1e-6)
        np.testing.assert_allclose(scores, exact[rows], atol=1e-6)
        assert len(set(rows.tolist())) == len(rows)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_near_is_missed_however_close_it_is(engine: str) -> None:
    # Thousands of all but equal directions: rounding the query could hide the nearest.
    rng = np.random.default_rng(0)
    middle = rng.normal(size=64)
    vectors = quantized(unit_rows((middle + 0.05 * rng.normal(size=(3000, 64))).astype("f")))
    query = unit_rows((middle + 0.05 * rng.normal(size=64)).astype("f")[None])[0]
    exact = vectors.astype(np.float64) @ query / np.linalg.norm(vectors.astype(float), axis=1)
    _, scores = VectorStore(vectors, engine=engine).search(query, 10)
    np.testing.assert_allclose(scores, np.sort(exact)[::-1][:10], atol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_integers_are_scale_free(engine: str) -> None:
    vectors = quantized(some_vectors(40, 64))
    store = VectorStore(vectors, engine=engine)
    halved = VectorStore(quantized(some_vectors(40, 64), 4.0), engine=engine)
    query = some_vectors(1, 64, 5)[0]
    rows, scores = store.search(query, 5)
    for scale in (1e-12, 1e12):
        scaled_rows, scaled = store.search((query * scale).astype(np.float32), 5)
        assert rows.tolist() == scaled_rows.tolist()
        np.testing.assert_allclose(scores, scaled, atol=1e-6)
    # A coarser scale rounds more, but says the same.
    np.testing.assert_allclose(halved.search(query, 1)[1], scores[:1], atol=0.05)


def test_integers_keep_directions() -> None:
    vectors = some_vectors(200, 512)
    rounded = quantized(vectors)
    assert np.abs(rounded).max() == 127
    assert np.sum(vectors * unit_rows(rounded.astype(np.float32)), axis=1).min() > 0.9999
    # Between two of them, and to a query, they differ in the fourth place.
    near = unit_rows(rounded.astype(np.float32))
    assert np.abs(near @ near.T - vectors @ vectors.T).max() < 0.006
    assert quantized(np.zeros((2, 3), np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_a_query_without_direction_is_near_nothing(engine: str, kind: str) -> None:
    vectors = some_vectors(9, 8)
    store = VectorStore(quantized(vectors) if kind == "int8" else vectors, engine=engine)
    rows, scores = store.search(np.zeros(8, np.float32), 3)
    assert rows.tolist() == [0, 1, 2]
    assert scores.tolist() == [0, 0, 0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_only_allowed_rows_are_found(engine: str, kind: str) -> None:
    vectors = some_vectors(3000, 16)
    store = VectorStore(quantized(vectors) if kind == "int8" else vectors, engine=engine)
    allowed = np.random.default_rng(4).random(3000) < 0.4
    queries = some_vectors(3, 16, 5)
    for query, (rows, scores) in zip(queries, store.search_all(queries, 20, allowed), strict=True):
        everything, all_scores = store.search(query, 3000)
        kept = allowed[everything]
        np.testing.assert_allclose(scores, all_scores[kept][:20], atol=1e-6)
        assert allowed[rows].all()
    assert store.search_all(queries, 5, np.zeros(3000, bool))[0][0].tolist() == []


# -- cells ---------------------------------------------------------------------------------------


def clustered(n: int, n_dimensions: int = 32) -> np.ndarray:
    """Vectors in loose groups, as those of texts are."""
    rng = np.random.default_rng(0)
    middles = rng.normal(size=(n // 50, n_dimensions))
    spread = 0.6 * rng.normal(size=(n, n_dimensions))
    return unit_rows((middles[rng.integers(0, len(middles), n)] + spread).astype(np.float32))


@pytest.mark.parametrize("engine", ENGINES)
def test_cells_find_almost_all_that_is_near(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audience_nb.search.cells._PER_CELL", 100)
    vectors = quantized(clustered(20_000))
    cells = build_cells(vectors, engine=engine)
    assert len(cells["middles"]) == 200
    assert sorted(cells["order"].tolist()) == list(range(20_000))
    assert cells["starts"][-1] == 20_000
    store = CellStore(np.ascontiguousarray(vectors[cells["order"]]), cells, engine=engine)
    exact = VectorStore(vectors, engine="numpy")
    rng = np.random.default_rng(7)
    queries = unit_rows(vectors[rng.integers(0, 20_000, 100)] + 9 * rng.normal(size=(100, 32)))
    hits = 0
    for query, (rows, scores) in zip(queries, store.search_all(queries, 20), strict=True):
        true, _ = exact.search(query, 20)
        hits += len(set(true.tolist()) & set(rows.tolist()))
        # Whatever is found has its exact score.
        np.testing.assert_allclose(scores, exact.scores(query, rows), atol=1e-6)
        assert sorted(scores, reverse=True) == scores.tolist()
    assert hits / 2000 >= 0.98
    assert int(cells["probes"][0]) < 100
    assert float(cells["recall"][0]) >= 0.98
    assert store.description == (
        f"IVF by {engine}, {int(cells['probes'][0])} of 200 cells searched, "
        f"recall@20 {float(cells['recall'][0]):.3f}".replace("0.", ".")
    )


@pytest.mark.parametrize("few", [0, 50_000])
def test_cells_obey_filters(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audience_nb.search.cells._PER_CELL", 100)
    monkeypatch.setattr("audience_nb.search.cells._FEW", few)
    vectors = quantized(clustered(5_000))
    cells = build_cells(vectors)
    store = CellStore(np.ascontiguousarray(vectors[cells["order"]]), cells)
    allowed = np.random.default_rng(4).random(5000) < 0.5
    exact = VectorStore(vectors, engine="numpy")
    rng = np.random.default_rng(5)
    queries = unit_rows(vectors[rng.integers(0, 5_000, 5)] + 9 * rng.normal(size=(5, 32)))
    for query, (rows, _) in zip(queries, store.search_all(queries, 10, allowed), strict=True):
        true, _ = exact.search_all(query[None], 10, allowed)[0]
        assert allowed[rows].all()
        assert len(set(rows.tolist()) & set(true.tolist())) >= 8


def test_cells_are_the_same_every_time() -> None:
    vectors = quantized(clustered(3_000))
    one, other = build_cells(vectors), build_cells(vectors)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_clusters_find_groups(engine: str) -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.eye(4, 16), 50, axis=0) + 0.05 * rng.normal(size=(200, 16))
    middles = clusters(unit_rows(groups.astype(np.float32)), 12, engine=engine)
    np.testing.assert_allclose(np.linalg.norm(middles, axis=1), 1, atol=1e-6)
    # Whichever of the twelve, none lies between groups.
    assert (np.abs(middles[:, :4]).max(axis=1) > 0.95).all()
