"""How one platform wants one identifier: its normal form, its hash, its name on the wire."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from numbers import Number
from typing import Literal

__all__ = ["MAIL", "Rule", "Unusable", "Written"]

Algorithm = Literal["sha256", "sha1", "md5", ""]
Encoding = Literal["hex", "base64"]
_DIGITS = {"sha256": 64, "sha1": 40, "md5": 32}
_HEX = {name: re.compile(rf"[0-9a-fA-F]{{{n}}}") for name, n in _DIGITS.items()}
_BASE64 = re.compile(r"[0-9A-Za-z+/]{43}=")
_NOT_MAIL = r"@\s<>()\[\],;:\\\""
MAIL = re.compile(rf"[^{_NOT_MAIL}]+@(?:[^{_NOT_MAIL}.]+\.)+[^{_NOT_MAIL}.]+")


class Unusable(ValueError):
    """A value that has no normal form on this platform; its words name no value."""


@dataclass
class Written:
    """Values of one column as they may leave.

    Parameters
    ----------
    values : list of str
        Hashed or normalised; "" where nothing may leave.
    given, unreadable, hashed : int
        Values that were not empty; of them, those that could not be read, and those that came as
        hashes.
    """

    values: list[str] = field(default_factory=list, repr=False)
    given: int = 0
    unreadable: int = 0
    hashed: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """What one platform does to one field before it leaves.

    Parameters
    ----------
    field : str
        Our name of it, such as "email".
    wire : str
        The platform's name of it, such as "EMAIL".
    write : callable
        Takes a text and a region (ISO 3166-1 alpha-2 or None), gives the normal form, "" if
        nothing is left, and raises `Unusable` for what cannot be read.
    shape : re.Pattern, optional
        What a whole normal form has to look like.
    algorithm : {"sha256", "sha1", "md5", ""}, default "sha256"
        "" sends the normal form itself.
    encoding : {"hex", "base64"}, default "hex"
        Of the raw bytes of the digest.

    Examples
    --------
    >>> rule = Rule("email", "EMAIL", lambda text, region: text.strip().lower())
    >>> rule.one(" Test@Example.com ")[:12], rule.one("  ")
    ('973dfe463ec8', '')
    >>> rule.one(rule.one("test@example.com").upper()) == rule.one("test@example.com")
    True
    """

    field: str
    wire: str
    write: Callable[[str, str | None], str]
    shape: re.Pattern[str] | None = None
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"

    def text(self, value: str, region: str | None = None) -> str:
        """Give the normal form of a value, "" if nothing usable is left.

        Parameters
        ----------
        value : str
            As it was given.
        region : str, optional
            Where a number without country code belongs.

        Returns
        -------
        str
        """
        try:
            text = self.write(value, region)
        except Unusable:
            return ""
        return text if self.shape is None or self.shape.fullmatch(text) else ""

    def digest(self, text: str) -> str:
        """Hash a normal form as the platform wants it.

        Parameters
        ----------
        text : str
            Not empty.

        Returns
        -------
        str
        """
        if not self.algorithm:
            return text
        hashed = hashlib.new(self.algorithm, text.encode(), usedforsecurity=False)
        if self.encoding == "hex":
            return hashed.hexdigest()
        return base64.b64encode(hashed.digest()).decode()

    def hashed_already(self, value: str) -> str:
        """Give a value that is a hash of this algorithm in the platform's encoding, else "".

        Parameters
        ----------
        value : str
            Without spaces around it.

        Returns
        -------
        str
        """
        if not self.algorithm or len(value) < 32:
            return ""
        if _HEX[self.algorithm].fullmatch(value):
            raw = bytes.fromhex(value)
        elif self.algorithm == "sha256" and _BASE64.fullmatch(value):
            raw = binascii.a2b_base64(value)
        else:
            return ""
        return raw.hex() if self.encoding == "hex" else base64.b64encode(raw).decode()

    def one(self, value: str, region: str | None = None) -> str:
        """Give what leaves for one value, "" if nothing may.

        Parameters
        ----------
        value : str
            As it was given, plain or hashed.
        region : str, optional
            Where a number without country code belongs.

        Returns
        -------
        str
        """
        return self.apply([value], region).values[0]

    def apply(self, values: Iterable[object], region: str | None = None) -> Written:
        """Write a column; what is empty or cannot be read stays, and is never hashed.

        Parameters
        ----------
        values : iterable
            Texts, numbers, or nothing.
        region : str, optional
            Where numbers without country code belong.

        Returns
        -------
        Written
        """
        written = Written()
        leave = written.values.append
        # Counted is what is rare: of millions of values nearly all are well.
        empty = 0
        plain_sha = self.algorithm == "sha256" and self.encoding == "hex"
        sha256, write = hashlib.sha256, self.write
        fits = (lambda text: True) if self.shape is None else self.shape.fullmatch
        for value in values:
            if not isinstance(value, str):
                value = _text_of(value)
                if value is None:
                    written.unreadable += 1
                    leave("")
                    continue
            if len(value) >= 32 and (known := self.hashed_already(value.strip())):
                written.hashed += 1
                leave(known)
                continue
            try:
                text = write(value, region)
            except Unusable:
                text = ""
            if text and fits(text):
                leave(sha256(text.encode()).hexdigest() if plain_sha else self.digest(text))
                continue
            leave("")
            if value.strip():
                written.unreadable += 1
            else:
                empty += 1
        written.given = len(written.values) - empty
        return written


def _text_of(value: object) -> str | None:
    """Write what is no text: "" for what is missing, None for what is neither text nor number."""
    text = str(value)
    if text.lower() in ("none", "nan", "<na>", "nat"):
        return ""
    if isinstance(value, bool) or not isinstance(value, Number | Decimal | date):
        return None
    # A whole number has no decimals.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else text
