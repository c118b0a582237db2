"""An assistant whose answers are liked less: thumbs say so."""

from collections.abc import Callable
from statistics import median
from typing import Any


def test_answers_that_are_liked_less_are_shown_by_the_thumbs(live: Callable[..., Any]) -> None:
    story = live("chat")

    # Half a minute of thumbs is not always enough for an alert; none may come before.
    assert all(alert["at"] > story.turned_at for alert in story.alerts())
    grades = story.figures("mean_grade")
    # A window of half a second holds few thumbs: one alone may be anything.
    before = median(value for at, value in grades if at < story.turned_at)
    assert median(value for at, value in grades if at > story.turned_at) < before
