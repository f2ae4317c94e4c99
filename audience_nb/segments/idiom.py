"""What people who sell say of a variable: "big spenders on wine", not "high spending on wine"."""

from __future__ import annotations

import re

__all__ = ["idiom"]

_MUCH, _LITTLE = 0.85, 0.15
_SPENDING = re.compile(r"^(?:spending|spend|(?:money|amount) spent) on (?P<what>.+)$", re.I)
_SINCE = re.compile(r"^(?:days|weeks|months) since (?:the |their |a )?last (?P<what>.+)$", re.I)
_DOERS = {"purchase": "buyers", "order": "buyers", "visit": "visitors", "login": "users"}
_FREQUENCY = re.compile(r"^(?P<what>.+) frequency$", re.I)
_EVENTS = re.compile(r"\b(?:transactions|visits|orders|calls|complaints|logins)$", re.I)
_CHURN = re.compile(r"^(?:customer )?(?:churn|attrition)$", re.I)
_TENURE = re.compile(
    r"^(?:tenure|tenure in months|months as (?:a )?customer|customer (?:tenure|since))$", re.I
)
_RATE = re.compile(r"^(?:percent|percentage|share) (?:of )?full payment$", re.I)


def idiom(short: str, standing: float, up: bool) -> tuple[str, str, str] | None:
    """Put a variable and a direction as a marketer would.

    Parameters
    ----------
    short : str
        Short name of the variable.
    standing : float
        Mean ridit of the segment, or its share, in [0, 1].
    up : bool
        Whether it is above the base.

    Returns
    -------
    tuple of str or None
        Role ("adjective", "noun" or "lead"), lead and body, as of a `Phrase`; None where no
        saying is known.

    Examples
    --------
    >>> idiom("spending on wine", 0.9, True)
    ('lead', 'very big spenders on', 'wine')
    >>> idiom("height", 0.9, True) is None
    True
    """
    very = "very " if standing >= _MUCH or standing <= _LITTLE else ""
    if match := _SPENDING.match(short):
        return "lead", f"{very}{'big' if up else 'low'} spenders on", match["what"]
    if match := _SINCE.match(short):
        if up:
            return "lead", "long since", f"last {match['what']}"
        people = _DOERS.get(match["what"].casefold())
        return ("noun", "", f"recent {people}") if people else ("lead", "recent", match["what"])
    if match := _FREQUENCY.match(short):
        return "lead", f"{very}{'frequent' if up else 'rare'}", match["what"]
    if _EVENTS.search(short):
        return "lead", f"{very}{'many' if up else 'few'}", short
    if _CHURN.match(short):
        return "lead", f"{'high' if up else 'low'}", short
    if _TENURE.match(short):
        return "adjective", "", "long-standing" if up else "newer"
    if _RATE.match(short):
        return "lead", "mostly" if up else "rarely", "paying in full"
    return None
