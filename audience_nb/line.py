"""The kernel's end of the line to a view: one message, one answer, never an exception unheard."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from audience_nb.dispatch import dispatch
from audience_nb.errors import AudienceError, Cancelled, InvalidInput
from audience_nb.snapshot import suggestion_values

if TYPE_CHECKING:
    from audience_nb.session import Session

__all__ = ["Line"]

logger = logging.getLogger(__name__)

# The view gives a kernel up for dead after 20 s of silence.
_HEARTBEAT_S = 5.0
_PROGRESS_S = 0.1
_MOST_FOUND = 20


class Line:
    """Takes the messages of views, has the session do them, and answers.

    Parameters
    ----------
    session : Session
        What is spoken to.
    send : callable
        Sends plain values to all views.
    show : callable
        Syncs the session's state to all views.
    follow : callable
        Tells all views how far the index is, should it have begun to learn.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.session import Session
    >>> heard = []
    >>> session = Session(pd.DataFrame({"age": range(20, 80)}))
    >>> line = Line(session, heard.append, lambda: None, lambda: None)
    >>> line.receive({"id": "1", "verb": "cancel"})
    >>> heard
    [{'id': '1', 'ok': True}]
    >>> line.close()
    """

    def __init__(
        self,
        session: Session,
        send: Callable[[dict[str, Any]], None],
        show: Callable[[], None],
        follow: Callable[[], None],
    ) -> None:
        self._session = session
        self._send = send
        self._show = show
        self._follow = follow
        self._cancel = threading.Event()
        # One line for verbs, so that they happen in the order of the clicks; one for typing, so
        # that it is answered meanwhile.
        self._verbs = ThreadPoolExecutor(1, thread_name_prefix="audience-verbs")
        self._finds = ThreadPoolExecutor(1, thread_name_prefix="audience-finds")

    def close(self) -> None:
        """Stop what is under way, and take no more."""
        self._cancel.set()
        self._verbs.shutdown(wait=False, cancel_futures=True)
        self._finds.shutdown(wait=False, cancel_futures=True)

    def soon(self, work: Callable[[], None]) -> None:
        """Do something beside the verbs, before what is typed next."""
        self._finds.submit(work)

    def receive(self, content: Any) -> None:
        """Take one message. Nothing raised here would be shown anywhere.

        Parameters
        ----------
        content : dict
            `id`, `verb` and `arguments`; anything else is passed over, or answered by an error.
        """
        if not isinstance(content, dict):
            return
        id = content.get("id")
        verb, arguments = content.get("verb"), content.get("arguments") or {}
        if not isinstance(id, str) or len(id) > 64:
            return
        if not isinstance(verb, str) or not isinstance(arguments, dict):
            with self._answering(id):
                raise InvalidInput("The message names no verb.", "Send a verb and its arguments.")
        elif verb == "cancel":
            self._cancel.set()
            self._send({"id": id, "ok": True})
        elif verb == "code":
            self._later(self._finds, self._code, id)
        elif verb == "dispatch":
            self._later(self._verbs, self._perform, id, self._dispatch, arguments)
        elif verb == "find":
            self._later(self._finds, self._find, id, arguments)
        else:
            work = partial(self._session.perform, verb)
            self._later(self._verbs, self._perform, id, work, arguments)

    def _later(self, line: ThreadPoolExecutor, work: Callable[..., None], *given: Any) -> None:
        # The context tells the kernel which message the output of the work belongs to.
        line.submit(contextvars.copy_context().run, work, *given)

    def _find(self, id: str, arguments: dict[str, Any]) -> None:
        with self._answering(id):
            text, limit = arguments.get("text"), arguments.get("limit", 8)
            if not isinstance(text, str) or not isinstance(limit, int):
                raise InvalidInput("find takes a text and a limit.", "Give both.")
            found = self._session.find(text[:200], limit=min(max(limit, 1), _MOST_FOUND))
            self._send({"id": id, "found": [suggestion_values(s) for s in found]})
            self._follow()

    def _code(self, id: str) -> None:
        with self._answering(id):
            self._send({"id": id, "code": self._session.to_code()})

    def _dispatch(self, arguments: dict[str, Any], tell: Callable[[str, float], None]) -> None:
        """Take a destination a stage on. A view alone asks so: a token must not go further."""
        options = arguments.get("options", {})
        texts = [arguments.get(key, "") for key in ("destination", "stage", "token", "purpose")]
        named = [*options, *options.values()] if isinstance(options, dict) else [None]
        if not all(isinstance(text, str) for text in (*texts, *named)):
            raise InvalidInput("The message names no destination.", "Send one, and a stage.")
        name, stage, token, purpose = texts
        tell(f"{stage} {name}", 0.0)
        confirm = arguments.get("confirm") is True
        dispatch(self._session, name, stage, options, token, confirm, purpose)

    def _perform(
        self,
        id: str,
        work: Callable[[dict[str, Any], Callable[[str, float], None]], Any],
        arguments: dict[str, Any],
    ) -> None:
        with self._answering(id), self._progress(id) as tell:
            self._cancel.clear()
            try:
                work(arguments, tell)
            except BaseException:
                # A verb that failed told no one, yet what was said before it failed shall show.
                self._show()
                raise
            self._send({"id": id, "ok": True})

    @contextmanager
    def _answering(self, id: str) -> Iterator[None]:
        """Answer with the error if there is one; the log alone gets more than its name."""
        try:
            yield
        except AudienceError as error:
            self._send_error(id, error.fact, error.next_move)
        except Exception as error:
            logger.exception("A message of the view failed.")
            self._send_error(
                id,
                f"Something failed inside: {type(error).__name__}.",
                "Your work so far is intact. Try again; the log of the kernel says more.",
            )

    def _send_error(self, id: str, fact: str, next_move: str) -> None:
        self._send({"id": id, "error": {"fact": fact, "next_move": next_move}})

    @contextmanager
    def _progress(self, id: str) -> Iterator[Callable[[str, float], None]]:
        """Send progress as it is told, and the last of it again while nothing is told."""
        last = {"stage": "", "fraction": 0.0}
        sent_at = 0.0
        over = threading.Event()

        def send() -> None:
            self._send({"id": id, "progress": dict(last)})

        def tell(stage: str, fraction: float) -> None:
            nonlocal sent_at
            if self._cancel.is_set():
                raise Cancelled("Stopped, as you asked.", "Nothing was changed.")
            fresh = stage != last["stage"]
            last.update(stage=str(stage)[:80], fraction=min(max(float(fraction), 0.0), 1.0))
            if fresh or time.monotonic() - sent_at > _PROGRESS_S:
                sent_at = time.monotonic()
                send()

        def beat() -> None:
            while not over.wait(_HEARTBEAT_S):
                send()

        threading.Thread(target=beat, name="audience-heartbeat", daemon=True).start()
        try:
            yield tell
        finally:
            over.set()
