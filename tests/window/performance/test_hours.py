"""Hours and days of performance where the window is short."""

from __future__ import annotations

import pytest

from dashlight.window.performance.hours import Hours, hours_of

DAY = 86400.0


@pytest.mark.parametrize("label_window", [60.0, DAY, 90 * DAY, 3650 * DAY])
@pytest.mark.parametrize("window", [3600.0, DAY, 7 * DAY])
def test_hours_are_real_ones_where_the_window_is_an_hour_or_more(window: float, label_window: float) -> None:
    assert hours_of(window, label_window) == Hours(3600.0, 24)


@pytest.mark.parametrize(("window", "hour"), [(1800.0, 1800.0), (10.0, 10.0), (0.5, 0.5), (0.1, 0.25)])
def test_else_they_are_as_long_as_the_window_but_a_moment_at_least(window: float, hour: float) -> None:
    assert hours_of(window, DAY).hour_seconds == hour


@pytest.mark.parametrize("label_window", [60.0, DAY, 90 * DAY, 3650 * DAY])
@pytest.mark.parametrize("window", [1.0, 7.0, 600.0, 3599.0])
def test_however_short_they_are_the_days_that_are_kept_are_no_more(window: float, label_window: float) -> None:
    unit = hours_of(window, label_window)
    kept = label_window + max(label_window / 10, DAY)

    assert unit.hours_a_day >= 24
    assert kept / unit.day_seconds <= max(100, kept / DAY)
