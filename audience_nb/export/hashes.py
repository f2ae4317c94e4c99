"""Identifiers at which somebody can be reached: found, and hashed before they leave in a file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["are_plain", "hash_identifiers", "pseudonym", "pseudonymous"]

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_NUMBER = re.compile(r"\+[0-9][0-9 ().-]{6,20}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}|[0-9A-Za-z+/]{43}=")
# An amount such as "+100 000" is no number to call.
_FEWEST_DIGITS = 10
# Texts of so many rows are in memory at a time.
_PIECE = 50_000


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


def pseudonym(value: object) -> str:
    """Hash an identifier, unless there is none or it is a hash already.

    Parameters
    ----------
    value : object
        A text, a number, or nothing.

    Returns
    -------
    str
        64 hexadecimal digits; of a telephone number over its plus and digits.

    Examples
    --------
    >>> pseudonym("+1 (650) 555-1212") == pseudonym("+16505551212"), pseudonym(None)
    (True, '')
    """
    text = "" if value is None or value != value else str(value).strip()
    if not text or _SHA256.fullmatch(text):
        return text
    if text.startswith("+"):
        text = "+" + re.sub(r"\D", "", text)
    return hash_identifiers([text])[0]


def are_plain(ids: Iterable[object]) -> bool:
    """Tell whether identifiers are addresses or numbers at which somebody can be reached.

    Parameters
    ----------
    ids : iterable
        Identifiers of any type.

    Returns
    -------
    bool
        True as soon as one is an e-mail address or a phone number in international form.

    Examples
    --------
    >>> are_plain([1, 2, "C-17"]), are_plain(["C-17", "ann@example.com"])
    (False, True)
    """
    return any(isinstance(v, str) and ("@" in v or "+" in v) and _is_plain(v) for v in ids)


def pseudonymous(frame: pd.DataFrame) -> pd.DataFrame:
    """Hash what addresses and telephone numbers a table holds, in its index and in its cells.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any.

    Returns
    -------
    pandas.DataFrame
        The same table if there is none. An index that holds one is hashed wholly, and its name
        ends in "_sha256"; of columns the single cells are hashed.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"age": [31]}, index=pd.Index(["ann@example.com"], name="email"))
    >>> pseudonymous(table).index.name
    'email_sha256'
    """
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(frame.index) and are_plain(frame.index):
        name = str(frame.index.name or "record").removesuffix("_sha256")
        frame = frame.set_axis(pd.Index([pseudonym(v) for v in frame.index], name=f"{name}_sha256"))
    for position, dtype in enumerate(frame.dtypes):
        if not isinstance(dtype, pd.CategoricalDtype) and not (
            pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
        ):
            continue
        column = frame.iloc[:, position]
        hashed = {
            value: pseudonym(value)
            for start in range(0, len(column), _PIECE)
            for value in column.iloc[start : start + _PIECE].tolist()
            if isinstance(value, str) and ("@" in value or "+" in value) and _is_reachable(value)
        }
        if hashed:
            frame = frame.copy(deep=False)
            cells = [hashed.get(v, v) if isinstance(v, str) else v for v in column.astype(object)]
            frame.isetitem(position, pd.Series(cells, index=frame.index, dtype=object))
    return frame


def _is_plain(text: str) -> bool:
    text = text.strip()
    return bool(_ADDRESS.fullmatch(text) or _NUMBER.fullmatch(text))


def _is_reachable(text: str) -> bool:
    return _is_plain(text) and ("@" in text or sum(map(str.isdigit, text)) >= _FEWEST_DIGITS)
