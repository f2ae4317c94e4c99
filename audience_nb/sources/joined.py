"""Several sources as one: people joined on their id, and a report of who was not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from audience_nb.dropped import Dropped, merged
from audience_nb.errors import InvalidInput
from audience_nb.sources import Source, fetch_report, open_source
from audience_nb.sources.address import has_scheme
from audience_nb.sources.conditions import MOST_VALUES, Condition, ValueKind, mask_of
from audience_nb.sources.frame import kinds_of_columns
from audience_nb.sources.tabular import Fetched, Progress, Tabular

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["JoinedSource"]

Keep = Literal["first", "all"]


class JoinedSource(Tabular):
    """Sources joined on the id: one row a person, whatever their order, repeats and gaps.

    Parameters
    ----------
    sources : sequence of Source
        At least one; each indexed by the same kind of id. A column that several have is taken
        from the first of them.
    keep : {"first", "all"}, optional
        Who is a record: everybody in the first source, with gaps where another does not know
        them, or only those whom all sources know. It does not depend on the columns asked for.
    id : str, optional
        Name of the id; by default the first source's.

    Raises
    ------
    InvalidInput
        If there are no sources, or one has no id.

    Examples
    --------
    >>> import pandas as pd
    >>> ages = pd.DataFrame({"who": ["a", "b"], "age": [31, 46]})
    >>> spend = pd.DataFrame({"who": ["c", "b", "a"], "spend": [5.0, 20.0, 10.0]})
    >>> joined = open_source([ages, spend], id="who")
    >>> joined.fetch(["age", "spend"]).loc["a"].tolist()
    [31.0, 10.0]
    >>> joined.fetch_report(["spend"]).dropped
    (Dropped(reason='an id that the first source does not have', count=1),)
    """

    def __init__(
        self, sources: Sequence[Source], *, keep: Keep = "first", id: str | None = None
    ) -> None:
        if not sources:
            raise InvalidInput("0 sources are to be joined.", "Give at least one.")
        if keep not in get_args(Keep):
            raise InvalidInput(f"keep is {keep!r}.", 'Say "first" or "all".')
        for source in sources:
            if isinstance(source, Tabular) and source.id is None:
                raise InvalidInput(
                    f"{source.name} is to be joined, and has no id.",
                    "Name the column that identifies a record.",
                )
        self.sources = tuple(sources)
        self.keep = keep
        first = self.sources[0]
        id = id or _id_of(first) or first.sample(1).index.name
        # Column -> place of the source that gives it.
        self._homes: dict[str, int] = {}
        kinds: dict[str, ValueKind] = {}
        n_double = 0
        for place, source in enumerate(self.sources):
            own = _kinds_of(source)
            for column, kind in own.items():
                if column == _id_of(source) and (place or column != id):
                    continue
                n_double += column in kinds
                if column not in kinds:
                    kinds[column], self._homes[column] = kind, place
        if id is not None and id not in kinds:
            kinds = {id: "text", **kinds}
        notes = [note for source in self.sources for note in getattr(source, "notes", ())]
        if n_double:
            notes.append(f"{n_double:,} columns are in several sources: the first one's are used.")
        super().__init__(
            " + ".join(source.name for source in self.sources),
            first.n_records,
            kinds,
            id=id,
            notes=notes,
        )

    @classmethod
    def opened(
        cls,
        what: Sequence[Any],
        *,
        id: str | None = None,
        keep: Keep = "first",
        columns: Sequence[str] | None = None,
        **options: Any,
    ) -> Source:
        """Open each of several and join them; files with the same columns are parts of one.

        Parameters
        ----------
        what : sequence
            Each as for `open_source`.
        id : str, optional
            Column that identifies a record in each of them.
        keep : {"first", "all"}, optional
            See the class.
        columns : sequence of str, optional
            The only columns to offer.
        **options
            For each of them.

        Returns
        -------
        Source

        Examples
        --------
        >>> import pandas as pd
        >>> ages = pd.DataFrame({"who": ["a"], "age": [31]})
        >>> JoinedSource.opened([ages], id="who")
        FrameSource('your data', 1 records, 2 columns)
        """
        files = all(isinstance(w, Path) or (isinstance(w, str) and not has_scheme(w)) for w in what)
        if files and what and (id is None or len(what) == 1):
            from audience_nb.sources.files import FileSource

            return FileSource(list(what), id=id, columns=columns, **options)
        sources = [w if isinstance(w, Source) else open_source(w, id=id, **options) for w in what]
        if len(sources) == 1 and columns is None:
            return sources[0]
        alike = len({tuple(sorted(_kinds_of(source))) for source in sources}) == 1
        if files and what and alike:
            from audience_nb.sources.files import FileSource

            return FileSource(list(what), id=id, columns=columns, **options)
        joined = cls(sources, keep=keep, id=id)
        return joined if columns is None else joined.with_codes(columns)

    def with_codes(self, codes: Collection[str]) -> Self:
        """Give the same sources with other columns as variables.

        Parameters
        ----------
        codes : collection of str
            As a catalogue has them; those that are no column, or the id, are passed over.

        Returns
        -------
        JoinedSource
        """
        return super().with_codes(codes)

    def _fetch(self, columns: list[str], where: list[Condition], tell: Progress) -> Fetched:
        import numpy as np
        import pandas as pd

        wanted: list[list[str]] = [[] for _ in self.sources]
        for column in columns:
            if column in self._homes and column != self.id:
                wanted[self._homes[column]].append(column)
        asked: list[list[Condition]] = [[] for _ in self.sources]
        later = []
        for condition in where:
            place = 0 if condition.column == self.id else self._homes[condition.column]
            # Whom a further source does not know, to them its columns are missing.
            if condition.operator == "is missing" and (place or condition.column == self.id):
                later.append(condition)
                wanted[place].append(condition.column)
            elif condition.column == self.id:
                own = _id_of(self.sources[0]) or condition.column
                asked[0].append(Condition(own, condition.operator, condition.value))
            else:
                asked[place].append(condition)
        places = [
            place
            for place in range(len(self.sources))
            if place == 0 or self.keep == "all" or wanted[place] or asked[place]
        ]
        dropped: list[tuple[Dropped, ...]] = []
        notes: list[str] = []
        given: dict[str, Any] = {}
        order: pd.Index[Any] = pd.Index([])
        known = kept = np.zeros(0, dtype=bool)
        for step, place in enumerate(places):
            source = self.sources[place]
            part = fetch_report(
                source,
                list(dict.fromkeys(wanted[place])),
                where=asked[place],
                progress=_Part(tell, step, len(places)),
            )
            dropped.append(part.dropped)
            notes += [n for n in part.notes if n not in self.notes]
            if place == 0:
                frame = part.frame
                if self.id is not None and not frame.index.is_monotonic_increasing:
                    frame = frame.sort_index()
                order = frame.index.rename(self.id)
                known = kept = np.ones(len(order), dtype=bool)
                given = {c: frame[c].array for c in frame.columns}
                del frame, part
                continue
            found = _places_in(part.frame.index, order)
            n_strange = len(part.frame) - int((found >= 0).sum())
            if not where:
                which = "the first source" if len(self.sources) == 2 else self.sources[0].name
                dropped.append((Dropped(f"an id that {which} does not have", n_strange),))
            known = known & (found >= 0)
            if asked[place] or self.keep == "all":
                kept = kept & (found >= 0)
                if not asked[place]:
                    n_absent = int((found < 0).sum())
                    dropped.append((Dropped(f"not known to {source.name}", n_absent),))
            for column in part.frame.columns:
                given[column] = _taken(part.frame[column], found)
        later_columns = {
            c.column: pd.Series(order if c.column == self.id else given[c.column]) for c in later
        }
        kept = kept & mask_of(later, later_columns, len(order))
        matched = int((known & kept).sum())
        if self.id is not None and self.id in columns:
            given[self.id] = order.array
        frame = pd.DataFrame({c: given[c] for c in columns}, index=order, copy=False)
        frame.columns = pd.Index(columns, dtype=object if not columns else None)
        if not kept.all():
            frame = frame[kept]
        return Fetched(frame, matched, merged(*dropped), (), tuple(notes))

    def sample(self, n: int) -> pd.DataFrame:
        """Give people spread over the first source, with the columns of all.

        Parameters
        ----------
        n : int
            At most so many, at least 1.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_columns)

        Examples
        --------
        >>> import pandas as pd
        >>> ages = pd.DataFrame({"who": ["a", "b"], "age": [31, 46]})
        >>> likes = pd.DataFrame({"who": ["b", "a"], "likes": ["tea", "jazz"]})
        >>> open_source([ages, likes], id="who").sample(1)["likes"].tolist()
        ['jazz']
        """
        import pandas as pd

        frame = self.sources[0].sample(min(n, MOST_VALUES)).sort_index()
        parts = [frame[[c for c in frame.columns if self._homes.get(str(c)) == 0]]]
        for place, source in enumerate(self.sources[1:], start=1):
            columns = [c for c, home in self._homes.items() if home == place]
            part = source.fetch(columns, where=_among(source, frame.index))
            found = _places_in(part.index, frame.index)
            gaps = (
                part.iloc[found].set_axis(frame.index) if len(part) else part.reindex(frame.index)
            )
            parts.append(gaps.where(pd.Series(found >= 0, index=frame.index), axis=0))
        return pd.concat([p.set_axis(frame.index) for p in parts], axis=1).rename_axis(self.id)


class _Part:
    """Progress of one of several sources."""

    def __init__(self, tell: Progress, step: int, n_steps: int) -> None:
        self._tell, self._step, self._n_steps = tell, step, n_steps

    def __call__(self, stage: str, fraction: float) -> None:
        self._tell(stage, (self._step + fraction) / self._n_steps)


def _id_of(source: Source) -> str | None:
    return getattr(source, "id", None)


def _kinds_of(source: Source) -> dict[str, ValueKind]:
    own: dict[str, ValueKind] | None = getattr(source, "kinds", None)
    return dict(own) if own is not None else kinds_of_columns(source.sample(100))


def _among(source: Source, ids: pd.Index[Any]) -> list[Condition]:
    """Ask a source for these people only, where it can be asked by id."""
    id = _id_of(source)
    if id is None or len(ids) == 0:
        return []
    number = _kinds_of(source).get(id) == "number"
    texts = _keys(ids, as_text=not number)
    values = [v for v in texts.tolist() if not number or isinstance(v, int | float)]
    if number and len(values) < len(ids):
        values = [int(t) for t in _keys(ids, as_text=True) if t.lstrip("-").isdecimal()]
    return [Condition(id, "in", values)] if values else []


def _places_in(ids: pd.Index[Any], order: pd.Index[Any]) -> npt.NDArray[np.intp]:
    """Give for each id of `order` its place among `ids`, -1 where there is none."""
    import pandas as pd

    # One table may hold as text what another holds as numbers.
    mixed = pd.api.types.is_numeric_dtype(ids.dtype) != pd.api.types.is_numeric_dtype(order.dtype)
    places: npt.NDArray[np.intp] = _keys(ids, as_text=mixed).get_indexer(
        _keys(order, as_text=mixed)
    )
    return places


def _taken(column: pd.Series[Any], places: npt.NDArray[np.intp]) -> Any:
    """Give a column's values at places, missing at -1."""
    import numpy as np
    import pandas as pd

    if not len(column):
        return np.full(len(places), np.nan)
    if isinstance(column.dtype, np.dtype):
        return pd.api.extensions.take(
            column.to_numpy(), places, allow_fill=bool((places < 0).any())
        )
    return column.array.take(places, allow_fill=True)


def _keys(ids: pd.Index[Any], *, as_text: bool) -> pd.Index[Any]:
    import pandas as pd

    if not as_text:
        return ids
    if pd.api.types.is_float_dtype(ids.dtype):
        ids = pd.Index([int(v) if float(v).is_integer() else v for v in ids])
    return ids.map(str) if len(ids) else pd.Index([], dtype=object)
