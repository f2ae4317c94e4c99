"""OpenAI and servers that speak its protocol."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from audience_nb.embedding.encoder import FloatArray, require_texts, unit_vectors
from audience_nb.embedding.vectorcache import VectorCache
from audience_nb.errors import EncoderFailed, InvalidInput

__all__ = ["OpenAIEncoder"]

logger = logging.getLogger(__name__)

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
        require_texts(texts)
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
