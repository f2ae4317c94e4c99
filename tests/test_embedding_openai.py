"""The OpenAI encoder over real HTTP: a server of our own checks requests and serves faults."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from embedding_server import KEY, PARTIAL, SILENT, VAIN, WHOLE, EmbeddingServer, true_vector, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.catalog import Catalog
from audience_nb.embedding import OpenAIEncoder, VectorCache
from audience_nb.embedding.batches import batches
from audience_nb.embedding.cost import approximate_tokens
from audience_nb.embedding.replies import UnusableReply, read_reply
from audience_nb.embedding.retries import Failure, Patience, failure_of, retry_after
from audience_nb.errors import Cancelled, EncoderFailed, InvalidInput
from audience_nb.search import SearchIndex

LENGTH = 8
TEXTS = ["cat", "dog", "eel", "fox", "gnu"]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    running = EmbeddingServer(LENGTH)
    yield running
    running.close()
    assert running.wrong == []


def encoder_for(server: EmbeddingServer, **options) -> OpenAIEncoder:
    chosen = {
        "dimensions": LENGTH,
        "api_key": KEY,
        "base_url": server.url,
        "timeout": 5,
        "longest_wait": 0.01,
        **options,
    }
    return OpenAIEncoder(**chosen)


def test_request_body_header_and_order(server: EmbeddingServer) -> None:
    texts = ["cat", "dog", "cat", "chien"]
    vectors = encoder_for(server).encode(texts)
    np.testing.assert_allclose(vectors, unit(texts, LENGTH), atol=1e-6)
    assert vectors.dtype == np.float32
    assert server.requests == [
        {
            "path": "/v1/embeddings",
            "model": "text-embedding-3-small",
            "input": ["cat", "dog", "chien"],
            "dimensions": LENGTH,
            "encoding_format": "float",
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_batches_are_of_128_and_four_at_once_at_most(server: EmbeddingServer) -> None:
    texts = [f"text {i}" for i in range(1000)]
    encoder = encoder_for(server)
    np.testing.assert_allclose(encoder.encode(texts), unit(texts, LENGTH), atol=1e-6)
    assert sorted(len(r["input"]) for r in server.requests) == [104] + [128] * 7
    assert 1 <= server.most_at_once <= 4
    assert encoder.usage.n_texts == 1000 == encoder.usage.n_tokens
    assert encoder.usage.n_requests == 8


@pytest.mark.parametrize("fault", WHOLE)
def test_a_whole_reply_is_read_as_it_comes(server: EmbeddingServer, fault: str) -> None:
    server.faults = [fault]
    vectors = encoder_for(server).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [f for f in VAIN if f != "429 far"] + ["reset", "half"])
def test_after_a_fault_the_batch_is_asked_for_again(server: EmbeddingServer, fault: str) -> None:
    server.faults = [fault, fault]
    encoder = encoder_for(server)
    vectors = encoder.encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert [r["input"] for r in server.requests] == [TEXTS] * 3
    assert set(server.paid.values()) == {1}
    assert encoder.usage.n_failed == 2


@pytest.mark.parametrize(
    ("fault", "again"),
    [("short", ["fox", "gnu"]), ("gaps", ["cat", "fox"]), ("nan", ["cat"])],
)
def test_of_a_partial_reply_only_the_rest_is_asked_for(
    server: EmbeddingServer, fault: str, again: list[str]
) -> None:
    server.faults = [fault]
    vectors = encoder_for(server).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert [r["input"] for r in server.requests] == [TEXTS, again]
    assert server.paid == dict.fromkeys(TEXTS, 1)


def test_rows_numbered_anew_are_not_taken_for_other_texts(server: EmbeddingServer) -> None:
    server.faults = ["renumbered", ""]
    vectors = encoder_for(server).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    # The second reply gave "gnu" the vector that the first had numbered as that of "fox".
    assert [r["input"] for r in server.requests] == [TEXTS, ["gnu"], TEXTS]


def test_a_server_that_always_leaves_texts_out_is_given_up(server: EmbeddingServer) -> None:
    server.schedule = lambda n, texts: "renumbered"
    with pytest.raises(EncoderFailed, match="leaves texts out of a batch of 5") as caught:
        encoder_for(server).encode(TEXTS)
    assert "batch_size=1" in caught.value.next_move


def test_a_hang_ends_at_the_timeout(server: EmbeddingServer) -> None:
    server.faults = ["hang"]
    vectors = encoder_for(server, timeout=0.5).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert len(server.requests) == 2


def test_a_dripping_reply_ends_at_the_timeout(server: EmbeddingServer) -> None:
    # Each byte comes well within the timeout of a read; the whole would take a minute.
    server.faults = ["drip"]
    vectors = encoder_for(server, timeout=1).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert len(server.requests) == 2


def test_an_absurd_wait_is_cut_and_said(
    server: EmbeddingServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults = ["429 far"]
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "audience_nb"):
        vectors = encoder_for(server, longest_wait=0.2).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert 0.2 <= time.monotonic() - began < 60
    assert "asks to wait 120 s; trying again in 0.2 s" in caplog.text


def test_the_deadline_holds_for_all_attempts(server: EmbeddingServer) -> None:
    server.schedule = lambda n, texts: "429 far"
    with pytest.raises(EncoderFailed, match=r"asks to wait 120 s with \d s left"):
        encoder_for(server, longest_wait=60, deadline=5).encode(TEXTS)
    assert len(server.requests) == 1


def test_the_deadline_ends_a_silent_server(server: EmbeddingServer) -> None:
    server.schedule = lambda n, texts: "hang"
    with pytest.raises(EncoderFailed, match="0 of 5 texts, then failed: 1 seconds were over"):
        encoder_for(server, timeout=2, deadline=1).encode(TEXTS)


@pytest.mark.parametrize(
    ("status", "move"), [("401", "API key"), ("404", "base_url"), ("400", "dimensions")]
)
def test_a_refusal_is_not_asked_again(server: EmbeddingServer, status: str, move: str) -> None:
    server.faults = [status]
    with pytest.raises(EncoderFailed, match=rf"answered {status} \(some_code\)") as caught:
        encoder_for(server).encode(["cat"])
    assert move in caught.value.next_move
    assert len(server.requests) == 1


def test_a_used_up_budget_is_no_passing_429(server: EmbeddingServer) -> None:
    server.faults = ["429 insufficient_quota"]
    with pytest.raises(EncoderFailed, match=r"insufficient_quota.*budget"):
        encoder_for(server).encode(["cat"])
    assert len(server.requests) == 1


def test_patience_ends(server: EmbeddingServer) -> None:
    server.schedule = lambda n, texts: "500"
    with pytest.raises(EncoderFailed, match="0 of 2 texts, then failed: the server answered 500"):
        encoder_for(server, max_retries=3).encode(["cat", "dog"])
    assert len(server.requests) == 4


def test_no_server_at_all(server: EmbeddingServer) -> None:
    gone = EmbeddingServer()
    gone.close()
    with pytest.raises(EncoderFailed, match="no whole answer came"):
        encoder_for(gone, max_retries=1).encode(["cat"])


def test_what_came_before_a_failure_is_kept(server: EmbeddingServer) -> None:
    texts = [f"text {i}" for i in range(300)]
    server.faults = ["", "", "401"]
    with pytest.raises(EncoderFailed):
        encoder_for(server, concurrency=1).encode(texts)
    # A new object, as after a crash: only the batch that failed is asked for.
    resumed = encoder_for(server).encode(texts)
    np.testing.assert_allclose(resumed, unit(texts, LENGTH), atol=1e-6)
    assert server.paid == dict.fromkeys(texts, 1)
    again = encoder_for(server).encode(texts)
    np.testing.assert_array_equal(again, resumed)
    assert len(server.requests) == 4


def test_other_models_lengths_and_servers_share_no_vectors(server: EmbeddingServer) -> None:
    other = EmbeddingServer(LENGTH)
    encoder_for(server).encode(["cat"])
    encoder_for(server, model="another").encode(["cat"])
    encoder_for(server, dimensions=4).encode(["cat"])
    encoder_for(other).encode(["cat"])
    other.close()
    ours = "text-embedding-3-small"
    assert [r["model"] for r in server.requests] == [ours, "another", ours]
    assert len(other.requests) == 1


def test_progress_is_told_and_may_cancel(server: EmbeddingServer) -> None:
    texts = [f"text {i}" for i in range(1000)]
    server.schedule = lambda n, batch: "" if n <= 5 else "hang"
    told: list[float] = []

    def stop_early(stage: str, fraction: float) -> None:
        told.append(fraction)
        assert "of 1,000 texts" in stage
        if fraction >= 0.25:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        encoder_for(server, progress=stop_early, timeout=1).encode(texts)
    assert told == [0.128, 0.256]
    assert 256 <= len(server.paid) <= 640
    server.schedule = lambda n, batch: ""
    # What was under way when it stopped is stored too.
    vectors = encoder_for(server).encode(texts)
    np.testing.assert_allclose(vectors, unit(texts, LENGTH), atol=1e-6)
    assert server.paid == dict.fromkeys(texts, 1)


def test_a_server_with_a_model_of_its_own_is_asked_for_its_length() -> None:
    server = EmbeddingServer(12, key=None)
    options = {"dimensions": None, "api_key": None, "model": "own"}
    encoder = encoder_for(server, **options)
    assert encoder.n_dimensions == 12
    np.testing.assert_allclose(encoder.encode(TEXTS), unit(TEXTS, 12), atol=1e-6)
    assert [len(r["input"]) for r in server.requests] == [1, 5]
    assert all("dimensions" not in r for r in server.requests)
    assert all("authorization" not in h for h in server.headers)
    # The length is remembered: another session asks for nothing.
    assert encoder_for(server, **options).n_dimensions == 12
    assert len(server.requests) == 2
    server.close()
    assert server.wrong == []


def test_a_server_that_ignores_dimensions() -> None:
    server = EmbeddingServer(12, obeys_dimensions=False)
    with pytest.raises(EncoderFailed, match="vectors of 12 numbers, whatever") as caught:
        encoder_for(server).encode(TEXTS)
    assert "dimensions=12" in caught.value.next_move
    assert len(server.requests) == 3
    cut = encoder_for(server, shorten=True).encode(TEXTS)
    np.testing.assert_allclose(cut, unit(TEXTS, LENGTH), atol=1e-6)
    whole = encoder_for(server, dimensions=12).encode(TEXTS)
    np.testing.assert_allclose(whole, unit(TEXTS, 12), atol=1e-6)
    server.close()


def test_texts_that_json_or_the_server_could_not_take(server: EmbeddingServer) -> None:
    texts = ["\ud83d half an emoji", "nul \0 inside", "x" * 20_000, "été " * 4_000]
    vectors = encoder_for(server).encode(texts)
    read = ["? half an emoji", "nul   inside", "x" * 8_000]
    np.testing.assert_allclose(vectors[:3], unit(read, LENGTH), atol=1e-6)
    assert np.isfinite(vectors).all()


def test_long_texts_make_small_batches(server: EmbeddingServer) -> None:
    texts = [f"{i} ".ljust(7_000, "x") for i in range(100)]
    vectors = encoder_for(server).encode(texts)
    np.testing.assert_allclose(vectors, unit(texts, LENGTH), atol=1e-6)
    assert sorted(len(r["input"]) for r in server.requests) == [30, 35, 35]


def test_two_threads_at_once(server: EmbeddingServer) -> None:
    encoder = encoder_for(server)
    parts = [[f"{i} {j}" for j in range(200)] for i in range(4)]
    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: encoder.encode(parts[i])}))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, texts in enumerate(parts):
        np.testing.assert_allclose(found[i], unit(texts, LENGTH), atol=1e-6)


# -- the key -----------------------------------------------------------------------------------


def test_the_key_shows_nowhere(
    server: EmbeddingServer, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = encoder_for(server, max_retries=1)
    server.faults = ["500", "reset", "401", ""]
    errors = []
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            with pytest.raises(EncoderFailed) as caught:
                encoder.encode(["cat"])
            errors.append(caught.value)
        encoder.encode(["cat"])
    assert all(e.__cause__ is None and e.__context__ is None for e in errors)
    shown = [repr(encoder), str(encoder), str(vars(encoder)), *map(repr, errors), caplog.text]
    stored = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert len(stored) > 1000
    assert KEY not in "".join(shown)
    assert KEY.encode() not in stored
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a key"):
            leak(encoder)


def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="no OpenAI API key"):
        OpenAIEncoder()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert OpenAIEncoder().n_dimensions == 1536
    large = OpenAIEncoder("text-embedding-3-large", dimensions=256)
    assert large.name == "openai text-embedding-3-large 256"


def test_the_environments_key_is_not_sent_in_the_clear(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    encoder_for(server, api_key=None).encode(["cat"])
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    sent = [
        OpenAIEncoder(base_url=url)._api_key()
        for url in ("http://models.example.com/v1", "https://models.example.com/v1")
    ]
    assert sent == ["", KEY]


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"api_key": "sk-two words"}, "characters that no key"),
        ({"api_key": f"{KEY}\r\nX: y"}, "characters that no key"),
        ({"base_url": "models.example.com"}, "no http address"),
        ({"base_url": "file:///somewhere"}, "no http address"),
        ({"base_url": "http://me:secret@example.com/v1"}, "user or password"),
        ({"dimensions": 0}, "dimensions is 0"),
        ({"batch_size": 5000}, "batch_size is 5000"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"timeout": 0}, "timeout is 0"),
        ({"deadline": -1}, "deadline is -1"),
        ({"longest_wait": float("nan")}, "longest_wait is nan"),
        ({"max_retries": -1}, "max_retries is -1"),
    ],
)
def test_options_that_cannot_be_used(options: dict, fact: str) -> None:
    with pytest.raises(InvalidInput, match=fact) as caught:
        OpenAIEncoder(**{"api_key": KEY, **options})
    assert "secret" not in str(caught.value)
    assert KEY not in str(caught.value)


# -- cost --------------------------------------------------------------------------------------


def test_the_estimate_counts_what_is_not_stored(server: EmbeddingServer) -> None:
    encoder = encoder_for(server)
    encoder.encode(["cat", "dog"])
    estimate = encoder.estimate(["cat", "dog", "eel", "eel", "fox"], price=0.5)
    assert (estimate.n_texts, estimate.n_stored, estimate.n_requests) == (4, 2, 1)
    assert estimate.n_tokens == approximate_tokens(["eel", "fox"]) == 4
    assert estimate.dollars == pytest.approx(4 * 0.5 / 1e6)
    assert str(estimate).startswith("2 of 4 texts to send, in 1 requests: about 4 tokens")
    assert encoder.estimate(["eel"]).dollars is None
    assert len(server.requests) == 1


def test_the_estimate_for_openais_own_models() -> None:
    texts = [f"household with {i} children" for i in range(1000)]
    estimate = OpenAIEncoder(api_key=KEY).estimate(texts)
    assert estimate.n_requests == 8
    assert estimate.dollars == pytest.approx(estimate.n_tokens * 0.02 / 1e6)
    assert estimate.n_tokens == sum(7 if len(t) > 24 else 6 for t in texts)


# -- the parts ---------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.integers(1, 5))
def test_no_body_does_more_than_be_unusable(body: bytes, n_texts: int) -> None:
    with pytest.raises(UnusableReply):
        read_reply(body, n_texts, 2)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        "x",
        [1],
        [None],
        [{"index": True, "embedding": [1.0, 0.0]}],
        [{"index": 0.0, "embedding": [1.0, 0.0]}],
        [{"index": -1, "embedding": [1.0, 0.0]}],
        [{"index": 2, "embedding": [1.0, 0.0]}],
        [{"index": 0, "embedding": [[1.0], [0.0]]}],
        [{"index": 0, "embedding": ["a", "b"]}],
        [{"index": 0, "embedding": [0.0, 0.0]}],
        [{"index": 0, "embedding": [1e999, 0.0]}],
        [{"index": 0, "embedding": [10**400, 0.0]}],
        [{"index": 0, "embedding": "no base64"}],
        [{"index": 0, "embedding": "AAAA"}],
        [{"index": 0}],
        [{"embedding": [1.0, 0.0]}],
        [{"index": i, "embedding": [1.0, 0.0]} for i in range(3)],
    ],
)
def test_rows_that_cannot_be_used(data: object) -> None:
    with pytest.raises(UnusableReply):
        read_reply(json.dumps({"data": data}).encode(), 2, 2)


def test_deeply_nested_json_is_no_crash() -> None:
    with pytest.raises(UnusableReply):
        read_reply(b'{"data": ' + b"[" * 200_000, 2, 2)


@given(st.permutations(range(6)), st.integers(1, 6))
@settings(deadline=None)
def test_rows_are_matched_by_number_in_any_order(order: list[int], n_rows: int) -> None:
    rows = [{"index": i, "embedding": true_vector(str(i), 4).tolist()} for i in order[:n_rows]]
    reply = read_reply(json.dumps({"data": rows}).encode(), 6, 4)
    expected = unit([str(i) for i in range(6)], 4)
    assert set(reply.vectors) == set(order[:n_rows])
    for i, vector in reply.vectors.items():
        np.testing.assert_allclose(vector, expected[i], atol=1e-6)
    assert bool(reply.flaw) == (n_rows < 6)
    # Only a row that is missing amid the others shows that the numbers are those of the texts.
    assert reply.renumbered == (n_rows < 6 and max(order[:n_rows]) == n_rows - 1)


@given(st.lists(st.text(min_size=1, max_size=20), max_size=30), st.integers(1, 9))
def test_batches_keep_every_text_in_order(texts: list[str], size: int) -> None:
    texts = [t.encode("utf-8", "replace").decode() for t in texts]
    cut = list(batches(texts, size, max_bytes=40))
    assert [t for batch in cut for t in batch] == texts
    assert all(1 <= len(batch) <= size for batch in cut)
    assert all(len(b) == 1 or sum(len(t.encode()) for t in b) <= 40 for b in cut)


def test_how_long_to_wait() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "-7"}) == 0
    assert retry_after({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}) == 0
    assert np.isnan(retry_after({"retry-after": "soon"}))
    assert np.isnan(retry_after({"retry-after": "nan"}))
    assert np.isnan(retry_after({}))
    patient = Patience(longest_wait=60)
    assert patient.wait(Failure("", asked_wait=1e9), 0) == 60
    assert patient.wait(Failure("", asked_wait=float("inf")), 0) == 60
    for attempt in (0, 3, 5000):
        assert 0 <= patient.wait(Failure(""), attempt) <= min(60, 0.5 * 2.0 ** min(attempt, 9))


def test_a_failure_names_no_body_or_header() -> None:
    refused = RuntimeError(KEY)
    refused.status_code = 400
    refused.body = {"error": {"code": f"bad {KEY}", "message": KEY}}
    failure = failure_of(refused)
    assert KEY not in repr(failure)
    assert failure.reason == "the server answered 400"
    assert not failure.passing


# -- the cache ---------------------------------------------------------------------------------


def test_a_damaged_vector_cache_is_begun_anew(tmp_path) -> None:
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    cache = VectorCache(path)
    cache.put("model", ["cat"], np.ones((1, 3), np.float32))
    assert list(cache.get("model", ["cat", "dog"], 3)) == ["cat"]
    assert list(cache.get("model", ["cat", "dog"], None)) == ["cat"]
    assert cache.get("model", ["cat"], 4) == {}
    assert path.with_suffix(".damaged").is_file()


def test_a_bit_that_flipped_on_disk_is_no_answer(server: EmbeddingServer, tmp_path) -> None:
    encoder_for(server, cache_dir=tmp_path).encode(TEXTS)
    with sqlite3.connect(tmp_path / "vectors.sqlite") as connection:
        rows = connection.execute("SELECT key, vector FROM vectors").fetchall()
        assert len(rows) == 5
        key, vector = rows[0]
        flipped = bytes([vector[0] ^ 1]) + vector[1:]
        connection.execute("UPDATE vectors SET vector = ? WHERE key = ?", (flipped, key))
    connection.close()
    vectors = encoder_for(server, cache_dir=tmp_path).encode(TEXTS)
    np.testing.assert_allclose(vectors, unit(TEXTS, LENGTH), atol=1e-6)
    assert sorted(server.paid.values()) == [1, 1, 1, 1, 2]


def test_a_cache_that_cannot_be_made_is_a_warning(
    server: EmbeddingServer, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    encoder = encoder_for(server, cache_dir=blocked)
    np.testing.assert_allclose(encoder.encode(TEXTS), unit(TEXTS, LENGTH), atol=1e-6)
    assert "kept in memory only" in caplog.text


def test_every_fault_of_the_server_is_tried() -> None:
    tried = {*WHOLE, *PARTIAL, *VAIN, *SILENT}
    assert {"429", "500", "503", "hang", "short", "reordered", "repeated", "cut", "html"} <= tried
    assert {"empty", "long", "nan", "reset", "429 far"} <= tried


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (["401"], "the server answered 401"),
        (["429 far"] * 9, "the server answered 429"),
        (["500"] * 9, "the server answered 500"),
        (["hang"] * 9, "no answer in time"),
        (["cut"] * 9, "the server answered"),
    ],
)
def test_a_query_that_the_server_fails_is_answered_by_words(
    server: EmbeddingServer, tmp_path: Path, faults: list[str], told: str
) -> None:
    rows = [{"code": text.upper(), "label": text} for text in TEXTS]
    encoder = encoder_for(server)
    index = SearchIndex(Catalog.from_records(rows), encoder, cache_dir=tmp_path)
    assert index.by_meaning
    encoder.patience = Patience(timeout=0.2, max_retries=3, longest_wait=0.01, deadline=30)
    # Another client, with the shorter timeout.
    encoder.__dict__.pop("_client").close()
    server.faults += faults
    found = index.search("a dog")
    assert (found[0].variable.code, index.by_meaning) == ("DOG", False)
    assert "meaning" not in found[0].parts
    assert "the last question went without meaning" in index.description
    assert told in index.description
    assert KEY not in index.description
    # Once it answers again, so does meaning.
    server.faults.clear()
    index._searcher._ranker._asked_again_at = 0.0
    found = index.search("some eel")
    assert index.by_meaning
    assert "meaning" in found[0].parts
    assert "without meaning" not in index.description


def test_without_a_network_a_query_is_answered_by_words(tmp_path: Path) -> None:
    rows = [{"code": text.upper(), "label": text} for text in TEXTS]
    server = EmbeddingServer(LENGTH)
    encoder = encoder_for(server)
    index = SearchIndex(Catalog.from_records(rows), encoder, cache_dir=tmp_path)
    server.close()
    # The connection that is still open, too.
    encoder.__dict__.pop("_client").close()
    encoder.patience = Patience(max_retries=3, longest_wait=0.01)
    assert index.search("a dog")[0].variable.code == "DOG"
    assert not index.by_meaning
    assert "no whole answer came (APIConnectionError)" in index.description
