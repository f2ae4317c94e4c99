"""Index arrays on disk: checked, memory-mapped, published in one move."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.errors import DamagedFile

__all__ = ["IndexCache", "cache_root"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

logger = logging.getLogger(__name__)

# Raise it whenever the arrays or the analysis behind them change.
FORMAT = 4
_MANIFEST = "manifest.json"
_MAX_MANIFEST = 1 << 20
# What a killed build leaves behind is swept after a day.
_ABANDONED_SECONDS = 86_400


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Give the directory under which caches are kept; it need not exist.

    Parameters
    ----------
    cache_dir : str or pathlib.Path, optional
        By default AUDIENCE_NB_CACHE, else the platform's place for a user's caches.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> cache_root("somewhere").name
    'somewhere'
    """
    chosen = cache_dir or os.environ.get("AUDIENCE_NB_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "audience_nb"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "audience_nb" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audience_nb"


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
        self.path = self.parent / digest[:32]

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
            If a file is missing, torn, changed or from elsewhere.
        """
        if not self.path.is_dir():
            raise FileNotFoundError(self.path.name)
        try:
            manifest = json.loads(self._read(_MANIFEST, _MAX_MANIFEST))
            if manifest["key"] != self.key:
                raise DamagedFile("The cached index belongs to another catalogue.")
            files: dict[str, str] = manifest["sha256"]
            return {name: self._map(name, digest) for name, digest in files.items()}
        except DamagedFile:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
            raise DamagedFile(
                f"The cached index {self.path.name} cannot be read ({type(error).__name__}).",
                "It is rebuilt on its own; nothing is lost.",
            ) from error

    def publish(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Store arrays, all or none, whoever else does so at the same time.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            None of them of dtype object.

        Raises
        ------
        OSError
            If the directory cannot be written.
        """
        self.parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=self.parent))
        try:
            digests = {}
            for name, array in arrays.items():
                with (building / f"{name}.npy").open("wb+") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
                    file.seek(0)
                    digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
            manifest = {"key": self.key, "sha256": digests}
            (building / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
            self._move_in(building)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _move_in(self, building: Path) -> None:
        try:
            building.rename(self.path)
            return
        except OSError:
            # A directory stands there already: another process was first, or it is damaged.
            if not self.path.exists():
                raise
        try:
            self.open()
        except (DamagedFile, FileNotFoundError):
            aside = Path(tempfile.mkdtemp(prefix=".damaged-", dir=self.parent))
            try:
                self.path.rename(aside / "index")
                building.rename(self.path)
            except OSError as error:
                # Somebody else repaired it between the two moves.
                logger.info("The index was stored by another process (%s).", error)
            finally:
                shutil.rmtree(aside, ignore_errors=True)

    def _sweep(self) -> None:
        for left in [*self.parent.glob(".building-*"), *self.parent.glob(".damaged-*")]:
            try:
                if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)
            except OSError:
                continue

    def _read(self, name: str, most: int) -> bytes:
        with (self.path / name).open("rb") as file:
            return file.read(most)

    def _map(self, name: str, digest: str) -> npt.NDArray[Any]:
        if not name.isidentifier():
            raise DamagedFile(f"The cached index names a file {name!r}.")
        path = self.path / f"{name}.npy"
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise DamagedFile(f"{path.name} of the cached index was changed or torn.")
        # numpy cannot map an array without elements.
        mode: Literal["r"] | None = None if _is_empty(path) else "r"
        # A plain view of the map: indexing a memmap object costs more than the search itself.
        mapped: npt.NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
        return mapped.view(np.ndarray)


def _is_empty(path: Path) -> bool:
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
    return 0 in shape
