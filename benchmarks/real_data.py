"""The whole road on real tables: question, variables, segments, CSV, read back.

    python benchmarks/real_data.py PATH [--names] [--browser]

PATH is a folder with `person/*.csv` (where each came from stands in its PROVENANCE.md). Prints one
line a table; with --names also what was found and what the segments are called; with --browser it
walks the road once more in a real JupyterLab, by typing and clicking in Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from audience_nb import Audience, Session

# Table, codebook, id column, question.
ROADS = [
    (
        "young_people_responses.csv",
        "young_people_columns.csv",
        None,
        "outgoing music lovers who spend money on going out",
    ),
    ("telco_customer_churn.csv", None, "customerID", "customers at risk of leaving, paying a lot"),
    ("marketing_campaign.csv", None, "ID", "wealthy wine buyers without children at home"),
    ("cc_general.csv", None, "customer_id", "people who pay by instalments and take cash advances"),
]


def headless(folder: Path, *, names: bool) -> None:
    """Walk the road in code and print one line a table."""
    print(
        f"{'table':<28}{'records':>8}{'columns':>8}{'index s':>8}{'ask ms':>7}{'build s':>8}"
        f"{'k':>4}{'bounds':>10}{'smallest':>9}{'largest':>8}{'file':>6}"
    )
    for table, dictionary, id_column, question in ROADS:
        session = Session(folder / table, folder / dictionary if dictionary else None, id=id_column)
        start = time.perf_counter()
        session.find("warm")
        indexed = time.perf_counter() - start
        start = time.perf_counter()
        session.ask(question, limit=8)
        asked = time.perf_counter() - start
        start = time.perf_counter()
        segmentation = session.build()
        built = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as out:
            frame = Audience.read_csv(session.export(Path(out) / "audience.csv"))
        check(frame, session.source.n_records)
        audience = session.audience
        assert audience is not None
        same = frame.equals(audience.frame)
        sizes = frame["segment"].value_counts()
        smallest, largest = segmentation.bounds
        print(
            f"{table:<28}{len(frame):>8,}{len(session.catalog):>8}{indexed:>8.2f}"
            f"{1000 * asked:>7.0f}{built:>8.2f}{segmentation.n_segments:>4}"
            f"{f'{smallest}-{largest}':>10}{sizes.min():>9}{sizes.max():>8}"
            f"{'same' if same else 'OTHER':>6}"
        )
        if names:
            print("   asked:", question)
            for suggestion in session.suggestions:
                print(f"   {suggestion.score:.2f} {suggestion.variable.label} | {suggestion.why}")
            for segment in segmentation.segments:
                print(f"   {segment.size:>5} {segment.name}")


def check(frame: pd.DataFrame, n_records: int) -> None:
    """Refuse a file that lacks a record or breaks the size rule."""
    sizes = frame["segment"].value_counts()
    if len(frame) != n_records or not frame.index.is_unique:
        raise SystemExit(f"{len(frame):,} rows for {n_records:,} records")
    if sizes.min() * 20 < n_records or sizes.max() * 10 > n_records:
        raise SystemExit(f"sizes from {sizes.min()} to {sizes.max()} of {n_records:,}")


def in_browser(folder: Path) -> None:
    """Walk it with mouse and keyboard; the driver is the one of the browser tests."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "browser"))
    from labdriver import browser, jupyterlab, open_notebook, write_notebook

    with (
        tempfile.TemporaryDirectory() as root,
        jupyterlab(Path(root), "JupyterLab Light") as lab,
        browser() as watched,
    ):
        for table, dictionary, id_column, question in ROADS:
            book = f", dictionary={str((folder / dictionary).resolve())!r}" if dictionary else ""
            cell = (
                "from audience_nb import AudienceBuilder\n"
                f"ab = AudienceBuilder({str((folder / table).resolve())!r}{book}, "
                f"id={id_column!r})\nab"
            )
            write_notebook(lab.root / f"{table}.ipynb", [cell])
            notebook = open_notebook(watched, lab, f"{table}.ipynb")
            notebook.run()
            box = notebook.builder.get_by_role("textbox", name="Describe the audience")
            box.fill(question)
            start = time.perf_counter()
            box.press("Enter")
            notebook.builder.locator(".anb-row").first.wait_for(timeout=90_000)
            asked = time.perf_counter() - start
            start = time.perf_counter()
            notebook.builder.get_by_role("button", name="Build segments").click()
            cards = notebook.builder.get_by_role("article")
            cards.first.wait_for(timeout=90_000)
            built = time.perf_counter() - start
            stem = Path(table).stem
            notebook.builder.get_by_role("textbox", name="File name").fill(stem)
            notebook.builder.get_by_role("button", name="Export CSV").click()
            notebook.builder.locator(".anb-written").wait_for(timeout=90_000)
            frame = Audience.read_csv(lab.root / "exports" / f"{stem}.csv")
            check(frame, frame.attrs["audience"]["base records"])
            picture = notebook.screenshot(f"real-{stem}")
            print(
                f"{table:<28} in JupyterLab: question to suggestions {asked:.2f} s, click to "
                f"segments {built:.2f} s, {cards.count()} segments, {len(frame):,} rows read back, "
                f"{len(notebook.errors)} errors, {len(watched.blocked)} requests outside, "
                f"picture {picture.name}"
            )
            if notebook.errors or watched.blocked:
                raise SystemExit(f"{notebook.errors[:3]} {watched.blocked[:3]}")


def main() -> None:
    """Read the arguments and walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--names", action="store_true", help="print what was found and named")
    parser.add_argument("--browser", action="store_true", help="walk in JupyterLab, too")
    arguments = parser.parse_args()
    headless(arguments.path / "person", names=arguments.names)
    if arguments.browser:
        in_browser(arguments.path / "person")


if __name__ == "__main__":
    main()
