"""How much more often rows like those of the reference come now: a classifier of the two, over the reference's bins."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from dashlight.judge.performance.estimates.one_hot import Codes, OneHot
from dashlight.labels.rows import Floats
from dashlight.window.reference.steps import Steps

_MOST_STEPS = 12
"""Newton's method is done after six, save where classes are parted."""
_DONE = 1e-5
"""Largest change of a weight, in log odds."""


@dataclass(frozen=True, slots=True)
class RatioSettings:
    """What the classifier is fitted with."""

    ridge: float
    """A prior worth so much curvature on every weight: log loss + ridge/2 |weights|^2; the intercept is free."""
    largest: float
    """Weights are clipped here, in multiples of their mean."""


def density_ratios(reference: Codes, current: Codes, settings: RatioSettings) -> Steps[Floats]:
    """For each row of *reference*, p(current) / p(reference) there, mean 1: shape (rows of the reference,).

    A logistic regression tells the two apart; odds times n_reference / n_current are the ratio. It is fitted on half of the
    rows (by their places, odd and even) and applied to the other half, so that no row is weighed by a model that has seen it.

    Args:
        reference: Shape (columns, rows).
        current: Likewise of a window.
        settings: Of the classifier.

    Source: Bialek et al., arXiv 2401.08348 (PAPE); Sugiyama et al., Density Ratio Estimation in Machine Learning, 4.
    """
    ratios = np.empty(reference.shape[1])
    for fold in (0, 1):
        seen_reference, seen_current = reference[:, 1 - fold :: 2], current[:, 1 - fold :: 2]
        weights = yield from _fitted(seen_reference, seen_current, settings.ridge)
        odds = yield from OneHot([reference[:, fold::2]]).times(weights)
        ratios[fold::2] = np.exp(np.clip(odds, -30, 30)) * (seen_reference.shape[1] / max(seen_current.shape[1], 1))
    ratios /= ratios.mean()
    np.minimum(ratios, settings.largest, out=ratios)
    ratios /= ratios.mean()
    return ratios


def effective_share(weights: Floats) -> float:
    """As what share of the rows they would count if they were weighed alike: (sum w)^2 / (n sum w^2), above 0 to 1.

    Source: Kish (1965), Survey Sampling, 11.7.
    """
    return float(weights.sum() ** 2 / (len(weights) * (weights**2).sum()))


def _fitted(reference: Codes, current: Codes, ridge: float) -> Steps[Floats]:
    """Weights of the logistic regression, by Newton's method."""
    rows = OneHot([reference, current])
    is_current = np.zeros(rows.rows)
    is_current[reference.shape[1] :] = 1.0
    penalty = np.full(rows.width, ridge)
    penalty[0] = 1e-9
    weights = np.zeros(rows.width)
    weights[0] = np.log(current.shape[1] / reference.shape[1])
    for _ in range(_MOST_STEPS):
        probability = expit((yield from rows.times(weights)))
        gradient = (yield from rows.transposed(is_current - probability)) - penalty * weights
        step = yield from rows.solved(gradient, np.maximum(probability * (1 - probability), 1e-9), penalty)
        weights += step
        if np.abs(step).max() < _DONE:
            break
    return weights
