"""Exports of odd tables, to odd places, opened by a spreadsheet of another country."""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.export import Audience, delimited, guarded


def of(frame: pd.DataFrame, **metadata: Any) -> Audience:
    return Audience("a", (), frame, base_size=max(1, len(frame)), metadata=metadata)


SEPARATED = [
    "e;=1+2;f",
    "g\r\n=1+2\r\n-1",
    'h;"=1+2"',
    ";;=1",
    "a;=1+2",
    "a\t=1+2",
    'b";=1+2',
    "c,=1+2",
    "d\n=1+2",
]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_separator_of_any_country_lets_a_formula_run(separator: str, tmp_path: Path) -> None:
    # In France Excel cuts at semicolons, in header lines as well: the rest of a cell may not run.
    frame = pd.DataFrame({"text": SEPARATED, "x;=1": 1})
    names = {"V1": "young,=1+2", "V2": "old; '=1+2", "V3": "a,-b", "V4": 'x",=1+2,"'}
    path = of(frame, query="cyclists,=cmd|'/c calc'!A0", variables=names).to_csv(tmp_path / "a.csv")
    for line in csv.reader(path.read_text(encoding="utf-8").split("\n"), delimiter=separator):
        for cell in line:
            # What a formula that a spreadsheet would run looks like, wherever the line is cut.
            assert not re.match(r"\s*[=+@]", cell)
    known = Audience.read_csv(path).attrs["audience"]
    assert (known["query"], known["variables"]) == ("cyclists,=cmd|'/c calc'!A0", names)


def test_empty_text_and_missing_are_told_apart(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "t": ["", None, "x"],
            "o": np.array(["", None, "y"], dtype=object),
            "f": [0.5, np.nan, -0.0],
        },
        index=pd.Index(["", "k", None], name="id"),
    )
    for ending in ("csv", "json", "parquet"):
        read = Audience.read(of(frame).write(tmp_path / f"a.{ending}"))
        read.attrs.clear()
        pd.testing.assert_frame_equal(read, frame)
    assert (tmp_path / "a.csv").read_text().endswith('\n"","","",0.5\n"k",,,\n,"x","y",-0\n')


@pytest.mark.parametrize(
    "column",
    [
        pd.to_datetime(["2020-01-01", "2020-06-01"]).tz_localize("America/Toronto"),
        pd.to_datetime(["2020-01-01", "2020-06-01 10:30:00.123456"], format="ISO8601"),
        pd.to_timedelta([1, 2], unit="D"),
        pd.period_range("2020-01", periods=2, freq="M"),
        np.array([2**64 - 1, 0], dtype="uint64"),
        np.array([0.1, np.nan], dtype="float32"),
        pd.array([2**62, None], dtype="Int64"),
        pd.array([True, None], dtype="boolean"),
        pd.array([1, None], dtype="int64[pyarrow]"),
        pd.array([True, None], dtype="bool[pyarrow]"),
    ],
    ids=lambda c: str(c.dtype),
)
@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_every_kind_of_column_comes_back(column: Any, ending: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": column})
    read = Audience.read(of(frame).write(tmp_path / f"a.{ending}"))
    read.attrs.clear()
    pd.testing.assert_frame_equal(read, frame)


def test_equal_values_give_equal_rows_whatever_keeps_them(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, -2, 3],
            "part": [0.1, 1e20, None],
            "flag": [True, False, True],
            "text": ["=a", "b", None],
            "day": pd.to_datetime(["2020-01-01", None, "2021-02-03"]),
        }
    )
    bodies = []
    for backend in ("numpy_nullable", "pyarrow", None):
        given = frame if backend is None else frame.convert_dtypes(dtype_backend=backend)
        bodies.append(of(given).to_csv(tmp_path / "a.csv", header=False).read_bytes())
        assert of(given).to_csv(tmp_path / "a.csv", header=False).read_bytes() == bodies[-1]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0].decode().splitlines()[1] == '0,1,0.1,true,"\'=a",2020-01-01'


def test_plain_addresses_leave_only_when_asked_for(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"ann@example.com").hexdigest()
    frame = pd.DataFrame(
        {"note": ["Bob@example.com", "+1 (650) 555-1212", "+100 000"], "age": [1, 2, 3]},
        index=pd.Index(["Ann@Example.com", digest, "C-3"], name="email"),
    )
    for ending in ("csv", "json", "parquet"):
        path = of(frame).write(tmp_path / f"a.{ending}")
        assert b"xample.com" not in path.read_bytes() and b"555" not in path.read_bytes()
        read = Audience.read(path)
        assert read.index.name == "email_sha256"
        assert list(read.index[:2]) == [digest, digest]
        assert list(read["note"]) == [
            hashlib.sha256(b"bob@example.com").hexdigest(),
            hashlib.sha256(b"+16505551212").hexdigest(),
            "+100 000",
        ]
        whole = Audience.read(of(frame).write(path, plain=True))
        assert list(whole.index) == list(frame.index)
    assert frame.index[0] == "Ann@Example.com"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns are called 'a'"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([(1, 2), (1, 3)])), "levels"),
        (pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])), "several levels"),
        (pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}), "half a character"),
    ],
)
def test_tables_that_no_file_holds_are_refused_in_words(
    frame: pd.DataFrame, message: str, ending: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=message):
        of(frame).write(tmp_path / f"a.{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [10**30, [1], 1 + 2j, {"a"}])
def test_odd_values_are_texts_or_refused(value: object, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.Series([value, "=x"], dtype=object)})
    assert list(Audience.read(of(frame).write(tmp_path / "a.csv"))["a"]) == [str(value), "=x"]
    with pytest.raises(InvalidInput, match="Parquet"):
        of(frame).write(tmp_path / "a.parquet")


def test_endings_and_options_that_are_none(tmp_path: Path) -> None:
    audience = of(pd.DataFrame({"a": [1]}))
    with pytest.raises(InvalidInput, match="no format 'xlsx'"):
        audience.write(tmp_path / "a.xlsx")
    with pytest.raises(InvalidInput, match="json has no option 'bom'"):
        audience.write(tmp_path / "a.json", bom=True)
    assert audience.write(tmp_path / "a.txt").read_bytes().startswith(b"# format")
    with pytest.raises(InvalidInput, match=r"Is a directory|cannot be written"):
        audience.write(tmp_path)
    for damaged in (b'# format: "audience_nb audience 1"\na\n', b"\xff\xfe\x00", b"", b"# a\n"):
        (tmp_path / "b.csv").write_bytes(damaged)
        with pytest.raises(DamagedFile):
            Audience.read(tmp_path / "b.csv")


FULL = """
import random, resource, signal, sys
import pandas as pd
from audience_nb.errors import InvalidInput
from audience_nb.export import Audience
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    texts = [random.randbytes(25).hex() for _ in range(20_000)]
    Audience("a", (), pd.DataFrame({"a": texts}), 1).write(sys.argv[1])
except InvalidInput as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of files")
@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_a_full_disk_leaves_what_was_there(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    path.write_text("old")
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == (
        f"a.{ending} cannot be written: File too large. Make room, or choose another place."
    )
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_text() == "old"


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("=+-@'\t\r\n ＝＋\u3000\ufeff\x0b\x1c\x85\u2028;,\"ab"), max_size=7))
def test_guards_are_taken_away_again_and_arrow_suspects_all_that_run(text: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    safe = guarded(text)
    assert delimited.unguarded(safe) == text
    suspect = pc.match_substring_regex(pa.array([text, safe]), delimited._SUSPECT).to_pylist()
    assert suspect[0] or safe == text
    assert suspect[1] or safe == text
    # Also what was never guarded comes back, such as a text with an apostrophe.
    assert suspect[1] or delimited.unguarded(text) == text
    for cut in re.split(r"[;\n\r]", safe):
        assert cut.strip(' \t"\x0b\x1c\x85\u3000\u2028\ufeff')[:1] not in set("=+-@＝＋") or not cut
