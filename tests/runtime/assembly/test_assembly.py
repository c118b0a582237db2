"""From the environment to a running Monitor, or to one clear error."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import DashlightError, ReferenceDataError, SettingsError
from dashlight.labels.label import Label
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.assembly import analysis, assemble
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.pipeline import Pipeline
from dashlight.settings import Settings
from dashlight.testing import FakeClock, MemoryConnection, MemoryExporter
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

PATIENCE_SECONDS = 30.0
CANARY = "hunter2-canary"
LINES = {"DASHLIGHT_COLLECTOR": "http://collector", "DASHLIGHT_COLLECTOR_FORMAT": "ndjson"}
EVERYTHING = {**LINES, "DASHLIGHT_SAMPLE_RATE": "1"}
TRACES = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/v1/traces"}


async def scoring_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers every request with a score."""
    await receive()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"score": 0.5}'})


def request(
    monitor: Monitor, asked: object = None, *, path: str = "/predict", method: str = "POST"
) -> list[dict[str, Any]]:
    """One request through the front door; the messages that the server is sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(asked).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    async def served() -> None:
        headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {CANARY}".encode())]
        scope: Any = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        tee = monitor.open(scope, receive, send)
        if tee is None:
            await scoring_app(scope, receive, send)
            return
        try:
            await scoring_app(scope, tee.receive, tee.send)
        finally:
            tee.close()

    asyncio.run(served())
    return sent


class Assembled:
    """Assembles monitors that deliver to one collector in memory."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()
        self.monitors: list[Monitor] = []

    def __call__(self, environ: Mapping[str, str]) -> Monitor:
        monitor = assemble(environ, scoring_app, connect=self.exporter.connect)
        assert monitor is not None
        self.monitors.append(monitor)
        assert monitor.ready.wait(PATIENCE_SECONDS)
        return monitor


@pytest.fixture
def assembled() -> Iterator[Assembled]:
    """Starts monitors, and closes them with the test."""
    made = Assembled()
    yield made
    for monitor in made.monitors:
        monitor.close()


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def dashlight_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("dashlight")}


def test_a_request_is_captured_analysed_and_delivered(assembled: Assembled) -> None:
    monitor = assembled({**EVERYTHING, **TRACES, "DASHLIGHT_MODEL": "risk", "OTEL_SERVICE_NAME": "shop"})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events("dashlight.prediction")
    (span,) = assembled.exporter.spans
    assert event["attributes"]["dashlight.rows"] == 1
    assert event["attributes"]["dashlight.model.name"] == "risk"
    assert (event["trace_id"], event["span_id"]) == (span["trace_id"], span["span_id"])
    assert span["attributes"]["dashlight.model.name"] == "risk"
    assert event["resource"]["service.name"] == span["resource"]["service.name"] == "shop"


def test_a_label_finds_its_prediction_by_the_id_in_the_header(assembled: Assembled) -> None:
    monitor = assembled({"DASHLIGHT_LABELS": "true", "DASHLIGHT_PREDICTION_ID_HEADER": "x-prediction-id"})

    start, *_ = request(monitor, {"age": 40})
    monitor.flush(PATIENCE_SECONDS)
    for known_as in (dict(start["headers"])[b"x-prediction-id"].decode(), "nobody's"):
        monitor.labels.put(Label(known_as, 1))
    monitor.flush(PATIENCE_SECONDS)

    assert fates(monitor) == {"matched": 1, "unknown": 1}


def fates(monitor: Monitor) -> dict[str, int]:
    """What became of labels."""
    pipeline = monitor._analysis
    assert isinstance(pipeline, Pipeline)
    assert pipeline._labelling is not None
    return {each.reason: count for each, count in pipeline._labelling.counts.items() if each.fate == "delivered"}


SEALING = {
    "DASHLIGHT_LABELS": "true",
    "DASHLIGHT_PREDICTION_ID_HEADER": "x-prediction-id",
    "DASHLIGHT_SECRET": f"{CANARY}-1, {CANARY}-2",
}


def test_a_sealed_id_is_opened_where_nobody_knows_of_its_prediction(assembled: Assembled, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    first = assembled({**SEALING, "DASHLIGHT_STATE_DIR": str(tmp_path / "a")})
    start, _ = request(first, {"age": 40})
    known_as = dict(start["headers"])[b"x-prediction-id"].decode()
    first.close()
    rotated = f"{CANARY}-0, {CANARY}-1"
    second = assembled({**SEALING, "DASHLIGHT_SECRET": rotated, "DASHLIGHT_STATE_DIR": str(tmp_path / "b")})
    third = assembled({**SEALING, "DASHLIGHT_SECRET": "another-secret-1", "DASHLIGHT_STATE_DIR": str(tmp_path / "c")})

    for monitor in (second, second, third):
        monitor.labels.put(Label(known_as, 1))
        monitor.flush(PATIENCE_SECONDS)

    assert len(known_as) > len("0190a5c2-7d2e-7c3a-8b1f-0a1b2c3d4e5f")
    assert fates(second).items() >= {"matched": 1, "duplicate": 1}.items()
    assert fates(third).items() >= {"invalid": 1}.items()


def test_a_sealed_id_and_its_kept_prediction_are_one(assembled: Assembled) -> None:
    pytest.importorskip("cryptography")
    monitor = assembled(SEALING)
    start, _ = request(monitor, {"age": 40})
    monitor.flush(PATIENCE_SECONDS)

    for _ in range(2):
        monitor.labels.put(Label(dict(start["headers"])[b"x-prediction-id"].decode(), 1))
    monitor.flush(PATIENCE_SECONDS)

    assert fates(monitor).items() >= {"matched": 1, "duplicate": 1}.items()


def test_sealed_ids_need_a_header_that_carries_them() -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_PREDICTION_ID_HEADER") as refused:
        assemble({"DASHLIGHT_SECRET": CANARY * 2}, scoring_app)

    assert CANARY not in str(refused.value)


def test_events_leave_as_otlp_unless_lines_are_asked_for(assembled: Assembled) -> None:
    monitor = assembled({"DASHLIGHT_COLLECTOR": "http://collector", "DASHLIGHT_SAMPLE_RATE": "1"})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events()
    assert event["scope"] == "dashlight"


def test_events_leave_as_cloud_events_where_they_are_asked_for(assembled: Assembled) -> None:
    monitor = assembled({**EVERYTHING, "DASHLIGHT_COLLECTOR_FORMAT": "cloudevents"})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events("dashlight.prediction")
    assert event["source"].startswith("/dashlight/")
    assert json.loads(assembled.exporter.bodies[0])[0]["type"] == "io.dashlight.prediction.v1"


def test_without_a_destination_the_analysis_runs_and_nothing_leaves(assembled: Assembled) -> None:
    monitor = assembled({"DASHLIGHT_SAMPLE_RATE": "1"})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert monitor.refusal is None
    assert assembled.exporter.bodies == []


def test_dashlight_enabled_false_is_no_monitor_at_all() -> None:
    before = dashlight_threads()

    assert assemble({"DASHLIGHT_ENABLED": "false", "DASHLIGHT_REFERENCE": "/nowhere"}, scoring_app) is None
    assert dashlight_threads() == before


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"DASHLIGHT_SAMPLE_RATE": "2"}, "DASHLIGHT_SAMPLE_RATE='2': expected a number from 0 to 1"),
        ({"DASHLIGHT_PANE": "soon"}, "DASHLIGHT_PANE='soon': expected a duration of at least 100ms, such as 10s"),
        (
            {"DASHLIGHT_COLLECTOR_FORMAT": "ndjson"},
            "DASHLIGHT_COLLECTOR_FORMAT='ndjson': expected DASHLIGHT_COLLECTOR beside it",
        ),
        (
            {"DASHLIGHT_EXCLUDED_URLS": "/health,/(metrics"},
            "DASHLIGHT_EXCLUDED_URLS='/(metrics': expected a regular expression (missing ), unterminated subpattern",
        ),
        (
            {"DASHLIGHT_THRESHOLDS": "error_rate>2%, speed>3"},
            "DASHLIGHT_THRESHOLDS='speed>3': expected one of failure_rate, ",
        ),
        (
            {"DASHLIGHT_PREDICTION_ID_HEADER": "Content-Length"},
            "DASHLIGHT_PREDICTION_ID_HEADER='Content-Length': expected a header that means nothing else",
        ),
        (
            {"DASHLIGHT_FALSE_ALARMS": "2/1m", "DASHLIGHT_PANE": "1m"},
            "DASHLIGHT_FALSE_ALARMS='2/1m': expected at most one a pane (DASHLIGHT_PANE)",
        ),
        (
            {"DASHLIGHT_TRACE_URL": "https:///trace/{trace_id}"},
            "DASHLIGHT_TRACE_URL='https:///trace/00000000000000000000000000000000': expected an http or https URL",
        ),
        (
            {"DASHLIGHT_PREDICTION_ID_HEADER": "x prediction id"},
            "DASHLIGHT_PREDICTION_ID_HEADER='x prediction id': expected the name of a header, such as x-prediction-id",
        ),
        ({"DASHLIGHT_WEBHOOK": "hooks.example/hunter2"}, "DASHLIGHT_WEBHOOK='***': expected http or https URLs"),
        ({"DASHLIGHT_CA": "/no/such/file"}, "DASHLIGHT_CA='/no/such/file': expected a readable file of certificates"),
        ({"DASHLIGHT_PROXY": "proxy:3128"}, "DASHLIGHT_PROXY='proxy:3128': expected an http or https URL"),
        (
            {"DASHLIGHT_PREDICTION_ID_HEADER": "größe"},
            "DASHLIGHT_PREDICTION_ID_HEADER='größe': expected the name of a header, such as x-prediction-id",
        ),
    ],
    ids=[
        "a share above one",
        "no duration",
        "lines to nowhere",
        "no pattern",
        "no threshold",
        "a header of the answer's own",
        "more false alarms than panes",
        "a link without a host",
        "no header",
        "no webhook",
        "no certificates",
        "no proxy",
        "no header in ASCII",
    ],
)
def test_a_mistake_in_a_setting_is_one_clear_error_and_nothing_is_started(
    environ: Mapping[str, str], message: str
) -> None:
    before = dashlight_threads()

    with pytest.raises(SettingsError) as found:
        assemble(environ, scoring_app)

    assert str(found.value).startswith(message)
    assert dashlight_threads() == before


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL='grpc': expected http/protobuf"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc", "OTEL_LOGS_EXPORTER": "none"},
            "OTEL_TRACES_EXPORTER='otlp_proto_grpc': expected otlp over http/protobuf",
        ),
    ],
    ids=["protocol", "exporter"],
)
def test_a_protocol_that_we_do_not_speak_is_one_clear_error_and_the_model_is_watched_all_the_same(
    assembled: Assembled, caplog: pytest.LogCaptureFixture, environ: Mapping[str, str], message: str
) -> None:
    monitor = assembled({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", **environ})

    request(monitor, {"age": 40})

    assert messages(caplog, logging.ERROR) == [
        f"nothing is exported there: {message}, the one OTLP protocol that Dashlight speaks"
    ]
    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert monitor.capture.inbox.ended_count == 1
    assert assembled.exporter.bodies == []


@pytest.mark.parametrize(
    ("environ", "warning"),
    [
        (
            {"OTEL_PROPAGATORS": "b3multi,tracecontext,odd"},
            "OTEL_PROPAGATORS: no installed package offers b3multi; no installed package offers odd; the others are used",
        ),
        (
            {"OTEL_PROPAGATORS": "b3"},
            "OTEL_PROPAGATORS: no installed package offers b3; tracecontext and baggage are used",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "dice"},
            "OTEL_TRACES_SAMPLER: no installed package offers dice; parentbased_always_on is used",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "many"},
            "OTEL_TRACES_SAMPLER_ARG='many': expected a number from 0 to 1; 1.0 is used",
        ),
        (
            {"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel,gcp,service_instance"},
            "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS: no installed package offers gcp; the others are used",
        ),
        (
            {"OTEL_ATTRIBUTE_COUNT_LIMIT": "-1"},
            "OTEL_ATTRIBUTE_COUNT_LIMIT='-1': expected a whole number; the default is used",
        ),
        (
            {"OTEL_PYTHON_EXCLUDED_URLS": "client, info[,"},
            "it excludes nothing: OTEL_PYTHON_EXCLUDED_URLS='info[': expected a regular expression {}".format(
                "(unterminated character set at position 7)"
            ),
        ),
    ],
    ids=["propagators", "one propagator", "sampler", "rate", "detector", "limit", "pattern"],
)
def test_what_opentelemetry_s_variables_ask_for_and_is_not_there_is_one_warning_and_the_default(
    assembled: Assembled, caplog: pytest.LogCaptureFixture, environ: Mapping[str, str], warning: str
) -> None:
    monitor = assembled({**TRACES, **environ})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert messages(caplog, logging.WARNING) == [warning]
    assert len(assembled.exporter.spans) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://user:s3cret@collector"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "user:s3cret@collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer s3cret%0Ax-evil: 1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "authorization=Bearer s3cret \u20ac"),
    ],
)
def test_what_cannot_be_sent_to_is_one_error_without_secrets_and_the_model_is_watched_all_the_same(
    assembled: Assembled, caplog: pytest.LogCaptureFixture, variable: str, value: str
) -> None:
    monitor = assembled({**TRACES, "DASHLIGHT_SAMPLE_RATE": "1", variable: value})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (told,) = messages(caplog, logging.ERROR)
    assert told.startswith(f"nothing is exported there: {variable}=")
    assert "s3cret" not in caplog.text
    assert monitor.capture.inbox.ended_count == 1


def test_a_protocol_for_the_host_alone_does_not_matter_where_events_go_elsewhere(assembled: Assembled) -> None:
    monitor = assembled(
        {**EVERYTHING, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://host:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    )

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert len(assembled.exporter.events("dashlight.prediction")) == 1


def reference_file(directory: Path, *, middle: float = 40.0) -> Path:
    """A reference of 1,000 rows of age and score."""
    rng = np.random.default_rng(1)
    columns = {"age": rng.normal(middle, 10, 1000), "score": rng.random(1000)}
    path = directory / "reference.json"
    path.write_bytes(dump(build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0)))
    return path


def absent(directory: Path) -> Path:
    return directory / "absent.json"


def no_file(directory: Path) -> Path:
    return directory


def foreign(directory: Path) -> Path:
    path = directory / "foreign.json"
    path.write_text('{"columns": []}')
    return path


def edited(directory: Path) -> Path:
    path = reference_file(directory)
    path.write_bytes(path.read_bytes().replace(b'"rows": 1000', b'"rows": 999'))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (absent, ": No such file or directory"),
        (no_file, ": Is a directory"),
        (foreign, " is not a Dashlight reference: its format is not 'dashlight.reference'"),
        (edited, " was edited or damaged: its checksum does not fit its content; build it anew"),
    ],
    ids=["absent", "a directory", "foreign", "edited"],
)
def test_a_reference_that_cannot_be_used_is_one_clear_error_and_the_host_is_unharmed(
    assembled: Assembled,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    make: Callable[[Path], Path],
    words: str,
) -> None:
    before, path = dashlight_threads(), make(tmp_path)

    monitor = assembled({**EVERYTHING, "DASHLIGHT_REFERENCE": str(path)})

    assert isinstance(monitor.refusal, ReferenceDataError)
    assert str(monitor.refusal) == f"DASHLIGHT_REFERENCE={str(path)!r}{words}"
    assert messages(caplog, logging.ERROR) == [f"monitoring is off: {monitor.refusal}"]
    assert [message["type"] for message in request(monitor)] == ["http.response.start", "http.response.body"]
    assert monitor.flush(PATIENCE_SECONDS) == 0
    monitor.close()
    assert dashlight_threads() == before


def test_floors_that_are_switched_off_are_said_at_the_start(
    assembled: Assembled, caplog: pytest.LogCaptureFixture
) -> None:
    assembled({**EVERYTHING, "DASHLIGHT_THRESHOLDS": "none"})

    told = [text for text in messages(caplog, logging.WARNING) if text.startswith("DASHLIGHT_THRESHOLDS=none")]
    assert len(told) == 1


def test_a_column_that_the_reference_does_not_have_is_said_and_with_strict_a_mistake(
    assembled: Assembled, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    asked = {"DASHLIGHT_REFERENCE": str(reference_file(tmp_path)), "DASHLIGHT_IMPORTANCE": "age=2,wage=3"}

    watching = assembled({**asked, "DASHLIGHT_FEATURES": "a*,wages*", "DASHLIGHT_PREDICTION": "score"})
    refused = assembled({**asked, "DASHLIGHT_STRICT": "true"})

    assert watching.refusal is None
    assert messages(caplog, logging.WARNING) == [
        "DASHLIGHT_IMPORTANCE of columns that the reference does not have: wage",
        "DASHLIGHT_FEATURES names what no column of the reference is called: wages*",
    ]
    assert str(refused.refusal) == "DASHLIGHT_IMPORTANCE='wage': expected columns of the reference"


def test_where_the_state_directory_cannot_be_used_the_processes_of_a_server_meet_all_the_same(
    assembled: Assembled, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("")
    caplog.set_level(logging.INFO)

    monitor = assembled({"DASHLIGHT_STATE_DIR": str(tmp_path / "state")})

    assert monitor.refusal is None
    (warning,) = messages(caplog, logging.WARNING)
    assert warning.startswith("nothing outlives this server: DASHLIGHT_STATE_DIR=")
    (line,) = (text for text in messages(caplog, logging.INFO) if text.startswith("watching "))
    assert "state: none" in line
    assert "(DASHLIGHT_STATE_DIR cannot be used)" in line
    assert "alone" not in line


def test_every_refusal_is_an_error_of_ours(assembled: Assembled) -> None:
    assert isinstance(assembled({"DASHLIGHT_REFERENCE": "/nowhere"}).refusal, DashlightError)


def test_every_mistake_is_told_at_once_wherever_it_is_found() -> None:
    wrong = {
        "DASHLIGHT_PANE": "soon",
        "DASHLIGHT_THRESHOLDS": "speed>3",
        "DASHLIGHT_COLLECTOR": "ftp://collector",
        "DASHLIGHT_EXCLUDED_URLS": "(,[",
        "DASHLIGHT_TRACE_URL": "javascript:{trace_id}",
        "DASHLIGHT_STRICT": "true",
        "DASHLIGHT_ALERTMANAGER": "alerts:9093",
        "DASHLIGHT_WEBHOOK": "https:///hook",
        "DASHLIGHT_ON_ALERT": "/no/such/program",
        "DASHLIGHT_SAMPLERATE": "0.1",
    }

    with pytest.raises(SettingsError) as found:
        assemble(wrong, scoring_app)

    assert [told.partition("=")[0] for told in found.value.mistakes] == [
        "DASHLIGHT_PANE",
        "DASHLIGHT_SAMPLERATE",
        "DASHLIGHT_ALERTMANAGER",
        "DASHLIGHT_WEBHOOK",
        "DASHLIGHT_ON_ALERT",
        "DASHLIGHT_COLLECTOR",
        "DASHLIGHT_EXCLUDED_URLS",
        "DASHLIGHT_EXCLUDED_URLS",
        "DASHLIGHT_THRESHOLDS",
        "DASHLIGHT_TRACE_URL",
    ]
    assert str(found.value) == "; ".join(found.value.mistakes)


def test_what_is_no_mistake_and_may_not_be_meant_is_said(
    assembled: Assembled, caplog: pytest.LogCaptureFixture
) -> None:
    assembled({"DASHLIGHT_COLLECTOR_HEADERS": f"authorization={CANARY}", "DASHLIGHT_WINDOW": "1s"})

    assert messages(caplog, logging.WARNING) == [
        "DASHLIGHT_COLLECTOR_HEADERS go nowhere: DASHLIGHT_COLLECTOR is not set",
        "DASHLIGHT_WINDOW is shorter than DASHLIGHT_PANE: scores cover a pane",
    ]
    assert CANARY not in caplog.text


@pytest.mark.parametrize("strict", ["true", "false"])
def test_variables_that_nobody_knows_are_told_once_beside_a_mistake(
    caplog: pytest.LogCaptureFixture, strict: str
) -> None:
    with pytest.raises(SettingsError) as found:
        assemble({"DASHLIGHT_PANE": "5", "DASHLIGHT_CPUS": "3", "DASHLIGHT_STRICT": strict}, scoring_app)

    told = [*messages(caplog, logging.WARNING), *found.value.mistakes]
    assert sum("DASHLIGHT_CPUS" in each for each in told) == 1


def test_variables_that_nobody_knows_are_named_with_the_nearest_known_one(
    assembled: Assembled, caplog: pytest.LogCaptureFixture
) -> None:
    assembled({"DASHLIGHT_SAMPLERATE": "1", "DASHLIGHT_NONSENSE": "1", "OTHER": "1"})

    assert messages(caplog, logging.WARNING) == [
        "DASHLIGHT_SAMPLERATE is not a setting; did you mean DASHLIGHT_SAMPLE_RATE?",
        "DASHLIGHT_NONSENSE is not a setting",
    ]


@pytest.mark.parametrize(
    ("environ", "watched"),
    [
        ({}, {"/predict", "/v1/status", "/internal"}),
        ({"DASHLIGHT_EXCLUDED_URLS": "^/v1/"}, {"/predict", "/internal", "/healthz"}),
        ({"OTEL_PYTHON_EXCLUDED_URLS": "status , int"}, {"/predict"}),
        ({"OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "predict"}, {"/v1/status", "/internal"}),
        ({"DASHLIGHT_EXCLUDED_URLS": ","}, {"/predict", "/v1/status", "/internal", "/healthz"}),
    ],
    ids=["health checks", "instead of health checks", "as OpenTelemetry", "as its FastAPI", "none"],
)
def test_excluded_urls_are_not_watched(assembled: Assembled, environ: Mapping[str, str], watched: set[str]) -> None:
    monitor = assembled({**EVERYTHING, **environ})

    for path in ("/predict", "/v1/status", "/internal", "/healthz"):
        before = monitor.capture.inbox.ended_count
        request(monitor, path=path)
        assert monitor.capture.inbox.ended_count - before == (path in watched)


def test_a_header_tells_the_prediction_id_where_it_was_asked_for(assembled: Assembled) -> None:
    monitor = assembled({**EVERYTHING, "DASHLIGHT_PREDICTION_ID_HEADER": "X-Prediction-Id"})

    start, _ = request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events()
    assert (b"x-prediction-id", event["id"].encode()) in start["headers"]


def test_a_body_is_kept_up_to_the_size_that_was_set(assembled: Assembled) -> None:
    monitor = assembled({**EVERYTHING, "DASHLIGHT_MAX_BODY": "10B"})

    request(monitor, {"age": 40, "income": 2000})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events()
    assert event["attributes"]["dashlight.request.truncated"] is True


def test_at_a_sample_rate_of_nought_no_exchange_becomes_an_event(assembled: Assembled) -> None:
    monitor = assembled({**LINES, "DASHLIGHT_SAMPLE_RATE": "0"})

    for _ in range(5):
        request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert assembled.exporter.items == []


def test_how_a_monitor_runs_is_as_the_settings_say(assembled: Assembled) -> None:
    monitor = assembled({"DASHLIGHT_CPU": "3%", "DASHLIGHT_SHUTDOWN_TIMEOUT": "2s", "DASHLIGHT_MODEL_VERSION": "3"})

    assert (monitor._plan.cpu_share, monitor._plan.shutdown_seconds) == (0.03, 2.0)
    # What the spans of a host are told of the model.
    assert monitor.capture.model_attributes == {"dashlight.model.version": "3"}


def test_spans_are_ours_to_send_unless_switched_off(assembled: Assembled) -> None:
    monitor = assembled({**TRACES, "DASHLIGHT_SPANS": "off"})

    request(monitor, {"age": 40})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    assert assembled.exporter.bodies == []


def test_the_methods_that_opentelemetry_is_told_of_are_known_here_too(assembled: Assembled) -> None:
    monitor = assembled({**TRACES, "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "SCORE"})

    request(monitor, {"age": 40}, method="SCORE")
    request(monitor, {"age": 40}, method="POST")

    assert monitor.flush(PATIENCE_SECONDS) == 0
    methods = [span["attributes"]["http.request.method"] for span in assembled.exporter.spans]
    assert methods == ["SCORE", "_OTHER"]


def test_everything_leaves_by_the_same_way_out() -> None:
    seen: dict[str, Endpoint] = {}

    def connect(endpoint: Endpoint) -> MemoryConnection:
        seen[endpoint.url] = endpoint
        return exporter.connect(endpoint)

    exporter = MemoryExporter()
    environ = {**EVERYTHING, **TRACES, "DASHLIGHT_PROXY": "http://proxy.example:3128", "NO_PROXY": "localhost"}
    monitor = assemble(environ, scoring_app, connect=connect)
    assert monitor is not None
    request(monitor, {"age": 40})
    assert monitor.flush(PATIENCE_SECONDS) == 0
    monitor.close()

    assert len(seen) >= 2
    assert {each.egress.proxy for each in seen.values()} == {"http://proxy.example:3128"}
    assert {each.egress.unproxied for each in seen.values()} == {"localhost"}


def test_a_secret_leaves_in_no_byte_and_stands_in_no_log(
    assembled: Assembled, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monitor = assembled(
        {
            **EVERYTHING,
            **TRACES,
            "DASHLIGHT_PAYLOADS": "features",
            "DASHLIGHT_REDACT": "nick*",
            "DASHLIGHT_IGNORE": "internal*",
            "DASHLIGHT_COLLECTOR_HEADERS": f"x-api-key={CANARY}",
        }
    )
    nested = {"token": CANARY, "payment": {"card": CANARY}, "list": [{"password": CANARY}]}

    request(monitor, {"age": 40, "password": CANARY, "user": nested, "nickname": CANARY, "internal_note": CANARY})

    assert monitor.flush(PATIENCE_SECONDS) == 0
    (event,) = assembled.exporter.events()
    assert event["attributes"]["dashlight.inputs"]["age"] == 40
    assert len(assembled.exporter.spans) == 1
    assert all(CANARY.encode() not in body for body in assembled.exporter.bodies)
    assert CANARY not in caplog.text


class Analysed:
    """What stands behind the inbox, driven by hand."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.clock, self.exporter = FakeClock(), MemoryExporter()
        self._rng = np.random.default_rng(2)
        self._count = 0
        settings = Settings.from_env({**LINES, **environ})
        self.analysis: Analysis = analysis(
            settings,
            environ,
            spans_to=None,
            events_to=Endpoint("http://collector"),
            clock=self.clock,
            connect=self.exporter.connect,
        )

    def serve(self, rows: int, *, age: float) -> Analysed:
        """A pane of so many exchanges of one row."""
        ages, scores = self._rng.normal(age, 10, rows).tolist(), self._rng.random(rows).tolist()
        exchanges = [self.exchange({"age": years}, {"score": score}) for years, score in zip(ages, scores, strict=True)]
        self.analysis.count(exchanges, self.analysis.analyse(exchanges))
        return self

    def end_pane(self, seconds: float) -> float:
        """Moves on, and tells how long the next pane is."""
        self.clock.advance(seconds)
        return self.analysis.tick(self.clock.now(), lost={}, in_flight_count=0, rate=1.0)

    def exchange(self, asked: object, answered: object) -> Exchange:
        self._count += 1
        request_body, response_body = json.dumps(asked).encode(), json.dumps(answered).encode()
        headers = ((b"content-type", b"application/json"),)
        return Exchange(
            id=self._count,
            route="/predict",
            method="POST",
            path="/predict",
            query=b"",
            scheme="http",
            server=None,
            http_version="1.1",
            request_headers=headers,
            response_headers=headers,
            status=200,
            error="",
            outcome="ok",
            started_at=self.clock.now(),
            first_byte_seconds=0.01,
            duration_seconds=0.02,
            request_bytes=len(request_body),
            response_bytes=len(response_body),
            request_chunks=(request_body,),
            response_chunks=(response_body,),
            trace_id=self._count,
            span_id=1,
            trace_flags=1,
            own_span=None,
        )

    @property
    def pending(self) -> list[str | None]:
        """The columns that moved, of which nothing is told yet."""
        watch = self.analysis._sharing.watch  # type: ignore[attr-defined]
        return [alert.column for alert in watch.in_force if alert.state == "pending"]

    def alerts(self) -> list[dict[str, Any]]:
        """The attributes of the alerts delivered so far."""
        assert self.analysis.flush(PATIENCE_SECONDS) == 0
        return [event["attributes"] for event in self.exporter.events("dashlight.alert")]


@pytest.fixture
def analysed() -> Iterator[Callable[..., Analysed]]:
    """Makes analyses, and closes them with the test."""
    made: list[Analysed] = []

    def make(**environ: str) -> Analysed:
        made.append(Analysed(environ))
        return made[-1]

    yield make
    for each in made:
        each.analysis.close(PATIENCE_SECONDS)


def test_pane_reference_model_and_trace_link_are_as_the_settings_say(
    analysed: Callable[..., Analysed], tmp_path: Path
) -> None:
    watched = analysed(
        DASHLIGHT_PANE="2s",
        DASHLIGHT_REFERENCE=str(reference_file(tmp_path)),
        DASHLIGHT_MODEL="risk",
        DASHLIGHT_MODEL_VERSION="3",
        DASHLIGHT_TRACE_URL="https://traces.example/{trace_id}",
    )

    assert watched.serve(100, age=80.0).end_pane(2.0) == 2.0

    (alert,) = watched.alerts()
    assert (alert["dashlight.column.name"], alert["dashlight.alert.state"]) == ("age", "firing")
    assert (alert["dashlight.model.name"], alert["dashlight.model.version"]) == ("risk", "3")
    assert alert["dashlight.alert.links"][0].startswith("https://traces.example/0000000000000000")


def test_columns_to_ignore_are_not_judged(analysed: Callable[..., Analysed], tmp_path: Path) -> None:
    watched = analysed(DASHLIGHT_REFERENCE=str(reference_file(tmp_path)), DASHLIGHT_IGNORE="scor*")

    watched.serve(100, age=40.0).end_pane(10.0)

    assert watched.alerts() == []


def test_the_tolerance_is_as_the_settings_say(analysed: Callable[..., Analysed], tmp_path: Path) -> None:
    watched = analysed(DASHLIGHT_REFERENCE=str(reference_file(tmp_path)), DASHLIGHT_TOLERANCE="1")

    for _ in range(3):
        watched.serve(200, age=44.0).end_pane(10.0)

    assert watched.alerts() == []
    assert watched.pending == ["age"]


def test_a_stricter_budget_of_false_alarms_waits_for_more_evidence(
    analysed: Callable[..., Analysed], tmp_path: Path
) -> None:
    file = str(reference_file(tmp_path))

    def panes_to_an_alert(budget: str) -> int:
        watched = analysed(DASHLIGHT_REFERENCE=file, DASHLIGHT_FALSE_ALARMS=budget)
        for pane in range(1, 100):
            watched.serve(20, age=47.0).end_pane(10.0)
            if watched.alerts():
                return pane
        return 100

    loose, usual, strict = (panes_to_an_alert(budget) for budget in ("1/1h", "1/30d", "1/1000000d"))

    assert loose < usual < strict < 100


def test_the_window_of_the_scores_is_as_the_settings_say(analysed: Callable[..., Analysed]) -> None:
    watched = analysed(DASHLIGHT_WINDOW="20s")

    for _ in range(6):
        watched.serve(10, age=40.0).end_pane(10.0)

    assert watched.alerts() == []
    own, *_ = watched.exporter.events("dashlight.scores")
    rows = {score["statistic"]: score["rows"] for score in own["attributes"]["dashlight.scores"]}
    assert rows["error_rate"] == 20


def test_thresholds_are_as_the_settings_say(analysed: Callable[..., Analysed]) -> None:
    watched = analysed(DASHLIGHT_THRESHOLDS="throughput<20/s")

    watched.serve(100, age=40.0).end_pane(10.0)

    assert watched.alerts()[0]["dashlight.alert.summary"] == "throughput 10 /s (limit 20 /s)"


def test_what_was_learned_is_kept_in_the_state_directory_and_read_again(
    analysed: Callable[..., Analysed], tmp_path: Path
) -> None:
    environ = {"DASHLIGHT_STATE_DIR": str(tmp_path / "state"), "DASHLIGHT_REFERENCE_ROWS": "500"}
    first = analysed(**environ)
    first.serve(500, age=40.0).end_pane(10.0)
    first.analysis.leave()
    first.analysis.close(PATIENCE_SECONDS)
    (application,) = (tmp_path / "state").iterdir()
    assert len(list(application.glob("reference-*.json"))) == 1

    restarted = analysed(**environ)
    restarted.serve(100, age=80.0).end_pane(10.0)

    assert [alert["dashlight.column.name"] for alert in restarted.alerts()] == ["age"]
