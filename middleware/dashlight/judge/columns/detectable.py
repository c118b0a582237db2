"""The smallest shift that would have been seen by now: what is said while there is not enough data. Pure."""

import numpy as np

from dashlight.judge.evidence.effects import CLEAR_OF_GATE, CLEAR_OF_NOISE
from dashlight.judge.evidence.null import Floats, Null
from dashlight.judge.evidence.null_bounds import SIZES, SLACK
from dashlight.judge.evidence.score_tables import EvidenceTables
from dashlight.window.events import EVENT_COUNT
from dashlight.window.layout import STRUCTURAL_BINS


def minimum_detectable_shift(null: Null, tables: EvidenceTables, rows: Floats, *, gate: float) -> Floats:
    """The smallest shift of each column that would have raised an alarm with so many *rows*, in Cohen's h.

    A bet of size s with margin b on an event is over its threshold h after n rows at a shift of
    b + s/2 + h phi / (n s) or more; the effect must then be surely beyond the *gate* (0 where there is none). The
    least over all bets on intervals of values is taken; on missing and wrong values where a column has no others.

    Args:
        rows: since the start, shape (columns,).

    Returns:
        Shape (columns,); inf where no shift could have been seen.
    """
    phi, held = null.variation.phi, null.event_shares
    thresholds = -tables.floor[:, :EVENT_COUNT].astype(np.float64)
    seen = np.maximum(rows, 1e-9)[:, np.newaxis]
    reference_rows = np.maximum(null.rows / null.variation.likely_phi, 2.0)
    errors = np.sqrt(phi * (1 / seen + 1 / null.rows))
    least: Floats = np.full(held.shape, np.inf)
    for size in SIZES:
        margin = null.event_natural + np.maximum(SLACK, thresholds / (reference_rows * size))
        least = np.minimum(least, margin + size / 2 + thresholds * phi / (seen * size))
    if gate > 0:
        least = np.maximum(least, np.maximum(CLEAR_OF_NOISE * errors, gate + CLEAR_OF_GATE * errors))
    angle = 2 * np.arcsin(np.sqrt(held))
    up, down = tables.live.events
    room = np.maximum(np.where(up, np.pi - angle, 0.0), np.where(down, angle, 0.0))
    least = np.where(least <= room, least, np.inf)
    intervals: Floats = least[:, STRUCTURAL_BINS:].min(1)
    has_intervals = (up | down)[:, STRUCTURAL_BINS:].any(1)
    return np.asarray(np.where(has_intervals, intervals, least[:, :STRUCTURAL_BINS].min(1)))
