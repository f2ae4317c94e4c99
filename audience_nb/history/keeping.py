"""Rows of one change: variables, the cut with its segments, the audience."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session as Transaction

from audience_nb.history.digests import audience_digest, workflow_digest
from audience_nb.history.tables import (
    AudienceRow,
    SegmentRow,
    VariableRow,
    WorkflowRow,
    new_id,
    now,
)

__all__ = ["keep_audience", "keep_variables", "keep_workflow"]


def keep_variables(transaction: Transaction, rows: list[dict[str, Any]]) -> None:
    """Keep what the variables of a workflow mean.

    Parameters
    ----------
    transaction : sqlalchemy.orm.Session
        One that writes.
    rows : list of dict
        Columns of `variable_metadata`.
    """
    # Two writers may meet a variable at the same time: the first one's row stays.
    inserts: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    insert = inserts[transaction.get_bind().dialect.name]
    transaction.execute(insert(VariableRow).on_conflict_do_nothing(), rows)


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
