"""How the memory that the settings allow is shared out: every part has a bound of its own, and they add up."""

from __future__ import annotations

from dataclasses import dataclass

from dashlight.settings import Settings


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
