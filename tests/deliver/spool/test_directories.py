from __future__ import annotations

import errno
import fcntl
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.spool.directories import OwnedDirectory, directories, is_owned


@pytest.fixture
def owned(root: Path) -> OwnedDirectory:
    """A directory of this process."""
    root.mkdir(mode=0o700)
    return OwnedDirectory.make(root, step=lambda _name: None)


def test_one_that_is_owned_is_nobody_else_s(owned: OwnedDirectory) -> None:
    assert is_owned(owned.path)
    assert OwnedDirectory.adopt(owned.path) is None
    assert owned.is_there


def test_one_that_was_left_empty_is_gone(owned: OwnedDirectory, root: Path) -> None:
    owned.leave()
    owned.leave()

    assert directories(root) == []
    assert not is_owned(owned.path)
    assert OwnedDirectory.adopt(owned.path) is None


def test_one_that_was_left_with_something_in_it_is_there_for_the_next(owned: OwnedDirectory, root: Path) -> None:
    (owned.path / "something").touch()
    owned.leave()
    adopted = OwnedDirectory.adopt(owned.path)

    assert adopted is not None
    assert directories(root) == [owned.path]
    adopted.forget()


def test_one_whose_owner_died_while_removing_it_can_be_taken_over(root: Path) -> None:
    (root / "w-1-00000000").mkdir(parents=True, mode=0o700)
    adopted = OwnedDirectory.adopt(root / "w-1-00000000")

    assert adopted is not None
    adopted.leave()
    assert directories(root) == []


def test_where_locks_do_not_work_nothing_is_taken_over_or_given_up(
    owned: OwnedDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(fcntl, "flock", flock)

    assert OwnedDirectory.adopt(owned.path) is None
    assert is_owned(owned.path)


def test_a_process_that_was_stopped_while_it_held_the_lock_of_all_stops_nobody(process: Any, root: Path) -> None:
    one = process()
    with (root / "lock").open() as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)

        assert one.write("a")
    assert one.drain() == ["a"]


def test_many_are_taken_over_a_part_at_a_time(process: Any, clock: Any) -> None:
    for number in range(70):
        one = process(looks=False)
        one.write(f"e{number}")
        one.die()
    last = process()
    first = last.outbox.counts().recovered
    last.drain()
    clock.advance(60.0)
    last.spool.look()

    assert first == 64
    assert last.outbox.counts().recovered == 70
    assert len(last.drain()) == 6
