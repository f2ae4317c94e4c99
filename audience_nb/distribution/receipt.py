"""What a destination answers: findings, a plan, a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from audience_nb.errors import NotAllowed, SourceFailed

__all__ = ["Delivery", "Finding", "NotDelivered", "Plan", "TokenRefused"]


@dataclass(frozen=True)
class Delivery:
    """Receipt of one distribution.

    Parameters
    ----------
    destination, audience : str
        Where to, and what.
    rows_sent : int
        Rows that left; with `dry_run` the rows that would.
    rows_dropped : dict of str to int
        Rows that stay, by reason.
    dry_run : bool
        True if nothing left.
    location : str
        Where the rows are, "" for a dry run.
    rows_before : int
        Rows that an earlier, interrupted attempt had sent already; not in `rows_sent`.
    batches : int
        Requests that the rows take.
    digest : str
        SHA-256 of what leaves; the same rows to the same place have the same.
    retention_days : int or None
        Days after which the platform is to forget them.

    Examples
    --------
    >>> Delivery("file", "Renters", 90, {"no consent": 10}, dry_run=True).rows_sent
    90
    """

    destination: str
    audience: str
    rows_sent: int
    rows_dropped: dict[str, int] = field(default_factory=dict)
    dry_run: bool = True
    location: str = ""
    rows_before: int = 0
    batches: int = 0
    digest: str = ""
    retention_days: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the receipt as plain values.

        Returns
        -------
        dict

        Examples
        --------
        >>> Delivery("file", "Renters", 90).to_dict()["dry_run"]
        True
        """
        return asdict(self)


@dataclass(frozen=True)
class Finding:
    """One thing to know before an audience leaves.

    Parameters
    ----------
    level : {"error", "warning", "info"}
        Nothing is sent while there is an error.
    code : str
        For machines, such as "too few rows".
    message : str
        The fact with its numbers.
    rows_affected : int
        Rows that it is about; 0 where it is about the whole.
    fix : str
        What the reader can do.

    Examples
    --------
    >>> Finding("warning", "duplicates", "3 rows repeat others.", 3).to_dict()["rows_affected"]
    3
    """

    level: Literal["error", "warning", "info"]
    code: str
    message: str
    rows_affected: int = 0
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give the finding as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """Exactly what would leave, with identifiers cut short.

    Parameters
    ----------
    destination, audience : str
        Where to, and what.
    method, endpoint : str
        Of the first request; "" and a file's name for a file.
    rows : int
        Rows that would leave.
    rows_dropped : dict of str to int
        Rows that stay, by reason.
    batches : tuple of int
        Rows of each request.
    first_payload : object
        Of the first request the first two rows, each identifier cut to six characters.
    digest : str
        SHA-256 of what would leave.
    retention_days : int or None
        Days after which the platform is to forget them.
    findings : tuple of Finding
        As `check` gives.
    """

    destination: str
    audience: str
    method: str
    endpoint: str
    rows: int
    rows_dropped: Mapping[str, int]
    batches: tuple[int, ...]
    first_payload: Any
    digest: str
    retention_days: int | None
    findings: tuple[Finding, ...]

    @property
    def allowed(self) -> bool:
        """Whether no finding forbids sending."""
        return all(f.level != "error" for f in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Give the plan as plain values."""
        return {**asdict(self), "rows_dropped": dict(self.rows_dropped), "allowed": self.allowed}


class NotDelivered(SourceFailed):
    """A platform that did not take all rows; `delivery` says how far it got.

    Parameters
    ----------
    fact, next_move : str
        As for every error.
    delivery : Delivery, optional
        What was acknowledged. Sending again goes on from there.
    """

    def __init__(self, fact: str, next_move: str = "", delivery: Delivery | None = None) -> None:
        super().__init__(fact, next_move)
        self.delivery = delivery


class TokenRefused(NotAllowed):
    """A platform that let nobody in; `delivery` says what it had taken before.

    Parameters
    ----------
    fact, next_move : str
        As for every error.
    delivery : Delivery, optional
        What was acknowledged. Sending again with another token goes on from there.
    """

    def __init__(self, fact: str, next_move: str = "", delivery: Delivery | None = None) -> None:
        super().__init__(fact, next_move)
        self.delivery = delivery
