"""The headers that are ever looked at, of the request and of the response; Host and User-Agent alone leave the process.

To those of the fixed list come the ones in which the propagators of OTEL_PROPAGATORS find the caller's trace.
"""

from collections.abc import Container, Iterable, Iterator, Sequence

from dashlight.records import Headers
from dashlight.types import Message

KEPT_HEADERS = frozenset(
    {
        b"content-type", b"content-encoding", b"content-length", b"traceparent", b"tracestate", b"baggage",
        b"inference-header-content-length", b"azureml-model-deployment", b"anthropic-version", b"server",
        b"x-bentoml-request-id",
        # For spans, which say what was called and by what.
        b"host", b"user-agent",
        # What SageMaker adds to a request for a container; its custom attributes may hold anything and are not read.
        b"x-amzn-sagemaker-target-model", b"x-amzn-sagemaker-target-variant",
        b"x-amzn-sagemaker-target-container-hostname", b"x-amzn-sagemaker-inference-id",
    }
)  # fmt: skip


def kept(headers: Iterable[tuple[bytes, bytes]], names: Container[bytes] = KEPT_HEADERS) -> Headers:
    """Those of *names*, the fixed list or more. ASGI promises names in lower case for requests."""
    return [pair for pair in headers if pair[0] in names]


def kept_in_lower_case(headers: Iterable[tuple[bytes, bytes]], names: Container[bytes] = KEPT_HEADERS) -> Headers:
    """Likewise of a response, where an app may have written names as it liked."""
    found: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        # Nearly always written in lower case already, which saves the copy.
        if name in names:
            found.append((name, value))
        elif (lower := name.lower()) in names:
            found.append((lower, value))
    return found


def readable(message: Message) -> Message:
    """*message*, or one like it whose headers can be read again where those of *message* can be read but once."""
    headers = message.get("headers", ())
    if type(headers) is list or type(headers) is tuple or iter(headers) is not headers:
        return message
    read: list[tuple[bytes, bytes]] = []
    try:
        read.extend(headers)
    except Exception as error:  # the app's own, which the server meets where it would have met it
        return {**message, "headers": _Broken(read, error)}
    return {**message, "headers": read}


class _Broken:
    """Headers in the midst of which the app fails, as often as they are read."""

    def __init__(self, read: Sequence[tuple[bytes, bytes]], error: Exception) -> None:
        self._read = read
        self._error = error

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._read
        raise self._error


def with_header(message: Message, name: bytes, value: bytes) -> Message:
    """A message like *message* with one header more."""
    return {**message, "headers": [*message.get("headers", ()), (name, value)]}


def said_bytes(headers: Headers) -> int:
    """The length of the body that *headers*, in lower case, say; 0 where they say none."""
    sizes = [value for name, value in headers if name == b"content-length"]
    return int(sizes[0]) if sizes and sizes[0].isdigit() else 0


def keep_part(chunks: list[bytes], body: bytes | bytearray | memoryview, room: int) -> int:
    """Appends a copy of as much of *body* as *room* lets in, and returns how much that was.

    A copy because what is not `bytes` may be reused by its owner, and because a slice must not keep the whole alive.
    """
    if not room:
        return 0
    kept = bytes(memoryview(body)[:room])
    chunks.append(kept)
    return len(kept)
