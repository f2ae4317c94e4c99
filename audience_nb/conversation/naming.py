"""Orders about segments and suggestions: rename, pick, merge, compare, explain."""

from __future__ import annotations

import re

from audience_nb.conversation.actions import (
    Action,
    Clarify,
    Compare,
    Explain,
    Export,
    Pick,
    Rename,
)
from audience_nb.conversation.commands import Rule
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import pattern, wrapped
from audience_nb.conversation.line import Line
from audience_nb.conversation.references import segments_of, suggestions_of

__all__ = ["read_naming"]

_SEG = re.compile(pattern(r"\b<seg>\b"))
_THESE = re.compile(
    r"(?:(?:me )?(?:this|these|that|those|them|it|the (?:list|answer|result|suggestions|ranking|"
    r"order|choice)|these (?:ones|variables|suggestions)|ces (?:variables|suggestions)|ca|cela|"
    r"celles?(?: ci| la)?|la liste|les (?:suggestions|variables)|ce choix)(?: ones)?)"
)


def _rename(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what, named = line.group(match, "what"), line.group(match, "name")
    name = "" if named is None else named.raw(0, len(named)).strip(" .!?,;:")
    if what is None or re.fullmatch(
        r"(?:it|this|that|this one|that one|le|la|ca|celui ci)", what.words
    ):
        segment = _last_segment(context)
        if segment is None:
            return [Clarify("segment", "rename", name[:80])]
        return [Rename(segment, name[:80])] if name else [Clarify("name", "rename", str(segment))]
    found = segments_of(what, context)
    if found is None or len(found) != 1:
        return [Clarify("segment", "rename", name[:80])] if _SEG.search(what.words) else None
    if not name:
        return [Clarify("name", "rename", str(found[0]))]
    return [Rename(found[0], name[:80])]


def _call(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "call the young renters Students": where the old name ends, the new one begins."""
    rest = line.group(match, "rest")
    for at in range(1, min(len(rest), 8) if rest is not None and context.segments else 0):
        assert rest is not None
        old, name = rest.part(0, at), rest.part(at, len(rest))
        found = segments_of(old, context)
        if found is not None and len(found) == 1 and not _BARE.fullmatch(old.words):
            return [Rename(found[0], name.raw(0, len(name)).strip(" .!?,;:")[:80])]
    return None


def _last_segment(context: Context) -> int | None:
    for action in reversed(context.last):
        if isinstance(action, Rename):
            return action.segment
        if isinstance(action, Explain) and action.segment is not None:
            return action.segment
        if isinstance(action, Pick) and len(action.segments) == 1:
            return action.segments[0]
    return None


def _compare(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is None or re.fullmatch(
        r"(?:them|these|those|both|the two|les deux|the segments|segments|les segments|"
        r"(?:two|2) segments|deux segments|these two|them both)",
        what.words,
    ):
        picked = next((a.segments for a in reversed(context.last) if isinstance(a, Pick)), ())
        if len(picked) == 2:
            return [Compare(picked)]
        if len(context.segments) == 2:
            return [Compare(tuple(int(s.key) for s in context.segments))]
        return [Clarify("segments", "compare")] if context.segments or what is None else None
    found = segments_of(what, context)
    other = line.group(match, "other")
    if found is not None and other is not None:
        more = segments_of(other, context)
        found = None if more is None else (*found, *more)
    if found is None:
        return [Clarify("segments", "compare")] if _SEG.search(what.words) else None
    if len(found) == 2:
        return [Compare(found)]
    if not context.segments and not _SEG.search(what.words):
        return None
    return [Clarify("segments", "compare", ",".join(map(str, found)))]


def _pick(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what, named = line.group(match, "what"), line.group(match, "name")
    merging = re.match(
        r"(?:merge|combine|join|unite|fuse|pool|group|put|bundle|lump|fusion|regroup|reuni|ras)",
        match["verb"] or "",
    )
    name = "" if named is None else named.raw(0, len(named)).strip(" .!?,;:")[:80]
    if what is None:
        return [Clarify("segments", "merge", name)]
    words = what.words
    if re.fullmatch(pattern(r"(?:all|everyone|everybody|all (?:of )?(?:the )?<seg>|"
                            r"(?:tous les|toutes les|all of the) <seg>|every <seg>|all of them|"
                            r"tous|"
                            r"tout le monde|toutes)"), words):  # fmt: skip
        return [Pick((), "only", name)]
    found = segments_of(what, context, ranges=True)
    into = re.search(r" (?:into|as|en) (?!.* (?:into|as|en) )", words) if merging else None
    if found is None and into is not None and not name:
        # "merge 2 and 3 into City people": what follows is the name.
        at = len(words[: into.start()].split())
        found = segments_of(what.part(0, at), context, ranges=True)
        rest = what.part(at + 1, len(what))
        name = "" if found is None else rest.raw(0, len(rest)).strip(" .!?,;:")[:80]
    told = _SEG.search(words) is not None or match["into"] is not None
    names = {" ".join(Line(s.name).words.split()) for s in context.segments}
    plain = re.sub(r"^(?:the|les?|la) ", "", words)
    # "I only need 1 and 3": nothing else has numbers.
    by_name = all(
        part in names for part in re.split(r"(?: ,| and| et| &)+ (?:(?:the|les?|la) )?", plain)
    )
    numbered = context.segments and re.fullmatch(r"\d+(?:(?: ,| and| et| &)+ \d+)+", words)
    if _WEAK.fullmatch(match["verb"] or "") and not (told or numbered or by_name):
        # "just retired people" asks for such people, whatever the segments are called.
        return None
    if found is None:
        return [Clarify("segments", "merge", name)] if merging and told else None
    # "pick 2" may be about suggestions; only segments are merged.
    if not told and not (merging or context.segments):
        return None
    if merging and len(found) == 1:
        return [Clarify("segments", "merge", str(found[0]))]
    return [Pick(found, "only", name)]


def _describe(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is not None and re.match(r"why|pourquoi", what.words):
        return None
    if what is None and match["weak"] is not None:
        return None
    if what is None or _THESE.fullmatch(what.words):
        segment = _last_segment(context) if what is not None and context.segments else None
        return [Explain(segment=segment)] if segment else [Explain()]
    weak = match["weak"] is not None
    found = segments_of(what, context)
    if found is not None and len(found) == 1 and (_SEG.search(what.words) or context.segments):
        if weak and what.words.isdigit() and found[0] not in {s.key for s in context.segments}:
            # "show me 30" is about the length of the list.
            return None
        return [Explain(segment=found[0])]
    codes = suggestions_of(what, context)
    if len(codes) == 1 and not weak:
        return [Explain(codes[0])]
    if _SEG.search(what.words) and not weak and len(what) <= 6:
        return [Clarify("segment", "explain")]
    explicit = match["verb"].startswith(("explain", "expliqu", "justif")) and context.asked
    return (
        [Clarify("suggestion", "explain", what.written[:120])]
        if (explicit and context.suggestions and len(what) <= 8)
        else None
    )


def _why(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is None or _THESE.fullmatch(what.words):
        return [Explain()]
    found = segments_of(what, context) if _SEG.search(what.words) else None
    if found is not None and len(found) == 1:
        return [Explain(segment=found[0])]
    codes = suggestions_of(what, context)
    if len(codes) == 1 and (match["here"] or match["did"] or len(what) <= 5):
        return [Explain(codes[0])]
    asking = line.text.rstrip().endswith("?") and len(what) <= 4
    if (match["here"] or match["did"] or asking) and context.asked and context.suggestions:
        return [Clarify("suggestion", "explain", what.written[:120])]
    return None


_BARE = re.compile(r"\d+|the|one|first|second|third|last|largest|biggest|smallest")
_WEAK = re.compile(
    r"only|just|keep|use|seulement|uniquement|garde[rz]?|(?:i|je).*|target|reach|take"
)
_NAME = r"(?P<name>‹q›|.+?)"
_RULES: tuple[tuple[str, Rule], ...] = (
    (
        r"(?:rename|relabel|retitle|re-name|renomme[rz]?|rebaptise[rz]?|change the name of|"
        r"change le nom (?:de|du)|"
        r"edit the name of)(?: (?P<what>(?:(?!\bto\b|\bas\b|\ben\b|->|→|=|:).)+?))?"
        rf"(?: ?(?:to be|to|as|into|en|->|→|=|:|,|par|pour) {_NAME}| "
        rf"(?P<q>)(?=‹q›){_NAME})?".replace("(?P<q>)(?=‹q›)(?P<name>‹q›|.+?)", "(?P<q>‹q›)"),
        lambda match, line, context: _rename_quoted(match, line, context),
    ),
    (
        r"(?:call|name|label|title|appelle[rz]?|nomme[rz]?|baptise[rz]?|intitule[rz]?) "
        r"(?P<what>(?:(?:the|le|la|l') )?(?:<seg> (?:number |no |numero )?(?:\d+|one)|"
        r"\w+(?: (?:largest|biggest|smallest|last|grand|petit|gros))? <seg>|"
        r"\w+ (?:one|<seg>)|it|this|that|(?:le|la)(?! plus)))"
        rf"(?: (?:as|:|to|en))? {_NAME}",
        _rename,
    ),
    (
        r"(?:call|name|label|title|appelle[rz]?|nomme[rz]?|baptise[rz]?|intitule[rz]?) "
        r"(?P<rest>.+?)",
        _call,
    ),
    (
        r"(?:change|edit|set) (?P<what>(?:(?:the|le|la) )?(?:<seg> )?[\w ]+?)'s name (?:to|into|"
        r"as) "
        rf"{_NAME}",
        _rename,
    ),
    (
        r"(?P<what>(?:(?:the|le|la|l') )?(?:<seg> (?:number |no |numero )?(?:\d+|one)|\w+ <seg>)) "
        r"(?:(?:should|must|shall|will|can|doit|devrait) )?(?:be |is |s' )?(?:now |desormais |"
        r"maintenant )?"
        r"(?:called|named|renamed(?: to)?|appeler?|appelle|se nommer|nommer|devient|becomes|become|"
        rf"=|->|→|: ?(?=‹q›))(?: (?:as|to))? {_NAME}",
        _rename,
    ),
    (
        r"(?:(?:what(?:'s| is| are| about)?|show(?: me)?|tell me|explain|quelles? (?:est|sont)|"
        r"montre(?: moi)?|quelles?) )?(?:the |la |les |l' )?(?:main |biggest |key |principales? )?"
        r"(?:differences?|different) (?:between|entre|of) (?P<what>.+)",
        _compare,
    ),
    (
        r"(?:how|en quoi|comment) (?:(?:do|does|is|are|sont|se|different|est) )?(?P<what>.+?) "
        r"(?:differ|different|compare|differents?|differentes?|comparent|different from each other|"
        r"unlike each other|vary|distinguent)"
        r"(?: (?:from each other|l' un de l' autre)| (?:from|to|de|du|with) (?P<other>.+))?",
        _compare,
    ),
    (
        r"(?:compare|comparer?|comparez|contrast|put|set|mets|mettre|comparison(?: of| between)?|"
        r"comparaison (?:de|entre|des))(?: (?P<what>.+?))?"
        r"(?: (?:side by side|next to each other|cote a cote|together|for me))?",
        lambda match, line, context: (
            _compare(match, line, context)
            if not re.match(r".*\b(?:put|set|mets|mettre)\b", match[0])
            or re.search(r"side by side|next to|cote a cote", match[0])
            else None
        ),
    ),
    (
        r"what (?:sets|tells|makes|keeps) (?P<what>.+?) (?:apart|different|distinct)"
        r"(?: from (?P<other>.+))?",
        lambda match, line, context: (_beside if match["other"] else _meant)(match, line, context),
    ),
    (
        r"(?P<what>(?:(?:the|le|la|l') )?(?:<seg> (?:number |no |numero )?(?:\d+|one)|\w+ <seg>)) "
        rf"(?:is|are|est) (?:now|desormais|maintenant) {_NAME}",
        _rename,
    ),
    (
        r"(?:put|set|place|show|hold|mets|place[rz]?) (?P<what>.+?) (?:next to|beside|against|"
        r"alongside|a cote d[eu]) (?P<other>.+)",
        lambda match, line, context: _beside(match, line, context),
    ),
    (
        r"(?P<what>(?:(?:the|le) )?(?:<seg> )?\S+(?: \S+){0,3} (?:vs|versus|contre)(?: \.)? "
        r"(?:<seg> )?\S+(?: \S+){0,3})",
        _compare,
    ),
    (
        r"(?:add|include|put|also (?:pick|use|take|add)|ajoute[rz]?|inclu(?:s|re|ez)) (?P<out>)?"
        r"(?P<what>.+?)(?P<to> (?:to|in|into|with|a|dans|au|aux) (?:the |my |our |l' |la |le |"
        r"mon )?"
        r"(?:audience|selection|export|mix|picked (?:ones|<seg>)|choice|file))?",
        lambda match, line, context: _moved(match, line, context, out=False),
    ),
    (
        r"(?:remove|drop|take|leave|exclude|kick|unpick|deselect|without|retire[rz]?|enleve[rz]?|"
        r"exclu(?:s|re|ez)|sors|supprime[rz]?)(?: out)? (?P<what>.+?)(?: out)?"
        r"(?P<to> (?:from|of|out of|de|du|off) (?:the |my |our |l' |la |le |mon )?"
        r"(?:audience|selection|export|mix|picked (?:ones|<seg>)|choice|file))?",
        lambda match, line, context: _moved(match, line, context, out=True),
    ),
    (
        r"(?P<verb>pick|choose|target|reach|cible[rz]?|select|take|keep|use|go with|i(?:'ll| "
        r"will)? (?:take|want|pick|"
        r"choose)|"
        r"(?:i|we) (?:only |just )?(?:need|want)|"
        r"only|just|export only|merge|combine|join|unite|fuse|pool|group|put|bundle|lump|"
        r"make(?: an| the| one| my| our)? audience(?: of| from| out of| with)?|(?:the )?audience "
        r"(?:is|=|:)|build an audience from|"
        r"prend(?:s|re|z)|prenez|choisi(?:s|r|ssez)|garde[rz]?|selectionne[rz]?|seulement|"
        r"uniquement|"
        r"fusionne[rz]?|combine[rz]?|regroupe[rz]?|reuni(?:s|r|ssez)|rassemble[rz]?|je (?:prends|"
        r"veux|"
        r"garde)|mets|mettre)(?: only| just| seulement| together| ensemble)?"
        r"(?: (?P<what>.+?))?(?: (?:together|ensemble|only))*"
        r"(?P<into>(?: (?:into|in|as|to|for|en|dans|pour))(?: (?:an|a|one|the|my|our|une?|l'|la|"
        r"le|mon|"
        r"notre))*(?: (?:single|new|seule?|nouvelle?))? (?:audience|groupe?|segment|list|liste|"
        r"public|file|export|fichier|csv))?"
        rf"(?: (?:,|and|et)? ?(?:called?|named?|nommee?|appelee?|call it|name it|"
        rf"(?:et )?(?:appelle|nomme) (?:le|la)|sous le nom(?: de)?|under the name(?: of)?|as|:) "
        rf"{_NAME})?",
        _pick,
    ),
    (
        r"(?P<verb>explain|describe|summari[sz]e|interpret|tell me (?:more )?about|"
        r"(?:more |give me |show me )?(?:details?|information|info) (?:on|about|of|for)|"
        r"explique[rz]?|"
        r"decri(?:s|re|vez)|parle[rz]?(?: moi)? d[eu]|details (?:sur|de)|justifie[rz]?|"
        r"show(?: me)? the profile of|profile(?: of)?|open|zoom in on|(?:what )?defines?|"
        r"what makes(?: up)?|characteri[sz]es?|qu' est ce qui (?:definit|caracterise)|"
        r"(?P<weak>who(?:'s| is| are)?(?: in)?|what(?:'s| is| are)?(?: in)?|qui (?:est|sont)(?: "
        r"dans)?|"
        r"c' est quoi|qu' est ce que|montre(?: moi)?|show(?: me)?))"
        r"(?: moi)?(?: (?P<what>.+?))?(?: (?:like|special|different|about|about \?|a toi|to me|"
        r"pour moi|"
        r"in (?:words|detail|more detail|plain words)|en detail|made of))*",
        _describe,
    ),
    (
        r"(?:(?:explain|tell me|explique[rz]?(?: moi)?|dis moi|i wonder|can i ask) )?(?:why|"
        r"pourquoi|"
        r"how come|for what reason|what's the reason for|what is the reason for|d' ou vient)"
        r"(?: on earth| the hell)?(?: ?(?P<did>did you (?:suggest|pick|choose|include|show|"
        r"propose|find|add|select)|do you "
        r"(?:suggest|show|propose|recommend)|have you (?:suggested|picked)|you suggest(?:ed)?|"
        r"(?:as tu|avez vous|tu as|vous avez|tu) (?:propose|suggere|choisi|mis|inclus|ajoute|"
        r"proposes|"
        r"suggeres)))?"
        r"(?: (?:is there|are there|y a t il|y a til|il y a|est ce que|do i (?:see|get)|am i "
        r"seeing|"
        r"is|are|was|were|did|does|do|est|sont))?(?: (?P<what>.+?))?"
        r"(?P<here>(?: (?:is|are|est|sont))? (?:here|in there|there|suggested|included|in (?:the|"
        r"this|my) (?:list|answer|results?)|"
        r"on (?:the|this|my) list|listed|proposed|shown|relevant|recommended|picked|chosen|come up|"
        r"appear|la|ici|proposee?s?|suggeree?s?|dans la liste|t il la|est elle la|est il la|"
        r"(?:est|sont) (?:elles?|ils?) (?:la|ici|proposee?s?|suggeree?s?)|first|so high|ranked "
        r"first|"
        r"on top|at the top))?",
        _why,
    ),
    (
        r"(?:what|how|que|qu'|comment|who) (?:does|do|is|are|est ce que|veut|is meant by)? ?"
        r"(?P<what>.+?) "
        r"(?:mean|stand for|measure|look like|looks like|contain|hold|include|about|dire|signifie|"
        r"ressemble)",
        lambda match, line, context: _meant(match, line, context),
    ),
    (
        r"(?:what(?:'s| is| makes)?|qu' est ce qui (?:est|rend)) (?:so )?(?:special|different|"
        r"unique|"
        r"interesting|distinctive|typical|particulier)(?: (?:about|of|in|for|dans|a))? "
        r"(?P<what>.+)",
        lambda match, line, context: _meant(match, line, context),
    ),
    (
        r"(?:where|d' ou) (?:does|do|did|vient|viennent) (?P<what>.+?)(?: come from)?"
        r"(?: (?:in|on|from|dans) (?:this|the|la|cette) (?:list|answer|liste|results?))?",
        lambda match, line, context: _meant(match, line, context),
    ),
    (
        r"(?:which|what|quel(?:le)?) (?:one|<seg>) (?:is|est) "
        r"(?P<what>(?:(?:the|le) )?(?:plus )?\w+)",
        lambda match, line, context: _meant(match, line, context),
    ),
    (
        r"give (?P<what>(?:the )?(?:<seg> \d+|\w+ (?:one|<seg>))) (?:the|a|an|another) "
        r"(?:\w+ ){0,2}name(?:(?: (?:like|as|:|,|of))? (?P<name>‹q›|.+?))?",
        _rename,
    ),
    (
        r"(?:(?:pick|select|take|keep|use|choose|export|selectionne[rz]?|choisi(?:s|r|ssez)|garde[rz]?|"
        r"prends|prenez) )?"
        r"(?:everything|everyone|all(?: of them)?|all(?: of)?(?: the)? <seg>|tout|tous|toutes?|"
        r"tous les <seg>) "
        r"(?:except|but|other than|apart from|besides|sauf|hormis|excepte)(?: for)? (?P<what>.+)",
        lambda match, line, context: _others(match, line, context),
    ),
    (
        r"(?:export|save|download|exporte[rz]?|telecharge[rz]?|enregistre[rz]?)"
        r"(?: (?:only|just|seulement))? (?P<what>.+?)(?: (?:only|alone|seulement))?"
        rf"(?: (?:as|to|in|called|named|sous|dans|en)(?: (?:a|the|un|le))? {_NAME})?",
        lambda match, line, context: _exported(match, line, context),
    ),
    (
        r"how (?:did|do) you (?:find|choose|pick|get|rank|select|come up with|know) (?P<what>.+)",
        lambda match, line, context: [Explain()] if _THESE.fullmatch(match["what"]) else None,
    ),
)


def _moved(match: re.Match[str], line: Line, context: Context, *, out: bool) -> list[Action] | None:
    what = line.group(match, "what")
    found = None if what is None else segments_of(what, context, ranges=True)
    if found is None or what is None:
        return None
    # "take segment 2" picks it, "take segment 2 out" leaves it out.
    shy = re.search(r"\b(?:put|take|leave)\b", match[0].split(what.words)[0]) is not None
    away = match["to"] or (out and " out" in match[0] and context.segments)
    names = {Line(s.name).words for s in context.segments}
    told = _SEG.search(what.words) is not None or re.sub(r"^the ", "", what.words) in names
    if not away and (shy or not told):
        return None
    return [Pick(found, "drop" if out else "add")]


def _beside(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "put young renters next to rural owners"."""
    one, other = line.group(match, "what"), line.group(match, "other")
    if one is None or other is None or not context.segments:
        return None
    found = (*(segments_of(one, context) or ()), *(segments_of(other, context) or ()))
    return [Compare(found)] if len(found) == 2 else None


def _meant(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "what does INC mean": only what there is can be asked about."""
    what = line.group(match, "what")
    found = None if what is None else segments_of(what, context)
    if what is None:
        return None
    if found is not None and len(found) == 1 and context.segments:
        return [Explain(segment=found[0])]
    codes = suggestions_of(what, context)
    return [Explain(codes[0])] if len(codes) == 1 else None


def _exported(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "export segment 2": picked first, then written."""
    what, named = line.group(match, "what"), line.group(match, "name")
    found = None if what is None else segments_of(what, context, ranges=True)
    if what is None or found is None or not _SEG.search(what.words):
        return None
    name = "" if named is None else named.raw(0, len(named)).strip(" .!?,;:")[:80]
    plain = name.casefold() in ("csv", "file", "csv file", "fichier")
    return [Pick(found), Export("" if plain else name)]


def _others(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "all but segment 4"."""
    what = line.group(match, "what")
    found = None if what is None else segments_of(what, context)
    names = {Line(s.name).words for s in context.segments}
    named = what is not None and re.sub(r"^(?:the|les?|la) ", "", what.words) in names
    if what is None or found is None or not (named or _SEG.search(match[0])):
        return None
    others = tuple(int(s.key) for s in context.segments if s.key not in found)
    return [Pick(others)] if others else None


def _rename_quoted(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    quoted = line.group(match, "q")
    if quoted is None:
        return _rename(match, line, context)
    what = line.group(match, "what")
    found = None if what is None else segments_of(what, context)
    if found is None or len(found) != 1:
        return [Clarify("segment", "rename", quoted.raw(0, 1)[:80])]
    return [Rename(found[0], quoted.raw(0, 1)[:80])]


def read_naming(line: Line, context: Context) -> list[Action] | None:
    """Read a clause that names segments, or asks about one or about a suggestion.

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
    >>> read_naming(Line("rename segment 2 to Commuters"), Context())
    [Rename(segment=2, name='Commuters')]
    >>> read_naming(Line("compare prices before buying"), Context()) is None
    True
    """
    for text, rule in _RULES:
        match = wrapped(text).fullmatch(line.words)
        if match is not None and (actions := rule(match, line, context)) is not None:
            return actions
    return None
