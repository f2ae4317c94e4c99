"""Identifiers, hashed before they leave in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

__all__ = ["hash_identifiers"]


def hash_identifiers(values: Sequence[str]) -> list[str]:
    """Hash identifiers so that plain ones do not leave.

    SHA-256 over the trimmed, lower-case text in UTF-8, as the advertising platforms ask for
    e-mail addresses.

    Parameters
    ----------
    values : sequence of str
        Plain identifiers.

    Returns
    -------
    list of str
        64 hexadecimal digits each.

    Examples
    --------
    >>> hash_identifiers([" Test@Example.com"]) == hash_identifiers(["test@example.com"])
    True
    """
    return [hashlib.sha256(v.strip().lower().encode()).hexdigest() for v in values]
