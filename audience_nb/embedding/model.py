"""A user's own model as an encoder."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from audience_nb.embedding.encoder import FloatArray, readable_texts, unit_vectors
from audience_nb.errors import EncoderFailed, InvalidInput

__all__ = ["ModelEncoder"]

_PROBE = "households with children"
_LONGEST = 8_000


class ModelEncoder:
    """Any object whose `encode` turns a list of texts into an array, such as a SentenceTransformer.

    Parameters
    ----------
    model : object
        With `encode(list of str)` giving an array-like of shape (n_texts, n_dimensions).
    name : str, optional
        Under which vectors are cached; vectors of equal names may be mixed. By default the
        object's class and a digest of the vector it gives a fixed text, so that another model has
        another name. The object is first called when its name or length is asked for.

    Raises
    ------
    InvalidInput
        If the object has no `encode`.

    Examples
    --------
    >>> class Lengths:
    ...     def encode(self, texts):
    ...         return [[len(text), 1.0] for text in texts]
    >>> encoder = ModelEncoder(Lengths(), name="lengths")
    >>> encoder.n_dimensions, encoder.encode(["four"]).shape
    (2, (1, 2))
    """

    def __init__(self, model: Any, name: str | None = None) -> None:
        if not callable(getattr(model, "encode", None)):
            raise InvalidInput(
                f"A {type(model).__name__} has no method encode.", "Give it encode(texts)."
            )
        self.model = model
        self._given_name = name
        self._lock = threading.Lock()

    @cached_property
    def _probed(self) -> tuple[str, int]:
        """Name and length of a vector, found out by encoding one text."""
        kind = type(self.model).__name__
        probe = np.asarray(self._array([_PROBE]))
        if probe.ndim != 2 or len(probe) != 1 or probe.shape[1] < 1:
            raise EncoderFailed(
                f"{kind}.encode gave an array of shape {probe.shape} for 1 text.",
                "Let it give one row for each text.",
            )
        length = int(probe.shape[1])
        vector = unit_vectors(probe, 1, length, kind)[0]
        # Rounded, as a model's last digits differ from one machine to the next.
        digest = hashlib.sha256((vector * 1000).round().astype("<i4").tobytes()).hexdigest()
        return self._given_name or f"{kind} {length} {digest[:8]}", length

    @property
    def name(self) -> str:
        """As given, or the model's class, length and digest.

        Raises
        ------
        EncoderFailed
            If the model gives no array of one row a text.
        """
        return self._given_name or self._probed[0]

    @property
    def n_dimensions(self) -> int:
        """Length of a vector.

        Raises
        ------
        EncoderFailed
            If the model gives no array of one row a text.
        """
        return self._probed[1]

    def __repr__(self) -> str:
        # Looked for, not asked for: a name may cost a call.
        probed = self.__dict__.get("_probed", (type(self.model).__name__,))
        return f"ModelEncoder({self._given_name or probed[0]!r})"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts with the model, one call at a time.

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
            If the model gives anything but one finite vector for each.
        """
        readable = readable_texts(texts, _LONGEST)
        if not readable:
            return np.empty((0, self.n_dimensions), np.float32)
        return unit_vectors(self._array(readable), len(readable), self.n_dimensions, self.name)

    def _array(self, texts: list[str]) -> Any:
        with self._lock:
            try:
                return self.model.encode(texts)
            except Exception as error:
                raise EncoderFailed(
                    f"{type(self.model).__name__}.encode raised {type(error).__name__} on "
                    f"{len(texts)} texts.",
                    "See the cause above.",
                ) from error
