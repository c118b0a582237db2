"""The answer to whoever came too early, or with too many others."""

from starlette.responses import PlainTextResponse

from dashlight.serving.door import RETRY_SECONDS


def later(reason: str, retry_seconds: int | None = None) -> PlainTextResponse:
    """503, with the moment to come again: in *retry_seconds*, or when there are figures."""
    return PlainTextResponse(f"{reason}\n", 503, {"retry-after": str(retry_seconds or RETRY_SECONDS)})
