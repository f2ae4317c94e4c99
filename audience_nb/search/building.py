"""From a catalogue to the arrays of an index, part by part."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.search.documents import Documents, variant_text
from audience_nb.search.grams import GramIndex
from audience_nb.search.lexical import MAX_TERM_BYTES, Analyzer, fold, guess_language
from audience_nb.search.postings import Postings

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["Arrays", "Progress", "build_words", "key_of"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
Progress: TypeAlias = Callable[[str, float], None]

# Documents between two reports of progress, and so between two chances to stop.
_AT_ONCE = 4096
# A variant's term may stand in so many measures, or this share of them.
_MAX_COMMON, _COMMON_SHARE = 3, 0.005
# Labels by which the catalogue's language is told.
_LANGUAGE_SAMPLE = 2000
# What measures of one scale differ in.
_NUMBERS = re.compile(
    r"(?:under |over )?\$?\d[\d,.]*(?:(?: to |-)\$?\d[\d,.]*| and over| or more)?"
)


def build_words(catalog: Catalog, tell: Progress) -> Arrays:
    """Analyse a catalogue: all that search needs but vectors.

    Parameters
    ----------
    catalog : Catalog
        What is to be searched.
    tell : callable
        Called with a stage and a fraction in [0, 1] of this work; may raise `Cancelled`.

    Returns
    -------
    dict of str to ndarray
        "starts", "rows", "burden", "kinds" (`Documents`), "scales" (equal where measures differ
        by their numbers only), "keys", "key_rows" (exact names), "variant_…" (terms that name a
        variant, and the documents that have one), "language", "word_…" (`Postings`),
        "spelling_…" (`GramIndex`).
    """
    tell("Reading the catalogue", 0.0)
    language = guess_language(catalog.column("label")[:_LANGUAGE_SAMPLE])
    analyzer = Analyzer(language)
    documents = Documents.build(catalog)
    tell("Indexing words", 0.1)
    stems, written = _counts(documents, analyzer, tell)
    words = Postings.from_counts(*stems)
    del stems
    tell("Indexing spellings", 0.7)
    grams = GramIndex.from_counts(*written)
    del written
    tell("Indexing names", 0.85)
    keys, key_rows = _exact_keys(catalog)
    return {
        "starts": documents.starts,
        "rows": documents.rows,
        "scales": _scales(documents),
        "keys": keys,
        "key_rows": key_rows,
        **_variants(documents, analyzer, words),
        "burden": documents.burden(analyzer, words),
        "kinds": documents.kinds(),
        "language": np.array([language.encode()]),
        **{f"word_{k}": v for k, v in words.arrays().items()},
        **{f"spelling_{k}": v for k, v in grams.arrays().items()},
    }


def _counts(
    documents: Documents, analyzer: Analyzer, tell: Progress
) -> tuple[tuple[sp.csr_matrix, list[str]], tuple[sp.csr_matrix, list[str]]]:
    """Count stems and words of each document, by the weight of the field they stand in.

    Each distinct text is analysed once, and the counts of a document are the product of the
    weights of its texts and the counts of each text.
    """
    import scipy.sparse as sp

    stem_ids: dict[str, int] = {}
    word_ids: dict[str, int] = {}
    stem_of: list[int] = []
    parts: tuple[list[sp.csr_matrix], list[sp.csr_matrix]] = ([], [])
    for first in range(0, len(documents), _AT_ONCE):
        fields = documents.fields(first, min(first + _AT_ONCE, len(documents)))
        text_ids: dict[str, int] = {}
        rows = [[(text_ids.setdefault(t, len(text_ids)), w) for t, w in row] for row in fields]
        weights = _matrix(rows, len(text_ids))
        stems, written = [], []
        for text in text_ids:
            ids = []
            for word in analyzer.words(text):
                at = word_ids.setdefault(word, len(word_ids))
                if at == len(stem_of):
                    stem_of.append(stem_ids.setdefault(analyzer.stem(word), len(stem_ids)))
                ids.append(at)
            written.append([(at, 1.0) for at in ids])
            stems.append([(stem_of[at], 1.0) for at in ids])
        for part, counts, n_columns in (
            (parts[0], stems, len(stem_ids)),
            (parts[1], written, len(word_ids)),
        ):
            part.append((weights @ _matrix(counts, n_columns)).tocsr())
        done = min(1.0, (first + _AT_ONCE) / len(documents))
        tell("Indexing words", 0.1 + 0.6 * done)
    results = []
    for part, names in zip(parts, (list(stem_ids), list(word_ids)), strict=True):
        for matrix in part:
            matrix.resize(matrix.shape[0], len(names))
        results.append((sp.vstack(part, format="csr"), names))
        part.clear()
    return results[0], results[1]


def _matrix(rows: Sequence[Sequence[tuple[int, float]]], n_columns: int) -> sp.csr_matrix:
    """Write lists of (column, value) as a matrix; what repeats is added up."""
    import scipy.sparse as sp

    lengths = [len(row) for row in rows]
    columns = np.fromiter((c for row in rows for c, _ in row), np.int32, sum(lengths))
    values = np.fromiter((v for row in rows for _, v in row), np.float32, len(columns))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    matrix = sp.csr_matrix((values, columns, starts), shape=(len(rows), n_columns))
    matrix.sum_duplicates()
    return matrix


def _scales(documents: Documents) -> npt.NDArray[np.int32]:
    """Number the measures so that those that differ by their numbers only share one."""
    numbers: dict[str, int] = {}
    texts = (_NUMBERS.sub("#", documents.text(row)) for row in range(len(documents)))
    return np.fromiter((numbers.setdefault(t, len(numbers)) for t in texts), np.int32)


def key_of(text: str) -> int:
    """Hash a label or code so that equal writings of it meet.

    Parameters
    ----------
    text : str
        Any; case, accents and surplus space do not matter.

    Returns
    -------
    int
        32 bits, the same on every machine; whoever asks compares the texts as well.

    Examples
    --------
    >>> key_of("Âge  médian") == key_of("age median")
    True
    """
    return zlib.crc32(fold(text).encode("utf-8", "replace"))


def _exact_keys(catalog: Catalog) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Hash every label and code, for the variable that is searched by its own name."""
    n = len(catalog)
    names = chain(catalog.column("label"), catalog.codes)
    keys = np.fromiter(map(key_of, names), np.uint32, 2 * n)
    order = np.argsort(keys, kind="stable")
    return keys[order], (order % n).astype(np.int32)


def _variants(documents: Documents, analyzer: Analyzer, words: Postings) -> Arrays:
    """List the terms by which variants of one measure differ, and the measures that offer them.

    Terms that stand in many measures too, such as "years" or "households", name no variant.
    """
    catalog = documents.catalog
    labels, measures = catalog.column("label"), catalog.column("measure")
    most = max(_MAX_COMMON, _COMMON_SHARE * words.n_documents)
    of_text: dict[str, tuple[bytes, ...]] = {}
    offering: dict[bytes, set[int]] = {}
    for document, label, measure in zip(documents.of_row.tolist(), labels, measures, strict=True):
        if label == measure:
            continue
        text = variant_text(label, measure)
        if text not in of_text:
            of_text[text] = tuple(
                term.encode("utf-8", "replace")[:MAX_TERM_BYTES]
                for term in analyzer.terms(text)
                if words.frequency(term) <= most
            )
        for term in of_text[text]:
            offering.setdefault(term, set()).add(document)
    terms = sorted(offering)
    lists = [sorted(offering[term]) for term in terms]
    return {
        "variant_terms": np.array(terms or [b""], dtype=bytes),
        "variant_starts": np.cumsum([0, *map(len, lists)], dtype=np.int32),
        "variant_documents": np.array([d for found in lists for d in found], np.int32),
    }
