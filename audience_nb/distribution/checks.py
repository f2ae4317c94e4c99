"""What to know before an audience leaves: facts with their numbers, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audience_nb.distribution.fields import PERSONAL, PSEUDONYMOUS
from audience_nb.distribution.receipt import Finding
from audience_nb.dropped import total
from audience_nb.policy.wording import lint

if TYPE_CHECKING:
    from audience_nb.distribution.rows import Prepared
    from audience_nb.export import Audience

__all__ = ["Limits", "check_rows"]

# Of one agency's customers: rows are not matches, and no platform promises a share.
_MATCHED = (0.40, 0.75)
# European Economic Area, United Kingdom and Switzerland: consent has to be shown there.
EUROPE = frozenset(
    (  # noqa: SIM905
        "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE "
        "SI SK"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one platform takes.

    Parameters
    ----------
    rows : int
        Most rows in a request.
    size : int or None
        Most bytes in a request.
    least : int
        Fewer rows than this cannot be used.
    advised : int
        Fewer rows than this will probably not be.
    days : int or None
        Longest membership.
    default_days : int or None
        Membership unless told otherwise.
    first_party_only : bool
        Whether bought lists are refused.
    source : str
        Where these are published, or that a figure is ours.
    """

    rows: int = 10_000
    size: int | None = None
    least: int = 1
    advised: int = 1
    days: int | None = None
    default_days: int | None = None
    first_party_only: bool = False
    source: str = ""


def check_rows(
    title: str,
    audience: Audience,
    prepared: Prepared,
    limits: Limits,
    *,
    retention_days: int | None,
    region: str | None,
    description: str = "",
    separate: bool = False,
    reviewed: bool = True,
) -> tuple[Finding, ...]:
    """Say what forbids or hinders sending an audience.

    Parameters
    ----------
    title : str
        The destination's, for people.
    audience : Audience
        What is to be sent.
    prepared : Prepared
        Its rows.
    limits : Limits
        Of the destination.
    retention_days : int or None
        Membership asked for.
    region : str or None
        Where the people are.
    description : str, optional
        Sent along with the name.
    separate : bool, optional
        Whether personal and pseudonymous identifiers may not go together.
    reviewed : bool, optional
        Whether names are read by an advertising platform.

    Returns
    -------
    tuple of Finding
        Errors first.
    """
    found = [
        *_identifiers(title, prepared, separate),
        *_people(title, audience, prepared, limits, region),
        *_size(title, prepared, limits),
        *_retention(title, limits, retention_days),
        *(_names(title, audience, description) if reviewed else ()),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda f: order[f.level]))


def _identifiers(title: str, prepared: Prepared, separate: bool) -> Iterator[Finding]:
    if not prepared.columns:
        yield Finding(
            "error",
            "no identifier",
            f"No column holds an identifier that {title} takes.",
            prepared.offered,
            "Bring one: an e-mail address, a telephone number or another that it takes.",
        )
    for name, column in prepared.columns.items():
        readable = column.given - column.unreadable
        share = readable / column.given if column.given else 0.0
        yield Finding(
            "warning" if column.unreadable or not column.given else "info",
            "identifier",
            f"{name}: {column.given:,} given, {readable:,} readable ({share:.1%}).",
            column.unreadable,
            "Look at those that cannot be read; a region helps telephone numbers."
            if column.unreadable
            else "",
        )
        if 0 < column.hashed < readable:
            yield Finding(
                "warning",
                "mixed identifiers",
                f"{name}: {column.hashed:,} came as hashes, {readable - column.hashed:,} plain.",
                column.hashed,
                "Hashes made by another platform's rule match nobody: bring them all plain.",
            )
        elif column.hashed:
            yield Finding(
                "info",
                "hashed already",
                f"{name}: all {column.hashed:,} came as hashes, which are sent as they are.",
                column.hashed,
                f"Make sure that they were made by the rule of {title}.",
            )
    repeated = prepared.rows_dropped.get("repeated identifier", 0)
    if repeated:
        yield Finding(
            "info", "duplicates", f"{repeated:,} rows repeat others once normalised.", repeated
        )
    kinds = set(prepared.columns)
    if separate and kinds & PERSONAL and kinds & PSEUDONYMOUS:
        yield Finding(
            "error",
            "mixed kinds",
            f"{', '.join(sorted(kinds & PERSONAL))} and {', '.join(sorted(kinds & PSEUDONYMOUS))} "
            f"would go together, which {title} forbids.",
            len(prepared.frame),
            "Name the fields of one kind: fields=[…].",
        )


def _people(
    title: str, audience: Audience, prepared: Prepared, limits: Limits, region: str | None
) -> Iterator[Finding]:
    reasons = prepared.rows_dropped
    refused = sum(n for r, n in reasons.items() if r.startswith(("no consent", "refused", "unre")))
    europe = (region or "").upper() in EUROPE
    if not prepared.consent_known or (europe and not prepared.agreed):
        what = "refusals alone are" if prepared.consent_known else "nothing is"
        yield Finding(
            "error" if europe else "warning",
            "consent",
            f"Of the consent of {prepared.offered:,} people {what} recorded.",
            prepared.offered,
            "Bring a column consent_ads, or be sure that they agreed.",
        )
    elif refused:
        yield Finding("info", "consent", f"{refused:,} people have not agreed and stay.", refused)
    listed = sum(n for r, n in reasons.items() if r.startswith("on the "))
    if listed:
        yield Finding("info", "suppression", f"{listed:,} people are on a list and stay.", listed)
    if limits.first_party_only and audience.metadata.get("data type") == "third_party":
        yield Finding(
            "error",
            "third-party list",
            f"{title} refuses lists of people who are not your own customers.",
            prepared.offered,
            "Send your own customers' data.",
        )
    barred = audience.metadata.get("sensitive left out of names") or {}
    if barred:
        yield Finding(
            "error",
            "sensitive variables",
            f"The segments are cut by {len(barred)} sensitive variables: {', '.join(barred)}.",
            prepared.offered,
            "Leave them out, or put on record why not: allow_sensitive(codes, reason).",
        )


def _size(title: str, prepared: Prepared, limits: Limits) -> Iterator[Finding]:
    rows = len(prepared.frame)
    low, high = (int(rows * share) for share in _MATCHED)
    if rows == 0 or rows < limits.least:
        left = total(prepared.dropped)
        yield Finding(
            "error",
            "too few rows",
            f"{rows:,} rows would leave, {left:,} stay; {title} needs {max(1, limits.least):,}.",
            rows,
            "Pick more segments, or look at why rows stay.",
        )
    elif rows < limits.advised:
        yield Finding(
            "warning",
            "few rows",
            f"{rows:,} rows would leave, of which perhaps {low:,} to {high:,} match; {title} "
            f"serves {limits.advised:,} or more.",
            rows,
            "Pick more segments.",
        )
    elif limits.advised > 1:
        yield Finding(
            "info",
            "expected matches",
            f"Of {rows:,} rows perhaps {low:,} to {high:,} match: rows are not matches.",
            rows,
        )


def _retention(title: str, limits: Limits, days: int | None) -> Iterator[Finding]:
    if days is not None and (days < 1 or (limits.days is not None and days > limits.days)):
        most = "any number" if limits.days is None else f"{limits.days:,}"
        yield Finding(
            "error",
            "retention",
            f"{days:,} days are asked for; {title} keeps people for 1 to {most} days.",
            0,
            f"Give retention_days of at most {most}." if limits.days else "Give 1 or more.",
        )


def _names(title: str, audience: Audience, description: str) -> Iterator[Finding]:
    variables = audience.metadata.get("variables") or {}
    texts = [
        ("The name", audience.name, True),
        ("The description", description, True),
        *(("The segment's name", s.name, True) for s in audience.segments),
        *((f"Variable {code}", str(label), False) for code, label in dict(variables).items()),
    ]
    for what, text, leaves in texts:
        for fault in lint(text)[:1]:
            # Only what leaves is read by a platform; a variable tells what a review may ask about.
            yield Finding(
                fault.level if leaves and what != "The segment's name" else "warning",
                "wording",
                f"{what} {text!r}: {fault.what}",
                0,
                f"Say instead: {fault.alternative} ({fault.source})",
            )
