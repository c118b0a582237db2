"""What the spool costs: `python -m benchmarks.spool`, or `make bench-spool`.

Batches of events as they are sampled, written to a spool in a temporary directory and read back, beside what any sender does
with such a batch anyway: encode it, and compress it for the wire. A ratio of 1 would double the cost of a batch; it is paid
only while a collector fails.
"""

import argparse
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashlight.clock import SystemClock
from dashlight.deliver.encoding.events import PREDICTION, Event
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.outbox import Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.spool.sealed import SpoolKey
from dashlight.deliver.spool.spool import Fsync, Spool

_EVENTS = 500
_BATCHES = 60


def main() -> None:
    """Prints microseconds an event for each way, and its ratio to what is done anyway."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=_BATCHES, help=f"of {_EVENTS} events each (%(default)s)")
    batches = int(parser.parse_args().batches)
    encoder = LogEncoder({"service.name": "shop"}, "dashlight", "1", epoch=1)
    events = [_event(number) for number in range(_EVENTS)]

    def encode() -> list[bytes]:
        return [encoder.event(event, observed_at=1.0) for event in events]

    payloads = encode()
    print(f"{batches} batches of {_EVENTS} events, {sum(map(len, payloads)) // _EVENTS} bytes each")
    anyway = _cost(lambda: zlib.compress(encoder.request(encode()), 1), batches)
    _tell("encode and compress, as for every batch", anyway, anyway, batches)
    ways: tuple[tuple[str, Fsync, SpoolKey | None], ...] = (
        ("kept on disk, fsync never", "never", None),
        ("kept on disk, fsync segment", "segment", None),
        ("kept on disk, fsync batch", "batch", None),
        ("kept on disk, encrypted", "never", SpoolKey("a secret for a benchmark")),
    )
    for name, fsync, seal in ways:
        written, read = _spooled(payloads, batches, fsync, seal)
        _tell(f"{name}: written", written, anyway, batches)
        _tell(f"{name}: read and acknowledged", read, anyway, batches)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Seconds of CPU, and until it was done."""

    cpu: float
    wall: float


def _spooled(payloads: list[bytes], batches: int, fsync: Fsync, seal: SpoolKey | None) -> tuple[_Cost, _Cost]:
    """What it costs to write *batches*, and to read all of them back."""
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(Path(directory) / "spool", clock=SystemClock(), fsync=fsync, seal=seal)
        backlog = Backlog(spool, signal="events", content_type="application/x-protobuf", account=Outbox())

        def write() -> None:
            if not backlog.append(SpoolRecord("key", b"", payloads), booked=lambda: None):
                raise SystemExit(f"nothing can be written here: {dict(spool.troubles)}")

        def read() -> None:
            taken = backlog.take()
            if taken is not None:
                backlog.settle(taken, len(taken.record.payloads))

        return _cost(write, batches), _cost(read, batches)


def _cost(work: Callable[[], object], times: int) -> _Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        work()
    return _Cost(time.process_time() - cpu, time.perf_counter() - wall)


def _tell(name: str, cost: _Cost, anyway: _Cost, batches: int) -> None:
    micro = 1e6 / batches / _EVENTS
    print(
        f"{name:48} {micro * cost.cpu:7.2f} us CPU an event, x {cost.cpu / anyway.cpu:.2f}; {micro * cost.wall:7.2f} us in all"
    )


def _event(number: int) -> Event:
    attributes = {
        "dashlight.model.name": "fraud",
        "dashlight.outcome": "ok",
        "dashlight.duration": 0.001 * number,
        "http.route": "/predict",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "dashlight.inputs": {f"feature {column}": number * column * 0.37 for column in range(10)},
    }
    return Event(
        PREDICTION, at=1.0, id=f"{number:032x}", seq=number, severity=9, attributes=attributes, body="POST /predict"
    )


if __name__ == "__main__":
    main()
