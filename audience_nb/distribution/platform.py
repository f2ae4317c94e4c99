"""What every platform shares: check, plan, and push in batches that no fault doubles or loses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from audience_nb.distribution.checks import Limits, check_rows
from audience_nb.distribution.door import Door, checked_endpoint
from audience_nb.distribution.forms import checked_region
from audience_nb.distribution.journal import Journal, journal_folder
from audience_nb.distribution.receipt import Delivery, Finding, NotDelivered, Plan, TokenRefused
from audience_nb.distribution.rows import Prepared, prepare
from audience_nb.distribution.rule import Rule
from audience_nb.embedding.retries import Failure, Patience
from audience_nb.errors import InvalidInput, NotAllowed
from audience_nb.policy.suppression import suppression_lists

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = ["Batch", "Outgoing", "Platform"]

_SHOWN = 6
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-Za-z+/]{43}=")


@dataclass(frozen=True)
class Batch:
    """Rows of one request.

    Parameters
    ----------
    frame : pandas.DataFrame
        By the platform's names.
    number, of : int
        Which, from 1, of how many.
    total : int
        Rows of the whole delivery.
    delivery : str
        SHA-256 of the whole delivery, the same when it is resumed.
    audience : str
        Name of the audience.
    consented : bool
        Whether all of them are on record as having agreed.
    """

    frame: pd.DataFrame = field(repr=False)
    number: int
    of: int
    total: int
    delivery: str
    audience: str
    consented: bool = False

    @property
    def session(self) -> int:
        """Number of the delivery, the same when it is resumed: 1 to 2**52."""
        return 1 + int(self.delivery[:13], 16)


@dataclass(frozen=True)
class Outgoing:
    """A request as it leaves.

    Parameters
    ----------
    method, path : str
        The path begins with a slash.
    payload : object
        What is written as JSON, or a text.
    content_type : str
        Of the payload.
    """

    method: str
    path: str
    payload: Any = field(repr=False)
    content_type: str = "application/json"

    @property
    def body(self) -> bytes:
        """Bytes of the payload."""
        if isinstance(self.payload, str):
            return self.payload.encode()
        return json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).encode()


class Platform:
    """An advertising platform that takes lists over HTTP.

    A subclass says in its class attributes which fields it takes and within which limits, and
    composes one request from a batch of rows. Everything else is here.

    Parameters
    ----------
    fields : sequence of str, optional
        Fields to send; by default those that say by themselves who somebody is. Names and
        addresses leave only when they are named.
    region : str, optional
        Where the people are (ISO 3166-1 alpha-2): reads telephone numbers without country code.
    retention_days : int, optional
        Days after which the platform is to forget the people.
    description : str, optional
        Of the audience, where the platform takes one.
    suppression : SuppressionList, sequence of them, or of identifiers, optional
        People to leave out.
    endpoint : str, optional
        Another address than the platform's own.
    journal : str or pathlib.Path, optional
        Folder in which acknowledged batches are written down; what is there is not sent again until
        `retention_days` are over.
    timeout, max_retries, longest_wait : optional
        Patience with the server: seconds for a request, further attempts, seconds between two.
    **account
        Ids of the account and the list, as the platform needs them.

    Raises
    ------
    InvalidInput
        If an option is unknown, or a value cannot be used.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    base: ClassVar[str]
    rules: ClassVar[tuple[Rule, ...]]
    direct: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[frozenset[str], ...]]
    limits: ClassVar[Limits] = Limits(source="ours")
    account: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    separate: ClassVar[bool] = False
    reviewed: ClassVar[bool] = True

    def __init__(
        self,
        *,
        fields: Sequence[str] | None = None,
        region: str | None = None,
        retention_days: int | None = None,
        description: str = "",
        suppression: object = None,
        endpoint: str | None = None,
        journal: str | Path | None = None,
        timeout: float = 30.0,
        max_retries: int = 6,
        longest_wait: float = 60.0,
        **account: Any,
    ) -> None:
        unknown = sorted(set(account) - {*self.account, *self.optional})
        if unknown:
            raise InvalidInput(
                f"{self.title} has no option {unknown[0]!r}.",
                f"Of its own it has: {', '.join([*self.account, *self.optional]) or 'none'}.",
            )
        known = list(dict.fromkeys(rule.field for rule in self.rules))
        for name in fields or ():
            if name not in known:
                raise InvalidInput(
                    f"{self.title} takes no field {name!r}.", f"It takes: {', '.join(known)}."
                )
        self.fields = tuple(fields) if fields is not None else self.direct
        self.region = checked_region(region)
        self.retention_days = self.limits.default_days if retention_days is None else retention_days
        if self.retention_days is not None and (
            isinstance(self.retention_days, bool) or not isinstance(self.retention_days, int)
        ):
            raise InvalidInput(f"retention_days is {retention_days!r}.", "Give whole days.")
        self.description = description
        self.suppression = suppression_lists(suppression)
        self.endpoint = checked_endpoint(endpoint or self.base)
        self.options = {name: account.get(name) for name in (*self.account, *self.optional)}
        self._journals = Path(journal) if journal is not None else journal_folder()
        self._patience = Patience(timeout, max_retries, longest_wait)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.endpoint!r})"

    # -- what a platform says of itself ----------------------------------------------------------

    def compose(self, batch: Batch) -> Outgoing:
        """Write the request of one batch.

        Parameters
        ----------
        batch : Batch
            Its rows.

        Returns
        -------
        Outgoing
        """
        raise NotImplementedError

    def authorisation(self, token: str) -> dict[str, str]:
        """Give the headers that let one in.

        Parameters
        ----------
        token : str
            As the platform gave it out.

        Returns
        -------
        dict of str to str
        """
        return {"Authorization": f"Bearer {token}"}

    def verdict(self, answer: Any, rows: int) -> Failure | None:
        """Say what failed though the status is 2xx; None if all rows were received."""
        return None

    def refused(self, answer: Any) -> int:
        """Count the rows that the platform did not take, as its answer says."""
        return 0

    def deliver(self, door: Door, batch: Batch, outgoing: Outgoing, key: str) -> int:
        """Send one batch, and count the rows of it that were refused.

        Parameters
        ----------
        door : Door
            To the platform.
        batch : Batch
            Its rows.
        outgoing : Outgoing
            As `compose` wrote it.
        key : str
            SHA-256 of the payload.

        Returns
        -------
        int
        """
        answer = door.ask(
            outgoing.method,
            self.endpoint + outgoing.path,
            outgoing.body,
            key=key,
            content_type=outgoing.content_type,
            verdict=lambda answer: self.verdict(answer, len(batch.frame)),
        )
        return self.refused(answer)

    # -- check, plan, push -----------------------------------------------------------------------

    def check(self, audience: Audience, people: pd.DataFrame) -> tuple[Finding, ...]:
        """Say what forbids or hinders sending an audience; nothing leaves.

        Parameters
        ----------
        audience : Audience
            What to send.
        people : pandas.DataFrame
            On the audience's index: identifiers, consent.

        Returns
        -------
        tuple of Finding
            Errors first.
        """
        return self._findings(audience, self._prepared(audience, people))

    def plan(self, audience: Audience, people: pd.DataFrame) -> Plan:
        """Show exactly what would leave, identifiers cut short; nothing leaves.

        Parameters
        ----------
        audience, people
            As for `check`.

        Returns
        -------
        Plan
        """
        prepared = self._prepared(audience, people)
        digest = self._digest(prepared)
        sizes = self._sizes(prepared)
        method = address = ""
        payload: Any = None
        if sizes:
            sample = prepared.frame.head(min(2, sizes[0])).map(_cut)
            first = Batch(
                sample,
                1,
                len(sizes),
                len(prepared.frame),
                digest,
                audience.name,
                prepared.agreed,
            )
            outgoing = self.compose(first)
            method, address = outgoing.method, self.endpoint + outgoing.path
            payload = outgoing.payload
        return Plan(
            self.name,
            audience.name,
            method,
            address,
            len(prepared.frame),
            prepared.rows_dropped,
            tuple(sizes),
            payload,
            digest,
            self.retention_days,
            self._findings(audience, prepared),
        )

    def push(
        self,
        audience: Audience,
        people: pd.DataFrame,
        *,
        token: str | None = None,
        confirm: bool = False,
    ) -> Delivery:
        """Send the audience, or say what would leave.

        Nothing leaves without both a token and `confirm`. A push that was interrupted goes on
        after the last batch that the platform acknowledged; of what is sent twice because its
        answer was lost, the platform knows the key.

        Parameters
        ----------
        audience, people
            As for `check`.
        token : str, optional
            What lets one in; kept nowhere.
        confirm : bool, optional
            False for a dry run.

        Returns
        -------
        Delivery

        Raises
        ------
        NotAllowed
            If a finding forbids it.
        InvalidInput
            If an id of the account is missing.
        TokenRefused, NotDelivered
            If the platform did not take all rows; its `delivery` says how far it got.
        """
        prepared = self._prepared(audience, people)
        sizes = self._sizes(prepared)
        digest = self._digest(prepared)
        receipt = Delivery(
            self.name,
            audience.name,
            len(prepared.frame),
            prepared.rows_dropped,
            batches=len(sizes),
            digest=digest,
            retention_days=self.retention_days,
        )
        if not (confirm and token):
            return receipt
        require_no_error(self._findings(audience, prepared))
        missing = [name for name in self.account if not self.options[name]]
        if missing:
            raise InvalidInput(f"{self.title} needs {', '.join(missing)}.", "Give them as options.")
        door = Door(self.title, self.authorisation(token), self._patience)
        journal = Journal(self._journals, digest, self.retention_days)
        sent = before = refused = 0
        done = replace(receipt, dry_run=False, location=self.endpoint)
        try:
            with journal.alone():
                for batch in self._batches(prepared, sizes, digest, audience.name):
                    outgoing = self.compose(batch)
                    key = hashlib.sha256(outgoing.body).hexdigest()
                    rows = len(batch.frame)
                    if key in journal.acknowledged:
                        rows, not_taken = journal.acknowledged[key]
                        before += rows - not_taken
                    else:
                        not_taken = self.deliver(door, batch, outgoing, key)
                        journal.acknowledge(key, rows, not_taken)
                        sent += rows - not_taken
                    refused += not_taken
        except (NotDelivered, TokenRefused) as error:
            error.delivery = replace(done, rows_sent=sent, rows_before=before)
            raise
        dropped = {**done.rows_dropped, f"refused by {self.title}": refused}
        return replace(
            done,
            rows_sent=sent,
            rows_before=before,
            rows_dropped={reason: n for reason, n in dropped.items() if n},
        )

    # -- inside ----------------------------------------------------------------------------------

    def _prepared(self, audience: Audience, people: pd.DataFrame) -> Prepared:
        wanted = [rule for rule in self.rules if rule.field in self.fields]
        return prepare(
            audience,
            people,
            wanted,
            self.needs,
            region=self.region,
            suppression=self.suppression,
        )

    def _findings(self, audience: Audience, prepared: Prepared) -> tuple[Finding, ...]:
        return check_rows(
            self.title,
            audience,
            prepared,
            self.limits,
            retention_days=self.retention_days,
            region=self.region,
            description=self.description,
            separate=self.separate,
            reviewed=self.reviewed,
        )

    def _digest(self, prepared: Prepared) -> str:
        about = [self.name, self.endpoint, str(self.retention_days), self.description]
        return prepared.digest(*about, *(f"{k}={v}" for k, v in sorted(self.options.items())))

    def _sizes(self, prepared: Prepared) -> list[int]:
        """Cut into batches as few and as equal as the limits allow."""
        rows = len(prepared.frame)
        if not rows:
            return []
        most = self.limits.rows
        if self.limits.size is not None:
            widest = sum(int(prepared.frame[c].str.len().max()) for c in prepared.frame)
            # Names, quotes and commas around a row's cells, and the envelope around all rows.
            most = min(most, max(1, (self.limits.size - 4096) // (widest + 256)))
        n = -(-rows // most)
        return [rows // n + (i < rows % n) for i in range(n)]

    def _batches(
        self, prepared: Prepared, sizes: Iterable[int], digest: str, name: str
    ) -> Iterator[Batch]:
        sizes = list(sizes)
        start = 0
        for i, size in enumerate(sizes):
            piece = prepared.frame.iloc[start : start + size]
            whole = len(prepared.frame)
            yield Batch(piece, i + 1, len(sizes), whole, digest, name, prepared.agreed)
            start += size


def require_no_error(findings: Sequence[Finding]) -> None:
    """Refuse to send while a finding forbids it.

    Parameters
    ----------
    findings : sequence of Finding
        As `check` gives.

    Raises
    ------
    NotAllowed
        With the first error.
    """
    errors = [f for f in findings if f.level == "error"]
    if errors:
        more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
        raise NotAllowed(errors[0].message + more, errors[0].fix)


def rows_of(frame: pd.DataFrame) -> list[dict[str, str]]:
    """Give each row's cells by name, empty ones left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        Texts.

    Returns
    -------
    list of dict
    """
    names = list(frame.columns)
    columns = [frame[name].tolist() for name in names]
    return [
        {name: cell for name, cell in zip(names, cells, strict=True) if cell}
        for cells in zip(*columns, strict=True)
    ]


def _cut(cell: str) -> str:
    """Show so much of a hash that two can be told apart, and of what is none nearly nothing."""
    if not cell:
        return ""
    return f"{cell[:_SHOWN]}…" if _HASH.fullmatch(cell) else f"{cell[:1]}…"
