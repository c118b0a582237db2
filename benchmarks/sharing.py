"""What it costs that several workers of a machine count as one: the exchange of their state, and the memory of a worker.

    python -m benchmarks.sharing

Times are of the CPU, all threads counted. The exchange is what a process alone would not have to do: freezing panes and
posting them, reading and merging those of the others, the checkpoint, the briefing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
from benchmarks.detection_cost import Figure
from benchmarks.detection_ours import prediction_of
from benchmarks.detection_streams import Columns, zipf

from dashlight.counting.machine import MachineCounter, MachinePane, ProcessStatus, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.records import Exchange, Prediction, Table
from dashlight.store.learned import LearnedReferences
from dashlight.watching.machine import MachineWatch
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump
from dashlight.window.reference.steps import finished
from dashlight.workers.checkpoints import Checkpoint
from dashlight.workers.generations import CheckpointFiles
from dashlight.workers.layouts import BRIEFING, PANE
from dashlight.workers.mailbox import Mailbox
from dashlight.workers.record import SharedRecord

WORKERS, COLUMNS, PANE_SECONDS = 8, 100, 10.0
REFERENCE_ROWS, PANE_ROWS = 10_000, 1_000
MOST_SHARE = 0.01
MOST_MEGABYTES = 60.0
_BARE = """
import asyncio, json, os, random, time
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await receive()
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"score": 0.5}'})
async def startup():
    return {"type": "lifespan.startup"}
async def swallow(message): ...
words = [f"c{place}" for place in range(20)]
async def serve(app):
    await app({"type": "lifespan"}, startup, swallow)
    for _ in range(REQUESTS):
        row = {f"c{place}": random.choice(words) if place % 5 == 4 else random.gauss(0, 1) for place in range(100)}
        body = json.dumps(row).encode()
        async def receive():
            return {"type": "http.request", "body": body}
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": headers,
                 "http_version": "1.1", "scheme": "http", "server": None, "client": None, "asgi": {"version": "3.0"}}
        await app(scope, receive, swallow)
"""
_RUN = """
asyncio.run(serve(app))
time.sleep(WAIT)
"""
_WATCHED = """
import dashlight
app = dashlight.watch(app)
"""
_RESIDENT = "import os; print(int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE'))"


def costs(rounds: int) -> Iterator[Figure]:
    """The exchange of WORKERS workers with COLUMNS columns, a pane after another."""
    rng = np.random.default_rng(1)
    reference = build_reference_from_columns(_rows(rng, REFERENCE_ROWS), {}, rng=rng, created_at=0.0)
    policy, references = Policy(pane_seconds=PANE_SECONDS), References(LearnedReferences(None), reference)
    counters = [MachineCounter(f"w{number}", policy, references) for number in range(WORKERS)]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        boxes = [Mailbox(directory / "panes", f"w{number}", PANE, merge=merged) for number in range(WORKERS)]
        checkpoint = CheckpointFiles(directory)
        briefing = SharedRecord(directory / "briefing", BRIEFING)
        watch = MachineWatch(policy, references, at=0.0)
        posting: list[float] = []
        reading: list[float] = []
        keeping: list[float] = []
        briefed: list[float] = []
        judging: list[float] = []
        for pane in range(rounds):
            at = PANE_SECONDS * (pane + 1)
            closed = [_counted(counter, rng, at) for counter in counters]
            began = time.process_time()
            for box, each in zip(boxes[1:], closed[1:], strict=True):
                box.post(each)
            posting.append((time.process_time() - began) / (WORKERS - 1))
            began = time.process_time()
            letters = boxes[0].waiting()
            read = [each for _, each in boxes[0].read(letters)]
            one = merged([closed[0], *read])
            boxes[0].discard(letter.name for letter in letters)
            reading.append(time.process_time() - began)
            began = time.process_time()
            watch.close_pane(one, at)
            judging.append(time.process_time() - began)
            began = time.process_time()
            checkpoint.write(Checkpoint(watch.state, {}))
            keeping.append(time.process_time() - began)
            began = time.process_time()
            briefing.write(watch.briefing)
            for counter in counters:
                counter.follow(watch.briefing)
            briefed.append(time.process_time() - began)
        size = checkpoint.path.stat().st_size
        began = time.process_time()
        kept = checkpoint.inherited()
        if kept is None:
            raise RuntimeError("the checkpoint cannot be read")
        finished(MachineWatch(policy, references, at=0.0).restore(kept.state, at, lose=_fail))
        taking_over = time.process_time() - began
    holder = median(reading) + median(keeping) + median(briefed)
    yield Figure("posting a pane, each worker", median(posting) * 1e3, "ms")
    yield Figure("reading and merging seven others, the holder", median(reading) * 1e3, "ms")
    yield Figure("checkpoint, the holder", median(keeping) * 1e3, "ms")
    yield Figure("briefing", median(briefed) * 1e3, "ms")
    yield Figure("judging, as a process alone would", median(judging) * 1e3, "ms")
    yield Figure("taking over, once after a death", taking_over * 1e3, "ms")
    yield Figure("size of the checkpoint", size / 2**20, "MB")
    yield Figure("share of a core, the holder", 100 * holder / PANE_SECONDS, "%", 100 * MOST_SHARE)
    together = (holder + (WORKERS - 1) * median(posting)) / PANE_SECONDS
    yield Figure("share of a core, all workers together", 100 * together, "%", 100 * MOST_SHARE)


def memory() -> Iterator[Figure]:
    """What a worker holds more of once it is watched, numpy and scipy among it, as the operating system counts it."""
    with tempfile.TemporaryDirectory() as directory:
        rng = np.random.default_rng(1)
        reference = Path(directory) / "reference.json"
        reference.write_bytes(
            dump(build_reference_from_columns(_rows(rng, REFERENCE_ROWS), {}, rng=rng, created_at=0.0))
        )
        for name, requests, pane in (
            ("after the start", 0, "60s"),
            ("that counts 100 columns", 2_000, "60s"),
            ("that judges 100 columns as well", 2_000, "1s"),
        ):
            environ = {"DASHLIGHT_REFERENCE": str(reference), "DASHLIGHT_PANE": pane, "DASHLIGHT_CPU": "100%"}
            numbers = f"REQUESTS, WAIT = {requests}, {4 if requests else 2}\n"
            bare = median(_resident(numbers + _BARE + _RUN) for _ in range(3))
            watched = median(_resident(numbers + _BARE + _WATCHED + _RUN, environ) for _ in range(3))
            yield Figure(f"memory added to a worker {name}", (watched - bare) / 2**20, "MB", MOST_MEGABYTES)


def _fail(part: str, error: Exception) -> None:
    raise RuntimeError(part) from error


def _resident(script: str, environ: Mapping[str, str] | None = None) -> float:
    child = subprocess.run(
        [sys.executable, "-c", f"{script}\n{_RESIDENT}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(environ or {})},
    )
    return float(child.stdout)


def _counted(counter: MachineCounter, rng: np.random.Generator, at: float) -> MachinePane:
    """What a worker counted of one pane."""
    for _ in range(PANE_ROWS // 250):
        counter.endpoint("/predict").add(_prediction(_rows(rng, 250)), [_EXCHANGE])
    return counter.close(at, ProcessStatus(0, 1.0), {})


def _rows(rng: np.random.Generator, rows: int) -> Columns:
    """Four columns in five are numbers, the fifth is words."""
    words = np.array([f"c{place}" for place in range(20)], object)
    return {
        f"c{place}": words[rng.choice(20, rows, p=zipf(20))].tolist() if place % 5 == 4 else rng.standard_normal(rows)
        for place in range(COLUMNS)
    }


def _prediction(columns: Columns) -> Prediction:
    numbers = {name: values for name, values in columns.items() if isinstance(values, np.ndarray)}
    words = {name: values for name, values in columns.items() if isinstance(values, list)}
    rows = len(next(iter(columns.values())))
    table = Table(
        rows=rows,
        number_names=tuple(numbers),
        numbers=np.array(list(numbers.values())),
        cell_names=tuple(words),
        cells=tuple(words.values()),
        exchange=np.zeros(rows, np.intp),
    )
    return prediction_of(table)


_EXCHANGE = Exchange(
    id=1,
    route="/predict",
    method="POST",
    path="/predict",
    query=b"",
    scheme="http",
    server=None,
    http_version="1.1",
    request_headers=(),
    response_headers=(),
    status=200,
    error="",
    outcome="ok",
    started_at=0.0,
    first_byte_seconds=0.001,
    duration_seconds=0.002,
    request_bytes=0,
    response_bytes=0,
    request_chunks=(),
    response_chunks=(),
    trace_id=1,
    span_id=1,
    trace_flags=1,
    own_span=None,
)


def main() -> int:
    """Prints every figure; the status says whether one missed its target."""
    parser = argparse.ArgumentParser(description="What it costs that several workers count as one.")
    parser.add_argument("--rounds", type=int, default=30, help="panes to exchange (%(default)s)")
    found = [*costs(parser.parse_args().rounds), *memory()]
    for each in found:
        most = "" if each.most is None else f"   at most {each.most:g}"
        print(f"{each.what:55} {each.value:9.3f} {each.unit:3}{most} {each.verdict}")
    return int(any(each.verdict == "MISSED" for each in found))


if __name__ == "__main__":
    sys.exit(main())
