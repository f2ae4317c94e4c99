"""How long things are kept, and what is removed when the time is over.

Files by their age; deliveries by the days that each platform was given, at most its own maximum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audience_nb.errors import InvalidInput

__all__ = ["Due", "Purged", "Retention", "purge"]

# Most days that a platform keeps people: developers.google.com (540), advertising.amazon.com
# (34,300,800 s), The Trade Desk (180), Meta (flags what two years did not use).
PLATFORM_DAYS: Mapping[str, int] = {
    "google": 540,
    "amazon": 397,
    "trade_desk": 180,
    "meta": 730,
}


@dataclass(frozen=True)
class Retention:
    """Days after which things are removed; None keeps them.

    Parameters
    ----------
    sessions, audiences, exports, deliveries : int or None
        Saved sessions, saved audiences, exported files, journals of deliveries.

    Raises
    ------
    InvalidInput
        If a number of days is negative.

    Examples
    --------
    >>> Retention(exports=7).days("exports")
    7
    """

    sessions: int | None = 365
    audiences: int | None = 180
    exports: int | None = 30
    deliveries: int | None = 730

    def __post_init__(self) -> None:
        for kind in ("sessions", "audiences", "exports", "deliveries"):
            days = self.days(kind)
            if days is not None and days < 0:
                raise InvalidInput(f"{kind} is {days} days.", "Give 0 or more, or None.")

    def days(self, kind: str) -> int | None:
        """Give the days of one kind."""
        found: int | None = getattr(self, kind)
        return found


@dataclass(frozen=True)
class Due:
    """A list that a platform is to forget.

    Parameters
    ----------
    destination, audience : str
        Where it is, and what.
    days : int
        Days that it was given, at most the platform's own.
    over : int
        Days since that time was over.
    """

    destination: str
    audience: str
    days: int
    over: int


@dataclass(frozen=True)
class Purged:
    """What a purge removed, or would.

    Parameters
    ----------
    removed : dict of str to int
        Files by kind.
    size : int
        Their bytes.
    oldest : int
        Days of the oldest.
    kept : dict of str to int
        Files that stay, by kind.
    failed : int
        Files that could not be removed.
    due : tuple of Due
        Lists to remove at their platforms.
    dry_run : bool
        True if nothing was removed.
    """

    removed: dict[str, int] = field(default_factory=dict)
    size: int = 0
    oldest: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    due: tuple[Due, ...] = ()
    dry_run: bool = True


def purge(
    folders: Mapping[str, str | Path],
    retention: Retention | None = None,
    *,
    deliveries: Iterable[Mapping[str, Any]] = (),
    confirm: bool = False,
    now: datetime | None = None,
) -> Purged:
    """Remove what is older than its time.

    Parameters
    ----------
    folders : mapping of {"sessions", "audiences", "exports", "deliveries"} to path
        Where files of each kind are; nothing outside is touched, nor folders and links inside.
    retention : Retention, optional
        Days of each kind.
    deliveries : iterable of mapping, optional
        Lines of an audit log, as `AuditLog.read` gives them; or receipts as `Delivery.to_dict`
        gives, with `at`, the time in ISO 8601.
    confirm : bool, optional
        False only counts.
    now : datetime, optional
        By default the clock's.

    Returns
    -------
    Purged

    Raises
    ------
    InvalidInput
        If a kind is unknown.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("x")
    ...     purge({"exports": folder}, Retention(exports=0), confirm=True).removed
    {'exports': 1}
    """
    retention = retention or Retention()
    now = now or datetime.now(UTC)
    removed: dict[str, int] = {}
    kept: dict[str, int] = {}
    size = oldest = failed = 0
    for kind, folder in folders.items():
        if kind not in ("sessions", "audiences", "exports", "deliveries"):
            raise InvalidInput(
                f"There is no kind {kind!r}.", "Use sessions, audiences, exports or deliveries."
            )
        days = retention.days(kind)
        for path in sorted(Path(folder).glob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            status = path.stat()
            age = now - datetime.fromtimestamp(status.st_mtime, UTC)
            if days is None or age < timedelta(days=days):
                kept[kind] = kept.get(kind, 0) + 1
                continue
            try:
                if confirm:
                    path.unlink()
            except OSError:
                failed += 1
                continue
            removed[kind] = removed.get(kind, 0) + 1
            size += status.st_size
            oldest = max(oldest, age.days)
    due = tuple(d for receipt in deliveries if (d := _due(receipt, now)) is not None)
    return Purged(removed, size, oldest, kept, failed, due, dry_run=not confirm)


def _due(receipt: Mapping[str, Any], now: datetime) -> Due | None:
    sent_in = str(receipt.get("action", "")) in ("distribute", "distribute interrupted")
    left = bool(receipt.get("rows_out")) if sent_in else not receipt.get("dry_run", True)
    if not left or "at" not in receipt:
        return None
    name = str(receipt["destination"])
    limits = [d for d in (receipt.get("retention_days"), PLATFORM_DAYS.get(name)) if d is not None]
    if not limits:
        return None
    sent = datetime.fromisoformat(str(receipt["at"]))
    sent = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    over = (now - sent).days - min(limits)
    if over < 0:
        return None
    return Due(name, str(receipt.get("audience", "")), min(limits), over)
