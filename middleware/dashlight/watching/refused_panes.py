"""Panes of processes that count for another judge than this: refused, counted, and told once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from dashlight.records import Score
from dashlight.window.fitting import within

logger = logging.getLogger(__name__)


class RefusedPanes:
    """How many panes were refused, by what they were counted against."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def restore(self, counts: Mapping[str, int]) -> None:
        """Goes on from *counts*; ValueError where they cannot be."""
        self.counts.update({against: within("refused panes", count) for against, count in counts.items()})

    def refuse(self, named: str, against: str, what: str) -> None:
        """Counts a pane of the model *named* so; the first is told, with *what* its process did."""
        self.counts[against] += 1
        if self.counts[against] == 1:
            logger.warning("%s: a process %s: its rows are left out", named, what)

    def scores(self) -> list[Score]:
        """How many, of each."""
        counts = self.counts.items()
        return [
            Score(None, None, f"refused_pane_count[{against}]", count, count, count, 0) for against, count in counts
        ]
