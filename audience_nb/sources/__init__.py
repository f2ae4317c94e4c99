"""Where records come from: one Protocol, interchangeable sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from audience_nb.errors import InvalidInput
from audience_nb.sources.conditions import Condition

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.sources.tabular import Fetched, Progress

__all__ = ["Condition", "Source", "fetch_report", "open_source", "register_source"]

ENTRY_POINTS = "audience_nb.sources"


@runtime_checkable
class Source(Protocol):
    """Anything that can give values of variables for records.

    Attributes
    ----------
    name : str
        Shown to people.
    n_records : int
        Records it holds.
    codes : collection of str
        Codes of the variables it can give.
    attributes : collection of str
        Columns outside the catalogue: identifiers, consent flags, lifestyle code.
    """

    name: str
    n_records: int

    @property
    def codes(self) -> Collection[str]:
        """Codes of the variables it can give."""

    @property
    def attributes(self) -> Collection[str]:
        """Columns outside the catalogue: identifiers, consent flags, lifestyle code."""

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
            Called with a stage and the fraction of it that is done; may raise `Cancelled`, and
            then nothing is left behind.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(columns))
            Indexed by record, one row each.

        Raises
        ------
        NotFound
            If a column is unknown.
        """

    def sample(self, n: int) -> pd.DataFrame:
        """Give at most `n` records spread over the data, always the same, with all columns.

        Parameters
        ----------
        n : int
            At least 1.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_columns)
        """


Opener = Callable[..., Source]

_OPENERS: dict[str, Opener] = {}


def register_source(name: str, opener: Opener) -> None:
    """Make addresses of a kind known: afterwards `open_source("name://…")` opens them.

    A package registers its own by an entry point of the group "audience_nb.sources", whose name is
    the scheme.

    Parameters
    ----------
    name : str
        Scheme of the addresses, such as "warehouse".
    opener : callable
        Called with the address and the options of `open_source` that were given, gives a
        `Source`.

    Raises
    ------
    InvalidInput
        If the name is no scheme.

    Examples
    --------
    >>> from audience_nb.sources.frame import FrameSource
    >>> import pandas as pd
    >>> register_source("ten", lambda address, id=None: FrameSource(pd.DataFrame({"a": range(10)})))
    >>> open_source("ten://").n_records
    10
    """
    if not name.replace("+", "").replace("-", "").replace(".", "").isalnum():
        raise InvalidInput(f"{name!r} is no scheme.", "Use letters, digits, plus and minus.")
    _OPENERS[name.lower()] = opener


def open_source(
    what: Any,
    *,
    id: str | None = None,
    table: str | None = None,
    columns: Sequence[str] | None = None,
    **options: Any,
) -> Source:
    """Open data wherever it is.

    Parameters
    ----------
    what : object
        A table of pandas, polars or Arrow; a path, folder or pattern of CSV, JSONL or Parquet
        files; the address of a database (with `table`) or of an HTTP interface; a `Source`; or a
        list of these, which are joined on the id, files of one kind being one source.
    id : str, optional
        Column that identifies a record.
    table : str, optional
        Of a database, "table" or "schema.table".
    columns : sequence of str, optional
        The only columns to offer; an HTTP interface has to be told them.
    **options
        Of the kind of source, such as `delimiter`, `token` or `keep`.

    Returns
    -------
    Source

    Raises
    ------
    NotFound
        If there is no such file or table.
    InvalidInput
        If it is nothing that can be opened, or an option does not suit it.

    Examples
    --------
    >>> import pandas as pd
    >>> open_source(pd.DataFrame({"who": ["a"], "age": [31]}), id="who").codes
    ('age',)
    """
    given = {name: value for name, value in options.items() if value is not None}
    if id is not None:
        given["id"] = id
    if columns is not None:
        given["columns"] = columns
    opener = _opener_of(what, table)
    if table is not None:
        given["table"] = table
    try:
        return opener(what, **given)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        option = str(error).rpartition("argument ")[2].partition(".")[0]
        raise InvalidInput(f"This kind of data has no option {option}.", "Leave it out.") from None


def fetch_report(
    source: Source,
    columns: Sequence[str],
    *,
    where: Sequence[Condition] = (),
    progress: Progress | None = None,
) -> Fetched:
    """Fetch from any source, with what it says of rows left out, if it does.

    Parameters
    ----------
    source : Source
        One of this package, or somebody's own.
    columns, where, progress
        As for `Source.fetch`.

    Returns
    -------
    Fetched

    Examples
    --------
    >>> import pandas as pd
    >>> source = open_source(pd.DataFrame({"who": ["a", None], "age": [31, 46]}), id="who")
    >>> fetch_report(source, ["age"]).dropped
    (Dropped(reason='no id', count=1),)
    """
    from audience_nb.sources.tabular import Fetched

    own = getattr(source, "fetch_report", None)
    if own is not None:
        fetched: Fetched = own(columns, where=where, progress=progress)
        return fetched
    frame = source.fetch(columns, where=where, progress=progress)
    return Fetched(frame, len(frame))


def _opener_of(what: Any, table: str | None) -> Opener:
    from audience_nb.sources.address import has_scheme

    if isinstance(what, str) and has_scheme(what):
        return _opener_of_scheme(what)
    if isinstance(what, str | Path):
        return _open_files
    if isinstance(what, list | tuple):
        return _open_joined
    from audience_nb.sources.frame import is_frame

    if is_frame(what):
        return _open_frame
    if isinstance(what, Source):
        return _open_as_is
    raise InvalidInput(
        f"A {type(what).__name__} is no table.",
        "Give a table of pandas, polars or Arrow, a file, or the address of a database.",
    )


def _opener_of_scheme(address: str) -> Opener:
    scheme = address.partition("://")[0].lower()
    if scheme in _OPENERS:
        return _OPENERS[scheme]
    for point in entry_points(group=ENTRY_POINTS):
        if point.name.lower() == scheme:
            opener: Opener = point.load()
            return opener
    if scheme in ("http", "https"):
        from audience_nb.sources.http import HttpSource

        return HttpSource
    if scheme == "file":
        return _open_files
    if scheme == "duckdb":
        return _open_duckdb
    from audience_nb.sources.sql import SqlSource

    return SqlSource


def _open_frame(what: Any, *, columns: Sequence[str] | None = None, **options: Any) -> Source:
    from audience_nb.sources.frame import FrameSource

    return FrameSource(what, columns, **options)


def _open_as_is(
    what: Source, *, id: str | None = None, columns: Sequence[str] | None = None
) -> Source:
    return what


def _open_files(what: Any, **options: Any) -> Source:
    from urllib.parse import unquote, urlsplit

    from audience_nb.sources.files import FileSource

    if isinstance(what, str) and what.lower().startswith("file://"):
        what = unquote(urlsplit(what).path)
    return FileSource(what, **options)


def _open_duckdb(what: str, **options: Any) -> Source:
    from urllib.parse import unquote

    # As for SQLite: three slashes before a relative path, four before an absolute one.
    path = unquote(what.partition("://")[2].partition("?")[0].removeprefix("/"))
    return _open_files(path, **options)


def _open_joined(what: Sequence[Any], **options: Any) -> Source:
    from audience_nb.sources.joined import JoinedSource

    return JoinedSource.opened(what, **options)
