from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.lifestyles import (
    Lifestyle,
    LifestyleSystem,
    by_postal_code,
    by_profile,
    entropy,
    how_to_read,
    read_postal_codes,
)
from audience_nb.session import Session


@pytest.fixture
def system() -> LifestyleSystem:
    types = [("01", "Settled"), ("02", "On the move"), ("03", "By the sea"), ("04", "Downtown")]
    return LifestyleSystem([Lifestyle(code, name) for code, name in types], name="Four")


def test_profile_by_hand(system: LifestyleSystem) -> None:
    codes = pd.Series(["01", "01", "01", "02", "02", "03", "03", "03", "03", "01"])
    labels = pd.Series([1, 1, 1, 1, 2, 2, 2, 2, 2, 2], name="segment")
    profile = system.profile(codes, labels)
    assert profile[["segment", "lifestyle", "name", "count"]].values.tolist() == [
        [1, "01", "Settled", 3],
        [1, "02", "On the move", 1],
        [2, "03", "By the sea", 4],
        [2, "01", "Settled", 1],
        [2, "02", "On the move", 1],
    ]
    assert profile["share"].tolist() == pytest.approx([3 / 4, 1 / 4, 4 / 6, 1 / 6, 1 / 6])
    assert profile["base_share"].tolist() == pytest.approx([0.4, 0.2, 0.4, 0.4, 0.2])
    assert profile["index"].tolist() == pytest.approx(
        [187.5, 125.0, 100 * (2 / 3) / 0.4, 100 * (1 / 6) / 0.4, 100 * (1 / 6) / 0.2]
    )
    first = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    second = -(4 / 6 * math.log(4 / 6) + 2 * (1 / 6) * math.log(1 / 6))
    assert profile["entropy"].tolist() == pytest.approx([first] * 2 + [second] * 3)
    assert profile["diversity"].tolist() == pytest.approx(
        [first / math.log(4)] * 2 + [second / math.log(4)] * 3
    )
    assert profile.attrs["notes"] == []
    assert profile.attrs["unknown"] == {}


def test_diversity_is_exact_at_both_ends(system: LifestyleSystem) -> None:
    codes = pd.Series(["01"] * 5 + ["01", "02", "03", "04"] * 3)
    labels = pd.Series(["one"] * 5 + ["all"] * 12)
    profile = system.profile(codes, labels).set_index("segment")
    assert profile.loc["one", "diversity"] == 0.0
    assert (profile.loc["all", "diversity"] == 1.0).all()
    assert (profile.loc["all", "entropy"] == math.log(4)).all()


def test_diversity_of_67_equal_types_is_exactly_one() -> None:
    types = LifestyleSystem([Lifestyle(f"{i:02d}", f"Type {i}") for i in range(1, 68)])
    codes = pd.Series(np.tile(types.codes, 3))
    profile = types.profile(codes, pd.Series(7, index=codes.index))
    assert len(profile) == 67
    assert set(profile["diversity"]) == {1.0}
    assert profile["index"].tolist() == pytest.approx([100.0] * 67)


def test_a_system_of_one_type_has_no_diversity() -> None:
    lone = LifestyleSystem([Lifestyle("A", "Everybody")])
    profile = lone.profile(pd.Series(["A", "A"]), pd.Series([1, 1]))
    assert profile[["share", "index", "entropy", "diversity"]].values.tolist() == [[1, 100, 0, 0]]


def test_ties_stand_in_the_order_of_the_table(system: LifestyleSystem) -> None:
    profile = system.profile(pd.Series(["04", "02", "03", "01"]), pd.Series([1, 1, 1, 1]))
    assert profile["lifestyle"].tolist() == ["01", "02", "03", "04"]


def test_unknown_and_missing_codes_are_counted(system: LifestyleSystem) -> None:
    codes = pd.Series(["01", "77", "77", None, "02", "99"])
    labels = pd.Series([1, 1, 1, 2, 3, None])
    profile = system.profile(codes, labels)
    assert profile.attrs["unknown"] == {"77": 2, "99": 1, "": 1}
    assert profile.attrs["notes"] == [
        "3 of 6 records have 2 codes that Four lacks, most often '77'; shares leave them out.",
        "1 of 6 records have no lifestyle code; shares leave them out.",
        "1 of 6 records are in no segment; they count in the base only.",
        "Segments without any known lifestyle code: 2.",
    ]
    assert profile["count"].tolist() == [1, 1]
    assert profile["base_share"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    "codes",
    [
        pd.Series([1, 2, 3, 4]),
        pd.Series([1.0, 2.0, 3.0, 4.0]),
        pd.Series(["1", "2", " 3", "04 "]),
        pd.Series(["01", "02", "03", "04"], dtype="category"),
    ],
    ids=["int", "float", "unpadded", "category"],
)
def test_codes_that_a_spreadsheet_changed_still_match(
    system: LifestyleSystem, codes: pd.Series
) -> None:
    profile = system.profile(codes, pd.Series([1, 1, 1, 1]))
    assert profile["lifestyle"].tolist() == ["01", "02", "03", "04"]
    assert profile.attrs["unknown"] == {}


def test_labels_are_matched_by_index(system: LifestyleSystem) -> None:
    codes = pd.Series(["01", "02", "03"], index=["a", "b", "c"])
    labels = pd.Series([3, 2, 1], index=["c", "b", "a"])
    profile = system.profile(codes, labels)
    assert dict(zip(profile["segment"], profile["lifestyle"], strict=True)) == {
        1: "01",
        2: "02",
        3: "03",
    }


def test_labels_of_other_records_are_refused(system: LifestyleSystem) -> None:
    with pytest.raises(InvalidInput, match=r"2 codes and 3 labels share 1 records"):
        system.profile(pd.Series(["01", "02"], index=[1, 2]), pd.Series([1, 1, 1], index=[2, 3, 4]))


def test_no_known_code_is_refused(system: LifestyleSystem) -> None:
    with pytest.raises(InvalidInput, match="None of 2 records has one of the 4 codes of Four"):
        system.profile(pd.Series(["X", "Y"]), pd.Series([1, 1]))


def test_how_to_read(system: LifestyleSystem) -> None:
    codes = pd.Series(["01", "01", "01", "02", "02", "03", "03", "03", "03", "01"])
    profile = system.profile(codes, pd.Series([1, 1, 1, 1, 2, 2, 2, 2, 2, 2]))
    assert how_to_read(profile) == how_to_read(profile, 1)
    assert how_to_read(profile, 2) == (
        "In segment 2, 66.7 % of records are By the sea, against 40.0 % of the base: index 167, "
        "1.67 times as common as in the base. Diversity 0.63 of at most 1: 0 would be a single "
        "type, 1 all types equally often."
    )
    with pytest.raises(NotFound, match="5 rows, none for segment 9"):
        how_to_read(profile, 9)
    whole = system.profile(codes, pd.Series(1, index=codes.index))
    assert "index 100, as common as in the base" in how_to_read(whole)


def test_read_takes_67_types_and_foreign_columns(tmp_path) -> None:
    path = tmp_path / "Prism like.csv"
    rows = "\n".join(f'{i:02d},"Type {i}, urban",U{i % 5},F1,{i * 1000}' for i in range(1, 68))
    path.write_text(f"\ufeffCode,Name,social_group,lifestage_group,households\n{rows}\n", "utf-8")
    system = LifestyleSystem.read(path)
    assert (len(system), system.name) == (67, "Prism like")
    assert system["07"] == Lifestyle("07", "Type 7, urban", "U2", "F1")
    assert system.codes[-1] == "67"


def test_read_says_what_is_wrong(tmp_path) -> None:
    with pytest.raises(NotFound, match=r"no file 'none\.csv'"):
        LifestyleSystem.read(tmp_path / "none.csv")
    path = tmp_path / "t.csv"
    path.write_text("id,name\n1,a\n")
    with pytest.raises(DamagedFile, match=r"t\.csv has no column code among 2"):
        LifestyleSystem.read(path)
    path.write_text("code,name\n1,a\n1,b\n2,c\n")
    with pytest.raises(InvalidInput, match="1 of 3 types repeat a code; '1' stands 2 times"):
        LifestyleSystem.read(path)
    path.write_text("code,name\n1,\n2,b\n")
    with pytest.raises(InvalidInput, match="1 of 2 types lack a code or a name"):
        LifestyleSystem.read(path)
    path.write_text("code,name\n")
    with pytest.raises(InvalidInput, match="0 types"):
        LifestyleSystem.read(path)
    path.write_bytes(b"code,name\n1,caf\xe9\n")
    with pytest.raises(DamagedFile, match="cannot be read as CSV"):
        LifestyleSystem.read(path)


def test_demo_has_68_types() -> None:
    system = LifestyleSystem.demo()
    assert len(system) == 68
    assert system.codes == tuple(f"LS{i:02d}" for i in range(1, 69))
    assert len({lifestyle.name for lifestyle in system}) == 68
    assert all(t.social_group and t.lifestage_group and t.description for t in system)
    assert "LS68" in system
    assert "LS69" not in system
    with pytest.raises(NotFound, match="68 has the code 'LS69'"):
        system["LS69"]


@pytest.mark.parametrize("counts", [[], [0, 0], [3, -1]])
def test_entropy_of_nothing_is_refused(counts: list[int]) -> None:
    with pytest.raises(InvalidInput):
        entropy(counts)


def test_entropy_by_hand() -> None:
    assert entropy([9]) == 0.0
    assert entropy([3, 0, 3]) == math.log(2)
    assert entropy([2, 1, 1]) == pytest.approx(1.5 * math.log(2))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=80).filter(any))
def test_entropy_stays_within_its_bounds(counts: list[int]) -> None:
    present = [count for count in counts if count]
    value = entropy(counts)
    assert 0 <= value <= math.log(len(present)) + 1e-12
    assert value == pytest.approx(entropy(sorted(counts)), abs=1e-12)
    assert value == pytest.approx(entropy([3 * count for count in counts]), abs=1e-12)


@given(st.lists(st.tuples(st.sampled_from(["01", "02", "03", "04"]), st.integers(1, 4))))
def test_profile_adds_up(rows: list[tuple[str, int]]) -> None:
    rows = [*rows, ("01", 1)]
    types = LifestyleSystem([Lifestyle(code, code) for code in ("01", "02", "03", "04")])
    codes = pd.Series([code for code, _ in rows])
    labels = pd.Series([label for _, label in rows])
    profile = types.profile(codes, labels)
    assert profile["count"].sum() == len(rows)
    assert profile.groupby("segment")["share"].sum().tolist() == pytest.approx(
        [1.0] * labels.nunique()
    )
    assert profile["diversity"].between(0, 1).all()
    # Weighted by the segments' sizes, shares come back to the base's.
    sizes = labels.value_counts()
    back = (profile["share"] * profile["segment"].map(sizes)).groupby(profile["lifestyle"]).sum()
    base = profile.groupby("lifestyle")["base_share"].first() * len(rows)
    assert back.tolist() == pytest.approx(base.tolist())


# -- by postal code -------------------------------------------------------------------------------


def test_the_longest_beginning_wins(system: LifestyleSystem) -> None:
    table = {"M": "01", "M5V": "02", "m5v 2t6": "03", "90210": "04"}
    given = pd.Series(["M5V-2T6", "m5v 2t7", "M1A 1A1", "90210-1234", "H2X 1Y4", None])
    types = by_postal_code(given, table, system)
    assert types.tolist() == ["03", "02", "01", "04", None, None]
    assert types.attrs["notes"] == [
        "1 of 6 records have a postal code that none of the 4 in the table begins.",
        "1 of 6 records have no postal code.",
    ]


def test_numbers_get_their_leading_zeros_back(system: LifestyleSystem) -> None:
    types = by_postal_code(pd.Series([2139, 90210.0]), {"02139": "01", "902": "02"}, system)
    assert types.tolist() == ["01", "02"]


@given(
    st.dictionaries(
        st.text("AB1", min_size=1, max_size=4), st.sampled_from(["01", "02", "03"]), min_size=1
    ),
    st.lists(st.text("AB1", min_size=1, max_size=6), min_size=1, max_size=10),
)
def test_every_match_is_the_longest(table: dict[str, str], codes: list[str]) -> None:
    types = LifestyleSystem([Lifestyle(code, code) for code in ("01", "02", "03")])
    found = by_postal_code(pd.Series(codes), table, types)
    for code, kind in zip(codes, found, strict=True):
        fitting = [prefix for prefix in table if code.startswith(prefix)]
        assert kind == (table[max(fitting, key=len)] if fitting else None)


def test_tables_of_postal_codes_that_are_wrong(system: LifestyleSystem, tmp_path) -> None:
    given = pd.Series(["M5V 2T6"])
    with pytest.raises(InvalidInput, match="table of postal codes is empty"):
        by_postal_code(given, {}, system)
    with pytest.raises(InvalidInput, match="names the lifestyle '99', which Four lacks"):
        by_postal_code(given, {"M5V": "99"}, system)
    with pytest.raises(InvalidInput, match="gives M5V two lifestyles"):
        by_postal_code(given, {"M5V": "01", "m5v": "02"}, system)
    with pytest.raises(NotFound, match=r"no file 'none\.csv'"):
        read_postal_codes(tmp_path / "none.csv")
    path = tmp_path / "t.csv"
    path.write_text("place,lifestyle\nM5V,01\n")
    with pytest.raises(DamagedFile, match="no column of postal codes among 2 columns"):
        read_postal_codes(path)
    path.write_text("FSA,PRIZM\n05V,01\n05V,02\n")
    with pytest.raises(DamagedFile, match="gives the postal code '05V' two lifestyles"):
        read_postal_codes(path)
    path.write_text("FSA,PRIZM\n05V,01\n")
    assert read_postal_codes(path) == {"05V": "01"}


# -- by profile -----------------------------------------------------------------------------------


def test_the_nearest_profile_by_hand(system: LifestyleSystem) -> None:
    frame = pd.DataFrame({"age": [20, 70, 45], "home": ["rent", "own", "own"]}, index=list("abc"))
    profiles = pd.DataFrame({"home": ["own", "rent"], "age": [70, 30]}, index=["01", 2])
    types = by_profile(frame, profiles, system)
    # c is 25 of 50 years from the first, 15 from the second, but owns.
    assert types.to_dict() == {"a": "02", "b": "01", "c": "01"}
    assert types.attrs["distance"] == pytest.approx((10 / 50 + 0 + 25 / 50) / 2 / 3)
    assert by_profile(frame, profiles, system, ["age"]).to_dict() == {
        "a": "02", "b": "01", "c": "02",
    }  # fmt: skip


def test_profiles_find_themselves_in_a_system_of_67() -> None:
    rng = np.random.default_rng(0)
    types = LifestyleSystem([Lifestyle(f"{i:02d}", f"Type {i}") for i in range(1, 68)])
    profiles = pd.DataFrame(rng.normal(size=(67, 5)), index=types.codes, columns=list("vwxyz"))
    rows = profiles.loc[np.repeat(types.codes, 3)]
    noisy = rows + rng.normal(scale=0.01, size=rows.shape)
    found = by_profile(noisy.reset_index(drop=True), profiles, types)
    assert found.tolist() == list(rows.index)


def test_profiles_that_are_wrong(system: LifestyleSystem) -> None:
    frame = pd.DataFrame({"age": [20, 70]})
    with pytest.raises(InvalidInput, match="1 of 2 profiles are of types that Four lacks"):
        by_profile(frame, pd.DataFrame({"age": [1, 2]}, index=["01", "99"]), system)
    with pytest.raises(InvalidInput, match="1 of 2 profiles repeat a type"):
        by_profile(frame, pd.DataFrame({"age": [1, 2]}, index=["01", "1"]), system)
    with pytest.raises(NotFound, match="0 of 0 columns to compare by"):
        by_profile(frame, pd.DataFrame({"pay": [1]}, index=["01"]), system)
    with pytest.raises(NotFound, match="not 'age'"):
        by_profile(frame, pd.DataFrame({"pay": [1]}, index=["01"]), system, ["age"])


# -- in a session ---------------------------------------------------------------------------------


def test_a_session_with_67_types_of_its_own_by_postal_code(tmp_path) -> None:
    rng = np.random.default_rng(1)
    types = tmp_path / "types.csv"
    rows = "\n".join(f"{i:02d},Type {i}" for i in range(1, 68))
    types.write_text(f"code,name\n{rows}\n")
    places = tmp_path / "places.csv"
    lines = "\n".join(f"{10000 + i},{i:02d}" for i in range(1, 68))
    places.write_text(f"zip,type\n{lines}\n")
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 80, 400),
            "spend": rng.gamma(2.0, 50.0, 400).round(2),
            "zip": [str(10001 + i) for i in rng.integers(0, 67, 400)],
        }
    )
    session = Session(frame)
    session.confirm(["age", "spend"])
    session.segment(4, min_share=0.1, max_share=0.4)
    profile = session.enrich(types, "zip", places)
    assert profile is not None
    assert profile["count"].sum() == 400
    assert profile["lifestyle"].nunique() == 67
    assert profile["diversity"].between(0.5, 1).all()
    again = Session.from_json(session.to_json(), frame)
    assert again.state.lifestyles is not None
    pd.testing.assert_frame_equal(again.state.lifestyles, profile)
    line = f"session.enrich(system={str(types)!r}, column='zip', postal_codes={str(places)!r})"
    assert line in session.to_code()
    given = LifestyleSystem.read(types)
    session.enrich(given, "zip", read_postal_codes(places))
    assert "session.enrich(system=system, column='zip', postal_codes=postal_codes)  # at hand" in (
        session.to_code()
    )
    assert session.enrich(column="nowhere") is None


def test_demographics_with_how_to_read_them() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"age": rng.integers(18, 80, 200), "home": rng.choice(["own", "rent"], 200)}
    )
    session = Session(frame)
    session.confirm(["age", "home"])
    cut = session.segment(4, min_share=0.1, max_share=0.4)
    told = session.demographics
    assert set(told["segment"]) <= {1, 2, 3, 4}
    row = told[told["code"] == "age"].iloc[0]
    assert row["value"] == cut.segments[0].medians["age"]
    assert row["reading"] == (
        f"{cut.segments[0].name}: the middle of age is {row['value']}, against {row['base']} in "
        "the base."
    )
