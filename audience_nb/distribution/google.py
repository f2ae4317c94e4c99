"""Google Customer Match by the Data Manager API: POST /v1/audienceMembers:ingest.

Rules: googleads/data-manager-python@5abbf5d, Formatter; limits: developers.google.com (membership
at most 540 days since 7 April 2025; first-party data only; consent in the EEA), 10,000 members a
request.
"""

from __future__ import annotations

import re
from typing import Any

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.forms import country as small_country
from audience_nb.distribution.forms import digits_of, e164, gmail_local, lower
from audience_nb.distribution.platform import Batch, Outgoing, Platform, rows_of
from audience_nb.distribution.rule import MAIL, Rule, Unusable

__all__ = ["Google"]

_GMAIL = ("gmail.com", "googlemail.com")
_ADDRESS = ("givenName", "familyName", "regionCode", "postalCode")


def email(text: str, region: str | None = None) -> str:
    """Write small; of Gmail addresses without dots. Space inside is an error.

    Examples
    --------
    >>> email("Jefferson.Loves.hiking@gmail.com")
    'jeffersonloveshiking@gmail.com'
    """
    text = lower(text)
    if not MAIL.fullmatch(text):
        raise Unusable("no e-mail address")
    return gmail_local(text, _GMAIL, plus=False)


def phone(text: str, region: str | None = None) -> str:
    """Write in the form of E.164; without a region the digits are taken as they are.

    Examples
    --------
    >>> phone("1 800 555 0100")
    '+18005550100'
    """
    if region is None and not text.strip().startswith("00"):
        digits = digits_of(text)
        if not digits or len(digits) > 15:
            raise Unusable("no telephone number")
        return f"+{digits}"
    return e164(text, region)


def region_code(text: str, region: str | None = None) -> str:
    """Write a country with two capitals.

    Examples
    --------
    >>> region_code(" uS ")
    'US'
    """
    return small_country(text).upper()


def trimmed(text: str, region: str | None = None) -> str:
    """Take the spaces at both ends away."""
    return text.strip()


class Google(Platform):
    """Google Customer Match.

    Options of its own: `account_id` and `list_id`; `login_account_id` where a manager account
    sends.

    Examples
    --------
    >>> Google().limits.days
    540
    """

    name = "google"
    title = "Google Customer Match"
    base = "https://datamanager.googleapis.com"
    rules = (
        Rule("email", "emailAddress", email),
        Rule("phone", "phoneNumber", phone),
        Rule("first_name", "givenName", lower),
        Rule("last_name", "familyName", lower),
        Rule("country", "regionCode", region_code, re.compile("[A-Z]{2}"), algorithm=""),
        Rule("postal_code", "postalCode", trimmed, algorithm=""),
    )
    direct = ("email", "phone")
    needs = (
        frozenset({"email"}),
        frozenset({"phone"}),
        frozenset({"first_name", "last_name", "country", "postal_code"}),
    )
    limits = Limits(
        rows=10_000,
        least=1,
        advised=1_000,
        days=540,
        default_days=540,
        first_party_only=True,
        source="developers.google.com/google-ads, support.google.com/google-ads",
    )
    account = ("account_id", "list_id")
    optional = ("login_account_id",)

    def compose(self, batch: Batch) -> Outgoing:
        """Write members with one identifier each entry; an address needs all its four parts."""
        place: dict[str, Any] = {
            "operatingAccount": {
                "accountType": "GOOGLE_ADS",
                "accountId": str(self.options["account_id"] or "{account_id}"),
            },
            "productDestinationId": str(self.options["list_id"] or "{list_id}"),
        }
        if self.options["login_account_id"]:
            place["loginAccount"] = {
                "accountType": "GOOGLE_ADS",
                "accountId": str(self.options["login_account_id"]),
            }
        # Whoever did not agree has been left out; of whom nothing is known nothing is claimed.
        consent = "CONSENT_GRANTED" if batch.consented else "CONSENT_STATUS_UNSPECIFIED"
        return Outgoing(
            "POST",
            "/v1/audienceMembers:ingest",
            {
                "destinations": [place],
                "audienceMembers": [
                    {"userData": {"userIdentifiers": _identifiers(row)}}
                    for row in rows_of(batch.frame)
                ],
                "consent": {"adUserData": consent, "adPersonalization": consent},
                "encoding": "HEX",
                "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
            },
        )


def _identifiers(row: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {name: row[name]} for name in ("emailAddress", "phoneNumber") if name in row
    ]
    if all(name in row for name in _ADDRESS):
        found.append({"address": {name: row[name] for name in _ADDRESS}})
    return found
