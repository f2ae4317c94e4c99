"""TikTok: POST /open_api/v1.3/segment/mapping/.

Rules as segmentio/action-destinations@970a17e applies them; telephone numbers in the form of E.164,
which that code does not write. No limit of rows a request is published: 1,000 is ours.
"""

from __future__ import annotations

import math
import re
from typing import Any

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.forms import e164, lower_device
from audience_nb.distribution.platform import Batch, Outgoing, Platform
from audience_nb.distribution.rule import MAIL, Rule
from audience_nb.embedding.retries import Failure

__all__ = ["TikTok"]

# "Requests made too frequently", and faults of the service itself.
_BUSY = 40100
_FAULT = 50000


def email(text: str, region: str | None = None) -> str:
    """Write small, without any space.

    Examples
    --------
    >>> email(" Scrooge McDuck@disney.com")
    'scroogemcduck@disney.com'
    """
    return re.sub(r"\s", "", text).lower()


class TikTok(Platform):
    """TikTok audiences.

    Options of its own: `advertiser_id` and `audience_id`.

    Examples
    --------
    >>> TikTok().limits.advised
    1000
    """

    name = "tiktok"
    title = "TikTok"
    base = "https://business-api.tiktok.com"
    rules = (
        Rule("email", "EMAIL_SHA256", email, MAIL),
        Rule("phone", "PHONE_SHA256", e164),
        Rule("maid", "AAID_SHA256", lower_device),
    )
    direct = ("email", "phone", "maid")
    needs = (frozenset({"email"}), frozenset({"phone"}), frozenset({"maid"}))
    limits = Limits(
        rows=1_000, least=1, advised=1_000, source="TikTok help: 1,000 to target in an ad group"
    )
    account = ("advertiser_id", "audience_id")

    def authorisation(self, token: str) -> dict[str, str]:
        """Give the header Access-Token."""
        return {"Access-Token": token}

    def compose(self, batch: Batch) -> Outgoing:
        """Write the mapping of each row's ids to the audience; an id that is missing is {}."""
        lists = [str(self.options["audience_id"] or "{audience_id}")]
        return Outgoing(
            "POST",
            "/open_api/v1.3/segment/mapping/",
            {
                "advertiser_ids": [str(self.options["advertiser_id"] or "{advertiser_id}")],
                "action": "add",
                "id_schema": list(batch.frame.columns),
                "batch_data": [
                    [{"id": cell, "audience_ids": lists} if cell else {} for cell in cells]
                    for cells in batch.frame.to_numpy().tolist()
                ],
            },
        )

    def verdict(self, answer: Any, rows: int) -> Failure | None:
        """Read the code in the answer: 0 is well, whatever the status says."""
        code = answer.get("code")
        if code == 0:
            return None
        passing = not isinstance(code, int) or code == _BUSY or code >= _FAULT
        return Failure(f"answered code {code}", "", passing, math.nan)
