"""The CPU budget under overload: at three times the rate that fits it, what the analysis takes and what stays exact."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.model_app import App, answer, ask, rows
from benchmarks.overhead_slices import ROOT, NoResultError, clean_environ
from benchmarks.sink import counts_of
from benchmarks.variants import flush_dashlight, lost_by_dashlight, variants
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashlight import DashlightMiddleware

SHARE = 0.05
"""DASHLIGHT_CPU of this part; at the default of 10 % the load would need more than one core of this app."""
_MULTIPLE = 3.0
_ALONE_RATE = 2000.0
"""Requests a second at which the cost of the analysis is measured first, within any budget."""
_SETTLE_SECONDS = 4.0
_STEP_SECONDS = 0.002
_POOL = 4096
# So that a report of all scores leaves every three seconds, and holds everything since the start.
_PANES = {"DASHLIGHT_PANE": "500ms", "DASHLIGHT_WINDOW": "10m"}
_REPORT_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What came of an overload."""

    share: float
    """DASHLIGHT_CPU."""
    rate: float
    """Requests a second that were really made."""
    multiple: float
    """Of the rate that fits."""
    taken_share: float
    """Of one core, by the analysis thread."""
    delivery_share: float
    """Likewise by the delivery thread, which the budget does not cover."""
    analysed_rate: float
    """As Dashlight reports it."""
    expected_rate: float
    """1 / multiple."""
    sent: int
    counted: int
    """As Dashlight reports them."""
    alerts: int


@dataclass(frozen=True, slots=True)
class _Load:
    """What the child saw."""

    sent: int
    rate: float
    thread_share: dict[str, float]
    analysed_rate: float
    """Reported last while the load was on."""
    lost: dict[str, int]
    alerts: int


def held_budget(sink: str, reference: Path, *, seconds: float) -> Budget:
    """Measures what the analysis of a request costs, then sends three times of what the budget has room for.

    Raises:
        NoResultError: a process failed, or something was dropped.
    """
    alone = _load(sink, reference, name="alone", share=1.0, rate=_ALONE_RATE, seconds=seconds / 3)
    cost_seconds = alone.thread_share["dashlight-analysis"] / alone.rate
    fitting = SHARE / cost_seconds
    load = _load(sink, reference, name="budget", share=SHARE, rate=_MULTIPLE * fitting, seconds=seconds)
    return Budget(
        share=SHARE,
        rate=load.rate,
        multiple=load.rate / fitting,
        taken_share=load.thread_share["dashlight-analysis"],
        delivery_share=load.thread_share["dashlight-delivery"],
        analysed_rate=load.analysed_rate,
        expected_rate=min(1.0, fitting / load.rate),
        sent=load.sent,
        counted=int(counts_of(sink)["budget"]["rows of analysed_rate"]),
        alerts=load.alerts,
    )


def _load(sink: str, reference: Path, *, name: str, share: float, rate: float, seconds: float) -> _Load:
    changes = {
        "DASHLIGHT_CPU": f"{share:.0%}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{sink}/{name}",
        **_PANES,
    }
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.overhead_budget", f"{sink}/{name}", str(rate), str(seconds)],
        cwd=ROOT,
        env=clean_environ(variants(sink, reference)["own"].environ | changes),
        stdout=subprocess.PIPE,
        check=False,
    )
    if child.returncode:
        raise NoResultError(f"budget: its process ended with status {child.returncode}")
    load = _Load(**json.loads(child.stdout))
    if load.lost:
        raise NoResultError(f"budget: no result, because of {load.lost}")
    return load


def _child(endpoint: str, *, rate: float, seconds: float) -> None:
    pool = rows(_POOL, seed=3)
    bodies = [json.dumps(row).encode() for row in pool]
    app = _canned_app([json.dumps(answer(row)).encode() for row in pool])
    alerts = _Alerts()
    logging.getLogger("dashlight").addHandler(alerts)
    with asyncio.Runner() as runner:
        sent = runner.run(_pace(app, bodies, rate=rate, seconds=_SETTLE_SECONDS))
        clocks = _thread_clocks()
        began = time.perf_counter()
        before = {name: clock() for name, clock in clocks.items()}
        measured = runner.run(_pace(app, bodies, rate=rate, seconds=seconds))
        taken = {name: clock() - before[name] for name, clock in clocks.items()}
        elapsed = time.perf_counter() - began
        sink, _, name = endpoint.rpartition("/")
        analysed_rate = counts_of(sink)[name]["value of analysed_rate"]
    time.sleep(_REPORT_SECONDS)
    flush_dashlight()
    lost = {reason: count for reason, count in lost_by_dashlight().items() if count}
    shares = {name: used / elapsed for name, used in taken.items()}
    print(json.dumps(asdict(_Load(sent + measured, measured / elapsed, shares, analysed_rate, lost, alerts.count))))


def _canned_app(answers: list[bytes]) -> Starlette:
    """Answers in turn without thinking: the overload is meant for the analysis, not for the app."""
    following = itertools.cycle(answers)

    async def predict(request: Request) -> Response:
        await request.body()
        return Response(next(following), media_type="application/json")

    app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    app.add_middleware(DashlightMiddleware)
    return app


async def _pace(app: App, bodies: list[bytes], *, rate: float, seconds: float) -> int:
    """Sends what is due every two milliseconds; how many requests that was."""
    began = time.perf_counter()
    sent = 0
    while (elapsed := time.perf_counter() - began) < seconds:
        while sent < elapsed * rate:
            await ask(app, bodies[sent % _POOL])
            sent += 1
            if time.perf_counter() - began > seconds:
                break
        await asyncio.sleep(_STEP_SECONDS)
    return sent


def _thread_clocks() -> dict[str, Callable[[], float]]:
    """The CPU clocks of Dashlight's threads, by name."""

    def clock_of(thread: threading.Thread) -> Callable[[], float]:
        identifier = time.pthread_getcpuclockid(thread.ident or 0)
        return lambda: time.clock_gettime(identifier)

    return {thread.name: clock_of(thread) for thread in threading.enumerate() if thread.name.startswith("dashlight-")}


class _Alerts(logging.Handler):
    """Counts the alerts that Dashlight writes to its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.getMessage().startswith("firing")


if __name__ == "__main__":
    _child(sys.argv[1], rate=float(sys.argv[2]), seconds=float(sys.argv[3]))
