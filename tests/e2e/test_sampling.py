"""Which exchanges a server sends as events: those that show something in any case, of the others a share by trace id."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

COMMAND = ["uvicorn", "sampled:app", "--port", "{port}", "--log-level", "critical"]
Serving = Callable[..., AbstractContextManager[str]]
Found = dict[int, dict[str, Any]]
"""Attributes of events by trace id."""
NEVER_DRAWN = 1 << 96
HIGHEST = (1 << 56) - 1
USUAL = {"age": 40.5, "city": "Bonn"}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a reference of 1,000 people."""
    directory = tmp_path_factory.mktemp("reference")
    draws = random.Random(5)
    lines = [
        f"{draws.uniform(18, 90):.2f},{draws.choice(('Bonn', 'Oslo', 'Rome'))},0.{draws.randrange(999):03}"
        for _ in range(1000)
    ]
    (directory / "training.csv").write_text("\n".join(["age,city,score", *lines]) + "\n")
    built = str(directory / "reference.json")
    command = ["reference", "build", str(directory / "training.csv"), "--prediction", "score", "--output", built]
    subprocess.run([sys.executable, "-m", "dashlight.cli.main", *command], check=True, capture_output=True)
    return built


class Service:
    """A server, and what its collector hears of it."""

    def __init__(self, client: httpx.Client, collector: Any) -> None:
        self._client = client
        self._collector = collector
        self._numbers = iter(range(1, 1_000_000))

    def ask(self, person: object, *, trace_id: int = 0, takes: float = 0.0) -> int:
        """One request; its trace id, which is never drawn unless one is given."""
        trace_id = trace_id or NEVER_DRAWN + (next(self._numbers) << 60)
        headers = {"traceparent": f"00-{trace_id:032x}-00000000000000aa-01", "x-takes": str(takes)}
        content = person if isinstance(person, bytes) else None
        if content:  # the app raises, and the server hangs up
            headers["connection"] = "close"
        self._client.post("/predict", json=None if content else person, content=content, headers=headers)
        return trace_id

    def events(self, *wanted: int) -> Found:
        """All events by trace id, once those of the traces *wanted* are there."""

        def predictions(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
            return [each for each in items if each["name"] == "dashlight.prediction"]

        def those_wanted(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
            return [each for each in predictions(items) if int(each["trace_id"], 16) in wanted]

        self._collector.wait_until("event", those_wanted, count=len(wanted))
        return {int(each["trace_id"], 16): each["attributes"] for each in predictions(self._collector.items("event"))}


@pytest.fixture
def serve(served: Serving, collector: Any, reference: str) -> Callable[..., AbstractContextManager[Service]]:
    """Starts the server in an environment."""

    @contextmanager
    def start(**environ: str) -> Iterator[Service]:
        settings = {
            "DASHLIGHT_COLLECTOR": collector.url,
            "DASHLIGHT_SPANS": "off",
            "DASHLIGHT_REFERENCE": reference,
            "DASHLIGHT_CPU": "100%",
            **environ,
        }
        with served(COMMAND, settings) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            yield Service(client, collector)

    return start


def test_what_shows_something_is_always_there_and_says_what(
    serve: Callable[..., AbstractContextManager[Service]],
) -> None:
    with serve(DASHLIGHT_SAMPLE_RATE="0.01", DASHLIGHT_PAYLOADS="features") as service:
        for _ in range(300):
            service.ask(USUAL)
        asked = {
            service.ask({"age": 13.0, "city": "Bonn"}): "failure",
            service.ask({"age": 40.5, "city": "Lima"}): "new_category",
            service.ask({"age": 300.5, "city": "Bonn"}): "out_of_range",
            service.ask({"age": "old", "city": "Oslo"}): "wrong_type",
            service.ask(b'{"age": 40.5, "city": '): "failure",
            service.ask(USUAL, takes=0.6): "slow",
        }
        drawn = service.ask(USUAL, trace_id=NEVER_DRAWN + HIGHEST)
        both = service.ask({"age": 300, "city": "Lima"}, trace_id=NEVER_DRAWN + HIGHEST - 1)
        found = service.events(*asked, drawn, both)

    assert {trace_id: found[trace_id]["dashlight.sampling.reason"] for trace_id in asked} == asked
    assert {found[trace_id]["dashlight.sampling.kept_share"] for trace_id in asked} == {1.0}
    assert not [trace_id for trace_id in asked if "dashlight.sampling.probability" in found[trace_id]]
    assert found[drawn]["dashlight.sampling.probability"] == 0.01
    assert "dashlight.sampling.reason" not in found[drawn]
    assert found[both]["dashlight.sampling.probability"] == 0.01
    assert found[both]["dashlight.sampling.reasons"] == ["new_category", "out_of_range"]
    assert found[both]["dashlight.inputs"] == {"age": 300, "city": "Lima"}
    # Of those that were as usual the slowest one in a hundred may be there, and no other.
    others = [each for trace_id, each in found.items() if trace_id not in {*asked, drawn, both}]
    assert {each["dashlight.sampling.reason"] for each in others} <= {"slow"}
    assert len(others) < 30


def test_a_flood_of_failures_keeps_within_its_bucket_and_hides_nothing_else(
    serve: Callable[..., AbstractContextManager[Service]],
) -> None:
    with serve(DASHLIGHT_SAMPLE_RATE="0.001") as service:
        began = time.monotonic()
        for _ in range(400):
            service.ask({"age": 13.0, "city": "Bonn"})
        flood_seconds = time.monotonic() - began
        odd = [service.ask({"age": 40.5, "city": "Lima"}) for _ in range(5)]
        found = service.events(*odd)

    reasons = Counter(each["dashlight.sampling.reason"] for each in found.values())
    assert 100 <= reasons["failure"] <= 100 + 10 * (flood_seconds + 1)
    assert reasons["new_category"] == 5
    shares = [each["dashlight.sampling.kept_share"] for each in found.values() if "error.type" in each]
    assert 0.2 < min(shares) < 1.0


def test_services_draw_the_same_traces_and_a_larger_rate_draws_them_all(
    serve: Callable[..., AbstractContextManager[Service]],
) -> None:
    draws = random.Random(17)
    traces = [draws.getrandbits(128) | 1 << 127 for _ in range(300)]
    drawn: list[set[int]] = []
    for name, rate in {"first": "0.1", "second": "0.1", "third": "0.3"}.items():
        with serve(DASHLIGHT_SAMPLE_RATE=rate, DASHLIGHT_MODEL=name) as service:
            for trace_id in traces:
                service.ask(USUAL, trace_id=trace_id)
            service.events(service.ask(USUAL, trace_id=NEVER_DRAWN + HIGHEST - len(drawn)))
            drawn.append({
                trace_id
                for trace_id, each in service.events().items()
                if each["dashlight.model.name"] == name and each.get("dashlight.sampling.probability") == float(rate)
            }.intersection(traces))  # fmt: skip

    assert drawn[0] == drawn[1] < drawn[2]
    assert 10 < len(drawn[0]) < 60
    assert 60 < len(drawn[2]) < 130


def test_what_is_drawn_lies_within_what_the_app_samples_by_ratio(
    serve: Callable[..., AbstractContextManager[Service]],
) -> None:
    ratio = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.2", "DASHLIGHT_SPANS": "own"}
    draws = random.Random(19)
    with serve(DASHLIGHT_SAMPLE_RATE="0.1", **ratio) as service:
        for _ in range(300):
            service.ask(USUAL, trace_id=draws.getrandbits(128) | 1 << 127)
        found = service.events(service.ask(USUAL, trace_id=1 << 96))

    drawn = [trace_id for trace_id, each in found.items() if "dashlight.sampling.probability" in each]
    assert 10 < len(drawn) < 60
    assert all(trace_id & (1 << 64) - 1 < 0.2 * 2**64 for trace_id in drawn)
