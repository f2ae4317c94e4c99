"""Words and spelling: own text analysis."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from audience_nb.search.ranges import find_ranges

__all__ = [
    "Analyzer",
    "Language",
    "char_grams",
    "fold",
    "guess_language",
    "says_something",
    "split_words",
    "stop_words",
    "unglue",
]

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

_COUNTED = (
    "one two three four five six seven eight nine ten eleven twelve",
    "un deux trois quatre cinq six sept huit neuf dix onze douze",
)
_NUMBER_WORDS = {
    word: str(number)
    for words in _COUNTED
    for number, word in enumerate(words.split(), start=1)
    if word != "un"  # the article, too
}
_TENS = {
    "sixteen": 16, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "seize": 16, "vingt": 20,
    "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
}  # fmt: skip
_NUMBER_WORDS |= {word: str(number) for word, number in _TENS.items()}

_LETTERS = str.maketrans(
    {
        "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'", "‘": "'", "ʼ": "'", "–": "-",
        "—": " - ", "‐": "-", "‑": "-", "−": "-", "＋": "+", "\u0000": " ",
        # Marks that show nowhere: soft hyphen, zero-width characters, directions.
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"),
    }
)  # fmt: skip
_DIGIT = re.compile(r"\d")
# "100,000", "100 000" and "100 000" are one number; "12, 13" are two.
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f' ](?=\d{3}(?!\d))")
# French writes 34,9 % and 1,5 million; without such a unit "12,13" are two numbers.
_COMMA = re.compile(
    r"(?<=\d),(?=\d{1,2}\s?(?:%|\$|percent|pour ?cent|millions?\b|milliards?\b|[mk]\b))"
)
# 401k and 403b are pension plans.
_MAGNITUDE = re.compile(
    r"(?<![a-z\d.])(?!40[13][kb]\b)(\d+(?:\.\d+)?)\s?"
    r"(k|mm?|bn|b|thousand|millions?|billions?|milliards?)(?![a-z\d])"
)
_PENSION = re.compile(r"\b40([13])\s?\(([kb])\)")
_DECIMALS = re.compile(r"(\d+)\.(\d*?)0*(?!\d)")
# Where none of these signs stands by a digit, none of the patterns above can match.
_NUMERIC = re.compile(r"\d(?:[,.\u00a0\u202f']| \d{3}|\s?(?:[kmb(]|th))")
_POWERS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e3}
_TOKEN = re.compile(r"[^\W_]+(?:\.\d+)?(?:_[a-z\d.]+)*")
# "60min", "25yo", "200plus": a number and its unit are two words.
_UNIT_GLUED = re.compile(
    r"(?<![a-z\d_.])(\d+(?:\.\d+)?)"
    r"(plus|yrs?|years?|yo|ans|mins?|minutes?|hrs?|hours?|kms?|miles?|kgs?|lbs?|sqft|br|bdrms?|"
    r"beds?|pct|percent|to|persons?|people|hhs?|units?|rooms?|veh)(?![a-z])"
)
# Prefixes that make one word with what follows: non-family, multi-unit, e-mail, t-shirt.
_PREFIXED = re.compile(r"(?<![\w-])(non|multi|semi|anti|pre|[a-z])-(?=[a-z]{3})")
# Glued by case, underscores or digits: HouseholdIncome, household_income, age25.
_GLUED = re.compile(r"\w*(?:[a-zà-ÿ][A-Z]|[^\W_]_|[^\W\d_]{3}\d)\w*")
_GLUE = re.compile(r"[a-zà-ÿ][A-Z]|[^\W_]_|[^\W\d_]{3}\d")
_PIECE = re.compile(
    r"\d+(?:\.\d+)?[kKmM]?(?![^\W\d_])|\d+|[A-ZÀ-Þ]+(?![a-zà-ÿ])|[A-ZÀ-Þ]?[a-zà-ÿ]+"
)
# "HHs", "SUVs": an abbreviation and its plural are one word.
_PLURAL = re.compile(r"\b([A-Z]{2,5})[’']?s\b")


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
        "$100k+" becomes "$100000+", "Été" becomes "ete", "34,0 %" becomes "34 percent".

    Examples
    --------
    >>> fold("Québec: $100k+ (25–34 years), 1,5 million")
    'quebec: $100000+ (25-34 years), 1500000'
    """
    if text.isascii():
        text = text.lower().replace("\0", " ")
    else:
        text = unicodedata.normalize("NFKC", text).casefold().lower().translate(_LETTERS)
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    if _NUMERIC.search(text):
        text = _THOUSANDS.sub("", text)
        text = _PENSION.sub(r"40\1\2", text)
        text = _COMMA.sub(".", text)
        text = _MAGNITUDE.sub(_magnitude, text)
        text = _DECIMALS.sub(lambda m: f"{m[1]}.{m[2]}" if m[2] else m[1], text)
    text = text.replace("%", " percent ")
    return " ".join(text.split())


def _magnitude(match: re.Match[str]) -> str:
    unit = "b" if match[2].startswith("milliard") else match[2][0]
    return f"{float(match[1]) * _POWERS[unit]:.0f}"


def stop_words(language: Language) -> frozenset[str]:
    """Give the words that say nothing about a subject.

    Parameters
    ----------
    language : {"english", "french"}
        Of the text.

    Returns
    -------
    frozenset of str
        Folded.

    Examples
    --------
    >>> "the" in stop_words("english"), "les" in stop_words("french")
    (True, True)
    """
    return _STOP_WORDS[language]


def split_words(text: str) -> list[str]:
    """Fold a text and give its words, stop words included.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str

    Examples
    --------
    >>> split_words("At the Polls: l'Été, non-drivers of $100k+")
    ['at', 'the', 'polls', 'l', 'ete', 'nondrivers', 'of', '100000']
    """
    if text.isascii() and text.isalpha():
        return [text.lower()]
    folded = fold(text)
    return _TOKEN.findall(_PREFIXED.sub(r"\1", folded) if "-" in folded else folded)


def says_something(text: str) -> bool:
    """Tell whether a text has any word beside those that say nothing about a subject.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool

    Examples
    --------
    >>> says_something("of the"), says_something("?!"), says_something("dogs of the rich")
    (False, False, True)
    """
    known = _STOP_WORDS["english"] | _STOP_WORDS["french"]
    return any(word not in known for word in _TOKEN.findall(fold(text)))


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
def _snowball(language: Language) -> Any:
    import Stemmer

    return Stemmer.Stemmer(language)


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

    def words(self, text: str, *, pieces: bool = True) -> list[str]:
        """Split text into folded words without stop words, with range terms at the end.

        Parameters
        ----------
        text : str
            Any text.
        pieces : bool, optional
            Whether words glued by case, underscores or digits are also given piece by piece.

        Returns
        -------
        list of str
            Words as written but folded; a range "25 to 34" adds "25_34", "65 and over" adds
            "65_up", "under 5" adds "0_5".

        Examples
        --------
        >>> Analyzer().words("Two-parent families, children under 5")
        ['2', 'parent', 'families', 'children', 'under', '5', '0_5']
        >>> Analyzer().words("AvgHouseholdIncome of non-family HHs")
        ['avghouseholdincome', 'avg', 'household', 'income', 'nonfamily', 'hh']
        """
        text = _PLURAL.sub(r"\1", text)
        if pieces and _GLUE.search(text):
            text = _GLUED.sub(lambda m: f"{m[0]} {unglue(m[0])}", text)
        folded = fold(text)
        if "-" in folded:
            folded = _PREFIXED.sub(r"\1", folded)
        ranges: list[str] = []
        if _DIGIT.search(folded):
            folded = _UNIT_GLUED.sub(r"\1 \2 ", folded)
            ranges = find_ranges(_counted(folded))
        elif not _SAID_NUMBER.isdisjoint(folded.replace("-", " ").split()):
            ranges = find_ranges(_counted(folded))
        stop = _STOP_WORDS[self.language]
        found = [
            _NUMBER_WORDS.get(word, word)[:MAX_TERM_BYTES]
            for word in _TOKEN.findall(folded)
            if word not in stop
        ]
        return found + ranges if ranges else found

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
        return _stem(self.language, word)

    def stems(self, words: Sequence[str]) -> list[str]:
        """Reduce many folded words to their stems at once.

        Parameters
        ----------
        words : sequence of str
            Words of `words`.

        Returns
        -------
        list of str
            In the same order.

        Examples
        --------
        >>> Analyzer().stems(["commuters", "dogs"])
        ['commut', 'dog']
        """
        found: list[str] = _snowball(self.language).stemWords(words)
        return found

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


@lru_cache(maxsize=65536)
def _stem(language: Language, word: str) -> str:
    found: str = _snowball(language).stemWord(word)
    return found


@lru_cache(maxsize=16384)
def _terms(analyzer: Analyzer, text: str) -> tuple[str, ...]:
    return tuple(analyzer.stem(word) for word in analyzer.words(text))


_SAID_NUMBER = frozenset(_NUMBER_WORDS) | {"un"}
_SAID = re.compile(rf"\b(?:{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})\b")


def _counted(folded: str) -> str:
    """Write number words as digits, so that "two or more" is a range."""
    return _SAID.sub(lambda m: _NUMBER_WORDS[m[0]], folded)


def unglue(word: str) -> str:
    """Write a word glued by case, underscores or digits as its pieces.

    Parameters
    ----------
    word : str
        Such as "HHIncome", "household_size", "AGE25_34".

    Returns
    -------
    str
        Pieces of one letter are left out; two numbers in a row are a range.

    Examples
    --------
    >>> unglue("HHIncome"), unglue("household_size"), unglue("AGE25_34")
    ('HH Income', 'household size', 'AGE 25-34')
    """
    pieces = [p for p in _PIECE.findall(word) if len(p) > 1 or p.isdigit()]
    return re.sub(r"(?<=[\dkKmM]) (?=\d)", "-", " ".join(pieces))


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
