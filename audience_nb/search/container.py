"""Named arrays in one file: checked, memory-mapped, the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.errors import DamagedFile

__all__ = ["read_arrays", "write_arrays"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

_MAGIC = b"ANBARR01"
_MAX_HEADER = 1 << 20
# Magic, length of the header, its digest.
_START = len(_MAGIC) + 8 + 32
# Arrays start where any processor likes them to.
_ALIGNED = 64
# Numbers, truths and bytes: nothing that could hold code or an address.
_KINDS = "biufS"


def write_arrays(
    file: IO[bytes], key: Mapping[str, str], arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Write arrays to an open file.

    Parameters
    ----------
    file : binary file
        Open for writing, at its start.
    key : mapping of str to str
        What the arrays belong to.
    arrays : mapping of str to ndarray
        None of them of dtype object.

    Raises
    ------
    TypeError
        If an array holds something else than numbers, truths or bytes.
    OSError
        If the disk is full.
    """
    table: dict[str, dict[str, Any]] = {}
    parts: list[bytes | memoryview] = []
    digest = hashlib.sha256()
    offset = 0
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"{name} is of dtype {array.dtype}, which is not stored.")
        part = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        table[name] = {"dtype": part.dtype.str, "shape": part.shape, "offset": offset}
        content = part.reshape(-1).view(np.uint8).data if part.size else b""
        for piece in (content, bytes(-len(content) % _ALIGNED)):
            digest.update(piece)
            parts.append(piece)
            offset += len(piece)
    said = {"key": dict(key), "size": offset, "sha256": digest.hexdigest(), "arrays": table}
    header = json.dumps(said).encode()
    # Filled up with spaces, so that every byte of the file is under one of the two digests.
    header += b" " * (-(_START + len(header)) % _ALIGNED)
    file.write(_MAGIC + len(header).to_bytes(8, "little") + hashlib.sha256(header).digest())
    file.write(header)
    for piece in parts:
        file.write(piece)


def read_arrays(path: Path, key: Mapping[str, str]) -> Arrays:
    """Map the arrays of a file into memory, read-only.

    Parameters
    ----------
    path : pathlib.Path
        As `write_arrays` wrote it.
    key : mapping of str to str
        What they must belong to.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedFile
        If it is torn, changed, of another sort or belongs to something else.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_START)
            length = int.from_bytes(start[8:16], "little")
            if start[:8] != _MAGIC or length > _MAX_HEADER:
                raise DamagedFile(f"{path.name} is a file of another sort.")
            header = file.read(length)
            if hashlib.sha256(header).digest() != start[16:]:
                raise DamagedFile(f"{path.name} was changed or torn.")
            said = json.loads(header)
            if said["key"] != dict(key):
                raise DamagedFile(f"{path.name} belongs to something else.")
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        body = mapped[_START + length :]
        if len(body) != said["size"] or hashlib.sha256(body).hexdigest() != said["sha256"]:
            raise DamagedFile(f"{path.name} was changed or torn.")
        return {name: _array(body, entry) for name, entry in said["arrays"].items()}
    except (DamagedFile, FileNotFoundError):
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{path.name} cannot be read ({type(error).__name__}).") from error


def _array(body: memoryview, entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
    if dtype.kind not in _KINDS:
        raise ValueError(f"dtype {dtype}")
    n_values = int(np.prod(shape, dtype=np.int64))
    content = body[entry["offset"] : entry["offset"] + n_values * dtype.itemsize]
    return np.frombuffer(content, dtype, n_values).reshape(shape)
