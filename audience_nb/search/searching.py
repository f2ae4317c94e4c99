"""One query against an opened index: ranked, parted into ideas, one row a measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from itertools import zip_longest
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog, DataType, Variable
from audience_nb.embedding import Encoder
from audience_nb.search.building import Arrays
from audience_nb.search.concepts import Concepts
from audience_nb.search.documents import Documents
from audience_nb.search.filters import Filters, Names
from audience_nb.search.fusion import Weights, slot_evidence
from audience_nb.search.grams import GramIndex
from audience_nb.search.intents import Intent
from audience_nb.search.latent import LatentEncoder
from audience_nb.search.lexical import Analyzer, Language, stop_words
from audience_nb.search.parts import TextParts
from audience_nb.search.postings import Postings
from audience_nb.search.query import Query, Suggestion
from audience_nb.search.ranking import Ranker, Ranking, ideas
from audience_nb.search.reading import Reader, Reading
from audience_nb.search.reasons import Reasons
from audience_nb.search.variants import Variants
from audience_nb.search.variety import choose_by_facets
from audience_nb.search.vectors import VectorStore

__all__ = ["Searcher"]

Mask: TypeAlias = npt.NDArray[np.bool_]

# Only a variable's own label or code scores 1.
BELOW_EXACT = 0.999
# How far down the list a measure is looked for that the query names.
NAMED_AMONG, ALL_COVERED = 40, 0.999
# So many bands of one scale at most, or a fifth of the list, unless the query has numbers.
SAME_BUT_NUMBERS = 3
# Words that are prepared for, of each sort.
_USUAL = 600
# From here on a variable is about a topic: half of its words, or else this near in meaning.
ABOUT_COVERAGE = 0.5
ABOUT_MEANING = 0.45


class Searcher:
    """Answers queries from the arrays of an index.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    arrays : dict of str to ndarray
        As `build_words` gives them.
    concepts : Concepts
        What words stand for.
    weights : Weights
        Of the channels.
    """

    def __init__(
        self, catalog: Catalog, arrays: Arrays, concepts: Concepts, weights: Weights
    ) -> None:
        language: Language = "french" if arrays["language"][0] == b"french" else "english"
        self.catalog, self.analyzer = catalog, Analyzer(language)
        self.documents = Documents(catalog, arrays["starts"], arrays["rows"])
        n_documents = len(self.documents)
        self.words = Postings(
            **{name: arrays[f"word_{name}"] for name in Postings.ARRAYS}, n_documents=n_documents
        )
        self._concepts = concepts
        self._grams = GramIndex(**{name: arrays[f"spelling_{name}"] for name in GramIndex.ARRAYS})
        self._names = Names(catalog, arrays["keys"], arrays["key_rows"])
        self._filters = Filters(catalog)
        self._scales = arrays["scales"]
        starts, offering = arrays["variant_starts"], arrays["variant_documents"]
        self._offered = {
            term.decode("utf-8", "replace"): offering[a:b]
            for term, a, b in zip(arrays["variant_terms"], starts, starts[1:], strict=False)
        }
        self._variants = Variants(catalog, self.documents, self.analyzer, self._offered)
        self._weights = weights
        self._burden, self._kinds = arrays["burden"], arrays["kinds"]
        spellings = arrays["spelling_words"]
        self._reader = Reader(
            self.analyzer,
            self.words,
            lambda: [word.decode("utf-8", "replace") for word in spellings],
            concepts,
        )
        self.mean(None, None)

    def mean(
        self,
        encoder: Encoder | None,
        store: VectorStore | None,
        parts: TextParts | None = None,
    ) -> None:
        """Search by meaning from now on.

        Parameters
        ----------
        encoder : Encoder or None
            Of queries.
        store : VectorStore or None
            Of the documents.
        parts : TextParts, optional
            Of the documents, to say which of their texts a query is near to.
        """
        self._parts = parts
        # One assignment: a search that is under way goes on with what it began with.
        self._ranker = Ranker(
            self._reader,
            self.words,
            self._grams,
            encoder,
            store,
            self._offered,
            self._weights,
            self._burden,
            self._kinds,
        )

    @property
    def failure(self) -> Exception | None:
        """Why the last query went without meaning, though there is an encoder."""
        return self._ranker.failure

    def usual_words(self) -> list[str]:
        """Give the words that queries are likely to have, the likeliest first.

        Returns
        -------
        list of str
            Words that all sentences have, those in which concepts are written plainly, and the
            commonest of the catalogue, in turns.
        """
        counts = Counter(
            word
            for concept in self._concepts.concepts
            for word in (concept.meaning + " " + " ".join(concept.phrases)).split()
        )
        said = [word for word, _ in counts.most_common(_USUAL)]
        grams = self._grams
        common = np.argsort(-np.diff(grams.starts), kind="stable")[:_USUAL].tolist()
        written = [grams.words[row].decode("utf-8", "replace") for row in common]
        turns = (word for pair in zip_longest(said, written) for word in pair if word)
        return list(dict.fromkeys([*sorted(stop_words(self.analyzer.language)), *turns]))

    def read(self, query: Query) -> Reading:
        """Tell how a query is understood.

        Parameters
        ----------
        query : Query
            Any.

        Returns
        -------
        Reading
            With the intents that the query gives, if it does.
        """
        reading = self._reader.read(query.text)
        if query.intents is None:
            return reading
        # As a person said it, whatever the words tell.
        share = 1 / max(len(query.intents), 1)
        given = tuple(Intent(kind, share, ()) for kind in query.intents)
        return replace(reading, intents=given)

    def search(self, query: Query) -> list[Suggestion]:
        """Find the variables that fit a query best.

        Parameters
        ----------
        query : Query
            With its limit and filters.

        Returns
        -------
        list of Suggestion
            Best first; equal scores in catalogue order.
        """
        allowed = self._filters.allowed(query)
        if allowed is not None and not allowed.any():
            return []
        ranker = self._ranker
        reading = self.read(query)
        open_documents = None
        if allowed is not None:
            open_documents = np.zeros(len(self.documents), bool)
            open_documents[self.documents.of_row[allowed]] = True
        ranking = ranker.rank(reading, open_documents)
        exact = self._names.rows(query.text, allowed)
        return self._suggest(query.limit, reading, ranking, exact, allowed)

    def variants(self, row: int, data_type: DataType | None = None) -> list[Variable]:
        """Give all variants of the measure of a variable.

        Parameters
        ----------
        row : int
            Of the variable.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Only variables that this data type may use.

        Returns
        -------
        list of Variable
            The preferred first.
        """
        allowed = self._filters.allowed(Query("", data_type=data_type))
        rows = self._variants.rows(int(self.documents.of_row[row]), allowed)
        return [self.catalog.at(r) for r in rows]

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
        exact_documents = {int(self.documents.of_row[row]): row for row in reversed(exact)}
        order = np.lexsort((documents, -score))
        if not facets and len(order):
            # What is asked for without a word more comes before what says more.
            named = self._named(reading, ranking, order)
            top = score[order[0]]
            rise = np.where(named, top / np.maximum(score, 1e-12), 1.0)
            score = np.where(named, top, score)
            parts = {name: part * rise for name, part in parts.items()}
            order = np.lexsort((documents, ~named, -score))
        if not any(c.isdigit() for c in reading.text):
            order = self._spread(order, documents, limit)
        if facets:
            chosen = choose_by_facets(score[order], fits[:, order], limit)
            order = order[sorted(chosen)]
        asked = self._variants.asked(reading)
        # What the query names itself comes first, whatever the channels say.
        columns = order.tolist()
        if exact_documents:
            columns = [c for c in columns if int(documents[c]) not in exact_documents]
        result: list[Suggestion] = []
        for row in sorted(exact_documents.values())[:limit]:
            result.append(self._exact_suggestion(row, len(result) + 1, list(parts), allowed))
        columns = [c for c in columns[: limit - len(result)] if score[c] > 0]
        sources = {c: facets[best[c]] if facets else whole for c in columns}
        reasons: dict[int, Reasons] = {}
        for source in facets or [whole]:
            own = [c for c in columns if sources[c] is source]
            rows = documents[own].tolist()
            near = None
            if self._parts is not None and source.meaning is not None and source.vector is not None:
                near = self._parts.nearest(source.vector, rows, source.meaning[own].tolist())
            told = Reasons(source, self.words, rows, own, near)
            reasons |= dict.fromkeys(own, told)
        values = score[columns].tolist()
        earned = np.stack([part[columns] for part in parts.values()], axis=1).tolist()
        for column, value, shares in zip(columns, values, earned, strict=True):
            shrink = min(1.0, BELOW_EXACT / value)
            document = int(documents[column])
            rows = self._variants.rows(document, allowed)
            row = self._variants.choose(document, rows, asked)
            result.append(
                Suggestion(
                    self.catalog.at(row),
                    value * shrink,
                    len(result) + 1,
                    {name: part * shrink for name, part in zip(parts, shares, strict=True)},
                    reasons[column].why(column),
                    self._variants.codes(rows, row),
                )
            )
        return result

    def _named(
        self, reading: Reading, ranking: Ranking, order: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.bool_]:
        """Mark the candidates whose measure the query names, with or without a variant of it."""
        named = np.zeros(len(order), bool)
        wanted = {slot.term for slot in reading.slots}
        asked = self._variants.asked(reading)
        covered = ranking.whole.evidence.covered
        for column in order[:NAMED_AMONG]:
            if covered[column] > ALL_COVERED:
                text = self.documents.text(int(ranking.documents[column]))
                terms = set(self.analyzer.terms(text))
                named[column] = terms <= wanted <= terms | asked
        return named

    def _spread(
        self, order: npt.NDArray[np.intp], documents: npt.NDArray[np.int64], limit: int
    ) -> npt.NDArray[np.intp]:
        """Leave out all but the best few of measures that differ by their numbers only."""
        most = max(SAME_BUT_NUMBERS, limit // 5)
        scale = self._scales[documents[order]]
        grouped = np.argsort(scale, kind="stable")
        sizes = np.unique(scale, return_counts=True)[1]
        # How many of its scale come before each.
        before = np.empty(len(order), np.int64)
        before[grouped] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = order[before < most]
        return order if len(kept) < limit else kept

    def _exact_suggestion(
        self, row: int, rank: int, channels: Collection[str], allowed: Mask | None
    ) -> Suggestion:
        variable = self.catalog.at(row)
        parts = {name: float(name == "words") for name in channels}
        rows = self._variants.rows(int(self.documents.of_row[row]), allowed)
        codes = self._variants.codes(rows, row)
        return Suggestion(variable, 1.0, rank, parts, "its own label or code", codes)

    def about(self, query: Query, rows: list[int]) -> npt.NDArray[np.bool_]:
        """Tell which of some variables are about a topic.

        Parameters
        ----------
        query : Query
            The topic.
        rows : list of int
            Of the variables, at least one.

        Returns
        -------
        ndarray of shape (n_rows,), bool
        """
        reading = self.read(query)
        documents, place = np.unique(self.documents.of_row[rows], return_inverse=True)
        evidence = slot_evidence(reading.slots, self.words, documents)
        related: npt.NDArray[Any] = evidence.covered >= ABOUT_COVERAGE
        if not related.any():
            ranker = self._ranker
            by_meaning = not isinstance(ranker.encoder, LatentEncoder)
            vector = ranker.encode([reading]) if by_meaning else None
            if vector is not None and ranker.store is not None:
                related = ranker.store.scores(vector[0], documents) >= ABOUT_MEANING
        found: npt.NDArray[np.bool_] = related[place]
        return found
