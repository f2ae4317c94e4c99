"""The builder needs no server part: it is the same where the REST interface is there and not."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from labdriver import Lab, jupyterlab, open_notebook, write_notebook
from playwright.sync_api import expect

CELLS = [
    "from audience_nb import AudienceBuilder\nab = AudienceBuilder(random_state=0)\nab",
    'print("STATE", [s.size for s in ab.segments])',
]


def answer(lab: Lab, path: str) -> tuple[int, str]:
    request = urllib.request.Request(
        lab.base + path, headers={"Authorization": f"token {lab.token}"}
    )
    try:
        with urllib.request.urlopen(request) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def front_end(lab: Lab) -> Any:
    """What JupyterLab loads into the browser from elsewhere."""
    _, page = answer(lab, "/lab")
    found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])["federated_extensions"]


@pytest.mark.parametrize("without", [(), ("audience_nb",)], ids=["on", "off"])
def test_the_builder_is_the_same_with_the_extension_and_without(
    tmp_path: Path, without: tuple[str, ...], watched: Any
) -> None:
    with jupyterlab(tmp_path, "JupyterLab Light", without=without) as lab:
        status, _ = answer(lab, "/audience-nb/api/openapi.json")
        assert status == (404 if without else 200)
        # Nothing of ours is loaded into the page but by the notebook itself.
        assert not [one for one in front_end(lab) if "audience" in one["name"]]
        write_notebook(lab.root / "audience.ipynb", CELLS)
        notebook = open_notebook(watched, lab, "audience.ipynb")
        notebook.run()
        builder = notebook.builder
        builder.first.wait_for()
        box = builder.get_by_role("textbox", name="Describe the audience")
        box.fill("environmentally conscious millennials")
        box.press("Enter")
        builder.locator(".anb-row").first.wait_for(timeout=90_000)
        builder.get_by_role("button", name="Build segments").click()
        cards = builder.get_by_role("article")
        cards.first.wait_for(timeout=90_000)
        expect(builder.get_by_role("button", name="Build segments")).to_be_visible(timeout=90_000)
        count = cards.count()
        assert 10 <= count <= 20
        output = notebook.run_cell('print("STATE"').filter(has_text="STATE [").last.inner_text()
        sizes = json.loads(output[output.index("[") : output.index("]") + 1])
        assert len(sizes) == count and sum(sizes) == 1000
        assert all(50 <= size <= 100 for size in sizes)
