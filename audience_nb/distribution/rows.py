"""From an audience's people to the rows that may leave: consent, lists, normal forms, repeats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from audience_nb.distribution.fields import field_of
from audience_nb.distribution.rule import Rule, Written
from audience_nb.dropped import Dropped
from audience_nb.errors import InvalidInput
from audience_nb.policy.consent import GRANTS, REFUSALS, STRINGS, agreed, answers

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience
    from audience_nb.policy.suppression import SuppressionList

__all__ = ["Prepared", "prepare"]

# Texts of so many rows are in memory at a time.
_PIECE = 50_000
_SHARING = "consent_sharing"
_IDENTIFIERS = frozenset({"email", "phone", "maid", "uid2", "rampid", "customer_id", "username"})


@dataclass(frozen=True)
class Prepared:
    """Rows that may leave.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_rows, n_rules)
        By the platform's names, hashed; "" where a row has no such value. Indexed by position in
        the audience.
    offered : int
        Rows of the audience.
    dropped : tuple of Dropped
        Why others stay, each under its first reason.
    columns : dict of str to Written
        By our names: how many values were given, readable, hashed already.
    consent_known, agreed : bool
        Whether anything is recorded of consent; whether these rows are on record as having agreed,
        and not only as not having refused.
    """

    frame: pd.DataFrame = field(repr=False)
    offered: int
    dropped: tuple[Dropped, ...]
    columns: Mapping[str, Written] = field(repr=False)
    consent_known: bool
    agreed: bool = False

    @property
    def rows_dropped(self) -> dict[str, int]:
        """Rows that stay, by reason."""
        return {d.reason: d.count for d in self.dropped}

    def digest(self, *about: str) -> str:
        """Give the SHA-256 of the rows in their order, and of what they are sent with.

        Parameters
        ----------
        *about : str
            Such as the destination's name and the list's id.

        Returns
        -------
        str
        """
        digest = hashlib.sha256("\x1f".join(about).encode())
        for name in self.frame.columns:
            digest.update(f"\x1e{name}\x1e".encode())
            for start in range(0, len(self.frame), _PIECE):
                cells = self.frame[name].iloc[start : start + _PIECE]
                digest.update("\x1f".join(cells.tolist()).encode())
        return digest.hexdigest()


def prepare(
    audience: Audience,
    people: pd.DataFrame,
    rules: Sequence[Rule],
    needs: Sequence[frozenset[str]],
    *,
    region: str | None = None,
    suppression: Sequence[SuppressionList] = (),
) -> Prepared:
    """Leave out who may not be sent, and write the others as a platform wants them.

    Parameters
    ----------
    audience : Audience
        What to send.
    people : pandas.DataFrame
        On the audience's index: identifiers, consent.
    rules : sequence of Rule
        Fields to send.
    needs : sequence of frozenset of str
        Fields of ours of which a row has to have all of at least one set.
    region : str, optional
        Where telephone numbers without country code belong.
    suppression : sequence of SuppressionList, optional
        People to leave out.

    Returns
    -------
    Prepared

    Raises
    ------
    InvalidInput
        If `people` is not about the audience's records.
    """
    import pandas as pd

    if not people.index.equals(audience.frame.index):
        raise InvalidInput(
            f"{len(people):,} rows of identifiers do not stand on the audience's "
            f"{audience.size:,} records.",
            "Fetch the identifiers for exactly these records.",
        )
    keep, dropped = _permitted(people, suppression)
    place = _columns(people)
    where = np.flatnonzero(keep)
    columns: dict[str, Written] = {}
    written: dict[str, pd.Series] = {}
    for rule in rules:
        if rule.field not in place:
            continue
        values = place[rule.field]
        total = Written()
        parts = []
        for start in range(0, len(where), _PIECE):
            piece = rule.apply(values.take(where[start : start + _PIECE]).tolist(), region)
            total.given += piece.given
            total.unreadable += piece.unreadable
            total.hashed += piece.hashed
            parts.append(pd.array(piece.values, dtype="string[pyarrow]"))
        columns.setdefault(rule.field, total)
        cells = pd.concat([pd.Series(p) for p in parts]) if parts else pd.Series([], dtype="string")
        written[rule.wire] = cells.set_axis(where)
    frame = pd.DataFrame(written, index=where)
    usable = np.zeros(len(frame), dtype=bool)
    wires = {rule.field: rule.wire for rule in rules}
    for need in needs:
        if all(wires.get(name) in frame for name in need):
            usable |= np.logical_and.reduce([(frame[wires[n]] != "").to_numpy() for n in need])
    unreadable = int((~usable).sum()) and _unreadable(people, place, where[~usable], needs)
    reasons = [
        *dropped,
        Dropped("identifier not readable", unreadable),
        Dropped("no identifier", int((~usable).sum()) - unreadable),
    ]
    if not usable.all():
        frame = frame[usable]
    if frame.shape[1] == 1 and len(set(frame.iloc[:, 0].tolist())) == len(frame):
        # As nearly always; pandas takes three times as long to say so.
        repeated = np.zeros(len(frame), dtype=bool)
    else:
        repeated = frame.duplicated().to_numpy()
    if repeated.any():
        frame = frame[~repeated]
    reasons.append(Dropped("repeated identifier", int(repeated.sum())))
    named = {str(c) for c in people.columns}
    granted = {*GRANTS, *STRINGS, _SHARING} & named
    return Prepared(
        frame,
        len(people),
        tuple(d for d in reasons if d.count),
        columns,
        consent_known=bool(granted or named & set(REFUSALS)),
        agreed=bool(granted),
    )


def _permitted(
    people: pd.DataFrame, suppression: Sequence[SuppressionList]
) -> tuple[np.ndarray, list[Dropped]]:
    keep, told = agreed(people)
    dropped = list(told)
    if _SHARING in people.columns:
        refused = keep & (answers(people[_SHARING]) != 1)
        dropped.append(Dropped(f"no consent: {_SHARING}", int(refused.sum())))
        keep = keep & ~refused
    for listed in suppression:
        if listed.column is not None and listed.column not in people.columns:
            raise InvalidInput(
                f"The {listed.name} is about {listed.column!r}, which is not fetched.",
                "Name a column of identifiers.",
            )
        if listed.column is not None:
            on_it = listed.lists(people[listed.column])
        else:
            # Whoever names no column means the person, by whatever identifier.
            on_it = listed.lists(people.index)
            for column in people.columns:
                if field_of(column) in _IDENTIFIERS:
                    on_it = on_it | listed.lists(people[column])
        on_it = on_it & keep
        dropped.append(Dropped(f"on the {listed.name}", int(on_it.sum())))
        keep = keep & ~on_it
    return keep, dropped


def _columns(people: pd.DataFrame) -> dict[str, pd.Series]:
    """Find the column of each field; the index may be one."""
    found: dict[str, pd.Series] = {}
    for column in people.columns:
        found.setdefault(field_of(column) or str(column), people[column])
    name = field_of(people.index.name)
    if name is not None:
        found.setdefault(name, people.index.to_series())
    return found


def _unreadable(
    people: pd.DataFrame,
    place: Mapping[str, pd.Series],
    rows: np.ndarray,
    needs: Sequence[frozenset[str]],
) -> int:
    """Count rows that had something to be found by, though nothing that could be read."""
    given = np.zeros(len(rows), dtype=bool)
    for need in needs:
        if all(name in place for name in need):
            has = np.ones(len(rows), dtype=bool)
            for name in need:
                cells = place[name].iloc[rows]
                has &= cells.notna().to_numpy() & (cells.astype(str).str.strip() != "").to_numpy()
            given |= has
    return int(given.sum())
