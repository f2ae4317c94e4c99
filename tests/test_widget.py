"""AudienceBuilder without a browser: the wire, the traits, and what must never be in them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_question import Gated

from audience_nb import Audience, AudienceBuilder, Session, line, widget
from audience_nb.errors import InvalidInput, NotAllowed, WrongStep
from audience_nb.widget import VegaRuntime

N = 240


class Wire:
    """The front end's side of a builder: what is sent, and what comes back."""

    def __init__(self, builder: AudienceBuilder) -> None:
        self.builder = builder
        self.received: list[dict[str, Any]] = []
        self.changed = threading.Condition()
        builder.send = self.receive  # type: ignore[method-assign]

    def receive(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self.changed:
            self.received.append(content)
            self.changed.notify_all()

    def say(self, verb: Any, id: Any = "1", **arguments: Any) -> None:
        self.builder._line.receive({"id": id, "verb": verb, "arguments": arguments})

    def wait(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        with self.changed:
            found = self.changed.wait_for(lambda: [m for m in self.received if holds(m)], 60)
            assert found, f"No such answer among {self.received}"
            return found[0]

    def ask(self, verb: Any, id: str = "1", **arguments: Any) -> dict[str, Any]:
        self.say(verb, id, **arguments)
        return self.wait(lambda m: m.get("id") == id and "progress" not in m)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    # What an earlier run has learnt must not answer in this one.
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "customer": [f"PRIVATE-{i:04d}" for i in range(N)],
            "age": rng.integers(18, 90, N),
            "monthly_spend": rng.gamma(2, 50, N).round(2),
            "tenure": rng.integers(0, 20, N),
        }
    )


@pytest.fixture
def builder(frame: pd.DataFrame) -> Iterator[AudienceBuilder]:
    ab = AudienceBuilder(frame, id="customer")
    yield ab
    ab.close()


@pytest.fixture
def wire(builder: AudienceBuilder) -> Wire:
    return Wire(builder)


def test_what_is_clicked_is_python(wire: Wire, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    ab = wire.builder
    assert wire.ask("select", codes=["age", "monthly_spend"]) == {"id": "1", "ok": True}
    assert ab.selected == ["age", "monthly_spend"]
    assert wire.ask("build", "2", n_segments=12, min_share=0.05, max_share=0.1)["ok"]
    assert [s.id for s in ab.segments] == list(range(1, 13))
    assert all(12 <= s.size <= 24 for s in ab.segments)
    wire.ask("rename", "3", segment=2, name="Second")
    wire.ask("pick", "4", segments=[2, 5])
    assert ab.segments[1].name == "Second"
    audience = ab.audience
    assert audience is not None
    assert audience.size == ab.segments[1].size + ab.segments[4].size
    assert wire.ask("export", "5", name="../../mine")["ok"]
    path = Path(ab.snapshot["export"]["path"])
    # The browser gives a name; dots and slashes are no part of one.
    assert path.parent == Path("exports")
    assert len(Audience.read_csv(path)) == audience.size
    assert len(Audience.read_csv(ab.export(tmp_path / "own.csv"))) == audience.size
    assert "segment" in ab.to_code()


def test_what_is_done_in_python_is_shown(builder: AudienceBuilder) -> None:
    assert builder.snapshot["segmentation"] is None
    assert builder.charts == {}
    builder.session.ask("spend by age")
    assert builder.snapshot["query"] == "spend by age"
    assert set(builder.charts) == {"relevance", "types"}
    builder.session.build()
    assert builder.snapshot["segmentation"]["n_segments"] == len(builder.segments)
    assert set(builder.charts) == {"relevance", "types", "sizes", "map", "k_curve"}
    before = builder.charts
    builder.session.pick([1])
    changed = {name for name, spec in builder.charts.items() if spec != before[name]}
    assert changed == {"sizes", "map"}
    bars = next(iter(builder.charts["sizes"]["datasets"].values()))
    assert [bar["id"] for bar in bars if bar["emphasis"] == 1] == [1]
    assert builder.snapshot["audience"]["segments"] == [1]
    builder.session.undo()
    builder.session.undo()
    assert builder.snapshot["segmentation"] is None
    assert set(builder.charts) == {"relevance", "types"}


def test_the_snapshot_is_that_of_the_session(builder: AudienceBuilder) -> None:
    builder.session.select(["age"])
    assert builder.snapshot == builder.session.snapshot().to_dict()


def test_a_question_is_filtered_meant_otherwise_and_undone_on_the_wire(wire: Wire) -> None:
    text = "spend by age"
    wire.ask("say", text=text)
    before = wire.builder.snapshot
    assert len(before["suggestions"]) == 3
    assert before["understood"]["by_words"] is False
    assert before["index"]["ready"] is True
    filters = {"kinds": ["behavioral"], "sources": [], "categories": [], "availability": []}
    sent = {"text": text, "limit": 15, "intents": ["demographic"], **filters}
    assert wire.ask("ask", "2", **sent)["ok"]
    assert wire.builder.snapshot["filters"] == filters
    assert wire.builder.snapshot["intents"] == ["demographic"]
    assert {s["kind"] for s in wire.builder.snapshot["suggestions"]} <= {"behavioral"}
    refused = wire.ask("swap", "3", code="nowhere", **{"with": "age"})["error"]
    assert refused["fact"].startswith("'nowhere' is not among the")
    error = wire.ask("ask", "4", text=text, sources=["<img src=x>"])["error"]
    assert error["fact"] == "No variable has the source '<img src=x>'."
    error = wire.ask("ask", "5", text=text, sources="x")["error"]
    assert error["fact"] == "The argument 'sources' of ask is out of range."
    assert wire.ask("undo", "6")["ok"]
    changing = ("messages", "revision", "redo")
    after = {k: v for k, v in wire.builder.snapshot.items() if k not in changing}
    assert after == {k: v for k, v in before.items() if k not in changing}


def test_meanings_are_learnt_while_the_view_is_used(frame: pd.DataFrame, monkeypatch: Any) -> None:
    monkeypatch.setattr(widget, "_LEARNING_S", 0.02)
    encoder = Gated()
    ab = AudienceBuilder(frame, id="customer", encoder=encoder)
    wire = Wire(ab)
    assert wire.ask("say", text="spend by age")["ok"]
    assert ab.snapshot["understood"]["by_words"] is True
    assert ab.snapshot["index"]["ready"] is False
    found = ab.snapshot["suggestions"]
    assert found
    told = wire.wait(lambda m: "index" in m)["index"]
    assert told["ready"] is False
    assert 0 <= told["fraction"] < 1
    ready = threading.Event()
    ab.observe(lambda change: change["new"]["index"]["ready"] and ready.set(), "snapshot")
    encoder.gate.set()
    assert ready.wait(60)
    assert wire.wait(lambda m: m.get("index", {}).get("ready"))["index"]["fraction"] == 1.0
    # Nobody's list is replaced under their hands; asking again is theirs to do.
    assert ab.snapshot["suggestions"] == found
    assert ab.snapshot["understood"]["by_words"] is True
    assert wire.ask("ask", "2", text="spend by age")["ok"]
    assert ab.snapshot["understood"]["by_words"] is False
    assert all("meaning" in s["parts"] for s in ab.snapshot["suggestions"])
    ab.close()


def test_find_answers_without_changing_anything(wire: Wire) -> None:
    before = wire.builder.snapshot
    found = wire.ask("find", text="monthly spend", limit=2)["found"]
    assert found[0]["code"] == "monthly_spend"
    assert len(found) <= 2
    assert sum(found[0]["parts"].values()) == pytest.approx(found[0]["score"], abs=1e-3)
    assert wire.builder.snapshot == before


def test_an_error_is_a_fact_and_a_next_move(wire: Wire) -> None:
    wire.ask("select", codes=["age"])
    error = wire.ask("build", "2", n_segments=12, min_share=0.05, max_share=0.06)["error"]
    assert "12" in error["fact"]
    assert error["next_move"]
    assert wire.builder.selected == ["age"]
    for id, (verb, arguments) in enumerate(
        [("open", {}), ("export", {"path": "/etc/x"}), ("pick", {"segments": "1"}), (7, {})], 3
    ):
        answer = wire.ask(verb, str(id), **arguments)
        assert answer["error"]["fact"]
        assert "ok" not in answer


def test_a_failure_inside_shows_its_name_and_nothing_of_the_data(
    wire: Wire, monkeypatch: Any, caplog: Any
) -> None:
    def fail(columns: Any, **options: Any) -> pd.DataFrame:
        raise ZeroDivisionError("row PRIVATE-0001 has 0 spend")

    wire.ask("select", codes=["age"])
    monkeypatch.setattr(wire.builder.session.source, "fetch_report", fail)
    with caplog.at_level(logging.ERROR, logger="audience_nb"):
        error = wire.ask("build", "2")["error"]
    assert error == {
        "fact": "Something failed inside: ZeroDivisionError.",
        "next_move": "Your work so far is intact. Try again; the log of the kernel says more.",
    }
    assert "PRIVATE-0001" in caplog.text
    assert wire.builder.selected == ["age"]


def test_a_failed_message_still_shows_what_was_said(wire: Wire, monkeypatch: Any) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise WrongStep("The index is gone.", "Make it again.")

    monkeypatch.setattr(wire.builder.session, "_search", fail)
    wire.ask("say", text="people who spend")
    assert wire.builder.snapshot["messages"][-1]["text"] == "people who spend"


def test_nonsense_on_the_wire_changes_nothing(wire: Wire) -> None:
    before = wire.builder.snapshot
    for content in [None, [], "x", {}, {"id": 1, "verb": "undo"}, {"id": "x" * 65, "verb": "undo"}]:
        wire.builder._line.receive(content)
    assert wire.received == []
    assert wire.builder.snapshot == before


def test_progress_is_sent_and_a_build_can_be_cancelled(wire: Wire, monkeypatch: Any) -> None:
    wire.ask("select", codes=["age"])
    session = wire.builder.session
    reached, release = threading.Event(), threading.Event()
    fetch = session.source.fetch_report

    def slow(columns: Any, **options: Any) -> Any:
        reached.set()
        assert release.wait(60)
        return fetch(columns, **options)

    monkeypatch.setattr(session.source, "fetch_report", slow)
    wire.say("build", "2")
    assert reached.wait(60)
    # The verb works in a thread of its own: this one is free to say stop.
    assert wire.ask("cancel", "3") == {"id": "3", "ok": True}
    release.set()
    answer = wire.wait(lambda m: m.get("id") == "2" and "progress" not in m)
    assert answer["error"]["fact"] == "Stopped, as you asked."
    assert wire.builder.segments == []
    stages = [m["progress"]["stage"] for m in wire.received if "progress" in m]
    assert stages[0] == "Fetching records"
    assert wire.ask("build", "4")["ok"]
    assert len(wire.builder.segments) >= 10


def test_a_long_verb_keeps_saying_that_it_lives(wire: Wire, monkeypatch: Any) -> None:
    monkeypatch.setattr(line, "_HEARTBEAT_S", 0.02)
    wire.ask("select", codes=["age"])
    session = wire.builder.session
    fetch = session.source.fetch_report

    def slow(columns: Any, **options: Any) -> Any:
        # Told nothing new meanwhile, the view hears the last stage over and over.
        with wire.changed:
            assert wire.changed.wait_for(lambda: len(heard()) >= 4, 60)
        return fetch(columns, **options)

    def heard() -> list[dict[str, Any]]:
        told = {"stage": "Fetching records", "fraction": 0.0}
        return [m for m in wire.received if m.get("progress") == told]

    monkeypatch.setattr(session.source, "fetch_report", slow)
    assert wire.ask("build", "2")["ok"]
    assert {m["id"] for m in heard()} == {"2"}


def test_verbs_happen_in_the_order_of_the_clicks(wire: Wire) -> None:
    for i in range(20):
        wire.say("select", str(i), codes=["age", "tenure"][: 1 + i % 2])
    wire.wait(lambda m: m["id"] == "19")
    assert [m["id"] for m in wire.received] == [str(i) for i in range(20)]
    assert wire.builder.selected == ["age", "tenure"]


def test_no_record_is_in_any_trait_or_text(wire: Wire, frame: pd.DataFrame) -> None:
    wire.ask("select", codes=["age", "monthly_spend"])
    wire.ask("build", "2")
    ab = wire.builder
    state = {k: v for k, v in ab.get_state().items() if k not in ("_esm", "_css")}
    said = json.dumps(state, default=str) + repr(ab) + json.dumps(wire.received)
    assert f"{len(ab.segments)} segments" in said
    assert "PRIVATE-" not in said
    # Exact amounts of single people would do as keys just as well.
    exact = [str(v) for v in frame["monthly_spend"] if len(str(v)) >= 6]
    assert len(exact) > 20
    assert sum(value in said for value in exact) < len(exact) / 10


def test_the_front_end_cannot_write_what_the_kernel_says(builder: AudienceBuilder) -> None:
    before = dict(builder.snapshot)
    esm = builder._esm
    builder.set_state({"snapshot": {"revision": 99}, "charts": {"x": {}}, "_esm": "evil"})
    assert builder.snapshot == before
    assert builder.charts == {}
    assert builder._esm == esm


def test_one_vega_for_all_builders(frame: pd.DataFrame) -> None:
    one, two = AudienceBuilder(frame), AudienceBuilder(frame)
    assert one._vega is two._vega is VegaRuntime.shared()
    assert "vega" not in one._esm[:200]
    assert len(one._esm) < 80_000 < len(VegaRuntime.shared()._esm)
    one.close()
    two.close()


def test_a_session_can_be_gone_on_with(frame: pd.DataFrame) -> None:
    session = Session(frame)
    session.confirm(["age"])
    ab = AudienceBuilder(session=session)
    assert ab.selected == ["age"]
    ab.close()
    session.select(["tenure"])
    assert ab.snapshot["selected"][0]["code"] == "age"
    with pytest.raises(InvalidInput, match="Both a session"):
        AudienceBuilder(frame, session=session)


def test_charts_are_given_when_there_is_something_to_draw(builder: AudienceBuilder) -> None:
    with pytest.raises(InvalidInput, match="There is no chart 'pie'"):
        builder.chart("pie")
    with pytest.raises(WrongStep, match="no suggestions"):
        builder.chart("relevance")
    with pytest.raises(WrongStep, match="no segments"):
        builder.chart("sizes")
    builder.session.confirm(["age"])
    builder.session.segment()
    assert builder.chart("sizes").to_dict() == builder.charts["sizes"]
    assert builder.chart("map").to_dict()["height"] == 320


def test_a_clean_room_has_no_map() -> None:
    ab = AudienceBuilder(n_records=1000)
    ab.session.choose("clean_room")
    ab.session.confirm([v.code for v in ab.session.catalog if "clean_room" in v.availability][:4])
    ab.session.segment(n_segments=10, min_share=0.05, max_share=0.15)
    assert "sizes" in ab.charts
    assert "map" not in ab.charts
    with pytest.raises(NotAllowed):
        ab.chart("map")
    ab.close()


def test_a_chart_that_fails_leaves_the_verb_alone(
    builder: AudienceBuilder, monkeypatch: Any, caplog: Any
) -> None:
    def fail(segmentation: Any) -> None:
        raise RuntimeError("no ink")

    monkeypatch.setitem(widget._CHARTS, "map", (fail, True))
    builder.session.confirm(["age"])
    with caplog.at_level(logging.ERROR, logger="audience_nb"):
        builder.session.segment()
    assert set(builder.charts) == {"sizes", "k_curve"}
    assert "'map' could not be drawn" in caplog.text


# -- code, a file to go on from, a still ---------------------------------------------------------


def test_code_is_given_on_the_wire_and_leads_to_the_same_audience(
    wire: Wire, frame: pd.DataFrame
) -> None:
    wire.ask("say", text="spend by age")
    assert wire.ask("build", "2")["ok"]
    code = wire.ask("code", "3")["code"]
    assert code == wire.builder.to_code()
    there: dict[str, Any] = {"frame": frame}
    exec(code, there)
    again = there["session"].segmentation.labels
    assert again.equals(wire.builder.segmentation.labels)  # type: ignore[union-attr]


def test_a_builder_goes_on_from_its_file(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "builder.json"
    ab = AudienceBuilder(frame, id="customer", path=path)
    assert not path.exists()
    ab.session.ask("spend by age")
    ab.session.build()
    ab.session.rename(1, "Regulars")
    assert "PRIVATE" not in path.read_text(encoding="utf-8")
    resumed = AudienceBuilder.resume(path, frame)
    kept, now = (b.snapshot for b in (ab, resumed))
    for name in ("query", "selected", "segmentation", "audience"):
        assert now[name] == kept[name]
    assert resumed.segments[0].name == "Regulars"
    resumed.session.pick([2])
    assert AudienceBuilder.resume(path, frame).snapshot["audience"]["segments"] == [2]


def test_a_file_that_cannot_be_written_costs_no_work(
    frame: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    ab = AudienceBuilder(frame, id="customer", path=tmp_path / "taken" / "builder.json")
    ab.session.select(["age"])
    assert ab.snapshot["selected"][0]["code"] == "age"
    assert "could not be kept" in caplog.text


def test_a_still_is_saved_beside_the_widget_without_rows(builder: AudienceBuilder) -> None:
    builder.session.ask("spend by age")
    builder.session.build()
    data, _ = builder._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    still = data["text/html"]
    assert builder.segments[0].name.replace("'", "&#x27;") in still
    assert still.count("<svg") == len(builder.charts)
    assert "PRIVATE" not in still
    assert "<script" not in still
