from __future__ import annotations

import argparse
import io
import json
import math
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from dashlight.cli import collect
from dashlight.cli.collect import ItemWriter, as_json, as_text, listen_address

SPAN: dict[str, Any] = {
    "kind": "span",
    "name": "POST /predict",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "started_at": 1_790_000_000.25,
    "duration_seconds": 0.0123,
    "status": "unset",
    "attributes": {"http.response.status_code": 200},
}
ALERT: dict[str, Any] = {
    "kind": "event",
    "name": "dashlight.alert",
    "at": 1_790_000_000.0,
    "body": "amount moved",
    "attributes": {"dashlight.alert.state": "firing", "http.route": "/predict", "dashlight.rows": 5},
}
GAUGE: dict[str, Any] = {
    "kind": "metric",
    "name": "drift",
    "unit": "1",
    "value": 0.5,
    "at": 1_790_000_000.0,
    "attributes": {"column": "age"},
}
HISTOGRAM: dict[str, Any] = {
    "kind": "metric",
    "name": "latency",
    "unit": "s",
    "count": 3,
    "sum": 0.6,
    "at": 1_790_000_000.0,
    "attributes": {},
}


def words(item: dict[str, Any]) -> str:
    """The line for people without the time of day, which depends on the time zone."""
    return as_text(item)[9:]


def test_a_span_is_one_line_with_name_answer_and_duration() -> None:
    assert words(SPAN) == "span   POST /predict  200 unset  12.3 ms  trace 0af7651916cd43dd8448eb211c80319c"


def test_an_alert_is_one_line_with_its_state_and_summary() -> None:
    assert words(ALERT) == "event  dashlight.alert  firing  /predict  amount moved"


def test_an_event_from_elsewhere_may_say_anything() -> None:
    assert as_text({"kind": "event", "at": "noon", "attributes": 5, "body": None}) == "--:--:-- event"


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        (GAUGE, "metric drift{column=age} 0.5 1"),
        (HISTOGRAM, "metric latency{} 3 values, sum 0.6 s"),
    ],
    ids=["gauge", "histogram"],
)
def test_a_metric_is_one_line_with_its_value(metric: dict[str, Any], line: str) -> None:
    assert words(metric) == line


def test_nothing_that_steers_a_terminal_is_printed() -> None:
    assert words({**ALERT, "body": "a\x1b[2Jb\nc\x9b"}).endswith("a\ufffd[2Jb\ufffdc\ufffd")


def test_a_line_of_json_is_valid_whatever_the_numbers() -> None:
    assert json.loads(as_json({"kind": "metric", "value": math.nan})) == {"kind": "metric", "value": "NaN"}


def test_the_shelf_prints_and_counts() -> None:
    screen = io.StringIO()
    writer = ItemWriter(show=as_json, screen=screen)

    writer.put([SPAN, ALERT])
    writer.put([GAUGE])
    writer.refuse()
    writer.close()

    assert [json.loads(line) for line in screen.getvalue().splitlines()] == [SPAN, ALERT, GAUGE]
    assert writer.tally() == "1 spans, 1 events, 1 metrics; refused 1 requests"


def test_a_quiet_shelf_counts_only() -> None:
    screen = io.StringIO()
    writer = ItemWriter(screen=screen)

    writer.put([SPAN])

    assert screen.getvalue() == ""
    assert writer.tally().startswith("1 spans")


def test_with_a_file_items_are_appended_there_and_not_printed(tmp_path: Path) -> None:
    output, screen = tmp_path / "items.ndjson", io.StringIO()
    output.write_text('{"kind": "old"}\n')
    writer = ItemWriter(output=output, show=as_text, screen=screen)

    writer.put([SPAN])
    at_once = output.read_text().splitlines()
    writer.close()

    assert [json.loads(line) for line in at_once] == [{"kind": "old"}, SPAN]
    assert screen.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:4318", ("127.0.0.1", 4318)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:4318", ("::1", 4318)),
        ("127.9.9.9:1", ("127.9.9.9", 1)),
    ],
)
def test_loopback_addresses_are_taken(text: str, address: tuple[str, int]) -> None:
    assert listen_address(text, allow_remote=False) == address


@pytest.mark.parametrize("text", ["0.0.0.0:4318", "[::]:4318", "10.0.0.1:4318", "example.org:80"])
def test_others_are_refused_until_they_are_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="--allow-remote"):
        listen_address(text, allow_remote=False)
    assert listen_address(text, allow_remote=True)[1] in {4318, 80}


@pytest.mark.parametrize("text", ["4318", ":4318", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        listen_address(text, allow_remote=True)


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    collect.register(parser.add_subparsers())
    return parser.parse_args(["collect", *arguments])


def test_the_command_registers_itself() -> None:
    arguments = parsed()

    assert (arguments.listen, arguments.output, arguments.format, arguments.quiet) == (
        "127.0.0.1:4318",
        None,
        "text",
        False,
    )
    assert arguments.run is collect.run


@pytest.mark.parametrize(
    "arguments",
    [("--listen", "0.0.0.0:0"), ("--listen", "127.0.0.1:0", "--output", "/nowhere/at/all")],
    ids=["remote", "no such directory"],
)
def test_where_it_cannot_listen_or_write_it_says_so(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert collect.run(parsed(*arguments)) == 2
    assert capsys.readouterr().err.startswith("dashlight collect: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_it_runs_until_it_is_interrupted_and_tells_what_came(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "dashlight.cli.main", "collect", "--listen", "127.0.0.1:0", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = child.stdout.readline().removeprefix("listening on ").strip()
        request = urllib.request.Request(
            f"{url}/any/path", data=b'{"name": "e"}\n', headers={"Content-Type": "application/x-ndjson"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            status = answer.status
        child.send_signal(number)
        rest = child.stdout.read().splitlines()

    assert status == 200
    assert json.loads(rest[0]) == {"name": "e", "kind": "event"}
    assert rest[1:] == ["received 0 spans, 1 events, 0 metrics; refused 0 requests"]
    assert child.returncode == 0
