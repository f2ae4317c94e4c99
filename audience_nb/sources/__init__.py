"""Where records come from: one Protocol, interchangeable sources."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Source"]


@runtime_checkable
class Source(Protocol):
    """Anything that can give values of variables for records.

    Attributes
    ----------
    name : str
        Shown to people.
    n_records : int
        Records it holds.
    codes : collection of str
        Codes of the variables it can give.
    attributes : collection of str
        Columns outside the catalogue: identifiers, consent flags, lifestyle code.
    """

    name: str
    n_records: int

    @property
    def codes(self) -> Collection[str]:
        """Codes of the variables it can give."""

    @property
    def attributes(self) -> Collection[str]:
        """Columns outside the catalogue: identifiers, consent flags, lifestyle code."""

    def fetch(self, columns: Sequence[str]) -> pd.DataFrame:
        """Give the named columns for every record.

        Parameters
        ----------
        columns : sequence of str
            Codes and attributes, in the order wanted.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(columns))
            Indexed by record, one row each.

        Raises
        ------
        NotFound
            If a column is unknown.
        """
