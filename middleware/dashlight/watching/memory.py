"""What judging takes of the memory of a machine's judge, and who has it: the models asked most, and a reference's first columns.

All is known by shape, before it is made. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from dashlight.counting.memory import Room, counter_bytes, reference_bytes
from dashlight.counting.policy import Policy
from dashlight.watching.learning_room import LearningPlaces
from dashlight.watching.slices.history import history_bytes
from dashlight.watching.state import WatchedModel
from dashlight.window.columns import Reference

_COLUMN_BYTES, _WORDED_BYTES, _PAIR_BYTES, _SQUARE_BYTES, _ROW_BYTES = 60_000, 20_000, 140, 18, 4
"""Of a column; more of one that holds words; of a pair; of a direction by the square of its dimensions, and its rows."""
MOST_REFUSED = 256
"""Models that are remembered as having no room, the most asked of all."""
MUCH_MORE: Final = 4.0
"""So many times as often a model without room must be asked as one that has it, so that no two take turns."""
_UNKNOWN_PART = 16
"""Of all there is, so much is taken for the size of a model that nobody has learned yet."""
_TAKEN_PANES = 12
"""So many panes a model for which room was made has to take it: some process must count it first."""
MEMORY_PANES: Final = 60
"""About so many panes tell how often a model is asked."""
_SEGMENTS: Final = "segments"
"""Last part of the name under which the segments of a model have memory of their own."""


class NoRoomError(Exception):
    """There is no memory to watch a model."""


@dataclass(slots=True)
class _Asked:
    """How often a model is asked."""

    rows: float = 0.0
    """A pane, about, of late."""
    now: int = 0
    """Of the pane that runs."""
    since_pane: int = 0
    """When one that has room got it."""
    wanted: tuple[int, int] = (0, 0)
    """Of one without room: bytes to judge it and to count it; zeros where nobody knows yet."""


def comparison_bytes(reference: Reference) -> int:
    """What the judge takes that compares with *reference*, without that itself."""
    has_features = any(column.role == "feature" for column in reference.columns)
    return judged_bytes(reference) + (history_bytes(len(reference.columns)) if has_features else 0)


def judged_bytes(reference: Reference) -> int:
    """Of that, what is not for rows side by side: it grows with every column, pair and direction alike."""
    worded = sum(column.kind not in {"numeric", "boolean"} for column in reference.columns)
    pairs = 0 if reference.pairs is None else len(reference.pairs.shares)
    directions = sum(_SQUARE_BYTES * each.dims**2 + _ROW_BYTES * each.rows.size for each in reference.directions)
    return _COLUMN_BYTES * len(reference.columns) + _WORDED_BYTES * worded + _PAIR_BYTES * pairs + directions


def most_model_bytes(models_bytes: int) -> int:
    """What one model may take of so many bytes that there are for all of them."""
    return models_bytes * 4 // 7


class WatchRoom:
    """Gives the models of a machine what there is to judge them, and to count them in every process."""

    def __init__(self, *, judging_bytes: int, counting_bytes: int, learning_bytes: int) -> None:
        """*counting_bytes* are those of one process: each counts every model that is watched."""
        # More than a half of what there is for models: another one finds room beside it.
        self.learning = LearningPlaces(learning_bytes, most_reference_bytes=most_model_bytes(judging_bytes))
        self._judging: Room[tuple[str, ...]] = Room(judging_bytes)
        self._counting: Room[tuple[str, ...]] = Room(counting_bytes)
        self._admitted: dict[WatchedModel, _Asked] = {}
        self._refused: dict[WatchedModel, _Asked] = {}
        self._panes = 0
        self._next: WatchedModel | None = None
        """For whom room was made, who has yet to take it."""
        self._next_until = 0
        self._is_told = False

    @property
    def refused(self) -> Collection[WatchedModel]:
        """Models without room."""
        return self._refused.keys()

    def is_refused(self, key: WatchedModel) -> bool:
        """Whether *key* has no room."""
        return key in self._refused

    def take(self, key: WatchedModel, reference: Reference, *, is_own: bool) -> None:
        """Makes room for comparing *key* with *reference*, which *is_own* or is the one of all; NoRoomError where there is none."""
        own = reference_bytes(reference) if is_own else 0
        sizes = comparison_bytes(reference) + own, counter_bytes(reference) + own
        name = (*key, reference.version)
        is_another = self._next not in {None, key} and key not in self._admitted
        if not is_another and self._taken(name, sizes[0]):
            if self._counting.take(name, sizes[1]):
                self._next = None if self._next == key else self._next
                if key not in self._admitted:
                    self._admitted[key] = _Asked(since_pane=self._panes)
                self._refused.pop(key, None)
                return
            self._judging.give_back(name)
        self.refuse(key, sizes)
        raise NoRoomError(key)

    @property
    def segments_bytes(self) -> int:
        """What segments of a model may take now."""
        return min(self._judging.left_bytes, most_model_bytes(self._judging.most_bytes))

    def take_segments(self, key: WatchedModel, size_bytes: int) -> bool:
        """Whether there was room for so much of the segments of *key*; they give way as soon as a model needs it."""
        return self._judging.take((*key, _SEGMENTS), size_bytes)

    def has_segments(self, key: WatchedModel) -> bool:
        """Whether the segments of *key* still have their room."""
        return self._judging.held((*key, _SEGMENTS)) > 0

    def give_back_segments(self, key: WatchedModel) -> None:
        """What the segments of *key* have is free."""
        self._judging.give_back((*key, _SEGMENTS))

    def give_back(self, key: tuple[str, ...]) -> None:
        """What a model, or an endpoint with all its models, has is free."""
        for room in (self._judging, self._counting):
            for name in _of(key, room.names):
                room.give_back(name)
        for model in _of(key, self._admitted):
            del self._admitted[model]

    def tell(self) -> bool:
        """Whether it is the first time that somebody tells that there is no room."""
        was_told, self._is_told = self._is_told, True
        return not was_told

    def asked(self, key: WatchedModel, rows: int) -> None:
        """Notes that *key* had so many *rows* in the pane that runs."""
        each = self._admitted.get(key) or self._refused.get(key)
        if each is not None:
            each.now += rows

    def refuse(self, key: WatchedModel, wanted: tuple[int, int] = (0, 0)) -> None:
        """*key* has no room; it *wanted* so many bytes, to judge it and to count it, where that is known."""
        if key == self._next and not any(wanted):
            return  # processes hear of it with the next pane
        asked = self._admitted.get(key) or self._refused.get(key) or _Asked()
        asked.wanted = wanted if any(wanted) else asked.wanted
        self._admitted.pop(key, None)
        self._refused[key] = asked
        for room in (self._judging, self._counting):
            for name in _of(key, room.names):
                room.give_back(name)

    def close(self) -> tuple[WatchedModel, ...]:
        """Ends a pane; the models that have to go for one that is asked much more, which has been forgotten as refused."""
        self._panes += 1
        for each in (*self._admitted.values(), *self._refused.values()):
            each.rows += (each.now - each.rows) / MEMORY_PANES
            each.now = 0
        by_rows = sorted(self._refused, key=lambda key: -self._refused[key].rows)
        for key in by_rows[MOST_REFUSED:]:
            del self._refused[key]
        if self._panes >= self._next_until:
            self._next = None
        if not by_rows or self._next is not None:
            return ()
        wanted = by_rows[0]
        gone = () if self._fits(self._refused[wanted], ()) else self._yielding(wanted)
        if gone is not None:
            del self._refused[wanted]
            self._next, self._next_until = wanted, self._panes + _TAKEN_PANES
        return gone or ()

    def _taken(self, name: tuple[str, ...], size_bytes: int) -> bool:
        """Whether there is room to judge, if need be in place of all segments."""
        if self._judging.take(name, size_bytes):
            return True
        for segments in [each for each in self._judging.names if each[-1] == _SEGMENTS]:
            self._judging.give_back(segments)
        return self._judging.take(name, size_bytes)

    def _yielding(self, wanted: WatchedModel) -> tuple[WatchedModel, ...] | None:
        """The models asked least that make room for the one *wanted*; None where that is not asked much more than all of them."""
        asked, gone, rows = self._refused[wanted], list[WatchedModel](), 0.0
        # Of one that came of late nobody knows yet how often it is asked.
        known = [key for key, each in self._admitted.items() if self._panes - each.since_pane >= MEMORY_PANES]
        for key in sorted(known, key=lambda each: self._admitted[each].rows):
            rows += self._admitted[key].rows
            if asked.rows <= MUCH_MORE * rows:
                return None
            gone.append(key)
            if self._fits(asked, gone):
                return tuple(gone)
        return None

    def _fits(self, asked: _Asked, gone: Collection[WatchedModel]) -> bool:
        """Whether there is room for a model once those of *gone* have none."""
        for room, wanted in zip((self._judging, self._counting), asked.wanted, strict=True):
            freed = sum(room.held(name) for key in gone for name in _of(key, room.names) if name[-1] != _SEGMENTS)
            freed += sum(room.held(name) for name in room.names if name[-1] == _SEGMENTS)
            if room.left_bytes + freed < (wanted or room.most_bytes // _UNKNOWN_PART):
                return False
        return True


def room_of(policy: Policy) -> WatchRoom:
    """The room that *policy* gives to models: endpoints have the rest (see `most_endpoints`)."""
    return WatchRoom(
        judging_bytes=policy.judging_bytes * 7 // 12,
        counting_bytes=policy.counting_bytes * 3 // 4,
        learning_bytes=policy.judging_bytes // 4,
    )


def unbounded_room() -> WatchRoom:
    """Room for whatever comes."""
    return WatchRoom(judging_bytes=1 << 62, counting_bytes=1 << 62, learning_bytes=1 << 62)


_Name = TypeVar("_Name", bound=tuple[str, ...])


def _of(key: tuple[str, ...], names: Collection[_Name]) -> list[_Name]:
    """Those of *names* that begin with *key*."""
    return [each for each in names if each[: len(key)] == key]
