"""The verbs of a session: what each needs, does, discards and says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from audience_nb import conversation
from audience_nb.catalog import Catalog, Variable
from audience_nb.errors import InvalidInput, NotFound, WrongStep
from audience_nb.inquiry import Inquiry
from audience_nb.policy import check_identifier, require_allowed, rule_of
from audience_nb.refinement import (
    compare,
    comparison_values,
    context_of,
    converse,
    explain,
    explanation_values,
    shares_of,
    shown_to_model,
)
from audience_nb.release import Release, without_labels
from audience_nb.snapshot import Message
from audience_nb.sources import fetch_report
from audience_nb.timeline import State, step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.conversation.model import LanguageModel
    from audience_nb.embedding import Encoder
    from audience_nb.search import Suggestion
    from audience_nb.search.feedback import Feedback
    from audience_nb.segments import Segmentation
    from audience_nb.sources import Source

__all__ = ["Verbs"]

# Beyond this many variables the segments can no longer be told apart by reading.
MAX_VARIABLES = 200


class Verbs(Inquiry, Release):
    """The road, verb by verb. `Session` adds where it starts and how it is kept.

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
    ) -> None:
        rule = rule_of("first_party")
        super().__init__(State(rule.code, rule.subtype(None).code))
        self.catalog = catalog
        self.source = source
        self.encoder = encoder
        self.random_state = random_state
        self.background = background
        self.feedback = feedback
        self.language_model: LanguageModel | None = None
        self.at_once = False

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
        what = f"the choice of {rule.title.lower()}"
        self.change(what, data_type=rule.code, subtype=chosen.code)
        self.discard("confirmed", "frame", "segmentation")
        state = self.state
        if state.query is not None:
            self._search(state.query, state.limit, state.filters, state.intents)
            self.change(what)
        self.reply(f"{rule.title}, by {chosen.title.lower()}. {rule.description}")
        return self

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
        said = conversation.plain_text(text)
        actions, note, read_by = self._read(said, context_of(self))
        edits = [
            conversation.Add(a.text) if isinstance(a, conversation.Ask) else a for a in actions
        ]
        converse(self, edits, note, read_by)
        return self.suggestions

    @step
    def say(self, text: str) -> Self:
        """Do what a message says, and reply: what was understood, what changed, how to go back.

        Ask anew; add, drop or keep topics; filter by kind, source, category or availability;
        more or fewer suggestions; choose the data type; set the number and size of segments;
        build; rename, pick, merge, compare or explain segments; explain a suggestion; export;
        undo, redo, start over. In English or French, several at once, in order.

        Parameters
        ----------
        text : str
            What a person typed.

        Returns
        -------
        Session
            This session; the reply is the last of its `messages`.

        Raises
        ------
        InvalidInput
            If the text is empty, or a question has no word that says what to find. Whatever else
            cannot be done is said in the reply.

        Examples
        --------
        >>> import pandas as pd
        >>> from audience_nb import Session
        >>> session = Session(pd.DataFrame({"age": range(20, 80), "spend": [1, 2, 3] * 20}))
        >>> session.say("age of people, then 12 segments, none above 10 %").state.n_segments
        12
        >>> session.messages[-1].actions[1]
        {'action': 'bound', 'n_segments': 12, 'max_share': 0.1}
        """
        said = conversation.plain_text(text)
        context = context_of(self)
        self.messages.append(Message("user", said[:500]))
        actions, note, read_by = self._read(said, context)
        converse(self, actions, note, read_by)
        return self

    def _read(
        self, said: str, context: conversation.Context
    ) -> tuple[list[conversation.Action], str, str]:
        """Read a message by the grammar, or by the language model where there is one."""
        actions = conversation.parse(said, context)
        if self.language_model is None:
            return actions, "", "grammar"
        return self.language_model.read(said, context, actions, shown_to_model(self))

    @step
    def compare(self, segments: Sequence[int]) -> dict[str, Any]:
        """Set two segments side by side.

        Parameters
        ----------
        segments : sequence of int
            Two ids.

        Returns
        -------
        dict
            `segments` and `rows`, what sets them apart most first: `label`, `values`, `texts`,
            `base`, `indexes`, `effects` and `difference` of the effects.

        Raises
        ------
        InvalidInput
            If they are not two.
        NotFound
            If there is no such segment.
        WrongStep
            If there are no segments yet.
        """
        return compare(self, segments)

    @step
    def explain(self, code: str | None = None, segment: int | None = None) -> dict[str, Any]:
        """Say why a variable was suggested, what a segment is, or how the answer came about.

        Parameters
        ----------
        code : str, optional
            Of a suggestion.
        segment : int, optional
            Id of a segment. Without both, the whole answer is explained.

        Returns
        -------
        dict
            `of` and `text`; score, parts and reasons of a suggestion, traits of a segment.

        Raises
        ------
        NotFound
            If there is no such suggestion or segment.
        WrongStep
            If nothing was asked or built yet.
        """
        return explain(self, conversation.Explain(code or "", segment))

    @step
    def restart(self) -> Self:
        """Forget the question, the edits and the segments; the data and their type stay.

        Returns
        -------
        Session
            This session; undo brings everything back.
        """
        state = self.state
        self.state = State(state.data_type, state.subtype)
        self.change("the new start")
        self.reply("A new start: describe an audience.")
        return self

    @property
    def comparison(self) -> dict[str, Any] | None:
        """The two segments compared last, as `compare` gives them; None if there are none."""
        return comparison_values(self)

    @property
    def explanation(self) -> dict[str, Any] | None:
        """What was explained last, as `explain` gives it; None if nothing was."""
        return explanation_values(self)

    @property
    def language_model_name(self) -> str | None:
        """Name of the language model that reads messages; None for the grammar alone."""
        return None if self.language_model is None else self.language_model.name

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
        fetched = fetch_report(self.source, list(self.state.confirmed), progress=self.tell)
        frame = fetched.frame
        self.discard("segmentation")
        self.change("the loaded records", frame=frame, fetched=fetched.without_rows())
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
        if self.state.frame is None:
            self.load()
        frame = self.state.frame
        if frame is None:
            raise WrongStep("No records are loaded.", "Confirm variables and load first.")
        # Sizes set in records hold for the records at hand; shares given here replace them.
        min_size = self.state.min_size if min_share is None else None
        max_size = self.state.max_size if max_share is None else None
        least, most = shares_of(self.state, len(frame))
        min_share = least if min_share is None else min_share
        max_share = most if max_share is None else max_share
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
            min_size=min_size,
            max_size=max_size,
        )
        small, large = segmentation.bounds
        self.reply(
            f"{segmentation.n_segments} segments of {segmentation.labels.size:,} records, each "
            f"between {small:,} and {large:,} ({min_share:.0%} to {max_share:.0%})."
        )
        return segmentation if self._rows_may_be_seen else without_labels(segmentation)

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
