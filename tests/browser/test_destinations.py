"""An audience sent from the view: checked, planned, tried and sent, in a real JupyterLab."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from labdriver import SCREENSHOTS, Lab, Notebook, Watched, open_notebook, write_notebook
from playwright.sync_api import Locator, expect

sys.path.insert(0, str(Path(__file__).parents[1]))

from platform_server import TOKEN, State, addresses, hashes, serving

N = 600
CELL = f"""
import json, os
import numpy as np, pandas as pd
from audience_nb import AudienceBuilder
# What an earlier run delivered must not count as delivered here.
os.environ["AUDIENCE_NB_CACHE"] = os.path.abspath("cache")
rng = np.random.default_rng(0)
frame = pd.DataFrame({{
    "age": rng.integers(18, 80, {N}),
    "visits": rng.poisson(4, {N}),
    "email": json.load(open("addresses.json")),
    "consent_ads": True,
}})
ab = AudienceBuilder(frame)
ab.session.confirm(["age", "visits"])
ab.session.segment(12)
ab.session.pick([1, 2, 3])
ab
"""


@pytest.fixture
def server() -> Iterator[State]:
    with serving() as state:
        state.known = hashes("meta", N)
        yield state


def start(watched: Watched, lab: Lab, name: str) -> Notebook:
    (lab.root / "addresses.json").write_text(json.dumps(addresses(N)), encoding="utf-8")
    write_notebook(lab.root / name, [CELL])
    notebook = open_notebook(watched, lab, name)
    notebook.run()
    notebook.builder.get_by_role("article").first.wait_for(timeout=90_000)
    return notebook


def place(notebook: Notebook, title: str) -> Locator:
    """A destination of the panel, opened with the keyboard."""
    found = notebook.builder.locator(".anb-places > li", has_text=title)
    if found.locator("details").first.get_attribute("open") is None:
        found.locator("summary").first.focus()
        notebook.page.keyboard.press("Enter")
    return found


def press(notebook: Notebook, where: Locator, name: str) -> None:
    where.get_by_role("button", name=name, exact=True).focus()
    notebook.page.keyboard.press("Enter")


def picture(notebook: Notebook, name: str) -> None:
    """Keep a picture of the panel alone."""
    page, size = notebook.page, notebook.page.viewport_size
    assert size is not None
    panel = notebook.builder.locator(".anb-destinations")
    height = panel.evaluate("e => e.getBoundingClientRect().height")
    page.set_viewport_size({"width": size["width"], "height": int(height) + 400})
    page.wait_for_timeout(300)
    panel.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size(size)


def saved(notebook: Notebook, path: Path) -> str:
    """The notebook as it is saved with the state of its widgets."""
    state = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    for command in (state, "docmanager:save"):
        notebook.page.evaluate(f"() => window.jupyterapp.commands.execute('{command}')")
    expect(notebook.page.locator(".jp-mod-dirty")).to_have_count(0)
    text = path.read_text(encoding="utf-8")
    return text


def test_check_plan_dry_run_and_send_by_keyboard(
    watched: Watched, lab: Lab, theme: str, server: State
) -> None:
    shade = theme.lower()
    notebook = start(watched, lab, "destinations.ipynb")
    meta = place(notebook, "Meta Custom Audiences")
    expect(meta).to_contain_text("Not checked")
    press(notebook, meta, "Check")
    meta.get_by_role("textbox", name="Audience id").fill("77")
    meta.get_by_role("textbox", name="Address of the server").fill(f"{server.address}/meta")
    meta.get_by_role("textbox", name="Retention in days").fill("900")
    assert notebook.axe() == []

    press(notebook, meta, "Check")
    expect(meta.locator("summary").first).to_contain_text("Problems")
    expect(meta).to_contain_text("900 days are asked for")
    assert notebook.axe() == []
    picture(notebook, f"destinations-1-problems-{shade}")

    meta.get_by_role("textbox", name="Retention in days").fill("180")
    press(notebook, meta, "Check")
    expect(meta.locator("summary").first).to_contain_text("Ready")
    picture(notebook, f"destinations-2-ready-{shade}")

    press(notebook, meta, "Plan")
    expect(meta.locator("summary").first).to_contain_text("Planned")
    size = int(notebook.builder.locator(".anb-audience-size").inner_text())
    payload = meta.locator("pre")
    assert len(re.findall(r'"[0-9a-f]{6}…"', payload.text_content() or "")) == 2
    assert notebook.axe() == []
    picture(notebook, f"destinations-3-planned-{shade}")

    press(notebook, meta, "Dry run")
    expect(meta.locator("summary").first).to_contain_text("Dry run done")
    expect(meta).to_contain_text(f"{size} people would be sent")
    assert server.headers == []
    picture(notebook, f"destinations-4-tried-{shade}")

    # Another token than the platform's is refused, and what was planned is still there.
    token = meta.get_by_label("Access token")
    sure = meta.get_by_role("checkbox", name=f"Send {size} people to Meta Custom Audiences now")
    token.fill("t0ken-of-another")
    sure.focus()
    notebook.page.keyboard.press("Space")
    press(notebook, meta, "Send now")
    expect(meta.locator("summary").first).to_contain_text("Refused")
    expect(meta).to_contain_text("it does not take the token")
    expect(token).to_have_value("")
    expect(sure).not_to_be_checked()
    assert server.people == {}
    assert notebook.axe() == []
    picture(notebook, f"destinations-5-refused-{shade}")

    token.fill(TOKEN)
    sure.check()
    press(notebook, meta, "Send now")
    expect(meta.locator("summary").first).to_contain_text("Sent")
    expect(meta).to_contain_text(f"{size} people sent")
    assert sum(server.people.values()) == len(server.people) == size
    assert server.wrong == [] and server.complete()
    assert notebook.axe() == []
    picture(notebook, f"destinations-6-sent-{shade}")

    # Sent once more, nobody is there twice.
    token.fill(TOKEN)
    sure.check()
    press(notebook, meta, "Send now")
    expect(meta).to_contain_text(f"{size} people had been sent before")
    assert set(server.people.values()) == {1}

    text = saved(notebook, lab.root / "destinations.ipynb")
    assert "application/vnd.jupyter.widget-state+json" in text
    assert '"destinations"' in text
    page = notebook.page.content()
    for kept in (text, page):
        assert TOKEN not in kept and "t0ken-of-another" not in kept
        assert "@example.com" not in kept.lower() and "@gmail.com" not in kept.lower()
        assert not any(h in kept for h in server.known)
    # Of nobody's browser either.
    stores = notebook.page.evaluate("() => JSON.stringify([localStorage, sessionStorage])")
    assert TOKEN not in stores
    assert notebook.errors == []
    assert watched.blocked == []


def test_narrow_zoomed_and_in_a_clean_room(watched: Watched, lab: Lab, theme: str) -> None:
    shade = theme.lower()
    notebook = start(watched, lab, "narrow.ipynb")
    builder, page = notebook.builder, notebook.page
    meta = place(notebook, "Meta Custom Audiences")
    meta.get_by_role("textbox", name="Audience id").fill("77")
    press(notebook, meta, "Dry run")
    expect(meta.locator("summary").first).to_contain_text("Dry run done")
    for width, zoom in ((400, 1), (400, 2)):
        builder.evaluate(
            "(e, [width, zoom]) => { e.style.width = `${width}px`; e.style.zoom = zoom; }",
            [width, zoom],
        )
        page.wait_for_timeout(300)
        assert notebook.axe() == []
        # Nothing but the payload scrolls sideways.
        wide = builder.evaluate(
            """e => [...e.querySelectorAll('.anb-destinations, .anb-destinations *')]
                 .filter(x => x.scrollWidth > x.clientWidth + 1 && x.clientWidth > 0
                   && !x.closest('pre, .anb-hidden') && getComputedStyle(x).display !== 'inline')
                 .map(x => x.outerHTML.slice(0, 120))"""
        )
        assert wide == []
        picture(notebook, f"destinations-{width}-zoom{zoom}-{shade}")
    builder.evaluate("e => { e.style.width = ''; e.style.zoom = ''; }")

    # A file needs no token.
    file = place(notebook, "file of hashed identifiers")
    file.get_by_role("textbox", name="File name").fill("mine")
    press(notebook, file, "Plan")
    expect(file.locator("summary").first).to_contain_text("Planned")
    file.get_by_role("checkbox").check()
    press(notebook, file, "Write now")
    expect(file.locator("summary").first).to_contain_text("Sent")
    assert len((lab.root / "exports" / "mine.csv").read_text().splitlines()) > 100

    room = builder.get_by_role("radio", name="Clean room data")
    room.click()
    expect(room).to_be_checked()
    builder.get_by_role("spinbutton", name="Number of segments").fill("6")
    builder.get_by_role("spinbutton", name="Smallest share").fill("10")
    builder.get_by_role("spinbutton", name="Largest share").fill("30")
    builder.get_by_role("button", name="Build segments").click()
    panel = builder.locator(".anb-destinations")
    expect(panel).to_contain_text("lets nothing be sent", timeout=60_000)
    expect(panel).to_contain_text("choose first party data or third party data above")
    assert notebook.axe() == []
    picture(notebook, f"destinations-clean-room-{shade}")
    assert notebook.errors == []
    assert watched.blocked == []
