"""What can go wrong: one fact with its numbers, then the next move.

::

    AudienceError
    ├── InvalidInput    (ValueError)       what was given cannot be used
    ├── Infeasible      (ValueError)       limits that no assignment can meet
    ├── NotFound        (LookupError)      a code, segment or file that is not there
    ├── WrongStep       (RuntimeError)     a verb before what it needs
    ├── NotAllowed      (PermissionError)  the data type forbids it
    ├── MissingExtra    (ImportError)      an optional dependency is absent
    ├── EncoderFailed   (RuntimeError)     an encoder gave no or wrong vectors
    ├── SourceFailed   (RuntimeError)     a database or server gives no data
    ├── DamagedFile     (ValueError)       a file is not what it says it is
    └── Cancelled       (RuntimeError)     the user stopped it
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = [
    "AudienceError",
    "Cancelled",
    "DamagedFile",
    "EncoderFailed",
    "Infeasible",
    "InvalidInput",
    "MissingExtra",
    "NotAllowed",
    "NotFound",
    "SourceFailed",
    "WrongStep",
    "require",
]


class AudienceError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    fact : str
        What is the case, with its numbers.
    next_move : str, optional
        What the reader can do about it.

    Examples
    --------
    >>> error = AudienceError("0 of 12 rows have an id.", "Name the id column.")
    >>> str(error)
    '0 of 12 rows have an id. Name the id column.'
    """

    def __init__(self, fact: str, next_move: str = "") -> None:
        self.fact = fact
        self.next_move = next_move
        super().__init__(fact, next_move)

    def __str__(self) -> str:
        return f"{self.fact} {self.next_move}".strip()


class InvalidInput(AudienceError, ValueError):
    """What was given cannot be used as it is."""


class Infeasible(AudienceError, ValueError):
    """Limits that no assignment of the records can meet."""


class NotFound(AudienceError, LookupError):
    """A code, segment, column or file that does not exist."""


class WrongStep(AudienceError, RuntimeError):
    """A verb was used before the step it builds on."""


class NotAllowed(AudienceError, PermissionError):
    """The chosen data type forbids the operation."""

    # OSError formats its own arguments; ours are a fact and a next move.
    __str__ = AudienceError.__str__


class MissingExtra(AudienceError, ImportError):
    """An optional dependency is not installed."""

    __str__ = AudienceError.__str__


class EncoderFailed(AudienceError, RuntimeError):
    """An encoder gave no vectors, or vectors that do not answer the texts."""


class SourceFailed(AudienceError, RuntimeError):
    """A database or a server that gives no data, or none that can be used."""


class DamagedFile(AudienceError, ValueError):
    """A file that is torn, foreign or from another version."""


class Cancelled(AudienceError, RuntimeError):
    """The user stopped a computation; nothing was changed."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or say which command installs it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this package that brings it.

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    MissingExtra
        If the module, or one that it imports, is not installed.

    Examples
    --------
    >>> require("json", "sql").dumps([1])
    '[1]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{module} is not installed.",
            f"Run: pip install 'audience_nb[{extra}]'",
        ) from error
