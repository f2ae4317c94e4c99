"""Catalogues of variables: read, check, fingerprint, infer from a table."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from audience_nb.errors import DamagedFile, InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Catalog", "DataType", "Kind", "ValueType", "Variable", "demo_file"]

Kind = Literal["demographic", "behavioral", "psychographic", "lifestyle"]
DataType = Literal["first_party", "third_party", "clean_room"]
ValueType = Literal["numeric", "ordinal", "nominal", "boolean", "date", "text"]

KINDS: tuple[Kind, ...] = get_args(Kind)
DATA_TYPES: tuple[DataType, ...] = get_args(DataType)
VALUE_TYPES: tuple[ValueType, ...] = get_args(ValueType)

# A list inside one CSV cell.
_SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that can be known of a record.

    Parameters
    ----------
    code : str
        Name for machines, unique in its catalogue.
    label : str
        Short name for people, unique in its catalogue.
    kind : {"demographic", "behavioral", "psychographic", "lifestyle"}
        What sort of trait it is.
    description : str
        One sentence, or "".
    category, subcategory : str
        Where it stands in the catalogue; a subcategory is a topic.
    measure : str
        The text shared by all variants of one question: the label without its period, unit
        or answer band. Equal to `label` where there are no variants.
    value_type : {"numeric", "ordinal", "nominal", "boolean", "date", "text"}
        How its values are to be read.
    values : tuple of str
        The possible values, in order, where they are few.
    value_range : tuple of float, optional
        Smallest and largest possible value, in `unit`.
    unit, update_frequency, source : str
        As the provider states them.
    availability : tuple of {"first_party", "third_party", "clean_room"}
        The data types in which it may be used.
    keywords : tuple of str
        Further words that should find it.

    Examples
    --------
    >>> Variable("AGE", "Age of the person", unit="years").measure
    'Age of the person'
    """

    code: str
    label: str
    kind: Kind = "demographic"
    description: str = ""
    category: str = ""
    subcategory: str = ""
    measure: str = ""
    value_type: ValueType = "numeric"
    values: tuple[str, ...] = ()
    value_range: tuple[float, float] | None = None
    unit: str = ""
    update_frequency: str = ""
    source: str = ""
    availability: tuple[DataType, ...] = DATA_TYPES
    keywords: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.measure:
            object.__setattr__(self, "measure", self.label)

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as plain values, lists for tuples.

        Returns
        -------
        dict

        Examples
        --------
        >>> Variable("AGE", "Age").to_dict()["availability"]
        ['first_party', 'third_party', 'clean_room']
        """
        record = {name: getattr(self, name) for name in FIELDS}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in record.items()}


FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Variable))
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


def demo_file(name: str) -> Path:
    """Find a file that ships with the package.

    Parameters
    ----------
    name : str
        File name, such as "catalog.csv.gz".

    Returns
    -------
    pathlib.Path
        In the installed wheel `audience_nb/data`, in a checkout `data`.

    Raises
    ------
    NotFound
        If neither place has it.

    Examples
    --------
    >>> demo_file("catalog.csv.gz").name
    'catalog.csv.gz'
    """
    here = Path(__file__).resolve().parent
    places = (here / "data" / name, here.parent / "data" / name)
    for place in places:
        if place.is_file():
            return place
    raise NotFound(
        f"{name} is in neither of {len(places)} places looked at.",
        "Run `python data/build.py` in a checkout, or reinstall the package.",
    )


class Catalog:
    """Unique, ordered variables with a fingerprint.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        One sequence for each field of `Variable`, all of one length; lists inside a cell are
        joined by "|", a range is "low|high". Prefer the `from_…` constructors.

    Raises
    ------
    InvalidInput
        If codes repeat, or a code or label is empty.

    Examples
    --------
    >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age in years"}])
    >>> len(catalog), catalog["AGE"].label
    (1, 'Age in years')
    """

    def __init__(self, columns: Mapping[str, Sequence[str]], *, name: str = "catalogue") -> None:
        self.name = name
        self._columns: dict[str, list[str]] = {f: list(columns[f]) for f in FIELDS}
        self.codes: list[str] = self._columns["code"]
        self._positions = {code: i for i, code in enumerate(self.codes)}
        if len(self._positions) != len(self.codes):
            seen: set[str] = set()
            twice = next(c for c in self.codes if c in seen or seen.add(c))  # type: ignore[func-returns-value]
            raise InvalidInput(
                f"{len(self.codes) - len(self._positions):,} of {len(self.codes):,} variables "
                f"repeat a code, the first is {twice!r}.",
                "Give each variable its own code.",
            )
        for field in ("code", "label"):
            empty = [i for i, text in enumerate(self._columns[field]) if not text.strip()]
            if empty:
                raise InvalidInput(
                    f"{len(empty):,} variables have no {field}, the first in row {empty[0] + 1}.",
                    f"Give each variable a {field}.",
                )

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[Variable]:
        return (self._variable(i) for i in range(len(self)))

    def __contains__(self, code: object) -> bool:
        return code in self._positions

    def __getitem__(self, code: str) -> Variable:
        return self._variable(self.position(code))

    def __repr__(self) -> str:
        return f"Catalog({self.name!r}, {len(self):,} variables, {self.fingerprint[:12]})"

    def position(self, code: str) -> int:
        """Give the row of a variable.

        Parameters
        ----------
        code : str
            Code of the variable.

        Returns
        -------
        int
            Row, from 0.

        Raises
        ------
        NotFound
            If the catalogue has no such code.

        Examples
        --------
        >>> Catalog.from_records([{"code": "AGE", "label": "Age"}]).position("AGE")
        0
        """
        try:
            return self._positions[code]
        except KeyError:
            raise NotFound(
                f"No variable of {len(self):,} has the code {code!r}.",
                "Search for it with find or ask, or look in catalog.codes.",
            ) from None

    def column(self, field: str) -> list[str]:
        """Give one field of all variables as text.

        Parameters
        ----------
        field : str
            Name of a field of `Variable`.

        Returns
        -------
        list of str
            In catalogue order; lists joined by "|".

        Examples
        --------
        >>> Catalog.from_records([{"code": "AGE", "label": "Age"}]).column("kind")
        ['demographic']
        """
        return self._columns[field]

    @property
    def frame(self) -> pd.DataFrame:
        """The catalogue as a table, one row a variable, text in every column."""
        import pandas as pd

        return pd.DataFrame(self._columns)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content: equal catalogues, and only they, share it."""
        digest = hashlib.sha256()
        for field in FIELDS:
            # Unit and record separators cannot stand in a label, so no two catalogues collide.
            digest.update(f"{field}\x1e".encode())
            digest.update("\x1f".join(self._columns[field]).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _variable(self, row: int) -> Variable:
        cells = {field: column[row] for field, column in self._columns.items()}
        low, _, high = cells["value_range"].partition(_SEPARATOR)
        return Variable(
            code=cells["code"],
            label=cells["label"],
            kind=cast(Kind, cells["kind"]),
            description=cells["description"],
            category=cells["category"],
            subcategory=cells["subcategory"],
            measure=cells["measure"],
            value_type=cast(ValueType, cells["value_type"]),
            values=_split(cells["values"]),
            value_range=(float(low), float(high)) if high else None,
            unit=cells["unit"],
            update_frequency=cells["update_frequency"],
            source=cells["source"],
            availability=cast("tuple[DataType, ...]", _split(cells["availability"])),
            keywords=_split(cells["keywords"]),
        )

    @classmethod
    def demo(cls) -> Catalog:
        """Read the 48,333 variables that ship with the package.

        Returns
        -------
        Catalog
            36,610 demographic, 68 lifestyle, 11,655 behavioural and psychographic variables.

        Examples
        --------
        >>> len(Catalog.demo())
        48333
        """
        import csv

        with gzip.open(demo_file("catalog.csv.gz"), "rt", encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            header = next(rows)
            columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        return cls(columns, name="demo")

    @classmethod
    def from_records(
        cls, records: Iterable[Mapping[str, Any]], *, name: str = "catalogue"
    ) -> Catalog:
        """Build a catalogue from dictionaries.

        Parameters
        ----------
        records : iterable of mapping
            Field names of `Variable`, or the source document's (`variable_code`, `type`,
            `dataAvailability` …); all but a code and a label (or description) are optional.
        name : str, optional
            Shown to people.

        Returns
        -------
        Catalog

        Raises
        ------
        InvalidInput
            If a record has no code, a kind or type is unknown, or codes repeat.

        Examples
        --------
        >>> Catalog.from_records([{"code": "Q1", "description": "Rides a bicycle"}])["Q1"].label
        'Rides a bicycle'
        """
        columns: dict[str, list[str]] = {field: [] for field in FIELDS}
        for row, record in enumerate(records, start=1):
            cells = _cells(record, row)
            for field in FIELDS:
                columns[field].append(cells[field])
        if not columns["code"]:
            raise InvalidInput("The catalogue has 0 variables.", "Give at least one record.")
        return cls(columns, name=name)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None = None,
        *,
        name: str = "your data",
    ) -> Catalog:
        """Infer a catalogue from the columns of a table.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Each column becomes a variable whose code is the column's name.
        dictionary : pandas.DataFrame, mapping, path to a CSV, or None
            A codebook: one row a column. The column that names most columns of `frame` is
            taken as code, the longest text as label, one called category, theme or section
            as category. A mapping goes from column name to label.
        name : str, optional
            Shown to people.

        Returns
        -------
        Catalog

        Raises
        ------
        InvalidInput
            If the frame has no columns or repeats one, or no column of the dictionary names
            columns of the frame.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"MonthlyCharges": [20.5, 80.0], "Churn": ["Yes", "No"]})
        >>> catalog = Catalog.from_frame(frame, {"Churn": "Left within the last month"})
        >>> [(v.label, v.value_type) for v in catalog]
        [('Monthly charges', 'numeric'), ('Left within the last month', 'boolean')]
        """
        from audience_nb.codebook import infer_records

        return cls.from_records(infer_records(frame, dictionary), name=name)

    @classmethod
    def read(cls, path: str | Path) -> Catalog:
        """Read a catalogue file.

        Parameters
        ----------
        path : str or pathlib.Path
            CSV (also gzipped), JSON (a list of records) or JSONL.

        Returns
        -------
        Catalog

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If a line cannot be read; says which.

        Examples
        --------
        >>> len(Catalog.read(demo_file("catalog.csv.gz")))
        48333
        """
        path = Path(path)
        if not path.is_file():
            raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
        suffixes = [s.lower() for s in path.suffixes]
        opened = gzip.open if suffixes[-1:] == [".gz"] else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            try:
                text = file.read()
            except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
                raise DamagedFile(
                    f"{path.name} is not UTF-8 text ({type(error).__name__}).",
                    "Save it as UTF-8 CSV, JSON or JSONL.",
                ) from error
        return cls.from_records(_records(text, path, suffixes), name=path.name.split(".")[0])


def _records(text: str, path: Path, suffixes: list[str]) -> Iterator[Mapping[str, Any]]:
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


def _split(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(_SEPARATOR)) if cell else ()


def _cells(record: Mapping[str, Any], row: int) -> dict[str, str]:
    """Give the text of every field of one record, under our names."""
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
        cells["availability"] = _SEPARATOR.join(DATA_TYPES)
    for data_type in _split(cells["availability"]):
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
        return _SEPARATOR.join(t for t in DATA_TYPES if value.get(t))
    if field == "value_range" and isinstance(value, Mapping):
        value = [value.get("min", ""), value.get("max", "")]
    if field in _LISTS or field == "value_range":
        return _SEPARATOR.join(str(v).replace(_SEPARATOR, "/") for v in value)
    return str(value)
