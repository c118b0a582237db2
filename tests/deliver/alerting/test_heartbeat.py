"""A heartbeat beats for panes that were judged, and for nothing else."""

from __future__ import annotations

import json
import threading
from typing import Any, Literal

import pytest

from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.heartbeat import INTERVAL_SECONDS, RETRY_SECONDS, Heartbeat, Pulse
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.metrics.losses import SignalFate
from dashlight.testing import FakeClock

AT = 1_790_000_000.0


class Address:
    """Keeps what comes, and answers as it is told to."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.keys: list[str] = []
        self.answers: list[CollectorAnswer] = []
        self.is_closed = threading.Event()
        self.came = threading.Event()

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        assert content_type == "application/json"
        self.bodies.append(json.loads(body))
        self.keys.append(key)
        self.came.set()
        return self.answers.pop(0) if self.answers else CollectorAnswer(200)

    def close(self) -> None:
        self.is_closed.set()


class Still(Heartbeat):
    """Without its thread: the test takes its steps."""

    def _run(self) -> None:
        """Nothing."""


class Beating:
    """A heartbeat under a clock that stands still."""

    def __init__(self, kind: Literal["alertmanager", "webhook"] = "webhook", *, pane_seconds: float = 10.0) -> None:
        self.clock, self.address = FakeClock(AT), Address()
        self.heartbeat = Still(
            "it",
            kind,
            Attempts(lambda: self.address),
            context=AlertContext("shop", "machine-1"),
            clock=self.clock,
            pane_seconds=pane_seconds,
        )
        self.pane_seconds = pane_seconds

    def judge(self, panes: int = 1) -> Beating:
        """So many panes, each followed by a step."""
        for _ in range(panes):
            self.heartbeat.tell(Pulse(self.clock.now(), 2, 1))
            self.heartbeat.step()
            self.clock.advance(self.pane_seconds)
        return self


def test_it_beats_once_a_minute_while_panes_are_judged() -> None:
    beating = Beating().judge(61)

    assert len(beating.address.bodies) == 11
    assert len(set(beating.address.keys)) == 11


def test_it_beats_with_every_pane_that_is_longer_than_a_minute() -> None:
    assert len(Beating(pane_seconds=3600.0).judge(4).address.bodies) == 4


def test_where_no_pane_is_judged_there_is_silence() -> None:
    beating = Beating().judge(1)

    for _ in range(100):
        beating.clock.advance(INTERVAL_SECONDS)
        assert beating.heartbeat.step() is None

    assert len(beating.address.bodies) == 1


def test_a_beat_in_vain_is_tried_again_and_counted() -> None:
    beating = Beating()
    beating.address.answers = [CollectorAnswer(failure="unreachable"), CollectorAnswer(503)]

    beating.heartbeat.tell(Pulse(AT, 1, 0))
    assert beating.heartbeat.step() == RETRY_SECONDS
    assert beating.heartbeat.step() is None
    beating.clock.advance(RETRY_SECONDS)
    assert beating.heartbeat.step() == RETRY_SECONDS
    beating.clock.advance(RETRY_SECONDS)
    assert beating.heartbeat.step() is None

    assert len(set(beating.address.keys)) == 1
    assert beating.heartbeat.fates() == {
        SignalFate("heartbeats", "delivered"): 1,
        SignalFate("heartbeats", "dropped", "undelivered"): 2,
    }


def test_a_beat_that_came_to_nothing_is_not_made_up_for_when_nothing_is_judged_any_more() -> None:
    beating = Beating()
    beating.address.answers = [CollectorAnswer(failure="unreachable")]
    beating.judge(1)

    beating.clock.advance(INTERVAL_SECONDS + 1)

    assert beating.heartbeat.step() is None
    assert len(beating.address.bodies) == 1


@pytest.mark.parametrize("status", [401, 404, 400], ids=["no credentials", "no such check", "no sense"])
def test_an_address_that_refuses_is_told_once_as_an_error(status: int, caplog: pytest.LogCaptureFixture) -> None:
    beating = Beating()
    beating.address.answers = [CollectorAnswer(status)] * 5

    beating.judge(5)

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "heartbeats for it cannot be delivered" in caplog.text


def test_a_dead_man_service_is_told_what_is_alive() -> None:
    assert Beating().judge().address.bodies == [
        {
            "heartbeat": "dashlight",
            "service": "shop",
            "instance": "machine-1",
            "judged_at": "2026-09-21T14:13:20Z",
            "workers": "2",
            "alerts_in_force": "1",
        }
    ]


def test_to_alertmanager_it_is_one_alert_that_fires_for_four_minutes_after_each_beat() -> None:
    bodies = Beating("alertmanager").judge(8).address.bodies

    first, second = (alert for (alert,) in bodies)
    assert (
        first["labels"]
        == second["labels"]
        == {
            "alertname": "DashlightHeartbeat",
            "severity": "none",
            "service": "shop",
            "service_instance_id": "machine-1",
        }
    )
    assert first["startsAt"] == second["startsAt"]
    assert (first["startsAt"], first["endsAt"]) == ("2026-09-21T14:13:20.000000Z", "2026-09-21T14:17:20.000000Z")
    assert second["endsAt"] == "2026-09-21T14:18:20.000000Z"


def test_its_thread_begins_with_the_first_pane_and_ends_without_a_last_beat() -> None:
    address = Address()
    heartbeat = Heartbeat(
        "it",
        "webhook",
        Attempts(lambda: address),
        context=AlertContext("s", "m"),
        clock=FakeClock(AT),
        pane_seconds=1.0,
    )
    assert not address.came.wait(0.05)

    heartbeat.tell(Pulse(AT, 1, 0))
    assert address.came.wait(20)
    heartbeat.close()

    assert address.is_closed.wait(20)
    assert len(address.bodies) == 1


def test_a_mistake_of_ours_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    stumbled = threading.Event()

    class Stumbling(Heartbeat):
        def step(self) -> float | None:
            stumbled.set()
            raise RuntimeError("https://dead-man.example/hunter2")

    heartbeat = Stumbling(
        "it", "webhook", Attempts(Address), context=AlertContext("s", "m"), clock=FakeClock(AT), pane_seconds=1.0
    )
    for _ in range(2):
        heartbeat.tell(Pulse(AT, 1, 0))
        assert stumbled.wait(20)
        stumbled.clear()
    heartbeat.close()

    assert "the heartbeat for it stumbled and goes on" in caplog.text
    assert "hunter2" not in caplog.text
    assert heartbeat.fates()[SignalFate("heartbeats", "dropped", "undelivered")] >= 1
