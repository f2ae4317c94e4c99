"""What views show of a session: decisions and aggregates as plain values, never a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from audience_nb.dispatch import dispatch_values
from audience_nb.errors import InvalidInput
from audience_nb.policy import DATA_TYPES
from audience_nb.policy.sensitive import category_of

if TYPE_CHECKING:
    from audience_nb.catalog import Catalog
    from audience_nb.search import SearchIndex, Suggestion
    from audience_nb.session import Session

__all__ = [
    "VERBS",
    "Message",
    "Snapshot",
    "checked_arguments",
    "index_values",
    "suggestion_values",
    "take_snapshot",
]

# A question has rarely more bands, years and units; the wire need not carry a thousand.
_MOST_VARIANTS = 60

StepState = Literal["done", "current", "waiting"]


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the conversation.

    Parameters
    ----------
    role : {"user", "assistant", "error"}
        Who says it.
    text : str
        What.
    next_move : str, optional
        What the reader can do about an error.
    options : list of str, optional
        What can be answered to a question: each can be said as it is.
    actions : list of dict, optional
        What the message before was read as, in JSON.
    changes : dict, optional
        What that changed, see `audience_nb.refinement.difference`.
    read_by : str, optional
        What read it: "grammar", or a language model's name.

    Examples
    --------
    >>> Message("assistant", "12 segments.").role
    'assistant'
    """

    role: Literal["user", "assistant", "error"]
    text: str
    next_move: str = ""
    options: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    read_by: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session as one JSON value.

    Parameters
    ----------
    values : dict
        See `to_dict`.
    """

    values: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Give the snapshot as plain values.

        Returns
        -------
        dict
            `revision`, `steps`, `data`, `data_type`, `subtype`, `data_types`, `messages`,
            `query`, `limit`, `understood`, `intents`, `filters`, `options`, `index`,
            `suggestions`, `selected`, `allowed_sensitive`, `budget`, `loaded`, `size_rule`,
            `segmentation`, `audience`, `insights`, `export`, `deliveries`, `destinations`,
            `comparison`, `explanation`, `language_model`, `undo`, `redo`.
        """
        return self.values


def take_snapshot(session: Session) -> Snapshot:
    """Collect what views show.

    Parameters
    ----------
    session : Session
        The session, locked by the caller.

    Returns
    -------
    Snapshot
    """
    state = session.state
    ticked = set(state.selected)
    return Snapshot(
        {
            "revision": session.revision,
            "steps": _steps(session),
            "data": {
                "name": session.source.name,
                "records": session.source.n_records,
                "variables": len(session.catalog),
                "demo": session.origin["type"] == "synthetic",
            },
            "data_type": state.data_type,
            "subtype": state.subtype,
            "minimum_count": state.rule.minimum_count,
            "data_types": [rule.to_dict(session.source.attributes) for rule in DATA_TYPES],
            "messages": [asdict(m) for m in session.messages[-60:]],
            "query": state.query,
            "limit": state.limit,
            "understood": state.understood.to_dict() if state.understood else None,
            "intents": None if state.intents is None else list(state.intents),
            "filters": state.filters.to_dict(),
            "options": session.options,
            "index": index_values(session.opened_index),
            "suggestions": [
                {
                    **suggestion_values(s),
                    **_variants(s, session.catalog),
                    "selected": s.variable.code in ticked,
                }
                for s in state.suggestions
            ],
            "selected": [
                {
                    "code": v.code,
                    "label": v.label,
                    "kind": v.kind,
                    "sensitive": category_of(v),
                }
                for v in (session.catalog[code] for code in state.selected)
            ],
            "allowed_sensitive": dict(state.allowed_sensitive),
            "budget": session.privacy_budget,
            "loaded": _loaded(session),
            "size_rule": {
                "n_segments": state.n_segments,
                "min_share": state.min_share,
                "max_share": state.max_share,
                "min_size": state.min_size,
                "max_size": state.max_size,
            },
            "segmentation": _segmentation(session),
            "audience": _audience(session),
            "insights": session.insight_values,
            "export": dict(state.exported) if state.exported else None,
            "deliveries": [d.to_dict() for d in state.deliveries],
            "destinations": dispatch_values(session),
            "comparison": session.comparison,
            "explanation": session.explanation,
            "language_model": session.language_model_name,
            "undo": session.undoable,
            "redo": session.redoable,
        }
    )


def suggestion_values(suggestion: Suggestion) -> dict[str, Any]:
    """Give one suggestion as a view shows it.

    Parameters
    ----------
    suggestion : Suggestion
        From a search.

    Returns
    -------
    dict
    """
    v = suggestion.variable
    return {
        "code": v.code,
        "label": v.label,
        "kind": v.kind,
        "category": v.category,
        "source": v.source,
        "unit": v.unit,
        "availability": list(v.availability),
        "score": round(float(suggestion.score), 4),
        "parts": {name: round(float(part), 4) for name, part in suggestion.parts.items()},
        "why": suggestion.why,
        "sensitive": category_of(v),
    }


def index_values(index: SearchIndex | None) -> dict[str, Any] | None:
    """Say how far the search is, as a view shows it.

    Parameters
    ----------
    index : SearchIndex or None
        None before its first use.

    Returns
    -------
    dict or None
        `description`, `ready`, the `fraction` of the meanings that is learnt, and whether
        answers go `by_meaning`.
    """
    if index is None:
        return None
    return {
        "description": index.description,
        "ready": index.ready,
        "fraction": round(float(index.progress), 3),
        "by_meaning": index.by_meaning,
    }


def _variants(suggestion: Suggestion, catalog: Catalog) -> dict[str, Any]:
    """Name the variants of a suggestion by what sets them apart."""
    codes = suggestion.variants[:_MOST_VARIANTS]
    own = suggestion.variable
    if own.code in suggestion.variants and own.code not in codes:
        codes = (own.code, *codes[:-1])
    if len(codes) < 2:
        return {"measure": own.label, "variant": "", "variants": []}
    from audience_nb.search.documents import variant_text

    labels, measures = catalog.column("label"), catalog.column("measure")
    rows = [catalog.position(code) for code in codes]
    texts = [variant_text(labels[row], measures[row]) for row in rows]
    plain = [t[1:-1] if t[:1] == "[" and t[-1:] == "]" else t for t in texts]
    # Where two would read alike, or one would be nameless, whole labels tell them apart.
    if len(set(plain)) < len(plain) or "" in plain:
        plain = [labels[row] for row in rows]
    listed = [{"code": code, "text": text} for code, text in zip(codes, plain, strict=True)]
    return {
        "measure": own.measure,
        "variant": next((v["text"] for v in listed if v["code"] == own.code), ""),
        "variants": listed,
    }


def _steps(session: Session) -> list[dict[str, str]]:
    state = session.state
    done = [
        ("describe", "Describe", state.query is not None or bool(state.confirmed)),
        ("choose", "Choose variables", bool(state.confirmed)),
        ("segment", "Segment", state.segmentation is not None),
        ("export", "Export", state.exported is not None),
    ]
    steps = []
    current_given = False
    for name, title, is_done in done:
        step_state: StepState = "done" if is_done else "waiting" if current_given else "current"
        current_given |= not is_done
        steps.append({"name": name, "title": title, "state": step_state})
    return steps


def _loaded(session: Session) -> dict[str, Any] | None:
    frame = session.state.frame
    if frame is None:
        return None
    missing = 0 if session.privacy_budget else int(frame.isna().sum().sum())
    notes = [f"{missing:,} of {frame.size:,} values are missing."] if missing else []
    fetched = session.state.fetched
    if fetched is not None:
        # Notes have exact counts, which a clean room does not show.
        notes += () if session.privacy_budget else fetched.notes
        if fetched.without_source:
            notes.append(f"No source has {', '.join(fetched.without_source[:5])}.")
    return {
        "records": session.counted("records", len(frame)),
        "variables": frame.shape[1],
        "notes": notes,
        "dropped": [asdict(d) for d in session.left_out],
    }


def _segmentation(session: Session) -> dict[str, Any] | None:
    state = session.state
    cut = session.segmentation
    if cut is None:
        return None
    smallest, largest = cut.bounds
    lifestyles = _lifestyles(session)
    return {
        "n_records": cut.n_records,
        "n_segments": cut.n_segments,
        "cost": float(cut.cost),
        "bounds": {
            "smallest": int(smallest),
            "largest": int(largest),
            "min_share": state.min_share,
            "max_share": state.max_share,
        },
        "chosen_by": _chosen_by(session),
        "notes": list(cut.notes),
        "segments": [
            {
                "id": int(s.id),
                "name": s.name,
                "description": s.description,
                "size": int(s.size),
                "share": float(s.share),
                "picked": s.id in state.picked,
                "traits": [
                    {
                        "label": t.label,
                        "text": t.text,
                        "index": None if t.index is None else round(float(t.index)),
                    }
                    for t in s.traits[:6]
                ],
                **lifestyles.get(s.id, {"lifestyles": [], "diversity": None}),
            }
            for s in cut.segments
        ],
    }


def _lifestyles(session: Session) -> dict[int, dict[str, Any]]:
    """Give the three most frequent types of each segment."""
    from audience_nb.lifestyles import how_to_read

    profile = session.state.lifestyles
    if profile is None:
        return {}
    return {
        int(segment): {
            "lifestyles": [
                {
                    "code": row["lifestyle"],
                    "name": row["name"],
                    "share": round(float(row["share"]), 4),
                    "base_share": round(float(row["base_share"]), 4),
                    "index": round(float(row["index"])),
                }
                for row in rows.head(3).to_dict("records")
            ],
            "diversity": round(float(rows["diversity"].iloc[0]), 3),
            "reading": how_to_read(rows),
        }
        for segment, rows in profile.groupby("segment")
    }


def _chosen_by(session: Session) -> str:
    if session.state.n_segments == "auto":
        return "best score over the feasible numbers of segments"
    return "set by you"


def _audience(session: Session) -> dict[str, Any] | None:
    cut = session.segmentation
    if cut is None:
        return None
    chosen = [s for s in cut.segments if not session.state.picked or s.id in session.state.picked]
    size = sum(s.size for s in chosen)
    return {
        "name": session.state.audience_name or session.state.query or "audience",
        "segments": [s.id for s in chosen],
        "size": size,
        "share": size / cut.n_records,
    }


# What a view may say: verb -> argument -> test of its value.
def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 1000 and all(isinstance(v, str) for v in value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000


def _is_people(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10**10


def _is_counts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 1000 and all(map(_is_count, value))


def _is_number_of_segments(value: Any) -> bool:
    return value is None or value == "auto" or _is_count(value)


def _is_share(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and 0 <= value <= 1)


_RULE = {"n_segments": _is_number_of_segments, "min_share": _is_share, "max_share": _is_share}
_VERBS: dict[str, dict[str, Any]] = {
    "choose": {
        "data_type": _is_text,
        "subtype": lambda v: v is None or _is_text(v),
        "minimum_count": lambda v: v is None or _is_count(v),
    },
    "say": {"text": _is_text},
    "ask": {
        "text": _is_text,
        "limit": _is_count,
        "kinds": _is_texts,
        "sources": _is_texts,
        "categories": _is_texts,
        "availability": _is_texts,
        "intents": lambda v: v is None or _is_texts(v),
    },
    "refine": {"text": _is_text},
    "select": {"codes": _is_texts},
    "swap": {"code": _is_text, "with": _is_text},
    "confirm": {"codes": _is_texts, "top": _is_count},
    "load": {},
    "segment": _RULE,
    "enrich": {},
    "build": _RULE,
    "pick": {"segments": _is_counts, "name": _is_text},
    "rename": {"segment": _is_count, "name": _is_text},
    "allow_sensitive": {"codes": _is_texts, "reason": _is_text},
    "export": {"name": _is_text},
    "compare": {"segments": _is_counts},
    "explain": {"code": _is_text, "segment": _is_count},
    "overlap": {},
    "reword": {},
    "lookalike": {"segments": _is_counts, "seed": _is_text, "method": _is_text},
    "export_lookalike": {"share": _is_share, "name": _is_text},
    "predict_size": {"base": _is_people, "confidence": _is_share},
    "performance": {"outcome": _is_text},
    "hold_out": {"share": _is_share, "by_segment": lambda v: isinstance(v, bool)},
    "undo": {},
    "redo": {},
    "restart": {},
}
# Verbs that views may ask for.
VERBS = tuple(_VERBS)
_REQUIRED = {
    "choose": ("data_type",),
    "say": ("text",),
    "ask": ("text",),
    "refine": ("text",),
    "select": ("codes",),
    "swap": ("code", "with"),
    "pick": ("segments",),
    "compare": ("segments",),
    "rename": ("segment", "name"),
    "allow_sensitive": ("codes", "reason"),
    "predict_size": ("base",),
    "performance": ("outcome",),
    "hold_out": ("share",),
}


def checked_arguments(verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse what a view may not say.

    Parameters
    ----------
    verb : str
        Name of the verb.
    arguments : mapping
        Its arguments, as they came over the wire.

    Returns
    -------
    dict
        Arguments for the method of that name.

    Raises
    ------
    InvalidInput
        If the verb or an argument is unknown, missing or of the wrong sort.

    Examples
    --------
    >>> checked_arguments("pick", {"segments": [1, 2]})
    {'segments': [1, 2]}
    """
    if verb not in _VERBS:
        raise InvalidInput(
            f"There is no verb {str(verb)[:40]!r}.", f"Use one of: {', '.join(_VERBS)}."
        )
    tests = _VERBS[verb]
    for name, value in arguments.items():
        if name not in tests:
            raise InvalidInput(
                f"{verb} takes no argument {str(name)[:40]!r}.",
                f"It takes: {', '.join(tests) or 'none'}.",
            )
        if not tests[name](value):
            raise InvalidInput(
                f"The argument {name!r} of {verb} is out of range.", "Give another value."
            )
    absent = [name for name in _REQUIRED.get(verb, ()) if name not in arguments]
    if absent:
        raise InvalidInput(f"{verb} lacks {absent[0]!r}.", "Give it.")
    known = dict(arguments)
    if verb == "swap":
        known["other"] = known.pop("with")
    if verb in ("export", "export_lookalike"):
        # A name, never a path: nothing but letters, digits, space, dot, dash and underscore.
        name = "".join(c for c in known.pop("name", "") if c.isalnum() or c in " -_.").strip(" .")
        ending = next((e for e in (".parquet", ".json") if name.endswith(e)), ".csv")
        ending = ending if verb == "export" else ".csv"
        stem = name.removesuffix(ending)[:80]
        known["path"] = f"exports/{stem}{ending}" if stem else None
    return known
