"""Learning what texts mean: each distinct text is encoded once, and what is done is kept."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import demo_file
from audience_nb.embedding import Encoder
from audience_nb.errors import DamagedFile, NotFound
from audience_nb.search.cache import write_whole
from audience_nb.search.container import read_arrays
from audience_nb.search.documents import Documents
from audience_nb.search.vectors import quantized, unit_rows

__all__ = ["SHIPPED", "KnownVectors", "document_vectors", "text_key"]

Progress: TypeAlias = Callable[[str, float], None]
FloatArray: TypeAlias = npt.NDArray[np.float32]
IntVectors: TypeAlias = npt.NDArray[np.int8]

logger = logging.getLogger(__name__)

SHIPPED = "vectors.bin"
# Texts that are encoded, and kept, at a time; and between two reports of progress.
AT_ONCE = 2048
_REPORTED = 256
_DOCUMENTS_AT_ONCE = 4096
# Texts beside the label of which the directions are kept, to say which of them is near.
_MOST_PARTS = 100_000


def text_key(text: str) -> int:
    """Hash a text, the same on every machine.

    Parameters
    ----------
    text : str
        To the letter: what is written otherwise is encoded otherwise.

    Returns
    -------
    int
        64 bits.

    Examples
    --------
    >>> text_key("income") == text_key("Income")
    False
    """
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


class KnownVectors:
    """Vectors of texts that one encoder need not encode again.

    Parameters
    ----------
    keys : ndarray of shape (n_texts,), uint64
        As `text_key` gives them, rising.
    vectors : ndarray of shape (n_texts, n_dimensions), int8
        Directions.

    Examples
    --------
    >>> texts = sorted(["income", "age"], key=text_key)
    >>> known = KnownVectors(
    ...     np.array([text_key(t) for t in texts], np.uint64), np.eye(2, dtype=np.int8)
    ... )
    >>> known.rows(["age", "dogs"]).tolist() == [texts.index("age"), -1]
    True
    """

    def __init__(self, keys: npt.NDArray[np.uint64], vectors: IntVectors) -> None:
        self.keys, self.vectors = keys, vectors

    @classmethod
    def shipped(cls, encoder: Encoder) -> KnownVectors:
        """Open what ships with the package for an encoder.

        Parameters
        ----------
        encoder : Encoder
            Another name, or another length of vectors, and nothing is known.

        Returns
        -------
        KnownVectors
        """
        return _shipped(encoder.name, encoder.n_dimensions)

    def rows(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Give the row of each text, -1 for one that is not known.

        Parameters
        ----------
        texts : sequence of str
            Any.

        Returns
        -------
        ndarray of shape (n_texts,), int64
        """
        if not len(self.keys):
            return np.full(len(texts), -1, np.int64)
        wanted = np.fromiter(map(text_key, texts), np.uint64, len(texts))
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where(self.keys[at] == wanted, at, -1)


@cache
def _shipped(name: str, n_dimensions: int) -> KnownVectors:
    try:
        arrays = read_arrays(demo_file(SHIPPED), {"encoder": name, "dimensions": str(n_dimensions)})
        return KnownVectors(arrays["keys"], arrays["vectors"])
    except (NotFound, DamagedFile, KeyError, OSError) as error:
        # Another encoder, or another version of it: everything is encoded on this machine.
        logger.info("No vectors ship for %s: %s", name, error)
        return KnownVectors(np.zeros(0, np.uint64), np.zeros((0, n_dimensions), np.int8))


def document_vectors(
    documents: Documents, encoder: Encoder, tell: Progress, kept: Path | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Give each document the mean direction of its texts.

    Parameters
    ----------
    documents : Documents
        What is to be searched.
    encoder : Encoder
        Asked for each distinct text that is not known yet.
    tell : callable
        Called with a stage and a fraction in [0, 1] of this work; may raise `Cancelled`.
    kept : pathlib.Path, optional
        Folder for what is learnt so far, so that a build that was stopped can be taken up again.
        It is removed at the end.

    Returns
    -------
    dict of str to ndarray
        "vectors" (n_documents, n_dimensions), int8; "part_vectors" (n_texts, n_dimensions), int8,
        of the texts beside the first, and "part_of" (n_documents, 2), their rows by document, -1
        for none; both empty where there are more than 100,000.
    """
    ids: dict[str, int] = {}
    of_text: list[int] = []
    weights: list[float] = []
    starts = np.zeros(len(documents) + 1, np.int64)
    for first in range(0, len(documents), _DOCUMENTS_AT_ONCE):
        last = min(first + _DOCUMENTS_AT_ONCE, len(documents))
        for document, texts in enumerate(documents.texts(first, last), start=first):
            of_text += [ids.setdefault(text, len(ids)) for text, _ in texts]
            weights += [weight for _, weight in texts]
            starts[document + 1] = len(of_text)
    learnt = _Learnt(list(ids), encoder, kept)
    learnt.learn(tell)
    text_of, weight_of = np.array(of_text, np.int64), np.array(weights, np.float32)

    def part(first: int) -> FloatArray:
        last = min(first + _DOCUMENTS_AT_ONCE, len(documents))
        span = slice(int(starts[first]), int(starts[last]))
        owner = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        sums = np.zeros((last - first, encoder.n_dimensions), np.float32)
        np.add.at(sums, owner, weight_of[span, None] * learnt.vectors(text_of[span]))
        return unit_rows(sums)

    firsts = range(0, len(documents), _DOCUMENTS_AT_ONCE)
    largest = max((float(np.abs(part(first)).max(initial=0)) for first in firsts), default=0.0)
    vectors = np.zeros((len(documents), encoder.n_dimensions), np.int8)
    for first in firsts:
        rounded = quantized(part(first), largest)
        vectors[first : first + len(rounded)] = rounded
    part_of = _beside_the_first(text_of, starts)
    beside = np.unique(part_of[part_of >= 0])
    if len(beside) > _MOST_PARTS:
        part_of, beside = part_of[:0], beside[:0]
    part_vectors = quantized(learnt.vectors(beside))
    learnt.forget()
    rows = np.where(part_of >= 0, np.searchsorted(beside, part_of), -1).astype(np.int32)
    return {"vectors": vectors, "part_vectors": part_vectors, "part_of": rows}


def _beside_the_first(
    text_of: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Give the second and the third text of each document, -1 for none."""
    places = starts[:-1, None] + np.array([1, 2])
    there = places < starts[1:, None]
    found = np.full(places.shape, -1, np.int64)
    found[there] = text_of[places[there]]
    return found


class _Learnt:
    """Directions of texts, in parts of 2,048 that are kept on disk where there is a place.

    Parameters
    ----------
    texts : sequence of str
        Distinct.
    encoder : Encoder
        What encodes those that do not ship.
    kept : pathlib.Path or None
        Folder for the parts.
    """

    def __init__(self, texts: Sequence[str], encoder: Encoder, kept: Path | None) -> None:
        self._texts, self._encoder = texts, encoder
        self._known = KnownVectors.shipped(encoder)
        self._parts: list[IntVectors] = []
        # A catalogue of one part is learnt as quickly as looked up.
        self._kept = kept if len(texts) > AT_ONCE else None

    def learn(self, tell: Progress) -> None:
        """Encode what is neither shipped nor kept."""
        n_done, n_all = 0, max(len(self._texts), 1)
        tell("Learning meanings", 0.0)
        for first in range(0, len(self._texts), AT_ONCE):
            texts = self._texts[first : first + AT_ONCE]
            key = self._key(texts)
            part = self._read(first, key)
            if part is None:

                def told(done: int, before: int = n_done) -> None:
                    tell("Learning meanings", (before + done) / n_all)

                part, is_new = self._encoded(texts, told)
                if is_new:
                    self._write(first, key, part)
            self._parts.append(part)
            n_done += len(texts)
            tell("Learning meanings", n_done / n_all)

    def _encoded(
        self, texts: Sequence[str], told: Callable[[int], None]
    ) -> tuple[IntVectors, bool]:
        rows = self._known.rows(texts)
        if rows.size and rows.min() >= 0:
            return self._known.vectors[rows], False
        vectors = np.empty((len(texts), self._encoder.n_dimensions), np.float32)
        vectors[rows >= 0] = unit_rows(self._known.vectors[rows[rows >= 0]].astype(np.float32))
        # Neighbours of like length share a batch, so that little of it is padding.
        missing = sorted(np.flatnonzero(rows < 0).tolist(), key=lambda i: len(texts[i]))
        for first in range(0, len(missing), _REPORTED):
            batch = missing[first : first + _REPORTED]
            vectors[batch] = unit_rows(self._encoder.encode([texts[i] for i in batch]))
            told(len(texts) - len(missing) + first + len(batch))
        return quantized(vectors), True

    def vectors(self, rows: npt.NDArray[np.int64]) -> FloatArray:
        """Give unit vectors of some texts."""
        found = np.empty((len(rows), self._encoder.n_dimensions), np.float32)
        part_of, row_of = np.divmod(rows, AT_ONCE)
        for part in np.unique(part_of):
            here = part_of == part
            found[here] = self._parts[part][row_of[here]]
        return unit_rows(found)

    def _key(self, texts: Sequence[str]) -> dict[str, str]:
        digest = hashlib.sha256()
        for text in texts:
            digest.update(text_key(text).to_bytes(8, "little"))
        return {"encoder": self._encoder.name, "texts": digest.hexdigest()}

    def _read(self, first: int, key: dict[str, str]) -> IntVectors | None:
        if self._kept is None:
            return None
        try:
            vectors: npt.NDArray[Any] = read_arrays(self._kept / f"{first}.part", key)["vectors"]
        except (FileNotFoundError, DamagedFile, KeyError):
            return None
        return vectors

    def _write(self, first: int, key: dict[str, str], part: IntVectors) -> None:
        if self._kept is None:
            return
        path = self._kept / f"{first}.part"
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            write_whole(path, key, {"vectors": part}, prefix=".part-")
        except OSError as error:
            # A full disk, or another process that has finished and cleared up.
            logger.info("What was learnt so far is not kept: %s", error)
            self._kept = None

    def forget(self) -> None:
        """Remove the parts, once the whole is made."""
        self._parts.clear()
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
