"""The labels on which alarms on performance are measured are what their names say."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from benchmarks.performance_alarms import FALLS, HOUR, NULLS, START, Fall, Stream, batches, reference_of
from benchmarks.performance_feeds import FEEDS, MONDAY, alarm_hour

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.feed import LabelFeed

STREAMS = {stream.name: stream for stream in NULLS}


@pytest.mark.parametrize("stream", NULLS, ids=STREAMS)
def test_where_nothing_is_worse_the_model_is_wrong_as_often_as_its_scores_say(stream: Stream) -> None:
    shorter = replace(stream, labels_an_hour=min(stream.labels_an_hour, 500))
    came = list(batches(shorter, np.random.default_rng(1), 24 * 8))
    wrong = np.concatenate([rows.predictions != rows.labels for rows, _, _ in came])
    expected = np.concatenate([each for _, each, _ in came])
    spread = np.sqrt(0.09 * stream.cluster / len(wrong))

    assert abs(wrong.mean() - expected.mean()) < 4 * spread + stream.risk_season / 20


@pytest.mark.parametrize("fall", FALLS, ids=lambda fall: fall.name)
def test_a_fall_begins_when_it_says_and_is_whole_after_its_ramp(fall: Fall) -> None:
    made = batches(Stream("", labels_an_hour=500), np.random.default_rng(2), 144, fall)
    wrong = np.array([(rows.predictions != rows.labels).mean() for rows, _, _ in made])
    whole = fall.after_hours + max(fall.ramp_hours - 1, 0)

    assert abs(wrong[: fall.after_hours].mean() - 0.1) < 4 * (0.09 / (500 * fall.after_hours)) ** 0.5
    assert wrong[whole:].mean() > 0.13
    assert all(0 < fall.part(hour) < 1 for hour in range(fall.after_hours, whole))


def test_a_batch_a_day_comes_once_a_day_and_late_labels_later() -> None:
    daily = [at for _, _, at in batches(STREAMS["one batch a day"], np.random.default_rng(3), 240)]
    late = list(batches(STREAMS["label delay of 5 days in the mean"], np.random.default_rng(4), 480))

    assert len(daily) == 10
    delays = np.concatenate([at - rows.predicted_at for rows, _, at in late])
    assert 2 * 86_400 < delays.mean() < 5 * 86_400


def test_a_reference_is_of_as_many_rows_as_asked() -> None:
    loss = reference_of(np.random.default_rng(5), 10_000).losses[0]

    assert loss.rows.sum() == 10_000
    assert loss.sums.sum() == pytest.approx(1_000, abs=120)
    assert (np.diff(loss.edges) > 0).all()


def test_a_feed_that_stops_is_found_and_one_that_does_not_is_quiet() -> None:
    make = partial(LabelFeed, writer=AlertWriter("performance", "risk"), panes=259_200.0, share=0.05, pane_seconds=10.0)
    shorter = replace(FEEDS[0], days=21)

    assert 0 < alarm_hour(shorter, np.random.default_rng(6), make()) < 24
    assert START % HOUR == 0
    assert (MONDAY / 86_400 + 3) % 7 == 0
