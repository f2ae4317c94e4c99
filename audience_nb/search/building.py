"""From a catalogue to the arrays of an index."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.embedding import Encoder
from audience_nb.search.documents import Documents, variant_text
from audience_nb.search.lexical import MAX_TERM_BYTES, Analyzer, fold, guess_language
from audience_nb.search.postings import Postings
from audience_nb.search.vectors import unit_rows

__all__ = ["Arrays", "Progress", "build_arrays", "key_of"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
Progress: TypeAlias = Callable[[str, float], None]

# Texts between two reports of progress, and so between two chances to stop.
_BATCH = 512
# A variant's term may stand in so many measures, or this share of them.
_MAX_COMMON, _COMMON_SHARE = 3, 0.005
# Labels by which the catalogue's language is told.
_LANGUAGE_SAMPLE = 2000


def build_arrays(catalog: Catalog, encoder: Encoder | None, tell: Progress) -> Arrays:
    """Analyse and encode a catalogue.

    Parameters
    ----------
    catalog : Catalog
        What is to be searched.
    encoder : Encoder or None
        None for an index by words alone.
    tell : callable
        Called with a stage and a fraction in [0, 1].

    Returns
    -------
    dict of str to ndarray
        "starts", "rows" (documents), "keys", "key_rows" (exact names), "variant_terms",
        "spellings", "language", "word_…", "gram_…" (postings), "vectors".
    """
    tell("Reading the catalogue", 0.0)
    language = guess_language(catalog.column("label")[:_LANGUAGE_SAMPLE])
    analyzer = Analyzer(language)
    documents = Documents.build(catalog)
    stemmed, written = documents.bags(analyzer)
    tell("Indexing words", 0.05)
    words, grams = Postings.build(stemmed), Postings.build_grams(written)
    spellings = sorted(
        {w.encode("utf-8", "replace")[:MAX_TERM_BYTES] for bag in written for w in bag}
    )
    keys, key_rows = _exact_keys(catalog)
    arrays: Arrays = {
        "starts": documents.starts,
        "rows": documents.rows,
        "keys": keys,
        "key_rows": key_rows,
        "variant_terms": _variant_terms(catalog, analyzer, words),
        "language": np.array([language.encode()]),
        "spellings": np.array(spellings or [b""], dtype=bytes),
        **{f"word_{k}": v for k, v in words.arrays().items()},
        **{f"gram_{k}": v for k, v in grams.arrays().items()},
    }
    arrays["vectors"] = _encode_all(documents.texts(), encoder, tell)
    tell("Index built", 1.0)
    return arrays


def _encode_all(
    texts: Sequence[Sequence[tuple[str, float]]], encoder: Encoder | None, tell: Progress
) -> npt.NDArray[np.float32]:
    """Give each document the mean vector of its texts, each distinct text encoded once."""
    if encoder is None:
        return np.zeros((0, 0), np.float32)
    distinct = list(dict.fromkeys(text for weighted in texts for text, _ in weighted))
    # Neighbours of like length share a batch, so that little of it is padding.
    distinct.sort(key=len)
    place = {text: i for i, text in enumerate(distinct)}
    known = np.empty((len(distinct), encoder.n_dimensions), np.float32)
    for first in range(0, len(distinct), _BATCH):
        part = distinct[first : first + _BATCH]
        known[first : first + len(part)] = unit_rows(encoder.encode(part))
        done = (first + len(part)) / len(distinct)
        tell("Learning meanings", 0.1 + 0.88 * done)
    vectors = np.zeros((len(texts), encoder.n_dimensions), np.float32)
    for row, weighted in enumerate(texts):
        for text, weight in weighted:
            vectors[row] += weight * known[place[text]]
    return unit_rows(vectors)


def key_of(text: str) -> int:
    """Hash a label or code so that equal writings of it meet.

    Parameters
    ----------
    text : str
        Any; case, accents and surplus space do not matter.

    Returns
    -------
    int
        64 bits, the same on every machine.

    Examples
    --------
    >>> key_of("Âge  médian") == key_of("age median")
    True
    """
    digest = hashlib.blake2b(fold(text).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _exact_keys(catalog: Catalog) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Hash every label and code, for the variable that is searched by its own name."""
    labels, codes = catalog.column("label"), catalog.codes
    pairs = [(key_of(text), row) for texts in (labels, codes) for row, text in enumerate(texts)]
    pairs.sort()
    keys = np.array([key for key, _ in pairs], np.uint64)
    return keys, np.array([row for _, row in pairs], np.int32)


def _variant_terms(catalog: Catalog, analyzer: Analyzer, words: Postings) -> npt.NDArray[np.bytes_]:
    """Collect the terms by which variants of one measure differ, and by which they are named.

    Terms that stand in many measures too, such as "years" or "households", name no variant.
    """
    labels, measures = catalog.column("label"), catalog.column("measure")
    texts = {variant_text(a, b) for a, b in zip(labels, measures, strict=True) if a != b}
    most = max(_MAX_COMMON, _COMMON_SHARE * words.n_documents)
    terms = {
        term.encode()
        for text in texts
        for term in analyzer.terms(text)
        if words.frequency(term) <= most
    }
    return np.array(sorted(terms) or [b""], dtype=bytes)
