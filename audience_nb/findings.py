"""What audiences tell, verb by verb: overlap, predicted size, lookalikes, hold-out, performance."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from audience_nb.errors import WrongStep
from audience_nb.export import Audience
from audience_nb.intake import Intake
from audience_nb.policy import require_allowed
from audience_nb.release import with_columns
from audience_nb.timeline import Insight, step

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.insights import Lookalike, Overlap, Reach
    from audience_nb.segments import Segmentation

    Audiences = Mapping[str, Collection[Hashable]]

__all__ = ["Findings"]

# Audiences compared where nobody says which; a clean room pays for each figure.
_MOST_AUDIENCES, _MOST_IN_ROOM = 10, 5
# Columns that a view offers as an outcome.
_MOST_OUTCOMES = 200


class Findings(Intake):
    """The verbs of insight, between segments and what leaves the house.

    Each is done again by `Session.from_json` and `to_code`; segments cut anew discard them.
    """

    # -- overlap and size --------------------------------------------------------------------------

    @step
    def overlap(self, audiences: Audiences | Sequence[str] | None = None) -> Overlap:
        """Count the people whom audiences have in common.

        Parameters
        ----------
        audiences : mapping of str to identifiers, or sequence of str, optional
            By name: who is in each, or "column=value" of the records. By default the picked
            segments, the lookalike and, of each confirmed variable, those above the median, who
            say yes, or of the most common level; at most 10.

        Returns
        -------
        Overlap
            In a clean room from noisy counts, and only of people enough.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If a clean room is asked about people named one by one.
        InvalidInput, NotFound
            If there are fewer than 2 audiences, or a column is unknown.
        """
        from audience_nb.insights import overlap
        from audience_nb.insights.gate import released_overlap

        cut, named = self._cut(), isinstance(audiences, Mapping)
        if named:
            self._rows_needed("be asked about people named one by one")
        sets: dict[str, Collection[Hashable]] = {}
        if isinstance(audiences, Mapping):
            sets = dict(audiences)
        elif audiences is not None:
            index = cut.labels.index
            sets = {spec: index[self._outcome(spec)[0].to_numpy() == 1] for spec in audiences}
        else:
            sets = self._audiences(cut)
        fewest = self.state.rule.minimum_count
        found = overlap(sets, minimum_count=1 if self._rows_may_be_seen else fewest)
        if not self._rows_may_be_seen:
            found = released_overlap(found, self.counted)
        given: dict[str, Any] = {}
        if audiences is not None and not named:
            given["audiences"] = list(audiences)
        self._keep(Insight("overlap", given, found, ("audiences",) if named else ()))
        return found

    @step
    def predict_size(self, base: int, confidence: float = 0.95) -> Reach:
        """Predict how many people of a base the picked segments have.

        Parameters
        ----------
        base : int
            People in the base, of whom the records are a sample drawn at random.
        confidence : float, default 0.95
            Of the interval, in (0, 1).

        Returns
        -------
        Reach
            In a clean room from a noisy count, whose noise the interval does not hold.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        InvalidInput
            If the base is smaller than the records.
        """
        from audience_nb.insights import predicted_size

        cut = self._cut()
        sizes = {s.id: s.size for s in self._shown(cut).segments}
        count = sum(sizes[i] for i in self.state.picked or sizes)
        found = predicted_size(count, sum(sizes.values()), base, confidence=confidence)
        self._keep(Insight("predict_size", {"base": base, "confidence": confidence}, found))
        return found

    # -- lookalikes and hold-out -------------------------------------------------------------------

    @step
    def lookalike(
        self,
        segments: Sequence[int] | None = None,
        *,
        seed: str | Collection[Hashable] | None = None,
        method: Literal["logistic", "boosting"] = "logistic",
    ) -> Lookalike:
        """Score everyone else by how like a seed audience they are.

        Parameters
        ----------
        segments : sequence of int, optional
            Whose people are the seed; by default those picked.
        seed : str or collection of identifiers, optional
            Other people: "column=value", a column of yes and no, or identifiers.
        method : {"logistic", "boosting"}, default "logistic"
            See `Lookalike.fit`.

        Returns
        -------
        Lookalike
            Learnt from the confirmed variables, without the seed's own column and without
            sensitive ones that nobody allowed on record.

        Raises
        ------
        NotAllowed
            In a clean room: scores are of single people.
        WrongStep
            If there are no segments yet, or none is picked or named.
        InvalidInput
            If the seed is too small or too large, or no variable is left.
        """
        from audience_nb.insights import Lookalike

        self._rows_needed("score single people")
        cut, frame = self._cut(), self._loaded()
        own = ""
        if isinstance(seed, str):
            values, own = self._outcome(seed)
            people = values.index[values.to_numpy() == 1]
        elif seed is not None:
            people = self._index(seed)
        else:
            chosen = tuple(segments or self.state.picked)
            if not chosen:
                raise WrongStep("No segment is picked as a seed.", "Pick segments, or name them.")
            for segment in chosen:
                cut.segment(segment)
            people = cut.labels.index[cut.labels.isin(chosen)]
        variables = [self.catalog[c] for c in self.state.confirmed if c != own]
        found = Lookalike.fit(
            frame,
            variables,
            people,
            method=method,
            sensitive=self.sensitive,
            random_state=self.random_state,
        )
        arguments: dict[str, Any] = {"method": method}
        if seed is None:
            arguments["segments"] = list(chosen)
        elif isinstance(seed, str):
            arguments["seed"] = seed
        objects = () if seed is None or isinstance(seed, str) else ("seed",)
        self._keep(Insight("lookalike", arguments, found, objects))
        return found

    @step
    def export_lookalike(self, share: float = 0.05, path: str | Path | None = None) -> Path:
        """Write the people most like the seed as CSV, best first.

        Parameters
        ----------
        share : float, default 0.05
            How many, as a share of everyone, from 0.01 to 0.10.
        path : str or pathlib.Path, optional
            Where to; by default `exports/lookalike-….csv`.

        Returns
        -------
        pathlib.Path
            With segment and score beside the variables; `Audience.read_csv` reads it back.

        Raises
        ------
        WrongStep
            If there is no lookalike yet.
        NotAllowed
            If the data type lets no rows out.
        InvalidInput
            If the share is out of range.
        """
        require_allowed(self.state.rule, "export rows")
        found: Lookalike | None = self.insight("lookalike")
        if found is None:
            raise WrongStep("There is no lookalike yet.", "Find one first: lookalike(…).")
        people = found.audience(share)
        cut = self._cut()
        names = {s.id: s.name for s in cut.segments}
        labels = cut.labels[people]
        beside = {"segment": labels, "segment_name": labels.map(names)}
        beside["score"] = found.scores[people].round(4)
        frame = with_columns(self._loaded().loc[people], beside)
        about = {**self._decisions(), "lookalike": dict(self._asked("lookalike")), "share": share}
        audience = Audience(f"Lookalike {share:.0%}", (), frame, len(cut.labels), about)
        written = self._write(audience, path)
        exported = {**(self.state.exported or {}), "lookalike": share}
        self.change("the record of the export", exported=exported)
        return written

    @step
    def hold_out(self, share: float, *, by_segment: bool = True) -> pd.Series[bool]:
        """Choose who is left out of a campaign, so that its effect can be measured.

        They stay in exports, marked in a column `held_out`, and are not distributed.

        Parameters
        ----------
        share : float
            Of the records, in (0, 1).
        by_segment : bool, default True
            Whether each segment gives its share.

        Returns
        -------
        pandas.Series of bool
            By record; the same for the same records and seed.

        Raises
        ------
        NotAllowed
            In a clean room: it names people.
        WrongStep
            If there are no segments yet.
        InvalidInput
            If the share is out of range.
        """
        from audience_nb.insights import hold_out

        self._rows_needed("name people to be held out")
        labels = self._cut().labels
        held = hold_out(
            labels.index,
            share,
            by=labels if by_segment else None,
            random_state=self.random_state,
        )
        self._keep(Insight("hold_out", {"share": share, "by_segment": by_segment}, held))
        self.change("the hold-out", held_out=held)
        self.reply(f"{int(held.sum()):,} of {len(held):,} records are held out of campaigns.")
        return held

    # -- performance -------------------------------------------------------------------------------

    @step
    def performance(self, outcome: str | pd.Series[Any]) -> pd.DataFrame:
        """Compare an outcome of each segment with that of everyone else.

        Parameters
        ----------
        outcome : str or pandas.Series
            A column of the records: yes and no, an amount, or "column=value"; or values of your
            own on the records' index.

        Returns
        -------
        pandas.DataFrame
            See `audience_nb.insights.performance`; in a clean room from noisy counts, and only
            of an outcome of yes and no.

        Raises
        ------
        WrongStep
            If there are no segments yet.
        NotAllowed
            If the outcome is sensitive and nobody allowed it, or a clean room does not show it.
        InvalidInput, NotFound
            If it is no number and no yes and no, or the column is unknown.
        """
        from audience_nb.insights import performance
        from audience_nb.insights.gate import released_performance

        cut = self._cut()
        if isinstance(outcome, str):
            values, _ = self._outcome(outcome)
        else:
            self._rows_needed("take values of single people")
            values = outcome
        if self._rows_may_be_seen:
            found = performance(values, cut.labels)
        else:
            found = released_performance(str(outcome), values, cut.labels, self.counted)
        told = isinstance(outcome, str)
        self._keep(
            Insight(
                "performance",
                {"outcome": outcome} if told else {},
                found,
                () if told else ("outcome",),
            )
        )
        return found

    # -- inside ------------------------------------------------------------------------------------

    @property
    def demographics(self) -> pd.DataFrame:
        """Demographic variables of each segment against the base, with how to read them.

        See `audience_nb.segments.description.demographics`; in a clean room without figures.
        """
        from audience_nb.segments.description import demographics

        codes = [c for c in self.state.confirmed if self.catalog[c].kind == "demographic"]
        return demographics(self._shown(self._cut()), codes)

    def _asked(self, verb: str) -> dict[str, Any]:
        return next(i.arguments for i in self.state.insights if i.verb == verb)

    @property
    def insight_values(self) -> dict[str, Any] | None:
        """What views show of insights: plain values, see `audience_nb.insights.values`."""
        from audience_nb.insights import values

        cut = self.segmentation
        if cut is None:
            return None
        names = {s.id: s.name for s in cut.segments}
        told = values.insight_values(self.state.insights, names)
        held = self.state.held_out
        told["held_out"] = None if held is None else int(held.sum())
        told["rows"] = self._rows_may_be_seen
        told["outcomes"] = self._outcomes()
        told["flagged"] = [
            {"segment": segment, "name": names[segment], **asdict(findings[0])}
            for segment, findings in self.flagged_names.items()
        ]
        return told

    def _outcomes(self) -> list[str]:
        """Name columns that may be an outcome, those that segments are not cut by first."""
        id = getattr(self.source, "id", None)
        cut_by = set(self.state.confirmed)
        columns = [*self.source.attributes, *self.source.codes][: 2 * _MOST_OUTCOMES]
        known = [c for c in columns if c != id]
        return sorted(known, key=lambda c: c in cut_by)[:_MOST_OUTCOMES]

    def _index(self, people: Iterable[Hashable]) -> pd.Index[Any]:
        import pandas as pd

        return pd.Index(list(people))

    def _outcome(self, spec: str) -> tuple[pd.Series[Any], str]:
        """Read "column" or "column=value" of the records as numbers, with the column's name."""
        from audience_nb.insights.outcome import outcome_of

        labels = self._cut().labels
        return outcome_of(
            spec,
            self.source,
            self._loaded(),
            labels.index,
            self.catalog,
            dict(self.state.allowed_sensitive),
            silent=not self._rows_may_be_seen,
        )

    def _audiences(self, cut: Segmentation) -> dict[str, Collection[Hashable]]:
        """Choose audiences worth comparing, where nobody says which."""
        from audience_nb.insights.outcome import part_of
        from audience_nb.segments.assign import needed, taken_from
        from audience_nb.segments.terms import short_name

        most = _MOST_AUDIENCES if self._rows_may_be_seen else _MOST_IN_ROOM
        index = cut.labels.index
        found: dict[str, Collection[Hashable]] = {
            s.name: index[cut.labels == s.id]
            for s in cut.segments
            if s.id in self.state.picked[: most // 2]
        }
        lookalike: Lookalike | None = self.insight("lookalike")
        if lookalike is not None:
            found["Lookalike (5%)"] = lookalike.audience(0.05)
        rule = needed(cut)
        read = taken_from(self._loaded().loc[index], rule).read
        for entry in rule.encoder.columns_:
            column = entry.column
            if len(found) >= most or column.code in self.sensitive:
                continue
            name, inside = part_of(short_name(column), column, read[column.code])
            if name not in found and inside.any():
                found[name] = index[inside]
        return found
