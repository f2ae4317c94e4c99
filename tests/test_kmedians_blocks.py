"""Blocks of rows: the same rows in the same order, wherever they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audience_nb.errors import InvalidInput, NotFound
from audience_nb.kmedians.blocks import ArrayBlocks, ParquetBlocks, blocks_of, takes

pq = pytest.importorskip("pyarrow.parquet")
pa = pytest.importorskip("pyarrow")


def rows_of(blocks: Any) -> np.ndarray:
    return np.concatenate(list(blocks.map(lambda i, rows: rows)))


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, table: np.ndarray) -> Path:
    columns = {f"x{i}": table[:, i] for i in range(3)}
    for part, (a, b) in enumerate([(0, 300), (300, 1000)]):
        piece = pa.table({name: values[a:b] for name, values in columns.items()})
        pq.write_table(piece, tmp_path / f"part{part}.parquet", row_group_size=250)
    return tmp_path


def test_parquet_is_read_group_by_group_in_the_order_of_names(folder: Path, table: Any) -> None:
    blocks = ParquetBlocks(folder)
    assert blocks.lengths == [250, 50, 250, 250, 200]
    assert blocks.names == ["x0", "x1", "x2"]
    assert rows_of(blocks).dtype == np.float32
    np.testing.assert_array_equal(rows_of(blocks), table)


def test_a_pattern_a_list_and_a_folder_mean_the_same_files(folder: Path, table: Any) -> None:
    for path in (folder / "*.parquet", [str(folder / "part0.parquet"), folder / "part1.parquet"]):
        np.testing.assert_array_equal(rows_of(blocks_of(path)), table)


def test_numbers_of_several_types_become_float64(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2**40], "b": [0.5, 1.5]}), tmp_path / "x.parquet")
    rows = rows_of(blocks_of(tmp_path / "x.parquet"))
    assert rows.dtype == np.float64
    assert rows.tolist() == [[1.0, 0.5], [2.0**40, 1.5]]


def test_what_cannot_be_read_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NotFound, match="nothing"):
        blocks_of(tmp_path / "nothing.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "text.parquet")
    with pytest.raises(InvalidInput, match="1 of 1 columns of text"):
        blocks_of(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1.0]}), tmp_path / "other.parquet")
    with pytest.raises(InvalidInput, match="has 3 columns"):
        blocks_of([tmp_path / "other.parquet", folder / "part0.parquet"])
    pq.write_table(pa.table({"a": [1.0, None, np.inf]}), tmp_path / "missing.parquet")
    with pytest.raises(InvalidInput, match="2 of 3 rows"):
        rows_of(blocks_of(tmp_path / "missing.parquet"))


def test_an_array_is_cut_without_a_copy_of_the_whole(table: np.ndarray) -> None:
    blocks = ArrayBlocks(table, block=400)
    assert blocks.lengths == [400, 400, 200]
    assert [np.shares_memory(part, table) for part in blocks.map(lambda i, rows: rows)] == [
        True
    ] * 3


def test_paths_and_collections_are_told_from_arrays(table: np.ndarray) -> None:
    da = pytest.importorskip("dask.array")
    assert takes("a.parquet") and takes([Path("a"), "b"]) and takes(da.from_array(table))
    assert not takes(table) and not takes([]) and not takes([[1.0]])


def test_a_dask_array_keeps_its_order(table: np.ndarray) -> None:
    da = pytest.importorskip("dask.array")
    blocks = blocks_of(da.from_array(table, chunks=(333, 2)))
    assert blocks.lengths == [333, 333, 333, 1]
    np.testing.assert_array_equal(rows_of(blocks), table)


def test_a_failure_in_one_block_ends_the_pass(table: np.ndarray) -> None:
    def refuse(number: int, rows: np.ndarray) -> int:
        if number == 1:
            raise InvalidInput("Block 1 is bad.", "Mend it.")
        return number

    with pytest.raises(InvalidInput, match="Block 1"):
        list(ArrayBlocks(table, block=100).map(refuse))
