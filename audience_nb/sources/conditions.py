"""Which records are wanted: a column, an operator and a value, checked and bound, never text."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from audience_nb.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["Condition", "Operator", "ValueKind", "checked", "compiled", "mask_of"]

Operator: TypeAlias = Literal[
    "=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is missing"
]
ValueKind: TypeAlias = Literal["number", "text", "boolean", "date"]

# Databases take at least so many bound values in one statement (SQLite before 3.32: 999 less).
MOST_VALUES = 10_000
_ORDERING = ("<", "<=", ">", ">=", "between")


@dataclass(frozen=True)
class Condition:
    """One condition on one column. A missing value meets none but "is missing".

    Parameters
    ----------
    column : str
        A column of the source.
    operator : str
        "=", "!=", "<", "<=", ">", ">=", "in", "not in", "between" (both ends included) or
        "is missing".
    value : number, str, bool, date or sequence of these
        What to compare with: a sequence for "in" and "not in", a pair for "between"; for "is
        missing" True, or False for what is there. Not shown in the representation, for it may
        name a person.

    Examples
    --------
    >>> Condition("age", "between", (20, 40))
    Condition(column='age', operator='between')
    """

    column: str
    operator: Operator
    value: Any = field(default=True, repr=False)


def checked(conditions: Sequence[Condition], kinds: Mapping[str, ValueKind]) -> list[Condition]:
    """Check conditions against a source's columns and the kinds of their values.

    Parameters
    ----------
    conditions : sequence of Condition
        All have to hold.
    kinds : mapping of str to {"number", "text", "boolean", "date"}
        The source's columns.

    Returns
    -------
    list of Condition
        With plain values: float or int, str, bool, `datetime` without time zone, or tuples of
        these.

    Raises
    ------
    NotFound
        If a column is unknown.
    InvalidInput
        If an operator is unknown, or a value does not suit it or the column.

    Examples
    --------
    >>> checked([Condition("born", ">", "2001-02-03")], {"born": "date"})[0].value
    datetime.datetime(2001, 2, 3, 0, 0)
    """
    return [_checked(condition, kinds) for condition in conditions]


def _checked(condition: Condition, kinds: Mapping[str, ValueKind]) -> Condition:
    if not isinstance(condition, Condition):
        raise InvalidInput(
            f"A {type(condition).__name__} is no condition.",
            'Give Condition(column, operator, value), such as Condition("age", ">=", 18).',
        )
    column, operator, value = condition.column, condition.operator, condition.value
    if column not in kinds:
        raise NotFound(
            f"None of the {len(kinds):,} columns is called {column!r}.",
            "Name a column of the source in the condition.",
        )
    if operator not in get_args(Operator):
        raise InvalidInput(
            f"There is no operator {operator!r}.", f"Use one of {', '.join(get_args(Operator))}."
        )
    kind = kinds[column]
    if operator in _ORDERING and kind in ("text", "boolean"):
        raise InvalidInput(
            f"{operator!r} puts values in order, column {column!r} holds {kind}.",
            'Use "=" or "in"; only numbers and dates have an order that is the same everywhere.',
        )
    if operator == "is missing":
        if not isinstance(value, bool):
            raise InvalidInput('"is missing" takes True or False.', "Leave the value out.")
        return condition
    if operator in ("in", "not in", "between"):
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise InvalidInput(
                f"{operator!r} takes several values, one was given.", "Give a list of values."
            )
        values = tuple(_plain(column, kind, v) for v in value)
        if operator == "between" and len(values) != 2:
            raise InvalidInput(
                f"{operator!r} takes 2 values, {len(values):,} were given.",
                "Give the lower and the upper end.",
            )
        if not 0 < len(values) <= MOST_VALUES:
            raise InvalidInput(
                f"{len(values):,} values were given for {operator!r}, between 1 and "
                f"{MOST_VALUES:,} can be used.",
                "Give fewer, or join with a source that holds the wanted records.",
            )
        return Condition(column, operator, values)
    return Condition(column, operator, _plain(column, kind, value))


def _plain(column: str, kind: ValueKind, value: Any) -> Any:
    """Give a value as a plain one of its kind."""
    if hasattr(value, "item") and not isinstance(value, dt.date):
        value = value.item()
    if kind == "number" and isinstance(value, Real) and not isinstance(value, bool):
        number = int(value) if isinstance(value, int) else float(value)
        if math.isfinite(number) and abs(number) < 2**63:
            return number
    elif kind == "boolean" and isinstance(value, bool):
        return value
    elif kind == "text" and isinstance(value, str):
        if "\0" in value:
            raise InvalidInput(
                f"The value for column {column!r} holds a NUL character.", "Take it out."
            )
        return value
    elif kind == "date":
        moment = _moment(value)
        if moment is not None:
            return moment
    raise InvalidInput(
        f"Column {column!r} holds {kind}, the condition gives a {type(value).__name__} that is "
        "none.",
        f"Give a {'date such as 2024-01-31' if kind == 'date' else kind}.",
    )


def _moment(value: Any) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    if not isinstance(value, dt.datetime):
        return None
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


def compiled(
    conditions: Sequence[Condition], expressions: Mapping[str, str]
) -> tuple[str, list[Any]]:
    """Write checked conditions as SQL with a question mark for each value.

    Parameters
    ----------
    conditions : sequence of Condition
        As `checked` gave them.
    expressions : mapping of str to str
        SQL of each column, quoted.

    Returns
    -------
    sql : str
        Conditions joined by AND; "TRUE" if there are none.
    values : list
        To be bound, in order.

    Examples
    --------
    >>> compiled([Condition("a", "in", (1, 2))], {"a": '"a"'})
    ('"a" IN (?, ?)', [1, 2])
    """
    parts: list[str] = []
    values: list[Any] = []
    for condition in conditions:
        column, operator, value = expressions[condition.column], condition.operator, condition.value
        if operator == "is missing":
            parts.append(f"{column} IS {'' if value else 'NOT '}NULL")
        elif operator == "between":
            parts.append(f"{column} BETWEEN ? AND ?")
            values += value
        elif operator in ("in", "not in"):
            marks = ", ".join("?" * len(value))
            parts.append(f"{column} {operator.upper()} ({marks})")
            values += value
        else:
            parts.append(f"{column} {'<>' if operator == '!=' else operator} ?")
            values.append(value)
    return " AND ".join(parts) or "TRUE", values


def mask_of(
    conditions: Sequence[Condition], columns: Mapping[str, pd.Series[Any]], n_records: int
) -> npt.NDArray[np.bool_]:
    """Tell which records of a table in memory meet checked conditions.

    Parameters
    ----------
    conditions : sequence of Condition
        As `checked` gave them.
    columns : mapping of str to pandas.Series of length n_records
        At least the columns the conditions name.
    n_records : int
        Length of the answer.

    Returns
    -------
    ndarray of shape (n_records,), bool

    Examples
    --------
    >>> import pandas as pd
    >>> mask_of([Condition("a", "!=", 1)], {"a": pd.Series([1, 2, None])}, 3).tolist()
    [False, True, False]
    """
    import numpy as np

    keep = np.ones(n_records, dtype=bool)
    for condition in conditions:
        column = columns[condition.column]
        there = column.notna().to_numpy()
        if condition.operator == "is missing":
            keep &= ~there if condition.value else there
            continue
        held = np.zeros(n_records, dtype=bool)
        present = column[there]
        if isinstance(condition.value, dt.datetime) or (
            isinstance(condition.value, tuple) and isinstance(condition.value[0], dt.datetime)
        ):
            present = _dates(present)
        elif hasattr(present, "cat"):
            present = present.astype(object)
        held[there] = np.asarray(_compare(present, condition), dtype=bool)
        keep &= held
    return keep


def _dates(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    dates: pd.Series[Any] = pd.to_datetime(column)
    return dates if dates.dt.tz is None else dates.dt.tz_convert("UTC").dt.tz_localize(None)


def _compare(column: pd.Series[Any], condition: Condition) -> Any:
    value = condition.value
    match condition.operator:
        case "=":
            return column == value
        case "!=":
            return column != value
        case "<":
            return column < value
        case "<=":
            return column <= value
        case ">":
            return column > value
        case ">=":
            return column >= value
        case "between":
            return (column >= value[0]) & (column <= value[1])
        case "in":
            return column.isin(value)
        case _:
            return ~column.isin(value)
