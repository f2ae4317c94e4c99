"""Subtypes of data: kinds of identifier, and the named rules of clean rooms."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from audience_nb.errors import InvalidInput, NotFound

__all__ = [
    "CLEAN_ROOM",
    "FIRST_PARTY",
    "OPERATIONS",
    "THIRD_PARTY",
    "Granularity",
    "Operation",
    "Subtype",
    "check_identifier",
    "check_values",
]

Operation = Literal["view rows", "segment", "chart people", "export rows", "distribute"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
Granularity = Literal["person", "household", "device", "browser", "area"]


@dataclass(frozen=True, slots=True)
class Subtype:
    """One kind of identifier within a data type, or the rule of one clean room.

    Parameters
    ----------
    code, title : str
        For machines, for people.
    identifier : str
        Column that holds the identifier.
    pattern : str
        Regular expression that a whole identifier matches.
    granularity : {"person", "household", "device", "browser", "area"}, default "person"
        What one identifier stands for.
    refuses : tuple of str
        Operations that the data type allows and this subtype does not.
    minimum_count : int, default 1
        Fewest people that a figure may be about; the data type's holds where it is more.
    note : str
        What else holds for it, in a sentence.

    Examples
    --------
    >>> Subtype("uid2", "UID2", "uid2", r"[0-9A-Za-z+/=_-]{1,100}").accepts("Q" * 44)
    True
    """

    code: str
    title: str
    identifier: str
    pattern: str
    granularity: Granularity = "person"
    refuses: tuple[Operation, ...] = ()
    minimum_count: int = 1
    note: str = ""

    def accepts(self, identifier: str) -> bool:
        """Tell whether a text has the identifier's shape.

        Parameters
        ----------
        identifier : str
            One value.

        Returns
        -------
        bool

        Examples
        --------
        >>> FIRST_PARTY[0].accepts("no spaces")
        False
        """
        return re.fullmatch(self.pattern, identifier) is not None

    def is_among(self, attributes: Collection[str]) -> bool:
        """Tell whether records have the identifier; a customer id always, as the index is one.

        Parameters
        ----------
        attributes : collection of str
            Identifier columns that the records have.

        Returns
        -------
        bool

        Examples
        --------
        >>> FIRST_PARTY[0].is_among([]), FIRST_PARTY[1].is_among([])
        (True, False)
        """
        return self.code == "customer_id" or self.identifier in attributes

    def to_dict(self, attributes: Collection[str] | None = None) -> dict[str, Any]:
        """Give what a view shows.

        Parameters
        ----------
        attributes : collection of str, optional
            Identifier columns that the records have; by default all are taken to be there.

        Returns
        -------
        dict

        Examples
        --------
        >>> CLEAN_ROOM[0].to_dict(["email"])["at_hand"]
        False
        """
        return {
            "code": self.code,
            "title": self.title,
            "identifier": self.identifier,
            "granularity": self.granularity,
            "refuses": list(self.refuses),
            "note": self.note,
            "at_hand": attributes is None or self.is_among(attributes),
        }


# Shapes as the owners publish them: Amazon's external id, SHA-256 in hex or base64, E.164 numbers,
# LiveRamp's XY (49) and Xi (70) RampIDs, raw UID2 as opaque text, device ids of 8-4-4-4-12 digits,
# Canadian and US postal codes, Statistics Canada's DAUID and the US census tract's GEOID.
_SHA256 = r"[0-9a-f]{64}|[0-9A-Za-z+/]{43}="
_CUSTOMER_ID = Subtype("customer_id", "Customer id", "customer_id", r"[0-9A-Za-z_-]{1,128}")
_HASHED_EMAIL = Subtype("hashed_email", "Hashed e-mail", "email", _SHA256)
_RAMPID = Subtype(
    "rampid",
    "RampID",
    "rampid",
    r"XY[0-9A-Za-z_-]{47}|Xi[0-9A-Za-z_-]{68}",
    note="It never stands in one file with names, addresses or e-mails, and goes to the owner's "
    "own LiveRamp account alone.",
)
_UID2 = Subtype(
    "uid2",
    "UID2",
    "uid2",
    r"[0-9A-Za-z+/=_-]{1,100}",
    note="Shared with UID2 participants alone, after a look at who opted out.",
)
_PHONE = Subtype(
    "phone",
    "Phone number",
    "phone",
    rf"\+?[0-9][0-9 ().-]{{6,20}}|{_SHA256}",
    refuses=("export rows",),
    note="Each platform hashes it by its own rule when it is sent; a file would hold it as it is.",
)
_MAID = Subtype(
    "maid",
    "Mobile advertising id",
    "maid",
    r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "device",
    note="It stands for a device, which several people may share; Google wants it in a list of "
    "its own.",
)
_COOKIE = Subtype(
    "cookie",
    "Cookie or publisher's id",
    "cookie",
    r"[!-~]{1,512}",
    "browser",
    refuses=("export rows", "distribute"),
    note="It stands for a browser and soon expires: for this session alone.",
)
_HOUSEHOLD = Subtype(
    "household_id", "Household id", "household_id", r"[0-9A-Za-z_-]{1,128}", "household"
)
_CTV = Subtype(
    "ctv_id",
    "Connected television id",
    "ctv_id",
    r"[0-9A-Za-z_-]{8,64}",
    "household",
    note="It stands for a television, and so for a household.",
)
_AREA = "One record is an area: what it says is an average of those who live there."
_POSTAL = Subtype(
    "postal_code",
    "Postal code",
    "postal_code",
    r"[A-Z]\d[A-Z]( ?\d[A-Z]\d)?|\d{5}(-\d{4})?",
    "area",
    note=_AREA,
)
_DISSEMINATION = Subtype(
    "dissemination_area", "Dissemination area", "dissemination_area", r"\d{8}", "area", note=_AREA
)
_TRACT = Subtype("census_tract", "Census tract", "census_tract", r"\d{11}", "area", note=_AREA)


def _room(
    code: str, title: str, minimum_count: int, note: str, key: Subtype = _HASHED_EMAIL
) -> Subtype:
    return Subtype(
        code,
        title,
        key.identifier,
        key.pattern,
        minimum_count=minimum_count,
        note=note,
    )


FIRST_PARTY = (
    _CUSTOMER_ID,
    _HASHED_EMAIL,
    _RAMPID,
    _UID2,
    _POSTAL,
    _PHONE,
    _MAID,
    _HOUSEHOLD,
    _COOKIE,
)
THIRD_PARTY = (
    _POSTAL,
    _RAMPID,
    _UID2,
    _HASHED_EMAIL,
    _MAID,
    _HOUSEHOLD,
    _CTV,
    _DISSEMINATION,
    _TRACT,
)
# Thresholds as the rooms publish them; where the owner of a room sets it, the example of the
# documentation, or 50: Google Ads Data Hub, privacy checks; AWS Clean Rooms, aggregation
# constraint (2 to 100,000); Amazon Marketing Cloud, rule-based audiences; LiveRamp, crowd size;
# Snowflake, aggregation policies.
CLEAN_ROOM = (
    _RAMPID,
    _UID2,
    _HASHED_EMAIL,
    _room(
        "aws_clean_rooms",
        "AWS Clean Rooms",
        100,
        "At least 100 people a figure; the room's owner may set 2 to 100,000.",
    ),
    _room(
        "snowflake",
        "Snowflake clean room",
        50,
        "The owner's aggregation policy sets the smallest group; 50 people here.",
    ),
    _room(
        "ads_data_hub",
        "Google Ads Data Hub",
        50,
        "At least 50 people a figure, and no differences of two figures.",
    ),
    _room(
        "amazon_marketing_cloud",
        "Amazon Marketing Cloud",
        2000,
        "An audience has at least 2,000 people.",
    ),
    _room(
        "liveramp",
        "LiveRamp clean room",
        100,
        "At least 100 people a figure (crowd size), with noise.",
        _RAMPID,
    ),
    _room("pair", "PAIR", 50, "Advertiser and publisher match by encrypted e-mail alone."),
)


def check_values(subtype: Subtype, values: Iterable[object]) -> str:
    """Look whether a column holds the identifiers it is taken for.

    Parameters
    ----------
    subtype : Subtype
        What it is taken for.
    values : iterable
        Some of its values; missing ones are passed over.

    Returns
    -------
    str
        What was found, in a sentence with counts; "" where all fit.

    Raises
    ------
    InvalidInput
        If fewer than half have the shape, or plain and hashed e-mail addresses are mixed.

    Examples
    --------
    >>> check_values(THIRD_PARTY[0], ["M5V 2T6", "90210", "x"])
    '1 of 3 values looked at are no postal code.'
    """
    texts = [str(value) for value in values if value is not None and value == value]
    fitting = sum(map(subtype.accepts, texts))
    if subtype.identifier == "email":
        # Plain addresses are hashed on export: they fit as long as there is nothing else.
        plain = sum("@" in text for text in texts)
        if plain and fitting:
            raise InvalidInput(
                f"{plain:,} of {len(texts):,} values of {subtype.identifier!r} looked at are plain "
                f"addresses, {fitting:,} are hashed.",
                "Hash all of them, or none.",
            )
        fitting += plain
    name = subtype.title.lower()
    if 2 * fitting < len(texts):
        raise InvalidInput(
            f"{fitting:,} of {len(texts):,} values of {subtype.identifier!r} looked at have the "
            f"shape of a {name}.",
            "Choose another subtype, or mend the column.",
        )
    wrong = len(texts) - fitting
    if not wrong:
        return ""
    return f"{wrong:,} of {len(texts):,} values looked at are no {name}."


def check_identifier(subtype: Subtype, attributes: Collection[str]) -> None:
    """Refuse a subtype whose identifier column the records lack.

    Parameters
    ----------
    subtype : Subtype
        The chosen subtype.
    attributes : collection of str
        Identifier columns that the source has.

    Raises
    ------
    NotFound
        If no such column is there. A customer id is never missing: the record's index is one.

    Examples
    --------
    >>> check_identifier(FIRST_PARTY[2], ["rampid"])
    """
    if not subtype.is_among(attributes):
        raise NotFound(
            f"The data has no column {subtype.identifier!r}, which {subtype.title} needs.",
            "Choose another subtype, or add the column.",
        )
