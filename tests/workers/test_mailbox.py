"""Every posted pane is read once, in order, and whatever lies in the box stays bounded."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.errors import StateError
from dashlight.store.frozen import Part, sealed
from dashlight.store.layout import Layout
from dashlight.store.private import ABANDONED_SECONDS
from dashlight.store.refused import MOST_REFUSED
from dashlight.workers.letters import look
from dashlight.workers.mailbox import (
    MOST_BYTES,
    MOST_FILES,
    MOST_MERGED_BYTES,
    MOST_OF_OTHERS,
    MOST_OWN,
    MOST_UNMERGED,
    OTHERS_SECONDS,
    Letter,
    Mailbox,
)

LATER = ABANDONED_SECONDS + 60
Numbers: TypeAlias = list[int]
NUMBERS: Layout[Numbers] = Layout("numbers", 1, list[int])


@dataclass(frozen=True)
class Heavy:
    """A pane that weighs something."""

    numbers: Numbers
    weight: NDArray[np.uint8]


HEAVY: Layout[Heavy] = Layout("heavy", 1, Heavy)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def of_size(size_bytes: int, number: int) -> Heavy:
    return Heavy([number], np.zeros(size_bytes, np.uint8))


def joined(panes: Sequence[Numbers]) -> Numbers:
    """Panes are lists of numbers here, and merge to one list."""
    return [number for pane in panes for number in pane]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "panes"


Opened = Callable[..., Mailbox[Numbers]]


@pytest.fixture
def opened(directory: Path) -> Opened:
    def opened(worker: str = "me", *, passed: float = 0.0) -> Mailbox[Numbers]:
        return Mailbox(directory, worker, NUMBERS, merge=joined, now=lambda: time.time() + passed)

    return opened


def frozen(numbers: Numbers) -> bytes:
    return b"".join(NUMBERS.freeze(numbers))


def all_read(mailbox: Mailbox[Numbers]) -> list[tuple[str, Numbers]]:
    """What the reader finds, of each worker; discarded once it is counted."""
    found = mailbox.read(mailbox.waiting())
    mailbox.discard([letter.name for letter, _ in found])
    return [(letter.worker, pane) for letter, pane in found]


def of_version(version: int) -> bytes:
    return b"".join(sealed([Part("numbers", version, b"\x90")]))


def test_a_pane_is_read_by_whoever_judges_and_then_gone(opened: Opened, directory: Path) -> None:
    assert opened("one").post([1])

    assert all_read(opened("judge")) == [("one", [1])]
    assert names_in(directory) == []


def test_of_each_worker_panes_come_in_their_order(opened: Opened) -> None:
    one, two = opened("one"), opened("two")
    for number in range(3):
        two.post([number])
        one.post([number + 10])

    letters = opened("judge").waiting()

    assert letters == [
        *(Letter(f"one-{place:012}", "one", place) for place in (1, 2, 3)),
        *(Letter(f"two-{place:012}", "two", place) for place in (1, 2, 3)),
    ]
    assert [pane for _, pane in opened("judge").read(letters)] == [[10], [11], [12], [0], [1], [2]]


def test_an_empty_box_has_nothing_to_read(opened: Opened) -> None:
    assert opened().waiting() == []
    assert opened().read([]) == []


def test_what_a_reader_that_died_had_not_discarded_is_read_by_the_next(opened: Opened) -> None:
    opened("one").post([1])
    dead = opened("dead")
    assert len(dead.read(dead.waiting())) == 1

    assert all_read(opened("next")) == [("one", [1])]


def test_what_was_counted_may_be_discarded_unread(opened: Opened) -> None:
    opened("one").post([1])
    judge = opened("judge")

    judge.discard([letter.name for letter in judge.waiting()])

    assert judge.waiting() == []


@pytest.mark.parametrize("name", ["../keep", "keep", "", "keep.pane", "/etc/passwd", "one-1/../../keep"])
def test_only_letters_are_discarded(opened: Opened, directory: Path, name: str) -> None:
    judge = opened("judge")
    (directory / "keep.pane").touch()
    (directory.parent / "keep.pane").touch()

    judge.discard([name])

    assert (directory / "keep.pane").exists()
    assert (directory.parent / "keep.pane").exists()


def test_where_nobody_judges_a_worker_keeps_few_files_and_loses_nothing(opened: Opened, directory: Path) -> None:
    mailbox = opened("one")
    for number in range(100):
        mailbox.post([number])
        assert len(names_in(directory)) <= MOST_OWN

    panes = [pane for _, pane in all_read(opened("judge"))]

    assert joined(panes) == list(range(100))
    assert len(panes) <= MOST_OWN


def test_what_the_reader_has_is_not_taken_back(opened: Opened) -> None:
    mailbox, judge = opened("one"), opened("judge")
    mailbox.post([0])
    read = judge.read(judge.waiting())
    for number in range(1, 20):
        mailbox.post([number])

    assert [pane for _, pane in read] == [[0]]
    judge.discard([letter.name for letter, _ in read])
    assert joined([pane for _, pane in all_read(judge)]) == list(range(1, 20))


def test_what_its_poster_took_back_is_not_read_as_well(opened: Opened) -> None:
    mailbox, judge = opened("one"), opened("judge")
    mailbox.post([0])
    letters = judge.waiting()
    for number in range(1, MOST_OWN + 1):
        mailbox.post([number])

    assert judge.read(letters) == []
    assert judge.troubles == {}
    assert all_read(judge) == [("one", list(range(MOST_OWN + 1)))]


@pytest.mark.parametrize("claimed", [2, 3], ids=["all but one", "all"])
def test_what_the_reader_claims_while_its_poster_looks_is_left_to_it(
    opened: Opened, directory: Path, claimed: int
) -> None:
    mailbox, judge = opened("one"), opened("judge")
    for number in range(3):
        mailbox.post([number])
    seen = look(directory)
    read = judge.read(judge.waiting()[:claimed])

    mailbox._merge_own(seen)

    assert [pane for _, pane in read] == [[0], [1], [2]][:claimed]
    judge.discard([letter.name for letter, _ in read])
    assert [pane for _, pane in all_read(judge)] == [[0], [1], [2]][claimed:]
    assert mailbox.troubles == {}


def test_sequences_of_a_worker_only_grow(opened: Opened) -> None:
    mailbox = opened("one")
    for number in range(30):
        mailbox.post([number])
    again = opened("one")
    again.post([30])

    letters = again.waiting()

    assert [pane for _, pane in again.read(letters)][-1] == [30]
    assert joined([pane for _, pane in again.read(letters)]) == list(range(31))


@given(st.lists(st.sampled_from(["one", "two", "read", "die"]), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_whatever_happens_each_pane_is_counted_once(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    directory = tmp_path_factory.mktemp("box") / "panes"
    posters = {worker: Mailbox(directory, worker, NUMBERS, merge=joined) for worker in ("one", "two")}
    counted: list[int] = []
    posted = 0
    for step in [*steps, "read"]:
        if step in posters:
            posters[step].post([posted])
            posted += 1
            continue
        judge = Mailbox(directory, "judge", NUMBERS, merge=joined)
        found = judge.read(judge.waiting())
        if step == "read":  # else it dies before what it read is kept
            counted += joined([pane for _, pane in found])
            judge.discard([letter.name for letter, _ in found])

    assert sorted(counted) == list(range(posted))
    assert names_in(directory) == []


def test_posters_and_a_reader_at_once_lose_nothing_and_count_nothing_twice(directory: Path) -> None:
    script = """
import sys
from pathlib import Path
from dashlight.store.layout import Layout
from dashlight.workers.mailbox import Mailbox
layout = Layout("entries", 1, list[tuple[str, int]])
mailbox = Mailbox(Path(sys.argv[1]), sys.argv[2], layout, merge=lambda panes: [each for pane in panes for each in pane])
for number in range(300):
    assert mailbox.post([(sys.argv[2], number)])
assert not mailbox.troubles
"""
    commands = [[sys.executable, "-c", script, str(directory), worker] for worker in ("one", "two")]
    posters = [subprocess.Popen(command) for command in commands]
    entries: Layout[list[tuple[str, int]]] = Layout("entries", 1, list[tuple[str, int]])
    judge = Mailbox(directory, "judge", entries, merge=lambda panes: panes[0])
    counted: list[tuple[str, int]] = []
    is_over = False
    while not is_over:
        is_over = all(poster.poll() is not None for poster in posters)
        found = judge.read(judge.waiting())
        judge.discard([letter.name for letter, _ in found])
        for _, pane in found:
            counted += pane

    assert [poster.returncode for poster in posters] == [0, 0]
    assert counted != []
    assert sorted(counted) == [(worker, number) for worker in ("one", "two") for number in range(300)]
    assert judge.troubles == {}


def stopped_while_merging(opened: Opened, directory: Path, *, is_whole: bool) -> None:
    """Leaves the box as a poster does that is killed between two steps of merging."""
    mailbox = opened("one")
    for number in range(3):
        mailbox.post([number])
    for number in range(1, 4):
        (directory / f"one-{number:012}.pane").rename(directory / f"one-{number:012}.taken")
    if is_whole:
        (directory / "one-000000000004.merged").write_bytes(frozen([0, 1, 2]))
    else:
        (directory / "one-000000000004.merged.77-1.draft").write_bytes(b"half")


@pytest.mark.parametrize("is_whole", [True, False], ids=["after it was written", "before it was written"])
def test_a_poster_that_died_while_it_merged_loses_nothing(opened: Opened, directory: Path, *, is_whole: bool) -> None:
    stopped_while_merging(opened, directory, is_whole=is_whole)
    assert opened("judge").waiting() == []  # it may still be at work

    panes = [pane for _, pane in all_read(opened("judge", passed=LATER))]

    assert joined(panes) == [0, 1, 2]
    assert names_in(directory) == []


def test_a_draft_is_removed_once_nobody_works_on_it(opened: Opened, directory: Path) -> None:
    opened("one")
    (directory / "one-000000000001.pane.77-0.draft").write_bytes(b"half")

    assert opened("judge").waiting() == []
    assert len(names_in(directory)) == 1
    assert opened("judge", passed=LATER).waiting() == []
    assert names_in(directory) == []


@pytest.mark.parametrize("content", [b"", b"DLst", frozen([1])[:-1], b"\0" * 100], ids=["empty", "4", "cut", "zeros"])
def test_a_damaged_letter_is_counted_said_once_and_put_aside(
    opened: Opened, directory: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    mailbox = opened("one")
    for number in range(3):
        mailbox.post([number])
    for number in (1, 2):
        (directory / f"one-{number:012}.pane").write_bytes(content)
    judge = opened("judge")

    assert all_read(judge) == [("one", [2])]
    assert judge.troubles == {"corrupt": 2}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("a pane cannot be used and is lost: ")
    assert names_in(directory) == ["one-000000000001.pane.refused", "one-000000000002.pane.refused"]
    assert all_read(opened("next")) == []


def test_of_many_damaged_letters_a_few_are_kept(opened: Opened, directory: Path) -> None:
    opened("one")
    for number in range(1, MOST_REFUSED + 4):
        (directory / f"one-{number:012}.pane").write_bytes(b"half")

    assert all_read(opened("judge")) == []
    assert len(names_in(directory)) == MOST_REFUSED
    assert names_in(directory)[-1] == f"one-{MOST_REFUSED + 3:012}.pane.refused"


def test_a_letter_of_absurd_size_is_not_read(opened: Opened, directory: Path) -> None:
    opened("one").post([1])
    os.truncate(directory / "one-000000000001.pane", MOST_BYTES + 1)
    judge = opened("judge")

    assert all_read(judge) == []
    assert judge.troubles == {"unreadable": 1}
    assert names_in(directory) == ["one-000000000001.pane.refused"]


def test_letters_of_another_version_wait_for_who_can_read_them(
    opened: Opened, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened("one").post([1])
    for number, version in ((1, 2), (2, 3), (3, 2)):
        (directory / f"other-{number:012}.pane").write_bytes(of_version(version))
    judge = opened("judge")

    assert all_read(judge) == [("one", [1])]
    assert all_read(judge) == []
    assert judge.troubles == {"other_version": 3}
    (said,) = caplog.messages
    assert "panes wait for a process that can read them: a numbers of version 2: this Dashlight reads 1" in said
    assert len(names_in(directory)) == 3
    assert {name[-5:] for name in names_in(directory)} == {".pane"}


def test_letters_of_another_version_do_not_wait_for_ever(opened: Opened, directory: Path) -> None:
    opened()
    path = directory / "other-000000000001.pane"
    path.write_bytes(of_version(2))
    judge = opened("judge", passed=OTHERS_SECONDS + 60)

    assert all_read(judge) == []
    assert judge.troubles == {"other_version": 1, "too_many_of_other_versions": 1}
    assert not path.exists()


def test_letters_of_another_version_are_bounded_and_the_latest_stay(opened: Opened, directory: Path) -> None:
    opened()
    for number in range(MOST_OF_OTHERS + 3):
        path = directory / f"other-{number:012}.pane"
        path.write_bytes(of_version(2))
        os.utime(path, (time.time() - 1000 + number,) * 2)
    judge = opened("judge")

    all_read(judge)

    assert judge.troubles["too_many_of_other_versions"] == 3
    assert names_in(directory)[0] == "other-000000000003.pane"
    assert len(names_in(directory)) == MOST_OF_OTHERS


def test_the_box_is_bounded_and_the_oldest_go(opened: Opened, directory: Path) -> None:
    opened()
    for number in range(MOST_FILES + 2):
        (directory / f"w{number}-000000000001.pane").touch()
    for number in (7, 9):
        os.utime(directory / f"w{number}-000000000001.pane", (1, 1))
    judge = opened("judge")

    letters = judge.waiting()

    assert len(letters) == MOST_FILES
    assert judge.troubles == {"too_many": 2}
    assert {"w7", "w9"}.isdisjoint({letter.worker for letter in letters})


def test_what_is_none_of_ours_is_let_alone(opened: Opened, directory: Path) -> None:
    opened()
    (directory / "notes.txt").write_text("mine")
    (directory / "one-000000000001.pane").mkdir()
    (directory / "two-000000000001.pane").symlink_to(directory / "notes.txt")
    (directory / "three-1.pane").write_text("mine")
    os.mkfifo(directory / "four-000000000001.pane")
    judge = opened("judge", passed=LATER)

    assert all_read(judge) == []
    assert len(names_in(directory)) == 5
    assert judge.troubles == {}


@pytest.mark.parametrize("way", ["no room", "no plain data", "too large"])
def test_a_pane_that_cannot_be_posted_stays_with_its_owner(
    directory: Path, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    mailbox: Mailbox[object] = Mailbox(directory, "one", Layout("any", 1, Any), merge=lambda panes: panes[0])
    too_large = np.zeros(MOST_BYTES, np.uint8)
    pane: object = {"no room": [1], "no plain data": lambda: 1, "too large": too_large}[way]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if way == "no room":
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        posted = [mailbox.post(pane), mailbox.post(pane)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert posted == [False, False]
    assert mailbox.troubles == {"not_written": 2}
    assert len(caplog.records) == 1
    assert names_in(directory) == []


def test_a_box_that_was_removed_is_made_anew(opened: Opened, directory: Path) -> None:
    mailbox = opened("one")
    directory.rmdir()

    assert mailbox.post([1])

    assert all_read(opened("judge")) == [("one", [1])]


def test_a_box_that_is_gone_with_its_house_is_empty_and_takes_nothing(opened: Opened, directory: Path) -> None:
    mailbox = opened("one")
    directory.rmdir()
    directory.write_text("a file where the directory was")

    assert not mailbox.post([1])
    assert mailbox.waiting() == []
    assert mailbox.troubles == {"not_written": 1, "unreadable": 1}


def refuse(panes: Sequence[Numbers]) -> Numbers:
    raise ValueError(f"{len(panes)} panes of different columns")


def test_panes_that_cannot_be_merged_stay_as_they_are(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    mailbox = Mailbox(directory, "one", NUMBERS, merge=refuse)
    for number in range(MOST_OWN + 2):
        assert mailbox.post([number])

    assert mailbox.troubles == {"not_merged": 2}
    assert len(caplog.records) == 1
    assert "ValueError: 9 panes of different columns" in caplog.text
    assert joined([pane for _, pane in all_read(mailbox)]) == list(range(MOST_OWN + 2))


def test_panes_that_cannot_be_merged_are_bounded_and_the_latest_stay(directory: Path) -> None:
    mailbox = Mailbox(directory, "one", NUMBERS, merge=refuse)
    for number in range(MOST_UNMERGED + 5):
        mailbox.post([number])

    assert mailbox.troubles["too_many"] == 5
    assert joined([pane for _, pane in all_read(mailbox)]) == list(range(5, MOST_UNMERGED + 5))


def test_a_damaged_pane_does_not_hinder_the_others_from_being_merged(opened: Opened, directory: Path) -> None:
    mailbox = opened("one")
    for number in range(MOST_OWN):
        mailbox.post([number])
    (directory / "one-000000000003.pane").write_bytes(b"half")

    for number in range(MOST_OWN, 40):
        mailbox.post([number])

    assert mailbox.troubles == {"corrupt": 1}
    assert len(names_in(directory)) <= MOST_OWN
    assert joined([pane for _, pane in all_read(mailbox)]) == [number for number in range(40) if number != 2]


def test_of_a_pane_that_is_too_large_what_can_be_done_without_is_left_out(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox(
        directory, "one", HEAVY, merge=lambda panes: panes[0], lighten=lambda pane: of_size(0, *pane.numbers)
    )

    assert mailbox.post(of_size(MOST_BYTES, 1))
    assert mailbox.post(of_size(MOST_BYTES, 2))

    assert mailbox.troubles == {"too_large": 2}
    assert len(caplog.records) == 1
    assert [pane.numbers for _, pane in mailbox.read(mailbox.waiting())] == [[1], [2]]


def test_a_pane_that_is_too_large_even_so_stays_with_its_owner(directory: Path) -> None:
    def as_it_is(pane: Heavy) -> Heavy:
        return pane

    def raises(pane: Heavy) -> Heavy:
        raise ValueError(f"{pane.numbers} cannot be lightened")

    for lighten in (as_it_is, raises):
        mailbox = Mailbox(directory, "one", HEAVY, merge=lambda panes: panes[0], lighten=lighten)
        assert not mailbox.post(of_size(MOST_BYTES, 1))
        assert mailbox.troubles == {"too_large": 1, "not_written": 1}


@pytest.mark.parametrize("size_bytes", [7 << 20, 12 << 20], ids=["nine in the bound", "five in the bound"])
def test_panes_too_large_together_are_merged_in_part_before_any_is_lost(directory: Path, size_bytes: int) -> None:
    merged: list[int] = []

    def numbers_of(panes: Sequence[Heavy]) -> Heavy:
        merged.append(sum(pane.weight.nbytes for pane in panes))
        return Heavy([number for pane in panes for number in pane.numbers], np.zeros(100, np.uint8))

    mailbox = Mailbox(directory, "one", HEAVY, merge=numbers_of)
    for number in range(20):
        mailbox.post(of_size(size_bytes, number))
        assert len(names_in(directory)) <= MOST_OWN

    assert len(merged) > 1
    assert max(merged) <= MOST_MERGED_BYTES
    assert mailbox.troubles == {}
    found = [number for _, pane in mailbox.read(mailbox.waiting()) for number in pane.numbers]
    assert sorted(found) == list(range(20))


def test_of_panes_that_hold_too_much_together_the_oldest_are_lost(directory: Path) -> None:
    def refuse_heavy(panes: Sequence[Heavy]) -> Heavy:
        raise ValueError(f"{len(panes)} panes")

    mailbox = Mailbox(directory, "one", HEAVY, merge=refuse_heavy)
    for number in range(4):
        mailbox.post(of_size(20 << 20, number))

    assert mailbox.troubles == {"too_large_together": 1}
    assert [pane.numbers for _, pane in mailbox.read(mailbox.waiting())] == [[1], [2], [3]]


def test_only_this_user_may_read_it(opened: Opened, directory: Path) -> None:
    opened("one").post([1])

    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "one-000000000001.pane").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("worker", ["", "a/b", "a-b", "a" * 65, "a b"])
def test_a_worker_needs_a_plain_name(directory: Path, worker: str) -> None:
    with pytest.raises(ValueError, match="expected at most 64 letters, digits"):
        Mailbox(directory, worker, NUMBERS, merge=joined)


def test_a_box_that_cannot_be_made_is_refused(directory: Path) -> None:
    with pytest.raises(StateError, match="the mailbox cannot be used: "):
        Mailbox(directory / "not there", "one", NUMBERS, merge=joined)
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    with pytest.raises(StateError, match="can be written by others"):
        Mailbox(directory, "one", NUMBERS, merge=joined)
