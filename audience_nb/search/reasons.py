"""Why a variable was suggested, in words."""

from __future__ import annotations

import numpy as np

from audience_nb.search.fusion import Evidence
from audience_nb.search.postings import Postings
from audience_nb.search.ranking import Scored
from audience_nb.search.reading import Reading, Slot, range_words

__all__ = ["why"]


def why(scored: Scored, postings: Postings, document: int, column: int) -> str:
    """Say which words, concepts and meaning earned a place.

    Parameters
    ----------
    scored : Scored
        The query, or the idea of it, for which the document was chosen.
    postings : Postings
        Of the documents' terms.
    document, column : int
        Row of the postings, and column of the scores.

    Returns
    -------
    str
        Such as ``words: “income”; concept: affluent → high income; meaning .71``.
    """
    reasons = []
    slots, evidence = scored.reading.slots, scored.evidence
    words = [s.word for i, s in enumerate(slots) if evidence.literal[i, column] > 0]
    if words:
        quoted = ", ".join(f"“{range_words(w)}”" for w in words[:5])
        reasons.append(f"words: {quoted}")
    implied = _implied(scored.reading, postings, evidence, document, column)
    told = list(dict.fromkeys(why for _, why in implied))
    concepts = [
        w for w in told if any(w.startswith(f"{c.name} →") for c in scored.reading.concepts)
    ]
    synonyms = [w for w in told if w not in concepts]
    if concepts:
        reasons.append(f"concept: {'; '.join(concepts[:3])}")
    if synonyms:
        reasons.append(f"also: {', '.join(synonyms[:3])}")
    for written, read in scored.reading.mended[:2]:
        reasons.append(f"spelling: {written} → {read}")
    if scored.meaning is not None and scored.meaning[column] > 0:
        reasons.append(f"meaning {scored.meaning[column]:.2f}".replace("0.", "."))
    if not reasons:
        reasons.append("similar spelling")
    return "; ".join(reasons)


def _implied(
    reading: Reading, postings: Postings, evidence: Evidence, document: int, column: int
) -> list[tuple[Slot, str]]:
    """Name, slot by slot, the alternative that earned most in one document.

    Parameters
    ----------
    reading : Reading
        The query.
    postings : Postings
        Of the documents.
    evidence : Evidence
        As `slot_evidence` gave it.
    document, column : int
        Row of the postings, and column of the evidence.

    Returns
    -------
    list of (Slot, str)
        Only slots to which an alternative added something.
    """
    reasons = []
    for i, slot in enumerate(reading.slots):
        if evidence.implied[i, column] <= 0:
            continue
        best, said = 0.0, ""
        for term, weight, why in slot.alternatives:
            at = postings.position(term)
            if at < 0:
                continue
            one = np.array([document])
            gain = weight * float(postings.idf[at]) * float(postings.weights_of(at, one)[0])
            if gain > best:
                best, said = gain, why
        if said:
            reasons.append((slot, said))
    return reasons
