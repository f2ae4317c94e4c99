"""Insights as verbs of a session: done, shown, gated, discarded, saved and done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chat_server import KEY, ChatServer

from audience_nb.conversation.model import LanguageModel
from audience_nb.errors import InvalidInput, NotAllowed, NotFound, WrongStep
from audience_nb.export import Audience
from audience_nb.session import Session
from audience_nb.widget import AudienceBuilder

CUT = ["age", "spend", "member"]


def table(n: int = 1000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, n)
    spend = rng.gamma(2.0, 50.0, n).round(2)
    bought = rng.random(n) < np.clip((age - 18) / 80, 0.05, 0.9)
    return pd.DataFrame(
        {
            "who": [f"PERSON{seed}{i:05d}" for i in range(n)],
            "age": age,
            "spend": spend,
            "member": rng.choice(["yes", "no"], n),
            "plan": rng.choice(["basic", "plus", "gold"], n),
            "bought": np.where(bought, "yes", "no"),
            "religion": rng.choice(["a", "b"], n),
        }
    )


@pytest.fixture
def session() -> Session:
    built = Session(table(), id="who")
    built.confirm(CUT)
    built.segment(12)
    return built


def room() -> Session:
    frame = table(4000).assign(rampid=[f"XY{i:047d}" for i in range(4000)])
    built = Session(frame.drop(columns="who"))
    built.choose("clean_room", "rampid")
    built.confirm(CUT)
    built.segment(12)
    return built


# -- each verb ------------------------------------------------------------------------------------


def test_overlap_of_columns_and_of_people(session: Session) -> None:
    frame = table().set_index("who")
    found = session.overlap(["member", "plan=gold"])
    row = found.pairs.iloc[0]
    member, gold = frame["member"] == "yes", frame["plan"] == "gold"
    assert row["both"] == (member & gold).sum()
    assert row["jaccard"] == pytest.approx((member & gold).sum() / (member | gold).sum())
    own = session.overlap({"a": frame.index[:10], "b": frame.index[5:20]})
    assert own.pairs.loc[0, "both"] == 5
    session.pick([1, 2])
    names = session.overlap().matrix().index.tolist()
    assert names[:2] == [session.name_of_segment(1), session.name_of_segment(2)]
    assert {f"Age above {frame['age'].median():.0f}", "Member"} <= set(names)
    with pytest.raises(NotFound, match="no column 'shoe'"):
        session.overlap(["member", "shoe"])
    with pytest.raises(InvalidInput, match="1 audiences are given"):
        session.overlap(["member"])


def test_predicted_size_is_of_the_picked_segments(session: Session) -> None:
    cut = session.segmentation
    assert cut is not None
    session.pick([1, 3])
    found = session.predict_size(50_000)
    count = cut.segment(1).size + cut.segment(3).size
    assert found.size == 50 * count
    assert found.low < found.size < found.high
    with pytest.raises(InvalidInput, match="cannot be"):
        session.predict_size(10)


def test_lookalike_of_segments_and_of_an_outcome(session: Session) -> None:
    with pytest.raises(WrongStep, match="No segment is picked"):
        session.lookalike()
    by_segment = session.lookalike([1])
    assert by_segment.n_seed == session.segmentation.segment(1).size  # type: ignore[union-attr]
    assert by_segment.auc > 0.85
    buyers = session.lookalike(seed="bought")
    frame = table().set_index("who")
    assert not set(buyers.scores.index) & set(frame.index[frame["bought"] == "yes"])
    assert frame.loc[buyers.audience(0.02), "age"].mean() > 60
    # A column is no ground to find those who have it.
    assert session.lookalike(seed="member").variables == ("age", "spend")


def test_a_lookalike_is_exported_best_first(session: Session, tmp_path: Path) -> None:
    with pytest.raises(WrongStep, match="no lookalike yet"):
        session.export_lookalike()
    found = session.lookalike(seed="bought")
    back = Audience.read_csv(session.export_lookalike(0.03, tmp_path / "a.csv"))
    assert back.index.tolist() == found.audience(0.03).tolist()
    assert back["score"].is_monotonic_decreasing
    assert list(back.columns[:3]) == ["segment", "segment_name", "score"]
    assert session.state.exported is not None and session.state.exported["rows"] == 30
    assert f"session.export_lookalike(0.03, {str(tmp_path / 'a.csv')!r})" in session.to_code()
    with pytest.raises(InvalidInput, match=r"share of 0\.5 is out of range"):
        session.export_lookalike(0.5)


def test_what_is_sent_is_held_against_what_platforms_refuse(
    session: Session, tmp_path: Path
) -> None:
    session.rename(1, "Wealthy people")
    session.distribute("file", path=tmp_path / "a.csv")
    said = " ".join(m.text for m in session.messages)
    assert (
        "Names that advertising platforms may refuse: 'Wealthy people' (financial status:" in said
    )


def test_sensitive_variables_need_a_reason() -> None:
    session = Session(table(), id="who")
    session.confirm([*CUT, "religion"])
    session.segment(12)
    assert session.lookalike([1, 2]).left_out == ("religion",)
    with pytest.raises(NotAllowed, match="is sensitive"):
        session.performance("religion=a")
    session.allow_sensitive(["religion"], "People said so themselves, for this.")
    session.segment(12)
    assert session.lookalike([1, 2]).left_out == ()
    assert len(session.performance("religion=a")) == 12


def test_performance_by_column_and_by_values(session: Session) -> None:
    cut = session.segmentation
    assert cut is not None
    bought = table().set_index("who")["bought"] == "yes"
    found = session.performance("bought")
    mine = bought[cut.labels == 1]
    assert found.loc[1, "mean"] == pytest.approx(mine.mean())
    assert found["significant"].any()
    pd.testing.assert_frame_equal(found, session.performance(bought.astype(float)))
    assert session.performance("spend").loc[1, "mean"] > 1
    gaps = table().assign(rating=[5 if i % 3 else None for i in range(1000)])
    rated = Session(gaps, id="who")
    rated.confirm(CUT)
    rated.segment(12)
    assert rated.performance("rating=5")["mean"].tolist() == [1.0] * 12
    with pytest.raises(InvalidInput, match="'plan' has 3 levels"):
        session.performance("plan")
    with pytest.raises(NotFound, match="No record has plan=silver"):
        session.performance("plan=silver")


def test_held_out_people_are_exported_and_not_sent(session: Session, tmp_path: Path) -> None:
    held = session.hold_out(0.1)
    assert held.sum() == 100
    cut = session.segmentation
    assert cut is not None
    by_segment = held.groupby(cut.labels).mean()
    assert by_segment.between(0.08, 0.12).all()
    back = Audience.read_csv(session.export(tmp_path / "a.csv"))
    assert back["held_out"].sum() == 100
    delivery = session.distribute("file", path=tmp_path / "ids.csv", confirm=True)
    assert delivery.rows_sent == 900
    sent = set((tmp_path / "ids.csv").read_text().split())
    assert not sent & set(held.index[held])
    with pytest.raises(InvalidInput, match="cannot be held out"):
        session.hold_out(1.0)


def test_a_batch_is_taken_in_and_can_be_taken_back(session: Session, tmp_path: Path) -> None:
    before = session.segmentation
    assert before is not None
    batch = table(100, seed=1)
    change = session.update(batch)
    after = session.segmentation
    assert after is not None
    assert (change.n_new, after.n_records) == (100, 1100)
    assert all(55 <= s.size <= 110 for s in after.segments)
    assert [s.name for s in after.segments] == [s.name for s in before.segments]
    audience = session.audience
    assert audience is not None and audience.size == 1100
    assert len(Audience.read_csv(session.export(tmp_path / "a.csv"))) == 1100
    assert "100 new and 0 changed records" in " ".join(m.text for m in session.messages)
    session.undo()
    session.undo()
    assert session.segmentation is before
    gone = session.update(table(0), gone=["PERSON000000"])
    assert (gone.n_gone, session.audience.size) == (1, 999)  # type: ignore[union-attr]


def test_consent_holds_for_batches_too() -> None:
    first = table().assign(consent="yes")
    session = Session(first, id="who", consent=True)
    session.confirm(CUT)
    session.segment(12)
    batch = table(10, seed=1).assign(consent=["yes"] * 6 + ["no"] * 4)
    assert session.update(batch).n_new == 6


# -- state ----------------------------------------------------------------------------------------


def test_cutting_anew_discards_what_was_found(session: Session) -> None:
    session.performance("bought")
    session.hold_out(0.2)
    shown = session.snapshot().to_dict()["insights"]
    assert (shown["held_out"], len(shown["performance"]["rows"])) == (200, 12)
    session.segment(10)
    shown = session.snapshot().to_dict()["insights"]
    assert (shown["held_out"], shown["performance"]) == (None, None)
    assert session.insight("performance") is None


def test_views_ask_by_verb_and_get_plain_values(session: Session) -> None:
    session.perform("pick", {"segments": [1, 2]})
    session.perform("lookalike", {"segments": [1, 2]})
    session.perform("overlap")
    session.perform("predict_size", {"base": 20_000})
    shown = session.perform("performance", {"outcome": "bought"}).to_dict()
    told = shown["insights"]
    json.dumps(told)
    assert [row["share"] for row in told["lookalike"]["shares"]] == [i / 100 for i in range(1, 11)]
    assert [row["people"] for row in told["lookalike"]["shares"]][:2] == [10, 20]
    assert len(told["overlap"]["jaccard"]) == len(told["overlap"]["names"]) >= 4
    assert told["size"]["base"] == 20_000
    assert told["performance"]["rate"] is True
    assert "bought" in told["outcomes"] and "who" not in told["outcomes"]
    assert "PERSON" not in json.dumps(shown)
    for verb, arguments in [
        ("predict_size", {}),
        ("predict_size", {"base": -1}),
        ("hold_out", {"share": "all"}),
        ("update", {"batch": "/etc/passwd"}),
    ]:
        with pytest.raises(InvalidInput):
            session.perform(verb, arguments)


def test_a_saved_session_and_its_code_find_the_same(session: Session, tmp_path: Path) -> None:
    frame = table()
    session.pick([1, 2])
    session.lookalike([1, 2])
    session.overlap()
    session.performance("bought")
    session.hold_out(0.1)
    session.redescribe(1, "People we know well.")
    again = Session.from_json(json.loads(json.dumps(session.to_json())), frame)
    ours, theirs = session.snapshot().to_dict(), again.snapshot().to_dict()
    assert theirs["insights"] == ours["insights"]
    assert theirs["segmentation"] == ours["segmentation"]
    assert theirs["segmentation"]["segments"][0]["description"] == "People we know well."
    code = session.to_code()
    assert "lookalike = session.lookalike(method='logistic', segments=[1, 2])" in code
    names: dict[str, Any] = {"frame": frame}
    exec(code, names)
    assert names["session"].snapshot().to_dict()["insights"] == ours["insights"]
    assert "PERSON" not in json.dumps(session.to_json()) + code


def test_batches_are_part_of_the_code(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "monday.csv"
    table(50, seed=1).to_csv(path, index=False)
    session.update(path)
    session.update(table(30, seed=2))
    code = session.to_code()
    assert f"session.update({str(path)!r})\n" in code
    assert "session.update(batch_2)  # at hand: batch_2" in code
    saved = session.to_json()
    assert "PERSON" not in json.dumps(saved)
    with pytest.raises(InvalidInput, match="took 1 batches in from tables at hand, 0 are given"):
        Session.from_json(saved, table())
    again = Session.from_json(saved, table(), batches=[table(30, seed=2)])
    assert again.segmentation is not None and session.segmentation is not None
    pd.testing.assert_series_equal(again.segmentation.labels, session.segmentation.labels)


# -- clean rooms ----------------------------------------------------------------------------------


def test_a_clean_room_shows_noisy_counts_and_nobody() -> None:
    session = room()
    with pytest.raises(NotAllowed, match="cannot score single people"):
        session.lookalike([1])
    with pytest.raises(NotAllowed, match="does not allow to export rows"):
        session.export_lookalike()
    with pytest.raises(NotAllowed, match="cannot name people to be held out"):
        session.hold_out(0.1)
    with pytest.raises(NotAllowed, match="cannot take single people in"):
        session.update(table(3))
    with pytest.raises(NotAllowed, match="people named one by one"):
        session.overlap({"a": [1], "b": [2]})
    with pytest.raises(NotAllowed, match="cannot show figures to a language model"):
        session.reword()
    found = session.overlap()
    counts = found.pairs[["size_first", "size_second", "both"]].to_numpy()
    assert (counts[~np.isnan(counts)] % 10 == 0).all()
    assert (counts[~np.isnan(counts)] >= 50).all()
    assert found.combinations.empty
    again = session.overlap()
    pd.testing.assert_frame_equal(found.pairs, again.pairs)
    table_ = session.performance("bought")
    assert ((table_["count"] % 10) == 0).all()
    with pytest.raises(NotAllowed, match="no amounts"):
        session.performance("spend")
    # Whether anybody has a value is not told, nor any value.
    for spec in (f"rampid=XY{7:047d}", "rampid=nobody"):
        with pytest.raises(NotAllowed, match="Fewer than two segments have enough people"):
            session.performance(spec)
    with pytest.raises(InvalidInput) as caught:
        session.performance("plan")
    assert not {"basic", "plus", "gold"} & set(str(caught.value).replace("=", " ").split())
    with pytest.raises(InvalidInput, match="'rampid' cannot be an outcome\\."):
        session.performance("rampid")
    reach = session.predict_size(100_000)
    assert reach.low <= reach.size <= reach.high
    budget = session.privacy_budget
    assert budget is not None and 0 < budget["spent"] <= budget["budget"]


# -- words ----------------------------------------------------------------------------------------


def test_a_model_words_what_the_facts_tell(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def answer(message: str, state: dict[str, Any]) -> str:
        rows = []
        for segment in state["segments"]:
            trait = segment["traits"][0]
            text = f"{trait['direction']} {trait['label'].lower()} {segment['id']}"
            # Only the first one's number is nowhere in the facts.
            good = f"{trait['direction']} {trait['label'].lower()}"
            clause = [{"trait": 0, "text": text if segment["id"] == 1 else good}]
            rows.append({"id": segment["id"], "name": clause, "description": clause})
        return json.dumps({"segments": rows})

    server = ChatServer(answer)
    try:
        with pytest.raises(WrongStep, match="no language model"):
            session.reword()
        session.language_model = LanguageModel("m", KEY, server.url, timeout=3, max_retries=0)
        before = session.name_of_segment(1)
        refused = session.reword()
    finally:
        server.close()
    assert "number that is not in the facts" in refused[1]
    assert session.name_of_segment(1) == before
    names = {s.name for s in session.segmentation.segments}  # type: ignore[union-attr]
    assert "More age" in names or "Less age" in names
    assert server.wrong == []
    assert "PERSON" not in server.bodies[0]
    # The words are decisions: they are saved, and need no model to come back.
    again = Session.from_json(session.to_json(), table())
    assert {s.name for s in again.segmentation.segments} == names  # type: ignore[union-attr]


def test_findings_are_drawn_by_the_builder() -> None:
    builder = AudienceBuilder(table(), id="who")
    builder.session.confirm(CUT)
    builder.session.segment(12)
    with pytest.raises(WrongStep, match="There is no overlap yet"):
        builder.chart("overlap")
    builder.session.overlap()
    builder.session.lookalike([1, 2])
    builder.session.performance("bought")
    builder.session.update(table(50, seed=3))
    # A batch is another state of the segments: what was found before it no longer holds.
    assert builder.session.insight("overlap") is None
    assert builder.chart("update").to_dict()["title"].startswith("Drift of the batch")
    builder.session.undo()
    titles = [builder.chart(name).to_dict()["title"] for name in ("overlap", "lookalike")]
    assert titles[0].startswith("Overlap of audiences")
    assert titles[1].startswith("Seed found by its lookalikes")
    builder.close()
