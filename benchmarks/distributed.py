"""Clusters of more rows than fit in memory: `python benchmarks/distributed.py [options]`.

Writes Parquet files of generated rows to a directory, cuts them into 12 clusters of 5-10 %, and
prints time, peak memory, passes over the data and the proof that the labels are optimal; then does
the same on a real Dask cluster while its workers are killed, and compares the labels bit by bit.

--rows 1e6 1e7   sizes to run (the largest also on the cluster, up to --cluster-rows)
--kills 20       workers to kill
--directory D    where the files go; they are removed afterwards
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

# This file is called as the package is that it imports.
sys.path = [place for place in sys.path if Path(place or ".").resolve() != Path(__file__).parent]

FEATURES, CLUSTERS, GROUP = 10, 12, 1_000_000
WORKERS = 3


def write(folder: Path, n: int) -> Path:
    """Write mixed rows: half in clouds, half even, one column of small whole numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = folder / f"{n}"
    target.mkdir()
    middles = np.random.default_rng(0).normal(size=(CLUSTERS, FEATURES)).astype(np.float32) * 4
    for number, first in enumerate(range(0, n, GROUP)):
        size = min(GROUP, n - first)
        rng = np.random.default_rng([1, number])
        rows = rng.normal(size=(size, FEATURES)).astype(np.float32)
        clouds = rng.random(size) < 0.5
        rows[clouds] += middles[rng.integers(CLUSTERS, size=int(clouds.sum()))]
        rows[:, -1] = rng.integers(0, 5, size=size)
        columns = {f"x{t}": rows[:, t] for t in range(FEATURES)}
        path = target / f"{number:05d}.parquet"
        pq.write_table(pa.table(columns), path, compression="none", row_group_size=GROUP // 4)
    return target


def verified(path: Path, model: object) -> float:
    """Check the labels against the dual bound in float64, from the files and the prices alone."""
    import pyarrow.parquet as pq

    from audience_nb.kmedians.certificate import certify

    smallest, largest = model.size_bounds_
    cost = saving = 0.0
    first = 0
    sizes = np.zeros(CLUSTERS, np.int64)
    for file in sorted(path.glob("*.parquet")):
        table = pq.read_table(file)
        rows = np.stack([column.to_numpy() for column in table.columns], axis=1)
        labels = model.labels_[first : first + len(rows)]
        first += len(rows)
        part = certify(rows, model.cluster_centers_, labels, model.prices_, 0, len(rows))
        sizes += part.sizes
        cost += part.cost
        # Without the sizes' share, which is for all rows together.
        at = np.where(model.prices_ > 0, len(rows), 0)
        saving += part.cost - part.bound - float((model.prices_ * (at - part.sizes)).sum())
    at = np.where(model.prices_ > 0, largest, smallest)
    saving += float((model.prices_ * (at - sizes)).sum())
    return saving / cost


def fit(path: Path, n_init: int = 4) -> tuple[object, float, float]:
    from audience_nb.kmedians import ConstrainedKMedians

    model = ConstrainedKMedians(CLUSTERS, n_init=n_init, random_state=0)
    start, cpu = time.perf_counter(), time.process_time()
    model.fit(path)
    return model, time.perf_counter() - start, time.process_time() - cpu


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def killing(
    cluster: object, client: object, wanted: int, killed: list[int], done: threading.Event
) -> None:
    """Kill one worker after the other, as fast as new ones come up."""
    while len(killed) < wanted and not done.wait(1.0):
        # One that was killed while it came up is given up by its nanny: ask for another.
        cluster.scale(WORKERS)
        try:
            pids = client.run(os.getpid)
        except Exception:  # a worker died while it was asked
            continue
        new = [pid for pid in pids.values() if pid not in killed]
        if len(new) > 1:
            os.kill(new[0], signal.SIGKILL)
            killed.append(new[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=float, default=[1e6, 1e7])
    parser.add_argument("--cluster-rows", type=float, default=1e6)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--directory", default=None)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rows-", dir=options.directory))
    try:
        print(f"{'rows':>12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'sizes':>22} {'gap':>9}")
        times = []
        kept = {}
        for n in map(int, options.rows):
            path = write(folder, n)
            model, wall, cpu = fit(path)
            memory = peak()
            sizes = model.certificate_.sizes
            gap = verified(path, model)
            times.append((n, cpu))
            kept[n] = path, model.labels_
            spread = f"{sizes.min():,}-{sizes.max():,}"
            print(f"{n:>12,} {wall:>8.1f} {cpu:>8.1f} {memory:>8.0f} {spread:>22} {gap:>9.1e}")
        if len(times) > 1:
            slope = np.polyfit(*np.log(np.array(times)).T, 1)[0]
            print(f"CPU time grows as n^{slope:.2f}")
        n = max([m for m in kept if m <= options.cluster_rows], default=min(kept))
        path, labels = kept[n]
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                WORKERS,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            killed: list[int] = []
            done = threading.Event()
            thread = threading.Thread(
                target=killing, args=(cluster, client, options.kills, killed, done)
            )
            thread.start()
            runs = identical = 0
            start = time.perf_counter()
            while runs == 0 or (len(killed) < options.kills and runs < 10 * options.kills):
                model, _, _ = fit(path)
                runs += 1
                identical += bool(np.array_equal(model.labels_, labels))
            done.set()
            thread.join()
            print(
                f"Dask, {n:,} rows, {WORKERS} workers: {len(killed)} killed in {runs} fits "
                f"({time.perf_counter() - start:.0f} s); labels identical in {identical} of {runs}"
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
