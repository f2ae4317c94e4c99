"""Code in the README and the pages runs and prints what it says; examples in docstrings do; the
pages build without a warning, with every public name and no dead link."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import data_server
import nbformat
import platform_server
import pytest
import served
from bs4 import BeautifulSoup
from embedding_server import KEY, EmbeddingServer

import audience_nb
from audience_nb.search.concepts import default_concepts

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "audience_nb").rglob("*.py")
    if path.name != "__main__.py"
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md"))
# Packages whose `__all__` is offered to users, besides the top's.
OFFERED = (
    "charts",
    "conversation",
    "conversation.model",
    "distribution",
    "embedding",
    "encoding",
    "errors",
    "history",
    "insights",
    "kmedians",
    "lifestyles",
    "policy",
    "search",
    "segments",
    "server",
    "sources",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


# -- code in pages -------------------------------------------------------------------------------


def blocks(page: str) -> list[tuple[str, str | None]]:
    """Python code of a page, each with the text that stands right under it, if any."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL)
    return [(code, printed or None) for code, printed in found]


def _people(home: Path) -> str:
    home.mkdir()
    rows = [f"C{i},{20 + i * 7 % 60},{i * 37 % 500}" for i in range(400)]
    path = home / "people.csv"
    path.write_text("\n".join(["customer_id,age,spend", *rows]) + "\n")
    return str(path)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Stand where a page says that a server is: on loopback, over real HTTP."""
    with contextlib.ExitStack() as stack:
        page = request.getfixturevalue("page")
        if "openai" in page or "private-model" in page:
            server = EmbeddingServer(64, key=KEY if "openai" in page else None)
            stack.callback(server.close)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            monkeypatch.setenv("MODEL_URL", server.url)
            if "openai" in page:
                monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        if page == "docs/guides/rest.md":
            home = request.getfixturevalue("tmp_path") / "served"
            config = {"sources": {"people": {"frame": _people(home), "id": "customer_id"}}}
            running = stack.enter_context(served.running(home, config))
            monkeypatch.setenv("AUDIENCE_URL", running.base)
            monkeypatch.setenv("AUDIENCE_TOKEN", running.token)
        if "warehouse" in page:
            who = [f"C{i}" for i in range(60)]
            columns = {
                "age": {"who": who, "age": [20 + i for i in range(60)]},
                "spend": {"who": who, "spend": [i * 7 % 60 for i in range(60)]},
            }
            answers = stack.enter_context(data_server.serving(columns))
            monkeypatch.setenv("DATA_URL", answers.address)
            monkeypatch.setenv("DATA_TOKEN", data_server.TOKEN)
        if "sending" in page:
            platforms = stack.enter_context(platform_server.serving())
            monkeypatch.setenv("AD_URL", f"{platforms.address}/meta")
            monkeypatch.setenv("AD_TOKEN", platform_server.TOKEN)
            # The page names a log of its own.
            monkeypatch.setenv("AUDIENCE_NB_AUDIT", "")
        yield


@pytest.mark.parametrize("page", ["README.md", *(p for p in PAGES if blocks(p))])
def test_code_in_pages(
    page: str, servers: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    if "jupyterhub" in page or page == "docs/guides/rest.md":
        config = importlib.import_module("traitlets.config")
        made = config.Config()
        names["get_config"] = lambda: made
    default_concepts.cache_clear()
    try:
        for number, (code, printed) in enumerate(blocks(page)):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(code, f"{page}, block {number}", "exec"), names)
            if printed is not None:
                assert out.getvalue() == printed, f"{page}, block {number}"
    finally:
        # What a page taught stays on that page.
        default_concepts.cache_clear()


def test_the_readme_names_the_commands_that_ci_runs() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    assert "make test" in (ROOT / ".ci" / "run").read_text()


# -- the built pages -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as HTML; any warning fails."""
    place = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    command += ["-d", str(place / "doctrees"), str(DOCS), str(place / "html")]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return place / "html"


def test_every_public_name_is_in_the_reference(built: Path) -> None:
    raw = (built / "objects.inv").read_bytes().split(b"\n", 4)[4]
    documented = {line.split()[0] for line in zlib.decompress(raw).decode().splitlines()}
    missing = [n for n in audience_nb.__all__ if f"audience_nb.{n}" not in documented]
    for package in OFFERED:
        module = importlib.import_module(f"audience_nb.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            places = {f"audience_nb.{package}.{name}", f"audience_nb.{name}"}
            # A name may be offered by a package and by one inside it.
            places.add(f"{getattr(thing, '__module__', '')}.{name}")
            if not places & documented:
                missing.append(f"{package}.{name}")
    assert not missing


def test_no_link_is_dead_and_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    pages = {
        path.relative_to(built).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in built.rglob("*.html")
    }
    assert len(pages) > len(PAGES)
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    dead = []
    for name, page in pages.items():
        for tag, attribute in (("a", "href"), ("link", "href"), ("script", "src"), ("img", "src")):
            for found in page.find_all(tag, {attribute: True}):
                target = str(found[attribute])
                if re.match(r"https?:|mailto:|data:", target):
                    if tag != "a":
                        dead.append((name, target))
                    continue
                path, _, anchor = unquote(target).partition("#")
                there = (built / name).parent / path.partition("?")[0] if path else built / name
                if not there.exists():
                    dead.append((name, target))
                    continue
                where = there.resolve().relative_to(built.resolve()).as_posix()
                if anchor and where in anchors and anchor not in anchors[where]:
                    dead.append((name, target))
    assert not dead


def test_links_between_files_of_the_project_are_alive() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", *PAGES):
        text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not re.match(r"https?:|mailto:", target):
                assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


def test_the_scheduled_notebook_has_one_cell_of_plain_parameters() -> None:
    cells = nbformat.read(ROOT / "notebooks" / "09_at_scale.ipynb", as_version=4).cells
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    given: dict[str, object] = {}
    exec(tagged[0].source, {"__builtins__": {}}, given)
    assert given["n_records"] == 1_000_000 and given["min_share"] == 0.05
    # Nothing is set again further down, where it would win over what a scheduler gives.
    later = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for name in given:
        assert len(re.findall(rf"^{name}\b[^=\n]*=(?!=)", later, re.MULTILINE)) <= 1, name
