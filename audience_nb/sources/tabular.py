"""What every source of one's own has in common: columns, an id, batches made one frame."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from audience_nb.dropped import Dropped, merged
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.sources.conditions import Condition, ValueKind, checked

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "Fetched",
    "Progress",
    "Tabular",
    "gathered",
    "one_row_each",
    "require_records",
    "spread",
]

Progress = Callable[[str, float], None]

STAGE = "Fetching records"
NO_ID = "no id"
REPEATED = "repeated id, the fullest row was kept"


@dataclass(frozen=True)
class Fetched:
    """Records, and what became of the others.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Indexed by record, one row each. Not shown in the representation.
    matched : int
        Records that every source asked knows.
    dropped : tuple of Dropped, optional
        Rows left out, by reason.
    without_source : tuple of str, optional
        Columns asked for that no source has.
    notes : tuple of str, optional
        What else was assumed or mended, in sentences.

    Examples
    --------
    >>> import pandas as pd
    >>> Fetched(pd.DataFrame({"age": [31]}), 1, (Dropped("no id", 2),))
    Fetched(matched=1, dropped=(Dropped(reason='no id', count=2),), without_source=(), notes=())
    """

    frame: pd.DataFrame
    matched: int
    dropped: tuple[Dropped, ...] = ()
    without_source: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Fetched(matched={self.matched}, dropped={self.dropped}, "
            f"without_source={self.without_source}, notes={self.notes})"
        )

    def without_rows(self) -> Fetched:
        """Give the report alone, as a session keeps it.

        Returns
        -------
        Fetched
            With an empty frame of its own.
        """
        import pandas as pd

        return replace(self, frame=pd.DataFrame(columns=list(self.frame.columns)))


class Tabular:
    """A table somewhere: the part of `Source` that does not depend on where.

    A subclass reads: `_read` gives batches of checked columns, `_pick` batches of a sample.

    Parameters
    ----------
    name : str
        Shown to people.
    n_records : int
        Rows of the table.
    kinds : mapping of str to {"number", "text", "boolean", "date"}
        Its columns in order, the id among them.
    id : str or None
        Column that identifies a record; None for the position.
    notes : sequence of str
        What was assumed on opening it.

    Raises
    ------
    InvalidInput
        If there are no rows.
    NotFound
        If no column is called like the id.
    """

    def __init__(
        self,
        name: str,
        n_records: int,
        kinds: Mapping[str, ValueKind],
        *,
        id: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        if not n_records:
            raise InvalidInput(f"{name} has 0 rows.", "Give a table with records.")
        if id is not None and id not in kinds:
            raise InvalidInput(
                f"None of the {len(kinds):,} columns is called {id!r}.",
                "Name the column that identifies a record, or leave id out.",
            )
        self.name = name
        self.n_records = n_records
        self.kinds = dict(kinds)
        self.id = id
        self.notes = tuple(notes)
        self._codes = tuple(column for column in self.kinds if column != id)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.name!r}, {self.n_records:,} records, "
            f"{len(self.kinds):,} columns)"
        )

    @property
    def codes(self) -> Collection[str]:
        """Columns that are variables."""
        return self._codes

    @property
    def attributes(self) -> Collection[str]:
        """Columns that are not variables: identifiers, consent flags, free text."""
        known = set(self._codes)
        return tuple(column for column in self.kinds if column not in known)

    def with_codes(self, codes: Collection[str]) -> Self:
        """Give the same source with other columns as variables.

        Parameters
        ----------
        codes : collection of str
            As a catalogue has them; those that are no column, or the id, are passed over.

        Returns
        -------
        Tabular
        """
        other = copy.copy(self)
        wanted = set(codes)
        other._codes = tuple(c for c in self.kinds if c in wanted and c != self.id)
        return other

    def fetch(
        self,
        columns: Sequence[str],
        *,
        where: Sequence[Condition] = (),
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Give the named columns.

        Parameters
        ----------
        columns : sequence of str
            Codes and attributes, in the order wanted.
        where : sequence of Condition, optional
            All have to hold for a record to be given.
        progress : callable, optional
            Called with a stage and the fraction of it that is done; may raise `Cancelled`.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(columns))
            Indexed by record, one row each. Whole numbers are int64, or float64 where some
            are missing; other numbers float64, dates datetime64, texts str.

        Raises
        ------
        NotFound
            If a column is unknown.
        InvalidInput
            If a condition does not suit its column, or the id does not tell records apart.
        """
        self._refuse([c for c in columns if c not in self.kinds], len(columns))
        return self.fetch_report(columns, where=where, progress=progress).frame

    def fetch_report(
        self,
        columns: Sequence[str],
        *,
        where: Sequence[Condition] = (),
        progress: Progress | None = None,
    ) -> Fetched:
        """Give the named columns as far as there are any, and what became of all rows.

        Parameters
        ----------
        columns, where, progress
            As for `fetch`.

        Returns
        -------
        Fetched

        Raises
        ------
        NotFound
            If none of the columns is known.
        InvalidInput
            As for `fetch`.
        """
        absent = tuple(c for c in columns if c not in self.kinds)
        if columns and len(absent) == len(columns):
            self._refuse(absent, len(columns))
        wanted = list(dict.fromkeys(c for c in columns if c in self.kinds))
        conditions = self._checked(where)
        tell = progress or _silent
        tell(STAGE, 0.0)
        fetched = self._fetch(wanted, conditions, tell)
        tell(STAGE, 1.0)
        return replace(fetched, without_source=absent, notes=(*self.notes, *fetched.notes))

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
        """
        if n < 1:
            raise InvalidInput(f"A sample of {n:,} rows was asked for.", "Ask for at least 1.")
        names = [column for column in self.kinds if column != self.id]
        rows = gathered(self._pick(names, n), names, self.id, self.kinds, self.name, strict=False)
        return self._finished(rows.frame)

    def _checked(self, where: Sequence[Condition]) -> list[Condition]:
        return checked(where, self.kinds)

    # What a subclass has to say.

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        rows = gathered(self._read(columns, where, tell), columns, self.id, self.kinds, self.name)
        return replace(rows, frame=self._finished(rows.frame))

    def _finished(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame

    def _read(
        self, columns: list[str], where: list[Condition], tell: Progress
    ) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def _pick(self, columns: list[str], n: int) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def _refuse(self, absent: Collection[str], n_columns: int) -> None:
        if absent:
            raise NotFound(
                f"{len(absent)} of {n_columns} columns are not in the table, "
                f"the first is {next(iter(absent))!r}.",
                "Choose from the catalogue built from this table.",
            )


def _silent(stage: str, fraction: float) -> None:
    """Tell nobody."""


def spread(n_rows: int, n: int) -> int:
    """Give the step at which at most `n` of `n_rows` rows are met.

    Parameters
    ----------
    n_rows, n : int
        Rows there are, and rows wanted.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> spread(1000, 300), spread(5, 10)
    (4, 1)
    """
    return max(1, -(-n_rows // n))


def gathered(
    batches: Iterable[pa.RecordBatch],
    columns: Sequence[str],
    id: str | None,
    kinds: Mapping[str, ValueKind],
    name: str,
    *,
    strict: bool = True,
    positioned: bool = False,
) -> Fetched:
    """Make one frame of batches, one row a record.

    Memory: what the batches hold, and one column more.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        With the columns by position, and the id after them where there is one.
    columns : sequence of str
        Their names.
    id : str or None
        The index; None for the position.
    kinds : mapping
        Of the columns.
    name : str
        Of the source.
    strict : bool, optional
        Whether an id that is the same in most rows is an error.
    positioned : bool, optional
        Whether the rows' positions stand after the columns, as some rows are left out.

    Returns
    -------
    Fetched

    Raises
    ------
    InvalidInput
        If fewer than half of the rows have an id of their own.
    """
    import pandas as pd

    n_columns = len(columns) + (id is not None or positioned)
    pieces: list[list[Any]] = [[] for _ in range(n_columns)]
    n_rows = n_without = 0
    for batch in batches:
        n_rows += batch.num_rows
        if id is not None:
            known = _known(batch.column(n_columns - 1))
            if known is not None:
                n_without += batch.num_rows - known.true_count
                batch = batch.filter(known)
        for place in range(n_columns):
            pieces[place].append(_own(batch.column(place)))
        del batch
    index = None
    if id is not None:
        values = _as_pandas(pieces.pop(), kinds[id])
        index = pd.Index(values, name=id)
    elif positioned:
        index = pd.Index(_as_pandas(pieces.pop(), "number"))
    given: dict[str, Any] = {}
    for place, column in enumerate(columns):
        given[column] = _as_pandas(pieces[place], kinds[column])
        pieces[place] = []
    if index is None:
        index = pd.RangeIndex(n_rows)
    frame = pd.DataFrame(given, index=index, copy=False)
    # An empty dictionary leaves columns of another type behind.
    frame.columns = pd.Index(list(columns), dtype=object if not columns else None)
    dropped: tuple[Dropped, ...] = (Dropped(NO_ID, n_without),)
    if id is not None:
        frame, n_repeated = one_row_each(frame)
        if strict:
            require_records(n_rows, len(frame), n_without, id, name)
        dropped = merged(dropped, (Dropped(REPEATED, n_repeated),))
    return Fetched(frame, len(frame), merged(dropped))


def require_records(n_rows: int, n_records: int, n_without: int, id: str, name: str) -> None:
    """Refuse an id that does not tell records apart.

    Parameters
    ----------
    n_rows, n_records, n_without : int
        Rows read, rows left with an id each, rows without an id.
    id, name : str
        Of the column and of the source.

    Raises
    ------
    InvalidInput
        If fewer than half of the rows are left.

    Examples
    --------
    >>> require_records(4, 2, 1, "id", "your data")
    """
    if n_rows and 2 * n_records < n_rows:
        raise InvalidInput(
            f"The id column {id!r} of {name} tells {n_records:,} records apart in {n_rows:,} "
            f"rows, {n_without:,} of them without an id.",
            "Name another id column, or bring the table to one row a record first.",
        )


def _known(ids: pa.Array) -> pa.Array | None:
    """Tell which ids are there; None if all are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.is_valid(ids)
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type):
        known = pc.and_(known, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(ids), ""), False))
    elif pa.types.is_floating(ids.type):
        known = pc.and_(known, pc.fill_null(pc.invert(pc.is_nan(ids)), False))
    return None if known.true_count == len(ids) else known


def _own(column: pa.Array) -> Any:
    """Copy a column out of its batch, which lives as long as one of its columns does."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column.to_numpy(zero_copy_only=False).copy()
    return pa.concat_arrays([column, column.slice(0, 0)])


def _as_pandas(pieces: list[Any], kind: ValueKind) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if not pieces:
        empty: dict[str, Any] = {"number": "float64", "boolean": "bool", "date": "datetime64[us]"}
        return pd.Series([], dtype=empty.get(kind, "str" if kind == "text" else object)).array
    if kind == "number":
        nothing = [not isinstance(piece, np.ndarray) for piece in pieces]
        for place in np.flatnonzero(nothing):
            pieces[place] = np.full(len(pieces[place]), np.nan)
        return np.concatenate(pieces)
    return pa.chunked_array(pieces).to_pandas().array


def one_row_each(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep one row of each record, the same whatever order the rows came in.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_rows, n_columns)
        Indexed by record.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Where a record has several rows the one with fewest missing values; of those with as
        many the one whose values, as text, come first.
    n_dropped : int
        Rows left out.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"age": [None, 31.0, 46.0]}, index=["a", "a", "b"])
    >>> one_row_each(rows)[0]["age"].tolist()
    [31.0, 46.0]
    """
    import numpy as np

    if frame.index.is_unique:
        return frame, 0
    again = np.flatnonzero(frame.index.duplicated(keep=False))
    rows = frame.iloc[again]
    texts = [rows.iloc[:, i].astype(object).map(str).to_numpy() for i in range(rows.shape[1])]
    missing = rows.isna().sum(axis=1).to_numpy()
    records = rows.index.factorize()[0]
    order = np.lexsort((*texts[::-1], missing, records))
    firsts = order[np.unique(records[order], return_index=True)[1]]
    keep = np.ones(len(frame), dtype=bool)
    keep[again] = False
    # Where a record first stood is where its one row stands.
    place = np.arange(len(frame))
    heads = again[~rows.index.duplicated()]
    keep[heads] = True
    place[heads] = again[firsts]
    return frame.iloc[place[keep]], int((~keep).sum())
