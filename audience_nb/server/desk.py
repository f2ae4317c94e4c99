"""Who may come in: names, roles, tokens and rates, decided before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audience_nb.server.bearer import Bearer
from audience_nb.server.house import House
from audience_nb.server.operations import Operation
from audience_nb.server.rates import Rates
from audience_nb.server.refusals import Refusal
from audience_nb.server.reports import Reports
from audience_nb.server.roles import Principal, Role

__all__ = ["OWNER", "Desk"]

# Whoever holds the token of a server of one person; Jupyter gives them another name each time.
OWNER = "owner"


@dataclass
class Desk:
    """What every door asks.

    Parameters
    ----------
    house : House
        What the server holds.
    operations : sequence of Operation
        What can be asked for.
    roles : mapping of str to Role
        By name.
    user_roles : mapping of str to str
        Role of each user by name.
    default_role : str
        Of everybody else.
    rates : Rates
        How often one may ask.
    log_key : bytes
        What names are hidden with in the log.
    bearer : Bearer or None
        Checks tokens of service clients, where there are any.
    open_probes : bool
        Whether probes need no credentials.
    most_bytes : int
        Of a body.
    reports : Reports
        Who else is told how requests went.
    """

    house: House
    operations: Sequence[Operation]
    roles: Mapping[str, Role]
    user_roles: Mapping[str, str]
    default_role: str
    rates: Rates
    log_key: bytes = field(repr=False)
    bearer: Bearer | None = None
    open_probes: bool = False
    most_bytes: int = 1_000_000
    reports: Reports = field(default_factory=Reports)

    def principal(self, name: str, role: str | None = None) -> Principal:
        """Say who somebody is here.

        Parameters
        ----------
        name : str
            As they were identified.
        role : str, optional
            As a token says; by default as configured.

        Returns
        -------
        Principal

        Raises
        ------
        Refusal
            403, if there is no such role.
        """
        role = role or self.user_roles.get(name, self.default_role)
        if role not in self.roles:
            raise Refusal(403, "The token names a role that is not known here.", "Get another.")
        return Principal(name, self.roles[role])
