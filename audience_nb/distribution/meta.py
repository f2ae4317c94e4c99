"""Meta Custom Audiences: POST /{audience_id}/users with a schema, its rows and a session.

Rules: developers.facebook.com, Marketing API, "Customer File Custom Audiences" (at most 10,000 rows
a request; e-mail trimmed and small; telephone with country code, no plus, no leading zeros; names
small without punctuation, UTF-8 kept; ZIP of the United States five digits). The trimmed characters
are those of facebook-python-business-sdk@94914f9.
"""

from __future__ import annotations

import re
from typing import Any

from audience_nb.distribution.checks import Limits
from audience_nb.distribution.forms import (
    bare_word,
    birth_date,
    country,
    international,
    lower_device,
    us_state,
)
from audience_nb.distribution.platform import Batch, Outgoing, Platform
from audience_nb.distribution.rule import MAIL, Rule, Unusable
from audience_nb.embedding.retries import Failure

__all__ = ["Meta"]

_TRIMMED = " \t\r\n\0\x0b."
_ZIP_PLUS = re.compile(r"(\d{5})-?\d{4}")


def email(text: str, region: str | None = None) -> str:
    """Trim spaces and dots at both ends, write small.

    Examples
    --------
    >>> email(" Jane.Doe+News@Gmail.com ")
    'jane.doe+news@gmail.com'
    """
    return text.strip().strip(_TRIMMED).lower()


def gender(text: str, region: str | None = None) -> str:
    """Write f or m.

    Examples
    --------
    >>> gender("Female"), gender("X")
    ('f', '')
    """
    first = text.strip().lower()
    return {"female": "f", "f": "f", "male": "m", "m": "m"}.get(first, "")


def postal_code(text: str, region: str | None = None) -> str:
    """Write small, without space and hyphen; of the United States the first five digits.

    Examples
    --------
    >>> postal_code("90210-1234"), postal_code("M1 1AE")
    ('90210', 'm11ae')
    """
    text = text.strip()
    american = _ZIP_PLUS.fullmatch(text)
    return american[1] if american else re.sub(r"[\s-]", "", text).lower()


def state(text: str, region: str | None = None) -> str:
    """Write two letters in the United States, elsewhere the name small without spaces.

    Examples
    --------
    >>> state("California"), state("British Columbia")
    ('ca', 'britishcolumbia')
    """
    return us_state(text) or bare_word(text)


def initial(text: str, region: str | None = None) -> str:
    """Give the first letter, small."""
    return bare_word(text)[:1]


def year(text: str, region: str | None = None) -> str:
    """Give the year of birth, four digits."""
    return f"{birth_date(text).year:04d}"


def month(text: str, region: str | None = None) -> str:
    """Give the month of birth, two digits."""
    return f"{birth_date(text).month:02d}"


def day(text: str, region: str | None = None) -> str:
    """Give the day of birth, two digits."""
    return f"{birth_date(text).day:02d}"


def phone(text: str, region: str | None = None) -> str:
    """Give the digits with country code; zeros alone are no number."""
    digits = international(text, region)
    if len(digits) < 7:
        raise Unusable("no telephone number")
    return digits


class Meta(Platform):
    """Meta Custom Audiences.

    Options of its own: `audience_id`, the custom audience's id.

    Examples
    --------
    >>> Meta().limits.rows
    10000
    """

    name = "meta"
    title = "Meta"
    base = "https://graph.facebook.com/v25.0"
    rules = (
        Rule("email", "EMAIL", email, MAIL),
        Rule("phone", "PHONE", phone),
        Rule("gender", "GEN", gender),
        Rule("birth_date", "DOBY", year),
        Rule("birth_date", "DOBM", month),
        Rule("birth_date", "DOBD", day),
        Rule("last_name", "LN", bare_word),
        Rule("first_name", "FN", bare_word),
        Rule("first_name", "FI", initial),
        Rule("city", "CT", bare_word),
        Rule("state", "ST", state),
        Rule("postal_code", "ZIP", postal_code),
        Rule("country", "COUNTRY", country),
        Rule("maid", "MADID", lower_device, algorithm=""),
        Rule("customer_id", "EXTERN_ID", lambda text, region: text.strip(), algorithm=""),
    )
    direct = ("email", "phone", "maid")
    needs = (
        frozenset({"email"}),
        frozenset({"phone"}),
        frozenset({"maid"}),
        frozenset({"first_name", "last_name", "postal_code"}),
        frozenset({"first_name", "last_name", "city"}),
    )
    limits = Limits(
        rows=10_000,
        least=100,
        advised=1_000,
        days=730,
        source="10,000 a request and 2 years unused: developers.facebook.com; sizes are advice",
    )
    account = ("audience_id",)

    def compose(self, batch: Batch) -> Outgoing:
        """Write a multi-key upload; a cell that is missing is empty."""
        return Outgoing(
            "POST",
            f"/{self.options['audience_id'] or '{audience_id}'}/users",
            {
                "session": {
                    "session_id": batch.session,
                    "batch_seq": batch.number,
                    "last_batch_flag": batch.number == batch.of,
                    "estimated_num_total": batch.total,
                },
                "payload": {
                    "schema": list(batch.frame.columns),
                    "data": batch.frame.to_numpy().tolist(),
                },
            },
        )

    def verdict(self, answer: Any, rows: int) -> Failure | None:
        """Look at how many rows Meta received."""
        received = answer.get("num_received")
        return None if received == rows else Failure(f"received {received} of {rows} rows")

    def refused(self, answer: Any) -> int:
        """Count the entries that Meta calls invalid."""
        return int(answer.get("num_invalid_entries") or 0)
