"""Names from what sets a segment apart, and from nothing else.

Every word of a name comes from a variable's label or level and the direction of its effect.
Words for the people themselves ("women", "urban", "renters") need two thirds of the segment, "with
dependents" half of it, and "no" all but a tenth. Same findings, same names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from audience_nb.encoding.columns import MISSING, OTHER
from audience_nb.segments.idiom import idiom
from audience_nb.segments.profile import Finding
from audience_nb.segments.terms import STATEMENT, is_plural, lowered, short_name

__all__ = ["standouts", "unique_names"]

# Cohen's "small": below it a difference is not worth a word.
SMALL = 0.2
# A name has to fit on a card and in a chart's legend.
_LONGEST = 45
# Pieces that a name may be put together from, strongest first.
_CHOICE = 8
# Of a wording too long for a name beside others so many characters.
_BEGINNING = 22
_CUT_WORTH = 0.4
_MOST, _HALF, _FEW = 2 / 3, 0.5, 0.1
_AGE = re.compile(
    r"^(\w+ )?age( in years| of (the )?(person|customer|respondent|member))?$", re.IGNORECASE
)
_BORN = re.compile(r"\b(birth year|year (of )?birth|born)\b", re.IGNORECASE)
_INCOME = re.compile(r"\bincome\b", re.IGNORECASE)
_PLURAL = re.compile(r"^(people|women|men|children|\w{3,}s)\b", re.IGNORECASE)
_RATE = re.compile(r"\b(rate|share|percent|percentage|proportion|ratio)\b", re.IGNORECASE)
_OWNED = re.compile(r"(have|has|own)\b", re.IGNORECASE)
_COUNT = re.compile(r"^(number of|no\. of|num|count of|how many)\s+", re.IGNORECASE)
_AMOUNT_OF = re.compile(r"^(time|money|amount|frequency|interest)\b", re.IGNORECASE)
_SPELL = re.compile(r"^(days|weeks|months|years)\b", re.IGNORECASE)
_PERSONS = re.compile(
    r"\b(citizen|student|parent|customer|owner|renter|member|subscriber|buyer|user|homeowner)$",
    re.IGNORECASE,
)
# Labels whose levels speak for themselves: "female", not "female gender".
_SELF_EVIDENT = re.compile(
    r"\b(gender|sex|marital|status|region|city|province|state|country|education|degree|occupation|"
    r"payment method|channel|main|favou?rite|preferred|activity|tier|plan|"
    r"lifestyle|life ?stage|type|class|urbanity|urban|area|home|housing|"
    r"dwelling|household)\b",
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
_DEGREES = (
    (re.compile(r"^(phd|doctorate|doctoral)", re.IGNORECASE), "a PhD"),
    (re.compile(r"^master", re.IGNORECASE), "a master's degree"),
    (re.compile(r"^(bachelor|graduation|graduate)", re.IGNORECASE), "a degree"),
)
_PAYMENT = re.compile(r"\bpayment (method|type)\b", re.IGNORECASE)
_STUDIED = re.compile(r"degree|school|education|college|universit|diploma", re.IGNORECASE)
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
    return round(effect if effect > 0 else 0.6 * -effect, 9)


def unique_names(findings: Sequence[Sequence[Finding]], taken: Collection[str] = ()) -> list[str]:
    """Name all segments, no two alike.

    Parameters
    ----------
    findings : sequence of sequence of Finding
        `standouts` of each segment.
    taken : collection of str, default ()
        Names that are not free.

    Returns
    -------
    list of str
        Names, different also where case is ignored.

    Examples
    --------
    >>> unique_names([[], []])
    ['Close to the base', 'Close to the base (2)']
    """
    taken = {name.casefold() for name in taken}
    names: list[str] = []
    pieces = [_pieces(rows) for rows in findings]
    # What many segments share tells them less apart than what few have.
    common: dict[Phrase, int] = {}
    for found in pieces:
        for piece, _ in found:
            common[piece] = common.get(piece, 0) + 1
    for found in pieces:
        rated = [(p, w * (1.25 - 0.5 * common[p] / len(pieces))) for p, w in found]
        name = _best(rated, taken)
        names.append(name)
        taken.add(name.casefold())
    return names


def _best(pieces: Sequence[tuple[Phrase, float]], taken: set[str]) -> str:
    """Choose the strongest pieces that fit a name nobody has: at most three, the first among them.

    A number is more honest than an invented difference where every trait is shared.
    """
    # A beginning tells less than a whole wording; where no whole one is free, it has to do.
    whole = [(p, w * (_CUT_WORTH if "…" in p.body else 1)) for p, w in pieces]
    short = [(_shortened(piece), worth) for piece, worth in pieces]
    for wordings in (whole, short):
        choices = _choices(wordings, taken)
        if choices:
            return max(choices)[2]
    head = _clipped(_compose([piece for piece, _ in pieces[:1]]))
    numbered = (f"{head} ({number})" for number in range(2, len(taken) + 3))
    return next(name for name in (head, *numbered) if name.casefold() not in taken)


def _choices(
    pieces: Sequence[tuple[Phrase, float]], taken: set[str]
) -> list[tuple[float, tuple[int, ...], str]]:
    """Give the free names that fit, each with its worth and its pieces, earlier ones greater."""
    choices = []
    within = range(min(len(pieces), _CHOICE))
    for count in (1, 2, 3):
        for places in combinations(within, count):
            chosen = [pieces[i][0] for i in places]
            name = _compose(chosen)
            if len(name) > _LONGEST or name.casefold() in taken:
                continue
            worth = sum(pieces[i][1] for i in places)
            # Of variables that share a word (purchases, purchase frequency …) one says enough.
            worth *= 0.5 ** sum(bool(_words(a) & _words(b)) for a, b in combinations(chosen, 2))
            worth *= 1.0 if 0 in places else 0.6
            choices.append((round(worth, 9), tuple(-i for i in places), name))
    return choices


def _shortened(piece: Phrase) -> Phrase:
    """Cut a long wording between words."""
    if len(piece.body) <= _BEGINNING:
        return piece
    quoted = piece.body.startswith("“")
    cut = piece.body.strip("“”…")[: _BEGINNING - 1].rsplit(" ", 1)[0]
    cut = re.sub(r"(\s(a|an|at|by|for|from|in|of|on|or|the|to|with|and|its|are|is))+$", "", cut)
    body = f"“{cut}…”" if quoted else f"{cut}…"
    return Phrase(piece.role, piece.lead, body)


def _clipped(name: str) -> str:
    """Cut a name between words, and close the quotes it opens."""
    if len(name) <= _LONGEST:
        return name
    short = name[: _LONGEST - 2].rsplit(" ", 1)[0].rstrip(" ,;:-–…")
    return f"{short}…{'”' if '“' in short and '”' not in short else ''}"


def _pieces(findings: Sequence[Finding]) -> list[tuple[Phrase, float]]:
    """Give what can be said of a segment and how much it says, strongest first."""
    pieces: list[tuple[Phrase, float]] = []
    for finding in findings:
        piece = _phrase(finding)
        if piece is None:
            continue
        bodies = {p.body.casefold() for p, _ in pieces}
        second_noun = piece.role == "noun" and any(p.role == "noun" for p, _ in pieces)
        if piece.body.casefold() not in bodies and not second_noun:
            pieces.append((piece, _weight(finding)))
    return pieces


def _words(piece: Phrase) -> set[str]:
    return set(re.findall(r"\w{4,}", piece.body.casefold())) - {"number", "amount", "with"}


def _phrase(finding: Finding) -> Phrase | None:
    column, up = finding.column, finding.trait.effect > 0
    short = short_name(column)
    said = None
    if column.value_type != "nominal" or finding.trait.level.casefold() in _YES:
        said = idiom(short, finding.standing, up)
    if said is not None:
        return Phrase(*said)
    if column.value_type == "nominal":
        return _level_phrase(finding.trait.level, short, finding.standing, up)
    if column.value_type == "boolean":
        statement = STATEMENT.match(column.label)
        if statement is not None and _OWNED.match(statement["band"]):
            owned = re.sub(r"^an? ", "", short) if finding.standing < _HALF else short
            return _yes_phrase(owned, finding.standing, up)
        if statement is not None:
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
        return Phrase("lead", _count_lead(finding, up), _COUNT.sub("", short))
    if _SPELL.match(short):
        return Phrase("lead", "many" if up else "few", short)
    unit = column.variable.unit.casefold()
    counted = unit in ("count", "number") or (unit and short.casefold().startswith(f"{unit} "))
    if is_plural(short) and not _RATE.search(short) and counted:
        return Phrase("lead", "many" if up else "few", short)
    if unit in ("percent", "%") and _PERSONS.search(short):
        return Phrase("lead", "many" if up else "few", f"{short}s")
    if is_plural(short) and not _RATE.search(short) and unit in ("percent", "%"):
        return Phrase("lead", "many" if up else "few", short)
    # A rating from 1 is a degree of something; a count may start at 0.
    worded = column.value_type == "ordinal" and column.levels[0] in ("1", "2")
    level = "high on" if worded and up else "low on" if worded else "high" if up else "low"
    very = finding.standing >= 0.85 or finding.standing <= 0.15
    return Phrase("lead", f"very {level}" if very else level, short)


def _count_lead(finding: Finding, up: bool) -> str:
    """Say "with" of what most people have none of: one child is not many."""
    trait = finding.trait
    if not up:
        return "few"
    if trait.measure == "share":
        return (
            ("with" if trait.value >= _HALF else "more") if trait.level.endswith(" 0") else "many"
        )
    return "with" if trait.base == 0 else "many"


def _yes_phrase(short: str, share: float, up: bool) -> Phrase:
    if _PERSONS.search(short):
        if up and share >= _MOST:
            return Phrase("noun", "", f"{short}s")
        return Phrase("lead", "more" if up else "no" if share <= _FEW else "fewer", f"{short}s")
    if up:
        return Phrase("lead", "with" if share >= _HALF else "more", short)
    less = "fewer" if _PLURAL.match(short) else "less"
    return Phrase("lead", "no" if share <= _FEW else less, short)


def _stating_lead(short: str, share: float, up: bool) -> str:
    if up and share >= _HALF:
        return ""
    amount = "more" if up else "few" if share <= _FEW else "fewer"
    if _AMOUNT_OF.match(short):
        return "more" if up else "less"
    return f"{amount} say" if short.startswith("“") else f"{amount} who"


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
    if _PAYMENT.search(short):
        return Phrase("lead", _lead(share, up, "paying by"), lowered(level))
    if most and key == "together" and "marital" in short:
        return Phrase("adjective", "", "cohabiting")
    if most and key in _ADJECTIVES and _SELF_EVIDENT.search(short):
        return Phrase("adjective", "", key)
    degree = _schooling(level) if _EDUCATION.search(short) else None
    if degree is not None:
        return _yes_phrase(degree, share, up)
    body = _level_body(level, short)
    lead = _lead(share, up, "")
    if not lead and body.startswith("no "):
        lead, body = "no", body.removeprefix("no ")
    return Phrase("lead", lead, body)


def _schooling(level: str) -> str | None:
    """Say what a level of education is to have: "a PhD"."""
    return next((what for said, what in _DEGREES if said.search(level)), None)


def _level_body(level: str, short: str) -> str:
    stems = {word[:4] for word in re.findall(r"\w{4,}", level.casefold())}
    related = bool(stems & {word[:4] for word in re.findall(r"\w{4,}", short.casefold())})
    if _EDUCATION.search(short) and not _STUDIED.search(level):
        return f"{lowered(level)} education"
    negative = level.casefold().startswith("no ")
    # "Village - town" names the answers themselves.
    if related or negative or _SELF_EVIDENT.search(short) or " - " in short:
        return lowered(level)
    if len(level.split()) > 3:
        return f"{short}: {lowered(level)}"
    if len(short.split()) > 3:
        return f"{lowered(level)} ({short})"
    return f"{lowered(level)} {short}"


def _compose(pieces: Sequence[Phrase]) -> str:
    if not pieces:
        return "Close to the base"
    adjectives = sorted(p.body for p in pieces if p.role == "adjective")
    # Life stage before money before place, as people say it.
    adjectives.sort(key=lambda a: (a not in ("younger", "older"), "income" not in a))
    anybody = "customers" if {"newer", "long-standing"} & set(adjectives) else "people"
    noun = next((p.body for p in pieces if p.role == "noun"), anybody if adjectives else "")
    people = " ".join([*adjectives, noun]).strip()
    leads: dict[str, list[str]] = {}
    for piece in pieces:
        if piece.role == "lead":
            leads.setdefault(piece.lead, []).append(piece.body)
    parts = [people] if people else []
    if any(lead.endswith(("who", "say")) for lead in leads):
        # "Few who bake, fry fish" would deny both.
        leads = {"": [], **leads}
    for lead, bodies in leads.items():
        if not lead:
            parts.extend(bodies)
            continue
        word = " or " if lead.startswith(("no", "mostly no", "few who", "few say")) else " and "
        if any(" and " in body or " or " in body for body in bodies):
            word = ", "
        listed = ", ".join([*bodies[:-2], word.join(bodies[-2:])])
        parts.append(f"{lead} {listed}")
    name = ", ".join(parts)
    return name[:1].upper() + name[1:]
