"""Sources of records that sessions may be opened on, by name: opened once, shared by all."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import NotFound
from audience_nb.server.served import Answers, ServedSession

if TYPE_CHECKING:
    from audience_nb.catalog import Catalog
    from audience_nb.search import SearchIndex
    from audience_nb.sources import Source

__all__ = ["Opened", "Shelf"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A source with what all its sessions share.

    Parameters
    ----------
    name : str
        As requests name it.
    source : Source
        Where records come from.
    catalog : Catalog
        The variables that can be found.
    index : SearchIndex
        The search over them.
    origin : mapping
        What it was opened on, as saved decisions say it.
    answers : Answers
        What was found before.
    """

    name: str
    source: Source
    catalog: Catalog
    index: SearchIndex
    origin: Mapping[str, Any]
    answers: Answers = field(default_factory=Answers, repr=False)

    def session(self, decisions: Mapping[str, Any] | None = None) -> ServedSession:
        """Start a session, or go on with a saved one.

        Parameters
        ----------
        decisions : mapping, optional
            As `Session.to_json` gave them.

        Returns
        -------
        ServedSession
        """
        shared: dict[str, Any] = {
            "source": self.source,
            "catalog": self.catalog,
            "background": True,
        }
        if self.origin.get("consent"):
            shared["consent"] = True
        if decisions is None:
            session = ServedSession(**shared)
        else:
            saved = {
                **decisions,
                "source": {"type": "source", "n_records": decisions["source"]["n_records"]},
            }
            found = ServedSession.from_json(saved, **shared)
            assert isinstance(found, ServedSession)
            session = found
        session.origin = dict(self.origin)
        session.index = self.index
        session.answers = self.answers
        return session


class Shelf:
    """Open each source on first use.

    Parameters
    ----------
    sources : mapping of name to mapping
        Each with the arguments of `Session`: `frame`, `id`, `table`, `consent`…; {} for the
        synthetic population.

    Examples
    --------
    >>> import pandas as pd
    >>> shelf = Shelf({"people": {"frame": pd.DataFrame({"age": range(20, 80)})}})
    >>> shelf.open("people").source.n_records
    60
    """

    def __init__(self, sources: Mapping[str, Mapping[str, Any]]) -> None:
        self._given = {name: dict(values) for name, values in sources.items()}
        self._opened: dict[str, Opened] = {}
        self._locks = {name: threading.Lock() for name in self._given}

    @property
    def names(self) -> list[str]:
        """Names of the sources, the default one first."""
        return list(self._given)

    def open(self, name: str | None = None) -> Opened:
        """Give a source, opened.

        Parameters
        ----------
        name : str, optional
            By default the first.

        Returns
        -------
        Opened

        Raises
        ------
        NotFound
            If there is none of that name.
        """
        name = self.names[0] if name is None else name
        if name not in self._given:
            raise NotFound(
                f"There is no source {name[:40]!r}.", f"Choose one of: {', '.join(self.names)}."
            )
        with self._locks[name]:
            if name not in self._opened:
                given = self._given[name]
                frame = given.get("frame")
                if isinstance(frame, Path):
                    given = {**given, "frame": str(frame)}
                first = ServedSession(**{"background": True, **given})
                self._opened[name] = Opened(
                    name, first.source, first.catalog, first.index, first.origin
                )
            return self._opened[name]
