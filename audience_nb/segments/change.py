"""What a batch of new and changed records does to segments that are there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.errors import AudienceError, Infeasible, InvalidInput, NotFound
from audience_nb.segments.assign import Rule, needed, taken_from
from audience_nb.segments.description import sized
from audience_nb.segments.drift import chance, drift_table, finding, psi

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.segments import Segment, Segmentation

__all__ = ["Change", "followed", "updated"]

IntArray = npt.NDArray[np.intp]
Verdict = Literal["keep", "watch", "refit"]
Sizes = Literal["check", "keep"]

# Records may lie so much farther from their medians than those of the fit before it matters, and
# by so many standard errors before it is more than chance. Ours: no convention is known.
_FARTHER, _ERRORS = 1.10, 3.0
# What pandas reads in a folder of batches.
_SUFFIXES = (".csv", ".parquet", ".pq")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Change:
    """Segments after a batch, who moved, and whether they still fit.

    Parameters
    ----------
    segmentation : Segmentation
        After the batch: ids, names, medians, traits and profiles of the fit; sizes, shares,
        labels and cost of now.
    n_batch, n_new, n_changed, n_gone : int
        Records of the batch, of them new and known already, and records that are gone.
    flows : pandas.DataFrame
        One row for each move that somebody made: before, after (segment ids; 0 for outside) and
        count. Who stays is not in it.
    sizes : pandas.DataFrame
        By segment: name, before, entered (new records), arrived and left (from and to another
        segment), gone, size, share_before, share, smallest and largest (allowed now), allowed
        (whether it is).
    drift : pandas.DataFrame
        By variable: code, label, psi, chance, finding; see `audience_nb.segments.drift`.
    share_psi, share_chance : float
        The same of the batch's shares of the segments, against those of the fit.
    cost_ratio : float
        Mean distance of the batch to its medians over that of the fit; NaN for an empty batch.
    verdict : {"keep", "watch", "refit"}
        Whether the segments still fit.
    reasons : tuple of str
        Why.
    notes : tuple of str
        What was passed over or is unknown in the batch.
    """

    segmentation: Segmentation
    n_batch: int
    n_new: int
    n_changed: int
    n_gone: int
    flows: pd.DataFrame
    sizes: pd.DataFrame
    drift: pd.DataFrame
    share_psi: float
    share_chance: float
    cost_ratio: float
    verdict: Verdict
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    _records: pd.DataFrame

    def records(self) -> pd.DataFrame:
        """List the records of the batch, and those gone.

        Returns
        -------
        pandas.DataFrame
            Indexed by record: before and after (segment ids, missing for outside). It names
            people: it is made for the caller alone, and shown nowhere.
        """
        return self._records.copy()

    def summary(self) -> str:
        """Say in words what changed and what to do.

        Returns
        -------
        str
        """
        moved = int(self.sizes["arrived"].sum())
        told = (
            f"{self.n_new:,} new and {self.n_changed:,} changed records, of which {moved:,} go "
            f"to another segment; {self.n_gone:,} are gone."
        )
        advice = {
            "keep": "The segments still fit.",
            "watch": "The segments still fit; watch them.",
            "refit": "Form the segments anew.",
        }[self.verdict]
        return " ".join([told, advice, *self.reasons])

    def __repr__(self) -> str:
        return (
            f"Change({self.n_new:,} new, {self.n_changed:,} changed, {self.n_gone:,} gone, "
            f"{self.segmentation.n_segments} segments of {self.segmentation.n_records:,} records, "
            f"{self.verdict})"
        )


def updated(
    segmentation: Segmentation,
    batch: pd.DataFrame,
    *,
    gone: Collection[Any] = (),
    sizes: Sizes = "keep",
) -> Change:
    """Take a batch into segments; see `Segmentation.update`."""
    import pandas as pd

    if sizes not in ("check", "keep"):
        raise InvalidInput(f"sizes is {sizes!r}.", 'Use "check" or "keep".')
    rule = needed(segmentation)
    labels = segmentation.labels
    leaving, n_unknown = _leaving(labels, batch, gone)
    taken = taken_from(batch, rule)
    # Where each record of the batch was, from 0; -1 for nowhere.
    at = labels.index.get_indexer(batch.index)
    before = np.where(at >= 0, labels.to_numpy()[at] - 1 if len(labels) else -1, -1)
    before = before.astype(np.intp)
    stays = np.ones(len(labels), dtype=bool)
    stays[at[at >= 0]] = False
    stays[labels.index.get_indexer(leaving)] = False
    n_after = int(stays.sum()) + len(batch)
    if not n_after:
        raise InvalidInput(
            f"All {len(labels):,} records are gone and the batch has none.",
            "Keep at least one record.",
        )
    others = np.bincount(labels.to_numpy()[stays] - 1, minlength=segmentation.n_segments)
    smallest, largest = _allowed(segmentation, n_after)
    places = rule.nearest(taken.matrix, before)
    now = others + np.bincount(places, minlength=len(others))
    if sizes == "keep" and not ((now >= smallest) & (now <= largest)).all():
        # Where that cannot be, the nearest place is as good as any, and the verdict says so.
        with suppress(Infeasible):
            places = rule.within(taken.matrix, others, smallest, largest)
    distances = rule.distances_of(taken.matrix, places)
    after = pd.Series(places + 1, index=batch.index, name="segment", dtype="int64")
    whole = pd.concat([labels[stays], after]) if stays.any() else after
    away = labels.loc[leaving]
    table = _sizes_table(segmentation, before, places, away, smallest, largest)
    result = replace(
        segmentation,
        segments=tuple(
            _resized(segment, int(size), n_after)
            for segment, size in zip(segmentation.segments, table["size"], strict=True)
        ),
        labels=whole.rename("segment"),
        cost=float(rule.distances[stays].sum() + distances.sum()),
        bounds=(smallest, largest),
        rule=rule.with_distances(np.concatenate([rule.distances[stays], distances])),
    )
    drift = drift_table(rule.spreads, [s.count(taken.read[s.column.code]) for s in rule.spreads])
    counts = np.bincount(places, minlength=len(rule.sizes)).tolist()
    share = psi(rule.sizes, counts), chance(rule.sizes, counts)
    ratio = float(distances.mean() / rule.cost) if len(batch) and rule.cost else float("nan")
    verdict, reasons = _judged(table, drift, share, distances, rule)
    notes = list(taken.notes)
    if not len(batch):
        notes.insert(0, "The batch has 0 records.")
    if n_unknown:
        notes.append(f"{n_unknown:,} of {len(gone):,} records that are gone were not known.")
    known = int((before >= 0).sum())
    if known == len(batch) > 1 and isinstance(batch.index, pd.RangeIndex):
        notes.append(
            f"All {known:,} records are taken as changed ones: the batch counts its rows from "
            "0, as a table without identifiers does. Set its index if they are new."
        )
    return Change(
        result,
        len(batch),
        len(batch) - known,
        known,
        len(away),
        _flows(before, places, away),
        table,
        drift,
        share[0],
        share[1],
        ratio,
        verdict,
        tuple(reasons),
        tuple(notes),
        _moves(batch.index, before, places, away),
    )


def followed(
    segmentation: Segmentation,
    batches: Iterable[pd.DataFrame] | str | Path,
    *,
    id: str | None = None,
    sizes: Sizes = "keep",
) -> Iterator[Change]:
    """Take batch after batch; see `Segmentation.follow`."""
    needed(segmentation)
    named = _files(batches, id) if isinstance(batches, str | os.PathLike) else _given(batches)
    for name, batch in named:
        try:
            change = updated(segmentation, _identified(batch, id), sizes=sizes)
        except AudienceError as error:
            # Which of a thousand files it was is half of mending it.
            raise type(error)(f"{name}: {error.fact}", error.next_move) from error
        segmentation = change.segmentation
        yield change


def _given(batches: Iterable[pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    for number, batch in enumerate(batches, start=1):
        yield f"Batch {number}", batch


def _files(folder: str | os.PathLike[str], id: str | None) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    place = Path(folder)
    if not place.is_dir():
        raise NotFound(f"There is no folder {place.name!r}.", "Give a folder of batches.")
    files = sorted(p for p in place.iterdir() if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise NotFound(
            f"The folder {place.name!r} has no CSV or Parquet file.", "Give a folder of batches."
        )
    if id is None:
        raise InvalidInput(
            f"{len(files)} files of batches do not say what identifies a record.",
            "Name the column: id=…",
        )
    for file in files:
        try:
            if file.suffix.lower() == ".csv":
                batch = pd.read_csv(file, dtype={id: str})
            else:
                batch = pd.read_parquet(file)
        except (ValueError, OSError) as error:
            raise InvalidInput(
                f"{file.name} cannot be read as {file.suffix[1:].upper()}.",
                "Save it again, or take it out of the folder.",
            ) from error
        yield file.name, batch


def _identified(batch: pd.DataFrame, id: str | None) -> pd.DataFrame:
    if id is None:
        return batch
    if id not in batch.columns:
        raise NotFound(
            f"There is no column {id!r} that identifies a record, among {batch.shape[1]} columns.",
            "Name the column that does: id=…",
        )
    lacking = int(batch[id].isna().sum())
    if lacking:
        raise InvalidInput(
            f"{lacking:,} of {len(batch):,} records have no {id!r}.", "Fill it in, or drop them."
        )
    return batch.set_index(id)


def _leaving(
    labels: pd.Series[int], batch: pd.DataFrame, gone: Collection[Any]
) -> tuple[pd.Index[Any], int]:
    """Give the known records that are gone, and how many are not known."""
    import pandas as pd

    if not batch.index.is_unique:
        raise InvalidInput(
            f"{int(batch.index.duplicated().sum()):,} of {len(batch):,} records are in the batch "
            "twice.",
            "Keep the last state of each: batch[~batch.index.duplicated(keep='last')].",
        )
    leaving = pd.Index(list(gone)).unique()
    both = int(leaving.isin(batch.index).sum())
    if both:
        raise InvalidInput(
            f"{both:,} records are both in the batch and gone.", "Give each on one side."
        )
    known = leaving[leaving.isin(labels.index)]
    return known, len(leaving) - len(known)


def _allowed(segmentation: Segmentation, n_records: int) -> tuple[int, int]:
    from audience_nb.kmedians.bounds import allowed_sizes

    return allowed_sizes(
        n_records, min_share=segmentation.min_share, max_share=segmentation.max_share
    )


def _resized(segment: Segment, size: int, n_records: int) -> Segment:
    """Give a segment another size, also in its description."""
    told = segment.description.replace(
        sized(segment.size, segment.share), sized(size, size / n_records), 1
    )
    return replace(segment, size=size, share=size / n_records, description=told)


def _sizes_table(
    segmentation: Segmentation,
    before: IntArray,
    places: IntArray,
    away: pd.Series[int],
    smallest: int,
    largest: int,
) -> pd.DataFrame:
    import pandas as pd

    k = segmentation.n_segments
    moved = (before >= 0) & (before != places)
    was = np.array([s.size for s in segmentation.segments])
    entered = np.bincount(places[before < 0], minlength=k)
    arrived = np.bincount(places[moved], minlength=k)
    left = np.bincount(before[moved], minlength=k)
    gone = np.bincount(away.to_numpy() - 1, minlength=k)
    size = was + entered + arrived - left - gone
    return pd.DataFrame(
        {
            "name": [s.name for s in segmentation.segments],
            "before": was,
            "entered": entered,
            "arrived": arrived,
            "left": left,
            "gone": gone,
            "size": size,
            "share_before": was / was.sum(),
            "share": size / size.sum(),
            "smallest": smallest,
            "largest": largest,
            "allowed": (size >= smallest) & (size <= largest),
        },
        index=pd.Index([s.id for s in segmentation.segments], name="segment"),
    )


def _flows(before: IntArray, places: IntArray, away: pd.Series[int]) -> pd.DataFrame:
    import pandas as pd

    moved = before != places
    pairs = np.column_stack([before[moved] + 1, places[moved] + 1])
    leaves = np.column_stack([away.to_numpy(), np.zeros(len(away), dtype=np.intp)])
    found, counts = np.unique(np.vstack([pairs, leaves]), axis=0, return_counts=True)
    table = pd.DataFrame(found.reshape(-1, 2), columns=["before", "after"], dtype="int64")
    return table.assign(count=counts.astype("int64"))


def _moves(
    index: pd.Index[Any], before: IntArray, places: IntArray, away: pd.Series[int]
) -> pd.DataFrame:
    import pandas as pd

    was = pd.array(np.where(before >= 0, before + 1, 0), dtype="Int64")
    was[before < 0] = pd.NA
    batch = pd.DataFrame({"before": was, "after": pd.array(places + 1, dtype="Int64")}, index=index)
    if not len(away):
        return batch
    nowhere = pd.array([pd.NA] * len(away), dtype="Int64")
    leavers = pd.DataFrame(
        {"before": pd.array(away.to_numpy(), dtype="Int64"), "after": nowhere}, index=away.index
    )
    return pd.concat([batch, leavers]) if len(batch) else leavers


def _judged(
    sizes: pd.DataFrame,
    drift: pd.DataFrame,
    share: tuple[float, float],
    distances: npt.NDArray[np.float64],
    rule: Rule,
) -> tuple[Verdict, list[str]]:
    """Say whether segments still fit, and why not."""
    refit: list[str] = []
    watch: list[str] = []
    broken = sizes[~sizes["allowed"]]
    if len(broken):
        told = ", ".join(f"{i} with {n:,}" for i, n in broken["size"].head(3).items())
        more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
        refit.append(
            f"The size rule no longer holds: of {int(sizes['smallest'].iloc[0]):,} to "
            f"{int(sizes['largest'].iloc[0]):,} records allowed, segment {told}{more}."
        )
    for word, told_to in (("shifted", refit), ("moved", watch)):
        rows = drift[drift["finding"] == word]
        if len(rows):
            first = rows.iloc[0]
            others = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            told_to.append(f"{first['label']} has {word} (PSI {first['psi']:.2f}){others}.")
    found = finding(*share)
    if found != "steady":
        target = refit if found == "shifted" else watch
        target.append(f"The batch spreads differently over the segments (PSI {share[0]:.2f}).")
    if len(distances) and rule.cost:
        ratio = float(distances.mean()) / rule.cost
        error = rule.deviation / np.sqrt(len(distances)) / rule.cost
        if ratio > _FARTHER and ratio - 1 > _ERRORS * error:
            refit.append(
                f"The batch lies {ratio - 1:.0%} farther from the segments' medians than the "
                "records of the fit."
            )
    if refit:
        return "refit", refit + watch
    return ("watch", watch) if watch else ("keep", [])
