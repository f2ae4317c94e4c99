"""CSV files that a CRM imports: HubSpot, Mautic."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.file import UploadFile
from audience_nb.distribution.rule import MAIL, Rule
from audience_nb.errors import NotAllowed
from audience_nb.export import guarded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HubSpot", "Mautic"]


def _trimmed(text: str, region: str | None = None) -> str:
    return text.strip()


class _Crm(UploadFile):
    """Contacts of your own CRM and the list they go to, found by their id.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write.
    plain : bool, optional
        Whether contacts are found by their plain e-mail address: it then stands in the file, which
        stays on this machine until somebody uploads it.
    **options
        As `Platform` takes them.
    """

    mark: ClassVar[str]
    needs = (frozenset({"customer_id"}), frozenset({"email"}))
    limits = Limits(source="none")
    reviewed = False

    def __init__(self, path: str | Path, *, plain: bool = False, **options: Any) -> None:
        if not plain and "email" in (options.get("fields") or ()):
            raise NotAllowed(
                f"{self.title} finds contacts by plain e-mail addresses, which do not leave.",
                "Give plain=True, or let it find them by their id.",
            )
        options.setdefault("fields", ("email",) if plain else ("customer_id",))
        super().__init__(path, **options)

    def lines(self, frame: pd.DataFrame, audience: str) -> pd.DataFrame:
        """Put the list's name behind each row; no cell runs in a spreadsheet."""
        rows = frame.map(guarded)
        rows[self.mark] = guarded(re.sub(r"[,|]", " ", audience))
        return rows


class HubSpot(_Crm):
    """A file for HubSpot's import: Record ID or Email, and the property Audience.

    Examples
    --------
    >>> HubSpot("contacts.csv").fields
    ('customer_id',)
    """

    name = "hubspot"
    title = "HubSpot"
    mark = "Audience"
    rules = (
        Rule("customer_id", "Record ID", _trimmed, algorithm=""),
        Rule("email", "Email", _trimmed, MAIL, algorithm=""),
    )
    direct = ("customer_id",)


class Mautic(_Crm):
    """A file for Mautic's import: id or email, and the tag.

    Examples
    --------
    >>> Mautic("contacts.csv", plain=True).fields
    ('email',)
    """

    name = "mautic"
    title = "Mautic"
    mark = "tags"
    rules = (
        Rule("customer_id", "id", _trimmed, algorithm=""),
        Rule("email", "email", _trimmed, MAIL, algorithm=""),
    )
    direct = ("customer_id",)
