"""Values that an adapter hands over, from the ASGI scope to what leaves the process."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight import DashlightMiddleware, hand_over
from dashlight.adapters import MOST_BYTES, TOO_LARGE, TOO_LATE, TOO_MUCH
from dashlight.runtime.assembly import assemble
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 20.0
Act = Callable[[dict[str, Any]], object]


class Server:
    """A server whose one app answers with bytes that say nothing, watched, with a collector in memory."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()
        monitor = assemble(os.environ, None, connect=self.exporter.connect)
        assert monitor is not None
        self.monitor: Monitor = monitor
        assert monitor.ready.wait(PATIENCE_SECONDS)

    def request(
        self, act: Act, *, after: Act = lambda _: None, path: str = "/predict", body: bytes = b"\x00\x01"
    ) -> None:
        """One request, while which *act* is called with the scope, and *after* when it has been answered."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            act(scope)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"x/y")]})
            await send({"type": "http.response.body", "body": body})
            after(scope)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            pass

        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
        served: Awaitable[Any] = DashlightMiddleware(app)(scope, receive, send)
        asyncio.run(_awaited(served))

    def event(self) -> dict[str, Any]:
        """The attributes of the one event of a prediction."""
        assert self.monitor.flush(PATIENCE_SECONDS) == 0
        (event,) = self.exporter.events("dashlight.prediction")
        attributes: dict[str, Any] = event["attributes"]
        return attributes


async def _awaited(served: Awaitable[Any]) -> None:
    await served


@pytest.fixture
def server(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The Monitor of this process, with everything that may leave it."""
    settings = {"COLLECTOR": "http://collector", "SAMPLE_RATE": "1", "PAYLOADS": "features", "MODEL": "fallback"}
    for name, value in settings.items():
        monkeypatch.setenv(f"DASHLIGHT_{name}", value)
    made = Server()
    process.monitor = made.monitor
    yield made
    made.monitor.close()


def test_what_is_handed_over_stands_for_the_bytes(server: Server) -> None:
    server.request(
        lambda scope: hand_over(scope, inputs={"age": 40}, outputs={"score": 0.5}, model="churn", version="7")
    )

    event = server.event()

    assert (event["dashlight.inputs"], event["dashlight.outputs"]) == ({"age": 40}, {"score": 0.5})
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("churn", "7")
    assert "dashlight.undecoded" not in event


def test_later_calls_add_to_earlier_ones_also_on_a_copy_of_the_scope(server: Server) -> None:
    def act(scope: dict[str, Any]) -> None:
        assert hand_over(scope, inputs=np.array([[1, 2], [3, 4]]), model="a")
        assert hand_over(dict(scope), outputs=["x", "y"], model="b")

    server.request(act)

    event = server.event()
    assert event["dashlight.inputs"] == {"0": [1, 3], "1": [2, 4]}
    assert event["dashlight.outputs"] == {"prediction": ["x", "y"]}
    assert (event["dashlight.model.name"], event["dashlight.rows"]) == ("b", 2)


def test_a_failure_that_the_status_hides_is_told(server: Server) -> None:
    server.request(lambda scope: hand_over(scope, inputs={"age": 1}, failure="model"))

    assert server.event()["error.type"] == "model"


def test_without_an_adapter_the_bytes_are_read(server: Server) -> None:
    server.request(lambda _: None)

    assert server.event()["dashlight.undecoded"] == "binary_body"


def test_what_is_no_table_costs_the_decoding_alone(server: Server) -> None:
    server.request(lambda scope: hand_over(scope, inputs=object()))

    assert server.event()["dashlight.undecoded"] == "handed_over"


def test_after_the_answer_it_is_too_late_which_is_counted(server: Server) -> None:
    taken: list[bool] = []

    server.request(lambda _: None, after=lambda scope: taken.append(hand_over(scope, inputs={"age": 1})))

    assert taken == [False]
    assert server.monitor.capture.failures == {TOO_LATE: 1}


class Frame:
    """As large as it says."""

    size = MOST_BYTES


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (np.zeros(MOST_BYTES + 1, np.uint8), None),
        ({"a": np.zeros(MOST_BYTES // 8), "b": b"x"}, None),
        (None, Frame()),
        (None, "x" * (MOST_BYTES + 1)),
    ],
    ids=["an array", "a mapping", "a frame", "a text"],
)
def test_more_than_may_be_held_is_not_and_counted(server: Server, inputs: object, outputs: object) -> None:
    taken: list[bool] = []

    server.request(lambda scope: taken.append(hand_over(scope, inputs=inputs, outputs=outputs)))

    assert taken == [False]
    assert server.monitor.capture.failures == {TOO_LARGE: 1}


def test_what_waits_is_bounded_and_read_makes_room(server: Server) -> None:
    large = "x" * MOST_BYTES
    taken: list[bool] = []
    room = server.monitor.capture.inbox.limit_bytes // MOST_BYTES

    def act(scope: dict[str, Any]) -> None:
        # Of one request, which the analysis cannot take meanwhile.
        taken.extend(hand_over(scope, inputs=large) for _ in range(room + 1))

    server.request(act)
    assert server.monitor.flush(PATIENCE_SECONDS) == 0
    server.request(lambda scope: taken.append(hand_over(scope, inputs=large)))

    assert taken == [True] * room + [False, True]
    assert server.monitor.capture.failures == {TOO_MUCH: 1}


class Hostile:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> object:
        raise KeyError(name)

    def __str__(self) -> str:
        raise ZeroDivisionError


def test_a_mistake_of_the_adapter_never_reaches_the_host(server: Server) -> None:
    server.request(lambda scope: (hand_over(scope, inputs=Hostile()), hand_over(scope, model=Hostile())))  # type: ignore[arg-type]

    assert server.monitor.capture.failures == {"KeyError": 1, "ZeroDivisionError": 1}


@pytest.mark.usefixtures("fresh_process")
def test_a_request_that_is_not_watched_takes_nothing() -> None:
    assert not hand_over({"type": "http"}, inputs={"age": 1})
    assert not hand_over(None, inputs={"age": 1})  # type: ignore[arg-type]


def test_the_example_in_the_documentation_is_python() -> None:
    text = (Path(__file__).parents[1] / "docs" / "adapters.md").read_text()
    (snippet,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, Any] = {}

    exec(snippet, names)

    assert names["hand_over"] is hand_over
    assert f"{MOST_BYTES // 2**20} MiB" in text
    assert all(reason in text for reason in (TOO_LATE, TOO_LARGE, TOO_MUCH))
    assert "DASHLIGHT_WORKER_MEMORY" in text
