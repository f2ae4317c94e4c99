"""The extension of Jupyter Server, and `jupyter audience`, which serves the interface alone."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Dict, Float, Integer, Unicode

from audience_nb.history import History
from audience_nb.server.bearer import Bearer
from audience_nb.server.desk import OWNER, Desk
from audience_nb.server.document import openapi
from audience_nb.server.doors import doors_of
from audience_nb.server.house import House
from audience_nb.server.logs import JsonLines
from audience_nb.server.messages import DocumentAnswer
from audience_nb.server.operations import Call, Operation
from audience_nb.server.pool import Pool
from audience_nb.server.rates import Rates
from audience_nb.server.reports import Reports
from audience_nb.server.roles import roles_of
from audience_nb.server.sessions import SESSIONS
from audience_nb.server.shelf import Shelf
from audience_nb.server.work import Work
from audience_nb.server.workflow import WORKFLOW

__all__ = ["AudienceApp", "main"]

_SWEEP_S = 15.0
_SWITCH_S = 0.0005


class ApiServer(ServerApp):
    """A server without files, kernels or terminals: nothing but the interface and its login."""

    default_services = ("auth", "security")  # type: ignore[assignment]


class AudienceApp(ExtensionApp):
    """Sessions, history and operations over HTTP.

    `c.AudienceApp.<name> = …` in `jupyter_server_config.py`, or `--AudienceApp.<name>=…`.
    """

    name = "audience_nb"
    app_name = "Audience"
    extension_url = "/audience-nb/api/openapi.json"
    # Alone it is alone.
    load_other_extensions = False
    serverapp_class = ApiServer
    serverapp_config = {"open_browser": False}  # noqa: RUF012
    subcommands = {  # noqa: RUF012
        "roles": ("audience_nb.server.commands.RolesApp", "Print which role may do what."),
        "who": ("audience_nb.server.commands.WhoApp", "Print what the log calls somebody."),
    }

    sources: Dict[str, Any] = Dict(
        {"demo": {}},
        help="Sources of records by name, each with the arguments of Session: frame (a path or an "
        "address), id, table, consent…; {} for the synthetic population. Requests name a source, "
        "never a path. The first is the default.",
    ).tag(config=True)
    destinations: Dict[str, Any] = Dict(
        {"file": {}}, help="Where audiences may go: name to the options of the destination."
    ).tag(config=True)
    history_url = Unicode(
        help="File of SQLite, or the address of a PostgreSQL database; by default a file in "
        "Jupyter's data folder."
    ).tag(config=True)
    folder = Unicode(
        help="Where files of sessions go; by default beside Jupyter's data. What is downloaded is "
        "thrown away at once."
    ).tag(config=True)
    roles = Dict(
        help="Further roles: name to {operations: […], data_types: […] or {code: [subtypes]}}."
    ).tag(config=True)
    user_roles = Dict(
        {OWNER: "steward"},
        help="Role of each user by name; 'owner' is whoever holds the token of a server of one "
        "person.",
    ).tag(config=True)
    default_role = Unicode("viewer", help="Role of everybody else.").tag(config=True)
    jwt_keys = Dict(
        help="Keys of service clients: key id to {algorithm, key or file}. Several may hold at a "
        "time, so that they can be rotated."
    ).tag(config=True)
    jwt_audience = Unicode("audience_nb", help="What tokens must be for.").tag(config=True)
    jwt_issuer = Unicode(help="Who must have issued tokens; empty for anybody.").tag(config=True)
    rate_limit = Unicode(
        "50/second; 1200/minute", help="Requests of one user; empty for no limit."
    ).tag(config=True)
    rate_storage = Unicode(
        "memory://", help="Where they are counted: 'redis://…' counts over several servers."
    ).tag(config=True)
    searchers = Integer(2, min=1, help="Threads for searches.").tag(config=True)
    workers = Integer(2, min=1, help="Threads for clustering, files and replays.").tag(config=True)
    waiting = Integer(
        64, min=1, help="Requests of each kind that may wait; further ones get 503."
    ).tag(config=True)
    most_sessions = Integer(512, min=1, help="Sessions in memory.").tag(config=True)
    session_timeout = Float(
        1800.0, help="Seconds without a request after which a session leaves memory; it is saved."
    ).tag(config=True)
    grace = Float(20.0, help="Seconds that work under way gets when the server stops.").tag(
        config=True
    )
    open_probes = Bool(
        False, help="Answer /health and /ready without credentials, for Kubernetes."
    ).tag(config=True)
    debug_endpoints = Bool(False, help="Serve /debug.").tag(config=True)
    json_logs = Bool(
        False, help="Log everything as one JSON object a line, as accesses always are."
    ).tag(config=True)
    send_spans = Bool(
        False, help="Send a span of each request to where OTEL_EXPORTER_OTLP_ENDPOINT says."
    ).tag(config=True)
    sentry_dsn = Unicode(help="Where failures are told, by Sentry; empty for nowhere.").tag(
        config=True
    )
    warm_up = Bool(False, help="Open the default source when the server starts.").tag(config=True)

    house: House | None = None
    _sweeping: asyncio.Task[None] | None = None

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What is served."""
        table = [*WORKFLOW, *SESSIONS, _DOCUMENT]
        return tuple(o for o in table if self.debug_endpoints or not o.debug)

    def open_history(self) -> History:
        """Open the history that is configured.

        Returns
        -------
        History
        """
        return History(self.history_url or _home() / "history.sqlite3")

    def initialize_settings(self) -> None:
        """Open the history and make the parts; sources are opened on first use."""
        work = Work(self.searchers, self.workers, self.waiting)
        shelf = Shelf(self.sources)
        history = self.open_history()
        pool = Pool(
            history,
            shelf,
            work,
            Path(self.folder or _home() / "files").absolute(),
            most=self.most_sessions,
            timeout=self.session_timeout,
        )
        reports = Reports(spans=self.send_spans, sentry_dsn=self.sentry_dsn)
        self.house = House(history, shelf, work, pool, self.destinations)
        keys = self.jwt_keys
        self.settings["audience_nb_desk"] = Desk(
            self.house,
            self.operations,
            roles_of(self.roles),
            self.user_roles,
            self.default_role,
            Rates(self.rate_limit, self.rate_storage),
            history.secret("log"),
            Bearer(keys, audience=self.jwt_audience, issuer=self.jwt_issuer or None)
            if keys
            else None,
            self.open_probes,
            reports=reports,
        )
        self.house.document = openapi(self.operations, getattr(self.serverapp, "base_url", "/"))

    def initialize_handlers(self) -> None:
        """Put up the doors."""
        self.handlers.extend(doors_of(self.operations))

    def _link_jupyter_server_extension(self, serverapp: Any) -> None:
        """Read the settings, and log as they say from here on."""
        super()._link_jupyter_server_extension(serverapp)
        self._log_as_json()

    def _log_as_json(self) -> None:
        lines = JsonLines()
        if self.json_logs:
            for log in (self.log, getattr(self.serverapp, "log", self.log)):
                for output in log.handlers:
                    output.setFormatter(lines)
        output = logging.StreamHandler()
        output.setFormatter(lines)
        # Other parts of the package quote what was typed; these two do not.
        for name in ("audience_nb.server", "audience_nb.access"):
            ours = logging.getLogger(name)
            ours.handlers = [output]
            ours.setLevel(logging.INFO)
            ours.propagate = False

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Begin to sweep, once the loop runs."""
        self._sweeping = asyncio.ensure_future(self._sweep())
        if self.warm_up and self.house is not None:
            house = self.house
            await house.work.run("heavy", house.shelf.open)

    async def _sweep(self) -> None:
        while self.house is not None:
            await asyncio.sleep(min(_SWEEP_S, max(0.2, self.session_timeout / 4)))
            self.house.pool.sweep()

    async def stop_extension(self) -> None:
        """Finish what is under way, refuse what comes, close the history."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self.house is not None:
            left = await self.house.stop(self.grace)
            if left:
                self.log.warning("%d requests were handed back; nothing of them was kept.", left)
            self.settings["audience_nb_desk"].reports.close()


def _home() -> Path:
    return Path(jupyter_data_dir()) / "audience_nb"


async def _document(call: Call) -> dict[str, Any]:
    return call.house.document


_DOCUMENT = Operation(
    "openapi",
    "GET",
    "/audience-nb/api/openapi.json",
    "Give this document.",
    _document,
    DocumentAnswer,
)


def main() -> None:
    """Serve the interface alone."""
    # Searches hold the interpreter; between two of them the loop must come in soon, for health.
    sys.setswitchinterval(_SWITCH_S)
    AudienceApp.launch_instance()  # type: ignore[no-untyped-call]
