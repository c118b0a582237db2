"""Whether labels part from what the scores lead to expect: then the world moved, not the inputs. Pure.

Of each labelled row there is the realised loss, and the loss that its calibrated score leads to expect. Where the inputs
moved, the second follows; where what they mean did, it does not. The budget of performance is parted: REALISED_PART for the
realised loss, as much for this, and the rest for labels that come late or no more; the sum of both statistics keeps within
it because each keeps within its part.
"""

import numpy as np

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.alarm_words import LossMeasure, inputs_moved, world_moved
from dashlight.judge.performance.loss_cohorts import LossChange
from dashlight.judge.performance.loss_evidence import TOLERANCE
from dashlight.judge.performance.loss_judge import LossJudge, LossJudgeState, LossPlan
from dashlight.judge.performance.loss_watch import LossNews, batches_between
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert, Score
from dashlight.window.performance.hours import HOUR_SECONDS
from dashlight.window.performance_reference import PerformanceReference

PARTED_PART = 0.45
"""Of the budget of performance."""
PARTED = "parted"
LEAST_MOVED = 2 * TOLERANCE
"""Of loss: by so much more has to be expected than is usual for the inputs to have moved."""
LEAST_ROWS = 200


class PartedWatch:
    """Watches the realised less the expected loss of one model."""

    def __init__(
        self,
        reference: PerformanceReference | None,
        *,
        writer: AlertWriter,
        panes: float,
        share: float,
        pane_seconds: float,
        settle_seconds: float = 0.0,
        hour_seconds: float = HOUR_SECONDS,
    ) -> None:
        """As `RealisedWatch`. Without a reference it learns by how much the expected loss is usually off."""
        batches = batches_between(panes, pane_seconds, share * PARTED_PART, hour_seconds=hour_seconds)
        self._judge = LossJudge(
            reference, LossPlan(PARTED, batches, settle_seconds, hour_seconds), writer, LossNews(_say)
        )

    @property
    def state(self) -> LossJudgeState:
        """What outlives the process."""
        return self._judge.state

    def restore(self, state: LossJudgeState) -> None:
        """Go on from *state*, of a watch with the same reference; ValueError where no rows lead to it."""
        self._judge.restore(state)

    def know_silence(self, until_at: float) -> None:
        """Silence of predictions made before *until_at* is a label by now, or never will be: later ones wait for it."""
        self._judge.know_silence(until_at)

    def take(self, rows: LabelledRows | None, expected: Floats | None, at: float) -> list[Alert]:
        """Take *rows* whose labels came until *at*, and the loss *expected* of each; the news of its alert.

        Args:
            rows: None lets an hour end.
            expected: shape (rows,), 0 to 1, NaN where there is no estimate; of a number in parts of the reference's scale.
                None: of no row.
            at: seconds since the epoch.

        Raises:
            ValueError: *expected* of other rows.
        """
        if rows is None or not rows.row_count or expected is None:
            return self._judge.take(None, None, at)
        if expected.shape != (rows.row_count,):
            raise ValueError(f"what is expected of {expected.shape} rows: expected ({rows.row_count},)")
        return self._judge.take(rows, expected, at)

    @property
    def finding(self) -> str:
        """That the inputs moved, by what is expected of the last labelled rows; empty where they did not. No alert."""
        watch = self._judge.watch
        if watch is None or watch.recent[0] < LEAST_ROWS:
            return ""
        rows, _, expected, error = watch.recent.tolist()
        strata = watch.setting.strata
        usual = float(np.average(strata.means, weights=strata.rows))
        if expected - usual < LEAST_MOVED + error:
            return ""
        return inputs_moved(watch.setting.measure, usual=usual, expected=expected, rows=round(rows))

    def scores(self) -> list[Score]:
        """Realised less expected loss of about the last 2,000 labels, -1 to 1."""
        watch = self._judge.watch
        if watch is None or not watch.rows:
            return []
        rows, mean, expected, error = watch.recent.tolist()
        parted = mean - expected
        low, high = max(parted - 1.96 * error, -1.0), min(parted + 1.96 * error, 1.0)
        return [Score(None, None, "parted_loss", parted, low, high, round(rows), reference=0.0)]


def _say(measure: LossMeasure, change: LossChange) -> str:
    rows, losses, expected = change.sums.sum(0).tolist()
    at_least = max(rows, 1e-12)
    return world_moved(measure, expected=expected / at_least, realised=losses / at_least)
