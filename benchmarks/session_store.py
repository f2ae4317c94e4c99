"""Would Redis be a better place for sessions? Each store reads and writes the same real session.

    apt-get install redis-server postgresql
    python benchmarks/session_store.py

"look" is what every request does first: is the session still as this server knows it? "take over"
reads all of it, as a server does once. "keep" writes it. The history also keeps the workflow, its
segments and the audience with it, or none of them; Redis the decisions alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import postgres_server
import redis

from audience_nb.history import History
from audience_nb.session import Session


@contextmanager
def redis_server(fsync: str) -> Iterator[redis.Redis]:
    """Run a Redis of our own that writes each change to its file, and to disk as said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        command += ["--appendonly", "yes", "--appendfsync", fsync, "--save", ""]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis(port=port)
        try:
            for _ in range(200):
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
            yield client
        finally:
            server.terminate()
            server.wait()


def timed(name: str, what: str, times: int, do: Callable[[], object]) -> None:
    """Print the median and the 99th percentile in milliseconds."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        do()
        took.append(1000 * (time.perf_counter() - begun))
    middle, late = np.quantile(took, [0.5, 0.99])
    print(f"{name:28} {what:10} median {middle:7.2f} ms, p99 {late:7.2f} ms", flush=True)


def in_history(name: str, url: str | Path, session: Session, times: int) -> None:
    """Time the history."""
    history = History(url)
    kept = history.keep(session, "ann")
    timed(name, "look", times, lambda: history.version(kept.session_id))
    timed(name, "take over", times, lambda: history.session(kept.session_id, "ann"))

    def keep() -> None:
        nonlocal kept
        kept = history.keep(session, "ann", known=kept)

    timed(name, "keep", times, keep)
    # What making the decisions themselves costs, wherever they go.
    timed(name, "(decisions)", times, lambda: (session.to_json(), session.snapshot().to_dict()))
    history.close()


def main() -> int:
    """Time each store, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=500)
    given = parser.parse_args()
    session = Session()
    session.ask("environmentally conscious millennials with high income")
    session.confirm(top=5)
    session.segment(n_segments=12)
    decisions = json.dumps(session.to_json())
    print(f"{len(decisions):,} bytes of decisions; load of the machine {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        in_history("SQLite", Path(folder) / "history.sqlite3", session, given.times)
    with postgres_server.running(durable=True) as url:
        in_history("PostgreSQL", url, session, given.times)
    if shutil.which("redis-server") is None:
        print("There is no redis-server: apt-get install redis-server")
        return 1
    for fsync in ("everysec", "always"):
        with redis_server(fsync) as client:
            name = f"Redis, fsync {fsync}"
            client.hset("s", mapping={"version": 1, "decisions": decisions})
            timed(name, "look", given.times, lambda c=client: c.hget("s", "version"))
            take = lambda c=client: json.loads(c.hget("s", "decisions"))  # noqa: E731
            timed(name, "take over", given.times, take)
            timed(
                name,
                "keep",
                given.times,
                lambda c=client: c.hset(
                    "s", mapping={"version": 2, "decisions": json.dumps(session.to_json())}
                ),
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
