"""An assistant whose answers are liked less: thumbs say so."""

from collections.abc import Callable
from typing import Any


def test_answers_that_are_liked_less_are_told_by_the_thumbs(live: Callable[..., Any]) -> None:
    story = live("chat")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    assert any(" fell from " in alert["summary"] for alert in alerts)
