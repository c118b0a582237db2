"""Alerts through every misbehaviour of what takes them: each arrives at least once, and once by its id."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dashlight.clock import SystemClock
from dashlight.deliver.alerting.alertmanager import AlertmanagerRoute
from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.document import AlertContext, document
from dashlight.deliver.alerting.owed import Owed
from dashlight.deliver.alerting.pagerduty import PagerDutyRoute
from dashlight.deliver.alerting.route import Route
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.alerting.webhook import WebhookRoute
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice, Transition

PATIENCE_SECONDS = 60.0
CONTEXT = AlertContext("shop", "machine-1")
STORM = ("500", "502", "503", "504", "429", "408", "cut", "half", "nonsense", "slow", "taken, then cut")
"""After each of them an attempt is worth another."""
KINDS = ("alertmanager", "webhook", "pagerduty")


class Receiver(ThreadingHTTPServer):
    """Misbehaves as its *storm* says, one behaviour a request, and takes everything once that is over."""

    daemon_threads = True

    def __init__(self, storm: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.storm = storm
        self.taken: list[tuple[str, Any]] = []
        """Key and JSON of all that it has understood."""
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: cut connections are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            behaviour = self.server.storm.pop(0) if self.server.storm else "200"
            if behaviour in {"200", "taken, then cut"}:
                self.server.taken.append((self.headers["idempotency-key"], body))
        if behaviour.isdigit():
            self.send_response(int(behaviour))
            self.send_header("Content-Length", "0")
            if behaviour == "429":
                self.send_header("Retry-After", "0.1")
            self.end_headers()
            return
        self.close_connection = True
        if behaviour == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
        elif behaviour == "nonsense":
            self.wfile.write(b"\x00\xff\r\n\r\n")
        elif behaviour == "slow":
            self.server.over.wait(10)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[Callable[[list[str]], Receiver]]:
    running: list[Receiver] = []

    def start(storm: list[str]) -> Receiver:
        running.append(Receiver(storm))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def route(kind: str, to: Receiver) -> Route:
    endpoint = Endpoint(f"http://127.0.0.1:{to.server_port}/", timeout_seconds=0.3)
    attempts = Attempts(partial(HttpSender, endpoint))
    clock = Unhurried() if kind == "webhook" else SystemClock()
    if kind == "alertmanager":
        return AlertmanagerRoute(kind, attempts, context=CONTEXT, clock=clock)
    if kind == "pagerduty":
        return PagerDutyRoute(kind, attempts, routing_key="R0", context=CONTEXT, clock=clock)
    return WebhookRoute(
        kind, attempts, write=lambda notice, number: document(notice, CONTEXT, reminder=number), clock=clock
    )


class Unhurried(SystemClock):
    """On which a second has passed whenever it is looked at: webhooks get one message a second."""

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return time.monotonic() + self._looks


def notices(count: int) -> list[Notice]:
    """Incidents that begin and end."""
    return [notice for number in range(count) for notice in (of(number, "firing"), of(number, "resolved"))]


def of(number: int, transition: Transition) -> Notice:
    sample = sample_notice(time.time() - 1)
    fields = {name: getattr(sample, name) for name in sample.__dataclass_fields__}
    return Notice(**{**fields, "id": f"{number}-{transition}", "key": f"incident/{number}", "transition": transition})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_after_a_storm_every_transition_has_arrived_the_beginning_first_and_once_by_its_id(
    receiver: Callable[[list[str]], Receiver], kind: str, seed: int
) -> None:
    drawn = random.Random(seed)
    storm = [drawn.choice(STORM) for _ in range(12)]
    there, owed, wanted = receiver([*storm]), Owed([kind]), notices(5)
    couriers = Couriers([route(kind, there)], owed, jitter=lambda: 0.0)
    owed.open()
    for notice in wanted:
        owed.owe(notice)

    couriers.wake()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while owed.count(kind) and time.monotonic() < deadline:
        time.sleep(0.01)
    couriers.close(5)

    assert owed.count(kind) == 0, (storm, there.taken)
    assert owed.fates() == {SignalFate("alerts", "delivered", part=kind): len(wanted)}
    found = dict.fromkeys(told for told in map(partial(told_of, kind), there.taken) if told is not None)
    of_incidents = [[is_over for key, is_over in found if key == f"incident/{number}"] for number in range(5)]
    assert of_incidents == [[False, True]] * 5


def told_of(kind: str, taken: tuple[str, Any]) -> tuple[str, bool] | None:
    """Incident, and whether it is over, of what was *taken*; None of a repetition."""
    key, body = taken
    if kind == "alertmanager":
        if len(body) != 1:
            return None
        [alert] = body
        return alert["labels"]["incident"], alert["annotations"]["notice_id"].endswith("resolved")
    if kind == "pagerduty":
        return body["dedup_key"].partition(" ")[0], body["event_action"] == "resolve"
    assert key == body["id"]
    return body["key"], body["transition"] == "resolved"


@pytest.mark.parametrize("kind", KINDS)
def test_poison_costs_itself_alone(receiver: Callable[[list[str]], Receiver], kind: str) -> None:
    there, owed = receiver(["400", "413", "200"]), Owed([kind])
    couriers = Couriers([route(kind, there)], owed, jitter=lambda: 0.0)
    owed.open()
    for number in range(3):
        owed.owe(of(number, "firing"))

    couriers.wake()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while owed.count(kind) and time.monotonic() < deadline:
        time.sleep(0.01)
    couriers.close(5)

    assert owed.fates() == {
        SignalFate("alerts", "rejected", part=kind): 2,
        SignalFate("alerts", "delivered", part=kind): 1,
    }
    with suppress(ValueError):
        assert told_of(kind, there.taken[0]) == ("incident/2", False)


def test_one_that_never_answers_delays_no_other(receiver: Callable[[list[str]], Receiver]) -> None:
    hanging, well = receiver(["slow"] * 1000), receiver([])
    owed = Owed(["alertmanager", "webhook"])
    couriers = Couriers([route("alertmanager", hanging), route("webhook", well)], owed, jitter=lambda: 0.0)
    owed.open()
    for number in range(20):
        owed.owe(of(number, "firing"))

    couriers.wake()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while owed.count("webhook") and time.monotonic() < deadline:
        time.sleep(0.01)
    waiting = owed.count("alertmanager")
    couriers.close(1)

    assert (owed.count("webhook"), len(well.taken)) == (0, 20)
    assert waiting == 20
