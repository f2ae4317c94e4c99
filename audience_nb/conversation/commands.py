"""Orders about the work as a whole: undo, redo, start over, build, export, help."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from audience_nb.conversation.actions import (
    Action,
    Ask,
    Build,
    Clarify,
    Export,
    Help,
    Nothing,
    Redo,
    StartOver,
    Undo,
)
from audience_nb.conversation.context import Context
from audience_nb.conversation.lexicon import polite, wrapped
from audience_nb.conversation.line import Line

__all__ = ["Rule", "read_commands"]

Rule: TypeAlias = Callable[[re.Match[str], Line, Context], list[Action] | None]

_THAT = (
    r"(?:that|this|it|ca|cela|(?P<all>everything|all of it|all|tout)|everything i just did|"
    r"what (?:i|you) (?:just )?(?:did|undid|changed)|"
    r"(?:the |my |your |la |le |l' |ma |mon |les )*(?:very )?(?:(?P<of2>\d+) )?"
    r"(?:last|previous|latest|derniere?s?|precedente?)?(?: (?P<of>\d+))?"
    r"(?: ?(?:rename|renaming|name|filter|filtering|build|export|selection|merge|question|answer|"
    r"change|changes|step|steps|action|actions|edit|edits|one|thing|things|move|etape|"
    r"etapes|"
    r"modification|modifications|changement|changements|dernieres?|derniers?|precedente?))+|last)"
)
# A pattern may name a group once.
_PLAIN_THAT = re.sub(r"\?P<\w+>", "?:", _THAT)
_TIMES = r"(?P<n>\d+) ?(?:times|time|steps|step|fois|etapes|x)|(?P<twice>twice)|(?P<once>once)"
_AGAIN = (
    r"(?:all over|over|again|everything|from scratch|from the (?:beginning|start)|a zero|"
    r"depuis (?:le debut|zero)|du debut|tout|completely|the session|everything again|de nouveau|"
    r"with a clean slate|fresh|a neuf)"
)
_OBJECT = (
    r"(?:it|them|this|that|everything|everyone|all(?: of (?:it|them))?|tout|le|la|les|ca|cela|"
    r"(?:the |my |our |this |these |l' |le |la |les |mon |cette |notre )?(?:final |whole |"
    r"resulting )?"
    r"(?:audiences?|segments?|results?|list|file|data|selection|liste|fichier|resultats?|records|"
    r"people|groups?|groupes?|csv)(?: (?:file|list))?)"
)
_NAME = r"(?P<name>‹q›|[\w .-]+?)"


def _steps(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("all"):
        return 100
    number = next((groups[g] for g in ("n", "of", "of2", "k", "m") if groups.get(g)), None)
    steps = 2 if groups.get("twice") else int(number) if number else 1
    return min(max(steps, 1), 100)


def _undo(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Undo(_steps(match))]


def _redo(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Redo(_steps(match))]


def _start_over(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    rest = line.group(match, "ask")
    return [StartOver(), Ask(rest.written)] if rest is not None else [StartOver()]


def _build(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Build()]


_FORMAT = re.compile(
    r"(?:an? |un |the |le )?(?:format |fichier )?(?P<form>json|parquet)(?: file| format)?"
)


def _export(match: re.Match[str], line: Line, context: Context) -> list[Action] | None:
    named = line.group(match, "name")
    if named is None or polite(named.words):
        return [Export()]
    # A name follows "as" or "called"; "export to Germany" is something that people do.
    name = named.raw(0, len(named))
    sure = match["as"] is not None or "." in name or named.words == "‹q›"
    if named.words in ("csv", "a csv", "un csv", "excel", "file", "a file", "un fichier", "disk"):
        return [Export()]
    if (form := _FORMAT.fullmatch(named.words)) is not None:
        return [Export(f"audience.{form['form']}")]
    if not sure or len(named) > 8:
        return None
    return [Export(name[:80])]


def _help(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Help()]


def _nothing(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Nothing()]


def _send(match: re.Match[str], line: Line, context: Context) -> list[Action]:
    return [Clarify("consent", "distribute")]


_RULES: tuple[tuple[str, Rule], ...] = (
    (
        rf"(?:undo the undo|redo|reapply(?: {_PLAIN_THAT})?|do (?:that|it) again|repeat that|"
        r"annule l' annulation|refai(?:s|re|tes)(?: le| la| ca| cela)?|"
        r"retabli(?:r|s|t|ssez)(?: (?:ca|cela|le|la|tout))?|restore (?:that|it|what i undid)|"
        r"(?:put|bring) (?:that|it|them) back)"
        rf"(?: {_THAT})?(?: (?:{_TIMES}|(?P<m>\d+)))?",
        _redo,
    ),
    (
        rf"(?:undo|revert|roll ?back|take back|annule[rz]?|defai(?:s|re|tes)|reverse|cancel|"
        rf"scrap|scratch)(?: "
        rf"{_THAT})?"
        rf"(?: (?:{_TIMES}))?|undo (?P<m>\d+)"
        r"|(?:put|set) (?:it|that|things|everything) back (?:how|as|the way|like) (?:it|they|"
        r"things) "
        r"(?:was|were)(?: before)?"
        rf"|(?:take|roll) (?:that|it|this) back|(?:go|step|roll|move) back(?: (?:(?:a|one) step|"
        rf"(?P<k>\d+) steps))?|oops|whoops|oups|back|retour(?: en arriere)?|"
        r"revien(?:s|ez)(?: en arriere)?|revenir en arriere|on revient en arriere|control z|ctrl z|"
        r"change (?:that|it) back|that was a mistake|that was wrong|c' etait une erreur|"
        r"i (?:didn't|did not) (?:mean|want) that",
        _undo,
    ),
    (
        r"(?:(?:start|begin|starting|do it|try) (?:over|again|afresh|anew|from scratch|fresh|new)|"
        r"start-over|restart|reset|from scratch|clear (?:everything|all|it all|it)|clean slate|"
        r"(?:wipe|clear|scrap|bin|trash|delete|drop|scratch) (?:it|this|that|all|everything|them)"
        r"(?: all)? and (?:start|begin)(?: (?:over|again|afresh|anew|fresh))?|"
        r"forget (?:that|this|it)(?= ,)|oublie (?:ca|cela)(?= ,)|"
        r"scrap (?:it all|everything|all(?: of (?:it|that))?)|forget (?:everything|it all|all "
        r"(?:of )?(?:that|this))|wipe (?:everything|it all|all)|"
        r"(?:a )?new (?:audience|search|session)|remove everything|delete everything|"
        r"(?:on )?recommence(?:r|z|ons)?|"
        r"(?:on )?(?:repar(?:s|t|tir|tons|tez)|depart) (?:de|a) (?:0|zero)|de (?:0|zero)|"
        r"(?:tout )?(?:efface[rz]?|remettre a (?:0|zero)|remets (?:tout )?a (?:0|zero))(?: tout)?|"
        r"remise a (?:0|zero)|reinitialise[rz]?|oublie tout|nouvelle (?:audience|recherche)|a zero)"
        rf"(?: {_AGAIN}| a 0| de 0)*"
        r"(?:(?: with| avec| :| ,| -| –| for) (?P<ask>(?!and\b|et\b|then\b|puis\b).+))?",
        _start_over,
    ),
    (
        r"(?:build|rebuild|re-build|recompute|recalculate|cut|create|make|generate|compute|run|"
        r"form|"
        r"produce|calculate|construct|do|get|show|give me|show me|get me|let me see|see|"
        r"construi(?:s|re|sez)|cree[rz]?|fai(?:s|re|tes)|genere[rz]?|calcule[rz]?|lance[rz]?|"
        r"montre(?:r|z)?(?: moi)?|forme[rz]?|refai(?:s|re|tes)|reconstrui(?:s|re|sez))"
        r"(?: (?:the|my|some|new|our|those|les|des|mes|la|une|a|nos|audience|customer|final))* "
        r"(?:<seg>|segmentation)(?: (?:now|again|anew|maintenant|de nouveau|please|from (?:these|"
        r"that)|"
        r"out of (?:these|them|it)|with (?:these|those)(?: <vars>)?|avec (?:ca|cela)))*"
        r"|(?:build|rebuild|construis|reconstruis)(?: (?:it|them|now|again|the audience|everything|"
        r"maintenant))*"
        r"|(?:segment|segmente[rz]?|resegment|re-segment|cluster|cut|slice|group)(?: (?:it|them|"
        r"now|this|everyone|"
        r"everybody|away|(?:the |my |our |these |les |mes |nos |the )?(?:audience|people|customers|"
        r"records|base|population|clients|personnes|data|donnees|gens)|maintenant|again|les|la))+"
        r"|segment(?:er|ez|e)|decoupe[rz]?(?: (?:les|la|tout|maintenant|l' audience))*"
        r"|(?:run|do|lance[rz]?|fai(?:s|re|tes)|start) (?:the |la |une |a )?(?:segmentation|"
        r"clustering|"
        r"build)|go(?: ahead| for it| on then)?|do it|run it|vas y|allez y|on y va|c' est parti"
        r"|split (?:them|it|people|everyone|the audience|this)(?: up)?(?: (?:into|in) <seg>)?"
        r"|(?:divise[rz]?|repartis|coupe[rz]?)(?: (?:les|la|tout|l' audience|les personnes))*"
        r"(?: en <seg>)?|segments? (?:now|please|maintenant)|ready to (?:build|segment)",
        _build,
    ),
    (
        r"(?:export|save|download|write(?: out)?|store|exporte[rz]?|enregistre[rz]?|"
        r"sauvegarde[rz]?|telecharge[rz]?|ecri(?:s|re|vez)) "
        rf"{_OBJECT}(?: (?:to|into|in|as|en|dans|vers|sous|au format|on)(?: (?:a|an|the|un|le|"
        rf"une|my))?"
        r"(?: (?:file|csv|csv file|fichier|fichier csv|format csv|disk|disque|computer|excel "
        r"file))+)?"
        r"(?: (?:(?P<as>as|called|named|under(?: the name)?|sous(?: le nom(?: de)?)?|nommee?|"
        r"appelee?|with the name|avec le nom|en tant que|name it|file name|filename|in a file "
        r"called|"
        rf"dans un fichier nomme|and (?:call|name) it|:)|to|in|into|dans|vers|en)(?: :)? {_NAME})?",
        _export,
    ),
    (
        r"(?:export|exporte[rz]?|download|telecharge[rz]?|save|enregistre[rz]?|sauvegarde[rz]?)"
        r"(?: (?:to|on) (?:disk|file|a file|my computer))? "
        r"(?:(?P<as>as|under(?: the name)?|sous(?: le nom(?: de)?)?|called|named)|to|in|into|en|"
        r"dans"
        rf"|vers)(?: (?:a|the|un|le))?(?: (?:file|csv|fichier)(?= ))?(?: (?:called|named|"
        rf"nomme))? {_NAME}",
        _export,
    ),
    (
        r"export|exporte[rz]?|export now|csv please|download|telecharge[rz]?|csv|"
        r"(?:write|make|create|generate|produce) (?:me )?(?:a|the) csv(?: file)?|(?:give me|get "
        r"me|get|have|i need|i want|i'd like|i would like|donne moi|avoir|je veux|je voudrais|"
        r"j' aimerais(?: avoir)?) "
        r"(?:the|a|le|un) (?:csv|fichier csv|csv file|export|file|fichier|fichier export)(?P<as> "
        r")?",
        lambda match, line, context: [Export()],
    ),
    (
        r"(?:(?:(?:i need|some|get|a little|a bit of|any|j' ai besoin d'|besoin d') )*(?:help|"
        r"aide)|"
        r"help me|what (?:are you able to|can this) do|aide|aidez moi|aide moi|a l' aide|"
        r"\?|what can (?:you|i) (?:do|say|ask|"
        r"type)"
        r"(?: here)?|what (?:are|do) you do|how does (?:this|it) work|how do i use (?:this|it)|"
        r"qu' est ce que (?:tu peux|je peux|vous pouvez) (?:faire|dire|demander)|"
        r"que (?:peux tu|puis je|pouvez vous|sais tu) (?:faire|dire|demander)|comment ca marche|"
        r"comment (?:ca fonctionne|faire)|what are my options|what now|what next|et maintenant)",
        _help,
    ),
    (
        r"(?:thanks|thank you|thx|ty|merci)(?: (?:so much|very much|a lot|beaucoup|bien|you))*|"
        r"ok|okay|"
        r"great|perfect|parfait|cool|nice|super|good|fine|tres bien|c' est bon|c' est parfait|ca "
        r"va|"
        r"never ?mind|nevermind|laisse tomber|laissez tomber|forget it|rien|nothing|hello|hi|hey|"
        r"bonjour|salut|bonsoir|good morning|(?:that's|thats|this is|it's|looks|all) (?:it|all|"
        r"fine|"
        r"great|good|perfect|ok|okay)(?: (?:for now|thanks|as it is|now))?|no thanks|no thank you|"
        r"non merci|ce n' est rien|(?:well done|nice one|good job|bravo|genial|impeccable|cheers)|"
        r"(?:wait|attends|un instant|one moment)|yes|no|oui|non|leave (?:it|everything|that) as "
        r"(?:it|"
        r"is|it is)|change nothing|ne change rien|ne touche a rien",
        _nothing,
    ),
    (
        r"(?:don't|do not|dont|never|please don't|ne|n') (?:build|export|segment|save|start|undo|"
        r"redo|"
        r"rename|merge|do|change|send|exporte[rz]?|construi\w+|enregistre[rz]?|annule[rz]?|fai\w+|"
        r"segmente[rz]?|touche[rz]?)"
        r"(?: (?:it|that|this|them|anything|rien|over|pas|the \w+|any \w+|les? \w+|la \w+|yet|"
        r"now|again|encore|tout de suite|for now|pour l' instant|maintenant))*",
        _nothing,
    ),
    (
        rf"(?:send|push|distribute|upload|publish|activate|envoie[rz]?|envoyer|diffuse[rz]?|"
        rf"publie[rz]?) "
        rf"{_OBJECT}(?: (?:to|on|in|at|a|vers|sur|dans) .+)?",
        _send,
    ),
)


def read_commands(line: Line, context: Context) -> list[Action] | None:
    """Read a clause that is an order about the work as a whole.

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
    >>> read_commands(Line("please undo the last 2 changes!"), Context())
    [Undo(steps=2)]
    >>> read_commands(Line("undo-it-yourself renters"), Context()) is None
    True
    """
    for text, rule in _RULES:
        match = wrapped(text).fullmatch(line.words)
        if match is not None and (actions := rule(match, line, context)) is not None:
            return actions
    return None
