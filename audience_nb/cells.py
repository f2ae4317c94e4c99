"""Cells as they come (texts, dates, any dtype) to arrays of numbers and distinct texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "as_days",
    "as_numbers",
    "clean",
    "decimal_comma",
    "distinct_texts",
    "finite",
    "holds_text",
    "is_number",
    "key_of",
    "number_text",
    "parse_numbers",
    "recognise_dates",
    "take",
    "texts_as_numbers",
    "unit_of",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_BLANKS = frozenset({"", "na", "n/a", "nan", "<na>", "nat", "null", "inf", "-inf", "-", "?", "."})
_UNIT_WORDS = (
    "km|kms|kilometers|kilometres|mi|miles|m|cm|mm|kg|kgs|g|lb|lbs|years?|yrs?|months?|weeks?|"
    "days?|hours?|hrs?|h|minutes?|mins?|pts?|points?|people|persons?"
)
_CURRENCY = "US\\$|CA?\\$|A\\$|[$€£¥]|USD|CAD|EUR|GBP|AUD|CHF"
# A number with what people write around it: a bracket for a minus, a currency, a unit.
_WRITTEN = re.compile(
    rf"^(?P<open>\()?(?P<sign>[-+−])?\s*(?:{_CURRENCY})?\s*(?P<inner>[-+−])?\s*"
    rf"(?P<number>\d[\d., '\u00a0\u202f]*|\.\d+)(?P<power>[eE][-+]?\d+)?"
    rf"\s*(?:%|percent|pct|{_CURRENCY}|{_UNIT_WORDS})?\s*(?P<close>\))?$",
    re.IGNORECASE,
)
_POINT = re.compile(r"(\d{1,3}([, '\u00a0\u202f]\d{3})+|\d+)?(\.\d*)?")
_COMMA = re.compile(r"(\d{1,3}([. '\u00a0\u202f]\d{3})+|\d+)(,\d+)?")
_COMMA_DECIMALS = re.compile(r"\d,(\d{1,2}|\d{4,})\D*$|\.\d{3}(\.\d{3})*,\d+\D*$")
_POINT_DECIMALS = re.compile(r"(^|\D)\d*\.(\d{1,2}|\d{4,})\D*$|,\d{3}(,\d{3})*\.\d+\D*$")
_UNITS = (
    ("percent", re.compile(r"\d\s*(%|percent|pct)\s*\)?$", re.IGNORECASE)),
    ("dollars", re.compile(r"(\$|\b(USD|CAD|AUD))", re.IGNORECASE)),
    ("euros", re.compile(r"€|\bEUR\b", re.IGNORECASE)),
    ("pounds", re.compile(r"£|\bGBP\b", re.IGNORECASE)),
    ("yen", re.compile(r"¥")),
    ("francs", re.compile(r"\bCHF\b", re.IGNORECASE)),
)
_UNIT_AT_END = re.compile(rf"\d\s*({_UNIT_WORDS})$", re.IGNORECASE)
# Texts that tell the unit of a column.
_SEEN = 200
# Ways of writing dates that one column may mix.
MAX_FORMATS = 4

_DATE = re.compile(r"^(?=.*\d)[\w ,./:+\-]{6,40}$")
# In order of preference: a column that fits several is read by the first.
_DATE_FORMATS = (
    "ISO8601",
    "%d-%b-%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%b %Y",
    "%B %Y",
    "%b-%y",
    "%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
)


def holds_text(series: pd.Series[Any]) -> bool:
    """Tell whether a column has to be read through its texts.

    Parameters
    ----------
    series : pandas.Series
        Any dtype.

    Returns
    -------
    bool
        False for numbers, booleans, dates and durations.

    Raises
    ------
    InvalidInput
        If it holds complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> holds_text(pd.Series([1.5])), holds_text(pd.Series(["1.5"]))
    (False, True)
    """
    import pandas as pd

    kinds = pd.api.types
    if isinstance(series.dtype, pd.CategoricalDtype):
        return True
    if kinds.is_complex_dtype(series.dtype):
        raise InvalidInput(
            f"Column {series.name!r} holds complex numbers.", "Give real numbers or texts."
        )
    return not (
        kinds.is_numeric_dtype(series.dtype)
        or kinds.is_datetime64_any_dtype(series.dtype)
        or kinds.is_timedelta64_dtype(series.dtype)
    )


def as_numbers(series: pd.Series[Any]) -> FloatArray:
    """Turn a column without text into numbers.

    Parameters
    ----------
    series : pandas.Series of length n_records
        Numbers, booleans, dates or durations, nullable or not.

    Returns
    -------
    ndarray of shape (n_records,), float64
        Dates as days since 1970-01-01 (UTC), durations as days, NaN where missing.

    Examples
    --------
    >>> import pandas as pd
    >>> as_numbers(pd.to_datetime(pd.Series(["1970-01-02", None])))
    array([ 1., nan])
    """
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        since: pd.Series[Any] = series - pd.Timestamp("1970-01-01")
        return np.asarray(since / pd.Timedelta(days=1), dtype=np.float64)
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        return np.asarray(series / pd.Timedelta(days=1), dtype=np.float64)
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def finite(numbers: FloatArray) -> FloatArray:
    """Make what is not finite missing.

    Parameters
    ----------
    numbers : ndarray of float64
        May hold infinities.

    Returns
    -------
    ndarray of float64
        NaN in their place, and 0 for -0.

    Examples
    --------
    >>> finite(np.array([1.0, np.inf, -0.0]))
    array([ 1., nan,  0.])
    """
    return np.where(np.isfinite(numbers), numbers, np.nan) + 0.0


def distinct_texts(series: pd.Series[Any]) -> tuple[IntArray, list[str]]:
    """List the different texts of a column and where each stands.

    Parameters
    ----------
    series : pandas.Series of length n_records
        Any dtype; of a categorical one all categories are listed.

    Returns
    -------
    codes : ndarray of shape (n_records,), intp
        Positions among the texts, -1 where blank or missing.
    texts : list of str
        Without outer and double spaces; "1" and "1.0" are one.

    Raises
    ------
    InvalidInput
        If a cell holds a list or another nested value.

    Examples
    --------
    >>> import pandas as pd
    >>> distinct_texts(pd.Series(["b", " a", "", "b "]))[1]
    ['b', 'a']
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, uniques = np.asarray(series.cat.codes, dtype=np.intp), list(series.cat.categories)
    else:
        plain: pd.Series[Any] = series.astype(object)
        try:
            if pd.api.types.infer_dtype(plain, skipna=True).startswith("mixed"):
                # 1, True and 1.0 are one key to a hash table, and three answers to a person.
                plain = plain.where(plain.isna(), plain.map(clean, na_action="ignore"))
            found, kept = pd.factorize(plain)
        except TypeError as error:
            raise InvalidInput(
                f"Column {series.name!r} holds lists or other nested values.",
                "Give one number, text, date or yes/no a cell.",
            ) from error
        codes, uniques = np.asarray(found, dtype=np.intp), list(kept)
    places: dict[str, int] = {}
    texts: list[str] = []
    lookup = np.full(len(uniques) + 1, -1, dtype=np.intp)
    for position, unique in enumerate(uniques):
        text = clean(unique)
        if text.casefold() in _BLANKS:
            continue
        key = key_of(text)
        if key not in places:
            places[key] = len(texts)
            texts.append(text)
        lookup[position] = places[key]
    return lookup[codes], texts


def clean(value: object) -> str:
    """Write one cell as text.

    Parameters
    ----------
    value : object
        A cell.

    Returns
    -------
    str
        Single spaces inside, none outside; whole floats without ".0".

    Raises
    ------
    TypeError
        If it is a list or another nested value.

    Examples
    --------
    >>> clean(" two  year "), clean(3.0)
    ('two year', '3')
    """
    if isinstance(value, list | dict | set | tuple | np.ndarray):
        raise TypeError(f"a {type(value).__name__} is no single value")
    if isinstance(value, float | np.floating) and math.isfinite(value):
        return number_text(float(value))
    return " ".join(str(value).split())


def is_number(text: str) -> bool:
    """Tell whether a text is a plain decimal number.

    Parameters
    ----------
    text : str
        Stripped.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_number("-1.50"), is_number("1,200"), is_number("nan")
    (True, False, False)
    """
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text) is not None


def number_text(value: float) -> str:
    """Write a number the same way whatever type it came in.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    str
        At most 15 digits.

    Examples
    --------
    >>> number_text(1.0), number_text(0.1)
    ('1', '0.1')
    """
    return f"{value:.15g}"


def key_of(text: str) -> str:
    """Give the form under which equal levels meet.

    Parameters
    ----------
    text : str
        A level.

    Returns
    -------
    str
        Numbers in one spelling, other texts with single spaces.

    Examples
    --------
    >>> key_of("1.0") == key_of(" 1")
    True
    """
    text = " ".join(text.split())
    return number_text(float(text)) if is_number(text) else text


def parse_numbers(texts: pd.Series[str], *, comma: bool = False) -> pd.Series[float]:
    """Read numbers written for people: thousands marks, currencies, percent signs, units.

    Parameters
    ----------
    texts : pandas.Series of str
        Stripped texts.
    comma : bool, optional
        Whether a comma stands before decimals, and points part thousands.

    Returns
    -------
    pandas.Series of float64
        NaN where a text is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> parse_numbers(pd.Series(["1,250.5", "$40", "12%", "(3)", "n/a"])).tolist()
    [1250.5, 40.0, 12.0, -3.0, nan]
    """
    import pandas as pd

    values = texts_as_numbers([str(t) for t in texts], comma=comma)
    return pd.Series(values, index=texts.index, dtype="float64")


def texts_as_numbers(texts: Sequence[str], *, comma: bool = False) -> FloatArray:
    """Parse numbers written for people.

    Parameters
    ----------
    texts : sequence of str
        Such as "1,250", "$40", "12%", "(3.50)", "5 km".
    comma : bool, optional
        Whether a comma stands before decimals, and points part thousands.

    Returns
    -------
    ndarray of shape (n_texts,), float64
        NaN where a text is no number.

    Examples
    --------
    >>> texts_as_numbers(["1,250", "12%", "many"]), texts_as_numbers(["1.250,5"], comma=True)
    (array([1250.,   12.,   nan]), array([1250.5]))
    """
    return np.array([_number(text, comma) for text in texts], dtype=np.float64)


def _number(text: str, comma: bool) -> float:
    if not comma and text.isascii() and "_" not in text:
        # Most cells are plain, and this is much quicker.
        try:
            value = float(text)
        except ValueError:
            pass
        else:
            return value if math.isfinite(value) else math.nan
    found = _WRITTEN.match(text.strip())
    if not found or (found["open"] is None) != (found["close"] is None):
        return math.nan
    if found["sign"] and found["inner"]:
        return math.nan
    digits = found["number"].strip()
    if not (_COMMA if comma else _POINT).fullmatch(digits):
        return math.nan
    parted = re.sub(r"[. '\u00a0\u202f]" if comma else r"[, '\u00a0\u202f]", "", digits)
    value = float(parted.replace(",", ".") + (found["power"] or ""))
    minus = found["open"] or (found["sign"] or found["inner"] or "+") in "-−"
    return -value if minus else value


def decimal_comma(texts: Sequence[str]) -> bool:
    """Tell whether the numbers of a column have a comma before their decimals.

    Parameters
    ----------
    texts : sequence of str
        Of one column.

    Returns
    -------
    bool
        Only if some text can mean nothing else, and none contradicts it.

    Examples
    --------
    >>> decimal_comma(["12,5", "1.250,00"]), decimal_comma(["1,250", "7"])
    (True, False)
    """
    with_comma = [text for text in texts if "," in text]
    if not any(_COMMA_DECIMALS.search(text) for text in with_comma):
        return False
    return not any(_POINT_DECIMALS.search(text) for text in texts if "." in text)


def unit_of(texts: Sequence[str]) -> str:
    """Find the unit that most numbers of a column are written with.

    Parameters
    ----------
    texts : sequence of str
        Of one column.

    Returns
    -------
    str
        Such as "percent", "dollars", "km"; "" if there is none.

    Examples
    --------
    >>> unit_of(["$40", "$1,250.00"]), unit_of(["12 km", "3 km"]), unit_of(["12"])
    ('dollars', 'km', '')
    """
    seen = [text for text in texts[:_SEEN] if any(c.isdigit() for c in text)]
    for unit, pattern in _UNITS:
        if seen and sum(bool(pattern.search(text)) for text in seen) > len(seen) / 2:
            return unit
    ends = [found[1].lower() for text in seen if (found := _UNIT_AT_END.search(text))]
    # "1 year" and "2 years" have one unit.
    stems = {end.rstrip("s") for end in ends}
    return max(ends, key=len) if len(ends) > len(seen) / 2 and len(stems) == 1 else ""


def as_days(texts: Sequence[str], style: str) -> FloatArray:
    """Parse dates of one format.

    Parameters
    ----------
    texts : sequence of str
        Dates.
    style : str
        A `strptime` format or "ISO8601"; several joined by "|", of which the first that fits a
        text reads it.

    Returns
    -------
    ndarray of shape (n_texts,), float64
        Days since 1970-01-01, NaN where the format does not fit.

    Examples
    --------
    >>> as_days(["4-Sep-12", "soon"], "%d-%b-%y")
    array([15587.,    nan])
    """
    import pandas as pd

    cells = pd.Series(list(texts), dtype=object)
    days = np.full(len(texts), np.nan)
    for one in style.split("|"):
        found = as_numbers(pd.to_datetime(cells, format=one, errors="coerce", utc=True))
        days = np.where(np.isnan(days), found, days)
    return days


def recognise_dates(
    texts: Sequence[str], counts: npt.NDArray[np.intp], enough: float
) -> tuple[str, FloatArray] | None:
    """Find the format in which enough of the texts are dates.

    Parameters
    ----------
    texts : sequence of str
        The different texts of a column.
    counts : ndarray of shape (n_texts,), intp
        Records with each.
    enough : float
        Records that must parse.

    Returns
    -------
    tuple of str and ndarray, or None
        The format, or several joined by "|" where dates are written in more than one way, and the
        days since 1970-01-01; None if no formats serve.

    Examples
    --------
    >>> recognise_dates(["31/12/1969"], np.array([1]), 1)
    ('%d/%m/%Y', array([-1.]))
    >>> recognise_dates(["1969-12-31", "2 Jan 1970"], np.array([1, 1]), 2)
    ('ISO8601|%d %b %Y', array([-1.,  1.]))
    """
    likely = np.array([bool(_DATE.match(text)) for text in texts])
    if counts[likely].sum() < enough:
        return None
    read: dict[str, FloatArray] = {}
    for style in _DATE_FORMATS:
        days = as_days(texts, style)
        if counts[~np.isnan(days)].sum() >= enough:
            return style, days
        if not np.isnan(days).all():
            read[style] = days
    return _mixed_dates(read, counts, enough)


def _mixed_dates(
    read: dict[str, FloatArray], counts: npt.NDArray[np.intp], enough: float
) -> tuple[str, FloatArray] | None:
    """Read by several formats, each time by the one that reads most of what is left."""
    chosen: list[str] = []
    days = np.full(len(counts), np.nan)
    while read and len(chosen) < MAX_FORMATS:
        open_ = np.isnan(days)
        gains = {s: int(counts[open_ & ~np.isnan(d)].sum()) for s, d in read.items()}
        best = max(gains, key=lambda style: gains[style])
        if not gains[best]:
            break
        chosen.append(best)
        days = np.where(open_, read.pop(best), days)
        if counts[~np.isnan(days)].sum() >= enough:
            # In this order as `as_days` reads them.
            return "|".join(chosen), days
    return None


def take(values: FloatArray, codes: IntArray) -> FloatArray:
    """Give each record the value of its text.

    Parameters
    ----------
    values : ndarray of shape (n_texts,), float64
        One a text.
    codes : ndarray of shape (n_records,), intp
        From `distinct_texts`.

    Returns
    -------
    ndarray of shape (n_records,), float64
        NaN where the code is -1.

    Examples
    --------
    >>> take(np.array([7.0, 9.0]), np.array([1, -1, 0]))
    array([ 9., nan,  7.])
    """
    return np.append(values, np.nan)[codes].astype(np.float64)
