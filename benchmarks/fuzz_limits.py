"""What decoding promises of any exchange at all, and whether it keeps it for one."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Final

from benchmarks.decoding_parts import Parts, exchange_of

from dashlight.decode.batch import Decoder
from dashlight.decode.exchange import decode_exchange
from dashlight.records import Exchange

CAP_BYTES: Final = 1 << 18
"""Bytes of a body that a server keeps."""
MAX_CPU_SECONDS: Final = 0.05
MAX_BYTES: Final = 20_000_000
_ATTEMPTS = 3
_HARMLESS_SECONDS = 0.005
"""What took less can hardly have taken much memory."""


def fault_of(parts: Parts, *, slowness: float = 1.0) -> str:
    """What is wrong with how an exchange is decoded; empty where all is well.

    *slowness* is how many times as long as promised it may take, on a machine that has other things to do. Time is
    that of the quietest of three attempts, memory is taken in a run of its own: measuring it costs time.
    """
    exchange = exchange_of(parts)
    for decode in (_by_itself, _in_a_batch):
        said = raised_by(decode, exchange)
        if said:
            return said
        seconds = cpu_seconds(decode, exchange)
        if seconds > slowness * MAX_CPU_SECONDS:
            return f"{_name(decode)}: {1000 * seconds:.0f} ms"
    peak_bytes = memory_bytes(exchange)
    return f"{peak_bytes / 1e6:.0f} MB" if peak_bytes > MAX_BYTES else ""


def quick_fault_of(parts: Parts) -> str:
    """As fault_of, with a closer look only at what took a while: for a search among very many."""
    exchange = exchange_of(parts)
    began = time.thread_time()
    for decode in (_by_itself, _in_a_batch):
        said = raised_by(decode, exchange)
        if said:
            return said
    return fault_of(parts) if time.thread_time() - began > _HARMLESS_SECONDS else ""


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
