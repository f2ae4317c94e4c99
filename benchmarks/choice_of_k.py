"""Is the planted number of clusters found? `python benchmarks/choice_of_k.py [--quick | --learn]`.

Plants 10 to 20 clusters of 5-10 % in sets of twelve kinds, three degrees of overlap, 500 to 50,000
records and 3 to 20 columns, and prints for `n_clusters="auto"` and for seven other ways to choose,
all over clusters within the same bounds:

exact   share of sets where the planted number is chosen
±1      share where it is missed by 1 at most
|Δk|    by how much it is missed, on average
ARI     adjusted Rand index of the clusters with the planted ones, lost against the best number

Six kinds taught the weights in `audience_nb.kmedians.selection`; the table stands for the other
six first, which did not. Overlap is measured as the adjusted Rand index of the planted clusters
with the records' nearest planted medians, so that it means the same for every kind: the best that
K-medians could do.

--quick      a fifth of the sets
--learn      learn the weights again, on other sets of the six kinds, and print them
--jobs 2     processes
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# This file is called as the package is that it imports.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).parent]
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

LEARNT_FROM = ("gauss", "student", "mixed", "box", "noise columns", "outliers")
HELD_OUT = ("laplace", "rotated", "skewed", "nested", "one-hot", "stretched")
OVERLAPS = {"easy": 0.97, "medium": 0.88, "hard": 0.75}
SIZES, WIDTHS = (500, 1000, 5000, 50_000), (3, 4, 6, 10, 15, 20)
# Rows on which the other ways are computed, and on which overlap is set.
FEW = 2000


def sizes(n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Draw unequal sizes of 5 to 10 % that add up."""
    low, high = -(-n // 20), n // 10
    parts = rng.dirichlet(np.full(k, 2.0)) * n
    for _ in range(200):
        parts = np.clip(parts, low, high)
        parts *= n / parts.sum()
    whole = np.clip(parts, low, high).astype(int)
    while whole.sum() < n:
        whole[rng.choice(np.flatnonzero(whole < high))] += 1
    return whole


def deviations(kind: str, truth: np.ndarray, d: int, rng: np.random.Generator) -> np.ndarray:
    """Draw what sets records apart from the middle of their cluster, in some more than others."""
    shape, k = (len(truth), d), truth.max() + 1
    out = {
        "laplace": lambda: rng.laplace(size=shape),
        "student": lambda: rng.standard_t(3, size=shape) * 0.75,
        "skewed": lambda: rng.exponential(size=shape) * 1.3 - 0.9,
        "box": lambda: rng.uniform(-1.8, 1.8, size=shape),
    }.get(kind, lambda: rng.normal(size=shape) * 1.25)()
    if kind == "stretched":
        out *= np.exp(rng.normal(0, 0.5, (k, d)))[truth]
    if kind == "rotated":
        for j in range(k):
            turn = np.linalg.qr(rng.normal(size=(d, d)))[0] * np.exp(rng.normal(0, 0.5, d))
            out[truth == j] = out[truth == j] @ turn.T
    return out * rng.uniform(0.7, 1.4, k)[truth, None]


def middles(kind: str, k: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the middles of clusters, none much nearer to another than is usual."""
    from scipy.spatial.distance import cdist

    out = rng.normal(size=(k, d))
    if kind == "nested":
        groups = rng.normal(size=(max(3, k // 3), d)) * 1.6
        out += groups[rng.integers(len(groups), size=k)]
    for _ in range(300):
        apart = cdist(out, out, "cityblock") + np.diag(np.full(k, np.inf))
        i, j = np.unravel_index(apart.argmin(), apart.shape)
        if apart[i, j] >= 0.75 * np.median(apart.min(axis=1)):
            break
        step = 0.1 * (out[i] - out[j])
        out[i] += step
        out[j] -= step
    if kind == "noise columns":
        out[:, : max(1, d // 4)] = 0
    return out


def planted(kind: str, n: int, d: int, k: int, overlap: float, seed: int):
    """Plant clusters as far apart as gives this overlap; give the rows and the clusters."""
    from scipy.spatial.distance import cdist
    from sklearn.metrics import adjusted_rand_score

    number = (*LEARNT_FROM, *HELD_OUT).index(kind)
    rng = np.random.default_rng([seed, number, n, d, k])
    truth = np.repeat(np.arange(k), sizes(n, k, rng))
    rng.shuffle(truth)
    categories = {"mixed": max(1, d // 4), "one-hot": max(2, d // 3)}.get(kind, 0)
    numeric = max(2, d - 2 * categories)
    noise = deviations(kind, truth, numeric, rng)
    centres = middles(kind, k, numeric, rng)
    shown = [np.empty((n, 0))]
    for _ in range(categories):
        levels = int(rng.integers(2, 6))
        usual = rng.integers(levels, size=k)[truth]
        value = np.where(rng.random(n) < 0.75, usual, rng.integers(levels, size=n))
        shown.append(np.eye(levels)[value])
    others = np.hstack(shown)

    def made(spread: float, some: slice) -> np.ndarray:
        return np.hstack([spread * centres[truth[some]] + noise[some], others[some]])

    few, low, high = slice(0, FEW), 0.05, 40.0
    for _ in range(14):
        middle = (low * high) ** 0.5
        rows, labels = made(middle, few), truth[few]
        medians = np.array([np.median(rows[labels == j], axis=0) for j in range(k)])
        nearest = cdist(rows, medians, "cityblock").argmin(axis=1)
        if adjusted_rand_score(labels, nearest) < overlap:
            low = middle
        else:
            high = middle
    rows = made(high, slice(None))
    if kind == "outliers":
        m = max(1, n // 50)
        spoiled = rng.choice(n, m, replace=False)
        rows[spoiled] += rng.standard_t(1, size=(m, rows.shape[1])) * 4
    return rows, truth


def cells(kinds: tuple[str, ...], seed: int, repeats: int = 1) -> list[tuple]:
    """List sets to plant, each kind with every overlap and size."""
    rng = np.random.default_rng(seed)
    return [
        (kind, n, int(rng.choice(WIDTHS)), int(rng.integers(10, 21)), overlap, seed + i)
        for i in range(repeats)
        for kind in kinds
        for overlap in OVERLAPS.values()
        for n in SIZES
    ]


def prepared(cell: tuple):
    """Plant a set; give the task of cutting it, as `fit` sets it, and the planted clusters."""
    from audience_nb.kmedians import feasible_n_clusters
    from audience_nb.kmedians.descent import Task
    from audience_nb.kmedians.rows import Rows, canonical

    rows, truth = planted(*cell)
    n = len(rows)
    kept, _, order = canonical(rows, 0, None, 1)
    truth = truth if order is None else truth[order]
    if n > 3072:
        some = np.sort(np.random.default_rng(0).choice(n, 2048, replace=False))
        kept, truth = Rows(kept.take(some)), truth[some]
    low, high = -(-n // 20), n // 10
    return Task(kept, n, low, high, 0), truth, list(feasible_n_clusters(n, low, high))


def seen(cell: tuple) -> tuple[np.ndarray, int]:
    """Give the signals of a set, and the place of the planted number among those tried."""
    from audience_nb.kmedians import selection

    task, _, tried = prepared(cell)
    return selection.signals(selection.try_out(task, tried)), tried.index(cell[3])


def compared(cell: tuple) -> dict:
    """Choose in every way; give each way's choice, ours in full, and the agreement by number."""
    from sklearn.metrics import adjusted_rand_score

    from audience_nb.kmedians.selection import choose

    task, truth, tried = prepared(cell)
    begun = time.process_time()
    ours = choose(task, tried)
    seconds = time.process_time() - begun
    # The clusters that the others judge are ones that have settled.
    found = {
        k: min((task.descend(task.begin(k, i), 30, 1e-3) for i in range(3)), key=lambda f: f.cost)
        for k in tried
    }
    agreement = {k: float(adjusted_rand_score(truth, found[k].labels)) for k in tried}
    chosen = {"auto": ours.n_clusters, **others(task.rows, found)}
    return {
        "cell": cell,
        "chosen": chosen,
        "agreement": agreement,
        "about": (ours.n_clusters, *ours.alternatives),
        "score": max(ours.scores),
        "seconds": seconds,
    }


def others(rows, found: dict) -> dict[str, int]:
    """Choose by what is usual."""
    from scipy.spatial.distance import cdist
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

    from audience_nb.kmedians import choice

    tried, values = list(found), rows.values
    some = np.random.default_rng(0).choice(len(rows), min(len(rows), 700), replace=False)
    apart = cdist(values[some], values[some], "cityblock")
    rough = {k: choice.quality(rows, found[k]) for k in tried}
    simplified = np.array([rough[k][0] for k in tried])
    displaced = np.array([rough[k][1] for k in tried])
    logs = np.log([found[k].cost for k in tried])
    along = np.linspace(1, 0, len(tried))
    labels = [found[k].labels for k in tried]
    judged = {
        "simplified silhouette": simplified,
        "z(silhouette) - z(displaced)": standard(simplified) - standard(displaced),
        "sampled silhouette": [
            silhouette_score(apart, of[some], metric="precomputed") for of in labels
        ],
        "knee": along - (logs - logs[-1]) / (logs[0] - logs[-1]),
        "Davies-Bouldin": [-davies_bouldin_score(values, of) for of in labels],
        "Calinski-Harabasz": [calinski_harabasz_score(values, of) for of in labels],
    }
    chosen = {name: tried[int(np.argmax(score))] for name, score in judged.items()}
    return {**chosen, "gap": gap(rows, tried)}


def standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() or 1.0)


def gap(rows, tried: list[int]) -> int:
    """Choose by the gap statistic (Tibshirani, Walther and Hastie, 2001) with L1 costs.

    The first number whose gap is not below the next one's less its standard error.
    """
    from audience_nb.kmedians.rows import Rows
    from audience_nb.kmedians.unbounded import shrunk

    rng = np.random.default_rng(0)
    ends = rows.values.min(axis=0), rows.values.max(axis=0)
    numbers = range(tried[0], tried[-1] + 2)

    def logs(some) -> np.ndarray:
        costs = shrunk(some, numbers[0], numbers[-1], 0.0, [0])
        return np.log([costs[k].cost for k in numbers])

    null = np.array([logs(Rows(rng.uniform(*ends, size=rows.values.shape))) for _ in range(3)])
    gaps = null.mean(axis=0) - logs(rows)
    error = null.std(axis=0) * (1 + 1 / len(null)) ** 0.5
    enough = gaps[:-1] >= gaps[1:] - error[1:]
    return tried[int(enough.argmax())] if enough.any() else tried[-1]


def table(title: str, results: list[dict]) -> None:
    """Print the figures of some sets."""
    print(f"\n{title}: {len(results)} sets")
    print(f"{'':30}exact    ±1  |Δk|   ARI   ±1: " + "  ".join(OVERLAPS))
    for name in results[0]["chosen"]:
        missed = np.array([abs(r["chosen"][name] - r["cell"][3]) for r in results])
        lost = [max(r["agreement"].values()) - r["agreement"][r["chosen"][name]] for r in results]
        levels = np.array([r["cell"][4] for r in results])
        near = [(missed[levels == level] <= 1).mean() for level in OVERLAPS.values()]
        print(
            f"{name:30}{(missed == 0).mean():5.2f} {(missed <= 1).mean():5.2f} "
            f"{missed.mean():5.2f} {np.mean(lost):5.3f}      "
            + "  ".join(f"{share:.2f}" for share in near)
        )


def learnt(pairs: list[tuple[np.ndarray, int]], penalty: float = 0.002) -> np.ndarray:
    """Learn the weights of a conditional logit, by Newton's method, with a small ridge."""
    signals = np.array([s for s, _ in pairs])
    right = np.array([y for _, y in pairs])
    unit = signals.reshape(-1, signals.shape[2]).std(axis=0)
    signals = signals / unit
    n, _, f = signals.shape
    weights = np.zeros(f)
    for _ in range(50):
        odds = signals @ weights
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        odds /= odds.sum(axis=1, keepdims=True)
        mean = np.einsum("nk,nkf->nf", odds, signals)
        slope = (mean - signals[np.arange(n), right]).mean(axis=0) + 2 * penalty * weights
        second = np.einsum("nk,nkf,nkg->fg", odds, signals, signals) - mean.T @ mean
        weights -= np.linalg.solve(second / n + 2 * penalty * np.eye(f), slope)
    return weights / unit


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--quick", action="store_true", help="a fifth of the sets")
    options.add_argument("--learn", action="store_true", help="learn the weights again")
    options.add_argument("--jobs", type=int, default=2, help="processes")
    given = options.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        if given.learn:
            wanted = cells(LEARNT_FROM, seed=1000, repeats=5)
            weights = learnt(list(pool.map(seen, wanted, chunksize=4)))
            print(
                "WEIGHTS =", tuple(round(float(w), 2) for w in weights), f"from {len(wanted)} sets"
            )
            return
        wanted = cells((*HELD_OUT, *LEARNT_FROM), seed=0)
        if given.quick:
            wanted = wanted[::5]
        results = list(pool.map(compared, wanted, chunksize=2))
    held_out = [r for r in results if r["cell"][0] in HELD_OUT]
    table("kinds that taught nothing", held_out)
    table("kinds that taught the weights, other sets", [r for r in results if r not in held_out])
    table("all", results)
    print('\nn_clusters="auto" by what the sets are: exact, ±1')
    for place, name in enumerate(("kind", "records", "columns", "planted")):
        groups: dict = {}
        for r in results:
            missed = abs(r["chosen"]["auto"] - r["cell"][3])
            groups.setdefault(r["cell"][place], []).append((missed == 0, missed <= 1))
        found = {key: np.mean(groups[key], axis=0) for key in sorted(groups)}
        print(f"{name}: " + ", ".join(f"{key} {a:.2f} {b:.2f}" for key, (a, b) in found.items()))
    covered = np.mean([r["cell"][3] in r["about"] for r in held_out])
    about = np.mean([len(r["about"]) for r in held_out])
    score = np.mean([r["score"] for r in held_out])
    right = np.mean([r["chosen"]["auto"] == r["cell"][3] for r in held_out])
    seconds = [r["seconds"] for r in results]
    print(
        f"\nheld out: the number taken and its alternatives, {about:.1f} on average, hold the"
        f" planted one in {covered:.2f} (at least 0.8 is meant);"
        f"\nthe best score is {score:.2f} on average, and right in {right:.2f}."
        f"\nCPU of the choice: {np.mean(seconds):.2f} s, at most {max(seconds):.2f} s"
    )


if __name__ == "__main__":
    main()
