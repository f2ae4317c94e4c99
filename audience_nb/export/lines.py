"""JSON: the manifest, then one record a line; read back to the table it came from."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audience_nb.errors import DamagedFile
from audience_nb.export.atomic import writing
from audience_nb.export.table import (
    dtypes_of,
    index_column,
    pieces,
    rebuilt,
    require_ours,
    require_rows,
    require_there,
    restored,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_json", "write_json"]

_WRITE = json.JSONEncoder(ensure_ascii=False).encode


def write_json(frame: pd.DataFrame, manifest: Mapping[str, Any], path: str | Path) -> Path:
    """Write a table as JSON; see `Audience.to_json`."""
    names = [index_column(frame), *(str(c) for c in frame.columns)]
    # One form for all records: each cell is written already.
    form = "{" + ", ".join(_WRITE(name).replace("%", "%%") + ": %s" for name in names) + "}"
    with writing(path) as file:
        file.write(f'{{"manifest": {_WRITE(manifest)},\n"records": [\n'.encode())
        first = True
        for piece in pieces(frame):
            columns = [_written(piece.index.to_series()), *(_written(piece[c]) for c in piece)]
            lines = [form % cells for cells in zip(*columns, strict=True)]
            if lines:
                file.write(("" if first else ",\n").encode() + ",\n".join(lines).encode())
                first = False
        file.write(b"\n]}\n")
    return Path(path)


def read_json(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_json` wrote; see `Audience.read`."""
    import pandas as pd

    path = require_there(path)
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        known, records = whole["manifest"], whole["records"]
        names = [known["index"]["name"], *known["columns"]]
        require_rows(path, len(records), known["records"])
        require_ours(path, known)
        cells = [list(record.values()) for record in records]
        columns = [
            restored(pd.Series([row[i] for row in cells], dtype=object), dtype)
            for i, dtype in enumerate(dtypes_of(known))
        ]
    except DamagedFile:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DamagedFile(
            f"{path.name} is not whole, or has no manifest of ours.", "Export it again."
        ) from error
    return rebuilt(columns, names, known)


def _written(column: pd.Series) -> list[str]:
    """Give a column's values as JSON writes them."""
    import pandas as pd

    values = column.tolist()
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        return [str(v) for v in values]
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        return [_number(v) for v in values]
    write = encode_basestring if isinstance(column.dtype, pd.StringDtype) else _WRITE
    missing = column.isna().tolist()
    return [
        "null" if gone else write(v if write is encode_basestring else _value(v))
        for gone, v in zip(missing, values, strict=True)
    ]


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    # JSON has no infinity; float() reads this.
    return "null" if math.isnan(value) else f'"{value}"'


def _value(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    if isinstance(value, str | int | float):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
