"""The container and the manifests: what they promise is what the server does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from traitlets.config import Config

from audience_nb.server.app import AudienceApp
from audience_nb.server.workflow import WORKFLOW

DOCKER = Path(__file__).parents[1] / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()


def _record(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


# The parts of the Kubernetes API (apps/v1, core/v1) that the manifests use, with its own rules:
# names (RFC 1123), quantities, and no field that it does not know.
NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"}
QUANTITY = {"type": "string", "pattern": r"^\d+(\.\d+)?(m|[KMGT]i?)?$"}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
COUNT = {"type": "integer", "minimum": 0}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
LABELS = {"type": "object", "additionalProperties": TEXT}
METADATA = _record([], name=NAME, labels=LABELS)
AMOUNTS = _record([], memory=QUANTITY, cpu=QUANTITY)
PROBE = _record(
    ["httpGet"],
    httpGet=_record(["path", "port"], path={"type": "string", "pattern": "^/"}, port=PORT),
    initialDelaySeconds=COUNT,
    periodSeconds={"type": "integer", "minimum": 1},
)
KEY = _record(["name", "key"], name=NAME, key=TEXT, optional={"type": "boolean"})
SECRET_ITEM = _record(["key", "path"], key=TEXT, path={"type": "string", "pattern": "^[^/]"})
CONTAINER = _record(
    ["name", "image"],
    name=NAME,
    image=TEXT,
    ports={"type": "array", "items": _record(["containerPort"], containerPort=PORT)},
    env={
        "type": "array",
        "items": _record(
            ["name"], name=TEXT, value=TEXT, valueFrom=_record(["secretKeyRef"], secretKeyRef=KEY)
        ),
    },
    resources=_record([], requests=AMOUNTS, limits=AMOUNTS),
    livenessProbe=PROBE,
    readinessProbe=PROBE,
    lifecycle=_record([], preStop=_record(["exec"], exec=_record(["command"], command=TEXTS))),
    securityContext=_record(
        [],
        allowPrivilegeEscalation={"type": "boolean"},
        capabilities=_record([], drop={"type": "array", "items": TEXT}),
    ),
    volumeMounts={
        "type": "array",
        "items": _record(
            ["name", "mountPath"], name=NAME, mountPath=TEXT, readOnly={"type": "boolean"}
        ),
    },
)
POD = _record(
    ["containers"],
    automountServiceAccountToken={"type": "boolean"},
    terminationGracePeriodSeconds=COUNT,
    securityContext=_record(
        [],
        runAsNonRoot={"type": "boolean"},
        runAsUser=COUNT,
        fsGroup=COUNT,
        seccompProfile=_record(["type"], type={"enum": ["RuntimeDefault", "Localhost"]}),
    ),
    containers={"type": "array", "items": CONTAINER, "minItems": 1},
    volumes={
        "type": "array",
        "items": _record(
            ["name", "secret"],
            name=NAME,
            secret=_record(
                ["secretName"], secretName=NAME, items={"type": "array", "items": SECRET_ITEM}
            ),
        ),
    },
)
SCHEMAS = {
    "Deployment": _record(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": "apps/v1"},
        kind={"const": "Deployment"},
        metadata=METADATA,
        spec=_record(
            ["selector", "template"],
            replicas=COUNT,
            selector=_record(["matchLabels"], matchLabels=LABELS),
            template=_record(["metadata", "spec"], metadata=METADATA, spec=POD),
        ),
    ),
    "Service": _record(
        ["apiVersion", "kind", "metadata", "spec"],
        apiVersion={"const": "v1"},
        kind={"const": "Service"},
        metadata=METADATA,
        spec=_record(
            ["ports"],
            selector=LABELS,
            sessionAffinity={"enum": ["None", "ClientIP"]},
            type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
            ports={
                "type": "array",
                "items": _record(
                    ["port"], protocol={"enum": ["TCP", "UDP"]}, port=PORT, targetPort=PORT
                ),
            },
        ),
    ),
}


def manifest(kind: str) -> dict[str, Any]:
    text = (DOCKER / "kubernetes" / f"{kind.lower()}.yaml").read_text()
    (found,) = yaml.safe_load_all(text)
    return dict(found)


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_manifests_are_what_kubernetes_takes(kind: str) -> None:
    validator = Draft202012Validator(SCHEMAS[kind])
    validator.validate(manifest(kind))
    with pytest.raises(ValidationError):
        validator.validate({**manifest(kind), "extra": 1})


def test_the_manifest_has_the_figures_of_the_source_document() -> None:
    deployment, service = manifest("Deployment")["spec"], manifest("Service")["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    assert deployment["replicas"] == 3
    assert container["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "500m"},
        "limits": {"memory": "2Gi", "cpu": "1000m"},
    }
    probes = [container["livenessProbe"], container["readinessProbe"]]
    times = [(p["initialDelaySeconds"], p["periodSeconds"]) for p in probes]
    assert times == [(30, 10), (5, 5)]
    # Every probe leads to what is served, and on the port that is listened on.
    open_to_probes = {operation.path for operation in WORKFLOW if operation.probe}
    assert {probe["httpGet"]["path"] for probe in probes} == open_to_probes
    ports = {probe["httpGet"]["port"] for probe in probes}
    ports |= {container["ports"][0]["containerPort"], service["ports"][0]["targetPort"]}
    assert ports == {5000} and "EXPOSE 5000" in DOCKERFILE
    labels = deployment["template"]["metadata"]["labels"]
    assert labels == deployment["selector"]["matchLabels"] == service["selector"]


def test_no_secret_is_written_down() -> None:
    (container,) = manifest("Deployment")["spec"]["template"]["spec"]["containers"]
    for one in container["env"]:
        assert "valueFrom" in one or one["value"].startswith("/secrets/"), one["name"]


def test_the_container_is_slim_and_not_root() -> None:
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert stages == ["python:3.11-slim", "python:3.11-slim"]
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert last.index("USER appuser") < last.index("CMD")
    assert "USER root" not in last and "pip install" not in last
    assert "curl" not in DOCKERFILE and "ADD " not in DOCKERFILE
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for name in source.split():
            assert (DOCKER.parent / name).exists(), name


def test_the_settings_are_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n")
    code = (DOCKER / "jupyter_audience_nb_config.py").read_text()
    run = f"""
import json, os
from traitlets.config import Config
os.environ["JUPYTER_TOKEN_FILE"] = {str(tmp_path / "token")!r}
os.environ["DATABASE_URL"] = "postgresql+psycopg://db/audience"
c = Config()
get_config = lambda: c
exec({code!r})
print(json.dumps(c))
"""
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    config = Config(json.loads(done.stdout))
    assert set(config.AudienceApp) <= set(AudienceApp.class_trait_names(config=True))
    assert config.AudienceApp.history_url == "postgresql+psycopg://db/audience"
    assert config.IdentityProvider.token == "abc"
    assert config.AudienceApp.open_probes is True
    # Kubernetes kills after its own grace; ours ends before.
    spec = manifest("Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    first = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert first + config.AudienceApp.grace < spec["terminationGracePeriodSeconds"]


def test_what_the_container_installs_is_what_its_settings_need() -> None:
    extras = re.search(r"'\.\[([\w,]+)\]'", DOCKERFILE)
    assert extras is not None
    project = tomllib.loads((DOCKER.parent / "pyproject.toml").read_text())["project"]
    needed = {
        re.split(r"[\[<>=~ ;]", requirement)[0]
        for extra in extras[1].split(",")
        for requirement in project["optional-dependencies"][extra]
    }
    # PostgreSQL by DATABASE_URL, REDIS_URL, spans and failures: each has its library.
    assert {"psycopg", "redis", "opentelemetry-sdk", "sentry-sdk", "jupyter-server"} <= needed
    pinned = {
        line.partition("==")[0]
        for line in (DOCKER.parent / "constraints.txt").read_text().splitlines()
    }
    assert needed <= pinned
