"""Whether an endpoint is asked much less than it was at the same hour of earlier days. Pure.

Told where, and only where, that rhythm is known: a whole hour of which two earlier ones were seen. Let *rate* exchanges a
pane have come then, *burst* at a time, and let the rate vary from day to day by a relative variance v, with what is not
known of it. Drawn from a gamma distribution of that variance it makes the arrivals of an hour, of which m are expected,
negative binomial: no more than k of them come with the probability

    I(r / (r + m); r, k + 1),   r = 1 / v,   I the regularised incomplete beta function.

An hour alarms where that is below hour_panes share / panes, so that false alarms come at most `share` times in `panes`
panes. With v measured as nothing a fall to a quarter takes about five days of history, one by half three weeks.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import betainc

from dashlight.judge.alerts import AlertWriter, LifeCycle, Phase
from dashlight.judge.traffic.arrivals import HOUR_SECONDS, ArrivalHistory, class_of_hour
from dashlight.judge.words import percent
from dashlight.records import Alert
from dashlight.window.fitting import moment, refuse, within

FEWEST_HOURS = 2.0
"""Earlier hours of the same kind without which nothing is said."""
WHOLE = 0.9
"""Part of its panes that an hour must hold to be judged, and of an earlier one to count."""
MOST_LEFT = 0.7
"""Part of the usual exchanges above which a fall wakes nobody, however sure it is."""


@dataclass(frozen=True, slots=True)
class UsualTraffic:
    """What earlier hours of the same kind say of the present one."""

    rate: float
    """Exchanges a pane."""
    burst: float
    """Exchanges that come together, at least 1."""
    variance: float
    """Relative, of the rate; infinite where too little was seen."""


@dataclass(frozen=True, slots=True)
class LowTrafficState:
    """What outlives the process of a LowTrafficJudge."""

    hour: int
    """The present one, counted from the epoch; -1 where none has begun."""
    panes: int
    """Of the present hour, as are the exchanges."""
    exchanges: int
    usual: UsualTraffic
    alert: Alert | None
    """As it was last told; None where none is in force."""


class LowTrafficJudge:
    """Watches whole hours of one endpoint."""

    def __init__(self, *, pane_seconds: float, panes: float, share: float, endpoint: str = "") -> None:
        """*panes* is the mean number of panes between false alarms, of whose budget this judge uses the *share*."""
        self._hour_panes = HOUR_SECONDS / pane_seconds
        self._limit = min(self._hour_panes * share / panes, 0.5)
        self._writer = AlertWriter("traffic", endpoint=endpoint)
        self._hour = -1
        self._panes = self._exchanges = 0
        self._usual = UsualTraffic(0.0, 1.0, np.inf)
        self._life_cycle = LifeCycle()

    @property
    def state(self) -> LowTrafficState:
        """What outlives the process."""
        return LowTrafficState(self._hour, self._panes, self._exchanges, self._usual, self._life_cycle.alert)

    def restore(self, state: LowTrafficState) -> None:
        """Go on from *state*; ValueError where no panes lead to it."""
        moment("beginning of an hour", state.hour * HOUR_SECONDS)
        self._hour = state.hour
        self._panes = within("panes of an hour", state.panes)
        self._exchanges = within("exchanges of an hour", state.exchanges)
        usual = state.usual
        refuse(f"a relative variance of {usual.variance}", where=not usual.variance > 0)
        within("exchanges that come together", usual.burst, 1)
        within("usual exchanges a pane", usual.rate)
        refuse("hours without exchanges whose variance is known", where=np.isfinite(usual.variance) and not usual.rate)
        self._usual = usual
        self._life_cycle.restore(state.alert)

    def update(self, exchanges: int, middle: float, history: ArrivalHistory) -> list[Alert]:
        """Take a pane, empty or not, whose middle was *middle*; *history* is what was learned before it.

        Returns:
            The alert where its state changed, which it does at the end of an hour.
        """
        hour = int(middle // HOUR_SECONDS)
        news: list[Alert] = []
        if hour != self._hour:
            news = self._judged((self._hour + 1) * HOUR_SECONDS)
            self._hour, self._panes, self._exchanges = hour, 0, 0
            self._usual = self._known(class_of_hour(middle), history)
        self._panes += 1
        self._exchanges += exchanges
        return news

    def _known(self, place: int, history: ArrivalHistory) -> UsualTraffic:
        if history.panes[place] < FEWEST_HOURS * WHOLE * self._hour_panes or not history.exchanges[place]:
            return UsualTraffic(0.0, 1.0, np.inf)
        burst = float(history.bursts[place])
        return UsualTraffic(
            float(history.rates[place]), burst, history.variance + burst / float(history.exchanges[place])
        )

    def _judged(self, at: float) -> list[Alert]:
        """The news of the hour that ended *at*; an hour without any exchange is silence, and not judged here."""
        usual = self._usual
        if self._panes < WHOLE * self._hour_panes or not self._exchanges or not np.isfinite(usual.variance):
            return []
        expected = usual.rate * self._panes
        left = self._exchanges / expected
        shape = 1 / usual.variance
        chance = float(betainc(shape, self._exchanges // usual.burst + 1, shape / (shape + expected / usual.burst)))
        if self._life_cycle.is_firing:
            is_over = chance > self._limit**0.5 or left > MOST_LEFT
            return self._life_cycle.end(at, "asked as usual again") if is_over else []
        if chance > self._limit or left > MOST_LEFT:
            return []
        phase = Phase("firing", at, at - HOUR_SECONDS)
        return self._life_cycle.step(phase, partial(self._described, left, expected))

    def _described(self, left: float, expected: float, phase: Phase) -> Alert:
        usual = f"{percent(left)} of what is usual at such an hour: {expected:.0f}"
        return self._writer.write(
            "throughput",
            phase=phase,
            summary=f"{self._exchanges} exchanges in an hour, {usual}",
            rows=self._exchanges,
            score=1 - left,
        )
