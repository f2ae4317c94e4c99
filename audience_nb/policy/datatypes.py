"""Data types: what each is, which identifiers it may come with, what it allows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from audience_nb.catalog import DataType
from audience_nb.errors import InvalidInput, NotAllowed
from audience_nb.policy.subtypes import (
    CLEAN_ROOM,
    FIRST_PARTY,
    OPERATIONS,
    THIRD_PARTY,
    Operation,
    Subtype,
)

__all__ = [
    "DATA_TYPES",
    "DataTypeRule",
    "require_allowed",
    "rule_of",
]


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

    def under(self, subtype: str | None) -> DataTypeRule:
        """Give the rule that holds for one subtype, which may refuse more and ask for more people.

        Parameters
        ----------
        subtype : str or None
            Code of the subtype; None for the default.

        Returns
        -------
        DataTypeRule

        Raises
        ------
        InvalidInput
            If this data type has no such subtype.

        Examples
        --------
        >>> rule_of("clean_room").under("amazon_marketing_cloud").minimum_count
        2000
        """
        chosen = self.subtype(subtype)
        return replace(
            self,
            description=f"{self.description} {chosen.note}".strip(),
            allows=tuple(o for o in self.allows if o not in chosen.refuses),
            minimum_count=max(self.minimum_count, chosen.minimum_count),
        )

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
        >>> rule_of("third_party").to_dict()["refuses"]
        []
        """
        return {
            "code": self.code,
            "title": self.title,
            "description": self.description,
            "allows": list(self.allows),
            "refuses": [o for o in OPERATIONS if o not in self.allows],
            "subtypes": [subtype.to_dict(attributes) for subtype in self.subtypes],
        }


DATA_TYPES: tuple[DataTypeRule, ...] = (
    DataTypeRule(
        "first_party",
        "First party data",
        "Your own customers, with maximum control: you may see, segment, export and distribute "
        "their records.",
        OPERATIONS,
        FIRST_PARTY,
    ),
    DataTypeRule(
        "third_party",
        "Third party data",
        "Licensed data about areas or people you do not know: attributes are inferred, and the "
        "licence decides where they may go.",
        OPERATIONS,
        THIRD_PARTY,
    ),
    DataTypeRule(
        "clean_room",
        "Clean room data",
        "Matched with a partner and kept inside: only figures about at least 50 people come out, "
        "never a record.",
        ("segment",),
        CLEAN_ROOM,
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


def require_allowed(rule: DataTypeRule, operation: Operation) -> None:
    """Refuse an operation that a rule does not allow.

    Parameters
    ----------
    rule : DataTypeRule
        Of the data type, under the subtype in use.
    operation : str
        One of "view rows", "segment", "chart people", "export rows", "distribute".

    Raises
    ------
    NotAllowed
        If it is not allowed.

    Examples
    --------
    >>> require_allowed(rule_of("first_party"), "export rows")
    """
    if operation not in rule.allows:
        raise NotAllowed(
            f"{rule.title} does not allow to {operation}.",
            "Choose another data type or identifier, or work with the segments' figures.",
        )
