"""What losses are usual, learned from the first labels where no reference says it. Pure.

The first LEARNED_ROWS rows say how the loss is measured and by which bins of the score; these and all others of the first
LEARNED_HOURS say what is usual, whose uncertainty is in the bound. Of a day's season nothing is known before.
"""

from dataclasses import dataclass, replace

import numpy as np

from dashlight.judge.performance.loss_variation import LossVariation, LossVariationState
from dashlight.judge.performance.losses import GRID, PARTS, LossScale, LossStrata, strata_of, sums_of, tally
from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.hours import HOUR_SECONDS
from dashlight.window.performance_reference import LossName

LEARNED_ROWS = 1_000
LEARNED_HOURS = 24
LEARNED_BINS = 5
"""Bins of the score, with the same number of rows each."""
LARGEST_SHARE = 0.99
"""Part of the errors of a number that are below the one that counts as 1."""


@dataclass(frozen=True, slots=True, eq=False)
class LossLearningState:
    """What a LossLearning remembers."""

    scores: Floats
    """Of the first rows, shape (rows,); empty once the scale is known. Likewise the two that follow."""
    raw: Floats
    expected: Floats
    scale: float
    """NaN until it is known."""
    origin: float
    edges: Floats
    counted: Floats
    """Shape (bins, PARTS), as `losses.tally` counts."""
    squares: Floats
    """Of losses less what was expected, shape (bins,)."""
    hours: int
    """That ended with rows in them; of which the sum of excess**2 / rows follows, and the hour that is open."""
    hour_squares: float
    open_rows: float
    open_excess: float
    variation: LossVariationState
    """Of the hours that ended."""
    began_at: float
    """When the first label came; NaN before. Likewise when the open hour began."""
    hour_at: float


class LossLearning:
    """The usual losses of one model, as they are being learned."""

    def __init__(self, name: LossName, *, hour_seconds: float = HOUR_SECONDS) -> None:
        self._hour_seconds = hour_seconds
        nothing = np.zeros(0)
        self.name: LossName = name
        self._scores, self._raw, self._expected = nothing, nothing, nothing
        self.scale: LossScale | None = None
        """None until LEARNED_ROWS rows came."""
        self._counted = np.zeros((1, PARTS))
        self._squares = np.zeros(1)
        self._hours, self._hour_squares = 0, 0.0
        self._open_rows, self._open_excess = 0.0, 0.0
        self._variation = LossVariation()
        self._began_at = self._hour_at = float("nan")

    @property
    def state(self) -> LossLearningState:
        """What is remembered: the arrays themselves."""
        scale = self.scale
        return LossLearningState(
            scores=self._scores,
            raw=self._raw,
            expected=self._expected,
            scale=float("nan") if scale is None else scale.scale,
            origin=0.0 if scale is None else scale.origin,
            edges=np.zeros(0) if scale is None else scale.edges,
            counted=self._counted,
            squares=self._squares,
            hours=self._hours,
            hour_squares=self._hour_squares,
            open_rows=self._open_rows,
            open_excess=self._open_excess,
            variation=self._variation.state,
            began_at=self._began_at,
            hour_at=self._hour_at,
        )

    def restore(self, state: LossLearningState) -> None:
        """Go on from *state*; ValueError where no rows lead to it."""
        waiting, known = len(state.raw), not np.isnan(state.scale)
        within("rows to learn from", waiting, 0, 0 if known else LEARNED_ROWS - 1)
        self._raw = fitted("losses", state.raw, like=np.empty(waiting))
        self._expected = fitted("expected losses", state.expected, like=np.empty(waiting), least=0, most=1)
        # A score may be NaN or infinite: it is whatever the model answered.
        refuse("scores of other rows", where=state.scores.shape != (waiting,) or state.scores.dtype != np.float64)
        self._scores = state.scores
        edges = fitted("edges of scores", state.edges, like=np.empty(len(state.edges)))
        within("edges of scores", len(edges), 0, LEARNED_BINS - 1 if known else 0)
        refuse("edges that do not ascend", where=bool((np.diff(edges) <= 0).any()))
        if known:
            within("scale of losses", state.scale, 1e-300, 1e300)
            within("origin of losses", state.origin, -1e300, 1e300)
            self.scale = LossScale(self.name, edges, scale=state.scale, origin=state.origin)
        bins = len(edges) + 1
        self._counted = fitted("losses", state.counted, like=np.empty((bins, PARTS)), least=0, most=MOST_COUNT)
        self._squares = fitted("squared losses", state.squares, like=np.empty(bins), least=0, most=MOST_COUNT)
        self._hours = within("hours", state.hours)
        self._hour_squares = within("squares of hours", state.hour_squares)
        self._open_rows = within("rows of an hour", state.open_rows)
        self._open_excess = within("excess of an hour", state.open_excess, -state.open_rows, state.open_rows)
        self._variation.restore(state.variation)
        for at in (state.began_at, state.hour_at):
            if not np.isnan(at):
                within("moment of a label", at, -LATEST_AT, LATEST_AT)
        seen = waiting + float(self._counted[:, :-1].sum())
        refuse("rows that came at no time", where=seen > 0 and bool(np.isnan([state.began_at, state.hour_at]).any()))
        self._began_at, self._hour_at = state.began_at, state.hour_at

    @property
    def rows(self) -> int:
        """Rows that it learned from so far."""
        return len(self._raw) + round(float(self._counted[:, :-1].sum()))

    def take(self, scores: Floats, raw: Floats, expected: Floats, at: float) -> bool:
        """Take rows whose labels came until *at*; whether enough is known."""
        if np.isnan(self._began_at):
            self._began_at = self._hour_at = at
        if self.scale is None:
            self._scores = np.concatenate([self._scores, scores])
            self._raw = np.concatenate([self._raw, raw])
            self._expected = np.concatenate([self._expected, expected])
            if len(self._raw) < LEARNED_ROWS:
                return False
            scores, raw, expected = self._scores, self._raw, self._expected
            self._scores = self._raw = self._expected = np.zeros(0)
            self.scale = _scale_of(self.name, scores, raw)
            self._counted = np.zeros((self.scale.bins, PARTS))
            self._squares = np.zeros(self.scale.bins)
        self._count(self.scale, (scores, raw, expected))
        if at - self._hour_at >= self._hour_seconds:
            self._close_hour()
            self._hour_at = at
        return at - self._began_at >= LEARNED_HOURS * self._hour_seconds

    def usual(self) -> tuple[Floats, LossStrata]:
        """By how much losses are above what was expected in each bin, and what is usual there, with its uncertainty."""
        self._close_hour()
        rows, losses, expected = np.moveaxis(sums_of(self._counted), -1, 0)
        excess = losses - expected
        total = max(float(rows.sum()), 1.0)
        mean = float(excess.sum()) / total
        degrees = max(self._hours - 1, 1)
        phi = max((self._hour_squares - total * mean**2) / (self._row_variance() * degrees), 1.0)
        strata = strata_of(rows, losses, self._counted[:, :-1] @ GRID**2, phi=phi)
        return np.where(rows > 0, excess / np.maximum(rows, 1), 0.0), strata

    def variation(self) -> LossVariationState:
        """How much the hours varied, each taken for a batch, around what is `usual`.

        A fall that comes soon is measured by it, and not taken for the variation itself.
        """
        self._close_hour()
        return replace(self._variation.state, excess=0.0)

    def _row_variance(self) -> float:
        """Of the excess of one row within its bin, in the mean over all."""
        rows, losses, expected = np.moveaxis(sums_of(self._counted), -1, 0)
        excess = (losses - expected) / np.maximum(rows, 1)
        variances = np.maximum(self._squares / np.maximum(rows, 1) - excess**2, 1e-6)
        return max(float((rows * variances).sum()) / max(float(rows.sum()), 1.0), 1e-6)

    def _count(self, scale: LossScale, rows: tuple[Floats, Floats, Floats]) -> None:
        scores, raw, expected = rows
        bins = scale.bins_of(scores)
        used = bins >= 0
        losses, expected, bins = scale.losses(raw[used]), expected[used], bins[used]
        nothing = np.zeros(len(bins), np.intp)
        self._counted += tally(losses, bins, nothing, expected=expected, shape=(1, scale.bins))[0]
        excess = losses - expected
        self._squares += np.bincount(bins, excess**2, minlength=scale.bins)
        self._open_rows += len(bins)
        self._open_excess += float(excess.sum())

    def _close_hour(self) -> None:
        if self._open_rows:
            self._hours += 1
            self._hour_squares += self._open_excess**2 / self._open_rows
            variance = self._open_rows * self._row_variance()
            self._variation.add(rows=self._open_rows, excess=self._open_excess, variance=variance)
        self._open_rows = self._open_excess = 0.0


def _scale_of(name: LossName, scores: Floats, raw: Floats) -> LossScale:
    """The scale of *raw* losses that are not from 0 to 1 already, and bins with the same number of *scores* each."""
    finite = scores[np.isfinite(scores)]
    inner = np.linspace(0, 1, LEARNED_BINS + 1)[1:-1]
    edges = np.unique(np.quantile(finite, inner)) if len(finite) == len(scores) else np.zeros(0)
    edges = edges[edges > finite.min()] if len(edges) else edges
    if name != "absolute_error" and raw.min() >= 0:
        return LossScale(name, edges)
    origin = min(float(raw.min()), 0.0)  # a grade counts from the best one
    scale = float(np.quantile(raw - origin, LARGEST_SHARE))
    return LossScale(name, edges, scale=scale if scale > 0 else 1.0, origin=origin)
