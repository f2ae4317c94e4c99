"""What one column holds: how its values are to be read, or why it is no variable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from audience_nb.cells import (
    as_numbers,
    decimal_comma,
    distinct_texts,
    finite,
    holds_text,
    number_text,
    recognise_dates,
    texts_as_numbers,
    unit_of,
)
from audience_nb.missingcodes import missing_codes
from audience_nb.scales import in_order, means_missing, yes_or_no

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAX_LEVELS",
    "MAX_RATING",
    "NEARLY_ALL",
    "Inferred",
    "infer_column",
    "words_of",
    "written_out",
]

# Above this many different texts a text column is listed no more.
MAX_LEVELS = 50
# Whole numbers within so narrow a span are read as a rating scale.
MAX_RATING = 11
# A text column counts as numbers or dates when at least this share of its values parses.
NEARLY_ALL = 0.95
# Above this share of different texts a column names records instead of grouping them.
_OWN = 0.5
# Many levels still group if each is met five times on average.
_GROUPS = 0.2
# Levels longer than this on average are what people wrote, not what they chose.
_WRITTEN_LENGTH, _WRITTEN_WORDS = 40, 6
_SEEN = 1_000

_KEY = re.compile(r"\b(id|ids|key|uuid|guid|hash)$|^id\b|\bidentifier\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b(number|no|nr|num|code)$", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(zip|zipcode|zip code|postcode|post code|postal|fsa|plz|fips)\b", re.IGNORECASE
)
_CONSENT = re.compile(
    r"\b(consents?|consented|gdpr|tcf|gpp|opt(ed)? ?(in|out)|do not (contact|sell|email|call|mail)|"
    r"unsubscribed?|suppress(ed|ion)?)\b",
    re.IGNORECASE,
)
_DATED = re.compile(r"\b(date|dt|day|since|joined|birthday|dob|timestamp)\b", re.IGNORECASE)
_PATTERNS = (
    ("e-mail addresses", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("web addresses", re.compile(r"(https?://|www\.)\S+", re.IGNORECASE)),
    ("telephone numbers", re.compile(r"\+?\(?\d{1,4}\)?[ .-]\(?\d{2,4}\)?[ .-]\d{3,4}([ .-]\d+)?")),
    ("IP addresses", re.compile(r"\d{1,3}(\.\d{1,3}){3}")),
    ("postal codes", re.compile(r"[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d|\d{5}-\d{4}")),
)
# A zero that leads, or more digits than a float can tell apart, makes a code of a number.
_CODED = re.compile(r"0\d+|\d{16,}")
_DAY = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_UNITS = (
    (re.compile(r"\b(percent|pct|percentage|%)(\b|$)|\(%\)", re.IGNORECASE), "percent"),
    (re.compile(r"\(\$\)|\b(usd|cad|dollars?)\b", re.IGNORECASE), "dollars"),
    (re.compile(r"\(€\)|\b(eur|euros?)\b", re.IGNORECASE), "euros"),
    (re.compile(r"\(£\)|\bgbp\b", re.IGNORECASE), "pounds"),
    (re.compile(r"[(\[ ](km|kilometers|kilometres)[)\]]?$", re.IGNORECASE), "km"),
    (re.compile(r"[(\[ ](kg|kilograms?)[)\]]?$", re.IGNORECASE), "kg"),
    (re.compile(r"[(\[ ]cm[)\]]?$", re.IGNORECASE), "cm"),
    (re.compile(r"^age$|[(\[ ](years|yrs)[)\]]?$", re.IGNORECASE), "years"),
    (re.compile(r"[(\[ ]months[)\]]?$", re.IGNORECASE), "months"),
    (re.compile(r"[(\[ ]days[)\]]?$", re.IGNORECASE), "days"),
    (re.compile(r"[(\[ ](mins|minutes)[)\]]?$", re.IGNORECASE), "minutes"),
    (re.compile(r"[(\[ ](hrs|hours)[)\]]?$", re.IGNORECASE), "hours"),
)
# Words of column names that people would not read.
_WRITTEN_OUT = {
    "amt": "amount",
    "avg": "average",
    "cmp": "campaign",
    "cnt": "count of",
    "dt": "date of",
    "freq": "frequency",
    "mnt": "amount of",
    "num": "number of",
    "pct": "percent",
    "prc": "percent",
    "prod": "product",
    "prods": "products",
    "qty": "quantity",
    "tot": "total",
    "trx": "transactions",
}


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a column holds.

    Parameters
    ----------
    value_type : str
        As in `Variable`; "" where the column is no variable.
    values : tuple of str
        Its levels in order, where they are few.
    value_range : tuple of float, optional
        Smallest and largest value of a numeric column, missing codes not counted.
    unit : str
        Where the cells or the name say it.
    missing : tuple of str
        Values that stand for no answer.
    reason : str
        Why it is no variable.
    notes : tuple of str
        What was judged, in words.
    n_known, n_levels : int
        Records with a value, and different values.

    Examples
    --------
    >>> Inferred("boolean", ("no", "yes")).reason
    ''
    """

    value_type: str = ""
    values: tuple[str, ...] = ()
    value_range: tuple[float, float] | None = None
    unit: str = ""
    missing: tuple[str, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    n_known: int = 0
    n_levels: int = 0

    def record(self) -> dict[str, Any]:
        """Give what a catalogue record holds of it.

        Returns
        -------
        dict

        Examples
        --------
        >>> Inferred("numeric", value_range=(0.0, 9.0)).record()
        {'value_type': 'numeric', 'value_range': (0.0, 9.0)}
        """
        found: Mapping[str, Any] = {
            "value_type": self.value_type,
            "values": self.values,
            "value_range": self.value_range,
            "unit": self.unit,
            "missing": self.missing,
        }
        return {name: value for name, value in found.items() if value}


def words_of(name: str) -> str:
    """Write a column's name as words.

    Parameters
    ----------
    name : str
        Such as "MonthlyCharges", "cash_advance_trx".

    Returns
    -------
    str
        Such as "Monthly charges", "Cash advance trx".

    Examples
    --------
    >>> words_of("MonthlyCharges"), words_of("PURCHASES_FREQUENCY"), words_of("Hiphop, Rap")
    ('Monthly charges', 'Purchases frequency', 'Hiphop, Rap')
    """
    if re.search(r"[\s,]", name.strip()):
        return name.strip()
    text = re.sub(r"[_.\-]+", " ", name).strip()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    shout = name.isupper()
    words = [w if w.isupper() and len(w) < 4 and not shout else w.lower() for w in text.split()]
    joined = " ".join(words)
    return joined[:1].upper() + joined[1:]


def written_out(words: str) -> str:
    """Write abbreviations of column names in full.

    Parameters
    ----------
    words : str
        From `words_of`.

    Returns
    -------
    str

    Examples
    --------
    >>> written_out("Mnt wines"), written_out("Accepted cmp3"), written_out("Cash advance trx")
    ('Amount of wines', 'Accepted campaign 3', 'Cash advance transactions')
    """
    full = []
    for word in words.split():
        found = re.fullmatch(r"([^\W\d]+)(\d*)", word)
        stem, number = found.groups() if found else (word, "")
        meant = _WRITTEN_OUT.get(stem.lower())
        full.append(word if meant is None else f"{meant} {number}".strip())
    text = " ".join(full)
    return text[:1].upper() + text[1:] if words[:1].isupper() else text


def infer_column(
    series: pd.Series[Any],
    name: str,
    *,
    missing: Sequence[str] | None = None,
    wanted: str = "",
) -> Inferred:
    """Infer how a column's values are to be read.

    Parameters
    ----------
    series : pandas.Series of length n_records
        Any dtype; it is not changed.
    name : str
        What the column is called.
    missing : sequence of str, optional
        Values stated to mean no answer; by default they are judged from the data.
    wanted : str, optional
        A value type that somebody states. Then the column is a variable unless it has only one
        value.

    Returns
    -------
    Inferred

    Raises
    ------
    InvalidInput
        If cells hold lists or complex numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> found = infer_column(pd.Series(["$1,250", "$40", "Refused", "$75"]), "spend")
    >>> found.value_type, found.value_range, found.unit, found.missing
    ('numeric', (40.0, 1250.0), 'dollars', ('Refused',))
    """
    import pandas as pd

    words = words_of(name)
    if isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered:
        found = _of_ordered(series, missing)
    elif holds_text(series):
        found = _of_texts(series, words, missing, wanted)
    elif pd.api.types.is_bool_dtype(series.dtype):
        found = _of_answers(series)
    elif pd.api.types.is_datetime64_any_dtype(series.dtype):
        n_known, n_levels = int(series.notna().sum()), int(series.nunique())
        found = Inferred("date", n_known=n_known, n_levels=n_levels)
    else:
        found = _of_numbers(series, words, missing, wanted)
    if found.n_known == 0:
        return replace(found, value_type="", reason=f"empty: no value in {_records(len(series))}")
    if found.n_levels < 2:
        return replace(found, value_type="", reason=found.reason or "constant")
    if found.value_type and not wanted and _CONSENT.search(words):
        what = "consent: says what may be done with a record, not what its person is like"
        return replace(found, value_type="", reason=what)
    if found.value_type and not found.unit and found.value_type == "numeric":
        unit = next((u for pattern, u in _UNITS if pattern.search(words)), "")
        return replace(found, unit=unit)
    return found


def _records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def _of_answers(series: pd.Series[Any]) -> Inferred:
    known = series.dropna()
    levels = int(known.nunique())
    reason = f"constant: always {bool(known.iloc[0])}" if levels == 1 else ""
    return Inferred(
        "boolean", ("False", "True"), reason=reason, n_known=len(known), n_levels=levels
    )


def _of_ordered(series: pd.Series[Any], missing: Sequence[str] | None) -> Inferred:
    known = series.dropna()
    levels = tuple(str(c) for c in series.dtype.categories)
    return Inferred(
        "ordinal",
        levels,
        missing=tuple(missing or ()),
        n_known=len(known),
        n_levels=int(known.nunique()),
    )


def _of_numbers(
    series: pd.Series[Any], words: str, missing: Sequence[str] | None, wanted: str
) -> Inferred:
    numbers = finite(as_numbers(series))
    known = numbers[~np.isnan(numbers)]
    values, counts = np.unique(known, return_counts=True)
    in_a_row = len(known) > 2 and known[0] in (0.0, 1.0) and bool((np.diff(known) == 1).all())
    return _numbers(values, counts, words, missing, wanted, in_a_row=in_a_row)


def _numbers(
    values: npt.NDArray[np.float64],
    counts: npt.NDArray[Any],
    words: str,
    missing: Sequence[str] | None,
    wanted: str,
    *,
    in_a_row: bool = False,
    unit: str = "",
) -> Inferred:
    """Infer from the different numbers of a column, ascending."""
    notes: list[str] = []
    if missing is None:
        judged = missing_codes(values, counts)
        for code in judged:
            notes.append(
                f"{number_text(code.value)} stands in {_records(code.count)} and is read as "
                f"missing: {code.reason}"
            )
        codes = [code.value for code in judged]
    else:
        codes = [float(n) for n in texts_as_numbers(list(missing)) if np.isfinite(n)]
    kept = ~np.isin(values, codes)
    stated = tuple(missing) if missing is not None else tuple(number_text(c) for c in codes)
    values, counts = values[kept], counts[kept]
    n_known, n_levels = int(counts.sum()), len(values)
    found = Inferred(
        missing=stated, notes=tuple(notes), n_known=n_known, n_levels=n_levels, unit=unit
    )
    if not n_levels:
        return found
    low, high = float(values[0]), float(values[-1])
    if n_levels == 1:
        return replace(found, reason=f"constant: always {number_text(low)}")
    whole = bool((values % 1 == 0).all())
    if n_levels == 2 and (low, high) == (0.0, 1.0):
        return replace(found, value_type="boolean", values=("0", "1"))
    if not wanted:
        reason = _why_no_quantity(values, n_known, words, whole=whole, in_a_row=in_a_row)
        if reason:
            return replace(found, reason=reason)
        if whole and _KEY.search(words) and n_levels <= MAX_LEVELS:
            levels = tuple(number_text(v) for v in values)
            return replace(found, value_type="nominal", values=levels)
        if whole and _DATED.search(words) and _are_days(values):
            return replace(found, value_type="date")
    scale = whole and n_levels <= MAX_RATING and high - low < MAX_RATING and low >= 0
    if scale and wanted in ("", "ordinal"):
        levels = tuple(str(v) for v in range(int(low), int(high) + 1))
        return replace(found, value_type="ordinal", values=levels, value_range=(low, high))
    return replace(found, value_type="numeric", value_range=(low, high))


def _why_no_quantity(
    values: npt.NDArray[np.float64], n_known: int, words: str, *, whole: bool, in_a_row: bool
) -> str:
    n_levels = len(values)
    own = n_levels / n_known
    differ = f"{n_levels:,} different numbers in {_records(n_known)}"
    if whole and _KEY.search(words) and own > 0.9:
        return f"identifier: {differ}"
    if not whole or n_levels <= MAX_LEVELS:
        return ""
    if in_a_row or (_NUMBER.search(words) and own == 1):
        return f"identifier: {differ}"
    if _PLACE.search(words):
        return f"postal code: {differ}, which are no quantity"
    if _KEY.search(words):
        return f"codes: {differ}, which are no quantity"
    return ""


def _are_days(values: npt.NDArray[np.float64]) -> bool:
    sample = values[:_SEEN]
    return all(_DAY.fullmatch(number_text(float(value))) for value in sample)


def _of_texts(
    series: pd.Series[Any], words: str, missing: Sequence[str] | None, wanted: str
) -> Inferred:
    places, texts = distinct_texts(series)
    counts = np.bincount(places[places >= 0], minlength=len(texts))
    present = counts > 0
    if not present.all():
        texts = [text for text, here in zip(texts, present, strict=True) if here]
        counts = counts[present]
    n_all = int(counts.sum())
    silent = _silent(texts, missing)
    notes = tuple(
        f"{text!r} stands in {_records(int(n))} and is read as missing"
        for text, n in zip(texts, counts, strict=True)
        if text in silent and missing is None
    )
    stated = tuple(missing) if missing is not None else tuple(sorted(silent))
    kept = np.array([text not in silent for text in texts], dtype=bool)
    said = [text for text, keep in zip(texts, kept, strict=True) if keep]
    counts = counts[kept]
    n_known = int(counts.sum())
    found = Inferred(missing=stated, notes=notes, n_known=n_known, n_levels=len(said))
    if not said:
        return found
    if len(said) == 1:
        return replace(found, reason=f"constant: always {_short(said[0])}")
    if wanted in ("", "boolean") and (answers := yes_or_no(said)):
        return replace(found, value_type="boolean", values=_spelt(answers, counts), n_levels=2)
    if not wanted and (reason := _named_by_pattern(said)):
        return replace(found, reason=reason)
    if wanted in ("", "numeric", "ordinal", "date"):
        quantity = _written_quantity(said, counts, words, missing, wanted)
        if quantity is not None:
            codes = quantity.missing if missing is None else ()
            merged = stated + tuple(c for c in codes if c not in stated)
            return replace(quantity, missing=merged, notes=(*notes, *quantity.notes))
    return _choices(found, said, n_all, words, wanted)


def _silent(texts: Sequence[str], missing: Sequence[str] | None) -> set[str]:
    """Give the texts that say nothing."""
    if missing is None:
        # Texts that differ from record to record are not looked at one by one.
        return {text for text in texts[:_SEEN] if len(text) < 40 and means_missing(text)}
    stated = {" ".join(m.casefold().split()) for m in missing}
    return {text for text in texts if text.casefold() in stated}


def _spelt(answers: Mapping[str, bool], counts: npt.NDArray[Any]) -> tuple[str, str]:
    """Give the commonest spelling of no and of yes."""
    ranked = sorted(zip(answers, counts, strict=True), key=lambda item: (-int(item[1]), item[0]))
    no = next(text for text, _ in ranked if not answers[text])
    yes = next(text for text, _ in ranked if answers[text])
    return no, yes


def _named_by_pattern(texts: Sequence[str]) -> str:
    for what, pattern in _PATTERNS:
        sample = texts[:_SEEN]
        if pattern.fullmatch(sample[0]) or pattern.fullmatch(sample[-1]):
            fitting = sum(bool(pattern.fullmatch(text)) for text in sample)
            if fitting >= NEARLY_ALL * len(sample) and len(texts) > 2:
                return f"identifier: {what}"
    return ""


def _written_quantity(
    texts: Sequence[str],
    counts: npt.NDArray[Any],
    words: str,
    missing: Sequence[str] | None,
    wanted: str,
) -> Inferred | None:
    """Read texts as numbers or dates, if nearly all are."""
    n_known = int(counts.sum())
    enough = NEARLY_ALL * n_known
    numbers = _numbers_of(texts, counts)
    parsed = ~np.isnan(numbers)
    read = int(counts[parsed].sum())
    coded = any(_CODED.fullmatch(text) for text in texts[:_SEEN])
    if read >= enough and read and (not coded or wanted):
        values, places = np.unique(numbers[parsed], return_inverse=True)
        totals = np.bincount(places, weights=counts[parsed]).astype(np.int64)
        found = _numbers(values, totals, words, missing, wanted, unit=unit_of(list(texts)))
        return _with_unread(found, n_known - read, "number", texts, parsed)
    if n_known < 3 and not wanted:
        return None
    dated = recognise_dates(texts, counts.astype(np.intp), enough)
    if dated is None:
        return None
    style, days = dated
    read = int(counts[~np.isnan(days)].sum())
    notes = ("dates are read as month, day, year",) if "%m/%d" in style else ()
    if "|" in style:
        notes = (*notes, f"dates are written in {style.count('|') + 1} ways")
    n_days = len(np.unique(days[~np.isnan(days)]))
    found = Inferred("date", notes=notes, n_known=read, n_levels=n_days)
    return _with_unread(found, n_known - read, "date", texts, ~np.isnan(days))


def _numbers_of(texts: Sequence[str], counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Parse texts, but not all of them where the first show that they are no numbers."""
    head = list(texts[:_SEEN])
    comma = decimal_comma(head)
    numbers = texts_as_numbers(head, comma=comma)
    rest = len(texts) - len(head)
    if not rest or np.isnan(numbers).mean() > 0.5:
        return np.concatenate([numbers, np.full(rest, np.nan)])
    comma = decimal_comma(list(texts))
    return texts_as_numbers(list(texts), comma=comma)


def _with_unread(
    found: Inferred, unread: int, noun: str, texts: Sequence[str], parsed: npt.NDArray[np.bool_]
) -> Inferred:
    if not unread:
        return found
    first = next(text for text, fine in zip(texts, parsed, strict=True) if not fine)
    odd = len(texts) - int(parsed.sum())
    # A text that only a few cells hold may be anybody's, so one is shown only where it is short.
    shown = f", such as {_short(first)}" if odd <= 5 and len(first) <= 12 else ""
    note = f"{_records(unread)} hold no {noun}{shown}, and count as missing"
    return replace(found, notes=(*found.notes, note))


def _choices(
    found: Inferred, texts: Sequence[str], n_all: int, words: str, wanted: str
) -> Inferred:
    """Infer from texts that are neither numbers nor dates."""
    n_levels, n_known = len(texts), found.n_known
    differ = f"{n_levels:,} different texts in {_records(n_known)}"
    sample = texts[:_SEEN]
    length = sum(map(len, sample)) / len(sample)
    n_words = sum(len(text.split()) for text in sample) / len(sample)
    written = length >= _WRITTEN_LENGTH or n_words >= _WRITTEN_WORDS
    if not wanted:
        if _KEY.search(words) and n_levels > max(0.9 * n_known, 2):
            return replace(found, reason=f"identifier: {differ}")
        if _PLACE.search(words) and n_levels > 2:
            return replace(found, reason=f"postal code: {differ}")
        if n_levels > _OWN * max(n_known, 4) or (n_levels > MAX_LEVELS and written):
            what = "free text" if written or n_words >= 3 else "identifier"
            more = f", of {length:.0f} characters on average" if what == "free text" else ""
            return replace(found, reason=f"{what}: {differ}{more}")
        if n_levels > MAX_LEVELS and n_levels > _GROUPS * n_known:
            return replace(found, reason=f"too many to group by: {differ}")
    if wanted in ("", "ordinal") and (scale := in_order(texts)):
        return replace(found, value_type="ordinal", values=tuple(scale))
    if n_levels > MAX_LEVELS:
        note = f"{n_levels:,} levels; the rarer ones count as other"
        return replace(found, value_type="nominal", notes=(*found.notes, note))
    return replace(found, value_type="nominal", values=tuple(sorted(texts)))


def _short(text: str) -> str:
    return f"“{text if len(text) <= 24 else text[:23] + '…'}”"
