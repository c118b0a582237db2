"""Whether the model became worse, by the labels that came."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import pytest

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.loss_judge import LossJudgeState
from dashlight.judge.performance.losses import scale_of
from dashlight.judge.performance.realised import RealisedWatch
from dashlight.labels.rows import LabelledRows, Task
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.performance_reference import PerformanceReference

MakeRows: TypeAlias = Callable[..., LabelledRows]
MakeWatch: TypeAlias = Callable[..., RealisedWatch]
Hours: TypeAlias = Callable[[int], Sequence[float]]
LAYOUT: Layout[LossJudgeState] = Layout("realised", 1, LossJudgeState)
WRITER = AlertWriter("performance", "risk", "1", "/predict")
ROWS = 200


@pytest.fixture
def watch(budget: dict[str, Any]) -> MakeWatch:
    def make(reference: PerformanceReference | None, **more: Any) -> RealisedWatch:
        return RealisedWatch(reference, writer=WRITER, **budget, **more)

    return make


@pytest.fixture
def run(watch: MakeWatch, labelled: MakeRows, hours: Hours) -> Callable[..., list[Alert]]:
    """The alerts of 100 usual hours, then 60 of another kind, then 100 usual ones."""

    def told(reference: PerformanceReference | None, seed: int, **kind: Any) -> list[Alert]:
        rng, watching = np.random.default_rng(seed), watch(reference)
        found: list[Alert] = []
        for hour, at in enumerate(hours(260)):
            found += watching.take(labelled(rng, ROWS, at=at, **(kind if 100 <= hour < 160 else {})), at)
        return found

    return told


def some(rows: LabelledRows, which: Any) -> LabelledRows:
    names = ("predicted_at", "labelled_at", "scores", "predictions", "labels", "steps", "is_implied")
    values: dict[str, Any] = {name: getattr(rows, name)[which] for name in names}
    return replace(rows, **values)


def test_accuracy_that_falls_fires_and_says_since_when_and_of_how_many_labels(
    run: Callable[..., list[Alert]], reference: PerformanceReference, hours: Hours
) -> None:
    alerts = run(reference, 1, rise=0.05)

    fired, began = alerts[0], hours(100)[-1]
    assert (fired.key, fired.source, fired.state) == ("performance/risk/%2Fpredict/realised", "performance", "firing")
    assert fired.summary.startswith("accuracy fell from 90 % to 8")
    assert f"of {fired.rows:,} labels" in fired.summary
    assert 0.02 < fired.score < 0.1
    assert fired.since_earliest_at <= began <= fired.since_latest_at
    assert began < fired.at <= began + 20 * 3600
    assert (fired.causes[0].event, len(fired.causes[0].bins)) == ("accuracy", 10)


def test_it_resolves_when_the_loss_is_back(run: Callable[..., list[Alert]], reference: PerformanceReference) -> None:
    alerts = run(reference, 2, rise=0.1)

    assert [alert.state for alert in alerts if alert.state != "firing"] == ["resolved"]
    assert alerts[-1].summary.startswith("the loss is back to what the reference allows; it was: accuracy fell")


def test_accuracy_that_rises_is_no_news(run: Callable[..., list[Alert]], reference: PerformanceReference) -> None:
    assert run(reference, 3, rise=-0.1) == []


@pytest.mark.parametrize("seed", range(4, 10))
def test_usual_labels_are_quiet(run: Callable[..., list[Alert]], reference: PerformanceReference, seed: int) -> None:
    assert run(reference, seed) == []


def test_a_fall_in_some_bins_says_which(run: Callable[..., list[Alert]], reference: PerformanceReference) -> None:
    alerts = run(reference, 11, rise=0.5, only=(0.9, 0.96))

    assert " of it at scores 0." in alerts[0].summary


def test_other_inputs_alone_are_no_news(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(12), watch(reference), list[Alert]()
    for at in hours(200):
        rows = labelled(rng, 4 * ROWS, at=at)
        hard = np.abs(rows.scores - 0.5) < 0.36  # of these one in six is wrong
        found += watching.take(some(rows, hard), at)

    assert found == []


def test_labels_that_come_late_tell_since_when_by_the_time_of_prediction(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(13), watch(reference), list[Alert]()
    day, changed_at = 86_400.0, hours(100)[-1]
    for at in hours(24 * 40):
        delay = float(rng.choice([1.0, 10.0, 20.0])) * day
        rise = 0.15 if at - delay > changed_at else 0.0
        found += watching.take(labelled(rng, ROWS, at=at, delay=delay, rise=rise), at)

    assert found[0].at > changed_at + day
    assert abs(found[0].since_at - changed_at) < 12 * 3600


def test_it_is_evaluated_once_an_hour_at_most(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, start = np.random.default_rng(14), watch(reference), hours(1)[0]

    moments = [start + 10.0 * pane for pane in range(1800)]
    news = [at for at in moments if watching.take(labelled(rng, 50, at=at, rise=0.5), at)]

    assert len(news) > 1
    assert all(later - earlier >= 3600 for earlier, later in pairwise(news))


def test_an_hour_ends_without_labels_too(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, start = np.random.default_rng(15), watch(reference), hours(1)[0]
    watching.take(labelled(rng, 50, at=start), start)
    watching.take(labelled(rng, 3000, at=start), start + 10)

    watching.take(None, start + 3599.0)
    before = watching.scores()[0].rows
    watching.take(None, start + 3600.0)

    assert before == 50
    assert watching.scores()[0].rows > 1000


def test_positives_that_come_before_the_silence_that_means_no_do_not_alarm(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, settle = np.random.default_rng(16), 10 * 86_400.0
    watching, careless = watch(reference, settle_seconds=settle), watch(reference)
    first = labelled(rng, 20, at=hours(1)[0])
    careless.take(first, hours(1)[0])
    waiting: list[LabelledRows] = []
    found, rash = watching.take(first, hours(1)[0]), list[Alert]()
    for at in hours(24 * 25):
        rows = labelled(rng, ROWS, at=at)
        waiting.append(some(rows, rows.labels != 1))
        due = [some(rows, rows.labels == 1)] + ([waiting.pop(0)] if len(waiting) > 240 else [])
        for each in due:
            found += watching.take(each, at)
            rash += careless.take(each, at)

    assert found == []
    assert watching.scores()[0].rows > 1000
    assert rash


def test_positives_wait_for_silence_that_is_decided_late(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    # Few clicks an hour: whether their feed lives is known a day after DASHLIGHT_POSITIVE_WITHIN.
    rng, settle, late = np.random.default_rng(31), 3600.0, 24
    watching, careless = (watch(reference, settle_seconds=settle) for _ in range(2))
    waiting: list[LabelledRows] = []
    found, rash = list[Alert](), list[Alert]()
    for at in hours(24 * 15):
        rows = labelled(rng, ROWS, at=at)
        waiting.append(some(rows, rows.labels != 1))
        due = [some(rows, rows.labels == 1)] + ([waiting.pop(0)] if len(waiting) > late else [])
        watching.know_silence(at - late * 3600.0)
        for each in due:
            found += watching.take(each, at)
            rash += careless.take(each, at)

    assert found == []
    assert watching.scores()[0].rows > 1000
    assert rash


def test_labels_that_are_only_ever_positive_are_not_judged_and_that_is_said(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching = np.random.default_rng(17), watch(reference)
    for at in hours(50):
        rows = labelled(rng, ROWS, at=at)
        assert watching.take(some(rows, rows.labels == 1), at) == []

    assert watching.finding.endswith("labels are positive: they do not say how good the model is")
    assert [score.statistic for score in watching.scores()] == ["labels_needed"]


def test_without_a_reference_it_learns_what_is_usual_first_and_says_so(
    run: Callable[..., list[Alert]], watch: MakeWatch, labelled: MakeRows, hours: Hours
) -> None:
    watching, rng, at = watch(None), np.random.default_rng(18), hours(1)[0]
    watching.take(labelled(rng, 300, at=at), at)

    assert watching.finding == "learning what is usual from the first labels: 300 so far"
    assert [(score.statistic, score.value) for score in watching.scores()] == [("labels_needed", 700.0)]
    alerts = run(None, 19, rise=0.15)
    assert alerts[0].state == "firing"
    assert "learned from the first 5,000 labels" in alerts[0].summary


@pytest.mark.parametrize("ramp", [0, 6], ids=["at once", "within six hours"])
@pytest.mark.parametrize("begins", [2, 4, 48])
def test_a_fall_soon_after_learning_is_no_usual_variation(
    begins: int, ramp: int, watch: MakeWatch, labelled: MakeRows, hours: Hours
) -> None:
    waited: list[int] = []
    for seed in range(70, 73):
        watching, rng = watch(None), np.random.default_rng(seed)
        for passed, at in enumerate(hours(begins + 60), -25 - begins):  # the first 25 hours are learned
            part = min((passed + 1) / max(ramp, 1), 1.0) if passed >= 0 else 0.0
            if watching.take(labelled(rng, 1000, at=at, rise=0.1 * part), at):
                waited.append(passed + 1)
                break

    assert len(waited) == 3
    assert min(waited) > 0
    assert max(waited) <= ramp + 1


def test_errors_of_a_number_are_told_in_its_units(
    watch: MakeWatch, regression: PerformanceReference, make_rows: MakeRows, hours: Hours
) -> None:
    rng, watching, found = np.random.default_rng(20), watch(regression), list[Alert]()
    for hour, at in enumerate(hours(100)):
        scores = rng.normal(100, 20, ROWS)
        labels = scores + rng.exponential(2.0 if hour < 60 else 3.0, ROWS)
        times = np.full(ROWS, at - 60)
        found += watching.take(make_rows(scores, labels, predicted_at=times, at=at, task="regression", classes=()), at)

    assert found[0].state == "firing"
    assert found[0].at > hours(60)[-1]
    assert found[0].summary.startswith(("mean absolute error rose from 1.9", "mean absolute error rose from 2.0"))


@pytest.mark.parametrize(
    ("task", "after", "words"), [("ranking", 0.3, "click rate fell from"), ("text", 0.1, "mean grade fell from")]
)
def test_clicks_and_grades_have_words_of_their_own(
    watch: MakeWatch, make_rows: MakeRows, hours: Hours, *, task: Task, after: float, words: str
) -> None:
    rng, watching, found = np.random.default_rng(21), watch(None), list[Alert]()
    for hour, at in enumerate(hours(100)):
        labels = (rng.random(ROWS) < (0.5 if hour < 60 else after)).astype(np.float64)
        nothing, times = np.full(ROWS, np.nan), np.full(ROWS, at - 60)
        found += watching.take(make_rows(nothing, labels, predicted_at=times, at=at, task=task, classes=()), at)

    assert found[0].summary.startswith(words)
    assert found[0].at > hours(60)[-1]


def test_what_is_displayed_has_an_interval_and_what_is_usual(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching = np.random.default_rng(22), watch(reference)
    for at in hours(50):
        watching.take(labelled(rng, ROWS, at=at), at)

    realised, needed = watching.scores()
    assert realised.statistic == "realised_loss"
    assert realised.low < 0.1 < realised.high
    assert realised.reference == pytest.approx(0.1, abs=0.01)
    assert needed.statistic == "labels_needed"
    assert 500 < needed.value < 5000


def test_rows_of_which_nothing_follows_are_left_out(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching, at = np.random.default_rng(23), watch(reference), hours(1)[0]
    rows = labelled(rng, ROWS, at=at)
    odd = np.array([np.nan, np.inf, -np.inf, 0.0])
    watching.take(replace(rows, predicted_at=np.resize([1e300, -1e300], ROWS)), at - 4000)

    watching.take(replace(rows, labels=np.resize(odd, ROWS), scores=np.resize(odd[::-1], ROWS)), at)
    watching.take(replace(rows, predicted_at=np.full(ROWS, np.nan)), at + 4000)
    watching.take(replace(rows, predicted_at=np.full(ROWS, np.inf)), at + 8000)
    watching.take(rows, at + 12_000)

    assert all(isfinite(score.value) for score in watching.scores())
    assert watching.state.left_out >= 2 * ROWS
    watch(reference).restore(LAYOUT.thaw(written(watching)))


@pytest.mark.parametrize("settle", [0.0, 45 * 86_400.0])
def test_memory_is_bounded_whatever_the_times_of_prediction(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours, settle: float
) -> None:
    rng, at, watching = np.random.default_rng(24), hours(1)[0], watch(reference, settle_seconds=settle)
    for turn in range(20):
        scattered = rng.uniform(at - 90 * 86_400, at + 86_400, 1000)
        watching.take(replace(labelled(rng, 1000, at=at), predicted_at=scattered), at + 7200 * turn)

    assert sum(map(len, LAYOUT.freeze(watching.state))) < 1 << 19


def test_more_rows_take_no_more_steps(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, at = np.random.default_rng(25), hours(1)[0]

    def calls(count: int) -> int:
        watching, rows, counted = watch(reference), labelled(rng, count, at=at), 0

        def count_calls(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count_calls)
        try:
            watching.take(rows, at)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(50_000) <= calls(500) + 50


def test_a_reference_that_knows_no_losses_learns_them(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, at, mute = np.random.default_rng(29), hours(1)[0], replace(reference, losses=())
    new, learning = watch(mute), watch(mute)

    new.restore(LAYOUT.thaw(written(watch(mute))))
    new.take(labelled(rng, 300, at=at), at)
    learning.restore(LAYOUT.thaw(written(new)))

    assert learning.finding == "learning what is usual from the first labels: 300 so far"


def test_of_several_losses_that_of_the_task_is_watched(
    watch: MakeWatch, regression: PerformanceReference, make_rows: MakeRows, hours: Hours
) -> None:
    (loss,) = regression.losses
    both = replace(regression, losses=(replace(loss, name="squared_error", sums=loss.squares), loss))
    rng, watching, at = np.random.default_rng(30), watch(both), hours(1)[0]
    scores = rng.normal(100, 20, 2000)
    labels = scores + rng.exponential(2.0, 2000)

    watching.take(make_rows(scores, labels, predicted_at=np.full(2000, at), at=at, task="regression", classes=()), at)

    assert watching.scores()[0].value == pytest.approx(0.2, abs=0.02)


def test_where_only_probabilities_are_known_their_squared_error_is_watched(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    (loss,) = reference.losses
    held = loss.rows.astype(np.float64)
    squared = replace(loss, name="squared_error", sums=held * 0.086, squares=held * 0.05)
    rng, watching, found = np.random.default_rng(31), watch(replace(reference, losses=(squared,))), list[Alert]()
    for hour, at in enumerate(hours(100)):
        rows = labelled(rng, ROWS, at=at, rise=0.15 if hour >= 60 else 0.0)
        found += watching.take(replace(rows, predictions=np.full(ROWS, -1, np.int32)), at)

    assert found[0].at > hours(60)[-1]
    assert found[0].summary.startswith("Brier score rose from 0.08")


def test_bins_with_few_rows_are_merged_and_unsure_of_none(reference: PerformanceReference) -> None:
    (loss,) = reference.losses
    few = replace(
        loss,
        rows=np.array([5, 5, 200, 60, 60, 300, 1000, 0, 90, 10]),
        sums=np.array([1.0, 0.0, 9.0, 2.0, 3.0, 0.0, 20.0, 0.0, 4.0, 1.0]),
        squares=np.array([1.0, 0.0, 9.0, 2.0, 3.0, 0.0, 20.0, 0.0, 4.0, 1.0]),
    )

    scale, strata = scale_of(few)

    assert strata.rows.tolist() == [210, 120, 300, 1000, 100]
    assert scale.edges.tolist() == loss.edges[[2, 4, 5, 6]].tolist()
    assert (strata.means > 0).all()
    assert (strata.errors > 0).all()


def written(watching: RealisedWatch) -> bytes:
    return b"".join(LAYOUT.freeze(watching.state))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("settle", [0.0, 2 * 86_400.0])
@pytest.mark.parametrize("cut_at", [0, 1, 6, 60, 101, 120, 199])
def test_a_watch_that_is_restored_goes_on_bit_by_bit(
    watch: MakeWatch,
    labelled: MakeRows,
    reference: PerformanceReference,
    hours: Hours,
    *,
    cut_at: int,
    settle: float,
    is_known: bool,
) -> None:
    known = reference if is_known else None
    whole, restored = (watch(known, settle_seconds=settle) for _ in range(2))
    rng, ends = np.random.default_rng(26), hours(200)
    stream = [labelled(rng, ROWS, at=at, rise=0.2 if 60 <= hour < 120 else 0.0) for hour, at in enumerate(ends)]
    told = [alert for rows, at in zip(stream[:cut_at], ends[:cut_at], strict=True) for alert in whole.take(rows, at)]

    restored.restore(LAYOUT.thaw(written(whole)))

    for rows, at in zip(stream[cut_at:], ends[cut_at:], strict=True):
        news = whole.take(rows, at)
        assert str(restored.take(rows, at)) == str(news)
        told += news
    assert "firing" in {alert.state for alert in told}
    assert restored.scores() == whole.scores()
    assert written(restored) == written(whole)


def test_a_state_to_which_no_rows_lead_is_refused(
    watch: MakeWatch, labelled: MakeRows, reference: PerformanceReference, hours: Hours
) -> None:
    rng, watching = np.random.default_rng(27), watch(reference)
    for hour, at in enumerate(hours(40)):
        watching.take(labelled(rng, ROWS, at=at, rise=0.3 if hour > 20 else 0.0), at)
    state = watching.state
    held = state.watch
    assert held is not None
    assert held.alert is not None
    evidence, cohorts, hold = held.evidence, held.cohorts, held.hold
    slow = evidence.variation.slow
    fields: list[dict[str, Any]] = [
        {"took": -1.0},
        {"took": np.nan},
        {"took": 0.0},
        {"rows": -1.0},
        {"alert": None},
        {"alert": replace(held.alert, key="performance/other")},
        {"alert": replace(held.alert, at=np.inf)},
        {"blocks": np.zeros((9, 2))},
        {"blocks": np.array([[1.0, 2.0]])},
        {"blocks": np.array([[1.0, np.nan]])},
        {"recent": held.recent * np.nan},
        {"recent": held.recent[1:]},
        {"hysteresis": replace(held.hysteresis, alert_state="inactive", fired_for=0)},
        {"evidence": replace(evidence, sums=evidence.sums + 1e6)},
        {"evidence": replace(evidence, sums=evidence.sums[1:])},
        {"evidence": replace(evidence, mix=-evidence.mix)},
        {"evidence": replace(evidence, variation=replace(evidence.variation, batches=1e9))},
        {"evidence": replace(evidence, variation=replace(evidence.variation, rows=np.nan))},
        {"evidence": replace(evidence, variation=replace(evidence.variation, pairs=-1.0))},
        *(
            {"evidence": replace(evidence, variation=replace(evidence.variation, slow=replace(slow, **each)))}
            for each in (
                {"batches": 24},
                {"rows": -1.0},
                {"excess": slow.rows + 1},
                {"variance": np.nan},
                {"last_mean": 2.0},
                {"last_variance": -1.0},
                {"blocks": 1e9},
                {"deviations": np.nan},
            )
        ),
        {"cohorts": replace(cohorts, starts=cohorts.starts[::-1])},
        {"cohorts": replace(cohorts, starts=cohorts.starts * np.inf)},
        {"cohorts": replace(cohorts, sums=-cohorts.sums)},
        {"cohorts": replace(cohorts, sums=cohorts.sums[:, 1:])},
        {"cohorts": replace(cohorts, sums=cohorts.sums * [1.0, 1e6, 1.0])},
        {"cohorts": replace(cohorts, coarse_until_at=np.nan)},
        {"hold": replace(hold, batch=hold.batch - 1)},
        {"hold": replace(hold, evaluated_at=np.inf)},
        {"hold": replace(hold, starts=np.arange(3), waiting=np.zeros((3, 10, 34)))},
    ]
    wrong = [
        replace(state, task="guessing"),
        replace(state, task="regression"),
        replace(state, watch=None),
        replace(state, left_out=-1),
        *(replace(state, watch=replace(held, **each)) for each in fields),
    ]

    for each in wrong:
        with pytest.raises(ValueError, match=r"expected|alert|rows|losses|learned|known|ascend|evidence|fires|task"):
            watch(reference).restore(each)


def test_a_state_of_something_learned_that_cannot_be_is_refused(
    watch: MakeWatch, labelled: MakeRows, hours: Hours
) -> None:
    rng, learning, learned = np.random.default_rng(28), watch(None), watch(None)
    learning.take(labelled(rng, 500, at=hours(1)[0]), hours(1)[0])
    for at in hours(30):
        learned.take(labelled(rng, ROWS, at=at), at)
    being, known = learning.state, learned.state
    assert being.learning is not None
    assert known.learned is not None
    of_learning: list[dict[str, Any]] = [
        {"raw": np.zeros(5000)},
        {"raw": being.learning.raw[1:]},
        {"expected": being.learning.expected + 2},
        {"scores": being.learning.scores[1:]},
        {"scale": 0.0},
        {"edges": np.array([2.0, 1.0])},
        {"counted": being.learning.counted - 1},
        {"squares": np.zeros(3)},
        {"hours": -1},
        {"hour_squares": np.nan},
        {"open_rows": -1.0},
        {"open_excess": 5.0},
        {"variation": replace(being.learning.variation, batches=1e9)},
        {"began_at": np.nan},
        {"hour_at": np.inf},
    ]
    of_learned: list[dict[str, Any]] = [
        {"scale": 0.0},
        {"origin": np.nan},
        {"edges": known.learned.edges[::-1]},
        {"means": known.learned.means + 2},
        {"variances": known.learned.variances * 0},
        {"errors": -known.learned.errors},
        {"rows": known.learned.rows[1:]},
        {"offsets": known.learned.offsets * np.nan},
    ]
    wrong = [
        replace(being, task=""),
        replace(being, learned=known.learned),
        replace(known, watch=None),
        replace(known, learned=None),
        *(replace(being, learning=replace(being.learning, **each)) for each in of_learning),
        *(replace(known, learned=replace(known.learned, **each)) for each in of_learned),
    ]

    for each in wrong:
        with pytest.raises(ValueError, match=r"expected|learned|known|ascend|rows|scores|task|batches"):
            watch(None).restore(each)
