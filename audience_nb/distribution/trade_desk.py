"""The Trade Desk, with the rules of UID2: a drop for CRM data, then its lines.

Rules: IABTechLab/uid2docs@90d6afe, "Normalization and Encoding": SHA-256, Base64 of the 32 bytes,
44 characters; dots and plus only at gmail.com. Drop: POST /crmdata/segment/{advertiser}/{segment},
PUT of lines to the address in its answer; days and rows as in
segmentio/action-destinations@970a17e.
"""

from __future__ import annotations

from typing import Any

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.door import Door, checked_endpoint
from audience_nb.distribution.forms import e164, gmail_local, lower
from audience_nb.distribution.platform import Batch, Outgoing, Platform
from audience_nb.distribution.receipt import NotDelivered
from audience_nb.distribution.rule import MAIL, Rule

__all__ = ["UID2_RULES", "TradeDesk"]


def email(text: str, region: str | None = None) -> str:
    """Write small; at gmail.com alone without dots and without what follows a plus.

    Examples
    --------
    >>> email("JaneSaoirse+Work@gmail.com"), email("Jane.Saoirse+Work@example.com")
    ('janesaoirse@gmail.com', 'jane.saoirse+work@example.com')
    """
    return gmail_local(lower(text), ("gmail.com",), plus=True)


UID2_RULES = (
    Rule("email", "email_hash", email, MAIL, encoding="base64"),
    Rule("phone", "phone_hash", e164, encoding="base64"),
)


class TradeDesk(Platform):
    """The Trade Desk: e-mail addresses, hashed by the rules of UID2.

    Options of its own: `advertiser_id` and `segment_id`, the CRM data segment's id. A delivery
    replaces what the segment held, in one drop.

    Examples
    --------
    >>> TradeDesk().retention_days
    30
    """

    name = "trade_desk"
    title = "The Trade Desk"
    base = "https://api.thetradedesk.com/v3"
    rules = UID2_RULES[:1]
    direct = ("email",)
    needs = (frozenset({"email"}),)
    limits = Limits(
        # A drop replaces the segment: it cannot be cut.
        rows=10**9,
        least=1_500,
        advised=1_500,
        days=180,
        default_days=30,
        source="segmentio/action-destinations: 1,500 rows, 30 to 180 days",
    )
    account = ("advertiser_id", "segment_id")

    def authorisation(self, token: str) -> dict[str, str]:
        """Give the header TTD-Auth."""
        return {"TTD-Auth": token}

    def compose(self, batch: Batch) -> Outgoing:
        """Write the lines of a drop."""
        advertiser = self.options["advertiser_id"] or "{advertiser_id}"
        return Outgoing(
            "PUT",
            f"/crmdata/segment/{advertiser}/{self.options['segment_id'] or '{segment_id}'}",
            "".join(f"{cell}\n" for cell in batch.frame["email_hash"]),
            "text/plain",
        )

    def deliver(self, door: Door, batch: Batch, outgoing: Outgoing, key: str) -> int:
        """Ask for a drop, then put the lines there."""
        drop: dict[str, Any] = {"PiiType": "EmailHashedUnifiedId2", "MergeMode": "Replace"}
        asked = Outgoing("POST", outgoing.path, {**drop, "RetentionEnabled": True})
        answer = door.ask("POST", self.endpoint + asked.path, asked.body, key=key)
        address = answer.get("Url") if isinstance(answer, dict) else None
        if not isinstance(address, str):
            raise NotDelivered(
                f"{self.title} gave no address for a drop.", "Check the segment's id."
            )
        # The address is signed: it lets one in by itself, and gets no token.
        door.ask(
            "PUT",
            checked_endpoint(address),
            outgoing.body,
            key=key,
            content_type="text/plain",
            open_to_all=True,
        )
        return 0
