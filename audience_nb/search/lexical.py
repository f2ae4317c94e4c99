"""Words and spelling: own text analysis, and TF-IDF on memory-mapped inverted postings."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import scipy.sparse as sp

__all__ = ["Analyzer", "Language", "Postings", "char_grams", "fold", "guess_language"]

Language = Literal["english", "french"]
FloatArray: TypeAlias = npt.NDArray[np.float32]

# Longer words are cut: postings keep terms in a fixed-width array so that it can be mapped.
MAX_TERM_BYTES = 48

_STOP_TEXTS: Mapping[Language, str] = {
    "english": (
        "a about am an and any are as at be been being but by can could did do does for from get "
        "had has have having he her his how i if in into is it its itself just let lets like made "
        "make me more most much my of on onto or our ours out own s so some such t than that the "
        "their theirs them then there these they this those to too us very was we were what "
        "when where which while who whom whose why will with would you your yours "
        "people person persons folks someone anyone everyone who's"
    ),
    "french": (
        "a ai aient ait as au aux avec c ce ceci cela ces cet cette ceux chez d dans de des donc "
        "du elle elles en encore es est et etait etaient etre eu eux font ils il j je l la le les "
        "leur leurs lui m ma mais me meme mes moi mon n ne nos notre nous on ont ou par pas plus "
        "pour qu quand que quel quelle quelles quels qui s sa se ses si son sont sur t ta te tes "
        "toi ton tres tu un une vos votre vous y personne personnes gens"
    ),
}
_STOP_WORDS = {language: frozenset(text.split()) for language, text in _STOP_TEXTS.items()}
_COMMON_ENGLISH = "the of and in to with for who by from is are without less years"
_COMMON_FRENCH = "le la les des du et une aux dans avec pour sur sans qui au moins ans"

_ONE_TO_TWELVE = (
    "one two three four five six seven eight nine ten eleven twelve",
    "un deux trois quatre cinq six sept huit neuf dix onze douze",
)
_NUMBER_WORDS = {
    word: str(number)
    for words in _ONE_TO_TWELVE
    for number, word in enumerate(words.split(), start=1)
    if word != "un"  # the article, too
}

_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'", "‘": "'", "ʼ": "'", "–": "-", "—": " - "}
)
# "100,000", "100 000" and "100 000" are one number; "12, 13" are two.
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f' ](?=\d{3}(?!\d))")
_MAGNITUDE = re.compile(r"(?<![a-z\d])(\d+(?:\.\d+)?)\s?(k|m|mm|bn|b)(?![a-z\d])")
_DECIMALS = re.compile(r"(\d+)\.(\d*?)0*(?!\d)")
_POWERS = {"k": 1e3, "m": 1e6, "mm": 1e6, "b": 1e9, "bn": 1e9}
_NUMBER = r"\$?\s?(\d+(?:\.\d+)?)\s?[$%]?"
_WORD = r"(?:years?|yrs?|ans|minutes?|percent|pour cent|dollars?)?"
_RANGE = re.compile(rf"(?<![\d.-]){_NUMBER}\s*{_WORD}\s*(?:-|to|a|through)\s*{_NUMBER}(?![\d-])")
_BETWEEN = re.compile(rf"(?:between|entre)\s+{_NUMBER}\s*{_WORD}\s*(?:and|et)\s+{_NUMBER}")
_AND_OVER = re.compile(
    rf"{_NUMBER}\s*{_WORD}\s*(?:\+|(?:of age\s+)?(?:and|or|et|ou)\s+"
    r"(?:over|older|more|above|plus|up|mieux|longer)\b)"
)
_OVER = re.compile(
    rf"\b(?:over|above|more than|at least|older than|plus de|au moins|min)\s+{_NUMBER}"
)
_UNDER = re.compile(
    rf"\b(?:under|below|less than|fewer than|younger than|up to|at most|moins de|max|"
    rf"inferieure?s? a)\s+{_NUMBER}"
)
_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)?(?:_[a-z\d.]+)*")
_HYPHENATED = re.compile(r"\b([a-z]{2,})-([a-z]{2,})\b")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Write text in one way: lower case, no accents, numbers without separators.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        "$100k+" becomes "$100000+", "Été" becomes "ete", "34.0 %" becomes "34 percent".

    Examples
    --------
    >>> fold("Québec: $100k+ (25–34 years)")
    'quebec: $100000+ (25-34 years)'
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_LIGATURES)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = _THOUSANDS.sub("", text)
    text = _MAGNITUDE.sub(lambda m: f"{float(m[1]) * _POWERS[m[2]]:.0f}", text)
    text = _DECIMALS.sub(lambda m: f"{m[1]}.{m[2]}" if m[2] else m[1], text)
    text = text.replace("%", " percent ")
    return re.sub(r"\s+", " ", text).strip()


def guess_language(texts: Iterable[str]) -> Language:
    """Tell French from English by their commonest words.

    Parameters
    ----------
    texts : iterable of str
        Labels or a query.

    Returns
    -------
    {"english", "french"}
        English when in doubt.

    Examples
    --------
    >>> guess_language(["les familles avec de jeunes enfants"]), guess_language(["young families"])
    ('french', 'english')
    """
    french, english = _COMMON_FRENCH.split(), _COMMON_ENGLISH.split()
    counts = Counter(w for text in texts for w in re.findall(r"[^\W\d_]+", fold(text)))
    said_french = sum(counts[w] for w in french) + counts["de"]
    return "french" if said_french > sum(counts[w] for w in english) else "english"


@cache
def _stemmer(language: Language) -> Callable[[str], str]:
    import Stemmer

    stem: Callable[[str], str] = Stemmer.Stemmer(language).stemWord
    return stem


@dataclass(frozen=True)
class Analyzer:
    """Turn text into index terms.

    Parameters
    ----------
    language : {"english", "french"}
        Which Snowball stemmer and stop words apply; the other language's stop words stay.

    Examples
    --------
    >>> Analyzer().terms("Households with incomes of $100k+")
    ['household', 'incom', '100000', '100000_up']
    >>> Analyzer().terms("Women aged 25-34")
    ['women', 'age', '25', '34', '25_34']
    """

    language: Language = "english"

    def words(self, text: str) -> list[str]:
        """Split folded text into words without stop words, with range terms at the end.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        list of str
            Words as written but folded; a range "25 to 34" adds "25_34", "65 and over" adds
            "65_up", "under 5" adds "0_5".

        Examples
        --------
        >>> Analyzer().words("Two-parent families, children under 5")
        ['2', 'parent', 'families', 'children', 'under', '5', '0_5']
        """
        folded = fold(text)
        stop = _STOP_WORDS[self.language]
        found = [
            _NUMBER_WORDS.get(word, word) for word in _TOKEN.findall(folded) if word not in stop
        ]
        return [word[:MAX_TERM_BYTES] for word in found] + _ranges(folded)

    def stem(self, word: str) -> str:
        """Reduce one folded word to its Snowball stem.

        Parameters
        ----------
        word : str
            A word of `words`.

        Returns
        -------
        str

        Examples
        --------
        >>> Analyzer().stem("commuters")
        'commut'
        """
        return _stemmer(self.language)(word)

    def terms(self, text: str) -> list[str]:
        """Give the stemmed words of a text, in order, repeats kept.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        list of str
        """
        return list(_terms(self, text))


@lru_cache(maxsize=16384)
def _terms(analyzer: Analyzer, text: str) -> tuple[str, ...]:
    return tuple(analyzer.stem(word) for word in analyzer.words(text))


def _ranges(folded: str) -> list[str]:
    """Give a term for each numeric range named in folded text."""
    if not any(c.isdigit() for c in folded):
        return []
    found = [f"{m[1]}_{m[2]}" for p in (_BETWEEN, _RANGE) for m in p.finditer(folded)]
    found += [f"{m[1]}_up" for p in (_AND_OVER, _OVER) for m in p.finditer(folded)]
    found += [f"0_{m[1]}" for m in _UNDER.finditer(folded)]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=65536)
def char_grams(word: str, low: int = 3, high: int = 5) -> tuple[str, ...]:
    """Give the character n-grams inside one word, its ends marked by spaces.

    Parameters
    ----------
    word : str
        A word.
    low, high : int, optional
        Shortest and longest n-gram.

    Returns
    -------
    tuple of str
        As scikit-learn's `char_wb` analyser gives them, repeats kept.

    Examples
    --------
    >>> char_grams("cat")
    (' ca', 'cat', 'at ', ' cat', 'cat ', ' cat ')
    """
    padded = f" {word} "
    grams: list[str] = []
    for n in range(low, high + 1):
        grams += [padded[i : i + n] for i in range(len(padded) - n + 1)] or [padded]
        if len(padded) <= n:
            break
    return tuple(grams)


class Postings:
    """TF-IDF cosine of texts with a query, on inverted postings.

    Weights follow the usual sublinear scheme (Manning, Raghavan & Schütze 2008, ch. 6):
    ``(1 + ln tf) · (ln((1 + n) / (1 + df)) + 1)``, documents scaled to length one. A term that
    only stands in a field of weight below one counts with that weight.

    Parameters
    ----------
    terms : ndarray of shape (n_terms,), bytes
        UTF-8, sorted.
    starts : ndarray of shape (n_terms + 1,), int64
        Where each term's postings start.
    documents : ndarray of shape (n_postings,), int32
        Rows in which the term stands, rising within a term.
    weights : ndarray of shape (n_postings,), float32
        Its share of the document's unit vector.
    idf : ndarray of shape (n_terms,), float32
        Inverse document frequency.
    n_documents : int
        Number of rows.

    Examples
    --------
    >>> postings = Postings.build([["cat", "food"], ["dog", "food"]])
    >>> [round(float(s), 2) for s in postings.scores({"cat": 1.0})]
    [0.81, 0.0]
    """

    ARRAYS = ("terms", "starts", "documents", "weights", "idf")

    def __init__(
        self,
        terms: npt.NDArray[np.bytes_],
        starts: npt.NDArray[np.int64],
        documents: npt.NDArray[np.int32],
        weights: FloatArray,
        idf: FloatArray,
        n_documents: int,
    ) -> None:
        self.terms, self.starts, self.idf = terms, starts, idf
        self.documents, self.weights = documents, weights
        self.n_documents = n_documents

    @classmethod
    def build(cls, bags: Sequence[Sequence[str] | Mapping[str, float]]) -> Postings:
        """Index bags of terms.

        Parameters
        ----------
        bags : sequence of (sequence of str or mapping of str to float)
            One bag a document: its terms, or terms with their weighted counts.

        Returns
        -------
        Postings
        """
        ids: dict[str, int] = {}
        matrix = _counts([b if isinstance(b, Mapping) else Counter(b) for b in bags], ids)
        return cls.from_counts(matrix, list(ids))

    @classmethod
    def from_counts(cls, counts: sp.csr_matrix, terms: Sequence[str]) -> Postings:
        """Index a matrix of weighted counts.

        Parameters
        ----------
        counts : scipy.sparse.csr_matrix of shape (n_documents, n_terms)
            Weighted counts, not negative.
        terms : sequence of str
            Name of each column.

        Returns
        -------
        Postings
        """
        n_documents = counts.shape[0]
        encoded = np.array([_encoded(t) for t in terms] or [b""], dtype=bytes)
        order = np.argsort(encoded, kind="stable")
        by_term = counts.tocsc()[:, order] if len(terms) else counts.tocsc()
        by_term.sort_indices()
        frequency = np.diff(by_term.indptr)
        idf = (np.log((1 + n_documents) / (1 + frequency)) + 1).astype(np.float32)
        tf = by_term.data.astype(np.float32)
        weights = np.where(tf > 1, 1 + np.log(np.maximum(tf, 1)), tf) * np.repeat(idf, frequency)
        squares = np.bincount(by_term.indices, weights**2, minlength=n_documents)
        length = np.sqrt(squares, dtype=np.float64)
        weights = weights / np.maximum(length, 1e-12)[by_term.indices]
        return cls(
            encoded[order],
            by_term.indptr.astype(np.int64),
            by_term.indices.astype(np.int32),
            weights.astype(np.float32),
            idf,
            n_documents,
        )

    @classmethod
    def build_grams(cls, bags: Sequence[Mapping[str, float]]) -> Postings:
        """Index the character n-grams of bags of words.

        Parameters
        ----------
        bags : sequence of mapping of str to float
            Unstemmed words of each document with their weighted counts.

        Returns
        -------
        Postings
            Over n-grams. Each distinct word is cut up once, as n-grams never span words.

        Examples
        --------
        >>> postings = Postings.build_grams([{"millennials": 1.0}, {"boomers": 1.0}])
        >>> postings.scores(Counter(char_grams("milenials"))).argmax()
        np.int64(0)
        """
        import scipy.sparse as sp

        word_ids: dict[str, int] = {}
        by_document = _counts(bags, word_ids)
        gram_ids: dict[str, int] = {}
        by_word = _counts([Counter(char_grams(word)) for word in word_ids], gram_ids)
        if not word_ids:
            by_word = sp.csr_matrix((0, 0), dtype=np.float32)
        return cls.from_counts((by_document @ by_word).tocsr(), list(gram_ids))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays to be stored, by name."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def position(self, term: str) -> int:
        """Give the row of a term, or -1.

        Parameters
        ----------
        term : str
            A term as it was indexed.

        Returns
        -------
        int

        Examples
        --------
        >>> Postings.build([["cat"], ["dog"]]).position("eel")
        -1
        """
        key = _encoded(term)
        found = int(np.searchsorted(self.terms, np.array(key, dtype=self.terms.dtype.char)))
        return found if found < len(self.idf) and self.terms[found] == key else -1

    def __contains__(self, term: object) -> bool:
        return isinstance(term, str) and self.position(term) >= 0

    def weights_of(self, row: int, documents: npt.NDArray[np.integer[Any]]) -> FloatArray:
        """Give the weight of one term in chosen documents.

        Parameters
        ----------
        row : int
            The term, as `position` gives it.
        documents : ndarray of shape (n_chosen,), int
            Which documents.

        Returns
        -------
        ndarray of shape (n_chosen,), float32
            0 where the term does not stand.
        """
        first, last = self.starts[row], self.starts[row + 1]
        listed, weights = self.documents[first:last], self.weights[first:last]
        places = np.minimum(np.searchsorted(listed, documents), len(listed) - 1)
        found: FloatArray = np.where(listed[places] == documents, weights[places], np.float32(0))
        return found

    def scores(self, query: Mapping[str, float]) -> FloatArray:
        """Give the cosine of every document with a weighted query.

        Parameters
        ----------
        query : mapping of str to float
            Terms with their counts or weights. Terms that no document has are left out, also of
            the query's length.

        Returns
        -------
        ndarray of shape (n_documents,), float32
            In [0, 1].
        """
        result = np.zeros(self.n_documents, np.float32)
        found = [(row, w) for t, w in query.items() if w > 0 and (row := self.position(t)) >= 0]
        if not found:
            return result
        weights = np.array([_sublinear(w) * self.idf[row] for row, w in found], np.float64)
        weights /= np.sqrt(np.sum(weights**2))
        for (row, _), weight in zip(found, weights, strict=True):
            first, last = self.starts[row], self.starts[row + 1]
            # A document stands once among a term's postings, so that += adds each of them.
            result[self.documents[first:last]] += np.float32(weight) * self.weights[first:last]
        return result


def _sublinear(count: float) -> float:
    return 1 + float(np.log(count)) if count > 1 else count


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "replace")[:MAX_TERM_BYTES]


def _counts(bags: Sequence[Mapping[str, float]], ids: dict[str, int]) -> sp.csr_matrix:
    """Write bags as a matrix; new terms are added to `ids` in order of appearance."""
    import scipy.sparse as sp

    starts, columns, values = [0], [], []
    for bag in bags:
        for term, count in bag.items():
            columns.append(ids.setdefault(term, len(ids)))
            values.append(count)
        starts.append(len(columns))
    return sp.csr_matrix(
        (np.asarray(values, np.float32), np.asarray(columns, np.int32), np.asarray(starts)),
        shape=(len(bags), len(ids)),
    )
