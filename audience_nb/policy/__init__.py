"""What may be done with data: by its type, with whose consent, about how many people at least."""

from __future__ import annotations

from audience_nb.policy.datatypes import DATA_TYPES, DataTypeRule, require_allowed, rule_of
from audience_nb.policy.subtypes import Operation, Subtype, check_identifier, check_values

__all__ = [
    "DATA_TYPES",
    "DataTypeRule",
    "Operation",
    "Subtype",
    "check_identifier",
    "check_values",
    "require_allowed",
    "rule_of",
]
