"""What the settings of routes trust us with is in nothing that is said, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dashlight.clock import SystemClock
from dashlight.deliver.alerting.courier import Couriers
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.owed import Owed
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.transport.egress import egress_of
from dashlight.deliver.transport.http import HttpSender
from dashlight.runtime.assembly.alert_routes import planned_routes
from dashlight.settings import Settings
from dashlight.store.tries import CommandTries

CANARY = "hunter2-canary"
PATIENCE_SECONDS = 30.0


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


@pytest.mark.parametrize("proxied", ["", "through a proxy"])
def test_nothing_that_is_said_of_a_failure_holds_a_secret(
    nobody: str, proxied: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    environ = {
        "PATH": "/usr/bin:/bin",
        "DASHLIGHT_ALERTMANAGER": f"http://{nobody}/am?key={CANARY}",
        "DASHLIGHT_ALERTMANAGER_HEADERS": f"authorization={CANARY}",
        "DASHLIGHT_WEBHOOK": f"https://{nobody}/services/{CANARY}, http://{nobody}/{CANARY}?{CANARY}",
        "DASHLIGHT_WEBHOOK_HEADERS": f"x-key={CANARY}",
        "DASHLIGHT_PAGERDUTY": f"{CANARY}@http://{nobody}",
        "DASHLIGHT_ON_ALERT": f"sh -c 'echo {CANARY}; exit 3' {CANARY}",
        "DASHLIGHT_PROXY": f"http://user:{CANARY}@{nobody}" if proxied else "",
    }
    settings = Settings.from_env(environ)
    egress = egress_of(environ, authorities=settings.ca, proxy=settings.proxy)
    routes = planned_routes(settings, environ, egress=egress).routes(
        AlertContext("shop", "m"), clock=SystemClock(), connect=HttpSender, tries=CommandTries(None)
    )
    owed = Owed([route.name for route in routes])
    couriers = Couriers(routes, owed, jitter=lambda: 0.0)
    owed.open()
    owed.owe(sample_notice(time.time()))

    couriers.wake()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while caplog.text.count("cannot be delivered") < len(routes) and time.monotonic() < deadline:
        time.sleep(0.01)
    threads = [thread.name for thread in threading.enumerate()]
    couriers.close(1)

    assert len(routes) == 5
    assert caplog.text.count("cannot be delivered") >= len(routes)
    said = [caplog.text, repr(settings), repr(egress), repr(owed.fates()), repr(owed.counts()), repr(threads)]
    assert [text for text in said if CANARY in text] == []
