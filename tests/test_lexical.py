"""Text analysis and TF-IDF postings."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from audience_nb.search.grams import GramIndex
from audience_nb.search.lexical import (
    Analyzer,
    char_grams,
    fold,
    guess_language,
    says_something,
    split_words,
    unglue,
)
from audience_nb.search.postings import Postings


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Été À Montréal", "ete a montreal"),
        ("$100k+", "$100000+"),
        ("$1.5m", "$1500000"),
        ("100,000 and 10 000 $", "100000 and 10000 $"),
        ("12, 13", "12, 13"),
        ("34.0% or 34.90 %", "34 percent or 34.9 percent"),
        ("cœur d’alène", "coeur d'alene"),
        ("ＦＵＬＬ  width", "full width"),
        ("34,9 %", "34.9 percent"),
        ("1,5 million and 2 milliards", "1500000 and 2000000000"),
        ("100 thousand", "100000"),
        ("401(k), 403(b), 401k", "401k, 403b, 401k"),
        ("pre\u00adfix\u200b", "prefix"),
        ("non‑family", "non-family"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=80))
def test_folded_text_has_one_case_no_accents_and_single_spaces(text: str) -> None:
    folded = fold(text)
    assert not any(unicodedata.combining(c) for c in folded)
    assert not any(c.isupper() and c.lower() != c for c in folded)
    assert "  " not in folded
    assert folded == folded.strip()
    assert fold(text.upper()) == fold(text.upper().lower())


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("25-34", "25_34"),
        ("25 to 34 years", "25_34"),
        ("de 25 à 34 ans", "25_34"),
        ("between 5 and 9 minutes", "5_9"),
        ("$10,000 to $14,999", "10000_14999"),
        ("65 years and over", "65_up"),
        ("65+", "65_up"),
        ("$100k+", "100000_up"),
        ("65 ans et plus", "65_up"),
        ("under 5 years", "0_5"),
        ("moins de 6 ans", "0_6"),
        ("less than $10,000", "0_10000"),
    ],
)
def test_ranges_become_terms(text: str, term: str) -> None:
    assert term in Analyzer().terms(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("non-family", ["nonfamily"]),
        ("Nonfamily", ["nonfamily"]),
        ("Multi-unit", ["multiunit"]),
        ("e-mail and t-shirts", ["email", "tshirts"]),
        ("Health-care", ["health", "care"]),
        ("HHs with SUVs", ["hh", "suv"]),
        ("DVD's", ["dvd"]),
        ("women's", ["women"]),
        ("HouseholdIncome", ["householdincome", "household", "income"]),
        ("YouTube", ["youtube", "tube"]),
        ("family_size", ["family_size", "family", "size"]),
        ("AGE25_34", ["age25_34", "age", "25", "34", "25_34"]),
        ("pop2021", ["pop2021", "pop", "2021"]),
        ("mp3 b2b 5g", ["mp3", "b2b", "5g"]),
        ("25yo", ["25", "yo"]),
        ("9th grade", ["9th", "grade"]),
    ],
)
def test_compounds_plurals_and_codes(text: str, words: list[str]) -> None:
    assert Analyzer().words(text) == words


def test_the_pieces_of_a_compound_may_be_left_out() -> None:
    assert Analyzer().words("HouseholdIncome", pieces=False) == ["householdincome"]
    assert unglue("HHInc_100k_200k") == "HH Inc 100k-200k"


def test_stems_come_alone_or_together() -> None:
    words = ["commuters", "incomes", "dogs"]
    assert Analyzer().stems(words) == [Analyzer().stem(word) for word in words]


@given(st.text(max_size=60))
def test_words_are_clean(text: str) -> None:
    words = Analyzer().words(text)
    assert all(word and word == word.casefold() and " " not in word for word in words)
    assert Analyzer().words(text) == words
    assert bool(split_words(text)) >= bool(words)


@given(st.lists(st.sampled_from(["the", "of", "les", "des", "?!", "😀", "—"]), max_size=8))
def test_words_that_say_nothing(words: list[str]) -> None:
    assert not says_something(" ".join(words))
    assert says_something(" ".join([*words, "jazz"]))


def test_numbers_side_by_side_are_no_range() -> None:
    assert Analyzer().terms("code 12, 13") == ["code", "12", "13"]


def test_stems_join_word_forms_and_stop_words_go() -> None:
    english, french = Analyzer("english"), Analyzer("french")
    assert english.terms("the commuters commuting") == ["commut", "commut"]
    assert french.terms("les familles et la famille") == ["famill", "famill"]


@pytest.mark.parametrize("text", ["", "   ", "😀", "\u0000", "<b>", "日本語 テスト", "🇨🇦 a"])
def test_any_text_is_analysed(text: str) -> None:
    assert all(isinstance(term, str) and term for term in Analyzer().terms(text))


def test_language_is_guessed() -> None:
    assert guess_language(["Ménages avec des enfants", "Revenu du ménage"]) == "french"
    assert guess_language(["Households with children", "Income of the household"]) == "english"
    assert guess_language([]) == "english"


def test_char_grams_agree_with_scikit_learn() -> None:
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()
    for word in ("a", "ab", "cat", "millennials"):
        assert Counter(char_grams(word)) == Counter(theirs(word))


DOCUMENTS = [
    "household income of renters",
    "household income",
    "dogs and cats",
    "income income income of owners",
]


def test_word_scores_agree_with_scikit_learn() -> None:
    analyzer = Analyzer()
    theirs = TfidfVectorizer(analyzer=analyzer.terms, sublinear_tf=True)
    expected = theirs.fit_transform(DOCUMENTS) @ theirs.transform(["income of dogs"]).T
    postings = Postings.build([analyzer.terms(text) for text in DOCUMENTS])
    found = postings.scores(Counter(analyzer.terms("income of dogs")))
    # Weights are kept as 16-bit fractions.
    np.testing.assert_allclose(found, expected.toarray().ravel(), atol=2e-5)


def test_gram_scores_agree_with_scikit_learn() -> None:
    # A document is the set of its words.
    sets = [" ".join(dict.fromkeys(text.split())) for text in DOCUMENTS]
    theirs = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    expected = (theirs.fit_transform(sets) @ theirs.transform(["incom"]).T).toarray().ravel()
    index = GramIndex.build([text.split() for text in DOCUMENTS])
    documents, cosines = index.like(["incom"]).top(len(DOCUMENTS))
    np.testing.assert_allclose(cosines, expected[documents], atol=1e-6)
    np.testing.assert_allclose(index.like(["incom"]).at(documents), cosines, atol=1e-6)
    # What is left out is like the query by chance.
    assert np.delete(expected, documents).max(initial=0) < 0.15 * expected.max()


def test_weights_of_gives_what_scores_adds_up() -> None:
    postings = Postings.build([text.split() for text in DOCUMENTS])
    row = postings.position("income")
    assert row >= 0
    weights = postings.weights_of(row, np.arange(len(DOCUMENTS)))
    np.testing.assert_allclose(weights, postings.scores({"income": 1.0}), atol=1e-6)
    assert weights[2] == 0


def test_unknown_terms_score_nothing() -> None:
    postings = Postings.build([["cat"], ["dog"]])
    assert postings.scores({"eel": 1.0}).tolist() == [0.0, 0.0]
    assert "eel" not in postings
    assert "cat" in postings


def test_an_empty_collection_can_be_searched() -> None:
    postings = Postings.build([[], []])
    assert postings.scores({"cat": 1.0}).tolist() == [0.0, 0.0]
    assert GramIndex.build([[], []]).like(["cat"]).top(5)[0].tolist() == []


WORDS = st.lists(st.sampled_from(["income", "rent", "dog", "cat", "age", "jazz"]), max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=12), WORDS)
def test_scores_are_cosines(documents: list[list[str]], query: list[str]) -> None:
    scores = Postings.build(documents).scores(Counter(query))
    assert scores.min() >= 0
    assert scores.max() <= 1 + 1e-4
    # A document shares a word with the query exactly if it scores.
    shares = [bool(set(d) & set(query)) for d in documents]
    assert [bool(s > 0) for s in scores] == shares


@given(st.lists(WORDS.filter(bool), min_size=1, max_size=12))
def test_a_document_is_its_own_best_match(documents: list[list[str]]) -> None:
    postings = Postings.build(documents)
    for row, words in enumerate(documents):
        scores = postings.scores(Counter(words))
        assert scores[row] == pytest.approx(1, abs=1e-4)
        assert scores[row] >= scores.max() - 1e-4
