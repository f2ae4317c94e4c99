"""Sessions, their verbs, and the history: the house's own endpoints."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from audience_nb.errors import AudienceError, InvalidInput
from audience_nb.history import Kept
from audience_nb.server import messages as m
from audience_nb.server.metrics import CLUSTERING, SELECTION
from audience_nb.server.operations import Call, Operation
from audience_nb.server.pool import Entry, checked_id
from audience_nb.server.roles import Need
from audience_nb.server.served import ServedSession
from audience_nb.server.work import Kind
from audience_nb.snapshot import suggestion_values

__all__ = ["SESSIONS"]

# What a role must allow for a verb to be tried at all; the session itself asks again.
_NEEDS: dict[str, Need] = {
    "load": "segment",
    "segment": "segment",
    "enrich": "segment",
    "build": "segment",
    "pick": "segment",
    "rename": "segment",
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


def _told(kept: Kept, source: str, snapshot: dict[str, Any]) -> dict[str, Any]:
    return {
        "session_id": kept.session_id,
        "version": kept.version,
        "workflow_id": kept.workflow_id,
        "audience_id": kept.audience_id,
        "source": source,
        "snapshot": snapshot,
    }


async def _start(call: Call) -> tuple[int, dict[str, Any]]:
    entry = await call.house.pool.start(call.principal, call.given.source)
    return 201, await _look_at(call, entry.kept.session_id)


async def _look(call: Call) -> dict[str, Any]:
    return await _look_at(call, call.path["session_id"])


async def _look_at(call: Call, session_id: str) -> dict[str, Any]:
    def look(session: ServedSession, entry: Entry) -> dict[str, Any]:
        return _told(entry.kept, entry.source, session.snapshot().to_dict())

    return await call.house.pool.use(session_id, call.principal, "quick", look)


async def _perform(call: Call) -> dict[str, Any]:
    verb = call.path["verb"]
    call.principal.role.require(_NEEDS.get(verb, "search"))

    def do(session: ServedSession, entry: Entry) -> tuple[dict[str, Any], Entry]:
        begun = time.perf_counter()
        try:
            shown = session.perform(verb, call.given.model_extra or {}).to_dict()
        except AudienceError as error:
            if verb in _CUTS:
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
    kept = entry.kept
    if verb == "export" and kept.audience_id is not None:
        rows = int((shown["export"] or {}).get("rows", 0))
        receipt = {"destination": "export", "dry_run": False, "rows_sent": rows, "rows_dropped": {}}
        audience_id = kept.audience_id
        await call.house.work.run(
            "quick",
            lambda: call.house.history.keep_delivery(audience_id, call.principal.name, receipt),
        )
    return _told(kept, entry.source, shown)


async def _find(call: Call) -> dict[str, Any]:
    given: m.FindRequest = call.given

    def find(session: ServedSession, _entry: Entry) -> dict[str, Any]:
        begun = time.perf_counter()
        found = session.find(given.text, given.limit)
        SELECTION.observe(time.perf_counter() - begun)
        return {"suggestions": [suggestion_values(s) for s in found]}

    return await call.house.pool.use(
        call.path["session_id"], call.principal, "quick", find, fresh=False
    )


async def _code(call: Call) -> dict[str, Any]:
    def code(session: ServedSession, _entry: Entry) -> dict[str, Any]:
        return {"code": session.to_code()}

    return await call.house.pool.use(call.path["session_id"], call.principal, "quick", code)


async def _end(call: Call) -> dict[str, Any]:
    await call.house.pool.end(call.path["session_id"], call.principal)
    return {}


async def _sessions(call: Call) -> dict[str, Any]:
    given: m.PageQuery = call.given
    before = _moment(given.before)
    rows = await call.house.work.run(
        "quick",
        lambda: call.house.history.sessions(call.principal.name, given.limit, before),
    )
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
    return {"sessions": listed, "next": _next(listed, given.limit, "updated_at")}


async def _workflows(call: Call) -> dict[str, Any]:
    given: m.PageQuery = call.given
    before = _moment(given.before)
    rows = await call.house.work.run(
        "quick",
        lambda: call.house.history.workflows(call.principal.name, given.limit, before),
    )
    listed = [_listed(row) for row in rows]
    return {"workflows": listed, "next": _next(listed, given.limit, "created_at")}


async def _workflow(call: Call) -> dict[str, Any]:
    workflow_id = checked_id(call.path["workflow_id"], "workflow")
    row = await call.house.work.run(
        "quick", lambda: call.house.history.workflow(workflow_id, call.principal.name)
    )
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


def _next(listed: Sequence[Mapping[str, Any]], limit: int, name: str) -> str | None:
    return str(listed[-1][name]) if len(listed) == limit else None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None:
            raise ValueError("no zone")
        # Far ones leave what databases and other zones can say.
        if not 1970 < moment.year < 9000:
            raise ValueError("out of range")
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            "The argument before is no moment of a page.", "Give the `next` of the page before."
        ) from error
    return moment


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
