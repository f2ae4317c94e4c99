"""A codebook inferred from a table, with or without somebody's dictionary of its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audience_nb.cells import parse_numbers
from audience_nb.dictionary import Matching, matched
from audience_nb.errors import InvalidInput
from audience_nb.inference import Inferred, infer_column, words_of, written_out
from audience_nb.scales import in_order, means_missing, yes_or_no

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Codebook", "Described", "infer_codebook", "infer_records", "parse_numbers", "words_of"]

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
_CATEGORIES = {
    "demographic": "Demographics",
    "behavioral": "Behaviour",
    "psychographic": "Attitudes and interests",
}
# So many columns whose names begin alike make a category of their own.
_FAMILY = 3


@dataclass(frozen=True, slots=True)
class Described:
    """One column of a table, and what was found out about it.

    Parameters
    ----------
    column : str
        Its name.
    inferred : Inferred
        What it holds.
    how : str
        How its entry in the dictionary was found: "same", "alike", "guess", "proposal", "none".
    entry : str
        Name of that entry.
    edited : tuple of str
        Fields that somebody set by hand.
    """

    column: str
    inferred: Inferred
    how: str = "none"
    entry: str = ""
    edited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Codebook:
    """The report on a codebook: every column, the dictionary, and what was judged.

    Parameters
    ----------
    columns : tuple of Described
        Each column of the table, in its order.
    records : list of dict
        Catalogue records of those that are variables.
    matching : Matching or None
        What of the dictionary fits; None without a dictionary.
    notes : tuple of str
        What was judged or assumed, one sentence each.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": range(9), "age": [31, 46, 28, -9, -9, 67, 52, 31, 40]})
    >>> infer_codebook(frame)
    Codebook(2 columns: 1 variable, 1 left out; 1 with missing codes)
    """

    columns: tuple[Described, ...]
    records: list[dict[str, Any]] = field(repr=False)
    matching: Matching | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        n_left = len(self.left_out)
        n_kept = len(self.columns) - n_left
        text = f"{_count(len(self.columns), 'column')}: {_count(n_kept, 'variable')}"
        text += f", {n_left:,} left out" if n_left else ""
        coded = sum(bool(c.inferred.missing) for c in self.columns)
        text += f"; {coded:,} with missing codes" if coded else ""
        if self.matching is not None:
            found = self.matching
            text += (
                f"; dictionary: {len(found.certain):,} matched, {len(found.guesses):,} guessed, "
                f"{len(found.without_entry):,} columns without an entry, "
                f"{len(found.without_column):,} entries without a column"
            )
        return f"Codebook({text})"

    @property
    def left_out(self) -> dict[str, str]:
        """Why each column that is no variable is none."""
        return {c.column: c.inferred.reason for c in self.columns if c.inferred.reason}

    @property
    def frame(self) -> pd.DataFrame:
        """The report as a table: one row a column, then the entries without a column.

        Columns: column, variable (whether it is one), value_type, unit, missing (codes), known
        (records with a value), levels (different values), dictionary ("same", "alike", "guess",
        "proposal", "none"; "no column" for an entry that describes none), entry, edited, note.
        """
        import pandas as pd

        records = {record["code"]: record for record in self.records}
        rows: list[dict[str, Any]] = [
            {
                "column": c.column,
                "variable": c.column in records,
                "value_type": records.get(c.column, {}).get("value_type", ""),
                "unit": records.get(c.column, {}).get("unit", ""),
                "missing": ", ".join(c.inferred.missing),
                "known": c.inferred.n_known,
                "levels": c.inferred.n_levels,
                "dictionary": c.how,
                "entry": c.entry,
                "edited": ", ".join(c.edited),
                "note": c.inferred.reason or "; ".join(c.inferred.notes),
            }
            for c in self.columns
        ]
        for entry in self.matching.without_column if self.matching else ():
            rows.append({"dictionary": "no column", "entry": entry, "variable": False})
        table = pd.DataFrame(rows, columns=list(rows[0])) if rows else pd.DataFrame()
        texts = [c for c in table.columns if c not in ("variable", "known", "levels")]
        table[texts] = table[texts].fillna("")
        table[["known", "levels"]] = table[["known", "levels"]].fillna(0).astype("int64")
        return table


def infer_records(
    frame: pd.DataFrame,
    dictionary: Any = None,
    *,
    notes: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Describe each column of a table as a catalogue record.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Any table; it is not changed.
    dictionary : pandas.DataFrame, mapping, records, path to a file, or None
        See `Catalog.from_frame`.
    notes : list of str, optional
        Sentences on what was judged are added to it.

    Returns
    -------
    list of dict
        One record for each column that is a variable, in the frame's order.

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
    codebook = infer_codebook(frame, dictionary)
    if notes is not None:
        notes.extend(codebook.notes)
    return codebook.records


def infer_codebook(
    frame: pd.DataFrame,
    dictionary: Any = None,
    *,
    edits: Mapping[str, Mapping[str, Any]] | None = None,
) -> Codebook:
    """Find out what each column of a table holds.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Any table or a sample of one; it is not changed.
    dictionary : pandas.DataFrame, mapping, records, path to a file, or None
        See `Catalog.from_frame`.
    edits : mapping of column to fields, optional
        What somebody set by hand: it goes before the dictionary, which goes before the data.

    Returns
    -------
    Codebook
        Columns that only identify a record, hold free text, or never differ are left out, each
        with its reason.

    Raises
    ------
    InvalidInput
        If the frame has no usable column, repeats a column, or the dictionary does not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a1", "b2", "c3", "d4"], "spend": ["$5", "$7", "?", "$6"]})
    >>> infer_codebook(frame).left_out
    {'who': 'identifier: 4 different texts in 4 records'}
    """
    names = _checked_names(frame)
    matching = None if dictionary is None else matched(dictionary, names)
    entries = matching.fields if matching is not None else {}
    by_column = {m.column: m for m in matching.matches} if matching is not None else {}
    edits = edits or {}
    columns: list[Described] = []
    records: list[dict[str, Any]] = []
    for position, name in enumerate(names):
        edit = dict(edits.get(name, {}))
        entry = entries.get(name, {})
        stated = {**entry, **edit}
        missing = _stated_missing(stated, edit)
        series = frame.iloc[:, position]
        found = infer_column(series, name, missing=missing, wanted=edit.get("value_type", ""))
        wanted = entry.get("value_type", "")
        if wanted and found.value_type not in ("", wanted) and "value_type" not in edit:
            # A dictionary says how to read a variable; that a column is one, only an edit can.
            found = infer_column(series, name, missing=missing, wanted=wanted)
        match = by_column.get(name)
        described = Described(
            name,
            found,
            match.how if match else "none",
            match.entry if match else "",
            tuple(edit),
        )
        columns.append(described)
        if found.reason:
            continue
        records.append(_record(name, found, entry, edit))
    if not records:
        raise InvalidInput(
            f"None of the {len(names):,} columns can be segmented on: {_reasons(columns)}.",
            "Give a table with numbers, ratings, yes/no answers or categories.",
        )
    _categorised(records)
    return Codebook(
        tuple(columns),
        _with_unique_labels(records),
        matching,
        tuple(_notes(columns, matching, [n for n in edits if n not in set(names)])),
    )


def _checked_names(frame: pd.DataFrame) -> list[str]:
    if not len(frame):
        raise InvalidInput("The table has 0 rows.", "Give a table with records.")
    names = [str(name) for name in frame.columns]
    unnamed = [i for i, name in enumerate(names, start=1) if not name.strip()]
    if unnamed:
        raise InvalidInput(f"Column {unnamed[0]} of {len(names)} has no name.", "Name it.")
    if len(set(names)) != len(names):
        counts: dict[str, int] = {}
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        twice = sorted(name for name, count in counts.items() if count > 1)
        raise InvalidInput(
            f"{len(twice)} column names occur more than once, the first is {twice[0]!r}.",
            "Rename them, so that each column has its own name.",
        )
    return names


def _reasons(columns: Sequence[Described]) -> str:
    """Count the reasons for which columns were left out."""
    counts: dict[str, int] = {}
    for column in columns:
        reason = column.inferred.reason.split(":")[0]
        counts[reason] = counts.get(reason, 0) + 1
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items())


def _stated_missing(stated: Mapping[str, Any], edit: Mapping[str, Any]) -> Sequence[str] | None:
    """Give the missing codes that dictionary or edit state; None leaves them to the data."""
    if "missing" in edit:
        given = edit["missing"]
        return (given,) if isinstance(given, str) else tuple(str(code) for code in given)
    codes = list(stated.get("missing", ()))
    for value in stated.get("values", ()):
        code, sign, label = str(value).partition("=")
        if sign and means_missing(label) and code not in codes:
            codes.append(code)
    return codes or None


def _record(
    name: str, found: Inferred, entry: Mapping[str, Any], edit: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a catalogue record together: edits before the dictionary before the data."""
    words = written_out(words_of(name))
    label = _label(str(entry.get("label", "")), words)
    description = str(entry.get("description", ""))
    if not description and words.lower() != label.lower():
        # The column's own name is often a second, shorter wording of the label.
        description = words
    inferred = found.record()
    record: dict[str, Any] = {
        "code": name,
        "label": label,
        "kind": "",
        "description": description,
        "source": "own data",
        **inferred,
    }
    record.update({k: v for k, v in entry.items() if k not in ("label", "description", "values")})
    _valued({**entry, **{k: v for k, v in edit.items() if k == "values"}}, record, entry, edit)
    record["missing"] = found.missing
    record.update({k: v for k, v in edit.items() if k != "missing"})
    record["kind"] = record["kind"] or _kind(f"{name} {words}", label, record)
    if record["value_type"] in ("numeric", "date") and "values" not in edit:
        record.pop("values", None)
    return record


def _valued(
    stated: Mapping[str, Any],
    record: dict[str, Any],
    entry: Mapping[str, Any],
    edit: Mapping[str, Any],
) -> None:
    """Take stated values, without those that mean nothing, and the type that they imply."""
    values = stated.get("values")
    if not values or isinstance(values, str):
        return
    pairs = [str(value).partition("=") for value in values]
    kept = [pair for pair in pairs if not (pair[1] and means_missing(pair[2]))]
    kept = [pair for pair in kept if not (not pair[1] and means_missing(pair[0]))]
    if len(kept) < 2:
        return
    if "value_type" not in entry and "value_type" not in edit:
        if record.get("value_type") in ("numeric", "date") and not any(p[1] for p in kept):
            # Bare values under a number are examples or bounds.
            return
        if record.get("value_type") == "numeric" and _between_ends(kept, record):
            return
        said = [pair[2] or pair[0] for pair in kept]
        record["value_type"] = _type_of_values(kept, said)
    record["values"] = tuple("".join(pair) for pair in kept)
    if record["value_type"] not in ("ordinal", "numeric"):
        record.pop("value_range", None)


def _between_ends(pairs: Sequence[tuple[str, str, str]], record: Mapping[str, Any]) -> bool:
    """Tell whether labels name only some points of a wider range of numbers."""
    try:
        codes = [float(code) for code, _, _ in pairs]
    except ValueError:
        return False
    low, high = record.get("value_range", (0.0, 0.0))
    return bool(low < min(codes) or high > max(codes)) or high - low > 2 * len(codes)


def _type_of_values(pairs: Sequence[tuple[str, str, str]], said: Sequence[str]) -> str:
    if len(said) == 2 and yes_or_no(said):
        return "boolean"
    order = in_order(said)
    if order is not None and order in (list(said), list(reversed(said))):
        return "ordinal"
    bare = [code for code, sign, label in pairs if not sign or label.strip() == code]
    # A scale whose ends alone are worded, or which has no words at all.
    if bare and all(re.fullmatch(r"-?\d+", code) for code, _, _ in pairs):
        return "ordinal"
    return "nominal"


def _categorised(records: list[dict[str, Any]]) -> None:
    """Give records without a category one: of columns named alike, else of their kind."""
    stems: dict[str, int] = {}
    for record in records:
        stem = _stem(record["code"])
        stems[stem] = stems.get(stem, 0) + 1
    for record in records:
        if record.get("category"):
            continue
        stem = _stem(record["code"])
        family = stems[stem] >= _FAMILY and len(stem) > 2
        record["category"] = (
            (f"{stem[:1].upper()}{stem[1:]} …" if family else _CATEGORIES[record["kind"]])
            if record["kind"] in _CATEGORIES
            else ""
        )


def _stem(name: str) -> str:
    first, _, rest = words_of(name).partition(" ")
    return written_out(first).lower() if rest else ""


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


def _kind(name: str, label: str, record: Mapping[str, Any]) -> str:
    if _DEMOGRAPHIC.search(name) or _DEMOGRAPHIC.search(label[:60]):
        return "demographic"
    if _BEHAVIORAL.search(name) or _BEHAVIORAL.search(label):
        return "behavioral"
    # What people rate, or say of themselves, is what they think; the rest is what they do.
    values = record.get("values", ())
    first = str(values[0]).partition("=")[0] if len(values) > _FAMILY else ""
    agreed = "agree" in " ".join(map(str, values)).casefold()
    rated = record["value_type"] == "ordinal" and (first == "1" or agreed)
    said = re.match(r"(I|My|We|Je)\b", label) is not None
    return "psychographic" if rated or said else "behavioral"


# -- saying it ---------------------------------------------------------------------------------


def _notes(
    columns: Sequence[Described], matching: Matching | None, strange: Sequence[str]
) -> list[str]:
    notes: list[str] = []
    left_out = [c for c in columns if c.inferred.reason and not c.edited]
    if left_out:
        shown = "; ".join(f"“{c.column}” ({c.inferred.reason})" for c in left_out[:5])
        more = f"; and {len(left_out) - 5:,} more" if len(left_out) > 5 else ""
        notes.append(f"{_was(len(left_out), 'column')} left out: {shown}{more}.")
    for column in columns:
        if not column.inferred.reason or column.edited:
            notes.extend(f"“{column.column}”: {note}." for note in column.inferred.notes)
    if matching is not None:
        notes += matching.notes
        if matching.without_column:
            over = matching.without_column
            notes.append(
                f"{_was(len(over), 'row', ' of the dictionary')} passed over, as the table has no "
                f"such column: {_listed(over)}."
            )
        for match in matching.guesses:
            notes.append(
                f"“{match.column}” was taken for “{match.entry}” of the dictionary "
                f"({match.score:.0f} of 100 alike); rename one of them if it is another."
            )
        for match in matching.proposals:
            notes.append(
                f"“{match.column}” may be “{match.entry}” of the dictionary "
                f"({match.score:.0f} of 100 alike); give both one name if it is."
            )
        if matching.without_entry:
            notes.append(
                f"{_was(len(matching.without_entry), 'column')} not found in the dictionary: "
                f"{_listed(matching.without_entry)}."
            )
    if strange:
        notes.append(
            f"{_was(len(strange), 'edit')} passed over, as the table has no such column: "
            f"{_listed(strange)}."
        )
    return notes


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _was(count: int, noun: str, of: str = "") -> str:
    return f"{_count(count, noun)}{of} {'was' if count == 1 else 'were'}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:5])
    return f"{shown} and {len(names) - 5:,} more" if len(names) > 5 else shown
