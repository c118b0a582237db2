"""Whether the model became worse than its reference, by the labels that came. Pure.

Losses of labelled rows are compared with those of the reference in the same bin of the score, so that other inputs alone are
no news; unweighted, whoever got labels. Which labels come, and when, may depend on the score and on the time in any way, but
not on the label itself within a bin of the score: where silence means no, rows wait until it does (*settle_seconds*), and
as long as all labels are positive nothing is judged.
"""

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.alarm_words import LossMeasure
from dashlight.judge.performance.loss_cohorts import LossChange
from dashlight.judge.performance.loss_judge import LossJudge, LossJudgeState, LossPlan
from dashlight.judge.performance.loss_watch import LossNews, LossWatch, batches_between
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert, Score
from dashlight.window.performance.hours import HOUR_SECONDS
from dashlight.window.performance_reference import PerformanceReference

REALISED_PART = 0.45
"""Of the budget of performance."""
REALISED = "realised"


class RealisedWatch:
    """Watches the realised loss of one model."""

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
        """*panes* is the mean number of panes between false alarms, of whose budget performance has the *share*.

        *settle_seconds*: age of a prediction at which silence becomes a label; 0 where it never does.
        *hour_seconds*: once in so long labels are judged at most.
        """
        batches = batches_between(panes, pane_seconds, share * REALISED_PART, hour_seconds=hour_seconds)
        plan = LossPlan(REALISED, batches, settle_seconds, hour_seconds)
        self._judge = LossJudge(reference, plan, writer, LossNews(self._say))

    @property
    def state(self) -> LossJudgeState:
        """What outlives the process."""
        return self._judge.state

    def restore(self, state: LossJudgeState) -> None:
        """Go on from *state*, of a watch with the same reference; ValueError where no rows lead to it."""
        self._judge.restore(state)

    def losses(self, rows: LabelledRows) -> Floats:
        """What each of *rows* lost, 0 to 1, shape (rows,); NaN where it is not known, or not yet how losses are measured."""
        return self._judge.losses(rows)

    @property
    def watch(self) -> LossWatch | None:
        """What watches the loss; None as long as it learns."""
        return self._judge.watch

    def know_silence(self, until_at: float) -> None:
        """Silence of predictions made before *until_at* is a label by now, or never will be: later ones wait for it."""
        self._judge.know_silence(until_at)

    def take(self, rows: LabelledRows | None, at: float) -> list[Alert]:
        """Take *rows* whose labels came until *at*; None lets an hour end. The news of its alert, once an hour at most."""
        return self._judge.take(rows, None, at)

    @property
    def finding(self) -> str:
        """Why it cannot judge, in a sentence; empty where it does."""
        judge = self._judge
        if judge.is_one_sided and judge.left_out:
            return f"all {judge.left_out:,} labels are positive: they do not say how good the model is"
        if judge.watch is None and judge.task is not None:
            return f"learning what is usual from the first labels: {judge.learned_rows:,} so far"
        return ""

    def scores(self) -> list[Score]:
        """The realised loss of about the last 2,000 labels, 0 to 1, and how many labels it takes."""
        judge, found = self._judge, list[Score]()
        watch = judge.watch
        rows = judge.learned_rows if watch is None else round(watch.rows)
        if watch is not None and watch.rows:
            held, mean, usual, error = watch.recent.tolist()
            low, high = max(mean - 1.96 * error, 0.0), min(mean + 1.96 * error, 1.0)
            found.append(Score(None, None, "realised_loss", mean, low, high, round(held), reference=usual))
        needed = judge.labels_needed
        if needed < float("inf"):
            found.append(Score(None, None, "labels_needed", needed, needed, needed, rows))
        return found

    def _say(self, measure: LossMeasure, change: LossChange) -> str:
        rows, losses, expected = change.sums.sum(0).tolist()
        said = measure.moved(expected / max(rows, 1e-12), losses / max(rows, 1e-12))
        learned = self._judge.learned_rows
        return f"{said}, learned from the first {learned:,} labels" if learned else said
