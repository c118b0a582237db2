"""What hostile bodies cost grows with their size; measured in a process of its own, since one may never end."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.decoding_parts import exchange_of  # noqa: E402
from benchmarks.fuzz_limits import CAP_BYTES  # noqa: E402
from benchmarks.hostile_bodies import HOSTILE  # noqa: E402
from benchmarks.hostile_rows import ROWS  # noqa: E402

from dashlight.decode.batch import Decoder  # noqa: E402
from dashlight.decode.exchange import decode_exchange  # noqa: E402
from dashlight.records import Exchange  # noqa: E402

MAX_GROWTH = 40.0
"""For ten times the size."""
FLOOR_SECONDS = 0.1
"""What takes less on a busy machine says nothing about growth."""
MAX_SECONDS = 1.5
"""The promise is 50 ms; the machine that runs the tests may be busy."""
MAX_CALLS = 500_000
"""Functions that are called, C's too, for a body of rows at the cap."""
PATIENCE_SECONDS = 240.0
AMPLIFIERS = ["gzip: empty lists", "deflate: empty lists", "npz", "gzip: numbers"]

Costs = Mapping[str, tuple[float, float]]


def main() -> None:
    """Tells for each kind what it costs, at a tenth of the cap and at the cap."""
    for title, make in HOSTILE.items():
        seconds: list[float] = []
        for size in (CAP_BYTES // 10, CAP_BYTES):
            exchange = exchange_of(make(size))
            began = time.process_time()
            decode_exchange(exchange)
            Decoder(model="", version="").decode([exchange])
            seconds.append(time.process_time() - began)
        sys.stdout.write(f"{json.dumps([title, *seconds])}\n")
        sys.stdout.flush()


@pytest.fixture(scope="module")
def costs() -> Costs:
    try:
        told = subprocess.run(
            [sys.executable, __file__], capture_output=True, timeout=PATIENCE_SECONDS, check=True
        ).stdout
    except subprocess.TimeoutExpired as expired:
        told = expired.stdout or b""
    return {title: (small, large) for title, small, large in map(json.loads, told.splitlines())}


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_body_costs_a_time_that_grows_with_its_size(costs: Costs, title: str) -> None:
    assert title in costs, "never ended"
    small, large = costs[title]

    assert large < max(FLOOR_SECONDS, MAX_GROWTH * small)
    assert large < MAX_SECONDS


@pytest.mark.parametrize("title", AMPLIFIERS)
def test_what_expands_beyond_a_hundred_times_its_size_is_too_complex(title: str) -> None:
    exchange = exchange_of(HOSTILE[title](CAP_BYTES))

    assert exchange.request_bytes < CAP_BYTES / 100
    assert decode_exchange(exchange).undecodable == "too_complex"
    assert Decoder(model="", version="").decode([exchange]).undecodable == [(0, "too_complex")]


@pytest.mark.parametrize("title", ROWS)
def test_the_work_that_rows_take_is_bounded_and_what_is_left_out_is_counted(title: str) -> None:
    at_the_cap, beyond = (exchange_of(HOSTILE[title](size)) for size in (CAP_BYTES, 2 * CAP_BYTES))

    assert calls(at_the_cap) < MAX_CALLS
    # Twice the bytes hold no more rows that are read.
    assert calls(beyond) < 1.3 * MAX_CALLS
    decoded = decode_exchange(beyond)
    assert "over_limit" in decoded.flags


def calls(exchange: Exchange) -> int:
    """How many functions are called, C's too, while *exchange* is decoded."""
    count = 0

    def note(_frame: object, event: str, _function: object) -> None:
        nonlocal count
        count += event.endswith("call")

    sys.setprofile(note)
    try:
        Decoder(model="", version="").decode([exchange])
    finally:
        sys.setprofile(None)
    return count


if __name__ == "__main__":
    main()
