"""Rows of one change: variables, the cut with its segments, the audience."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as Transaction

from audience_nb.history.digests import audience_digest, workflow_digest
from audience_nb.history.tables import (
    AudienceRow,
    SegmentRow,
    SessionRow,
    Table,
    VariableRow,
    WorkflowRow,
    new_id,
    now,
)

if TYPE_CHECKING:
    from audience_nb.variable import Variable

__all__ = [
    "Kept",
    "keep_audience",
    "keep_failed",
    "keep_once",
    "keep_variables",
    "keep_workflow",
]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a session is kept as.

    Parameters
    ----------
    session_id : str
        Its id.
    version : int
        Counts the changes that were acknowledged.
    workflow_id, audience_id : str or None
        Of its segments and of those picked, once there are any.
    """

    session_id: str
    version: int
    workflow_id: str | None = None
    audience_id: str | None = None


def keep_once(transaction: Transaction, table: type[Table], rows: list[dict[str, Any]]) -> None:
    """Keep rows, unless rows with their keys are there.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    table : type
        Of the rows.
    rows : list of dict
        Columns of the table.
    """
    # Two writers may meet at the same time: the first one's row stays.
    inserts: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    insert = inserts[transaction.get_bind().dialect.name]
    transaction.execute(insert(table).on_conflict_do_nothing(), rows)


def keep_variables(
    transaction: Transaction,
    source: str,
    data_type: str,
    variables: Sequence[Variable],
    open_to_view: bool,
) -> None:
    """Keep what the variables of a workflow mean.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    source, data_type : str
        Where they come from, and which kind of data they were used as.
    variables : sequence of Variable
        What to keep.
    open_to_view : bool
        Whether their values may be seen.
    """
    rows = [
        {
            "variable_code": v.code,
            "data_source": source,
            "variable_name": v.label,
            "variable_type": v.kind,
            "data_type": data_type,
            "description": v.description,
            "category": v.category,
            "subcategory": v.subcategory,
            "possible_values": list(v.values) if open_to_view else None,
            "value_range": v.value_range if open_to_view else None,
            "update_frequency": v.update_frequency,
        }
        for v in variables
    ]
    keep_once(transaction, VariableRow, rows)


def keep_workflow(
    transaction: Transaction,
    session_id: str,
    user: str,
    source: str,
    decisions: dict[str, Any],
    shown: Mapping[str, Any],
) -> str:
    """Keep a cut and its segments, once.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    session_id, user, source : str
        Where it was made, by whom, on which source.
    decisions, shown : mapping
        As `Session.to_json` and the snapshot gave them.

    Returns
    -------
    str
        Its id.
    """
    digest = workflow_digest(source, decisions)
    there = transaction.scalar(
        select(WorkflowRow.workflow_id)
        .where(WorkflowRow.session_id == session_id)
        .where(WorkflowRow.digest == digest)
        .where(WorkflowRow.status == "complete")
    )
    if there is not None:
        return there
    cut = shown["segmentation"]
    row = WorkflowRow(
        workflow_id=new_id(),
        session_id=session_id,
        user_id=user,
        source=source,
        original_query=decisions["query"] or "",
        selected_variables=decisions["confirmed"],
        total_records=cut["n_records"],
        num_segments=cut["n_segments"],
        status="complete",
        decisions=decisions,
        digest=digest,
        completed_at=now(),
    )
    transaction.add(row)
    transaction.flush()
    transaction.add_all(
        SegmentRow(
            workflow_id=row.workflow_id,
            segment_number=segment["id"],
            segment_size=segment["size"],
            segment_percentage=round(Decimal(100 * segment["share"]), 2),
            characteristics={
                "name": segment["name"],
                "description": segment["description"],
                "traits": segment["traits"],
            },
            prizm_segments=segment["lifestyles"],
        )
        for segment in cut["segments"]
    )
    return row.workflow_id


def keep_failed(
    transaction: Transaction,
    session_id: str,
    user: str,
    source: str,
    decisions: dict[str, Any],
    error: Exception,
) -> str:
    """Keep that records could not be cut.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    session_id, user, source : str
        Where it was tried, by whom, on which source.
    decisions : dict
        As `Session.to_json` gave them.
    error : Exception
        What went wrong.

    Returns
    -------
    str
        Id of the workflow.
    """
    there = transaction.get(SessionRow, session_id)
    row = WorkflowRow(
        workflow_id=new_id(),
        session_id=None if there is None else session_id,
        user_id=user,
        source=source,
        original_query=decisions["query"] or "",
        selected_variables=decisions["confirmed"] or decisions["selected"],
        total_records=0,
        num_segments=0,
        status="failed",
        error_message=str(error)[:1000],
        decisions=decisions,
        digest=workflow_digest(source, decisions),
        completed_at=now(),
    )
    transaction.add(row)
    return row.workflow_id


def keep_audience(
    transaction: Transaction,
    session_id: str,
    workflow_id: str,
    user: str,
    source: str,
    decisions: dict[str, Any],
    shown: Mapping[str, Any],
) -> str:
    """Keep a choice of segments, once.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    session_id, workflow_id, user, source : str
        Where it was made, of which cut, by whom, on which source.
    decisions, shown : mapping
        As `Session.to_json` and the snapshot gave them.

    Returns
    -------
    str
        Its id.
    """
    digest = audience_digest(source, decisions)
    there = transaction.scalar(
        select(AudienceRow.audience_id)
        .where(AudienceRow.session_id == session_id)
        .where(AudienceRow.digest == digest)
    )
    if there is not None:
        return there
    audience = shown["audience"]
    row = AudienceRow(
        audience_id=new_id(),
        workflow_id=workflow_id,
        session_id=session_id,
        user_id=user,
        source=source,
        name=audience["name"],
        segments=audience["segments"],
        size=audience["size"],
        decisions=decisions,
        digest=digest,
    )
    transaction.add(row)
    return row.audience_id
