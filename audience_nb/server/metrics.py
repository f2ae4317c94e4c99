"""What Prometheus reads at Jupyter's `/metrics`: the source document's names, and latencies."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "CLUSTERING",
    "EXPORT_SIZE",
    "OPEN_SESSIONS",
    "REQUESTS",
    "REQUEST_SECONDS",
    "SELECTION",
    "WAITING",
]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)

REQUESTS = Counter(
    "api_requests_total", "Requests that were answered.", ["operation", "method", "status"]
)
REQUEST_SECONDS = Histogram(
    "api_request_duration_seconds", "Seconds until an answer.", ["operation"], buckets=_SECONDS
)
SELECTION = Histogram(
    "variable_selection_duration", "Seconds that a search took.", buckets=_SECONDS
)
CLUSTERING = Histogram("clustering_duration", "Seconds that a cut took.", buckets=_SECONDS)
EXPORT_SIZE = Histogram(
    "export_size_bytes", "Bytes of an exported file.", buckets=[10**n for n in range(2, 11)]
)
OPEN_SESSIONS = Gauge("audience_open_sessions", "Sessions held in memory.")
WAITING = Gauge("audience_waiting_work", "Work that waits or is under way.", ["pool"])
