"""What a row scores in each detector of the evidence bank, and the thresholds. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.bets import DIRECTIONS, LiveBets, event_bets, functional_bets, live_bets
from dashlight.judge.evidence.null import Floats, Null
from dashlight.judge.evidence.null_bounds import SIZES, null_bounds
from dashlight.window.events import BIN_EVENTS, EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.layout import BINS, STRUCTURAL_BINS
from dashlight.window.reference.steps import Steps

STRUCTURAL_SHARE, FUNCTIONAL_SHARE = 0.25, 0.40
"""Of a column's budget; the rest belongs to the intervals of value bins."""
LAYERS = DIRECTIONS * len(SIZES)
"""Layers of the bank. Events: one for each direction and size. Functionals: one each, their sizes side by side."""
_COLUMNS_A_STEP = 16
"""Fewer cost more in all: each step has a price of its own."""
NO_BET = 1e30
"""Threshold of a detector that does not exist."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTables:
    """Scores and thresholds; one layer is EVENT_COUNT events and, beside them, the sizes of one functional."""

    each: NDArray[np.float32]
    """Shape (LAYERS, columns, EVENT_COUNT + len(SIZES)): what every row scores; 0 where there is no bet."""
    inside: NDArray[np.float32]
    """Likewise: what a row scores on top where it is in the event."""
    scores: NDArray[np.float32]
    """Shape (columns, BINS, FUNCTIONAL_COUNT * len(SIZES)): what a row scores in the functionals, by its bin."""
    other: NDArray[np.float32]
    """Shape (columns, 1): 1 where an unseen category counts in "other" as well."""
    floor: NDArray[np.float32]
    """Shape (columns, EVENT_COUNT + len(SIZES)): no evidence, that is less the threshold ln(panes / weight)."""
    pane_nats: NDArray[np.float32]
    """Shape (columns, EVENT_COUNT): what a pane may say of an event that comes in runs; inf of any other."""
    usual: NDArray[np.float32]
    """Shape (columns, BINS): share of each bin in the reference."""
    bursts: NDArray[np.float32]
    """Likewise: rows that a bin may hold beyond its share in a burst like those of the reference; inf of one without."""
    live: LiveBets
    """Among which bets the budget is parted."""


def evidence_tables(null: Null, weights: Floats, *, panes: float, like: EvidenceTables | None = None) -> EvidenceTables:
    """Tables of the bets against *null*.

    *weights*, shape (columns,), are the columns' shares of the budget and sum to at most one; a column of weight 0 is
    not watched. *panes* is the mean number of panes between false alarms of the whole bank. Tables that share a state
    with others, those of one hour of the day, are made *like* them: the same bets at the same thresholds.
    """
    live = like.live if like else live_bets(null)
    event_thresholds, functional_thresholds = _thresholds(live, weights, panes)
    found = null_bounds(null, event_thresholds, functional_thresholds, panes=panes)
    events, functionals = event_bets(null, found, live), functional_bets(null, found, live)
    columns = len(weights)
    shape = (LAYERS, columns, EVENT_COUNT + len(SIZES))
    each, inside = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    layers = (LAYERS, columns, EVENT_COUNT)
    each[:, :, :EVENT_COUNT] = events.outside.reshape(layers)
    inside[:, :, :EVENT_COUNT] = (events.inside - events.outside).reshape(layers)
    thresholds = np.concatenate([event_thresholds, np.repeat(functional_thresholds[:, :1], len(SIZES), axis=1)], axis=1)
    return EvidenceTables(
        each=each,
        inside=inside,
        scores=np.ascontiguousarray(functionals.reshape(columns, BINS, FUNCTIONAL_COUNT * len(SIZES)), np.float32),
        other=null.unseen_is_other.astype(np.float32)[:, np.newaxis],
        floor=-thresholds.astype(np.float32),
        pane_nats=np.array([each.pane_nats for each in null.variation.bursts], np.float32).reshape(
            columns, EVENT_COUNT
        ),
        usual=null.shares.astype(np.float32),
        bursts=np.array([each.rows[BIN_EVENTS] for each in null.variation.bursts], np.float32).reshape(columns, BINS),
        live=live,
    )


def evidence_steps(null: Null, weights: Floats, *, panes: float) -> Steps[EvidenceTables]:
    """As `evidence_tables`, some columns at a time."""
    parts: list[EvidenceTables] = []
    for first in range(0, max(len(weights), 1), _COLUMNS_A_STEP):
        some = slice(first, first + _COLUMNS_A_STEP)
        parts.append(evidence_tables(null.of_columns(some), weights[some], panes=panes))
        yield
    return EvidenceTables(
        each=np.concatenate([part.each for part in parts], axis=1),
        inside=np.concatenate([part.inside for part in parts], axis=1),
        scores=np.concatenate([part.scores for part in parts]),
        other=np.concatenate([part.other for part in parts]),
        floor=np.concatenate([part.floor for part in parts]),
        pane_nats=np.concatenate([part.pane_nats for part in parts]),
        usual=np.concatenate([part.usual for part in parts]),
        bursts=np.concatenate([part.bursts for part in parts]),
        live=LiveBets(
            np.concatenate([part.live.events for part in parts], axis=1),
            np.concatenate([part.live.functionals for part in parts]),
        ),
    )


def _thresholds(live: LiveBets, weights: Floats, panes: float) -> tuple[Floats, Floats]:
    """ln(panes / weight) of every detector, shapes (columns, EVENT_COUNT) and (columns, FUNCTIONAL_COUNT).

    A column's weight is parted among structural events, functionals and intervals, and evenly inside each.
    """
    sizes = len(SIZES)
    bets = live.events.sum(0)
    structural = bets * (np.arange(EVENT_COUNT) < STRUCTURAL_BINS)
    intervals = bets - structural
    functional_share = np.where(live.functionals.any(1), FUNCTIONAL_SHARE, 0.0)

    def each(share: Floats | float, count: NDArray[np.integer]) -> Floats:
        return np.asarray(weights * share / np.maximum(count * sizes, 1))[:, np.newaxis]

    event_weights = (structural > 0) * each(STRUCTURAL_SHARE, structural.sum(1))
    event_weights += (intervals > 0) * each(1 - STRUCTURAL_SHARE - functional_share, intervals.sum(1))
    functional_weights = live.functionals * each(functional_share, live.functionals.sum(1))
    with np.errstate(divide="ignore"):
        event_thresholds: Floats = np.minimum(np.log(panes) - np.log(event_weights), NO_BET)
        functional_thresholds: Floats = np.minimum(np.log(panes) - np.log(functional_weights), NO_BET)
    return event_thresholds, functional_thresholds
