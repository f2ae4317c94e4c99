"""Names and values never reach an engine as text, and secrets reach nobody."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import data_server
import duckdb
import pandas as pd
import pytest
import source_tables
import sqlalchemy as sa

from audience_nb.catalog import Catalog
from audience_nb.errors import AudienceError, InvalidInput, NotFound
from audience_nb.session import Session
from audience_nb.sources import Condition, Source, open_source
from audience_nb.sources.engine import connected

HOSTILE = [
    'a"; DROP TABLE people; --',
    "b'; DELETE FROM people WHERE '1'='1",
    "c%s %(x)s :name ?",
    "d`[e]`",
    "select",
    "Été\\n",
    "f) FROM people UNION SELECT who",
]
HOSTILE_TABLE = 'people"; DROP TABLE people; --'


def hostile() -> pd.DataFrame:
    columns = {name: [i, i + 10, i + 20] for i, name in enumerate(HOSTILE)}
    return pd.DataFrame({"who": HOSTILE[:3], **columns, "text": HOSTILE[3:6]})


@pytest.fixture(params=["csv", "jsonl", "parquet", "duckdb", "sqlite", "postgresql", "http"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    frame = hostile()
    types = {c: sa.Integer() for c in HOSTILE} | {"who": sa.String(), "text": sa.String()}
    folder = tmp_path / "it's [a] folder; DROP TABLE people"
    folder.mkdir()
    options: dict[str, Any] = {"table": HOSTILE_TABLE}
    match request.param:
        case "csv":
            frame.to_csv(folder / "p.csv", index=False)
            yield open_source(folder / "p.csv", id="who")
        case "jsonl":
            frame.to_json(folder / "p.jsonl", orient="records", lines=True)
            yield open_source(folder / "p.jsonl", id="who")
        case "parquet":
            frame.to_parquet(folder / "p.parquet")
            yield open_source(folder / "p.parquet", id="who")
        case "duckdb":
            source_tables.to_duckdb(frame, folder / "p.duckdb", HOSTILE_TABLE)
            yield open_source(folder / "p.duckdb", id="who", **options)
        case "sqlite" | "postgresql":
            address = f"sqlite:///{tmp_path}/p.db"
            if request.param == "postgresql":
                address = request.getfixturevalue("postgres")
            source_tables.to_database(frame, address, HOSTILE_TABLE, types)
            yield open_source(address, id="who", **options)
        case _:
            with data_server.serving(source_tables.to_answers(frame)) as answers:
                yield open_source(
                    answers.address, id="who", columns=[*HOSTILE, "text"], token=data_server.TOKEN
                )


def test_hostile_names_and_values_are_only_names_and_values(source: Source) -> None:
    expected = hostile().set_index("who")
    frame = source.fetch([*HOSTILE, "text"]).loc[expected.index]
    pd.testing.assert_frame_equal(frame, expected)
    for place, name in enumerate(HOSTILE):
        found = source.fetch(["text"], where=[Condition(name, "=", place + 10)])
        assert found["text"].tolist() == [HOSTILE[4]]
    for text in HOSTILE:
        n_found = len(source.fetch([], where=[Condition("text", "in", [text, text + "'"])]))
        assert n_found == (text in HOSTILE[3:6])
        assert len(source.fetch([], where=[Condition("text", "!=", text)])) == 3 - n_found
    assert sorted(source.fetch([], where=[Condition("who", "=", HOSTILE[0])]).index) == [HOSTILE[0]]
    assert sorted(source.sample(3).index) == sorted(HOSTILE[:3])
    # All of it is still there.
    pd.testing.assert_frame_equal(source.fetch(["text"]).loc[expected.index], expected[["text"]])


@pytest.mark.parametrize(
    "name", ["1; DROP TABLE people", 'who" OR 1=1 --', "\0", "people.who", "*"]
)
def test_names_that_the_table_lacks_go_nowhere(source: Source, name: str) -> None:
    with pytest.raises(NotFound):
        source.fetch([name])
    with pytest.raises(NotFound):
        source.fetch(["text"], where=[Condition(name, "=", 1)])


@pytest.mark.parametrize("table", ["people; DROP TABLE people", 'people" --', "no.such", "", "\0"])
@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "postgresql"])
def test_tables_that_are_not_there_are_not_found(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str, table: str
) -> None:
    frame = source_tables.people(5)
    address = f"duckdb:///{tmp_path}/p.duckdb"
    if engine == "duckdb":
        source_tables.to_duckdb(frame, tmp_path / "p.duckdb")
    else:
        address = f"sqlite:///{tmp_path}/p.db"
        if engine == "postgresql":
            address = request.getfixturevalue("postgres")
        source_tables.to_database(frame, address)
    with pytest.raises(NotFound):
        open_source(address, table=table, id="who")
    assert open_source(address, table="people", id="who").n_records == 5


def test_duckdb_is_locked_to_its_files(tmp_path: Path) -> None:
    allowed, other = tmp_path / "a.csv", tmp_path / "b.csv"
    allowed.write_text("a\n1\n")
    other.write_text("a\n2\n")
    escapes = [
        f"SELECT * FROM read_csv('{other}')",
        f"SELECT * FROM read_text('{tmp_path}/../{tmp_path.name}/b.csv')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"COPY (SELECT 1) TO '{tmp_path}/c.csv'",
        f"ATTACH '{tmp_path}/d.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "SET allowed_paths = ['/']",
        f"EXPORT DATABASE '{tmp_path}/e'",
    ]
    for escape in escapes:
        with pytest.raises(AudienceError), connected(allowed) as connection:
            connection.execute(escape).fetchall()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "b.csv"]
    with connected(allowed) as connection:
        assert connection.execute(f"SELECT * FROM read_csv('{allowed}')").fetchall() == [(1,)]


def test_a_view_in_a_database_reads_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        connection.execute(f"CREATE VIEW leak AS SELECT * FROM read_csv('{tmp_path}/secret.csv')")
    with pytest.raises(AudienceError) as caught:
        open_source(tmp_path / "p.duckdb", table="leak")
    assert "secret.csv" not in str(caught.value)


def test_databases_are_read_only(tmp_path: Path, postgres: str) -> None:
    source_tables.to_database(source_tables.people(3), f"sqlite:///{tmp_path}/p.db")
    source_tables.to_database(source_tables.people(3), postgres)
    for address in (f"sqlite:///{tmp_path}/p.db", postgres):
        source: Any = open_source(address, table="people")
        with pytest.raises(AudienceError), source._reading() as connection:
            connection.execute(sa.text("DELETE FROM people"))
        assert source.fetch(["age"]).shape == (3, 1)


# -- secrets -----------------------------------------------------------------------------------

SECRET = "s3same-0pen"


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://ann:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://ann:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://ann@127.0.0.1:1/shop?password={SECRET}",
        f"postgresql://ann:{SECRET}@[::1/shop",
        f"snowflake://ann:{SECRET}@account/db",
        f"nosuchthing://ann:{SECRET}@host/db",
        f"https://ann:{SECRET}@127.0.0.1:1/v1",
        f"https://127.0.0.1:1/v1?key={SECRET}",
    ],
)
def test_no_error_tells_the_password(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(AudienceError) as caught:
        Session(address, table="customers", id="who", columns=["a"]) if "http" not in address else (
            Session(address, id="who", columns=["a"])
        )
    assert SECRET not in everything_said(caught.value)
    assert SECRET not in caplog.text


def test_a_wrong_password_is_said_without_it(postgres: str) -> None:
    wrong = postgres.replace(SECRET, "wr0ng-pass")
    with pytest.raises(AudienceError, match="does not let this user in") as caught:
        open_source(wrong, table="people")
    assert "wr0ng-pass" not in everything_said(caught.value)


def test_a_session_on_a_database_keeps_no_password(postgres: str, tmp_path: Path) -> None:
    source_tables.to_database(source_tables.people(), postgres)
    session = Session(postgres, table="people", id="who")
    session.confirm(["age", "spend", "member"])
    session.segment(n_segments=10)
    saved = session.save(tmp_path / "session.json")
    code = session.to_code()
    for text in (saved.read_text(), code, repr(session), json.dumps(session.snapshot().to_dict())):
        assert SECRET not in text
        assert "P00003" not in text
    assert "put it in place of PASSWORD" in code
    with pytest.raises(InvalidInput, match="password is never saved"):
        Session.open(saved)
    again = Session.open(saved, frame=postgres)
    assert again.segmentation is not None and session.segmentation is not None
    assert again.segmentation.labels.equals(session.segmentation.labels)
    # The code that was written leads there as well, once the password is put in.
    room: dict[str, Any] = {}
    exec(code.replace("PASSWORD@", f"{SECRET}@"), room)
    assert room["session"].segmentation.labels.equals(session.segmentation.labels)
    # As does the table itself, in place of the database.
    frame = source_tables.people()
    assert Session.open(saved, frame=frame).segmentation is not None


def test_a_session_on_an_interface_keeps_no_token(tmp_path: Path) -> None:
    people = source_tables.people()
    catalog = Catalog.from_frame(people.drop(columns="who"))
    with data_server.serving(source_tables.to_answers(people)) as answers:
        session = Session(answers.address, id="who", token=data_server.TOKEN, catalog=catalog)
        session.confirm(["age", "spend"])
        session.load()
        saved = session.save(tmp_path / "session.json")
        for text in (saved.read_text(), session.to_code(), repr(session), repr(session.source)):
            assert data_server.TOKEN not in text
        with pytest.raises(InvalidInput, match="with a token, which is never saved"):
            Session.open(saved, catalog=catalog)
        again = Session.open(saved, catalog=catalog, token=data_server.TOKEN)
        assert again.state.frame is not None
    assert not any(data_server.TOKEN in json.dumps(body) for _, body in answers.asked)
