"""Seals predictions into their ids, on the event loop, before the answer leaves."""

from __future__ import annotations

import os
import threading
from collections import Counter
from typing import Final

from dashlight.counting.scored.meaning import Meaning
from dashlight.counting.scored.outputs import Outputs
from dashlight.counting.scored.scorer import Scorer
from dashlight.decode.at_once import Reads
from dashlight.decode.batch import Decoder
from dashlight.labels.rows import NO_CLASS
from dashlight.labels.sealed import NONCE_BYTES, SealedPrediction, SealingKey, seal
from dashlight.records import Exchange
from dashlight.runtime.labels.opening import ModelNames

MOST_ASKED: Final = 512
MOST_ANSWERED: Final = 128
"""Commas in a body: what it takes to read one hangs on its values more than on its bytes."""
_BETWEEN = b","


class Sealing:
    """Makes a sealed id of an exchange whose answer is complete. Of several threads one at a time is served."""

    def __init__(self, key: SealingKey, reads: Reads, decoder: Decoder, scorer: Scorer, names: ModelNames) -> None:
        """As follows.

        Args:
            key: The one that seals.
            reads: How exchanges are read.
            decoder: That of the analysis, which knows how the usual ones are read fast.
            scorer: One of our own, for it is no other thread's.
            names: Where models are remembered whose names do not fit into an id.
        """
        self._key = key
        self._reads = reads
        self._decoder = decoder
        self._scorer = scorer
        self._names = names
        self._lock = threading.Lock()
        self.plain: Counter[str] = Counter()
        """Answers that were looked at and got a plain id, by why: `too_many_values`, `not_read`, `not_scored`, `too_long`, `busy`."""

    def __call__(self, exchange: Exchange) -> bytes | None:
        """The sealed id of *exchange* as a header's value; None where it cannot have one."""
        if not self._lock.acquire(blocking=False):  # an event loop never waits for another
            self.plain["busy"] += 1
            return None
        try:
            sealed = self._sealed(exchange)
        finally:
            self._lock.release()
        return None if sealed is None else sealed.encode("ascii")

    def _sealed(self, exchange: Exchange) -> str | None:
        if exchange.request_body.count(_BETWEEN) > MOST_ASKED or exchange.response_body.count(_BETWEEN) > MOST_ANSWERED:
            self.plain["too_many_values"] += 1
            return None
        found = self._reads.at_once(exchange, self._decoder.lane_of(exchange))
        if found is None:
            self.plain["not_read"] += 1
            return None
        model = (exchange.route, found.model, found.version)
        measured = self._scorer.measure(model, Outputs(found.outputs))
        if measured is None or len(measured.rows) != 1 or measured.items is not None:
            self.plain["not_scored"] += 1
            return None
        classes, prediction = _told_classes(measured.meaning, int(measured.predictions[0]))
        sealed = seal(
            SealedPrediction(
                exchange.id,
                model,
                measured.meaning.task,
                classes,
                float(measured.scores[0]),
                prediction,
                int(measured.steps[0]),
            ),
            self._key,
            os.urandom(NONCE_BYTES),
        )
        if sealed is None:
            self.plain["too_long"] += 1
        else:
            self._names.add(model)
        return sealed


def _told_classes(meaning: Meaning, prediction: int) -> tuple[tuple[str, ...], int]:
    """Both classes, or of many the predicted one alone, and the place of the predicted one among them."""
    if meaning.task != "multiclass":
        return meaning.classes, prediction
    return ((meaning.classes[prediction],), 0) if prediction != NO_CLASS else ((), NO_CLASS)
