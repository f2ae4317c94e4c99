"""The verbs of talk: what is said to a session, and what it says of its answers and segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from audience_nb import conversation
from audience_nb.errors import WrongStep
from audience_nb.refinement import (
    compare,
    comparison_values,
    context_of,
    converse,
    explain,
    explanation_values,
    shown_to_model,
)
from audience_nb.snapshot import Message
from audience_nb.timeline import step
from audience_nb.verbs import Verbs

if TYPE_CHECKING:
    from audience_nb.conversation.model import LanguageModel
    from audience_nb.search import Suggestion

__all__ = ["Dialogue"]


class Dialogue(Verbs):
    """The verbs, done by saying so, and their results looked at closer.

    Attributes
    ----------
    language_model : LanguageModel or None
        What reads messages beside the grammar; None, unless one is asked for.
    """

    language_model: LanguageModel | None = None

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
