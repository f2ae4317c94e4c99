"""Names and descriptions from what sets a segment apart, and from nothing else.

Every word of a name comes from a variable's label or level and the direction of its effect.
Words for the people themselves ("women", "urban", "renters") need two thirds of the segment, "with
dependents" half of it, and "no" all but a tenth. Same findings, same names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audience_nb.codebook import words_of
from audience_nb.encoding import Column
from audience_nb.encoding.columns import MISSING, OTHER
from audience_nb.segments.profile import Finding

__all__ = ["describe", "short_name", "standouts", "unique_names"]

# Cohen's "small": below it a difference is not worth a word.
SMALL = 0.2
_LONGEST = 72
_MOST, _HALF, _FEW = 2 / 3, 0.5, 0.1
_AGE = re.compile(
    r"^(\w+ )?age( in years| of (the )?(person|customer|respondent|member))?$", re.IGNORECASE
)
_BORN = re.compile(r"\b(birth year|year (of )?birth|born)\b", re.IGNORECASE)
_INCOME = re.compile(r"\bincome\b", re.IGNORECASE)
# A survey's "Baking [Frequently] - Bake with children".
_STATEMENT = re.compile(r"^(?P<theme>[^\[\]]+) \[(?P<band>[^\]]+)\] [-–] (?P<text>.+)$")
_OPINION = re.compile(r"agree|important|describes|true", re.IGNORECASE)
_DENIAL = re.compile(r"\b(not|never|rarely|disagree|unlikely|no|none|neither)\b", re.IGNORECASE)
_UNIVERSE = re.compile(r" aged \d+ and over\b")
_PLURAL = re.compile(r"^(people|women|men|children|\w{3,}s)\b", re.IGNORECASE)
_RATE = re.compile(r"\b(rate|share|percent|percentage|proportion|ratio)\b", re.IGNORECASE)
_COUNT = re.compile(r"^(number of|no\. of|num|count of|how many)\s+", re.IGNORECASE)
_PERSONS = re.compile(
    r"\b(citizen|student|parent|customer|owner|renter|member|subscriber|buyer|user|homeowner)$",
    re.IGNORECASE,
)
# Labels whose levels speak for themselves: "female", not "female gender".
_SELF_EVIDENT = re.compile(
    r"\b(gender|sex|marital|status|region|city|province|state|country|education|degree|occupation|"
    r"lifestyle|life ?stage|type|class|urbanity|urban|area|home|housing|dwelling|household)\b",
    re.IGNORECASE,
)
_HOUSING = re.compile(r"\b(home|housing|dwelling|tenure|household|residence)\b", re.IGNORECASE)
_GENDER = re.compile(r"\b(gender|sex)\b", re.IGNORECASE)
_NOUNS = {"female": "women", "woman": "women", "male": "men", "man": "men"}
_HOUSING_NOUNS = (
    (re.compile(r"^(renter|rent|rented|renting|tenant)s?$", re.IGNORECASE), "renters"),
    (re.compile(r"^(home)?(owner|own|owned|owning|owns)s?$", re.IGNORECASE), "owners"),
)
_ADJECTIVES = frozenset(
    [
        "urban",
        "suburban",
        "rural",
        "married",
        "single",
        "divorced",
        "widowed",
        "separated",
        "retired",
        "employed",
        "unemployed",
    ]
)
_EDUCATION = re.compile(r"\b(education|degree|schooling)\b", re.IGNORECASE)
_STUDIED = re.compile(r"degree|school|education|college|universit|diploma", re.IGNORECASE)
# Words of column names that people would not read.
_WRITTEN_OUT = {
    "amt": "amount",
    "avg": "average",
    "cnt": "count of",
    "freq": "frequency",
    "mnt": "amount of",
    "num": "number of",
    "pct": "percent",
    "prc": "percent",
    "prods": "products",
    "qty": "quantity",
    "tot": "total",
    "trx": "transactions",
}
_YES, _NO = frozenset({"yes", "true", "y", "oui"}), frozenset({"no", "false", "n", "non"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a name: an adjective or noun for the people, or a lead with what it leads."""

    role: str  # "adjective", "noun" or "lead"
    lead: str
    body: str


def standouts(findings: Sequence[Finding], limit: int = 8) -> list[Finding]:
    """Choose the findings that set a segment apart, strongest first.

    Parameters
    ----------
    findings : sequence of Finding
        All of one segment.
    limit : int, default 8
        At most so many.

    Returns
    -------
    list of Finding
        One a variable, each with an effect of at least 0.2; of variables that say the same (such
        as "No internet service" under six services) only the first.

    Examples
    --------
    >>> standouts([])
    []
    """
    best: dict[str, Finding] = {}
    for finding in findings:
        known = best.get(finding.column.code)
        if known is None or _weight(finding) > _weight(known):
            best[finding.column.code] = finding
    ranked = sorted(best.values(), key=lambda f: (-_weight(f), f.column.code))
    chosen: list[Finding] = []
    said: set[tuple[str, str]] = set()
    for finding in ranked:
        if abs(finding.trait.effect) < SMALL or finding.trait.value is None:
            continue
        if finding.column.value_type == "nominal":
            key = (finding.trait.level.casefold(), f"{finding.standing:.2f}")
            if key in said:
                continue
            if finding.trait.level.casefold() not in _YES | _NO:
                said.add(key)
        chosen.append(finding)
        if len(chosen) == limit:
            break
    return chosen


def _weight(finding: Finding) -> float:
    """Rank by effect; what a segment has more of says more than what it has less of."""
    effect = finding.trait.effect
    if finding.column.value_type != "nominal":
        return round(abs(effect), 9)
    if finding.trait.level in (MISSING, OTHER):
        return round(0.5 * abs(effect), 9)
    return round(effect if effect > 0 else 0.75 * -effect, 9)


def unique_names(findings: Sequence[Sequence[Finding]]) -> list[str]:
    """Name all segments, no two alike.

    Parameters
    ----------
    findings : sequence of sequence of Finding
        `standouts` of each segment.

    Returns
    -------
    list of str
        Names, different also where case is ignored.

    Examples
    --------
    >>> unique_names([[], []])
    ['Close to the base', 'Close to the base (2)']
    """
    taken: dict[str, list[Phrase]] = {}
    names: list[str] = []
    for rows in findings:
        pieces = _pieces(rows)
        name = _first_free(pieces, taken)
        names.append(name)
        taken[name.casefold()] = pieces
    return names


def _first_free(pieces: list[Phrase], taken: dict[str, list[Phrase]]) -> str:
    count = _fitting(pieces)
    head = _compose(pieces[:count])
    if head.casefold() not in taken:
        return head
    # Something that the segment of that name does not have, in a line if possible.
    twin = taken[head.casefold()]
    rest = [piece for piece in pieces[count:] if piece not in twin]
    choices = [_compose([*pieces[: max(count - 1, 1)], piece]) for piece in rest]
    choices += [_compose([*pieces[:count], piece]) for piece in rest]
    choices.sort(key=lambda name: len(name) > _LONGEST)
    choices += [_compose(pieces[:grown]) for grown in range(count + 1, len(pieces) + 1)]
    # Where every trait is shared, a number is more honest than an invented difference.
    choices += [f"{head} ({number})" for number in range(2, len(taken) + 3)]
    return next(name for name in choices if name.casefold() not in taken)


def describe(size: int, share: float, findings: Sequence[Finding]) -> str:
    """Write one sentence about a segment.

    Parameters
    ----------
    size : int
        Records in it.
    share : float
        Of all records, in [0, 1].
    findings : sequence of Finding
        Its `standouts`.

    Returns
    -------
    str
        Size, share and the three strongest comparisons.

    Examples
    --------
    >>> describe(50, 0.05, [])
    '50 records (5.0%) close to the base on every variable.'
    """
    head = f"{size:,} record{'s' if size != 1 else ''} ({share:.1%})"
    if not findings:
        return f"{head} close to the base on every variable."
    clauses = []
    for finding in findings[:3]:
        told = finding.trait.text.rsplit(": ", 1)[-1]
        clauses.append(f"{short_name(finding.column)} ({told})")
    listed = clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"
    return f"{head} set apart by {listed}."


def short_name(column: Column) -> str:
    """Name a variable in a few words, in lower case where it is no name.

    Parameters
    ----------
    column : Column
        Whose variable's label, description, measure and code are looked at.

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
    statement = _STATEMENT.match(variable.label)
    if statement:
        return _stated(statement["text"], statement["band"])
    # The first part of a catalogue's label, whose others are breakdown, unit and period.
    measure = variable.measure.split(", ")[0] if variable.measure != variable.label else ""
    measure = _UNIVERSE.sub("", measure)
    for text in (variable.label, variable.description, measure, words_of(column.code)):
        term = re.sub(r"\s*\([^)]*\)", "", text).split(": ")[0].strip(" .?!:")
        from_code = term == words_of(column.code)
        code_like = (
            text != variable.label and from_code and re.fullmatch(r"[A-Z0-9_]+", column.code)
        )
        sentence = re.match(r"(I|My|Do|How|What|We)\b", term) or text.rstrip().endswith((".", "?"))
        longest = 8 if text == measure else 5
        if term and not sentence and not code_like and len(term.split()) <= longest:
            if from_code:
                term = " ".join(_WRITTEN_OUT.get(w.lower(), w) for w in term.split())
            return _lowered(term).replace(", ", "/")
    words = re.sub(r"\s*\([^)]*\)", "", measure or variable.label).strip(" .?!:").split()
    cut = f"{' '.join(words[:8])}{'…' if len(words) > 8 else ''}"
    return _lowered(cut) if measure else f"“{cut}”"


def _stated(text: str, band: str) -> str:
    words = text.split()
    text = f"{' '.join(words[:8])}{'…' if len(words) > 8 else ''}"
    text = f"“{text}”" if _OPINION.search(band) else _lowered(text)
    # Yes is understood; no has to be said.
    return f"{text} ({band.lower()})" if _DENIAL.search(band) else text


def _lowered(text: str) -> str:
    first, _, rest = text.partition(" ")
    if first[1:] == first[1:].lower() and len(first) > 1:
        first = first.lower()
    return f"{first} {rest}".strip()


def _pieces(findings: Sequence[Finding]) -> list[Phrase]:
    pieces: list[Phrase] = []
    for finding in findings:
        piece = _phrase(finding)
        if piece is None:
            continue
        bodies = {p.body.casefold() for p in pieces}
        if piece.body.casefold() in bodies or (
            piece.role == "noun" and any(p.role == "noun" for p in pieces)
        ):
            continue
        pieces.append(piece)
    # Of variables that share a word (purchases, purchase frequency …) one says enough at first.
    first: list[Phrase] = []
    for piece in pieces:
        fresh = not any(_words(piece) & _words(p) for p in first)
        fits = not first or len(_compose([*first, piece])) <= _LONGEST
        if fresh and fits and len(first) < 3:
            first.append(piece)
    return [*first, *(p for p in pieces if p not in first)]


def _words(piece: Phrase) -> set[str]:
    return set(re.findall(r"\w{4,}", piece.body.casefold())) - {"number", "amount", "with"}


def _phrase(finding: Finding) -> Phrase | None:
    column, up = finding.column, finding.trait.effect > 0
    short = short_name(column)
    if column.value_type == "nominal":
        return _level_phrase(finding.trait.level, short, finding.standing, up)
    if column.value_type == "boolean":
        if _STATEMENT.match(column.label):
            return Phrase("lead", _stating_lead(short, finding.standing, up), short)
        return _yes_phrase(short, finding.standing, up)
    if column.value_type == "date":
        return Phrase("lead", "late" if up else "early", short)
    if _AGE.search(short) and column.value_type == "numeric":
        return Phrase("adjective", "", "older" if up else "younger")
    if _BORN.search(short):
        return Phrase("adjective", "", "younger" if up else "older")
    if _INCOME.search(short) and len(short.split()) <= 3:
        return Phrase("adjective", "", "higher-income" if up else "lower-income")
    if _COUNT.match(short):
        return Phrase("lead", "many" if up else "few", _COUNT.sub("", short))
    unit = column.variable.unit.casefold()
    if _PLURAL.match(short) and not _RATE.search(short) and unit in ("count", "number"):
        return Phrase("lead", "many" if up else "few", short)
    if _PLURAL.match(short) and not _RATE.search(short) and unit in ("percent", "%"):
        return Phrase("lead", "high share of" if up else "low share of", short)
    # A rating from 1 is a degree of something; a count may start at 0.
    worded = column.value_type == "ordinal" and column.levels[0] in ("1", "2")
    level = "high on" if worded and up else "low on" if worded else "high" if up else "low"
    very = finding.standing >= 0.85 or finding.standing <= 0.15
    return Phrase("lead", f"very {level}" if very else level, short)


def _yes_phrase(short: str, share: float, up: bool) -> Phrase:
    if _PERSONS.search(short):
        if up and share >= _MOST:
            return Phrase("noun", "", f"{short}s")
        return Phrase("lead", "more" if up else "no" if share <= _FEW else "fewer", f"{short}s")
    return Phrase("lead", _lead(share, up, "with"), short)


def _stating_lead(short: str, share: float, up: bool) -> str:
    if up and share >= _HALF:
        return ""
    amount = "more" if up else "hardly any" if share <= _FEW else "fewer"
    return amount if short.startswith("“") else f"{amount} who"


def _lead(share: float, up: bool, most: str) -> str:
    if up:
        return most if share >= _HALF else f"more {most}".strip()
    return "no" if share <= _FEW else f"fewer {most}".strip()


def _level_phrase(level: str, short: str, share: float, up: bool) -> Phrase | None:
    key = level.casefold()
    if key == MISSING:
        return Phrase("lead", "more" if up else "less", f"unknown {short}")
    if key in _YES:
        return _yes_phrase(short, share, up)
    if key in _NO:
        # A common "no" is a rare yes; a rare "no" only means one of several other answers.
        return Phrase("lead", "no" if share >= 1 - _FEW else "mostly no", short) if up else None
    most = up and share >= _MOST
    if most and _GENDER.search(short) and key in _NOUNS:
        return Phrase("noun", "", _NOUNS[key])
    if most and _HOUSING.search(short):
        for pattern, noun in _HOUSING_NOUNS:
            if pattern.match(level):
                return Phrase("noun", "", noun)
    if most and key == "together" and "marital" in short:
        return Phrase("adjective", "", "cohabiting")
    if most and key in _ADJECTIVES and _SELF_EVIDENT.search(short):
        return Phrase("adjective", "", key)
    body = _level_body(level, short)
    lead = _lead(share, up, "")
    if not lead and body.startswith("no "):
        lead, body = "no", body.removeprefix("no ")
    return Phrase("lead", lead, body)


def _level_body(level: str, short: str) -> str:
    stems = {word[:4] for word in re.findall(r"\w{4,}", level.casefold())}
    related = bool(stems & {word[:4] for word in re.findall(r"\w{4,}", short.casefold())})
    if _EDUCATION.search(short) and not _STUDIED.search(level):
        return f"{_lowered(level)} education"
    negative = level.casefold().startswith("no ")
    # "Village - town" names the answers themselves.
    if related or negative or _SELF_EVIDENT.search(short) or " - " in short:
        return _lowered(level)
    if len(level.split()) > 3:
        return f"{short}: {_lowered(level)}"
    if len(short.split()) > 3:
        return f"{_lowered(level)} ({short})"
    return f"{_lowered(level)} {short}"


def _fitting(pieces: Sequence[Phrase]) -> int:
    for count in (3, 2):
        if count <= len(pieces) and len(_compose(pieces[:count])) <= _LONGEST:
            return count
    return min(1, len(pieces))


def _compose(pieces: Sequence[Phrase]) -> str:
    if not pieces:
        return "Close to the base"
    adjectives = sorted(p.body for p in pieces if p.role == "adjective")
    # Life stage before money before place, as people say it.
    adjectives.sort(key=lambda a: (a not in ("younger", "older"), "income" not in a))
    noun = next((p.body for p in pieces if p.role == "noun"), "people" if adjectives else "")
    people = " ".join([*adjectives, noun]).strip()
    leads: dict[str, list[str]] = {}
    for piece in pieces:
        if piece.role == "lead":
            leads.setdefault(piece.lead, []).append(piece.body)
    parts = [people] if people else []
    if any(lead.endswith("who") for lead in leads):
        # "Hardly any who bake, fry fish" would deny both.
        leads = {"": [], **leads}
    for lead, bodies in leads.items():
        if not lead:
            parts.extend(bodies)
            continue
        word = " or " if lead.startswith(("no", "mostly no", "hardly any")) else " and "
        if any(" and " in body or " or " in body for body in bodies):
            word = ", "
        listed = ", ".join([*bodies[:-2], word.join(bodies[-2:])])
        parts.append(f"{lead} {listed}")
    name = ", ".join(parts)
    return name[:1].upper() + name[1:]
