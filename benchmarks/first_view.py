"""How long a person waits: package import, view, suggestions, segments.

    python benchmarks/first_view.py [--make]

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

from labdriver import browser, jupyterlab, open_notebook, write_notebook  # noqa: E402

QUERY = "environmentally conscious millennials with high income"
CELL = "from audience_nb import AudienceBuilder\nab = AudienceBuilder()\nab"


def imports() -> float:
    """Seconds that `import audience_nb` adds to a bare interpreter."""

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    bare = statistics.median(run("pass") for _ in range(5))
    return statistics.median(run("import audience_nb") for _ in range(5)) - bare


def walk() -> dict[str, float]:
    """Times of one walk, from starting the server to rendered segments."""
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as root:
        begun = time.perf_counter()
        with jupyterlab(Path(root), "JupyterLab Light") as lab, browser() as watched:
            write_notebook(lab.root / "first.ipynb", [CELL])
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
            begun = time.perf_counter()
            notebook.builder.get_by_role("button", name="Build segments").click()
            notebook.builder.get_by_role("article").first.wait_for(timeout=90_000)
            times["click to segments, 1,000 records"] = time.perf_counter() - begun
    return times


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
    walks = [walk() for _ in range(3)]
    for name in walks[0]:
        print(f"{name:<42}{statistics.median(w[name] for w in walks):>7.3f} s")


if __name__ == "__main__":
    main()
