from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.lifestyles import Lifestyle, LifestyleSystem, entropy, how_to_read


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
