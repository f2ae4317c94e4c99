"""The gate of a clean room: attacks that fail with it, and succeed without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audience_nb.errors import InvalidInput, NotAllowed
from audience_nb.policy.disclosure import Disclosure, suppressed

cells = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 300), max_size=12
)


# -- tables --------------------------------------------------------------------------------------


@given(cells, st.integers(2, 80))
def test_no_hidden_cell_follows_from_the_total(counts: dict[str, int], minimum: int) -> None:
    shown = suppressed(counts, minimum)
    hidden = [cell for cell, count in shown.items() if count is None]
    assert all(counts[cell] >= minimum for cell in shown if cell not in hidden)
    # What the total tells of the hidden ones is about enough people, unless all are hidden.
    if hidden and len(hidden) < len(counts):
        assert len(hidden) >= 2
        assert sum(counts[cell] for cell in hidden) >= minimum


def test_without_complementary_suppression_the_total_gives_the_hidden_cell_away() -> None:
    counts = {"a": 120, "b": 80, "c": 3}
    total = sum(counts.values())

    def attack(*, defended: bool) -> int | None:
        shown = suppressed(counts, 50, complementary=defended)
        hidden = [cell for cell, count in shown.items() if count is None]
        known = sum(count for count in shown.values() if count is not None)
        return total - known if len(hidden) == 1 else None

    assert attack(defended=False) == counts["c"]
    assert attack(defended=True) is None


def test_a_filter_down_to_few_people_shows_nothing() -> None:
    gate = Disclosure(secret=b"x")
    assert [gate.count(f"filter {n}", n) for n in (0, 1, 4)] == [None, None, None]
    assert Disclosure(1, noise=False).count("filter", 4) == 4


# -- differences ---------------------------------------------------------------------------------


def differencing(gate: Disclosure, n_targets: int = 1000) -> float:
    """Share of targets about whom "with" less "without" tells whether they have a trait."""
    rng = np.random.default_rng(4)
    right = 0
    for target in range(n_targets):
        has_trait = bool(rng.random() < 0.5)
        others = int(rng.integers(200, 400))
        with_target = gate.count(("everyone with the trait", target), others + has_trait)
        without = gate.count(("the same without one", target), others)
        assert with_target is not None and without is not None
        guess = with_target > without or (with_target == without and rng.random() < 0.5)
        right += guess == has_trait
    return right / n_targets


def test_the_difference_of_two_counts_tells_nothing_of_a_person() -> None:
    assert differencing(Disclosure(noise=False)) >= 0.7
    assert differencing(Disclosure(budget=1000, secret=b"a")) <= 0.52


def test_asking_again_averages_nothing_out() -> None:
    exact = 313

    def average(ask: object) -> float:
        return float(np.mean([ask(i) for i in range(400)]))  # type: ignore[operator]

    # Noise that is drawn anew for each repetition gives the count away.
    fresh = [Disclosure(secret=bytes([i % 256, i // 256])) for i in range(400)]
    assert average(lambda i: fresh[i].count("q", exact)) == pytest.approx(exact, abs=3)
    gate = Disclosure(secret=b"b")
    first = gate.count("q", exact)
    assert {gate.count("q", exact) for _ in range(400)} == {first}
    assert gate.spent == pytest.approx(0.1)


def test_the_same_people_by_other_words_are_paid_for_until_the_budget_is_spent() -> None:
    gate = Disclosure(epsilon=0.5, budget=2, secret=b"c")
    for i in range(4):
        gate.count(f"by other words {i}", 300)
    with pytest.raises(NotAllowed, match="4 figures have been shown"):
        gate.count("once more", 300)
    # What was shown can be looked at again.
    assert gate.count("by other words 0", 300) is not None


# -- noise ---------------------------------------------------------------------------------------


def test_the_noise_has_the_spread_that_epsilon_says() -> None:
    gate = Disclosure(epsilon=0.2, budget=10_000, secret=b"d")
    drawn = np.array([gate._drawn(f"q{i}", 100) for i in range(20_000)])
    alpha = np.exp(-0.2)
    assert drawn.mean() == pytest.approx(0, abs=0.2)
    assert drawn.var() == pytest.approx(2 * alpha / (1 - alpha) ** 2, rel=0.05)
    assert (drawn == 0).mean() == pytest.approx((1 - alpha) / (1 + alpha), rel=0.1)


def test_noise_is_the_same_on_any_machine_with_the_same_secret() -> None:
    gates = [Disclosure(secret=b"e") for _ in range(2)]
    answers = [[gate.count(i, 500 + i) for i in range(20)] for gate in gates]
    assert answers[0] == answers[1]
    assert all(a % 10 == 0 for a in answers[0] if a is not None)
    other = Disclosure(secret=b"f")
    assert [other.count(i, 500 + i) for i in range(20)] != answers[0]


def test_hiding_follows_the_noise_and_not_the_count() -> None:
    gates = [Disclosure(secret=i.to_bytes(2, "big")) for i in range(400)]
    shown = np.mean([gate.count("q", 50) is not None for gate in gates])
    assert 0.3 < shown < 0.7


def test_the_secret_shows_nowhere() -> None:
    gate = Disclosure(secret=b"very secret")
    gate.count("q", 100)
    assert "secret" not in repr(gate)


@pytest.mark.parametrize(
    "options", [{"epsilon": 0}, {"epsilon": 2, "budget": 1}, {"budget": float("inf")}]
)
def test_budgets_of_no_use_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="does not fit a budget"):
        Disclosure(**options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="0 people is none"):
        Disclosure(0)


def test_tables_go_through_the_same_gate() -> None:
    gate = Disclosure(secret=b"g")
    shown = gate.table("segments", {"a": 400, "b": 300, "c": 20})
    assert shown["c"] is None and shown["b"] is None
    assert shown["a"] is not None and abs(shown["a"] - 400) < 100
    assert gate.spent == pytest.approx(0.1)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e6))
def test_centres_move_by_less_than_their_spread(value: float, spread: float) -> None:
    moved = Disclosure().center(value, spread)
    assert abs(moved - value) <= 0.051 * spread + 1e-6 * abs(value)
