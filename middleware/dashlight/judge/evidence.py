"""The evidence of drift: a bank of one-sided bets on every column, under one budget of false alarms. Pure.

Every detector bets that one event is more (or less) frequent than its band allows, or the mean of one functional
higher. Its wealth grows by a factor whose mean is at most 1 where there is no drift; the logarithm is summed and kept
above zero (a CUSUM). A threshold of ln(panes / weight), with weights that sum to one over all detectors of all
columns, makes the mean time between false alarms of the whole bank at least *panes*.

Source: Shin, Ramdas and Rinaldo (2023), "E-detectors", arXiv 2203.03532. Dividing scores by phi is an asymptotic
correction where rows hang together, not a proven one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.bands import Bands, Floats
from dashlight.judge.stakes import DIRECTIONS, SIZES, event_stakes, functional_stakes
from dashlight.window.events import EVENT_COUNT, EVENTS, FUNCTIONAL_COUNT, OTHER_EVENTS
from dashlight.window.layout import BINS, STRUCTURAL_BINS, UNSEEN

STRUCTURAL_SHARE, FUNCTIONAL_SHARE = 0.25, 0.40
"""Of a column's budget; the rest belongs to the intervals of value bins."""
CAP_NATS = 6.0
"""Evidence beyond the threshold that is remembered, so that it is soon gone when the drift is."""
NO_BET = 1e30
"""Threshold of a detector that does not exist."""
AGE_LIMIT = 30_000
"""Panes after which a detector's age is no longer counted exactly; twice as many fit into 16 bits."""

_LAYERS = DIRECTIONS * len(SIZES)
"""Layers of the bank. Events: one for each direction and size. Functionals: one each, their sizes side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Firing:
    """The detectors of one column whose evidence is over their threshold; the leading one has most of it."""

    ups: NDArray[np.intp]
    """Events that became more frequent."""
    downs: NDArray[np.intp]
    """Events that became less frequent."""
    functionals: NDArray[np.intp]
    """Functionals whose mean rose."""
    age: int
    """Panes since the evidence of the leading detector last was zero, at least 1: since the change began."""


class Evidence:
    """The state of the bank: for every detector its margin over the threshold, in nats, and its age."""

    def __init__(self, bands: Bands, weights: Floats, *, panes: float) -> None:
        """Set up the bets.

        *weights*, shape (columns,), are the columns' shares of the budget and sum to at most one; a column of weight 0
        is not watched. *panes* is the mean number of panes between false alarms of the whole bank.
        """
        columns = len(weights)
        shape = (_LAYERS, columns, EVENT_COUNT + len(SIZES))
        events, functionals = event_stakes(bands), functional_stakes(bands)
        # A row scores *each*, and *inside* on top where it is in the event: two passes over the bank.
        self._each, self._inside = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        layers = (_LAYERS, columns, EVENT_COUNT)
        self._each[:, :, :EVENT_COUNT] = events.outside.reshape(layers)
        self._inside[:, :, :EVENT_COUNT] = (events.inside - events.outside).reshape(layers)
        bins = (columns, BINS, FUNCTIONAL_COUNT * len(SIZES))
        self._scores = np.ascontiguousarray(functionals.scores.reshape(bins), np.float32)
        self._events = np.concatenate([EVENTS, np.zeros((len(EVENTS), len(SIZES)))], axis=1).astype(np.float32)
        self._other_events = np.concatenate([OTHER_EVENTS, np.zeros(len(SIZES))]).astype(np.float32)
        self._other = bands.unseen_is_other.astype(np.float32)[:, np.newaxis]
        self._floor = -_thresholds(events.live, functionals.live, weights, panes).astype(np.float32)
        self._cap = np.full(shape[1:], CAP_NATS, np.float32)  # an array: three times as fast as a number
        self._margins = self._floor.copy()
        self._gain, self._every_row = np.empty_like(self._margins), np.empty(shape[1:], np.float32)
        self._alive = np.empty(shape, np.bool_)
        self._age = np.zeros(shape, np.uint16)
        self._panes_to_clamp = AGE_LIMIT

    def update(self, counts: NDArray[np.integer]) -> NDArray[np.float32]:
        """Take the counts of one pane, shape (columns, BINS); the margins of the columns, shape (columns,), in nats.

        A column's margin is that of its leading detector; at 0 or more there is evidence of drift.
        """
        rows = counts.astype(np.float32)
        held = rows @ self._events
        held += (rows[:, UNSEEN, np.newaxis] * self._other) * self._other_events
        self._every_row[:] = rows.sum(1, keepdims=True)
        margins = self._margins
        np.multiply(self._inside, held, out=self._gain)
        margins += self._gain
        np.multiply(self._each, self._every_row, out=self._gain)
        scores = np.matmul(rows[:, np.newaxis], self._scores).reshape(-1, FUNCTIONAL_COUNT, len(SIZES))
        self._gain[:, :, EVENT_COUNT:] = scores.transpose(1, 0, 2)
        margins += self._gain
        np.maximum(margins, self._floor, out=margins)
        np.minimum(margins, self._cap, out=margins)
        self._grow_older()
        return np.asarray(margins.max(0).max(1))

    def firing(self, column: int) -> Firing:
        """The detectors of *column* over their threshold."""
        margins = self._margins[:, column]
        over: NDArray[np.bool_] = np.greater_equal(margins, 0)
        by_direction = over[:, :EVENT_COUNT].reshape(DIRECTIONS, len(SIZES), EVENT_COUNT)
        leading = margins >= margins.max()
        return Firing(
            ups=np.flatnonzero(by_direction[0].any(axis=0)),
            downs=np.flatnonzero(by_direction[1].any(axis=0)),
            functionals=np.flatnonzero(over[:, EVENT_COUNT:].any(1)),
            age=max(int(self._age[:, column][leading].min()), 1),  # of several at the cap the youngest knows best
        )

    def reset(self, column: int) -> None:
        """Forget all evidence of *column*."""
        self._margins[:, column] = self._floor[:, column]
        self._age[:, column] = 0

    def _grow_older(self) -> None:
        np.greater(self._margins, self._floor, out=self._alive)
        self._age += 1
        self._age *= self._alive
        self._panes_to_clamp -= 1
        if not self._panes_to_clamp:  # beyond 65535 an age would begin again at 0
            np.minimum(self._age, AGE_LIMIT, out=self._age)
            self._panes_to_clamp = AGE_LIMIT


def _thresholds(
    event_live: NDArray[np.bool_], functional_live: NDArray[np.bool_], weights: Floats, panes: float
) -> Floats:
    """ln(panes / weight) of every detector, shape (layers, columns, EVENT_COUNT + sizes).

    A column's weight is parted among structural events, functionals and intervals, and evenly inside each.
    """
    sizes = len(SIZES)
    structural = event_live & (np.arange(EVENT_COUNT) < STRUCTURAL_BINS)
    intervals = event_live & ~structural
    functional_share = np.where(functional_live.any(1), FUNCTIONAL_SHARE, 0.0)

    def each(share: Floats | float, live: NDArray[np.signedinteger]) -> Floats:
        return np.asarray(weights * share / np.maximum(live * sizes, 1))[:, np.newaxis]

    event_weights = structural * each(STRUCTURAL_SHARE, structural.sum((0, 2)))
    event_weights += intervals * each(1 - STRUCTURAL_SHARE - functional_share, intervals.sum((0, 2)))
    functional_weights = functional_live * each(functional_share, functional_live.sum(1))
    detector_weights = np.zeros((_LAYERS, len(weights), EVENT_COUNT + sizes))
    detector_weights[:, :, :EVENT_COUNT] = np.repeat(event_weights, sizes, axis=0)
    detector_weights[:, :, EVENT_COUNT:] = functional_weights.T[:, :, np.newaxis]
    with np.errstate(divide="ignore"):
        thresholds: Floats = np.minimum(np.log(panes) - np.log(detector_weights), NO_BET)
    return thresholds
