"""Kill writers at any moment: is an acknowledged write ever lost, torn or corrupt?

    python benchmarks/history_crash.py --kills 1000 --writers 8
    python benchmarks/history_crash.py --engine postgresql --kills 200
    python benchmarks/history_crash.py --control            # must fail: no safe journal

Each writer keeps a session with segments again and again, and says so on its standard output once
the history has returned: that is the acknowledgement. It is then killed with SIGKILL at a random
moment. What was acknowledged must be there, each workflow with all of its segments.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pandas as pd
from sqlalchemy import event, select, text

from audience_nb.errors import AudienceError
from audience_nb.history import History, opening
from audience_nb.history.tables import SessionRow
from audience_nb.session import Session


def write(url: str, session: Session, heard: Path) -> None:
    """Keep a session for ever, and say so each time the history returned."""
    history = History(url)
    # As on a slow disk: so that kills meet transactions half done, in the control and without it.
    event.listen(history.database.engine, "after_cursor_execute", lambda *_: time.sleep(0.003))
    known = None
    with heard.open("w") as file:
        for n in itertools.count():
            known = None if n % 20 == 0 else known
            session.pick([n % 12 + 1], name=f"audience {n}")
            session.forget_past()
            del session.messages[:]
            known = history.keep(session, "ann", known=known)
            line = (known.session_id, known.version, known.workflow_id, known.audience_id)
            print(*line, file=file, flush=True)


def _without_a_journal(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    # Pages go to the file while a transaction is under way, and nothing can take them back.
    for setting in ("busy_timeout=30000", "journal_mode=OFF", "synchronous=OFF", "cache_size=1"):
        connection.execute(f"PRAGMA {setting}")


def attacked(url: str, kills: int, writers: int, chance: random.Random) -> list[list[str]]:
    """Run writers, kill each of them, and give what they acknowledged."""
    session = Session(pd.DataFrame({"age": range(20, 80)}))
    session.confirm(["age"])
    session.segment(n_segments=12)
    acknowledged: list[list[str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        under_way: list[tuple[int, Path, float]] = []
        started = 0
        while started < kills or under_way:
            while started < kills and len(under_way) < writers:
                heard = folder / f"{started}.txt"
                heard.touch()
                child = os.fork()
                if child == 0:
                    try:
                        write(url, session, heard)
                    finally:
                        os._exit(1)
                under_way.append((child, heard, 0.0))
                started += 1
            time.sleep(0.002)
            still = []
            for child, heard, end in under_way:
                if end == 0.0 and heard.stat().st_size:
                    # It writes; from here on the end may come at any moment.
                    end = time.monotonic() + chance.expovariate(5)
                ended = os.waitpid(child, os.WNOHANG)[0] != 0
                if not ended and (end == 0.0 or time.monotonic() < end):
                    still.append((child, heard, end))
                    continue
                if not ended:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                # Of the last line a half may have been heard.
                acknowledged += [line.split() for line in heard.read_text().split("\n")[:-1]]
            under_way = still
    return acknowledged


def judged(url: str, acknowledged: list[list[str]]) -> dict[str, int]:
    """Count what was lost, half written or corrupt."""
    if not url.startswith("postgresql"):
        found = sqlite3.connect(url).execute("PRAGMA integrity_check").fetchall()
        corrupt = 0 if found == [("ok",)] else len(found)
    else:
        corrupt = 0
    history = History(url)
    last: dict[str, int] = {}
    for session_id, version, _, _ in acknowledged:
        last[session_id] = max(last.get(session_id, 0), int(version))
    lost = sum((history.version(s) or 0) < v for s, v in last.items())
    with history.database.reading() as transaction:
        there = {str(a) for a in transaction.scalars(text("SELECT audience_id FROM audiences"))}
        there = {a.replace("-", "") for a in there}
        torn = transaction.scalar(
            text(
                "SELECT count(*) FROM workflow_history w WHERE num_segments <> (SELECT count(*) "
                "FROM audience_segments s WHERE s.workflow_id = w.workflow_id)"
            )
        )
    lost += sum(a.replace("-", "") not in there for _, _, _, a in acknowledged)
    # A session is kept together with the workflow and the audience that it stands at.
    for row in history.database.many(select(SessionRow)):
        kept = history.kept(row)
        torn += kept.workflow_id is None or kept.audience_id is None
    history.close()
    return {"acknowledged": len(acknowledged), "lost": lost, "torn": int(torn), "corrupt": corrupt}


def main() -> int:
    """Attack, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--control", action="store_true", help="without a journal: must fail")
    given = parser.parse_args()

    def run(url: str) -> int:
        if given.control:
            # From the start: a file that has a write-ahead log keeps it.
            opening._configure_sqlite = _without_a_journal
        History(url).close()
        heard = attacked(url, given.kills, given.writers, random.Random(given.seed))
        try:
            counts = judged(url, heard)
        except (sqlite3.DatabaseError, AudienceError) as error:
            counts = {"acknowledged": len(heard), "lost": 0, "torn": 0, "corrupt": 1}
            print(f"The database cannot be read: {error}")
        name = f"{given.engine}{', no journal' if given.control else ''}"
        print(f"{name}: {given.kills} kills, {given.writers} writers: {counts}")
        broken = counts["lost"] + counts["torn"] + counts["corrupt"] > 0
        return int(broken != given.control or not heard)

    if given.engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            return run(str(Path(folder) / "history.sqlite3"))
    import postgres_server

    with postgres_server.running() as url:
        return run(url)


if __name__ == "__main__":
    sys.exit(main())
