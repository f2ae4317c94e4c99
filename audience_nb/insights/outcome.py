"""What a segment is measured by: a column of the records, read as numbers or as yes and no."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog, Variable
from audience_nb.encoding import Column
from audience_nb.encoding.columns import Refused, learn_column
from audience_nb.errors import InvalidInput, NotAllowed, NotFound
from audience_nb.policy.sensitive import categories_of

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.sources import Source

__all__ = ["outcome_of", "part_of"]


def outcome_of(
    spec: str,
    source: Source,
    frame: pd.DataFrame,
    index: pd.Index[Any],
    catalog: Catalog,
    allowed: Collection[str] = (),
    *,
    silent: bool = False,
) -> tuple[pd.Series[Any], str]:
    """Read a column of the records as an outcome.

    Parameters
    ----------
    spec : str
        "column", of numbers or of yes and no, or "column=value".
    source : Source
        Where columns are that the frame lacks.
    frame : pandas.DataFrame
        Records that are loaded.
    index : pandas.Index
        Of the records that are wanted.
    catalog : Catalog
        What columns mean.
    allowed : collection of str, default ()
        Sensitive columns that somebody allowed.
    silent : bool, default False
        Whether errors tell no value, nor whether anybody has one, as in a clean room.

    Returns
    -------
    values : pandas.Series of float64
        On the index; 1 and 0 for yes and no, NaN where unknown.
    code : str
        The column.

    Raises
    ------
    NotFound
        If there is no such column or value.
    NotAllowed
        If it is sensitive.
    InvalidInput
        If it has levels and none is named.

    Examples
    --------
    >>> import pandas as pd
    >>> from audience_nb.sources import open_source
    >>> table = pd.DataFrame({"plan": ["a", "b", "a"], "left": ["yes", "no", "no"]})
    >>> source, catalog = open_source(table), Catalog.from_frame(table)
    >>> outcome_of("left", source, table, table.index, catalog)[0].tolist()
    [1.0, 0.0, 0.0]
    >>> outcome_of("plan=b", source, table, table.index, catalog)[0].tolist()
    [0.0, 1.0, 0.0]
    """
    import pandas as pd

    columns = {*source.codes, *source.attributes}
    code, _, value = (spec, "", "") if spec in columns else spec.partition("=")
    code, value = code.strip(), value.strip()
    if code not in columns:
        raise NotFound(
            f"{source.name} has no column {code!r}.",
            "Name a column of the records, or column=value.",
        )
    variable = catalog[code] if code in catalog else Variable(code, code)
    barred = categories_of([variable])
    if code in barred and code not in allowed:
        raise NotAllowed(
            f"{variable.label} is sensitive ({barred[code]}).",
            "Use another column, or put on record why not: allow_sensitive(codes, reason).",
        )
    series = frame[code] if code in frame else source.fetch([code])[code]
    series = series.reindex(index)
    if value:
        # A column with gaps holds 5 as 5.0.
        number = pd.to_numeric(pd.Series([value]), errors="coerce")[0]
        if number == number and pd.api.types.is_numeric_dtype(series):
            same = series == number
        else:
            same = series.astype(str).str.strip().str.casefold() == value.casefold()
        if not silent and not same.any():
            raise NotFound(f"No record has {code}={value}.", "Name a value of the column.")
        return pd.Series(np.where(series.isna(), np.nan, same), index, dtype="float64"), code
    try:
        column, read, _ = learn_column(series, Variable(code, code), False)
    except Refused as reason:
        why = "" if silent else f": {reason}"
        raise InvalidInput(f"{code!r} cannot be an outcome{why}.", "Name another column.") from None
    if column.levels and column.value_type != "boolean":
        numbers = pd.to_numeric(pd.Series(list(column.levels)), errors="coerce").to_numpy()
        if np.isnan(numbers).any():
            first = "…" if silent else column.levels[0]
            raise InvalidInput(
                f"{code!r} has {'several' if silent else len(column.levels)} levels.",
                f"Name one: {code}={first}.",
            )
        places = np.nan_to_num(read).astype(np.intp)
        read = np.where(np.isnan(read), np.nan, numbers[places])
    return pd.Series(read, index, dtype="float64"), code


def part_of(
    name: str, column: Column, values: npt.NDArray[np.float64]
) -> tuple[str, npt.NDArray[np.bool_]]:
    """Name the part of the records that a variable is most often asked for.

    Parameters
    ----------
    name : str
        Short name of the variable.
    column : Column
        How it is read.
    values : ndarray of shape (n_records,), float64
        As read, NaN where missing.

    Returns
    -------
    name : str
        Such as "Age above 45".
    inside : ndarray of shape (n_records,), bool
        Those above the median, who say yes, or of the most common level.

    Examples
    --------
    >>> age = Column(Variable("AGE", "Age"), "numeric")
    >>> part_of("age", age, np.array([20.0, 30.0, 70.0]))[0]
    'Age above 30'
    """
    known = values[~np.isnan(values)]
    title = name[:1].upper() + name[1:]
    if column.value_type == "boolean":
        return title, values == 1
    if column.value_type == "nominal":
        level = int(np.bincount(known.astype(np.intp)).argmax()) if len(known) else 0
        return f"{title}: {column.levels[level]}", values == level
    middle = float(np.median(known)) if len(known) else 0.0
    if column.levels:
        middle = float(np.floor(middle))
    word = "after" if column.value_type == "date" else "above"
    return f"{title} {word} {column.text(middle)}", values > middle
