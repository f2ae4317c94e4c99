"""What the segments tell, walked with the keyboard in a real JupyterLab, in both themes."""

from __future__ import annotations

from labdriver import Lab, Watched, open_notebook, write_notebook
from playwright.sync_api import expect

CELL = """
import numpy as np, pandas as pd
from audience_nb import AudienceBuilder
rng = np.random.default_rng(0)
age = rng.integers(18, 80, 600)
frame = pd.DataFrame({
    "age": age,
    "income": rng.normal(60, 20, 600).round(),
    "visits": rng.poisson(4, 600),
    "bought": np.where(rng.random(600) < age / 120, "yes", "no"),
})
ab = AudienceBuilder(frame)
ab.session.confirm(["age", "income", "visits"])
ab.session.segment(12)
ab
"""


def test_insights_by_keyboard(watched: Watched, lab: Lab, theme: str) -> None:
    write_notebook(lab.root / "insights.ipynb", [CELL])
    notebook = open_notebook(watched, lab, "insights.ipynb")
    notebook.run()
    builder = notebook.builder
    builder.get_by_role("article").first.wait_for(timeout=90_000)
    builder.get_by_role("checkbox", name="In the audience").first.check()
    panel = builder.locator(".anb-insights")
    panel.locator("summary").focus()
    notebook.page.keyboard.press("Enter")

    def press(name: str) -> None:
        builder.get_by_role("button", name=name).focus()
        notebook.page.keyboard.press("Enter")

    press("Find lookalikes")
    slider = builder.get_by_role("slider", name="Size of the lookalike")
    expect(slider).to_be_visible(timeout=60_000)
    slider.focus()
    for _ in range(5):
        notebook.page.keyboard.press("ArrowRight")
    expect(builder.get_by_text("Size of the lookalike: 10% of everyone")).to_be_visible()
    expect(panel).to_contain_text("60 people")

    press("Count overlaps")
    heat = builder.get_by_role("table", name="Jaccard index")
    expect(heat).to_be_visible(timeout=60_000)
    assert heat.get_by_role("rowheader").count() >= 4

    builder.get_by_role("textbox", name="People in the whole base").fill("60,000")
    notebook.page.keyboard.press("Enter")
    expect(panel).to_contain_text("95% sure between", timeout=60_000)

    builder.get_by_role("combobox", name="Outcome").select_option("bought")
    press("Compare segments")
    told = builder.get_by_role("table", name="bought by segment")
    expect(told).to_be_visible(timeout=60_000)
    assert told.get_by_role("row").count() == 13
    press("Hold out")
    expect(panel).to_contain_text("60 records held out", timeout=60_000)

    # Names by income are flagged, with another name beside them.
    rename = panel.get_by_role("button", name="Rename to").first
    name = rename.inner_text().split("“")[1].rstrip("”")
    rename.focus()
    notebook.page.keyboard.press("Enter")
    expect(builder.get_by_role("article", name=name)).to_be_visible(timeout=60_000)

    assert notebook.axe() == []
    notebook.screenshot(f"insights-{theme.lower()}")
    assert notebook.errors == []
    assert watched.blocked == []
