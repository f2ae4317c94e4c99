"""A file of identifiers, hashed where they are personal, for any platform with an upload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audience_nb.distribution import Delivery
from audience_nb.errors import InvalidInput
from audience_nb.export import hash_identifiers, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.export import Audience

__all__ = ["FileDestination"]

# Columns that say whether a person may be addressed: name, the value that allows it, the reason
# written down when it does not.
_CONSENT = (
    ("consent_ads", True, "no consent to advertising"),
    ("consent_sharing", True, "no consent to sharing"),
    ("do_not_sell", False, "asked not to be sold or shared"),
)


# Opaque already: hashing them again would match nobody.
_PSEUDONYMOUS = ("rampid", "uid2")


class FileDestination:
    """Write the identifiers of those who consented, one a line.

    RampIDs and UID2s are written as they are, anything else as its SHA-256.

    Parameters
    ----------
    path : str or pathlib.Path
        The file to write.

    Examples
    --------
    >>> FileDestination("renters.csv").name
    'file'
    """

    name = "file"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def push(self, audience: Audience, people: pd.DataFrame, *, confirm: bool = False) -> Delivery:
        """Write the file, or say what it would hold.

        Parameters
        ----------
        audience : Audience
            What to send.
        people : pandas.DataFrame of shape (audience.size, n_columns)
            On the audience's index: the identifier as first column, then the consent columns
            `consent_ads`, `consent_sharing`, `do_not_sell`, where there are any.
        confirm : bool, optional
            False for a dry run, which writes nothing.

        Returns
        -------
        Delivery

        Raises
        ------
        InvalidInput
            If `people` is not about the audience's records.
        """
        if not people.index.equals(audience.frame.index):
            raise InvalidInput(
                f"{len(people):,} rows of identifiers do not stand on the audience's "
                f"{audience.size:,} records.",
                "Fetch the identifiers for exactly these records.",
            )
        kept = people
        dropped: dict[str, int] = {}
        for column, allowing, reason in _CONSENT:
            if column in kept:
                allowed = kept[column].fillna(not allowing).astype(bool) == allowing
                dropped[reason] = int((~allowed).sum())
                kept = kept[allowed]
        identifier = kept.iloc[:, 0].astype("string").str.strip()
        usable = identifier.notna() & (identifier != "")
        dropped["no identifier"] = int((~usable).sum())
        identifier = identifier[usable]
        column = str(people.columns[0])
        opaque = column in _PSEUDONYMOUS
        given = identifier.tolist() if opaque else hash_identifiers(identifier.tolist())
        lines = list(dict.fromkeys(given))
        dropped["repeated identifier"] = len(given) - len(lines)
        header = column if opaque else f"{column}_sha256"
        if confirm:
            write_atomically(self.path, "".join(f"{line}\r\n" for line in [header, *lines]))
        return Delivery(
            destination=self.name,
            audience=audience.name,
            rows_sent=len(lines),
            rows_dropped={reason: n for reason, n in dropped.items() if n},
            dry_run=not confirm,
            location=str(self.path) if confirm else "",
        )
