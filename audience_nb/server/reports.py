"""What leaves for those who watch the server: spans by OpenTelemetry, failures by Sentry.

Off unless asked for. Neither is given a word that somebody typed, a name or a local variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audience_nb import __version__
from audience_nb.errors import InvalidInput, require

__all__ = ["Reports"]

_FLUSH_S = 2.0


class Reports:
    """Tell others how requests went.

    Parameters
    ----------
    spans : bool, optional
        Send one span for each request by OTLP over HTTP, to where OTEL_EXPORTER_OTLP_ENDPOINT
        says, as a part of the trace that the request names (W3C Trace Context).
    sentry_dsn : str, optional
        Where failures go that nobody raised on purpose; "" for nowhere.

    Raises
    ------
    MissingExtra
        If what sends them is not installed.
    InvalidInput
        If the address is none of Sentry's.

    Examples
    --------
    >>> reports = Reports()
    >>> reports.failed(ValueError("x"), "0f")
    >>> reports.close()
    """

    def __init__(self, *, spans: bool = False, sentry_dsn: str = "") -> None:
        self._provider: Any = None
        self._tracer: Any = None
        self._sentry: Any = None
        if spans:
            self._open_spans()
        if sentry_dsn:
            self._open_sentry(sentry_dsn)

    def _open_spans(self) -> None:
        require("opentelemetry.sdk", "telemetry")
        require("opentelemetry.exporter.otlp.proto.http", "telemetry")
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = Resource.create({"service.name": "audience_nb", "service.version": __version__})
        self._provider = TracerProvider(resource=named)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("audience_nb.server")

    def _open_sentry(self, dsn: str) -> None:
        require("sentry_sdk", "telemetry")
        from sentry_sdk import Client
        from sentry_sdk.utils import BadDsn

        try:
            self._sentry = Client(
                dsn=dsn,
                release=f"audience_nb@{__version__}",
                server_name="",
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                include_source_context=False,
                max_breadcrumbs=0,
                before_send=_without_texts,
            )
        except BadDsn as error:
            raise InvalidInput(
                "The address of Sentry cannot be read.", "Give the DSN of a project."
            ) from error

    def answered(
        self,
        operation: str,
        method: str,
        status: int,
        began: int,
        log_id: str,
        headers: Mapping[str, str],
    ) -> None:
        """Send the span of a request that was answered.

        Parameters
        ----------
        operation, method : str
            What was asked for, and how.
        status : int
            Of the answer.
        began : int
            When, in nanoseconds since 1970.
        log_id : str
            Of the request.
        headers : mapping
            Of the request, for its `traceparent`.
        """
        if self._tracer is None:
            return
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried = {n: headers[n] for n in ("traceparent", "tracestate") if n in headers}
        span = self._tracer.start_span(
            f"{method} {operation}",
            context=TraceContextTextMapPropagator().extract(carried),
            kind=SpanKind.SERVER,
            start_time=began,
            attributes={
                "http.request.method": method,
                "http.response.status_code": status,
                "audience_nb.operation": operation,
                "audience_nb.log_id": log_id,
            },
        )
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def failed(self, error: BaseException, log_id: str) -> None:
        """Send a failure: its class and where in the code, never its text.

        Parameters
        ----------
        error : Exception
            What nobody raised on purpose.
        log_id : str
            Of the request.
        """
        if self._sentry is None:
            return
        from sentry_sdk import Scope
        from sentry_sdk.utils import event_from_exception

        # A client of our own: whatever else in this process uses Sentry is left alone.
        event, hint = event_from_exception(error, client_options=self._sentry.options)
        event["tags"] = {"log_id": log_id}
        self._sentry.capture_event(event, hint=hint, scope=Scope())

    def close(self) -> None:
        """Send what is left, and stop."""
        if self._provider is not None:
            self._provider.force_flush(int(1000 * _FLUSH_S))
            self._provider.shutdown()
        if self._sentry is not None:
            self._sentry.close(timeout=_FLUSH_S)


def _without_texts(event: Any, _hint: Any) -> Any:
    # The text of an exception may quote what somebody typed.
    for one in event.get("exception", {}).get("values", ()):
        one["value"] = ""
    for place in ("request", "user", "breadcrumbs", "extra", "logentry"):
        event.pop(place, None)
    return event
