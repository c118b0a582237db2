"""A process that is killed between any two steps: the next one goes on, nothing that was kept is lost."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.outbox import Counts

STEPS = 40
"""More than there are in `work`."""


class KilledError(BaseException):
    """Nothing catches it: the process ends here."""


class Killer:
    """Ends the process at one of its steps."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.name = ""

    def __call__(self, name: str) -> None:
        if self.left == 0:
            self.name = name
            raise KilledError
        self.left -= 1


def work(one: Any, kept: list[str], arrived: list[str]) -> None:
    """Writes, delivers and acknowledges, over two segments."""
    kept.extend(word for word in ("a", "b", "c") if one.write(word))
    one.backlog.seal()
    kept.extend(word for word in ("d", "e") if one.write(word))
    for _ in range(4):
        words, batch = one.take()
        arrived.extend(words)
        one.settle(batch)


@pytest.mark.parametrize("at", range(STEPS))
def test_after_a_kill_at_any_step_everything_kept_arrives_and_nothing_is_in_the_way(
    process: Any, root: Path, at: int
) -> None:
    killer = Killer(at)
    one = process(step=killer)
    kept: list[str] = []
    arrived: list[str] = []
    with suppress(KilledError):
        work(one, kept, arrived)
    one.die()

    # The next one is killed at its first step, too, and the one after it: no crash that repeats itself.
    for again in range(3):
        doomed = process(step=Killer(again), looks=False)
        with suppress(KilledError):
            doomed.spool.look()
            while (found := doomed.take()) is not None:
                arrived.extend(found[0])
                doomed.settle(found[1])
        doomed.die()
    last = process()
    arrived += last.drain()

    assert set(kept) <= set(arrived)
    counts = last.outbox.counts()
    assert (counts.balance, counts.spooled, dict(counts.dropped)) == (0, 0, {})
    last.spool.close()
    assert [path.name for path in root.iterdir() if not path.name.endswith(".new")] == ["lock"]


def test_the_steps_of_an_acknowledgement_are_all_among_those(process: Any) -> None:
    seen: list[str] = []
    work(process(step=seen.append), [], [])

    assert len(seen) < STEPS
    assert {"ack written", "ack named", "segment removed", "ack removed", "segment sealed"} <= set(seen)
    assert {"directory made", "directory locked", "directory named", "segment made", "record written"} <= set(seen)


def test_what_was_noted_of_a_segment_that_is_gone_is_removed(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    one.die()
    (directory,) = root.glob("w-*")
    (directory / "events.plain..0000000007.1700000000000.ack").write_bytes(b"10 1")
    (directory / "events.plain..0000000007.1700000000000.ack-draft").write_bytes(b"10 1")

    two = process()
    two.drain()
    two.spool.close()

    assert [path.name for path in root.iterdir()] == ["lock"]


def test_a_record_whose_parts_are_settled_one_by_one_is_acknowledged_with_the_last(process: Any) -> None:
    one = process()
    one.write("a", "b", "c")
    one.write("d")
    taken = one.backlog.take()
    one.outbox.take_back(taken)
    one.backlog.settle(taken, 2)
    in_between = one.backlog.take()
    one.backlog.settle(taken, 1)

    assert in_between is None
    assert one.take()[0] == ["d"]


def test_an_acknowledgement_that_cannot_be_written_is_counted_and_the_record_not_sent_twice(process: Any) -> None:
    broken: list[str] = []

    def step(name: str) -> None:
        if name in broken:
            raise OSError(5, "broken")

    one = process(step=step)
    one.write("a")
    one.write("b")
    broken.append("ack written")

    assert one.drain() == ["a", "b"]
    assert one.spool.troubles == {"not_acknowledged": 1}
    assert one.outbox.counts() == Counts(offered=2, delivered=2)
