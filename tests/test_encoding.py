"""FrameEncoder: L1 distance is Gower's, units don't matter, nothing is set aside silently."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.catalog import Variable
from audience_nb.encoding import FrameEncoder
from audience_nb.errors import InvalidInput, NotFound, WrongStep

PEOPLE = pd.DataFrame(
    {
        "age": [20, 30, 60, 45, 28, 33],
        "home": ["rent", "own", "own", "rent", "parents", "own"],
        "member": [True, False, False, True, True, False],
        "rating": ["low", "high", "mid", "mid", "low", "high"],
        "joined": pd.to_datetime(
            ["2020-01-01", "2020-01-11", "2020-02-20", "2020-04-10", "2020-03-01", "2020-01-05"]
        ),
    }
)
VARIABLES = [
    Variable("age", "Age", unit="years"),
    Variable("home", "Home", value_type="nominal"),
    Variable("member", "Member", value_type="boolean"),
    Variable("rating", "Rating", value_type="ordinal", values=("low", "mid", "high")),
    Variable("joined", "Joined", value_type="date"),
]


def gower(first: pd.Series, second: pd.Series, weights: dict[str, float]) -> float:
    """Gower (1971) on two of PEOPLE, straight from the definition."""
    days = (PEOPLE["joined"].max() - PEOPLE["joined"].min()).days
    ranks = {"low": 0, "mid": 1, "high": 2}
    parts = {
        "age": abs(first["age"] - second["age"]) / (60 - 20),
        "home": float(first["home"] != second["home"]),
        "member": float(first["member"] != second["member"]),
        "rating": abs(ranks[first["rating"]] - ranks[second["rating"]]) / 2,
        "joined": abs((first["joined"] - second["joined"]).days) / days,
    }
    total = sum(weights[c] * parts[c] for c in parts)
    return total / sum(weights.values())


@pytest.mark.parametrize("weights", [{}, {"age": 2.0, "home": 0.5}])
def test_l1_distance_is_gowers(weights: dict[str, float]) -> None:
    encoder = FrameEncoder(scaling="range", weights=weights)
    matrix = encoder.fit_transform(PEOPLE, VARIABLES)
    full = {c: weights.get(c, 1.0) for c in PEOPLE.columns}
    assert encoder.total_weight == pytest.approx(sum(full.values()))
    for i, j in itertools.combinations(range(len(PEOPLE)), 2):
        ours = np.abs(matrix[i] - matrix[j]).sum() / encoder.total_weight
        # Equal but for the rounding of entries to multiples of 2**-40.
        within = matrix.shape[1] * 2.0**-40
        assert ours == pytest.approx(gower(PEOPLE.iloc[i], PEOPLE.iloc[j], full), abs=within)


def test_robust_scaling_clips_at_observed_quantiles() -> None:
    values = np.arange(1.0, 201.0)
    values[-1] = 1e9
    encoder = FrameEncoder()
    column = encoder.fit_transform(pd.DataFrame({"pay": values}))[:, 0]
    # Of 200 sorted values the 2.5 % and 97.5 % quantiles are places 4.975 and 194.025, outward.
    low, high = 5.0, 196.0
    expected = (np.clip(values, low, high) - low) / (high - low)
    assert column == pytest.approx(expected, abs=1e-11)
    assert encoder.notes == ["Pay: 8 values outside 5 to 196 count as the nearer of the two."]
    by_range = FrameEncoder(scaling="range").fit_transform(pd.DataFrame({"pay": values}))[:, 0]
    assert by_range[:-1].max() < 1e-6 and by_range[-1] == 1


def test_spending_that_is_mostly_nothing_is_scaled_by_the_spenders() -> None:
    values = np.zeros(1000)
    values[:20] = np.arange(1, 21) * 10.0
    matrix = FrameEncoder().fit_transform(pd.DataFrame({"spent": values}))[:, 0]
    assert matrix[20:].max() == 0
    assert matrix[9] == pytest.approx(100 / 200)


def test_sums_do_not_depend_on_the_order_of_columns() -> None:
    rng = np.random.default_rng(0)
    matrix = FrameEncoder().fit_transform(pd.DataFrame(rng.normal(size=(50, 9))).add_prefix("v"))
    assert (matrix * 2**40 == np.rint(matrix * 2**40)).all()
    assert (matrix.sum(axis=1) == matrix[:, ::-1].sum(axis=1)).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-10_000, 10_000), min_size=3, max_size=60).filter(lambda v: len({*v}) > 1),
    st.sampled_from([1000.0, 0.001, 7.0, 1e-9, 1e12, -1.0]),
)
def test_units_change_nothing(values: list[int], unit: float) -> None:
    one, other = (
        # Declared numeric: whole numbers of few values would else be read as ratings.
        FrameEncoder().fit_transform(
            pd.DataFrame({"x": np.array(values, dtype=float) * u}), [Variable("x", "X")]
        )[:, 0]
        for u in (1.0, unit)
    )
    if not set(values) <= {0, 1}:
        assert other == pytest.approx(1 - one if unit < 0 else one, abs=1e-11)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.permutations(range(5)))
def test_orders_of_rows_and_columns_only_permute_the_matrix(
    rows: list[int], columns: list[int]
) -> None:
    straight = FrameEncoder()
    matrix = straight.fit_transform(PEOPLE, VARIABLES)
    mixed = FrameEncoder()
    other = mixed.fit_transform(PEOPLE.iloc[rows], [VARIABLES[i] for i in columns])
    for code, place in straight.groups.items():
        assert (other[:, mixed.groups[code]] == matrix[rows][:, place]).all()


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 29), min_size=1, max_size=12))
def test_missing_values_become_the_median_and_are_counted(gone: set[int]) -> None:
    values = np.arange(30.0) ** 2
    holes = values.copy()
    holes[list(gone)] = np.nan
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(pd.DataFrame({"x": holes}))
    median = np.median(np.delete(values, list(gone)))
    assert encoder.columns_[0].n_missing == len(gone)
    assert encoder.notes[-1].startswith(f"X: {len(gone)} of 30 values are missing")
    filled = FrameEncoder.encode(encoder, {"x": np.array([median])})[0, 0]
    assert (matrix[list(gone), 0] == filled).all()


def test_missing_category_is_a_level_as_far_as_any_other() -> None:
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(pd.DataFrame({"home": ["rent", None, "own", " ", "rent"]}))
    distance = np.abs(matrix[:, None] - matrix[None]).sum(axis=2)
    assert encoder.columns_[0].column.levels == ("rent", "own", "missing")
    assert distance[1].tolist() == [1, 0, 1, 0, 1]
    again = encoder.transform(pd.DataFrame({"home": [np.nan, "own"]}))
    assert again.tolist() == [[0, 0, 0.5], [0, 0.5, 0]]
    assert encoder.notes == ["Home: 2 of 5 values are missing: a level of their own."]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1,200", "$40", "55%", " ", "7"], [1200, 40, 55, np.nan, 7]),
        (["Yes", "no", None, "YES"], [1, 0, np.nan, 1]),
        (["4-Sep-12", "8-Mar-14", ""], [15587, 16137, np.nan]),
        (["2012-09-04", "2014-03-08"], [15587, 16137]),
        ([dt.date(2012, 9, 4), dt.date(2014, 3, 8)], [15587, 16137]),
        (["09/04/2012", "03/08/2014"], [15587, 16137]),
        (["31/12/1969", "02/01/1970"], [-1, 1]),
        (pd.array([1, None, 500], dtype="Int64"), [1, np.nan, 500]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        (pd.Series(["b", "a", "b", "a"], dtype="string"), [1, 0, 1, 0]),
        (pd.Categorical(["hi", "lo", "hi"], ["lo", "mid", "hi"], ordered=True), [2, 0, 2]),
        (pd.Categorical(["hi", "lo", "hi"], ["mid", "lo", "hi"]), [0, 1, 0]),
        (pd.Series(["0", "1", " "]), [0, 1, np.nan]),
        ([np.inf, 1.0, -np.inf, 200.0], [np.nan, 1, np.nan, 200]),
        (pd.to_timedelta(["36h", "0h"]), [1.5, 0]),
    ],
)
def test_reading(values: object, expected: list[float]) -> None:
    read = FrameEncoder().fit_read(pd.DataFrame({"x": pd.Series(values)}))["x"]
    np.testing.assert_array_equal(read, expected)


def test_text_numbers_with_blanks_are_numbers() -> None:
    # As TotalCharges of the telco table: a blank where tenure is 0.
    texts = [f"{v:.2f}" for v in np.linspace(20, 8000, 99)] + [" "]
    encoder = FrameEncoder().fit(pd.DataFrame({"TotalCharges": texts}))
    assert encoder.columns_[0].column.value_type == "numeric"
    assert encoder.notes == [
        "Total charges: 1 of 100 values are missing: filled with the median, 4,010."
    ]


def test_a_few_texts_among_numbers_count_as_missing() -> None:
    encoder = FrameEncoder().fit(pd.DataFrame({"x": [*map(str, range(100)), "ask later"]}))
    assert encoder.columns_[0].column.value_type == "numeric"
    assert encoder.notes[0] == "X: 1 texts that are no numbers count as missing."


def test_value_types_of_variables_win() -> None:
    frame = pd.DataFrame({"region": [1, 2, 3, 1, 2, 3], "rating": [1, 3, 5, 1, 3, 5]})
    stated = [
        Variable("region", "Region", value_type="nominal"),
        Variable("rating", "Rating", value_type="ordinal", values=("1", "2", "3", "4", "5")),
    ]
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(frame, stated)
    assert [e.column.value_type for e in encoder.columns_] == ["nominal", "ordinal"]
    assert np.abs(matrix[0, :3] - matrix[2, :3]).sum() == 1
    assert matrix[:3, 3].tolist() == [0, 0.5, 1]
    plain = FrameEncoder().fit(frame)
    assert [e.column.value_type for e in plain.columns_] == ["ordinal", "ordinal"]


def test_stated_type_that_does_not_fit_is_told() -> None:
    frame = pd.DataFrame({"x": ["red", "blue", "red", "green", "blue"]})
    encoder = FrameEncoder().fit(frame, [Variable("x", "Colour", value_type="numeric")])
    assert encoder.columns_[0].column.value_type == "nominal"
    assert encoder.notes == [
        "Colour: stated as numeric, but most values are not, so they are read as categories."
    ]


def test_identifiers_constants_and_empty_columns_are_left_out_with_a_note() -> None:
    frame = pd.DataFrame(
        {
            "id": [f"C{i:04}" for i in range(80)],
            "same": 3,
            "void": np.nan,
            "age": np.arange(80),
        }
    )
    encoder = FrameEncoder().fit(frame)
    assert list(encoder.groups) == ["age"]
    assert set(encoder.dropped) == {"id", "same", "void"}
    assert encoder.notes == [
        "Id: left out, 80 different texts in 80 records identify, not group.",
        "Same: left out, constant, always 3.",
        "Void: left out, no value is known.",
    ]


def test_rare_levels_are_folded() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"city": [f"town {i}" for i in rng.integers(0, 120, 2000)]})
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(frame)
    assert matrix.shape == (2000, 50) and (matrix.sum(axis=1) == 0.5).all()
    assert encoder.notes == ["City: 71 rarer of 120 levels count as other."]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"x": []}), "0 records"),
        (pd.DataFrame({"x": [1]}), "None of the 1 variables tells the 1 records apart"),
        (pd.DataFrame({"x": [2, 2], "y": ["a", "a"]}), "None of the 2 variables"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), "'x' is given more than once"),
        (pd.DataFrame({"x": [[1], [2]]}), "lists or other nested values"),
        (pd.DataFrame({"x": [(1, 2), (2, 3)]}), "lists or other nested values"),
        (pd.DataFrame({"x": [1j, 2j]}), "complex"),
    ],
)
def test_unusable_frames(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        FrameEncoder().fit(frame)


def test_mixed_objects_are_categories_that_do_not_collapse() -> None:
    frame = pd.DataFrame({"x": pd.Series([1, "1", True, "a", "a", 2.5, None], dtype=object)})
    encoder = FrameEncoder()
    read = encoder.fit_read(frame)["x"]
    levels = encoder.columns_[0].column.levels
    assert [levels[int(i)] for i in read] == ["1", "1", "True", "a", "a", "2.5", "missing"]


def test_columns_that_repeat_or_lack() -> None:
    twice = pd.DataFrame([[1, 2, 3], [3, 4, 9]], columns=["x", "x", "y"])
    with pytest.raises(InvalidInput, match="more than one column 'x'"):
        FrameEncoder().fit(twice, ["x"])
    assert list(FrameEncoder().fit(twice, ["y"]).groups) == ["y"]
    with pytest.raises(NotFound, match="1 of 2 variables are not in the frame, the first is 'z'"):
        FrameEncoder().fit(twice, ["y", "z"])
    encoder = FrameEncoder().fit(PEOPLE, VARIABLES)
    with pytest.raises(NotFound, match="'home'"):
        encoder.transform(PEOPLE.drop(columns="home"))


def test_wrong_settings() -> None:
    with pytest.raises(InvalidInput, match="scaling is 'z'"):
        FrameEncoder(scaling="z")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="weight of 'age' is -1"):
        FrameEncoder(weights={"age": -1})
    with pytest.raises(NotFound, match="'aeg'"):
        FrameEncoder(weights={"aeg": 1}).fit(PEOPLE)
    with pytest.raises(WrongStep):
        FrameEncoder().transform(PEOPLE)
    with pytest.raises(InvalidInput, match="shape"):
        FrameEncoder().fit(PEOPLE, VARIABLES).decode([[1.0]])


def test_transform_repeats_the_fit_and_meets_the_unseen() -> None:
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(PEOPLE, VARIABLES)
    assert (encoder.transform(PEOPLE) == matrix).all()
    odd = PEOPLE.iloc[[0]].assign(home="tent", age=500)
    row = encoder.transform(odd)[0]
    assert row[encoder.groups["home"]].tolist() == [0, 0, 0]
    assert row[encoder.groups["age"]].tolist() == [1]


def test_decode_gives_what_people_read() -> None:
    encoder = FrameEncoder(weights={"age": 3.0, "home": 2.0})
    matrix = encoder.fit_transform(PEOPLE, VARIABLES)
    read = encoder.decode(matrix)
    assert read["age"].tolist() == ["20", "30", "60", "45", "28", "33"]
    assert read["home"].tolist() == PEOPLE["home"].tolist()
    assert read["member"].tolist() == ["yes", "no", "no", "yes", "yes", "no"]
    assert read["rating"].tolist() == PEOPLE["rating"].tolist()
    assert read["joined"].tolist() == [str(d.date()) for d in PEOPLE["joined"]]
    nobody = np.zeros((1, encoder.n_features))
    assert encoder.decode(nobody)["home"].tolist() == ["mixed"]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.floats(-1e300, 1e300, allow_nan=False, allow_subnormal=False), min_size=2, max_size=30
    )
)
def test_any_numbers_encode_between_0_and_1(values: list[float]) -> None:
    frame = pd.DataFrame({"x": values, "anchor": np.arange(len(values))})
    matrix = FrameEncoder().fit_transform(frame)
    assert np.isfinite(matrix).all() and matrix.min() >= 0 and matrix.max() <= 1


def test_representation_shows_counts_only() -> None:
    encoder = FrameEncoder().fit(PEOPLE, VARIABLES)
    assert repr(encoder) == ("FrameEncoder(5 variables, 7 columns, 0 left out, scaling='robust')")
