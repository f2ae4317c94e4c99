"""Segments on a plane: principal components, binned so that no record shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from audience_nb.encoding import Column
from audience_nb.segments.terms import short_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["flatten", "named_parts"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_LARGEST, _SMALLEST, _PER_CELL = 30, 6, 4


def flatten(
    matrix: FloatArray, places: IntArray, n_segments: int, groups: Mapping[str, slice]
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, str], tuple[float, float]]:
    """Project records on two principal components and count them in the cells of a grid.

    Parameters
    ----------
    matrix : ndarray of shape (n_records, n_features)
        Encoded records.
    places : ndarray of shape (n_records,), intp
        Segment of each record, from 0.
    n_segments : int
        How many segments there are.
    groups : mapping of str to slice
        Columns of the matrix by variable label, for the axis names.

    Returns
    -------
    cells : pandas.DataFrame
        One row an occupied cell: x, y (its middle), segment (its most common, from 1), count,
        share (of that segment in the cell). At most 30 x 30 cells, 4 records a cell on average
        over the grid.
    centers : pandas.DataFrame
        One row a segment: segment, x, y (means of its records), size.
    axes : tuple of str
        For each axis the one or two variables that weigh most in it.
    cell : tuple of float
        Width and height of a cell.

    Examples
    --------
    >>> matrix = np.array([[0.0, 0.0], [0.0, 0.1], [1.0, 0.0], [1.0, 0.1]])
    >>> cells, centers, axes, _ = flatten(matrix, np.array([0, 0, 1, 1]), 2,
    ...                                   {"Age": slice(0, 1), "Income": slice(1, 2)})
    >>> int(cells["count"].sum()), axes[0]
    (4, 'Age')
    """
    import pandas as pd

    n_records, n_features = matrix.shape
    centred = matrix - matrix.mean(axis=0)
    _, _, loadings = np.linalg.svd(centred.T @ centred / n_records, hermitian=True)
    loadings = loadings[:2]
    if n_features == 1:
        loadings = np.vstack([loadings, np.zeros((1, 1))])
    # A singular vector's sign is arbitrary: the strongest loading points right, or up.
    strongest = np.abs(np.round(loadings, 9)).argmax(axis=1)
    signs = np.sign(loadings[np.arange(2), strongest])
    loadings = loadings * np.where(signs == 0, 1.0, signs)[:, None]
    points = np.round(centred @ loadings.T, 9)

    side = min(_LARGEST, max(_SMALLEST, round(math.sqrt(n_records / _PER_CELL))))
    low = points.min(axis=0)
    width = np.maximum((points.max(axis=0) - low) / side, 1e-9)
    grid = np.minimum(((points - low) / width).astype(np.intp), side - 1)
    cell = grid[:, 0] * side + grid[:, 1]
    occupied, cell = np.unique(cell, return_inverse=True)
    pairs = np.bincount(cell * n_segments + places, minlength=len(occupied) * n_segments)
    counts = pairs.reshape(len(occupied), n_segments)
    total = counts.sum(axis=1)
    cells = pd.DataFrame(
        {
            "x": low[0] + (occupied // side + 0.5) * width[0],
            "y": low[1] + (occupied % side + 0.5) * width[1],
            "segment": counts.argmax(axis=1) + 1,
            "count": total,
            "share": counts.max(axis=1) / total,
        }
    )
    sizes = np.bincount(places, minlength=n_segments)
    middles = [
        np.bincount(places, weights=points[:, axis], minlength=n_segments) / np.maximum(sizes, 1)
        for axis in (0, 1)
    ]
    centers = pd.DataFrame(
        {
            "segment": np.arange(1, n_segments + 1),
            "x": middles[0],
            "y": middles[1],
            "size": sizes,
        }
    )
    names = [_axis(row, groups) for row in loadings]
    return cells, centers, (names[0], names[1]), (float(width[0]), float(width[1]))


def _axis(loading: FloatArray, groups: Mapping[str, slice]) -> str:
    parts = {label: round(float((loading[part] ** 2).sum()), 9) for label, part in groups.items()}
    ranked = sorted(parts, key=lambda label: (-parts[label], label))
    # Squared loadings add up to 1; less than a tenth is not worth a name.
    named = [label for label in ranked[:2] if parts[label] >= 0.1]
    return " and ".join(named or ranked[:1])


def named_parts(columns: Sequence[Column], groups: Mapping[str, slice]) -> dict[str, slice]:
    """Name the columns of a matrix whose variables stand in the order of their codes.

    Parameters
    ----------
    columns : sequence of Column
        The variables.
    groups : mapping of code to slice
        Where each stood before.

    Returns
    -------
    dict of str to slice
        By short name; by code where two would read alike.

    Examples
    --------
    >>> from audience_nb.catalog import Variable
    >>> age, pay = (Column(Variable(c, n), "numeric") for c, n in [("B", "Age"), ("A", "Pay")])
    >>> named_parts([age, pay], {"B": slice(0, 1), "A": slice(1, 2)})
    {'Pay': slice(0, 1, None), 'Age': slice(1, 2, None)}
    """
    named: dict[str, slice] = {}
    start = 0
    for column in sorted(columns, key=lambda c: c.code):
        short = short_name(column)
        name = short[:1].upper() + short[1:]
        width = groups[column.code].stop - groups[column.code].start
        named[name if name not in named else column.code] = slice(start, start + width)
        start += width
    return named
