"""`dashlight check`: what is set, where it goes, what would leave, and what is wrong."""

from __future__ import annotations

import json
import logging
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.cli.main import main
from dashlight.collector.received import items_of_protobuf
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump
from dashlight.window.tables import Column

CANARY = "hunter2-canary-hunter2"


class Peer(ThreadingHTTPServer):
    """A collector and a webhook: keeps what it is asked, and answers as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, bytes]] = []
        self.status = 200

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def bodies(self, path: str) -> list[bytes]:
        """What was posted there and was not empty."""
        return [body for method, asked, body in self.asked if method == "POST" and asked == path and body]


class _Handler(BaseHTTPRequestHandler):
    server: Peer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        self.server.asked.append((self.command, self.path, body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    do_OPTIONS = do_POST  # noqa: N815 - as http.server calls it

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs the command under these variables; its exit status, and its report as JSON."""

    def run(*arguments: str, **environ: str) -> tuple[int, dict[str, Any]]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        status = main(["check", "--json", *arguments])
        said = capsys.readouterr().out
        assert CANARY not in said
        return status, json.loads(said)

    return run


def found(report: dict[str, Any], level: str) -> list[str]:
    return [f"{each['subject']}: {each['sentence']}" for each in report["findings"] if each["level"] == level]


def test_bare_settings_are_well_and_say_what_is_missing(check: Callable[..., Any]) -> None:
    status, report = check()

    assert (status, report["status"]) == (0, 0)
    assert (report["settings"], report["leaves"]) == ({}, [])
    assert {each.partition(":")[0] for each in found(report, "missing")} == {
        "metrics", "alerts", "heartbeat", "state directory", "reference",
    }  # fmt: skip


def test_every_mistake_is_told_and_the_status_is_1(check: Callable[..., Any]) -> None:
    status, report = check(DASHLIGHT_PANE="soon", DASHLIGHT_THRESHOLDS="speed>3", DASHLIGHT_TOKEN=CANARY[:9])

    assert status == 1
    assert [each.split("=")[0] for each in found(report, "wrong")] == [
        "settings: DASHLIGHT_PANE", "settings: DASHLIGHT_TOKEN", "settings: DASHLIGHT_THRESHOLDS",
    ]  # fmt: skip


def test_what_is_set_is_shown_without_secrets(check: Callable[..., Any], peer: Peer) -> None:
    _, report = check(
        DASHLIGHT_COLLECTOR=peer.url, DASHLIGHT_COLLECTOR_HEADERS=f"authorization={CANARY}", DASHLIGHT_TOKEN=CANARY,
        DASHLIGHT_WEBHOOK=f"{peer.url}/{CANARY}", DASHLIGHT_HEARTBEAT=f"{peer.url}/{CANARY}", DASHLIGHT_IMPORTANCE="a=2",
    )  # fmt: skip

    assert report["settings"]["DASHLIGHT_COLLECTOR_HEADERS"] == {"authorization": "***"}
    assert report["settings"]["DASHLIGHT_IMPORTANCE"] == {"a": 2.0}
    assert found(report, "wrong") == []


def test_what_would_leave_is_what_the_settings_let_out(check: Callable[..., Any], peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "request").write_text(json.dumps({"age": 50, "note": CANARY}))
    sample = ("--sample", str(tmp_path / "request"))
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": peer.url}

    _, without = check(*sample, **environ)
    _, with_values = check(*sample, DASHLIGHT_PAYLOADS="features", DASHLIGHT_IGNORE="note", **environ)

    kinds = [each["kind"] for each in without["leaves"]]
    assert sorted(kinds) == ["events and alerts", "spans"]
    (event,) = (item for each in without["leaves"] for item in each["items"] if item["kind"] == "event")
    (richer,) = (item for each in with_values["leaves"] for item in each["items"] if item["kind"] == "event")
    assert "dashlight.inputs" not in event["attributes"]
    assert richer["attributes"]["dashlight.inputs"] == {"age": 50}


def test_lines_of_json_are_shown_as_they_are(check: Callable[..., Any], peer: Peer) -> None:
    _, report = check(DASHLIGHT_COLLECTOR=peer.url, DASHLIGHT_COLLECTOR_FORMAT="ndjson")

    ((left),) = report["leaves"]
    assert left["items"][0]["attributes"]["dashlight.model.name"] == "dashlight-check"
    # Nothing was posted: it is not asked to take what it may not understand.
    assert [method for method, _, _ in peer.asked] == ["OPTIONS"]


def test_to_see_whether_a_destination_is_there_nothing_is_told_to_it(check: Callable[..., Any], peer: Peer) -> None:
    status, report = check(
        OTEL_EXPORTER_OTLP_ENDPOINT=peer.url,
        DASHLIGHT_WEBHOOK=f"{peer.url}/hook",
        DASHLIGHT_ALERTMANAGER=peer.url,
        DASHLIGHT_HEARTBEAT=f"{peer.url}/ping",
        DASHLIGHT_ON_ALERT="touch /nowhere/at/all",
    )

    assert status == 0
    assert len([each for each in found(report, "ok") if "127.0.0.1" in each]) == 6
    assert all(not body for _, _, body in peer.asked)
    assert {path for method, path, _ in peer.asked if method == "OPTIONS"} == {"/hook", "/api/v2/alerts", "/ping"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "nobody listens there"),
        ("http://no-such-host.invalid", "there is no host of that name"),
    ],
    ids=["nobody", "no name"],
)
def test_a_destination_that_cannot_be_reached_is_wrong(check: Callable[..., Any], url: str, words: str) -> None:
    status, report = check(DASHLIGHT_COLLECTOR=url)

    assert status == 1
    assert any(words in each for each in found(report, "wrong"))


def test_tls_that_is_none_is_wrong(check: Callable[..., Any], peer: Peer) -> None:
    status, report = check(DASHLIGHT_COLLECTOR=peer.url.replace("http:", "https:"))

    assert status == 1
    assert any("its certificate is not trusted" in each or "hangs up" in each for each in found(report, "wrong"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [(401, "credentials are refused"), (404, "no such path"), (503, "not ready"), (400, "not take")],
)
def test_a_collector_that_refuses_is_wrong(check: Callable[..., Any], peer: Peer, answer: int, words: str) -> None:
    peer.status = answer

    status, report = check(DASHLIGHT_COLLECTOR=peer.url)

    assert status == 1
    assert any(words in each for each in found(report, "wrong"))


def test_a_test_that_says_so_is_sent_where_it_is_asked_for(
    check: Callable[..., Any], peer: Peer, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": peer.url,
        "DASHLIGHT_WEBHOOK": f"{peer.url}/hook",
        "DASHLIGHT_ON_ALERT": f"touch {ran}",
        "DASHLIGHT_PAGERDUTY": f"{'a' * 32}@{peer.url}",
    }

    status, report = check("--send", **environ)

    assert status == 0, found(report, "wrong")
    (event,) = (item for body in peer.bodies("/v1/logs") for item in items_of_protobuf("logs", body))
    assert event["attributes"]["dashlight.model.name"] == "dashlight-check"
    hooked = [json.loads(body) for body in peer.bodies("/hook")]
    assert [each["transition"] for each in hooked] == ["firing", "resolved"]
    assert all("test" in each["summary"] for each in hooked)
    assert not ran.exists()
    assert not [path for _, path, _ in peer.asked if "enqueue" in path and peer.bodies(path)]

    status, _ = check("--send", "command", "--send", "pagerduty", **environ)

    assert status == 0
    assert ran.exists()
    assert [path for _, path, _ in peer.asked if "enqueue" in path and peer.bodies(path)]


def test_a_test_that_is_not_taken_is_wrong(check: Callable[..., Any], peer: Peer) -> None:
    peer.status = 500

    status, report = check("--send", DASHLIGHT_WEBHOOK=f"{peer.url}/hook")

    assert status == 1
    assert any("a test was not taken" in each for each in found(report, "wrong"))


@pytest.mark.parametrize(
    ("environ", "level", "words"),
    [
        ({"DASHLIGHT_TOLERANC": "1"}, "unusual", "did you mean DASHLIGHT_TOLERANCE?"),
        ({"DASHLIGHT_ENABLED": "false"}, "unusual", "nothing is watched"),
        ({"DASHLIGHT_REFERENCE": "/no/such/reference"}, "wrong", "No such file"),
        ({"DASHLIGHT_REFERENCE": "/etc/passwd"}, "wrong", "is not JSON"),
        ({"DASHLIGHT_STATE_DIR": "/etc/passwd"}, "wrong", "not a directory"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, "wrong", "http/protobuf"),
        ({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"}, "unusual", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
        ({"DASHLIGHT_THRESHOLDS": "none"}, "unusual", "the default limits are off"),
    ],
    ids=["unknown", "off", "no file", "no reference", "no directory", "grpc", "a limit", "no floors"],
)
def test_what_is_wrong_or_unusual_is_said_once_and_the_status_is_1(
    check: Callable[..., Any], environ: dict[str, str], level: str, words: str
) -> None:
    status, report = check(**environ)

    assert status == 1
    assert len([each for each in found(report, level) if words in each]) == 1


@pytest.mark.parametrize(
    ("segments", "level", "words"),
    [
        ("city,age", "ok", "3 of city, 8 of age"),
        ("city,gone", "unusual", "DASHLIGHT_SEGMENTS: no feature of the reference whose values can be segments: gone"),
        ("p", "unusual", "whose values can be segments: p"),
    ],
    ids=["all", "no feature", "an output"],
)
def test_columns_without_segments_are_told(
    check: Callable[..., Any], tmp_path: Path, segments: str, level: str, words: str
) -> None:
    rng = np.random.default_rng(0)
    columns: dict[str, Column] = {"city": ["Kiel", "Ulm"] * 500, "age": rng.normal(40, 10, 1000), "p": rng.random(1000)}
    reference = build_reference_from_columns(columns, {"p": "output"}, rng=rng, created_at=0.0)
    (tmp_path / "r.dlref").write_bytes(dump(reference))

    _, report = check(DASHLIGHT_REFERENCE=str(tmp_path / "r.dlref"), DASHLIGHT_SEGMENTS=segments)

    assert [each for each in found(report, level) if words in each] != []


def test_the_state_directory_is_left_as_it_was(check: Callable[..., Any], tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)

    status, _ = check(DASHLIGHT_STATE_DIR=str(state))

    assert status == 0
    assert list(state.iterdir()) == []


def test_a_running_app_that_is_not_there_is_wrong(check: Callable[..., Any]) -> None:
    status, report = check("http://127.0.0.1:1", DASHLIGHT_TOKEN=CANARY)

    assert status == 1
    assert found(report, "wrong")[0].startswith("running app: http://127.0.0.1:1/dashlight/metrics: unreachable")


def test_the_report_for_people_says_the_same(capsys: pytest.CaptureFixture[str], peer: Peer, monkeypatch: Any) -> None:
    monkeypatch.setenv("DASHLIGHT_COLLECTOR", peer.url)

    assert main(["check"]) == 0

    said = capsys.readouterr().out
    assert f"DASHLIGHT_COLLECTOR = '{peer.url}'" in said
    assert "dashlight.model.name = 'dashlight-check'" in said
    assert "missing  reference: each model's first rows are learned: DASHLIGHT_REFERENCE is not set" in said
    assert said.endswith("\nwell\n")


def test_addresses_stand_between_commas_and_switches_as_they_are_typed(
    capsys: pytest.CaptureFixture[str], peer: Peer, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DASHLIGHT_WEBHOOK", f"{peer.url}/a,{peer.url}/b")
    monkeypatch.setenv("DASHLIGHT_STRICT", "true")

    main(["check"])

    said = capsys.readouterr().out
    assert "  DASHLIGHT_WEBHOOK = 'http://127.0.0.1/***', 'http://127.0.0.1/***'\n" in said
    assert "  DASHLIGHT_STRICT = true\n" in said


def test_where_settings_cannot_be_read_only_mistakes_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setenv("DASHLIGHT_PANE", "5")
    monkeypatch.setenv("DASHLIGHT_WEBHOOKS", "http://alerts.example")

    assert main(["check"]) == 1

    assert capsys.readouterr().out.splitlines() == [
        "findings",
        "  wrong    settings: DASHLIGHT_PANE='5': expected a duration of at least 100ms, such as 10s",
        "  unusual  settings: DASHLIGHT_WEBHOOKS is not a setting; did you mean DASHLIGHT_WEBHOOK?",
        "",
        "2 to look after",
    ]


def test_a_sample_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--sample", "/no/such/file"]) == 2
    assert capsys.readouterr().err == "dashlight check: /no/such/file: No such file or directory\n"


def test_logging_is_left_as_it_was(check: Callable[..., Any]) -> None:
    before = logging.getLogger("dashlight").handlers, logging.getLogger("dashlight").propagate

    check()

    assert (logging.getLogger("dashlight").handlers, logging.getLogger("dashlight").propagate) == before


class _Redis(socketserver.StreamRequestHandler):
    """Answers every command, and keeps its name."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            words = [self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
            self.server.asked.append(words[0].upper())  # type: ignore[attr-defined]
            self.wfile.write(b"+OK\r\n")


@pytest.fixture
def redis_asked() -> Iterator[tuple[str, list[bytes]]]:
    """The URL of something that answers as a Redis, and what it is asked."""
    pytest.importorskip("redis")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Redis) as server:
        server.daemon_threads = True
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}", server.asked  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def test_labels_alone_are_nothing_to_look_after(check: Callable[..., Any], tmp_path: Path) -> None:
    status, report = check(DASHLIGHT_LABELS="true", DASHLIGHT_STATE_DIR=str(tmp_path))

    assert (status, found(report, "unusual"), found(report, "wrong")) == (0, [], [])


def test_a_redis_of_others_is_asked_whether_it_is_there_and_gets_no_sample(
    check: Callable[..., Any], redis_asked: tuple[str, list[bytes]]
) -> None:
    url, asked = redis_asked

    _, report = check(DASHLIGHT_LABELS="true", DASHLIGHT_STORE=url, DASHLIGHT_HASH_KEY=CANARY)

    assert f"labels: {url}: answers" in found(report, "ok")
    assert b"PING" in asked
    assert not {b"EVAL", b"EVALSHA", b"HSET", b"SET"} & set(asked)


def test_a_redis_that_is_away_is_wrong(check: Callable[..., Any]) -> None:
    pytest.importorskip("redis")
    store = f"redis://:{CANARY}@127.0.0.1:1"

    status, report = check(DASHLIGHT_LABELS="true", DASHLIGHT_STORE=store, DASHLIGHT_HASH_KEY=CANARY)

    assert status == 1
    assert found(report, "wrong") == ["labels: predictions cannot wait there: redis://127.0.0.1:1: ConnectionError"]
