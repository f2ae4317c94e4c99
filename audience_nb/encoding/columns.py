"""One column of a frame, read as numbers whose meaning is known."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Variable
from audience_nb.cells import (
    as_days,
    as_numbers,
    clean,
    decimal_comma,
    distinct_texts,
    finite,
    holds_text,
    is_number,
    key_of,
    number_text,
    recognise_dates,
    take,
    texts_as_numbers,
)
from audience_nb.scales import answer_of, in_order, yes_or_no

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Column",
    "ColumnType",
    "Refused",
    "Scaling",
    "fences",
    "learn_column",
    "read_column",
    "tail_note",
]

ColumnType = Literal["numeric", "ordinal", "nominal", "boolean", "date"]
Scaling = Literal["robust", "range"]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

# A text column counts as numbers or dates when at least this share of its values parses.
NEARLY_ALL = 0.95
# Above this many different texts a column is a candidate identifier, and levels are folded.
MAX_LEVELS = 50
# Whole numbers with at most so many levels are read as a rating or small count, as codebook does.
MAX_RATING = 11
# Share of the values beyond each robust fence.
TAIL = 0.025
OTHER, MISSING = "other", "missing"

# A value that a catalogue states with its meaning: "1=Yes".
_CODED = re.compile(r"([^=<>]{1,40})=(.+)", re.DOTALL)
_DAY_NUMBER = "%Y%m%d"


class Refused(Exception):
    """Why a column can't take part; the encoder turns it into a note."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column is read.

    Parameters
    ----------
    variable : Variable
        What the column measures.
    value_type : {"numeric", "ordinal", "nominal", "boolean", "date"}
        How its values were read.
    levels : tuple of str
        Texts of the values of ordinal (in order), nominal and boolean (false, true) columns.
    decimals : int
        Digits after the point that numbers are shown with.
    is_year : bool
        Whether the numbers look like calendar years, which take no thousands commas.
    has_missing : bool
        Whether the last level stands for missing values.
    date_format : str
        How dates written as text are read, "" where they are not text.
    codes : tuple of str
        What stands in the data for each of `levels`, where that is not the level's text.
    decimal_comma : bool
        Whether numbers written as text have a comma before their decimals.

    Examples
    --------
    >>> column = Column(Variable("HOME", "Home"), "nominal", levels=("owner", "renter"))
    >>> column.text(1.0)
    'renter'
    """

    variable: Variable
    value_type: ColumnType
    levels: tuple[str, ...] = ()
    decimals: int = 0
    is_year: bool = False
    has_missing: bool = False
    date_format: str = ""
    codes: tuple[str, ...] = ()
    decimal_comma: bool = False

    @property
    def code(self) -> str:
        """Code of the variable, the column's name."""
        return self.variable.code

    @property
    def label(self) -> str:
        """Label of the variable."""
        return self.variable.label

    def text(self, value: float) -> str:
        """Write one value for people.

        Parameters
        ----------
        value : float
            A number, days since 1970-01-01, 0 or 1, or a position among the levels.

        Returns
        -------
        str
            Such as "34", "1,397", "2012-09-04", "renter"; "unknown" for NaN.

        Examples
        --------
        >>> Column(Variable("PAY", "Income"), "numeric").text(51381.4)
        '51,381'
        """
        if not math.isfinite(value):
            return "unknown"
        if self.levels:
            return self.levels[round(min(max(value, 0), len(self.levels) - 1))]
        if self.value_type == "date":
            return str(np.datetime64(math.floor(value), "D"))
        number = round(value, self.decimals) + 0.0  # no "-0"
        if abs(number) >= 1e15:
            return f"{number:.6g}"
        return f"{number:.{self.decimals}f}" if self.is_year else f"{number:,.{self.decimals}f}"

    def value(self, value: float) -> Any:
        """Give one value as JSON can hold it.

        Parameters
        ----------
        value : float
            As for `text`.

        Returns
        -------
        int, float, bool, str or None
            Numbers stay numbers, dates become ISO text, levels their text, NaN None.

        Examples
        --------
        >>> Column(Variable("PAY", "Income"), "numeric").value(51381.0)
        51381
        """
        if not math.isfinite(value):
            return None
        if self.value_type == "boolean":
            return value >= 0.5
        if self.levels:
            text = self.text(value)
            return _plain(float(text)) if is_number(text) else text
        return self.text(value) if self.value_type == "date" else _plain(value)


def learn_column(
    series: pd.Series[Any], variable: Variable, declared: bool
) -> tuple[Column, FloatArray, list[str]]:
    """Decide how a column is read, and read it.

    Parameters
    ----------
    series : pandas.Series of length n_records
        Any dtype.
    variable : Variable
        What it measures.
    declared : bool
        Whether `variable.value_type` is somebody's statement; otherwise it is inferred.

    Returns
    -------
    column : Column
        How it is read.
    values : ndarray of shape (n_records,), float64
        Numbers, days since 1970-01-01, 0/1, or positions among the levels; NaN where missing.
    notes : list of str
        What was set aside, with counts.

    Raises
    ------
    InvalidInput
        If the column holds lists, dicts or complex numbers.
    Refused
        If the column holds nothing to compare records by.

    Examples
    --------
    >>> import pandas as pd
    >>> learn_column(pd.Series(["No", "Yes", ""]), Variable("CAR", "Car"), False)[1]
    array([ 0.,  1., nan])
    """
    notes: list[str] = []
    wanted = variable.value_type if declared else "text"
    if holds_text(series):
        column, values = _learn_texts(series, variable, wanted, notes)
    else:
        column, values = _learn_numbers(series, variable, wanted, notes)
    _check_spread(values, column)
    return column, values, notes


def read_column(series: pd.Series[Any], column: Column) -> FloatArray:
    """Read a column as it was learnt.

    Parameters
    ----------
    series : pandas.Series of length n_records
        Any dtype.
    column : Column
        From `learn_column`.

    Returns
    -------
    ndarray of shape (n_records,), float64
        NaN where a value is missing, does not parse, or is a level not seen before.

    Examples
    --------
    >>> import pandas as pd
    >>> home = Column(Variable("HOME", "Home"), "nominal", levels=("owner", "renter"))
    >>> read_column(pd.Series(["renter", "owner", "tent"]), home)
    array([ 1.,  0., nan])
    """
    if column.value_type == "boolean" and not column.codes:
        if not holds_text(series):
            return _numbers(series, column.variable)
        codes, texts = _texts(series, column.variable)
        levels = {t.casefold(): float(i) for i, t in enumerate(column.levels)}
        return take(np.array([_answer(key_of(t), levels) for t in texts]), codes)
    if column.levels:
        codes, texts = _texts(series, column.variable)
        named = column.codes or column.levels
        places = {key_of(level): float(i) for i, level in enumerate(named)}
        rest = places.get(OTHER, np.nan) if column.value_type == "nominal" else np.nan
        values = take(np.array([places.get(key_of(t), rest) for t in texts]), codes)
        return (
            np.where(codes < 0, len(column.levels) - 1.0, values) if column.has_missing else values
        )
    if not holds_text(series) and column.date_format != _DAY_NUMBER:
        return _numbers(series, column.variable)
    codes, texts = _texts(series, column.variable)
    if column.value_type == "date":
        return take(as_days(texts, column.date_format or "ISO8601"), codes)
    return finite(take(texts_as_numbers(texts, comma=column.decimal_comma), codes))


def _answer(text: str, levels: dict[str, float]) -> float:
    """Read one answer; its own words go before those that anybody uses."""
    own = levels.get(text.casefold())
    if own is not None:
        return own
    answer = answer_of(text)
    return math.nan if answer is None else float(answer)


def _numbers(series: pd.Series[Any], variable: Variable) -> FloatArray:
    """Read numbers, without those that stand for no answer."""
    numbers = finite(as_numbers(series))
    if variable.missing:
        codes = texts_as_numbers(variable.missing)
        numbers = np.where(np.isin(numbers, codes[~np.isnan(codes)]), np.nan, numbers)
    return numbers


def _texts(series: pd.Series[Any], variable: Variable) -> tuple[IntArray, list[str]]:
    """Read texts, without those that stand for no answer."""
    codes, texts = distinct_texts(series)
    if not variable.missing:
        return codes, texts
    silent = {key_of(text).casefold() for text in variable.missing}
    kept = [key_of(text).casefold() not in silent for text in texts]
    if all(kept):
        return codes, texts
    places = np.where(kept, np.cumsum(kept) - 1, -1)
    return np.append(places, -1)[codes], [t for t, keep in zip(texts, kept, strict=True) if keep]


def _stated(variable: Variable) -> list[tuple[str, str]]:
    """Give the stated values as they stand in the data, each with what it means."""
    found = [_CODED.fullmatch(value) for value in variable.values]
    if not all(found):
        return []
    return [(match[1].strip(), match[2].strip()) for match in found if match]


def _coded(
    series: pd.Series[Any], variable: Variable, wanted: str, texts: Sequence[str]
) -> tuple[Column, FloatArray] | None:
    """Read codes by what a catalogue says they mean; None if it does not say."""
    meanings = {key_of(code): label for code, label in _stated(variable)}
    present = {key_of(text): text for text in texts}
    if not meanings or not meanings.keys() & present.keys():
        return None
    if wanted == "boolean" and len(meanings) == 2 and present.keys() <= meanings.keys():
        answers = yes_or_no(meanings.values()) or {}
        ordered = sorted(meanings, key=lambda code: answers.get(meanings[code], 0))
        levels = tuple(meanings[code] for code in ordered)
        column = Column(variable, "boolean", levels=levels, codes=tuple(ordered))
        return column, read_column(series, column)
    for code in sorted(present.keys() - meanings.keys()):
        meanings[code] = present[code]
    order = list(meanings)
    if wanted == "ordinal" and all(is_number(code) for code in order):
        order.sort(key=float)
    kind: ColumnType = "ordinal" if wanted == "ordinal" else "nominal"
    levels = tuple(clean(meanings[code]) for code in order)
    if len(set(levels)) < len(levels):
        levels = tuple(f"{clean(meanings[code])} ({code})" for code in order)
    column = Column(variable, kind, levels=levels, codes=tuple(order))
    return column, read_column(series, column)


def fences(known: FloatArray, scaling: Scaling) -> tuple[float, float]:
    """Give the values that become 0 and 1.

    Parameters
    ----------
    known : ndarray of float64
        Values without NaN, not all equal.
    scaling : {"robust", "range"}
        Observed 2.5 % and 97.5 % quantiles, or extremes.

    Returns
    -------
    low, high : float
        Both are values of the column, so units do not matter.

    Examples
    --------
    >>> fences(np.array([1.0, 2.0, 50.0]), "robust")
    (1.0, 50.0)
    """
    if scaling == "range":
        return float(known.min()), float(known.max())
    low = float(np.quantile(known, TAIL, method="lower"))
    high = float(np.quantile(known, 1 - TAIL, method="higher"))
    if low == high:
        rest = known[known != low]
        low = min(low, float(np.quantile(rest, TAIL, method="lower")))
        high = max(high, float(np.quantile(rest, 1 - TAIL, method="higher")))
    return low, high


def tail_note(column: Column, known: FloatArray, low: float, high: float) -> list[str]:
    """Mention clipping where tails are heavy: beyond thrice the span that counts.

    Parameters
    ----------
    column : Column
        How the values are read.
    known : ndarray of float64
        Values without NaN.
    low, high : float
        From `fences`.

    Returns
    -------
    list of str
        One note, or none.

    Examples
    --------
    >>> pay = Column(Variable("PAY", "Income"), "numeric")
    >>> tail_note(pay, np.array([0.0, 10.0, 90.0]), 0.0, 10.0)
    ['1 values outside 0 to 10 count as the nearer of the two']
    """
    if not known.max() / 2 - known.min() / 2 > 3 * (high / 2 - low / 2):
        return []
    beyond = int(((known < low) | (known > high)).sum())
    span = f"{column.text(low)} to {column.text(high)}"
    return [f"{beyond:,} values outside {span} count as the nearer of the two"]


def _learn_numbers(
    series: pd.Series[Any], variable: Variable, wanted: str, notes: list[str]
) -> tuple[Column, FloatArray]:
    import pandas as pd

    numbers = as_numbers(series)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        notes.append(f"{infinite:,} infinite values count as missing")
    numbers = _numbers(series, variable)
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if wanted in ("boolean", "ordinal", "nominal") and 0 < len(distinct) <= MAX_LEVELS:
        coded = _coded(series, variable, wanted, [number_text(v) for v in distinct])
        if coded is not None:
            return coded
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return Column(variable, "date"), numbers
    whole = bool((distinct % 1 == 0).all())
    if wanted == "date" and whole and len(distinct) and distinct[0] >= 19000101:
        codes, texts = _texts(series, variable)
        days = as_days(texts, _DAY_NUMBER)
        if not np.isnan(days).any():
            return Column(variable, "date", date_format=_DAY_NUMBER), take(days, codes)
    if wanted != "nominal" and len(distinct) and set(distinct) <= {0.0, 1.0}:
        return Column(variable, "boolean", levels=("no", "yes")), numbers
    few = whole and 0 < len(distinct) <= MAX_RATING
    rating = wanted == "text" and few and bool(distinct[0] >= 0 and np.ptp(distinct) < MAX_RATING)
    if wanted == "nominal" and len(distinct) <= MAX_LEVELS:
        return _leveled(variable, "nominal", [number_text(v) for v in distinct], series)
    if (wanted == "ordinal" and len(distinct) <= MAX_LEVELS) or rating:
        levels = _declared_levels(variable, [number_text(v) for v in distinct])
        levels = levels or [number_text(v) for v in distinct]
        return _leveled(variable, "ordinal", levels, series)
    return _numeric(variable, numbers, whole), numbers


def _learn_texts(
    series: pd.Series[Any], variable: Variable, wanted: str, notes: list[str]
) -> tuple[Column, FloatArray]:
    import pandas as pd

    codes, texts = _texts(series, variable)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    n_known = int(counts.sum())
    if not n_known:
        raise Refused("no value is known")
    if wanted in ("boolean", "ordinal", "nominal") and len(texts) <= MAX_LEVELS:
        coded = _coded(series, variable, wanted, texts)
        if coded is not None:
            return coded
    if isinstance(series.dtype, pd.CategoricalDtype):
        if series.dtype.ordered and wanted in ("ordinal", "text") and len(texts) <= MAX_LEVELS:
            return _leveled(variable, "ordinal", texts, series)
        texts = [t for t, count in zip(texts, counts, strict=True) if count]
        codes = np.append(np.cumsum(counts > 0) - 1, -1)[codes]
        counts = counts[counts > 0]
        wanted = "nominal" if wanted == "text" else wanted
    choice = wanted in ("nominal", "ordinal") and len(texts) <= MAX_LEVELS
    if wanted in ("text", "boolean"):
        answers = yes_or_no(texts)
        if answers:
            # Of several spellings the commonest is shown.
            ranked = sorted(range(len(texts)), key=lambda i: (-int(counts[i]), texts[i]))
            spelt = [
                next(texts[i] for i in ranked if answers[texts[i]] is a) for a in (False, True)
            ]
            return _leveled(variable, "boolean", spelt, series)
    if not choice:
        comma = decimal_comma(texts)
        numbers = texts_as_numbers(texts, comma=comma)
        parsed = int(counts[~np.isnan(numbers)].sum())
        if parsed >= NEARLY_ALL * n_known:
            if parsed < n_known:
                notes.append(f"{n_known - parsed:,} texts that are no numbers count as missing")
            read = pd.Series(take(numbers, codes))
            column, values = _learn_numbers(read, variable, wanted, notes)
            return replace(column, decimal_comma=comma), values
        dated = recognise_dates(texts, counts, NEARLY_ALL * n_known)
        if dated is not None:
            style, days = dated
            lost = int(counts[np.isnan(days)].sum())
            if lost:
                notes.append(f"{lost:,} texts that are no dates count as missing")
            if any(part.startswith("%m") for part in style.split("|")):
                notes.append("dates are read as month, day, year")
            return Column(variable, "date", date_format=style), take(days, codes)
    if wanted == "text" and len(texts) <= MAX_LEVELS and (scale := in_order(texts)):
        return _leveled(variable, "ordinal", scale, series)
    if wanted == "ordinal":
        levels = _declared_levels(variable, texts) or in_order(texts) or []
        if levels:
            return _leveled(variable, "ordinal", levels, series)
        if all(is_number(t) for t in texts):
            return _leveled(variable, "ordinal", sorted(texts, key=float), series)
        notes.append("its values have no stated order, so they are read as categories")
    elif wanted in ("numeric", "date", "boolean"):
        notes.append(f"stated as {wanted}, but most values are not, so they are read as categories")
    if len(texts) > MAX_LEVELS and len(texts) > 0.5 * n_known:
        raise Refused(f"{len(texts):,} different texts in {n_known:,} records identify, not group")
    if len(texts) == n_known > 2:
        raise Refused(f"all {n_known:,} texts differ, so they group nobody")
    # Most common first, so that ties between levels are broken the same way in any row order.
    ranked = sorted(range(len(texts)), key=lambda i: (-int(counts[i]), texts[i]))
    kept = [texts[i] for i in ranked[:MAX_LEVELS]]
    if len(texts) > MAX_LEVELS:
        kept = [*kept[: MAX_LEVELS - 1], OTHER]
        notes.append(
            f"{len(texts) - MAX_LEVELS + 1:,} rarer of {len(texts):,} levels count as other"
        )
    return _leveled(variable, "nominal", kept, series)


def _leveled(
    variable: Variable, kind: ColumnType, levels: Sequence[str], series: pd.Series[Any]
) -> tuple[Column, FloatArray]:
    column = Column(variable, kind, levels=tuple(levels))
    return column, read_column(series, column)


def _numeric(variable: Variable, numbers: FloatArray, whole: bool) -> Column:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        raise Refused("no value is known")
    low, high = np.quantile(known, [0.1, 0.9])
    spread = float(high / 2 - low / 2) * 2 or float(np.abs(known).max())
    # Two digits of the spread tell people apart; more is noise to a reader.
    decimals = 0 if whole or spread <= 0 else max(0, min(9, 1 - math.floor(math.log10(spread))))
    is_year = whole and float(known.min()) >= 1800 and float(known.max()) <= 2200
    return Column(variable, "numeric", decimals=decimals, is_year=is_year)


def _check_spread(values: FloatArray, column: Column) -> None:
    known = values[~np.isnan(values)]
    if not len(known):
        raise Refused("no value is known")
    # A category that is sometimes missing still has two levels: it, and missing.
    alone = column.value_type != "nominal" or len(known) == len(values)
    if alone and known.min() == known.max():
        raise Refused(f"constant, always {column.text(float(known[0]))}")


def _declared_levels(variable: Variable, texts: Sequence[str]) -> list[str]:
    """Give the stated values in their stated order if they cover the texts."""
    stated = {key_of(v): v for v in variable.values}
    written = {key_of(t): t for t in texts}
    if len(stated) > MAX_LEVELS or not written.keys() <= stated.keys():
        return []
    return [written.get(key, clean(v)) for key, v in stated.items()]


def _plain(value: float) -> int | float:
    return int(value) if value == int(value) and abs(value) < 2**53 else float(value)
