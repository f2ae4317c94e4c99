"""Who else is like the people of a seed audience."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.catalog import Variable

__all__ = ["SMALLEST_SEED", "Lookalike"]

Method = Literal["logistic", "boosting"]
Floats = npt.NDArray[np.float64]

# Fewer people say too little about what they have in common: in five folds, 10 each are tested.
SMALLEST_SEED = 50
FOLDS = 5
# On fewer rows threads wait for each other longer than they work: many times so on a busy machine.
FEW_PEOPLE = 100_000
LEAST_SHARE, MOST_SHARE = 0.01, 0.10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Lookalike:
    """Scores of everyone outside a seed audience by how like it they are.

    Parameters
    ----------
    scores : pandas.Series of float64
        Share in [0, 1] of people like this one who are in the seed, highest first; without the
        seed itself.
    n_seed : int
        People in the seed.
    auc : float
        Chance that a seed member of a held-out fold scores above one outside the seed: 0.5 is no
        better than chance.
    lift : pandas.DataFrame
        Of held-out folds: share (of people, best first), captured (of the seed, in [0, 1]), lift
        (captured over share).
    variables : tuple of str
        Codes of the variables used.
    left_out : tuple of str
        Codes of those set aside as sensitive.
    method : {"logistic", "boosting"}
        How it was learnt.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> frame = pd.DataFrame({"age": np.random.default_rng(0).normal(45, 15, 1000)})
    >>> young = frame.index[frame["age"] < 30]
    >>> found = Lookalike.fit(frame, ["age"], young[:100])
    >>> bool(frame.loc[found.audience(0.02), "age"].max() < 35)
    True
    """

    scores: pd.Series
    n_seed: int
    auc: float
    lift: pd.DataFrame
    variables: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    method: Method = "logistic"
    _n_people: int = field(default=0, repr=False)

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        variables: Sequence[Variable | str],
        seed: Collection[Hashable],
        *,
        method: Method = "logistic",
        sensitive: Collection[str] = (),
        random_state: int = 0,
    ) -> Lookalike:
        """Learn what sets a seed audience apart, and score everyone else by it.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Everyone, the seed among them; columns named by variable code.
        variables : sequence of Variable or str
            What people are compared by.
        seed : collection of identifiers
            Labels of the frame's index; at least 50, at most half of the frame.
        method : {"logistic", "boosting"}, default "logistic"
            Logistic regression, or gradient boosting for what is no straight line.
        sensitive : collection of str, default ()
            Codes not to be used: what must not be inferred about people.
        random_state : int, default 0
            Seed of folds and boosting. Same people in any order, same scores.

        Returns
        -------
        Lookalike

        Raises
        ------
        InvalidInput
            If the seed is too small, too large, not in the frame, or no variable is left.

        Notes
        -----
        The people outside the seed are not "unlike" it, only unlabelled: a classifier of seed
        against others is learnt. If the seed was drawn from its kind at random, it puts people
        in the same order as the chance of being of the kind would (Elkan and Noto, 2008), though
        how large that chance is cannot be known without knowing how common the kind is. Scores
        are calibrated on held-out folds (Platt, 1999): of people with a score of 0.2, one in five
        is in the seed.
        """
        import pandas as pd

        codes = [v if isinstance(v, str) else v.code for v in variables]
        barred = set(sensitive)
        kept = [v for v, code in zip(variables, codes, strict=True) if code not in barred]
        if not kept:
            raise InvalidInput(
                f"{len(barred)} of {len(codes)} variables are sensitive, none is left.",
                "Choose variables that may be used.",
            )
        if method not in ("logistic", "boosting"):
            raise InvalidInput(f"There is no method {method!r}.", "Use 'logistic' or 'boosting'.")
        members = pd.Index(seed).unique()
        known = int(members.isin(frame.index).sum())
        if known < len(members):
            raise InvalidInput(
                f"{len(members) - known:,} of {len(members):,} people of the seed are not among "
                f"the {len(frame):,} records.",
                "Give identifiers of the frame's index.",
            )
        if len(members) < SMALLEST_SEED:
            raise InvalidInput(
                f"The seed has {len(members):,} people, a lookalike needs {SMALLEST_SEED}.",
                "Add segments to the seed audience.",
            )
        if 2 * len(members) > len(frame):
            raise InvalidInput(
                f"The seed holds {len(members):,} of {len(frame):,} people, more than half.",
                "Give a smaller seed, or more people to compare it with.",
            )
        inside = frame.index.isin(members)
        features, order = _features(frame, kept, inside)
        y = inside[order]
        tested = _tested(features, y, method, random_state)
        raw = np.empty(len(frame))
        # Nobody is scored by a model that was told they are not of the seed.
        raw[order] = _calibrated(tested, y)
        scores = pd.Series(raw[~inside], index=frame.index[~inside], name="score")
        ranked = np.lexsort((np.argsort(order)[~inside], -raw[~inside]))
        return cls(
            scores=scores.iloc[ranked],
            n_seed=len(members),
            auc=_auc(tested, y),
            lift=_lift(tested, y),
            variables=tuple(c for c in codes if c not in barred),
            left_out=tuple(c for c in codes if c in barred),
            method=method,
            _n_people=len(frame),
        )

    def audience(self, share: float) -> pd.Index:
        """Give the people most like the seed.

        Parameters
        ----------
        share : float
            How many, as a share of everyone, from 0.01 (most alike) to 0.10 (most people).

        Returns
        -------
        pandas.Index
            Best first, nobody of the seed among them.

        Raises
        ------
        InvalidInput
            If the share is out of range.
        """
        if not LEAST_SHARE <= share <= MOST_SHARE:
            raise InvalidInput(
                f"A share of {share:g} is out of range.",
                f"Give one between {LEAST_SHARE:g} and {MOST_SHARE:g}.",
            )
        return self.scores.index[: round(share * self._n_people)]

    def __repr__(self) -> str:
        return (
            f"Lookalike(of {self.n_seed:,} people, {len(self.scores):,} scored, "
            f"AUC {self.auc:.3f}, {self.method})"
        )


def _features(
    frame: pd.DataFrame, variables: Sequence[Variable | str], inside: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Encode people, and put them in an order that depends on what they are alone."""
    from audience_nb.encoding import FrameEncoder

    matrix = FrameEncoder().fit_transform(frame, variables)
    matrix = np.asarray(matrix, dtype=np.float64)
    # Equals are put in order by whether they are of the seed: the caller's order must not matter.
    order = np.lexsort((inside, *matrix.T[::-1]))
    return matrix[order], order


def _model(method: Method, random_state: int) -> Any:
    if method == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.1, max_leaf_nodes=15, random_state=random_state
        )
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=500)


def _tested(features: Floats, y: npt.NDArray[np.bool_], method: Method, seed: int) -> Floats:
    """Score each person by a model that did not see them."""
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    scores = np.empty(len(y))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    with threadpool_limits(1 if len(y) < FEW_PEOPLE else None):
        for train, test in folds.split(features, y):
            model = _model(method, seed).fit(features[train], y[train])
            scores[test] = model.predict_proba(features[test])[:, 1]
    return scores


def _calibrated(tested: Floats, y: npt.NDArray[np.bool_]) -> Floats:
    """Turn scores of held-out folds into shares of the seed."""
    from scipy.special import logit
    from sklearn.linear_model import LogisticRegression

    column = logit(np.clip(tested, 1e-6, 1 - 1e-6))[:, None]
    found: Floats = LogisticRegression(C=np.inf).fit(column, y).predict_proba(column)[:, 1]
    return found


def _auc(scores: Floats, y: npt.NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, scores))


def _lift(scores: Floats, y: npt.NDArray[np.bool_]) -> pd.DataFrame:
    import pandas as pd

    captured = np.cumsum(y[np.argsort(-scores, kind="stable")]) / y.sum()
    shares = [i / 100 for i in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 50, 100)]
    taken = [max(1, round(share * len(y))) for share in shares]
    found = captured[np.array(taken) - 1]
    return pd.DataFrame({"share": shares, "captured": found, "lift": found / shares})
