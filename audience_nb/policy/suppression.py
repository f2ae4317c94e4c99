"""People who are not to be contacted: lists matched after normalisation, plain or hashed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audience_nb.dropped import Dropped
from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SuppressionList", "normalised", "suppression_lists"]

_HEX = re.compile(r"[0-9a-f]{64}")
_PHONE = re.compile(r"\+?[\d\s().-]{7,20}")


def normalised(value: object) -> str:
    """Write an identifier the one way in which lists are compared.

    Parameters
    ----------
    value : object
        An e-mail address, telephone number, postal code or other id.

    Returns
    -------
    str
        Without spaces around it, in lower case; of telephone numbers the digits, of postal codes
        no space between.

    Examples
    --------
    >>> normalised(" Ann@Example.com "), normalised("+1 (416) 555-0100"), normalised("M5V 2T6")
    ('ann@example.com', '14165550100', 'm5v2t6')
    """
    text = str(value)
    # What one pass takes away may bring letters and accents together for the next.
    while (once := _once(text)) != text:
        text = once
    return text


def _once(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    if "@" in text:
        return text
    if _PHONE.fullmatch(text) and sum(c.isdigit() for c in text) >= 7:
        return re.sub(r"\D", "", text)
    return re.sub(r"\s", "", text)


class SuppressionList:
    """Identifiers of people who are left out, whatever else holds.

    Parameters
    ----------
    entries : iterable
        Identifiers, or SHA-256 digests of normalised ones in hexadecimal; both may be mixed.
    column : str, optional
        Column of the data that is compared; by default the records' own identifier.
    name : str, optional
        How the list is called in reports.

    Raises
    ------
    InvalidInput
        If a single text is given instead of a list.

    Examples
    --------
    >>> listed = SuppressionList(["ann@example.com"], column="email")
    >>> len(listed), repr(listed)
    (1, "SuppressionList('suppression list', 1 entries, column 'email')")
    """

    def __init__(
        self,
        entries: Iterable[object],
        column: str | None = None,
        *,
        name: str = "suppression list",
    ) -> None:
        if isinstance(entries, str):
            raise InvalidInput("The suppression list is a single text.", "Give a list of them.")
        self.column, self.name = column, name
        # Only digests are kept: a list in memory is no list of people.
        self._digests = frozenset(
            text if _HEX.fullmatch(text) else _digest(text)
            for entry in entries
            if (text := normalised(entry))
        )

    def __len__(self) -> int:
        return len(self._digests)

    def __repr__(self) -> str:
        return f"SuppressionList({self.name!r}, {len(self):,} entries, column {self.column!r})"

    def lists(self, values: pd.Series | pd.Index) -> npt.NDArray[np.bool_]:
        """Tell which identifiers are on the list.

        Parameters
        ----------
        values : pandas.Series or pandas.Index of shape (n_records,)
            Plain identifiers or their digests; missing ones are on no list.

        Returns
        -------
        ndarray of shape (n_records,), bool

        Examples
        --------
        >>> import pandas as pd
        >>> SuppressionList(["+1 416 555 0100"]).lists(pd.Series(["14165550100", None])).tolist()
        [True, False]
        """
        import pandas as pd

        codes, distinct = pd.factorize(pd.Series(np.asarray(values, dtype=object)))
        found = np.array(
            [
                (text if _HEX.fullmatch(text) else _digest(text)) in self._digests
                for text in map(normalised, distinct)
            ]
            + [False]
        )
        listed: npt.NDArray[np.bool_] = found[codes]
        return listed

    def left_out(self, values: pd.Series | pd.Index) -> tuple[npt.NDArray[np.bool_], Dropped]:
        """Give who stays, and how many do not.

        Parameters
        ----------
        values : pandas.Series or pandas.Index of shape (n_records,)
            As for `lists`.

        Returns
        -------
        keep : ndarray of shape (n_records,), bool
        dropped : Dropped
        """
        listed = self.lists(values)
        return ~listed, Dropped(f"on the {self.name}", int(listed.sum()))


def suppression_lists(given: object) -> tuple[SuppressionList, ...]:
    """Take one list, several, or plain identifiers of records.

    Parameters
    ----------
    given : SuppressionList, sequence of them, iterable of identifiers, or None
        What a person gave.

    Returns
    -------
    tuple of SuppressionList

    Raises
    ------
    InvalidInput
        If it is none of these.

    Examples
    --------
    >>> suppression_lists(["C-0001"])
    (SuppressionList('suppression list', 1 entries, column None),)
    """
    if given is None:
        return ()
    if isinstance(given, SuppressionList):
        return (given,)
    try:
        entries = list(given)  # type: ignore[call-overload]
    except TypeError as error:
        raise InvalidInput(
            f"A {type(given).__name__} is no suppression list.", "Give a list of identifiers."
        ) from error
    if entries and all(isinstance(entry, SuppressionList) for entry in entries):
        return tuple(entries)
    return (SuppressionList(given if isinstance(given, str) else entries),)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
