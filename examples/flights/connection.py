"""A lean HTTP/1.1 client: one keep-alive connection, one POST at a time. It costs less than the service it measures."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

ANSWER_SECONDS = 10.0  # a service that takes longer is down


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered, and when by the loop's clock."""

    status: int
    body: bytes
    sent_at: float
    answered_at: float
    prediction_id: str = ""
    """By which its label names it; empty where the service gave none."""

    @property
    def seconds(self) -> float:
        """From the request's first byte to the answer's last."""
        return self.answered_at - self.sent_at


class Connection:
    """A connection to *url*, opened when first needed and again whenever the server has closed it."""

    def __init__(self, url: str, headers: str = "") -> None:
        """*headers* are sent with every request: whole lines."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\n"
            f"{headers}content-type: application/json\r\ncontent-length: "
        ).encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def post(self, body: bytes) -> Answer:
        """Send *body* and wait for the whole answer. Raises OSError or TimeoutError where there is none."""
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await self._open()
            sent_at = asyncio.get_running_loop().time()
            writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                answer = await reader.readexactly(int(_header(head, b"content-length") or 0))
            except asyncio.IncompleteReadError as error:
                raise ConnectionResetError(f"{self._host}:{self._port} closed the connection") from error
        status = int(head[9:12])
        # uvicorn closes the connection after an unhandled exception, without announcing it in the answer.
        if status >= 500 or b"connection: close" in head.lower():
            self._close()
        identifier = _header(head, b"x-prediction-id").decode()
        return Answer(status, answer, sent_at, asyncio.get_running_loop().time(), identifier)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self._close()  # the server's patience with an idle connection ended (uvicorn: five seconds)
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _header(head: bytes, wanted: bytes) -> bytes:
    """The value of one header of a response; empty where it has none."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == wanted:
            return value.strip()
    return b""
