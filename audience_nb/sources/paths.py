"""Files that somebody names: paths, folders and patterns, what sort they are, and change."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from audience_nb.errors import DamagedFile, InvalidInput, NotFound

__all__ = ["Sort", "Stamp", "files_of", "require_same", "sort_of", "stamp_of", "suffix_of"]

Sort: TypeAlias = Literal["csv", "json", "parquet", "duckdb"]

_SUFFIXES: dict[str, Sort] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}


class Stamp(NamedTuple):
    """What a file looks like from outside; another stamp is another content.

    Parameters
    ----------
    size : int
        Bytes.
    changed : int
        Nanoseconds.
    inode : int
        Number of the file.

    Examples
    --------
    >>> Stamp(10, 5, 3).size
    10
    """

    size: int
    changed: int
    inode: int


def files_of(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """List the files that paths, folders and patterns name.

    Parameters
    ----------
    paths : str, pathlib.Path or sequence of these
        "customers.csv", "parts/", "2024-*.parquet".

    Returns
    -------
    list of pathlib.Path
        In the order given, those of a pattern by name.

    Raises
    ------
    NotFound
        If one names no file.

    Examples
    --------
    >>> files_of("nowhere-*.csv")
    Traceback (most recent call last):
    audience_nb.errors.NotFound: No file matches 'nowhere-*.csv'. Check the path.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    found: list[Path] = []
    for given in paths:
        path = Path(given).expanduser()
        if "\0" in str(path):
            raise InvalidInput("A path holds a NUL character.", "Check the path.")
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if suffix_of(p) in _SUFFIXES)
            if not inside:
                raise NotFound(
                    f"The folder {path.name!r} holds no file of a kind that is read.",
                    f"Give files that end in {', '.join(_SUFFIXES)}.",
                )
            found += inside
        elif path.exists():
            found.append(path)
        elif glob.has_magic(str(path)):
            matched = sorted(map(Path, glob.iglob(str(path), recursive=True)))  # noqa: PTH207
            found += [p for p in matched if p.is_file()]
            if not any(p.is_file() for p in matched):
                raise NotFound(f"No file matches {path.name!r}.", "Check the path.")
        else:
            raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    if not found:
        raise InvalidInput("0 files were given.", "Name at least one file.")
    return [path.resolve() for path in found]


def suffix_of(path: Path) -> str:
    """Give the ending that tells what sort of file it is, whether compressed or not.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    str
        In lower case, with the dot.

    Examples
    --------
    >>> suffix_of(Path("people.CSV.gz"))
    '.csv'
    """
    suffixes = [s.lower() for s in path.suffixes]
    return next((s for s in reversed(suffixes) if s != ".gz"), "")


def sort_of(path: Path) -> Sort:
    """Tell what sort of file it is, by its first bytes and its name.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    {"csv", "json", "parquet", "duckdb"}

    Raises
    ------
    NotFound
        If it cannot be opened.
    InvalidInput
        If it is an archive or a workbook.
    DamagedFile
        If it is called a Parquet file and is none.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise NotFound(
            f"{path.name} cannot be opened ({type(error).__name__}).", "Check who may read it."
        ) from None
    if head[8:12] == b"DUCK":
        return "duckdb"
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:4] == b"PK\x03\x04" or head[:4] == b"\xd0\xcf\x11\xe0":
        raise InvalidInput(
            f"{path.name} is an Excel workbook or another archive, not a table.",
            "Save the sheet as CSV, or give what pandas.read_excel reads.",
        )
    sort = _SUFFIXES.get(suffix_of(path), "csv")
    if sort == "parquet":
        raise DamagedFile(f"{path.name} is no Parquet file.", "Write it again.")
    return sort


def stamp_of(path: Path) -> Stamp:
    """Look at a file from outside.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    Stamp

    Raises
    ------
    NotFound
        If it is not there any more.
    """
    try:
        state = path.stat()
    except OSError:
        raise NotFound(
            f"There is no file {path.name!r} any more.", "Put it back, or open another."
        ) from None
    return Stamp(state.st_size, state.st_mtime_ns, state.st_ino)


def require_same(path: Path, before: Stamp) -> None:
    """Refuse a file that is not what it was.

    Parameters
    ----------
    path : pathlib.Path
        A file.
    before : Stamp
        What it looked like.

    Raises
    ------
    NotFound
        If it is not there any more.
    InvalidInput
        If it was changed.
    """
    now = stamp_of(path)
    if now != before:
        raise InvalidInput(
            f"{path.name} has changed since it was opened: it had {before.size:,} bytes, "
            f"and has {now.size:,}.",
            "Open it again once it is complete.",
        )
