from dataclasses import replace

import pytest

from dashlight.judge.performance.estimates.estimate import EstimatedMeasure, PerformanceEstimate
from dashlight.judge.performance.estimates.record import (
    MOST_MEASURES,
    MOST_WINDOWS,
    EstimateAccuracy,
    EstimateRecord,
    RecordedMeasure,
    RecordedWindow,
)
from dashlight.store.layout import Layout

LAYOUT: Layout[tuple[RecordedWindow, ...]] = Layout("record", 1, tuple[RecordedWindow, ...])
ACCURACY = "accuracy"
MEASURE = RecordedMeasure("accuracy", 0.9, 0.8, 1.0, None)
WINDOW = RecordedWindow(0.0, 10.0, (MEASURE,))


def estimate(value: float, name: str = "accuracy") -> PerformanceEstimate:
    return PerformanceEstimate(100, (EstimatedMeasure(name, value, value - 0.05, value + 0.05, "cbpe"),))


def kept(*values: float) -> EstimateRecord:
    record = EstimateRecord()
    for place, value in enumerate(values):
        record.keep(10.0 * place, 10.0 * (place + 1), estimate(value))
    return record


def restarted(record: EstimateRecord) -> EstimateRecord:
    other = EstimateRecord()
    other.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(record.state))))
    return other


def test_an_estimate_is_compared_with_what_came_true() -> None:
    record = kept(0.9, 0.8, 0.7)

    record.settle(10.0, {ACCURACY: 0.88})
    record.settle(20.0, {ACCURACY: 0.7, "recall": 0.1})

    score = record.accuracy("accuracy")
    assert score is not None
    assert replace(score, mean_absolute_error=0.0, worst_error=0.0) == EstimateAccuracy(2, 0.0, 0.5, 10.0, 20.0, 0.0)
    assert (score.mean_absolute_error, score.worst_error) == pytest.approx((0.06, 0.1))


def test_as_long_as_nothing_came_true_nothing_is_said() -> None:
    record = kept(0.9)

    record.settle(11.0, {ACCURACY: 0.9})
    record.settle(10.0, {ACCURACY: float("nan"), "recall": 0.4})

    assert record.accuracy("accuracy") is None


def test_more_labels_of_the_same_window_correct_what_came_true() -> None:
    record = kept(0.9)

    record.settle(10.0, {ACCURACY: 0.5})
    record.settle(10.0, {ACCURACY: 0.9})
    record.settle(10.0, {})

    score = record.accuracy("accuracy")
    assert score is not None
    assert score.mean_absolute_error == pytest.approx(0.0)


def test_measures_of_classes_are_apart() -> None:
    record = EstimateRecord()
    record.keep(0.0, 10.0, estimate(0.9, "recall[cat]"))

    record.settle(10.0, {"recall[dog]": 0.1, "recall[cat]": 0.9})

    assert record.accuracy("recall") is None
    assert record.accuracy("recall[cat]") is not None


def test_a_window_without_an_estimate_is_not_kept() -> None:
    record = EstimateRecord()

    record.keep(0.0, 10.0, PerformanceEstimate(100, reason="no_labels"))

    assert record.windows == ()


def test_a_later_estimate_of_the_same_window_is_the_one_that_counts() -> None:
    record = kept(0.9)

    record.keep(0.0, 10.0, estimate(0.6))

    assert [each.value for window in record.windows for each in window.measures] == [0.6]


def test_only_so_many_windows_are_kept() -> None:
    record = kept(*[0.5] * (MOST_WINDOWS + 30))

    assert len(record.windows) == MOST_WINDOWS
    assert record.windows[0].ended_at == 310.0


@pytest.mark.parametrize("cut", range(7))
def test_it_goes_on_after_a_restart_anywhere(cut: int) -> None:
    def run(record: EstimateRecord, steps: range) -> EstimateRecord:
        for step in steps:
            if step % 2:
                record.settle(10.0 * (step // 2 + 1), {ACCURACY: 0.5 + step / 20})
            else:
                record.keep(10.0 * (step // 2), 10.0 * (step // 2 + 1), estimate(0.6))
        return record

    whole = run(EstimateRecord(), range(6))
    parted = run(restarted(run(EstimateRecord(), range(cut))), range(cut, 6))

    assert parted.state == whole.state


@pytest.mark.parametrize(
    "state",
    [
        (WINDOW,) * 2,
        tuple(replace(WINDOW, ended_at=float(at)) for at in range(MOST_WINDOWS + 1)),
        (replace(WINDOW, measures=()),),
        (replace(WINDOW, measures=(MEASURE,) * (MOST_MEASURES + 1)),),
        (replace(WINDOW, began_at=11.0),),
        (replace(WINDOW, ended_at=float("nan")),),
        (replace(WINDOW, ended_at=1e300),),
        (replace(WINDOW, measures=(replace(MEASURE, value=float("nan")),)),),
        (replace(WINDOW, measures=(replace(MEASURE, low=2.0),)),),
        (replace(WINDOW, measures=(replace(MEASURE, high=float("inf")),)),),
        (replace(WINDOW, measures=(replace(MEASURE, realised=float("inf")),)),),
        (replace(WINDOW, measures=(replace(MEASURE, name="x" * 1000),)),),
    ],
)
def test_a_state_that_nothing_leads_to_is_refused(state: tuple[RecordedWindow, ...]) -> None:
    record = kept(0.9)

    with pytest.raises(ValueError, match=r"."):
        record.restore(state)

    assert record.state == kept(0.9).state


@pytest.mark.parametrize(
    "measure",
    [
        EstimatedMeasure("accuracy", 0.9, 0.8, float("inf"), "cbpe"),
        EstimatedMeasure("accuracy", float("nan"), 0.8, 0.9, "cbpe"),
        EstimatedMeasure("x" * 1000, 0.9, 0.8, 1.0, "cbpe"),
    ],
)
def test_what_could_not_be_restored_is_not_kept(measure: EstimatedMeasure) -> None:
    record = EstimateRecord()

    record.keep(0.0, 10.0, PerformanceEstimate(100, (measure,)))

    assert restarted(record).state == ()
