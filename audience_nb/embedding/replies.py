"""What an embeddings server answered: which texts got a vector, and what is wrong with the rest."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from audience_nb.embedding.encoder import FloatArray
from audience_nb.errors import AudienceError

__all__ = ["Reply", "UnusableReply", "read_reply"]


class UnusableReply(AudienceError):
    """A reply that gives no text a vector."""

    def __init__(self, fact: str, n_dimensions: int | None = None) -> None:
        super().__init__(fact)
        self.n_dimensions = n_dimensions


@dataclass(frozen=True)
class Reply:
    """The vectors of a reply.

    Parameters
    ----------
    vectors : dict of int to ndarray of shape (n_dimensions,), float32
        By position of the text in the request, of length one.
    flaw : str
        What is wrong with the other rows; empty if every text got a vector.
    renumbered : bool
        Whether the numbers may be those of the rows given instead of those of the texts sent:
        rows are missing, and the others are numbered without a gap.
    n_tokens : int
        As the server counted them; 0 if it did not say.
    """

    vectors: dict[int, FloatArray]
    flaw: str
    renumbered: bool
    n_tokens: int


def read_reply(body: bytes, n_texts: int, n_dimensions: int | None, shorten: bool = False) -> Reply:
    """Read a reply to `POST /embeddings`, trusting nothing in it.

    Parameters
    ----------
    body : bytes
        The whole body.
    n_texts : int
        Texts that were sent.
    n_dimensions : int or None
        Length of a vector; None for that of the first one.
    shorten : bool, optional
        Whether longer vectors are cut to `n_dimensions`.

    Returns
    -------
    Reply
        Rows are matched by their `index`, in whatever order they come. Servers that number no
        row at all are taken to keep the order, if they gave every row.

    Raises
    ------
    UnusableReply
        If no row can be used: the body is cut or no JSON, rows are numbered twice or beyond the
        texts, or no vector has the right length and finite numbers.

    Examples
    --------
    >>> body = b'{"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 0]}]}'
    >>> {i: v.tolist() for i, v in sorted(read_reply(body, 2, 2).vectors.items())}
    {0: [1.0, 0.0], 1: [0.0, 1.0]}
    """
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        raise UnusableReply(f"{len(body):,} bytes that are no JSON, or cut") from None
    rows = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnusableReply("JSON without a list of vectors")
    places = _places(rows, n_texts)
    vectors: dict[int, FloatArray] = {}
    flaws: list[str] = []
    wanted = n_dimensions
    for place, row in zip(places, rows, strict=True):
        vector = _numbers(row.get("embedding"))
        if vector is None:
            flaws.append("a vector is no list of numbers")
            continue
        wanted = wanted or len(vector)
        if shorten and len(vector) > wanted:
            vector = vector[:wanted]
        length = float(np.linalg.norm(vector))
        if len(vector) != wanted:
            flaws.append(f"vectors of {len(vector):,} numbers instead of {wanted:,}")
        elif not np.isfinite(length) or length == 0:
            flaws.append("a vector is zero or not finite")
        else:
            vectors[place] = (vector / length).astype(np.float32)
    if len(rows) < n_texts:
        flaws.insert(0, f"{len(rows):,} vectors for {n_texts:,} texts")
    if not vectors:
        read = (_numbers(row.get("embedding")) for row in rows)
        lengths = {len(vector) for vector in read if vector is not None}
        raise UnusableReply(flaws[0], lengths.pop() if len(lengths) == 1 else None)
    usage = reply.get("usage")
    n_tokens = usage.get("total_tokens") if isinstance(usage, dict) else 0
    return Reply(
        vectors,
        flaws[0] if flaws else "",
        len(rows) < n_texts and max(places) == len(rows) - 1,
        n_tokens if isinstance(n_tokens, int) and n_tokens > 0 else 0,
    )


def _places(rows: list[dict[str, Any]], n_texts: int) -> list[int]:
    """Give each row its text's position."""
    places = [row.get("index") for row in rows]
    if len(rows) == n_texts and all(place is None for place in places):
        return list(range(n_texts))
    numbers = [p for p in places if isinstance(p, int) and not isinstance(p, bool)]
    numbered_well = len(set(numbers)) == len(rows) and all(0 <= p < n_texts for p in numbers)
    if not numbered_well:
        # One number for two rows leaves open which texts the others belong to.
        raise UnusableReply(f"{len(rows):,} vectors, wrongly numbered, for {n_texts:,} texts")
    return numbers


def _numbers(embedding: Any) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Read one vector: a list of numbers, or base64 of little-endian float32."""
    try:
        if isinstance(embedding, str):
            raw = base64.b64decode(embedding, validate=True)
            return np.frombuffer(raw, dtype="<f4").astype(np.float64)
        if isinstance(embedding, list):
            vector = np.array(embedding, dtype=np.float64)
            return vector if vector.ndim == 1 else None
    except (ValueError, TypeError, binascii.Error, OverflowError):
        pass
    return None
