"""A table as files hold it: names that are texts, pieces of bounded size, and the way back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.export.manifest import FORMAT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dtypes_of", "index_column", "pieces", "rebuilt", "require_ours", "restored", "tidied"]

_PIECE = 50_000


def tidied(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a table whose columns have texts as names, each once.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any.

    Returns
    -------
    pandas.DataFrame
        The same one where nothing is to do; without attributes.

    Raises
    ------
    InvalidInput
        If two columns have one name, or rows or columns have several levels.
    """
    import pandas as pd

    if isinstance(frame.index, pd.MultiIndex) or isinstance(frame.columns, pd.MultiIndex):
        raise InvalidInput(
            "Rows or columns of the audience have several levels.", "Flatten them: reset_index()."
        )
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"Two columns are called {twice!r}.", "Rename one of them.")
    frame = frame.copy(deep=False)
    frame.attrs = {}
    if names != list(frame.columns):
        frame.columns = pd.Index(names)
    return frame


def pieces(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut a table into pieces of bounded size; one without rows is one piece."""
    for start in range(0, max(1, len(frame)), _PIECE):
        yield frame.iloc[start : start + _PIECE]


def index_column(table: pd.DataFrame) -> str:
    """Give the name under which the records' ids stand in a file."""
    name = "record" if table.index.name is None else str(table.index.name)
    while name in table.columns:
        name += "_"
    return name


def require_ours(path: Path, known: Any) -> None:
    """Refuse what has no manifest of ours.

    Raises
    ------
    DamagedFile
        If it has none.
    """
    try:
        whole = (
            known["format"] == FORMAT
            and {"name", "dtype"} <= set(known["index"])
            and isinstance(known["columns"], dict)
            and isinstance(known["records"], int)
        )
    except (KeyError, TypeError):
        whole = False
    if not whole:
        raise DamagedFile(
            f"{path.name} is not whole, or has no manifest of ours.",
            "Give a file that an audience was written to, or export it again.",
        )


def require_there(path: str | Path) -> Path:
    """Give the path of a file that is there.

    Raises
    ------
    NotFound
        If there is none.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    return path


def require_rows(path: Path, found: int, told: int) -> None:
    """Refuse a file that lacks rows.

    Raises
    ------
    DamagedFile
        If it has others than its manifest counts.
    """
    if found != told:
        raise DamagedFile(
            f"{path.name} has {found:,} of the {told:,} rows its header counts.",
            "Export it again.",
        )


def dtypes_of(known: Mapping[str, Any]) -> list[str]:
    """Give the dtypes of a file's columns, the records' ids first."""
    return [known["index"]["dtype"], *known["columns"].values()]


def restored(cells: pd.Series, dtype: str) -> pd.Series:
    """Turn one column, as a file holds it, back into its values.

    Parameters
    ----------
    cells : pandas.Series
        Texts, or what JSON gave; missing where nothing was written.
    dtype : str
        As the manifest names it.

    Returns
    -------
    pandas.Series
        Of that dtype.
    """
    import pandas as pd

    if dtype.startswith("datetime"):
        # The texts of a zone are in UTC, or say how far from it they are.
        parsed = pd.to_datetime(cells, format="ISO8601", utc="," in dtype)
        return parsed.astype(dtype)
    if dtype.lower() in ("bool", "boolean", "bool[pyarrow]"):
        truth = cells.map(
            {"true": True, "false": False, "True": True, "False": False, True: True, False: False}
        )
        return truth.astype("bool" if dtype == "bool" else dtype)
    if dtype.lower().startswith("float") and cells.dtype == object:
        numbers = [math.nan if v is None else float(v) for v in cells]
        return pd.Series(numbers, dtype="float64").astype(dtype)
    if dtype == "object":
        return cells.astype(object).where(cells.notna(), None)
    return cells.astype(dtype)


def rebuilt(
    columns: Sequence[pd.Series], names: Sequence[str], known: dict[str, Any]
) -> pd.DataFrame:
    """Put columns together to the table they come from.

    Parameters
    ----------
    columns : sequence of pandas.Series
        The records' ids, then the others.
    names : sequence of str
        Of them.
    known : dict
        The manifest, which stands in `frame.attrs["audience"]`.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    index = pd.Index(columns[0]).rename(names[0] or None)
    frame = pd.DataFrame({i: c.set_axis(index) for i, c in enumerate(columns[1:])}, index=index)
    frame.columns = pd.Index(names[1:], dtype=None if len(names) > 1 else "str")
    frame.attrs["audience"] = known
    return frame
