"""Failures, slowness and what cannot be decoded at one endpoint: from the counts of its panes to alerts. Pure.

Every event has bets of its own (evidence.proportions); the events of one quantity, such as latency beyond its median and
beyond its ninth decile, share one alert. Only rises alarm.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.judge.evidence.effects import Effects, strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.hysteresis import Sight, Watch
from dashlight.judge.evidence.null import SEASON_DEVIATIONS
from dashlight.judge.evidence.null_bounds import SLACK
from dashlight.judge.evidence.proportions import ProportionBank
from dashlight.judge.traffic.change_point import Occurrences, traffic_change_point
from dashlight.judge.traffic.events import Quantity, TrafficEvents
from dashlight.judge.traffic.overdispersion import proportions_of
from dashlight.judge.traffic.words import Shown, explain
from dashlight.records import Alert, AlertState
from dashlight.window.names import Names
from dashlight.window.outcomes import KIND_LIMIT, REASON_LIMIT, OutcomeCounts
from dashlight.window.reference.traffic import TrafficReference
from dashlight.window.ring import Ring

Counts = NDArray[np.int64]

SIZES = (0.12, 0.25, 0.5, 1.1)
"""How far beyond its border each bet says that a share lies, in Cohen's h: from 0.5 % to about 2, 3, 8 and 30 %."""
LEVELS = 8
"""32 panes each of 1, 2, 4 ... 128, of those that held exchanges."""
PANES_REMEMBERED = 8192
"""Moments of so many panes are kept, to say since when."""
_NONE: NDArray[np.intp] = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Recent:
    """What is known of the last exchanges beyond the counts that are judged."""

    since: Callable[[float], OutcomeCounts]
    """The panes that ended after a moment, as far as they are kept."""
    traces: Callable[[Quantity, float], tuple[str, ...]]
    """Trace ids of exchanges after a moment that show what an alert on the quantity is about."""


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
            blocks, is_failure=self.events.is_failure, is_slow=self.events.is_slow, seconds=reference.seconds
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
        self._gates = self.events.gates(float(np.sqrt(tolerance)))
        self._endpoint = endpoint
        self._kinds, self._reasons = Names(KIND_LIMIT), Names(REASON_LIMIT)
        self._ring = Ring((2 * self.events.size + self._kinds.size + self._reasons.size,), LEVELS)
        self._watches = {quantity: Watch() for quantity in self.events.quantities}
        self._alerts: dict[Quantity, Alert] = {}
        self._ends: deque[float] = deque(maxlen=PANES_REMEMBERED)
        self._pane = -1

    @property
    def margin(self) -> float:
        """Of the leading bet, in nats over its threshold."""
        return float(self._bank.margins.max())

    @property
    def has_alerts(self) -> bool:
        """Whether any is pending or firing."""
        return bool(self._alerts)

    def update(self, pane: OutcomeCounts, at: float, recent: Recent) -> list[Alert]:
        """Take the pane that ended *at*; one without exchanges says nothing.

        Returns:
            The alerts whose state changed, and those that fire on and whose description was renewed: that is after
            1, 2, 4, ... panes.
        """
        if not pane.exchanges:
            return []
        self._pane += 1
        self._ends.append(at)
        counts = self.events.count(pane)
        named = self._kinds.count(pane.failures), self._reasons.count(pane.undecodable)
        self._ring.add(np.concatenate([counts.ravel(), *named]), at)
        margins = self._bank.update(*counts.astype(np.float32))
        active = [each for each in self.events.quantities if each in self._alerts or margins[[*each.places]].max() >= 0]
        if not active:
            return []
        stretches = self._dyadic()
        news: list[Alert] = []
        for quantity in active:
            places = np.array(quantity.places)
            over = places[margins[places] >= 0]
            sight = Sight(
                pane=self._pane,
                firing=self._firing(over, margins) if len(over) else None,
                windows=_nested(stretches[0], places, self.events.size),
                panes=stretches[1],
                measure=partial(self._effects, places),
            )
            news.extend(self._step(quantity, sight, (stretches[0], at), recent))
        return news

    def _step(self, quantity: Quantity, sight: Sight, now: tuple[Counts, float], recent: Recent) -> list[Alert]:
        watch, known = self._watches[quantity], self._alerts.get(quantity)
        stretches, at = now
        state = watch.step(sight)
        if state == "resolved":
            self._bank.reset(list(quantity.places))
        if state in {"inactive", "resolved"}:
            self._alerts.pop(quantity, None)
            return [] if known is None else [_ended(known, state, at)]
        fired_for = watch.fired_for(self._pane)
        is_renewed = sight.firing is not None and fired_for > 0 and fired_for & (fired_for - 1) == 0
        if sight.firing is None or not (known is None or known.state != state or is_renewed):
            return []
        since_at = self._ended_at(self._pane - watch.since)
        alert = self._described(quantity, sight, sight.firing, stretches, recent.since(since_at))
        earliest_at, latest_at = self._onset(sight.firing)
        self._alerts[quantity] = replace(
            alert,
            state=state,
            at=at,
            since_at=since_at,
            exemplars=recent.traces(quantity, since_at),
            since_earliest_at=earliest_at,
            since_latest_at=latest_at,
        )
        return [self._alerts[quantity]]

    def _described(
        self, quantity: Quantity, sight: Sight, firing: Firing, stretches: Counts, recent: OutcomeCounts
    ) -> Alert:
        """The alert of a quantity, told by the event and the window that show the most."""
        found = sight.measure(firing, sight.windows)
        row, detector = np.unravel_index(strength(found).argmax(), found.sizes.shape)
        place = int(found.detectors[detector])
        size = self.events.size
        kinds, reasons = np.split(stretches[row, 2 * size :], [self._kinds.size])
        trials = int(stretches[row, size + place])
        shown = Shown(
            quantity=quantity,
            place=place,
            after=float(stretches[row, place] / max(trials, 1)),
            failures=self._kinds.named(kinds),
            undecodable=self._reasons.named(reasons),
            trials=trials,
        )
        summary, cause = explain(shown, self.events, reference=self.reference.total, recent=recent)
        named = [quantity.name, *([quantity.kind] if quantity.kind else [])]
        return Alert(
            key=alert_key("traffic", self._endpoint, *named),
            source="traffic",
            model="",
            version="",
            endpoint=self._endpoint,
            column=None,
            role=None,
            state="pending",
            summary=summary,
            at=float("nan"),
            since_at=float("nan"),
            rows=trials,
            score=float(found.sizes[row, detector]),
            causes=(cause,),
        )

    def _onset(self, firing: Firing) -> tuple[float, float]:
        """Between which moments the change began that the leading bet sees."""
        leading = int(firing.ups[self._bank.margins[firing.ups].argmax()])
        least, most = traffic_change_point(
            partial(self._tally, leading),
            firing.age,
            share=float(self.expected.shares[leading]),
            phi=float(self.expected.phi[leading]),
        )
        return self._ended_at(most), self._ended_at(least)

    def _tally(self, place: int, panes: int) -> Occurrences:
        held = self._ring.last(panes)
        return Occurrences(int(held.counts[place]), int(held.counts[self.events.size + place]), held.panes)

    def _ended_at(self, panes: int) -> float:
        """When the pane ended after which there were so many, as far as that is remembered."""
        return self._ends[max(-panes - 1, -len(self._ends))]

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
            gates=self._gates[firing.ups],
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


def _ended(alert: Alert, state: AlertState, at: float) -> Alert:
    return replace(alert, state=state, at=at, summary=f"back to what the reference allows; it was: {alert.summary}")
