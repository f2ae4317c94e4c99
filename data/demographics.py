"""The demographic part of the demo catalogue: area statistics of an invented agency.

A *measure* is one countable fact ("Renter households that spend 30% or more of income on
shelter"). It is put together from `vocabulary/demographic_*.csv`::

    topic     template, universe, units, breakdowns        one row a published table
    items     the rows of the table                        shared between tables
    universe  who is counted                               "people aged 15 and over"
    breakdown cells that cut a universe                    "women", "owner households"

Every measure is published in several *variants*: a period and a unit. The code says which::

    C26 LMT _ PUNJAB _ P          C26 IHX _ 300000 _ GY _ N
    |   |     |        |          period, theme, item, breakdown cell, unit
    |   |     |        unit: _N _P _AVG _MED _AGG _SHR _VAL _IDX _CHG
    |   |     item
    |   theme (one topic)
    period: B21 base year, C26 current estimate, P31 and P36 projections

Exactly 36,610 variables: every measure is given for B21, C26 and P31; the 2036 projection is
then given, unit by unit in catalogue order, to the measures of priority 1, then 2, then 3,
until the total is reached.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "CODE_GRAMMAR",
    "N_DEMOGRAPHIC",
    "demographic_drivers",
    "demographic_records",
    "demographic_typicals",
]

N_DEMOGRAPHIC = 36_610
SOURCE = "CivicStats"
VOCABULARY = Path(__file__).resolve().parent / "vocabulary"

CODE_GRAMMAR = re.compile(
    r"(?P<period>B21|C26|P31|P36)(?P<theme>[A-Z]{3})_(?P<item>[A-Z0-9]{1,6})"
    r"(?:_(?P<breakdown>[A-Z][A-Z0-9]{0,5}))?_(?P<unit>N|P|AVG|MED|AGG|SHR|VAL|IDX|CHG)"
)

# Period: words of the label, words of the description. {base} is "census" or "base year".
PERIODS: dict[str, tuple[str, str]] = {
    "C26": ("2026 estimate", "Estimate for mid-2026"),
    "B21": ("2021 {base}", "Value in 2021"),
    "P31": ("2031 projection", "Projection to mid-2031"),
    "P36": ("2036 projection", "Projection to mid-2036"),
}
ALWAYS = ("C26", "B21", "P31")
LATER = "P36"

# Unit code: words of the label, unit of the value, words of the description.
UNITS: dict[str, tuple[str, str, str]] = {
    "N": ("number", "count", "number counted"),
    "P": ("% of {base}", "percent", "percentage of {base}"),
    "AVG": ("average", "", "average"),
    "MED": ("median", "", "median"),
    "AGG": ("aggregate", "", "sum, in thousands"),
    "SHR": ("% of total expenditure", "percent", "share of total household expenditure"),
    "VAL": ("", "", "one value"),
    "IDX": ("index (2020 = 100)", "index", "price index with 2020 as 100"),
    "CHG": ("% change over one year", "percent", "price change over one year"),
}
# What a topic publishes for each measure, and the words that replace those of `UNITS`.
UNIT_SETS: dict[str, dict[str, str]] = {
    "NP": {"N": "", "P": ""},
    "N": {"N": ""},
    "VAL": {"VAL": ""},
    "AM": {"AVG": "", "MED": ""},
    "AMG": {"AVG": "", "MED": "", "AGG": ""},
    "AG": {"AVG": "average per household", "AGG": ""},
    "AGS": {"AVG": "average per household", "AGG": "", "SHR": ""},
    "NPA": {
        "N": "number of people reporting",
        "P": "% of {base} reporting",
        "AVG": "average per person reporting",
        "MED": "median per person reporting",
        "AGG": "",
    },
    "HPA": {
        "P": "% of {base} reporting",
        "AVG": "average per household reporting",
        "MED": "median per household reporting",
        "AGG": "",
    },
    "IDX": {"IDX": "", "CHG": ""},
}
# Traits that privacy law calls sensitive are published for areas only.
ACCESS: dict[str, str] = {
    "open": "first_party|third_party|clean_room",
    "sensitive": "third_party",
}
_FILLERS = re.compile(
    r"\b(an?|and|any|at|by|for|from|in|of|on|or|the|to|who|with|their|than|per)\b"
)


@dataclass(frozen=True)
class Measure:
    """One fact before it is cut into periods and units."""

    topic: dict[str, str]
    group: str
    item_code: str
    cell_code: str
    text: str
    base: str
    typical: str
    maximum: str
    keywords: tuple[str, ...]

    @property
    def subcategory(self) -> str:
        """Name of the topic, with the part of its table where the table has parts."""
        return _subcategory(self.topic["topic"], self.group)


def _subcategory(topic: str, group: str) -> str:
    return f"{topic}: {group}" if group else topic


@cache
def _table(name: str) -> tuple[dict[str, str], ...]:
    with (VOCABULARY / f"demographic_{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _items(name: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in _table("items") if row["list"] == name)


@cache
def _item_codes(name: str) -> dict[str, str]:
    """Mnemonic of each item: its numbers where it has some, else the heads of its words."""
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for row in _items(name):
        plain = unicodedata.normalize("NFKD", row["item"]).encode("ascii", "ignore").decode()
        numbers = re.findall(r"\d+", plain.replace(",000", "K").replace(",", ""))
        words = re.findall(r"[a-z]+", _FILLERS.sub(" ", plain.lower()))
        if numbers and len(numbers) <= 2:
            mnemonic = "".join(numbers)
            if len(numbers) == 1 and words:
                mnemonic = words[0][0] + mnemonic
        elif len(words) == 1:
            mnemonic = words[0]
        elif len(words) == 2:
            mnemonic = words[0][:3] + words[1][:3]
        else:
            mnemonic = "".join(w[:2] for w in words[:3])
        mnemonic = mnemonic.upper()[:6]
        candidate, n = mnemonic, 2
        while candidate in taken:
            candidate = f"{mnemonic[: 6 - len(str(n))]}{n}"
            n += 1
        taken.add(candidate)
        codes[row["item"]] = candidate
    return codes


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _people(universe: dict[str, str], cell: dict[str, str] | None) -> str:
    """Noun phrase for the people in one cell, such as "women aged 25 to 34"."""
    if cell is None or not universe["pattern"]:
        return universe["noun"]
    who, aged = universe["people"], ""
    dimension = cell["dimension"]
    if dimension == "SEX":
        who = universe[cell["phrase"]]
    elif dimension == "BOR":
        who = cell["phrase"]
    else:
        aged = f" aged {cell['phrase']}"
        if dimension == "AXS":
            who = cell["base"]
    pattern = universe["pattern"]
    default = re.search(r"\{aged:(\d+)\}", pattern)
    if default:
        pattern = pattern.replace(default[0], "{aged}")
        aged = aged or f" aged {default[1]} and over"
    return pattern.format(who=who, aged=aged)


def _cut(
    template: str, universe: dict[str, str], cell: dict[str, str] | None
) -> tuple[str, str, str]:
    """Words of a template in one cell: text with {item}, what follows it, base of shares."""
    if cell is None:
        return template.replace("{u}", universe["noun"]), "", universe["base"]
    if cell["applies_to"] == "people" and universe["pattern"]:
        noun = _people(universe, cell)
        base = f"{noun} living alone" if universe["universe"] == "liv" else noun
        if "{u}" in template:
            return template.replace("{u}", noun), "", base
        return template, f", {cell['phrase']}", base
    if cell["dimension"] == "TEN" and template.startswith(("Households", "Dwellings")):
        owners = cell["code"] == "OWN"
        head = "Owner households" if owners else "Renter households"
        if template.startswith("Dwellings"):
            head = "Owner-occupied dwellings" if owners else "Rented dwellings"
        _, space, rest = template.partition(" ")
        return head + space + rest, "", head.lower()
    return template, f", {cell['phrase']}", cell["base"]


def _measures() -> Iterator[Measure]:
    universes = {row["universe"]: row for row in _table("universes")}
    for topic in _table("topics"):
        universe = universes[topic["universe"]]
        cells: list[tuple[dict[str, str] | None, str]] = []
        dimensions = topic["breakdowns"].split()
        if "no-total" not in dimensions:
            cells.append((None, topic["items"]))
        for dimension in dimensions:
            name, _, items = dimension.partition(":")
            for row in _table("breakdowns"):
                if row["dimension"] == name:
                    cells.append((row, items or topic["items"]))
        for cell, items in cells:
            template, tail, base = _cut(topic["template"], universe, cell)
            codes = _item_codes(items)
            cell_words = cell["keywords"].split(";") if cell else []
            for row in _items(items):
                text = _upper_first(template.replace("{item}", row["item"])) + tail
                text = text.replace(" of under $", " under $")
                words = [*row["keywords"].split(";"), *cell_words, *topic["keywords"].split(";")]
                yield Measure(
                    topic=topic,
                    group=row["group"],
                    item_code=codes[row["item"]],
                    cell_code=cell["code"] if cell else "",
                    text=text,
                    base=base,
                    typical=row["typical"],
                    maximum=row["maximum"],
                    keywords=tuple(dict.fromkeys(w for w in words if w)),
                )


def _value_unit(measure: Measure) -> str:
    """Unit of a single value: the words in brackets at the end, else the topic's."""
    named = re.search(r"\(([^()=]+)\)(?:,|$)", measure.text)
    if measure.topic["unit"] in {"years", "persons", "percent"} or not named:
        return "years" if measure.text.startswith("Years") else measure.topic["unit"]
    inside = named[1]
    return "percent" if inside == "%" else "per 100" if "per 100" in inside else inside


def _range(measure: Measure, unit: str, universe: dict[str, str]) -> str:
    """Smallest and largest plausible value for an area of a few hundred households."""
    top, _, amount_top = measure.topic["maximum"].partition(";")
    share, amount = float(top), float(amount_top or top)
    if measure.maximum and measure.topic["units"] in {"N", "NP"}:
        share = float(measure.maximum)
    elif measure.maximum:
        amount = float(measure.maximum)
    low = float(measure.topic["minimum"])
    if unit == "N":
        high = (
            share if measure.topic["units"] == "N" else share / 100 * float(universe["count_max"])
        )
    elif unit == "P":
        high = 100.0 if measure.topic["units"] == "HPA" else share
    elif unit == "AGG":
        high = amount * float(universe["count_max"]) / 1000
    elif unit == "SHR":
        high = min(80.0, max(1.0, amount / 1000))
    elif unit == "CHG":
        low, high = -20.0, 30.0
    else:
        high = amount
    return f"{low:g}|{max(1, round(high)):d}"


def _record(measure: Measure, period: str, unit: str) -> dict[str, Any]:
    topic = measure.topic
    universe = next(row for row in _table("universes") if row["universe"] == topic["universe"])
    words, value_unit, meaning = UNITS[unit]
    words = UNIT_SETS[topic["units"]][unit] or words
    if unit == "AGG":
        words = f"aggregate (thousands of {topic['unit']})"
        value_unit = f"thousand {topic['unit']}"
    elif unit == "VAL":
        value_unit = _value_unit(measure)
    period_words, period_meaning = PERIODS[period]
    base_words = "census" if topic["base"] == "census" else "base year"
    base = measure.base
    label = ", ".join(
        part
        for part in (measure.text, words.format(base=base), period_words.format(base=base_words))
        if part
    )
    middle = f"_{measure.cell_code}" if measure.cell_code else ""
    return {
        "code": f"{period}{topic['theme']}_{measure.item_code}{middle}_{unit}",
        "label": label,
        "kind": "demographic",
        "description": (
            f"{period_meaning} for the area: {meaning.format(base=base)}. Table: {topic['topic']}."
        ),
        "category": topic["category"],
        "subcategory": measure.subcategory,
        "measure": measure.text,
        "value_type": "numeric",
        "values": "",
        "value_range": _range(measure, unit, universe),
        "unit": value_unit or topic["unit"],
        "update_frequency": "every five years" if period == "B21" else "yearly",
        "source": SOURCE,
        "availability": ACCESS[topic["access"]],
        "keywords": "|".join(measure.keywords),
    }


def demographic_records() -> list[dict[str, Any]]:
    """Give the demographic variables of the demo catalogue.

    Returns
    -------
    list of dict
        36,610 records with the fields of `audience_nb.catalog.Variable` as text, lists joined
        by "|": in the order of the topics, then of their items, periods and units.

    Raises
    ------
    ValueError
        If the vocabulary holds too few or too many measures to reach the total by the rule.

    Examples
    --------
    >>> records = demographic_records()
    >>> len(records), records[0]["label"]
    (36610, 'Total population, number, 2026 estimate')
    """
    measures = list(_measures())
    variants = [
        (m, period, unit)
        for m in measures
        for period in ALWAYS
        for unit in UNIT_SETS[m.topic["units"]]
    ]
    later = sorted(
        (
            (int(m.topic["priority"]), i, unit)
            for i, m in enumerate(measures)
            for unit in UNIT_SETS[m.topic["units"]]
        ),
        key=lambda entry: entry[:2],
    )
    wanted = N_DEMOGRAPHIC - len(variants)
    if not 0 <= wanted <= len(later):
        raise ValueError(
            f"{len(measures):,} measures give {len(variants):,} to {len(variants) + len(later):,} "
            f"variables, not {N_DEMOGRAPHIC:,}. Add or drop items in the vocabulary."
        )
    chosen: dict[int, list[str]] = {}
    for _, i, unit in later[:wanted]:
        chosen.setdefault(i, []).append(unit)
    records: list[dict[str, Any]] = []
    for i, measure in enumerate(measures):
        for period in (*ALWAYS, LATER):
            units = chosen.get(i, []) if period == LATER else UNIT_SETS[measure.topic["units"]]
            records.extend(_record(measure, period, unit) for unit in units)
    return records


def demographic_drivers() -> list[tuple[str, str, float]]:
    """Say how each demographic topic hangs on the latents of the synthetic population.

    Returns
    -------
    list of (topic, latent, loading)
        `topic` is a subcategory of the catalogue; loadings lie in [-1, 1]. A topic that is
        split into parts has drivers for each part.

    Examples
    --------
    >>> ("Household type: with children", "family", 0.8) in demographic_drivers()
    True
    """
    topics = {row["theme"]: row["topic"] for row in _table("topics")}
    groups: dict[str, list[str]] = {}
    for topic in _table("topics"):
        groups[topic["theme"]] = list(dict.fromkeys(r["group"] for r in _items(topic["items"])))
    drivers: list[tuple[str, str, float]] = []
    for row in _table("drivers"):
        parts = [row["group"]] if row["group"] else groups[row["theme"]]
        drivers.extend(
            (_subcategory(topics[row["theme"]], part), row["latent"], float(row["loading"]))
            for part in parts
        )
    return drivers


def demographic_typicals() -> list[tuple[str, str, float, float]]:
    """Say what an ordinary area shows, for the measures whose order of magnitude is known.

    Returns
    -------
    list of (measure, quantity, typical, middle)
        `quantity` is "percent" where people, households or dwellings are counted (`typical` is
        then a percentage of the base), else "amount" (an average, or a value, in the topic's
        unit). `middle` is the place of `typical` in the value range, from 0 to 1; it holds for
        the number that goes with a percentage too. Written by us as round figures for a country
        like Canada in the 2020s; not official statistics.

    Examples
    --------
    >>> ("Households that own their dwelling", "percent", 66.0, 0.66) in demographic_typicals()
    True
    """
    universes = {row["universe"]: row for row in _table("universes")}
    typicals = []
    for measure in _measures():
        units = measure.topic["units"]
        # The size of an area says enough about its totals.
        if not measure.typical or units == "N":
            continue
        typical = float(measure.typical)
        universe = universes[measure.topic["universe"]]
        unit = "P" if units == "NP" else "VAL" if units == "VAL" else "AVG"
        low, high = map(float, _range(measure, unit, universe).split("|"))
        quantity = "percent" if unit == "P" else "amount"
        middle = round((typical - low) / (high - low), 4)
        typicals.append((measure.text, quantity, typical, middle))
    return typicals
