"""Numbers as people write them, in English and French, as digits."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["UNITS", "ordinal", "spelt"]

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_FRENCH = (
    "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
)
UNITS: dict[str, int] = {
    **{word: n for n, word in enumerate(_ENGLISH.split())},
    **{word: n for n, word in enumerate(_FRENCH.split())},
    "twelfth": 12,
    "dozen": 12,
    "douzaine": 12,
    "dizaine": 10,
    "vingtaine": 20,
    "une": 1,
}
_TENS = {
    word: 10 * n
    for words, n in (
        ("twenty vingt", 2),
        ("thirty trente", 3),
        ("forty fourty quarante", 4),
        ("fifty cinquante", 5),
        ("sixty soixante", 6),
        ("seventy septante", 7),
        ("eighty huitante", 8),
        ("ninety nonante", 9),
    )
    for word in words.split()
}
_HUNDRED = {"hundred", "cent", "cents"}
# Words that are far more often something else than a number.
_OTHERWISE = {"one", "un", "une", "neuf", "second"}
_COUNTABLE = frozenset(
    {"segments", "groupes", "variables", "suggestions", "resultats", "personnes", "clients"}
)
_ORDINALS = {
    word: n
    for n, words in enumerate(
        (
            "first premier premiere",
            "second deuxieme seconde",
            "third troisieme",
            "fourth quatrieme",
            "fifth cinquieme",
            "sixth sixieme",
            "seventh septieme",
            "eighth huitieme",
            "ninth neuvieme",
            "tenth dixieme",
            "eleventh onzieme",
            "twelfth douzieme",
        ),
        start=1,
    )
    for word in words.split()
}


def ordinal(word: str) -> int | None:
    """Read an ordinal.

    Parameters
    ----------
    word : str
        Folded.

    Returns
    -------
    int or None

    Examples
    --------
    >>> ordinal("third"), ordinal("2nd"), ordinal("3e"), ordinal("nice")
    (3, 2, 3, None)
    """
    digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
    if digits.isdigit() and word[len(digits) :] in (
        "st", "nd", "rd", "th", "e", "er", "ere", "eme", "ieme",
    ):  # fmt: skip
        return int(digits)
    return _ORDINALS.get(word)


def spelt(words: Sequence[str]) -> tuple[int, int] | None:
    """Read the number that begins a list of words.

    Parameters
    ----------
    words : sequence of str
        Folded, without hyphens.

    Returns
    -------
    (int, int) or None
        The number, and how many words say it. "one" and "un" alone are none.

    Examples
    --------
    >>> spelt(["twenty", "five", "groups"]), spelt(["quatre", "vingt", "dix"]), spelt(["one"])
    ((25, 2), (90, 3), None)
    """
    total = at = 0
    if words[:1] == ["neuf"] and words[1:2] and words[1] in _COUNTABLE:
        # Elsewhere it says "new".
        return 9, 1
    if words[:1] == ["half"] and words[1:3] == ["a", "dozen"]:
        return 6, 3
    if words[:2] == ["quatre", "vingt"] or words[:2] == ["quatre", "vingts"]:
        total, at = 80, 2
    elif words[:1] and words[0] in _TENS:
        total, at = _TENS[words[0]], 1
    elif words[:1] and words[0] in UNITS and words[0] not in _OTHERWISE:
        total, at = UNITS[words[0]], 1
        if total == 10 and words[1:2] and words[1] in ("sept", "huit", "neuf"):
            return total + UNITS[words[1]], 2
    if at and total >= 20:
        rest = list(words[at:])
        joined = 1 if rest[:1] == ["et"] and rest[1:2] and rest[1] in ("un", "une", "onze") else 0
        follows = rest[joined : joined + 1]
        if follows and follows[0] in UNITS:
            more = UNITS[follows[0]]
            if more == 10 and rest[joined + 1 : joined + 2] and rest[joined + 1] in (
                "sept", "huit", "neuf",
            ):  # fmt: skip
                return total + more + UNITS[rest[joined + 1]], at + joined + 2
            if 0 < more < 10 or (0 < more < 17 and total in (60, 80)):
                return total + more, at + joined + 1
    if words[at : at + 1] and words[at] in _HUNDRED and (at or words[0] != "cents"):
        hundreds = (total or 1) * 100
        more_words = spelt(list(words[at + 1 :])) if words[at + 1 :] else None
        if more_words and more_words[0] < 100:
            return hundreds + more_words[0], at + 1 + more_words[1]
        return hundreds, at + 1
    if words[:2] in (["a", "hundred"], ["one", "hundred"]):
        return 100, 2
    if words[:2] in (["a", "thousand"], ["one", "thousand"]):
        return 1000, 2
    if words[:1] == ["mille"]:
        return 1000, 1
    if at and words[at : at + 1] in (["thousand"], ["mille"]):
        return total * 1000, at + 1
    return (total, at) if at else None
