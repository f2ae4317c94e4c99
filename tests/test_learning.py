"""Meanings: shipped, kept, taken up again, learnt behind; and without any encoder."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from test_search import RECORDS, HashEncoder, codes_of, files_of, half_of, measures_of

import audience_nb.search.index as index_module
import audience_nb.search.learning as learning
import audience_nb.search.ranking as ranking
from audience_nb.catalog import Catalog, demo_file
from audience_nb.embedding import OfflineEncoder
from audience_nb.errors import Cancelled, EncoderFailed, NotFound
from audience_nb.search import SearchIndex
from audience_nb.search.background import Background
from audience_nb.search.container import write_arrays
from audience_nb.search.documents import Documents
from audience_nb.search.latent import LatentEncoder, latent_arrays
from audience_nb.search.learning import KnownVectors, document_vectors, text_key
from audience_nb.search.lexical import Analyzer
from audience_nb.search.postings import Postings
from audience_nb.search.vectors import unit_rows

MANY = [{"code": f"C{i}", "label": f"Label number {i}"} for i in range(100)]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "AT_ONCE", 20)
    monkeypatch.setattr(learning, "_REPORTED", 5)


def directions(vectors: np.ndarray) -> np.ndarray:
    return unit_rows(vectors.astype(np.float32))


# -- vectors that ship ---------------------------------------------------------------------------


def test_the_demo_catalogue_needs_no_encoder_but_for_queries(tmp_path: Path) -> None:
    encoder = OfflineEncoder()
    known = KnownVectors.shipped(encoder)
    assert len(known.keys) > 8_000
    assert (np.diff(known.keys.astype(object)) > 0).all()
    documents = Documents.build(Catalog.demo())
    texts = list({text for texts in documents.texts() for text, _ in texts})
    assert known.rows(texts).min() >= 0
    # And they are what the encoder gives.
    some = texts[:: len(texts) // 20]
    cosines = np.sum(directions(known.vectors[known.rows(some)]) * encoder.encode(some), axis=1)
    assert cosines.min() > 0.9995


class Counting(OfflineEncoder):
    """The offline encoder, counting."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode(self, texts):
        self.encoded += texts
        return super().encode(texts)


def test_another_catalogue_uses_what_it_shares(tmp_path: Path) -> None:
    shared = Catalog.demo()[Catalog.demo().codes[0]].measure
    rows = [{"code": "A", "label": shared}, {"code": "B", "label": "Nobody ever wrote this"}]
    encoder = Counting()
    SearchIndex(Catalog.from_records(rows), encoder, cache_dir=tmp_path)
    assert encoder.encoded == ["Nobody ever wrote this"]


def test_vectors_of_another_encoder_or_damaged_ones_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(KnownVectors.shipped(HashEncoder(512)).keys) == 0
    damaged = tmp_path / "vectors.bin"
    data = bytearray(demo_file(learning.SHIPPED).read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    monkeypatch.setattr(learning, "demo_file", lambda name: damaged)
    learning._shipped.cache_clear()
    try:
        assert len(KnownVectors.shipped(OfflineEncoder()).keys) == 0
    finally:
        learning._shipped.cache_clear()


def test_a_text_is_known_to_the_letter() -> None:
    assert text_key("Income") != text_key("income") != text_key("income ")
    assert text_key("\ud800") == text_key("\ud800")


# -- what is learnt is kept ----------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_a_build_that_was_stopped_is_taken_up_again(tmp_path: Path) -> None:
    catalog = Catalog.from_records(MANY)
    whole = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path / "whole")

    def stop(stage: str, fraction: float) -> None:
        if stage == "Learning meanings" and fraction > 0.1 + 0.9 * 0.55:
            raise Cancelled("Stopped.")

    first = HashEncoder()
    with pytest.raises(Cancelled):
        SearchIndex(catalog, first, cache_dir=tmp_path / "parts", progress=stop)
    # Two parts of 20 are whole; what was begun of the third is not kept.
    assert 40 < len(first.encoded) <= 60
    assert len(list((tmp_path / "parts").rglob("*.part"))) == 2
    second = HashEncoder()
    index = SearchIndex(catalog, second, cache_dir=tmp_path / "parts")
    assert len(second.encoded) == 60
    assert not set(first.encoded[:40]) & set(second.encoded)
    # Nothing is left but the index, and it is the same.
    assert [half_of(p) for p in sorted(files_of(tmp_path / "parts"), key=half_of)] == [
        "meanings",
        "words",
    ]
    for query in ("number 42", "label"):
        assert index.search(query) == whole.search(query)


@pytest.mark.usefixtures("small_parts")
def test_a_damaged_part_is_learnt_again(tmp_path: Path) -> None:
    documents = Documents.build(Catalog.from_records(MANY))
    kept = tmp_path / "kept"

    def stop(stage: str, fraction: float) -> None:
        if fraction > 0.7:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        document_vectors(documents, HashEncoder(), stop, kept)
    parts = sorted(kept.iterdir())
    assert [p.name for p in parts] == ["0.part", "20.part", "40.part"]
    parts[1].write_bytes(b"not a part")
    # Of other texts, though under the right name.
    with parts[2].open("wb") as file:
        write_arrays(file, {"encoder": "hash 64", "texts": "0"}, {"vectors": np.ones((20, 64))})
    encoder = HashEncoder()
    vectors = document_vectors(documents, encoder, lambda *told: None, kept)["vectors"]
    assert len(encoder.encoded) == 80
    assert not kept.exists()
    expected = HashEncoder().encode([row["label"] for row in MANY])
    assert np.sum(directions(vectors) * expected, axis=1).min() > 0.999


@pytest.mark.usefixtures("small_parts")
def test_without_room_to_keep_them_parts_stay_in_memory(tmp_path: Path) -> None:
    documents = Documents.build(Catalog.from_records(MANY))
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    vectors = document_vectors(documents, HashEncoder(), lambda *told: None, blocked / "kept")[
        "vectors"
    ]
    assert vectors.shape == (100, 64)


def build_in_parts(cache_dir: Path, results: multiprocessing.Queue) -> None:
    learning.AT_ONCE = 20
    index = SearchIndex(Catalog.from_records(MANY), HashEncoder(), cache_dir=cache_dir)
    results.put([(s.variable.code, s.score) for s in index.search("number 42")])


def test_processes_that_learn_at_once_agree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=build_in_parts, args=(tmp_path, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0][0] == "C42"
    halves = sorted(half_of(path) for path in files_of(tmp_path))
    assert halves == ["meanings", "words"]


def test_progress_of_learning_rises_within_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_REPORTED", 10)
    told: list[float] = []
    document_vectors(
        Documents.build(Catalog.from_records(MANY)),
        HashEncoder(),
        lambda stage, fraction: told.append(fraction),
    )
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1
    assert len(set(told)) >= 10


# -- behind the scenes ---------------------------------------------------------------------------


class SlowEncoder(HashEncoder):
    """Waits before it encodes documents, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.fails = threading.Event(), False

    def encode(self, texts):
        assert self.go.wait(60)
        if self.fails:
            raise EncoderFailed("The encoder is out of order.", "Use another.")
        return super().encode(texts)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.from_records(RECORDS)


def test_words_answer_while_meanings_are_learnt(catalog: Catalog, tmp_path: Path) -> None:
    encoder = SlowEncoder()
    told: list[str] = []
    index = SearchIndex(
        catalog,
        encoder,
        cache_dir=tmp_path,
        background=True,
        progress=lambda stage, fraction: told.append(stage),
    )
    done = threading.Event()
    index.on_ready(done.set)
    assert not index.ready
    assert index.progress < 1
    assert index.wait(0.01) is False
    assert index.description.endswith(
        "by words, concepts and spelling; meanings are being learnt (0 %)"
    )
    early = index.search("affluent", limit=1)[0]
    assert early.variable.measure == "Households with income of $100,000 and over"
    assert early.parts.get("meaning", 0) == 0
    assert codes_of(index.search("Q4I2", limit=1)) == ["Q4I2"]
    encoder.go.set()
    assert index.wait(60) is True
    assert done.is_set()
    assert index.ready
    assert index.progress == 1
    assert told[-1] == "Index built"
    assert "meaning by hash 64" in index.description
    plain = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path)
    assert index.search("affluent") == plain.search("affluent")
    assert index.search("affluent", limit=1)[0].parts["meaning"] > 0
    late = threading.Event()
    index.on_ready(late.set)
    assert late.is_set()


def test_what_is_stored_is_not_learnt_behind(catalog: Catalog, tmp_path: Path) -> None:
    SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path)
    index = SearchIndex(catalog, SlowEncoder(), cache_dir=tmp_path, background=True)
    assert index.ready
    assert index.progress == 1
    assert index.wait(0)


def test_learning_that_fails_is_said_and_tried_again(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = SlowEncoder()
    encoder.fails = True
    encoder.go.set()
    with caplog.at_level(logging.WARNING):
        index = SearchIndex(catalog, encoder, cache_dir=tmp_path, background=True)
        assert index.wait(60)
    assert index.ready
    assert index.description.endswith(
        "by words, concepts and spelling only; meanings could not be learnt: The encoder is out "
        "of order."
    )
    assert "out of order" in caplog.text
    assert measures_of(index.search("affluent", limit=1)) == [
        "Households with income of $100,000 and over"
    ]
    # In the foreground the same is an error, as ever.
    with pytest.raises(EncoderFailed):
        SearchIndex(catalog, encoder, cache_dir=tmp_path)
    encoder.fails = False
    assert "meaning by" in SearchIndex(catalog, encoder, cache_dir=tmp_path).description


def test_learning_can_be_cancelled_behind(catalog: Catalog, tmp_path: Path) -> None:
    def stop(stage: str, fraction: float) -> None:
        if stage == "Learning meanings":
            raise Cancelled("Stopped.")

    index = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path, background=True, progress=stop)
    assert index.wait(60)
    assert "could not be learnt: Stopped." in index.description
    assert index.search("jazz")


def test_searches_go_on_while_meanings_arrive(catalog: Catalog, tmp_path: Path) -> None:
    encoder = SlowEncoder()
    index = SearchIndex(catalog, encoder, cache_dir=tmp_path, background=True)
    failures: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                for suggestion in index.search("young renters who love jazz"):
                    assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score)
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    encoder.go.set()
    assert index.wait(60)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_a_failing_callback_does_not_keep_others_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go, told = threading.Event(), threading.Event()

    def work(tell) -> None:
        go.wait(60)

    background = Background(work)

    def fail() -> None:
        raise RuntimeError("view is gone")

    background.on_ready(fail)
    background.on_ready(told.set)
    go.set()
    assert background.wait(60)
    assert told.is_set()
    assert "view is gone" in caplog.text


# -- without an encoder --------------------------------------------------------------------------


def test_latent_directions_are_those_of_the_decomposition() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    bags = [[words[i] for i in rng.choice(30, 6, replace=False)] for _ in range(50)]
    postings = Postings.build(bags)
    arrays = latent_arrays(postings)
    dense = np.zeros((50, len(postings.idf)))
    for row in range(len(postings.idf)):
        dense[:, row] = postings.weights_of(row, np.arange(50))
    strengths = np.linalg.svd(dense, compute_uv=False)
    mine = arrays["directions"].astype(np.float64)
    assert mine.shape[1] == 15
    np.testing.assert_allclose(mine.T @ mine, np.eye(15), atol=1e-5)
    # As much lies in these directions as in the best 15 there are (Eckart & Young 1936).
    assert np.sum((dense @ mine) ** 2) >= 0.999 * np.sum(strengths[:15] ** 2)
    # Documents lie where their own words place them.
    encoder = LatentEncoder(Analyzer(), postings, arrays["directions"])
    placed = encoder.encode([" ".join(bag) for bag in bags])
    assert np.sum(placed * directions(arrays["vectors"]), axis=1).min() > 0.99


def test_latent_directions_are_the_same_every_time() -> None:
    postings = Postings.build([row["label"].lower().split() for row in RECORDS])
    one, other = latent_arrays(postings), latent_arrays(postings)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("bags", [[["cat"]], [["cat"], ["cat"]], [[], ["cat", "dog"]], [[]]])
def test_the_smallest_collections_have_directions(bags: list[list[str]]) -> None:
    postings = Postings.build(bags)
    arrays = latent_arrays(postings)
    assert arrays["vectors"].shape[0] == len(bags)
    encoder = LatentEncoder(Analyzer(), postings, arrays["directions"])
    vectors = encoder.encode(["cat", "eel"])
    assert vectors.shape == (2, arrays["vectors"].shape[1])
    assert not vectors[1].any()


def test_an_encoder_can_be_named(tmp_path: Path) -> None:
    rows = [{"code": "A", "label": "Age"}, {"code": "B", "label": "Income"}]
    index = SearchIndex(Catalog.from_records(rows), "offline", cache_dir=tmp_path)
    assert isinstance(index.encoder, OfflineEncoder)
    with pytest.raises(NotFound, match="no encoder named"):
        SearchIndex(Catalog.from_records(rows), "word2vec", cache_dir=tmp_path)


class Unanswering(HashEncoder):
    """A server that does not even say how long its vectors are."""

    name = "unanswering"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.encoded: list[str] = []

    @property
    def n_dimensions(self) -> int:
        assert self.gate.wait(60)
        return 64


def test_an_encoder_that_says_nothing_keeps_nobody_waiting(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_OPENING_S", 0.01)
    encoder = Unanswering()
    index = SearchIndex(catalog, encoder, cache_dir=tmp_path, background=True)
    assert (index.ready, index.by_meaning) == (False, False)
    assert index.search("jazz", limit=1)[0].variable.category == "Music"
    encoder.gate.set()
    assert index.wait(60)
    assert index.by_meaning
    assert index.search("jazz", limit=1)[0].parts["meaning"] > 0


def test_a_model_of_ones_own_is_first_called_in_the_background(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_OPENING_S", 0.01)
    gate = threading.Event()

    class Model:
        def encode(self, texts: list[str]) -> np.ndarray:
            assert gate.wait(60)
            return HashEncoder().encode(texts)

    index = SearchIndex(catalog, Model(), cache_dir=tmp_path, background=True)
    assert index.search("jazz", limit=1)[0].variable.category == "Music"
    gate.set()
    assert index.wait(60)
    assert index.by_meaning


class Moody(HashEncoder):
    """Fails on queries while it is told to."""

    error: Exception | None = None
    wrong: np.ndarray | None = None
    n_asked = 0

    def encode(self, texts: list[str]) -> np.ndarray:
        self.n_asked += 1
        if self.error is not None:
            raise self.error
        return super().encode(texts) if self.wrong is None else self.wrong


@pytest.mark.parametrize(
    ("error", "wrong", "told"),
    [
        (EncoderFailed("The server answered 401.", "Check the key."), None, "answered 401"),
        (ConnectionRefusedError("sent: secret"), None, "ConnectionRefusedError"),
        (RuntimeError("sent: secret"), None, "RuntimeError"),
        (None, np.ones((1, 7), np.float32), "finite vectors of 64 dimensions"),
        (None, np.full((1, 64), np.nan, np.float32), "finite vectors of 64 dimensions"),
    ],
)
def test_whatever_an_encoder_does_a_query_is_answered(
    catalog: Catalog,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    error: Exception | None,
    wrong: np.ndarray | None,
    told: str,
) -> None:
    encoder = Moody()
    index = SearchIndex(catalog, encoder, cache_dir=tmp_path)
    encoder.error, encoder.wrong = error, wrong
    found = index.search("jazz", limit=1)[0]
    assert found.variable.category == "Music"
    assert "meaning" not in found.parts
    assert "meaning" not in found.why
    assert not index.by_meaning
    assert index.failure is not None
    assert told in index.description
    assert "secret" not in index.description + caplog.text
    encoder.error = encoder.wrong = None
    assert index.search("jazz", limit=1)[0].parts["meaning"] > 0
    assert index.by_meaning


def test_an_encoder_that_made_a_query_wait_in_vain_is_left_alone_for_a_while(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    encoder = Moody()
    index = SearchIndex(catalog, encoder, cache_dir=tmp_path)
    monkeypatch.setattr(ranking.time, "monotonic", lambda: now[0])

    def fail(texts: list[str]) -> np.ndarray:
        now[0] += 10
        encoder.n_asked += 1
        raise EncoderFailed("No answer.", "Wait.")

    monkeypatch.setattr(encoder, "encode", fail)
    n_before = encoder.n_asked
    index.search("jazz")
    assert encoder.n_asked == n_before + 1
    now[0] += 99
    index.search("blues")
    assert encoder.n_asked == n_before + 1
    assert not index.by_meaning
    now[0] += 2
    index.search("rock")
    assert encoder.n_asked == n_before + 2


def test_a_full_disk_is_said_and_search_goes_on(
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("audience_nb.search.cache.os.fsync", full)
    with caplog.at_level(logging.WARNING):
        index = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path)
    assert "in memory only: [Errno 28] No space left on device" in caplog.text
    assert index.search("jazz", limit=1)[0].variable.category == "Music"
    assert files_of(tmp_path) == []
