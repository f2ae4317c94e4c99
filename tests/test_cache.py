"""Index files: whole or not at all, whoever writes, whatever happens to them."""

from __future__ import annotations

import errno
import io
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

import audience_nb.search.cache as cache_module
from audience_nb.errors import DamagedFile
from audience_nb.search.cache import IndexCache, cache_root, write_whole
from audience_nb.search.container import read_arrays, write_arrays

KEY = {"catalog": "1f", "encoder": "none"}
ARRAYS = {
    "words": np.array([b"cat", b"dog"]),
    "none": np.zeros((0, 3), np.float32),
    "vectors": np.arange(12, dtype=np.int8).reshape(4, 3),
    "big": np.arange(1000, dtype=np.uint16),
}


def written(folder: Path) -> Path:
    path = folder / "a.index"
    write_whole(path, KEY, ARRAYS, prefix=".building-")
    return path


def test_what_is_written_is_read_and_cannot_be_changed(tmp_path: Path) -> None:
    found = read_arrays(written(tmp_path), KEY)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        nps.arrays(
            st.sampled_from(["<i1", "<u2", ">i4", "<f4", "<f8", "?", "S5"]),
            nps.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
        ),
        max_size=4,
    )
)
def test_any_arrays_come_back(
    tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    with path.open("wb") as file:
        write_arrays(file, KEY, arrays)
    for name, array in read_arrays(path, KEY).items():
        assert array.shape == arrays[name].shape
        np.testing.assert_array_equal(array, arrays[name])


def test_equal_content_gives_equal_bytes() -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write_arrays(file, KEY, ARRAYS)
    assert files[0].getvalue() == files[1].getvalue()


def test_every_flipped_bit_and_every_cut_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[at] ^= 1 << (at % 8)
        path.write_bytes(flipped)
        with pytest.raises(DamagedFile):
            read_arrays(path, KEY)
    for length in range(0, len(whole), 13):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFile):
            read_arrays(path, KEY)
    path.write_bytes(whole + b"\0")
    with pytest.raises(DamagedFile):
        read_arrays(path, KEY)
    path.write_bytes(whole)
    assert read_arrays(path, KEY)["big"].sum() == ARRAYS["big"].sum()


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(DamagedFile, match="belongs to something else"):
        read_arrays(path, {**KEY, "catalog": "2e"})
    np.save(tmp_path / "n.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DamagedFile, match="another sort"):
        read_arrays(tmp_path / "n.npy", KEY)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DamagedFile):
        read_arrays(tmp_path / "folder", KEY)
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "nothing", KEY)


def test_objects_are_not_stored(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="dtype object"):
        write_whole(tmp_path / "a", KEY, {"a": np.array([{}])}, prefix=".b-")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = IndexCache(tmp_path, {"catalog": "x"})
    cache.publish({"rows": np.arange(3)})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache_module.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        cache.publish({"rows": np.arange(5)})
    assert cache.open()["rows"].tolist() == [0, 1, 2]
    assert [p.name for p in cache.parent.iterdir()] == [cache.path.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_device_that_is_full_says_so() -> None:
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
        write_arrays(file, KEY, ARRAYS)


def test_publishing_again_does_not_disturb_who_reads(tmp_path: Path) -> None:
    cache = IndexCache(tmp_path, {"catalog": "x"})
    cache.publish({"rows": np.arange(3)})
    mapped = cache.open()["rows"]
    cache.publish({"rows": np.arange(4)})
    assert mapped.tolist() == [0, 1, 2]
    assert cache.open()["rows"].tolist() == [0, 1, 2, 3]


def test_what_a_killed_build_left_is_swept_after_a_week(tmp_path: Path) -> None:
    cache = IndexCache(tmp_path, {"catalog": "x"})
    cache.parent.mkdir(parents=True)
    for name, days in ((".building-old", 8), (".building-new", 6)):
        (cache.parent / name).write_bytes(b"half")
        past = time.time() - days * 86_400
        os.utime(cache.parent / name, (past, past))
    for name, days in ((".learning-old", 8), (".learning-new", 6)):
        (cache.parent / name).mkdir()
        past = time.time() - days * 86_400
        os.utime(cache.parent / name, (past, past))
    cache.publish({"rows": np.arange(3)})
    left = {p.name for p in cache.parent.iterdir()}
    assert left == {cache.path.name, ".building-new", ".learning-new"}


def publish_often(root: Path, which: int, n: int) -> None:
    cache = IndexCache(root, {"catalog": "x"})
    for i in range(n):
        cache.publish({"rows": np.full(50_000, which), "round": np.array([i])})
        assert len(set(cache.open()["rows"].tolist())) == 1


def test_processes_that_publish_at_once_never_mix(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=publish_often, args=(tmp_path, i, 15)) for i in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    cache = IndexCache(tmp_path, {"catalog": "x"})
    assert set(cache.open()["rows"].tolist()) <= {0, 1, 2}
    assert [p.name for p in cache.parent.iterdir()] == [cache.path.name]


def test_the_root_is_named_by_argument_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", "/there")
    assert cache_root() == Path("/there")
    assert cache_root("here") == Path("here")
