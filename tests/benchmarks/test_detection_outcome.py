import numpy as np
import pytest
from benchmarks.detection_outcome import Outcome, outcome, summary
from benchmarks.detection_real import Span, spans
from numpy.typing import NDArray


def alarms(*columns: str) -> NDArray[np.bool_]:
    """One text a column, one character a pane: x is in alarm."""
    return np.array([[pane == "x" for pane in column] for column in columns]).T


def test_the_delay_counts_from_the_change_to_the_end_of_the_pane_that_alarms() -> None:
    found = outcome(alarms(".....", "...x."), change=200, pane_rows=100)

    assert found == Outcome(quiet_evaluations=2, false_onsets=0, false_evaluations=0, delay_rows=200)


def test_an_alarm_that_began_before_the_change_does_not_notice_it() -> None:
    found = outcome(alarms(".xxxx"), change=200, pane_rows=100)

    assert found == Outcome(quiet_evaluations=2, false_onsets=1, false_evaluations=1, delay_rows=None)


def test_each_column_has_false_alarms_of_its_own() -> None:
    found = outcome(alarms("x.x.", "x..x"), change=None, pane_rows=100)

    assert (found.quiet_evaluations, found.false_onsets, found.false_evaluations) == (4, 4, 3)


@pytest.mark.parametrize(
    ("delays", "median", "missed"),
    [
        ((100, 300, 200), 200, 0.0),
        ((100, 300, None), 300, 1 / 3),
        ((100, None, None), None, 2 / 3),
    ],
    ids=["all noticed", "one missed", "most missed"],
)
def test_a_missed_change_is_later_than_any_delay(
    delays: tuple[int | None, ...], median: float | None, missed: float
) -> None:
    found = summary([Outcome(50, 0, 0, delay) for delay in delays])

    assert found.delay_rows == median
    assert found.missed_share == pytest.approx(missed)


def test_false_alarms_are_told_per_three_thousand_evaluations_of_all_runs() -> None:
    found = summary([Outcome(500, 3, 50, None), Outcome(500, 0, 0, None)])

    assert found.onsets == pytest.approx(9.0)
    assert found.alarm_share == pytest.approx(0.05)
    assert not found.mostly_false


def test_stretches_in_alarm_are_told_by_their_moments() -> None:
    found = spans(alarms(".xx.x", "....."), ["temp", "dest"], ["a", "b", "c", "d", "e"])

    assert found == [Span("temp", "b", "d"), Span("temp", "e", "")]
