"""A spring of flights in seconds, with a clock that is turned by hand: what Dashlight says by origin and carrier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from examples.flights.demo import WATCHED
from examples.flights.faults import Fault, request_body
from examples.flights.flights import HELD_OUT, LABEL, TIME, Flight, read
from examples.flights.model import Model
from examples.flights.prepare import PREDICTION, Files, prepare

from dashlight.cli.main import main
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.labels.label import Label
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.assembly import analysis
from dashlight.runtime.label_queue import LabelQueue
from dashlight.settings import Settings
from dashlight.testing import FakeClock, MemoryExporter

PATIENCE_SECONDS = 30.0
PANE_SECONDS = 0.5
RATE = 290
"""Flights a second, as in the demo."""
LABELLED_PANES = 3
HEADERS = ((b"content-type", b"application/json"),)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What the demo starts from, and the reference beside it."""
    files = prepare(tmp_path_factory.mktemp("demo"))
    columns = ["--time", TIME, "--prediction", PREDICTION, "--score", PREDICTION, "--label", LABEL]
    output = ["--output", str(files.train.with_name("reference.json"))]
    assert main(["reference", "build", str(files.train), *columns, *output]) == 0
    return files


@dataclass
class Spring:
    """The app of the demo, and what Dashlight says of it."""

    files: Files
    state: Path
    clock: FakeClock = field(default_factory=FakeClock)
    exporter: MemoryExporter = field(default_factory=MemoryExporter)
    waiting: list[list[Label]] = field(default_factory=list[list[Label]])
    count: int = 0

    def __post_init__(self) -> None:
        self.model = Model.load(self.files.model)
        self.labels = LabelQueue(is_on=True, now=self.clock.now)
        environ = WATCHED | {
            "DASHLIGHT_COLLECTOR": "http://collector",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_REFERENCE": str(self.files.train.with_name("reference.json")),
            "DASHLIGHT_STATE_DIR": str(self.state),
        }
        self.analysis: Analysis = analysis(
            Settings.from_env(environ),
            environ,
            spans_to=None,
            events_to=Endpoint("http://collector"),
            labels=self.labels,
            clock=self.clock,
            connect=self.exporter.connect,
        )

    def fly(self, parts: set[str], fault: Fault) -> None:
        """All flights of these *parts* of the replay, as the demo sends them."""
        flights = [flight for flight in read(self.files.replay) if flight.part in parts]
        pane = round(RATE * PANE_SECONDS)
        for start in range(0, len(flights), pane):
            asked = flights[start : start + pane]
            exchanges = [self.ask(flight, fault) for flight in asked]
            self.analysis.count(exchanges, self.analysis.analyse(exchanges))
            known = [
                Label(f"{exchange.id:032x}", flight.late)
                for exchange, flight in zip(exchanges, asked, strict=True)
                if exchange.status == 200
            ]
            self.waiting.append(known)
            if len(self.waiting) > LABELLED_PANES:
                assert all(self.labels.put(label) for label in self.waiting.pop(0))
                assert self.labels.flush(PATIENCE_SECONDS) == 0
            self.clock.advance(PANE_SECONDS)
            self.analysis.tick(self.clock.now(), lost={}, in_flight_count=0, rate=1.0)
        assert self.analysis.flush(PATIENCE_SECONDS) == 0

    def ask(self, flight: Flight, fault: Fault) -> Exchange:
        """One question and its answer, as the request path hands them on."""
        self.count += 1
        request = request_body(flight, place=self.count, fault=fault)
        try:
            probability = self.model.predict(json.loads(request))
        except KeyError:
            answer, status, error = b"", 500, "KeyError"
        else:
            answer = json.dumps({"probability": probability, "late": probability > 0.5}).encode()
            status, error = 200, ""
        return Exchange(
            self.count, "/predict", "POST", "/predict", b"", "http", None, "1.1", HEADERS, HEADERS, status, error,
            "error" if error else "ok", self.clock.now(), 0.01, 0.02, len(request), len(answer), (request,),
            (answer,) if answer else (), self.count, 1, 1, None,
        )  # fmt: skip

    def alerts(self) -> list[dict[str, Any]]:
        """All that fired."""
        return [
            member
            for event in self.exporter.events("dashlight.alert")
            for member in event["attributes"]["dashlight.alert.members"]
            if member["state"] == "firing"
        ]


@pytest.fixture
def spring(files: Files, tmp_path: Path) -> Iterator[Spring]:
    made = Spring(files, tmp_path)
    yield made
    made.labels.close(PATIENCE_SECONDS)
    made.analysis.close(PATIENCE_SECONDS)


def test_what_is_missing_of_one_carrier_at_one_airport_is_found_there(spring: Spring) -> None:
    spring.fly({HELD_OUT}, "united")
    assert not spring.alerts()

    spring.fly({"03"}, "united")

    told = {alert.get("segment", ""): alert["summary"] for alert in spring.alerts() if alert["column"] == "humid"}
    assert "it is carrier=UA and origin=EWR" in told[""]
    assert told["carrier=UA"].startswith("carrier=UA: share of missing humid rose")
    assert told["origin=EWR"].endswith("; all other rows are as before")
    assert told.keys() <= {"", "carrier=UA", "origin=EWR"}
