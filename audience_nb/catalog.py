"""Catalogues of variables: unique, ordered, with a fingerprint."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from audience_nb.catalogfile import read_rows
from audience_nb.codebook import infer_records
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.packed import PackedCells
from audience_nb.records import SEPARATOR, cells_of, split_cell
from audience_nb.rows import Problem, Rows
from audience_nb.variable import DATA_TYPES, FIELDS, DataType, Kind, ValueType, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DATA_TYPES",
    "FIELDS",
    "Catalog",
    "DataType",
    "Kind",
    "Problem",
    "ValueType",
    "Variable",
    "demo_file",
]

# Cells joined for one step of the fingerprint: bounds what a large catalogue takes for it.
_HASHED_AT_ONCE = 65_536


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
    name : str, optional
        Shown to people.
    problems : sequence of Problem, optional
        What was wrong with rows and cells where it was read from.
    notes : sequence of str, optional
        What was assumed when it was read.

    Attributes
    ----------
    codes : list of str
        Of all variables, in order.
    problems : tuple of Problem
        Line, code, what is the case, the next move, and whether the row was left out;
        ``pandas.DataFrame(catalog.problems)`` is a table of them.
    notes : tuple of str
        Encoding, header and columns, as far as they had to be found out.

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

    def __init__(
        self,
        columns: Mapping[str, Sequence[str]],
        *,
        name: str = "catalogue",
        problems: Sequence[Problem] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.problems = tuple(problems)
        self.notes = tuple(notes)
        self._columns: dict[str, list[str]] = {f: list(columns[f]) for f in FIELDS}
        self._packed: PackedCells | None = None
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

    @classmethod
    def _of_packed(cls, cells: PackedCells, name: str) -> Catalog:
        """Take cells that were checked when they were packed, and unpack them when asked for."""
        catalog = cls.__new__(cls)
        catalog.name, catalog.problems, catalog.notes = name, (), ()
        catalog._columns, catalog._packed = {}, cells
        return catalog

    @cached_property
    def codes(self) -> list[str]:
        """Codes of all variables, in order."""
        return self.column("code")

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {code: i for i, code in enumerate(self.codes)}

    def __len__(self) -> int:
        return len(self._packed) if self._packed is not None else len(self.codes)

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
        if field not in self._columns:
            if self._packed is None or field not in FIELDS:
                raise NotFound(f"No field is called {field!r}.", f"Use one of {', '.join(FIELDS)}.")
            self._columns[field] = self._packed.column(FIELDS.index(field))
        return self._columns[field]

    def at(self, row: int) -> Variable:
        """Give the variable of a row.

        Parameters
        ----------
        row : int
            From 0.

        Returns
        -------
        Variable

        Examples
        --------
        >>> Catalog.from_records([{"code": "AGE", "label": "Age"}]).at(0).code
        'AGE'
        """
        return self._variable(row)

    def cell(self, field: str, row: int) -> str:
        """Give one field of one variable as text, without taking up its column.

        Parameters
        ----------
        field : str
            Name of a field of `Variable`.
        row : int
            From 0.

        Returns
        -------
        str

        Examples
        --------
        >>> Catalog.from_records([{"code": "AGE", "label": "Age"}]).cell("label", 0)
        'Age'
        """
        return self._cell(field, row)

    def _cell(self, field: str, row: int) -> str:
        # One cell of a suggestion is no reason to cut out the whole column.
        if field not in self._columns and self._packed is not None:
            return self._packed.cell(row, FIELDS.index(field))
        return self._columns[field][row]

    @property
    def frame(self) -> pd.DataFrame:
        """The catalogue as a table, one row a variable, text in every column."""
        import pandas as pd

        return pd.DataFrame({field: self.column(field) for field in FIELDS})

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content: equal catalogues, and only they, share it."""
        # Unit separators cannot stand in a cell and every row has as many cells, so no two
        # catalogues collide; and packed cells are hashed as they lie.
        if self._packed is not None:
            return hashlib.sha256(self._packed.content).hexdigest()
        digest = hashlib.sha256("\x1f".join(FIELDS).encode())
        cells = chain.from_iterable(zip(*(self.column(f) for f in FIELDS), strict=True))
        while chunk := list(islice(cells, _HASHED_AT_ONCE)):
            digest.update(("\x1f" + "\x1f".join(chunk)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _variable(self, row: int) -> Variable:
        if self._packed is not None:
            cells = dict(zip(FIELDS, self._packed.row(row), strict=True))
        else:
            cells = {field: self._cell(field, row) for field in FIELDS}
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
        content = zlib.decompress(demo_file("catalog.csv.gz").read_bytes(), wbits=31)
        return cls._of_packed(PackedCells.of_csv(content, len(FIELDS)), "demo")

    @classmethod
    def from_records(
        cls,
        records: Iterable[Mapping[str, Any]],
        *,
        name: str = "catalogue",
        strict: bool = True,
    ) -> Catalog:
        """Build a catalogue from dictionaries.

        Parameters
        ----------
        records : iterable of mapping
            Field names of `Variable`, or the source document's (`variable_code`, `type`,
            `dataAvailability` …); all but a code and a label (or description) are optional.
        name : str, optional
            Shown to people.
        strict : bool, optional
            By default the first bad record raises; otherwise `problems` lists them and the good
            ones are the catalogue.

        Returns
        -------
        Catalog

        Raises
        ------
        InvalidInput
            If a record has no code, a kind or type is unknown, or codes repeat; if none is good.

        Examples
        --------
        >>> Catalog.from_records([{"code": "Q1", "description": "Rides a bicycle"}])["Q1"].label
        'Rides a bicycle'
        """
        rows = Rows.of_records([*records])
        columns, problems, notes = cells_of(rows, guess=False)
        if problems and strict:
            first = problems[0]
            raise InvalidInput(first.said(rows.unit), first.next_move)
        if not columns["code"]:
            what = f"{problems[0].said(rows.unit)}" if problems else "Give at least one record."
            raise InvalidInput("The catalogue has 0 variables.", what)
        return cls(columns, name=name, problems=problems, notes=notes)

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
        dictionary : pandas.DataFrame, mapping, path to a file, or None
            A codebook: one row a column, a table or any file that `read` takes. The column that
            names most columns of `frame` is taken as code, the longest text as label, one called
            category, theme or section as category. A mapping goes from column name to label.
            What does not fit stands in the catalogue's `notes`.
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
        notes: list[str] = []
        records = infer_records(frame, dictionary, notes=notes)
        catalog = cls.from_records(records, name=name, strict=False)
        # A label may be mended; a code has to stay the name of its column.
        for problem in catalog.problems:
            if problem.left_out or "in its code" in problem.what:
                raise InvalidInput(problem.said("Column"), "Rename it.")
        catalog.notes = (*notes, *catalog.notes)
        return catalog

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        tables: str | Path | None = None,
        strict: bool = False,
        name: str = "",
    ) -> Catalog:
        """Read a catalogue file of any sort.

        Rows that cannot be used are left out and cells that cannot be understood are passed
        over; `problems` names each with its line, and a warning says how many there are.

        Parameters
        ----------
        path : str or pathlib.Path
            Delimited text (comma, tab, semicolon or bar; UTF-8, UTF-16 or Windows-1252; with the
            column names of `Variable`, of the source document or of most codebooks), JSON (a
            list of records), JSONL or Parquet, each also gzipped; column metadata of the American
            Community Survey, variables of the Census Bureau's interface or a taxonomy of the
            Interactive Advertising Bureau as they are published. What it is the content tells.
        tables : str or pathlib.Path, optional
            Table metadata for those column metadata; by default the file beside it whose name
            has "table" for "column".
        strict : bool, optional
            Raise on the first problem.
        name : str, optional
            Shown to people; by default the file's.

        Returns
        -------
        Catalog

        Raises
        ------
        NotFound
            If there is no such file.
        DamagedFile
            If no row can be read, or with `strict` if one can't.
        InvalidInput
            If the file is something else, such as an Excel workbook.
        MissingExtra
            If it is a Parquet file and nothing that reads it is installed.

        Examples
        --------
        >>> len(Catalog.read(demo_file("catalog.csv.gz")))
        48333
        """
        path = Path(path)
        rows = read_rows(path, tables)
        columns, problems, notes = cells_of(rows)
        unit = rows.unit
        if problems and (strict or not columns["code"]):
            first = problems[0]
            fact = f"{path.name}: {unit.lower()}{first.said(unit)[len(unit) :]}"
            raise DamagedFile(fact, first.next_move)
        if not columns["code"]:
            raise DamagedFile(
                f"{path.name} has a header and 0 variables.", "Give one variable a row."
            )
        if problems:
            lost = sum(problem.left_out for problem in problems)
            warnings.warn(
                f"{path.name}: {len(columns['code']):,} variables were read, {lost:,} rows left "
                f"out and {len(problems) - lost:,} other problems found. The first: "
                f"{problems[0].said(unit)} Look at catalog.problems.",
                UserWarning,
                stacklevel=2,
            )
        return cls(columns, name=name or path.name.split(".")[0], problems=problems, notes=notes)
