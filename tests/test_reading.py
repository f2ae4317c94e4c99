"""How queries are read: words in full, concepts, French, spelling, ideas, odd input."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.search.concepts import Concepts, default_concepts
from audience_nb.search.intents import detect
from audience_nb.search.lexical import Analyzer
from audience_nb.search.postings import Postings
from audience_nb.search.query import Query
from audience_nb.search.ranges import bounds, find_ranges, range_words, shared
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.spelling import Speller, right_words

LABELS = [
    "Households with income of $100,000 and over",
    "Households with income under $20,000",
    "Median household income",
    "Population aged 25 to 29",
    "Population aged 30 to 34",
    "Population aged 65 to 74",
    "Travel time to work of 25 to 29 minutes",
    "Households with a millennial maintainer",
    "Renter households",
    "Owner-occupied housing units with a mortgage",
    "Nonfamily households",
    "Unemployed people in the labour force",
    "Commute by public transportation",
    "Workers who drove alone by car, truck or van",
    "High school diploma",
    "Bachelor's degree",
    "Foreign-born population",
    "No vehicle available",
    "Vegetarian & vegan eating - I follow a vegetarian diet",
    "Environment - I buy environmentally friendly products",
    "Organic food - Organic food is worth its price",
    "Music - I listen to pop music and jazz",
    "Customer churn",
    "Watching movies at home",
]


def reader_of(
    labels: Sequence[str] = LABELS, concepts: Concepts | None = None, language: str = "english"
) -> Reader:
    analyzer = Analyzer(language)
    words = [analyzer.words(label) for label in labels]
    postings = Postings.build([[analyzer.stem(w) for w in bag] for bag in words])
    vocabulary = sorted({w for bag in words for w in bag})
    shipped = default_concepts() if concepts is None else concepts
    return Reader(analyzer, postings, lambda: vocabulary, shipped)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return reader_of()


def terms_of(reading: Reading) -> set[str]:
    """Give every term that would satisfy some part of a query."""
    return {t for s in reading.slots for t in (s.term, *(a for a, _, _ in s.alternatives))}


def concepts_of(reading: Reading) -> list[str]:
    return [c.name for c in reading.concepts]


# -- words in full -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("med hh inc", ["median", "household", "incom"]),
        ("unemp", ["unemploy"]),
        ("hs grad", ["high", "school", "graduat"]),
        ("HHs", ["household"]),
        ("HouseholdIncome", ["household", "incom"]),
        ("household_income", ["household", "incom"]),
        ("renteroccupied", ["renter", "occupi"]),
        ("foreign-born", ["foreign", "born"]),
        ("women's incomes", ["women", "incom"]),
        ("public-transportation", ["public", "transport"]),
    ],
)
def test_words_are_written_in_full(reader: Reader, query: str, terms: list[str]) -> None:
    assert [slot.term for slot in reader.read(query).slots] == terms


@pytest.mark.parametrize("query", ["non-family", "nonfamily", "non family"])
def test_compounds_meet_however_they_are_written(reader: Reader, query: str) -> None:
    assert "nonfamili" in terms_of(reader.read(query))


def test_a_compound_the_catalogue_does_not_have_is_taken_apart() -> None:
    reading = reader_of(["Not Hispanic or Latino", "Hispanic"]).read("nonhispanic")
    assert [slot.term for slot in reading.slots] == ["not", "hispan"]


def test_an_abbreviation_that_is_a_word_counts_as_that_word_first(reader: Reader) -> None:
    slot = reader.read("pop music").slots[0]
    assert slot.term == "pop"
    meaning = {t: w for t, w, _ in slot.alternatives}
    assert 0 < meaning["popul"] < 1
    assert reader.read("pop music").meant == "pop music"
    without = reader_of(["Population count", "Jazz"]).read("pop count")
    assert [slot.term for slot in without.slots] == ["popul", "count"]
    assert without.meant == "population count"


# -- ranges ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("ages 25-34", ["25_34"]),
        ("25 to 34 years or 45 to 54 years", ["25_34", "45_54"]),
        ("$100,000 and over", ["100000_up"]),
        ("60plus min", ["60_up"]),
        ("over 60min", ["60_up"]),
        ("65 ans et plus", ["65_up"]),
        ("plus de 100 000 $", ["100000_up"]),
        ("two or more races", ["2_up"]),
        ("under eighteen", ["0_18"]),
        ("18 ans et moins", ["0_18"]),
        ("no more than 4", ["0_4"]),
        ("<25", ["0_25"]),
        (">= 65", ["65_up"]),
        ("de 20 à 24 ans", ["20_24"]),
        ("entre 25 et 34 ans", ["25_34"]),
        ("between 20 and 24", ["20_24"]),
        ("AGE25_34", ["25_34"]),
        ("$500K - $1M", ["500000_1000000"]),
        ("1,5 M$ et plus", ["1500000_up"]),
        ("3 or 4 units", []),
        ("12, 13", []),
        ("24/7", []),
        ("2021", []),
    ],
)
def test_ranges_in_words_and_signs(text: str, ranges: list[str]) -> None:
    assert [w for w in Analyzer().words(text) if bounds(w)] == ranges


@given(st.integers(0, 120), st.integers(1, 60), st.sampled_from(["{}-{}", "{} to {}", "{} à {}"]))
def test_any_range_is_found_and_said_again(low: int, width: int, pattern: str) -> None:
    found = find_ranges(pattern.format(low, low + width).replace("à", "a"))
    assert found == [f"{low}_{low + width}"]
    again = Analyzer().words(range_words(found[0]))
    assert found[0] in again


BOUNDS = st.tuples(st.integers(0, 90), st.integers(1, 40)).map(lambda x: (x[0], x[0] + x[1]))


@given(BOUNDS, BOUNDS)
def test_what_is_shared_is_a_share(asked: tuple[float, float], other: tuple[float, float]) -> None:
    part = shared(asked, [other])[0]
    assert part == 0 or 0.4 <= part <= 1
    assert shared(asked, [asked]).tolist() == [1]
    if other[1] < asked[0] or other[0] > asked[1]:
        assert part == 0
    if asked[0] <= other[0] and other[1] <= asked[1]:
        assert part == 1


def test_ranges_of_another_order_are_not_inside() -> None:
    endless = float("inf")
    assert shared((2, endless), [(65, 74)]).tolist() == [0]
    assert shared((65, endless), [(100, 149)]).tolist() == [0]
    assert shared((18, endless), [(65, 74)]).tolist() == [1]
    assert shared((100_000, endless), [(150_000, 199_999)]).tolist() == [1]
    assert shared((0, 20_000), [(15, 24)]).tolist() == [0]
    # "under 5" is "0 to 4".
    assert shared((0, 4), [(0, 5)]).tolist() == [1]


def test_bands_inside_the_one_asked_for_answer_it(reader: Reader) -> None:
    slots = {slot.term: slot for slot in reader.read("people aged 25-34").slots}
    inside = {t: w for t, w, _ in slots["25_34"].alternatives}
    assert set(inside) == {"25_29", "30_34"}
    assert all(0 < w < 1 for w in inside.values())
    # Bands that straddle an end will do where there are no others.
    only = reader_of(["Population aged 25 to 34", "Population aged 35 to 44"])
    straddling = {t: w for t, w, _ in only.read("aged 30 to 39").slots[-1].alternatives}
    assert set(straddling) == {"25_34", "35_44"}


# -- concepts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "concept"),
    [
        ("millennials", "millennials"),
        ("milléniaux", "millennials"),
        ("les milléniaux", "millennials"),
        ("gen z", "generation z"),
        ("génération z", "generation z"),
        ("gen alpha", "generation alpha"),
        ("gen xers", "generation x"),
        ("baby-boomeurs", "baby boomers"),
        ("silent generation", "silent generation"),
        ("aînés", "seniors"),
        ("tweens", "tweens"),
        ("in their thirties", "thirtysomethings"),
        ("dans la vingtaine", "twentysomethings"),
        ("affluent households", "affluent"),
        ("ménages aisés", "affluent"),
        ("below the poverty line", "low income"),
        ("familles monoparentales", "single parents"),
        ("empty nesters", "empty nesters"),
        ("dinks", "dinks"),
        ("same-sex couples", "same-sex couples"),
        ("locataires", "renters"),
        ("first-time home buyers", "first-time home buyers"),
        ("cost burdened", "cost burdened"),
        ("logement social", "social housing tenants"),
        ("télétravailleurs", "remote workers"),
        ("usagers du transport en commun", "public transit riders"),
        ("civil servants", "public servants"),
        ("gig workers", "gig workers"),
        ("décrocheurs", "high school dropouts"),
        ("nouveaux arrivants", "newcomers"),
        ("racialized communities", "visible minorities"),
        ("first nations", "indigenous"),
        ("allophones", "allophones"),
        ("wheelchair users", "disability"),
        ("digital divide", "offline"),
        ("cord cutters", "streamers"),
        ("balados", "podcast listeners"),
        ("santé mentale", "mental health"),
        ("gym rats", "fitness enthusiasts"),
        ("produits bio", "organic buyers"),
        ("sans gluten", "food allergies"),
        ("stock market", "stock investors"),
        ("assurance vie", "insurance shoppers"),
        ("voyageurs d'affaires", "business travellers"),
        ("snowbirds", "cottage owners"),
        ("voitures d'occasion", "used car buyers"),
        ("philanthropists", "charitable givers"),
        ("de gauche", "politically left"),
        ("sans religion", "secular"),
        ("dog owners", "pet owners"),
        ("jeux vidéo", "gamers"),
        ("hockey moms", "hockey fans"),
        ("magasinage en ligne", "online shoppers"),
        ("friperies", "thrift store shoppers"),
        ("chasseurs d'aubaines", "bargain hunters"),
        ("family values", "traditional values"),
        ("trend followers", "novelty seekers"),
        ("good neighbours", "community minded"),
    ],
)
def test_what_people_say_is_a_concept(reader: Reader, query: str, concept: str) -> None:
    assert concept in concepts_of(reader.read(query))


@pytest.mark.parametrize(
    "query",
    [
        "customers at risk of leaving",
        "likely to cancel",
        "clients à risque de départ",
        "customers about to cancel their subscription",
        "taux de désabonnement",
        "churn",
    ],
)
def test_leaving_customers_are_churn(reader: Reader, query: str) -> None:
    reading = reader.read(query)
    assert concepts_of(reading) == ["customer loss"]
    assert "churn" in terms_of(reading)


def test_whom_every_catalogue_is_about_need_not_be_said(reader: Reader) -> None:
    slots = {slot.word: slot.optional for slot in reader.read("clients who like jazz").slots}
    assert slots == {"clients": True, "jazz": False}
    assert [slot.optional for slot in reader.read("clients").slots] == [False]


def test_french_and_english_names_of_a_generation_mean_the_same(reader: Reader) -> None:
    french, english = reader.read("milléniaux"), reader.read("millennials")
    assert french.concepts == english.concepts
    assert {"millenni", "25_34", "25_29", "30_34"} <= terms_of(french)
    assert {"millenni", "25_34", "25_29", "30_34"} <= terms_of(english)


def test_what_is_denied_is_not_meant(reader: Reader) -> None:
    assert concepts_of(reader.read("religious people")) == ["religious"]
    assert concepts_of(reader.read("not religious")) == []
    assert concepts_of(reader.read("without a car")) == ["car free"]


def test_a_concept_in_unknown_words_is_written_plainly_for_the_encoder(reader: Reader) -> None:
    assert reader.read("dinks who like jazz").meant == (
        "couples with two incomes and no children who like jazz"
    )
    # The catalogue says "vegetarian" itself.
    assert reader.read("vegetarian").meant == "vegetarian"
    # "people who" and "customers" are said once.
    assert reader.read("customers likely to leave").meant == "customers who leave or cancel"
    assert reader.read("people who shop online").meant == "people who shop online"


def test_own_concepts_take_effect_at_once() -> None:
    own = Concepts()
    reader = reader_of(concepts=own)
    assert reader.read("bebop heads").concepts == ()
    own.register("bebop heads", ["bebop heads"], ["jazz"], kind="behavioral")
    reading = reader.read("bebop heads")
    assert concepts_of(reading) == ["bebop heads"]
    assert "jazz" in terms_of(reading)
    assert [i.kind for i in reading.intents] == ["behavioral"]


def test_own_files_are_read(tmp_path: Path) -> None:
    concepts, words = tmp_path / "concepts.csv", tmp_path / "words.csv"
    concepts.write_text(
        "kind,name,phrases,terms,meaning\nlifestyle,snow folk,snow folk|gens de neige,ski,\n",
        encoding="utf-8-sig",
    )
    words.write_text(
        "word,means,relation\nHhz,household,abbreviation\ncarte bleue,credit card,french\n"
        "loft,apartment|condominium,synonym\n",
        encoding="utf-8",
    )
    own = Concepts.read(concepts, words)
    assert [(c.name, c.meaning, c.kind) for c in own.concepts] == [
        ("snow folk", "ski", "lifestyle")
    ]
    assert own.words["hhz"] == [("household", "abbreviation")]
    assert own.words["loft"] == [("apartment", "synonym"), ("condominium", "synonym")]
    assert own.find_phrases(["ma", "carte", "bleue"]) == [("carte bleue", 1, 3)]
    words.write_text("word,means,relation\na,b,c\n", encoding="utf-8")
    with pytest.raises(DamagedFile, match="Line 2 has no word"):
        Concepts.read(words=words)


def test_the_shipped_files_are_broad_and_sound() -> None:
    shipped = default_concepts()
    assert len(shipped.concepts) >= 250
    assert {c.kind for c in shipped.concepts} == {"demographic", "behavioral", "psychographic"}
    french = {w for w, entries in shipped.words.items() if any(r == "french" for _, r in entries)}
    assert len(french) >= 1500
    assert sum(" " not in w for w in french) >= 1500
    for concept in shipped.concepts:
        # Each phrase leads to its own concept.
        for phrase in (concept.name, *concept.phrases):
            found = [f.concept.name for f in shipped.find(phrase.split())]
            assert found == [concept.name], phrase


# -- French ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("revenu médian des ménages", ["incom", "median", "household"]),
        ("ménages locataires", ["household", "renter"]),
        ("travailleuses", ["worker"]),
        ("transports en commun", ["public", "transport"]),
        ("études secondaires", ["high", "school"]),
        ("nés à l'étranger", ["foreign", "born"]),
        ("sans véhicule", ["no", "vehicl"]),
        ("ménages non familiaux", ["household", "nonfamili"]),
        ("produits biologiques", ["organic", "food"]),
    ],
)
def test_french_is_read_in_the_words_of_an_english_catalogue(
    reader: Reader, query: str, terms: list[str]
) -> None:
    slots = reader.read(query).slots
    assert set(terms) <= {slot.term for slot in slots}
    # What is left of a phrase may be missing.
    assert all(slot.optional for slot in slots if slot.term not in terms)


def test_the_words_of_a_french_query_are_spelt_in_english(reader: Reader) -> None:
    assert reader.read("ménages avec un véhicule").words == ("households", "vehicle")


def test_an_english_query_is_not_taken_for_french(reader: Reader) -> None:
    # Each of these is a French word, too.
    for word in ("chat", "pain", "location", "four", "sale", "premier", "lecture", "store"):
        reading = reader.read(f"people with {word} at home")
        assert word in {slot.word for slot in reading.slots} | {"four"}
        assert f"people with {word} at home" == reading.meant


def test_english_on_a_french_catalogue() -> None:
    labels = ["Ménages locataires", "Revenu médian du ménage", "Propriétaires de leur logement"]
    french = reader_of(labels, language="french")
    assert "locatair" in terms_of(french.read("renter"))
    assert "revenu" in terms_of(french.read("household income"))
    assert [slot.term for slot in french.read("revenu du ménage").slots] == [
        "revenu",
        "ménag"[:0] + "menag",
    ]


# -- spelling ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        ("milenials", {"milenials": "millennial"}),
        ("enviroment", {"enviroment": "environment"}),
        ("organc food", {"organc": "organic"}),
        ("houshold incme", {"houshold": "household", "incme": "income"}),
        ("unemplyoed", {"unemplyoed": "unemployed"}),
        ("vegatarian", {"vegatarian": "vegetarian"}),
        ("rnters", {"rnters": "renters"}),
        ("ehalth", {"ehalth": "health"}),
        ("l'enviroment", {"enviroment": "environment"}),
    ],
)
def test_misspelt_words_are_mended_and_said(
    reader: Reader, query: str, mended: dict[str, str]
) -> None:
    assert dict(reader.read(query).mended) == mended


@pytest.mark.parametrize(
    "query",
    [
        "diving and sailing",
        "mailing lists",
        "pickleball players",
        "Zoroastrian",
        "people who drive a Kia or a Toyota",
        "clients of Renters Corp like Kommute",
        "ménages à faible revenu",
        "les locataires du quartier",
        "boisson",
        "cats",
        "xyz",
        "über",
        "доход",
    ],
)
def test_right_words_names_and_french_are_left_alone(reader: Reader, query: str) -> None:
    assert reader.read(query).mended == ()


def test_partial_words_are_completed_not_mended(reader: Reader) -> None:
    reading = reader.read("vegetar")
    assert reading.mended == ()
    assert ("vegetarian", 0.7, "vegetar… → vegetarian") in reading.slots[0].alternatives


def test_a_registered_word_is_no_misspelling() -> None:
    own = Concepts()
    reader = reader_of(concepts=own)
    assert dict(reader.read("rentter").mended) == {"rentter": "renter"}
    own.register("rentter", ["rentter"], ["jazz"])
    assert reader.read("rentter").mended == ()


LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz")


@settings(max_examples=60)
@given(st.data())
def test_one_slip_in_a_long_word_is_mended(data: st.DataObject) -> None:
    words = ["environment", "transportation", "millennials", "unemployment", "vegetarian"]
    speller = Speller(sorted(words), (), tuple, words.__contains__, lambda word: 1)
    word = data.draw(st.sampled_from(words))
    at = data.draw(st.integers(1, len(word) - 2))
    slip = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + data.draw(LETTERS) + word[at + 1 :],
            ]
        )
    )
    # A slip may also make a right word, or leave the stem as it is.
    stem = Analyzer().stem
    right = {stem(w) for w in right_words()} | {stem(w) for w in words}
    if stem(slip) not in right and not word.startswith(slip):
        assert speller.mend(slip) == word


@given(st.sampled_from(sorted(right_words())))
def test_right_words_stay(word: str) -> None:
    assert (
        Speller(["environment", "income"], (), tuple, lambda w: False, lambda w: 1).mend(word)
        is None
    )


# -- ideas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "facets"),
    [
        (
            "eco-conscious millennials with high income",
            ("eco-conscious", "millennials", "high income"),
        ),
        ("renters, jazz and vegetarian food", ("renters", "jazz", "vegetarian food")),
        ("women between 20 and 24", ("women between 20 and 24",)),
        ("arts and culture", ("arts and culture",)),
        # The catalogue says "renter" itself: what stands beside it belongs to it.
        ("downtown renters", ("downtown", "renters")),
        ("sunny renters", ("sunny renters",)),
        ("jazz", ("jazz",)),
    ],
)
def test_a_query_is_parted_into_ideas(reader: Reader, query: str, facets: tuple[str, ...]) -> None:
    assert reader.read(query).facets == facets


# -- intents -----------------------------------------------------------------------------------

MEANT = {
    "demographic": [
        "women aged 25 to 34",
        "households with income over $100,000",
        "median household income",
        "homeowners in Toronto",
        "people born in Italy",
        "single parents",
        "residents of rural areas",
        "ménages à faible revenu",
        "hommes de 25 à 34 ans",
        "langue maternelle",
        "familles avec enfants",
        "retraités",
        "people with a university degree",
        "nombre de personnes par ménage",
    ],
    "behavioral": [
        "people who buy organic food",
        "visited a museum in the past year",
        "watch hockey on television",
        "frequent flyers",
        "customers likely to cancel",
        "people who read the newspaper daily",
        "drive to work",
        "use a mobile banking app",
        "personnes qui achètent en ligne",
        "jouent aux jeux vidéo",
        "fréquentent les musées",
        "voyagent souvent",
        "gamers",
        "dog owners",
    ],
    "psychographic": [
        "people who believe in God",
        "care about the environment",
        "value tradition and family first",
        "interested in new technology",
        "worried about money",
        "open to change",
        "they trust experts",
        "price sensitive",
        "soucieux de l'environnement",
        "personnes qui croient au progrès",
        "valeurs traditionnelles",
        "préoccupés par leur vie privée",
        "optimistic people",
        "thrill seekers",
    ],
    "lifestyle": [
        "lifestyle types",
        "urban lifestyle groups",
        "life stage",
        "mode de vie",
        "style de vie urbain",
        "geodemographic segment type",
    ],
}


@pytest.mark.parametrize(
    ("query", "kind"), [(query, kind) for kind, queries in MEANT.items() for query in queries]
)
def test_the_kind_that_is_meant_leads(reader: Reader, query: str, kind: str) -> None:
    for intents in (detect(query), reader.read(query).intents):
        assert intents[0].kind == kind
        assert intents[0].because
        assert sum(i.share for i in intents) == pytest.approx(1)
        assert [i.share for i in intents] == sorted((i.share for i in intents), reverse=True)


def test_several_kinds_may_be_meant(reader: Reader) -> None:
    found = reader.read("affluent millennials who travel often and care about the climate").intents
    assert {i.kind for i in found} == {"demographic", "behavioral", "psychographic"}
    assert detect(reader.read("gamers")) == reader.read("gamers").intents
    assert reader.read("zebra").intents == ()


def test_intents_may_be_given() -> None:
    assert Query.of("jazz").intents is None
    assert Query.of("jazz", intents=()).intents == ()
    assert Query.of("jazz", intents=["behavioral", "behavioral"]).intents == ("behavioral",)
    assert Query.of("jazz", intents="lifestyle").intents == ("lifestyle",)
    with pytest.raises(InvalidInput, match="'mood' is no intent"):
        Query.of("jazz", intents=["mood"])


# -- odd input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["of the", "les", "?!...", "😀🎉", "--", "the of and", "a"])
def test_words_that_say_nothing_are_said_to(reader: Reader, text: str) -> None:
    query = Query.of(text)
    assert query.note.startswith(f"“{text}” has no word that says what to find. Describe")
    assert reader.read(query.text).is_empty


@pytest.mark.parametrize(
    "text", ["日本語の変数", "доход семьи", "دخل الأسرة", "jazz", "of jazz 🎷"]
)
def test_words_of_any_script_say_something(reader: Reader, text: str) -> None:
    assert Query.of(text).note == ""
    assert not reader.read(text).is_empty


def test_marks_that_nobody_sees_are_left_out() -> None:
    assert Query.of("high\x07 in\u00adcome\u202e \u200b").text == "high income"
    assert Query.of("👩\u200d👧 mothers").text == "👩\u200d👧 mothers"
    assert Query.of(" " * 10_000 + "jazz").text == "jazz"


def test_markup_is_no_part_of_a_query(reader: Reader) -> None:
    words = [
        slot.word for slot in reader.read("<b class='x'>jazz</b> <script>go(1)</script>").slots
    ]
    assert words == ["jazz", "go", "1"]
    assert [s.word for s in reader.read("<$20,000").slots] == ["20000", "0_20000"]


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("find me an audience of renters", "renters"),
        ("Show all vegetarian households", "vegetarian households"),
        ("I'm looking for jazz fans", "jazz fans"),
        ("Je cherche des locataires", "locataires"),
        ("trouvez les milléniaux", "milléniaux"),
        ("target", "target"),
    ],
)
def test_how_a_request_begins_is_no_part_of_it(reader: Reader, query: str, rest: str) -> None:
    assert reader.read(query).slots == reader.read(rest).slots


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    reader = _ANY
    reading = reader.read(text)
    assert reading.text == text
    for slot in reading.slots:
        assert slot.term
        assert all(term != slot.term and 0 < weight <= 1 for term, weight, _ in slot.alternatives)
    assert reading == reader_of().read(text)


_ANY = reader_of()


def test_a_huge_paste_is_cut_before_anything_else() -> None:
    paste = "jazz fans, " * 1_000_000
    began = time.process_time()
    query = Query.of(paste)
    assert time.process_time() - began < 0.2
    assert len(query.text) <= 500
    assert (
        query.note
        == f"Only the first {len(query.text)} of {len(paste):,} characters were searched."
    )
    assert "jazz" in terms_of(_ANY.read(query.text))


def test_readings_are_remembered_until_concepts_change() -> None:
    own = Concepts()
    reader = reader_of(concepts=own)
    first = reader.read("jazz fans")
    assert reader.read("jazz fans") is first
    own.register("jazz fans", ["jazz fans"], ["jazz"])
    assert reader.read("jazz fans") is not first
