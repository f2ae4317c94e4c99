"""Catalogue records as others write them: field names, kinds and files turned into ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.variable import DATA_TYPES, FIELDS, KINDS, VALUE_TYPES, Kind, ValueType

__all__ = ["SEPARATOR", "cells_of", "read_records", "split_cell"]

# A list inside one CSV cell.
SEPARATOR = "|"
_LISTS = frozenset({"values", "availability", "keywords"})

# Names under which other catalogues keep our fields, the source document's among them.
_ALIASES: Mapping[str, str] = {
    "variable_code": "code",
    "variable": "code",
    "column": "code",
    "name": "label",
    "variable_name": "label",
    "title": "label",
    "variable_type": "kind",
    "type": "kind",
    "data_type": "value_type",
    "possible_values": "values",
    "range": "value_range",
    "data_source": "source",
    "dataavailability": "availability",
    "data_availability": "availability",
}

_KIND_WORDS: Mapping[str, Kind] = {
    "demographics": "demographic",
    "behavioural": "behavioral",
    "behaviour": "behavioral",
    "behavior": "behavioral",
    "psychographics": "psychographic",
    "values": "psychographic",
    "attitude": "psychographic",
    "lifestyles": "lifestyle",
    "prizm": "lifestyle",
}

_VALUE_TYPE_WORDS: Mapping[str, ValueType] = {
    "integer": "numeric",
    "int": "numeric",
    "float": "numeric",
    "number": "numeric",
    "decimal": "numeric",
    "categorical": "nominal",
    "category": "nominal",
    "string": "nominal",
    "str": "nominal",
    "bool": "boolean",
    "datetime": "date",
}


def read_records(text: str, path: Path, suffixes: list[str]) -> Iterator[Mapping[str, Any]]:
    r"""Give the records of a catalogue file, one by one.

    Parameters
    ----------
    text : str
        The file's content.
    path : pathlib.Path
        Its place, for messages.
    suffixes : list of str
        Its suffixes in lower case, which tell the format: JSONL, JSON, else CSV.

    Yields
    ------
    mapping
        One record.

    Raises
    ------
    DamagedFile
        If a line cannot be read; says which.

    Examples
    --------
    >>> list(read_records("code,label\nA,Age\n", Path("v.csv"), [".csv"]))
    [{'code': 'A', 'label': 'Age'}]
    """
    if ".jsonl" in suffixes or ".ndjson" in suffixes:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield _json(line, f"line {number} of {path.name}")
    elif ".json" in suffixes:
        loaded = _json(text, path.name)
        yield from loaded if isinstance(loaded, list) else loaded.get("variables", [])
    else:
        import csv

        for row in csv.DictReader(text.splitlines(keepends=True)):
            if None in row:
                raise DamagedFile(
                    f"A row of {path.name} has more cells than its header: code {row.get('code')}.",
                    "Quote cells that contain commas.",
                )
            yield row


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{where} is not JSON.", "Mend or remove it.") from error


def cells_of(record: Mapping[str, Any], row: int) -> dict[str, str]:
    """Give the text of every field of one record, under our names.

    Parameters
    ----------
    record : mapping
        Under our names or those of the source document.
    row : int
        Its number, for messages.

    Returns
    -------
    dict of str to str
        One text for each field of `Variable`.

    Raises
    ------
    InvalidInput
        If it has no code or label, or an unknown kind, type or data type.

    Examples
    --------
    >>> cells_of({"code": "A", "label": "Age", "type": "integer"}, 1)["value_type"]
    'numeric'
    """
    given: dict[str, Any] = {}
    for key, value in record.items():
        name = key.strip().lower().replace(" ", "_")
        field = name if name in FIELDS else _ALIASES.get(name, "")
        if name == "type" and str(value).lower() in {*VALUE_TYPES, *_VALUE_TYPE_WORDS}:
            field = "value_type"
        # A field under its own name wins over the same field under an alias.
        if field and (name == field or field not in given):
            given[field] = value
    if "code" not in given:
        given["code"] = record.get("name")
    cells = {field: _text(field, given.get(field)) for field in FIELDS}
    if not cells["code"]:
        raise InvalidInput(f"Record {row} has no code.", "Give each record a 'code'.")
    cells["label"] = cells["label"] or cells["description"]
    if not cells["label"]:
        raise InvalidInput(
            f"Record {row} ({cells['code']!r}) has no label.", "Give each record a 'label'."
        )
    kind = cells["kind"].lower() or "demographic"
    cells["kind"] = _one_of(_KIND_WORDS.get(kind, kind), KINDS, "kind", row)
    value_type = cells["value_type"].lower() or "numeric"
    cells["value_type"] = _one_of(
        _VALUE_TYPE_WORDS.get(value_type, value_type), VALUE_TYPES, "value_type", row
    )
    if "availability" not in given:
        cells["availability"] = SEPARATOR.join(DATA_TYPES)
    for data_type in split_cell(cells["availability"]):
        _one_of(data_type, DATA_TYPES, "availability", row)
    cells["measure"] = cells["measure"] or cells["label"]
    return cells


def _one_of(value: str, allowed: tuple[str, ...], field: str, row: int) -> str:
    if value not in allowed:
        raise InvalidInput(
            f"Record {row} has {field} {value!r}.", f"Use one of: {', '.join(allowed)}."
        )
    return value


def _text(field: str, value: Any) -> str:
    """Write one value as the text of its cell."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, str):
        return value.strip()
    if field == "availability" and isinstance(value, Mapping):
        return SEPARATOR.join(t for t in DATA_TYPES if value.get(t))
    if field == "value_range" and isinstance(value, Mapping):
        value = [value.get("min", ""), value.get("max", "")]
    if field in _LISTS or field == "value_range":
        return SEPARATOR.join(str(v).replace(SEPARATOR, "/") for v in value)
    return str(value)


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
