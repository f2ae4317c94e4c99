"""From a message to typed actions, by a grammar that works offline."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from audience_nb.conversation.actions import Action, Ask, Bound, Build, Help, Nothing
from audience_nb.conversation.compound import Compound
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import pattern
from audience_nb.conversation.line import MOST_LETTERS, Line
from audience_nb.conversation.sizes import merged

__all__ = ["parse"]

_YES = re.compile(
    r"(?:yes|yeah|yep|yup|oui|ouais|sure|ok|okay|please do|do it|do that|go ahead|vas y|d' accord|"
    r"agreed|fine|that works|why not|pourquoi pas|bien sur|of course)(?: (?:please|thanks|merci|"
    r"svp|"
    r"do(?: it| that)?|go ahead|that(?: one)?|,|!|\.))*"
)
_NO = re.compile(
    r"(?:no|non|nope|neither|none(?: of (?:them|these))?|aucune?|ni l' un ni l' autre|cancel|"
    r"never ?mind|nevermind|laisse tomber)(?: (?:thanks|merci|,|!|\.|thank you))*"
)
_CHOICE = re.compile(
    r"(?:(?:i(?:'ll| will)? (?:take|choose|pick|want|go with)|take|choose|pick|go with|do|use|the|"
    r"option|number|je (?:prends|choisis|veux)|prends|la|le|l'|l' option|please|choix) )*"
    r"(?P<n>\d+|first|second|third|fourth|1st|2nd|3rd|4th|premiere?|deuxieme|seconde?|troisieme|"
    r"last|"
    r"derniere?|former|latter|a|b|c)(?: (?:one|option|please|svp|thanks|merci|choice|,|!|\.))*"
)
_PLACES = {
    word: place
    for place, words in enumerate(
        (
            "first 1st premier premiere former a",
            "second 2nd deuxieme seconde b",
            "third 3rd troisieme c",
            "fourth 4th quatrieme",
        ),
        start=1,
    )
    for word in words.split()
}
# "8 segments of people who ski": a verb of making tells it from "2 groups of children".
_SEGMENTS_OF = re.compile(
    pattern(
        r"(?:(?:please|can you|could you|i want(?: you to)?|i need|i'd like|je veux|je voudrais|to|"
        r"find me|find) )*(?:build|make|create|cut|give me|get me|form|generate|construis|cree|"
        r"fais|"
        r"donne moi|split)(?: me)? (?P<n>\d+) (?:segments|groups|groupes) "
        r"(?:of|for|from|de|d'|pour|with) (?P<ask>\D+)"
    )
)


def parse(message: str, context: Context | None = None) -> list[Action]:
    """Read a message as actions.

    Parameters
    ----------
    message : str
        What a person typed, in English or French.
    context : Context, optional
        How the session stands; by default something was asked and there are no segments.

    Returns
    -------
    list of Action
        In the order to be done, at least one. A message that orders nothing is one `Ask` with the
        whole text; one that orders what is unclear has a `Clarify`.

    Examples
    --------
    >>> parse("drop income, add cycling")
    [Drop(topic='income', codes=()), Add(topic='cycling', codes=())]
    >>> parse("make it 8 segments, none above 15 %")[0].max_share
    0.15
    >>> parse("people who drop table tennis")
    [Ask(text='people who drop table tennis')]
    """
    context = Context() if context is None else context
    if len(message.strip()) > MOST_LETTERS:
        return [Ask(message)]
    line = Line(message.strip())
    if context.choices and (chosen := _chosen(line, context)) is not None:
        return chosen
    found = Compound(line, context).actions if len(line) else None
    if found is None and (split := _SEGMENTS_OF.fullmatch(line.words)) is not None:
        ask = line.group(split, "ask")
        found = None if ask is None else (Ask(ask.written), Bound(int(split["n"])), Build())
    return _ordered(found) if found else [Ask(message)]


def _chosen(line: Line, context: Context) -> list[Action] | None:
    """Read an answer to a question that was asked back; None if it is something else."""
    place = None
    if _NO.fullmatch(line.words):
        return [Nothing()]
    if _YES.fullmatch(line.words):
        place = 1
    elif (match := _CHOICE.fullmatch(line.words)) is not None:
        word = match["n"]
        if word in ("last", "dernier", "derniere", "latter"):
            place = len(context.choices)
        else:
            place = int(word) if word.isdigit() else _PLACES.get(word)
    elif 1 <= len(line) <= 3:
        # "percent" says which, where only one of them speaks of it.
        words = set(line.words.split())
        said = [set(Line(choice).words.split()) for choice in context.choices]
        fitting = [i for i, choice in enumerate(said, start=1) if words <= choice]
        place = fitting[0] if len(fitting) == 1 else None
    if place is None or not 1 <= place <= len(context.choices):
        return None
    return parse(context.choices[place - 1], replace(context, choices=()))


def _ordered(actions: Iterable[Action]) -> list[Action]:
    """Join sizes and filters, and leave politeness out where something is ordered."""
    found = list(actions)
    kept: list[Action] = [a for a in found if not isinstance(a, Nothing | Help)]
    return merged(kept or found[:1])
