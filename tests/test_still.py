"""A still says what the view said, and everything in it is text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from audience_nb.charts import size_chart
from audience_nb.session import Session
from audience_nb.still import pictures, still_of

EVIL = "<script>window.hacked = true</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Notes every tag and attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.fixture
def session() -> Session:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({EVIL: rng.normal(size=120), "age": rng.integers(18, 90, 120)})
    session = Session(frame)
    session.confirm([EVIL, "age"])
    session.segment(n_segments=12)
    return session


def still(session: Session, drawn: Any = ()) -> str:
    return still_of(session.snapshot().to_dict(), drawn)


def test_it_says_what_was_done(session: Session) -> None:
    text = still(session)
    assert "your data: 120 records, 2 variables. Next: export." in text
    assert "12 segments of 120 records, each between 6 and 12" in text
    assert text.count("<tr>") == 1 + 2 + 1 + 12
    assert "In the audience: 120 records of 12 of 12 segments." in text


def test_before_the_first_question_it_says_where_one_stands() -> None:
    text = still(Session(pd.DataFrame({"age": range(20, 80)})))
    assert "60 records, 1 variable. Next: describe." in text
    assert "<table" not in text


def test_whatever_it_shows_is_text(session: Session) -> None:
    session.rename(1, EVIL[:80])
    segmentation = session.segmentation
    assert segmentation is not None
    drawn = pictures({"sizes": size_chart(segmentation).to_dict()})
    assert len(drawn) == 1
    seen = Tags(still(session, drawn))
    assert seen.tags.isdisjoint({"script", "img", "iframe", "foreignobject", "style", "a"})
    assert not [name for name in seen.attributes if name.startswith("on")]


def test_a_chart_that_cannot_be_drawn_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    assert pictures({"broken": {"mark": "no such mark"}}) == []
    assert "'broken' could not be drawn" in caplog.text
