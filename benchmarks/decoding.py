"""What decoding costs: microseconds of CPU for an exchange of each format, in batches and one at a time.

    python -m benchmarks.decoding [--rounds 6]

The Decoder is the one that a server uses, warm: plans have been made. Exchanges differ in every value. The quietest
round counts, and the rounds of all formats take turns, so that a busy minute hurts all of them alike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.decoding_exchanges import KINDS, PLAIN_OBJECT, exchanges

from dashlight.decode.batch import Decoder
from dashlight.records import Exchange

BATCH = 256
"""Exchanges that the analysis thread hands over at once."""
SINGLES = 16
"""Exchanges handed over one by one in a round."""
IN_A_ROW = 4
"""Batches of one kind in a round, as a busy server has them: the first finds the caches full of other kinds."""
TARGET_US = 5.0
"""For an object of 35 columns, in batches."""
_WARM_UP_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """What an exchange of one kind costs, in microseconds of CPU."""

    title: str
    protocol: str
    body_bytes: int
    """Of a request and its answer, on average."""
    batch_us: float
    single_us: float


class Timed:
    """The exchanges of one kind, their decoder, and the quietest round so far."""

    def __init__(self, title: str, *, batch: int = BATCH) -> None:
        self._title = title
        self._exchanges = exchanges(title, batch)
        self._decoder = Decoder(model="", version="")
        self._protocols: set[str] = set()
        self._batch_seconds = self._single_seconds = float("inf")
        for _ in range(_WARM_UP_ROUNDS):
            decoded = self._decoder.decode(self._exchanges)
            self._protocols |= {prediction.protocol for prediction in decoded.predictions}

    def take(self) -> None:
        """One more round."""
        each = self._exchanges
        singles = [[exchange] for exchange in each[:SINGLES]]
        for _ in range(IN_A_ROW):
            self._batch_seconds = min(self._batch_seconds, _seconds(self._decoder, [each]) / len(each))
        for _ in range(IN_A_ROW):
            self._single_seconds = min(self._single_seconds, _seconds(self._decoder, singles) / len(singles))

    @property
    def speed(self) -> Speed:
        """The quietest round."""
        size = sum(exchange.request_bytes + exchange.response_bytes for exchange in self._exchanges)
        return Speed(
            self._title,
            ", ".join(sorted(self._protocols)),
            size // len(self._exchanges),
            1e6 * self._batch_seconds,
            1e6 * self._single_seconds,
        )


def speeds(titles: Sequence[str], *, rounds: int, batch: int = BATCH) -> list[Speed]:
    """The speed of each kind, after as many rounds in turn."""
    timed = [Timed(title, batch=batch) for title in titles]
    for _ in range(rounds):
        for each in timed:
            each.take()
    return [each.speed for each in timed]


def table(found: Sequence[Speed]) -> str:
    """The speeds, each beside those of PLAIN_OBJECT in the same run."""
    usual = _by_title(found)[PLAIN_OBJECT]
    lines = [
        f"{'us of CPU for an exchange':36}{'read as':24}{'bytes':>8}{'batch':>10}{'x plain':>9}{'single':>10}{'x plain':>9}"
    ]
    for each in found:
        ratios = each.batch_us / usual.batch_us, each.single_us / usual.single_us
        lines.append(
            f"{each.title:36}{each.protocol:24}{each.body_bytes:8d}"
            f"{each.batch_us:10.1f}{ratios[0]:9.1f}{each.single_us:10.1f}{ratios[1]:9.1f}"
        )
    return "\n".join(lines)


def verdict(found: Sequence[Speed]) -> str:
    """Whether the target is met."""
    batch_us = _by_title(found)[PLAIN_OBJECT].batch_us
    said = "met" if batch_us < TARGET_US else "MISSED"
    return f"35-column JSON object in batches of {BATCH}: {batch_us:.2f} us, target below {TARGET_US:.0f} us: {said}"


def _by_title(found: Sequence[Speed]) -> Mapping[str, Speed]:
    return {each.title: each for each in found}


def _seconds(decoder: Decoder, batches: Sequence[Sequence[Exchange]]) -> float:
    began = time.process_time()
    for batch in batches:
        decoder.decode(batch)
    return time.process_time() - began


def main() -> int:
    """Prints the table; the status is 1 where the target is missed."""
    parser = argparse.ArgumentParser(description="What decoding costs, by format.")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of which the quietest counts")
    found = speeds(list(KINDS), rounds=parser.parse_args().rounds)
    print(table(found))
    print(said := verdict(found))
    return int(said.endswith("MISSED"))


if __name__ == "__main__":
    sys.exit(main())
