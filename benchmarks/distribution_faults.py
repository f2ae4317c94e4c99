"""Deliveries to platforms that fail at random: `python benchmarks/distribution_faults.py`.

Each run sends a list to one of the simulated platforms of `tests/platform_server.py` over HTTP. A
request is answered 401, 429, 500 or 503, too late, by half, by a half that reads as empty, by a
torn head, or not at all, at a rate and in an order of the run's own; in some runs the sending
process is also killed. Whenever a push ends without having sent all, it is done again, until it
has. Then the platform counts people: sent, lost (nobody has them), doubled (added twice), foreign
(hashes that the platform's own rule does not give).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import platform_server
from platform_server import OPTIONS, TOKEN, State

from audience_nb.distribution import NotDelivered, TokenRefused, destination
from audience_nb.distribution.platform import Platform
from audience_nb.export import Audience

LATE, PATIENT = 0.15, 0.08


@dataclass
class Tally:
    """What the runs of one platform came to."""

    runs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    pushes: int = 0
    requests: int = 0
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    foreign: int = 0


def opened(name: str, state: State, folder: Path, retries: int, rows: int) -> Platform:
    place = f"{state.address}/{name}"
    patience = {"timeout": PATIENT, "max_retries": retries, "longest_wait": 0.01}
    platform = destination(name, endpoint=place, journal=folder, **patience, **OPTIONS[name])
    assert isinstance(platform, Platform)
    if name != "trade_desk":
        # A drop cannot be cut; of the others many small requests tell more than few large ones.
        platform.__dict__["limits"] = replace(platform.limits, rows=rows, least=1, advised=1)
    return platform


def run(name: str, seed: int, tally: Tally) -> None:
    """Deliver one list, whatever happens, and count."""
    chance = random.Random(f"{name} {seed}")
    n = chance.randint(1_500, 3_000)
    index = pd.RangeIndex(n, name="record")
    people = pd.DataFrame({"email": platform_server.addresses(n), "consent_ads": True}, index=index)
    audience = Audience("Benchmark", (), pd.DataFrame({"segment": 1}, index=index), n)
    known = platform_server.hashes(name, n)
    with platform_server.serving(late=LATE) as state, tempfile.TemporaryDirectory() as folder:
        state.known, state.chance = known, chance
        state.rate, state.kinds = chance.uniform(0.2, 0.8), platform_server.FAULTS
        platform = opened(name, state, Path(folder), chance.randint(0, 6), chance.randint(50, 400))
        if hasattr(os, "fork") and chance.random() < 0.5:
            tally.kills += killed(platform, audience, people, chance.uniform(0.02, 0.25))
        done = False
        while not done:
            tally.pushes += 1
            with contextlib.suppress(NotDelivered, TokenRefused):
                receipt = platform.push(audience, people, token=TOKEN, confirm=True)
                done = receipt.rows_sent + receipt.rows_before == n
            # Patience may never end where nearly all fails.
            state.rate *= 0.98
        tally.runs += 1
        tally.faults += state.injected
        tally.requests += len(state.headers)
        tally.sent += n
        tally.lost += n - len(state.people)
        tally.doubled += sum(state.people.values()) - len(state.people)
        tally.foreign += len(state.wrong)
        for what in state.wrong[:3]:
            print(f"seed {seed}, {what}", file=sys.stderr)
        if name == "meta":
            assert state.complete(), "a session did not come to its end"


def killed(platform: Platform, audience: Audience, people: pd.DataFrame, after: float) -> bool:
    """Push in a process of its own, and kill it in the middle."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Exception):
            platform.push(audience, people, token=TOKEN, confirm=True)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=350, help="in all, over the platforms")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tallies = {name: Tally() for name in OPTIONS}
    start = time.perf_counter()
    for i in range(given.runs):
        name = list(OPTIONS)[i % len(OPTIONS)]
        run(name, given.seed + i, tallies[name])
    columns = (
        "runs",
        "faults",
        "kills",
        "pushes",
        "requests",
        "sent",
        "lost",
        "doubled",
        "foreign",
    )
    print(f"{'':<12}" + "".join(f"{column:>10}" for column in columns))
    total: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for name, tally in tallies.items():
        figures = {**vars(tally), "faults": tally.faults.total()}
        print(f"{name:<12}" + "".join(f"{figures[column]:>10,}" for column in columns))
        total.update({column: figures[column] for column in columns})
        kinds += tally.faults
    print(f"{'all':<12}" + "".join(f"{total[column]:>10,}" for column in columns))
    print("faults: " + ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common()))
    print(f"{time.perf_counter() - start:.0f} s")
    sys.exit(bool(total["lost"] or total["doubled"] or total["foreign"]))


if __name__ == "__main__":
    main()
