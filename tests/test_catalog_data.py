"""The demo data: counts, grammar, uniqueness, and that the files are what build.py gives."""

from __future__ import annotations

import csv
import gzip
import re
import shutil
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from audience_nb.catalog import Catalog
from audience_nb.variable import DATA_TYPES, FIELDS, KINDS, VALUE_TYPES

DATA = Path(__file__).resolve().parent.parent / "data"


@cache
def module(name: str) -> ModuleType:
    sys.path.insert(0, str(DATA))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(DATA))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with gzip.open(DATA / "catalog.csv.gz", "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == FIELDS == module("build").FIELDS
        return list(reader)


@pytest.fixture(scope="module")
def demographic(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if row["kind"] == "demographic"]


def table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_has_exactly_48_333_variables(rows: list[dict[str, str]]) -> None:
    kinds = Counter(row["kind"] for row in rows)
    assert kinds["demographic"] == 36_610
    assert kinds["lifestyle"] == 68
    assert kinds["behavioral"] + kinds["psychographic"] == 11_655
    assert len(rows) == len(Catalog.demo()) == 48_333


@pytest.mark.parametrize("field", ["code", "label"])
def test_codes_and_labels_are_unique(rows: list[dict[str, str]], field: str) -> None:
    repeated = [text for text, n in Counter(row[field] for row in rows).items() if n > 1]
    assert repeated == []


def test_labels_differ_by_more_than_case_and_spaces(rows: list[dict[str, str]]) -> None:
    assert len({" ".join(row["label"].casefold().split()) for row in rows}) == len(rows)


def test_every_field_is_valid(rows: list[dict[str, str]]) -> None:
    frequencies = {"yearly", "half-yearly", "quarterly", "monthly", "every five years"}
    for row in rows:
        assert re.fullmatch(r"[A-Z0-9_]{3,24}", row["code"]), row["code"]
        assert row["kind"] in KINDS
        assert row["value_type"] in VALUE_TYPES
        available = row["availability"].split("|")
        assert available == [t for t in DATA_TYPES if t in available], row["code"]
        assert available
        assert row["update_frequency"] in frequencies, row["update_frequency"]
        for field in ("description", "category", "subcategory", "measure", "source", "keywords"):
            assert row[field], (row["code"], field)
        if row["value_range"]:
            low, high = map(float, row["value_range"].split("|"))
            assert low < high
        else:
            assert row["values"], row["code"]


def test_texts_are_clean(rows: list[dict[str, str]]) -> None:
    for row in rows:
        for field in ("label", "measure", "description", "category", "subcategory"):
            text = row[field]
            assert text == " ".join(text.split()), text
            assert text[0] not in "=+-@", text
            assert text.count("(") == text.count(")"), text
            assert "{" not in text and "}" not in text, text
        for field in ("values", "keywords"):
            parts = row[field].split("|")
            assert len(set(parts)) == len(parts), row["code"]
            assert all(part == part.strip() for part in parts)
            assert all(parts) or row[field] == ""


def test_the_demographic_code_says_period_and_unit(demographic: list[dict[str, str]]) -> None:
    ends = {
        "B21": ("2021 census", "2021 base year"),
        "C26": ("2026 estimate",),
        "P31": ("2031 projection",),
        "P36": ("2036 projection",),
    }
    units = {"N": "count", "P": "percent", "SHR": "percent", "CHG": "percent", "IDX": "index"}
    themes: dict[str, set[str]] = {}
    for row in demographic:
        parsed = module("demographics").CODE_GRAMMAR.fullmatch(row["code"])
        assert parsed, row["code"]
        assert row["label"].endswith(ends[parsed["period"]]), row["label"]
        assert row["unit"] == units.get(parsed["unit"], row["unit"])
        assert (parsed["unit"] == "AGG") == ("aggregate" in row["label"])
        assert row["unit"] and row["value_type"] == "numeric"
        assert row["label"].startswith(row["measure"] + ", ")
        themes.setdefault(parsed["theme"], set()).add(row["subcategory"].partition(": ")[0])
    assert len(themes) == 161
    assert all(len(topics) == 1 for topics in themes.values())


def test_other_codes_follow_their_grammar(rows: list[dict[str, str]]) -> None:
    grammar = {"lifestyle": r"LS\d\d", "behavioral": r"Q\d{7}I\d", "psychographic": r"Q\d{7}I\d"}
    for row in rows:
        if row["kind"] in grammar:
            assert re.fullmatch(grammar[row["kind"]], row["code"]), row["code"]


def test_the_2036_projection_follows_the_stated_priority(
    demographic: list[dict[str, str]],
) -> None:
    codes = {row["code"] for row in demographic}
    for row in demographic:
        assert f"B21{row['code'][3:]}" in codes and f"P31{row['code'][3:]}" in codes
    priority = {
        row["theme"]: int(row["priority"]) for row in table("vocabulary/demographic_topics.csv")
    }
    current = [row["code"][3:] for row in demographic if row["code"].startswith("C26")]
    by_priority = sorted(current, key=lambda rest: priority[rest[:3]])
    n_projected = sum(code.startswith("P36") for code in codes)
    assert n_projected == 36_610 - 3 * len(current)
    projected = {code[3:] for code in codes if code.startswith("P36")}
    assert set(by_priority[:n_projected]) == projected


def test_breadth(rows: list[dict[str, str]], demographic: list[dict[str, str]]) -> None:
    assert len({row["subcategory"] for row in rows}) >= 400
    assert len({row["subcategory"] for row in demographic}) >= 300
    assert len({row["category"] for row in demographic}) == 32
    assert 4_500 <= len({row["measure"] for row in demographic}) <= 5_500


def test_everyday_and_french_words_lead_to_main_topics(demographic: list[dict[str, str]]) -> None:
    topics: dict[str, set[str]] = {}
    for row in demographic:
        for word in row["keywords"].split("|"):
            topics.setdefault(word, set()).add(row["subcategory"])
    for word, topic in {
        "tenants": "Tenure: renters",
        "locataires": "Tenure: renters",
        "revenu": "Household income, constant dollars: higher bands",
        "affluent": "Household income, constant dollars: higher bands",
        "millennial": "Generations: middle generations",
        "cyclists": "Main mode of commuting: active",
        "solar panels": "Energy and water saving: saving",
    }.items():
        if word != "solar panels":
            assert topic in topics[word], word
        else:
            assert any(r["subcategory"] == topic and word in r["label"] for r in demographic)


def test_sensitive_traits_are_published_for_areas_only(demographic: list[dict[str, str]]) -> None:
    sensitive = {
        "Religion",
        "Ethnic and cultural origin",
        "Indigenous peoples",
        "Health",
        "Disability",
    }
    for row in demographic:
        assert (row["availability"] == "third_party") == (row["category"] in sensitive), row["code"]


def test_shares_of_one_universe_do_not_pass_a_hundred(demographic: list[dict[str, str]]) -> None:
    percent = [row for row in demographic if row["unit"] == "percent"]
    assert len(percent) > 14_000
    assert all(float(row["value_range"].split("|")[1]) <= 100 for row in percent)


def test_every_topic_has_one_to_four_drivers(rows: list[dict[str, str]]) -> None:
    drivers: dict[str, list[str]] = {}
    for row in table("drivers.csv"):
        assert row["latent"] in module("lifestyle_types").LATENTS
        assert 0 < abs(float(row["loading"])) <= 1
        drivers.setdefault(row["topic"], []).append(row["latent"])
    topics = {row["subcategory"] for row in rows if row["kind"] != "lifestyle"}
    against = set(module("statements").against_topic())
    assert set(drivers) == topics | against
    for topic, latents in drivers.items():
        assert 1 <= len(latents) <= 4 and len(set(latents)) == len(latents), topic


def test_statements_against_their_topic_load_the_other_way(rows: list[dict[str, str]]) -> None:
    loadings: dict[str, dict[str, float]] = {}
    for row in table("drivers.csv"):
        loadings.setdefault(row["topic"], {})[row["latent"]] = float(row["loading"])
    against = set(module("statements").against_topic())
    pairs = {(r["measure"], r["subcategory"]) for r in rows if r["measure"] in against}
    assert len(pairs) == len(against) > 300
    for measure, topic in pairs:
        assert loadings[measure] == {k: -v for k, v in loadings[topic].items()}


def test_the_lifestyle_table() -> None:
    types = table("lifestyles.csv")
    assert tuple(types[0]) == module("lifestyle_types").LIFESTYLE_COLUMNS
    assert [row["code"] for row in types] == [f"LS{n:02d}" for n in range(1, 69)]
    assert len({row["name"] for row in types}) == 68
    assert len({row["description"] for row in types}) == 68
    assert len({row["lifestage_group"] for row in types}) == 8
    assert 18 <= len({row["social_group"] for row in types}) <= 22
    assert {row["urbanity"] for row in types} == {"core", "suburb", "town", "rural"}
    catalog = Catalog.demo()
    for row in types:
        assert catalog[row["code"]].label == f"Lifestyle: {row['name']}"
        assert catalog[row["code"]].subcategory == row["social_group"]


def test_no_lifestyle_is_empty_or_overwhelming() -> None:
    # Fitted on seed 0; another seed is the honest test.
    shares = module("lifestyle_types").lifestyle_shares(50_000, random_state=11)
    assert abs(sum(shares) - 1) < 1e-9
    assert min(shares) >= 0.004 and max(shares) <= 0.04


def test_offsets_were_fitted_under_the_correlations_of_the_population() -> None:
    from audience_nb.sources import population

    fitted = module("lifestyle_types").CORRELATIONS
    assert {frozenset(k): v for k, v in fitted.items()} == {
        frozenset(k): v for k, v in population.CORRELATIONS.items()
    }
    assert set(module("lifestyle_types").LATENTS) == set(population.LATENTS)


def test_the_records() -> None:
    records = table("records.csv")
    assert len(records) == 1_000
    assert len({row["customer_id"] for row in records}) == 1_000
    catalog = Catalog.demo()
    attributes = module("build").ATTRIBUTES
    codes = [name for name in records[0] if name not in attributes]
    assert len(codes) == 42
    kinds = Counter(catalog[code].kind for code in codes)
    assert kinds["demographic"] == 24
    for row in records:
        assert row["email"].endswith(("@example.com", ".invalid"))
        assert row["lifestyle"] in catalog
        for code in codes:
            variable = catalog[code]
            if variable.value_range and row[code]:
                low, high = variable.value_range
                assert low <= float(row[code]) <= high, code


def test_typical_values_lie_in_the_range_of_their_measure(
    demographic: list[dict[str, str]],
) -> None:
    ranges: dict[tuple[str, str], tuple[float, float]] = {}
    for row in demographic:
        low, high = map(float, row["value_range"].split("|"))
        ranges[row["measure"], row["code"].rpartition("_")[2]] = low, high
    units = {"percent": ("P",), "amount": ("AVG", "VAL")}
    typicals = table("typicals.csv")
    assert len({row["measure"] for row in typicals}) == len(typicals) > 4_000
    for row in typicals:
        found = [
            ranges[row["measure"], u]
            for u in units[row["quantity"]]
            if (row["measure"], u) in ranges
        ]
        assert len(found) == 1, row
        low, high = found[0]
        assert low + float(row["middle"]) * (high - low) == pytest.approx(
            float(row["typical"]), abs=1e-4 * (high - low)
        )
        assert 0 < float(row["middle"]) < 0.96, row


def test_the_readme_counts_what_is_there(
    rows: list[dict[str, str]], demographic: list[dict[str, str]]
) -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    demographics, statements = text.split("Behaviour and values by category:")
    for part, subset in (
        (demographics, demographic),
        (statements, [row for row in rows if row["code"][0] == "Q"]),
    ):
        stated = {
            name: int(n.replace(",", ""))
            for name, n in re.findall(r"^\| ([^|]+) \| ([\d,]+) \|$", part, re.M)
        }
        assert stated == Counter(row["category"] for row in subset)


def test_the_archive_is_small_and_names_neither_file_nor_time() -> None:
    content = (DATA / "catalog.csv.gz").read_bytes()
    assert len(content) < 5_000_000
    assert content[:4] == b"\x1f\x8b\x08\x00"  # no flags: no file name, no comment
    assert content[4:8] == bytes(4)  # no time


def test_the_files_on_disk_are_what_build_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = module("build")
    assert build.main(["--check"]) == 0
    assert build.main(["--wrong"]) == 2
    copy = tmp_path / "data"
    shutil.copytree(DATA, copy, ignore=shutil.ignore_patterns("__pycache__"))
    lines = (copy / "lifestyles.csv").read_text(encoding="utf-8")
    (copy / "lifestyles.csv").write_text(lines.replace("LS07", "LS70"), encoding="utf-8")
    monkeypatch.setattr(build, "HERE", copy)
    monkeypatch.setattr(build, "FILES", {"lifestyles.csv": build.lifestyles_csv})
    capsys.readouterr()
    assert build.main(["--check"]) == 1
    assert "lifestyles.csv: differs" in capsys.readouterr().out
    assert build.main([]) == 0
    assert build.main(["--check"]) == 0


def test_build_refuses_a_repeated_label() -> None:
    build = module("build")
    record = {"code": "AAA", "label": "Same"}
    parts = {"demographic": [record, {**record, "code": "BBB"}], "lifestyle": [], "statements": []}
    counts = {"demographic": 2, "lifestyle": 0, "statements": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "COUNTS", counts)
        with pytest.raises(ValueError, match="share the label 'Same'"):
            build._check(parts)
        parts["demographic"].pop()
        with pytest.raises(ValueError, match="1 demographic records, not 2"):
            build._check(parts)
