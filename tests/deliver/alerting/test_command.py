from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dashlight.deliver.alerting.command import CommandRoute
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.owed import Owed
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice


class Tries:
    """Remembers in memory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.over: set[str] = set()

    def begin(self, identifier: str, /) -> int:
        self.counts[identifier] += 1
        return 0 if identifier in self.over else self.counts[identifier]

    def finish(self, identifier: str, /) -> None:
        self.over.add(identifier)


@pytest.fixture
def tries() -> Tries:
    return Tries()


@pytest.fixture
def route(tries: Tries, context: AlertContext) -> Callable[..., CommandRoute]:
    def made(script: str, **environ: str) -> CommandRoute:
        return CommandRoute(
            "command",
            ["sh", "-c", script],
            environ={"PATH": "/usr/bin:/bin", **environ},
            timeout_seconds=20,
            context=context,
            tries=tries,
        )

    return made


def test_it_runs_with_the_notice_on_its_standard_input(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice], tmp_path: Path
) -> None:
    script = 'cat > "$OUT"; echo "$DASHLIGHT_ALERT_ID $DASHLIGHT_ALERT_TRANSITION" >> "$OUT"; env | sort >> "$OUT"'
    out = tmp_path / "out"

    found = route(script, OUT=str(out)).deliver(incident())

    assert found.outcome == "delivered"
    text = out.read_text()
    assert '"summary":"share of age above 64' in text
    assert f"{incident().id} firing" in text
    assert "DASHLIGHT_ALERT_KEY=incident/" in text


def test_it_runs_once_for_a_notice_also_where_that_is_owed_again(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice], tmp_path: Path
) -> None:
    made = route('echo x >> "$OUT"', OUT=str(tmp_path / "out"))

    assert [made.deliver(incident()).outcome for _ in range(3)] == ["delivered"] * 3
    assert (tmp_path / "out").read_text() == "x\n"


def test_it_is_tried_three_times_and_then_given_up(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice], caplog: pytest.LogCaptureFixture
) -> None:
    made = route("echo the card number 4111; exit 3")

    with caplog.at_level(logging.INFO, logger="dashlight"):
        found = [made.deliver(incident()) for _ in range(3)]

    assert [(each.outcome, each.retry_after_seconds) for each in found] == [
        ("retry", 10.0),
        ("retry", 60.0),
        ("rejected", None),
    ]
    assert made.fates() == {SignalFate("commands", "rejected", "status_3"): 3}
    assert "ended with status 3" in caplog.text
    assert "21 bytes of output, try 1 of 3" in caplog.text
    assert "4111" not in caplog.text


def test_tries_of_a_process_that_died_meanwhile_count(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice], tries: Tries, tmp_path: Path
) -> None:
    tries.counts[incident().id] = 3

    assert route('echo x >> "$OUT"', OUT=str(tmp_path / "out")).deliver(incident()).outcome == "rejected"
    assert not (tmp_path / "out").exists()


def test_a_text_that_no_variable_can_hold_does_not_stop_it(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice]
) -> None:
    assert route("true").deliver(incident(key="a\0b\ud800")).outcome == "delivered"


def test_a_program_that_is_gone_is_a_failed_try(context: AlertContext, incident: Callable[..., Notice]) -> None:
    gone = CommandRoute("command", ["/no/such"], environ={}, timeout_seconds=5, context=context, tries=Tries())

    assert gone.deliver(incident()).outcome == "retry"
    assert gone.fates() == {SignalFate("commands", "rejected", "not_started"): 1}


def test_an_app_that_ends_waits_for_no_command_and_none_begins(
    route: Callable[..., CommandRoute], incident: Callable[..., Notice], tries: Tries
) -> None:
    made, owed = route("sleep 300"), Owed(["command"])
    couriers = Couriers([made], owed)
    owed.open()
    owed.owe(incident())
    owed.owe(incident(id="2", key="k"))
    couriers.wake()
    deadline = time.monotonic() + 20
    while not tries.counts and time.monotonic() < deadline:
        time.sleep(0.01)

    began = time.monotonic()
    couriers.close(20)

    assert time.monotonic() - began < 10
    assert owed.count("command") == 2
    assert tries.counts == {incident().id: 1}
    assert made.fates() == {SignalFate("commands", "rejected", "app_ended"): 1}
