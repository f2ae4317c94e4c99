"""Turn a sentence into an audience: search, pick, segment within exact size limits, export."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that holds it: loaded on first use, so that importing the package is quick.
_HOMES = {
    "Audience": "export",
    "AudienceBuilder": "widget",
    "AudienceError": "errors",
    "Catalog": "catalog",
    "ConstrainedKMedians": "kmedians",
    "Infeasible": "errors",
    "LifestyleSystem": "lifestyles",
    "OfflineEncoder": "embedding",
    "OpenAIEncoder": "embedding",
    "SearchIndex": "search",
    "Segmentation": "segments",
    "Session": "session",
    "Suggestion": "search",
    "SyntheticSource": "sources.synthetic",
    "Variable": "catalog",
}

__all__ = [
    "Audience",
    "AudienceBuilder",
    "AudienceError",
    "Catalog",
    "ConstrainedKMedians",
    "Infeasible",
    "LifestyleSystem",
    "OfflineEncoder",
    "OpenAIEncoder",
    "SearchIndex",
    "Segmentation",
    "Session",
    "Suggestion",
    "SyntheticSource",
    "Variable",
]

if TYPE_CHECKING:
    from audience_nb.catalog import Catalog, Variable
    from audience_nb.embedding import OfflineEncoder, OpenAIEncoder
    from audience_nb.errors import AudienceError, Infeasible
    from audience_nb.export import Audience
    from audience_nb.kmedians import ConstrainedKMedians
    from audience_nb.lifestyles import LifestyleSystem
    from audience_nb.search import SearchIndex, Suggestion
    from audience_nb.segments import Segmentation
    from audience_nb.session import Session
    from audience_nb.sources.synthetic import SyntheticSource
    from audience_nb.widget import AudienceBuilder


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server what it can load; nothing where the extra `server` is not installed."""
    needed = ("alembic", "jupyter_server", "jwt", "limits", "pydantic", "sqlalchemy")
    if not all(map(find_spec, needed)):
        return []
    app = import_module(f"{__name__}.server.app")
    return [{"module": app.__name__, "app": app.AudienceApp}]
