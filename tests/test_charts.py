"""Charts hold what they were given, as data, and say it to those who do not see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audience_nb.catalog import Catalog
from audience_nb.charts import (
    SEGMENT_COLORS,
    k_curve_chart,
    lift_chart,
    map_chart,
    overlap_chart,
    performance_chart,
    relevance_chart,
    size_chart,
    type_chart,
    upset_chart,
)
from audience_nb.insights import Lookalike, overlap, performance
from audience_nb.search import Suggestion
from audience_nb.segments import Segmentation

EVIL = "<img src=x onerror=alert(1)>${datum.x}', alert(1), '\"\\ {signal: 'width'} {{1+1}}\nnext"


def suggestions(labels: list[str], kinds: list[str] | None = None) -> list[Suggestion]:
    kinds = kinds or ["demographic"] * len(labels)
    catalog = Catalog.from_records(
        [
            {"code": f"V{i:03d}", "label": label, "kind": kind}
            for i, (label, kind) in enumerate(zip(labels, kinds, strict=True))
        ]
    )
    return [
        Suggestion(
            variable=variable,
            score=round(0.9 - 0.05 * i, 4),
            rank=i + 1,
            parts={"meaning": round(0.5 - 0.05 * i, 4), "words": 0.3, "spelling": 0.1},
            why="words",
        )
        for i, variable in enumerate(catalog)
    ]


@pytest.fixture(scope="module")
def segmentation() -> Segmentation:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(18, 90, 240), "spend": rng.gamma(2, 50, 240)})
    return Segmentation.fit(frame, ["age", "spend"], n_segments=12, random_state=1)


def strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    """List every string of a specification with where it stands."""
    if isinstance(value, dict):
        return [pair for k, v in value.items() for pair in strings(v, f"{path}/{k}")]
    if isinstance(value, list):
        return [pair for v in value for pair in strings(v, path)]
    return [(path, value)] if isinstance(value, str) else []


def rows_of(spec: dict[str, Any], layer: int | None = None) -> list[dict[str, Any]]:
    """Give the data of a chart, which Altair names and moves to the top."""
    part = spec if layer is None else spec["layer"][layer]
    data = part.get("data") or spec["data"]
    return data["values"] if "values" in data else spec["datasets"][data["name"]]


def test_relevance_shows_the_best_eight_with_parts_that_add_up() -> None:
    found = suggestions([f"Variable {i}" for i in range(11)])
    spec = relevance_chart(found).to_dict()
    rows = pd.DataFrame(rows_of(spec))
    assert list(rows["label"].unique()) == [f"Variable {i}" for i in range(8)]
    totals = rows.groupby("label")["value"].sum()
    assert totals.to_dict() == pytest.approx({s.variable.label: s.score for s in found[:8]})
    assert spec["encoding"]["color"]["scale"]["domain"] == ["Meaning", "Words", "Spelling"]
    assert spec["width"] == "container"
    assert "Variable 7 0.55" in spec["description"]


def test_a_bar_is_as_long_as_its_score_whatever_earlier_picks_take_away() -> None:
    one, two = suggestions(["Taken", "Left"])
    liked = replace(one, score=0.95, parts={"words": 0.75, "use": 0.2})
    left = replace(two, score=0.6, parts={"words": 0.6, "meaning": 0.2, "use": -0.2})
    spec = relevance_chart([liked, left]).to_dict()
    rows = pd.DataFrame(rows_of(spec))
    lengths = rows.groupby("label")["length"].sum().to_dict()
    assert lengths == pytest.approx({"Taken": 0.95, "Left": 0.6})
    # What is read in the tooltip is what the part gave.
    assert dict(zip(rows["part"], rows["value"], strict=True))["Earlier picks"] == 0.2
    assert rows[rows["label"] == "Left"]["value"].tolist() == [0.6, 0.2]
    assert spec["encoding"]["color"]["scale"]["domain"] == ["Meaning", "Words", "Earlier picks"]
    assert spec["encoding"]["x"]["field"] == "length"


def test_labels_that_are_long_or_equal_stay_apart() -> None:
    spec = relevance_chart(
        suggestions(["x" * 300 + "a", "x" * 300 + "b", " two\n lines "])
    ).to_dict()
    labels = list(dict.fromkeys(row["label"] for row in rows_of(spec)))
    assert labels == ["x" * 79 + "…", "x" * 79 + "… (2)", "two lines"]


def test_types_counts_every_kind_once() -> None:
    kinds = ["behavioral", "demographic", "behavioral", "lifestyle"]
    spec = type_chart(suggestions(list("abcd"), kinds)).to_dict()
    assert rows_of(spec) == [
        {"kind": "Demographic", "count": 1},
        {"kind": "Behavioural", "count": 2},
        {"kind": "Lifestyle", "count": 1},
    ]
    assert spec["description"] == (
        "4 suggestions by kind: Demographic 1; Behavioural 2; Lifestyle 1."
    )


def test_sizes_draws_the_two_limits(segmentation: Segmentation) -> None:
    spec = size_chart(segmentation).to_dict()
    axis = spec["encoding"]["x"]["axis"]
    assert axis["values"] == [0.05, 0.1]
    assert axis["grid"] is True
    rows = rows_of(spec)
    assert [row["records"] for row in rows] == [s.size for s in segmentation.segments]
    assert sum(row["records"] for row in rows) == 240
    assert sum(row["share"] for row in rows) == pytest.approx(1, abs=1e-5)
    assert spec["encoding"]["x"]["scale"]["domain"][1] >= 0.1
    assert spec["title"] == "Segment sizes, limits at 5% and 10%"


def test_map_holds_counts_and_no_record(segmentation: Segmentation) -> None:
    spec = map_chart(segmentation).to_dict()
    discs = spec["layer"][0]
    cells = rows_of(spec, 0)
    assert sum(cell["records"] for cell in cells) == 240
    assert len(cells) < 240
    assert {cell["hue"] for cell in cells} <= set(range(len(SEGMENT_COLORS)))
    assert [n["number"] for n in rows_of(spec, 1)] == [str(i) for i in range(1, 13)]
    assert sum(n["records"] for n in rows_of(spec, 1)) == 240
    assert discs["encoding"]["x"]["axis"]["title"] == f"{segmentation.map_axes[0]} →"


def test_k_curve_marks_the_number_taken() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": np.concatenate([rng.normal(c, 0.1, 30) for c in (0, 5, 9)])})
    found = Segmentation.fit(frame, ["x"], min_share=0.2, max_share=0.5, random_state=0)
    spec = k_curve_chart(found).to_dict()
    rows = rows_of(spec, 0)
    assert [row["number"] for row in rows] == found.k_curve["n_clusters"].tolist()
    assert [r["number"] for r in rows if r["standing"] == "taken"] == [found.n_segments]
    assert [r["stability"] for r in rows] == found.k_curve["stability"].round(6).tolist()


def test_k_curve_names_the_numbers_that_are_about_as_good() -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).uniform(size=400)})
    found = Segmentation.fit(frame, ["x"], random_state=0)
    close = found.k_curve.query("alternative")["n_clusters"].tolist()
    assert close, "uniform records leave the number open"
    spec = k_curve_chart(found).to_dict()
    marked = [r["number"] for r in rows_of(spec, 0) if r["standing"] == "about as good"]
    assert marked == [k for k in close if k != found.n_segments]
    assert all(str(k) in spec["title"] for k in marked)


def test_whatever_a_label_says_stays_data(segmentation: Segmentation) -> None:
    hostile = segmentation.rename(1, EVIL)
    specs = [
        relevance_chart(suggestions([EVIL, "plain"])).to_dict(),
        size_chart(hostile).to_dict(),
        map_chart(hostile).to_dict(),
    ]
    for spec in specs:
        where = {path for path, text in strings(spec) if "onerror" in text}
        assert where
        # Rows, and the description that is read out: none of them is an expression.
        assert all(path.startswith("/datasets/") or path == "/description" for path in where)
    forbidden = ("expr", "signal", "calculate", "labelExpr", "href", "url", "filter")
    for spec in specs:
        assert not [
            p for p, _ in strings({**spec, "datasets": None}) if p.split("/")[-1] in forbidden
        ]


def test_axis_names_from_columns_are_plain_text() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({EVIL: rng.normal(size=60), "b": rng.normal(size=60)})
    found = Segmentation.fit(frame, [EVIL, "b"], n_segments=12, random_state=0)
    title = map_chart(found).to_dict()["layer"][0]["encoding"]["x"]["axis"]["title"]
    # A string is a string to Vega-Lite; only an object {"expr": …} or {"signal": …} would run.
    assert isinstance(title, str)
    assert "\n" not in title
    assert len(title) <= 82


def test_charts_do_not_depend_on_the_transformer_the_user_set(segmentation: Segmentation) -> None:
    import altair as alt

    with alt.data_transformers.enable("json"):
        spec = size_chart(segmentation).to_dict()
    assert len(rows_of(spec)) == 12
    assert json.loads(json.dumps(spec)) == spec


def test_colours_can_be_seen_on_white_and_on_dark() -> None:
    def luminance(color: str) -> float:
        linear = [
            c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
            for c in (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark = luminance("#212121")
    for color in SEGMENT_COLORS:
        assert 1.05 / (luminance(color) + 0.05) >= 3, color
        assert (luminance(color) + 0.05) / (dark + 0.05) >= 3, color
    assert len(set(SEGMENT_COLORS)) == 10


# -- insights ------------------------------------------------------------------------------------


def test_overlap_leaves_out_what_may_not_be_shown() -> None:
    found = overlap({EVIL: range(20), "b": range(10, 40), "c": range(38, 60)}, minimum_count=5)
    spec = overlap_chart(found).to_dict()
    rows = rows_of(spec, 0)
    assert rows[0]["row"].startswith(EVIL[:20])
    assert (rows[0]["column"], rows[0]["both"]) == ("b", 10)
    assert not [r for r in rows if {r["row"], r["column"]} == {"b", "c"}]
    assert [r["jaccard"] for r in rows if r["both"] == 10] == [0.25, 0.25]


def test_combinations_are_drawn_largest_first() -> None:
    spec = upset_chart(overlap({"a": range(8), "b": range(5, 8)})).to_dict()
    (rows,) = spec["datasets"].values()
    assert [(r["combination"], r["count"]) for r in rows] == [("a only", 5), ("a and b", 3)]


def test_lift_is_drawn_beside_chance() -> None:
    frame = pd.DataFrame({"age": np.random.default_rng(0).permutation(600) % 60 + 20})
    found = Lookalike.fit(frame, ["age"], frame.index[frame["age"] < 30])
    spec = lift_chart(found).to_dict()
    assert rows_of(spec, 0) == [{"share": 0, "captured": 0}, {"share": 1, "captured": 1}]
    assert rows_of(spec, 1)[-1]["captured"] == 1
    assert "5% finds 30%" in spec["description"]


def test_performance_tells_findings_from_chance() -> None:
    outcome = pd.Series([1] * 45 + [0] * 5 + [1, 0] * 25 + [0] * 50)
    table = performance(outcome, pd.Series([1] * 50 + [2] * 50 + [3] * 50))
    spec = performance_chart(table, {1: "Buyers", 2: "So-so", 3: EVIL}).to_dict()
    rows = rows_of(spec, 1)
    assert [r["finding"] for r in rows] == ["more than chance", "may be chance", "more than chance"]
    assert rows[0]["segment"] == "1 Buyers"
    assert rows[0]["low"] < rows[0]["difference"] < rows[0]["high"]


def test_numbers_on_the_map_stand_side_by_side() -> None:
    # Answers of yes and no alone put all segments on a few places.
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(["yes", "no"], 600) for name in "abcd"})
    found = Segmentation.fit(frame, list("abcd"), n_segments=12, random_state=0)
    drawn = map_chart(found).to_dict()
    layers = drawn["layer"]
    rows = {
        name: drawn["datasets"][layer["data"]["name"]] if "name" in layer["data"]
        else layer["data"]["values"]
        for name, layer in zip(("cells", "numbers"), layers, strict=True)
    }  # fmt: skip
    spans = [
        max(r[axis] for both in rows.values() for r in both)
        - min(r[axis] for both in rows.values() for r in both)
        for axis in ("x", "y")
    ]
    numbers = rows["numbers"]
    assert len(numbers) == 12
    for i, one in enumerate(numbers):
        for other in numbers[:i]:
            across = abs(one["x"] - other["x"]) / spans[0]
            up = abs(one["y"] - other["y"]) / spans[1]
            assert across > 0.02 or up > 0.02
    assert map_chart(found).to_dict() == drawn
