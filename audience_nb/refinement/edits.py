"""Edits of the answer: add, drop, keep, filter, longer and shorter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audience_nb.conversation import Add, Drop, Filter, Keep, Limit
from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.refinement.words import listed

if TYPE_CHECKING:
    from audience_nb.search import Suggestion
    from audience_nb.verbs import Verbs

__all__ = ["add", "drop", "keep", "limit", "narrow"]

# Variables that "add cycling" brings.
ADDED = 4
# Suggestions that "more" brings, the share that "fewer" takes; the longest list anybody reads.
MORE, FEWER, LONGEST = 10, 1 / 3, 200


def add(session: Verbs, action: Add) -> None:
    """Bring variables into the suggestions, and say which.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Add
        What to bring.
    """
    _require_question(session)
    state = session.state
    index = session.answering_index
    have = {s.variable.code for s in state.suggestions}
    topics = [action.topic] if action.topic else []
    for code in action.codes:
        # Its own best match: a label finds its variable.
        topics.append(session.catalog[code].label)
    found: list[Suggestion] = []
    there: list[str] = []
    for topic in topics:
        about = index.about(topic, sorted(have))
        there += [code for code in about if code not in there]
        found += _found(session, topic, have | {s.variable.code for s in found})
    excluded = _still_excluded(session, topics, [s.variable.code for s in found] + there)
    if found:
        codes = [s.variable.code for s in found]
        edits = session.state.edits.without(*codes)
        session.change(
            "the refinement",
            edits=replace(edits, added=(*edits.added, *codes), excluded=excluded),
        )
        _keep(session, [*session.state.suggestions, *found], codes)
        session.reply(f"Added {listed([s.variable.label for s in found])}.")
        return
    if there:
        missing = [c for c in there if c not in state.selected]
        labels = listed([session.catalog[code].label for code in there])
        session.change(
            "the refinement",
            selected=tuple(dict.fromkeys([*state.selected, *missing])),
            edits=replace(state.edits, excluded=excluded),
        )
        session.reply(f"Already among the suggestions: {labels}.")
        return
    session.reply(
        f"Nothing new in the catalogue is about “{action.topic or topics[0]}”. Try other words."
    )


def _found(session: Verbs, topic: str, have: set[str]) -> list[Suggestion]:
    index = session.answering_index
    measures = {s.variable.measure for s in session.state.suggestions}
    found = [
        s
        for s in index.search(topic, limit=3 * ADDED, data_type=session.state.data_type)
        if s.variable.code not in have and s.variable.measure not in measures
    ]
    # Its own label or code names a variable and nothing else.
    named = [s for s in found if topic.casefold() in (s.variable.code.casefold(),
                                                      s.variable.label.casefold())]  # fmt: skip
    if named:
        return named[:1]
    # A search always has a next best; only what is about the topic was asked for.
    about = set(index.about(topic, [s.variable.code for s in found]))
    return [s for s in found if s.variable.code in about][:ADDED]


def _still_excluded(session: Verbs, topics: Iterable[str], codes: Sequence[str]) -> tuple[str, ...]:
    """Give the topics that stay out, after some were asked for again."""
    wanted = {topic.casefold() for topic in topics}
    index = session.answering_index
    return tuple(
        topic
        for topic in session.state.edits.excluded
        if topic.casefold() not in wanted and not index.about(topic, codes)
    )


def drop(session: Verbs, action: Drop) -> None:
    """Take variables out of the suggestions, keep their topic out, and say which.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Drop
        What to take out.
    """
    _require_question(session)
    state = session.state
    ticked = [c for c in state.selected if c not in {s.variable.code for s in state.suggestions}]
    listed_codes = [*(s.variable.code for s in state.suggestions), *ticked]
    gone = {code for code in action.codes if code in listed_codes}
    if action.topic:
        named = [c for c in listed_codes if action.topic.casefold() in (
            c.casefold(), session.catalog[c].label.casefold())]  # fmt: skip
        gone |= set(named or session.answering_index.about(action.topic, listed_codes))
        if not named:
            edits = state.edits
            excluded = tuple(dict.fromkeys([*edits.excluded, action.topic]))
            session.change("the refinement", edits=replace(edits, excluded=excluded))
    if not gone:
        what = f"“{action.topic}”" if action.topic else "that"
        session.reply(f"None of the suggestions is about {what}; none will come in.")
        return
    labels = [session.catalog[c].label for c in listed_codes if c in gone]
    _leave(session, gone)
    session.reply(f"Dropped {listed(labels)}.")


def keep(session: Verbs, action: Keep) -> None:
    """Keep only the suggestions about some topics.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Keep
        The topics.

    Raises
    ------
    NotFound
        If none of the suggestions is about any of them.
    """
    _require_question(session)
    codes = [s.variable.code for s in session.state.suggestions]
    kept: set[str] = set()
    for topic in action.topics:
        kept |= set(session.answering_index.about(topic, codes))
    told = " or ".join(f"“{topic}”" for topic in action.topics)
    if not kept:
        raise NotFound(
            f"None of the {len(codes)} suggestions is about {told}.",
            "Add it, or ask for it anew.",
        )
    gone = {code for code in codes if code not in kept}
    if gone:
        _leave(session, gone)
    session.reply(f"Kept {len(kept)} of {len(codes)} suggestions.")


def narrow(session: Verbs, action: Filter) -> None:
    """Filter the answer.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Filter
        Which variables may answer.

    Raises
    ------
    NotFound
        If nothing that fits passes.
    """
    from audience_nb.question import Filters

    state = session.state
    given: dict[str, Any] = {} if action.mode == "off" else dict(state.filters.given)
    for name in ("kinds", "sources", "categories", "availability"):
        values = list(getattr(action, name))
        if not values or action.mode == "off":
            continue
        if action.mode == "without":
            there = given.get(name) or session.options[name]
            values = [value for value in there if value not in values]
            if not values:
                raise InvalidInput(
                    f"Without {', '.join(getattr(action, name))} no variable is left.",
                    "Leave one kind or source in.",
                )
        given[name] = values
    filters = Filters.of(session.catalog, **given)
    if filters == state.filters:
        session.reply("There are no filters." if not filters else "The filters are as they were.")
        return
    if state.query is None:
        session.change("the filters", filters=filters)
        session.reply(f"The next question is answered from these only: {filters}."
                      if filters else "The filters are off.")  # fmt: skip
        return
    found = session.ask(state.query, limit=state.limit, intents=state.intents, **given)
    if not found:
        raise NotFound(
            f"No variable that fits the question is left within the filters ({filters}).",
            "The list stays as it was. Take other filters, or none.",
        )


def limit(session: Verbs, action: Limit) -> None:
    """Make the list of suggestions longer or shorter.

    Parameters
    ----------
    session : Verbs
        Inside a step.
    action : Limit
        How long.
    """
    _require_question(session)
    state = session.state
    now = len(state.suggestions) or state.limit
    if action.change == "more":
        wanted = max(state.limit, now) + (action.count or MORE)
    elif action.change == "fewer":
        wanted = now - (action.count or max(1, round(now * FEWER)))
    else:
        wanted = action.count or state.limit
    wanted = min(max(wanted, 1), LONGEST)
    before = {s.variable.code for s in state.suggestions}
    assert state.query is not None
    given: dict[str, Any] = state.filters.given
    session.ask(state.query, limit=wanted, intents=state.intents, **given)
    after = session.state.suggestions
    new = [s for s in after if s.variable.code not in before]
    if action.change == "more" and not new:
        session.reply("The catalogue has nothing more that fits.")


def _require_question(session: Verbs) -> None:
    if session.state.query is None:
        raise WrongStep("Nothing was asked yet.", "Describe the audience first.")


def _leave(session: Verbs, codes: set[str]) -> None:
    edits = session.state.edits.without(*codes)
    suggested = [s.variable.code for s in session.state.suggestions]
    dropped = tuple(c for c in suggested if c in codes)
    session.change("the refinement", edits=replace(edits, dropped=(*edits.dropped, *dropped)))
    _keep(session, [s for s in session.state.suggestions if s.variable.code not in codes], [])
    selected = tuple(c for c in session.state.selected if c not in codes)
    session.change("the refinement", selected=selected)


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
