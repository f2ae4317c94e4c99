"""Build the index of the demo catalogue, so that the first question is answered at once."""

from __future__ import annotations

import sys
import time

from audience_nb.catalog import Catalog
from audience_nb.search import SearchIndex


def main() -> None:
    """Open or build the index and say how long it took."""
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
    print(f"The index is ready ({index.description}; {time.perf_counter() - start:.1f} s).")


if __name__ == "__main__":
    main()
