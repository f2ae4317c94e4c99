"""The words of the grammar, in English and French, folded; and patterns made of them."""

from __future__ import annotations

import re
from functools import cache

__all__ = ["WORDS", "pattern", "polite", "wrapped"]

# Name -> what it stands for in a pattern, where it is written <name>.
PARTS: dict[str, str] = {
    "seg": r"(?:segments?|groups?|groupes?|clusters?|buckets?)",
    "vars": (
        r"(?:variables?|suggestions?|results?|resultats?|traits?|propositions?|questions?|ideas?|"
        r"idees?|attributes?|attributs?|fields?|criteria|criteres?)"
    ),
    "ones": r"(?:ones?|things?|stuff|items?|data|donnees|choses?|trucs?|types?|kinds?)",
    "the": (
        r"(?:the|any|all(?: the| of the)?|all|some|my|our|those|these|le|la|les|l'|du|des|de la|"
        r"de l'|un|une|mes|nos|ces|tous les|toutes les|of the|every|chaque)"
    ),
    "label": (
        r"(?:variables?|suggestions?|results?|resultats?|traits?|ones?|questions?|data|donnees|"
        r"types?|kinds?|stuff|things?|attributes?|attributs?|fields?|sources?|category|categories|"
        r"categorie|themes?|section|topics?)"
    ),
    "only": r"(?:i only (?:want|need|care about)|i just (?:want|need)|i want only|"
    r"je (?:ne )?veux (?:que|seulement)|only|just|solely|seulement|uniquement|exclusivement|rien "
    r"que|juste|nothing but)",
    "show": (
        r"(?:show(?: me| us)?|give(?: me| us)?|keep|restrict(?: (?:it|them|this))? to|"
        r"limit(?: (?:it|them|this|(?:the )?(?:sources?|categor\w+)))? to|filter(?: (?:it|"
        r"them))?(?: (?:by|on|to|for))?|"
        r"(?:narrow|reduce|cut|trim)(?: (?:it|them|this|the list))?(?: down)? to|stick to|"
        r"stay with|focus (?:only )?on|"
        r"display|see|look at|stay (?:within|in)|work with|use|"
        r"montre(?:r|z)?(?: moi)?|affiche[rz]?(?: moi)?|garde[rz]?|limite[rz]?(?: (?:toi|vous))? a|"
        r"filtre[rz]?(?: (?:sur|par))?|restrei(?:ns|gnez) (?:a|aux)|"
        r"concentrate on|zoom in on|concentre[rz]?(?: (?:toi|vous))? sur|donne[rz]?(?: moi)?|ne "
        r"(?:garde|montre|"
        r"affiche)[rz]? que)"
    ),
    "n": r"\d+",
    "x": r"\d+(?:\.\d+)?",
    "people": (
        r"(?:people|persons?|personnes?|records?|customers?|clients?|members?|membres?|rows?|"
        r"individuals?|individus?|gens|enregistrements?|households?|foyers?|menages?|lignes?)"
    ),
    "each": (
        r"(?:each|apiece|per <seg>|in (?:each|every)(?: <seg>)?|each <seg>|every <seg>|chacune?|"
        r"par <seg>|dans chaque <seg>|chaque <seg>|each one|a piece)"
    ),
    "end": r"(?:‹q›|.+)",
}
# Said before and after an order, and no part of it.
_BEFORE = (
    r"(?:hold on|that was (?:a mistake|wrong)|please|pls|plz|kindly|nah|nope|yo|listen|look|dear|"
    r"oops|whoops|oups|"
    r"i(?:'ve)? changed my mind|j' ai change d' avis|on reflection|"
    r"ok|okay|oki|alright|right|hi|hello|hey|bonjour|salut|well|so|now|"
    r"and|but|also|actually|oh|um|euh|hmm|yes|yeah|yep|oui|great|thanks|thank you|thx|merci|"
    r"cool|nice|perfect|parfait|super|good|"
    r"then|after that|next|finally|first of all|lastly|in fact|on second thought|no wait|wait|hang "
    r"on|sorry|i mean|i meant|rather|"
    r"(?:can|could|would|will) (?:you|we|i)|can't you|let's|lets|let us|i (?:want|need|wish) "
    r"(?:you )?to|i(?: would|'d)? (?:like|love)(?: you)? to|we (?:want|need) to|we(?: would|'d) "
    r"like to|i think (?:you|we|i) should|we should|you (?:can|should|could)|go ahead and|try to|"
    r"it would be (?:good|nice|great|useful) to|(?:we|you|i) (?:can|could|may)|"
    r"just|simply|maybe|perhaps|i(?:'d| would) rather|i(?:'d| would)? prefer|je prefere(?:rais)?|"
    r"(?:peux|pourrais) tu|tu (?:peux|pourrais)|(?:pouvez|pourriez) vous|vous (?:pouvez|pourriez)|"
    r"est ce (?:que tu peux|qu' on peut|que vous pouvez)|on (?:peut|va|pourrait)|je (?:veux|"
    r"voudrais|souhaite)|j' aimerais|nous voulons|il faut(?: que tu)?|veuillez|maintenant|alors|"
    r"ensuite|puis|et|mais|donc|bon|enfin|finalement|aussi|d' accord|d' abord|en fait|plutot|non|"
    r"s' il te plait|s' il vous plait|svp|stp|pardon|desole|attends?|"
    r"it would be (?:nice|great|good) to|let me|laisse moi|that's (?:great|good|nice)|c' est bien|"
    r"voudrais tu|merci de|would you mind|do|"
    r"[,:;.!…-])"
)
_AFTER = (
    r"(?:please|pls|plz|thanks|thank you|thx|merci|svp|stp|s' il te plait|s' il vous plait|now|"
    r"too|as well|aussi|maintenant|then|for me|for us|if you can|if possible|si possible|"
    r"tout de suite|right away|right now|ok|okay|cheers|d' accord|alors|if you (?:don't )?mind|"
    r"would (?:help|be (?:good|nice|great|better|useful|helpful))|"
    r"my friend|pour moi|also|again|in there|in here|at all|du tout|"
    r"whatsoever|any ?more|any longer|[!?.…,;:)]|:\))"
)
PRE = rf"(?:{_BEFORE} )*"
POST = rf"(?: {_AFTER})*"


def pattern(text: str) -> str:
    r"""Write a pattern with its parts in full.

    Parameters
    ----------
    text : str
        A regular expression over folded words, one space apart; parts are written <name>.

    Returns
    -------
    str

    Examples
    --------
    >>> pattern("<n> years")
    '(?:\\d+) years'
    """
    while (part := re.search(r"(?<!\?P)<([a-z]+)>", text)) is not None:
        text = f"{text[: part.start()]}(?:{PARTS[part[1]]}){text[part.end() :]}"
    return text


def polite(words: str) -> bool:
    """Tell whether nothing but politeness is said.

    Parameters
    ----------
    words : str
        Folded, one space apart.

    Returns
    -------
    bool

    Examples
    --------
    >>> polite("now please !"), polite("please me")
    (True, False)
    """
    return re.fullmatch(POST, f" {words}") is not None


@cache
def wrapped(text: str) -> re.Pattern[str]:
    """Compile a pattern that a whole clause must match, whatever politeness is around it.

    Parameters
    ----------
    text : str
        As for `pattern`.

    Returns
    -------
    re.Pattern

    Examples
    --------
    >>> wrapped("undo").fullmatch("please undo , thanks !") is None
    False
    """
    return re.compile(PRE + "(?:" + pattern(text) + ")" + POST)


# Words that a slip of the pen may stand for. Only such as orders are made of: "renters" must never
# be read as one of them.
WORDS = frozenset(
    """
    undo redo revert cancel rollback restart reset start over again scratch everything back last
    step steps change changes times twice
     add include remove drop unpick exclude delete without untick uncheck deselect ignore instead
    replace
    swap about less more fewer
    only just show keep limit filter restrict focus narrow hide
    suggestions suggestion variables variable results result
    segments segment groups group cluster clusters audience audiences build create generate split
    make number between above below under over least most each every none maximum minimum smaller
    larger bigger percent people exactly automatic choose
    rename call name called named merge combine join pick select compare difference versus
    explain describe why suggested because
    export save download file data type first third party clean room
    demographic demographics behavioral behavioural psychographic psychographics values attitudes
    lifestyle lifestyles social category categories source sources available please thanks
    annule annuler refais refaire retablir retablis recommence recommencer recommencez efface zero
    ajoute ajouter ajoutez rajoute retire retirer retirez enleve enlever enlevez supprime supprimer
    supprimez exclus exclure remplace remplacer seulement uniquement montre garde affiche limite
    filtre groupes groupe cree creer lance chaque moins entre plus aucun dessus dessous
    renomme renommer renommez appelle appelee appele appelez nomme nommee nommez fusionne
    fusionner combine choisis choisir compare
    comparer comparez explique expliquer decris pourquoi exporte exporter exportez enregistre
    telecharge sauvegarde fichier donnees salle blanche premiere tierce tierces partie
    demographique demographiques comportement comportements comportementales psychographiques
    valeurs sociales styles style categorie categories construis construire segmente decoupe
    personnes pourcent maximum minimum annulez reviens precedent selectionne regroupe
    """.split()  # noqa: SIM905
)
