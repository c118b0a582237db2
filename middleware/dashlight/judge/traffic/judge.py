"""Failures, slowness and what cannot be decoded at one endpoint: from the counts of its panes to alerts. Pure.

Every event has bets of its own (evidence.proportions); the events of one quantity, such as latency beyond its median and
beyond its ninth decile, share one alert. Only rises alarm.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.evidence.cusum import AGE_LIMIT, CusumState
from dashlight.judge.evidence.effects import Effects, strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.null import SEASON_DEVIATIONS
from dashlight.judge.evidence.null_bounds import SLACK
from dashlight.judge.evidence.pane_ends import PaneEnds, PaneEndsState
from dashlight.judge.evidence.proportions import ProportionBank
from dashlight.judge.evidence.shift_watch import RecentWindows, ShiftWatch, ShiftWatchState
from dashlight.judge.traffic.change_point import Occurrences, traffic_change_point
from dashlight.judge.traffic.events import Quantity, TrafficEvents
from dashlight.judge.traffic.overdispersion import proportions_of
from dashlight.judge.traffic.words import Shown, explain
from dashlight.records import Alert
from dashlight.window.fitting import refuse
from dashlight.window.names import Names
from dashlight.window.outcomes import KIND_LIMIT, REASON_LIMIT, OutcomeCounts
from dashlight.window.reference.traffic import TrafficReference
from dashlight.window.ring import Ring, RingState

Counts = NDArray[np.int64]

SIZES = (0.12, 0.25, 0.5, 1.1)
"""How far beyond its border each bet says that a share lies, in Cohen's h: from 0.5 % to about 2, 3, 8 and 30 %."""
LEVELS = 8
"""32 panes each of 1, 2, 4 ... 128, of those that held exchanges."""
_NONE: NDArray[np.intp] = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Recent:
    """What is known of the last exchanges beyond the counts that are judged."""

    since: Callable[[float], OutcomeCounts]
    """The panes that ended after a moment, as far as they are kept."""
    traces: Callable[[Quantity, float], tuple[str, ...]]
    """Trace ids of exchanges after a moment that show what an alert on the quantity is about."""


@dataclass(frozen=True, slots=True, eq=False)
class TrafficJudgeState:
    """What outlives the process of a TrafficJudge, beside its reference."""

    bank: CusumState
    ring: RingState
    kinds: tuple[str, ...]
    """Of failures, by place in the ring, as are the reasons and the refusals."""
    reasons: tuple[str, ...]
    refusals: tuple[str, ...]
    watches: tuple[ShiftWatchState, ...]
    """Of each quantity, in the order of TrafficEvents.quantities."""
    ends: PaneEndsState


class TrafficJudge:
    """Watches the exchanges of one endpoint, pane by pane."""

    def __init__(
        self, reference: TrafficReference, *, panes: float, share: float, tolerance: float, endpoint: str = ""
    ) -> None:
        """Set up the evidence against *reference*.

        *panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*;
        *tolerance* the smallest shift worth waking somebody, as a PSI.
        """
        self.reference = reference
        self.events = TrafficEvents(reference.total)
        blocks = np.array([self.events.count(block) for block in reference.blocks])
        self.expected = proportions_of(
            blocks,
            is_failure=self.events.is_failure,
            is_refusal=self.events.is_refusal,
            is_slow=self.events.is_slow,
            seconds=reference.seconds,
        )
        """What the reference says of the events."""
        yes = np.ones(self.events.size, np.bool_)
        self._bank = ProportionBank(
            self.expected,
            weights=share * self.events.weights,
            panes=panes,
            up=yes,
            down=~yes,
            sizes=SIZES,
            slack=SLACK,
            once=True,
        )
        self.gates = self.events.gates(float(np.sqrt(tolerance)))
        """The smallest rise of each event worth waking somebody, in Cohen's h."""
        self._writer = AlertWriter("traffic", endpoint=endpoint)
        self._kinds, self._reasons = Names(KIND_LIMIT), Names(REASON_LIMIT)
        self._refusals = Names(KIND_LIMIT)
        named = self._kinds.size + self._reasons.size + self._refusals.size
        self._ring = Ring((2 * self.events.size + named,), LEVELS)
        self._watches = {quantity: ShiftWatch() for quantity in self.events.quantities}
        self._ends = PaneEnds()

    @property
    def state(self) -> TrafficJudgeState:
        """What outlives the process: the arrays themselves."""
        return TrafficJudgeState(
            bank=self._bank.state,
            ring=self._ring.state,
            kinds=self._kinds.state,
            reasons=self._reasons.state,
            refusals=self._refusals.state,
            watches=tuple(watch.state for watch in self._watches.values()),
            ends=self._ends.state,
        )

    def restore(self, state: TrafficJudgeState) -> None:
        """Go on from *state*, of a judge with the same reference; ValueError where no panes lead to it."""
        # Of counts that contradict each other nothing follows: evidence of that would be none for ever.
        phi = self.expected.phi
        refuse("a reference that says nothing of chance", where=not (np.isfinite(phi) & (phi >= 1)).all())
        self._bank.restore(state.bank)
        self._ring.restore(state.ring)
        self._kinds.restore(state.kinds)
        self._reasons.restore(state.reasons)
        self._refusals.restore(state.refusals)
        self._ends.restore(state.ends)
        closed, watches = self._ends.closed, len(state.watches)
        refuse(f"{self._ring.closed} panes of counts, {closed} that ended", where=self._ring.closed != closed)
        refuse(f"{watches} quantities under watch: expected {len(self._watches)}", where=watches != len(self._watches))
        for (quantity, watch), watch_state in zip(self._watches.items(), state.watches, strict=True):
            possible = Firing(ups=np.array(quantity.places), downs=_NONE, functionals=_NONE, age=2 * AGE_LIMIT)
            watch.restore(watch_state, pane=closed - 1, bins=1 + len(quantity.places), possible=possible)

    @property
    def margin(self) -> float:
        """Of the leading bet, in nats over its threshold."""
        return float(self._bank.margins.max())

    @property
    def in_force(self) -> frozenset[str]:
        """Names of the quantities whose alert is pending or firing."""
        return frozenset(quantity.name for quantity, watch in self._watches.items() if watch.is_active)

    @property
    def has_alerts(self) -> bool:
        """Whether any is pending or firing."""
        return any(watch.is_active for watch in self._watches.values())

    def update(self, pane: OutcomeCounts, at: float, recent: Recent) -> list[Alert]:
        """Take the pane that ended *at*; one without exchanges says nothing.

        Returns:
            The alerts whose state changed, and those that fire on and whose description was renewed: that is after
            1, 2, 4, ... panes.
        """
        if not pane.exchanges:
            return []
        self._ends.add(at, pane.exchanges)
        counts = self.events.count(pane)
        named = (
            self._kinds.count(pane.failures),
            self._reasons.count(pane.undecodable),
            self._refusals.count(pane.refusals),
        )
        self._ring.add(np.concatenate([counts.ravel(), *named]), at)
        margins = self._bank.update(*counts.astype(np.float32))
        watches = self._watches.items()
        active = [each for each, watch in watches if watch.is_active or margins[[*each.places]].max() >= 0]
        if not active:
            return []
        stretches = self._dyadic()
        news: list[Alert] = []
        for quantity in active:
            places = np.array(quantity.places)
            over = places[margins[places] >= 0]
            seen = RecentWindows(
                pane=self._ends.closed - 1,
                firing=self._firing(over, margins) if len(over) else None,
                windows=_nested(stretches[0], places, self.events.size),
                panes=stretches[1],
                measure=partial(self._effects, places),
            )
            news.extend(self._step(quantity, seen, (stretches[0], at), recent))
        return news

    def _step(self, quantity: Quantity, seen: RecentWindows, now: tuple[Counts, float], recent: Recent) -> list[Alert]:
        watch, firing = self._watches[quantity], seen.firing
        stretches, at = now
        state = watch.step(seen)
        if state == "resolved":
            self._bank.reset(list(quantity.places))

        def describe(firing: Firing, phase: Phase) -> Alert:
            earliest_at, latest_at = self._began_between(firing)
            return replace(
                self._described(quantity, seen, firing, (stretches, phase, recent.since(phase.since_at))),
                exemplars=recent.traces(quantity, phase.since_at),
                since_earliest_at=earliest_at,
                since_latest_at=latest_at,
            )

        return watch.life_cycle.step(
            Phase(state, at, self._ends.ended_at(seen.pane - watch.since)),
            None if firing is None else partial(describe, firing),
            over="back to what the reference allows",
            fired_for=watch.hysteresis.fired_for,
        )

    def _described(
        self, quantity: Quantity, seen: RecentWindows, firing: Firing, now: tuple[Counts, Phase, OutcomeCounts]
    ) -> Alert:
        """The alert of a quantity, told by the event and the window that show the most."""
        stretches, phase, recent = now
        found = seen.measure(firing, seen.windows)
        size = self.events.size
        telling = seen.telling(firing.age, stretches[:, size + found.detectors])
        row, detector = np.unravel_index(np.where(telling, strength(found), -np.inf).argmax(), found.sizes.shape)
        place = int(found.detectors[detector])
        ends = np.cumsum([self._kinds.size, self._reasons.size])
        kinds, reasons, refusals = np.split(stretches[row, 2 * size :], ends)
        trials = int(stretches[row, size + place])
        shown = Shown(
            quantity=quantity,
            place=place,
            after=float(stretches[row, place] / max(trials, 1)),
            failures=self._kinds.named(kinds),
            undecodable=self._reasons.named(reasons),
            refusals=self._refusals.named(refusals),
            trials=trials,
        )
        summary, cause = explain(shown, self.events, reference=self.reference.total, recent=recent)
        named = [quantity.name, *([quantity.kind] if quantity.kind else [])]
        return self._writer.write(
            *named, phase=phase, summary=summary, rows=trials, score=float(found.sizes[row, detector]), causes=(cause,)
        )

    def _began_between(self, firing: Firing) -> tuple[float, float]:
        """Between which moments the change began that the leading bet sees."""
        leading = int(firing.ups[self._bank.margins[firing.ups].argmax()])
        least, most = traffic_change_point(
            partial(self._tally, leading),
            firing.age,
            share=float(self.expected.shares[leading]),
            phi=float(self.expected.phi[leading]),
        )
        return self._ends.ended_at(most), self._ends.ended_at(least)

    def _tally(self, place: int, panes: int) -> Occurrences:
        held = self._ring.last(panes)
        return Occurrences(int(held.counts[place]), int(held.counts[self.events.size + place]), held.panes)

    def _firing(self, over: NDArray[np.intp], margins: NDArray[np.float32]) -> Firing:
        leading = int(over[margins[over].argmax()])
        return Firing(ups=over, downs=_NONE, functionals=_NONE, age=self._bank.age(leading))

    def _effects(self, places: NDArray[np.intp], firing: Firing, windows: Counts) -> Effects:
        """Effects of the events that are *firing*, of those at *places* of which *windows* hold the nested counts."""
        which = np.searchsorted(places, firing.ups)
        trials = np.maximum(windows.sum(axis=1, dtype=np.float64), 1.0)[:, np.newaxis]
        occurred = np.cumsum(windows[:, :0:-1], axis=1)[:, ::-1]
        shares = np.clip(occurred[:, which] / trials, 0.0, 1.0)
        expected = self.expected
        before = np.arcsin(np.sqrt(expected.shares[firing.ups]))
        phi, rows = expected.phi[firing.ups], np.maximum(expected.trials[firing.ups], 1.0)
        return Effects(
            detectors=firing.ups,
            sizes=2 * (np.arcsin(np.sqrt(shares)) - before),
            errors=np.sqrt(phi * (1 / trials + 1 / rows)),
            gates=self.gates[firing.ups],
            natural=SEASON_DEVIATIONS * expected.tau[firing.ups],
        )

    def _dyadic(self) -> tuple[Counts, NDArray[np.intp]]:
        """Counts of the last 1, 2, 4, ... panes, and how many panes each holds."""
        found = [self._ring.last(1)]
        while (further := self._ring.last(2 * found[-1].panes)).panes > found[-1].panes:
            found.append(further)
        return np.array([each.counts for each in found]), np.array([each.panes for each in found], np.intp)


def _nested(stretches: Counts, places: NDArray[np.intp], size: int) -> Counts:
    """Counts of exchanges in none of the events at *places*, in the first alone, ...: shape (windows, 1 + events)."""
    held = np.column_stack([stretches[:, size + places[0]], stretches[:, places], np.zeros(len(stretches), np.int64)])
    return np.asarray(held[:, :-1] - held[:, 1:])
