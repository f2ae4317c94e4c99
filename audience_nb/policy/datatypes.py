"""Data types and subtypes: what each is, which identifier it needs, what it allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from audience_nb.catalog import DataType
from audience_nb.errors import InvalidInput, NotAllowed, NotFound

__all__ = [
    "DATA_TYPES",
    "DataTypeRule",
    "Operation",
    "Subtype",
    "check_identifier",
    "check_values",
    "require_allowed",
    "rule_of",
]

Operation = Literal["view rows", "segment", "chart people", "export rows", "distribute"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


@dataclass(frozen=True, slots=True)
class Subtype:
    """One kind of identifier within a data type.

    Parameters
    ----------
    code, title : str
        For machines, for people.
    identifier : str
        Column that holds the identifier.
    pattern : str
        Regular expression that a whole identifier matches.

    Examples
    --------
    >>> rule_of("third_party").subtype("postal_code").accepts("M5V 2T6")
    True
    """

    code: str
    title: str
    identifier: str
    pattern: str

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
        >>> rule_of("first_party").subtype("rampid").accepts("XY1")
        False
        """
        return re.fullmatch(self.pattern, identifier) is not None


# Shapes as the owners publish them: Amazon's external id, SHA-256 in hex or base64, LiveRamp's
# XY (49) and Xi (70) RampIDs, raw UID2 as opaque text, Canadian and US postal codes.
_CUSTOMER_ID = Subtype("customer_id", "Customer id", "customer_id", r"[0-9A-Za-z_-]{1,128}")
_HASHED_EMAIL = Subtype(
    "hashed_email", "Hashed e-mail", "email", r"[0-9a-f]{64}|[0-9A-Za-z+/]{43}="
)
_RAMPID = Subtype("rampid", "RampID", "rampid", r"XY[0-9A-Za-z_-]{47}|Xi[0-9A-Za-z_-]{68}")
_UID2 = Subtype("uid2", "UID2", "uid2", r"[0-9A-Za-z+/=_-]{1,100}")
_POSTAL = Subtype(
    "postal_code", "Postal code", "postal_code", r"[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{5}(-\d{4})?"
)


@dataclass(frozen=True, slots=True)
class DataTypeRule:
    """What one data type is and allows.

    Parameters
    ----------
    code : {"first_party", "third_party", "clean_room"}
        For machines.
    title, description : str
        For people.
    allows : tuple of str
        Operations that are allowed; the others are refused.
    subtypes : tuple of Subtype
        Identifiers it may come with; the first is the default.
    minimum_count : int
        Fewest people that a figure may be about.

    Examples
    --------
    >>> "export rows" in rule_of("clean_room").allows
    False
    """

    code: DataType
    title: str
    description: str
    allows: tuple[Operation, ...]
    subtypes: tuple[Subtype, ...]
    minimum_count: int = 1

    def subtype(self, code: str | None) -> Subtype:
        """Give a subtype by code, the default for None.

        Parameters
        ----------
        code : str or None
            Code of the subtype.

        Returns
        -------
        Subtype

        Raises
        ------
        InvalidInput
            If this data type has no such subtype.

        Examples
        --------
        >>> rule_of("first_party").subtype(None).code
        'customer_id'
        """
        if code is None:
            return self.subtypes[0]
        for subtype in self.subtypes:
            if subtype.code == code:
                return subtype
        raise InvalidInput(
            f"{self.title} has no subtype {code!r}.",
            f"Choose one of: {', '.join(s.code for s in self.subtypes)}.",
        )

    def to_dict(self) -> dict[str, Any]:
        """Give what a view shows.

        Returns
        -------
        dict

        Examples
        --------
        >>> rule_of("third_party").to_dict()["refuses"]
        []
        """
        return {
            "code": self.code,
            "title": self.title,
            "description": self.description,
            "allows": list(self.allows),
            "refuses": [o for o in OPERATIONS if o not in self.allows],
            "subtypes": [
                {"code": s.code, "title": s.title, "identifier": s.identifier}
                for s in self.subtypes
            ],
        }


DATA_TYPES: tuple[DataTypeRule, ...] = (
    DataTypeRule(
        "first_party",
        "First party data",
        "Your own customers, with maximum control: you may see, segment, export and distribute "
        "their records.",
        OPERATIONS,
        (_CUSTOMER_ID, _HASHED_EMAIL, _RAMPID, _UID2, _POSTAL),
    ),
    DataTypeRule(
        "third_party",
        "Third party data",
        "Licensed data about areas or people you do not know: attributes are inferred, and the "
        "licence decides where they may go.",
        OPERATIONS,
        (_POSTAL, _RAMPID, _UID2, _HASHED_EMAIL),
    ),
    DataTypeRule(
        "clean_room",
        "Clean room data",
        "Matched with a partner and kept inside: only figures about at least 50 people come out, "
        "never a record.",
        ("segment",),
        (_RAMPID, _UID2, _HASHED_EMAIL),
        minimum_count=50,
    ),
)


def rule_of(data_type: str) -> DataTypeRule:
    """Give the rule of a data type.

    Parameters
    ----------
    data_type : str
        "first_party", "third_party" or "clean_room".

    Returns
    -------
    DataTypeRule

    Raises
    ------
    InvalidInput
        If there is no such data type.

    Examples
    --------
    >>> rule_of("clean_room").minimum_count
    50
    """
    for rule in DATA_TYPES:
        if rule.code == data_type:
            return rule
    raise InvalidInput(
        f"There is no data type {data_type!r}.",
        f"Choose one of: {', '.join(r.code for r in DATA_TYPES)}.",
    )


def require_allowed(data_type: str, operation: Operation) -> None:
    """Refuse an operation that the data type does not allow.

    Parameters
    ----------
    data_type : str
        Code of the data type.
    operation : str
        One of "view rows", "segment", "chart people", "export rows", "distribute".

    Raises
    ------
    NotAllowed
        If it is not allowed.

    Examples
    --------
    >>> require_allowed("first_party", "export rows")
    """
    rule = rule_of(data_type)
    if operation not in rule.allows:
        raise NotAllowed(
            f"{rule.title} does not allow to {operation}.",
            "Choose first party or third party data, or work with the segments' figures.",
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
    >>> check_values(rule_of("third_party").subtype("postal_code"), ["M5V 2T6", "90210", "x"])
    '1 of 3 values looked at are no postal code.'
    """
    texts = [str(value) for value in values if value is not None and value == value]
    fitting = sum(map(subtype.accepts, texts))
    if subtype.code == "hashed_email":
        # Plain addresses are hashed on export: they fit as long as there is nothing else.
        plain = sum("@" in text for text in texts)
        if plain and fitting:
            raise InvalidInput(
                f"{plain:,} of {len(texts):,} values of {subtype.identifier!r} looked at are plain "
                f"addresses, {fitting:,} are hashed.",
                "Hash all of them, or none.",
            )
        fitting += plain
    if 2 * fitting < len(texts):
        raise InvalidInput(
            f"{fitting:,} of {len(texts):,} values of {subtype.identifier!r} looked at have the "
            f"shape of a {subtype.title.lower()}.",
            "Choose another subtype, or mend the column.",
        )
    wrong = len(texts) - fitting
    if not wrong:
        return ""
    return f"{wrong:,} of {len(texts):,} values looked at are no {subtype.title.lower()}."


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
    >>> check_identifier(rule_of("first_party").subtype("rampid"), ["rampid"])
    """
    if subtype.code != "customer_id" and subtype.identifier not in attributes:
        raise NotFound(
            f"The data has no column {subtype.identifier!r}, which {subtype.title} needs.",
            "Choose another subtype, or add the column.",
        )
