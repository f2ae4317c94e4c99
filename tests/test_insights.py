"""Overlap, predicted size, lookalikes, allocation, performance: values, bounds, coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, ttest_ind

from audience_nb.errors import InvalidInput
from audience_nb.insights import (
    Lookalike,
    by_priority,
    hold_out,
    overlap,
    performance,
    predicted_size,
)

sets = st.sets(st.integers(0, 30))


# -- overlap -------------------------------------------------------------------------------------


def test_overlap_of_two_is_counted_both_ways() -> None:
    found = overlap({"a": [1, 2, 3, 4], "b": [3, 4, 5], "none": []})
    row = found.pairs.iloc[0]
    assert row.tolist() == ["a", "b", 4, 3, 2, 2 / 5, 2 / 4, 2 / 3]
    assert found.pairs.iloc[1][["both", "first_in_second"]].tolist() == [0, 0]
    assert np.isnan(found.pairs.iloc[1]["second_in_first"])
    assert found.matrix("both").loc["b"].tolist()[:2] == [2, 3]
    assert found.matrix("containment").loc["b", "a"] == 2 / 3
    assert found.matrix().loc["a", "a"] == 1
    with pytest.raises(InvalidInput, match="no measure 'cosine'"):
        found.matrix("cosine")


@given(st.dictionaries(st.sampled_from("abcde"), sets, min_size=2, max_size=5))
def test_combinations_split_everyone_and_jaccard_is_symmetric(named: dict[str, set[int]]) -> None:
    found = overlap(named)
    assert found.combinations["count"].sum() == len(set().union(*named.values()))
    for name, members in named.items():
        inside = [name in combination for combination in found.combinations["audiences"]]
        assert found.combinations["count"][inside].sum() == len(members)
    known = found.pairs["jaccard"].dropna()
    assert known.between(0, 1).all()
    backward = overlap(dict(reversed(named.items()))).matrix()
    pd.testing.assert_frame_equal(found.matrix().loc[list(backward), list(backward)], backward)


@given(st.dictionaries(st.sampled_from("abc"), sets, min_size=2, max_size=3))
def test_no_small_count_is_shown_nor_follows(named: dict[str, set[int]]) -> None:
    found = overlap(named, minimum_count=5)
    shown = found.pairs.dropna()
    for both in ("both",):
        assert not shown[both].between(1, 4).any()
    for side in ("first", "second"):
        assert not (shown[f"size_{side}"] - shown["both"]).between(1, 4).any()
        assert not found.pairs[f"size_{side}"].between(1, 4).any()
    assert (found.combinations["count"] >= 5).all()


def test_one_audience_has_no_overlap() -> None:
    with pytest.raises(InvalidInput, match="1 audiences are given"):
        overlap({"a": [1]})


# -- predicted size ------------------------------------------------------------------------------


def test_a_census_leaves_no_doubt_and_nobody_found_leaves_some() -> None:
    everyone = predicted_size(7, 40, 40)
    assert (everyone.size, everyone.low, everyone.high) == (7, 7, 7)
    nobody = predicted_size(0, 50, 10_000)
    assert (nobody.size, nobody.low) == (0, 0)
    # Of a large base nearly the binomial limit: 1 - 0.025 ** (1 / 50) = 7.1 %.
    assert nobody.high == pytest.approx(711, abs=6)


@pytest.mark.parametrize("size", [3, 40, 900])
def test_the_interval_covers_as_often_as_it_says(size: int) -> None:
    rng = np.random.default_rng(5)
    drawn = rng.hypergeometric(size, 2000 - size, 200, size=3000)
    intervals = {n: predicted_size(int(n), 200, 2000) for n in set(drawn.tolist())}
    covered = np.mean([intervals[n].low <= size <= intervals[n].high for n in drawn.tolist()])
    assert covered >= 0.94


@given(st.integers(1, 60), st.data())
def test_the_interval_holds_what_the_sample_allows(n_sample: int, data: st.DataObject) -> None:
    n_base = data.draw(st.integers(n_sample, 300))
    count = data.draw(st.integers(0, n_sample))
    found = predicted_size(count, n_sample, n_base)
    assert count <= found.low <= found.size <= found.high <= n_base - (n_sample - count)
    wider = predicted_size(count, n_sample, n_base, confidence=0.99)
    assert wider.low <= found.low and wider.high >= found.high


@pytest.mark.parametrize(("count", "n_sample", "n_base"), [(5, 4, 9), (1, 9, 8), (0, 0, 5)])
def test_counts_that_cannot_be_are_refused(count: int, n_sample: int, n_base: int) -> None:
    with pytest.raises(InvalidInput, match="cannot be"):
        predicted_size(count, n_sample, n_base)


# -- allocation ----------------------------------------------------------------------------------


def test_priority_gives_everyone_one_audience() -> None:
    found = by_priority({"loyal": ["a", "b"], "new": ["b", "c", "c"], "rest": ["a", "d"]})
    assert found.to_dict() == {"a": "loyal", "b": "loyal", "c": "new", "d": "rest"}


@settings(max_examples=40)
@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(1, 5), st.integers(0, 9))
def test_each_stratum_gives_its_share(n: int, share: float, strata: int, seed: int) -> None:
    people = pd.Index([f"P{i}" for i in range(n)])
    by = pd.Series([i % strata for i in range(n)], index=people)
    held = hold_out(people, share, by=by, random_state=seed)
    for stratum, mine in by.groupby(by):
        assert abs(held[mine.index].sum() - share * len(mine)) < 1, stratum
    assert held.sum() == round(float((by.value_counts() * share).sum()))
    shuffled = np.random.default_rng(seed).permutation(people)
    again = hold_out(shuffled, share, by=by, random_state=seed)
    assert again[people].equals(held)


def test_hold_out_needs_everyone_once_and_in_a_stratum() -> None:
    with pytest.raises(InvalidInput, match="1 of 3 people are there twice"):
        hold_out([1, 2, 2], 0.5)
    with pytest.raises(InvalidInput, match="1 of 2 people have no stratum"):
        hold_out([1, 2], 0.5, by=pd.Series(["x"], index=[1]))
    with pytest.raises(InvalidInput, match="share of 1 cannot"):
        hold_out([1, 2], 1)
    assert hold_out(range(100), 0.2).tolist() != hold_out(range(100), 0.2, random_state=1).tolist()


# -- lookalike -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 3000
    frame = pd.DataFrame(
        {
            "age": rng.normal(45, 15, n).round(),
            "spend": rng.gamma(2, 50, n).round(2),
            "home": rng.choice(["own", "rent"], n),
            "noise": rng.normal(size=n),
        },
        index=[f"P{i:04d}" for i in range(n)],
    )
    score = (30 - frame["age"]) / 10 + (frame["home"] == "rent") * 1.5
    frame["kind"] = rng.random(n) < 1 / (1 + np.exp(-score))
    return frame


CODES = ["age", "spend", "home", "noise"]


@pytest.mark.parametrize("method", ["logistic", "boosting"])
def test_lookalikes_are_of_the_seeds_kind(people: pd.DataFrame, method: str) -> None:
    kind = people.index[people["kind"]]
    seed = kind[: len(kind) // 3]
    found = Lookalike.fit(people, CODES, seed, method=method)  # type: ignore[arg-type]
    best = found.audience(0.05)
    assert len(best) == 150
    assert not best.isin(seed).any()
    others = people.drop(index=seed)
    assert people.loc[best, "kind"].mean() > 2 * others["kind"].mean()
    assert 0.65 < found.auc < 0.9
    assert found.lift["captured"].iloc[-1] == 1
    assert found.lift.set_index("share")["lift"][0.05] > 1.3
    assert found.scores.is_monotonic_decreasing
    assert found.scores.between(0, 1).all()


@pytest.mark.parametrize("method", ["logistic", "boosting"])
def test_scores_are_the_share_of_the_seed_among_people_alike(
    people: pd.DataFrame, method: str
) -> None:
    kind = people.index[people["kind"]]
    seed = pd.Index(np.random.default_rng(0).choice(kind, len(kind) // 2, replace=False))
    found = Lookalike.fit(people, CODES, seed, method=method)  # type: ignore[arg-type]
    truth = people.loc[found.scores.index, "kind"]
    # Half of the kind is the seed, so among the others the odds of a score are the chance of
    # being of the kind.
    odds = found.scores / (1 - found.scores)
    assert odds.mean() == pytest.approx(truth.mean(), rel=0.12)
    best = found.scores.index[: len(truth) // 4]
    assert odds[best].mean() == pytest.approx(truth[best].mean(), rel=0.2)


def test_rows_in_another_order_give_the_same_scores(people: pd.DataFrame) -> None:
    seed = people.index[people["kind"]][:200]
    found = Lookalike.fit(people, CODES, seed)
    shuffled = people.sample(frac=1, random_state=1)
    again = Lookalike.fit(shuffled, CODES, seed)
    pd.testing.assert_series_equal(found.scores.sort_index(), again.scores.sort_index(), rtol=1e-9)
    assert found.auc == pytest.approx(again.auc, abs=1e-12)


def test_a_seed_drawn_at_random_has_no_lookalike(people: pd.DataFrame) -> None:
    seed = people.sample(300, random_state=3).index
    assert Lookalike.fit(people, CODES, seed).auc == pytest.approx(0.5, abs=0.05)


def test_sensitive_variables_are_left_out_and_said(people: pd.DataFrame) -> None:
    seed = people.index[people["kind"]][:100]
    found = Lookalike.fit(people, CODES, seed, sensitive=["age"])
    assert (found.left_out, found.variables) == (("age",), ("spend", "home", "noise"))
    with pytest.raises(InvalidInput, match="none is left"):
        Lookalike.fit(people, ["age"], seed, sensitive=["age"])


@pytest.mark.parametrize(
    ("n", "said"), [(3, "has 3 people, a lookalike needs 50"), (1600, "more than half")]
)
def test_seeds_of_no_use_are_refused(people: pd.DataFrame, n: int, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Lookalike.fit(people, CODES, people.index[:n])


def test_a_seed_from_elsewhere_is_counted_not_shown(people: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="60 of 60 people of the seed") as raised:
        Lookalike.fit(people, CODES, [f"stranger-{i}" for i in range(60)])
    assert "stranger" not in str(raised.value)


def test_the_share_stays_between_one_and_ten_percent(people: pd.DataFrame) -> None:
    found = Lookalike.fit(people, CODES, people.index[people["kind"]][:60])
    assert len(found.audience(0.01)) == 30
    with pytest.raises(InvalidInput, match=r"0\.2 is out of range"):
        found.audience(0.2)


# -- performance ---------------------------------------------------------------------------------


def rates(hits: int, n: int, others: int, m: int) -> tuple[pd.Series, pd.Series]:
    outcome = pd.Series([1] * hits + [0] * (n - hits) + [1] * others + [0] * (m - others))
    return outcome, pd.Series([1] * n + [2] * m)


def test_rates_are_compared_as_newcombe_does() -> None:
    # Newcombe (1998), table II, (a), method 10: 56/70 against 48/80.
    table = performance(*rates(56, 70, 48, 80))
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([0.0524, 0.3339], abs=5e-5)
    assert table.loc[1, "difference"] == pytest.approx(0.2)
    assert table.loc[1, "lift"] == pytest.approx(100 * 0.8 / 0.6)
    expected = fisher_exact([[56, 14], [48, 32]]).pvalue
    assert table.loc[1, "p_value"] == pytest.approx(expected)
    assert table.loc[1, "adjusted"] == pytest.approx(min(1, 2 * expected))


def test_amounts_are_compared_as_welch_does() -> None:
    rng = np.random.default_rng(0)
    spend = pd.Series(rng.gamma(2, 30, 300))
    labels = pd.Series([1] * 100 + [2] * 200)
    spend[labels == 1] += 25
    table = performance(spend, labels, correction="none")
    test = ttest_ind(spend[:100], spend[100:], equal_var=False)
    assert table.loc[1, "p_value"] == pytest.approx(test.pvalue)
    interval = test.confidence_interval()
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([interval.low, interval.high])
    assert table["significant"].tolist() == [True, True]


def test_several_segments_are_allowed_for() -> None:
    from audience_nb.insights.performance import _adjusted

    p = np.array([0.01, 0.04, 0.03, 0.005, np.nan])
    assert _adjusted(p, "holm")[:4] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert _adjusted(p, "benjamini-hochberg")[:4] == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert np.isnan(_adjusted(p, "holm")[4])


def test_chance_alone_is_rarely_called_a_finding() -> None:
    rng = np.random.default_rng(1)
    labels = pd.Series(np.repeat(np.arange(12), 80))
    found = sum(
        performance(pd.Series(rng.random(960) < 0.2), labels)["significant"].any()
        for _ in range(100)
    )
    assert found <= 10


def test_outcomes_are_joined_on_the_index_and_gaps_left_out() -> None:
    outcome = pd.Series([1, 0, 1, 0], index=["d", "c", "b", "a"])
    labels = pd.Series([1, 1, 2, 2, 2], index=["a", "b", "c", "d", "e"])
    table = performance(outcome, labels)
    assert table["count"].tolist() == [2, 2]
    assert table["mean"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (pd.Series([1, 0], index=["x", "y"]), "0 records in 0 segments"),
        (pd.Series(["yes", "no"]), "is no number"),
    ],
)
def test_outcomes_of_no_use_are_refused(outcome: pd.Series, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        performance(outcome, pd.Series([1, 2]))


def test_without_spread_nothing_is_judged() -> None:
    table = performance(pd.Series([5.0, 5.0, 5.0, 5.0]), pd.Series([1, 1, 2, 2]))
    assert table["p_value"].isna().all()
    assert not table["significant"].any()
