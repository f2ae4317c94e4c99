"""The finder: one catalogue, one query, a short list that says why."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog, DataType, Kind
from audience_nb.embedding import Encoder, default_encoder
from audience_nb.errors import DamagedFile
from audience_nb.search.building import Arrays, Progress, build_arrays, key_of
from audience_nb.search.cache import IndexCache, cache_root
from audience_nb.search.concepts import Concepts, default_concepts
from audience_nb.search.documents import Documents, variant_text
from audience_nb.search.fusion import Weights, slot_evidence
from audience_nb.search.lexical import Analyzer, Language, fold
from audience_nb.search.postings import Postings
from audience_nb.search.query import Query, Suggestion
from audience_nb.search.ranking import Ranker, Ranking, ideas
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.reasons import why
from audience_nb.search.variety import choose_by_facets
from audience_nb.search.vectors import Engine, VectorStore

__all__ = ["SearchIndex"]

Mask: TypeAlias = npt.NDArray[np.bool_]

logger = logging.getLogger(__name__)

# Only a variable's own label or code scores 1.
BELOW_EXACT = 0.999
# A word that means another this surely names a variant by it: "count" for "number".
NAMES_VARIANT = 1.0
# So many bands of one scale at most, or a fifth of the list, unless the query has numbers.
SAME_BUT_NUMBERS = 3
_NUMBERS = re.compile(
    r"(?:under |over )?\$?\d[\d,.]*(?:(?: to |-)\$?\d[\d,.]*| and over| or more)?"
)
# From here on a variable is about a topic: half of its words, or else this near in meaning.
ABOUT_COVERAGE = 0.5
ABOUT_MEANING = 0.45


class SearchIndex:
    """Search over one catalogue.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    encoder : Encoder, optional
        By default the offline one where its package is installed. Without any the search goes
        by words, concepts and spelling, and `description` says so.
    cache_dir : str or pathlib.Path, optional
        By default AUDIENCE_NB_CACHE, else the platform's place for a user's caches.
    progress : callable, optional
        Called with a stage in words and a fraction in [0, 1]; may raise `Cancelled`.
    engine : {"auto", "faiss", "numpy"}, optional
        Which code finds the nearest vectors; the answers are the same.
    concepts : Concepts, optional
        By default those that ship with the package and were registered.

    Examples
    --------
    >>> catalog = Catalog.from_records(
    ...     [
    ...         {"code": "INC", "label": "Household income of $100,000 and over"},
    ...         {"code": "DOG", "label": "Households with a dog"},
    ...     ]
    ... )
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index = SearchIndex(catalog, cache_dir=folder)
    ...     [s.variable.code for s in index.search("affluent", limit=1)]
    ['INC']
    """

    def __init__(
        self,
        catalog: Catalog,
        encoder: Encoder | None = None,
        *,
        cache_dir: str | Path | None = None,
        progress: Progress | None = None,
        engine: Engine = "auto",
        concepts: Concepts | None = None,
    ) -> None:
        self.catalog = catalog
        self.encoder = encoder if encoder is not None else default_encoder()
        self._tell = progress or (lambda stage, fraction: None)
        self._columns: dict[str, npt.NDArray[np.str_]] = {}
        self._cache = IndexCache(
            cache_root(cache_dir),
            {
                "catalog": catalog.fingerprint,
                "encoder": self.encoder.name if self.encoder else "none",
                "dimensions": str(self.encoder.n_dimensions if self.encoder else 0),
            },
        )
        arrays = self._open_or_build()
        language: Language = "french" if arrays["language"][0] == b"french" else "english"
        self._analyzer = Analyzer(language)
        self._documents = Documents(catalog, arrays["starts"], arrays["rows"])
        self._words = _postings(arrays, "word", len(self._documents))
        self._store = VectorStore(arrays["vectors"], engine=engine) if self.encoder else None
        self._keys, self._key_rows = arrays["keys"], arrays["key_rows"]
        self._variant_terms = frozenset(t.decode() for t in arrays["variant_terms"])
        spellings = arrays["spellings"]
        self._reader = Reader(
            self._analyzer,
            self._words,
            lambda: [word.decode("utf-8", "replace") for word in spellings],
            concepts if concepts is not None else default_concepts(),
        )
        self._ranker = Ranker(
            self._reader,
            self._words,
            _postings(arrays, "gram", len(self._documents)),
            self.encoder,
            self._store,
            self._variant_terms,
            Weights(),
        )

    @property
    def description(self) -> str:
        """What is searched and how, in one sentence."""
        how = (
            f"meaning by {self.encoder.name} ({self._store.engine}, exact), words, concepts and "
            "spelling"
            if self.encoder and self._store
            else "words, concepts and spelling only, as no encoder is installed"
        )
        return f"{len(self.catalog):,} variables, {len(self._documents):,} measures, by {how}"

    def __repr__(self) -> str:
        return f"SearchIndex({self.description!r})"

    # -- building ------------------------------------------------------------------------------

    def _open_or_build(self) -> Arrays:
        try:
            arrays = self._cache.open()
            self._tell("Index opened", 1.0)
            return arrays
        except FileNotFoundError:
            pass
        except DamagedFile as error:
            logger.warning("The cached search index is rebuilt: %s", error)
        arrays = build_arrays(self.catalog, self.encoder, self._tell)
        try:
            self._cache.publish(arrays)
            # The mapped copy lets go of the memory that building took.
            return self._cache.open()
        except (OSError, DamagedFile) as error:
            logger.warning("The search index is kept in memory only: %s", error)
            return arrays

    # -- searching -----------------------------------------------------------------------------

    def search(
        self,
        text: str | Query,
        limit: int = 15,
        *,
        kinds: Collection[Kind] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        data_type: DataType | None = None,
    ) -> list[Suggestion]:
        """Find the variables that fit a description best.

        Parameters
        ----------
        text : str or Query
            The audience in a person's own words; a label or a code finds its variable.
        limit : int, optional
            At most so many suggestions; each is another measure.
        kinds, sources, categories : collection of str, optional
            Only variables of these.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Only variables that this data type may use.

        Returns
        -------
        list of Suggestion
            Best first; equal scores in catalogue order.

        Raises
        ------
        InvalidInput
            If the text is empty or the limit below 1.
        """
        query = (
            text
            if isinstance(text, Query)
            else Query.of(
                text,
                limit,
                kinds=kinds,
                sources=sources,
                categories=categories,
                data_type=data_type,
            )
        )
        if query.note:
            logger.info(query.note)
        allowed = self._allowed(query)
        if allowed is not None and not allowed.any():
            return []
        reading = self._reader.read(query.text)
        open_documents = None
        if allowed is not None:
            held = self._documents.of_row[allowed]
            open_documents = np.bincount(held, minlength=len(self._documents)) > 0
        ranking = self._ranker.rank(reading, open_documents)
        exact = self._exact_rows(query.text, allowed)
        return self._suggest(query.limit, reading, ranking, exact, allowed)

    def _allowed(self, query: Query) -> Mask | None:
        """Mark the rows that pass the filters; None if all do."""
        masks = [
            np.isin(self._column(name), values)
            for name, values in (
                ("kind", query.kinds),
                ("source", query.sources),
                ("category", query.categories),
            )
            if values
        ]
        if query.data_type:
            lists = self._column("availability")
            usable = [x for x in np.unique(lists) if query.data_type in str(x).split("|")]
            masks.append(np.isin(lists, usable))
        return np.logical_and.reduce(masks) if masks else None

    def _column(self, name: str) -> npt.NDArray[np.str_]:
        if name not in self._columns:
            self._columns[name] = np.array(self.catalog.column(name))
        return self._columns[name]

    def _exact_rows(self, text: str, allowed: Mask | None) -> list[int]:
        """Find the rows whose label or code is the query itself."""
        key = np.uint64(key_of(text))
        first, last = np.searchsorted(self._keys, key), np.searchsorted(self._keys, key, "right")
        wanted = fold(text)
        labels, codes = self.catalog.column("label"), self.catalog.codes
        rows = sorted({int(r) for r in self._key_rows[first:last]})
        return [
            row
            for row in rows
            if (allowed is None or allowed[row]) and wanted in (fold(labels[row]), fold(codes[row]))
        ]

    def _suggest(
        self,
        limit: int,
        reading: Reading,
        ranking: Ranking,
        exact: list[int],
        allowed: Mask | None,
    ) -> list[Suggestion]:
        documents, whole = ranking.documents, ranking.whole
        score, parts = whole.score, dict(whole.parts)
        facets = ideas(ranking) if not exact else []
        best = np.zeros(len(documents), np.int64)
        fits = np.zeros((0, len(documents)))
        if facets:
            # Each idea's best answer counts alike, however well the catalogue answers it.
            peaks = np.array([f.score.max() for f in facets])
            scale = peaks.mean() / peaks
            fits = np.stack([f.score for f in facets]) * scale[:, None]
            best = fits.argmax(0)
            share = {
                name: np.choose(
                    best, [f.parts[name] * k for f, k in zip(facets, scale, strict=True)]
                )
                for name in parts
            }
            parts = {name: (parts[name] + share[name]) / 2 for name in parts}
            score = (score + fits.max(0)) / 2
        exact_documents = {int(self._documents.of_row[row]): row for row in reversed(exact)}
        order = np.lexsort((documents, -score))
        if not any(c.isdigit() for c in reading.text):
            order = self._spread(order, documents, limit)
        if facets:
            chosen = choose_by_facets(score[order], fits[:, order], limit)
            order = order[sorted(chosen)]
        # What the query names itself comes first, whatever the channels say.
        columns = [int(c) for c in order if int(documents[c]) not in exact_documents]
        result: list[Suggestion] = []
        for row in sorted(exact_documents.values())[:limit]:
            result.append(self._exact_suggestion(row, len(result) + 1))
        for column in columns[: limit - len(result)]:
            value = float(score[column])
            if value <= 0:
                break
            shrink = min(1.0, BELOW_EXACT / value)
            row = self._variant(reading, int(documents[column]), allowed)
            source = facets[best[column]] if facets else whole
            result.append(
                Suggestion(
                    self.catalog[self.catalog.codes[row]],
                    value * shrink,
                    len(result) + 1,
                    {name: float(part[column]) * shrink for name, part in parts.items()},
                    why(source, self._words, int(documents[column]), column),
                )
            )
        return result

    def _spread(
        self, order: npt.NDArray[np.intp], documents: npt.NDArray[np.int64], limit: int
    ) -> npt.NDArray[np.intp]:
        """Leave out all but the best few of measures that differ by their numbers only."""
        most = max(SAME_BUT_NUMBERS, limit // 5)
        seen: Counter[str] = Counter()
        kept: list[int] = []
        for column in order:
            text = _without_numbers(self._documents.text(int(documents[column])))
            seen[text] += 1
            if seen[text] <= most:
                kept.append(int(column))
        if len(kept) < limit:
            return order
        return np.array(kept, np.intp)

    def _exact_suggestion(self, row: int, rank: int) -> Suggestion:
        variable = self.catalog[self.catalog.codes[row]]
        parts = {"words": 1.0, "concepts": 0.0, "spelling": 0.0}
        if self.encoder is not None:
            parts = {"meaning": 0.0, **parts}
        return Suggestion(variable, 1.0, rank, parts, "its own label or code")

    def _variant(self, reading: Reading, document: int, allowed: Mask | None) -> int:
        """Choose the variant that the query names, else the preferred one."""
        rows = [int(r) for r in self._documents.variants(document)]
        if allowed is not None:
            rows = [r for r in rows if allowed[r]]
        asked = self._asked_variants(reading)
        if len(rows) == 1 or not asked:
            return rows[0]
        labels, measures = self.catalog.column("label"), self.catalog.column("measure")
        # What the measure says of itself tells its variants not apart.
        asked = asked.difference(self._analyzer.terms(measures[rows[0]]))
        named = [
            len(asked.intersection(self._analyzer.terms(variant_text(labels[r], measures[r]))))
            for r in rows
        ]
        return rows[int(np.argmax(named))]

    def _asked_variants(self, reading: Reading) -> frozenset[str]:
        terms = {slot.term for slot in reading.slots}
        terms |= {
            t for slot in reading.slots for t, w, _ in slot.alternatives if w >= NAMES_VARIANT
        }
        return frozenset(terms & self._variant_terms)

    def about(self, text: str, codes: Collection[str]) -> list[str]:
        """Tell which of some variables are about a topic.

        Parameters
        ----------
        text : str
            A topic, such as "income" or "revenu".
        codes : collection of str
            Codes of the catalogue.

        Returns
        -------
        list of str
            Those that are, in the order given.

        Raises
        ------
        InvalidInput
            If the text is empty.
        NotFound
            If a code is not in the catalogue.
        """
        reading = self._reader.read(Query.of(text).text)
        codes = list(codes)
        rows = [self.catalog.position(code) for code in codes]
        if not rows:
            return []
        documents, place = np.unique(self._documents.of_row[rows], return_inverse=True)
        evidence = slot_evidence(reading.slots, self._words, documents)
        related = evidence.covered >= ABOUT_COVERAGE
        if not related.any():
            vector = self._ranker.encode([reading])
            if vector is not None and self._store is not None:
                related = self._store.scores(vector[0], documents) >= ABOUT_MEANING
        return [code for code, at in zip(codes, place, strict=True) if related[at]]


@lru_cache(maxsize=65536)
def _without_numbers(text: str) -> str:
    return _NUMBERS.sub("#", text)


def _postings(arrays: Arrays, prefix: str, n_documents: int) -> Postings:
    terms, starts, documents, weights, idf = (arrays[f"{prefix}_{a}"] for a in Postings.ARRAYS)
    return Postings(terms, starts, documents, weights, idf, n_documents)
