"""Between the bytes that a fuzzer mutates and the exchanges that they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

from benchmarks.decoding_exchanges import KINDS
from benchmarks.decoding_parts import Parts
from benchmarks.fuzz_limits import CAP_BYTES
from benchmarks.hostile_bodies import HOSTILE

_ANSWER, _SWELL = 1, 2
_SWELL_FROM = 64
"""How large the middle of a body is that is repeated up to the cap."""
USUAL: Final[tuple[Parts, ...]] = tuple(make(Random(7)) for _, make in KINDS.values())
"""One exchange of each kind."""
_SMALL: Final = 2000
_SMALL_HOSTILE: Final = tuple(make(_SMALL) for make in HOSTILE.values())
_ALL: Final = (*USUAL, *_SMALL_HOSTILE)


def seeds() -> list[bytes]:
    """What the fuzzer begins with: both bodies of each usual kind."""
    return _seeds(USUAL, 0)


def hostile_seeds() -> list[bytes]:
    """Likewise of the kinds that are as expensive as can be, small ones."""
    return _seeds(_SMALL_HOSTILE, len(USUAL))


def _seeds(kinds: Sequence[Parts], first: int) -> list[bytes]:
    found: list[bytes] = []
    for place, parts in enumerate(kinds, first):
        found.append(bytes((place, 0)) + parts.request)
        found.append(bytes((place, _ANSWER)) + parts.response)
    return found


def parts_of(seed: bytes) -> Parts:
    """The exchange that *seed* stands for: of its kind, with one body replaced.

    The first byte chooses the kind; the second which body, and whether its middle is repeated until it is as large
    as what a server keeps.
    """
    place, how, body = (seed[:1] or b"\0")[0], (seed[1:2] or b"\0")[0], seed[2:]
    usual = _ALL[place % len(_ALL)]
    if how & _SWELL:
        body = swollen(body, at=(how >> 2) / 64)
    body = body[:CAP_BYTES]
    return replace(usual, response=body) if how & _ANSWER else replace(usual, request=body)


def swollen(body: bytes, *, at: float, size: int = _SWELL_FROM) -> bytes:
    """*body* with *size* bytes of it, from the share *at* on, repeated up to the cap."""
    start = int(at * max(0, len(body) - size))
    piece = body[start : start + size]
    if not piece:
        return body
    count = max(1, (CAP_BYTES - len(body)) // len(piece))
    return body[:start] + piece * count + body[start + len(piece) :]
