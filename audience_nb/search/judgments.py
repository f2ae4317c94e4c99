"""Judged queries in files: which variables should be found for what is typed."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audience_nb.catalog import Catalog
from audience_nb.errors import DamagedFile, NotFound
from audience_nb.search.documents import path_of

__all__ = ["read_judgments"]

_CODES = ("rel", "relevant", "codes", "code")
# relevant_path_regex, relevant_label_regex, relevant_short_regex, relevant_description_regex
_PATTERN = re.compile(r"^relevant_(path|label|short|description)_regex$")
_MAX_LINE = 1 << 20


def read_judgments(path: str | Path, catalog: Catalog) -> list[tuple[str, frozenset[str]]]:
    r"""Read judged queries.

    Parameters
    ----------
    path : str or pathlib.Path
        JSON Lines with "query" and "rel" (a list of codes), or TSV or CSV with the columns "query"
        and either "rel" (codes joined by "|") or "relevant_path_regex" or
        "relevant_label_regex" (a variable whose label, its parts joined by " > ", matches is
        relevant), "relevant_description_regex" (whose description matches, or whose label does
        where it has no description) or "relevant_short_regex" (the same, or whose code matches).
    catalog : Catalog
        Where the codes are. Those of others are left out, and judgments without any left, too.

    Returns
    -------
    list of (str, frozenset of str)
        Queries and the codes that should be found, in the order of the file.

    Raises
    ------
    NotFound
        If there is no such file.
    DamagedFile
        If it names no query or no codes, or a line cannot be read; names the line.

    Examples
    --------
    >>> import tempfile
    >>> catalog = Catalog.from_records([{"code": "JAZZ", "label": "Music > Jazz"}])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "judgments.tsv"
    ...     lines = ["query\trelevant_path_regex", "swing fans\tJazz|Swing"]
    ...     _ = file.write_text("\n".join(lines))
    ...     read_judgments(file, catalog)
    [('swing fans', frozenset({'JAZZ'}))]
    """
    path = Path(path)
    if not path.is_file():
        raise NotFound(f"There is no file {path.name!r}.", "Check the path.")
    rows = _json_lines(path) if path.suffix in (".jsonl", ".json", ".ndjson") else _table(path)
    relevant = _Relevant(catalog)
    judged = []
    for line, row in rows:
        where = f"Line {line} of {path.name}"
        query = str(row.get("query") or "").strip()
        codes = relevant.codes(row, where)
        if not query:
            raise DamagedFile(f"{where} has no query.", "Give each line a “query”.")
        if codes:
            judged.append((query, codes))
    return judged


class _Relevant:
    """Finds the codes that a row of a file means."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._texts: dict[str, list[str]] = {}

    def codes(self, row: dict[str, Any], where: str) -> frozenset[str]:
        named = next((row[name] for name in _CODES if row.get(name)), None)
        if named is not None:
            listed = named.split("|") if isinstance(named, str) else named
            if not isinstance(listed, list):
                raise DamagedFile(f"{where} names no list of codes.", "Give “rel” as a list.")
            return frozenset(str(code).strip() for code in listed) & set(self._catalog.codes)
        for name, value in row.items():
            match = _PATTERN.match(name or "")
            if match and value:
                return self._matching(match[1], str(value), where)
        raise DamagedFile(
            f"{where} names no codes.",
            "Give “rel”, or “relevant_path_regex” or “relevant_short_regex”.",
        )

    def _matching(self, field: str, pattern: str, where: str) -> frozenset[str]:
        try:
            found: Callable[[str], Any] = re.compile(pattern).search
        except re.error as error:
            raise DamagedFile(f"{where} has a pattern that is none: {error}.") from error
        texts = self._texts.setdefault(field, self._field(field))
        codes = self._catalog.codes
        by_code = field == "short"
        return frozenset(
            code
            for code, text in zip(codes, texts, strict=True)
            if found(text) or (by_code and found(code))
        )

    def _field(self, field: str) -> list[str]:
        labels = self._catalog.column("label")
        if field in ("path", "label"):
            return [" > ".join(path_of(label)) for label in labels]
        told = self._catalog.column("description")
        return [text or label for text, label in zip(told, labels, strict=True)]


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line) if len(line) <= _MAX_LINE else None
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise DamagedFile(
                    f"Line {number} of {path.name} is no JSON object.",
                    'Write each as {"query": "…", "rel": ["…"]}.',
                )
            yield number, row


def _table(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    delimiter = "," if path.suffix == ".csv" else "\t"
    with path.open(encoding="utf-8-sig", newline="") as file:
        # A tab-separated pattern may hold quotation marks that quote nothing.
        if delimiter == ",":
            reader = csv.DictReader(file)
        else:
            reader = csv.DictReader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise DamagedFile(f"{path.name} cannot be read: {error}.") from error
