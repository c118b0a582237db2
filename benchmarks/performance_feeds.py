"""Feeds of labels that come in the ways in which labels come, and then stop or come late."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alert_budget import PERFORMANCE
from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.feed import LabelFeed
from dashlight.labels.rows import LabelledRows

Floats: TypeAlias = NDArray[np.float64]
Delays: TypeAlias = Callable[[np.random.Generator, int, int], Floats]

HOUR = 3600.0
DAY = 24
MONDAY = 1_789_948_800.0
"""2026-09-21, midnight."""
WRITER = AlertWriter("performance", "risk", "1", "/predict")


@dataclass(frozen=True, slots=True)
class Feed:
    """How the labels of a model come."""

    name: str
    delays: Delays
    """Hours that labels take of so many predictions made in the hour of that number, counted from a Monday."""
    days: int = 120
    """Until something changes."""
    is_office: bool = False
    """Whether predictions are made from eight to six on the days from Monday to Friday only."""
    an_hour: float = 20.0
    """Predictions."""
    pause: tuple[int, int] = (0, 0)
    """Days from which and until which no prediction is made."""
    then: Literal["stop", "late"] = "stop"


def _soon(rng: np.random.Generator, count: int, _hour: int) -> Floats:
    return rng.exponential(1.0, count)


def _nightly(_rng: np.random.Generator, count: int, hour: int) -> Floats:
    """At two in the night that follows, or an hour before or after."""
    return (26 - hour % DAY) + np.full(count, float((hour // DAY * 7919) % 3 - 1))


def _on_workdays(_rng: np.random.Generator, count: int, hour: int) -> Floats:
    """At noon of the next workday."""
    day = hour // DAY + 1
    day += {5: 2, 6: 1}.get(day % 7, 0)
    return np.full(count, float(day * DAY + 12 - hour))


def _monthly(rng: np.random.Generator, count: int, hour: int) -> Floats:
    """On the third day of the next thirty, in three hours."""
    month = hour // (30 * DAY) + 1
    return month * 30 * DAY + 3 * DAY + 9 - hour + rng.uniform(0, 3, count)


def _within_a_month(rng: np.random.Generator, count: int, _hour: int) -> Floats:
    return rng.uniform(0, 30 * DAY, count)


FEEDS = (
    Feed("within hours, day and night", _soon),
    Feed("within hours, in office hours", _soon, is_office=True),
    Feed("a batch each night", _nightly),
    Feed("a batch each workday", _on_workdays),
    Feed("a settlement a month", _monthly, days=360, an_hour=3.0),
    Feed("any time within thirty days", _within_a_month),
    Feed("two a day", _soon, an_hour=0.08),
    Feed("no predictions for a week", _soon, pause=(60, 67)),
    Feed("within hours; then four times later", _soon, then="late"),
    Feed("any time within thirty days; then twice later", _within_a_month, then="late"),
)


def feed_alarms(feed: Feed, seeds: Sequence[int]) -> tuple[str, str, str]:
    """Runs with an alarm before anything changed, of those without one runs with one after it, and its median hours."""
    false, found = 0, list[int]()
    for seed in seeds:
        rng = np.random.default_rng(seed)
        watching = LabelFeed(writer=WRITER, panes=259_200.0, share=PERFORMANCE / 2, pane_seconds=10.0)
        after = alarm_hour(feed, rng, watching)
        false += after < 0
        if after > 0:
            found.append(after)
    middle = f"{np.median(found):,.0f}" if found else "-"
    return str(false), f"{len(found)} of {len(seeds) - false}", middle


def alarm_hour(feed: Feed, rng: np.random.Generator, watching: LabelFeed) -> int:
    """Hours from the change to the first alarm; -1 where one came before it, 0 where none came within 150 days."""
    change, waiting = feed.days * DAY, dict[int, list[Floats]]()
    for hour in range(change + 150 * DAY):
        is_closed = feed.is_office and (hour // DAY % 7 > 4 or not 8 <= hour % DAY < 18)
        is_closed |= feed.pause[0] * DAY <= hour < feed.pause[1] * DAY
        count = 0 if is_closed else int(rng.poisson(feed.an_hour))
        delays = feed.delays(rng, count, hour)
        if hour >= change and feed.then == "late":
            delays = delays * (4 if feed.delays is _soon else 2)
        at = MONDAY + HOUR * hour
        due = hour + 1 + delays.astype(np.int64)
        for moment in np.unique(due).tolist():
            waiting.setdefault(moment, []).append(np.full(int((due == moment).sum()), at))
        predicted_at = np.concatenate(waiting.pop(hour, [np.zeros(0)]))
        if hour >= change and feed.then == "stop":
            predicted_at = np.zeros(0)
        news = watching.take(_labelled(predicted_at, at), at, predictions=count)
        if any(alert.state == "firing" for alert in news):
            return max(hour - change, 1) if hour >= change else -1
    return 0


def _labelled(predicted_at: Floats, at: float) -> LabelledRows:
    count = len(predicted_at)
    return LabelledRows(
        model=("/predict", "risk", "1"),
        task="binary",
        classes=("no", "yes"),
        predicted_at=predicted_at,
        labelled_at=np.full(count, at),
        scores=np.full(count, 0.5),
        predictions=np.zeros(count, np.int32),
        labels=np.zeros(count),
        steps=np.zeros(count, np.int32),
        is_implied=np.zeros(count, np.bool_),
    )
