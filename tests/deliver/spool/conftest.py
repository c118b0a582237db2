"""A spool in a temporary directory, whose processes come and go within the test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.outbox import Batch, Outbox
from dashlight.deliver.spool.backlog import Backlog, TakenRecord
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.spool.spool import Spool
from dashlight.testing import FakeClock

CONTENT_TYPE = "text/plain"


@dataclass
class Process:
    """What one process has of the spool: its own books, and a backlog of events."""

    spool: Spool
    outbox: Outbox
    backlog: Backlog
    clock: FakeClock
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def write(self, *words: str, key: str = "") -> bool:
        """Writes one record that holds *words*; whether it was kept."""
        self.outbox.put([word.encode() for word in words], at=self.clock.at)
        batch = self.outbox.take(most_entries=len(words), most_bytes=2**30, key=key or f"key {next(self.numbers)}")
        assert batch is not None
        return self.keep(batch)

    def keep(self, batch: Batch) -> bool:
        """Writes one batch."""
        record = SpoolRecord(batch.key, b"", [payload for payload, _ in batch.entries])
        return self.backlog.append(record, booked=lambda: self.outbox.spool(batch))

    def take(self) -> tuple[list[str], Batch] | None:
        """The words of the oldest record, and the batch that is then in flight."""
        taken = self.backlog.take()
        if taken is None:
            return None
        return [payload.decode() for payload in taken.record.payloads], self.outbox.take_back(taken)

    def settle(self, batch: Batch) -> None:
        """The batch arrived."""
        self.outbox.deliver(batch)
        assert isinstance(batch.record, TakenRecord)
        self.backlog.settle(batch.record, len(batch))

    def drain(self) -> list[str]:
        """The words of all that waits, delivered one record after the other."""
        words: list[str] = []
        while (found := self.take()) is not None:
            words += found[0]
            self.settle(found[1])
            assert self.outbox.counts().balance == 0
        return words

    def die(self) -> None:
        """Ends as by kill -9: the kernel closes what was open."""
        self.spool.forget()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the spool lies."""
    return tmp_path / "spool"


@pytest.fixture
def process(root: Path, clock: FakeClock) -> Iterator[Callable[..., Process]]:
    """Starts processes on one spool; *signal*, *content_type*, whether it looks around, and what a Spool takes."""
    made: list[Process] = []

    def start(
        *, signal: str = "events", content_type: str = CONTENT_TYPE, looks: bool = True, **arguments: Any
    ) -> Process:
        spool = Spool(root, clock=clock, **{"free_share": lambda _path: 0.5, **arguments})
        outbox = Outbox()
        backlog = Backlog(spool, signal=signal, content_type=content_type, account=outbox)
        made.append(Process(spool, outbox, backlog, clock))
        if looks:
            spool.look()
        return made[-1]

    yield start
    for each in made:
        each.die()
