"""A collector in memory that says what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from dashlight.deliver.encoding.events import Event
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.testing import FakeClock


@dataclass
class Collector:
    """Stands for the way to a collector: takes every request and gives the answers it was told, the last for ever."""

    clock: FakeClock
    answers: list[CollectorAnswer] = field(default_factory=lambda: [CollectorAnswer(200)])
    requests: list[tuple[list[str], str]] = field(default_factory=list)
    """What each request held, and its key."""
    answer_to: Callable[[Sequence[str]], CollectorAnswer | None] = lambda _texts: None
    """An answer to these entries in particular."""
    seconds: float = 0.0
    """How long each attempt takes."""
    closed: bool = False

    def connect(self, _endpoint: Endpoint | None = None) -> Collector:
        """Itself, as a connection."""
        return self

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Notes a request and answers."""
        assert content_type == "text/plain"
        texts = body.decode().split()
        self.requests.append((texts, key))
        self.clock.advance(self.seconds)
        particular = self.answer_to(texts)
        if particular is not None:
            return particular
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        """Notes that it was closed."""
        self.closed = True

    @property
    def received(self) -> list[list[str]]:
        """What each request held."""
        return [texts for texts, _ in self.requests]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves when told to."""
    return FakeClock()


@pytest.fixture
def collector(clock: FakeClock) -> Collector:
    """A collector that takes everything."""
    return Collector(clock)


class TextFormat:
    """Entries are words; an answer is the number of those that were rejected."""

    content_type = "text/plain"

    def __init__(self, *, speaks_otlp: bool = True) -> None:
        self.speaks_otlp = speaks_otlp

    def request(self, entries: Sequence[bytes], /) -> bytes:
        """The words one after the other."""
        return b" ".join(entries)

    def rejected_count(self, answer: bytes, /) -> int:
        """The number that stands there."""
        return int(answer or b"0")

    def event(self, event: Event, *, observed_at: float) -> bytes:
        """The name of an event as a word; the moment is looked at, no more."""
        assert observed_at > 0
        if event.attributes:
            raise TypeError("no plain form")
        return event.body.encode()


@pytest.fixture
def text_format() -> TextFormat:
    """A format that a test can read."""
    return TextFormat()
