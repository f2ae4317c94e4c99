"""Amazon DSP and Marketing Cloud: POST /amc/audiences/records.

Rules as segmentio/action-destinations@970a17e applies advertising.amazon.com/help/GCCXMZYCK4RXWS6C;
at most 397 days, 1,500 to 10,000 records a request.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from audience_nb.distribution.checks import EUROPE, Limits
from audience_nb.distribution.forms import digits_of, international, lower
from audience_nb.distribution.platform import Batch, Outgoing, Platform, rows_of
from audience_nb.distribution.rule import MAIL, Rule, Unusable
from audience_nb.errors import InvalidInput

__all__ = ["Amazon"]

_NOT_IN_MAIL = re.compile(r"[^a-z0-9.@-]")
_NOT_IN_WORD = re.compile(r"[^a-z0-9]")


def email(text: str, region: str | None = None) -> str:
    """Keep small letters, digits, dot, at and hyphen.

    Examples
    --------
    >>> email(" Jane.Doe+News@Gmail.com ")
    'jane.doenews@gmail.com'
    """
    text = lower(text)
    if not MAIL.fullmatch(text):
        raise Unusable("no e-mail address")
    return _NOT_IN_MAIL.sub("", text)


def phone(text: str, region: str | None = None) -> str:
    """Keep the digits; with a region, the country code is put before them.

    Examples
    --------
    >>> phone("+555-987-6543")
    '5559876543'
    """
    digits = international(text, region) if region else digits_of(text)
    if not 7 <= len(digits) <= 15:
        raise Unusable("no telephone number")
    return digits


def word(text: str, region: str | None = None) -> str:
    """Keep small letters and digits.

    Examples
    --------
    >>> word("456 Anime Blvd. Apt 1")
    '456animeblvdapt1'
    """
    return _NOT_IN_WORD.sub("", text.lower())


class Amazon(Platform):
    """Amazon DSP.

    Options of its own: `audience_id`, and `client_id` of the application. The people's country is
    `region`. Each record's id is made of its hashes.

    Examples
    --------
    >>> Amazon().limits.days
    397
    """

    name = "amazon"
    title = "Amazon"
    base = "https://advertising-api.amazon.com"
    rules = (
        Rule("email", "email", email, MAIL),
        Rule("phone", "phone", phone),
        Rule("first_name", "firstname", word),
        Rule("last_name", "lastname", word),
        Rule("address", "address", word),
        Rule("city", "city", word),
        Rule("state", "state", word),
        Rule("postal_code", "postal", word),
    )
    direct = ("email", "phone")
    needs = (
        frozenset({"email"}),
        frozenset({"phone"}),
        frozenset({"first_name", "last_name", "address", "postal_code"}),
    )
    limits = Limits(
        rows=10_000,
        least=1,
        advised=2_000,
        days=397,
        source="advertising.amazon.com: 34,300,800 s; audiences of 2,000 or more",
    )
    account = ("audience_id", "client_id")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        audience = self.options["audience_id"]
        if audience is not None and not str(audience).isdecimal():
            raise InvalidInput("Amazon's audience_id is no number.", "Copy it from the audience.")

    def authorisation(self, token: str) -> dict[str, str]:
        """Give the bearer's header and the application's."""
        return {
            "Authorization": f"Bearer {token}",
            "Amazon-Advertising-API-ClientId": str(self.options["client_id"]),
        }

    def compose(self, batch: Batch) -> Outgoing:
        """Write records to create; in Europe with the consent that all of them gave."""
        same: dict[str, Any] = {"action": "CREATE"}
        if self.region:
            same["countryCode"] = self.region.upper()
        if (self.region or "").upper() in EUROPE:
            granted = {"amznAdStorage": "GRANTED", "amznUserData": "GRANTED"}
            same["consent"] = {"amazonConsent": granted}
        records = [
            {"externalUserId": _pseudonym(row), **same, "hashedPII": [row]}
            for row in rows_of(batch.frame)
        ]
        audience = self.options["audience_id"]
        return Outgoing(
            "POST",
            "/amc/audiences/records",
            {"records": records, "audienceId": int(audience) if audience else "{audience_id}"},
            "application/vnd.amcaudiences.v1+json",
        )


def _pseudonym(row: dict[str, str]) -> str:
    """Name a record by its hashes: the same record has the same id, and tells nothing more."""
    return hashlib.sha256("\x1f".join(f"{k}={row[k]}" for k in sorted(row)).encode()).hexdigest()
