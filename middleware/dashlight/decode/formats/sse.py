"""Server-sent events from the pieces of a body: incremental, bounded, and silent about what cannot be read.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Beyond the standard: a body that says to be of events and holds none, as BentoML's generators send it, is bare text; an
event that the end of the body cuts is kept, marked; and nothing is ever said to be wrong.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

EVENT_STREAM: Final = "text/event-stream"
MAX_EVENTS: Final = 3000
"""Events of one stream: broken ones of so many cost 40 ms. 256 KiB of the shortest that servers send, 60 bytes of Triton's,
hold 4,369; of those the last are not read, and the stream is flagged as over the limit."""
MAX_LINES: Final = 32_768
"""Lines of one stream."""
MAX_STREAM_BYTES: Final = 1 << 20
"""Bytes of one stream, whoever calls."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELD = re.compile(rb"(?:data|event|id|retry)[:\r\n]|:")
_LONGEST_FIELD = 6
_LONGEST_BEGINNING = 256
"""Line ends before anything else; with more of them a stream is bare text."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: its data, and its type where it has one."""

    data: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a whole stream held."""

    events: tuple[ServerSentEvent, ...]
    text: str = ""
    """All of it, where it holds no events."""
    is_cut: bool = False
    """Whether it ends within the event that is the last of *events*."""
    is_over_limit: bool = False
    """Whether there was more than the limits let in."""


def read_stream(pieces: Iterable[bytes]) -> Stream:
    """The stream that the *pieces* of a body are, cut wherever they are."""
    reader = EventReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    last, is_cut = reader.close()
    return Stream((*events, *last), reader.text, is_cut, reader.is_over_limit)


class EventReader:
    """Reads events from a body that comes in pieces. What it keeps is bounded by MAX_STREAM_BYTES."""

    __slots__ = ("_bytes", "_data", "_events", "_held", "_is_bare", "_lines", "_name", "_text", "is_over_limit")

    def __init__(self) -> None:
        self.is_over_limit = False
        self._is_bare: bool | None = None
        """Whether there are no events in this stream; None while nobody knows."""
        # What is not read yet: the beginning of a line, of a character, or of the stream. It grows in place, as a line
        # may come byte by byte.
        self._held = bytearray()
        self._data: list[bytes] = []
        self._name = b""
        self._text: list[str] = []
        self._bytes = self._lines = self._events = 0

    @property
    def text(self) -> str:
        """What came so far, where there are no events in it."""
        return "".join(self._text)

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """The events that *piece* completes."""
        if self.is_over_limit:
            return []
        room = MAX_STREAM_BYTES - self._bytes
        if len(piece) > room:
            self.is_over_limit = True
            piece = piece[:room]
        self._bytes += len(piece)
        if self._is_bare is None:
            piece = self._begun(piece)
        if self._is_bare:
            self._text.append(self._decoded(piece))
        return self._read(piece) if self._is_bare is False else []

    def close(self) -> tuple[list[ServerSentEvent], bool]:
        """The event that the end of the body left without an end, if any, and whether it is cut within a line."""
        rest = bytes(self._held)
        self._held.clear()
        if self._is_bare is not False:
            # Half a character, or a stream too short to be told before.
            self._text.append(rest.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace"))
            return ([], False)
        if self.is_over_limit:
            return ([], False)
        self._line(rest.removesuffix(b"\r"))
        event = self._completed()
        return ([event] if event else [], bool(rest) and not rest.endswith(b"\r"))

    def _begun(self, piece: bytes) -> bytes:
        """*piece* behind what was held before it, once that suffices to tell events from bare text; else nothing."""
        beginning = bytes(self._held) + piece
        start = beginning.removeprefix(_BYTE_ORDER_MARK)
        said = start.lstrip(b"\r\n")
        is_events = bool(_FIELD.match(said))
        self._held.clear()
        if len(said) < _LONGEST_FIELD and not is_events and len(beginning) < _LONGEST_BEGINNING:
            self._held += beginning
            return b""
        self._is_bare = not is_events
        return said if is_events else start

    def _decoded(self, piece: bytes) -> str:
        # A character may be cut between two pieces: its first bytes wait.
        held = bytes(self._held) + piece
        text, used = codecs.utf_8_decode(held, "replace", False)
        self._held[:] = held[used:]
        return text

    def _read(self, piece: bytes) -> list[ServerSentEvent]:
        if b"\n" not in piece and b"\r" not in piece and not self._held.endswith(b"\r"):
            self._held += piece
            return []
        lines = bytes(self._held) + piece
        # Limited before they are made: of a body of line ends alone every byte would be an object.
        parts = _LINE_END.split(lines, MAX_LINES - self._lines)
        rest = parts.pop()
        self._lines += len(parts)
        if self._lines >= MAX_LINES:
            self.is_over_limit = True
            rest = b""
        elif not rest and lines.endswith(b"\r"):
            # The other half of the line end may follow: the line waits for it.
            rest = parts.pop() + b"\r"
            self._lines -= 1
        self._held[:] = rest
        return list(self._events_of(parts))

    def _events_of(self, lines: Iterable[bytes]) -> Iterator[ServerSentEvent]:
        for line in lines:
            if line:
                self._line(line)
            elif event := self._completed():
                yield event

    def _line(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
        elif field == b"event":
            self._name = value.strip()

    def _completed(self) -> ServerSentEvent | None:
        """The event of the lines since the last one; None where they hold no data."""
        lines, name = self._data, self._name
        self._data, self._name = [], b""
        if not lines:
            return None
        self._events += 1
        if self._events > MAX_EVENTS:
            self.is_over_limit = True
            return None
        return ServerSentEvent(b"\n".join(lines).decode("utf-8", "replace"), name.decode("utf-8", "replace"))
