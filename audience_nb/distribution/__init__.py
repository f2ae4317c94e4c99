"""Destinations: where an audience may be sent, what would leave, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from audience_nb.errors import NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = ["Delivery", "Destination", "destination"]


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
        return {
            "destination": self.destination,
            "audience": self.audience,
            "rows_sent": self.rows_sent,
            "rows_dropped": dict(self.rows_dropped),
            "dry_run": self.dry_run,
            "location": self.location,
        }


class Destination(Protocol):
    """Anything an audience can be sent to."""

    name: str

    def push(self, audience: Audience, people: pd.DataFrame, *, confirm: bool = False) -> Delivery:
        """Send an audience, or say what would leave.

        Parameters
        ----------
        audience : Audience
            What to send.
        people : pandas.DataFrame
            Identifier and consent columns of the audience's records, on its index.
        confirm : bool, optional
            False for a dry run.

        Returns
        -------
        Delivery
        """


def destination(name: str, **options: Any) -> Destination:
    """Give a destination by name.

    Parameters
    ----------
    name : str
        "file".
    **options
        As the destination's constructor takes them.

    Returns
    -------
    Destination

    Raises
    ------
    NotFound
        If there is none of that name.

    Examples
    --------
    >>> destination("file", path="renters.csv").name
    'file'
    """
    from audience_nb.distribution.file import FileDestination

    known = {"file": FileDestination}
    if name not in known:
        raise NotFound(f"There is no destination {name!r}.", f"Choose one of: {', '.join(known)}.")
    return known[name](**options)
