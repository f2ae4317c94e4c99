"""An audience: a named choice of segments, written to a file and read back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segment

__all__ = ["Audience", "hash_identifiers", "write_atomically"]

# Spreadsheets run a cell that begins so, whatever quotes surround it: OWASP, "CSV Injection".
_FORMULA = re.compile(r"^\s*'*\s*[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"^'\s*'*\s*[=+\-@\t\r\n＝＋－＠]")
_HEADER = "# "
_FORMAT = "audience_nb audience 1"


@dataclass(frozen=True)
class Audience:
    """A named choice of segments: what leaves the house.

    Parameters
    ----------
    name : str
        Shown to people and written into the file.
    segments : tuple of Segment
        The chosen segments.
    frame : pandas.DataFrame of shape (size, 2 + n_variables)
        The records, indexed by identifier: `segment`, `segment_name`, then the variables.
    base_size : int
        Records in the base the segments were cut from.
    metadata : mapping
        Decisions that led here (query, variables, bounds, seed …), written into the file.

    Examples
    --------
    >>> import pandas as pd
    >>> Audience("All", (), pd.DataFrame({"segment": [1, 1]}), base_size=4).share
    0.5
    """

    name: str
    segments: tuple[Segment, ...]
    frame: pd.DataFrame = field(repr=False)
    base_size: int
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"Audience({self.name!r}, {len(self.segments)} segments, {self.size:,} records)"

    @property
    def size(self) -> int:
        """Records in the audience."""
        return len(self.frame)

    @property
    def share(self) -> float:
        """Fraction of the base that the audience holds, in [0, 1]."""
        return self.size / self.base_size

    def to_csv(self, path: str | Path, *, safe: bool = True) -> Path:
        """Write the audience as CSV under a header of `# key: value` lines.

        The file appears whole or not at all: it is written beside its place and renamed.

        Parameters
        ----------
        path : str or pathlib.Path
            Where to; folders are made.
        safe : bool, optional
            Put an apostrophe before text that a spreadsheet would run as a formula (OWASP,
            "CSV Injection"); numbers stay numbers. `read_csv` takes it away again.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        InvalidInput
            If the place cannot be written to.

        Examples
        --------
        >>> import pandas as pd, tempfile
        >>> audience = Audience("Two", (), pd.DataFrame({"segment": [1, 2]}), base_size=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Audience.read_csv(audience.to_csv(Path(folder) / "two.csv")).equals(audience.frame)
        True
        """
        return write_atomically(path, self._header(safe) + self._rows(safe))

    def _header(self, safe: bool) -> str:
        frame = self.frame
        index = "" if frame.index.name is None else str(frame.index.name)
        known: dict[str, Any] = {
            "format": _FORMAT,
            "audience": self.name,
            "records": self.size,
            "base records": self.base_size,
            "segments": [
                {"id": s.id, "name": s.name, "size": s.size, "share": s.share}
                for s in self.segments
            ],
            **self.metadata,
            "guarded": safe,
            "index": {"name": index, "dtype": str(frame.index.dtype)},
            "columns": {str(c): str(t) for c, t in frame.dtypes.items()},
        }
        return "".join(
            f"{_HEADER}{key}: {json.dumps(value, ensure_ascii=False)}\r\n"
            for key, value in known.items()
        )

    def _rows(self, safe: bool) -> str:
        import pandas as pd

        table = self.frame.copy()
        table.insert(0, _index_column(table), table.index)
        if safe:
            table.columns = [_guard(str(c)) for c in table.columns]
            for position in range(table.shape[1]):
                column = table.iloc[:, position]
                if not (pd.api.types.is_numeric_dtype(column) or _is_date(column)):
                    guarded = column.map(lambda v: _guard(v) if isinstance(v, str) else v)
                    table.isetitem(position, guarded)
        buffer = io.StringIO()
        table.to_csv(buffer, index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
        return buffer.getvalue()

    @staticmethod
    def read_csv(path: str | Path) -> pd.DataFrame:
        """Read a file that `to_csv` wrote back to the frame it came from.

        Parameters
        ----------
        path : str or pathlib.Path
            The file.

        Returns
        -------
        pandas.DataFrame of shape (size, 2 + n_variables)
            Equal to the audience's frame: index, columns, dtypes, values. The header stands in
            `frame.attrs["audience"]`.

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If it has no header of ours, or fewer rows than the header says.
        """
        import pandas as pd

        path = Path(path)
        if not path.is_file():
            raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
        text = path.read_bytes().decode("utf-8-sig")
        known: dict[str, Any] = {}
        start = 0
        while text.startswith(_HEADER, start):
            end = text.find("\n", start) + 1 or len(text)
            key, _, value = text[start + len(_HEADER) : end].partition(": ")
            try:
                known[key] = json.loads(value)
            except ValueError as error:
                raise DamagedFile(
                    f"The header line {key!r} of {path.name} is not JSON.", "Export it again."
                ) from error
            start = end
        if known.get("format") != _FORMAT:
            raise DamagedFile(
                f"{path.name} does not begin with the header '# format: \"{_FORMAT}\"'.",
                "Give a file that Audience.to_csv wrote.",
            )
        table = pd.read_csv(io.StringIO(text[start:]), dtype=str, keep_default_na=False)
        if len(table) != known["records"]:
            raise DamagedFile(
                f"{path.name} has {len(table):,} of the {known['records']:,} rows its header "
                "counts.",
                "Export it again.",
            )
        names = [known["index"]["name"], *known["columns"]]
        dtypes = [known["index"]["dtype"], *known["columns"].values()]
        columns = [
            _restore(table.iloc[:, i], dtype, known["guarded"]) for i, dtype in enumerate(dtypes)
        ]
        index = pd.Index(columns[0]).rename(names[0] or None)
        frame = pd.DataFrame({i: c.to_numpy() for i, c in enumerate(columns[1:])}, index=index)
        for i, column in enumerate(columns[1:]):
            # Extension types do not survive to_numpy.
            frame.isetitem(i, column.set_axis(index))
        frame.columns = pd.Index(names[1:])
        frame.attrs["audience"] = known
        return frame


def write_atomically(path: str | Path, text: str) -> Path:
    """Write a text file that appears whole or not at all.

    Parameters
    ----------
    path : str or pathlib.Path
        Where to; folders are made, a file of that name is replaced.
    text : str
        The content, written as UTF-8.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InvalidInput
        If the place cannot be written to.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not mkstemp: its file only the owner could read, and the name must be on this disk.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        try:
            with temporary.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InvalidInput(
            f"{path.name} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    return path


def _index_column(table: pd.DataFrame) -> str:
    name = "record" if table.index.name is None else str(table.index.name)
    while name in table.columns:
        name += "_"
    return name


def _is_date(column: pd.Series[Any]) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_datetime64_any_dtype(column))


def _guard(text: str) -> str:
    """Put an apostrophe before what would run, and before what looks guarded already."""
    return f"'{text}" if _FORMULA.match(text) else text


def _restore(cells: pd.Series[str], dtype: str, guarded: bool) -> pd.Series[Any]:
    """Turn the text of one column back into its values."""
    import pandas as pd

    if guarded:
        cells = cells.map(lambda t: t[1:] if _GUARDED.match(t) else t)
    empty = cells == ""
    if dtype.lower() in ("bool", "boolean"):
        truth = cells.map({"True": True, "False": False, "": None})
        return truth.astype("bool" if dtype == "bool" else "boolean")
    if dtype in ("object", "str", "string", "category"):
        return cells.where(~empty).astype(dtype)
    if dtype.startswith("datetime"):
        return pd.to_datetime(cells.where(~empty)).astype(dtype)
    if dtype.startswith(("int", "uint")):
        return cells.astype(dtype)
    return cells.where(~empty).astype(dtype)


def hash_identifiers(values: Sequence[str]) -> list[str]:
    """Hash identifiers so that plain ones do not leave.

    SHA-256 over the trimmed, lower-case text in UTF-8, as the advertising platforms ask for
    e-mail addresses.

    Parameters
    ----------
    values : sequence of str
        Plain identifiers.

    Returns
    -------
    list of str
        64 hexadecimal digits each.

    Examples
    --------
    >>> hash_identifiers([" Test@Example.com"]) == hash_identifiers(["test@example.com"])
    True
    """
    return [hashlib.sha256(v.strip().lower().encode()).hexdigest() for v in values]
