"""Files and directories are this user's alone, or are refused."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from dashlight.errors import StateError
from dashlight.store.private import (
    ABANDONED_SECONDS,
    check_shared_directory,
    is_abandoned,
    make_directory,
    open_private,
    read_private,
    write_private,
)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory of somebody who is neither this user nor root."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    path = tmp_path / "foreign"
    path.mkdir(mode=0o700)
    os.chown(path, 12345, 12345)
    return path


def test_a_directory_is_made_for_this_user_alone(tmp_path: Path) -> None:
    make_directory(tmp_path / "state")
    make_directory(tmp_path / "state")

    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777], ids=["group", "others", "all"])
def test_a_private_directory_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "state"
    path.mkdir()
    path.chmod(mode)

    with pytest.raises(StateError, match="can be written by others: expected a directory of mode 0700"):
        make_directory(path)
    check_shared_directory(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    for check in (make_directory, check_shared_directory):
        with pytest.raises(StateError, match="link is a symbolic link: expected a directory"):
            check(tmp_path / "link")


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for check in (make_directory, check_shared_directory):
        with pytest.raises(StateError, match="file is not a directory"):
            check(tmp_path / "file")


def test_somebody_elses_directory_is_refused(foreign: Path) -> None:
    for check in (make_directory, check_shared_directory):
        with pytest.raises(StateError, match="belongs to user 12345: expected 0"):
            check(foreign)


def test_somebody_elses_file_is_not_opened(foreign: Path) -> None:
    (foreign / "file").touch()
    os.chown(foreign / "file", 12345, 12345)

    with pytest.raises(PermissionError, match="is not a file of this user"):
        open_private(foreign / "file", os.O_RDONLY)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(PermissionError, match="is not a file of this user"):
        read_private(tmp_path / "pipe", most_bytes=10)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    known_by = write_private(tmp_path / "file", b"abc")

    assert read_private(tmp_path / "file", most_bytes=3) == (bytearray(b"abc"), known_by)
    with pytest.raises(OSError, match="has 3 bytes: expected at most 2"):
        read_private(tmp_path / "file", most_bytes=2)


def test_threads_that_write_the_same_file_do_not_write_the_same_draft(tmp_path: Path) -> None:
    blobs = [bytes([number]) * 100_000 for number in range(4)]

    def write(blob: bytes) -> None:
        for _ in range(30):
            write_private(tmp_path / "file", blob)

    threads = [threading.Thread(target=write, args=(blob,)) for blob in blobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read_private(tmp_path / "file", most_bytes=1 << 20)[0] in blobs
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("passed", "abandoned"),
    [(0.0, False), (ABANDONED_SECONDS + 60, True), (-ABANDONED_SECONDS - 60, True)],
    ids=["just now", "long ago", "after the clock was set back"],
)
def test_what_nobody_finished_for_long_is_abandoned(tmp_path: Path, passed: float, *, abandoned: bool) -> None:
    found = tmp_path.stat()

    assert is_abandoned(found, at=found.st_ctime + passed) is abandoned
