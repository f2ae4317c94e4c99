"""Where this package keeps what it can compute or fetch again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_root"]


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Give the directory under which caches are kept; it need not exist.

    Parameters
    ----------
    cache_dir : str or pathlib.Path, optional
        By default AUDIENCE_NB_CACHE, else the platform's place for a user's caches.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> cache_root("somewhere").name
    'somewhere'
    """
    chosen = cache_dir or os.environ.get("AUDIENCE_NB_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "audience_nb"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "audience_nb" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audience_nb"
