"""Tables with a variable in each row and a column for each area, turned into records.

Statistics offices publish profiles so: a few columns that say what a row counts (category, topic,
characteristic, the last often indented to show what is part of what), then one for each
neighbourhood, region or year. `transpose` gives one record for each of those columns, and a
dictionary of the variables in the words of the label columns:

    profile = transpose(pandas.read_csv("neighbourhoods.csv", dtype=str), shares=True)
    session = Session(profile.frame, dictionary=profile.dictionary)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.cells import texts_as_numbers, unit_of
from audience_nb.errors import InvalidInput
from audience_nb.fieldnames import plain_name
from audience_nb.scales import means_missing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Transposed", "transpose"]

FloatArray = npt.NDArray[np.float64]

# A column with at most so many of its cells numbers says what a row is.
_WORDED = 0.2
# Levels of labels that are joined to tell a row from its namesakes.
_LONGEST_PATH = 3
# Area columns whose values are those of all others added up, within so much.
_TOTAL_WITHIN = 0.02
_CATEGORY = ("category", "theme", "section", "domain", "subject", "group")
_TOPIC = ("topic", "subcategory", "sub_category", "subtopic", "subtheme")
_SOURCE = ("data_source", "source", "dataset", "survey")


@dataclass(frozen=True, slots=True)
class Transposed:
    """Records made of columns, and what their variables mean.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_areas, n_variables)
        Indexed by area; numbers where all of a row are, else text.
    dictionary : pandas.DataFrame of shape (n_variables, 7)
        code, label, description (the whole path), category, subcategory, unit, source: what
        `Catalog.from_frame` takes as its dictionary.
    notes : tuple of str
        What was assumed and left out.
    """

    frame: pd.DataFrame
    dictionary: pd.DataFrame
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        n_areas, n_variables = self.frame.shape
        return f"Transposed({n_areas:,} records, {n_variables:,} variables)"


def transpose(
    table: pd.DataFrame,
    *,
    label: str | None = None,
    areas: Sequence[str] | None = None,
    shares: bool = False,
) -> Transposed:
    """Turn a table with variables in rows into records.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_variables, n_columns)
        Read as text, so that indentation and signs are kept: ``pandas.read_csv(…, dtype=str)``.
    label : str, optional
        The column that says what a row is; by default the worded column with most different
        texts. Leading spaces mean "part of the row above that is indented less".
    areas : sequence of str, optional
        The columns that become records; by default all behind the label columns, but for one
        that is the sum of the others.
    shares : bool, optional
        Whether a row that is part of another is given in percent of it, as areas of different
        size ask for.

    Returns
    -------
    Transposed

    Raises
    ------
    InvalidInput
        If there is no label column, fewer than two areas, or one is named twice.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({
    ...     "Topic": ["Dwellings"] * 3,
    ...     "Characteristic": ["Occupied dwellings", "  Houses", "  Apartments"],
    ...     "Annex": ["1,000", "250", "750"], "Danforth": ["800", "600", "200"],
    ... })
    >>> found = transpose(table, shares=True)
    >>> found.frame["V3"].tolist(), found.dictionary["label"][1], found.dictionary["unit"][1]
    ([75.0, 25.0], 'Apartments (occupied dwellings)', 'percent')
    """
    import pandas as pd

    names = [str(column) for column in table.columns]
    cells = {
        name: ["" if _missing(v) else str(v) for v in table.iloc[:, i].tolist()]
        for i, name in enumerate(names)
    }
    if len(cells) < len(names):
        raise InvalidInput("A column name occurs more than once.", "Rename it.")
    worded = [name for name in names if _share_of_numbers(cells[name]) <= _WORDED]
    label = label or max(worded, key=lambda n: len(set(cells[n])), default=None)
    if label is None or label not in cells:
        raise InvalidInput(
            f"None of the {len(names):,} columns says what a row is.",
            "Name it with label=…, or give Catalog.from_frame the table as it stands.",
        )
    notes = [f"“{label}” says what each row is."]
    if areas is None:
        behind = names[names.index(label) + 1 :]
        areas = [name for name in behind if name not in worded]
        areas, total = _without_total(areas, cells)
        if total:
            notes.append(f"“{total}” was left out: it is the sum of the other columns.")
    else:
        areas = [str(area) for area in areas]
    absent = [area for area in areas if area not in cells]
    if absent or len(areas) < 2:
        said = (
            f"There is no column {absent[0]!r}." if absent else f"{len(areas)} columns are areas."
        )
        raise InvalidInput(said, "Name at least two columns of the table with areas=….")
    rows = _Rows(cells, label, areas, worded)
    columns, described = rows.read(shares=shares)
    notes += rows.notes
    frame = pd.DataFrame(columns, index=pd.Index(areas, name="area"))
    return Transposed(frame, pd.DataFrame(described), tuple(notes))


def _missing(value: object) -> bool:
    return value is None or value != value or type(value).__name__ == "NAType"


def _share_of_numbers(texts: Sequence[str]) -> float:
    said = [text.strip() for text in texts[:500] if text.strip()]
    if not said:
        return 0.0
    return float((~np.isnan(texts_as_numbers(said))).mean())


def _without_total(areas: list[str], cells: dict[str, list[str]]) -> tuple[list[str], str]:
    """Set aside the column that is the sum of the others; only an end column can be it."""
    if len(areas) < 4:
        return areas, ""
    for candidate in (areas[0], areas[-1]):
        others = [area for area in areas if area != candidate]
        whole = texts_as_numbers(cells[candidate])
        parts = np.nansum([texts_as_numbers(cells[area]) for area in others], axis=0)
        known = ~np.isnan(whole) & (whole > 0)
        close = np.abs(parts[known] - whole[known]) <= _TOTAL_WITHIN * whole[known]
        if known.sum() and close.mean() > 0.4:
            return others, candidate
    return areas, ""


class _Rows:
    """The rows of such a table, read one by one."""

    def __init__(
        self,
        cells: dict[str, list[str]],
        label: str,
        areas: Sequence[str],
        worded: Sequence[str],
    ) -> None:
        self.labels = [text.rstrip() for text in cells[label]]
        self.texts = [[cells[area][i].strip() for area in areas] for i in range(len(self.labels))]
        known = {plain_name(name): name for name in worded if name != label}
        self.category = self._column(cells, known, _CATEGORY)
        self.topic = self._column(cells, known, _TOPIC)
        self.source = self._column(cells, known, _SOURCE)
        self.notes: list[str] = []

    def _column(
        self, cells: dict[str, list[str]], known: dict[str, str], names: Sequence[str]
    ) -> list[str]:
        found = next((known[name] for name in names if name in known), None)
        return [""] * len(self.labels) if found is None else [t.strip() for t in cells[found]]

    def read(self, *, shares: bool) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """Give the columns of the frame and the rows of the dictionary."""
        said = [[v for v in values if v and not means_missing(v)] for values in self.texts]
        numbers = [
            self._numbers(values, known) for values, known in zip(self.texts, said, strict=True)
        ]
        above = self._parents(numbers)
        columns: dict[str, Any] = {}
        described: list[dict[str, str]] = []
        units = [unit_of(known) for known in said]
        parts = {
            row
            for row, parent in enumerate(above)
            if shares and parent >= 0 and not units[row] and _are_parts(numbers, row, parent)
        }
        # What others are given in percent of is the size of the area once more.
        wholes = {above[row] for row in parts} - parts
        empty = 0
        for row, text in enumerate(self.labels):
            if not text.strip() or not said[row]:
                empty += 1
                continue
            if row in wholes:
                continue
            code, read, unit = f"V{row + 1}", numbers[row], units[row]
            whole = numbers[above[row]]
            if read is None:
                columns[code] = [value or None for value in self.texts[row]]
            elif row in parts and whole is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    share = 100 * read / whole
                columns[code] = np.where(np.isfinite(share), share, np.nan)
                unit = "percent"
            else:
                columns[code] = read
            path = self._path(row, above)
            described.append(
                {
                    "code": code,
                    "label": _told(path[-_LONGEST_PATH:]),
                    "description": " / ".join(path) if len(path) > 1 else "",
                    "category": self.category[row],
                    "subcategory": self.topic[row],
                    "unit": unit,
                    "source": self.source[row],
                }
            )
        if not columns:
            raise InvalidInput(
                f"None of the {len(self.labels):,} rows has a label and a value.",
                "Name the label column with label=….",
            )
        if empty:
            self.notes.append(f"{empty:,} rows without a label or a value were passed over.")
        if parts:
            self.notes.append(
                f"{len(parts):,} rows are given in percent of the row they are part of; the "
                f"{len(wholes):,} that these are parts of were passed over."
            )
        return columns, described

    def _numbers(self, values: Sequence[str], said: Sequence[str]) -> FloatArray | None:
        """Give a row's numbers; None where some of its values are words."""
        read = texts_as_numbers(values)
        return None if not said or np.isnan(read).sum() > len(values) - len(said) else read

    def _parents(self, numbers: Sequence[FloatArray | None]) -> list[int]:
        """Give for each row the one that it is part of, -1 where there is none.

        Indentation says so; but some tables were sorted after they were indented, so a row whose
        parts add up to more than itself gives them to the row that it is part of.
        """
        parents: list[int] = []
        open_: list[tuple[int, int]] = []
        for row, text in enumerate(self.labels):
            depth = len(text) - len(text.lstrip())
            while open_ and (open_[-1][0] >= depth or self.topic[open_[-1][1]] != self.topic[row]):
                open_.pop()
            parents.append(open_[-1][1] if open_ else -1)
            open_.append((depth, row))
        children: dict[int, list[int]] = {}
        for row, parent in enumerate(parents):
            children.setdefault(parent, []).append(row)
        # From the deepest up; parts handed on are not added to those that were there before, as
        # the row above them may be counted among these.
        for parent in sorted((p for p in children if p >= 0), reverse=True):
            whole = numbers[parent]
            parts = [read for row in children[parent] if (read := numbers[row]) is not None]
            if whole is not None and parts and not _is_part(np.nansum(parts, axis=0), whole):
                for row in children[parent]:
                    parents[row] = parents[parent]
        return parents

    def _path(self, row: int, parents: Sequence[int]) -> list[str]:
        path: list[str] = []
        while row >= 0:
            path.insert(0, self.labels[row].strip())
            row = parents[row]
        return path


def _told(path: Sequence[str]) -> str:
    """Write the last of a path, and in brackets what it is part of."""
    plain = [
        re.sub(r"^Total\s*[-–]\s*|\s*[-–]\s*\d+% (sample )?data$", "", part, flags=re.IGNORECASE)
        for part in path
    ]
    *above, last = [part for part in plain if part] or list(path)
    parts = [part for i, part in enumerate(above) if part != last and part not in above[:i]]
    if not parts:
        return last
    parts = [re.sub(r"\s*\([^()]*\)", "", part) for part in parts]
    if last[:1].isdigit():
        # An age band alone tells nothing: what is counted goes first.
        return f"{': '.join(parts)}: {last}"
    first = parts[0]
    # A word in capitals, or a name, keeps its own.
    if first[1:2].islower():
        parts[0] = first[:1].lower() + first[1:]
    return f"{last} ({' / '.join(parts)})"


def _are_parts(numbers: Sequence[FloatArray | None], row: int, parent: int) -> bool:
    values, whole = numbers[row], numbers[parent]
    return values is not None and whole is not None and _is_part(values, whole)


def _is_part(values: FloatArray, parent: FloatArray) -> bool:
    """Tell whether values are counts within a parent's: never more, and not all equal to it."""
    known = ~np.isnan(values) & ~np.isnan(parent) & (parent > 0)
    if not known.any() or float(np.nanmin(values)) < 0:
        return False
    # Counts are rounded one by one, so a part may pass its whole by a little.
    return bool((values[known] <= 1.05 * parent[known] + 10).mean() >= 0.98)
