"""A session on anybody's data: what is enough to start, and how it is opened again."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
import source_tables

from audience_nb import sources
from audience_nb.errors import Cancelled, InvalidInput, MissingExtra, NotFound
from audience_nb.session import Session
from audience_nb.sources import Source, fetch_report, open_source, register_source
from audience_nb.sources.address import without_secrets
from audience_nb.sources.frame import FrameSource
from audience_nb.widget import AudienceBuilder

PEOPLE = source_tables.people(80)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    PEOPLE.to_csv(tmp_path / "customers.csv", index=False)
    PEOPLE.to_parquet(tmp_path / "customers.parquet")
    PEOPLE[["who", "age", "city"]].to_parquet(tmp_path / "ages.parquet")
    PEOPLE[["who", "spend", "member", "born"]][::-1].to_csv(tmp_path / "spend.csv", index=False)
    source_tables.to_database(PEOPLE, f"sqlite:///{tmp_path}/shop.db", "customers")
    source_tables.to_duckdb(PEOPLE, tmp_path / "shop.duckdb", "customers")
    (tmp_path / "codebook.csv").write_text(
        "variable,meaning\nage,Age of the customer\nspend,Money spent in the last month\n"
    )
    return {
        "csv": (str(tmp_path / "customers.csv"), {}),
        "parquet": (tmp_path / "customers.parquet", {}),
        "pattern": (str(tmp_path / "customers.par*"), {}),
        "list": ([tmp_path / "ages.parquet", str(tmp_path / "spend.csv")], {}),
        "sqlite": (f"sqlite:///{tmp_path}/shop.db", {"table": "customers"}),
        "duckdb": (f"duckdb:///{tmp_path}/shop.duckdb", {"table": "customers"}),
        "address": (f"file://{tmp_path}/customers.csv", {}),
    }


@pytest.mark.parametrize(
    "kind", ["csv", "parquet", "pattern", "list", "sqlite", "duckdb", "address"]
)
def test_one_line_is_enough_and_leads_to_the_same_segments(
    places: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    what, options = places[kind]
    dictionary = tmp_path / "codebook.csv"
    session = Session(what, dictionary=dictionary, id="who", **options)
    assert session.catalog["age"].label == "Age of the customer"
    plain = Session(PEOPLE, dictionary=dictionary, id="who")
    for one in (session, plain):
        one.confirm(["age", "spend", "city"])
        one.segment(n_segments=12)
    assert session.segmentation is not None and plain.segmentation is not None
    assert session.segmentation.labels.sort_index().equals(
        plain.segmentation.labels.sort_index()
    ), "the same people, the same segments, wherever they were read from"
    decisions = json.loads(json.dumps(session.to_json()))
    again = Session.from_json(decisions)
    assert again.segmentation is not None
    assert again.segmentation.labels.equals(session.segmentation.labels)
    room: dict[str, Any] = {}
    exec(session.to_code(), room)
    assert room["session"].segmentation.labels.equals(session.segmentation.labels)


@pytest.mark.parametrize("make", [pl.from_pandas, lambda frame: pl.from_pandas(frame).to_arrow()])
def test_tables_of_other_libraries(make: Any) -> None:
    session = Session(make(PEOPLE), id="who")
    session.confirm(["age", "member"])
    assert session.load().index.tolist() == PEOPLE["who"].tolist()
    with pytest.raises(InvalidInput, match="a table of your own"):
        Session.from_json(session.to_json())
    again = Session.from_json(session.to_json(), frame=PEOPLE)
    assert again.state.frame is not None


def test_the_widget_passes_it_on(places: dict[str, Any]) -> None:
    what, options = places["sqlite"]
    builder = AudienceBuilder(what, id="who", **options)
    assert builder.session.source.n_records == 80
    assert builder.snapshot["data"]["name"] == "customers in sqlite"
    assert "P00003" not in json.dumps(builder.snapshot)


def test_a_report_is_kept_without_rows(tmp_path: Path) -> None:
    rows = pd.concat([PEOPLE, PEOPLE.head(3), PEOPLE.tail(2).assign(who=None)])
    session = Session(rows, id="who")
    session.confirm(["age"])
    session.load()
    fetched = session.state.fetched
    assert fetched is not None
    assert {d.reason: d.count for d in fetched.dropped} == {
        "no id": 2,
        "repeated id, the fullest row was kept": 3,
    }
    assert len(fetched.frame) == 0
    assert "P0000" not in repr(session.state.fetched)


def test_cancelling_a_load_leaves_the_session(places: dict[str, Any]) -> None:
    for kind in ("csv", "parquet", "sqlite", "list"):
        what, options = places[kind]
        session = Session(what, id="who", **options)
        session.confirm(["age", "spend"])

        def stop(stage: str, fraction: float) -> None:
            if fraction > 0:
                raise Cancelled("Stopped, as you asked.", "")

        session.progress = stop
        with pytest.raises(Cancelled):
            session.load()
        assert session.state.frame is None
        assert session.state.confirmed == ("age", "spend")
        session.progress = None
        assert len(session.load()) == 80


def test_options_that_do_not_suit_are_said(places: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="has no option 'token'"):
        Session(places["csv"][0], id="who", token="x")
    with pytest.raises(InvalidInput, match="'table' is for records of your own"):
        Session(table="customers")
    with pytest.raises(NotFound, match="No table is named"):
        Session(places["sqlite"][0])
    with pytest.raises(NotFound, match=r"There is no file 'no\.db'"):
        Session("sqlite:///no.db", table="customers")
    with pytest.raises(InvalidInput, match="no primary key"):
        Session(places["sqlite"][0], table=_keyless(places["sqlite"][0]))


def _keyless(address: str) -> str:
    source_tables.to_database(PEOPLE, address, "keyless", key=None)
    return "keyless"


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(MissingExtra, match=r"snowflake.*pip install 'snowflake-sqlalchemy'"):
        open_source("snowflake://ann@account/db", table="customers", id="who")


# -- the registry ------------------------------------------------------------------------------


class Plain:
    """The least that is a source."""

    name = "plain"
    n_records = 2
    codes = ("age",)
    attributes = ("who",)

    def fetch(self, columns: Any, *, where: Any = (), progress: Any = None) -> pd.DataFrame:
        return pd.DataFrame({"age": [31, 46]}, index=["a", "b"])[list(columns)]

    def sample(self, n: int) -> pd.DataFrame:
        return self.fetch(["age"]).head(n)


def test_somebodys_own_source_is_one() -> None:
    assert isinstance(Plain(), Source)
    source = open_source(Plain())
    assert fetch_report(source, ["age"]).matched == 2


def test_sources_are_registered_by_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_OPENERS", {})
    register_source("own+kind", lambda address, **options: Plain())
    assert open_source("own+kind://here").name == "plain"
    with pytest.raises(InvalidInput, match="is no scheme"):
        register_source("a b", lambda address: Plain())


def test_sources_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("theirs", f"{__name__}:opened", sources.ENTRY_POINTS)
    monkeypatch.setattr(sources, "entry_points", lambda group: [point])
    assert open_source("theirs://here", id="who").n_records == 80


def opened(address: str, id: str | None = None) -> Source:
    assert address == "theirs://here"
    return FrameSource(PEOPLE, id=id)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("postgresql://ann@db/shop", "postgresql://ann@db/shop"),
        ("postgresql://ann:a%40b:c@db:5432/shop", "postgresql://ann:PASSWORD@db:5432/shop"),
        ("snowflake://ann:x@acc/db?warehouse=w&private_key=k",
         "snowflake://ann:PASSWORD@acc/db?warehouse=w&private_key=PASSWORD"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        ("sqlite:////srv/shop.db", "sqlite:////srv/shop.db"),
        ("bigquery://project/dataset?credentials_base64=abc",
         "bigquery://project/dataset?credentials_base64=PASSWORD"),
    ],
)  # fmt: skip
def test_what_is_kept_of_an_address(address: str, kept: str) -> None:
    text, secret = without_secrets(address)
    assert text == kept
    assert secret == (address != kept)
    assert without_secrets(text) == (text, False)
