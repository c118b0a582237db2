"""An assistant whose answers are liked less: thumbs say so."""

from collections.abc import Callable
from statistics import median
from typing import Any


def test_answers_that_are_liked_less_are_told_by_the_thumbs(live: Callable[..., Any]) -> None:
    story = live("chat")

    alerts = story.alerts()
    assert alerts, "nothing was told"
    assert min(alert["at"] for alert in alerts) > story.turned_at
    # The grade of a window of half a second is that of the few thumbs in it: what is judged tells more.
    losses = story.figures("realised_loss")
    assert story.figures("mean_grade")
    assert losses[-1][1] > median(value for at, value in losses if at < story.turned_at)
