"""Which batches of predictions are to become one, so that there are never many to search in."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

MOST_ROWS: Final = 32_768
"""Of one batch."""
_FAN_IN: Final = 8
"""Batches of one size that become one of the next."""


class StoredBatch(NamedTuple):
    """A batch without its columns."""

    id: int
    layout: int
    rows: int
    first_at: float
    last_at: float


def mergeable(batches: Iterable[StoredBatch], *, most_seconds: float) -> list[int]:
    """Batches, in the order in which they came, that are to become one; empty where there are too few of a size."""
    by_size: dict[tuple[int, int], list[StoredBatch]] = {}
    for batch in batches:
        if batch.rows < MOST_ROWS // 2:
            by_size.setdefault((batch.layout, int(math.log(max(batch.rows, 1), _FAN_IN))), []).append(batch)
    for (_, _), alike in sorted(by_size.items()):
        if len(alike) < _FAN_IN:
            continue
        chosen: list[StoredBatch] = []
        rows = 0
        for batch in alike:
            is_near = not chosen or abs(batch.last_at - chosen[0].first_at) <= most_seconds
            if rows + batch.rows > MOST_ROWS or not is_near:
                if len(chosen) > 1:
                    break
                chosen, rows = [], 0
            chosen.append(batch)
            rows += batch.rows
        if len(chosen) > 1:
            return [batch.id for batch in chosen]
    return []
