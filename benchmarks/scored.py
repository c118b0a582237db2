"""What it costs to make rows that wait for labels of what was decoded: `python -m benchmarks.scored`; CPU, in microseconds a row.

A batch of 256 exchanges, decoded before, with and without ids in their payloads, and one exchange with as many rows. Beside it
what decoding the same batch takes, which hangs on the machine alike.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

from dashlight.counting.scored.scorer import Scorer, Scoring
from dashlight.decode.batch import DecodedBatch, Decoder
from dashlight.decode.identities import identities
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange

TARGET_US = 10.0
ROWS = 256
_JSON = [(b"content-type", b"application/json"), (b"content-length", b"100"), (b"host", b"localhost")]
_COLUMNS = 35


def exchange(number: int, request: object, answer: object) -> Exchange:
    """A POST of JSON."""
    asked, answered = json.dumps(request).encode(), json.dumps(answer).encode()
    return Exchange(
        number << 64 | number, "/predict", "POST", "/predict", b"", "http", None, "1.1", _JSON, _JSON, 200, "", "ok",
        1.7e9, 0.01, 0.02, len(asked), len(answered), (asked,), (answered,), number << 64, number, 1, None,
    )  # fmt: skip


def features(number: int) -> dict[str, object]:
    """A row of numbers."""
    return {f"x{at}": at + number / 7 for at in range(_COLUMNS)}


def batches() -> dict[str, Sequence[Exchange]]:
    """By what they show."""
    rows = range(1, ROWS + 1)
    answer = {"prediction": 1, "probability": 0.75}
    of_many = {"classes": dict.fromkeys("abcde", 0.2)}
    return {
        "binary, by trace id": [exchange(at, features(at), answer) for at in rows],
        "binary, by the payload's id": [exchange(at, {"id": f"tx-{at}", **features(at)}, answer) for at in rows],
        "five classes": [exchange(at, features(at), of_many) for at in rows],
        "one batch of 256 rows": [
            exchange(1, {"instances": [features(at) for at in rows]}, {"predictions": [answer] * ROWS})
        ],
    }


def scored(scorer: Scorer, batch: DecodedBatch, exchanges: Sequence[Exchange]) -> Sequence[ScoredRows | None]:
    """What waits for labels after *batch*."""
    ids = identities(batch)
    return [scorer.score(each, exchanges, ids) for each in batch.predictions]


def least_us(run: Callable[[], object], rounds: int = 40) -> float:
    """The least CPU of a round, a row."""
    least = float("inf")
    for _ in range(rounds):
        begun = time.thread_time()
        run()
        least = min(least, time.thread_time() - begun)
    return 1e6 * least / ROWS


def main() -> int:
    """Measures and prints a line for each batch."""
    status = 0
    print(f"{'':8} {'us a row':>8} {'decoding':>9}")
    for name, exchanges in batches().items():
        decoder, scorer = Decoder(model="m", version="1"), Scorer(Scoring(HashKey(b"k" * 32), is_quiet=True))
        decoding = least_us(partial(decoder.decode, exchanges))
        score = partial(scored, scorer, decoder.decode(exchanges), exchanges)
        spent = least_us(score)
        if [rows.row_count for rows in score() if rows is not None] != [ROWS]:
            raise AssertionError(name)
        verdict = "ok" if spent <= TARGET_US else "MISSED"
        status |= verdict != "ok"
        print(f"{verdict:8} {spent:8.1f} {decoding:9.1f}  {name}")
    return status


if __name__ == "__main__":
    sys.exit(main())
