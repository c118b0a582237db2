"""The draw by trace id: the same everywhere, and within what the app's own sampler keeps."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from dashlight.capture.ids import prediction_id
from dashlight.records import Exchange
from dashlight.runtime.draw import Draw, never

Make = Callable[..., Exchange]
HIGHEST, LOWEST = (1 << 56) - 1, 1 << 56


def parent(trace_id: int) -> tuple[bytes, bytes]:
    return (b"traceparent", b"00-%032x-00000000000000aa-01" % trace_id)


def ids(count: int, seed: int = 3) -> list[int]:
    draws = random.Random(seed)
    return [draws.getrandbits(128) | 1 << 127 for _ in range(count)]


def test_the_lowest_56_bits_of_the_trace_id_decide_from_a_threshold_on(exchange: Make) -> None:
    draw = Draw(0.25)

    assert [draw(exchange(trace_id=(0xABC << 60) | low)) for low in (0, (3 << 54) - 1, 3 << 54, HIGHEST)] == [
        False,
        False,
        True,
        True,
    ]


def test_every_process_decides_the_same_of_a_trace_and_a_larger_rate_keeps_all_of_a_smaller_one(exchange: Make) -> None:
    exchanges = [exchange(trace_id=each) for each in ids(4000)]
    small = {each.trace_id for each in exchanges if Draw(0.05)(each)}
    again = {each.trace_id for each in reversed(exchanges) if Draw(0.05)(each)}
    large = {each.trace_id for each in exchanges if Draw(0.2)(each)}

    assert small == again
    assert small < large
    assert len(large) == pytest.approx(800, abs=120)


@pytest.mark.parametrize("ratio", [0.05, 0.1, 0.5])
def test_beside_a_sampler_by_ratio_what_is_drawn_lies_within_what_it_samples(exchange: Make, ratio: float) -> None:
    draw, sampler = Draw(0.05, by_ratio=lambda: True), TraceIdRatioBased(ratio)
    drawn = [each for each in ids(4000) if draw(exchange(trace_id=each))]

    assert len(drawn) == pytest.approx(200, abs=60)
    assert all(sampler.should_sample(None, each, "POST").decision is Decision.RECORD_AND_SAMPLE for each in drawn)


def test_how_the_app_samples_is_asked_anew_when_it_looks_around(exchange: Make) -> None:
    answers = [False]
    draw, low = Draw(0.5, by_ratio=lambda: answers[-1]), exchange(trace_id=1 << 100)
    assert not draw(low)

    answers.append(True)
    draw.look_around()

    assert draw(low)


def test_without_a_trace_the_random_bits_of_the_prediction_id_decide(exchange: Make) -> None:
    exchanges = [exchange(id=prediction_id(1e9 + at), trace_id=0) for at in range(4000)]

    assert sum(map(Draw(0.2), exchanges)) == pytest.approx(800, abs=120)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (b"ot=rv:ffffffffffffff", "drawn"),
        (b"rojo=1, ot=th:8;rv:c0000000000000 ,congo=t61", "drawn"),
        (b"ot=rv:3fffffffffffff;th:0", "left out"),
        (b"ot=rv:ffffffffffff", "as without it"),
        (b"ot=rv:FFFFFFFFFFFFFF", "as without it"),
        (b"ot=rv:fffffffffffff_", "as without it"),
        (b"ot=th:c", "as without it"),
        (b"other=rv:ffffffffffffff", "as without it"),
        (b"ot=rv:ffffffffffffff" + b",a=1" * 200, "as without it"),
    ],
    ids=[
        "high",
        "among others",
        "low",
        "short",
        "in capitals",
        "no number",
        "a threshold alone",
        "another's",
        "too long",
    ],
)
@pytest.mark.parametrize("trace_id", [LOWEST, LOWEST + HIGHEST], ids=["a low trace", "a high trace"])
@pytest.mark.parametrize("by_ratio", [never, lambda: True], ids=["by the threshold", "beside a ratio"])
def test_what_tracestate_says_of_the_randomness_wins(
    exchange: Make, state: bytes, expected: str, trace_id: int, by_ratio: Callable[[], bool]
) -> None:
    draw = Draw(0.5, by_ratio=by_ratio)
    plain = exchange(trace_id=trace_id, request_headers=(parent(trace_id),))
    told = exchange(trace_id=trace_id, request_headers=(parent(trace_id), (b"tracestate", state)))

    assert draw(told) is {"drawn": True, "left out": False}.get(expected, draw(plain))


def test_the_randomness_of_another_trace_is_none(exchange: Make) -> None:
    headers = (parent(LOWEST + 5), (b"tracestate", b"ot=rv:ffffffffffffff"))

    assert not Draw(0.5)(exchange(trace_id=LOWEST, request_headers=headers))


@pytest.mark.parametrize(("rate", "drawn"), [(0.0, 0), (1.0, 50)])
def test_nothing_is_drawn_of_nothing_and_all_of_all(exchange: Make, rate: float, drawn: int) -> None:
    edges = [LOWEST, LOWEST + HIGHEST, *ids(48)]

    assert sum(Draw(rate)(exchange(trace_id=each)) for each in edges) == drawn
