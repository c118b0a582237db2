"""Whether labels come as they used to."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.feed import LabelFeed, LabelFeedState
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert
from dashlight.store.layout import Layout

MakeRows: TypeAlias = Callable[..., LabelledRows]
MakeFeed: TypeAlias = Callable[[], LabelFeed]
Came: TypeAlias = tuple[Floats, int]
LAYOUT: Layout[LabelFeedState] = Layout("feed", 1, LabelFeedState)
HOUR, DAY = 3600.0, 24
MONDAY = 1_789_948_800.0


@pytest.fixture
def feed(budget: dict[str, Any]) -> MakeFeed:
    return lambda: LabelFeed(writer=AlertWriter("performance", "risk", "1", "/predict"), **budget)


@pytest.fixture
def hear(make_rows: MakeRows) -> Callable[..., list[Alert]]:
    """Passes on, hour by hour, delays in hours and how many predictions were made; what the feed says of it."""

    def heard(feed: LabelFeed, hours: Sequence[Came], *, first: int = 0) -> list[Alert]:
        news: list[Alert] = []
        for hour, (delays, predictions) in enumerate(hours, first):
            at, nothing = MONDAY + HOUR * (hour + 1), np.zeros(len(delays))
            rows = make_rows(nothing, nothing, predicted_at=at - HOUR * delays, at=at)
            news += feed.take(rows, at, predictions=predictions)
        return news

    return heard


def steady(seed: int, hours: int, *, labels: int = 20, mean: float = 2.0) -> Iterator[Came]:
    rng = np.random.default_rng(seed)
    for _ in range(hours):
        yield rng.exponential(mean, rng.poisson(labels)), labels


def office(seed: int, days: int) -> Iterator[Came]:
    """Predictions and labels from eight to six on the days from Monday to Friday."""
    for hour, (delays, predictions) in enumerate(steady(seed, days * DAY)):
        is_open = hour // DAY % 7 < 5 and 8 <= hour % DAY < 18
        yield (delays, predictions) if is_open else (delays[:0], 0)


def batches(days: int, every: int, *, size: int = 200) -> Iterator[Came]:
    """Predictions day and night, labels in one batch after so many days each, at two or three o'clock."""
    for hour in range(days * DAY):
        is_due = hour // DAY % every == every - 1 and hour % DAY == 2 + hour // DAY % 2
        yield np.linspace(1, every * DAY, size if is_due else 0), 20


def silent(hours: int, predictions: int = 20) -> Iterator[Came]:
    return ((np.zeros(0), predictions) for _ in range(hours))


def test_labels_that_stop_alarm_and_the_alarm_ends_when_they_come_again(
    feed: MakeFeed, hear: Callable[..., list[Alert]]
) -> None:
    news = hear(feed(), [*steady(1, 40 * DAY), *silent(24), *steady(2, 24)])

    first, last = news[0], news[-1]
    assert (first.key, first.source, first.state) == ("performance/risk/%2Fpredict/labels", "performance", "firing")
    assert MONDAY + HOUR * 40 * DAY < first.at <= MONDAY + HOUR * (40 * DAY + 8)
    assert first.since_at == MONDAY + HOUR * (40 * DAY + 1)
    assert "hours in which labels usually come; the longest pause was of" in first.summary
    assert last.state == "resolved"
    assert last.summary.startswith("labels come again after 1 d")


@pytest.mark.parametrize(
    "hours",
    [
        list(steady(3, 60 * DAY)),
        list(office(4, 60)),
        list(batches(60, 1)),
        list(batches(60, 7)),
        list(batches(300, 30)),
        list(steady(5, 60 * DAY, labels=1)),
        list(steady(6, 90 * DAY, labels=20, mean=24 * 10.0)),
    ],
    ids=["always", "in office hours", "nightly", "weekly", "monthly", "few", "late from the start"],
)
def test_the_rhythm_of_a_feed_does_not_alarm(
    feed: MakeFeed, hear: Callable[..., list[Alert]], hours: Sequence[Came]
) -> None:
    assert hear(feed(), hours) == []


def test_where_no_predictions_were_made_no_labels_are_missed(feed: MakeFeed, hear: Callable[..., list[Alert]]) -> None:
    last = [(delays, 0) for delays, _ in steady(7, 6)]
    pause = [*last, *silent(10 * DAY, predictions=0)]

    news = hear(feed(), [*steady(7, 40 * DAY), *pause, *steady(8, 10 * DAY)])

    assert news == []


def test_before_a_week_was_watched_nothing_alarms(feed: MakeFeed, hear: Callable[..., list[Alert]]) -> None:
    assert hear(feed(), [*steady(9, 6 * DAY), *silent(30 * DAY)]) == []


def test_a_nightly_batch_that_stays_out_alarms_within_ten_days(
    feed: MakeFeed, hear: Callable[..., list[Alert]]
) -> None:
    news = hear(feed(), [*batches(60, 1), *silent(10 * DAY)])

    assert news[0].state == "firing"


def test_labels_that_come_later_than_usual_alarm_until_they_come_as_soon_again(
    feed: MakeFeed, hear: Callable[..., list[Alert]]
) -> None:
    news = hear(feed(), [*steady(10, 40 * DAY), *steady(11, 20 * DAY, mean=12.0), *steady(12, 30 * DAY)])

    assert [alert.key for alert in news] == ["performance/risk/%2Fpredict/label_delay"] * 2
    assert [alert.state for alert in news] == ["firing", "resolved"]
    assert news[0].summary.startswith("labels come later than usual: ")
    assert " took over " in news[0].summary
    assert MONDAY + HOUR * 40 * DAY < news[0].at <= MONDAY + HOUR * 44 * DAY
    assert abs(news[0].since_at - (MONDAY + HOUR * 40 * DAY)) <= 86_400 * 2
    assert news[1].summary.startswith("labels come as soon as they used to")


def test_labels_that_come_sooner_are_no_news(feed: MakeFeed, hear: Callable[..., list[Alert]]) -> None:
    assert hear(feed(), [*steady(13, 40 * DAY, mean=12.0), *steady(14, 20 * DAY, mean=1.0)]) == []


def test_labels_of_no_prediction_are_told_once(feed: MakeFeed) -> None:
    watching, told = feed(), list[str]()
    for pane in range(50):
        watching.take(None, MONDAY + 10.0 * pane, predictions=5, unknown=10)
        told.append(watching.take_finding())

    said = [each for each in told if each]
    assert len(said) == 1
    assert said[0].startswith("100 % of the labels of about a day have the id of no prediction")


def test_a_few_labels_of_no_prediction_are_no_finding(feed: MakeFeed, hear: Callable[..., list[Alert]]) -> None:
    watching = feed()
    hear(watching, list(steady(15, 48)))
    watching.take(None, MONDAY + 49 * HOUR, predictions=5, unknown=60)

    assert watching.take_finding() == ""


def test_labels_that_are_quicker_than_their_prediction_is_written_are_no_finding(
    feed: MakeFeed, make_rows: MakeRows
) -> None:
    watching, told = feed(), list[str]()
    for pane in range(400):  # of half a second: what came in one finds its prediction in the next
        at = MONDAY + 0.5 * pane
        nothing = np.zeros(50)
        joined = make_rows(nothing, nothing, predicted_at=nothing + at - 1, at=at) if pane else None
        watching.take(joined, at, predictions=50, unknown=50 - 50 * (pane > 0))
        told.append(watching.take_finding())

    assert not any(told)


def test_what_silence_means_is_no_label_that_came(feed: MakeFeed, make_rows: MakeRows) -> None:
    watching, nothing = feed(), np.zeros(3)
    rows = make_rows(nothing, nothing, predicted_at=np.full(3, MONDAY - 60), at=MONDAY)

    watching.take(replace(rows, is_implied=np.ones(3, np.bool_)), MONDAY, predictions=3)

    assert watching.scores() == []


def test_how_long_labels_take_is_shown(feed: MakeFeed, hear: Callable[..., list[Alert]]) -> None:
    watching = feed()
    hear(watching, list(steady(16, 100)))

    scores = {score.statistic: score.value for score in watching.scores()}

    assert scores["label_delay_median_seconds"] == pytest.approx(2 * HOUR * np.log(2), rel=0.25)
    assert scores["label_delay_p90_seconds"] == pytest.approx(2 * HOUR * np.log(10), rel=0.25)


def test_delays_and_moments_that_cannot_be_do_no_harm(feed: MakeFeed, make_rows: MakeRows) -> None:
    watching, nothing = feed(), np.zeros(5)
    odd = np.array([np.nan, np.inf, -np.inf, MONDAY + 1e9, 0.0])
    for at in (MONDAY, MONDAY + 400 * 86_400, MONDAY - 86_400, MONDAY + 1e9):
        rows = make_rows(nothing, nothing, predicted_at=odd, at=at)
        watching.take(rows, at, predictions=5)

    assert all(np.isfinite(score.value) for score in watching.scores())
    restored = feed()
    restored.restore(LAYOUT.thaw(written(watching)))


def written(watching: LabelFeed) -> bytes:
    return b"".join(LAYOUT.freeze(watching.state))


@pytest.fixture(scope="module")
def course() -> list[Came]:
    """Labels, then silence that alarms, then labels that come late, then as ever."""
    return [*steady(20, 36 * DAY), *silent(40), *steady(21, 12 * DAY, mean=20.0), *steady(22, 20 * DAY)]


@pytest.mark.parametrize("cut_at", [0, 1, 100, 7 * DAY, 20 * DAY, 36 * DAY + 3, 36 * DAY + 20, 44 * DAY, 52 * DAY])
def test_a_feed_that_is_restored_goes_on_bit_by_bit(
    feed: MakeFeed, hear: Callable[..., list[Alert]], course: Sequence[Came], cut_at: int
) -> None:
    whole, restored = feed(), feed()
    before = hear(whole, course[:cut_at])

    restored.restore(LAYOUT.thaw(written(whole)))

    after = hear(whole, course[cut_at:], first=cut_at)
    assert {alert.key.rsplit("/", 1)[1] for alert in before + after} == {"labels", "label_delay"}
    assert str(hear(restored, course[cut_at:], first=cut_at)) == str(after)
    assert (restored.scores(), written(restored)) == (whole.scores(), written(whole))


def test_a_state_to_which_no_labels_lead_is_refused(
    feed: MakeFeed, hear: Callable[..., list[Alert]], course: Sequence[Came]
) -> None:
    watching = feed()
    hear(watching, course[: 46 * DAY])
    state = watching.state
    silence, lateness = state.silence, state.lateness
    assert state.late is not None
    of_silence: list[dict[str, Any]] = [
        {"seen": silence.seen - 1e9},
        {"seen": silence.seen[1:]},
        {"active": silence.seen + 1},
        {"paused": silence.paused * np.nan},
        {"predicted": silence.predicted[1:]},
        {"hour": 2**60},
        {"hour": -2},
        {"last": silence.hour + 1},
        {"first": silence.last + 1},
        {"first": -1},
        {"gap": np.nan},
        {"longest": -1.0},
        {"fired": np.inf},
    ]
    of_lateness: list[dict[str, Any]] = [
        {"recent": -lateness.recent},
        {"learning": lateness.learning[1:]},
        {"learning": lateness.learning * 0},
        {"began_at": np.nan},
        {"day_at": np.inf},
        {"border": -2},
        {"border": -1},
        {"border": 1000},
        {"open_rows": -1.0},
        {"open_late": lateness.open_rows + 1},
        {"evidence": None},
        {"days": -1},
        {"took": 0},
        {"took": 1000},
        {"since": np.zeros((100, 2))},
        {"since": np.full((1, 2), np.nan)},
        {"hysteresis": replace(lateness.hysteresis, alert_state="inactive", fired_for=0)},
    ]
    wrong = [
        replace(state, silent=state.late),
        replace(state, late=None),
        replace(state, late=replace(state.late, at=np.nan)),
        replace(state, silent_for=-1),
        replace(state, known=np.nan),
        replace(state, unknown=-1.0),
        replace(state, taken_at=np.inf),
        *(replace(state, silence=replace(silence, **each)) for each in of_silence),
        *(replace(state, lateness=replace(lateness, **each)) for each in of_lateness),
    ]

    for each in wrong:
        with pytest.raises(ValueError, match=r"expected|alert|hours|known|learned"):
            feed().restore(each)
