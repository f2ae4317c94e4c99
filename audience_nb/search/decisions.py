"""What a person took and left of the answers to their queries, kept in a file of one line each."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from audience_nb.errors import DamagedFile
from audience_nb.rows import Problem

__all__ = ["MAX_BYTES", "Decision", "Decisions"]

logger = logging.getLogger(__name__)

# Beyond this the oldest half is forgotten: some thousand questions and their answers.
MAX_BYTES = 1_000_000
_MAX_QUERY = 500
_MAX_CODES = 500


@dataclass(frozen=True)
class Decision:
    """Variables taken or left for one query.

    Parameters
    ----------
    query : str
        What was asked.
    codes : tuple of str
        Of the variables.
    accepted : bool
        Whether they were taken.
    """

    query: str
    codes: tuple[str, ...]
    accepted: bool

    def line(self) -> bytes:
        """Give the decision as a line of JSON."""
        word = "accepted" if self.accepted else "rejected"
        entry = {"query": self.query, word: list(self.codes)}
        return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Decision:
        """Read a line of JSON.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        entry = json.loads(line)
        words = [word for word in ("accepted", "rejected") if word in entry]
        codes = entry[words[0]]
        if not (isinstance(entry["query"], str) and isinstance(codes, list)):
            raise ValueError("no query and codes")
        if not all(isinstance(code, str) for code in codes):
            raise ValueError("codes are texts")
        return cls(entry["query"], tuple(codes), words[0] == "accepted")


class Decisions:
    """Decisions in the order in which they were made, in memory or in a file.

    Several processes may read and write one file at a time: each adds whole lines under a lock,
    and each sees what the others added.

    Parameters
    ----------
    path : str or pathlib.Path or None
        A file of JSON lines, made when the first decision is; None to forget when the process
        ends.
    max_bytes : int, optional
        When the file grows beyond, the oldest decisions are dropped until it is half as large.

    Attributes
    ----------
    problems : tuple of Problem
        Lines of the file that could not be read, at the last look.

    Examples
    --------
    >>> decisions = Decisions(None)
    >>> decisions.add("dog owners", ["DOG"], accepted=True)
    >>> decisions.read()
    [Decision(query='dog owners', codes=('DOG',), accepted=True)]
    """

    def __init__(self, path: str | Path | None, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = None if path is None else Path(path).expanduser()
        self.max_bytes = max_bytes
        self.problems: tuple[Problem, ...] = ()
        self._held: list[Decision] = []
        self._size = 0
        self._version = 0
        self._seen: tuple[int, int, int] | None = None

    def add(self, query: str, codes: Collection[str], *, accepted: bool) -> None:
        """Add one decision.

        Parameters
        ----------
        query : str
            What was asked; cut at 500 characters.
        codes : collection of str
            Of the variables; nothing is added for none.
        accepted : bool
            Whether they were taken.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        kept = tuple(map(str, codes))[:_MAX_CODES]
        if not kept:
            return
        decision = Decision(" ".join(query.split())[:_MAX_QUERY], kept, accepted)
        line = decision.line()
        if self.path is None:
            self._held.append(decision)
            self._version += 1
            self._size += len(line)
            if self._size > self.max_bytes:
                self._held = _newest(self._held, self.max_bytes // 2)
                self._size = sum(len(d.line()) for d in self._held)
            return
        with self._locked():
            with self.path.open("ab+") as file:
                # Another process may have died in the middle of a line.
                file.seek(-1 if file.tell() else 0, os.SEEK_END)
                torn = file.read(1) not in (b"", b"\n")
                # In append mode one write goes to the end as a whole.
                file.write(b"\n" + line if torn else line)
                size = file.tell()
            if size > self.max_bytes:
                self._rewrite(_newest(self._parsed(), self.max_bytes // 2))

    def read(self) -> list[Decision]:
        """Give all decisions, the oldest first.

        Returns
        -------
        list of Decision
            Lines that cannot be read are passed over; `problems` names them.
        """
        self.version()
        return list(self._held)

    def version(self) -> int:
        """Look at the file again if it is another since the last look.

        Returns
        -------
        int
            The same as long as the decisions are.
        """
        if self.path is None:
            return self._version
        try:
            stat = self.path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            seen = (0, 0, 0)
        if seen != self._seen:
            self._held = self._parsed()
            self._seen = seen
            self._version += 1
        return self._version

    def forget(self, query: str | None = None) -> int:
        """Drop decisions.

        Parameters
        ----------
        query : str, optional
            Only those for this query, whatever its case; by default all.

        Returns
        -------
        int
            How many were dropped.
        """
        wanted = None if query is None else " ".join(query.split()).casefold()
        with self._locked() if self.path is not None else contextlib.nullcontext():
            held = self._parsed() if self.path is not None else self._held
            kept = [d for d in held if wanted is not None and d.query.casefold() != wanted]
            if self.path is None:
                self._held = kept
                self._version += 1
            elif not kept:
                # Also what could not be read is forgotten.
                self.path.unlink(missing_ok=True)
            elif len(kept) < len(held):
                self._rewrite(kept)
        self._size = sum(len(d.line()) for d in kept) if self.path is None else 0
        return len(held) - len(kept)

    def _parsed(self) -> list[Decision]:
        """Read the file line by line."""
        assert self.path is not None
        found: list[Decision] = []
        problems: list[Problem] = []
        try:
            with self.path.open("rb") as file:
                # A file that grew elsewhere is read no further than a full one can be long.
                content = file.read(4 * self.max_bytes)
        except FileNotFoundError:
            content = b""
        except OSError as error:
            logger.warning("What was learnt from use cannot be read: %s", error)
            content = b""
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                found.append(Decision.of_line(line))
            except (ValueError, KeyError, IndexError, TypeError, RecursionError):
                what, move = "is no decision, and was passed over.", "Remove it."
                problems.append(Problem(number, "", what, move, True))
        if problems and tuple(problems) != self.problems:
            logger.warning(
                "%s: %d lines passed over, the first: %s",
                self.path.name,
                len(problems),
                problems[0].said(),
            )
        self.problems = tuple(problems)
        return found

    def _rewrite(self, decisions: Sequence[Decision]) -> None:
        """Replace the file as a whole; a reader sees the old one or the new."""
        assert self.path is not None
        handle, name = tempfile.mkstemp(prefix=".decisions-", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(b"".join(d.line() for d in decisions))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from writing; the lock goes with the process that holds it."""
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_dir():
            raise DamagedFile(f"{self.path.name} is a folder.", "Give a file to learn into.")
        with self.path.with_name(f".{self.path.name}.lock").open("ab") as file:
            _lock(file)
            yield


def _lock(file: IO[bytes]) -> None:
    # Without locks of this sort lines are still added whole; only dropping the oldest, while
    # another process adds, could then lose what it adds.
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _newest(decisions: Sequence[Decision], max_bytes: int) -> list[Decision]:
    """Give as many of the last decisions as fit."""
    size = 0
    for n, decision in enumerate(reversed(decisions)):
        size += len(decision.line())
        if size > max_bytes:
            return list(decisions[len(decisions) - n :])
    return list(decisions)
