"""A recommender whose readers' taste turns: clicks say so, and nothing else does."""

from collections.abc import Callable
from typing import Any


def test_taste_that_turns_is_told_by_the_clicks(live: Callable[..., Any]) -> None:
    story = live("recommender")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    rates = story.figures("ctr")
    assert rates
    assert rates[-1][1] < max(value for at, value in rates if at < story.turned_at)
