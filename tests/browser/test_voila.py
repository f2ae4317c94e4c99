"""The same road as a page without code, for people who never open a notebook."""

from __future__ import annotations

from pathlib import Path

from labdriver import Notebook, Watched, voila
from playwright.sync_api import expect

from audience_nb import Audience

PAGE = Path(__file__).parents[2] / "notebooks" / "page.ipynb"


def test_the_page_goes_from_a_sentence_to_a_file(watched: Watched, tmp_path: Path) -> None:
    with voila(tmp_path, PAGE) as served:
        page = watched.context.new_page()
        notebook = Notebook(page)
        page.on("pageerror", lambda error: notebook.errors.append(str(error)))
        page.goto(f"{served.base}/?token={served.token}")
        builder = notebook.builder
        builder.wait_for(timeout=90_000)
        assert page.get_by_text("from audience_nb import").count() == 0
        box = builder.get_by_role("textbox", name="Describe the audience")
        box.fill("retired homeowners who give to charity")
        box.press("Enter")
        builder.locator(".anb-row").first.wait_for(timeout=90_000)
        builder.get_by_role("button", name="Build segments").click()
        builder.get_by_role("article").first.wait_for(timeout=90_000)
        expect(builder.locator(".anb-chart-place svg.marks")).to_have_count(5)
        # A click on a bar is a pick, as a tick on its card is.
        builder.locator(".anb-chart-choose").first.locator(".mark-rect path").first.click()
        expect(builder.get_by_role("checkbox", name="In the audience").first).to_be_checked()
        expect(builder.locator(".anb-audience")).to_contain_text("in 1 of")
        assert notebook.axe() == []
        builder.get_by_role("textbox", name="File name").fill("from the page")
        builder.get_by_role("button", name="Export CSV").click()
        written = builder.locator(".anb-written code").first
        expect(written).to_have_text("exports/from the page.csv")
        notebook.screenshot("5-voila")
        assert len(Audience.read_csv(tmp_path / "exports" / "from the page.csv")) >= 50
        assert notebook.errors == []
        # Voila itself asks for icon fonts; the view asks for nothing.
        assert [url for url in watched.blocked if "fontawesome" not in url.replace("-", "")] == []
