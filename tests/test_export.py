"""Audiences on disk: whole, readable, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.distribution import destination
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.export import Audience, hash_identifiers, write_atomically


def people() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "segment": [1, 2, 3],
            "segment_name": ["=SUM(A1)", "'=twice", 'x, "y"\nz'],
            "amount": [1.5, np.nan, 1 / 3],
            "flag": [True, False, True],
            "when": pd.to_datetime(["2020-01-01", None, "2021-05-06"]),
            "text": ["a", None, " -1"],
            "choice": pd.Categorical(["u", "v", None]),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "=header": [-1, -2, -3],
        },
        index=pd.Index(["C1", "C2", "@C3"], name="customer_id"),
    )
    return frame


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    audience = Audience("Três <b>\n", (), people(), base_size=6, metadata={"query": "été\n# x"})
    read = Audience.read_csv(audience.to_csv(tmp_path / "deep" / "a.csv"))
    assert read.attrs.pop("audience")["query"] == "été\n# x"
    pd.testing.assert_frame_equal(read, people())
    assert audience.share == 0.5


cells = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, st.floats(allow_nan=True, allow_infinity=True)), min_size=1))
def test_any_text_and_number_survives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, float]]
) -> None:
    frame = pd.DataFrame(
        {
            "segment": range(len(rows)),
            "text": pd.Series([t for t, _ in rows], dtype="str"),
            "number": pd.Series([x for _, x in rows], dtype="float64"),
        }
    )
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    read = Audience.read_csv(Audience("a", (), frame, base_size=len(rows)).to_csv(path, plain=True))
    pd.testing.assert_frame_equal(read, frame, check_index_type=False)


def test_no_text_cell_or_header_runs_in_a_spreadsheet(tmp_path: Path) -> None:
    # The published cases of OWASP's page, and the ones plain guards miss.
    hostile = [
        '=1+2";=1+2',
        "=1+2'\" ;,=1+2",
        "+1",
        "-1",
        "@x",
        "\t=1",
        " =1",
        "\n=1",
        "＝1",
        "\u3000=1",
        "\ufeff=1",
    ]
    frame = pd.DataFrame({"segment": range(len(hostile)), "text": hostile, "=h": hostile})
    text = Audience("a", (), frame, base_size=11).to_csv(tmp_path / "a.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text[text.index('"record",') :], newline="")))
    assert len(rows) == 1 + len(hostile)
    for row in rows:
        for cell in row:
            assert cell.strip()[:1] not in set("=+-@＝") or cell.lstrip("-").isdigit()


def test_numbers_stay_numbers_and_machines_may_have_it_plain(tmp_path: Path) -> None:
    audience = Audience("a", (), people(), base_size=3)
    assert '\n"\'@C3",3,' in audience.to_csv(tmp_path / "a.csv").read_bytes().decode()
    plain = audience.to_csv(tmp_path / "b.csv", safe=False)
    assert ',"=SUM(A1)",' in plain.read_text(encoding="utf-8")
    read = Audience.read_csv(plain)
    read.attrs.clear()
    pd.testing.assert_frame_equal(read, people())


def test_equal_audiences_give_equal_bytes(tmp_path: Path) -> None:
    files = [Audience("a", (), people(), base_size=3).to_csv(tmp_path / n) for n in "xy"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, "old")
    with pytest.raises(InvalidInput, match="half a character"):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_atomically(path / "below-a-file.csv", "x")


def test_foreign_and_torn_files_are_refused(tmp_path: Path) -> None:
    path = Audience("a", (), people(), base_size=3).to_csv(tmp_path / "a.csv")
    row = b'"C1",1,"\'=SUM(A1)",1.5,true,2020-01-01,"a","u",1,-1\n'
    assert row in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(row, b""))
    with pytest.raises(DamagedFile, match="2 of the 3 rows"):
        Audience.read_csv(path)
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DamagedFile, match="no manifest of ours"):
        Audience.read_csv(tmp_path / "b.csv")
    with pytest.raises(NotFound):
        Audience.read_csv(tmp_path / "c.csv")


def test_reprs_show_no_record() -> None:
    assert repr(Audience("a", (), people(), base_size=3)) == "Audience('a', 0 segments, 3 records)"


def test_identifiers_are_hashed_as_platforms_ask() -> None:
    # SHA-256 of "test@example.com", as hashing it with any tool shows.
    expected = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"
    assert hash_identifiers(["Test@Example.com ", "test@example.com"]) == [expected, expected]


def consenting() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "email": ["a@example.com", "b@example.com", None, "A@example.com "],
            "consent_ads": [True, False, True, True],
        },
        index=pd.Index(list("wxyz")),
    )


def test_the_file_destination_sends_who_consented_hashed_once(tmp_path: Path) -> None:
    frame = pd.DataFrame({"segment": [1, 1, 2, 2]}, index=pd.Index(list("wxyz")))
    audience = Audience("a", (), frame, base_size=4)
    path = tmp_path / "out.csv"
    dry = destination("file", path=path).push(audience, consenting())
    assert (dry.rows_sent, dry.dry_run, path.exists()) == (1, True, False)
    assert dry.rows_dropped == {
        "no consent: consent_ads": 1,
        "no identifier": 1,
        "repeated identifier": 1,
    }
    sent = destination("file", path=path).push(audience, consenting(), confirm=True)
    assert sent.rows_sent == 1
    assert path.read_text().splitlines() == ["email_sha256", *hash_identifiers(["a@example.com"])]


def test_unknown_destinations_and_other_peoples_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no destination 'moon'"):
        destination("moon")
    audience = Audience("a", (), pd.DataFrame({"segment": [1]}), base_size=1)
    with pytest.raises(InvalidInput, match="4 rows of identifiers"):
        destination("file", path=tmp_path / "x").push(audience, consenting())
