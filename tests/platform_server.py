"""A loopback server that speaks each platform's request format, strictly, and fails on purpose.

It verifies the token, the shape of every hash, batch sizes and session fields, and counts people.
A request whose key or session it has seen is answered as before and counted once, as platforms do.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "tok-platf0rm"
HEX = re.compile(r"[0-9a-f]{64}")
BASE64 = re.compile(r"[0-9A-Za-z+/]{43}=")
# Before anything is read; after all is taken, so that only the answer is lost; and half an answer.
FAULTS = ("429", "500", "503", "drop", "late", "half", "401")


class Wrong(Exception):
    """A request that the platform would not take."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


def hex_or_nothing(cell: object) -> bool:
    return cell == "" or (isinstance(cell, str) and HEX.fullmatch(cell) is not None)


@dataclass
class State:
    """What the server holds, and what it did."""

    people: Counter[str] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    sessions: dict[int, dict[int, str]] = field(default_factory=dict)
    drops: dict[str, bool] = field(default_factory=dict)
    # The next requests' faults, "" for none; afterwards by chance, if there is a rate.
    script: list[str] = field(default_factory=list)
    rate: float = 0.0
    kinds: tuple[str, ...] = FAULTS[:-1]
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    injected: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    pace: float = 0.0
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self) -> str:
        with self.lock:
            if self.script:
                kind = self.script.pop(0)
            else:
                kind = self.chance.choice(self.kinds) if self.chance.random() < self.rate else ""
            if kind:
                self.injected[kind] += 1
            return kind

    def take(self, key: str, people: list[str], answer: Any) -> Any:
        """Add people once for each key; give the same answer for the same key."""
        need(HEX.fullmatch(key), "Idempotency-Key is no SHA-256")
        with self.lock:
            if key not in self.keys:
                self.keys[key] = answer
                self.people.update(people)
                self.sizes.append(len(people))
            return self.keys[key]


# -- one function for each platform: headers, path, body -> answer -------------------------------


def bearer(headers: dict[str, str]) -> bool:
    return headers.get("authorization") == f"Bearer {TOKEN}"


def meta(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    session, payload = whole["session"], whole["payload"]
    need(method == "POST" and path == "/meta/77/users", "path")
    need(set(session) >= {"session_id", "batch_seq", "last_batch_flag"}, "session")
    need(0 < session["session_id"] < 2**63, "session_id")
    rows, schema = payload["data"], payload["schema"]
    need(0 < len(rows) <= 10_000, "at most 10,000 rows")
    for row in rows:
        need(len(row) == len(schema), "row does not match the schema")
        for name, cell in zip(schema, row, strict=True):
            need(name in ("MADID", "EXTERN_ID") or hex_or_nothing(cell), f"{name} is not hashed")
        need(any(row), "empty row")
    with state.lock:
        seen = state.sessions.setdefault(session["session_id"], {})
        # A batch of a session has one content, however often it comes.
        first = seen.setdefault(session["batch_seq"], headers["idempotency-key"])
    need(first == headers["idempotency-key"], "batch_seq came with other rows")
    answer = {"num_received": len(rows), "num_invalid_entries": 0, "session_id": "1"}
    return state.take(headers["idempotency-key"], ["|".join(row) for row in rows], answer)


def google(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "POST" and path == "/google/v1/audienceMembers:ingest", "path")
    need(whole["encoding"] == "HEX", "encoding")
    need(whole["consent"]["adUserData"] == "CONSENT_GRANTED", "consent")
    need(whole["termsOfService"], "terms")
    need(whole["destinations"][0]["productDestinationId"] == "88", "list")
    members = whole["audienceMembers"]
    need(0 < len(members) <= 10_000, "at most 10,000 members")
    people = []
    for member in members:
        entries = member["userData"]["userIdentifiers"]
        need(0 < len(entries) <= 10, "1 to 10 identifiers")
        for entry in entries:
            need(len(entry) == 1, "one identifier an entry")
            ((name, value),) = entry.items()
            if name == "address":
                need(len(value) == 4, "address")
                value = value["givenName"]
            need(HEX.fullmatch(value), f"{name} is not hashed")
        people.append(json.dumps(entries))
    return state.take(headers["idempotency-key"], people, {"requestId": "r1"})


def trade_desk(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    if path == "/trade_desk/crmdata/segment/adv/seg":
        whole = json.loads(body)
        need(whole["PiiType"] == "EmailHashedUnifiedId2", "PiiType")
        need(whole["MergeMode"] == "Replace", "MergeMode")
        with state.lock:
            name = f"{len(state.drops):08d}"
            state.drops[name] = False
        return {"ReferenceId": name, "Url": f"{state.address}/drop/{name}?signature=x"}
    need(method == "PUT" and path.startswith("/drop/"), "path")
    need("ttd-auth" not in headers, "the token went to the drop")
    lines = body.decode().splitlines()
    need(len(lines) >= 1_500, "at least 1,500 rows")
    need(all(BASE64.fullmatch(line) for line in lines), "a line is no Base64 of 32 bytes")
    with state.lock:
        # Replace: the last whole drop is the segment.
        state.people = Counter(lines)
        state.sizes = [len(lines)]
    return {}


def amazon(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "POST" and path == "/amazon/amc/audiences/records", "path")
    need(headers["content-type"] == "application/vnd.amcaudiences.v1+json", "content type")
    need(headers.get("amazon-advertising-api-clientid") == "app", "client id")
    need(whole["audienceId"] == 55, "audience")
    need(0 < len(whole["records"]) <= 10_000, "at most 10,000 records")
    people = []
    for record in whole["records"]:
        need(re.fullmatch(r"[0-9a-zA-Z_-]{1,128}", record["externalUserId"]), "externalUserId")
        need(record["action"] == "CREATE", "action")
        if record.get("countryCode") == "DE":
            need(record["consent"]["amazonConsent"]["amznUserData"] == "GRANTED", "consent")
        for name, value in record["hashedPII"][0].items():
            need(HEX.fullmatch(value), f"{name} is not hashed")
        people.append(json.dumps(record["hashedPII"]))
    return state.take(headers["idempotency-key"], people, {"jobRequestId": "j1"})


def tiktok(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "POST" and path == "/tiktok/open_api/v1.3/segment/mapping/", "path")
    need(whole["action"] == "add" and whole["advertiser_ids"] == ["adv"], "action")
    need(0 < len(whole["batch_data"]) <= 1_000, "at most 1,000 rows")
    for row in whole["batch_data"]:
        need(len(row) == len(whole["id_schema"]) and any(row), "row does not match the schema")
        for cell in row:
            need(not cell or HEX.fullmatch(cell["id"]), "an id is not hashed")
            need(not cell or cell["audience_ids"] == ["aud"], "audience")
    people = [json.dumps(row) for row in whole["batch_data"]]
    return state.take(headers["idempotency-key"], people, {"code": 0, "message": "OK"})


def pinterest(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "PATCH" and path == "/pinterest/v5/ad_accounts/acc/customer_lists/li", "path")
    need(whole["operation_type"] == "ADD", "operation")
    records = whole["records"].split(",")
    need(len(records) <= 10_000 and all(HEX.fullmatch(r) for r in records), "records")
    return state.take(headers["idempotency-key"], records, {"id": "li", "status": "PROCESSING"})


def webhook(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "POST" and path == "/webhook", "path")
    need(0 < len(whole["records"]) <= 1_000, "at most 1,000 records")
    need(HEX.fullmatch(whole["delivery"]) and 1 <= whole["batch"] <= whole["of"], "delivery")
    for record in whole["records"]:
        need(all(HEX.fullmatch(v) for k, v in record.items() if k.endswith("sha256")), "hash")
    people = [json.dumps(r, sort_keys=True) for r in whole["records"]]
    return state.take(headers["idempotency-key"], people, {})


PLATFORMS: dict[str, Callable[..., Any]] = {
    "meta": meta,
    "google": google,
    "trade_desk": trade_desk,
    "amazon": amazon,
    "tiktok": tiktok,
    "pinterest": pinterest,
    "webhook": webhook,
    "drop": trade_desk,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "meta": {"audience_id": "77"},
    "google": {"account_id": "1", "list_id": "88"},
    "trade_desk": {"advertiser_id": "adv", "segment_id": "seg"},
    "amazon": {"audience_id": "55", "client_id": "app"},
    "tiktok": {"advertiser_id": "adv", "audience_id": "aud"},
    "pinterest": {"ad_account_id": "acc", "customer_list_id": "li"},
    "webhook": {},
}


def let_in(name: str, headers: dict[str, str]) -> bool:
    if name == "drop":
        return True
    if name == "trade_desk":
        return headers.get("ttd-auth") == TOKEN
    if name == "tiktok":
        return headers.get("access-token") == TOKEN
    return bearer(headers)


@contextmanager
def serving(port: int = 0, late: float = 0.4) -> Iterator[State]:
    """Serve all platforms at `{address}/{name}`."""
    state = State()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k.lower(): v for k, v in self.headers.items()}
            path = self.path.partition("?")[0]
            name = path.split("/")[1]
            time.sleep(state.pace)
            fault = state.fault()
            if fault in ("429", "500", "503", "401"):
                wait = {"Retry-After": "0"} if fault == "429" else {}
                return self.answer(int(fault), b'{"error": "PRIVATE-0001"}', wait)
            if fault == "drop":
                self.close_connection = True
                return self.connection.close()
            try:
                if name not in PLATFORMS:
                    return self.answer(404, b"{}")
                if not let_in(name, headers):
                    return self.answer(401, b"{}")
                answer = PLATFORMS[name](state, self.command, path, headers, body)
            except (Wrong, KeyError, ValueError, TypeError) as error:
                state.wrong.append(f"{name}: {error!r}")
                return self.answer(400, b'{"error": "wrong"}')
            content = json.dumps(answer).encode()
            if fault == "late":
                time.sleep(late)
            if fault == "half":
                self.send_response(200)
                self.send_header("Content-Length", str(len(content) + 40))
                self.end_headers()
                self.wfile.write(content[:1])
                self.wfile.flush()
                self.close_connection = True
                return self.connection.close()
            return self.answer(202 if name == "amazon" else 200, content)

        do_POST = do_PUT = do_PATCH = do_any

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            try:
                self.send_response(status)
                for key, value in (headers or {}).items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # Whoever asked has gone.
                self.close_connection = True

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                self.close_connection = True

        log_message: Callable[..., None] = lambda *args: None

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            # A closed connection, on purpose.
            pass

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
