"""The search index: contracts with a tiny encoder, meaning with the real one."""

from __future__ import annotations

import hashlib
import logging
import mmap
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import audience_nb.search.index as index_module
from audience_nb.catalog import Catalog
from audience_nb.errors import Cancelled, DamagedFile, InvalidInput, NotFound
from audience_nb.search import Concepts, Query, SearchIndex, default_concepts, evaluate
from audience_nb.search.cache import IndexCache
from audience_nb.search.documents import preference, variant_text
from audience_nb.search.evaluate import ndcg, recall, reciprocal_rank
from audience_nb.search.feedback import Feedback
from audience_nb.search.variety import choose_by_facets


class HashEncoder:
    """Adds up random directions of words: deterministic, quick, of any length."""

    def __init__(self, n_dimensions: int = 64) -> None:
        self.n_dimensions = n_dimensions
        self.name = f"hash {n_dimensions}"
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.encoded += texts
        rows = np.zeros((len(texts), self.n_dimensions))
        for row, text in enumerate(texts):
            for word in [*text.lower().split(), "#"]:
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                rows[row] += np.random.default_rng(seed).normal(size=self.n_dimensions)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def variants(code: str, measure: str, **fields: object) -> list[dict]:
    """Write a demographic measure in its units and periods."""
    return [
        {
            "code": f"{code}_{period[:4]}_{unit[:1] if unit[0] != '%' else 'P'}",
            "label": f"{measure}, {unit}, {period}",
            "measure": measure,
            "source": "CivicStats",
            **fields,
        }
        for period in ("2021 census", "2026 estimate", "2031 projection")
        for unit in ("number", "% of households")
    ]


def statements(code: str, topic: str, text: str) -> list[dict]:
    bands = ("Strongly agree", "Agree, top two", "Disagree, bottom two")
    return [
        {
            "code": f"{code}I{i}",
            "label": f"{topic} [{band}] - {text}",
            "measure": f"{topic} - {text}",
            "kind": "psychographic",
            "category": topic,
            "source": "Opine",
            "availability": ["third_party"],
        }
        for i, band in enumerate(bands, start=1)
    ]


RECORDS: list[dict] = [
    *variants("INC100", "Households with income of $100,000 and over", category="Income"),
    *variants("INC20", "Households with income under $20,000", category="Income"),
    *variants("INCMED", "Median household income", category="Income"),
    *variants("A2529", "Population aged 25 to 29", category="Age"),
    *variants("A3034", "Population aged 30 to 34", category="Age"),
    *variants("A6569", "Population aged 65 to 69", category="Age"),
    *variants("RENT", "Renter households", category="Housing"),
    *variants("OWN", "Owner households", category="Housing"),
    *statements("Q1", "Environment", "I choose products that harm the environment less"),
    *statements("Q2", "Environment", "Climate change worries me"),
    *statements("Q3", "Recycling", "I sort my waste every day"),
    *statements("Q4", "Cars", "I dream of owning a sports car"),
    *statements("Q5", "Pets", "My dog is a member of the family"),
    *statements("Q6", "Music", "I listen to jazz at home"),
    *statements("Q7", "Travel", "I would rather camp in the mountains than stay in a hotel"),
    {
        "code": "LS01",
        "label": "Lifestyle: Downtown Debut",
        "kind": "lifestyle",
        "description": "Young singles in city apartments.",
        "category": "Lifestyles",
        "source": "Lifestyles 68",
    },
]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.from_records(RECORDS)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def index(catalog: Catalog, cache: Path) -> SearchIndex:
    return SearchIndex(catalog, HashEncoder(), cache_dir=cache)


@pytest.fixture(scope="session")
def real(catalog: Catalog, cache: Path) -> SearchIndex:
    return SearchIndex(catalog, cache_dir=cache)


def codes_of(found: Sequence) -> list[str]:
    return [s.variable.code for s in found]


def measures_of(found: Sequence) -> list[str]:
    return [s.variable.measure for s in found]


# -- contracts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["faiss", "numpy"])
@pytest.mark.parametrize("n_dimensions", [2, 64, 1536])
def test_a_variable_is_its_own_best_match_with_score_1(
    catalog: Catalog, cache: Path, engine: str, n_dimensions: int
) -> None:
    index = SearchIndex(catalog, HashEncoder(n_dimensions), cache_dir=cache, engine=engine)
    for variable in catalog:
        for text in (variable.label, variable.code, variable.label.upper()):
            first, *others = index.search(text, limit=3)
            assert first.variable == variable
            assert first.score == 1
            assert all(s.score < 1 for s in others)


def test_variables_that_share_a_label_are_all_found(cache: Path) -> None:
    twins = Catalog.from_records([{"code": c, "label": "Health"} for c in ("A", "B", "C")])
    found = SearchIndex(twins, HashEncoder(), cache_dir=cache).search("health")
    assert codes_of(found) == ["A", "B", "C"]
    assert [s.score for s in found] == [1, 1, 1]


QUERIES = [
    "household income",
    "young renters who love jazz",
    "I listen to jazz at home",
    "ages 25 to 34",
    "revenu des ménages",
    "xyzzy",
    "milenials with a dog and a sports car",
]


@pytest.mark.parametrize("query", QUERIES)
def test_engines_agree(catalog: Catalog, cache: Path, query: str) -> None:
    by_engine = [
        SearchIndex(catalog, HashEncoder(), cache_dir=cache, engine=engine).search(query)
        for engine in ("faiss", "numpy")
    ]
    assert codes_of(by_engine[0]) == codes_of(by_engine[1])
    for a, b in zip(*by_engine, strict=True):
        assert a.score == pytest.approx(b.score, abs=1e-6)
        assert a.parts == pytest.approx(b.parts, abs=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    query=st.one_of(st.sampled_from(QUERIES), st.text(min_size=1, max_size=60)),
    limit=st.integers(1, 100),
)
def test_any_list_keeps_its_promises(index: SearchIndex, query: str, limit: int) -> None:
    try:
        Query.of(query)
    except InvalidInput:
        return
    found = index.search(query, limit=limit)
    assert len(found) <= limit
    assert [s.rank for s in found] == list(range(1, len(found) + 1))
    scores = [s.score for s in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    for suggestion in found:
        assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score, abs=1e-9)
        assert min(suggestion.parts.values()) >= 0
        assert suggestion.why
    # One row a measure.
    assert len(set(measures_of(found))) == len(found)
    assert found == index.search(query, limit=limit)


def test_a_shorter_list_is_the_head_of_a_longer_one(index: SearchIndex) -> None:
    long = index.search("household income", limit=20)
    assert index.search("household income", limit=4) == long[:4]


def test_limit_beyond_the_catalogue(index: SearchIndex) -> None:
    found = index.search("income", limit=10_000)
    assert 0 < len(found) <= len({v.measure for v in index.catalog})


# -- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\0"])
def test_nothing_is_no_query(index: SearchIndex, text: str) -> None:
    with pytest.raises(InvalidInput, match="The query is empty") as caught:
        index.search(text)
    assert "Describe the audience" in caught.value.next_move


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, None])
def test_a_limit_is_a_positive_number(index: SearchIndex, limit: object) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        index.search("income", limit=limit)


@pytest.mark.parametrize("text", [None, 5, b"income"])
def test_only_text_is_searched(index: SearchIndex, text: object) -> None:
    with pytest.raises(InvalidInput, match="Give it as text"):
        index.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "😀🎉",
        "<script>alert(1)</script>",
        "'; DROP TABLE variables; --",
        "日本語の変数",
        "доход семьи",
        "دخل الأسرة",
        "the of and",
        "?!...",
        "a",
        "\ud800 income",
        "../../etc/passwd",
        "income " * 2,
    ],
)
def test_odd_queries_are_answered_as_well_as_can_be(real: SearchIndex, text: str) -> None:
    found = real.search(text, limit=5)
    assert len(found) <= 5
    assert all(s.score < 1 for s in found)


def test_a_huge_paste_is_cut_and_says_so(index: SearchIndex) -> None:
    query = Query.of("jazz at home " * 800_000)
    assert len(query.text) <= 500
    assert query.note == (
        f"Only the first {len(query.text)} of 10,400,000 characters were searched."
    )
    assert measures_of(index.search(query))[0] == "Music - I listen to jazz at home"
    assert Query.of("x" * 600).text == "x" * 500
    assert Query.of("short").note == ""


# -- filters -----------------------------------------------------------------------------------


def test_filters(index: SearchIndex) -> None:
    for options, field, values in (
        ({"kinds": ["psychographic"]}, "kind", {"psychographic"}),
        ({"kinds": "lifestyle"}, "kind", {"lifestyle"}),
        ({"sources": {"Opine"}}, "source", {"Opine"}),
        ({"categories": ("Age", "Housing")}, "category", {"Age", "Housing"}),
    ):
        found = index.search("young people with income", limit=50, **options)
        assert found
        assert {getattr(s.variable, field) for s in found} <= values
    usable = index.search("environment and cars", limit=50, data_type="first_party")
    assert usable
    assert all("first_party" in s.variable.availability for s in usable)
    assert index.search("income", kinds=["behavioral"]) == []


def test_a_filter_bars_even_the_own_label(index: SearchIndex, catalog: Catalog) -> None:
    label = catalog["Q2I2"].label
    assert codes_of(index.search(label))[0] == "Q2I2"
    assert all(s.score < 1 for s in index.search(label, data_type="first_party"))


def test_filters_find_what_others_would_crowd_out(cache: Path) -> None:
    many = [{"code": f"C{i}", "label": f"Income band {i}", "source": "A"} for i in range(400)]
    one = {"code": "ONE", "label": "Total income of all persons", "source": "B"}
    index = SearchIndex(Catalog.from_records([*many, one]), HashEncoder(), cache_dir=cache)
    assert codes_of(index.search("income band", sources=["B"])) == ["ONE"]


# -- variants ----------------------------------------------------------------------------------


def test_the_preferred_variant_stands_for_its_measure(index: SearchIndex) -> None:
    by_measure = {s.variable.measure: s.variable.label for s in index.search("income", limit=50)}
    assert by_measure["Median household income"] == (
        "Median household income, % of households, 2026 estimate"
    )
    found = index.search("climate change worries", limit=1)
    assert codes_of(found) == ["Q2I2"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("median household income 2031 projection", "INCMED_2031_P"),
        ("median household income number 2021", "INCMED_2021_n"),
        ("median household income count", "INCMED_2026_n"),
        ("strongly agree climate change worries me", "Q2I1"),
        ("disagree climate change worries me", "Q2I3"),
    ],
)
def test_a_query_that_names_a_variant_gets_it(index: SearchIndex, query: str, code: str) -> None:
    assert codes_of(index.search(query, limit=1)) == [code]


def test_filters_choose_among_variants(cache: Path) -> None:
    rows = [
        {"code": "A", "label": "Rent, 2026 estimate", "measure": "Rent", "source": "old"},
        {"code": "B", "label": "Rent, 2031 projection", "measure": "Rent", "source": "new"},
    ]
    index = SearchIndex(Catalog.from_records(rows), HashEncoder(), cache_dir=cache)
    assert codes_of(index.search("rents paid")) == ["A"]
    assert codes_of(index.search("rents paid", sources=["new"])) == ["B"]


def test_order_of_preference() -> None:
    ordered = ["% of people, 2026 estimate", "median, 2026 estimate", "number, 2026 estimate"]
    ordered += ["number, 2021 census", "% of people, 2031 projection"]
    assert sorted(ordered, key=preference) == ordered
    bands = ["Occasionally/Frequently", "Frequently", "Rarely/Never"]
    assert sorted(bands, key=preference) == bands
    assert variant_text("Same", "Same") == ""


def test_a_suggestion_names_its_variants(index: SearchIndex, catalog: Catalog) -> None:
    found = {s.variable.measure: s for s in index.search("income and jazz", limit=50)}
    income = found["Median household income"]
    assert income.variants[0] == income.variable.code == "INCMED_2026_P"
    assert set(income.variants) == {v.code for v in catalog if v.measure == income.variable.measure}
    own = index.search(catalog["Q6I3"].label, limit=1)[0]
    assert own.variable.code == "Q6I3"
    assert own.variants == ("Q6I2", "Q6I1", "Q6I3")
    lifestyle = index.search("Lifestyle: Downtown Debut", limit=1)[0]
    assert lifestyle.variants == ()


def test_only_variants_that_may_be_used_are_named(cache: Path) -> None:
    rows = [
        {"code": "A", "label": "Rent, 2026 estimate", "availability": ["first_party"]},
        {"code": "B", "label": "Rent, 2031 projection", "availability": ["third_party"]},
        {"code": "C", "label": "Rent, 2021 census", "availability": ["third_party"]},
    ]
    catalog = Catalog.from_records([{**row, "measure": "Rent"} for row in rows])
    index = SearchIndex(catalog, HashEncoder(), cache_dir=cache)
    assert index.search("rents paid", data_type="third_party")[0].variants == ("C", "B")
    assert index.search("rents paid", data_type="first_party")[0].variants == ()
    assert [v.code for v in index.variants("B")] == ["A", "C", "B"]
    assert [v.code for v in index.variants("B", data_type="third_party")] == ["C", "B"]
    with pytest.raises(NotFound):
        index.variants("NOPE")


def test_of_very_many_variants_sixty_are_named_the_chosen_among_them(cache: Path) -> None:
    rows = [
        {"code": f"Y{year}", "label": f"Rent, {year} projection", "measure": "Rent"}
        for year in range(2030, 2130)
    ]
    index = SearchIndex(Catalog.from_records(rows), HashEncoder(), cache_dir=cache)
    first = index.search("rent projection 2119", limit=1)[0]
    assert first.variable.code == "Y2119"
    assert len(first.variants) == 60
    assert "Y2119" in first.variants
    assert len(index.variants("Y2030")) == 100


# -- what is understood, and other weights -------------------------------------------------------


def test_a_reading_says_what_was_understood(index: SearchIndex) -> None:
    reading = index.read("affluent  retirees")
    assert {c.name for c in reading.concepts} == {"affluent", "retirees"}
    assert reading.text == "affluent retirees"
    with pytest.raises(InvalidInput):
        index.read(" ")


def test_intents_can_be_given(index: SearchIndex) -> None:
    given = index.read(Query.of("affluent retirees", intents=["psychographic"]))
    assert [intent.kind for intent in given.intents] == ["psychographic"]
    assert index.read(Query.of("affluent retirees", intents=())).intents == ()
    for intents in (None, (), ["psychographic"], ["demographic", "lifestyle"]):
        for suggestion in index.search("people who love jazz", intents=intents):
            assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score, abs=1e-9)


@pytest.mark.parametrize("weights", ["adaptive", "40/30/30", "60/40"])
def test_weights_have_names(catalog: Catalog, cache: Path, weights: str) -> None:
    index = SearchIndex(catalog, HashEncoder(), cache_dir=cache, weights=weights)
    found = index.search("household income", limit=3)
    assert {s.variable.category for s in found} == {"Income"}
    for suggestion in found:
        assert sum(suggestion.parts.values()) == pytest.approx(suggestion.score, abs=1e-9)
    with pytest.raises(InvalidInput, match="no weights named"):
        SearchIndex(catalog, HashEncoder(), cache_dir=cache, weights="50/50")


def test_what_was_taken_before_comes_up(catalog: Catalog, cache: Path) -> None:
    feedback = Feedback()
    plain = SearchIndex(catalog, HashEncoder(), cache_dir=cache)
    index = SearchIndex(catalog, HashEncoder(), cache_dir=cache, feedback=feedback)
    before = index.search("household income", limit=4)
    assert before == plain.search("household income", limit=4)
    second = before[1]
    for _ in range(3):
        feedback.accept("household income", [second.variable.code])
    after = index.search("household income", limit=4)
    moved = next(s for s in after if s.variable == second.variable)
    assert moved.score > second.score
    assert moved.rank <= second.rank
    assert moved.parts["use"] > 0
    assert len(after) == 4
    assert plain.search("household income", limit=4) == before


# -- meaning, concepts, spelling ---------------------------------------------------------------


def test_all_ideas_of_a_compound_query_are_found(real: SearchIndex) -> None:
    found = real.search("environmentally conscious millennials with high income", limit=6)
    categories = {s.variable.category for s in found}
    assert {"Environment", "Age", "Income"} <= categories
    assert "Households with income of $100,000 and over" in measures_of(found)
    whys = " ".join(s.why for s in found)
    assert "millennials → adults aged 25 to 44" in whys


def test_why_names_words_concepts_and_meaning(real: SearchIndex) -> None:
    found = {s.variable.measure: s for s in real.search("affluent households", limit=3)}
    first = found["Households with income of $100,000 and over"]
    assert "words: “households”" in first.why
    assert "concept: affluent → households with high income and wealth" in first.why
    assert "meaning ." in first.why
    assert first.parts["concepts"] > 0


@pytest.mark.parametrize(
    ("query", "measure"),
    [
        ("folks who rent instead of own", "Renter households"),
        ("locataires", "Renter households"),
        ("propriétaires de leur maison", "Owner households"),
        ("ménages à revenu élevé", "Households with income of $100,000 and over"),
        ("poor households", "Households with income under $20,000"),
        ("retirees", "Population aged 65 to 69"),
        ("puppy owners", "Pets - My dog is a member of the family"),
        ("enviroment protection", "Environment - I choose products that harm the environment less"),
        ("saxophone music", "Music - I listen to jazz at home"),
        ("incomes of $100k+", "Households with income of $100,000 and over"),
        ("people aged 25-34", "Population aged 30 to 34"),
    ],
)
def test_what_people_mean_is_found(real: SearchIndex, query: str, measure: str) -> None:
    assert measure in measures_of(real.search(query, limit=2))


def test_a_misspelling_is_read_and_said(index: SearchIndex) -> None:
    found = index.search("milenials", limit=2)
    assert {s.variable.category for s in found} == {"Age"}
    assert all("spelling: milenials → millen" in s.why for s in found)


def test_partial_words_are_found_by_spelling(cache: Path) -> None:
    rows = [{"code": "S", "label": "Snowboarding"}, {"code": "T", "label": "Tennis"}]
    index = SearchIndex(Catalog.from_records(rows), HashEncoder(), cache_dir=cache)
    first = index.search("snowb")[0]
    assert first.variable.code == "S"
    assert first.parts["spelling"] > 0
    assert "snowb… → snowboarding" in first.why


def test_concepts_can_be_added(catalog: Catalog, cache: Path) -> None:
    own = Concepts()
    index = SearchIndex(catalog, HashEncoder(), cache_dir=cache, concepts=own)
    own.register("bebop heads", ["bebop heads"], ["jazz"], meaning="people who like jazz")
    first = index.search("bebop heads")[0]
    assert first.variable.measure == "Music - I listen to jazz at home"
    assert "concept: bebop heads → people who like jazz" in first.why
    with pytest.raises(InvalidInput, match="0 phrases"):
        own.register("empty", [" "], ["jazz"])


def test_a_concept_added_later_is_no_misspelling(catalog: Catalog, cache: Path) -> None:
    own = Concepts()
    index = SearchIndex(catalog, HashEncoder(), cache_dir=cache, concepts=own)
    first = index.search("rentter")[0]
    assert first.variable.measure == "Renter households"
    assert "spelling: rentter → renter" in first.why
    own.register("rentter", ["rentter"], ["jazz"])
    assert index.search("rentter")[0].variable.measure == "Music - I listen to jazz at home"


def test_the_shipped_concepts() -> None:
    shipped = default_concepts()
    assert len(shipped.concepts) >= 80
    assert len({c.name for c in shipped.concepts}) == len(shipped.concepts)
    assert all(c.meaning and c.terms and c.phrases for c in shipped.concepts)
    found = shipped.find(["aînés", "écologiques", "à", "faible", "revenu"])
    assert [m.concept.name for m in found] == [
        "seniors",
        "environmentally conscious",
        "low income",
    ]
    assert len(shipped.words) >= 900


def test_a_concept_file_names_its_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "concepts.csv"
    path.write_text("name,phrases,terms,meaning,kind\na,b,c,d,\nx,y,,,\n", encoding="utf-8")
    with pytest.raises(DamagedFile, match="Line 3"):
        Concepts.read(path)
    path.write_text("name,phrases\n", encoding="utf-8")
    with pytest.raises(DamagedFile, match="lacks the columns terms, meaning, kind"):
        Concepts.read(path)


def test_about(index: SearchIndex) -> None:
    codes = ["Q1I2", "INC20_2026_P", "A2529_2026_P", "INCMED_2026_P"]
    assert index.about("income", codes) == ["INC20_2026_P", "INCMED_2026_P"]
    assert index.about("revenu", codes) == ["INC20_2026_P", "INCMED_2026_P"]
    assert index.about("income", []) == []
    with pytest.raises(NotFound):
        index.about("income", ["NOPE"])


def test_seats_go_to_every_idea() -> None:
    fits = np.zeros((3, 30))
    fits[0, :10], fits[1, 10:20], fits[2, 20:] = 0.9, 0.5, 0.3
    chosen = choose_by_facets(fits.max(0), fits, 9)
    assert [sum(lo <= c < lo + 10 for c in chosen) for lo in (0, 10, 20)] == [3, 3, 3]


# -- building and the cache --------------------------------------------------------------------


def test_each_distinct_text_is_encoded_once(catalog: Catalog, tmp_path: Path) -> None:
    encoder = HashEncoder()
    SearchIndex(catalog, encoder, cache_dir=tmp_path)
    assert len(encoder.encoded) == len(set(encoder.encoded))
    assert set(encoder.encoded) >= {v.measure for v in catalog}
    assert len(encoder.encoded) < len(catalog)


def test_an_opened_index_answers_as_a_fresh_one(catalog: Catalog, tmp_path: Path) -> None:
    fresh = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path)
    encoder = HashEncoder()
    opened = SearchIndex(catalog, encoder, cache_dir=tmp_path)
    assert encoder.encoded == []
    for query in QUERIES:
        assert fresh.search(query) == opened.search(query)


def test_vectors_are_mapped_from_disk(catalog: Catalog, tmp_path: Path) -> None:
    opened = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path)
    store = opened._searcher._ranker.store
    assert store.vectors.dtype == np.int8
    base = store.vectors
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, memoryview)
    assert isinstance(base.obj, mmap.mmap)


def files_of(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file())


def half_of(path: Path) -> str:
    header = path.read_bytes()[48:4096]
    return "words" if b'"half": "words"' in header else "meanings"


@pytest.mark.parametrize("harm", ["flip", "cut", "grow", "empty", "foreign", "other sort"])
@pytest.mark.parametrize("half", ["words", "meanings"])
def test_a_damaged_cache_is_rebuilt(
    catalog: Catalog, tmp_path: Path, half: str, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path).search("income")
    halves = {half_of(p): p for p in files_of(tmp_path)}
    assert sorted(halves) == ["meanings", "words"]
    path = halves[half]
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-len(data) // 3] ^= 1
    elif harm == "cut":
        del data[-70:]
    elif harm == "grow":
        data += b"more"
    elif harm == "empty":
        data.clear()
    elif harm == "foreign":
        data = bytearray(halves["words" if half == "meanings" else "meanings"].read_bytes())
    else:
        data[:4] = b"PK\3\4"
    path.write_bytes(data)
    encoder = HashEncoder()
    with caplog.at_level(logging.WARNING):
        assert SearchIndex(catalog, encoder, cache_dir=tmp_path).search("income") == before
    assert "rebuilt" in caplog.text
    assert (len(encoder.encoded) > 1) == (half == "meanings")
    # Mended for good.
    caplog.clear()
    encoder = HashEncoder()
    with caplog.at_level(logging.WARNING):
        SearchIndex(catalog, encoder, cache_dir=tmp_path)
    assert encoder.encoded == []
    assert caplog.text == ""


def test_other_catalogues_and_encoders_have_their_own_cache(
    catalog: Catalog, tmp_path: Path
) -> None:
    SearchIndex(catalog, HashEncoder(8), cache_dir=tmp_path)
    SearchIndex(catalog, HashEncoder(16), cache_dir=tmp_path)
    SearchIndex(Catalog.from_records(RECORDS[:5]), HashEncoder(8), cache_dir=tmp_path)
    # Two catalogues, one of them by two encoders.
    halves = [half_of(p) for p in files_of(tmp_path)]
    assert sorted(halves) == ["meanings"] * 3 + ["words"] * 2


def test_the_environment_names_the_cache(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path / "here"))
    SearchIndex(catalog, HashEncoder())
    assert len(files_of(tmp_path / "here" / "search")) == 2


def test_without_a_place_to_write_it_works_in_memory(
    catalog: Catalog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where a directory should be")
    with caplog.at_level(logging.WARNING):
        index = SearchIndex(catalog, HashEncoder(), cache_dir=blocked)
    assert "in memory" in caplog.text
    assert index.search("jazz")


def build_in_process(cache_dir: Path, results: multiprocessing.Queue) -> None:
    index = SearchIndex(Catalog.from_records(RECORDS), HashEncoder(), cache_dir=cache_dir)
    results.put([(s.variable.code, s.score) for s in index.search("household income")])


def test_processes_that_build_at_once_agree(catalog: Catalog, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=build_in_process, args=(tmp_path, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert answers[0] == answers[1] == answers[2]
    # Exactly one index of two halves, nothing left over, and it opens.
    assert [half_of(p) for p in sorted(files_of(tmp_path), key=half_of)] == ["meanings", "words"]
    encoder = HashEncoder()
    SearchIndex(catalog, encoder, cache_dir=tmp_path)
    assert encoder.encoded == []


def test_publishing_over_a_good_cache_keeps_it(tmp_path: Path) -> None:
    cache = IndexCache(tmp_path, {"catalog": "x"})
    cache.publish({"rows": np.arange(3)})
    mapped = cache.open()["rows"]
    cache.publish({"rows": np.arange(3)})
    assert mapped.tolist() == cache.open()["rows"].tolist() == [0, 1, 2]
    assert files_of(tmp_path) == [cache.path]


def test_progress_rises_to_one_and_can_cancel(catalog: Catalog, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    SearchIndex(
        catalog, HashEncoder(), cache_dir=tmp_path / "a", progress=lambda *t: told.append(t)
    )
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert told[-1] == ("Index built", 1.0)
    assert "Learning meanings" in {stage for stage, _ in told}

    def stop(stage: str, fraction: float) -> None:
        if stage == "Learning meanings":
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        SearchIndex(catalog, HashEncoder(), cache_dir=tmp_path / "b", progress=stop)
    assert [half_of(p) for p in files_of(tmp_path / "b")] == ["words"]


def test_without_an_encoder_meaning_comes_from_the_catalogue_itself(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "default_encoder", lambda: None)
    index = SearchIndex(catalog, cache_dir=tmp_path)
    assert index.encoder is None
    assert "meaning by latent semantic analysis 8 (" in index.description
    assert "no encoder is installed" in index.description
    first = index.search("affluent")[0]
    assert first.variable.measure == "Households with income of $100,000 and over"
    assert sum(first.parts.values()) == pytest.approx(first.score)
    assert codes_of(index.search("Q4I2", limit=1)) == ["Q4I2"]
    assert index.about("income", ["Q1I2", "INC20_2026_P"]) == ["INC20_2026_P"]
    # "Worries" stands with "environment": what shares no word with either is not near it.
    parts = {s.variable.measure: s.parts["meaning"] for s in index.search("worries", limit=20)}
    near = {measure for measure, part in parts.items() if part > 0.01}
    assert near == {m for m in parts if m.startswith("Environment")}
    assert len(near) == 2
    again = SearchIndex(catalog, cache_dir=tmp_path)
    other = SearchIndex(catalog, cache_dir=tmp_path / "other")
    for query in QUERIES:
        assert index.search(query) == again.search(query) == other.search(query)


def test_description_counts(index: SearchIndex, catalog: Catalog) -> None:
    assert index.description == (
        f"{len(catalog)} variables, 16 measures, by meaning by hash 64 (faiss, exact), words, "
        "concepts and spelling"
    )


@pytest.mark.parametrize("n", [1, 2])
def test_the_smallest_catalogues(cache: Path, n: int) -> None:
    rows = [{"code": "A", "label": "Age"}, {"code": "B", "label": "!!!"}][:n]
    index = SearchIndex(Catalog.from_records(rows), cache_dir=cache)
    assert codes_of(index.search("how old they are", limit=1)) == ["A"]
    assert codes_of(index.search("age"))[0] == "A"


def test_a_french_catalogue(cache: Path) -> None:
    rows = [
        {"code": "REV", "label": "Revenu médian des ménages"},
        {"code": "LOC", "label": "Ménages locataires de leur logement"},
        {"code": "AGE", "label": "Âge moyen de la population"},
    ]
    index = SearchIndex(Catalog.from_records(rows), cache_dir=cache)
    for query, code in (("ménage locataire", "LOC"), ("revenus", "REV"), ("tenants", "LOC")):
        assert codes_of(index.search(query, limit=1)) == [code]


# -- evaluation --------------------------------------------------------------------------------


def test_measures_against_values_by_hand() -> None:
    ranked = ["A", "B", "C", "D"]
    assert ndcg(ranked, {"B", "D"}) == pytest.approx(
        (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
    )
    assert ndcg(ranked, {"Z"}) == 0
    assert ndcg(ranked, set(ranked)) == pytest.approx(1)
    assert recall(ranked, {"B", "D", "Z"}, 2) == 0.5
    assert reciprocal_rank(ranked, {"C", "D"}) == pytest.approx(1 / 3)
    assert reciprocal_rank(ranked, {"D"}, depth=3) == 0


def test_evaluation_by_own_labels_is_perfect(index: SearchIndex, catalog: Catalog) -> None:
    perfect = evaluate(index, [(v.label, {v.code}) for v in catalog])
    assert perfect.n_queries == len(catalog)
    assert perfect.ndcg_10.mean == perfect.mrr_10.mean == perfect.recall_5.low == 1
    some = evaluate(index, [("jazz", {"Q6I2"}), ("jazz", {"NOPE"})])
    assert some.by_query.tolist() == [1, 0]
    assert some.ndcg_10.mean == 0.5
    assert (some.ndcg_10.low, some.ndcg_10.high) == (0, 1)
    with pytest.raises(InvalidInput, match="1 of 1 judgments"):
        evaluate(index, [("jazz", set())])
