"""Segments of a frame: fitted within size bounds, profiled against the base, named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Variable
from audience_nb.encoding import FrameEncoder, Scaling
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.segments.assign import Rule, needed, taken_from
from audience_nb.segments.change import Change, followed, updated
from audience_nb.segments.order import canonical, check_records, ranked
from audience_nb.segments.plane import flatten, named_parts
from audience_nb.segments.profile import Trait
from audience_nb.segments.segment import Segment, profiled

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "Segment", "Segmentation", "Trait"]

Progress = Callable[[str, float], None]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Segmentation:
    """All records in segments whose sizes are within bounds.

    Parameters
    ----------
    segments : tuple of Segment
        By id: largest first, equal sizes by their medians.
    labels : pandas.Series of int64
        Segment id of each record, on the frame's index, named "segment".
    cost : float
        Sum of the L1 distances of the records to the medians of their segments, encoded.
    bounds : tuple of int
        Smallest and largest size that was allowed, in records.
    parameters : dict
        What `fit` was called with, as JSON can hold it: `Segmentation.fit(frame, **parameters)`
        repeats it; where Variables were given, look their codes up in the catalogue again.
    k_curve : pandas.DataFrame
        One row for each number of segments that was tried.
    map : pandas.DataFrame
        Cells of a plane: x, y, segment, count, share. Aggregates only.
    map_centers : pandas.DataFrame
        Middle of each segment on the plane: segment, name, x, y, size.
    map_axes : tuple of str
        The variables that weigh most in x and in y.
    map_cell : tuple of float
        Width and height of a cell.
    notes : tuple of str
        What was left out, filled in or set aside, in words.
    rule : Rule or None
        How further records are assigned, and what the fit looked like; None where that may not
        be known.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20, 21, 22, 70, 71, 72]})
    >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
    >>> found.labels.tolist(), [s.name for s in found.segments]
    ([1, 1, 1, 2, 2, 2], ['Younger people', 'Older people'])
    """

    segments: tuple[Segment, ...]
    labels: pd.Series[int]
    cost: float
    bounds: tuple[int, int]
    parameters: dict[str, Any]
    k_curve: pd.DataFrame
    map: pd.DataFrame
    map_centers: pd.DataFrame
    map_axes: tuple[str, str]
    map_cell: tuple[float, float]
    notes: tuple[str, ...] = ()
    rule: Rule | None = field(default=None, repr=False)

    @classmethod
    def fit(
        cls,
        frame: pd.DataFrame,
        variables: Sequence[Variable | str],
        *,
        n_segments: int | Literal["auto"] = "auto",
        min_share: float = 0.05,
        max_share: float = 0.10,
        random_state: int = 0,
        scaling: Scaling = "robust",
        weights: Mapping[str, float] | None = None,
        unnamed: Collection[str] = (),
        progress: Progress | None = None,
    ) -> Segmentation:
        """Form segments of records that are alike.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Columns named by variable code; not changed.
        variables : sequence of Variable or str
            What records are compared by.
        n_segments : int or "auto", default "auto"
            How many; "auto" chooses among the numbers that the bounds allow.
        min_share, max_share : float, default 0.05 and 0.10
            Smallest and largest segment, as shares of the records.
        random_state : int, default 0
            Seed. Same records in any order, same seed, same segments.
        scaling, weights
            See `FrameEncoder`.
        unnamed : collection of str, default ()
            Codes of variables that names, descriptions and traits leave out, such as sensitive
            ones; the profile has them.
        progress : callable, optional
            Called with a stage in words and the fraction done in [0, 1]; may raise `Cancelled`.

        Returns
        -------
        Segmentation
            Every record is in one segment, every segment within the bounds.

        Raises
        ------
        InvalidInput
            If the frame has fewer than 2 records or repeats an index label, or the variables tell
            no records apart.
        NotFound
            If the frame lacks a variable.
        Infeasible
            If no segments of such sizes can hold the records.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"home": ["own"] * 4 + ["rent"] * 3})
        >>> found = Segmentation.fit(frame, ["home"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.segments[1].traits[0].text
        'Home: rent 100% against 43%'
        """
        import pandas as pd

        from audience_nb.kmedians import ConstrainedKMedians

        tell: Progress = progress or (lambda stage, fraction: None)
        tell("reading the records", 0.0)
        check_records(frame)
        encoder = FrameEncoder(scaling=scaling, weights=weights)
        read = encoder.fit_read(frame, variables)
        groups = encoder.groups
        # A canonical order of columns and rows: the caller's order must not matter.
        codes = sorted(groups)
        features = np.concatenate([np.arange(groups[c].start, groups[c].stop) for c in codes])
        matrix = encoder.encode(read)[:, features]
        order = canonical(matrix, frame.index)
        tell("forming segments", 0.05)
        model = ConstrainedKMedians(
            n_clusters=n_segments,
            min_share=min_share,
            max_share=max_share,
            random_state=random_state,
            callback=lambda stage, fraction: tell(
                stage, 0.05 + 0.85 * min(max(fraction, 0.0), 1.0)
            ),
        )
        ordered = np.ascontiguousarray(matrix[order])
        model.fit(ordered)
        tell("describing segments", 0.9)
        centers = np.asarray(model.cluster_centers_, dtype=np.float64)
        found = np.asarray(model.labels_, dtype=np.intp)
        position = ranked(found, centers)
        found = position[found]
        places = np.empty(len(frame), dtype=np.intp)
        places[order] = found
        columns = [e.column for e in encoder.columns_]
        n_found = len(centers)
        segments = profiled(columns, read, places, n_found, unnamed)
        cells, middle_points, axes, cell = flatten(
            ordered, found, n_found, named_parts(columns, groups)
        )
        middle_points.insert(1, "name", [s.name for s in segments])
        smallest, largest = model.size_bounds_
        back = np.argsort(position)
        rule = Rule.learnt(
            encoder,
            features,
            centers[back],
            np.asarray(model.prices_, dtype=np.float64)[back],
            read,
            matrix,
            places,
        )
        tell("done", 1.0)
        return cls(
            segments=segments,
            labels=pd.Series(places + 1, index=frame.index, name="segment", dtype="int64"),
            cost=float(model.cost_),
            bounds=(int(smallest), int(largest)),
            parameters={
                "variables": [v.code if isinstance(v, Variable) else str(v) for v in variables],
                "n_segments": n_segments,
                "min_share": min_share,
                "max_share": max_share,
                "random_state": random_state,
                "scaling": scaling,
                "weights": dict(weights or {}),
            },
            k_curve=pd.DataFrame(model.k_curve_),
            map=cells,
            map_centers=middle_points,
            map_axes=axes,
            map_cell=cell,
            notes=tuple(encoder.notes),
            rule=rule,
        )

    @property
    def n_segments(self) -> int:
        """How many segments there are."""
        return len(self.segments)

    @property
    def n_records(self) -> int:
        """How many records they hold."""
        return sum(segment.size for segment in self.segments)

    @property
    def seed(self) -> int:
        """The `random_state` that was used."""
        return int(self.parameters["random_state"])

    @property
    def min_share(self) -> float:
        """Smallest allowed segment as a share of the records."""
        return float(self.parameters["min_share"])

    @property
    def max_share(self) -> float:
        """Largest allowed segment as a share of the records."""
        return float(self.parameters["max_share"])

    def __len__(self) -> int:
        return len(self.segments)

    def __repr__(self) -> str:
        sizes = [s.size for s in self.segments]
        return (
            f"Segmentation({self.n_segments} segments of {min(sizes):,} to {max(sizes):,} records, "
            f"{self.n_records:,} records, {len(self.parameters['variables'])} variables, "
            f"cost {self.cost:,.4g})"
        )

    def segment(self, id: int) -> Segment:
        """Give a segment by its id.

        Parameters
        ----------
        id : int
            From 1 to `n_segments`.

        Returns
        -------
        Segment

        Raises
        ------
        NotFound
            If there is none.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.segment(2).size
        2
        """
        for segment in self.segments:
            if segment.id == id:
                return segment
        raise NotFound(
            f"There is no segment {id!r} among {self.n_segments}.",
            f"Use an id from 1 to {self.n_segments}.",
        )

    def assign(self, frame: pd.DataFrame) -> pd.Series[int]:
        """Tell which segment each of further records belongs to; nothing changes.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_records, n_columns)
            Has the columns of the fit, in any order; others are passed over.

        Returns
        -------
        pandas.Series of int64
            Segment ids on the frame's index, named "segment": where distance plus what a place
            costs is least, which is the rule that the records of the fit follow, up to ties.

        Raises
        ------
        NotFound
            If a column is missing; says which of the others it may be.
        WrongStep
            If these segments cannot take further records, as in a clean room.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.assign(pd.DataFrame({"age": [25, 66]}, index=["ann", "bob"])).to_dict()
        {'ann': 1, 'bob': 2}
        """
        import pandas as pd

        taken = taken_from(frame, needed(self))
        places = needed(self).nearest(taken.matrix)
        return pd.Series(places + 1, index=frame.index, name="segment", dtype="int64")

    def update(
        self,
        batch: pd.DataFrame,
        *,
        gone: Collection[Any] = (),
        sizes: Literal["keep", "check"] = "keep",
    ) -> Change:
        """Take new and changed records into these segments, and tell what changed.

        Parameters
        ----------
        batch : pandas.DataFrame of shape (n_records, n_columns)
            Indexed by record: one that is known already is taken as changed, another as new.
        gone : collection, optional
            Records that are no longer there.
        sizes : {"keep", "check"}, default "keep"
            Whether the batch is assigned so that the size rule goes on to hold, where that can
            be, or a broken one is only told.

        Returns
        -------
        Change
            With the segmentation after it (ids, names and profiles of the fit), who moved by
            count, drift and a verdict. This segmentation stays as it is.

        Raises
        ------
        NotFound, WrongStep
            As for `assign`.
        InvalidInput
            If a record is in the batch twice, both in it and gone, or nobody is left.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]}, index=list("abcd"))
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> change = found.update(pd.DataFrame({"age": [69, 22]}, index=["a", "e"]))
        >>> change.flows.values.tolist(), [s.size for s in change.segmentation.segments]
        ([[0, 1, 1], [1, 2, 1]], [2, 3])
        """
        return updated(self, batch, gone=gone, sizes=sizes)

    def follow(
        self,
        batches: Iterable[pd.DataFrame] | str | Path,
        *,
        id: str | None = None,
        sizes: Literal["keep", "check"] = "keep",
    ) -> Iterator[Change]:
        """Take batch after batch, each into the segments that the one before left.

        Parameters
        ----------
        batches : iterable of pandas.DataFrame, or path of a folder
            A folder's CSV and Parquet files, by name.
        id : str, optional
            The column that identifies a record; files need one, of frames the index does.
        sizes : {"keep", "check"}, default "keep"
            As for `update`.

        Yields
        ------
        Change
            Drift is against the fit, not against the batch before.

        Raises
        ------
        InvalidInput, NotFound
            As for `update`, with the number or file of the batch.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> days = [pd.DataFrame({"age": [30]}, index=[9]), pd.DataFrame({"age": [60]}, index=[9])]
        >>> [change.flows.values.tolist() for change in found.follow(days)]
        [[[0, 1, 1]], [[1, 2, 1]]]
        """
        return followed(self, batches, id=id, sizes=sizes)

    def rename(self, id: int, name: str) -> Segmentation:
        """Give a segment another name.

        Parameters
        ----------
        id : int
            Which segment.
        name : str
            Its new name, unlike every other's.

        Returns
        -------
        Segmentation
            A copy; this one stays as it is.

        Raises
        ------
        NotFound
            If there is no such segment.
        InvalidInput
            If the name is empty or taken.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.rename(1, "Students").segments[0].name
        'Students'
        """
        self.segment(id)
        name = " ".join(str(name).split())
        if not name:
            raise InvalidInput("The name is empty.", "Give the segment a name.")
        for other in self.segments:
            if other.id != id and other.name.casefold() == name.casefold():
                raise InvalidInput(
                    f"Segment {other.id} is already named {other.name!r}.", "Choose another name."
                )
        renamed = tuple(replace(s, name=name) if s.id == id else s for s in self.segments)
        centers = self.map_centers.assign(name=[s.name for s in renamed])
        return replace(self, segments=renamed, map_centers=centers)

    def to_frame(self) -> pd.DataFrame:
        """Tabulate the segments.

        Returns
        -------
        pandas.DataFrame of shape (n_segments, 4 + n_variables)
            Index `segment`; name, size, share, description, then the medians by code.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.to_frame()["age"].tolist()
        [20.5, 70.5]
        """
        import pandas as pd

        head = {
            "name": [s.name for s in self.segments],
            "size": [s.size for s in self.segments],
            "share": [s.share for s in self.segments],
            "description": [s.description for s in self.segments],
        }
        index = pd.Index([s.id for s in self.segments], name="segment")
        middles = pd.DataFrame([s.medians for s in self.segments], index=index)
        return pd.concat([pd.DataFrame(head, index=index), middles], axis=1)

    def profile_frame(self) -> pd.DataFrame:
        """Tabulate every variable of every segment against the base.

        Returns
        -------
        pandas.DataFrame
            One row for each segment and variable, for each level of nominal ones: segment, name,
            then the fields of `Trait`.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"age": [20, 21, 70, 71]})
        >>> found = Segmentation.fit(frame, ["age"], n_segments=2, min_share=0.3, max_share=0.7)
        >>> found.profile_frame()[["segment", "value", "base"]].values.tolist()
        [[1.0, 20.5, 45.5], [2.0, 70.5, 45.5]]
        """
        import pandas as pd

        fields = ("code", "label", "level", "measure", "value", "base", "index", "effect", "text")
        rows = [
            {"segment": s.id, "name": s.name, **{f: getattr(t, f) for f in fields}}
            for s in self.segments
            for t in s.profile
        ]
        return pd.DataFrame(rows)
