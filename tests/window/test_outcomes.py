import math
from collections.abc import Sequence

import numpy as np
import pytest

from dashlight.records import Outcome
from dashlight.window.outcomes import Outcomes, merge_outcomes


def add(
    outcomes: Outcomes, what: Sequence[Outcome], seconds: float = 0.1, first_byte: float = 0.05, size: float = 100
) -> None:
    count = len(what)
    outcomes.add(
        what,
        duration_seconds=np.full(count, seconds),
        first_byte_seconds=np.full(count, first_byte),
        request_bytes=np.full(count, size),
        response_bytes=np.full(count, 10 * size),
    )


def test_exchanges_are_counted_by_outcome() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok", "ok", "error", "client_disconnect"])

    ended = outcomes.close(10.0)

    assert ended.outcomes == {"ok": 2, "error": 1, "client_disconnect": 1, "cancelled": 0}
    assert ended.exchanges == 4
    assert (ended.panes, ended.first_ended_at, ended.last_ended_at) == (1, 10.0, 10.0)


def test_failures_are_counted_by_kind_the_most_frequent_first() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok"] * 10)
    outcomes.add_failures(["http_500", "model", "model"])

    assert list(outcomes.close(0.0).failures.items()) == [("model", 2), ("http_500", 1)]


def test_a_client_that_goes_away_is_no_error_of_the_service() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok", "ok", "ok", "ok", "ok", "ok", "error", "client_disconnect", "cancelled", "error"])
    outcomes.add_failures(["http_500", "client_disconnect", "cancelled", "exception:ValueError"])

    ended = outcomes.close(0.0)

    assert ended.failed == 2
    assert ended.error_rate == 0.2


def test_no_exchange_is_no_error() -> None:
    assert Outcomes().window(10).error_rate == 0.0


def test_more_kinds_than_the_limit_are_counted_as_other() -> None:
    outcomes = Outcomes()
    kinds = [f"http_{status}" for status in range(500, 540)]
    outcomes.add_failures(kinds)
    outcomes.close(0.0)
    outcomes.add_failures(["http_500", "http_539"])
    outcomes.close(0.0)

    failures = outcomes.window(2).failures

    assert failures["other"] == 9
    assert failures["http_500"] == 2
    assert len(failures) == 33


def test_a_kind_named_other_joins_the_others() -> None:
    outcomes = Outcomes()
    outcomes.add_failures(["other"] + [f"http_{status}" for status in range(500, 540)])

    assert outcomes.close(0.0).failures["other"] == 1 + 9


def test_latency_and_sizes_have_quantiles() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok"] * 50, seconds=0.2, first_byte=0.1, size=1000)
    ended = outcomes.close(0.0)

    assert ended.latency_quantile(0.99).value == pytest.approx(0.2, rel=0.05)
    assert ended.first_byte_quantile(0.99).value == pytest.approx(0.1, rel=0.05)
    assert ended.request_size_quantile(0.5).value == pytest.approx(1000, rel=0.12)
    assert ended.response_size_quantile(0.5).value == pytest.approx(10_000, rel=0.12)


def test_an_exchange_without_a_body_has_no_first_byte() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok"] * 3, first_byte=math.nan)
    ended = outcomes.close(0.0)

    assert (ended.first_bytes.sum(), ended.durations.sum()) == (0, 3)


def test_rows_and_throughput() -> None:
    outcomes = Outcomes()
    add(outcomes, ["ok"] * 30)
    outcomes.add_rows(90)

    ended = outcomes.close(0.0)

    assert ended.rows == 90
    assert ended.throughput(10.0) == 3.0


def test_a_window_sums_its_panes() -> None:
    outcomes = Outcomes()
    for at in range(40):
        add(outcomes, ["ok"] * at)
        outcomes.close(float(at))

    assert outcomes.window(2).exchanges == 38 + 39
    assert outcomes.since(36.0).exchanges == 37 + 38 + 39


def test_an_hour_of_ten_second_panes_is_kept() -> None:
    outcomes = Outcomes()
    for at in range(1000):
        add(outcomes, ["ok"])
        outcomes.close(at * 10.0)

    window = outcomes.window(360)

    assert 360 <= window.panes <= 375
    assert window.exchanges == window.panes


def test_what_was_analysed_is_counted_with_the_reasons_why_it_could_not_be_read() -> None:
    outcomes = Outcomes()
    outcomes.add_analysed(10, ["cut", "invalid_json", "cut"])
    outcomes.close(0.0)
    outcomes.add_analysed(5, [f"reason {number}" for number in range(8)])

    ended = outcomes.close(1.0)

    assert (ended.analysed, ended.undecodable["reason 0"], ended.undecodable["other"]) == (5, 1, 2)
    assert outcomes.window(2).analysed == 15
    assert list(outcomes.window(2).undecodable.items())[:2] == [("cut", 2), ("other", 2)]


def test_the_panes_of_two_workers_add_up_to_those_of_one() -> None:
    workers, alone = [Outcomes(), Outcomes()], Outcomes()
    for number, worker in enumerate(workers):
        for each in (worker, alone):
            add(each, ["ok"] * 5, seconds=0.1 * (number + 1))
            add(each, ["error"] * (number + 1), seconds=0.1 * (number + 1))
            each.add_failures(["http_500"] * number + ["http_503"])
            each.add_rows(7)
            each.add_analysed(4, ["cut"])

    merged, whole = merge_outcomes([worker.close(10.0) for worker in workers]), alone.close(10.0)

    assert (merged.outcomes, merged.failures, merged.undecodable) == (
        whole.outcomes,
        {"http_503": 2, "http_500": 1},
        {"cut": 2},
    )
    assert (merged.rows, merged.analysed, merged.exchanges) == (14, 8, 13)
    for name in ("durations", "first_bytes", "request_sizes", "response_sizes"):
        assert getattr(merged, name).tolist() == getattr(whole, name).tolist()


def test_panes_that_follow_each_other_merge_into_the_window_that_covers_them() -> None:
    outcomes = Outcomes()
    panes = []
    for number in range(3):
        add(outcomes, ["ok"] * number)
        panes.append(outcomes.close(10.0 * number))

    merged, window = merge_outcomes(panes), outcomes.window(3)

    assert (merged.panes, merged.first_ended_at, merged.last_ended_at) == (3, 0.0, 20.0)
    assert (merged.panes, merged.exchanges) == (window.panes, window.exchanges)
