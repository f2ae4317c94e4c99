"""Working in a notebook: talk, two views, a reload, long work, the keyboard, the saved file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from labdriver import Lab, Notebook, Watched
from playwright.sync_api import Locator, expect
from test_lab import ask, build, start

pytestmark = pytest.mark.parametrize("theme", ["Light"], indirect=True)

# Each record has an identifier that is nowhere else, and values that are one record's alone.
PLANTED = """
import numpy as np, pandas as pd
from audience_nb import AudienceBuilder
rng = np.random.default_rng(4)
n = 400
frame = pd.DataFrame({
    "person": [f"planted-{i:04d}@example.com" for i in range(n)],
    "age": rng.integers(18, 80, n),
    "spend": np.round(rng.gamma(2.0, 300.0, n), 7),
    "trips": np.round(rng.normal(60.0, 20.0, n), 7),
    "region": rng.choice(["north", "south", "east"], n),
})
ab = AudienceBuilder(frame, id="person")
ab
"""


def say(notebook: Notebook, text: str) -> Locator:
    """Say something, and wait for its answer: the last message of the log."""
    log = notebook.builder.get_by_role("log").locator(".anb-message")
    before = log.count()
    box = notebook.builder.get_by_role("textbox", name="Describe the audience")
    box.fill(text)
    box.press("Enter")
    expect(log.nth(before + 1)).to_be_visible(timeout=60_000)
    expect(notebook.builder.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    return log.last


def run_again(notebook: Notebook, place: int) -> Locator:
    """Run a cell once more, and wait until it has run."""
    cell = notebook.page.locator(".jp-CodeCell").nth(place)
    before = int(cell.locator(".jp-InputPrompt").inner_text().strip("[]: "))
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    expect(cell.locator(".jp-InputPrompt")).to_have_text(f"[{before + 1}]:")
    return cell


def test_everything_can_be_said(watched: Watched, lab: Lab) -> None:
    notebook = start(watched, lab, "talk.ipynb", [PLANTED])
    builder = notebook.builder
    ask(notebook, "people by spend, age and trips")
    expect(say(notebook, "drop trips")).to_contain_text("Trips")
    expect(builder.get_by_role("checkbox", name="Trips")).to_have_count(0)
    expect(say(notebook, "ajoute la région")).to_contain_text("Region")
    expect(builder.get_by_role("checkbox", name="Region")).to_be_checked()
    # What cannot be is explained, with the nearest that can.
    impossible = say(notebook, "4 segments, none above 15 %")
    expect(impossible).to_contain_text("15")
    assert builder.get_by_role("article").count() == 0
    say(notebook, "8 segments, none above 15 %")
    say(notebook, "build the segments")
    expect(builder.get_by_role("article")).to_have_count(8, timeout=90_000)
    sizes = builder.locator("article").all_inner_texts()
    assert len(sizes) == 8
    say(notebook, "call segment 2 Weekend buyers")
    expect(builder.get_by_role("heading", name="Weekend buyers")).to_be_visible()
    say(notebook, "compare segments 1 and 2")
    expect(builder.locator(".anb-compared").filter(has_text="Weekend buyers")).to_be_visible()
    assert notebook.axe() == []
    notebook.screenshot("12-talk-light")
    say(notebook, "undo")
    say(notebook, "undo")
    expect(builder.get_by_role("heading", name="Weekend buyers")).to_have_count(0)
    assert notebook.errors == []
    assert watched.blocked == []


def test_two_views_agree_and_a_reload_finds_them_again(watched: Watched, lab: Lab) -> None:
    notebook = start(watched, lab, "twice.ipynb", [PLANTED, "ab"])
    page = notebook.page
    first, second = page.locator(".anb").nth(0), page.locator(".anb").nth(1)
    box = first.get_by_role("textbox", name="Describe the audience")
    box.fill("spend by age")
    box.press("Enter")
    spend = second.get_by_role("checkbox", name="Spend")
    expect(spend).to_be_checked(timeout=60_000)
    spend.uncheck()
    expect(first.get_by_role("checkbox", name="Spend")).not_to_be_checked()
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")

    page.goto(f"{lab.base}/lab/tree/twice.ipynb?token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    expect(page.locator(".anb")).to_have_count(2, timeout=60_000)
    again = page.locator(".anb").nth(0)
    expect(again.get_by_role("checkbox", name="Spend")).not_to_be_checked(timeout=60_000)
    expect(again.get_by_role("checkbox", name="Age")).to_be_checked()
    # It is not a picture of the view, but the view.
    again.get_by_role("checkbox", name="Spend").check()
    expect(page.locator(".anb").nth(1).get_by_role("checkbox", name="Spend")).to_be_checked()
    assert watched.blocked == []


def test_the_next_cell_runs_while_segments_are_built(watched: Watched, lab: Lab) -> None:
    cells = [
        "from audience_nb import AudienceBuilder\nab = AudienceBuilder(n_records=200_000)\nab",
        "print('meanwhile', 6 * 7)",
    ]
    notebook = start(watched, lab, "meanwhile.ipynb", cells)
    builder = notebook.builder
    ask(notebook, "cycling")
    builder.get_by_role("button", name="Build segments").click()
    progress = builder.get_by_role("progressbar", name="Building segments")
    progress.wait_for()
    cell = run_again(notebook, 1)
    expect(cell.locator(".jp-OutputArea-output")).to_have_text("meanwhile 42")
    expect(progress).to_be_visible()
    builder.get_by_role("button", name="Cancel").click()
    expect(progress).to_have_count(0)
    assert builder.get_by_role("article").count() == 0
    stopped = builder.get_by_role("alert").filter(has_text="Stopped, as you asked.")
    expect(stopped).to_contain_text("Nothing was changed.")
    # What was there before is still there.
    assert builder.get_by_role("checkbox", checked=True).count() >= 3
    assert notebook.errors == []


FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const label = e.labels?.[0]?.innerText ?? "";
  return {
    inside: Boolean(e.closest(".anb")),
    name: (e.getAttribute("aria-label") || label || e.innerText || "").trim(),
    type: e.type ?? e.tagName,
    outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
  };
}"""


def tab_to(notebook: Notebook, name: str, *, most: int = 150) -> None:
    """Press Tab until something of that name has the focus, which must always be seen."""
    seen = []
    for _ in range(most):
        notebook.page.keyboard.press("Tab")
        focused = notebook.page.evaluate(FOCUSED)
        assert focused["inside"], f"The focus left the view before {name!r}: {seen}"
        assert focused["outline"], f"No outline around {focused}"
        seen.append(focused["name"])
        if focused["name"].startswith(name):
            return
    raise AssertionError(f"{name!r} is not among {seen}")


def test_the_whole_road_by_keyboard_alone(watched: Watched, lab: Lab) -> None:
    notebook = start(watched, lab, "keyboard.ipynb", [PLANTED])
    builder, keyboard = notebook.builder, notebook.page.keyboard
    builder.locator("summary").first.focus()
    tab_to(notebook, "Describe the audience")
    keyboard.type("spend by age and trips")
    keyboard.press("Enter")
    builder.locator(".anb-row").first.wait_for(timeout=60_000)
    # The last question comes back with Up, and goes with Escape.
    keyboard.press("ArrowUp")
    box = builder.get_by_role("textbox", name="Describe the audience")
    expect(box).to_have_value("spend by age and trips")
    keyboard.press("Escape")
    tab_to(notebook, "Trips")
    keyboard.press("Space")
    expect(builder.get_by_role("checkbox", name="Trips")).not_to_be_checked()
    tab_to(notebook, "Build segments")
    keyboard.press("Enter")
    builder.get_by_role("article").first.wait_for(timeout=90_000)
    expect(builder.get_by_role("button", name="Build segments")).to_be_visible(timeout=60_000)
    tab_to(notebook, "In the audience")
    keyboard.press("Space")
    expect(builder.locator(".anb-audience")).to_contain_text("in 1 of")
    tab_to(notebook, "File name")
    keyboard.type("by keyboard")
    tab_to(notebook, "Export CSV")
    keyboard.press("Enter")
    expect(builder.locator(".anb-written code").first).to_have_text("exports/by keyboard.csv")
    assert (lab.root / "exports" / "by keyboard.csv").exists()
    assert notebook.errors == []


def test_at_twice_the_size_nothing_is_cut_off(watched: Watched, lab: Lab) -> None:
    notebook = start(watched, lab, "zoom.ipynb", [PLANTED])
    # 1280 x 900 at 200 % are 640 x 450 CSS pixels.
    notebook.page.set_viewport_size({"width": 640, "height": 450})
    ask(notebook, "spend by age")
    build(notebook)
    wider = notebook.builder.evaluate(
        """e => [...e.querySelectorAll('*')].filter(x => !x.closest('svg, .anb-hidden')
             && x.getBoundingClientRect().right > e.getBoundingClientRect().right + 1)
             .map(x => x.outerHTML.slice(0, 120))"""
    )
    assert wider == []
    assert notebook.builder.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    send = notebook.builder.get_by_role("button", name="Export CSV")
    send.scroll_into_view_if_needed()
    assert send.is_visible()
    assert notebook.axe() == []


def test_a_saved_notebook_speaks_and_holds_no_record(watched: Watched, lab: Lab) -> None:
    notebook = start(watched, lab, "saved.ipynb", [PLANTED, "ab"])
    builder = notebook.builder.first
    box = builder.get_by_role("textbox", name="Describe the audience")
    box.fill("spend by age and trips")
    box.press("Enter")
    builder.locator(".anb-row").first.wait_for(timeout=60_000)
    builder.get_by_role("button", name="Build segments").click()
    builder.get_by_role("article").first.wait_for(timeout=90_000)
    # The picture that is stored is that of the moment at which a cell ran.
    run_again(notebook, 1)
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    path = Path(lab.root / "saved.ipynb")
    still = ""
    for _ in range(50):
        notebook.page.wait_for_timeout(200)
        document = json.loads(path.read_text(encoding="utf-8"))
        still = "".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in document["cells"]
            for output in cell["outputs"]
        )
        if "segments" in still:
            break
    assert "spend by age and trips" in still
    assert "<svg" in still
    saved = path.read_text(encoding="utf-8").replace(PLANTED, "")
    written = saved.split('"source"')[0] + still
    assert "planted-" not in still
    values = [f"{value:.7f}" for value in _planted_values()]
    assert sum(value in written for value in values) == 0


def _planted_values() -> list[float]:
    scope: dict[str, object] = {}
    exec(PLANTED.split("ab = ")[0].replace("from audience_nb import AudienceBuilder", ""), scope)
    frame = scope["frame"]
    return [*frame["spend"], *frame["trips"]]  # type: ignore[index]
