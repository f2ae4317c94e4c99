"""How candidates are scored: parts, monotony, presets, paths, ideas, noise."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audience_nb.catalog import Catalog
from audience_nb.errors import InvalidInput
from audience_nb.search import Concepts, SearchIndex
from audience_nb.search.documents import Documents, path_of
from audience_nb.search.fusion import Evidence, Weights, fuse, slot_evidence
from audience_nb.search.lexical import Analyzer
from audience_nb.search.postings import Postings
from audience_nb.search.reading import Slot

N = 6
share = st.floats(0, 1, allow_subnormal=False)
column = arrays(np.float64, N, elements=share)


def evidence_of(literal: np.ndarray, implied: np.ndarray) -> Evidence:
    """One slot, answered in its own words or by an alternative."""
    said = (literal > 0).astype(float)
    covered = np.maximum(said, 0.8 * (implied > 0))
    return Evidence(literal[None], implied[None], covered, said)


# -- the formula -------------------------------------------------------------------------------


@given(column, column, column, column, arrays(np.float64, (N, 2), elements=st.floats(0, 3)), column)
@settings(max_examples=200, deadline=None)
def test_parts_add_up_to_a_score_between_0_and_1(
    meaning: np.ndarray,
    literal: np.ndarray,
    implied: np.ndarray,
    spelling: np.ndarray,
    burden: np.ndarray,
    intent: np.ndarray,
) -> None:
    evidence = evidence_of(literal, implied)
    for name in ("adaptive", "40/30/30", "60/40"):
        for near in (meaning, None):
            score, parts = fuse(near, evidence, spelling, Weights.named(name), burden, intent)
            assert all((part >= 0).all() for part in parts.values())
            np.testing.assert_allclose(sum(parts.values()), score, atol=1e-9)
            assert (score >= 0).all() and (score <= 1).all()


@given(column, column, column, column, st.integers(0, N - 1), st.floats(0.01, 1))
@settings(max_examples=200, deadline=None)
def test_more_of_a_channel_is_never_worse(
    meaning: np.ndarray,
    literal: np.ndarray,
    implied: np.ndarray,
    spelling: np.ndarray,
    chosen: int,
    more: float,
) -> None:
    def order(which: str, amount: float) -> np.ndarray:
        channels = {
            "meaning": meaning,
            "literal": literal,
            "implied": implied,
            "spelling": spelling,
        }
        # The largest of a channel stays, so that no other candidate is scaled.
        channels = {k: np.append(v, 1.0) for k, v in channels.items()}
        channels[which][chosen] = min(1.0, channels[which][chosen] + amount)
        score, _ = fuse(
            channels["meaning"],
            evidence_of(channels["literal"], channels["implied"]),
            channels["spelling"],
            Weights(),
        )
        return score[chosen] - score

    for which in ("meaning", "literal", "implied", "spelling"):
        assert (order(which, more) >= order(which, 0.0) - 1e-9).all()


def test_the_scale_of_a_channel_does_not_matter_to_the_order() -> None:
    rng = np.random.default_rng(0)
    meaning, literal, implied, spelling = rng.random((4, 40))
    evidence = evidence_of(literal, implied)
    first, _ = fuse(meaning, evidence, spelling, Weights())
    scaled, _ = fuse(meaning / 10, evidence, spelling / 7, Weights())
    assert np.argsort(-first).tolist() == np.argsort(-scaled).tolist()


def test_what_stands_above_a_variable_counts_against_it() -> None:
    same = np.ones(3)
    burden = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    score, parts = fuse(same, evidence_of(same, 0 * same), same, Weights(), burden)
    assert score[0] > score[1] > score[2]
    # Every part is less by the same factor.
    assert parts["words"][1] / parts["words"][0] == pytest.approx(score[1] / score[0])


def test_the_formulas_of_the_document() -> None:
    meaning, spelling = np.array([0.9, 0.2]), np.array([0.1, 0.7])
    literal = np.array([[0.3, 0.0], [0.2, 0.1]])
    evidence = Evidence(
        literal, np.array([[0, 0.2], [0, 0]]), np.array([1, 0.4]), np.array([1, 0.0])
    )
    score, parts = fuse(meaning, evidence, spelling, Weights.named("60/40"))
    assert score.tolist() == pytest.approx([0.6 * 0.9 + 0.4 * 0.5, 0.6 * 0.2 + 0.4 * 0.1])
    assert set(parts) == {"meaning", "words"}
    intent = np.array([0.0, 1.0])
    score, parts = fuse(meaning, evidence, spelling, Weights.named("40/30/30"), intent=intent)
    assert score.tolist() == pytest.approx([0.4 * 0.5 + 0.3, 0.4 * 0.1 + 0.3 * 0.4 + 0.3])
    assert set(parts) == {"words", "concepts", "intent"}
    # A query whose own words are half of its length: the cosine is of those words alone.
    half = replace(evidence, literal_share=0.5)
    score, _ = fuse(None, half, spelling, Weights.named("60/40"))
    assert score.tolist() == pytest.approx([0.4, 0.4 * 0.2])


def test_unknown_weights_are_refused() -> None:
    assert Weights.named("adaptive") == Weights()
    with pytest.raises(InvalidInput, match="50/50"):
        Weights.named("50/50")


# -- evidence of words -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postings() -> Postings:
    return Postings.build([["dog", "food"], ["cat", "food"], ["hound"], ["bird"]])


def test_evidence_tells_own_words_from_alternatives(postings: Postings) -> None:
    slots = (Slot("dog", "dog", (("hound", 0.64, "dog → hound"),)), Slot("food", "food"))
    evidence = slot_evidence(slots, postings, np.arange(4))
    rare, common = postings.idf[postings.position("dog")], postings.idf[postings.position("food")]
    share = rare / (rare + common)
    assert evidence.said.tolist() == pytest.approx([1, 1 - share, 0, 0])
    # An alternative answers for the root of its weight.
    assert evidence.covered.tolist() == pytest.approx([1, 1 - share, 0.8 * share, 0])
    assert (evidence.literal[:, 2] == 0).all() and evidence.implied[0, 2] > 0
    # Own words are the cosine of TF-IDF.
    cosine = evidence.literal.sum(0) / evidence.literal_share
    query = postings.scores({"dog": 1.0, "food": 1.0})
    np.testing.assert_allclose(cosine, query, atol=1e-4)


def test_words_that_nobody_knows_are_missing_unless_they_may(postings: Postings) -> None:
    dog = Slot("dog", "dog")
    unknown = Slot("quux", "quux")
    assert slot_evidence((dog, unknown), postings, np.arange(4)).covered[0] < 0.6
    may = replace(unknown, optional=True)
    assert slot_evidence((dog, may), postings, np.arange(4)).covered[0] == 1
    assert slot_evidence((unknown,), postings, np.arange(4)).covered.tolist() == [0, 0, 0, 0]
    assert slot_evidence((), postings, np.arange(4)).covered.tolist() == [0, 0, 0, 0]


# -- paths -------------------------------------------------------------------------------------

TABLE = [
    ("Sex by age", "Total"),
    ("Sex by age", "Total", "Male", "Under 5 years"),
    ("Sex by age", "Total", "Female", "Under 5 years"),
    ("Sex by age", "Total", "Female", "5 to 9 years"),
    ("Sex by age (Widowed alone)", "Total"),
    ("Sex by age (Widowed alone)", "Total", "Male", "Under 5 years"),
    ("Sex by age (Widowed alone)", "Total", "Female", "Under 5 years"),
    ("Sex by age (Widowed alone)", "Total", "Female", "5 to 9 years"),
]


def written(how: str) -> Catalog:
    """Write the table in one of the ways in which catalogues are written."""
    records = []
    for i, path in enumerate(TABLE):
        record = {"code": f"V{i}"}
        if how == "leaf":
            above = " > ".join(path[1:-1])
            record |= {"label": path[-1], "category": path[0], "description": above}
        elif how == "description":
            record |= {"description": " > ".join(path)}
        else:
            record |= {"label": how.join(path)}
        records.append(record)
    return Catalog.from_records(records)


@pytest.mark.parametrize("how", [" > ", "!!", ": ", "leaf", "description"])
def test_a_path_is_read_however_it_is_written(how: str, tmp_path: Path) -> None:
    catalog = written(how)
    documents = Documents.build(catalog)
    texts = documents.texts()
    assert [text for text, _ in texts[1]][:2] == [
        "Sex by age > Total > Male > Under 5 years",
        "Under 5 years",
    ]
    found = SearchIndex(catalog, cache_dir=tmp_path).search("girls under 5", limit=2)
    # The table that nobody narrowed comes first.
    assert [s.variable.code for s in found] == ["V2", "V6"]


def test_one_colon_parts_no_sentence() -> None:
    assert path_of("Household assets: mutual funds") == ["Household assets: mutual funds"]
    assert path_of("Household assets: mutual funds", colons=1) == [
        "Household assets",
        "mutual funds",
    ]
    assert path_of("Sex by age: Total: Male") == ["Sex by age", "Total", "Male"]
    assert path_of(" > ") == [" > "]


def test_burden_is_what_stands_above() -> None:
    documents = Documents.build(written(" > "))
    analyzer = Analyzer()
    bags = [[t for text, _ in row for t in analyzer.terms(text)] for row in documents.fields()]
    burden = documents.burden(analyzer, Postings.build(bags))
    assert burden.shape == (8, 2)
    assert burden[4, 0] > burden[0, 0] >= 0
    assert burden[0, 1] == 0 and burden[1, 1] > 0
    flat = Documents.build(Catalog.from_records([{"code": "A", "label": "Age in years"}]))
    assert flat.burden(analyzer, Postings.build([["age"]])).tolist() == [[0, 0]]


# -- whole searches ----------------------------------------------------------------------------

TOPICS = {
    "Environment": ["I recycle everything", "I choose products that harm the environment less"],
    "Age": ["Millennials, % of people", "Baby boomers, % of people", "Under 15, % of people"],
    "Income": [
        "Households with income of $200,000 and over",
        "Households with income under $20,000",
    ],
    "Pets": ["I own a dog", "I own a cat", "I keep birds"],
    "Music": ["I listen to jazz", "I go to the opera", "I play the piano"],
}


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    records = [
        {"code": f"{topic[:3].upper()}{i}", "label": label, "category": topic}
        for topic, labels in TOPICS.items()
        for i, label in enumerate(labels)
    ]
    yield SearchIndex(Catalog.from_records(records), cache_dir=tmp_path_factory.mktemp("topics"))


def test_every_idea_of_a_compound_query_has_a_seat(topics: SearchIndex) -> None:
    found = topics.search("eco-conscious millennials with high income", limit=6)
    assert {"Environment", "Age", "Income"} <= {s.variable.category for s in found}
    assert {"ENV1", "AGE0", "INC0"} <= {s.variable.code for s in found}


@pytest.mark.parametrize("text", ["🎉🎉🎉", "<b></b>", "!!! ???", "—"])
def test_signs_alone_find_nothing(topics: SearchIndex, text: str) -> None:
    assert topics.search(text) == []


class Unrelated:
    """No two texts have anything in common, but a text with itself."""

    name, n_dimensions = "unrelated", 256

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:4], "big") for t in texts]
        rows = np.zeros((len(texts), self.n_dimensions), np.float32)
        rows[np.arange(len(texts)), np.array(seeds) % self.n_dimensions] = 1
        return rows


def test_what_stands_for_nothing_finds_nothing(topics: SearchIndex, tmp_path: Path) -> None:
    index = SearchIndex(topics.catalog, Unrelated(), cache_dir=tmp_path)
    # Neither a word nor anything spelt like it is known, and it means nothing.
    assert index.search("qzxv wkjh") == []
    assert [s.variable.code for s in index.search("qzxv dog")][:1] == ["PET0"]


@given(st.permutations(list(range(13))))
@settings(max_examples=8, deadline=None)
def test_the_order_does_not_hang_on_the_catalogue(
    topics: SearchIndex, tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    variables = list(topics.catalog)
    fields = ("code", "label", "category")
    shuffled = Catalog.from_records([{f: getattr(variables[i], f) for f in fields} for i in order])
    other = SearchIndex(shuffled, cache_dir=tmp_path_factory.mktemp("shuffled"))
    for query in ("jazz lovers", "dog owners", "rich households", "young people"):
        ours = {s.variable.code: s.score for s in topics.search(query, limit=5)}
        theirs = {s.variable.code: s.score for s in other.search(query, limit=5)}
        # Ties at the end of the list may be cut elsewhere.
        edge = min(ours.values())
        assert {c for c, s in ours.items() if s > edge + 1e-4} <= set(theirs)
        for code in set(ours) & set(theirs):
            assert theirs[code] == pytest.approx(ours[code], abs=1e-4)


def test_given_intents_lift_their_kind(tmp_path: Path) -> None:
    records = [
        {"code": "D", "label": "Cycling households", "kind": "demographic"},
        {"code": "B", "label": "Cycling trips", "kind": "behavioral"},
    ]
    index = SearchIndex(Catalog.from_records(records), cache_dir=tmp_path, concepts=Concepts())
    plain = {s.variable.code: s for s in index.search("cycling", intents=())}
    for kind, code, other in (("demographic", "D", "B"), ("behavioral", "B", "D")):
        given = {s.variable.code: s for s in index.search("cycling", intents=(kind,))}
        ratio = given[code].score / given[other].score
        assert ratio > plain[code].score / plain[other].score
        for suggestion in given.values():
            assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score, abs=1e-9)


def test_customers_at_risk_of_leaving(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    yes_no = ["Yes", "No"]
    columns = [
        "Partner",
        "Dependents",
        "PhoneService",
        "MultipleLines",
        "OnlineSecurity",
        "TechSupport",
        "Churn",
    ]
    frame = pd.DataFrame({name: rng.choice(yes_no, 200) for name in columns})
    frame["Contract"] = rng.choice(["Month-to-month", "One year"], 200)
    frame["PaymentMethod"] = rng.choice(["Cheque", "Card"], 200)
    frame["tenure"] = rng.integers(0, 72, 200)
    frame["MonthlyCharges"] = rng.random(200) * 100
    frame["TotalCharges"] = rng.random(200) * 5000
    index = SearchIndex(Catalog.from_frame(frame), cache_dir=tmp_path)
    found = [s.variable.code for s in index.search("customers at risk of leaving", limit=5)]
    assert "Churn" in found[:2]
    # An idea met in full leads, though the catalogue says little of the rest.
    longer = index.search("customers at risk of leaving who pay a lot", limit=5)
    assert longer[0].variable.code == "Churn"


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("people who often eat out", "REST"),
        ("people who work out", "GYM"),
        ("couples who travel a lot", "TRIP"),
    ],
)
def test_how_often_is_no_topic_and_a_particle_makes_another_verb(
    query: str, first: str, tmp_path: Path
) -> None:
    labels = {
        "EAT": "Eat five fruits and vegetables a day",
        "REST": "Spending on food bought from restaurants",
        "LANG": "Households where German is spoken most often",
        "WORK": "Employed people who work at home",
        "GYM": "Exercise at a gym or fitness club",
        "LOT": "Lot size of detached houses",
        "TRIP": "Travel abroad by couples",
        "AGE": "Age of the person",
    }
    records = [{"code": code, "label": label} for code, label in labels.items()]
    index = SearchIndex(Catalog.from_records(records), cache_dir=tmp_path)
    assert index.search(query, limit=3)[0].variable.code == first
