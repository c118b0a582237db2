"""Keeps our own threads out of the app's traces."""

from opentelemetry import context


def suppress_instrumentation() -> None:
    """Marks the context of the calling thread as not to be traced, for as long as the thread lives.

    A thread begins with an empty context, so a mark set around its start would not reach it. Instrumentations
    look for these keys and for nothing else; the API exports them under private names only.
    """
    current = context.get_current()
    for name in ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY"):
        key = getattr(context, name, None)
        if key is not None:
            current = context.set_value(key, True, current)
    context.attach(context.set_value("suppress_instrumentation", True, current))
