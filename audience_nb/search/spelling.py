"""Misspelt, partial and run-together words, read as words that are known."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from functools import cache, cached_property
from importlib.resources import files

from audience_nb.search.lexical import Analyzer, Language

__all__ = ["Speller", "right_words"]

# Of shorter words only swapped letters are mended: too many others are one letter away.
_MENDED_LETTERS = 5
# Longer ones are none that anybody writes.
_LONGEST = 30
# From here on two letters may be wrong.
_LONG = 8
_MOST_EDITS = 2
# A partial word, and how many words of the catalogue it may stand for.
_PARTIAL_LETTERS = 4
_MOST_COMPLETIONS = 5
# Each half of two words written as one.
_HALF_LETTERS = 4
_NEGATIVE = "non"
_VOWELS = frozenset("aeiouy")


@cache
def right_words() -> frozenset[str]:
    """Give words that are spelt right, though a catalogue may not have them.

    Returns
    -------
    frozenset of str
        Folded.

    Examples
    --------
    >>> "diving" in right_words(), "enviroment" in right_words()
    (True, False)
    """
    text = (files("audience_nb.search") / "spellings.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@cache
def _right_stems() -> frozenset[str]:
    return frozenset(Analyzer("english").stems(sorted(right_words())))


def _stem_of(word: str) -> str:
    return Analyzer("english").stem(word)


class Speller:
    """Reads unknown words as known ones.

    Parameters
    ----------
    written : sequence of str
        Every word of the documents, sorted.
    taught : collection of str
        Words that concepts know.
    french : callable
        Gives those of them that only a French text has; called when first needed.
    is_known : callable
        Whether a folded word needs no mending.
    frequency : callable
        In how many documents a word stands.

    Examples
    --------
    >>> words = ["diving", "environment", "renters", "vegetarian"]
    >>> speller = Speller(words, (), tuple, words.__contains__, lambda word: 1)
    >>> speller.mend("enviroment"), speller.mend("rentres"), speller.mend("vegetar")
    ('environment', 'renters', None)
    >>> speller.complete("vegetar"), speller.split("vegetarianrenters")
    (['vegetarian'], ('vegetarian', 'renters'))
    """

    def __init__(
        self,
        written: Sequence[str],
        taught: Collection[str],
        french: Callable[[], Collection[str]],
        is_known: Callable[[str], bool],
        frequency: Callable[[str], int],
    ) -> None:
        self.written = written
        self._taught, self._give_french = taught, french
        self._is_known, self._frequency = is_known, frequency
        self._buckets: dict[str, list[str]] = {}

    def _bucket(self, first: str) -> list[str]:
        """Words with one first letter that a misspelling may stand for."""
        if first not in self._buckets:
            low, high = (
                bisect_left(self.written, first),
                bisect_left(self.written, first + "\uffff"),
            )
            fitting = {*self.written[low:high], *(w for w in self._taught if w[:1] == first)}
            self._buckets[first] = sorted(
                w for w in fitting if len(w) >= _MENDED_LETTERS - 1 and w.isalpha()
            )
        return self._buckets[first]

    def mend(self, word: str, language: Language = "english") -> str | None:
        """Give the known word that a misspelt one stands for.

        Parameters
        ----------
        word : str
            Folded.
        language : {"english", "french"}, optional
            Of the text in which it stands.

        Returns
        -------
        str or None
            None for a word that is known, right, short, or like no other.
        """
        fits = _MENDED_LETTERS - 1 <= len(word) <= _LONGEST and word.isalpha()
        if not fits or word in right_words() or self._is_known(word):
            return None
        if _stem_of(word) in _right_stems() or self.complete(word):
            return None
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extract

        most = _MOST_EDITS if len(word) >= _LONG else 1
        near: list[tuple[str, int]] = []
        # The plural of a known word is known: an ending is no slip.
        for form in (word, word[:-1]) if word.endswith("s") and len(word) >= _LONG else (word,):
            # First letters are rarely mistyped, but they change places with the second.
            for first in dict.fromkeys(form[:2]):
                for other, edits, _ in extract(
                    form, self._bucket(first), scorer=OSA.distance, score_cutoff=most, limit=16
                ):
                    if language == "english" and not self._in_english(other):
                        continue
                    swapped = other[:2] == form[1::-1]
                    if (other[0] == form[0] or swapped) and _likely(form, other, edits):
                        near.append((other, edits))
        if not near:
            return None
        # Of equally near words the commoner one was meant, and the alphabet decides the rest.
        return min(near, key=lambda n: (n[1], -self._frequency(n[0]), n[0]))[0]

    def complete(self, word: str) -> list[str]:
        """Give the first words of the catalogue that begin with a partial word.

        Parameters
        ----------
        word : str
            Folded.

        Returns
        -------
        list of str
            At most 5; empty for a word of fewer than 4 letters.
        """
        if len(word) < _PARTIAL_LETTERS:
            return []
        first = bisect_left(self.written, word)
        nearby = self.written[first : first + _MOST_COMPLETIONS]
        return [other for other in nearby if other.startswith(word)]

    def split(self, word: str) -> tuple[str, str] | None:
        """Take apart two known words that are written as one.

        Parameters
        ----------
        word : str
            Folded and unknown.

        Returns
        -------
        (str, str) or None
            None where there are no such two.
        """
        if word.startswith(_NEGATIVE) and self._stands(word[len(_NEGATIVE) :]):
            return ("not", word[len(_NEGATIVE) :])
        places = range(_HALF_LETTERS, len(word) - _HALF_LETTERS + 1)
        halves = [(word[:at], word[at:]) for at in places]
        fitting = [h for h in halves if self._stands(h[0]) and self._stands(h[1])]
        return max(fitting, key=lambda h: (min(map(len, h)), h), default=None)

    def _in_english(self, word: str) -> bool:
        return self._is_written(word) or word not in self._french

    @cached_property
    def _french(self) -> Collection[str]:
        return self._give_french()

    def _is_written(self, word: str) -> bool:
        at = bisect_left(self.written, word)
        return list(self.written[at : at + 1]) == [word]

    def _stands(self, word: str) -> bool:
        return len(word) >= _HALF_LETTERS and self._is_written(word)


def _likely(word: str, other: str, edits: int) -> bool:
    """Tell whether one word is a likely misspelling of another.

    In a short word another consonant makes another word, as in "mailing" and "sailing".
    """
    swapped = sorted(word) == sorted(other)
    if len(word) < _MENDED_LETTERS:
        return swapped
    if len(word) >= _LONG or len(word) != len(other) or swapped:
        return True
    wrong = [(a, b) for a, b in zip(word, other, strict=True) if a != b]
    return edits == 1 and all({a, b} <= _VOWELS for a, b in wrong)
