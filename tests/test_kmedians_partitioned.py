"""Rows read block by block: exact bounds over all, the same labels however they are cut."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from audience_nb.errors import Cancelled, InvalidInput
from audience_nb.kmedians import ConstrainedKMedians, partitioned
from audience_nb.kmedians.blocks import ArrayBlocks, ParquetBlocks
from audience_nb.kmedians.bounds import size_bounds
from audience_nb.kmedians.certificate import certify
from audience_nb.kmedians.fitting import Formed, Plan, form
from audience_nb.kmedians.partitioned import form_blocks

N, K = 60_000, 12


def table(kind: str, n: int = N) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "ties":
        return rng.integers(0, 3, size=(n, 4)).astype(np.float32)
    if kind == "skewed":
        return np.exp(rng.normal(size=(n, 4)) * 2)
    return rng.normal(size=(n, 4)).astype(np.float32)


def plan(n: int = N, **others: Any) -> Plan:
    smallest, largest = size_bounds(n, min_share=0.05, max_share=0.10)
    given = {"tried": [K], "n_init": 2, "max_iter": 50, "tol": 1e-4, "seed": 1}
    given |= {"tell": lambda stage, fraction: None, **others}
    return Plan(smallest=smallest, largest=largest, **given)


def same(one: Formed, other: Formed) -> None:
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.centers, other.centers)
    assert one.certificate.cost == other.certificate.cost
    assert one.k_curve == other.k_curve


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = tmp_path_factory.mktemp("rows")
    rows = table("normal")
    for part, (a, b) in enumerate([(0, 25_000), (25_000, N)]):
        columns = {f"x{t}": rows[a:b, t] for t in range(rows.shape[1])}
        pq.write_table(pa.table(columns), folder / f"{part}.parquet", row_group_size=9_000)
    return folder


@pytest.mark.parametrize("kind", ["normal", "ties", "skewed"])
def test_optimal_within_bounds_whatever_the_blocks(kind: str) -> None:
    rows = table(kind)
    one = form_blocks(ArrayBlocks(rows, 17_000), plan())
    sizes = np.bincount(one.labels, minlength=K)
    assert len(one.labels) == N and sizes.min() >= 3000 and sizes.max() <= 6000
    proof = certify(rows, one.centers, one.labels, one.certificate.prices, 3000, 6000)
    assert proof.gap < 1e-9
    assert proof.cost == pytest.approx(one.certificate.cost, rel=1e-9)
    same(one, form_blocks(ArrayBlocks(rows, 60_000), plan()))


def test_nearly_as_cheap_as_in_memory() -> None:
    rows = table("normal")
    inside = form(rows, None, plan())
    assert form_blocks(ArrayBlocks(rows), plan()).certificate.cost < 1.02 * inside.certificate.cost


def test_few_rows_are_read_into_memory() -> None:
    rows = table("normal", 5000)
    same(form_blocks(ArrayBlocks(rows, 700), plan(5000)), form(rows, None, plan(5000)))


def test_parquet_gives_what_the_array_gives(parquet: Path) -> None:
    rows = table("normal")
    same(form_blocks(ParquetBlocks(parquet), plan()), form_blocks(ArrayBlocks(rows), plan()))


def test_the_estimator_takes_a_path(parquet: Path) -> None:
    model = ConstrainedKMedians(K, n_init=2, tol=1e-4, random_state=0).fit(parquet)
    again = ConstrainedKMedians(K, n_init=2, tol=1e-4, random_state=0).fit(
        str(parquet / "*.parquet")
    )
    np.testing.assert_array_equal(model.labels_, again.labels_)
    assert model.n_features_in_ == 4
    assert model.feature_names_in_.tolist() == ["x0", "x1", "x2", "x3"]
    assert model.certificate_.within_bounds and model.certificate_.gap < 1e-9


def test_rows_of_a_path_are_predicted_and_assigned(
    parquet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = table("normal")
    model = ConstrainedKMedians(K, n_init=1, random_state=0).fit(rows[:3000])
    np.testing.assert_array_equal(model.predict(parquet), model.predict(rows))
    assigned = model.assign(parquet)
    assert np.array_equal(assigned, model.predict(parquet, respect_sizes=True))
    sizes = np.bincount(assigned, minlength=K)
    assert sizes.min() >= 3000 and sizes.max() <= 6000
    best = certify(rows, model.cluster_centers_, model.assign(rows), np.zeros(K), 3000, 6000)
    found = certify(rows, model.cluster_centers_, assigned, np.zeros(K), 3000, 6000)
    assert found.cost == pytest.approx(best.cost, rel=1e-12)
    # Few rows are read into memory.
    monkeypatch.setattr(partitioned, "FEW", N)
    np.testing.assert_array_equal(model.assign(parquet), model.assign(rows))


def test_rows_of_a_path_must_have_the_columns_of_the_fit(parquet: Path) -> None:
    model = ConstrainedKMedians(2, max_share=0.5, n_init=1).fit(np.eye(4))
    with pytest.raises(NotFittedError):
        ConstrainedKMedians().predict(parquet)
    with pytest.raises(InvalidInput, match="have no weights"):
        model.assign(parquet, sample_weight=np.ones(N))
    other = ConstrainedKMedians(2, max_share=0.5, n_init=1).fit(np.eye(4)[:, :3])
    with pytest.raises(InvalidInput, match="have 4 columns, those of the fit 3"):
        other.predict(parquet)
    frame = pd.DataFrame(np.eye(4), columns=["x1", "x0", "x2", "x3"])
    turned = ConstrainedKMedians(2, max_share=0.5, n_init=1).fit(frame)
    with pytest.raises(
        InvalidInput, match="2 of 4 columns are not where they were in the fit, the first is 'x0'"
    ):
        turned.predict(parquet)


def test_cancelled_between_passes(parquet: Path) -> None:
    def stop(stage: str, fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled("Stopped.", "")

    model = ConstrainedKMedians(K, n_init=1, random_state=0, callback=stop)
    with pytest.raises(Cancelled):
        model.fit(parquet)
    assert not hasattr(model, "labels_")


def test_workers_that_die_change_nothing(parquet: Path) -> None:
    """A real cluster of three processes; two are killed while it works."""
    distributed = pytest.importorskip("distributed")
    alone = form_blocks(ParquetBlocks(parquet), plan())
    killed: list[int] = []
    with (
        distributed.LocalCluster(
            n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        done = threading.Event()

        def kill() -> None:
            while not done.wait(0.5) and len(killed) < 2:
                pids = client.run(_pid)
                if pids:
                    victim = sorted(pids.values())[0]
                    killed.append(victim)
                    _kill(victim)
                    time.sleep(1.0)

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            results = [form_blocks(ParquetBlocks(parquet), plan()) for _ in range(3)]
        finally:
            done.set()
            thread.join()
    assert killed
    for result in results:
        same(result, alone)


def _pid() -> int:
    import os

    return os.getpid()


def _kill(pid: int) -> None:
    import os
    import signal

    os.kill(pid, signal.SIGKILL)
