"""What can go wrong with an endpoint's traffic, as events."""

from dataclasses import replace

import numpy as np
import pytest

from dashlight.judge.traffic.events import TrafficEvents
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts


def counts_of(seconds: float, first_byte: float) -> OutcomeCounts:
    outcomes, times = OutcomeCounter(), np.full(1000, seconds)
    outcomes.add(
        ["ok"] * 1000,
        duration_seconds=times,
        first_byte_seconds=np.full(1000, first_byte),
        request_bytes=times,
        response_bytes=times,
    )
    return outcomes.close(0.0)


def test_quantiles_in_one_bin_are_one_event() -> None:
    events = TrafficEvents(counts_of(0.1, 0.05))

    assert [slow.quantity for slow in events.slow] == ["latency", "first_byte"]
    assert events.weights.sum() == pytest.approx(1.0)


def test_a_first_byte_that_is_the_whole_says_nothing_more() -> None:
    assert [slow.quantity for slow in TrafficEvents(counts_of(0.1, 0.1)).slow] == ["latency"]


def test_beyond_the_scale_nothing_is_slower_and_without_a_body_nothing_is_late() -> None:
    assert [slow.quantity for slow in TrafficEvents(counts_of(5000.0, 0.1)).slow] == ["first_byte"]
    assert [slow.quantity for slow in TrafficEvents(counts_of(0.1, np.nan)).slow] == ["latency"]


def refusing(refused: int, kinds: dict[str, int]) -> OutcomeCounts:
    return replace(counts_of(0.1, 0.05), outcomes={"ok": 1000 - refused, "refused": refused}, refusals=kinds)


def test_a_refusal_of_several_fields_counts_once_in_the_rate_and_in_each_of_its_kinds() -> None:
    events = TrafficEvents(refusing(30, {"http_422 age missing": 30, "http_422 zip missing": 20}))
    now = refusing(200, {"http_422 zip missing": 200, "http_422 age missing": 150, "http_422 x": 90, "http_422 y": 80})

    counted = dict(
        zip(((each.name, each.kind) for each in events.quantities), events.count(now)[0].tolist(), strict=False)
    )

    assert counted["refusal_rate", ""] == 200
    assert counted["refusal_kind", "http_422 age missing"] == 150
    assert counted["refusal_kind", "http_422 zip missing"] == 200
    assert counted["new_refusal", ""] == 90


def test_kinds_that_are_counted_together_are_no_more_than_there_were_refusals() -> None:
    events = TrafficEvents(refusing(0, {}))

    counts = events.count(refusing(20, {"other": 70}))[0]

    assert counts[[each.places[0] for each in events.quantities if each.name == "new_refusal"]].tolist() == [20]
