"""Sums of an endpoint's panes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dashlight.metrics.endpoint_totals import EndpointTotals, NamedCounts, error_type
from dashlight.metrics.figures import Figure, HistogramFigure
from dashlight.window.histogram import LATENCY, SIZE, Binning
from dashlight.window.outcomes import OutcomeCounts


def bins(scale: Any, *values: float) -> np.ndarray[Any, np.dtype[np.int64]]:
    return Binning(scale).count(np.array([values]))


def pane(**others: Any) -> OutcomeCounts:
    counted: dict[str, Any] = {
        "outcomes": {"ok": 3, "error": 1, "client_disconnect": 1, "cancelled": 0},
        "failures": {"http_503": 1, "client_disconnect": 1},
        "rows": 12,
        "durations": bins(LATENCY, 0.007, 0.03, 0.4),
        "first_bytes": bins(LATENCY, 0.003),
        "request_sizes": bins(SIZE, 100.0),
        "response_sizes": bins(SIZE, 1000.0, 0.0),
        "panes": 1,
        "first_ended_at": 10.0,
        "last_ended_at": 10.0,
        "analysed": 4,
        "undecodable": {"json": 2},
    }
    return OutcomeCounts(**{**counted, **others})


def numbers(totals: EndpointTotals) -> dict[tuple[str, ...], float]:
    figures = [*totals.essentials("/p"), *totals.details("/p")]
    return {(each.name, *each.attributes.values()): each.value for each in figures if isinstance(each, Figure)}


def test_panes_add_up() -> None:
    totals = EndpointTotals()

    totals.add(pane())
    totals.add(pane())

    found = numbers(totals)
    assert found["dashlight.requests", "/p", "ok"] == 6
    assert found["dashlight.requests", "/p", "error"] == 2
    assert found["dashlight.rows", "/p"] == 24
    assert found["dashlight.analysed", "/p"] == 8
    assert found["dashlight.undecodable", "/p", "json"] == 4
    assert 176 <= found["dashlight.request.io", "/p"] <= 225
    assert 1760 <= found["dashlight.response.io", "/p"] <= 2250


def test_every_outcome_is_there_before_it_happens() -> None:
    found = numbers(EndpointTotals())

    assert {key[2]: value for key, value in found.items() if key[0] == "dashlight.requests"} == {
        "ok": 0, "refused": 0, "error": 0, "client_disconnect": 0, "cancelled": 0,
    }  # fmt: skip


def test_a_client_that_went_away_is_no_error_of_the_service() -> None:
    totals = EndpointTotals()

    totals.add(pane())

    assert {key[2]: value for key, value in numbers(totals).items() if key[0] == "dashlight.errors"} == {"503": 1}


def test_durations_stand_in_the_usual_buckets() -> None:
    totals = EndpointTotals()
    totals.add(pane())

    [durations] = [each for each in totals.essentials("/p") if isinstance(each, HistogramFigure)]
    [first_bytes] = [each for each in totals.details("/p") if isinstance(each, HistogramFigure)]

    assert durations.bounds == (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert durations.counts == (0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
    assert durations.sum == pytest.approx(0.437, rel=0.05)
    assert (first_bytes.name, first_bytes.counts[0]) == ("dashlight.request.time_to_first_byte", 1)


def test_where_nothing_was_answered_there_is_no_time_to_the_first_byte() -> None:
    totals = EndpointTotals()

    totals.add(pane(first_bytes=bins(LATENCY)))

    assert [each for each in totals.details("/p") if isinstance(each, HistogramFigure)] == []


def test_kinds_of_failures_are_bounded_over_all_panes() -> None:
    totals = EndpointTotals()

    for number in range(40):
        totals.add(pane(failures={f"exception:Error{number}": 1}))

    errors = {key[2]: value for key, value in numbers(totals).items() if key[0] == "dashlight.errors"}
    assert len(errors) == 33
    assert errors["_OTHER"] == 8
    assert sum(errors.values()) == 40


def test_responses_are_counted_by_method_status_and_outcome_as_the_conventions_name_them() -> None:
    totals = EndpointTotals()

    totals.add(pane(answers={"POST 200 ok": 3, "POST 422 refused": 1, "GET 0 error": 1}))
    totals.add(pane(answers={"POST 422 refused": 4}))

    found = {
        tuple(each.attributes.items())[1:]: each.value
        for each in totals.details("/p")
        if isinstance(each, Figure) and each.name == "dashlight.responses"
    }
    method, status, outcome = "http.request.method", "http.response.status_code", "dashlight.outcome"
    assert found == {
        ((method, "POST"), (status, "200"), (outcome, "ok")): 3,
        ((method, "POST"), (status, "422"), (outcome, "refused")): 5,
        ((method, "GET"), (outcome, "error")): 1,
    }


def test_responses_beyond_the_limit_are_counted_together() -> None:
    totals = EndpointTotals()

    totals.add(pane(answers={f"POST {200 + number} ok": 1 for number in range(40)}))

    counts = [value for key, value in numbers(totals).items() if key[0] == "dashlight.responses"]
    assert (len(counts), sum(counts)) == (33, 40)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("http_503", "503"), ("exception:ValueError", "ValueError"), ("model", "model"), ("other", "_OTHER")],
)
def test_errors_are_named_as_the_conventions_name_them(kind: str, wanted: str) -> None:
    assert error_type(kind) == wanted


def test_names_beyond_the_limit_are_counted_together() -> None:
    counts = NamedCounts(2, other="other")

    counts.add({"a": 1, "b": 2})
    counts.add({"c": 3, "a": 4, "d": 5})

    assert dict(counts.items()) == {"a": 5, "b": 2, "other": 8}
