"""What a person typed, checked and cleaned."""

from __future__ import annotations

import unicodedata

from audience_nb.errors import InvalidInput

__all__ = ["plain_text"]

_MOST_CHARACTERS = 100_000


def plain_text(text: object) -> str:
    r"""Check that a message is text, and take control characters out.

    Parameters
    ----------
    text : str
        What a person typed or pasted.

    Returns
    -------
    str
        Unicode NFC, one line, without leading or trailing space.

    Raises
    ------
    InvalidInput
        If it is no text, or nothing is left of it.

    Examples
    --------
    >>> plain_text(" eco\u200b-minded\n families ")
    'eco-minded  families'
    """
    if not isinstance(text, str):
        raise InvalidInput(f"The text is a {type(text).__name__}.", "Give words.")
    kept = "".join(
        " " if c.isspace() else c
        for c in unicodedata.normalize("NFC", text[:_MOST_CHARACTERS])
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    ).strip()
    if not kept:
        raise InvalidInput("The text is empty.", "Describe the audience in a few words.")
    return kept
