"""Every test here drives a browser; what it needs must be there, or it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from labdriver import Lab, Watched, browser, jupyterlab
from playwright.sync_api import expect

# A busy machine is no failure: what is expected comes, or it never does.
expect.set_options(timeout=30_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module", params=["Light", "Dark"])
def theme(request: pytest.FixtureRequest) -> str:
    """Each of JupyterLab's two themes."""
    return str(request.param)


@pytest.fixture(scope="module")
def lab(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over an empty folder."""
    with jupyterlab(tmp_path_factory.mktemp("notebooks"), f"JupyterLab {theme}") as running:
        yield running


@pytest.fixture
def watched() -> Iterator[Watched]:
    """A browser of its own for each test."""
    with browser() as running:
        yield running
