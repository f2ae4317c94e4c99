"""What segments are called and how they are told: in your words, a model's, or a platform's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audience_nb.errors import InvalidInput, NotAllowed, WrongStep
from audience_nb.sending import Sending
from audience_nb.timeline import step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.conversation.model import LanguageModel
    from audience_nb.policy.wording import Finding
    from audience_nb.segments import Segmentation

__all__ = ["Wording"]

_LONGEST_DESCRIPTION = 500


class Wording(Sending):
    """The verbs of names and descriptions, beside `rename`.

    Attributes
    ----------
    language_model : LanguageModel or None
        What words them, where it is asked to.
    """

    language_model: LanguageModel | None

    @step
    def redescribe(self, segment: int, description: str) -> Segmentation:
        """Give a segment a description in your own words.

        Parameters
        ----------
        segment : int
            Its id.
        description : str
            1 to 500 characters.

        Returns
        -------
        Segmentation
            With the new description.

        Raises
        ------
        InvalidInput
            If the description is empty or too long.
        NotFound
            If there is no such segment.
        """
        cut = self._cut()
        cut.segment(segment)
        text = " ".join(str(description).split())
        if not 1 <= len(text) <= _LONGEST_DESCRIPTION:
            raise InvalidInput(
                f"The description has {len(text)} characters.",
                f"Use 1 to {_LONGEST_DESCRIPTION}.",
            )
        told = tuple(replace(s, description=text) if s.id == segment else s for s in cut.segments)
        kept = {**dict(self.state.descriptions), segment: text}
        self.change(
            "the description",
            segmentation=replace(cut, segments=told),
            descriptions=tuple(sorted(kept.items())),
        )
        shown = self.segmentation
        assert shown is not None
        return shown

    @step
    def reword(self) -> dict[int, str]:
        """Let the session's language model word names and descriptions, over the same facts.

        What leaves this machine: labels, levels and figures of the segments' traits.

        Returns
        -------
        dict of int to str
            Why a segment keeps what it had, by id; empty if all were worded.

        Raises
        ------
        NotAllowed
            In a clean room: its figures stay inside.
        WrongStep
            If there are no segments yet, or no language model.
        """
        from audience_nb.conversation.prose import reworded

        self._rows_needed("show figures to a language model")
        cut = self._cut()
        if self.language_model is None:
            raise WrongStep("The session has no language model.", "Start it with language_model=….")
        prose, note = reworded(self.language_model, cut.segments)
        refused = {p.segment: p.refused for p in prose if p.refused}
        for p in prose:
            if not p.refused and p.name.casefold() not in {
                s.name.casefold() for s in cut.segments if s.id != p.segment
            }:
                self.rename(p.segment, p.name)
                self.redescribe(p.segment, p.description)
        n = sum(not p.refused for p in prose)
        self.reply(note or f"{n} of {len(cut.segments)} segments were worded anew.")
        return refused or ({0: note} if note else {})

    @property
    def wording(self) -> pd.DataFrame:
        """What advertising platforms would flag of names, descriptions and variables.

        One row for each finding: segment (0 for variables), part, level, rule, source, what and
        alternative.
        """
        from audience_nb.segments.wording import flagged

        return flagged(self._shown(self._cut()))

    @property
    def flagged_names(self) -> dict[int, tuple[Finding, ...]]:
        """What platforms would flag of the segments' names, by segment."""
        from audience_nb.segments.wording import name_findings

        cut = self.segmentation
        found = {s.id: name_findings(s) for s in cut.segments} if cut is not None else {}
        return {segment: findings for segment, findings in found.items() if findings}

    # -- inside ------------------------------------------------------------------------------------

    def _cut(self) -> Segmentation:
        """Give the segments as they were cut; what of them is shown goes through the gate."""
        self._needed_segments()
        cut = self.state.segmentation
        assert cut is not None
        return cut

    def _loaded(self) -> pd.DataFrame:
        frame = self.state.frame
        if frame is None:
            raise WrongStep("No records are loaded.", "Load them first.")
        return frame

    def _rows_needed(self, what: str) -> None:
        if not self._rows_may_be_seen:
            raise NotAllowed(
                f"{self.state.rule.title} cannot {what}.",
                "Work with the segments' figures, or choose data of your own.",
            )
