"""What the interface can do: the one table that routes, checks and the document are made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from audience_nb.server.roles import Need, Principal

if TYPE_CHECKING:
    from audience_nb.server.house import House

__all__ = ["Call", "FileAnswer", "Operation", "no_words"]

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked.

    Parameters
    ----------
    house : House
        What the server holds.
    principal : Principal
        Who asks.
    given : pydantic.BaseModel
        The body, or the query of a request without one.
    path : dict of str to str
        What stands in the path's braces.
    """

    house: House
    principal: Principal
    given: Any = field(repr=False)
    path: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file that is streamed, and then thrown away.

    Parameters
    ----------
    path : pathlib.Path
        Where it is.
    name : str
        What the browser calls it.
    media_type : str
        Of its content.
    """

    path: Path
    name: str
    media_type: str


Does = Callable[[Call], Awaitable["dict[str, Any] | FileAnswer | tuple[int, dict[str, Any]]"]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Parameters
    ----------
    name : str
        Unique; in the document, the metrics and the log.
    method : {"GET", "POST", "DELETE"}
        Of HTTP.
    path : str
        Under the server's base, with names in braces.
    summary : str
        One line for people.
    does : callable
        Takes a `Call`.
    answers : type or tuple of str or None
        Model of the answer, media types of a file, or None for no content.
    takes : type, optional
        Model of the body, or of the query of a GET.
    needs : str, optional
        What the role must allow.
    status : int, optional
        Of the answer.
    also : tuple of int, optional
        Further statuses with the same model.
    refuses : tuple of int, optional
        Statuses of its own refusals, beyond those that any request may meet.
    probe : bool, optional
        Whether it may be opened to those without credentials, for probes.
    debug : bool, optional
        Whether it is there only where debugging is on.
    """

    name: str
    method: Method
    path: str
    summary: str
    does: Does
    answers: type[BaseModel] | tuple[str, ...] | None
    takes: type[BaseModel] | None = None
    needs: Need = "look"
    status: int = 200
    also: tuple[int, ...] = ()
    refuses: tuple[int, ...] = ()
    probe: bool = False
    debug: bool = False


def no_words(text: str | None) -> bool:
    """Tell whether a text says nothing.

    Parameters
    ----------
    text : str or None
        What somebody typed.

    Returns
    -------
    bool

    Examples
    --------
    >>> no_words("  "), no_words("renters")
    (True, False)
    """
    return not (text or "").strip()
