"""Losses of labelled rows under watch: from batches of labels to one alert, its beginning and its end. Pure.

Shared by what is realised (against the usual losses of each bin of the score) and by what parts from the estimate (against
the loss that each row leads to expect). Only losses that rise are news.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.judge.performance.alarm_words import LossMeasure, cause_of, where_of
from dashlight.judge.performance.loss_cohorts import MOST_COHORTS, LossChange, LossCohorts, LossCohortsState
from dashlight.judge.performance.loss_evidence import LEVEL, TOLERANCE, LossEvidence, LossEvidenceState
from dashlight.judge.performance.loss_hold import LossHold, LossHoldState
from dashlight.judge.performance.losses import LossStrata, Places, sums_of
from dashlight.labels.rows import Floats
from dashlight.records import Alert
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.hours import HOUR_SECONDS

RECENT_ROWS = 2_000.0
"""Rows after which one weighs 1/e in what is displayed."""
LEAST_TAKEN = 100.0
"""Rows that must show that losses are back, at least; else as many as it took to fire."""
BLOCKS = 8
"""In which these are kept."""


@dataclass(frozen=True, slots=True)
class LossSetting:
    """What does not change while a loss is watched."""

    measure: LossMeasure
    strata: LossStrata
    part: str
    """Last part of the alert's key."""
    batches: float
    """Mean number of batches between false alarms."""
    settle_seconds: float
    hour_seconds: float = HOUR_SECONDS
    segment: str = ""
    """Whose losses they are, as `carrier=UA`; empty: those of all rows."""
    level: float = LEVEL
    """By which the reference may be luckier than its bound says."""
    most_cohorts: int = MOST_COHORTS

    @property
    def parts(self) -> tuple[str, ...]:
        """With which the alert's key ends."""
        return (self.part, self.segment) if self.segment else (self.part,)


@dataclass(frozen=True, slots=True)
class LossNews:
    """How a change is told, and whether it is."""

    say: Callable[[LossMeasure, LossChange], str]
    """The sentence of the alert."""
    beside: Callable[[LossMeasure, LossChange], str] = lambda _measure, _change: ""
    """What is said after it."""
    is_told: Callable[[LossChange], bool] = lambda _change: True
    """Whether an alert may begin now."""


@dataclass(frozen=True, slots=True, eq=False)
class LossWatchState:
    """What a LossWatch remembers."""

    hold: LossHoldState
    evidence: LossEvidenceState
    cohorts: LossCohortsState
    hysteresis: HysteresisState
    alert: Alert | None
    took: float
    """Rows from the change until it fired; 0 where it does not fire."""
    blocks: Floats
    """Rows and excess of the last blocks of rows since it fired, shape (at most BLOCKS, 2)."""
    recent: Floats
    """Rows, losses, what was expected, squared weights; older rows weigh less, shape (4,)."""
    rows: float
    """That were judged so far."""


class LossWatch:
    """Watches the losses of one model."""

    def __init__(self, setting: LossSetting, writer: AlertWriter, news: LossNews) -> None:
        """*news* says how a change is told."""
        self.setting, self._writer, self._news = setting, writer, news
        strata = setting.strata
        self._hold = LossHold(len(strata.means), setting.settle_seconds, hour_seconds=setting.hour_seconds)
        self.evidence = LossEvidence(strata, batches=setting.batches, level=setting.level)
        """What speaks for a rise."""
        self._cohorts = LossCohorts(len(strata.means), hour_seconds=setting.hour_seconds, most=setting.most_cohorts)
        self._hysteresis, self._life_cycle = Hysteresis(), LifeCycle()
        self._took, self._rows = 0.0, 0.0
        self._blocks: Floats = np.zeros((0, 2))
        self._recent: Floats = np.zeros(4)

    @property
    def state(self) -> LossWatchState:
        """What outlives the process."""
        return LossWatchState(
            hold=self._hold.state,
            evidence=self.evidence.state,
            cohorts=self._cohorts.state,
            hysteresis=self._hysteresis.state,
            alert=self._life_cycle.alert,
            took=self._took,
            blocks=self._blocks,
            recent=self._recent,
            rows=self._rows,
        )

    def restore(self, state: LossWatchState) -> None:
        """Go on from *state*, of a watch with the same setting; ValueError where no rows lead to it."""
        self._hold.restore(state.hold)
        self.evidence.restore(state.evidence)
        self._cohorts.restore(state.cohorts)
        self._hysteresis.restore(state.hysteresis)
        told = state.alert
        key = self._writer.key(*self.setting.parts)
        refuse("an alert of something else", where=told is not None and told.key != key)
        self._life_cycle.restore(told)
        is_firing = self._hysteresis.alert_state == "firing"
        refuse("an alert that is not the state's", where=is_firing != self._life_cycle.is_firing)
        self._rows = within("rows", state.rows)
        self._took = within("rows until it fired", state.took, LEAST_TAKEN if is_firing else 0, MOST_COUNT)
        refuse("rows until it fired, but it does not", where=bool(state.took) and not is_firing)
        count = within("blocks of rows", len(state.blocks), 0, BLOCKS if is_firing else 0)
        self._blocks = fitted(
            "blocks of rows", state.blocks, like=np.empty((count, 2)), least=-MOST_COUNT, most=MOST_COUNT
        )
        refuse("blocks without rows", where=bool((self._blocks[:, :1] < np.abs(self._blocks[:, 1:])).any()))
        self._recent = fitted("recent rows", state.recent, like=self._recent, least=0, most=MOST_COUNT)

    def know_silence(self, until_at: float) -> None:
        """Silence of predictions made before *until_at* is a label by now, or never will be: later ones wait for it."""
        self._hold.decided_at = until_at

    @property
    def is_firing(self) -> bool:
        """Whether its alert fires."""
        return self._life_cycle.is_firing

    @property
    def rows(self) -> float:
        """Rows that were judged so far."""
        return self._rows

    @property
    def recent(self) -> Floats:
        """Recent rows, the mean of their losses, of what was expected, and the standard error of the first: shape (4,)."""
        rows, losses, expected, squares = self._recent.tolist()
        if not rows:
            return np.zeros(4)
        mean = losses / rows
        variances = self.setting.strata.variances
        weights = self.setting.strata.rows
        variance = max(float((variances * weights).sum() / weights.sum()), mean * (1 - mean) / 4)
        phi = self.evidence.variation.phi(min(rows, RECENT_ROWS), variance)
        return np.array([rows, mean, expected / rows, (phi * variance * squares / rows**2) ** 0.5])

    def since(self, at: float) -> Floats:
        """Rows, losses and what was expected of the predictions made in the hours that begin *at* or later, shape (3,)."""
        return np.asarray(self._cohorts.since(at).sum(0))

    @property
    def begins_at(self) -> float:
        """When the first hour began of which `since` knows; inf where there is none."""
        starts = self._cohorts.state.starts
        return float(starts[0]) if len(starts) else np.inf

    def begin_anew(self) -> None:
        """Forget what speaks for a rise so far, unless it fires."""
        if not self.is_firing:
            self.evidence.reset()
            self._cohorts.clear()

    def take(self, losses: Floats, bins: Places, expected: Floats, times: tuple[Floats, float]) -> list[Alert]:
        """Take rows whose *times* are when they were predicted, and now; the news of its alert, once an hour at most."""
        self._hold.take(losses, bins, expected, times, self._cohorts)
        at = times[1]
        batch = self._hold.next_batch(at)
        return [] if batch is None else self._judge(batch, at)

    def _judge(self, batch: Floats, at: float) -> list[Alert]:
        rows, losses, expected = sums_of(batch).sum(0).tolist()
        self._rows += rows
        kept = float(np.exp(-rows / RECENT_ROWS))
        self._recent = self._recent * [kept, kept, kept, kept**2] + [rows, losses, expected, rows]
        was_firing = self._hysteresis.alert_state == "firing"
        margin = self.evidence.update(batch, learns=not was_firing)
        if was_firing:
            self._add_block(rows, losses - expected)
        change = self._change(rows) if was_firing or margin >= 0 else None
        state = self._hysteresis.step(
            self._rows,
            is_evident=margin >= 0 and change is not None and self._news.is_told(change),
            fires=lambda: True,
            gone_for=self._gone_for,
        )
        if state == "firing" and not was_firing and change is not None:
            self._took = max(float(change.sums[:, 0].sum()), LEAST_TAKEN)
        if state == "resolved":
            self.evidence.reset()
            self._cohorts.clear()
            self._took, self._blocks = 0.0, np.zeros((0, 2))
        since_at = at if change is None else change.since_at

        return self._life_cycle.step(
            Phase(state, at, since_at),
            None if change is None else partial(self._described, change),
            over="the loss is back to what the reference allows",
            fired_for=self._hysteresis.fired_for,
        )

    def _change(self, rows: float) -> LossChange | None:
        strata = self.setting.strata
        mix = self.evidence.state.mix
        mean = float((mix * strata.variances).sum() / max(float(mix.sum()), 1e-12))
        return self._cohorts.change(
            bounds=self.evidence.allowance(mix, strata.variances),
            variances=strata.variances,
            phi=self.evidence.variation.phi(rows, max(mean, 1e-6)),
        )

    def _add_block(self, rows: float, excess: float) -> None:
        """Keep rows since it fired, in blocks that together hold as many as must show that it is over."""
        blocks, new = self._blocks, np.array([[rows, excess]])
        needed = self._hysteresis.patience * self._took
        if len(blocks) and blocks[-1, 0] < needed / BLOCKS:
            new = new + blocks[-1:]
            blocks = blocks[:-1]
        self._blocks = np.concatenate([blocks, new])[-BLOCKS:]

    def _gone_for(self) -> float | None:
        """Rows for which the loss has been back within what is tolerated; None where it is not."""
        rows, excess = self._blocks.sum(0).tolist()
        if rows < self._hysteresis.patience * self._took * (1 - 1 / BLOCKS):
            return None
        mix, variances = self.evidence.state.mix, self.setting.strata.variances
        allowed = float((self.evidence.allowance(mix, variances) * mix).sum() / max(float(mix.sum()), 1e-12))
        return float(rows) if excess <= rows * (allowed + TOLERANCE) else None

    def _described(self, change: LossChange, phase: Phase) -> Alert:
        rows, losses, expected = change.sums.sum(0).tolist()
        measure = self.setting.measure
        where = where_of(measure, change.sums, self.setting.strata.variances)
        said, beside = self._news.say(measure, change), self._news.beside(measure, change)
        alert = self._writer.write(
            *self.setting.parts,
            phase=phase,
            summary=f"{said}, of {round(rows):,} labels{where}{beside}",
            rows=round(rows),
            score=(losses - expected) / max(rows, 1e-12),
            causes=(cause_of(measure, change.sums),),
        )
        return replace(
            alert,
            segment=self.setting.segment,
            since_earliest_at=change.earliest_at,
            since_latest_at=change.latest_at,
        )


def batches_between(panes: float, pane_seconds: float, share: float, *, hour_seconds: float) -> float:
    """The mean number of batches between false alarms of what has the *share* of a budget; one comes an hour at most."""
    return panes * pane_seconds / hour_seconds / share
