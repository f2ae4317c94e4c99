"""Catalogues in the layouts in which statistics offices and the industry publish them.

Recognised by their header: column and table metadata of the American Community Survey, the
variables of the Census Bureau's interface, and taxonomies of the Interactive Advertising Bureau.
Each hierarchy becomes one label, its parts joined by " > ".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from audience_nb.errors import InvalidInput
from audience_nb.rows import Problem, Rows

__all__ = ["JOINER", "as_published"]

JOINER = " > "

_ACS_COLUMNS = ("table_id", "column_id", "column_title", "parent_column_id")
_ACS_TABLES = ("table_id", "table_title")
_IAB = ("unique id", "tier 1")
# Leads a label of the Census Bureau's interface; what follows says what is counted.
_ESTIMATE = re.compile(r"^estimate$", re.IGNORECASE)
_TWIN = re.compile(r"^(annotation of )?(margin of error|estimate)$", re.IGNORECASE)
_SHORT_WORDS = frozenset(
    (
        "a",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "of",
        "on",
        "or",
        "per",
        "the",
        "to",
        "with",
    )
)
_IAB_KINDS = {
    "demographic": "demographic",
    "interest": "psychographic",
    "purchase intent": "behavioral",
}


def as_published(rows: Rows, tables: Callable[[], Rows | None]) -> Rows | None:
    """Read a known layout into records of ours.

    Parameters
    ----------
    rows : Rows
        With the header of the file.
    tables : callable
        Gives the table metadata that belong to column metadata, None if there are none.

    Returns
    -------
    Rows or None
        Under names of `Variable`'s fields; None if the layout is not a known one.

    Raises
    ------
    InvalidInput
        If the file lists tables instead of their columns.

    Examples
    --------
    >>> taxonomy = Rows(["Unique ID", "Parent", "Tier 1", "Tier 2"],
    ...                 [["1", "2"], ["", "1"], ["Interest", "Interest"], ["", "Chess"]], [2, 3])
    >>> as_published(taxonomy, lambda: None).column("label")
    ['Interest', 'Interest > Chess']
    """
    if rows.has(_ACS_COLUMNS):
        return _survey_columns(rows, tables())
    if rows.has(_IAB):
        return _taxonomy(rows)
    if rows.has(_ACS_TABLES) and not rows.has(("column_id",)):
        raise InvalidInput(
            f"The file lists {len(rows):,} tables, not the columns that are the variables.",
            "Give the file of column metadata; the tables beside it are found by themselves.",
        )
    if rows.has(("label", "concept")) and rows.has(("name",)):
        labels = [str(label) for label in rows.column("label")]
        if sum("!!" in label for label in labels) > len(labels) / 2:
            return _interface(rows)
    return None


def _texts(rows: Rows, name: str) -> list[str]:
    return ["" if v is None else str(v).strip() for v in rows.column(name)]


def _records(rows: Rows, kept: Sequence[int], columns: dict[str, list[str]]) -> Rows:
    """Give new columns for some of the rows, their lines and what was said of them."""
    return Rows(
        list(columns),
        list(columns.values()),
        [rows.lines[i] for i in kept],
        rows.problems,
        rows.notes,
        rows.unit,
    )


def _title(text: str) -> str:
    """Take off what points to the parts below: "Total:", "Median age --"."""
    return text.strip().rstrip(":- ").strip() or text.strip()


def _survey_columns(rows: Rows, tables: Rows | None) -> Rows:
    """American Community Survey: a label is table title > parents > column title."""
    table_of, codes = _texts(rows, "table_id"), _texts(rows, "column_id")
    titles = [_title(t) for t in _texts(rows, "column_title")]
    parents, order = _texts(rows, "parent_column_id"), _texts(rows, "line_number")
    if tables is None:
        rows.notes.append("No table metadata were found, so labels start with the table's id.")
        described: dict[str, tuple[str, str, str, str]] = {}
    else:
        fields = (_texts(tables, n) for n in ("table_title", "universe", "subject_area", "topics"))
        ids = _texts(tables, "table_id")
        described = dict(zip(ids, zip(*fields, strict=True), strict=True))
        rows.notes += [note for note in tables.notes if note not in rows.notes]
        rows.problems += [
            p._replace(what=f"of the table metadata {p.what}") for p in tables.problems
        ]
    position = {code: i for i, code in reversed(list(enumerate(codes)))}
    paths: dict[str, str] = {}

    def path(code: str) -> str:
        """Join the titles from the outermost parent to a column."""
        chain: list[str] = []
        while code and code not in paths:
            if code in chain or code not in position:
                break
            chain.append(code)
            code = parents[position[code]]
        for at in reversed(chain):
            above = paths.get(parents[position[at]], "")
            title = titles[position[at]]
            paths[at] = f"{above}{JOINER}{title}" if above and title else above or title
            code = at
        return paths.get(code, "")

    columns: dict[str, list[str]] = {
        name: [] for name in ("code", "label", "description", "category", "keywords", "source")
    }
    kept, headings, unknown = [], 0, set()
    for row, (code, table) in enumerate(zip(codes, table_of, strict=True)):
        # Lines between lines hold a heading for those below, and no figures.
        if order[row] and not order[row].removesuffix(".0").isdigit() and "." in order[row]:
            headings += 1
            continue
        kept.append(row)
        line = rows.lines[row]
        if parents[row] and parents[row] not in position:
            what = f"names a parent {parents[row]!r} that the file lacks."
            rows.problems.append(Problem(line, code, what, "Add the parent's row.", False))
        if described and table not in described and table not in unknown:
            unknown.add(table)
            what = f"is of the table {table!r}, which the table metadata lack."
            move = "Give the table metadata of the same year and survey."
            rows.problems.append(Problem(line, code, what, move, False))
        title, universe, subject, topics = described.get(table, (table, "", "", ""))
        above = path(parents[row]) if parents[row] in position else ""
        parts = [title, above, titles[row]] if titles[row] else []
        columns["code"].append(code)
        columns["label"].append(JOINER.join(part for part in parts if part))
        columns["description"].append(universe)
        columns["category"].append(subject)
        columns["keywords"].append(topics)
        columns["source"].append("American Community Survey")
    if headings:
        rows.notes.append(
            "1 heading holds no figures: it is part of labels, not a variable."
            if headings == 1
            else f"{headings:,} headings hold no figures: they are parts of labels, not variables."
        )
    return _records(rows, kept, columns)


def _interface(rows: Rows) -> Rows:
    """Census Bureau's interface: "Estimate!!Total:!!Male:" under a concept for the table."""
    codes, concepts = _texts(rows, "name"), _texts(rows, "concept")
    groups, types = _texts(rows, "group"), _texts(rows, "predicatetype")
    columns: dict[str, list[str]] = {
        name: [] for name in ("code", "label", "measure", "description", "category", "value_type")
    }
    kept, conditions = [], 0
    for row, label in enumerate(_texts(rows, "label")):
        parts = [part for part in map(_title, label.split("!!")) if part]
        lead = parts[0] if parts and _TWIN.match(parts[0]) else ""
        if label and not concepts[row] and "!!" not in label:
            conditions += 1
            continue
        concept = _calm(concepts[row])
        body = JOINER.join([part for part in (concept, *parts[bool(lead) :]) if part])
        # A margin of error is another figure on the same question, never another question.
        twin = "" if not lead or _ESTIMATE.match(lead) else lead.lower()
        kept.append(row)
        columns["code"].append(codes[row])
        columns["label"].append(f"{body}, {twin}" if body and twin else body)
        columns["measure"].append(body)
        columns["description"].append("")
        columns["category"].append(groups[row] if groups[row] not in ("N/A", "") else "")
        columns["value_type"].append("text" if types[row] == "string" else "numeric")
    if conditions:
        rows.notes.append(
            "1 entry is a condition of queries, not a variable."
            if conditions == 1
            else f"{conditions:,} entries are conditions of queries, not variables."
        )
    return _records(rows, kept, columns)


def _calm(text: str) -> str:
    """Write a title in capitals as a title is written."""
    if not text.isupper():
        return text
    words = text.lower().split()
    small = [w if w in _SHORT_WORDS else w[:1].upper() + w[1:] for w in words]
    return " ".join([words[0][:1].upper() + words[0][1:], *small[1:]]) if words else ""


def _taxonomy(rows: Rows) -> Rows:
    """Interactive Advertising Bureau: tiers side by side, each row its whole path."""
    tiers = []
    for number in range(1, 20):
        if not rows.has((f"tier {number}",)):
            break
        tiers.append([text.rstrip("* ") for text in _texts(rows, f"tier {number}")])
    codes = _texts(rows, "unique id")
    above = _texts(rows, "parent id") if rows.has(("parent id",)) else _texts(rows, "parent")
    names = [_texts(rows, name) for name in ("name", "extension notes", "*extension notes")]
    paths: dict[str, list[str]] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("code", "label", "kind", "category", "subcategory", "value_type")
    }
    kept = []
    for row, cells in enumerate(zip(*tiers, strict=True)):
        path = [cell for cell in cells if cell]
        if not path and not codes[row]:
            # Titles and empty lines between the parts of a taxonomy.
            if any(text for column in names for text in (column[row],)):
                what, move = "has neither an id nor a tier.", "Give both, or remove the line."
                rows.problems.append(Problem(rows.lines[row], "", what, move, True))
            continue
        # Some editions write only the last tier of a row.
        if path and not cells[0] and above[row] in paths:
            path = [*paths[above[row]], *path]
        paths[codes[row]] = path
        kept.append(row)
        columns["code"].append(codes[row])
        columns["label"].append(JOINER.join(path))
        top = path[0].lower() if path else ""
        columns["kind"].append(_IAB_KINDS.get(top, "psychographic"))
        columns["category"].append(path[0] if path else "")
        columns["subcategory"].append(path[1] if len(path) > 1 else "")
        columns["value_type"].append("boolean")
    return _records(rows, kept, columns)
