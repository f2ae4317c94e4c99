"""What is asked beside the words, what was understood, and what a person did to the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from audience_nb.catalog import DATA_TYPES, Catalog, DataType, Kind
from audience_nb.errors import InvalidInput
from audience_nb.variable import KINDS

if TYPE_CHECKING:
    from audience_nb.search import Suggestion

__all__ = ["Edits", "Filters", "Understanding", "checked_kinds", "options_of"]

# A view lists so many values of a filter at most.
_MOST_OPTIONS = 200


@dataclass(frozen=True)
class Filters:
    """Which variables may answer; an empty tuple lets all pass.

    Parameters
    ----------
    kinds : tuple of {"demographic", "behavioral", "psychographic", "lifestyle"}
        Only variables of one of these kinds.
    sources, categories : tuple of str
        Only variables from one of these.
    availability : tuple of {"first_party", "third_party", "clean_room"}
        Only variables that all of these data types may use.

    Examples
    --------
    >>> bool(Filters()), bool(Filters(kinds=("lifestyle",)))
    (False, True)
    """

    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    availability: tuple[DataType, ...] = ()

    def __bool__(self) -> bool:
        return any(self.to_dict().values())

    def __str__(self) -> str:
        values = [v.replace("_", " ") for v in (*self.kinds, *self.availability)]
        return ", ".join([*values, *self.sources, *self.categories])

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        kinds: Collection[str] | None = None,
        sources: Collection[str] | None = None,
        categories: Collection[str] | None = None,
        availability: Collection[str] | None = None,
    ) -> Filters:
        """Check what is to be filtered by.

        Parameters
        ----------
        catalog : Catalog
            Whose sources and categories there are.
        kinds, sources, categories, availability : collection of str, optional
            As for `Filters`; a single string counts as one value.

        Returns
        -------
        Filters

        Raises
        ------
        InvalidInput
            If no variable of the catalogue has such a value.

        Examples
        --------
        >>> catalog = Catalog.from_records([{"code": "A", "label": "Age", "source": "Survey"}])
        >>> Filters.of(catalog, kinds=["demographic"], sources="Survey").sources
        ('Survey',)
        """
        return cls(
            checked_kinds(kinds) or (),
            _checked("source", sources, catalog.column("source")),
            _checked("category", categories, catalog.column("category")),
            cast("tuple[DataType, ...]", _checked("data type", availability, DATA_TYPES)),
        )

    def to_dict(self) -> dict[str, list[str]]:
        """Give the filters as plain values.

        Returns
        -------
        dict of str to list of str
        """
        return {field.name: list(getattr(self, field.name)) for field in fields(self)}

    @property
    def given(self) -> dict[str, list[str]]:
        """Those that let not everything pass, as arguments."""
        return {name: values for name, values in self.to_dict().items() if values}


@dataclass(frozen=True)
class Understanding:
    """What a question was taken to say.

    Parameters
    ----------
    concepts : tuple of (str, str)
        A concept's name, and what it means.
    mended : tuple of (str, str)
        A word as written, and as read.
    intents : tuple of (str, str)
        A kind of variable that is meant, and because of what.
    note : str
        What was done to the text before it was searched, or "".
    by_words : bool
        Whether the answer went by words only, as meanings were still being learnt.

    Examples
    --------
    >>> Understanding(mended=(("enviroment", "environment"),)).to_dict()["mended"]
    [{'written': 'enviroment', 'read': 'environment'}]
    """

    concepts: tuple[tuple[str, str], ...] = ()
    mended: tuple[tuple[str, str], ...] = ()
    intents: tuple[tuple[str, str], ...] = ()
    note: str = ""
    by_words: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
        """
        return {
            "concepts": [{"name": name, "meaning": meaning} for name, meaning in self.concepts],
            "mended": [{"written": written, "read": read} for written, read in self.mended],
            "intents": [{"kind": kind, "because": because} for kind, because in self.intents],
            "note": self.note,
            "by_words": self.by_words,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Understanding:
        """Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping
            Plain values.

        Returns
        -------
        Understanding
        """
        return cls(
            tuple((c["name"], c["meaning"]) for c in values["concepts"]),
            tuple((m["written"], m["read"]) for m in values["mended"]),
            tuple((i["kind"], i["because"]) for i in values["intents"]),
            values["note"],
            values["by_words"],
        )


@dataclass(frozen=True)
class Edits:
    """What was done by hand to an answer; asking again in the same words keeps it.

    Parameters
    ----------
    variants : tuple of str
        Codes chosen in place of the variants that the search prefers.
    added, dropped, unticked : tuple of str
        Codes brought in by a refinement, taken out by one, and left in but not wanted.
    excluded : tuple of str
        Topics that a refinement took out: nothing about them comes in again.

    Examples
    --------
    >>> Edits(dropped=("A", "B")).without("B").dropped
    ('A',)
    """

    variants: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    unticked: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, list[str]]:
        """Give them as plain values.

        Returns
        -------
        dict of str to list of str
        """
        return {name: list(codes) for name, codes in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Edits:
        """Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping
            Field name to codes.

        Returns
        -------
        Edits
        """
        return cls(**{field.name: tuple(values[field.name]) for field in fields(cls)})

    def without(self, *codes: str) -> Edits:
        """Forget what was done to some variables.

        Parameters
        ----------
        *codes : str
            Of the catalogue.

        Returns
        -------
        Edits
        """
        return Edits(
            **{
                name: tuple(code for code in kept if code not in codes)
                for name, kept in asdict(self).items()
            }
        )

    def applied(
        self, found: Collection[Suggestion], before: Collection[Suggestion], limit: int
    ) -> list[tuple[Suggestion, str]]:
        """Do to a new answer what was done to the one before.

        Parameters
        ----------
        found : collection of Suggestion
            The new answer, best first.
        before : collection of Suggestion
            The one before, which holds what was added.
        limit : int
            At most so many of `found`.

        Returns
        -------
        list of (Suggestion, str)
            Each with the code of the variant to show.
        """
        gone = set(self.dropped)
        kept = [s for s in found if not gone & {s.variable.code, *s.variants}][:limit]
        chosen = [
            (s, next((c for c in self.variants if c in s.variants), s.variable.code)) for s in kept
        ]
        have = {code for _, code in chosen}
        added = [s for s in before if s.variable.code in self.added]
        return [*chosen, *((s, s.variable.code) for s in added if s.variable.code not in have)]


def checked_kinds(kinds: Collection[str] | None) -> tuple[Kind, ...] | None:
    """Check kinds of variables.

    Parameters
    ----------
    kinds : collection of str or None
        A single string counts as one.

    Returns
    -------
    tuple of str or None
        Each once; None for None.

    Raises
    ------
    InvalidInput
        If there is no such kind.

    Examples
    --------
    >>> checked_kinds("lifestyle"), checked_kinds([]), checked_kinds(None)
    (('lifestyle',), (), None)
    """
    return None if kinds is None else cast("tuple[Kind, ...]", _checked("kind", kinds, KINDS))


def options_of(catalog: Catalog) -> dict[str, list[str]]:
    """List what a catalogue can be filtered by, the most frequent values first.

    Parameters
    ----------
    catalog : Catalog
        Any.

    Returns
    -------
    dict of str to list of str
        "kinds", "sources", "categories", "availability"; at most 200 of each.

    Examples
    --------
    >>> options_of(Catalog.from_records([{"code": "A", "label": "Age"}]))["kinds"]
    ['demographic']
    """
    options = {
        name: [value for value, _ in Counter(catalog.column(field)).most_common() if value]
        for name, field in (("kinds", "kind"), ("sources", "source"), ("categories", "category"))
    }
    lists = {value for cell in set(catalog.column("availability")) for value in cell.split("|")}
    options["availability"] = [value for value in DATA_TYPES if value in lists]
    return {name: values[:_MOST_OPTIONS] for name, values in options.items()}


def _checked(name: str, values: Collection[str] | None, there: Collection[str]) -> tuple[str, ...]:
    listed = tuple(dict.fromkeys([values] if isinstance(values, str) else values or ()))
    known = set(there) if listed else set()
    unknown = [value for value in listed if value not in known]
    if unknown:
        some = ", ".join(sorted(value for value in known if value)[:8])
        raise InvalidInput(
            f"No variable has the {name} {str(unknown[0])[:60]!r}.", f"Use one of: {some}."
        )
    return listed
