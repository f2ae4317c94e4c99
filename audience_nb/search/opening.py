"""The two halves of an index, words and meanings: opened where they are stored, else built."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeAlias

from audience_nb.catalog import Catalog
from audience_nb.embedding import Encoder
from audience_nb.errors import DamagedFile
from audience_nb.search.building import Arrays, Progress, build_words
from audience_nb.search.cache import IndexCache
from audience_nb.search.cells import CELLS_FROM, CellStore, build_cells
from audience_nb.search.documents import Documents
from audience_nb.search.latent import LatentEncoder, latent_arrays
from audience_nb.search.learning import document_vectors
from audience_nb.search.lexical import Analyzer
from audience_nb.search.parts import TextParts
from audience_nb.search.postings import Postings
from audience_nb.search.vectors import Engine, VectorStore

__all__ = ["Meanings", "caches_of", "open_meanings", "open_words"]

Meanings: TypeAlias = tuple[Encoder, VectorStore, TextParts | None]

logger = logging.getLogger(__name__)

# Shares of the work that the two halves are, for who watches.
WORDS_SHARE = 0.1


def caches_of(
    catalog: Catalog, encoder: Encoder | None, root: Path
) -> tuple[IndexCache, IndexCache]:
    """Give the places where the two halves of an index are kept, be they there or not.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    encoder : Encoder or None
        None for latent semantic analysis.
    root : pathlib.Path
        Directory of all caches.

    Returns
    -------
    words, meanings : IndexCache
    """
    meanings = {
        "half": "meanings",
        "catalog": catalog.fingerprint,
        "encoder": encoder.name if encoder is not None else LatentEncoder.NAME,
        "dimensions": str(encoder.n_dimensions if encoder is not None else 0),
    }
    words = {"half": "words", "catalog": catalog.fingerprint}
    return IndexCache(root, words), IndexCache(root, meanings)


def open_words(catalog: Catalog, root: Path, tell: Progress) -> Arrays:
    """Open what a catalogue says, or read it.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    root : pathlib.Path
        Directory of all caches.
    tell : callable
        Called with a stage and a fraction in [0, 1].

    Returns
    -------
    dict of str to ndarray
        As `build_words` gives them.
    """
    cache = caches_of(catalog, None, root)[0]
    return _opened(cache) or _kept(cache, build_words(catalog, tell))


def open_meanings(
    catalog: Catalog,
    encoder: Encoder | None,
    root: Path,
    engine: Engine,
    words: tuple[Documents, Analyzer, Postings],
    tell: Progress | None,
) -> Meanings | None:
    """Open what a catalogue means, or learn it.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    encoder : Encoder or None
        None for latent semantic analysis.
    root : pathlib.Path
        Directory of all caches.
    engine : {"auto", "faiss", "numpy"}
        What finds the nearest vectors.
    words : tuple of (Documents, Analyzer, Postings)
        Of the catalogue.
    tell : callable or None
        Called with a stage and a fraction in [0, 1]; None to open only what is stored.

    Returns
    -------
    tuple of (Encoder, VectorStore, TextParts or None), or None
        None where nothing is stored and nothing is to be built.
    """
    documents, analyzer, postings = words
    cache = caches_of(catalog, encoder, root)[1]
    arrays = _opened(cache)
    if arrays is None:
        if tell is None:
            return None
        if encoder is None:
            tell("Learning meanings", 0.0)
            built = latent_arrays(postings)
        else:
            built = document_vectors(documents, encoder, tell, cache.unfinished)
        if len(built["vectors"]) >= CELLS_FROM:
            tell("Sorting meanings", 0.99)
            cells = build_cells(built["vectors"], engine=engine)
            built["vectors"] = built["vectors"][cells["order"]]
            built |= {f"cell_{name}": array for name, array in cells.items()}
        arrays = _kept(cache, built)
    asks = encoder or LatentEncoder(analyzer, postings, arrays["directions"])
    parts = None
    if "part_of" in arrays:
        parts = TextParts(documents, arrays["part_vectors"], arrays["part_of"])
    if "cell_order" in arrays:
        cells = {n.removeprefix("cell_"): a for n, a in arrays.items() if n.startswith("cell_")}
        return asks, CellStore(arrays["vectors"], cells, engine=engine), parts
    return asks, VectorStore(arrays["vectors"], engine=engine), parts


def _opened(cache: IndexCache) -> Arrays | None:
    try:
        return cache.open()
    except FileNotFoundError:
        return None
    except DamagedFile as error:
        logger.warning("The cached search index is rebuilt: %s", error)
        return None


def _kept(cache: IndexCache, arrays: Arrays) -> Arrays:
    try:
        cache.publish(arrays)
        # The mapped copy lets go of the memory that building took.
        return cache.open()
    except (OSError, DamagedFile) as error:
        logger.warning("The search index is kept in memory only: %s", error)
        return arrays


def part_of(tell: Progress, first: float, last: float) -> Progress:
    """Give a progress callback for a part of the work.

    Parameters
    ----------
    tell : callable
        Of the whole.
    first, last : float
        Where the part lies in it.

    Returns
    -------
    callable

    Examples
    --------
    >>> part_of(print, 0.5, 1.0)("Reading", 0.5)
    Reading 0.75
    """

    def told(stage: str, fraction: float) -> None:
        tell(stage, first + (last - first) * fraction)

    return told
