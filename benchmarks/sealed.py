"""What a sealed id costs on the event loop: `python -m benchmarks.sealed`; CPU, in microseconds an answer.

An app that answers JSON at once, behind the tee that seals and behind the usual one, in turn; the ways in which the answer is
read, and the cipher alone. An id is at most 128 characters; how many it has is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable

from dashlight.capture.capture import Capture
from dashlight.capture.inbox import Inbox
from dashlight.capture.sealing_tee import SealingTee
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Tee
from dashlight.capture.trace_parent import sampler_from
from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.at_once import Reads
from dashlight.decode.batch import Decoder
from dashlight.decode.rows.selection import EVERYTHING
from dashlight.labels.sealed import NONCE_BYTES
from dashlight.privacy.hashing import HashKey
from dashlight.runtime.labels.ciphers import sealing_keys
from dashlight.runtime.labels.opening import ModelNames
from dashlight.runtime.labels.sealing import Sealing
from dashlight.types import Message

REQUESTS = 500
ROUNDS = 9
TARGET_US = 250.0
HEADER = b"x-prediction-id"
_COLUMNS = 35
_JSON = [(b"content-type", b"application/json"), (b"content-length", b"40")]
ASKED = json.dumps({f"x{at}": at + 0.25 for at in range(_COLUMNS)}).encode()
ANSWERS = {
    "a class and its probability": {"prediction": 1, "probability": 0.75, "model": "churn", "version": "3"},
    "ten probabilities": {"probabilities": {f"class-{at}": 0.1 for at in range(10)}},
    "16 KB beside a probability": {"probability": 0.75, "explanation": "x" * 16000},
}


def conversation(tee_class: type[Tee], capture: Capture, answer: bytes) -> float:
    """CPU seconds of REQUESTS."""
    scope = {
        "type": "http", "method": "POST", "path": "/predict", "headers": _JSON, "query_string": b"", "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", 80),
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": ASKED}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.extend(value for name, value in message["headers"] if name == HEADER)

    async def all_of_them() -> float:
        begun = time.thread_time()
        for _ in range(REQUESTS):
            tee = tee_class(capture, dict(scope), receive, send)
            await tee.receive()
            await tee.send({"type": "http.response.start", "status": 200, "headers": _JSON})
            await tee.send({"type": "http.response.body", "body": answer})
            tee.close()
        return time.thread_time() - begun

    sent: list[bytes] = []
    spent = asyncio.run(all_of_them())
    capture.longest = max(map(len, sent))  # type: ignore[attr-defined]
    return spent


class Measured(Capture):
    """A capture that remembers how long an id was."""

    longest = 0


def captured(decoder: Decoder | None) -> Measured:
    """A capture that seals, by what *decoder* knows of the usual answers; None: that does not."""
    capture = Measured(
        Inbox(),
        Spans("off", exported=False, sampler=sampler_from({}), version="0"),
        1 << 18,
        prediction_id_header=HEADER,
    )
    if decoder is not None:
        scorer = Scorer(Scoring(HashKey(b"k" * 32), is_quiet=True))
        (key,) = sealing_keys(["n" * 16])
        capture.seal = Sealing(key, Reads("m", "1", EVERYTHING, {}), decoder, scorer, ModelNames())
    return capture


def least_us(run: Callable[[], float]) -> float:
    """The least of some rounds, a request."""
    return 1e6 * min(run() for _ in range(ROUNDS)) / REQUESTS


def cipher_us() -> float:
    """Sealing 64 bytes."""
    (key,) = sealing_keys(["n" * 16])

    def run() -> float:
        begun = time.thread_time()
        for _ in range(REQUESTS):
            key.cipher.encrypt(os.urandom(NONCE_BYTES), bytes(64), b"head")
        return time.thread_time() - begun

    return least_us(run)


def main() -> int:
    """Measures and prints a line for each answer."""
    status = 0
    print(f"{'':8} {'plain id':>9} {'sealed':>9} {'by a plan':>10} {'characters':>10}")
    for name, content in ANSWERS.items():
        answer = json.dumps(content).encode()
        taught = Decoder(model="m", version="1")
        capture = captured(Decoder(model="m", version="1"))
        conversation(SealingTee, capture, answer)
        for _ in range(3):
            taught.decode(capture.inbox.take()[:100])
            conversation(SealingTee, capture, answer)
        plain = captured(None)
        usual = least_us(lambda plain=plain, answer=answer: conversation(Tee, plain, answer))  # type: ignore[misc]
        general = least_us(lambda capture=capture, answer=answer: conversation(SealingTee, capture, answer))  # type: ignore[misc]
        by_plan = captured(taught)
        planned = least_us(lambda by_plan=by_plan, answer=answer: conversation(SealingTee, by_plan, answer))  # type: ignore[misc]
        is_met = planned - usual <= TARGET_US
        status |= not is_met
        print(
            f"{'ok' if is_met else 'MISSED':8} {usual:9.1f} {general - usual:+9.1f} {planned - usual:+10.1f} "
            f"{capture.longest:10d}  {name}"
        )
    print(f"of that the cipher and its nonce: {cipher_us():.1f}")
    return status


if __name__ == "__main__":
    sys.exit(main())
