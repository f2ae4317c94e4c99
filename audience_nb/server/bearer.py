"""JSON web tokens of service clients: signed by a key that is known, for us, and not expired."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt

from audience_nb.errors import InvalidInput
from audience_nb.server.refusals import Refusal

__all__ = ["Bearer"]

# What a database and a log can hold: as long as their columns, and nothing that does not print.
_NAME = re.compile(r"[^\W_][\w.@:+/ |-]{0,199}")
# Never "none", and no algorithm that the token itself chooses.
_ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS512", "ES256", "ES384", "EdDSA", "PS256")


class Bearer:
    """Check tokens against keys by their id, so that keys can be rotated one by one.

    Parameters
    ----------
    keys : mapping of key id to mapping
        Each with `algorithm`, and `key` (a secret of 32 bytes at least, or a public key in PEM) or
        `file`, which holds it.
    audience : str, optional
        What tokens must be for.
    issuer : str, optional
        Who must have issued them.
    leeway : float, optional
        Seconds that clocks may differ by.

    Raises
    ------
    InvalidInput
        If a key cannot be used.

    Examples
    --------
    >>> import time
    >>> secret = "0123456789abcdef0123456789abcdef"
    >>> claims = {"sub": "feed", "aud": "audience_nb", "exp": time.time() + 60}
    >>> token = jwt.encode(claims, secret, "HS256", headers={"kid": "2026-11"})
    >>> bearer = Bearer({"2026-11": {"algorithm": "HS256", "key": secret}})
    >>> bearer.claims(token)["sub"]
    'feed'
    """

    def __init__(
        self,
        keys: Mapping[str, Mapping[str, Any]],
        *,
        audience: str = "audience_nb",
        issuer: str | None = None,
        leeway: float = 10.0,
    ) -> None:
        self._keys: dict[str, tuple[str, str]] = {}
        for kid, values in keys.items():
            algorithm = values.get("algorithm", "")
            if algorithm not in _ALGORITHMS:
                raise InvalidInput(
                    f"The key {kid!r} has an unknown algorithm.", f"Use: {', '.join(_ALGORITHMS)}."
                )
            path = values.get("file")
            key = values.get("key", "") if path is None else Path(path).read_text().strip()
            if len(key) < 32:
                raise InvalidInput(
                    f"The key {kid!r} has {len(key)} characters.", "Use 32 at least (RFC 7518)."
                )
            self._keys[kid] = (algorithm, key)
        self._audience = audience
        self._issuer = issuer
        self._leeway = leeway

    def __repr__(self) -> str:
        return f"Bearer({len(self._keys)} keys)"

    def claims(self, token: str) -> dict[str, Any]:
        """Check a token.

        Parameters
        ----------
        token : str
            As it came after "Bearer".

        Returns
        -------
        dict
            Its claims.

        Raises
        ------
        Refusal
            401, whatever is wrong with it.
        """
        try:
            algorithm, key = self._keys[str(jwt.get_unverified_header(token).get("kid"))]
            found: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "sub", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Refusal(401, "The token has expired.", "Get a new one.") from None
        except (jwt.InvalidTokenError, KeyError, ValueError):
            # Not why: that would help whoever forges them.
            raise _not_accepted() from None
        if not _NAME.fullmatch(found["sub"]):
            raise _not_accepted()
        return found


def _not_accepted() -> Refusal:
    return Refusal(401, "The token is not accepted.", "Get one for this server from its issuer.")
