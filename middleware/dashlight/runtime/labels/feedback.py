"""Requests in which the app tells a label: they name the id of a prediction, and are none themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from dashlight.labels.ids import key_of
from dashlight.labels.row_sets import taken
from dashlight.labels.rows import ScoredRows
from dashlight.privacy.hashing import HashKey
from dashlight.records import Exchange

MOST_REMEMBERED = 10_000
"""Ids of which is remembered when their labels were given."""


class Feedback:
    """Remembers when the app gave labels by `dashlight.label`, to know exchanges in which it did.

    A thumb names the answer that it is about: by that id it would be found as a newer prediction, and get its label.
    """

    def __init__(self, given: deque[tuple[str, float]], key: HashKey) -> None:
        """*given* gets each label's prediction id, and when it was given, from any thread; they are taken out here."""
        self._given = given
        self._key = key
        self._moments: dict[bytes, list[float]] = {}
        self._order: deque[bytes] = deque()

    def without(self, rows: ScoredRows, exchanges: Sequence[Exchange]) -> ScoredRows | None:
        """*rows*, which came with *exchanges*, that are predictions; None where none is."""
        self._learn()
        if not self._moments or rows.other_keys is None:
            return rows
        known: Sequence[bytes] = rows.other_keys.tolist()
        named = [place for place, each in enumerate(known) if each in self._moments]
        if not named:
            return rows
        by_origin = {each.id.to_bytes(16, "big"): each for each in exchanges}
        told = [
            place
            for place in named
            if _is_within(self._moments[known[place]], by_origin[rows.origins[place].tobytes()])
        ]
        if len(told) == rows.row_count:
            return None
        return taken(rows, np.delete(np.arange(rows.row_count), told)) if told else rows

    def _learn(self) -> None:
        for _ in range(len(self._given)):
            prediction_id, at = self._given.popleft()
            # Of a row or a step the request may name the id of the whole.
            for each in {prediction_id, prediction_id.rpartition(":")[0], prediction_id.rpartition("@")[0]} - {""}:
                hashed = key_of(each, self._key)
                self._moments.setdefault(hashed, []).append(at)
                self._order.append(hashed)
        while len(self._order) > MOST_REMEMBERED:
            oldest = self._order.popleft()
            del self._moments[oldest][0]
            if not self._moments[oldest]:
                del self._moments[oldest]


def _is_within(moments: Sequence[float], exchange: Exchange) -> bool:
    # No slack: a thumb may follow its answer within a millisecond.
    end = exchange.started_at + exchange.duration_seconds
    return any(exchange.started_at <= at <= end for at in moments)
