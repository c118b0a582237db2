"""What one process writes the others read, whole."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.store.frozen import Part, sealed
from dashlight.store.layout import Layout
from dashlight.workers.record import MOST_BYTES, SharedRecord

VALUE: Layout[object] = Layout("value", 1, Any)


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "figures"


def of_another_version() -> bytes:
    return b"".join(sealed([Part("value", 2, b"\xc0")]))


def opened(path: Path, *, now: Callable[[], float] = time.time) -> SharedRecord[object]:
    return SharedRecord(path, VALUE, now=now)


def test_what_is_written_is_read_by_another(path: Path) -> None:
    assert opened(path).write({"rows": 3})

    assert opened(path).read() == {"rows": 3}


def test_where_nothing_was_written_there_is_nothing_to_read(path: Path) -> None:
    record = opened(path)

    assert record.read() is None
    assert record.changed() is None
    assert record.troubles == {}


def test_a_change_is_told_once(path: Path) -> None:
    writer, reader = opened(path), opened(path)
    writer.write(1)
    assert [reader.changed(), reader.changed()] == [1, None]

    writer.write(2)

    assert [reader.changed(), reader.changed()] == [2, None]


def test_what_one_wrote_oneself_is_no_change(path: Path) -> None:
    record = opened(path)

    record.write(1)

    assert record.changed() is None
    assert record.read() == 1


def test_nobody_else_may_read_it(path: Path) -> None:
    opened(path).write(1)

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "corrupt"), (b"DLst", "corrupt"), (b"\0" * 500, "corrupt"), (of_another_version(), "other_version")],
    ids=["empty", "half written", "zeros", "another version"],
)
def test_what_is_unusable_is_counted_and_said_once(
    path: Path, caplog: pytest.LogCaptureFixture, content: bytes, kind: str
) -> None:
    path.write_bytes(content)
    record = opened(path)

    assert [record.read(), record.read(), record.changed()] == [None, None, None]
    assert record.troubles == {kind: 2}
    (said,) = caplog.records
    assert said.levelno == logging.WARNING
    assert said.getMessage().startswith("figures is not used: ")


@pytest.mark.parametrize("content", [b"half", of_another_version(), None], ids=["damaged", "another version", "none"])
def test_whoever_writes_it_from_now_on_puts_aside_what_is_damaged_and_nothing_else(
    path: Path, content: bytes | None
) -> None:
    if content is not None:
        path.write_bytes(content)

    assert opened(path).inherited() is None
    assert names_in(path.parent) == ({b"half": ["figures.refused"], None: []}.get(content, ["figures"]))


def test_whoever_writes_it_from_now_on_reads_it_too(path: Path) -> None:
    opened(path).write(1)

    assert opened(path).inherited() == 1


def test_what_cannot_be_opened_is_asked_for_once_until_it_is_replaced(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir()
    record = opened(path)

    assert [record.changed(), record.changed()] == [None, None]
    assert record.troubles == {"unreadable": 1}
    assert len(caplog.records) == 1
    path.rmdir()
    opened(path).write(1)
    assert record.changed() == 1


def test_a_link_laid_in_the_way_is_not_followed(path: Path, tmp_path: Path) -> None:
    opened(tmp_path / "elsewhere").write(1)
    path.symlink_to(tmp_path / "elsewhere")
    record = opened(path)

    assert record.read() is None
    assert record.troubles == {"unreadable": 1}
    assert record.write(2)
    assert not path.is_symlink()
    assert opened(tmp_path / "elsewhere").read() == 1


def test_a_file_of_absurd_size_is_not_read(path: Path) -> None:
    path.touch()
    os.truncate(path, MOST_BYTES + 1)
    record = opened(path)

    assert record.read() is None
    assert record.troubles == {"unreadable": 1}


@pytest.mark.parametrize("way", ["no directory", "no room", "no plain data", "too large"])
def test_what_cannot_be_written_leaves_what_was_there(path: Path, caplog: pytest.LogCaptureFixture, way: str) -> None:
    opened(path).write("before")
    record = opened(path / "not a directory" if way == "no directory" else path)
    value: object = {"no plain data": lambda: 1, "too large": np.zeros(MOST_BYTES, np.uint8)}.get(way, "after")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    if way == "no room":
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        written = [record.write(value), record.write(value)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert written == [False, False]
    assert record.troubles == {"not_written": 2}
    assert len(caplog.records) == 1
    assert opened(path).read() == "before"
    assert names_in(path.parent) == ["figures"]


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_are_not(path: Path) -> None:
    for name in ("figures.1-0.draft", "others.1-0.draft"):
        (path.parent / name).touch()

    opened(path)
    assert names_in(path.parent) == ["figures.1-0.draft", "others.1-0.draft"]

    opened(path, now=lambda: time.time() + 3600)
    assert names_in(path.parent) == ["others.1-0.draft"]


def test_a_reader_never_sees_half_a_value(path: Path) -> None:
    script = """
import sys
from pathlib import Path
from dashlight.store.frozen import Part, sealed
from dashlight.store.layout import Layout
from dashlight.store.layout import Layout
from dashlight.workers.record import SharedRecord
record = SharedRecord(Path(sys.argv[1]), Layout("value", 1, list[int]))
for number in range(200):
    record.write([number] * 20_000)
"""
    reader = opened(path)
    last = -1
    with subprocess.Popen([sys.executable, "-c", script, str(path)]) as writer:
        while last < 199:
            assert writer.poll() in (None, 0)
            value = reader.changed()
            if value is not None:
                assert isinstance(value, list)
                assert value == [value[0]] * 20_000
                assert value[0] > last
                last = value[0]

    assert reader.troubles == {}
