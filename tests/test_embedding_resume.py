"""48,333 texts from a server that fails, by a process that is killed: each comes, each once.

A text is *paid for* when a reply that was sent to its last byte holds its vector. Billed in vain,
beyond any client's power, are replies whose vectors cannot be used or never arrive.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from embedding_server import KEY, EmbeddingServer, unit

from audience_nb import Catalog
from audience_nb.embedding import OpenAIEncoder

LENGTH = 16
BATCH, CONCURRENCY = 128, 4
OPTIONS = {"dimensions": LENGTH, "timeout": 3, "longest_wait": 0.02, "max_retries": 25}

# Of a hundred requests; with the last line, of which no reply is a fault, a hundred.
FAULTS = {
    "429": 6.0,
    "429 far": 2.0,
    "500": 4.0,
    "503": 3.0,
    "hang": 0.8,
    "reset": 3.0,
    "half": 1.2,
    "short": 5.0,
    "gaps": 2.0,
    "nan": 2.0,
    "repeated": 2.0,
    "cut": 3.0,
    "html": 2.0,
    "empty": 2.0,
    "long": 2.0,
    **{"reordered": 6.0, "base64": 2.0, "": 52.0},
}

CHILD = """
import json, sys
from audience_nb import Catalog
from audience_nb.embedding import OpenAIEncoder
n_texts, options = int(sys.argv[1]), json.loads(sys.argv[2])
print("ready", flush=True)
OpenAIEncoder(**options).encode(Catalog.demo().column("label")[:n_texts])
"""


class Schedule:
    """Faults drawn from a seed, the batch and how often it was asked for: no thread matters."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.asked: Counter[str] = Counter()

    def __call__(self, number: int, texts: list[str]) -> str:
        self.asked[texts[0]] += 1
        drawn = hashlib.sha256(f"{self.seed} {self.asked[texts[0]]} {texts[0]}".encode()).digest()
        rest = int.from_bytes(drawn[:8], "big") / 2**64 * 100
        for fault, share in FAULTS.items():
            rest -= share
            if rest < 0:
                return fault
        return ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = EmbeddingServer(LENGTH, schedule=Schedule(seed=0))
    yield running
    running.close()
    assert running.wrong == []
    assert running.most_at_once <= CONCURRENCY


def options_for(server: EmbeddingServer, folder: Path) -> dict:
    return {**OPTIONS, "api_key": KEY, "base_url": server.url, "cache_dir": str(folder)}


def start(server: EmbeddingServer, folder: Path, n_texts: int) -> subprocess.Popen[bytes]:
    # The child's key comes with its options, as from a person who typed it.
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(n_texts), json.dumps(options_for(server, folder))],
        stdout=subprocess.PIPE,
        env=os.environ.copy(),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def until(condition, child: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 120
    while not condition():
        assert child.poll() is None, "the child ended before it could be killed"
        assert time.monotonic() < ends, "the child stands still"
        time.sleep(0.01)


def quiet(server: EmbeddingServer) -> bool:
    """Whether all that is under way is held, and nothing else came for a while."""
    before = len(server.requests)
    time.sleep(0.3)
    return server._now == 0 and len(server.requests) == before


def stored(folder: Path) -> int:
    with sqlite3.connect(folder / "vectors.sqlite") as connection:
        count = connection.execute("SELECT COUNT(*) FROM vectors").fetchone()[0]
    connection.close()
    return count


def kill(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()


def test_all_48333_come_out_exact_and_none_is_paid_for_twice(
    server: EmbeddingServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = Catalog.demo().column("label")
    assert len(texts) == len(set(texts)) == 48_333
    assert sum(s for f, s in FAULTS.items() if f not in ("", "reordered", "base64")) == 40
    began = time.monotonic()
    child = start(server, tmp_path, len(texts))
    until(lambda: len(server.paid) > 20_000, child)
    # The machine is about to die: four requests stay without an answer, and what was answered
    # before is stored.
    server.holding.set()
    until(lambda: quiet(server) and server.paid.total() == stored(tmp_path), child)
    kill(child)
    server.holding.clear()
    before, asked_before = server.paid.copy(), len(server.requests)
    assert 20_000 < len(before) < 30_000

    encoder = OpenAIEncoder(**options_for(server, tmp_path))
    assert encoder.estimate(texts).n_stored == len(before)
    vectors = encoder.encode(texts)
    seconds = time.monotonic() - began
    np.testing.assert_allclose(vectors, unit(texts, LENGTH), atol=1e-6)
    assert server.paid == dict.fromkeys(texts, 1)
    after = [text for request in server.requests[asked_before:] for text in request["input"]]
    assert not set(after) & set(before)
    n_faults = sum(n for f, n in server.served.items() if f not in ("", "reordered", "base64"))
    share = n_faults / len(server.requests)
    assert 0.3 < share < 0.5
    assert set(server.served) == set(FAULTS)
    # Stored for good: nothing is sent any more.
    asked = len(server.requests)
    np.testing.assert_array_equal(
        OpenAIEncoder(**options_for(server, tmp_path)).encode(texts), vectors
    )
    assert len(server.requests) == asked
    with capsys.disabled():
        print(
            f"\n48,333 texts: {asked} requests for 378 batches, {n_faults} faults ({share:.0%}), "
            f"killed at {len(before):,}, {server.paid.total():,} paid, {seconds:.1f} s"
        )


def test_a_kill_at_any_moment_costs_a_batch_for_each_request_under_way(
    server: EmbeddingServer, tmp_path: Path
) -> None:
    texts = Catalog.demo().column("label")[:6_000]
    child = start(server, tmp_path, len(texts))
    until(lambda: len(server.paid) > 2_000, child)
    kill(child)
    # Replies on their way to the dead process end in the void.
    ends = time.monotonic() + 10
    while server._now and time.monotonic() < ends:
        time.sleep(0.01)
    answered, kept = len(server.paid), stored(tmp_path)
    assert server.paid.total() == answered
    assert 0 <= answered - kept <= BATCH * CONCURRENCY

    vectors = OpenAIEncoder(**options_for(server, tmp_path)).encode(texts)
    np.testing.assert_allclose(vectors, unit(texts, LENGTH), atol=1e-6)
    twice = [text for text, n in server.paid.items() if n > 1]
    assert len(twice) == answered - kept
    assert set(server.paid) == set(texts)
    assert server.paid.total() == len(texts) + len(twice)
