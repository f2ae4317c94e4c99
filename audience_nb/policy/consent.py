"""What people agreed to: consent columns, and the strings in which websites record consent."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.dropped import Dropped
from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ADVERTISING", "PrivacyString", "Tcf", "UsNational", "agreed", "read_gpp", "read_tcf"]

# Purposes of the Transparency and Consent Framework that advertising to a list needs: storing
# information on a device, creating a profile for advertising, using one.
ADVERTISING = (1, 3, 4)
# Columns whose "no" says that a person is not to be advertised to, and those whose "yes" does.
GRANTS = (
    "consent",
    "consent_ads",
    "marketing_consent",
    "opt_in",
    "ad_user_data",
    "ad_personalization",
)
REFUSALS = ("opt_out", "do_not_contact", "do_not_sell", "gpc", "known_child")
YES = frozenset({"1", "y", "yes", "true", "t", "granted", "oui", "o", "vrai"})
NO = frozenset({"0", "n", "no", "false", "f", "denied", "non", "faux"})
# Sections of a GPP string that this module reads, and what others are called.
SECTIONS = {
    2: "tcfeuv2",
    3: "gpp",
    5: "tcfcav1",
    6: "uspv1",
    7: "usnat",
    8: "usca",
    9: "usva",
    10: "usco",
    11: "usut",
    12: "usct",
    13: "usfl",
}
LONGEST = 20_000
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
Column = Literal["tcf", "gpp"]
STRINGS: dict[str, Column] = {
    "tcf": "tcf",
    "tcf_string": "tcf",
    "gpp": "gpp",
    "gpp_string": "gpp",
}


@dataclass(frozen=True, slots=True)
class Tcf:
    """The core of a TCF v2 string.

    Parameters
    ----------
    version, cmp_id, vendor_list_version : int
        Of the string, of the platform that asked, of the list of vendors.
    created, updated : datetime.datetime
        In UTC.
    language, publisher_country : str
        Two letters each.
    consented, legitimate_interest : frozenset of int
        Purposes, numbered from 1.
    special_features : frozenset of int
        Those opted in to: 1 is precise location.

    Examples
    --------
    >>> read_tcf("CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA").cmp_id
    31
    """

    version: int
    created: datetime
    updated: datetime
    cmp_id: int
    language: str
    vendor_list_version: int
    publisher_country: str
    consented: frozenset[int]
    legitimate_interest: frozenset[int]
    special_features: frozenset[int]

    @property
    def allows_advertising(self) -> bool:
        """Whether all purposes that advertising to a list needs are consented to."""
        return self.consented.issuperset(ADVERTISING)


@dataclass(frozen=True, slots=True)
class UsNational:
    """What the US national section of a GPP string says of opt-outs.

    Parameters
    ----------
    sale_opt_out, sharing_opt_out, targeted_advertising_opt_out : bool
        Whether the person opted out of each.
    sensitive_data_refused : frozenset of int
        Categories whose processing is refused: 1 is racial or ethnic origin, 2 religion.
    known_child : bool
        Whether the person is known to be a child (any group for which consent is recorded).
    gpc : bool
        Whether the browser sent the Global Privacy Control.
    """

    sale_opt_out: bool
    sharing_opt_out: bool
    targeted_advertising_opt_out: bool
    sensitive_data_refused: frozenset[int]
    known_child: bool
    gpc: bool

    @property
    def allows_advertising(self) -> bool:
        """Whether nothing in it forbids advertising to the person."""
        return not (
            self.sale_opt_out
            or self.sharing_opt_out
            or self.targeted_advertising_opt_out
            or self.known_child
            or self.gpc
        )


@dataclass(frozen=True, slots=True)
class PrivacyString:
    """A string of the Global Privacy Platform.

    Parameters
    ----------
    sections : tuple of str
        Names of the sections it has, such as "tcfeuv2", "uspv1", "usnat".
    tcf : Tcf or None
        Of the European section.
    us_privacy : str or None
        Four characters: version, notice given, opted out of sale, covered.
    us_national : UsNational or None
        Of the US national section.

    Examples
    --------
    >>> read_gpp("DBACNY~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN").us_privacy
    '1YNN'
    """

    sections: tuple[str, ...]
    tcf: Tcf | None = None
    us_privacy: str | None = None
    us_national: UsNational | None = None

    @property
    def allows_advertising(self) -> bool:
        """Whether every section that was read allows it."""
        return (
            (self.tcf is None or self.tcf.allows_advertising)
            and (self.us_privacy is None or self.us_privacy[2] != "Y")
            and (self.us_national is None or self.us_national.allows_advertising)
        )


@dataclass(slots=True)
class _Bits:
    """Reads numbers of so many bits, the first bit the highest."""

    text: str
    at: int = 0
    value: int = 0
    length: int = 0

    def __post_init__(self) -> None:
        # Six bits a letter, whatever their number: not padded to whole bytes as files are.
        places = [ALPHABET.find(letter) for letter in self.text]
        if -1 in places:
            raise _no_string()
        for place in places:
            self.value = self.value << 6 | place
        self.length = 6 * len(places)

    def take(self, n: int) -> int:
        if self.at + n > self.length:
            raise _no_string()
        self.at += n
        return (self.value >> (self.length - self.at)) & ((1 << n) - 1)

    def flags(self, n: int) -> frozenset[int]:
        bits = self.take(n)
        return frozenset(i for i in range(1, n + 1) if bits >> (n - i) & 1)

    def letters(self) -> str:
        return "".join(chr(ord("A") + self.take(6)) for _ in range(2))

    def moment(self) -> datetime:
        # Tenths of a second since 1970.
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=100 * self.take(36))

    def fibonacci(self) -> int:
        """Read a Fibonacci-coded number: it ends with two ones in a row."""
        total, one, other, before = 0, 1, 2, 0
        while True:
            bit = self.take(1)
            if bit and before:
                return total
            if bit:
                total += one
            before = bit
            one, other = other, one + other


def read_tcf(text: str) -> Tcf:
    """Read the core of a TCF v2 consent string.

    Parameters
    ----------
    text : str
        As a website records it; segments after the first are not needed here.

    Returns
    -------
    Tcf

    Raises
    ------
    InvalidInput
        If it is no such string.

    Notes
    -----
    Fields and their widths are those of the IAB's Transparency and Consent String, version 2.

    Examples
    --------
    >>> found = read_tcf("CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA")
    >>> found.language, sorted(found.consented)
    ('EN', [])
    """
    text = _checked(text)
    bits = _Bits(text.split(".")[0])
    version = bits.take(6)
    if version != 2:
        raise InvalidInput(
            f"The consent string is of version {version}.", "Give one of TCF version 2."
        )
    created, updated = bits.moment(), bits.moment()
    cmp_id = bits.take(12)
    bits.take(12 + 6)
    language = bits.letters()
    vendor_list_version = bits.take(12)
    bits.take(6 + 1 + 1)
    features = bits.flags(12)
    consented = bits.flags(24)
    interest = bits.flags(24)
    bits.take(1)
    country = bits.letters()
    return Tcf(
        version, created, updated, cmp_id, language, vendor_list_version, country,
        consented, interest, features,
    )  # fmt: skip


def read_gpp(text: str) -> PrivacyString:
    """Read a string of the Global Privacy Platform.

    Parameters
    ----------
    text : str
        Header and sections, joined by "~".

    Returns
    -------
    PrivacyString
        Sections other than tcfeuv2, uspv1 and usnat are named, not read.

    Raises
    ------
    InvalidInput
        If it is no such string.

    Notes
    -----
    The header holds the numbers of the sections as Fibonacci-coded ranges (IAB Tech Lab, Global
    Privacy Platform, "Consent string specification").

    Examples
    --------
    >>> read_gpp("DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA").sections
    ('tcfeuv2',)
    """
    header, *parts = _checked(text).split("~")
    bits = _Bits(header)
    if bits.take(6) != 3:
        raise _no_string()
    bits.take(6)
    numbers: list[int] = []
    for _ in range(bits.take(12)):
        is_range = bits.take(1)
        first = (numbers[-1] if numbers else 0) + bits.fibonacci()
        last = first + bits.fibonacci() if is_range else first
        if last > 200:
            raise _no_string()
        numbers += range(first, last + 1)
    if len(numbers) != len(parts):
        raise _no_string()
    by_name = {
        SECTIONS.get(number, f"section {number}"): part
        for number, part in zip(numbers, parts, strict=True)
    }
    us_privacy = by_name.get("uspv1")
    if us_privacy is not None and (len(us_privacy) != 4 or us_privacy[0] != "1"):
        raise _no_string()
    return PrivacyString(
        tuple(by_name),
        read_tcf(by_name["tcfeuv2"]) if "tcfeuv2" in by_name else None,
        us_privacy,
        _us_national(by_name["usnat"]) if "usnat" in by_name else None,
    )


def _us_national(text: str) -> UsNational:
    core, *others = text.split(".")
    bits = _Bits(core)
    version = bits.take(6)
    if version not in (1, 2):
        raise _no_string()
    # Six notices come first; then 0 does not apply, 1 opted out, 2 did not.
    bits.take(6 * 2)
    sale, sharing, targeted = (bits.take(2) == 1 for _ in range(3))
    categories = 12 if version == 1 else 16
    refused = frozenset(i for i in range(1, categories + 1) if bits.take(2) == 1)
    child = any(bits.take(2) != 0 for _ in range(2 if version == 1 else 3))
    gpc = False
    for other in others:
        extra = _Bits(other)
        # Of the kinds of segment, 1 holds the Global Privacy Control.
        if extra.take(2) == 1:
            gpc = bool(extra.take(1))
    return UsNational(sale, sharing, targeted, refused, child, gpc)


def agreed(
    frame: pd.DataFrame, columns: Mapping[str, Column] | None = None
) -> tuple[npt.NDArray[np.bool_], tuple[Dropped, ...]]:
    """Tell which people may be advertised to, by what is recorded of their consent.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Columns of consent; others are passed over.
    columns : mapping of str to {"tcf", "gpp"}, optional
        Columns that hold strings of that kind; by default those of the names "tcf", "tcf_string",
        "gpp" and "gpp_string".

    Returns
    -------
    keep : ndarray of shape (n_records,), bool
        False where anything recorded forbids it. Where nothing is recorded in a column of consent,
        there is none; a refusal that is not recorded was not made.
    dropped : tuple of Dropped
        Why rows are left out; each counts under its first reason.

    Raises
    ------
    InvalidInput
        If a column of consent holds what is neither yes nor no.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"consent": ["yes", "no", None], "opt_out": ["no", "no", "no"]})
    >>> agreed(frame)[1]
    (Dropped(reason='no consent: consent', count=2),)
    """
    strings = columns or {name: kind for name, kind in STRINGS.items() if name in frame.columns}
    keep = np.ones(len(frame), dtype=bool)
    dropped: list[Dropped] = []

    def leave_out(reason: str, refused: npt.NDArray[np.bool_]) -> None:
        count = int((keep & refused).sum())
        if count:
            dropped.append(Dropped(reason, count))
        keep[refused] = False

    for name in REFUSALS:
        if name in frame.columns:
            leave_out(f"refused: {name}", answers(frame[name]) == 1)
    for name in GRANTS:
        if name in frame.columns:
            leave_out(f"no consent: {name}", answers(frame[name]) != 1)
    for name, kind in strings.items():
        distinct = {text: _string_allows(text, kind) for text in frame[name].dropna().unique()}
        verdicts = frame[name].map(distinct)
        leave_out(f"no consent string: {name}", frame[name].isna().to_numpy())
        leave_out(f"unreadable consent string: {name}", (verdicts == "unreadable").to_numpy())
        leave_out(f"no consent: {name}", (verdicts == "no").to_numpy())
    return keep, tuple(dropped)


def answers(column: pd.Series) -> npt.NDArray[np.int8]:
    """Read a column of yes and no.

    Parameters
    ----------
    column : pandas.Series
        Yes and no in any usual spelling, English or French, 1 and 0, true and false.

    Returns
    -------
    ndarray of shape (n_records,), int8
        1 for yes, 0 for no, -1 where nothing is recorded.

    Raises
    ------
    InvalidInput
        If there is anything else.

    Examples
    --------
    >>> import pandas as pd
    >>> answers(pd.Series(["Yes", "no", None, "OUI"])).tolist()
    [1, 0, -1, 1]
    """
    read: dict[object, int] = {}
    unreadable = 0
    missing = column.isna()
    for value, count in column[~missing].value_counts().items():
        text = str(value).strip().lower().removesuffix(".0")
        if text in YES or text in NO:
            read[value] = int(text in YES)
        elif text:
            unreadable += int(count)
    if unreadable:
        raise InvalidInput(
            f"{unreadable:,} of {len(column):,} values of {column.name!r} are neither yes nor no.",
            "Write yes or no, 1 or 0, granted or denied; leave others empty.",
        )
    found: npt.NDArray[np.int8] = column.map(read).fillna(-1).to_numpy().astype(np.int8)
    return found


def _string_allows(text: object, kind: Column) -> str:
    try:
        read = read_tcf(str(text)) if kind == "tcf" else read_gpp(str(text))
    except InvalidInput:
        return "unreadable"
    return "yes" if read.allows_advertising else "no"


def _checked(text: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise _no_string()
    return text


def _no_string() -> InvalidInput:
    # The string itself may identify a person: it is not repeated.
    return InvalidInput("It is no consent string.", "Give it as the website recorded it.")
