"""One table of people, put wherever a source can read it from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import sqlalchemy as sa

TYPES: dict[str, Any] = {
    "who": sa.String(),
    "age": sa.Integer(),
    "spend": sa.Float(53),
    "city": sa.String(),
    "member": sa.Boolean(),
    "born": sa.DateTime(),
}


def people(n: int = 60) -> pd.DataFrame:
    """Give n people, sorted by id: whole numbers, gaps, accents, quotes, dates."""
    rng = np.random.default_rng(5)
    cities = np.array(["Québec", "St. John's", 'The "Peg"', "Trois,Rivières", "x; DROP TABLE who"])
    born = pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 18_000, n), unit="D")
    return pd.DataFrame(
        {
            "who": [f"P{i:05d}" for i in range(n)],
            "age": rng.integers(18, 90, n),
            "spend": np.where(rng.random(n) < 0.2, np.nan, np.round(rng.random(n) * 100, 2)),
            "city": pd.Series(cities[rng.integers(0, 5, n)]).where(rng.random(n) > 0.1).to_numpy(),
            "member": rng.random(n) < 0.4,
            "born": pd.Series(born).where(rng.random(n) > 0.1).astype("datetime64[us]"),
        }
    ).astype({"city": "str"})


def to_database(
    frame: pd.DataFrame,
    address: str,
    table: str = "people",
    types: dict[str, Any] = TYPES,
    key: str | None = "who",
    schema: str | None = None,
) -> None:
    engine = sa.create_engine(address)
    columns = [sa.Column(c, types[c], primary_key=c == key) for c in frame.columns]
    made = sa.Table(table, sa.MetaData(), *columns, schema=schema)
    with engine.begin() as connection:
        made.drop(connection, checkfirst=True)
        made.create(connection)
        rows = [
            {c: None if pd.isna(v) else _plain(v) for c, v in row.items()}
            for row in frame.to_dict("records")
        ]
        if rows:
            connection.execute(made.insert(), rows)
    engine.dispose()


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def to_duckdb(frame: pd.DataFrame, path: Path, table: str = "people") -> None:
    with duckdb.connect(str(path)) as connection:
        connection.register("given", frame)
        name = table.replace('"', '""')
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')


def to_answers(frame: pd.DataFrame, id: str = "who") -> dict[str, dict[str, list[Any]]]:
    """Give each column as an interface answers it, each in an order of its own."""
    answers = {}
    for place, column in enumerate(c for c in frame.columns if c != id):
        rows = frame.sample(frac=1, random_state=place)
        values = [None if pd.isna(v) else _plain(v) for v in rows[column]]
        answers[column] = {id: rows[id].tolist(), column: values}
    return answers
