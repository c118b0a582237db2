"""Learns the reference of a model from its first rows, and does not take an incident for the usual."""

from __future__ import annotations

import logging

import numpy as np

from dashlight.judge.steadiness import moved_columns
from dashlight.judge.words import listed
from dashlight.records import Score, Table
from dashlight.window.build import Chunk
from dashlight.window.learning import Learning
from dashlight.window.reference import Reference
from dashlight.window.tables import taken

logger = logging.getLogger(__name__)

MOST_STRETCHES = 4
"""So many times the rows wanted are waited for where traffic does not hold still."""
MOST_CELLS = 4_000_000
"""Values kept while waiting: 32 MB of numbers. Of more columns fewer rows are waited for."""
_SEED = 0
"""The same rows give the same reference."""


class Learner:
    """Collects rows until they make a reference.

    Rows that moved while they came are no picture of what is usual: more are collected, until the last ones hold
    still, or until there are four times as many. Then all of them make the reference, whose natural variation holds
    the movement, and that is said.
    """

    def __init__(self, name: str, rows_wanted: int, *, tolerance: float) -> None:
        """*name* says of what, in the log. *tolerance* is the smallest movement that counts, as for drift."""
        self._name = name
        self._stretch = rows_wanted
        self._tolerance = tolerance
        self._learning = Learning(rows_wanted)
        self.moving: tuple[str, ...] = ()
        """Columns that did not hold still when last looked at."""
        logger.info("%s: learning a reference from the first %d rows", name, rows_wanted)

    def take(self, rows: Chunk) -> None:
        """Keep the *rows* of one process; once there are enough none is kept."""
        if not self._learning.is_full:
            self._learning.take(rows)

    @property
    def rows(self) -> int:
        """Rows collected."""
        return self._learning.rows

    def progress(self) -> list[Score]:
        """How far it is: the share of the rows wanted that are there, and how many columns did not hold still."""
        share = min(1.0, self._learning.rows / self._learning.rows_wanted)
        found = [Score(None, None, "reference_learned", share, share, share, self._learning.rows)]
        if self.moving:
            count = float(len(self.moving))
            found.append(Score(None, None, "reference_moving_columns", count, count, count, self._learning.rows))
        return found

    def reference(self, at: float, *, model: str) -> Reference | None:
        """The reference, once there are rows enough and they held still; else None, and it goes on learning."""
        learning, wanted = self._learning, self._stretch
        if not learning.is_full:
            return None
        rows = learning.chunk
        # The latest stretch alone may hold still where the first rows did not: a deployment, a cold cache.
        latest: Chunk = {role: table if table.rows <= wanted else _last(table, wanted) for role, table in rows.items()}
        self.moving = moved_columns(latest, tolerance=self._tolerance, rng=np.random.default_rng(_SEED))
        most = max(min(MOST_STRETCHES * wanted, MOST_CELLS // max(sum(map(_columns, rows.values())), 1)), wanted)
        if self.moving and learning.rows < most:
            learning.rows_wanted = min(learning.rows + wanted, most)
            logger.info("%s: %s moved while a reference was learned; going on", self._name, listed(self.moving))
            return None
        if self.moving:
            logger.warning(
                "%s: learned a reference from %d rows in which %s did not hold still: what they did then counts as usual",
                self._name,
                learning.rows,
                listed(self.moving),
            )
        else:
            learning.keep_last(wanted)
        return learning.reference(rng=np.random.default_rng(_SEED), created_at=at, model=model)


def _columns(table: Table) -> int:
    return len(table.number_names) + len(table.cell_names)


def _last(table: Table, rows: int) -> Table:
    return taken(table, np.arange(table.rows - rows, table.rows))
