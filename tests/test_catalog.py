"""Catalogues: reading, checking, fingerprinting, inferring."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import DATA_TYPES, FIELDS, Catalog, Variable
from audience_nb.codebook import infer_records, parse_numbers, words_of
from audience_nb.errors import InvalidInput, NotFound

SOURCE_DOCUMENT_RECORD = {
    "code": "Q5150208I3",
    "description": "Environment [Occas/Freq] - Use environmentally-friendly products",
    "type": "behavioral",
    "category": "Environment",
    "source": "opticks",
    "dataAvailability": {"first_party": True, "third_party": True, "clean_room": False},
}


def test_demo_has_the_promised_counts() -> None:
    catalog = Catalog.demo()
    kinds = pd.Series(catalog.column("kind")).value_counts()
    assert len(catalog) == 48_333
    assert kinds["demographic"] == 36_610
    assert kinds["lifestyle"] == 68
    assert kinds["behavioral"] + kinds["psychographic"] == 11_655
    assert len(set(catalog.codes)) == len(set(catalog.column("label"))) == 48_333


def test_the_source_documents_record_is_read() -> None:
    variable = Catalog.from_records([SOURCE_DOCUMENT_RECORD])["Q5150208I3"]
    assert variable.label == SOURCE_DOCUMENT_RECORD["description"]
    assert variable.kind == "behavioral"
    assert variable.availability == ("first_party", "third_party")
    assert variable.source == "opticks"


def test_the_source_documents_table_is_read() -> None:
    record = {
        "variable_code": "A1",
        "variable_name": "Age",
        "variable_type": "demographic",
        "data_type": "integer",
        "possible_values": ["18", "19"],
        "value_range": {"min": 18, "max": 99},
        "update_frequency": "yearly",
        "data_source": "survey",
    }
    variable = Catalog.from_records([record])["A1"]
    assert variable.value_type == "numeric"
    assert variable.values == ("18", "19")
    assert variable.value_range == (18.0, 99.0)
    assert (variable.update_frequency, variable.source) == ("yearly", "survey")


def test_only_code_and_label_are_needed() -> None:
    variable = Catalog.from_records([{"code": "X", "label": "Owns a canoe"}])["X"]
    assert variable == Variable("X", "Owns a canoe")
    assert variable.availability == DATA_TYPES
    assert variable.measure == "Owns a canoe"


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "0 variables"),
        ([{"label": "No code"}], "Record 1 has no code"),
        ([{"code": "A"}], "'A'\\) has no label"),
        (
            [{"code": "A", "label": "x"}, {"code": "A", "label": "y"}],
            "repeats the code of record 1",
        ),
        ([{"code": "A", "label": "x", "kind": "odd"}], "kind 'odd'"),
        ([{"code": "A", "label": "x", "availability": ["moon"]}], "availability 'moon'"),
    ],
)
def test_bad_records_are_named(records: list[dict[str, object]], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Catalog.from_records(records)


def test_unknown_code_says_where_to_look() -> None:
    with pytest.raises(NotFound, match="No variable of 1 has the code 'B'"):
        Catalog.from_records([{"code": "A", "label": "x"}])["B"]


texts = (
    st.text(
        st.characters(codec="utf-8", exclude_characters="|", exclude_categories=["Cc", "Cs"]),
        min_size=1,
    )
    .map(str.strip)
    .filter(bool)
)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=8, unique_by=lambda pair: pair[0]))
def test_records_survive_the_columns(pairs: list[tuple[str, str]]) -> None:
    records = [{"code": code, "label": label, "keywords": [label]} for code, label in pairs]
    catalog = Catalog.from_records(records)
    assert [(v.code, v.label, v.keywords) for v in catalog] == [(c, n, (n,)) for c, n in pairs]
    assert Catalog.from_records([v.to_dict() for v in catalog]).fingerprint == catalog.fingerprint


def test_the_fingerprint_tells_content_from_order() -> None:
    a, b = {"code": "A", "label": "x"}, {"code": "B", "label": "y"}
    first = Catalog.from_records([a, b]).fingerprint
    assert first == Catalog.from_records([dict(a), dict(b)]).fingerprint
    assert first != Catalog.from_records([b, a]).fingerprint
    assert first != Catalog.from_records([a, {**b, "unit": "km"}]).fingerprint


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_files_of_each_format_read_alike(tmp_path: Path, suffix: str) -> None:
    records = [SOURCE_DOCUMENT_RECORD, {"code": "B", "label": "Café, “au lait”"}]
    catalog = Catalog.from_records(records)
    path = tmp_path / f"variables{suffix}"
    plain = [v.to_dict() for v in catalog]
    if suffix == ".csv":
        catalog.frame.to_csv(path, index=False)
    elif suffix == ".json":
        path.write_text(json.dumps(plain), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, plain)), encoding="utf-8")
    assert Catalog.read(path).fingerprint == catalog.fingerprint


def frame() -> pd.DataFrame:
    n = 60
    return pd.DataFrame(
        {
            "customerID": [f"{i:04d}-AB" for i in range(n)],
            "row": range(n),
            "MonthlyCharges": [20 + i / 3 for i in range(n)],
            "Churn": ["Yes", "No"] * (n // 2),
            "rating": [1 + i % 5 for i in range(n)],
            "Contract": ["Month", "Year", "Two"] * (n // 3),
            "Total": [" "] + [f"{i},000.5" for i in range(1, n)],
            "constant": ["same"] * n,
            "since": pd.date_range("2020-01-01", periods=n),
        }
    )


def test_a_frame_becomes_a_catalogue() -> None:
    catalog = Catalog.from_frame(frame())
    assert {v.code: v.value_type for v in catalog} == {
        "MonthlyCharges": "numeric",
        "Churn": "boolean",
        "rating": "ordinal",
        "Contract": "nominal",
        "Total": "numeric",
        "since": "date",
    }
    assert catalog["rating"].values == ("1", "2", "3", "4", "5")
    assert catalog["MonthlyCharges"].label == "Monthly charges"
    assert catalog["Total"].value_range == (1000.5, 59000.5)


def test_a_dictionary_is_found_whatever_its_columns_are_called(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "question": ["Left within the last month?", "How satisfied were you with the visit?"],
            "col": ["churn", "rating"],
            "Section": ["Loyalty", "Service"],
        }
    )
    path = tmp_path / "codebook.csv"
    table.to_csv(path, index=False)
    for dictionary in (table, path, str(path)):
        catalog = Catalog.from_frame(frame(), dictionary)
        assert catalog["Churn"].label == "Left within the last month?"
        assert catalog["rating"].category == "Service"
    assert Catalog.from_frame(frame(), {"Churn": "Left"})["Churn"].label == "Left"


def test_bad_frames_and_dictionaries_are_explained() -> None:
    with pytest.raises(InvalidInput, match="more than once, the first is 'a'"):
        infer_records(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(InvalidInput, match="None of the 1 columns"):
        infer_records(pd.DataFrame({"a": [1, 1, 1]}))
    with pytest.raises(InvalidInput, match="No column of the dictionary"):
        infer_records(frame(), pd.DataFrame({"a": ["x"], "b": ["y"]}))
    with pytest.raises(InvalidInput, match="A list is no dictionary"):
        infer_records(frame(), ["a"])  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="0 rows"):
        infer_records(frame().head(0))
    with pytest.raises(InvalidInput, match="Column 2 of 2 has no name"):
        infer_records(pd.DataFrame([[1, 2], [3, 4]], columns=["a", " "]))
    with pytest.raises(NotFound, match=r"nowhere\.csv"):
        infer_records(frame(), "nowhere.csv")


def test_two_columns_with_one_label_stay_apart() -> None:
    labels = [r["label"] for r in infer_records(frame(), {"Churn": "Asked", "rating": "Asked"})]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SeniorCitizen", "Senior citizen"),
        ("StreamingTV", "Streaming TV"),
        ("cash_advance_trx", "Cash advance trx"),
        ("Only child", "Only child"),
        ("BALANCE", "Balance"),
    ],
)
def test_names_become_words(name: str, words: str) -> None:
    assert words_of(name) == words


def test_numbers_written_for_people() -> None:
    read = parse_numbers(pd.Series(["1,234", "€ 5.50", "-3", "7 %", "1,2", "x"]))
    assert read.iloc[:4].tolist() == [1234.0, 5.5, -3.0, 7.0]
    assert read.iloc[4:].isna().all()


def test_fields_are_stable() -> None:
    # The shipped CSV's header: changing it breaks every saved catalogue.
    assert (
        *("code", "label", "kind", "description", "category", "subcategory", "measure"),
        *("value_type", "values", "value_range", "unit", "update_frequency", "source"),
        *("availability", "keywords"),
    ) == FIELDS
