"""The scores of an endpoint as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.traffic.scores import quantities_of, quantities_of_process, traffic_scores, worst_missing
from dashlight.judge.traffic.thresholds import Quantities
from dashlight.records import Outcome, Score
from dashlight.window.outcome_panes import OutcomePanes
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts

PANE_SECONDS = 10.0
QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def counted(
    outcomes: Mapping[Outcome, int],
    *,
    failures: Sequence[str] = (),
    durations: NDArray[np.float64] | None = None,
    first_bytes: NDArray[np.float64] | None = None,
    rows: int = 0,
    panes: int = 1,
) -> OutcomeCounts:
    """The exchanges of some panes, all of them in the last one."""
    held, closed = OutcomeCounter(), OutcomePanes()
    for _ in range(panes - 1):
        closed.take(held.close(0.0), 0.0)
    if outcomes:
        number = sum(outcomes.values())
        held.add(
            [outcome for outcome, times in outcomes.items() for _ in range(times)],
            duration_seconds=np.full(number, 0.1) if durations is None else durations,
            first_byte_seconds=np.full(number, np.nan) if first_bytes is None else first_bytes,
            request_bytes=np.full(number, 100.0),
            response_bytes=np.full(number, 100.0),
        )
        held.add_failures(failures)
        held.add_rows(rows)
    closed.take(held.close(10.0), 10.0)
    return closed.window(panes)


def measured(counts: OutcomeCounts, *, in_flight: int = 0, undecodable: int = 0, analysed: int = 0) -> Quantities:
    return quantities_of(
        counts,
        pane_seconds=PANE_SECONDS,
        in_flight=in_flight,
        undecodable_count=undecodable,
        analysed_count=analysed,
    )


def scores_of(
    counts: OutcomeCounts,
    quantities: Quantities | None = None,
    *,
    analysed_rate: float = 1.0,
    dropped_count: int = 0,
    unwatched_rows: int = 0,
    undecodable: Mapping[str, int] | None = None,
) -> dict[str, Score]:
    scores = traffic_scores(
        counts,
        quantities or measured(counts),
        analysed_rate=analysed_rate,
        dropped_count=dropped_count,
        unwatched_rows=unwatched_rows,
        undecodable=undecodable or {},
    )
    by_name = {score.statistic: score for score in scores}
    assert len(by_name) == len(scores)
    return by_name


def test_an_endpoint_without_exchanges_has_no_scores() -> None:
    assert scores_of(counted({})) == {}


def test_the_error_rate_comes_with_an_interval_and_by_kind() -> None:
    failures = ["exception:KeyError"] * 9 + ["http_503"] * 5 + ["model"]
    counts = counted({"ok": 133, "error": 15}, failures=failures)

    scores = scores_of(counts)

    rate = scores["error_rate"]
    assert (rate.value, rate.rows, rate.column, rate.role) == (15 / 148, 148, None, None)
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    assert [rate.low, rate.high] == pytest.approx([0.0624, 0.1605], abs=5e-5)
    assert {name: score.value for name, score in scores.items() if "[" in name} == {
        "error_rate[exception:KeyError]": 9 / 148,
        "error_rate[http_503]": 5 / 148,
        "error_rate[model]": 1 / 148,
    }


def test_clients_that_leave_are_no_errors_of_the_service() -> None:
    failures = ["client_disconnect", "cancelled"]
    counts = counted({"ok": 8, "client_disconnect": 1, "cancelled": 1}, failures=failures)

    assert scores_of(counts)["error_rate"].value == 0.0
    assert measured(counts).failures == {}
    assert measured(counts).exchange_count == 10


def test_quantiles_of_latency_are_within_five_percent_and_inside_their_interval() -> None:
    durations = np.random.default_rng(3).lognormal(-3, 0.7, 4000)
    counts = counted({"ok": 4000}, durations=durations)

    scores = scores_of(counts)

    for suffix, share in QUANTILES.items():
        found, true = scores[f"latency_{suffix}"], float(np.quantile(durations, share))
        assert found.value == pytest.approx(true, rel=0.05)
        assert found.low < true < found.high
        assert found.rows == 4000
        assert measured(counts).latency_seconds[suffix] == found.value


def test_the_time_to_the_first_byte_is_that_of_the_answers_that_had_one() -> None:
    first_bytes = np.array([0.02] * 60 + [math.nan] * 40)
    counts = counted({"ok": 100}, first_bytes=first_bytes)

    score = scores_of(counts)["first_byte_p50"]

    assert score.value == pytest.approx(0.02, rel=0.05)
    assert score.rows == 60
    assert measured(counts).first_byte_seconds["p99"] == pytest.approx(0.02, rel=0.05)


def test_where_no_answer_had_a_body_there_is_no_time_to_the_first_byte() -> None:
    counts = counted({"ok": 10})

    assert [name for name in scores_of(counts) if name.startswith("first_byte")] == []
    assert measured(counts).first_byte_seconds == {}


def test_throughput_is_exchanges_a_second_of_the_whole_window() -> None:
    counts = counted({"ok": 120}, panes=4)

    assert scores_of(counts)["throughput"].value == 3.0


def test_before_the_first_pane_there_is_nothing_to_measure() -> None:
    quantities = measured(OutcomePanes().window(6))

    assert (quantities.exchange_count, quantities.throughput, quantities.latency_seconds) == (0, 0.0, {})


def test_the_undecodable_rate_is_of_what_was_analysed_and_not_of_all() -> None:
    counts = counted({"ok": 1000})

    scores = scores_of(counts, measured(counts, undecodable=5, analysed=100), undecodable={"invalid_json": 4, "cut": 1})

    assert (scores["undecodable_rate"].value, scores["undecodable_rate"].rows) == (0.05, 100)
    assert scores["undecodable_count[invalid_json]"].value == 4
    assert scores["undecodable_count[cut]"].value == 1


def test_where_nothing_was_analysed_nothing_is_said_of_decoding() -> None:
    assert [name for name in scores_of(counted({"ok": 1})) if "undecodable" in name] == []


def test_what_was_lost_or_left_out_is_told_beside_the_rest() -> None:
    counts = counted({"ok": 10}, rows=70)

    scores = scores_of(counts, measured(counts, in_flight=3), analysed_rate=0.25, dropped_count=12, unwatched_rows=9)

    exact = {"rows": 70, "in_flight": 3, "analysed_rate": 0.25, "dropped_count": 12, "unwatched_rows": 9}
    assert {name: scores[name].value for name in exact} == exact
    assert all(scores[name].low == scores[name].value == scores[name].high for name in exact)


def test_rates_of_missing_values_are_handed_to_the_rules() -> None:
    missing = [Score("age", "feature", "missing_rate", 0.2, 0.1, 0.3, 100)]
    counts = counted({"ok": 1})

    found = quantities_of(counts, pane_seconds=10.0, missing=missing)

    assert found.missing == missing


def test_of_the_process_as_a_whole_the_requests_in_flight_are_known() -> None:
    quantities = quantities_of_process(in_flight=42, unanswered=0)

    assert (quantities.in_flight, quantities.exchange_count, quantities.failures) == (42, 0, {})


def test_what_a_segment_lacks_is_not_what_its_column_lacks() -> None:
    def missing(value: float, segment: str = "") -> Score:
        return Score("age", "feature", "missing_rate", value, 0.0, 1.0, 100, segment=segment)

    assert worst_missing([missing(0.1), missing(0.3), missing(0.9, "carrier=UA")]) == [missing(0.3)]
