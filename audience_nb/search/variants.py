"""Variants of a measure: which one stands for it, and which others there are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.search.documents import Documents, variant_text
from audience_nb.search.lexical import Analyzer
from audience_nb.search.reading import Reading

__all__ = ["MOST_VARIANTS", "Variants"]

Mask: TypeAlias = npt.NDArray[np.bool_]

# A word that means another this surely names a variant by it: "count" for "number".
NAMES_VARIANT = 1.0
# Nobody chooses among more.
MOST_VARIANTS = 60


class Variants:
    """Variants of the measures of a catalogue.

    Parameters
    ----------
    catalog : Catalog
        Where the texts are.
    documents : Documents
        Its measures.
    analyzer : Analyzer
        As the documents were analysed.
    offered : mapping of str to ndarray of int32
        Terms by which variants are named, and the measures that have one so named, rising.
    """

    def __init__(
        self,
        catalog: Catalog,
        documents: Documents,
        analyzer: Analyzer,
        offered: Mapping[str, npt.NDArray[np.int32]],
    ) -> None:
        self.terms = frozenset(offered)
        self._offered = offered
        self._catalog, self._documents, self._analyzer = catalog, documents, analyzer

    def rows(self, document: int, allowed: Mask | None = None) -> list[int]:
        """Give the variants of a measure.

        Parameters
        ----------
        document : int
            The measure.
        allowed : ndarray of shape (n_variables,), bool, optional
            Only these.

        Returns
        -------
        list of int
            Rows of the catalogue, the preferred first.
        """
        rows = self._documents.variants(document)
        found: list[int] = (rows if allowed is None else rows[allowed[rows]]).tolist()
        return found

    def codes(self, rows: list[int], chosen: int) -> tuple[str, ...]:
        """Give what a person may choose from.

        Parameters
        ----------
        rows : list of int
            As `rows` gives them.
        chosen : int
            The one that is suggested; it is among them, however many there are.

        Returns
        -------
        tuple of str
            At most 60 codes; empty where there is no other variant.
        """
        if len(rows) < 2:
            return ()
        shown = rows[:MOST_VARIANTS]
        if chosen not in shown:
            shown[-1] = chosen
        # The whole column: of many variants one cell after the other takes longer.
        codes = self._catalog.column("code")
        return tuple(codes[row] for row in shown)

    def asked(self, reading: Reading) -> frozenset[str]:
        """Give the terms of a query that name variants.

        Parameters
        ----------
        reading : Reading
            Of the query.

        Returns
        -------
        frozenset of str
        """
        terms = {slot.term for slot in reading.slots}
        terms |= {
            t for slot in reading.slots for t, w, _ in slot.alternatives if w >= NAMES_VARIANT
        }
        return frozenset(terms & self.terms)

    def choose(self, document: int, rows: list[int], asked: frozenset[str]) -> int:
        """Choose the variant that a query names, else the preferred one.

        Parameters
        ----------
        document : int
            The measure.
        rows : list of int
            As `rows` gives them, at least one.
        asked : frozenset of str
            As `asked` gives it.

        Returns
        -------
        int
            One of the rows.
        """
        if len(rows) == 1:
            return rows[0]
        asked = frozenset(term for term in asked if self._names(term, document))
        if not asked:
            return rows[0]
        measure = self._catalog.cell("measure", rows[0])
        # What the measure says of itself tells its variants not apart.
        asked = asked.difference(self._analyzer.terms(measure))
        if not asked:
            return rows[0]
        labels = (self._catalog.cell("label", row) for row in rows)
        named = [
            len(asked & _terms(self._analyzer, variant_text(label, measure))) for label in labels
        ]
        return rows[int(np.argmax(named))]

    def _names(self, term: str, document: int) -> bool:
        """Tell whether a term names a variant of a measure."""
        having = self._offered[term]
        place = int(having.searchsorted(having.dtype.type(document)))
        return place < len(having) and int(having[place]) == document


@lru_cache(maxsize=4096)
def _terms(analyzer: Analyzer, text: str) -> frozenset[str]:
    return frozenset(analyzer.terms(text))
