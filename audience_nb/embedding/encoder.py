"""What every encoder does: texts to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from audience_nb.errors import EncoderFailed, InvalidInput

__all__ = ["Encoder", "FloatArray", "readable_texts", "unit_vectors"]

FloatArray: TypeAlias = npt.NDArray[np.float32]


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
    if not np.isfinite(length).all() or (length == 0).any():
        raise EncoderFailed(
            f"{name} gave a vector that is zero or not finite.", "Use another encoder."
        )
    return np.ascontiguousarray(array / length, dtype=np.float32)


def readable_texts(texts: Sequence[str], longest: int) -> list[str]:
    """Give texts that every encoder can read.

    Parameters
    ----------
    texts : sequence of str
        As they came.
    longest : int
        Bytes of UTF-8 after which a text is cut, between two characters: models read no more.

    Returns
    -------
    list of str
        Without halves of characters, as a cut emoji leaves them, and without NUL, at which C
        code would stop.

    Raises
    ------
    InvalidInput
        If a text is empty, since its vector would mean nothing, or is no text.

    Examples
    --------
    >>> readable_texts(["café crème", "tea"], longest=4)
    ['caf', 'tea']
    """
    if isinstance(texts, str):
        raise InvalidInput("One text was given where a list of texts is encoded.", "Write [text].")
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise InvalidInput(
            f"{len(wrong)} of {len(texts)} texts to encode are no text but "
            f"{type(wrong[0]).__name__}.",
            "Leave them out, or turn them into str.",
        )
    readable = []
    for text in texts:
        if not text.isascii() or len(text) > longest or "\0" in text:
            raw = text[: longest + 1].encode("utf-8", "replace").replace(b"\0", b" ")
            text = raw[:longest].decode("utf-8", "ignore")
        readable.append(text)
    empty = sum(not text.strip() for text in readable)
    if empty:
        raise InvalidInput(f"{empty} of {len(texts)} texts to encode are empty.", "Leave them out.")
    return readable
