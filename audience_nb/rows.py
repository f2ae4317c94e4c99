"""Rows of a catalogue as somebody wrote them, and what is wrong with them, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Problem", "Rows"]


class Problem(NamedTuple):
    """One thing wrong with one row of a catalogue.

    Parameters
    ----------
    line : int
        Line of the file on which the row starts, from 1; in data without lines the row.
    code : str
        Code of the variable, "" where it is not known.
    what : str
        What is the case.
    next_move : str
        What the reader can do about it.
    left_out : bool
        Whether the row is missing from the catalogue; otherwise only the cell spoken of is.

    Examples
    --------
    >>> Problem(7, "AGE", "has no label.", "Give it one.", True).line
    7
    """

    line: int
    code: str
    what: str
    next_move: str
    left_out: bool

    def said(self, unit: str = "Line") -> str:
        """Say what is wrong in one sentence.

        Parameters
        ----------
        unit : str, optional
            What is counted: "Line", "Record", "Row".

        Returns
        -------
        str

        Examples
        --------
        >>> Problem(7, "AGE", "has no label.", "Give it one.", True).said()
        "Line 7 ('AGE') has no label."
        """
        code = self.code if len(self.code) <= 40 else self.code[:39] + "…"
        return f"{unit} {self.line}{f' ({code!r})' if code else ''} {self.what}"


@dataclass
class Rows:
    """Cells under the names that their author gave them, column by column.

    Parameters
    ----------
    names : list of str
        One for each column.
    columns : list of sequence
        Equally long; text, or from JSON and Parquet any value, None where there is none.
    lines : sequence of int
        Line of each row, from 1.
    problems : list of Problem
        What was wrong on the way here.
    notes : list of str
        What was assumed on the way here, one sentence each.
    unit : str
        What `lines` counts: "Line", "Record", "Row".
    """

    names: list[str]
    columns: list[Sequence[Any]]
    lines: Sequence[int]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unit: str = "Line"

    def __len__(self) -> int:
        return len(self.lines)

    @classmethod
    def of_records(
        cls,
        records: Sequence[Mapping[str, Any]],
        lines: Sequence[int] | None = None,
        *,
        unit: str = "Record",
    ) -> Rows:
        """Turn dictionaries into columns.

        Parameters
        ----------
        records : sequence of mapping
            Any keys; a key that a record lacks is None there.
        lines : sequence of int, optional
            Line of each; by default they are counted from 1.
        unit : str, optional
            What `lines` counts.

        Returns
        -------
        Rows

        Examples
        --------
        >>> rows = Rows.of_records([{"a": 1}, {"a": 2, "b": 3}])
        >>> rows.names, rows.columns
        (['a', 'b'], [[1, 2], [None, 3]])
        """
        names: dict[Any, None] = {}
        # Most files repeat few sets of keys, so each set is looked at once.
        for keys in dict.fromkeys(tuple(record) for record in records):
            names.update(dict.fromkeys(keys))
        columns = [[record.get(name) for record in records] for name in names]
        numbers = range(1, len(records) + 1) if lines is None else lines
        return cls([str(name) for name in names], [*columns], numbers, unit=unit)

    def column(self, name: str) -> Sequence[Any]:
        """Give the cells of the column with this name, whatever its case.

        Parameters
        ----------
        name : str
            As the author wrote it, in any case.

        Returns
        -------
        sequence
            Empty texts if there is no such column.
        """
        wanted = name.casefold()
        for given, column in zip(self.names, self.columns, strict=True):
            if given.strip().casefold() == wanted:
                return column
        return [""] * len(self)

    def has(self, names: Iterable[str]) -> bool:
        """Tell whether there is a column of each name, whatever its case.

        Parameters
        ----------
        names : iterable of str
            Names to look for.

        Returns
        -------
        bool
        """
        return {name.casefold() for name in names} <= {n.strip().casefold() for n in self.names}
