"""Whatever fails on the way: received = sent, nobody twice, nobody missing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import platform_server
import pytest
from platform_server import OPTIONS, TOKEN, State

from audience_nb.distribution import NotDelivered, TokenRefused, destination
from audience_nb.distribution.platform import Platform
from audience_nb.errors import NotAllowed
from audience_nb.export import Audience

NAMES = tuple(OPTIONS)


def a_list(n: int) -> tuple[Audience, pd.DataFrame]:
    index = pd.RangeIndex(n, name="record")
    people = pd.DataFrame({"email": platform_server.addresses(n), "consent_ads": True}, index=index)
    return Audience("Cyclists", (), pd.DataFrame({"segment": 1}, index=index), n), people


def opened(name: str, state: State, folder: Path, **options: object) -> Platform:
    given = {"timeout": 20, "max_retries": 30, "longest_wait": 0.01, **OPTIONS[name], **options}
    place = f"{state.address}/{name}"
    platform = destination(name, endpoint=place, journal=folder, **given)
    assert isinstance(platform, Platform)
    return platform


@pytest.mark.parametrize("name", NAMES)
def test_each_platform_takes_what_is_sent(name: str, tmp_path: Path) -> None:
    with platform_server.serving() as state:
        state.known = platform_server.hashes(name, 12_345)
        region = {"region": "DE"} if name == "amazon" else {}
        platform = opened(name, state, tmp_path, **region)
        audience, people = a_list(12_345)
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert state.wrong == []
        assert receipt.rows_sent == len(state.people) == sum(state.people.values()) == 12_345
        assert not receipt.dry_run
        assert sum(state.sizes) == 12_345
        assert len(state.sizes) == receipt.batches
        assert state.complete() == (name == "meta")
        # Once more: nothing is sent again.
        again = platform.push(audience, people, token=TOKEN, confirm=True)
        assert (again.rows_sent, again.rows_before) == (0, 12_345)
        assert max(state.people.values()) == 1


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", NAMES)
def test_no_fault_loses_or_doubles_anybody(name: str, seed: int, tmp_path: Path) -> None:
    with platform_server.serving() as state:
        state.rate, state.chance = 0.6, random.Random(seed)
        n = 3_000
        state.known = platform_server.hashes(name, n)
        platform = opened(name, state, tmp_path, timeout=0.2)
        platform.limits = type(platform.limits)(
            rows=3_000 if name == "trade_desk" else 250, advised=1
        )
        audience, people = a_list(n)
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert state.wrong == []
        assert (len(state.people), sum(state.people.values())) == (n, n)
        assert receipt.rows_sent == n
        assert state.complete() == (name == "meta")
        assert state.injected or name == "trade_desk"


def test_a_refused_token_ends_it_at_once_and_another_one_goes_on(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        platform = opened("tiktok", state, tmp_path)
        audience, people = a_list(4_000)
        state.script = ["", "", "401"]
        with pytest.raises(TokenRefused, match="answered 401") as caught:
            platform.push(audience, people, token=TOKEN, confirm=True)
        assert TOKEN not in str(caught.value)
        assert caught.value.next_move.startswith("Give a token that may write to this list")
        assert caught.value.delivery is not None
        assert (caught.value.delivery.rows_sent, caught.value.delivery.dry_run) == (2_000, False)
        assert len(state.people) == 2_000
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert (receipt.rows_sent, receipt.rows_before) == (2_000, 2_000)
        assert (len(state.people), max(state.people.values())) == (4_000, 1)
        with pytest.raises(NotAllowed):
            opened("meta", state, tmp_path).push(*a_list(200), token="wr0ng-secret", confirm=True)


def test_when_patience_ends_the_receipt_says_how_far_it_got(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        platform = opened("tiktok", state, tmp_path, max_retries=2)
        audience, people = a_list(3_000)
        state.script = ["", "500", "429", "503"]
        with pytest.raises(NotDelivered, match="answered 503, asked 3 times") as caught:
            platform.push(audience, people, token=TOKEN, confirm=True)
        assert caught.value.delivery is not None
        assert caught.value.delivery.rows_sent == 1_000
        assert "PRIVATE" not in str(caught.value)


def test_the_journal_holds_nobody_and_survives_a_torn_line(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        platform = opened("webhook", state, tmp_path)
        audience, people = a_list(2_500)
        platform.push(audience, people, token=TOKEN, confirm=True)
        (journal,) = tmp_path.iterdir()
        text = journal.read_text()
        assert TOKEN not in text and "@" not in text and state.address not in text
        assert not any(person.split('"')[3] in text for person in list(state.people)[:50])
        # The last line torn, as a crash would: that batch is sent again, and known by its key.
        journal.write_text(text[:-20])
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert (receipt.rows_before, receipt.rows_sent) == (1_667, 833)
        assert (len(state.people), max(state.people.values())) == (2_500, 1)


@pytest.mark.parametrize("half", ["half", "blank", "cut"])
@pytest.mark.parametrize("name", NAMES)
def test_half_an_answer_is_no_delivery(name: str, half: str, tmp_path: Path) -> None:
    with platform_server.serving() as state:
        state.script = [half] * 4
        platform = opened(name, state, tmp_path, max_retries=1)
        audience, people = a_list(1_600)
        with pytest.raises(NotDelivered, match="asked 2 times") as caught:
            platform.push(audience, people, token=TOKEN, confirm=True)
        assert caught.value.delivery is not None
        assert caught.value.delivery.rows_sent == 0
        assert [p.read_bytes() for p in tmp_path.iterdir()] == [b""]
        state.script = []
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert (receipt.rows_sent, len(state.people)) == (1_600, 1_600)
        assert max(state.people.values()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"num_received": 199, "num_invalid_entries": 0},
        {"num_invalid_entries": 0},
        {},
        [],
        "taken",
    ],
)
def test_meta_has_to_say_that_it_received_all_rows(
    answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_server.serving() as state:
        monkeypatch.setitem(platform_server.PLATFORMS, "meta", lambda *args: answer)
        platform = opened("meta", state, tmp_path, max_retries=1)
        with pytest.raises(NotDelivered, match=r"received .* of 200 rows|no whole answer"):
            platform.push(*a_list(200), token=TOKEN, confirm=True)
        monkeypatch.setitem(
            platform_server.PLATFORMS,
            "meta",
            lambda *args: {"num_received": 200, "num_invalid_entries": 3},
        )
        receipt = platform.push(*a_list(200), token=TOKEN, confirm=True)
        assert (receipt.rows_sent, receipt.rows_dropped) == (197, {"refused by Meta": 3})
        again = platform.push(*a_list(200), token=TOKEN, confirm=True)
        assert (again.rows_before, again.rows_dropped) == (197, {"refused by Meta": 3})


def test_servers_are_given_the_time_they_ask_for(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        state.script, state.wait = ["429", "429"], "0.3"
        platform = opened("tiktok", state, tmp_path, longest_wait=5)
        start = time.monotonic()
        platform.push(*a_list(10), token=TOKEN, confirm=True)
        assert 0.6 <= time.monotonic() - start < 5
        # Nobody waits an hour, and nobody asks again before it is over.
        state.script, state.wait = ["429"], "3600"
        asked = len(state.headers)
        with pytest.raises(NotDelivered, match=r"answered 429, and asks to wait 3,600 s"):
            platform.push(*a_list(20), token=TOKEN, confirm=True)
        assert len(state.headers) == asked + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_one_process_at_a_time_sends_the_same_rows(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        state.pace = 0.3
        platform = opened("tiktok", state, tmp_path)
        audience, people = a_list(3_000)
        first = os.fork()
        if first == 0:
            platform.push(audience, people, token=TOKEN, confirm=True)
            os._exit(0)
        deadline = time.monotonic() + 20
        while not state.headers and time.monotonic() < deadline:
            time.sleep(0.005)
        with pytest.raises(NotDelivered, match="Another process is sending the same rows"):
            platform.push(audience, people, token=TOKEN, confirm=True)
        os.waitpid(first, 0)
        assert len(state.headers) == 3
        receipt = platform.push(audience, people, token=TOKEN, confirm=True)
        assert (receipt.rows_sent, receipt.rows_before, len(state.people)) == (0, 3_000, 3_000)


def test_a_journal_that_cannot_be_written_lets_nothing_leave(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with platform_server.serving() as state:
        platform = opened("tiktok", state, tmp_path / "file")
        with pytest.raises(NotDelivered, match="journal of the delivery cannot be written"):
            platform.push(*a_list(10), token=TOKEN, confirm=True)
        assert state.headers == []


def test_what_the_platform_has_forgotten_is_sent_again(tmp_path: Path) -> None:
    with platform_server.serving() as state:
        platform = opened("google", state, tmp_path, retention_days=30)
        platform.push(*a_list(100), token=TOKEN, confirm=True)
        (journal,) = tmp_path.iterdir()
        entry = json.loads(journal.read_text())
        assert platform.push(*a_list(100), token=TOKEN, confirm=True).rows_before == 100
        journal.write_text(json.dumps({**entry, "at": entry["at"] - 30 * 86_400 - 5}))
        again = platform.push(*a_list(100), token=TOKEN, confirm=True)
        assert (again.rows_sent, again.rows_before) == (100, 0)


PUSH = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from test_distribution_faults import TOKEN, a_list, opened
from platform_server import State
state = State(address=sys.argv[1])
platform = opened("tiktok", state, Path(sys.argv[2]))
print("ready", flush=True)
audience, people = a_list(12_000)
print(platform.push(audience, people, token=TOKEN, confirm=True).rows_sent, flush=True)
"""


def test_a_killed_push_is_resumed(tmp_path: Path) -> None:
    here = str(Path(__file__).parent)
    with platform_server.serving() as state:
        state.pace = 0.03
        killed = 0
        for wait in (0.05, 0.15, 0.25):
            before = len(state.sizes)
            command = [sys.executable, "-c", PUSH, state.address, str(tmp_path), here]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            deadline = time.monotonic() + 30
            while len(state.sizes) <= before and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(wait)
            os.kill(process.pid, signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            process.stdout.close()
        assert killed >= 2
        assert 0 < len(state.people) < 12_000
        audience, people = a_list(12_000)
        receipt = opened("tiktok", state, tmp_path).push(
            audience, people, token=TOKEN, confirm=True
        )
        assert receipt.rows_sent + receipt.rows_before == 12_000
        assert state.wrong == []
        assert (len(state.people), max(state.people.values())) == (12_000, 1)
