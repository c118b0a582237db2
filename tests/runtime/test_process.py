"""The one Monitor of a process: what goes wrong around it is told, and stays with us."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from dashlight.runtime.process import Process, process

pytestmark = pytest.mark.usefixtures("fresh_process")


class Failing:
    """Stands for a Monitor that cannot flush."""

    def flush(self, *, leaving: bool = False) -> int:
        raise RuntimeError("no disk")

    def close(self) -> None:
        """Nothing to end."""


def test_a_start_that_fails_unforeseen_is_logged_and_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[object] = []

    def assemble(environ: Mapping[str, str], app: object, application: str, service: str) -> None:
        tried.append(app)
        raise RuntimeError("out of threads")

    broken = Process(assemble)

    with caplog.at_level(logging.ERROR):
        started = [broken.start("app") for _ in range(2)]

    assert (started, tried) == ([None, None], ["app"])
    (told,) = caplog.messages
    assert told.startswith("monitoring is off: Dashlight could not start: RuntimeError")
    # What it says may be a secret of the settings.
    assert "out of threads" not in caplog.text


def test_threads_that_start_at_once_share_one_monitor() -> None:
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def start() -> None:
        barrier.wait()
        found.append(process.start(None))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(each) for each in found}) == 1
    assert found[0] is process.monitor


def test_a_flush_that_fails_is_logged_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    lonely = Process()
    lonely.monitor = Failing()  # type: ignore[assignment]

    with caplog.at_level(logging.ERROR):
        asyncio.run(lonely.flush_aside())

    (told,) = caplog.messages
    assert told.startswith("the last events could not be sent at shutdown: RuntimeError")


def test_without_a_monitor_there_is_nothing_to_flush() -> None:
    asyncio.run(Process().flush_aside())


class Noted:
    """Stands for a Monitor that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def flush(self, *, leaving: bool = False) -> int:
        self.asked.append("leave" if leaving else "flush")
        return 0

    def forget(self) -> None:
        self.asked.append("forget")

    def close(self) -> None:
        """Nothing to end."""


def test_what_is_left_is_sent_and_handed_on_at_the_end_of_the_server() -> None:
    ending, noted = Process(), Noted()
    ending.monitor = noted  # type: ignore[assignment]

    asyncio.run(ending.flush_aside())

    assert noted.asked == ["leave"]


def test_a_forked_child_lets_go_of_the_monitor_and_serves_what_its_parent_served() -> None:
    served: list[tuple[str, str]] = []

    def assemble(environ: Mapping[str, str], app: object, application: str, service: str) -> None:
        served.append((application, service))

    forked, noted = Process(assemble), Noted()
    forked.application, forked.service = "the churn model", "churn"
    forked.start("app")
    forked.monitor = noted  # type: ignore[assignment]

    forked.forget()

    assert forked.monitor is None
    assert noted.asked == ["forget"]
    forked.start("app")
    assert served == [("the churn model", "churn")] * 2
