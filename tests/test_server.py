"""The REST interface over real HTTP: each answer is checked against the served document."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import numpy as np
import pandas as pd
import pytest
import served
from jsonschema import Draft202012Validator
from served import Answer, Server

from audience_nb.export import Audience
from audience_nb.history import History
from audience_nb.session import Session

OLD, NEW = "an old secret of thirty-two bytes", "a new secret of thirty-two bytes!"
KEYS = {
    "2026-10": {"algorithm": "HS256", "key": OLD},
    "2026-11": {"algorithm": "HS256", "key": NEW},
}
ROLES = ("viewer", "analyst", "exporter", "steward", "operator")


def people(n: int = 1500) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(n)],
            "age": chance.integers(18, 90, n),
            "spend": chance.gamma(2.0, 40.0, n).round(2),
            "visits": chance.poisson(4, n),
            "rampid": [f"XY{i:047d}" for i in range(n)],
        }
    )


@pytest.fixture(scope="module")
def csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "people.csv"
    people().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, csv: Path) -> Iterator[Server]:
    config = {
        "sources": {"people": {"frame": str(csv), "id": "customer_id"}, "demo": {}},
        "jwt_keys": KEYS,
        "debug_endpoints": True,
        "json_logs": True,
        "user_roles": {"owner": "steward", "client:fast": "steward"},
        "roles": {
            "room": {"operations": ["look", "search", "segment"], "data_types": ["clean_room"]},
            "ids": {
                "operations": ["look", "search"],
                "data_types": {"first_party": ["customer_id"]},
            },
        },
        "most_sessions": 40,
    }
    with served.running(tmp_path_factory.mktemp("server"), config) as running:
        yield running


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.ask("GET", "/audience-nb/api/openapi.json").json()
    return found


def checked(document: dict[str, Any], method: str, path: str, answer: Answer) -> Any:
    """Check an answer against the document, and give what it says."""
    bare = path.partition("?")[0]
    templates = sorted(document["paths"], key=lambda t: t.count("{"))
    template = next(t for t in templates if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", t), bare))
    said = document["paths"][template][method.lower()]["responses"][str(answer.status)]
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in said:
        assert answer.body == b""
        return None
    schema = said["content"][kind]["schema"]
    if kind != "application/json":
        return answer.body.decode()
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())
    return answer.json()


@pytest.fixture
def ask(server: Server, document: dict[str, Any]) -> Any:
    def ask(method: str, path: str, body: Any = None, status: int = 200, **options: Any) -> Any:
        answer = server.ask(method, path, body, **options)
        assert answer.status == status, answer.body
        return checked(document, method, path, answer)

    return ask


def bearer(name: str = "ann", role: str | None = "steward", **claims: Any) -> str:
    body = {"sub": name, "aud": "audience_nb", "exp": time.time() + 300, **claims}
    if role is not None:
        body["role"] = role
    return "Bearer " + jwt.encode(body, NEW, "HS256", headers={"kid": "2026-11"})


def built(ask: Any, token: str | None = None) -> tuple[str, str]:
    """Start a session and cut it: give its id and the audience's."""
    started = ask("POST", "/api/nl/start_session", {}, token=token)
    confirm = {
        "session_id": started["session_id"],
        "action": "confirm",
        "payload": {"confirmed_variables": ["age", "spend"]},
    }
    done = ask("POST", "/api/nl/process", confirm, token=token)
    return started["session_id"], done["audience_id"]


# -- the source document's endpoints -------------------------------------------------------------


def test_the_workflow_of_the_source_document(ask: Any, server: Server, tmp_path: Path) -> None:
    started = ask("POST", "/api/nl/start_session", {})
    assert (started["status"], started["message"]) == ("ready", "Session initialized")
    body: dict[str, Any] = {
        "session_id": started["session_id"],
        "action": "process",
        "payload": {
            "input": "people by age and what they spend",
            "data_type": "first_party",
            "subtype": "customer_id",
        },
    }
    found = ask("POST", "/api/nl/process", body)
    groups = found["suggested_variables"]
    assert set(groups) == {"psychographic", "demographic", "behavioral", "lifestyle"}
    assert found["total_suggested"] == sum(map(len, groups.values())) > 0
    assert (found["status"], found["data_type"]) == ("variables_suggested", "first_party")
    codes = {v["code"] for group in groups.values() for v in group}
    assert {"age", "spend"} <= codes

    body |= {"action": "confirm", "payload": {"confirmed_variables": ["age", "spend"]}}
    done = ask("POST", "/api/nl/process", body)
    sizes = [s["size"] for s in done["segments"]]
    assert done["status"] == "complete" and sum(sizes) == done["total_records"] == 1500
    # 5 to 10 %, which the source document's own example breaks.
    assert all(75 <= size <= 150 for size in sizes)
    assert sum(s["size_percentage"] for s in done["segments"]) == pytest.approx(100, abs=0.2)

    path = f"/api/export/{done['audience_id']}?format=csv"
    answer = server.ask("GET", path)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audience_export.csv"'
    (tmp_path / "audience.csv").write_bytes(answer.body)
    frame = Audience.read_csv(tmp_path / "audience.csv")
    assert len(frame) == 1500 and set(frame.index) == set(people()["customer_id"])
    for ending, kind in (
        ("parquet", "application/vnd.apache.parquet"),
        ("json", "application/json"),
    ):
        answer = server.ask("GET", path.replace("csv", ending))
        assert answer.headers["Content-Type"] == kind
        assert f'filename="audience_export.{ending}"' in answer.headers["Content-Disposition"]
        other = tmp_path / f"audience.{ending}"
        other.write_bytes(answer.body)
        pd.testing.assert_frame_equal(Audience.read(other), frame, check_dtype=False)
    # What was downloaded is thrown away.
    assert not [p for p in (server.home / "files").rglob("*") if p.is_file()]

    # Nothing leaves unless it is asked for twice.
    sent = ask("POST", "/api/distribute", {"audience_id": done["audience_id"]})
    assert sent["status"] == "simulated" and sent["results"][0]["dry_run"] is True
    both = {"audience_id": done["audience_id"], "platforms": ["file", "nowhere"], "confirm": True}
    sent = ask("POST", "/api/distribute", both)
    assert [r["status"] for r in sent["results"]] == ["sent", "failed"]
    assert sent["status"] == "partial"

    body |= {"action": "refine", "payload": {"input": "without age"}}
    assert ask("POST", "/api/nl/process", body)["status"] in ("variables_suggested", "complete")


def test_an_audience_stays_what_it_was_when_the_session_goes_on(
    ask: Any, server: Server, tmp_path: Path
) -> None:
    session_id, audience_id = built(ask)
    ask("POST", f"/audience-nb/api/sessions/{session_id}/pick", {"segments": [1]})
    ask("POST", f"/audience-nb/api/sessions/{session_id}/build", {"n_segments": 12})
    (tmp_path / "a.csv").write_bytes(server.ask("GET", f"/api/export/{audience_id}").body)
    assert len(Audience.read_csv(tmp_path / "a.csv")) == 1500


def test_a_request_is_told_what_it_lacks(ask: Any) -> None:
    session_id = ask("POST", "/api/nl/start_session", {})["session_id"]
    process = {"session_id": session_id, "action": "process", "payload": {}}
    said = ask("POST", "/api/nl/process", process, status=400)
    assert said["next_move"] == "Say who you are looking for."
    process["action"] = "guess"
    said = ask("POST", "/api/nl/process", process, status=400)
    assert "'process', 'confirm' or 'refine'" in said["error"]
    process |= {"action": "process", "payload": {"input": "renters", "data_type": "nth_party"}}
    said = ask("POST", "/api/nl/process", process, status=400)
    assert "'first_party', 'third_party' or 'clean_room'" in said["error"]
    process["payload"] = {"input": "people who spend", "subtype": "pigeon"}
    assert "no subtype 'pigeon'" in ask("POST", "/api/nl/process", process, status=400)["error"]
    ask("GET", "/api/export/no-such-thing", status=404)
    ask("GET", "/api/export/123e4567-e89b-42d3-a456-426614174000", status=404)
    ask("GET", "/api/export/123e4567-e89b-42d3-a456-426614174000?format=exe", status=400)


def test_health_tries_each_part(ask: Any, server: Server) -> None:
    said = ask("GET", "/api/health")
    assert said["status"] == "healthy"
    assert said["components"] == {
        "variable_selector": "ok",
        "clustering_engine": "ok",
        "data_retriever": "ok",
        "history": "ok",
    }
    assert ask("GET", "/health") == {"status": "healthy"}
    assert ask("GET", "/ready") == {"status": "ready"}


def test_debugging(ask: Any) -> None:
    said = ask("GET", "/debug/variables", token=bearer(role="operator"))
    assert said["total_variables"] == sum(said["by_type"].values()) == len(said["sample"])
    token = bearer("dora", role=None)
    ask("GET", "/debug/variables", token=token, status=403)
    mine = bearer("maker")
    session_id, _ = built(ask, mine)
    workflow_id = ask("GET", f"/audience-nb/api/sessions/{session_id}", token=mine)["workflow_id"]
    looked = ask("GET", f"/debug/clustering/{workflow_id}", token=bearer("maker", "operator"))
    assert sum(looked["cluster_sizes"].values()) == 1500
    assert looked["constraint_violations"] == [] and -1 <= looked["silhouette_score"] <= 1


# -- sessions and history ------------------------------------------------------------------------


def test_equal_verbs_give_equal_snapshots(ask: Any, csv: Path) -> None:
    verbs: list[tuple[str, dict[str, Any]]] = [
        ("ask", {"text": "what people spend"}),
        ("confirm", {"codes": ["age", "spend"]}),
        ("build", {"n_segments": 12}),
        ("pick", {"segments": [1, 3], "name": "Two"}),
        ("rename", {"segment": 1, "name": "First"}),
        ("undo", {}),
    ]
    started = ask("POST", "/audience-nb/api/sessions", {"source": "people"}, status=201)
    session = Session(str(csv), id="customer_id")
    for verb, arguments in verbs:
        path = f"/audience-nb/api/sessions/{started['session_id']}/{verb}"
        remote = ask("POST", path, arguments)["snapshot"]
        local = json.loads(json.dumps(session.perform(verb, arguments).to_dict()))
        for shown in (remote, local):
            # How far the index has learnt depends on the moment.
            shown.pop("index")
        assert remote == local, verb


def test_a_file_of_a_session_stays_in_its_folder(ask: Any, server: Server) -> None:
    session_id, _ = built(ask)
    path = f"/audience-nb/api/sessions/{session_id}"
    said = ask("POST", f"{path}/export", {"name": "../../../etc/renters"})
    assert said["snapshot"]["export"]["path"] == "exports/etcrenters.csv"
    assert str(server.home) not in json.dumps(said)
    written = list((server.home / "files").rglob("*renters*"))
    assert written == [server.home / "files" / session_id / "exports" / "etcrenters.csv"]
    ask("DELETE", path, status=204)
    ask("GET", path, status=404)
    assert not written[0].exists()


def test_a_past_workflow_is_run_again_from_its_row(ask: Any) -> None:
    session_id, _ = built(ask)
    before = ask("GET", f"/audience-nb/api/sessions/{session_id}")
    ask("DELETE", f"/audience-nb/api/sessions/{session_id}", status=204)
    listed = ask("GET", "/audience-nb/api/workflows?limit=1")
    assert listed["workflows"][0]["workflow_id"] == before["workflow_id"]
    ask("GET", f"/audience-nb/api/workflows?limit=1&before={listed['next'].replace('+', '%2B')}")
    row = ask("GET", f"/audience-nb/api/workflows/{before['workflow_id']}")
    assert [s["segment_number"] for s in row["segments"]] == list(
        range(1, 1 + len(row["segments"]))
    )
    path = f"/audience-nb/api/workflows/{before['workflow_id']}/run"
    again = ask("POST", path, {}, status=201)
    assert again["session_id"] != session_id
    assert again["snapshot"]["segmentation"] == before["snapshot"]["segmentation"]


def test_a_cut_that_fails_is_in_the_history(ask: Any) -> None:
    token = bearer("failing")
    session_id = ask("POST", "/audience-nb/api/sessions", {}, token=token, status=201)["session_id"]
    path = f"/audience-nb/api/sessions/{session_id}"
    ask("POST", f"{path}/confirm", {"codes": ["age"]}, token=token)
    rule = {"n_segments": 3, "min_share": 0.05, "max_share": 0.1}
    said = ask("POST", f"{path}/build", rule, token=token, status=422)
    (row,) = ask("GET", "/audience-nb/api/workflows", token=token)["workflows"]
    assert (row["status"], row["num_segments"]) == ("failed", 0)
    assert row["error_message"].startswith(said["error"])


def test_sessions_leave_memory_and_come_back(ask: Any) -> None:
    session_id, audience_id = built(ask)
    path = f"/audience-nb/api/sessions/{session_id}"
    before = ask("GET", path)
    for _ in range(41):
        ask("POST", "/api/nl/start_session", {})
    after = ask("GET", path)
    assert after["audience_id"] == before["audience_id"] == audience_id
    for name in ("segmentation", "selected", "audience", "query", "data_type"):
        assert after["snapshot"][name] == before["snapshot"][name]


def test_words_are_looked_up_and_code_is_given(ask: Any) -> None:
    session_id, _ = built(ask)
    path = f"/audience-nb/api/sessions/{session_id}"
    found = ask("POST", f"{path}/find", {"text": "spend", "limit": 2})["suggestions"]
    assert found[0]["code"] == "spend" and len(found) <= 2
    assert "session.segment(" in ask("GET", f"{path}/code")["code"]
    listed = ask("GET", "/audience-nb/api/sessions?limit=2")
    assert listed["sessions"][0]["session_id"] == session_id and listed["next"] is not None


# -- who may come in -----------------------------------------------------------------------------


def test_every_route_refuses_without_credentials(server: Server, document: dict[str, Any]) -> None:
    tried = 0
    for template, methods in document["paths"].items():
        path = re.sub(r"\{\w+\}", "123e4567-e89b-42d3-a456-426614174000", template)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for token in ("", "token wrong", "Bearer a.b.c", "Bearer wrong"):
                answer = server.ask(method, path, None if method == "GET" else {}, token=token)
                assert answer.status in (401, 403), (method, path, token, answer.status)
                if method.lower() in methods:
                    checked(document, method, path, answer)
                tried += 1
    assert tried == 20 * len(document["paths"]) >= 300
    for path in ("/audience-nb/api/other", "/api/nl/other", "/debug/other", "/metrics"):
        assert server.ask("GET", path, token="").status == 403


def test_alone_it_serves_no_files_and_no_kernels(server: Server) -> None:
    for path in ("/api/contents", "/api/kernels", "/api/kernelspecs", "/files/x", "/api/terminals"):
        assert server.ask("GET", path).status == 404, path


NEEDS = {
    "look": {"openapi", "health", "alive", "ready", "list_sessions", "get_session", "get_code",
             "list_workflows", "get_workflow"},
    "search": {"start_session", "process", "create_session", "end_session", "find", "perform"},
    "segment": {"run_again"},
    "export": {"export_audience"},
    "distribute": {"distribute"},
    "debug": {"debug_variables", "debug_clustering"},
}  # fmt: skip
MAY = {
    "viewer": {"look"},
    "analyst": {"look", "search", "segment"},
    "exporter": {"look", "search", "segment", "export"},
    "steward": {"look", "search", "segment", "export", "distribute"},
    "operator": {"look", "debug"},
}


def test_each_role_may_do_its_own_and_no_more(server: Server, document: dict[str, Any]) -> None:
    nowhere = "123e4567-e89b-42d3-a456-426614174000"
    bodies = {
        "process": {"session_id": nowhere, "action": "confirm"},
        "find": {"text": "age"},
        "distribute": {"audience_id": nowhere},
    }
    seen = 0
    for template, methods in document["paths"].items():
        path = re.sub(r"\{\w+\}", nowhere, template.replace("{verb}", "ask"))
        for method, operation in methods.items():
            name = operation["operationId"]
            (need,) = (n for n, names in NEEDS.items() if name in names)
            for role in ROLES:
                body = None if method == "get" else bodies.get(name, {})
                answer = server.ask(method.upper(), path, body, token=bearer("matrix", role))
                if need in MAY[role]:
                    assert answer.status not in (401, 403), (role, name)
                else:
                    assert answer.status == 403 and role in answer.json()["error"], (role, name)
                seen += 1
    assert seen == len(ROLES) * sum(len(names) for names in NEEDS.values())


@pytest.mark.parametrize(
    ("verb", "need"),
    [("ask", "search"), ("build", "segment"), ("export", "export"), ("pick", "segment"),
     ("allow_sensitive", "export"), ("say", "search"), ("undo", "search")],
)  # fmt: skip
def test_each_role_may_do_its_verbs(ask: Any, server: Server, verb: str, need: str) -> None:
    session_id = "123e4567-e89b-42d3-a456-426614174000"
    for role in ROLES:
        path = f"/audience-nb/api/sessions/{session_id}/{verb}"
        status = server.ask("POST", path, {"text": "x"}, token=bearer("verbs", role)).status
        assert status == (404 if need in MAY[role] else 403), (role, verb)


def test_a_message_leads_nowhere_the_role_may_not_go(ask: Any) -> None:
    mine = bearer("talker")
    session_id, audience_id = built(ask, mine)
    path = f"/audience-nb/api/sessions/{session_id}/say"
    analyst = bearer("talker", "analyst")
    shown = ask("POST", path, {"text": "export"}, token=analyst)["snapshot"]
    assert shown["export"] is None
    assert shown["messages"][-1]["text"] == "The role 'analyst' may not export."
    ask("GET", f"/api/export/{audience_id}", token=analyst, status=403)
    ask("GET", f"/api/export/{audience_id}", token=bearer("talker", "exporter"))


def test_a_role_keeps_to_its_data(ask: Any) -> None:
    room = bearer("insider", "room")
    started = ask("POST", "/audience-nb/api/sessions", {}, token=room, status=201)
    assert started["snapshot"]["data_type"] == "clean_room"
    path = f"/audience-nb/api/sessions/{started['session_id']}"
    said = ask("POST", f"{path}/choose", {"data_type": "first_party"}, token=room, status=403)
    assert "may not use first_party" in said["error"]
    assert ask("GET", path, token=room)["snapshot"]["data_type"] == "clean_room"
    ids = bearer("reader", "ids")
    path = ask("POST", "/audience-nb/api/sessions", {}, token=ids, status=201)["session_id"]
    choice = {"data_type": "first_party", "subtype": "rampid"}
    ask("POST", f"/audience-nb/api/sessions/{path}/choose", choice, token=ids, status=403)


def test_rows_never_leave_a_clean_room(ask: Any, server: Server) -> None:
    token = bearer("partner")
    started = ask("POST", "/audience-nb/api/sessions", {}, token=token, status=201)
    path = f"/audience-nb/api/sessions/{started['session_id']}"
    ask("POST", f"{path}/choose", {"data_type": "clean_room"}, token=token)
    ask("POST", f"{path}/confirm", {"codes": ["age", "spend"]}, token=token)
    done = ask("POST", f"{path}/build", {"n_segments": 10, "max_share": 0.2}, token=token)
    assert done["snapshot"]["segmentation"]["n_segments"] == 10
    said = ask("GET", f"/api/export/{done['audience_id']}", token=token, status=403)
    assert "does not allow to export rows" in said["error"]
    body = {"audience_id": done["audience_id"], "confirm": True}
    ask("POST", "/api/distribute", body, token=token, status=403)
    ask("POST", f"{path}/export", {}, token=token, status=403)
    everything = json.dumps(done) + json.dumps(ask("GET", path, token=token))
    assert not re.search(r"\bc\d{5}\b|XY0", everything)


def test_what_is_somebody_elses_is_not_there(ask: Any) -> None:
    session_id, audience_id = built(ask, bearer("ann"))
    bob = bearer("bob")
    ask("GET", f"/audience-nb/api/sessions/{session_id}", token=bob, status=404)
    ask("POST", f"/audience-nb/api/sessions/{session_id}/undo", {}, token=bob, status=404)
    ask("DELETE", f"/audience-nb/api/sessions/{session_id}", token=bob, status=404)
    ask("GET", f"/api/export/{audience_id}", token=bob, status=404)
    ask("POST", "/api/distribute", {"audience_id": audience_id}, token=bob, status=404)
    assert ask("GET", "/audience-nb/api/sessions", token=bearer("carl"))["sessions"] == []


def test_tokens_of_service_clients(ask: Any) -> None:
    def signed(secret: str, kid: str, algorithm: str = "HS256", **claims: Any) -> str:
        body = {"sub": "feed", "aud": "audience_nb", "exp": time.time() + 60, **claims}
        body = {name: value for name, value in body.items() if value is not None}
        return "Bearer " + jwt.encode(body, secret, algorithm, headers={"kid": kid})

    # Both keys hold while one is replaced by the other.
    for secret, kid in ((OLD, "2026-10"), (NEW, "2026-11")):
        ask("GET", "/audience-nb/api/sessions", token=signed(secret, kid))
    refused = [
        signed(NEW, "2026-11", exp=time.time() - 60),
        signed(NEW, "2026-11", exp=None),
        signed(NEW, "2026-11", aud="another"),
        signed(NEW, "2026-11", aud=None),
        signed(NEW, "2026-11", sub=None),
        signed(NEW, "2026-10"),
        signed(NEW, "2026-12"),
        signed(NEW * 2, "2026-11", "HS512"),
        "Bearer " + jwt.encode({"sub": "feed", "aud": "audience_nb"}, "", "none"),
    ]
    for token in refused:
        ask("GET", "/audience-nb/api/sessions", token=token, status=401)
    unknown = signed(NEW, "2026-11", role="king")
    ask("GET", "/audience-nb/api/sessions", token=unknown, status=403)
    # A client that is called as the owner is not the owner.
    ask("POST", "/api/nl/start_session", {}, token=signed(NEW, "2026-11", sub="owner"), status=403)


def test_a_browser_needs_the_xsrf_token(server: Server) -> None:
    answer = server.ask("GET", "/api/health")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert server.ask("GET", "/api/health", token="", headers={"Cookie": cookie}).status == 200
    post = server.ask("POST", "/api/nl/start_session", {}, token="", headers={"Cookie": cookie})
    assert post.status == 403 and set(post.json()) == {"error", "next_move", "log_id"}


# -- what must not happen ------------------------------------------------------------------------


def test_large_and_odd_bodies_are_refused(server: Server, document: dict[str, Any]) -> None:
    path = "/api/nl/process"
    big = b'{"x": "' + b"a" * 1_200_000 + b'"}'
    assert checked(document, "POST", path, server.ask("POST", path, big))["error"].startswith(
        "The body has over 1,000,000 bytes"
    )
    for body in (b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000):
        answer = server.ask("POST", path, body)
        assert answer.status == 400, body[:10]
        checked(document, "POST", path, answer)
    plain = server.ask("POST", path, b"x=1", headers={"Content-Type": "text/plain"})
    assert plain.status == 415
    # In pieces of unknown length it is cut off as well.
    host = server.base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    pieces = (b"a" * 50_000 for _ in range(40))
    try:
        connection.request(
            "POST", path, pieces, {"Authorization": f"token {server.token}"}, encode_chunked=True
        )
        assert connection.getresponse().status == 413
    finally:
        connection.close()
    # Of what is far too large nothing is heard out.
    connection = http.client.HTTPConnection(host, timeout=20)
    headers = {"Authorization": f"token {server.token}", "Content-Length": "900000000"}
    connection.putrequest("POST", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    assert server.ask("GET", "/health").status == 200


def test_an_error_has_no_trace_and_is_in_the_log(server: Server) -> None:
    said = server.ask("POST", "/audience-nb/api/sessions/x/ask", {"text": "secret words"}).json()
    assert set(said) == {"error", "next_move", "log_id"} and "Traceback" not in str(said)
    line = server.logged(log_id=said["log_id"])
    assert (line["operation"], line["status"], line["error"]) == ("perform", 404, "NotFound")


def test_the_log_has_no_names_and_no_words(server: Server, ask: Any) -> None:
    token = bearer("walter.schmidt@example.org")
    session_id, _ = built(ask, token)
    words = {"text": "families in Kitchener"}
    path = f"/audience-nb/api/sessions/{session_id}/ask"
    said = server.ask("POST", path, words, token=token)
    assert said.status == 200
    asked = server.logged(log_id=said.headers["X-Log-Id"])
    assert re.fullmatch("[0-9a-f]{12}", asked["who"]) and asked["role"] == "steward"
    log = server.log
    assert "walter" not in log and "Kitchener" not in log and server.token not in log


def test_clustering_blocks_nothing(ask: Any, server: Server) -> None:
    cuts = [ask("POST", "/audience-nb/api/sessions", {"source": "demo"}, status=201) for _ in "ab"]
    mine = ask("POST", "/audience-nb/api/sessions", {}, status=201)["session_id"]
    paths = [f"/audience-nb/api/sessions/{one['session_id']}" for one in cuts]
    for path in paths:
        ask("POST", f"{path}/ask", {"text": "young renters in cities"})
    rounds = 0
    with ThreadPoolExecutor(2) as threads:
        work = [threads.submit(ask, "POST", f"{path}/build", {}) for path in paths]
        while not all(w.done() for w in work):
            assert server.ask("GET", "/api/health").status == 200
            assert server.ask("GET", "/ready").status == 200
            find = f"/audience-nb/api/sessions/{mine}/find"
            assert server.ask("POST", find, {"text": "age"}).status == 200
            rounds += 1
    assert all(w.result()["snapshot"]["segmentation"] for w in work)
    # Others were answered again and again while both were cut.
    assert rounds >= 2


def test_metrics_have_the_names_of_the_source_document(ask: Any, server: Server) -> None:
    _, audience_id = built(ask)
    ask("GET", f"/api/export/{audience_id}")
    text = server.ask("GET", "/metrics").body.decode()
    for name in (
        'api_requests_total{method="POST",operation="process",status="200"}',
        "variable_selection_duration_count",
        "clustering_duration_bucket",
        "export_size_bytes_sum",
        'api_request_duration_seconds_bucket{le="0.25",operation="process"}',
        "audience_open_sessions",
        'audience_waiting_work{pool="quick"}',
    ):
        found = re.search(rf"^{re.escape(name)}\S* (\S+)$", text, re.MULTILINE)
        assert found, name
    assert float(re.search(r"^clustering_duration_count (\S+)", text, re.MULTILINE)[1]) >= 1


# -- several servers, ends and limits ------------------------------------------------------------


def test_kills_ends_and_limits(tmp_path: Path, csv: Path) -> None:
    config = {
        "sources": {"people": {"frame": str(csv), "id": "customer_id"}},
        "session_timeout": 0.8,
        "open_probes": True,
        "rate_limit": "40/minute",
        "jwt_keys": KEYS,
    }
    with served.running(tmp_path / "one", config) as first:
        assert first.ask("GET", "/health", token="").json() == {"status": "healthy"}
        assert first.ask("GET", "/api/health", token="").status == 403
        session_id = first.ask("POST", "/audience-nb/api/sessions", {}).json()["session_id"]
        path = f"/audience-nb/api/sessions/{session_id}"
        done = first.ask("POST", f"{path}/confirm", {"codes": ["age"]}).json()
        done = first.ask("POST", f"{path}/build", {"n_segments": 12}).json()
        end = time.monotonic() + 30
        # It leaves memory, and comes back.
        while "audience_open_sessions 0.0" not in first.ask("GET", "/metrics").body.decode():
            assert time.monotonic() < end, first.log
            time.sleep(0.1)
        back = first.ask("GET", path).json()
        assert back["snapshot"]["segmentation"] == done["snapshot"]["segmentation"]

        second_config = {**config, "history_url": str(tmp_path / "one" / "history.sqlite3")}
        with served.running(tmp_path / "two", second_config) as second:
            # What one server acknowledged the other goes on with, and the other way round.
            picked = second.ask("POST", f"{path}/pick", {"segments": [2]}).json()
            assert first.ask("GET", path).json()["version"] == picked["version"] == 4
            first.process.kill()
            first.process.wait()
            after = second.ask("GET", path).json()
            assert after["snapshot"]["audience"]["segments"] == [2]

            token = bearer("hasty")
            statuses = [second.ask("GET", "/api/health", token=token).status for _ in range(45)]
            assert statuses == [200] * 40 + [429] * 5
            last = second.ask("GET", "/api/health", token=token)
            assert 1 <= int(last.headers["Retry-After"]) <= 60
            assert second.ask("GET", "/api/health", token=bearer("calm")).status == 200

            # A stop finishes what is under way.
            answers: list[Answer] = []
            slow = threading.Thread(
                target=lambda: answers.append(second.ask("POST", f"{path}/build", {}))
            )
            slow.start()
            under_way = 'audience_waiting_work{pool="heavy"} 1.0'
            while slow.is_alive():
                if under_way in second.ask("GET", "/metrics").body.decode():
                    break
                time.sleep(0.01)
            second.process.terminate()
            slow.join(30)
            assert second.process.wait(30) == 0
            assert [a.status for a in answers] == [200], second.log
    history = History(tmp_path / "one" / "history.sqlite3")
    assert history.version(session_id) == answers[0].json()["version"] == 5
    history.close()


def test_the_interface_lives_in_jupyter_server_too(tmp_path: Path, csv: Path) -> None:
    config = {"sources": {"people": {"frame": str(csv), "id": "customer_id"}}}
    with served.running(tmp_path, config, lab=True) as server:
        assert server.ask("GET", "/audience-nb/api/sessions").json()["sessions"] == []
        assert server.ask("GET", "/api/contents").status == 200
        for path in ("/api/health", "/audience-nb/api/sessions", "/health", "/ready"):
            assert server.ask("GET", path, token="").status == 403
        assert server.ask("GET", "/debug/variables").status == 404
        assert (
            "/debug/variables"
            not in server.ask("GET", "/audience-nb/api/openapi.json").json()["paths"]
        )


def test_the_widget_does_not_know_the_server() -> None:
    code = (
        "import sys, audience_nb; audience_nb.AudienceBuilder; "
        "print([m for m in sys.modules if m.partition('.')[0] in ('alembic', 'limits')"
        " or m.startswith(('audience_nb.server', 'audience_nb.history'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
