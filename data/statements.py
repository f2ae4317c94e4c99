"""The statements of the demo catalogue: an invented survey of behaviour and social values.

A *measure* is one survey item within a topic ("Cycling - Ride a bicycle to work or school").
It is read from three kinds of vocabulary::

    statement_topics.csv   theme number, topic, category, kind, drivers, keywords, availability
    statements_*.csv       topic, form, statement, direction     one row an item
    statement_bands.csv    form, number, band, answer, low, high the answer bands of a form

Every measure is published in the answer bands of its form, one variable each::

    Environment [Occasionally/Frequently] - Use environmentally friendly products
    Q 515 02 08 I 3        theme, form, position of the item in its topic, answer band

Themes and forms carry their numbers in the vocabulary, so codes stay as they are when items are
appended at the end of a topic.

Exactly 11,655 variables: every measure is given in all the bands of its form; what is above the
total is then taken off, one band at a time. The topics take turns, those with most items first;
a topic gives up the last band of its last item that is still whole and has three bands or more.

`direction` is "-" for an item that runs against its topic ("Reports about climate change are
exaggerated"). `low` and `high` place a band on the scale of answers from 0 (never, disagree,
nothing) to 1, as typical shares of respondents: a synthetic population whose propensity falls
in the band answers yes, so that bands of one item never contradict each other.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "CODE_GRAMMAR",
    "N_STATEMENTS",
    "against_topic",
    "band_places",
    "statement_drivers",
    "statement_records",
]

N_STATEMENTS = 11_655
VOCABULARY = Path(__file__).resolve().parent / "vocabulary"

CODE_GRAMMAR = re.compile(r"Q(?P<theme>\d{3})(?P<form>\d{2})(?P<position>\d{2})I(?P<band>\d)")

# Two surveys: what people do, with opinions asked on the way, and a panel on social values.
BEHAVIOUR_SURVEY = "Opine"
VALUES_SURVEY = "ValuesTrack"
FREQUENCY = {BEHAVIOUR_SURVEY: "half-yearly", VALUES_SURVEY: "yearly"}


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of item is asked and answered.

    Parameters
    ----------
    number : int
        Its two digits in a code.
    question : str
        Description of one band, with {answer} and {statement}.
    attitude : bool
        Whether it asks what people think rather than what they do.
    keywords : tuple of str
        What someone who wants such answers searches for.
    """

    number: int
    question: str
    attitude: bool = False
    keywords: tuple[str, ...] = ()


_SAY = "Share of respondents who say that they "
FORMS: dict[str, Form] = {
    "agreement": Form(
        1, 'Share of respondents who {answer} with the statement "{statement}".', True
    ),
    "frequency": Form(2, _SAY + "{answer} do the following: {statement}."),
    "recency": Form(3, _SAY + "did the following {answer}: {statement}."),
    "usage": Form(4, _SAY + "do the following {answer}: {statement}."),
    "intent": Form(
        5,
        "Share of respondents who are {answer} to do the following in the next year or two: "
        "{statement}.",
        keywords=("plan", "intent"),
    ),
    "ownership": Form(
        6, _SAY + "or their household {answer}: {statement}.", keywords=("have", "owners")
    ),
    "spend": Form(7, _SAY + "spend {answer}: {statement}.", keywords=("spenders", "budget")),
    "spend_year": Form(8, _SAY + "spend {answer}: {statement}.", keywords=("spenders", "budget")),
    "hours": Form(9, _SAY + "give this {answer}: {statement}.", keywords=("hours",)),
    "importance": Form(
        10,
        "Share of respondents to whom this is {answer}: {statement}.",
        True,
        ("important", "priority"),
    ),
    "interest": Form(
        11, "Share of respondents who are {answer} in this: {statement}.", True, ("interest",)
    ),
    "times": Form(12, _SAY + "count {answer} of these in the past year: {statement}."),
}


@dataclass(frozen=True, slots=True)
class Band:
    """One answer band of a form, and its place in [0, 1] on the scale of answers."""

    number: int
    words: str
    answer: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Topic:
    """A theme of the survey; the subcategory of its variables. Its kind decides the survey."""

    theme: int
    name: str
    category: str
    kind: str
    drivers: tuple[tuple[str, float], ...]
    keywords: tuple[str, ...]
    availability: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question: a statement in its topic."""

    topic: Topic
    form: str
    position: int
    statement: str
    is_against: bool

    @property
    def measure(self) -> str:
        """Label without the answer band."""
        return f"{self.topic.name} - {self.statement}"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _bands() -> dict[str, tuple[Band, ...]]:
    bands: dict[str, list[Band]] = {form: [] for form in FORMS}
    for row in _rows(VOCABULARY / "statement_bands.csv"):
        bands[row["form"]].append(
            Band(
                int(row["number"]),
                row["band"],
                row["answer"],
                float(row["low"]),
                float(row["high"]),
            )
        )
    return {form: tuple(of_form) for form, of_form in bands.items()}


@cache
def _topics() -> dict[str, Topic]:
    topics: dict[str, Topic] = {}
    for row in _rows(VOCABULARY / "statement_topics.csv"):
        drivers = tuple(
            (latent, float(loading))
            for latent, loading in (pair.split(" ") for pair in row["drivers"].split(";"))
        )
        topics[row["topic"]] = Topic(
            theme=int(row["theme"]),
            name=row["topic"],
            category=row["category"],
            kind=row["kind"],
            drivers=drivers,
            keywords=tuple(row["keywords"].split(";")),
            availability=row["availability"].replace(";", "|"),
        )
    return topics


@cache
def _items() -> dict[str, tuple[Item, ...]]:
    """Give the items of each topic, topics and items in file order."""
    items: dict[str, list[Item]] = {name: [] for name in _topics()}
    for path in sorted(VOCABULARY.glob("statements_*.csv")):
        for row in _rows(path):
            of_topic = items[row["topic"]]
            of_topic.append(
                Item(
                    topic=_topics()[row["topic"]],
                    form=row["form"],
                    position=len(of_topic) + 1,
                    statement=row["statement"],
                    is_against=row["direction"] == "-",
                )
            )
    return {name: tuple(of_topic) for name, of_topic in items.items()}


def _given_up() -> set[tuple[int, int]]:
    """Choose the items (theme, position) that go without their last band."""
    bands = _bands()
    surplus = sum(len(bands[i.form]) for items in _items().values() for i in items) - N_STATEMENTS
    queues = [
        [(i.topic.theme, i.position) for i in items if len(bands[i.form]) >= 3]
        for items in sorted(
            _items().values(), key=lambda items: (-len(items), items[0].topic.theme)
        )
    ]
    if not 0 <= surplus <= sum(map(len, queues)):
        raise ValueError(
            f"The statements have {surplus + N_STATEMENTS:,} answer bands for {N_STATEMENTS:,} "
            "variables. Add or drop statements in the vocabulary."
        )
    chosen: set[tuple[int, int]] = set()
    while len(chosen) < surplus:
        for queue in queues:
            if queue and len(chosen) < surplus:
                chosen.add(queue.pop())
    return chosen


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]


def _item_records(item: Item, bands: tuple[Band, ...]) -> Iterator[dict[str, Any]]:
    topic, form = item.topic, FORMS[item.form]
    # A thing done is behaviour whichever survey asked about it.
    source = VALUES_SURVEY if topic.kind == "psychographic" else BEHAVIOUR_SURVEY
    statement = item.statement if item.form == "agreement" else _lower_first(item.statement)
    for band in bands:
        yield {
            "code": f"Q{topic.theme:03d}{form.number:02d}{item.position:02d}I{band.number}",
            "label": f"{topic.name} [{band.words}] - {item.statement}",
            "kind": "psychographic" if form.attitude else "behavioral",
            "description": form.question.format(answer=band.answer, statement=statement),
            "category": topic.category,
            "subcategory": topic.name,
            "measure": item.measure,
            "value_type": "boolean",
            "values": "0|1",
            "value_range": "",
            "unit": "share of respondents",
            "update_frequency": FREQUENCY[source],
            "source": source,
            "availability": topic.availability,
            "keywords": "|".join(dict.fromkeys((*topic.keywords, *form.keywords))),
        }


def _check(records: list[dict[str, Any]]) -> None:
    if len(records) != N_STATEMENTS:
        raise ValueError(
            f"There are {len(records):,} statement variables, not {N_STATEMENTS:,}. "
            "Look at the rule of _given_up."
        )
    for field in ("code", "label"):
        doubles = [v for v, n in Counter(r[field] for r in records).items() if n > 1]
        if doubles:
            raise ValueError(
                f"{len(doubles)} of the statements' {field}s occur twice, such as {doubles[0]!r}. "
                "Reword the statement, or give the topic another theme number."
            )
    for record in records:
        if not CODE_GRAMMAR.fullmatch(record["code"]):
            raise ValueError(
                f"The code {record['code']} is not Q, 7 digits, I, 1 digit. "
                "Keep themes below 1,000 and topics below 100 statements."
            )


def statement_records() -> list[dict[str, Any]]:
    """Give the behavioural and psychographic variables of the demo catalogue.

    Returns
    -------
    list of dict
        11,655 records with the fields of `audience_nb.catalog.Variable` as text, lists joined
        by "|": in the order of the topics, then of their statements and answer bands.

    Raises
    ------
    ValueError
        If the vocabulary does not reach the total by the rule, or a code or label occurs twice.

    Examples
    --------
    >>> records = statement_records()
    >>> len(records)
    11655
    >>> next(r["label"] for r in records if r["code"] == "Q5150208I3")
    'Environment [Occasionally/Frequently] - Use environmentally friendly products'
    """
    given_up = _given_up()
    records: list[dict[str, Any]] = []
    for items in _items().values():
        for item in items:
            bands = _bands()[item.form]
            if (item.topic.theme, item.position) in given_up:
                bands = bands[:-1]
            records.extend(_item_records(item, bands))
    _check(records)
    return records


def statement_drivers() -> list[tuple[str, str, float]]:
    """Say how each topic of the survey hangs on the latents of the synthetic population.

    Returns
    -------
    list of (topic, latent, loading)
        `topic` is a subcategory of the catalogue; loadings lie in [-1, 1], one to four a topic.

    Examples
    --------
    >>> ("Cycling", "outdoors", 0.5) in statement_drivers()
    True
    """
    return [
        (topic.name, latent, loading)
        for topic in _topics().values()
        for latent, loading in topic.drivers
    ]


def against_topic() -> list[str]:
    """Name the measures that run against their topic, so that its loadings change sign.

    Returns
    -------
    list of str
        Values of the catalogue's `measure`.

    Examples
    --------
    >>> "Climate change - Reports about climate change are exaggerated" in against_topic()
    True
    """
    return [item.measure for items in _items().values() for item in items if item.is_against]


def band_places() -> list[tuple[str, float, float]]:
    """Place each answer band on the scale of answers.

    Returns
    -------
    list of (band, low, high)
        `band` is what stands in brackets in a label; low and high are in [0, 1].

    Examples
    --------
    >>> ("Strongly agree", 0.75, 1.0) in band_places()
    True
    """
    return [(band.words, band.low, band.high) for bands in _bands().values() for band in bands]
