"""Catalogues of variables: unique, ordered, with a fingerprint."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from audience_nb.codebook import infer_records
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.records import SEPARATOR, cells_of, read_records, split_cell
from audience_nb.variable import DATA_TYPES, FIELDS, DataType, Kind, ValueType, Variable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DATA_TYPES",
    "FIELDS",
    "Catalog",
    "DataType",
    "Kind",
    "ValueType",
    "Variable",
    "demo_file",
]


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
            cells = cells_of(record, row)
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
        return cls.from_records(read_records(text, path, suffixes), name=path.name.split(".")[0])
