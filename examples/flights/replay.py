"""Send the flights to the app as real HTTP requests, at an even rate, whether or not it keeps up (open loop).

python -m examples.flights.replay demo-run/replay.csv --url http://127.0.0.1:8000/predict --seconds 120

With --bare, a share of the requests goes to a second app as well, one that nothing watches: the difference of the
two medians is what watching adds to a request. It is measured in bursts of the full rate, because an app that is
asked seldom answers half a millisecond later than one that is warm.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from examples.flights.connection import Answer, Connection
from examples.flights.faults import FAULTS, Fault, request_body
from examples.flights.figures import Pulse, Tally, to_line
from examples.flights.flights import Flight, read
from examples.flights.truth import Truth

CONNECTIONS = 8  # enough for 300 requests a second even where an answer takes 25 ms
BURST_EVERY, BURST, BURST_WARM_UP = 1500, 300, 100  # requests: one second in five, its first third not counted
ENOUGH_PAIRS = 100
PULSE_SECONDS = 0.5
LATELY = 600  # answers: two seconds


@dataclass(frozen=True, slots=True)
class Request:
    """One flight on its way."""

    place: int
    flight: Flight
    body: bytes
    due_at: float
    """By the loop's clock."""


def main() -> None:
    """Replay the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="replay.csv as prepare writes it")
    parser.add_argument("--url", required=True, help="of the watched app's predict")
    parser.add_argument("--bare", help="of its bare copy's")
    parser.add_argument("--labels", help="where the truth is told, some days later; DASHLIGHT_LABELS_TOKEN lets in")
    parser.add_argument("--seconds", type=float, default=120.0, help="for all flights (default 120)")
    parser.add_argument("--fault", choices=FAULTS, default="none", help="what breaks upstream, in one month")
    parser.add_argument("--report", type=Path, default=Path("/dev/stdout"), help="where the figures go, as JSON lines")
    chosen = parser.parse_args()
    flights = read(chosen.file)
    with chosen.report.open("w") as report:
        replay = Replay(flights, rate=len(flights) / chosen.seconds, report=report)
        try:
            truth = Truth(chosen.labels, os.environ["DASHLIGHT_LABELS_TOKEN"]) if chosen.labels else None
            asyncio.run(replay.run(chosen.url, bare=chosen.bare, fault=chosen.fault, truth=truth))
        except* (OSError, TimeoutError) as errors:
            raise SystemExit(f"replay stopped: {errors.exceptions[0]!r}") from None


class Replay:
    """Sends *flights* at *rate* a second and writes what it sees to *report*."""

    def __init__(self, flights: Sequence[Flight], *, rate: float, report: TextIO) -> None:
        self._flights, self._rate, self._report = flights, rate, report
        self._expected = Counter(flight.part for flight in flights)
        self._tallies = {part: Tally(part) for part in self._expected}
        self._part, self._part_began_at = "", 0.0
        self._lately: deque[tuple[float, float]] = deque(maxlen=LATELY)  # (answered at, seconds since due)
        self._watched: list[float] = []
        self._bare: list[float] = []
        self._sent = 0
        self._truth: Truth | None = None

    async def run(self, url: str, *, bare: str | None, fault: Fault, truth: Truth | None = None) -> None:
        """Send everything and wait for the last answer, and for the last label where *truth* tells them."""
        self._truth = truth
        queue: asyncio.Queue[Request | None] = asyncio.Queue()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CONNECTIONS):
                tasks.create_task(self._work(queue, Connection(url), Connection(bare) if bare else None))
            pulse = tasks.create_task(self._beat())
            telling = tasks.create_task(truth.run()) if truth else None
            began_at = asyncio.get_running_loop().time()
            for place, flight in enumerate(self._flights):
                due_at = began_at + place / self._rate
                body = request_body(flight, place=place, fault=fault)
                if (wait := due_at - asyncio.get_running_loop().time()) > 0:
                    await asyncio.sleep(wait)
                self._enter(flight.part)
                queue.put_nowait(Request(place, flight, body, due_at))
                self._sent += 1
            for _ in range(CONNECTIONS):
                queue.put_nowait(None)
            pulse.cancel()
            if telling:
                telling.cancel()
        if truth:
            await truth.finish()
        self._write_pulse()

    async def _work(self, queue: asyncio.Queue[Request | None], watched: Connection, bare: Connection | None) -> None:
        """Send what is queued over one connection to each app."""
        async with watched, bare or watched:
            while (request := await queue.get()) is not None:
                phase = request.place % BURST_EVERY
                if bare is None or phase >= BURST:
                    answer = await watched.post(request.body)
                else:
                    answer = await self._pair(request, watched, bare, counted=phase >= BURST_WARM_UP)
                self._count(request, answer)

    async def _pair(self, request: Request, watched: Connection, bare: Connection, *, counted: bool) -> Answer:
        """Ask both apps, one after the other, each as often first; the answer is the watched one's."""
        pair = (watched, bare) if request.place % 2 else (bare, watched)
        answers = {connection: await connection.post(request.body) for connection in pair}
        if counted:
            self._watched.append(answers[watched].seconds)
            self._bare.append(answers[bare].seconds)
        return answers[watched]

    def _count(self, request: Request, answer: Answer) -> None:
        self._lately.append((answer.answered_at, answer.answered_at - request.due_at))
        if self._truth is not None:
            self._truth.expect(request.flight, prediction_id=answer.prediction_id)
        tally = self._tallies[request.flight.part]
        answered = json.loads(answer.body) if answer.status == 200 else None
        tally.add(request.flight, json.loads(request.body), answered)
        if tally.requests == self._expected[tally.part]:
            self._report.write(to_line(tally.figures()))

    def _enter(self, part: str) -> None:
        """Note the moment when the first request of *part* is sent."""
        if part != self._part:
            self._part, self._part_began_at = part, time.time()
            self._write_pulse()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            self._write_pulse()

    def _write_pulse(self) -> None:
        delays = sorted(delay for _, delay in self._lately)
        span = self._lately[-1][0] - self._lately[0][0] if len(delays) > 1 else 0.0
        enough = len(self._bare) >= ENOUGH_PAIRS
        pulse = Pulse(
            part=self._part,
            part_began_at=self._part_began_at,
            sent_count=self._sent,
            total_count=len(self._flights),
            request_rate=(len(delays) - 1) / span if span else 0.0,
            p99_seconds=delays[int(len(delays) * 0.99)] if delays else 0.0,
            added_seconds=statistics.median(self._watched) - statistics.median(self._bare) if enough else None,
        )
        self._report.write(to_line(pulse))
        self._report.flush()


if __name__ == "__main__":
    main()
