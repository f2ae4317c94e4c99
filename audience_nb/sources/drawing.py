"""How a variable's values come about in a population of latent persons.

1. A *propensity*, standard normal: the latents of the person times the loadings of the
   variable's topic (data/drivers.csv), plus noise that all variants of one measure share. What
   is measured of an area (a percentage of its population, an average over its households) uses
   the area's latents and noise instead, so that records with one postal code agree.
2. A demographic label that states a band of age, income or education uses nearness to the band,
   -(latent - centre)², in place of the linear loading on that latent.
3. The propensity is turned into a value by value_type, unit and value_range. The constants
   (base rates, magnitudes) come from a hash of the measure, never from the seed: another seed is
   another sample of the same world.

Shares of one breakdown follow their bands but are drawn one by one: they need not add to 100.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from audience_nb.catalog import Variable, demo_file
from audience_nb.sources.population import (
    LATENTS,
    Level,
    Persons,
    correlation,
    drivers,
    lifestyle_codes,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Drawing", "drawing_of"]

# Most of a propensity's variance that latents may explain.
MAX_EXPLAINED = 0.8
# Loading on nearness to a stated band.
NEARNESS = 0.7
# Share of the noise that a measure's values in two years have in common.
SAME_MEASURE = 0.95

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


_AGE_BAND = re.compile(
    r"\b(?:aged?|ages|maintainer) "
    r"(?:(?P<low>\d+)(?: ?(?:to|-|–) ?(?P<high>\d+)| (?:and|or)\b|\+)|under (?P<under>\d+))",
    re.IGNORECASE,
)
_INCOME_BAND = re.compile(
    r"\$(?P<low>[\d,]+)(?: ?(?:to|-|–) ?\$?(?P<high>[\d,]+)| (?:and|or)\b|\+)"
    r"|(?:under|below|less than) \$(?P<under>[\d,]+)",
    re.IGNORECASE,
)
# Bands that have a name: generations by their middle age in 2026, and levels of education.
_NAMED_BANDS: tuple[tuple[str, float, re.Pattern[str]], ...] = tuple(
    (latent, centre, re.compile(rf"\b(?:{words})\b", re.IGNORECASE))
    for latent, centre, words in (
        ("age", (7 - 48) / 18, "generation alpha"),
        ("age", (22 - 48) / 18, "gen(?:eration)? z"),
        ("age", (37.5 - 48) / 18, "millennials?|gen(?:eration)? y"),
        ("age", (53.5 - 48) / 18, "gen(?:eration)? x"),
        ("age", (71 - 48) / 18, "(?:baby )?boomers?"),
        ("age", (86 - 48) / 18, "silent generation|greatest generation"),
        ("education", -1.6, "no (?:certificate|diploma|degree)\\b.*|less than high school"),
        ("education", 1.6, "master'?s?|doctorate|above (?:the )?bachelor'?s?|graduate degree"),
        ("education", 0.9, "bachelor'?s?"),
        ("education", 0.1, "college|apprenticeship|trades? certificate"),
        ("education", -0.6, "high school"),
    )
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")

# What words say about variables of topics that data/drivers.csv does not know.
_WORDS: Mapping[str, re.Pattern[str]] = {
    latent: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for latent, words in {
        "age": "age|ages|aged|seniors?|retired|retirement",
        "income": "incomes?|salary|wages?|earnings|affluent|luxury|premium",
        "education": "education|degree|university|school(?:ing)?|books?|reading",
        "family": "famil(?:y|ies)|child(?:ren)?|kids?|married|parents?",
        "urban": "urban|city|downtown|transit",
        "tech": "tech(?:nology)?|computers?|gadgets?|smart ?phones?",
        "digital": "internet|online|apps?|streaming|social media|digital",
        "green": "environment(?:al|ally)?|green|climate|organic|recycl\\w+|sustainab\\w+",
        "health": "health(?:y)?|fitness|exercise|diet|gym|smok\\w+|alcohol",
        "outdoors": "outdoors?|hiking|camping|gardening|cycling|nature|fishing",
        "tradition": "tradition(?:s|al)?|religio\\w+|church|faith|god",
        "novelty": "novelty|adventur\\w+|trends?|new (?:things|products|experiences)",
        "thrift": "thrift|coupons?|discounts?|sales?|bargains?|cheap|sav(?:e|ings?)",
        "community": "communit\\w+|volunteer\\w*|charit\\w+|neighbou?rs?|friends?",
        "culture": "cultur\\w+|museums?|theatre|opera|art|classical|music",
        "newcomer": "newcomers?|immigra\\w+|foreign|visible minority",
        "francophone": "french|francophones?|qu[eé]bec",
    }.items()
}


@dataclass(frozen=True, slots=True)
class _Propensity:
    """The standard normal quantity behind a variable's values."""

    level: Level
    measure: str
    year: str
    loadings: tuple[tuple[str, float], ...]
    near: tuple[str, float, float] | None
    noise: float

    def draw(self, persons: Persons) -> NDArray[np.float64]:
        own = persons.normal(f"measure {self.measure}", self.level)
        if self.year:
            later = persons.normal(f"year {self.year} of {self.measure}", self.level)
            own = SAME_MEASURE**0.5 * own + (1 - SAME_MEASURE) ** 0.5 * later
        total = self.noise * own
        for latent, loading in self.loadings:
            total += loading * persons.latent(latent, self.level)
        if self.near is not None:
            latent, centre, loading = self.near
            off = persons.latent(latent, self.level) - centre
            # For z ~ N(0, 1), (z - c)² has mean 1 + c² and variance 2 + 4 c².
            total += loading * (1 + centre**2 - off * off) / (2 + 4 * centre**2) ** 0.5
        return total


def _propensity(variable: Variable, level: Level) -> _Propensity:
    loadings = dict(drivers().get(variable.subcategory) or _loadings_of_words(variable))
    near = _band_centre(variable) if variable.kind == "demographic" else None
    if near is not None:
        loadings.pop(near[0], None)
    explained = sum(
        a * b * correlation(one, other)
        for one, a in loadings.items()
        for other, b in loadings.items()
    )
    if near is not None:
        latent, c = near
        # cov(x, -(z - c)²) = 2 c corr(x, z) for jointly normal x and z.
        shared = sum(a * correlation(one, latent) for one, a in loadings.items())
        explained += NEARNESS**2 + 2 * NEARNESS * shared * 2 * c / (2 + 4 * c**2) ** 0.5
    scale = min(1.0, (MAX_EXPLAINED / explained) ** 0.5) if explained > 0 else 1.0
    # The last: "Baby boomers (born 1946 to 1964), number, 2026 estimate".
    years = _YEAR.findall(variable.label) if variable.value_type == "numeric" else []
    return _Propensity(
        level=level,
        measure=variable.measure,
        year=years[-1] if years else "",
        loadings=tuple((latent, scale * loading) for latent, loading in loadings.items()),
        near=(*near, scale * NEARNESS) if near is not None else None,
        noise=(1 - scale**2 * explained) ** 0.5,
    )


def _loadings_of_words(variable: Variable) -> dict[str, float]:
    """Load an unknown topic on what its words name, else weakly on three latents by hash."""
    named = [latent for latent, words in _WORDS.items() if words.search(variable.label)]
    if named:
        return {latent: 0.7 / len(named) ** 0.5 for latent in named}
    chosen: dict[str, float] = {}
    for i in range(3):
        latent = LATENTS[int(_constant(variable.measure, f"latent {i}") * len(LATENTS))]
        chosen[latent] = 0.6 * _constant(variable.measure, f"loading {i}") - 0.3
    return chosen


def _band_centre(variable: Variable) -> tuple[str, float] | None:
    """Place a stated band of age, income or education on its latent's scale.

    A band counts only where it is what the variable measures: not in "% of women aged 25 to 34",
    whose base it is, nor in averages over it, nor in universes such as "people aged 15 and over".
    """
    from math import log

    stated, _, base = variable.label.partition("% of ")
    if re.search(r"\bthis (?:age|income) group\b|\bthis generation\b", base) or re.search(
        r"\b(?:average|median)\b", stated
    ):
        return None
    for latent, centre, named in _NAMED_BANDS:
        if named.search(stated) and not named.search(base):
            return latent, centre
    for latent, pattern in (("age", _AGE_BAND), ("income", _INCOME_BAND)):
        match = pattern.search(stated)
        if (
            match is None
            or match.group() in base
            or (latent == "income" and "income" not in stated)
        ):
            continue
        low, high, under = (
            float(match[name].replace(",", "")) if match[name] else None
            for name in ("low", "high", "under")
        )
        if latent == "age":
            if under is not None:
                middle, wide = under / 2, False
            else:
                assert low is not None
                middle = (low + (low + 15 if high is None else high)) / 2
                wide = low < 50 if high is None else high - low > 30
            # Adults' age: median 48, standard deviation 18 years.
            if not wide:
                return "age", (middle - 48) / 18
        else:
            if under is not None:
                middle = 0.7 * under
            else:
                assert low is not None
                middle = (low * (2 * low if high is None else high)) ** 0.5
            # Log-normal, standard deviation .7: median $85,000 a household, $45,000 a person.
            median = 85_000 if re.search("household|famil", stated, re.IGNORECASE) else 45_000
            return "income", log(max(middle, 1000.0) / median) / 0.7
    return None


def _constant(measure: str, what: str) -> float:
    """Give a number in (0, 1) that belongs to a measure in every population."""
    digest = hashlib.sha256(f"{what}\x1f{measure}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:6], "little") + 0.5) / 2**48


# Words by which a catalogue says that a value is one of an area, not of a person.
_OF_AREA = re.compile(
    r"\b(?:for the area|average|median|aggregate|per (?:capita|household|square))\b", re.IGNORECASE
)
_TOTAL = re.compile(r"(?:total|all)\b|(?:fe)?male population$", re.IGNORECASE)
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

    propensity = _propensity(variable, "person")
    band = _BAND.search(variable.label)
    known = _answer_bands().get(band[1].strip().lower()) if band else None
    if known is not None:
        # Some things are done by most people and some by few: bands move together.
        shift = 1.2 * _constant(variable.measure, "popularity") - 0.8
        low, high = (float(ndtri(quantile)) - shift for quantile in known)
    else:
        rate = 0.05 + 0.55 * _constant(variable.label, "rate")
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
    propensity = _propensity(variable, "person")
    tilt = 0.8 * _constant(variable.measure, "tilt") - 0.4
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

    propensity = _propensity(variable, "person")
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
    propensity = _propensity(variable, "area" if of_area else "person")
    if is_percent:
        return _percent(variable, propensity)
    if is_count:
        return _count(variable, propensity)
    if _MONEY.search(unit):
        return _money(variable, propensity)
    return _measured(variable, propensity)


def _part(measure: str, propensity: _Propensity) -> Callable[[Persons], Values]:
    """Give logit-normal parts of a whole, with medians from 2 % to 35 % by measure."""
    import numpy as np

    median = 0.35 * (2 / 35) ** _constant(measure, "part")
    if _TOTAL.match(measure):
        median = 0.9
    odds = (1 - median) / median
    return lambda persons: 1 / (1 + odds * np.exp(-0.6 * propensity.draw(persons)))


def _percent(variable: Variable, propensity: _Propensity) -> Drawing:
    import numpy as np

    low, high = variable.value_range or (0.0, 100.0)
    decimals = 2 if high > 1 else 4
    if low < 0:  # a change: around one percent a year, up or down
        middle = 1.0 + 2.0 * _constant(variable.measure, "change")
        return Drawing(
            "float64", lambda p: np.round(np.clip(middle + propensity.draw(p), low, high), decimals)
        )
    part = _part(variable.measure, propensity)
    return Drawing("float64", lambda p: np.round(low + (high - low) * part(p), decimals))


def _size(persons: Persons) -> Values:
    """Give how large an area is against the largest: a median of 30 %, at most 1."""
    import numpy as np

    return np.minimum(0.3 * np.exp(0.4 * persons.normal("size", "area")), 1.0)


def _count(variable: Variable, propensity: _Propensity) -> Drawing:
    """Multiply the part that the measure's percentage would show by the size of the area."""
    import numpy as np

    low, high = variable.value_range or (0.0, 500.0)
    part = _part(variable.measure, propensity)
    if propensity.level == "area":
        return Drawing("int64", lambda p: np.rint(low + (high - low) * part(p) * _size(p)))
    return Drawing("int64", lambda p: np.rint(low + (high - low) * part(p)))


def _money(variable: Variable, propensity: _Propensity) -> Drawing:
    """Give log-normal amounts of a magnitude that fits the range."""
    import numpy as np

    low, high = variable.value_range or (0.0, 10 ** (2.5 + 2 * _constant(variable.measure, "top")))
    if "income" in variable.measure.lower():
        # $86,000 a household where ranges end at $600,000, $43,000 a person at $300,000.
        part = 1 / 7
    else:
        part = 10 ** (-0.6 - 0.9 * _constant(variable.measure, "middle"))
    spread = 0.35 if propensity.level == "area" else 0.6
    decimals = 0 if high - low >= 100 else 2
    summed = "aggregate" in variable.label.lower()

    def draw(persons: Persons) -> Values:
        amount = part * np.exp(spread * propensity.draw(persons))
        if summed:
            amount *= _size(persons)
        return np.round(low + (high - low) * np.minimum(amount, 1.0), decimals)

    return Drawing("float64", draw)


def _measured(variable: Variable, propensity: _Propensity) -> Drawing:
    """Spread years, minutes, indexes and the like over the variable's range."""
    import numpy as np
    from scipy.special import ndtr

    unit = variable.unit.lower()
    default = (18.0, 90.0) if "year" in unit else (0.0, 240.0) if "minute" in unit else (0.0, 100.0)
    low, high = variable.value_range or default
    of_person = propensity.level == "person"
    whole = of_person and float(low).is_integer() and float(high).is_integer() and high - low >= 10
    # People differ more than the averages of areas do.
    spread = 0.7 if of_person else 0.25
    shift = (0.6 if of_person else 0.3) * (_constant(variable.measure, "shift") - 0.5)

    def draw(persons: Persons) -> Values:
        value = low + (high - low) * ndtr(spread * propensity.draw(persons) + shift)
        return np.rint(value) if whole else np.round(value, 2)

    return Drawing("int64" if whole else "float64", draw)
