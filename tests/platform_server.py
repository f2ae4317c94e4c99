"""A loopback server that speaks each platform's request format, strictly, and fails on purpose.

It verifies the token, every hash (its shape, and where a test says which people there are, that it
is one of theirs in this platform's own normal form), batch sizes and session fields, and counts
people. A request whose key or session it has seen is answered as before and counted once, as
platforms do.
"""

from __future__ import annotations

import base64
import hashlib
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
# SHA-256 of nothing looks like a hash, and is nobody's.
NOBODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HEX = re.compile(rf"(?!{NOBODY})[0-9a-f]{{64}}")
BASE64 = re.compile(r"[0-9A-Za-z+/]{43}=")
# Before anything is read (429 to drop); after all is taken, so that only the answer is lost: late,
# half of it, a half that could be read as an empty one, and one that is cut in its head.
FAULTS = ("429", "500", "503", "drop", "late", "half", "blank", "cut", "401")


class Wrong(Exception):
    """A request that the platform would not take."""


def need(condition: object, what: str) -> None:
    if not condition:
        raise Wrong(what)


@dataclass
class State:
    """What the server holds, and what it did."""

    people: Counter[str] = field(default_factory=Counter)
    # Hashes that may come, by whatever means the test made them; empty for any.
    known: frozenset[str] = frozenset()
    sizes: list[int] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    sessions: dict[int, dict[int, tuple[str, int, bool, int]]] = field(default_factory=dict)
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
    # What a busy platform asks for, in seconds.
    wait: str = "0"
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

    def need_hash(self, value: object, what: str, shape: re.Pattern[str] = HEX) -> None:
        need(isinstance(value, str) and shape.fullmatch(value), f"{what} is not hashed")
        need(not self.known or value in self.known, f"{what} is the hash of somebody else")

    def complete(self) -> bool:
        """Whether every session of Meta's came to its end: all numbers, the last flag, all rows."""
        for batches in self.sessions.values():
            numbers = sorted(batches)
            flags = [batches[n][2] for n in numbers]
            rows = sum(batches[n][1] for n in numbers)
            if numbers != list(range(1, len(numbers) + 1)) or not flags[-1] or any(flags[:-1]):
                return False
            if any(batches[n][3] != rows for n in numbers):
                return False
        return bool(self.sessions)

    def take(self, key: str, people: list[str], answer: Any) -> Any:
        """Add people once for each key; give the same answer for the same key."""
        need(HEX.fullmatch(key), "Idempotency-Key is no SHA-256")
        with self.lock:
            if key not in self.keys:
                self.keys[key] = answer
                self.people.update(people)
                self.sizes.append(len(people))
            return self.keys[key]


# -- people, and what each platform's own manual makes of their addresses ------------------------


def addresses(n: int) -> list[str]:
    """Write addresses as people do: in capitals, with spaces, at Gmail with dots and a plus."""
    forms = ("p{}@example.com", " P{}@Example.COM ", "P.{}+News@Gmail.com", "\tp.{}@googlemail.com")
    return [forms[i % 4].format(i) for i in range(n)]


def hashes(name: str, n: int) -> frozenset[str]:
    """Hash their normal forms, which are written out here for each platform."""
    gmail = {"google": "p{}+news@gmail.com", "trade_desk": "p{}@gmail.com"}
    gmail["amazon"] = "p.{}news@gmail.com"
    other = {"google": "p{}@googlemail.com"}
    forms = (
        "p{}@example.com",
        "p{}@example.com",
        gmail.get(name, "p.{}+news@gmail.com"),
        other.get(name, "p.{}@googlemail.com"),
    )
    digests = [hashlib.sha256(forms[i % 4].format(i).encode()).digest() for i in range(n)]
    if name == "trade_desk":
        return frozenset(base64.b64encode(d).decode() for d in digests)
    return frozenset(d.hex() for d in digests)


# -- one function for each platform: headers, path, body -> answer -------------------------------


def bearer(headers: dict[str, str]) -> bool:
    return headers.get("authorization") == f"Bearer {TOKEN}"


def meta(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    session, payload = whole["session"], whole["payload"]
    need(method == "POST" and path == "/meta/77/users", "path")
    need(
        set(session) == {"session_id", "batch_seq", "last_batch_flag", "estimated_num_total"},
        "session",
    )
    need(session["batch_seq"] >= 1 and isinstance(session["last_batch_flag"], bool), "batch_seq")
    need(0 < session["session_id"] < 2**63, "session_id")
    rows, schema = payload["data"], payload["schema"]
    need(0 < len(rows) <= 10_000, "at most 10,000 rows")
    for row in rows:
        need(len(row) == len(schema), "row does not match the schema")
        for name, cell in zip(schema, row, strict=True):
            if cell and name not in ("MADID", "EXTERN_ID"):
                state.need_hash(cell, name)
        need(any(row), "empty row")
    with state.lock:
        seen = state.sessions.setdefault(session["session_id"], {})
        # A batch of a session has one content, however often it comes.
        told = (
            headers["idempotency-key"],
            len(rows),
            session["last_batch_flag"],
            session["estimated_num_total"],
        )
        first = seen.setdefault(session["batch_seq"], told)
    need(first == told, "batch_seq came with other rows")
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
                need(re.fullmatch("[A-Z]{2}", value["regionCode"]), "regionCode")
                state.need_hash(value["familyName"], "familyName")
                value = value["givenName"]
            state.need_hash(value, name)
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
    for line in lines:
        state.need_hash(line, "line", BASE64)
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
            state.need_hash(value, name)
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
            if cell:
                state.need_hash(cell["id"], "id")
                need(cell["audience_ids"] == ["aud"], "audience")
    people = [json.dumps(row) for row in whole["batch_data"]]
    return state.take(headers["idempotency-key"], people, {"code": 0, "message": "OK"})


def pinterest(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "PATCH" and path == "/pinterest/v5/ad_accounts/acc/customer_lists/li", "path")
    need(whole["operation_type"] == "ADD", "operation")
    records = whole["records"].split(",")
    need(len(records) <= 10_000, "at most 10,000 records")
    for record in records:
        state.need_hash(record, "record")
    return state.take(headers["idempotency-key"], records, {"id": "li", "status": "PROCESSING"})


def webhook(state: State, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
    whole = json.loads(body)
    need(method == "POST" and path == "/webhook", "path")
    need(0 < len(whole["records"]) <= 1_000, "at most 1,000 records")
    need(HEX.fullmatch(whole["delivery"]) and 1 <= whole["batch"] <= whole["of"], "delivery")
    for record in whole["records"]:
        need(record, "empty record")
        for name, value in record.items():
            if name.endswith("sha256"):
                state.need_hash(value, name)
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
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                # Whoever asked was killed on the way: nothing was asked.
                self.close_connection = True
                return None
            headers = {k.lower(): v for k, v in self.headers.items()}
            path = self.path.partition("?")[0]
            name = path.split("/")[1]
            state.headers.append(headers)
            time.sleep(state.pace)
            fault = state.fault()
            if fault in ("429", "500", "503", "401"):
                wait = {"Retry-After": state.wait} if fault == "429" else {}
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
            if fault in ("half", "blank"):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content) + 40))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if fault == "half" else b" \n")
                self.wfile.flush()
                self.close_connection = True
                return self.connection.close()
            if fault == "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
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
