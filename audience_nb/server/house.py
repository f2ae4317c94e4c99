"""What one server holds: sessions, history, threads, and how it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audience_nb.history import History
from audience_nb.server.pool import Pool
from audience_nb.server.shelf import Shelf
from audience_nb.server.work import Work
from audience_nb.sources.conditions import Condition

if TYPE_CHECKING:
    from audience_nb.sources import Source

__all__ = ["House"]

logger = logging.getLogger("audience_nb.server")

# Seconds for which a probe's finding holds, and after which a part that is silent has failed.
_HOLDS_S = 5.0
_SILENT_S = 10.0
_FIRST_S = 60.0


@dataclass
class House:
    """The parts of a server, and probes of them.

    Parameters
    ----------
    history : History
        Where sessions are kept.
    shelf : Shelf
        Sources of records.
    work : Work
        Threads.
    pool : Pool
        Sessions.
    destinations : mapping of name to mapping
        Where audiences may go, with the options of each.
    document : dict
        The OpenAPI document that is served.
    """

    history: History
    shelf: Shelf
    work: Work
    pool: Pool
    destinations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    document: dict[str, Any] = field(default_factory=dict, repr=False)
    _found: dict[str, str] = field(default_factory=dict)
    _looked: float = -_HOLDS_S
    _looking: asyncio.Task[None] | None = None

    async def health(self) -> dict[str, str]:
        """Try each part, at most every 5 s.

        Returns
        -------
        dict of str to str
            "ok" or "failed" for `variable_selector`, `clustering_engine`, `data_retriever` and
            `history`.
        """
        if time.monotonic() - self._looked > _HOLDS_S and self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
        if self._looking is not None and not self._found:
            await asyncio.shield(self._looking)
        return dict(self._found)

    async def _look(self) -> None:
        try:
            probes = self._probes()
            found = await asyncio.gather(*(self._try(n, probe) for n, probe in probes.items()))
            self._found = dict(zip(probes, found, strict=True))
        finally:
            self._looked = time.monotonic()
            self._looking = None

    async def _try(self, name: str, probe: Callable[[], object]) -> str:
        # The first time an index is opened and kernels are compiled.
        patience = _SILENT_S if self._found else _FIRST_S
        try:
            await asyncio.wait_for(self.work.run("probe", probe), patience)
        except Exception as error:
            # A health check that fails itself would say nothing about the parts.
            logger.error("The part %s failed: %s.", name, type(error).__name__)
            return "failed"
        return "ok"

    def _probes(self) -> dict[str, Callable[[], object]]:
        return {
            "variable_selector": lambda: self.shelf.open().index.search("age", limit=1),
            "clustering_engine": _cluster,
            "data_retriever": lambda: _retrieve(self.shelf.open().source),
            "history": self.history.database.probe,
        }

    async def stop(self, grace: float) -> int:
        """Finish what is under way and close.

        Parameters
        ----------
        grace : float
            Seconds to wait at most.

        Returns
        -------
        int
            Requests that were handed back; nothing acknowledged is among them.
        """
        left = await self.work.stop(grace)
        self.history.close()
        return left


def _retrieve(source: Source) -> None:
    # Of one column the records that lack it: few, so that looking costs next to nothing.
    column = next(iter(source.codes))
    source.fetch([column], where=[Condition(column, "is missing")])


def _cluster() -> None:
    import numpy as np

    from audience_nb.kmedians import ConstrainedKMedians

    rows = np.arange(40.0).reshape(20, 2)
    labels = ConstrainedKMedians(n_clusters=10, n_init=1, random_state=0).fit_predict(rows)
    assert np.bincount(labels).tolist() == [2] * 10
