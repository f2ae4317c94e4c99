"""Destinations as a view asks for them: each is checked, planned, tried, and sent to."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from audience_nb.errors import AudienceError, InvalidInput, NotAllowed, SourceFailed

if TYPE_CHECKING:
    from audience_nb.distribution import Delivery, Finding, Plan
    from audience_nb.session import Session

__all__ = ["STAGES", "Dispatch", "dispatch", "dispatch_values"]

Stage = Literal["check", "plan", "try", "send"]
STAGES: tuple[Stage, ...] = ("check", "plan", "try", "send")
# What every platform takes, besides the ids of its account.
_COMMON = ("region", "retention_days", "endpoint")
_LABELS = {
    "path": "File name",
    "endpoint": "Address of the server",
    "region": "Country of the people",
    "retention_days": "Retention in days",
}
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How far one destination is with the audience as it stands.

    Parameters
    ----------
    destination : str
        Its name.
    options : dict of str to str
        As they were typed; never a token.
    findings : tuple of Finding, optional
        Once checked.
    plan : Plan, optional
        Once planned.
    delivery : Delivery, optional
        Once tried or sent; where it was refused, what had been taken before.
    refusal : tuple of (str, str), optional
        Why the last sending was refused or broke off, and what to do.

    Examples
    --------
    >>> Dispatch("meta").stands
    'not checked'
    """

    destination: str
    options: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] | None = None
    plan: Plan | None = None
    delivery: Delivery | None = None
    refusal: tuple[str, str] | None = None

    @property
    def stands(self) -> str:
        """One of "not checked", "problems", "ready", "planned", "tried", "sent", "refused"."""
        if self.refusal is not None:
            return "refused"
        if self.delivery is not None:
            return "tried" if self.delivery.dry_run else "sent"
        if self.findings is None:
            return "not checked"
        if any(finding.level == "error" for finding in self.findings):
            return "problems"
        return "ready" if self.plan is None else "planned"

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values: counts, and identifiers cut short.

        Returns
        -------
        dict
        """
        plan = None if self.plan is None else self.plan.to_dict()
        if plan is not None:
            del plan["findings"]
            plan["batches"] = {
                "count": len(plan["batches"]),
                "largest": max(plan["batches"] or [0]),
            }
        found = self.findings
        return {
            "name": self.destination,
            "stands": self.stands,
            "options": dict(self.options),
            "findings": None if found is None else [finding.to_dict() for finding in found],
            "plan": plan,
            "delivery": None if self.delivery is None else self.delivery.to_dict(),
            "refusal": self.refusal and {"fact": self.refusal[0], "next_move": self.refusal[1]},
        }


def dispatch(
    session: Session,
    name: str,
    stage: str,
    options: Mapping[str, str],
    token: str = "",
    confirm: bool = False,
    purpose: str = "",
) -> None:
    """Take one destination a stage on; the session keeps what came of it.

    Parameters
    ----------
    session : Session
        With segments.
    name : str
        Of the destination.
    stage : {"check", "plan", "try", "send"}
        A plan checks as well; to try is a dry run.
    options : mapping of str to str
        As they were typed; empty ones are as by default.
    token : str, optional
        What a platform lets one in with. Kept nowhere.
    confirm : bool, optional
        Without it nothing is sent.
    purpose : str, optional
        Why, for the audit log.

    Raises
    ------
    InvalidInput
        If an option is unknown or cannot be used, or a send is not confirmed.
    NotAllowed, NotDelivered, WrongStep
        As `Session.distribute` raises them.
    """
    if stage not in STAGES:
        raise InvalidInput(
            f"There is no stage {str(stage)[:40]!r}.", f"Use one of: {', '.join(STAGES)}."
        )
    if stage == "send" and not confirm:
        raise InvalidInput("The sending is not confirmed.", "Tick that these people be sent.")
    typed = {key: value.strip() for key, value in options.items() if value.strip()}
    given = _read(name, typed)
    if stage == "send" and _asks(name)["needs_token"] and not token:
        raise InvalidInput("No token is given.", "Type the one that the platform gave out.")
    found: dict[str, Any] = {}
    with session.lock:
        try:
            with session.one_step():
                if stage == "check":
                    found["findings"] = session.check_destination(name, **given)
                else:
                    plan = session.plan(name, **given)
                    found |= {"findings": plan.findings, "plan": plan}
                if stage == "try":
                    found["delivery"] = session.distribute(name, **given)
                elif stage == "send":
                    # A destination of somebody else's may know of no token.
                    let_in = {"token": token} if token else {}
                    found["delivery"] = session.distribute(
                        name, confirm=True, purpose=purpose[:_LONGEST], **let_in, **given
                    )
                _keep(session, Dispatch(name, typed, **found))
        except (NotAllowed, SourceFailed) as error:
            # The step took everything back; that it was refused, and how far it got, is kept.
            if stage == "send" and found:
                found["delivery"] = getattr(error, "delivery", None)
                found["refusal"] = (error.fact, error.next_move)
                with session.one_step():
                    _keep(session, Dispatch(name, typed, **found))
            raise


def _keep(session: Session, mine: Dispatch) -> None:
    others = (d for d in session.state.dispatches if d.destination != mine.destination)
    session.look(dispatches=(*others, mine))


def dispatch_values(session: Session) -> list[dict[str, Any]]:
    """Give every destination as a view shows it.

    Parameters
    ----------
    session : Session
        The session, locked by the caller.

    Returns
    -------
    list of dict
        `name`, `title`, `asks` (its options: name, label, required), `takes_token`,
        `needs_token`, and what `Dispatch.to_dict` gives. Empty without segments.
    """
    if session.segmentation is None:
        return []
    from audience_nb.distribution import destinations

    known = {d.destination: d for d in session.state.dispatches}
    return [
        {
            "title": title,
            **_asks(name),
            **known.get(name, Dispatch(name)).to_dict(),
        }
        for name, title in destinations().items()
    ]


def _asks(name: str) -> dict[str, Any]:
    """Say what a view has to ask for."""
    from audience_nb.distribution import opener_of

    try:
        opener = opener_of(name)
        takes = inspect.signature(opener).parameters
    except (AudienceError, TypeError, ValueError):
        # Somebody else's that cannot be loaded: a check says so, and the others stand.
        return {"asks": [], "takes_token": True, "needs_token": False}
    asked = dict.fromkeys(getattr(opener, "account", ()), True)
    asked |= dict.fromkeys(getattr(opener, "optional", ()), False)
    is_file = "path" in takes
    is_platform = hasattr(opener, "account")
    if is_file:
        asked["path"] = False
    if is_platform:
        asked |= dict.fromkeys(_COMMON[:2], False)
    if is_platform and not is_file:
        asked["endpoint"] = not getattr(opener, "base", "")
    if not is_platform:
        named = (p for p in takes.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        asked |= {p.name: p.default is p.empty for p in named if p.name not in asked}
    return {
        "asks": [
            {
                "name": option,
                "label": _LABELS.get(option) or option.replace("_", " ").capitalize(),
                "required": required,
            }
            for option, required in asked.items()
        ],
        "takes_token": not is_file,
        "needs_token": is_platform and not is_file,
    }


def _read(name: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """Turn what was typed into options; a file is named, never a path."""
    from audience_nb.distribution import opener_of

    # That there is none, or that it cannot be loaded, is said before anything is asked of it.
    opener_of(name)
    asks = {ask["name"]: ask for ask in _asks(name)["asks"]}
    given: dict[str, Any] = {}
    for option, value in typed.items():
        if option not in asks:
            raise InvalidInput(
                f"{name} has no option {option[:40]!r}.", f"It has: {', '.join(asks) or 'none'}."
            )
        if len(value) > _LONGEST:
            raise InvalidInput(
                f"{asks[option]['label']} has {len(value):,} characters.",
                f"Use at most {_LONGEST}.",
            )
        if option == "retention_days":
            if not value.isdecimal():
                raise InvalidInput(f"{value!r} is no number of days.", "Give whole days.")
            given[option] = int(value)
        elif option == "endpoint" and "?" in value:
            raise InvalidInput(
                "The address has a query, which may hold a key; options are kept with the view.",
                "Leave it out, or send in code: session.distribute(…, endpoint=…).",
            )
        elif option != "path":
            given[option] = value
    for option, ask in asks.items():
        if ask["required"] and option not in given:
            raise InvalidInput(f"{ask['label']} is missing.", "Fill it in, and check again.")
    if "path" in asks:
        given["path"] = f"exports/{_stem(typed.get('path', '')) or name}.csv"
    return given


def _stem(name: str) -> str:
    kept = "".join(c for c in name if c.isalnum() or c in " -_.").strip(" .")
    return kept.removesuffix(".csv")[:80]
