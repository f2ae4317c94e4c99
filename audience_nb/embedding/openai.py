"""OpenAI and servers that speak its protocol."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from audience_nb.embedding.batches import BatchRun, RequestFailed, batches
from audience_nb.embedding.cost import CostEstimate, Usage, approximate_tokens, price_of
from audience_nb.embedding.encoder import FloatArray, readable_texts
from audience_nb.embedding.folders import cache_root
from audience_nb.embedding.replies import Reply, UnusableReply, read_reply
from audience_nb.embedding.retries import Failure, Patience, failure_of
from audience_nb.embedding.vectorcache import VectorCache
from audience_nb.errors import InvalidInput

__all__ = ["OpenAIEncoder"]

logger = logging.getLogger(__name__)

# Lengths of the vectors that OpenAI's models give unless told otherwise.
_MODEL_DIMENSIONS = {
    "text-embedding-3-small": 1536,
    "text-embedding-3-large": 3072,
    "text-embedding-ada-002": 1536,
}
# OpenAI's limits are in tokens (8,192 a text, 300,000 a request), which no tokenizer is at hand to
# count. No token is shorter than a byte, so as many bytes are always within them.
_MAX_TEXT_BYTES = 8_000
_MAX_REQUEST_BYTES = 250_000
_MAX_TEXTS = 2_048
# No number of a vector is written in more bytes than this, in any server's JSON.
_MAX_NUMBER_BYTES, _MAX_LENGTH = 64, 16_384
_PROBE = "length"
# Calls of so few texts are questions, larger ones are catalogues.
_QUESTION, _QUESTION_S = 16, 10.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OpenAIEncoder:
    """OpenAI's embeddings, or those of any server that speaks the same protocol.

    Only used when asked for: texts leave this machine, and each new one is paid for. Vectors
    are kept on disk by a hash of model and text as soon as they come, so that no text is paid for
    twice, also after a crash half way: encode again to go on.

    Parameters
    ----------
    model : str, optional
        Name of the model.
    dimensions : int, optional
        Length of the vectors, where the model can shorten them. By default what OpenAI's models
        give; for others the server is asked with one short text.
    api_key : str, optional
        By default the environment's OPENAI_API_KEY, unless `base_url` is another machine without
        https. Not needed with `base_url`. It is never shown, logged or stored.
    base_url : str, optional
        Another server's address, such as "http://127.0.0.1:8080/v1"; by default the
        environment's OPENAI_BASE_URL, else OpenAI's.
    cache_dir : str or pathlib.Path, optional
        Where vectors are kept: by default AUDIENCE_NB_CACHE, else the platform's place for a
        user's caches.
    batch_size : int, optional
        Texts of a request at most; fewer if they are long.
    concurrency : int, optional
        Requests under way at most.
    max_retries : int, optional
        Further attempts for a batch after one that gave no vector.
    timeout : float, optional
        Seconds for one request, to the last byte of its reply.
    longest_wait : float, optional
        Seconds between two attempts at most, even where the server asks for more.
    deadline : float, optional
        Seconds for one call of `encode`; by default 20, and 10 more for each request; 10 for at
        most 16 texts, as somebody waits for the answer to a question.
    shorten : bool, optional
        Whether longer vectors are cut to `dimensions`, for a server that ignores it. Right only
        for models that are trained to be cut (Kusupati et al. 2022, "Matryoshka
        representation learning"), as OpenAI's third generation is.
    progress : callable, optional
        Called with a stage in words and a fraction in [0, 1] between two batches; may raise
        `Cancelled`, which ends the call once the requests under way are stored.

    Attributes
    ----------
    usage : Usage
        Requests, texts and tokens so far.

    Raises
    ------
    InvalidInput
        If OpenAI is meant and there is no key, or an option cannot be used.

    Examples
    --------
    >>> OpenAIEncoder(api_key="example", dimensions=256)
    OpenAIEncoder('openai text-embedding-3-small 256')
    """

    def __init__(
        self,
        model: str = "text-embedding-3-small",
        dimensions: int | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        cache_dir: str | Path | None = None,
        batch_size: int = 128,
        concurrency: int = 4,
        max_retries: int = 12,
        timeout: float = 20.0,
        longest_wait: float = 60.0,
        deadline: float | None = None,
        shorten: bool = False,
        progress: Callable[[str, float], None] | None = None,
    ) -> None:
        url = base_url or os.environ.get("OPENAI_BASE_URL") or None
        key = key_for(api_key, url)
        for name, value, most in (
            ("dimensions", dimensions, _MAX_LENGTH),
            ("batch_size", batch_size, _MAX_TEXTS),
            ("concurrency", concurrency, 64),
        ):
            if value is not None and not 1 <= value <= most:
                raise InvalidInput(f"{name} is {value}.", f"Give 1 to {most:,}.")
        # A closure, not an attribute: vars(), repr() and pickle cannot give the key away.
        self._api_key: Callable[[], str] = lambda: key
        self.model, self.base_url = model, url
        self.batch_size, self.concurrency = batch_size, concurrency
        self.shorten, self.progress = shorten, progress
        self.patience = Patience(timeout, max_retries, longest_wait, deadline)
        self.usage = Usage()
        self._dimensions = dimensions
        self._length = dimensions or _MODEL_DIMENSIONS.get(model)
        self._lock = threading.Lock()
        self._cache: VectorCache | None = None
        try:
            self._cache = VectorCache(cache_root(cache_dir) / "vectors.sqlite")
        except OSError as error:
            logger.warning("Vectors are kept in memory only: %s", error)

    @cached_property
    def name(self) -> str:
        """Provider or server, model, and the length of the vectors if it was chosen."""
        length = self._dimensions or _MODEL_DIMENSIONS.get(self.model) or ""
        server = self.base_url.rstrip("/") if self.base_url else ""
        digest = hashlib.sha256(server.encode()).hexdigest()[:8] if server else ""
        return " ".join(filter(None, ["openai", digest, self.model, str(length)]))

    @property
    def n_dimensions(self) -> int:
        """Length of a vector; a server with a model of its own is asked for it once."""
        if self._length is None:
            self.encode([_PROBE])
        assert self._length is not None
        return self._length

    def __repr__(self) -> str:
        return f"OpenAIEncoder({self.name!r})"

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError("An OpenAIEncoder holds a key and is not pickled; make another one.")

    @cached_property
    def _client(self) -> Any:
        import openai

        # Retries are ours: the client's own would accept wrong answers and sleep without bound. It
        # insists on a key, also for servers that want none.
        return openai.OpenAI(
            api_key=self._api_key() or "none",
            base_url=self.base_url,
            max_retries=0,
            timeout=self.patience.timeout,
        )

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts, asking only for those not stored.

        Parameters
        ----------
        texts : sequence of str
            None of them empty; of each, 8,000 bytes are read.

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions), float32

        Raises
        ------
        InvalidInput
            If a text is empty.
        EncoderFailed
            If a batch fails for good, or the deadline passes. What came is stored.
        Cancelled
            If `progress` raises it. What came is stored.
        """
        readable = readable_texts(texts, _MAX_TEXT_BYTES)
        rows = {text: row for row, text in enumerate(dict.fromkeys(readable))}
        found = _Vectors(rows, self._length)
        missing = self._stored(list(rows), found)
        if missing:
            self._fetch(missing, found)
        self._length = self._length or found.length
        if not readable:
            return np.empty((0, self.n_dimensions), np.float32)
        if len(rows) == len(readable):
            return found.matrix
        return found.matrix[[rows[text] for text in readable]]

    def estimate(self, texts: Sequence[str], price: float | None = None) -> CostEstimate:
        """Say what encoding will cost, before anything is sent.

        Parameters
        ----------
        texts : sequence of str
            As for `encode`.
        price : float, optional
            US dollars for a million tokens; by default what OpenAI listed for its models.

        Returns
        -------
        CostEstimate

        Examples
        --------
        >>> encoder = OpenAIEncoder(api_key="example")
        >>> encoder.estimate(["green cars", "organic food", "green cars"]).n_tokens
        6
        """
        distinct = list(dict.fromkeys(readable_texts(texts, _MAX_TEXT_BYTES)))
        missing = self._stored(distinct, None)
        return CostEstimate(
            len(distinct),
            len(distinct) - len(missing),
            len(list(self._batches(missing))),
            approximate_tokens(missing),
            price if price is not None else None if self.base_url else price_of(self.model),
        )

    # -- fetching ------------------------------------------------------------------------------

    def _batches(self, texts: Sequence[str]) -> list[list[str]]:
        return list(batches(texts, self.batch_size, _MAX_REQUEST_BYTES))

    def _stored(self, texts: Sequence[str], found: _Vectors | None) -> list[str]:
        """Look texts up in the cache, and give those that it does not have."""
        if self._cache is None:
            return list(texts)
        missing = []
        for first in range(0, len(texts), _MAX_TEXTS):
            part = texts[first : first + _MAX_TEXTS]
            known = self._cache.get(self.name, part, self._length)
            if found is not None and known:
                found.put(known)
            missing += [text for text in part if text not in known]
        return missing

    def _fetch(self, missing: Sequence[str], found: _Vectors) -> None:
        todo = self._batches(missing)

        def keep(came: Mapping[str, FloatArray]) -> None:
            found.put(came)
            if self._cache is not None:
                texts = list(came)
                self._cache.put(self.name, texts, np.stack([came[text] for text in texts]))

        def tell(n_done: int) -> None:
            if self.progress is not None:
                stage = f"{n_done:,} of {len(missing):,} texts encoded by {self.model}"
                self.progress(stage, n_done / len(missing))

        patience = self.patience
        if len(missing) <= _QUESTION and patience.deadline is None:
            # What comes after that is stored all the same, by the thread that asked for it.
            patience = replace(patience, deadline=_QUESTION_S, timeout=min(patience.timeout, 1.0))
        BatchRun(self._ask, keep, patience, self.concurrency, self.name).run(todo, tell)

    def _ask(self, texts: Sequence[str]) -> Reply:
        """Send one request and read its reply; called by several threads."""
        with self._lock:
            self.usage.n_requests += 1
        try:
            reply = read_reply(self._post(texts), len(texts), self._length, self.shorten)
        except UnusableReply as error:
            with self._lock:
                self.usage.n_failed += 1
            failure = Failure(
                f"the server answered {error.fact}", "Check base_url, model and dimensions."
            )
            raise RequestFailed(failure, error.n_dimensions) from None
        except RequestFailed:
            with self._lock:
                self.usage.n_failed += 1
            raise
        with self._lock:
            self._length = self._length or len(next(iter(reply.vectors.values())))
            self.usage.n_texts += len(reply.vectors)
            self.usage.n_tokens += reply.n_tokens
        return reply

    def _post(self, texts: Sequence[str]) -> bytes:
        """Give the body of a reply, within bounds of time and size."""
        wanted: dict[str, Any] = {
            "model": self.model,
            "input": list(texts),
            "encoding_format": "float",
        }
        if self._dimensions is not None:
            wanted["dimensions"] = self._dimensions
        if not self._api_key():
            from openai._types import Omit

            wanted["extra_headers"] = {"Authorization": Omit()}
        ends = time.monotonic() + self.patience.timeout
        most = 1_000_000 + _MAX_NUMBER_BYTES * len(texts) * (self._length or _MAX_LENGTH)
        body = bytearray()
        try:
            # The client's own reading of replies raises whatever comes and accepts short ones; its
            # timeout holds for each read only, so that a server may drip for ever.
            with self._client.embeddings.with_streaming_response.create(**wanted) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > ends:
                        failure = Failure(f"no whole answer within {self.patience.timeout:g} s")
                        break
                    if len(body) > most:
                        failure = Failure(f"more than {most:,} bytes for {len(texts):,} texts")
                        break
                else:
                    return bytes(body)
        except Exception as error:
            failure = failure_of(error)
        # Outside of `except`: the cause's request headers hold the key.
        raise RequestFailed(failure)


class _Vectors:
    """Vectors by text, in one array that is made when their length is known.

    Parameters
    ----------
    rows : dict of str to int
        Row of each text.
    length : int or None
        Of a vector.
    """

    def __init__(self, rows: Mapping[str, int], length: int | None) -> None:
        self.rows, self.length = rows, length
        self.matrix: FloatArray = np.empty((len(rows), length or 0), np.float32)

    def put(self, vectors: Mapping[str, FloatArray]) -> None:
        if self.length is None:
            self.length = len(next(iter(vectors.values())))
            self.matrix = np.empty((len(self.rows), self.length), np.float32)
        for text, vector in vectors.items():
            self.matrix[self.rows[text]] = vector


def key_for(
    api_key: str | None,
    base_url: str | None,
    otherwise: str = "leave out the encoder to work offline",
) -> str:
    """Choose the key for a server.

    Parameters
    ----------
    api_key : str or None
        As it was given; None for the environment's OPENAI_API_KEY.
    base_url : str or None
        The server's address; None for OpenAI's.
    otherwise : str, optional
        What can be done without a key.

    Returns
    -------
    str
        "" for none, as where a key from the environment would cross a network in the clear.

    Raises
    ------
    InvalidInput
        If OpenAI is meant and there is no key, the key cannot be one, or the address is none.

    Examples
    --------
    >>> key_for("example", "http://127.0.0.1:8080/v1")
    'example'
    """
    if api_key:
        key = api_key.strip()
    else:
        key = (os.environ.get("OPENAI_API_KEY") or "").strip()
        if base_url is None and not key:
            raise InvalidInput(
                "There is no OpenAI API key.",
                f"Set OPENAI_API_KEY, pass api_key, or {otherwise}.",
            )
    if not re.fullmatch(r"[!-~]*", key):
        raise InvalidInput(
            f"The API key of {len(key)} characters holds spaces or other characters that no key "
            "has.",
            "Copy it anew.",
        )
    if base_url is None:
        return key
    try:
        parts = urlsplit(base_url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidInput(
            "base_url is no http address.", 'Write it as in "http://127.0.0.1:8080/v1".'
        )
    if parts.username or parts.password:
        raise InvalidInput("base_url holds a user or password.", "Pass api_key instead.")
    # A key meant for OpenAI must not cross a network in the clear because of a set variable.
    safe = bool(api_key) or parts.scheme == "https" or host in _LOOPBACK
    return key if safe else ""
