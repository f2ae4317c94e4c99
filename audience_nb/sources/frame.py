"""A table already in memory as a source: pandas, polars, Arrow and what narwhals knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from audience_nb.dropped import Dropped, merged
from audience_nb.errors import InvalidInput
from audience_nb.sources.conditions import Condition, ValueKind, mask_of
from audience_nb.sources.tabular import (
    NO_ID,
    REPEATED,
    Fetched,
    Progress,
    Tabular,
    one_row_each,
    require_records,
    spread,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["FrameSource", "is_frame", "kinds_of_columns"]


class FrameSource(Tabular):
    """Records of a table in memory.

    Parameters
    ----------
    frame : pandas.DataFrame, or a table of polars, Arrow or another library narwhals knows
        Of shape (n_records, n_columns). It is not changed, nor copied; of a lazy table only the
        columns asked for are computed.
    codes : collection of str, optional
        Columns that are variables, the others being attributes; by default all but the id.
    id : str, optional
        Column that identifies a record; by default the index of a pandas table does, if unique,
        and the position in any other.
    name : str, optional
        Shown to people.

    Raises
    ------
    InvalidInput
        If it is no table, there are no rows, a column repeats, or the index repeats or lacks
        values.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a", "b"], "age": [31, 46]})
    >>> FrameSource(frame, ["age"], id="who").fetch(["age"]).loc["b", "age"]
    np.int64(46)
    """

    def __init__(
        self,
        frame: Any,
        codes: Collection[str] | None = None,
        *,
        id: str | None = None,
        name: str = "your data",
    ) -> None:
        import pandas as pd

        # Columns by name: codes are text, a column may be named by a number.
        self._pandas: pd.DataFrame | None = None
        self._foreign: Any = None
        if isinstance(frame, pd.DataFrame):
            self._pandas = frame
            names = [str(column) for column in frame.columns]
            kinds = [_kind_of(frame.iloc[:, place]) for place in range(len(names))]
            n_records = len(frame)
        else:
            self._foreign = _narwhals(frame)
            schema = self._foreign.collect_schema()
            names = list(schema)
            plain = {c: _kind_of_narwhals(dtype) for c, dtype in schema.items()}
            names = [c for c in names if plain[c] is not None]
            kinds = [kind for kind in plain.values() if kind is not None]
            n_records = _length(self._foreign)
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InvalidInput(
                f"{len(twice)} column names occur more than once, the first is {twice[0]!r}.",
                "Rename them, so that each column has its own name.",
            )
        if not n_records:
            raise InvalidInput("The table has 0 rows.", "Give a table with records.")
        self._places = {name: place for place, name in enumerate(names)}
        super().__init__(name, n_records, dict(zip(names, kinds, strict=True)), id=id)
        if id is None and self._pandas is not None:
            _require_unique(self._pandas.index)
        if codes is not None:
            wanted = set(codes)
            self._codes = tuple(c for c in codes if c in self._places and c != id and c in wanted)

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        import numpy as np

        needed = list(dict.fromkeys([*columns, *(c.column for c in where)]))
        given = self._columns([*needed, *([self.id] if self.id and self.id not in needed else [])])
        keep = np.ones(self.n_records, dtype=bool)
        n_without = 0
        if self.id is not None:
            keep = _there(given[self.id])
            n_without = int((~keep).sum())
        if where:
            keep &= mask_of(where, given, self.n_records)
        frame = self._framed(columns, given, None if keep.all() else keep)
        if self.id is None:
            return Fetched(frame, len(frame))
        n_rows = len(frame) + n_without
        frame, n_repeated = one_row_each(frame)
        require_records(n_rows, len(frame), n_without, self.id, self.name)
        dropped = merged([Dropped(NO_ID, n_without), Dropped(REPEATED, n_repeated)])
        return Fetched(frame, len(frame), dropped)

    def sample(self, n: int) -> pd.DataFrame:
        """Give rows spread over the table, always the same ones, with all columns.

        Parameters
        ----------
        n : int
            At most so many, at least 1.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_columns)
            Without the id column, which is the index.

        Raises
        ------
        InvalidInput
            If `n` is below 1.

        Examples
        --------
        >>> import pandas as pd
        >>> FrameSource(pd.DataFrame({"age": range(9)})).sample(3)["age"].tolist()
        [0, 3, 6]
        """
        import numpy as np

        if n < 1:
            raise InvalidInput(f"A sample of {n:,} rows was asked for.", "Ask for at least 1.")
        names = [column for column in self.kinds if column != self.id]
        given = self._columns(list(self.kinds))
        step = spread(self.n_records, n)
        keep = np.zeros(self.n_records, dtype=bool)
        keep[::step] = True
        if self.id is not None:
            keep &= _there(given[self.id])
        return one_row_each(self._framed(names, given, keep))[0]

    def _columns(self, columns: list[str]) -> Mapping[str, pd.Series[Any]]:
        if self._pandas is not None:
            return {c: self._pandas.iloc[:, self._places[c]] for c in columns}
        chosen = self._foreign.select(columns)
        if hasattr(chosen, "collect"):
            chosen = chosen.collect()
        frame = chosen.to_pandas()
        return {c: frame[c] for c in columns}

    def _framed(
        self,
        columns: list[str],
        given: Mapping[str, pd.Series[Any]],
        keep: npt.NDArray[np.bool_] | None,
    ) -> pd.DataFrame:
        import pandas as pd

        if self.id is not None:
            index = pd.Index(given[self.id], name=self.id)
        elif self._pandas is not None:
            index = self._pandas.index
        else:
            index = pd.RangeIndex(self.n_records)
        if keep is not None:
            index = index[keep]
            given = {c: given[c][keep] for c in columns}
        frame = pd.DataFrame({c: given[c].set_axis(index) for c in columns}, index=index)
        frame.columns = pd.Index(columns, dtype=object if not columns else None)
        return frame


def is_frame(what: object) -> bool:
    """Tell whether something is a table in memory.

    Parameters
    ----------
    what : object
        Anything.

    Returns
    -------
    bool
        True for tables of pandas, polars, Arrow and what else narwhals knows.

    Examples
    --------
    >>> import pandas as pd
    >>> is_frame(pd.DataFrame()), is_frame("customers.csv")
    (True, False)
    """
    import narwhals.stable.v2 as nw

    given: Any = what
    try:
        nw.from_native(given)
    except TypeError:
        return False
    return True


def _narwhals(frame: object) -> Any:
    import narwhals.stable.v2 as nw

    given: Any = frame
    try:
        return nw.from_native(given)
    except TypeError:
        raise InvalidInput(
            f"A {type(frame).__name__} is no table.",
            "Give a table of pandas, polars or Arrow, a file, or the address of a database.",
        ) from None


def _length(frame: Any) -> int:
    import narwhals.stable.v2 as nw

    if isinstance(frame, nw.LazyFrame):
        return int(frame.select(nw.len()).collect().item())
    return int(frame.shape[0])


def _kind_of(column: pd.Series[Any]) -> ValueKind:
    import pandas as pd

    types = pd.api.types
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _kind_of(dtype.categories.to_series())
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_numeric_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    if types.is_object_dtype(dtype):
        found = types.infer_dtype(column, skipna=True)
        if found == "boolean":
            return "boolean"
        if found in ("integer", "floating", "mixed-integer-float", "decimal"):
            return "number"
        if found in ("date", "datetime", "datetime64"):
            return "date"
    return "text"


def kinds_of_columns(frame: pd.DataFrame) -> dict[str, ValueKind]:
    """Tell what kind of values each column of a table holds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table.

    Returns
    -------
    dict of str to {"number", "text", "boolean", "date"}

    Examples
    --------
    >>> import pandas as pd
    >>> kinds_of_columns(pd.DataFrame({"age": [31], "name": ["Ann"]}))
    {'age': 'number', 'name': 'text'}
    """
    return {str(c): _kind_of(frame.iloc[:, place]) for place, c in enumerate(frame.columns)}


def _kind_of_narwhals(dtype: Any) -> ValueKind | None:
    """Give the kind of a column, None for one of lists, records or bytes."""
    import narwhals.stable.v2 as nw

    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype in (nw.Date, nw.Datetime):
        return "date"
    return None if dtype.is_nested() or dtype == nw.Binary else "text"


def _there(ids: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    import numpy as np
    import pandas as pd

    there = ids.notna().to_numpy()
    if not pd.api.types.is_numeric_dtype(ids.dtype):
        blank = ids.astype("string").str.strip().eq("").fillna(False)
        there = there & ~blank.to_numpy(dtype=bool)
    return np.asarray(there, dtype=bool)


def _require_unique(index: pd.Index[Any]) -> None:
    missing, repeated = int(index.isna().sum()), int(index.duplicated().sum())
    if missing or repeated:
        raise InvalidInput(
            f"The table's index has {missing:,} missing and "
            f"{repeated:,} repeated values among {len(index):,} rows.",
            "Call reset_index(drop=True) first, or name an id column.",
        )
