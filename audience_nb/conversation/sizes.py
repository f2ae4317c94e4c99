"""How many segments and how large: "8 segments, none above 15 %"."""

from __future__ import annotations

import re
from dataclasses import replace

from audience_nb.conversation.actions import (
    Action,
    Bound,
    Build,
    Clarify,
    Filter,
    Keep,
    Limit,
    StartOver,
)
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import POST, PRE, pattern, wrapped
from audience_nb.conversation.line import Line

__all__ = ["corrected", "merged", "read_sizes"]

_UNIT = r"(?: ?(?P<{0}>%|<people>))?"
_UP = (
    r"(?:above|over|more than|bigger than|larger than|greater than|higher than|exceeding|exceeds?|"
    r"beyond|superieure?s? a|plus (?:grande?s?|gros) que|au[ -](?:dessus|dela) de|plus de|"
    r"depass\w+|>)"
)
_DOWN = (
    r"(?:below|under|less than|fewer than|smaller than|lower than|inferieure?s? a|"
    r"plus petite?s? que|(?:en|au)[ -]dessous de|sous|moins de|<)"
)
_NO = (
    r"(?:none|no one|nobody|no <seg>|no|not|never|nothing|neither|aucune?(?: <seg>)?|pas un seul|"
    r"pas|ne|n'|jamais|without any|don't|shouldn't|must not|should not|can't|cannot|mustn't)"
)
_LINK = (
    r"(?: (?:be|is|are|of them|of which|<seg>|go|goes|get|gets|should|can|may|that|which|with|"
    r"having|to|ne|ne doit|doit|soit|avec|qui|de|d'|a|any))*"
)
_AT_MOST = (
    r"(?:limit(?: (?:them|it|(?:the )?<seg>))? to|at most|max|maximum|maximal|up to|capped at|"
    r"cap(?: (?:them|it|<seg>))? at|au plus|"
    r"au maximum|jusqu' a|plafonnee?s? a|plafonne a|<=|≤|maximum size|upper (?:bound|limit)|"
    r"largest(?: <seg>)?|biggest(?: <seg>)?|taille max(?:imum|imale)?|max size|"
    r"the (?:largest|biggest)(?: (?:one|<seg>))?)"
)
_AT_LEAST = (
    r"(?:at least|min|minimum|minimal|no less than|au moins|au minimum|a partir de|>=|≥|"
    r"minimum size|lower (?:bound|limit)|smallest(?: <seg>)?|taille min(?:imum|imale)?|min size|"
    r"the smallest(?: (?:one|<seg>))?)"
)
_OF = r"(?: (?:<seg>|size|sizes|taille|share|of|is|at|to|be|should be|=|:|de|a|est|size of))*"
_COUNTED = (
    r"(?:(?:different|equal|balanced|distinct|separate|even|equally sized|big|small|good|nice|"
    r"total|tight|clear) )*<seg>"
)
# What it means -> how it is said. Most specific first: what one has read, the next does not see.
_RULES: tuple[tuple[str, str], ...] = (
    (
        "auto",
        r"(?:you |let (?:it|python|the (?:machine|computer|tool)|yourself) )?"
        r"(?:choose|decide|pick|find|work out|figure out|determine|choisis(?:sez)?|trouve[rz]?|"
        r"decide[rz]?)(?: out)? "
        r"(?:for me )?(?:the (?:best |right |optimal )?|le (?:meilleur |bon )?|a good )?"
        r"(?:number|nombre|count)(?: (?:of|de) <seg>)?(?: (?:yourself|for me|toi meme))?",
    ),
    ("auto", r"(?:an? )?(?:automatic|auto|best|optimal|right) (?:number|count) of <seg>"),
    ("auto", r"<seg> ?: ?auto(?:matic)?|auto(?:matic)? <seg>"),
    ("auto", r"nombre (?:automatique|optimal|ideal)(?: de <seg>)?|any number of <seg>"),
    ("auto", r"as many <seg> as (?:you like|you want|fits?|needed|necessary|it takes|make sense)"),
    (
        "auto",
        r"let (?:it|python|the \w+|yourself) (?:choose|decide|pick|find)(?: (?:out )?how many|"
        r" the number(?: of)?)(?: <seg>)?",
    ),
    ("auto", r"(?:you )?(?:choose|decide|pick) how many(?: <seg>)?(?: (?:to make|there are))?"),
    ("count", r"(?:number of <seg>|nombre de <seg>|<seg> (?:count|number)|k)"
              r"(?: (?:to|is|=|:|should be|a|be|est))* (?P<n><n>)"),
    ("count", r"(?:<seg> ?(?:=|:) ?)(?P<n><n>)"),
    (
        "count",
        r"(?:split|cut|divide|segment|cluster|group|slice|(?:de)?coupe[rz]?|divise[rz]?|segmente[rz]?|"
        r"repartis|regroupe[rz]?)"
        r"(?: (?:it|them|this|these|those|everyone|everybody|people|(?:the|my|these|those) "
        r"(?:audience|data|customers|people|records|results)|les|"
        r"la|tout|l' audience))? (?:in|into|en) (?P<n><n>)(?! ?(?:%|<people>))",
    ),
    ("between", r"(?:between|entre|from|de|of|within|range)? ?(?P<x><x>)" + _UNIT.format("u")
                + r" (?:and|to|et|a|-|–|up to|through) (?P<y><x>)" + _UNIT.format("v")),
    ("most", rf"{_NO}{_LINK} {_UP}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("least", rf"{_NO}{_LINK} {_DOWN}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("most", rf"{_AT_MOST}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("least", rf"{_AT_LEAST}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("most", r"(?P<x><x>)" + _UNIT.format("u")
             + r"(?: <each>)? (?:at (?:the )?most|max|maximum|tops|or (?:less|fewer)|au plus|"
             r"au maximum|ou moins)"),
    ("least", r"(?P<x><x>)" + _UNIT.format("u")
              + r"(?: <each>)? (?:at (?:the )?least|min|minimum|or more|au moins|au minimum|"
              r"ou plus)"),
    ("least", rf"{_UP}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("most", rf"{_DOWN}{_OF} (?P<x><x>)" + _UNIT.format("u")),
    ("count", rf"(?P<n><n>|one|une?) (?:de |d' |of )?{_COUNTED}"),
    ("about", r"(?:about|around|roughly|approximately|some|environ|a peu pres|~) (?P<x><x>)"
              + _UNIT.format("u")),
    ("exact", r"(?:exactly|exactement|precisely)? ?(?P<x><x>) ?(?P<u>%|<people>)"),
)  # fmt: skip
_COMPILED = [
    (kind, re.compile(rf"(?<![\w.])(?:{pattern(text)})(?![\w.])")) for kind, text in _RULES
]
_EACH = re.compile(rf"(?<!\w)(?:{pattern('<each>')})(?!\w)")
_SEGMENTS = re.compile(rf"(?<!\w){pattern('<seg>')}(?!\w)")
_MORE = wrapped(
    r"(?:(?:make|build|give me|use|i want|want|faire|fais|je veux|cree[rz]?|form|try|with|"
    r"avec|(?:split|cut|divide)(?: (?:it|them|this))? (?:in|into)|decoupe (?:en|les en)|"
    r"need|i need) )?"
    r"(?:(?P<n><n>|one|une?|a few|a couple|quelques|some) )?"
    r"(?P<way>more|fewer|less|extra|additional|plus de|moins de|de plus|de moins) "
    r"(?:of )?(?:the )?<seg>"
    r"|(?P<way3>too many|trop de) <seg>|(?:there are |il y a )?(?P<way4>not enough|too few|"
    r"pas assez de|trop peu de) <seg>"
    r"|(?P<n2><n>|one|une?) <seg> (?P<way2>more|fewer|less|de plus|de moins|extra|en plus|"
    r"en moins)"
)
_LARGER = wrapped(
    r"(?:(?:make|i want|i'd like|i need|give me|let's have|have|use|try|je veux|je voudrais|"
    r"fais|faire|mets) )?(?:(?:the|them|my|these|all|les|des|me) )*"
    r"(?:(?:much|a bit|a little|even|slightly|un peu|beaucoup) )?"
    r"(?:(?P<a>bigger|larger|smaller|finer|coarser|tighter|broader|plus (?:grands?|gros|"
    r"petits?|fins?)) <seg>|<seg>(?: (?:to be|be|that are|are|should be|were))? (?:(?:much|a "
    r"bit|a little|too|un peu|trop|bien|sont trop) )?(?:bigger|larger|smaller|finer|coarser|"
    r"big|large|small|plus (?:grands?|gros|petits?|fins?)|grands?|gros|petits?))"
    r"|(?:how many|combien de) <seg>"
    r"(?: (?:can|could|may|should) (?:i|we) (?:have|make|get|use)| (?:are|sont) possibles?|"
    r"(?: est ce que)? (?:je peux|on peut|puis je) (?:avoir|faire))?"
    r"|(?:the )?<seg> (?:are|look|seem|sont) (?:too|trop) (?:big|large|small|grands?|gros|"
    r"petits?)"
)
_THEM = wrapped(
    r"(?:make|i want|fais|rends)? ?(?:them|these|those|all of them|each(?: one)?|les) "
    r"(?:(?:much|a bit|a little|even|slightly|un peu|beaucoup) )?"
    r"(?:bigger|larger|smaller|finer|coarser|plus (?:grands?|gros|petits?|fins?))"
)
# Words that may stand around sizes; any other, and the message is about something else.
_AROUND = frozenset(
    """
    a an the of in into en and or et ou with avec each all every them it this that these those to
    be is are make makes want wants need needs use using cut split create build form generate
    divide segment segments segmenting group groups groupes clusters cluster buckets should hold
    holds have has having contain contains containing chaque set size sizes sized share shares give
    get would like i'd we'd
    faire fais fait que qui il faut je veux voudrais i we you us me moi nous my must can may
    please pls instead but also so only just then now again still both at them's decoupe decoupez
    decouper coupe divise diviser cree creer creez forme former construis construire construisez
    segmente segmenter segmentez repartis people person personnes data donnees tous toutes chacun
    chacune les des le la de d' l' du un une ne pas taille tailles part parts fasse soit soient
    doit doivent avoir contenir contienne contiennent there here limit limits bounds bound keep
    rule set number nombre number between ones one large big small maximum minimum dans par pour
    for per time any records record customers clients everyone everybody audience population base
    , ; : . ! - % ( ) … = range ranging from up try go do let's lets keep somewhere as close ok
    about around roughly approximately some environ ? go
    actually rather wait no non sorry plutot en fait finalement hmm mets mettre met passe passer
    equilibre equilibres equilibrees rebuild recut redo back return
    how what too many smallest largest biggest equal equally same even evenly balanced similar
    similarly egale egales egaux egal meme
    change changes changer total entre total s' c' est ce ca say says dire disons comme
    """.split()  # noqa: SIM905
)
_BUILDING = re.compile(
    r"(?:build|create|cut|split|divide|form|generate|give me|get me|produce|compute|run|segment|"
    r"make|rebuild|recut|redo|go back to|cluster|group|slice|decoupe[rz]?|"
    r"divise[rz]?|cree[rz]?|forme[rz]?|construi(?:s|re|sez)|fais|faire|"
    r"faites|segmente[rz]?|genere[rz]?|donne[rz]?(?: moi)?|coupe[rz]?|regroupe[rz]?)"
)
_BUILDS = re.compile(PRE + rf"{_BUILDING.pattern}(?! (?:it|that|this) \d)(?: |$)")
_THEN_BUILD = re.compile(
    r"(?:,|and|then|et|puis|;|\.) (?:then )?(?:build|rebuild|cut|run|go|construis|lance)"
    rf"(?: (?:it|them|les|now))?{POST}$"
)
_CORRECTION = re.compile(
    PRE
    + pattern(
        r"(?:(?:make|set|change|put|turn|have) (?:it|that|this|them)(?: to| into)?|"
        r"(?:make|do|take|try|use|say|let's say|have)|"
        r"mets(?: en)?|mettons|mets (?:le|la) a|passe(?:z)? a|fais en|disons|plutot|change(?:z)? "
        r"(?:en|pour|a)|prends|"
        r"i (?:meant|mean|said|want)|rather|only|just|not \d+(?:\.\d+)? but|pas \d+ mais|to)? ?"
        r"(?P<x><x>) ?(?P<u>%|<people>|<seg>|<vars>|of them|each)?(?: (?:instead|each|rather|"
        r"plutot|"
        r"total|in total|max|at most|at least))?"
    )
    + POST
)


def read_sizes(line: Line, context: Context) -> list[Action] | None:
    """Read a clause that is about segments' number and size, and about nothing else.

    Parameters
    ----------
    line : Line
        The clause.
    context : Context
        How the session stands.

    Returns
    -------
    list of Action or None
        None where it says anything else.

    Examples
    --------
    >>> read_sizes(Line("8 segments, none above 15 %"), Context())
    [Bound(n_segments=8, min_share=None, max_share=0.15, min_size=None, max_size=None)]
    >>> read_sizes(Line("people with 3 segments of land"), Context()) is None
    True
    """
    relative = _MORE.fullmatch(line.words)
    if relative is not None:
        return _relative(relative, context)
    if _LARGER.fullmatch(line.words) or (context.segments and _THEM.fullmatch(line.words)):
        # Larger by fewer of them, or by another limit: only who asked knows.
        return [Clarify("number", "bound", line.written[:80])]
    # Politeness around an order is no part of it.
    rest = re.sub(rf"^{PRE}", "", line.words)
    found: list[tuple[str, re.Match[str]]] = []
    for kind, rule in _COMPILED:
        while (match := rule.search(rest)) is not None:
            found.append((kind, match))
            # As long as what was read, so that places stay comparable.
            rest = rest[: match.start()] + " " * len(match[0]) + rest[match.end() :]
    if not found:
        return None
    has_each = _EACH.search(line.words) is not None
    named = _SEGMENTS.search(line.words) is not None or has_each
    # "none above 15" is about segments, though it leaves open 15 of what.
    named = named or re.search(r"\b(?:none|aucune?|sizes?|tailles?)\b", line.words) is not None
    rest = _EACH.sub(" ", rest)
    if any(word not in _AROUND for word in rest.split()):
        return None
    found.sort(key=lambda f: f[1].start())
    percent = "%" in line.words
    bound = Bound()
    for kind, match in found:
        if kind == "auto":
            bound = replace(bound, n_segments="auto")
        elif kind == "count":
            number = match["n"]
            n = int(number) if number.isdigit() else 1
            if not 1 <= n <= 1000:
                return [Clarify("number", "bound", match[0].strip())]
            bound = replace(bound, n_segments=n)
        else:
            read = _size(kind, match, bound, percent=percent, each=has_each, named=named)
            if not isinstance(read, Bound):
                return None if read is None else [read]
            bound = read
    if bound == Bound():
        return None
    built = (bound.n_segments and _BUILDS.match(line.words)) or _THEN_BUILD.search(line.words)
    return [bound, Build()] if built else [bound]


def _size(
    kind: str, match: re.Match[str], bound: Bound, *, percent: bool, each: bool, named: bool
) -> Bound | Clarify | None:
    """Add one size; a question if its unit is open, None if it is no size of segments."""
    values = match.groupdict()
    unit = values.get("v") or values.get("u")
    numbers = [float(values[name]) for name in ("x", "y") if values.get(name)]
    if unit is None and all(0 < x < 1 for x in numbers):
        shares = numbers
    elif unit == "%" or (unit is None and percent and kind == "between"):
        shares = [round(x / 100, 6) for x in numbers]
    elif unit is not None or each or (named and max(numbers) > 100):
        if kind == "exact" and not each:
            return None
        return _counted(kind, numbers, bound)
    elif kind == "between" and not re.match(r"(?:between|entre|from|range|within)", match[0]):
        return None
    elif named:
        return Clarify("unit", "bound", match[0].strip())
    else:
        return None
    if not all(0 <= share <= 1 for share in shares):
        return Clarify("number", "bound", match[0].strip())
    if kind == "between":
        return replace(bound, min_share=min(shares), max_share=max(shares))
    if kind == "least":
        return replace(bound, min_share=shares[0])
    if kind == "most":
        return replace(bound, max_share=shares[0])
    if not each and not named:
        return None
    slack = 0.2 if kind == "about" else 0.0
    low, high = round(shares[0] * (1 - slack), 6), min(1.0, round(shares[0] * (1 + slack), 6))
    return replace(bound, min_share=low, max_share=high)


def _counted(kind: str, numbers: list[float], bound: Bound) -> Bound | Clarify | None:
    if any(x != int(x) or x < 1 for x in numbers):
        return Clarify("number", "bound", " ".join(f"{x:g}" for x in numbers))
    sizes = [int(x) for x in numbers]
    if kind == "between":
        return replace(bound, min_size=min(sizes), max_size=max(sizes))
    if kind == "least":
        return replace(bound, min_size=sizes[0])
    if kind == "most":
        return replace(bound, max_size=sizes[0])
    slack = 0.2 if kind == "about" else 0.0
    low, high = round(sizes[0] * (1 - slack)), round(sizes[0] * (1 + slack))
    return replace(bound, min_size=max(1, low), max_size=high)


def _relative(match: re.Match[str], context: Context) -> list[Action]:
    number = match["n"] or match["n2"]
    way = match["way"] or match["way2"] or ("fewer" if match["way3"] else "more")
    by = int(number) if number and number.isdigit() else 1 if number in ("one", "un", "une") else 2
    if context.n_segments is None:
        return [Clarify("number", "bound", match[0])]
    up = way in ("more", "extra", "additional", "plus de", "de plus", "en plus")
    return [Bound(max(1, context.n_segments + (by if up else -by)))]


def corrected(line: Line, context: Context, last: tuple[Action, ...]) -> list[Action] | None:
    """Read a number that mends the one said before: "actually make it 10".

    Parameters
    ----------
    line : Line
        The clause.
    context : Context
        How the session stands.
    last : tuple of Action
        What was said before, in this message or the one before it.

    Returns
    -------
    list of Action or None
        None where it is no such number.

    Examples
    --------
    >>> corrected(Line("actually make it 10"), Context(), (Limit(20),))
    [Limit(count=10, change=None)]
    """
    match = _CORRECTION.fullmatch(line.words)
    if match is None:
        return None
    value, unit = float(match["x"]), match["u"] or ""
    before = next((a for a in reversed(last) if isinstance(a, Bound | Limit)), None)
    if unit == "%":
        if isinstance(before, Bound) and before.min_share is not None and before.max_share is None:
            return [Bound(min_share=round(value / 100, 6))] if value <= 100 else None
        return [Bound(max_share=round(value / 100, 6))] if value <= 100 and before else None
    if value != int(value) or value < 1:
        return None
    n = int(value)
    if re.fullmatch(pattern("<seg>"), unit):
        return [Bound(n)] if n <= 1000 else None
    if re.fullmatch(pattern("<vars>"), unit):
        return [Limit(n)] if n <= 1000 else None
    if isinstance(before, Limit):
        return [Limit(n)] if n <= 1000 else None
    if isinstance(before, Bound):
        if before.n_segments is not None:
            return [Bound(n)] if n <= 1000 else None
        if before.max_size is not None:
            return [Bound(max_size=n)]
        if before.min_size is not None:
            return [Bound(min_size=n)]
        share = round(n / 100, 6)
        if n > 100:
            return None
        return [Bound(max_share=share) if before.max_share is not None else Bound(min_share=share)]
    has_verb = re.search(r"\b(?:make|set|change|mets|passe|fais) (?:it|that|en|a)\b", match[0])
    rather = re.search(r"\b(?:do|try|say|disons|plutot|rather|instead|no|non|pas)\b", match[0])
    if not (has_verb or (rather and context.segments)):
        return None
    if unit == "" and context.segments and n <= 1000:
        return [Bound(n)]
    # "make it 10" with nothing to make so: better asked back than searched for.
    return [Clarify("number", "bound", f"{n}")] if context.asked else None


def merged(actions: list[Action]) -> list[Action]:
    """Join sizes that were said one after the other; what is said later holds.

    Parameters
    ----------
    actions : list of Action
        Of one message.

    Returns
    -------
    list of Action
        With a build after the sizes that it is to keep.

    Examples
    --------
    >>> merged([Bound(8), Build(), Bound(max_share=0.2)])[-1]
    Build()
    """
    result: list[Action] = []
    for action in actions:
        built = len(result) > 1 and isinstance(result[-1], Build)
        place = -2 if built else -1
        before = result[place] if len(result) >= -place else None
        if isinstance(action, Bound) and isinstance(before, Bound):
            given = {
                name: value
                for name in ("n_segments", "min_share", "max_share", "min_size", "max_size")
                if (value := getattr(action, name)) is not None
            }
            if "min_size" in given:
                given.setdefault("min_share", None)
            if "max_size" in given:
                given.setdefault("max_share", None)
            result[place] = replace(before, **given)
        elif (
            isinstance(action, Filter)
            and isinstance(before, Filter)
            and (action.mode == before.mode != "off")
        ):
            result[place] = Filter(
                action.mode,
                tuple(dict.fromkeys((*before.kinds, *action.kinds))),
                tuple(dict.fromkeys((*before.sources, *action.sources))),
                tuple(dict.fromkeys((*before.categories, *action.categories))),
                tuple(dict.fromkeys((*before.availability, *action.availability))),
            )
        elif isinstance(action, Limit) and isinstance(before, Limit) and not action.change:
            result[place] = replace(before, count=action.count)
        elif isinstance(action, Keep) and isinstance(before, Keep):
            result[place] = Keep(tuple(dict.fromkeys((*before.topics, *action.topics))))
        elif not (isinstance(action, Build | StartOver) and result[-1:] == [action]):
            result.append(action)
    return result
