"""Who did not agree, or is on a list, is left out of everything that follows, and counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audience_nb import Session
from audience_nb.errors import InvalidInput, NotAllowed, NotFound
from audience_nb.policy.suppression import SuppressionList


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 300
    return pd.DataFrame(
        {
            "who": [f"C-{i:04d}" for i in range(n)],
            "email": [f"person{i}@example.com" for i in range(n)],
            "age": rng.integers(18, 90, n),
            "spend": rng.gamma(2, 50, n).round(2),
            "consent": ["no" if i % 10 == 0 else "yes" for i in range(n)],
        }
    )


LISTED = ["C-0001", " c-0002", "C-0010"]


def test_only_people_who_agreed_and_are_on_no_list_are_used(frame: pd.DataFrame) -> None:
    session = Session(frame, id="who", consent=True, suppression=LISTED)
    session.confirm(["age", "spend"])
    loaded = session.load()
    assert len(loaded) == 268
    assert session.dropped.values.tolist() == [
        ["no consent: consent", 30],
        ["on the suppression list", 2],
    ]
    session.segment(n_segments=12)
    assert session.audience is not None
    assert not set(session.audience.frame.index) & {"C-0000", "C-0001", "C-0002", "C-0010"}
    loaded_values = session.snapshot().to_dict()["loaded"]
    assert loaded_values["records"] == 268
    assert loaded_values["dropped"][1] == {"reason": "on the suppression list", "count": 2}


def test_a_list_may_be_of_another_column(frame: pd.DataFrame) -> None:
    listed = SuppressionList(["Person5@example.com"], column="email", name="unsubscribed")
    session = Session(frame, id="who", suppression=listed)
    session.confirm(["age"])
    assert "C-0005" not in session.load().index
    assert session.dropped["reason"].tolist() == ["on the unsubscribed"]


def test_without_either_everyone_is_used(frame: pd.DataFrame) -> None:
    session = Session(frame, id="who")
    session.confirm(["age"])
    assert len(session.load()) == 300
    assert session.dropped.empty


def test_demo_data_says_who_consented() -> None:
    session = Session(n_records=200, consent=True)
    session.confirm([session.catalog.at(0).code])
    kept = session.load()
    assert 100 < len(kept) < 200
    assert session.dropped["count"].sum() == 200 - len(kept)
    session.segment(n_segments=12)
    lifestyles = session.enrich()
    assert lifestyles is not None


def test_saved_sessions_keep_that_there_was_a_list_but_not_whom_it_names(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    session = Session(frame, id="who", consent=True, suppression=LISTED)
    session.confirm(["age", "spend"])
    session.load()
    path = session.save(tmp_path / "session.json")
    assert "0002" not in path.read_text(encoding="utf-8")
    with pytest.raises(InvalidInput, match="suppression list of your own"):
        Session.open(path, frame)
    again = Session.open(path, frame, suppression=LISTED)
    assert again.dropped.equals(session.dropped)
    there = {"frame": frame, "suppression": LISTED}
    exec(session.to_code(), there)
    assert there["session"].dropped.equals(session.dropped)  # type: ignore[attr-defined]


def test_what_cannot_be_told_is_an_error(frame: pd.DataFrame) -> None:
    def load(table: pd.DataFrame, **options: object) -> None:
        session = Session(table, id="who", **options)  # type: ignore[arg-type]
        session.confirm(["age"])
        session.load()

    with pytest.raises(NotFound, match="columns says who consented"):
        load(frame.drop(columns="consent"), consent=True)
    with pytest.raises(NotAllowed, match="None of 300 records may be used: 300 no consent"):
        load(frame.assign(consent="no"), consent=True)
    with pytest.raises(NotFound, match="is about 'phone'"):
        load(frame, suppression=SuppressionList(["1"], column="phone"))
    with pytest.raises(InvalidInput, match="A int is no suppression list"):
        load(frame, suppression=3)
