"""Parquet: written in pieces, the manifest in the file's metadata, read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.export.atomic import writing
from audience_nb.export.manifest import FORMAT
from audience_nb.export.text import pieces

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_parquet", "write_parquet"]

_KEY = b"audience_nb"


def write_parquet(frame: pd.DataFrame, manifest: Mapping[str, Any], path: str | Path) -> Path:
    """Write a table as Parquet; see `Audience.to_parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = frame.copy(deep=False)
    plain.attrs = {}
    try:
        schema = pa.Schema.from_pandas(plain, preserve_index=True)
        told = json.dumps(manifest, ensure_ascii=False).encode()
        schema = schema.with_metadata({**(schema.metadata or {}), _KEY: told})
        with writing(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for piece in pieces(plain):
                writer.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InvalidInput(
            "A column mixes types, which Parquet does not hold.", "Export CSV or JSON."
        ) from error
    return Path(path)


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Read a file that `write_parquet` wrote; see `Audience.read`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    try:
        table = pq.read_table(path)
        known = json.loads((table.schema.metadata or {})[_KEY])
        if known["format"] != FORMAT:
            raise KeyError
    except (pa.ArrowInvalid, KeyError, ValueError) as error:
        raise DamagedFile(
            f"{path.name} is not whole, or has no manifest of ours.", "Export it again."
        ) from error
    frame: pd.DataFrame = table.to_pandas()
    frame.attrs["audience"] = known
    return frame
