"""Rounds of kill -9: several processes write to one spool, and die at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from dashlight.clock import SystemClock
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.spool import Spool

WRITER = """
import os, random, sys
from pathlib import Path
from dashlight.clock import SystemClock
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool import spool as spools
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.records import SpoolRecord

root, name, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rng = random.Random(seed)
spools.LOOK_SECONDS = 0.0
spool = spools.Spool(root, clock=SystemClock(), budget_bytes=2**30, free_share=lambda _path: 0.5)
spool.segment_bytes = 20_000
outbox = Outbox()
backlog = Backlog(spool, signal="events", content_type="text/plain", account=outbox)
number = 0
print("begun", flush=True)
while True:
    spool.look()
    for path in spool._adopted:
        # Whose directory it was stands in its name.
        print("adopted", path.name.split("-")[1], flush=True)
    for _ in range(5):
        words = [f"{name}.{number + n}".encode() for n in range(rng.randrange(1, 9))]
        number += len(words)
        outbox.put(words, at=0.0)
        batch = outbox.take(most_entries=9, most_bytes=2**20, key=name)
        assert backlog.append(SpoolRecord(name, b"", words), booked=lambda: outbox.spool(batch))
        print("kept", *(word.decode() for word in words), flush=True)
    for _ in range(3):
        taken = backlog.take()
        if taken is None:
            break
        delivered = outbox.take_back(taken)
        print("sent", *(word.decode() for word in taken.record.payloads), flush=True)
        outbox.deliver(delivered)
        backlog.settle(taken, len(delivered))
    assert outbox.counts().balance == 0, outbox.counts()
"""
WRITERS = 3


def test_nothing_that_was_kept_is_lost_and_nobody_alive_is_robbed(
    tmp_path: Path, rng: random.Random, length: str
) -> None:
    root = tmp_path / "spool"
    rounds = 30 if length == "long" else 4
    kept: set[str] = set()
    arrived: list[str] = []
    # Nobody is robbed before he is dead.
    dead_at: dict[int, float] = {}
    adopted: set[int] = set()
    for number in range(rounds):
        outputs = [tmp_path / f"{number}.{writer}.out" for writer in range(WRITERS)]
        children = []
        for writer, output in enumerate(outputs):
            with output.open("wb") as file:
                arguments = [str(root), f"w{number}.{writer}", str(rng.randrange(2**30))]
                children.append(subprocess.Popen([sys.executable, "-c", WRITER, *arguments], stdout=file))
        end_at = time.monotonic() + 60
        while not all("begun" in output.read_text() for output in outputs) and time.monotonic() < end_at:
            time.sleep(0.02)
        living = {child.pid for child in children}
        time.sleep(rng.uniform(0.05, 0.4))
        # Held fast before the first of them dies: else the last to be killed may rightly rob the first.
        for each in (signal.SIGSTOP, signal.SIGKILL):
            for child in children:
                child.send_signal(each)
            time.sleep(0.05)
        for child in children:
            assert child.wait(30) == -signal.SIGKILL
            dead_at[child.pid] = time.monotonic()
        for output in outputs:
            # The last line may be half written; then nobody was told.
            for line in output.read_text().rpartition("\n")[0].splitlines():
                word, *rest = line.split()
                if word == "kept":
                    kept.update(rest)
                elif word == "sent":
                    arrived.extend(rest)
                elif word == "adopted":
                    adopted.add(int(rest[0]))
                    # A writer of this round may have died before it was robbed; none did before all were killed together.
                    assert int(rest[0]) not in living

    outbox = Outbox()
    spool = Spool(root, clock=SystemClock(), free_share=lambda _path: 0.5)
    backlog = Backlog(spool, signal="events", content_type="text/plain", account=outbox)
    spool.look()
    while (taken := backlog.take()) is not None:
        arrived += [payload.decode() for payload in taken.record.payloads]
        batch = outbox.take_back(taken)
        outbox.deliver(batch)
        backlog.settle(taken, len(batch))
    spool.close()

    assert len(kept) > 50 * rounds
    assert kept - set(arrived) == set()
    assert adopted <= set(dead_at)
    assert rounds == 1 or adopted
    counts = outbox.counts()
    assert (counts.balance, counts.spooled) == (0, 0)
    # A write that was cut short was never acknowledged; of what was, none is damaged.
    assert counts.dropped.get("corrupt", 0) <= WRITERS * 9
    assert list(root.glob("w-*")) == []
