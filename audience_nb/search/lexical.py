"""Words and spelling: own text analysis."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

__all__ = ["Analyzer", "Language", "char_grams", "fold", "guess_language"]

Language = Literal["english", "french"]

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
