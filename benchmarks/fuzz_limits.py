"""What decoding promises of any exchange at all, and whether it keeps it for one."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable, Iterable
from statistics import median
from typing import Final

from benchmarks.decoding_parts import Parts, exchange_of

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange

CAP_BYTES: Final = 1 << 18
"""Bytes of a body that a server keeps."""
MAX_CPU_SECONDS: Final = 0.05
MAX_TIMES_MEDIAN: Final = 50.0
"""How many times as long for each of its bytes a body may take as usual ones do in the median."""
MAX_BYTES: Final = 20_000_000
_ATTEMPTS = 3
_HARMLESS_SECONDS = 0.005
"""What took less can hardly have taken much memory, and stops nobody, however small it is."""


def median_seconds_per_byte(usual: Iterable[Parts]) -> float:
    """CPU time that decoding the *usual* exchanges takes for each byte, in the median."""
    return median(
        cpu_seconds(_by_itself, exchange_of(parts), enough=0.0) / (len(parts.request) + len(parts.response))
        for parts in usual
    )


def fault_of(parts: Parts, *, slowness: float = 1.0, usual_per_byte: float = math.inf) -> str:
    """What is wrong with how an exchange is decoded; empty where all is well.

    *slowness* is how many times as long as promised it may take, on a machine that has other things to do;
    *usual_per_byte* is what median_seconds_per_byte tells. Time is that of the quietest of three attempts, memory is
    taken in a run of its own: measuring it costs time.
    """
    exchange = exchange_of(parts)
    size = exchange.request_bytes + exchange.response_bytes + len(exchange.query)
    allowed = min(MAX_CPU_SECONDS, max(_HARMLESS_SECONDS, MAX_TIMES_MEDIAN * usual_per_byte * size))
    for decode in (_by_itself, _in_a_batch):
        said = raised_by(decode, exchange)
        if said:
            return said
        seconds = cpu_seconds(decode, exchange, enough=allowed)
        if seconds > slowness * allowed:
            return f"{_name(decode)}: {1000 * seconds:.0f} ms"
    peak_bytes = memory_bytes(exchange)
    return f"{peak_bytes / 1e6:.0f} MB" if peak_bytes > MAX_BYTES else ""


def quick_fault_of(parts: Parts, *, usual_per_byte: float = math.inf) -> str:
    """As fault_of, with a closer look only at what took a while: for a search among very many."""
    exchange = exchange_of(parts)
    began = time.thread_time()
    for decode in (_by_itself, _in_a_batch):
        said = raised_by(decode, exchange)
        if said:
            return said
    return fault_of(parts, usual_per_byte=usual_per_byte) if time.thread_time() - began > _HARMLESS_SECONDS else ""


def raised_by(decode: Callable[[Exchange], object], exchange: Exchange) -> str:
    """The mistake that *decode* makes, raised or swallowed."""
    try:
        found = decode(exchange)
    except Exception as error:
        return f"{_name(decode)} raised {type(error).__name__}: {error}"
    return f"{_name(decode)}: {found}" if found else ""


def cpu_seconds(decode: Callable[[Exchange], object], exchange: Exchange, *, enough: float = MAX_CPU_SECONDS) -> float:
    """CPU time of the quietest attempt; one below *enough* is not repeated."""
    least = float("inf")
    for _ in range(_ATTEMPTS):
        began = time.thread_time()
        decode(exchange)
        least = min(least, time.thread_time() - began)
        if least < enough:
            break
    return least


def memory_bytes(exchange: Exchange) -> int:
    """The most that decoding, alone or in a batch, holds at once."""
    tracemalloc.start()
    try:
        _by_itself(exchange)
        _in_a_batch(exchange)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _by_itself(exchange: Exchange) -> str:
    """As an event is made; the mistake that was swallowed."""
    decoded = decode_exchange(exchange)
    return decoded.undecodable_detail if decoded.undecodable == "unforeseen" else ""


def _in_a_batch(exchange: Exchange) -> str:
    """As statistics are made."""
    batch = Decoder(model="", version="").decode([exchange])
    return ", ".join(reason for _, reason in batch.undecodable if reason == "unforeseen")


def _name(decode: Callable[[Exchange], object]) -> str:
    return "decode_exchange" if decode is _by_itself else "Decoder.decode"
