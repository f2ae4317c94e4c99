"""What is searched: one document a measure, with the variants that share it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog, Kind
from audience_nb.search.lexical import Analyzer, fold
from audience_nb.search.postings import Postings

__all__ = ["Documents"]

IntArray: TypeAlias = npt.NDArray[np.int32]

# Joiners of a hierarchical label, the surest first.
_JOINERS = (" > ", " | ", " › ", " » ", "!!", " :: ")
# One colon parts a sentence as often as a path, unless most labels have one.
_COLON, _COLONS, _USUAL_COLON = ": ", 2, 0.5
# Where more labels than this share are not unique, they are leaves of a path told elsewhere.
_SHARED_LABELS = 0.2

# Weights of the fields in the bag of words. The last part of a hierarchical label is what the
# variable itself adds, the first only the table it stands in.
_ROOT, _PATH, _LEAF = 1.0, 2.0, 3.0
_DESCRIPTION, _KEYWORDS, _CATEGORY, _VALUES = 0.5, 1.0, 0.25, 0.5
_MAX_VALUES = 20

# Weights in a document's vector, beside 1 for the measure.
_LEAF_MEANING, _DESCRIPTION_MEANING = 0.3, 0.3


def path_of(label: str, *, colons: int = _COLONS) -> list[str]:
    """Split a hierarchical label into its parts.

    Parameters
    ----------
    label : str
        Such as "Sex by age > Female > 25 to 29 years".
    colons : int, optional
        From how many on colons join its parts, where nothing surer does.

    Returns
    -------
    list of str
        Root first; a flat label is its own only part.

    Examples
    --------
    >>> path_of("Sex by age > Female > 25 to 29 years")
    ['Sex by age', 'Female', '25 to 29 years']
    """
    joiners = (*_JOINERS, _COLON) if label.count(_COLON) >= colons else _JOINERS
    for joiner in joiners:
        if joiner in label:
            parts = [part.strip(" :") for part in label.split(joiner)]
            return [part for part in parts if part] or [label]
    return [label]


@dataclass(frozen=True)
class Documents:
    """Groups of variables that ask the same thing.

    Parameters
    ----------
    catalog : Catalog
        Where the texts are.
    starts : ndarray of shape (n_documents + 1,), int32
        Where each document's rows start.
    rows : ndarray of shape (n_variables,), int32
        Rows of the catalogue, document by document, the preferred variant first.
    """

    catalog: Catalog
    starts: IntArray
    rows: IntArray

    @classmethod
    def build(cls, catalog: Catalog) -> Documents:
        """Group a catalogue's variables by measure.

        Parameters
        ----------
        catalog : Catalog
            Any. Where no label differs from its measure there are no variants, and every
            variable is a document, even if two share a label.

        Returns
        -------
        Documents
        """
        labels, measures = catalog.column("label"), catalog.column("measure")
        shared = {m for m, label in zip(measures, labels, strict=True) if m != label}
        columns = zip(measures, catalog.column("kind"), catalog.column("category"), strict=True)
        groups: dict[Any, list[int]] = {}
        for row, (measure, kind, category) in enumerate(columns):
            key = (measure, kind, category) if measure in shared else row
            groups.setdefault(key, []).append(row)
        ordered = [
            sorted(rows, key=lambda r: (preference(variant_text(labels[r], measures[r])), r))
            if len(rows) > 1
            else rows
            for rows in groups.values()
        ]
        starts = np.cumsum([0, *map(len, ordered)], dtype=np.int32)
        return cls(catalog, starts, np.array([r for rows in ordered for r in rows], np.int32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def of_row(self) -> IntArray:
        """Document of each row of the catalogue, shape (n_variables,)."""
        result = np.empty(len(self.rows), np.int32)
        result[self.rows] = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))
        return result

    def variants(self, document: int) -> IntArray:
        """Give the rows of one document, the preferred first."""
        return self.rows[self.starts[document] : self.starts[document + 1]]

    def text(self, document: int) -> str:
        """Give the measure of a document: what its variants share."""
        return self.catalog.cell("measure", int(self.rows[self.starts[document]]))

    @cached_property
    def _colons(self) -> int:
        """From how many on colons join the parts of a label."""
        measures = self.catalog.column("measure")
        with_colon = sum(_COLON in measures[row] for row in self.rows[self.starts[:-1]].tolist())
        return 1 if with_colon > _USUAL_COLON * len(self) else _COLONS

    @cached_property
    def _are_leaves(self) -> bool:
        """Whether the labels say what they mean only together with what they stand under."""
        measures = self.catalog.column("measure")
        counts = Counter(measures[row] for row in self.rows[self.starts[:-1]].tolist())
        shared = sum(count for count in counts.values() if count > 1)
        return shared > _SHARED_LABELS * len(self)

    def _path(self, row: int, size: int) -> list[str]:
        """Give the path of one document, from what it stands under to its own part."""
        column = self.catalog.column
        path = path_of(column("measure")[row], colons=self._colons)
        if not self._are_leaves:
            return path
        above = [column("category")[row], column("subcategory")[row]]
        if size == 1:
            above += path_of(column("description")[row])
        return list(dict.fromkeys(part for part in (*above, *path) if part.strip()))

    def texts(self, first: int = 0, last: int | None = None) -> list[list[tuple[str, float]]]:
        """Give what an encoder reads of each document.

        Parameters
        ----------
        first, last : int, optional
            Only of these documents, `last` not included.

        Returns
        -------
        list of list of (str, float)
            For each document its texts and their weights in its vector: its path in one, the
            last part of it, and the description of a variable without variants.
        """
        measures, descriptions = self.catalog.column("measure"), self.catalog.column("description")
        result = []
        for row, size in self._shown(first, last):
            parts = self._path(row, size)
            texts = [(" > ".join(parts), 1.0)]
            if len(parts) > 1:
                texts.append((parts[-1], _LEAF_MEANING))
            told = self._are_leaves or descriptions[row] in ("", measures[row])
            if size == 1 and not told:
                texts.append((descriptions[row], _DESCRIPTION_MEANING))
            result.append([(text, weight) for text, weight in texts if text.strip()])
        return result

    def has_path(self, document: int) -> bool:
        """Tell whether a document has a path, and so a part of its own at the end of it."""
        ((row, size),) = self._shown(document, document + 1)
        return len(self._path(row, size)) > 1

    def fields(self, first: int = 0, last: int | None = None) -> list[list[tuple[str, float]]]:
        """Give what is indexed by words of each document.

        Parameters
        ----------
        first, last : int, optional
            Only of these documents, `last` not included.

        Returns
        -------
        list of list of (str, float)
            For each document its texts, and the weight of the field each stands in.
        """
        names = ("measure", "description", "keywords", "subcategory", "category", "values")
        columns = {name: self.catalog.column(name) for name in names}
        types = self.catalog.column("value_type")
        result = []
        for row, size in self._shown(first, last):
            parts = self._path(row, size)
            weighted = [(part, _PATH) for part in parts]
            if len(parts) > 1:
                weighted[0], weighted[-1] = (parts[0], _ROOT), (parts[-1], _LEAF)
            if not self._are_leaves:
                # The description of one of several variants speaks of that variant only.
                if size == 1 and columns["description"][row] != columns["measure"][row]:
                    weighted.append((columns["description"][row], _DESCRIPTION))
                weighted += [(columns["subcategory"][row], _CATEGORY)]
                weighted += [(columns["category"][row], _CATEGORY)]
            weighted += [(k, _KEYWORDS) for k in columns["keywords"][row].split("|")]
            if types[row] == "nominal":
                values = columns["values"][row].split("|")
                weighted += [(v, _VALUES) for v in values[:_MAX_VALUES]]
            result.append([(text, weight) for text, weight in weighted if text])
        return result

    def burden(self, analyzer: Analyzer, postings: Postings) -> npt.NDArray[np.float32]:
        """Measure how much each document says above its own part.

        A query that asks for no qualifier means the variable under the shortest heading.

        Parameters
        ----------
        analyzer : Analyzer
            As the documents were analysed.
        postings : Postings
            Of their terms.

        Returns
        -------
        ndarray of shape (n_documents, 2), float32
            Of the first part of the path, and of those between it and the last: ``ln(1 + m)``,
            m being the information of their distinct terms, in units of the rarest term's.
        """
        information = np.maximum(postings.idf - 1, 0)
        rarest = float(information.max(initial=0.0)) or 1.0
        known: dict[str, float] = {}

        def mass(text: str) -> float:
            if text not in known:
                rows = {postings.position(term) for term in analyzer.terms(text)}
                known[text] = float(sum(information[row] for row in sorted(rows) if row >= 0))
            return known[text] / rarest

        result = np.zeros((len(self), 2), np.float32)
        for document, (row, size) in enumerate(self._shown(0, None)):
            parts = self._path(row, size)
            if len(parts) > 1:
                result[document] = mass(parts[0]), sum(mass(part) for part in parts[1:-1])
        return np.log1p(result)

    def kinds(self) -> npt.NDArray[np.int8]:
        """Give the place of each document's kind among the kinds, shape (n_documents,)."""
        place = {kind: i for i, kind in enumerate(get_args(Kind))}
        column = self.catalog.column("kind")
        rows = self.rows[self.starts[:-1]].tolist()
        return np.array([place.get(column[row], -1) for row in rows], np.int8)

    def _shown(self, first: int, last: int | None) -> Iterator[tuple[int, int]]:
        """Give the preferred row of each document and the number of its variants."""
        starts = self.starts[first : len(self) + 1 if last is None else last + 1]
        return zip(self.rows[starts[:-1]].tolist(), np.diff(starts).tolist(), strict=True)


# What is shown of several variants, best first: today's figure over yesterday's and tomorrow's,
# shares over counts, wide bands over narrow ones, and what people do over what they don't.
_PERIODS = (r"\bprojection|\bforecast", r"\bcensus\b|\bbase year\b|\bhistorical\b")
_UNITS = (
    r"\bchange\b|\bindex\b",
    r"\baggregate\b|\btotal\b",
    r"\bnumber\b|\bcount\b",
    r"\baverage\b|\bmean\b",
    r"\bmedian\b",
)
_REFUSING = re.compile(r"\bnever\b|\bnot\b|\bdisagree|\bless often\b|\bplan to\b|\bno\b")
_WIDE = re.compile(r"/|\btop two\b|\bat least\b|\bpast 3 years\b|\bor more\b|\bhave now\b")


def variant_text(label: str, measure: str) -> str:
    """Give what a label adds to its measure.

    Parameters
    ----------
    label, measure : str
        Of one variable.

    Returns
    -------
    str
        The middle of the label that the measure lacks; "" where they are equal.

    Examples
    --------
    >>> variant_text("Yogurt [Weekly] - Eat it", "Yogurt - Eat it")
    '[Weekly]'
    >>> variant_text("Median rent, 2026 estimate", "Median rent")
    '2026 estimate'
    """
    start = _shared_start(label, measure, min(len(label), len(measure)))
    most = min(len(label), len(measure)) - start
    end = _shared_start(label[: -most - 1 : -1], measure[: -most - 1 : -1], most)
    return label[start : len(label) - end].strip(" ,-")


def _shared_start(one: str, other: str, most: int) -> int:
    """Give how many characters two texts share at the start: by halves, not one by one."""
    low = 0
    while low < most:
        middle = (low + most + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            most = middle - 1
    return low


@lru_cache(maxsize=4096)
def preference(variant: str) -> tuple[int, int, int]:
    """Rank a variant among those of its measure: the smallest is shown.

    Parameters
    ----------
    variant : str
        As `variant_text` gives it.

    Returns
    -------
    tuple of int
        Period, band, unit.

    Examples
    --------
    >>> preference("% of population, 2026 estimate") < preference("number, 2026 estimate")
    True
    >>> preference("number, 2026 estimate") < preference("% of population, 2031 projection")
    True
    >>> preference("Agree, top two") < preference("Strongly agree")
    True
    """
    text = fold(variant)
    period = max((2 - i for i, p in enumerate(_PERIODS) if re.search(p, text)), default=0)
    unit = max((5 - i for i, p in enumerate(_UNITS) if re.search(p, text)), default=0)
    band = 2 if _REFUSING.search(text) else 0 if _WIDE.search(text) else 1
    return (period, band, unit)
