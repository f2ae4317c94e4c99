"""Asking back: a question with what can be answered, each answer something that can be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audience_nb.conversation import (
    Action,
    Add,
    Bound,
    Build,
    Clarify,
    Compare,
    Drop,
    Explain,
    Export,
    Filter,
    Keep,
    Pick,
    Rename,
)
from audience_nb.errors import AudienceError
from audience_nb.refinement.looking import explain
from audience_nb.refinement.sizing import OutOfReach
from audience_nb.snapshot import Message

if TYPE_CHECKING:
    from audience_nb.verbs import Verbs

__all__ = ["ask_back", "help_text", "options_after"]

_MOST_OPTIONS = 6
_EXAMPLES = (
    "people who cycle to work and rent their home",
    "drop income, add cycling",
    "only social values",
    "8 segments, none above 15 %",
    "build",
    "compare segments 1 and 2",
)
# What a verb that needs consent says when it is said.
_CONSENT = {
    "export": ("export", "Shall the audience be written to a file?"),
    "choose": ("use {value} data", "Shall the data type change?"),
    "start_over": ("start over", "Shall everything begin anew?"),
}


def help_text(session: Verbs) -> str:
    """Say what can be said.

    Parameters
    ----------
    session : Verbs
        Any.

    Returns
    -------
    str
        In one paragraph.
    """
    return (
        "Describe the audience in your own words, English or French. Then edit the answer (“drop "
        "income, add cycling”, “only social values”, “exclude religion”, “20 suggestions”), set "
        "sizes (“8 segments, none above 15 %”, “between 40 and 80 people each”), “build”, name, "
        "merge, compare or explain segments (“rename segment 2 to Commuters”, “merge 2 and 5 into "
        "an audience”), “export as plan.csv”, “undo”, “redo” or “start over”."
    )


def ask_back(session: Verbs, action: Clarify) -> None:
    """Ask for what a message left open.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Clarify
        What is open.
    """
    verb, value = action.verb, action.value
    options: list[str] = []
    match action.missing:
        case "segment":
            text = f"Which segment is to be {_past(verb)}?"
            if not _segments(session):
                text = f"There are no segments to {verb} yet. Shall they be built?"
                options = ["build"]
            elif verb == "explain":
                options = [f"explain segment {i}" for i, _ in _segments(session)]
            elif value:
                options = [f"rename segment {i} to “{value}”" for i, _ in _segments(session)]
            else:
                names = ", ".join(f"{i} “{name}”" for i, name in _segments(session))
                text += f" There are {names}. Say such as “rename segment 1 to Commuters”."
        case "segments":
            ids = [i for i, _ in _segments(session)]
            text = f"Which {'two ' if verb == 'compare' else ''}segments are to be {_past(verb)}?"
            if len(ids) < 2:
                text = f"There are not two segments to {verb} yet. Shall they be built?"
                options = ["build"]
            else:
                pairs = [(a, b) for a in ids[:3] for b in ids[:4] if a < b]
                options = [f"{verb} segments {a} and {b}" for a, b in pairs]
        case "name":
            text = f"What shall segment {value or 'it'} be called? Say “rename segment "
            text += f"{value or '1'} to …”."
        case "number":
            text = f"Is “{value}” the number of segments, of suggestions, or a size?"
            if value.isdigit():
                options = [f"{value} segments", f"{value} suggestions", f"none above {value} %"]
            else:
                text = f"“{value}” is no size that segments can have. How many, or how large?"
                options = ["8 segments", "none above 15 %"]
        case "unit":
            text = f"“{value}”: percent of the records, or people?"
            options = [f"{value} %", f"{value} people"]
        case "topic":
            text = f"What shall be {_past(verb)}? Name a topic, or a variable of the list."
            if verb == "drop" and value in ("all", "everything", "tout", "toutes", "tous"):
                options = ["start over"]
            elif verb == "drop":
                labels = [s.variable.label for s in session.state.suggestions[:3]]
                options = [f"drop “{label}”" for label in labels]
        case "suggestion":
            if _explained(session, value):
                return
            text = f"Nothing in the list is about “{value}”, so there is nothing to explain."
            labels = [s.variable.label for s in session.state.suggestions[:3]]
            options = [f"explain “{label}”" for label in labels] + [f"add {value}"]
        case "consent":
            if verb == "distribute":
                text = (
                    "Nothing is sent from here. Export a file, or call `session.distribute(…)`, "
                    "which shows first what would leave."
                )
                options = ["export"]
            else:
                say, text = _CONSENT[verb]
                options = [say.format(value=value.replace("_", " ")), "no"]
    session.messages.append(Message("assistant", text, options=options[:_MOST_OPTIONS]))


def _explained(session: Verbs, topic: str) -> bool:
    """Explain the suggestion that a topic means, in whatever words."""
    codes = [s.variable.code for s in session.state.suggestions]
    about = session.answering_index.about(topic, codes) if topic and codes else []
    if not about:
        return False
    explain(session, Explain(about[0]))
    return True


def options_after(session: Verbs, action: Action, error: AudienceError) -> list[str]:
    """Give what can be said instead of what failed.

    Parameters
    ----------
    session : Verbs
        As it stands.
    action : Action
        What failed.
    error : AudienceError
        Why.

    Returns
    -------
    list of str
    """
    ids = [i for i, _ in _segments(session)]
    if isinstance(error, OutOfReach):
        return error.options
    if not ids and isinstance(action, Rename | Compare | Pick | Explain | Export):
        return ["build"] if session.state.selected else []
    options: list[str] = []
    match action:
        case Rename(_, name):
            options = [f"rename segment {i} to “{name}”" for i in ids]
        case Compare():
            options = [f"compare segments {a} and {b}" for a in ids[:3] for b in ids[:4] if a < b]
        case Pick():
            options = [f"pick segment {i}" for i in ids]
        case Explain():
            options = [f"explain segment {i}" for i in ids]
        case Keep(topics):
            options = [*(f"add {topic}" for topic in topics), " and ".join(topics)]
        case Filter():
            options = ["clear the filters"] if session.state.filters else []
        case Build() | Bound():
            options = ["automatic number of segments"]
        case Add() | Drop() if session.state.query is None:
            options = list(_EXAMPLES[:1])
    return options[:_MOST_OPTIONS]


def _segments(session: Verbs) -> list[tuple[int, str]]:
    cut = session.segmentation
    return [(s.id, s.name) for s in cut.segments] if cut else []


def _past(verb: str) -> str:
    return {"rename": "renamed", "explain": "explained", "compare": "compared", "merge": "merged",
            "drop": "dropped", "add": "added"}.get(verb, verb)  # fmt: skip
