"""Generated requests against the served document: no failure, every answer as it says."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pandas as pd
import pytest
import schemathesis
import served
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi import checks
from served import Server

load_all_checks()
EXAMPLES = int(os.environ.get("AUDIENCE_NB_SCHEMA_EXAMPLES", "6"))
VERBS = ["ask", "refine", "say", "confirm", "build", "pick", "undo", "choose", "export", "x"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("schema")
    frame = pd.DataFrame({"id": [f"c{i}" for i in range(300)], "age": [i % 60 for i in range(300)]})
    frame.to_csv(home / "people.csv", index=False)
    config = {
        "sources": {"people": {"frame": str(home / "people.csv"), "id": "id"}},
        "debug_endpoints": True,
        "user_roles": {"owner": "all"},
        "roles": {
            "all": {"operations": ["look", "search", "segment", "export", "distribute", "debug"]}
        },
        "most_sessions": 20,
    }
    if request.param == "postgresql":
        config["history_url"] = request.getfixturevalue("own_postgres")
    with served.running(home, config) as running:
        yield running


@pytest.fixture
def document(server: Server) -> schemathesis.BaseSchema:
    made = schemathesis.openapi.from_dict(server.ask("GET", "/audience-nb/api/openapi.json").json())
    made.config.base_url = server.base
    return made


@pytest.fixture
def session_id(server: Server) -> str:
    started = server.ask("POST", "/audience-nb/api/sessions", {}).json()["session_id"]
    path = f"/audience-nb/api/sessions/{started}"
    server.ask("POST", f"{path}/confirm", {"codes": ["age"]})
    server.ask("POST", f"{path}/build", {"n_segments": 12})
    return str(started)


def test_generated_requests(
    document: schemathesis.BaseSchema, server: Server, session_id: str
) -> None:
    tried = 0
    for found in document.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), there=st.booleans(), verb=st.sampled_from(VERBS))
        def request(case: schemathesis.Case, there: bool, verb: str) -> None:
            nonlocal tried
            # Half of the ids lead to what is there, so that more than "not found" is tried.
            if there and "session_id" in case.path_parameters and case.method != "DELETE":
                case.path_parameters["session_id"] = session_id
            if "verb" in case.path_parameters:
                case.path_parameters["verb"] = verb
            case.call_and_validate(
                headers={"Authorization": f"token {server.token}"},
                checks=[
                    schemathesis.checks.not_a_server_error,
                    checks.status_code_conformance,
                    checks.content_type_conformance,
                    checks.response_schema_conformance,
                ],
            )
            tried += 1

        request()
    print(f"{tried:,} cases")
    assert tried >= EXAMPLES * 10
