"""What every exported file says of itself: how it came about, and a transparency label.

The label follows the groups of IAB Tech Lab's Data Transparency Standard: who provides the data,
what the audience is, how it was built, where its data come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audience_nb.export.audience import Audience

__all__ = ["FORMAT", "label_of", "manifest_of"]

FORMAT = "audience_nb audience 1"
_KIND = {
    "first_party": "the provider's own customers",
    "third_party": "licensed data; attributes are modelled of areas or households",
    "clean_room": "matched in a clean room",
}


def manifest_of(audience: Audience) -> dict[str, Any]:
    """Say how an audience came about; no record and no identifier is in it.

    Parameters
    ----------
    audience : Audience
        What is exported.

    Returns
    -------
    dict
        Plain values, in a fixed order.
    """
    frame = audience.frame
    return {
        "format": FORMAT,
        "audience": audience.name,
        "records": audience.size,
        "base records": audience.base_size,
        "segments": [
            {"id": s.id, "name": s.name, "size": s.size, "share": s.share}
            for s in audience.segments
        ],
        **audience.metadata,
        "transparency label": label_of(audience),
        "guarded": False,
        "index": {
            "name": "" if frame.index.name is None else str(frame.index.name),
            "dtype": str(frame.index.dtype),
        },
        "columns": {str(c): str(t) for c, t in frame.dtypes.items()},
    }


def label_of(audience: Audience) -> dict[str, Any]:
    """Give the transparency label of an audience.

    Parameters
    ----------
    audience : Audience
        What is exported.

    Returns
    -------
    dict
        Groups of fields; None where nothing is known.
    """
    known: Mapping[str, Any] = audience.metadata
    variables = known.get("variables") or {}
    return {
        "provider": {"data source": known.get("source"), "distributor": None},
        "audience snapshot": {
            "branded name": audience.name,
            "standard taxonomy name": known.get("taxonomy"),
            "description": known.get("query") or None,
            "geography": known.get("geography"),
        },
        "audience construction": {
            "audience count": audience.size,
            "identifier": known.get("subtype"),
            "variables": len(variables),
            "modelling": "clusters of equal weight variables, sizes within bounds",
            "cross-device expansion": "none",
            "precision level": "as the identifier",
            "lookback window": None,
            "refresh": "none: a copy as of export",
        },
        "data sources": {
            "provenance": _KIND.get(str(known.get("data type"))),
            "inclusion": "everybody in the chosen segments",
            "left out": known.get("dropped") or {},
        },
    }
