"""Evaluation: measures by hand, intervals, tables, judgments in files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audience_nb.catalog import Catalog
from audience_nb.errors import DamagedFile, InvalidInput, NotFound
from audience_nb.search import SearchIndex, Suggestion, evaluate
from audience_nb.search.judgments import read_judgments

CATALOG = Catalog.from_records(
    [
        {"code": "JAZZ", "label": "Music > Jazz", "description": "Listens to jazz"},
        {"code": "ROCK", "label": "Music > Rock", "description": "Listens to rock"},
        {"code": "CATS", "label": "Pets > Cats"},
    ]
)


class Fixed:
    """Finds for each query what it was told to."""

    catalog = CATALOG

    def __init__(self, found: dict[str, list[str]]) -> None:
        self.found = found

    def search(self, text: str, limit: int = 15) -> list[Suggestion]:
        codes = self.found.get(text, [])[:limit]
        return [Suggestion(CATALOG[c], 0.5, i, {}, "") for i, c in enumerate(codes, start=1)]


INDEX = Fixed({"swing": ["ROCK", "JAZZ"], "kittens": ["CATS"], "fish": ["ROCK"]})
JUDGED = [("swing", {"JAZZ"}), ("kittens", {"CATS", "JAZZ"}), ("fish", {"CATS"})]


def test_measures_by_hand() -> None:
    found = evaluate(INDEX, JUDGED)
    second = 1 / np.log2(3)
    assert found.n_queries == 3
    np.testing.assert_allclose(
        found.scores,
        [[second, 1, 1, 0.5], [1 / (1 + second), 0.5, 0.5, 1], [0, 0, 0, 0]],
    )
    assert found.by_query.tolist() == found.scores[:, 0].tolist()
    assert found.mrr_10.mean == pytest.approx(0.5)


def test_intervals_hold_the_mean_and_depend_on_the_seed_alone() -> None:
    first, again = evaluate(INDEX, JUDGED), evaluate(INDEX, JUDGED)
    other = evaluate(INDEX, JUDGED, n_resamples=50, random_state=1)
    assert (first.ndcg_10, first.recall_20) == (again.ndcg_10, again.recall_20)
    assert other.ndcg_10.mean == first.ndcg_10.mean
    for measured in (first.ndcg_10, first.recall_5, first.recall_20, first.mrr_10):
        assert 0 <= measured.low <= measured.mean <= measured.high <= 1
        assert measured.low < measured.high
    assert str(first.ndcg_10) in str(first) and "3 queries" in str(first)


def test_the_table_lists_the_worst_first() -> None:
    table = evaluate(INDEX, JUDGED).table()
    assert list(table.columns) == [
        "query",
        "n_relevant",
        "ndcg_10",
        "recall_5",
        "recall_20",
        "mrr_10",
    ]
    assert table["query"].tolist() == ["fish", "kittens", "swing"]
    assert table["n_relevant"].tolist() == [1, 2, 1]
    assert table["ndcg_10"].is_monotonic_increasing


@pytest.mark.parametrize("judged", [[], [("swing", set())]])
def test_judgments_name_what_is_relevant(judged: list) -> None:
    with pytest.raises(InvalidInput, match="name no relevant code"):
        evaluate(INDEX, judged)


# -- files -------------------------------------------------------------------------------------


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"qid": "1", "query": "swing", "rel": ["JAZZ", "GONE"]},
        {"qid": "2", "query": "of another catalogue", "rel": ["GONE"]},
    ]
    file = tmp_path / "judged.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n", encoding="utf-8")
    assert read_judgments(file, CATALOG) == [("swing", frozenset({"JAZZ"}))]
    found = evaluate(INDEX, str(file))
    assert found.queries == ("swing",)
    assert found.recall_5.mean == 1


@pytest.mark.parametrize(
    ("head", "pattern", "codes"),
    [
        ("relevant_path_regex", "^Music", {"JAZZ", "ROCK"}),
        ("relevant_path_regex", "Music > Jazz|Cats", {"JAZZ", "CATS"}),
        ("relevant_label_regex", "Rock$", {"ROCK"}),
        ("relevant_description_regex", "jazz$", {"JAZZ"}),
        # Without a description the label is what is told.
        ("relevant_description_regex", "Cats$", {"CATS"}),
        ("relevant_short_regex", "^ROCK$|jazz", {"ROCK", "JAZZ"}),
        ("rel", "JAZZ|CATS", {"JAZZ", "CATS"}),
    ],
)
def test_tables_of_patterns_and_codes(
    tmp_path: Path, head: str, pattern: str, codes: set[str]
) -> None:
    file = tmp_path / "judged.tsv"
    file.write_text(f'query\t{head}\nfans of "it"\t{pattern}\n', encoding="utf-8")
    assert read_judgments(file, CATALOG) == [('fans of "it"', frozenset(codes))]


def test_commas_may_part_columns_too(tmp_path: Path) -> None:
    file = tmp_path / "judged.csv"
    file.write_text('query,codes\n"swing, or bebop",JAZZ\n', encoding="utf-8")
    assert read_judgments(file, CATALOG) == [("swing, or bebop", frozenset({"JAZZ"}))]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"query": "swing", "rel": ["JAZZ"]}\n{"query":', "Line 2 of a.jsonl"),
        ("a.jsonl", '["swing"]', "Line 1 of a.jsonl is no JSON object"),
        ("a.jsonl", "[" * 100_000, "is no JSON object"),
        ("a.jsonl", '{"rel": ["JAZZ"]}', "has no query"),
        ("a.jsonl", '{"query": "swing"}', "names no codes"),
        ("a.jsonl", '{"query": "swing", "rel": 7}', "names no list"),
        ("a.tsv", "query\trelevant_path_regex\nswing\t(((", "pattern that is none"),
        ("a.tsv", "query\tother\nswing\tJAZZ", "Line 2 of a.tsv names no codes"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DamagedFile, match=said.replace("(", r"\(")):
        read_judgments(tmp_path / name, CATALOG)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"judged\.tsv"):
        evaluate(INDEX, tmp_path / "judged.tsv")


def test_an_index_is_evaluated_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "judged.tsv"
    file.write_text("query\trel\njazz\tJAZZ\ncats\tCATS\n", encoding="utf-8")
    index = SearchIndex(CATALOG, cache_dir=tmp_path)
    assert evaluate(index, file).ndcg_10.mean == 1
