"""How good a search is: nDCG, recall and reciprocal rank over judged queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.errors import InvalidInput
from audience_nb.search.judgments import read_judgments
from audience_nb.search.query import Suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "Measurement", "evaluate", "ndcg", "recall", "reciprocal_rank"]

Judgment: TypeAlias = tuple[str, Collection[str]]

# As deep as any of the measures looks.
_DEPTH = 20


class _Searches(Protocol):
    @property
    def catalog(self) -> Catalog: ...

    def search(self, text: str, limit: int = 15) -> list[Suggestion]: ...


def ndcg(ranked: Sequence[str], relevant: Collection[str], depth: int = 10) -> float:
    """Normalised discounted cumulative gain with binary gains.

    Järvelin & Kekäläinen 2002: each hit at rank r gains ``1 / log2(r + 1)``, divided by what the
    best possible order would gain.

    Parameters
    ----------
    ranked : sequence of str
        Codes, best first.
    relevant : collection of str
        Codes that should be found, at least one.
    depth : int, optional
        Ranks that count.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> ndcg(["A", "B"], {"A"}), round(ndcg(["B", "A"], {"A"}), 3)
    (1.0, 0.631)
    """
    gains = 1 / np.log2(np.arange(2, depth + 2))
    hits = np.array([code in relevant for code in ranked[:depth]], dtype=float)
    return float(hits @ gains[: len(hits)] / gains[: min(len(relevant), depth)].sum())


def recall(ranked: Sequence[str], relevant: Collection[str], depth: int) -> float:
    """Share of what could be found within a depth that was found.

    Parameters
    ----------
    ranked : sequence of str
        Codes, best first.
    relevant : collection of str
        Codes that should be found, at least one.
    depth : int
        Ranks that count.

    Returns
    -------
    float
        Hits over ``min(depth, n_relevant)``.

    Examples
    --------
    >>> recall(["A", "B", "C"], {"A", "Z"}, 2)
    0.5
    """
    hits = sum(code in relevant for code in ranked[:depth])
    return hits / min(depth, len(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str], depth: int = 10) -> float:
    """One over the rank of the first hit, 0 without any.

    Parameters
    ----------
    ranked : sequence of str
        Codes, best first.
    relevant : collection of str
        Codes that should be found.
    depth : int, optional
        Ranks that count.

    Returns
    -------
    float

    Examples
    --------
    >>> reciprocal_rank(["B", "A"], {"A"})
    0.5
    """
    ranks = (rank for rank, code in enumerate(ranked[:depth], start=1) if code in relevant)
    return 1 / next(ranks, np.inf)


@dataclass(frozen=True)
class Measurement:
    """A mean over queries and its 95 % bootstrap interval.

    Parameters
    ----------
    mean, low, high : float
        In [0, 1].
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Evaluation:
    """How a search did on judged queries.

    Parameters
    ----------
    n_queries : int
        Queries judged.
    ndcg_10, recall_5, recall_20, mrr_10 : Measurement
        Over all queries.
    queries : tuple of str
        As they were asked, in the order given.
    scores : ndarray of shape (n_queries, 4), float64
        nDCG@10, Recall@5, Recall@20 and MRR@10 of each.
    n_relevant : tuple of int
        Codes that should be found for each.
    """

    n_queries: int
    ndcg_10: Measurement
    recall_5: Measurement
    recall_20: Measurement
    mrr_10: Measurement
    queries: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    n_relevant: tuple[int, ...]

    @property
    def by_query(self) -> npt.NDArray[np.float64]:
        """nDCG@10 of each query, shape (n_queries,)."""
        result: npt.NDArray[np.float64] = self.scores[:, 0]
        return result

    def table(self) -> pd.DataFrame:
        """Give the measures of each query, the worst first.

        Returns
        -------
        DataFrame
            Columns query, n_relevant, ndcg_10, recall_5, recall_20, mrr_10; equals in the order
            given.
        """
        import pandas as pd

        columns = dict(
            zip(("ndcg_10", "recall_5", "recall_20", "mrr_10"), self.scores.T, strict=True)
        )
        frame = pd.DataFrame({"query": self.queries, "n_relevant": self.n_relevant, **columns})
        return frame.sort_values("ndcg_10", kind="stable", ignore_index=True)

    def __str__(self) -> str:
        return (
            f"{self.n_queries} queries: nDCG@10 {self.ndcg_10}, Recall@5 {self.recall_5}, "
            f"Recall@20 {self.recall_20}, MRR@10 {self.mrr_10}"
        )


def evaluate(
    index: _Searches,
    judgments: Iterable[Judgment] | str | Path,
    *,
    n_resamples: int = 1000,
    random_state: int = 0,
) -> Evaluation:
    """Search every judged query and measure what was found.

    Parameters
    ----------
    index : SearchIndex
        Or anything that searches alike.
    judgments : iterable of (str, collection of str), or str or pathlib.Path
        Queries and the codes that should be found, or a JSONL, TSV or CSV file of them, see
        `read_judgments`. Judgments none of whose codes is in the catalogue are left out.
    n_resamples : int, optional
        Resamples of the bootstrap (Efron & Tibshirani 1993, percentile interval).
    random_state : int, optional
        Seed of the bootstrap.

    Returns
    -------
    Evaluation

    Raises
    ------
    InvalidInput
        If there are no judgments, or one has no relevant code.
    NotFound, DamagedFile
        If a file is missing or a line of it cannot be read.

    Examples
    --------
    >>> class Fixed:
    ...     def search(self, text, limit=15):
    ...         return []
    >>> str(evaluate(Fixed(), [("income", {"INC"})]).ndcg_10)
    '0.000 [0.000, 0.000]'
    """
    if isinstance(judgments, (str, Path)):
        judgments = read_judgments(judgments, index.catalog)
    judged = [(query, frozenset(relevant)) for query, relevant in judgments]
    empty = [query for query, relevant in judged if not relevant]
    if not judged or empty:
        raise InvalidInput(
            f"{len(empty)} of {len(judged)} judgments name no relevant code.",
            "Give at least one query, and at least one code for each.",
        )
    scores = []
    for query, relevant in judged:
        ranked = [s.variable.code for s in index.search(query, limit=_DEPTH)]
        scores.append(
            (
                ndcg(ranked, relevant),
                recall(ranked, relevant, 5),
                recall(ranked, relevant, 20),
                reciprocal_rank(ranked, relevant),
            )
        )
    table = np.array(scores)
    draws = np.random.default_rng(random_state).integers(len(table), size=(n_resamples, len(table)))
    means = table[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    ndcg_10, recall_5, recall_20, mrr_10 = (
        Measurement(float(m), float(a), float(b))
        for m, a, b in zip(table.mean(axis=0), low, high, strict=True)
    )
    return Evaluation(
        len(judged),
        ndcg_10,
        recall_5,
        recall_20,
        mrr_10,
        tuple(query for query, _ in judged),
        table,
        tuple(len(relevant) for _, relevant in judged),
    )
