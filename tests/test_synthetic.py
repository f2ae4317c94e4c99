from __future__ import annotations

import base64
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.catalog import Catalog, Variable
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.sources.population import (
    BETWEEN_AREAS,
    CORRELATIONS,
    LATENTS,
    Persons,
    bits,
    correlation,
    drivers,
    lifestyle_codes,
    uniforms,
)
from audience_nb.sources.propensity import propensity_of
from audience_nb.sources.synthetic import RUN_RECORDS, SyntheticSource

AREA = "Estimate for mid-2026 for the area."
RECORDS = [
    {"code": "AGE", "label": "Age", "unit": "years", "value_range": "18|95", "kind": "demographic"},
    {"code": "INCOME", "label": "Household income", "unit": "dollars", "value_range": "0|600000"},
    {"code": "SCHOOL", "label": "Years of education", "unit": "years", "value_range": "0|25"},
    {"code": "MINUTES", "label": "Time spent on streaming", "unit": "minutes"},
    {"code": "BIKE", "label": "Owns a bicycle", "value_type": "boolean"},
    {"code": "LIKES", "label": "Likes it", "value_type": "ordinal", "values": "1|2|3|4|5"},
    {"code": "TIER", "label": "Tier", "value_type": "ordinal", "values": "low|middle|high"},
    {"code": "REGION", "label": "Region", "value_type": "nominal", "values": "North|East|South"},
    {"code": "JOINED", "label": "Joined on", "value_type": "date"},
    {"code": "SAYS", "label": "What they say", "value_type": "text"},
    *(
        {
            "code": f"{period}{unit}",
            "label": f"Population aged 25 to 29, {words}, {year} estimate",
            "measure": "Population aged 25 to 29",
            "description": AREA,
            "unit": "count" if unit == "N" else "percent",
            "value_range": "0|1000" if unit == "N" else "0|40",
        }
        for period, year in (("C26", 2026), ("P31", 2031))
        for unit, words in (("N", "number"), ("P", "% of population"))
    ),
    {
        "code": "OLD",
        "label": "Population aged 75 to 79, % of population, 2026 estimate",
        "description": AREA,
        "unit": "percent",
        "value_range": "0|40",
    },
    {
        "code": "RICH",
        "label": "Households with income of $200,000 and over, % of households, 2026 estimate",
        "description": AREA,
        "unit": "percent",
        "value_range": "0|60",
    },
    {
        "code": "AVG",
        "label": "Household income, average, 2026 estimate",
        "measure": "Household income, area",
        "description": AREA,
        "unit": "dollars",
        "value_range": "0|600000",
    },
    {
        "code": "DEGREE",
        "label": "People with a bachelor's degree, % of population, 2026 estimate",
        "description": AREA,
        "unit": "percent",
        "value_range": "0|60",
    },
    *(
        {
            "code": f"Q515040{band}I{band}",
            "label": f"Environment [{words}] - Compost at home",
            "measure": "Environment - Compost at home",
            "value_type": "boolean",
            "kind": "behavioral",
        }
        for band, words in (
            (1, "Daily"),
            (2, "Weekly"),
            (3, "At least monthly"),
            (4, "Less often/Never"),
        )
    ),
]
CODES = [record["code"] for record in RECORDS]
ATTRIBUTES = (
    *("customer_id", "postal_code", "email", "rampid", "uid2", "lifestyle"),
    *("consent_ads", "consent_sharing", "do_not_sell"),
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.from_records(RECORDS)


@pytest.fixture(scope="module")
def large(catalog: Catalog) -> pd.DataFrame:
    return SyntheticSource(catalog, 20_000).fetch([*CODES, *ATTRIBUTES])


# --- one value, however it is asked for --------------------------------------------------------


def test_alone_together_or_reversed_gives_the_same(catalog: Catalog) -> None:
    source = SyntheticSource(catalog, 300)
    names = [*CODES, *ATTRIBUTES]
    together = source.fetch(names)
    assert list(together.columns) == names
    pd.testing.assert_frame_equal(source.fetch(names[::-1])[names], together)
    for name in names:
        pd.testing.assert_frame_equal(source.fetch([name]), together[[name]])


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(st.sampled_from([*CODES, *ATTRIBUTES]), min_size=1, max_size=6, unique=True),
    n_records=st.integers(1, 400),
    random_state=st.integers(-3, 2**70),
)
def test_any_subset_of_any_size_is_the_same(
    names: list[str], n_records: int, random_state: int
) -> None:
    catalog = Catalog.from_records(RECORDS)
    few = SyntheticSource(catalog, n_records, random_state=random_state).fetch(names)
    many = SyntheticSource(catalog, 400, random_state=random_state).fetch(sorted(names))
    pd.testing.assert_frame_equal(few, many[names].head(n_records), check_index_type=False)


def test_runs_of_records_join_without_a_seam(catalog: Catalog) -> None:
    n_records = RUN_RECORDS + 40
    names = ["AGE", "C26P", "postal_code", "rampid", "lifestyle"]
    whole = SyntheticSource(catalog, n_records).fetch(names)
    few = SyntheticSource(catalog, 500).fetch(names)
    pd.testing.assert_frame_equal(whole.head(500), few, check_index_type=False)
    beyond = Persons(0, RUN_RECORDS - 5, n_records)
    assert whole["postal_code"].iloc[RUN_RECORDS - 5 :].tolist() == beyond.postal_codes().tolist()


def test_the_rest_of_the_catalogue_does_not_matter(catalog: Catalog) -> None:
    alone = Catalog.from_records([r for r in RECORDS if r["code"] == "Q5150402I2"])
    pd.testing.assert_frame_equal(
        SyntheticSource(alone, 200).fetch(["Q5150402I2"]),
        SyntheticSource(catalog, 200).fetch(["Q5150402I2"]),
    )


def test_values_are_pinned_for_every_machine(catalog: Catalog) -> None:
    def value(seed: int, record: int, name: str) -> object:
        frame = SyntheticSource(catalog, record + 1, random_state=seed).fetch([name])
        return frame[name].iloc[record]

    assert value(0, 0, "AGE") == 49
    assert value(7, 123, "C26P") == 17.67
    assert value(42, 70_000, "postal_code") == "T3E 2Y5"
    assert value(0, 999, "INCOME") == 63709.0
    assert bits(1, "a name", np.array([5], dtype=np.uint64)).tolist() == [3018497972399138803]


def test_another_seed_is_another_population(catalog: Catalog) -> None:
    one, other = (
        SyntheticSource(catalog, 1000, random_state=seed).fetch(["INCOME"])["INCOME"]
        for seed in (0, 1)
    )
    assert (one == other).mean() < 0.01
    # The same world, though: its magnitudes do not depend on the seed.
    assert one.median() == pytest.approx(other.median(), rel=0.15)


# --- latents ------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["person", "area"])
def test_latents_correlate_as_documented(catalog: Catalog, level: str) -> None:
    latents = SyntheticSource(catalog, 20_000).latents(level=level)  # type: ignore[arg-type]
    assert tuple(latents.columns) == LATENTS
    observed = latents.corr()
    # Records of one area are alike, so the sampling error is that of 5,000 areas: 4 / sqrt(5000).
    for one in LATENTS:
        for other in LATENTS:
            assert observed.loc[one, other] == pytest.approx(correlation(one, other), abs=0.057)
    assert latents.mean().abs().max() < 0.057
    assert (latents.std() - 1).abs().max() < 0.05


def test_documented_correlations_are_these() -> None:
    assert correlation("income", "education") == 0.45
    assert correlation("age", "income") == 0.20
    assert correlation("family", "age") == -0.30
    assert correlation("urban", "education") == 0.25
    assert correlation("tech", "age") == -0.40
    assert correlation("green", "francophone") == 0.0
    matrix = [[correlation(a, b) for b in LATENTS] for a in LATENTS]
    assert np.linalg.eigvalsh(matrix).min() == pytest.approx(0.29897, abs=1e-5)
    assert all(one in LATENTS and other in LATENTS for one, other in CORRELATIONS)


def test_neighbours_are_alike(catalog: Catalog) -> None:
    source = SyntheticSource(catalog, 20_000)
    persons, areas = source.latents(), source.latents(level="area")
    for name in ("age", "income", "green"):
        between = np.corrcoef(persons[name], areas[name])[0, 1]
        assert between == pytest.approx(BETWEEN_AREAS**0.5, abs=0.03)
    assert (persons["urban"] == areas["urban"]).all()


def test_latents_refuse_unknown_names(catalog: Catalog) -> None:
    with pytest.raises(NotFound, match="'luck' is none of the 17 latents"):
        SyntheticSource(catalog, 5).latents(["age", "luck"])
    with pytest.raises(InvalidInput, match="level is 'town'"):
        SyntheticSource(catalog, 5).latents(level="town")  # type: ignore[arg-type]


@given(st.integers(), st.text(max_size=20))
def test_uniforms_are_inside_the_unit_interval(seed: int, stream: str) -> None:
    drawn = uniforms(seed, stream, np.arange(500, dtype=np.uint64))
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert len(set(drawn)) == 500


def test_uniforms_are_uniform_and_streams_independent() -> None:
    counters = np.arange(100_000, dtype=np.uint64)
    one, other = (uniforms(0, name, counters) for name in ("one", "other"))
    counts = np.bincount((one * 20).astype(int), minlength=20)
    # Chi-squared with 19 degrees of freedom: 50 is beyond its 0.9999 quantile.
    assert ((counts - 5000) ** 2 / 5000).sum() < 50
    limit = 4.5 / math.sqrt(len(counters))
    assert abs(np.corrcoef(one, other)[0, 1]) < limit
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < limit


# --- values -------------------------------------------------------------------------------------


def test_values_follow_the_latents(catalog: Catalog, large: pd.DataFrame) -> None:
    latents = SyntheticSource(catalog, 20_000).latents()
    assert np.corrcoef(large["AGE"], latents["age"])[0, 1] > 0.6
    assert np.corrcoef(np.log(large["INCOME"]), latents["income"])[0, 1] > 0.6
    # .7 x .7 x .45 between the propensities.
    observed = np.corrcoef(np.log(large["INCOME"]), large["SCHOOL"])[0, 1]
    assert observed == pytest.approx(0.7 * 0.7 * 0.45, abs=0.04)
    areas = SyntheticSource(catalog, 20_000).latents(level="area")
    assert np.corrcoef(large["AVG"], areas["income"])[0, 1] > 0.6
    assert np.corrcoef(large["DEGREE"], areas["education"])[0, 1] > 0.3


@pytest.mark.parametrize(
    ("code", "latent", "centre"),
    [
        ("C26P", "age", (27 - 48) / 18),
        ("OLD", "age", (77 - 48) / 18),
        ("RICH", "income", math.log(200_000 * 2**0.5 / 85_000) / 0.7),
    ],
)
def test_stated_bands_draw_on_nearness(
    catalog: Catalog, large: pd.DataFrame, code: str, latent: str, centre: float
) -> None:
    values = SyntheticSource(catalog, 20_000).latents([latent], level="area")[latent]
    distance = (values - centre) ** 2
    assert np.corrcoef(large[code], distance)[0, 1] < -0.4
    near, far = large[code][distance < 0.25], large[code][distance > 4]
    assert near.median() > 1.3 * far.median()


def test_years_of_one_measure_agree(large: pd.DataFrame) -> None:
    assert np.corrcoef(large["C26P"], large["P31P"])[0, 1] > 0.9
    assert not large["C26P"].equals(large["P31P"])


def test_count_is_the_share_of_the_areas_size(large: pd.DataFrame) -> None:
    # Whole numbers of a few: keep to counts whose rounding is below 1 %.
    clear = large[(large["C26N"] > 50) & (large["P31N"] > 50)]
    size = clear["C26N"] / clear["C26P"]
    later = clear["P31N"] / clear["P31P"]
    assert len(clear) > 500
    assert (size / later - 1).abs().max() < 0.03


def test_what_is_of_an_area_is_one_value_for_each_postal_code(large: pd.DataFrame) -> None:
    codes = large.groupby("postal_code")
    for name in ("C26P", "C26N", "RICH", "AVG", "lifestyle"):
        assert codes[name].nunique().max() == 1
    assert codes["AGE"].nunique().max() > 1
    assert codes["INCOME"].nunique().max() > 1


def test_bands_of_one_question_exclude_or_include_each_other(large: pd.DataFrame) -> None:
    daily, weekly, monthly, never = (large[f"Q515040{band}I{band}"] for band in (1, 2, 3, 4))
    assert ((daily + weekly) <= 1).all()
    assert (monthly + never == 1).all()
    assert (monthly >= daily).all()
    assert (monthly >= weekly).all()
    assert 0 < daily.mean() < monthly.mean() < 1
    assert weekly.mean() > 0


def test_values_keep_to_their_types(large: pd.DataFrame) -> None:
    for name in ("C26P", "P31P", "OLD", "RICH", "DEGREE"):
        assert large[name].between(0, 60).all()
        assert (large[name].round(2) == large[name]).all()
    for name in ("C26N", "P31N"):
        assert large[name].dtype == np.int64
        assert large[name].between(0, 1000).all()
    assert large["AGE"].dtype == np.int64
    assert large["AGE"].between(18, 95).all()
    assert large["MINUTES"].between(0, 240).all()
    for name in ("INCOME", "AVG"):
        assert (large[name] % 1 == 0).all()
        assert large[name].between(0, 600_000).all()
        assert 60_000 < large[name].median() < 120_000
    assert set(large["BIKE"]) == {0, 1}
    assert set(large["LIKES"]) == {1, 2, 3, 4, 5}
    assert list(large["TIER"].cat.categories) == ["low", "middle", "high"]
    assert large["TIER"].cat.ordered
    assert set(large["REGION"]) == {"North", "East", "South"}
    assert not large["REGION"].cat.ordered
    assert large["JOINED"].min() >= pd.Timestamp("2016-01-01")
    assert large["JOINED"].max() <= pd.Timestamp("2025-12-31")
    assert large["SAYS"].nunique() == 5
    assert int(large.isna().sum().sum()) == 0


def test_a_topic_nobody_knows_loads_weakly_but_the_same_everywhere() -> None:
    record = {"code": "X", "label": "Zorbing", "value_type": "numeric", "value_range": "0|10"}
    source = SyntheticSource(Catalog.from_records([record]), 20_000)
    values = source.fetch(["X"])["X"]
    strongest = source.latents().corrwith(values).abs().max()
    assert 0.02 < strongest < 0.45
    again = SyntheticSource(Catalog.from_records([{**record, "code": "Y"}]), 20_000)
    assert (again.fetch(["Y"])["Y"] == values).all()


# --- attributes ---------------------------------------------------------------------------------


def test_identifiers_have_their_shapes_and_are_unique(large: pd.DataFrame) -> None:
    assert large["customer_id"].str.fullmatch(r"C\d{7}").all()
    assert (large["customer_id"] == large.index).all()
    assert large["rampid"].str.fullmatch(r"XY[A-Za-z0-9_-]{47}").all()
    assert large["uid2"].str.fullmatch(r"[A-Za-z0-9+/]{43}=").all()
    assert all(len(base64.b64decode(text, validate=True)) == 32 for text in large["uid2"][:500])
    reencoded = [base64.b64encode(base64.b64decode(t)).decode() for t in large["uid2"][:500]]
    assert reencoded == large["uid2"][:500].tolist()
    assert large["email"].str.fullmatch(r"c\d{7}@(example\.com|mail\.invalid)").all()
    for name in ("customer_id", "email", "rampid", "uid2"):
        assert large[name].is_unique


def test_postal_codes_follow_the_area(catalog: Catalog, large: pd.DataFrame) -> None:
    code = large["postal_code"]
    letter, first = "[ABCEGHJ-NPRSTV-Z]", "[ABCEGHJ-NPRSTVXY]"
    assert code.str.fullmatch(rf"{first}\d{letter} \d{letter}\d").all()
    latents = SyntheticSource(catalog, 20_000).latents(["urban", "francophone"], level="area")
    assert ((code.str[1] == "0") == (latents["urban"] < -0.915365)).all()
    assert (code.str[0].isin(list("GHJ")) == (latents["francophone"] > 0.772193)).all()
    assert (code.str[1] == "0").mean() == pytest.approx(0.18, abs=0.03)
    # About four records an area, and no two areas with one code.
    assert 3.5 < len(code) / code.nunique() < 4.5
    assert latents.groupby(code.to_numpy())["urban"].nunique().max() == 1


def test_consent_rates_and_order(large: pd.DataFrame) -> None:
    assert large["consent_ads"].dtype == bool
    assert large["consent_ads"].mean() == pytest.approx(0.72, abs=0.015)
    assert large["consent_sharing"].mean() == pytest.approx(0.46, abs=0.015)
    assert large["do_not_sell"].mean() == pytest.approx(0.08, abs=0.01)
    assert not (large["consent_sharing"] & ~large["consent_ads"]).any()


def test_beyond_ten_million_ids_stay_unique() -> None:
    from audience_nb.sources.synthetic import _customer_ids

    ids = _customer_ids(Persons(0, 9_999_998, 10_000_001))
    assert ids.tolist() == ["C9999999", "C10000000", "C10000001"]


# --- the demo catalogue -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Catalog:
    return Catalog.demo()


def test_lifestyle_is_the_nearest_profile(demo: Catalog) -> None:
    import csv

    from audience_nb.catalog import demo_file

    source = SyntheticSource(demo, 2000)
    with demo_file("lifestyles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    profiles = np.array([[float(row[name]) for name in LATENTS] for row in rows])
    offsets = np.array([float(row["offset"]) for row in rows])
    latents = source.latents(level="area").to_numpy()
    distance = ((latents[:, None, :] - profiles[None]) ** 2).sum(axis=2) + offsets
    expected = np.array([row["code"] for row in rows])[distance.argmin(axis=1)]
    given = source.fetch(["lifestyle", *lifestyle_codes()])
    assert given["lifestyle"].tolist() == expected.tolist()
    flags = given[list(lifestyle_codes())]
    assert (flags.sum(axis=1) == 1).all()
    assert flags.idxmax(axis=1).tolist() == expected.tolist()


def test_every_lifestyle_occurs_and_none_prevails(demo: Catalog) -> None:
    given = SyntheticSource(demo, 60_000).fetch(["lifestyle"])["lifestyle"]
    shares = given.value_counts(normalize=True)
    assert len(shares) == 68
    assert shares.min() > 0.003
    assert shares.max() < 0.04


def test_drivers_explain_a_legal_part_of_every_topic() -> None:
    for topic, loadings in drivers().items():
        assert set(loadings) <= set(LATENTS), topic
        assert all(-1 <= value <= 1 for value in loadings.values()), topic


def test_every_kind_of_demo_variable_can_be_drawn(demo: Catalog) -> None:
    source = SyntheticSource(demo, 200)
    codes = demo.codes[::97]
    frame = source.fetch(codes)
    assert list(frame.columns) == codes
    assert int(frame.isna().sum().sum()) == 0
    for code in codes:
        variable = demo[code]
        if variable.value_type == "boolean":
            assert set(frame[code]) <= {0, 1}
        elif variable.value_range is not None:
            low, high = variable.value_range
            assert frame[code].between(low, high).all(), code
            assert frame[code].nunique() > 1, code


def test_demo_answer_bands_are_consistent(demo: Catalog) -> None:
    frame = demo.frame
    statements = frame[frame["label"].str.contains("[Occasionally/Frequently]", regex=False)]
    assert len(statements) > 20
    source = SyntheticSource(demo, 1000)
    for measure in statements["measure"].head(10):
        of_measure = frame[frame["measure"] == measure]
        bands = dict(
            zip(of_measure["label"].str.extract(r"\[(.+)\]")[0], of_measure["code"], strict=True)
        )
        values = source.fetch(list(bands.values()))
        often, some = values[bands["Frequently"]], values[bands["Occasionally"]]
        either = values[bands["Occasionally/Frequently"]]
        assert (often + some == either).all()
        if "Rarely/Never" in bands:
            assert (either + values[bands["Rarely/Never"]] == 1).all()


def test_every_propensity_has_unit_variance(demo: Catalog) -> None:
    persons = Persons(5, 0, 40_000)
    banded = 0
    for code in demo.codes[::499]:
        propensity = propensity_of(demo[code], "person")
        drawn = propensity.draw(persons)
        banded += propensity.near is not None
        assert drawn.std() == pytest.approx(1.0, abs=0.05), code
        assert drawn.mean() == pytest.approx(0.0, abs=0.07), code
        assert propensity.noise**2 >= 0.2 - 1e-12
    assert banded > 10


@pytest.mark.parametrize(
    ("label", "near"),
    [
        ("Female population aged under 5, number", ("age", (2.5 - 48) / 18)),
        ("People aged 75 and over who volunteer, number", ("age", (82.5 - 48) / 18)),
        ("Households, maintainer under 35, number", ("age", (17.5 - 48) / 18)),
        ("Millennials (born 1981 to 1996), number", ("age", (37.5 - 48) / 18)),
        (
            "Households with income of $20,000 to $39,999, % of households",
            ("income", math.log((20_000 * 39_999) ** 0.5 / 85_000) / 0.7),
        ),
        (
            "Men aged 15 and over with income of under $10,000, % of men aged 15 and over",
            ("income", math.log(7_000 / 45_000) / 0.7),
        ),
        ("People aged 15 and over with a bachelor's degree, number", ("education", 0.9)),
        # The band is the base, a universe, a part of an average, or no band of income.
        ("Women aged 25 to 34 who cycle, % of women aged 25 to 34", None),
        ("Households with no car, maintainer under 35, % of households in this age group", None),
        ("People aged 15 and over who are retired, number", None),
        ("Spending on eggs, household income under $40,000, average per household", None),
        ("Dwellings valued at $600,000 to $699,999, number", None),
        ("Employed people working as college instructors, number", None),
    ],
)
def test_which_band_a_label_states(label: str, near: tuple[str, float] | None) -> None:
    given = propensity_of(Variable("X", label, kind="demographic"), "area").near
    if near is None:
        assert given is None
    else:
        assert given is not None
        assert given[0] == near[0]
        assert given[1] == pytest.approx(near[1])
        assert given[2] > 0
    # What a person says of themselves is not cut by bands.
    assert propensity_of(Variable("X", label, kind="behavioral"), "person").near is None


# --- bad input ----------------------------------------------------------------------------------


def test_refuses_what_it_cannot_draw(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="0 records were asked for"):
        SyntheticSource(catalog, 0)
    with pytest.raises(InvalidInput, match=r"n_records is 2\.5"):
        SyntheticSource(catalog, 2.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="random_state is None"):
        SyntheticSource(catalog, 5, random_state=None)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match=r"1 of 2 columns .* the first is 'GONE'"):
        SyntheticSource(catalog, 5).fetch(["AGE", "GONE"])


def test_a_catalogue_may_use_the_name_of_an_attribute() -> None:
    catalog = Catalog.from_records([{"code": "email", "label": "Opens e-mail", "type": "boolean"}])
    source = SyntheticSource(catalog, 50)
    assert "email" not in source.attributes
    assert set(source.fetch(["email"])["email"]) == {0, 1}
