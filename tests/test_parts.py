"""Why names the text that a query was near to; what is prepared before the first query."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from embedding_server import KEY, EmbeddingServer
from test_search import HashEncoder

from audience_nb.catalog import Catalog
from audience_nb.embedding import OfflineEncoder, OpenAIEncoder
from audience_nb.search import SearchIndex, learning
from audience_nb.search.documents import Documents
from audience_nb.search.learning import document_vectors
from audience_nb.search.parts import TextParts

LONG = "Whether the household has been abroad by plane in the twelve months before the interview"
RECORDS = [
    {"code": "A", "label": "Q7", "description": LONG},
    {"code": "B", "label": "Commuting > To work > Walked"},
    {"code": "C", "label": "Household income"},
]


@pytest.fixture
def documents() -> Documents:
    return Documents.build(Catalog.from_records(RECORDS))


def test_the_nearest_text_is_named(documents: Documents) -> None:
    encoder = HashEncoder()
    arrays = document_vectors(documents, encoder, lambda *told: None)
    assert arrays["part_of"].tolist() == [[1, -1], [0, -1], [-1, -1]] or arrays[
        "part_of"
    ].tolist() == [[0, -1], [1, -1], [-1, -1]]
    parts = TextParts(documents, arrays["part_vectors"], arrays["part_of"])
    whole = arrays["vectors"].astype(np.float32)
    whole /= np.linalg.norm(whole, axis=1, keepdims=True)

    def near(text: str) -> list[str]:
        (vector,) = encoder.encode([text])
        return parts.nearest(vector, [0, 1, 2], (whole @ vector).tolist())

    quoted = "“Whether the household has been abroad by plane in the twelv…”"
    assert near(LONG)[0] == f"its description {quoted}"
    assert near("Q7")[0] == "its label"
    assert near("Walked")[1] == "“Walked” in its path"
    assert near("Commuting > To work > Walked")[1] == "its path"
    assert near("Household income")[2] == near(LONG)[2] == "its label"
    assert parts.nearest(whole[0], [], []) == []


def test_very_many_texts_are_not_kept(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "_MOST_PARTS", 1)
    arrays = document_vectors(documents, HashEncoder(), lambda *told: None)
    assert len(arrays["part_vectors"]) == len(arrays["part_of"]) == 0
    parts = TextParts(documents, arrays["part_vectors"], arrays["part_of"])
    assert parts.nearest(np.ones(64), [0, 1], [0.1, 0.2]) == ["its label"] * 2


def test_why_says_where_the_meaning_was_found(tmp_path: Path) -> None:
    index = SearchIndex(Catalog.from_records(RECORDS), OfflineEncoder(), cache_dir=tmp_path)
    why = {s.variable.code: s.why for s in index.search("families who fly to foreign countries")}
    assert ": near its description “Whether the household has been abroad" in why["A"]
    why = {s.variable.code: s.why for s in index.search("earnings of families")}
    assert why["C"].endswith(": near its label")
    why = {s.variable.code: s.why for s in index.search("on foot")}
    assert "in its path" in why["B"] or "near its path" in why["B"]
    # What is stored says the same.
    again = SearchIndex(Catalog.from_records(RECORDS), OfflineEncoder(), cache_dir=tmp_path)
    assert {s.variable.code: s.why for s in again.search("on foot")} == why


def test_without_meaning_nothing_is_near(tmp_path: Path) -> None:
    index = SearchIndex(Catalog.from_records(RECORDS), HashEncoder(), cache_dir=tmp_path)
    index._searcher.mean(None, None)
    assert all("near" not in s.why for s in index.search("household income"))


def test_preparing_changes_no_answer(tmp_path: Path) -> None:
    catalog = Catalog.from_records(RECORDS)
    index = SearchIndex(catalog, OfflineEncoder(), cache_dir=tmp_path)
    before = index.search("renters with an income, à pied")
    index.prepare()
    assert index.search("renters with an income, à pied") == before
    words = index._searcher.usual_words()
    assert {"the", "income", "households"} <= set(words)
    assert len(words) == len(set(words))


def test_an_index_opened_for_a_view_is_prepared_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = threading.Event()
    words: list[str] = []

    def prepare(self: OfflineEncoder, given: list[str]) -> None:
        words.extend(given)
        prepared.set()

    monkeypatch.setattr(OfflineEncoder, "prepare", prepare)
    catalog = Catalog.from_records(RECORDS)
    SearchIndex(catalog, OfflineEncoder(), cache_dir=tmp_path)
    assert not prepared.is_set()
    index = SearchIndex(catalog, OfflineEncoder(), cache_dir=tmp_path, background=True)
    assert index.ready
    assert prepared.wait(60)
    assert "income" in words


def test_a_server_is_asked_nothing_beforehand(tmp_path: Path) -> None:
    server = EmbeddingServer(8)
    try:
        encoder = OpenAIEncoder(
            dimensions=8, api_key=KEY, base_url=server.url, cache_dir=tmp_path / "paid"
        )
        index = SearchIndex(
            Catalog.from_records(RECORDS), encoder, cache_dir=tmp_path, background=True
        )
        assert index.wait(60)
        n_texts = encoder.usage.n_texts
        index.prepare()
        assert encoder.usage.n_texts == n_texts
    finally:
        server.close()


def test_an_index_that_cannot_be_prepared_is_searched_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: OfflineEncoder, given: list[str]) -> None:
        raise MemoryError

    index = SearchIndex(Catalog.from_records(RECORDS), OfflineEncoder(), cache_dir=tmp_path)
    monkeypatch.setattr(OfflineEncoder, "prepare", fail)
    index.prepare()
    assert index.search("household income")[0].variable.code == "C"


def test_a_word_unknown_again_and_again_is_looked_up_once(tmp_path: Path) -> None:
    index = SearchIndex(Catalog.from_records(RECORDS), HashEncoder(), cache_dir=tmp_path)
    index.search("household")
    vocabulary = index._searcher._reader._vocabulary
    asked: list[str] = []
    mend = vocabulary.speller.mend
    vocabulary.speller.mend = lambda word, language: (asked.append(word), mend(word, language))[1]
    index.read("xyzzy " * 80)
    assert asked == ["xyzzy"]
