"""What is said of a state directory before a server relies on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dashlight.cli.checks.disk import clock_findings, state_findings


def levels(directory: object, **options: Path) -> list[str]:
    return [each.level for each in state_findings(str(directory), **options)]


def said(directory: object, **options: Path) -> str:
    return " ".join(each.sentence for each in state_findings(str(directory), **options))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory


def test_a_directory_that_is_ones_own_is_well_and_stays_as_it_is(state: Path) -> None:
    assert levels(state) == ["ok"]
    assert list(state.iterdir()) == []


def test_without_one_it_is_said_what_ends_with_the_server() -> None:
    assert levels("") == ["missing"]


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert levels(tmp_path / "a" / "b") == ["ok", "ok"]
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_directory_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)

    assert levels(tmp_path / "file") == ["wrong"]
    assert levels(tmp_path / "link") == ["wrong"]
    assert levels(tmp_path / "file" / "below") == ["wrong"]


def test_one_that_everybody_can_write_is_unusual(state: Path) -> None:
    state.chmod(0o777)
    assert levels(state) == ["unusual", "ok"]

    state.chmod(0o1777)
    assert levels(state) == ["ok"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_one_of_somebody_else_is_wrong(state: Path) -> None:
    os.chown(state, 12345, 12345)

    assert levels(state) == ["wrong"]
    assert "belongs to user 12345" in said(state)


def test_a_path_that_depends_on_where_the_server_starts_is_unusual(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state.parent)

    assert levels("state") == ["unusual", "ok"]
    assert levels("~/state")[0] == "unusual"


def test_a_file_system_over_a_network_is_unusual(state: Path, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"40 22 0:50 / {state.parent.resolve()} rw shared:2 - nfs4 server:/x rw\n"
        "garbage\n"
    )

    assert levels(state, mounts=mounts) == ["ok", "unusual"]
    assert "nfs4" in said(state, mounts=mounts)
    assert levels(state, mounts=tmp_path / "none") == ["ok"]


def test_where_nothing_can_be_made_it_is_wrong() -> None:
    assert "wrong" in levels("/proc/dashlight")


@pytest.mark.parametrize(("at", "is_wrong"), [(0.0, True), (1.8e9, False), (5e9, True)], ids=["1970", "2027", "2128"])
def test_a_clock_that_cannot_be_right_is_wrong(at: float, *, is_wrong: bool) -> None:
    assert [each.level for each in clock_findings(at)] == ["wrong"] * is_wrong


def test_a_disk_that_is_nearly_full_is_unusual(state: Path) -> None:
    script = (
        "import shutil, sys\n"
        "from collections import namedtuple\n"
        "from dashlight.cli.checks import disk\n"
        "shutil.disk_usage = lambda path: namedtuple('Usage', 'total used free')(10**12, 98 * 10**10, 2 * 10**10)\n"
        "print([each.level for each in disk.state_findings(sys.argv[1])])"
    )

    done = subprocess.run([sys.executable, "-c", script, str(state)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['ok', 'unusual']"
