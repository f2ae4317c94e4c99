"""How often one user may ask."""

from __future__ import annotations

import math
import time

from limits import parse_many
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from audience_nb.errors import InvalidInput
from audience_nb.server.refusals import Refusal

__all__ = ["Rates"]


class Rates:
    """Count requests of each user in a moving window.

    Parameters
    ----------
    rates : str
        Such as "50/second; 1200/minute"; "" for none.
    storage : str, optional
        "memory://" counts in this process alone; the address of a Redis ("redis://…") counts over
        all servers.

    Raises
    ------
    InvalidInput
        If the rates cannot be read.

    Examples
    --------
    >>> rates = Rates("2/minute")
    >>> rates.count("ann"), rates.count("ann"), rates.count("bob")
    (None, None, None)
    """

    def __init__(self, rates: str, storage: str = "memory://") -> None:
        try:
            self._rates = parse_many(rates) if rates else []
        except ValueError as error:
            raise InvalidInput(
                f"The rates {rates!r} cannot be read.", "Give such as '50/second; 1200/minute'."
            ) from error
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage))

    def count(self, user: str) -> None:
        """Count one request.

        Parameters
        ----------
        user : str
            Who asks.

        Raises
        ------
        Refusal
            429 with the seconds to wait, if it is one too many.
        """
        for rate in self._rates:
            if not self._limiter.hit(rate, user):
                reset = self._limiter.get_window_stats(rate, user).reset_time
                seconds = max(1, math.ceil(reset - time.time()))
                raise Refusal(
                    429,
                    f"More than {rate.amount} requests in {rate.get_expiry()} s.",
                    f"Try again in {seconds} s.",
                    retry_after=seconds,
                )
