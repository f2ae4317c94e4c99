"""Actions as JSON: their schema, and the way there and back."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, cast, get_args

from audience_nb.conversation.actions import ACTIONS, Action, Clarify, Missing, name_of
from audience_nb.errors import InvalidInput
from audience_nb.variable import DATA_TYPES, KINDS

__all__ = ["MOST_ACTIONS", "action_schema", "from_dict", "from_list", "message_schema", "to_dict"]

# Control characters, those that turn the direction of writing, halves of pairs, line ends.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
# More than anybody says at once.
MOST_ACTIONS = 12
_MOST_LISTED = 50
_MOST_SEGMENTS = 1000
_MOST_LETTERS = {"text": 500, "topic": 120, "name": 80, "code": 200, "value": 200, "verb": 20}


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _texts(most: int) -> dict[str, Any]:
    return {"type": "array", "items": _text(most), "maxItems": _MOST_LISTED}


def _among(*values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


def _list_of(values: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "array", "items": _among(*values), "maxItems": len(values)}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SIZE = _whole(1, 1_000_000_000)
_SEGMENT = _whole(1, _MOST_SEGMENTS)
# (action, field) or field -> schema of its value.
_FIELDS: dict[tuple[str, str] | str, dict[str, Any]] = {
    "text": _text(_MOST_LETTERS["text"]),
    "topic": _text(_MOST_LETTERS["topic"]),
    "topics": _texts(_MOST_LETTERS["topic"]),
    "codes": _texts(_MOST_LETTERS["code"]),
    ("filter", "mode"): _among("only", "without", "off"),
    ("pick", "mode"): _among("only", "add", "drop"),
    "kinds": _list_of(KINDS),
    "sources": _texts(_MOST_LETTERS["code"]),
    "categories": _texts(_MOST_LETTERS["code"]),
    "availability": _list_of(DATA_TYPES),
    "count": _whole(1, 1000),
    "change": _among("more", "fewer"),
    "data_type": _among(*DATA_TYPES),
    "subtype": _text(40),
    "n_segments": {"anyOf": [_SEGMENT, {"const": "auto", "type": "string"}]},
    "min_share": _SHARE,
    "max_share": _SHARE,
    "min_size": _SIZE,
    "max_size": _SIZE,
    "segment": _SEGMENT,
    "segments": {"type": "array", "items": _SEGMENT, "maxItems": _MOST_SEGMENTS},
    "name": _text(_MOST_LETTERS["name"]),
    "code": _text(_MOST_LETTERS["code"]),
    "steps": _whole(1, 100),
    "missing": _among(*get_args(Missing)),
    "verb": _text(_MOST_LETTERS["verb"]),
    "value": _text(_MOST_LETTERS["value"]),
}


def to_dict(action: Action) -> dict[str, Any]:
    """Give an action as plain values, without those that are as by default.

    Parameters
    ----------
    action : Action
        Any.

    Returns
    -------
    dict
        "action" is its name.

    Examples
    --------
    >>> from audience_nb.conversation.actions import Bound
    >>> to_dict(Bound(8, max_share=0.15))
    {'action': 'bound', 'n_segments': 8, 'max_share': 0.15}
    """
    values: dict[str, Any] = {"action": name_of(action)}
    for field in fields(action):
        value = getattr(action, field.name)
        if field.default is MISSING or value != field.default:
            values[field.name] = list(value) if isinstance(value, tuple) else value
    return values


def from_dict(values: Any) -> Action:
    """Read an action, and refuse what is none.

    Parameters
    ----------
    values : mapping
        "action" and its fields; absent ones and None are as by default.

    Returns
    -------
    Action

    Raises
    ------
    InvalidInput
        If there is no such action or field, or a value is not of its sort.

    Examples
    --------
    >>> from_dict({"action": "drop", "topic": "income"})
    Drop(topic='income', codes=())
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("action"), str):
        raise InvalidInput("This is no action.", 'Give an object with "action" and its fields.')
    name = values["action"]
    if name not in ACTIONS:
        raise InvalidInput(
            f"There is no action {name[:40]!r}.", f"Use one of: {', '.join(ACTIONS)}."
        )
    kind = ACTIONS[name]
    known = {field.name: field for field in fields(kind)}
    given = {}
    for key, value in values.items():
        if key == "action":
            continue
        if key not in known:
            raise InvalidInput(f"{name} has no field {str(key)[:40]!r}.", "Leave it out.")
        if value is None and known[key].default is not MISSING:
            continue
        if not _fits(value, _schema_of(name, key)):
            raise InvalidInput(f"{key!r} of {name} is out of range.", "Give another value.")
        given[key] = tuple(value) if isinstance(value, list) else value
    absent = [key for key, f in known.items() if f.default is MISSING and key not in given]
    if absent:
        raise InvalidInput(f"{name} lacks {absent[0]!r}.", "Give it.")
    return cast(Callable[..., Action], kind)(**given)


def from_list(values: Any) -> list[Action]:
    """Read the actions of one message.

    Parameters
    ----------
    values : mapping
        `{"actions": [...]}`.

    Returns
    -------
    list of Action
        1 to 12.

    Raises
    ------
    InvalidInput
        If there are none or too many, or one of them is not an action.

    Examples
    --------
    >>> from_list({"actions": [{"action": "undo", "steps": 2}]})
    [Undo(steps=2)]
    """
    rows = values.get("actions") if isinstance(values, Mapping) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ACTIONS or len(values) != 1:
        raise InvalidInput(
            "This is no list of actions.", f'Give {{"actions": [...]}} with 1 to {MOST_ACTIONS}.'
        )
    return [from_dict(row) for row in rows]


def action_schema(name: str) -> dict[str, Any]:
    """Give the JSON Schema of one action, in the strict form that language models take.

    Parameters
    ----------
    name : str
        Of an action.

    Returns
    -------
    dict
        Every field is required; those with a default may be null. Nothing else may be there.

    Examples
    --------
    >>> action_schema("undo")["properties"]["action"]
    {'type': 'string', 'enum': ['undo']}
    """
    properties: dict[str, Any] = {"action": _among(name)}
    for field in fields(ACTIONS[name]):
        schema = _schema_of(name, field.name)
        if field.default is not MISSING:
            schema = {"anyOf": [schema, {"type": "null"}]}
        properties[field.name] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def message_schema() -> dict[str, Any]:
    """Give the JSON Schema of what a message is read as.

    Returns
    -------
    dict
        Of `{"actions": [...]}`, strict.

    Examples
    --------
    >>> sorted(message_schema()["properties"])
    ['actions']
    """
    asked_back = name_of(Clarify)
    return {
        "type": "object",
        "properties": {
            "actions": {
                "type": "array",
                "items": {"anyOf": [action_schema(n) for n in ACTIONS if n != asked_back]},
                "minItems": 1,
                "maxItems": MOST_ACTIONS,
            }
        },
        "required": ["actions"],
        "additionalProperties": False,
    }


def _schema_of(action: str, field: str) -> dict[str, Any]:
    return _FIELDS.get((action, field)) or _FIELDS[field]


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Check a value against the few parts of JSON Schema that are used here."""
    if "anyOf" in schema:
        return any(_fits(value, option) for option in schema["anyOf"])
    if "const" in schema:
        return bool(value == schema["const"]) and isinstance(value, str)
    kind = schema["type"]
    if kind == "string":
        return (
            isinstance(value, str)
            and len(value) <= schema.get("maxLength", len(value))
            and value in schema.get("enum", (value,))
            and not any(unicodedata.category(c) in _UNSEEN for c in value)
        )
    if kind == "array":
        return (
            isinstance(value, list | tuple)
            and len(value) <= schema["maxItems"]
            and all(_fits(item, schema["items"]) for item in value)
        )
    if isinstance(value, bool) or not isinstance(value, int if kind == "integer" else int | float):
        return False
    return bool(schema["minimum"] <= value <= schema["maximum"])
