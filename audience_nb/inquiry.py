"""What is asked of the catalogue: the answer, and what a person does to it before it is settled."""

from __future__ import annotations

import functools
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from audience_nb.catalog import Catalog, Kind, Variable
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.question import Edits, Filters, Understanding, checked_kinds, options_of
from audience_nb.timeline import State, Timeline, step

if TYPE_CHECKING:
    from audience_nb.embedding import Encoder
    from audience_nb.search import Query, SearchIndex, Suggestion
    from audience_nb.search.feedback import Feedback
    from audience_nb.search.reading import Reading

__all__ = ["Inquiry"]

# Seconds between two reports of progress.
_TELLING_S = 0.2


class Inquiry(Timeline):
    """The first part of the road, verb by verb: from a sentence to ticked variables.

    Attributes
    ----------
    catalog : Catalog
        The variables that can be found.
    encoder : Encoder, str or None
        Meaning of texts; None for the offline default.
    background : bool
        Whether the index learns meanings in the background.
    feedback : Feedback or None
        Learns from what is confirmed.
    at_once : bool
        Whether a question is answered by words while meanings are still being learnt, as views
        ask; otherwise it waits for them.
    """

    catalog: Catalog
    encoder: Encoder | str | None
    background: bool
    feedback: Feedback | None
    at_once: bool
    _last_lesson: tuple[str, tuple[str, ...], tuple[str, ...]] | None = None

    @functools.cached_property
    def index(self) -> SearchIndex:
        """The search index over the catalogue, opened or built on first use."""
        from audience_nb.search import SearchIndex

        opening = threading.get_ident()

        def tell(stage: str, fraction: float) -> None:
            # What is learnt in the background is no part of the verb under way.
            if threading.get_ident() == opening:
                self.tell(stage, fraction)

        with self.lock:
            return SearchIndex(
                self.catalog,
                self.encoder,
                progress=tell,
                background=self.background,
                feedback=self.feedback,
            )

    @property
    def answering_index(self) -> SearchIndex:
        """The search index once it answers by meaning, or at once where a view asks."""
        index = self.index
        while not self.at_once and not index.wait(_TELLING_S):
            self.tell("Learning meanings", index.progress)
        return index

    @property
    def opened_index(self) -> SearchIndex | None:
        """The search index if it is in use already."""
        return self.__dict__.get("index")

    @functools.cached_property
    def options(self) -> dict[str, list[str]]:
        """What answers can be filtered by: kinds, sources, categories, availability."""
        return options_of(self.catalog)

    @property
    def suggestions(self) -> list[Suggestion]:
        """The answer to the last question, as refined since."""
        return list(self.state.suggestions)

    @property
    def selected(self) -> list[str]:
        """Codes of the variables ticked at present, in order."""
        return list(self.state.selected)

    @step
    def ask(
        self,
        text: str,
        limit: int = 15,
        *,
        kinds: Collection[Kind] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        availability: Collection[str] | None = None,
        intents: Collection[Kind] | None = None,
        variants: Collection[str] = (),
    ) -> list[Suggestion]:
        """Search the catalogue for variables that describe an audience.

        Asked again in the same words, what was done to the answer stays: what you unticked,
        added, dropped, and the variants you chose.

        Parameters
        ----------
        text : str
            The audience in your own words.
        limit : int, optional
            At most so many suggestions.
        kinds, sources, categories : collection of str, optional
            Only variables of these.
        availability : collection of str, optional
            Only variables that these data types may use too, beside the one chosen.
        intents : collection of str, optional
            The kinds of variables that are meant, which come first; by default those that the
            text shows.
        variants : collection of str, optional
            Codes to suggest in place of other variants of their measures.

        Returns
        -------
        list of Suggestion
            Best first; all of them are selected, except those unticked before.

        Raises
        ------
        InvalidInput
            If no word of the text says what to find, or the catalogue has no such kind, source
            or category.

        Examples
        --------
        >>> import pandas as pd
        >>> from audience_nb import Session
        >>> frame = pd.DataFrame({"age": range(20, 80), "city": ["Oslo", "Rome"] * 30})
        >>> session = Session(frame)
        >>> [s.variable.code for s in session.ask("age of people", kinds=["demographic"], limit=1)]
        ['age']
        """
        before = self.state
        filters = Filters.of(self.catalog, kinds, sources, categories, availability)
        found = self._search(text, limit, filters, checked_kinds(intents), variants)
        self.discard("confirmed", "frame", "segmentation")
        self._reply_to(found, before)
        return found

    @step
    def select(self, codes: Sequence[str]) -> list[str]:
        """Tick exactly these variables.

        Parameters
        ----------
        codes : sequence of str
            Codes from the catalogue, suggested or not.

        Returns
        -------
        list of str
            The codes, each once, in order.

        Raises
        ------
        NotFound
            If a code is unknown.
        """
        ticked = tuple(dict.fromkeys(codes))
        for code in ticked:
            self.catalog.position(code)
        self.change("the ticks", selected=ticked)
        return list(ticked)

    @step
    def swap(self, code: str, other: str) -> Suggestion:
        """Take another variant of a suggested measure: its other year, band or unit.

        Parameters
        ----------
        code : str
            Code of the suggestion.
        other : str
            Code of the variant to take instead, one of the suggestion's `variants`.

        Returns
        -------
        Suggestion
            With the other variable, as well placed as before: a search is for measures.

        Raises
        ------
        NotFound
            If `code` is not suggested.
        InvalidInput
            If `other` is no variant of it.

        Examples
        --------
        >>> from audience_nb import Catalog, Session, SyntheticSource
        >>> rent = [
        ...     {"code": f"R{y}", "label": f"Median rent, {y}", "measure": "Median rent"}
        ...     for y in (2021, 2026)
        ... ]
        >>> catalog = Catalog.from_records(rent)
        >>> session = Session(catalog=catalog, source=SyntheticSource(catalog, 100))
        >>> _ = session.ask("rent in 2021")
        >>> session.swap("R2021", "R2026").variable.label, session.selected
        ('Median rent, 2026', ['R2026'])
        """
        state = self.state
        old = next((s for s in state.suggestions if s.variable.code == code), None)
        if old is None:
            raise NotFound(
                f"{str(code)[:60]!r} is not among the {len(state.suggestions)} suggestions.",
                "Name the code of one that is.",
            )
        if other not in old.variants:
            raise InvalidInput(
                f"{str(other)[:60]!r} is none of the {len(old.variants)} variants of {code!r}.",
                "Take one of the suggestion's `variants`.",
            )
        new = replace(old, variable=self.catalog[other])
        # Whatever was said about another variant of this measure is settled by this choice.
        edits = state.edits.without(*old.variants)
        added = (other,) if code in state.edits.added else ()
        self.change(
            "the choice of a variant",
            suggestions=tuple(new if s is old else s for s in state.suggestions),
            selected=tuple(dict.fromkeys(other if c == code else c for c in state.selected)),
            edits=replace(edits, variants=(*edits.variants, other), added=(*edits.added, *added)),
        )
        return new

    def described(self, variable: Variable) -> Variable:
        """Give what may be told of a variable: in a clean room not its least and largest value.

        Parameters
        ----------
        variable : Variable
            Of the catalogue, which may have been inferred from the records: then the least and
            the largest value are one person's each.

        Returns
        -------
        Variable
        """
        if self.state.rows_may_be_seen:
            return variable
        return replace(variable, value_range=None)

    # -- inside ----------------------------------------------------------------------------------

    def _search(
        self,
        text: str,
        limit: int,
        filters: Filters,
        intents: tuple[Kind, ...] | None,
        variants: Collection[str] = (),
    ) -> list[Suggestion]:
        """Ask, and do to the answer what was done to the last one if the words are the same."""
        from audience_nb.search import Query

        state = self.state
        query = Query.of(
            text,
            limit,
            kinds=filters.kinds,
            sources=filters.sources,
            categories=filters.categories,
            availability=filters.availability,
            data_type=state.data_type,
            intents=intents,
        )
        again = query.text == state.query
        edits = self._edits_by_now() if again else Edits()
        for code in variants:
            self.catalog.position(code)
        edits = replace(edits, variants=(*variants, *edits.variants))
        index = self.answering_index
        # Looked at before the search: an answer that meanings may have missed says so.
        unlearnt = not index.by_meaning and index.failure is None
        reading = index.read(query)
        # As many more as were dropped, so that the list is no shorter for it.
        found = index.search(replace(query, limit=limit + len(edits.dropped)))
        if edits.excluded:
            found = self._without_excluded(query, edits, limit)
        by_words = unlearnt or not index.by_meaning
        if reading.is_empty and not found and not again:
            # An answer is not given up for what is no question.
            raise InvalidInput(
                f"“{query.text[:40]}” has no word that says what to find.",
                "Describe the audience, such as “families who cycle and buy organic food”.",
            )
        shown = tuple(
            replace(s, rank=rank, variable=self.described(self.catalog[code]))
            for rank, (s, code) in enumerate(
                edits.applied(found, self._usable_suggestions(), limit), start=1
            )
        )
        codes = [s.variable.code for s in shown]
        ticked = [code for code in codes if code not in edits.unticked]
        if query.note:
            self.reply(query.note)
        self.change(
            "the question"
            if not again
            else "the filters"
            if filters != state.filters
            else "what was meant"
            if intents != state.intents
            else "the question",
            query=query.text,
            limit=limit,
            filters=filters,
            intents=intents,
            understood=_understood(reading, query.note, by_words),
            edits=edits,
            suggestions=shown,
            selected=tuple(dict.fromkeys([*ticked, *(self._by_hand(codes) if again else ())])),
        )
        return list(shown)

    def _without_excluded(self, query: Query, edits: Edits, limit: int) -> list[Suggestion]:
        """Search until so many are found that are about no topic that was taken out."""
        index = self.answering_index
        wanted = limit + len(edits.dropped)
        for factor in (2, 4, 8):
            found = index.search(replace(query, limit=factor * wanted))
            codes = [s.variable.code for s in found]
            gone = {c for topic in edits.excluded for c in index.about(topic, codes)}
            kept = [s for s in found if s.variable.code not in gone - set(edits.added)]
            if len(kept) >= wanted or len(found) < factor * wanted:
                break
        return kept[:wanted]

    def _reply_to(self, found: Sequence[Suggestion], before: State) -> None:
        """Say what was found, and how the question differs from the one before."""
        state = self.state
        again = state.query == before.query
        if not found:
            self.reply(_nothing(state.filters))
            return
        told = f"{_counted([s.variable.kind for s in found])}."
        within = f" within the filters ({state.filters})" if state.filters else ""
        if again and state.filters == before.filters and state.intents != before.intents:
            meant = (
                "what the question shows"
                if state.intents is None
                else ", ".join(state.intents) or "no kind in particular"
            )
            self.reply(f"Looking first for {meant}: {len(found)} variables fit{within}: {told}")
        elif again:
            self.reply(f"{len(found)} variables fit{within or ', without filters'}: {told}")
        else:
            self.reply(
                f"{len(found)} of {len(self.catalog):,} variables fit{within}: {told} "
                "Untick what you don't want, say “add …” or “drop …”, then build segments."
            )
            if before.filters and not state.filters:
                self.reply("The filters of the question before are off.")

    def _edits_by_now(self) -> Edits:
        """Add to the edits what stands unticked in the list."""
        state = self.state
        ticked = set(state.selected)
        off = [s.variable.code for s in state.suggestions if s.variable.code not in ticked]
        unticked = dict.fromkeys(c for c in (*state.edits.unticked, *off) if c not in ticked)
        return replace(state.edits, unticked=tuple(unticked))

    def _usable_suggestions(self) -> list[Suggestion]:
        data_type = self.state.data_type
        return [s for s in self.state.suggestions if data_type in s.variable.availability]

    def _by_hand(self, suggested: Collection[str]) -> list[str]:
        """Codes that a person ticked without any suggestion, as far as they may be used."""
        state = self.state
        answered = {s.variable.code for s in state.suggestions}
        return [
            code
            for code in state.selected
            if code not in answered
            and code not in suggested
            and state.data_type in self.catalog[code].availability
        ]

    def _learn(self, codes: Collection[str]) -> None:
        """Tell the feedback, where there is one, what was taken of the answer and what not."""
        state = self.state
        if self.feedback is None or state.query is None:
            return
        left = [s.variable.code for s in state.suggestions if s.variable.code not in codes]
        lesson = (state.query, tuple(codes), tuple(left))
        # Building again from the same ticks is no second opinion.
        if lesson != self._last_lesson:
            self._last_lesson = lesson
            try:
                self.feedback.accept(state.query, list(codes))
                self.feedback.reject(state.query, left)
            except OSError as error:
                # No reason to stop anybody's work.
                self.reply(f"Your choice could not be remembered: {error.strerror}.")


def _understood(reading: Reading, note: str, by_words: bool) -> Understanding:
    return Understanding(
        tuple((c.name, c.meaning) for c in reading.concepts),
        reading.mended,
        tuple((i.kind, ", ".join(f"“{word}”" for word in i.because)) for i in reading.intents),
        note,
        by_words,
    )


def _nothing(filters: Filters) -> str:
    if filters:
        return f"No variable matches within the filters ({filters}). Clear them, or choose others."
    return (
        "No variable matches. Describe the people in other words, such as what they do, own or "
        "care about, or choose another data type."
    )


def _counted(words: Sequence[str]) -> str:
    count = {word: words.count(word) for word in dict.fromkeys(words)}
    return ", ".join(f"{n} {word}" for word, n in count.items())
