"""A recommender whose readers' taste turns: clicks say so, and nothing else does."""

from collections.abc import Callable
from typing import Any


def test_taste_that_turns_is_told_by_the_clicks(live: Callable[..., Any]) -> None:
    story = live("recommender")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    assert any(" fell from " in alert["summary"] for alert in alerts)
