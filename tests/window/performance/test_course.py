"""Performance over time: late labels go where their predictions stand, in bounded memory, over restarts too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.labels.rows import LabelledRows
from dashlight.store.layout import Layout
from dashlight.window.performance.buckets import Bucket
from dashlight.window.performance.counts import PerformanceCounts, no_counts
from dashlight.window.performance.course import AGES, DelayBucket, PerformanceCourse, PerformanceCourseState
from dashlight.window.performance.error_cells import errors_of
from dashlight.window.performance.hours import Hours, hours_of

Rows = Callable[..., LabelledRows]
LAYOUT: Layout[PerformanceCourseState] = Layout("course", 1, PerformanceCourseState)
DAY, HOUR = 86400.0, 3600.0
START = 20_000 * DAY
WINDOW = 90 * DAY


def right(counts: PerformanceCounts | None) -> tuple[int, int]:
    """Rows, and how many of them were right."""
    assert counts is not None
    assert counts.classified is not None
    return counts.rows, int(counts.classified.tallies[:, 1].sum())


@pytest.fixture
def binary(labelled: Rows) -> Rows:
    def made(predicted_at: Any, labelled_at: Any, labels: Any = None, **others: Any) -> LabelledRows:
        predicted_at, labelled_at = np.asarray(predicted_at, float), np.asarray(labelled_at, float)
        labels = np.ones(len(predicted_at)) if labels is None else np.asarray(labels, float)
        count = len(labels)
        return labelled(
            "binary", labels, np.linspace(0, 1, count), np.ones(count, int),
            predicted_at=predicted_at, labelled_at=labelled_at, **others,
        )  # fmt: skip

    return made


def test_a_late_label_goes_where_its_prediction_stands_and_where_it_came(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    now = START + 30 * DAY

    course.add(binary([START + HOUR, now - HOUR], [now, now], [1, 0]), now)

    assert right(course.by_prediction(START, START + DAY)) == (1, 1)
    assert right(course.by_prediction(now - DAY, now)) == (1, 0)
    assert right(course.by_label(START, START + DAY)) == (0, 0)
    assert right(course.by_label(now - DAY, now + 1)) == (2, 1)


def test_hours_are_told_apart_for_two_days_and_days_before(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    for hour in range(100):
        at = START + hour * HOUR
        course.add(binary([at], [at]), at)

    now = START + 99 * HOUR
    assert right(course.by_prediction(now - 2 * HOUR, now)) == (2, 2)
    assert right(course.by_prediction(START, START + DAY)) == (24, 24)
    assert right(course.by_prediction(START + HOUR, START + DAY)) == (0, 0)
    assert right(course.by_prediction(0, now + 1)) == (100, 100)


@pytest.mark.parametrize("seconds", [1.0, 7.0, 10.0, 600.0])
def test_hours_may_be_short_and_are_told_apart_likewise(binary: Rows, seconds: float) -> None:
    unit = Hours(seconds)
    start, course = START // unit.day_seconds * unit.day_seconds, PerformanceCourse(WINDOW, unit)
    for hour in range(100):
        at = start + (hour + 0.5) * seconds
        course.add(binary([at], [at]), at)

    now = start + 99 * seconds
    assert right(course.by_prediction(now - 2 * seconds, now)) == (2, 2)
    assert right(course.by_label(start, start + 24 * seconds)) == (24, 24)
    assert right(course.by_label(start + seconds, start + 24 * seconds)) == (0, 0)
    assert right(course.by_prediction(0, now + 1)) == (100, 100)


def test_short_hours_take_no_more_buckets_than_real_ones(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW, hours_of(5.0, WINDOW))
    now = START + WINDOW
    for predicted_at in np.linspace(START, now, 2000):
        course.add(binary([predicted_at], [now]), now)

    assert len(course.state.by_prediction.hours) <= 49
    assert len(course.state.by_prediction.days) <= 101


def test_what_is_before_the_window_is_forgotten_and_what_comes_too_late_counted(binary: Rows) -> None:
    course = PerformanceCourse(10 * DAY)
    course.add(binary([START], [START]), START)

    now = START + 20 * DAY
    course.add(binary([START + DAY, now], [now, now]), now)

    assert course.too_old == 1
    assert right(course.by_prediction(0, now + 1)) == (1, 1)


def test_what_is_settled_stays_for_a_while(binary: Rows) -> None:
    course = PerformanceCourse(20 * DAY)
    course.add(binary([START], [START]), START)

    course.add(binary([], []), START + 21 * DAY)
    assert right(course.by_prediction(START, START + DAY)) == (1, 1)

    course.add(binary([], []), START + 24 * DAY)
    assert right(course.by_prediction(START, START + DAY)) == (0, 0)


def test_cohorts_of_one_age_are_told_apart_from_what_came_later(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    now = START + 40 * DAY
    course.add(binary([START, START, START], [START + HOUR / 2, START + 2 * DAY, START + 35 * DAY], [1, 0, 1]), now)

    found = [right(course.at_age(START, START + DAY, age)) for age in (0, *AGES)]

    assert found == [(0, 0), (1, 1), (1, 1), (1, 1), (2, 1), (2, 1), (2, 1)]


def test_delays_are_told_to_one_in_a_hundred_without_those_implied(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    delays = np.array([60.0, 3600.0, 7200.0, 86400.0])
    course.add(
        binary(START + DAY - delays, np.full(4, START + DAY), is_implied=np.array([True, False, False, False])),
        START + DAY,
    )

    found = course.delays()

    assert found.count == 3
    assert found.quantile(0.5) == pytest.approx(7200, rel=0.01)
    assert course.delays(START + 2 * DAY).count == 0


def test_classes_that_are_named_in_another_order_are_found_by_name(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    course.add(binary([START] * 2, [START] * 2, [0, 1]), START)

    # 0 is `yes` here: the label is `yes`, the prediction `no`.
    course.add(binary([START] * 2, [START] * 2, [0, 1], classes=("yes", "no")), START)
    course.add(binary([START] * 2, [START] * 2, [0, 1], classes=("yes", "perhaps")), START)

    found = course.by_prediction(0, START + 1)
    assert found is not None
    assert found.classified is not None
    confusion = found.classified.confusion.sum(axis=0)
    assert found.classes == ("no", "yes")
    assert confusion.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert found.classified.cells.scores.tolist() == [0.0, 1.0]


def test_probabilities_follow_their_classes(labelled: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    told = np.array([[0.2, 0.3, 0.5]], np.float32)
    times = {"predicted_at": np.array([START]), "labelled_at": np.array([START])}
    for classes, label in (("abc", 2), ("cab", 0), ("cad", 0)):
        column = [("abc").find(each) for each in classes]
        course.add(
            labelled(
                "multiclass", [label], [0.5], [label], classes=tuple(classes), probabilities=told[:, column], **times
            ),
            START,
        )

    found = course.by_prediction(0, START + 1)

    assert found is not None
    assert found.classified is not None
    tallies, sums = found.classified.tallies.sum(axis=0), found.classified.sums.sum(axis=0)
    assert (tallies[1], tallies[4]) == (3, 2)
    assert sums[1] == pytest.approx(-2 * np.log(0.5), rel=1e-6)


def test_rows_of_another_task_or_without_a_time_are_counted_as_refused(binary: Rows, labelled: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    course.add(binary([START, np.nan, np.inf, -5], [START, START, START, START]), START)

    course.add(labelled("text", [1.0], predicted_at=np.array([START]), labelled_at=np.array([START])), START)

    assert course.refused == 4
    assert right(course.by_prediction(0, START + 1)) == (1, 1)


def test_before_the_first_row_there_is_nothing(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    course.add(binary([], []), START)

    assert course.by_prediction(0, START + 1) is None
    assert course.at_age(0, START, DAY) is None
    assert course.delays().count == 0


def test_clocks_that_disagree_make_no_bucket_in_the_future(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)

    course.add(binary([START + 5 * DAY, START], [START, START - DAY]), START)

    assert right(course.by_prediction(START - HOUR, START + 1)) == (2, 2)
    assert right(course.by_label(START - HOUR, START + 1)) == (2, 2)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 39))
def test_cut_anywhere_it_goes_on_as_one_that_was_not_cut(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    whole, before = PerformanceCourse(30 * DAY), PerformanceCourse(30 * DAY)
    after = PerformanceCourse(30 * DAY)
    at = START
    for step in range(40):
        at += float(rng.exponential(DAY))
        count = int(rng.integers(0, 9))
        predicted_at = at - rng.exponential(5 * DAY, count)
        rows = LabelledRows(
            ("", "", ""), "binary", ("no", "yes"), predicted_at, predicted_at + rng.exponential(DAY, count),
            rng.random(count), rng.integers(0, 2, count).astype(np.int32), rng.integers(0, 2, count).astype(float),
            np.zeros(count, np.int32), rng.random(count) < 0.2,
        )  # fmt: skip
        if step == cut:
            after.restore(LAYOUT.thaw(bytearray(b"".join(LAYOUT.freeze(before.state)))))
        whole.add(rows, at)
        (before if step < cut else after).add(rows, at)

    assert b"".join(LAYOUT.freeze(after.state)) == b"".join(LAYOUT.freeze(whole.state))


def spoiled_states() -> dict[str, dict[str, Any]]:
    """What to change of a state that is right, by what is wrong then."""
    one = Bucket(3, no_counts("binary", ("no", "yes")))
    other = Bucket(3, no_counts("text", ()))
    return {
        "no task": {"task": None},
        "classes of others": {"classes": ("a", "b")},
        "two of one number": {"by_age": (one, one)},
        "another task": {"by_age": (other,)},
        "a number below 0": {"by_age": (replace(one, number=-1),)},
        "counts below 0": {"by_age": (replace(one, counts=replace(one.counts, rows=-1)),)},
        "a moment that is none": {"latest_at": float("nan")},
        "rows below 0": {"too_old": -1},
        "refused below 0": {"refused": -1},
        "a day below 0": {"delays": (DelayBucket(-1, errors_of(np.ones(1))),)},
        "delays that are none": {
            "delays": (DelayBucket(1, replace(errors_of(np.ones(1)), counts=np.zeros(1, np.int64))),)
        },
    }


@pytest.mark.parametrize("name", spoiled_states())
def test_a_state_that_no_rows_lead_to_is_refused(name: str, binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    course.add(binary([START], [START]), START)

    with pytest.raises(ValueError, match=r"expected|of"):
        PerformanceCourse(WINDOW).restore(replace(course.state, **spoiled_states()[name]))


def test_too_many_hours_are_refused(binary: Rows) -> None:
    course = PerformanceCourse(WINDOW)
    course.add(binary([START], [START]), START)
    hours = tuple(Bucket(number, no_counts("binary", ("no", "yes"))) for number in range(50))

    with pytest.raises(ValueError, match="expected 0 to 49"):
        PerformanceCourse(WINDOW).restore(replace(course.state, by_label=replace(course.state.by_label, hours=hours)))


def test_a_shorter_window_forgets_what_a_longer_one_kept(binary: Rows) -> None:
    long, short = PerformanceCourse(WINDOW), PerformanceCourse(5 * DAY)
    long.add(binary([START, START + 20 * DAY], [START, START + 20 * DAY]), START + 20 * DAY)

    short.restore(long.state)

    assert right(short.by_prediction(0, START + 30 * DAY)) == (1, 1)


def test_memory_is_bounded_however_many_labels_come(labelled: Rows) -> None:
    rng = np.random.default_rng(2)
    course = PerformanceCourse(WINDOW)
    for day in range(93):
        at = START + day * DAY
        predicted_at = at - rng.random(1500) * 20 * DAY
        scores = rng.random(1500)
        course.add(
            labelled(
                "binary",
                rng.integers(0, 2, 1500),
                scores,
                scores > 0.5,
                predicted_at=predicted_at,
                labelled_at=np.full(1500, at),
            ),
            at,
        )

    assert course.bytes < 8_000_000
