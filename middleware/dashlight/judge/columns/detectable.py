"""The smallest shift that would have been seen by now: what is said while there is not enough data. Pure."""

from collections.abc import Mapping

import numpy as np

from dashlight.judge.evidence.bets import DIRECTIONS
from dashlight.judge.evidence.effects import CLEAR_OF_GATE, CLEAR_OF_NOISE
from dashlight.judge.evidence.null import Floats, Null, shifted
from dashlight.judge.evidence.null_bounds import SIZES
from dashlight.judge.evidence.score_tables import EvidenceTables
from dashlight.window.events import EVENT_COUNT
from dashlight.window.layout import NULL, STRUCTURAL_BINS, UNSEEN

MOST_OFTEN = 1.2
"""Standard errors by which reference and rows may together hide a part of a shift: nearly nine times in ten it is less."""
CAPPED_PART = 0.5
"""Of what panes may say of an event that comes in runs, so much is said of a shift on average."""
USUAL_SHARE = 0.1
"""Intervals of values that fewer rows hold, or lack, are not what is meant by a shift of the column."""

BESIDE_BINS = 1.25
"""A shift of numbers does not begin and end where bins do: so much larger it must be than one that does."""

ROW_STEPS = 20
_RATES = {"missing_rate": NULL, "unseen_rate": UNSEEN}
"""Names in `scores.RATES`, and their events."""


class DetectableShifts:
    """The smallest shifts of the columns of one judge, worked out once for about so many rows."""

    def __init__(self, null: Null, tables: EvidenceTables, *, gate: float) -> None:
        """*gate* is the smallest effect that fires, in Cohen's h; 0 where the evidence alone does."""
        self._null, self._tables, self._gate = null, tables, gate
        self._told: tuple[tuple[bytes, int], Floats] | None = None

    def minimum(self, rows: Floats, *, panes: int) -> Floats:
        """See `minimum_detectable_shift`; of *rows*, shape (columns,), in so many *panes*."""
        return minimum_detectable_shift(self._shifts(rows, panes), self._null)

    def minimum_rates(self, rows: Floats, *, panes: int) -> Mapping[str, Floats]:
        """The smallest rates by their names in `scores.RATES`, shape (columns,); NaN where none could have been seen."""
        found = self._shifts(rows, panes)
        shares = {name: detectable_share(self._null, self._tables, found, event) for name, event in _RATES.items()}
        shares["unseen_rate"][self._null.numeric] = np.nan
        return shares

    def _shifts(self, rows: Floats, panes: int) -> Floats:
        """The smallest shift of every event, shape (columns, EVENT_COUNT)."""
        rows, panes = in_steps(rows), int(in_steps(np.array(max(panes, 1), np.float64)))
        key = (rows.tobytes(), panes)
        if self._told is None or self._told[0] != key:
            self._told = key, detectable_shifts(self._null, self._tables, rows, panes=panes, gate=self._gate)
        return self._told[1]


def minimum_detectable_shift(shifts: Floats, null: Null) -> Floats:
    """Of each column the shift that would have raised an alarm whichever interval of values it moved to or from.

    *shifts* are those of `detectable_shifts`. The middle one of the intervals that hold at least USUAL_SHARE of the rows, and
    lack as much, is taken; of a column without such intervals that of the others, and without any that of missing and
    wrong values.

    Returns:
        In Cohen's h, shape (columns,); inf where no shift could have been seen.
    """
    intervals = shifts[:, STRUCTURAL_BINS:] * np.where(null.numeric, BESIDE_BINS, 1.0)[:, np.newaxis]
    held = null.event_shares[:, STRUCTURAL_BINS:]
    is_bet = np.isfinite(intervals)
    usual = is_bet & (np.minimum(held, 1 - held) >= USUAL_SHARE)
    by_kind = (_middle(intervals, usual), _middle(intervals, is_bet), shifts[:, :STRUCTURAL_BINS].min(1))
    least: Floats = np.full(len(shifts), np.inf)
    for found in reversed(by_kind):
        least = np.where(np.isfinite(found), found, least)
    return least


def detectable_shifts(null: Null, tables: EvidenceTables, rows: Floats, *, panes: int, gate: float) -> Floats:
    """The smallest shift of each event that so many *rows* show nearly always, in Cohen's h.

    A bet scores a + b q a row where the share is q, and is over its threshold T after n rows where q is (T/n - a) / b.
    The shift must also be surely there and surely beyond the *gate* (0 where there is none). What is measured lacks a part of
    the shift, MOST_OFTEN errors sqrt(phi (1/n + 1/R)): the reference is a sample, and so are the rows. However many rows
    come, the part of the reference remains.

    Args:
        rows: since the start, shape (columns,).
        panes: that they came in.

    Returns:
        Shape (columns, EVENT_COUNT); inf where no shift could have been seen.
    """
    phi, held = null.variation.phi, null.event_shares
    thresholds = -tables.floor[:, :EVENT_COUNT].astype(np.float64)
    seen = np.maximum(rows, 1e-9)[:, np.newaxis]
    layers = (DIRECTIONS, len(SIZES), *held.shape)
    each = tables.each[:, :, :EVENT_COUNT].astype(np.float64).reshape(layers)
    inside = tables.inside[:, :, :EVENT_COUNT].astype(np.float64).reshape(layers)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = (thresholds / seen - each) / inside
    possible = (inside != 0) & (needed >= 0) & (needed <= 1)
    angle = 2 * np.arcsin(np.sqrt(held))
    shifts = np.abs(2 * np.arcsin(np.sqrt(np.clip(np.nan_to_num(needed), 0.0, 1.0))) - angle)
    by_direction: Floats = np.where(possible, shifts, np.inf).min(axis=1)
    errors = np.sqrt(phi * (1 / seen + 1 / null.rows))
    if gate > 0:
        gates = gate * null.event_parts
        by_direction = np.maximum(by_direction, np.maximum(CLEAR_OF_NOISE * errors, gates + CLEAR_OF_GATE * errors))
    by_direction = by_direction + MOST_OFTEN * errors
    room = np.stack([np.pi - angle, angle])
    least: Floats = np.where(by_direction <= room, by_direction, np.inf).min(axis=0)
    slow = thresholds > CAPPED_PART * max(panes, 1) * tables.pane_nats
    return np.where(slow, np.inf, least)


def detectable_share(null: Null, tables: EvidenceTables, shifts: Floats, event: int) -> Floats:
    """The share to which an *event* must rise for its shift to be one of *shifts*, shape (columns,); NaN where none would do.

    A share that is expected to fall, or of which nobody bets that it rises, has none.
    """
    held, least = null.event_shares[:, event], shifts[:, event]
    can = tables.live.events[0, :, event] & (least <= np.pi - 2 * np.arcsin(np.sqrt(held)))
    return np.where(can, shifted(held, np.where(can, least, 0.0)), np.nan)


def in_steps(rows: Floats) -> Floats:
    """*rows* rounded down to steps of one in twenty: what they show is worked out anew only that often."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.floor(np.log(rows) * ROW_STEPS) / ROW_STEPS))


def _middle(shifts: Floats, which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """The middle one of *which* of the *shifts* of each column; inf where there is none."""
    ordered = np.sort(np.where(which, shifts, np.inf), axis=1)
    places = np.maximum(which.sum(1) - 1, 0) // 2
    return np.asarray(ordered[np.arange(len(shifts)), places])
