"""Destinations in the view: check, plan, dry run and send over the wire, and what stays off it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from platform_server import TOKEN, State, addresses, hashes, serving
from test_widget import Wire

from audience_nb import AudienceBuilder
from audience_nb.distribution import destinations, register_destination
from audience_nb.errors import InvalidInput

N = 600


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What another test delivered must not count as delivered here.
    monkeypatch.setenv("AUDIENCE_NB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AUDIENCE_NB_AUDIT", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def platform() -> Iterator[State]:
    with serving() as state:
        yield state


@pytest.fixture
def server(platform: State) -> State:
    """The platforms as nobody has spoken to them yet."""
    for held in (platform.people, platform.sizes, platform.keys, platform.sessions):
        held.clear()
    for told in (platform.script, platform.wrong, platform.headers):
        told.clear()
    platform.known = hashes("meta", N)
    return platform


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, N),
            "monthly_spend": rng.gamma(2, 50, N).round(2),
            "email": addresses(N),
            "consent_ads": True,
        }
    )


@pytest.fixture
def wire(frame: pd.DataFrame) -> Iterator[Wire]:
    ab = AudienceBuilder(frame)
    ab.session.confirm(["age", "monthly_spend"])
    ab.session.segment(n_segments=12)
    ab.session.pick([1, 2, 3])
    yield Wire(ab)
    ab.close()


def place(wire: Wire, name: str = "meta") -> dict[str, Any]:
    (found,) = [d for d in wire.builder.snapshot["destinations"] if d["name"] == name]
    return dict(found)


def ask(wire: Wire, stage: str, destination: str = "meta", **more: Any) -> dict[str, Any]:
    ask.count += 1  # type: ignore[attr-defined]
    return wire.ask("dispatch", f"d{ask.count}", destination=destination, stage=stage, **more)  # type: ignore[attr-defined]


ask.count = 0  # type: ignore[attr-defined]


def options(server: State) -> dict[str, str]:
    return {"audience_id": "77", "endpoint": f"{server.address}/meta"}


def size(wire: Wire) -> int:
    return int(wire.builder.snapshot["audience"]["size"])


def test_destinations_are_listed_once_there_are_segments(frame: pd.DataFrame, wire: Wire) -> None:
    fresh = AudienceBuilder(frame)
    assert fresh.snapshot["destinations"] == []
    fresh.close()
    listed = wire.builder.snapshot["destinations"]
    ours = [d for d in listed if d["name"] in ("file", "meta", "google", "webhook")]
    assert [d["name"] for d in listed] == list(destinations())
    assert {d["stands"] for d in ours} == {"not checked"}
    asks = {d["name"]: {a["name"]: a["required"] for a in d["asks"]} for d in ours}
    assert asks["meta"]["audience_id"] is True and asks["meta"]["endpoint"] is False
    assert asks["webhook"]["endpoint"] is True
    assert asks["google"]["login_account_id"] is False
    assert asks["file"]["path"] is False and "endpoint" not in asks["file"]
    assert {d["name"]: d["needs_token"] for d in ours} == {
        "file": False, "meta": True, "google": True, "webhook": True,
    }  # fmt: skip


def test_check_plan_dry_run_and_send(wire: Wire, server: State) -> None:
    given = options(server)
    assert ask(wire, "check", options=given)["ok"]
    found = place(wire)
    assert found["stands"] == "ready" and found["plan"] is None
    assert {f["level"] for f in found["findings"]} <= {"warning", "info"}
    assert {"level", "code", "message", "rows_affected", "fix"} == set(found["findings"][0])

    assert ask(wire, "plan", options=given)["ok"]
    found = place(wire)
    assert found["stands"] == "planned"
    plan = found["plan"]
    assert plan["rows"] == size(wire)
    assert plan["batches"] == {"count": 1, "largest": size(wire)}
    rows = plan["first_payload"]["payload"]["data"]
    assert len(rows) == 2 and all(re.fullmatch("[0-9a-f]{6}…", row[0]) for row in rows)

    assert ask(wire, "try", options=given)["ok"]
    found = place(wire)
    assert found["stands"] == "tried" and found["delivery"]["dry_run"] is True
    # Neither of the two alone is enough.
    refused = ask(wire, "send", options=given, token=TOKEN)["error"]
    assert refused["fact"] == "The sending is not confirmed."
    refused = ask(wire, "send", options=given, confirm=True)["error"]
    assert refused["fact"] == "No token is given."
    assert place(wire)["stands"] == "tried"
    assert server.headers == []

    assert ask(wire, "send", options=given, token=TOKEN, confirm=True)["ok"]
    found = place(wire)
    assert found["stands"] == "sent"
    assert found["delivery"]["rows_sent"] == size(wire)
    assert sum(server.people.values()) == len(server.people) == size(wire)
    assert server.wrong == [] and server.complete()
    # Sent again, nothing leaves: the journal knows them.
    assert ask(wire, "send", options=given, token=TOKEN, confirm=True)["ok"]
    assert place(wire)["delivery"]["rows_before"] == size(wire)
    assert set(server.people.values()) == {1}


def test_no_token_and_no_identifier_is_in_anything_that_is_kept(
    wire: Wire, server: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = options(server)
    secret = "s3cret-of-the-platform"
    # Refused, taken, and misplaced where options are.
    ask(wire, "send", options=given, token=secret, confirm=True)
    ask(wire, "send", options=given, token=TOKEN, confirm=True)
    ask(wire, "send", options={**given, "token": secret}, confirm=True)
    ask(wire, "send", options=given, token=secret + "\n\u20ac", confirm=True)
    ask(wire, "send", options=given, token=[secret], confirm=True)
    ab = wire.builder
    saved = ab.session.save(tmp_path / "session.json").read_text(encoding="utf-8")
    synced = json.dumps(
        {k: v for k, v in ab.get_state().items() if k not in ("_esm", "_css")}, default=str
    )
    said = json.dumps(wire.received)
    written = "".join(
        p.read_text(encoding="utf-8", errors="replace") for p in tmp_path.rglob("*") if p.is_file()
    )
    for text in (saved, synced, said, written, repr(ab), repr(ab.session.state), ab.to_code(),
                 ab.still(), caplog.text):  # fmt: skip
        assert TOKEN not in text and secret not in text
        assert "@example.com" not in text.lower() and "@gmail" not in text.lower()
        assert not any(h in text for h in server.known)


def test_refused_and_interrupted_sends_say_how_far_they_got(wire: Wire, server: State) -> None:
    given = options(server)
    error = ask(wire, "send", options=given, token="wrong", confirm=True)["error"]
    assert error["fact"] == "Meta answered 401: it does not take the token."
    found = place(wire)
    assert found["stands"] == "refused"
    assert found["refusal"] == error
    # What was checked and planned is still there.
    assert found["plan"]["rows"] == size(wire) and found["options"] == given
    assert server.people == {}
    assert ask(wire, "send", options=given, token=TOKEN, confirm=True)["ok"]
    found = place(wire)
    assert found["stands"] == "sent" and found["refusal"] is None
    assert set(server.people.values()) == {1} and len(server.people) == size(wire)


def test_the_purpose_is_on_record_and_the_token_is_not(
    wire: Wire, server: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUDIENCE_NB_AUDIT", str(tmp_path / "audit.jsonl"))
    sending = {"options": options(server), "token": TOKEN, "confirm": True}
    assert ask(wire, "send", purpose="spring campaign", **sending)["ok"]
    text = (tmp_path / "audit.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["action"] for line in lines] == ["distribute begun", "distribute"]
    assert {line["purpose"] for line in lines} == {"spring campaign"}
    assert TOKEN not in text


def test_findings_that_forbid_are_problems_and_nothing_leaves(wire: Wire, server: State) -> None:
    given = {**options(server), "retention_days": "900"}
    assert ask(wire, "check", options=given)["ok"]
    found = place(wire)
    assert found["stands"] == "problems"
    first = found["findings"][0]
    assert first["level"] == "error" and "900 days" in first["message"] and first["fix"]
    error = ask(wire, "send", options=given, token=TOKEN, confirm=True)["error"]
    assert "900 days" in error["fact"]
    assert server.headers == []


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        ({"options": {}}, "Audience id is missing."),
        ({"options": {"audience_id": "77", "colour": "red"}}, "meta has no option 'colour'."),
        (
            {"options": {"audience_id": "77", "retention_days": "soon"}},
            "'soon' is no number of days.",
        ),
        (
            {"options": {"audience_id": "77", "endpoint": "http://example.com"}},
            "Identifiers are not sent to http://example.com.",
        ),
        (
            {"options": {"audience_id": "77", "endpoint": "https://example.com/in?key=k"}},
            "The address has a query, which may hold a key; options are kept with the view.",
        ),
        ({"options": {"audience_id": "7" * 400}}, "Audience id has 400 characters."),
        ({"options": {"audience_id": 77}}, "The message names no destination."),
        ({"options": None}, "The message names no destination."),
        ({"stage": "steal"}, "There is no stage 'steal'."),
        ({"destination": "nowhere"}, "There is no destination 'nowhere'."),
    ],
)
def test_odd_messages_are_answered_in_words(wire: Wire, more: dict[str, Any], fact: str) -> None:
    before = wire.builder.snapshot
    asked = {"stage": "check", "destination": "meta", "options": {"audience_id": "77"}, **more}
    error = ask(wire, **asked)["error"]
    assert error["fact"] == fact and error["next_move"]
    assert wire.builder.snapshot["segmentation"] == before["segmentation"]
    assert place(wire)["stands"] == "not checked"


def test_another_audience_is_checked_anew(wire: Wire, server: State) -> None:
    session = wire.builder.session
    ask(wire, "plan", options=options(server))
    assert place(wire)["stands"] == "planned"
    session.pick([4])
    assert place(wire)["stands"] == "not checked" and place(wire)["findings"] is None
    # Back at the audience that was planned, its plan is there again.
    session.undo()
    assert place(wire)["stands"] == "planned"
    for change in (
        lambda: session.rename(1, "Others"),
        lambda: session.hold_out(0.1),
        lambda: session.segment(n_segments=12),
    ):
        ask(wire, "check", options=options(server))
        assert place(wire)["stands"] == "ready"
        change()
        assert place(wire)["stands"] == "not checked"


def test_a_file_is_named_and_never_placed(wire: Wire, tmp_path: Path) -> None:
    ask(wire, "try", "file", options={"path": "../../etc/mine"})
    assert place(wire, "file")["stands"] == "tried"
    assert not (tmp_path / "exports").exists()
    assert ask(wire, "send", "file", options={"path": "../../etc/mine"}, confirm=True)["ok"]
    found = place(wire, "file")
    assert found["stands"] == "sent" and found["delivery"]["rows_sent"] == size(wire)
    (written,) = (tmp_path / "exports").iterdir()
    assert found["delivery"]["location"] == f"exports/{written.name}"
    assert "/" not in written.name and len(written.read_text().splitlines()) == size(wire) + 1


def test_a_clean_room_lets_nothing_be_sent(wire: Wire, server: State) -> None:
    wire.builder.session.choose("clean_room")
    wire.builder.session.confirm(["age", "monthly_spend"])
    wire.builder.session.segment(n_segments=6, min_share=0.1, max_share=0.3)
    for stage in ("check", "plan", "try", "send"):
        error = ask(wire, stage, options=options(server), token=TOKEN, confirm=True)["error"]
        assert "does not allow" in error["fact"] or "lets" in error["fact"], error
        assert error["next_move"]
    assert server.headers == []


def test_somebody_elses_destination_that_breaks_breaks_nothing_else(
    wire: Wire, server: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audience_nb import distribution

    monkeypatch.setattr(distribution, "_REGISTERED", dict(distribution._REGISTERED))

    class Broken:
        name, fields = "broken", ("email",)

        def check(self, audience: Any, people: Any) -> Any:
            raise ZeroDivisionError(people["email"].iloc[0])

    register_destination("broken", Broken, "one that breaks")  # type: ignore[arg-type]

    def unloadable() -> Any:
        raise InvalidInput("It cannot be loaded.", "Ask its authors.")

    monkeypatch.setattr(
        distribution,
        "opener_of",
        lambda name, known=distribution.opener_of: unloadable() if name == "torn" else known(name),
    )
    register_destination("torn", Broken, "one that cannot be loaded")  # type: ignore[arg-type]
    register_destination("own", lambda list_id, mood="good": Broken(), "one of ours")  # type: ignore[misc, return-value, arg-type]
    wire.builder.session.pick([1, 2])
    assert ask(wire, "check", "torn", options={})["error"]["fact"] == "It cannot be loaded."
    own = place(wire, "own")
    assert {a["name"]: a["required"] for a in own["asks"]} == {"list_id": True, "mood": False}
    assert own["takes_token"] is True and own["needs_token"] is False
    answer = ask(wire, "check", "broken", options={})
    assert answer["error"]["fact"] == "Something failed inside: ZeroDivisionError."
    assert "@" not in json.dumps(answer)
    assert ask(wire, "check", options=options(server))["ok"]
    assert place(wire, "broken")["title"] == "one that breaks"
