"""BentoML's spans: sent where the user sends those of the app, or stood for by ours where they go nowhere."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from opentelemetry import trace

from dashlight import adopt_spans, note_loss
from dashlight_bentoml.foreign import exports_spans

_INSTRUMENTATION = "opentelemetry.instrumentation.asgi"


def join_spans(
    app: Any,
    *,
    exports: Callable[[], bool] = exports_spans,
    configured: Callable[[], trace.TracerProvider] = trace.get_tracer_provider,
) -> None:
    """Sees to it that the spans of requests to *app* arrive somewhere, if anything at all is configured for it.

    BentoML has a provider of its own, which samples and sends nothing unless its configuration says so. Where it says
    so, which *exports* tells, nothing is changed. Else the requests get their spans from the *configured* global provider, if there is one: only
    then those that the app makes have a parent that is sampled and arrives. Else ours take the place of BentoML's.
    """
    try:
        layer = _instrumented(app)
        if layer is None or exports():
            return
        provider = configured()
        if isinstance(provider, trace.ProxyTracerProvider):
            adopt_spans()
            return
        layer.tracer = provider.get_tracer(_INSTRUMENTATION)
        layer.server_request_hook = _for_any_span(layer.server_request_hook)
    except Exception as error:  # another version of BentoML, which has it otherwise
        note_loss(type(error).__name__)


def _instrumented(app: Any) -> Any:
    """OpenTelemetry's middleware around *app*."""
    layer: Any = app.middleware_stack
    while layer is not None and type(layer).__name__ != "OpenTelemetryMiddleware":
        layer = getattr(layer, "app", None) or getattr(layer, "_app", None)
    return layer


def _for_any_span(hook: Any) -> Any:
    """BentoML's hook, which takes the request id from `span.context`: spans that are not sampled have none."""

    def note_request_id(span: Any, scope: Any) -> None:
        if not hasattr(span, "context"):
            span = SimpleNamespace(context=span.get_span_context(), record_exception=span.record_exception)
        hook(span, scope)

    return note_request_id if hook is not None else None
