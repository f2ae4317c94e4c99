"""Meaning without an encoder: latent semantic analysis of the catalogue's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from audience_nb.search.lexical import Analyzer
from audience_nb.search.postinglists import FULL
from audience_nb.search.postings import Postings
from audience_nb.search.vectors import quantized, unit_rows

__all__ = ["MOST_DIMENSIONS", "LatentEncoder", "latent_arrays", "with_latent"]

FloatArray: TypeAlias = npt.NDArray[np.float32]
Scores: TypeAlias = npt.NDArray[np.float64]

MOST_DIMENSIONS = 128
# Beside the best score by words. More than this did harm on judged queries over the audience
# taxonomy, and less good over census columns and in French.
_SHARE = 0.05


def latent_arrays(words: Postings, *, random_state: int = 0) -> dict[str, npt.NDArray[Any]]:
    """Find the directions in which the words of a catalogue stand together.

    Truncated singular value decomposition of the TF-IDF matrix (Deerwester et al. 1990, "Indexing
    by latent semantic analysis"), by the randomised method of Halko, Martinsson & Tropp 2011.

    Parameters
    ----------
    words : Postings
        Of the documents.
    random_state : int, optional
        Seed of the method.

    Returns
    -------
    dict of str to ndarray
        "vectors" of shape (n_documents, n_dimensions), int8: directions of the documents;
        "directions" of shape (n_terms, n_dimensions), float32: of the terms.
    """
    import scipy.sparse as sp
    from sklearn.utils.extmath import randomized_svd

    shape = (len(words.idf), words.n_documents)
    by_term = sp.csr_matrix(
        (words.weights * np.float32(1 / FULL), words.documents.astype(np.int32), words.starts),
        shape=shape,
    )
    # With as many directions as there are texts, each would have its own, and nothing is near.
    n_dimensions = min(MOST_DIMENSIONS, min(shape) // 2)
    if n_dimensions < 1:
        # One document or one word: everything lies in one direction.
        present = np.diff(words.starts) > 0
        held = np.asarray(by_term.sum(axis=0)).reshape(-1, 1) > 0
        return {
            "vectors": quantized(held.astype(np.float32)),
            "directions": present.astype(np.float32)[:, None],
        }
    directions, strengths, documents = randomized_svd(
        by_term, n_dimensions, n_iter=4, random_state=random_state
    )
    placed = unit_rows((documents * strengths[:, None]).T.astype(np.float32))
    return {
        "vectors": quantized(placed),
        "directions": np.ascontiguousarray(directions, dtype=np.float32),
    }


def with_latent(
    score: Scores, parts: Mapping[str, Scores], cosines: Scores
) -> tuple[Scores, dict[str, Scores]]:
    """Let latent directions settle what words leave open.

    Parameters
    ----------
    score : ndarray of shape (n_candidates,), float64
        By words, concepts and spelling, in [0, 1].
    parts : mapping of str to ndarray of shape (n_candidates,)
        They add up to the score.
    cosines : ndarray of shape (n_candidates,), float64
        With the query, in the space of the latent directions.

    Returns
    -------
    score, parts
        With "meaning" among the parts: at most 5 % of the best score, which stays as large.

    Examples
    --------
    >>> score, parts = with_latent(
    ...     np.array([0.5, 0.5]), {"words": np.array([0.5, 0.5])}, np.array([0.0, 1.0])
    ... )
    >>> score.round(3).tolist(), parts["meaning"].round(3).tolist()
    ([0.476, 0.5], [0.0, 0.024])
    """
    near = np.maximum(cosines, 0)
    best = float(score.max(initial=0))
    meaning = _SHARE * best * near / (float(near.max(initial=0)) or 1.0)
    scale = best / (float((score + meaning).max(initial=0)) or 1.0)
    scaled = {name: part * scale for name, part in {"meaning": meaning, **parts}.items()}
    return np.clip((score + meaning) * scale, 0.0, 1.0), scaled


class LatentEncoder:
    """Turns texts into directions of a catalogue's own words.

    Unlike other encoders it knows no word that the catalogue does not use: a text without any
    has a vector of zeros, near to nothing.

    Parameters
    ----------
    analyzer : Analyzer
        As the documents were analysed.
    words : Postings
        Of the documents.
    directions : ndarray of shape (n_terms, n_dimensions), float32
        As `latent_arrays` gives them.

    Examples
    --------
    >>> texts = ["cats purr", "cats meow", "dogs bark", "dogs growl"]
    >>> words = Postings.build([Analyzer().terms(text) for text in texts])
    >>> encoder = LatentEncoder(Analyzer(), words, latent_arrays(words)["directions"])
    >>> meow, purr, bark = encoder.encode(["meow", "purr", "bark"])
    >>> bool(meow @ purr > 0.5), bool(abs(meow @ bark) < 0.1)
    (True, True)
    """

    NAME = "latent semantic analysis"

    def __init__(self, analyzer: Analyzer, words: Postings, directions: FloatArray) -> None:
        self._analyzer, self._words, self._directions = analyzer, words, directions

    @property
    def name(self) -> str:
        """What it is, and how long its vectors are."""
        return f"{self.NAME} {self.n_dimensions}"

    @property
    def n_dimensions(self) -> int:
        """At most 128; fewer for a small catalogue."""
        return int(self._directions.shape[1])

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Place texts among the documents.

        Parameters
        ----------
        texts : sequence of str
            Any.

        Returns
        -------
        ndarray of shape (n_texts, n_dimensions), float32
            Of length one, or zeros where no word is known.
        """
        vectors = np.zeros((len(texts), self.n_dimensions), np.float32)
        for row, text in enumerate(texts):
            for term, count in Counter(self._analyzer.terms(text)).items():
                at = self._words.position(term)
                if at >= 0:
                    weight = (1 + np.log(count)) * self._words.idf[at]
                    vectors[row] += np.float32(weight) * self._directions[at]
        return unit_rows(vectors)
