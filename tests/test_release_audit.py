"""A session's exports and deliveries: what the manifest says, what the audit log keeps."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import platform_server
import pytest
from platform_server import TOKEN

from audience_nb import Audience, Session
from audience_nb.audit import AuditLog
from audience_nb.distribution import NotDelivered, TokenRefused
from audience_nb.errors import InvalidInput
from audience_nb.retention import purge

N = 400


def table(**columns: Any) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": chance.integers(18, 80, N),
            "income": chance.normal(50, 10, N).round(2),
            "email": platform_server.addresses(N),
            "consent_ads": True,
            **columns,
        },
        index=pd.Index([f"C{i}" for i in range(N)], name="customer_id"),
    )
    return frame


def cut(frame: pd.DataFrame, codes: list[str] | None = None, **options: Any) -> Session:
    session = Session(frame, **options)
    session.confirm(codes=codes or ["age", "income"])
    session.load()
    session.segment(n_segments=10)
    return session


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditLog:
    path = tmp_path / "audit.jsonl"
    monkeypatch.setenv("AUDIENCE_NB_AUDIT", str(path))
    monkeypatch.setenv("JUPYTERHUB_USER", "ann")
    return AuditLog(path)


def test_the_manifest_says_how_the_audience_came_about(tmp_path: Path) -> None:
    session = cut(table())
    known = Audience.read(session.export(tmp_path / "a.csv")).attrs["audience"]
    assert known["parameters"] == {
        "variables": ["age", "income"],
        "n_segments": 10,
        "min_share": 0.05,
        "max_share": 0.1,
        "random_state": 0,
        "scaling": "robust",
        "weights": {},
    }
    assert known["variables"] == {"age": "Age", "income": "Income"}
    assert (known["data type"], known["subtype"]) == ("first_party", "customer_id")
    assert (known["records"], known["base records"], known["bounds"]) == (N, N, [20, 40])
    assert (known["seed"], known["catalogue"]) == (0, session.catalog.fingerprint)
    assert (known["query"], known["dropped"]) == (None, {})
    assert sum(s["size"] for s in known["segments"]) == N
    label = known["transparency label"]
    assert label["audience construction"]["audience count"] == N
    assert set(label) == {
        "provider",
        "audience snapshot",
        "audience construction",
        "data sources",
    }
    # The audience itself tells the same.
    assert session.audience is not None
    assert session.audience.manifest["parameters"] == known["parameters"]


def test_who_was_left_out_stands_in_every_manifest() -> None:
    session = cut(table(consent_ads=[i % 10 > 0 for i in range(N)]), consent=True)
    assert session.audience is not None
    manifest = session.audience.manifest
    assert manifest["dropped"] == {"no consent: consent_ads": N // 10}
    assert manifest["records"] == N - N // 10
    assert manifest["transparency label"]["data sources"]["left out"] == manifest["dropped"]


def test_own_columns_may_be_called_as_ours_are(tmp_path: Path) -> None:
    frame = table(segment=np.arange(N) * 1.5, segment_=np.arange(N) % 7)
    session = cut(frame, ["age", "segment", "segment_"])
    read = Audience.read(session.export(tmp_path / "a.parquet"))
    assert list(read) == ["segment", "segment_name", "age", "segment__", "segment_"]
    assert list(read["segment__"]) == list(frame["segment"])
    assert read["segment"].between(1, 10).all()


def test_an_export_may_be_for_excel_or_for_machines(tmp_path: Path) -> None:
    frame = table(note=["=1+1"] * (N // 2) + ["b"] * (N // 2))
    session = cut(frame, ["age", "note"])
    assert session.export(tmp_path / "a.csv", bom=True).read_bytes()[:3] == b"\xef\xbb\xbf"
    assert f"session.export({str(tmp_path / 'a.csv')!r}, bom=True)" in session.to_code()
    plain = session.export(tmp_path / "b.csv", safe=False, header=False).read_text()
    assert ',"=1+1"' in plain and "#" not in plain
    again = Session.from_json(session.to_json(), frame=frame)
    assert again.state.exported == session.state.exported
    with pytest.raises(InvalidInput, match="parquet has no option 'bom'"):
        session.export(tmp_path / "a.parquet", bom=True)


def test_exports_are_on_record_before_they_are_there(log: AuditLog, tmp_path: Path) -> None:
    session = cut(table())
    session.export(tmp_path / "a.csv")
    with pytest.raises(InvalidInput):
        session.export(tmp_path / "a.xlsx")
    told = [(e["actor"], e["action"], e["rows_out"], e["destination"]) for e in log.read()]
    assert told == [
        ("ann", "export", N, "a.csv"),
        ("ann", "export", N, "a.xlsx"),
        ("ann", "export failed", 0, "a.xlsx"),
    ]
    # What cannot be noted does not leave.
    os.environ["AUDIENCE_NB_AUDIT"] = str(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be written"):
        session.export(tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


def test_deliveries_are_on_record_whatever_becomes_of_them(log: AuditLog, tmp_path: Path) -> None:
    session = cut(table())
    with platform_server.serving() as state:
        send: dict[str, Any] = {
            "endpoint": f"{state.address}/webhook",
            "journal": tmp_path / "journal",
            "longest_wait": 0.01,
            "max_retries": 0,
            "retention_days": 30,
        }
        session.distribute("webhook", **send)
        session.distribute("webhook", confirm=True, **send)
        assert not log.path.exists()
        state.script = ["500"]
        with pytest.raises(NotDelivered):
            session.distribute("webhook", confirm=True, token=TOKEN, purpose="news", **send)
        with pytest.raises(TokenRefused):
            session.distribute("webhook", confirm=True, token="wr0ng", **send)
        session.distribute("webhook", confirm=True, token=TOKEN, purpose="news", **send)
        session.distribute("webhook", confirm=True, token=TOKEN, **send)
        assert session.messages[-1].text.startswith("0 of 400 rows were sent to webhook; 400 were")
    told = [(e["action"], e["rows_in"], e["rows_out"], e["purpose"]) for e in log.read()]
    assert told == [
        ("distribute begun", N, 0, "news"),
        ("distribute interrupted", N, 0, "news"),
        ("distribute begun", N, 0, ""),
        ("distribute interrupted", N, 0, ""),
        ("distribute begun", N, 0, "news"),
        ("distribute", N, N, "news"),
        ("distribute begun", N, 0, ""),
        ("distribute", N, 0, ""),
    ]
    assert log.verify().whole
    text = log.path.read_text()
    assert "@" not in text and TOKEN not in text
    assert not any(h in text for h in platform_server.hashes("webhook", N))
    # The log itself tells a purge what platforms are to forget.
    later = pd.Timestamp.now(tz="UTC").to_pydatetime() + pd.Timedelta(days=31).to_pytimedelta()
    (due,) = purge({}, deliveries=log.read(), now=later).due
    assert (due.destination, due.audience, due.days, due.over) == ("webhook", "Age, Income", 30, 1)
    assert json.loads(text.splitlines()[5])["retention_days"] == 30
