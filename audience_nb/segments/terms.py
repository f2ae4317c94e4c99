"""What to call a variable in a few words: "renter households", not the whole of its label."""

from __future__ import annotations

import re

from audience_nb.encoding import Column
from audience_nb.inference import words_of, written_out

__all__ = ["STATEMENT", "is_plural", "lowered", "short_name"]

# A survey's "Baking [Frequently] - Bake with children".
STATEMENT = re.compile(r"^(?P<theme>[^\[\]]+) \[(?P<band>[^\]]+)\] [-–] (?P<text>.+)$")
_OPINION = re.compile(r"agree|important|describes|true", re.IGNORECASE)
_DENIAL = re.compile(r"\b(not|never|rarely|disagree|unlikely|no|none|neither)\b", re.IGNORECASE)
_UNIVERSE = re.compile(r" aged \d+ and over\b")
_CONTINENTS = frozenset({"Africa", "America", "Americas", "Asia", "Europe", "Oceania"})
_COUNT = re.compile(r"^(number of|no\. of|num|count of|how many)\s+", re.IGNORECASE)
_SMALL_WORDS = re.compile(r"\b(a|an|at|by|for|from|in|of|on|or|the|to|with)\b", re.IGNORECASE)
# So long a term may be, and so long the beginning that is left of a longer one.
_LONGEST, _WORDS = 44, 8
# The same in fewer words, tried in order; each may follow on the one before.
_SHORTER: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(said, re.IGNORECASE), shorter)
    for said, shorter in (
        (r"^employed people working as ", ""),
        (r"^employed people by \w+: ", "people employed in "),
        (r"^people who are (.+s)$", r"\1"),
        (r"^people (aged [\d ]+(?:to|and) \w+) who are (.+s)$", r"\2 \1"),
        (r"^population aged ", "people aged "),
        (r"^male population aged ", "men and boys aged "),
        (r"^female population aged ", "women and girls aged "),
        (r"^people with a .+ qualification who studied ", "people who studied "),
        (r"^people whose mother tongue is (.+)$", r"native speakers of \1"),
        (r"^people able to converse in ", "speakers of "),
        (r"^people who speak mostly (.+) at home$", r"speakers of \1 at home"),
        (r"^households that (rent|own) their dwelling\b", r"\1er households"),
        (r"^households with an? (\D+) maintainer\b", r"\1 households"),
        (r"^renter households with an? (\D+) maintainer\b", r"\1 renter households"),
        (r"^owner households with an? (\D+) maintainer\b", r"\1 owner households"),
        (r"^households made up of ", "households of "),
        (r"\baged (\d+) to (\d+)\b", r"aged \1–\2"),
        (r"\baged (\d+) and over\b", r"aged \1+"),
        (r"(\$\d+),000\b", r"\1k"),
        (r"(\$[\d,]+k?) to (\$[\d,]+k?)", r"\1–\2"),
        (r"(\$[\d,]+k?) and over\b", r"\1+"),
    )
)
# What is counted stands before any of these: "households | with a boat".
_ENDS = re.compile(
    r"\b(?:of|with|without|who|whose|that|which|in|on|at|by|for|from|to|aged|where)\b"
)
_PEOPLE = re.compile(r"\b(?:people|women|men|children|\w{2,}[^\Wsui]s)\b", re.IGNORECASE)


def short_name(column: Column) -> str:
    """Name a variable in a few words, in lower case where it is no name.

    Parameters
    ----------
    column : Column
        Whose variable's measure, label, description and code are looked at.

    Returns
    -------
    str
        The first of them that is a term rather than a sentence.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> short_name(Column(Variable("Q1", "I save all the money I can.", description="Finances"),
    ...                   "ordinal"))
    'finances'
    """
    variable = column.variable
    statement = STATEMENT.match(variable.label)
    if statement:
        return _stated(statement["text"], statement["band"])
    measure = ""
    if variable.measure != variable.label:
        # The first part of a catalogue's label, whose others are breakdown, unit and period.
        measure = _shorter(_UNIVERSE.sub("", variable.measure.split(", ")[0]))
    for text in (measure, variable.label, variable.description, words_of(column.code)):
        own = text == measure
        head, _, rest = re.sub(r"\s*\([^)]*\)", "", text).partition(": ")
        # "Household debt: mortgage on principal residence" is about the latter, and so is
        # "Lifestyle: Bus Pass Blues".
        told_by_rest = own or head.casefold() == variable.kind
        term = (rest if rest not in ("", "total") and told_by_rest else head).strip(" .?!:")
        from_code = term == words_of(column.code)
        code_like = (
            text != variable.label and from_code and re.fullmatch(r"[A-Z0-9_]+", column.code)
        )
        sentence = re.match(r"(I|My|Do|How|What|We)\b", term) or text.rstrip().endswith((".", "?"))
        # What a label says of unit and period is no part of a name.
        told = term if own else _SMALL_WORDS.sub("", _COUNT.sub("", term))
        n_words = len(told.split())
        fits = n_words <= _WORDS or len(told) <= _LONGEST if own else n_words <= 5
        if term and not sentence and not code_like and fits:
            if from_code:
                term = re.sub(r"s (transactions|visits)\b", r" \1", written_out(term))
            return lowered(term).replace(", ", "/")
    cut = _beginning(re.sub(r"\s*\([^)]*\)", "", measure or variable.label).strip(" .?!:"))
    return lowered(cut) if measure else f"“{cut}”"


def is_plural(term: str) -> bool:
    """Tell whether a term counts people or things: "married couples", not "income of couples".

    Parameters
    ----------
    term : str
        As `short_name` gives it.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_plural("renter households with a car"), is_plural("income of couples")
    (True, False)
    """
    return _PEOPLE.search(_ENDS.split(term, maxsplit=1)[0]) is not None


def lowered(text: str) -> str:
    """Begin in lower case what is no name.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str

    Examples
    --------
    >>> lowered("Household income"), lowered("United Kingdom"), lowered("PC")
    ('household income', 'United Kingdom', 'PC')
    """
    first, _, rest = text.partition(" ")
    if first in _CONTINENTS or (
        first.isalpha() and len(first) > 1 and re.match(r"(?:[A-Z][a-z]+ ?)+$|[A-Z]\b", rest)
    ):
        # A name, such as "United Kingdom" or "Generation X".
        return text
    if (first[1:] == first[1:].lower() and len(first) > 1) or (first == "A" and rest):
        first = first.lower()
    return f"{first} {rest}".strip()


def _shorter(term: str) -> str:
    for said, shorter in _SHORTER:
        term = said.sub(shorter, term)
    return term


def _beginning(text: str) -> str:
    words = text.split()
    return f"{' '.join(words[:_WORDS])}{'…' if len(words) > _WORDS else ''}"


def _stated(text: str, band: str) -> str:
    text = text if len(text) <= _LONGEST else _beginning(text)
    text = f"“{text}”" if _OPINION.search(band) else lowered(text)
    # Yes is understood; no has to be said.
    return f"{text} ({band.lower()})" if _DENIAL.search(band) else text
