"""Files for a platform's upload page: identifiers hashed where they are personal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from audience_nb.distribution.checks import EUROPE, Limits, check_rows
from audience_nb.distribution.fields import PSEUDONYMOUS, field_of
from audience_nb.distribution.forms import digits_of, e164, lower
from audience_nb.distribution.platform import Batch, Outgoing, Platform, require_no_error
from audience_nb.distribution.receipt import Delivery, Finding
from audience_nb.distribution.rows import Prepared, prepare
from audience_nb.distribution.rule import MAIL, Rule
from audience_nb.errors import InvalidInput
from audience_nb.export import guarded, writing

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = ["FileDestination", "LiveRamp", "UploadFile", "X"]

_PIECE = 50_000
_SPECIAL = '",;\r\n\t'


class UploadFile(Platform):
    """A file that somebody uploads by hand: nothing leaves this machine, so no token is needed.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write; it appears whole or not at all.
    **options
        As `Platform` takes them.
    """

    base = "https://localhost"
    quoted: ClassVar[bool] = False

    def __init__(self, path: str | Path, **options: Any) -> None:
        super().__init__(**options)
        self.path = Path(path)
        self.endpoint = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path.name!r})"

    def header(self, frame: pd.DataFrame) -> list[str]:
        """Give the columns in the order in which they stand in the file."""
        return [guarded(str(name)) for name in frame.columns]

    def lines(self, frame: pd.DataFrame, audience: str) -> pd.DataFrame:
        """Give the rows as they stand in the file."""
        return frame

    def compose(self, batch: Batch) -> Outgoing:
        """Write header and rows."""
        return Outgoing("", "", "".join(self._text(batch.frame, batch.audience)), "text/csv")

    def push(
        self,
        audience: Audience,
        people: pd.DataFrame,
        *,
        token: str | None = None,
        confirm: bool = False,
    ) -> Delivery:
        """Write the file, or say what it would hold.

        Parameters
        ----------
        audience : Audience
            What to send.
        people : pandas.DataFrame of shape (audience.size, n_columns)
            On the audience's index: identifiers, then the columns of consent that there are.
        token : str, optional
            Not needed.
        confirm : bool, optional
            False for a dry run, which writes nothing.

        Returns
        -------
        Delivery

        Raises
        ------
        InvalidInput
            If `people` is not about the audience's records, or the file cannot be written.
        NotAllowed
            If a finding forbids it.
        """
        prepared = self._prepared(audience, people)
        if confirm:
            require_no_error(self._findings(audience, prepared))
            with writing(self.path) as file:
                for text in self._text(prepared.frame, audience.name):
                    file.write(text.encode())
        return Delivery(
            self.name,
            audience.name,
            len(prepared.frame),
            prepared.rows_dropped,
            dry_run=not confirm,
            location=str(self.path) if confirm else "",
            batches=1,
            digest=self._digest(prepared),
            retention_days=self.retention_days,
        )

    def _sizes(self, prepared: Prepared) -> list[int]:
        return [len(prepared.frame)] if len(prepared.frame) else []

    def _text(self, frame: pd.DataFrame, audience: str) -> Iterator[str]:
        for start in range(0, max(1, len(frame)), _PIECE):
            rows = self.lines(frame.iloc[start : start + _PIECE], audience)
            columns = [self._cells(rows.iloc[:, i].tolist()) for i in range(rows.shape[1])]
            lines = [",".join(self._cells(self.header(rows)))] if start == 0 else []
            lines.extend(
                columns[0] if len(columns) == 1 else map(",".join, zip(*columns, strict=True))
            )
            yield "\r\n".join([*lines, ""])

    def _cells(self, texts: list[str]) -> list[str]:
        """Quote what has to be quoted: the csv module is slow where nothing is."""
        if self.quoted:
            return ['"' + text.replace('"', '""') + '"' for text in texts]
        whole = "".join(texts)
        if not any(mark in whole for mark in _SPECIAL):
            return texts
        return [
            '"' + text.replace('"', '""') + '"' if set(_SPECIAL) & set(text) else text
            for text in texts
        ]


class FileDestination(UploadFile):
    """Write the identifiers of those who consented, one a line.

    RampIDs, UID2s and ids of devices are written as they are, anything else as its SHA-256, unless
    it is one already: addresses in small letters, telephone numbers in the form of E.164.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write.
    **options
        `suppression` and `region`, as `Platform` takes them.

    Examples
    --------
    >>> FileDestination("renters.csv").name
    'file'
    """

    name = "file"
    title = "The file"
    rules = ()
    direct = ()
    needs = ()
    limits = Limits(source="none")

    def _prepared(self, audience: Audience, people: pd.DataFrame) -> Prepared:
        if people.shape[1] == 0:
            raise InvalidInput(
                "No column of identifiers is given.", "Bring one, behind it consent."
            )
        column = str(people.columns[0])
        name = field_of(column) or column
        opaque = name in PSEUDONYMOUS
        rule = Rule(
            name,
            column if opaque else f"{column.removesuffix('_sha256')}_sha256",
            _as_it_is if opaque else {"email": lower, "phone": e164}.get(name, lower),
            MAIL if name == "email" else None,
            algorithm="" if opaque else "sha256",
        )
        return prepare(
            audience,
            people,
            [rule],
            [frozenset({name})],
            region=self.region,
            suppression=self.suppression,
        )

    def _findings(self, audience: Audience, prepared: Prepared) -> tuple[Finding, ...]:
        found = check_rows(
            self.title,
            audience,
            prepared,
            self.limits,
            retention_days=self.retention_days,
            region=self.region,
            reviewed=False,
        )
        # An empty file, or one of people whose consent is nowhere recorded, harms nobody yet; the
        # session itself decides on sensitive variables.
        harmless = ("too few rows", "consent", "sensitive variables")
        return tuple(f for f in found if f.level != "error" or f.code not in harmless)


def _as_it_is(text: str, region: str | None = None) -> str:
    return text.strip()


# -- LiveRamp ------------------------------------------------------------------------------------


def liveramp_email(text: str, region: str | None = None) -> str:
    """Write small, without any space.

    Examples
    --------
    >>> liveramp_email("MyName@liveramp.com ")
    'myname@liveramp.com'
    """
    return re.sub(r"\s", "", text).lower()


def liveramp_phone(text: str, region: str | None = None) -> str:
    """Write ten digits of North America, without country code.

    Examples
    --------
    >>> liveramp_phone("+1 (555) 123-4567")
    '5551234567'
    """
    digits = digits_of(text)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


class LiveRamp(UploadFile):
    """A file for LiveRamp: every cell quoted, `audience_key` first, the others in their order.

    Rules: docs.liveramp.com/connect, "Hashing Identifiers" and "Formatting Identifiers": e-mail
    SHA-256, telephone SHA-1 without country code and not from Europe, personal and pseudonymous
    identifiers never in one file; RampIDs as they are.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write.
    **options
        As `Platform` takes them.

    Examples
    --------
    >>> LiveRamp("list.csv").limits.least
    25
    """

    name = "liveramp"
    title = "LiveRamp"
    rules = (
        Rule("email", "EMAIL1_SHA-256", liveramp_email, MAIL),
        Rule("phone", "PHONE1_SHA-1", liveramp_phone, re.compile(r"\d{10}"), algorithm="sha1"),
        Rule(
            "rampid",
            "RAMPID",
            _as_it_is,
            re.compile(r"XY[A-Za-z0-9_-]{47}|X[icm][A-Za-z0-9_-]{68}"),
            algorithm="",
        ),
    )
    direct = ("email", "phone")
    needs = (frozenset({"email"}), frozenset({"phone"}), frozenset({"rampid"}))
    limits = Limits(least=25, advised=25, source="segment-docs: 25 unique members")
    separate = True
    quoted = True

    def __init__(self, path: str | Path, **options: Any) -> None:
        super().__init__(path, **options)
        if (self.region or "").upper() in EUROPE:
            if options.get("fields") and "phone" in self.fields:
                raise InvalidInput(
                    "LiveRamp takes no hashed telephone numbers from Europe.",
                    "Leave 'phone' out of fields.",
                )
            self.fields = tuple(f for f in self.fields if f != "phone")

    def lines(self, frame: pd.DataFrame, audience: str) -> pd.DataFrame:
        """Put the audience's key before each row."""
        rows = frame[sorted(frame.columns)].copy()
        rows.insert(0, "audience_key", re.sub(r"[^a-z0-9]+", "_", audience.lower()).strip("_"))
        return rows


def x_handle(text: str, region: str | None = None) -> str:
    """Write small, without the at sign.

    Examples
    --------
    >>> x_handle("@AdsAPI")
    'adsapi'
    """
    return text.strip().lstrip("@").lower()


class X(UploadFile):
    """A file for X's list upload: e-mail addresses or user names, as SHA-256.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write.
    **options
        As `Platform` takes them.
    """

    name = "x"
    title = "X"
    rules = (
        Rule("email", "email", lower, MAIL),
        Rule("username", "username", x_handle),
    )
    direct = ("email",)
    needs = (frozenset({"email"}), frozenset({"username"}))
    limits = Limits(source="none published")
