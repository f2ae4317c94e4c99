"""Parquet: written in pieces, the manifest in the file's metadata, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.export.atomic import broken_text, writing
from audience_nb.export.table import pieces, require_ours, require_rows, require_there

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_parquet", "write_parquet"]

_KEY = b"audience_nb"


def write_parquet(frame: pd.DataFrame, manifest: Mapping[str, Any], path: str | Path) -> Path:
    """Write a table as Parquet; see `Audience.to_parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pa.Schema.from_pandas(frame, preserve_index=True)
        told = json.dumps(manifest, ensure_ascii=False).encode()
        schema = schema.with_metadata({**(schema.metadata or {}), _KEY: told})
        with writing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for piece in pieces(frame):
                writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=True))
    except InvalidInput:
        raise
    except UnicodeEncodeError as error:
        raise broken_text(Path(path)) from error
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise InvalidInput(
            "A column mixes types, or holds values that Parquet does not.", "Export CSV or JSON."
        ) from error
    return Path(path)


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_parquet` wrote; see `Audience.read`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = require_there(path)
    try:
        table = pq.read_table(path)
        known = json.loads((table.schema.metadata or {})[_KEY])
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise DamagedFile(
            f"{path.name} is not whole, or has no manifest of ours.", "Export it again."
        ) from error
    require_ours(path, known)
    require_rows(path, len(table), known["records"])
    frame: pd.DataFrame = table.to_pandas()
    for name, dtype in known["columns"].items():
        if dtype == "object" and str(frame[name].dtype) == "str":
            # Arrow has one kind of text, pandas several.
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    frame.attrs["audience"] = known
    return frame
