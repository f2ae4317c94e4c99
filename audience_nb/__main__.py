"""Prepare what a first use would wait for: `audience-nb`.

`audience-nb doctor` says what is there; `audience-nb audit verify FILE` looks through the record of
what left.

To prepare is to build the search index of the demo catalogue and to compile the clustering's loops.
Both are kept on disk; a second run takes a second or two.
"""

from __future__ import annotations

import argparse
import os
import sys
import time


def main() -> int:
    """Do what the command line says, and give the exit code."""
    parser = argparse.ArgumentParser(prog="audience-nb", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("prepare", help="prepare; the default")
    commands.add_parser("doctor", help="look at the environment; exits with 1 on a fault")
    audit = commands.add_parser("audit", help="the record of what left")
    actions = audit.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="exits with 1 if a line was changed or deleted")
    verify.add_argument("path", nargs="?", default=os.environ.get("AUDIENCE_NB_AUDIT"))
    verify.add_argument("--head", help="hash of a line, as it was noted elsewhere")
    given = parser.parse_args()
    if given.command == "doctor":
        from audience_nb.doctor import report

        return report()
    if given.command == "audit":
        from audience_nb import audit as log

        if given.path is None:
            verify.error("name the log, or set AUDIENCE_NB_AUDIT")
        return log.report(given.path, given.head)
    prepare()
    return 0


def prepare() -> None:
    """Prepare, and say how long it took."""
    import numpy as np

    from audience_nb import Catalog, ConstrainedKMedians, SearchIndex
    from audience_nb.kmedians.rows import SMALL

    start = time.perf_counter()
    shown = ""

    def tell(stage: str, fraction: float) -> None:
        nonlocal shown
        line = f"{stage} {fraction:4.0%}"
        if sys.stderr.isatty() and line != shown:
            shown = line
            print(f"\r{line:<60}", end="", file=sys.stderr)

    index = SearchIndex(Catalog.demo(), progress=tell)
    index.search("environmentally conscious millennials with high income")
    # Few rows and many take different loops.
    for n_records in (60, SMALL + 100):
        rows = np.random.default_rng(0).normal(size=(n_records, 2))
        ConstrainedKMedians(3, max_share=0.5, n_init=1, max_iter=3, random_state=0).fit(rows)
    print(f"Ready in {time.perf_counter() - start:.1f} s: {index.description}")


if __name__ == "__main__":
    sys.exit(main())
