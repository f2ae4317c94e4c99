"""Runs of rows on several threads, with results that do not depend on how many."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["CHUNK", "SMALL", "available_threads", "in_chunks", "sizes_of"]

# Up to so many rows nothing needs compiled code, which would be quicker, but only after seconds of
# compiling.
SMALL = 10_000

# Rows in a run: a few megabytes at most, whatever the number of threads.
CHUNK = 1 << 13

T = TypeVar("T")


def available_threads() -> int:
    """Count the processors that this process may use, 8 at most.

    Returns
    -------
    int

    Examples
    --------
    >>> 1 <= available_threads() <= 8
    True
    """
    allowed = getattr(os, "sched_getaffinity", None)
    count = len(allowed(0)) if allowed else os.cpu_count() or 1
    return max(1, min(8, count))


@lru_cache(maxsize=8)
def _pool(n_threads: int) -> ThreadPoolExecutor:
    """Give threads that were started once: thousands of short runs share them."""
    return ThreadPoolExecutor(n_threads, thread_name_prefix="kmedians")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork; waiting for them would never end.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def in_chunks(
    work: Callable[[int, int], T], n: int, size: int = CHUNK, n_threads: int | None = None
) -> list[T]:
    """Call `work(start, stop)` over consecutive runs of rows.

    Parameters
    ----------
    work : callable
        Releases the GIL where it matters.
    n : int
        Rows.
    size : int, optional
        Rows in a run; it does not depend on the number of threads, nor does the result.
    n_threads : int, optional
        By default `available_threads()`.

    Returns
    -------
    list
        What `work` gave, in order.

    Examples
    --------
    >>> in_chunks(lambda start, stop: stop - start, 10, 4)
    [4, 4, 2]
    """
    spans = [(start, min(n, start + size)) for start in range(0, n, size)]
    n_threads = n_threads or available_threads()
    if len(spans) <= 1 or n_threads == 1:
        return [work(*span) for span in spans]
    return list(_pool(n_threads).map(lambda span: work(*span), spans))


def sizes_of(
    labels: npt.NDArray[np.int32], n_clusters: int, n_threads: int | None = None
) -> npt.NDArray[np.int64]:
    """Count rows by cluster, without a copy of the labels as large as eight bytes each.

    Parameters
    ----------
    labels : ndarray of int32, shape (n_records,)
        From 0 to `n_clusters` - 1.
    n_clusters : int
        How many.
    n_threads : int, optional
        Threads to work on.

    Returns
    -------
    ndarray of int64, shape (n_clusters,)

    Examples
    --------
    >>> sizes_of(np.array([0, 2, 2], np.int32), 4).tolist()
    [1, 0, 2, 0]
    """

    def part(a: int, b: int) -> npt.NDArray[np.int64]:
        return np.bincount(labels[a:b], minlength=n_clusters)

    parts = in_chunks(part, len(labels), 1 << 16, n_threads)
    total: npt.NDArray[np.int64] = np.sum([np.zeros(n_clusters, np.int64), *parts], axis=0)
    return total
