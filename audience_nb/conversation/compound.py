"""Several orders in one message: where it is cut, and how each part follows the one before."""

from __future__ import annotations

import re
from functools import cached_property

from audience_nb.conversation.actions import (
    Action,
    Add,
    Ask,
    Bound,
    Build,
    Choose,
    Clarify,
    Drop,
    Export,
    Filter,
    Limit,
    Nothing,
    Redo,
    StartOver,
    Undo,
)
from audience_nb.conversation.choices import read_choices
from audience_nb.conversation.commands import read_commands
from audience_nb.conversation.context import Context
from audience_nb.conversation.edits import continued, paired, read_edits
from audience_nb.conversation.lexicon import pattern
from audience_nb.conversation.line import Line
from audience_nb.conversation.naming import read_naming
from audience_nb.conversation.sizes import corrected, merged, read_sizes

__all__ = ["Compound"]

Actions = tuple[Action, ...]

_READERS = (read_commands, read_sizes, read_naming, read_choices, read_edits)
# Before one of these words a message may be cut.
_CUT = re.compile(
    r"(?:[,;.:!?…–—(&]|-|and|then|but|et|puis|mais|ensuite|also|plus|aussi|apres|after|before|"
    r"while|"
    r"now|maintenant)"
)
_PAUSE = re.compile(r"(?:[;.!?…]|then|puis|ensuite)")
_JOINS = re.compile(r"(?:[,;.:!?…–—()&]|-|and|then|but|et|puis|mais|ensuite)")
_GOES_ON = (",", "and", "et", "&", "plus")
_CORRECTS = re.compile(
    r"(?:(?:no|non|wait|actually|sorry|rather|i mean|i meant|oops|scratch that|make that|plutot|"
    r"en fait|pardon|enfin|or rather|no wait|hmm|attends|instead|desole|je veux dire|ou plutot|"
    r"correction|finalement|but|maybe|perhaps|say|something like|peut etre|disons|,|-|–|\.|:|!) )+"
)
_MARKED = re.compile(r"[a-z]")
# Orders that may follow a question, after which "drop" and "add" are words like others.
_STRONG = (Bound, Build, Export, Choose, Filter, Limit)
_ORDERED = re.compile(
    pattern(
        r"\b(?:<seg>|into|csv|file|fichier|audience|them|it|data|clean room|variables|suggestions|"
        r"results|each|only|seulement|uniquement|everything|over|zero)\b"
    )
)
_COUNTERPART = re.compile(
    r"\b(?:less|fewer|more|in$|out$|moins de|moins d'|plus de|plus d'|add|drop|davantage)\b"
)
# Orders with nothing in them that could be another order.
_WHOLE = (Filter, Choose, Bound, Build, Undo, Redo)
_MOST_CUTS = 24
_MOST_READINGS = 600


def _pronoun(here: Actions) -> str | None:
    """Give the verb of an edit that names its topic by a pronoun only."""
    only = here[0] if len(here) == 1 else None
    if (
        isinstance(only, Clarify)
        and only.missing == "topic"
        and only.value in ("it", "them", "ca", "le", "la", "les")
    ):
        return only.verb
    return None


class Compound:
    """One message, read as orders in all ways of cutting it until one fits.

    Parameters
    ----------
    line : Line
        The message.
    context : Context
        How the session stands.

    Examples
    --------
    >>> Compound(Line("drop income and age, then undo"), Context()).actions[-1]
    Undo(steps=1)
    """

    def __init__(self, line: Line, context: Context) -> None:
        self.line, self.context = line, context
        self.words = [token.word for token in line.tokens]
        self.count = len(self.words)
        cuts = [i for i in range(1, self.count) if _CUT.fullmatch(self.words[i])]
        # A part ends before what joins it to the next, which begins with it.
        self.ends = [*cuts[:_MOST_CUTS], self.count]
        self._clauses: dict[tuple[int, int], Actions | None] = {}
        self._readings: dict[tuple[int, Actions], Actions | None] = {}

    @cached_property
    def actions(self) -> Actions | None:
        """The orders; None if the message, or a part of it, is none."""
        whole = self._clause(0, self.count)
        if whole is None and self.words[0] in ("and", "et") and self.words[-1] == "?":
            # "and cycling?" goes on with what was asked.
            more = continued(self.part(0, self.count - 1), Add("?"), self.context)
            if more is not None and self.context.asked:
                return tuple(more)
        if whole is not None and all(isinstance(a, _WHOLE) for a in whole):
            return whole
        if whole is not None and isinstance(whole[0], Drop) and whole[0].codes:
            return whole
        return self._read(0, ())

    def part(self, first: int, last: int) -> Line:
        """Give some words without what joins them to those around."""
        while first < last and _JOINS.fullmatch(self.words[first]):
            first += 1
        while first < last and _JOINS.fullmatch(self.words[last - 1]):
            last -= 1
        return self.line.part(first, last)

    def _clause(self, first: int, last: int) -> Actions | None:
        """Read one clause as an order; None if it is none."""
        if (first, last) not in self._clauses:
            part = self.part(first, last)
            found = None
            for reader in _READERS if len(part) else ():
                actions = reader(part, self.context)
                if actions is not None:
                    found = tuple(actions)
                    break
            self._clauses[first, last] = found
        return self._clauses[first, last]

    def _read(self, first: int, before: Actions) -> Actions | None:
        """Read on from a word, and give all orders with those before it."""
        if not any(re.search(r"\w|‹", w) for w in self.words[first:]):
            return before
        key = (first, before)
        if key not in self._readings:
            if len(self._readings) > _MOST_READINGS:
                return None
            self._readings[key] = None
            self._readings[key] = self._parts(first, before)
        return self._readings[key]

    def _parts(self, first: int, before: Actions) -> Actions | None:
        unclear: Actions | None = None
        for last in self.ends:
            if last <= first:
                continue
            done = self._next(first, last, before)
            found = None if done is None else self._read(last, done)
            if found is None:
                continue
            if not any(isinstance(a, Clarify) for a in found):
                return found
            # A longer part may say what a shorter one leaves open.
            unclear = unclear or found
        return unclear or self._question(first, before)

    def _next(self, first: int, last: int, before: Actions) -> Actions | None:
        """Read one part after others; None if it is no order."""
        part = self.part(first, last)
        if not len(part) or (before and _CORRECTS.fullmatch(part.words + " ")):
            return None
        here = self._clause(first, last)
        if before and (here is None or all(isinstance(a, Drop | Nothing | Clarify) for a in here)):
            mended = self._mended(first, last, before)
            if mended is not None:
                return mended
        told = None if here is None else _pronoun(here)
        if told is not None and before and isinstance(before[-1], Add | Drop):
            # "age is irrelevant, drop it" names it once.
            same = (Add if told == "add" else Drop)(before[-1].topic, before[-1].codes)
            return before if same == before[-1] else (*before[:-1], same)
        if here is None and all(isinstance(a, Nothing | Bound) for a in before):
            number = corrected(part, self.context, (*self.context.last, *before))
            here = None if number is None else tuple(number)
        if here is None and self.context.asked and self._has_counterpart(last, before):
            pair = paired(part, self.context)
            here = None if pair is None else tuple(pair)
        if here is None and before and self.words[first] in _GOES_ON:
            more = continued(part, before[-1], self.context)
            here = None if more is None else tuple(more)
        return None if here is None else (*before, *here)

    def _mended(self, first: int, last: int, before: Actions) -> Actions | None:
        """Read a correction of what was said just before: "drop income, no wait, age"."""
        words = self.line.part(first, last)
        match = _CORRECTS.match(words.words + " ")
        if match is None or not _MARKED.search(match[0]) or match[0].strip(" ,") in ("but", "no"):
            return None
        rest = words.part(len(match[0].split()), len(words))
        if not len(rest):
            return None
        if isinstance(before[-1], Bound | Limit):
            number = corrected(rest, self.context, before)
            return None if number is None else tuple(merged([*before, *number]))
        if isinstance(before[-1], Add | Drop) and self._clause(last - len(rest), last) is None:
            more = continued(rest, before[-1], self.context)
            return None if more is None else (*before[:-1], *more)
        return None

    def _has_counterpart(self, last: int, before: Actions) -> bool:
        """Tell whether "more …" and "less …" stand together."""
        if before:
            return isinstance(before[-1], Add | Drop)
        return _COUNTERPART.search(self.line.part(last, self.count).words) is not None

    def _question(self, first: int, before: Actions) -> Actions | None:
        """Read a question within a compound: first, or after what begins anew."""
        pause = _PAUSE.fullmatch(self.words[first]) is not None
        anew = bool(before) and isinstance(before[-1], StartOver | Undo | Choose)
        if before and not anew and (not pause or isinstance(before[-1], Ask)):
            return None
        for last in self.ends:
            part = self.part(first, last)
            if last <= first or not re.search(r"[^\W\d_]{2,}", part.words):
                continue
            asked = (*before, Ask(part.written))
            if last == self.count:
                # Alone it is no compound, and one word is hardly a question after an order.
                enough = len(part) > 1 or (bool(before) and isinstance(before[-1], StartOver))
                return asked if before and enough else None
            if len(part) < 2:
                continue
            found = self._read(last, asked)
            if found is not None and self._follows(found[len(asked) :], last):
                return found
        return None

    def _follows(self, rest: Actions, at: int) -> bool:
        """Tell whether what stands after a question is meant as orders, and is no part of it."""
        if not rest or any(isinstance(a, Clarify) for a in rest):
            return False
        if any(_PAUSE.fullmatch(word) for word in self.words[at : at + 2]):
            return True
        said = self.line.part(at, self.count).words
        return all(isinstance(a, _STRONG) for a in rest) and _ORDERED.search(said) is not None
