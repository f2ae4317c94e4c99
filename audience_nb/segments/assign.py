"""How segments take further records: read, encoded and placed as those of the fit were."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.encoding import FrameEncoder
from audience_nb.encoding.columns import read_column
from audience_nb.errors import Infeasible, InvalidInput, NotFound, WrongStep
from audience_nb.segments.drift import Spread

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segmentation

__all__ = ["Rule", "Taken", "needed", "taken_from"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

# Rows whose distances are held at once.
_CHUNK = 65_536
# What rounding may make two distances differ by, per unit of weight.
_CLOSE = 1e-6
_WORDS = {"numeric": "no numbers", "date": "no dates"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rule:
    """Where records go, and what those of the fit were like; of single records only distances.

    Parameters
    ----------
    encoder : FrameEncoder
        As fitted.
    features : ndarray of shape (n_features,), intp
        Its columns in the order of the centres.
    centers : ndarray of shape (n_segments, n_features), float64
        Medians of the segments, by id.
    prices : ndarray of shape (n_segments,), float64
        What a place in each segment costs: a record is where distance plus price is least.
    distances : ndarray of shape (n_records,), float64
        Of each record to its segment's median, in the order of the labels.
    spreads : tuple of Spread
        Of the fit, by variable.
    sizes : tuple of int
        Of the fit, by id.
    cost, deviation : float
        Mean and standard deviation of the distances at the fit.
    """

    encoder: FrameEncoder
    features: IntArray
    centers: FloatArray
    prices: FloatArray
    distances: FloatArray
    spreads: tuple[Spread, ...]
    sizes: tuple[int, ...]
    cost: float
    deviation: float

    @classmethod
    def learnt(
        cls,
        encoder: FrameEncoder,
        features: IntArray,
        centers: FloatArray,
        prices: FloatArray,
        read: Mapping[str, FloatArray],
        matrix: FloatArray,
        places: IntArray,
    ) -> Rule:
        """Keep what a fit led to.

        Parameters
        ----------
        encoder, features, centers, prices
            As above.
        read : mapping of code to ndarray of shape (n_records,)
            Values of the fit.
        matrix : ndarray of shape (n_records, n_features)
            The same encoded, in the order of the centres.
        places : ndarray of shape (n_records,), intp
            Segment of each record, from 0.

        Returns
        -------
        Rule
        """
        distances = _distances(matrix, centers, places)
        return cls(
            encoder,
            features,
            centers,
            prices,
            distances,
            tuple(Spread.of(e.column, read[e.column.code]) for e in encoder.columns_),
            tuple(np.bincount(places, minlength=len(centers)).tolist()),
            float(distances.mean()),
            float(distances.std()),
        )

    def nearest(self, matrix: FloatArray, before: IntArray | None = None) -> IntArray:
        """Place records where distance plus price is least.

        Parameters
        ----------
        matrix : ndarray of shape (n_records, n_features)
            Encoded, in the order of the centres.
        before : ndarray of shape (n_records,), intp, optional
            Where records were, -1 for nowhere: a tie leaves them there.

        Returns
        -------
        ndarray of shape (n_records,), intp
            From 0.
        """
        from scipy.spatial.distance import cdist

        places = np.empty(len(matrix), dtype=np.intp)
        slack = _CLOSE * self.encoder.total_weight
        for start in range(0, len(matrix), _CHUNK):
            rows = slice(start, start + _CHUNK)
            costs = cdist(matrix[rows], self.centers, "cityblock") + self.prices
            found = np.argmin(costs, axis=1)
            if before is not None:
                at = np.arange(len(costs))
                stay = before[rows] >= 0
                stay &= costs[at, before[rows]] <= costs[at, found] + slack
                found = np.where(stay, before[rows], found)
            places[rows] = found
        return places

    def within(self, matrix: FloatArray, others: IntArray, smallest: int, largest: int) -> IntArray:
        """Place records at least distance so that every size is allowed.

        Parameters
        ----------
        matrix : ndarray of shape (n_records, n_features)
            Encoded, in the order of the centres.
        others : ndarray of shape (n_segments,), intp
            Records that stay where they are.
        smallest, largest : int
            Sizes allowed, both inclusive.

        Returns
        -------
        ndarray of shape (n_records,), intp
            From 0; no other assignment with allowed sizes has a smaller sum of distances.

        Raises
        ------
        Infeasible
            If there is none.
        """
        from audience_nb.kmedians.assignment import Assignment
        from audience_nb.kmedians.rows import canonical

        n = len(matrix)
        low, high = np.maximum(smallest - others, 0), np.maximum(largest - others, 0)
        full = int((others > largest).sum())
        if full or not int(low.sum()) <= n <= int(high.sum()):
            raise Infeasible(
                f"{n:,} records cannot keep {len(others)} segments between {smallest:,} and "
                f"{largest:,}: {full} are too large already, the others lack at least "
                f"{int(low.sum()):,} and have room for {int(high.sum()):,}.",
                "Form segments anew.",
            )
        if not n:
            return np.empty(0, dtype=np.intp)
        rows, scale, order = canonical(np.ascontiguousarray(matrix), 0)
        assignment = Assignment(rows, 0, n, len(others))
        assignment.smallest, assignment.largest = low.astype(np.int64), high.astype(np.int64)
        labels = assignment(scale(self.centers)).labels
        if order is None:
            return labels.astype(np.intp)
        places = np.empty(n, dtype=np.intp)
        places[order] = labels
        return places

    def distances_of(self, matrix: FloatArray, places: IntArray) -> FloatArray:
        """Give the distance of each record to the median of its segment.

        Parameters
        ----------
        matrix : ndarray of shape (n_records, n_features)
            Encoded, in the order of the centres.
        places : ndarray of shape (n_records,), intp
            Segment of each, from 0.

        Returns
        -------
        ndarray of shape (n_records,), float64
        """
        return _distances(matrix, self.centers, places)

    def with_distances(self, distances: FloatArray) -> Rule:
        """Give the same rule with the distances of other records.

        Parameters
        ----------
        distances : ndarray of shape (n_records,), float64
            In the order of the labels they go with.

        Returns
        -------
        Rule
        """
        return replace(self, distances=distances)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Taken:
    """Records as a rule reads them.

    Parameters
    ----------
    matrix : ndarray of shape (n_records, n_features)
        Encoded, in the order of the centres.
    read : dict of code to ndarray of shape (n_records,)
        In original units.
    notes : tuple of str
        What was passed over or is unknown, with counts.
    """

    matrix: FloatArray
    read: dict[str, FloatArray]
    notes: tuple[str, ...]


def needed(segmentation: Segmentation) -> Rule:
    """Give the rule of segments.

    Parameters
    ----------
    segmentation : Segmentation
        Any.

    Returns
    -------
    Rule

    Raises
    ------
    WrongStep
        If they have none.
    """
    if segmentation.rule is None:
        raise WrongStep(
            f"These {segmentation.n_segments} segments are shown without the rule that assigns "
            "records to them.",
            "Update where their records may be seen.",
        )
    return segmentation.rule


def taken_from(frame: pd.DataFrame, rule: Rule) -> Taken:
    """Read further records as those of the fit were read.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Has the columns of the fit, in any order.
    rule : Rule
        Of the fit.

    Returns
    -------
    Taken

    Raises
    ------
    NotFound
        If a column is missing.
    InvalidInput
        If a column is there twice, or holds nothing that can be read.
    """
    columns = [e.column for e in rule.encoder.columns_]
    names = [str(name) for name in frame.columns]
    _check_columns(names, [c.code for c in columns])
    notes = []
    others = [name for name in names if name not in {c.code for c in columns}]
    if others:
        notes.append(
            f"{_counted(len(others), 'column')} that segments are not cut by "
            f"{'is' if len(others) == 1 else 'are'} passed over: {_some(others)}."
        )
    read: dict[str, FloatArray] = {}
    for column in columns:
        series = frame.iloc[:, names.index(column.code)]
        values = read_column(series, column)
        read[column.code] = values
        unknown = int((np.isnan(values) & ~_blank(series, column.variable.missing)).sum())
        if unknown:
            why = _WORDS.get(column.value_type, "levels the fit did not have")
            notes.append(f"{column.label}: {unknown:,} of {len(frame):,} values are {why}.")
    if not len(frame):
        matrix = np.empty((0, len(rule.features)))
    else:
        matrix = rule.encoder.encode(read)[:, rule.features]
    return Taken(matrix, read, tuple(notes))


def _blank(series: pd.Series[Any], silent: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    texts = series.astype(str).str.strip()
    blank: npt.NDArray[np.bool_] = (series.isna() | texts.isin(["", *silent])).to_numpy()
    return blank


def _check_columns(names: list[str], codes: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1} & set(codes))
    if twice:
        raise InvalidInput(
            f"The batch has {_counted(len(twice), 'column')} more than once: {_some(twice)}.",
            "Give each its own name.",
        )
    absent = [code for code in codes if code not in names]
    if not absent:
        return
    free = [name for name in names if name not in codes]
    plain = {name.strip().casefold(): name for name in free}
    guesses = {}
    for code in absent:
        close = difflib.get_close_matches(code.strip().casefold(), plain, n=1, cutoff=0.7)
        if close:
            guesses[plain[close[0]]] = code
    move = "Give all columns that the segments are cut by; empty cells are filled in."
    if guesses:
        move = f"If they have other names now: batch.rename(columns={guesses!r})."
    raise NotFound(f"The batch lacks {len(absent)} of {len(codes)} columns: {_some(absent)}.", move)


def _distances(matrix: FloatArray, centers: FloatArray, places: IntArray) -> FloatArray:
    found = np.empty(len(matrix))
    for start in range(0, len(matrix), _CHUNK):
        rows = slice(start, start + _CHUNK)
        found[rows] = np.abs(matrix[rows] - centers[places[rows]]).sum(axis=1)
    return found


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{', '.join(map(repr, names[:5]))}{more}"
