"""The memory for rows that wait to be learned from: shared by all models that learn, and never stuck. Pure."""

from __future__ import annotations

from math import inf
from typing import Final, Protocol
from weakref import ref

IDLE_PANES: Final = 30
"""Panes after which what a model that nobody asks has kept makes room for others."""


class LearnsRows(Protocol):
    """Keeps rows to learn from."""

    @property
    def size_bytes(self) -> int:
        """Of the rows that it keeps."""
        ...

    def forget(self) -> None:
        """Begin anew, without any row."""
        ...


class LearningPlaces:
    """So many bytes of rows. Who began first goes on: for it, later ones begin anew, and so no two wait for each other."""

    def __init__(self, most_bytes: int, *, most_reference_bytes: float = inf) -> None:
        """*most_reference_bytes* is what comparing with one reference may take."""
        self._most_bytes = most_bytes
        self.most_reference_bytes = most_reference_bytes
        self._learners: list[tuple[ref[LearnsRows], list[int]]] = []
        """In the order in which they began, with the pane in which each was asked for room last."""
        self._pane = 0
        self._left_out_rows = 0

    @property
    def most_of_one_bytes(self) -> int:
        """What one may keep; twice as much while it has only few rows."""
        return self._most_bytes // 3

    def enter(self, learner: LearnsRows) -> None:
        """*learner* begins. It is forgotten when nobody holds it any more."""
        self._learners.append((ref(learner), [self._pane]))

    def take(self, learner: LearnsRows, *, size_bytes: int, rows: int) -> bool:
        """Whether *learner* may keep so many *rows* more; those that it may not are counted."""
        # Those that are done are held by nobody.
        self._learners = [each for each in self._learners if each[0]() is not None]
        asked = [(held, last) for reference, last in self._learners if (held := reference()) is not None]
        place = next(at for at, (held, _) in enumerate(asked) if held is learner)
        asked[place][1][0] = self._pane
        idle = [held for held, last in asked[:place] if self._pane - last[0] >= IDLE_PANES]
        yielding = [*idle, *(held for held, _ in reversed(asked[place + 1 :]) if held.size_bytes)]
        left_bytes = self._most_bytes - sum(held.size_bytes for held, _ in asked) - size_bytes
        if left_bytes + sum(held.size_bytes for held in yielding) < 0:
            self._left_out_rows += rows
            return False
        for held in yielding:
            if left_bytes >= 0:
                break
            left_bytes += held.size_bytes
            held.forget()
        return True

    def close(self) -> int:
        """Ends a pane; how many rows were left out in it."""
        self._pane += 1
        left_out_rows, self._left_out_rows = self._left_out_rows, 0
        return left_out_rows
