"""What every source of records promises, whatever stands behind it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import Catalog
from audience_nb.errors import NotFound
from audience_nb.sources import Source
from audience_nb.sources.frame import FrameSource
from audience_nb.sources.synthetic import SyntheticSource

RECORDS = [
    {"code": "AGE", "label": "Age of the person", "unit": "years"},
    {"code": "OWN", "label": "Owns a bicycle", "value_type": "boolean"},
    {"code": "LIKES", "label": "Likes cycling", "value_type": "ordinal", "values": "1|2|3|4|5"},
    {"code": "REGION", "label": "Region", "value_type": "nominal", "values": "North|South"},
]
CODES = [record["code"] for record in RECORDS]


def synthetic() -> Source:
    return SyntheticSource(Catalog.from_records(RECORDS), 60, random_state=3)


def framed() -> Source:
    table = synthetic().fetch([*CODES, "email"]).reset_index()
    return FrameSource(table, CODES, id="customer_id")


SOURCES = {"synthetic": synthetic, "frame": framed}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Source:
    return SOURCES[request.param]()


def test_meets_the_protocol(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.n_records == 60
    assert source.name


def test_codes_and_attributes_do_not_overlap(source: Source) -> None:
    assert list(source.codes) == CODES
    assert "email" in source.attributes
    assert not set(source.codes) & set(source.attributes)


def test_gives_the_columns_in_the_order_asked(source: Source) -> None:
    frame = source.fetch(["REGION", "email", "AGE"])
    assert list(frame.columns) == ["REGION", "email", "AGE"]
    assert frame.shape == (60, 3)


def test_records_are_known_by_a_unique_id(source: Source) -> None:
    frame = source.fetch(["AGE"])
    assert frame.index.name == "customer_id"
    assert frame.index.is_unique
    assert frame.index[0] == "C0000001"
    pd.testing.assert_index_equal(source.fetch([]).index, frame.index)


def test_fetching_twice_gives_the_same(source: Source) -> None:
    pd.testing.assert_frame_equal(source.fetch(CODES), source.fetch(CODES))


def test_what_is_given_out_is_the_callers(source: Source) -> None:
    frame = source.fetch(["AGE"])
    before = frame["AGE"].tolist()
    frame["AGE"] = -1
    frame.iloc[:, 0] = -2
    assert source.fetch(["AGE"])["AGE"].tolist() == before


def test_everything_named_can_be_fetched(source: Source) -> None:
    names = [*source.codes, *source.attributes]
    frame = source.fetch(names)
    assert list(frame.columns) == names
    assert int(frame.isna().sum().sum()) == 0


def test_unknown_columns_are_refused(source: Source) -> None:
    with pytest.raises(NotFound, match=r"2 of 3 columns .* the first is 'NOPE'"):
        source.fetch(["AGE", "NOPE", "NEITHER"])


@pytest.mark.parametrize("name", SOURCES)
@given(columns=st.lists(st.sampled_from([*CODES, "email"]), min_size=1, unique=True))
def test_any_choice_agrees_with_the_whole(name: str, columns: list[str]) -> None:
    source = SOURCES[name]()
    whole = source.fetch([*CODES, "email"])
    pd.testing.assert_frame_equal(source.fetch(columns), whole[columns])
