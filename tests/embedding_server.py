"""An embeddings server on loopback: checks every request, serves faults, counts what is paid."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

KEY = "sk-not-a-real-key-0123456789"

# Replies that hold no vector for any text: nothing in them can be used.
VAIN = ("429", "429 far", "429 date", "500", "503", "html", "cut", "empty", "repeated", "long")
# Replies that give some texts their vectors, or all.
PARTIAL = ("short", "gaps", "nan")
WHOLE = ("", "reordered", "base64", "unnumbered")
# No reply at all.
SILENT = ("hang", "reset", "half")


def true_vector(text: str, length: int) -> np.ndarray:
    """A text's vector: its hash, so that anybody can tell whether it is the right one."""
    n_bytes = 4 * length
    raw = hashlib.shake_128(text.encode()).digest(n_bytes)
    return np.frombuffer(raw, "<i4").astype(np.float64) / 2**31


def unit(texts: Sequence[str], length: int) -> np.ndarray:
    """What an encoder over this server must give."""
    vectors = np.stack([true_vector(text, length) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class EmbeddingServer:
    """Speaks the embeddings protocol and knows what it was asked, answered and what went wrong.

    Parameters
    ----------
    length : int
        Of its vectors, if the request asks for none.
    key : str or None
        The only key it takes; None for requests without one.
    schedule : callable or None
        Number of the request and its texts to a fault; by default what `faults` holds, in turn.
    obeys_dimensions : bool
        Whether it shortens vectors when asked to.
    """

    def __init__(
        self,
        length: int = 8,
        key: str | None = KEY,
        schedule: Callable[[int, list[str]], str] | None = None,
        obeys_dimensions: bool = True,
    ) -> None:
        self.length, self.key, self.obeys_dimensions = length, key, obeys_dimensions
        self.faults: list[str] = []
        self.schedule = schedule or (lambda n, texts: self.faults.pop(0) if self.faults else "")
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.wrong: list[str] = []
        self.served: Counter[str] = Counter()
        # How often a text's vector went out in a reply that was sent to its last byte.
        self.paid: Counter[str] = Counter()
        self.most_at_once = 0
        # While set, whole batches get no answer, as when a machine is about to die.
        self.holding = threading.Event()
        self._now = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        outer = self

        class Replies(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body leave together.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._lock:
                    outer._now += 1
                    outer.most_at_once = max(outer.most_at_once, outer._now)
                try:
                    outer._answer(self, body)
                except (ConnectionError, TimeoutError):
                    self.close_connection = True
                finally:
                    with outer._lock:
                        outer._now -= 1

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Replies)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    # -- one request ---------------------------------------------------------------------------

    def _answer(self, http: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = json.loads(body)
        texts = asked["input"]
        headers = {name.lower(): value for name, value in http.headers.items()}
        with self._lock:
            self.requests.append({"path": http.path, **asked})
            self.headers.append(headers)
            self._check(http.path, headers, asked)
            fault = self.schedule(len(self.requests), texts)
            self.served[fault] += 1
        held = self.holding.is_set() and len(texts) >= 100
        if held or fault == "hang":
            # The client gives up long before; then this request is under way no more.
            with self._lock:
                self._now -= 1
            self._closing.wait(60)
            with self._lock:
                self._now += 1
            http.close_connection = True
            return
        if fault == "reset":
            # Zero linger: the client sees a reset instead of an orderly end.
            linger = struct.pack("ii", 1, 0)
            http.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            http.connection.close()
            http.close_connection = True
            return
        if fault[:1].isdigit():
            waits = {"429 far": "120", "429 date": "Fri, 31 Dec 1999 23:59:59 GMT", "429": "0"}
            extra = {"Retry-After": waits[fault]} if fault in waits else {}
            code = fault.split()[1] if fault.endswith("quota") else "some_code"
            text = json.dumps({"error": {"message": f"Bearer {self.key}", "code": code}})
            self._send(http, int(fault.split()[0]), text, extra)
            return
        if fault == "html":
            self._send(http, 200, "<html>Welcome to the gateway</html>", {}, "text/html")
            return
        rows, holds = self._rows(fault, texts, asked)
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        reply = {"object": "list", "data": rows, "model": asked["model"], "usage": usage}
        text = json.dumps(reply)
        if fault == "cut":
            text = text[: len(text) // 2]
        elif fault == "half":
            # The length says more than is sent.
            http.send_response(200)
            http.send_header("Content-Length", str(len(text)))
            http.end_headers()
            http.wfile.write(text[: len(text) // 2].encode())
            http.wfile.flush()
            http.connection.shutdown(socket.SHUT_RDWR)
            http.close_connection = True
            return
        elif fault == "drip":
            http.send_response(200)
            http.send_header("Content-Length", str(len(text)))
            http.end_headers()
            for byte in text.encode():
                http.wfile.write(bytes([byte]))
                http.wfile.flush()
                if self._closing.wait(0.05):
                    return
            return
        self._send(http, 200, text, {})
        with self._lock:
            self.paid.update(holds)

    def _rows(
        self, fault: str, texts: list[str], asked: dict[str, Any]
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """Rows of a reply, and the texts to which they give a vector."""
        length = self.length
        if self.obeys_dimensions:
            length = asked.get("dimensions", length)
        if fault == "long":
            length += 1
        vectors = [true_vector(text, length).tolist() for text in texts]
        rows: list[dict[str, Any]] = [
            {"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)
        ]
        some = random.Random(len(self.requests))
        if fault == "reordered":
            some.shuffle(rows)
        elif fault == "short":
            rows = rows[: max(1, len(rows) * 3 // 5)] if len(rows) > 1 else []
        elif fault == "gaps":
            rows = [row for row in rows if row["index"] % 3 or row["index"] == len(texts) - 1]
        elif fault == "renumbered" and len(rows) > 1:
            del rows[len(rows) // 2]
            for i, row in enumerate(rows):
                row["index"] = i
        elif fault == "empty":
            rows = []
        elif fault == "repeated":
            rows[-1]["index"] = 0 if len(rows) > 1 else 1
        elif fault == "nan":
            rows[0]["embedding"][0] = float("nan")
        elif fault == "base64":
            for row in rows:
                raw = np.array(row["embedding"], "<f4").tobytes()
                row["embedding"] = base64.b64encode(raw).decode()
        elif fault == "unnumbered":
            for row in rows:
                del row["index"]
        if fault in WHOLE or fault in ("short", "gaps"):
            holds = [texts[row.get("index", i)] for i, row in enumerate(rows)]
        else:
            holds = texts[1:] if fault == "nan" else []
        return rows, holds

    def _send(
        self,
        http: BaseHTTPRequestHandler,
        status: int,
        text: str,
        extra: dict[str, str],
        kind: str = "application/json",
    ) -> None:
        data = text.encode()
        http.send_response(status)
        for name, value in {"Content-Type": kind, **extra}.items():
            http.send_header(name, value)
        http.send_header("Content-Length", str(len(data)))
        http.end_headers()
        http.wfile.write(data)
        http.wfile.flush()

    def _check(self, path: str, headers: dict[str, str], asked: dict[str, Any]) -> None:
        """Note whatever a strict server would refuse."""
        texts = asked["input"]
        bearer = None if self.key is None else f"Bearer {self.key}"
        checks = {
            f"path {path}": path == "/v1/embeddings",
            "authorization": headers.get("authorization") == bearer,
            "content type": headers.get("content-type") == "application/json",
            "model": isinstance(asked.get("model"), str) and asked["model"] != "",
            "encoding_format": asked.get("encoding_format") in ("float", "base64"),
            "input is no list": isinstance(texts, list),
            f"{len(texts)} inputs": 1 <= len(texts) <= 2048,
            "an empty input": all(isinstance(t, str) and t.strip() for t in texts),
            "one text twice in a request": len(set(texts)) == len(texts),
            "a text is too long": all(len(t.encode()) <= 8192 for t in texts),
            "a request is too long": sum(len(t.encode()) for t in texts) <= 300_000,
            "unknown fields": set(asked) <= {"model", "input", "dimensions", "encoding_format"},
        }
        self.wrong += [what for what, good in checks.items() if not good]
