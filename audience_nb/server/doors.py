"""Doors: one for each path; they let in, check, answer and log."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar
from urllib.parse import quote

from jupyter_server.auth import User
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.auth.utils import HTTP_METHOD_TO_AUTH_ACTION
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ensure_async
from pydantic import BaseModel, ValidationError
from tornado import web

from audience_nb.errors import AudienceError, InvalidInput
from audience_nb.server.desk import OWNER, Desk
from audience_nb.server.logs import pseudonym
from audience_nb.server.metrics import REQUEST_SECONDS, REQUESTS
from audience_nb.server.operations import Call, FileAnswer, Operation
from audience_nb.server.refusals import Refusal, body_of, new_log_id, status_of
from audience_nb.server.roles import Principal
from audience_nb.snapshot import VERBS

__all__ = ["Door", "doors_of"]

logger = logging.getLogger("audience_nb.server")
access = logging.getLogger("audience_nb.access")

_CHUNK = 1 << 16
# Bodies of so many times the allowed size are cut off.
_HEARD_OUT = 16
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BEARER = re.compile(r"bearer\s+([\w-]+\.[\w-]+\.[\w-]*)$", re.IGNORECASE)
_IDS = ("session_id", "audience_id", "workflow_id")
_OF_JUPYTER = {"token", "_xsrf"}


@web.stream_request_body
class Door(APIHandler):
    """One path of the interface.

    Jupyter identifies who asks, by its token or as configured, and guards against forged requests
    of browsers; then the role is asked. The body is read only as far as it is allowed to be.
    """

    operations: ClassVar[dict[str, Operation]] = {}
    auth_resource = "audience_nb"

    def initialize(self) -> None:
        """Begin a request."""
        self._body = bytearray()
        self._length = 0
        self._begun = time.perf_counter()
        self._began_ns = time.time_ns()
        self._log_id = new_log_id()
        self._said: dict[str, str | None] = {}
        self._principal: Principal | None = None
        self._role: str | None = None
        self._error = ""

    @property
    def desk(self) -> Desk:
        """What every door asks."""
        desk: Desk = self.settings["audience_nb_desk"]
        return desk

    @property
    def _operation(self) -> Operation | None:
        return self.operations.get(str(self.request.method))

    async def prepare(self) -> None:  # type: ignore[override]
        """Identify who asks; refuse whoever cannot be identified."""
        operation = self._operation
        if operation is not None and operation.probe and self.desk.open_probes:
            return
        signed = _BEARER.match(self.request.headers.get("Authorization", ""))
        if signed and self.desk.bearer is not None:
            claims = self.desk.bearer.claims(signed[1])
            # Names of service clients cannot pass for those of people.
            self.current_user = self._jupyter_current_user = User(f"client:{claims['sub']}")
            self._token_authenticated = True
            self._role = str(claims["role"]) if "role" in claims else None
        await super().prepare()
        if self.current_user is None and self.request.method != "OPTIONS":
            raise Refusal(
                403, "The request has no credentials.", "Send `Authorization: token <token>`."
            )
        length = self.request.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _HEARD_OUT * self.desk.most_bytes:
            raise self._too_large()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take in a part of the body; what is too much is heard out and not kept.

        Whoever is cut off while still sending sees a broken connection instead of the answer.
        """
        self._length += len(chunk)
        if self._length > _HEARD_OUT * self.desk.most_bytes:
            raise self._too_large()
        if self._length <= self.desk.most_bytes:
            self._body += chunk
        return None

    def _too_large(self) -> Refusal:
        return Refusal(413, f"The body has over {self.desk.most_bytes:,} bytes.", "Send less.")

    async def get(self, **path: str) -> None:
        """Answer GET."""
        operation = self._operation
        if operation is not None and operation.probe and self.desk.open_probes:
            await self._answer(operation, Principal("probe", self.desk.roles["viewer"]), path)
        else:
            await self._serve(path)

    async def post(self, **path: str) -> None:
        """Answer POST."""
        await self._serve(path)

    async def delete(self, **path: str) -> None:
        """Answer DELETE."""
        await self._serve(path)

    async def put(self, **path: str) -> None:
        """Refuse PUT."""
        await self._serve(path)

    async def patch(self, **path: str) -> None:
        """Refuse PATCH."""
        await self._serve(path)

    async def head(self, **path: str) -> None:
        """Refuse HEAD."""
        await self._serve(path)

    async def _serve(self, path: dict[str, str]) -> None:
        action = HTTP_METHOD_TO_AUTH_ACTION[str(self.request.method)]
        may = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        if not await ensure_async(may):
            raise Refusal(403, f"You may not {action} here.", "Ask whoever runs the server.")
        operation = self._operation
        if operation is None:
            known = ", ".join(self.operations)
            if not known:
                raise Refusal(404, "There is no such place.", "See /audience-nb/api/openapi.json.")
            self.set_header("Allow", known)
            raise Refusal(405, "The place has no such method.", f"Use {known}.")
        # One token opens a server of one person: its holder is the same one every time.
        alone = type(self.identity_provider) is PasswordIdentityProvider
        signed = bool(
            self.desk.bearer and _BEARER.match(self.request.headers.get("Authorization", ""))
        )
        name = OWNER if alone and not signed else str(self.current_user.username)
        self._principal = self.desk.principal(name, self._role)
        self.desk.rates.count(name)
        self._principal.role.require(operation.needs)
        await self._answer(operation, self._principal, path)

    async def _answer(
        self, operation: Operation, principal: Principal, path: dict[str, str]
    ) -> None:
        given = self._given(operation)
        self._said = _said(path, given)
        call = Call(self.desk.house, principal, given, path)
        # Probes are told that the server stops, and never keep it from doing so.
        with nullcontext() if operation.probe else self.desk.house.work.request():
            await self._give(operation, await operation.does(call))

    async def _give(self, operation: Operation, answer: Any) -> None:
        if isinstance(answer, FileAnswer):
            await self._stream(answer)
            return
        status, said = answer if isinstance(answer, tuple) else (operation.status, answer)
        self.set_status(status)
        if operation.answers is None:
            self.finish()
        else:
            self.finish(json.dumps(said, ensure_ascii=False, allow_nan=False))

    def _given(self, operation: Operation) -> BaseModel | None:
        if self._length > self.desk.most_bytes:
            raise self._too_large()
        if operation.takes is None:
            return None
        try:
            if operation.method == "GET":
                named = set(self.request.query_arguments) - _OF_JUPYTER
                return operation.takes.model_validate_strings(
                    {name: self.get_query_argument(name) for name in named}
                )
            if not self._body:
                return operation.takes.model_validate({})
            kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise Refusal(415, "The body is not JSON.", "Send application/json.")
            given = operation.takes.model_validate_json(bytes(self._body))
            if b"\\u0000" in self._body and _has_nul(given.model_dump()):
                raise InvalidInput("A text has a NUL character.", "Leave it out.")
            return given
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part)[:40] for part in first["loc"]) or "the body"
            raise InvalidInput(
                f"{place}: {first['msg']}.", "See /audience-nb/api/openapi.json."
            ) from None

    async def _stream(self, answer: FileAnswer) -> None:
        try:
            with answer.path.open("rb") as file:
                kind = answer.media_type
                text = kind.startswith("text/")
                self.set_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
                self.set_header(
                    "Content-Disposition", f'attachment; filename="{quote(answer.name)}"'
                )
                while chunk := file.read(_CHUNK):
                    self.write(chunk)
                    await self.flush()
        finally:
            answer.path.unlink(missing_ok=True)
        self.finish()

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """End the answer, which nobody may cache."""
        if not self._headers_written:
            self.set_header("Cache-Control", "no-store")
            self.set_header("X-Log-Id", self._log_id)
        return super().finish(*args, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong and what to do, without a trace."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, AudienceError):
            self.set_status(status_of(error))
            wait = getattr(error, "retry_after", None)
            if wait is not None:
                self.set_header("Retry-After", str(wait))
        elif isinstance(error, web.HTTPError):
            said = {403: "It is not allowed.", 404: "There is no such place."}
            error = Refusal(
                status_code,
                said.get(status_code, f"The request was refused: {self._reason}."),
                "Send `Authorization: token <token>`; see /audience-nb/api/openapi.json.",
            )
        self._error = type(error).__name__
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body_of(error or RuntimeError(), self._log_id), ensure_ascii=False))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what nobody raised on purpose."""
        if isinstance(value, AudienceError | web.HTTPError):
            return
        logger.error(
            "A request failed: %s.",
            getattr(typ, "__name__", typ),
            exc_info=(typ, value, tb) if logger.isEnabledFor(logging.DEBUG) else None,
            extra={"log_id": self._log_id},
        )
        self.desk.reports.failed(value, self._log_id)

    def _log(self) -> None:
        """Leave Jupyter's line out: it would name who asked, and from where."""

    def on_finish(self) -> None:
        """Count and log the answer: who by a pseudonym, and no word of what was said."""
        super().on_finish()
        operation = self._operation
        name = "none" if operation is None else operation.name
        method = str(self.request.method)
        seconds = time.perf_counter() - self._begun
        REQUESTS.labels(name, method, self.get_status()).inc()
        REQUEST_SECONDS.labels(name).observe(seconds)
        self.desk.reports.answered(
            name, method, self.get_status(), self._began_ns, self._log_id, self.request.headers
        )
        who = self._principal
        access.info(
            "%s %s",
            name,
            self.get_status(),
            extra={
                "log_id": self._log_id,
                "operation": name,
                "method": method,
                "status": self.get_status(),
                **self._said,
                "who": None if who is None else pseudonym(who.name, self.desk.log_key),
                "role": None if who is None else who.role.name,
                "milliseconds": round(1000 * seconds, 1),
                "error": self._error,
            },
        )


def _said(path: dict[str, str], given: Any) -> dict[str, str | None]:
    """Say for the log which verb was asked for, and of what; nothing else that was typed."""
    ids = [path.get(name) or getattr(given, name, None) for name in _IDS]
    target = next((id for id in ids if id and _ID.fullmatch(id)), None)
    verb = path.get("verb") or getattr(given, "action", None)
    known = verb is None or verb in VERBS or verb == "process"
    return {"verb": verb if known else "unknown", "target": target}


def _has_nul(value: object) -> bool:
    """Tell whether a text in it has the character that no database keeps."""
    if isinstance(value, dict):
        return any(map(_has_nul, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def doors_of(operations: Sequence[Operation]) -> list[tuple[str, type[Door]]]:
    """Make a door for each path, and one that refuses everything else under ours.

    Parameters
    ----------
    operations : sequence of Operation
        What can be asked for.

    Returns
    -------
    list of (str, type)
        Patterns and doors, as Tornado takes them.
    """
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    doors: list[tuple[str, type[Door]]] = []
    for path, known in by_path.items():
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        name = next(iter(known.values())).name
        doors.append((pattern, type(f"Door_{name}", (Door,), {"operations": known})))
    closed = type("DoorToNowhere", (Door,), {"operations": {}})
    doors += [(f"{root}/.*", closed) for root in ("/audience-nb", "/api/nl", "/debug")]
    return doors
