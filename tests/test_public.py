"""The public names, and that each is documented."""

from __future__ import annotations

import inspect

import pytest

import audience_nb

NAMES = [
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


def test_the_public_names_are_these() -> None:
    assert audience_nb.__all__ == NAMES == sorted(audience_nb._HOMES)
    assert set(NAMES) <= set(dir(audience_nb))


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_and_method_is_documented(name: str) -> None:
    thing = getattr(audience_nb, name)
    assert inspect.getdoc(thing), name
    for method, value in inspect.getmembers_static(thing, callable):
        ours = getattr(value, "__module__", "") or ""
        if not method.startswith("_") and ours.startswith("audience_nb"):
            assert inspect.getdoc(value), f"{name}.{method}"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Manager'"):
        audience_nb.Manager  # noqa: B018
