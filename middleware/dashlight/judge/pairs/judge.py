"""Joint drift of the columns of one model at one endpoint: pairs that rise together more, or less, than they did. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase, is_renewed
from dashlight.judge.evidence.hysteresis import Hysteresis
from dashlight.judge.evidence.null import Floats
from dashlight.judge.evidence.pane_ends import PaneEnds
from dashlight.judge.evidence.proportions import ProportionBank, Proportions
from dashlight.judge.evidence.shift_watch import TELLING_ROWS
from dashlight.judge.pairs.dependence import Margin
from dashlight.judge.pairs.effects import SPANS, PairEffects, PairMeasure, PairScales, back_inside, beyond, is_real
from dashlight.judge.pairs.moved import MovedColumns
from dashlight.judge.pairs.state import MOST_MEASURED, PairDrift, PairJudgeState
from dashlight.judge.pairs.words import MovedPair, joint_causes, joint_summary
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference, PairReference, stacked_counts
from dashlight.window.fitting import refuse
from dashlight.window.layout import BINS
from dashlight.window.pairs import PairCounts, pairs_of

Places = NDArray[np.intp]

FEWEST_TRIALS = 50.0
"""A pair of which the reference saw fewer independent informative rows is not watched: it could prove nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a pane's end shows of the pairs that have evidence, and of those that fired."""

    pairs: Places
    peaks: Floats
    """How far each of *pairs* surely was when it fired, 0 where it did not."""
    has_evidence: bool
    effects: PairEffects
    real: NDArray[np.bool_]
    """Effects that are surely there, shape (scales, pairs)."""
    sure: NDArray[np.bool_]
    """Those that are likely beyond the gate too."""
    witnesses: NDArray[np.bool_]
    """Scales that say something of a pair, shape (scales, pairs), see MovedColumns; the effect is 0 on the others."""


class PairJudge:
    """Watches the pairs of columns of one model at one endpoint, pane by pane: one alert for all of them."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        reference: PairReference,
        *,
        panes: float,
        tolerance: float = 0.02,
        share: float = 0.15,
        importance: Mapping[str, float] | None = None,
        model: str = "",
        version: str = "",
        endpoint: str = "",
    ) -> None:
        """Set up the evidence against *reference*, which is that of *columns*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*. A pair's
        part of it is the product of what *importance* says of its columns (1 where it says nothing).
        """
        self._names = reference.names
        first, second = self._first, self._second = pairs_of(len(reference.names))
        arrays = (reference.shares, reference.trials, reference.phi, reference.tau)
        agreeing = Proportions(*(array.astype(np.float64) for array in arrays))
        of_columns = np.array([(importance or {}).get(name, 1.0) for name in reference.names], np.float64)
        if (of_columns < 0).any():
            raise ValueError("importance must not be negative")
        weights = of_columns[first] * of_columns[second] * (agreeing.trials / agreeing.phi >= FEWEST_TRIALS)
        watched = weights > 0
        weights *= share / max(weights.sum(), 1e-12)
        self._bank = ProportionBank(agreeing, weights=weights, panes=panes, up=watched, down=watched)
        self._measure = PairMeasure(reference, _margin(columns, reference))
        self._scales = PairScales(len(reference.names))
        self._moved = MovedColumns(reference.names)
        self._gate = float(np.sqrt(tolerance))
        self._writer = AlertWriter("drift", model=model, version=version, endpoint=endpoint)
        self._ends = PaneEnds()
        self._hysteresis, self._life_cycle = Hysteresis(), LifeCycle()
        self._drift: PairDrift | None = None

    @property
    def state(self) -> PairJudgeState:
        """What is remembered: the arrays themselves."""
        return PairJudgeState(
            scales=self._scales.state,
            moved=self._moved.state,
            bank=self._bank.state,
            ends=self._ends.state,
            hysteresis=self._hysteresis.state,
            alert=self._life_cycle.alert,
            drift=self._drift,
        )

    def restore(self, state: PairJudgeState) -> None:
        """Go on from *state*; ValueError where no panes of these pairs lead to it."""
        self._scales.restore(state.scales)
        self._moved.restore(state.moved)
        self._bank.restore(state.bank)
        self._ends.restore(state.ends)
        self._hysteresis.restore(state.hysteresis)
        self._life_cycle.restore(state.alert)
        alert_state = "inactive" if state.alert is None else state.alert.state
        key = self._writer.key("joint")
        refuse("an alert of something else", where=state.alert is not None and state.alert.key != key)
        refuse("an alert in another state than what it is of", where=alert_state != self._hysteresis.alert_state)
        refuse("a drift that does not fire", where=(state.drift is not None) != (alert_state == "firing"))
        if state.drift is not None:
            state.drift.check(len(self._first), self._ends.rows)
        self._drift = state.drift

    @property
    def margins(self) -> NDArray[np.float32]:
        """Evidence of every pair, shape (m,), in nats over its threshold; -inf where it is not watched."""
        return self._bank.margins

    def is_between(self, names: Collection[str]) -> bool:
        """Whether every pair that shows something now is one of two columns in *names*."""
        pairs = np.flatnonzero(self._bank.margins >= 0) if self._drift is None else self._drift.pairs
        is_named = np.array([name in names for name in self._names], np.bool_)
        return bool(is_named[self._first[pairs]].all() and is_named[self._second[pairs]].all())

    def update(self, counts: PairCounts, at: float, told: Collection[str] = ()) -> list[Alert]:
        """Judge the pane that ended *at* by its *counts*. A pane without rows does not count.

        *told* are columns with an alert of their own.

        Returns:
            The alert, where its state changed, or where it still fires and is described anew (see `is_renewed`).
        """
        if not counts.rows or not len(self._bank.margins):
            return []
        self._moved.take(told, self._ends.rows)
        self._ends.add(at, counts.rows)
        self._scales.add(counts)
        margins = self._bank.update(counts.agreeing, counts.informative)
        over = np.flatnonzero(margins >= 0)
        if not len(over) and self._hysteresis.alert_state == "inactive":
            return []
        seen = self._look(over[np.argsort(margins[over])[-MOST_MEASURED:]] if len(over) > MOST_MEASURED else over)
        age = self._age(seen)
        state = self._hysteresis.step(
            self._ends.rows,
            is_evident=bool(seen.real.any()),
            fires=lambda: self._fires(seen, age),
            gone_for=lambda: None if self._drift is None else self._gone_for(seen, self._drift),
        )
        shown = seen.real if state == "pending" else seen.sure
        fired_for = self._hysteresis.fired_for
        if state == "resolved":
            self._drift = None
            self._bank.reset(seen.pairs)
        else:
            # Columns moved, each by itself: they have alerts of their own, and this evidence says no more than that.
            self._bank.reset(seen.pairs[(seen.peaks == 0) & ~seen.real.any(axis=0)])
        if self._drift is not None and is_renewed(fired_for):
            self._drift, shown = _renewed(self._drift, seen)
        return self._life_cycle.step(
            Phase(state, at, self._ends.ended_at(age)),
            partial(self._described, seen, shown),
            over="the columns depend on one another as in the reference again",
            fired_for=fired_for,
        )

    def _look(self, over: Places) -> _Seen:
        """What there is to see of the pairs *over*, which have evidence, and of those that fired."""
        drift = self._drift
        pairs = over if drift is None else np.union1d(drift.pairs, over)
        peaks = np.zeros(len(pairs))
        if drift is not None:
            peaks[np.searchsorted(pairs, drift.pairs)] = drift.peaks
        effects = self._measure.effects(self._scales, pairs)
        witnesses = self._moved.witnesses(*self._measure.columns(pairs), SPANS, self._ends.rows)
        effects = replace(effects, sizes=np.where(witnesses, effects.sizes, 0.0))
        real = is_real(effects)
        return _Seen(pairs, peaks, len(over) > 0, effects, real, real & beyond(effects, self._gate), witnesses)

    def _age(self, seen: _Seen) -> int:
        """For how many panes the leading pair that really moved has had evidence."""
        moved = seen.pairs[seen.real.any(axis=0)]
        return self._bank.age(int(moved[self._bank.margins[moved].argmax()])) if len(moved) else 0

    def _fires(self, seen: _Seen, age: int) -> bool:
        fired = seen.sure.any(axis=0)
        if fired.any():
            took = max(self._ends.rows_of_last(age), 1.0)
            peaks = _peaks(seen.effects, seen.sure)[fired]
            self._drift = PairDrift(seen.pairs[fired], peaks, began=self._ends.rows - took, took=took)
        return bool(fired.any())

    def _gone_for(self, seen: _Seen, drift: PairDrift) -> float | None:
        """About the rows that it took to fire, where a scale of as many shows that it is over.

        Longer scales, and such as remember what was before the drift, are no witnesses.
        """
        wanted = drift.took * self._hysteresis.patience
        usable = self._scales.between(wanted, self._ends.rows - drift.began)
        usable = usable[seen.witnesses[usable][:, seen.peaks != 0].all(axis=1)]
        if seen.has_evidence:
            over = back_inside(seen.effects, seen.peaks, self._gate)[usable].all(axis=1)
        else:
            over = ~seen.sure[usable][:, seen.peaks != 0].any(axis=1)
        return wanted if over.any() else None

    def _described(self, seen: _Seen, shown: NDArray[np.bool_], phase: Phase) -> Alert:
        """The alert on those pairs that are *shown* on some scale, shape (scales, pairs), the furthest first."""
        effects = seen.effects
        telling = np.minimum(TELLING_ROWS, self._scales.fading.rows.max()) <= self._scales.fading.rows
        strength = np.abs(effects.sizes) - effects.errors - np.where(telling, 0.0, 2 * np.pi)[:, np.newaxis]
        strength = np.where(shown, strength, -np.inf)
        best = strength.argmax(axis=0)
        order = np.argsort(-strength.max(axis=0), kind="stable")[: int(shown.any(axis=0).sum())]
        first, second = self._measure.columns(seen.pairs)
        moved = [
            MovedPair(
                self._names[first[place]],
                self._names[second[place]],
                float(effects.reference[place]),
                float(effects.current[best[place], place]),
            )
            for place in order.tolist()
        ]
        scale = best[order[0]]
        return self._writer.write(
            "joint",
            phase=phase,
            summary=joint_summary(moved),
            rows=int(self._scales.fading.rows[scale]),
            score=float(np.abs(effects.sizes[scale, order[0]])),
            causes=joint_causes(moved),
        )


def _renewed(drift: PairDrift, seen: _Seen) -> tuple[PairDrift, NDArray[np.bool_]]:
    """*drift* as it is told now, and what is shown of it, shape (scales, pairs)."""
    peaks = _peaks(seen.effects, seen.sure)
    peaks = np.where(np.abs(peaks) > np.abs(seen.peaks), peaks, seen.peaks)
    moved = np.flatnonzero(peaks)
    furthest = np.sort(moved[np.argsort(-np.abs(peaks[moved]), kind="stable")[:MOST_MEASURED]])
    # Those that are going are told as well, by the scale that shows most of them still.
    return replace(drift, pairs=seen.pairs[furthest], peaks=peaks[furthest]), np.broadcast_to(
        peaks != 0, seen.sure.shape
    )


def _margin(columns: Sequence[ColumnReference], reference: PairReference) -> Margin:
    """Of the paired columns the shares of the reference's rows that are low and high."""
    counts = stacked_counts(columns)[reference.places].reshape(-1, BINS)
    rows = np.maximum(counts.sum(axis=1), 1)
    low, high = (counts * (reference.signs < 0)).sum(axis=1), (counts * (reference.signs > 0)).sum(axis=1)
    return Margin(low / rows, high / rows)


def _peaks(effects: PairEffects, sure: NDArray[np.bool_]) -> Floats:
    """The furthest that each pair surely is on any scale, with its sign; 0 where it surely is nowhere."""
    least = np.where(sure, np.abs(effects.sizes) - effects.errors, 0.0)
    best = least.argmax(axis=0)
    every = np.arange(len(best))
    return np.asarray(least[best, every] * np.sign(effects.sizes[best, every]))
