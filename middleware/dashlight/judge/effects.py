"""How large a drift is: what windows show of the events and functionals that gave the evidence. Pure.

Evidence says that something moved, however little. Whether it moved enough to wake somebody, and whether it is over,
is read from windows of recent panes with their standard errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.bands import SEASON_DEVIATIONS, Bands, Floats
from dashlight.judge.evidence import Firing
from dashlight.window.events import EVENT_COUNT, event_counts
from dashlight.window.layout import STRUCTURAL_BINS

STRUCTURAL_PART = 0.5
"""Missing, mistyped, out-of-range and unseen values matter at half the size of a shift among the usual values."""
CLEAR_OF_NOISE = 4.0
"""Standard errors that an effect must be away from none."""
CLEAR_OF_GATE = 1.0
"""Standard errors that it must be beyond the gate. Effects of two thirds of the gate pass it in time; two would stop
them, and make an effect just beyond the gate a third slower to fire."""
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


def effects(bands: Bands, column: int, firing: Firing, windows: NDArray[np.integer], *, gate: float) -> Effects:
    """Effects of what is *firing* in *column*, in *windows* of shape (windows, BINS); *gate* in Cohen's h."""
    rows = np.maximum(windows.sum(1, dtype=np.float64), 1.0)[:, np.newaxis]
    shares = windows / rows
    held = event_counts(shares[:, np.newaxis], bands.unseen_is_other[column : column + 1])[:, 0]
    moved = 2 * (np.arcsin(np.sqrt(np.clip(held, 0.0, 1.0))) - np.arcsin(np.sqrt(bands.event_shares[column])))
    means = shares @ bands.functionals[column].T
    raised = (means - bands.functional_means[column]) / bands.functional_deviations[column]

    events = np.concatenate([firing.ups, firing.downs])
    claimed = np.repeat([1.0, -1.0], [len(firing.ups), len(firing.downs)])
    variation, functionals = bands.variation, firing.functionals
    phi = np.concatenate([variation.phi[column, events], variation.functional_phi[column, functionals]])
    tau = np.concatenate([variation.tau[column, events], variation.functional_tau[column, functionals]])
    detectors = np.concatenate([events, EVENT_COUNT + functionals])
    return Effects(
        detectors=detectors,
        sizes=np.concatenate([moved[:, events] * claimed, raised[:, functionals]], axis=1),
        errors=np.sqrt(phi * (1 / rows + 1 / bands.rows[column])),
        gates=np.where(detectors < STRUCTURAL_BINS, gate * STRUCTURAL_PART, gate),
        natural=SEASON_DEVIATIONS * tau,
    )


def established(found: Effects) -> NDArray[np.bool_]:
    """Which effects are surely there and surely beyond their gate, shape (windows, detectors)."""
    real = found.sizes > CLEAR_OF_NOISE * found.errors
    return real & (found.sizes - CLEAR_OF_GATE * found.errors >= found.gates)


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
    limits = np.maximum(BACK_INSIDE * found.gates, BACK_BY_HALF * excess[0])
    gone = excess + CERTAIN * found.errors <= limits
    unproven = excess - found.errors < found.gates
    return np.asarray((unproven & (gone | ~main)).all(axis=1)[1:])
