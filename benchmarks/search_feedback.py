"""What learning from use gains: picks on half of the judged queries, measured on the others.

    python benchmarks/search_feedback.py PATH [--splits 20]

PATH is a folder with `judgments/` and the catalogues they are for (where each came from stands in
its PROVENANCE.md). For each half of the queries the 15 variables shown are told apart: the relevant
ones were taken, the others left; nothing is told where none was relevant. nDCG@10 without and with
what was learnt is then measured on the other half, on the same queries asked again, and on the same
queries without their longest word.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from audience_nb import Catalog, SearchIndex
from audience_nb.search import Suggestion
from audience_nb.search.evaluate import ndcg
from audience_nb.search.feedback import Feedback

# Suggestions that a person sees, and those from which what was taken can come up.
SHOWN, DEPTH = 15, 30

Judged = tuple[str, frozenset[str]]


def sets(folder: Path) -> Iterator[tuple[str, Catalog, list[Judged]]]:
    """Give each catalogue and its judged queries."""
    catalog = Catalog.read(next((folder / "catalogs").glob("*column_metadata.csv")))
    with (folder / "judgments" / "acs_dev.jsonl").open(encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    yield "labels, ACS", catalog, [(e["query"], frozenset(e["rel"])) for e in entries]
    catalog = Catalog.read(next((folder / "catalogs").glob("*taxonomy*.tsv")))
    labels = dict(zip(catalog.codes, catalog.column("label"), strict=True))
    yield "own words, IAB", catalog, matched(folder / "judgments/own_words_iab_dev.tsv", labels)
    catalog = Catalog.read(folder / "person" / "young_people_columns.csv")
    names = {code: code for code in catalog.codes}
    yield (
        "own words, survey",
        catalog,
        matched(folder / "judgments/own_words_survey_dev.tsv", names),
    )


def matched(path: Path, texts: dict[str, str]) -> list[Judged]:
    """Read queries whose relevant codes are those whose text matches an expression."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    judged = [
        (query, frozenset(code for code, text in texts.items() if re.search(expression, text)))
        for query, expression in rows
    ]
    return [(query, relevant) for query, relevant in judged if relevant]


def without_longest_word(query: str) -> str:
    words = query.split()
    if len(words) < 3:
        return query
    longest = max(range(len(words)), key=lambda i: len(words[i]))
    return " ".join(words[:longest] + words[longest + 1 :])


def quality(suggestions: list[Suggestion], relevant: Collection[str]) -> float:
    return ndcg([s.variable.code for s in suggestions], relevant)


def measure(catalog: Catalog, judged: list[Judged], n_splits: int) -> dict[str, np.ndarray]:
    """Give nDCG@10 without and with, per split, shape (n_splits, 2) each."""
    index = SearchIndex(catalog)
    asked = {query for query, _ in judged} | {without_longest_word(query) for query, _ in judged}
    found = {query: index.search(query, limit=DEPTH) for query in asked}
    result: dict[str, list[list[float]]] = {"other": [], "same": [], "rephrased": []}
    times = []
    for seed in range(n_splits):
        order = judged.copy()
        random.Random(seed).shuffle(order)
        told, held_back = order[: len(order) // 2], order[len(order) // 2 :]
        feedback = Feedback()
        for query, relevant in told:
            codes = [s.variable.code for s in found[query][:SHOWN]]
            taken = [code for code in codes if code in relevant]
            if taken:
                feedback.accept(query, taken)
                feedback.reject(query, [code for code in codes if code not in relevant])
        feedback.rerank(told[0][0], found[told[0][0]], catalog)
        for name, queries in (
            ("other", held_back),
            ("same", told),
            ("rephrased", [(without_longest_word(q), relevant) for q, relevant in told]),
        ):
            pairs = []
            for query, relevant in queries:
                start = time.process_time()
                moved = feedback.rerank(query, found[query], catalog)
                times.append(time.process_time() - start)
                pairs.append((quality(found[query], relevant), quality(moved, relevant)))
            result[name].append(list(np.mean(pairs, axis=0)))
    return {**{k: np.array(v) for k, v in result.items()}, "ms": 1000 * np.array(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    options = parser.parse_args()
    print(
        f"{'set':<19}{'queries':>8}  {'asked':<10}{'without':>8}{'with':>7}{'gain':>8}"
        f"{'least':>8}{'most':>8}{'splits worse':>14}{'ms':>6}"
    )
    for name, catalog, judged in sets(options.path):
        measured = measure(catalog, judged, options.splits)
        for asked in ("other", "same", "rephrased"):
            table = measured[asked]
            gains = table[:, 1] - table[:, 0]
            print(
                f"{name:<19}{len(judged):>8}  {asked:<10}{table[:, 0].mean():>8.3f}"
                f"{table[:, 1].mean():>7.3f}{gains.mean():>+8.3f}{gains.min():>+8.3f}"
                f"{gains.max():>+8.3f}{(gains < 0).sum():>14}{np.median(measured['ms']):>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
