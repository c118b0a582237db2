"""Whether an endpoint has fallen silent. Pure.

A pause alarms where two things are true, each of which chance alone brings about at most `share` times in `panes` panes:

1. Exchanges are missing. In panes of an hour of the week in which *rate* exchanges came a pane, *burst* at a time, a
   pause of k panes misses x = k rate / burst arrivals (summed over the hours that it covers). The rate itself is known to
   within, and varies from day to day by, a relative variance v; a rate drawn from a gamma distribution of that variance
   gives no arrival with probability (1 + x v)**(-1/v). This has to be below share / panes. A pause begins in at most
   one pane in each pane, so that false alarms come at most at that rate.
2. The pause is long beside those seen before. Let the longest of the pauses in T panes be g. Among exchangeable pauses
   the next one is longer with probability 1 / (n + 1), n of them in T panes; where the tail of their lengths is no heavier
   than that of a Pareto law of index TAIL (of index 2 the variance is just infinite), it is longer than k g with at most
   k**-TAIL / (n + 1): a rate below 1 / (T k**TAIL) a pane, which is share / panes at

       k = (panes / (share T)) ** (1 / TAIL).

   After ten minutes k is in the hundreds, after a month below ten: the judge trusts what it has seen in proportion to how
   long it has watched.

An hour of the week that was not seen yet adds nothing to either: nights and weekends are silent for as long as they like
until they are known.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.traffic.arrivals import CLASSES, ArrivalHistory, ArrivalHistoryState, class_of_hour
from dashlight.judge.traffic.low_traffic import LowTrafficJudge, LowTrafficState
from dashlight.judge.words import span
from dashlight.records import Alert, Score
from dashlight.window.fitting import MOST_COUNT, fitted, moment, refuse

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

TAIL = 2.0
LOW_TRAFFIC_PART = 0.2
"""Of the budget: for hours with too few exchanges."""
LEAST_TIMES = 2.0
"""A pause must be so many times the longest one seen, however long that was watched."""


@dataclass(frozen=True, slots=True, eq=False)
class SilenceState:
    """What outlives the process of a SilenceJudge."""

    history: ArrivalHistoryState
    low_traffic: LowTrafficState
    last_at: float
    """When the last pane ended that held exchanges; NaN where there was none."""
    first_empty_at: float
    """The middle of the first empty pane of the last pause; NaN where there was none."""
    empty: Counts
    """Panes of the present pause, by class of hour, shape (CLASSES,)."""
    fired: Counts
    """The most of pauses that fired, likewise."""
    alert: Alert | None
    """As it was last told; None where none is in force."""


@dataclass(frozen=True, slots=True, eq=False)
class _Expected:
    """What the history, which stays as it is while a pause lasts, says of it: measured once a pause."""

    rates: Floats
    bursts: Floats
    variance: float


@dataclass(frozen=True, slots=True)
class Pause:
    """How the present pause stands."""

    margin: float
    """Nats by which exchanges are missing beyond what chance explains; at 0 or more there is evidence."""
    times: float
    """Its length, in lengths that have to be reached; at 1 or more it is long beside what was seen."""
    longest: int
    """Empty panes on end, the most seen at such hours."""


class SilenceJudge:
    """Watches that an endpoint is asked at all; every pane counts, the empty ones above all."""

    def __init__(self, *, pane_seconds: float, panes: float, share: float, endpoint: str = "") -> None:
        """*panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*."""
        self.history = ArrivalHistory(pane_seconds)
        """What was learned so far, the present pause apart."""
        self._pane_seconds = pane_seconds
        self._rarity = panes / (share * (1 - LOW_TRAFFIC_PART))
        self._low_traffic = LowTrafficJudge(
            pane_seconds=pane_seconds, panes=panes, share=share * LOW_TRAFFIC_PART, endpoint=endpoint
        )
        self._writer = AlertWriter("traffic", endpoint=endpoint)
        self._empty = np.zeros(CLASSES, np.int64)
        self._last_at = self._first_empty_at = float("nan")
        self._expected = self._measured()
        self._life_cycle = LifeCycle()
        # Pauses that fired: learned when one comes again at the same hour, for then it is the rhythm.
        self._fired = np.zeros(CLASSES, np.int64)

    @property
    def state(self) -> SilenceState:
        """What outlives the process: the arrays themselves."""
        return SilenceState(
            history=self.history.state,
            low_traffic=self._low_traffic.state,
            last_at=self._last_at,
            first_empty_at=self._first_empty_at,
            empty=self._empty,
            fired=self._fired,
            alert=self._life_cycle.alert,
        )

    def restore(self, state: SilenceState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        self.history.restore(state.history)
        self._low_traffic.restore(state.low_traffic)
        self._empty = fitted("empty panes", state.empty, like=self._empty, least=0, most=MOST_COUNT // CLASSES)
        self._fired = fitted("panes of a pause", state.fired, like=self._fired, least=0, most=MOST_COUNT // CLASSES)
        for at in (state.last_at, state.first_empty_at):
            if not np.isnan(at):
                moment("beginning of a pause", at)
            refuse("a pause without a beginning", where=np.isnan(at) and self._empty.any())
        self._last_at, self._first_empty_at = state.last_at, state.first_empty_at
        self._expected = self._measured()
        self._life_cycle.restore(state.alert)

    def update(self, exchanges: int, at: float) -> list[Alert]:
        """Take the number of *exchanges* of the pane that ended *at*.

        Returns:
            The alerts whose state changed: of silence, which is told again after 2, 4, 8, ... empty panes, and of an hour
            with too few exchanges.
        """
        middle = at - self._pane_seconds / 2
        news = self._low_traffic.update(exchanges, middle, self.history)
        return news + (self._heard(exchanges, at, middle) if exchanges else self._silent(at, middle))

    def scores(self) -> list[Score]:
        """The part of the hours of the week that are known, until all are: silence in the others says nothing."""
        known = self.history.known_share
        rows = int(self.history.exchanges.sum())
        return [Score(None, None, "silence_hours_known", known, known, known, rows)] if known < 1 else []

    def pause(self) -> Pause:
        """How the present pause stands."""
        history, expected, nothing = self.history, self._expected, -float(np.log(self._rarity))
        known = (self._empty > 0) & (history.panes > 0)
        if not known.any():
            return Pause(nothing, 0.0, 0)
        empty, bursts = self._empty[known], expected.bursts[known]
        arrivals = empty * expected.rates[known] / bursts
        missing, margin = float(arrivals.sum()), nothing
        if missing > 0:
            # The mean of a class is uncertain by burst / exchanges, relatively squared.
            unsure = float(((arrivals / missing) ** 2 * bursts / np.maximum(history.exchanges[known], 1e-9)).sum())
            variance = expected.variance + unsure
            margin += float(np.log1p(missing * variance) / variance)
        longest = history.longest[known]
        watched = np.array([history.panes[history.longest <= most].sum() for most in longest])
        times = np.maximum((self._rarity / watched) ** (1 / TAIL), LEAST_TIMES)
        # Empty panes are whole ones: the pause is up to two panes longer, and so were those seen.
        return Pause(margin, float((empty / (times * (longest + 1))).sum()), int(longest.max()))

    def _measured(self) -> _Expected:
        return _Expected(self.history.rates, self.history.bursts, self.history.variance)

    def _silent(self, at: float, middle: float) -> list[Alert]:
        """Take an empty pane."""
        if np.isnan(self._last_at):
            return []
        if not self._empty.any():
            self._first_empty_at = middle
            self._expected = self._measured()
        self._empty[class_of_hour(middle)] += 1
        pause, was_firing = self.pause(), self._life_cycle.is_firing
        if pause.margin < 0 and not was_firing:
            return []
        phase = Phase("firing" if was_firing or pause.times >= 1 else "pending", at, self._last_at)
        describe = partial(self._described, pause, at - self._last_at)
        return self._life_cycle.step(phase, describe, fired_for=int(self._empty.sum()))

    def _heard(self, exchanges: int, at: float, middle: float) -> list[Alert]:
        """The pause is over, and teaches how long pauses are; one that alarmed does where it is not the first."""
        learned, repeated = self._empty, self._empty
        if self._life_cycle.is_firing:
            learned, repeated = np.zeros_like(self._empty), np.minimum(self._empty, self._fired)
            self._fired = np.maximum(self._empty, self._fired)
        else:
            self.history.add_empty_blocks(int(self._empty.sum()), self._first_empty_at)
        self.history.add_to_blocks(exchanges, middle)
        self.history.add(exchanges, middle, empty_panes=learned, longest=repeated)
        self._empty[:] = 0
        since_at, self._last_at = self._last_at, at
        return [
            replace(alert, summary=f"asked again after {span(at - since_at)}") for alert in self._life_cycle.end(at)
        ]

    def _described(self, pause: Pause, silent_seconds: float, phase: Phase) -> Alert:
        longest = span((pause.longest + 2) * self._pane_seconds)
        silent = span(silent_seconds)
        summary = f"no exchange for {silent}; the longest pause seen at such hours was below {longest}"
        return self._writer.write("silence", phase=phase, summary=summary, rows=0, score=silent_seconds)
