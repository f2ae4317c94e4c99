"""What a message may refer to: how a session stands while it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audience_nb.conversation.actions import Action

__all__ = ["Context", "Listed"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A suggestion or a segment as a message may name it.

    Parameters
    ----------
    key : str or int
        A variable's code, or a segment's id.
    name : str
        Its label or name.
    size : int
        Records of a segment.

    Examples
    --------
    >>> Listed(1, "Young renters", 90).name
    'Young renters'
    """

    key: str | int
    name: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """How a session stands, as far as reading a message depends on it.

    Parameters
    ----------
    asked : bool
        Whether there is a question: only then can it be edited.
    suggestions, segments : tuple of Listed
        In order; segments by id.
    sources, categories : tuple of str
        Of the catalogue.
    n_segments : int, optional
        How many there are, or the next build makes.
    last : tuple of Action
        What the message before was read as.
    choices : tuple of str
        What can be said to a question that was asked back.

    Examples
    --------
    >>> Context().asked
    True
    """

    asked: bool = True
    suggestions: tuple[Listed, ...] = ()
    segments: tuple[Listed, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    n_segments: int | None = None
    last: tuple[Action, ...] = ()
    choices: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Context:
        """Read plain values, as labelled messages hold them.

        Parameters
        ----------
        values : mapping
            Field name to value: `suggestions` as [code, label] pairs, `segments` as [id, name,
            size], `last` as actions in JSON; absent ones as by default.

        Returns
        -------
        Context

        Examples
        --------
        >>> Context.from_dict({"segments": [[1, "Renters", 50]]}).segments[0].key
        1
        """
        from audience_nb.conversation.form import from_dict

        given = dict(values)
        for name in ("suggestions", "segments"):
            if name in given:
                given[name] = tuple(Listed(*row) for row in given[name])
        for name in ("sources", "categories", "choices"):
            if name in given:
                given[name] = tuple(given[name])
        if "last" in given:
            given["last"] = tuple(from_dict(action) for action in given["last"])
        return cls(**given)
