"""A chat server on loopback: checks every request, answers as told, serves faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-not-a-real-key-0123456789"


class ChatServer:
    """Speaks the chat protocol, and notes what is wrong with what it is asked.

    Parameters
    ----------
    answer : callable
        Message and state to what is answered: a list of actions; text, as it is; or a fault:
        "429", "500", "slow", "html", "cut", "empty", "refusal", "endless".
    key : str or None
        The only key it takes.
    """

    def __init__(self, answer: Callable[[str, dict[str, Any]], Any], key: str | None = KEY) -> None:
        self.answer, self.key = answer, key
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[str] = []
        self.wrong: list[str] = []
        self._closing = threading.Event()
        outer = self

        class Replies(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    outer._reply(self, body)
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

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

    def _reply(self, http: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = json.loads(body)
        self.requests.append(asked)
        self.bodies.append(body.decode())
        self._check(http, asked)
        said = json.loads(asked["messages"][1]["content"])
        answer = self.answer(said["message"], said["state"])
        if answer == "slow":
            self._closing.wait(20)
            http.close_connection = True
            return
        if answer in ("429", "500"):
            error = {"error": {"message": f"Bearer {self.key}", "code": "some_code"}}
            self._send(http, int(answer), json.dumps(error), {"Retry-After": "0"})
            return
        if answer == "html":
            self._send(http, 200, "<html>Welcome</html>", {})
            return
        text = answer if isinstance(answer, str) else json.dumps({"actions": answer})
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if answer == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot do that."}
        elif answer == "empty":
            message["content"] = ""
        elif answer == "endless":
            message["content"] = "x" * 1_000_000
        elif "tools" in asked:
            call = {"id": "1", "type": "function", "function": {"name": "act", "arguments": text}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reply = json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "m",
                            "choices": [{"index": 0, "message": message,
                                         "finish_reason": "stop"}]})  # fmt: skip
        self._send(http, 200, reply[: len(reply) // 2] if answer == "cut" else reply, {})

    def _check(self, http: BaseHTTPRequestHandler, asked: dict[str, Any]) -> None:
        token = http.headers.get("Authorization")
        if token != (f"Bearer {self.key}" if self.key else None):
            self.wrong.append(f"authorization is {token!r}")
        if http.path != "/v1/chat/completions":
            self.wrong.append(f"path is {http.path}")
        if "tools" in asked:
            function = asked["tools"][0]["function"]
            strict, schema = function["strict"], function["parameters"]
        else:
            given = asked["response_format"]["json_schema"]
            strict, schema = given["strict"], given["schema"]
        if strict is not True:
            self.wrong.append("the schema is not strict")
        self._check_strict(schema)

    def _check_strict(self, schema: dict[str, Any]) -> None:
        """Every object closed, every field required: what strict output asks for."""
        if schema.get("type") == "object":
            if schema.get("additionalProperties") is not False:
                self.wrong.append("an object of the schema is open")
            if set(schema["required"]) != set(schema["properties"]):
                self.wrong.append("a field of the schema is not required")
        inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", [])]
        if isinstance(schema.get("items"), dict):
            inner.append(schema["items"])
        for part in inner:
            self._check_strict(part)

    def _send(
        self, http: BaseHTTPRequestHandler, status: int, text: str, extra: dict[str, str]
    ) -> None:
        data = text.encode()
        http.send_response(status)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(data)))
        for name, value in extra.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(data)
        http.wfile.flush()
