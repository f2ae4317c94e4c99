"""Bounded threads for work, so that the event loop is always free and queues never grow long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

from audience_nb.server.metrics import WAITING
from audience_nb.server.refusals import Refusal

__all__ = ["Kind", "Work"]

Kind = Literal["quick", "heavy", "probe"]
T = TypeVar("T")


class Work:
    """Three pools of threads: searches and looks, clustering and files, probes.

    Parameters
    ----------
    searchers, workers : int
        Threads for quick and for heavy work.
    waiting : int
        Pieces of each kind that may wait or be under way; more are refused.
    """

    def __init__(self, searchers: int, workers: int, waiting: int) -> None:
        sizes: dict[Kind, int] = {"quick": searchers, "heavy": workers, "probe": 4}
        self._threads = {
            kind: ThreadPoolExecutor(size, thread_name_prefix=f"audience-{kind}")
            for kind, size in sizes.items()
        }
        self._most: dict[Kind, int] = {"quick": waiting, "heavy": waiting, "probe": 8}
        self._pending: dict[Kind, int] = dict.fromkeys(sizes, 0)
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether nothing new is taken in."""
        return self._stopping

    @property
    def pending(self) -> int:
        """Pieces that wait or are under way."""
        return sum(self._pending.values())

    def require_room(self, kind: Kind) -> None:
        """Refuse what would wait too long.

        Parameters
        ----------
        kind : {"quick", "heavy", "probe"}
            Which pool.

        Raises
        ------
        Refusal
            503, if the pool is full or the server stops.
        """
        if self._stopping:
            raise Refusal(503, "The server is stopping.", "Try another one.", retry_after=5)
        if self._pending[kind] >= self._most[kind]:
            raise Refusal(
                503,
                f"{self._pending[kind]} requests are waiting already.",
                "Try again in a second.",
                retry_after=1,
            )

    async def run(self, kind: Kind, piece: Callable[[], T]) -> T:
        """Do a piece of work in a thread.

        Parameters
        ----------
        kind : {"quick", "heavy", "probe"}
            Which pool.
        piece : callable
            Takes nothing.

        Returns
        -------
        object
            What the piece gave.

        Raises
        ------
        Refusal
            503, if the pool is full or the server stops.
        """
        self.require_room(kind)
        self._pending[kind] += 1
        WAITING.labels(kind).set(self._pending[kind])
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads[kind], piece)
        finally:
            self._pending[kind] -= 1
            WAITING.labels(kind).set(self._pending[kind])

    async def stop(self, grace: float) -> int:
        """Take nothing new in, and wait for what is under way.

        Parameters
        ----------
        grace : float
            Seconds to wait at most.

        Returns
        -------
        int
            Pieces that were not finished; what they would have changed was never acknowledged.
        """
        self._stopping = True
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        while self.pending and loop.time() < end:
            await asyncio.sleep(0.05)
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        return self.pending
