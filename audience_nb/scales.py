"""Words of answers: those for nothing, for yes and no, and for degrees in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["MISSING_WORDS", "answer_of", "in_order", "means_missing", "yes_or_no"]

# Answers that tell nothing of the person. "None" is not among them: it may be an answer.
MISSING_WORDS = frozenset(
    [
        *("n/a", "na", "n.a.", "#n/a", "null", "nil", "nan", "missing", "(missing)", "(blank)"),
        *("blank", "unknown", "unk", "undefined", "not known", "not available", "not applicable"),
        *("not stated", "not reported", "not asked", "not specified", "unspecified", "no answer"),
        *("no response", "nr", "refused", "refusal", "ref", "declined", "declined to answer"),
        *("prefer not to say", "prefer not to answer", "rather not say", "don't know"),
        *("dont know", "don’t know", "do not know", "dk", "dk/na", "dk/nr", "dk/ref", "idk"),
        *(
            "don't know/refused",
            "don't know / refused",
            "skipped",
            "skip",
            "tbd",
            "to be confirmed",
        ),
        *("-", "--", "?", ".", "..", "...", "x/x", "ne sait pas", "nsp", "inconnu"),
        *("sans objet", "refus", "non disponible", "pas de réponse"),
    ]
)
_MISSING_START = re.compile(
    r"^(refused|refusal|don['’]?t know|do not know|not (stated|applicable|asked|available)|"
    r"no (answer|response)|prefer not|missing|valid skip)\b",
    re.IGNORECASE,
)

_TRUE_FALSE: Mapping[str, bool] = {
    **dict.fromkeys(("yes", "y", "true", "t", "oui", "vrai", "ja", "sí", "si", "on", "1"), True),
    **dict.fromkeys(("checked", "selected", "subscribed", "opted in", "opt-in", "enabled"), True),
    **dict.fromkeys(("no", "n", "false", "f", "non", "faux", "nein", "off", "0"), False),
    **dict.fromkeys(("unchecked", "not selected", "unsubscribed", "opted out", "opt-out"), False),
    **dict.fromkeys(("not checked", "disabled"), False),
}

# Each scale from least to most; answers on one line stand in the same place.
_SCALES: Sequence[Sequence[Sequence[str]]] = (
    (
        ("strongly disagree", "completely disagree", "totally disagree", "disagree strongly"),
        ("disagree", "mostly disagree"),
        ("somewhat disagree", "slightly disagree", "tend to disagree", "disagree somewhat"),
        ("neutral", "neither agree nor disagree", "undecided", "neither", "not sure", "mixed"),
        ("somewhat agree", "slightly agree", "tend to agree", "agree somewhat"),
        ("agree", "mostly agree"),
        ("strongly agree", "completely agree", "totally agree", "agree strongly"),
    ),
    (
        ("extremely dissatisfied", "completely dissatisfied"),
        ("very dissatisfied", "very unsatisfied"),
        ("dissatisfied", "unsatisfied"),
        ("somewhat dissatisfied", "slightly dissatisfied"),
        ("neutral", "neither satisfied nor dissatisfied", "neither"),
        ("somewhat satisfied", "slightly satisfied"),
        ("satisfied",),
        ("very satisfied",),
        ("extremely satisfied", "completely satisfied"),
    ),
    (
        ("never",),
        ("almost never", "hardly ever", "very rarely"),
        ("less than yearly", "less than once a year"),
        ("yearly", "once a year", "annually"),
        ("rarely", "seldom"),
        ("occasionally", "once in a while"),
        ("quarterly", "less than monthly", "less than once a month"),
        ("sometimes",),
        ("monthly", "once a month"),
        ("often", "frequently", "regularly"),
        ("weekly", "once a week"),
        ("usually", "very often", "most of the time"),
        ("almost always", "several times a week"),
        ("daily", "every day", "once a day"),
        ("always", "several times a day", "constantly"),
    ),
    (
        ("not at all important", "not important at all"),
        ("unimportant", "not important", "not very important"),
        ("slightly important", "a little important"),
        ("somewhat important", "moderately important", "neutral"),
        ("important", "quite important"),
        ("very important",),
        ("extremely important",),
    ),
    (
        ("extremely unlikely", "definitely not"),
        ("very unlikely",),
        ("unlikely", "probably not"),
        ("somewhat unlikely",),
        ("neutral", "neither likely nor unlikely", "maybe", "not sure"),
        ("somewhat likely",),
        ("likely", "probably"),
        ("very likely",),
        ("extremely likely", "definitely"),
    ),
    (
        ("terrible", "awful"),
        ("very poor", "very bad"),
        ("poor", "bad"),
        ("fair", "average", "okay", "ok"),
        ("good",),
        ("very good",),
        ("excellent", "great"),
    ),
    (
        ("none", "zero"),
        ("minimal",),
        ("very low",),
        ("low",),
        ("medium low", "below average"),
        ("medium", "moderate", "average", "mid", "middle"),
        ("medium high", "above average"),
        ("high",),
        ("very high",),
    ),
    (("xs", "extra small"), ("s", "small"), ("m", "medium"), ("l", "large"), ("xl", "extra large")),
    (
        ("not at all",),
        ("a little", "slightly", "a bit"),
        ("somewhat", "moderately"),
        ("quite", "quite a bit", "quite a lot"),
        ("very", "very much", "a lot"),
        ("extremely", "completely"),
    ),
    (("bronze",), ("silver",), ("gold",), ("platinum",), ("diamond",)),
    (
        ("no schooling", "less than primary"),
        ("primary", "primary school", "elementary", "elementary school"),
        ("some high school", "less than high school"),
        ("secondary", "secondary school", "high school", "high school diploma"),
        ("some college",),
        ("college", "college diploma", "associate", "associate degree", "college/bachelor degree"),
        ("bachelor", "bachelors", "bachelor's", "bachelor degree", "bachelor's degree"),
        ("master", "masters", "master's", "masters degree", "master's degree"),
        ("phd", "doctorate", "doctorate degree", "doctoral degree"),
    ),
)
_PLACES = tuple(
    {text: place for place, line in enumerate(scale) for text in line} for scale in _SCALES
)
# More levels than any scale here has, and more than anybody orders by hand.
MAX_BANDS = 30
MAX_NUMBERED = 20

_AMOUNT = r"[$€£]?\s?(\d[\d,]*(?:\.\d+)?)\s?(k|m)?"
_UNIT = r"(?:\s?(?:%|years?|yrs?|days?|months?|hours?|minutes?|km|people|persons?))?"
_BAND = re.compile(rf"^{_AMOUNT}{_UNIT}\s*(?:-|–|—|to|à)\s*{_AMOUNT}{_UNIT}$", re.IGNORECASE)
_BELOW = re.compile(
    rf"^(?:under|below|less than|up to|<=?|fewer than|moins de)\s*{_AMOUNT}{_UNIT}$", re.IGNORECASE
)
_ABOVE = re.compile(
    rf"^(?:(?:over|above|more than|>=?|at least|plus de)\s*{_AMOUNT}{_UNIT}|"
    rf"{_AMOUNT}{_UNIT}\s*(?:\+|and over|or over|and above|or more|or older|and older|et plus))$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\(?(\d{1,2})\b(?![.,]\d)")


def means_missing(text: str) -> bool:
    """Tell whether an answer says nothing of the person.

    Parameters
    ----------
    text : str
        A cell or the label of a code.

    Returns
    -------
    bool

    Examples
    --------
    >>> means_missing("Refused"), means_missing("Don't know / no answer"), means_missing("None")
    (True, True, False)
    """
    plain = " ".join(text.casefold().split())
    return plain in MISSING_WORDS or _MISSING_START.match(plain) is not None


def answer_of(text: str) -> bool | None:
    """Read one answer as yes or no.

    Parameters
    ----------
    text : str
        A cell.

    Returns
    -------
    bool or None
        None where it is neither.

    Examples
    --------
    >>> answer_of("Oui"), answer_of(" N "), answer_of("maybe")
    (True, False, None)
    """
    return _TRUE_FALSE.get(" ".join(text.casefold().split()))


def yes_or_no(texts: Iterable[str]) -> dict[str, bool] | None:
    """Read answers as yes and no, however they are spelt.

    Parameters
    ----------
    texts : iterable of str
        The different answers.

    Returns
    -------
    dict of str to bool, or None
        Each answer's meaning; None unless all are yes or no and both occur.

    Examples
    --------
    >>> yes_or_no(["Y", "no", "TRUE"])
    {'Y': True, 'no': False, 'TRUE': True}
    >>> yes_or_no(["Yes", "No internet"]) is None
    True
    """
    read: dict[str, bool] = {}
    for text in texts:
        answer = answer_of(text)
        if answer is None:
            return None
        read[text] = answer
    return read if len(set(read.values())) == 2 else None


def in_order(texts: Sequence[str]) -> list[str] | None:
    """Put answers in order, where their words say which.

    Parameters
    ----------
    texts : sequence of str
        The different answers of one question.

    Returns
    -------
    list of str or None
        From least to most: degrees of agreement, satisfaction, frequency and the like; bands such
        as "18-24" and "65+"; answers that begin with their number. None if they have no order.

    Examples
    --------
    >>> in_order(["Agree", "Strongly disagree", "Neutral"])
    ['Strongly disagree', 'Neutral', 'Agree']
    >>> in_order(["65+", "18-24", "25-64", "Under 18"])
    ['Under 18', '18-24', '25-64', '65+']
    >>> in_order(["red", "green"]) is None
    True
    """
    if len(texts) < 2:
        return None
    plain = {text: " ".join(text.casefold().split()) for text in texts}
    for places in _PLACES:
        if all(words in places for words in plain.values()):
            found = {text: places[words] for text, words in plain.items()}
            # Two wordings of one place would be one level written twice.
            if len(set(found.values())) == len(found):
                return sorted(texts, key=lambda text: found[text])
    return _bands(texts) or _numbered(texts)


def _bands(texts: Sequence[str]) -> list[str] | None:
    if len(texts) > MAX_BANDS:
        return None
    lows: dict[str, tuple[float, int]] = {}
    for text in texts:
        if found := _BAND.match(text):
            low, high = _amount(found[1], found[2] or found[4]), _amount(found[3], found[4])
            if low >= high:
                return None
            lows[text] = low, 1
        elif found := _BELOW.match(text):
            lows[text] = _amount(found[1], found[2]), 0
        elif found := _ABOVE.match(text):
            lows[text] = _amount(found[1] or found[3], found[2] or found[4]), 2
        elif re.fullmatch(r"\d+", text):
            lows[text] = float(text), 1
        else:
            return None
    kinds = [kind for _, kind in lows.values()]
    if len(set(lows.values())) < len(texts) or all(re.fullmatch(r"\d+", t) for t in texts):
        return None
    # "Under 18" stands below everything, "65+" above; each at most once.
    if kinds.count(0) > 1 or kinds.count(2) > 1:
        return None
    return sorted(texts, key=lambda t: (lows[t][1] if lows[t][1] != 1 else 1, lows[t][0]))


def _amount(number: str, power: str | None) -> float:
    return float(number.replace(",", "")) * {"k": 1e3, "m": 1e6}.get((power or "").lower(), 1.0)


def _numbered(texts: Sequence[str]) -> list[str] | None:
    found = {text: _NUMBERED.match(text) for text in texts}
    numbers = {text: int(match[1]) for text, match in found.items() if match}
    worded = any(re.search(r"[^\W\d]", text) for text in texts)
    if len(numbers) < len(texts) or not worded or len(set(numbers.values())) < len(texts):
        return None
    if max(numbers.values()) > MAX_NUMBERED:
        return None
    return sorted(texts, key=lambda text: numbers[text])
