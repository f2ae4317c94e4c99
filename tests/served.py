"""A real `jupyter audience` of the tests' own on loopback."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    listed: list[tuple[str, str]] = field(default_factory=list, repr=False)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.listed if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server."""

    base: str
    token: str
    home: Path
    process: subprocess.Popen[bytes]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request, with the server's token unless another is given ("" for none)."""
        token = f"token {self.token}" if token is None else token
        sent = {"Authorization": token} if token else {}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(
            self.base + path, data=data, method=method, headers={**sent, **(headers or {})}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                listed = answer.headers.items()
                return Answer(answer.status, dict(listed), answer.read(), listed)
        except urllib.error.HTTPError as error:
            listed = error.headers.items()
            return Answer(error.code, dict(listed), error.read(), listed)

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text()

    def logged(self, **fields: Any) -> dict[str, Any]:
        """Wait for the first line of the log with these fields: it is written after the answer."""
        end = time.monotonic() + 20
        while True:
            for line in self.log.splitlines(keepends=True):
                if line.startswith("{") and line.endswith("\n"):
                    said: dict[str, Any] = json.loads(line)
                    if fields.items() <= said.items():
                        return said
            assert time.monotonic() < end, self.log
            time.sleep(0.02)


@contextmanager
def running(
    home: Path, config: dict[str, Any] | None = None, *, lab: bool = False
) -> Iterator[Server]:
    """Run a server with settings and folders of its own."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    token = secrets.token_hex(16)
    settings = home / "config"
    settings.mkdir(exist_ok=True)
    app = {
        "history_url": str(home / "history.sqlite3"),
        "folder": str(home / "files"),
        "rate_limit": "",
        **(config or {}),
    }
    file = settings / "jupyter_audience_nb_config.json"
    file.write_text(json.dumps({"AudienceApp": app}), encoding="utf-8")
    kind = (
        ["server", "--ServerApp.jpserver_extensions={'audience_nb': True}"] if lab else ["audience"]
    )
    command = (
        [sys.executable, "-m", "audience_nb.server"]
        if not lab
        else [sys.executable, "-m", "jupyter", *kind]
    )
    command += [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={token}",
    ]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(settings),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_NO_CONFIG": "",
    }
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}", token, home, process)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert server.process.poll() is None, server.log
        try:
            if server.ask("GET", "/health").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(server.log)
