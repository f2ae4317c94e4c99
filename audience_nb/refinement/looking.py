"""Looking closer: two segments side by side, why a variable was suggested, what a segment is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audience_nb.conversation import Explain
from audience_nb.errors import InvalidInput, NotFound, WrongStep

if TYPE_CHECKING:
    from audience_nb.segments import Segment
    from audience_nb.segments.profile import Trait
    from audience_nb.verbs import Verbs

__all__ = ["compare", "comparison_values", "explain", "explanation_values"]

# Rows of a comparison that are drawn, and those that are told.
_MOST_ROWS, _TOLD = 12, 3
# Cohen's small effect: below it two segments are alike.
_ALIKE = 0.2


def compare(session: Verbs, segments: Sequence[int]) -> dict[str, Any]:
    """Set two segments side by side, and say what sets them apart.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    segments : sequence of int
        Two ids.

    Returns
    -------
    dict
        As `comparison_values` gives it.

    Raises
    ------
    InvalidInput
        If they are not two.
    NotFound
        If there is no such segment.
    WrongStep
        If there are no segments yet.
    """
    cut = session.segmentation
    if cut is None:
        raise WrongStep("There are no segments yet.", "Build segments first.")
    if len(set(segments)) != 2:
        raise InvalidInput(f"{len(set(segments))} segments are named.", "Name two to compare.")
    for id in segments:
        cut.segment(id)
    session.look(compared=tuple(segments))
    values = comparison_values(session)
    assert values is not None
    first, second = values["segments"]
    apart = [r for r in values["rows"] if abs(r["difference"]) >= _ALIKE]
    told = [f"{row['label']}: {row['texts'][0]} against {row['texts'][1]}" for row in apart[:_TOLD]]
    session.reply(
        f"“{first['name']}” ({_size(first)}) and “{second['name']}” ({_size(second)}) "
        + (f"differ most in: {'; '.join(told)}." if told else "are alike in every variable.")
    )
    return values


def comparison_values(session: Verbs) -> dict[str, Any] | None:
    """Give the comparison that was asked for last, as a view draws it.

    Parameters
    ----------
    session : Verbs
        Any.

    Returns
    -------
    dict or None
        `segments`: id, name, size and share of the two. `rows`, those that set them apart most
        first: `code`, `label`, `level`, `values` of the two and `base` (medians or shares),
        `texts` of the two, `indexes`, `effects` against the base, `difference` of the effects.
    """
    cut = session.segmentation
    ids = session.state.compared
    if cut is None or len(ids) != 2:
        return None
    one, other = (cut.segment(i) for i in ids)
    against = {(t.code, t.level): t for t in other.profile}
    rows = []
    for trait in one.profile:
        match = against.get((trait.code, trait.level))
        if match is None or trait.value is None or match.value is None:
            continue
        rows.append(
            {
                "code": trait.code,
                "label": trait.label + (f": {trait.level}" if trait.level else ""),
                "level": trait.level,
                "measure": trait.measure,
                "values": [_plain(trait.value), _plain(match.value)],
                "texts": [_text(trait), _text(match)],
                "base": _plain(trait.base),
                "indexes": [_index(trait), _index(match)],
                "effects": [round(float(trait.effect), 3), round(float(match.effect), 3)],
                "difference": round(float(trait.effect - match.effect), 3),
            }
        )
    rows.sort(key=lambda r: (-abs(r["difference"]), r["code"], r["level"]))
    return {"segments": [_head(one), _head(other)], "rows": rows[:_MOST_ROWS]}


def explain(session: Verbs, action: Explain) -> dict[str, Any]:
    """Say why a variable was suggested, what a segment is, or how the answer came about.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Explain
        What to explain.

    Returns
    -------
    dict
        As `explanation_values` gives it.

    Raises
    ------
    NotFound
        If there is no such suggestion or segment.
    WrongStep
        If nothing was asked or built yet.
    """
    if action.segment is not None:
        cut = session.segmentation
        if cut is None:
            raise WrongStep("There are no segments yet.", "Build segments first.")
        cut.segment(action.segment)
        session.look(explained=action.segment)
    elif action.code:
        if action.code not in {s.variable.code for s in session.state.suggestions}:
            raise NotFound(
                f"{action.code[:60]!r} is not among the {len(session.state.suggestions)} "
                "suggestions.",
                "Name one that is.",
            )
        session.look(explained=action.code)
    elif not session.state.suggestions:
        raise WrongStep("There is nothing to explain yet.", "Ask for an audience first.")
    else:
        session.look(explained="")
    values = explanation_values(session)
    assert values is not None
    session.reply(values["text"])
    return values


def explanation_values(session: Verbs) -> dict[str, Any] | None:
    """Give the explanation that was asked for last, as a view draws it.

    Parameters
    ----------
    session : Verbs
        Any.

    Returns
    -------
    dict or None
        `of`: "suggestion", "segment" or "answer"; `text`; and for a suggestion `code`, `label`,
        `rank`, `score`, `parts` and `why`, for a segment `id`, `name`, `size`, `share` and
        `traits` (label, text, index, effect).
    """
    state = session.state
    if state.explained is None:
        return None
    if isinstance(state.explained, int):
        cut = session.segmentation
        if cut is None:
            return None
        found = cut.segment(state.explained)
        traits = [
            {"label": t.label, "text": t.text, "index": _index(t), "effect": round(t.effect, 3)}
            for t in found.traits
        ]
        return {
            "of": "segment",
            "text": f"“{found.name}”: {found.description}",
            **_head(found),
            "traits": traits,
        }
    if state.explained == "":
        return {"of": "answer", "text": _answer(session)} if state.suggestions else None
    code = state.explained
    s = next((s for s in state.suggestions if s.variable.code == code), None)
    if s is None:
        return None
    parts = sorted(s.parts.items(), key=lambda p: -p[1])
    shares = ", ".join(f"{name} {value:.2f}" for name, value in parts if value >= 0.005)
    text = (
        f"“{s.variable.label}” is number {s.rank} of {len(state.suggestions)} with a score of "
        f"{s.score:.2f} ({shares})."
    )
    return {
        "of": "suggestion",
        "text": f"{text} {s.why}".strip(),
        "code": code,
        "label": s.variable.label,
        "rank": s.rank,
        "score": round(float(s.score), 4),
        "parts": {name: round(float(part), 4) for name, part in s.parts.items()},
        "why": s.why,
    }


def _answer(session: Verbs) -> str:
    state = session.state
    top = state.suggestions[0]
    told = [f"“{state.query}” was compared with {len(session.catalog):,} variables."]
    read = state.understood
    if read is not None and read.concepts:
        told.append("Read as: " + "; ".join(f"{n} = {m}" for n, m in read.concepts[:3]) + ".")
    if read is not None and read.intents:
        told.append("Looked first for " + ", ".join(kind for kind, _ in read.intents) + ".")
    if state.filters:
        told.append(f"Filters: {state.filters}.")
    told.append(f"First comes “{top.variable.label}”: {top.why}")
    return " ".join(told)


def _head(segment: Segment) -> dict[str, Any]:
    return {
        "id": int(segment.id),
        "name": segment.name,
        "size": int(segment.size),
        "share": float(segment.share),
    }


def _size(head: dict[str, Any]) -> str:
    return f"{head['size']:,} records, {head['share']:.1%}"


def _plain(value: Any) -> Any:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else (None if value is None else str(value))
    )


def _text(trait: Trait) -> str:
    if trait.measure == "share" and isinstance(trait.value, int | float):
        return f"{trait.value:.0%}"
    return f"{trait.value:,.6g}" if isinstance(trait.value, int | float) else str(trait.value)


def _index(trait: Trait) -> int | None:
    return None if trait.index is None else round(float(trait.index))
