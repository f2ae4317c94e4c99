"""Destinations: where an audience may be sent, what would leave, and the receipt."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from audience_nb.distribution.fields import columns_for
from audience_nb.distribution.receipt import Delivery, Finding, NotDelivered, Plan, TokenRefused
from audience_nb.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = [
    "Delivery",
    "Destination",
    "Finding",
    "NotDelivered",
    "Plan",
    "TokenRefused",
    "columns_for",
    "destination",
    "destinations",
    "opener_of",
    "register_destination",
]

ENTRY_POINTS = "audience_nb.destinations"

# Name -> (what it is, module, class): loaded when it is asked for.
_OURS = {
    "file": ("a file of hashed identifiers", "file", "FileDestination"),
    "meta": ("Meta Custom Audiences", "meta", "Meta"),
    "google": ("Google Customer Match", "google", "Google"),
    "trade_desk": ("The Trade Desk, by UID2's rules", "trade_desk", "TradeDesk"),
    "liveramp": ("a file for LiveRamp", "file", "LiveRamp"),
    "amazon": ("Amazon DSP", "amazon", "Amazon"),
    "tiktok": ("TikTok audiences", "tiktok", "TikTok"),
    "pinterest": ("Pinterest customer lists", "pinterest", "Pinterest"),
    "x": ("a file for X", "file", "X"),
    "webhook": ("a server of your own", "webhook", "Webhook"),
    "hubspot": ("a file for HubSpot's import", "crm", "HubSpot"),
    "mautic": ("a file for Mautic's import", "crm", "Mautic"),
}
_REGISTERED: dict[str, tuple[str, Callable[..., Destination]]] = {}


class Destination(Protocol):
    """Anything an audience can be sent to.

    Attributes
    ----------
    name : str
        For machines.
    fields : sequence of str
        Fields of people it wants, such as "email".
    """

    name: str

    def check(self, audience: Audience, people: pd.DataFrame) -> tuple[Finding, ...]:
        """Say what forbids or hinders sending an audience; nothing leaves.

        Parameters
        ----------
        audience : Audience
            What to send.
        people : pandas.DataFrame
            Identifier and consent columns of the audience's records, on its index.

        Returns
        -------
        tuple of Finding
        """

    def plan(self, audience: Audience, people: pd.DataFrame) -> Plan:
        """Show exactly what would leave, identifiers cut short; nothing leaves.

        Parameters
        ----------
        audience, people
            As for `check`.

        Returns
        -------
        Plan
        """

    def push(
        self,
        audience: Audience,
        people: pd.DataFrame,
        *,
        token: str | None = None,
        confirm: bool = False,
    ) -> Delivery:
        """Send an audience, or say what would leave.

        Parameters
        ----------
        audience, people
            As for `check`.
        token : str, optional
            What lets one in, where something is sent over a network.
        confirm : bool, optional
            False for a dry run.

        Returns
        -------
        Delivery
        """


def register_destination(name: str, opener: Callable[..., Destination], title: str = "") -> None:
    """Make a destination known: afterwards `destination(name, …)` opens it.

    A package registers its own by an entry point of the group "audience_nb.destinations", whose
    name is the destination's.

    Parameters
    ----------
    name : str
        Letters, digits and underscores.
    opener : callable
        Called with the options, gives a `Destination`.
    title : str, optional
        What it is, for people.

    Raises
    ------
    InvalidInput
        If the name cannot be used.

    Examples
    --------
    >>> from audience_nb.distribution.webhook import Webhook
    >>> register_destination("ours", lambda: Webhook(endpoint="https://example.com/in"))
    >>> destination("ours").name
    'webhook'
    """
    if not name.isidentifier():
        raise InvalidInput(f"{name!r} is no name.", "Use letters, digits and underscores.")
    _REGISTERED[name] = (title or name, opener)


def destinations() -> dict[str, str]:
    """Give the names of all destinations, and what each is.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> destinations()["google"]
    'Google Customer Match'
    """
    known = {name: title for name, (title, _, _) in _OURS.items()}
    known |= {point.name: point.name for point in _points() if point.name not in known}
    return known | {name: title for name, (title, _) in _REGISTERED.items()}


def destination(name: str, **options: Any) -> Destination:
    """Give a destination by name.

    Parameters
    ----------
    name : str
        One of `destinations()`.
    **options
        As the destination's constructor takes them.

    Returns
    -------
    Destination

    Raises
    ------
    NotFound
        If there is none of that name.
    InvalidInput
        If an option is missing, unknown or cannot be used.

    Examples
    --------
    >>> destination("file", path="renters.csv").name
    'file'
    """
    opener = opener_of(name)
    try:
        return opener(**options)
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error)) if "missing" in str(error) else []
        if missing:
            raise InvalidInput(
                f"The destination {name!r} needs {', '.join(missing)}.",
                f"Give it as an option: {missing[0]}=….",
            ) from error
        raise InvalidInput(
            f"The destination {name!r} cannot be opened with the options "
            f"{', '.join(sorted(options)) or 'none'}.",
            f"See help({getattr(opener, '__name__', name)}).",
        ) from error


def opener_of(name: str) -> Callable[..., Destination]:
    """Give what opens a destination: called with the options, it gives the destination.

    Parameters
    ----------
    name : str
        One of `destinations()`.

    Returns
    -------
    callable

    Raises
    ------
    NotFound
        If there is none of that name.
    InvalidInput
        If the package that brings it cannot be loaded.

    Examples
    --------
    >>> opener_of("meta").account
    ('audience_id',)
    """
    if name in _REGISTERED:
        return _REGISTERED[name][1]
    if name in _OURS:
        _, module, called = _OURS[name]
        found: Callable[..., Destination] = getattr(import_module(f"{__name__}.{module}"), called)
        return found
    for point in _points():
        if point.name == name:
            try:
                loaded: Callable[..., Destination] = point.load()
            except Exception as error:
                raise InvalidInput(
                    f"The destination {name!r} of {point.value} cannot be loaded "
                    f"({type(error).__name__}).",
                    "Install what it needs, or ask its authors.",
                ) from error
            return loaded
    raise NotFound(
        f"There is no destination {name!r}.", f"Choose one of: {', '.join(destinations())}."
    )


def _points() -> Any:
    return _points_on(tuple(sys.path))


@lru_cache(maxsize=4)
def _points_on(path: tuple[str, ...]) -> Any:
    """Read the packages of a path once: views ask with every click."""
    from importlib.metadata import entry_points

    return entry_points(group=ENTRY_POINTS)
