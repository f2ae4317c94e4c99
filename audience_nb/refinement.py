"""Refining suggestions: typed actions applied to a session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from audience_nb import conversation
from audience_nb.catalog import Kind

if TYPE_CHECKING:
    from audience_nb.search import Suggestion
    from audience_nb.verbs import Verbs

__all__ = ["apply"]

# Variables that "add cycling" brings.
ADDED = 4


def apply(session: Verbs, actions: Iterable[conversation.Action]) -> None:
    """Do typed actions, in order, and say what changed.

    Parameters
    ----------
    session : Verbs
        Inside one of its steps.
    actions : iterable of Action
        As `conversation.parse` gives them.
    """
    added: list[str] = []
    dropped: list[str] = []
    for action in actions:
        match action:
            case conversation.Ask(text):
                session.ask(text, limit=session.state.limit)
            case conversation.Undo():
                session.undo()
            case conversation.Add(topic):
                added += _add(session, topic)
            case conversation.Drop(topic):
                dropped += _drop(session, topic)
            case conversation.Only(kind):
                dropped += _only(session, kind)
            case conversation.Bound(n, least, most):
                _bound(session, n, least, most)
    if added or dropped:
        session.change("the refinement")
        told = [f"Added {_listed(added)}."] if added else []
        told += [f"Dropped {_listed(dropped)}."] if dropped else []
        session.reply(" ".join(told))


def _add(session: Verbs, topic: str) -> list[str]:
    have = {s.variable.code for s in session.state.suggestions}
    measures = {s.variable.measure for s in session.state.suggestions}
    index = session.answering_index
    found = [
        s
        for s in index.search(topic, limit=3 * ADDED, data_type=session.state.data_type)
        if s.variable.code not in have and s.variable.measure not in measures
    ]
    # A search always has a next best; only what is about the topic was asked for.
    about = set(index.about(topic, [s.variable.code for s in found]))
    found = [s for s in found if s.variable.code in about][:ADDED]
    if not found:
        session.reply(f"Nothing new in the catalogue is about “{topic}”.")
        return []
    codes = [s.variable.code for s in found]
    edits = session.state.edits.without(*codes)
    session.change("the refinement", edits=replace(edits, added=(*edits.added, *codes)))
    _keep(session, [*session.state.suggestions, *found], codes)
    return [s.variable.label for s in found]


def _drop(session: Verbs, topic: str) -> list[str]:
    suggested = [s.variable.code for s in session.state.suggestions]
    codes = session.answering_index.about(topic, suggested)
    if not codes:
        session.reply(f"None of the suggestions is about “{topic}”.")
        return []
    return _leave(session, [s for s in session.state.suggestions if s.variable.code in codes])


def _only(session: Verbs, kind: Kind) -> list[str]:
    others = [s for s in session.state.suggestions if s.variable.kind != kind]
    if len(others) == len(session.state.suggestions):
        session.reply(f"None of the suggestions is {kind}.")
        return []
    return _leave(session, others)


def _leave(session: Verbs, gone: Sequence[Suggestion]) -> list[str]:
    codes = {s.variable.code for s in gone}
    edits = session.state.edits.without(*codes)
    dropped = tuple(s.variable.code for s in gone)
    session.change("the refinement", edits=replace(edits, dropped=(*edits.dropped, *dropped)))
    _keep(session, [s for s in session.state.suggestions if s.variable.code not in codes], [])
    return [s.variable.label for s in gone]


def _keep(session: Verbs, suggestions: Sequence[Suggestion], ticked: Sequence[str]) -> None:
    ranked = tuple(replace(s, rank=i) for i, s in enumerate(suggestions, start=1))
    gone = {s.variable.code for s in session.state.suggestions} - {
        s.variable.code for s in suggestions
    }
    selected = [c for c in session.state.selected if c not in gone]
    session.discard("confirmed", "frame", "segmentation")
    session.change(
        "the refinement",
        suggestions=ranked,
        selected=tuple(dict.fromkeys([*selected, *ticked])),
    )


def _bound(session: Verbs, n: int | None, least: float | None, most: float | None) -> None:
    state = session.state
    n_segments = state.n_segments if n is None else n
    min_share = state.min_share if least is None else least
    max_share = state.max_share if most is None else most
    if n is not None:
        # A number outside today's bounds asks for other bounds.
        if most is None and n * max_share < 1:
            max_share = min(1.0, round(1.5 / n, 2))
        if least is None and n * min_share > 1:
            min_share = round(0.5 / n, 3)
    session.change("the size rule", n_segments=n_segments, min_share=min_share, max_share=max_share)
    if state.segmentation is not None:
        session.build(n_segments, min_share, max_share)
    else:
        number = "a number of segments that fits" if n_segments == "auto" else n_segments
        session.reply(
            f"The next build makes {number} segments of {min_share:.1%} to {max_share:.1%}."
            if n_segments != "auto"
            else f"The next build makes {number}, each of {min_share:.1%} to {max_share:.1%}."
        )


def _listed(labels: Sequence[str]) -> str:
    shown = "; ".join(labels[:4])
    return shown if len(labels) <= 4 else f"{shown}; and {len(labels) - 4} more"
