"""How the memory that the settings allow is shared out: every part has a bound of its own, and they add up."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashlight.settings import Settings

if TYPE_CHECKING:
    from dashlight.window.columns import Reference

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryShares:
    """Bytes, by our own count. The sum of a process that judges is DASHLIGHT_MEMORY, without *judging* that of any worker."""

    inbox_bytes: int
    """Of bodies that wait for the analysis; as much is for all else of these exchanges, and again for those being read."""
    outbox_bytes: int
    """Encoded spans and events that wait for their collectors, of all destinations."""
    aside_bytes: int
    """What is yet to be encoded."""
    counting_bytes: int
    """What one process counts, over all endpoints, models and columns, and the rows that it keeps to learn from."""
    judging_bytes: int
    """References, windows, evidence and recent rows over all endpoints, models and columns; only where it judges."""


class NarrowsReferences:
    """Has a reference hold no more columns than one model may take of the memory, and says once what is left out."""

    def __init__(self, settings: Settings) -> None:
        # Of what there is for models, more than a half: another one finds room beside it.
        self._most_bytes = memory_shares(settings).judging_bytes // 3
        self._importance = settings.importance
        self._told: set[str] = set()

    def __call__(self, reference: Reference) -> Reference:
        """*reference*, with fewer columns where it has too many."""
        from dashlight.watching.narrowed import narrowed  # loads numpy

        narrow = narrowed(reference, self._importance, most_bytes=self._most_bytes)
        if narrow is not reference and reference.version not in self._told:
            self._told.add(reference.version)
            logger.warning(
                "reference %s: there is memory for %d of its %d columns, the first ones and those of most importance; "
                "the others are left out. DASHLIGHT_MEMORY says how much there is, DASHLIGHT_IMPORTANCE which come first",
                reference.version,
                len(narrow.columns),
                len(reference.columns),
            )
        return narrow


def memory_shares(settings: Settings) -> MemoryShares:
    """The shares under *settings*: a worker has half of what a process that judges may keep, at most."""
    worker = min(settings.worker_memory, settings.memory // 2)
    return MemoryShares(
        inbox_bytes=worker // 8,
        outbox_bytes=worker // 4,
        aside_bytes=worker // 16,
        counting_bytes=3 * worker // 16,
        judging_bytes=settings.memory - worker,
    )
