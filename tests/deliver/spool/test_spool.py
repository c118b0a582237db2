from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.outbox import Counts
from dashlight.deliver.spool.budget import free_share
from dashlight.deliver.spool.spool import LOOK_SECONDS
from dashlight.testing import FakeClock


def files(root: Path, pattern: str = "*") -> list[str]:
    return sorted(path.name for path in root.rglob(pattern) if path.is_file())


def words(count: int, length: int = 1000) -> list[str]:
    # Nothing that compression makes small.
    return [os.urandom(length // 2).hex() for _ in range(count)]


def size_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def test_what_is_written_is_read_oldest_first(process: Any) -> None:
    one = process()
    one.write("a", "b")
    one.write("c")

    assert one.outbox.counts() == Counts(offered=3, spooled=3)
    assert one.drain() == ["a", "b", "c"]
    assert one.outbox.counts() == Counts(offered=3, delivered=3)


def test_what_is_settled_leaves_nothing_behind(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    one.drain()
    one.spool.close()

    assert files(root) == ["lock"]
    assert [path.name for path in root.iterdir()] == ["lock"]


def test_nothing_is_made_on_disk_before_there_is_something_to_keep(process: Any, root: Path) -> None:
    process()

    assert files(root) == ["lock"]


def test_a_restart_finds_what_was_left_with_its_key(process: Any) -> None:
    one = process()
    one.write("a", "b", key="of the batch")
    one.die()
    two = process()

    taken = two.backlog.take()

    assert taken is not None
    assert taken.record.key == "of the batch"
    assert two.outbox.counts() == Counts(recovered=2, spooled=2)


def test_a_restart_goes_on_where_the_last_one_was(process: Any) -> None:
    one = process()
    for word in "abc":
        one.write(word)
    _, batch = one.take()
    one.settle(batch)
    one.take()
    one.die()

    two = process()

    assert two.outbox.counts() == Counts(recovered=2, spooled=2)
    assert two.drain() == ["b", "c"]


def test_an_end_in_order_leaves_everything_to_the_next(process: Any) -> None:
    one = process()
    one.write("a")
    one.write("b")
    one.take()
    one.spool.close()
    one.outbox.abandon()

    assert one.outbox.counts() == Counts(offered=2, spooled=2)
    assert process().drain() == ["a", "b"]


def test_nobody_takes_over_a_directory_whose_owner_lives(process: Any) -> None:
    one = process()
    one.write("a")
    two = process()

    assert two.drain() == []
    assert one.drain() == ["a"]


def test_what_a_process_leaves_is_found_within_a_minute(process: Any, clock: FakeClock) -> None:
    one, two = process(), process()
    one.write("a")
    one.die()
    two.spool.look()
    before = two.outbox.counts().recovered
    clock.advance(LOOK_SECONDS)
    two.spool.look()

    assert (before, two.outbox.counts().recovered) == (0, 1)
    assert two.drain() == ["a"]


def test_a_directory_that_was_taken_over_goes_once_it_is_empty(process: Any, root: Path) -> None:
    process().write("a")
    for each in list(root.iterdir()):
        assert each.exists()
    one = process()
    one.write("left")
    one.die()
    two = process()
    held = len(list(root.glob("w-*")))
    two.drain()

    assert (held, len(list(root.glob("w-*")))) == (2, 1)


def test_only_this_user_can_read_what_is_kept(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    one.write("b")
    _, batch = one.take()
    one.settle(batch)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*") if path.is_file()}
    rooms = {stat.S_IMODE(path.stat().st_mode) for path in (root, *root.glob("w-*"))}
    assert (modes, rooms) == ({0o600}, {0o700})


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_directory_that_others_can_write_to_is_not_used(
    process: Any, root: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    root.mkdir()
    root.chmod(mode)
    one = process()

    assert not one.write("a")
    assert one.spool.troubles == {"unusable": 1}
    assert "can be written by others" in caplog.text
    assert one.outbox.counts() == Counts(offered=1, in_flight=1)


def test_a_link_in_place_of_the_directory_is_not_followed(process: Any, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    root.symlink_to(tmp_path / "elsewhere")
    one = process()

    assert not one.write("a")
    assert one.spool.troubles == {"unusable": 1}
    assert files(tmp_path / "elsewhere") == []


def test_a_link_in_place_of_a_segment_is_not_followed(process: Any, root: Path, tmp_path: Path) -> None:
    one = process()
    one.write("a")
    (segment,) = root.rglob("*.open")
    one.die()
    secret = tmp_path / "secret"
    shutil.copy(segment, secret)
    segment.unlink()
    segment.symlink_to(secret)

    two = process()

    assert two.drain() == []
    assert two.spool.troubles == {"not_read": 1}


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EIO, "not_written"),
        (errno.EROFS, "not_written"),
    ],
    ids=["full", "over quota", "broken", "read-only"],
)
def test_a_disk_that_does_not_take_it_leaves_it_in_memory(
    process: Any, clock: FakeClock, number: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def step(name: str) -> None:
        if name == "segment made" and broken:
            raise OSError(number, os.strerror(number))

    one = process(step=step)
    kept = [one.write("a"), one.write("b")]
    broken.clear()
    clock.advance(LOOK_SECONDS)
    kept.append(one.write("c"))

    assert kept == [False, False, True]
    assert one.spool.troubles == {kind: 1}
    assert one.outbox.counts() == Counts(offered=3, in_flight=2, spooled=1)
    assert "what waits stays in memory" in caplog.text
    assert one.drain() == ["c"]


def test_a_write_that_fails_half_way_is_cut_back(process: Any, clock: FakeClock) -> None:
    count = [0]

    def step(name: str) -> None:
        count[0] += name == "record written"
        if count[0] == 2:
            count[0] += 1
            raise OSError(errno.ENOSPC, "full")

    one = process(step=step)
    one.write("a")
    one.write("lost on the way")
    clock.advance(LOOK_SECONDS)
    one.write("b")
    one.die()

    assert process().drain() == ["a", "b"]


def test_on_a_disk_that_is_nearly_full_nothing_is_written(process: Any) -> None:
    one = process(free_share=lambda _path: 0.049)

    assert not one.write("a")
    assert one.spool.troubles == {"disk_full": 1}


def test_a_file_system_that_cannot_lock_is_said_at_the_start(
    process: Any, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    one = process()

    assert one.spool.troubles == {"not_locked": 1}
    assert not one.write("a")
    assert "No locks available" in caplog.text


def test_the_budget_holds_and_the_oldest_gives_way(process: Any, root: Path) -> None:
    budget = 2**20
    one = process(budget_bytes=budget)
    all_words = words(4000)
    for start in range(0, 4000, 20):
        assert one.write(*all_words[start : start + 20])
        assert size_bytes(root) <= budget

    counts = one.outbox.counts()
    assert counts.balance == 0
    left = one.drain()
    assert left == all_words[-len(left) :]
    assert counts.dropped == {"spool_full": 4000 - len(left)}
    # Compressed hex takes half: the budget is used, not merely kept.
    assert len(left) * 500 > 0.8 * budget


def test_the_budget_is_read_from_the_disk_after_a_restart(process: Any, root: Path, clock: FakeClock) -> None:
    budget = 2**20
    for _ in range(5):
        one = process(budget_bytes=budget)
        for _ in range(40):
            one.write(*words(20))
            clock.advance(1.0)
        assert size_bytes(root) <= budget
        one.die()

    last = process(budget_bytes=budget)
    counts = last.outbox.counts()
    assert counts.recovered == counts.spooled > 0
    assert len(last.drain()) == counts.recovered


def test_the_budget_is_one_for_all_processes(process: Any, root: Path, clock: FakeClock) -> None:
    budget = 2**20
    several = [process(budget_bytes=budget) for _ in range(4)]
    newest: dict[int, str] = {}
    for _ in range(50):
        for number, each in enumerate(several):
            clock.advance(0.01)
            batch = words(20)
            assert each.write(*batch)
            newest[number] = batch[-1]
            assert size_bytes(root) <= budget

    for number, each in enumerate(several):
        assert each.outbox.counts().balance == 0
        assert each.drain()[-1] == newest[number]
        counts = each.outbox.counts()
        assert (counts.balance, counts.spooled) == (0, 0)
        assert counts.dropped["spool_full"] + counts.delivered == 1000


def test_what_others_removed_to_make_room_is_counted_by_its_owner_once(process: Any, root: Path) -> None:
    one = process()
    one.write("a", "b")
    one.backlog.seal()
    one.write("c")
    for path in root.rglob("*.seg"):
        path.unlink()
    one.write("d")

    assert one.outbox.counts() == Counts(offered=4, dropped={"spool_full": 2}, spooled=2)
    assert one.drain() == ["c", "d"]


def test_a_segment_that_is_gone_when_it_is_read_is_counted(process: Any, root: Path) -> None:
    one = process()
    one.write("a", "b")
    one.backlog.seal()
    for path in root.rglob("*.seg"):
        path.unlink()

    assert one.drain() == []
    assert one.outbox.counts() == Counts(offered=2, dropped={"spool_full": 2})


def test_who_removes_the_whole_directory_loses_what_was_in_it_and_no_more(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    shutil.rmtree(root)
    one.write("b")

    assert one.outbox.counts() == Counts(offered=2, dropped={"spool_full": 1}, spooled=1)
    assert one.drain() == ["b"]


def test_what_is_in_hand_is_not_counted_as_lost_when_its_segment_gives_way(process: Any, root: Path) -> None:
    one = process()
    one.write("a", "b")
    one.write("c")
    _, batch = one.take()
    for path in root.rglob("*.seg"):
        path.unlink()
    one.write("d")
    in_between = one.outbox.counts()
    one.settle(batch)

    assert in_between == Counts(offered=4, dropped={"spool_full": 1}, in_flight=2, spooled=1)
    assert one.drain() == ["d"]
    assert one.outbox.counts() == Counts(offered=4, delivered=3, dropped={"spool_full": 1})


def test_a_record_larger_than_the_budget_costs_nobody_else(process: Any) -> None:
    one = process(budget_bytes=2**17)
    one.write("a")

    assert not one.write(*words(1000))
    assert one.drain() == ["a"]
    assert one.spool.troubles == {"unusable": 1}


def test_what_a_dead_process_left_gives_way_too_and_is_counted(process: Any, root: Path, clock: FakeClock) -> None:
    budget = 2**20
    one = process(budget_bytes=budget)
    for _ in range(80):
        one.write(*words(20))
    two = process(budget_bytes=budget, signal="spans")
    one.die()
    three = process(budget_bytes=budget, content_type="application/other")
    for _ in range(60):
        clock.advance(0.1)
        assert three.write(*words(20))
        assert size_bytes(root) <= budget

    counts = three.outbox.counts()
    assert two.outbox.counts() == Counts()
    assert counts.dropped["spool_full"] == counts.recovered > 0
    assert counts.balance == 0


@pytest.mark.parametrize(
    "other", [{"signal": "spans"}, {"content_type": "application/x-ndjson"}], ids=["another signal", "another format"]
)
def test_what_would_go_to_another_kind_of_destination_is_kept_and_not_sent(
    process: Any, root: Path, other: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    one = process()
    one.write("a")
    one.die()
    two = process(**other)

    assert two.drain() == []
    assert two.outbox.counts() == Counts()
    assert "they are kept, and not sent" in caplog.text
    assert process().drain() == ["a"]


def test_a_forked_child_touches_nothing_and_does_not_keep_the_parent_s_lock(process: Any) -> None:
    one = process()
    one.write("a")
    child = os.fork()
    if not child:
        one.spool.forget()
        os._exit(0 if not one.write("b") and one.backlog.take() is None else 1)
    _, status = os.waitpid(child, 0)
    one.write("c")

    assert status == 0
    assert one.drain() == ["a", "c"]


def test_a_child_that_lives_on_does_not_keep_the_dead_parent_s_backlog(root: Path, process: Any) -> None:
    script = f"""
import os, sys, time
from pathlib import Path
from dashlight.clock import SystemClock
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.spool.spool import Spool
spool = Spool(Path({str(root)!r}), clock=SystemClock(), free_share=lambda _path: 0.5)
backlog = Backlog(spool, signal="events", content_type="text/plain", account=Outbox())
assert backlog.append(SpoolRecord("k", b"", [b"a"]), booked=lambda: None)
if os.fork():
    os._exit(9)
spool.forget()
print("there", flush=True)
sys.stdin.read()
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"there\n"
        assert process().drain() == ["a"]
    finally:
        child.communicate(b"")


def test_after_the_end_nothing_is_written_or_read(process: Any) -> None:
    one = process()
    one.write("a")
    one.spool.close()
    one.spool.close()

    assert not one.write("b")
    assert one.backlog.take() is None
    assert one.spool.look_at == float("inf")


@pytest.mark.parametrize("policy", ["never", "segment", "batch"])
def test_whatever_the_disk_is_waited_for_a_restart_finds_everything(process: Any, policy: str) -> None:
    one = process(fsync=policy, budget_bytes=2**24)
    expected = [word for _ in range(30) for word in words(10)]
    for start in range(0, 300, 10):
        one.write(*expected[start : start + 10])
    one.die()

    assert process().drain() == expected


def test_directories_whose_makers_died_before_they_had_a_name_are_removed(root: Path, process: Any) -> None:
    process()
    dead, living = root / "w-1-00000000.new", root / "w-2-00000000.new"
    for draft in (dead, living):
        draft.mkdir(mode=0o700)
        (draft / "lock").touch(0o600)
    with (living / "lock").open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        process()

        # The clock of the test is years away from that of the files: both are old.
        assert (dead.exists(), living.exists()) == (False, True)


def test_what_is_set_aside_in_vain_is_counted_and_left(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    one.backlog.seal()
    (segment,) = root.rglob("*.seg")
    segment.write_bytes(b"damaged")
    (root / "quarantine").write_text("in the way")

    assert one.drain() == []
    assert one.outbox.counts() == Counts(offered=1, dropped={"corrupt": 1})
    assert one.spool.troubles == {"not_set_aside": 1}
    assert segment.exists()


def test_a_disk_that_cannot_be_waited_for_is_counted(process: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = process(), process()
    for each in (one, two):
        each.write("a")

    def fsync(_descriptor: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", fsync)
    one.backlog.sync()
    two.spool.close()

    assert (one.spool.troubles, two.spool.troubles) == ({"not_synced": 1}, {"not_written": 1})
    assert one.drain() == ["a"]


def test_the_newest_gives_way_to_what_is_newer_still_where_the_budget_is_tiny(process: Any, root: Path) -> None:
    one = process(budget_bytes=2**15)
    for number in range(6):
        assert one.write(f"number {number}", *words(40))
        assert size_bytes(root) <= 2**15

    left = one.drain()
    assert left[0] == "number 5"
    assert one.outbox.counts().balance == 0


def test_files_and_directories_of_somebody_else_in_the_spool_are_left_alone(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    (directory,) = root.glob("w-*")
    (directory / "notes.txt").write_text("mine")
    (directory / "folder").mkdir()
    (root / "w-elsewhere").symlink_to("/nowhere")
    one.die()
    two = process()
    two.write("b")

    assert two.drain() == ["a", "b"]
    assert (directory / "notes.txt").read_text() == "mine"


def test_a_segment_whose_acknowledgement_says_all_is_settled_is_removed_unread(process: Any, root: Path) -> None:
    one = process()
    one.write("a")
    one.backlog.seal()
    one.die()
    (segment,) = root.rglob("*.seg")
    size = segment.stat().st_size
    segment.with_name(segment.name.replace(".1.seg", ".ack")).write_text(f"{size} 1\n")

    two = process()

    assert two.outbox.counts() == Counts()
    assert not segment.exists()


def test_what_a_living_process_of_another_kind_keeps_gives_way_and_is_counted_there(
    process: Any, root: Path, clock: FakeClock
) -> None:
    budget = 2**20
    spans = process(budget_bytes=budget, signal="spans")
    for _ in range(60):
        assert spans.write(*words(20))
    clock.advance(1.0)
    events = process(budget_bytes=budget)
    for _ in range(60):
        assert events.write(*words(20))
        assert size_bytes(root) <= budget
    left = len(spans.drain())

    counts = spans.outbox.counts()
    assert (counts.balance, counts.spooled, counts.delivered) == (0, 0, left)
    assert counts.dropped["spool_full"] == 1200 - left > 0
    assert events.outbox.counts().dropped == {}


def test_a_child_forked_in_the_middle_of_a_write_does_not_keep_the_lock_of_all(process: Any, root: Path) -> None:
    statuses: list[int] = []

    def step(name: str) -> None:
        if name == "record written" and not statuses:
            child = os.fork()
            if not child:
                one.spool.forget()
                os._exit(len(open_files(root)))
            statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    one = process(step=step)
    one.write("a")

    assert statuses == [0]
    assert one.drain() == ["a"]


def open_files(root: Path) -> list[str]:
    """The files below *root* that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for link in links if (target := str(os.path.realpath(link))).startswith(str(root))]


def test_what_nobody_here_keeps_books_of_gives_way_uncounted(process: Any, root: Path, clock: FakeClock) -> None:
    budget = 2**20
    one = process(budget_bytes=budget, signal="spans")
    for _ in range(80):
        one.write(*words(20))
    one.die()
    clock.advance(1.0)
    two = process(budget_bytes=budget)
    for _ in range(60):
        assert two.write(*words(20))
        assert size_bytes(root) <= budget

    assert two.outbox.counts() == Counts(offered=1200, spooled=1200)


def test_a_segment_into_which_nothing_could_be_written_is_removed(process: Any, root: Path) -> None:
    def step(name: str) -> None:
        if name == "record written":
            raise OSError(errno.ENOSPC, "full")

    one = process(step=step)

    assert not one.write("a")
    assert one.drain() == []
    assert files(root, "events.*") == []


def test_who_comes_too_late_to_write_is_told_so(process: Any) -> None:
    one = process()
    one.spool.close()

    assert not one.spool.keep(one.backlog, b"frame", 1, booked=lambda: None)


def test_the_disk_says_how_much_of_it_is_free(tmp_path: Path) -> None:
    assert 0 < free_share(tmp_path) <= 1
