"""How often an endpoint is asked at each hour of the week."""

from datetime import UTC, datetime

import numpy as np
import pytest

from dashlight.judge.traffic.arrivals import CLASSES, PRIOR_VARIANCE, ArrivalHistory, class_of_hour

NONE = np.zeros(CLASSES, np.int64)
MONDAY_NOON = datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()
"""The first of a class that stands for the same hour of every working day."""


def moment(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2024, 1, day, hour, minute, tzinfo=UTC).timestamp()


def learnt(*exchanges: int, begin: float = MONDAY_NOON, pane_seconds: float = 10.0) -> ArrivalHistory:
    history = ArrivalHistory(pane_seconds)
    for number, count in enumerate(exchanges):
        at = begin + (number + 0.5) * pane_seconds
        history.add_to_blocks(count, at)
        history.add(count, at, empty_panes=NONE, longest=NONE)
    return history


def test_an_hour_of_a_working_day_stands_for_that_hour_of_the_others() -> None:
    # The first of January 2024 was a Monday.
    assert class_of_hour(moment(1, 13)) == class_of_hour(moment(2, 13, 59)) == class_of_hour(moment(4, 13)) == 13
    assert class_of_hour(moment(5, 9)) == class_of_hour(moment(9, 9)) == 9


def test_an_hour_that_is_weekend_somewhere_stands_for_itself() -> None:
    own = [class_of_hour(each) for each in (moment(5, 10), moment(6, 10), moment(7, 10), moment(8, 10), moment(8, 11))]

    assert len(set(own)) == 5
    assert min(own) >= 24
    assert class_of_hour(moment(6, 10)) == class_of_hour(moment(13, 10))


def test_rates_are_exchanges_a_pane() -> None:
    history = learnt(3, 5, 4)

    assert history.rates[12] == 4.0
    assert history.rates.sum() == 4.0


def test_pauses_count_as_panes_and_the_longest_is_kept() -> None:
    history = learnt(8)
    for pause in (3, 2):
        row = NONE.copy()
        row[12] = pause
        history.add(8, MONDAY_NOON, empty_panes=row, longest=row)

    assert (history.panes[12], history.longest[12], history.rates[12]) == (8.0, 3.0, 3.0)


def test_exchanges_that_come_one_by_one_have_no_bursts() -> None:
    history = learnt(*np.random.default_rng(1).poisson(5.0, 360).tolist())

    assert 1.0 <= history.bursts[12] < 1.3


def test_exchanges_that_come_seven_at_a_time_count_as_one_arrival() -> None:
    history = learnt(*(7 * np.random.default_rng(2).poisson(1.0, 360)).tolist())

    assert 6.0 < history.bursts[12] < 9.0


def test_a_steady_rate_varies_by_no_more_than_what_is_assumed() -> None:
    history = learnt(*np.random.default_rng(3).poisson(50.0, 10 * 8640).tolist())

    assert history.variance == pytest.approx(PRIOR_VARIANCE / 10, abs=0.005)


def test_a_rate_that_differs_from_day_to_day_varies() -> None:
    rng = np.random.default_rng(4)
    days = np.repeat(rng.choice([5.0, 15.0], 90), 8640 // 6)

    history = learnt(*rng.poisson(days).tolist())

    # 10 plus or minus 5.
    assert 0.2 < history.variance < 0.5


def test_the_hours_that_are_known_become_all_in_a_week() -> None:
    hourly = 3600.0

    assert learnt(*[1] * 24, pane_seconds=hourly).known_share == pytest.approx(4 * 22 / 168, abs=0.06)
    assert learnt(*[1] * 168, pane_seconds=hourly).known_share == 1.0
    assert learnt(pane_seconds=hourly).known_share == 0.0


def test_old_hours_are_forgotten_by_half() -> None:
    history = learnt(*[2] * (168 * 40), pane_seconds=3600.0)

    assert history.panes[12] <= 64.0
    assert history.rates[12] == 2.0


def test_empty_panes_fill_blocks_and_no_more_than_a_week_of_them() -> None:
    one, other = ArrivalHistory(600.0), ArrivalHistory(600.0)
    for history, panes in ((one, 1008), (other, 3 * 1008)):
        history.add_empty_blocks(panes, MONDAY_NOON + 300.0)
        history.add_to_blocks(1, MONDAY_NOON)
        history.add(1, MONDAY_NOON, empty_panes=NONE, longest=NONE)

    assert one.variance == other.variance
