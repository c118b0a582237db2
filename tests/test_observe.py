"""Business numbers that an app tells, and those in its answers, from the call to the metrics."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import dashlight
from dashlight import DashlightMiddleware
from dashlight.runtime.assembly import assemble
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 20.0


@pytest.fixture
def exporter(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryExporter]:
    """What leaves the process, where a header and a field are signals."""
    for name, value in {
        "DASHLIGHT_SIGNALS": "revenue=header:X-Revenue,total=field:order.total",
        "DASHLIGHT_PANE": "100ms",
        "DASHLIGHT_COLLECTOR": "http://collector",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector/v1/metrics",
        "OTEL_METRIC_EXPORT_INTERVAL": "50",
    }.items():
        monkeypatch.setenv(name, value)
    made = MemoryExporter()
    monitor = assemble(os.environ, None, connect=made.connect)
    assert monitor is not None
    assert monitor.ready.wait(PATIENCE_SECONDS)
    process.monitor = monitor
    yield made
    monitor.close()


def test_nothing_is_taken_where_nothing_is_watched(fresh_process: None) -> None:
    assert dashlight.observe("revenue", 12.5) is False


@pytest.mark.parametrize(
    "value",
    [1, 1.5, True, "gold", Decimal("1.5"), Fraction(1, 2), np.float32(1.5), np.int64(3), np.bool_(1), np.str_("gold")],
    ids=lambda value: type(value).__name__,
)
def test_numbers_truths_and_categories_are_values(exporter: MemoryExporter, value: Any) -> None:
    assert dashlight.observe("revenue", value) is True


@pytest.mark.parametrize(
    "value", [None, [1.0], {"a": 1}, b"gold", 1 + 2j, np.zeros(2)], ids=lambda value: type(value).__name__
)
def test_what_is_no_value_is_a_mistake_of_the_caller(value: Any) -> None:
    with pytest.raises(TypeError, match="value of a signal"):
        dashlight.observe("revenue", value)


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines", " padded"])
def test_a_name_that_cannot_be_shown_is_a_mistake_of_the_caller(name: str) -> None:
    with pytest.raises(ValueError, match="name of a signal"):
        dashlight.observe(name, 1.0)


def test_a_name_that_is_no_text_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError, match="name of a signal"):
        dashlight.observe(3, 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**400, Decimal("1e400"), "x" * 65], ids=lambda value: str(value)[:9]
)
def test_what_says_nothing_is_counted_and_not_raised(exporter: MemoryExporter, value: Any) -> None:
    assert dashlight.observe("revenue", value) is False
    assert process.monitor is not None
    assert process.monitor.capture.signals.lost == {"unreadable": 1}


async def shop(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    dashlight.observe("from a coroutine", 1.0)
    headers = [(b"Content-Type", b"application/json"), (b"X-Revenue", b"12.5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"order": {"total": 3}}'})


async def asked(times: int) -> None:
    app = DashlightMiddleware(shop)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        pass

    for _ in range(times):
        await app({"type": "http", "method": "POST", "path": "/buy", "query_string": b"", "headers": []}, receive, send)


def test_every_way_leads_to_the_metrics(exporter: MemoryExporter) -> None:
    asyncio.run(asked(40))
    thread = threading.Thread(target=lambda: [dashlight.observe("from a thread", bool(n % 2)) for n in range(40)])
    thread.start()
    thread.join()
    monitor = process.monitor
    assert monitor is not None
    wanted = {"revenue", "total", "from a coroutine", "from a thread"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(name in str(exporter.metrics) for name in wanted) and time.monotonic() < deadline:
        monitor.flush(PATIENCE_SECONDS)

    assert [name for name in wanted if name not in str(exporter.metrics)] == []
