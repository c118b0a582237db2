"""`dashlight.label`, from wherever an app may call it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dashlight
from dashlight.labels.label import Fate, Label
from dashlight.runtime.label_queue import LABELS_OFF, LabelQueue
from dashlight.runtime.process import MOST_WAITING, Process, process

pytestmark = pytest.mark.usefixtures("fresh_process")


class Watched:
    """Stands for a Monitor: what labels it was given."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.labels = LabelQueue(is_on=is_on)
        self.taken: list[Label] = []
        self.labels.open(self._take)

    def _take(self, labels: Sequence[Label], at: float) -> Sequence[Fate]:
        self.taken += labels
        fates: list[Fate] = ["matched" for _ in labels]
        return fates

    def flush(self, *, leaving: bool = False) -> int:
        return self.labels.flush(20)

    def close(self) -> None:
        self.labels.close(1)

    def forget(self) -> None:
        self.labels.forget()


@pytest.fixture
def watched() -> Watched:
    found = Watched()
    process.monitor = found  # type: ignore[assignment]
    return found


@pytest.mark.parametrize(
    ("arguments", "named", "identifier", "value"),
    [
        (("a", "cat"), {}, "a", "cat"),
        ((7, 0), {}, "7", 0),
        ((uuid.UUID(int=1), True), {}, "00000000-0000-0000-0000-000000000001", True),
        (("a", np.float64(0.5)), {}, "a", 0.5),
        (("a", np.bool_(True)), {}, "a", True),
        (("a", np.str_("cat")), {}, "a", "cat"),
        (("a", Decimal("1.5")), {}, "a", 1.5),
        (("a", Fraction(1, 4)), {}, "a", 0.25),
        ((np.int64(5), 1), {}, "5", 1),
        (("a", np.array(3)), {}, "a", 3),
        (("a", 1), {"row": 2}, "a:2", 1),
        (("a", 1), {"row": np.int64(2), "step": 3}, "a:2@3", 1),
    ],
    ids=str,
)
def test_a_label_reaches_the_store(
    arguments: tuple[Any, Any], named: dict[str, Any], identifier: str, value: object, watched: Watched
) -> None:
    assert dashlight.label(*arguments, **named)

    watched.flush()

    (label,) = watched.taken
    assert (label.id, label.value, type(label.value)) == (identifier, value, type(value))


@pytest.mark.parametrize(
    "at",
    [1_767_225_600, "2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)],
    ids=["seconds", "text", "datetime"],
)
def test_a_label_may_say_when_it_became_known(at: Any, watched: Watched) -> None:
    dashlight.label("a", 1, at=at)
    watched.flush()

    assert watched.taken[0].at == 1_767_225_600.0


def test_a_label_that_does_not_say_when_became_known_when_it_was_given(watched: Watched) -> None:
    dashlight.label("a", 1)
    watched.flush()

    assert watched.taken[0].at is not None


def test_a_label_may_name_whom_it_is_about(watched: Watched) -> None:
    dashlight.label(None, True, entity="u42", within="7d")
    watched.flush()

    (label,) = watched.taken
    assert (label.id, label.entity, label.within_seconds) == ("", "u42", 604_800.0)


@pytest.mark.parametrize(
    ("arguments", "named", "error"),
    [
        (("", 1), {}, ValueError),
        ((None, 1), {}, ValueError),
        ((1.5, 1), {}, TypeError),
        ((True, 1), {}, TypeError),
        ((b"a", 1), {}, TypeError),
        (("a", None), {}, TypeError),
        (("a", [1]), {}, TypeError),
        (("a", np.zeros(3)), {}, ValueError),
        (("a", Decimal("NaN")), {}, ValueError),
        (("a", Decimal("sNaN")), {}, ValueError),
        (("a", Fraction(10**400)), {}, ValueError),
        (("a", Decimal("1E+999")), {}, ValueError),
        ((Decimal(5), 1), {}, TypeError),
        (("a", float("nan")), {}, ValueError),
        (("a", ""), {}, ValueError),
        (("a", 1), {"row": -1}, ValueError),
        (("a", 1), {"row": "x"}, TypeError),
        (("a", 1), {"step": 0}, ValueError),
        (("a", 1), {"at": "soon"}, ValueError),
        (("a", 1), {"at": 4e9}, ValueError),
        ((None, 1), {"entity": "u"}, ValueError),
    ],
    ids=str,
)
def test_a_mistake_of_the_programmer_is_raised(
    arguments: tuple[Any, Any], named: dict[str, Any], error: type[Exception], watched: Watched
) -> None:
    with pytest.raises(error):
        dashlight.label(*arguments, **named)

    assert watched.labels.waiting_count == 0


def test_a_mistake_of_ours_never_reaches_the_app(watched: Watched) -> None:
    watched.labels.put = None  # type: ignore[assignment,method-assign]
    watched.capture = type("Capture", (), {"count": lambda self, reason: counted.append(reason)})()  # type: ignore[attr-defined]
    counted: list[str] = []

    assert not dashlight.label("a", 1)
    assert counted == ["TypeError"]


def test_on_the_event_loop_and_on_threads_labels_are_given_at_once(watched: Watched) -> None:
    async def on_the_loop() -> None:
        for number in range(100):
            dashlight.label(f"loop {number}", 1)

    threads = [threading.Thread(target=dashlight.label, args=(f"thread {n}", 1)) for n in range(8)]
    for thread in threads:
        thread.start()
    asyncio.run(on_the_loop())
    for thread in threads:
        thread.join()
    watched.flush()

    assert len({each.id for each in watched.taken}) == 108


def test_labels_given_before_the_monitor_started_reach_it_in_order() -> None:
    found = Watched()
    own = Process(lambda *_: found)  # type: ignore[arg-type]
    assert all(own.take_label(Label(str(number), 1)) for number in range(5))

    own.start(None)
    found.flush()

    assert [each.id for each in found.taken] == ["0", "1", "2", "3", "4"]


def test_more_labels_than_wait_for_a_monitor_are_counted_when_it_is_there() -> None:
    found = Watched()
    own = Process(lambda *_: found)  # type: ignore[arg-type]

    taken = [own.take_label(Label("a", 1)) for _ in range(MOST_WAITING + 2)]
    own.start(None)

    assert taken.count(False) == 2
    assert sum(found.labels.losses().values()) >= 2


def test_where_monitoring_is_off_labels_are_let_go_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    def off(environ: object, app: object, application: str, service: str) -> None:
        """As where DASHLIGHT_ENABLED is false."""

    own = Process(off)
    own.take_label(Label("a", 1))

    own.start(None)

    assert not own.take_label(Label("b", 1))
    assert caplog.messages == []


def test_where_labels_are_off_the_app_is_told_once_and_they_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched(is_on=False)
    process.monitor = watched  # type: ignore[assignment]

    assert [dashlight.label("a", 1) for _ in range(3)] == [False] * 3
    assert watched.labels.losses() == {LABELS_OFF: 3}
    assert [each for each in caplog.messages if "DASHLIGHT_LABELS=true" in each] == caplog.messages[:1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_begins_anew_and_keeps_what_it_gives_for_its_own_monitor(watched: Watched) -> None:
    watched.labels.forget()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            given = dashlight.label("of the child", 1)
            found = Watched()
            process._assemble = lambda *_: found  # type: ignore[assignment]
            process.start(None)
            found.flush()
            os.write(writing, f"{given} {[each.id for each in found.taken]}".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    told = os.read(reading, 1000).decode()
    os.close(reading)

    assert os.waitpid(child, 0)[1] == 0
    assert told == "True ['of the child']"
    assert watched.taken == []


def test_a_process_that_never_serves_says_at_its_end_what_was_lost(tmp_path: Path) -> None:
    script = "import dashlight\nfor _ in range(3): dashlight.label('a', 1)"

    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stderr == ("labels given by dashlight.label are lost: no app that is watched ran in this process: 3\n")


def test_asking_for_a_label_loads_no_numpy(tmp_path: Path) -> None:
    script = "import sys, dashlight; dashlight.label('a', 1, row=2); print('numpy' in sys.modules)"

    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )

    assert ended.stdout == "False\n"
