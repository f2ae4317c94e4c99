"""Run Binder's build steps as far as a machine without Docker can: `make binder-check`.

What repo2docker does with `binder/`, in its order, in an empty virtual environment and on a copy of
what is committed: Python of runtime.txt, requirements.txt, postBuild, and then `start` around
JupyterLab, which must answer with the first notebook. Where repo2docker itself is installed, it is
asked whether it accepts the files.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRST = "/lab/tree/notebooks/01_first_audience.ipynb"
WAIT_S = 120


def step(what: str, *command: str, cwd: Path, env: dict[str, str]) -> None:
    print(f"· {what}", flush=True)
    start = time.monotonic()
    subprocess.run(command, cwd=cwd, env=env, check=True)
    print(f"  {time.monotonic() - start:.0f} s", flush=True)


def python_of(runtime: Path) -> str:
    wanted = runtime.read_text().strip().removeprefix("python-")
    found = shutil.which(f"python{wanted}")
    if found is None:
        print(f"  Python {wanted} is not here: {sys.version.split()[0]} is taken instead.")
    return found or sys.executable


def imported(folder: Path) -> list[str]:
    """Give what notebooks import, and the modules that they start."""
    names = set()
    for path in folder.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
        names |= set(re.findall(r'"-m", "([\w.]+)"', code))
    return sorted(names)


def answered(address: str) -> tuple[int, str]:
    """Give status and final address of a page."""
    with urllib.request.urlopen(address, timeout=5) as page:
        return page.status, page.url


def opened(command: list[str], cwd: Path, env: dict[str, str]) -> str:
    """Start the server, give where its root leads, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    server = subprocess.Popen(
        [*command, f"--port={port}", f"--IdentityProvider.token={token}"],
        cwd=cwd,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and server.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                status, url = answered(f"http://127.0.0.1:{port}/?token={token}")
                if status == 200:
                    return url
            time.sleep(0.5)
        raise SystemExit("JupyterLab did not answer.")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="binder-") as name:
        folder = Path(name)
        repository, prefix, home = folder / "repository", folder / "venv", folder / "home"
        home.mkdir()
        clone = ["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", str(repository)]
        subprocess.run(clone, check=True)
        binder = repository / "binder"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AUDIENCE_NB", "PYTHON"))}
        env |= {"HOME": str(home), "PATH": f"{prefix / 'bin'}{os.pathsep}{env['PATH']}"}
        python = python_of(binder / "runtime.txt")
        step("an empty environment", python, "-m", "venv", str(prefix), cwd=folder, env=env)
        pip = [str(prefix / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        requirements = str(binder / "requirements.txt")
        step("requirements.txt", *pip, "--requirement", requirements, cwd=repository, env=env)
        step("postBuild", str(binder / "postBuild"), cwd=repository, env=env)
        notebooks = repository / "notebooks"
        wanted = imported(notebooks)
        code = f"import sys; sys.path.insert(0, '../tests'); import {', '.join(wanted)}"
        what = f"{len(wanted)} modules that notebooks import"
        step(what, str(prefix / "bin" / "python"), "-c", code, cwd=notebooks, env=env)
        lab = ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--allow-root"]
        print("· start", flush=True)
        place = opened([str(binder / "start"), *lab], repository, env)
        if FIRST not in place:
            raise SystemExit(f"JupyterLab opened {place.partition('?')[0]}, not {FIRST}.")
        print(f"  JupyterLab opens {FIRST}")
        if shutil.which("jupyter-repo2docker"):
            run = ["jupyter-repo2docker", "--no-build", str(repository)]
            step("repo2docker", *run, cwd=folder, env=dict(os.environ))
    print("Binder's steps work.")


if __name__ == "__main__":
    main()
