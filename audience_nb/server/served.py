"""A session as the server holds it: in a role, and with a folder that it cannot leave."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from audience_nb.server.roles import Need, Role
from audience_nb.session import Session
from audience_nb.snapshot import suggestion_values
from audience_nb.timeline import step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.distribution import Delivery
    from audience_nb.export import Audience
    from audience_nb.search import Suggestion
    from audience_nb.segments import Segmentation

__all__ = ["Answers", "ServedSession"]


class Answers:
    """The last answers of one index, which are the same for everybody.

    Parameters
    ----------
    most : int
        How many are remembered; of more the ones longest unused are forgotten.

    Examples
    --------
    >>> answers = Answers(1)
    >>> answers.put(("a",), [])
    >>> answers.put(("b",), [])
    >>> answers.get(("a",)) is None, answers.get(("b",))
    (True, [])
    """

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._known: OrderedDict[tuple[object, ...], list[dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> list[dict[str, Any]] | None:
        """Give an answer, None if it is not known.

        Parameters
        ----------
        key : tuple
            What was asked.

        Returns
        -------
        list of dict or None
        """
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: tuple[object, ...], found: list[dict[str, Any]]) -> None:
        """Remember an answer.

        Parameters
        ----------
        key : tuple
            What was asked.
        found : list of dict
            The answer.
        """
        with self._lock:
            self._known[key] = found
            while len(self._known) > self._most:
                self._known.popitem(last=False)


class ServedSession(Session):
    """A `Session` whose verbs ask the role first, however they are reached.

    A message may lead to any verb, so it does not do to look at the name of the one asked for.

    Attributes
    ----------
    role : Role or None
        Of who asks at present; None while saved decisions are replayed.
    folder : pathlib.Path
        Where its files go; what leaves names them relative to it.
    answers : Answers or None
        What was found before, by all sessions on the same source.
    receipts : list of dict
        What left, or would have, and is not in the history yet.
    """

    role: Role | None = None
    folder: Path = Path()
    answers: Answers | None = None

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.receipts: list[dict[str, Any]] = []

    def _require(self, operation: Need) -> None:
        if self.role is not None:
            self.role.require(operation)
            self.role.require_data(self.state.data_type, self.state.subtype)

    @step
    def choose(
        self, data_type: str, subtype: str | None = None, *, minimum_count: int | None = None
    ) -> Self:
        """Choose the data type, one that the role may use; see `Session.choose`."""
        super().choose(data_type, subtype, minimum_count=minimum_count)
        self._require("search")
        return self

    @step
    def ask(self, text: str, limit: int = 15, **filters: Any) -> list[Suggestion]:
        """Search the catalogue; see `Session.ask`."""
        self._require("search")
        return super().ask(text, limit, **filters)

    def find(self, text: str, limit: int = 8) -> list[Suggestion]:
        """Look variables up; see `Session.find`."""
        self._require("search")
        return super().find(text, limit)

    def found(self, text: str, limit: int = 8) -> list[dict[str, Any]]:
        """Give what `find` finds as plain values, at once where somebody asked the same.

        Parameters
        ----------
        text : str
            Words, or the beginning of one.
        limit : int, optional
            At most so many.

        Returns
        -------
        list of dict
        """
        self._require("search")
        with self.lock:
            state = self.state
            # What is known by words alone is not what is known once meanings are learnt.
            shown = (state.data_type, state.rows_may_be_seen, self.index.ready)
            known = None if self.answers is None else self.answers.get((text, limit, *shown))
            if known is None:
                known = [suggestion_values(s) for s in super().find(text, limit)]
                if self.answers is not None:
                    self.answers.put((text, limit, *shown), known)
            return known

    @step
    def load(self) -> pd.DataFrame:
        """Fetch the records; see `Session.load`."""
        self._require("segment")
        return super().load()

    @step
    def segment(
        self,
        n_segments: int | Literal["auto"] | None = None,
        min_share: float | None = None,
        max_share: float | None = None,
    ) -> Segmentation:
        """Cut the records; see `Session.segment`."""
        self._require("segment")
        return super().segment(n_segments, min_share, max_share)

    @step
    def allow_sensitive(self, codes: Sequence[str], reason: str) -> dict[str, str]:
        """Put a permission on record; see `Session.allow_sensitive`."""
        self._require("export")
        return super().allow_sensitive(codes, reason)

    def _write(self, audience: Audience, path: str | Path | None, **options: bool) -> Path:
        """Write to a file in the folder, whatever place is named."""
        self._require("export")
        name = Path(path or "exports/audience.csv").name
        written = super()._write(audience, self.folder / "exports" / name, **options)
        shown = f"exports/{name}"
        exported = {**(self.state.exported or {}), "path": shown}
        self.change("the record of the export", exported=exported)
        last = self.messages[-1]
        self.messages[-1] = replace(last, text=last.text.replace(str(written), shown))
        self.receipts.append(
            {
                "destination": "export",
                "dry_run": False,
                "rows_sent": int(exported["rows"]),
                "rows_dropped": {},
            }
        )
        return written

    @step
    def distribute(self, name: str = "file", *, confirm: bool = False, **options: Any) -> Delivery:
        """Send the audience, or see what would leave; see `Session.distribute`."""
        self._require("distribute")
        delivery = super().distribute(name, confirm=confirm, **options)
        inside = f"{self.folder}/"
        if delivery.location.startswith(inside):
            delivery = replace(delivery, location=delivery.location.removeprefix(inside))
            receipts = (*self.state.deliveries[:-1], delivery)
            self.change("the receipt", deliveries=receipts)
        self.receipts.append({**delivery.to_dict(), "destination": name})
        return delivery
