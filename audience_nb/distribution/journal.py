"""What a platform has acknowledged, kept on disk so that sending again goes on and doubles nothing.

A line for each batch: its payload's SHA-256, its rows, when. No identifier is in it.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

from audience_nb.distribution.receipt import NotDelivered
from audience_nb.embedding.folders import cache_root

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
        self.acknowledged: dict[str, tuple[int, int]] = {}
        if self.path.is_file():
            oldest = -math.inf if days is None else time.time() - 86_400 * days
            # A line that a crash tore was not acknowledged as far as we know: it is sent again,
            # under the same key.
            for line in self.path.read_bytes().split(b"\n"):
                try:
                    entry = json.loads(line)
                    if entry["at"] > oldest:
                        self.acknowledged[entry["batch"]] = (entry["rows"], entry["refused"])
                except (ValueError, KeyError, TypeError):
                    continue

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
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotDelivered(
                f"The journal of the delivery cannot be written: {error.strerror}.",
                "Make room, or name another folder (journal=…), and send again: the batch that was "
                "taken last comes again under its key.",
            ) from error
        self.acknowledged[batch] = (rows, refused)
