"""A codebook inferred from a table, with or without somebody's dictionary of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb.catalogfile import read_table
from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["infer_records", "words_of"]

# Above this many different values a text column is free text, not a choice.
MAX_LEVELS = 50
# Whole numbers within so narrow a span are read as a rating scale.
MAX_RATING = 11

_YES_NO = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"oui", "non"}, {"0", "1"}, {"t", "f"})
_IDENTIFIER = re.compile(r"\b(id|key|number|no|code|uuid)$|^id\b", re.IGNORECASE)
_CATEGORY_NAMES = ("category", "theme", "section", "group", "topic", "domain", "module")
_UNIT_NAMES = ("unit", "units")
_DEMOGRAPHIC = re.compile(
    r"\b(age|aged|gender|sex|male|female|income|salary|education|degree|school|household|children|"
    r"kids?|kidhome|teenhome|marital|married|partner|dependents?|senior|citizen|birth|born|height|"
    r"weight|siblings?|village|town|city|postal|region|country|occupation|employed|tenure|"
    r"house|dwelling|homeowner|left.?handed|only child|nationality|language|religion|ethnic)\b",
    re.IGNORECASE,
)
_BEHAVIORAL = re.compile(
    r"\b(purchases?|bought|buy|spend\w*|spent|visits?|frequency|charges?|payments?|balance|"
    r"amount|service|contract|usage|used|uses?|trx|transactions?|campaign|churn|streaming|"
    r"billing|backup|security|protection|recency|orders?|clicks?|opens?|credit|cash|deals?|"
    r"web|store|catalog|mnt|num|accepted|complain|response|smoking|alcohol|internet)\b",
    re.IGNORECASE,
)


def words_of(name: str) -> str:
    """Write a column's name as words.

    Parameters
    ----------
    name : str
        Such as "MonthlyCharges", "cash_advance_trx".

    Returns
    -------
    str
        Such as "Monthly charges", "Cash advance trx".

    Examples
    --------
    >>> words_of("MonthlyCharges"), words_of("PURCHASES_FREQUENCY"), words_of("Hiphop, Rap")
    ('Monthly charges', 'Purchases frequency', 'Hiphop, Rap')
    """
    if re.search(r"[\s,]", name.strip()):
        return name.strip()
    text = re.sub(r"[_.\-]+", " ", name).strip()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    shout = name.isupper()
    words = [w if w.isupper() and len(w) < 4 and not shout else w.lower() for w in text.split()]
    joined = " ".join(words)
    return joined[:1].upper() + joined[1:]


def infer_records(
    frame: pd.DataFrame,
    dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None = None,
    *,
    notes: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Describe each column of a table as a catalogue record.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Any table; it is not changed.
    dictionary : pandas.DataFrame, mapping, path to a file, or None
        See `Catalog.from_frame`.
    notes : list of str, optional
        Sentences on columns left out, and on what dictionary and table lack of each other, are
        added to it.

    Returns
    -------
    list of dict
        One record a column, in the frame's order, without columns that only identify a row or
        hold free text: those can be neither searched for nor segmented on.

    Raises
    ------
    InvalidInput
        If the frame has no usable column, repeats a column, or the dictionary does not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> infer_records(pd.DataFrame({"age": [31, 46, 28]}))[0]["label"]
    'Age'
    """
    if not len(frame):
        raise InvalidInput("The table has 0 rows.", "Give a table with records.")
    names = [str(name) for name in frame.columns]
    unnamed = [i for i, name in enumerate(names, start=1) if not name.strip()]
    if unnamed:
        raise InvalidInput(f"Column {unnamed[0]} of {len(names)} has no name.", "Name it.")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InvalidInput(
            f"{len(twice)} column names occur more than once, the first is {twice[0]!r}.",
            "Rename them, so that each column has its own name.",
        )
    notes = [] if notes is None else notes
    described = _described(dictionary, names, notes)
    records = []
    left_out = []
    for position, name in enumerate(names):
        column = frame.iloc[:, position]
        entry = described.get(name, {})
        label = _label(str(entry.get("label", "")), words_of(name))
        inferred = _values_of(column)
        if inferred is None:
            left_out.append(name)
            continue
        records.append(
            {
                "code": name,
                "label": label,
                "kind": _kind(f"{name} {words_of(name)}", label),
                # The column's own name is often a second, shorter wording of the label.
                "description": "" if words_of(name).lower() == label.lower() else words_of(name),
                "category": entry.get("category", ""),
                "unit": entry.get("unit", ""),
                "source": "own data",
                **inferred,
            }
        )
    if not records:
        raise InvalidInput(
            f"None of the {len(names)} columns can be segmented on: each is empty, constant, an "
            "identifier or free text.",
            "Give a table with numbers, ratings, yes/no answers or categories.",
        )
    if left_out:
        notes.append(
            f"{_named(left_out, 'column')} left out, being empty, constant, an identifier or free "
            f"text: {_listed(left_out)}."
        )
    return _with_unique_labels(records)


def _with_unique_labels(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the column's name where a codebook gives two columns one label."""
    count: dict[str, int] = {}
    for record in records:
        count[record["label"]] = count.get(record["label"], 0) + 1
    for record in records:
        if count[record["label"]] > 1:
            record["label"] = f"{record['label']} ({record['code']})"
    return records


def _label(statement: str, name: str) -> str:
    """Choose what people read: the codebook's words, led by the name where they say too little."""
    if not statement:
        return name
    words = set(re.findall(r"\w+", statement.lower()))
    if (
        len(words) < 4
        and words & {"i", "my", "we", "je"}
        and not words & set(re.findall(r"\w+", name.lower()))
    ):
        return f"{name}: {statement}"
    return statement


def _kind(name: str, label: str) -> str:
    if _DEMOGRAPHIC.search(name) or _DEMOGRAPHIC.search(label[:60]):
        return "demographic"
    if _BEHAVIORAL.search(name) or _BEHAVIORAL.search(label):
        return "behavioral"
    return "psychographic"


def _values_of(column: pd.Series[Any]) -> dict[str, Any] | None:
    """Infer how a column's values are to be read; None if they cannot be segmented on."""
    import pandas as pd

    present = column.dropna()
    if pd.api.types.is_object_dtype(present) or isinstance(present.dtype, pd.StringDtype):
        present = present.astype("string").str.strip()
        present = present[present != ""]
        numbers = parse_numbers(present)
        if len(present) and numbers.notna().mean() >= 0.95:
            present = numbers.dropna()
    n_levels = present.nunique()
    if n_levels < 2:
        return None
    levels = present.unique()
    if pd.api.types.is_datetime64_any_dtype(present):
        return {"value_type": "date"}
    if pd.api.types.is_bool_dtype(present):
        return {"value_type": "boolean", "values": ("False", "True")}
    if pd.api.types.is_numeric_dtype(present):
        values = present.astype("float64")
        low, high = float(values.min()), float(values.max())
        whole = bool((values % 1 == 0).all())
        if n_levels == 2 and {low, high} == {0.0, 1.0}:
            return {"value_type": "boolean", "values": ("0", "1")}
        if whole and n_levels > MAX_LEVELS and _identifies(column.name, values):
            return None
        if whole and n_levels <= MAX_RATING and high - low < MAX_RATING and low >= 0:
            scale = tuple(str(v) for v in range(int(low), int(high) + 1))
            return {"value_type": "ordinal", "values": scale, "value_range": (low, high)}
        return {"value_type": "numeric", "value_range": (low, high)}
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        return {"value_type": "ordinal", "values": tuple(map(str, column.dtype.categories))}
    if _are_dates(present):
        return {"value_type": "date"}
    texts = sorted(map(str, levels))
    if n_levels == 2 and {t.lower() for t in texts} in _YES_NO:
        return {"value_type": "boolean", "values": tuple(texts)}
    if n_levels > MAX_LEVELS or n_levels > 0.5 * max(len(present), 4):
        return None
    return {"value_type": "nominal", "values": tuple(texts)}


def _are_dates(texts: pd.Series[Any]) -> bool:
    """Tell whether texts are dates, such as "4-Sep-12" or "2024-01-31"."""
    import pandas as pd

    sample = texts.astype("string").drop_duplicates().head(200)
    if len(sample) < 3 or not sample.str.contains(r"^\s*\w+[-/. ]\w+[-/., ]+\d", regex=True).all():
        return False
    return bool(pd.to_datetime(sample, errors="coerce", format="mixed").notna().mean() >= 0.95)


def _identifies(name: object, values: pd.Series[float]) -> bool:
    """Tell whether whole numbers name rows: all different, called an id or counted up."""
    called = _IDENTIFIER.search(words_of(str(name))) is not None
    numbered = values.iloc[0] in (0, 1) and values.diff().dropna().eq(1).all()
    return bool(values.is_unique and (called or numbered))


def parse_numbers(texts: pd.Series[str]) -> pd.Series[float]:
    """Read numbers written for people: thousands commas, currency and percent signs.

    Parameters
    ----------
    texts : pandas.Series of str
        Stripped texts.

    Returns
    -------
    pandas.Series of float64
        NaN where a text is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> parse_numbers(pd.Series(["1,250.5", "$40", "12%", "n/a"])).tolist()
    [1250.5, 40.0, 12.0, nan]
    """
    import pandas as pd

    marks = r"^[$€£]\s*|\s*%$|(?<=\d),(?=\d{3}\b)"
    plain = texts.astype("string").str.replace(marks, "", regex=True)
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _named(names: list[str], noun: str) -> str:
    return f"1 {noun} was" if len(names) == 1 else f"{len(names):,} {noun}s were"


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:5])
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown


def _described(
    dictionary: pd.DataFrame | Mapping[str, str] | str | Path | None,
    names: list[str],
    notes: list[str],
) -> dict[str, dict[str, str]]:
    """Map each column's name to its label, category and unit in the dictionary."""
    import pandas as pd

    if dictionary is None:
        return {}
    if isinstance(dictionary, Mapping):
        return {str(name): {"label": str(label)} for name, label in dictionary.items()}
    if isinstance(dictionary, str | Path):
        rows = read_table(Path(dictionary).expanduser())
        notes += rows.notes
        notes += [f"In the dictionary: {p.said(rows.unit)}" for p in rows.problems]
        dictionary = pd.DataFrame(dict(zip(rows.names, rows.columns, strict=False)))
    given: Any = dictionary
    if not isinstance(given, pd.DataFrame):
        raise InvalidInput(
            f"A {type(given).__name__} is no dictionary of columns.",
            "Give a table, a CSV file, or a mapping from column to label.",
        )
    table = given.map(lambda v: "" if v is None else v).astype("string").fillna("")
    table.columns = [str(c) for c in table.columns]
    wanted = {name.strip().lower(): name for name in names}
    hits = {c: int(table[c].str.strip().str.lower().isin(wanted).sum()) for c in table.columns}
    code = max(hits, key=lambda c: hits[c], default=None)
    if code is None or hits[code] == 0:
        raise InvalidInput(
            f"No column of the dictionary ({', '.join(map(repr, table.columns[:5]))}) names any of "
            f"the {len(names)} columns of the table.",
            "Give a dictionary with one row a column, one of its columns holding the names.",
        )
    rest = [c for c in table.columns if c != code]
    category = next((c for c in rest if c.strip().lower() in _CATEGORY_NAMES), None)
    unit = next((c for c in rest if c.strip().lower() in _UNIT_NAMES), None)
    texts = [c for c in rest if c not in (category, unit)]
    label = max(texts, key=lambda c: table[c].str.len().mean(), default=None)
    described = {}
    for _, row in table.iterrows():
        name = wanted.get(row[code].strip().lower())
        if name is not None:
            described[name] = {
                "label": row[label].strip() if label else "",
                "category": row[category].strip() if category else "",
                "unit": row[unit].strip() if unit else "",
            }
    unknown = [str(c) for c in table[code] if c.strip() and c.strip().lower() not in wanted]
    if unknown:
        notes.append(
            f"{_named(unknown, 'row')} of the dictionary passed over, as the table has no such "
            f"column: {_listed(unknown)}."
        )
    absent = [name for name in names if name not in described]
    if absent:
        notes.append(f"{_named(absent, 'column')} not found in the dictionary: {_listed(absent)}.")
    return described
