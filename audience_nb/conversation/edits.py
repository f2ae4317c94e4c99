"""Edits of the answer: add, drop, keep, replace; "less about cars, more about trains"."""

from __future__ import annotations

import re

from audience_nb.conversation.actions import Action, Add, Clarify, Drop, Keep, Pick
from audience_nb.conversation.commands import Rule
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import pattern, wrapped
from audience_nb.conversation.line import Line
from audience_nb.conversation.references import suggestions_of
from audience_nb.conversation.topics import PRONOUNS, topics_in

__all__ = ["continued", "edits_of", "paired", "read_edits"]

_ADDING = (
    r"(?:also |a bit |a little |un peu )?(?:(?<=also )interested in|"
    r"(?:have|see|get) something (?:about|on)|(?:have|get|"
    r"see|want) (?:a bit |"
    r"a little )?more (?:on|about|of)|add|include|"
    r"bring in|bring back|put in|put back|throw in|mix in|work in|tick|"
    r"check|"
    r"plus|consider|more about|more on|more of|something (?:about|on)|"
    r"(?:i|we) (?:also|still) (?:want|need|care about|like)|(?:i|we)(?:'d|'ll| would)? (?:also|"
    r"still) "
    r"(?:want|need|like)(?: to (?:see|have|include|add|know about))?|(?:i|we) (?:want|need|would "
    r"like|'d like) (?:to (?:see|have|add) )?"
    r"(?:more(?: (?:about|on|of))?|to include)|also|don't (?:forget|drop|remove)|do not (?:forget|"
    r"drop|remove)|keep|what about|how about|(?:you |i |we )?(?:forgot|missed|"
    r"left out|should have (?:said|mentioned|added))(?: to (?:mention|say|add|include))?|"
    r"(?:i'm|i am|we're|we are) (?:(?:also|more|quite) )?(?:curious about|(?<= )interested in)|"
    r"focus more on|emphasi[sz]e|a bit more|a little more|some more|"
    r"ajout(?:e|er|ez|ons)|rajout(?:e|er|ez|ons)|inclu(?:s|re|ez|ons)|mets|mettez|mettre|remets|"
    r"davantage (?:de|sur)|plus (?:de choses )?sur|un peu plus (?:de|sur)|plus d'(?: infos? sur)?|"
    r"n' oublie(?:z)? pas|et (?:aussi|si on ajoutait)|aussi|garde[rz]?(?: aussi)?|"
    r"je (?:veux|voudrais) (?:aussi|plus de|egalement|plus sur)|j' aimerais aussi|il manque|"
    r"il faut aussi|et pour|qu' en est il (?:de|du)|tu as oublie|coche[rz]?)"
)
_DROPPING = (
    r"(?:(?:also|a bit|a little|somewhat|much|way|far|un peu|beaucoup|bien) )?(?:drop|remove|"
    r"delete|exclude|kill|dump|trash|toss(?: out)?|bin|chuck|ban|leave out|take out|"
    r"take off|take away|get rid of|"
    r"ditch|"
    r"skip|lose(?= (?:the|anything|everything|all|my|that)\b)|throw out|kick out|kick|untick|"
    r"uncheck|deselect|discard|omit|strip out|strip|"
    r"cut out|weed out|eliminate|erase|scratch|nix|axe|without|no more|no|too much (?:about|on|"
    r"of)|minus|less about|"
    r"less on|less of|fewer about|not(?= the .+ ones?$)|not (?:see|have|show|include|use)|"
    r"not so much|except(?: for)?|forget(?: about)?|ignore|avoid|hide|"
    r"stop showing|never (?:show|mention|suggest|include)|enough (?:of|about)|nothing (?:about|on)|"
    r"(?:i |we )?(?:don't|do not|dont|doesn't|won't) (?:want|need|show|include|use|add|give|care "
    r"about|"
    r"suggest|like)(?: me| us)?(?: to see)?|(?:i'm|i am|we're|we are) not interested in|"
    r"not interested in|(?:i|we) no longer (?:want|need)|there's no need for|no need for|"
    r"get .{0,0}rid of|"
    r"retir(?:e|er|ez|ons)|enlev(?:e|er|ez|ons)|supprim(?:e|er|ez|ons)|ot(?:e|er|ez)|"
    r"exclu(?:s|t|re|ez|ons)?|sans|pas de|pas d'|plus aucune?|aucune?|oublie[rz]?|laisse[rz]? "
    r"(?:de cote|"
    r"tomber)|je ne veux (?:pas|plus)(?: voir)?(?: de| d'| les| des)?|je veux (?:pas|plus)(?: de|"
    r" d')|"
    r"vire[rz]?|efface[rz]?|moins (?:de choses )?sur|decoche[rz]?|evite[rz]?|ignore[rz]?|"
    r"ne (?:montre|garde|mets|propose)[rz]? (?:pas|plus|rien sur)(?: (?:de|les|la|le|d'))?|"
    r"rien sur|rien (?:de|a voir avec)|sauf|hormis|n' ajoute[rz]? pas(?: de)?)"
)
# Needs its counterpart: "more educated people" alone is a question.
_BARE_MORE = r"(?:more|plus de|plus d'|davantage de|davantage d')"
_BARE_LESS = r"(?:less|fewer|moins de|moins d')"
_COMPARED = re.compile(r"^(?:than|que|\d|of \d|or )|\b(?:than|que)\b")
# Verbs that begin many an audience too: after them a sentence is no edit.
_SHY = re.compile(
    pattern(
        r"(?:no|not|without|sans|pas de|pas d'|aucune?|plus|also|aussi|keep|consider|sauf|"
        r"except(?: for)?|minus|skip|avoid|check|evite[rz]?|plus aucune?|et pour|garde[rz]?|"
        r"forget(?: about)?|mets|tick|kick|scratch|strip)"
    )
)
_NUMBERS = re.compile(r"(?:the |numbers? |les? )?\d+(?:(?: ,| and| et| &)+ \d+)*")
_NO_TOPIC = re.compile(r"(?:than|que|from|to|into|fewer|less) ")
_KEEPING = re.compile(r"keep|garde[rz]?(?: aussi)?")
_SENTENCE = re.compile(
    r"\b(?:who|whose|qui|dont|they|that are|people|gens|personnes|families|familles|adults|adultes|"
    r"women|femmes|men|hommes)\b"
)


def _edit(kind: type[Add] | type[Drop], what: Line | None, context: Context) -> list[Action] | None:
    verb = "add" if kind is Add else "drop"
    if what is None:
        return [Clarify("topic", verb)]
    words = re.sub(
        r" (?:back(?: in)?|again|out|off(?: the list)?|in|too|de nouveau)$", "", what.words
    )
    if words in PRONOUNS:
        before = next((a for a in reversed(context.last) if isinstance(a, Add | Drop)), None)
        if before is None or words in ("all", "everything", "tout", "toutes", "tous", "the rest"):
            return [Clarify("topic", verb, words[:80])]
        return [kind(a.topic, a.codes) for a in context.last if isinstance(a, type(before))]
    if kind is Drop and _NUMBERS.fullmatch(what.words):
        numbers = [int(n) for n in re.findall(r"\d+", what.words)]
        if context.segments:
            return [Pick(tuple(numbers), "drop")]
        places = [n - 1 for n in numbers if 0 < n <= len(context.suggestions)]
        named = tuple(str(context.suggestions[place].key) for place in places)
        whole = len(named) == len(numbers)
        return [Drop(codes=named)] if whole else [Clarify("topic", verb, words[:80])]
    if kind is Drop and (codes := suggestions_of(what, context, by_name=False)):
        return [Drop(codes=codes)]
    topics = topics_in(what)
    return [kind(topic) for topic in topics] or [Clarify("topic", verb)]


def _add(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    return _checked(Add, match, line, context)


def _drop(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    return _checked(Drop, match, line, context)


def _checked(
    kind: type[Add] | type[Drop], match: re.Match[str], line: Line, context: Context
) -> list[Action] | None:
    what = line.group(match, "what")
    shy = match.groupdict().get("verb") and _SHY.fullmatch(match["verb"])
    if what is not None and (len(what) > 24 or _NO_TOPIC.match(what.words)):
        return None
    kept = _KEEPING.fullmatch(match.groupdict().get("verb") or "") is not None
    if kept and what is not None and not suggestions_of(what, context):
        # "keep pets" is something that people do.
        return None
    if (
        shy
        and what is not None
        and (len(what) > 6 or _SENTENCE.search(what.words) or re.search(r"\d", what.words))
    ):
        return None
    if what is None and (shy or match["verb"] in ("hide", "plus", "delete", "erase")):
        return None
    return _edit(kind, what, context)


def _keep(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    what = line.group(match, "what")
    if what is not None and _NUMBERS.fullmatch(what.words):
        return _only_places(what, context)
    topics = () if what is None else topics_in(what)
    return [Keep(topics)] if topics else None


def _only_places(what: Line, context: Context) -> list[Action] | None:
    """Read "keep 1 and 3", said of a list: the others go."""
    places = {int(n) for n in re.findall(r"\d+", what.words)}
    if context.segments or len(places) < 2 or max(places) > len(context.suggestions):
        return None
    others = [s for i, s in enumerate(context.suggestions, start=1) if i not in places]
    return [Drop(codes=tuple(str(s.key) for s in others))] if others else None


def _shift(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    """Read "less cars more trains", which no comma parts."""
    old, new = line.group(match, "old"), line.group(match, "new")
    if any(w is None or len(w) > 4 or _COMPARED.search(w.words) for w in (old, new)):
        return None
    return _replace(match, line, context)


def _replace(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    old, new = line.group(match, "old"), line.group(match, "new")
    if old is not None and new is not None and old.words in PRONOUNS and new.words.isdigit():
        # "change that to 9" mends a number.
        return None
    dropped, added = _edit(Drop, old, context), _edit(Add, new, context)
    return [*(dropped or []), *(added or [])] or None


_END = r"(?P<what>.+?)"
_MOST_OF = (
    r"(?:everything|all(?: of (?:it|them|these|those))?|anything|the rest|all the (?:rest|others|"
    r"<vars>)|every <label>|tout|toutes?(?: les <vars>)?|tous|le reste)(?: else)?"
)
_BUT = (
    r"(?:except|but|other than|apart from|besides|save|sauf|hormis|excepte|a part|"
    r"a l' exception)"
)
_RULES: tuple[tuple[str, Rule], ...] = (
    (
        r"(?:drop|remove|delete|get rid of|exclude|lose|untick|discard|hide|retire[rz]?|"
        r"enleve[rz]?|supprime[rz]?|vire[rz]?|efface[rz]?|decoche[rz]?) "
        rf"{_MOST_OF} {_BUT}(?: (?:for|de|des|du))? (?P<what>.+)",
        _keep,
    ),
    (
        r"(?:keep|leave|show(?: me)?|garde[rz]?|conserve[rz]?|laisse[rz]?)(?: (?:just|only))? "
        r"(?P<what>.+?) (?:only|alone|and nothing else|nothing else|seulement|uniquement|"
        r"et rien d' autre)",
        _keep,
    ),
    (
        r"(?:keep|leave|garde[rz]?|conserve[rz]?)(?: (?:just|only|seulement))? "
        r"(?P<what>(?:(?:the |numbers? |les? )?\d+)(?:(?: ,| and| et| &)+ \d+)+)",
        _keep,
    ),
    (
        rf"{_BARE_LESS} (?P<old>.+?) (?:(?:and|but|et|mais) )?{_BARE_MORE} (?P<new>.+)",
        _shift,
    ),
    (
        rf"{_BARE_MORE} (?P<new>.+?) (?:(?:and|but|et|mais) )?{_BARE_LESS} (?P<old>.+)",
        _shift,
    ),
    (
        r"(?:replace|swap(?: out)?|substitute|exchange|trade|switch(?! (?:the )?(?:data|source|"
        r"subtype))|change(?! (?:the )?(?:data type|source))|remplace[rz]?|"
        r"echange[rz]?) "
        r"(?P<old>.+?) "
        r"(?:with|by|for|against|to|par|contre|pour) (?P<new>.+)",
        _replace,
    ),
    (
        r"(?:use|take|put|show|show me|give me|what about|how about|try|utilise[rz]?|mets|prends|"
        r"i want|i'd prefer|"
        r"i would rather have|i'd rather have) (?P<new>.+?) "
        r"(?:instead of|in place of|rather than|a la place de|a la place du|au lieu de|au lieu du|"
        r"au lieu des|plutot que) (?P<old>.+)",
        _replace,
    ),
    (
        r"(?:i|we)(?:'d| would) (?:rather|sooner) (?:have|see|use) (?P<new>.+?) than (?P<old>.+)",
        _replace,
    ),
    (
        r"(?:instead of|in place of|rather than|a la place de|a la place du|au lieu de|au lieu du|"
        r"au lieu des) (?P<old>.+?) ?,? (?:use|put|take|show(?: me)?|add|utilise[rz]?|mets|prends) "
        r"(?P<new>.+)",
        _replace,
    ),
    (
        r"(?:take|leave|throw|kick|cut|keep|get|strip|put|set|push) "
        r"(?P<what>(?:(?!\b(?:out|off|aside|away)\b).)+?) (?:out|off|aside|away)(?: of it| (?:of "
        r")?the (?:list|answer|suggestions|mix))?(?P<verb> )?",
        _drop,
    ),
    (
        r"(?P<what>.+?) (?:shouldn't be|should not be|doesn't belong|don't belong|do not belong|"
        r"does not belong|isn't|aren't|has no place|have no place)(?: in)?(?: here| there| the "
        r"list|"
        r" this list)?(?: at all)?(?P<verb> )?",
        lambda match, line, context: (
            None if _SENTENCE.search(match["what"]) else _drop(match, line, context)
        ),
    ),
    (
        r"(?P<what>.+?) (?:can|could|should|must|may) (?:all )?(?:go(?: away)?|"
        r"be (?:dropped|removed|deleted|left out|excluded|ignored|skipped))(?P<verb> )?",
        lambda match, line, context: (
            None if _SENTENCE.search(match["what"]) else _drop(match, line, context)
        ),
    ),
    (
        r"(?:put|bring|add|take|get) (?P<what>.+?) (?:back(?: in)?|in again|again|back on the list|"
        r"in(?:to)? (?:the )?(?:list|mix|answer|suggestions|there)|to (?:the |my )?(?:list|mix|"
        r"answer|"
        r"suggestions|variables))(?: again)?(?P<verb> )?",
        _add,
    ),
    (
        r"(?:remove|drop|delete|exclude|retire[rz]?|enleve[rz]?|supprime[rz]?) (?P<what>.+?) "
        r"(?:from (?:the |my |this )?(?:list|answer|suggestions?|results?|selection|variables|mix)|"
        r"de (?:la |ma |cette )?(?:liste|selection|reponse)|des (?:suggestions|resultats|"
        r"variables))"
        r"(?P<verb> )?",
        _drop,
    ),
    (
        r"(?:i |we |you )?(?:don't|do not|dont|never) (?:drop|remove|exclude|delete|lose|leave out|"
        r"take out)(?P<verb> )? (?P<what>.+)",
        _add,
    ),
    (rf"(?P<verb>{_ADDING})(?: {_END})?", _add),
    (rf"(?P<verb>{_DROPPING})(?: {_END})?", _drop),
    (
        r"(?P<what>.+?) (?:in|should be in(?: (?:too|there|the list))?|as well please|too please|"
        r"aussi svp)"
        r"(?P<verb> )?",
        lambda match, line, context: None,
    ),
    (
        r"(?P<what>.+?) (?:are|is|isn't|aren't|n' est|ne sont|sont|est) (?:not what (?:i'm|i am|"
        r"we're|we are) "
        r"(?:after|looking for)|not what (?:i|we) (?:want|need|mean|meant)|(?:not )?(?:relevant|"
        r"interesting|needed|useful|helpful|(?:of )?any use|"
        r"important)|"
        r"irrelevant|useless|unnecessary|inutiles?|pas (?:pertinente?s?|utiles?|interessante?s?))"
        r"(?P<verb> )?",
        lambda match, line, context: (
            _drop(match, line, context)
            if not _SENTENCE.search(match["what"]) and len(match["what"].split()) <= 5
            else None
        ),
    ),
)


def read_edits(line: Line, context: Context) -> list[Action] | None:
    """Read a clause that edits the answer.

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
    >>> read_edits(Line("please remove the income variables"), Context())
    [Drop(topic='income', codes=())]
    """
    if not context.asked:
        return None
    for text, rule in _RULES:
        match = wrapped(text).fullmatch(line.words)
        if match is not None and (actions := rule(match, line, context)) is not None:
            return actions
    return None


def paired(line: Line, context: Context) -> list[Action] | None:
    """Read "more trains" or "less cars", which say an edit only beside each other.

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
    >>> paired(Line("less cars"), Context())
    [Drop(topic='cars', codes=())]
    """
    for text, kind in (
        (rf"(?:i(?: want|'d like)? )?{_BARE_MORE} (?P<what>.+)", Add),
        (rf"(?:i(?: want|'d like)? )?{_BARE_LESS} (?P<what>.+)", Drop),
        (r"(?P<what>.+?) in", Add),
        (r"(?P<what>.+?) out", Drop),
    ):
        match = wrapped(text).fullmatch(line.words)
        if match is None:
            continue
        what = line.group(match, "what")
        if what is None or len(what) > 5 or _COMPARED.search(what.words):
            return None
        return _edit(kind, what, context)
    return None


def continued(line: Line, before: Action, context: Context) -> list[Action] | None:
    """Read what goes on with an edit: "drop income, age".

    Parameters
    ----------
    line : Line
        The clause, without a verb of its own.
    before : Action
        The last edit.
    context : Context
        How the session stands.

    Returns
    -------
    list of Action or None

    Examples
    --------
    >>> continued(Line("age"), Drop("income"), Context())
    [Drop(topic='age', codes=())]
    """
    if not len(line) or len(line) > 6 or _SENTENCE.search(line.words):
        return None
    if isinstance(before, Keep):
        topics = topics_in(line)
        return [Keep((*before.topics, *topics))] if topics else None
    if isinstance(before, Add | Drop):
        more = _edit(type(before), line, context)
        return None if more is None or any(isinstance(a, Clarify) for a in more) else more
    return None


def edits_of(actions: list[Action]) -> bool:
    """Tell whether all actions edit an answer by topic.

    Parameters
    ----------
    actions : list of Action
        Of one message.

    Returns
    -------
    bool

    Examples
    --------
    >>> edits_of([Add("cars")]), edits_of([])
    (True, False)
    """
    return bool(actions) and all(isinstance(a, Add | Drop | Keep) for a in actions)
