"""An audience as a file: CSV, Parquet or JSON, whole, readable, harmless in a spreadsheet."""

from __future__ import annotations

from audience_nb.export.atomic import sweep, write_atomically, writing
from audience_nb.export.audience import Audience
from audience_nb.export.hashes import hash_identifiers
from audience_nb.export.text import guarded

__all__ = ["Audience", "guarded", "hash_identifiers", "sweep", "write_atomically", "writing"]
