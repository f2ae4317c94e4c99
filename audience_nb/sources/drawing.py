"""How a propensity becomes a value, by value_type, unit and value_range.

What is measured of an area (a percentage of its population, an average over its households)
draws on the area's latents and noise, so that records with one postal code agree; all else draws
on the person's. The constants (base rates, magnitudes) come from a hash of the measure, never
from the seed: another seed is another sample of the same world. Shares of one breakdown follow
their bands but are drawn one by one: they need not add to 100.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from audience_nb.catalog import Variable, demo_file
from audience_nb.sources.population import Persons, lifestyle_codes, middles
from audience_nb.sources.propensity import Propensity, constant, propensity_of

__all__ = ["Drawing", "drawing_of"]

Values = Any  # one-dimensional ndarray of the drawing's dtype


@dataclass(frozen=True, slots=True)
class Drawing:
    """How one column is drawn.

    Parameters
    ----------
    dtype : str
        NumPy dtype of what `draw` gives.
    draw : callable
        From `Persons` to an array of one value a person.
    levels : tuple of str, optional
        If given, values are positions in it.
    ordered : bool, optional
        Whether the levels have an order.

    Examples
    --------
    >>> import numpy as np
    >>> Drawing("bool", lambda persons: np.ones(len(persons.records), bool)).draw(Persons(0, 0, 2))
    array([ True,  True])
    """

    dtype: str
    draw: Callable[[Persons], Values]
    levels: tuple[str, ...] = ()
    ordered: bool = False


# Words by which a catalogue says that a value is one of an area, not of a person.
_OF_AREA = re.compile(
    r"\b(?:for the area|average|median|aggregate|per (?:capita|household|square))\b", re.IGNORECASE
)
_TOTAL = re.compile(r"(?:total|all)\b|(?:fe)?male population$", re.IGNORECASE)
_PYRAMID = re.compile(r"(?:(?:fe)?male )?population aged\b", re.IGNORECASE)
_PERCENT = re.compile(r"%|\bper ?cent\b", re.IGNORECASE)
_MONEY = re.compile(r"\$|\b(?:dollars?|cad|usd|euros?)\b|€", re.IGNORECASE)
_COUNTED = re.compile(
    r"^(?:counts?|number|persons?|people|population|households?|dwellings?|families)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def drawing_of(variable: Variable) -> Drawing:
    """Decide how the values of a variable are drawn.

    Parameters
    ----------
    variable : Variable
        Any variable of any catalogue.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> drawing_of(Variable("AGE", "Age", unit="years")).dtype
    'int64'
    """
    if variable.kind == "lifestyle" and variable.code in lifestyle_codes():
        row = lifestyle_codes().index(variable.code)
        return Drawing("int8", lambda persons: persons.lifestyles() == row)
    if variable.value_type == "boolean":
        return _boolean(variable)
    if variable.value_type == "date":
        return _date(variable)
    if variable.value_type == "numeric":
        return _numeric(variable)
    return _choice(variable)


def _boolean(variable: Variable) -> Drawing:
    """Tell whether the propensity lies in the answer band, or above the measure's threshold.

    All bands of one question cut one propensity, so that exclusive bands exclude each other and
    "at least monthly" holds whoever answered "daily".
    """
    import numpy as np
    from scipy.special import ndtri

    propensity = propensity_of(variable, "person")
    band = _BAND.search(variable.label)
    known = _answer_bands().get(band[1].strip().lower()) if band else None
    if known is not None:
        # Some things are done by most people and some by few: bands move together.
        shift = 1.2 * constant(variable.measure, "popularity") - 0.8
        low, high = (float(ndtri(quantile)) - shift for quantile in known)
    else:
        rate = 0.05 + 0.55 * constant(variable.label, "rate")
        low, high = float(ndtri(1 - rate)), np.inf

    def draw(persons: Persons) -> Values:
        level = propensity.draw(persons)
        return (low < level) & (level <= high)

    return Drawing("int8", draw)


_BAND = re.compile(r"\[([^\]]+)\]")


@lru_cache(maxsize=1)
def _answer_bands() -> Mapping[str, tuple[float, float]]:
    """Give the part of the population, by quantile, that each answer band takes in."""
    with demo_file("vocabulary/statement_bands.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["band"].lower(): (float(row["low"]), float(row["high"]))
            for row in csv.DictReader(file)
        }


def _choice(variable: Variable) -> Drawing:
    """Cut the propensity into the variable's levels, the middle ones the most frequent."""
    import numpy as np
    from scipy.special import ndtri

    levels = variable.values
    low, high = variable.value_range or (1, 5)
    if not levels:
        if variable.value_type == "ordinal":
            levels = tuple(str(v) for v in range(int(low), int(high) + 1))
        else:
            levels = tuple(f"Answer {letter}" for letter in "ABCDE")
    propensity = propensity_of(variable, "person")
    tilt = 0.8 * constant(variable.measure, "tilt") - 0.4
    cuts = ndtri(np.arange(1, len(levels)) / len(levels)) + tilt
    if variable.value_type == "ordinal" and all(re.fullmatch(r"-?\d+", v) for v in levels):
        scale = np.array([int(v) for v in levels])
        return Drawing("int64", lambda p: scale[np.searchsorted(cuts, propensity.draw(p))])
    return Drawing(
        "int16",
        lambda persons: np.searchsorted(cuts, propensity.draw(persons)),
        levels,
        variable.value_type == "ordinal",
    )


def _date(variable: Variable) -> Drawing:
    """Lie within the ten years before 2026, the later the higher the propensity."""
    import numpy as np
    from scipy.special import ndtr

    propensity = propensity_of(variable, "person")
    first = np.datetime64("2016-01-01", "D").astype(np.int64)

    def draw(persons: Persons) -> Values:
        days = first + np.floor(3653 * ndtr(propensity.draw(persons))).astype(np.int64)
        return days.astype("datetime64[D]").astype("datetime64[s]")

    return Drawing("datetime64[s]", draw)


def _numeric(variable: Variable) -> Drawing:
    unit = variable.unit.strip()
    low, high = variable.value_range or (0.0, 0.0)
    is_percent = bool(_PERCENT.search(unit))
    # "persons" is the unit of an average household size too: its range tells them apart.
    is_count = bool(_COUNTED.match(unit)) and (variable.value_range is None or high - low >= 20)
    of_area = variable.kind == "demographic" and (
        is_percent
        or is_count
        or bool(_OF_AREA.search(f"{unit} {variable.label} {variable.description}"))
    )
    propensity = propensity_of(variable, "area" if of_area else "person")
    if is_percent:
        return _percent(variable, propensity)
    if is_count:
        return _count(variable, propensity)
    if _MONEY.search(unit) and " per " not in unit:
        return _money(variable, propensity)
    return _measured(variable, propensity)


def _part(measure: str, propensity: Propensity) -> Callable[[Persons], Values]:
    """Give logit-normal parts of a whole, with medians from 2 % to 35 % by measure."""
    import numpy as np

    median = 0.35 * (2 / 35) ** constant(measure, "part")
    if _TOTAL.match(measure):
        median = 0.9
    elif _PYRAMID.match(measure):
        median = 0.15
    median = middles().get(measure, median)
    odds = (1 - median) / median
    return lambda persons: 1 / (1 + odds * np.exp(-0.6 * propensity.draw(persons)))


def _percent(variable: Variable, propensity: Propensity) -> Drawing:
    import numpy as np

    low, high = variable.value_range or (0.0, 100.0)
    decimals = 2 if high > 1 else 4
    if low < 0:  # a change: around one percent a year, up or down
        middle = 1.0 + 2.0 * constant(variable.measure, "change")
        return Drawing(
            "float64", lambda p: np.round(np.clip(middle + propensity.draw(p), low, high), decimals)
        )
    part = _part(variable.measure, propensity)
    return Drawing("float64", lambda p: np.round(low + (high - low) * part(p), decimals))


def _size(persons: Persons) -> Values:
    """Give how large an area is against the largest: a median of 30 %, at most 1."""
    import numpy as np

    return np.minimum(0.3 * np.exp(0.4 * persons.normal("size", "area")), 1.0)


def _count(variable: Variable, propensity: Propensity) -> Drawing:
    """Multiply the part that the measure's percentage would show by the size of the area."""
    import numpy as np

    low, high = variable.value_range or (0.0, 500.0)
    part = _part(variable.measure, propensity)
    if propensity.level == "area":
        return Drawing("int64", lambda p: np.rint(low + (high - low) * part(p) * _size(p)))
    return Drawing("int64", lambda p: np.rint(low + (high - low) * part(p)))


def _money(variable: Variable, propensity: Propensity) -> Drawing:
    """Give log-normal amounts of a magnitude that fits the range."""
    import numpy as np

    low, high = variable.value_range or (0.0, 10 ** (2.5 + 2 * constant(variable.measure, "top")))
    if "income" in variable.measure.lower():
        # $86,000 a household where ranges end at $600,000, $43,000 a person at $300,000.
        part = 1 / 7
    else:
        part = 10 ** (-0.6 - 0.9 * constant(variable.measure, "middle"))
    part = middles().get(variable.measure, part)
    spread = 0.35 if propensity.level == "area" else 0.6
    decimals = 0 if high - low >= 100 else 2
    summed = "aggregate" in variable.label.lower()

    def draw(persons: Persons) -> Values:
        amount = part * np.exp(spread * propensity.draw(persons))
        if summed:
            amount *= _size(persons)
        return np.round(low + (high - low) * np.minimum(amount, 1.0), decimals)

    return Drawing("float64", draw)


def _measured(variable: Variable, propensity: Propensity) -> Drawing:
    """Spread years, minutes, indexes and the like over the variable's range."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    unit = variable.unit.lower()
    default = (18.0, 90.0) if "year" in unit else (0.0, 240.0) if "minute" in unit else (0.0, 100.0)
    low, high = variable.value_range or default
    of_person = propensity.level == "person"
    whole = of_person and float(low).is_integer() and float(high).is_integer() and high - low >= 10
    # People differ more than the averages of areas do, which lie around a third of their range.
    spread = 0.7 if of_person else 0.25
    centre = 0.0 if of_person else -0.4
    shift = centre + (0.6 if of_person else 0.3) * (constant(variable.measure, "shift") - 0.5)
    if variable.measure in middles():
        shift = float(ndtri(middles()[variable.measure]))

    def draw(persons: Persons) -> Values:
        value = low + (high - low) * ndtr(spread * propensity.draw(persons) + shift)
        return np.rint(value) if whole else np.round(value, 2)

    return Drawing("int64" if whole else "float64", draw)
