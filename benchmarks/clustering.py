"""Clusters of bounded sizes beside other ways to them: `python benchmarks/clustering.py`.

Prints, from one run: CPU seconds and L1 cost beside k-means-constrained, the greedy repair of
k-means and our own clusters without size rule; how time grows with the records; how long a first
fit takes in a fresh process, with and without compiled code at hand; memory beyond the input.

The peer is no dependency of this package: pip install k-means-constrained

--peer-sizes 5000 20000   records on which the peer runs too (50000 takes it 15 to 120 s a kind)
--largest 1e6             records of the largest size in the tables (1e7 takes 40 s more)
--only peer floor scaling start memory
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

# This file's folder holds scripts, no modules.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).parent]

MIN_SHARE, MAX_SHARE = 0.05, 0.10


def rows_of(kind: str, n: int, d: int) -> np.ndarray:
    """Generate records: clouds of unequal weight with heavy tails, even, skewed, or tied."""
    rng = np.random.default_rng([len(kind), d])
    if kind == "clouds":
        middles = rng.normal(size=(14, d)) * 2
        shares = rng.dirichlet(np.full(14, 1.5))
        return middles[rng.choice(14, n, p=shares)] + 0.8 * rng.laplace(size=(n, d))
    if kind == "even":
        return rng.random((n, d))
    if kind == "skewed":
        return rng.lognormal(size=(n, d))
    # Half rounded numbers, half one answer of several: distances tie all over.
    half = d // 2
    answers = 2 * np.eye(d - half)[rng.integers(0, d - half, n)]
    return np.hstack([rng.normal(size=(n, half)).round(1), answers])


KINDS = ("clouds", "even", "skewed", "tied")


def l1_cost(X: np.ndarray, labels: np.ndarray, k: int) -> float:
    """L1 cost of labels, at the best centres for them."""
    return float(
        sum(
            np.abs(X[labels == j] - np.median(X[labels == j], axis=0)).sum()
            for j in range(k)
            if (labels == j).any()
        )
    )


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Labels, and the CPU seconds of all threads."""
    start = time.process_time()
    labels = work()
    return labels, time.process_time() - start


def ours(X: np.ndarray, k: int, n_init: int, *, free: bool = False) -> np.ndarray:
    from audience_nb.kmedians import ConstrainedKMedians

    bounds = (0.0, 1.0) if free else (MIN_SHARE, MAX_SHARE)
    model = ConstrainedKMedians(
        k, min_share=bounds[0], max_share=bounds[1], n_init=n_init, random_state=0
    ).fit(X)
    assert model.certificate_.gap <= 1e-9, model.certificate_
    assert model.certificate_.within_bounds
    return model.labels_


def greedy(X: np.ndarray, k: int, n_init: int) -> np.ndarray:
    """Repair k-means: hand records from clusters that are too large to such that are too small.

    At most ten rounds, each with the records farthest from their centre, each to the nearest
    cluster that wants some.
    """
    from scipy.spatial.distance import cdist
    from sklearn.cluster import KMeans

    n = len(X)
    low, high = -(-n * 5 // 100), n * 10 // 100
    labels = KMeans(k, n_init=n_init, random_state=0).fit_predict(X)
    for _ in range(10):
        sizes = np.bincount(labels, minlength=k)
        if sizes.max() <= high and sizes.min() >= low:
            break
        centers = np.stack(
            [np.median(X[labels == j], axis=0) if sizes[j] else X[j] for j in range(k)]
        )
        for j in np.flatnonzero(sizes > high):
            sizes = np.bincount(labels, minlength=k)
            takers = np.flatnonzero(sizes < low)
            takers = takers if len(takers) else np.flatnonzero(sizes < high)
            if not len(takers):
                break
            members = np.flatnonzero(labels == j)
            far = np.argsort(-np.abs(X[members] - centers[j]).sum(axis=1))
            moved = members[far[: max(0, sizes[j] - high)]]
            if len(moved):
                labels[moved] = takers[cdist(X[moved], centers[takers], "cityblock").argmin(axis=1)]
    return labels


def outside(labels: np.ndarray, k: int) -> int:
    """Records too many or too few in the clusters."""
    n, sizes = len(labels), np.bincount(labels, minlength=k)
    low, high = -(-n * 5 // 100), n * 10 // 100
    return int(np.maximum(sizes - high, 0).sum() + np.maximum(low - sizes, 0).sum())


def table(title: str, head: list[str], lines: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, *lines]:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    sys.stdout.flush()


def against_peer(sizes: list[int]) -> None:
    """Time and cost beside k-means-constrained, both with one start."""
    try:
        from k_means_constrained import KMeansConstrained
    except ImportError:
        print(
            "\nk-means-constrained is not installed: skipped. Run: pip install k-means-constrained"
        )
        return
    lines = []
    for n in sizes:
        for kind in KINDS:
            X, k = rows_of(kind, n, 10), 12
            mine, seconds = timed(lambda X=X, k=k: ours(X, k, 1))
            peer = KMeansConstrained(
                k, size_min=-(-n * 5 // 100), size_max=n * 10 // 100, n_init=1, random_state=0
            )
            theirs, long = timed(lambda X=X, peer=peer: peer.fit(X).labels_)
            ratio = l1_cost(X, mine, k) / l1_cost(X, theirs, k)
            lines.append(
                [
                    kind,
                    f"{n:,}",
                    f"{long:.2f}",
                    f"{seconds:.3f}",
                    f"{long / seconds:.0f}x",
                    f"{ratio:.4f}",
                ]
            )
    table(
        "Beside k-means-constrained (10 columns, 12 clusters, 5-10 %, n_init 1)",
        ["kind", "records", "its CPU s", "our CPU s", "less CPU", "our L1 / its"],
        lines,
    )


def against_floor(largest: int) -> None:
    """Time and cost beside the same without size rule, and the greedy repair."""
    lines = []
    for kind in KINDS:
        for d, k in ((10, 12), (20, 20)):
            X = rows_of(kind, largest, d)
            row, floor = [kind, f"{d}/{k}"], math.inf
            for n_init in (1, 4):
                free, base = timed(lambda X=X, k=k, n=n_init: ours(X, k, n, free=True))
                floor = min(floor, l1_cost(X, free, k))
                start = time.perf_counter()
                mine, seconds = timed(lambda X=X, k=k, n=n_init: ours(X, k, n))
                wall = time.perf_counter() - start
                row += [f"{base:.2f}", f"{seconds:.2f}", f"{wall:.2f}", f"{seconds / base:.2f}"]
            cost = l1_cost(X, mine, k)
            repaired = greedy(X, k, 1)
            row += [f"{cost / floor:.4f}", f"{l1_cost(X, repaired, k) / cost:.4f}"]
            lines.append([*row, f"{outside(repaired, k):,}"])
    table(
        f"{largest:,} records: without size rule (free), with it, and the greedy repair",
        [
            "kind",
            "d/k",
            "1 start: free CPU s",
            "CPU s",
            "wall s",
            "/ free",
            "4 starts: free CPU s",
            "CPU s",
            "wall s",
            "/ free",
            "L1 / free's",
            "greedy's L1 / ours",
            "greedy's out of bounds",
        ],
        lines,
    )


def scaling(largest: int) -> None:
    """CPU seconds from a thousand records on, and the exponent that fits the last two steps."""
    sizes = [10**p for p in range(3, 8) if 10**p <= largest]
    lines = []
    for kind in KINDS:
        seconds = [timed(lambda kind=kind, n=n: ours(rows_of(kind, n, 10), 12, 1)) for n in sizes]
        making = [timed(lambda kind=kind, n=n: rows_of(kind, n, 10)[:, 0]) for n in sizes]
        spent = [max(a[1] - b[1], 1e-3) for a, b in zip(seconds, making, strict=True)]
        steps = min(3, len(sizes))
        exponent = np.polyfit(np.log(sizes[-steps:]), np.log(spent[-steps:]), 1)[0]
        lines.append([kind, *(f"{s:.2f}" for s in spent), f"{exponent:.2f}"])
    table(
        "CPU seconds by records (10 columns, 12 clusters, n_init 1), and the last exponent",
        ["kind", *(f"{n:,}" for n in sizes), "exponent"],
        lines,
    )


CHILD = """
import sys, time
started = time.perf_counter(), time.process_time()
import numpy as np
from audience_nb.kmedians import ConstrainedKMedians
imported = time.perf_counter(), time.process_time()
n, k = int(sys.argv[1]), 12 if sys.argv[2] == "12" else "auto"
X = np.random.default_rng(0).normal(size=(n, 10))
begun = time.perf_counter(), time.process_time()
ConstrainedKMedians(k, random_state=0).fit(X)
ended = time.perf_counter(), time.process_time()
for a, b in ((started, imported), (begun, ended)):
    print(b[0] - a[0], b[1] - a[1])
"""


def first_fit() -> None:
    """A first fit in a fresh process, before and after its loops were ever compiled."""
    lines = []
    with tempfile.TemporaryDirectory() as empty:
        for n, k in (
            (1000, "12"),
            (1000, "auto"),
            (10_000, "12"),
            (10_000, "auto"),
            (20_000, "12"),
        ):
            for turn in ("cold", "warm"):
                ran = subprocess.run(
                    [sys.executable, "-c", CHILD, str(n), k],
                    env={**os.environ, "NUMBA_CACHE_DIR": empty},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                (a, b), (c, e) = (map(float, line.split()) for line in ran.stdout.splitlines())
                lines.append([f"{n:,}", k, turn, *(f"{s:.2f}" for s in (c, e, a, b))])
    table(
        "First fit in a fresh process (n_init 4)",
        ["records", "k", "compiled code", "wall s", "CPU s", "import wall s", "import CPU s"],
        lines,
    )


MEMORY = """
import resource, sys
import numpy as np
from audience_nb.kmedians import ConstrainedKMedians
n, dtype = int(sys.argv[1]), np.dtype(sys.argv[2])
rng = np.random.default_rng(0)
ConstrainedKMedians(3, max_share=0.5, n_init=1, random_state=0).fit(
    rng.random((12_000, 3)).astype(dtype))
X = np.empty((n, 10), dtype)
for a in range(0, n, 10_000):
    X[a : a + 10_000] = rng.normal(size=X[a : a + 10_000].shape)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ConstrainedKMedians(12, n_init=1, random_state=0).fit(X)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / X.nbytes)
"""


def memory(largest: int) -> None:
    """Peak memory beyond what the process held with the input, as a multiple of the input."""
    lines = []
    for dtype in ("float64", "float32"):
        ran = subprocess.run(
            [sys.executable, "-c", MEMORY, str(largest), dtype],
            capture_output=True,
            text=True,
            check=True,
        )
        lines.append([dtype, f"{float(ran.stdout):.2f}"])
    table(f"Memory beyond the input, {largest:,} x 10", ["input", "times the input"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-sizes", type=lambda n: int(float(n)), nargs="+")
    parser.add_argument("--largest", type=lambda n: int(float(n)), default=1_000_000)
    parser.add_argument(
        "--only", nargs="+", choices=["peer", "floor", "scaling", "start", "memory"]
    )
    options = parser.parse_args()
    from audience_nb.kmedians import prepare

    prepare()
    wanted = options.only or ["peer", "floor", "scaling", "start", "memory"]
    if "peer" in wanted:
        against_peer(options.peer_sizes or [5000, 20_000])
    if "floor" in wanted:
        against_floor(options.largest)
    if "scaling" in wanted:
        scaling(options.largest)
    if "start" in wanted:
        first_fit()
    if "memory" in wanted:
        memory(options.largest)


if __name__ == "__main__":
    main()
