"""Errors as answers: what went wrong, the next move, and the id to look for in the log."""

from __future__ import annotations

import secrets
from typing import Any

from audience_nb.errors import (
    AudienceError,
    Cancelled,
    DamagedFile,
    EncoderFailed,
    Infeasible,
    InvalidInput,
    MissingExtra,
    NotAllowed,
    NotFound,
    SourceFailed,
    WrongStep,
)

__all__ = ["Refusal", "body_of", "new_log_id", "status_of"]

# Class of error -> HTTP status (RFC 9110, section 15).
STATUSES: dict[type[AudienceError], int] = {
    InvalidInput: 400,
    NotAllowed: 403,
    NotFound: 404,
    WrongStep: 409,
    Cancelled: 409,
    DamagedFile: 422,
    Infeasible: 422,
    MissingExtra: 501,
    EncoderFailed: 502,
    SourceFailed: 502,
}


class Refusal(AudienceError):
    """What the server refuses on its own account.

    Parameters
    ----------
    status : int
        Of HTTP.
    fact, next_move : str
        As for any error.
    retry_after : int, optional
        Seconds after which to try again.

    Examples
    --------
    >>> status_of(Refusal(503, "64 requests are waiting.", "Try again.", retry_after=1))
    503
    """

    def __init__(
        self, status: int, fact: str, next_move: str = "", *, retry_after: int | None = None
    ) -> None:
        super().__init__(fact, next_move)
        self.status = status
        self.retry_after = retry_after


def status_of(error: BaseException) -> int:
    """Give the status that an error is answered with.

    Parameters
    ----------
    error : BaseException
        Any.

    Returns
    -------
    int
        500 for what nobody raised on purpose.

    Examples
    --------
    >>> status_of(NotFound("There is no such session."))
    404
    """
    if isinstance(error, Refusal):
        return error.status
    return next((s for kind, s in STATUSES.items() if isinstance(error, kind)), 500)


def new_log_id() -> str:
    """Give an id for one request.

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> len(new_log_id())
    16
    """
    return secrets.token_hex(8)


def body_of(error: BaseException, log_id: str) -> dict[str, Any]:
    """Give what is said about an error: never a trace, nor words nobody meant to be read.

    Parameters
    ----------
    error : BaseException
        Any.
    log_id : str
        Of the request.

    Returns
    -------
    dict
        `error`, `next_move`, `log_id`.

    Examples
    --------
    >>> body_of(ZeroDivisionError("ann@example.org"), "0f")["error"]
    'The server failed.'
    """
    if isinstance(error, AudienceError):
        return {"error": error.fact, "next_move": error.next_move, "log_id": log_id}
    return {
        "error": "The server failed.",
        "next_move": "Try again; if it goes on, give the log id to whoever runs the server.",
        "log_id": log_id,
    }
