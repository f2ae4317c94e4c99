"""The source document's endpoints, with its field names, on the verbs of a session."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audience_nb import __version__
from audience_nb.errors import AudienceError, InvalidInput, NotAllowed, WrongStep
from audience_nb.server import messages as m
from audience_nb.server.metrics import CLUSTERING, EXPORT_SIZE, SELECTION
from audience_nb.server.operations import Call, FileAnswer, Operation, no_words
from audience_nb.server.pool import Entry, checked_id
from audience_nb.server.refusals import Refusal
from audience_nb.server.served import ServedSession
from audience_nb.server.work import Kind

__all__ = ["WORKFLOW"]

# Of each format that an audience can be downloaded in (IANA; Parquet since 2024).
_MEDIA = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
_TYPES = ("psychographic", "demographic", "behavioral", "lifestyle")


async def _start_session(call: Call) -> dict[str, Any]:
    entry = await call.house.pool.start(call.principal)
    return {
        "session_id": entry.kept.session_id,
        "status": "ready",
        "message": "Session initialized",
    }


async def _process(call: Call) -> dict[str, Any]:
    given: m.ProcessRequest = call.given
    payload = given.payload
    if given.action in ("process", "refine") and no_words(payload.input):
        raise InvalidInput(f"{given.action} lacks payload.input.", "Say who you are looking for.")
    if given.action == "confirm":
        call.principal.role.require("segment")

    def do(session: ServedSession, entry: Entry) -> dict[str, Any]:
        begun = time.perf_counter()
        state = session.state
        chosen = payload.data_type or state.data_type
        subtype = payload.subtype or (state.subtype if chosen == state.data_type else None)
        if (chosen, subtype) != (state.data_type, state.subtype):
            session.perform("choose", {"data_type": chosen, "subtype": subtype})
        if given.action == "confirm":
            codes = payload.confirmed_variables
            session.perform("confirm", {} if codes is None else {"codes": codes})
            try:
                shown = session.perform("build").to_dict()
            except AudienceError as error:
                # What was handed back because the server stops has not failed.
                if not isinstance(error, Refusal):
                    call.house.history.keep_failure(
                        session, entry.user, error, source=entry.source, known=entry.kept
                    )
                raise
            CLUSTERING.observe(time.perf_counter() - begun)
            return shown
        verb = "ask" if given.action == "process" else "refine"
        shown = session.perform(verb, {"text": payload.input}).to_dict()
        SELECTION.observe(time.perf_counter() - begun)
        return shown

    def done(session: ServedSession, entry: Entry) -> tuple[dict[str, Any], Entry]:
        return do(session, entry), entry

    kind: Kind = "quick" if given.action == "process" else "heavy"
    shown, entry = await call.house.pool.use(
        given.session_id, call.principal, kind, done, keeps=True
    )
    if given.action != "process" and shown["segmentation"] is not None:
        return _complete(shown, str(entry.kept.audience_id))
    return _suggested(shown)


def _suggested(shown: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _TYPES}
    for s in shown["suggestions"]:
        available = {
            rule["code"]: rule["code"] in s["availability"] for rule in shown["data_types"]
        }
        groups[s["kind"]].append(
            {
                "code": s["code"],
                "description": s["label"],
                "type": s["kind"],
                "category": s["category"],
                "source": s["source"],
                "dataAvailability": available,
                "relevance_score": s["score"],
                "selected": s["selected"],
                "why": s["why"],
            }
        )
    return {
        "status": "variables_suggested",
        "suggested_variables": groups,
        "total_suggested": len(shown["suggestions"]),
        "data_type": shown["data_type"],
        "message": _last_message(shown),
    }


def _complete(shown: dict[str, Any], audience_id: str) -> dict[str, Any]:
    cut = shown["segmentation"]
    return {
        "status": "complete",
        "segments": [
            {
                "group_id": s["id"],
                "size": s["size"],
                "size_percentage": round(100 * s["share"], 2),
                "name": s["name"],
                "dominantTraits": [trait["text"] for trait in s["traits"][:3]],
                "characteristics": {
                    "description": s["description"],
                    "traits": s["traits"],
                    "lifestyles": s["lifestyles"],
                    "diversity": s["diversity"],
                },
            }
            for s in cut["segments"]
        ],
        "audience_id": audience_id,
        "total_records": cut["n_records"],
        "data_type": shown["data_type"],
        "message": _last_message(shown),
    }


def _last_message(shown: dict[str, Any]) -> str:
    said = [one["text"] for one in shown["messages"] if one["role"] == "assistant"]
    return said[-1] if said else ""


async def _with_audience(call: Call, do: Callable[[ServedSession], Any]) -> Any:
    """Do something at an audience: in its session while that stands there, else replayed."""
    pool, history = call.house.pool, call.house.history
    audience_id = checked_id(call.path.get("audience_id") or call.given.audience_id, "audience")
    row = await call.house.work.run(
        "quick", lambda: history.audience(audience_id, call.principal.name)
    )

    def replayed() -> Any:
        return pool.at_audience(row, call.principal, do)

    def current(session: ServedSession, entry: Entry) -> Any:
        # Later changes of the session do not change the audience.
        if entry.kept.audience_id != audience_id:
            raise WrongStep("The session has gone on.")
        return do(session)

    if row["session_id"] is not None:
        entry = await pool.use(row["session_id"], call.principal, "quick", lambda _s, e: e)
        if entry.kept.audience_id == audience_id:
            return await pool.use(row["session_id"], call.principal, "heavy", current, keeps=True)
    return await call.house.work.run("heavy", replayed)


async def _export(call: Call) -> FileAnswer:
    ending = call.given.format
    name = f"{secrets.token_hex(8)}.{ending}"

    path: Path = await _with_audience(call, lambda session: session.export(name))
    EXPORT_SIZE.observe(path.stat().st_size)
    return FileAnswer(path, f"audience_export.{ending}", _MEDIA[ending])


async def _distribute(call: Call) -> dict[str, Any]:
    given: m.DistributeRequest = call.given
    audience_id = checked_id(given.audience_id, "audience")

    def send(session: ServedSession) -> list[dict[str, Any]]:
        return [_sent(call, session, name, audience_id) for name in given.platforms]

    results = await _with_audience(call, send)
    told = {result["status"] for result in results}
    return {"status": told.pop() if len(told) == 1 else "partial", "results": results}


def _sent(call: Call, session: ServedSession, name: str, audience_id: str) -> dict[str, Any]:
    options = call.house.destinations.get(name)
    try:
        if options is None:
            raise InvalidInput(
                f"There is no destination {name[:40]!r}.",
                f"Choose one of: {', '.join(call.house.destinations) or 'none'}.",
            )
        if name == "file":
            options = {**options, "path": session.folder / f"{audience_id}.identifiers.csv"}
        delivery = session.distribute(name, confirm=call.given.confirm, **options)
    except NotAllowed:
        raise
    except AudienceError as error:
        told = {"rows_sent": 0, "rows_dropped": {}, "dry_run": not call.given.confirm}
        return {"platform": name, "status": "failed", **told, "message": str(error)}
    return {
        "platform": name,
        "status": "simulated" if delivery.dry_run else "sent",
        "rows_sent": delivery.rows_sent,
        "rows_dropped": dict(delivery.rows_dropped),
        "dry_run": delivery.dry_run,
        "message": session.messages[-1].text,
    }


async def _health(call: Call) -> dict[str, Any]:
    parts = await call.house.health()
    status = "healthy" if set(parts.values()) <= {"ok"} else "degraded"
    return {"status": status, "components": parts, "version": __version__}


async def _alive(_call: Call) -> dict[str, Any]:
    return {"status": "healthy"}


async def _ready(call: Call) -> tuple[int, dict[str, Any]]:
    if call.house.work.stopping:
        return 503, {"status": "stopping"}
    parts = await call.house.health()
    if set(parts.values()) <= {"ok"}:
        return 200, {"status": "ready"}
    return 503, {"status": "degraded"}


async def _debug_variables(call: Call) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        catalog = call.house.shelf.open().catalog
        kinds = catalog.column("kind")
        return {
            "total_variables": len(catalog),
            "by_type": {kind: int(sum(k == kind for k in kinds)) for kind in _TYPES},
            "sample": [
                {"code": code, "label": catalog[code].label, "type": catalog[code].kind}
                for code in catalog.codes[:10]
            ],
        }

    return await call.house.work.run("quick", look)


async def _debug_clustering(call: Call) -> dict[str, Any]:
    workflow_id = checked_id(call.path["workflow_id"], "workflow")

    def look() -> dict[str, Any]:
        row = call.house.history.workflow(workflow_id, call.principal.name)
        sizes = {str(s["segment_number"]): s["segment_size"] for s in row["segments"]}
        cut = row["decisions"]
        call.principal.role.require_data(cut["data_type"], cut["subtype"])
        bounds = (cut["min_share"], cut["max_share"])
        n = row["total_records"]
        wrong = [
            f"Segment {number} holds {size} of {n} records."
            for number, size in sizes.items()
            if not bounds[0] * n - 1e-9 <= size <= bounds[1] * n + 1e-9
        ]
        score = None
        if row["status"] == "complete" and cut["data_type"] != "clean_room":
            again = call.house.shelf.open(row["source"]).session(cut)
            curve = None if again.segmentation is None else again.segmentation.k_curve
            if curve is not None and "silhouette" in curve:
                there = curve.loc[curve["n_clusters"] == len(sizes), "silhouette"]
                score = None if there.empty or there.isna().any() else float(there.iloc[0])
        return {
            "workflow_id": workflow_id,
            "cluster_sizes": sizes,
            "silhouette_score": score,
            "constraint_violations": wrong if cut["data_type"] != "clean_room" else [],
        }

    return await call.house.work.run("heavy", look)


WORKFLOW = (
    Operation(
        "start_session",
        "POST",
        "/api/nl/start_session",
        "Start a session.",
        _start_session,
        m.StartAnswer,
        m.Empty,
        needs="search",
    ),
    Operation(
        "process",
        "POST",
        "/api/nl/process",
        "Search for variables, confirm them and cut segments, or refine the answer in words.",
        _process,
        m.ProcessAnswer,
        m.ProcessRequest,
        needs="search",
    ),
    Operation(
        "export_audience",
        "GET",
        "/api/export/{audience_id}",
        "Download an audience with its decisions.",
        _export,
        tuple(_MEDIA.values()),
        m.ExportQuery,
        needs="export",
    ),
    Operation(
        "distribute",
        "POST",
        "/api/distribute",
        "Send an audience to platforms, or see what would leave.",
        _distribute,
        m.DistributeAnswer,
        m.DistributeRequest,
        needs="distribute",
    ),
    Operation(
        "health", "GET", "/api/health", "Try each part of the server.", _health, m.HealthAnswer
    ),
    Operation(
        "alive", "GET", "/health", "Whether the server answers.", _alive, m.ProbeAnswer, probe=True
    ),
    Operation(
        "ready",
        "GET",
        "/ready",
        "Whether the server can work.",
        _ready,
        m.ProbeAnswer,
        probe=True,
        also=(503,),
    ),
    Operation(
        "debug_variables",
        "GET",
        "/debug/variables",
        "Count the variables, and show ten.",
        _debug_variables,
        m.VariablesAnswer,
        needs="debug",
        debug=True,
    ),
    Operation(
        "debug_clustering",
        "GET",
        "/debug/clustering/{workflow_id}",
        "Show how a workflow's records were cut.",
        _debug_clustering,
        m.ClusteringAnswer,
        needs="debug",
        debug=True,
    ),
)
