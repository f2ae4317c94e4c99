"""The invented shop of notebook 04: its files are what their script writes, and read as told."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from audience_nb.catalog import Catalog
from audience_nb.encoding import FrameEncoder

FOLDER = Path(__file__).resolve().parents[1] / "notebooks" / "data"


def make() -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return __import__("make")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "customers.csv")


def test_the_files_are_what_the_script_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert make().main(["--check"]) == 0
    assert capsys.readouterr().out == "customers.csv: same\ncodebook.csv: same\n"


def test_nobody_is_in_it(frame: pd.DataFrame) -> None:
    assert frame["customer_id"].map(lambda c: bool(re.fullmatch(r"C-\d{4}", c))).all()
    assert frame["customer_id"].nunique() == 600 and len(frame) == 608
    text = (FOLDER / "customers.csv").read_text(encoding="utf-8")
    assert "@" not in text and not re.search(r"\d{3}[- ]\d{3}[- ]\d{4}", text)


def test_its_dirt_is_read(frame: pd.DataFrame) -> None:
    catalog = Catalog.from_frame(frame, FOLDER / "codebook.csv")
    codebook = catalog.codebook
    assert codebook is not None
    # In a session the identifier is no column, so the codebook speaks of 19.
    assert set(codebook.left_out) == {"customer_id", "country", "comment", "marketing_consent"}
    assert catalog["Spend 12m"].unit == "dollars" and catalog["online_share"].unit == "percent"
    assert catalog["Joined"].value_type == "date" and catalog["rents gear"].value_type == "boolean"
    assert catalog["tier"].values == ("bronze", "silver", "gold")
    assert catalog["age"].missing == ("-9",) and catalog["att_2"].missing == ("99",)
    assert catalog["channel"].values == ("1=Friends", "2=Search", "3=Shop")
    matching = codebook.matching
    assert matching is not None
    assert [m.column for m in matching.proposals] == ["customer_id", "returned"]
    encoder = FrameEncoder()
    read = encoder.fit_read(frame, list(catalog))
    assert pd.Series(read["age"]).isna().sum() == (frame["age"] == -9).sum() > 0
    assert pd.Series(read["att_2"]).max() == 4 and pd.Series(read["Joined"]).notna().all()
    assert read["Spend 12m"][2] == 1224.85
