"""Files that appear whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from audience_nb.errors import InvalidInput

try:
    import fcntl
except ImportError:  # Windows: there, an open file cannot be removed by anybody else.
    fcntl = None  # type: ignore[assignment]

__all__ = ["broken_text", "sweep", "write_atomically", "writing"]

_MARK = ".part"
_OURS = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place when all is written.

    It is written beside its place and renamed; what killed writers left there before is removed.

    Parameters
    ----------
    path : str or pathlib.Path
        Where to; folders are made, a file of that name is replaced.

    Yields
    ------
    binary file

    Raises
    ------
    InvalidInput
        If the place cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        temporary, file = _begun(path)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except UnicodeEncodeError as error:
        raise broken_text(path) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise InvalidInput(
            f"{path.name} cannot be written: {error.strerror or type(error).__name__}.",
            "Make room, or choose another place." if full else "Choose another place.",
        ) from error


def broken_text(path: Path) -> InvalidInput:
    """Give the error for texts that are none: half of a character that takes two.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    InvalidInput
    """
    return InvalidInput(
        f"{path.name} cannot be written: a text holds half a character (a lone surrogate).",
        "Read the data again with its right encoding.",
    )


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
    with writing(path) as file:
        file.write(text.encode())
    return Path(path)


def sweep(folder: str | Path) -> int:
    """Remove what killed writers left in a folder; of those at work nothing.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where files were written.

    Returns
    -------
    int
        Files removed.
    """
    removed = 0
    for left in Path(folder).glob(f".*{_MARK}"):
        if not _OURS.fullmatch(left.name):
            continue
        with suppress(OSError), left.open("rb") as file:
            # A writer holds a lock until it is done or dead.
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
                removed += 1
        if fcntl is None:
            with suppress(OSError):
                left.unlink()
                removed += 1
    return removed


def _begun(path: Path) -> tuple[Path, BinaryIO]:
    """Create the file beside its place, and lock it; again if a sweep came in between."""
    while True:
        # Not mkstemp: its file only the owner could read, and the name must be on this disk.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_MARK}")
        file = temporary.open("xb")
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        if temporary.exists():
            return temporary, file
        file.close()
