"""Attacks on a session in a clean room, and what is left out because it is sensitive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audience_nb.errors import AudienceError, InvalidInput, NotAllowed, NotFound
from audience_nb.policy.disclosure import Disclosure
from audience_nb.session import Session
from audience_nb.widget import AudienceBuilder

LABELS = {
    "spend": "Spend on groceries in dollars",
    "trips": "Trips by bicycle in a year",
    "worship": "Visits a place of worship",
}


def table(n: int = 900) -> pd.DataFrame:
    """Draw values of so many digits that each is one person's alone."""
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "rampid": [f"XY{'planted':0<42}{i:05d}" for i in range(n)],
            "spend": np.round(rng.gamma(2.0, 300.0, n), 7),
            "trips": np.round(rng.normal(60.0, 20.0, n), 7),
            "worship": np.where(np.arange(n) < n // 2, "often", "never"),
        }
    )


def opened(data_type: str, **options: Any) -> Session:
    session = Session(table(), LABELS, id="rampid", **options)
    session.choose(data_type, "rampid")
    session.ask("spend on groceries, trips by bicycle")
    session.confirm(["spend", "trips"])
    return session


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


# -- what leaves ---------------------------------------------------------------------------------


def everything_that_leaves(data_type: str, folder: Path) -> str:
    """Try all doors, and keep what comes out, refusals too."""
    session = opened(data_type)
    builder = AudienceBuilder(session=session, path=folder / f"{data_type}.json")
    session.build(5, 0.15, 0.25)
    session.pick([1])
    doors: list[Any] = [
        lambda: session.export(folder / f"{data_type}.csv").read_text(encoding="utf-8"),
        lambda: session.distribute("file", path=folder / f"{data_type}-d.csv", confirm=True),
        lambda: session.load().to_csv(),
        lambda: session.frame.to_csv(),  # type: ignore[union-attr]
        lambda: session.audience.frame.to_csv(),  # type: ignore[union-attr]
        lambda: session.segmentation.labels.to_csv(),  # type: ignore[union-attr]
        lambda: session.segmentation.map.to_csv(),  # type: ignore[union-attr]
        lambda: session.segmentation.to_frame().to_csv(),  # type: ignore[union-attr]
        lambda: session.dropped.to_csv(),
        lambda: [repr(x) for x in (session, session.state, session.segmentation, builder)],
        lambda: repr(session.segmentation.segments),  # type: ignore[union-attr]
        lambda: json.dumps(session.snapshot().to_dict()),
        lambda: json.dumps(session.to_json()) + session.to_code(),
        lambda: (folder / f"{data_type}.json").read_text(encoding="utf-8"),
        lambda: session.say("compare segments 1 and 2").messages[-1],
        lambda: session.say("explain segment 1").messages[-1],
        lambda: session.find("spend"),
        lambda: [builder.chart(name).to_json() for name in ("sizes", "map")],
        lambda: builder.charts,
        lambda: {k: v for k, v in builder.get_state().items() if k not in ("_esm", "_css")},
        lambda: builder.still(),
        lambda: builder._repr_mimebundle_(),
    ]
    out = []
    for door in doors:
        try:
            out.append(str(door()))
        except (AudienceError, AttributeError) as error:
            out.append(str(error))
    builder.close()
    return "\n".join(out)


def planted(text: str) -> int:
    frame = table()
    values = [*frame["rampid"], *map(repr, frame["spend"]), *map(repr, frame["trips"])]
    return sum(value in text for value in values)


def test_nothing_of_a_record_leaves_a_clean_room_by_any_door(tmp_path: Path) -> None:
    assert planted(everything_that_leaves("first_party", tmp_path)) >= 900
    assert planted(everything_that_leaves("clean_room", tmp_path)) == 0
    assert not (tmp_path / "clean_room.csv").exists()
    assert not (tmp_path / "clean_room-d.csv").exists()


# -- who is in the data --------------------------------------------------------------------------


def found_by_list(data_type: str, identifier: str) -> bool:
    """Guess that somebody is in the data if a list of him alone changes what is shown."""
    session = opened(data_type, suppression=[identifier])
    session.load()
    return not session.dropped.empty or bool(session.snapshot().to_dict()["loaded"]["dropped"])


def test_a_list_of_one_person_does_not_tell_whether_he_is_in_the_data() -> None:
    inside, outside = table()["rampid"].iloc[7], f"XY{'nobody':0<47}"
    assert found_by_list("first_party", inside) and not found_by_list("first_party", outside)
    assert not found_by_list("clean_room", inside)
    assert not found_by_list("clean_room", outside)


def test_records_are_counted_with_noise_in_a_clean_room() -> None:
    gone = list(table()["rampid"].iloc[:200])
    session = opened("clean_room", suppression=gone)
    session.build(5, 0.15, 0.25)
    loaded = session.snapshot().to_dict()["loaded"]
    assert loaded["records"] % 10 == 0 and abs(loaded["records"] - 700) < 150
    (row,) = session.dropped.itertuples(index=False)
    assert row.reason == "on the suppression list" and row.count % 10 == 0
    assert "700" not in session.messages[-1].text or loaded["records"] == 700
    spent = session.snapshot().to_dict()["budget"]
    assert spent == {"minimum_count": 50, "spent": pytest.approx(0.7), "budget": 10.0}
    assert opened("first_party").snapshot().to_dict()["budget"] is None


def test_a_clean_room_of_few_people_is_refused_without_saying_how_many() -> None:
    few = list(table()["rampid"].iloc[3:])
    session = opened("clean_room", suppression=few)
    with pytest.raises(NotAllowed, match="at least 50 people, here are fewer") as raised:
        session.load()
    assert "3" not in str(raised.value).replace("50", "")
    assert session.state.frame is None
    assert len(opened("first_party", suppression=few).load()) == 3


# -- differences ---------------------------------------------------------------------------------


def differencing(rooms: list[Disclosure], n_targets: int) -> float:
    """Share of targets about whom "with" less "without" tells whether they have a trait."""
    rng = np.random.default_rng(5)
    right = 0
    for room in rooms:
        for target in range(n_targets):
            has_trait = bool(rng.random() < 0.5)
            others = int(rng.integers(200, 400))
            more = room.count(("with", target), others + has_trait) or 0
            less = room.count(("without", target), others) or 0
            right += (more > less or (more == less and rng.random() < 0.5)) == has_trait
    return right / (len(rooms) * n_targets)


def test_differencing_gains_at_most_two_points_in_twenty_rooms_of_a_thousand_targets() -> None:
    def rooms(noise: bool) -> list[Disclosure]:
        return [Disclosure(budget=1e6, secret=bytes([i]), noise=noise) for i in range(20)]

    assert differencing(rooms(noise=True), 1000) <= 0.52
    # Without noise a difference is never wrong about who has the trait.
    assert differencing(rooms(noise=False), 1000) >= 0.74


# -- sensitive variables -------------------------------------------------------------------------


def cut_by_worship(*, allowed: bool) -> Session:
    session = Session(table(), LABELS, id="rampid")
    session.choose("first_party", "rampid")
    session.confirm(["worship", "spend"])
    if allowed:
        assert session.allow_sensitive(["worship"], "Approved by the board") == {}
    session.segment(4, 0.2, 0.3)
    return session


def told(session: Session) -> str:
    assert session.segmentation is not None
    return json.dumps(
        [(s.name, s.description, [t.text for t in s.traits]) for s in session.segmentation.segments]
    ).casefold()


def test_what_is_sensitive_names_no_segment_until_somebody_says_so() -> None:
    assert "worship" in told(cut_by_worship(allowed=True))
    session = cut_by_worship(allowed=False)
    assert "worship" not in told(session)
    assert session.sensitive == {"worship": "religion"}
    # The whole profile still has it: it is left out of what is told, not of what is known.
    profile = session.segmentation.segments[0].profile  # type: ignore[union-attr]
    assert any("worship" in trait.label.casefold() for trait in profile)
    shown = {v["code"]: v["sensitive"] for v in session.snapshot().to_dict()["selected"]}
    assert shown == {"worship": "religion", "spend": None}


def test_an_audience_cut_by_something_sensitive_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    session = cut_by_worship(allowed=False)
    session.distribute("file", path=path)
    assert "Not as it stands" in session.messages[-1].text
    with pytest.raises(NotAllowed, match=r"1 sensitive variables \(religion\): worship"):
        session.distribute("file", path=path, confirm=True)
    assert not path.exists()
    cut_by_worship(allowed=True).distribute("file", path=path, confirm=True)
    assert path.exists()


def test_the_permission_is_kept_wherever_decisions_are(tmp_path: Path) -> None:
    session = cut_by_worship(allowed=True)
    assert "session.allow_sensitive(['worship'], 'Approved by the board')" in session.to_code()
    header = session.export(tmp_path / "x.csv").read_text(encoding="utf-8")
    assert '"worship": "Approved by the board"' in header
    again = Session.from_json(session.to_json(), table(), dictionary=LABELS)
    assert again.state.allowed_sensitive == (("worship", "Approved by the board"),)
    assert told(again) == told(session)
    session.undo()
    session.undo()
    session.undo()
    assert session.sensitive == {"worship": "religion"}


def test_permissions_of_no_use_are_refused() -> None:
    session = cut_by_worship(allowed=False)
    for codes, reason in (
        (["spend"], "why"),
        ([], "why"),
        (["worship"], " "),
        (["worship"], "x" * 201),
    ):
        with pytest.raises(InvalidInput):
            session.allow_sensitive(codes, reason)
    with pytest.raises(NotFound):
        session.allow_sensitive(["nothing"], "why")
    session.perform("allow_sensitive", {"codes": ["worship"], "reason": "On the wire"})
    assert session.state.allowed_sensitive == (("worship", "On the wire"),)
    assert session.segmentation is None


def test_the_room_that_is_named_sets_the_smallest_group() -> None:
    session = opened("clean_room")
    session.choose("clean_room", "liveramp")
    assert session.state.rule.minimum_count == 100
    session.confirm(["spend", "trips"])
    n = session.source.n_records
    with pytest.raises(InvalidInput, match="shows none below 100"):
        session.segment(n // 90, min_share=0.0, max_share=1.0)
    assert session.segment(3, min_share=0.3, max_share=0.4).n_segments == 3

    session.choose("clean_room", "rampid", minimum_count=n + 1000)
    with pytest.raises(NotAllowed, match=f"at least {n + 1000} people"):
        session.confirm(["spend", "trips"])
        session.load()


def test_an_owner_may_ask_for_larger_groups_and_never_for_smaller(tmp_path: Path) -> None:
    session = opened("clean_room")
    session.choose("clean_room", "rampid", minimum_count=10)
    assert session.state.rule.minimum_count == 50
    session.choose("clean_room", "rampid", minimum_count=120)
    assert session.state.rule.minimum_count == 120
    assert "minimum_count=120" in session.to_code()
    session.save(tmp_path / "room.json")
    again = Session.open(tmp_path / "room.json", table(), dictionary=LABELS, id="rampid")
    assert again.state.rule.minimum_count == 120
    for wrong in (0, 100_001):
        with pytest.raises(InvalidInput, match="1 to 100,000"):
            session.choose("clean_room", "rampid", minimum_count=wrong)
    assert session.state.rule.minimum_count == 120


def test_what_is_spent_stays_spent_whichever_room_is_named() -> None:
    session = opened("clean_room")
    session.load()
    spent = session.privacy_budget
    assert spent is not None and spent["spent"] > 0
    session.choose("clean_room", "liveramp")
    assert session.privacy_budget == {**spent, "minimum_count": 100}
