"""Learns the reference of a model from its first rows, and does not take an incident for the usual."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from dashlight.counting.kept_rows import KeptRows
from dashlight.decode.cells.known_columns import as_known, typed_columns
from dashlight.errors import StateError
from dashlight.judge.columns.stationarity import moved_steps
from dashlight.judge.words import NAMES_LISTED, listed, percent, printable
from dashlight.privacy.hashing import HashKey
from dashlight.records import Role, Score, Table
from dashlight.watching.learnable import learnable
from dashlight.watching.learned_columns import within_memory
from dashlight.watching.learning_room import LearningPlaces
from dashlight.window.columns import LeftOutColumn, Reference, Writing
from dashlight.window.fitting import refuse, within
from dashlight.window.inspection.left_out import WHY
from dashlight.window.payloads.once import counted_once, rows_at
from dashlight.window.reference.chunks import Chunk
from dashlight.window.reference.learning import Learning
from dashlight.window.reference.steps import Steps
from dashlight.window.tables import selected, taken

logger = logging.getLogger(__name__)

MOST_STRETCHES = 4
"""So many times the rows wanted are waited for where traffic does not hold still."""
MOST_BYTES = 32 << 20
"""Of rows kept while waiting, 4 million numbers, where there is memory for so many: of wider rows fewer are waited for."""
FEWEST_ROWS = 200
"""Rows that are waited for however wide they are, up to twice MOST_BYTES."""
_SEED = 0
"""The same rows give the same reference."""


@dataclass(frozen=True, slots=True, eq=False)
class LearnerState:
    """What a Learner holds."""

    wanted: int
    """Rows that are waited for."""
    kept: tuple[KeptRows, ...]
    """Those that came, oldest first."""
    moving: tuple[str, ...]
    damaged_rows: int


class Learner:
    """Collects rows until they make a reference.

    Rows that moved while they came are no picture of what is usual: more are collected, until the last ones hold
    still, or until there are four times as many. Then all of them make the reference, whose natural variation holds
    the movement, and that is said.
    """

    def __init__(
        self,
        name: str,
        rows_wanted: int,
        *,
        tolerance: float,
        keep: Collection[str] = (),
        places: LearningPlaces | None = None,
        key: HashKey | None = None,
    ) -> None:
        """*name* says of what, in the log. *tolerance* is the smallest movement that counts, as for drift.

        *keep* are globs of columns that are learned even if they are counters, ids or moments. *places* have the memory
        for rows, where others learn as well. *key* is that under which rows are sealed, and hashes of payloads are made.
        """
        self._places = places or LearningPlaces(6 * MOST_BYTES)
        self._most_bytes = min(MOST_BYTES, self._places.most_of_one_bytes)
        self._places.enter(self)
        self._name = name
        self._stretch = self._wanted = rows_wanted
        self._tolerance = tolerance
        self._keep_globs = tuple(keep)
        self._key = key
        self._kept: list[KeptRows] = []
        self._rows: Counter[Role] = Counter()
        self.size_bytes = 0
        """Of the rows that it keeps."""
        self.moving: tuple[str, ...] = ()
        """Columns that did not hold still when last looked at."""
        self._has_told_repeats = self._has_told_memory = False
        self.damaged_rows = 0
        """Rows left out because what was kept of them can no longer be read: others are waited for in their place."""
        logger.info("%s: learning a reference from the first %d rows", name, rows_wanted)

    @property
    def state(self) -> LearnerState:
        """All that it holds."""
        return LearnerState(self._wanted, tuple(self._kept), self.moving, self.damaged_rows)

    def restore(self, state: LearnerState) -> None:
        """Go on from *state*; ValueError where its numbers cannot be. Rows that are damaged show once they are learned from."""
        self._wanted = within("rows wanted", state.wanted, self._stretch, MOST_STRETCHES * self._stretch)
        self.moving, self.damaged_rows = state.moving, within("damaged rows", state.damaged_rows)
        for rows in state.kept:
            refuse("kept rows that are no row of bytes", where=rows.frozen.ndim != 1 or rows.frozen.dtype != np.uint8)
            for count in rows.rows.values():
                within("kept rows", count)
            self.take(rows)

    def take(self, rows: KeptRows) -> None:
        """Keep the *rows* of one process; once there are enough none is kept."""
        if not self._is_full and self._places.take(self, size_bytes=rows.size_bytes, rows=rows.row_count):
            self._keep(rows.apart())

    def forget(self) -> None:
        """Begin anew: the memory goes to a model that began before, or is asked."""
        if self._kept:
            logger.info(
                "%s: there is no memory to learn from its rows for now: %d are forgotten", self._name, self.rows
            )
        self._kept, self._rows, self.size_bytes = [], Counter(), 0

    @property
    def rows(self) -> int:
        """Rows collected."""
        return max(self._rows.values(), default=0)

    def progress(self) -> list[Score]:
        """The share of the rows wanted that are there, and how many columns moved and how many rows were damaged, if any."""
        share = 1.0 if self._is_full else self.rows / self._wanted
        scores = [Score(None, None, "reference_learned", share, share, share, self.rows)]
        for statistic, count in (
            ("reference_moving_columns", len(self.moving)),
            ("reference_damaged_rows", self.damaged_rows),
        ):
            if count:
                scores.append(Score(None, None, statistic, float(count), float(count), float(count), self.rows))
        return scores

    def reference(self, at: float, *, model: str) -> Steps[Reference | None]:
        """In steps: the reference, once there are rows enough and they held still; else None, and it goes on learning."""
        if not self._is_full:
            return None
        wanted, learning = self._stretch, self._learning()
        if not self._is_full:  # some were damaged
            return None
        learning = self._without_repeats(learning)
        if learning.rows < wanted and not self._is_full:
            return None
        rows, long = learnable(learning.chunk)
        rows, left_out_count = within_memory(rows, most_bytes=self._places.most_reference_bytes)
        learning.replace(rows)
        if left_out_count:
            self._tell_left_out(left_out_count)
        writings = _read_texts(learning)
        # A counter never holds still.
        rows = _without(learning.left_out(self._keep_globs), learning.chunk)
        # The latest stretch alone may hold still where the first rows did not: a deployment, a cold cache.
        latest: Chunk = {role: table if table.rows <= wanted else _last(table, wanted) for role, table in rows.items()}
        yield
        self.moving = yield from moved_steps(latest, tolerance=self._tolerance, rng=np.random.default_rng(_SEED))
        most = MOST_STRETCHES * wanted
        if self.moving and self.rows < most and not self._is_heavy:
            self._wanted = min(self.rows + wanted, most)
            logger.info("%s: %s moved while a reference was learned; going on", self._name, listed(self.moving))
            return None
        if learning.rows < self._wanted and self._is_heavy:
            logger.info(
                "%s: rows are wide: %d of them hold %d MB, and no more are waited for",
                self._name,
                learning.rows,
                self.size_bytes >> 20,
            )
        if self.moving:
            logger.warning(
                "%s: learned a reference from %d rows in which %s did not hold still: what they did then counts as usual",
                self._name,
                learning.rows,
                listed(self.moving),
            )
        else:
            learning.keep_last(wanted)
        rng = np.random.default_rng(_SEED)
        reference = yield from learning.reference(
            rng=rng, created_at=at, model=model, keep=self._keep_globs, writings=writings, key=self._key
        )
        told = [f"{printable(each.name)} {WHY[each.why]}" for each in reference.left_out]
        told += [f"{printable(name)} holds numbers as long as those of cards" for name in long]
        if told:
            logger.info("%s: left out: %s", self._name, "; ".join(told[:NAMES_LISTED]))
        return reference

    def _tell_left_out(self, count: int) -> None:
        if not self._has_told_memory:
            self._has_told_memory = True
            logger.warning(
                "%s: there is no memory for %d of its columns, the last ones: they are not learned. DASHLIGHT_MEMORY says "
                "how much there is, DASHLIGHT_FEATURES which columns are used",
                self._name,
                count,
            )

    def _without_repeats(self, learning: Learning) -> Learning:
        """*learning*, of which a payload that is too much of it counts once; then more rows are waited for."""
        rows = learning.chunk
        role: Role = "feature" if "feature" in rows else "output"
        if role not in rows:
            return learning
        once, count = counted_once(rows[role]), rows[role].rows
        if not once.share:
            return learning
        if not self._has_told_repeats:
            self._has_told_repeats = True
            logger.warning(
                "%s: one payload is %s of the rows to learn from (a probe, retries?): it counts once",
                self._name,
                percent(once.share),
            )
        fresh = Learning(self.rows + 1)
        fresh.take({each: rows_at(table, once, count) for each, table in rows.items()})
        if fresh.rows < self._stretch:
            as_many = -(-self._stretch * self.rows // fresh.rows)
            self._wanted = min(as_many, MOST_STRETCHES * self._stretch)
        return fresh

    @property
    def _is_full(self) -> bool:
        """Whether a reference can be made, of as many rows as wanted or of as many as there is room for."""
        return self.rows >= self._wanted or self._is_heavy

    @property
    def _is_heavy(self) -> bool:
        return self.size_bytes >= (1 if self.rows >= FEWEST_ROWS else 2) * self._most_bytes

    def _learning(self) -> Learning:
        """The rows themselves. Those that are damaged are left out and kept no longer."""
        learning, sound = Learning(self.rows + 1), list[KeptRows]()
        for rows in self._kept:
            try:
                chunk = rows.chunk(self._key)
            except StateError as error:
                self._leave_out(rows, error)
                continue
            learning.take(chunk)
            sound.append(rows)
        self._kept, self._rows, self.size_bytes = [], Counter(), 0
        for rows in sound:
            self._keep(rows)
        return learning

    def _keep(self, rows: KeptRows) -> None:
        self._kept.append(rows)
        self._rows.update(rows.rows)
        self.size_bytes += rows.size_bytes

    def _leave_out(self, rows: KeptRows, error: StateError) -> None:
        if not self.damaged_rows:
            logger.warning("%s: rows to learn from are damaged and left out: %s", self._name, error)
        self.damaged_rows += rows.row_count


def _without(apart: Collection[LeftOutColumn], rows: Chunk) -> Chunk:
    places = {(each.role, each.name) for each in apart}
    if not places:
        return rows
    return {
        role: selected(table, [name for name in (*table.number_names, *table.cell_names) if (role, name) not in places])
        for role, table in rows.items()
    }


def _read_texts(learning: Learning) -> dict[str, Writing]:
    """Reads the texts among numbers and booleans of *learning*, as traffic will be; how these columns are written."""
    read, writings = dict[Role, Table](), dict[str, Writing]()
    for role, table in learning.chunk.items():
        columns = typed_columns(table)
        read[role] = as_known(table, columns)
        writings.update((name, column.writing) for name, column in columns.items())
    learning.replace(read)
    return writings


def _last(table: Table, rows: int) -> Table:
    return taken(table, np.arange(table.rows - rows, table.rows))
