"""The evidence of drift: a bank of one-sided bets on every column, under one budget of false alarms. Pure.

Every detector bets that one event is more (or less) frequent than its border allows, or the mean of one functional
higher. Its wealth grows by a factor whose mean is at most 1 where there is no drift; the logarithm is summed and kept
above zero (a CUSUM). A column's evidence is ln(sum of weight * wealth) over its detectors, against ln(panes). The
weights of all detectors of all columns sum to one, so that the mean time between false alarms of the whole bank is at
least *panes*: a mean over the draw of the reference and of the stream (see `null_bounds`).

Source: Shin, Ramdas and Rinaldo (2023), "E-detectors", arXiv 2203.03532: the sum over starting moments and detectors is
what is bounded, and a CUSUM is never more than one above its part of it. Dividing scores by phi is an asymptotic
correction where rows hang together, not a proven one.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.bets import DIRECTIONS
from dashlight.judge.evidence.cusum import AGE_LIMIT, CAP_NATS, Cusum, CusumState
from dashlight.judge.evidence.null_bounds import SIZES
from dashlight.judge.evidence.score_tables import LAYERS, EvidenceTables
from dashlight.judge.run_lengths import LEAST_PANE_NATS
from dashlight.window.events import BIN_EVENTS, EVENT_COUNT, EVENTS, FUNCTIONAL_COUNT, OTHER_EVENTS
from dashlight.window.fitting import refuse, within
from dashlight.window.layout import BLOCK_ROWS, UNSEEN

MOST_OF_A_PANE = 0.5
"""Held by an event whose runs may have any length, this share of a pane says nothing of other events either."""
ALIKE_NATS = 1.0
"""Where no single detector is over its threshold but all together are: those so close to the leading one count."""

Nats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Firing:
    """The detectors of one column that gave its evidence; the leading one has most of it."""

    ups: NDArray[np.intp]
    """Events that became more frequent."""
    downs: NDArray[np.intp]
    """Events that became less frequent."""
    functionals: NDArray[np.intp]
    """Functionals whose mean rose."""
    age: int
    """Panes since the evidence of the leading detector last was zero, at least 1: since the change began."""
    leading: int = 0
    """The leading detector: an event's number, or EVENT_COUNT plus a functional's."""

    def check(self, possible: "Firing") -> None:
        """Raises ValueError where these are not detectors among those that are *possible*, in ascending order."""
        for detectors, all_ in (
            (self.ups, possible.ups),
            (self.downs, possible.downs),
            (self.functionals, possible.functionals),
        ):
            refuse(
                "detectors that the bank does not have", where=detectors.ndim != 1 or not np.isin(detectors, all_).all()
            )
            refuse("detectors that are not in ascending order", where=(detectors[1:] <= detectors[:-1]).any())
        refuse("evidence without a detector", where=not len(self.ups) + len(self.downs) + len(self.functionals))
        within("the age of evidence", self.age, 1, possible.age)
        within("the leading detector", self.leading, 0, possible.leading)


ANY_FIRING = Firing(
    ups=np.arange(EVENT_COUNT),
    downs=np.arange(EVENT_COUNT),
    functionals=np.arange(FUNCTIONAL_COUNT),
    age=2 * AGE_LIMIT,
    leading=EVENT_COUNT + FUNCTIONAL_COUNT - 1,
)
"""All detectors of a column, and the greatest age."""


class Evidence:
    """The state of the bank: for every detector its margin over the threshold, in nats, and its age."""

    def __init__(self, tables: EvidenceTables) -> None:
        """Begin without evidence, with the thresholds of *tables*."""
        self._tables = tables
        self._cusum = Cusum(tables.floor, bets=LAYERS)
        self._gain = np.empty((LAYERS // 2, *tables.floor.shape), np.float32)
        self._every_row = np.empty_like(tables.floor)
        self._in_runs = np.flatnonzero(np.isfinite(tables.pane_nats).any(1))
        """Columns with events that come in runs."""

    @property
    def state(self) -> CusumState:
        """What is remembered beside the tables: the arrays themselves."""
        return self._cusum.state

    def restore(self, state: CusumState) -> None:
        """Go on from *state*; ValueError where it does not fit these tables."""
        self._cusum.restore(state)

    def update(self, counts: NDArray[np.integer], tables: EvidenceTables | None = None) -> Nats:
        """Take the counts of one pane, shape (columns, BINS); the margins of the columns, shape (columns,), in nats.

        At 0 or more there is evidence of drift. *tables* of the same shape say what a row of this pane scores, where that
        depends on the pane (an hour of the day); thresholds remain those of the state.
        """
        scored = tables or self._tables
        rows = counts.astype(np.float32)
        in_event = rows @ _EVENTS
        in_event += (rows[:, UNSEEN, np.newaxis] * scored.other) * _OTHER_EVENTS
        self._every_row[:] = rows.sum(1, keepdims=True)
        by_functional = np.matmul(rows[:, np.newaxis], scored.scores).reshape(-1, FUNCTIONAL_COUNT, len(SIZES))
        by_functional = by_functional.transpose(1, 0, 2)
        gain, in_runs = self._gain, self._in_runs
        most = self._most(rows, scored) if len(in_runs) else None
        for layers in _HALVES:  # half of the bank at a time stays in the processor's cache
            np.multiply(scored.inside[layers], in_event, out=gain)
            self._cusum.add(gain, layers)
            np.multiply(scored.each[layers], self._every_row, out=gain)
            gain[:, :, EVENT_COUNT:] = by_functional[layers]
            self._cusum.add(gain, layers)
            if most is not None:
                self._cusum.limit(most[layers], in_runs, layers)
            self._cusum.settle(layers)
        return self._together(self._cusum.margins.max(0).max(1))

    def _most(self, rows: Nats, scored: EvidenceTables) -> Nats:
        """What the margins of the columns with runs may be after this pane, shape (LAYERS, columns with runs, detectors).

        Of an event that comes in runs a pane says only so much. A burst longer than any of the reference is no evidence of
        anything else either: of what became rarer, or of values that are higher, for as long as it lasts.
        """
        of = self._in_runs
        held, nats = rows[of], scored.pane_nats[of]
        every = held.sum(1, keepdims=True)
        longest = scored.usual[of] * every + scored.bursts[of] * np.sqrt(np.maximum(every / BLOCK_ROWS[0], 1))
        # A block of the reference may have been full of it: that does not say for how long it goes on.
        is_unknown = nats[:, BIN_EVENTS] <= LEAST_PANE_NATS
        most: Nats = np.where(is_unknown, MOST_OF_A_PANE * every, np.float32(np.inf))
        longest = np.minimum(longest, most)
        of_pane = np.where(held > longest, nats[:, BIN_EVENTS], np.inf).min(1, keepdims=True)
        of_functionals = np.repeat(of_pane, len(SIZES), axis=1)
        gain: Nats = np.concatenate([np.minimum(nats, of_pane), of_functionals], axis=1)
        gain = self._cusum.margins[:, of] + gain
        return np.asarray(gain, np.float32)

    @property
    def rows(self) -> Nats:
        """Rows of the last pane, shape (columns,)."""
        return self._every_row[:, 0]

    def prove(self, column: int, event: int, panes: int) -> bool:
        """Give the bets that *event* became more frequent in *column* all evidence, for so many *panes*.

        Whether there are any: the column may not be watched.
        """
        return self._cusum.prove(slice(0, len(SIZES)), column, event, panes)

    def firing(self, column: int) -> Firing:
        """The detectors of *column* that are over their threshold, or the leading ones where only all together are."""
        margins = self._cusum.margins[:, column]
        over: NDArray[np.bool_] = margins >= min(0.0, float(margins.max()) - ALIKE_NATS)
        by_direction = over[:, :EVENT_COUNT].reshape(DIRECTIONS, len(SIZES), EVENT_COUNT)
        layer, place = np.unravel_index(margins.argmax(), margins.shape)
        return Firing(
            ups=np.flatnonzero(by_direction[0].any(axis=0)),
            downs=np.flatnonzero(by_direction[1].any(axis=0)),
            functionals=np.flatnonzero(over[:, EVENT_COUNT:].any(1)),
            age=self._cusum.leading_age(column),
            leading=int(place) if place < EVENT_COUNT else EVENT_COUNT + int(layer),
        )

    @property
    def bytes(self) -> int:
        """Memory that the state and its tables take."""
        tables = self._tables
        tabled = (tables.each, tables.inside, tables.scores, tables.other, tables.floor)
        return self._cusum.bytes + sum(array.nbytes for array in (*tabled, self._gain, self._every_row))

    def reset(self, column: int) -> None:
        """Forget all evidence of *column*."""
        self._cusum.reset(column)

    def _together(self, leading: Nats) -> Nats:
        """ln(sum of exp(margin)) of every column with the *leading* margin; that itself where all together are far off."""
        for column in np.flatnonzero(leading > -_DETECTORS_NATS):
            margins = self._cusum.cap(int(column))
            leading[column] = min(np.log(np.exp(margins, dtype=np.float64).sum()), CAP_NATS)
        return leading


_HALVES = (slice(0, LAYERS // 2), slice(LAYERS // 2, LAYERS))
_DETECTORS_NATS = float(np.log(LAYERS * (EVENT_COUNT + len(SIZES))))
_EVENTS = np.concatenate([EVENTS, np.zeros((len(EVENTS), len(SIZES)))], axis=1).astype(np.float32)
_OTHER_EVENTS = np.concatenate([OTHER_EVENTS, np.zeros(len(SIZES))]).astype(np.float32)
