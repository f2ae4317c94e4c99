"""Delimited text as it comes: encoding, line ends, separator and the kinds of values."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias, cast

from audience_nb.delimited import decode, delimiter_of
from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.sources.conditions import ValueKind

__all__ = ["Layout", "Reading", "layout_of", "reading_of"]

# How a column's texts are read: numbers plain, with currency, percent and thousands signs, or with
# a decimal comma; dates as ISO 8601 writes them.
Reading: TypeAlias = Literal["text", "plain", "written", "comma", "boolean", "date"]

# What stands for nothing: in any column as pandas has it, and further in one of numbers.
BLANKS = ("NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "<NA>", "None", "#N/A")
_NUMBER_BLANKS = frozenset({"", "-", "?", ".", *(b.lower() for b in BLANKS)})

_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WRITTEN = re.compile(r"[-+]?[$€£]?\s?[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?\s?%?")
_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?\s?%?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_DIGIT = re.compile(r"\d")
# Codes, not numbers: a zero that leads, or more digits than a float can tell apart.
_CODE = re.compile(r"[-+]?0\d+|[-+]?\d{16,}")

_BLOCK = 1 << 20
_HEAD = 1 << 18
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Layout:
    """How a delimited file is to be read.

    Parameters
    ----------
    path : pathlib.Path
        Of the file, or of a copy of it in UTF-8 with one kind of line ends.
    delimiter : str
        Between cells.
    names : tuple of str
        Of its columns.
    skipped : int
        Blank lines above the header.
    notes : tuple of str
        What was assumed or mended.
    """

    path: Path
    delimiter: str
    names: tuple[str, ...]
    skipped: int
    notes: tuple[str, ...]


def layout_of(path: Path, folder: Path, *, delimiter: str | None = None) -> Layout:
    """Find out how a delimited file is to be read; write a mended copy where that is needed.

    Parameters
    ----------
    path : pathlib.Path
        The file, gzipped or not.
    folder : pathlib.Path
        Where a copy may be put.
    delimiter : str, optional
        Between cells; by default found out.

    Returns
    -------
    Layout

    Raises
    ------
    DamagedFile
        If the file is empty or in no encoding that is known.
    InvalidInput
        If its header repeats a name.
    """
    found = _found(path)
    notes = []
    readable = path
    if found.encoding != "utf-8" or found.mixed_ends:
        readable = folder / f"{path.stem}-{len(list(folder.iterdir()))}.csv"
        notes = _mend(path, readable, found)
    with _opened(readable) as file:
        head = file.read(_HEAD)
    text = decode(_whole_lines(head), path.name)[0]
    if not text.strip("\0 \r\n\t"):
        raise DamagedFile(f"{path.name} is empty.", "Give a file with a header and records.")
    lines = text.splitlines(keepends=True)
    skipped = next(i for i, line in enumerate(lines) if line.strip())
    text = "".join(lines[skipped:])
    delimiter = delimiter or delimiter_of(text)
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (csv.Error, TypeError) as error:
        raise InvalidInput(
            f"The header of {path.name} cannot be cut at {delimiter!r}.",
            "Give the delimiter, one character.",
        ) from error
    names = tuple(
        name if name.strip() else f"column {place}" for place, name in enumerate(header, start=1)
    )
    twice = (
        sorted({name for name in names if names.count(name) > 1})
        if (len(set(names)) < len(names))
        else []
    )
    if twice:
        raise InvalidInput(
            f"{path.name} has {len(twice)} column names that occur more than once, the first is "
            f"{twice[0]!r}.",
            "Rename them, so that each column has its own name.",
        )
    return Layout(readable, delimiter, names, skipped, tuple(notes))


@dataclass(frozen=True)
class _Found:
    encoding: str
    mixed_ends: bool
    n_foreign: int = 0


def _opened(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if zipped else path.open("rb")


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            while block := file.read(_BLOCK):
                yield block
    except (EOFError, gzip.BadGzipFile) as error:
        raise DamagedFile(
            f"{path.name} is a torn or damaged gzip file.", "Fetch or write it again."
        ) from error


def _found(path: Path) -> _Found:
    """Look at each byte once: whether it is UTF-8, and which line ends there are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8"
    n_both = n_feeds = n_returns = 0
    before = b""
    for number, block in enumerate(_blocks(path)):
        if number == 0:
            marked = next((e for mark, e in _MARKS if block.startswith(mark)), None)
            encoding = marked or _wide(block) or "utf-8"
            if encoding != "utf-8":
                return _Found(encoding, True)
        n_both += block.count(b"\r\n") + (before == b"\r" and block[:1] == b"\n")
        n_feeds += block.count(b"\n")
        n_returns += block.count(b"\r")
        before = block[-1:]
        if encoding == "utf-8":
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                encoding = "cp1252"
    if encoding == "utf-8":
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "cp1252"
    mixed = n_returns > n_both or 0 < n_both < n_feeds
    if encoding == "utf-8":
        return _Found(encoding, mixed)
    n_utf8 = n_foreign = 0
    for line in _lines(path):
        try:
            line.decode("utf-8")
            n_utf8 += not line.isascii()
        except UnicodeDecodeError:
            n_foreign += 1
    return _Found("mixed" if n_utf8 > n_foreign else "cp1252", mixed, n_foreign)


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark by its zeros."""
    head = head[:4096]
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > 0.3 * len(head) and others < zeros / 4:
            return encoding
    return None


def _lines(path: Path) -> Iterator[bytes]:
    rest = b""
    for block in _blocks(path):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _mend(path: Path, copy: Path, found: _Found) -> list[str]:
    """Write a copy in UTF-8 with one kind of line ends, and say what was mended."""
    copy.touch(mode=0o600)
    with copy.open("w", encoding="utf-8", newline="") as target:
        if found.encoding.startswith("utf-"):
            try:
                with io.TextIOWrapper(_opened(path), found.encoding, newline=None) as file:
                    while text := file.read(_BLOCK):
                        target.write(text)
            except UnicodeError as error:
                raise DamagedFile(
                    f"{path.name} is not the {found.encoding.upper()} text that its first bytes "
                    "promise.",
                    "Save it again as UTF-8.",
                ) from error
            if found.encoding == "utf-8":
                return []
            return [f"{path.name} was read as {found.encoding[:6].upper()}."]
        for line in _lines(path):
            text = _line(line, found.encoding).removesuffix("\r")
            target.write(text.replace("\r", "\n") + "\n")
    if found.encoding == "cp1252":
        return [f"{path.name} is not UTF-8, so it was read as Windows-1252."]
    return [
        f"{found.n_foreign:,} lines of {path.name} are not UTF-8 like the rest of the file, and "
        "were read as Windows-1252."
    ]


def _line(line: bytes, encoding: str) -> str:
    if encoding == "mixed":
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            pass
    try:
        return line.decode("cp1252")
    except UnicodeDecodeError:
        # Five bytes have no character in Windows-1252; Latin-1 has one for each.
        return line.decode("latin-1")


def _whole_lines(head: bytes) -> bytes:
    end = head.rfind(b"\n")
    return head if len(head) < _HEAD or end < 0 else head[: end + 1]


def reading_of(cells: Sequence[str | None], *, decimal_comma: bool) -> Reading:
    """Find out how a column's texts are to be read.

    Parameters
    ----------
    cells : sequence of str or None
        Some of its cells.
    decimal_comma : bool
        Whether a comma may stand before decimals, as it may where cells are not separated by
        commas.

    Returns
    -------
    {"text", "plain", "written", "comma", "boolean", "date"}
        Numbers only where all cells are; a leading zero or more than 15 digits make a code.

    Examples
    --------
    >>> reading_of(["1,250", "12 %", "n/a"], decimal_comma=False)
    'written'
    >>> reading_of(["007", "12"], decimal_comma=False)
    'text'
    """
    texts = {t for t in (c.strip() for c in cells if c) if t.lower() not in _NUMBER_BLANKS}
    if not texts:
        return "text"
    if any(_CODE.fullmatch(t) for t in texts):
        return "text"
    if all(_PLAIN.fullmatch(t) for t in texts):
        return "plain"
    if all(_WRITTEN.fullmatch(t) and _DIGIT.search(t) for t in texts):
        return "written"
    if decimal_comma and all(_COMMA.fullmatch(t) for t in texts):
        return "comma"
    if all(_DATE.fullmatch(t) for t in texts):
        return "date"
    if {t.lower() for t in texts} <= {"true", "false"}:
        return "boolean"
    return "text"


def kind_of(reading: Reading) -> ValueKind:
    """Give the kind of values that a reading leads to.

    Parameters
    ----------
    reading : str
        As `reading_of` gave it.

    Returns
    -------
    {"number", "text", "boolean", "date"}

    Examples
    --------
    >>> kind_of("written")
    'number'
    """
    if reading in ("plain", "written", "comma"):
        return "number"
    return cast(ValueKind, reading)


def expression_of(reading: Reading, column: str) -> tuple[str, str]:
    """Write SQL that reads a column of texts.

    Parameters
    ----------
    reading : str
        As `reading_of` gave it.
    column : str
        The column's name, quoted.

    Returns
    -------
    value : str
        SQL of the value, NULL where missing or unreadable.
    unread : str
        SQL that is true for a cell that says something, but not in this reading.

    Examples
    --------
    >>> expression_of("boolean", '"a"')[1].startswith("lower(trim")
    True
    """
    if reading == "text":
        blanks = ", ".join(f"'{blank}'" for blank in BLANKS)
        return f"CASE WHEN {column} IN ({blanks}) THEN NULL ELSE {column} END", "FALSE"
    text = f"trim({column})"
    blanks = ", ".join(f"'{blank}'" for blank in sorted(_NUMBER_BLANKS))
    present = f"lower({text}) NOT IN ({blanks})"
    if reading == "date":
        value = f"TRY_CAST({text} AS TIMESTAMP)"
    elif reading == "boolean":
        value = f"CASE lower({text}) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    else:
        if reading == "written":
            text = f"replace(regexp_replace({text}, '[$€£]\\s?|\\s?%$', '', 'g'), ',', '')"
        elif reading == "comma":
            text = f"regexp_replace({text}, '\\s?%$', '')"
            text = f"replace(replace({text}, '.', ''), ',', '.')"
        number = f"TRY_CAST({text} AS DOUBLE)"
        value = f"CASE WHEN isfinite({number}) THEN {number} END"
    return value, f"{present} AND ({value}) IS NULL"
