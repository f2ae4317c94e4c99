"""The road from a sentence to a file, walked with mouse and keyboard in a real JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from labdriver import Lab, Notebook, Watched, open_notebook, write_notebook
from playwright.sync_api import expect

from audience_nb import Audience

QUERY = "environmentally conscious millennials with high income"
STATE = """
import json
print("STATE", json.dumps({
    "selected": ab.selected,
    "segments": [[s.id, s.name, s.size] for s in ab.segments],
    "audience": [s.id for s in ab.audience.segments] if ab.audience else None,
    "chart": type(ab.chart("sizes")).__name__ if ab.segments else None,
}))
"""
# Each in a place of its own: an element, a script, an attribute, a Vega expression, a template.
HOSTILE = [
    "<img src=x onerror=\\\"window.hacked='img'\\\">",
    "</td><script>window.hacked='script'</script>",
    "\\\" onmouseover=\\\"window.hacked='attribute'",
    "datum['x'] || (window.hacked='vega')",
    "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=2}",
]


def start(watched: Watched, lab: Lab, name: str, cells: list[str]) -> Notebook:
    write_notebook(lab.root / name, cells)
    notebook = open_notebook(watched, lab, name)
    notebook.run()
    notebook.builder.first.wait_for()
    return notebook


def state_of(notebook: Notebook) -> dict[str, Any]:
    output = notebook.run_cell('print("STATE"').filter(has_text="STATE {").last
    text = output.inner_text()
    state: dict[str, Any] = json.loads(text[text.index("{") :])
    return state


def ask(notebook: Notebook, query: str) -> None:
    box = notebook.builder.get_by_role("textbox", name="Describe the audience")
    box.fill(query)
    box.press("Enter")
    first = notebook.builder.locator(".anb-row").first
    first.wait_for(timeout=90_000)


def build(notebook: Notebook) -> None:
    notebook.builder.get_by_role("button", name="Build segments").click()
    notebook.builder.get_by_role("article").first.wait_for(timeout=90_000)
    # The button is itself again once the verb is answered.
    expect(notebook.builder.get_by_role("button", name="Build segments")).to_be_visible(
        timeout=90_000
    )


def test_from_a_sentence_to_a_file(watched: Watched, lab: Lab, theme: str) -> None:
    notebook = start(
        watched, lab, "audience.ipynb", ["from audience_nb import AudienceBuilder\n"
        "ab = AudienceBuilder()\nab", STATE]
    )  # fmt: skip
    builder, page = notebook.builder, notebook.page
    shade = theme.lower()
    assert builder.get_attribute("data-theme") == shade
    assert notebook.axe() == []
    notebook.screenshot(f"1-fresh-{shade}")

    ask(notebook, QUERY)
    expect(builder.get_by_role("log")).to_contain_text(QUERY)
    ticks = builder.get_by_role("checkbox")
    assert ticks.count() >= 10
    expect(builder.locator(".anb-chart-place svg.marks")).to_have_count(2)
    assert notebook.axe() == []

    row = builder.locator(".anb-row").first
    label = row.locator(".anb-row-label").inner_text()
    row.get_by_role("checkbox").uncheck()
    row.get_by_role("button", name="Why").click()
    expect(row.locator(".anb-reason")).to_be_visible()
    find = builder.get_by_role("combobox", name="Add a variable")
    find.press_sequentially("bicycle", delay=30)
    found = builder.get_by_role("listbox").get_by_role("option")
    found.first.wait_for(timeout=30_000)
    assert notebook.axe() == []
    notebook.screenshot(f"2-suggestions-{shade}")
    find.press("ArrowDown")
    added = found.first.locator("span").first.inner_text()
    find.press("Enter")
    expect(builder.get_by_role("checkbox", name=added)).to_be_checked()
    # "d d" deletes a cell in JupyterLab's command mode; here it is two letters.
    find.press_sequentially("dd")
    expect(find).to_have_value("dd")
    find.press("Escape")
    assert page.locator(".jp-CodeCell").count() == 2

    build(notebook)
    cards = builder.get_by_role("article")
    assert 10 <= cards.count() <= 20
    expect(builder.locator(".anb-chart-place svg.marks")).to_have_count(5)
    assert notebook.axe() == []
    notebook.screenshot(f"3-segments-{shade}")

    builder.get_by_role("button", name="Rename").first.click()
    name = builder.get_by_role("textbox", name="Name of the segment")
    name.fill("The first ones")
    name.press("Enter")
    expect(builder.get_by_role("heading", name="The first ones")).to_be_visible()
    builder.get_by_role("checkbox", name="In the audience: The first ones").check()
    cards.nth(2).get_by_role("checkbox").check()
    expect(builder.locator(".anb-audience")).to_contain_text("in 2 of")
    builder.get_by_role("textbox", name="File name").fill("from the browser")
    builder.get_by_role("button", name="Export CSV").click()
    written = builder.locator(".anb-written code").first
    expect(written).to_have_text("exports/from the browser.csv")
    assert notebook.axe() == []
    notebook.screenshot(f"4-exported-{shade}")

    state = state_of(notebook)
    segments = {id: (name, size) for id, name, size in state["segments"]}
    assert state["audience"] == [1, 3]
    assert label not in state["selected"]
    assert len(state["selected"]) == ticks.count() - len(segments) - 1
    frame = Audience.read_csv(lab.root / "exports" / "from the browser.csv")
    assert len(frame) == segments[1][1] + segments[3][1]
    assert set(frame["segment_name"]) == {"The first ones", segments[3][0]}
    assert set(state["selected"]) <= set(frame.columns)

    builder.get_by_role("button", name="Undo the record of the export").click()
    expect(builder.locator(".anb-written")).to_have_count(0)
    assert notebook.errors == []
    assert watched.blocked == []


ASKED = """
import json
shown = {s.variable.code: s.variable.kind for s in ab.session.suggestions}
state = ab.session.state
print("STATE", json.dumps({
    "kinds": sorted(set(shown.values())), "suggested": list(shown), "selected": ab.selected,
    "variants": {s.variable.code: list(s.variants) for s in ab.session.suggestions},
    "filters": state.filters.to_dict(), "intents": state.intents, "code": ab.to_code(),
}))
"""


def test_an_answer_is_filtered_meant_otherwise_and_swapped(
    watched: Watched, lab: Lab, theme: str
) -> None:
    notebook = start(
        watched, lab, "answer.ipynb", ["from audience_nb import AudienceBuilder\n"
        "ab = AudienceBuilder()\nab", ASKED]
    )  # fmt: skip
    builder, shade = notebook.builder, theme.lower()
    if shade == "dark":
        notebook.page.set_viewport_size({"width": 480, "height": 900})
    ask(notebook, "millennials who care about the enviroment")
    understood = builder.locator(".anb-understood")
    expect(understood).to_contain_text("millennials →")
    expect(understood).to_contain_text("enviroment → environment")

    # Another year or unit of the same measure, chosen with the keyboard.
    row = builder.locator(".anb-row", has=builder.page.locator(".anb-variant")).first
    chooser = row.get_by_role("combobox")
    before = chooser.input_value()
    chooser.focus()
    chooser.press("ArrowDown")
    expect(chooser).not_to_have_value(before)
    swapped = chooser.input_value()
    expect(builder.get_by_role("button", name="Undo the choice of")).to_be_visible()
    expect(row.get_by_role("checkbox")).to_be_checked()
    expect(chooser).to_be_focused()
    state = state_of(notebook)
    assert swapped in state["selected"]
    assert before not in state["selected"]
    assert before in state["variants"][swapped]
    assert repr(swapped) in state["code"]
    kind = row.locator("xpath=ancestor::*[@role='group'][1]").get_by_role("heading").inner_text()

    # Only another kind, and back: the chosen variant is still the chosen one.
    builder.locator(".anb-filters summary").click()
    kinds = builder.get_by_role("group", name="Kind")
    other = "Psychographic" if kind != "Psychographic" else "Demographic"
    kinds.get_by_role("checkbox", name=other).check()
    groups = builder.locator(".anb-group")
    expect(groups).to_have_count(1)
    expect(groups.get_by_role("heading")).to_have_text(other)
    assert notebook.axe() == []
    notebook.screenshot(f"7-filtered-{shade}")
    state = state_of(notebook)
    assert state["kinds"] == [other.lower()]
    assert state["filters"]["kinds"] == [other.lower()]
    assert "kinds=" in state["code"]
    builder.get_by_role("button", name="Clear filters").click()
    expect(builder.locator(f"option[value='{swapped}']").locator("..")).to_have_value(swapped)

    # What is meant, overridden.
    meant = builder.get_by_role("button", name="Lifestyle", exact=True)
    expect(meant).to_have_attribute("aria-pressed", "false")
    meant.click()
    expect(meant).to_have_attribute("aria-pressed", "true")
    expect(builder.get_by_role("button", name="As the question shows")).to_be_visible()
    expect(builder.get_by_role("button", name="Undo what was meant")).to_be_visible()
    assert "lifestyle" in state_of(notebook)["intents"]
    row.get_by_role("button", name="Why").click()
    expect(row.locator(".anb-reason")).to_be_visible()
    builder.locator(".anb-filters summary").click()
    assert notebook.axe() == []
    notebook.screenshot(f"8-meant-{shade}")

    # What is no question says so and stays in its box; the answer before stays as well.
    rows = builder.locator(".anb-row").count()
    box = builder.get_by_role("textbox", name="Describe the audience")
    box.fill("🎉🎉🎉")
    box.press("Enter")
    expect(builder.get_by_role("button", name="Send")).to_be_visible()
    expect(box).to_have_value("🎉🎉🎉")
    expect(builder.get_by_role("alert").filter(has_text="has no word")).to_be_visible()
    assert builder.locator(".anb-row").count() == rows
    assert builder.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    assert notebook.axe() == []
    notebook.screenshot(f"9-no-question-{shade}")
    assert notebook.errors == []
    assert watched.blocked == []


GATED = """
import threading, numpy as np, pandas as pd
from audience_nb import AudienceBuilder, OfflineEncoder

class Gated(OfflineEncoder):
    gate = threading.Event()

    def encode(self, texts):
        assert self.gate.wait(120)
        return super().encode(texts)

rng = np.random.default_rng(0)
frame = pd.DataFrame({"age": rng.integers(18, 90, 300), "spend": rng.gamma(2, 50, 300)})
ab = AudienceBuilder(frame, encoder=Gated())
ab
"""
# Run with the others it opens nothing.
OPEN = "if ab.session.suggestions: Gated.gate.set()"


@pytest.mark.parametrize("theme", ["Light"], indirect=True)
def test_meanings_are_learnt_while_one_works(watched: Watched, lab: Lab) -> None:
    # Learnt before, it would not be learnt again: so the kernel's cache is an empty one.
    cache = f"import os; os.environ['AUDIENCE_NB_CACHE'] = {str(lab.root / 'cache')!r}"
    notebook = start(watched, lab, "learning.ipynb", [cache, GATED, OPEN])
    builder = notebook.builder
    ask(notebook, "spend by age")
    expect(builder.get_by_role("progressbar", name="Learning meanings")).to_be_visible()
    expect(builder.get_by_text("answers go by words until then")).to_be_visible()
    assert notebook.axe() == []
    notebook.screenshot("10-learning-light")
    builder.get_by_role("checkbox", name="Spend").uncheck()
    notebook.run_cell("gate.set()")
    again = builder.get_by_role("button", name="Ask again with meanings")
    again.wait_for()
    # Nothing was replaced under anyone's hands.
    expect(builder.get_by_role("checkbox", name="Spend")).not_to_be_checked()
    expect(builder.locator(".anb-legend")).not_to_contain_text("Meaning")
    assert notebook.axe() == []
    notebook.screenshot("11-learnt-light")
    again.click()
    expect(builder.locator(".anb-legend")).to_contain_text("Meaning")
    expect(builder.get_by_role("checkbox", name="Spend")).not_to_be_checked()
    expect(again).to_have_count(0)
    assert notebook.errors == []
    assert watched.blocked == []


@pytest.mark.parametrize("theme", ["Light"], indirect=True)
def test_a_narrow_panel_cuts_nothing_off(watched: Watched, lab: Lab) -> None:
    cells = [
        "import numpy as np, pandas as pd\nfrom audience_nb import AudienceBuilder\n"
        "rng = np.random.default_rng(0)\n"
        "frame = pd.DataFrame({'age': rng.integers(18, 90, 300), 'spend': rng.gamma(2, 50, 300)})\n"
        "ab = AudienceBuilder(frame)\nab",
        STATE,
    ]
    notebook = start(watched, lab, "narrow.ipynb", cells)
    notebook.page.set_viewport_size({"width": 520, "height": 900})
    ask(notebook, "spend by age")
    build(notebook)
    width = notebook.builder.evaluate("e => e.clientWidth")
    assert 340 <= width <= 460
    assert notebook.builder.evaluate("e => e.scrollWidth - e.clientWidth") == 0
    wider = notebook.builder.evaluate(
        """e => [...e.querySelectorAll('*')].filter(x => !x.closest('svg, .anb-hidden')
             && x.getBoundingClientRect().right > e.getBoundingClientRect().right + 1)
             .map(x => x.outerHTML.slice(0, 120))"""
    )
    assert wider == []
    assert notebook.axe() == []
    notebook.screenshot("5-narrow-light")
    assert notebook.errors == []
    assert watched.blocked == []


@pytest.mark.parametrize("theme", ["Light"], indirect=True)
def test_labels_are_text_and_never_run(watched: Watched, lab: Lab) -> None:
    names = ", ".join(f'"{name}"' for name in HOSTILE)
    cells = [
        "import numpy as np, pandas as pd\nfrom audience_nb import AudienceBuilder\n"
        f"names = [{names}]\nrng = np.random.default_rng(0)\n"
        "frame = pd.DataFrame({n: rng.normal(size=200) for n in names[:3]})\n"
        "for n in names[3:]: frame[n] = rng.choice(names, 200)\n"
        "ab = AudienceBuilder(frame)\nab",
        STATE,
    ]
    notebook = start(watched, lab, "hostile.ipynb", cells)
    builder, page = notebook.builder, notebook.page
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    plain = [eval(f'"{name}"') for name in HOSTILE]
    # One message for each: whatever is said is shown, whether it finds something or not.
    for text in plain:
        box = builder.get_by_role("textbox", name="Describe the audience")
        box.fill(text)
        box.press("Enter")
        expect(builder.get_by_role("button", name="Send")).to_be_visible(timeout=60_000)
    find = builder.get_by_role("combobox", name="Add a variable")
    for text in ("img src", "script", "onmouseover", "datum", "constructor"):
        find.fill(text)
        option = builder.get_by_role("listbox").get_by_role("option").first
        option.wait_for(timeout=30_000)
        option.click()
    build(notebook)
    first = builder.locator("article").first
    first.get_by_role("checkbox").check()
    first.get_by_role("button", name="Rename").click()
    name = builder.get_by_role("textbox", name="Name of the segment")
    name.fill(plain[0] + " mine")
    name.press("Enter")
    expect(builder.get_by_role("heading", name=plain[0] + " mine")).to_be_visible()
    told = ""
    for place in builder.locator(".anb-chart-place").all():
        place.scroll_into_view_if_needed()
        for mark in place.locator("svg .mark-rect path, svg .mark-symbol path").all()[:12]:
            box_of_mark = mark.bounding_box()
            if box_of_mark and box_of_mark["width"] > 4:
                mark.hover(force=True)
                page.wait_for_timeout(60)
                told += page.locator("#anb-tooltip").inner_text()
    assert "window.hacked" in told
    assert page.locator("#anb-tooltip :not(h2, table, tbody, tr, td)").count() == 0
    builder.get_by_role("button", name="Export CSV").click()
    builder.locator(".anb-written").wait_for()
    notebook.screenshot("6-hostile-light")
    seen = builder.inner_text()
    for text in plain[:1]:
        assert text in seen
    assert page.evaluate("() => window.hacked ?? null") is None
    assert page.locator("img[src='x']").count() == 0
    assert builder.locator("script, img, iframe").count() == 0
    assert dialogs == []
    assert notebook.errors == []
    assert watched.blocked == []


@pytest.mark.parametrize("theme", ["Light"], indirect=True)
def test_a_restarted_kernel_is_said_to_be_silent(watched: Watched, lab: Lab) -> None:
    cells = [
        "import pandas as pd\nfrom audience_nb import AudienceBuilder\n"
        "ab = AudienceBuilder(pd.DataFrame({'age': [20, 31, 44, 58] * 25}))\nab",
    ]
    notebook = start(watched, lab, "silent.ipynb", cells)
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    notebook.page.evaluate(f"() => {kernel}.restart()")
    notebook.page.wait_for_function(f"() => {kernel}.status === 'idle'")
    box = notebook.builder.get_by_role("textbox", name="Describe the audience")
    box.fill("people")
    box.press("Enter")
    alert = notebook.builder.get_by_role("alert").filter(has_text="The kernel does not answer.")
    alert.wait_for(timeout=30_000)
    assert "run this cell again" in alert.inner_text()


def test_screenshots_are_kept_out_of_the_repository() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text(encoding="utf-8").split()
    assert "tests/browser/screenshots/" in ignored
