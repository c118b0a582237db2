"""A forecast of sales that fall: the truth of each step comes a day after that of the one before."""

from collections.abc import Callable
from statistics import median
from typing import Any


def test_sales_that_fall_are_told_by_the_errors_of_the_forecasts(live: Callable[..., Any]) -> None:
    story = live("forecast")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    errors = story.figures("mae")
    assert max(value for at, value in errors if at > story.turned_at) > 1.5 * median(
        value for at, value in errors if at < story.turned_at
    )
    assert all(story.figures(f"mae[step {step}]") for step in range(1, 8))
