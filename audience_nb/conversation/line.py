"""A message as the grammar reads it: folded words, numbers in digits, slips of the pen mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from audience_nb.conversation.lexicon import WORDS
from audience_nb.conversation.numbers import spelt

__all__ = ["QUOTED", "Line"]

# What stands for a quotation, whatever is in it.
QUOTED = "‹q›"
_TOKEN = re.compile(
    r"\"[^\"]*\"|“[^”]*”|«[^»]*»|(?<!\w)'[^']+'(?!\w)"
    r"|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d.,]*\d)"
    r"|\d+(?:[.,]\d+)+(?=\s?(?:%|p(?:er|our)?\s?cent|pct))|\d{1,3}(?:,\d{3})+(?!\d)|\d+\.\d+(?!\w)"
    r"|\d+(?=%|(?:pct|prct|percent)\b)|\d+(?=\s?-\s?\d)|[^\W_]+(?:[-'’._/][^\W_]+)*"
    r"|->|→|>=|<=|≥|≤|[^\w\s]"
)
# French words that lean on the next, and English that leans on the one before.
_ELISION = re.compile(r"^(l|d|j|m|t|s|n|c|qu|jusqu)['’](?=\w)", re.IGNORECASE)
_CLITIC = re.compile(
    r"-(moi|toi|nous|vous|le|la|les|lui|leur|en|y|tu|il|elle|ce|je|ci|là|la)$", re.IGNORECASE
)
_PERCENT = {"percent", "pct", "pourcent", "prct", "percents", "％"}
_MENDED_LETTERS = 5
_LONG = 9
# Longer messages are no orders to a machine.
MOST_LETTERS = 700


@dataclass(frozen=True, slots=True)
class Token:
    """A word as read, and where it stands in the message."""

    word: str
    start: int
    end: int


class Line:
    """One message, or a part of it.

    Parameters
    ----------
    text : str
        As written.
    tokens : list of Token, optional
        Its words; by default all of the text's.

    Examples
    --------
    >>> line = Line("Make  twelve groups: none above 15 percent")
    >>> line.words
    'make 12 groups : none above 15 %'
    >>> line.raw(*line.span(0, 14))
    'Make  twelve groups'
    """

    def __init__(self, text: str, tokens: list[Token] | None = None) -> None:
        self.text = text
        self.tokens = _tokens(text) if tokens is None else tokens

    def __len__(self) -> int:
        return len(self.tokens)

    def part(self, first: int, last: int) -> Line:
        """Give some of the words, `last` not included."""
        return Line(self.text, self.tokens[first:last])

    @cached_property
    def words(self) -> str:
        """The words as read, one space apart."""
        return " ".join(token.word for token in self.tokens)

    @cached_property
    def written(self) -> str:
        """What was written from the first word to the last."""
        return self.raw(0, len(self.tokens))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the first and the last but one of the tokens at two places of `words`."""
        before = self.words[:start].count(" ")
        return before, before + len(self.words[start:end].split())

    def raw(self, first: int, last: int) -> str:
        """Give what was written of some tokens, without the marks of a quotation."""
        if last <= first:
            return ""
        text = self.text[self.tokens[first].start : self.tokens[last - 1].end]
        if last == first + 1 and self.tokens[first].word == QUOTED:
            return text[1:-1].strip()
        return text

    def group(self, match: re.Match[str], name: str) -> Line | None:
        """Give what a group of a pattern over `words` matched, as a part."""
        if name not in match.re.groupindex or match[name] is None:
            return None
        first, last = self.span(match.start(name), match.end(name))
        return self.part(first, last)


def _tokens(text: str) -> list[Token]:
    plain = list(_split(text))
    read: list[Token] = []
    at = 0
    while at < len(plain):
        token = plain[at]
        ahead = [t.word for t in plain[at : at + 6]]
        if ahead[0] in ("pour", "per", "p") and ahead[1:2] in (["cent"], ["cents"]):
            read.append(Token("%", token.start, plain[at + 1].end))
            at += 2
            continue
        number = spelt(ahead)
        if number is not None:
            value, count = number
            read.append(Token(str(value), token.start, plain[at + count - 1].end))
            at += count
            continue
        read.append(token)
        at += 1
    return read


def _split(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text[:MOST_LETTERS]):
        raw, start, end = match[0], match.start(), match.end()
        if raw[0] in '"“«' or (raw[0] in "'" and len(raw) > 2):
            yield Token(QUOTED, start, end)
            continue
        if raw[0].isdigit() and _is_number(raw):
            yield Token(_digits(raw), start, end)
            continue
        while (elided := _ELISION.match(raw)) is not None:
            yield Token(_read(elided[1]) + "'", start, start + elided.end())
            raw, start = raw[elided.end() :], start + elided.end()
        tail: list[Token] = []
        while (clitic := _CLITIC.search(raw)) is not None and clitic.start():
            tail.insert(0, Token(_read(clitic[1]), start + clitic.start() + 1, start + len(raw)))
            raw = raw[: clitic.start()]
        words = raw.split("-") if "-" in raw else [raw]
        numbers = spelt([_read(w) for w in words]) if len(words) > 1 else None
        if numbers is not None and numbers[1] == len(words):
            yield Token(str(numbers[0]), start, start + len(raw))
        elif len(words) > 1 and all(_is_number(w) for w in words):
            at = start
            for i, word in enumerate(words):
                if i:
                    yield Token("-", at, at + 1)
                    at += 1
                yield Token(word, at, at + len(word))
                at += len(word)
        else:
            yield Token(_read(raw), start, start + len(raw))
        yield from tail


def _is_number(text: str) -> bool:
    return bool(text) and all(c.isdigit() or c in ".,  \u202f" for c in text) and text[-1].isdigit()


def _digits(raw: str) -> str:
    plain = re.sub(r"[\s\u00a0\u202f]", "", raw)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", plain):
        return plain.replace(",", "")
    return plain.replace(",", ".")


@cache
def _read(word: str) -> str:
    """Fold a word, and mend it where it is a slip for one that the grammar knows."""
    from audience_nb.search.lexical import fold

    folded = fold(word.replace("’", "'")) if word[:1].isalpha() else word
    if folded in _PERCENT:
        return "%"
    if folded in WORDS or not folded.isalpha() or len(folded) < _MENDED_LETTERS - 1:
        return folded
    from rapidfuzz.distance import OSA

    from audience_nb.search.spelling import right_words

    right = right_words()
    if folded in right or (folded.endswith("s") and folded[:-1] in right):
        return folded
    short = len(folded) < _MENDED_LETTERS
    most = 2 if len(folded) >= _LONG else 1
    near = [
        (edits, known)
        for known in WORDS
        if abs(len(known) - len(folded)) <= (0 if short else 1)
        and known[:1] in folded[:2]
        and (edits := OSA.distance(folded, known, score_cutoff=most)) <= most
        and (not short or sorted(known) == sorted(folded))
        and len(known) >= _MENDED_LETTERS - 1
    ]
    mended = min(near)[1] if near else folded
    return "%" if mended in _PERCENT else mended
