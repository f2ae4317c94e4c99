"""Segments of a frame: fitted within size bounds, profiled against the base, named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Variable
from audience_nb.encoding import FrameEncoder, Scaling
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.segments.naming import describe, short_name, standouts, unique_names
from audience_nb.segments.plane import flatten
from audience_nb.segments.profile import Trait, medians, profile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Segment", "Segmentation", "Trait"]

Progress = Callable[[str, float], None]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Segment:
    """A group of records.

    Parameters
    ----------
    id : int
        From 1; 1 is the largest.
    name : str
        From the traits that set it apart; unique in its segmentation.
    description : str
        One sentence with its size and three strongest comparisons.
    size : int
        Records.
    share : float
        Of all records, in [0, 1].
    medians : dict of code to value
        Median of each variable in original units; most common level of nominal ones.
    traits : tuple of Trait
        At most 8 that set it apart, strongest first, each with an effect of at least 0.2.
    profile : tuple of Trait
        Every variable against the base, nominal ones with a row for each level.

    Examples
    --------
    >>> Segment(1, "Renters", "50 records.", 50, 0.05, {"HOME": "renter"}).share
    0.05
    """

    id: int
    name: str
    description: str
    size: int
    share: float
    medians: dict[str, Any]
    traits: tuple[Trait, ...] = ()
    profile: tuple[Trait, ...] = field(default=(), repr=False)


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
        _check_records(frame)
        encoder = FrameEncoder(scaling=scaling, weights=weights)
        read = encoder.fit_read(frame, variables)
        groups = encoder.groups
        # A canonical order of columns and rows: the caller's order must not matter.
        codes = sorted(groups)
        features = np.concatenate([np.arange(groups[c].start, groups[c].stop) for c in codes])
        matrix = encoder.encode(read)[:, features]
        order = _canonical(matrix, frame.index)
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
        ranked = _ranked(np.asarray(model.labels_, dtype=np.intp), centers)
        places = np.empty(len(frame), dtype=np.intp)
        places[order] = ranked
        columns = [e.column for e in encoder.columns_]
        n_found = len(centers)
        findings = profile(columns, read, places, n_found)
        middles = medians(columns, read, places, n_found)
        chosen = [standouts([f for f in rows if f.column.code not in unnamed]) for rows in findings]
        names = unique_names(chosen)
        sizes = np.bincount(places, minlength=n_found)
        segments = tuple(
            Segment(
                i + 1,
                names[i],
                describe(int(sizes[i]), float(sizes[i] / len(frame)), chosen[i]),
                int(sizes[i]),
                float(sizes[i] / len(frame)),
                middles[i],
                tuple(f.trait for f in chosen[i]),
                tuple(f.trait for f in findings[i]),
            )
            for i in range(n_found)
        )
        shifted, start = {}, 0
        shorts = {c.code: _capital(short_name(c)) for c in columns}
        for code in codes:
            width = groups[code].stop - groups[code].start
            name = shorts[code] if shorts[code] not in shifted else code
            shifted[name] = slice(start, start + width)
            start += width
        cells, middle_points, axes, cell = flatten(ordered, ranked, n_found, shifted)
        middle_points.insert(1, "name", names)
        smallest, largest = model.size_bounds_
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


def _check_records(frame: pd.DataFrame) -> None:
    if len(frame) < 2:
        raise InvalidInput(
            f"The frame has {len(frame)} record{'s' if len(frame) != 1 else ''}; segments need "
            "at least 2.",
            "Give a frame with more records.",
        )
    if not frame.index.is_unique:
        repeated = int(frame.index.duplicated().sum())
        raise InvalidInput(
            f"{repeated:,} of {len(frame):,} records repeat an index label.",
            "Use frame.reset_index() or an index that is unique.",
        )


def _canonical(matrix: FloatArray, index: pd.Index[Any]) -> IntArray:
    """Order rows by a hash of their content, equal rows by one of their index label.

    Any order would do that does not depend on the order given; hashing costs one pass, sorting on
    every column many.
    """
    import pandas as pd

    # Entries are multiples of 2**-40, hence exact as integers; odd multipliers mix them mod 2**64.
    whole = np.round(matrix * 2.0**40).astype(np.int64).view(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, matrix.shape[1], dtype=np.uint64) * 2 + 1
    content = (whole * odd).sum(axis=1, dtype=np.uint64)
    labels = np.asarray(pd.util.hash_pandas_object(index, index=False))
    return np.lexsort((labels, content))


def _ranked(labels: IntArray, centers: FloatArray) -> IntArray:
    """Give segments their places from 0: by size, descending, then by their medians."""
    sizes = np.bincount(labels, minlength=len(centers))
    keys = [*(np.round(centers[:, j], 9) for j in reversed(range(centers.shape[1]))), -sizes]
    position = np.empty(len(centers), dtype=np.intp)
    position[np.lexsort(keys)] = np.arange(len(centers))
    return position[labels]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
