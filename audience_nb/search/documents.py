"""What is searched: one document a measure, with the variants that share it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.catalog import Catalog
from audience_nb.search.lexical import Analyzer, fold

__all__ = ["Documents"]

IntArray: TypeAlias = npt.NDArray[np.int32]

# Joiners of a hierarchical label, from the widest to its leaf.
_JOINERS = (" > ", " | ", " › ", " » ", "!!", " :: ")

# Weights of the fields in the bag of words. The last part of a hierarchical label is what the
# variable itself adds, the first only the table it stands in.
_ROOT, _PATH, _LEAF = 1.0, 2.0, 3.0
_DESCRIPTION, _KEYWORDS, _CATEGORY, _VALUES = 0.5, 1.0, 0.25, 0.5
_MAX_VALUES = 20

# Weights in a document's vector, beside 1 for the measure.
_LEAF_MEANING, _DESCRIPTION_MEANING = 0.3, 0.3


def path_of(label: str) -> list[str]:
    """Split a hierarchical label into its parts.

    Parameters
    ----------
    label : str
        Such as "Sex by age > Female > 25 to 29 years".

    Returns
    -------
    list of str
        Root first; a flat label is its own only part.

    Examples
    --------
    >>> path_of("Sex by age > Female > 25 to 29 years")
    ['Sex by age', 'Female', '25 to 29 years']
    """
    for joiner in _JOINERS:
        if joiner in label:
            return [part.strip(" :") for part in label.split(joiner) if part.strip(" :")]
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
        return str(self.catalog.column("measure")[self.rows[self.starts[document]]])

    def texts(self) -> list[list[tuple[str, float]]]:
        """Give what an encoder reads of each document.

        Returns
        -------
        list of list of (str, float)
            For each document its texts and their weights in its vector: the measure, the last
            part of a hierarchical one, and the description of a variable without variants.
        """
        measures, descriptions = self.catalog.column("measure"), self.catalog.column("description")
        result = []
        for row, size in zip(self.rows[self.starts[:-1]], np.diff(self.starts), strict=True):
            texts = [(measures[row], 1.0)]
            parts = path_of(measures[row])
            if len(parts) > 1:
                texts.append((parts[-1], _LEAF_MEANING))
            if size == 1 and descriptions[row] not in ("", measures[row]):
                texts.append((descriptions[row], _DESCRIPTION_MEANING))
            result.append([(text, weight) for text, weight in texts if text.strip()])
        return result

    def bags(self, analyzer: Analyzer) -> tuple[list[Counter[str]], list[Counter[str]]]:
        """Weigh the words of each document by the field they stand in.

        Parameters
        ----------
        analyzer : Analyzer
            Splits and stems.

        Returns
        -------
        stemmed, written : list of Counter
            Terms for the word postings, unstemmed words for the spelling postings.
        """
        fields = ("measure", "description", "keywords", "subcategory", "category", "values")
        columns = {name: self.catalog.column(name) for name in fields}
        types = self.catalog.column("value_type")
        cache: dict[str, tuple[list[str], list[str]]] = {}

        def analysed(text: str) -> tuple[list[str], list[str]]:
            if text not in cache:
                words = analyzer.words(text)
                cache[text] = ([analyzer.stem(w) for w in words], words)
            return cache[text]

        stemmed, written = [], []
        sizes = np.diff(self.starts)
        for document, row in enumerate(self.rows[self.starts[:-1]]):
            parts = path_of(columns["measure"][row])
            weighted = [(part, _PATH) for part in parts]
            if len(parts) > 1:
                weighted[0], weighted[-1] = (parts[0], _ROOT), (parts[-1], _LEAF)
            # The description of one of several variants speaks of that variant only.
            if sizes[document] == 1 and columns["description"][row] != columns["measure"][row]:
                weighted.append((columns["description"][row], _DESCRIPTION))
            weighted += [(k, _KEYWORDS) for k in columns["keywords"][row].split("|")]
            weighted += [(columns["subcategory"][row], _CATEGORY)]
            weighted += [(columns["category"][row], _CATEGORY)]
            if types[row] == "nominal":
                values = columns["values"][row].split("|")
                weighted += [(v, _VALUES) for v in values[:_MAX_VALUES]]
            terms: Counter[str] = Counter()
            words: Counter[str] = Counter()
            for text, weight in weighted:
                if text:
                    stems, plain = analysed(text)
                    for term in stems:
                        terms[term] += weight  # type: ignore[assignment]
                    for word in plain:
                        words[word] += weight  # type: ignore[assignment]
            stemmed.append(terms)
            written.append(words)
        return stemmed, written


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
    shortest = min(len(label), len(measure))
    start = next((i for i in range(shortest) if label[i] != measure[i]), shortest)
    most = shortest - start
    end = next((i for i in range(most) if label[-1 - i] != measure[-1 - i]), most)
    return label[start : len(label) - end].strip(" ,-")


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
