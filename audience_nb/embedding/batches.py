"""Many texts to a server that fails: some batches at once, none asked for again once answered."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from audience_nb.embedding.encoder import FloatArray
from audience_nb.embedding.replies import Reply
from audience_nb.embedding.retries import Failure, Patience
from audience_nb.errors import EncoderFailed

__all__ = ["BatchRun", "RequestFailed", "batches"]

logger = logging.getLogger(__name__)

# Vectors of one text may differ in the last digits from one reply to the next.
_SAME = 0.99999
# Further requests for a batch whose rows turned out to be numbered anew.
_MAX_RENUMBERED = 2
# A server that gives this many replies of one wrong length, and no other, always will.
_ALWAYS = 3


class RequestFailed(Exception):
    """One request gave no vector.

    Parameters
    ----------
    failure : Failure
        Why.
    n_dimensions : int, optional
        The wrong length that all its vectors had.
    """

    def __init__(self, failure: Failure, n_dimensions: int | None = None) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.n_dimensions = n_dimensions


def batches(texts: Sequence[str], size: int, max_bytes: int) -> Iterator[list[str]]:
    """Cut texts into batches that a server takes.

    Parameters
    ----------
    texts : sequence of str
        In order.
    size : int
        Most texts of a batch.
    max_bytes : int
        Most bytes of UTF-8 of a batch, unless one text alone has more.

    Yields
    ------
    list of str

    Examples
    --------
    >>> list(batches(["aa", "b", "cccc", "d"], size=2, max_bytes=4))
    [['aa', 'b'], ['cccc'], ['d']]
    """
    batch: list[str] = []
    n_bytes = 0
    for text in texts:
        length = len(text.encode())
        if batch and (len(batch) == size or n_bytes + length > max_bytes):
            yield batch
            batch, n_bytes = [], 0
        batch.append(text)
        n_bytes += length
    if batch:
        yield batch


class BatchRun:
    """One call of an encoder: all batches, several at once, each until it is whole.

    What comes is stored at once. A text is paid for when a whole reply holds its vector, and it
    is then never asked for again; the one exception is what a killed process had received but not
    yet stored, at most one batch for each request under way.

    Parameters
    ----------
    ask : callable
        Sends texts, gives a `Reply`; raises `RequestFailed`.
    store : callable
        Keeps vectors by text; called by one thread at a time.
    patience : Patience
        When to give up.
    concurrency : int
        Requests under way at most.
    name : str
        Encoder's name, for messages.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Reply],
        store: Callable[[Mapping[str, FloatArray]], None],
        patience: Patience,
        concurrency: int,
        name: str,
    ) -> None:
        self._ask, self._store = ask, store
        self._patience, self._concurrency, self._name = patience, concurrency, name
        self._todo: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[int | Failure] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._ends = 0.0
        self._answered = False
        self.n_done = 0

    def run(self, todo: Sequence[list[str]], tell: Callable[[int], None]) -> None:
        """Fetch all batches.

        Parameters
        ----------
        todo : sequence of list of str
            The batches.
        tell : callable
            Called in this thread with the number of texts done, between batches; what it raises
            ends the run after the requests under way.

        Raises
        ------
        EncoderFailed
            If a batch fails for good, or the deadline passes.
        """
        seconds = self._patience.seconds(len(todo))
        self._ends = time.monotonic() + seconds
        for batch in todo:
            self._todo.put(batch)
        n_texts = sum(map(len, todo))
        # Daemons: a hung socket must not keep the interpreter from ending.
        workers = [
            threading.Thread(target=self._work, name=f"encoder-{i}", daemon=True)
            for i in range(min(self._concurrency, len(todo)))
        ]
        for worker in workers:
            worker.start()
        try:
            while self.n_done < n_texts:
                try:
                    news = self._news.get(timeout=max(0.0, self._ends - time.monotonic()))
                except queue.Empty:
                    news = Failure(f"{seconds:,.3g} seconds were over", "Raise deadline.")
                if isinstance(news, Failure):
                    raise self._failed(news, n_texts)
                self.n_done += news
                tell(self.n_done)
        finally:
            self._stop.set()
            # What is under way may be paid for: wait until it is stored.
            patience = time.monotonic() + self._patience.timeout
            for worker in workers:
                worker.join(max(0.0, patience - time.monotonic()))

    def _failed(self, failure: Failure, n_texts: int) -> EncoderFailed:
        return EncoderFailed(
            f"{self._name} encoded {self.n_done:,} of {n_texts:,} texts, then failed: "
            f"{failure.reason}.",
            failure.next_move,
        )

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    batch = self._todo.get_nowait()
                except queue.Empty:
                    return
                self._fetch(batch)
        except RequestFailed as error:
            self._stop.set()
            self._news.put(error.failure)
        except Exception as error:
            # Shown by its class alone: a client's message may quote the request's headers.
            self._stop.set()
            self._news.put(Failure(f"{type(error).__name__} while a batch was fetched"))

    def _fetch(self, batch: list[str]) -> None:
        """Ask for one batch until each text has its vector."""
        wanted = batch
        # Of short replies, until their last row has shown that their numbers are right.
        held: dict[str, FloatArray] = {}
        n_failed = n_renumbered = 0
        lengths: list[int | None] = []
        while wanted and (held or not self._stop.is_set()):
            try:
                reply = self._ask(wanted)
            except RequestFailed as error:
                lengths.append(error.n_dimensions)
                self._go_on(error, n_failed, lengths)
                n_failed += 1
                continue
            self._answered = True
            n_failed = 0
            came = {wanted[i]: vector for i, vector in reply.vectors.items()}
            if held and _coincide(held, came):
                # The server left texts out and numbered the others anew: the rows held belong to
                # other texts.
                n_renumbered += 1
                if n_renumbered > _MAX_RENUMBERED:
                    raise RequestFailed(
                        Failure(
                            f"the server leaves texts out of a batch of {len(batch)} and numbers "
                            "the others anew",
                            "Set batch_size=1 to see which texts it refuses.",
                        )
                    )
                wanted, held = [t for t in batch if t in held or t in wanted], {}
                continue
            wanted = [text for text in wanted if text not in came]
            if reply.flaw:
                logger.info("%s: %s; asking for %d again.", self._name, reply.flaw, len(wanted))
            if wanted and (held or reply.renumbered):
                held |= came
            else:
                self._keep(held | came)
                held = {}

    def _go_on(self, error: RequestFailed, n_failed: int, lengths: list[int | None]) -> None:
        """Wait for the next attempt, or raise if none makes sense."""
        failure = error.failure
        if not self._answered and len(lengths) >= _ALWAYS and len(set(lengths[-_ALWAYS:])) == 1:
            always = lengths[-1]
            if always is not None:
                raise RequestFailed(
                    Failure(
                        f"the server gives vectors of {always:,} numbers, whatever is asked",
                        f"Pass dimensions={always}; or shorten=True, if the model is trained to be "
                        "cut.",
                    )
                )
        if not failure.passing or n_failed >= self._patience.max_retries or self._stop.is_set():
            raise error
        wait = self._patience.wait(failure, n_failed)
        left = self._ends - time.monotonic()
        if wait >= left:
            raise RequestFailed(
                Failure(
                    f"{failure.reason}, and asks to wait {failure.asked_wait:,.0f} s with "
                    f"{max(0.0, left):,.0f} s left"
                    if failure.asked_wait >= 0
                    else f"{failure.reason}, and no time is left for another attempt",
                    failure.next_move,
                )
            )
        if failure.asked_wait > wait:
            logger.warning(
                "%s: the server asks to wait %.0f s; trying again in %.1f s.",
                self._name,
                failure.asked_wait,
                wait,
            )
        else:
            logger.info("%s: %s; next attempt in %.1f s.", self._name, failure.reason, wait)
        self._stop.wait(wait)

    def _keep(self, vectors: Mapping[str, FloatArray]) -> None:
        with self._lock:
            self._store(vectors)
        self._news.put(len(vectors))


def _coincide(held: Mapping[str, FloatArray], came: Mapping[str, FloatArray]) -> bool:
    """Whether a text's vector came before under another text's number."""
    before = np.stack(list(held.values()))
    now = np.stack(list(came.values()))
    return bool((before @ now.T >= _SAME).any())
