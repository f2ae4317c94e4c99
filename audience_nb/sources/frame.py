"""A table already in memory as a source."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audience_nb.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameSource", "read_table"]


class FrameSource:
    """Records of a pandas table.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        It is not changed, nor copied.
    codes : collection of str
        Columns that are variables; the others are attributes.
    id : str, optional
        Column that identifies a record; by default the frame's own index does, if unique.
    name : str, optional
        Shown to people.

    Raises
    ------
    InvalidInput
        If there are no rows, or the identifier is missing or repeats.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a", "b"], "age": [31, 46]})
    >>> FrameSource(frame, ["age"], id="who").fetch(["age"]).loc["b", "age"]
    np.int64(46)
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        codes: Collection[str],
        *,
        id: str | None = None,
        name: str = "your data",
    ) -> None:
        import numpy as np
        import pandas as pd

        self.name = name
        self.n_records = len(frame)
        if not self.n_records:
            raise InvalidInput("The table has 0 rows.", "Give a table with records.")
        # Codes are text; a column may be named by a number.
        self._columns = {str(c): frame.iloc[:, i] for i, c in enumerate(frame.columns)}
        if id is not None and id not in self._columns:
            raise InvalidInput(
                f"None of the {len(self._columns)} columns is called {id!r}.",
                "Name the column that identifies a record, or leave id out.",
            )
        self.id = id
        index = pd.Index(self._columns[id]) if id is not None else frame.index
        missing, repeated = int(np.sum(index.isna())), int(np.sum(index.duplicated()))
        if missing or repeated:
            where = f"The id column {id!r}" if id is not None else "The table's index"
            raise InvalidInput(
                f"{where} has {missing:,} missing and "
                f"{repeated:,} repeated values among {len(index):,} rows.",
                "Drop duplicates, or name another id column."
                if id is not None
                else "Call reset_index(drop=True) first, or name an id column.",
            )
        self._index = index
        self._codes = tuple(code for code in codes if code in self._columns and code != id)

    def __repr__(self) -> str:
        return f"FrameSource({self.name!r}, {self.n_records:,} records)"

    @property
    def codes(self) -> Collection[str]:
        """Columns that are variables."""
        return self._codes

    @property
    def attributes(self) -> Collection[str]:
        """Columns that are not variables: identifiers, free text."""
        known = set(self._codes)
        return tuple(name for name in self._columns if name not in known)

    def fetch(self, columns: Sequence[str]) -> pd.DataFrame:
        """Give the named columns for every record.

        Parameters
        ----------
        columns : sequence of str
            Names of columns, in the order wanted.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(columns))
            Indexed by the id column, else by the frame's index.

        Raises
        ------
        NotFound
            If a column is unknown.

        Examples
        --------
        >>> import pandas as pd
        >>> FrameSource(pd.DataFrame({"age": [31]}), ["age"]).fetch(["age"]).shape
        (1, 1)
        """
        import pandas as pd

        missing = [name for name in columns if name not in self._columns]
        if missing:
            raise NotFound(
                f"{len(missing)} of {len(columns)} columns are not in the table, "
                f"the first is {missing[0]!r}.",
                "Choose from the catalogue built from this table.",
            )
        picked = {name: self._columns[name].set_axis(self._index) for name in columns}
        return pd.DataFrame(picked, index=self._index)


def read_table(frame: pd.DataFrame | str | Path) -> pd.DataFrame:
    """Take a table as it is, or read it from a CSV file.

    Parameters
    ----------
    frame : pandas.DataFrame, str or pathlib.Path
        A table, or the path of a UTF-8 CSV file.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If it is neither, or not readable as CSV.

    Examples
    --------
    >>> import pandas as pd
    >>> read_table(pd.DataFrame({"age": [31]})).shape
    (1, 1)
    """
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        return frame
    if not isinstance(frame, str | Path):
        raise InvalidInput(
            f"A {type(frame).__name__} is no table.", "Give a pandas DataFrame or a CSV file."
        )
    path = Path(frame)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    try:
        return pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read as CSV ({type(error).__name__}).",
            "Save it as comma-separated UTF-8.",
        ) from error
