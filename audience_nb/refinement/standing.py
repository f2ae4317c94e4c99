"""How a session stands, as far as reading a message depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audience_nb.conversation import Context, Listed, from_dict
from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    from audience_nb.verbs import Verbs

__all__ = ["context_of", "shown_to_model"]

# Suggestions that a language model is shown.
_MOST_SHOWN = 40


def context_of(session: Verbs) -> Context:
    """Collect what the next message may refer to.

    Parameters
    ----------
    session : Verbs
        Before the message is added to its list.

    Returns
    -------
    Context
    """
    state = session.state
    cut = session.segmentation
    last = next((m for m in reversed(session.messages) if m.actions), None)
    pending = session.messages[-1] if session.messages else None
    try:
        said = tuple(from_dict(a) for a in last.actions) if last is not None else ()
    except InvalidInput:
        # A file of an earlier version may hold actions that are no more.
        said = ()
    n_segments = state.n_segments if isinstance(state.n_segments, int) else None
    return Context(
        asked=state.query is not None,
        suggestions=tuple(Listed(s.variable.code, s.variable.label) for s in state.suggestions),
        segments=tuple(Listed(s.id, s.name, s.size) for s in cut.segments) if cut else (),
        sources=tuple(session.options["sources"]),
        categories=tuple(session.options["categories"]),
        n_segments=cut.n_segments if cut is not None and n_segments is None else n_segments,
        last=said,
        choices=tuple(pending.options) if pending is not None and pending.role != "user" else (),
    )


def shown_to_model(session: Verbs) -> dict[str, Any]:
    """Collect what a language model is shown: labels, codes and decisions.

    Parameters
    ----------
    session : Verbs
        Any.

    Returns
    -------
    dict
        Plain values. No record, no figure, no identifier; where no row may be seen, no name of a
        segment either, as names are drawn from figures.
    """
    state = session.state
    cut = session.segmentation
    named = state.rows_may_be_seen
    return {
        "question": state.query,
        "data_type": state.data_type,
        "suggestions": [
            {"code": s.variable.code, "label": s.variable.label, "kind": s.variable.kind}
            for s in state.suggestions[:_MOST_SHOWN]
        ],
        "limit": state.limit,
        "filters": state.filters.given,
        "kinds": session.options["kinds"],
        "sources": session.options["sources"][:_MOST_SHOWN],
        "categories": session.options["categories"],
        "segments": [
            {"id": s.id, "name": s.name} if named else {"id": s.id}
            for s in (cut.segments if cut else ())
        ],
        "size_rule": {
            "n_segments": state.n_segments,
            "min_share": state.min_share,
            "max_share": state.max_share,
        },
    }
