"""A loopback server with the source document's interface: POST /data/{variable}."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "tok-s3same-0pen"


@dataclass
class Answers:
    """What the server says, and what it was asked."""

    columns: dict[str, dict[str, list[Any]]]
    # (status, headers) to answer before anything else, one each request.
    faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    address: str = ""


@contextmanager
def serving(columns: dict[str, dict[str, list[Any]]]) -> Iterator[Answers]:
    """Serve columns, each as a mapping from field to list."""
    answers = Answers(columns)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = unquote(self.path.removeprefix("/v1/data/"))
            answers.asked.append((name, json.loads(body)))
            answers.tokens.append(self.headers.get("Authorization", ""))
            answers.connections.add(self.client_address[1])
            time.sleep(answers.delay)
            if answers.faults:
                status, headers = answers.faults.pop(0)
                return self.answer(status, b'{"error": "row PRIVATE-0001"}', headers)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.answer(401, b"{}")
            if name in answers.bodies:
                return self.answer(200, answers.bodies[name])
            if not self.path.startswith("/v1/data/") or name not in answers.columns:
                return self.answer(404, b"{}")
            return self.answer(
                200, json.dumps(answers.columns[name], default=lambda d: d.isoformat()).encode()
            )

        def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        log_message: Callable[..., None] = lambda *args: None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    answers.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
