"""How the server runs: stops, failing parts, logs, spans, failures, roles on paper, odd input."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import numpy as np
import pandas as pd
import pytest
import served
from served import Answer, Server

from audience_nb.errors import InvalidInput
from audience_nb.history import History
from audience_nb.server.commands import matrix
from audience_nb.server.reports import Reports
from audience_nb.server.roles import ROLES
from audience_nb.server.sessions import SESSIONS
from audience_nb.server.workflow import WORKFLOW
from audience_nb.snapshot import VERBS

SECRET = "a secret of the tests, thirty-two bytes long"
KEYS = {"1": {"algorithm": "HS256", "key": SECRET}}


def bearer(name: str, role: str = "steward") -> str:
    claims = {"sub": name, "aud": "audience_nb", "exp": time.time() + 600, "role": role}
    return "Bearer " + jwt.encode(claims, SECRET, "HS256", headers={"kid": "1"})


def table(path: Path, n: int) -> str:
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"customer_id": [f"c{i:06d}" for i in range(n)]})
    frame["age"] = chance.integers(18, 90, n)
    frame["spend"] = chance.gamma(2.0, 40.0, n).round(2)
    frame["visits"] = chance.poisson(4, n)
    frame.to_csv(path, index=False)
    return str(path)


def until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for what comes sooner or later, on a busy machine later."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def metric(server: Server, name: str) -> float:
    text = server.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


# -- stopping ------------------------------------------------------------------------------------


def test_a_stop_hands_back_what_lasts_too_long(tmp_path: Path) -> None:
    config = {
        "sources": {"people": {"frame": table(tmp_path / "p.csv", 60_000), "id": "customer_id"}},
        "grace": 0.3,
    }
    with served.running(tmp_path / "home", config) as server:
        session_id = server.ask("POST", "/audience-nb/api/sessions", {}).json()["session_id"]
        path = f"/audience-nb/api/sessions/{session_id}"
        codes = {"codes": ["age", "spend", "visits"]}
        version = server.ask("POST", f"{path}/confirm", codes).json()["version"]
        host = server.base.removeprefix("http://")
        token = {"Authorization": f"token {server.token}"}
        kept_open = http.client.HTTPConnection(host, timeout=60)
        kept_open.request("GET", "/ready", headers=token)
        assert kept_open.getresponse().read() == b'{"status": "ready"}'
        answers: list[Answer] = []
        slow = threading.Thread(
            target=lambda: answers.append(server.ask("POST", f"{path}/build", {}))
        )
        slow.start()
        until(lambda: metric(server, 'audience_waiting_work{pool="heavy"}') == 1, server.log)
        server.process.terminate()
        slow.join(60)
        assert server.process.wait(60) == 0
        (answer,) = answers
        assert answer.status == 503 and answer.headers["Retry-After"] == "5", server.log
        assert "nothing of it was kept" in answer.json()["error"]
        assert "1 requests were handed back" in server.log
    history = History(tmp_path / "home" / "history.sqlite3")
    assert history.version(session_id) == version and history.workflows("owner") == []
    history.close()


def test_while_it_stops_it_takes_nothing_in(tmp_path: Path) -> None:
    config = {
        "sources": {"people": {"frame": table(tmp_path / "p.csv", 60_000), "id": "customer_id"}},
        "grace": 60.0,
    }
    with served.running(tmp_path / "home", config) as server:
        session_id = server.ask("POST", "/audience-nb/api/sessions", {}).json()["session_id"]
        path = f"/audience-nb/api/sessions/{session_id}"
        server.ask("POST", f"{path}/confirm", {"codes": ["age", "spend", "visits"]})
        token = {"Authorization": f"token {server.token}"}
        open_lines = [http.client.HTTPConnection(server.base[7:], timeout=60) for _ in range(2)]
        for line in open_lines:
            line.request("GET", "/ready", headers=token)
            assert line.getresponse().read() == b'{"status": "ready"}'
        answers: list[Answer] = []
        slow = threading.Thread(
            target=lambda: answers.append(server.ask("POST", f"{path}/build", {}))
        )
        slow.start()
        until(lambda: metric(server, 'audience_waiting_work{pool="heavy"}') == 1, server.log)
        server.process.terminate()
        until(lambda: "Shutting down" in server.log, server.log)
        time.sleep(0.1)
        said = []
        for line, where in zip(open_lines, ("/ready", "/audience-nb/api/sessions"), strict=True):
            line.request("GET", where, headers=token)
            answer = line.getresponse()
            said.append((answer.status, json.loads(answer.read())))
        assert said[0] == (503, {"status": "stopping"})
        assert said[1][0] == 503 and said[1][1]["error"] == "The server is stopping."
        slow.join(90)
        assert answers[0].status == 200 and server.process.wait(60) == 0
        kept = answers[0].json()["version"]
    history = History(tmp_path / "home" / "history.sqlite3")
    assert history.version(session_id) == kept
    history.close()


# -- health --------------------------------------------------------------------------------------


def test_a_part_that_fails_makes_health_degraded_and_comes_back(tmp_path: Path) -> None:
    records = Path(table(tmp_path / "p.csv", 400))
    config = {"sources": {"people": {"frame": str(records), "id": "customer_id"}}}
    with served.running(tmp_path / "home", config) as server:
        assert server.ask("GET", "/api/health").json()["status"] == "healthy"
        records.rename(tmp_path / "gone")

        def parts() -> dict[str, Any]:
            found: dict[str, Any] = server.ask("GET", "/api/health").json()
            return found

        until(lambda: parts()["status"] == "degraded", server.log)
        assert parts()["components"] == {
            "variable_selector": "ok",
            "clustering_engine": "ok",
            "data_retriever": "failed",
            "history": "ok",
        }
        ready = server.ask("GET", "/ready")
        assert (ready.status, ready.json()) == (503, {"status": "degraded"})
        # The process lives: Kubernetes need not kill it.
        assert server.ask("GET", "/health").status == 200
        (tmp_path / "gone").rename(records)
        until(lambda: parts()["status"] == "healthy", server.log)
        assert server.ask("GET", "/ready").status == 200


# -- logs, spans, failures -----------------------------------------------------------------------


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Hear what is posted, as a collector of spans or failures does."""
    heard: list[tuple[str, bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            heard.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()


def test_spans_and_failures_are_told_and_say_nothing_about_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with listening() as (place, heard):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{place}")
        config = {
            "sources": {"people": {"frame": table(tmp_path / "p.csv", 400), "id": "customer_id"}},
            "destinations": {"file": "no mapping"},
            "jwt_keys": KEYS,
            "send_spans": True,
            "sentry_dsn": f"http://abc@{place}/1",
        }
        with served.running(tmp_path / "home", config) as server:
            token = bearer("walter.schmidt@example.org")
            trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            path = "/audience-nb/api/sessions"
            session_id = server.ask("POST", path, {}, token=token).json()["session_id"]
            path += f"/{session_id}"
            traced = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
            words = {"text": "spenders in Kitchener"}
            server.ask("POST", f"{path}/ask", words, token=token, headers=traced)
            server.ask("POST", f"{path}/confirm", {"codes": ["age", "spend"]}, token=token)
            made = server.ask("POST", f"{path}/build", {"n_segments": 12}, token=token).json()
            # The destination's settings are wrong: nobody raised that on purpose.
            body = {"audience_id": made["audience_id"]}
            failed = server.ask("POST", "/api/distribute", body, token=token)
            assert failed.status == 500 and set(failed.json()) == {"error", "next_move", "log_id"}
            log_id = failed.json()["log_id"]
            until(lambda: any("envelope" in p for p, _ in heard), server.log)
        spans = [
            span
            for where, body in heard
            if where == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        (performed,) = (s for s in spans if s.trace_id.hex() == trace)
        told = {a.key: a.value.string_value or a.value.int_value for a in performed.attributes}
        assert performed.name == "POST perform" and performed.parent_span_id.hex()[:4] == "00f0"
        assert told["http.response.status_code"] == 200 and told["http.request.method"] == "POST"
        assert performed.end_time_unix_nano > performed.start_time_unix_nano
        (envelope,) = (body for where, body in heard if where == "/api/1/envelope/")
        event = json.loads(envelope.splitlines()[2])
        assert event["tags"] == {"log_id": log_id}
        (raised,) = event["exception"]["values"][-1:]
        assert (raised["type"], raised["value"]) == ("TypeError", "")
        assert all("vars" not in frame for frame in raised["stacktrace"]["frames"])
        everything = b"".join(body for _, body in heard)
        for word in (b"walter", b"Kitchener", b"c000001", server.token.encode()):
            assert word not in everything, word


def test_an_address_that_is_none_of_sentrys_is_refused() -> None:
    with pytest.raises(InvalidInput, match="address of Sentry"):
        Reports(sentry_dsn="nonsense")


def test_each_line_is_json_and_each_access_can_be_laid_at_a_door(tmp_path: Path) -> None:
    config = {
        "sources": {"people": {"frame": table(tmp_path / "p.csv", 400), "id": "customer_id"}},
        "jwt_keys": KEYS,
        "json_logs": True,
    }
    with served.running(tmp_path, config) as server:
        token = bearer("walter.schmidt@example.org")
        path = "/audience-nb/api/sessions"
        session_id = server.ask("POST", path, {}, token=token).json()["session_id"]
        asked = server.ask("POST", f"{path}/{session_id}/ask", {"text": "old"}, token=token)
        line = server.logged(log_id=asked.headers["X-Log-Id"])
        assert (line["operation"], line["verb"], line["target"]) == ("perform", "ask", session_id)
        absent = server.ask("POST", f"{path}/{session_id}/walter", {}, token=token)
        assert absent.status == 400
        assert server.logged(log_id=absent.headers["X-Log-Id"])["verb"] == "unknown"
        server.ask("GET", "/audience-nb/api/sessions/walter", token=token)
        nobody = server.ask("GET", "/api/health", token="")
        refused = server.logged(log_id=nobody.headers["X-Log-Id"])
        assert (refused["status"], refused["who"], refused["operation"]) == (403, None, "health")
        # Whoever holds the history finds out whom a line means; after a restart too.
        command = [sys.executable, "-m", "audience_nb.server", "who"]
        command.append("client:walter.schmidt@example.org")
        found = subprocess.run(
            command,
            env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.split()[0] == line["who"] != refused["who"]
    log = server.log
    assert "walter" not in log and "127.0.0.1 " not in log and server.token not in log
    for text in log.splitlines():
        assert json.loads(text)["level"] in ("debug", "info", "warning", "error", "critical"), text


def test_accesses_are_logged_without_being_asked_to(tmp_path: Path) -> None:
    with served.running(tmp_path, {}) as server:
        log_id = server.ask("GET", "/audience-nb/api/sessions").headers["X-Log-Id"]
        line = server.logged(log_id=log_id)
        assert (line["operation"], line["role"], line["status"]) == (
            "list_sessions",
            "steward",
            200,
        )


# -- roles on paper ------------------------------------------------------------------------------


def test_the_roles_that_are_printed_are_those_that_hold(tmp_path: Path) -> None:
    config = {
        "sources": {"people": {"frame": table(tmp_path / "p.csv", 400), "id": "customer_id"}},
        "jwt_keys": KEYS,
        "roles": {"room": {"operations": ["look"], "data_types": {"clean_room": ["rampid"]}}},
        "debug_endpoints": True,
    }
    with served.running(tmp_path, config) as server:
        printed = subprocess.run(
            [sys.executable, "-m", "audience_nb.server", "roles"],
            env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        head, *lines = printed.splitlines()
        names = head.split()
        assert names == [*ROLES, "room"]
        assert "room uses: clean_room by rampid" in lines
        nowhere = "123e4567-e89b-42d3-a456-426614174000"
        asked = 0
        for line in lines[: lines.index("")]:
            *what, _ = found = line.split()
            marks = found[-len(names) :]
            method, path = ("POST", f"/audience-nb/api/sessions/{nowhere}/{what[1]}")
            if what[0] != "verb":
                method, path = what[0], re.sub(r"\{\w+\}", nowhere, what[1])
            for name, mark in zip(names, marks, strict=True):
                status = server.ask(
                    method, path, None if method == "GET" else {}, token=bearer("paper", name)
                ).status
                assert (status == 403) == (mark == "-"), (line, name, status)
                asked += 1
        assert asked == len(names) * (len(WORKFLOW) + len(SESSIONS) + 1 + len(VERBS))


def test_a_role_that_is_configured_is_in_the_matrix() -> None:
    text = matrix(SESSIONS, ROLES)
    assert all(operation.path in text for operation in SESSIONS)
    assert all(f"verb {verb} " in text for verb in VERBS)


def test_what_was_made_with_other_data_is_not_shown_to_a_role_that_may_not_use_it(
    tmp_path: Path,
) -> None:
    config = {
        "sources": {"people": {"frame": table(tmp_path / "p.csv", 400), "id": "customer_id"}},
        "jwt_keys": KEYS,
        "roles": {"room": {"operations": ["look", "search"], "data_types": ["clean_room"]}},
    }
    with served.running(tmp_path, config) as server:
        token, less = bearer("ann"), bearer("ann", "room")
        path = "/audience-nb/api/sessions"
        path += "/" + server.ask("POST", path, {}, token=token).json()["session_id"]
        server.ask("POST", f"{path}/confirm", {"codes": ["age"]}, token=token)
        made = server.ask("POST", f"{path}/build", {"n_segments": 12}, token=token).json()
        workflow = f"/audience-nb/api/workflows/{made['workflow_id']}"
        for place in (path, f"{path}/code", workflow):
            assert server.ask("GET", place, token=token).status == 200, place
            assert server.ask("GET", place, token=less).status == 403, place
        assert server.ask("POST", f"{path}/find", {"text": "age"}, token=less).status == 403


# -- odd input -----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def odd(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server on each kind of history."""
    folder = tmp_path_factory.mktemp("odd")
    config = {
        "sources": {"people": {"frame": table(folder / "p.csv", 400), "id": "customer_id"}},
        "jwt_keys": KEYS,
    }
    if request.param == "postgresql":
        config["history_url"] = request.getfixturevalue("own_postgres")
    with served.running(folder / "home", config) as running:
        yield running


def test_odd_words_are_kept_or_refused_but_never_break_the_history(odd: Server) -> None:
    token = bearer("odd")
    path = "/audience-nb/api/sessions"
    path += "/" + odd.ask("POST", path, {}, token=token).json()["session_id"]
    odd.ask("POST", f"{path}/confirm", {"codes": ["age", "spend"]}, token=token)
    assert odd.ask("POST", f"{path}/build", {"n_segments": 12}, token=token).status == 200
    texts = {
        "\x00": 400,
        "renters\x00 and owners": 400,
        "😀 people who spend": 200,
        "'; DROP TABLE sessions; --": 200,
        "‮desrever": 200,
        "￿￾": 200,
        "é" * 400: 200,
    }
    for text, status in texts.items():
        for verb, name in (("rename", "name"), ("pick", "name"), ("say", "text")):
            more = {"rename": {"segment": 1}, "pick": {"segments": [1]}, "say": {}}[verb]
            answer = odd.ask("POST", f"{path}/{verb}", {**more, name: text}, token=token)
            assert answer.status in ({400} if status == 400 else {200, 400, 409}), (verb, text)
    body = b'{"text": "\\ud800 lone"}'
    assert odd.ask("POST", f"{path}/say", body, token=token).status == 400
    for body in (b'{"n_segments": 1e999}', b'{"n_segments": NaN}', b'{"n_segments": -1}'):
        assert odd.ask("POST", f"{path}/build", body, token=token).status == 400, body
    body = b'{"n_segments": 99999999999999999999999999}'
    assert odd.ask("POST", f"{path}/build", body, token=token).status in (400, 422)
    assert odd.ask("GET", path, token=token).status == 200


@pytest.mark.parametrize("name", ["", "a" * 300, "ann\x00", "ann\nGET /", "\u202eann"])
def test_names_that_cannot_be_kept_are_not_let_in(odd: Server, name: str) -> None:
    answer = odd.ask("POST", "/api/nl/start_session", {}, token=bearer(name))
    assert answer.status == 401 and "not accepted" in answer.json()["error"]


def test_pages_skip_nothing_whoever_writes_meanwhile(odd: Server) -> None:
    token = bearer("pages")
    path = "/audience-nb/api/sessions"
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: odd.ask("POST", path, {}, token=token), range(9)))
    ids = {answer.json()["session_id"] for answer in made}
    seen: list[str] = []
    where = f"{path}?limit=4"
    for expected in (4, 4, 1):
        page = odd.ask("GET", where, token=token).json()
        assert len(page["sessions"]) == expected
        seen += [one["session_id"] for one in page["sessions"]]
        where = f"{path}?limit=4&before={page['next']}"
    assert page["next"] is None and len(seen) == 9 and set(seen) == ids
    for wrong in ("x", "2026-11-23", "2026-11-23T10:00:00.000000Z_x", "_", "%00"):
        assert odd.ask("GET", f"{path}?before={wrong}", token=token).status == 400, wrong
    early = "0001-01-01T00:00:00.000000Z_123e4567-e89b-42d3-a456-426614174000"
    assert odd.ask("GET", f"{path}?before={early}", token=token).json()["sessions"] == []


def test_what_left_is_on_record_however_it_was_asked_for(odd: Server) -> None:
    token = bearer("leaver")
    path = "/audience-nb/api/sessions"
    path += "/" + odd.ask("POST", path, {}, token=token).json()["session_id"]
    odd.ask("POST", f"{path}/confirm", {"codes": ["age", "spend"]}, token=token)
    made = odd.ask("POST", f"{path}/build", {"n_segments": 12}, token=token).json()
    assert odd.ask("POST", f"{path}/say", {"text": "export"}, token=token).status == 200
    assert odd.ask("POST", f"{path}/export", {}, token=token).status == 200
    download = f"/api/export/{made['audience_id']}"
    assert odd.ask("GET", download, token=token).status == 200
    body = {"audience_id": made["audience_id"]}
    assert odd.ask("POST", "/api/distribute", body, token=token).status == 200
    # The session goes on: the audience is replayed from its row, and receipts are its own.
    odd.ask("POST", f"{path}/pick", {"segments": [1]}, token=token)
    assert odd.ask("GET", download, token=token).status == 200
    settings = json.loads((odd.home / "config" / "jupyter_audience_nb_config.json").read_text())
    history = History(settings["AudienceApp"]["history_url"])
    receipts = history.deliveries(made["audience_id"])
    history.close()
    told = [(r["destination"], r["dry_run"], r["user_id"]) for r in receipts]
    mine = "client:leaver"
    assert told == [
        ("export", False, mine),
        ("export", False, mine),
        ("export", False, mine),
        ("file", True, mine),
        ("export", False, mine),
    ]
    assert [r["rows_sent"] for r in receipts[:3]] == [400] * 3


def test_a_browser_that_has_the_xsrf_token_may_write(odd: Server) -> None:
    page = odd.ask("GET", "/login", token="")
    xsrf = page.headers["Set-Cookie"].partition(";")[0]
    form = {"Cookie": xsrf, "Content-Type": "application/x-www-form-urlencoded"}
    token = xsrf.partition("=")[2]
    body = f"password={odd.token}&_xsrf={token.replace('|', '%7C')}".encode()
    line = http.client.HTTPConnection(odd.base.removeprefix("http://"), timeout=60)
    line.request("POST", "/login", body, form)
    known = line.getresponse()
    assert known.status == 302
    name = known.headers["Set-Cookie"].partition(";")[0]
    # Pages written for this name read the token from their cookie and send it back.
    again = odd.ask("GET", "/login", token="", headers={"Cookie": name})
    fresh = [c.partition(";")[0] for c in again.all("Set-Cookie") if c.startswith("_xsrf=")]
    xsrf = fresh[0] if fresh else xsrf
    browser = {"Cookie": f"{name}; {xsrf}"}
    start = "/api/nl/start_session"
    assert odd.ask("POST", start, {}, token="", headers=browser).status == 403
    wrong = {**browser, "X-XSRFToken": "2|0|0|0"}
    assert odd.ask("POST", start, {}, token="", headers=wrong).status == 403
    right = {**browser, "X-XSRFToken": xsrf.partition("=")[2]}
    said = odd.ask("POST", start, {}, token="", headers=right)
    assert said.status == 200 and said.json()["status"] == "ready"
