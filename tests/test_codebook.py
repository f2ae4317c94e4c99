"""Codebooks from dirty tables: types, missing codes, what is left out and why, edits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audience_nb.catalog import Catalog
from audience_nb.cells import decimal_comma, parse_numbers, texts_as_numbers, unit_of
from audience_nb.codebook import infer_codebook
from audience_nb.encoding import FrameEncoder
from audience_nb.errors import InvalidInput, NotFound
from audience_nb.inference import infer_column
from audience_nb.missingcodes import missing_codes
from audience_nb.scales import in_order, means_missing, yes_or_no


def inferred(values: list[object], name: str = "x", **options: object):  # type: ignore[no-untyped-def]
    return infer_column(pd.Series(values), name, **options)  # type: ignore[arg-type]


# -- numbers and dates as text -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "numbers", "unit"),
    [
        (["$1,250.50", "$40", "-$3", "($7)"], [1250.5, 40, -3, -7], "dollars"),
        (["12%", "7.5 %", "100%"], [12, 7.5, 100], "percent"),
        (["€ 5.50", "1 200 €"], [5.5, 1200], "euros"),
        (["1 year", "2 years"], [1, 2], "years"),
        (["3 km", "12.5 km"], [3, 12.5], "km"),
        (["1'000", "2'500"], [1000, 2500], ""),
    ],
)
def test_numbers_written_for_people(texts: list[str], numbers: list[float], unit: str) -> None:
    assert parse_numbers(pd.Series(texts)).tolist() == numbers
    assert unit_of(texts) == unit


def test_a_decimal_comma_is_read_only_where_it_can_be_nothing_else() -> None:
    assert texts_as_numbers(["1.250,5", "3,25"], comma=True).tolist() == [1250.5, 3.25]
    assert decimal_comma(["1.250,5", "3,25"]) and not decimal_comma(["1,250", "3,000"])
    assert not decimal_comma(["1,25", "1.25"])
    found = inferred(["12,5", "3,25", "1.000,00"] * 4)
    assert found.value_range == (3.25, 1000.0)


@pytest.mark.parametrize("text", ["1,2", "12-5", "1.2.3", "007-1", "(5", "$", "1e", "--3", "1_000"])
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(texts_as_numbers([text])[0])


@settings(max_examples=100)
@given(st.floats(-1e9, 1e9).map(lambda x: round(x, 2)), st.sampled_from(["", "$", "€"]))
def test_formatted_numbers_read_back(value: float, sign: str) -> None:
    text = f"{'-' if value < 0 else ''}{sign}{abs(value):,.2f}"
    assert texts_as_numbers([text])[0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-31", "2024-02-01", "2023-12-24"],
        ["31/01/2024", "01/02/2024", "24/12/2023"],
        ["Jan 31, 2024", "Feb 1, 2024", "Dec 24, 2023"],
        ["31-Jan-24", "1-Feb-24", "24-Dec-23"],
        ["2024-01-31", "01/02/2024", "24 Dec 2023"],
    ],
)
def test_dates_as_text_in_several_formats(texts: list[str]) -> None:
    frame = pd.DataFrame({"since": texts * 4})
    catalog = Catalog.from_frame(frame)
    assert catalog["since"].value_type == "date"
    days = FrameEncoder().fit_read(frame, list(catalog))["since"]
    if "/" in texts[1] and "/" not in texts[0]:
        # Mixed with other formats only the slashed text is ambiguous.
        days, texts = days[[0, 2]], [texts[0], texts[2]]
        assert days.tolist() == [19753, 19715]
    else:
        assert days[:3].tolist() == [19753, 19754, 19715]


def test_days_written_as_whole_numbers() -> None:
    frame = pd.DataFrame({"join_date": [20240131, 20240201, 20231224, 20220101] * 3})
    catalog = Catalog.from_frame(frame)
    assert catalog["join_date"].value_type == "date"
    read = FrameEncoder().fit(frame, list(catalog))
    assert read.decode([[1.0]])["join_date"][0] == "2024-02-01"


# -- missing codes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "counts", "codes"),
    [
        ([-9, 18, 30, 46, 71], [12, 3, 5, 4, 2], [-9]),
        ([-99, -98, 0, 100, 250], [4, 2, 3, 5, 4], [-99, -98]),
        ([1, 2, 3, 4, 5, 9], [30, 40, 50, 40, 30, 7], [9]),
        ([1, 2, 3, 4, 5, 8, 9], [30, 40, 50, 40, 30, 2, 7], [8, 9]),
        ([1, 2, 99], [30, 40, 5], [99]),
        ([18, 25, 40, 60, 999], [3, 2, 4, 2, 9], [999]),
        # Nothing stands apart here.
        ([-2, -1, 0, 1, 2], [5, 5, 5, 5, 5], []),
        ([-9, -3, 0, 4], [1, 1, 1, 1], []),
        ([-1, 0, 1], [10, 10, 10], []),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], [9] * 9, []),
        ([18, 40, 70, 98, 99], [3, 4, 3, 2, 2], []),
        ([0.0, 12.5, 99.0, 140.0], [3, 2, 2, 2], []),
        ([0, 1, 2, 3, 9], [90, 30, 9, 2, 1], []),
    ],
)
def test_missing_codes_are_judged(
    values: list[float], counts: list[int], codes: list[float]
) -> None:
    found = missing_codes(np.array(values, dtype=float), np.array(counts))
    assert [code.value for code in found] == codes


def survey() -> pd.DataFrame:
    n = 120
    return pd.DataFrame(
        {
            "respondent_id": [f"R-{i:04d}" for i in range(n)],
            "age": [(-9 if i % 10 == 0 else 18 + i % 60) for i in range(n)],
            "likes": [(9 if i % 12 == 0 else 1 + i % 5) for i in range(n)],
            "spend": [("Refused" if i % 15 == 0 else f"${i * 17:,}.00") for i in range(n)],
            "club": ["Yes", "no", "Y", "FALSE"] * (n // 4),
            "agree": ["Agree", "Strongly disagree", "Neutral", "Don't know"] * (n // 4),
            "band": ["18-24", "65+", "25-64", "Under 18"] * (n // 4),
            "email_opt_in": [1, 0] * (n // 2),
            "comment": [f"I bought thing number {i} and it was quite all right" for i in range(n)],
            "empty": [None] * n,
            "same": ["x"] * n,
            "zip": [f"{10000 + i * 7}" for i in range(n)],
        }
    )


def test_a_dirty_survey() -> None:
    catalog = Catalog.from_frame(survey())
    assert {v.code: v.value_type for v in catalog} == {
        "age": "numeric",
        "likes": "ordinal",
        "spend": "numeric",
        "club": "boolean",
        "agree": "ordinal",
        "band": "ordinal",
    }
    assert catalog["age"].missing == ("-9",) and catalog["age"].value_range == (19, 77)
    assert catalog["likes"].missing == ("9",) and catalog["likes"].values == tuple("12345")
    assert catalog["spend"].missing == ("Refused",) and catalog["spend"].unit == "dollars"
    assert catalog["agree"].values == ("Strongly disagree", "Neutral", "Agree")
    assert catalog["agree"].missing == ("Don't know",)
    assert catalog["band"].values == ("Under 18", "18-24", "25-64", "65+")


def test_what_is_left_out_has_a_reason_and_what_is_judged_is_said() -> None:
    catalog = Catalog.from_frame(survey())
    codebook = catalog.codebook
    assert codebook is not None
    heads = {column: reason.split(":")[0] for column, reason in codebook.left_out.items()}
    assert heads == {
        "respondent_id": "identifier",
        "email_opt_in": "consent",
        "comment": "free text",
        "empty": "empty",
        "same": "constant",
        "zip": "postal code",
    }
    said = " ".join(catalog.notes)
    assert (
        "“age”: -9 stands in 12 records and is read as missing: no other value is negative" in said
    )
    assert "'Refused' stands in 8 records" in said and "6 columns were left out" in said
    table = codebook.frame
    assert table["column"].tolist() == list(survey().columns)
    assert table.set_index("column")["missing"]["age"] == "-9"
    assert not table.set_index("column")["variable"]["zip"]
    assert "I bought" not in repr(codebook) + said + table.to_string()


def test_the_encoder_obeys_the_codebook() -> None:
    frame = survey()
    catalog = Catalog.from_frame(frame)
    encoder = FrameEncoder()
    read = encoder.fit_read(frame, list(catalog))
    assert np.isnan(read["age"]).sum() == 12 and np.nanmin(read["age"]) == 19
    assert np.isnan(read["likes"]).sum() == 10 and np.nanmax(read["likes"]) == 4
    assert np.isnan(read["spend"]).sum() == 8
    assert read["club"][:4].tolist() == [1, 0, 1, 0]
    assert read["agree"][:3].tolist() == [2, 0, 1] and np.isnan(read["agree"][3])
    assert read["band"][:4].tolist() == [1, 3, 2, 0]
    again = encoder.transform(frame)
    np.testing.assert_array_equal(again, encoder.encode(read))
    without = Catalog.from_frame(frame, edits={"age": {"missing": []}})
    assert np.nanmin(FrameEncoder().fit_read(frame, [without["age"]])["age"]) == -9


# -- identifiers, text, codes --------------------------------------------------------------------


def test_identifiers_are_known_with_duplicates_and_leading_zeros() -> None:
    ids = [f"{i:05d}" for i in range(98)] + ["00001", "00002"]
    assert inferred(ids, "customer").reason.startswith("identifier: 98 different texts")
    assert inferred([*range(98), 1, 2], "CustomerID").reason.startswith("identifier")
    assert inferred([3, 4, 5] * 40, "store_id").value_type == "nominal"
    assert inferred([f"person{i}@example.com" for i in range(9)] * 9, "x").reason == (
        "identifier: e-mail addresses"
    )
    assert inferred(["a b"] * 3 + ["c d"] * 4, "x").value_type == "nominal"


def test_many_levels_that_group_are_a_variable_without_a_list() -> None:
    found = inferred([f"City {i % 80:02d}x" for i in range(2000)], "city")
    assert (found.value_type, found.values) == ("nominal", ())
    assert "80 levels" in found.notes[0]


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["often", "Never", "always"], ["Never", "often", "always"]),
        (["$50k+", "$0-25k", "$25-50k"], ["$0-25k", "$25-50k", "$50k+"]),
        (["2 - Fair", "1 - Poor", "3 - Good"], ["1 - Poor", "2 - Fair", "3 - Good"]),
        (["Gold", "bronze", "Silver"], ["bronze", "Silver", "Gold"]),
        (["cat", "dog"], None),
        (["one year", "two year"], None),
        (["1.5 litre", "2.5 litre"], None),
    ],
)
def test_scales(texts: list[str], order: list[str] | None) -> None:
    assert in_order(texts) == order


def test_yes_no_and_nothing() -> None:
    assert yes_or_no(["oui", "NON"]) == {"oui": True, "NON": False}
    assert yes_or_no(["yes", "maybe"]) is None and yes_or_no(["yes", "y"]) is None
    assert means_missing("Not  stated") and not means_missing("no")


# -- frames that are hardly frames ----------------------------------------------------------------


def test_one_row_and_all_missing_are_explained() -> None:
    with pytest.raises(InvalidInput, match=r"None of the 2 columns .*2 constant"):
        Catalog.from_frame(pd.DataFrame({"a": [1], "b": ["x"]}))
    with pytest.raises(InvalidInput, match=r"None of the 1 columns .*1 empty"):
        Catalog.from_frame(pd.DataFrame({"a": [None, None]}))


def test_ten_thousand_columns() -> None:
    rng = np.random.default_rng(0)
    ratings = rng.integers(1, 6, (100, 10_000))
    frame = pd.DataFrame(ratings, columns=[f"q{i}" for i in range(10_000)])
    dictionary = {f"Q_{i}": f"Statement {i}" for i in range(10_000)}
    catalog = Catalog.from_frame(frame, dictionary)
    assert len(catalog) == 10_000 and catalog["q77"].label == "Statement 77"
    assert catalog["q77"].value_type == "ordinal"


def test_a_sample_gives_what_the_whole_gives() -> None:
    frame = pd.concat([survey()] * 3, ignore_index=True).drop(columns=["respondent_id", "zip"])
    whole, part = Catalog.from_frame(frame), Catalog.from_frame(frame.iloc[:120])
    assert [(v.code, v.value_type, v.missing) for v in whole] == [
        (v.code, v.value_type, v.missing) for v in part
    ]


# -- edits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_edits_survive_writing_and_inferring_anew(tmp_path: Path, suffix: str) -> None:
    frame = survey()
    catalog = Catalog.from_frame(frame).edited("likes", label="Likes opera", kind="behavioral")
    catalog = catalog.edited("age", missing=["-9", "77"], unit="years of age")
    assert catalog["likes"].label == catalog["likes"].measure == "Likes opera"
    path = catalog.write(tmp_path / f"codebook{suffix}")
    read = Catalog.read(path)
    assert read.fingerprint == catalog.fingerprint
    assert read.edits == {
        "age": {"missing": ("-9", "77"), "unit": "years of age"},
        "likes": {"label": "Likes opera", "kind": "behavioral"},
    }
    for edits in (catalog, read, path, catalog.edits):
        again = Catalog.from_frame(frame.iloc[::-1], {"likes": "Something else"}, edits=edits)
        assert (again["likes"].label, again["likes"].kind) == ("Likes opera", "behavioral")
        assert again["age"].missing == ("-9", "77") and again["age"].unit == "years of age"
        assert again["age"].value_range == (19, 76)
        assert set(again.edits) == {"age", "likes"}


def test_an_edit_brings_back_what_was_left_out() -> None:
    catalog = Catalog.from_frame(survey())
    with pytest.raises(NotFound, match="was left out as consent"):
        catalog.edited("email_opt_in", label="Reads e-mail")
    edits = {"email_opt_in": {"value_type": "boolean", "label": "Reads e-mail"}, "gone": {}}
    again = Catalog.from_frame(survey(), edits=edits)
    assert again["email_opt_in"].label == "Reads e-mail"
    assert "1 edit was passed over" in " ".join(again.notes)


def test_bad_edits_are_named() -> None:
    catalog = Catalog.from_frame(survey())
    with pytest.raises(InvalidInput, match="sets 'colour', which is no field"):
        catalog.edited("age", colour="red")
    with pytest.raises(InvalidInput, match="kind 'odd'"):
        catalog.edited("age", kind="odd")
    with pytest.raises(InvalidInput, match=r"'\.parquet'"):
        catalog.write("codebook.parquet")
    with pytest.raises(NotFound, match="No variable"):
        catalog.edited("nowhere", label="x")


def test_a_catalogue_without_missing_codes_is_as_it_was() -> None:
    plain = Catalog.from_records([{"code": "A", "label": "x"}])
    coded = Catalog.from_records([{"code": "A", "label": "x", "missing": ["-9"]}])
    assert plain.fingerprint != coded.fingerprint
    assert "missing" not in plain.frame and coded.frame["missing"].tolist() == ["-9"]
    assert "missing" not in plain["A"].to_dict() and coded["A"].to_dict()["missing"] == ["-9"]


def test_infer_codebook_speaks_of_every_column() -> None:
    codebook = infer_codebook(survey())
    assert len(codebook.columns) == len(survey().columns)
    assert repr(codebook) == "Codebook(12 columns: 6 variables, 6 left out; 4 with missing codes)"
