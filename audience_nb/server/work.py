"""Bounded threads for work, so that the event loop is always free and queues never grow long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal, TypeVar

from audience_nb.server.metrics import WAITING
from audience_nb.server.refusals import Refusal

__all__ = ["Kind", "Work"]

Kind = Literal["quick", "heavy", "probe"]
T = TypeVar("T")

# Seconds in which work that is given up may notice it and say so.
_NOTICE_S = 5.0


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
        self._requests = 0
        self._stopping = False
        self._given_up = False

    @property
    def stopping(self) -> bool:
        """Whether nothing new is taken in."""
        return self._stopping

    @contextmanager
    def request(self) -> Iterator[None]:
        """Hold the server open for one request; a stop waits for its answer.

        Raises
        ------
        Refusal
            503, if the server stops.
        """
        if self._stopping:
            raise Refusal(503, "The server is stopping.", "Try another one.", retry_after=5)
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    def go_on(self, _stage: str = "", _fraction: float = 0.0) -> None:
        """Let work go on, unless it was given up; takes what progress is told with.

        Raises
        ------
        Refusal
            503, if the server can wait no longer.
        """
        if self._given_up:
            raise Refusal(
                503,
                "The server stopped before this was done, and nothing of it was kept.",
                "Send it again.",
                retry_after=5,
            )

    def require_room(self, kind: Kind) -> None:
        """Refuse what would wait too long.

        Parameters
        ----------
        kind : {"quick", "heavy", "probe"}
            Which pool.

        Raises
        ------
        Refusal
            503, if the pool is full, or the server can wait no longer.
        """
        self.go_on()
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
            503, if the pool is full, or the server can wait no longer.
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
        """Take no request in, and wait for those under way; those that last too long are told.

        Parameters
        ----------
        grace : float
            Seconds to wait at most, before work that is not done is handed back to who asked.

        Returns
        -------
        int
            Requests that were handed back; what they would have changed was not kept.
        """
        self._stopping = True
        await self._wait(grace)
        left = self._requests
        self._given_up = True
        for threads in self._threads.values():
            threads.shutdown(wait=False)
        await self._wait(_NOTICE_S)
        return left

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._requests and loop.time() < end:
            await asyncio.sleep(0.02)
