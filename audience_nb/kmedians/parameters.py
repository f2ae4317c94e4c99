"""What the parameters of the estimator ask for, checked."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput
from audience_nb.kmedians import choice
from audience_nb.kmedians.bounds import require_feasible

__all__ = ["given_centers", "given_weights", "numbers_tried", "require_numbers"]

Floats = npt.NDArray[np.float64]


def require_numbers(tol: Any, *, n_threads: Any = None, **counts: Any) -> None:
    """Refuse a tolerance below 0, and counts that are no whole numbers from 1.

    Parameters
    ----------
    tol : float
        Fraction, from 0.
    n_threads : int, optional
        From 1.
    **counts : int
        Others from 1, by name.

    Raises
    ------
    InvalidInput
        If one is out of range.

    Examples
    --------
    >>> require_numbers(1e-4, n_init=4, max_iter=100)
    """
    if n_threads is not None:
        counts["n_threads"] = n_threads
    for name, value in counts.items():
        if not isinstance(value, Integral) or int(value) < 1:
            raise InvalidInput(f"{name} is {value!r}.", "Give a whole number from 1.")
    if not isinstance(tol, Real) or not float(tol) >= 0:
        raise InvalidInput(f"tol is {tol!r}.", "Give a number from 0.")


def given_weights(sample_weight: Any, X: Any) -> Floats | None:
    """Check weights; where they are all 1, that is as good as none.

    Parameters
    ----------
    sample_weight : array-like of shape (n_records,), or None
        Finite, none negative.
    X : ndarray of shape (n_records, n_features)
        What they are of.

    Returns
    -------
    ndarray of float64, shape (n_records,), or None

    Raises
    ------
    ValueError
        If they are not as many as the records, or negative.

    Examples
    --------
    >>> given_weights([1, 1], np.zeros((2, 1))), given_weights([1, 2], np.zeros((2, 1))).tolist()
    (None, [1.0, 2.0])
    """
    if sample_weight is None:
        return None
    from sklearn.utils.validation import _check_sample_weight

    weights: Floats = _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
    return None if (weights == 1).all() else weights


def given_centers(init: Any, n_clusters: Any, n_features: int) -> Floats | None:
    """Give the centres to start from, if `init` holds any.

    Parameters
    ----------
    init : "k-medians++" or array-like of shape (n_clusters, n_features)
        How to start.
    n_clusters : int or "auto"
        Clusters wanted.
    n_features : int
        Columns of the records.

    Returns
    -------
    ndarray of float64, shape (n_clusters, n_features), or None

    Raises
    ------
    InvalidInput
        If it is another word, or an array of another shape or with missing or infinite values.

    Examples
    --------
    >>> given_centers("k-medians++", 12, 2) is None, given_centers([[0, 1]], "auto", 2).tolist()
    (True, [[0.0, 1.0]])
    """
    if isinstance(init, str):
        if init != "k-medians++":
            raise InvalidInput(f"init is {init!r}.", 'Give "k-medians++" or centres.')
        return None
    centers = np.array(init, dtype=np.float64, order="C")
    if centers.ndim != 2 or centers.shape[1] != n_features:
        raise InvalidInput(
            f"init has shape {centers.shape}, the records {n_features} columns.",
            f"Give an array of shape (n_clusters, {n_features}).",
        )
    if not np.isfinite(centers).all():
        raise InvalidInput("init holds missing or infinite values.", "Give finite numbers.")
    if n_clusters not in ("auto", len(centers)):
        raise InvalidInput(
            f"init holds {len(centers)} centres, n_clusters is {n_clusters!r}.",
            "Give as many centres as clusters.",
        )
    return centers


def numbers_tried(
    n_clusters: Any,
    n_records: int,
    smallest: int,
    largest: int,
    *,
    given: int | None = None,
    names: tuple[str, str] = ("min_share", "max_share"),
) -> list[int]:
    """Say which numbers of clusters to compare: several only if none is given.

    Parameters
    ----------
    n_clusters : int or "auto"
        What is wanted.
    n_records, smallest, largest : int
        Records, and the sizes allowed, both inclusive.
    given : int, optional
        Centres to start from, if there are any.
    names : tuple of str, optional
        What the sizes were set by.

    Returns
    -------
    list of int

    Raises
    ------
    InvalidInput
        If it is neither a whole number from 1 nor "auto".
    audience_nb.errors.Infeasible
        If no assignment meets the bounds.

    Examples
    --------
    >>> numbers_tried("auto", 1000, 90, 200), numbers_tried(7, 1000, 90, 200)
    ([5, 6, 7, 8, 9, 10, 11], [7])
    """
    if isinstance(n_clusters, str):
        if n_clusters != "auto":
            raise InvalidInput(f"n_clusters is {n_clusters!r}.", 'Give a whole number or "auto".')
        require_feasible(n_records, smallest, largest, names=names)
        return choice.tried(n_records, smallest, largest) if given is None else [given]
    if not isinstance(n_clusters, Integral) or n_clusters < 1:
        raise InvalidInput(
            f"n_clusters is {n_clusters!r}.", 'Give a whole number from 1, or "auto".'
        )
    require_feasible(n_records, smallest, largest, int(n_clusters), names)
    return [int(n_clusters)]
