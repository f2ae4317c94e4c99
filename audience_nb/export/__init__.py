"""An audience as a file: CSV, Parquet or JSON, whole, readable, harmless in a spreadsheet."""

from __future__ import annotations

from audience_nb.export.atomic import sweep, write_atomically, writing
from audience_nb.export.audience import Audience
from audience_nb.export.delimited import guarded
from audience_nb.export.hashes import are_plain, hash_identifiers, pseudonym

__all__ = [
    "Audience",
    "are_plain",
    "guarded",
    "hash_identifiers",
    "pseudonym",
    "sweep",
    "write_atomically",
    "writing",
]
