"""Who the records are about: identifiers that may leave, and consent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audience_nb.export import are_plain, pseudonym
from audience_nb.policy import Subtype
from audience_nb.policy.consent import GRANTS, REFUSALS, STRINGS

if TYPE_CHECKING:
    import pandas as pd

    from audience_nb.sources import Source

__all__ = ["consent_notes", "identified", "people_of"]

# Of these a plain one may come in any form, such as a number without a country code.
_PERSONAL = ("hashed_email", "phone")
CONSENT = ("consent_ads", "consent_sharing", "do_not_sell")


def identified(frame: pd.DataFrame, source: Source, subtype: Subtype) -> pd.DataFrame:
    """Index records by the identifier of a subtype; plain addresses and numbers are hashed.

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
        ids, name = frame.index, str(frame.index.name or "id")
    else:
        values = source.fetch([subtype.identifier])[subtype.identifier].loc[frame.index]
        ids, name = pd.Index(values), subtype.identifier
    if subtype.code not in _PERSONAL and not are_plain(ids):
        return frame.set_axis(ids.rename(frame.index.name if ids is frame.index else name))
    return frame.set_axis(pd.Index([pseudonym(value) for value in ids], name=f"{name}_sha256"))


def people_of(
    frame: pd.DataFrame, source: Source, subtype: Subtype, also: Sequence[str] = ()
) -> pd.DataFrame:
    """Give what a destination needs to know of people: identifier first, then consent.

    Parameters
    ----------
    frame : pandas.DataFrame
        Indexed by record.
    source : Source
        Where the columns are.
    subtype : Subtype
        Which identifier.
    also : sequence of str, optional
        Further columns, behind the others.

    Returns
    -------
    pandas.DataFrame
        On the index of `frame`.
    """
    attributes = set(source.attributes)
    # Records taken in since are not in the source: nobody knows of their consent.
    known = attributes | set(source.codes)
    wanted = [*CONSENT, *GRANTS, *REFUSALS, *STRINGS, *also]
    wanted = [c for c in dict.fromkeys(wanted) if c in known and c != subtype.identifier]
    people = source.fetch(wanted).reindex(frame.index)
    if subtype.identifier in attributes:
        identifier = source.fetch([subtype.identifier])[subtype.identifier].reindex(frame.index)
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
    consent = source.fetch(["consent_ads"])["consent_ads"].reindex(frame.index)
    refused = int((~consent.fillna(False).astype(bool)).sum())
    return [
        f"{refused:,} of {len(frame):,} have not consented to advertising: distributing leaves "
        "them out."
    ]
