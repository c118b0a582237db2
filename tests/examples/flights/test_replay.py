import asyncio
import io
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from examples.flights.figures import PartFigures, Pulse, from_line
from examples.flights.flights import Flight
from examples.flights.replay import BURST, BURST_WARM_UP, Replay

Answering = Callable[[Callable[[bytes], tuple[int, bytes]]], AbstractAsyncContextManager[str]]


def test_every_flight_is_sent_once_and_a_burst_also_to_the_bare_app(
    answering: Answering, flight: Callable[..., Flight]
) -> None:
    flights = [flight(scheduled="2013-02-01T10:00")] * 100 + [flight()] * 300
    watched: list[bytes] = []
    bare: list[bytes] = []

    def answer(received: list[bytes]) -> Callable[[bytes], tuple[int, bytes]]:
        def predict(body: bytes) -> tuple[int, bytes]:
            received.append(body)
            if json.loads(body)["dest"] == "#N/A":
                return 500, b"error"
            return 200, b'{"probability": 0.25, "late": false}'

        return predict

    async def run() -> list[PartFigures | Pulse]:
        report = io.StringIO()
        async with answering(answer(watched)) as url, answering(answer(bare)) as bare_url:
            await Replay(flights, rate=4000.0, report=report).run(url, bare=bare_url, fault="errors")
        return [from_line(line) for line in report.getvalue().splitlines()]

    reports = asyncio.run(run())

    figures = [report for report in reports if isinstance(report, PartFigures)]
    pulses = [report for report in reports if isinstance(report, Pulse)]
    assert (len(watched), len(bare)) == (400, BURST)
    assert [(each.part, each.requests, each.failed) for each in figures] == [("held-out", 100, 0), ("03", 300, 120)]
    assert (figures[0].brier, figures[0].accuracy, figures[0].temp) == (0.0625, 1.0, 50.0)
    assert (pulses[-1].sent_count, pulses[-1].total_count) == (400, 400)
    assert BURST - BURST_WARM_UP >= 100
    assert pulses[-1].added_seconds is not None
