"""A message to typed actions on a session: a grammar that works offline."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from audience_nb.catalog import Kind
from audience_nb.errors import InvalidInput

__all__ = ["Action", "Add", "Ask", "Bound", "Drop", "Only", "Undo", "parse", "plain_text"]


@dataclass(frozen=True, slots=True)
class Ask:
    """Search anew for `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Add:
    """Add variables about `topic` to the suggestions."""

    topic: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Take variables about `topic` from the suggestions."""

    topic: str


@dataclass(frozen=True, slots=True)
class Only:
    """Keep only suggestions of one kind."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Bound:
    """Set the number of segments or their smallest and largest share."""

    n_segments: int | None = None
    min_share: float | None = None
    max_share: float | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last change back."""


Action = Ask | Add | Drop | Only | Bound | Undo

_ADD = r"(?:add|include|also|plus|bring in|more about|ajoute[rz]?|inclu[rst]e?[rz]?)"
_DROP = (
    r"(?:drop|remove|without|exclude|leave out|take out|less about|no more|get rid of|"
    r"retire[rz]?|enl[eè]ve[rz]?|sans|exclu[st]?[re]?[rz]?)"
)
_FILLER = r"(?:please\s+|can you\s+|could you\s+|and\s+|but\s+|then\s+|et\s+|mais\s+|also\s+)*"
_CLAUSE = re.compile(rf"^{_FILLER}(?P<verb>{_ADD}|{_DROP})\s+(?P<topic>.+)$", re.IGNORECASE)
_SPLIT = re.compile(
    rf"\s*(?:[,;.]+\s*|\s+)(?={_FILLER}(?:{_ADD}|{_DROP})\s)|\s*[,;]\s*(?=\S)", re.IGNORECASE
)
# Words that join clauses, left over where a message was cut before a verb.
_BETWEEN = re.compile(r"(?:^|\s+)(?:please|can you|could you|and|but|then|also|et|mais)\s*$", re.I)
_AROUND = re.compile(
    r"^(?:the|any|all|some|more|le|la|les|l'|du|des|de la)\s*\b|"
    r"\s+(?:variables?|questions?|traits?|stuff|things)$",
    re.IGNORECASE,
)
_UNDO = re.compile(
    r"^\s*(?:undo|take (?:that|it) back|go back|annule[rz]?)\s*[.!]?\s*$", re.IGNORECASE
)
_ONLY = re.compile(
    r"^\s*(?:only|just|seulement|uniquement)\s+(?:the\s+|les\s+)?(?P<kind>[\wéèà ]+?)"
    r"(?:\s+(?:variables?|traits?|ones|questions?|types?))?\s*[.!]?\s*$",
    re.IGNORECASE,
)
_SEGMENTS = re.compile(
    r"\b(?:in(?:to)?\s+|en\s+)?(?P<n>\d{1,3})\s+(?:segments?|groups?|groupes?)\b", re.IGNORECASE
)
_PERCENT = r"(?P<{}>\d{{1,2}}(?:[.,]\d+)?)\s*(?:%|per ?cent|pour ?cent)"
_MOST = re.compile(
    r"\b(?:none (?:above|over|bigger than)|at most|max(?:imum)?|no more than|"
    r"not? (?:above|over)|au plus|pas plus de)\s*" + _PERCENT.format("x"),
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"\b(?:none (?:below|under|smaller than)|at least|min(?:imum)?|no less than|"
    r"not? (?:below|under)|au moins|pas moins de)\s*" + _PERCENT.format("x"),
    re.IGNORECASE,
)
_KINDS: dict[str, Kind] = {
    "demographic": "demographic",
    "démographique": "demographic",
    "behavio": "behavioral",
    "comportement": "behavioral",
    "psychographic": "psychographic",
    "psychographique": "psychographic",
    "value": "psychographic",
    "social value": "psychographic",
    "attitude": "psychographic",
    "valeur": "psychographic",
    "lifestyle": "lifestyle",
    "style": "lifestyle",
}


def parse(message: str) -> list[Action]:
    """Read a message as actions.

    Parameters
    ----------
    message : str
        What a person typed, in English or French.

    Returns
    -------
    list of Action
        In the order said. A message that edits nothing is one `Ask`.

    Examples
    --------
    >>> parse("drop income, add cycling")
    [Drop(topic='income'), Add(topic='cycling')]
    >>> parse("8 segments, none above 15 %")
    [Bound(n_segments=8, min_share=None, max_share=0.15)]
    >>> parse("people who love hiking, camping")
    [Ask(text='people who love hiking, camping')]
    """
    text = message.strip()
    if _UNDO.match(text):
        return [Undo()]
    only = _ONLY.match(text)
    if only and (kind := _kind(only["kind"])):
        return [Only(kind)]
    bound = _bound(text)
    if bound:
        return [bound]
    edits = _edits(text)
    return edits or [Ask(text)]


def _kind(words: str) -> Kind | None:
    words = words.lower().strip()
    return next((kind for stem, kind in _KINDS.items() if words.startswith(stem)), None)


def _bound(text: str) -> Bound | None:
    """Read a message that is about segments' number and size, and about nothing else."""
    n, most, least = _SEGMENTS.search(text), _MOST.search(text), _LEAST.search(text)
    found = [m for m in (n, most, least) if m]
    rest = text
    for match in found:
        rest = rest.replace(match[0], " ")
    spare = re.findall(r"[^\W\d_]{3,}", rest)
    filler = {"make", "want", "cut", "use", "with", "and", "each", "the", "into", "please", "give",
              "split", "them", "segment", "segments", "should", "hold", "have", "avec", "chaque",
              "set", "size", "share", "need", "would", "like", "faire", "que"}  # fmt: skip
    if not found or any(word.lower() not in filler for word in spare):
        return None
    return Bound(
        n_segments=int(n["n"]) if n else None,
        min_share=_share(least["x"]) if least else None,
        max_share=_share(most["x"]) if most else None,
    )


def _share(percent: str) -> float:
    return float(percent.replace(",", ".")) / 100


def _edits(text: str) -> list[Action]:
    """Read "drop a and b, add c"; nothing if the message does not start with an edit."""
    actions: list[Action] = []
    adding: bool | None = None
    for clause in _SPLIT.split(text):
        clause = _BETWEEN.sub("", clause)
        if not clause.strip():
            continue
        match = _CLAUSE.match(clause.strip())
        if match:
            adding = re.fullmatch(_ADD, match["verb"], re.IGNORECASE) is not None
            topics = match["topic"]
        elif adding is None:
            return []
        else:
            topics = clause
        for topic in re.split(r"\s*,\s*|\s+(?:and|et|&)\s+", topics):
            plain = _AROUND.sub("", topic.strip(" .!?\"'"))
            if plain:
                actions.append(Add(plain) if adding else Drop(plain))
    return actions


def plain_text(text: object) -> str:
    r"""Check that a message is text, and take control characters out.

    Parameters
    ----------
    text : str
        What a person typed or pasted.

    Returns
    -------
    str
        Unicode NFC, one line, without leading or trailing space.

    Raises
    ------
    InvalidInput
        If it is no text, or nothing is left of it.

    Examples
    --------
    >>> plain_text(" eco\u200b-minded\n families ")
    'eco-minded  families'
    """
    if not isinstance(text, str):
        raise InvalidInput(f"The text is a {type(text).__name__}.", "Give words.")
    kept = "".join(
        " " if c.isspace() else c
        for c in unicodedata.normalize("NFC", text[:100_000])
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    ).strip()
    if not kept:
        raise InvalidInput("The text is empty.", "Describe the audience in a few words.")
    return kept
