"""A session's decisions as JSON and as code, and the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.distribution import Delivery
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.question import Edits, Filters, Understanding, checked_kinds
from audience_nb.snapshot import Message
from audience_nb.sources.address import PLACEHOLDER, plain_options, shareable

if TYPE_CHECKING:
    from audience_nb.session import Session
    from audience_nb.timeline import Insight

__all__ = ["code_of", "decisions_of", "origin_of", "read_decisions", "replayed"]

FORMAT = "audience_nb session 1"
# Verbs of insight that are done again.
INSIGHTS = ("overlap", "lookalike", "predict_size", "performance", "hold_out")
_MEANT = {
    "frame": "table",
    "dictionary": "codebook",
    "catalog": "catalogue",
    "source": "source of records",
    "suppression": "suppression list",
}


def origin_of(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what a session was opened on, so that it may be saved.

    Parameters
    ----------
    given : mapping
        `frame`, `dictionary`, `catalog` and `source` as they were given; None for none.
    options : mapping
        Of the records, see `open_source`.

    Returns
    -------
    dict
        Paths and addresses are kept without what lets one in, objects only named.

    Examples
    --------
    >>> origin_of({"frame": "postgresql://ann:s3same@db/shop"}, {})
    {'frame': 'postgresql://ann:PASSWORD@db/shop', 'secret': True}
    """
    origin: dict[str, Any] = {}
    hidden = False
    for name, value in given.items():
        if value is not None:
            origin[name], secret = shareable(value)
            hidden = hidden or secret
    kept, secret = plain_options(options)
    if kept:
        origin["options"] = kept
    if hidden or secret:
        origin["secret"] = True
    return origin


def decisions_of(session: Session) -> dict[str, Any]:
    """Give the decisions of a session as plain values.

    Parameters
    ----------
    session : Session
        Any session.

    Returns
    -------
    dict
        No record, identifier or key is in it.
    """
    state = session.state
    return {
        "format": FORMAT,
        "catalogue": session.catalog.fingerprint,
        "source": {**session.origin, "n_records": session.source.n_records},
        "random_state": session.random_state,
        "data_type": state.data_type,
        "subtype": state.subtype,
        "minimum_count": state.minimum_count,
        "query": state.query,
        "limit": state.limit,
        "filters": state.filters.to_dict(),
        "intents": None if state.intents is None else list(state.intents),
        "understood": state.understood.to_dict() if state.understood else None,
        "edits": state.edits.to_dict(),
        "suggestions": [
            {
                "code": s.variable.code,
                "score": s.score,
                "parts": dict(s.parts),
                "why": s.why,
                "variants": list(s.variants),
            }
            for s in state.suggestions
        ],
        "selected": list(state.selected),
        "confirmed": list(state.confirmed),
        "allowed_sensitive": [list(pair) for pair in state.allowed_sensitive],
        "loaded": state.frame is not None,
        "n_segments": state.n_segments,
        "min_share": state.min_share,
        "max_share": state.max_share,
        "segmented": state.segmentation is not None,
        "enriched": state.lifestyles is not None,
        "enriched_by": [list(pair) for pair in state.enriched_by],
        "picked": list(state.picked),
        "names": [list(pair) for pair in state.names],
        "descriptions": [list(pair) for pair in state.descriptions],
        # Of a batch the path alone; who is gone is never kept.
        "updates": [
            None if u is None else {"batch": u[0], "gone": len(u[1]), "sizes": u[2]}
            for u in state.updates
        ],
        "insights": [
            {"verb": i.verb, "arguments": i.arguments, "objects": list(i.objects)}
            for i in state.insights
        ],
        "min_size": state.min_size,
        "max_size": state.max_size,
        "audience_name": state.audience_name,
        "compared": list(state.compared),
        "explained": state.explained,
        "exported": dict(state.exported) if state.exported else None,
        "deliveries": [d.to_dict() for d in state.deliveries],
        "messages": [asdict(m) for m in session.messages],
        "revision": session.revision,
    }


def read_decisions(path: str | Path) -> dict[str, Any]:
    """Read a saved session.

    Parameters
    ----------
    path : str or pathlib.Path
        As `Session.save` wrote it.

    Returns
    -------
    dict

    Raises
    ------
    NotFound
        If there is no such file.
    DamagedFile
        If it is no saved session.
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    try:
        decisions = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path.name} is not JSON.", "Save the session again.") from error
    if not isinstance(decisions, dict) or decisions.get("format") != FORMAT:
        raise DamagedFile(
            f"{path.name} is no saved session of format {FORMAT!r}.",
            "Give a file that Session.save wrote.",
        )
    return decisions


def replayed(
    session_type: type[Session], decisions: Mapping[str, Any], frame: Any, options: dict[str, Any]
) -> Session:
    """Lead a new session to where the decisions left off.

    Parameters
    ----------
    session_type : type
        `Session`.
    decisions : mapping
        As `decisions_of` gave them.
    frame : pandas.DataFrame, path or None
        The records, where they were the user's own.
    options : dict
        Further options of `Session`.

    Returns
    -------
    Session

    Raises
    ------
    InvalidInput
        If the catalogue or the number of records is another.
    DamagedFile
        If a decision is missing.
    """
    from audience_nb.search import Suggestion

    try:
        source = decisions["source"]
        at_hand = {"frame": frame, **options}
        batches = list(at_hand.pop("batches", ()))
        _require_secret(source, at_hand)
        if source.get("consent"):
            at_hand.setdefault("consent", True)
        for name in ("frame", "dictionary", "catalog", "source", "suppression"):
            if name in source and at_hand.get(name) is None:
                if source[name] is None:
                    raise InvalidInput(
                        f"The session was opened on a {_MEANT[name]} of your own.",
                        f"Give it as `{name}`.",
                    )
                at_hand[name] = source[name]
        frame = at_hand.pop("frame")
        options = at_hand
        if source["type"] == "frame":
            options.setdefault("id", source["id"])
            # Options such as the table's name are no use to a table given in its place.
            if isinstance(frame, str | Path | list | tuple):
                options = {**source.get("options", {}), **options}
        elif source["type"] == "synthetic":
            options.setdefault("n_records", source["n_records"])
        session = session_type(frame, random_state=decisions["random_state"], **options)
        if session.catalog.fingerprint != decisions["catalogue"]:
            raise InvalidInput(
                f"The catalogue has {len(session.catalog):,} variables and another fingerprint "
                "than the one the session was saved with.",
                "Give the table and the dictionary it was saved with.",
            )
        if session.source.n_records != source["n_records"]:
            raise InvalidInput(
                f"There are {session.source.n_records:,} records, the session was saved with "
                f"{source['n_records']:,}.",
                "Give the same records.",
            )
        # Sessions saved before there were any lack these five.
        session.choose(
            decisions["data_type"],
            decisions["subtype"],
            minimum_count=decisions.get("minimum_count"),
        )
        understood = decisions.get("understood")
        edits = {**Edits().to_dict(), **decisions.get("edits", {})}
        session.state = replace(
            session.state,
            query=decisions["query"],
            limit=decisions["limit"],
            filters=Filters.of(session.catalog, **decisions.get("filters", {})),
            intents=checked_kinds(decisions.get("intents")),
            understood=Understanding.from_dict(understood) if understood else None,
            edits=Edits.from_dict(edits),
            suggestions=tuple(
                Suggestion(
                    variable=session.described(session.catalog[s["code"]]),
                    score=s["score"],
                    rank=rank,
                    parts=s["parts"],
                    why=s["why"],
                    variants=tuple(s.get("variants", ())),
                )
                for rank, s in enumerate(decisions["suggestions"], start=1)
            ),
        )
        _redo(session, decisions, batches)
        if decisions["query"] is not None:
            # Views show how far the index is, and the next question needs it anyway.
            _ = session.index
        session.messages[:] = [Message(**m) for m in decisions["messages"]]
        session.revision = decisions["revision"]
    except (KeyError, TypeError) as error:
        raise DamagedFile(
            f"The saved session lacks or garbles a decision ({error}).", "Save it again."
        ) from error
    session.forget_past()
    return session


def _require_secret(source: Mapping[str, Any], at_hand: Mapping[str, Any]) -> None:
    """Ask again for a password or token, which is never saved."""
    if not source.get("secret") or at_hand.get("frame") is not None:
        return
    if PLACEHOLDER in json.dumps(source.get("frame")):
        raise InvalidInput(
            f"The session was opened on {source['frame']!r}, whose password is never saved.",
            f"Give the address with the password as `frame`, in place of {PLACEHOLDER}.",
        )
    if not any(name in at_hand for name in ("token", "password")):
        raise InvalidInput(
            f"The session was opened on {source['frame']!r} with a token, which is never saved.",
            "Give it again as `token`.",
        )


def _redo(session: Session, decisions: Mapping[str, Any], batches: list[Any]) -> None:
    # What was confirmed then was learnt from then.
    feedback, session.feedback = session.feedback, None
    if decisions["confirmed"]:
        session.confirm(decisions["confirmed"])
    for code, reason in decisions.get("allowed_sensitive", ()):
        session.allow_sensitive([code], reason)
    if decisions["loaded"]:
        session.load()
    if decisions["segmented"]:
        session.segment(
            decisions["n_segments"],
            min_share=decisions["min_share"],
            max_share=decisions["max_share"],
        )
        _take_batches(session, decisions, batches)
    if decisions["enriched"]:
        by = dict(decisions.get("enriched_by", ()))
        # Types that were at hand are given again by whoever has them.
        if None not in by.values():
            session.enrich(**by)
    for segment, name in decisions["names"]:
        session.rename(segment, name)
    for segment, text in decisions.get("descriptions", ()):
        session.redescribe(segment, text)
    if decisions["picked"] and decisions.get("insights"):
        session.pick(decisions["picked"])
    for insight in decisions.get("insights", ()):
        # What was asked with an object at hand is asked again by whoever has it.
        if not insight["objects"] and insight["verb"] in INSIGHTS:
            getattr(session, insight["verb"])(**insight["arguments"])
    session.feedback = feedback
    session.state = replace(
        session.state,
        selected=tuple(decisions["selected"]),
        n_segments=decisions["n_segments"],
        min_share=decisions["min_share"],
        max_share=decisions["max_share"],
        picked=tuple(decisions["picked"]),
        # Sessions saved before there were any lack these.
        min_size=decisions.get("min_size"),
        max_size=decisions.get("max_size"),
        audience_name=decisions.get("audience_name"),
        compared=tuple(decisions.get("compared", ())),
        explained=decisions.get("explained"),
        exported=decisions["exported"],
        deliveries=tuple(Delivery(**d) for d in decisions["deliveries"]),
    )


def _take_batches(session: Session, decisions: Mapping[str, Any], batches: list[Any]) -> None:
    """Take batches in again, those that have no path from the caller's hand."""
    updates = decisions.get("updates", ())
    wanted = sum(u is not None and u["batch"] is None for u in updates)
    if wanted != len(batches):
        raise InvalidInput(
            f"The session took {wanted} batches in from tables at hand, {len(batches)} are given.",
            "Give them in order: batches=[…].",
        )
    for update in updates:
        if update is None:
            session.segment(
                decisions["n_segments"],
                min_share=decisions["min_share"],
                max_share=decisions["max_share"],
            )
            continue
        if update["gone"]:
            raise InvalidInput(
                f"{update['gone']:,} records were gone, and who they are is not kept.",
                "Start from records without them.",
            )
        batch = batches.pop(0) if update["batch"] is None else update["batch"]
        session.update(batch, sizes=update["sizes"])


def code_of(session: Session) -> str:
    """Write Python that leads to the same audience.

    Parameters
    ----------
    session : Session
        Any session.

    Returns
    -------
    str
    """
    state = session.state
    origin = session.origin
    lines = ["from audience_nb import Session", ""]
    given = []
    objects = []
    for name in ("frame", "dictionary", "catalog", "source", "suppression"):
        if name in origin:
            value = name if origin[name] is None else repr(origin[name])
            given.append(value if name == "frame" else f"{name}={value}")
            objects += [name] if origin[name] is None else []
    if origin.get("secret"):
        lines += _where_secrets_go(origin)
    if objects:
        lines += [f"# At hand: {', '.join(objects)}, as the session was opened with.", ""]
    if origin.get("id") is not None:
        given.append(f"id={origin['id']!r}")
    given += [f"{name}={value!r}" for name, value in origin.get("options", {}).items()]
    if origin.get("secret") and PLACEHOLDER not in json.dumps(origin.get("frame")):
        given.append(f"token={PLACEHOLDER!r}")
    if origin.get("consent"):
        given.append("consent=True")
    if origin["type"] == "synthetic":
        given.append(f"n_records={session.source.n_records}")
    given.append(f"random_state={session.random_state}")
    lines.append(f"session = Session({', '.join(given)})")
    fewest = "" if state.minimum_count is None else f", minimum_count={state.minimum_count}"
    lines.append(f"session.choose({state.data_type!r}, {state.subtype!r}{fewest})")
    if state.query is not None:
        options = {"limit": state.limit, **state.filters.given}
        if state.intents is not None:
            options["intents"] = list(state.intents)
        if state.edits.variants:
            options["variants"] = list(state.edits.variants)
        said = "".join(f", {name}={value!r}" for name, value in options.items())
        lines.append(f"session.ask({state.query!r}{said})")
    if state.selected and not state.confirmed:
        lines.append(f"session.select({list(state.selected)!r})")
    if state.confirmed:
        lines.append("session.confirm([")
        lines += [
            f"    {code!r},  # {' '.join(session.catalog[code].label.split())}"
            for code in state.confirmed
        ]
        lines.append("])")
    lines += [
        f"session.allow_sensitive([{code!r}], {reason!r})"
        for code, reason in state.allowed_sensitive
    ]
    if state.frame is not None:
        lines.append("session.load()")
    if state.segmentation is not None:
        lines.append(
            f"session.segment({state.n_segments!r}, min_share={state.min_share!r}, "
            f"max_share={state.max_share!r})"
        )
        lines += _update_lines(state.updates, lines[-1])
    if state.lifestyles is not None:
        by = dict(state.enriched_by)
        given_by = [f"{n}={n if value is None else repr(value)}" for n, value in by.items()]
        hand = ", ".join(n for n, value in by.items() if value is None)
        note = f"  # at hand: {hand}" if hand else ""
        lines.append(f"session.enrich({', '.join(given_by)}){note}")
    lines += [f"session.rename({segment}, {name!r})" for segment, name in state.names]
    lines += [f"session.redescribe({segment}, {text!r})" for segment, text in state.descriptions]
    if state.picked or state.audience_name:
        called = f", name={state.audience_name!r}" if state.audience_name else ""
        lines.append(f"session.pick({list(state.picked)!r}{called})")
    lines += [_insight_line(i) for i in state.insights if i.verb in INSIGHTS]
    if state.exported is not None:
        of = state.exported.get("lookalike")
        verb = "export(" if of is None else f"export_lookalike({of!r}, "
        how = "".join(f", {n}={v!r}" for n, v in state.exported.get("options", {}).items())
        lines.append(f"session.{verb}{state.exported['path']!r}{how})")
    return "\n".join(lines) + "\n"


def _insight_line(insight: Insight) -> str:
    """Write how a finding was asked for; objects are named, and at hand."""
    given = [f"{name}={name}" for name in insight.objects]
    given += [f"{name}={value!r}" for name, value in insight.arguments.items()]
    note = f"  # at hand: {', '.join(insight.objects)}" if insight.objects else ""
    name = {"predict_size": "size", "hold_out": "held_out"}.get(insight.verb, insight.verb)
    return f"{name} = session.{insight.verb}({', '.join(given)}){note}"


def _update_lines(updates: Sequence[Any], segment: str) -> list[str]:
    lines = []
    for number, update in enumerate(updates, start=1):
        if update is None:
            lines.append(segment)
            continue
        path, gone, sizes = update
        given = [f"batch_{number}" if path is None else repr(path)]
        given += [f"gone=gone_{number}"] if gone else []
        given += [f"sizes={sizes!r}"] if sizes != "keep" else []
        at_hand = [name for name in given if name.startswith(("batch_", "gone="))]
        note = f"  # at hand: {', '.join(n.removeprefix('gone=') for n in at_hand)}"
        lines.append(f"session.update({', '.join(given)}){note if at_hand else ''}")
    return lines


def _where_secrets_go(origin: Mapping[str, Any]) -> list[str]:
    what = "the address" if PLACEHOLDER in json.dumps(origin.get("frame")) else "token"
    return [
        f"# What lets you in is never written down: put it in place of {PLACEHOLDER} in {what}.",
        "",
    ]
