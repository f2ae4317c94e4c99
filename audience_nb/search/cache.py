"""Index arrays on disk: checked, memory-mapped, published in one move."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from audience_nb.embedding.folders import cache_root
from audience_nb.search.container import read_arrays, write_arrays

__all__ = ["IndexCache", "cache_root", "write_whole"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

logger = logging.getLogger(__name__)

# Raise it whenever the arrays or the analysis behind them change.
FORMAT = 13
_BUILDING = ".building-"
# What a killed build leaves behind is swept after a week: until then it may be taken up again.
_ABANDONED_SECONDS = 7 * 86_400


class IndexCache:
    """The stored arrays of one index.

    Parameters
    ----------
    root : pathlib.Path
        Directory of all caches.
    key : mapping of str to str
        All that the arrays depend on; any difference gives another place.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = IndexCache(Path(folder), {"catalog": "1f"})
    ...     cache.publish({"rows": np.arange(3)})
    ...     cache.open()["rows"].tolist()
    [0, 1, 2]
    """

    def __init__(self, root: Path, key: Mapping[str, str]) -> None:
        self.key = {"format": str(FORMAT), **key}
        digest = hashlib.sha256(json.dumps(self.key, sort_keys=True).encode()).hexdigest()
        self.parent = root / "search"
        self.path = self.parent / f"{digest[:32]}.index"
        # Where a build keeps what it has learnt so far.
        self.unfinished = self.parent / f".learning-{digest[:32]}"

    def open(self) -> Arrays:
        """Map the arrays into memory, read-only.

        Returns
        -------
        dict of str to ndarray

        Raises
        ------
        FileNotFoundError
            If nothing was stored under this key.
        DamagedFile
            If the file is torn, changed or from elsewhere.
        """
        return read_arrays(self.path, self.key)

    def publish(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Store arrays, all or none, whoever else does so at the same time.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            None of them of dtype object.

        Raises
        ------
        OSError
            If the directory cannot be written, or the disk is full.
        """
        self.parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        write_whole(self.path, self.key, arrays, prefix=_BUILDING)

    def _sweep(self) -> None:
        for left in [*self.parent.glob(f"{_BUILDING}*"), *self.parent.glob(".learning-*")]:
            try:
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    logger.info("%s, left behind by another build, is removed.", left.name)
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
            except OSError:
                continue


def write_whole(
    path: Path, key: Mapping[str, str], arrays: Mapping[str, npt.NDArray[Any]], *, prefix: str
) -> None:
    """Write a file of arrays so that others see all of it or nothing.

    Parameters
    ----------
    path : pathlib.Path
        Where; what stands there is replaced.
    key : mapping of str to str
        See `write_arrays`.
    arrays : mapping of str to ndarray
        See `write_arrays`.
    prefix : str
        Of the name it has until it is whole.

    Raises
    ------
    OSError
        If the directory cannot be written, or the disk is full.
    """
    handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write_arrays(file, key, arrays)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
