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
    near : sequence of str, optional
        Which of its texts each document is near by.
    """

    def __init__(
        self,
        scored: Scored,
        postings: Postings,
        documents: Sequence[int],
        columns: Sequence[int],
        near: Sequence[str] | None = None,
    ) -> None:
        self._reading = scored.reading
        slots = scored.reading.slots
        wanted = np.asarray(columns, np.int64)
        self._place = {column: i for i, column in enumerate(columns)}
        self._literal = (scored.evidence.literal[:, wanted] > 0).T.tolist()
        self._meaning = None if scored.meaning is None else scored.meaning[wanted].tolist()
        self._near = near
        self._told: list[list[str]] = [[] for _ in columns]
        implied = scored.evidence.implied[:, wanted] > 0
        # What stands for a word, slot by slot, as far as any of the documents was found by it.
        others = [
            (i, row, weight * float(postings.idf[row]), why)
            for i in np.flatnonzero(implied.any(axis=1)).tolist()
            for term, weight, why in slots[i].alternatives
            if (row := postings.position(term)) >= 0
        ]
        if not others:
            return
        rows = list(dict.fromkeys(row for _, row, _, _ in others))
        place = {row: i for i, row in enumerate(rows)}
        # All terms of all documents at once: one by one takes longer than the search itself.
        held = postings.weights_at(rows, np.asarray(documents, np.int64))
        gains = held[[place[row] for _, row, _, _ in others]] * np.array(
            [[weight] for _, _, weight, _ in others]
        )
        # Slot by slot, the alternative that earned most in each document.
        of_slot = np.array([i for i, _, _, _ in others])
        firsts = np.flatnonzero(np.diff(of_slot, prepend=-1))
        for first, last in zip(firsts.tolist(), [*firsts[1:].tolist(), len(others)], strict=True):
            part = gains[first:last]
            best = part.argmax(axis=0)
            earned = implied[of_slot[first]] & (part.max(axis=0) > 0)
            for column in np.flatnonzero(earned).tolist():
                why = others[first + int(best[column])][3]
                if why not in self._told[column]:
                    self._told[column].append(why)

    def why(self, column: int) -> str:
        """Say which words, concepts and meaning earned a place.

        Parameters
        ----------
        column : int
            One of the columns.

        Returns
        -------
        str
            Such as ``words: “income”; concept: affluent → high income; meaning .71: near its
            label``.
        """
        reasons = []
        reading, place = self._reading, self._place[column]
        pairs = zip(reading.slots, self._literal[place], strict=True)
        words = [slot.word for slot, held in pairs if held]
        if words:
            quoted = ", ".join(f"“{range_words(w)}”" for w in words[:5])
            reasons.append(f"words: {quoted}")
        told = self._told[place]
        concepts = [w for w in told if any(w.startswith(f"{c.name} →") for c in reading.concepts)]
        synonyms = [w for w in told if w not in concepts]
        if concepts:
            reasons.append(f"concept: {'; '.join(concepts[:3])}")
        if synonyms:
            reasons.append(f"also: {', '.join(synonyms[:3])}")
        for written, read in reading.mended[:2]:
            reasons.append(f"spelling: {written} → {read}")
        if self._meaning is not None and self._meaning[place] > 0:
            cosine = f"meaning {self._meaning[place]:.2f}".replace("0.", ".")
            reasons.append(f"{cosine}: near {self._near[place]}" if self._near else cosine)
        if not reasons:
            reasons.append("similar spelling")
        return "; ".join(reasons)
