"""The topics of an edit: "the income variables and age" names two."""

from __future__ import annotations

import re

from audience_nb.conversation.lexicon import POST, pattern
from audience_nb.conversation.line import QUOTED, Line

__all__ = ["PRONOUNS", "topics_in"]

_JOINT = re.compile(r"(?:,|;|and|et|&|\+|ou|or|ni|nor|as well as|along with|plus)")
_FIRST = re.compile(
    pattern(
        r"(?:the|any|all|some|more|a|an|my|our|those|these|this|that|le|la|les|l'|du|des|de|d'|"
        r"un|une|"
        r"ces|mes|nos|ce|cette|cet|tous|toutes|tout|anything|everything|stuff|things|about|on|ones|"
        r"sur|do|<vars>|aux?|que|ca|cela|following|:|also|something|info|information|"
        r"concerne(?:nt)?|aussi|of|other|bit|little|too|both|just|every|each|"
        r"related|touche|ce|qui|ni|plus|me|that|which|to|with|category|categorie|topic|theme|it|is|"
        r"kind|sort|concerning|regarding|concernant|liees?|relatif|relative|relatifs|relatives)"
    )
)
_AFTER = re.compile(
    pattern(
        r"(?:<vars>|<ones>|related|please|from the list|in the list|de la liste|topics?|"
        r"categor\w+|sujets?|themes?|again|back|too|instead|there|list|also|as well|entirely|"
        r"altogether|completely|aussi|anymore|any more|at all|du tout|stuff|part|parts|either|"
        r"[!?.…:,-])"
    )
)
# What names something said before.
PRONOUNS = frozenset(
    """it them that this those these one ones le la les ca cela celui celle ceux celles eux all
    everything everyone tout tous toutes it all all of them all of it the rest the others else
    everything else others rest too back""".split()  # noqa: SIM905
)


def topics_in(line: Line) -> tuple[str, ...]:
    """Split what is to be edited into topics, as written.

    Parameters
    ----------
    line : Line
        What follows the verb.

    Returns
    -------
    tuple of str
        Without articles and without words such as "variables"; each once.

    Examples
    --------
    >>> topics_in(Line("the income variables, “arts and crafts” and l'âge"))
    ('income', 'arts and crafts', 'âge')
    """
    found: list[str] = []
    start = 0
    words = [token.word for token in line.tokens]
    for at in range(len(words) + 1):
        if at < len(words) and not _JOINT.fullmatch(words[at]):
            continue
        topic = _topic(line.part(start, at))
        if topic:
            found.append(topic)
        start = at + 1
    return tuple(dict.fromkeys(found))


def _topic(line: Line) -> str:
    words = [token.word for token in line.tokens]
    quoted = [i for i, word in enumerate(words) if word == QUOTED]
    if len(quoted) == 1:
        return line.raw(quoted[0], quoted[0] + 1)[:120]
    first, last = 0, len(words)
    polite = re.fullmatch(rf"(.+?){POST}", line.words)
    if polite is not None:
        last = len(polite[1].split())
    while first < last - 1 and _FIRST.fullmatch(words[first]):
        first += 1
    while first < last and _AFTER.fullmatch(words[last - 1]):
        last -= 1
    while first < last - 1 and " ".join(words[last - 2 : last]) in (
        "as well",
        "any more",
        "du tout",
    ):
        last -= 2
    return line.raw(first, last).strip(" .,;:!?\"'")[:120]
