"""When to ask a server again, how long to wait before, and when to give up."""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from audience_nb.errors import InvalidInput

__all__ = ["Failure", "Patience", "failure_of", "retry_after"]

# Refusals that asking again may still answer; every other 4xx stays one.
_PASSING = {408, 409, 425, 429}
_OFFLINE = "Try again later, or use the offline encoder."
_MOVES = {
    400: "Check model, dimensions and base_url.",
    401: "Check the API key.",
    403: "Check the API key and what it may use.",
    404: "Check the model's name and base_url, which usually ends in /v1.",
    413: "Lower batch_size.",
    422: "Check model, dimensions and base_url.",
    429: "Try again later, with less concurrency, or use the offline encoder.",
}
# A code such as "insufficient_quota"; anything else in a body might hold the key.
_CODE = re.compile(r"[a-z][a-z_]{2,39}")
_USED_UP = "insufficient_quota"


@dataclass(frozen=True)
class Failure:
    """Why a request gave nothing.

    Parameters
    ----------
    reason : str
        In words that hold neither header, body nor key.
    next_move : str
        What the reader can do.
    passing : bool
        Whether asking again may help.
    asked_wait : float
        Seconds that the server asks to wait; NaN if it does not say.
    """

    reason: str
    next_move: str = _OFFLINE
    passing: bool = True
    asked_wait: float = math.nan


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Parameters
    ----------
    timeout : float
        Seconds for one request, from sending it to the last byte of its reply.
    max_retries : int
        Further attempts for a batch after one that gave no vector.
    longest_wait : float
        Seconds between two attempts at most, whatever the server asks.
    deadline : float or None
        Seconds for all batches together; None for 20 and 10 more for each batch.

    Examples
    --------
    >>> Patience().seconds(n_batches=1)
    30.0
    >>> Patience(longest_wait=5).wait(Failure("busy", asked_wait=120), attempt=0)
    5
    """

    timeout: float = 20.0
    max_retries: int = 12
    longest_wait: float = 60.0
    deadline: float | None = None

    def __post_init__(self) -> None:
        for name in ("timeout", "longest_wait", "deadline"):
            value = getattr(self, name)
            if value is not None and not (
                0 <= value < math.inf and (value > 0 or name != "timeout")
            ):
                raise InvalidInput(f"{name} is {value}.", "Give seconds, a positive number.")
        if self.max_retries < 0:
            raise InvalidInput(f"max_retries is {self.max_retries}.", "Give 0 or more.")

    def seconds(self, n_batches: int) -> float:
        """Give the seconds for so many batches together."""
        return 20.0 + 10.0 * n_batches if self.deadline is None else self.deadline

    def wait(self, failure: Failure, attempt: int) -> float:
        """Give the seconds to wait before the next attempt.

        Parameters
        ----------
        failure : Failure
            Of the last one.
        attempt : int
            How many failed before it.

        Returns
        -------
        float
            What the server asks, at most `longest_wait`; else full jitter below a doubling
            bound (Brooker 2015, "Exponential backoff and jitter"). Waiting alters no result.
        """
        if failure.asked_wait >= 0:
            return min(failure.asked_wait, self.longest_wait)
        return random.uniform(0, min(0.5 * 2.0 ** min(attempt, 30), self.longest_wait))


def retry_after(headers: Mapping[str, str]) -> float:
    """Read how long a server asks to wait.

    Parameters
    ----------
    headers : mapping of str to str
        `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or `retry-after-ms`.

    Returns
    -------
    float
        Seconds, 0 or more; NaN if none are asked for or they cannot be read.

    Examples
    --------
    >>> retry_after({"retry-after": "120"}), retry_after({"retry-after-ms": "250"})
    (120.0, 0.25)
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) / unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, TypeError, OverflowError):
                continue
        if not math.isnan(seconds):
            return max(0.0, seconds)
    return math.nan


def failure_of(error: Exception) -> Failure:
    """Say what went wrong with a request.

    Parameters
    ----------
    error : Exception
        As the client raised it. Its headers hold the key, so nothing of them is kept.

    Returns
    -------
    Failure
    """
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        kind = type(error).__name__
        if "timeout" in kind.lower():
            return Failure("no answer in time")
        return Failure(f"no whole answer came ({kind})")
    code = _code(getattr(error, "body", None))
    reason = f"the server answered {status}" + (f" ({code})" if code else "")
    if code == _USED_UP:
        return Failure(reason, "Check the account's budget, or use the offline encoder.", False)
    passing = status in _PASSING or not 400 <= status < 500
    move = _MOVES.get(status, _OFFLINE)
    headers = getattr(getattr(error, "response", None), "headers", {})
    return Failure(reason, move, passing, retry_after(headers))


def _code(body: Any) -> str:
    """Find the error's code in a body; the client may have unpacked `error` already."""
    if isinstance(body, bytes | str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return ""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
