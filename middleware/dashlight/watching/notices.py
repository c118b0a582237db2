"""What is said of the columns of a model once, for all processes that count it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, TypeAlias

from dashlight.judge.words import listed

logger = logging.getLogger(__name__)

Notice: TypeAlias = Literal["matched", "unknown"]


class Notices:
    """Logs each kind of notice once: that goes with the checkpoint, so that who judges next does not repeat it."""

    def __init__(self, named: str) -> None:
        """*named* is the model, for people."""
        self._named = named
        self._told: dict[Notice, None] = {}

    @property
    def state(self) -> tuple[Notice, ...]:
        """The kinds that were told, in their order."""
        return tuple(self._told)

    def restore(self, state: Sequence[Notice]) -> None:
        """Goes on from *state*."""
        self._told = dict.fromkeys(state)

    def forget(self) -> None:
        """Tells everything anew: the reference is another one."""
        self._told.clear()

    def matched(self, sentence: str) -> None:
        """Says under which names the columns of traffic were found in the reference; empty where they have none other."""
        if sentence and self._is_new("matched"):
            logger.warning("%s: %s", self._named, sentence)

    def unknown(self, columns: Sequence[str]) -> None:
        """Says which *columns* the reference does not know, where there are any."""
        if columns and self._is_new("unknown"):
            logger.info("%s: not in the reference: %s", self._named, listed(columns))

    def _is_new(self, notice: Notice) -> bool:
        if notice in self._told:
            return False
        self._told[notice] = None
        return True
