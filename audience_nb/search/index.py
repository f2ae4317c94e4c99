"""The finder: one catalogue, one query, a short list that says why."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog, DataType, Kind, Variable
from audience_nb.embedding import Encoder, default_encoder
from audience_nb.errors import DamagedFile, InvalidInput
from audience_nb.search.cache import IndexCache, cache_root
from audience_nb.search.concepts import Concepts, default_concepts
from audience_nb.search.documents import Documents, variant_text
from audience_nb.search.fusion import Evidence, Weights, fuse, implied_reasons, slot_evidence
from audience_nb.search.lexical import Analyzer, Postings, char_grams, fold, guess_language
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.variety import choose_by_facets
from audience_nb.search.vectors import Engine, VectorStore, unit_rows

__all__ = ["Query", "SearchIndex", "Suggestion"]

Progress: TypeAlias = Callable[[str, float], None]
Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

logger = logging.getLogger(__name__)

MAX_QUERY = 500
# Candidates that each channel sends to the exact rescoring.
CANDIDATES = 100
_BATCH = 512
MAX_FACETS = 5
# A part of a query that the catalogue answers this much worse than the others is no idea.
IDEA_PEAK = 0.6
# Where one variable serves every idea this well, beside the best for each, the query is one idea.
SERVES_ALL = 0.25
# Only a variable's own label or code scores 1.
BELOW_EXACT = 0.999
# From here on a variable is about a topic: half of its words, or else this near in meaning.
ABOUT_COVERAGE = 0.5
ABOUT_MEANING = 0.45


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Parameters
    ----------
    text : str
        As it is searched: without surplus space, at most 500 characters.
    limit : int
        At most so many suggestions.
    kinds, sources, categories : tuple of str
        Only variables of these; empty for all.
    data_type : {"first_party", "third_party", "clean_room"} or None
        Only variables that this data type may use.
    note : str
        What was done to the text, or "".

    Examples
    --------
    >>> Query.of("  high \\n income ").text
    'high income'
    """

    text: str
    limit: int = 15
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    data_type: DataType | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        text: str,
        limit: int = 15,
        *,
        kinds: Collection[Kind] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        data_type: DataType | None = None,
    ) -> Query:
        """Check and clean what a person typed.

        Parameters
        ----------
        text : str
            Anything; longer text is cut at a word and says so in `note`.
        limit : int, optional
            At least 1.
        kinds, sources, categories : collection of str, optional
            Filters; a single string counts as one value.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Filter.

        Returns
        -------
        Query

        Raises
        ------
        InvalidInput
            If the text has no letter or digit, or the limit is below 1.
        """
        if not isinstance(text, str):
            raise InvalidInput(f"The query is a {type(text).__name__}.", "Give it as text.")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InvalidInput(f"The limit is {limit!r}.", "Ask for at least 1 suggestion.")
        # Look only at as much of a paste as can matter.
        cleaned = " ".join(text[: 8 * MAX_QUERY].replace("\0", " ").split())
        note = ""
        if len(cleaned) > MAX_QUERY or len(text) > 8 * MAX_QUERY:
            cleaned = cleaned[:MAX_QUERY].rsplit(" ", 1)[0]
            note = f"Only the first {len(cleaned)} of {len(text):,} characters were searched."
        if not cleaned:
            raise InvalidInput(
                "The query is empty.",
                "Describe the audience, such as “families who cycle and buy organic food”.",
            )
        return cls(
            cleaned,
            limit,
            _tuple(kinds),  # type: ignore[arg-type]
            _tuple(sources),
            _tuple(categories),
            data_type,
            note,
        )


def _tuple(values: Collection[str] | None) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values or ())


@dataclass(frozen=True)
class Suggestion:
    """A variable that fits a query.

    Parameters
    ----------
    variable : Variable
        What was found.
    score : float
        In [0, 1]; 1 is the variable's own label or code.
    rank : int
        From 1.
    parts : dict of str to float
        "meaning", "words", "concepts", "spelling": they add up to the score.
    why : str
        The words, concepts and meaning that earned it.
    """

    variable: Variable
    score: float
    rank: int
    parts: dict[str, float]
    why: str


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
        self.weights = Weights()
        self._tell = progress or (lambda stage, fraction: None)
        self._columns: dict[str, npt.NDArray[np.str_]] = {}
        language = guess_language(catalog.column("label")[:2000])
        self._analyzer = Analyzer(language)
        self._cache = IndexCache(
            cache_root(cache_dir),
            {
                "catalog": catalog.fingerprint,
                "encoder": self.encoder.name if self.encoder else "none",
                "dimensions": str(self.encoder.n_dimensions if self.encoder else 0),
            },
        )
        arrays = self._open_or_build()
        self._documents = Documents(catalog, arrays["starts"], arrays["rows"])
        n_documents = len(self._documents)
        self._words = Postings(
            *(arrays[f"word_{a}"] for a in Postings.ARRAYS), n_documents=n_documents
        )
        self._grams = Postings(
            *(arrays[f"gram_{a}"] for a in Postings.ARRAYS), n_documents=n_documents
        )
        self._store = VectorStore(arrays["vectors"], engine=engine) if self.encoder else None
        self._keys, self._key_rows = arrays["keys"], arrays["key_rows"]
        self._variant_terms = arrays["variant_terms"]
        self._spellings = arrays["spellings"]
        self._reader = Reader(
            self._analyzer,
            self._words,
            lambda: [w.decode("utf-8", "replace") for w in self._spellings],
            concepts if concepts is not None else default_concepts(),
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
        return f"{len(self.catalog):,} variables, {len(self._documents):,} measures, by {how}."

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
        arrays = self._build()
        try:
            self._cache.publish(arrays)
            # The mapped copy lets go of the memory that building took.
            return self._cache.open()
        except (OSError, DamagedFile) as error:
            logger.warning("The search index is kept in memory only: %s", error)
            return arrays

    def _build(self) -> Arrays:
        self._tell("Reading the catalogue", 0.0)
        documents = Documents.build(self.catalog)
        stemmed, written = documents.bags(self._analyzer)
        self._tell("Indexing words", 0.05)
        words, grams = Postings.build(stemmed), Postings.build_grams(written)
        spellings = sorted({w.encode("utf-8", "replace")[:48] for bag in written for w in bag})
        keys, key_rows = self._exact_keys()
        arrays: Arrays = {
            "starts": documents.starts,
            "rows": documents.rows,
            "keys": keys,
            "key_rows": key_rows,
            "variant_terms": self._find_variant_terms(documents),
            "spellings": np.array(spellings or [b""], dtype=bytes),
            **{f"word_{k}": v for k, v in words.arrays().items()},
            **{f"gram_{k}": v for k, v in grams.arrays().items()},
        }
        arrays["vectors"] = self._encode_all(documents.texts())
        self._tell("Index built", 1.0)
        return arrays

    def _encode_all(self, texts: Sequence[Sequence[tuple[str, float]]]) -> npt.NDArray[np.float32]:
        """Give each document the mean vector of its texts, each distinct text encoded once."""
        if self.encoder is None:
            return np.zeros((0, 0), np.float32)
        distinct = list(dict.fromkeys(text for weighted in texts for text, _ in weighted))
        # Neighbours of like length share a batch, so that little of it is padding.
        distinct.sort(key=len)
        place = {text: i for i, text in enumerate(distinct)}
        known = np.empty((len(distinct), self.encoder.n_dimensions), np.float32)
        for first in range(0, len(distinct), _BATCH):
            part = distinct[first : first + _BATCH]
            known[first : first + len(part)] = unit_rows(self.encoder.encode(part))
            done = (first + len(part)) / len(distinct)
            self._tell("Learning meanings", 0.1 + 0.88 * done)
        vectors = np.zeros((len(texts), self.encoder.n_dimensions), np.float32)
        for row, weighted in enumerate(texts):
            for text, weight in weighted:
                vectors[row] += weight * known[place[text]]
        return unit_rows(vectors)

    def _exact_keys(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """Hash every label and code, for the variable that is searched by its own name."""
        labels, codes = self.catalog.column("label"), self.catalog.codes
        pairs = [(_key(text), row) for texts in (labels, codes) for row, text in enumerate(texts)]
        pairs.sort()
        keys = np.array([key for key, _ in pairs], np.uint64)
        return keys, np.array([row for _, row in pairs], np.int32)

    def _find_variant_terms(self, documents: Documents) -> npt.NDArray[np.bytes_]:
        """Collect the terms by which variants of one measure differ."""
        labels, measures = self.catalog.column("label"), self.catalog.column("measure")
        texts = {variant_text(a, b) for a, b in zip(labels, measures, strict=True) if a != b}
        terms = {term.encode() for text in texts for term in self._analyzer.terms(text)}
        return np.array(sorted(terms) or [b""], dtype=bytes)

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
        ranking = self._rank(reading, allowed)
        exact = self._exact_rows(query.text, allowed)
        return self._suggest(query.limit, reading, ranking, exact, allowed)

    def _allowed(self, query: Query) -> npt.NDArray[np.bool_] | None:
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

    def _exact_rows(self, text: str, allowed: npt.NDArray[np.bool_] | None) -> list[int]:
        """Find the rows whose label or code is the query itself."""
        key = np.uint64(_key(text))
        first, last = np.searchsorted(self._keys, key), np.searchsorted(self._keys, key, "right")
        wanted = fold(text)
        labels, codes = self.catalog.column("label"), self.catalog.codes
        rows = sorted({int(r) for r in self._key_rows[first:last]})
        return [
            row
            for row in rows
            if (allowed is None or allowed[row]) and wanted in (fold(labels[row]), fold(codes[row]))
        ]

    def _rank(self, reading: Reading, allowed: npt.NDArray[np.bool_] | None) -> _Ranking:
        """Score candidates against the whole query and, if it is compound, its ideas."""
        open_documents = None
        if allowed is not None:
            held = self._documents.of_row[allowed]
            open_documents = np.bincount(held, minlength=len(self._documents)) > 0
        readings = [reading]
        if len(reading.facets) > 1:
            readings += [self._reader.read(facet) for facet in reading.facets[:MAX_FACETS]]
        vectors = self._encode(readings)
        candidates = [
            self._candidates(r, None if vectors is None else vectors[i], open_documents)
            for i, r in enumerate(readings)
        ]
        documents = np.unique(np.concatenate([c for c, _ in candidates]))
        scored = []
        for i, (one, (_, spelling)) in enumerate(zip(readings, candidates, strict=True)):
            evidence = slot_evidence(one.slots, self._words, documents, self._variant_set)
            meaning = None
            if vectors is not None and self._store is not None:
                meaning = self._store.scores(vectors[i], documents).astype(np.float64)
            near = spelling[documents].astype(np.float64)
            score, parts = fuse(meaning, evidence, near, self.weights)
            scored.append(_Scored(one, score, parts, evidence, meaning))
        return _Ranking(documents, scored[0], scored[1:])

    def _encode(self, readings: Sequence[Reading]) -> npt.NDArray[np.float32] | None:
        """Give a vector for each reading: between what was said and what was meant by it."""
        if self.encoder is None or self._store is None:
            return None
        texts = list(dict.fromkeys(t for r in readings for t in (r.text, r.meant)))
        place = {text: i for i, text in enumerate(texts)}
        vectors = self.encoder.encode(texts)
        return unit_rows(
            np.stack([vectors[place[r.text]] + vectors[place[r.meant]] for r in readings])
        )

    def _candidates(
        self,
        reading: Reading,
        vector: npt.NDArray[np.float32] | None,
        open_documents: npt.NDArray[np.bool_] | None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Give the union of each channel's best documents, and all spelling scores."""
        terms: dict[str, float] = {}
        for slot in reading.slots:
            terms[slot.term] = max(1.0, terms.get(slot.term, 0))
            for term, weight, _ in slot.alternatives:
                terms[term] = max(weight, terms.get(term, 0))
        words = self._words.scores(terms)
        spelling = self._grams.scores(Counter(g for w in reading.words for g in char_grams(w)))
        nearest: list[npt.NDArray[np.int64]] = []
        if vector is not None and self._store is not None:
            if open_documents is None:
                nearest.append(self._store.search(vector, CANDIDATES)[0])
            else:
                rows = np.flatnonzero(open_documents)
                nearest.append(rows[_top(self._store.scores(vector, rows), CANDIDATES)])
        if open_documents is not None:
            words, spelling = words * open_documents, spelling * open_documents
        nearest += [_top(channel, CANDIDATES) for channel in (words, spelling)]
        found = np.unique(np.concatenate(nearest))
        if open_documents is not None:
            found = found[open_documents[found]]
        return found, spelling

    def _suggest(
        self,
        limit: int,
        reading: Reading,
        ranking: _Ranking,
        exact: list[int],
        allowed: npt.NDArray[np.bool_] | None,
    ) -> list[Suggestion]:
        documents, whole = ranking.documents, ranking.whole
        score, parts = whole.score, dict(whole.parts)
        facets = self._ideas(ranking) if not exact else []
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
        if facets:
            chosen = choose_by_facets(score[order], fits[:, order], limit)
            order = order[sorted(chosen)]
        # What the query names itself comes first, whatever the channels say.
        columns = [int(c) for c in order if int(documents[c]) not in exact_documents]
        named = [(d, row) for d, row in exact_documents.items()]
        result: list[Suggestion] = []
        for document, row in sorted(named, key=lambda pair: pair[1])[:limit]:
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
                    self._why(source, int(documents[column]), column),
                )
            )
        return result

    def _ideas(self, ranking: _Ranking) -> list[_Scored]:
        """Give the ideas of a compound query; none if one variable can serve them all."""
        peaks = [f.score.max(initial=0) for f in ranking.facets]
        kept = [f for f, p in zip(ranking.facets, peaks, strict=True) if p > IDEA_PEAK * max(peaks)]
        if len(kept) < 2:
            return []
        served = np.min([f.score / f.score.max() for f in kept], axis=0)
        return kept if served.max() < SERVES_ALL else []

    def _exact_suggestion(self, row: int, rank: int) -> Suggestion:
        variable = self.catalog[self.catalog.codes[row]]
        parts = {"words": 1.0, "concepts": 0.0, "spelling": 0.0}
        if self.encoder is not None:
            parts = {"meaning": 0.0, **parts}
        return Suggestion(variable, 1.0, rank, parts, "its own label or code")

    def _variant(
        self, reading: Reading, document: int, allowed: npt.NDArray[np.bool_] | None
    ) -> int:
        """Choose the variant that the query names, else the preferred one."""
        rows = [int(r) for r in self._documents.variants(document)]
        if allowed is not None:
            rows = [r for r in rows if allowed[r]]
        asked = self._asked_variants(reading)
        if len(rows) == 1 or not asked:
            return rows[0]
        labels, measures = self.catalog.column("label"), self.catalog.column("measure")
        named = [
            len(asked.intersection(self._analyzer.terms(variant_text(labels[r], measures[r]))))
            for r in rows
        ]
        return rows[int(np.argmax(named))]

    def _asked_variants(self, reading: Reading) -> frozenset[str]:
        terms = {slot.term for slot in reading.slots}
        terms |= {t for slot in reading.slots for t, w, _ in slot.alternatives if w >= 0.9}
        return frozenset(terms & self._variant_set)

    @cached_property
    def _variant_set(self) -> frozenset[str]:
        return frozenset(t.decode() for t in self._variant_terms)

    def _why(self, scored: _Scored, document: int, column: int) -> str:
        """Say which words, concepts and meaning earned a place."""
        reasons = []
        slots, evidence = scored.reading.slots, scored.evidence
        words = [s.word for i, s in enumerate(slots) if evidence.literal[i, column] > 0]
        if words:
            quoted = ", ".join(f"“{_spoken(w)}”" for w in words[:5])
            reasons.append(f"words: {quoted}")
        implied = implied_reasons(scored.reading, self._words, evidence, document, column)
        told = list(dict.fromkeys(why for _, why in implied))
        concepts = [
            w for w in told if any(w.startswith(f"{c.name} →") for c in scored.reading.concepts)
        ]
        synonyms = [w for w in told if w not in concepts]
        if concepts:
            reasons.append(f"concept: {'; '.join(concepts[:3])}")
        if synonyms:
            reasons.append(f"also: {', '.join(synonyms[:3])}")
        for written, read in scored.reading.mended[:2]:
            reasons.append(f"spelling: {written} → {read}")
        if scored.meaning is not None and scored.meaning[column] > 0:
            reasons.append(f"meaning {scored.meaning[column]:.2f}".replace("0.", "."))
        if not reasons:
            reasons.append("similar spelling")
        return "; ".join(reasons)

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
            vector = self._encode([reading])
            if vector is not None and self._store is not None:
                related = self._store.scores(vector[0], documents) >= ABOUT_MEANING
        return [code for code, at in zip(codes, place, strict=True) if related[at]]


@dataclass(frozen=True)
class _Scored:
    """One reading against all candidates."""

    reading: Reading
    score: npt.NDArray[np.float64]
    parts: dict[str, npt.NDArray[np.float64]]
    evidence: Evidence
    meaning: npt.NDArray[np.float64] | None


@dataclass(frozen=True)
class _Ranking:
    documents: npt.NDArray[np.int64]
    whole: _Scored
    facets: list[_Scored]


def _top(scores: npt.NDArray[np.float32], n: int) -> npt.NDArray[np.int64]:
    """Give the rows of the n largest positive scores; of equal ones the first."""
    positive = int(np.count_nonzero(scores > 0))
    n = min(n, positive)
    if n == 0:
        return np.empty(0, np.int64)
    # The n-th largest decides; ties at the edge are settled by row, so that runs agree.
    edge = np.partition(scores, len(scores) - n)[len(scores) - n]
    above = np.flatnonzero(scores > edge)
    return np.concatenate([above, np.flatnonzero(scores == edge)[: n - len(above)]])


def _key(text: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(fold(text).encode("utf-8", "replace"), digest_size=8).digest()
    )


def _spoken(word: str) -> str:
    low, _, high = word.partition("_")
    if not high:
        return word
    return f"{low} and over" if high == "up" else f"{low} to {high}"
