"""The verbs of a session: what each needs, does, discards and says."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from audience_nb import conversation
from audience_nb.catalog import Catalog, Variable
from audience_nb.distribution import Delivery, destination
from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.export import Audience
from audience_nb.identity import consent_notes, identified, people_of
from audience_nb.policy import Subtype, check_identifier, require_allowed, rule_of
from audience_nb.refinement import apply
from audience_nb.snapshot import Message
from audience_nb.timeline import State, Timeline, step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.embedding import Encoder
    from audience_nb.search import SearchIndex, Suggestion
    from audience_nb.segments import Segmentation
    from audience_nb.sources import Source

__all__ = ["Verbs"]

# Beyond this many variables the segments can no longer be told apart by reading.
MAX_VARIABLES = 200


class Verbs(Timeline):
    """The road, verb by verb. `Session` adds where it starts and how it is kept.

    Parameters
    ----------
    catalog : Catalog
        The variables that can be found.
    source : Source
        Where records come from.
    encoder : Encoder or None
        Meaning of texts; None for the offline default.
    random_state : int
        Seed of the segmentation.
    """

    def __init__(
        self, catalog: Catalog, source: Source, encoder: Encoder | None, random_state: int
    ) -> None:
        rule = rule_of("first_party")
        super().__init__(State(rule.code, rule.subtype(None).code))
        self.catalog = catalog
        self.source = source
        self.encoder = encoder
        self.random_state = random_state

    # -- what there is -------------------------------------------------------------------------

    @functools.cached_property
    def index(self) -> SearchIndex:
        """The search index over the catalogue, opened or built on first use."""
        from audience_nb.search import SearchIndex

        with self.lock:
            return SearchIndex(self.catalog, self.encoder, progress=self.tell)

    @property
    def suggestions(self) -> list[Suggestion]:
        """The answer to the last question, as refined since."""
        return list(self.state.suggestions)

    @property
    def selected(self) -> list[str]:
        """Codes of the variables ticked at present, in order."""
        return list(self.state.selected)

    @property
    def segmentation(self) -> Segmentation | None:
        """The segments, once cut; without labels where no row may be seen."""
        cut = self.state.segmentation
        return cut if cut is None or self._rows_may_be_seen else _without_labels(cut)

    @property
    def frame(self) -> pd.DataFrame | None:
        """The records of the confirmed variables, once loaded; no row where none may be seen."""
        frame = self.state.frame
        return frame if frame is None or self._rows_may_be_seen else frame.head(0)

    @property
    def audience(self) -> Audience | None:
        """The picked segments and their records, by default of all segments.

        None before there are segments, and where no row may be seen.
        """
        state = self.state
        if state.segmentation is None or state.frame is None or not self._rows_may_be_seen:
            return None
        chosen = tuple(
            s for s in state.segmentation.segments if not state.picked or s.id in state.picked
        )
        names = {s.id: s.name for s in chosen}
        labels = state.segmentation.labels
        kept = labels.isin(list(names))
        frame = state.frame[kept].copy()
        frame.insert(0, "segment_name", labels[kept].map(names))
        frame.insert(0, "segment", labels[kept])
        name = state.query or ", ".join(self.catalog[c].label for c in state.confirmed[:3])
        return Audience(name, chosen, frame, len(labels), self._decisions())

    # -- verbs ---------------------------------------------------------------------------------

    @step
    def choose(self, data_type: str, subtype: str | None = None) -> Self:
        """Choose the data type, which decides what may be searched, seen and exported.

        Parameters
        ----------
        data_type : {"first_party", "third_party", "clean_room"}
            Whose data it is.
        subtype : str, optional
            Kind of identifier; by default the first one that the records have.

        Returns
        -------
        Session
            This session.

        Raises
        ------
        InvalidInput
            If there is no such data type or subtype.
        NotFound
            If the records lack the identifier.
        """
        rule = rule_of(data_type)
        attributes = set(self.source.attributes)
        if subtype is None:
            at_hand = [
                s for s in rule.subtypes if s.code == "customer_id" or s.identifier in attributes
            ]
            subtype = (at_hand or list(rule.subtypes))[0].code
        chosen = rule.subtype(subtype)
        check_identifier(chosen, attributes)
        self.change(f"the choice of {rule.title.lower()}", data_type=rule.code, subtype=chosen.code)
        self.discard("confirmed", "frame", "segmentation")
        if self.state.query is not None:
            self._search(self.state.query, self.state.limit)
        self.reply(f"{rule.title}, by {chosen.title.lower()}. {rule.description}")
        return self

    @step
    def ask(self, text: str, limit: int = 15, **filters: Any) -> list[Suggestion]:
        """Search the catalogue for variables that describe an audience.

        Parameters
        ----------
        text : str
            The audience in your own words.
        limit : int, optional
            At most so many suggestions.
        **filters
            `kinds`, `sources`, `categories`: see `SearchIndex.search`.

        Returns
        -------
        list of Suggestion
            Best first; all of them are selected.

        Raises
        ------
        InvalidInput
            If the text is empty.
        """
        found = self._search(text, limit, **filters)
        self.discard("confirmed", "frame", "segmentation")
        if not found:
            self.reply("Nothing in the catalogue matches. Try other words, or another data type.")
        else:
            kinds = _counted([s.variable.kind for s in found])
            self.reply(
                f"{len(found)} of {len(self.catalog):,} variables fit: {kinds}. "
                "Untick what you don't want, say “add …” or “drop …”, then build segments."
            )
        return found

    @step
    def refine(self, text: str) -> list[Suggestion]:
        """Edit the suggestions: "drop income, add cycling", "only social values", "undo".

        Parameters
        ----------
        text : str
            Edits in plain words, English or French. Words that are no edit are added as a
            topic.

        Returns
        -------
        list of Suggestion
            The edited list.

        Raises
        ------
        InvalidInput
            If the text is empty.
        WrongStep
            If nothing was asked yet.
        """
        if self.state.query is None:
            raise WrongStep("There is nothing to refine yet.", "Ask for an audience first.")
        actions = [
            conversation.Add(a.text) if isinstance(a, conversation.Ask) else a
            for a in conversation.parse(conversation.plain_text(text))
        ]
        apply(self, actions)
        return self.suggestions

    @step
    def say(self, text: str) -> Self:
        """Do what a message says: ask anew, refine, set sizes, undo.

        Parameters
        ----------
        text : str
            What a person typed.

        Returns
        -------
        Session
            This session.
        """
        self.messages.append(Message("user", conversation.plain_text(text)[:500]))
        actions = conversation.parse(conversation.plain_text(text))
        if self.state.query is None and all(
            isinstance(a, conversation.Add | conversation.Drop) for a in actions
        ):
            actions = [conversation.Ask(text)]
        apply(self, actions)
        return self

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
    def confirm(self, codes: Sequence[str] | None = None, top: int | None = None) -> list[Variable]:
        """Settle which variables the segments are cut by.

        Parameters
        ----------
        codes : sequence of str, optional
            Codes from the catalogue; by default those selected.
        top : int, optional
            Take the best `top` suggestions instead.

        Returns
        -------
        list of Variable

        Raises
        ------
        InvalidInput
            If none or too many are given.
        NotFound
            If a code is unknown, or the records lack it.
        """
        if codes is None:
            codes = (
                self.selected
                if top is None
                else [s.variable.code for s in self.state.suggestions[:top]]
            )
        elif isinstance(codes, str):
            codes = [codes]
        codes = tuple(dict.fromkeys(codes))
        if not codes:
            raise InvalidInput(
                "0 variables are selected.", "Ask for an audience, or tick at least one variable."
            )
        if len(codes) > MAX_VARIABLES:
            raise InvalidInput(
                f"{len(codes)} variables are selected, at most {MAX_VARIABLES} can be used.",
                "Untick the ones that matter least.",
            )
        variables = [self.catalog[code] for code in codes]
        available = set(self.source.codes)
        absent = [code for code in codes if code not in available]
        if absent:
            raise NotFound(
                f"{self.source.name} has no values for {len(absent)} of {len(codes)} variables, "
                f"the first is {absent[0]!r}.",
                "Untick them, or add a source that has them.",
            )
        barred = [v for v in variables if self.state.data_type not in v.availability]
        if barred:
            raise InvalidInput(
                f"{len(barred)} of {len(codes)} variables may not be used with "
                f"{rule_of(self.state.data_type).title.lower()}, the first is "
                f"{barred[0].label!r}.",
                "Untick them, or choose another data type.",
            )
        self.discard("frame", "segmentation")
        self.change("the confirmed variables", confirmed=codes, selected=codes)
        return variables

    @step
    def load(self) -> pd.DataFrame:
        """Fetch the records of the confirmed variables.

        Returns
        -------
        pandas.DataFrame of shape (n_records, n_variables)
            Indexed by record; columns are codes. Without rows where the data type lets none
            be seen.

        Raises
        ------
        InvalidInput
            If no variables are confirmed, nor any selected that could be.
        """
        if not self.state.confirmed:
            self.confirm()
        self.tell("Fetching records", 0.0)
        frame = self.source.fetch(list(self.state.confirmed))
        self.discard("segmentation")
        self.change("the loaded records", frame=frame)
        self.tell("Fetching records", 1.0)
        return frame if self._rows_may_be_seen else frame.head(0)

    @step
    def segment(
        self,
        n_segments: int | Literal["auto"] | None = None,
        min_share: float | None = None,
        max_share: float | None = None,
    ) -> Segmentation:
        """Cut the records into segments that each hold an allowed share of them.

        Parameters
        ----------
        n_segments : int or "auto", optional
            How many; "auto" chooses by a score over the feasible numbers. By default as last
            set, at first "auto".
        min_share, max_share : float, optional
            Smallest and largest segment, as fractions of the records in [0, 1]. By default as
            last set, at first 0.05 and 0.10.

        Returns
        -------
        Segmentation

        Raises
        ------
        Infeasible
            If no assignment meets the bounds; says which bound, and what would do.
        InvalidInput
            If there are no variables to cut by, or a segment would hold fewer people than the
            data type lets be shown.
        """
        from audience_nb.segments import Segmentation

        require_allowed(self.state.data_type, "segment")
        n_segments = self.state.n_segments if n_segments is None else n_segments
        min_share = self.state.min_share if min_share is None else min_share
        max_share = self.state.max_share if max_share is None else max_share
        if self.state.frame is None:
            self.load()
        frame = self.state.frame
        if frame is None:
            raise WrongStep("No records are loaded.", "Confirm variables and load first.")
        segmentation = Segmentation.fit(
            frame,
            [self.catalog[code] for code in self.state.confirmed],
            n_segments=n_segments,
            min_share=min_share,
            max_share=max_share,
            random_state=self.random_state,
            progress=self.tell,
        )
        fewest = rule_of(self.state.data_type).minimum_count
        smallest = min(s.size for s in segmentation.segments)
        if smallest < fewest:
            raise InvalidInput(
                f"The smallest of {len(segmentation.segments)} segments would hold {smallest} "
                f"people, {rule_of(self.state.data_type).title.lower()} shows none below {fewest}.",
                f"Use fewer segments, or at least {fewest * len(segmentation.segments):,} records.",
            )
        self.discard("segmentation")
        self.change(
            "the segments",
            segmentation=segmentation,
            n_segments=n_segments,
            min_share=min_share,
            max_share=max_share,
        )
        small, large = segmentation.bounds
        self.reply(
            f"{segmentation.n_segments} segments of {segmentation.labels.size:,} records, each "
            f"between {small:,} and {large:,} ({min_share:.0%} to {max_share:.0%})."
        )
        return segmentation if self._rows_may_be_seen else _without_labels(segmentation)

    @step
    def enrich(self) -> pd.DataFrame | None:
        """Describe the segments by lifestyle types, where the records carry a type.

        Returns
        -------
        pandas.DataFrame or None
            As `LifestyleSystem.profile` gives it; None if the records have no column `lifestyle`.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        """
        from audience_nb.lifestyles import LifestyleSystem

        segmentation = self._needed_segments()
        if "lifestyle" not in self.source.attributes:
            return None
        # Counts of a type within a segment are far below what a clean room may show.
        require_allowed(self.state.data_type, "view rows")
        codes = self.source.fetch(["lifestyle"])["lifestyle"]
        profile = LifestyleSystem.demo().profile(codes, segmentation.labels)
        self.change("the lifestyles", lifestyles=profile)
        return profile

    @step
    def build(
        self,
        n_segments: int | Literal["auto"] | None = None,
        min_share: float | None = None,
        max_share: float | None = None,
    ) -> Segmentation:
        """Go from the selected variables to described segments: confirm, load, segment, enrich.

        Parameters
        ----------
        n_segments : int or "auto", optional
            How many; by default as last set in the conversation.
        min_share, max_share : float, optional
            Smallest and largest share; by default as last set.

        Returns
        -------
        Segmentation
        """
        self.confirm()
        self.load()
        segmentation = self.segment(n_segments, min_share, max_share)
        if self._rows_may_be_seen:
            self.enrich()
        self.change("the segments")
        return segmentation

    @step
    def pick(self, segments: Sequence[int]) -> Audience | None:
        """Choose the segments that make the audience.

        Parameters
        ----------
        segments : sequence of int
            Ids; none for all.

        Returns
        -------
        Audience

        Raises
        ------
        NotFound
            If there is no such segment.
        """
        for segment in segments:
            self._needed_segments().segment(segment)
        self.change("the choice of segments", picked=tuple(sorted(set(segments))))
        return self.audience

    @step
    def rename(self, segment: int, name: str) -> Segmentation:
        """Give a segment a name of your own.

        Parameters
        ----------
        segment : int
            Its id.
        name : str
            1 to 80 characters, not another segment's name.

        Returns
        -------
        Segmentation
            With the new name.

        Raises
        ------
        InvalidInput
            If the name is empty, too long or taken.
        NotFound
            If there is no such segment.
        """
        name = conversation.plain_text(name)
        if len(name) > 80:
            raise InvalidInput(f"The name has {len(name)} characters.", "Use at most 80.")
        renamed = self._needed_segments().rename(segment, name)
        names = {**dict(self.state.names), segment: name}
        self.change("the name", segmentation=renamed, names=tuple(sorted(names.items())))
        return renamed if self._rows_may_be_seen else _without_labels(renamed)

    @step
    def export(self, path: str | Path | None = None) -> Path:
        """Write the audience as CSV with a header of its decisions.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Where to; by default `exports/<the question>.csv`.

        Returns
        -------
        pathlib.Path
            The file; `Audience.read_csv` reads it back.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type lets no rows out.
        """
        require_allowed(self.state.data_type, "export rows")
        audience = self._needed_audience()
        if path is None:
            path = Path("exports") / f"{_slug(audience.name)}.csv"
        rows = identified(audience.frame, self.source, self._subtype())
        written = replace(audience, frame=rows).to_csv(path)
        self.change(
            "the record of the export",
            exported={
                "path": str(written),
                "rows": len(rows),
                "columns": rows.shape[1] + 1,
                "notes": consent_notes(audience.frame, self.source),
            },
        )
        self.reply(f"{len(rows):,} records written to {written}.")
        return written

    @step
    def distribute(self, name: str = "file", *, confirm: bool = False, **options: Any) -> Delivery:
        """Send the audience to a destination, or see what would leave.

        Parameters
        ----------
        name : str, optional
            Name of the destination.
        confirm : bool, optional
            False for a dry run, which sends nothing.
        **options
            As the destination takes them, `path` for "file".

        Returns
        -------
        Delivery
            The receipt.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type forbids it.
        """
        require_allowed(self.state.data_type, "distribute")
        audience = self._needed_audience()
        people = people_of(audience.frame, self.source, self._subtype())
        delivery = destination(name, **options).push(audience, people, confirm=confirm)
        self.change("the receipt", deliveries=(*self.state.deliveries, delivery))
        verb = "would be" if delivery.dry_run else "were"
        self.reply(f"{delivery.rows_sent:,} of {audience.size:,} rows {verb} sent to {name}.")
        return delivery

    # -- inside ----------------------------------------------------------------------------------

    def discard(self, *stages: str) -> None:
        """Drop what a repeated verb invalidates, and name the loss."""
        state = self.state
        lost = []
        empty: dict[str, Any] = {}
        if "confirmed" in stages and state.confirmed:
            empty["confirmed"] = ()
        if "frame" in stages and state.frame is not None:
            empty["frame"] = None
        if "segmentation" in stages and state.segmentation is not None:
            lost.append(f"{state.segmentation.n_segments} segments")
            if state.names:
                lost.append(f"{len(state.names)} names of yours")
            empty |= {"segmentation": None, "lifestyles": None, "picked": (), "names": ()}
            empty["exported"] = None
        if empty:
            self.state = replace(state, **empty)
        if lost:
            self.reply(f"This replaces the earlier {' and '.join(lost)}; undo brings them back.")

    def _search(self, text: str, limit: int, **filters: Any) -> list[Suggestion]:
        if limit < 1:
            raise InvalidInput(f"The limit is {limit}.", "Ask for at least 1 suggestion.")
        from audience_nb.search import Query

        query = Query.of(
            conversation.plain_text(text), limit, data_type=self.state.data_type, **filters
        )
        found = self.index.search(query)
        if query.note:
            self.reply(query.note)
        self.change(
            "the question",
            query=query.text,
            limit=limit,
            suggestions=tuple(found),
            selected=tuple(s.variable.code for s in found),
        )
        return found

    @property
    def _rows_may_be_seen(self) -> bool:
        return "view rows" in rule_of(self.state.data_type).allows

    def _needed_segments(self) -> Segmentation:
        if self.state.segmentation is None:
            raise WrongStep("There are no segments yet.", "Build segments first.")
        return self.state.segmentation

    def _needed_audience(self) -> Audience:
        self._needed_segments()
        audience = self.audience
        if audience is None:
            raise WrongStep("No records are loaded.", "Load them first.")
        return audience

    def _subtype(self) -> Subtype:
        return rule_of(self.state.data_type).subtype(self.state.subtype)

    def _decisions(self) -> dict[str, Any]:
        state = self.state
        segmentation = state.segmentation
        return {
            "query": state.query,
            "data type": state.data_type,
            "subtype": state.subtype,
            "source": self.source.name,
            "variables": {c: self.catalog[c].label for c in state.confirmed},
            "size rule": {"min_share": state.min_share, "max_share": state.max_share},
            "bounds": list(segmentation.bounds) if segmentation else None,
            "seed": self.random_state,
            "catalogue": self.catalog.fingerprint,
        }


def _without_labels(segmentation: Segmentation) -> Segmentation:
    """Keep the figures, drop who is where."""
    return replace(segmentation, labels=segmentation.labels.head(0))


def _counted(words: Sequence[str]) -> str:
    count = {word: words.count(word) for word in dict.fromkeys(words)}
    return ", ".join(f"{n} {word}" for word, n in count.items())


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return "-".join(words[:8]) or f"audience-{digest}"
