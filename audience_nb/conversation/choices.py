"""What may answer and how much: data types, filters, and the number of suggestions."""

from __future__ import annotations

import re
from typing import Any

from audience_nb.conversation.actions import Action, Choose, Filter, Keep, Limit
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import PRE, wrapped
from audience_nb.conversation.line import Line
from audience_nb.conversation.topics import topics_in
from audience_nb.variable import DataType, Kind

__all__ = ["read_choices"]

_FIRST = (
    r"(?:(?:first|1st|own|1p|premiere|1ere)[ -]?(?:party|partie)?(?: (?:party|main))?|"
    r"(?:donnees )?(?:de )?premiere (?:partie|main)|donnees proprietaires|"
    r"(?:our|my|notre|nos|mes) (?:own )?(?:customer|customers|crm|donnees clients?|own)"
    r"(?: (?:data|records|file))?)"
)
_THIRD = (
    r"(?:(?:third|3rd|3p|3e|tierce|tierces|tiers)[ -]?(?:party|partie|parties)?|"
    r"(?:donnees )?(?:de )?(?:tierce partie|tiers|tierces)|(?:licensed|bought|purchased)(?: "
    r"(?:third|3rd)[ -]?party)?)"
)
_CLEAN = r"(?:(?:data )?clean[ -]?rooms?|(?:une |la |les )?salles? blanches?|data clean rooms?|dcr)"
_DATA_TYPES: tuple[tuple[str, DataType], ...] = (
    (_FIRST, "first_party"),
    (_THIRD, "third_party"),
    (_CLEAN, "clean_room"),
)
_SUBTYPES = (
    (r"customer[ _]?ids?|client ids?|identifiants? clients?|(?:id|ids) clients?", "customer_id"),
    (r"hashed e-?mails?|e-?mails? hash\w*|hems?|e-?mails?|courriels?(?: haches?)?", "hashed_email"),
    (r"ramp ?ids?|rampids?", "rampid"),
    (r"uid ?2s?|uid 2 0|uid2 0|unified id(?: 2)?", "uid2"),
    (r"postal codes?|codes? postaux|code postal|zip(?: ?codes?)?|postcodes?", "postal_code"),
    (r"phone(?: ?numbers?)?|numeros? de telephone|telephones?", "phone"),
    (r"maids?|mobile (?:ad(?:vertising)?)? ?ids?|idfas?|aaids?|device ids?", "maid"),
    (r"household ?ids?", "household_id"),
    (r"cookies?|ppids?|temoins?", "cookie"),
    (r"ctv ?ids?|connected tv(?: ids?)?", "ctv_id"),
    (r"dissemination areas?|aires? de diffusion", "dissemination_area"),
    (r"census tracts?|secteurs? de recensement", "census_tract"),
    (r"aws(?: clean ?rooms?)?|amazon web services", "aws_clean_rooms"),
    (r"snowflake(?: clean ?rooms?)?", "snowflake"),
    (r"(?:google )?ads data hub|adh", "ads_data_hub"),
    (r"amazon marketing cloud|amc", "amazon_marketing_cloud"),
    (r"liveramp(?: clean ?rooms?)?", "liveramp"),
    (r"pair", "pair"),
)
_SUBTYPE = "|".join(text for text, _ in _SUBTYPES)
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"demographics?|demographiques?|socio-?demographi\w+|demographie", "demographic"),
    (r"behaviou?r(?:al|s)?|comportements?|comportemental(?:e|es)?|comportementaux|habits|habitudes",
     "behavioral"),
    (r"psychographics?|psychographiques?|psychographie|(?:social |personal )?values?|attitudes?|"
     r"opinions?|beliefs?|valeurs?(?: sociales?)?|social values?|mindsets?|"
     r"values? and attitudes?|attitudinal", "psychographic"),
    (r"life-?styles?|lifestyle types?|styles? de vie|modes? de vie|life styles?", "lifestyle"),
)  # fmt: skip
_JOIN = re.compile(r" ?(?:,|&|/|;|\+) ?(?:(?:and|or|et|ou) )?| (?:and|or|et|ou|as well as|plus) ")
_VARS = r"(?:<vars>|ones|of them|options|items|things|choices?|choix|more)"


def _choose(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    subtype = None
    if match["sub"]:
        subtype = next(code for text, code in _SUBTYPES if re.fullmatch(text, match["sub"]))
    for text, data_type in _DATA_TYPES:
        if re.fullmatch(text, match["what"]):
            if subtype == "liveramp" and data_type != "clean_room":
                subtype = "rampid"
            return [Choose(data_type, subtype)]
    raise AssertionError("The pattern lists the same data types.")


def _more(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    groups = match.groupdict()
    number = next((groups[n] for n in ("n4", "n", "n2", "n3") if groups.get(n)), None)
    count = int(number) if number and number.isdigit() else None
    return [Limit(min(count, 1000) if count else None, "more")]


def _fewer(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    number = match.groupdict().get("n")
    return [Limit(min(int(number), 1000) if number else None, "fewer")]


def _limit(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    groups = match.groupdict()
    number = int(next(groups[n] for n in ("n", "n2", "n5", "n6", "n7") if groups.get(n)))
    return [Limit(number)] if 1 <= number <= 1000 else None


def _off(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Filter("off")]


def _only(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is None:
        return None
    marked = _is_marked(match)
    shown = match["show"] is not None
    found = _values(what, context, marked=marked)
    if found is not None:
        return [Filter(**found)]
    if match["from"] or not context.asked:
        return None
    said = match["show"] or ""
    just = re.match(rf"{PRE}(?<=just |only )(?:keep|garde)", line.words)
    only = just or match["only"] or re.search(r"\b(?:only|que|seulement|just)\b", said)
    # "keep pets" is something that people do; "keep only pets" is said of a list.
    strict = re.search(
        r"\b(?:narrow|restrict|restrei|stick|stay|focus|limit|concentr|reduce|zoom)", said
    )
    keeping = re.search(r"\b(?:keep|garde)", said)
    told = (
        match["mark"] is not None
        or ((strict or keeping) and only)
        or (shown and strict and not re.search(r"\b(?:people|who|qui|gens)\b", what.words))
    )
    if not told or re.search(r"\d", what.words) or len(what) > 12:
        return None
    topics = topics_in(what)
    return [Keep(topics)] if topics else None


def _rather(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "values, not demographics"."""
    what, other = line.group(match, "what"), line.group(match, "other")
    if what is None or other is None or _values(other, context, marked=False) is None:
        return None
    found = _values(what, context, marked=False)
    return None if found is None else [Filter(**found)]


def _section(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "anything in Travel": a source or a category by its name, and nothing else."""
    what = line.group(match, "what")
    found = None if what is None else _values(what, context, marked=True)
    return None if found is None else [Filter(**found)]


def _without(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is None:
        return None
    found = _values(what, context, marked=_is_marked(match))
    return None if found is None else [Filter("without", **found)]


def _is_marked(match: re.Match[str]) -> bool:
    """Tell whether a source or a category is spoken of as such."""
    said = f"{match['mark'] or ''} {match['from'] or ''}"
    return (
        re.search(r"\b(?:from|sources?|categor\w+|section|themes?|provenant|issue?s?)\b", said)
        is not None
    )


def _available(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    found = []
    for part in _JOIN.split(match["types"]):
        part = re.sub(
            r"^(?:(?:the|a|an|in|for|with|to|en|pour|la|les|une|both|dans|aux) )+", "", part
        )
        part = re.sub(r" (?:data|donnees|use|too|as well)$", "", part)
        code = next((c for text, c in _DATA_TYPES if re.fullmatch(text, part)), None)
        if code is None:
            return None
        found.append(code)
    return [Filter(availability=tuple(dict.fromkeys(found)))]


def _values(what: Line, context: Context, *, marked: bool) -> dict[str, Any] | None:
    """Read kinds, sources and categories; None if anything else is among them."""
    whole = _named(what.words, context.categories) if marked else ()
    if whole:
        return {"categories": whole}
    kinds: list[Kind] = []
    sources: list[str] = []
    categories: list[str] = []
    for part in _JOIN.split(what.words):
        part = re.sub(
            r"^(?:(?:the|only|just|les|le|la|des|du|de|any|all|anything|everything|from|donnees|data|"
            r"variables) )+",
            "",
            part,
        )
        part = re.sub(
            r" (?:variables?|ones|traits?|types?|questions?|categor\w+|sources?)$", "", part
        )
        kind = next((k for text, k in _KINDS if re.fullmatch(text, part)), None)
        if kind is not None:
            kinds.append(kind)
        elif (named := _named(part, context.sources)) and len(part) > 3:
            sources += named
        elif marked and (named := _named(part, context.categories)):
            # Unmarked, "only children" is about children, though a category may have that name.
            categories += named
        else:
            return None
    found = {"kinds": tuple(dict.fromkeys(kinds)), "sources": tuple(dict.fromkeys(sources)),
             "categories": tuple(dict.fromkeys(categories))}  # fmt: skip
    return {name: values for name, values in found.items() if values} or None


def _named(words: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Find names that are meant: the one that says the same, else those that begin so."""
    folded = {name: Line(name).words for name in names}
    same = tuple(name for name, text in folded.items() if text == words)
    if same or len(words) < 4:
        return same
    plain = words.replace(" and ", " & ")
    near = tuple(n for n, t in folded.items() if plain in (t, t.replace(" and ", " & ")))
    return near or tuple(n for n, t in folded.items() if re.search(rf"\b{re.escape(words)}\b", t))


_TYPE = rf"(?P<what>{_FIRST}|{_THIRD}|{_CLEAN})"
_BY = (
    r"(?: [,:-])?(?: (?:by|with|via|using|matched (?:on|by)|on|keyed (?:on|by)|identified by|par|"
    r"avec|"
    rf"through)(?: the| les?| la| des)? (?P<sub>{_SUBTYPE}))?"
)
_ALL_TYPES = rf"(?:{_FIRST}|{_THIRD}|{_CLEAN})(?: (?:data|donnees|use))?"
_RULES = (
    (
        r"(?:(?:use|(?:(?:go|switch|move) )?back to|return to|"
        r"(?:reviens|revenir|retour) (?:aux?|a)|"
        r"switch(?: (?:it|(?:the )?data ?type))? to|change(?: (?:it|the data type))? "
        r"to|choose|pick|take|select|"
        r"work (?:with|in|on)|go (?:with|to)|move (?:in)?to|set(?: the)?(?: data ?type)?(?: to)?|"
        r"try|"
        r"(?:we|i)(?:'re| are|'m| am)? (?:use|using|take|only have)|on (?:a|utilise)|nous "
        r"(?:avons|utilisons)|j' (?:ai|"
        r"utilise)|"
        r"(?:treat|consider|regard|take) (?:this|it|that|the data|these)(?: as)?|"
        r"i have|i've got|it's|this is|these are|we have|i work (?:in|with)|we are(?: working)? "
        r"(?:in|with)|we're in|i'm in|i am in|(?:je|on) travaille (?:en|avec|dans)|nous "
        r"travaillons (?:en|avec|dans)|we work (?:in|with)|"
        r"the data is|my data is|make it|put (?:it|this) in|"
        r"utilise[rz]?|passe[rz]?(?: (?:en|aux?|a la|dans))?|choisi(?:s|r|ssez)|prends|prenez|"
        r"travaille[rz]?(?: (?:en|avec|dans))?|bascule[rz]? (?:en|vers|sur)|c' est|ce sont|"
        r"data ?type|type de donnees|mets toi en|en|in|as|with)(?: :)? )?"
        r"(?:(?:a|an|the|my|our|les|des|la|une|mes|nos|de|aux|in|en|it as|to) )*"
        rf"{_TYPE}(?: (?:data|donnees|mode|data type|instead|environment|data set|dataset|please|"
        rf"svp))*{_BY}",
        _choose,
    ),
    (
        r"(?:<show> (?:(?:it|that|this) )?)?(?:<only> )?(?:<the> )?(?:what's|what|<vars>|ones|"
        r"those|ce|celles?|"
        r"things|stuff|data|anything|everything)?(?: ?(?:that|which|qui|que))?"
        r"(?: ?(?:is|are|i can|we can|i may|we may|you can|can be|may be|works?|are also|sont|"
        r"soient|je peux|"
        r"on peut|a|me lets?|is also))*"
        r" ?(?:available|usable|allowed|permitted|used?|also available|ok|licensed|disponibles?|"
        r"utilisables?|autorisee?s?|permises?|utiliser|work|works)(?: also)?"
        rf" (?:for|in|with|to|under|en|pour|dans|avec|aux?) (?P<types>(?:(?:the|a|both|la|les|"
        rf"une) )*"
        rf"{_ALL_TYPES}(?:(?: ,| and| or| et| ou| &)+ (?:(?:in|for|en|pour|the|a|la) "
        rf")*{_ALL_TYPES})*)"
        r"(?: (?:too|as well|aussi))?",
        _available,
    ),
    (
        rf"<only> (?P<types>{_FIRST}|{_THIRD}|{_CLEAN}) (?:<vars>|ones)",
        _available,
    ),
    (
        r"(?:clear|remove|reset|drop|turn off|take off|take away|lift|get rid of|switch off|no|"
        r"no more|"
        r"without(?: any)?|undo|annule[rz]?|enleve[rz]?|retire[rz]?|supprime[rz]?|sans|efface[rz]?|"
        r"desactive[rz]?|plus de|aucun)"
        r"(?: (?:the|all|any|every|all of|my|les|tous|le|tous les|kind|source|category|data type|"
        r"type|availability))* (?:filters?|filtres?|"
        r"filtering)"
        r"|(?:show(?: me)?|montre(?: moi)?|affiche[rz]?|include|any|search|all|from all|use|"
        r"toutes?|tous|de)(?: (?:me|all|of|the|toutes?|tous|les|any|every))* "
        r"(?:kinds?(?: of variables)?|sources?|categories|types of variables|genres)(?: again)?"
        r"|(?:(?:tous|toutes|all) )?(?:the |les )?filt(?:ers|res) ,? ?(?:enleve[rz]?|retire[rz]?|"
        r"supprime[rz]?|off)(?: les)?"
        r"|(?:(?:turn|switch) )?(?:the |all )*(?:filters?|filtres?) off|"
        r"show (?:me )?(?:everything|all)(?: again)?|unfilter|"
        r"montre(?: moi)? tout|affiche[rz]? tout",
        _off,
    ),
    (
        r"(?:(?:show|see|give|find|list|get|suggest|i want|i need|want|donne|montre|propose|trouve|"
        r"affiche|any|got(?: any)?|are there(?: any)?|do you have(?: any)?|have you got(?: any)?|"
        r"y a t il|"
        r"let's see|can i see|let me see|j' en veux|i'd like|bring up)"
        r"(?: (?:me|us|moi|nous|m' en|en))? )?"
        rf"(?:(?:(?P<n>\d+|some|a few|even|quelques|encore|many|a lot|lots|way) )*"
        rf"(?:more|other|additional|further|extra|another(?: (?P<n3>\d+))?|plus de|d' autres|"
        rf"autres|"
        rf"davantage de|davantage|supplementaires?)(?: {_VARS}| like (?:this|these))?"
        rf"|(?:another )?(?P<n2>\d+) (?:{_VARS} )?(?:more|de plus|en plus|additional|"
        rf"supplementaires)(?: {_VARS})?|encore (?P<n4>\d+)(?: {_VARS})?|encore(?: (?:plus|des "
        rf"{_VARS}|de {_VARS}))?|"
        r"what else(?: (?:is there|have you got|do you have|fits))?|anything else|quoi d' autre|"
        r"load more|keep going|(?:make (?:it|the list) longer)|a longer list|"
        r"une liste plus longue|more of them)",
        _more,
    ),
    (
        r"(?:(?:show|give|i want|i need|i'd like|i would like|let's have|can i (?:have|get|see)|"
        r"that's|that is|it's|c' est|too many|want|donne|montre|affiche|trop|j' en veux|"
        r"je (?:veux|voudrais)|j' aimerais)"
        r"(?: (?:me|us|moi|nous|m' en|en))? )?(?:(?P<n>\d+) )?"
        rf"(?:fewer|less|moins de|moins)(?: {_VARS})?|(?:(?:that's|that is|there are|it's|c' est|"
        rf"il y a) )?(?:too many|trop de) {_VARS}|"
        rf"(?P<m>\d+)? ?(?:fewer|less) {_VARS}|"
        r"(?:(?:give|show|get|make)(?: me)? |i(?: want|'d like) )?(?:a )?(?:shorter|smaller) list|"
        r"shorten (?:the list|it)|make (?:it|the list) shorter|"
        r"(?:une )?liste plus courte|raccourci(?:s|r|ssez) la liste|that's too many|"
        r"(?:that's|that is|there are|it's) (?:(?:way|far|much|a bit|a little|really) )*too many|"
        r"c' est (?:(?:beaucoup|bien|vraiment) )?trop|too many|trop|(?:too|way too) (?:long|big) "
        r"(?:a )?list|(?:the |this )?list is (?:way )?too long|la liste est trop longue",
        _fewer,
    ),
    (
        r"(?:(?:il me faut|j' ai besoin de|je veux|let me see|let's see|see|have|show|give|list|"
        r"get|display|suggest|find|"
        r"limit|restrict|cut|reduce|trim|keep|want|"
        r"i (?:want|need)|only|just|donne|montre|affiche|limite|reduis|propose|garde|use|make it|"
        r"set(?: the)?(?: limit)?)(?: (?:me|us|moi|nous|it|them|this|the list|la liste|you|"
        r"yourself|toi|"
        r"only|just|seulement|to|down|a|at|the|les))* )*"
        r"(?:(?:only|just|the|the top|top|best|the best|the first|seulement|les|les meilleures|"
        r"at most|"
        r"no more than|up to|max|maximum|au plus|pas plus de|exactly|about|jusqu' a) )*"
        r"(?P<n>\d+) (?:of )?(?:(?:best|top|first|meilleure?s|most relevant|premieres?) "
        r")?(?:<vars>|ones|them|these)"
        r"(?: (?:(?:is|are|would be) (?:enough|plenty|fine)|at most|max|maximum|only|seulement|"
        r"instead|in total|au plus|au maximum))?"
        r"|(?:cut|reduce|trim|shorten|limit|restrict|bring|shrink|extend|expand|grow|lengthen|"
        r"widen|raccourci\w*) (?:the|this|"
        r"la) (?:list|answer|liste)(?: down)? (?:to|a) (?P<n7>\d+)"
        r"|(?:(?:keep|show(?: me)?|give me|leave|garde[rz]?|montre(?: moi)?) )?(?:only |just |"
        r"seulement |uniquement |que )?(?:the first|the top|les) (?P<n6>\d+)(?: premiere?s?)?"
        r"|(?:show|give|list|display|montre|donne)(?: (?:me|moi))?(?: (?:only|just|the|top))* "
        r"(?P<n2>\d+)(?: (?:only|at most|max|seulement))?|"
        r"(?:the )?(?:top|best) (?P<n5>\d+)",
        _limit,
    ),
    (
        r"(?:(?P<show>(?:<only> )?<show> )(?P<only><only> )?|(?P<only2><only> ))(?:<the> )?"
        r"(?:(?:what|those|ones|celles?|ceux|the ones)(?:'s| is| are| that are| qui sont)? )?"
        r"(?:(?P<from>(?:from (?:the )?(?:sources?|categor\w+)|in (?:the )?category|dans la "
        r"categorie|"
        r"with source|(?:<label> )?(?:from|of|by|in|de|du|des|dans|provenant de|issues? d[eu])|"
        r"sources?|"
        r"category|categories|categorie)(?: :)?) )?(?:<the> )?(?:<vars> )?"
        r"(?P<what>.+?)(?P<mark> <label>(?: only)?)?",
        _only,
    ),
    (
        r"(?:(?:keep|leave|(?:look )?at|see|use|show(?: me)?|garde[rz]?|montre(?: moi)?|"
        r"conserve[rz]?) )?"
        r"(?P<what>.+?)(?P<mark> <label>)? (?:only|seulement|uniquement)(?P<from> )?(?P<show> )?"
        r"(?P<only> )?",
        _only,
    ),
    (
        r"(?:(?:i|we|je|on) )?(?:want|need|prefer|care about|veux|prefere)(?: <the>)? "
        r"(?P<what>.+?) "
        r"(?:, )?(?:and |et )?(?:not|rather than|instead of|no|pas)(?: <the>)? (?P<other>.+)",
        lambda match, line, context: _rather(match, line, context),
    ),
    (
        r"(?:(?:i )?(?:only|just) (?:want|need) )?"
        r"(?:anything|everything|things|stuff|all|something|whatever(?: is)?|tout ce qui est|tout)"
        r"(?P<from> (?:in|from|by|under|dans|de)(?: (?:the )?(?:category|source|categorie))?) "
        r"(?:<the> )?(?P<what>.+?)(?P<mark> <label>)?(?P<show> )?(?P<only> )?",
        lambda match, line, context: _section(match, line, context),
    ),
    (
        r"(?:je prefere|j' aime mieux|prefere[rz]?) (?P<what>.+?) (?:aux?|a la|plutot que|a l') "
        r"(?P<other>.+)",
        lambda match, line, context: _rather(match, line, context),
    ),
    (
        r"(?:leave|put|set|push|take|keep) (?:<the> )?(?P<what>.+?)(?P<mark> <label>)? (?:aside|"
        r"out|"
        r"away|off)(?P<from> )?",
        _without,
    ),
    (
        r"(?:exclude|hide|remove|drop|no|no more|nothing|(?:skip|drop|remove|hide) (?:anything|"
        r"everything|all)|without|filter out|leave out|take out|"
        r"not|skip|"
        r"ignore|"
        r"exclu(?:s|re|ez)|cache[rz]?|masque[rz]?|retire[rz]?|enleve[rz]?|supprime[rz]?|sans|pas "
        r"de|"
        r"everything (?:but|except)|all (?:but|except)|tout sauf|anything but|"
        r"(?:i )?(?:don't|do not|dont) (?:want|show|need|use|include)(?: me)?|je ne veux pas(?: "
        r"de)?)"
        r"(?: <the>)? (?:(?P<from>(?:<label> )?(?:from|of|de|du|des|(?:the |la )?(?:source|"
        r"category|categorie)|"
        r"provenant de|in)) )?(?:<the> )?(?:<vars> )?(?P<what>.+?)(?P<mark> <label>)?",
        _without,
    ),
)


def read_choices(line: Line, context: Context) -> list[Action] | None:
    """Read a clause that chooses a data type, filters, or sets how many suggestions there are.

    Parameters
    ----------
    line : Line
        The clause.
    context : Context
        How the session stands.

    Returns
    -------
    list of Action or None

    Examples
    --------
    >>> read_choices(Line("only social values"), Context())[0].kinds
    ('psychographic',)
    >>> read_choices(Line("only children"), Context()) is None
    True
    """
    for text, rule in _RULES:
        match = wrapped(text).fullmatch(line.words)
        if match is not None and (actions := rule(match, line, context)) is not None:
            return actions
    return None
