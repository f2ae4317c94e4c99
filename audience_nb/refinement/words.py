"""Actions in words: what was understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audience_nb.conversation import (
    Action,
    Add,
    Ask,
    Bound,
    Build,
    Choose,
    Clarify,
    Compare,
    Drop,
    Explain,
    Export,
    Filter,
    Help,
    Keep,
    Limit,
    Nothing,
    Pick,
    Redo,
    Rename,
    StartOver,
    Undo,
)
from audience_nb.policy import rule_of

if TYPE_CHECKING:
    from audience_nb.verbs import Verbs

__all__ = ["bound_in_words", "in_words", "listed", "percent"]

_MOST_LISTED = 4


def listed(labels: list[str]) -> str:
    """Join labels, the first few of many.

    Parameters
    ----------
    labels : list of str
        Any.

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a", "b", "c", "d", "e"])
    'a; b; c; d; and 1 more'
    """
    shown = "; ".join(labels[:_MOST_LISTED])
    more = len(labels) - _MOST_LISTED
    return shown if more <= 0 else f"{shown}; and {more} more"


def percent(share: float) -> str:
    """Write a share as a person says it.

    Parameters
    ----------
    share : float
        In [0, 1].

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.15), percent(0.045)
    ('15 %', '4.5 %')
    """
    return f"{round(100 * share, 2):g} %"


def bound_in_words(rule: Bound) -> str:
    """Say a size rule so that saying it sets it.

    Parameters
    ----------
    rule : Bound
        Any.

    Returns
    -------
    str

    Examples
    --------
    >>> bound_in_words(Bound(8, max_share=0.15))
    '8 segments, none above 15 %'
    """
    parts = []
    if rule.n_segments is not None:
        number = rule.n_segments
        parts.append("automatic number of segments" if number == "auto" else f"{number} segments")
    if rule.min_share is not None and rule.max_share is not None:
        parts.append(f"between {percent(rule.min_share)} and {percent(rule.max_share)} each")
    elif rule.min_share is not None:
        parts.append(f"none below {percent(rule.min_share)}")
    elif rule.max_share is not None:
        parts.append(f"none above {percent(rule.max_share)}")
    if rule.min_size is not None and rule.max_size is not None:
        parts.append(f"between {rule.min_size} and {rule.max_size} people each")
    elif rule.min_size is not None:
        parts.append(f"none below {rule.min_size} people")
    elif rule.max_size is not None:
        parts.append(f"none above {rule.max_size} people")
    return ", ".join(parts)


def in_words(action: Action, session: Verbs) -> str:
    """Say what an action does.

    Parameters
    ----------
    action : Action
        Any.
    session : Verbs
        With the labels and names.

    Returns
    -------
    str
        Beginning with a small letter, without a full stop.
    """
    match action:
        case Ask(text):
            return f"look for “{text[:120]}”"
        case Add(topic, codes):
            return f"add {_named(session, topic, codes)}"
        case Drop(topic, codes):
            return f"drop {_named(session, topic, codes)}"
        case Keep(topics):
            return f"keep only {' or '.join(f'“{t}”' for t in topics)}"
        case Filter():
            return _filter(action)
        case Limit(count, change):
            if change is None:
                return f"{count} suggestions"
            return f"{count or 'some'} {change} suggestions"
        case Choose(data_type, subtype):
            by = "" if subtype is None else f" by {rule_of(data_type).subtype(subtype).title}"
            return f"use {rule_of(data_type).title.lower()}{by}"
        case Bound():
            return bound_in_words(action)
        case Build():
            return "build segments"
        case Rename(segment, name):
            return f"call segment {segment} “{name}”"
        case Pick(segments, mode, name):
            what = _segments(segments) if segments else "all segments"
            called = f" called “{name}”" if name else ""
            if mode == "only":
                return f"make the audience{called} of {what}"
            return f"{'add' if mode == 'add' else 'leave out'} {what}"
        case Compare(segments):
            return f"compare {_segments(segments)}"
        case Explain(code, segment):
            if code and code in session.catalog:
                return f"explain “{session.catalog[code].label}”"
            return "explain the answer" if segment is None else f"explain segment {segment}"
        case Export(name):
            return f"export the audience{f' as “{name}”' if name else ''}"
        case Undo(steps):
            return "undo" if steps == 1 else f"undo {steps} changes"
        case Redo(steps):
            return "redo" if steps == 1 else f"redo {steps} changes"
        case StartOver():
            return "start over"
        case Help() | Nothing() | Clarify():
            return ""


def _segments(ids: tuple[int, ...]) -> str:
    if len(ids) == 1:
        return f"segment {ids[0]}"
    return f"segments {', '.join(map(str, ids[:-1]))} and {ids[-1]}"


def _named(session: Verbs, topic: str, codes: tuple[str, ...]) -> str:
    if topic or not codes:
        return f"“{topic}”"
    labels = [session.catalog[c].label if c in session.catalog else c for c in codes]
    return listed([f"“{label}”" for label in labels])


def _filter(action: Filter) -> str:
    if action.mode == "off":
        return "no filters"
    told = ", ".join([*action.kinds, *action.sources, *action.categories])
    usable = " and ".join(rule_of(t).title.lower() for t in action.availability)
    if usable:
        told = f"{told}, usable with {usable}" if told else f"what may be used with {usable}"
    return f"{'only' if action.mode == 'only' else 'without'} {told}"
