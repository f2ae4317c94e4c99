"""A seeded population of latent persons who live in areas.

Nothing is stored and nothing depends on order: every random number is a pure function of
(seed, stream name, counter), so record 7 is the same person whether 10 or 10 million are asked for.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from audience_nb.catalog import demo_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CORRELATIONS", "LATENTS", "Persons", "correlation", "middles", "normals", "uniforms"]

Level = Literal["person", "area"]

# "urban" stands first because it belongs to the place alone: see Persons.latent.
LATENTS: tuple[str, ...] = (
    *("urban", "age", "education", "income", "family", "tech", "digital", "green", "health"),
    *("outdoors", "tradition", "novelty", "thrift", "community", "culture", "newcomer"),
    "francophone",
)

# Every other pair is independent. The demo lifestyles' offsets assume these values.
CORRELATIONS: Mapping[tuple[str, str], float] = {
    ("income", "education"): 0.45,
    ("income", "age"): 0.20,
    ("age", "family"): -0.30,
    ("urban", "education"): 0.25,
    ("age", "tech"): -0.40,
    ("tech", "digital"): 0.50,
    ("tradition", "novelty"): -0.30,
    ("health", "outdoors"): 0.30,
}

# Share of a latent's variance that lies between areas: neighbours are alike.
BETWEEN_AREAS = 0.5
# Records fall into areas within blocks, so that an area is the same for any number of records
# and about four records share one.
BLOCK_RECORDS, BLOCK_AREAS = 1024, 256

# Standard normal quantiles of .18 and .78: 18 % of areas are rural, 22 % francophone.
RURAL_BELOW, FRANCOPHONE_ABOVE = -0.915365, 0.772193

_LETTERS = b"ABCEGHJKLMNPRSTVWXYZ"  # 20: Canada Post uses no D, F, I, O, Q, U …
_FIRST_LETTERS = (b"ABCEKLMNPRSTVXY", b"GHJ")  # … nor W, Z in front; G, H, J are Quebec's
_SIXTY_FOUR = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def bits(seed: int, stream: str, counters: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Give 64 random bits for each counter of a named stream.

    Parameters
    ----------
    seed : int
        Seed of the population.
    stream : str
        Name of what is drawn; streams are independent of one another.
    counters : ndarray of uint64, shape (n,)
        Numbers of the records or areas.

    Returns
    -------
    ndarray of uint64, shape (n,)
        Distinct for distinct counters of one stream.

    Notes
    -----
    SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators") as a
    counter-based generator: its state is a key, from SHA-256 of seed and name, plus the counter
    times its odd constant. Integer arithmetic only, so every machine gives the same bits.

    Examples
    --------
    >>> import numpy as np
    >>> bits(0, "age", np.arange(2, dtype=np.uint64)).tolist()
    [16095027063864985477, 7591667447985713033]
    """
    import numpy as np

    digest = hashlib.sha256(f"{seed}\x1f{stream}".encode("utf-8", "surrogatepass")).digest()
    x = (counters + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x += np.uint64(int.from_bytes(digest[:8], "little"))
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def uniforms(seed: int, stream: str, counters: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Give a uniform number in the open interval (0, 1) for each counter.

    Parameters
    ----------
    seed, stream, counters
        As for `bits`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Odd multiples of 2**-53, exact on any machine; never 0 or 1.

    Examples
    --------
    >>> import numpy as np
    >>> bool((uniforms(0, "age", np.arange(1000, dtype=np.uint64)) < 1).all())
    True
    """
    import numpy as np

    # 52 bits and a half unit are exact in float64; 53 would round the largest up to 1.
    high = bits(seed, stream, counters) >> np.uint64(12)
    return (high.astype(np.float64) + 0.5) * 2.0**-52


def normals(seed: int, stream: str, counters: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Give a standard normal number for each counter, by the inverse distribution function.

    Parameters
    ----------
    seed, stream, counters
        As for `bits`.

    Returns
    -------
    ndarray of float64, shape (n,)
        Equal on any machine up to the last bits of a logarithm; values drawn from them are
        rounded before they are given out.

    Examples
    --------
    >>> import numpy as np
    >>> normals(0, "age", np.arange(3, dtype=np.uint64)).round(3).tolist()
    [1.138, -0.224, -1.949]
    """
    from scipy.special import ndtri

    drawn: NDArray[np.float64] = ndtri(uniforms(seed, stream, counters))
    return drawn


def correlation(one: str, other: str) -> float:
    """Give the correlation of two latents.

    Parameters
    ----------
    one, other : str
        Names from `LATENTS`.

    Returns
    -------
    float
        In [-1, 1].

    Examples
    --------
    >>> correlation("education", "income"), correlation("green", "green")
    (0.45, 1.0)
    """
    if one == other:
        return 1.0
    return CORRELATIONS.get((one, other), CORRELATIONS.get((other, one), 0.0))


@lru_cache(maxsize=1)
def _factor() -> Mapping[str, Mapping[str, float]]:
    """Give the Cholesky factor's entries; in plain Python, so that no BLAS can differ."""
    rows: dict[str, dict[str, float]] = {}
    for name in LATENTS:
        row: dict[str, float] = {}
        for other in rows:
            known = sum(row[m] * rows[other].get(m, 0.0) for m in row)
            entry = (correlation(name, other) - known) / rows[other][other]
            if entry:
                row[other] = entry
        row[name] = (1.0 - sum(v * v for v in row.values())) ** 0.5
        rows[name] = row
    return rows


class Persons:
    """A run of records with their latents, drawn when first asked for.

    Parameters
    ----------
    seed : int
        Seed of the population.
    start, stop : int
        First record and one past the last.

    Examples
    --------
    >>> Persons(0, 3, 5).latent("age")[0] == Persons(0, 0, 1000).latent("age")[3]
    np.True_
    """

    def __init__(self, seed: int, start: int, stop: int) -> None:
        import numpy as np

        self.seed = seed
        self.records = np.arange(start, stop, dtype=np.uint64)
        place = uniforms(seed, "area", self.records) * BLOCK_AREAS
        blocks = self.records // np.uint64(BLOCK_RECORDS)
        self.areas = blocks * np.uint64(BLOCK_AREAS) + place.astype(np.uint64)
        self._drawn: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._lifestyles: NDArray[np.intp] | None = None

    def counters(self, level: Level) -> NDArray[np.uint64]:
        """Give the number of each record, or of the area it lies in.

        Parameters
        ----------
        level : {"person", "area"}
            Which of the two.

        Returns
        -------
        ndarray of uint64, shape (n,)

        Examples
        --------
        >>> Persons(0, 0, 2).counters("person").tolist()
        [0, 1]
        """
        return self.records if level == "person" else self.areas

    def normal(self, stream: str, level: Level = "person") -> NDArray[np.float64]:
        """Draw a standard normal number for each person, or one for each area.

        Parameters
        ----------
        stream : str
            Name of what is drawn.
        level : {"person", "area"}, optional
            With "area", records of one area get the same number.

        Returns
        -------
        ndarray of float64, shape (n,)

        Examples
        --------
        >>> Persons(0, 0, 2).normal("luck").shape
        (2,)
        """
        return normals(self.seed, f"{level} {stream}", self.counters(level))

    def latent(self, name: str, level: Level = "person") -> NDArray[np.float64]:
        """Give a latent of each person, or that of the area around them.

        Parameters
        ----------
        name : str
            One of `LATENTS`.
        level : {"person", "area"}, optional
            Both are standard normal with the correlations of `CORRELATIONS`; a person's and
            their area's correlate with the root of `BETWEEN_AREAS`, and with 1 for "urban".

        Returns
        -------
        ndarray of float64, shape (n,)

        Examples
        --------
        >>> persons = Persons(0, 0, 9)
        >>> bool((persons.latent("urban") == persons.latent("urban", "area")).all())
        True
        """
        key = (name, level)
        if key not in self._drawn:
            # Summed in a fixed order, one product at a time: no BLAS, no fused operations.
            first, *rest = _factor()[name].items()
            total = first[1] * self._independent(first[0], level)
            for other, weight in rest:
                total += weight * self._independent(other, level)
            self._drawn[key] = total
        return self._drawn[key]

    def _independent(self, name: str, level: Level) -> NDArray[np.float64]:
        key = (f"independent {name}", level)
        if key not in self._drawn:
            if level == "area":
                drawn = self.normal(f"latent {name}", "area")
            else:
                drawn = self._independent(name, "area")
                if name != "urban":
                    own = self.normal(f"latent {name}")
                    drawn = BETWEEN_AREAS**0.5 * drawn + (1 - BETWEEN_AREAS) ** 0.5 * own
            self._drawn[key] = drawn
        return self._drawn[key]

    def lifestyles(self) -> NDArray[np.intp]:
        """Give the row of each area's lifestyle in data/lifestyles.csv.

        Returns
        -------
        ndarray of intp, shape (n,)
            The type with the smallest sum of (latent - profile)² plus its `offset`, over the
            area's latents: neighbours share a type, as in any postal-code system.

        Examples
        --------
        >>> int(Persons(0, 0, 1000).lifestyles().max()) < len(lifestyle_codes())
        True
        """
        import numpy as np

        if self._lifestyles is None:
            names, profiles, offsets = _profiles()
            # One comparison for each area: a quarter of the work.
            _, first, back = np.unique(self.areas, return_index=True, return_inverse=True)
            latents = [self.latent(name, "area")[first] for name in names]
            nearest = np.zeros(len(first), dtype=np.intp)
            smallest = np.full(len(first), np.inf)
            for row, (profile, offset) in enumerate(zip(profiles, offsets, strict=True)):
                distance = np.full(len(first), offset)
                for latent, centre in zip(latents, profile, strict=True):
                    difference = latent - centre
                    distance += difference * difference
                closer = distance < smallest
                nearest[closer] = row
                smallest[closer] = distance[closer]
            self._lifestyles = nearest[back]
        return self._lifestyles

    def postal_codes(self) -> NDArray[np.str_]:
        """Give Canadian-shaped postal codes, one for each area.

        Returns
        -------
        ndarray of str, shape (n,)
            Such as "K1A 0B1"; a rural area has 0 in second place, a francophone one starts with
            G, H or J. Two areas share a code only in populations of more than 480,000 records,
            and those in the country first.

        Examples
        --------
        >>> Persons(0, 0, 1).postal_codes().tolist()
        ['H5Y 5J9']
        """
        import numpy as np

        rural = self.latent("urban", "area") < RURAL_BELOW
        french = self.latent("francophone", "area") > FRANCOPHONE_ABOVE
        text = np.full((len(self.records), 7), ord(" "), dtype=np.uint8)
        letters = np.frombuffer(_LETTERS, dtype=np.uint8)
        for is_french, first in enumerate(_FIRST_LETTERS):
            for is_rural in (False, True):
                chosen = (rural == is_rural) & (french == bool(is_french))
                zones = 1 if is_rural else 9
                size = len(first) * zones * 20 * 10 * 20 * 10
                # A prime that divides no size: neighbours in number lie far apart, none collide.
                number = (
                    self.areas[chosen] * np.uint64(2654435761) + np.uint64(self.seed % 2**32)
                ) % size
                for place, base in ((6, 10), (5, 20), (4, 10), (2, 20), (1, zones)):
                    digit = number % np.uint64(base)
                    number = number // np.uint64(base)
                    if base == 20:
                        text[chosen, place] = letters[digit]
                    else:
                        text[chosen, place] = digit + np.uint64(ord("1" if base == 9 else "0"))
                text[chosen, 0] = np.frombuffer(first, dtype=np.uint8)[number]
        codes: NDArray[np.str_] = text.view("S7")[:, 0].astype("U7")
        return codes

    def tokens(self, stream: str, length: int) -> NDArray[np.uint8]:
        """Give characters of a synthetic identifier.

        Parameters
        ----------
        stream : str
            Name of the identifier.
        length : int
            Characters.

        Returns
        -------
        ndarray of uint8, shape (n, length)
            ASCII letters, digits, "-" and "_", ten from every 64 random bits.

        Examples
        --------
        >>> Persons(0, 0, 2).tokens("ramp", 47).shape
        (2, 47)
        """
        import numpy as np

        alphabet = np.frombuffer(_SIXTY_FOUR, dtype=np.uint8)
        text = np.empty((len(self.records), length), dtype=np.uint8)
        for place in range(length):
            if place % 10 == 0:
                word = bits(self.seed, f"{stream} {place}", self.records)
            text[:, place] = alphabet[word & np.uint64(63)]
            word >>= np.uint64(6)
        return text


@lru_cache(maxsize=1)
def _lifestyle_rows() -> tuple[Mapping[str, str], ...]:
    with demo_file("lifestyles.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@lru_cache(maxsize=1)
def lifestyle_codes() -> tuple[str, ...]:
    """Give the codes of the demo lifestyles in the order of their table.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> lifestyle_codes()[:2]
    ('LS01', 'LS02')
    """
    return tuple(row["code"] for row in _lifestyle_rows())


@lru_cache(maxsize=1)
def _profiles() -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """Give the latents the lifestyles are profiled on, the profiles and the offsets."""
    rows = _lifestyle_rows()
    names = tuple(name for name in rows[0] if name in LATENTS)
    profiles = tuple(tuple(float(row[name]) for name in names) for row in rows)
    return names, profiles, tuple(float(row.get("offset") or 0.0) for row in rows)


@lru_cache(maxsize=1)
def drivers() -> Mapping[str, Mapping[str, float]]:
    """Give what drives each topic of the demo catalogue.

    Returns
    -------
    mapping of str to mapping of str to float
        Topic, or a single measure, to latents to loadings in [-1, 1], from data/drivers.csv.

    Examples
    --------
    >>> all(set(loadings) <= set(LATENTS) for loadings in drivers().values())
    True
    """
    table: dict[str, dict[str, float]] = {}
    with demo_file("drivers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            table.setdefault(row["topic"], {})[row["latent"]] = float(row["loading"])
    return MappingProxyType(table)


@lru_cache(maxsize=1)
def middles() -> Mapping[str, float]:
    """Give where in their value range well-known measures lie in an ordinary area.

    Returns
    -------
    mapping of str to float
        Measure to a place from 0 (lowest) to 1 (highest), from data/typicals.csv.

    Examples
    --------
    >>> middles()["Households that own their dwelling"]
    0.66
    """
    import csv

    with demo_file("typicals.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({r["measure"]: float(r["middle"]) for r in csv.DictReader(file)})
