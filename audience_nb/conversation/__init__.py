"""A message to typed actions on a session: a grammar that works offline, or a language model.

>>> parse("drop income, add cycling")
[Drop(topic='income', codes=()), Add(topic='cycling', codes=())]
"""

from audience_nb.conversation.actions import (
    ACTIONS,
    Action,
    Add,
    Ask,
    Bound,
    Build,
    Choose,
    Clarify,
    Compare,
    Drop,
    Explain,
    Export,
    Filter,
    Help,
    Keep,
    Limit,
    Nothing,
    Pick,
    Redo,
    Rename,
    StartOver,
    Undo,
)
from audience_nb.conversation.context import Context, Listed
from audience_nb.conversation.form import from_dict, from_list, message_schema, to_dict
from audience_nb.conversation.grammar import parse
from audience_nb.conversation.text import plain_text

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
    "Context",
    "Drop",
    "Explain",
    "Export",
    "Filter",
    "Help",
    "Keep",
    "Limit",
    "Listed",
    "Nothing",
    "Pick",
    "Redo",
    "Rename",
    "StartOver",
    "Undo",
    "from_dict",
    "from_list",
    "message_schema",
    "parse",
    "plain_text",
    "to_dict",
]
