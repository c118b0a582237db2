from __future__ import annotations

from collections.abc import Mapping

import pytest

from dashlight.deliver.transport.endpoints import (
    Endpoint,
    event_endpoint,
    metric_endpoint,
    metric_interval_seconds,
    trace_endpoint,
)
from dashlight.errors import SettingsError

GENERAL = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


def traces(**environ: str) -> Endpoint:
    found = trace_endpoint({**GENERAL, **environ})
    assert found is not None
    return found


def events(
    environ: Mapping[str, str] = GENERAL, *, url: str = "", headers: Mapping[str, str] | None = None
) -> Endpoint:
    found = event_endpoint(environ, url=url, headers=headers)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (GENERAL, "http://collector:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/otlp/"}, "http://collector:4318/otlp/v1/traces"),
        ({**GENERAL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces/in"}, "https://traces/in"),
        ({**GENERAL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": " "}, "http://collector:4318/v1/traces"),
    ],
    ids=["general", "general with a path", "of the signal, as it is", "of the signal, empty"],
)
def test_spans_go_where_opentelemetry_s_variables_say(environ: Mapping[str, str], url: str) -> None:
    found = trace_endpoint(environ)

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {**GENERAL, "OTEL_SDK_DISABLED": " True "},
        {**GENERAL, "OTEL_TRACES_EXPORTER": "none"},
        {**GENERAL, "OTEL_TRACES_EXPORTER": "console,zipkin"},
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://collector/logs"},
        {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"},
    ],
    ids=["unset", "empty", "disabled", "none", "others", "logs only", "gRPC without an address"],
)
def test_spans_go_nowhere(environ: Mapping[str, str]) -> None:
    assert trace_endpoint(environ) is None


@pytest.mark.parametrize("exporters", ["otlp", "console, OTLP", "otlp_proto_http", "otlp,otlp_proto_grpc"])
def test_otlp_may_be_one_of_several_exporters(exporters: str) -> None:
    assert traces(OTEL_TRACES_EXPORTER=exporters).url == "http://collector:4318/v1/traces"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "otlp_proto_grpc"),
    ],
)
def test_another_protocol_is_one_clear_error(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}='{value}': expected .*http/protobuf"):
        traces(**{variable: value})


def test_the_protocol_of_the_signal_comes_first() -> None:
    found = traces(OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=" HTTP/Protobuf ")

    assert found.url == "http://collector:4318/v1/traces"


def test_an_address_that_must_not_be_used_names_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="):
        traces(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://169.254.169.254/")


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("api-key=abc", {"api-key": "abc"}),
        ("Authorization=Basic%20dTpw%3D%3D", {"authorization": "Basic dTpw=="}),
        ("authorization=Bearer a b=c", {"authorization": "Bearer a b=c"}),
        (" a = 1 , b=2,", {"a": "1", "b": "2"}),
        ("nonsense,=x,a b=1,c=3", {"c": "3"}),
    ],
    ids=["plain", "percent-encoded", "not encoded", "spaces", "malformed pairs"],
)
def test_headers_are_read_as_the_sdk_reads_them(text: str, headers: dict[str, str]) -> None:
    assert traces(OTEL_EXPORTER_OTLP_HEADERS=text).headers == headers


def test_the_signal_s_headers_replace_the_general_ones() -> None:
    found = traces(OTEL_EXPORTER_OTLP_HEADERS="a=1", OTEL_EXPORTER_OTLP_TRACES_HEADERS="b=2")

    assert found.headers == {"b": "2"}


def test_a_header_that_would_break_the_request_is_refused_without_its_value() -> None:
    with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_HEADERS=") as refused:
        traces(OTEL_EXPORTER_OTLP_HEADERS="a=secret%0D%0AX-Evil: 1")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 15.0),
        ("3", 3.0),
        ("0.5", 0.5),
        ("45", 45.0),
        ("10000", 60.0),
        ("inf", 60.0),
        ("0", 15.0),
        ("-1", 15.0),
        ("nan", 15.0),
        ("10s", 15.0),
    ],
)
def test_the_timeout_is_in_seconds_and_within_reason(text: str, seconds: float) -> None:
    assert traces(OTEL_EXPORTER_OTLP_TIMEOUT=text).timeout_seconds == seconds


@pytest.mark.parametrize(
    ("text", "compression"), [("", "none"), ("gzip", "gzip"), (" Deflate", "deflate"), ("none", "none"), ("br", "none")]
)
def test_compression_is_what_the_variable_says(text: str, compression: str) -> None:
    assert traces(OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=text).compression == compression


def test_certificates_are_files() -> None:
    found = traces(
        OTEL_EXPORTER_OTLP_CERTIFICATE="/ca.pem",
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE="/client.pem",
        OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY="/client.key",
    )

    assert (found.certificate, found.client_certificate, found.client_key) == ("/ca.pem", "/client.pem", "/client.key")


def test_nothing_secret_is_shown() -> None:
    endpoint = Endpoint("https://collector/in?token=secret", headers={"api-key": "secret"})

    assert "secret" not in repr(endpoint)
    assert "'api-key': '***'" in repr(endpoint)
    assert endpoint.shown == "https://collector/in?***"


def test_events_go_where_logs_go() -> None:
    found = events({**GENERAL, "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=1"})

    assert (found.url, found.headers, found.compression) == ("http://collector:4318/v1/logs", {"a": "1"}, "gzip")


def test_events_go_nowhere_where_nothing_is_said() -> None:
    assert event_endpoint({}) is None


def test_events_stop_with_the_exporter_of_logs() -> None:
    assert event_endpoint({**GENERAL, "OTEL_LOGS_EXPORTER": "none"}) is None


def test_a_collector_of_our_own_comes_first_and_stays_with_the_sdk_off() -> None:
    found = events({**GENERAL, "OTEL_SDK_DISABLED": "true"}, url="https://other")

    assert found.url == "https://other/v1/logs"


def test_headers_for_one_collector_never_go_to_another() -> None:
    found = events({**GENERAL, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret"}, url="https://other", headers={"X": "1"})

    assert found.headers == {"x": "1"}


def test_lines_of_json_go_to_the_address_as_it_is() -> None:
    found = event_endpoint({}, url="https://other/in", event_format="ndjson")

    assert found is not None
    assert found.url == "https://other/in"


def test_lines_of_json_want_an_address_of_their_own() -> None:
    with pytest.raises(SettingsError, match=r"^DASHLIGHT_COLLECTOR_FORMAT='ndjson'"):
        event_endpoint(GENERAL, event_format="ndjson")


@pytest.mark.parametrize(
    "headers",
    [
        {"a s3cret": "1"}, {"": "s3cret"}, {"s3cr\u00e9t": "1"}, {"a": "s3cret\ny"}, {"a": "s3cret\r"}, {"a": "s3cret\0"},
        {"a": " s3cret"}, {"a": "s3cret \u20ac"}, {"a": "s3cret\x7f"}, {"content-length": "3"},
        {"Transfer-Encoding": "s3cret"},
    ],
    ids=[
        "space", "no name", "name beyond ASCII", "two lines", "carriage return", "zero", "space before", "beyond Latin",
        "delete", "length", "coding",
    ],
)  # fmt: skip
def test_a_header_of_ours_that_cannot_be_sent_is_refused_and_not_shown(headers: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^DASHLIGHT_COLLECTOR_HEADERS=") as caught:
        events(url="https://other", headers=headers)

    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "x", "Bearer a\tb  c", "\u00fcber"])
def test_a_header_of_latin_characters_can_be_sent(value: str) -> None:
    found = events(url="https://other", headers={"a": value})

    assert found is not None
    assert dict(found.headers) == {"a": value}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (GENERAL, "http://collector:4318/v1/metrics"),
        ({**GENERAL, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://metrics/in"}, "https://metrics/in"),
        ({**GENERAL, "OTEL_METRICS_EXPORTER": "prometheus,otlp"}, "http://collector:4318/v1/metrics"),
        ({**GENERAL, "OTEL_TRACES_EXPORTER": "none"}, "http://collector:4318/v1/metrics"),
    ],
    ids=["general", "of the signal", "beside another exporter", "traces alone are off"],
)
def test_metrics_go_where_opentelemetry_s_variables_say(environ: Mapping[str, str], url: str) -> None:
    found = metric_endpoint(environ)

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    "environ",
    [{}, {**GENERAL, "OTEL_METRICS_EXPORTER": "none"}, {**GENERAL, "OTEL_METRICS_EXPORTER": "prometheus"}],
    ids=["unset", "none", "Prometheus"],
)
def test_metrics_go_nowhere(environ: Mapping[str, str]) -> None:
    assert metric_endpoint(environ) is None


def test_the_variables_for_metrics_come_before_the_general_ones() -> None:
    found = metric_endpoint(
        {
            **GENERAL,
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "key=of-metrics",
            "OTEL_EXPORTER_OTLP_HEADERS": "key=general",
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "7",
        }
    )

    assert found is not None
    assert (dict(found.headers), found.compression, found.timeout_seconds) == ({"key": "of-metrics"}, "gzip", 7.0)


def test_metrics_over_grpc_are_refused_with_one_clear_error() -> None:
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_METRICS_PROTOCOL='grpc': expected http/protobuf"):
        metric_endpoint({**GENERAL, "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 60.0),
        ("5000", 5.0),
        ("250.5", 0.2505),
        ("0", 60.0),
        ("-1", 60.0),
        ("soon", 60.0),
        ("inf", 60.0),
        ("nan", 60.0),
    ],
)
def test_the_interval_is_in_milliseconds(text: str, seconds: float) -> None:
    assert metric_interval_seconds({"OTEL_METRIC_EXPORT_INTERVAL": text}) == seconds


def test_without_a_word_metrics_leave_once_a_minute() -> None:
    assert metric_interval_seconds({}) == 60.0
