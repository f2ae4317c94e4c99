"""The finder: one catalogue, one query, a short list that says why."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from audience_nb.catalog import Catalog, DataType, Kind, Variable
from audience_nb.embedding import Encoder, OfflineEncoder, as_encoder, default_encoder
from audience_nb.search.background import Background
from audience_nb.search.building import Progress
from audience_nb.search.cache import cache_root
from audience_nb.search.concepts import Concepts, default_concepts
from audience_nb.search.feedback import Feedback
from audience_nb.search.fusion import Preset, Weights
from audience_nb.search.latent import LatentEncoder
from audience_nb.search.opening import WORDS_SHARE, Meanings, open_meanings, open_words, part_of
from audience_nb.search.query import Query, Suggestion
from audience_nb.search.reading import Reading
from audience_nb.search.searching import Searcher
from audience_nb.search.vectors import Engine

__all__ = ["SearchIndex"]

logger = logging.getLogger(__name__)

# Seconds that stored meanings are waited for where they may as well be opened in the background.
_OPENING_S = 1.0
# A query in both languages, for which all tables of words are read.
_FIRST = "familles à pied, not misspeld people aged 25 to 34"
# Of so many more suggestions what was taken before may come up from below.
_RERANKED = 3


class SearchIndex:
    """Search over one catalogue.

    Parameters
    ----------
    catalog : Catalog
        What is searched.
    encoder : Encoder or str, optional
        One that is made, a name that `as_encoder` knows, or any object with ``encode(texts)``. By
        default the offline one where its package is installed. Without any, meaning comes
        from latent semantic analysis of the catalogue itself, and `description` says so.
    cache_dir : str or pathlib.Path, optional
        By default AUDIENCE_NB_CACHE, else the platform's place for a user's caches.
    progress : callable, optional
        Called with a stage in words and a fraction in [0, 1]; may raise `Cancelled`. What was
        learnt until then is kept for the next time.
    engine : {"auto", "faiss", "numpy"}, optional
        Which code finds the nearest vectors; the answers are the same.
    concepts : Concepts, optional
        By default those that ship with the package and were registered.
    background : bool, optional
        Whether meanings that are not stored yet are learnt in a thread while words, concepts and
        spelling answer already. `progress` is then called in that thread.
    weights : {"adaptive", "40/30/30", "60/40"} or Weights, optional
        How words, concepts, spelling and meaning are put together; see `Weights.named`.
    feedback : Feedback, optional
        Accepted and rejected suggestions, by which later ones are ranked. By default none.

    Attributes
    ----------
    catalog : Catalog
        What is searched.
    encoder : Encoder or None
        What turns texts into vectors.

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
        encoder: Encoder | str | None = None,
        *,
        cache_dir: str | Path | None = None,
        progress: Progress | None = None,
        engine: Engine = "auto",
        concepts: Concepts | None = None,
        background: bool = False,
        weights: Preset | Weights = "adaptive",
        feedback: Feedback | None = None,
    ) -> None:
        self.catalog = catalog
        self.encoder = default_encoder() if encoder is None else as_encoder(encoder)
        self.feedback = feedback
        self._tell = progress or (lambda stage, fraction: None)
        self._root, self._engine = cache_root(cache_dir), engine
        self._meanings: Meanings | None = None
        self._built = False
        arrays = open_words(catalog, self._root, self._building(0.0, WORDS_SHARE))
        given = weights if isinstance(weights, Weights) else Weights.named(weights)
        self._searcher = Searcher(
            catalog, arrays, default_concepts() if concepts is None else concepts, given
        )
        if background:
            # Even to ask an encoder for its name and length may take as long as it likes.
            self._looked = threading.Event()
            self._background = Background(self._learn_behind)
            self._background.on_ready(self._prepare_behind)
            if not self._looked.wait(_OPENING_S) or self._meanings is None:
                return
            self._background.wait()
        else:
            self._learn(None)
            if self._meanings is None:
                self._learn(self._building(WORDS_SHARE, 1.0))
            self._background = Background(None)
        self._tell("Index built" if self._built else "Index opened", 1.0)

    def _building(self, first: float, last: float) -> Progress:
        told = part_of(self._tell, first, last)

        def tell(stage: str, fraction: float) -> None:
            self._built = True
            told(stage, fraction)

        return tell

    def _learn(self, tell: Progress | None) -> None:
        """Open the stored meanings; build them if somebody is told."""
        searcher = self._searcher
        words = (searcher.documents, searcher.analyzer, searcher.words)
        self._meanings = open_meanings(
            self.catalog, self.encoder, self._root, self._engine, words, tell
        )
        if self._meanings is not None:
            searcher.mean(*self._meanings)

    def _learn_behind(self, tell: Progress) -> None:
        try:
            self._learn(None)
        finally:
            self._looked.set()
        if self._meanings is not None:
            return
        told = self._building(WORDS_SHARE, 1.0)

        def both(stage: str, fraction: float) -> None:
            tell(stage, fraction)
            told(stage, fraction)

        self._learn(both)
        self._tell("Index built", 1.0)

    # -- what it is ----------------------------------------------------------------------------

    @property
    def description(self) -> str:
        """What is searched and how, in one sentence."""
        others = "words, concepts and spelling"
        if self._meanings is not None:
            encoder, store, _ = self._meanings
            how = f"meaning by {encoder.name} ({store.description}), {others}"
            if isinstance(encoder, LatentEncoder):
                how += "; no encoder is installed"
            elif (failure := self.failure) is not None:
                told = getattr(failure, "fact", type(failure).__name__)
                how += f"; the last question went without meaning: {told}"
        elif not self.ready:
            how = f"{others}; meanings are being learnt ({100 * self.progress:.0f} %)"
        else:
            why = getattr(self._background.failure, "fact", "") or "an error, see the log"
            how = f"{others} only; meanings could not be learnt: {why}"
        n_documents = len(self._searcher.documents)
        return f"{len(self.catalog):,} variables, {n_documents:,} measures, by {how}"

    def __repr__(self) -> str:
        return f"SearchIndex({self.description!r})"

    @property
    def by_meaning(self) -> bool:
        """Whether answers go by meaning too: not while it is being learnt, nor if that failed.

        Nor where the encoder failed on the last query, as one over a network may.
        """
        return self._meanings is not None and self.failure is None

    @property
    def failure(self) -> Exception | None:
        """Why the last query went without meaning, though it is learnt; None if it did not."""
        return self._searcher.failure

    @property
    def ready(self) -> bool:
        """Whether nothing is being learnt any more: answers stay as they are from now on."""
        return self._background.ready

    @property
    def progress(self) -> float:
        """How much of the meanings is learnt, in [0, 1]."""
        return self._background.progress

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until meanings are learnt.

        Parameters
        ----------
        timeout : float, optional
            Seconds; by default as long as it takes.

        Returns
        -------
        bool
            Whether the index is ready; `description` says if learning failed.
        """
        return self._background.wait(timeout)

    def prepare(self) -> None:
        """Load what the first query would have to: the encoder, and what it makes of words.

        Called in the background where the index is opened in the background. No answer changes.
        """
        encoder = None if self._meanings is None else self._meanings[0]
        query = Query.of(_FIRST, 1)
        try:
            if isinstance(encoder, OfflineEncoder):
                encoder.prepare(self._searcher.usual_words())
            if isinstance(encoder, OfflineEncoder | LatentEncoder):
                self._searcher.search(query)
            else:
                # Nothing is sent to a server, nor paid for, that nobody asked.
                self._searcher.read(query)
        # A query will say what is wrong.
        except Exception:
            logger.info("The first query could not be prepared.", exc_info=True)

    def _prepare_behind(self) -> None:
        threading.Thread(target=self.prepare, name="preparing", daemon=True).start()

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Have something done once the index is ready, or at once if it is.

        Parameters
        ----------
        callback : callable
            Called without arguments, in the thread that learns.
        """
        self._background.on_ready(callback)

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
        intents: Collection[Kind] | None = None,
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
        intents : collection of str, optional
            Kinds of variables that are meant: by default those that the text tells, () for none.

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
                intents=intents,
            )
        )
        if query.note:
            logger.info(query.note)
        if self.feedback is None:
            return self._searcher.search(query)
        found = self._searcher.search(replace(query, limit=_RERANKED * query.limit))
        return self.feedback.rerank(query, found, self.catalog)[: query.limit]

    def read(self, text: str | Query) -> Reading:
        """Tell how a query is understood: words, concepts, mended spelling, intents.

        Parameters
        ----------
        text : str or Query
            As for `search`.

        Returns
        -------
        Reading

        Raises
        ------
        InvalidInput
            If the text is empty.
        """
        return self._searcher.read(text if isinstance(text, Query) else Query.of(text))

    def variants(self, code: str, *, data_type: DataType | None = None) -> list[Variable]:
        """Give all variants of the measure of a variable: its units, periods and answer bands.

        Parameters
        ----------
        code : str
            Of any of them.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Only variables that this data type may use.

        Returns
        -------
        list of Variable
            The preferred first; the variable alone where it has no variants.

        Raises
        ------
        NotFound
            If the code is not in the catalogue.
        """
        row = self.catalog.position(code)
        return self._searcher.variants(row, data_type)

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
        query = Query.of(text)
        codes = list(codes)
        rows = [self.catalog.position(code) for code in codes]
        if not rows:
            return []
        related = self._searcher.about(query, rows)
        return [code for code, is_about in zip(codes, related, strict=True) if is_about]
