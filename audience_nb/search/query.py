"""What is asked for, and what is answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from audience_nb.catalog import DataType, Kind, Variable
from audience_nb.errors import InvalidInput

__all__ = ["MAX_QUERY", "Query", "Suggestion"]

# Longer texts are cut: nobody describes an audience in a novel.
MAX_QUERY = 500


@dataclass(frozen=True)
class Query:
    r"""What is searched for.

    Parameters
    ----------
    text : str
        As it is searched: without surplus space, at most 500 characters.
    limit : int
        At most so many suggestions.
    kinds, sources, categories : tuple of str
        Only variables of these; empty for all.
    data_type : {"first_party", "third_party", "clean_room"} or None
        Only variables that this data type may use.
    note : str
        What was done to the text, or "".

    Examples
    --------
    >>> Query.of("  high \n income ").text
    'high income'
    """

    text: str
    limit: int = 15
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    data_type: DataType | None = None
    note: str = ""

    @classmethod
    def of(
        cls,
        text: str,
        limit: int = 15,
        *,
        kinds: Collection[Kind] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        data_type: DataType | None = None,
    ) -> Query:
        """Check and clean what a person typed.

        Parameters
        ----------
        text : str
            Anything; longer text is cut at a word and says so in `note`.
        limit : int, optional
            At least 1.
        kinds, sources, categories : collection of str, optional
            Filters; a single string counts as one value.
        data_type : {"first_party", "third_party", "clean_room"}, optional
            Filter.

        Returns
        -------
        Query

        Raises
        ------
        InvalidInput
            If the text has no letter or digit, or the limit is below 1.
        """
        if not isinstance(text, str):
            raise InvalidInput(f"The query is a {type(text).__name__}.", "Give it as text.")
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InvalidInput(f"The limit is {limit!r}.", "Ask for at least 1 suggestion.")
        # Look only at as much of a paste as can matter.
        head = text[: 8 * MAX_QUERY].replace("\0", " ")
        # Half of a character pair cannot be encoded by anybody.
        cleaned = " ".join(head.encode("utf-8", "replace").decode().split())
        note = ""
        if len(cleaned) > MAX_QUERY or len(text) > 8 * MAX_QUERY:
            cleaned = cleaned[:MAX_QUERY].rsplit(" ", 1)[0]
            note = f"Only the first {len(cleaned)} of {len(text):,} characters were searched."
        if not cleaned:
            raise InvalidInput(
                "The query is empty.",
                "Describe the audience, such as “families who cycle and buy organic food”.",
            )
        return cls(
            cleaned,
            limit,
            _tuple(kinds),  # type: ignore[arg-type]
            _tuple(sources),
            _tuple(categories),
            data_type,
            note,
        )


def _tuple(values: Collection[str] | None) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values or ())


@dataclass(frozen=True)
class Suggestion:
    """A variable that fits a query.

    Parameters
    ----------
    variable : Variable
        What was found.
    score : float
        In [0, 1]; 1 is the variable's own label or code.
    rank : int
        From 1.
    parts : dict of str to float
        "meaning", "words", "concepts", "spelling": they add up to the score.
    why : str
        The words, concepts and meaning that earned it.
    """

    variable: Variable
    score: float
    rank: int
    parts: dict[str, float]
    why: str
