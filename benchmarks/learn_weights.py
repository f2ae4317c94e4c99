"""Learn the constants of `Weights` from judged queries, and how well they carry over.

    python benchmarks/learn_weights.py PATH [--cache DIRECTORY] [--folds 5]

PATH is laid out as for `search_quality.py`. Candidates and what each channel says of them are taken
from the index as it is, once with all concepts and once with half of them, chosen at random, as no
list of concepts foresees what will be asked. The constants ascend a smooth nDCG@10 (Qin, Liu & Li
2010, ApproxNDCG) by L-BFGS-B. Printed: nDCG@10 with the constants in the code, with those learned
on everything, on the other folds (by query, a French query with its English), and without one sort.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from search_quality import Judgments, load

from audience_nb.catalog import Catalog
from audience_nb.search import Concepts, SearchIndex, default_concepts
from audience_nb.search.fusion import Evidence, Weights, fuse

LEARNED = ("meaning", "coverage", "words", "spelling", "sharpness", "trust", "root", "path")
# What a query of each sort counts: the sorts differ in size, not in importance.
IMPORTANCE = {"ACS": 1.0, "IAB": 4.0, "survey": 4.0, "French": 1.5}
SMOOTHNESS = (0.02, 0.008)
DEPTH = 10


@dataclass(frozen=True)
class Judged:
    """What the channels say of the candidates of one query, and which are relevant."""

    sort: str
    group: str
    meaning: np.ndarray | None
    evidence: Evidence
    spelling: np.ndarray
    burden: np.ndarray
    relevant: np.ndarray
    n_relevant: int

    def score(self, weights: Weights) -> np.ndarray:
        return fuse(self.meaning, self.evidence, self.spelling, weights, self.burden)[0]

    def gain(self, weights: Weights, smoothness: float | None) -> float:
        """Give nDCG@10; smooth, with ranks as sums of sigmoids, if so asked."""
        score = self.score(weights)
        if smoothness is None:
            order = np.lexsort((np.arange(len(score)), -score))[:DEPTH]
            gains = (self.relevant[order] / np.log2(np.arange(2, len(order) + 2))).sum()
        else:
            # The best is 1, so that one smoothness fits all queries.
            score = score / (score.max() or 1.0)
            apart = (score[None, :] - score[self.relevant][:, None]) / smoothness
            ranks = 0.5 + (1 / (1 + np.exp(-np.clip(apart, -30, 30)))).sum(axis=1)
            gains = (1 / np.log2(1 + ranks) / (1 + np.exp(ranks - DEPTH - 0.5))).sum()
        best = (1 / np.log2(np.arange(2, min(self.n_relevant, DEPTH) + 2))).sum()
        return float(gains / best)


def judged(
    sort: str, catalog: Catalog, pairs: Judgments, cache: Path, concepts: Concepts | None
) -> Iterator[Judged]:
    """Ask an index for the candidates of each query."""
    searcher = SearchIndex(catalog, cache_dir=cache, concepts=concepts)._searcher
    ranker, documents = searcher._ranker, searcher.documents
    for number, (query, codes) in enumerate(pairs):
        ranking = ranker.rank(replace(searcher._reader.read(query), facets=()), None)
        whole = ranking.whole
        if not len(ranking.documents):
            continue
        rows = [catalog.position(code) for code in codes]
        relevant = np.isin(ranking.documents, documents.of_row[rows])
        spelling = ranker.grams.like(whole.reading.words).at(ranking.documents)
        burden = cast(np.ndarray, ranker.burden)[ranking.documents].astype(float)
        # Queries on the same variables stay in one fold.
        group = f"{sort if sort != 'French' else 'ACS'} {sorted(codes)[0] if rows else number}"
        yield Judged(
            sort,
            group,
            whole.meaning,
            whole.evidence,
            spelling.astype(float),
            burden,
            relevant,
            len(np.unique(documents.of_row[rows])),
        )


def thinned(share: float, random_state: int) -> Concepts:
    """Give a random share of the concepts and words; all translations stay."""
    given = default_concepts()
    rng = np.random.default_rng(random_state)
    words = {
        word: [(means, relation) for means, relation in entries if keep or relation == "french"]
        for word, entries in given.words.items()
        for keep in [rng.random() < share]
    }
    kept = [concept for concept in given.concepts if rng.random() < share]
    return Concepts(kept, {word: entries for word, entries in words.items() if entries})


def learn(queries: Sequence[Judged], start: Weights) -> Weights:
    """Ascend the smooth gain."""
    from scipy.optimize import minimize

    importance = np.array([IMPORTANCE[q.sort] for q in queries])
    first = np.array([getattr(start, name) for name in LEARNED])

    def as_weights(values: np.ndarray) -> Weights:
        given: dict[str, Any] = dict(zip(LEARNED, map(float, values), strict=True))
        return replace(start, **given)

    def loss(values: np.ndarray, smoothness: float) -> float:
        weights = as_weights(values)
        gains = np.array([q.gain(weights, smoothness) for q in queries])
        return float(
            -(importance @ gains) / importance.sum() + 0.02 * ((values - first) ** 2).sum()
        )

    values = first
    for smoothness in SMOOTHNESS:
        values = minimize(
            loss,
            values,
            args=(smoothness,),
            method="L-BFGS-B",
            bounds=[(0, 4)] * len(values),
            options={"maxiter": 12, "eps": 2e-3},
        ).x
    four = values[:4].sum()
    values = np.concatenate([values[:4] / four, values[4:]])
    return as_weights(values)


def line(name: str, queries: Sequence[Judged], gains: Sequence[float]) -> None:
    by_sort: dict[str, list[float]] = {}
    for query, gain in zip(queries, gains, strict=True):
        by_sort.setdefault(query.sort, []).append(gain)
    figures = "  ".join(f"{sort} {np.mean(g):.3f}" for sort, g in by_sort.items())
    print(f"{name:<34}{figures}", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Learn and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    given = parser.parse_args(argv)
    sets = load(given.path)
    start = Weights()
    with tempfile.TemporaryDirectory() as scratch:
        cache = given.cache or Path(scratch)
        full = [q for n, (c, p, _) in sets.items() for q in judged(n, c, p, cache, None)]
        half = [
            q
            for n, (c, p, _) in sets.items()
            if n != "French"
            for q in judged(n, c, p, cache, thinned(0.5, 0))
        ]
    both = full + half
    line("as they are, all concepts", full, [q.gain(start, None) for q in full])
    line("as they are, half the concepts", half, [q.gain(start, None) for q in half])
    learned = learn(both, start)
    line("learned, all concepts", full, [q.gain(learned, None) for q in full])
    line("learned, half the concepts", half, [q.gain(learned, None) for q in half])
    groups = sorted({q.group for q in both})
    fold = dict(
        zip(groups, np.random.default_rng(0).permutation(len(groups)) % given.folds, strict=True)
    )
    held_back = np.zeros(len(full))
    for part in range(given.folds):
        weights = learn([q for q in both if fold[q.group] != part], start)
        for i, query in enumerate(full):
            if fold[query.group] == part:
                held_back[i] = query.gain(weights, None)
    line(f"learned on the other {given.folds - 1} folds", full, held_back.tolist())
    for names in (("ACS", "French"), ("IAB",), ("survey",), ("IAB", "survey")):
        if set(names) <= set(sets) and set(names) != set(sets):
            weights = learn([q for q in both if q.sort not in names], start)
            line(f"without {' and '.join(names)}", full, [q.gain(weights, None) for q in full])
    print("\n" + "\n".join(f"{name} = {getattr(learned, name):.2f}" for name in LEARNED))


if __name__ == "__main__":
    main(sys.argv[1:])
