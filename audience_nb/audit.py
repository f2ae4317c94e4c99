"""A record of what left, which shows it when a line is changed, moved or taken away.

JSON lines, each with the SHA-256 of the one before; the number and hash of the last stand beside
the file, so that lines missing at its end are found too, also after others have followed. Who,
when, what, why, how many, where to: no identifier. Whoever may write both files can forge both;
note the hash that `verify` gives elsewhere, and give it to a later one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audience_nb.errors import InvalidInput, NotFound
from audience_nb.export import write_atomically

try:
    import fcntl
except ImportError:  # Windows: one process writes at a time.
    fcntl = None  # type: ignore[assignment]

__all__ = ["AuditLog", "Verdict", "default_log"]

_FIRST = "0" * 64
_LONGEST = 500
_TAIL = 65_536
# Of people, in words that somebody typed: addresses, telephone numbers, their hashes.
_SOMEBODY = re.compile(
    r"[^\s@,;<>\"']+@[^\s@,;<>\"']+|\+[0-9][0-9 ().-]{8,20}[0-9]|\b[0-9a-fA-F]{64}\b"
)


@dataclass(frozen=True)
class Verdict:
    """What looking through a log found.

    Parameters
    ----------
    lines : int
        Lines that hold, from the first.
    faults : tuple of str
        What is wrong, with line numbers.
    head : str
        Hash of the last line that holds.

    Examples
    --------
    >>> Verdict(3, (), "ab").whole
    True
    """

    lines: int
    faults: tuple[str, ...]
    head: str

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


class AuditLog:
    """An append-only log.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; made with its folder on first use.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = AuditLog(Path(folder) / "audit.jsonl")
    ...     _ = log.append("export", audience="Renters", rows_out=90)
    ...     log.verify().lines
    1
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._head = self.path.with_name(f"{self.path.name}.head")

    def append(
        self,
        action: str,
        *,
        actor: str = "",
        purpose: str = "",
        audience: str = "",
        data_type: str = "",
        rows_in: int = 0,
        rows_out: int = 0,
        dropped: Mapping[str, int] | None = None,
        destination: str = "",
        digest: str = "",
        retention_days: int | None = None,
        now: datetime | None = None,
    ) -> dict[str, Any]:
        """Write one line; it is on disk when this returns.

        Parameters
        ----------
        action : str
            Such as "export" or "distribute".
        actor, purpose, audience, data_type, destination : str, optional
            Who, why, what, of which kind, where to; at most 500 characters each. Identifiers of
            people in them are left out, except in `actor`.
        rows_in, rows_out : int, optional
            Rows of the audience, and those that left.
        dropped : mapping of str to int, optional
            Rows that stayed, by reason.
        digest : str, optional
            SHA-256 of what left.
        retention_days : int, optional
            After which whoever has it is to forget it.
        now : datetime, optional
            By default the clock's.

        Returns
        -------
        dict
            The line.

        Raises
        ------
        InvalidInput
            If a text is too long, or the file cannot be written.
        """
        entry: dict[str, Any] = {
            "at": (now or datetime.now(UTC)).isoformat(timespec="milliseconds"),
            "actor": actor,
            "purpose": _impersonal(purpose),
            "action": action,
            "audience": _impersonal(audience),
            "data_type": data_type,
            "rows_in": rows_in,
            "rows_out": rows_out,
            "dropped": {_impersonal(reason): n for reason, n in (dropped or {}).items()},
            "destination": _impersonal(destination),
            "digest": digest,
        }
        if retention_days is not None:
            entry["retention_days"] = retention_days
        for name, value in entry.items():
            if isinstance(value, str) and len(value) > _LONGEST:
                raise InvalidInput(
                    f"{name} has {len(value):,} characters.", f"Use at most {_LONGEST}."
                )
        try:
            with self._alone():
                number, previous = self._end()
                line = {"number": number + 1, **entry, "previous": previous}
                line["hash"] = _hash(line)
                size = self.path.stat().st_size if self.path.is_file() else 0
                try:
                    with self.path.open("ab") as file:
                        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                        file.flush()
                        os.fsync(file.fileno())
                    write_atomically(self._head, f"{line['number']} {line['hash']}\n")
                except BaseException:
                    # Both or neither: a second line without its note would look like a forged one.
                    with suppress(OSError):
                        os.truncate(self.path, size)
                    raise
        except OSError as error:
            raise InvalidInput(
                f"{self.path.name} cannot be written: {error.strerror}.", "Choose another place."
            ) from error
        return line

    def verify(self, head: str | None = None) -> Verdict:
        """Look through the whole log.

        Parameters
        ----------
        head : str, optional
            Hash that a line of it has to have, as it was noted elsewhere.

        Returns
        -------
        Verdict

        Raises
        ------
        NotFound
            If there is no log, and never was.
        """
        if not self.path.is_file() and not self._head.is_file():
            raise NotFound(f"There is no log {self.path.name!r}.", "Check the path.")
        faults: list[str] = []
        hashes = [_FIRST]
        for number, line in enumerate(self._lines(), start=1):
            fault = _fault(line, number, hashes[-1])
            if fault:
                faults.append(f"line {number}: {fault}")
                break
            hashes.append(line["hash"])
        held = len(hashes) - 1
        told = self._told()
        if told is None:
            # A copy without it is held against the hash that is given.
            if held and head is None:
                faults.append(f"{self._head.name} is gone: lines may be missing at the end")
        elif not faults and told[0] > held:
            missing = told[0] - held
            lines = "1 line is" if missing == 1 else f"{missing} lines are"
            faults.append(f"{lines} missing at the end: {held} of {told[0]} are there")
        elif told[0] <= held and hashes[told[0]] != told[1]:
            faults.append(f"line {told[0]} is not the one that was written")
        if head is not None and head not in hashes:
            faults.append("no line has the hash that was noted")
        return Verdict(held, tuple(faults), hashes[-1])

    def read(self) -> list[dict[str, Any]]:
        """Give the lines, oldest first.

        Returns
        -------
        list of dict
        """
        return [line for line in self._lines() if isinstance(line, dict)]

    def _lines(self) -> Iterator[Any]:
        if self.path.is_file():
            with self.path.open("rb") as file:
                for text in file:
                    try:
                        yield json.loads(text)
                    except ValueError:
                        yield None

    def _end(self) -> tuple[int, str]:
        """Give number and hash of the line that the next one follows.

        That is the one that was written last, whether it is there or not: what was taken away
        since is missing for good.
        """
        told = self._told()
        last = self._last()
        if told is None:
            return last
        if last[0] != told[0] + 1:
            return told
        # A crash between a line and its note leaves one line more: noted now, so that another
        # crash leaves no second one.
        write_atomically(self._head, f"{last[0]} {last[1]}\n")
        return last

    def _last(self) -> tuple[int, str]:
        """Read the last line; one that a crash tore is cut away first."""
        if not self.path.is_file():
            return 0, _FIRST
        with self.path.open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            tail, start = b"", end
            while start and tail.count(b"\n") < 2 + (not tail.endswith(b"\n")):
                start = max(0, start - _TAIL)
                file.seek(start)
                tail = file.read(end - start)
            whole = tail[: tail.rfind(b"\n") + 1]
            if len(whole) < len(tail):
                file.truncate(start + len(whole))
        lines = whole.splitlines()
        try:
            line = json.loads(lines[-1])
            return int(line["number"]), str(line["hash"])
        except (IndexError, ValueError, KeyError, TypeError):
            # Damaged before: go on, and let verify find it.
            return 0, _FIRST

    def _told(self) -> tuple[int, str] | None:
        """Read what stands beside the file; None if nothing does."""
        try:
            number, _, written = self._head.read_text(encoding="utf-8").strip().partition(" ")
            return int(number), written
        except (OSError, ValueError):
            return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f"{self.path.name}.lock").open("ab") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def default_log() -> AuditLog | None:
    """Give the log that AUDIENCE_NB_AUDIT names, None if it names none.

    Returns
    -------
    AuditLog or None
    """
    path = os.environ.get("AUDIENCE_NB_AUDIT")
    return AuditLog(path) if path else None


def _hash(line: Mapping[str, Any]) -> str:
    bare = {key: value for key, value in line.items() if key != "hash"}
    text = json.dumps(bare, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _impersonal(text: str) -> str:
    return _SOMEBODY.sub("…", text.encode("utf-8", "replace").decode())


def _fault(line: Any, number: int, previous: str) -> str:
    if not isinstance(line, dict) or "hash" not in line:
        return "cannot be read"
    if line.get("hash") != _hash(line):
        return "was changed"
    if line.get("previous") != previous or line.get("number") != number:
        return "does not follow the one before: a line was taken away, added or moved"
    return ""


def report(path: str | Path, head: str | None = None) -> int:
    """Verify a log, print what was found, and give an exit code.

    Parameters
    ----------
    path : str or pathlib.Path
        The log.
    head : str, optional
        Hash noted elsewhere.

    Returns
    -------
    int
        0 if it is whole, 1 if not.
    """
    try:
        found = AuditLog(path).verify(head)
    except NotFound as error:
        print(error)
        return 1
    for fault in found.faults:
        print(fault)
    print(f"{found.lines:,} lines hold; the last has the hash {found.head}.")
    return 0 if found.whole else 1
