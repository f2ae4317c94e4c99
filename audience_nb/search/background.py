"""Work that goes on while something else is shown, and says how far it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from audience_nb.errors import AudienceError

__all__ = ["Background"]

Progress: TypeAlias = Callable[[str, float], None]

logger = logging.getLogger(__name__)


class Background:
    """One piece of work in a daemon thread.

    Parameters
    ----------
    work : callable, optional
        Called in the thread with a callback for progress, a stage and a fraction in [0, 1]. None
        for work that is done already.
    name : str, optional
        Of the thread.

    Attributes
    ----------
    failure : Exception or None
        What the work ended with, if not as it should.

    Examples
    --------
    >>> done = []
    >>> background = Background(lambda tell: done.append("work"))
    >>> background.on_ready(lambda: done.append("told"))
    >>> background.wait(), done, background.progress
    (True, ['work', 'told'], 1.0)
    """

    def __init__(self, work: Callable[[Progress], None] | None, *, name: str = "learning") -> None:
        self.failure: Exception | None = None
        self._fraction = 0.0
        self._ended, self._told = threading.Event(), threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        if work is None:
            self._ended.set()
            self._told.set()
        else:
            self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
            self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether the work has ended."""
        return self._ended.is_set()

    @property
    def progress(self) -> float:
        """How much is done, in [0, 1]."""
        return 1.0 if self.ready else self._fraction

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, and until everybody who asked was told.

        Parameters
        ----------
        timeout : float, optional
            Seconds; by default as long as it takes.

        Returns
        -------
        bool
            Whether the work has ended.
        """
        if threading.current_thread() is not self._thread:
            self._told.wait(timeout)
        return self.ready

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Have something done at the end, or at once if that is past.

        Parameters
        ----------
        callback : callable
            Called without arguments, in the thread of the work.
        """
        with self._lock:
            if not self.ready:
                self._callbacks.append(callback)
                return
        callback()

    def _run(self, work: Callable[[Progress], None]) -> None:
        def told(stage: str, fraction: float) -> None:
            self._fraction = min(1.0, max(self._fraction, fraction))

        try:
            work(told)
        except AudienceError as error:
            self.failure = error
            logger.warning("Meanings are not learnt: %s", error)
        # Whatever an encoder raises: a thread has nobody to pass it on to.
        except Exception as error:
            self.failure = error
            logger.exception("Meanings are not learnt.")
        with self._lock:
            self._ended.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:
                logger.exception("What was to be done once meanings were learnt failed.")
        self._told.set()
