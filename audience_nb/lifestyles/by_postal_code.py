"""Lifestyle of a record by where it lives: a table of postal codes, the longest prefix wins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.errors import DamagedFile, InvalidInput, NotFound

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.lifestyles import LifestyleSystem

__all__ = ["by_postal_code", "read_postal_codes"]

# Digits of a US postal code, whose leading zeros spreadsheets drop.
_ZIP = 5
_CODE_NAMES = ("postal_code", "postalcode", "zip", "zip_code", "fsa", "prefix", "code")
_TYPE_NAMES = ("lifestyle", "segment", "type", "prizm", "lifestyle_code")


def by_postal_code(
    postal_codes: pd.Series[Any], table: Mapping[str, str], system: LifestyleSystem
) -> pd.Series[Any]:
    """Look lifestyles up by postal code.

    Parameters
    ----------
    postal_codes : pandas.Series of shape (n_records,)
        One a record; case, spaces and hyphens do not matter.
    table : mapping of str to str
        Lifestyle code by postal code or the beginning of one: "M5V 2T6", "M5V", "90210". The
        longest beginning that fits a record's code wins.
    system : LifestyleSystem
        What the lifestyle codes mean.

    Returns
    -------
    pandas.Series of object
        Lifestyle code of each record, None where no beginning fits, on the same index;
        `attrs["notes"]` says how many.

    Raises
    ------
    InvalidInput
        If the table is empty, gives a postal code two types, or a code that the system lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.lifestyles import Lifestyle, LifestyleSystem
    >>> system = LifestyleSystem([Lifestyle("A", "Settled"), Lifestyle("B", "On the move")])
    >>> table = {"M5V": "A", "M5V 2T6": "B"}
    >>> by_postal_code(pd.Series(["m5v2t6", "M5V 1A1", "H2X"]), table, system).tolist()
    ['B', 'A', None]
    """
    import pandas as pd

    prefixes = _checked(table, system)
    lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)
    numeric = pd.api.types.is_numeric_dtype(postal_codes)
    texts = postal_codes.map(lambda code: _plain(code, numeric), na_action="ignore")
    found = {
        code: next((prefixes[code[:n]] for n in lengths if code[:n] in prefixes), None)
        for code in texts.dropna().unique()
    }
    given = [found.get(code) if isinstance(code, str) else None for code in texts]
    types = pd.Series(given, index=postal_codes.index, dtype="object", name="lifestyle")
    n_missing, n_unknown = int(texts.isna().sum()), int((types.isna() & texts.notna()).sum())
    notes = []
    if n_unknown:
        notes.append(
            f"{n_unknown:,} of {len(types):,} records have a postal code that none of the "
            f"{len(prefixes):,} in the table begins."
        )
    if n_missing:
        notes.append(f"{n_missing:,} of {len(types):,} records have no postal code.")
    types.attrs["notes"] = notes
    return types


def read_postal_codes(path: str | Path) -> dict[str, str]:
    """Read a table of postal codes and lifestyles.

    Parameters
    ----------
    path : str or pathlib.Path
        CSV with a column of postal codes ("postal_code", "zip", "fsa" or "prefix") and one of
        lifestyles ("lifestyle", "segment" or "type").

    Returns
    -------
    dict of str to str

    Raises
    ------
    NotFound
        If there is no such file.
    DamagedFile
        If it lacks one of the columns.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    try:
        rows = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DamagedFile(f"{path.name} cannot be read as CSV.", "Save it as UTF-8 CSV.") from error
    names = {str(name).strip().casefold().replace(" ", "_"): name for name in rows.columns}
    columns = [
        next((names[n] for n in wanted if n in names), None)
        for wanted in (_CODE_NAMES, _TYPE_NAMES)
    ]
    if None in columns:
        raise DamagedFile(
            f"{path.name} has no column of {'postal codes' if columns[0] is None else 'lifestyles'}"
            f" among {len(names)} columns.",
            "Name the columns postal_code and lifestyle.",
        )
    codes, types = (rows[column].tolist() for column in columns)
    table: dict[str, str] = {}
    for code, kind in zip(codes, types, strict=True):
        if table.setdefault(code, kind) != kind:
            raise DamagedFile(
                f"{path.name} gives the postal code {code!r} two lifestyles.", "Keep one row each."
            )
    return table


def _checked(table: Mapping[str, str], system: LifestyleSystem) -> dict[str, str]:
    if not table:
        raise InvalidInput("The table of postal codes is empty.", "Give at least one row.")
    prefixes: dict[str, str] = {}
    for code, kind in table.items():
        known = system.resolved(kind)
        if known is None:
            raise InvalidInput(
                f"The table of postal codes names the lifestyle {str(kind)!r}, which {system.name} "
                "lacks.",
                f"Codes look like {system.codes[0]!r}.",
            )
        plain = _plain(code, numeric=isinstance(code, int | float))
        if not plain:
            raise InvalidInput(f"1 of {len(table):,} postal codes is empty.", "Leave the row out.")
        if prefixes.setdefault(plain, known) != known:
            raise InvalidInput(
                f"The table of postal codes gives {plain} two lifestyles.", "Keep one row each."
            )
    return prefixes


def _plain(code: object, numeric: bool) -> str:
    if numeric:
        return str(int(float(str(code)))).zfill(_ZIP)
    return re.sub(r"[\s-]+", "", str(code)).upper()
