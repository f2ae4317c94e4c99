"""From a frame to a matrix in which L1 distance is Gower's, and back.

For records *i* and *j* and variables *v* of weight *w*, Gower's dissimilarity [1]_ is
``sum(w * d(i, j)) / sum(w)`` with *d* in [0, 1]:

=========  ====================================================================================
numeric    ``|x_i - x_j| / range``, x clipped to [low, high] first and ``range = high - low``
date       the same, on days
ordinal    ``|r_i - r_j| / (n_levels - 1)``, r the position among the levels, equally spaced
boolean    0 if equal, else 1
nominal    0 if equal, else 1: one column a level holding 0 or 1/2, so two levels are 1 apart
=========  ====================================================================================

``FrameEncoder`` writes each variable as columns whose L1 distance is ``w * d``: L1 distance on the
matrix divided by ``total_weight`` is Gower's dissimilarity.

With ``scaling="range"`` low and high are the extremes, as Gower has it. One millionaire then makes
everybody else equal, so the default ``scaling="robust"`` takes the 2.5 % and 97.5 % quantiles and
counts what lies beyond as lying on them; D'Orazio [2]_ discusses such truncated ranges. Where one
value fills that span (most people spend 0), the quantiles are those of the other values, and the
span is widened to hold the common one. Quantiles are observed values, never interpolations, so
units do not matter.

Missing values: the median for numeric, ordinal, boolean and date; a level "missing" for nominal.
So are the values that a variable's `missing` names, such as -9 or "Refused": the codebook judges
and says them, the encoder only obeys. Gower leaves a variable out of a comparison where one of the
two lacks it, which no distance between points can do; with nothing missing the two agree.

Entries are rounded to multiples of 2**-40. Sums of up to a few thousand of them are then exact, so
the order of rows and of columns cannot change a distance, not even in its last bit.

References
----------
.. [1] J. C. Gower (1971), A general coefficient of similarity and some of its properties,
   Biometrics 27, 857-871.
.. [2] M. D'Orazio (2021), Distances with mixed type variables: some modified Gower's coefficients,
   arXiv:2101.02481.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from audience_nb.catalog import Variable
from audience_nb.encoding.columns import (
    MISSING,
    Column,
    FloatArray,
    Refused,
    Scaling,
    fences,
    learn_column,
    read_column,
    tail_note,
)
from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.inference import words_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Column", "EncodedColumn", "FrameEncoder", "Scaling"]

_GRID = 2.0**40


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """Where and how one variable stands in the matrix.

    Parameters
    ----------
    column : Column
        How its values are read.
    start, stop : int
        Its columns of the matrix, `stop` not included.
    weight : float
        Its weight in the distance.
    low, high : float
        Values that become 0 and 1, in original units or positions among the levels.
    fill : float
        What stands for a missing value.
    n_missing : int
        How many records it stood for at fit.
    """

    column: Column
    start: int
    stop: int
    weight: float
    low: float
    high: float
    fill: float
    n_missing: int


class FrameEncoder:
    """Encode a mixed frame so that L1 distance is fair to all its variables.

    Parameters
    ----------
    scaling : {"robust", "range"}, default "robust"
        What a difference of 1 is for numbers and dates: see the module's text.
    weights : mapping of code to float, optional
        Weights above 0 of the variables in the distance; 1 where not given.

    Attributes
    ----------
    columns_ : tuple of EncodedColumn
        The variables that take part, in the order given.
    groups : dict of code to slice
        Their columns of the matrix.
    dropped : dict of code to str
        The variables that don't, and why.
    notes : list of str
        What was left out, filled in or set aside, with counts, in words.
    total_weight : float
        L1 distance divided by it is Gower's dissimilarity.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20, 30, 60], "home": ["rent", "own", "own"]})
    >>> encoder = FrameEncoder()
    >>> encoder.fit_transform(frame)
    array([[0.  , 0.  , 0.5 ],
           [0.25, 0.5 , 0.  ],
           [1.  , 0.5 , 0.  ]])
    >>> encoder.decode([[0.25, 0.5, 0.0]])["home"][0]
    'own'
    """

    def __init__(
        self, *, scaling: Scaling = "robust", weights: Mapping[str, float] | None = None
    ) -> None:
        if scaling not in ("robust", "range"):
            raise InvalidInput(f"scaling is {scaling!r}.", 'Use "robust" or "range".')
        self.scaling: Scaling = scaling
        self.weights = dict(weights or {})
        wrong = {c: w for c, w in self.weights.items() if not 0 < float(w) < math.inf}
        if wrong:
            code, weight = next(iter(wrong.items()))
            raise InvalidInput(
                f"The weight of {code!r} is {weight!r}.",
                "Give weights above 0; leave a variable out of the list to ignore it.",
            )
        self.columns_: tuple[EncodedColumn, ...] = ()
        self.dropped: dict[str, str] = {}
        self.notes: list[str] = []

    def __repr__(self) -> str:
        return (
            f"FrameEncoder({len(self.columns_)} variables, {self.n_features} columns, "
            f"{len(self.dropped)} left out, scaling={self.scaling!r})"
        )

    @property
    def n_features(self) -> int:
        """Columns of the matrix."""
        return self.columns_[-1].stop if self.columns_ else 0

    @property
    def groups(self) -> dict[str, slice]:
        """Columns of the matrix by variable code."""
        return {e.column.code: slice(e.start, e.stop) for e in self.columns_}

    @property
    def total_weight(self) -> float:
        """Sum of the weights of the variables that take part."""
        return math.fsum(e.weight for e in self.columns_)

    def fit(
        self, frame: pd.DataFrame, variables: Sequence[Variable | str] | None = None
    ) -> FrameEncoder:
        """Learn types, scales and fillings.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Columns named by variable code.
        variables : sequence of Variable or str, optional
            What takes part; by default every column. A `Variable` states its value type; of a
            plain code the type is inferred.

        Returns
        -------
        FrameEncoder
            Itself.

        Raises
        ------
        InvalidInput
            If the frame has no records, repeats a column, or nothing in it tells records apart.
        NotFound
            If the frame lacks a variable.

        Examples
        --------
        >>> import pandas as pd
        >>> FrameEncoder().fit(pd.DataFrame({"age": [20, 30, 60]})).n_features
        1
        """
        self.fit_read(frame, variables)
        return self

    def fit_transform(
        self, frame: pd.DataFrame, variables: Sequence[Variable | str] | None = None
    ) -> FloatArray:
        """Learn and encode in one pass.

        Parameters
        ----------
        frame, variables
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_records, n_features), float64
            C-contiguous, no NaN.

        Raises
        ------
        InvalidInput, NotFound
            As for `fit`.

        Examples
        --------
        >>> import pandas as pd
        >>> FrameEncoder().fit_transform(pd.DataFrame({"age": [20, 30, 60]})).ravel()
        array([0.  , 0.25, 1.  ])
        """
        return self.encode(self.fit_read(frame, variables))

    def transform(self, frame: pd.DataFrame) -> FloatArray:
        """Encode further records as learnt.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Holds at least the columns that take part.

        Returns
        -------
        ndarray of shape (n_records, n_features), float64
            A level not seen at fit is equally far, 1/2, from every other.

        Raises
        ------
        WrongStep
            Before `fit`.
        NotFound
            If a column is absent.

        Examples
        --------
        >>> import pandas as pd
        >>> encoder = FrameEncoder().fit(pd.DataFrame({"age": [20, 30, 60]}))
        >>> encoder.transform(pd.DataFrame({"age": [40]}))
        array([[0.5]])
        """
        self._check_fitted()
        names = _checked_names(frame, [e.column.code for e in self.columns_])
        return self.encode(
            {
                e.column.code: read_column(frame.iloc[:, names[e.column.code]], e.column)
                for e in self.columns_
            }
        )

    def fit_read(
        self, frame: pd.DataFrame, variables: Sequence[Variable | str] | None = None
    ) -> dict[str, FloatArray]:
        """Learn, and give the values as read: numbers in original units, not yet scaled.

        Parameters
        ----------
        frame, variables
            As for `fit`.

        Returns
        -------
        dict of code to ndarray of shape (n_records,), float64
            Numbers, days since 1970-01-01, 0/1 or positions among the levels; NaN where missing,
            except in nominal variables, which then have the level "missing".

        Raises
        ------
        InvalidInput, NotFound
            As for `fit`.

        Examples
        --------
        >>> import pandas as pd
        >>> FrameEncoder().fit_read(pd.DataFrame({"age": [20.0, None, 60.0]}))["age"]
        array([20., nan, 60.])
        """
        if not len(frame):
            raise InvalidInput("The frame has 0 records.", "Give a frame with records.")
        chosen = list(frame.columns) if variables is None else list(variables)
        codes = [v.code if isinstance(v, Variable) else str(v) for v in chosen]
        names = _checked_names(frame, codes)
        unknown = [code for code in self.weights if code not in names]
        if unknown:
            raise NotFound(
                f"{len(unknown)} weights are for variables that are not chosen, "
                f"the first is {unknown[0]!r}.",
                "Weigh chosen variables only.",
            )
        read: dict[str, FloatArray] = {}
        encoded: list[EncodedColumn] = []
        self.notes, self.dropped = [], {}
        for code, choice in zip(codes, chosen, strict=True):
            given = choice if isinstance(choice, Variable) else Variable(code, words_of(code))
            try:
                column, values, notes = learn_column(
                    frame.iloc[:, names[code]], given, isinstance(choice, Variable)
                )
                entry, values = self._placed(column, values, encoded, notes)
            except Refused as reason:
                self.dropped[code] = str(reason)
                self.notes.append(f"{given.label}: left out, {reason}.")
                continue
            self.notes.extend(f"{given.label}: {note}." for note in notes)
            encoded.append(entry)
            read[code] = values
        if not encoded:
            first = next(iter(self.notes), "")
            raise InvalidInput(
                f"None of the {len(codes)} variables tells the {len(frame):,} records apart. "
                f"{first}".strip(),
                "Choose variables with at least two different values.",
            )
        self.columns_ = tuple(encoded)
        return read

    def encode(self, read: Mapping[str, FloatArray]) -> FloatArray:
        """Scale values as read by `fit_read`.

        Parameters
        ----------
        read : mapping of code to ndarray of shape (n_records,)
            From `fit_read`, or values alike.

        Returns
        -------
        ndarray of shape (n_records, n_features), float64
            Multiples of 2**-40.

        Raises
        ------
        WrongStep
            Before `fit`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> encoder = FrameEncoder().fit(pd.DataFrame({"age": [20.0, 30.0, 60.0]}))
        >>> encoder.encode({"age": np.array([np.nan, 100.0])})
        array([[0.25],
               [1.  ]])
        """
        self._check_fitted()
        n_records = len(next(iter(read.values())))
        matrix = np.zeros((n_records, self.n_features))
        for entry in self.columns_:
            values = read[entry.column.code]
            if entry.column.value_type == "nominal":
                rows = np.flatnonzero(~np.isnan(values))
                matrix[rows, entry.start + values[rows].astype(np.intp)] = entry.weight / 2
            else:
                known = np.where(np.isnan(values), entry.fill, values)
                known = np.clip(known, entry.low, entry.high)
                # Halved first, so that the span of very large numbers does not overflow.
                share = (known / 2 - entry.low / 2) / (entry.high / 2 - entry.low / 2)
                matrix[:, entry.start] = share * entry.weight
        return np.rint(matrix * _GRID) / _GRID

    def decode(self, centres: Any) -> pd.DataFrame:
        """Write points of the matrix, such as medians, as values that people read.

        Parameters
        ----------
        centres : array-like of shape (n_points, n_features)
            Points in the encoded space.

        Returns
        -------
        pandas.DataFrame of shape (n_points, n_variables)
            Texts, columns named by code: "34", "renter", "2012-09-04". A nominal variable reads
            "mixed" where no level holds the point, which is where no level has a majority.

        Raises
        ------
        WrongStep
            Before `fit`.
        InvalidInput
            If the points have another number of columns.

        Examples
        --------
        >>> import pandas as pd
        >>> encoder = FrameEncoder().fit(pd.DataFrame({"pay": [1000, 52000, 90000]}))
        >>> encoder.decode([[0.5]])["pay"][0]
        '45,500'
        """
        import pandas as pd

        self._check_fitted()
        points = np.asarray(centres, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.n_features:
            raise InvalidInput(
                f"The points have shape {points.shape}, the matrix {self.n_features} columns.",
                f"Give an array of shape (n_points, {self.n_features}).",
            )
        table: dict[str, list[str]] = {}
        for entry in self.columns_:
            column, block = entry.column, points[:, entry.start : entry.stop] / entry.weight
            if column.value_type == "nominal":
                best = block.argmax(axis=1)
                texts = [
                    column.levels[i] if row[i] > 0 else "mixed"
                    for row, i in zip(block, best, strict=True)
                ]
            else:
                share = block[:, 0]
                values = entry.low * (1 - share) + entry.high * share
                texts = [column.text(float(v)) for v in values]
            table[column.code] = texts
        return pd.DataFrame(table)

    def _placed(
        self, column: Column, values: FloatArray, before: list[EncodedColumn], notes: list[str]
    ) -> tuple[EncodedColumn, FloatArray]:
        missing = np.isnan(values)
        n_missing, known = int(missing.sum()), values[~missing]
        width, low, high, fill = 1, 0.0, 1.0, np.nan
        if column.value_type == "nominal":
            if n_missing:
                column = _with_missing(column)
                values = np.where(missing, float(len(column.levels) - 1), values)
            width = len(column.levels)
        elif column.levels:
            high = float(len(column.levels) - 1)
            fill = float(np.quantile(known, 0.5, method="lower"))
        else:
            fill = float(np.median(known))
            low, high = fences(known, self.scaling)
            if not high / 2 - low / 2 > 0:
                raise Refused("constant to within the precision of numbers")
            notes.extend(tail_note(column, known, low, high))
        if n_missing:
            how = (
                "a level of their own"
                if column.value_type == "nominal"
                else f"filled with the median, {column.text(fill)}"
            )
            notes.append(f"{n_missing:,} of {len(values):,} values are missing: {how}")
        start = before[-1].stop if before else 0
        weight = float(self.weights.get(column.code, 1.0))
        return EncodedColumn(
            column, start, start + width, weight, low, high, fill, n_missing
        ), values

    def _check_fitted(self) -> None:
        if not self.columns_:
            raise WrongStep("The encoder has learnt no frame yet.", "Call fit first.")


def _with_missing(column: Column) -> Column:
    name = MISSING
    while name in column.levels:
        name = f"({name})"
    return replace(column, levels=(*column.levels, name), has_missing=True)


def _checked_names(frame: pd.DataFrame, codes: Sequence[str]) -> dict[str, int]:
    """Map wanted codes to positions in the frame, or say what is wrong with them."""
    if len(set(codes)) != len(codes):
        twice = next(c for c in codes if codes.count(c) > 1)
        raise InvalidInput(f"{twice!r} is given more than once.", "Name each column once.")
    places: dict[str, int] = {}
    for position, name in enumerate(map(str, frame.columns)):
        if name in places and name in set(codes):
            raise InvalidInput(
                f"The frame has more than one column {name!r}.", "Give each its own name."
            )
        places[name] = position
    absent = [code for code in codes if code not in places]
    if absent:
        raise NotFound(
            f"{len(absent)} of {len(codes)} variables are not in the frame, "
            f"the first is {absent[0]!r}.",
            f"The frame has {', '.join(map(repr, list(places)[:5]))} and "
            f"{max(0, len(places) - 5)} more.",
        )
    if not codes:
        raise InvalidInput("No variable is chosen.", "Choose at least one.")
    return {code: places[code] for code in codes}
