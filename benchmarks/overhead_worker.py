"""One variant in a process of its own: measures a slice whenever a line comes in, and answers with a line of JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.model_app import App, ask, bodies
from benchmarks.variants import Instrumented, variants

SLICE_SECONDS = 0.2
"""CPU of one slice."""
_POOL = 16384
"""Different bodies, so that neither caches nor branch predictors learn them."""
_WARM_UP = 3000


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU microseconds per request: of all threads, and of the one with the event loop."""

    all_us: float
    loop_us: float


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice of the variant between two of the bare app, in the same process."""

    before: Cost
    watched: Cost
    after: Cost
    requests: int
    """Watched since the start of this process."""
    lost: dict[str, int]


class Worker:
    """Measures one variant against the bare app."""

    def __init__(self, bare: Instrumented, watched: Instrumented) -> None:
        self._bare = bare
        self._watched = watched
        self._bodies = bodies(_POOL, seed=os.getpid())
        self._place = 0
        self._requests = 0
        self._runner = asyncio.Runner()
        for each in (bare, watched):
            self._measure(each, _WARM_UP)
        self._bare_count = self._fitting(bare)
        self._watched_count = self._fitting(watched)

    def slice(self) -> Slice:
        """Bare, watched, bare."""
        before = self._measure(self._bare, self._bare_count)
        watched = self._measure(self._watched, self._watched_count)
        after = self._measure(self._bare, self._bare_count)
        lost = {reason: count for reason, count in self._watched.lost().items() if count}
        return Slice(before, watched, after, self._requests, lost)

    def _fitting(self, measured: Instrumented) -> int:
        """Requests that fill a slice."""
        return max(100, int(SLICE_SECONDS * 1e6 / self._measure(measured, _WARM_UP).all_us))

    def _measure(self, measured: Instrumented, count: int) -> Cost:
        gc.collect()
        if measured is self._watched:
            self._requests += count
        all_began, loop_began = time.process_time(), time.thread_time()
        self._runner.run(self._drive(measured.app, count))
        loop_seconds = time.thread_time() - loop_began
        # Whatever a request has left to other threads is done now, and counted.
        measured.flush()
        return Cost((time.process_time() - all_began) / count * 1e6, loop_seconds / count * 1e6)

    async def _drive(self, app: App, count: int) -> None:
        for _ in range(count):
            self._place = (self._place + 1) % _POOL
            await ask(app, self._bodies[self._place])


def main(name: str, sink: str, reference: str) -> None:
    """Builds the variant and serves until the input ends."""
    known = variants(sink, Path(reference))
    worker = Worker(known["bare"].build(), known[name].build())
    print(flush=True)
    for _ in sys.stdin:
        print(json.dumps(asdict(worker.slice())), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
