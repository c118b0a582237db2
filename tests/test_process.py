"""The one Monitor of a process: what goes wrong around it is told, and stays with us."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from dashlight.process import Process, process

pytestmark = pytest.mark.usefixtures("fresh_process")


class Failing:
    """Stands for a Monitor that cannot flush."""

    def flush(self) -> int:
        raise RuntimeError("no disk")

    def close(self) -> None:
        """Nothing to end."""


def test_a_start_that_fails_unforeseen_is_logged_and_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    tried: list[object] = []

    def assemble(environ: Mapping[str, str], app: object) -> None:
        tried.append(app)
        raise RuntimeError("out of threads")

    broken = Process(assemble)

    with caplog.at_level(logging.ERROR):
        started = [broken.start("app") for _ in range(2)]

    assert (started, tried) == ([None, None], ["app"])
    assert [record.getMessage() for record in caplog.records] == ["monitoring is off: Dashlight could not start"]


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

    assert [record.getMessage() for record in caplog.records] == ["the last events could not be sent at shutdown"]


def test_without_a_monitor_there_is_nothing_to_flush() -> None:
    asyncio.run(Process().flush_aside())
