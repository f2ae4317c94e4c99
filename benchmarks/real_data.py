"""The whole road on real tables: codebook, question, variables, records, segments, CSV, read back.

    python benchmarks/real_data.py PATH [--names] [--browser]

PATH is a folder with `person/*.csv` and `area/*.csv` (where each came from stands in its
PROVENANCE.md). Prints one line a table: CPU seconds of each step, the number of segments, what
sizes were allowed and found; with --names also what the codebook left out and judged, what was
found and what the segments are called; with --browser it walks the road once more in a real
JupyterLab, by typing and clicking in Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from audience_nb import Audience, Session
from audience_nb.transposing import transpose

# What the columns of a table without a codebook mean, in our own words.
MARKETING = {
    "year_birth": "Year of birth",
    "Dt_Customer": "Customer since",
    "Kidhome": "Number of small children at home",
    "Teenhome": "Number of teenagers at home",
    "Recency": "Days since the last purchase",
    "MntWines": "Spending on wine",
    "MntFruits": "Spending on fruit",
    "MntMeatProducts": "Spending on meat",
    "MntFishProducts": "Spending on fish",
    "MntSweetProducts": "Spending on sweets",
    "MntGoldProds": "Spending on gold",
    "NumDealsPurchases": "Number of purchases with a discount",
    "NumWebPurchases": "Number of web purchases",
    "NumCatalogPurchases": "Number of catalogue purchases",
    "NumStorePurchases": "Number of store purchases",
    "NumWebVisitsMonth": "Number of web visits in the last month",
}
TORONTO = "toronto_neighbourhood_profiles_2016.csv"
# Table, codebook, id column, question.
ROADS: list[tuple[str, Any, str | None, str]] = [
    (
        "young_people_responses.csv",
        "young_people_columns.csv",
        None,
        "outgoing music lovers who spend money on going out",
    ),
    ("telco_customer_churn.csv", None, "customerID", "customers at risk of leaving, paying a lot"),
    (
        "marketing_campaign.csv",
        MARKETING,
        "ID",
        "wealthy wine buyers without children at home",
    ),
    ("cc_general.csv", None, "customer_id", "people who pay by instalments and take cash advances"),
    (TORONTO, None, None, "renters in apartments, low income, recent immigrants"),
]


def opened(folder: Path, table: str, dictionary: Any, id_column: str | None) -> Session:
    """Start a session, with areas made records where the table has variables in rows."""
    if table == TORONTO:
        cells = pd.read_csv(folder / "area" / table, dtype=str)
        profile = transpose(cells, shares=True)
        return Session(profile.frame, dictionary=profile.dictionary)
    if isinstance(dictionary, str):
        dictionary = folder / "person" / dictionary
    return Session(folder / "person" / table, dictionary, id=id_column)


def headless(folder: Path, *, names: bool) -> None:
    """Walk the road in code and print one line a table."""
    print(
        f"{'CPU seconds of':<24}{'records':>8}{'columns':>8}{'left out':>9}{'codebook':>9}"
        f"{'index':>7}{'ask':>6}{'load':>6}{'segment':>8}{'k':>4}{'bounds':>9}{'sizes':>9}{'file':>6}"
    )
    for table, dictionary, id_column, question in ROADS:
        clock = Clock()
        session = opened(folder, table, dictionary, id_column)
        clock.tick()
        session.find("warm")
        clock.tick()
        session.ask(question, limit=8)
        clock.tick()
        session.confirm()
        session.load()
        clock.tick()
        segmentation = session.segment()
        clock.tick()
        with tempfile.TemporaryDirectory() as out:
            frame = Audience.read_csv(session.export(Path(out) / "audience.csv"))
        check(frame, session.source.n_records)
        audience = session.audience
        assert audience is not None
        same = frame.equals(audience.frame)
        sizes = frame["segment"].value_counts()
        smallest, largest = segmentation.bounds
        codebook = session.catalog.codebook
        assert codebook is not None
        took = clock.seconds
        print(
            f"{Path(table).stem[:23]:<24}{len(frame):>8,}{len(codebook.columns):>8,}"
            f"{len(codebook.left_out):>9}{took[0]:>9.2f}{took[1]:>7.2f}{took[2]:>6.2f}{took[3]:>6.2f}"
            f"{took[4]:>8.2f}{segmentation.n_segments:>4}{f'{smallest}-{largest}':>9}"
            f"{f'{sizes.min()}-{sizes.max()}':>9}{'same' if same else 'OTHER':>6}"
        )
        if names:
            for note in session.catalog.notes:
                print("   codebook:", note if len(note) < 200 else f"{note[:199]}…")
            print("   asked:", question)
            for suggestion in session.suggestions:
                print(f"   {suggestion.score:.2f} {suggestion.variable.label} | {suggestion.why}")
            for segment in segmentation.segments:
                print(f"   {segment.size:>5} {segment.name}")


class Clock:
    """CPU seconds between ticks."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._last = time.process_time()

    def tick(self) -> None:
        """Note what passed since the last tick."""
        now = time.process_time()
        self.seconds.append(now - self._last)
        self._last = now


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
            if table == TORONTO:
                continue
            if isinstance(dictionary, str):
                dictionary = str((folder / dictionary).resolve())
            book = f", dictionary={dictionary!r}" if dictionary else ""
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
    headless(arguments.path, names=arguments.names)
    if arguments.browser:
        in_browser(arguments.path / "person")


if __name__ == "__main__":
    main()
