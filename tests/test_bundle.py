"""The committed front-end bundle is the one that its sources build; needs no node."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDGETS = ROOT / "widgets"
STATIC = ROOT / "audience_nb" / "static"


def digest_of_sources() -> str:
    """Hash what the bundle is built from, as widgets/build.mjs does."""
    digest = hashlib.sha256()
    sources = sorted(f"src/{path.name}" for path in (WIDGETS / "src").iterdir())
    for name in [*sources, "build.mjs", "package.json", "package-lock.json"]:
        digest.update(name.encode() + b"\0" + (WIDGETS / name).read_bytes() + b"\0")
    return digest.hexdigest()


def test_the_bundle_is_built_from_these_sources() -> None:
    recorded = (STATIC / "SOURCES.sha256").read_text(encoding="utf-8").strip()
    assert recorded == digest_of_sources(), "The bundle is stale: run `make bundle`."


def test_the_bundle_is_whole() -> None:
    names = {path.name for path in STATIC.iterdir()}
    assert names == {"SOURCES.sha256", "vega.js", "widget.css", "widget.js"}
    # anywidget loads each module from a blob: URL, where nothing can be imported by path.
    for name in ("vega.js", "widget.js"):
        code = (STATIC / name).read_text(encoding="utf-8")
        assert not re.search(r"""\bimport\s*[\w{*][^;]*?\bfrom\s*["']""", code[:2000])
        assert re.search(r"export\s*\{[^}]*\bdefault\b", code[-500:])


def test_the_view_needs_no_other_host() -> None:
    code = (STATIC / "widget.js").read_text(encoding="utf-8")
    style = (STATIC / "widget.css").read_text(encoding="utf-8")
    # Namespaces are names, not addresses.
    hosts = set(re.findall(r"https?://([\w.-]+)", code + style))
    assert hosts <= {"www.w3.org"}
    assert "@import" not in style
    assert "url(" not in style


def test_text_never_becomes_markup() -> None:
    for path in (WIDGETS / "src").glob("*.ts*"):
        source = path.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in source, f"{path.name} uses {way}"


def test_the_lock_names_no_host() -> None:
    lock = json.loads((WIDGETS / "package-lock.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    assert len(packages) > 100
    assert not [name for name, package in packages.items() if "resolved" in package]
    locked = {name: packages[f"node_modules/{name}"]["version"] for name in ("preact", "vega")}
    wanted = json.loads((WIDGETS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert locked == {name: wanted[name] for name in locked}
