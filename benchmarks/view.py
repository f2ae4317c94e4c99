"""How long a person waits: package import, view, type-ahead, suggestions, segments.

    python benchmarks/view.py [--make]

Starts a real JupyterLab and Chromium on the demo data, three times over, and prints medians. With
--make it starts from `make lab` in this checkout (the environment is there already), so that the
time to the first visible view includes what the Makefile does.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from labdriver import (  # noqa: E402
    Notebook,
    browser,
    jupyterlab,
    open_notebook,
    write_notebook,
)

QUERY = "environmentally conscious millennials with high income"
CELL = "from audience_nb import AudienceBuilder\nab = AudienceBuilder(n_records={records})\nab"
SIZES = (1_000, 100_000)
TYPED = ("cycling", "income", "organic food", "travel")


def imports() -> float:
    """Seconds that `import audience_nb` adds to a bare interpreter."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    bare = statistics.median(run("pass") for _ in range(5))
    return statistics.median(run("import audience_nb") for _ in range(5)) - bare


def walk(records: int) -> dict[str, float]:
    """Times of one walk, from starting the server to rendered segments."""
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as root:
        begun = time.perf_counter()
        with jupyterlab(Path(root), "JupyterLab Light") as lab, browser() as watched:
            write_notebook(lab.root / "first.ipynb", [CELL.format(records=records)])
            notebook = open_notebook(watched, lab, "first.ipynb")
            notebook.run()
            notebook.builder.wait_for()
            times["start of JupyterLab to a visible view"] = time.perf_counter() - begun
            box = notebook.builder.get_by_role("textbox", name="Describe the audience")
            for which in ("first", "second"):
                notebook.builder.get_by_role("button", name="Send").wait_for(timeout=90_000)
                box.fill(QUERY if which == "first" else "people who ride a bicycle")
                begun = time.perf_counter()
                box.press("Enter")
                text = "millennial" if which == "first" else "bicycle"
                row = notebook.builder.locator(".anb-row", has_text=text).first
                row.wait_for(timeout=90_000)
                times[f"{which} question to suggestions"] = time.perf_counter() - begun
            notebook.builder.get_by_role("button", name="Send").wait_for(timeout=90_000)
            times["last keystroke to type-ahead"] = statistics.median(
                typed(notebook, word) for word in TYPED
            )
            begun = time.perf_counter()
            notebook.builder.get_by_role("button", name="Build segments").click()
            notebook.builder.get_by_role("article").first.wait_for(timeout=300_000)
            times[f"click to segments, {records:,} records"] = time.perf_counter() - begun
    return times


def typed(notebook: Notebook, word: str) -> float:
    """Seconds from the last letter of a word to the first variable offered, pause included."""
    find = notebook.builder.get_by_role("combobox", name="Add a variable")
    find.fill("")
    find.press_sequentially(word[:-1], delay=20)
    begun = time.perf_counter()
    find.press_sequentially(word[-1])
    notebook.builder.get_by_role("listbox").get_by_role("option").first.wait_for(timeout=30_000)
    seconds = time.perf_counter() - begun
    find.press("Escape")
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--make", action="store_true", help="time what `make lab` does first, too")
    arguments = parser.parse_args()
    print(f"{'import audience_nb':<42}{imports():>7.3f} s")
    if arguments.make:
        start = time.perf_counter()
        subprocess.run(["make", ".venv/indexed"], cwd=ROOT, check=True, capture_output=True)
        print(f"{'make lab, before JupyterLab starts':<42}{time.perf_counter() - start:>7.3f} s")
    for records in SIZES:
        walks = [walk(records) for _ in range(3)]
        for name in walks[0]:
            if records == SIZES[0] or name.startswith("click"):
                print(f"{name:<42}{statistics.median(w[name] for w in walks):>7.3f} s")


if __name__ == "__main__":
    main()
