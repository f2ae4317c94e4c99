"""What drives a variable: latents, nearness to a stated band, and noise its variants share.

A propensity is standard normal: the latents of the person times the loadings of the variable's
topic (data/drivers.csv), plus noise that all variants of one measure share. A demographic label
that states a band of age, income or education loads on nearness to that band,
-(latent - centre)², in place of the latent itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audience_nb.catalog import Variable
from audience_nb.sources.population import LATENTS, Level, Persons, correlation, drivers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Propensity", "constant", "propensity_of"]

# Most of a propensity's variance that latents may explain.
MAX_EXPLAINED = 0.8
# Loading on nearness to a stated band.
NEARNESS = 0.7
# Share of the noise that a measure's values in two years have in common.
SAME_MEASURE = 0.95

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
# Not "college instructors", nor "attending high school".
_ATTAINMENT = re.compile(
    r"\b(?:level of education|degree|diploma|certificate|qualification)\b", re.IGNORECASE
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
class Propensity:
    """The standard normal quantity behind a variable's values.

    Parameters
    ----------
    level : {"person", "area"}
        Whose latents and noise it is made of.
    measure : str
        Variants of one measure share their noise.
    year : str
        Values of one measure in two years share `SAME_MEASURE` of it; "" for none.
    loadings : tuple of (latent, loading)
        Linear part.
    near : (latent, centre, loading), optional
        Loading on nearness to a centre on a latent's scale.
    noise : float
        Standard deviation of the noise: what the latents leave of a variance of 1.

    Examples
    --------
    >>> Propensity("person", "Age", "", (("age", 0.8),), None, 0.6).draw(Persons(0, 0, 3)).shape
    (3,)
    """

    level: Level
    measure: str
    year: str
    loadings: tuple[tuple[str, float], ...]
    near: tuple[str, float, float] | None
    noise: float

    def draw(self, persons: Persons) -> NDArray[np.float64]:
        """Draw it for a run of records.

        Parameters
        ----------
        persons : Persons
            The run.

        Returns
        -------
        ndarray of float64, shape (n,)

        Examples
        --------
        >>> sure = Propensity("person", "Age", "", (("age", 1.0),), None, 0.0)
        >>> bool((sure.draw(Persons(0, 0, 3)) == Persons(0, 0, 3).latent("age")).all())
        True
        """
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


def propensity_of(variable: Variable, level: Level) -> Propensity:
    """Say what drives a variable.

    Parameters
    ----------
    variable : Variable
        Any variable of any catalogue.
    level : {"person", "area"}
        Whether its values are those of persons or of areas.

    Returns
    -------
    Propensity
        Latents explain at most `MAX_EXPLAINED` of its variance: larger loadings are scaled down.

    Examples
    --------
    >>> propensity_of(Variable("A", "Age of the person"), "person").loadings
    (('age', 0.7),)
    """
    # A measure may have drivers of its own, such as a statement that runs against its topic.
    loadings = dict(
        drivers().get(variable.measure)
        or drivers().get(variable.subcategory)
        or _loadings_of_words(variable)
    )
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
    return Propensity(
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
        latent = LATENTS[int(constant(variable.measure, f"latent {i}") * len(LATENTS))]
        chosen[latent] = 0.6 * constant(variable.measure, f"loading {i}") - 0.3
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
    is_attainment = _ATTAINMENT.search(f"{variable.subcategory} {stated}")
    for latent, centre, named in _NAMED_BANDS:
        if latent == "education" and not is_attainment:
            continue
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


def constant(measure: str, what: str) -> float:
    """Give a number that belongs to a measure in every population.

    Parameters
    ----------
    measure : str
        The measure, or another text.
    what : str
        What the number is for; numbers for different ends are independent.

    Returns
    -------
    float
        In the open interval (0, 1), spread evenly over measures.

    Examples
    --------
    >>> 0 < constant("Rides a bicycle", "rate") < 1
    True
    """
    digest = hashlib.sha256(f"{what}\x1f{measure}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:6], "little") + 0.5) / 2**48
