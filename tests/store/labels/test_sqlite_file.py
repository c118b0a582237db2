from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dashlight.errors import StateError
from dashlight.labels.label import Label
from dashlight.labels.rows import ModelKey, ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.file_systems import network_file_system
from dashlight.store.labels.sqlite_file import SqliteFile
from dashlight.store.labels.sqlite_store import SqliteLabelStore
from dashlight.store.labels.sqlite_tending import Tending
from dashlight.testing import FakeClock

Make = Callable[..., ScoredRows]
NOW = 1_700_000_000.0
DAY = 86400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def make_store(tmp_path: Path, hash_key: HashKey, clock: FakeClock) -> Callable[..., SqliteLabelStore]:
    def make(*, window: float = DAY, most_bytes: int = 1 << 30, most_waiting_bytes: int = 1 << 25) -> SqliteLabelStore:
        return SqliteLabelStore(
            tmp_path / "labels.sqlite", hash_key=hash_key, label_window=window, most_bytes=most_bytes, clock=clock,
            write_seconds=0.02, most_waiting_bytes=most_waiting_bytes,
        )  # fmt: skip

    return make


def tend(store: SqliteLabelStore, *, times: int = 1) -> None:
    """Tends the file of *store*, as another process would."""
    own = store._tending
    file = SqliteFile(store._tended.path, began_at=0)
    tending = Tending(file, clock=own._clock, label_window=own._label_window, most_bytes=own._most_bytes)
    for _ in range(times):
        tending._looked_at = float("-inf")
        tending.step()
    file.close()
    store._troubles.update(tending.troubles)


def count(path: Path, table: str) -> int:
    with sqlite3.connect(path) as connection:
        found = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    connection.close()
    return int(found)


_WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from dashlight.clock import SystemClock
from dashlight.labels.ids import key_of
from dashlight.labels.label import Label
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.store.labels.sqlite_store import SqliteLabelStore
key = HashKey(b"k" * 32)
store = SqliteLabelStore(Path(sys.argv[1]), hash_key=key, label_window=1e9, most_bytes=1 << 30, clock=SystemClock(),
                         write_seconds=0.01)
name, total = sys.argv[2], int(sys.argv[3])
for begin in range(0, total, 50):
    n = 50
    store.keep(ScoredRows(("/", "m", ""), "binary", ("no", "yes"),
        keys=np.frombuffer(b"".join(key_of(f"{name}{i}", key) for i in range(begin, begin + n)), "V16"),
        origins=np.frombuffer(bytes(16 * n), "V16"), places=np.arange(n, dtype=np.int32),
        predicted_at=np.full(n, time.time()), scores=np.full(n, 0.5), predictions=np.zeros(n, np.int32),
        steps=np.zeros(n, np.int32)))
    store.flush(30.0)
    print(begin + n, flush=True)
    other = "b" if name == "a" else "a"
    store.label([Label(f"{each}{i}", "yes") for each in (name, other) for i in range(begin, begin + n)], time.time())
if "stay" in sys.argv:
    time.sleep(60)
store.close(30.0)
"""


def test_kill_9_loses_nothing_that_was_stored(tmp_path: Path, make_store: Callable[..., SqliteLabelStore]) -> None:
    path = tmp_path / "labels.sqlite"
    command = [sys.executable, "-c", _WRITER, str(path), "a", "1000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(40)]
        process.send_signal(signal.SIGKILL)

    store = make_store(window=1e9)
    fates = store.label([Label(f"a{n}", "yes") for n in range(told[-1])], NOW)

    assert set(fates) <= {"matched", "duplicate"}
    labelled = sum(rows.row_count for rows in store.met(0, most_rows=1 << 20).rows)
    assert labelled >= told[-1]
    assert store.troubles().get("file_refused", 0) == 0
    store.close(5.0)


def test_several_processes_write_and_label_at_once(tmp_path: Path, make_store: Callable[..., SqliteLabelStore]) -> None:
    path = tmp_path / "labels.sqlite"
    commands = [[sys.executable, "-c", _WRITER, str(path), name, "2000"] for name in "ab"]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]

    assert [process.wait(120) for process in processes] == [0, 0]

    store = make_store(window=1e9)
    met, cursor = list[int](), 0
    while not met or met[-1]:
        part = store.met(cursor, most_rows=700)
        cursor = part.cursor
        met.append(sum(rows.row_count for rows in part.rows))
    counts = store.waiting(("/", "m", ""), since_at=0.0)
    store.close(5.0)
    # Each label came twice, often before its prediction, and met it once.
    assert sum(met) == 4000
    assert (counts.predictions.sum(), counts.labelled.sum()) == (4000, 4000)


@pytest.mark.parametrize("damage", ["foreign", "other", "cut", "scribbled"])
def test_a_file_that_is_damaged_is_put_aside_once(
    tmp_path: Path,
    make_store: Callable[..., SqliteLabelStore],
    rows: Make,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "labels.sqlite"
    store = make_store()
    store.keep(rows([f"{n}" for n in range(3000)], at=NOW))
    store.close(5.0)
    if damage == "foreign":
        path.write_bytes(b"not a database at all, but long enough to be one" * 100)
    elif damage == "other":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE theirs (x)")
        connection.close()
        path.chmod(0o600)
    elif damage == "cut":
        os.truncate(path, path.stat().st_size // 2)
    else:
        content = bytearray(path.read_bytes())
        content[4096:] = bytes(len(content) - 4096)
        path.write_bytes(content)
    caplog.set_level(logging.WARNING)

    store = make_store()
    for n in range(3):
        store.keep(rows([f"new{n}"], at=NOW))
        store.flush(5.0)
    fates: list[str] = []
    for _ in range(3):
        try:
            fates = [*store.label([Label("new0", "yes"), Label("new2", "yes")], NOW)]
            break
        except StateError:
            store._queue._is_failing = False
            store.flush(5.0)
    store.keep(rows(["later"], at=NOW))
    store.close(5.0)

    store = make_store()
    assert store.label([Label("later", "yes")], NOW) == ["matched"]
    store.close(5.0)
    assert len(list(tmp_path.glob("*.refused"))) == 1
    aside = [record for record in caplog.records if "put aside" in record.getMessage()]
    assert len(aside) == 1
    assert fates


def test_others_go_on_in_the_new_file_when_one_puts_the_old_aside(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make
) -> None:
    one = make_store()
    one.keep(rows(["a"], at=NOW))
    one.flush(5.0)
    (tmp_path / "labels.sqlite").rename(tmp_path / "labels.sqlite.refused")
    for end in ("-wal", "-shm"):
        (tmp_path / f"labels.sqlite{end}").unlink()
    other = make_store()
    other.keep(rows(["b"], at=NOW))
    other.flush(5.0)

    assert one.label([Label("b", "yes"), Label("a", "yes")], NOW) == ["matched", "unknown"]
    assert [each.row_count for each in one.met(0, most_rows=9).rows] == [1]
    one.close(5.0)
    other.close(5.0)


def test_numbers_of_a_new_file_follow_those_of_the_old(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, clock: FakeClock
) -> None:
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)
    store.label([Label("a", "yes")], NOW)
    cursor = store.met(0, most_rows=9).cursor
    store.close(5.0)
    (tmp_path / "labels.sqlite").unlink()
    clock.advance(1.0)

    store = make_store()
    store.keep(rows(["b"], at=NOW))
    store.flush(5.0)
    store.label([Label("b", "yes")], NOW)

    assert [each.row_count for each in store.met(cursor, most_rows=9).rows] == [1]
    store.close(5.0)


def test_the_file_can_be_read_by_this_user_alone(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make
) -> None:
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    store.close(5.0)

    assert modes.keys() >= {"labels.sqlite", "labels.sqlite-wal"}
    assert set(modes.values()) == {0o600}


def test_a_link_is_not_followed(tmp_path: Path, make_store: Callable[..., SqliteLabelStore]) -> None:
    (tmp_path / "elsewhere").touch(mode=0o600)
    (tmp_path / "labels.sqlite").symlink_to(tmp_path / "elsewhere")
    store = make_store()

    with pytest.raises(StateError, match="expected a file of this user"):
        store.label([Label("a", "yes")], NOW)
    store.close(5.0)


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path, make_store: Callable[..., SqliteLabelStore]) -> None:
    threads = threading.active_count()
    store = make_store()

    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads
    store.close(5.0)


def test_small_batches_become_few_large_ones(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, model: ModelKey
) -> None:
    store = make_store(window=1000 * DAY)
    for n in range(100):
        others = [f"trace {n}:{place}" if place % 2 else "" for place in range(10)]
        store.keep(rows([f"{n}:{place}" for place in range(10)], at=NOW + n, codes=True, others=others))
        store.flush(5.0)
    tend(store, times=30)

    assert count(tmp_path / "labels.sqlite", "batches") < 20
    assert set(store.label([Label(f"{n}:{n % 10}", "yes") for n in range(100)], NOW + 200)) == {"matched"}
    assert set(store.label([Label(f"trace {n}:1", "yes") for n in range(2, 10)], NOW + 200)) == {"matched"}
    scored = store.scored(model, since_at=0.0, until_at=NOW + 200, most_rows=10_000)
    assert sum(each.row_count for each in scored) == 1000
    for each in scored:
        assert each.codes is not None
        assert each.sampled is not None
        assert (each.codes[0] == each.places[each.sampled]).all()
    assert sum(len(each.sampled) for each in scored if each.sampled is not None) == 1000
    store.close(5.0)


def test_what_waited_long_enough_goes_and_the_file_shrinks(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, model: ModelKey, clock: FakeClock
) -> None:
    store = make_store()
    for n in range(4):
        store.keep(rows([f"{n}:{place}" for place in range(10_000)], at=NOW, codes=True))
    store.flush(10.0)
    store.label([Label(f"0:{place}", "yes") for place in range(5000)], NOW)
    store.label([Label("nobody", "yes")], NOW)
    store.close(5.0)
    before = (tmp_path / "labels.sqlite").stat().st_size
    clock.advance(3 * DAY)

    store = make_store()
    store.keep(rows(["new"], at=NOW + 3 * DAY))
    store.flush(5.0)
    tend(store)

    assert store.waiting(model, since_at=0.0).predictions.sum() == 1
    assert store.troubles() == {}
    store.close(5.0)
    assert (tmp_path / "labels.sqlite").stat().st_size < before / 2
    tables = ("batches", "codes", "labelled", "orphans", "met")
    assert [count(tmp_path / "labels.sqlite", table) for table in tables] == [1, 0, 0, 0, 0]


def test_the_oldest_give_way_where_there_is_no_room(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make
) -> None:
    store = make_store(most_bytes=4 << 20)
    for n in range(10):
        store.keep(rows([f"{n}:{place}" for place in range(16_000)], at=NOW + n))
        store.flush(10.0)
        tend(store)

    assert store.label([Label("0:1", "yes"), Label("9:1", "yes")], NOW + 20) == ["unknown", "matched"]
    assert store.troubles()["gave_way"] >= 16_000
    store.close(5.0)
    assert (tmp_path / "labels.sqlite").stat().st_size < 6 << 20


def test_a_sample_that_grows_too_large_thins_itself_and_stays_uniform(
    make_store: Callable[..., SqliteLabelStore], rows: Make, model: ModelKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashlight.store.labels.sqlite_tending.MOST_DRAWN", 1000)
    store = make_store()
    for n in range(8):
        store.keep(rows([f"{n}:{place}" for place in range(1000)], at=NOW + n, codes=True))
        store.flush(5.0)
        tend(store)

    scored = store.scored(model, since_at=0.0, until_at=NOW + 99, most_rows=10**6)
    drawn = np.concatenate([each.predicted_at[each.sampled] for each in scored if each.sampled is not None])
    store.close(5.0)
    assert sum(each.row_count for each in scored) == 8000
    assert 250 < len(drawn) <= 1100
    assert abs(drawn.mean() - NOW - 3.5) < 5 * np.sqrt(63 / 12 / len(drawn))


def test_a_disk_that_is_full_is_said_once_and_tried_again(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)
    connection = store._writing._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    for n in range(3):
        store.keep(rows([f"{n}:{place}" for place in range(5000)], at=NOW))
        store.flush(5.0)

    with pytest.raises(StateError, match="full"):
        store.label([Label("0:1", "yes"), *(Label(f"x{n}", "yes") for n in range(9999))], NOW)
    said = [record.getMessage() for record in caplog.records]
    assert sum("takes no predictions for the moment" in each for each in said) == 1
    connection.execute("PRAGMA max_page_count = 1000000")
    store.close(10.0)

    store = make_store()
    assert store.label([Label("0:1", "yes"), Label("2:4999", "yes")], NOW) == ["matched", "matched"]
    store.close(5.0)


def test_what_does_not_fit_is_counted_and_said_once(
    make_store: Callable[..., SqliteLabelStore], rows: Make, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(most_waiting_bytes=100_000)
    for _ in range(3):
        store.keep(rows([f"{n}" for n in range(5000)], at=NOW))

    assert store.troubles() == {"not_kept": 15_000}
    assert sum("are not kept" in record.getMessage() for record in caplog.records) == 1
    store.close(5.0)


@pytest.mark.parametrize(
    ("kind", "found"),
    [("ext4", ""), ("overlay", ""), ("tmpfs", ""), ("nfs4", "nfs4"), ("cifs", "cifs"), ("fuse.sshfs", "fuse.sshfs"),
     ("9p", "9p"), ("lustre", "lustre"), ("fuse.glusterfs", "fuse.glusterfs"), ("fuseblk", "")],
)  # fmt: skip
def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path, kind: str, found: str) -> None:
    mounts, state = tmp_path / "mounts", tmp_path / "a state"
    state.mkdir()
    place = os.path.realpath(state).replace(" ", "\\040")
    mounts.write_text(f"none / ext4 rw 0 0\nserver:/x {place} {kind} rw 0 0\nother {place}2 nfs rw 0 0\ncut\n")

    assert network_file_system(state, mounts=mounts) == found
    assert network_file_system(tmp_path, mounts=mounts) == ""
    assert network_file_system(state, mounts=tmp_path / "nowhere") == ""


def test_a_network_file_system_is_refused_with_what_to_do(
    make_store: Callable[..., SqliteLabelStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashlight.store.labels.sqlite_file.network_file_system", lambda _: "nfs4")
    store = make_store()

    with pytest.raises(
        StateError, match=r"is on nfs4, .*DASHLIGHT_STATE_DIR to a local disk, or DASHLIGHT_STORE=redis"
    ):
        store.label([Label("a", "yes")], NOW)
    store.close(5.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_by_itself(make_store: Callable[..., SqliteLabelStore], rows: Make) -> None:
    store = make_store()
    store.keep(rows(["a"], at=NOW))
    store.flush(5.0)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            store.forget()
            store.keep(rows(["b"], at=NOW))
            store.flush(5.0)
            status = int(list(store.label([Label("a", "yes")], NOW)) != ["matched"])
            store.close(5.0)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    assert store.label([Label("a", "yes"), Label("b", "yes")], NOW) == ["duplicate", "matched"]
    store.close(5.0)


def test_tending_is_for_two_at_once(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, clock: FakeClock
) -> None:
    store, other = make_store(window=1000 * DAY), make_store(window=1000 * DAY)
    for n in range(60):
        (store if n % 2 else other).keep(rows([f"{n}:{place}" for place in range(20)], at=NOW + n))
        store.flush(5.0)
        other.flush(5.0)

    assert set(store.label([Label(f"{n}:{n % 20}", "yes") for n in range(60)], NOW + 99)) == {"matched"}
    assert "file_refused" not in {**store.troubles(), **other.troubles()}
    store.close(5.0)
    other.close(5.0)


@pytest.mark.parametrize("cached", [0, 1 << 24])
def test_keys_are_found_whether_or_not_they_are_in_memory(
    make_store: Callable[..., SqliteLabelStore], rows: Make, monkeypatch: pytest.MonkeyPatch, cached: int
) -> None:
    monkeypatch.setattr("dashlight.store.labels.sqlite_batches._CACHE_BYTES", cached)
    store = make_store()
    names = [f"{n}" for n in range(5000)]
    store.keep(rows(names, at=NOW, others=[f"trace {name}" for name in names]))
    store.keep(rows(["twice"] * 3000, at=[NOW + n for n in range(3000)]))
    store.flush(10.0)

    one_by_one = [store.label([Label(name, "yes")], NOW)[0] for name in [*names[::50], "nobody", "twice"]]
    traced = [store.label([Label(f"trace {name}", "yes")], NOW)[0] for name in names[2::50]]
    at_once = store.label([Label(name, "yes") for name in [*names[1::50], "nobody", "twice"]], NOW)

    assert traced == ["matched"] * 100
    assert one_by_one == ["matched"] * 100 + ["unknown", "matched"]
    assert at_once == ["matched"] * 100 + ["unknown", "duplicate"]
    assert max(each.predicted_at.max() for each in store.met(0, most_rows=999).rows) == NOW + 2999
    store.close(5.0)


def test_whatever_is_unstorable_is_lost_alone(
    make_store: Callable[..., SqliteLabelStore], rows: Make, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    bad = rows(["bad"], at=float("nan"))
    for each in (rows(["a"], at=NOW), bad, rows(["b"], at=NOW), bad, rows(["c"], at=NOW)):
        store.keep(each)
    store.flush(10.0)

    assert store.label([Label(name, "yes") for name in ("a", "b", "c", "bad")], NOW) == [*["matched"] * 3, "unknown"]
    assert store.troubles()["not_kept"] == 2
    assert sum("could not be written" in record.getMessage() for record in caplog.records) == 1
    store.close(5.0)


def test_a_file_with_anything_in_it_that_is_not_ours_is_damaged_and_no_crash(
    tmp_path: Path, make_store: Callable[..., SqliteLabelStore], rows: Make, model: ModelKey
) -> None:
    spoilings = (
        "UPDATE parts SET content = x'00'",
        "UPDATE parts SET content = substr(content, 1, 20)",
        "DELETE FROM parts",
        "UPDATE layouts SET content = '[]' || id",
        "DELETE FROM layouts",
        "UPDATE met SET content = x'80'",
        "UPDATE codes SET content = x'8163c3'",
    )
    for number, spoiling in enumerate(spoilings, 1):
        store = make_store()
        store.keep(rows(["a", "b"], at=NOW, codes=True))
        store.flush(5.0)
        store.label([Label("a", "yes")], NOW)
        store.close(5.0)
        with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
            connection.execute(spoiling)
        connection.close()

        store = make_store()
        reads: tuple[Callable[[], object], ...] = (
            lambda: store.met(0, most_rows=9),  # noqa: B023
            lambda: store.scored(model, since_at=0.0, until_at=NOW + 9, most_rows=9),  # noqa: B023
            lambda: store.unlabelled(model, since_at=0.0, most_rows=9),  # noqa: B023
            lambda: store.label([Label("b", "yes")], NOW),  # noqa: B023
        )
        kinds: list[str] = []
        for read in reads:
            try:
                read()
            except StateError as error:
                kinds.append(error.kind)
        assert kinds == ["corrupt"], spoiling
        assert store.troubles().get("file_refused", 0) == 1
        store.keep(rows(["c"], at=NOW))
        store.flush(5.0)
        assert store.label([Label("c", "yes")], NOW) == ["matched"]
        store.close(5.0)
        (tmp_path / "labels.sqlite").unlink()
        assert len(list(tmp_path.glob("*.refused"))) >= min(number, 1)
