"""Silence is a no only while clicks come as they used to: feeds that stop, slow down, come late, and come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.implied_negatives import CELLS, ImpliedNegatives, SilentSpan
from dashlight.labels.rows import Floats, LabelledRows

WITHIN = 1800.0
MINUTE, HOUR = 60.0, 3600.0
BEGIN = 1_790_000_000.0 // HOUR * HOUR


def labelled(predicted_at: Floats, labelled_at: Floats, labels: Floats | None = None) -> LabelledRows:
    count = len(predicted_at)
    return LabelledRows(
        ("/p", "m", "1"), "binary", ("no", "yes"), predicted_at, labelled_at, np.full(count, 0.5),
        np.zeros(count, np.int32), np.ones(count) if labels is None else labels, np.zeros(count, np.int32),
        np.zeros(count, np.bool_),
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Feed:
    """A simulated feed of clicks: *rate(t)* of predictions are clicked, *delay(t)* is added to what people take."""

    a_minute: Callable[[float], float] = lambda _: 20.0
    rate: Callable[[float], float] = lambda _: 0.1
    reaches: Callable[[float], float] = lambda _: 1.0
    """Share of the clicks made then that ever come."""
    late_seconds: Callable[[float], float] = lambda _: 0.0

    def clicks(self, hours: float, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """(predictions, predictions that were clicked, when these clicks came), hours from BEGIN on."""
        predicted: list[float] = []
        for minute in range(int(hours * 60)):
            count = rng.poisson(self.a_minute(minute * MINUTE))
            predicted += sorted((minute + rng.random(count)) * MINUTE)
        at = np.array(predicted)
        is_clicked = rng.random(len(at)) < [self.rate(each) for each in predicted]
        clicked = at[is_clicked] + rng.exponential(90.0, int(is_clicked.sum()))
        arrives = rng.random(len(clicked)) < [self.reaches(each) for each in clicked]
        came = clicked + [self.late_seconds(each) for each in clicked]
        return at, at[is_clicked][arrives], came[arrives]


def watched(
    feed: Feed, hours: float, seed: int = 1, rule: ImpliedNegatives | None = None
) -> tuple[list[SilentSpan], Floats, ImpliedNegatives]:
    """All spans that were ever given, in seconds after BEGIN, and the predictions: told a minute at a time."""
    rule = rule or ImpliedNegatives(WITHIN)
    predicted, clicked, came = feed.clicks(hours, np.random.default_rng(seed))
    order = np.argsort(came, kind="stable")
    clicked, came = clicked[order], came[order]
    ever: list[SilentSpan] = []
    for minute in range(int(hours * 60)):
        begin, end = minute * MINUTE, (minute + 1) * MINUTE
        rule.note_predictions(BEGIN + begin, int(((predicted >= begin) & (predicted < end)).sum()))
        is_new = (came >= begin) & (came < end)
        rule.note_labels(labelled(BEGIN + clicked[is_new], BEGIN + came[is_new]))
        if minute % 10 == 9:
            ever += rule.spans(until_at=BEGIN + end)
    return joined([SilentSpan(each.since_at - BEGIN, each.before_at - BEGIN) for each in ever]), predicted, rule


def joined(spans: Sequence[SilentSpan]) -> list[SilentSpan]:
    found: list[SilentSpan] = []
    for each in sorted(spans, key=lambda span: span.since_at):
        if found and each.since_at <= found[-1].before_at:
            found[-1] = SilentSpan(found[-1].since_at, max(found[-1].before_at, each.before_at))
        else:
            found.append(each)
    return found


def is_in(spans: Sequence[SilentSpan], at: Floats) -> NDArray[np.bool_]:
    return (
        np.any([(at >= each.since_at) & (at < each.before_at) for each in spans], axis=0)
        if spans
        else np.zeros(len(at), np.bool_)
    )


def test_positives_of_predictions_that_nobody_told_of_teach_no_rate() -> None:
    rule, steps = ImpliedNegatives(WITHIN), np.arange(0.0, 8 * HOUR, MINUTE)
    for step in steps:
        moments = BEGIN + step + np.linspace(0, 59, 60)
        if step:  # a model is watched from its first labels on: predictions before were told to nobody
            rule.note_predictions(BEGIN + step, 100)
        rule.note_labels(labelled(moments, moments + 0.5))

    (span,) = rule.spans(until_at=BEGIN + 8 * HOUR)
    assert span.since_at <= BEGIN + HOUR
    assert span.before_at >= BEGIN + 6 * HOUR


def test_while_the_feed_lives_every_silence_is_a_no() -> None:
    spans, predicted, _ = watched(Feed(), 24)

    decided = predicted[(predicted > HOUR) & (predicted < 23 * HOUR)]
    assert is_in(spans, decided).mean() > 0.99


@pytest.mark.parametrize("seed", range(2, 7))
def test_a_feed_that_lives_by_day_and_night_is_seldom_doubted(seed: int) -> None:
    daily = Feed(a_minute=lambda t: 15 + 13 * float(np.sin(2 * np.pi * t / (24 * HOUR))))

    spans, predicted, _ = watched(daily, 48, seed)

    decided = predicted[(predicted > 4 * HOUR) & (predicted < 44 * HOUR)]
    assert is_in(spans, decided).mean() > 0.95


@pytest.mark.parametrize("seed", range(2, 7))
def test_from_when_a_feed_stops_nothing_is_called_a_no(seed: int) -> None:
    stopping = Feed(reaches=lambda t: float(t < 10 * HOUR))

    spans, _, _ = watched(stopping, 24, seed)

    # 20 expected positives are ten minutes: as much of an outage is not seen, and no more.
    assert 8 * HOUR < spans[-1].before_at <= 10 * HOUR - WITHIN + 15 * MINUTE


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_feed_that_slows_down_is_as_one_that_stopped(share: float) -> None:
    slow = Feed(reaches=lambda t: 1.0 if t < 10 * HOUR else share)

    spans, _, _ = watched(slow, 24)

    assert spans[-1].before_at <= 10 * HOUR - WITHIN + 15 * MINUTE


def test_clicks_that_come_too_late_make_no_silence_a_no() -> None:
    late = Feed(late_seconds=lambda t: 0.0 if t < 10 * HOUR else 1.1 * WITHIN)

    spans, _, _ = watched(late, 24)

    assert spans[-1].before_at <= 10 * HOUR - WITHIN + 15 * MINUTE


@pytest.mark.parametrize("seed", range(2, 5))
def test_what_was_predicted_in_an_outage_stays_pending_and_what_follows_does_not(seed: int) -> None:
    outage = Feed(reaches=lambda t: float(not 10 * HOUR <= t < 12 * HOUR))

    spans, predicted, _ = watched(outage, 24, seed)

    inside = predicted[(predicted > 10 * HOUR) & (predicted < 11.6 * HOUR)]
    after = predicted[(predicted > 12.5 * HOUR) & (predicted < 23 * HOUR)]
    assert not is_in(spans, inside).any()
    assert is_in(spans, after).mean() > 0.99


def test_clicks_that_are_delivered_after_an_outage_do_not_make_it_a_time_of_silence() -> None:
    backlog = Feed(late_seconds=lambda t: 12 * HOUR - t if 10 * HOUR <= t < 12 * HOUR else 0.0)

    spans, predicted, _ = watched(backlog, 24)

    assert not is_in(spans, predicted[(predicted > 10 * HOUR) & (predicted < 11.5 * HOUR)]).any()


def test_a_click_rate_that_slides_is_followed() -> None:
    sliding = Feed(a_minute=lambda _: 60.0, rate=lambda t: 0.1 * float(np.exp(-t / (40 * HOUR))))

    spans, predicted, _ = watched(sliding, 60)

    assert is_in(spans, predicted[(predicted > HOUR) & (predicted < 58 * HOUR)]).mean() > 0.97


def test_a_feed_of_little_traffic_is_waited_for() -> None:
    spans, predicted, _ = watched(Feed(a_minute=lambda _: 1.0), 60)

    # Six positives an hour: seven hours to know.
    assert is_in(spans, predicted[(predicted > 10 * HOUR) & (predicted < 48 * HOUR)]).mean() > 0.95
    assert spans[-1].before_at < 56 * HOUR


def test_before_a_positive_came_nothing_is_known() -> None:
    spans, _, _ = watched(Feed(rate=lambda _: 0.0), 24)

    assert spans == []


def test_time_before_the_first_positive_stays_pending() -> None:
    begins = Feed(reaches=lambda t: float(t >= 10 * HOUR))

    spans, _, _ = watched(begins, 24)

    assert spans[0].since_at > 9.5 * HOUR
    assert spans[-1].before_at > 22 * HOUR


def test_negative_and_implied_labels_are_no_sign_of_life() -> None:
    rule = ImpliedNegatives(WITHIN)
    at = BEGIN + np.arange(0.0, 10 * HOUR, 10.0)
    for each in at.tolist():
        rule.note_predictions(each, 1)
    rule.note_labels(labelled(at, at + 5, np.zeros(len(at))))
    rule.note_labels(dataclasses.replace(labelled(at, at + 5), is_implied=np.ones(len(at), np.bool_)))

    assert rule.spans(until_at=BEGIN + 10 * HOUR) == ()


def test_years_of_silence_take_no_time_and_leave_no_trace() -> None:
    _, _, rule = watched(Feed(), 6)

    rule.note_predictions(BEGIN + 5e8, 1)

    assert rule.spans(until_at=BEGIN + 5e8) == ()
    assert rule.spans(until_at=1e300) == ()


@pytest.mark.parametrize("cut_hours", [0, 1, 3, 11, 14])
def test_it_may_be_cut_anywhere(cut_hours: int) -> None:
    feed = Feed(reaches=lambda t: float(not 10 * HOUR <= t < 12 * HOUR))
    predicted, clicked, came = feed.clicks(16, np.random.default_rng(3))
    rules = [ImpliedNegatives(WITHIN), ImpliedNegatives(WITHIN)]
    seen: list[list[object]] = [[], []]
    for minute in range(16 * 60):
        if minute == cut_hours * 60:
            other = ImpliedNegatives(WITHIN)
            other.restore(rules[1].state)
            rules[1] = other
        begin, end = minute * MINUTE, (minute + 1) * MINUTE
        is_new = (came >= begin) & (came < end)
        for rule, told in zip(rules, seen, strict=True):
            rule.note_predictions(BEGIN + begin, int(((predicted >= begin) & (predicted < end)).sum()))
            rule.note_labels(labelled(BEGIN + clicked[is_new], BEGIN + came[is_new]))
            told.append(rule.spans(until_at=BEGIN + end))

    assert seen[0] == seen[1]
    assert seen[0][-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"newest": -2},
        {"newest": 2**63},
        {"decided": -1},
        {"decided": 10**9},
        {"predictions": np.zeros(3, np.int64)},
        {"positives": np.full(CELLS, -1)},
        {"verdicts": np.full(CELLS, 3)},
        {"lags": np.full(3, np.nan)},
        {"usual": np.full(2, -1.0)},
        {"usual": np.zeros(3)},
    ],
    ids=str,
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(changes: dict[str, Any]) -> None:
    _, _, rule = watched(Feed(), 6)
    before = rule.spans(until_at=BEGIN + 6 * HOUR)

    with pytest.raises(ValueError, match="expected"):
        rule.restore(dataclasses.replace(rule.state, **changes))

    assert rule.spans(until_at=BEGIN + 6 * HOUR) == before


def test_it_says_until_when_silence_is_decided_whether_it_is_a_no_or_not() -> None:
    spans, _, alive = watched(Feed(), 24)
    _, _, few = watched(Feed(a_minute=lambda _: 0.5), 24)
    _, _, stopped = watched(Feed(reaches=lambda at: float(at < 12 * HOUR)), 24)

    assert ImpliedNegatives(WITHIN).decided_at == 0.0
    assert alive.decided_at - BEGIN == spans[-1].before_at
    assert few.decided_at < alive.decided_at <= BEGIN + 24 * HOUR - WITHIN
    assert stopped.decided_at > BEGIN + 12 * HOUR
