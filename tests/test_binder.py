"""Binder's files agree with the project; `make binder-check` runs them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import binder_build

ROOT = Path(__file__).parents[1]
BINDER = ROOT / "binder"


def test_what_is_installed_is_offered_and_pinned() -> None:
    script = (BINDER / "postBuild").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.search(r"'\.\[([\w,]+)\]'", script)
    assert named and set(named[1].split(",")) <= set(project["optional-dependencies"])
    assert "--constraint constraints.txt" in script
    lines = (BINDER / "requirements.txt").read_text().splitlines()
    assert "-c ../constraints.txt" in lines and "jupyterlab" in lines


def test_the_first_notebook_is_there_and_is_what_opens() -> None:
    assert binder_build.FIRST in (BINDER / "postBuild").read_text()
    assert (ROOT / binder_build.FIRST.removeprefix("/lab/tree/")).is_file()


def test_the_python_is_one_that_the_project_takes() -> None:
    wanted = (BINDER / "runtime.txt").read_text().strip()
    assert wanted in {"python-3.11", "python-3.12", "python-3.13"}


def test_what_notebooks_import_is_found() -> None:
    names = binder_build.imported(ROOT / "notebooks")
    assert {"audience_nb.charts", "distributed", "platform_server", "urllib.request"} <= set(names)


def test_start_hands_the_command_on_without_a_key() -> None:
    run = subprocess.run(
        [str(BINDER / "start"), "sh", "-c", 'echo "[$OPENAI_API_KEY] $0 $1"', "lab", "two words"],
        env={"OPENAI_API_KEY": "sk-somebody", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "[] lab two words\n"
