"""Files as they come: encodings, separators, ragged rows, changes, and sizes that hurt."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import source_tables
import sqlalchemy as sa

from audience_nb.errors import AudienceError, DamagedFile, InvalidInput, NotFound
from audience_nb.session import Session
from audience_nb.sources import Condition, open_source
from audience_nb.sources.tabular import Fetched


def counts(fetched: Fetched) -> dict[str, int]:
    return {d.reason: d.count for d in fetched.dropped}


def csv(tmp_path: Path, content: str | bytes, name: str = "people.csv", **options: Any) -> Any:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path, **{"id": "id", **options})


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "age", "note"], ["a", "31", '"x' + delimiter + 'y"'], ["b", "46", "z"]]
    source = csv(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert source.fetch(["note", "age"]).loc["a"].tolist() == [f"x{delimiter}y", 31]


def test_a_wrong_delimiter_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is called 'id'"):
        csv(tmp_path, "id,age\na,31\n", delimiter=";")
    with pytest.raises(InvalidInput, match="cannot be cut at ',,'"):
        csv(tmp_path, "id,age\na,31\n", delimiter=",,")


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("cp1252", "was read as Windows-1252"),
        ("utf-16", "was read as UTF-16"),
        ("utf-16-le", "was read as UTF-16"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("zipped", [False, True])
def test_encodings_and_line_ends(
    tmp_path: Path, encoding: str, note: str | None, ends: str, zipped: bool
) -> None:
    text = ends.join(["id,ville,âge", "a,Québec,31", 'b,"Trois, Rivières",46', ""])
    content = text.encode(encoding)
    path = tmp_path / ("people.csv.gz" if zipped else "people.csv")
    path.write_bytes(gzip.compress(content) if zipped else content)
    source = open_source(path, id="id")
    fetched = source.fetch_report(["ville", "âge"])  # type: ignore[attr-defined]
    assert fetched.frame["ville"].tolist() == ["Québec", "Trois, Rivières"]
    assert fetched.frame["âge"].tolist() == [31, 46]
    assert [n for n in fetched.notes if "was read as" in n] == (
        [] if note is None else [n for n in fetched.notes if note in n]
    )


def test_mixed_encodings_are_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        b"id,city",
        *[f"a{i},Québec".encode() for i in range(9)],
        "b,Montréal".encode("cp1252"),
    ]
    source = csv(tmp_path, b"\n".join(lines))
    assert source.fetch(["city"])["city"].tolist() == ["Québec"] * 9 + ["Montréal"]
    assert source.notes == (
        "1 lines of people.csv are not UTF-8 like the rest of the file, and were read as "
        "Windows-1252.",
    )


def test_mixed_line_ends_are_mended(tmp_path: Path) -> None:
    source = csv(tmp_path, b'id,note\r\na,x\nb,"two\nlines"\r\n\r\nc,z')
    assert source.fetch(["note"])["note"].tolist() == ["x", "two\nlines", "z"]


def test_ragged_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    source = csv(tmp_path, 'id,age,city\na,31,x\nb,46\nc,5,y,z\nd,"7","two\nlines"\n,8,v\nd,7,w\n')
    assert source.n_records == 4
    for columns in (["age"], ["age", "city"], []):
        fetched = source.fetch_report(columns)
        assert fetched.frame.index.tolist() == ["a", "d"]
        assert counts(fetched) == {
            "fewer cells than the header": 1,
            "more cells than the header": 1,
            "no id": 1,
            "repeated id, the fullest row was kept": 1,
        }


def test_numbers_as_people_write_them(tmp_path: Path) -> None:
    rows = ["id;spend;share;euro;code;plain;rate", 'a;"$1,250.50";12 %;1.234,5;007;1e3;n/a',
            "b;$90;7%;2,25;12;-4;3", "c;;;;;;4"]  # fmt: skip
    source = csv(tmp_path, "\n".join(rows))
    frame = source.fetch(["spend", "share", "euro", "code", "plain", "rate"])
    assert frame["spend"].tolist()[:2] == [1250.5, 90.0]
    assert frame["share"].tolist()[:2] == [12, 7]
    assert frame["euro"].tolist()[:2] == [1234.5, 2.25]
    assert frame["code"].tolist()[:2] == ["007", "12"]
    assert frame["plain"].tolist()[:2] == [1000, -4]
    assert frame.iloc[2].isna().tolist() == [True] * 5 + [False]
    assert source.fetch([], where=[Condition("spend", ">", 1000)]).index.tolist() == ["a"]


def test_cells_of_another_kind_are_counted(tmp_path: Path) -> None:
    # Far down, where no sample of this size looks at each row.
    ages = [str(i % 90) for i in range(41_001)]
    ages[20_000] = "unknown"
    source = csv(tmp_path, "id,age\n" + "".join(f"p{i},{a}\n" for i, a in enumerate(ages)))
    fetched = source.fetch_report(["age"])
    assert fetched.frame["age"].isna().sum() == 1
    assert fetched.notes == ("1 cells of 'age' are no number, and were read as missing.",)


def test_ids_keep_their_zeros(tmp_path: Path) -> None:
    source = csv(tmp_path, "id,age\n007,31\n12,46\n")
    assert source.fetch(["age"]).index.tolist() == ["007", "12"]
    whole = csv(tmp_path, "id,age\n9007199254740993,31\n12,46\n", "whole.csv")
    assert whole.fetch(["age"]).index.tolist() == [9007199254740993, 12]


def test_without_an_id_the_position_tells_records_apart(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("age\n31\n46\n")
    (tmp_path / "2.csv").write_text("age\n20\n47\n")
    source = open_source(str(tmp_path / "*.csv"))
    assert source.fetch(["age"]).index.tolist() == [0, 1, 2, 3]
    assert source.fetch(["age"], where=[Condition("age", ">", 40)]).index.tolist() == [1, 3]


def test_parts_may_have_other_columns_and_kinds(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("id,age,code\na,31,1\n")
    (tmp_path / "2.csv").write_text("id,code,spend\nb,x7,2.5\n")
    frame = open_source(tmp_path, id="id").fetch(["age", "spend", "code"])
    assert frame["age"].fillna(-1).tolist() == [31, -1]
    assert frame["spend"].fillna(-1).tolist() == [-1, 2.5]
    assert frame["code"].tolist()[1] == "x7"


def test_torn_lines_of_json_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        '{"id":"a","age":31,"tags":["x"]}\n{"id":"b"}\nnot json\n{"id":"c","age":5}\n{"id":"d","ag'
    )
    source: Any = open_source(path, id="id")
    fetched = source.fetch_report(["age"])
    assert fetched.frame["age"].fillna(-1).tolist() == [31, -1, 5]
    assert counts(fetched) == {"a line that is no JSON": 2}
    assert source.notes == (
        "1 columns of p.jsonl hold lists, records or bytes, and were left out.",
    )


# -- change ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_file_that_grows_while_it_is_read_is_said(tmp_path: Path, suffix: str) -> None:
    path = _written(tmp_path, suffix)
    source = open_source(path, id="who")

    def grow(stage: str, fraction: float) -> None:
        with path.open("ab") as file:
            file.write(b"P99999,1,2,x,True,2001-01-01\n")

    with pytest.raises(InvalidInput, match="has changed since it was opened"):
        source.fetch(["age"], progress=grow)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_file_that_vanishes_leaves_the_session_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = _written(tmp_path, suffix)
    session = Session(path, id="who")
    session.confirm(["age", "spend"])
    session.load()
    before = session.snapshot().to_dict()
    path.unlink()
    with pytest.raises(NotFound, match=rf"no file 'people\.{suffix}' any more"):
        session.load()
    assert session.snapshot().to_dict() == before | {"revision": session.revision}
    assert session.segment(n_segments=10).labels.size == 60


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_table_that_vanishes_leaves_the_session_as_it_was(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    address = f"sqlite:///{tmp_path}/p.db"
    if engine == "postgresql":
        address = request.getfixturevalue("postgres")
    source_tables.to_database(source_tables.people(), address, "passing")
    session = Session(address, table="passing")
    session.confirm(["age", "spend"])
    session.load()
    made = sa.create_engine(address)
    with made.begin() as connection:
        connection.execute(sa.text("DROP TABLE passing"))
    made.dispose()
    with pytest.raises(NotFound, match=r"not in .* any more"):
        session.load()
    assert session.state.frame is not None


def _written(folder: Path, suffix: str) -> Path:
    people, path = source_tables.people(), folder / f"people.{suffix}"
    if suffix == "csv":
        people.to_csv(path, index=False)
    elif suffix == "parquet":
        people.to_parquet(path)
    else:
        people.to_json(path, orient="records", lines=True, date_format="iso")
    return path


# -- what is no table --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "kind", "said"),
    [
        ("a.csv", b"", DamagedFile, "a.csv is empty"),
        ("a.csv", b"id,age\n", InvalidInput, "a.csv has 0 rows"),
        ("a.csv", b"id,age\n1\n2,3,4\n", InvalidInput, "has 0 rows that fit its 2 columns"),
        ("a.csv", b"id,age,age\n1,2,3\n", InvalidInput, "more than once, the first is 'age'"),
        ("a.csv", b'id,age\na,"1\nb,2\nc,3\n', DamagedFile, "Line 2 of a.csv opens a quote"),
        ("a.parquet", b"PAR1 and no more", DamagedFile, "a.parquet cannot be read"),
        ("a.parquet", b"id,age\n1,2\n", DamagedFile, "is no Parquet file"),
        ("a.xlsx", b"PK\x03\x04 sheet", InvalidInput, "an Excel workbook"),
        ("a.csv.gz", gzip.compress(b"id,age\n1,2\n" * 99)[:-20], DamagedFile, "torn or damaged"),
        ("a.jsonl", b"", AudienceError, "a.jsonl"),
    ],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, name: str, content: bytes, kind: type[AudienceError], said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=said):
        open_source(tmp_path / name, id="id")


def test_paths_that_name_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "no.csv", str(tmp_path / "no*.csv"), tmp_path):
        with pytest.raises(NotFound):
            open_source(path)
    with pytest.raises(InvalidInput, match="A int is no table"):
        open_source(7)
    with pytest.raises(InvalidInput, match="has no option 'token'"):
        open_source(pd.DataFrame({"a": [1]}), token="x")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_id_that_repeats_in_most_rows_is_refused(tmp_path: Path, suffix: str) -> None:
    path = _written(tmp_path, suffix)
    source = open_source(path, id="city")
    with pytest.raises(InvalidInput, match=r"tells 5 records apart in 60 rows"):
        source.fetch(["age"])


@pytest.mark.parametrize("suffix", ["csv", "parquet", "frame"])
def test_a_session_on_poor_data_says_what_is_wrong(tmp_path: Path, suffix: str) -> None:
    """One row, and columns without a value: nothing to cut, and the session says so."""
    one = pd.DataFrame({"who": ["a"], "age": [31], "spend": [2.5], "none": [np.nan]})
    what: Any = one
    if suffix == "csv":
        what = tmp_path / "one.csv"
        one.to_csv(what, index=False)
    elif suffix == "parquet":
        what = tmp_path / "one.parquet"
        one.to_parquet(what)
    with pytest.raises(InvalidInput):
        Session(what, id="who")
    source = open_source(what, id="who")
    assert source.fetch(["age", "none"]).isna().to_numpy().tolist() == [[False, True]]


def test_ten_thousand_columns(tmp_path: Path) -> None:
    n = 10_000
    values = np.arange(40 * n).reshape(40, n) % 97
    lines = [",".join(["id", *(f"c{i}" for i in range(n))])]
    lines += [",".join([f"p{i}", *map(str, row)]) for i, row in enumerate(values)]
    source = csv(tmp_path, "\n".join(lines))
    assert source.fetch(["c9999", "c1"]).to_numpy().tolist() == values[:, [9999, 1]].tolist()
    assert source.sample(10).shape == (10, n)


def test_more_columns_than_a_database_gives(tmp_path: Path) -> None:
    path = tmp_path / "wide.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    columns = ", ".join(f"c{i} INTEGER" for i in range(1_999))
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE wide (who INTEGER PRIMARY KEY, {columns})"))
        connection.execute(sa.text("INSERT INTO wide (who, c0) VALUES (1, 5)"))
    source: Any = open_source(f"sqlite:///{path}", table="wide")
    assert source.sample(1).shape == (1, 1_999)
    source._dialect = "postgresql"
    with pytest.raises(InvalidInput, match=r"1,999 columns were asked for, sqlite gives at most"):
        source.fetch([f"c{i}" for i in range(1_999)])


# -- memory ------------------------------------------------------------------------------------

# Beside the answer: DuckDB's pages of the file, one batch, one column and one id more.
CONSTANT_MB = 150

_MEASURE = """
import json, pathlib, sys
import duckdb, pandas, pyarrow.compute, sqlalchemy
from audience_nb.sources import open_source

def peak():
    # Not ru_maxrss: on Linux a child starts with the figure of the process that started it.
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

before = peak()
source = open_source(sys.argv[1], id="id", **json.loads(sys.argv[2]))
frame = source.fetch([f"v{i}" for i in range(15)])
print(len(frame), frame.memory_usage(index=True).sum() / 1e6, (peak() - before) / 1e3)
"""


def test_a_fetch_needs_little_beyond_its_answer(tmp_path: Path) -> None:
    import duckdb

    n, path = 1_000_000, tmp_path / "wide.parquet"
    columns = ", ".join(f"(i * {k + 3} % 1009) / 7.0 AS v{k}" for k in range(40))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS id, {columns} FROM range({n}) t(i)) TO '{path}' "
            "(FORMAT parquet, ROW_GROUP_SIZE 100000, COMPRESSION snappy)"
        )
    answer, extra = _measured(str(path), n)
    assert answer == pytest.approx(128, rel=0.01)
    assert extra < answer + CONSTANT_MB


def test_rows_of_a_database_come_in_chunks(postgres: str) -> None:
    n = 100_000
    columns = ", ".join(f"(i * {k + 3} % 1009) / 7.0::float8 AS v{k}" for k in range(20))
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS many"))
        connection.execute(
            sa.text(
                f"CREATE TABLE many AS SELECT i AS id, {columns} FROM generate_series(1, {n}) i"
            )
        )
    engine.dispose()
    answer, extra = _measured(postgres, n, table="many")
    assert answer == pytest.approx(12.8, rel=0.01)
    assert extra < answer + CONSTANT_MB


def _measured(what: str, n_records: int, **options: str) -> tuple[float, float]:
    """Give the megabytes of the answer, and those needed above what the imports take."""
    run = subprocess.run(
        [sys.executable, "-c", _MEASURE, what, json.dumps(options)],
        capture_output=True,
        text=True,
        check=True,
    )
    n_rows, answer, extra = map(float, run.stdout.split())
    assert n_rows == n_records
    return answer, extra
