"""What leaves the house: segments picked, named and exported."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audience_nb import conversation
from audience_nb.audit import default_log
from audience_nb.catalog import Catalog
from audience_nb.disclosed import digest_of, disclosed
from audience_nb.errors import InvalidInput, NotAllowed, WrongStep
from audience_nb.export import Audience, are_plain
from audience_nb.identity import consent_notes, identified
from audience_nb.policy import Subtype, require_allowed, rule_of
from audience_nb.policy.disclosure import Disclosure
from audience_nb.policy.sensitive import categories_of
from audience_nb.segments.wording import name_findings
from audience_nb.timeline import Timeline, step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segmentation
    from audience_nb.sources import Source

__all__ = ["Release", "with_columns"]

_LONGEST_REASON = 200


class Release(Timeline):
    """The last part of the road, verb by verb: from segments to a file or a platform.

    Attributes
    ----------
    catalog : Catalog
        The variables that can be found.
    source : Source
        Where records come from.
    random_state : int
        Seed of the segmentation.
    """

    catalog: Catalog
    source: Source
    random_state: int
    # Who is on record for what leaves, where it is not whoever runs the process.
    actor: str = ""
    _gate: Disclosure | None = None
    _digested: tuple[pd.DataFrame, str] | None = None
    _disclosed: tuple[Segmentation, Segmentation] | None = None

    @property
    def segmentation(self) -> Segmentation | None:
        """The segments, once cut; in a clean room as far as they may be shown."""
        cut = self.state.segmentation
        return cut if cut is None else self._shown(cut)

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
        frame = state.frame[kept]
        beside = {"segment": labels[kept], "segment_name": labels[kept].map(names)}
        if state.held_out is not None:
            beside["held_out"] = state.held_out[frame.index]
        frame = with_columns(frame, beside)
        name = state.audience_name or state.query
        name = name or ", ".join(self.catalog[c].label for c in state.confirmed[:3])
        return Audience(name, chosen, frame, len(labels), self._decisions())

    @step
    def pick(self, segments: Sequence[int], name: str | None = None) -> Audience | None:
        """Choose the segments that make the audience.

        Parameters
        ----------
        segments : sequence of int
            Ids; none for all.
        name : str, optional
            What the audience is called, 1 to 80 characters; by default as before, at first the
            question.

        Returns
        -------
        Audience

        Raises
        ------
        NotFound
            If there is no such segment.
        InvalidInput
            If the name is empty or too long.
        """
        cut = self._needed_segments()
        for segment in segments:
            cut.segment(segment)
        called = self.state.audience_name if name is None else _checked_name(name)
        picked = tuple(sorted(set(segments)))
        self.change("the choice of segments", picked=picked, audience_name=called)
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
        name = _checked_name(name)
        renamed = self._needed_segments().rename(segment, name)
        names = {**dict(self.state.names), segment: name}
        self.change("the name", segmentation=renamed, names=tuple(sorted(names.items())))
        for found in name_findings(renamed.segment(segment))[:1]:
            self.reply(f"{found.what} Say instead: {found.alternative} ({found.source})")
        return self._shown(renamed)

    @step
    def export(
        self,
        path: str | Path | None = None,
        *,
        safe: bool = True,
        header: bool = True,
        bom: bool = False,
    ) -> Path:
        """Write the audience with a manifest of its decisions: CSV, or as the name ends.

        Parameters
        ----------
        path : str or pathlib.Path, optional
            Where to, ending in .csv, .parquet or .json; by default
            `exports/<the question>.csv`.
        safe, header, bom : bool, optional
            Of CSV, as `Audience.to_csv` takes them.

        Returns
        -------
        pathlib.Path
            The file; `Audience.read` reads it back.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the data type lets no rows out.
        InvalidInput
            If the place cannot be written to, or is of another format.
        """
        require_allowed(self.state.rule, "export rows")
        given = {"safe": safe, "header": header, "bom": bom}
        options = {name: v for name, v in given.items() if v != (name != "bom")}
        return self._write(self._needed_audience(), path, **options)

    def _write(self, audience: Audience, path: str | Path | None, **options: bool) -> Path:
        """Write records with their identifiers, and keep what was written on record."""
        path = Path("exports") / f"{_slug(audience.name)}.csv" if path is None else Path(path)
        rows = identified(audience.frame, self.source, self._subtype())
        # On record before anything leaves: what cannot be noted stays.
        self._note("export", audience, len(rows), destination=path.name)
        try:
            written = replace(audience, frame=rows).write(path, None, **options)
        except BaseException:
            self._note("export failed", audience, 0, destination=path.name)
            raise
        notes = consent_notes(audience.frame, self.source)
        if are_plain(audience.frame.index) and not are_plain(rows.index):
            notes.append("The ids are addresses or phone numbers: the file holds their SHA-256.")
        self.change(
            "the record of the export",
            exported={
                "path": str(written),
                "rows": len(rows),
                "columns": rows.shape[1] + 1,
                "notes": notes,
                **({"options": options} if options else {}),
            },
        )
        self.reply(f"{len(rows):,} records written to {written}.")
        return written

    def _note(
        self, action: str, audience: Audience, rows_out: int, purpose: str = "", **known: Any
    ) -> None:
        log = default_log()
        if log is not None:
            log.append(
                action,
                actor=self.actor or _whoever(),
                purpose=purpose,
                audience=audience.name[:500],
                data_type=self.state.data_type,
                rows_in=audience.size,
                rows_out=rows_out,
                **known,
            )

    @step
    def allow_sensitive(self, codes: Sequence[str], reason: str) -> dict[str, str]:
        """Put on record that sensitive variables may name segments and leave with an audience.

        Without it they are left out of names, descriptions and traits, and an audience that is
        cut by them is not distributed. The reason is kept with the decisions, in the code that
        repeats them, and in the header of exports.

        Parameters
        ----------
        codes : sequence of str
            Which ones.
        reason : str
            Why, 1 to 200 characters.

        Returns
        -------
        dict of code to category
            Sensitive variables that are still left out.

        Raises
        ------
        NotFound
            If there is no such variable.
        InvalidInput
            If none is given, one of them is not sensitive, or the reason is empty or too long.
        """
        codes = [codes] if isinstance(codes, str) else list(dict.fromkeys(codes))
        found = categories_of(self.catalog[code] for code in codes)
        if not codes or len(found) < len(codes):
            plain = [code for code in codes if code not in found]
            raise InvalidInput(
                f"{len(plain)} of {len(codes)} variables are not sensitive"
                + (f", the first is {plain[0]!r}." if plain else "."),
                "Name the sensitive ones alone.",
            )
        reason = conversation.plain_text(reason)
        if len(reason) > _LONGEST_REASON:
            raise InvalidInput(
                f"The reason has {len(reason)} characters.", f"Use at most {_LONGEST_REASON}."
            )
        self.discard("segmentation")
        kept = {**dict(self.state.allowed_sensitive), **dict.fromkeys(codes, reason)}
        self.change("the permission", allowed_sensitive=tuple(sorted(kept.items())))
        self.reply(
            f"On record: {len(codes)} sensitive variables may be used "
            f"({', '.join(sorted(set(found.values())))}). Reason: {reason}"
        )
        return self.sensitive

    @property
    def sensitive(self) -> dict[str, str]:
        """Category of each confirmed variable that is sensitive and that nobody has allowed."""
        allowed = dict(self.state.allowed_sensitive)
        return categories_of(self.catalog[c] for c in self.state.confirmed if c not in allowed)

    def name_of_segment(self, segment: int) -> str:
        """Give the name of a segment.

        Parameters
        ----------
        segment : int
            Its id.

        Returns
        -------
        str

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotFound
            If there is no such segment.
        """
        return self._needed_segments().segment(segment).name

    # -- inside ----------------------------------------------------------------------------------

    def _shown(self, cut: Segmentation) -> Segmentation:
        """Give what may be shown of segments; asked for again it is the same."""
        if self._rows_may_be_seen:
            return cut
        if self._disclosed is None or self._disclosed[0] is not cut:
            frame = self.state.frame
            if frame is None:
                raise WrongStep("No records are loaded.", "Load them first.")
            self._disclosed = (cut, disclosed(cut, self._room(), self._digest(frame)))
        return self._disclosed[1]

    def _room(self) -> Disclosure:
        """Give the one gate of the clean room."""
        minimum = self.state.rule.minimum_count
        if self._gate is None:
            # Questions hold a digest of the records, which is the key: another session over the
            # same ones draws the same noise, so that opening it again averages nothing out.
            self._gate = Disclosure(minimum, secret=b"audience_nb")
        # Another rule asks for other sizes; what has been spent stays spent.
        self._gate.minimum_count = minimum
        return self._gate

    def _digest(self, frame: pd.DataFrame) -> str:
        if self._digested is None or self._digested[0] is not frame:
            self._digested = (frame, digest_of(frame))
        return self._digested[1]

    def counted(self, what: str, exact: int) -> int | None:
        """Give a count of people about the loaded records, in a clean room as the gate decides.

        Parameters
        ----------
        what : str
            What is counted.
        exact : int
            How many there are.

        Returns
        -------
        int or None
            None where it may not be shown.
        """
        frame = self.state.frame
        if self._rows_may_be_seen:
            return exact
        if frame is None:
            return None
        try:
            return self._room().count((what, self._digest(frame)), exact)
        except NotAllowed:
            return None

    @property
    def privacy_budget(self) -> dict[str, float] | None:
        """What a clean room has spent: `minimum_count`, `spent` and `budget`; None elsewhere."""
        if self._rows_may_be_seen:
            return None
        room = self._room()
        return {
            "minimum_count": room.minimum_count,
            "spent": round(room.spent, 6),
            "budget": room.budget,
        }

    @property
    def _rows_may_be_seen(self) -> bool:
        return self.state.rows_may_be_seen

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
            "sensitive left out of names": self.sensitive,
            "sensitive allowed": dict(state.allowed_sensitive),
            "size rule": {"min_share": state.min_share, "max_share": state.max_share},
            "bounds": list(segmentation.bounds) if segmentation else None,
            "parameters": dict(segmentation.parameters) if segmentation else None,
            "seed": self.random_state,
            "catalogue": self.catalog.fingerprint,
            # Who was left out on the way, and why.
            "dropped": {d.reason: d.count for d in state.fetched.dropped} if state.fetched else {},
        }


def with_columns(frame: pd.DataFrame, first: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Put columns before those of a table, whose own of these names get an underscore.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_variables)
        Indexed by record.
    first : mapping of str to pandas.Series
        On its index.

    Returns
    -------
    pandas.DataFrame of shape (n_records, n_variables + len(first))

    Examples
    --------
    >>> import pandas as pd
    >>> list(with_columns(pd.DataFrame({"segment": [7]}), {"segment": pd.Series([1])}))
    ['segment', 'segment_']
    """
    taken = {*frame.columns, *first}
    renamed = {}
    for name in first:
        free = name
        while name in frame.columns and free in taken:
            free += "_"
        if free != name:
            renamed[name] = free
            taken.add(free)
    frame = frame.rename(columns=renamed)
    for place, (name, values) in enumerate(first.items()):
        frame.insert(place, name, values)
    return frame


def _checked_name(name: str) -> str:
    name = conversation.plain_text(name)
    if len(name) > 80:
        raise InvalidInput(f"The name has {len(name)} characters.", "Use at most 80.")
    return name


def _whoever() -> str:
    """Name who runs the process: on a hub all of them are called the same."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container's user may have no name.
        return f"user {os.getuid()}"


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    return "-".join(words[:8]) or f"audience-{digest}"
