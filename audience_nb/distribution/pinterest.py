"""Pinterest: PATCH /v5/ad_accounts/{account}/customer_lists/{list} with records to add.

Rules: developers.pinterest.com, API v5, customer lists: e-mail addresses plain or as SHA-256, or
mobile ids, separated by commas; at least 100 have to be accounts. 10,000 a request is ours.
"""

from __future__ import annotations

from typing import Any

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.forms import lower, lower_device
from audience_nb.distribution.platform import Batch, Outgoing, Platform
from audience_nb.distribution.rule import MAIL, Rule
from audience_nb.errors import InvalidInput

__all__ = ["Pinterest"]


class Pinterest(Platform):
    """Pinterest customer lists, each of one kind of identifier.

    Options of its own: `ad_account_id` and `customer_list_id`.

    Examples
    --------
    >>> Pinterest().fields
    ('email',)
    """

    name = "pinterest"
    title = "Pinterest"
    base = "https://api.pinterest.com"
    rules = (
        Rule("email", "EMAIL", lower, MAIL),
        Rule("maid", "MAID", lower_device),
    )
    direct = ("email",)
    needs = (frozenset({"email"}), frozenset({"maid"}))
    limits = Limits(rows=10_000, least=100, advised=250, source="Pinterest: 100 accounts at least")
    account = ("ad_account_id", "customer_list_id")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if len(self.fields) != 1:
            raise InvalidInput(
                f"A list of Pinterest holds one kind of identifier, not {len(self.fields)}.",
                "Give fields=['email'] or fields=['maid'].",
            )

    def compose(self, batch: Batch) -> Outgoing:
        """Write records to add."""
        account = self.options["ad_account_id"] or "{ad_account_id}"
        listed = self.options["customer_list_id"] or "{customer_list_id}"
        return Outgoing(
            "PATCH",
            f"/v5/ad_accounts/{account}/customer_lists/{listed}",
            {"operation_type": "ADD", "records": ",".join(batch.frame.iloc[:, 0])},
        )
