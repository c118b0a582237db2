"""Who has one of a bounded number of places: what is new takes that of the one unseen for longest. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

Key = TypeVar("Key")

UNSEEN_PANES = 100
"""Panes without a row or an exchange before anything goes. Only panes that were closed count: an app that was switched off
for a month finds what it watched, and has so many panes to ask for it again."""
UNSEEN_SECONDS = 3600.0
"""Before something makes room for what is new: a model that is asked once an hour must not be lost to one on trial."""
GONE_SECONDS = 8 * 86_400.0
"""Before something goes without need of room: a week and a day, for what is asked once a week is still in use."""


class Admission(Generic[Key]):
    """Gives out *most* places. Moments are those of the panes; a clock that is set back only keeps things longer."""

    def __init__(self, most: int, *, beside: Key | None = None) -> None:
        """*beside* stands beside the places: it is always admitted, takes no place, and makes no room for others."""
        self._most = most
        self._beside = beside
        self._panes = 0
        self._ended_at = float("-inf")
        """When the last pane ended."""
        self._asked: dict[Key, None] = {}
        """Admitted in the pane that fills."""
        self._seen: dict[Key, tuple[int, float]] = {}
        """Last pane, and its end, of those admitted in a pane before; the one unseen for longest first."""

    def admit(self, key: Key, *, asked: Collection[Key] = (), yielding: Collection[Key] = ()) -> tuple[Key, ...] | None:
        """Gives *key*, for which was asked in the pane that fills, a place, or notes that it still wants the one it has.

        Those *yielding* make room at once, the one unseen for longest first. Of the others, none of those *asked* for
        in the same pane does. Returns whoever has to go for it, at most one; None where there is no room.
        """
        gone: tuple[Key, ...] = ()
        if not self._has(key) and self._is_full:
            first = [each for each in (*self._seen, *self._asked) if each in yielding]
            unseen = (each for each in self._unseen(UNSEEN_SECONDS) if each not in self._asked and each not in asked)
            gone = tuple(each for each in (*first, *unseen) if each != self._beside)[:1]
            if not gone:
                return None
            self.forget(*gone)
        self._asked[key] = None
        return gone

    def close(self, at: float) -> None:
        """Ends the pane at *at*."""
        self._panes += 1
        self._ended_at = at
        for key in self._asked:
            self._seen.pop(key, None)
            self._seen[key] = self._panes, at
        self._asked.clear()

    def gone(self) -> list[Key]:
        """Those unseen for so long that nobody asks for them any more; they keep their places until they are forgotten."""
        return self._unseen(GONE_SECONDS)

    def forget(self, *keys: Key) -> None:
        """The places of *keys* are free."""
        for key in keys:
            self._asked.pop(key, None)
            self._seen.pop(key, None)

    def _has(self, key: Key) -> bool:
        return key == self._beside or key in self._asked or key in self._seen

    @property
    def _is_full(self) -> bool:
        return len((self._seen.keys() | self._asked.keys()) - {self._beside}) >= self._most

    def _unseen(self, seconds: float) -> list[Key]:
        return [
            key
            for key, (pane, at) in self._seen.items()
            if self._panes - pane >= UNSEEN_PANES and self._ended_at - at >= seconds
        ]
