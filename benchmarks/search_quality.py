"""How well the search finds what people mean, beside other ways to rank, on the same judgments.

    python benchmarks/search_quality.py PATH [--cache DIRECTORY] [--queries]

PATH is laid out as `catalogs/`, `person/` and `judgments/`: column metadata of the American
Community Survey, the IAB Audience Taxonomy, the columns of a survey, and judged queries on each
(`*acs*.jsonl`, `*iab*.tsv`, `*survey*.tsv`; those named `*acs_fr*` are French). Prints nDCG@10 with
95 % bootstrap intervals for each way to rank: our default, what it is without each of its parts,
and its peers. BM25 needs `pip install bm25s`; without it the row is left out. With --cache the
vectors of a run before are used again; with --queries the worst queries are listed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audience_nb.catalog import Catalog
from audience_nb.search import Concepts, Evaluation, SearchIndex, Suggestion, evaluate
from audience_nb.search.fusion import Weights
from audience_nb.search.judgments import read_judgments
from audience_nb.search.lexical import Analyzer

# What is judged: name, file of the catalogue, pattern of the judgments.
SETS = (
    ("ACS", "catalogs/*column_metadata.csv", "*acs*.jsonl"),
    ("IAB", "catalogs/iab_*.tsv", "*iab*.tsv"),
    ("survey", "person/young_people_columns.csv", "*survey*.tsv"),
    ("French", "catalogs/*column_metadata.csv", "*acs_fr*.jsonl"),
)
DEPTH = 100
RRF_CONSTANT = 60

Judgments = list[tuple[str, frozenset[str]]]
Scores = Callable[[str], np.ndarray]


@dataclass
class Ranked:
    """Something that scores every row of a catalogue, as a search."""

    catalog: Catalog
    scores: Scores

    def search(self, text: str, limit: int = 15) -> list[Suggestion]:
        scores = self.scores(text)
        best = np.lexsort((np.arange(len(scores)), -scores))[:limit]
        codes = self.catalog.codes
        return [
            Suggestion(self.catalog[codes[row]], float(scores[row]), rank, {}, "")
            for rank, row in enumerate(best.tolist(), start=1)
            if scores[row] > 0
        ]


def texts_of(catalog: Catalog) -> list[str]:
    """Everything that a peer is given of each variable."""
    columns = [catalog.column(name) for name in ("label", "description", "category", "keywords")]
    return [" ".join(dict.fromkeys(filter(None, row))) for row in zip(*columns, strict=True)]


def tf_idf(texts: Sequence[str], **options: object) -> Scores:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, strip_accents="unicode", **options)
    matrix = vectorizer.fit_transform(texts)
    return lambda query: (matrix @ vectorizer.transform([query]).T).toarray().ravel()


def bm25(texts: Sequence[str]) -> Scores | None:
    try:
        import bm25s  # type: ignore[import-not-found]
    except ImportError:
        return None
    analyzer = Analyzer()
    index = bm25s.BM25(method="lucene")
    index.index([analyzer.terms(text) or ["#"] for text in texts], show_progress=False)
    known = set(index.vocab_dict)

    def scores(query: str) -> np.ndarray:
        terms = [term for term in analyzer.terms(query) if term in known]
        return index.get_scores(terms) if terms else np.zeros(len(texts))

    return scores


def encoder_alone(catalog: Catalog, index: SearchIndex) -> Scores:
    """Cosines of the query as typed with what is kept of each variable."""
    encoder = index.encoder
    assert encoder is not None, "The encoder is not installed."
    documents = index._searcher.documents
    store = index._searcher._ranker.store
    assert store is not None
    rows = np.arange(len(documents))

    def scores(query: str) -> np.ndarray:
        return store.scores(encoder.encode([query])[0], rows)[documents.of_row]

    return scores


def reciprocal_rank_fusion(channels: Sequence[Scores]) -> Scores:
    """Cormack, Clarke & Buettcher 2009, over the first hundred of each channel."""

    def scores(query: str) -> np.ndarray:
        total: np.ndarray | float = 0.0
        for channel in channels:
            found = channel(query)
            order = np.lexsort((np.arange(len(found)), -found))[:DEPTH]
            part = np.zeros(len(found))
            part[order] = (found[order] > 0) / (RRF_CONSTANT + np.arange(1, len(order) + 1))
            total = total + part
        return np.asarray(total)

    return scores


def ways(catalog: Catalog, cache: Path) -> Iterator[tuple[str, SearchIndex | Ranked]]:
    """Give each way to rank a catalogue, by name."""

    def ours(weights: Weights, concepts: Concepts | None = None) -> SearchIndex:
        return SearchIndex(catalog, cache_dir=cache, weights=weights, concepts=concepts)

    default = Weights()
    index = ours(default)
    yield "audience_nb", index
    yield "  without concepts", ours(default, Concepts())
    yield "  without meaning", ours(replace(default, meaning=0.0))
    yield "  without words", ours(replace(default, coverage=0.0, words=0.0))
    yield "  without spelling", ours(replace(default, spelling=0.0))
    yield "  without burden", ours(replace(default, root=0.0, path=0.0))
    yield "60/40 of the document", ours(Weights.named("60/40"))
    yield "40/30/30 of the document", ours(Weights.named("40/30/30"))
    texts = texts_of(catalog)
    words = tf_idf(texts, ngram_range=(1, 2), stop_words="english")
    characters = tf_idf(texts, analyzer="char_wb", ngram_range=(3, 5))
    meaning = encoder_alone(catalog, index)
    yield "TF-IDF, 1-2 grams", Ranked(catalog, words)
    ranked = bm25(texts)
    if ranked is not None:
        yield "BM25 (bm25s), stemmed", Ranked(catalog, ranked)
    yield "TF-IDF, characters 3-5", Ranked(catalog, characters)
    yield "encoder alone", Ranked(catalog, meaning)
    lists = [ranked or words, characters, meaning]
    yield "RRF of the three", Ranked(catalog, reciprocal_rank_fusion(lists))


def load(folder: Path) -> dict[str, tuple[Catalog, Judgments, Path]]:
    """Read each catalogue and its judgments; sets that the folder lacks are left out."""
    catalogs: dict[Path, Catalog] = {}
    found = {}
    for name, catalog_pattern, judged_pattern in SETS:
        files = sorted(folder.glob(catalog_pattern))
        judged = [
            path
            for path in sorted((folder / "judgments").glob(judged_pattern))
            if name == "French" or "_fr" not in path.stem
        ]
        if not files or not judged:
            print(f"{name}: no catalogue or no judgments in {folder.name}, left out.")
            continue
        if files[0] not in catalogs:
            catalogs[files[0]] = Catalog.read(files[0])
        catalog = catalogs[files[0]]
        pairs = [pair for path in judged for pair in read_judgments(path, catalog)]
        found[name] = (catalog, pairs, files[0])
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--queries", action="store_true")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        run(given.path, given.cache or Path(scratch), queries=given.queries)


def run(folder: Path, cache: Path, *, queries: bool) -> None:
    """Evaluate every way on every set."""
    begun = time.perf_counter()
    sets = load(folder)
    results: dict[str, dict[str, Evaluation]] = {}
    by_catalog: dict[Path, list[str]] = {}
    for name, (_, _, file) in sets.items():
        by_catalog.setdefault(file, []).append(name)
    for names in by_catalog.values():
        for way, index in ways(sets[names[0]][0], cache):
            for name in names:
                results.setdefault(way, {})[name] = evaluate(index, sets[name][1])
    if "BM25 (bm25s), stemmed" not in results:
        print("BM25 is left out: pip install bm25s")
    heads = "".join(f"{f'{name} ({len(sets[name][1])})':>21}" for name in sets)
    print(f"{'nDCG@10 [95 % interval]':<26}{heads}")
    for way, by_set in results.items():
        print(f"{way:<26}" + "".join(f"{by_set[n].ndcg_10!s:>21}" for n in sets))
    ours = results["audience_nb"]
    print()
    for name in sets:
        one = ours[name]
        print(f"{name:<8} Recall@5 {one.recall_5}  Recall@20 {one.recall_20}  MRR@10 {one.mrr_10}")
    if {"ACS", "French"} <= set(sets):
        print(f"French over the same in English: {share_of_english(sets, ours, folder):.2f}")
    if queries:
        for name in sets:
            print(f"\n{name}, the worst:\n{ours[name].table().head(15).to_string(index=False)}")
    print(f"\n{time.perf_counter() - begun:.0f} s")


def share_of_english(
    sets: dict[str, tuple[Catalog, Judgments, Path]], ours: dict[str, Evaluation], folder: Path
) -> float:
    """Give what French queries reach of the same in English, or of all where none is told."""
    import json

    told: dict[str, str] = {}
    for path in sorted((folder / "judgments").glob("*acs_fr*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("en"):
                told[row["query"]] = row["en"]
    english = dict(zip(ours["ACS"].queries, ours["ACS"].by_query, strict=True))
    pairs = [
        (score, english[told[query]])
        for query, score in zip(ours["French"].queries, ours["French"].by_query, strict=True)
        if told.get(query) in english
    ]
    if not pairs:
        return ours["French"].ndcg_10.mean / ours["ACS"].ndcg_10.mean
    french, other = np.mean(pairs, axis=0)
    return float(french / other)


if __name__ == "__main__":
    main(sys.argv[1:])
