"""`python -m audience_nb doctor` in real processes: what it says, its exit code, what it keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audience_nb import doctor
from audience_nb.errors import NotFound

ROOT = Path(__file__).parents[1]
KEY = "sk-not-a-real-key-0123456789"


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "audience_nb", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_a_sound_environment_is_explained(tmp_path: Path) -> None:
    home = tmp_path / "somebody"
    found = run(
        "doctor",
        HOME=str(home),
        AUDIENCE_NB_CACHE=str(home / "kept"),
        OPENAI_API_KEY=KEY,
        OPENAI_BASE_URL="http://user:secret@127.0.0.1:9/v1",
    )
    assert found.returncode == 0, found.stdout + found.stderr
    lines = found.stdout.splitlines()
    topics = [line[7:].partition(":")[0] for line in lines if line[0] != " "][:-1]
    expected = ["Python", "Packages", "View", "Cache", "Demo catalogue", "Encoder"]
    expected += ["Search", "Segments", "Memory", "Services"]
    assert [t for t in topics if not t.startswith("Extra")] == expected
    assert {"Extra lab", "Extra sql", "Extra dask", "Extra voila"} <= set(topics)
    assert "ok     Search: two questions found their variables" in lines
    place = lines.index("note   Demo catalogue: 48,333 variables, index not built")
    assert lines[place + 1].strip() == "To have it ready: python -m audience_nb"
    assert f"ok     Cache: {Path('~/kept')}, 0 MB" in lines
    assert lines[-1].startswith("No fault, ")
    # Nothing that lets one in, nobody's folders, and no index is built.
    said = found.stdout + found.stderr
    assert KEY not in said and "secret" not in said
    assert str(home) not in said and str(ROOT) not in said
    assert not (home / "kept" / "search").exists()


def test_a_cache_that_cannot_be_written_to_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = run("doctor", AUDIENCE_NB_CACHE=str(tmp_path / "file" / "cache"))
    assert found.returncode == 1, found.stdout + found.stderr
    assert "Set AUDIENCE_NB_CACHE to a folder of your own." in found.stdout
    assert found.stdout.splitlines()[-1].startswith("1 fault, ")


def test_a_folder_is_tried_rather_than_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write to anything, or so its permissions say.
    monkeypatch.setenv("AUDIENCE_NB_CACHE", "/proc/nothing")
    if not Path("/proc").is_dir():
        pytest.skip("no /proc here")
    assert [d.state for d in doctor.diagnose() if d.topic == "Cache"] == ["fault"]


def test_a_key_with_marks_around_it_is_noted_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in (f'"{KEY}"', f"{KEY}\n", f" {KEY}"):
        monkeypatch.setenv("OPENAI_API_KEY", given)
        [found] = [d for d in doctor.diagnose() if d.topic == "Services"]
        assert found.state == "note" and "Set it anew" in found.next_move
        assert KEY not in str(found)


def test_a_torn_installation_is_a_fault(tmp_path: Path) -> None:
    skipped = shutil.ignore_patterns("__pycache__", "vega.js")
    shutil.copytree(ROOT / "audience_nb", tmp_path / "audience_nb", ignore=skipped)
    # Neither the catalogue nor the view's runtime came along.
    found = run("doctor", cwd=tmp_path, AUDIENCE_NB_CACHE=str(tmp_path / "cache"))
    assert found.returncode == 1
    assert "fault  View: vega.js of the view is missing." in found.stdout
    assert "fault  Demo catalogue: catalog.csv.gz is in neither of 2 places" in found.stdout
    assert str(tmp_path / "audience_nb") not in found.stdout


def test_an_unknown_command_is_refused() -> None:
    found = run("cure")
    assert found.returncode == 2 and "doctor" in found.stderr


def test_what_a_check_cannot_do_is_a_fault_without_details(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(topic: str) -> object:
        raise OSError("/secret/place")
        yield

    def refused(topic: str) -> object:
        raise NotFound("There is no file.", "Make one.")
        yield

    monkeypatch.setattr(doctor, "_CHECKS", {"A": broken, "B": refused})
    lines: list[str] = []
    assert doctor.report(lines.append) == 1
    assert "secret" not in lines[0] and lines[0].startswith("fault  A: OSError while")
    assert lines[1:] == ["fault  B: There is no file.\n       Make one.", "2 faults, 0 notes."]
