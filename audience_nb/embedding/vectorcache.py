"""Vectors by model and text, so that none is paid for twice."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
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
        except sqlite3.DatabaseError as error:
            logger.warning("The vector cache %s is begun anew: %s", self.path.name, error)
            self.path.replace(self.path.with_suffix(".damaged"))
            self._create()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    def _create(self) -> None:
        with closing(self._connect()) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )

    @staticmethod
    def _key(name: str, text: str) -> bytes:
        return hashlib.sha256(f"{name}\x1f{text}".encode("utf-8", "surrogatepass")).digest()

    def get(self, name: str, texts: Sequence[str], n_dimensions: int) -> dict[str, FloatArray]:
        """Give the stored vectors among those of some texts.

        Parameters
        ----------
        name : str
            Encoder's name.
        texts : sequence of str
            Wanted.
        n_dimensions : int
            Vectors of another length are not given.

        Returns
        -------
        dict of str to ndarray of shape (n_dimensions,), float32
        """
        found: dict[str, FloatArray] = {}
        with closing(self._connect()) as connection:
            for text in texts:
                row = connection.execute(
                    "SELECT vector FROM vectors WHERE key = ?", (self._key(name, text),)
                ).fetchone()
                if row is not None and len(row[0]) == 4 * n_dimensions:
                    found[text] = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
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
            Checked by the caller.
        """
        rows = [
            (self._key(name, text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            connection.execute("COMMIT")
