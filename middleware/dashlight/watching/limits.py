"""The operator's rules for one endpoint, each held against a window of its own time."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from dashlight.judge.traffic.rules import OF_PROCESS, Rule
from dashlight.judge.traffic.thresholds import CrossingState, Quantities, ThresholdJudge, TracesOf
from dashlight.records import Alert

Measure: TypeAlias = Callable[[float, int, Collection[str]], Quantities]
"""What an endpoint measured in the last so many seconds, or as many more as hold so many exchanges; what costs more to tell
only where it is among the names asked."""

_WINDOW_OF_A_RULE = 0.9
"""Part of a rule's time that its window covers: what has passed must have left the window before the time is over."""


class Limits:
    """One judge for each time, and number of exchanges, that rules hold for, so that one bad pane is not five bad minutes."""

    def __init__(self, rules: Sequence[Rule], *, endpoint: str) -> None:
        # In flight are the requests of the process, whichever the endpoint.
        own = [rule for rule in rules if rule.quantity not in OF_PROCESS]
        self._judges = [
            (window, ThresholdJudge([rule for rule in own if _window(rule) == window], endpoint=endpoint))
            for window in sorted(set(map(_window, own)))
        ]

    @property
    def state(self) -> tuple[tuple[CrossingState, ...], ...]:
        """What outlives the process: the rules that are crossed, by the time that they hold for, shortest first."""
        return tuple(judge.state for _, judge in self._judges)

    def restore(self, states: Sequence[tuple[CrossingState, ...]]) -> None:
        """Goes on from *states*; ValueError where they are those of other rules."""
        for (_, judge), state in zip(self._judges, states, strict=True):
            judge.restore(state)

    def parts(self, measure: Measure, at: float, traces: TracesOf) -> Iterator[Callable[[], Iterable[Alert]]]:
        """Each judge's part of the pane that ended *at*: called, it gives the alerts whose state changed."""
        for window, judge in self._judges:
            yield partial(self._held_against, window, judge, (measure, traces), at)

    def forget_columns(self, asked: Collection[tuple[str | None, str | None]], at: float) -> Iterator[Alert]:
        """The alerts that end because their columns are not among those *asked* any more."""
        for _, judge in self._judges:
            yield from judge.forget_columns(asked, at)

    def _held_against(
        self, window: tuple[float, int], judge: ThresholdJudge, known: tuple[Measure, TracesOf], at: float
    ) -> Iterable[Alert]:
        asked = {rule.quantity for rule in judge.rules}
        measure, traces = known
        seconds, least_exchanges = window
        return judge.update(measure(seconds * _WINDOW_OF_A_RULE, least_exchanges, asked), at, traces)


def _window(rule: Rule) -> tuple[float, int]:
    """Seconds and exchanges that *rule* looks back on."""
    return rule.hold_seconds, rule.least_exchanges
