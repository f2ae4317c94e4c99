"""Learning from use: what was taken and left before moves what is suggested next.

Two things are learnt, both by counting. *Memory*: a variable that was taken (or left) for a query
that says the same is moved for this one; a query says the same if the one has all the terms of the
other, so that “rent, 30 to 34 %” teaches nothing on “rent, 15 to 19 %”. *Habit*: categories, kinds,
sources, tables and words of labels that are taken more or less often than others, whatever is
asked, once there are enough questions to tell.
"""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from audience_nb.catalog import Catalog, Variable
from audience_nb.rows import Problem
from audience_nb.search.decisions import MAX_BYTES, Decision, Decisions
from audience_nb.search.documents import path_of
from audience_nb.search.lexical import Analyzer
from audience_nb.search.query import Query, Suggestion

__all__ = ["PART", "Feedback"]

# Name of what use adds to a score, beside "meaning", "words", "concepts" and "spelling".
PART = "use"
# A score moves by this share of the best one at most, downwards of itself, and stays below that of
# an exact match.
STRENGTH = 0.4
BELOW_EXACT = 0.999
# Queries that say the same have at least this cosine of their terms; its square is their weight.
SIMILAR = 0.7
# Leaving a variable says less than taking one: it may just not have been looked at.
LEFT = 0.3
# Counts to which unknown cases are shrunk: of one variable, and of a trait such as a category.
SHRINK_MEMORY, SHRINK_HABIT = 0.3, 3.0
# A trait counts from this many questions on that showed it, and all of them from so many questions
# altogether; after so many more habit does half of what it may.
MIN_SEEN, MIN_QUESTIONS, HALF_QUESTIONS = 2, 10, 40
# Habit moves a score by this share of `STRENGTH`; steepness of a sum of log odds.
HABIT, STEEPNESS = 0.7, 0.2
# The newest questions that are learnt from.
MAX_QUESTIONS = 1000
# Below this no word is lost on it.
_WORTH_SAYING = 0.005

# Words that may be a trait: of three letters at least, or a number.
_WORD = re.compile(r"[^\W\d_]{3,}|\d+")

Trait = tuple[str, str]


@dataclass(frozen=True)
class _Question:
    """One query and what became of its answers."""

    text: str
    terms: frozenset[str]
    verdicts: dict[str, bool]

    @property
    def asked(self) -> Collection[str]:
        """Stems that are no trait of an answer, as they were asked for."""
        return _words(self.text)


@dataclass
class _Learnt:
    """Counts over all questions."""

    questions: list[_Question] = field(default_factory=list)
    # Rarity of terms among the questions, and the questions that have each term.
    rarity: dict[str, float] = field(default_factory=dict)
    having: dict[str, list[int]] = field(default_factory=dict)
    # Squared length of each question.
    lengths: list[float] = field(default_factory=list)
    # Log odds of being taken, against those of any variable shown.
    habits: dict[Trait, float] = field(default_factory=dict)


class Feedback:
    """What a person took and left, and how that moves later suggestions.

    Off unless given to a `SearchIndex`. Kept are queries and codes, never a record.

    Parameters
    ----------
    path : str or pathlib.Path, optional
        A file of JSON lines that other processes may use at the same time; by default what was
        learnt ends with the process.
    max_bytes : int, optional
        When the file grows beyond, the oldest decisions are dropped.

    Examples
    --------
    >>> from audience_nb.search.query import Suggestion
    >>> from audience_nb.variable import Variable
    >>> a, b = Variable("CAT", "Has a cat"), Variable("DOG", "Has a dog")
    >>> shown = [
    ...     Suggestion(variable, score, rank, {"words": score}, "")
    ...     for rank, (variable, score) in enumerate([(a, 0.6), (b, 0.5)], start=1)
    ... ]
    >>> feedback = Feedback()
    >>> feedback.accept("pets at home", ["DOG"])
    >>> [(s.variable.code, s.why) for s in feedback.rerank("Pets at home?", shown)]
    [('DOG', 'you chose it for “pets at home”'), ('CAT', '')]
    """

    def __init__(self, path: str | Path | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._decisions = Decisions(path, max_bytes=max_bytes)
        self._lock = threading.RLock()
        self._learnt: _Learnt | None = None
        self._learnt_from: tuple[int, str] | None = None

    def __len__(self) -> int:
        return len(self._decisions.read())

    def __repr__(self) -> str:
        where = self._decisions.path.name if self._decisions.path else "memory"
        return f"Feedback({where!r}, {len(self):,} decisions)"

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Lines of the file that could not be read."""
        self._decisions.version()
        return self._decisions.problems

    def accept(self, query: str | Query, codes: Collection[str]) -> None:
        """Remember that variables were taken for a query.

        Parameters
        ----------
        query : str or Query
            What was asked.
        codes : collection of str
            Of the variables; a later decision on the same query and code replaces this one.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._add(query, codes, accepted=True)

    def reject(self, query: str | Query, codes: Collection[str]) -> None:
        """Remember that variables were shown for a query and not taken.

        Parameters
        ----------
        query : str or Query
            What was asked.
        codes : collection of str
            Of the variables.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._add(query, codes, accepted=False)

    def _add(self, query: str | Query, codes: Collection[str], *, accepted: bool) -> None:
        codes = (codes,) if isinstance(codes, str) else codes
        with self._lock:
            self._decisions.add(_text(query), codes, accepted=accepted)

    def forget(self, query: str | Query | None = None) -> int:
        """Drop what was learnt, also from the file.

        Parameters
        ----------
        query : str or Query, optional
            Only from this query; by default everything.

        Returns
        -------
        int
            Decisions dropped.

        Examples
        --------
        >>> feedback = Feedback()
        >>> feedback.accept("pets", ["DOG"])
        >>> feedback.forget()
        1
        """
        with self._lock:
            return self._decisions.forget(None if query is None else _text(query))

    def rerank(
        self,
        query: str | Query,
        suggestions: Sequence[Suggestion],
        catalog: Catalog | None = None,
    ) -> list[Suggestion]:
        """Move suggestions by what was taken and left before.

        Parameters
        ----------
        query : str or Query
            What is asked now.
        suggestions : sequence of Suggestion
            Best first; more than will be shown, so that what was taken can come up from below.
        catalog : Catalog, optional
            Where past codes are looked up: without it there is memory but no habit.

        Returns
        -------
        list of Suggestion
            The same variables. Where nothing was learnt on any, the same list; else each has a
            part "use" that its score includes, and `why` says so where it matters. An exact
            match stays first, and no score rises by more than 40 % of the best one or falls by
            more than 40 % of itself.
        """
        given = list(suggestions)
        with self._lock:
            learnt = self._current(catalog)
        if not learnt.questions or not given:
            return given
        memory = _remembered(learnt, _terms(_text(query)))
        asked = _words(_text(query))
        best = max((s.score for s in given if s.score <= BELOW_EXACT), default=0.0)
        moved: list[tuple[float, Suggestion]] = []
        lowest, changed = math.inf, False
        for suggestion in given:
            # A list may be spread over several ideas; what use does not touch keeps its place.
            lowest = min(lowest, suggestion.score)
            part, why = 0.0, ""
            if suggestion.score <= BELOW_EXACT:
                part, why = _moved(suggestion, learnt, memory, asked, best)
            changed |= part != 0
            moved.append(
                (
                    lowest + part,
                    replace(
                        suggestion,
                        score=suggestion.score + part,
                        parts={**suggestion.parts, PART: part},
                        why="; ".join(w for w in (suggestion.why, why) if w),
                    ),
                )
            )
        if not changed:
            return given
        # Sorting is stable, so what is equal stays in order.
        ordered = [suggestion for _, suggestion in sorted(moved, key=lambda pair: -pair[0])]
        return [replace(suggestion, rank=n) for n, suggestion in enumerate(ordered, start=1)]

    def _current(self, catalog: Catalog | None) -> _Learnt:
        """Give what was learnt, learning anew if there are new decisions or another catalogue."""
        source = (self._decisions.version(), catalog.fingerprint if catalog is not None else "")
        if self._learnt is None or source != self._learnt_from:
            self._learnt = _learn(self._decisions.read(), catalog)
            self._learnt_from = source
        return self._learnt


def _text(query: str | Query) -> str:
    return query.text if isinstance(query, Query) else query


def _terms(text: str) -> frozenset[str]:
    return frozenset(Analyzer().terms(text))


@lru_cache(maxsize=65536)
def _words(text: str) -> dict[str, str]:
    """Give the stems of a text's words and numbers, each with the word it came from.

    Habits need no more, and 30 labels must be looked at with every search.
    """
    stem = Analyzer().stem
    return {stem(word): word for word in _WORD.findall(text.casefold())}


# -- learning ----------------------------------------------------------------------------------


def _learn(decisions: Iterable[Decision], catalog: Catalog | None) -> _Learnt:
    """Count over the newest questions."""
    verdicts: dict[str, dict[str, bool]] = {}
    texts: dict[str, str] = {}
    for decision in decisions:
        key = decision.query.casefold()
        # A question that comes again is new again, and its last verdict counts.
        verdicts[key] = verdicts.pop(key, {})
        verdicts[key].update(dict.fromkeys(decision.codes, decision.accepted))
        texts[key] = decision.query
    newest = list(verdicts)[-MAX_QUESTIONS:]
    questions = [_Question(texts[k], _terms(texts[k]), verdicts[k]) for k in newest]
    having: dict[str, list[int]] = {}
    for n, question in enumerate(questions):
        for term in question.terms:
            having.setdefault(term, []).append(n)
    rarity = {t: _rarity(len(at), len(questions)) for t, at in having.items()}
    habits = _habits(questions, catalog) if catalog is not None else {}
    # In order, so that sums are the same on every machine.
    lengths = [sum(rarity[term] for term in sorted(q.terms)) for q in questions]
    return _Learnt(questions, rarity, having, lengths, habits)


def _rarity(n_having: int, n_questions: int) -> float:
    """Give the squared weight of a term that so many of the questions have."""
    return math.log(1 + n_questions / (n_having + 0.5)) ** 2


def _habits(questions: Sequence[_Question], catalog: Catalog) -> dict[Trait, float]:
    """Weigh traits by the log odds of being taken, against those of any variable shown.

    Odds are shrunk to those of any variable by `SHRINK_HABIT` imagined cases, so a trait that was
    hardly ever seen weighs nothing (the additive smoothing of a naive Bayes classifier).
    """
    taken: Counter[Trait] = Counter()
    left: Counter[Trait] = Counter()
    seen: Counter[Trait] = Counter()
    n_taken = n_left = 0
    # Where nothing was taken nothing was compared.
    compared = [question for question in questions if any(question.verdicts.values())]
    for question in compared:
        once: set[Trait] = set()
        for code, accepted in question.verdicts.items():
            if code not in catalog:
                continue
            traits = _traits_of_code(catalog, code, question.asked)
            (taken if accepted else left).update(traits)
            once.update(traits)
            n_taken += accepted
            n_left += not accepted
        seen.update(once)
    if len(compared) < MIN_QUESTIONS or not n_taken or not n_left:
        return {}
    share = n_taken / (n_taken + n_left)
    usual = math.log(share / (1 - share))
    return {
        trait: math.log(
            (taken[trait] + SHRINK_HABIT * share) / (left[trait] + SHRINK_HABIT * (1 - share))
        )
        - usual
        for trait, n in seen.items()
        if n >= MIN_SEEN
    }


def _traits_of_code(catalog: Catalog, code: str, asked: Collection[str]) -> list[Trait]:
    row = catalog.position(code)
    label, category, kind, source = (
        catalog.column(name)[row] for name in ("label", "category", "kind", "source")
    )
    return _traits(label, category, kind, source, asked)


def _traits(
    label: str, category: str, kind: str, source: str, asked: Collection[str]
) -> list[Trait]:
    """Give what a variable is known by, without the words that were asked for."""
    path = path_of(label)
    named = [("category", category), ("kind", kind), ("source", source)]
    if len(path) > 1:
        named.append(("table", path[0]))
    # In order, so that sums are the same on every machine.
    return [*named, *(("word", word) for word in sorted(_words(label)) if word not in asked)]


# -- applying ----------------------------------------------------------------------------------


def _remembered(
    learnt: _Learnt, asked: frozenset[str]
) -> dict[str, tuple[float, float, float, str]]:
    """Weigh what became of variables for queries that say the same.

    Returns
    -------
    dict of str to (float, float, float, str)
        For each code what speaks for it less what speaks against it, the sum of both, and the
        weight and text of the query that says most.
    """
    n = len(learnt.questions)
    length = sum(learnt.rarity.get(term, _rarity(0, n)) for term in sorted(asked))
    near = sorted({at for term in asked for at in learnt.having.get(term, ())})
    found: dict[str, tuple[float, float, float, str]] = {}
    for at in near:
        question = learnt.questions[at]
        # Queries that each have a term the other lacks ask different things.
        if not (question.terms <= asked or asked <= question.terms):
            continue
        other = learnt.lengths[at]
        # The smaller is the whole of what they share.
        similarity = math.sqrt(min(length, other) / max(length, other))
        if similarity < SIMILAR:
            continue
        for code, accepted in question.verdicts.items():
            weight = similarity**2 * (1.0 if accepted else LEFT)
            balance, total, most, text = found.get(code, (0.0, 0.0, 0.0, ""))
            if weight > most:
                most, text = weight, question.text
            found[code] = (balance + (weight if accepted else -weight), total + weight, most, text)
    return found


def _moved(
    suggestion: Suggestion,
    learnt: _Learnt,
    memory: dict[str, tuple[float, float, float, str]],
    asked: Collection[str],
    best: float,
) -> tuple[float, str]:
    """Give what use adds to a score, and why; `best` is the best score of the list."""
    variable = suggestion.variable
    balance, total, _, text = memory.get(variable.code, (0.0, 0.0, 0.0, ""))
    remembered = balance / (total + SHRINK_MEMORY)
    habit, trait = _habit(variable, learnt, asked)
    share = max(-1.0, min(1.0, remembered + HABIT * habit))
    # What was taken for the same question comes up however far down it was found.
    measured_by = best if share > 0 and remembered > 0 else suggestion.score
    part = STRENGTH * share * measured_by
    part = min(part, BELOW_EXACT - suggestion.score)
    if abs(part) < _WORTH_SAYING:
        return part, ""
    if abs(remembered) >= HABIT * abs(habit) or trait is None:
        did = "chose it" if remembered > 0 else "passed it over"
        return part, f"you {did} for “{text}”"
    what, name = trait
    if what == "word":
        named = f"what says “{_words(variable.label)[name]}”"
    else:
        named = f"the {what} “{name}”"
    return part, f"you {'often' if habit > 0 else 'seldom'} choose {named}"


def _habit(
    variable: Variable, learnt: _Learnt, asked: Collection[str]
) -> tuple[float, Trait | None]:
    """Weigh a variable's traits, in (-1, 1), and give the one that says most."""
    if not learnt.habits:
        return 0.0, None
    traits = _traits(variable.label, variable.category, variable.kind, variable.source, asked)
    odds = [(learnt.habits[trait], trait) for trait in traits if trait in learnt.habits]
    if not odds:
        return 0.0, None
    total = sum(value for value, _ in odds)
    sign = 1 if total > 0 else -1
    _, most = max(odds, key=lambda pair: sign * pair[0])
    n = len(learnt.questions)
    trust = n**2 / (n**2 + HALF_QUESTIONS**2)
    return trust * math.tanh(STEEPNESS * total), most
