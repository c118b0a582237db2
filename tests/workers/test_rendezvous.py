"""Processes of one application meet in one private directory, and the last one out of a temporary one removes it."""

from __future__ import annotations

import fcntl
import os
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dashlight.errors import StateError
from dashlight.workers.lease import Lease
from dashlight.workers.rendezvous import MEMBERS, Meeting

ANSWERING = """
import os, sys
from dashlight.workers.rendezvous import Meeting
meeting = Meeting.open(None, sys.argv[1])
print(meeting.path, flush=True)
for line in sys.stdin:
    print(getattr(meeting, line.strip())(), flush=True)
"""


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made by this process and its children: those of one user."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    # The processes that share out the tests are children of one parent, with one command line, and never enter.
    monkeypatch.setattr("dashlight.workers.rendezvous.is_anybody_coming", lambda entered: False)
    return tmp_path / "run" / f"dashlight-{os.geteuid()}"


class Sibling:
    """Another child of the process that starts it, in a temporary meeting."""

    def __init__(self, application: str = "shop") -> None:
        command = [sys.executable, "-c", ANSWERING, application]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.path = Path(self.answer())

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def do(self, what: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.answer()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def sibling(house: Path) -> Iterator[Callable[..., Sibling]]:
    started: list[Sibling] = []

    def start(application: str = "shop") -> Sibling:
        started.append(Sibling(application))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def test_siblings_of_one_application_meet(sibling: Callable[..., Sibling], house: Path) -> None:
    assert sibling().path == sibling().path
    assert sibling().path.parent == house


def test_siblings_of_two_applications_do_not(sibling: Callable[..., Sibling]) -> None:
    assert sibling("shop").path != sibling("bank").path


def test_children_of_two_parents_do_not(sibling: Callable[..., Sibling]) -> None:
    meeting = Meeting.open(None, "shop")

    assert sibling().path != meeting.path
    assert not meeting.is_lasting
    meeting.leave()


def test_the_last_one_out_removes_it(sibling: Callable[..., Sibling], house: Path) -> None:
    one, two = sibling(), sibling()

    one.do("leave")
    assert one.path.exists()
    two.do("leave")

    assert list(house.iterdir()) == []


def test_whatever_lies_in_it_goes_with_it(house: Path) -> None:
    meeting = Meeting.open(None, "shop")
    (meeting.path / "panes").mkdir()
    (meeting.path / "panes" / "letter").touch()
    lease = Lease(meeting.path / "lease")
    lease.take()

    meeting.leave()

    assert list(house.iterdir()) == []
    lease.release()


def test_leaving_twice_is_leaving_once(sibling: Callable[..., Sibling]) -> None:
    one, two = sibling(), sibling()

    assert [one.do("leave"), one.do("leave")] == ["None", "None"]

    assert two.do("renew") == "True"
    assert two.path.exists()


def test_whoever_comes_after_the_last_one_meets_anew(sibling: Callable[..., Sibling]) -> None:
    one = sibling()
    one.do("leave")

    assert sibling().path == one.path
    assert (one.path / MEMBERS).exists()


def test_siblings_go_on_with_what_one_left_that_was_killed(sibling: Callable[..., Sibling]) -> None:
    one = sibling()
    (one.path / "checkpoint").write_text("state")
    one.kill()

    two = sibling()

    assert (two.path / "checkpoint").read_text() == "state"
    two.do("leave")
    assert not one.path.exists()


def of_a_parent_that_is_gone() -> Path:
    """The directory of a process that was killed, and whose parent has ended."""
    script = (
        f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {ANSWERING!r}, 'shop'],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "print(child.stdout.readline().decode(), end='')\nchild.kill()\nchild.wait()\n"
    )
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


@pytest.fixture
def newcomer(house: Path) -> Iterator[Callable[[], Path]]:
    """Starts in a meeting of this process, and says where."""
    meetings: list[Meeting] = []

    def start() -> Path:
        meetings.append(Meeting.open(None, "bank"))
        return meetings[-1].path

    yield start
    for meeting in meetings:
        meeting.leave()


def test_what_was_left_by_a_family_that_is_gone_is_removed_by_whoever_starts(
    newcomer: Callable[[], Path], house: Path
) -> None:
    left = of_a_parent_that_is_gone()
    assert left.exists()

    path = newcomer()

    assert list(house.iterdir()) == [path]
    assert newcomer() == path


def test_what_somebody_is_still_in_is_not_removed(newcomer: Callable[[], Path], house: Path) -> None:
    left = of_a_parent_that_is_gone()
    descriptor = os.open(left / MEMBERS, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)

    newcomer()

    assert left.exists()
    os.close(descriptor)


def test_what_was_left_is_not_removed_while_its_parent_may_start_others(
    sibling: Callable[..., Sibling], newcomer: Callable[[], Path]
) -> None:
    one = sibling()
    one.kill()

    newcomer()

    assert one.path.exists()


@pytest.mark.parametrize("age_seconds", [0, 200_000], ids=["of late", "long ago"])
def test_a_directory_that_does_not_say_whose_it_is_is_removed_when_it_is_old(
    newcomer: Callable[[], Path], house: Path, age_seconds: float
) -> None:
    left = of_a_parent_that_is_gone()
    (left / MEMBERS).write_bytes(b"")
    changed_at = time.time() - age_seconds
    os.utime(left / MEMBERS, (changed_at, changed_at))

    newcomer()

    assert left.exists() is (age_seconds == 0)


def test_what_else_lies_in_the_house_is_let_alone(newcomer: Callable[[], Path], house: Path) -> None:
    house.mkdir(mode=0o700)
    (house / "notes").touch()
    (house / "directory").mkdir()

    newcomer()

    assert (house / "notes").exists()
    assert (house / "directory").exists()


def test_many_who_come_and_go_at_once_always_meet_somewhere(house: Path) -> None:
    script = """
import sys
from dashlight.workers.rendezvous import Meeting
for _ in range(40):
    meeting = Meeting.open(None, "shop")
    assert meeting.renew()
    meeting.leave()
"""
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]

    assert [process.wait() for process in processes] == [0, 0, 0]
    # The last one may have waited for one that was ending and had been in an earlier directory.
    subprocess.run([sys.executable, "-c", script], check=True)
    assert list(house.iterdir()) == []


def test_a_lasting_directory_lasts(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path / "state", "shop:app in /srv/shop")
    again = Meeting.open(tmp_path / "state", "shop:app in /srv/shop")
    other = Meeting.open(tmp_path / "state", "shop:app in /srv/shop!")

    assert meeting.is_lasting
    assert meeting.path == again.path
    assert meeting.path != other.path
    assert meeting.path.name.startswith("shop-app-in-srv-shop-")
    for each in (meeting, again, other):
        each.leave()
    assert meeting.path.exists()
    assert (meeting.path / "application").read_text() == "shop:app in /srv/shop"


@pytest.mark.parametrize("application", ["", "../../etc", "a" * 5000, "größe", "\ud800", "a\0b", "///"])
def test_any_name_of_an_application_stays_in_the_directory(tmp_path: Path, application: str) -> None:
    meeting = Meeting.open(tmp_path / "state", application)

    assert meeting.path.parent == tmp_path / "state"
    assert names_in(tmp_path / "state") == [meeting.path.name]
    meeting.leave()


def test_every_level_is_this_users_alone(tmp_path: Path, house: Path) -> None:
    lasting, temporary = Meeting.open(tmp_path / "a" / "state", "shop"), Meeting.open(None, "shop")

    for path in (lasting.path, lasting.path.parent, tmp_path / "a", temporary.path, house):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (*lasting.path.iterdir(), *temporary.path.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lasting.leave()
    temporary.leave()


def test_a_directory_that_is_open_to_all_may_hold_a_private_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    meeting = Meeting.open(tmp_path, "shop")

    assert stat.S_IMODE(meeting.path.stat().st_mode) == 0o700
    meeting.leave()


def test_a_link_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StateError, match="state is a symbolic link"):
        Meeting.open(tmp_path / "state", "shop")
    assert names_in(tmp_path / "elsewhere") == []


def test_a_directory_that_cannot_be_made_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file stands here")

    with pytest.raises(StateError, match=r"^DASHLIGHT_STATE_DIR='.*/state': .*/state is not a directory$"):
        Meeting.open(tmp_path / "state", "shop")


def test_a_directory_in_a_file_is_told_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StateError, match=r"^DASHLIGHT_STATE_DIR='.*/file/state': .*Not a directory"):
        Meeting.open(tmp_path / "file" / "state", "shop")


def test_a_full_file_system_is_told(tmp_path: Path, house: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(StateError, match=r"^the temporary directory: .*File too large"):
            Meeting.open(None, "shop")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_somebody_who_does_not_come_to_an_end_with_removing_is_not_waited_for(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path, "shop")
    meeting.leave()
    descriptor = os.open(meeting.path / MEMBERS, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    with pytest.raises(StateError, match="is being removed by another process, which does not come to an end"):
        Meeting.open(tmp_path, "shop")
    os.close(descriptor)


@pytest.mark.parametrize("way", ["unset", "relative", "missing", "open to others", "a file"])
def test_a_directory_of_the_login_that_cannot_be_used_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    runtime = tmp_path / "run"
    if way == "open to others":
        runtime.mkdir()
        runtime.chmod(0o755)
    elif way == "a file":
        runtime.touch(mode=0o600)
    if way == "unset":
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", "run" if way == "relative" else str(runtime))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    meeting = Meeting.open(None, "shop")

    assert meeting.path.parent.parent == tmp_path
    meeting.leave()


def test_a_directory_that_was_removed_is_made_anew(tmp_path: Path, house: Path) -> None:
    for meeting in (Meeting.open(tmp_path / "state", "shop"), Meeting.open(None, "shop")):
        assert meeting.renew()
        for each in meeting.path.iterdir():
            each.unlink()
        meeting.path.rmdir()

        assert meeting.renew()

        assert names_in(meeting.path) == ["application", "entered", MEMBERS]
        meeting.leave()
    assert list(house.iterdir()) == []


def test_a_directory_that_cannot_be_made_anew_is_no_reason_to_raise(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path / "state", "shop")
    (tmp_path / "state").rename(tmp_path / "moved")

    assert not meeting.renew()
    assert not meeting.renew()
    meeting.leave()


def test_a_meeting_that_goes_on_is_not_tidied_away_for_its_age(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path, "shop")
    os.utime(meeting.path / MEMBERS, (1, 1))

    assert meeting.renew()

    assert time.time() - (meeting.path / MEMBERS).stat().st_mtime < 600
    meeting.leave()


def test_the_list_of_those_who_entered_does_not_grow_for_ever(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path, "shop")
    path = meeting.path
    meeting.leave()
    (path / "entered").write_text("1\n" * 40_000)

    Meeting.open(tmp_path, "shop").leave()

    assert (path / "entered").read_text() == f"{os.getpid()}\n"


def test_what_lies_in_a_meeting_that_goes_on_is_not_tidied_away_for_its_age(tmp_path: Path) -> None:
    meeting = Meeting.open(tmp_path, "shop")
    (meeting.path / "token").write_text("a-token-of-some-length")
    (meeting.path / "panes").mkdir()
    (meeting.path / "link").symlink_to("token")
    for name in (MEMBERS, "application", "token"):
        os.utime(meeting.path / name, (1, 1))

    assert meeting.renew()

    for name in ("application", "token"):
        found = (meeting.path / name).stat()
        assert time.time() - found.st_atime < 600
        assert found.st_mtime == 1
    meeting.leave()


def test_what_is_spared_keeps_its_locks(tmp_path: Path) -> None:
    # SQLite locks by process and file: whoever closes any descriptor of the file ends them.
    meeting = Meeting.open(tmp_path, "shop")
    path = meeting.path / "labels.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE rows (x)")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rows VALUES (1)")
    os.utime(meeting.path / MEMBERS, (1, 1))

    assert meeting.renew()

    script = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('INSERT INTO rows VALUES (2)')"
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "database is locked" in other.stderr
    connection.execute("COMMIT")
    connection.close()
    meeting.leave()


def do_in_a_fork(act: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_forked_child_does_not_end_the_meeting_of_its_parent(house: Path) -> None:
    meeting = Meeting.open(None, "shop")

    do_in_a_fork(meeting.leave)
    do_in_a_fork(meeting.forget)

    assert meeting.path.exists()
    assert meeting.renew()
    meeting.leave()
    assert not meeting.path.exists()


def test_a_forked_child_enters_as_a_member_of_its_own(house: Path) -> None:
    meeting = Meeting.open(None, "shop")
    path = meeting.path
    told, telling = os.pipe()
    waited_for, ending = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ending)
        os.write(telling, b"entered" if meeting.renew() else b"refused")
        os.read(waited_for, 1)
        meeting.leave()
        os._exit(0)
    assert os.read(told, 7) == b"entered"

    meeting.leave()
    assert path.exists()
    os.close(ending)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not path.exists()
    for descriptor in (told, telling, waited_for):
        os.close(descriptor)


def test_of_those_who_enter_at_once_one_is_the_first(tmp_path: Path) -> None:
    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            meetings = list(pool.map(lambda _: Meeting.open(tmp_path, "app"), range(8)))

        assert sum(meeting.is_first for meeting in meetings) == 1
        for meeting in meetings:
            meeting.leave()


def test_whoever_comes_when_somebody_is_in_is_not_the_first(tmp_path: Path) -> None:
    first, second = Meeting.open(tmp_path, "app"), Meeting.open(tmp_path, "app")
    first.leave()
    third = Meeting.open(tmp_path, "app")
    second.leave()
    third.leave()

    assert [first.is_first, second.is_first, third.is_first] == [True, False, False]
    assert Meeting.open(tmp_path, "app").is_first


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of everybody, and a home with a cache that is this user's alone."""
    for name, mode in (("tmp", 0o1777), ("home", 0o700), ("home/.cache", 0o700)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr("dashlight.workers.rendezvous.is_anybody_coming", lambda entered: False)
    monkeypatch.setattr("dashlight.workers.rendezvous._SHARED_BY_ALL", (tmp_path / "shm",))
    return tmp_path


def taken_by_a_link(house: Path) -> None:
    house.symlink_to(house.parent)


def taken_by_a_file(house: Path) -> None:
    house.write_text("")


def open_to_everybody(house: Path) -> None:
    house.mkdir()
    house.chmod(0o777)


def of_another_user(house: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    house.mkdir(mode=0o700)
    os.chown(house, 12345, 12345)


@pytest.mark.parametrize("spoil", [taken_by_a_link, taken_by_a_file, open_to_everybody, of_another_user])
def test_where_the_usual_place_was_taken_all_meet_in_another_and_one_says_so(
    places: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    name = f"dashlight-{os.geteuid()}"
    spoil(places / "tmp" / name)

    first, second = Meeting.open(None, "shop"), Meeting.open(None, "shop")

    assert first.path == second.path
    assert first.path.parent == places / "home" / ".cache" / name
    assert [first.is_first, second.is_first] == [True, False]
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith(f"; the processes of this server meet in {first.path.parent} instead")
    first.leave()
    second.leave()


def test_where_no_place_of_ones_own_is_left_they_meet_in_one_of_everybodys(places: Path) -> None:
    open_to_everybody(places / "tmp" / f"dashlight-{os.geteuid()}")
    (places / "home" / ".cache").chmod(0o777)
    (places / "shm").mkdir()

    meeting = Meeting.open(None, "shop")

    assert meeting.path.is_relative_to(places / "shm")
    meeting.leave()


def test_where_no_place_is_left_at_all_every_reason_is_told(places: Path) -> None:
    name = f"dashlight-{os.geteuid()}"
    open_to_everybody(places / "tmp" / name)
    taken_by_a_file(places / "home" / ".cache" / name)

    with pytest.raises(StateError, match=r"can be written by others.*; .*is not a directory"):
        Meeting.open(None, "shop")


def test_where_there_is_no_temporary_directory_the_other_places_are_tried(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python looks for one by writing to it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(StateError, match="File too large"):
            Meeting.open(None, "shop")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (places / "home" / ".cache" / f"dashlight-{os.geteuid()}").is_dir()


def test_the_usual_place_is_used_again_once_it_is_free(places: Path) -> None:
    house = places / "tmp" / f"dashlight-{os.geteuid()}"
    taken_by_a_file(house)
    Meeting.open(None, "shop").leave()
    house.unlink()

    meeting = Meeting.open(None, "shop")

    assert meeting.path.parent == house
    meeting.leave()
