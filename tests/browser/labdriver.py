"""A real JupyterLab on loopback, driven with Chromium, with everything else switched off."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

SCREENSHOTS = Path(__file__).parent / "screenshots"
AXE = Path(__file__).parents[2] / "widgets" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# No question about kernels, no news, no windowing (cells out of sight must exist to be looked at).
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {
        "autoStartDefaultKernel": True,
        "windowingMode": "none",
    },
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}
THEMES = "@jupyterlab/apputils-extension:themes"


@dataclass
class Lab:
    """A running JupyterLab: where it is, and the folder that it shows."""

    base: str
    token: str
    root: Path
    log: Path


@contextmanager
def jupyterlab(root: Path, theme: str, *, without: Sequence[str] = ()) -> Iterator[Lab]:
    """Start JupyterLab on a free port of loopback, with settings and folders of its own.

    Extensions of the server named in `without` are disabled there, as `jupyter server extension
    disable` does.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-", ignore_cleanup_errors=True) as home:
        settings = Path(home) / "settings"
        for plugin, values in {**SETTINGS, THEMES: {"theme": theme}}.items():
            package, name = plugin.split(":")
            file = settings / package / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")
        for name in without:
            subprocess.run(
                [sys.executable, "-m", "jupyter", "server", "extension", "disable", name],
                env={**os.environ, "JUPYTER_CONFIG_DIR": f"{home}/config"},
                capture_output=True,
                check=True,
            )
        port, token = _free_port(), secrets.token_hex(16)
        command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
        command += [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root}",
            "--ServerApp.terminals_enabled=False",
            "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            "--LabApp.expose_app_in_browser=True",
        ]
        lab = Lab(f"http://127.0.0.1:{port}", token, root, Path(home) / "server.log")
        with _served(lab, command, Path(home), f"/api?token={token}"):
            yield lab


@contextmanager
def voila(root: Path, notebook: Path) -> Iterator[Lab]:
    """Serve a copy of one notebook in `root` as a page on a free port of loopback."""
    copy = shutil.copy(notebook, root)
    with tempfile.TemporaryDirectory(prefix="voila-", ignore_cleanup_errors=True) as home:
        port, token = _free_port(), secrets.token_hex(16)
        command = [sys.executable, "-m", "voila", str(copy), "--no-browser"]
        command += [f"--port={port}", "--Voila.ip=127.0.0.1", f"--token={token}"]
        page = Lab(f"http://127.0.0.1:{port}", token, root, Path(home) / "server.log")
        with _served(page, command, Path(home), f"/voila/static/voila.js?token={token}"):
            yield page


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _served(lab: Lab, command: list[str], home: Path, ready: str) -> Iterator[None]:
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = {**os.environ, **{name: f"{home}/{v}" for name, v in folders.items()}}
    with lab.log.open("w") as out:
        server = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=lab.root,
            start_new_session=True,
        )
    try:
        _wait_for(lab, server, ready)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _wait_for(lab: Lab, server: subprocess.Popen[bytes], ready: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{lab.base}{ready}", timeout=1)
        except urllib.error.HTTPError as error:
            # It answers, whatever it says.
            if error.code != 503:
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not start:\n" + lab.log.read_text()[-3000:])


@dataclass
class Watched:
    """A browser whose requests beyond loopback fail and are noted."""

    context: BrowserContext
    blocked: list[str] = field(default_factory=list)


@contextmanager
def browser(width: int = 1280, height: int = 900) -> Iterator[Watched]:
    """Start Chromium with an empty profile and no way out of this machine."""
    executable = chromium.find()
    if executable is None:
        raise RuntimeError("There is no Chromium. Run: python tests/browser/chromium.py")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="profile-") as profile:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            headless=True,
            args=ARGUMENTS,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        watched = Watched(context)

        def gate(route: Any) -> None:
            url = route.request.url
            if url.startswith(("http://127.0.0.1:", "blob:", "data:")):
                route.continue_()
            else:
                watched.blocked.append(url)
                route.abort()

        context.route("**/*", gate)
        yield watched
        context.close()


@dataclass
class Notebook:
    """An open notebook and what its page complained about."""

    page: Page
    errors: list[str] = field(default_factory=list)

    @property
    def builder(self) -> Locator:
        """The view."""
        return self.page.locator(".anb")

    def run(self, *, timeout: float = 120) -> None:
        """Run all cells and wait for the last."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait_idle(timeout)

    def wait_idle(self, timeout: float = 120) -> None:
        """Wait until each cell has run."""
        self.page.wait_for_function(
            """() => {
              const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
              return prompts.length
                && prompts.every(p => /^\\[\\d+\\]:$/.test(p.textContent.trim()));
            }""",
            timeout=timeout * 1000,
        )

    def run_cell(self, text: str) -> Locator:
        """Run the last cell that holds a text; gives its output."""
        cell = self.page.locator(".jp-CodeCell", has_text=text).last
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return cell.locator(".jp-OutputArea-output")

    def axe(self) -> list[Any]:
        """Violations of accessibility in the view, each with its first element."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[Any] = self.page.evaluate(
            """async () => (await axe.run('.anb')).violations.map(v =>
                 [v.id, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary.slice(0, 300)])"""
        )
        return found

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the whole view, however long."""
        SCREENSHOTS.mkdir(exist_ok=True)
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        height = self.builder.evaluate("e => e.getBoundingClientRect().height")
        self.page.set_viewport_size({"width": size["width"], "height": int(height) + 500})
        self.page.wait_for_timeout(300)
        path = SCREENSHOTS / f"{name}.png"
        self.builder.screenshot(path=path)
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        return path


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """Write a notebook of code cells."""
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for i, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


def open_notebook(watched: Watched, lab: Lab, name: str, *, timeout: float = 90) -> Notebook:
    """Open a notebook in a new page and wait for its kernel."""
    page = watched.context.new_page()
    notebook = Notebook(page)

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            notebook.errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: notebook.errors.append(str(error)))
    page.goto(f"{lab.base}/lab/tree/{name}?reset&token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=timeout * 1000)
    # The status line says idle before the session is connected: ask the application itself.
    page.wait_for_function(
        """() => {
          const widget = window.jupyterapp?.shell.currentWidget;
          const kernel = widget?.sessionContext?.session?.kernel;
          return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
        }""",
        timeout=timeout * 1000,
    )
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    return notebook
