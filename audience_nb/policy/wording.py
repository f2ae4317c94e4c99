"""Names that advertising platforms flag: what is wrong with one, by which rule, what to say.

Words alone decide, in English and French: a platform's own review sees more. The rules, with where
they stand, are in `wording_rules.csv`, their words in `wording.csv`; sensitive categories are
those of `audience_nb.policy.sensitive`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from audience_nb.policy.sensitive import mentions

if TYPE_CHECKING:
    from audience_nb.catalog import Variable

__all__ = ["Finding", "lint", "lint_variables", "without"]

Level = Literal["error", "warning"]

# Sensitive category -> the rule that says most about it in a name.
_RULE_OF = {
    "health": "health condition",
    "race": "personal attribute",
    "religion": "personal attribute",
    "sex life": "personal attribute",
    "union": "personal attribute",
    "politics": "personal attribute",
}
# What says how much of something there is, and belongs to all that follows.
_LEAD = re.compile(
    r"^(?:(?:very|mostly|more|less|fewer|few|many|no|with|high|low|on|frequent|rare|big|small|"
    r"spenders) )+(?!(?:people|women|men)\b)",
    re.IGNORECASE,
)
_PEOPLE = re.compile(r"^(?:people|women|men|customers|owners|renters|buyers|personnes)$", re.I)
_ANYBODY = frozenset({"people", "customers", "personnes"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a platform objects to.

    Parameters
    ----------
    level : {"error", "warning"}
        "error" where the audience cannot be used, "warning" where it is restricted.
    rule : str
        What it breaks, in two words.
    source : str
        Address of the rule.
    what : str
        The words found, and what the rule says.
    alternative : str
        Another wording; where none is left of the text, what to name instead.

    Examples
    --------
    >>> lint("Younger high-income people")[0].alternative
    'Younger people'
    """

    level: Level
    rule: str
    source: str
    what: str
    alternative: str


def lint(text: str) -> tuple[Finding, ...]:
    """Look for words that platforms flag.

    Parameters
    ----------
    text : str
        A name, a description or a label, in English or French.

    Returns
    -------
    tuple of Finding
        One for each rule that is broken, errors first.

    Examples
    --------
    >>> [(f.level, f.rule, f.what) for f in lint("Arthritis sufferers")][0][:2]
    ('error', 'health condition')
    >>> lint("Older women, many store purchases")
    ()
    """
    found = _words_by_rule(text)
    if not found:
        return ()
    rest = without(text)
    rules = _rules()
    return tuple(
        Finding(
            cast(Level, rules[rule]["level"]),
            rule,
            rules[rule]["source"],
            f"{', '.join(map(repr, words))}: {rules[rule]['says']}.",
            rest or f"Name {rules[rule]['instead']}.",
        )
        for rule, words in sorted(found.items(), key=lambda item: list(rules).index(item[0]))
    )


def lint_variables(variables: Iterable[Variable]) -> dict[str, tuple[Finding, ...]]:
    """Look at the labels of variables.

    Parameters
    ----------
    variables : iterable of Variable
        Any number.

    Returns
    -------
    dict of code to tuple of Finding
        Of those alone that platforms object to.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> found = lint_variables([Variable("A", "Credit score"), Variable("B", "Cycles to work")])
    >>> list(found)
    ['A']
    """
    findings = ((variable.code, lint(variable.label)) for variable in variables)
    return {code: found for code, found in findings if found}


def without(text: str) -> str:
    """Leave out what platforms object to.

    Parameters
    ----------
    text : str
        A name: parts with commas between them.

    Returns
    -------
    str
        What is left, "" for nothing that means anything.

    Examples
    --------
    >>> without("Older higher-income people, high wine, in debt")
    'Older people, high wine'
    >>> without("High credit score")
    ''
    """
    kept = [rest for part in text.split(", ") if (rest := _rest(part))]
    name = ", ".join(kept)
    return name[:1].upper() + name[1:]


def _rest(part: str) -> str:
    """Leave out of one part of a name what is flagged, and all that goes with it."""
    if not _words_by_rule(part):
        return part
    lead = _LEAD.match(part)
    opening = lead[0] if lead else ""
    bodies = []
    for body in re.split(r" and | or ", part[len(opening) :]):
        if not _words_by_rule(body):
            bodies.append(body)
            continue
        # "Younger higher-income people" are still younger people.
        words = [word for word in body.split() if not _words_by_rule(word)]
        named = bool(words) and _PEOPLE.search(words[-1]) is not None
        if named and words[-1].casefold() in _ANYBODY and len(words) == 1:
            named = False
        if named and not _words_by_rule(" ".join(words)):
            opening = ""
            bodies.append(" ".join(words))
    return opening + " and ".join(bodies) if bodies else ""


def _plain_marks(text: str) -> str:
    """Take accents off, so that words match their plain form."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(c for c in marks if not unicodedata.combining(c))


def _plain(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", _plain_marks(text).casefold())
    return f" {' '.join(words)} "


def _words_by_rule(text: str) -> dict[str, list[str]]:
    padded = _plain(text)
    found: dict[str, list[str]] = {}
    for rule, terms, others in _terms():
        rest = others.sub(" ", padded) if others is not None else padded
        for match in terms.finditer(rest):
            words = found.setdefault(rule, [])
            if match[0] not in words:
                words.append(match[0])
    for category, word in mentions(text):
        words = found.setdefault(_RULE_OF.get(category, "sensitive category"), [])
        if word not in words:
            words.append(word)
    return found


@lru_cache(maxsize=1)
def _rules() -> dict[str, dict[str, str]]:
    table = resources.files("audience_nb.policy").joinpath("wording_rules.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    return {row["rule"]: row for row in rows}


@lru_cache(maxsize=1)
def _terms() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str] | None], ...]:
    table = resources.files("audience_nb.policy").joinpath("wording.csv")
    rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    return tuple(
        (row["rule"], _any(row["term"]), _any(row["but"]) if row["but"] else None) for row in rows
    )


def _any(terms: str) -> re.Pattern[str]:
    longest = sorted(terms.split("|"), key=len, reverse=True)
    return re.compile(rf"(?<= )(?:{'|'.join(map(re.escape, longest))})(?= )")
