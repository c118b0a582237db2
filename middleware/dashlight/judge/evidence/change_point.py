"""When a change began: the moments that the panes kept do not exclude. Pure.

For every boundary between kept panes the likelihood that the column changed there is that of all rows since, against
the reference. The interval holds the boundaries whose log-likelihood is within WITHIN_NATS of the best one's.
"""

from collections.abc import Iterator
from math import log

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.effects import is_real, measured
from dashlight.judge.evidence.null import Null
from dashlight.judge.evidence.windows import Counts, Window

LEVEL = 0.9
"""Of the interval in which a change began, of data and of traffic alike."""
WITHIN_NATS = log(2 / (1 - LEVEL))
"""On either side the log-likelihood of a wrong boundary exceeds that of the true one by c nats with probability exp(-c)
at most."""
STEPS_OF_ONE = 32
"""So many of the last panes are tried one by one; before them steps of about one in STEPS_OF_ONE / 2."""
REACH = 4
"""Times the age of the evidence: boundaries further back are not looked at."""


def change_point(null: Null, column: int, detector: int, window: Window, age: int) -> tuple[int, int]:
    """How many panes ago the change began that *detector* sees in *column*: (at least, at most).

    *age* is for how many panes there has been evidence. With k panes since a boundary that hold n rows, and the effect h
    in them, the log-likelihood of a change there is n h**2 / (2 phi). As a pane may have been cut by the change, the
    interval reaches to the next boundary on either side: where panes are kept together, it says so by its width.

    Source: Hinkley (1970), Biometrika 57, 1-17; Siegmund (1988), International Statistical Review 56, 31-48, for
    intervals by likelihood.
    """
    panes, counts = _since_boundaries(window, column, REACH * age + STEPS_OF_ONE)
    effect = np.abs(measured(null, column, counts)[:, detector])
    variation = null.variation
    by_detector = np.concatenate([variation.phi[column], variation.functional_phi[column]])
    likelihood = counts.sum(1) * effect**2 / (2 * by_detector[detector])
    near = np.flatnonzero(likelihood >= likelihood.max() - WITHIN_NATS)
    first, last = max(int(near[0]) - 1, -1), min(int(near[-1]) + 1, len(panes) - 1)
    return (int(panes[first]) if first >= 0 else 0), int(panes[last])


def clearest_change(null: Null, column: int, windows: Counts) -> tuple[int, int] | None:
    """The detector that shows most of a change of *column*, and the number of the window that shows it best.

    *windows*, shape (windows, BINS), are of the last panes. By the likelihood of `change_point`; None where no window
    shows anything that is surely there.
    """
    effect = np.abs(measured(null, column, windows))
    variation = null.variation
    phi = np.concatenate([variation.phi[column], variation.functional_phi[column]])
    rows = windows.sum(1)[:, np.newaxis]
    errors = np.sqrt(phi * (1 / np.maximum(rows, 1) + 1 / null.rows[column]))
    likelihood = np.where(is_real(effect, errors), rows * effect**2 / (2 * phi), 0.0)
    window, detector = np.unravel_index(likelihood.argmax(), likelihood.shape)
    return (int(detector), int(window)) if likelihood[window, detector] > 0 else None


def _since_boundaries(window: Window, column: int, furthest: int) -> tuple[NDArray[np.intp], Counts]:
    """How many panes there are since each kept boundary, the latest first, and the counts of these panes."""
    panes: list[int] = []
    counts: list[Counts] = []
    for wanted in _distances(furthest):
        held, covered = window(wanted)
        if covered < wanted and panes and covered == panes[-1]:
            break
        if not panes or covered > panes[-1]:
            panes.append(covered)
            counts.append(held[column])
    return np.array(panes, np.intp), np.stack(counts)


def _distances(furthest: int) -> Iterator[int]:
    wanted = 1
    while wanted <= furthest:
        yield wanted
        wanted += max(1, 2 * wanted // STEPS_OF_ONE)
