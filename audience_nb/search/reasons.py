"""Why a variable was suggested, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audience_nb.search.postings import Postings
from audience_nb.search.ranking import Scored
from audience_nb.search.reading import range_words

__all__ = ["Reasons"]


class Reasons:
    """What earned documents their places.

    Parameters
    ----------
    scored : Scored
        The query, or the idea of it, for which the documents were chosen.
    postings : Postings
        Of the documents' terms.
    documents, columns : sequence of int
        Rows of the postings, and columns of the scores.
    """

    def __init__(
        self,
        scored: Scored,
        postings: Postings,
        documents: Sequence[int],
        columns: Sequence[int],
    ) -> None:
        self._scored = scored
        slots, implied = scored.reading.slots, scored.evidence.implied
        wanted = np.asarray(columns, np.int64)
        # What stands for a word, slot by slot, as far as any of the documents was found by it.
        self._others = [
            (i, row, weight * float(postings.idf[row]), why)
            for i in np.flatnonzero((implied[:, wanted] > 0).any(axis=1)).tolist()
            for term, weight, why in slots[i].alternatives
            if (row := postings.position(term)) >= 0
        ]
        rows = list(dict.fromkeys(row for _, row, _, _ in self._others))
        self._place = {row: i for i, row in enumerate(rows)}
        self._column = {column: i for i, column in enumerate(columns)}
        # All terms of all documents at once: one by one takes longer than the search itself.
        self._held = postings.weights_at(rows, np.asarray(documents, np.int64))

    def why(self, column: int) -> str:
        """Say which words, concepts and meaning earned a place.

        Parameters
        ----------
        column : int
            One of the columns.

        Returns
        -------
        str
            Such as ``words: “income”; concept: affluent → high income; meaning .71``.
        """
        reasons = []
        reading, evidence = self._scored.reading, self._scored.evidence
        literal = evidence.literal[:, column] > 0
        words = [s.word for s, held in zip(reading.slots, literal.tolist(), strict=True) if held]
        if words:
            quoted = ", ".join(f"“{range_words(w)}”" for w in words[:5])
            reasons.append(f"words: {quoted}")
        told = self._implied(column)
        concepts = [w for w in told if any(w.startswith(f"{c.name} →") for c in reading.concepts)]
        synonyms = [w for w in told if w not in concepts]
        if concepts:
            reasons.append(f"concept: {'; '.join(concepts[:3])}")
        if synonyms:
            reasons.append(f"also: {', '.join(synonyms[:3])}")
        for written, read in reading.mended[:2]:
            reasons.append(f"spelling: {written} → {read}")
        meaning = self._scored.meaning
        if meaning is not None and meaning[column] > 0:
            reasons.append(f"meaning {meaning[column]:.2f}".replace("0.", "."))
        if not reasons:
            reasons.append("similar spelling")
        return "; ".join(reasons)

    def _implied(self, column: int) -> list[str]:
        """Name, slot by slot, the alternative that earned most in one document."""
        implied = self._scored.evidence.implied[:, column]
        held = self._held[:, self._column[column]].tolist()
        best: dict[int, tuple[float, str]] = {}
        for i, row, weight, why in self._others:
            gain = weight * held[self._place[row]]
            if gain > best.get(i, (0.0, ""))[0] and implied[i] > 0:
                best[i] = (gain, why)
        return list(dict.fromkeys(why for _, why in best.values()))
