"""What a platform has acknowledged, kept on disk so that sending again goes on and doubles nothing.

A line for each batch: its payload's SHA-256, its rows, when. No identifier is in it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from audience_nb.distribution.receipt import NotDelivered
from audience_nb.embedding.folders import cache_root

try:
    import fcntl
except ImportError:  # Windows: nobody is kept away.
    fcntl = None  # type: ignore[assignment]

__all__ = ["Journal", "journal_folder"]


def journal_folder() -> Path:
    """Give the folder of journals, under AUDIENCE_NB_CACHE or the user's caches.

    Returns
    -------
    pathlib.Path
    """
    return cache_root() / "deliveries"


class Journal:
    """Acknowledged batches of one delivery.

    Parameters
    ----------
    folder : pathlib.Path
        Where journals are.
    digest : str
        Of the delivery; names the file.
    days : int, optional
        After which the platform has forgotten the rows, so that they count no more.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Journal(Path(folder), "d1").acknowledge("b1", 10, refused=1)
    ...     Journal(Path(folder), "d1").acknowledged
    {'b1': (10, 1)}
    """

    def __init__(self, folder: Path, digest: str, days: int | None = None) -> None:
        self.path = folder / f"{digest[:32]}.jsonl"
        self.days = days
        self.acknowledged = self._read()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from sending the same rows meanwhile.

        Raises
        ------
        NotDelivered
            If one is at it, or the journal cannot be written.
        """
        with _written():
            file = self._open()
        with file:
            if fcntl is not None:
                try:
                    # Ends with the process, whatever ends that.
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise NotDelivered(
                        "Another process is sending the same rows to the same place.",
                        "Wait until it is done: what it has sent is not sent again.",
                    ) from error
            self.acknowledged = self._read()
            yield

    def acknowledge(self, batch: str, rows: int, refused: int = 0) -> None:
        """Write down that a batch was taken; on disk when this returns.

        Parameters
        ----------
        batch : str
            SHA-256 of its payload.
        rows, refused : int
            Rows in it, and those of them that the platform refused.

        Raises
        ------
        NotDelivered
            If it cannot be written down.
        """
        entry = {"batch": batch, "rows": rows, "refused": refused, "at": int(time.time())}
        # Begins with an end of line: after a torn one it stands alone.
        line = b"\n" + json.dumps(entry).encode() + b"\n"
        with _written(), self._open() as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.acknowledged[batch] = (rows, refused)

    def _open(self) -> BinaryIO:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.path.open("ab")

    def _read(self) -> dict[str, tuple[int, int]]:
        acknowledged: dict[str, tuple[int, int]] = {}
        if not self.path.is_file():
            return acknowledged
        oldest = -math.inf if self.days is None else time.time() - 86_400 * self.days
        # A line that a crash tore was not acknowledged as far as we know: it is sent again, under
        # the same key.
        for line in self.path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
                if entry["at"] > oldest:
                    acknowledged[entry["batch"]] = (entry["rows"], entry["refused"])
            except (ValueError, KeyError, TypeError):
                continue
        return acknowledged


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotDelivered(
            f"The journal of the delivery cannot be written: {error.strerror}.",
            "Make room, or name another folder (journal=…), and send again: the batch that was "
            "taken last comes again under its key.",
        ) from error
