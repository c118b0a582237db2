"""How good the predictions of one model are: measured as its labels come, and estimated until they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashlight.counting.policy import Policy
from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import WaitingCounts
from dashlight.records import Alert, Score
from dashlight.watching.performance.coverage import CoverageState, check_coverage, coverage_of, coverage_scores
from dashlight.watching.performance.delays import Delays
from dashlight.watching.performance.state import PerformanceState
from dashlight.window.columns import Reference
from dashlight.window.fitting import within
from dashlight.window.reference.steps import Steps


class PerformanceWatch:
    """Measures and judges the predictions of one model whose labels have come, whichever processes made them."""

    def __init__(self, key: ModelKey, policy: Policy, reference: Reference | None, *, share: float) -> None:
        """*reference* is what the model is compared with, where it is known; *share* its part of the budget of false alarms."""
        self._key, self._policy, self._share = key, policy, share
        self._reference = "" if reference is None else reference.version
        self._delays = Delays(policy.window_seconds)
        self._coverage: CoverageState | None = None
        self._labelled_count = 0

    @property
    def state(self) -> PerformanceState:
        """What outlives the process."""
        return PerformanceState(self._reference, self._delays.state, self._coverage, self._labelled_count)

    def restore(self, state: PerformanceState) -> None:
        """Goes on from *state*; ValueError where it does not fit."""
        self._delays.restore(state.delays)
        self._coverage = check_coverage(state.coverage)
        self._labelled_count = within("labels", state.labelled_count)

    def take(self, rows: LabelledRows, at: float) -> None:
        """Counts predictions whose labels came up to the moment *at*."""
        said = ~rows.is_implied
        self._labelled_count += int(said.sum())
        self._delays.add((rows.labelled_at - rows.predicted_at)[said], at)

    def know(self, waiting: WaitingCounts) -> None:
        """Takes how many predictions of the window have labels by now."""
        self._coverage = coverage_of(waiting)

    def estimate(self, scored: Sequence[ScoredRows], until_at: float) -> Steps[None]:
        """In steps: estimates how good the predictions of the window that ended *until_at* are."""
        yield

    def close_pane(self, at: float) -> Iterator[Alert | None]:
        """Judges what came up to the moment *at*; the alerts whose state changed. None comes where a break is welcome."""
        self._delays.forget(at)
        yield None

    def withdraw(self, at: float, reason: str) -> Iterator[Alert]:
        """The alerts in force, ended because for this *reason* nothing is judged any more."""
        yield from ()

    @property
    def in_force(self) -> Iterator[str]:
        """Keys of the alerts that are pending or firing."""
        yield from ()

    def scores(self) -> list[Score]:
        """The measures of the last window, and what is known of its labels."""
        found = list(coverage_scores(self._coverage))
        for share, seconds, count in self._delays.quantiles():
            name = f"label_delay_seconds_p{share * 100:.0f}"
            found.append(Score(None, None, name, seconds, seconds, seconds, count))
        return found
