"""The HTTP interface, with the faults that servers have."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from typing import Any

import data_server
import pytest
import source_tables

from audience_nb.errors import (
    AudienceError,
    Cancelled,
    InvalidInput,
    NotAllowed,
    NotFound,
    SourceFailed,
)
from audience_nb.sources import Condition
from audience_nb.sources.http import HttpSource
from audience_nb.sources.tabular import Fetched

PEOPLE = source_tables.people(40)
EXPECTED = PEOPLE.set_index("who")
CODES = list(EXPECTED.columns)


@pytest.fixture
def answers() -> Iterator[data_server.Answers]:
    with data_server.serving(source_tables.to_answers(PEOPLE)) as answers:
        yield answers


def counts(fetched: Fetched) -> dict[str, int]:
    return {d.reason: d.count for d in fetched.dropped}


def opened(answers: data_server.Answers, **options: Any) -> HttpSource:
    given = {"columns": CODES, "id": "who", "token": data_server.TOKEN, "longest_wait": 0.05}
    return HttpSource(answers.address, **{**given, **options})


def test_it_asks_as_the_interface_wants(answers: data_server.Answers) -> None:
    source = opened(answers)
    answers.asked.clear()
    source.fetch(["spend", "city"], where=[Condition("age", ">=", 30)])
    asked = dict(answers.asked)
    assert set(asked) == {"age", "spend", "city"}
    assert asked["spend"] == {"filters": {"age": {">=": 30}}}
    assert set(answers.tokens) == {f"Bearer {data_server.TOKEN}"}


def test_connections_are_kept(answers: data_server.Answers) -> None:
    source = opened(answers, connections=2)
    for _ in range(3):
        source.fetch(CODES)
    assert len(answers.asked) == 1 + 3 * len(CODES)
    assert len(answers.connections) <= 2


@pytest.mark.parametrize(
    ("faults", "n_asked"),
    [
        ([(503, {})], 2),
        ([(429, {"Retry-After": "0"}), (500, {}), (502, {})], 4),
        ([(408, {})] * 4, 5),
    ],
)
def test_passing_faults_are_survived(
    answers: data_server.Answers, faults: list[Any], n_asked: int
) -> None:
    source = opened(answers)
    answers.asked.clear()
    answers.faults[:] = faults
    assert source.fetch(["age"])["age"].equals(EXPECTED["age"])
    assert len(answers.asked) == n_asked


def test_it_waits_as_long_as_the_server_asks(answers: data_server.Answers) -> None:
    source = opened(answers, longest_wait=10.0)
    answers.faults[:] = [(429, {"Retry-After": "0.4"})]
    start = time.monotonic()
    source.fetch(["age"])
    assert time.monotonic() - start >= 0.4


@pytest.mark.parametrize(
    ("status", "kind", "said", "n_asked"),
    [
        (401, NotAllowed, "answered 401 for 'age': it does not take the token", 1),
        (403, NotAllowed, "answered 403", 1),
        (404, NotFound, "it has no variable 'age'", 1),
        (429, SourceFailed, "is busy: it answered 429 5 times for 'age'", 5),
        (500, SourceFailed, "failed inside: it answered 500 5 times", 5),
        (302, SourceFailed, "wants another address", 1),
        (400, SourceFailed, "answered 400 for 'age'", 1),
    ],
)
def test_faults_are_told_apart(
    answers: data_server.Answers, status: int, kind: type[AudienceError], said: str, n_asked: int
) -> None:
    source = opened(answers)
    answers.asked.clear()
    answers.faults[:] = [(status, {"Location": "http://127.0.0.1:1/elsewhere"})] * 9
    with pytest.raises(kind, match=said) as caught:
        source.fetch(["age"])
    assert len(answers.asked) == n_asked
    told = "".join(traceback.format_exception(caught.value))
    assert data_server.TOKEN not in told
    assert "PRIVATE" not in told
    answers.faults.clear()
    assert source.fetch(["age"]).shape == (40, 1)


def test_without_a_token_it_says_that_none_was_given(answers: data_server.Answers) -> None:
    with pytest.raises(NotAllowed, match="no token was given"):
        opened(answers, token=None)


def test_a_silent_server_is_not_waited_for_forever(answers: data_server.Answers) -> None:
    source = opened(answers, timeout=0.1, max_retries=1)
    answers.delay = 0.5
    with pytest.raises(SourceFailed, match="gave no answer in time, asked 2 times"):
        source.fetch(["age"])


def test_no_server_at_all() -> None:
    with pytest.raises(SourceFailed, match="cannot be reached, asked 2 times"):
        HttpSource("http://127.0.0.1:1", columns=["a"], id="who", max_retries=1, longest_wait=0.01)


def test_waiting_can_be_cancelled(answers: data_server.Answers) -> None:
    source = opened(answers, longest_wait=60.0)
    answers.faults[:] = [(503, {"Retry-After": "60"})] * 9
    start = time.monotonic()

    def stop(stage: str, fraction: float) -> None:
        if time.monotonic() - start > 0.3:
            raise Cancelled("Stopped, as you asked.", "")

    with pytest.raises(Cancelled):
        source.fetch(["age", "city"], progress=stop)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>busy</html>", "something that is no table"),
        (b'{"who": ["a"], "age": [1', "something that is no table"),
        (b'{"who": ["a", "b"], "age": [1]}', "something that is no table"),
        (b"7", "something that is no table"),
        (b"[" * 100_000, "something that is no table"),
        (b'[{"person": "a", "age": 1}]', "lacks the field 'who'"),
        (b'[{"who": "a", "other": 1}]', "lacks the field"),
    ],
)
def test_answers_that_are_none(answers: data_server.Answers, body: bytes, said: str) -> None:
    source = opened(answers)
    answers.bodies["age"] = body
    with pytest.raises(SourceFailed, match=said):
        source.fetch(["age"])


def test_records_and_a_field_called_value_are_read(answers: data_server.Answers) -> None:
    answers.bodies["age"] = b'[{"who": "b", "value": 2}, {"who": "a", "value": 1}]'
    source = opened(answers)
    assert source.fetch(["age"])["age"].to_dict() == {"a": 1, "b": 2}


def test_gaps_repeats_and_strangers_are_reported(answers: data_server.Answers) -> None:
    answers.bodies["age"] = b'{"who": ["c", "a", "b", "b", null], "age": [3, 1, null, 2, 9]}'
    answers.bodies["spend"] = b'{"who": ["b", "z"], "spend": [2.5, 9.0]}'
    fetched = opened(answers).fetch_report(["age", "spend"])
    assert fetched.frame["age"].to_dict() == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert fetched.frame["spend"].dropna().to_dict() == {"b": 2.5}
    assert counts(fetched) == {
        "no id": 1,
        "repeated id, the fullest row was kept": 1,
        "a value for an id that 'age' does not have": 1,
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": []}, "cannot say which variables"),
        ({"id": None}, "No id is named"),
        ({"token": "a\nb"}, "no header can"),
        ({"connections": 0}, "connections is 0"),
    ],
)
def test_options_are_checked(
    answers: data_server.Answers, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        opened(answers, **options)
    assert answers.asked == []
