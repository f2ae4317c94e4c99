"""Dictionaries of columns: any layout and naming, matched by name, reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from audience_nb.catalog import Catalog
from audience_nb.dictionary import key_of_name, matched, read_values
from audience_nb.encoding import FrameEncoder
from audience_nb.errors import InvalidInput, NotFound

NAMES = ["cust_age", "Monthly Spend", "plan", "q1", "q2", "left"]
ENTRIES = [
    ("Cust-Age", "Age of the customer", "years", "About you"),
    ("monthlySpend", "Spent in a month", "dollars", "Money"),
    ("PLAN", "Plan the customer is on", "", "Money"),
    ("Q1", "Likes the outdoors", "", "Likes"),
]


def frame() -> pd.DataFrame:
    n = 60
    return pd.DataFrame(
        {
            "cust_age": [20 + i % 50 for i in range(n)],
            "Monthly Spend": [10.5 + i for i in range(n)],
            "plan": [1 + i % 3 for i in range(n)],
            "q1": [1 + i % 5 for i in range(n)],
            "q2": [1 + (i * 3) % 5 for i in range(n)],
            "left": [1 + i % 2 for i in range(n)],
        }
    )


@pytest.mark.parametrize(
    "header",
    [
        ("name", "label", "unit", "category"),
        ("variable", "title", "units", "section"),
        ("field", "description", "unit of measure", "Theme"),
        ("Code", "Question", "UOM", "Group"),
        ("column", "text", "Unit", "topic"),
        ("Spalte", "Was", "unit", "domain"),
    ],
)
@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "frame", "records", "index"])
def test_any_naming_in_any_form(tmp_path: Path, header: tuple[str, ...], form: str) -> None:
    table = pd.DataFrame(ENTRIES, columns=list(header)).iloc[:, ::-1]
    path = tmp_path / f"words.{form}"
    dictionary: Any = path
    if form in ("csv", "tsv"):
        table.to_csv(path, sep="\t" if form == "tsv" else ";", index=False)
    elif form == "json":
        path.write_text(json.dumps(table.to_dict("records")), encoding="utf-8")
    elif form == "jsonl":
        table.to_json(path, orient="records", lines=True)
    elif form == "records":
        dictionary = table.to_dict("records")
    else:
        dictionary = table.set_index(header[0]) if form == "index" else table
    catalog = Catalog.from_frame(frame(), dictionary)
    age, spend = catalog["cust_age"], catalog["Monthly Spend"]
    assert (age.label, age.unit, age.category) == ("Age of the customer", "years", "About you")
    assert (spend.label, spend.unit, spend.category) == ("Spent in a month", "dollars", "Money")
    assert catalog["q2"].label == "Q2"


def test_the_report_tells_matches_guesses_and_what_is_over() -> None:
    found = matched(
        {
            "cust_age": "Age",
            "monthly spend": "Spending",
            "Plann": "Plan",
            "q9": "Another question",
            "lift": "Went up",
            "region": "Where",
        },
        NAMES,
    )
    how = {m.column: (m.entry, m.how) for m in found.matches if m.column}
    assert how["cust_age"] == ("cust_age", "same")
    assert how["Monthly Spend"] == ("monthly spend", "alike")
    assert how["plan"] == ("Plann", "guess")
    # Near, but not near enough to be taken; and another number is another question.
    assert how["left"] == ("lift", "proposal") and how["q1"] == ("", "none")
    assert found.without_column == ("q9", "lift", "region")
    assert found.without_entry == ("q1", "q2", "left")
    assert "left" not in found.fields and found.fields["plan"] == {"label": "Plan"}
    assert repr(found) == (
        "Matching(2 by name, 1 guesses, 3 columns without an entry, 3 entries without a column)"
    )
    catalog = Catalog.from_frame(frame(), {"plann": "Plan", "lift": "Went up", "region": "?"})
    said = " ".join(catalog.notes)
    assert "“plan” was taken for “plann” of the dictionary" in said
    assert "“left” may be “lift” of the dictionary" in said
    assert "2 rows of the dictionary were passed over" in said
    codebook = catalog.codebook
    assert codebook is not None
    assert codebook.frame.query("dictionary == 'no column'")["entry"].tolist() == ["lift", "region"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1=Yes;2=No", ("1=Yes", "2=No")),
        ("1 = Yes, 2 = No", ("1=Yes", "2=No")),
        ("1: Yes | 2: No", ("1=Yes", "2=No")),
        ("1 - Yes\n2 - No", ("1=Yes", "2=No")),
        ("1) Yes 2) No", ("1=Yes", "2=No")),
        ('{"1": "Yes", "2": "No"}', ("1=Yes", "2=No")),
        ("{'1': 'Yes'}", ("1=Yes",)),
        ({1.0: "Yes", 2.0: "No"}, ("1=Yes", "2=No")),
        ([[1, "Yes"], [2, "No"]], ("1=Yes", "2=No")),
        ([{"value": 1, "label": "Yes"}], ("1=Yes",)),
        ("M=Male;F=Female", ("M=Male", "F=Female")),
        ("never|sometimes|always", ("never", "sometimes", "always")),
        ("red, green", ("red", "green")),
        ("1-5", tuple("12345")),
        ("0.5 to 2.5", ()),
        ("", ()),
    ],
)
def test_values_in_any_writing(text: Any, values: tuple[str, ...]) -> None:
    assert read_values(text) == values


def test_coded_values_are_read_by_their_meaning() -> None:
    dictionary = [
        {"name": "plan", "values": "1=Basic;2=Plus;3=Family", "label": "Plan"},
        {"name": "left", "values": "1=Yes;2=No", "label": "Left"},
        {"name": "q1", "values": "1=Never;2=Rarely;3=Sometimes;4=Often;5=Refused"},
        {"name": "q2", "missing": "5", "type": "integer"},
    ]
    catalog = Catalog.from_frame(frame(), dictionary)
    assert catalog["plan"].value_type == "nominal"
    assert catalog["left"].value_type == "boolean"
    assert catalog["q1"].value_type == "ordinal" and catalog["q1"].missing == ("5",)
    assert catalog["q2"].missing == ("5",) and catalog["q2"].value_type == "ordinal"
    encoder = FrameEncoder()
    read = encoder.fit_read(frame(), list(catalog))
    columns = {e.column.code: e.column for e in encoder.columns_}
    assert columns["plan"].levels == ("Basic", "Plus", "Family")
    # 1 means yes and 2 no, whatever their order.
    assert read["left"][:2].tolist() == [1, 0]
    assert columns["left"].levels == ("No", "Yes")
    assert columns["q1"].text(read["q1"][3]) == "Often" and pd.isna(read["q1"][4])
    assert (encoder.transform(frame()) == encoder.encode(read)).all()


def test_a_row_for_each_value_is_folded() -> None:
    table = pd.DataFrame(
        {
            "variable": ["plan", "", "", "left", "left", "cust_age"],
            "question": ["Plan", "", "", "Left?", "Left?", "Age"],
            "value": ["1", "2", "3", "1", "2", ""],
            "value label": ["Basic", "Plus", "Family", "Yes", "No", ""],
        }
    )
    found = matched(table, NAMES)
    assert found.fields["plan"] == {"label": "Plan", "values": ("1=Basic", "2=Plus", "3=Family")}
    assert found.fields["left"]["values"] == ("1=Yes", "2=No")
    assert found.fields["cust_age"] == {"label": "Age"}


def test_stated_types_and_ranges() -> None:
    found = matched(
        [
            {"name": "q1", "type": "Likert", "min": 1, "max": 7, "kind": "attitude"},
            {"name": "q2", "type": "varchar"},
            {"name": "plan", "type": "categorical"},
        ],
        NAMES,
    )
    assert found.fields["q1"]["value_type"] == "ordinal"
    assert found.fields["q1"]["value_range"] == "1|7"
    assert found.fields["plan"] == {"value_type": "nominal"}
    # How it is stored does not say how it is to be read.
    assert "value_type" not in found.fields["q2"]
    catalog = Catalog.from_frame(frame(), [{"name": "plan", "type": "categorical"}])
    assert catalog["plan"].value_type == "nominal"


def test_a_stated_type_makes_no_variable_of_an_identifier() -> None:
    table = frame().assign(who=[f"C-{i}" for i in range(60)])
    catalog = Catalog.from_frame(table, [{"name": "who", "type": "categorical", "label": "Who"}])
    assert "who" not in catalog


@pytest.mark.parametrize(
    ("dictionary", "words"),
    [
        (["age"], "A list is no dictionary"),
        (7, "A int is no dictionary"),
        ({}, "The dictionary is empty"),
        ({"x": "y"}, "names any of the 6 columns"),
    ],
)
def test_bad_dictionaries(dictionary: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        matched(dictionary, NAMES)
    with pytest.raises(NotFound):
        matched("nowhere.csv", NAMES)


def test_ragged_rows_and_other_encodings_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "codebook.csv"
    text = "name;label;category\nq1;Aime l'été;Loisirs\nq2;broken\nplan;Formule;Argent\n"
    path.write_bytes(text.encode("cp1252"))
    catalog = Catalog.from_frame(frame(), path)
    assert catalog["q1"].label == "Aime l'été" and catalog["plan"].category == "Argent"
    said = " ".join(catalog.notes)
    assert "In the dictionary: Line 3 has 2 of 3 cells." in said and "Windows-1252" in said


def test_keys_ignore_case_accents_and_signs() -> None:
    assert len({key_of_name(n) for n in ("Âge (ans)", "age_ans", "AgeAns", "AGE-ANS")}) == 1
    assert key_of_name("年齢") != key_of_name("性別")
