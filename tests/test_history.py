"""History: what is kept, what is found again, and that nothing acknowledged is lost."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import audience_nb.history as history_package
from audience_nb.errors import InvalidInput, NotFound, SourceFailed, WrongStep
from audience_nb.history import History
from audience_nb.history.opening import migrate, open_engine
from audience_nb.history.tables import Table, new_id
from audience_nb.session import Session

FULL_TEXT = {
    "idx_description",
    *(f"variable_search{end}" for end in ("", "_config", "_data", "_docsize", "_idx")),
}
ROOT = Path(__file__).parents[1]
FRAME = pd.DataFrame({"age": range(20, 80), "email": [f"p{i}@example.org" for i in range(60)]})


def fresh() -> Session:
    session = Session(FRAME.drop(columns="email"))
    session.confirm(["age"])
    return session


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "history.sqlite3")
        return
    address: str = request.getfixturevalue("postgres")
    yield address
    engine = open_engine(address)
    with engine.begin() as connection:
        Table.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()


@pytest.fixture
def history(url: str) -> Iterator[History]:
    history = History(url)
    yield history
    history.close()


@pytest.fixture(scope="module")
def cut() -> Session:
    session = fresh()
    session.segment(n_segments=12)
    return session


def test_models_and_migrations_say_the_same(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        # Full text is each engine's own, so the models cannot say it.
        opts = {"compare_type": True, "include_object": lambda _o, name, *_: name not in FULL_TEXT}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Table.metadata) == []
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    # The three of the source document, and ours.
    assert names >= {"variable_metadata", "audience_segments", "workflow_history"}
    assert names >= {"sessions", "audiences", "deliveries", "alembic_version"}


def led(url: str, revision: str) -> None:
    """Lead a database up or down to a revision."""
    config = Config()
    config.set_main_option("script_location", str(Path(history_package.__file__).parent))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    engine = open_engine(url)

    def steps(there: Any, _context: Any) -> Any:
        now = there[0] if there else "base"
        if revision == "base" or (now > revision != "base" and now != "base"):
            return script._downgrade_revs(revision, there)
        return script._upgrade_revs(revision, there)

    with engine.begin() as connection, EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
    engine.dispose()


def test_what_the_first_revision_holds_is_still_there_after_all_others(
    url: str, cut: Session
) -> None:
    history = History(url)
    kept = history.keep(cut, "ann", source="people")
    receipt = {"destination": "file", "dry_run": True, "rows_sent": 9, "rows_dropped": {"x": 1}}
    history.keep_delivery(str(kept.audience_id), "ann", receipt)
    history.close()
    led(url, "r0001")
    engine = open_engine(url)
    with engine.connect() as connection:
        assert "server_secrets" not in inspect(connection).get_table_names()
        tables = ("sessions", "workflow_history", "audience_segments", "audiences", "deliveries")
        counts = [connection.scalar(text(f"SELECT count(*) FROM {t}")) for t in tables]
        assert counts == [1, 1, 12, 1, 1]
    engine.dispose()
    # The newest package opens it: all is there, also for the full text that came later.
    history = History(url)
    assert history.workflow(str(kept.workflow_id), "ann")["num_segments"] == 12
    assert [row["variable_code"] for row in history.variables("age")] == ["age"]
    assert history.deliveries(str(kept.audience_id))[0]["rows_sent"] == 9
    again = history.run_again(str(kept.workflow_id), FRAME.drop(columns="email"))
    assert again.segmentation.labels.equals(cut.segmentation.labels)
    history.close()
    led(url, "base")
    engine = open_engine(url)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_variables_are_found_by_their_words(history: History) -> None:
    frame = pd.DataFrame(
        {name: [i * k % 37 for i in range(60)] for name, k in zip("abc", (5, 7, 11), strict=True)}
    )
    words = {
        "a": "Age of the person in years",
        "b": "Cafés visited a month",
        "c": "Kilometres to the next café",
    }
    session = Session(frame, dictionary=words)
    session.confirm(["a", "b", "c"])
    session.segment(n_segments=12)
    history.keep(session, "ann", source="people")
    codes = [row["variable_code"] for row in history.variables("next KILOMETRES")]
    assert codes == ["c"]
    assert [row["variable_code"] for row in history.variables("a", limit=1)] == ["a"]
    for nothing in ("", "  ", "spaceship", "age' OR 1=1 --", '"', "NOT", "*"):
        assert history.variables(nothing) == [], nothing


def test_servers_share_their_secrets(url: str) -> None:
    found: list[bytes] = []

    def look() -> None:
        history = History(url)
        found.append(history.secret("log"))
        history.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1 and len(found[0]) == 32
    history = History(url)
    assert history.secret("other") != found[0]
    history.close()


def test_several_servers_may_open_an_empty_database_at_once(url: str) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            History(url).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_workflow_is_kept_with_its_segments_and_run_again(history: History, cut: Session) -> None:
    kept = history.keep(cut, "ann", source="people")
    assert kept.workflow_id is not None and kept.audience_id is not None
    row = history.workflow(kept.workflow_id, "ann")
    assert (row["status"], row["total_records"], row["num_segments"]) == ("complete", 60, 12)
    assert (row["user_id"], row["selected_variables"]) == ("ann", ["age"])
    sizes = [s["segment_size"] for s in row["segments"]]
    assert sizes == [s.size for s in cut.segmentation.segments]
    assert [s["segment_number"] for s in row["segments"]] == list(range(1, 13))
    shares = [float(s["segment_percentage"]) for s in row["segments"]]
    assert shares == [round(100 * size / 60, 2) for size in sizes]
    again = history.run_again(kept.workflow_id, FRAME.drop(columns="email"))
    assert again.segmentation is not None
    assert again.segmentation.labels.equals(cut.segmentation.labels)
    audience = history.audience(kept.audience_id)
    assert (audience["size"], audience["segments"]) == (60, list(range(1, 13)))


def test_the_same_decisions_are_one_workflow_and_one_audience(history: History) -> None:
    session = fresh()
    session.segment(n_segments=12)
    first = history.keep(session, "ann")
    session.pick([1, 2])
    second = history.keep(session, "ann", known=first)
    session.undo()
    third = history.keep(session, "ann", known=second)
    assert [k.version for k in (first, second, third)] == [1, 2, 3]
    assert first.workflow_id == second.workflow_id == third.workflow_id
    assert first.audience_id == third.audience_id != second.audience_id
    assert history.audience(str(second.audience_id))["segments"] == [1, 2]
    session.segment(n_segments=15)
    fourth = history.keep(session, "ann", known=third)
    assert fourth.workflow_id != first.workflow_id
    assert len(history.workflows("ann")) == 2


def test_of_two_who_change_a_session_the_second_is_told(history: History) -> None:
    session = fresh()
    kept = history.keep(session, "ann")
    history.keep(session, "ann", known=kept)
    with pytest.raises(WrongStep, match="Somebody else changed this session"):
        history.keep(session, "ann", known=kept)
    assert history.version(kept.session_id) == 2


def test_a_failed_cut_is_kept_with_its_reason(history: History) -> None:
    session = fresh()
    kept = history.keep(session, "ann")
    with pytest.raises(InvalidInput) as raised:
        session.segment(n_segments=12, min_share=0.5, max_share=0.2)
    workflow_id = history.keep_failure(session, "ann", raised.value, known=kept)
    row = history.workflow(workflow_id)
    assert (row["status"], row["num_segments"], row["segments"]) == ("failed", 0, [])
    assert row["error_message"] == str(raised.value)


def test_what_is_somebody_elses_is_not_there(history: History, cut: Session) -> None:
    kept = history.keep(cut, "ann")
    for look in (
        lambda: history.session(kept.session_id, "bob"),
        lambda: history.workflow(str(kept.workflow_id), "bob"),
        lambda: history.audience(str(kept.audience_id), "bob"),
        lambda: history.forget(kept.session_id, "bob"),
        lambda: history.session(new_id(), "ann"),
    ):
        with pytest.raises(NotFound):
            look()
    assert history.workflows("bob") == [] == history.sessions("bob")


def test_an_ended_session_leaves_its_workflows(history: History, cut: Session) -> None:
    kept = history.keep(cut, "ann")
    history.forget(kept.session_id, "ann")
    assert history.version(kept.session_id) is None
    assert history.workflow(str(kept.workflow_id))["session_id"] is None
    assert history.audience(str(kept.audience_id))["session_id"] is None


def test_receipts_are_kept(history: History, cut: Session) -> None:
    kept = history.keep(cut, "ann")
    receipt = {"destination": "file", "dry_run": True, "rows_sent": 9, "rows_dropped": {"x": 1}}
    history.keep_delivery(str(kept.audience_id), "ann", receipt)
    (row,) = history.deliveries(str(kept.audience_id))
    assert {name: row[name] for name in receipt} == receipt


def test_pages_go_on_where_the_last_one_ended(history: History) -> None:
    session = fresh()
    ids = []
    for _ in range(5):
        ids.append(history.keep(session, "ann").session_id)
        time.sleep(0.002)
    first = history.sessions("ann", limit=3)
    second = history.sessions("ann", limit=3, before=first[-1])
    assert [row["session_id"] for row in first + second] == ids[::-1]


def test_rows_of_one_moment_are_on_one_page_each(history: History) -> None:
    session = fresh()
    ids = {history.keep(session, "ann").session_id for _ in range(7)}
    with history.database.writing() as transaction:
        at = text("UPDATE sessions SET updated_at = '2026-11-23 10:00:00+00'")
        lite = text("UPDATE sessions SET updated_at = '2026-11-23 10:00:00.000000'")
        transaction.execute(lite if history.database.name == "sqlite" else at)
    seen: list[str] = []
    last = None
    while page := history.sessions("ann", limit=3, before=last):
        seen += [row["session_id"] for row in page]
        last = page[-1]
    assert len(seen) == 7 and set(seen) == ids


def test_no_row_or_identifier_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    history = History(path)
    session = Session(FRAME.set_index("email"))
    session.confirm(["age"])
    session.segment(n_segments=12)
    history.keep(session, "ann")
    history.close()
    written = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"@example.org" not in written and b"workflow_history" in written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_clean_room_keeps_no_exact_count(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [20 + i * 7 % 60 for i in range(1_501)]})
    frame["rampid"] = [f"XY{i:047d}" for i in range(1_501)]
    session = Session(frame)
    session.choose("clean_room")
    session.confirm(["age"])
    shown = session.segment(n_segments=10, min_share=0.05, max_share=0.2)
    history = History(tmp_path / "history.sqlite3")
    kept = history.keep(session, "ann")
    row = history.workflow(str(kept.workflow_id))
    assert row["total_records"] == shown.n_records
    assert [s["segment_size"] for s in row["segments"]] == [s.size for s in shown.segments]
    with history.database.reading() as transaction:
        kept_values = transaction.execute(
            text("SELECT possible_values, value_range FROM variable_metadata")
        ).all()
    assert [[v in (None, "null") for v in values] for values in kept_values] == [[True, True]]
    history.close()


def test_eight_writers_wait_for_each_other(history: History, cut: Session) -> None:
    failures: list[Exception] = []

    def write() -> None:
        try:
            known = None
            for _ in range(6):
                known = history.keep(cut, "ann", known=known)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(row["version"] for row in history.sessions("ann")) == [6] * 8


def test_other_databases_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="SQLite or PostgreSQL, not in mysql"):
        History("mysql://ann:s3same@db/shop")
    with pytest.raises(SourceFailed, match="cannot be opened") as raised:
        History("postgresql+psycopg://ann:s3same@127.0.0.1:1/shop")
    assert "s3same" not in str(raised.value)
    (tmp_path / "torn").write_text("no database at all, but long enough to be looked at" * 40)
    with pytest.raises(SourceFailed):
        History(tmp_path / "torn")


def test_tables_from_the_future_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    history = History(path)
    with history.database.writing() as transaction:
        transaction.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    history.close()
    with pytest.raises(SourceFailed, match="newer than this package"):
        History(path)


def test_kills_lose_nothing_that_was_acknowledged() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "history_crash.py")]
    done = subprocess.run(
        [*command, "--kills", "8", "--writers", "4"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'lost': 0, 'torn': 0, 'corrupt': 0" in done.stdout
