"""What a stranger installs: pins without addresses, Binder's files, nothing of ours left behind."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {name_of(line): line for line in lines if line and not line.startswith("#")}


def test_every_dependency_is_pinned_to_a_version_and_nothing_else() -> None:
    wanted = [*PROJECT["project"]["dependencies"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    assert {name_of(r) for r in wanted} <= set(pins())
    for line in pins().values():
        assert re.fullmatch(r"[\w.-]+==[\w.]+( ; .+)?", line), line


def test_binder_has_what_it_needs() -> None:
    binder = ROOT / "binder"
    assert {p.name for p in binder.iterdir()} == {
        "postBuild",
        "requirements.txt",
        "runtime.txt",
        "start",
    }
    for script in ("postBuild", "start"):
        assert os.access(binder / script, os.X_OK), script
        subprocess.run(["bash", "-n", str(binder / script)], check=True)
    assert (binder / "runtime.txt").read_text().strip() == "python-3.11"
    assert (binder / "start").read_text().rstrip().endswith('exec "$@"')


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    telling = re.compile(
        r"https?://(?:pypi|files\.pythonhosted|registry\.npm)|/home/\w+/|\"resolved\": *\"http"
    )
    for path in tracked():
        if path.suffix in {".gz", ".png", ".ico"} or path.name == Path(__file__).name:
            continue
        assert not telling.search(path.read_text(encoding="utf-8")), path


def test_notebooks_are_stored_run_and_without_widget_state() -> None:
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert "widgets" not in notebook.metadata, path
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.execution_count is not None, path
                assert not any(o.output_type == "error" for o in cell.outputs), path
