"""Rows too many for memory: blocks that are read one after the other, here or on a cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput, NotFound, require

__all__ = [
    "ArrayBlocks",
    "Blocks",
    "DaskBlocks",
    "ParquetBlocks",
    "blocks_of",
    "require_columns",
    "takes",
]

Result = TypeVar("Result")
Rows = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Work = Callable[[int, Rows], Result]
# The same for all blocks, or one for each.
Works = Work[Result] | Sequence[Work[Result]]

# Rows of a block of an array. Results do not depend on it.
BLOCK = 1 << 18
# Blocks that are held at a time on one machine.
IN_FLIGHT = 2
# A worker that dies takes its blocks with it; each is read again so many times.
RETRIES = 5


class Blocks(Protocol):
    """Rows in a fixed order, cut into blocks.

    Attributes
    ----------
    lengths : list of int
        Rows of each block.
    n_features : int
        Columns.
    names : list of str or None
        Their names, where they have any.
    """

    @property
    def lengths(self) -> list[int]: ...  # noqa: D102

    @property
    def n_features(self) -> int: ...  # noqa: D102

    @property
    def names(self) -> list[str] | None: ...  # noqa: D102

    def map(self, work: Works[Result]) -> Iterator[Result]:
        """Do something with each block.

        Parameters
        ----------
        work : callable, or a sequence of them, one for each block
            Takes the number of a block and its rows; what it returns should be small.

        Returns
        -------
        iterator
            What it returned, in the order of the blocks.
        """
        ...


def takes(X: Any) -> bool:
    """Tell whether data is read in blocks: a path, several, or a Dask collection.

    Parameters
    ----------
    X : object
        What `fit` was given.

    Returns
    -------
    bool

    Examples
    --------
    >>> takes("people.parquet"), takes([[1.0, 2.0]])
    (True, False)
    """
    if isinstance(X, str | Path) or hasattr(X, "__dask_graph__"):
        return True
    several = isinstance(X, list | tuple) and len(X) > 0
    return several and all(isinstance(path, str | Path) for path in X)


def blocks_of(X: Any) -> Blocks:
    """Cut data into blocks.

    Parameters
    ----------
    X : path, list of paths, Dask collection, or ndarray of shape (n_records, n_features)
        Parquet files, a directory of them or a pattern such as "people/*.parquet"; a Dask array
        or data frame; an array, which may be mapped from a file.

    Returns
    -------
    Blocks
        Where a `dask.distributed.Client` is at work, the files are read by its workers.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If a column does not hold numbers.

    Examples
    --------
    >>> blocks_of(np.zeros((5, 2))).lengths
    [5]
    """
    if hasattr(X, "__dask_graph__"):
        return DaskBlocks(X)
    if takes(X):
        return ParquetBlocks(X)
    return ArrayBlocks(X)


def require_columns(blocks: Blocks, n_features: int, names: Any = None) -> None:
    """Refuse rows with other columns than those of a fit.

    Parameters
    ----------
    blocks : Blocks
        The rows.
    n_features : int
        Columns wanted.
    names : array-like of str, optional
        Theirs; rows without names may have any.

    Raises
    ------
    InvalidInput
        If there are more or fewer, or others.

    Examples
    --------
    >>> require_columns(blocks_of(np.zeros((5, 2))), 2)
    """
    if blocks.n_features != n_features:
        raise InvalidInput(
            f"The rows have {blocks.n_features} columns, those of the fit {n_features}.",
            "Give the same columns in the same order.",
        )
    if names is None or blocks.names is None:
        return
    other = [name for name, wanted in zip(blocks.names, names, strict=True) if name != wanted]
    if other:
        raise InvalidInput(
            f"{len(other)} of {n_features} columns are not where they were in the fit, the first "
            f"is {other[0]!r}.",
            "Give the same columns in the same order.",
        )


class ArrayBlocks:
    """Blocks of an array, which may be mapped from a file.

    Parameters
    ----------
    X : ndarray of shape (n_records, n_features)
        Numbers.
    block : int, optional
        Rows in a block.

    Examples
    --------
    >>> blocks = ArrayBlocks(np.arange(10.0).reshape(5, 2), block=2)
    >>> blocks.lengths, [float(total) for total in blocks.map(lambda i, rows: rows.sum())]
    ([2, 2, 1], [6.0, 22.0, 17.0])
    """

    names = None

    def __init__(self, X: Any, block: int = BLOCK) -> None:
        self._rows = X
        self.lengths = [min(block, len(X) - a) for a in range(0, len(X), block)]
        self.n_features = int(X.shape[1])
        self._block = block

    def map(self, work: Works[Result]) -> Iterator[Result]:
        """See `Blocks.map`."""

        def one(number: int) -> Result:
            first = number * self._block
            rows = _checked(self._rows[first : first + self._block])
            return _for_block(work, number)(number, rows)

        return _in_order(one, len(self.lengths))


class ParquetBlocks:
    """Blocks of Parquet files: one for each row group.

    Parameters
    ----------
    path : str, pathlib.Path, or list of them
        Files, a directory or a pattern; read in the order of their names.

    Raises
    ------
    NotFound
        If no file matches.
    InvalidInput
        If a file has other columns than the first, or columns without numbers.
    """

    def __init__(self, path: Any) -> None:
        parquet = require("pyarrow.parquet", "parquet")
        self._files = [str(file) for file in _files(path)]
        self.lengths = []
        self._places: list[tuple[str, int]] = []
        self.names: list[str] = []
        for file in self._files:
            opened = parquet.ParquetFile(file)
            names = list(opened.schema_arrow.names)
            if not self.names:
                self.names = names
                _require_numbers(opened.schema_arrow, file)
            if names != self.names:
                raise InvalidInput(
                    f"{Path(file).name} has {len(names)} columns, {Path(self._files[0]).name} "
                    f"{len(self.names)}, or in another order.",
                    "Give files with the same columns in the same order.",
                )
            for group in range(opened.num_row_groups):
                self.lengths.append(opened.metadata.row_group(group).num_rows)
                self._places.append((file, group))
        self.n_features = len(self.names)

    def map(self, work: Works[Result]) -> Iterator[Result]:
        """See `Blocks.map`."""
        tasks = [
            partial(_read_and, _for_block(work, i), i, *place)
            for i, place in enumerate(self._places)
        ]
        client = _client()
        if client is None:
            return _in_order(lambda i: tasks[i](), len(tasks))
        return _on_workers(client, tasks)


class DaskBlocks:
    """Blocks of a Dask array or data frame: its partitions.

    Parameters
    ----------
    collection : dask.array.Array or dask.dataframe.DataFrame
        Numbers, cut along the rows only.
    """

    def __init__(self, collection: Any) -> None:
        self.names = None
        if hasattr(collection, "columns"):
            self.names = [str(name) for name in collection.columns]
            self._parts = collection.to_delayed()
        else:
            if collection.ndim != 2:
                raise InvalidInput(
                    f"The Dask array has {collection.ndim} dimensions.", "Give it two."
                )
            if len(collection.chunks[1]) > 1:
                collection = collection.rechunk({1: -1})
            self._parts = collection.to_delayed().ravel().tolist()
        self.n_features = int(collection.shape[1])

    @cached_property
    def lengths(self) -> list[int]:
        """Rows of each partition, counted once."""
        return list(self._map(lambda i, rows: len(rows)))

    def map(self, work: Works[Result]) -> Iterator[Result]:
        """See `Blocks.map`."""
        return self._map(work)

    def _map(self, work: Works[Result]) -> Iterator[Result]:
        dask = require("dask", "dask")
        client = _client()
        tasks = [
            dask.delayed(_work_on, pure=False)(_for_block(work, i), i, part)
            for i, part in enumerate(self._parts)
        ]
        if client is None:
            return _in_order(lambda i: tasks[i].compute(scheduler="synchronous"), len(tasks))
        return _on_workers(client, tasks)


def _for_block(work: Works[Result], number: int) -> Work[Result]:
    return work if callable(work) else work[number]


def _work_on(work: Work[Result], number: int, part: Any) -> Result:
    if hasattr(part, "to_numpy"):
        part = part.to_numpy()
    return work(number, _checked(part))


def _read_and(work: Work[Result], number: int, file: str, group: int) -> Result:
    return work(number, _read_group(file, group))


def _read_group(file: str, group: int) -> Rows:
    parquet = require("pyarrow.parquet", "parquet")
    # A row group is wanted whole: reading ahead would only copy it once more.
    opened = parquet.ParquetFile(file, pre_buffer=False)
    table = opened.read_row_group(group, use_threads=False)
    wide = any(str(kind) not in ("float", "halffloat") for kind in table.schema.types)
    rows = np.empty((table.num_rows, table.num_columns), np.float64 if wide else np.float32)
    for i, column in enumerate(table.columns):
        rows[:, i] = column.to_numpy(zero_copy_only=False)
    return _checked(rows)


def _checked(rows: Any) -> Rows:
    """Give rows as floats in C order; refuse what is not finite."""
    kept: Rows = np.ascontiguousarray(rows, None if rows.dtype == np.float32 else np.float64)
    if not np.isfinite(kept).all():
        bad = int((~np.isfinite(kept)).any(axis=1).sum())
        raise InvalidInput(
            f"{bad:,} of {len(kept):,} rows of a block hold missing or infinite values.",
            "Fill or drop them first.",
        )
    return kept


def _files(path: Any) -> list[Path]:
    """Give the files meant by a path, a directory, a pattern or a list, by name."""
    if isinstance(path, list | tuple):
        found = [file for one in path for file in _files(one)]
    else:
        one = Path(path)
        if one.is_dir():
            found = sorted(one.glob("**/*.parquet"))
        elif one.is_file():
            found = [one]
        elif any(c in str(path) for c in "*?["):
            # Only the name may be a pattern.
            found = sorted(one.parent.glob(one.name))
        else:
            found = []
    if not found:
        raise NotFound(
            f"No Parquet file matches {Path(str(path)).name!r}.",
            "Give a file, a directory of .parquet files, or a pattern.",
        )
    return found


def _require_numbers(schema: Any, file: str) -> None:
    types = require("pyarrow.types", "parquet")
    wrong = [
        field.name
        for field in schema
        if not (types.is_floating(field.type) or types.is_integer(field.type))
    ]
    if wrong:
        raise InvalidInput(
            f"{len(wrong)} of {len(schema)} columns of {Path(file).name} hold no numbers, the "
            f"first is {wrong[0]!r}.",
            "Encode them first, or leave them out.",
        )


def _client() -> Any:
    """Give the Dask cluster at work in this process, if any."""
    import sys

    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    with suppress(ValueError):
        return distributed.default_client()
    return None


def _in_order(one: Callable[[int], Result], n: int) -> Iterator[Result]:
    """Work on a few blocks at a time, so that no more are in memory."""
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="blocks") as threads:
        waiting: deque[Any] = deque()
        try:
            for i in range(n):
                waiting.append(threads.submit(one, i))
                if len(waiting) > IN_FLIGHT:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _on_workers(client: Any, tasks: Sequence[Any]) -> Iterator[Any]:
    """Run tasks on a cluster; a result is dropped there as soon as it was fetched."""
    killed = require("distributed", "dask").KilledWorker

    def begin(task: Any) -> Any:
        if hasattr(task, "__dask_graph__"):
            return client.compute(task, retries=RETRIES)
        return client.submit(task, pure=False, retries=RETRIES)

    futures = deque((task, begin(task)) for task in tasks)
    while futures:
        task, future = futures.popleft()
        for attempt in range(RETRIES + 1):
            try:
                result = future.result()
                break
            except killed:
                # Workers that died with this block: what killed them need not be the block.
                if attempt == RETRIES:
                    raise
                future = begin(task)
        future.release()
        yield result
