"""Settings of the container; addresses and secrets come from its environment."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 (Jupyter gives it)

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 5000
c.ServerApp.port_retries = 0
c.ServerApp.allow_remote_access = True
c.ServerApp.allow_root = False
# Without a token nobody gets in: Jupyter makes one up and the log holds it.
if os.environ.get("JUPYTER_TOKEN_FILE"):
    c.IdentityProvider.token = Path(os.environ["JUPYTER_TOKEN_FILE"]).read_text().strip()

c.AudienceApp.history_url = os.environ.get("DATABASE_URL", "/data/history.sqlite3")
c.AudienceApp.folder = "/data/files"
c.AudienceApp.rate_storage = os.environ.get("REDIS_URL", "memory://")
c.AudienceApp.sentry_dsn = os.environ.get("SENTRY_DSN", "")
c.AudienceApp.send_spans = "OTEL_EXPORTER_OTLP_ENDPOINT" in os.environ
c.AudienceApp.open_probes = True
c.AudienceApp.json_logs = True
c.AudienceApp.warm_up = True
# Less than the 30 s after which Kubernetes kills.
c.AudienceApp.grace = 20.0
if os.environ.get("JWT_KEY_FILE"):
    c.AudienceApp.jwt_keys = {
        os.environ.get("JWT_KEY_ID", "1"): {
            "algorithm": os.environ.get("JWT_ALGORITHM", "RS256"),
            "file": os.environ["JWT_KEY_FILE"],
        }
    }
