"""One request to a platform, until it is answered or patience ends."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from audience_nb.distribution.receipt import NotDelivered, TokenRefused
from audience_nb.embedding.retries import Failure, Patience, retry_after
from audience_nb.errors import AudienceError, InvalidInput

if TYPE_CHECKING:
    import urllib3

__all__ = ["Door", "checked_endpoint"]

Verdict = Callable[[Any], Failure | None]
_PASSING = {408, 409, 425, 429, 500, 502, 503, 504}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LONGEST_ANSWER = 1_000_000


def checked_endpoint(address: str) -> str:
    """Give an address without a slash at its end, if identifiers may be sent to it.

    Parameters
    ----------
    address : str
        Begins with https://, or is on this machine.

    Returns
    -------
    str

    Raises
    ------
    InvalidInput
        If it is another.

    Examples
    --------
    >>> checked_endpoint("https://graph.example.com/v25.0/")
    'https://graph.example.com/v25.0'
    """
    parts = urlsplit(address)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.username or parts.fragment:
        raise InvalidInput(
            f"Identifiers are not sent to {parts.scheme or 'no'}://{parts.hostname or ''}.",
            "Give an address that begins with https://, without user and password.",
        )
    return address.rstrip("/")


class Door:
    """Sends requests to one platform, and again where that may help.

    Busy or failing servers (408, 409, 425, 429, 5xx), no answer in time, and half an answer are
    asked again: after `Retry-After`, or longer each time with jitter. Whoever asks to wait longer
    than `patience.longest_wait` is not asked again. The key in the header `Idempotency-Key` is the
    same each time. The token is in no repr, message or file.

    Parameters
    ----------
    name : str
        Shown to people.
    headers : mapping of str to str
        What lets one in.
    patience : Patience
        How long to wait.
    """

    def __init__(self, name: str, headers: Mapping[str, str], patience: Patience) -> None:
        import urllib3

        for value in headers.values():
            if not (value.isascii() and value.isprintable()):
                raise InvalidInput("The token holds characters that no header can.", "Check it.")
        self.name = name
        self.requests = 0
        self._headers = dict(headers)
        self._patience = patience
        self._pool = urllib3.PoolManager(
            num_pools=2, timeout=urllib3.Timeout(patience.timeout), retries=False
        )

    def ask(
        self,
        method: str,
        url: str,
        body: bytes,
        *,
        key: str,
        content_type: str = "application/json",
        open_to_all: bool = False,
        verdict: Verdict | None = None,
    ) -> Any:
        """Send a request until it is taken.

        Parameters
        ----------
        method, url, body
            The request.
        key : str
            Same for the same rows.
        content_type : str, optional
            Of the body.
        open_to_all : bool, optional
            Whether the address itself lets one in, so that no token is sent along.
        verdict : callable, optional
            Looks at the answer, and gives a `Failure` where the platform says so there only.

        Returns
        -------
        dict
            The answer, read as JSON; {} where it is empty.

        Raises
        ------
        TokenRefused
            If the platform refuses the token (401, 403).
        NotDelivered
            If it refuses the request, or patience ends.
        """
        import urllib3

        headers = {"Content-Type": content_type, "Accept": "application/json"}
        headers |= {} if open_to_all else {**self._headers, "Idempotency-Key": key}
        failure = Failure("gave no answer")
        for attempt in range(self._patience.max_retries + 1):
            if attempt:
                time.sleep(self._patience.wait(failure, attempt - 1))
            self.requests += 1
            try:
                response = self._pool.request(
                    method, url, body=body, headers=headers, redirect=False, preload_content=False
                )
                answer, failure = self._read(response, verdict)
                if failure.reason == "":
                    return answer
                if not failure.passing:
                    raise self._refused(failure)
            except urllib3.exceptions.NewConnectionError:
                failure = Failure("cannot be reached")
                continue
            except urllib3.exceptions.TimeoutError:
                failure = Failure("gave no answer in time")
                continue
            except urllib3.exceptions.HTTPError as error:
                failure = Failure(f"gave no whole answer ({type(error).__name__})")
                continue
            if failure.asked_wait > self._patience.longest_wait:
                raise NotDelivered(
                    f"{self.name} {failure.reason}, and asks to wait {failure.asked_wait:,.0f} s.",
                    "Send again after that: it goes on after the last batch that was acknowledged.",
                )
        raise NotDelivered(
            f"{self.name} {failure.reason}, asked {self._patience.max_retries + 1} times.",
            "Send again later: it goes on after the last batch that was acknowledged.",
        )

    def _read(
        self, response: urllib3.BaseHTTPResponse, verdict: Verdict | None
    ) -> tuple[Any, Failure]:
        try:
            status = response.status
            wait = retry_after({k.lower(): v for k, v in response.headers.items()})
            content = response.read(_LONGEST_ANSWER, decode_content=True)
            # read() is content with a part, and an answer cut in its head looks like an empty one.
            framed = {"content-length", "transfer-encoding"} & {k.lower() for k in response.headers}
            whole = not response.length_remaining and bool(framed or content or status == 204)
        finally:
            response.release_conn()
        if status in _PASSING or status >= 500:
            return None, Failure(f"answered {status}", asked_wait=wait)
        if not 200 <= status < 300:
            return None, Failure(f"answered {status}", passing=False)
        try:
            answer = json.loads(content) if content.strip() else {}
        except ValueError:
            whole = False
        if not whole or not isinstance(answer, dict):
            return None, Failure("gave no whole answer")
        told = verdict(answer) if verdict else None
        if told is not None:
            asked = wait if math.isnan(told.asked_wait) else told.asked_wait
            return None, Failure(told.reason, told.next_move, told.passing, asked)
        return answer, Failure("")

    def _refused(self, failure: Failure) -> AudienceError:
        status = failure.reason.removeprefix("answered ")
        if status in ("401", "403"):
            return TokenRefused(
                f"{self.name} answered {status}: it does not take the token.",
                "Give a token that may write to this list, and send again: it goes on after the "
                "last batch that was acknowledged.",
            )
        return NotDelivered(
            f"{self.name} {failure.reason}.",
            "Check the ids of account and list, and what the platform expects.",
        )
