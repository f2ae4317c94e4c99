"""CSV, Parquet, JSON: the same table back, the same cells for every reader, whole or not there."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.export import Audience, guarded, sweep
from audience_nb.export import table as tables


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "segment": [1, 2, 3],
            "segment_name": ["=SUM(A1)", "'=twice", 'x, "y"\nz'],
            "amount": [1 / 3, np.nan, -np.inf],
            "flag": [True, False, True],
            "when": pd.to_datetime(
                ["2020-01-01", None, "2021-05-06 07:08:09.123456"], format="ISO8601"
            ),
            "text": ["a", None, " -1"],
            "choice": pd.Categorical(["u", "v", None]),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "=header": [-1, -2, -3],
        },
        index=pd.Index(["C1", "C2", "@C3"], name="customer_id"),
    )


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
@pytest.mark.parametrize("piece", [1, 2, 50_000])
def test_all_formats_give_the_table_back(
    ending: str, piece: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_PIECE", piece)
    audience = Audience("Três", (), table(), base_size=6, metadata={"query": "été\n# x"})
    read = Audience.read(audience.write(tmp_path / f"a.{ending}"))
    known = read.attrs.pop("audience")
    pd.testing.assert_frame_equal(read, table())
    assert (known["query"], known["records"], known["base records"]) == ("été\n# x", 3, 6)
    assert known["transparency label"]["audience construction"]["audience count"] == 3
    # Equal audiences, equal bytes.
    other = audience.write(tmp_path / f"b.{ending}")
    assert other.read_bytes() == (tmp_path / f"a.{ending}").read_bytes()
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("ending", ["csv", "parquet", "json"])
def test_an_audience_of_nobody_is_written(ending: str, tmp_path: Path) -> None:
    audience = Audience("None", (), table().head(0), base_size=6)
    assert len(Audience.read(audience.write(tmp_path / f"a.{ending}"))) == 0


@pytest.mark.parametrize("ending", ["parquet", "json"])
def test_torn_and_foreign_files_are_refused(ending: str, tmp_path: Path) -> None:
    path = Audience("a", (), table(), base_size=3).write(tmp_path / f"a.{ending}")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DamagedFile, match="not whole"):
        Audience.read(path)
    with pytest.raises(NotFound):
        Audience.read(tmp_path / f"b.{ending}")
    with pytest.raises(InvalidInput, match="no format"):
        Audience("a", (), table(), base_size=3).write(path, "xls")  # type: ignore[arg-type]


def test_a_bare_table_has_its_manifest_beside_it_and_excel_its_mark(tmp_path: Path) -> None:
    audience = Audience("a", (), table(), base_size=3)
    path = audience.to_csv(tmp_path / "a.csv", header=False, bom=True)
    assert path.read_bytes().startswith(b'\xef\xbb\xbf"customer_id","segment",')
    told = json.loads((tmp_path / "a.csv.manifest.json").read_text(encoding="utf-8"))
    assert told["records"] == 3
    read = Audience.read(path)
    read.attrs.clear()
    pd.testing.assert_frame_equal(read, table())
    whole = audience.to_csv(tmp_path / "b.csv", bom=True)
    assert len(Audience.read(whole)) == 3


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=10)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.booleans(), st.booleans(), cells
)
def test_all_readers_see_the_same_cells(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str]],
    safe: bool,
    header: bool,
    query: str,
) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype=object)
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    Audience("a", (), frame, base_size=1, metadata={"query": query}).to_csv(
        path, safe=safe, header=header, plain=True
    )
    with path.open(encoding="utf-8", newline="") as file:
        start = file.tell()
        while file.readline().startswith("# "):
            start = file.tell()
        file.seek(start)
        ours = [row[1:] for row in csv.reader(file)][1:]
    # Header lines are comments, which other readers pass over when they are told so.
    by_pandas = pd.read_csv(path, dtype=str, keep_default_na=False, comment="#" if header else None)
    told = "comment='#', " if header else ""
    found = duckdb.sql(
        f"select a, b from read_csv('{path}', header=true, all_varchar=true, quote='\"', {told}"
        "escape='\"', delim=',', nullstr='NULL-IS-NOT-HERE', new_line='\\n', strict_mode=false)"
    ).fetchall()
    expected = [[guarded(c) if safe else c for c in row] for row in rows]
    assert ours == by_pandas.iloc[:, 1:].to_numpy().tolist() == expected
    assert [list(row) for row in found] == expected


WRITER = """
import os, sys
from pathlib import Path
import numpy as np, pandas as pd
from audience_nb.export import Audience
frame = pd.DataFrame({"segment": np.arange(30_000), "text": "x" * 20})
given = Audience("k", (), frame, 30_000)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        given.to_csv(Path(sys.argv[1]))
        os._exit(0)
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(status, flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_writers_leave_no_torn_file_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    chance = random.Random(0)
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        killed = 0
        for _ in range(15):
            process.stdin.write("go\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            time.sleep(chance.uniform(0.001, 0.02))
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
            finally:
                killed += os.WIFSIGNALED(int(process.stdout.readline()))
            if path.exists():
                assert len(Audience.read(path)) == 30_000
                path.unlink()
        process.stdin.close()
    assert killed > 5
    # What somebody else calls so is not ours to remove.
    (tmp_path / ".download.part").write_text("theirs")
    Audience("k", (), pd.DataFrame({"segment": [1]}), 1).to_csv(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".download.part", "a.csv"]


def test_a_sweep_leaves_writers_at_work_alone(tmp_path: Path) -> None:
    from audience_nb.export import writing

    with writing(tmp_path / "a.txt") as file:
        assert sweep(tmp_path) == 0
        file.write(b"x")
    assert (tmp_path / "a.txt").read_text() == "x"
