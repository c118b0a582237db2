"""How long bodies that are made to be expensive hold up the app: CPU, and the longest call that keeps the interpreter.

    python -m benchmarks.hostile [--max-body 256KiB] [TITLE ...]

While one thread decodes, another asks for the interpreter every 0.2 ms: how long it waits at most is how long a single
call into C held it (the switch interval is 0.5 ms here), and what an event loop would have waited. Of several attempts
the quietest counts. With a larger --max-body the same shows what that costs.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.decoding_parts import exchange_of
from benchmarks.fuzz_limits import CAP_BYTES, cpu_seconds
from benchmarks.hostile_bodies import HOSTILE

from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange
from dashlight.units import size_bytes

MAX_HELD_SECONDS: Final = 0.02
"""At the default cap."""
_ATTEMPTS = 7
_QUIET_SECONDS = 0.004
_SWITCH_SECONDS = 0.0005
_BEAT_SECONDS = 0.0002


def held_seconds(work: Callable[[], object]) -> float:
    """The longest time for which *work* kept the interpreter from another thread, in the quietest attempt."""
    least = float("inf")
    for _ in range(_ATTEMPTS):
        least = min(least, _longest_wait(work))
        if least < _QUIET_SECONDS:
            break
    return least


def _longest_wait(work: Callable[[], object]) -> float:
    waits: list[float] = []
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.is_set():
            began = time.perf_counter()
            time.sleep(_BEAT_SECONDS)
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=beat)
    thread.start()
    time.sleep(10 * _BEAT_SECONDS)
    waits.clear()
    work()
    is_over.set()
    thread.join()
    return max(waits, default=0.0)


def _line(title: str, exchange: Exchange) -> tuple[str, float]:
    decoded = decode_exchange(exchange)
    seconds = cpu_seconds(decode_exchange, exchange, enough=0.0)
    held = held_seconds(lambda: decode_exchange(exchange))
    size = exchange.request_bytes + exchange.response_bytes
    told = decoded.undecodable or f"{decoded.rows} rows"
    return f"{title:42}{size:10d}{1000 * seconds:10.1f}{1000 * held:10.1f}  {told}", held


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line for each kind; the status is 1 where one holds the interpreter for too long."""
    parser = argparse.ArgumentParser(description="How long hostile bodies hold up the app.")
    parser.add_argument("--max-body", type=size_bytes, default=CAP_BYTES, help="as DASHLIGHT_MAX_BODY; 256KiB")
    parser.add_argument("titles", nargs="*", help="kinds whose title holds one of these; default: all")
    chosen = parser.parse_args(arguments)
    sys.setswitchinterval(_SWITCH_SECONDS)
    print(f"{'':42}{'bytes':>10}{'CPU ms':>10}{'held ms':>10}  read as")
    slow: list[str] = []
    for title, make in HOSTILE.items():
        if chosen.titles and not any(part in title for part in chosen.titles):
            continue
        line, held = _line(title, exchange_of(make(chosen.max_body)))
        print(line, flush=True)
        if held > MAX_HELD_SECONDS:
            slow.append(title)
    print(f"held for more than {1000 * MAX_HELD_SECONDS:.0f} ms: {', '.join(slow) or 'none'}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
