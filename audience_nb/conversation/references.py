"""Which segment, which suggestion: "the third one", "Young renters", "2 and 5"."""

from __future__ import annotations

import re

from audience_nb.conversation.context import Context, Listed
from audience_nb.conversation.lexicon import pattern
from audience_nb.conversation.line import Line
from audience_nb.conversation.numbers import ordinal

__all__ = ["segments_of", "suggestions_of"]

_SEG = re.compile(
    pattern(
        r"(?:the |our |my |le |la |les |l' |of |number |numbers |numero |no |n ° |# |und )*"
        r"(?:<seg>)(?: (?:number|numbers|numero|no|n °|#))?"
    )
)
_DETERMINERS = re.compile(
    r"^(?:(?:the|our|my|both|all|of|le|la|les|l'|du|des|au|a|aux|number|numero|no|n|°|#|"
    r"celui|celle|nr) )+"
)
_BETWEEN = re.compile(
    r" ?(?:,|;|/|&|\+) ?(?:(?:and|et) )?| (?:and|et|with|to|against|versus|vs|vs .|avec|contre|a|"
    r"from|than|au|aux|or|ou|la|le|d' avec|d' avec le) "
)
_RANGE = re.compile(r"(\d+) (?:-|–|to|through|a) (\d+)")
_LARGEST = {
    "largest",
    "biggest",
    "plus grand",
    "plus grande",
    "plus gros",
    "grand",
    "most populous",
}
_SMALLEST = {"smallest", "plus petit", "plus petite", "littlest", "tiniest"}
_LAST = {"last", "dernier", "derniere", "final"}
_COUNTS = {"two": 2, "three": 3, "2": 2, "3": 3, "4": 4, "deux": 2, "trois": 3, "5": 5}


def segments_of(line: Line, context: Context, *, ranges: bool = False) -> tuple[int, ...] | None:
    """Find the segments that some words name.

    Parameters
    ----------
    line : Line
        Nothing but their names or numbers.
    context : Context
        With the segments that there are.
    ranges : bool, optional
        Whether "1 to 4" means all from 1 to 4, not two of them.

    Returns
    -------
    tuple of int or None
        Ids in the order named; None if anything in it names no segment.

    Examples
    --------
    >>> context = Context(segments=(Listed(1, "Young renters"), Listed(2, "Rural owners")))
    >>> segments_of(Line("segment 2 and the young renters"), context)
    (2, 1)
    >>> segments_of(Line("prices"), context) is None
    True
    """
    whole = _named(line.words, line.written, context)
    if whole is not None:
        return (whole,)
    words = re.sub(r"'s\b| (?:together|ensemble)$", "", line.words)
    words = " ".join(_SEG.sub(" ", words).split())
    if not words:
        return None
    spread = re.fullmatch(r"(?:the )?(?:first|premiers|premieres|les? \w+ premiers?) (\w+)", words)
    two = re.fullmatch(r"(?:the )?(?:largest|biggest) (\w+)(?: ones)?", words)
    french = re.fullmatch(r"(?:les )?(\w+) (?:first|premiers|premieres)", words)
    several = spread or french
    if several is not None and several[1] in _COUNTS:
        ids = [int(s.key) for s in context.segments] or list(range(1, 10))
        return tuple(ids[: _COUNTS[several[1]]])
    biggest = re.fullmatch(r"(?:the |les )?(\w+) (?:largest|biggest|plus grands?|plus gros)", words)
    biggest = biggest or two
    if biggest is not None and biggest[1] in _COUNTS and context.segments:
        by_size = sorted(context.segments, key=lambda s: -s.size)
        return tuple(int(s.key) for s in by_size[: _COUNTS[biggest[1]]])
    if ranges:
        words = _RANGE.sub(_spread, words)
    found: list[int] = []
    for part in _BETWEEN.split(words):
        if not part.strip():
            continue
        one = _segment(part.strip(), context)
        if one is None:
            return None
        found += one
    return tuple(dict.fromkeys(found)) or None


def _spread(match: re.Match[str]) -> str:
    first, last = int(match[1]), int(match[2])
    if not 0 < last - first < 100:
        return match[0]
    return " , ".join(str(i) for i in range(first, last + 1))


def _segment(words: str, context: Context) -> list[int] | None:
    words = _DETERMINERS.sub("", words + " ").strip()
    words = re.sub(r" (?:ones?|segments?|groups?|groupes?)$", "", words)
    if re.fullmatch(r"\d+(?: \d+)*", words):
        ids = [int(w) for w in words.split()]
        return ids if all(1 <= i <= 1000 for i in ids) else None
    if words in ("one", "un", "une"):
        return [1]
    place = ordinal(words)
    ids = [int(s.key) for s in context.segments]
    if place is not None:
        return [place] if not ids else [ids[place - 1]] if place <= len(ids) else [place]
    if words in _LAST and ids:
        return [ids[-1]]
    if words in _LARGEST and ids:
        return [int(max(context.segments, key=lambda s: (s.size, -int(s.key))).key)]
    if words in _SMALLEST and ids:
        return [int(min(context.segments, key=lambda s: (s.size or 10**12, -int(s.key))).key)]
    named = _named(words, words, context)
    return None if named is None else [named]


def _named(words: str, written: str, context: Context) -> int | None:
    """Find the one segment of a name: all of it, or words that no other one has."""
    key = _best(words, written, context.segments)
    return None if key is None else int(key)


def _best(words: str, written: str, things: tuple[Listed, ...]) -> str | int | None:
    if not things:
        return None
    asked = _content(words)
    if not asked:
        return None
    names = {thing.key: _content(Line(thing.name).words) for thing in things}
    plain = " ".join(written.casefold().split())
    exact = [t.key for t in things if t.name.casefold() == plain or str(t.key).casefold() == plain]
    exact = exact or [key for key, name in names.items() if name == asked]
    if len(exact) == 1:
        return exact[0]
    within = [key for key, name in names.items() if set(asked) <= set(name)]
    return within[0] if len(within) == 1 else None


_EMPTY = frozenset(
    """the a an of to in on who that with and le la les l' d' de du des et qui un une people
    segment segments group one ones
    suggestion suggestions variable variables suggested , . for before their your my""".split()  # noqa: SIM905
)


def _content(words: str) -> tuple[str, ...]:
    return tuple(_stem(w) for w in words.split() if w not in _EMPTY and w not in "-–:;!?()'’\"")


def _stem(word: str) -> str:
    for ending in ("ies", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


_RANKED = re.compile(
    pattern(
        r"(?:the |le |la |les |l' |my |our )?(?:"
        r"(?:<vars>|number|numbers|numero|#|no|n °|rank|result) (?P<list>\d+(?:(?: ,| and| et| &|"
        r" , and)? "
        r"\d+)*)"
        r"|(?P<ord>\w+)(?: (?:one|<vars>|celui|celle))?"
        r"|(?P<way>first|last|top|premiers?|premieres?|dernier(?:e|s|es)?|bottom) (?P<n>\w+)"
        r"(?: (?:ones|<vars>))?"
        r"|(?P<n2>\w+) (?P<way2>first|last|premiers?|premieres?|dernier(?:s|es)?)(?: (?:ones|"
        r"<vars>))?"
        r")(?: (?:in|on|of|from) the list| de la liste)?"
    )
)


def suggestions_of(line: Line, context: Context, *, by_name: bool = True) -> tuple[str, ...]:
    """Find the suggestions that some words name by place, label or code.

    Parameters
    ----------
    line : Line
        Such as "the last one", "number 3" or "household income".
    context : Context
        With the suggestions.
    by_name : bool, optional
        Whether words of a label name it.

    Returns
    -------
    tuple of str
        Codes; none where nothing, or no one in particular, is named.

    Examples
    --------
    >>> context = Context(suggestions=(Listed("INC", "Household income"), Listed("CAR", "Car")))
    >>> suggestions_of(Line("the last one"), context), suggestions_of(Line("income"), context)
    (('CAR',), ('INC',))
    """
    codes = [str(s.key) for s in context.suggestions]
    match = _RANKED.fullmatch(line.words)
    if match is not None:
        places = _places(match, len(codes))
        if places:
            return tuple(codes[i] for i in places)
    if by_name:
        found = _best(line.words, line.written, context.suggestions)
        if found is not None:
            return (str(found),)
    return ()


def _places(match: re.Match[str], count: int) -> list[int]:
    if match["list"]:
        places = [int(n) - 1 for n in re.findall(r"\d+", match["list"])]
        return places if all(0 <= p < count for p in places) else []
    if match["ord"]:
        if match["ord"] in _LAST:
            return [count - 1] if count else []
        place = ordinal(match["ord"])
        return [place - 1] if place is not None and place <= count else []
    number, way = match["n"] or match["n2"], match["way"] or match["way2"]
    n = int(number) if number.isdigit() else _COUNTS.get(number)
    if n is None or n > count:
        return []
    at_end = way.startswith(("last", "dernier", "bottom"))
    return list(range(count - n, count)) if at_end else list(range(n))
