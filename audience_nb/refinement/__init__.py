"""Doing what a message says: typed actions applied to a session, and the reply to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    to_dict,
)
from audience_nb.errors import AudienceError, Cancelled, InvalidInput
from audience_nb.refinement.difference import difference
from audience_nb.refinement.edits import add, drop, keep, limit, narrow
from audience_nb.refinement.looking import compare, comparison_values, explain, explanation_values
from audience_nb.refinement.questions import ask_back, help_text, options_after
from audience_nb.refinement.sizing import bound, share_of, shares_of
from audience_nb.refinement.standing import context_of, shown_to_model
from audience_nb.refinement.words import in_words
from audience_nb.snapshot import Message, checked_arguments

if TYPE_CHECKING:
    from audience_nb.verbs import Verbs

__all__ = [
    "compare",
    "comparison_values",
    "context_of",
    "converse",
    "explain",
    "explanation_values",
    "share_of",
    "shares_of",
    "shown_to_model",
]


def converse(
    session: Verbs, actions: Sequence[Action], note: str = "", read_by: str = "grammar"
) -> None:
    """Do typed actions in order, and reply: what was understood, what changed, how to go back.

    What fails is taken back and said; what was done before it holds.

    Parameters
    ----------
    session : Verbs
        Inside one of its steps.
    actions : sequence of Action
        Of one message.
    note : str, optional
        What to say first, such as why a language model was not heeded.
    read_by : str, optional
        What read the message.

    Raises
    ------
    AudienceError
        If the message is nothing but a question, and that fails.
    Cancelled
        If the user stopped it; nothing of the message is done.
    """
    before, said = session.state, len(session.messages)
    failures: list[Message] = []
    done: list[Action] = []
    for place, action in enumerate(actions):
        try:
            with session.one_step():
                _do(session, action, actions[place + 1 :])
            done.append(action)
        except Cancelled:
            raise
        except AudienceError as error:
            if len(actions) == 1 and isinstance(action, Ask):
                raise
            options = options_after(session, action, error)
            failures.append(Message("error", error.fact, error.next_move, options=options))
    replies = session.messages[said:]
    del session.messages[said:]
    options = [option for message in replies for option in message.options]
    texts = [note] if note else []
    understood = [in_words(a, session) for a in done if not isinstance(a, Clarify | Nothing | Help)]
    if understood:
        texts.append(f"Understood: {'; '.join(understood)}.")
    texts += [message.text for message in replies if message.text]
    changes = difference(before, session.state, session.catalog)
    going_back = any(isinstance(a, Undo | Redo) for a in actions)
    if changes and not going_back:
        if len(done) > 1:
            session.change("what you said last")
        texts.append(f"“undo” takes back {session.under_way}.")
    elif going_back and session.redoable:
        texts.append("“redo” brings it back.")
    if texts:
        session.messages.append(
            Message(
                "assistant",
                " ".join(texts),
                options=options[:6],
                actions=[to_dict(a) for a in actions],
                changes=changes,
                read_by=read_by,
            )
        )
    session.messages.extend(failures)


def _do(session: Verbs, action: Action, later: Sequence[Action]) -> None:
    state = session.state
    match action:
        case Ask(text):
            fresh: dict[str, Any] = state.filters.given if state.query is None else {}
            session.ask(text, limit=state.limit, **fresh)
        case Add():
            add(session, action)
        case Drop():
            drop(session, action)
        case Keep():
            keep(session, action)
        case Filter():
            narrow(session, action)
        case Limit():
            limit(session, action)
        case Choose(data_type, subtype):
            session.choose(data_type, subtype)
        case Bound():
            bound(session, action)
            if state.segmentation is not None and not any(isinstance(a, Build) for a in later):
                session.build()
        case Build():
            session.build()
        case Rename(segment, name):
            old = session.name_of_segment(segment)
            session.rename(segment, name)
            session.reply(f"Segment {segment}, “{old}”, is now “{name}”.")
        case Pick():
            _pick(session, action)
        case Compare(segments):
            compare(session, segments)
        case Explain():
            explain(session, action)
        case Export(name):
            session.export(**checked_arguments("export", {"name": name} if name else {}))
        case Undo(steps):
            for _ in range(steps if steps == 1 else min(steps, session.n_undoable) or 1):
                session.undo()
        case Redo(steps):
            for _ in range(steps if steps == 1 else min(steps, session.n_redoable) or 1):
                session.redo()
        case StartOver():
            session.restart()
        case Help():
            session.reply(help_text(session))
        case Nothing():
            session.reply("All stays as it is.")
        case Clarify():
            ask_back(session, action)


def _pick(session: Verbs, action: Pick) -> None:
    picked = session.state.picked
    everyone = [int(s.key) for s in context_of(session).segments]
    chosen = list(action.segments)
    if action.mode == "add":
        chosen = [*picked, *chosen]
    elif action.mode == "drop":
        chosen = [i for i in picked or everyone if i not in action.segments]
        if not chosen and everyone:
            raise InvalidInput(
                f"Without {len(action.segments)} of {len(picked or everyone)} segments the "
                "audience is empty.",
                "Leave at least one in.",
            )
    session.pick(chosen, action.name or None)
    cut = session.segmentation
    if cut is not None:
        own = [s for s in cut.segments if not session.state.picked or s.id in session.state.picked]
        size = sum(s.size for s in own)
        names = ", ".join(f"“{s.name}”" for s in own[:4]) + (" …" if len(own) > 4 else "")
        session.reply(
            f"The audience is {len(own)} of {cut.n_segments} segments: {names}; {size:,} records, "
            f"{size / cut.n_records:.1%}."
        )
