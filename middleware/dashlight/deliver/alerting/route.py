"""A way out for alerts: one attempt at a time, on a thread of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from dashlight.deliver.alerting.owed import Verdict
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice


class Route(Protocol):
    """Where notices go. All but *name* is called on the route's own thread alone, with instrumentation suppressed.

    What it raises is a mistake of ours: it is logged once, and the notice is tried again like after `retry`.
    """

    @property
    def name(self) -> str:
        """Of its kind and its address without secrets; the same after a restart: what is owed to it is kept under it."""
        ...

    def deliver(self, notice: Notice, /) -> Verdict:
        """One attempt, within a time that the route bounds itself."""
        ...

    def repeat(self, in_force: Sequence[Notice], at: float, /) -> float | None:
        """Sends again what is in force, where this route wants that; the moment of the next time, None for never.

        *at* is now, seconds since the epoch. Asked at the start, at the moment that it named, and whenever another notice
        was answered.
        """
        ...

    def close(self) -> None:
        """Closes connections."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A route whose attempts may take longer than the end of a process may wait."""

    def interrupt(self) -> None:
        """Gives up the attempt under way, and makes no other before `resume`. From any thread; returns at once."""
        ...

    def resume(self) -> None:
        """Makes attempts again."""
        ...


@runtime_checkable
class Tallying(Protocol):
    """A route that counts more than what became of notices."""

    def fates(self) -> Mapping[SignalFate, int]:
        """Since the start. From any thread."""
        ...
