"""A bounded number of places: what is new takes the place of what was asked for least recently. Pure."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from dashlight.window.fitting import moment, refuse, within

Key = TypeVar("Key")

UNSEEN_PANES = 100
"""Panes in which something was not asked for, before it may go. Only panes that were closed count: an app that was switched
off for a month finds what it watched, and has so many panes to ask for it again."""
UNSEEN_SECONDS = 3600.0
"""Age from which something makes room for what is new: a model that is asked once an hour must not be lost to one on trial."""
GONE_SECONDS = 8 * 86_400.0
"""Age from which something goes even where there is room: a week and a day, for what is asked once a week is in use."""


@dataclass(frozen=True, slots=True, eq=False)
class AdmissionState(Generic[Key]):
    """Who has a place."""

    panes: int
    """How many ended so far."""
    ended_at: float
    """When the last one did; minus infinity before the first."""
    asked: tuple[Key, ...]
    """Those asked for in the pane that fills."""
    seen: tuple[tuple[Key, int, float], ...]
    """Those asked for before, with the last pane in which they were and its end; the one unseen for longest first."""

    @property
    def keys(self) -> AbstractSet[Key]:
        """All that have a place, or stand beside."""
        return {*self.asked, *(key for key, _, _ in self.seen)}


class Admission(Generic[Key]):
    """Gives out *most* places. Moments are those of the panes; a clock that is set back only keeps things longer."""

    def __init__(self, most: int, *, beside: Key | None = None) -> None:
        """*beside* needs no place: it is always admitted, and never goes to make room for others."""
        self._most = most
        self._beside = beside
        self._panes = 0
        self._ended_at = float("-inf")
        """When the last pane ended."""
        self._asked: dict[Key, None] = {}
        """Admitted in the pane that fills."""
        self._seen: dict[Key, tuple[int, float]] = {}
        """Last pane, and its end, of those admitted in a pane before; the one unseen for longest first."""

    @property
    def state(self) -> AdmissionState[Key]:
        """Who has a place now."""
        seen = tuple((key, pane, at) for key, (pane, at) in self._seen.items())
        return AdmissionState(self._panes, self._ended_at, tuple(self._asked), seen)

    def restore(self, state: AdmissionState[Key]) -> None:
        """Goes on from *state*; ValueError where there are not so many places, or where it cannot be true."""
        self._panes = within("panes", state.panes)
        self._ended_at = moment("end of a pane", state.ended_at) if self._panes else float("-inf")
        self._asked = dict.fromkeys(state.asked)
        for key, pane, at in state.seen:
            self._seen[key] = within("last pane", pane, 1, self._panes), moment("end of a pane", at)
        refuse(f"more than the {self._most} that there are places for", where=self._taken > self._most)

    def admit(self, key: Key, *, asked: Collection[Key] = (), yielding: Collection[Key] = ()) -> tuple[Key, ...] | None:
        """Gives *key*, for which was asked in the pane that fills, a place, or notes that it still wants the one it has.

        Those *yielding* make room at once, the one unseen for longest first. Of the others, none of those *asked* for
        in the same pane does. Returns whoever has to go for it, at most one; None where there is no room.
        """
        gone: tuple[Key, ...] = ()
        if not self._has(key) and self._taken >= self._most:
            first = [other for other in (*self._seen, *self._asked) if other in yielding]
            stays = {*self._asked, *asked}
            unseen = (other for other in self._unseen(UNSEEN_SECONDS) if other not in stays)
            gone = tuple(other for other in (*first, *unseen) if other != self._beside)[:1]
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
    def _taken(self) -> int:
        """How many places are taken."""
        return len((self._seen.keys() | self._asked.keys()) - {self._beside})

    def _unseen(self, seconds: float) -> list[Key]:
        return [
            key
            for key, (pane, at) in self._seen.items()
            if self._panes - pane >= UNSEEN_PANES and self._ended_at - at >= seconds
        ]
