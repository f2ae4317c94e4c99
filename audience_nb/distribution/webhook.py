"""Any server of your own: POST of JSON, a batch at a time."""

from __future__ import annotations

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.forms import e164, lower, lower_device
from audience_nb.distribution.platform import Batch, Outgoing, Platform, rows_of
from audience_nb.distribution.rule import MAIL, Rule
from audience_nb.errors import InvalidInput

__all__ = ["Webhook"]


def same(text: str, region: str | None = None) -> str:
    """Take the spaces at both ends away."""
    return text.strip()


class Webhook(Platform):
    """A server that takes `{"audience", "delivery", "batch", "of", "records"}`.

    The header `Idempotency-Key` holds the SHA-256 of the payload: what comes again with the same
    key is to be answered as before, and counted once.

    Examples
    --------
    >>> Webhook(endpoint="https://example.com/hook").name
    'webhook'
    """

    name = "webhook"
    title = "The webhook"
    base = ""
    rules = (
        Rule("email", "email_sha256", lower, MAIL),
        Rule("phone", "phone_sha256", e164),
        Rule("maid", "maid", lower_device, algorithm=""),
        Rule("uid2", "uid2", same, algorithm=""),
        Rule("rampid", "rampid", same, algorithm=""),
        Rule("customer_id", "customer_id", same, algorithm=""),
    )
    direct = ("email", "phone")
    needs = tuple(
        frozenset({n}) for n in ("email", "phone", "maid", "uid2", "rampid", "customer_id")
    )
    limits = Limits(rows=1_000, source="ours")
    separate = True
    # Nobody reviews names but you.
    reviewed = False

    def __init__(self, *, endpoint: str | None = None, **options: object) -> None:
        if endpoint is None:
            raise InvalidInput("No address is given.", "Give endpoint='https://…'.")
        super().__init__(endpoint=endpoint, **options)  # type: ignore[arg-type]

    def compose(self, batch: Batch) -> Outgoing:
        """Write a batch."""
        return Outgoing(
            "POST",
            "",
            {
                "audience": batch.audience,
                "delivery": batch.delivery,
                "batch": batch.number,
                "of": batch.of,
                "records": rows_of(batch.frame),
            },
        )
