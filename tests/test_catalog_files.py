"""Catalogue files of any sort: formats, encodings, published layouts, problems by line."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import Catalog
from audience_nb.delimited import decode, delimiter_of, read_cells
from audience_nb.errors import DamagedFile, InvalidInput, MissingExtra, NotFound
from audience_nb.packed import PackedCells
from audience_nb.variable import DATA_TYPES, FIELDS

RECORDS = [
    {"code": "AGE", "label": "Âge de la personne", "category": "Ménage", "unit": "ans"},
    {
        "code": "DOG",
        "label": "Owns a dog, or two",
        "kind": "behavioral",
        "keywords": ["pet", "chien"],
    },
    {"code": "INC", "label": "Revenu – total", "value_range": [0, 250000], "values": []},
]


def read(path: Path, content: str | bytes, **options: Any) -> Catalog:
    """Write a file and read it; a warning where none is expected fails the test."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return Catalog.read(path, **options)


def read_with_problems(path: Path, content: str | bytes) -> Catalog:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.warns(UserWarning, match=r"Look at catalog\.problems"):
        return Catalog.read(path)


def told(catalog: Catalog) -> list[tuple[int, str, str, bool]]:
    return [(p.line, p.code, p.what, p.left_out) for p in catalog.problems]


def table(delimiter: str) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(FIELDS)
    for variable in Catalog.from_records(RECORDS):
        cells = Catalog.from_records([variable.to_dict()])
        writer.writerow([cells.column(field)[0] for field in FIELDS])
    return file.getvalue()


# -- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_delimiters_and_encodings_are_found_out(
    tmp_path: Path, delimiter: str, encoding: str, packed: bool
) -> None:
    content = table(delimiter).encode(encoding)
    # The name says nothing: the content does.
    catalog = read(tmp_path / "variables.txt", gzip.compress(content) if packed else content)
    assert catalog.fingerprint == Catalog.from_records(RECORDS).fingerprint
    assert catalog.problems == ()
    said = {"cp1252": "Windows-1252", "utf-16": "UTF-16", "utf-16-le": "UTF-16"}.get(encoding, "")
    assert [said in note for note in catalog.notes] == ([True] if said else [])


def test_json_of_every_shape_reads_alike(tmp_path: Path) -> None:
    expected = Catalog.from_records(RECORDS).fingerprint
    lines = "\n".join(json.dumps(r, ensure_ascii=False) for r in RECORDS)
    shapes = {
        "list.json": json.dumps(RECORDS),
        "pretty.json": json.dumps({"variables": RECORDS}, indent=2),
        "by_code.json": json.dumps({r["code"]: r for r in RECORDS}),
        "lines.jsonl": lines + "\n\n",
        "lines.txt": "\ufeff" + lines.replace("\n", "\r\n"),
    }
    for name, content in shapes.items():
        assert read(tmp_path / name, content).fingerprint == expected, name
    labels = read(tmp_path / "labels.json", '{"AGE": "Age in years", "DOG": "Owns a dog"}')
    assert [(v.code, v.label) for v in labels] == [("AGE", "Age in years"), ("DOG", "Owns a dog")]


def test_the_enriched_jsonl_is_read(tmp_path: Path) -> None:
    line = {
        "code": "Q9001I2",
        "description": "Gardening [Weekly] - Grow vegetables at home",
        "type": "behavioral",
        "category": "Home",
        "source": "survey",
        "dataAvailability": {"first_party": True, "third_party": True, "clean_room": False},
    }
    content = f"{json.dumps(line)}\n{json.dumps({**line, 'code': 'Q9001I3', 'type': 'lifestyle'})}"
    first, second = read(tmp_path / "enriched_variables.jsonl", content)
    assert (first.label, first.kind) == (line["description"], "behavioral")
    assert first.availability == ("first_party", "third_party")
    assert (second.code, second.kind) == ("Q9001I3", "lifestyle")


def test_parquet_is_read_or_what_reads_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "variables.parquet"
    if importlib.util.find_spec("pyarrow") is None:
        path.write_bytes(b"PAR1 and more PAR1")
        with pytest.raises(MissingExtra, match=r"audience_nb\[parquet\]"):
            Catalog.read(path)
        return
    import pandas as pd

    records = [{**r, "values": r.get("values"), "kind": r.get("kind")} for r in RECORDS]
    pd.DataFrame(records).to_parquet(path)
    assert Catalog.read(path).fingerprint == Catalog.from_records(RECORDS).fingerprint
    path.write_bytes(path.read_bytes()[:200] + b"PAR1")
    with pytest.raises(DamagedFile, match="damaged Parquet"):
        Catalog.read(path)


@pytest.mark.parametrize(
    "header",
    [
        "Variable;Libellé;Thème;Unité",
        "VAR_NAME;Question text;Section;Units",
        "columnName;displayName;Subject area;unit of measure",
        "Short;Original;Topic;UOM",
        "name;label;module;unit",
    ],
)
def test_columns_of_most_codebooks_are_known(tmp_path: Path, header: str) -> None:
    catalog = read(tmp_path / "codebook.csv", f"{header}\nQ1;Rides a bicycle;Mobility;days\n")
    variable = catalog["Q1"]
    assert (variable.label, variable.category, variable.unit) == (
        *("Rides a bicycle", "Mobility"),
        "days",
    )
    assert catalog.notes == ()


def test_unknown_columns_are_guessed_by_content_and_said_so(tmp_path: Path) -> None:
    content = "wave,kürzel,aussage\n1,A1,I cook with friends\n1,A2,I read before going to bed\n"
    catalog = read(tmp_path / "v.csv", content)
    assert [(v.code, v.label) for v in catalog] == [
        ("A1", "I cook with friends"),
        ("A2", "I read before going to bed"),
    ]
    assert catalog.notes == (
        "“kürzel” was taken for the code: each row has its own.",
        "“aussage” was taken for the label: it has the longest texts.",
        "1 column was not used: “wave”.",
    )


def test_a_vague_type_is_told_by_what_stands_below(tmp_path: Path) -> None:
    kinds = read(tmp_path / "k.csv", "code,label,type\nA,Age,demographic\nB,Buys,behavioural\n")
    assert kinds.column("kind") == ["demographic", "behavioral"]
    types = read(tmp_path / "t.csv", "code,label,type\nA,Age,int\nB,Buys,bool\n")
    assert types.column("value_type") == ["numeric", "boolean"]
    assert types.column("kind") == ["demographic", "demographic"]


def test_lists_ranges_and_flags_are_read_as_others_write_them(tmp_path: Path) -> None:
    content = (
        "code,label,options,min,max,tags,first party,clean room\n"
        'A,Age,,18,99,"old, young",yes,no\n'
        'B,Bike,"[""Yes"", ""No, never""]",,,ride; cycle,x,1\n'
        "C,Car,a|b,,,,no,\n"
    )
    a, b, c = read(tmp_path / "v.csv", content)
    assert (a.value_range, a.keywords) == ((18.0, 99.0), ("old", "young"))
    assert a.availability == ("first_party",)
    assert (b.values, b.keywords) == (("Yes", "No, never"), ("ride", "cycle"))
    assert b.availability == ("first_party", "clean_room")
    assert (c.values, c.availability) == (("a", "b"), ())
    ranges = 'code,label,range\nA,a,0-100\nB,b,"[-5, 5]"\nC,c,"1,000 to 2,000"\nD,d,0 % – 1 %\n'
    assert [v.value_range for v in read(tmp_path / "r.csv", ranges)] == [
        *((0, 100), (-5, 5), (1000, 2000)),
        (0, 1),
    ]


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    content = "Customer survey 2026,,\n,,\nCode,Label,Category\nA,Age,People\n"
    catalog = read(tmp_path / "v.csv", content)
    assert catalog["A"].category == "People"
    assert catalog.notes == ("The header was found on line 3; 1 row above it was passed over.",)


# -- what is wrong, by line --------------------------------------------------------------------


def test_every_bad_row_is_named_with_its_line_and_the_good_ones_are_kept(tmp_path: Path) -> None:
    content = "\r\n".join(
        [
            "code,label,kind,value_type,value_range,availability",
            'A,"Label over\r\ntwo lines",demographic,numeric,0|9,first_party',  # lines 2 and 3
            "",
            "B,,demographic,numeric,,",  # 5: no label
            ",No code,demographic,numeric,,",  # 6
            "A,Again,demographic,numeric,,",  # 7: repeats
            "C,Odd kind,astrology,complex,high,moon",  # 8: four cells
            "D,Too few,demographic",  # 9
            "E,Too,many,cells,,,,here",  # 10
            "F,Nul \0 byte,demographic,numeric,,all",  # 11
            'G,"Never closed,demographic,numeric,,',  # 12
            "H,Good,lifestyle,date,5|1,clean room",  # 13: range upside down
            "I,Ends with empty cells,behavioral,text,,1p,,",  # 14: fine
        ]
    )
    catalog = read_with_problems(tmp_path / "v.csv", content)
    assert catalog.codes == ["A", "C", "F", "H", "I"]
    assert catalog["A"].label == "Label over\r\ntwo lines"
    assert catalog["F"].label == "Nul  byte"
    assert catalog["C"].kind == "demographic"
    assert catalog["C"].availability == ()
    assert catalog["H"].availability == ("clean_room",)
    assert catalog["I"].availability == ("first_party",)
    assert told(catalog) == [
        (5, "B", "has no label.", True),
        (6, "", "has no code.", True),
        (7, "A", "repeats the code of line 2.", True),
        (8, "C", "has kind 'astrology'.", False),
        (8, "C", "has value_type 'complex'.", False),
        (8, "C", "has value_range 'high', which is no range of numbers.", False),
        (8, "C", "has availability 'moon'.", False),
        (9, "", "has 3 of 6 cells.", True),
        (10, "", "has 8 cells for 6 columns.", True),
        (11, "F", "had a control character in its label, which was taken out.", False),
        (12, "", "opens a quote that is never closed.", True),
        (13, "H", "has value_range '5|1', which is no range of numbers.", False),
    ]
    assert all(p.next_move for p in catalog.problems)
    with pytest.raises(DamagedFile, match=r"v\.csv: line 5 \('B'\) has no label\. Give each row"):
        Catalog.read(tmp_path / "v.csv", strict=True)


def test_bad_json_lines_are_named(tmp_path: Path) -> None:
    content = (
        '{"code": "A", "label": "x\u2028y"}\n'
        '{"code": "B", "label":\n'
        '\n["C", "z"]\n'
        '{"code": "D", "label": "d", "kind": 7}\n'
        '{"label": "e"}\n"text"\n'
    )
    catalog = read_with_problems(tmp_path / "v.jsonl", content)
    assert catalog.codes == ["A", "D"]
    assert catalog["A"].label == "x\u2028y"
    assert [(line, what) for line, _, what, _ in told(catalog)] == [
        (2, "is not JSON at its character 23."),
        (4, "holds a list, not an object with fields."),
        (5, "has kind '7'."),
        (6, "has no code."),
        (7, "holds a text, not an object with fields."),
    ]


def test_broken_json_says_where(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="line 2, column 23"):
        read(tmp_path / "v.json", '[{"code": "A"},\n {"code": "B", "label"}]')
    with pytest.raises(DamagedFile, match="nested too deeply"):
        read(tmp_path / "v.json", "[" * 200_000)
    catalog = read_with_problems(tmp_path / "v.json", '[{"code": "A", "label": "a"}, 7]')
    assert told(catalog) == [(2, "", "is a number, not an object with fields.", True)]


def test_lines_in_another_encoding_are_named(tmp_path: Path) -> None:
    lines = ["code,label", "A,Café", "B,Thé", "C,Lait"]
    content = b"\n".join([*(x.encode() for x in lines), "D,Bière".encode("cp1252"), "É,é".encode()])
    catalog = read_with_problems(tmp_path / "v.csv", content)
    assert catalog.column("label") == ["Café", "Thé", "Lait", "Bière", "é"]
    assert [p.line for p in catalog.problems] == [5]
    assert "Windows-1252" in catalog.problems[0].what


def test_files_that_hold_no_catalogue_are_explained(tmp_path: Path) -> None:
    cases: list[tuple[bytes, type[Exception], str]] = [
        (b"", DamagedFile, "is empty"),
        (b"\xef\xbb\xbf \r\n\r\n", DamagedFile, "is empty"),
        (b"code,label\n", DamagedFile, "a header and 0 variables"),
        (b"code,label\n,x\n", DamagedFile, r"v\.dat: line 2 has no code"),
        (b"PK\x03\x04rest", InvalidInput, "Excel workbook"),
        (gzip.compress(b"code,label\nA,b\n" * 99)[:-9], DamagedFile, "torn or damaged gzip"),
        (b"\x1f\x8b\x08\x00broken", DamagedFile, "torn or damaged gzip"),
        (b"\xff\xfeA\x00B", DamagedFile, "not the UTF-16 text"),
        (b'"text"', DamagedFile, "header and 0 variables"),
        (b"a,b,c,d,e,f,g,h,i\n1,x,2,3,4,5,6,7,8\n", InvalidInput, "looks like a table of records"),
    ]
    for content, error, words in cases:
        with pytest.raises(error, match=words):
            read(tmp_path / "v.dat", content)
    with pytest.raises(NotFound, match="absent"):
        Catalog.read(tmp_path / "absent.csv")
    with pytest.raises(NotFound, match="There is no file"):
        Catalog.read(tmp_path)


def test_one_variable_is_a_catalogue(tmp_path: Path) -> None:
    assert len(read(tmp_path / "v.csv", "code,label\nA,Age")) == 1
    assert len(read(tmp_path / "v.jsonl", '{"code": "A", "label": "Age"}')) == 1


def test_records_can_be_read_leniently() -> None:
    records = [{"code": "A", "label": "a"}, {"code": "A", "label": "b"}, {"code": "B"}]
    catalog = Catalog.from_records(records, strict=False)
    assert catalog.codes == ["A"]
    assert told(catalog) == [
        (2, "A", "repeats the code of record 1.", True),
        (3, "B", "has no label.", True),
    ]
    with pytest.raises(InvalidInput, match=r"0 variables\. Record 1 has no code"):
        Catalog.from_records([{"label": "x"}], strict=False)


# -- published layouts ---------------------------------------------------------------------------

COLUMNS = """table_id,line_number,column_id,column_title,indent,parent_column_id
T01,1.0,T01001,Total:,0,
T01,2.0,T01002,Renting:,1,T01001
T01,3.0,T01003,With a garden,2,T01002
T01A,1.0,T01A001,Total:,0,
T02,0.5,T02000.5,Median rooms --,0,
T02,1.0,T02001,Total:,1,T02000.5
"""
TABLES = """table_id,table_title,universe,subject_area,topics
T01,Tenure by Garden,Homes,Housing,"{""homes"",""gardens""}"
T01A,Tenure by Garden (Island Residents),Homes on islands,Housing,{homes}
T02,Median Number of Rooms,Homes,Housing,{}
"""


def test_survey_columns_get_the_whole_path_as_label(tmp_path: Path) -> None:
    (tmp_path / "s_table_metadata.csv").write_text(TABLES)
    catalog = read(tmp_path / "s_column_metadata.csv", COLUMNS)
    assert catalog.column("label") == [
        "Tenure by Garden > Total",
        "Tenure by Garden > Total > Renting",
        "Tenure by Garden > Total > Renting > With a garden",
        "Tenure by Garden (Island Residents) > Total",
        "Median Number of Rooms > Median rooms > Total",
    ]
    # Tables for parts of the population ask something of their own.
    assert catalog.column("measure") == catalog.column("label")
    variable = catalog["T01003"]
    assert (variable.description, variable.category) == ("Homes", "Housing")
    assert (variable.keywords, variable.kind) == (("homes", "gardens"), "demographic")
    assert catalog.notes == ("1 heading holds no figures: it is part of labels, not a variable.",)


def test_survey_tables_may_stand_elsewhere_or_nowhere(tmp_path: Path) -> None:
    alone = read(tmp_path / "columns.csv", COLUMNS)
    assert alone["T01002"].label == "T01 > Total > Renting"
    assert "No table metadata were found" in alone.notes[0]
    elsewhere = tmp_path / "t.csv.gz"
    elsewhere.write_bytes(gzip.compress(TABLES.encode()))
    given = Catalog.read(tmp_path / "columns.csv", tables=elsewhere)
    assert given["T01002"].label == "Tenure by Garden > Total > Renting"
    with pytest.raises(InvalidInput, match="no columns 'table_id' and 'table_title'"):
        Catalog.read(tmp_path / "columns.csv", tables=tmp_path / "columns.csv")
    with pytest.raises(InvalidInput, match="lists 3 tables"):
        Catalog.read(elsewhere)


def test_gaps_in_survey_metadata_are_named(tmp_path: Path) -> None:
    (tmp_path / "s_table_metadata.csv").write_text(TABLES)
    content = COLUMNS + "T01,4.0,T01004,Orphan,2,T01999\nT09,1.0,T09001,Total:,0,\n"
    # A column that is its own grandparent must not be walked for ever.
    content += "T01,5.0,L1,Loop,1,L2\nT01,6.0,L2,Pool,1,L1\n"
    catalog = read_with_problems(tmp_path / "s_column_metadata.csv", content)
    assert catalog["T01004"].label == "Tenure by Garden > Orphan"
    assert catalog["T09001"].label == "T09 > Total"
    assert catalog["L1"].label.endswith("Pool > Loop")
    assert told(catalog) == [
        (8, "T01004", "names a parent 'T01999' that the file lacks.", False),
        (9, "T09001", "is of the table 'T09', which the table metadata lack.", False),
    ]


TAXONOMY = "\r\n".join(
    [
        "\tAudience list 9.9\t\t\t\t\t",
        "\tUnique ID\tParent ID\tCondensed Name\tTier 1\tTier 2\tTier 3\t*Extension Notes",
        "\t1\t\tInterest\tInterest\t\t\t",
        "\t2\t1\tInterest | Kites |\tInterest\tKites\t\t",
        "\t3\t2\tInterest | Kites | Box kites |\tInterest\tKites\tBox kites\t",
        "\t4\t\tPurchase Intent*\tPurchase Intent*\t\t\tSee *notes*",
        "\t5\t4\tPurchase Intent* | Rope |\tPurchase Intent*\tRope\t\tSee *notes*",
        "\t\t\t\t\t\t\t",
        "\t6\t\tDemographic\tDemographic\t\t\t",
        "\t6\t\tDemographic\tDemographic\tTwice\t\t",
    ]
)


def test_a_taxonomy_gets_its_tiers_as_label(tmp_path: Path) -> None:
    catalog = read_with_problems(tmp_path / "taxonomy.tsv", TAXONOMY)
    assert [(v.code, v.label, v.kind) for v in catalog] == [
        ("1", "Interest", "psychographic"),
        ("2", "Interest > Kites", "psychographic"),
        ("3", "Interest > Kites > Box kites", "psychographic"),
        ("4", "Purchase Intent", "behavioral"),
        ("5", "Purchase Intent > Rope", "behavioral"),
        ("6", "Demographic", "demographic"),
    ]
    assert set(catalog.column("value_type")) == {"boolean"}
    assert (catalog["3"].category, catalog["3"].subcategory) == ("Interest", "Kites")
    assert told(catalog) == [(10, "6", "repeats the code of line 9.", True)]


def test_a_taxonomy_that_writes_each_tier_once_is_read_alike(tmp_path: Path) -> None:
    content = "Unique ID\tParent\tTier 1\tTier 2\n1\t\tInterest\t\n2\t1\t\tKites\n"
    assert read(tmp_path / "t.tsv", content)["2"].label == "Interest > Kites"


def test_the_interface_of_the_census_is_read(tmp_path: Path) -> None:
    entries = {
        "for": {"label": "Geography to ask for", "predicateType": "fips-for", "group": "N/A"},
        "X01_001E": {"label": "Estimate!!Total:", "concept": "TENURE BY GARDEN", "group": "X01"},
        "X01_001M": {
            "label": "Margin of Error!!Total:",
            "concept": "TENURE BY GARDEN",
            "group": "X01",
        },
        "X01_002E": {
            "label": "Estimate!!Total:!!Renting:",
            "concept": "Tenure by Garden",
            "predicateType": "int",
            "group": "X01",
        },
    }
    catalog = read(tmp_path / "variables.json", json.dumps({"variables": entries}))
    assert [(v.code, v.label, v.measure) for v in catalog] == [
        ("X01_001E", "Tenure by Garden > Total", "Tenure by Garden > Total"),
        ("X01_001M", "Tenure by Garden > Total, margin of error", "Tenure by Garden > Total"),
        ("X01_002E", *(["Tenure by Garden > Total > Renting"] * 2)),
    ]
    assert catalog.notes == ("1 entry is a condition of queries, not a variable.",)
    table = "name,label,concept\nX01_002,Estimate!!Total:!!Renting:,Tenure by Garden\n"
    assert read(tmp_path / "v.csv", table)["X01_002"].label == catalog["X01_002E"].label


# -- invariants ----------------------------------------------------------------------------------

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=6))
def test_what_a_writer_writes_is_cut_into_the_same_cells(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    text = file.getvalue()
    starts, found, problems = read_cells(text, ",")
    filled = [row for row in rows if any(row)]
    assert (found, problems) == (filled, [])
    # Each row is found on the line where a reader of the text alone would look for it.
    line, expected = 1, []
    for row in rows:
        if any(row):
            expected.append(line)
        one = io.StringIO()
        csv.writer(one, quoting=csv.QUOTE_ALL).writerow(row)
        line += len(list(io.StringIO(one.getvalue(), newline="")))
    assert starts == expected


plain = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(',"\n'),
    max_size=8,
)


@given(st.lists(st.lists(plain, min_size=2, max_size=2), min_size=1, max_size=6))
def test_packed_cells_are_those_of_a_reader(rows: list[list[str]]) -> None:
    rows = [[text.replace("\n", " ") for text in row] for row in rows]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([["a", "b"], *rows])
    packed = PackedCells.of_csv(file.getvalue().encode(), 2)
    assert len(packed) == len(rows)
    assert [list(row) for row in zip(packed.column(0), packed.column(1), strict=True)] == rows
    assert [[packed.cell(i, k) for k in (0, 1)] for i in range(len(rows))] == rows


def test_packed_cells_refuse_torn_rows() -> None:
    with pytest.raises(DamagedFile, match="5 cells do not fill rows of 2"):
        PackedCells.of_csv(b"a,b\n1,2\n3", 2)


@given(st.binary(max_size=200))
def test_any_bytes_become_text_or_a_damaged_file(content: bytes) -> None:
    try:
        text, _, problems = decode(content)
    except DamagedFile:
        return
    assert isinstance(text, str)
    assert delimiter_of(text) in ",\t;|"
    n_lines = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= p.line <= n_lines for p in problems)


@given(st.text(st.sampled_from('ABé,,,\t;"\n\n\r|0\0 '), max_size=60), st.booleans())
def test_no_row_is_lost_without_a_word(
    tmp_path_factory: pytest.TempPathFactory, tail: str, torn: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    text = f"code,label,kind\nA,Age,\nB,Born in,\nC,Café,\n{tail}"
    # A byte that is no UTF-8 in the first of the lines.
    path.write_bytes(text.encode()[: -1 if torn else None] + (b"\xe9" if torn else b""))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        catalog = Catalog.read(path)
    assert catalog.codes[:3] == ["A", "B", "C"]
    assert all(v.code and v.label and set(v.availability) <= set(DATA_TYPES) for v in catalog)
    written, rows, given_up = read_cells(decode(path.read_bytes())[0], ",")
    lost = {p.line for p in catalog.problems if p.left_out}
    assert {p.line for p in given_up} <= lost <= {*written, *(p.line for p in given_up)}
    assert len(catalog) + len(lost) == len(rows) - 1 + len(given_up)


def test_the_demo_reads_alike_by_both_roads() -> None:
    from audience_nb.catalog import demo_file

    demo, general = Catalog.demo(), Catalog.read(demo_file("catalog.csv.gz"))
    assert general.problems == ()
    assert demo.fingerprint == general.fingerprint
    some = demo.codes[::5000]
    # One variable at a time, before any column is cut out.
    assert [Catalog.demo()[code] for code in some] == [general[code] for code in some]
    assert all(demo.column(field) == general.column(field) for field in FIELDS)
