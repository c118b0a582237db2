"""A collector that is dead for days, in simulated time: memory stays flat, the disk within its budget, and the newest arrive."""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.destination import Destination
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.testing import FakeClock

EVENTS_PER_SECOND = 200
BATCH_SECONDS = 8
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory from /proc")


class WordFormat:
    """Entries are words."""

    content_type = "text/plain"
    speaks_otlp = True

    def request(self, entries: Any, /) -> bytes:
        """The words one after the other."""
        return b" ".join(entries)

    def rejected_count(self, _answer: bytes, /) -> int:
        """None."""
        return 0


class Wire:
    """A collector that is away, or takes everything and remembers the first words and the last."""

    is_away = True
    first = last = b""
    count = 0

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """One request."""
        if self.is_away:
            return CollectorAnswer(failure="unreachable")
        words = body.split()
        self.first, self.last = self.first or words[0], max(self.last, words[-1])
        self.count += len(words)
        return CollectorAnswer(200)

    def close(self) -> None:
        """Nothing to close."""


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def size_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def test_a_collector_that_is_dead_for_days_costs_no_more_than_the_budget(tmp_path: Path, length: str) -> None:
    root = tmp_path / "spool"
    budget = 64 * 2**20 if length == "long" else 2 * 2**20
    seconds = 4 * 86_400 if length == "long" else 1_200
    clock, outbox, wire = FakeClock(), Outbox(), Wire()
    spool = Spool(root, clock=clock, budget_bytes=budget, free_share=lambda _path: 0.5)
    destination = Destination(
        "events", WordFormat(), outbox=outbox, connect=lambda: wire, clock=clock, jitter=lambda: 1.0,
        new_key=lambda: "key", backlog=Backlog(spool, signal="events", content_type="text/plain", account=outbox),
    )  # fmt: skip
    noise = random.Random(5)
    # More than compression remembers.
    stems = [noise.randbytes(20).hex().encode() for _ in range(4096)]
    resident: list[int] = []
    number = 0

    def run(seconds: float) -> None:
        end_at = clock.at + seconds
        while destination.due_at() <= end_at:
            clock.at = max(clock.at, destination.due_at())
            destination.step()
        clock.at = max(clock.at, end_at)

    for second in range(0, seconds, BATCH_SECONDS):
        count = EVENTS_PER_SECOND * BATCH_SECONDS
        words = [b"%012d%s" % (each, stems[each % 4096]) for each in range(number, number + count)]
        outbox.put(words, at=clock.at)
        number += count
        run(BATCH_SECONDS)
        if second % (seconds // 20 // BATCH_SECONDS * BATCH_SECONDS) == 0:
            assert outbox.counts().balance == 0
            assert size_bytes(root) <= budget
            resident.append(resident_bytes())
    gc.collect()
    counts = outbox.counts()
    wire.is_away = False
    run(120.0)
    after = outbox.counts()

    assert set(counts.dropped) == {"spool_full"}
    assert (after.balance, after.spooled, after.pending) == (0, 0, 0)
    assert after.delivered == wire.count == number - counts.dropped["spool_full"]
    # The newest arrived, and as much of the past as the budget holds.
    assert int(wire.last[:12]) == number - 1
    assert max(resident[3:]) - resident[3] < 8 * 2**20
    spool.close()


REOPEN = """
import json, sys
from pathlib import Path
from dashlight.clock import SystemClock
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.spool import Spool

def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

outbox = Outbox()
spool = Spool(Path(sys.argv[1]), clock=SystemClock(), budget_bytes=2**32, free_share=lambda _path: 0.5)
backlog = Backlog(spool, signal="events", content_type="text/plain", account=outbox)
before = highest = resident()
spool.look()
highest = max(highest, resident())
recovered = outbox.counts().recovered
while (taken := backlog.take()) is not None:
    batch = outbox.take_back(taken)
    highest = max(highest, resident())
    outbox.deliver(batch)
    backlog.settle(taken, len(batch))
    del taken, batch
counts = outbox.counts()
print(json.dumps([highest - before, recovered, counts.delivered, counts.balance]))
"""


def test_a_restart_with_a_full_spool_takes_little_memory(tmp_path: Path, length: str) -> None:
    root = tmp_path / "spool"
    total = 2 * 2**30 if length == "long" else 256 * 2**20
    spool = Spool(
        root, clock=FakeClock(), budget_bytes=4 * 2**30 if length == "long" else 2**28, free_share=lambda _path: 0.5
    )
    backlog = Backlog(spool, signal="events", content_type="text/plain", account=Outbox())
    while not list(root.rglob("*.seg")):
        # A whole batch a record, as large as they come.
        assert backlog.append(SpoolRecord("key", b"", [os.urandom(1000) for _ in range(1000)]), booked=lambda: None)
    (segment,) = root.rglob("*.seg")
    size = segment.stat().st_size
    head, _, tail = segment.name.partition("0000000001")
    for number in range(2, total // size + 1):
        shutil.copy(segment, segment.with_name(f"{head}{number + 10:010d}{tail}"))
    spool.forget()

    done = subprocess.run([sys.executable, "-c", REOPEN, str(root)], capture_output=True, text=True, check=True)
    grown, recovered, delivered, balance = json.loads(done.stdout)

    assert recovered == delivered >= 0.9 * total / 1000
    assert balance == 0
    assert grown < 16 * 2**20
