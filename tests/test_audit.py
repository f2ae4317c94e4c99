"""The audit log shows every change; what is over its time is removed, and no more."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from audience_nb.audit import AuditLog, default_log, report
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.retention import PLATFORM_DAYS, Retention, purge


def a_log(folder: Path, lines: int = 5) -> AuditLog:
    log = AuditLog(folder / "audit.jsonl")
    for i in range(lines):
        log.append("distribute", actor="ann", audience=f"A{i}", rows_in=10, rows_out=9)
    return log


def test_a_whole_log_holds(tmp_path: Path) -> None:
    log = a_log(tmp_path)
    found = log.verify()
    assert (found.lines, found.whole) == (5, True)
    assert log.verify(found.head).whole
    assert [line["number"] for line in log.read()] == [1, 2, 3, 4, 5]
    assert log.read()[0]["previous"] == "0" * 64


@pytest.mark.parametrize("line", range(5))
@pytest.mark.parametrize("what", ["change", "delete", "double", "swap", "rubbish", "rehash"])
def test_any_tampering_is_found(what: str, line: int, tmp_path: Path) -> None:
    log = a_log(tmp_path)
    lines = log.path.read_bytes().splitlines(keepends=True)
    if what == "change":
        lines[line] = lines[line].replace(b'"rows_out": 9', b'"rows_out": 8')
    elif what == "delete":
        del lines[line]
    elif what == "double":
        lines.insert(line, lines[line])
    elif what == "swap":
        other = (line + 1) % 5
        lines[line], lines[other] = lines[other], lines[line]
    elif what == "rubbish":
        lines[line] = b"{}\n"
    else:
        # Changed by somebody who knows how lines are hashed.
        from audience_nb.audit import _hash

        changed = {**json.loads(lines[line]), "rows_out": 1}
        changed["hash"] = _hash(changed)
        lines[line] = json.dumps(changed).encode() + b"\n"
    log.path.write_bytes(b"".join(lines))
    assert not log.verify().whole
    assert report(log.path) == 1


@pytest.mark.parametrize("gone", [1, 2, 5])
def test_lines_missing_at_the_end_stay_missing_though_others_follow(
    gone: int, tmp_path: Path
) -> None:
    log = a_log(tmp_path)
    noted = log.verify().head
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[: 5 - gone]))
    assert log.verify().faults == (
        f"{'1 line is' if gone == 1 else f'{gone} lines are'} missing at the end: "
        f"{5 - gone} of 5 are there",
    )
    log.append("export")
    log.append("export")
    found = log.verify()
    assert found.lines == 5 - gone
    assert found.faults == (
        f"line {6 - gone}: does not follow the one before: a line was taken away, added or moved",
    )
    assert "no line has the hash that was noted" in log.verify(noted).faults


def test_a_log_without_lines_file_or_note_is_told_apart(tmp_path: Path) -> None:
    empty = AuditLog(tmp_path / "empty.jsonl")
    empty.path.write_bytes(b"")
    assert (empty.verify().lines, empty.verify().whole) == (0, True)
    log = a_log(tmp_path)
    whole = log.path.read_bytes()
    log.path.write_bytes(b"")
    assert log.verify().faults == ("5 lines are missing at the end: 0 of 5 are there",)
    log.path.unlink()
    assert log.verify().faults == ("5 lines are missing at the end: 0 of 5 are there",)
    log.path.write_bytes(whole)
    head = log.verify().head
    log._head.unlink()
    assert log.verify().faults == ("audit.jsonl.head is gone: lines may be missing at the end",)
    # A copy is held against the hash that was noted.
    assert log.verify(head).whole


def test_a_crash_before_the_note_loses_nothing(tmp_path: Path) -> None:
    log = a_log(tmp_path, 2)
    note = log._head.read_bytes()
    log.append("export")
    log._head.write_bytes(note)
    assert log.verify().whole
    log.append("export")
    assert (log.verify().lines, log.verify().whole) == (4, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_writers_that_are_killed_leave_a_whole_chain(tmp_path: Path) -> None:
    log = a_log(tmp_path, 1)
    chance = random.Random(1)
    for _ in range(25):
        writers = []
        for _ in range(2):
            writer = os.fork()
            if writer == 0:
                while True:
                    log.append("export", purpose="p" * 200)
            writers.append(writer)
        time.sleep(chance.uniform(0.0005, 0.015))
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
        log.append("after")
        assert log.verify().faults == ()
    assert [line["number"] for line in log.read()] == list(range(1, log.verify().lines + 1))
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "audit.jsonl",
        "audit.jsonl.head",
        "audit.jsonl.lock",
    ]


def test_what_cannot_be_noted_beside_the_log_is_not_in_it(tmp_path: Path) -> None:
    log = a_log(tmp_path, 2)
    whole = log.path.read_bytes(), log._head.read_bytes()
    log._head.unlink()
    # Nothing can be written in its place.
    log._head.mkdir()
    for _ in range(3):
        with pytest.raises(InvalidInput, match=r"audit\.jsonl\.head cannot be written"):
            log.append("export")
    log._head.rmdir()
    log._head.write_bytes(whole[1])
    assert log.path.read_bytes() == whole[0]
    log.append("export")
    assert (log.verify().lines, log.verify().whole) == (3, True)


def test_nobody_is_named_but_who_did_it(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    digest = "ab" * 32
    line = log.append(
        "distribute",
        actor="eve@example.com",
        purpose=f"win back ann@example.com and +1 (650) 555-1212 ({digest})",
        audience="Like bob@example.com",
        dropped={"on the list of c@example.com": 3},
        destination="d@example.com.csv",
        digest=digest,
    )
    assert line["actor"] == "eve@example.com"
    assert (line["purpose"], line["audience"]) == ("win back … and … (…)", "Like …")
    assert (line["dropped"], line["destination"]) == ({"on the list of …": 3}, "…")
    assert line["digest"] == digest
    assert log.verify().whole


def test_a_long_log_grows_as_quickly_as_a_short_one(tmp_path: Path) -> None:
    log = a_log(tmp_path, 1)
    log.append(
        "export", purpose="é" * 500, dropped={f"reason {i} {'x' * 400}": i for i in range(400)}
    )
    assert log.path.stat().st_size > 2 * 65_536
    log.append("export")
    assert (log.verify().lines, log.verify().whole) == (3, True)


def test_a_torn_line_is_cut_away_and_the_log_goes_on(tmp_path: Path) -> None:
    log = a_log(tmp_path, 3)
    with log.path.open("ab") as file:
        file.write(b'{"number": 4, "act')
    log.append("export")
    assert (log.verify().lines, log.verify().whole) == (4, True)


def write_some(path: str) -> None:
    for _ in range(20):
        AuditLog(path).append("export")


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = get_context("spawn")
    writers = [context.Process(target=write_some, args=(str(path),)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = AuditLog(path).verify()
    assert (found.lines, found.whole) == (60, True)


def test_the_command_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = a_log(tmp_path, 2)
    command = [sys.executable, "-m", "audience_nb", "audit", "verify", str(log.path)]
    good = subprocess.run(command, capture_output=True, text=True)
    assert (good.returncode, good.stdout[:13]) == (0, "2 lines hold;")
    log.path.write_bytes(log.path.read_bytes().replace(b"A0", b"A9"))
    bad = subprocess.run(command, capture_output=True, text=True)
    assert (bad.returncode, bad.stdout.splitlines()[0]) == (1, "line 1: was changed")
    assert report(tmp_path / "none") == 1
    with pytest.raises(NotFound):
        AuditLog(tmp_path / "none").verify()
    with pytest.raises(InvalidInput, match="501 characters"):
        log.append("x" * 501)
    monkeypatch.delenv("AUDIENCE_NB_AUDIT", raising=False)
    assert default_log() is None


# -- retention -----------------------------------------------------------------------------------

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def aged(path: Path, days: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("x" * 10)
    when = (NOW - timedelta(days=days)).timestamp()
    os.utime(path, (when, when))


def test_what_is_over_its_time_goes_and_nothing_else(tmp_path: Path) -> None:
    for days in (1, 29, 30, 90):
        aged(tmp_path / "exports" / f"{days}.csv", days)
    aged(tmp_path / "sessions" / "s.json", 364)
    aged(tmp_path / "outside.csv", 900)
    (tmp_path / "exports" / "link").symlink_to(tmp_path / "outside.csv")
    folders = {"exports": tmp_path / "exports", "sessions": tmp_path / "sessions"}
    dry = purge(folders, now=NOW)
    assert (dry.removed, dry.size, dry.oldest, dry.dry_run) == ({"exports": 2}, 20, 90, True)
    assert len(list((tmp_path / "exports").iterdir())) == 5
    done = purge(folders, now=NOW, confirm=True)
    assert (done.removed, done.kept) == ({"exports": 2}, {"exports": 2, "sessions": 1})
    assert (tmp_path / "outside.csv").is_file()
    assert purge(folders, now=NOW, confirm=True).removed == {}
    with pytest.raises(InvalidInput, match="no kind 'rows'"):
        purge({"rows": tmp_path})
    with pytest.raises(InvalidInput, match="-1 days"):
        Retention(exports=-1)


@pytest.mark.parametrize(
    ("name", "given", "age", "over"),
    [
        ("google", 540, 539, None),
        ("google", 540, 541, 1),
        ("google", 900, 600, 60),
        ("amazon", None, 400, 3),
        ("trade_desk", 30, 31, 1),
        ("tiktok", None, 4_000, None),
        ("tiktok", 10, 12, 2),
    ],
)
def test_platform_maxima_are_honoured(
    name: str, given: int | None, age: int, over: int | None
) -> None:
    receipt = {
        "destination": name,
        "audience": "A",
        "dry_run": False,
        "retention_days": given,
        "at": (NOW - timedelta(days=age)).isoformat(),
    }
    due = purge({}, deliveries=[receipt], now=NOW).due
    assert [d.over for d in due] == ([] if over is None else [over])


def test_maxima_are_the_platforms_own() -> None:
    from audience_nb.distribution import _OURS, opener_of

    known = {n: opener_of(n).limits.days for n in _OURS}  # type: ignore[attr-defined]
    assert {n: d for n, d in known.items() if d is not None} == PLATFORM_DAYS
