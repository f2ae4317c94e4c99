"""Rows in anybody's words turned into cells in ours, each row checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, cast

from audience_nb.fieldnames import KIND_WORDS, VALUE_TYPE_WORDS, fields_of
from audience_nb.rows import Problem, Rows
from audience_nb.variable import (
    DATA_TYPES,
    FIELDS,
    KINDS,
    VALUE_TYPES,
    DataType,
    Kind,
    ValueType,
    Variable,
)

__all__ = ["SEPARATOR", "cells_of", "split_cell", "variable_of"]

# A list inside one cell.
SEPARATOR = "|"
_LISTS = frozenset({"values", "availability", "keywords", "missing", "edited"})
# Fields that only some catalogues have.
_SELDOM = ("missing", "edited")
# Cells that tell whether a column repeats itself.
_SAMPLE = 500
# Characters that no cell needs: they end lines, hide text or part cells in other files.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NUMBER = r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(
    rf"^[\[(]?\s*({_NUMBER})\s*%?\s*(?:\||;|:|to|à|–|—|-|\.\.+|,\s)\s*({_NUMBER})\s*%?\s*[\])]?$"
)
_YES = frozenset({"1", "true", "yes", "y", "x", "oui", "t", "✓", "1.0"})
_NO = frozenset({"", "0", "false", "no", "n", "non", "f", "0.0", "-"})
_ALL = frozenset({"all", "any", "*", "everywhere"})

Column = list[str]


def cells_of(
    rows: Rows, *, guess: bool = True
) -> tuple[dict[str, Column], list[Problem], list[str]]:
    """Give the text of every field of the good rows, under our names.

    A row without a code or label, or whose code stands in a row before, is left out; of a cell
    that cannot be understood (kind, type, range, availability) the row is kept without it. All
    of it is reported.

    Parameters
    ----------
    rows : Rows
        Under our names or others', see `audience_nb.fieldnames`.
    guess : bool, optional
        Whether content may tell which column is the code and which the label.

    Returns
    -------
    columns : dict of str to list of str
        One text for each field of `Variable` and each good row; lists joined by "|".
    problems : list of Problem
        Those of `rows` and those found here, by line.
    notes : list of str
        Those of `rows`, and which columns were guessed or not used.

    Examples
    --------
    >>> rows = Rows.of_records([{"code": "A", "name": "Age", "type": "integer"}, {"name": "?"}])
    >>> columns, problems, _ = cells_of(rows)
    >>> columns["value_type"], problems[0].said("Record")
    (['numeric'], 'Record 2 has no code.')
    """
    found, notes = fields_of(rows, guess=guess)
    checks = _Checks(rows)
    columns: dict[str, Column] = {}
    for field in ("code", *(f for f in FIELDS if f != "code")):
        columns[field] = checks.texts(field, found.get(field, []))
        if field == "code":
            checks.codes = columns["code"]
    for field in _SELDOM:
        if field in found:
            columns[field] = checks.texts(field, found[field])
    columns["label"] = _first(columns["label"], columns["description"])
    columns["measure"] = _first(columns["measure"], columns["label"])
    columns["kind"] = checks.words(columns["kind"], "kind", KINDS, KIND_WORDS, "demographic")
    columns["value_type"] = checks.words(
        columns["value_type"], "value_type", VALUE_TYPES, VALUE_TYPE_WORDS, "numeric"
    )
    columns["value_range"] = checks.ranges(columns["value_range"], found)
    columns["availability"] = checks.availability(columns["availability"], found)
    kept = checks.good_rows(columns)
    if len(kept) < len(rows):
        columns = {field: [column[i] for i in kept] for field, column in columns.items()}
    problems = sorted([*rows.problems, *checks.problems], key=lambda p: p.line)
    return columns, problems, [*rows.notes, *notes]


class _Checks:
    """Checks on the cells of some rows, each looked at once for each different text."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        # Our own files mean by a comma in a list nothing but a comma.
        self.own = set(FIELDS) <= set(rows.names)
        self.codes: Column = [""] * len(rows)
        self.problems: list[Problem] = []

    def add(self, row: int, what: str, next_move: str, *, left_out: bool = False) -> None:
        line = self.rows.lines[row]
        self.problems.append(Problem(line, self.codes[row], what, next_move, left_out))

    def texts(self, field: str, columns: Sequence[int]) -> Column:
        """Give a field's text in each row: that of the first of its columns that has one."""
        result = [""] * len(self.rows)
        for n, column in enumerate(columns):
            texts = self._column(field, self.rows.columns[column])
            result = texts if n == 0 else _first(result, texts)
        return result

    def _column(self, field: str, raw: Sequence[Any]) -> Column:
        """Write a column's values as text, and take out what no text may hold."""
        plain = field not in _LISTS or self.own
        types = set(map(type, raw))
        if plain and types == {str} and len(set(raw[:_SAMPLE])) > _SAMPLE / 2:
            result = [value.strip() for value in raw]
            different: Iterable[str] = result
        else:
            # One text for equal cells: most columns repeat few.
            keys = raw if types <= {str, NoneType} else [_key(value) for value in raw]
            texts = {
                key: _text(field, value, plain=plain)
                for key, value in dict(zip(keys, raw, strict=True)).items()
            }
            result = [texts[key] for key in keys]
            different = texts.values()
        dirty = {t for t in different if not t.isprintable() and _CONTROL.search(t)}
        for row, text in enumerate(result) if dirty else ():
            if text in dirty:
                result[row] = _CONTROL.sub("", text).strip()
                what = f"had a control character in its {field}, which was taken out."
                self.add(row, what, "Look whether the text is whole.")
        return result

    def _each_bad(self, column: Column, bad: Mapping[str, str], next_move: str) -> None:
        for row, text in enumerate(column):
            if text in bad:
                self.add(row, bad[text], next_move)

    def words(
        self,
        column: Column,
        field: str,
        allowed: Sequence[str],
        words: Mapping[str, str],
        default: str,
    ) -> Column:
        """Translate words into ours; unknown ones become the default and are reported."""
        ours: dict[str, str] = {}
        bad: dict[str, str] = {}
        for text in set(column):
            plain = text.lower().strip()
            ours[text] = words.get(plain, plain) or default
            if ours[text] not in allowed:
                ours[text] = default
                bad[text] = f"has {field} {_short(text)!r}."
        if bad:
            self._each_bad(column, bad, f"Use one of: {', '.join(allowed)}.")
        return [ours[text] for text in column]

    def ranges(self, column: Column, found: Mapping[str, list[int]]) -> Column:
        """Read ranges, also from a column for either end."""
        if "min" in found or "max" in found:
            low, high = (self.texts(end, found.get(end, [])) for end in ("min", "max"))
            ends = [f"{a}|{b}" if a or b else "" for a, b in zip(low, high, strict=True)]
            column = _first(column, ends)
        ours: dict[str, str] = {}
        bad: dict[str, str] = {}
        for text in set(column):
            ours[text] = _range(text)
            if text.strip(" |") and not ours[text]:
                bad[text] = f"has value_range {_short(text)!r}, which is no range of numbers."
        if bad:
            self._each_bad(column, bad, "Write it as low|high, the lower first.")
        return [ours[text] for text in column]

    def availability(self, column: Column, found: Mapping[str, list[int]]) -> Column:
        """Read the data types, also from a column for each; without any column all of them."""
        flags = [name for name in DATA_TYPES if name in found]
        every = SEPARATOR.join(DATA_TYPES)
        if not flags and "availability" not in found:
            return [every] * len(self.rows)
        # Not stated is all; stated as nothing is nothing.
        for raw in (self.rows.columns[i] for i in found.get("availability", ())[:1]):
            column = [every if v is None else text for v, text in zip(raw, column, strict=True)]
        if flags:
            marks = [self._flags(name, found[name]) for name in flags]
            joined = [
                SEPARATOR.join(name for name, on in zip(flags, row, strict=True) if on)
                for row in zip(*marks, strict=True)
            ]
            column = _first(column, joined)
        ours: dict[str, str] = {}
        bad: dict[str, str] = {}
        for text in set(column):
            given = [plain for part in split_cell(text) if (plain := _plain_type(part))]
            if set(given) & _ALL:
                given = list(DATA_TYPES)
            unknown = [part for part in given if part not in DATA_TYPES]
            # What is not understood allows nothing.
            ours[text] = SEPARATOR.join(dict.fromkeys(p for p in given if p in DATA_TYPES))
            if unknown:
                bad[text] = f"has availability {_short(unknown[0])!r}."
        if bad:
            self._each_bad(column, bad, f"Use one of: {', '.join(DATA_TYPES)}.")
        return [ours[text] for text in column]

    def _flags(self, name: str, columns: Sequence[int]) -> list[bool]:
        texts = [text.lower() for text in self.texts(name, columns)]
        odd = {t: f"has {name} {_short(t)!r}." for t in set(texts) - _YES - _NO}
        if odd:
            self._each_bad(texts, odd, "Write yes or no.")
        return [text in _YES for text in texts]

    def good_rows(self, columns: Mapping[str, Column]) -> list[int]:
        """Give the rows with a code of their own and a label; report the others."""
        codes, labels = columns["code"], columns["label"]
        if len(set(codes)) == len(codes) and "" not in codes and "" not in labels:
            return list(range(len(codes)))
        kept: list[int] = []
        first: dict[str, int] = {}
        for row, (code, label) in enumerate(zip(codes, labels, strict=True)):
            if not code:
                self.add(row, "has no code.", "Give each row a 'code'.", left_out=True)
            elif not label:
                self.add(row, "has no label.", "Give each row a 'label'.", left_out=True)
            elif code in first:
                unit, line = self.rows.unit.lower(), self.rows.lines[first[code]]
                what = f"repeats the code of {unit} {line}."
                self.add(row, what, "Give each variable its own code.", left_out=True)
            else:
                first[code] = row
                kept.append(row)
        return kept


def _first(column: Column, other: Column) -> Column:
    """Give the texts of one column, those of the other where it has none."""
    return [a or b for a, b in zip(column, other, strict=True)] if "" in column else column


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _plain_type(part: str) -> str:
    plain = re.sub(r"[\s\-]+", "_", part.strip().lower())
    short = {"1p": "first_party", "1st_party": "first_party", "3p": "third_party"}
    return {**short, "3rd_party": "third_party", "cleanroom": "clean_room"}.get(plain, plain)


def _range(text: str) -> str:
    """Write a range as low|high; "" if it is none."""
    found = _RANGE.match(text)
    if not found:
        return ""
    low, high = (float(number.replace(",", "")) for number in found.groups())
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        return ""
    # The shortest text that reads back as the same number, so that equal ranges are equal cells.
    ends = (int(x) if x.is_integer() and abs(x) < 1e15 else x for x in (low, high))
    return SEPARATOR.join(map(repr, ends))


def _key(value: Any) -> Any:
    """Give something hashable that equal values of equal types share."""
    if type(value) is list:
        return (*value, *map(type, value)) if set(map(type, value)) <= {str} else repr(value)
    if type(value) is dict:
        return (*value.items(), *map(type, value.values()))
    return (value, type(value))


def _text(field: str, value: Any, *, plain: bool = True) -> str:
    """Write one value as the text of its cell; a list in text is looked into unless `plain`."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, str):
        text = value.strip()
        return text if plain or not text else _list_text(field, text)
    if isinstance(value, Mapping):
        if field == "availability":
            value = [name for name, allowed in value.items() if allowed]
        elif field == "value_range":
            value = [value.get("min", value.get("low", "")), value.get("max", value.get("high"))]
        elif field in _LISTS:
            value = list(value.values())
    if field in _LISTS or field == "value_range":
        listed = sorted(map(str, value)) if isinstance(value, set | frozenset) else value
        listed = listed if isinstance(listed, list | tuple) else [listed]
        return SEPARATOR.join(str(v).strip().replace(SEPARATOR, "/") for v in listed)
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value).strip()


def _list_text(field: str, text: str) -> str:
    """Bring a list that somebody wrote as text into ours: joined by bars."""
    if text[0] in "[{" and text[-1] in "]}":
        try:
            return _text(field, json.loads(text))
        except (ValueError, RecursionError):
            # PostgreSQL writes a set as {"a","b"}.
            text = text[1:-1].replace('"', "").replace(",", SEPARATOR)
    if SEPARATOR not in text:
        # A comma may belong to an answer, such as “Yes, often”.
        mark = ";" if ";" in text or field == "values" else ","
        text = text.replace(mark, SEPARATOR)
    return SEPARATOR.join(part.strip() for part in text.split(SEPARATOR) if part.strip())


def split_cell(cell: str) -> tuple[str, ...]:
    """Give the parts of a cell that holds a list.

    Parameters
    ----------
    cell : str
        Parts joined by "|".

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> split_cell("first_party|clean_room")
    ('first_party', 'clean_room')
    """
    return tuple(cell.split(SEPARATOR)) if cell else ()


def variable_of(cells: Mapping[str, str]) -> Variable:
    """Read the cells of one variable.

    Parameters
    ----------
    cells : mapping of str to str
        A text for each field, as `cells_of` writes it.

    Returns
    -------
    Variable

    Examples
    --------
    >>> columns, _, _ = cells_of(Rows.of_records([{"code": "A", "label": "Age", "missing": [-9]}]))
    >>> variable_of({field: texts[0] for field, texts in columns.items()}).missing
    ('-9',)
    """
    low, _, high = cells["value_range"].partition(SEPARATOR)
    return Variable(
        code=cells["code"],
        label=cells["label"],
        kind=cast(Kind, cells["kind"]),
        description=cells["description"],
        category=cells["category"],
        subcategory=cells["subcategory"],
        measure=cells["measure"],
        value_type=cast(ValueType, cells["value_type"]),
        values=split_cell(cells["values"]),
        value_range=(float(low), float(high)) if high else None,
        unit=cells["unit"],
        update_frequency=cells["update_frequency"],
        source=cells["source"],
        availability=cast("tuple[DataType, ...]", split_cell(cells["availability"])),
        keywords=split_cell(cells["keywords"]),
        missing=split_cell(cells.get("missing", "")),
    )
