"""`jupyter audience roles` and `jupyter audience who`: what may be done here, and who did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_core.application import JupyterApp

from audience_nb.server.app import AudienceApp
from audience_nb.server.logs import pseudonym
from audience_nb.server.operations import Operation
from audience_nb.server.roles import Role, roles_of
from audience_nb.server.sessions import need_of
from audience_nb.snapshot import VERBS

__all__ = ["RolesApp", "WhoApp", "matrix"]


def matrix(operations: Sequence[Operation], roles: Mapping[str, Role]) -> str:
    """Draw who may do what.

    Parameters
    ----------
    operations : sequence of Operation
        What is served.
    roles : mapping of name to Role
        Who there is.

    Returns
    -------
    str
        One line for each operation and each verb of a session, then one for each role's data.

    Examples
    --------
    >>> from audience_nb.server.roles import ROLES
    >>> from audience_nb.server.workflow import WORKFLOW
    >>> lines = matrix(WORKFLOW[:2], ROLES).splitlines()
    >>> lines[0].split()
    ['viewer', 'analyst', 'exporter', 'steward', 'operator']
    >>> lines[1].split()
    ['POST', '/api/nl/start_session', '-', 'yes', 'yes', 'yes', '-']
    """
    rows = [(f"{one.method:6} {one.path}", one.needs) for one in operations]
    rows += [(f"  verb {verb}", need_of(verb)) for verb in VERBS]
    width = max(len(text) for text, _ in rows) + 2
    lines = [" " * width + "".join(f"{name:>{len(name) + 2}}" for name in roles)]
    for text, need in rows:
        marks = (f"{'yes' if r.may(need) else '-':>{len(name) + 2}}" for name, r in roles.items())
        lines.append(f"{text:{width}}" + "".join(marks))
    lines.append("")
    for name, role in roles.items():
        data = (
            code if subtypes is None else f"{code} by {', '.join(subtypes)}"
            for code, subtypes in role.data_types.items()
        )
        lines.append(f"{name} uses: {'; '.join(data) or 'no data'}")
    return "\n".join(lines)


class _Command(JupyterApp):
    """Reads the same settings as the server."""

    name = "jupyter_audience_nb"
    raise_config_file_errors = True

    def _settings(self) -> Any:
        return AudienceApp(config=self.config)


class RolesApp(_Command):
    """Print which role may do what, with the roles that are configured."""

    description = "Print which role may do what."

    def start(self) -> None:
        """Print."""
        settings = self._settings()
        print(matrix(settings.operations, roles_of(settings.roles)))
        print(f"whoever is not named in user_roles: {settings.default_role}")


class WhoApp(_Command):
    """Print what the log calls somebody: to find what a person did, or to answer one who asks."""

    description = "Print what the log calls somebody: jupyter audience who NAME…"

    def start(self) -> None:
        """Print."""
        history = self._settings().open_history()
        key = history.secret("log")
        history.close()
        for name in self.extra_args:
            print(f"{pseudonym(name, key)}  {name}")
