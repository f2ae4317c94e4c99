"""Somebody's dictionary of a table's columns: read in any layout, matched by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.catalogfile import read_table, rows_of_frame
from audience_nb.errors import InvalidInput
from audience_nb.fieldnames import KIND_WORDS, VALUE_TYPE_WORDS, fields_of, plain_name
from audience_nb.rows import Rows
from audience_nb.variable import KINDS, VALUE_TYPES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Match", "Matching", "key_of_name", "matched", "read_values"]

# Names at least this alike (0 to 100) are taken for one, from here on they are proposed.
TAKEN, PROPOSED = 88.0, 75.0
# So much better than the second best a guess has to be.
MARGIN = 4.0
# Pairs of names that are compared at most; with more of them nearness would take minutes.
MAX_PAIRS = 4_000_000

# How a value is stored does not say how it is to be read: a rating is an integer, too.
_STORAGE = frozenset(
    [
        *("integer", "int", "int64", "int32", "bigint", "smallint", "float", "float64", "double"),
        *("number", "decimal", "string", "str", "varchar", "object", "char", "text"),
    ]
)
_VALUE_NAMES = ("value", "code_value", "value_code", "answer_code", "response_code", "level_code")
_VALUE_LABEL_NAMES = (
    *("value_label", "answer", "response", "code_label", "level_label", "value_description"),
    *("meaning", "label", "description"),
)
_PAIR = re.compile(
    r"^\s*['\"(\[]?(-?[\w.]{1,12}?)['\")\]]?\s*(?:=|:|->|→|\)\s|\s[-–]\s)\s*(.+?)\s*$"
)
_SPAN = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*(?:-|–|to|\.\.+)\s*(-?\d+(?:\.\d+)?)\s*$")


@dataclass(frozen=True, slots=True)
class Match:
    """A column of the table and its entry of the dictionary.

    Parameters
    ----------
    column : str
        Name in the table, "" for an entry without a column.
    entry : str
        Name in the dictionary, "" for a column without an entry.
    how : {"same", "alike", "guess", "proposal", "none"}
        The same name; the same but for case, spaces and punctuation; a near miss that was taken;
        a near miss that was not; nothing near.
    score : float
        How alike the names are, from 0 to 100.

    Examples
    --------
    >>> Match("Age", "AGE", "alike", 100.0).how
    'alike'
    """

    column: str
    entry: str
    how: str
    score: float


@dataclass(frozen=True)
class Matching:
    """What of a dictionary fits the columns of a table.

    Parameters
    ----------
    matches : tuple of Match
        Each column of the table, then the entries without a column.
    fields : dict of str to dict
        For each matched column what its entry says, under the names of `Variable`'s fields.
    notes : tuple of str
        What was assumed on reading it.

    Examples
    --------
    >>> found = matched({"Age": "Age in years", "Hight": "Height"}, ["age", "height", "id"])
    >>> found.guesses[0].column, found.without_entry, found.fields["age"]["label"]
    ('height', ('id',), 'Age in years')
    """

    matches: tuple[Match, ...] = ()
    fields: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def certain(self) -> tuple[Match, ...]:
        """Matches by name."""
        return tuple(m for m in self.matches if m.how in ("same", "alike"))

    @property
    def guesses(self) -> tuple[Match, ...]:
        """Near misses that were taken."""
        return tuple(m for m in self.matches if m.how == "guess")

    @property
    def proposals(self) -> tuple[Match, ...]:
        """Near misses that were not taken."""
        return tuple(m for m in self.matches if m.how == "proposal")

    @property
    def without_entry(self) -> tuple[str, ...]:
        """Columns that the dictionary does not describe."""
        return tuple(m.column for m in self.matches if m.column and m.how in ("none", "proposal"))

    @property
    def without_column(self) -> tuple[str, ...]:
        """Entries that describe no column of the table."""
        return tuple(m.entry for m in self.matches if m.entry and not m.column)

    def __repr__(self) -> str:
        return (
            f"Matching({len(self.certain):,} by name, {len(self.guesses):,} guesses, "
            f"{len(self.without_entry):,} columns without an entry, "
            f"{len(self.without_column):,} entries without a column)"
        )


def key_of_name(name: str) -> str:
    """Write a name so that case, accents, spaces and punctuation do not matter.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    str

    Examples
    --------
    >>> key_of_name("Monthly Charges ($)") == key_of_name("monthlyCharges")
    True
    """
    return plain_name(name).replace("_", "") or " ".join(name.casefold().split())


def matched(dictionary: Any, names: Sequence[str]) -> Matching:
    """Read a dictionary and match it with the columns of a table.

    Parameters
    ----------
    dictionary : path, pandas.DataFrame, mapping, or iterable of mappings
        See `Catalog.from_frame`.
    names : sequence of str
        The columns.

    Returns
    -------
    Matching

    Raises
    ------
    InvalidInput
        If it is no dictionary, or names none of the columns.
    NotFound, DamagedFile
        If the file cannot be read.

    Examples
    --------
    >>> found = matched([{"field": "PAY", "title": "Income", "units": "dollars"}], ["pay"])
    >>> found.fields["pay"]
    {'label': 'Income', 'unit': 'dollars'}
    """
    rows, notes = _rows(dictionary)
    at = 0 if isinstance(dictionary, Mapping) else _naming_column(rows, names)
    entries = [str(value).strip() if value is not None else "" for value in rows.columns[at]]
    rows, at, entries = _one_row_each(rows, at, entries)
    fields = _fields(rows, at)
    described: dict[str, dict[str, Any]] = {}
    for place, entry in enumerate(entries):
        if entry and entry not in described:
            described[entry] = {f: texts[place] for f, texts in fields.items() if texts[place]}
    matches, pairs = _pairs(names, list(described))
    if not pairs:
        raise _names_nothing(rows, names)
    return Matching(
        tuple(matches), {column: described[entry] for column, entry in pairs.items()}, tuple(notes)
    )


# -- reading -----------------------------------------------------------------------------------


def _rows(dictionary: Any) -> tuple[Rows, list[str]]:
    """Give the rows of a dictionary in any form."""
    if isinstance(dictionary, str | Path):
        rows = read_table(Path(dictionary).expanduser())
        said = [f"In the dictionary: {p.said(rows.unit)}" for p in rows.problems]
        return rows, [*rows.notes, *said]
    if isinstance(dictionary, Mapping):
        records = [
            {"name": name, **entry}
            if isinstance(entry, Mapping)
            else {"name": name, "label": entry}
            for name, entry in dictionary.items()
        ]
        if not records:
            raise InvalidInput("The dictionary is empty.", "Leave it out, or describe a column.")
        return Rows.of_records(records), []
    if hasattr(dictionary, "columns") and hasattr(dictionary, "iloc"):
        frame: pd.DataFrame = dictionary
        if frame.index.name and frame.index.name not in frame.columns:
            frame = frame.reset_index()
        return rows_of_frame(frame), []
    if not isinstance(dictionary, str | bytes) and isinstance(dictionary, Iterable):
        entries = list(dictionary)
        if entries and all(isinstance(entry, Mapping) for entry in entries):
            return Rows.of_records(entries), []
    raise InvalidInput(
        f"A {type(dictionary).__name__} is no dictionary of columns.",
        "Give a table, a CSV or JSON file, a list of records, or a mapping from column to label.",
    )


def _naming_column(rows: Rows, names: Sequence[str]) -> int:
    """Find the column of the dictionary that names most columns of the table."""
    wanted = {key_of_name(name) for name in names}
    hits = [
        len({key_of_name(str(value)) for value in column if value is not None} & wanted)
        for column in rows.columns
    ]
    best = max(range(len(hits)), key=lambda i: hits[i], default=-1)
    if best < 0 or not hits[best]:
        raise _names_nothing(rows, names)
    return best


def _names_nothing(rows: Rows, names: Sequence[str]) -> InvalidInput:
    shown = ", ".join(map(repr, rows.names[:5]))
    return InvalidInput(
        f"No column of the dictionary ({shown}) names any of the {len(names):,} columns of "
        "the table.",
        "Give a dictionary with one row a column, one of its columns holding the names.",
    )


def _one_row_each(rows: Rows, at: int, entries: list[str]) -> tuple[Rows, int, list[str]]:
    """Fold codebooks with a row for each value: its name stands once, or in each of them."""
    plain = [plain_name(name) for name in rows.names]
    value = next((i for i, name in enumerate(plain) if name in _VALUE_NAMES), None)
    if value is None or value == at:
        return rows, at, entries
    meanings = [plain.index(n) for n in _VALUE_LABEL_NAMES if n in plain]
    filled: list[str] = []
    for entry in entries:
        filled.append(entry or (filled[-1] if filled else ""))
    if len(set(filled)) == len(filled):
        return rows, at, entries
    # Of "label" and "value_label" the latter speaks of the value; "label" alone may, too.
    meaning = next((i for i in meanings if i not in (at, value)), None)
    columns: list[list[Any]] = [[] for _ in rows.columns]
    listed: list[str] = []
    names: list[str] = []
    for name, group in groupby(range(len(filled)), key=lambda i: filled[i]):
        places = list(group)
        names.append(name)
        pairs = []
        for i in places:
            code = rows.columns[value][i]
            said = rows.columns[meaning][i] if meaning is not None else None
            if code not in (None, ""):
                pairs.append(f"{code}={said}" if said not in (None, "") else f"{code}")
        listed.append(";".join(pairs))
        for column, source in zip(columns, rows.columns, strict=True):
            column.append(next((source[i] for i in places if source[i] not in (None, "")), None))
    kept = [i for i in range(len(columns)) if i not in (value, meaning)]
    folded = Rows(
        [*(rows.names[i] for i in kept), "values"],
        [*(columns[i] for i in kept), listed],
        range(1, len(names) + 1),
        rows.problems,
        rows.notes,
        "Row",
    )
    return folded, kept.index(at), names


_TAKEN_FIELDS = (
    *("label", "description", "kind", "category", "subcategory", "value_type", "values", "unit"),
    *("value_range", "missing", "keywords", "source", "update_frequency", "availability"),
)


def _fields(rows: Rows, at: int) -> dict[str, list[Any]]:
    """Give for each field the value of each row."""
    rest = Rows(
        [name for i, name in enumerate(rows.names) if i != at],
        [column for i, column in enumerate(rows.columns) if i != at],
        rows.lines,
    )
    found, _ = fields_of(rest, guess=False)
    found.pop("code", None)
    said = {i for places in found.values() for i in places}
    if "label" not in found and "description" not in found:
        free = [i for i in range(len(rest.names)) if i not in said]
        lengths = {i: sum(len(str(v)) for v in rest.columns[i] if v is not None) for i in free}
        if lengths and max(lengths.values()):
            found["label"] = [max(lengths, key=lambda i: lengths[i])]
    if "label" not in found and "description" in found:
        found["label"] = found.pop("description")
    fields: dict[str, list[Any]] = {}
    for name in (*_TAKEN_FIELDS, "min", "max"):
        places = found.get(name, [])
        if places:
            columns = [rest.columns[i] for i in places]
            fields[name] = [
                next((_plain(name, v) for v in cells if _plain(name, v)), None)
                for cells in zip(*columns, strict=True)
            ]
    if "min" in fields and "max" in fields and "value_range" not in fields:
        pairs = zip(fields.pop("min"), fields.pop("max"), strict=True)
        fields["value_range"] = [f"{a}|{b}" if a and b else None for a, b in pairs]
    fields.pop("min", None)
    fields.pop("max", None)
    return fields


def _plain(name: str, value: Any) -> Any:
    """Bring one cell into the form of its field; None where it says nothing."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if name == "values":
        return read_values(value) or None
    if name == "missing":
        return tuple(str(v).split("=")[0].strip() for v in read_values(value)) or None
    if isinstance(value, Mapping | list | tuple):
        return value if name in ("value_range", "keywords", "availability") else None
    text = " ".join(str(value).split())
    if name == "kind":
        text = KIND_WORDS.get(text.casefold(), text.casefold())
        return text if text in KINDS else None
    if name == "value_type":
        if text.casefold() in _STORAGE:
            return None
        text = VALUE_TYPE_WORDS.get(text.casefold(), text.casefold())
        return text if text in VALUE_TYPES else None
    return text or None


def read_values(value: Any) -> tuple[str, ...]:
    """Read a list of values, coded or not, in any of the ways people write one.

    Parameters
    ----------
    value : str, mapping or sequence
        Such as "1=Yes;2=No", "1: Yes, 2: No", '{"1": "Yes"}', "low|high", "1 to 5".

    Returns
    -------
    tuple of str
        "code=label" where there are labels, else the values.

    Examples
    --------
    >>> read_values("1 = Yes; 2 = No"), read_values({"1": "Yes"}), read_values("low|mid|high")
    (('1=Yes', '2=No'), ('1=Yes',), ('low', 'mid', 'high'))
    >>> read_values("1-Yes, often, 2-No"), read_values("1 to 4")
    (('1=Yes, often', '2=No'), ('1', '2', '3', '4'))
    """
    if isinstance(value, Mapping):
        return tuple(f"{_code(code)}={str(said).strip()}" for code, said in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(map(str, value)) if isinstance(value, set | frozenset) else value
        listed: list[str] = []
        for item in items:
            if isinstance(item, Mapping):
                code, *said = item.values()
                listed.append(f"{_code(code)}={said[0]}" if said else _code(code))
            elif isinstance(item, list | tuple) and len(item) == 2:
                listed.append(f"{_code(item[0])}={item[1]}")
            else:
                listed.append(_code(item))
        return tuple(_paired(text) for text in listed)
    text = str(value).strip()
    if not text:
        return ()
    if text[0] in "[{" and text[-1] in "]}":
        try:
            return read_values(json.loads(text))
        except (ValueError, RecursionError):
            try:
                return read_values(json.loads(text.replace("'", '"')))
            except (ValueError, RecursionError):
                text = text[1:-1]
    if span := _SPAN.match(text):
        low, high = float(span[1]), float(span[2])
        if low.is_integer() and high.is_integer() and 0 < high - low <= 20:
            return tuple(str(n) for n in range(int(low), int(high) + 1))
        return ()
    return tuple(_paired(part) for part in _parts(text) if part)


def _code(code: Any) -> str:
    return f"{code:g}" if isinstance(code, float) else str(code).strip()


def _parts(text: str) -> list[str]:
    for mark in ("\n", "|", ";"):
        if mark in text:
            return [part.strip() for part in text.split(mark)]
    # A comma may belong to an answer: it parts only before the next code.
    coded = re.split(r"\s*[,/]?\s*(?=(?:^|(?<=[,/\s]))-?\d{1,4}\s*(?:[=:)]|[-–]\s*[^\W\d]))", text)
    coded = [part.strip(" ,/") for part in coded if part.strip(" ,/")]
    if len(coded) > 1:
        return coded
    if "," in text:
        return [part.strip() for part in text.split(",")]
    return [part.strip() for part in text.split("/")] if text.count("/") >= 1 else [text]


def _paired(part: str) -> str:
    dashed = re.match(r"^(-?\d{1,4})\s*[-–]\s*([^\W\d].*)$", part)
    found = dashed or _PAIR.match(part)
    return f"{found[1]}={found[2].strip()}" if found else part


# -- matching ----------------------------------------------------------------------------------


def _pairs(names: Sequence[str], entries: list[str]) -> tuple[list[Match], dict[str, str]]:
    """Match by name, then by name without punctuation, then by nearness."""
    pairs: dict[str, str] = {}
    matches: dict[str, Match] = {}
    free = dict.fromkeys(entries)
    for how, written in (("same", str), ("alike", key_of_name)):
        by_key: dict[str, list[str]] = {}
        for entry in free:
            by_key.setdefault(written(entry), []).append(entry)
        for name in names:
            candidates = by_key.get(written(name), [])
            if name not in pairs and candidates:
                entry = candidates.pop(0)
                pairs[name] = entry
                matches[name] = Match(name, entry, how, 100.0)
                del free[entry]
    open_ = [name for name in names if name not in pairs]
    for name, entry, score, taken in _near(open_, list(free)):
        matches[name] = Match(name, entry, "guess" if taken else "proposal", score)
        if taken:
            pairs[name] = entry
            del free[entry]
    listed = [matches.get(name, Match(name, "", "none", 0.0)) for name in names]
    return [*listed, *(Match("", entry, "none", 0.0) for entry in free)], pairs


def _near(names: Sequence[str], entries: Sequence[str]) -> list[tuple[str, str, float, bool]]:
    """Pair names that are nearly alike: each the other's best, clearly, and with equal digits."""
    if not names or not entries or len(names) * len(entries) > MAX_PAIRS:
        return []
    import numpy as np
    from rapidfuzz import fuzz, process

    keys = [" ".join(plain_name(name).split("_")) for name in names]
    others = [" ".join(plain_name(entry).split("_")) for entry in entries]
    scores = np.asarray(process.cdist(keys, others, scorer=fuzz.ratio), dtype=np.float64)
    sorted_words = process.cdist(keys, others, scorer=fuzz.token_sort_ratio)
    scores = np.maximum(scores, np.asarray(sorted_words, dtype=np.float64))
    # "Q1" and "Q2" are one letter apart and two questions.
    digits = [re.findall(r"\d+", key) for key in keys]
    other_digits = [re.findall(r"\d+", key) for key in others]
    places: dict[tuple[str, ...], list[int]] = {}
    for j, found in enumerate(other_digits):
        places.setdefault(tuple(found), []).append(j)
    allowed = np.zeros(scores.shape, dtype=bool)
    for i, found in enumerate(digits):
        allowed[i, places.get(tuple(found), [])] = True
    scores[~allowed] = 0.0
    found_pairs = []
    best_of_entry = scores.argmax(axis=0)
    for i, name in enumerate(names):
        j = int(scores[i].argmax())
        score = float(scores[i, j])
        if score < PROPOSED or int(best_of_entry[j]) != i or len(keys[i]) < 3:
            continue
        rivals = max(
            float(np.delete(scores[i], j).max(initial=0.0)),
            float(np.delete(scores[:, j], i).max(initial=0.0)),
        )
        taken = score >= TAKEN and score - rivals >= MARGIN
        found_pairs.append((name, entries[j], round(score, 1), taken))
    return found_pairs
