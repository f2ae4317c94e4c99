"""Synthetic records: any variable of any catalogue, for any number of latent persons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from audience_nb.catalog import Catalog
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.sources.conditions import Condition, ValueKind, checked, mask_of
from audience_nb.sources.drawing import Drawing, drawing_of
from audience_nb.sources.population import LATENTS, Level, Persons, lifestyle_codes

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.sources.tabular import Progress

__all__ = ["SyntheticSource"]

# Records drawn at a time: bounds what a fetch needs beyond its answer to about 30 MB.
RUN_RECORDS = 65_536

Values = Any  # one-dimensional ndarray of the column's dtype


class SyntheticSource:
    """A seeded population from which every variable of a catalogue can be drawn.

    The value for (seed, record, variable) is the same whatever else is asked for, in whatever
    order, and for any number of records.

    Parameters
    ----------
    catalog : Catalog
        Variables to draw; topics that data/drivers.csv does not know get small loadings from a
        hash of their text.
    n_records : int, optional
        Records to give, at least 1.
    random_state : int, optional
        Seed of the population.

    Raises
    ------
    InvalidInput
        If `n_records` is below 1, or either number is not whole.

    Examples
    --------
    >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age", "unit": "years"}])
    >>> source = SyntheticSource(catalog, 1000)
    >>> source.fetch(["AGE", "postal_code"]).shape
    (1000, 2)
    >>> SyntheticSource(catalog, 5).fetch(["AGE"]).equals(source.fetch(["AGE"]).head())
    True
    """

    def __init__(self, catalog: Catalog, n_records: int = 1000, *, random_state: int = 0) -> None:
        from numbers import Integral

        for name, number in (("n_records", n_records), ("random_state", random_state)):
            if not isinstance(number, Integral):
                raise InvalidInput(f"{name} is {number!r}.", "Give a whole number.")
        if n_records < 1:
            raise InvalidInput(f"{n_records:,} records were asked for.", "Ask for at least 1.")
        self.name = "synthetic population"
        self.catalog = catalog
        self.n_records = int(n_records)
        self.random_state = int(random_state)

    def __repr__(self) -> str:
        return f"SyntheticSource({self.n_records:,} records, random_state={self.random_state})"

    @property
    def codes(self) -> Collection[str]:
        """Codes of the variables it can give: all of the catalogue."""
        return self.catalog.codes

    @property
    def attributes(self) -> Collection[str]:
        """Columns outside the catalogue: identifiers, lifestyle code, consent flags."""
        return tuple(name for name in _ATTRIBUTES if name not in self.catalog)

    @property
    def kinds(self) -> Mapping[str, ValueKind]:
        """What kind of values each column holds: "number", "text" or "boolean"."""
        return _Kinds(self)

    def fetch(
        self,
        columns: Sequence[str],
        *,
        where: Sequence[Condition] = (),
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Draw the named columns.

        Parameters
        ----------
        columns : sequence of str
            Codes of variables and names of attributes, in the order wanted.
        where : sequence of Condition, optional
            All have to hold for a record to be given.
        progress : callable, optional
            Called with a stage and the fraction of it that is done; may raise `Cancelled`.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(columns))
            Indexed by customer_id. Booleans of the catalogue are int8 0 or 1, whole numbers
            int64, other numbers float64, choices categorical, consent flags bool.

        Raises
        ------
        NotFound
            If a column is neither in the catalogue nor an attribute.

        Examples
        --------
        >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age", "unit": "years"}])
        >>> SyntheticSource(catalog, 2).fetch(["email"]).index.tolist()
        ['C0000001', 'C0000002']
        """
        import numpy as np
        import pandas as pd

        missing = [c for c in columns if c not in self.catalog and c not in _ATTRIBUTES]
        if missing:
            raise NotFound(
                f"{len(missing)} of {len(columns)} columns are neither variables nor attributes, "
                f"the first is {missing[0]!r}.",
                f"Choose from the catalogue's {len(self.catalog):,} codes, or from "
                f"{', '.join(_ATTRIBUTES)}.",
            )
        if where:
            conditions = checked(where, self.kinds)
            needed = list(dict.fromkeys([*columns, *(c.column for c in conditions)]))
            frame = self.fetch(needed, progress=progress)
            keep = mask_of(conditions, {c: frame[c] for c in needed}, len(frame))
            return frame.loc[keep, list(columns)]
        drawings = {name: self.drawing(name) for name in columns}
        given = {name: np.empty(self.n_records, d.dtype) for name, d in drawings.items()}
        ids = np.empty(self.n_records, _ATTRIBUTES["customer_id"].dtype)
        for start in range(0, self.n_records, RUN_RECORDS):
            stop = min(start + RUN_RECORDS, self.n_records)
            persons = Persons(self.random_state, start, stop)
            ids[start:stop] = _ATTRIBUTES["customer_id"].draw(persons)
            for name, drawing in drawings.items():
                given[name][start:stop] = drawing.draw(persons)
            if progress is not None:
                progress("Fetching records", stop / self.n_records)
        return pd.DataFrame(
            {name: _column(given[name], d.levels, d.ordered) for name, d in drawings.items()},
            index=pd.Index(ids, name="customer_id"),
        )

    def drawing(self, column: str) -> Drawing:
        """Give how a column is drawn.

        Parameters
        ----------
        column : str
            A code or an attribute.

        Returns
        -------
        Drawing
        """
        if column in self.catalog:
            return drawing_of(self.catalog[column])
        return _ATTRIBUTES[column]

    def sample(self, n: int) -> pd.DataFrame:
        """Draw the first records, with all columns: any of them are as good as any others.

        Parameters
        ----------
        n : int
            At most so many, at least 1.

        Returns
        -------
        pandas.DataFrame of shape (n_rows, n_columns)

        Raises
        ------
        InvalidInput
            If `n` is below 1.

        Examples
        --------
        >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age"}])
        >>> SyntheticSource(catalog, 1000).sample(5).shape
        (5, 9)
        """
        n = min(n, self.n_records)
        few = SyntheticSource(self.catalog, n, random_state=self.random_state)
        return few.fetch([c for c in (*self.codes, *self.attributes) if c != "customer_id"])

    def latents(
        self, names: Sequence[str] | None = None, *, level: Literal["person", "area"] = "person"
    ) -> pd.DataFrame:
        """Give the latents behind the records, for tests and teaching.

        Parameters
        ----------
        names : sequence of str, optional
            Some of `audience_nb.sources.population.LATENTS`; by default all.
        level : {"person", "area"}, optional
            The person's own, or those of the area around them.

        Returns
        -------
        pandas.DataFrame of shape (n_records, len(names))
            float64, standard normal over the population, indexed by customer_id.

        Raises
        ------
        NotFound
            If a name is unknown.
        InvalidInput
            If the level is unknown.

        Examples
        --------
        >>> catalog = Catalog.from_records([{"code": "AGE", "label": "Age"}])
        >>> SyntheticSource(catalog, 9).latents(["income", "urban"]).shape
        (9, 2)
        """
        import numpy as np
        import pandas as pd

        names = LATENTS if names is None else tuple(names)
        missing = [name for name in names if name not in LATENTS]
        if missing:
            raise NotFound(
                f"{missing[0]!r} is none of the {len(LATENTS)} latents.",
                f"They are {', '.join(LATENTS)}.",
            )
        if level not in get_args(Level):
            raise InvalidInput(f"The level is {level!r}.", 'Say "person" or "area".')
        given = {name: np.empty(self.n_records) for name in names}
        for start in range(0, self.n_records, RUN_RECORDS):
            stop = min(start + RUN_RECORDS, self.n_records)
            persons = Persons(self.random_state, start, stop)
            for name in names:
                given[name][start:stop] = persons.latent(name, level)
        index = self.fetch(["customer_id"]).index
        return pd.DataFrame(given, index=index)


class _Kinds(Mapping[str, ValueKind]):
    """Kinds of columns, looked up when asked for: a catalogue can have a million."""

    def __init__(self, source: SyntheticSource) -> None:
        self._source = source

    def __getitem__(self, column: str) -> ValueKind:
        import numpy as np

        if column not in self:
            raise KeyError(column)
        drawing = self._source.drawing(column)
        if drawing.levels or np.dtype(drawing.dtype).kind in "US":
            return "text"
        return "boolean" if np.dtype(drawing.dtype).kind == "b" else "number"

    def __contains__(self, column: object) -> bool:
        return column in self._source.catalog or column in _ATTRIBUTES

    def __iter__(self) -> Iterator[str]:
        yield from self._source.codes
        yield from self._source.attributes

    def __len__(self) -> int:
        return len(self._source.codes) + len(self._source.attributes)


def _column(raw: Values, levels: tuple[str, ...], ordered: bool) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(raw, list(levels), ordered=ordered) if levels else raw


# --- attributes -------------------------------------------------------------------------------


def _customer_ids(persons: Persons) -> Values:
    import numpy as np

    # Seven digits up to ten million records, as many as it takes beyond.
    return np.char.add("C", np.char.zfill((persons.records + np.uint64(1)).astype("U10"), 7))


def _rampids(persons: Persons) -> Values:
    import numpy as np

    text = persons.tokens("XY", 47)
    # "sk-" inside an identifier looks like an API key to those who scan files for secrets.
    text[text == ord("-")] = ord("_")
    return np.char.add("XY", text.view("S47")[:, 0].astype("U47"))


def _emails(persons: Persons) -> Values:
    import numpy as np

    customers = np.char.lower(_customer_ids(persons))
    # Reserved by RFC 2606 and 6761: nobody's mailbox.
    domain = np.where(persons.normal("email domain") > 0, "@example.com", "@mail.invalid")
    return np.char.add(customers, domain)


def _uid2s(persons: Persons) -> Values:
    import numpy as np

    text = persons.tokens("uid2", 43)
    # Standard base64 of 32 bytes: + and / for - and _, and the last character holds four bits.
    text[text == ord("-")] = ord("+")
    text[text == ord("_")] = ord("/")
    last = np.frombuffer(b"AEIMQUYcgkosw048", dtype=np.uint8)
    text[:, 42] = last[text[:, 42] % 16]
    return np.char.add(text.view("S43")[:, 0].astype("U43"), "=")


def _lifestyle_of(persons: Persons) -> Values:
    import numpy as np

    return np.array(lifestyle_codes())[persons.lifestyles()]


def _consents(stream: str, rate_quantile: float) -> Callable[[Persons], Values]:
    return lambda persons: persons.normal(stream) < rate_quantile


def _consent_sharing(persons: Persons) -> Values:
    # Nobody lets data be passed on who refuses ads: 72 % x 64 % = 46 %.
    ads = _consents("consent ads", 0.5828)(persons)
    return ads & _consents("consent sharing", 0.3585)(persons)


_ATTRIBUTES: Mapping[str, Drawing] = {
    "customer_id": Drawing("U11", _customer_ids),
    "postal_code": Drawing("U7", Persons.postal_codes),
    "email": Drawing("U24", _emails),
    "rampid": Drawing("U49", _rampids),
    "uid2": Drawing("U44", _uid2s),
    "lifestyle": Drawing("U24", _lifestyle_of),
    "consent_ads": Drawing("bool", _consents("consent ads", 0.5828)),  # 72 %
    "consent_sharing": Drawing("bool", _consent_sharing),
    "do_not_sell": Drawing("bool", _consents("do not sell", -1.4051)),  # 8 %
}
