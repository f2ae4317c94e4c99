"""Vectors by model and text, so that none is paid for twice."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from audience_nb.embedding.encoder import FloatArray

__all__ = ["VectorCache"]

logger = logging.getLogger(__name__)


class VectorCache:
    """Vectors that were paid for, on disk, by hash of model and text.

    One SQLite file: safe for several processes, and what was stored survives a kill.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; its directory is made. A damaged file is set aside and begun anew.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = VectorCache(Path(folder) / "vectors.sqlite")
    ...     cache.put("model", ["cat"], np.ones((1, 2), np.float32))
    ...     {text: v.tolist() for text, v in cache.get("model", ["cat", "dog"], 2).items()}
    {'cat': [1.0, 1.0]}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._create()
        except sqlite3.OperationalError as error:
            # Locked, full or read-only: what was paid for is not set aside for that.
            raise OSError(f"{self.path.name}: {error}") from error
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    def _create(self) -> None:
        for attempt in range(10):
            try:
                with closing(self._connect()) as connection:
                    connection.execute(
                        "CREATE TABLE IF NOT EXISTS vectors "
                        "(key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                    )
                return
            except sqlite3.OperationalError as error:
                # SQLite waits for no other process that is just switching a new file to WAL.
                if "locked" not in str(error) or attempt == 9:
                    raise
                time.sleep(0.05 * (attempt + 1))

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        logger.warning("The vector cache %s is begun anew: %s", self.path.name, error)
        self.path.replace(self.path.with_suffix(".damaged"))
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        self._create()

    @staticmethod
    def _key(name: str, text: str) -> bytes:
        return hashlib.sha256(f"{name}\x1f{text}".encode("utf-8", "surrogatepass")).digest()

    def get(
        self, name: str, texts: Sequence[str], n_dimensions: int | None
    ) -> dict[str, FloatArray]:
        """Give the stored vectors among those of some texts.

        Parameters
        ----------
        name : str
            Encoder's name.
        texts : sequence of str
            Wanted.
        n_dimensions : int or None
            Vectors of another length are not given; None for that of the first one found.

        Returns
        -------
        dict of str to ndarray of shape (n_dimensions,), float32
            Those whose check sum is right.
        """
        found: dict[str, FloatArray] = {}
        try:
            with closing(self._connect()) as connection:
                for text in texts:
                    row = connection.execute(
                        "SELECT vector FROM vectors WHERE key = ?", (self._key(name, text),)
                    ).fetchone()
                    vector = None if row is None else _read(row[0])
                    if vector is None:
                        continue
                    n_dimensions = n_dimensions or len(vector)
                    if len(vector) == n_dimensions:
                        found[text] = vector
        except sqlite3.OperationalError as error:
            logger.warning("The vector cache %s cannot be read: %s", self.path.name, error)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
        return found

    def put(self, name: str, texts: Sequence[str], vectors: FloatArray) -> None:
        """Store vectors, all of them or none.

        Parameters
        ----------
        name : str
            Encoder's name.
        texts : sequence of str
            One a row.
        vectors : ndarray of shape (n_texts, n_dimensions), float32
            Checked by the caller. A cache that cannot be written is a warning, no error.
        """
        rows = [
            (self._key(name, text), _written(vector))
            for text, vector in zip(texts, vectors, strict=True)
        ]
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            # The vectors are at hand all the same; only the next run will ask for them again.
            logger.warning("The vector cache %s cannot be written: %s", self.path.name, error)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)


def _written(vector: FloatArray) -> bytes:
    """Write a vector with its check sum: a bit that flips on disk must not be an answer."""
    raw = vector.astype("<f4").tobytes()
    return raw + zlib.crc32(raw).to_bytes(4, "little")


def _read(stored: object) -> FloatArray | None:
    """Read what `_written` wrote; None if it is anything else."""
    if not isinstance(stored, bytes) or len(stored) < 8 or len(stored) % 4:
        return None
    raw, check = stored[:-4], int.from_bytes(stored[-4:], "little")
    if zlib.crc32(raw) != check:
        return None
    return np.frombuffer(raw, dtype="<f4").astype(np.float32)
