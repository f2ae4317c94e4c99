"""A PostgreSQL server of the tests' own: started, used and thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "s3same-0pen"
_INSTALL = Path(__file__).parent / "apt_install.sh"


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).parent if there and shutil.which("pg_ctl") else None


def programs() -> Path:
    """Give the folder of PostgreSQL's programs, installing them where root may."""
    here = _programs()
    if here is None and os.getuid() == 0:
        subprocess.run(["sh", str(_INSTALL), "postgresql"], capture_output=True, check=False)
        here = _programs()
    if here is None:
        pytest.skip("PostgreSQL is not installed, and only root can install it: apt postgresql")
    return here


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(*, durable: bool = False) -> Iterator[str]:
    """Run a server, and give the address of an empty database in it; on disk if it must last."""
    where = programs()
    # PostgreSQL refuses to run as root.
    owner = next((n for n in ("postgres", "nobody") if _exists(n)), None)
    as_root = os.getuid() == 0
    if as_root and owner is None:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
    folder = Path(tempfile.mkdtemp(prefix="audience_nb-postgres-"))
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    if as_root and owner is not None:
        for path in (folder, secret):
            shutil.chown(path, owner)

    def run(*command: str) -> None:
        done = subprocess.run(
            command,
            user=owner if as_root else None,
            group=pwd.getpwnam(owner).pw_gid if as_root and owner else None,
            extra_groups=[] if as_root else None,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout

    port = _free_port()
    data = folder / "data"
    run(
        str(where / "initdb"),
        "-D",
        str(data),
        "-U",
        "tester",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "-A",
        "scram-sha-256",
        f"--pwfile={secret}",
        "--no-sync",
    )
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    options += "" if durable else " -c fsync=off"
    log = str(folder / "log")
    run(str(where / "pg_ctl"), "-D", str(data), "-o", options, "-l", log, "-w", "start")
    try:
        yield f"postgresql+psycopg://tester:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        run(str(where / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
