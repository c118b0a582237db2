"""The answer to whoever came too early, or with too many others."""

from starlette.responses import PlainTextResponse

from dashlight.serving.door import RETRY_SECONDS


def later(reason: str) -> PlainTextResponse:
    """503, with the moment to come again."""
    return PlainTextResponse(f"{reason}\n", 503, {"retry-after": str(RETRY_SECONDS)})
