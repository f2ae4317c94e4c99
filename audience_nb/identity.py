"""Who the records are about: identifiers that may leave, and consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audience_nb.export import hash_identifiers
from audience_nb.policy import Subtype

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.sources import Source

__all__ = ["consent_notes", "identified", "people_of"]

CONSENT = ("consent_ads", "consent_sharing", "do_not_sell")


def identified(frame: pd.DataFrame, source: Source, subtype: Subtype) -> pd.DataFrame:
    """Index records by the identifier of a subtype; plain e-mail addresses are hashed.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_records, n_columns)
        Indexed by record.
    source : Source
        Where the identifiers are.
    subtype : Subtype
        Which one is wanted.

    Returns
    -------
    pandas.DataFrame of shape (n_records, n_columns)
        The same rows in the same order.
    """
    import pandas as pd

    if subtype.code == "customer_id" or subtype.identifier not in source.attributes:
        return frame
    values = source.fetch([subtype.identifier])[subtype.identifier].loc[frame.index]
    if subtype.code == "hashed_email":
        hashed = hash_identifiers(values.fillna("").astype(str).tolist())
        return frame.set_axis(pd.Index(hashed, name="email_sha256"))
    return frame.set_axis(pd.Index(values, name=subtype.identifier))


def people_of(frame: pd.DataFrame, source: Source, subtype: Subtype) -> pd.DataFrame:
    """Give what a destination needs to know of people: identifier first, then consent.

    Parameters
    ----------
    frame : pandas.DataFrame
        Indexed by record.
    source : Source
        Where the columns are.
    subtype : Subtype
        Which identifier.

    Returns
    -------
    pandas.DataFrame
        On the index of `frame`.
    """
    attributes = set(source.attributes)
    people = source.fetch([c for c in CONSENT if c in attributes]).loc[frame.index]
    if subtype.identifier in attributes:
        identifier = source.fetch([subtype.identifier])[subtype.identifier].loc[frame.index]
    else:
        identifier = frame.index.to_series()
    people.insert(0, subtype.identifier, identifier)
    return people


def consent_notes(frame: pd.DataFrame, source: Source) -> list[str]:
    """Say how many records may not be addressed, where the records say so.

    Parameters
    ----------
    frame : pandas.DataFrame
        Indexed by record.
    source : Source
        Where consent is written down.

    Returns
    -------
    list of str
    """
    if "consent_ads" not in source.attributes:
        return []
    consent = source.fetch(["consent_ads"])["consent_ads"].loc[frame.index]
    refused = int((~consent.fillna(False).astype(bool)).sum())
    return [
        f"{refused:,} of {len(frame):,} have not consented to advertising: distributing leaves "
        "them out."
    ]
