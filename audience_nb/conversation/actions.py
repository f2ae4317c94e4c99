"""What a message can ask for: typed actions on a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from audience_nb.variable import DataType, Kind

__all__ = [
    "ACTIONS",
    "Action",
    "Add",
    "Ask",
    "Bound",
    "Build",
    "Choose",
    "Clarify",
    "Compare",
    "Drop",
    "Explain",
    "Export",
    "Filter",
    "Help",
    "Keep",
    "Limit",
    "Missing",
    "Nothing",
    "Pick",
    "Redo",
    "Rename",
    "StartOver",
    "Undo",
    "name_of",
]

Missing = Literal["topic", "segment", "segments", "name", "number", "unit", "suggestion", "consent"]


@dataclass(frozen=True, slots=True)
class Ask:
    """Search the catalogue anew.

    Parameters
    ----------
    text : str
        The audience in a person's own words.

    Examples
    --------
    >>> Ask("people who cycle").text
    'people who cycle'
    """

    text: str


@dataclass(frozen=True, slots=True)
class Add:
    """Bring variables into the suggestions.

    Parameters
    ----------
    topic : str
        What they are about, or a label or code; "" where `codes` name them.
    codes : tuple of str
        Codes of the catalogue.

    Examples
    --------
    >>> Add("cycling")
    Add(topic='cycling', codes=())
    """

    topic: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """Take variables out of the suggestions, and keep their topic out.

    Parameters
    ----------
    topic, codes
        As for `Add`.

    Examples
    --------
    >>> Drop(codes=("INC",)).topic
    ''
    """

    topic: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep only the suggestions about some topics.

    Parameters
    ----------
    topics : tuple of str
        Any of them may fit.

    Examples
    --------
    >>> Keep(("income", "age")).topics
    ('income', 'age')
    """

    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Say which variables may answer, and answer again.

    Parameters
    ----------
    mode : {"only", "without", "off"}
        Let only these pass, all but these, or all.
    kinds : tuple of {"demographic", "behavioral", "psychographic", "lifestyle"}
        Kinds of variables.
    sources, categories : tuple of str
        As the catalogue names them.
    availability : tuple of {"first_party", "third_party", "clean_room"}
        Data types that may use the variable.

    Examples
    --------
    >>> Filter(kinds=("lifestyle",)).mode
    'only'
    """

    mode: Literal["only", "without", "off"] = "only"
    kinds: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    availability: tuple[DataType, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """Set how many suggestions there are.

    Parameters
    ----------
    count : int, optional
        So many.
    change : {"more", "fewer"}, optional
        With `count`, so many more or fewer; without, some.

    Examples
    --------
    >>> Limit(change="more")
    Limit(count=None, change='more')
    """

    count: int | None = None
    change: Literal["more", "fewer"] | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """Choose the data type.

    Parameters
    ----------
    data_type : {"first_party", "third_party", "clean_room"}
        Whose data it is.
    subtype : str, optional
        Kind of identifier.

    Examples
    --------
    >>> Choose("clean_room").subtype is None
    True
    """

    data_type: DataType
    subtype: str | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """Set the number of segments, or the size of the smallest and the largest.

    Parameters
    ----------
    n_segments : int or "auto", optional
        How many.
    min_share, max_share : float, optional
        Sizes as fractions of the records.
    min_size, max_size : int, optional
        Sizes in records.

    Examples
    --------
    >>> Bound(8, max_share=0.15).n_segments
    8
    """

    n_segments: int | Literal["auto"] | None = None
    min_share: float | None = None
    max_share: float | None = None
    min_size: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """Form segments from the selected variables now.

    Examples
    --------
    >>> Build()
    Build()
    """


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a segment a name.

    Parameters
    ----------
    segment : int
        Its id.
    name : str
        The new name.

    Examples
    --------
    >>> Rename(2, "Commuters").segment
    2
    """

    segment: int
    name: str


@dataclass(frozen=True, slots=True)
class Pick:
    """Choose the segments that make the audience.

    Parameters
    ----------
    segments : tuple of int
        Ids; none for all.
    mode : {"only", "add", "drop"}
        Exactly these, these too, or all picked but these.
    name : str
        Of the audience; "" to leave it.

    Examples
    --------
    >>> Pick((2, 5), name="Green commuters").mode
    'only'
    """

    segments: tuple[int, ...]
    mode: Literal["only", "add", "drop"] = "only"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Compare:
    """Set two segments side by side.

    Parameters
    ----------
    segments : tuple of int
        Two ids.

    Examples
    --------
    >>> Compare((2, 5)).segments
    (2, 5)
    """

    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explain:
    """Say why a variable was suggested, or what a segment is.

    Parameters
    ----------
    code : str
        Of a suggestion; "" for none.
    segment : int, optional
        Id of a segment. Without both, the whole answer is explained.

    Examples
    --------
    >>> Explain(segment=3).code
    ''
    """

    code: str = ""
    segment: int | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Write the audience to a file.

    Parameters
    ----------
    name : str
        A file name, never a path; "" for one from the question.

    Examples
    --------
    >>> Export("spring.csv").name
    'spring.csv'
    """

    name: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take changes back.

    Parameters
    ----------
    steps : int
        How many.

    Examples
    --------
    >>> Undo().steps
    1
    """

    steps: int = 1


@dataclass(frozen=True, slots=True)
class Redo:
    """Do again what was taken back.

    Parameters
    ----------
    steps : int
        How many changes.

    Examples
    --------
    >>> Redo(2).steps
    2
    """

    steps: int = 1


@dataclass(frozen=True, slots=True)
class StartOver:
    """Forget the question, the edits and the segments; the data stay.

    Examples
    --------
    >>> StartOver()
    StartOver()
    """


@dataclass(frozen=True, slots=True)
class Help:
    """Say what can be said.

    Examples
    --------
    >>> Help()
    Help()
    """


@dataclass(frozen=True, slots=True)
class Nothing:
    """Leave everything as it is: thanks, a greeting, "don't export yet".

    Examples
    --------
    >>> Nothing()
    Nothing()
    """


@dataclass(frozen=True, slots=True)
class Clarify:
    """Ask back for what a message leaves open.

    Parameters
    ----------
    missing : str
        What is open: "topic", "segment", "segments", "name", "number", "unit", "suggestion", or
        "consent" to something that the message does not ask for.
    verb : str
        What was to be done, such as "rename".
    value : str
        What was said of it.

    Examples
    --------
    >>> Clarify("segment", "rename").value
    ''
    """

    missing: Missing
    verb: str = ""
    value: str = ""


Action: TypeAlias = (
    Ask
    | Add
    | Drop
    | Keep
    | Filter
    | Limit
    | Choose
    | Bound
    | Build
    | Rename
    | Pick
    | Compare
    | Explain
    | Export
    | Undo
    | Redo
    | StartOver
    | Help
    | Nothing
    | Clarify
)


def name_of(action: type | Action) -> str:
    """Give the name of an action in JSON.

    Parameters
    ----------
    action : type or Action
        One of `Action`.

    Returns
    -------
    str

    Examples
    --------
    >>> name_of(StartOver()), name_of(Add)
    ('start_over', 'add')
    """
    name = (action if isinstance(action, type) else type(action)).__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


# Name -> type, in the order in which the grammar's documentation lists them.
ACTIONS: dict[str, type[Action]] = {name_of(t): t for t in get_args(Action)}
