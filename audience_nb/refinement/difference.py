"""What a message changed, as plain values that a view can draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audience_nb.catalog import Catalog
    from audience_nb.timeline import State

__all__ = ["difference"]

# A view shows so many labels of a change; the counts say how many there are.
_MOST_LABELS = 50


def difference(before: State, after: State, catalog: Catalog) -> dict[str, Any]:
    """Compare a session with itself.

    Parameters
    ----------
    before, after : State
        Earlier and later.
    catalog : Catalog
        With the labels.

    Returns
    -------
    dict
        Only what changed: `added` and `dropped` (lists of code and label), `suggestions`,
        `selected` and `segments` (numbers before and after), `query`, `limit`, `filters`,
        `data_type`, `size_rule`, `names`, `picked`, `exported` (values before and after).
    """
    changes: dict[str, Any] = {}
    old = [s.variable.code for s in before.suggestions]
    new = [s.variable.code for s in after.suggestions]
    for name, codes in (
        ("added", [c for c in new if c not in set(old)]),
        ("dropped", [c for c in old if c not in set(new)]),
    ):
        if codes:
            changes[name] = [
                {"code": code, "label": catalog[code].label} for code in codes[:_MOST_LABELS]
            ]
    for name, one, other in (
        ("suggestions", len(old), len(new)),
        ("selected", len(before.selected), len(after.selected)),
        ("segments", _number(before), _number(after)),
        ("query", before.query, after.query),
        ("limit", before.limit, after.limit),
        ("filters", before.filters.given, after.filters.given),
        ("data_type", before.data_type, after.data_type),
        ("size_rule", _rule(before), _rule(after)),
        ("names", _names(before), _names(after)),
        ("picked", list(before.picked), list(after.picked)),
        ("audience", before.audience_name, after.audience_name),
        ("exported", _path(before), _path(after)),
    ):
        if one != other:
            changes[name] = {"before": one, "after": other}
    # Segments formed anew may be as many as before.
    if _labels(before) is not _labels(after) and "segments" not in changes:
        changes["segments"] = {"before": _number(before), "after": _number(after)}
    return changes


def _number(state: State) -> int | None:
    return None if state.segmentation is None else state.segmentation.n_segments


def _labels(state: State) -> Any:
    return None if state.segmentation is None else state.segmentation.labels


def _names(state: State) -> dict[str, str]:
    return {str(segment): name for segment, name in state.names}


def _path(state: State) -> str | None:
    return None if state.exported is None else str(state.exported["path"])


def _rule(state: State) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "n_segments": state.n_segments,
        "min_share": state.min_share,
        "max_share": state.max_share,
    }
    sizes = {"min_size": state.min_size, "max_size": state.max_size}
    return {**rule, **{name: size for name, size in sizes.items() if size is not None}}
