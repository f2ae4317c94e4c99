"""Tables with variables in rows: areas become records, indentation becomes a path."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audience_nb.catalog import Catalog
from audience_nb.errors import InvalidInput
from audience_nb.transposing import transpose

AREAS = ["North", "South", "East", "West"]


def table() -> pd.DataFrame:
    rows = [
        ("Dwellings", "Total - Dwellings by type - 25% sample data", [1000, 800, 600, 400]),
        ("Dwellings", "  Houses", [250, 600, 300, 100]),
        ("Dwellings", "  Apartments", [750, 200, 300, 300]),
        ("Dwellings", "    Tall", [500, 100, 100, 200]),
        ("Income", "Median income", [51000, 62000, 48500, 70250]),
        ("Income", "Low income rate", ["12%", "8.5%", "20%", "n/a"]),
        ("Names", "Designation", ["none", "priority", "none", "priority"]),
        ("Names", "Nothing", ["", "", "", ""]),
    ]
    frame = pd.DataFrame(
        [
            [i, topic, label, *(f"{v:,}" if isinstance(v, int) else v for v in values)]
            for i, (topic, label, values) in enumerate(rows, start=1)
        ],
        columns=["_id", "Topic", "Characteristic", *AREAS],
    )
    totals = [f"{sum(v):,}" if isinstance(v[0], int) else "" for _, _, v in rows]
    frame.insert(3, "City", totals)
    return frame


def test_areas_become_records() -> None:
    found = transpose(table())
    assert repr(found) == "Transposed(4 records, 7 variables)"
    assert found.frame.index.tolist() == AREAS and found.frame.index.name == "area"
    assert found.frame["V1"].tolist() == [1000, 800, 600, 400]
    assert found.frame["V6"].tolist()[:3] == [12, 8.5, 20] and np.isnan(found.frame["V6"].iloc[3])
    assert found.frame["V7"].tolist() == ["none", "priority", "none", "priority"]
    assert "“City” was left out: it is the sum of the other columns." in found.notes
    assert "1 rows without a label or a value were passed over." in found.notes
    words = found.dictionary.set_index("code")
    assert words.loc["V2", "label"] == "Houses (dwellings by type)"
    assert words.loc["V4", "label"] == "Tall (dwellings by type / Apartments)"
    assert words.loc["V4", "description"] == (
        "Total - Dwellings by type - 25% sample data / Apartments / Tall"
    )
    # A topic of its own has no parent above.
    assert words.loc["V5", ["label", "subcategory"]].tolist() == ["Median income", "Income"]
    assert words.loc["V6", "unit"] == "percent"


def test_shares_are_of_the_row_above() -> None:
    found = transpose(table(), shares=True)
    assert found.frame["V2"].tolist() == [25, 75, 50, 25]
    assert found.frame["V4"].tolist() == pytest.approx([500 / 7.5, 50, 100 / 3, 200 / 3])
    units = found.dictionary.set_index("code")["unit"]
    assert units["V2"] == units["V4"] == "percent" and units["V5"] == ""
    assert "V1" not in found.frame
    assert any("3 rows are given in percent" in note for note in found.notes)


def test_parts_that_add_up_to_more_than_their_row_belong_elsewhere() -> None:
    # Sorted by name after it was indented: "Big" is no part of "Aaa".
    rows = [("All", [100, 90]), ("  Aaa", [20, 10]), ("    Big", [80, 80])]
    frame = pd.DataFrame([[n, *map(str, v)] for n, v in rows], columns=["What", "A", "B"])
    found = transpose(frame, shares=True)
    assert found.frame["V3"].tolist() == pytest.approx([80, 100 * 80 / 90])
    assert found.dictionary.set_index("code").loc["V3", "label"] == "Big (all)"


def test_a_catalogue_is_inferred_from_them() -> None:
    found = transpose(table(), shares=True)
    catalog = Catalog.from_frame(found.frame, found.dictionary)
    assert catalog["V2"].label == "Houses (dwellings by type)"
    assert (catalog["V2"].unit, catalog["V2"].value_type) == ("percent", "numeric")
    assert catalog["V5"].subcategory == "Income"


def test_what_cannot_be_told_can_be_named() -> None:
    found = transpose(table(), label="Topic", areas=["North", "City"])
    assert found.frame.index.tolist() == ["North", "City"]
    with pytest.raises(InvalidInput, match="There is no column 'Nowhere'"):
        transpose(table(), areas=["North", "Nowhere"])
    with pytest.raises(InvalidInput, match="None of the 2 columns says"):
        transpose(pd.DataFrame({"a": ["1", "2"], "b": ["3", "4"]}))
    with pytest.raises(InvalidInput, match="0 columns are areas"):
        transpose(pd.DataFrame({"a": ["x", "y"], "b": ["p", "q"]}))
