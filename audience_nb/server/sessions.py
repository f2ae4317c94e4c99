"""Sessions, their verbs, and the history: the house's own endpoints."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from audience_nb.errors import AudienceError, InvalidInput
from audience_nb.history import Kept
from audience_nb.server import messages as m
from audience_nb.server.metrics import CLUSTERING, SELECTION
from audience_nb.server.operations import Call, Operation
from audience_nb.server.pool import Entry, checked_id
from audience_nb.server.refusals import Refusal
from audience_nb.server.roles import Need
from audience_nb.server.served import ServedSession
from audience_nb.server.work import Kind

__all__ = ["SESSIONS", "need_of"]

# What a role must allow for a verb to be tried at all; the session itself asks again.
_NEEDS: dict[str, Need] = {
    "load": "segment",
    "segment": "segment",
    "enrich": "segment",
    "build": "segment",
    "pick": "segment",
    "rename": "segment",
    "compare": "segment",
    "overlap": "segment",
    "lookalike": "segment",
    "predict_size": "segment",
    "performance": "segment",
    "hold_out": "segment",
    "export": "export",
    "export_lookalike": "export",
    "allow_sensitive": "export",
}
# The others may fetch records or cut them.
_QUICK = {"choose", "ask", "select", "swap", "confirm", "pick", "rename", "undo", "redo", "restart"}
_CUTS = {"segment", "build"}
# From data that the role may not use, or no longer, to data that it may.
_LEADS_AWAY = {"choose", "restart"}


def need_of(verb: str) -> Need:
    """Say what a role must allow for a verb.

    Parameters
    ----------
    verb : str
        Of a session.

    Returns
    -------
    str

    Examples
    --------
    >>> need_of("say"), need_of("export")
    ('search', 'export')
    """
    return _NEEDS.get(verb, "search")


def _told(kept: Kept, source: str, snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        "session_id": kept.session_id,
        "version": kept.version,
        "workflow_id": kept.workflow_id,
        "audience_id": kept.audience_id,
        "source": source,
        "snapshot": snapshot,
    }


def _require_data(call: Call, session: ServedSession) -> None:
    """Refuse to show what was made with data that the role may not use."""
    call.principal.role.require_data(session.state.data_type, session.state.subtype)


async def _start(call: Call) -> tuple[int, dict[str, Any]]:
    entry = await call.house.pool.start(call.principal, call.given.source)
    return 201, await _look_at(call, entry.kept.session_id)


async def _look(call: Call) -> dict[str, Any]:
    return await _look_at(call, call.path["session_id"])


async def _look_at(call: Call, session_id: str) -> dict[str, Any]:
    def look(session: ServedSession, entry: Entry) -> dict[str, Any]:
        _require_data(call, session)
        return _told(entry.kept, entry.source, session.snapshot().to_dict())

    return await call.house.pool.use(session_id, call.principal, "quick", look)


async def _perform(call: Call) -> dict[str, Any]:
    verb = call.path["verb"]
    call.principal.role.require(need_of(verb))

    def do(session: ServedSession, entry: Entry) -> tuple[dict[str, Any], Entry]:
        if verb not in _LEADS_AWAY:
            _require_data(call, session)
        begun = time.perf_counter()
        try:
            shown = session.perform(verb, call.given.model_extra or {}).to_dict()
            _require_data(call, session)
        except AudienceError as error:
            # What was handed back because the server stops has not failed.
            if verb in _CUTS and not isinstance(error, Refusal):
                call.house.history.keep_failure(
                    session, entry.user, error, source=entry.source, known=entry.kept
                )
            raise
        seconds = time.perf_counter() - begun
        if verb in _CUTS:
            CLUSTERING.observe(seconds)
        elif verb == "ask":
            SELECTION.observe(seconds)
        return shown, entry

    kind: Kind = "quick" if verb in _QUICK else "heavy"
    pool, session_id = call.house.pool, call.path["session_id"]
    shown, entry = await pool.use(session_id, call.principal, kind, do, keeps=True)
    return _told(entry.kept, entry.source, shown)


async def _find(call: Call) -> dict[str, Any]:
    given: m.FindRequest = call.given

    def find(session: ServedSession, _entry: Entry) -> dict[str, Any]:
        begun = time.perf_counter()
        found = session.found(given.text, given.limit)
        SELECTION.observe(time.perf_counter() - begun)
        return {"suggestions": found}

    return await call.house.pool.use(
        call.path["session_id"], call.principal, "quick", find, fresh=False
    )


async def _code(call: Call) -> dict[str, Any]:
    def code(session: ServedSession, _entry: Entry) -> dict[str, Any]:
        _require_data(call, session)
        return {"code": session.to_code()}

    return await call.house.pool.use(call.path["session_id"], call.principal, "quick", code)


async def _end(call: Call) -> dict[str, Any]:
    await call.house.pool.end(call.path["session_id"], call.principal)
    return {}


async def _sessions(call: Call) -> dict[str, Any]:
    rows, after = await _page(call, call.house.history.sessions, ("updated_at", "session_id"))
    listed = [
        {
            "session_id": row["session_id"],
            "source": row["source"],
            "query": row["decisions"]["query"],
            "version": row["version"],
            "created_at": row["created_at"].isoformat(),
            "updated_at": row["updated_at"].isoformat(),
        }
        for row in rows
    ]
    return {"sessions": listed, "next": after}


async def _workflows(call: Call) -> dict[str, Any]:
    rows, after = await _page(call, call.house.history.workflows, ("created_at", "workflow_id"))
    return {"workflows": [_listed(row) for row in rows], "next": after}


async def _page(
    call: Call, listing: Callable[..., list[dict[str, Any]]], order: tuple[str, str]
) -> tuple[list[dict[str, Any]], str | None]:
    """Give the rows of a page, and where the next one begins, if there is one."""
    given: m.PageQuery = call.given
    before = _place(given.before, order)
    # One more than asked for tells whether there are more.
    rows = await call.house.work.run(
        "quick", lambda: listing(call.principal.name, given.limit + 1, before)
    )
    if len(rows) <= given.limit:
        return rows, None
    moment, id = (rows[given.limit - 1][name] for name in order)
    return rows[: given.limit], f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}_{id}"


async def _workflow(call: Call) -> dict[str, Any]:
    workflow_id = checked_id(call.path["workflow_id"], "workflow")
    row = await call.house.work.run(
        "quick", lambda: call.house.history.workflow(workflow_id, call.principal.name)
    )
    cut = row["decisions"]
    call.principal.role.require_data(cut["data_type"], cut["subtype"])
    segments = [
        {
            "segment_id": s["segment_id"],
            "segment_number": s["segment_number"],
            "segment_size": s["segment_size"],
            "segment_percentage": float(s["segment_percentage"]),
            "characteristics": s["characteristics"],
            "prizm_segments": s["prizm_segments"],
        }
        for s in row["segments"]
    ]
    return {**_listed(row), "segments": segments}


async def _run_again(call: Call) -> tuple[int, dict[str, Any]]:
    entry = await call.house.pool.adopt(call.principal, call.path["workflow_id"])
    return 201, await _look_at(call, entry.kept.session_id)


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "workflow_id",
        "original_query",
        "selected_variables",
        "total_records",
        "num_segments",
        "status",
        "error_message",
        "source",
    )
    ended = row["completed_at"]
    return {
        **{name: row[name] for name in names},
        "created_at": row["created_at"].isoformat(),
        "completed_at": None if ended is None else ended.isoformat(),
    }


def _place(text: str | None, order: tuple[str, str]) -> dict[str, Any] | None:
    if text is None:
        return None
    moment, _, id = text.partition("_")
    try:
        there = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        return dict(zip(order, (there, str(uuid.UUID(id))), strict=True))
    except ValueError as error:
        raise InvalidInput(
            "The argument before is no place in a list.", "Give the `next` of the page before."
        ) from error


_ONE = "/audience-nb/api/sessions/{session_id}"

SESSIONS = (
    Operation(
        "list_sessions",
        "GET",
        "/audience-nb/api/sessions",
        "List your sessions, the last changed first.",
        _sessions,
        m.SessionsAnswer,
        m.PageQuery,
    ),
    Operation(
        "create_session",
        "POST",
        "/audience-nb/api/sessions",
        "Start a session on a source of records.",
        _start,
        m.SessionAnswer,
        m.SessionRequest,
        needs="search",
        status=201,
    ),
    Operation(
        "get_session",
        "GET",
        _ONE,
        "Look at a session: decisions and aggregates, never a record.",
        _look,
        m.SessionAnswer,
    ),
    Operation(
        "end_session", "DELETE", _ONE, "End a session.", _end, None, needs="search", status=204
    ),
    Operation(
        "find",
        "POST",
        f"{_ONE}/find",
        "Look variables up without changing anything, as a type-ahead does.",
        _find,
        m.FindAnswer,
        m.FindRequest,
        needs="search",
    ),
    Operation(
        "get_code",
        "GET",
        f"{_ONE}/code",
        "Give Python that leads to the same audience.",
        _code,
        m.CodeAnswer,
    ),
    Operation(
        "perform",
        "POST",
        f"{_ONE}/{{verb}}",
        "Do a verb: ask, refine, confirm, build, pick, say, undo…; the body holds its arguments.",
        _perform,
        m.SessionAnswer,
        m.VerbRequest,
        needs="search",
    ),
    Operation(
        "list_workflows",
        "GET",
        "/audience-nb/api/workflows",
        "List your workflows, the newest first.",
        _workflows,
        m.WorkflowsAnswer,
        m.PageQuery,
    ),
    Operation(
        "get_workflow",
        "GET",
        "/audience-nb/api/workflows/{workflow_id}",
        "Look at a workflow and its segments.",
        _workflow,
        m.WorkflowAnswer,
    ),
    Operation(
        "run_again",
        "POST",
        "/audience-nb/api/workflows/{workflow_id}/run",
        "Run a past workflow again in a new session.",
        _run_again,
        m.SessionAnswer,
        m.Empty,
        needs="segment",
        status=201,
    ),
)
