"""Segmentation: sizes hold, orders and units don't matter, words match the numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from audience_nb.catalog import Variable
from audience_nb.encoding import Column, FrameEncoder
from audience_nb.errors import Cancelled, Infeasible, InvalidInput, NotFound
from audience_nb.segments import Segmentation, Trait
from audience_nb.segments.description import describe
from audience_nb.segments.idiom import idiom
from audience_nb.segments.naming import standouts, unique_names
from audience_nb.segments.plane import flatten
from audience_nb.segments.profile import Finding, profile
from audience_nb.segments.representatives import representatives
from audience_nb.segments.terms import is_plural, short_name

PLANTED = ("Age", "Income", "Home", "Owns a car", "Reading", "Since")


def planted(n_each: int = 30, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Four kinds of people, far apart, in mixed order."""
    rng = np.random.default_rng(seed)
    kinds = [
        # age, income, home, car, reading, since
        (25, 30_000, "renter", "no", 4, "2024-01-01"),
        (45, 90_000, "owner", "yes", 2, "2012-01-01"),
        (70, 40_000, "owner", "no", 5, "1999-01-01"),
        (38, 55_000, "parents", "yes", 1, "2018-01-01"),
    ]
    blocks = []
    for kind, (age, income, home, car, reading, since) in enumerate(kinds):
        blocks.append(
            pd.DataFrame(
                {
                    "Age": age + rng.integers(-3, 4, n_each),
                    "Income": income + rng.normal(0, 2000, n_each).round(2),
                    "Home": home,
                    "Owns a car": car,
                    "Reading": np.clip(reading + rng.integers(-1, 2, n_each), 1, 5),
                    "Since": pd.Timestamp(since)
                    + pd.to_timedelta(rng.integers(0, 200, n_each), "D"),
                    "kind": kind,
                }
            )
        )
    frame = pd.concat(blocks, ignore_index=True)
    frame = frame.iloc[rng.permutation(len(frame))].set_axis(
        [f"P{i:03}" for i in range(len(frame))], axis=0
    )
    return frame.drop(columns="kind"), frame["kind"]


@pytest.fixture(scope="module")
def found() -> Segmentation:
    frame, _ = planted()
    return Segmentation.fit(frame, PLANTED, n_segments=4, min_share=0.2, max_share=0.3)


def test_planted_kinds_are_found(found: Segmentation) -> None:
    _, kind = planted()
    table = pd.crosstab(found.labels, kind)
    assert (table.gt(0).sum(axis=1) == 1).all() and (table.gt(0).sum(axis=0) == 1).all()
    assert [s.size for s in found.segments] == [30] * 4
    assert found.bounds == (24, 36)
    assert found.labels.name == "segment" and found.labels.dtype == "int64"
    assert list(found.labels.index) == list(kind.index)
    assert (found.min_share, found.max_share, found.seed, found.n_segments) == (0.2, 0.3, 0, 4)


def test_names_say_what_was_planted(found: Segmentation) -> None:
    by_age = {s.medians["Age"]: s for s in found.segments}
    oldest, youngest = by_age[max(by_age)], by_age[min(by_age)]
    assert "renters" in youngest.name.lower() and "younger" in youngest.name.lower()
    assert "older" in oldest.name.lower()
    assert len({s.name.casefold() for s in found.segments}) == 4
    assert youngest.medians["Home"] == "renter" and youngest.medians["Owns a car"] is False
    assert youngest.medians["Since"].startswith("2024-0")


def test_medians_are_those_of_the_records(found: Segmentation) -> None:
    frame, _ = planted()
    for column in ("Age", "Income"):
        expected = frame[column].groupby(found.labels).median()
        assert [s.medians[column] for s in found.segments] == expected.tolist()
    assert found.to_frame()["Home"].tolist() == (
        frame["Home"].groupby(found.labels).agg(lambda v: v.mode()[0]).tolist()
    )
    assert found.to_frame()["size"].sum() == len(frame)


def test_equal_sizes_are_ordered_by_medians(found: Segmentation) -> None:
    assert [s.id for s in found.segments] == [1, 2, 3, 4]
    # Columns in the order of their codes: age comes first.
    ages = [s.medians["Age"] for s in found.segments]
    assert ages == sorted(ages)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31), st.permutations(PLANTED), st.sampled_from([1.0, 1000.0, 0.001]))
def test_order_and_units_change_no_label(seed: int, columns: list[str], unit: float) -> None:
    frame, _ = planted()
    options = {"n_segments": 5, "min_share": 0.1, "max_share": 0.3}
    before = Segmentation.fit(frame, PLANTED, **options)
    rows = np.random.default_rng(seed).permutation(len(frame))
    moved = frame.iloc[rows].assign(Income=lambda f: f["Income"] * unit)
    after = Segmentation.fit(moved, columns, **options)
    pd.testing.assert_series_equal(after.labels.loc[before.labels.index], before.labels)
    assert [s.name for s in after.segments] == [s.name for s in before.segments]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(40, 90),
    st.integers(0, 1000),
    st.floats(0, 0.5),
    st.sampled_from([(0.05, 0.10), (0.1, 0.4), (0.0, 1.0)]),
)
def test_every_record_is_in_one_segment_within_the_bounds(
    n: int, seed: int, missing: float, shares: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "spent": np.where(rng.random(n) < missing, np.nan, rng.exponential(size=n)),
            "home": rng.choice(["rent", "own", None], n),
            "score": rng.integers(1, 6, n),
        }
    )
    try:
        result = Segmentation.fit(
            frame, list(frame), n_segments="auto", min_share=shares[0], max_share=shares[1]
        )
    except Infeasible:
        low, high = math.ceil(shares[0] * n), math.floor(shares[1] * n)
        assert -(-n // max(high, 1)) > n // max(low, 1)
        return
    sizes = result.labels.value_counts()
    low, high = result.bounds
    assert sizes.sum() == n and sizes.min() >= low and sizes.max() <= high
    assert sizes.loc[range(1, len(sizes) + 1)].is_monotonic_decreasing
    assert len({s.name.casefold() for s in result.segments}) == result.n_segments
    assert int(result.map["count"].sum()) == n


def test_infeasible_sizes_say_so() -> None:
    frame = pd.DataFrame({"x": np.arange(1013.0)})
    with pytest.raises(Infeasible, match=r"1,013"):
        Segmentation.fit(frame, ["x"], n_segments=10)


def test_parameters_repeat_the_fit(found: Segmentation) -> None:
    frame, _ = planted()
    parameters = json.loads(json.dumps(found.parameters))
    again = Segmentation.fit(frame, **parameters)
    pd.testing.assert_series_equal(again.labels, found.labels)
    assert again.cost == found.cost and again.parameters == found.parameters


def test_k_curve_marks_the_choice() -> None:
    frame, _ = planted()
    result = Segmentation.fit(frame, PLANTED, min_share=0.1, max_share=0.5)
    curve = result.k_curve
    assert curve["n_clusters"].tolist() == list(range(2, 11))
    assert curve.loc[curve["chosen"], "n_clusters"].tolist() == [result.n_segments]


# -- profiles --------------------------------------------------------------------------------


def test_effects_against_other_sources() -> None:
    rng = np.random.default_rng(3)
    values = {"x": rng.exponential(size=60).round(1), "b": (rng.random(60) < 0.4) * 1.0}
    places = np.repeat([0, 1, 2], [10, 20, 30])
    number = Column(Variable("x", "Spending"), "numeric", decimals=1)
    yes = Column(Variable("b", "Member"), "boolean", levels=("no", "yes"))
    rows = profile([number, yes], values, places, 3)
    for segment in range(3):
        own = values["x"][places == segment]
        # Mann-Whitney's U over the number of pairs is the mean ridit.
        chance = mannwhitneyu(own, values["x"]).statistic / (len(own) * 60)
        trait = rows[segment][0].trait
        assert trait.effect == pytest.approx(math.sqrt(2) * norm.ppf(chance))
        assert trait.value == np.median(own)
        assert trait.index == pytest.approx(100 * own.mean() / values["x"].mean())
        p, base = values["b"][places == segment].mean(), values["b"].mean()
        member = rows[segment][1].trait
        assert member.effect == pytest.approx(2 * math.asin(p**0.5) - 2 * math.asin(base**0.5))
        assert (member.value, member.base) == (pytest.approx(p), pytest.approx(base))
        assert member.index == pytest.approx(100 * p / base)


def row(column: Column, values: list[float], own: int) -> Finding:
    """Profile the first `own` of the values against all."""
    places = np.array([0] * own + [1] * (len(values) - own))
    return profile([column], {column.code: np.array(values, dtype=float)}, places, 2)[0][0]


def test_texts_of_traits() -> None:
    charges = Column(Variable("c", "Monthly charges", unit="dollars"), "numeric")
    trait = row(charges, [90, 95, 99, 20, 20, 70, 70], 3).trait
    assert trait.text == "Monthly charges: median 95 dollars against 70"
    assert (trait.value, trait.base) == (95, 70)

    rent = Column(Variable("p", "Renters", unit="percent"), "numeric")
    assert row(rent, [90, 95, 99, 20, 20, 70, 70], 3).trait.text == (
        "Renters: median 95% against 70%"
    )

    spent = Column(Variable("s", "Cash advance"), "numeric")
    trait = row(spent, [0, 0, 0, 5, 9, 0, 0, 0, 0, 0], 5).trait
    assert trait.text == "Cash advance: more than 0 40% against 20%"
    assert (trait.value, trait.base, trait.index, trait.measure) == (0.4, 0.2, 200.0, "share")

    scale = Column(Variable("r", "Opera"), "ordinal", levels=("1", "2", "3", "4", "5"))
    trait = row(scale, [4, 4, 3, 0, 0, 1, 1, 1], 3).trait
    assert (trait.text, trait.value, trait.base) == ("Opera: median 5 against 2", 5, 2)
    assert trait.index == pytest.approx(100 * 1 / (3 / 8))

    since = Column(Variable("d", "Customer since"), "date")
    trait = row(since, [15587, 15587, 0, 0, 0], 2).trait
    assert trait.text == "Customer since: median 2012-09-04 against 1970-01-01"
    assert (trait.value, trait.index) == ("2012-09-04", None)

    born = Column(Variable("y", "Year of birth"), "numeric", is_year=True)
    trait = row(born, [1990, 1991, 1957, 1958, 1959], 2).trait
    assert trait.text == "Year of birth: median 1990 against 1959"
    assert trait.index is None

    debt = Column(Variable("n", "Balance"), "numeric")
    assert row(debt, [5, 5, -5, -5, 0], 2).trait.index is None

    home = Column(Variable("h", "Home"), "nominal", levels=("own", "rent"))
    trait = row(home, [1, 1, 0, 0], 2).trait
    assert trait.text == "Home: own 0% against 50%"


def test_a_segment_that_knows_no_value_claims_nothing() -> None:
    for kind, levels in (("numeric", ()), ("boolean", ("no", "yes"))):
        column = Column(Variable("x", "X"), kind, levels=levels)  # type: ignore[arg-type]
        finding = row(column, [math.nan, math.nan, 0, 1], 2)
        assert finding.trait.value is None and finding.trait.effect == 0
        assert finding.trait.text == "X: unknown"
        assert standouts([finding]) == []


# -- names -----------------------------------------------------------------------------------


def finding(
    label: str, kind: str, effect: float, standing: float, level: str = "", **more: object
) -> Finding:
    variable = Variable(label.upper(), label, value_type=kind)  # type: ignore[arg-type]
    column = Column(variable, kind, **more)  # type: ignore[arg-type]
    trait = Trait(variable.code, label, f"{label}: told", 1.0, 0.5, 100.0, effect, level=level)
    return Finding(trait, column, standing)


SCALE = ("1", "2", "3", "4", "5")


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([], "Close to the base"),
        (
            [
                finding("Age", "numeric", -1.2, 0.2),
                finding("Home", "nominal", 1.1, 0.9, "renter"),
                finding("Area type", "nominal", 1.0, 0.8, "urban"),
            ],
            "Younger urban renters",
        ),
        (
            [
                finding("Monthly charges", "numeric", 1.0, 0.8),
                finding("Contract", "nominal", 0.9, 0.8, "Two year"),
            ],
            "High monthly charges, two year contract",
        ),
        (
            [
                finding("Year birth", "numeric", 1.0, 0.8),
                finding("Gender", "nominal", 0.9, 0.97, "female"),
                finding("Opera", "ordinal", 0.8, 0.9, levels=SCALE),
            ],
            "Younger women, very high on opera",
        ),
        (
            [
                finding("Gender", "nominal", 0.3, 0.6, "female"),
                finding("Number of siblings", "numeric", 0.3, 0.6),
            ],
            "Female, many siblings",
        ),
        (
            [
                finding("Partner", "boolean", -1.0, 0.02, levels=("no", "yes")),
                finding("Dependents", "boolean", -0.9, 0.04, levels=("no", "yes")),
                finding("Senior citizen", "boolean", 0.8, 0.9, levels=("no", "yes")),
            ],
            "Senior citizens, no partner or dependents",
        ),
        (
            [
                finding("Paperless billing", "boolean", 0.4, 0.3, levels=("no", "yes")),
                finding("Dependents", "boolean", -0.3, 0.2, levels=("no", "yes")),
            ],
            "More paperless billing, fewer dependents",
        ),
        (
            [
                finding(f"Baking [Weekly] - {text}", "boolean", effect, share, levels=("0", "1"))
                for text, effect, share in [
                    ("Grill meat", 1.2, 0.3),
                    ("Bake bread", 1.1, 0.8),
                    ("Fry fish", -1.0, 0.05),
                ]
            ],
            "Bake bread, more who grill meat",
        ),
        ([finding("Smoking habits", "nominal", 1.0, 0.9, "never smoked")], "Never smoked"),
        ([finding("Village - town", "nominal", 1.0, 0.9, "city")], "City"),
        (
            [finding("Internet usage", "nominal", 1.0, 0.9, "less than an hour a day")],
            "Internet usage: less than an hour a day",
        ),
        ([finding("Online backup", "nominal", 1.0, 0.95, "No")], "No online backup"),
        (
            [
                finding("Science and technology", "ordinal", 1, 0.7, levels=SCALE),
                finding("Opera", "ordinal", 0.9, 0.7, levels=SCALE),
            ],
            "High on science and technology, opera",
        ),
    ],
)
def test_names(rows: list[Finding], name: str) -> None:
    assert unique_names([rows]) == [name]


def test_names_say_what_the_other_does_not_have() -> None:
    first = [finding(label, "numeric", 1.0, 0.8) for label in ("Opera", "Cars", "Golf", "Chess")]
    second = [*first[:3], finding("Chess", "numeric", -1.0, 0.2)]
    assert unique_names([first, second, first[:1]]) == [
        "High opera, cars and chess",
        "High opera and cars, low chess",
        "High opera",
    ]
    assert unique_names([first, first, first]) == [
        "High opera, cars and golf",
        "High opera, cars and chess",
        "High opera, golf and chess",
    ]
    alike = [finding("Opera", "numeric", 1.0, 0.8)]
    assert unique_names([alike, alike]) == ["High opera", "High opera (2)"]


def test_names_fit_a_card_and_are_cut_between_words() -> None:
    long = "I look at things from all different angles before I go ahead."
    rows = [finding(long, "ordinal", 1.0, 0.8, levels=SCALE)]
    (name,) = unique_names([rows])
    assert name == "High on “I look at things…”" and len(name) <= 45
    wide = [finding(f"{w} preference for travelling", "numeric", 1.0, 0.8) for w in "ABCDEFGH"]
    names = unique_names([wide[i:] for i in range(8)])
    assert all(len(name) <= 45 for name in names) and len(set(names)) == 8


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcde"), st.floats(-3, 3)), max_size=5), max_size=8
    )
)
def test_names_are_always_unique(segments: list[list[tuple[str, float]]]) -> None:
    rows = [standouts([finding(f"topic {w}", "numeric", e, 0.5) for w, e in s]) for s in segments]
    names = unique_names(rows)
    assert len({n.casefold() for n in names}) == len(segments) and all(names)


def test_standouts_are_strong_one_a_variable_and_not_repeated() -> None:
    services = [
        finding(f"Service {i}", "nominal", 2.0, 1.0, "No internet service") for i in range(6)
    ]
    small = finding("Height", "numeric", 0.19, 0.55)
    home = [
        finding("Home", "nominal", 0.7, 0.7, "rent"),
        finding("Home", "nominal", -0.8, 0.1, "own"),
    ]
    chosen = standouts([*services, small, *home])
    assert [(f.column.label, f.trait.level) for f in chosen] == [
        ("Service 0", "No internet service"),
        ("Home", "rent"),
    ]


def test_descriptions() -> None:
    rows = [finding("Opera", "numeric", 1, 0.8), finding("Cars", "numeric", 1, 0.8)]
    assert describe(1234, 0.1, rows) == (
        "1,234 records (10.0%) set apart by opera (told) and cars (told)."
    )


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        (Variable("PAY", "Income of the household (2026)"), "income of the household"),
        (Variable("Finances", "I save all the money I can."), "Finances".lower()),
        (Variable("cash_advance_trx", "Cash advance trx"), "cash advance transactions"),
        (Variable("PC", "PC"), "PC"),
        (Variable("rap", "Hiphop, Rap"), "hiphop/Rap"),
        (
            Variable("Q0001I1", "I look at things from all different angles before I go ahead."),
            "“I look at things from all different angles…”",
        ),
        (
            Variable("Q1010203I1", "Baking [Frequently] - Bake with children"),
            "bake with children",
        ),
        (
            Variable("Q1010203I4", "Baking [Rarely/Never] - Bake with children"),
            "bake with children (rarely/never)",
        ),
        (
            Variable("Q8420106I1", "Trust [Strongly agree] - People get what they deserve"),
            "“People get what they deserve”",
        ),
        (
            Variable(
                "B21EDL_UNC_F_P",
                "Women aged 15 and over with a degree, % of women aged 15 and over, 2021 census",
                measure="Women aged 15 and over with a degree",
            ),
            "women with a degree",
        ),
        (
            Variable(
                "C26SHC_P",
                "Households that spend 30% to 49% of income on shelter costs, % of households",
                measure="Households that spend 30% to 49% of income on shelter costs",
            ),
            "households that spend 30% to 49% of income…",
        ),
        *(
            (Variable("A", f"{measure}, number, 2026 estimate", measure=measure), name)
            for measure, name in [
                ("Employed people working as software developers", "software developers"),
                ("Households with a baby boomer maintainer", "baby boomer households"),
                ("Owner households with a millennial maintainer", "millennial owner households"),
                (
                    "People aged 15 to 24 who are international students",
                    "international students aged 15–24",
                ),
                ("People aged 15 and over who are divorced", "people who are divorced"),
                ("Families with income of $200,000 and over", "families with income of $200k+"),
                ("Household debt: mortgage on second home", "mortgage on second home"),
                ("Household assets: total", "household assets"),
                ("One-earner households", "one-earner households"),
                ("Generation X", "Generation X"),
            ]
        ),
        (
            Variable("L1", "Lifestyle: Porch Swing Pensions", kind="lifestyle"),
            "Porch Swing Pensions",
        ),
        (
            Variable("Q2", "Sleep [Agree] - A good bed is worth a lot of money"),
            "“A good bed is worth a lot of money”",
        ),
        (Variable("purchases_trx", "Purchases trx"), "purchase transactions"),
    ],
)
def test_short_names(variable: Variable, name: str) -> None:
    assert short_name(Column(variable, "numeric")) == name


@pytest.mark.parametrize(
    ("term", "plural"),
    [
        ("married couples", True),
        ("network and cloud engineers", True),
        ("people living alone", True),
        ("income of couples", False),
        ("total debt", False),
        ("business of owners", False),
    ],
)
def test_what_is_counted(term: str, plural: bool) -> None:
    assert is_plural(term) is plural


def test_whole_wordings_come_before_beginnings() -> None:
    long = "Avoid a company because of its record with the environment"
    rows = [
        finding(f"Green [Weekly] - {long}", "boolean", 1.2, 0.9, levels=("0", "1")),
        finding("Opera", "numeric", 1.0, 0.8),
    ]
    assert unique_names([rows]) == ["High opera"]
    assert unique_names([rows[:1]]) == ["Avoid a company because of its record with…"]
    studied = finding("Education", "nominal", 1.0, 0.9, "PhD")
    assert unique_names([[studied]]) == ["With a PhD"]


# -- representatives ------------------------------------------------------------------------


def test_a_representative_is_the_record_nearest_to_the_medians(found: Segmentation) -> None:
    frame, _ = planted()
    nearest = representatives(frame, found, PLANTED)
    assert nearest.index.tolist() == [1, 2, 3, 4]
    encoder = FrameEncoder()
    matrix = encoder.fit_transform(frame, PLANTED)
    for id_, row in nearest.iterrows():
        own = matrix[(found.labels == id_).to_numpy()]
        distances = np.abs(own - np.median(own, axis=0)).sum(axis=1) / encoder.total_weight
        assert found.labels[row["record"]] == id_
        assert row["distance"] == pytest.approx(distances.min())
        assert row["Age"] == frame.loc[row["record"], "Age"]
    # Whatever the order of the rows.
    pd.testing.assert_frame_equal(representatives(frame.iloc[::-1], found, PLANTED), nearest)
    with pytest.raises(InvalidInput, match="1 of the 120 records"):
        representatives(frame.iloc[1:], found)
    # A segmentation holds no row that could be shown by chance.
    assert not hasattr(found, "representatives")


# -- map -------------------------------------------------------------------------------------


def test_map_counts_everybody_and_shows_nobody(found: Segmentation) -> None:
    cells = found.map
    assert list(cells.columns) == ["x", "y", "segment", "count", "share"]
    assert int(cells["count"].sum()) == 120 and cells["count"].min() >= 1
    assert cells["segment"].between(1, 4).all() and cells["share"].between(0, 1).all()
    assert list(found.map_centers.columns) == ["segment", "name", "x", "y", "size"]
    assert found.map_centers["name"].tolist() == [s.name for s in found.segments]
    assert all(axis.split(" and ")[0] in PLANTED for axis in found.map_axes)


def test_map_is_the_projection_on_principal_components() -> None:
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(4000, 3)) * [1.0, 5.0, 0.2]
    places = (matrix[:, 1] > 0).astype(np.intp)
    groups = {"A": slice(0, 1), "B": slice(1, 2), "C": slice(2, 3)}
    cells, centers, axes, cell = flatten(matrix, places, 2, groups)
    assert len(cells) <= 900 and axes == ("B", "A")
    # The first axis is nearly the second column, pointing the same way.
    assert centers["x"].tolist() == pytest.approx(
        [m - matrix[:, 1].mean() for m in (matrix[places == j, 1].mean() for j in (0, 1))], rel=0.01
    )
    assert cell[0] == pytest.approx(np.ptp(matrix[:, 1]) / 30, rel=0.01)
    inside = cells[cells["x"].between(-1e9, -2 * cell[0])]
    assert (inside["segment"] == 1).all() and (inside["share"] == 1).all()


# -- results and bad input -------------------------------------------------------------------


def test_representations_show_no_record(found: Segmentation) -> None:
    assert repr(found).startswith(
        "Segmentation(4 segments of 30 to 30 records, 120 records, 6 variables, cost "
    )
    assert "P001" not in repr(found)


def test_profile_frame_has_a_row_for_each_variable_and_level(found: Segmentation) -> None:
    table = found.profile_frame()
    # 5 variables, and 3 levels of Home.
    assert len(table) == 4 * (5 + 3)
    assert table.groupby("segment").size().tolist() == [8] * 4
    home = table[table["code"] == "Home"]
    assert home.groupby("segment")["value"].sum().tolist() == pytest.approx([1] * 4)


def test_renaming(found: Segmentation) -> None:
    renamed = found.rename(2, "  Commuters ")
    assert renamed.segments[1].name == "Commuters" == renamed.map_centers["name"][1]
    assert found.segments[1].name != "Commuters"
    with pytest.raises(InvalidInput, match="Segment 2 is already named"):
        renamed.rename(1, "commuters")
    with pytest.raises(InvalidInput, match="empty"):
        found.rename(1, " ")
    with pytest.raises(NotFound, match="no segment 9 among 4"):
        found.segment(9)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"x": []}), "0 records"),
        (pd.DataFrame({"x": [1]}), "1 record;"),
        (pd.DataFrame({"x": [1, 2, 3]}, index=[7, 7, 8]), "1 of 3 records repeat an index label"),
        (pd.DataFrame({"x": [4] * 50}), "None of the 1 variables"),
    ],
)
def test_bad_frames(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Segmentation.fit(frame, ["x"])


def test_notes_reach_the_result() -> None:
    frame, _ = planted()
    frame = frame.assign(same="x").astype({"Age": float})
    frame.iloc[:3, 0] = np.nan
    result = Segmentation.fit(frame, ["Age", "same"], n_segments=3, min_share=0.2, max_share=0.5)
    assert [note.split(":")[0] for note in result.notes] == ["Age", "Same"]
    assert "3 of 120 values are missing" in result.notes[0]


def test_progress_and_cancel() -> None:
    frame, _ = planted()
    told: list[tuple[str, float]] = []
    options = {"n_segments": 4, "min_share": 0.2, "max_share": 0.3}
    Segmentation.fit(frame, PLANTED, progress=lambda s, f: told.append((s, f)), **options)
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and (fractions[0], fractions[-1]) == (0.0, 1.0)

    def stop(stage: str, fraction: float) -> None:
        if fraction >= 0.05:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        Segmentation.fit(frame, PLANTED, progress=stop, **options)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2020-01-01", periods=120),
        pd.MultiIndex.from_product([["a", "b"], range(60)]),
        pd.Index([i if i % 2 else f"P{i}" for i in range(120)]),
    ],
)
def test_any_unique_index_carries_the_labels(index: pd.Index) -> None:
    frame, _ = planted()
    frame.index = index
    result = Segmentation.fit(frame, PLANTED, n_segments=4, min_share=0.2, max_share=0.3)
    assert result.labels.index.equals(index)
    assert result.labels.value_counts().tolist() == [30] * 4


# -- words of people who sell ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short", "standing", "up", "said"),
    [
        ("spending on wine", 0.9, True, ("lead", "very big spenders on", "wine")),
        ("money spent on gifts", 0.3, False, ("lead", "low spenders on", "gifts")),
        ("days since the last purchase", 0.2, False, ("noun", "", "recent buyers")),
        ("days since last purchase", 0.8, True, ("lead", "long since", "last purchase")),
        ("months since last claim", 0.2, False, ("lead", "recent", "claim")),
        ("cash advance frequency", 0.1, False, ("lead", "very rare", "cash advance")),
        ("web visits", 0.7, True, ("lead", "many", "web visits")),
        ("churn", 0.7, True, ("lead", "high", "churn")),
        ("tenure", 0.7, True, ("adjective", "", "long-standing")),
        ("percent full payment", 0.7, True, ("lead", "mostly", "paying in full")),
        ("height", 0.9, True, None),
    ],
)
def test_sayings(short: str, standing: float, up: bool, said: tuple[str, str, str] | None) -> None:
    assert idiom(short, standing, up) == said


def test_names_say_what_a_marketer_would() -> None:
    rng = np.random.default_rng(0)
    n = 300
    lapsed = np.repeat([0, 1, 2], n // 3)
    frame = pd.DataFrame(
        {
            "days": np.array([5, 40, 90])[lapsed] + rng.integers(0, 5, n),
            "wine": np.array([900.0, 30.0, 200.0])[lapsed] + rng.normal(0, 5, n),
            "kids": np.array([0, 2, 0])[lapsed],
        }
    )
    variables = [
        Variable("days", "Days since the last purchase"),
        Variable("wine", "Spending on wine"),
        Variable("kids", "Number of children at home"),
    ]
    found = Segmentation.fit(frame, variables, n_segments=3, min_share=0.3, max_share=0.4)
    names = {found.labels[i]: found.segment(found.labels[i]).name for i in (0, 100, 200)}
    assert names[found.labels[0]] == "Recent buyers, big spenders on wine"
    assert names[found.labels[100]] == "With children at home, low spenders on wine"
    assert names[found.labels[200]].startswith("Long since last purchase")
