"""Names that platforms flag: found with the rule, told with another wording, few false alarms."""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.catalog import Variable
from audience_nb.policy.wording import lint, lint_variables, without
from audience_nb.segments import Segmentation
from audience_nb.segments.wording import flagged, name_findings
from audience_nb.session import Session

META = "https://developers.facebook.com/docs/marketing-api/reference/custom-audience"


@pytest.mark.parametrize(
    ("text", "level", "rule", "rest"),
    [
        # The four examples of Meta's own notice.
        ("Arthritis", "error", "health condition", ""),
        ("People with diabetes", "error", "health condition", ""),
        ("Low credit score", "error", "financial status", ""),
        ("High income women", "error", "financial status", "Women"),
        ("Younger higher-income people, many trips", "error", "financial status",
         "Younger people, many trips"),
        ("Revenu élevé, jeunes", "error", "financial status", "Jeunes"),
        ("In debt or divorced, big spenders on wine", "error", "financial status",
         "Big spenders on wine"),
        ("Catholic voters", "warning", "personal attribute", ""),
        ("Divorced men", "warning", "personal hardship", "Men"),
        ("Latitude of the home", "warning", "sensitive category", ""),
        ("High cash advance transactions and payments", "error", "financial status",
         "High payments"),
    ],
)  # fmt: skip
def test_what_is_flagged_and_what_is_left(text: str, level: str, rule: str, rest: str) -> None:
    found = lint(text)
    assert (found[0].level, found[0].rule) == (level, rule)
    assert found[0].source.startswith("https://")
    assert found[0].alternative == rest or (not rest and found[0].alternative.startswith("Name "))
    assert without(text) == rest


def test_the_rule_is_cited() -> None:
    found = lint("High income")[0]
    assert found.source == META
    assert found.what.startswith("'high income': Meta flags audiences that suggest financial")
    assert found.alternative == "Name what they buy or visit."
    assert len(lint("Diabetes, divorced, in debt")) == 3


@pytest.mark.parametrize(
    "text",
    [
        "Older women, many store purchases",
        "Very patient people",
        "Watch race cars",
        "Richmond Hill renters",
        "Credit card (automatic)",
        "Interested in politeness",
        "Healthy eating out of cans",
        "Rich media readers",
        "Poor service reported",
        "Fixed income funds",
        "",
    ],
)
def test_what_only_sounds_alike_is_left_alone(text: str) -> None:
    assert lint(text) == ()
    assert without(text) == text


@given(st.lists(st.sampled_from(
    ["higher-income people", "many trips", "in debt", "with diabetes", "urban women", "opera",
     "no dependents or churn", "Catholic", "high income and many pets"]), max_size=5))  # fmt: skip
def test_what_is_left_is_never_flagged(parts: list[str]) -> None:
    assert lint(without(", ".join(parts))) == ()


def test_every_word_names_a_rule_and_every_rule_its_source() -> None:
    folder = resources.files("audience_nb.policy")
    rules = list(csv.DictReader(folder.joinpath("wording_rules.csv").read_text().splitlines()))
    terms = list(
        csv.DictReader(folder.joinpath("wording.csv").read_text(encoding="utf-8").splitlines())
    )
    assert {row["rule"] for row in terms} <= {row["rule"] for row in rules}
    assert {row["level"] for row in rules} == {"error", "warning"}
    assert all(row["source"].startswith("https://") for row in rules)
    # Words are compared in plain letters.
    assert all(row["term"].isascii() and row["term"] == row["term"].lower() for row in terms)


def test_variables_by_their_label() -> None:
    found = lint_variables([Variable("A", "Household income"), Variable("B", "Cycles")])
    assert {code: f[0].rule for code, f in found.items()} == {"A": "financial status"}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    income = rng.normal(60, 20, 400).round()
    return pd.DataFrame(
        {"income": income, "trips": rng.poisson(np.clip(income / 15, 0, None)) * 1.0}
    )


def test_segments_offer_a_name_from_their_other_traits(table: pd.DataFrame) -> None:
    cut = Segmentation.fit(table, ["income", "trips"], n_segments=4, min_share=0.2, max_share=0.3)
    names = flagged(cut).query("part == 'name'")
    assert len(names)
    for row in names.to_dict("records"):
        assert "income" in cut.segment(row["segment"]).name.casefold()
        assert lint(row["alternative"]) == ()
        assert row["alternative"] not in {s.name for s in cut.segments}
    assert flagged(cut).query("part == 'Income'")["rule"].tolist() == ["financial status"]
    alone = Segmentation.fit(table, ["income"], n_segments=4, min_share=0.2, max_share=0.3)
    assert {f.alternative for s in alone.segments for f in name_findings(s)} <= {
        f"Segment {s.id}" for s in alone.segments
    }


def test_renaming_says_what_platforms_will_not_take(table: pd.DataFrame) -> None:
    session = Session(table)
    session.confirm(["income", "trips"])
    session.segment(4, min_share=0.2, max_share=0.3)
    session.rename(1, "Wealthy travellers")
    said = session.messages[-1].text
    assert "'wealthy': Meta flags audiences that suggest financial status" in said
    assert META in said
    n = len(session.messages)
    session.rename(1, "Frequent travellers")
    assert len(session.messages) == n
