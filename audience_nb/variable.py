"""One thing that can be known of a record."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

__all__ = [
    "DATA_TYPES",
    "FIELDS",
    "KINDS",
    "VALUE_TYPES",
    "DataType",
    "Kind",
    "ValueType",
    "Variable",
]

Kind = Literal["demographic", "behavioral", "psychographic", "lifestyle"]
DataType = Literal["first_party", "third_party", "clean_room"]
ValueType = Literal["numeric", "ordinal", "nominal", "boolean", "date", "text"]

KINDS: tuple[Kind, ...] = get_args(Kind)
DATA_TYPES: tuple[DataType, ...] = get_args(DataType)
VALUE_TYPES: tuple[ValueType, ...] = get_args(ValueType)


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that can be known of a record.

    Parameters
    ----------
    code : str
        Name for machines, unique in its catalogue.
    label : str
        Short name for people, unique in its catalogue.
    kind : {"demographic", "behavioral", "psychographic", "lifestyle"}
        What sort of trait it is.
    description : str
        One sentence, or "".
    category, subcategory : str
        Where it stands in the catalogue; a subcategory is a topic.
    measure : str
        The text shared by all variants of one question: the label without its period, unit
        or answer band. Equal to `label` where there are no variants.
    value_type : {"numeric", "ordinal", "nominal", "boolean", "date", "text"}
        How its values are to be read.
    values : tuple of str
        The possible values, in order, where they are few; "1=Yes" where 1 stands for yes.
    value_range : tuple of float, optional
        Smallest and largest possible value, in `unit`.
    unit, update_frequency, source : str
        As the provider states them.
    availability : tuple of {"first_party", "third_party", "clean_room"}
        The data types in which it may be used.
    keywords : tuple of str
        Further words that should find it.
    missing : tuple of str
        Values that stand for no answer, such as "-9" or "Refused"; they are read as missing.

    Examples
    --------
    >>> Variable("AGE", "Age of the person", unit="years").measure
    'Age of the person'
    """

    code: str
    label: str
    kind: Kind = "demographic"
    description: str = ""
    category: str = ""
    subcategory: str = ""
    measure: str = ""
    value_type: ValueType = "numeric"
    values: tuple[str, ...] = ()
    value_range: tuple[float, float] | None = None
    unit: str = ""
    update_frequency: str = ""
    source: str = ""
    availability: tuple[DataType, ...] = DATA_TYPES
    keywords: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.measure:
            object.__setattr__(self, "measure", self.label)

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as plain values, lists for tuples.

        Returns
        -------
        dict

        Examples
        --------
        >>> Variable("AGE", "Age").to_dict()["availability"]
        ['first_party', 'third_party', 'clean_room']
        """
        record = {name: getattr(self, name) for name in FIELDS}
        if self.missing:
            record["missing"] = self.missing
        return {k: list(v) if isinstance(v, tuple) else v for k, v in record.items()}


# Those of every catalogue; "missing" stands only in catalogues of data that has such values.
FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Variable) if f.name != "missing")
