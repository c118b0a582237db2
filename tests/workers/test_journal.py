"""What a process has counted is kept from slice to slice, and read by whoever finds it dead."""

from __future__ import annotations

import logging
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.counting.remains import Remains, Uncounted
from dashlight.errors import StateError
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import INBOX_FULL
from dashlight.records import Outcome
from dashlight.workers.dead_journals import DeadJournals
from dashlight.workers.journal import SLOT_BYTES, Journal, read_journal
from dashlight.workers.layouts import REMAINS

ALL = Account(captured=9, delivered=4, queued=5)


def remains_of(process: str = "7.a", count: int = 3, number: int = 1) -> Remains:
    pane = Uncounted({"/predict": {"ok": count, "error": 1}}, {INBOX_FULL: 2})
    return Remains(process, {number: pane}, {"events": ALL})


def journal(directory: Path, process: str = "7.a") -> Journal:
    made = Journal(directory, process)
    made.renew()
    return made


def path_of(directory: Path, process: str = "7.a") -> Path:
    return directory / f"{process}.journal"


def test_what_was_written_last_is_found_once_its_process_is_gone(tmp_path: Path) -> None:
    own, judge = journal(tmp_path), DeadJournals(tmp_path, "8.b")
    for count in range(1, 6):
        assert own.write(remains_of(count=count))
    assert judge.find(at=0.0) == []
    assert judge.alive == {"7.a"}

    own.close()

    assert judge.find(at=0.0) == [remains_of(count=5)]
    assert judge.alive == set()


def test_nobody_looks_at_his_own_journal(tmp_path: Path) -> None:
    journal(tmp_path).close()

    assert DeadJournals(tmp_path, "7.a").find(at=0.0) == []


def test_a_process_that_left_nothing_has_ended_all_the_same(tmp_path: Path) -> None:
    journal(tmp_path).close()

    assert DeadJournals(tmp_path, "8.b").find(at=0.0) == [Remains("7.a")]


def test_what_is_discarded_is_gone(tmp_path: Path) -> None:
    own, judge = journal(tmp_path), DeadJournals(tmp_path, "8.b")
    own.write(remains_of())
    own.close()

    judge.discard(each.process for each in judge.find(at=0.0))

    assert judge.find(at=0.0) == []
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 5), st.integers(0, 400), st.binary(min_size=1, max_size=40))
def test_a_write_that_was_torn_anywhere_leaves_the_one_before_it(
    tmp_path_factory: pytest.TempPathFactory, writes: int, cut: int, rubbish: bytes
) -> None:
    directory = tmp_path_factory.mktemp("journals")
    own = journal(directory)
    for count in range(1, writes + 1):
        own.write(remains_of(count=count))
    before = path_of(directory).read_bytes()
    own.write(remains_of(count=writes + 1))
    own.close()
    after = path_of(directory).read_bytes()
    begin = (writes + 1) % 2 * SLOT_BYTES
    torn = after[: begin + cut] + rubbish + before[begin + cut + len(rubbish) :]

    found = read_journal(torn, "7.a")

    # Whole again where the rubbish lies behind what was written.
    assert found in (remains_of(count=writes), remains_of(count=writes + 1))
    assert cut > 100 or found == remains_of(count=writes)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2 * SLOT_BYTES - 1), st.integers(1, 255))
def test_no_flipped_byte_makes_a_number_that_was_never_counted(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    directory = tmp_path_factory.mktemp("journals")
    own = journal(directory)
    own.write(remains_of(count=1))
    own.write(remains_of(count=2))
    own.close()
    blob = bytearray(path_of(directory).read_bytes())
    blob[place] ^= flip

    assert read_journal(bytes(blob), "7.a") in (remains_of(count=1), remains_of(count=2))


def rubbish(path: Path) -> None:
    path.write_bytes(os.urandom(2 * SLOT_BYTES))


def cut_short(path: Path) -> None:
    os.truncate(path, 100)


def of_another(path: Path) -> None:
    other = journal(path.parent / "other", "9.c")
    other.write(remains_of("9.c"))
    other.close()
    path.write_bytes(path_of(path.parent / "other", "9.c").read_bytes())


def too_long(path: Path) -> None:
    path.write_bytes(bytes(1 << 20))


@pytest.mark.parametrize("spoil", [rubbish, cut_short, of_another, too_long])
def test_a_journal_that_cannot_be_read_is_told_and_counted_once_and_its_process_has_ended(
    spoil: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, judge = journal(tmp_path), DeadJournals(tmp_path, "8.b")
    own.write(remains_of())
    own.close()
    spoil(path_of(tmp_path))

    with caplog.at_level(logging.WARNING):
        assert judge.find(at=0.0) == [Remains("7.a")]
        assert judge.find(at=0.0) == [Remains("7.a")]

    assert judge.troubles == {"corrupt": 1}
    assert len(caplog.messages) == 1


def test_the_journal_of_another_release_is_lost_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own, judge = journal(tmp_path), DeadJournals(tmp_path, "8.b")
    own.write(remains_of())
    own.close()
    blob = path_of(tmp_path).read_bytes().replace(b"DLst\x03", b"DLst\x63")
    path_of(tmp_path).write_bytes(blob)

    assert judge.find(at=0.0) == [Remains("7.a")]
    assert judge.troubles == {"other_version": 1}
    assert "format 99" in caplog.text


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "9.c.journal").symlink_to(tmp_path / "notes.txt")
    (tmp_path / "directory.journal").mkdir()
    judge = DeadJournals(tmp_path, "8.b")

    assert judge.find(at=0.0) == []
    assert judge.find(at=0.0) == []
    assert judge.troubles["unreadable"] == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_that_is_removed_or_cut_short_is_made_anew_and_costs_no_crash(tmp_path: Path) -> None:
    own, judge = journal(tmp_path), DeadJournals(tmp_path, "8.b")
    os.truncate(path_of(tmp_path), 0)
    assert own.write(remains_of(count=1))
    own.renew()
    assert own.write(remains_of(count=2))
    path_of(tmp_path).unlink()
    assert own.write(remains_of(count=3))
    own.renew()
    assert own.write(remains_of(count=4))

    own.close()

    assert judge.find(at=0.0) == [remains_of(count=4)]
    assert own.troubles == {}


def test_where_there_is_no_room_there_is_no_journal_which_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("where a directory should be")
    own = Journal(tmp_path / "file", "7.a")

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            own.renew()
            assert not own.write(remains_of())

    assert own.troubles == {"not_written": 1}
    assert len(caplog.messages) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full")
def test_a_disk_that_is_full_costs_the_journal_and_leaves_no_half_of_it(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    own = Journal(tmp_path, "7.a")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        assert not own.write(remains_of())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)

    assert own.troubles == {"not_written": 1}
    assert list(tmp_path.iterdir()) == []


def test_endpoints_too_many_for_the_file_are_counted_together(tmp_path: Path) -> None:
    own = journal(tmp_path)
    requests: dict[str, dict[Outcome, int]] = {f"/{number}/{'x' * 2000}": {"ok": number} for number in range(1, 34)}

    assert own.write(Remains("7.a", {1: Uncounted(requests)}))
    own.close()

    (found,) = DeadJournals(tmp_path, "8.b").find(at=0.0)
    assert found.panes == {1: Uncounted({"other": {"ok": sum(range(1, 34))}})}


def test_a_forked_child_writes_nothing_and_keeps_the_parent_s_lock(tmp_path: Path) -> None:
    own = journal(tmp_path)
    own.write(remains_of(count=1))
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        own.forget()
        os._exit(own.write(remains_of(count=2)))
    assert os.waitpid(child, 0)[1] == 0

    assert DeadJournals(tmp_path, "8.b").find(at=0.0) == []
    own.close()
    assert DeadJournals(tmp_path, "8.b").find(at=0.0) == [remains_of(count=1)]


def test_a_half_made_journal_of_a_process_that_died_is_removed(tmp_path: Path) -> None:
    draft = tmp_path / "7.a.journal.7.draft"
    draft.write_bytes(b"")

    DeadJournals(tmp_path, "8.b").find(at=0.0)

    assert not draft.exists()


def test_what_no_process_can_have_left_is_refused() -> None:
    for wrong in (
        Remains("7.a", {number: Uncounted() for number in range(9)}),
        Remains("7.a", {1: Uncounted({"/": {"ok": -1}})}),
        Remains("7.a", {1: Uncounted({}, {INBOX_FULL: 2**60})}),
        Remains("7.a", {}, {"events": Account(captured=1)}),
    ):
        with pytest.raises(StateError, match="no remains"):
            REMAINS.thaw(b"".join(REMAINS.freeze(wrong)))
