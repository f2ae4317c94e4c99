"""Where data lies, without what lets one in: addresses fit to be saved and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

__all__ = ["PLACEHOLDER", "has_scheme", "plain_options", "shareable", "without_secrets"]

# Stands in code where a password has to be put.
PLACEHOLDER = "PASSWORD"

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://")
# What a URL's query may say without letting anyone in; the value of anything else is taken out.
_HARMLESS = frozenset(
    (
        *("sslmode", "host", "port", "schema", "database", "warehouse", "role", "dataset"),
        *("location", "charset", "application_name", "connect_timeout", "driver", "mode", "uri"),
        *("region", "search_path", "client_encoding"),
    )
)
_SECRET_OPTIONS = re.compile(r"token|password|secret|key|credential", re.IGNORECASE)


def has_scheme(text: str) -> bool:
    """Tell an address from a path.

    Parameters
    ----------
    text : str
        What somebody gave as data.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_scheme("sqlite:///shop.db"), has_scheme("customers.csv")
    (True, False)
    """
    return _SCHEME.match(text) is not None


def without_secrets(url: str) -> tuple[str, bool]:
    """Take out of an address what lets one in.

    Parameters
    ----------
    url : str
        Of a database or an HTTP interface.

    Returns
    -------
    address : str
        With `PLACEHOLDER` for the password, and for values of the query that are not known to be
        harmless.
    secret : bool
        Whether anything was taken out.

    Examples
    --------
    >>> without_secrets("postgresql://ann:s3same@db.example.com/shop?sslmode=require")
    ('postgresql://ann:PASSWORD@db.example.com/shop?sslmode=require', True)
    """
    # Not parsed where it cannot be: nothing of such a text is safe to keep.
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return f"{url.partition('://')[0]}://{PLACEHOLDER}", True
    secret = False
    place = parts.netloc
    user, at, host = place.rpartition("@")
    if at:
        name, colon, password = user.partition(":")
        if colon and unquote(password) != PLACEHOLDER:
            place, secret = f"{name}:{PLACEHOLDER}@{host}", True
    kept = []
    for name, value in pairs:
        hidden = value and value != PLACEHOLDER and name.lower() not in _HARMLESS
        secret = secret or bool(hidden)
        kept.append((name, PLACEHOLDER if hidden else value))
    query = urlencode(kept, safe="/:,@") if pairs else ""
    # urlunsplit drops the empty host of sqlite:///file, and a fragment says nothing to a server.
    path = parts.path if not query else f"{parts.path}?{query}"
    return f"{parts.scheme}://{place}{path}", secret


def shareable(what: Any) -> tuple[Any, bool]:
    """Describe data by text that may be saved: a path, an address without its secrets.

    Parameters
    ----------
    what : object
        What a session was opened on.

    Returns
    -------
    description : str, list or None
        None for what only the caller has, such as a table in memory.
    secret : bool
        Whether a password was taken out.

    Examples
    --------
    >>> shareable(["a.csv", Path("b.csv")]), shareable(3)
    ((['a.csv', 'b.csv'], False), (None, False))
    """
    if isinstance(what, Path):
        return str(what), False
    if isinstance(what, str):
        return without_secrets(what) if has_scheme(what) else (what, False)
    if isinstance(what, list | tuple):
        described = [shareable(one) for one in what]
        if any(text is None for text, _ in described):
            return None, False
        return [text for text, _ in described], any(secret for _, secret in described)
    return None, False


def plain_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Keep the options of a source that may be saved.

    Parameters
    ----------
    options : mapping
        As given to `open_source`.

    Returns
    -------
    kept : dict
        Plain values that let nobody in.
    secret : bool
        Whether a token or password was among them.

    Examples
    --------
    >>> plain_options({"table": "customers", "token": "s3same"})
    ({'table': 'customers'}, True)
    """
    kept = {}
    secret = False
    for name, value in options.items():
        if _SECRET_OPTIONS.search(name):
            secret = secret or value is not None
        elif isinstance(value, str | int | float | bool) or (
            isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)
        ):
            kept[name] = list(value) if isinstance(value, tuple) else value
    return kept, secret
