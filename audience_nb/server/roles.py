"""Roles: which data types, kinds of identifier and operations each may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from audience_nb.errors import InvalidInput, NotAllowed
from audience_nb.policy import DATA_TYPES, rule_of

__all__ = ["ROLES", "Need", "Principal", "Role", "roles_of"]

Need = Literal["look", "search", "segment", "export", "distribute", "debug"]
NEEDS: tuple[Need, ...] = get_args(Need)


@dataclass(frozen=True, slots=True)
class Role:
    """What somebody may do, and with which data.

    Parameters
    ----------
    name : str
        What it is called.
    operations : frozenset of str
        Of "look", "search", "segment", "export", "distribute" and "debug".
    data_types : mapping of str to tuple of str, or None
        Data types that may be used, each with its subtypes; None for all of them.

    Examples
    --------
    >>> ROLES["analyst"].may("segment"), ROLES["analyst"].may("export")
    (True, False)
    """

    name: str
    operations: frozenset[str]
    data_types: Mapping[str, tuple[str, ...] | None] = field(
        default_factory=lambda: dict.fromkeys((rule.code for rule in DATA_TYPES), None)
    )

    def may(self, operation: Need) -> bool:
        """Tell whether an operation is allowed.

        Parameters
        ----------
        operation : str
            One of the six.

        Returns
        -------
        bool
        """
        return operation in self.operations

    def may_use(self, data_type: str, subtype: str) -> bool:
        """Tell whether a kind of data may be used.

        Parameters
        ----------
        data_type, subtype : str
            Codes of them.

        Returns
        -------
        bool
        """
        if data_type not in self.data_types:
            return False
        subtypes = self.data_types[data_type]
        return subtypes is None or subtype in subtypes

    def require(self, operation: Need) -> None:
        """Refuse an operation that is not allowed.

        Parameters
        ----------
        operation : str
            One of the six.

        Raises
        ------
        NotAllowed
            If it is not.
        """
        if not self.may(operation):
            raise NotAllowed(
                f"The role {self.name!r} may not {operation}.",
                f"It may {', '.join(n for n in NEEDS if n in self.operations) or 'nothing'}; ask "
                "whoever runs the server for another role.",
            )

    def require_data(self, data_type: str, subtype: str) -> None:
        """Refuse a kind of data that may not be used.

        Parameters
        ----------
        data_type, subtype : str
            Codes of them.

        Raises
        ------
        NotAllowed
            If it may not.
        """
        if not self.may_use(data_type, subtype):
            raise NotAllowed(
                f"The role {self.name!r} may not use {data_type} data by {subtype}.",
                f"It may use {', '.join(self.data_types) or 'none'}; choose one of those.",
            )


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and in which role.

    Parameters
    ----------
    name : str
        As the identity provider calls them.
    role : Role
        What they may do.
    """

    name: str
    role: Role


def _role(name: str, *operations: Need) -> Role:
    return Role(name, frozenset(operations))


# From least to most; who is not named in the configuration is a viewer.
ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        _role("viewer", "look"),
        _role("analyst", "look", "search", "segment"),
        _role("exporter", "look", "search", "segment", "export"),
        _role("steward", "look", "search", "segment", "export", "distribute"),
        _role("operator", "look", "debug"),
    )
}


def roles_of(configured: Mapping[str, Mapping[str, Any]]) -> dict[str, Role]:
    """Add configured roles to those that come with the package.

    Parameters
    ----------
    configured : mapping of name to mapping
        Each with `operations`, and `data_types`: a list of codes, or a mapping of codes to lists
        of subtypes.

    Returns
    -------
    dict of name to Role

    Raises
    ------
    InvalidInput
        If there is no such operation, data type or subtype.

    Examples
    --------
    >>> roles = roles_of({"room": {"operations": ["look"], "data_types": ["clean_room"]}})
    >>> roles["room"].may_use("first_party", "customer_id")
    False
    """
    roles = dict(ROLES)
    for name, values in configured.items():
        operations = frozenset(values.get("operations", ()))
        if not operations <= set(NEEDS):
            raise InvalidInput(
                f"The role {name!r} has an unknown operation.", f"Use: {', '.join(NEEDS)}."
            )
        given = values.get("data_types", [rule.code for rule in DATA_TYPES])
        listed = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given)
        data_types: dict[str, tuple[str, ...] | None] = {}
        for code, subtypes in listed.items():
            rule = rule_of(code)
            chosen = None if subtypes is None else tuple(subtypes)
            for subtype in chosen or ():
                rule.subtype(subtype)
            data_types[code] = chosen
        roles[name] = Role(name, operations, data_types)
    return roles
