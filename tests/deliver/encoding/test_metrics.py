"""OTLP metrics, held against the generated code of opentelemetry-proto."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, Metric

from dashlight.deliver.encoding.metrics import MetricEncoder
from dashlight.deliver.encoding.protobuf import length_delimited, varint_field
from dashlight.metrics.figures import Figure, Figures, HistogramFigure

STARTED, MADE = 1_790_000_000_000_000_000, 1_790_000_010_500_000_000
FIGURES = Figures(
    MADE / 1e9,
    STARTED / 1e9,
    (
        Figure(
            "dashlight.requests", "counter", "{request}", "Requests", 7, {"http.route": "/p", "dashlight.outcome": "ok"}
        ),
        Figure(
            "dashlight.requests", "counter", "{request}", "Requests", 1, {"http.route": "/q", "dashlight.outcome": "ok"}
        ),
        Figure("dashlight.workers", "updowncounter", "{worker}", "Workers", -4, {}),
        Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": "age"}),
        Figure("dashlight.model.rows", "gauge", "{row}", "Rows", 700, {}),
    ),
    (HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {"http.route": "/p"}),),
)


def encoder() -> MetricEncoder:
    return MetricEncoder({"service.name": "fraud"}, "dashlight", "0.1")


def request_of(figures: Figures) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    request.ParseFromString(encoder().request([encoder().metrics(figures)]))
    return request


def metrics_of(figures: Figures) -> dict[str, Metric]:
    [resource] = request_of(figures).resource_metrics
    [scope] = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def test_the_bytes_are_those_of_the_generated_code() -> None:
    assert request_of(FIGURES).SerializeToString() == encoder().request([encoder().metrics(FIGURES)])


def test_resource_and_scope_say_who_counts() -> None:
    [resource] = request_of(FIGURES).resource_metrics

    assert [(each.key, each.value.string_value) for each in resource.resource.attributes] == [("service.name", "fraud")]
    assert (resource.scope_metrics[0].scope.name, resource.scope_metrics[0].scope.version) == ("dashlight", "0.1")


def test_a_counter_is_a_cumulative_sum_that_only_grows() -> None:
    metric = metrics_of(FIGURES)["dashlight.requests"]

    assert (metric.unit, metric.description) == ("{request}", "Requests")
    assert metric.sum.is_monotonic
    assert metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    assert [point.as_int for point in metric.sum.data_points] == [7, 1]
    assert {(point.start_time_unix_nano, point.time_unix_nano) for point in metric.sum.data_points} == {(STARTED, MADE)}
    assert {each.key: each.value.string_value for each in metric.sum.data_points[0].attributes} == {
        "http.route": "/p", "dashlight.outcome": "ok",
    }  # fmt: skip


def test_a_number_that_may_fall_is_a_sum_as_well() -> None:
    metric = metrics_of(FIGURES)["dashlight.workers"]

    assert not metric.sum.is_monotonic
    assert metric.sum.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    assert [point.as_int for point in metric.sum.data_points] == [-4]


def test_a_gauge_is_a_double_of_a_moment() -> None:
    found = metrics_of(FIGURES)

    [drift] = found["dashlight.column.drift"].gauge.data_points
    [rows] = found["dashlight.model.rows"].gauge.data_points
    assert (drift.as_double, drift.start_time_unix_nano, drift.time_unix_nano) == (0.25, 0, MADE)
    assert rows.as_double == 700.0


def test_a_histogram_has_bounds_counts_and_a_sum() -> None:
    metric = metrics_of(FIGURES)["dashlight.request.duration"]

    [point] = metric.histogram.data_points
    assert metric.histogram.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    assert (point.count, point.sum, metric.unit) == (6, 4.5, "s")
    assert (list(point.bucket_counts), list(point.explicit_bounds)) == ([3, 2, 1], [0.5, 1.0])
    assert (point.start_time_unix_nano, point.time_unix_nano) == (STARTED, MADE)
    assert [(each.key, each.value.string_value) for each in point.attributes] == [("http.route", "/p")]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 0.5])
def test_a_count_that_is_no_integer_of_64_bits_is_a_double(value: float) -> None:
    figures = Figures(2.0, 1.0, (Figure("a", "counter", "", "", value, {}),), ())

    [point] = metrics_of(figures)["a"].sum.data_points

    assert point.as_double == float(value)


texts = st.text(max_size=8)


@given(texts, st.dictionaries(texts, texts, max_size=3), st.integers(-(2**63), 2**63 - 1))
def test_any_attributes_are_valid_bytes(description: str, attributes: dict[str, str], value: int) -> None:
    figures = Figures(2.0, 1.0, (Figure("a", "updowncounter", "", description, value, attributes),), ())

    [point] = metrics_of(figures)["a"].sum.data_points

    assert point.as_int == value
    assert len(point.attributes) == len(attributes)


def test_what_the_collector_did_not_take_is_told() -> None:
    answer = length_delimited(1, varint_field(1, number=3))

    assert encoder().rejected_count(answer) == 3
    assert encoder().rejected_count(b"") == 0
