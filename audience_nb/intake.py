"""New and changed records: taken into the segments that a session has."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audience_nb.errors import WrongStep
from audience_nb.sources import open_source
from audience_nb.timeline import Insight, step
from audience_nb.wording import Wording

if TYPE_CHECKING:
    from audience_nb.policy.suppression import SuppressionList
    from audience_nb.segments import Change

__all__ = ["Intake"]


class Intake(Wording):
    """The verb that takes a batch in, and where what was found out is held.

    Attributes
    ----------
    consent : bool
        Whether only records of people who consented are taken.
    suppression : tuple of SuppressionList
        People who are left out.
    """

    consent: bool
    suppression: tuple[SuppressionList, ...]

    @step
    def update(
        self,
        batch: Any,
        *,
        gone: Collection[Hashable] = (),
        sizes: Literal["keep", "check"] = "keep",
    ) -> Change:
        """Take new and changed records into the segments.

        Parameters
        ----------
        batch : table or path
            Records with the columns that segments are cut by; a file needs the session's id
            column. Consent and suppression lists hold for it as for the records.
        gone : collection, optional
            Records that are no longer there.
        sizes : {"keep", "check"}, default "keep"
            See `Segmentation.update`.

        Returns
        -------
        Change

        Raises
        ------
        NotAllowed
            In a clean room: two states differ by single people.
        WrongStep
            If there are no segments yet, or records go by another identifier than their id.
        InvalidInput, NotFound
            If the batch does not fit the records.
        """
        import pandas as pd

        from audience_nb.permission import permitted

        self._rows_needed("take single people in")
        cut, frame = self._cut(), self._loaded()
        if self.state.subtype != "customer_id":
            raise WrongStep(
                f"The records go by {self._subtype().title.lower()}, which a batch has not.",
                "Choose the customer id to update.",
            )
        id = getattr(self.source, "id", None)
        path = batch if isinstance(batch, str | Path) else None
        records = batch
        if path is not None or not isinstance(batch, pd.DataFrame):
            source = open_source(batch, id=id)
            records = source.fetch([c for c in (*source.codes, *source.attributes) if c != id])
        elif id is not None and id in batch.columns:
            records = batch.set_index(id)
        if len(records) and (self.consent or self.suppression):
            table = open_source(records.rename_axis(index=None))
            records, _ = permitted(
                records, table, consent=self.consent, suppression=self.suppression
            )
        change = cut.update(records, gone=gone, sizes=sizes)
        now = change.segmentation.labels.index
        kept = frame[frame.index.isin(now) & ~frame.index.isin(records.index)]
        taken = records.reindex(columns=frame.columns)
        whole = pd.concat([kept, taken]) if len(kept) and len(taken) else (
            kept if len(kept) else taken
        )  # fmt: skip
        known = str(path) if path is not None else None
        self.change(
            "the update",
            segmentation=change.segmentation,
            frame=whole.loc[now],
            lifestyles=None,
            insights=(),
            held_out=None,
            updates=(*self.state.updates, (known, tuple(gone), sizes)),
        )
        self._keep(Insight("update", {}, change))
        self.reply(change.summary())
        for note in change.notes:
            self.reply(note)
        return change

    # -- inside ------------------------------------------------------------------------------------

    def insight(self, verb: str) -> Any:
        """Give the last result of a verb.

        Parameters
        ----------
        verb : str
            "overlap", "lookalike", "predict_size", "performance", "hold_out" or "update".

        Returns
        -------
        object
            None before its first use, or since segments were cut anew.
        """
        return next((i.result for i in self.state.insights if i.verb == verb), None)

    def _keep(self, found: Insight) -> None:
        """Hold a finding in place of the one before of its verb."""
        others = tuple(i for i in self.state.insights if i.verb != found.verb)
        self.change(f"the {found.verb.replace('_', ' ')}", insights=(*others, found))
