"""Which decisions make two cuts, or two audiences, the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["audience_digest", "workflow_digest"]

_CUT = (
    "catalogue",
    "random_state",
    "data_type",
    "subtype",
    "minimum_count",
    "query",
    "confirmed",
    "allowed_sensitive",
    "n_segments",
    "min_share",
    "max_share",
    "min_size",
    "max_size",
    "updates",
)
_CHOICE = (*_CUT, "picked", "names", "descriptions", "audience_name", "insights")


def workflow_digest(source: str, decisions: Mapping[str, Any]) -> str:
    """Give a digest that is the same exactly for decisions that cut the same segments.

    Parameters
    ----------
    source : str
        Name of the source of records.
    decisions : mapping
        As `Session.to_json` gave them.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> workflow_digest("demo", {"picked": []}) == workflow_digest("demo", {"picked": [1]})
    True
    """
    return _digest(source, decisions, _CUT)


def audience_digest(source: str, decisions: Mapping[str, Any]) -> str:
    """Give a digest that is the same exactly for decisions that lead to the same audience.

    Parameters
    ----------
    source : str
        Name of the source of records.
    decisions : mapping
        As `Session.to_json` gave them.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> audience_digest("demo", {"picked": []}) == audience_digest("demo", {"picked": [1]})
    False
    """
    return _digest(source, decisions, _CHOICE)


def _digest(source: str, decisions: Mapping[str, Any], names: tuple[str, ...]) -> str:
    chosen = {"source": source, **{name: decisions.get(name) for name in names}}
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
