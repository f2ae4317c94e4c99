"""The same people behind every source give the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import data_server
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import source_tables
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience_nb.errors import Cancelled, InvalidInput, NotFound
from audience_nb.sources import Condition, Source, fetch_report, open_source

PEOPLE = source_tables.people()
EXPECTED = PEOPLE.set_index("who")
CODES = list(EXPECTED.columns)
KINDS = [
    "pandas", "polars", "lazy", "arrow", "csv", "tsv", "jsonl", "parquet", "parts", "duckdb",
    "sqlite", "postgresql", "http", "joined", "all",
]  # fmt: skip


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Source]]:
    """Sources by kind, opened when first asked for."""
    with ExitStack() as stack:
        yield _Opened(tmp_path_factory.mktemp("people"), stack)


class _Opened(dict[str, Source]):
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.postgres = ""

    def __missing__(self, kind: str) -> Source:
        self[kind] = open_source(*self.what(kind)[:1], id="who", **self.what(kind)[1])
        return self[kind]

    def what(self, kind: str) -> tuple[Any, dict[str, Any]]:
        folder = self.folder
        match kind:
            case "pandas":
                return PEOPLE, {}
            case "polars":
                return pl.from_pandas(PEOPLE), {}
            case "lazy":
                return pl.from_pandas(PEOPLE).lazy(), {}
            case "arrow":
                return pa.Table.from_pandas(PEOPLE), {}
            case "csv":
                PEOPLE.to_csv(folder / "people.csv", index=False)
                return folder / "people.csv", {}
            case "tsv":
                PEOPLE.to_csv(folder / "people.tsv.gz", index=False, sep="\t")
                return str(folder / "people.tsv.gz"), {}
            case "jsonl":
                PEOPLE.to_json(folder / "p.jsonl", orient="records", lines=True, date_format="iso")
                return folder / "p.jsonl", {}
            case "parquet":
                PEOPLE.to_parquet(folder / "people.parquet", row_group_size=16)
                return folder / "people.parquet", {}
            case "parts":
                (folder / "parts").mkdir(exist_ok=True)
                PEOPLE[:25].to_parquet(folder / "parts" / "1.parquet")
                PEOPLE[25:].to_csv(folder / "parts" / "2.csv", index=False)
                return str(folder / "parts" / "*"), {}
            case "duckdb":
                source_tables.to_duckdb(PEOPLE, folder / "people.duckdb")
                return f"duckdb:///{folder}/people.duckdb", {"table": "people"}
            case "sqlite":
                address = f"sqlite:///{folder}/people.db"
                source_tables.to_database(PEOPLE, address)
                return address, {"table": "people"}
            case "postgresql":
                source_tables.to_database(PEOPLE, self.postgres)
                return self.postgres, {"table": "public.people"}
            case "http":
                answers = self.stack.enter_context(
                    data_server.serving(source_tables.to_answers(PEOPLE))
                )
                return answers.address, {"columns": CODES, "token": data_server.TOKEN}
            case "joined" | "all":
                shuffled = PEOPLE.sample(frac=1, random_state=1)
                parts = [
                    PEOPLE[["who", "age", "born"]],
                    pl.from_pandas(shuffled[["who", "city", "member"]]),
                    shuffled[["spend", "who"]],
                ]
                return parts, {"keep": "all" if kind == "all" else "first"}
        raise AssertionError(kind)


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, opened: _Opened) -> Source:
    if request.param == "postgresql":
        opened.postgres = request.getfixturevalue("postgres")
    return opened[request.param]


def same(frame: pd.DataFrame, expected: pd.DataFrame) -> None:
    # Rows of a frame stand as they stood there, those of a database by id.
    pd.testing.assert_frame_equal(frame.sort_index(), expected.sort_index())


def test_it_is_a_source(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.n_records == 60
    assert sorted(source.codes) == sorted(CODES)
    assert "who" in source.attributes


def test_all_columns_are_the_same(source: Source) -> None:
    same(source.fetch(CODES), EXPECTED)


def test_columns_come_in_the_order_asked_and_the_id_as_well(source: Source) -> None:
    frame = source.fetch(["city", "who", "age"])
    assert list(frame.columns) == ["city", "who", "age"]
    assert frame["who"].tolist() == frame.index.tolist()


def test_no_columns_still_tell_who_there_is(source: Source) -> None:
    frame = source.fetch([])
    assert sorted(frame.index) == sorted(EXPECTED.index)
    assert frame.shape == (60, 0)


CONDITIONS: list[tuple[Condition, Any]] = [
    (Condition("age", "=", 40), EXPECTED["age"] == 40),
    (Condition("age", "!=", 40), EXPECTED["age"] != 40),
    (Condition("age", "<", 40.5), EXPECTED["age"] < 40.5),
    (Condition("spend", "<=", 50), EXPECTED["spend"] <= 50),
    (Condition("spend", "!=", 50), EXPECTED["spend"].notna() & (EXPECTED["spend"] != 50)),
    (Condition("spend", ">", 50.25), EXPECTED["spend"] > 50.25),
    (Condition("age", ">=", 40), EXPECTED["age"] >= 40),
    (Condition("age", "between", (30, 50)), EXPECTED["age"].between(30, 50)),
    (Condition("age", "in", [20, 30, 41]), EXPECTED["age"].isin([20, 30, 41])),
    (Condition("city", "=", "St. John's"), EXPECTED["city"] == "St. John's"),
    (Condition("city", "in", ["Québec", 'The "Peg"']),
     EXPECTED["city"].isin(["Québec", 'The "Peg"'])),
    (Condition("city", "not in", ["Québec"]),
     EXPECTED["city"].notna() & (EXPECTED["city"] != "Québec")),
    (Condition("city", "is missing"), EXPECTED["city"].isna()),
    (Condition("spend", "is missing"), EXPECTED["spend"].isna()),
    (Condition("spend", "is missing", False), EXPECTED["spend"].notna()),
    (Condition("member", "=", True), EXPECTED["member"]),
    (Condition("born", ">", "1975-06-01"), EXPECTED["born"] > "1975-06-01"),
    (Condition("born", "between", ("1960-01-01", "1970-01-01")),
     EXPECTED["born"].between("1960-01-01", "1970-01-01")),
    (Condition("who", "in", ["P00003", "P00007", "nobody"]),
     EXPECTED.index.isin(["P00003", "P00007"])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "mask"),
    CONDITIONS,
    ids=lambda c: f"{c.column} {c.operator}" if isinstance(c, Condition) else "",
)
def test_conditions_mean_the_same(source: Source, condition: Condition, mask: Any) -> None:
    same(source.fetch(["age", "spend"], where=[condition]), EXPECTED.loc[mask, ["age", "spend"]])


def test_several_conditions_hold_together(source: Source) -> None:
    where = [Condition("age", ">", 30), Condition("member", "=", False), Condition("spend", ">", 9)]
    mask = (EXPECTED["age"] > 30) & ~EXPECTED["member"] & (EXPECTED["spend"] > 9)
    same(source.fetch(["city"], where=where), EXPECTED.loc[mask, ["city"]])


def test_nobody_meets_a_condition(source: Source) -> None:
    frame = source.fetch(["age", "city"], where=[Condition("age", ">", 500)])
    assert frame.shape == (0, 2)
    assert list(frame.columns) == ["age", "city"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Condition("nope", "=", 1), "is called 'nope'"),
        (Condition("age", "=", "40 OR 1=1"), "holds number, the condition gives a str"),
        (Condition("age", "in", []), "0 values"),
        (Condition("age", "; DROP TABLE people", 1), "no operator"),  # type: ignore[arg-type]
        (Condition("city", "<", "M"), "puts values in order"),
        (Condition("city", "=", "a\0b"), "NUL"),
        (Condition("born", "=", "yesterday"), "holds date"),
        (Condition("age", "=", float("nan")), "holds number"),
        (Condition("age", "between", (1, 2, 3)), "3 were given"),
    ],
)
def test_conditions_are_checked(source: Source, condition: Condition, said: str) -> None:
    with pytest.raises((InvalidInput, NotFound), match=said):
        source.fetch(["age"], where=[condition])


def test_unknown_columns_are_refused_or_reported(source: Source) -> None:
    with pytest.raises(NotFound, match=r"1 of 2 columns .* 'nope'"):
        source.fetch(["age", "nope"])
    assert fetch_report(source, ["age", "nope"]).without_source == ("nope",)
    with pytest.raises(NotFound, match="2 of 2"):
        fetch_report(source, ["nope", 'x" FROM people; --'])


def test_a_sample_is_spread_and_the_same_each_time(source: Source) -> None:
    frame = source.sample(7)
    assert 3 <= len(frame) <= 7
    assert sorted(frame.columns) == sorted(CODES)
    pd.testing.assert_frame_equal(frame, source.sample(7))
    same(frame[CODES], EXPECTED.loc[frame.index])
    places = [int(p[1:]) for p in sorted(frame.index)]
    assert places[-1] - places[0] >= 40
    assert len(source.sample(1000)) == 60


def test_progress_goes_up_to_one_and_cancel_leaves_nothing(source: Source) -> None:
    told: list[float] = []
    source.fetch(CODES, progress=lambda stage, fraction: told.append(fraction))
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    n_told = 0

    def stop(stage: str, fraction: float) -> None:
        nonlocal n_told
        n_told += 1
        if n_told == 2:
            raise Cancelled("Stopped, as you asked.", "")

    with pytest.raises(Cancelled):
        source.fetch(CODES, progress=stop)
    same(source.fetch(["age"]), EXPECTED[["age"]])


def test_what_is_given_out_is_the_callers(source: Source) -> None:
    frame = source.fetch(["age"])
    frame["age"] = -1
    frame.iloc[:, 0] = -2
    same(source.fetch(["age"]), EXPECTED[["age"]])


def test_nothing_private_is_in_the_representation(source: Source) -> None:
    said = repr(source) + repr(fetch_report(source, ["city"]))
    for secret in ("P00003", "Québec", data_server.TOKEN, "s3same"):
        assert secret not in said


@pytest.mark.parametrize("kind", ["csv", "parquet", "sqlite", "joined", "lazy"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    columns=st.lists(st.sampled_from([*CODES, "who"]), min_size=1, unique=True),
    low=st.integers(10, 60),
)
def test_any_choice_agrees_with_the_whole(
    opened: _Opened, kind: str, columns: list[str], low: int
) -> None:
    whole = EXPECTED.assign(who=EXPECTED.index)
    frame = opened[kind].fetch(columns, where=[Condition("age", ">=", low)])
    same(
        frame,
        whole.loc[whole["age"] >= low, columns].astype({c: "str" for c in columns if c == "who"}),
    )
