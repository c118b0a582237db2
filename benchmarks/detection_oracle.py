"""The honest yardstick: how soon an oracle would alarm that knows the change, under the same budget of false alarms.

It watches the one column that changes, with the CUSUM of both laws, which no other rule beats on average (Moustakides 1986).
Its threshold is ours, ln(A / w), with the weight w of one of our bets. And it begins where ours must: the reference is a
sample, so that it bets against the law at the edge of the band, on the way from the old law to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log

import numpy as np
from benchmarks.detection_ours import PANES_A_MONTH
from benchmarks.detection_streams import DRIFT_REFERENCE_ROWS, zipf
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

COLUMNS, SHARE, BETS = 20, 0.58, 4 * 8 / 0.4
"""Of the drift streams; of the budget for columns; functionals by sizes, in their part of a column's."""
NATS = log(PANES_A_MONTH * COLUMNS * BETS / SHARE)
SLACK = 0.01
"""Cohen's h: the least margin of a bet."""
_EDGES = np.concatenate([[-np.inf], np.linspace(-3.7, 3.7, 400), [np.inf]])
"""Values beyond those of the reference are one and the same: how rare they were nobody knows."""


def _normal(mean: float = 0.0, deviation: float = 1.0) -> Floats:
    return np.asarray(np.diff(ndtr((_EDGES - mean) / deviation)))


def _laplace(scale: float) -> Floats:
    tails = np.exp(-np.abs(_EDGES) / scale) / 2
    return np.asarray(np.diff(np.where(_EDGES < 0, tails, 1 - tails)))


def _event(share: float) -> Floats:
    return np.array([share, 1 - share])


def _mixed(share: float) -> Floats:
    shares = zipf(20)
    frequent = shares[:3].sum()
    moved = shares.copy()
    moved[:3] *= 1 - share / frequent
    moved[3:] *= 1 + share / (1 - frequent)
    return np.asarray(moved)


_ROW = 1 / (DRIFT_REFERENCE_ROWS + 1)
LAWS: Mapping[str, tuple[Floats, Floats]] = {
    "mean +0.25 sd": (_normal(), _normal(0.25)),
    "mean +0.5 sd": (_normal(), _normal(0.5)),
    "mean +1 sd": (_normal(), _normal(1.0)),
    "sd x 1.25": (_normal(), _normal(deviation=1.25)),
    "sd x 1.5": (_normal(), _normal(deviation=1.5)),
    "bimodal, same mean and sd": (_normal(), (_normal(-0.8, 0.6) + _normal(0.8, 0.6)) / 2),
    "laplace, same mean and sd": (_normal(), _laplace(0.5**0.5)),
    "tail, 2 % of rows x 10": (_normal(), 0.98 * _normal() + 0.02 * _normal(deviation=10)),
    "category mix 0.1": (zipf(20), _mixed(0.1)),
    "category mix 0.2": (zipf(20), _mixed(0.2)),
    "new category 1 %": (_event(_ROW / 2), _event(0.01)),
    "new category 5 %": (_event(_ROW / 2), _event(0.05)),
    "missing 1 -> 3 %": (_event(0.01), _event(0.03)),
    "missing 1 -> 10 %": (_event(0.01), _event(0.1)),
}
"""Before and after, for the streams in which one column changes at once and for good."""


def oracle_rows(name: str, *, pane_rows: int) -> int | None:
    """Rows until the oracle's alarm on the stream *name*, up to the end of a pane; None where it is not known.

    ln(A / w) / KL(after, edge): the mean of a CUSUM, to the first order (Lorden 1971).
    """
    if name not in LAWS:
        return None
    before, after = (np.maximum(law, 1e-300) for law in LAWS[name])
    before = np.maximum(before, np.where(before < _ROW / 2, _ROW / 2, 0.0)) if len(before) > 100 else before
    edge = at_the_edge(before / before.sum(), after)
    divergence = float((after * np.log(after / edge)).sum())
    return ceil(NATS / divergence / pane_rows) * pane_rows


def at_the_edge(before: Floats, after: Floats) -> Floats:
    """The law as far from *before* as the margin of a bet of that size, ln(A / w) / (R h), on the shortest way to *after*."""
    angle = float(np.arccos(np.clip(np.sqrt(before * after).sum(), -1.0, 1.0)))
    margin = min(max(SLACK, NATS / DRIFT_REFERENCE_ROWS / (2 * angle)) / 2, 0.9 * angle)
    root = (np.sin(angle - margin) * np.sqrt(before) + np.sin(margin) * np.sqrt(after)) / np.sin(angle)
    return np.asarray(root**2 / (root**2).sum())
