"""Catalogues of variables: unique, ordered, with a fingerprint."""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.catalogfile import read_rows, write_columns
from audience_nb.codebook import Codebook, infer_codebook
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.packed import PackedCells
from audience_nb.records import SEPARATOR, cells_of, split_cell, variable_of
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
    codebook : Codebook or None
        What was found out about each column, where it was inferred from a table.
    edits : dict of code to dict
        Fields that were set by hand, see `edited`.

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
        self.codebook: Codebook | None = None
        if any(columns.get("missing", ())):
            self._columns["missing"] = list(columns["missing"])
        self.edits = self._edits_of(columns.get("edited", ()))
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
        catalog.codebook, catalog.edits = None, {}
        return catalog

    def _edits_of(self, edited: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Collect what was set by hand from the column that names its fields."""
        edits: dict[str, dict[str, Any]] = {}
        for row, cell in enumerate(edited):
            names = [name for name in split_cell(cell) if name in (*FIELDS, "missing")]
            if names:
                variable = self._variable(row)
                edits[variable.code] = {name: getattr(variable, name) for name in names}
        return edits

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
            if field == "missing":
                return [""] * len(self)
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

        return pd.DataFrame({field: self.column(field) for field in self._fields})

    @property
    def _fields(self) -> tuple[str, ...]:
        return (*FIELDS, "missing") if "missing" in self._columns else FIELDS

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the content: equal catalogues, and only they, share it."""
        # Unit separators cannot stand in a cell and every row has as many cells, so no two
        # catalogues collide; and packed cells are hashed as they lie.
        if self._packed is not None:
            return hashlib.sha256(self._packed.content).hexdigest()
        digest = hashlib.sha256("\x1f".join(self._fields).encode())
        cells = chain.from_iterable(zip(*(self.column(f) for f in self._fields), strict=True))
        while chunk := list(islice(cells, _HASHED_AT_ONCE)):
            digest.update(("\x1f" + "\x1f".join(chunk)).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _variable(self, row: int) -> Variable:
        if self._packed is not None:
            cells = dict(zip(FIELDS, self._packed.row(row), strict=True))
        else:
            cells = {field: self._cell(field, row) for field in FIELDS}
        if "missing" in self._columns:
            cells["missing"] = self._columns["missing"][row]
        return variable_of(cells)

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
        dictionary: pd.DataFrame
        | Mapping[str, Any]
        | Iterable[Mapping[str, Any]]
        | str
        | Path
        | None = None,
        *,
        edits: Catalog | Mapping[str, Mapping[str, Any]] | str | Path | None = None,
        name: str = "your data",
    ) -> Catalog:
        """Infer a catalogue from the columns of a table, or of a sample of its rows.

        Kind, value type, levels, range, unit, category and the codes for no answer (-9, 99,
        "Refused") are inferred; identifiers, free text, consent flags and columns that never
        differ are left out. `codebook` reports on every column, `notes` says what was judged.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Each column becomes a variable whose code is the column's name.
        dictionary : pandas.DataFrame, mapping, records, path to a file, or None
            One row a column (or a row for each of its values), as a table, a list of records, or
            any file that `read` takes; or a mapping from column name to label or to a record.
            The column that names most columns of `frame` is taken as code; case, spaces and
            punctuation do not matter, near misses are reported. The others are found by their
            names: label, description, values such as "1=Yes;2=No", type, unit, category, missing.
        edits : Catalog, mapping, path or None
            What was set by hand before: a catalogue that was `edited`, the file it was written
            to, or a mapping from column to fields. It goes before dictionary and data, and brings
            back columns that were left out.
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
        >>> catalog = Catalog.from_frame(frame, {"churn": "Left within the last month"})
        >>> [(v.label, v.value_type) for v in catalog]
        [('Monthly charges', 'numeric'), ('Left within the last month', 'boolean')]
        """
        if isinstance(edits, str | Path):
            edits = cls.read(edits)
        known = edits.edits if isinstance(edits, Catalog) else dict(edits or {})
        for code, changes in known.items():
            _check_edit(code, changes)
        codebook = infer_codebook(frame, dictionary, edits=known)
        catalog = cls.from_records(codebook.records, name=name, strict=False)
        # A label may be mended; a code has to stay the name of its column.
        for problem in catalog.problems:
            if problem.left_out or "in its code" in problem.what:
                raise InvalidInput(problem.said("Column"), "Rename it.")
        catalog.notes = (*codebook.notes, *catalog.notes)
        catalog.codebook = codebook
        catalog.edits = {c: dict(changes) for c, changes in known.items() if c in catalog}
        return catalog

    def edited(self, code: str, **changes: Any) -> Catalog:
        """Set fields of a variable by hand.

        Parameters
        ----------
        code : str
            Code of the variable.
        **changes
            Fields of `Variable` and their new values, such as ``label="Age"``,
            ``value_type="ordinal"``, ``values=["low", "high"]``, ``missing=["-9"]``.

        Returns
        -------
        Catalog
            A copy that remembers the edit: `write` keeps it, and `from_frame` applies it again
            when given the copy as `edits`.

        Raises
        ------
        NotFound
            If there is no such variable.
        InvalidInput
            If a field is unknown or its value not allowed, or the label is taken.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"pay": [10, 20, 40], "q7": [1, 5, 3]})
        >>> catalog = Catalog.from_frame(frame).edited("q7", label="Likes opera")
        >>> Catalog.from_frame(frame.head(2), edits=catalog)["q7"].label
        'Likes opera'
        """
        left_out = self.codebook.left_out if self.codebook is not None else {}
        if code not in self and code in left_out:
            raise NotFound(
                f"The column {code!r} was left out as {left_out[code]}.",
                f"Bring it back with Catalog.from_frame(…, edits={{{code!r}: "
                "{'value_type': 'nominal'}}).",
            )
        row = self.position(code)
        _check_edit(code, changes)
        own = self.at(row).to_dict()
        if "label" in changes and "measure" not in changes and own["measure"] == own["label"]:
            own["measure"] = changes["label"]
        record = {**own, **changes}
        cells, problems, _ = cells_of(Rows.of_records([record]), guess=False)
        if problems:
            raise InvalidInput(problems[0].said("Variable"), problems[0].next_move)
        fields = (*FIELDS, "missing")
        columns = {field: list(self.column(field)) for field in fields}
        for field in fields:
            columns[field][row] = cells[field][0] if field in cells else ""
        catalog = Catalog(columns, name=self.name, problems=self.problems, notes=self.notes)
        catalog.codebook = self.codebook
        catalog.edits = {**self.edits, code: {**self.edits.get(code, {}), **changes}}
        return catalog

    def write(self, path: str | Path) -> Path:
        """Write the catalogue to a file that `read` reads, edits included.

        Parameters
        ----------
        path : str or pathlib.Path
            Ends in .csv, .json or .jsonl; a file of that name is replaced, whole or not at all.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        InvalidInput
            If the name ends in anything else, or the place cannot be written to.

        Examples
        --------
        >>> import tempfile
        >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age"}])
        >>> path = catalog.edited("AGE", unit="years").write(tempfile.mkdtemp() + "/own.csv")
        >>> Catalog.read(path).edits
        {'AGE': {'unit': 'years'}}
        """
        columns = {field: self.column(field) for field in self._fields}
        if self.edits:
            columns["edited"] = [SEPARATOR.join(self.edits.get(code, ())) for code in self.codes]
        return write_columns(path, columns)

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


def _check_edit(code: str, changes: Mapping[str, Any]) -> None:
    allowed = tuple(field for field in (*FIELDS, "missing") if field != "code")
    for field in changes:
        if field not in allowed:
            raise InvalidInput(
                f"An edit of {code!r} sets {field!r}, which is no field that can be set.",
                f"Use one of {', '.join(allowed)}.",
            )
