"""When each of a bounded number of things was seen last, and which of them may go."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")

UNSEEN_PANES = 100
"""Panes without a row or an exchange before anything goes. Only panes that were closed count: a host that was switched off
for a month finds what it watched, and has so many panes to ask for it again."""
UNSEEN_SECONDS = 3600.0
"""Before something makes room for what is new: a model that is asked once an hour must not be lost to one on trial."""
GONE_SECONDS = 8 * 86_400.0
"""Before something goes without need of room: a week and a day, for what is asked once a week is still in use."""


class LastSeen(Generic[Key]):
    """Remembers when each was seen last. Moments are those of the panes; a clock that is set back only keeps things longer."""

    def __init__(self) -> None:
        self._panes = 0
        self._at = float("-inf")
        self._seen: dict[Key, tuple[int, float]] = {}
        """Pane and moment; the one unseen for longest first."""

    def take(self, keys: Iterable[Key], at: float) -> None:
        """Takes a pane that ended *at*, in which these were seen."""
        self._panes += 1
        self._at = at
        for key in keys:
            self._seen.pop(key, None)
            self._seen[key] = self._panes, at

    def forget(self, key: Key) -> None:
        """Lets go of *key*."""
        self._seen.pop(key, None)

    def replaceable(self, *, but: Collection[Key] = ()) -> Key | None:
        """The one unseen for longest, where that is long enough to make room; none of *but*."""
        return next((key for key in self._unseen(UNSEEN_SECONDS) if key not in but), None)

    def gone(self) -> list[Key]:
        """Those unseen for so long that nobody asks for them any more."""
        return self._unseen(GONE_SECONDS)

    def _unseen(self, seconds: float) -> list[Key]:
        return [
            key
            for key, (pane, at) in self._seen.items()
            if self._panes - pane >= UNSEEN_PANES and self._at - at >= seconds
        ]
