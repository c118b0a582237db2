import math
from collections.abc import Sequence

import numpy as np
import pytest

from dashlight.records import Outcome
from dashlight.window.histogram import SIZE, quantile
from dashlight.window.outcomes import OutcomeCounter, merge_outcomes


def add(
    outcomes: OutcomeCounter, what: Sequence[Outcome], seconds: float = 0.1, first_byte: float = 0.05, size: float = 100
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
    outcomes = OutcomeCounter()
    add(outcomes, ["ok", "ok", "error", "client_disconnect"])

    ended = outcomes.close(10.0)

    assert ended.outcomes == {"ok": 2, "refused": 0, "error": 1, "client_disconnect": 1, "cancelled": 0}
    assert ended.exchanges == 4
    assert (ended.panes, ended.first_ended_at, ended.last_ended_at) == (1, 10.0, 10.0)


def test_failures_are_counted_by_kind_the_most_frequent_first() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok"] * 10)
    outcomes.add_failures(["http_500", "model", "model"])

    assert list(outcomes.close(0.0).failures.items()) == [("model", 2), ("http_500", 1)]


def test_a_client_that_goes_away_is_no_error_of_the_service() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok", "ok", "ok", "ok", "ok", "ok", "error", "client_disconnect", "cancelled", "error"])
    outcomes.add_failures(["http_500", "client_disconnect", "cancelled", "exception:ValueError"])

    ended = outcomes.close(0.0)

    assert ended.failed == 2
    assert ended.error_rate == 0.2


def test_a_kind_named_other_joins_the_others() -> None:
    outcomes = OutcomeCounter()
    outcomes.add_failures(["other"] + [f"http_{status}" for status in range(500, 540)])

    assert outcomes.close(0.0).failures["other"] == 1 + 8


def test_more_kinds_than_the_limit_are_counted_as_other() -> None:
    outcomes = OutcomeCounter()
    outcomes.add_failures([f"http_{status}" for status in range(500, 540)])

    failures = outcomes.close(0.0).failures

    assert failures["other"] == 8
    assert failures["http_500"] == 1
    assert len(failures) == 33


def test_each_pane_has_names_of_its_own() -> None:
    outcomes = OutcomeCounter()
    outcomes.add_failures([f"http_{status}" for status in range(500, 540)])
    outcomes.add_analysed(9, [f"reason {number}" for number in range(9)])
    outcomes.close(0.0)

    outcomes.add_failures(["http_539"])
    outcomes.add_analysed(1, ["reason 8"])
    ended = outcomes.close(1.0)

    assert (ended.failures, ended.undecodable) == ({"http_539": 1}, {"reason 8": 1})


def test_latency_and_sizes_have_quantiles() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok"] * 50, seconds=0.2, first_byte=0.1, size=1000)
    ended = outcomes.close(0.0)

    assert ended.latency_quantile(0.99).value == pytest.approx(0.2, rel=0.05)
    assert ended.first_byte_quantile(0.99).value == pytest.approx(0.1, rel=0.05)
    assert quantile(ended.request_sizes, SIZE, 0.5).value == pytest.approx(1000, rel=0.12)
    assert quantile(ended.response_sizes, SIZE, 0.5).value == pytest.approx(10_000, rel=0.12)


def test_an_exchange_without_a_body_has_no_first_byte() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok"] * 3, first_byte=math.nan)
    ended = outcomes.close(0.0)

    assert (ended.first_bytes.sum(), ended.durations.sum()) == (0, 3)


def test_rows_and_throughput() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok"] * 30)
    outcomes.add_rows(90)

    ended = outcomes.close(0.0)

    assert ended.rows == 90
    assert ended.throughput(10.0) == 3.0


def test_what_was_analysed_is_counted_with_the_reasons_why_it_could_not_be_read() -> None:
    outcomes = OutcomeCounter()
    outcomes.add_analysed(10, ["cut", "invalid_json", "cut"])

    ended = outcomes.close(1.0)

    assert (ended.analysed, list(ended.undecodable.items())) == (10, [("cut", 2), ("invalid_json", 1)])


def test_an_empty_pane_is_no_error() -> None:
    ended = OutcomeCounter().close(0.0)

    assert (ended.exchanges, ended.failed, ended.error_rate) == (0, 0, 0.0)


def test_what_was_closed_does_not_change_with_the_next_pane() -> None:
    outcomes = OutcomeCounter()
    add(outcomes, ["ok", "ok"])
    ended = outcomes.close(0.0)

    add(outcomes, ["error"] * 5)

    assert (ended.exchanges, ended.durations.sum(), outcomes.close(1.0).outcomes["ok"]) == (2, 2, 0)


def test_the_panes_of_two_workers_add_up_to_those_of_one() -> None:
    workers, alone = [OutcomeCounter(), OutcomeCounter()], OutcomeCounter()
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


def test_panes_that_follow_each_other_merge_into_what_covers_them() -> None:
    outcomes = OutcomeCounter()
    panes = []
    for number in range(3):
        add(outcomes, ["ok"] * number)
        panes.append(outcomes.close(10.0 * number))

    merged = merge_outcomes(panes)

    assert (merged.panes, merged.first_ended_at, merged.last_ended_at, merged.exchanges) == (3, 0.0, 20.0, 3)
