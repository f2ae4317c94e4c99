"""Sessions by unguessable id: one change at a time each, saved before it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from audience_nb.errors import AudienceError, NotFound
from audience_nb.history import History, Kept
from audience_nb.server.metrics import OPEN_SESSIONS
from audience_nb.server.refusals import Refusal
from audience_nb.server.roles import Principal
from audience_nb.server.served import ServedSession
from audience_nb.server.shelf import Shelf
from audience_nb.server.work import Kind, Work

__all__ = ["Entry", "Pool"]

logger = logging.getLogger("audience_nb.server")
T = TypeVar("T")

# Longer talk, and more to undo, than anybody reads; without an end memory would grow.
_MOST_MESSAGES = 200
_MOST_UNDOABLE = 100
# Requests that may wait for one session.
_MOST_WAITING = 8


@dataclass
class Entry:
    """One session in memory.

    Parameters
    ----------
    user : str
        Whose it is.
    source : str
        Name of its source.
    kept : Kept
        As the history has it.
    session : ServedSession or None
        None until it is looked at again.
    """

    user: str
    source: str
    kept: Kept
    session: ServedSession | None = field(default=None, repr=False)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    waiting: int = 0
    used: float = field(default_factory=time.monotonic)


class Pool:
    """Open sessions, and the way back to those that are only in the history.

    Parameters
    ----------
    history : History
        Where sessions are kept.
    shelf : Shelf
        Sources of records.
    work : Work
        Threads.
    folder : pathlib.Path
        Where files of sessions go.
    most : int
        Sessions in memory; of more the ones longest unused are left to the history.
    timeout : float
        Seconds without a request after which a session is left to the history.
    """

    def __init__(
        self,
        history: History,
        shelf: Shelf,
        work: Work,
        folder: Path,
        *,
        most: int = 512,
        timeout: float = 1800.0,
    ) -> None:
        self.history = history
        self.shelf = shelf
        self.work = work
        self.folder = folder
        self._most = most
        self._timeout = timeout
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return sum(entry.session is not None for entry in self._entries.values())

    async def start(self, principal: Principal, source: str | None = None) -> Entry:
        """Start a session and keep it.

        Parameters
        ----------
        principal : Principal
            Whose it is.
        source : str, optional
            Name of the source; by default the first.

        Returns
        -------
        Entry
        """

        def begin() -> Entry:
            opened = self.shelf.open(source)
            session = opened.session()
            role = principal.role
            state = session.state
            if not role.may_use(state.data_type, state.subtype):
                _choose_what_is_allowed(session, principal)
            kept = self.history.keep(session, principal.name, source=opened.name)
            return Entry(principal.name, opened.name, kept, session)

        entry = await self.work.run("quick", begin)
        self._put(entry)
        return entry

    async def adopt(self, principal: Principal, workflow_id: str) -> Entry:
        """Start a session from a past workflow: its cut is run again.

        Parameters
        ----------
        principal : Principal
            Whose workflow it is.
        workflow_id : str
            Its id.

        Returns
        -------
        Entry
        """

        def again() -> Entry:
            row = self.history.workflow(checked_id(workflow_id, "workflow"), principal.name)
            session = self.shelf.open(row["source"]).session(row["decisions"])
            principal.role.require_data(session.state.data_type, session.state.subtype)
            self.work.go_on()
            kept = self.history.keep(session, principal.name, source=row["source"])
            return Entry(principal.name, row["source"], kept, session)

        entry = await self.work.run("heavy", again)
        self._put(entry)
        return entry

    async def use(
        self,
        session_id: str,
        principal: Principal,
        kind: Kind,
        do: Callable[[ServedSession, Entry], T],
        *,
        keeps: bool = False,
        fresh: bool = True,
    ) -> T:
        """Do something with a session, when it is its turn.

        Parameters
        ----------
        session_id : str
            Its id.
        principal : Principal
            Who asks; what belongs to somebody else is not there.
        kind : {"quick", "heavy"}
            Which threads do it.
        do : callable
            Takes the session and its entry, inside a thread.
        keeps : bool, optional
            Whether the session changes, and is kept before the answer.
        fresh : bool, optional
            Whether to look first if another server changed the session.

        Returns
        -------
        object
            What `do` gave.

        Raises
        ------
        NotFound
            If the user has no such session.
        Refusal
            503, if too many wait already.
        """
        entry = await self._entry(checked_id(session_id, "session"), principal)
        self.work.require_room(kind)
        if entry.waiting >= _MOST_WAITING:
            raise Refusal(
                503,
                f"{entry.waiting} requests are waiting for this session already.",
                "Try again in a second.",
                retry_after=1,
            )
        entry.waiting += 1
        entry.used = time.monotonic()
        try:
            async with entry.turn:
                return await self.work.run(
                    kind, lambda: self._done(entry, principal, do, keeps, fresh)
                )
        finally:
            entry.waiting -= 1
            entry.used = time.monotonic()

    def _done(
        self,
        entry: Entry,
        principal: Principal,
        do: Callable[[ServedSession, Entry], T],
        keeps: bool,
        fresh: bool,
    ) -> T:
        session = entry.session
        if fresh or session is None:
            session = self._fresh(entry)
        self._enter(session, principal)
        if not keeps:
            return do(session, entry)
        before = session.revision
        try:
            value = do(session, entry)
        except BaseException:
            # What was done before it failed is kept all the same.
            if session.revision != before:
                self._keep(entry, session)
            raise
        self._keep(entry, session)
        return value

    def _enter(self, session: ServedSession, principal: Principal) -> None:
        session.role, session.actor = principal.role, principal.name
        # Where work tells how far it is, it hears that the server can wait no longer.
        session.progress = self.work.go_on

    def _keep(self, entry: Entry, session: ServedSession) -> None:
        del session.messages[:-_MOST_MESSAGES]
        if session.n_undoable > _MOST_UNDOABLE:
            session.forget_past()
        try:
            self.work.go_on()
            entry.kept = self.history.keep(
                session, entry.user, source=entry.source, known=entry.kept
            )
        except AudienceError:
            # What is not kept was not done: the next look goes back to the history.
            entry.session = None
            raise
        finally:
            # But what left has left.
            self._keep_receipts(session, entry.kept.audience_id, entry.user)

    def _keep_receipts(self, session: ServedSession, audience_id: str | None, user: str) -> None:
        while session.receipts:
            receipt = session.receipts.pop(0)
            if audience_id is not None:
                self.history.keep_delivery(audience_id, user, receipt)

    def _fresh(self, entry: Entry) -> ServedSession:
        """Give the session as the history has it, whoever changed it last."""
        version = self.history.version(entry.kept.session_id)
        if version is None:
            self._entries.pop(entry.kept.session_id, None)
            raise NotFound("There is no such session.", "Start a new one.")
        if entry.session is None or version != entry.kept.version:
            row = self.history.session(entry.kept.session_id, entry.user)
            session = self.shelf.open(row["source"]).session(row["decisions"])
            session.folder = self.folder_of(entry)
            entry.kept = self.history.kept(row)
            entry.session = session
        return entry.session

    async def _entry(self, session_id: str, principal: Principal) -> Entry:
        entry = self._entries.get(session_id)
        if entry is None:
            row = await self.work.run(
                "quick", lambda: self.history.session(session_id, principal.name)
            )
            # Another request may have been as quick.
            entry = self._entries.get(session_id)
            if entry is None:
                kept = Kept(session_id, row["version"])
                entry = Entry(principal.name, row["source"], kept)
                self._put(entry)
        if entry.user != principal.name:
            raise NotFound("There is no such session.", "Check its id, or start a new one.")
        return entry

    def _put(self, entry: Entry) -> None:
        if entry.session is not None:
            entry.session.folder = self.folder_of(entry)
        self._entries[entry.kept.session_id] = entry
        if len(self._entries) > self._most:
            idle = [e for e in self._entries.values() if not e.waiting and e is not entry]
            for old in sorted(idle, key=lambda e: e.used)[: len(self._entries) - self._most]:
                self._drop(old)
        OPEN_SESSIONS.set(len(self._entries))

    def _drop(self, entry: Entry) -> None:
        del self._entries[entry.kept.session_id]
        OPEN_SESSIONS.set(len(self._entries))

    def sweep(self) -> int:
        """Leave sessions that nobody used for a while to the history.

        Returns
        -------
        int
            How many.
        """
        late = time.monotonic() - self._timeout
        idle = [e for e in self._entries.values() if not e.waiting and e.used < late]
        for entry in idle:
            self._drop(entry)
        return len(idle)

    async def end(self, session_id: str, principal: Principal) -> None:
        """End a session; its workflows stay in the history.

        Parameters
        ----------
        session_id : str
            Its id.
        principal : Principal
            Whose it is.

        Raises
        ------
        NotFound
            If the user has no such session.
        """
        checked = checked_id(session_id, "session")

        def forget() -> None:
            self.history.forget(checked, principal.name)
            shutil.rmtree(self.folder / checked, ignore_errors=True)

        await self.work.run("quick", forget)
        entry = self._entries.get(checked)
        if entry is not None:
            self._drop(entry)

    def at_audience(
        self, row: Mapping[str, Any], principal: Principal, do: Callable[[ServedSession], T]
    ) -> T:
        """Do something with a session that stands at an audience, replayed from its row.

        Parameters
        ----------
        row : mapping
            Of the audience, as the history gave it.
        principal : Principal
            Who asks.
        do : callable
            Takes the session.

        Returns
        -------
        object
            What `do` gave.
        """
        session = self.shelf.open(row["source"]).session(row["decisions"])
        session.folder = self.folder / str(row["session_id"] or row["audience_id"])
        self._enter(session, principal)
        try:
            return do(session)
        finally:
            self._keep_receipts(session, str(row["audience_id"]), principal.name)

    def folder_of(self, entry: Entry) -> Path:
        """Give the folder of a session.

        Parameters
        ----------
        entry : Entry
            The session.

        Returns
        -------
        pathlib.Path
        """
        return self.folder / entry.kept.session_id


def checked_id(text: str, what: str) -> str:
    """Give an id in its plain form; what has none is not there.

    Parameters
    ----------
    text : str
        As it came over the wire.
    what : str
        What it is the id of.

    Returns
    -------
    str

    Raises
    ------
    NotFound
        If it is no id at all.

    Examples
    --------
    >>> checked_id("123E4567-E89B-42D3-A456-426614174000", "session")
    '123e4567-e89b-42d3-a456-426614174000'
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise NotFound(f"There is no such {what}.", "Check its id, or start a new one.") from None


def _choose_what_is_allowed(session: ServedSession, principal: Principal) -> None:
    """Begin with the first kind of data that the role may use and the records have."""
    for data_type, subtypes in principal.role.data_types.items():
        for subtype in subtypes or (None,):
            try:
                session.choose(data_type, subtype)
            except AudienceError:
                continue
            return
