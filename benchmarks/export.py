"""Exports and destinations: `python benchmarks/export.py [options]`.

Rows a second of a million e-mail addresses, normalised, hashed and written, beside a plain loop of
pandas and hashlib that does less (no consent, no repeats, no faults); peak memory of each, in a
process of its own; and what 500 kills in the middle of a write leave behind.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from audience_nb.distribution import destination
from audience_nb.export import Audience

TASKS = ("pandas", "file", "meta", "csv", "parquet", "json")


def people(n: int) -> pd.DataFrame:
    numbers = pd.Series(np.random.default_rng(0).permutation(n)).astype(str)
    return pd.DataFrame({"email": " Person." + numbers + "@Example.com"})


def audience(n: int, people: pd.DataFrame) -> Audience:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "segment": random.integers(1, 13, n),
            "segment_name": random.choice(["Cyclists", "=Gardeners", "Readers"], n),
            **{f"V{i}": random.normal(size=n).round(3) for i in range(4)},
        },
        index=people.index,
    )
    return Audience("Benchmark", (), frame, base_size=n)


def measured(task: str, n: int, folder: Path) -> dict[str, float]:
    """Do one task, and give its seconds and how far memory rose above what it began with."""
    table = people(n)
    given = audience(n, table)
    # Imported and warm before the clock starts.
    warm = given.frame.head(10)
    small = Audience("w", (), warm, 10)
    destination("file", path=folder / "w").push(small, table.head(10), confirm=True)
    small.write(folder / f"w.{task}") if task in ("csv", "parquet", "json") else None
    # Linux forgets the peak so far: what making the table took does not count.
    Path("/proc/self/clear_refs").write_text("5")
    before = kilobytes("VmRSS")
    start, used = time.perf_counter(), time.process_time()
    if task == "pandas":
        normal = table["email"].str.strip().str.lower()
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in normal]
        pd.DataFrame({"email_sha256": hashes}).to_csv(folder / "plain.csv", index=False)
    elif task == "file":
        receipt = destination("file", path=folder / "a.csv").push(given, table, confirm=True)
        assert receipt.rows_sent == n
    elif task == "meta":
        # Everything but the network: prepared, checked, digested, cut into requests.
        plan = destination("meta", audience_id="1").plan(given, table)
        assert plan.rows == n
    else:
        given.write(folder / f"a.{task}")
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "mb": (kilobytes("VmHWM") - before) / 1024}


def kilobytes(name: str) -> int:
    """Read a figure of this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def kills(n_kills: int, folder: Path) -> dict[str, int]:
    """Kill a writing process at random moments; count torn files, and what is left over."""
    chance = random.Random(0)
    path = folder / "killed.csv"
    code = (
        "import sys; from pathlib import Path; import numpy as np, pandas as pd\n"
        "from audience_nb.export import Audience\n"
        "frame = pd.DataFrame({'segment': np.arange(300_000), 'text': 'x' * 20})\n"
        "given = Audience('k', (), frame, 300_000)\n"
        "import os\n"
        # One import, many writers: each write is in a child that is killed.
        "for line in sys.stdin:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        given.to_csv(Path(sys.argv[1]))\n"
        "        os._exit(0)\n"
        "    print(child, flush=True)\n"
        "    _, status = os.waitpid(child, 0)\n"
        "    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    torn = killed = written = 0
    for _ in range(n_kills):
        process.stdin.write("go\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        time.sleep(chance.uniform(0.002, 0.25))
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        killed += int(process.stdout.readline()) == signal.SIGKILL
        if path.exists():
            written += 1
            # Whole: the last row is there, with its line end.
            with path.open("rb") as file:
                file.seek(-64, os.SEEK_END)
                torn += not file.read().endswith(b'299999,299999,"xxxxxxxxxxxxxxxxxxxx"\n')
            path.unlink()
    process.stdin.close()
    process.wait()
    Audience("k", (), pd.DataFrame({"segment": [1]}), 1).to_csv(path)
    left = sum(1 for found in folder.iterdir() if found.name.endswith(".part"))
    return {"tries": n_kills, "killed": killed, "whole": written, "torn": torn, "left over": left}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.task:
            print(json.dumps(measured(given.task, given.rows, folder)))
            return
        print(f"{given.rows:,} rows         rows/s   seconds  processor   memory above the table")
        for task in TASKS:
            command = [sys.executable, __file__, "--task", task, "--rows", str(given.rows)]
            run = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(run.stdout)
            rate = given.rows / found["seconds"]
            print(
                f"{task:<16}{rate:>14,.0f}{found['seconds']:>10.2f}{found['cpu']:>11.2f}"
                f"{found['mb']:>10,.0f} MB"
            )
        if given.kills:
            print(kills(given.kills, folder))


if __name__ == "__main__":
    main()
