"""CSV and JSON: written in pieces, read back to the frame they came from."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, NotFound
from audience_nb.export.atomic import write_atomically, writing
from audience_nb.export.manifest import FORMAT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["guarded", "pieces", "read_csv", "read_json", "write_csv", "write_json"]

# Spreadsheets run a cell that begins so, whatever quotes surround it: OWASP, "CSV Injection".
_FORMULA = re.compile(r"^\s*'*\s*[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"^'\s*'*\s*[=+\-@\t\r\n＝＋－＠]")
_HEADER = "# "
_BOM = "\ufeff"
_PIECE = 50_000


def guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run, and before what looks guarded already.

    Parameters
    ----------
    text : str
        A cell or a header.

    Returns
    -------
    str

    Examples
    --------
    >>> guarded("=1+2"), guarded("plain")
    ("'=1+2", 'plain')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def pieces(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a table into pieces of bounded size; one without rows is one piece."""
    for start in range(0, max(1, len(frame)), _PIECE):
        yield frame.iloc[start : start + _PIECE]


def write_csv(
    frame: pd.DataFrame,
    manifest: Mapping[str, Any],
    path: str | Path,
    *,
    safe: bool,
    header: bool,
    bom: bool,
) -> Path:
    """Write a table as CSV; see `Audience.to_csv`."""
    path = Path(path)
    told = {**manifest, "guarded": safe}
    if not header:
        aside = path.with_name(f"{path.name}.manifest.json")
        write_atomically(aside, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    with writing(path) as file:
        if bom:
            file.write(_BOM.encode())
        if header:
            for key, value in told.items():
                line = f"{_HEADER}{key}: {json.dumps(value, ensure_ascii=False)}\r\n"
                file.write(line.encode())
        for i, piece in enumerate(pieces(frame)):
            file.write(_rows(piece, safe, heading=i == 0).encode())
    return path


def _rows(frame: pd.DataFrame, safe: bool, *, heading: bool) -> str:
    import pandas as pd

    table = frame.copy(deep=False)
    table.insert(0, _index_column(table), table.index)
    if safe:
        table.columns = pd.Index([guarded(str(c)) for c in table.columns])
        for position in range(table.shape[1]):
            column = table.iloc[:, position]
            if not (
                pd.api.types.is_numeric_dtype(column)
                or pd.api.types.is_datetime64_any_dtype(column)
            ):
                kept = [guarded(v) if isinstance(v, str) else v for v in column]
                table.isetitem(position, pd.Series(kept, index=column.index, dtype=object))
    buffer = io.StringIO()
    table.to_csv(
        buffer, index=False, header=heading, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL
    )
    return buffer.getvalue()


def _index_column(table: pd.DataFrame) -> str:
    name = "record" if table.index.name is None else str(table.index.name)
    while name in table.columns:
        name += "_"
    return name


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_csv` wrote; see `Audience.read_csv`."""
    import pandas as pd

    path = _there(path)
    known: dict[str, Any] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = file.tell()
        # A header line is JSON, which has no line end inside.
        while (line := file.readline()).startswith(_HEADER):
            key, _, value = line[len(_HEADER) :].partition(": ")
            try:
                known[key] = json.loads(value)
            except ValueError as error:
                raise DamagedFile(
                    f"The header line {key!r} of {path.name} is not JSON.", "Export it again."
                ) from error
            start = file.tell()
        aside = path.with_name(f"{path.name}.manifest.json")
        if not known and aside.is_file():
            known = json.loads(aside.read_text(encoding="utf-8"))
        if known.get("format") != FORMAT:
            raise DamagedFile(
                f"{path.name} does not begin with the header '# format: \"{FORMAT}\"'.",
                "Give a file that Audience.to_csv wrote.",
            )
        file.seek(start)
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    names = [known["index"]["name"], *known["columns"]]
    dtypes = [known["index"]["dtype"], *known["columns"].values()]
    _require_rows(path, len(table), known["records"])
    columns = [
        _restored(table.iloc[:, i], dtype, known["guarded"]) for i, dtype in enumerate(dtypes)
    ]
    return _frame(columns, names, known)


def write_json(frame: pd.DataFrame, manifest: Mapping[str, Any], path: str | Path) -> Path:
    """Write a table as JSON; see `Audience.to_json`."""
    with writing(path) as file:
        told = json.dumps(manifest, ensure_ascii=False)
        file.write(f'{{"manifest": {told},\n"records": [\n'.encode())
        first = True
        for piece in pieces(frame):
            name = _index_column(piece)
            columns = [_plain(piece.index.to_series()), *(_plain(piece[c]) for c in piece)]
            names = [name, *(str(c) for c in piece.columns)]
            lines = [
                json.dumps(dict(zip(names, cells, strict=True)), ensure_ascii=False)
                for cells in zip(*columns, strict=True)
            ]
            if lines:
                file.write(("" if first else ",\n").encode() + ",\n".join(lines).encode())
                first = False
        file.write(b"\n]}\n")
    return Path(path)


def read_json(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_json` wrote; see `Audience.read`."""
    import pandas as pd

    path = _there(path)
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        known, records = whole["manifest"], whole["records"]
        if known["format"] != FORMAT:
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(
            f"{path.name} is not whole, or has no manifest of ours.", "Export it again."
        ) from error
    _require_rows(path, len(records), known["records"])
    names = [known["index"]["name"], *known["columns"]]
    dtypes = [known["index"]["dtype"], *known["columns"].values()]
    cells = [list(record.values()) for record in records]
    columns = []
    for i, dtype in enumerate(dtypes):
        values = [row[i] for row in cells]
        if dtype.startswith("datetime"):
            parsed = pd.to_datetime(pd.Series(values, dtype="str"), format="ISO8601")
            columns.append(parsed.astype(dtype))
        elif dtype.lower().startswith("float"):
            numbers = [math.nan if v is None else float(v) for v in values]
            columns.append(pd.Series(numbers, dtype="float64").astype(dtype))
        else:
            columns.append(pd.Series(values, dtype=object).astype(dtype))
    return _frame(columns, names, known)


def _plain(column: pd.Series) -> list[Any]:
    """Give a column's values as JSON can hold them."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if v is pd.NaT else v.isoformat() for v in column]
    return [_value(v) for v in column.tolist()]


def _value(value: Any) -> Any:
    import pandas as pd

    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, float) and math.isinf(value):
        # JSON has no infinity; float() reads this.
        return "inf" if value > 0 else "-inf"
    if isinstance(value, str | int | float | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _there(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    return path


def _require_rows(path: Path, found: int, told: int) -> None:
    if found != told:
        raise DamagedFile(
            f"{path.name} has {found:,} of the {told:,} rows its header counts.",
            "Export it again.",
        )


def _frame(columns: list[pd.Series], names: list[str], known: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    index = pd.Index(columns[0]).rename(names[0] or None)
    frame = pd.DataFrame({i: c.to_numpy() for i, c in enumerate(columns[1:])}, index=index)
    for i, column in enumerate(columns[1:]):
        # Extension types do not survive to_numpy.
        frame.isetitem(i, column.set_axis(index))
    frame.columns = pd.Index(names[1:])
    frame.attrs["audience"] = known
    return frame


def _restored(cells: pd.Series, dtype: str, was_guarded: bool) -> pd.Series:
    """Turn the text of one column back into its values."""
    import pandas as pd

    if was_guarded:
        cells = cells.map(lambda t: t[1:] if _GUARDED.match(t) else t)
    empty = cells == ""
    if dtype.lower() in ("bool", "boolean"):
        truth = cells.map({"True": True, "False": False, "": None})
        return truth.astype("bool" if dtype == "bool" else "boolean")
    if dtype in ("object", "str", "string", "category"):
        return cells.where(~empty).astype(dtype)
    if dtype.startswith("datetime"):
        return pd.to_datetime(cells.where(~empty), format="ISO8601").astype(dtype)
    if dtype.startswith(("int", "uint")):
        return cells.astype(dtype)
    return cells.where(~empty).astype(dtype)
