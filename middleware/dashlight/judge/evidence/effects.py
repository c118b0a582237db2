"""How large a drift is: what windows show of the events and functionals that gave the evidence. Pure.

Evidence says that something moved, however little. Whether it moved enough to wake somebody, and whether it is over,
is read from windows of recent panes with their standard errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.null import SEASON_DEVIATIONS, Floats, Null
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT, event_counts

TOLERANCE = 0.02
"""The smallest shift worth waking somebody, as a PSI; its square root is the gate in Cohen's h."""
CLEAR_OF_NOISE = 4.0
"""Standard errors that an effect must be away from none."""
CLEAR_OF_GATE = 1.0
"""Standard errors that it must be beyond the gate."""
CLEAR_SINCE = 0.5
"""Standard errors that the effect in most rows since the change began must be beyond the gate too, ..."""
CLEAR_ALONE = 3.5
"""... but for effects so many beyond it: of many windows, one always looks larger than it is."""
BACK_INSIDE = 0.75
"""Part of the gate below which an effect counts as gone; the gap to the gate keeps an alert from flapping."""
BACK_BY_HALF = 0.5
"""A window too short to resolve the gate may show instead that half of the effect is gone, and no drift is left."""
CERTAIN = 2.0
"""Standard errors by which an effect must be gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Effects of the firing detectors of one column in several windows, in the direction that each detector claims."""

    detectors: NDArray[np.intp]
    """Shape (detectors,): an event's number, or EVENT_COUNT plus a functional's."""
    sizes: Floats
    """Shape (windows, detectors): Cohen's h for events, reference standard deviations for functionals."""
    errors: Floats
    """Standard errors of *sizes*: sqrt(phi (1/n + 1/R))."""
    gates: Floats
    """Shape (detectors,): the smallest size worth waking somebody."""
    natural: Floats
    """Shape (detectors,): how far the slow movement of the reference goes."""


def measured(null: Null, column: int, windows: NDArray[np.integer]) -> Floats:
    """What *windows*, shape (windows, BINS), show of every event and functional of *column*.

    Returns:
        Shape (windows, EVENT_COUNT + FUNCTIONAL_COUNT): Cohen's h from the reference's shares, then means in reference
        standard deviations from the reference's.
    """
    rows = np.maximum(windows.sum(1, dtype=np.float64), 1.0)[:, np.newaxis]
    shares = windows / rows
    held = event_counts(shares[:, np.newaxis], null.unseen_is_other[column : column + 1])[:, 0]
    moved = 2 * (np.arcsin(np.sqrt(np.clip(held, 0.0, 1.0))) - np.arcsin(np.sqrt(null.event_shares[column])))
    means = shares @ null.functionals[column].T
    raised = (means - null.functional_means[column]) / null.functional_deviations[column]
    return np.concatenate([moved, raised], axis=1)


def effects(null: Null, column: int, firing: Firing, windows: NDArray[np.integer], *, gate: float) -> Effects:
    """Effects of what is *firing* in *column*, in *windows* of shape (windows, BINS); *gate* in Cohen's h."""
    rows = np.maximum(windows.sum(1, dtype=np.float64), 1.0)[:, np.newaxis]
    detectors = np.concatenate([firing.ups, firing.downs, EVENT_COUNT + firing.functionals])
    claimed = np.ones(len(detectors))
    claimed[len(firing.ups) : len(firing.ups) + len(firing.downs)] = -1.0
    variation = null.variation
    phi = np.concatenate([variation.phi[column], variation.functional_phi[column]])[detectors]
    tau = np.concatenate([variation.tau[column], variation.functional_tau[column]])[detectors]
    return Effects(
        detectors=detectors,
        sizes=measured(null, column, windows)[:, detectors] * claimed,
        errors=np.sqrt(phi * (1 / rows + 1 / null.rows[column])),
        gates=gate * np.concatenate([null.event_parts[column], np.ones(FUNCTIONAL_COUNT)])[detectors],
        natural=SEASON_DEVIATIONS * tau,
    )


def is_real(sizes: Floats, errors: Floats) -> NDArray[np.bool_]:
    """Which effects of these *sizes* are surely there."""
    return np.asarray(sizes > CLEAR_OF_NOISE * errors)


def is_beyond(sizes: Floats, errors: Floats, gates: Floats | float) -> NDArray[np.bool_]:
    """Which effects are likely beyond their *gates*."""
    return np.asarray(sizes - gates >= CLEAR_OF_GATE * errors)


def is_gone(sizes: Floats, errors: Floats, gates: Floats | float, peaks: Floats | float) -> NDArray[np.bool_]:
    """Which effects, once as large as *peaks*, are surely gone: below BACK_INSIDE gates, or below half of what they were."""
    limits = np.maximum(BACK_INSIDE * np.asarray(gates), BACK_BY_HALF * np.asarray(peaks))
    return np.asarray(sizes + CERTAIN * errors <= limits)


def established(found: Effects, since: int | None = None) -> NDArray[np.bool_]:
    """Which effects are surely there and surely beyond their gate, shape (windows, detectors).

    *since* is the number of the window that holds most rows since the change began: where it shows no more than the
    gate, another must show much more. None where the windows are not to be compared.
    """
    beyond = found.sizes - found.gates
    clear = is_beyond(found.sizes, found.errors, found.gates)
    if since is not None:
        lasting = beyond[since] >= CLEAR_SINCE * found.errors[since]
        clear &= lasting | (beyond >= CLEAR_ALONE * found.errors)
    return is_real(found.sizes, found.errors) & clear


def strength(found: Effects) -> Floats:
    """How many times its gate each effect surely is, shape (windows, detectors): what to show first."""
    return np.asarray((found.sizes - CLEAR_OF_GATE * found.errors) / found.gates)


def back_inside(found: Effects) -> NDArray[np.bool_]:
    """Which windows but the first, shape (windows - 1,), show that the drift is over which the first one showed best.

    The main detectors are those that saw at least half as much there as the one that saw most. Each of them must surely
    be below BACK_INSIDE gates by now, or below half of what it was; and no other may surely be beyond its gate. What the
    slow movement of the reference explains does not count.
    """
    peak = found.sizes[0]
    main = peak >= peak.max() / 2
    excess = np.maximum(found.sizes - found.natural, 0.0)
    gone = is_gone(excess, found.errors, found.gates, excess[0])
    unproven = ~is_beyond(excess, found.errors, found.gates)
    return np.asarray((unproven & (gone | ~main)).all(axis=1)[1:])
