"""What leaves for a platform: checked, planned, sent, and noted in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audience_nb.distribution import (
    Delivery,
    Destination,
    Finding,
    NotDelivered,
    Plan,
    TokenRefused,
    columns_for,
    destination,
)
from audience_nb.errors import NotAllowed
from audience_nb.identity import people_of
from audience_nb.policy import require_allowed
from audience_nb.policy.wording import lint
from audience_nb.release import Release
from audience_nb.segments.wording import name_findings
from audience_nb.timeline import step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = ["Sending"]


class Sending(Release):
    """The last step of the road: an audience to a destination."""

    @step
    def distribute(
        self,
        name: str = "file",
        *,
        confirm: bool = False,
        token: str | None = None,
        purpose: str = "",
        **options: Any,
    ) -> Delivery:
        """Send the audience to a destination, or see what would leave.

        Parameters
        ----------
        name : str, optional
            Name of the destination: see `audience_nb.distribution.destinations()`.
        confirm : bool, optional
            False for a dry run, which sends nothing.
        token : str, optional
            What a platform lets one in with; without it nothing leaves for one. Kept nowhere.
        purpose : str, optional
            Why, for the audit log that AUDIENCE_NB_AUDIT names.
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
            If the data type, a finding or the platform forbids it.
        NotDelivered
            If the platform did not take all rows. Sending again goes on where it ended.
        """
        place = self._place(name, options)
        audience, people = self._leaving(place)
        barred = self.sensitive
        refusal = NotAllowed(
            f"The segments are cut by {len(barred)} sensitive variables "
            f"({', '.join(sorted(set(barred.values())))}): {', '.join(barred)}.",
            "Leave them out, or put on record why not: allow_sensitive(codes, reason).",
        )
        if barred and confirm:
            raise refusal
        if self.state.held_out is not None:
            held = int(self.state.held_out[self._needed_audience().frame.index].sum())
            self.reply(f"{held:,} people are held out, and not sent.")
        # A destination of somebody else's may know of no token.
        let_in = {} if token is None else {"token": token}
        # On record before anything leaves: what cannot be noted stays. A file needs no token.
        begun = confirm and bool(token or not getattr(place, "endpoint", ""))
        if begun:
            self._note("distribute begun", audience, 0, purpose, destination=place.name)
        try:
            delivery = place.push(audience, people, confirm=confirm, **let_in)
        except (NotDelivered, TokenRefused) as error:
            if error.delivery is not None:
                self._record("distribute interrupted", audience, error.delivery, purpose)
            raise
        except Exception:
            if begun:
                self._note("distribute refused", audience, 0, purpose, destination=place.name)
            raise
        self.change("the receipt", deliveries=(*self.state.deliveries, delivery))
        flagged = {s.name: name_findings(s) for s in audience.segments}
        flagged[audience.name] = lint(audience.name)
        told = [f"{n!r} ({f[0].rule}: {f[0].alternative})" for n, f in flagged.items() if f]
        if told:
            self.reply(f"Names that advertising platforms may refuse: {'; '.join(told)}")
        verb = "would be" if delivery.dry_run else "were"
        before = f"; {delivery.rows_before:,} were there before" if delivery.rows_before else ""
        self.reply(
            f"{delivery.rows_sent:,} of {audience.size:,} rows {verb} sent to {name}{before}."
        )
        if barred:
            self.reply(f"Not as it stands: {refusal.fact} {refusal.next_move}")
        if not delivery.dry_run:
            self._record("distribute", audience, delivery, purpose)
        return delivery

    def _record(self, action: str, audience: Audience, delivery: Delivery, purpose: str) -> None:
        self._note(
            action,
            audience,
            delivery.rows_sent,
            purpose,
            dropped=delivery.rows_dropped,
            destination=delivery.destination,
            digest=delivery.digest,
            retention_days=delivery.retention_days,
        )

    def check_destination(self, name: str = "file", **options: Any) -> tuple[Finding, ...]:
        """Say what forbids or hinders sending the audience to a destination; nothing leaves.

        Parameters
        ----------
        name : str, optional
            Name of the destination.
        **options
            As the destination takes them.

        Returns
        -------
        tuple of Finding
            Errors first.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type forbids distributing.
        """
        place = self._place(name, options)
        return place.check(*self._leaving(place))

    def plan(self, name: str = "file", **options: Any) -> Plan:
        """Show exactly what would leave for a destination, identifiers cut short.

        Parameters
        ----------
        name : str, optional
            Name of the destination.
        **options
            As the destination takes them.

        Returns
        -------
        Plan

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type forbids distributing.
        """
        place = self._place(name, options)
        return place.plan(*self._leaving(place))

    def _leaving(self, place: Destination) -> tuple[Audience, pd.DataFrame]:
        """Give the audience without those held out, and what a destination may know of them."""
        audience = self._needed_audience()
        if self.state.held_out is not None:
            audience = replace(audience, frame=audience.frame[~audience.frame["held_out"]])
        available = [*self.source.attributes, *self.source.codes]
        also = columns_for(getattr(place, "fields", ()), available)
        return audience, people_of(audience.frame, self.source, self._subtype(), also)

    def _place(self, name: str, options: Mapping[str, Any]) -> Destination:
        """Open a destination, once there is something that may be sent."""
        require_allowed(self.state.rule, "distribute")
        self._needed_audience()
        return destination(name, **options)
