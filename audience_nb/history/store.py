"""History: keep, look up and go on with what was decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, text, update

from audience_nb.errors import WrongStep
from audience_nb.history.database import Database, absent
from audience_nb.history.digests import audience_digest, workflow_digest
from audience_nb.history.keeping import (
    Kept,
    keep_audience,
    keep_failed,
    keep_once,
    keep_variables,
    keep_workflow,
)
from audience_nb.history.tables import (
    AudienceRow,
    DeliveryRow,
    SecretRow,
    SegmentRow,
    SessionRow,
    VariableRow,
    WorkflowRow,
    new_id,
    now,
)

if TYPE_CHECKING:
    from audience_nb.session import Session

__all__ = ["History", "Kept"]


class History:
    """Sessions, workflows, segments, audiences and deliveries in a database.

    What a method returned is on disk: a process killed at any moment loses nothing acknowledged.

    Parameters
    ----------
    url : str or pathlib.Path
        File of SQLite, made where there is none, or the address of a PostgreSQL database.

    Raises
    ------
    InvalidInput
        If it is neither.
    SourceFailed
        If the database cannot be reached.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from audience_nb.session import Session
    >>> frame = pd.DataFrame({"age": range(20, 80)})
    >>> session = Session(frame)
    >>> _ = session.confirm(["age"]), session.segment(n_segments=12)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = History(Path(folder) / "history.sqlite3")
    ...     kept = history.keep(session, "ann")
    ...     again = history.run_again(kept.workflow_id, frame)
    ...     history.close()
    >>> again.segmentation.labels.equals(session.segmentation.labels)
    True
    """

    def __init__(self, url: str | Path) -> None:
        self.database = Database(url)

    def __repr__(self) -> str:
        return f"History({self.database.name})"

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    # -- keeping ---------------------------------------------------------------------------------

    def keep(
        self,
        session: Session,
        user: str,
        *,
        source: str = "",
        known: Kept | None = None,
        snapshot: Mapping[str, Any] | None = None,
    ) -> Kept:
        """Keep a session, and its workflow and audience where there are segments; all or nothing.

        Parameters
        ----------
        session : Session
            What to keep: its decisions alone.
        user : str
            Whose it is.
        source : str, optional
            What the source of records is called; by default as the session says.
        known : Kept, optional
            As it was kept before; None for the first time.
        snapshot : mapping, optional
            Of the session as it stands, where it is at hand already.

        Returns
        -------
        Kept

        Raises
        ------
        WrongStep
            If somebody else changed the session since.
        SourceFailed
            If the database fails.
        """
        with session.lock:
            decisions = session.to_json()
            shown = dict(snapshot or session.snapshot().to_dict())
            source = source or session.source.name
            # A clean room's own values say what its records are.
            open_to_view = session.state.rows_may_be_seen
            variables = [session.catalog[code] for code in session.state.confirmed]
        moment = now()
        with self.database.writing() as transaction:
            if known is None:
                row = SessionRow(
                    session_id=new_id(),
                    user_id=user,
                    source=source,
                    decisions=decisions,
                    version=1,
                    created_at=moment,
                    updated_at=moment,
                )
                transaction.add(row)
                transaction.flush()
                session_id, version = row.session_id, 1
            else:
                session_id, version = known.session_id, known.version + 1
                changed = transaction.execute(
                    update(SessionRow)
                    .where(SessionRow.session_id == session_id)
                    .where(SessionRow.version == known.version)
                    .values(decisions=decisions, version=version, updated_at=moment)
                )
                if not getattr(changed, "rowcount", 0):
                    raise WrongStep(
                        "Somebody else changed this session, or ended it, in the meantime.",
                        "Look at it as it is now, then do it again.",
                    )
            if shown["segmentation"] is None:
                return Kept(session_id, version)
            workflow_id = keep_workflow(transaction, session_id, user, source, decisions, shown)
            keep_variables(transaction, source, decisions["data_type"], variables, open_to_view)
            audience_id = keep_audience(
                transaction, session_id, workflow_id, user, source, decisions, shown
            )
            return Kept(session_id, version, workflow_id, audience_id)

    def keep_failure(
        self, session: Session, user: str, error: Exception, *, source: str = "", known: Kept
    ) -> str:
        """Keep that records could not be cut.

        Parameters
        ----------
        session : Session
            As it stood.
        user : str
            Whose it is.
        error : Exception
            What went wrong; its text names no person.
        source : str, optional
            What the source of records is called.
        known : Kept
            As the session is kept.

        Returns
        -------
        str
            Id of the workflow, its status is "failed".
        """
        with session.lock:
            decisions = session.to_json()
        source = source or session.source.name
        with self.database.writing() as transaction:
            return keep_failed(transaction, known.session_id, user, source, decisions, error)

    def keep_delivery(self, audience_id: str, user: str, receipt: Mapping[str, Any]) -> str:
        """Keep the receipt of an export or a distribution.

        Parameters
        ----------
        audience_id : str
            What left, or would have.
        user : str
            Who asked for it.
        receipt : mapping
            `destination`, `dry_run`, `rows_sent`, `rows_dropped`, as `Delivery.to_dict` gives.

        Returns
        -------
        str
            Its id.
        """
        delivery_id = new_id()
        with self.database.writing() as transaction:
            transaction.add(
                DeliveryRow(
                    delivery_id=delivery_id,
                    audience_id=audience_id,
                    user_id=user,
                    destination=receipt["destination"],
                    dry_run=receipt["dry_run"],
                    rows_sent=receipt["rows_sent"],
                    rows_dropped=dict(receipt["rows_dropped"]),
                )
            )
        return delivery_id

    def secret(self, name: str) -> bytes:
        """Give 32 random bytes that all servers on this history share; made on first use.

        Parameters
        ----------
        name : str
            What they are for.

        Returns
        -------
        bytes
        """
        with self.database.writing() as transaction:
            known = transaction.get(SecretRow, name)
            if known is None:
                keep_once(transaction, SecretRow, [{"name": name, "value": token_bytes(32)}])
        with self.database.reading() as transaction:
            return bytes(transaction.get_one(SecretRow, name).value)

    def forget(self, session_id: str, user: str) -> None:
        """End a session; its workflows and audiences stay in the history.

        Parameters
        ----------
        session_id, user : str
            Which one, and whose it is.

        Raises
        ------
        NotFound
            If the user has no such session.
        """
        with self.database.writing() as transaction:
            gone = transaction.execute(
                delete(SessionRow)
                .where(SessionRow.session_id == session_id)
                .where(SessionRow.user_id == user)
            )
            if not getattr(gone, "rowcount", 0):
                raise absent("session")

    # -- looking up ------------------------------------------------------------------------------

    def version(self, session_id: str) -> int | None:
        """Give how often a session was kept, None if there is none.

        Parameters
        ----------
        session_id : str
            Its id.

        Returns
        -------
        int or None
        """
        with self.database.reading() as transaction:
            return transaction.scalar(
                select(SessionRow.version).where(SessionRow.session_id == session_id)
            )

    def session(self, session_id: str, user: str) -> dict[str, Any]:
        """Give one session's row.

        Parameters
        ----------
        session_id, user : str
            Which one, and whose it is.

        Returns
        -------
        dict
            The columns of `sessions`, among them the `decisions`.

        Raises
        ------
        NotFound
            If the user has no such session.
        """
        return self.database.one(SessionRow, session_id, user, "session")

    def kept(self, row: Mapping[str, Any]) -> Kept:
        """Say as what a session is kept.

        Parameters
        ----------
        row : mapping
            As `session` gave it.

        Returns
        -------
        Kept
        """
        decisions, source, mine = row["decisions"], row["source"], row["session_id"]
        if not decisions["segmented"]:
            return Kept(mine, row["version"])
        with self.database.reading() as transaction:
            workflow_id = transaction.scalar(
                select(WorkflowRow.workflow_id)
                .where(WorkflowRow.session_id == mine)
                .where(WorkflowRow.digest == workflow_digest(source, decisions))
                .where(WorkflowRow.status == "complete")
            )
            audience_id = transaction.scalar(
                select(AudienceRow.audience_id)
                .where(AudienceRow.session_id == mine)
                .where(AudienceRow.digest == audience_digest(source, decisions))
            )
        return Kept(mine, row["version"], workflow_id, audience_id)

    def workflow(self, workflow_id: str, user: str | None = None) -> dict[str, Any]:
        """Give one workflow's row with its segments.

        Parameters
        ----------
        workflow_id : str
            Which one.
        user : str, optional
            Whose it must be; by default anybody's.

        Returns
        -------
        dict
            The columns of `workflow_history`, and `segments`, those of `audience_segments`.

        Raises
        ------
        NotFound
            If there is none.
        """
        row = self.database.one(WorkflowRow, workflow_id, user, "workflow")
        ordered = (
            select(SegmentRow)
            .where(SegmentRow.workflow_id == workflow_id)
            .order_by(SegmentRow.segment_number)
        )
        return {**row, "segments": self.database.many(ordered)}

    def audience(self, audience_id: str, user: str | None = None) -> dict[str, Any]:
        """Give one audience's row.

        Parameters
        ----------
        audience_id : str
            Which one.
        user : str, optional
            Whose it must be; by default anybody's.

        Returns
        -------
        dict
            The columns of `audiences`.

        Raises
        ------
        NotFound
            If there is none.
        """
        return self.database.one(AudienceRow, audience_id, user, "audience")

    def sessions(
        self, user: str, limit: int = 50, before: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """List a user's sessions, the last changed first.

        Parameters
        ----------
        user : str
            Whose.
        limit : int, optional
            At most so many.
        before : mapping, optional
            The last row of the page before; by default the first page.

        Returns
        -------
        list of dict
            Columns of `sessions`.
        """
        return self.database.page(SessionRow, ("updated_at", "session_id"), user, limit, before)

    def workflows(
        self, user: str, limit: int = 50, before: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """List a user's workflows, the newest first, in pages as `sessions` does."""
        return self.database.page(WorkflowRow, ("created_at", "workflow_id"), user, limit, before)

    def variables(self, words: str, limit: int = 50) -> list[dict[str, Any]]:
        """Find variables that workflows used, by full text over their names and descriptions.

        Parameters
        ----------
        words : str
            All of which must be there, whole, in any order.
        limit : int, optional
            At most so many.

        Returns
        -------
        list of dict
            Columns of `variable_metadata`, by code.
        """
        found = re.findall(r"\w+", words)
        if not found:
            return []
        if self.database.name == "postgresql":
            there = text(
                "to_tsvector('simple', variable_name || ' ' || coalesce(description, '')) @@ "
                "plainto_tsquery('simple', :words)"
            ).bindparams(words=" ".join(found))
        else:
            there = text(
                "variable_metadata.rowid IN (SELECT rowid FROM variable_search "
                "WHERE variable_search MATCH :words)"
            ).bindparams(words=" ".join(f'"{word}"' for word in found))
        chosen = select(VariableRow).where(there)
        return self.database.many(chosen.order_by(VariableRow.variable_code).limit(limit))

    def deliveries(self, audience_id: str) -> list[dict[str, Any]]:
        """List the receipts of an audience, the oldest first.

        Parameters
        ----------
        audience_id : str
            Which one.

        Returns
        -------
        list of dict
        """
        mine = select(DeliveryRow).where(DeliveryRow.audience_id == audience_id)
        return self.database.many(mine.order_by(DeliveryRow.created_at))

    def run_again(self, workflow_id: str, frame: Any = None, **options: Any) -> Session:
        """Run a past workflow again from its row; nothing is exported or sent again.

        Parameters
        ----------
        workflow_id : str
            Which one.
        frame : table or path, optional
            The records, where they were your own.
        **options
            As for `Session.from_json`.

        Returns
        -------
        Session
            With the segments as they were cut.

        Raises
        ------
        NotFound
            If there is no such workflow.
        InvalidInput
            If the catalogue or the records are other ones.
        """
        from audience_nb.session import Session

        return Session.from_json(self.workflow(workflow_id)["decisions"], frame, **options)
