"""Text in rows and cells: encodings and separators found out, line numbers kept."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from audience_nb.errors import DamagedFile
from audience_nb.rows import Problem

__all__ = ["decode", "delimiter_of", "read_cells"]

_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DELIMITERS = (",", "\t", ";", "|")
# Lines that are looked at to find out the delimiter.
_SAMPLE = 200
_SAMPLE_SIZE = 100_000
# A quoted cell over more lines than this is a quote that somebody forgot to close.
MAX_LINES_OF_CELL = 100
_MAX_CELL = 1_000_000


def decode(content: bytes, name: str = "the file") -> tuple[str, list[str], list[Problem]]:
    r"""Turn a file's bytes into text, whatever its encoding.

    A byte order mark decides; else text with a zero in every second byte is UTF-16, valid UTF-8
    is UTF-8, and the rest is Windows-1252. Where only some lines of a UTF-8 file are not, those
    alone are read as Windows-1252.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str, optional
        Its name, for messages.

    Returns
    -------
    text : str
        Without a byte order mark, line ends as they stand.
    notes : list of str
        What was assumed, empty for UTF-8.
    problems : list of Problem
        Lines in another encoding than the rest.

    Raises
    ------
    DamagedFile
        If the bytes contradict their byte order mark.

    Examples
    --------
    >>> decode("A;Âge\n".encode("cp1252"))[:2]
    ('A;Âge\n', ['the file is not UTF-8, so it was read as Windows-1252.'])
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                notes = [] if encoding == "utf-8-sig" else [f"{name} was read as {encoding}."]
                return content.decode(encoding), [n.replace("utf", "UTF") for n in notes], []
            except UnicodeDecodeError as error:
                if encoding == "utf-8-sig":
                    content = content[len(mark) :]
                    break
                raise DamagedFile(
                    f"{name} is not the {encoding.upper()} text that its first bytes promise: "
                    f"byte {error.start:,} of {len(content):,} does not fit.",
                    "Save it again as UTF-8.",
                ) from error
    head = content[:4096]
    if len(head) >= 4:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
            if zeros > 0.6 * len(head) / 2 and others < zeros / 4:
                try:
                    return content.decode(encoding), [f"{name} was read as UTF-16."], []
                except UnicodeDecodeError:
                    break
    try:
        return content.decode("utf-8"), [], []
    except UnicodeDecodeError:
        return _decode_by_line(content, name)


def _decode_by_line(content: bytes, name: str) -> tuple[str, list[str], list[Problem]]:
    texts, foreign, n_utf8 = [], [], 0
    # Both encodings have the same line ends, and no line end inside a character.
    for number, line in enumerate(re.split(rb"(?<=\n)|(?<=\r)(?!\n)", content), start=1):
        try:
            texts.append(line.decode("utf-8"))
            n_utf8 += not line.isascii()
        except UnicodeDecodeError:
            texts.append(_windows(line))
            foreign.append(number)
    if n_utf8 <= len(foreign):
        note = f"{name} is not UTF-8, so it was read as Windows-1252."
        return _windows(content), [note], []
    return (
        "".join(texts),
        [],
        [
            Problem(
                number,
                "",
                "is not UTF-8 like the rest of the file, and was read as Windows-1252.",
                "Look whether its accents are right.",
                False,
            )
            for number in foreign
        ],
    )


def _windows(content: bytes) -> str:
    # Five bytes have no character in Windows-1252; Latin-1 has one for each byte.
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def delimiter_of(text: str) -> str:
    r"""Find out what separates the cells of a text.

    Parameters
    ----------
    text : str
        The whole file, or its beginning.

    Returns
    -------
    str
        Of comma, tab, semicolon and bar the one that cuts most lines into the same number of
        cells, at least two; a comma if none does.

    Examples
    --------
    >>> delimiter_of("code;label\nA;Age, in years\nB;Born in Canada\n")
    ';'
    """
    head = text[:_SAMPLE_SIZE]
    lines = list(islice(io.StringIO(head, newline=""), _SAMPLE))
    best, most = ",", 0.0
    for delimiter in _DELIMITERS:
        counts: Counter[int] = Counter()
        try:
            counts.update(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        except csv.Error:
            continue
        width, alike = max(counts.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
        # Few wide rows tell more than many narrow ones, but agreement counts first.
        fit = (width > 1) * alike / counts.total() * (1 + 0.01 * min(width, 20)) if counts else 0
        if fit > most:
            best, most = delimiter, fit
    return best


def read_cells(text: str, delimiter: str) -> tuple[list[int], list[list[str]], list[Problem]]:
    r"""Cut a text into rows and cells, after RFC 4180.

    Parameters
    ----------
    text : str
        The whole file, line ends as they stand.
    delimiter : str
        Between cells.

    Returns
    -------
    lines : list of int
        The line on which each row starts, from 1.
    rows : list of list of str
        The cells of each row; rows with nothing in them are passed over.
    problems : list of Problem
        Rows that cannot be cut, such as one whose quote is never closed. Only its first line is
        given up: the next is read as a row again.

    Examples
    --------
    >>> read_cells('a,b\n1,"two\nlines"\n3,4\n', ",")[:2]
    ([1, 2, 4], [['a', 'b'], ['1', 'two\nlines'], ['3', '4']])
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    lines = list(io.StringIO(text, newline=""))
    starts: list[int] = []
    rows: list[list[str]] = []
    problems: list[Problem] = []
    if lines and lines[-1].count('"') % 2 == 0:
        # Where each line is a row there is nothing to keep count of.
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            rows = list(reader)
        except csv.Error:
            rows = []
        if len(rows) == len(lines):
            starts = list(range(1, len(rows) + 1))
            lines = []
        else:
            rows = []
    start = 0
    while start < len(lines):
        given_up = -1
        for begin, end, cells in _rows_from(lines, start, delimiter):
            if cells is None or end - begin > MAX_LINES_OF_CELL:
                given_up = begin
                break
            starts.append(begin + 1)
            rows.append(cells)
        if given_up < 0:
            break
        what = "opens a quote that is never closed." if '"' in lines[given_up] else "is torn."
        problems.append(Problem(given_up + 1, "", what, "Close the quote, or double it.", True))
        start = given_up + 1
    if not all(map(any, rows)):
        kept = [i for i, cells in enumerate(rows) if any(cells)]
        starts, rows = [starts[i] for i in kept], [rows[i] for i in kept]
    return starts, rows, problems


def _rows_from(
    lines: list[str], start: int, delimiter: str
) -> Iterator[tuple[int, int, list[str] | None]]:
    """Give each row with the lines it takes, None for cells that cannot be read."""
    at_end = False

    def fed() -> Iterator[str]:
        nonlocal at_end
        yield from islice(lines, start, None)
        at_end = True

    reader = csv.reader(fed(), delimiter=delimiter)
    begin = start
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield begin, begin + 1, None
            return
        end = start + reader.line_num
        # The reader asks for a line after the last only inside a quoted cell.
        yield begin, end, None if at_end else cells
        begin = end
