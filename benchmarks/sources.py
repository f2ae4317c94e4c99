"""Fetching a few of many columns: time and peak memory beside plain pandas, same run.

    python benchmarks/sources.py [--records 1000000] [--columns 2000] [--rows 100000]

Each line is a process of its own: seconds of processor time and of the clock, megabytes of the
answer, and megabytes of resident memory above what the imports take. PostgreSQL is started as the
tests start it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = 15

TASKS = {
    "parquet, audience_nb": """
        source = open_source(place, id="id")
        frame = source.fetch(names)
    """,
    "parquet, audience_nb, 6 % of the records": """
        source = open_source(place, id="id")
        frame = source.fetch(names, where=[Condition("v7", "<", 6)])
    """,
    "parquet, pandas": """
        frame = pd.read_parquet(place, columns=["id", *names]).set_index("id")
    """,
    "parquet, pandas, all columns": """
        frame = pd.read_parquet(place).set_index("id")[names]
    """,
    "csv, audience_nb": """
        source = open_source(place, id="id")
        frame = source.fetch(names)
    """,
    "csv, pandas": """
        frame = pd.read_csv(place, usecols=["id", *names]).set_index("id")
    """,
    "postgresql, audience_nb": """
        source = open_source(place, table="people", id="id")
        frame = source.fetch(names)
    """,
    "postgresql, pandas": """
        import sqlalchemy as sa
        columns = ", ".join(names)
        with sa.create_engine(place).connect() as connection:
            frame = pd.read_sql(sa.text(f"SELECT id, {columns} FROM people"), connection)
        frame = frame.set_index("id").sort_index()
    """,
}

PROGRAM = """
import json, pathlib, sys, time
import duckdb, pandas as pd, pyarrow.parquet, sqlalchemy
from audience_nb.sources import Condition, open_source
import audience_nb.sources.files, audience_nb.sources.sql

def peak():
    # Not ru_maxrss: on Linux a child starts with the figure of the process that started it.
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

place, names = sys.argv[1], json.loads(sys.argv[2])
before = peak()
clock, cpu = time.perf_counter(), time.process_time()
{task}
clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
answer = frame.memory_usage(index=True).sum() / 1e6
print(json.dumps([len(frame), cpu, clock, answer, (peak() - before) / 1e3]))
"""


def measured(label: str, place: str, names: list[str]) -> None:
    program = PROGRAM.format(task=textwrap.dedent(TASKS[label]).strip())
    run = subprocess.run(
        [sys.executable, "-c", program, place, json.dumps(names)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    if run.returncode:
        last = (run.stderr.strip().splitlines() or [f"ended with {run.returncode}"])[-1]
        print(f"{label:44}  did not finish: {last[:70]}")
        return
    rows, cpu, clock, answer, peak = json.loads(run.stdout)
    print(f"{label:44} {rows:>9,} {cpu:7.1f} {clock:7.1f} {answer:8.0f} {peak:8.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=100_000, help="in PostgreSQL and CSV")
    parser.add_argument("--all-columns", action="store_true", help="pandas without a choice")
    options = parser.parse_args()
    import duckdb

    step = max(1, options.columns // WANTED)
    names = [f"v{k}" for k in range(7, options.columns, step)][:WANTED]
    head = ("", "records", "cpu s", "clock s", "answer", "peak MB")
    print(f"{head[0]:44} {head[1]:>9} {head[2]:>7} {head[3]:>7} {head[4]:>8} {head[5]:>8}")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        parquet, csv = f"{folder}/people.parquet", f"{folder}/people.csv"
        columns = ", ".join(
            f"CAST((i * {k + 3}) % 100 AS {'SMALLINT' if k % 2 else 'DOUBLE'}) AS v{k}"
            for k in range(options.columns)
        )
        with duckdb.connect() as connection:
            connection.execute("SET preserve_insertion_order = false; SET threads = 2")
            connection.execute(
                f"COPY (SELECT i AS id, {columns} FROM range({options.records}) t(i)) "
                f"TO '{parquet}' (FORMAT parquet, ROW_GROUP_SIZE 20480)"
            )
            some = ", ".join(["id", *names])
            connection.execute(
                f"COPY (SELECT {some} FROM '{parquet}' WHERE id < {options.rows} ORDER BY id) "
                f"TO '{csv}' (HEADER)"
            )
        print(f"Parquet of {Path(parquet).stat().st_size / 1e6:,.0f} MB, {WANTED} of "
              f"{options.columns:,} columns")  # fmt: skip
        for label in TASKS:
            if label.startswith("parquet") and ("all" not in label or options.all_columns):
                measured(label, parquet, names)
        print(f"CSV of {Path(csv).stat().st_size / 1e6:,.0f} MB")
        for label in ("csv, audience_nb", "csv, pandas"):
            measured(label, csv, names)
        sys.path.insert(0, str(ROOT / "tests"))
        import pandas as pd
        import postgres_server
        import sqlalchemy as sa

        address = stack.enter_context(postgres_server.running())
        engine = sa.create_engine(address)
        pd.read_csv(csv, nrows=9).head(0).to_sql("people", engine, index=False)
        connection = engine.raw_connection()
        with connection.cursor().copy("COPY people FROM STDIN (FORMAT csv, HEADER)") as copy:  # type: ignore[attr-defined]
            copy.write(Path(csv).read_bytes())
        connection.commit()
        engine.dispose()
        print("PostgreSQL")
        for label in ("postgresql, audience_nb", "postgresql, pandas"):
            measured(label, address, names)


if __name__ == "__main__":
    main()
