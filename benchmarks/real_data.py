"""The whole road on real tables: question, variables, segments, CSV, read back.

    python benchmarks/real_data.py PATH

PATH is a folder with `person/*.csv` (where each came from stands in its PROVENANCE.md). Prints one
line a table and, with --names, what the segments are called.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--names", action="store_true", help="print the segments' names")
    arguments = parser.parse_args()
    print(
        f"{'table':<28}{'records':>8}{'columns':>8}{'index s':>8}{'ask ms':>7}{'build s':>8}"
        f"{'k':>4}{'bounds':>10}{'smallest':>9}{'largest':>8}{'file':>6}"
    )
    for table, dictionary, id_column, question in ROADS:
        folder = arguments.path / "person"
        session = Session(folder / table, folder / dictionary if dictionary else None, id=id_column)
        start = time.perf_counter()
        _ = session.index
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
        sizes = frame["segment"].value_counts()
        smallest, largest = segmentation.bounds
        assert len(frame) == session.source.n_records
        assert sizes.min() >= smallest >= np.ceil(0.05 * len(frame)) - 1e-9
        assert sizes.max() <= largest <= np.floor(0.10 * len(frame)) + 1e-9
        print(
            f"{table:<28}{len(frame):>8,}{len(session.catalog):>8}{indexed:>8.2f}"
            f"{1000 * asked:>7.0f}{built:>8.2f}{segmentation.n_segments:>4}"
            f"{f'{smallest}-{largest}':>10}{sizes.min():>9}{sizes.max():>8}{'same':>6}"
        )
        if arguments.names:
            print("   asked:", question)
            for suggestion in session.suggestions:
                print(f"   {suggestion.score:.2f} {suggestion.variable.label} | {suggestion.why}")
            for segment in segmentation.segments:
                print(f"   {segment.size:>5} {segment.name}")


if __name__ == "__main__":
    main()
