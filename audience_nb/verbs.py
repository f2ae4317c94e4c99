"""The verbs of a session: what each needs, does, discards and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from audience_nb.catalog import Catalog, Variable
from audience_nb.dropped import Dropped, merged
from audience_nb.errors import Infeasible, InvalidInput, NotAllowed, NotFound, WrongStep
from audience_nb.findings import Findings
from audience_nb.inquiry import Inquiry
from audience_nb.permission import permitted
from audience_nb.policy import check_identifier, check_values, require_allowed, rule_of
from audience_nb.policy.suppression import suppression_lists
from audience_nb.refinement import shares_of
from audience_nb.sources import fetch_report
from audience_nb.timeline import State, step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.embedding import Encoder
    from audience_nb.lifestyles import LifestyleSystem
    from audience_nb.search.feedback import Feedback
    from audience_nb.segments import Segmentation
    from audience_nb.sources import Source

__all__ = ["Verbs"]

# Beyond this many variables the segments can no longer be told apart by reading.
MAX_VARIABLES = 200
# Values of an identifier that are looked at before it is taken for one.
LOOKED_AT = 1_000
_LARGEST_MINIMUM = 100_000


class Verbs(Inquiry, Findings):
    """The road, verb by verb. `Dialogue` adds talk, `Session` where it starts and how it is kept.

    Parameters
    ----------
    catalog : Catalog
        The variables that can be found.
    source : Source
        Where records come from.
    encoder : Encoder, str or None
        Meaning of texts; None for the offline default.
    random_state : int
        Seed of the segmentation.
    background : bool
        Whether the search index learns meanings in the background.
    feedback : Feedback or None
        Learns from what is confirmed.
    consent : bool
        Whether only records of people who consented are used.
    suppression : SuppressionList, sequence of them, or of identifiers, or None
        People who are left out.
    """

    def __init__(
        self,
        catalog: Catalog,
        source: Source,
        encoder: Encoder | str | None,
        random_state: int,
        *,
        background: bool = False,
        feedback: Feedback | None = None,
        consent: bool = False,
        suppression: object = None,
    ) -> None:
        rule = rule_of("first_party")
        super().__init__(State(rule.code, rule.subtype(None).code))
        self.catalog = catalog
        self.source = source
        self.encoder = encoder
        self.random_state = random_state
        self.background = background
        self.feedback = feedback
        self.consent = consent
        self.suppression = suppression_lists(suppression)
        self.at_once = False

    @step
    def choose(
        self, data_type: str, subtype: str | None = None, *, minimum_count: int | None = None
    ) -> Self:
        """Choose the data type, which decides what may be searched, seen and exported.

        Parameters
        ----------
        data_type : {"first_party", "third_party", "clean_room"}
            Whose data it is.
        subtype : str, optional
            Kind of identifier, or the clean room whose rule holds; by default the first one that
            the records have.
        minimum_count : int, optional
            Fewest people that a figure may be about, 1 to 100,000, where a clean room's owner asks
            for more than its rule does.

        Returns
        -------
        Session
            This session.

        Raises
        ------
        InvalidInput
            If there is no such data type or subtype, or the minimum count is out of range.
        NotFound
            If the records lack the identifier.
        """
        if minimum_count is not None and not 1 <= minimum_count <= _LARGEST_MINIMUM:
            raise InvalidInput(
                f"minimum_count is {minimum_count:,}.", f"Use 1 to {_LARGEST_MINIMUM:,} people."
            )
        rule = rule_of(data_type)
        attributes = set(self.source.attributes)
        if subtype is None:
            at_hand = [s for s in rule.subtypes if s.is_among(attributes)]
            subtype = (at_hand or list(rule.subtypes))[0].code
        chosen = rule.subtype(subtype)
        check_identifier(chosen, attributes)
        found = ""
        if chosen.code != "customer_id":
            column = chosen.identifier
            if column in attributes and len(self.source.codes) > LOOKED_AT:
                # A few rows of very many columns take longer than all rows of one.
                looked_at = self.source.fetch([column])
            else:
                looked_at = self.source.sample(LOOKED_AT)
            # The records' own id is their index.
            values = looked_at.get(column, looked_at.index)
            found = check_values(chosen, values)
            if found and "view rows" not in rule.allows:
                found = f"Some values looked at are no {chosen.title.lower()}."
        what = f"the choice of {rule.title.lower()}"
        self.change(what, data_type=rule.code, subtype=chosen.code, minimum_count=minimum_count)
        rule = self.state.rule
        self.discard("confirmed", "frame", "segmentation")
        state = self.state
        if state.query is not None:
            self._search(state.query, state.limit, state.filters, state.intents)
            self.change(what)
        said = f"{rule.title}, by {chosen.title.lower()}. {rule.description}"
        self.reply(f"{said} {found}".strip())
        return self

    @step
    def restart(self) -> Self:
        """Forget the question, the edits and the segments; the data and their type stay.

        Returns
        -------
        Session
            This session; undo brings everything back.
        """
        state = self.state
        self.state = State(state.data_type, state.subtype, state.minimum_count)
        self.change("the new start")
        self.reply("A new start: describe an audience.")
        return self

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
        self._learn(codes)
        self.change("the confirmed variables", confirmed=codes, selected=codes)
        return [self.described(variable) for variable in variables]

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
        NotFound
            If consent is needed and no column says who gave it.
        NotAllowed
            If nobody is left who may be used.
        """
        if not self.state.confirmed:
            self.confirm()
        self.tell("Fetching records", 0.0)
        fetched = fetch_report(self.source, list(self.state.confirmed), progress=self.tell)
        try:
            frame, left_out = permitted(
                fetched.frame, self.source, consent=self.consent, suppression=self.suppression
            )
        except NotAllowed:
            if self._rows_may_be_seen:
                raise
            raise self._too_few() from None
        fetched = replace(fetched, dropped=merged(fetched.dropped, left_out))
        self.discard("segmentation")
        self.change("the loaded records", frame=frame, fetched=fetched.without_rows())
        if self.counted("records", len(frame)) is None:
            raise self._too_few()
        self.tell("Fetching records", 1.0)
        return frame if self._rows_may_be_seen else frame.head(0)

    @property
    def dropped(self) -> pd.DataFrame:
        """The rows that were left out when records were loaded: reason and count.

        In a clean room the counts are noisy, and a reason for too few people is not named: a list
        of one person would tell whether he is in the data.
        """
        import pandas as pd

        rows = [(d.reason, d.count) for d in self.left_out]
        return pd.DataFrame(rows, columns=["reason", "count"])

    @property
    def left_out(self) -> tuple[Dropped, ...]:
        """What `dropped` tabulates."""
        fetched = self.state.fetched
        dropped = () if fetched is None else fetched.dropped
        told = [(d.reason, self.counted(d.reason, d.count)) for d in dropped]
        return tuple(Dropped(reason, count) for reason, count in told if count is not None)

    def _too_few(self) -> NotAllowed:
        """Say that a clean room has too few records, and not how many."""
        rule = self.state.rule
        return NotAllowed(
            f"{rule.title} shows figures about at least {rule.minimum_count} people, here are "
            "fewer, or the privacy budget is spent.",
            "Leave fewer records out, or have the room's owner start a new release.",
        )

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

        require_allowed(self.state.rule, "segment")
        n_segments = self.state.n_segments if n_segments is None else n_segments
        if self.state.frame is None:
            self.load()
        frame = self.state.frame
        if frame is None:
            raise WrongStep("No records are loaded.", "Confirm variables and load first.")
        # Sizes set in records hold for the records at hand; shares given here replace them.
        min_size = self.state.min_size if min_share is None else None
        max_size = self.state.max_size if max_share is None else None
        # In a clean room shares would give the exact number of records away.
        n = self.counted("records", len(frame)) or len(frame)
        least, most = shares_of(self.state, n)
        min_share = least if min_share is None else min_share
        max_share = most if max_share is None else max_share
        try:
            segmentation = Segmentation.fit(
                frame,
                [self.catalog[code] for code in self.state.confirmed],
                n_segments=n_segments,
                min_share=min_share,
                max_share=max_share,
                random_state=self.random_state,
                unnamed=self.sensitive,
                progress=self.tell,
            )
        except Infeasible as error:
            if self._rows_may_be_seen:
                raise
            raise Infeasible(
                f"No segments between {100 * min_share:.3g}% and {100 * max_share:.3g}% hold these "
                "records.",
                "Choose another number of segments, or wider limits.",
            ) from error
        rule = self.state.rule
        fewest = rule.minimum_count
        smallest = min(s.size for s in segmentation.segments)
        if smallest < fewest:
            raise InvalidInput(
                f"The smallest of {len(segmentation.segments)} segments would hold too few "
                f"people: {rule.title.lower()} shows none below {fewest}.",
                f"Use fewer segments, or at least {fewest * len(segmentation.segments):,} records.",
            )
        self.discard("segmentation")
        self.change(
            "the segments",
            segmentation=segmentation,
            n_segments=n_segments,
            min_share=min_share,
            max_share=max_share,
            min_size=min_size,
            max_size=max_size,
        )
        shown = self._shown(segmentation)
        small, large = shown.bounds
        self.reply(
            f"{shown.n_segments} segments of {shown.n_records:,} records, each "
            f"between {small:,} and {large:,} ({100 * min_share:.3g}% to {100 * max_share:.3g}%)."
        )
        return shown

    @step
    def enrich(
        self,
        system: LifestyleSystem | str | Path | None = None,
        column: str = "lifestyle",
        postal_codes: Mapping[str, str] | str | Path | None = None,
    ) -> pd.DataFrame | None:
        """Describe the segments by lifestyle types, where the records carry one or a postal code.

        Parameters
        ----------
        system : LifestyleSystem or path, optional
            The types, see `LifestyleSystem.read`; by default the 68 that ship with the package.
        column : str, default "lifestyle"
            The column of the records that holds a type, or a postal code.
        postal_codes : mapping or path, optional
            Type by postal code or its beginning, see `audience_nb.lifestyles.by_postal_code`.

        Returns
        -------
        pandas.DataFrame or None
            As `LifestyleSystem.profile` gives it; None if the records have no such column.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        InvalidInput
            If no record has a type of the system.
        """
        from audience_nb.lifestyles import LifestyleSystem, by_postal_code, read_postal_codes

        segmentation = self._needed_segments()
        if column not in {*self.source.attributes, *self.source.codes}:
            return None
        # Counts of a type within a segment are far below what a clean room may show.
        require_allowed(self.state.rule, "view rows")
        # Records taken in since are not in the source.
        codes = self.source.fetch([column])[column].reindex(segmentation.labels.index)
        types = LifestyleSystem.demo() if system is None else system
        if isinstance(types, str | Path):
            types = LifestyleSystem.read(types)
        if postal_codes is not None:
            table = postal_codes
            if isinstance(table, str | Path):
                table = read_postal_codes(table)
            codes = by_postal_code(codes, table, types)
        profile = types.profile(codes, segmentation.labels)
        given = {"system": system, "column": column, "postal_codes": postal_codes}
        plain = {
            name: str(value) if isinstance(value, str | Path) else None
            for name, value in given.items()
            if value is not None and value != "lifestyle"
        }
        self.change("the lifestyles", lifestyles=profile, enriched_by=tuple(plain.items()))
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
