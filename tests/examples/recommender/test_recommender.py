"""A recommender whose readers' taste turns: clicks say so, and nothing else does."""

from collections.abc import Callable
from statistics import median
from typing import Any


def test_taste_that_turns_is_told_by_the_clicks(live: Callable[..., Any]) -> None:
    story = live("recommender")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    # The rate of a window of half a second is that of the few clicks in it: what is judged tells more.
    losses = story.figures("realised_loss")
    assert story.figures("ctr")
    assert losses[-1][1] > median(value for at, value in losses if at < story.turned_at)
