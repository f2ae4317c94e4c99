"""Which variables a query may find: filters, and variables asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.records import SEPARATOR
from audience_nb.search.building import key_of
from audience_nb.search.lexical import fold
from audience_nb.search.query import Query

__all__ = ["Filters", "Names"]

Mask: TypeAlias = npt.NDArray[np.bool_]


class Filters:
    """Marks of the rows of a catalogue that pass.

    Parameters
    ----------
    catalog : Catalog
        Any.

    Examples
    --------
    >>> rows = [{"code": "A", "label": "Age", "source": "X"}, {"code": "B", "label": "Income"}]
    >>> Filters(Catalog.from_records(rows)).allowed(Query.of("age", sources="X")).tolist()
    [True, False]
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        # Each column once as numbers: comparing texts takes longer than searching.
        self._columns: dict[str, tuple[dict[str, int], npt.NDArray[np.integer[Any]]]] = {}

    def allowed(self, query: Query) -> Mask | None:
        """Mark the rows that a query may find.

        Parameters
        ----------
        query : Query
            With its filters.

        Returns
        -------
        ndarray of shape (n_variables,), bool, or None
            None if all may be found.
        """
        masks = [
            self._having(name, set(values).__contains__)
            for name, values in (
                ("kind", query.kinds),
                ("source", query.sources),
                ("category", query.categories),
            )
            if values
        ]
        needed = {query.data_type, *query.availability} - {None}
        if needed:
            masks.append(
                self._having("availability", lambda text: needed <= set(text.split(SEPARATOR)))
            )
        return np.logical_and.reduce(masks) if masks else None

    def _having(self, name: str, fits: Callable[[str], bool]) -> Mask:
        if name not in self._columns:
            texts = self._catalog.column(name)
            numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
            kind = np.uint16 if len(numbers) <= 1 << 16 else np.uint32
            self._columns[name] = (
                numbers,
                np.fromiter(map(numbers.__getitem__, texts), kind, len(texts)),
            )
        numbers, column = self._columns[name]
        chosen: Mask = np.fromiter(map(fits, numbers), bool, len(numbers))
        passing: Mask = chosen[column]
        return passing


class Names:
    """Labels and codes, by which their own variables are found.

    Parameters
    ----------
    catalog : Catalog
        Any.
    keys : ndarray of shape (2 * n_variables,), uint32
        Hashes of labels and codes, rising.
    rows : ndarray of shape (2 * n_variables,), int32
        Row of each.
    """

    def __init__(
        self, catalog: Catalog, keys: npt.NDArray[np.uint32], rows: npt.NDArray[np.int32]
    ) -> None:
        self._catalog, self._keys, self._rows = catalog, keys, rows

    def rows(self, text: str, allowed: Mask | None = None) -> list[int]:
        """Find the rows whose label or code is a text.

        Parameters
        ----------
        text : str
            Any writing of it: case and accents do not matter.
        allowed : ndarray of shape (n_variables,), bool, optional
            Only these.

        Returns
        -------
        list of int
            Rising.
        """
        key = np.uint32(key_of(text))
        first, last = self._keys.searchsorted(key), self._keys.searchsorted(key, "right")
        rows = sorted({int(row) for row in self._rows[first:last]})
        if not rows:
            return []
        wanted = fold(text)
        cell = self._catalog.cell
        return [
            row
            for row in rows
            if (allowed is None or allowed[row])
            and wanted in (fold(cell("label", row)), fold(cell("code", row)))
        ]
